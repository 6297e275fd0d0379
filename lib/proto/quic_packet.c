// SPDX-License-Identifier: GPL-2.0-or-later
// QUIC packets as the path sees them: long headers (RFC 8999, RFC 9000 §17.2), and the Initial packets of versions 1 and 2 and of drafts opened with the
// keys that anybody can derive (RFC 9001 §5, RFC 9369 §3.3). Pure; knows no connection and no frame.
#include "quic_impl.h"

enum { SAMPLE_BYTES = 16, NUMBER_BYTES = 4 };

#define SALT_V1 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
#define SALT_DRAFT_23 {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}
#define SALT_DRAFT_22 {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a}
#define LABELS "quic key", "quic iv", "quic hp"

// Drafts before 22 have another header; Google's Q versions carry no TLS.
static const struct quic_version versions[] = {
	{0x00000001, 0x00000001, SALT_V1, LABELS, 0},
	{0x6b3343cf, 0x6b3343cf,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	 "quicv2 key", "quicv2 iv", "quicv2 hp", 1},
	{0xff000021, 0xff000022, SALT_V1, LABELS, 0},
	{0xff00001d, 0xff000020,
	 {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
	 LABELS, 0},
	{0xff000017, 0xff00001c, SALT_DRAFT_23, LABELS, 0},
	{0xff000016, 0xff000016, SALT_DRAFT_22, LABELS, 0},
	{0xfaceb002, 0xfaceb002, SALT_DRAFT_23, LABELS, 0}, // Facebook's, of drafts 27 and 22
	{0xfaceb00e, 0xfaceb00e, SALT_DRAFT_23, LABELS, 0},
	{0xfaceb001, 0xfaceb001, SALT_DRAFT_22, LABELS, 0},
	{0x54303530, 0x54303530, // Google's T050 and T051
	 {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10},
	 LABELS, 0},
	{0x54303531, 0x54303531,
	 {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d},
	 LABELS, 0},
};

static const struct quic_version *find_version(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (number >= versions[i].first && number <= versions[i].last)
			return &versions[i];
	return NULL;
}

bool quic_read_number(struct bytes *b, uint64_t *out)
{
	uint8_t octet;

	if (!b->left || b->left < (size_t)1 << (b->at[0] >> 6))
		return false;
	bytes_read_u8(b, &octet);
	*out = octet & 0x3f;
	for (unsigned more = (1u << (octet >> 6)) - 1; more > 0; more--) {
		bytes_read_u8(b, &octet);
		*out = *out << 8 | octet;
	}
	return true;
}

static bool take_id(struct bytes *b, struct bytes *id)
{
	uint8_t n;

	return bytes_read_u8(b, &n) && n <= QUIC_ID_BYTES && bytes_take(b, n, id);
}

static uint8_t type_of(const struct quic_header *h, uint8_t first)
{
	if (h->number == 0)
		return QUIC_NEGOTIATION;
	if (!h->version)
		return QUIC_OTHER;
	return (uint8_t)(QUIC_INITIAL + (((first >> 4 & 3) - h->version->first_type) & 3));
}

// Token and length of an Initial, length alone of a 0-RTT or Handshake packet. The rest of them is one packet to its end.
static bool read_length(struct quic_header *h, struct bytes *b, uint64_t *length)
{
	uint64_t token;

	*length = b->left;
	if (h->type == QUIC_INITIAL && (!quic_read_number(b, &token) || token > b->left || !bytes_skip(b, (size_t)token)))
		return false;
	if (h->type != QUIC_INITIAL && h->type != QUIC_0RTT && h->type != QUIC_HANDSHAKE)
		return true;
	return quic_read_number(b, length) && *length <= b->left;
}

bool quic_header_read(struct bytes *datagram, struct quic_header *h)
{
	struct bytes b = *datagram, source;
	uint64_t length;
	uint8_t first;

	*h = (struct quic_header){.type = QUIC_SHORT, .packet = b};
	if (!bytes_read_u8(&b, &first))
		return false;
	if (!(first & 0x80)) {
		*datagram = bytes_from(b, b.left);
		return (first & 0x40) != 0;
	}
	if (!bytes_read_u32(&b, &h->number) || !take_id(&b, &h->destination) || !take_id(&b, &source))
		return false;
	h->version = find_version(h->number);
	h->type = type_of(h, first);
	if (!read_length(h, &b, &length))
		return false;
	h->number_at = h->packet.left - b.left;
	bytes_skip(&b, (size_t)length);
	h->packet.left -= b.left;
	*datagram = b;
	return true;
}

bool quic_has_initial(struct bytes datagram)
{
	struct quic_header h;
	unsigned i = 0;

	for (; i < QUIC_PACKETS && datagram.left && quic_header_read(&datagram, &h); i++)
		if (h.type == QUIC_INITIAL)
			return true;
	return i == QUIC_PACKETS && datagram.left; // behind them there may be one
}

void quic_keys_of(const struct quic_version *v, struct bytes destination, bool of_client, struct quic_keys *out)
{
	uint8_t initial[CRYPTO_SHA256_BYTES], side[CRYPTO_SHA256_BYTES];

	crypto_hkdf_extract(bytes_of(v->salt, sizeof(v->salt)), destination, initial);
	crypto_hkdf_expand_label(initial, of_client ? "client in" : "server in", side, sizeof(side));
	crypto_hkdf_expand_label(side, v->key, out->key, sizeof(out->key));
	crypto_hkdf_expand_label(side, v->iv, out->iv, sizeof(out->iv));
	crypto_hkdf_expand_label(side, v->hp, out->hp, sizeof(out->hp));
}

// RFC 9000 §A.3: the number nearest to the expected one that ends in these `bits` bits.
static uint64_t whole_number(uint64_t largest, uint64_t low, unsigned bits)
{
	uint64_t expected = largest + 1, window = 1ull << bits, half = window / 2;
	uint64_t candidate = (expected & ~(window - 1)) | low;

	if (candidate + half <= expected && candidate < (1ull << 62) - window)
		return candidate + window;
	if (candidate > expected + half && candidate >= window)
		return candidate - window;
	return candidate;
}

struct bytes quic_open(const struct quic_header *h, const struct quic_keys *keys, uint64_t *largest, uint8_t out[QUIC_PACKET_BYTES])
{
	uint8_t mask[SAMPLE_BYTES], header[QUIC_PACKET_BYTES], nonce[CRYPTO_GCM_NONCE_BYTES];
	struct bytes behind = bytes_from(h->packet, h->number_at), sealed;
	uint64_t low = 0, number;
	size_t size;

	if (behind.left < NUMBER_BYTES + SAMPLE_BYTES || h->packet.left > QUIC_PACKET_BYTES)
		return bytes_of(NULL, 0);
	crypto_aes128(keys->hp, behind.at + NUMBER_BYTES, mask);
	memcpy(header, h->packet.at, h->number_at + NUMBER_BYTES);
	header[0] ^= mask[0] & 0x0f;
	size = (header[0] & 3) + 1u;
	for (size_t i = 0; i < size; i++) {
		header[h->number_at + i] ^= mask[1 + i];
		low = low << 8 | header[h->number_at + i];
	}
	number = whole_number(*largest, low, (unsigned)(8 * size));
	memcpy(nonce, keys->iv, sizeof(nonce));
	for (unsigned i = 0; i < 8; i++)
		nonce[sizeof(nonce) - 1 - i] ^= (uint8_t)(number >> 8 * i);
	sealed = bytes_from(behind, size);
	if (!crypto_aes128_gcm_open(keys->key, nonce, bytes_of(header, h->number_at + size), sealed, out))
		return bytes_of(NULL, 0);
	if (number > *largest || *largest == UINT64_MAX)
		*largest = number;
	return bytes_of(out, sealed.left - CRYPTO_GCM_TAG_BYTES);
}
