// SPDX-License-Identifier: GPL-2.0-or-later
// QUIC packets as the path sees them: long headers (RFC 8999, RFC 9000 §17.2), and the Initial packets of versions 1 and 2 opened with the keys that
// anybody can derive (RFC 9001 §5, RFC 9369 §3.3). Pure; knows no connection and no frame.
#include "quic_impl.h"

enum { SAMPLE_BYTES = 16, NUMBER_BYTES = 4 };

static const struct quic_version versions[] = {
	{0x00000001,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	 "quic key", "quic iv", "quic hp", 0},
	{0x6b3343cf,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	 "quicv2 key", "quicv2 iv", "quicv2 hp", 1},
	{0xff00001d, // draft 29, which some stacks still offer
	 {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
	 "quic key", "quic iv", "quic hp", 0},
};

static const struct quic_version *find_version(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].number == number)
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

	for (unsigned i = 0; i < QUIC_PACKETS && datagram.left && quic_header_read(&datagram, &h); i++)
		if (h.type == QUIC_INITIAL)
			return true;
	return false;
}

void quic_keys_of(const struct quic_version *v, struct bytes destination, struct quic_keys *out)
{
	uint8_t initial[CRYPTO_SHA256_BYTES], client[CRYPTO_SHA256_BYTES];

	crypto_hkdf_extract(bytes_of(v->salt, sizeof(v->salt)), destination, initial);
	crypto_hkdf_expand_label(initial, "client in", client, sizeof(client));
	crypto_hkdf_expand_label(client, v->key, out->key, sizeof(out->key));
	crypto_hkdf_expand_label(client, v->iv, out->iv, sizeof(out->iv));
	crypto_hkdf_expand_label(client, v->hp, out->hp, sizeof(out->hp));
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
