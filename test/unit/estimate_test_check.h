// SPDX-License-Identifier: GPL-2.0-or-later
// Estimators that are their own image: what they become is always taken for sane, and what is taken for sane, damaged
// as it may be, can be used. Included by estimate_test.c.
#pragma once
#include "beacon.h"
#include "budget.h"
#include "ddsketch.h"
#include "gpd.h"
#include "hll.h"

enum { FLAT_BINS = 64, FLAT_BITS = 6 };

struct flat { // one kind of estimator
	const char *name;
	size_t bytes;
	void (*clear)(void *x);
	void (*event)(void *x, struct dice *d, uint32_t i); // changes it and asks all there is to ask
	bool (*check)(const void *x);
};

static void flat_budget_clear(void *x)
{
	budget_begin(x, 3);
}

static void flat_budget_event(void *x, struct dice *d, uint32_t i)
{
	struct budget *b = x;
	int64_t level = (int64_t)(5e6 * dice_exponential(d));

	level = dice_below(d, 200) ? level : dice_below(d, 2) ? INT64_MAX : INT64_MIN;
	if (budget_ask(b, b->threshold, level) == BUDGET_ALARM && dice_below(d, 3) == 0)
		budget_confirm(b);
	budget_peak(b, level);
	if (i % 90 == 89)
		budget_end_day(b, i > 900 ? BUDGET_LIVE : BUDGET_TRAINED);
	ck_assert_double_ge(budget_error(b), 0);
}

static bool flat_budget_check(const void *x)
{
	return budget_check(x);
}

static void flat_beacon_clear(void *x)
{
	beacon_clear(x);
}

static void flat_beacon_event(void *x, struct dice *d, uint32_t i)
{
	struct beacon_result r;
	uint64_t t = 1000000 + i * 7000ull + dice_below(d, 5000);

	beacon_add(x, dice_below(d, 60) ? t : dice_word(d) >> 20);
	if (i % 8 == 0)
		beacon_test(x, &r);
}

static bool flat_beacon_check(const void *x)
{
	return beacon_check(x);
}

static void flat_ddsketch_clear(void *x)
{
	ddsketch_clear(x, FLAT_BINS);
}

static void flat_ddsketch_event(void *x, struct dice *d, uint32_t i)
{
	struct ddsketch *s = x, *into;
	uint64_t above, equal;

	ddsketch_add(s, dice_word(d) >> (i % 7 ? 50 + dice_below(d, 14) : dice_below(d, 64)), 1 + dice_below(d, 3));
	if (dice_below(d, 40) == 0)
		ddsketch_add(s, dice_below(d, 2) * 77, UINT32_MAX - dice_below(d, 9)); // a bin is full
	if (i % 50 == 49)
		ddsketch_halve(s);
	ck_assert_double_ge(ddsketch_quantile(s, dice_unit(d)) + ddsketch_quantile(s, 1), 0);
	ddsketch_rank(s, dice_word(d) >> dice_below(d, 64), &above, &equal);
	if (i % 20)
		return;
	into = malloc(ddsketch_bytes(2 * FLAT_BINS));
	ddsketch_clear(into, 2 * FLAT_BINS);
	ddsketch_merge(into, s);
	ck_assert(ddsketch_check(into, ddsketch_bytes(2 * FLAT_BINS)));
	free(into);
}

static bool flat_ddsketch_check(const void *x)
{
	return ddsketch_check(x, ddsketch_bytes(FLAT_BINS));
}

static void flat_hll_clear(void *x)
{
	hll_clear(x, FLAT_BITS);
}

static void flat_hll_event(void *x, struct dice *d, uint32_t i)
{
	struct hll *h = x;

	hll_add(h, i % 30 ? dice_word(d) : (dice_word(d) & ~0ull << (64 - FLAT_BITS)));
	hll_merge(h, h);
	ck_assert_double_ge(hll_estimate(h), 0);
}

static bool flat_hll_check(const void *x)
{
	return hll_check(x, hll_bytes(FLAT_BITS));
}

static void flat_tail_clear(void *x)
{
	gpd_tail_clear(x, 1000.7);
}

static void flat_tail_event(void *x, struct dice *d, uint32_t i)
{
	struct ddsketch *s;
	struct gpd g;
	bool extrapolated;

	gpd_tail_add(x, (uint64_t)(1e4 * dice_pareto(d, 0.4)));
	if (i % 25)
		return;
	s = malloc(ddsketch_bytes(FLAT_BINS));
	ddsketch_clear(s, FLAT_BINS);
	ddsketch_add(s, dice_word(d) >> 50, dice_below(d, 1000));
	gpd_tail_fit(x, s, &g);
	ck_assert(gpd_check(&g));
	ck_assert_double_ge(gpd_bits(&g, 1e4), 0);
	gpd_surprise(s, &g, dice_word(d) >> dice_below(d, 64), &extrapolated);
	free(s);
}

static bool flat_tail_check(const void *x)
{
	return gpd_tail_check(x);
}

static const struct flat flat[] = {
	{"budget", sizeof(struct budget), flat_budget_clear, flat_budget_event, flat_budget_check},
	{"beacon", sizeof(struct beacon), flat_beacon_clear, flat_beacon_event, flat_beacon_check},
	{"ddsketch", sizeof(struct ddsketch) + FLAT_BINS * sizeof(uint32_t), flat_ddsketch_clear, flat_ddsketch_event,
	 flat_ddsketch_check},
	{"hll", sizeof(struct hll) + (1 << FLAT_BITS), flat_hll_clear, flat_hll_event, flat_hll_check},
	{"gpd tail", sizeof(struct gpd_tail), flat_tail_clear, flat_tail_event, flat_tail_check},
};

enum { FLAT_KINDS = sizeof(flat) / sizeof(*flat) };

START_TEST(flat_state_is_always_sane)
{
	const struct flat *kind = &flat[_i];
	void *x = malloc(kind->bytes);

	for (uint64_t seed = 0; seed < 3; seed++) {
		struct dice d = {80 + seed};

		kind->clear(x);
		ck_assert_msg(kind->check(x), "%s when new", kind->name);
		for (uint32_t i = 0; i < 2000; i++) {
			kind->event(x, &d, i);
			ck_assert_msg(kind->check(x), "%s after %u", kind->name, i);
		}
	}
	free(x);
}
END_TEST

static bool try_flat(const struct flat *kind, const void *damaged)
{
	struct dice d = {82};
	bool taken = kind->check(damaged);
	void *x;

	if (!taken)
		return false;
	x = malloc(kind->bytes);
	memcpy(x, damaged, kind->bytes);
	for (uint32_t i = 75; i < 105; i++)
		kind->event(x, &d, i);
	ck_assert_msg(kind->check(x), "%s: what it became is not sane", kind->name);
	free(x);
	return true;
}

START_TEST(flat_state_that_is_damaged_does_no_harm)
{
	const struct flat *kind = &flat[_i];
	uint8_t *x = malloc(kind->bytes);
	struct dice d = {81};
	uint32_t refused = 0;

	for (uint32_t events = 40; events <= 1500; events += 1460) { // hardly begun, and full
		kind->clear(x);
		for (uint32_t i = 0; i < events; i++)
			kind->event(x, &d, i);
		for (size_t i = 0; i<kind->bytes; i += kind->bytes> 4096 ? 1 + dice_below(&d, 13) : 1) {
			uint8_t flips[] = {(uint8_t)(1u << dice_below(&d, 8)), 0x80, 0xff},
				flip = flips[dice_below(&d, 3)];

			x[i] ^= flip;
			refused += !try_flat(kind, x);
			x[i] ^= flip;
		}
		for (uint32_t times = 0; times < 500; times++) { // whole words, and as often the extremes
			size_t at = 8 * dice_below(&d, (uint32_t)kind->bytes / 8);
			uint8_t was[8];

			memcpy(was, x + at, 8);
			for (uint32_t k = dice_below(&d, 8); k < 8; k++)
				x[at + k] = (uint8_t)(times % 4 == 0 ? 0xff : times % 4 == 1 ? 0 : dice_word(&d));
			refused += !try_flat(kind, x);
			memcpy(x + at, was, 8);
		}
		ck_assert(try_flat(kind, x));
	}
	ck_assert_uint_gt(refused, 50);
	free(x);
}
END_TEST

START_TEST(flat_state_of_another_size_is_refused)
{
	struct ddsketch *s = malloc(ddsketch_bytes(FLAT_BINS));
	struct hll *h = malloc(hll_bytes(FLAT_BITS));

	ddsketch_clear(s, FLAT_BINS);
	hll_clear(h, FLAT_BITS);
	for (size_t n = 0; n < ddsketch_bytes(FLAT_BINS); n++)
		ck_assert(!ddsketch_check(s, n));
	for (size_t n = 0; n < hll_bytes(FLAT_BITS); n++)
		ck_assert(!hll_check(h, n));
	s->bins = UINT32_MAX;
	ck_assert(!ddsketch_check(s, ddsketch_bytes(FLAT_BINS)));
	h->bits = HLL_MOST_BITS + 1;
	ck_assert(!hll_check(h, hll_bytes(FLAT_BITS)));
	free(s);
	free(h);
}
END_TEST

START_TEST(flat_sketch_that_does_not_add_up_is_refused)
{
	struct ddsketch *s = malloc(ddsketch_bytes(FLAT_BINS));
	struct hll *h = malloc(hll_bytes(FLAT_BITS));

	ddsketch_clear(s, FLAT_BINS);
	for (int32_t at = -1; at <= 2219; at += 2220 / 3) { // the window lies where values are
		s->lowest = s->highest = at;
		ck_assert_int_eq(flat_ddsketch_check(s), at >= 0 && at < 2219);
	}
	s->lowest = s->highest = 7;
	s->bin[0] = 5;
	for (s->count = 0; s->count < 9; s->count++)
		ck_assert_int_eq(flat_ddsketch_check(s), s->count == 5);
	s->bin[0] = UINT32_MAX; // a full bin does not tell how often it was
	ck_assert(!flat_ddsketch_check(s));
	s->count = 1ull << 40;
	ck_assert(flat_ddsketch_check(s));
	s->count = UINT64_MAX;
	ck_assert(!flat_ddsketch_check(s));
	hll_clear(h, FLAT_BITS);
	hll_add(h, 1);
	ck_assert(flat_hll_check(h));
	h->registers[0]--;
	ck_assert(!flat_hll_check(h));
	free(s);
	free(h);
}
END_TEST

START_TEST(flat_state_that_is_no_number_is_refused)
{
	static const double none[] = {NAN, -NAN, INFINITY, -INFINITY, -1e300};
	static struct gpd_tail tail;
	struct budget b;

	for (unsigned k = 0; k < sizeof(none) / sizeof(*none); k++) {
		struct gpd g = {.threshold = 1, .shape = 0.1, .scale = 2, .above = 1, .total = 9};
		double *of_gpd[] = {&g.threshold, &g.shape, &g.scale},
		       *of_budget[] = {&b.per_day, &b.half_life, &b.debt};

		for (unsigned i = 0; i < 3; i++) {
			double was = *of_gpd[i];

			ck_assert(gpd_check(&g));
			*of_gpd[i] = none[k];
			ck_assert(!gpd_check(&g));
			*of_gpd[i] = was;
			budget_begin(&b, 3);
			ck_assert(budget_check(&b));
			*of_budget[i] = none[k];
			ck_assert(!budget_check(&b));
		}
		gpd_tail_clear(&tail, none[k]);
		ck_assert(!gpd_tail_check(&tail));
		gpd_tail_clear(&tail, 5);
		gpd_tail_add(&tail, 9);
		ck_assert(gpd_tail_check(&tail));
		tail.excess[0] = none[k];
		ck_assert(!gpd_tail_check(&tail));
	}
}
END_TEST

START_TEST(flat_budget_out_of_bounds_is_refused)
{
	struct budget sane, b;

	budget_begin(&sane, 3);
	sane.days = 1;
	sane.count[0] = BUDGET_PEAKS;
	sane.peak[0][0] = 5;
	sane.alarms = sane.confirmed = 2;
	ck_assert(budget_check(&sane));
#define REFUSED(CHANGE) b = sane, b.CHANGE, ck_assert(!budget_check(&b))
	REFUSED(count[0] = BUDGET_PEAKS + 1);
	REFUSED(count[1] = 1);
	REFUSED(peak[0][0] = (1ll << 52) + 1);
	REFUSED(peak[0][BUDGET_PEAKS - 1] = -(1ll << 52) - 1);
	REFUSED(peak[0][1] = 6);
	REFUSED(held = BUDGET_PEAKS + 1);
	REFUSED(threshold = INT64_MIN);
	REFUSED(days = UINT32_MAX);
	REFUSED(surge = UINT32_MAX);
	REFUSED(step = -1);
	REFUSED(confirmed = 3);
	REFUSED(half_life = 0);
	REFUSED(per_day = BUDGET_MOST * 2);
	REFUSED(debt = 1e6);
#undef REFUSED
}
END_TEST

static TCase *flat_cases(void)
{
	TCase *tc = tcase_create("flat");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, flat_state_is_always_sane, 0, FLAT_KINDS);
	tcase_add_loop_test(tc, flat_state_that_is_damaged_does_no_harm, 0, FLAT_KINDS);
	tcase_add_test(tc, flat_state_of_another_size_is_refused);
	tcase_add_test(tc, flat_sketch_that_does_not_add_up_is_refused);
	tcase_add_test(tc, flat_state_that_is_no_number_is_refused);
	tcase_add_test(tc, flat_budget_out_of_bounds_is_refused);
	return tc;
}
