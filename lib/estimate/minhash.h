// SPDX-License-Identifier: GPL-2.0-or-later
// How alike are two devices? A signature of the set of things a device does (served ports, protocols, kinds of
// endpoint, agents, busy hours), such that the share of equal places in two signatures estimates the Jaccard similarity
// |A ∩ B| / |A ∪ B| of the sets: MinHash (Broder, "On the resemblance and containment of documents", 1997).
//
// Error: unbiased, standard deviation √(J(1 − J)/128), at most 4.5 %. Tokens are 64-bit hashes keyed by the caller,
// hashed once more for each place; minima, so order and repetition change nothing. Memory: 512 B. Any thread, one at a
// time.
#pragma once
#include <stdint.h>

enum { MINHASH_PLACES = 128 };

struct minhash {
	uint32_t least[MINHASH_PLACES];
};

void minhash_clear(struct minhash *m);
void minhash_add(struct minhash *m, uint64_t token);
void minhash_merge(struct minhash *into, const struct minhash *from); // the union of both sets
// Equal places, 0 … MINHASH_PLACES. Two empty sets are not alike: 0.
uint32_t minhash_common(const struct minhash *a, const struct minhash *b);
