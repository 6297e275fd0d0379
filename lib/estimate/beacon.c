// SPDX-License-Identifier: GPL-2.0-or-later
// The test for a steady pace. One thread.
#include "beacon.h"

#include "real.h"

#include <stdlib.h>
#include <string.h>

enum { SAME_CONTACT_MS = 1000, WIDTHS = 6, PROPOSE = 3 /* intervals before the first is tested */ };
#define TRIALS_BITS 2.58496250072115618145 // log2(6 widths)

static const uint32_t width[WIDTHS] = {50, 100, 200, 300, 450, 600}; // thousandths

void beacon_clear(struct beacon *b)
{
	memset(b, 0, sizeof(*b));
}

bool beacon_check(const struct beacon *b)
{
	if (b->held > BEACON_INTERVALS || b->next >= BEACON_INTERVALS ||
	    (b->held < BEACON_INTERVALS && b->next != b->held))
		return false;
	for (uint32_t i = 0; i < b->held; i++)
		if (b->interval_ms[i] < SAME_CONTACT_MS)
			return false;
	return true;
}

bool beacon_add(struct beacon *b, uint64_t now_ms)
{
	uint64_t since = now_ms - b->last_ms;

	if (b->last_ms == 0 || now_ms < b->last_ms) {
		b->last_ms = now_ms;
		return false;
	}
	if (since < SAME_CONTACT_MS)
		return false;
	b->last_ms = now_ms;
	b->interval_ms[b->next] = since > UINT32_MAX ? UINT32_MAX : (uint32_t)since;
	b->next = (b->next + 1) % BEACON_INTERVALS;
	b->held += b->held < BEACON_INTERVALS;
	return true;
}

static int by_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t median(uint32_t *x, uint32_t n) // puts them in order; the lower of two
{
	qsort(x, n, sizeof(*x), by_u32);
	return x[(n - 1) / 2];
}

// −log2 P(Binomial(n, q) ≥ k), from the largest term on: the sum is of positive terms that fall, so little is lost.
static double binomial_bits(uint32_t n, uint32_t k, double q)
{
	double term = 1, sum = 1, choose = 1, log_first, odds = q / (1 - q);

	if (k == 0 || (double)k <= (double)n * q) // not above what chance gives: no evidence
		return 0;
	for (uint32_t i = 1; i <= k; i++) // n over k: below 2^125
		choose = choose * (double)(n - k + i) / (double)i;
	log_first = real_log2(choose) + (double)k * real_log2(q) + (double)(n - k) * real_log2(1 - q);
	for (uint32_t i = k; i < n; i++) {
		term *= odds * (double)(n - i) / (double)(i + 1);
		sum += term;
	}
	return 0 - (log_first + real_log2(sum));
}

// Puts x among the n in order before it.
static void insert(uint32_t *ordered, uint32_t n, uint32_t x)
{
	for (; n && ordered[n - 1] > x; n--)
		ordered[n] = ordered[n - 1];
	ordered[n] = x;
}

// How many lie within each width of the median of those before them. What exceeds the least interval counts: only that
// can be short.
static void count_within(const struct beacon *b, uint32_t within[WIDTHS])
{
	uint32_t ordered[BEACON_INTERVALS], first = b->held < BEACON_INTERVALS ? 0 : b->next;

	memset(within, 0, WIDTHS * sizeof(*within));
	for (uint32_t i = 0; i < b->held; i++) {
		uint32_t x = b->interval_ms[(first + i) % BEACON_INTERVALS] - SAME_CONTACT_MS;

		if (i >= PROPOSE) {
			uint64_t period = ordered[(i - 1) / 2], off = x > period ? x - period : period - x;

			for (uint32_t w = 0; w < WIDTHS; w++)
				within[w] += off * 1000 <= period * width[w];
		}
		insert(ordered, i, x);
	}
}

static void describe(const uint32_t *x, uint32_t n, struct beacon_result *out)
{
	uint32_t copy[BEACON_INTERVALS];
	uint64_t spread;

	memcpy(copy, x, n * sizeof(*x));
	out->period_ms = median(copy, n);
	for (uint32_t i = 0; i < n; i++)
		copy[i] = x[i] > out->period_ms ? x[i] - out->period_ms : out->period_ms - x[i];
	spread = 2000ull * median(copy, n) / out->period_ms; // a period is at least a second
	out->jitter = spread > UINT32_MAX ? UINT32_MAX : (uint32_t)spread;
}

bool beacon_test(const struct beacon *b, struct beacon_result *out)
{
	uint32_t within[WIDTHS];

	*out = (struct beacon_result){.intervals = b->held};
	if (b->held < BEACON_FEWEST)
		return false;
	out->of = b->held - PROPOSE;
	count_within(b, within);
	for (uint32_t w = 0; w < WIDTHS; w++) {
		double bits = binomial_bits(out->of, within[w], 2.0 * width[w] / (1000.0 + width[w]));

		if (bits > out->bits) {
			out->bits = bits;
			out->within = within[w];
			out->width = width[w];
		}
	}
	describe(b->interval_ms, b->held, out);
	out->bits = out->bits > TRIALS_BITS ? out->bits - TRIALS_BITS : 0;
	return true;
}
