// SPDX-License-Identifier: GPL-2.0-or-later
// Seals Initial packets, the other half of what lib/proto opens. Header-only; for test/unit only.
#pragma once
#include <nettle/gcm.h>
#include "quic_impl.h"
#include "talk.h"

struct initial {
	struct bytes id;       // connection id in the header
	struct bytes key_id;   // the one the keys come from; empty: the same
	uint64_t number;
	unsigned number_bytes; // 1..4
	uint8_t first;         // 0xc0 version 1, 0xd0 version 2
	uint32_t version;
	size_t size;           // of the frames with their padding
	bool server;           // sealed with its keys
};

static inline void make_varint(struct maker *m, uint64_t value)
{
	make_number(m, value | 0x40000000u << 1, 4); // four bytes hold all that tests need
}

static inline void make_crypto(struct maker *m, uint64_t offset, struct bytes data)
{
	MAKE(m, 6);
	make_varint(m, offset);
	make_varint(m, data.left);
	make(m, data.at, data.left);
}

static inline struct quic_header quic_maker_header(uint32_t version)
{
	uint8_t any[8] = {0xc0, (uint8_t)(version >> 24), (uint8_t)(version >> 16), (uint8_t)(version >> 8), (uint8_t)version};
	struct bytes b = bytes_of(any, sizeof(any));
	struct quic_header h;

	quic_header_read(&b, &h);
	return h; // its version is what is wanted; it points to static memory
}

// Appends the packet to m.
static inline void make_initial(struct maker *m, const struct initial *p, struct bytes frames)
{
	static uint8_t plain[TALK_EDGE_BYTES];
	size_t start = m->n, number_at, size = p->size > frames.left ? p->size : frames.left;
	struct gcm_aes128_ctx gcm;
	struct quic_keys keys;
	uint8_t nonce[12], mask[16];

	quic_keys_of(quic_maker_header(p->version).version, p->key_id.left ? p->key_id : p->id, !p->server, &keys);
	make_number(m, p->first | (p->number_bytes - 1), 1);
	make_number(m, p->version, 4);
	make_number(m, p->id.left, 1);
	make(m, p->id.at, p->id.left);
	MAKE(m, 0, 0); // no source id, no token
	make_number(m, 0x4000 | (p->number_bytes + size + 16), 2);
	number_at = m->n;
	make_number(m, p->number, p->number_bytes);
	memset(plain, 0, size);
	if (frames.left)
		memcpy(plain, frames.at, frames.left);
	memcpy(nonce, keys.iv, sizeof(nonce));
	for (unsigned i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(p->number >> 8 * i);
	gcm_aes128_set_key(&gcm, keys.key);
	gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
	gcm_aes128_update(&gcm, m->n - start, m->b + start);
	gcm_aes128_encrypt(&gcm, size, m->b + m->n, plain);
	m->n += size;
	gcm_aes128_digest(&gcm, 16, m->b + m->n);
	m->n += 16;
	crypto_aes128(keys.hp, m->b + number_at + 4, mask);
	m->b[start] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < p->number_bytes; i++)
		m->b[number_at + i] ^= mask[1 + i];
}
