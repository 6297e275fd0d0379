// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-1-3 and -2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Every hash table over
// attacker-chosen keys uses it with a random key: an unkeyed table is a denial of service.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n);
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n);

// Step by step, for keys that are made in registers: begin, absorb each word (its 8 bytes in little-endian order), finish. With `c` and `d` of 1 and 3 and
// `last` = bytes << 56 it is siphash13 of those bytes.
struct siphash_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void siphash_round(struct siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = siphash_rotate(s->v2, 32);
}

static inline struct siphash_state siphash_begin(const struct siphash_key *key)
{
	return (struct siphash_state){
		key->k0 ^ 0x736f6d6570736575ull,
		key->k1 ^ 0x646f72616e646f6dull,
		key->k0 ^ 0x6c7967656e657261ull,
		key->k1 ^ 0x7465646279746573ull,
	};
}

static inline void siphash_absorb(struct siphash_state *s, uint64_t word, unsigned c)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < c; i++)
		siphash_round(s);
	s->v0 ^= word;
}

static inline uint64_t siphash_finish(struct siphash_state *s, uint64_t last, unsigned c, unsigned d)
{
	siphash_absorb(s, last, c);
	s->v2 ^= 0xff;
	for (unsigned i = 0; i < d; i++)
		siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}
