// SPDX-License-Identifier: GPL-2.0-or-later
// DDSketch with a sliding window of bins. One thread.
#include "ddsketch.h"

#include "real.h"

#include <string.h>

enum { HIGHEST = 2218 };                  // the bin of 2^64
#define MOST_COUNT (1ull << 62)           // far from where quantiles would not fit their type
#define BINS_PER_OCTAVE 34.65505021763465 // 1/log2(γ)

static int32_t index_of(uint64_t x)
{
	double exact = real_log2((double)x) * BINS_PER_OCTAVE;
	int32_t i = (int32_t)exact;

	return i + ((double)i < exact);
}

static double value_of(int32_t i)
{
	return real_exp2((double)i / BINS_PER_OCTAVE) * (1 - DDSKETCH_ALPHA); // 2/(γ+1) = 1 − α
}

void ddsketch_clear(struct ddsketch *s, uint32_t bins)
{
	memset(s, 0, ddsketch_bytes(bins));
	s->bins = bins;
}

static bool adds_up(const struct ddsketch *s)
{
	uint64_t sum = s->zeros;
	bool full = s->zeros == UINT32_MAX; // what came to a full bin stands in the count alone

	for (uint32_t i = 0; i < s->bins; i++) {
		if (s->bin[i] && (int64_t)i > (int64_t)s->highest - s->lowest)
			return false;
		sum += s->bin[i];
		full |= s->bin[i] == UINT32_MAX;
	}
	return s->count == sum || (full && s->count > sum && s->count < MOST_COUNT);
}

bool ddsketch_check(const struct ddsketch *s, size_t bytes)
{
	if (bytes < sizeof(*s) || s->bins < 2 || s->bins > INT32_MAX || bytes != ddsketch_bytes(s->bins))
		return false;
	return s->lowest >= 0 && s->lowest <= s->highest && s->highest <= HIGHEST &&
	       (uint32_t)(s->highest - s->lowest) < s->bins && adds_up(s);
}

static uint32_t add_counts(uint32_t a, uint64_t b) // a full bin stays full
{
	return b > UINT32_MAX - a ? UINT32_MAX : a + (uint32_t)b;
}

// Lets the window end at `highest`; what leaves it below goes into the lowest bin.
static void window_to(struct ddsketch *s, int32_t highest)
{
	int32_t lowest = highest - (int32_t)s->bins + 1;
	uint64_t lost = 0;
	uint32_t by;

	if (lowest <= s->lowest)
		return;
	by = (uint32_t)(lowest - s->lowest);
	by = by > s->bins ? s->bins : by;
	for (uint32_t i = 0; i < by; i++)
		lost += s->bin[i];
	memmove(s->bin, s->bin + by, (s->bins - by) * sizeof(*s->bin));
	memset(s->bin + (s->bins - by), 0, by * sizeof(*s->bin));
	s->bin[0] = add_counts(s->bin[0], lost);
	s->collapsed += lost;
	s->lowest = lowest;
}

static void add_at(struct ddsketch *s, int32_t i, uint32_t times)
{
	if (s->count == s->zeros) { // the first: the window begins at 0 if that reaches
		s->lowest = i < (int32_t)s->bins ? 0 : i - (int32_t)s->bins + 1;
		s->highest = i;
	}
	if (i > s->highest) {
		window_to(s, i);
		s->highest = i;
	}
	if (i < s->lowest) {
		s->collapsed += times;
		i = s->lowest;
	}
	s->bin[i - s->lowest] = add_counts(s->bin[i - s->lowest], times);
	s->count += times;
}

void ddsketch_add(struct ddsketch *s, uint64_t x, uint32_t times)
{
	if (times == 0)
		return;
	if (x) {
		add_at(s, index_of(x), times);
	} else {
		s->zeros = add_counts(s->zeros, times);
		s->count += times;
	}
}

void ddsketch_merge(struct ddsketch *into, const struct ddsketch *from)
{
	into->collapsed += from->collapsed;
	if (from->count > from->zeros)
		for (int32_t i = from->highest; i >= from->lowest; i--) // from above: the window moves once
			if (from->bin[i - from->lowest])
				add_at(into, i, from->bin[i - from->lowest]);
	into->zeros = add_counts(into->zeros, from->zeros);
	into->count += from->zeros;
}

void ddsketch_halve(struct ddsketch *s)
{
	uint32_t carried = s->zeros & 1, sum = s->zeros /= 2;
	int32_t highest = s->lowest;

	s->collapsed /= 2;
	for (uint32_t i = 0; i < s->bins; i++) {
		uint64_t n = (uint64_t)s->bin[i] + carried;

		carried = n & 1;
		s->bin[i] = (uint32_t)(n / 2);
		if (s->bin[i])
			highest = s->lowest + (int32_t)i;
	}
	s->count = sum;
	for (uint32_t i = 0; i < s->bins; i++)
		s->count += s->bin[i];
	s->highest = highest;
}

double ddsketch_quantile(const struct ddsketch *s, double q)
{
	uint64_t wanted, passed = s->zeros;

	if (s->count == 0)
		return 0;
	q = q > 0 ? q < 1 ? q : 1 : 0;
	wanted = (uint64_t)(q * (double)(s->count - 1));
	if (wanted < passed)
		return 0;
	for (uint32_t i = 0; i < s->bins; i++) {
		passed += s->bin[i];
		if (passed > wanted)
			return value_of(s->lowest + (int32_t)i);
	}
	return value_of(s->highest);
}

void ddsketch_rank(const struct ddsketch *s, uint64_t x, uint64_t *above, uint64_t *equal)
{
	int32_t at = x ? index_of(x) : INT32_MIN;

	*above = 0;
	*equal = x ? 0 : s->zeros;
	if (s->count == s->zeros)
		return;
	if (x && at < s->lowest) // what was collapsed lies in the lowest bin, and so does x
		at = s->lowest;
	for (int32_t i = s->highest; i >= s->lowest && i >= at; i--)
		*(i == at ? equal : above) += s->bin[i - s->lowest];
}
