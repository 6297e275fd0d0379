// SPDX-License-Identifier: GPL-2.0-or-later
// Calibration, evidence, budget and volumes on generated streams. Included by estimate_test.c.
#pragma once
#include "budget.h"
#include "conformal.h"
#include "estimate_worlds.h"
#include "evidence.h"
#include "volume.h"

// Scores as they come: most events are ordinary and alike, some surprise. Continuous: without ties to speak of.
static double score_of(struct dice *d, bool continuous)
{
	if (continuous)
		return 20 + 20 * dice_unit(d);
	return dice_unit(d) < 0.6 ? 0.5 : dice_unit(d) < 0.5 ? 3 : 4 * dice_exponential(d);
}

START_TEST(conformal_p_is_uniform_when_scores_are_exchangeable)
{
	enum { TIMES = 300, LOOKS = 20, SIZE = 500 };
	struct dice d = {41};

	for (int continuous = 0; continuous < 2; continuous++) {
		double sum = 0, below[3] = {0};

		for (int t = 0; t < TIMES; t++) { // a new sample each time: validity is on average over samples
			struct conformal *c = conformal_create(SIZE, 14, (uint64_t)t);

			for (int i = 0; i < 2 * SIZE; i++)
				conformal_add(c, score_of(&d, continuous));
			conformal_end_day(c);
			ck_assert_uint_eq(conformal_held(c), SIZE);
			for (int i = 0; i < LOOKS; i++) {
				struct conformal_p p, again;

				ck_assert(conformal_look(c, score_of(&d, continuous), &p));
				again = p;
				again.p = again.bits = 0;
				conformal_compute(&again);
				ck_assert(again.p == p.p && again.bits == p.bits);
				sum += p.p;
				below[0] += p.p <= 0.01;
				below[1] += p.p <= 0.1;
				below[2] += p.p <= 0.5;
			}
			conformal_destroy(c);
		}
		ck_assert_double_eq_tol(sum / (TIMES * LOOKS), 0.5, 0.012);
		for (int k = 0; k < 3; k++) {
			double a = k == 0 ? 0.01 : k == 1 ? 0.1 : 0.5, share = below[k] / (TIMES * LOOKS);

			ck_assert_double_le(share,
					    a + 0.001 + 3 * sqrt(a / (TIMES * LOOKS)) + (continuous ? 0 : a / 4));
			if (continuous)
				ck_assert_double_ge(share, a - 0.001 - 3 * sqrt(a / (TIMES * LOOKS)));
		}
	}
}
END_TEST

START_TEST(conformal_follows_drift_and_bears_a_rush)
{
	struct conformal *c = conformal_create(1000, 7, 5), *same = conformal_create(1000, 7, 5);
	struct conformal_p p, q;
	struct dice d = {42};

	ck_assert(!conformal_look(c, 1, &p));
	ck_assert_double_eq(p.p, 1);
	for (int day = 0; day < 35; day++) {
		for (int i = 0; i < 5000; i++) {
			double score = (day < 14 ? 10 : 20) + dice_normal(&d);

			conformal_add(c, score);
			conformal_add(same, score);
		}
		conformal_end_day(c);
		conformal_end_day(same);
		conformal_look(c, 15, &p);
		conformal_look(same, 15, &q);
		ck_assert_int_eq(memcmp(&p, &q, sizeof(p)), 0);
		if (day >= 14) { // half of the old scores go in a week
			double old = pow(2, -(day - 13) / 7.0);

			ck_assert_double_eq_tol(1 - p.above / 1000.0, old, 0.06);
		}
	}
	conformal_look(c, 15, &p);
	for (int i = 0; i < 1000000; i++) // an hour of noise
		conformal_add(c, 100);
	conformal_look(c, 99, &q);
	ck_assert_uint_le(q.above, 3 * 101);
	conformal_destroy(c);
	conformal_destroy(same);
}
END_TEST

START_TEST(conformal_tail_goes_on_where_the_sample_ends)
{
	struct conformal *c = conformal_create(4000, 14, 6);
	struct conformal_p p;
	struct dice d = {43};
	double last = 0;

	for (int i = 0; i < 4000; i++)
		conformal_add(c, 4 * dice_exponential(&d));
	conformal_end_day(c);
	for (double s = 0; s < 150; s += 0.25) {
		conformal_look(c, s, &p);
		ck_assert_double_ge(p.bits, last);
		if (s > 8 && s < 28)
			ck_assert_double_eq_tol(p.bits, s / 4 / M_LN2, 1.2);
		last = p.bits;
	}
	ck_assert_uint_eq(p.extrapolated, 1);
	ck_assert_double_gt(p.bits, 17);
	conformal_destroy(c);
	ck_assert_ptr_null(conformal_create(10, 14, 6));
}
END_TEST

static const struct evidence_config evidence_usual = {
	.devices = 100, .keys = 4096, .half_life_ms = {30 * 60000, 3 * 86400000ull}, .repeat_ms = 86400000};

START_TEST(evidence_is_the_fold_of_its_items)
{
	struct evidence *e = evidence_create(&evidence_usual);
	struct evidence_item items[EVIDENCE_ITEMS];
	struct evidence_state now, before, again;
	struct dice d = {44};
	uint64_t t = 1000000;

	for (uint32_t i = 0; i < 5000; i++) {
		struct evidence_item item = {.key = dice_word(&d), .time_ms = t, .family = i % 3};
		uint32_t device = dice_below(&d, 10), n;

		item.microbits = evidence_of_p(dice_unit(&d));
		t += dice_below(&d, 200000);
		if (i % 100 == 50)
			item.time_ms -= 150000; // late
		ck_assert(evidence_add(e, device, &item, &now));
		n = evidence_items(e, device, &before, items);
		again = evidence_fold(&evidence_usual, before, items, n);
		ck_assert(again.level[0] == now.level[0] && again.level[1] == now.level[1]);
		item.time_ms += 1000;
		ck_assert(!evidence_add(e, device, &item, &again)); // a repeat adds nothing
		ck_assert_int_le(again.level[0], now.level[0] > 0 ? now.level[0] : 0);
		ck_assert(!evidence_add(e, device + 100, &item, &again));
	}
	ck_assert_uint_eq(evidence_families(e, 0, 0), 3);
	ck_assert_uint_eq(evidence_families(e, 0, t + 1), 0);
	evidence_forget(e, 0);
	ck_assert_uint_eq(evidence_items(e, 0, &before, items), 0);
	evidence_destroy(e);
}
END_TEST

START_TEST(evidence_forgets_half_a_half_life)
{
	struct evidence *e = evidence_create(&evidence_usual);
	struct evidence_item item = {.key = 1, .time_ms = 5000, .microbits = 10 * EVIDENCE_BIT};
	struct evidence_state now;

	evidence_add(e, 3, &item, &now);
	ck_assert_int_eq(now.level[0], 10 * EVIDENCE_BIT);
	now = evidence_look(e, 3, 5000 + 2 * 1800000);
	ck_assert_int_eq(now.level[0], 10 * EVIDENCE_BIT / 4);
	ck_assert_int_eq(now.level[1], (int64_t)(10 * EVIDENCE_BIT * real_exp2(-3600000.0 / 259200000)));
	now = evidence_look(e, 3, 5000 + 86400000ull * 365);
	ck_assert_int_eq(now.level[0], 0);
	ck_assert_int_eq(now.level[1], 0);
	now = evidence_look(e, 3, UINT64_MAX);
	ck_assert_int_eq(now.level[1], 0);
	item.time_ms += evidence_usual.repeat_ms; // after a day it is news again
	ck_assert(evidence_add(e, 3, &item, &now));
	ck_assert_int_eq(evidence_of_p(1), -EVIDENCE_BIT);
	ck_assert_int_eq(evidence_of_p(0.99999), -EVIDENCE_BIT + 4);  // the series: 1/2 + u/6
	ck_assert_int_lt(evidence_of_p(0.1665), 0);                    // it turns at 0.1664
	ck_assert_int_gt(evidence_of_p(0.1663), 0);
	ck_assert_int_eq(evidence_of_p(1.0 / 1024), 4402458);          // (1 - p + p ln p)/(p ln² p) = 21.15
	ck_assert_int_eq(evidence_of_p(0), EVIDENCE_MOST_OF_P);
	ck_assert_int_eq(evidence_of_rate(1.0 / 8192), 13 * EVIDENCE_BIT);
	ck_assert_int_eq(evidence_of_rate(2), 0);
	evidence_destroy(e);
}
END_TEST

START_TEST(the_same_family_again_is_counted_since_a_time)
{
	struct evidence *e = evidence_create(&evidence_usual);
	struct evidence_item item = {.key = 1, .time_ms = 5000, .microbits = EVIDENCE_BIT, .family = 7};
	struct evidence_state now;

	evidence_add(e, 3, &item, &now);
	item = (struct evidence_item){.key = 2, .time_ms = 6000, .microbits = EVIDENCE_BIT, .family = 7};
	evidence_add(e, 3, &item, &now);
	item = (struct evidence_item){.key = 3, .time_ms = 6000, .microbits = -EVIDENCE_BIT, .family = 7};
	evidence_add(e, 3, &item, &now); // speaks for it
	item = (struct evidence_item){.key = 4, .time_ms = 6000, .microbits = EVIDENCE_BIT, .family = 8};
	evidence_add(e, 3, &item, &now);
	ck_assert_uint_eq(evidence_again(e, 3, 7, 0), 2);
	ck_assert_uint_eq(evidence_again(e, 3, 7, 5001), 1);
	ck_assert_uint_eq(evidence_again(e, 3, 8, 5001), 1);
	ck_assert_uint_eq(evidence_again(e, 4, 7, 0), 0);
	ck_assert_uint_eq(evidence_again(e, 1 << 20, 7, 0), 0);
	item = (struct evidence_item){.key = 5, .time_ms = 7000, .microbits = 3 * EVIDENCE_BIT, .family = 8, .about = 9};
	evidence_add(e, 3, &item, &now);
	item = (struct evidence_item){.key = 6, .time_ms = 8000, .microbits = EVIDENCE_BIT, .family = 9, .about = 9};
	evidence_add(e, 3, &item, &now);
	ck_assert_int_eq(evidence_about(e, 3, 9, 0), 4 * EVIDENCE_BIT);
	ck_assert_int_eq(evidence_about(e, 3, 9, 7001), EVIDENCE_BIT);
	ck_assert_int_eq(evidence_about(e, 3, 0, 0), 0); // about nothing
	evidence_destroy(e);
}
END_TEST

START_TEST(evidence_reaches_h_bits_no_sooner_than_promised)
{
	struct dice d = {45};

	for (int h = 4; h <= 8; h += 2) { // all events at one time: nothing is forgotten
		enum { TIMES = 400 };
		double events = 0;

		for (int t = 0; t < TIMES; t++) {
			struct evidence_state s = {0};

			do {
				struct evidence_item item = {.microbits = evidence_of_p(dice_unit(&d))};

				s = evidence_fold(&evidence_usual, s, &item, 1);
				events++;
			} while (s.level[0] < h * EVIDENCE_BIT);
		}
		ck_assert_double_ge(events / TIMES, exp2(h));
	}
}
END_TEST

START_TEST(budget_is_held_while_scores_drift)
{
	static const double budgets[] = {1, 3, 10};
	enum { SEEDS = 30 };

	for (int k = 0; k < 3; k++) {
		double mean = 0, square = 0, within = 0;

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			double rate = budget_rate(budgets[k], seed + 1000) / budgets[k];

			mean += rate / SEEDS;
			square += rate * rate / SEEDS;
			within += rate >= 0.7 && rate <= 1.3;
		}
		if (getenv("SEKIMORI_TIMING"))
			printf("  budget %2g a day: %.2f of it, sd of a run %.2f, %.0f %% of runs within 30 %%\n",
			       budgets[k], mean, sqrt(square - mean * mean), 100 * within / SEEDS);
		ck_assert_double_eq_tol(mean, 1, 0.15);
		ck_assert_double_ge(within / SEEDS, k ? 0.95 : 0.8);
	}
}
END_TEST

START_TEST(budget_is_not_raised_by_noise)
{
	struct dice d = {47};
	struct budget b;
	uint32_t alarms = 0, grouped = 0;
	double told = 0;
	int64_t before;

	budget_begin(&b, 3);
	ck_assert_int_eq(budget_ask(&b, b.threshold, INT64_MAX), BUDGET_QUIET);
	for (uint32_t day = 0; day < 20; day++)
		budget_day(&b, &d, 0, 300, 0, day >= 14, &told);
	before = b.threshold;
	for (uint32_t i = 0; i < 200; i++) { // a flood from 200 devices
		enum budget_word w = budget_ask(&b, b.threshold, before + 30000000);

		alarms += w == BUDGET_ALARM;
		grouped += w == BUDGET_GROUP;
		budget_peak(&b, before + 30000000);
	}
	ck_assert_uint_eq(alarms, 15);
	ck_assert_uint_eq(grouped, 185);
	budget_end_day(&b, BUDGET_LIVE);
	ck_assert_int_le(b.threshold, before + b.step);
	budget_ask(&b, b.threshold, INT64_MAX);
	budget_confirm(&b);
	budget_confirm(&b);
	ck_assert_uint_eq(b.confirmed, 1);
}
END_TEST

static void budget_training_day(struct budget *b, int64_t highest_bits)
{
	for (int64_t bits = 1; bits <= highest_bits; bits++)
		budget_peak(b, bits * EVIDENCE_BIT);
	budget_end_day(b, BUDGET_TRAINED);
}

// Learning may begin on a holiday: the low threshold of such days must not decide what is learned of those after them.
START_TEST(budget_of_quiet_first_days_follows_the_working_days)
{
	struct budget b;

	budget_begin(&b, 1);
	for (uint32_t day = 0; day < 3; day++)
		budget_training_day(&b, 2);
	for (uint32_t day = 0; day < 5; day++)
		budget_training_day(&b, 20);
	ck_assert_int_ge(b.threshold, 19 * EVIDENCE_BIT);
}
END_TEST

START_TEST(budget_of_a_surge_nobody_was_told_of_keeps_few_peaks)
{
	struct budget b;
	uint32_t before;

	budget_begin(&b, 1);
	for (uint32_t day = 0; day < 8; day++)
		budget_training_day(&b, 10);
	before = budget_peaks(&b);
	for (uint32_t i = 0; i < 40; i++)
		budget_peak(&b, (30 + i) * EVIDENCE_BIT);
	budget_end_day(&b, BUDGET_WATCHED);
	ck_assert_uint_eq(budget_peaks(&b), before + 5);
	ck_assert_double_eq(b.debt, 0);
}
END_TEST

// At a fifth of an alarm a day one is expected in five days; that it came says nothing yet.
START_TEST(budget_of_less_than_one_a_day_does_not_follow_a_single_alarm)
{
	struct budget b;
	int64_t before;

	budget_begin(&b, 0.2);
	for (uint32_t day = 0; day < 28; day++) {
		for (int64_t bits = 1; bits <= 20; bits++)
			budget_peak(&b, bits * EVIDENCE_BIT * (60 + day * 11 % 28) / 88);
		budget_end_day(&b, BUDGET_TRAINED);
	}
	before = b.threshold;
	ck_assert_int_eq(budget_ask(&b, b.threshold, before + EVIDENCE_BIT), BUDGET_ALARM);
	for (int64_t bits = 1; bits <= 20; bits++)
		budget_peak(&b, bits * EVIDENCE_BIT * 3 / 4);
	budget_end_day(&b, BUDGET_LIVE);
	ck_assert_int_gt(b.threshold, before);
	ck_assert_int_lt(b.threshold, before + EVIDENCE_BIT / 4);
}
END_TEST

START_TEST(budget_says_what_it_cannot_promise)
{
	struct dice d = {48};
	struct budget b;
	double largest = 0, told = 0;

	budget_begin(&b, 0.05);
	ck_assert_double_ge(budget_error(&b), 1);
	for (uint32_t day = 0; day < 14; day++)
		largest = fmax(largest, budget_day(&b, &d, 0, 300, 0, false, &told));
	ck_assert_double_ge(budget_error(&b), 1);
	ck_assert_int_gt(b.threshold, (int64_t)(largest * EVIDENCE_BIT)); // beyond all that was seen
	ck_assert_int_lt(b.threshold, (int64_t)(largest * EVIDENCE_BIT) + 30 * EVIDENCE_BIT);
	budget_begin(&b, 100);
	ck_assert_double_eq(b.per_day, BUDGET_MOST);
	budget_end_day(&b, BUDGET_LIVE); // nobody there
	ck_assert_int_eq(b.threshold, 0);
}
END_TEST

START_TEST(volume_sums_cover_their_windows)
{
	enum { EVENTS = 4000, KEYS = 5 };
	static const uint64_t window[VOLUME_WINDOWS] = {3600, 86400, 604800}, bucket[] = {300, 3600, 43200};
	static uint64_t when[EVENTS], what[EVENTS];
	static uint32_t key[EVENTS];
	struct volume *v = volume_create(64);
	struct dice d = {49};
	uint64_t t = 1639000000, sum[VOLUME_WINDOWS];

	for (uint32_t n = 0; n < EVENTS; n++) {
		t += dice_below(&d, n % 500 == 0 ? 900000 : 600);
		when[n] = t;
		key[n] = dice_below(&d, KEYS);
		what[n] = dice_below(&d, 3) ? dice_below(&d, 2000) : dice_word(&d) >> 30;
		volume_add(v, 10 + 2 * key[n], what[n], t, sum);
		for (int w = 0; w < VOLUME_WINDOWS; w++) {
			uint64_t least = 0, most = 0;

			for (uint32_t i = 0; i <= n; i++) {
				least += key[i] == key[n] && when[i] + window[w] > t ? what[i] : 0;
				most += key[i] == key[n] && when[i] + window[w] + bucket[w] > t ? what[i] : 0;
			}
			ck_assert_uint_ge(sum[w] + 255, least);
			ck_assert_uint_le(sum[w], most + 255);
		}
	}
	ck_assert(volume_look(v, 10 + 2 * key[EVENTS - 1], t, sum));
	ck_assert_uint_gt(sum[VOLUME_WEEK], 0);
	ck_assert(volume_look(v, 10, t + 9 * 86400, sum));
	ck_assert_uint_eq(sum[VOLUME_WEEK], 0);
	ck_assert(!volume_look(v, 999, t, sum));
	volume_destroy(v);
}
END_TEST

START_TEST(volume_keeps_the_largest_under_a_flood)
{
	struct volume *v = volume_create(1024);
	uint64_t sum[VOLUME_WINDOWS];
	struct dice d = {50};

	for (uint64_t k = 0; k < 20; k++)
		volume_add(v, word_of((uint32_t)k), 1 << 20, 1639000000, sum);
	for (uint32_t i = 0; i < 300000; i++)
		volume_add(v, dice_word(&d), 1400, 1639000000 + i / 100, sum);
	for (uint64_t k = 0; k < 20; k++) {
		ck_assert(volume_look(v, word_of((uint32_t)k), 1639003000, sum));
		ck_assert_uint_eq(sum[VOLUME_HOUR], 1 << 20);
	}
	ck_assert_uint_gt(volume_lost(v), 200000);
	volume_add(v, 5, UINT64_MAX, 1639003000, sum);
	volume_add(v, 5, UINT64_MAX, 1639003000, sum);
	ck_assert_uint_eq(sum[VOLUME_DAY], UINT32_MAX * 256ull);
	volume_destroy(v);
}
END_TEST

START_TEST(judging_cost)
{
	struct conformal *c = conformal_create(4000, 14, 6);
	struct evidence_config config = evidence_usual;
	struct evidence *e;
	struct evidence_state now;
	struct volume *v = volume_create(65536);
	struct dice d = {51};
	uint64_t sum[VOLUME_WINDOWS];
	double total = 0, begun;

	config.devices = 10000;
	config.keys = 1 << 20;
	e = evidence_create(&config);
	for (int i = 0; i < 4000; i++)
		conformal_add(c, 4 * dice_exponential(&d));
	conformal_end_day(c);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++) {
		struct conformal_p p;

		conformal_look(c, (double)(dice_word(&d) >> 59), &p);
		total += p.bits;
	}
	tell_time("conformal: look", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++)
		conformal_add(c, (double)(dice_word(&d) >> 59));
	tell_time("conformal: add", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++) {
		struct evidence_item item = {.key = dice_word(&d), .time_ms = i, .microbits = 5};

		evidence_add(e, dice_below(&d, 10000), &item, &now);
	}
	tell_time("evidence: add", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++)
		volume_add(v, word_of(dice_below(&d, 50000)), 1500, 1639000000 + i / 100, sum);
	tell_time("volume: add", now_ns() - begun, 1e6);
	ck_assert_double_gt(total, 0);
	conformal_destroy(c);
	evidence_destroy(e);
	volume_destroy(v);
}
END_TEST

static TCase *judging_cases(void)
{
	TCase *tc = tcase_create("judging");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, conformal_p_is_uniform_when_scores_are_exchangeable);
	tcase_add_test(tc, conformal_follows_drift_and_bears_a_rush);
	tcase_add_test(tc, conformal_tail_goes_on_where_the_sample_ends);
	tcase_add_test(tc, evidence_is_the_fold_of_its_items);
	tcase_add_test(tc, evidence_forgets_half_a_half_life);
	tcase_add_test(tc, the_same_family_again_is_counted_since_a_time);
	tcase_add_test(tc, evidence_reaches_h_bits_no_sooner_than_promised);
	tcase_add_test(tc, budget_is_held_while_scores_drift);
	tcase_add_test(tc, budget_is_not_raised_by_noise);
	tcase_add_test(tc, budget_of_quiet_first_days_follows_the_working_days);
	tcase_add_test(tc, budget_of_a_surge_nobody_was_told_of_keeps_few_peaks);
	tcase_add_test(tc, budget_of_less_than_one_a_day_does_not_follow_a_single_alarm);
	tcase_add_test(tc, budget_says_what_it_cannot_promise);
	tcase_add_test(tc, volume_sums_cover_their_windows);
	tcase_add_test(tc, volume_keeps_the_largest_under_a_flood);
	tcase_add_test(tc, judging_cost);
	return tc;
}
