// SPDX-License-Identifier: GPL-2.0-or-later
// What quic_fuzz.c does with one datagram.
#pragma once
#include <nettle/gcm.h>
#include <stdlib.h>
#include "conversation_fuzz.h"
#include "quic_impl.h"

struct quic_fuzz {
	struct proto_pool *pool;
	struct counters counters;
	struct proto_flow flow;
	uint32_t context;
	uint64_t number;
	uint8_t app;
};

static inline struct quic_fuzz *quic_fuzz_begin(void)
{
	static struct proto_pool *kept;
	static struct quic_fuzz *f;

	if (!f)
		f = malloc(sizeof(*f));
	if (!f)
		abort();
	*f = (struct quic_fuzz){.pool = conversation_fuzz_pool(&kept, &(struct proto_pool_sizes){.contexts = 1})};
	f->flow = (struct proto_flow){.client = {.family = 4, .b = {10, 0, 0, 5}}, .server = {.family = 4, .b = {192, 0, 2, 7}},
				      .client_port = 40000, .server_port = 443, .transport = 17, .direction = DIRECTION_OUT};
	return f;
}

static inline void quic_fuzz_end(struct quic_fuzz *f)
{
	if (f->context)
		proto_close(f->pool, f->context);
	conversation_fuzz_require_empty(f->pool, 1);
}

// The frames as a version 1 Initial of 1,200 bytes or more. Returns its length.
static inline size_t quic_fuzz_seal(bool client, uint64_t number, struct bytes frames, uint8_t *out)
{
	static const uint8_t head[] = {0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0};
	size_t size = frames.left < 1162 ? 1162 : frames.left, at = sizeof(head);
	struct bytes any = bytes_of(head, sizeof(head));
	uint8_t plain[QUIC_PACKET_BYTES] = {0}, nonce[12], mask[16];
	struct gcm_aes128_ctx gcm;
	struct quic_header h = {0};
	struct quic_keys keys;

	quic_header_read(&any, &h);
	quic_keys_of(h.version, bytes_of(head + 6, 8), client, &keys);
	memcpy(plain, frames.at, frames.left);
	memcpy(out, head, at);
	out[at++] = (uint8_t)(0x40 | (size + 20) >> 8);
	out[at++] = (uint8_t)(size + 20);
	for (unsigned i = 0; i < 4; i++)
		out[at++] = (uint8_t)(number >> 8 * (3 - i));
	memcpy(nonce, keys.iv, sizeof(nonce));
	for (unsigned i = 0; i < 4; i++)
		nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
	gcm_aes128_set_key(&gcm, keys.key);
	gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
	gcm_aes128_update(&gcm, at, out);
	gcm_aes128_encrypt(&gcm, size, out + at, plain);
	gcm_aes128_digest(&gcm, 16, out + at + size);
	crypto_aes128(keys.hp, out + at, mask);
	out[0] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < 4; i++)
		out[at - 4 + i] ^= mask[1 + i];
	return at + size + 16;
}

static inline void quic_fuzz_datagram(struct quic_fuzz *f, uint8_t how, struct bytes piece)
{
	const struct proto_sink sink = {.emit = conversation_fuzz_emit, .counters = &f->counters};
	struct proto_input in = {.from_client = how & 1, .from_outside = !(how & 1), .device_sends = how & 1, .flow = &f->flow};
	uint8_t *copy = malloc(QUIC_PACKET_BYTES + piece.left);
	size_t n = piece.left;

	if (!copy)
		abort();
	if (how & 2)
		n = quic_fuzz_seal(how & 1, f->number++, bytes_head(piece, QUIC_PACKET_BYTES - 64), copy);
	else if (piece.left)
		memcpy(copy, piece.at, piece.left);
	copy = realloc(copy, n ? n : 1);
	in.data = bytes_of(copy, n);
	proto_datagram(f->pool, &f->context, &in, &sink, &f->app);
	free(copy);
}
