// SPDX-License-Identifier: GPL-2.0-or-later
// Exact logarithms, and the back-off against a plain recount of everything that was shown. Included by estimate_test.c.
#pragma once
#include "backoff.h"
#include "real.h"

#define REAL_PRINT 0x49302fef5d5ce065ull

START_TEST(real_agrees_with_the_library_and_with_itself_everywhere)
{
	struct dice d = {1};
	uint64_t print = 0;

	for (int i = 0; i < 200000; i++) {
		double mantissa = 1 + dice_unit(&d), x = ldexp(mantissa, (int)dice_below(&d, 2000) - 1000);
		double y = (dice_unit(&d) - 0.5) * 2000, l = real_log2(x), e = real_exp2(y), part[2] = {l, e};
		uint64_t bits[2];

		ck_assert_double_le(fabs(l - log2(x)), 0x1p-50 * fmax(1, fabs(l)));
		ck_assert_double_le(fabs(e / exp2(y) - 1), 0x1p-49);
		memcpy(bits, part, sizeof(bits));
		print = (print ^ bits[0]) * 0x9e3779b97f4a7c15ull;
		print = (print ^ bits[1]) * 0x9e3779b97f4a7c15ull;
	}
	// Another compiler, processor or library must find the same last digits.
	ck_assert_msg(print == REAL_PRINT, "print %#llx", (unsigned long long)print);
	ck_assert_double_eq(real_log2(0x1p-1074), -1074);
	ck_assert_double_eq(real_log2(8), 3);
	ck_assert_double_eq(real_log2(0), REAL_LOG2_OF_NOTHING);
	ck_assert_double_eq(real_log2(NAN), REAL_LOG2_OF_NOTHING);
	ck_assert_double_eq(real_log2(INFINITY), 1024);
	ck_assert_double_eq(real_exp2(-1074), 0x1p-1074);
	ck_assert_double_eq(real_exp2(-1080), 0);
	ck_assert(isinf(real_exp2(1024)));
	ck_assert_double_eq_tol(real_exp2(1023.75) / exp2(1023.75), 1, 1e-15);
}
END_TEST

enum { GROUPS_ = 4, DEVICES_ = 24, VALUES_ = 60, DAYS_ = 130 };

struct plain { // what was shown, and nothing else
	bool shown[DEVICES_][VALUES_][DAYS_];
	uint32_t group[DEVICES_];
	uint32_t org_context, group_context[GROUPS_], context[DEVICES_];
};

static uint64_t word_of(uint32_t v)
{
	return (v + 1) * 0xd1b54a32d192ed03ull;
}

static struct backoff *backoff_small(struct plain *p, uint32_t entries)
{
	struct backoff_config config = {.entries = entries, .contexts = 64, .strength = 1};
	struct backoff *b = backoff_create(&config);

	ck_assert_ptr_nonnull(b);
	memset(p, 0, sizeof(*p));
	p->org_context = backoff_open(b, BACKOFF_NOWHERE, 0);
	for (uint32_t g = 0; g < GROUPS_; g++)
		p->group_context[g] = backoff_open(b, p->org_context, 0);
	for (uint32_t i = 0; i < DEVICES_; i++) {
		p->group[i] = i % GROUPS_;
		p->context[i] = backoff_open(b, p->group_context[p->group[i]], 0);
	}
	return b;
}

static uint32_t plain_days(const struct plain *p, uint32_t i, uint32_t v, uint32_t today)
{
	uint32_t n = 0;

	for (uint32_t day = today >= BACKOFF_WINDOW ? today - BACKOFF_WINDOW + 1 : 1; day <= today; day++)
		n += p->shown[i][v][day];
	return n;
}

static bool plain_remembered(const struct plain *p, uint32_t i, uint32_t v, uint32_t today)
{
	for (uint32_t day = today >= BACKOFF_FORGET ? today - BACKOFF_FORGET + 1 : 1; day <= today; day++)
		if (p->shown[i][v][day])
			return true;
	return false;
}

static uint32_t plain_count(const struct plain *p, uint32_t level, uint32_t i, uint32_t v, uint32_t today)
{
	uint32_t n = 0;

	if (level == 0)
		return plain_days(p, i, v, today);
	for (uint32_t j = 0; j < DEVICES_; j++)
		if (level == 2 || p->group[j] == p->group[i])
			n += plain_remembered(p, j, v, today);
	return n;
}

static double plain_p(const struct plain *p, uint32_t level, uint32_t i, uint32_t v, uint32_t today)
{
	double n = 0, types = 0, once = 0, twice = 0, d, parent, c = plain_count(p, level, i, v, today);

	for (uint32_t w = 0; w < VALUES_; w++) {
		uint32_t k = plain_count(p, level, i, w, today);

		n += k;
		types += k > 0;
		once += k == 1;
		twice += k == 2;
	}
	parent = level == 2 ? 1.0 / VALUES_ : plain_p(p, level + 1, i, v, today);
	d = once + twice > 0 ? once / (once + 2 * twice) : types > 0 ? 0.05 : 0.95;
	d = fmin(0.95, fmax(0.05, d));
	return (fmax(c - d, 0) + (1 + d * types) * parent) / (1 + n);
}

static void compare(const struct backoff *b, const struct plain *p, uint32_t today)
{
	for (uint32_t i = 0; i < DEVICES_; i++) {
		double sum = 0;

		for (uint32_t v = 0; v < VALUES_; v++) {
			struct backoff_terms t, again;

			backoff_look(b, p->context[i], word_of(v), 1.0 / VALUES_, &t);
			ck_assert_uint_eq(t.levels, 3);
			for (uint32_t l = 0; l < 3; l++)
				ck_assert_uint_eq(t.level[l].count, plain_count(p, l, i, v, today));
			ck_assert_uint_eq(t.self, plain_remembered(p, i, v, today));
			ck_assert_double_eq_tol(t.p / plain_p(p, 0, i, v, today), 1, 1e-12);
			again = t;
			again.p = again.bits = 0;
			backoff_compute(&again);
			ck_assert(again.p == t.p && again.bits == t.bits);
			sum += t.p;
		}
		ck_assert_double_eq_tol(sum, 1, 1e-12);
	}
}

static void show(struct backoff *b, struct plain *p, uint32_t i, uint32_t v, uint32_t day)
{
	bool new = !p->shown[i][v][day];

	ck_assert_int_eq(backoff_learn(b, p->context[i], word_of(v), day), new);
	p->shown[i][v][day] = true;
}

START_TEST(backoff_agrees_with_a_recount_as_days_pass)
{
	static struct plain p;
	struct backoff *b = backoff_small(&p, 2048);
	struct dice d = {7};
	uint32_t i, v;

	for (uint32_t day = 1; day < DAYS_; day++) {
		backoff_sweep(b, day, 2 * 2048);
		for (uint32_t n = 0; n < (day < 30 ? 60 : 6); n++) {
			i = dice_below(&d, DEVICES_);
			v = dice_zipf(&d, VALUES_);
			show(b, &p, i, v, day);
			if (n % 8 == 0 && day > 3) // what waited in quarantine
				show(b, &p, i, v, day - 2);
		}
		if (day % 40 == 15) { // a device changes its group
			i = dice_below(&d, DEVICES_);
			p.group[i] = (p.group[i] + 1) % GROUPS_;
			ck_assert_int_eq(backoff_move(b, p.context[i], p.group_context[p.group[i]]), 0);
			if (day == 15)
				ck_assert_int_eq(
					backoff_move(b, p.context[i], p.group_context[(p.group[i] + 1) % GROUPS_]),
					-EBUSY);
			backoff_sweep(b, day, 3 * 2048);
		}
		if (day % 13 == 0 || (day > 95 && day % 5 == 0)) {
			backoff_sweep(b, day, 2 * 2048);
			compare(b, &p, day);
		}
	}
	ck_assert_uint_gt(backoff_stats(b)->forgotten, 0);
	backoff_destroy(b);
}
END_TEST

START_TEST(backoff_snapshot_gives_the_same_answers)
{
	static struct plain p, q;
	struct backoff *b = backoff_small(&p, 2048), *c = backoff_small(&q, 1500);
	struct backoff_seen seen;
	struct dice d = {9};
	uint64_t cursor = 0;

	for (uint32_t day = 1; day < 40; day++)
		for (uint32_t n = 0; n < 30; n++) {
			uint32_t device = dice_below(&d, DEVICES_);

			show(b, &p, device, dice_zipf(&d, VALUES_), day);
		}
	while (backoff_next(b, &cursor, &seen)) {
		ck_assert(backoff_restore(c, &seen));
		ck_assert(!backoff_restore(c, &seen)); // not twice
	}
	backoff_sweep(c, 39, 3000);
	compare(c, &p, 39);
	backoff_destroy(b);
	backoff_destroy(c);
}
END_TEST

// Devices go, one of them while it changes its group: what is left is as if they had never been, and so are those that take their contexts.
START_TEST(backoff_forgets_who_has_ended)
{
	static const uint32_t gone[] = {3, 8, 21};
	static struct plain p;
	struct backoff *b = backoff_small(&p, 2048);
	struct backoff_seen seen;
	struct dice d = {13};
	uint64_t cursor = 0;
	uint32_t context[3], again[3], empty;

	for (uint32_t day = 1; day < 20; day++)
		for (uint32_t n = 0; n < 60; n++)
			show(b, &p, dice_below(&d, DEVICES_), dice_zipf(&d, VALUES_), day);
	ck_assert_int_eq(backoff_move(b, p.context[8], p.group_context[1]), 0);
	for (unsigned k = 0; k < 3; k++) {
		context[k] = p.context[gone[k]];
		ck_assert_int_eq(backoff_end(b, context[k]), 0);
		ck_assert_int_eq(backoff_end(b, context[k]), -EINVAL); // not twice
		ck_assert(!backoff_learn(b, context[k], word_of(1), 20));
	}
	ck_assert_int_eq(backoff_end(b, p.group_context[0]), -EBUSY);
	while (backoff_next(b, &cursor, &seen))
		for (unsigned k = 0; k < 3; k++)
			ck_assert_uint_ne(seen.context, context[k]);
	backoff_sweep(b, 20, 2 * 2048);
	for (unsigned k = 0; k < 3; k++) {
		memset(p.shown[gone[k]], 0, sizeof(p.shown[gone[k]]));
		p.context[gone[k]] = again[k] = backoff_open(b, p.group_context[p.group[gone[k]]], 0);
	}
	ck_assert_uint_eq(again[0] + again[1] + again[2], context[0] + context[1] + context[2]);
	compare(b, &p, 20);
	show(b, &p, 8, 5, 21);
	compare(b, &p, 21);
	empty = backoff_open(b, p.group_context[0], 0);
	ck_assert_int_eq(backoff_end(b, empty), 0); // it held nothing: at once
	ck_assert_uint_eq(backoff_open(b, p.group_context[0], 0), empty);
	backoff_destroy(b);
}
END_TEST

START_TEST(backoff_refuses_when_full_and_recovers)
{
	static struct plain p;
	struct backoff *b = backoff_small(&p, 256);
	struct backoff_config bad = {.entries = 256, .contexts = 1};
	struct backoff_terms t;

	ck_assert_ptr_null(backoff_create(&bad)); // strength 0
	for (uint32_t v = 0; v < 1000; v++)
		backoff_learn(b, p.context[v % DEVICES_], word_of(v), 5);
	ck_assert_uint_gt(backoff_stats(b)->full, 800);
	ck_assert_uint_le(backoff_stats(b)->used, 224);
	backoff_look(b, p.context[0], word_of(999999), 0.25, &t);
	ck_assert_uint_eq(t.level[0].count, 0);
	ck_assert_double_gt(t.p, 0);
	ck_assert_double_lt(t.p, 0.25);
	for (uint32_t day = 6; day < 6 + BACKOFF_FORGET; day += 10) // parents go one round after the devices
		backoff_sweep(b, day, 3 * 256);
	backoff_sweep(b, 6 + BACKOFF_FORGET, 3 * 256);
	ck_assert_uint_eq(backoff_stats(b)->used, 0);
	ck_assert(backoff_learn(b, p.context[0], word_of(1), 100));
	ck_assert_int_eq(backoff_close(b, p.context[0]), -EBUSY);
	ck_assert_int_eq(backoff_close(b, p.group_context[1]), -EBUSY);
	ck_assert_int_eq(backoff_close(b, p.context[1]), 0);
	ck_assert_uint_eq(backoff_open(b, p.group_context[0], 2), p.context[1]);
	ck_assert(backoff_learn(b, p.context[1], 1, 100) && backoff_learn(b, p.context[1], 2, 100));
	ck_assert(!backoff_learn(b, p.context[1], 3, 100));
	ck_assert_uint_eq(backoff_stats(b)->over, 1);
	ck_assert_int_eq(backoff_move(b, p.context[5], p.group_context[0]), 0);
	for (uint32_t i = 9; i < DEVICES_; i += GROUPS_)
		ck_assert_int_eq(backoff_move(b, p.context[i], p.group_context[0]), 0);
	ck_assert_int_eq(backoff_close(b, p.group_context[1]), -EBUSY); // they are still on their way
	backoff_sweep(b, 100, 3 * 256);
	ck_assert_int_eq(backoff_close(b, p.group_context[1]), 0);
	ck_assert(!backoff_learn(b, p.org_context, 3, 100)); // what stands above devices does not show anything itself
	ck_assert(!backoff_learn(b, p.context[1], 1, 100 - BACKOFF_WINDOW));
	backoff_destroy(b);
}
END_TEST

START_TEST(backoff_missing_mass_bounds_the_next_new_value)
{
	static struct plain p;
	struct backoff *b = backoff_small(&p, 60000);
	struct dice d = {11};
	uint32_t unseen = 0;

	ck_assert_double_eq(backoff_missing(b, p.context[0], 0.05), 1);
	for (uint32_t n = 0; n < 20000; n++)
		backoff_learn(b, p.context[0], word_of(dice_zipf(&d, 3000)), 1 + dice_below(&d, BACKOFF_WINDOW));
	for (uint32_t n = 0; n < 20000; n++) {
		struct backoff_terms t;

		backoff_look(b, p.context[0], word_of(dice_zipf(&d, 3000)), 1e-9, &t);
		unseen += t.level[0].count == 0;
	}
	ck_assert_double_lt(unseen / 20000.0, backoff_missing(b, p.context[0], 0.05));
	ck_assert_double_lt(backoff_missing(b, p.context[0], 0.05), 0.5);
	backoff_destroy(b);
}
END_TEST

// Eight terms an observation, three levels each, in a table far beyond the cache.
START_TEST(backoff_tail_is_what_is_at_least_as_unusual)
{
	struct backoff_terms t = {.levels = 2, .strength = 1, .base = 1e-6};
	double seldom;

	t.level[0] = (struct backoff_level){.customers = 100, .types = 10, .single = 2, .twice = 1};
	t.level[1] = (struct backoff_level){.customers = 1000, .types = 200, .single = 150, .twice = 25};
	// d = 2/(2 + 2·1) = 1/2 and 150/200: what is left for what was never held, times the same above.
	ck_assert_double_eq_tol(backoff_tail_bits(&t), -log2((1 + 0.5 * 10) / 101 * (1 + 0.75 * 200) / 1001), 1e-9);
	seldom = backoff_tail_bits(&t);
	t.level[0].count = 1; // and half of what stands on those held once
	ck_assert_double_eq_tol(backoff_tail_bits(&t), -log2((1 + 0.5 * 10 + 2 * 0.5 / 2) / 101), 1e-9);
	ck_assert_double_lt(backoff_tail_bits(&t), seldom);
	t.level[0].count = 2;
	ck_assert_double_eq_tol(backoff_tail_bits(&t), -log2((1 + 0.5 * 10 + 2 * 0.5 + 1 * 1.5 / 2) / 101), 1e-9);
	t.level[0].count = 3;
	ck_assert_double_eq(backoff_tail_bits(&t), 0);
	t.level[0].count = 0;
	t.level[1].count = 7; // common elsewhere: only the device's own share is left
	ck_assert_double_eq_tol(backoff_tail_bits(&t), -log2((1 + 0.5 * 10) / 101), 1e-9);
	t.levels = 0;
	ck_assert_double_eq(backoff_tail_bits(&t), 0);
}
END_TEST

START_TEST(backoff_cost)
{
	enum { MANY = 4000, TERMS = 8, LOOKS = 200000 };
	struct backoff_config config = {.entries = 8u << 20, .contexts = MANY * TERMS + 100, .strength = 1};
	struct backoff *b = backoff_create(&config);
	static uint32_t context[MANY][TERMS];
	static uint64_t value[LOOKS * TERMS];
	uint32_t org[TERMS], group[TERMS][16];
	struct dice d = {13};
	double sum = 0, begun;

	for (uint32_t k = 0; k < TERMS; k++) {
		org[k] = backoff_open(b, BACKOFF_NOWHERE, 0);
		for (uint32_t g = 0; g < 16; g++)
			group[k][g] = backoff_open(b, org[k], 0);
		for (uint32_t i = 0; i < MANY; i++)
			context[i][k] = backoff_open(b, group[k][i % 16], 0);
	}
	begun = now_ns();
	for (uint32_t n = 0; n < 3000000; n++)
		backoff_learn(b, context[dice_below(&d, MANY)][n % TERMS], word_of(dice_zipf(&d, 20000)),
			      1 + n / 200000);
	tell_time("backoff: learn one value", now_ns() - begun, 3e6);
	for (uint32_t n = 0; n < LOOKS * TERMS; n++)
		value[n] = word_of(dice_zipf(&d, 20000));
	begun = now_ns();
	for (uint32_t n = 0; n < LOOKS; n++) {
		const uint32_t *c = context[dice_word(&d) % MANY];
		const uint64_t *v = &value[n * TERMS];
		struct backoff_terms t;

		for (uint32_t k = 0; k < TERMS; k++)
			backoff_prefetch(b, c[k], v[k]);
		for (uint32_t k = 0; k < TERMS; k++) {
			backoff_look(b, c[k], v[k], 1e-6, &t);
			sum += t.bits;
		}
	}
	tell_time("backoff: an observation of 8 terms", now_ns() - begun, LOOKS);
	ck_assert_double_gt(sum, 0);
	backoff_destroy(b);
}
END_TEST

static TCase *backoff_cases(void)
{
	TCase *tc = tcase_create("backoff");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, real_agrees_with_the_library_and_with_itself_everywhere);
	tcase_add_test(tc, backoff_agrees_with_a_recount_as_days_pass);
	tcase_add_test(tc, backoff_snapshot_gives_the_same_answers);
	tcase_add_test(tc, backoff_forgets_who_has_ended);
	tcase_add_test(tc, backoff_refuses_when_full_and_recovers);
	tcase_add_test(tc, backoff_missing_mass_bounds_the_next_new_value);
	tcase_add_test(tc, backoff_tail_is_what_is_at_least_as_unusual);
	tcase_add_test(tc, backoff_cost);
	return tc;
}
