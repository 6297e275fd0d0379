// SPDX-License-Identifier: GPL-2.0-or-later
// Multiply-shift of two words (Dietzfelbinger, Hagerup, Katajainen, Penttonen: "A Reliable Randomized Algorithm for the Closest-Pair Problem", 1997): two
// multiplications by keys nobody knows, for places where SipHash's rounds would be waited for. Two pairs that differ agree in the highest b bits with probability
// at most 2^(1-b), b ≤ 32; two that differ in one word alone never agree in all. The low bits are worth nothing by themselves. Not for keys whose
// hash anybody is shown.
#pragma once
#include "siphash.h"

struct pairhash_key {
	uint64_t add[2], times[2]; // odd
};

static inline void pairhash_key_init(struct pairhash_key *k, const struct siphash_key *from)
{
	for (uint64_t i = 0; i < 2; i++) {
		const uint64_t add = 2 * i, times = add + 1;

		k->add[i] = siphash24(from, &add, sizeof(add)) | 1;
		k->times[i] = siphash24(from, &times, sizeof(times)) | 1;
	}
}

static inline uint64_t pairhash(const struct pairhash_key *k, uint64_t a, uint64_t b)
{
	return (a + k->add[0]) * k->times[0] + (b + k->add[1]) * k->times[1];
}
