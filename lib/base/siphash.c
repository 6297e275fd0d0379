// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-c-d after the paper's reference code: c rounds a word, d rounds at the end. Any thread.
#include "siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

// Byte by byte so that the value does not depend on the machine; compilers make one load of it.
static inline uint64_t read_le64(const uint8_t *b)
{
	return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
	       (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static inline void round_once(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		round_once(s);
	s->v0 ^= word;
}

static inline struct state begin(const struct siphash_key *key)
{
	return (struct state){
		key->k0 ^ 0x736f6d6570736575ull,
		key->k1 ^ 0x646f72616e646f6dull,
		key->k0 ^ 0x6c7967656e657261ull,
		key->k1 ^ 0x7465646279746573ull,
	};
}

static inline uint64_t finish(struct state *s, uint64_t last, unsigned c, unsigned d)
{
	absorb(s, last, c);
	s->v2 ^= 0xff;
	for (unsigned i = 0; i < d; i++)
		round_once(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t siphash(const struct siphash_key *key, const uint8_t *data, size_t n, unsigned c, unsigned d)
{
	struct state s = begin(key);
	uint64_t last = (uint64_t)n << 56;
	size_t whole = n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		absorb(&s, read_le64(data + i), c);
	for (size_t i = whole; i < n; i++)
		last |= (uint64_t)data[i] << (8 * (i - whole));
	return finish(&s, last, c, d);
}

uint64_t siphash13_words(const struct siphash_key *key, const uint64_t *words, size_t n)
{
	struct state s = begin(key);

	for (size_t i = 0; i < n; i++)
		absorb(&s, words[i], 1);
	return finish(&s, (uint64_t)n << 59, 1, 3);
}

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 1, 3);
}

uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 2, 4);
}
