// SPDX-License-Identifier: GPL-2.0-or-later
// SipHash-c-d after the paper's reference code: c rounds a word, d rounds at the end. Any thread.
#include "siphash.h"

// Byte by byte so that the value does not depend on the machine; compilers make one load of it.
static inline uint64_t read_le64(const uint8_t *b)
{
	return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
	       (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static inline uint64_t siphash(const struct siphash_key *key, const uint8_t *data, size_t n, unsigned c, unsigned d)
{
	struct siphash_state s = siphash_begin(key);
	uint64_t last = (uint64_t)n << 56;
	size_t whole = n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		siphash_absorb(&s, read_le64(data + i), c);
	for (size_t i = whole; i < n; i++)
		last |= (uint64_t)data[i] << (8 * (i - whole));
	return siphash_finish(&s, last, c, d);
}

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 1, 3);
}

uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 2, 4);
}
