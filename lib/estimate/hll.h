// SPDX-License-Identifier: GPL-2.0-or-later
// How many different ones were there? HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) over 64-bit hashes, with the
// estimator of Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, alg. 6), which needs
// neither tables nor a switch to linear counting: its σ is the correction for few, its τ the one for many.
//
// Error: standard deviation 1.04/√(2^p): 3.3 % at p = 10, 1.6 % at p = 12; below 2^p/10 much less. Only maxima of whole
// numbers are kept, so order and merging change nothing. Hashes must be keyed (siphash): who can choose them can make
// one look like millions. Memory: 136 + 2^p B, the caller's, no pointers. hll_add tells whether anything changed: the
// estimate (≈ 50 ns) is needed only then. A window is one sketch an hour, merged for a day. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hll_limits { HLL_LEAST_BITS = 4, HLL_MOST_BITS = 14, HLL_RANKS = 64 };

struct hll {
	uint8_t bits; // p
	uint8_t zero[7];
	uint16_t registers[HLL_RANKS]; // how many registers hold each rank, 0 … 61
	uint8_t rank[];                // 2^p
};

static inline size_t hll_bytes(unsigned p)
{
	return sizeof(struct hll) + ((size_t)1 << p);
}
void hll_clear(struct hll *h, unsigned p);
bool hll_add(struct hll *h, uint64_t hash);
bool hll_merge(struct hll *into, const struct hll *from); // false: p differs, nothing done
// Whether `bytes` of memory, read back from a file, are a sketch that can be used: it fills them, ranks are such as
// hashes have, and as many as is said.
bool hll_check(const struct hll *h, size_t bytes);
double hll_estimate(const struct hll *h);
