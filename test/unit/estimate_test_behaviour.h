// SPDX-License-Identifier: GPL-2.0-or-later
// Likeness of devices against exact sets, groups over changing months, beacons against what people and busy programs
// do. Included by estimate_test.c.
#pragma once
#include "beacon.h"
#include "estimate_worlds.h"
#include "minhash.h"
#include "peers.h"

START_TEST(minhash_estimates_jaccard)
{
	enum { TIMES = 300, TOKENS = 60 };
	struct dice d = {31};

	for (uint32_t shared = 0; shared <= TOKENS; shared += 10) {
		double exact = (double)shared / (2 * TOKENS - shared), mean = 0, square = 0;

		for (int t = 0; t < TIMES; t++) {
			struct minhash a, b, both;
			double j;

			minhash_clear(&a);
			minhash_clear(&b);
			for (uint32_t i = 0; i < TOKENS; i++) {
				uint64_t token = dice_word(&d);

				minhash_add(&a, token);
				minhash_add(&b, i < shared ? token : dice_word(&d));
			}
			j = minhash_common(&a, &b) / (double)MINHASH_PLACES;
			mean += j / TIMES;
			square += (j - exact) * (j - exact) / TIMES;
			both = a;
			minhash_merge(&both, &b);
			minhash_merge(&both, &a);
			ck_assert_uint_ge(minhash_common(&both, &a), minhash_common(&a, &b));
		}
		ck_assert_double_eq_tol(mean, exact, 0.01);
		ck_assert_double_le(sqrt(square), 0.052); // 0.0442, with what sampling without replacement adds
	}
}
END_TEST

START_TEST(minhash_of_nothing_is_like_nothing)
{
	struct minhash a, b;

	minhash_clear(&a);
	minhash_clear(&b);
	ck_assert_uint_eq(minhash_common(&a, &b), 0);
	minhash_add(&a, 1);
	ck_assert_uint_eq(minhash_common(&a, &b), 0);
	minhash_add(&b, 1);
	minhash_add(&b, 1);
	ck_assert_uint_eq(minhash_common(&a, &b), MINHASH_PLACES);
}
END_TEST

enum { PEERS_DEVICES = 120, PEERS_ROLES = 5 };

// What a device of a role does on a day: most of the role's 30 things, and some of its own. Every month a part of the
// role's things is another one.
static struct minhash day_of_work(struct dice *d, uint32_t device, uint32_t role, uint32_t day)
{
	struct minhash m;

	minhash_clear(&m);
	for (uint32_t i = 0; i < 30; i++)
		if (dice_unit(d) < 0.9)
			minhash_add(&m, word_of(1000 * role + i + 100000ull * ((day + 4 * i) / 120)));
	for (uint32_t i = 0; i < 3; i++)
		minhash_add(&m, word_of(7777777ull * (device + 1) + dice_below(d, 4)));
	return m;
}

static const struct peers_config peers_usual = {
	.devices = PEERS_DEVICES, .groups = 32, .join = 64, .leave = 45, .margin = 20, .hold = 3};

START_TEST(peers_find_the_roles_and_keep_their_numbers)
{
	struct peers *p = peers_create(&peers_usual);
	uint32_t first[PEERS_ROLES] = {0}, changes = 0;
	struct dice d = {32};

	ck_assert_ptr_nonnull(p);
	for (uint32_t day = 0; day < 200; day++) {
		for (uint32_t i = 0; i < PEERS_DEVICES; i++) {
			uint32_t role = i == 7 && day >= 100 ? 0 : i % PEERS_ROLES; // one device is given other work
			struct minhash m = day_of_work(&d, i, role, day);
			bool changed = peers_review(p, i, &m);

			changes += changed && day > 5;
			if (i == 7 && day >= 100) {
				ck_assert_int_eq(changed, day == 102); // the third review in a row
				ck_assert_uint_eq(peers_group(p, i), first[day < 102 ? 2 : 0]);
			}
		}
		peers_end_review(p);
		if (day == 40)
			peers_forget(p, 1); // its group's first leader goes, and comes back
		for (uint32_t r = 0; day == 5 && r < PEERS_ROLES; r++)
			first[r] = peers_group(p, r);
		for (uint32_t i = 0; day > 5 && i < PEERS_DEVICES; i++)
			if (i != 7 && (i != 1 || day != 40))
				ck_assert_uint_eq(peers_group(p, i), first[i % PEERS_ROLES]);
	}
	ck_assert_uint_eq(peers_count(p), PEERS_ROLES);
	ck_assert_uint_eq(changes, 2); // of device 7, and device 1 when it came back
	ck_assert_uint_eq(peers_members(p, first[0]), PEERS_DEVICES / PEERS_ROLES + 1);
	ck_assert_uint_eq(peers_homeless(p), 0);
	peers_destroy(p);
}
END_TEST

START_TEST(peers_end_numbers_are_not_given_again)
{
	struct peers_config config = peers_usual;
	struct peers *p;
	struct minhash m;

	config.leave = 100;
	ck_assert_ptr_null(peers_create(&config));
	config = peers_usual;
	config.groups = 2;
	p = peers_create(&config);
	for (uint32_t i = 0; i < 3; i++) {
		minhash_clear(&m);
		minhash_add(&m, i);
		peers_review(p, i, &m);
	}
	ck_assert_uint_eq(peers_group(p, 0), 1);
	ck_assert_uint_eq(peers_group(p, 1), 2);
	ck_assert_uint_eq(peers_group(p, 2), PEERS_NONE);
	ck_assert_uint_eq(peers_homeless(p), 1);
	peers_forget(p, 0);
	ck_assert_uint_eq(peers_members(p, 1), 0);
	ck_assert(peers_review(p, 2, &m));
	ck_assert_uint_eq(peers_group(p, 2), 3);
	peers_tag(p, 2, true);
	ck_assert(!peers_review(p, 2, &m));
	ck_assert_uint_eq(peers_group(p, 2), PEERS_NONE);
	minhash_clear(&m); // two that became one
	minhash_add(&m, 1);
	for (int day = 0; day < 2; day++) {
		ck_assert_int_eq(peers_review(p, 5, &m), day == 0);
		peers_end_review(p);
	}
	ck_assert_uint_eq(peers_group(p, 5), 2);
	ck_assert(!peers_review(p, 1u << 30, &m));
	peers_destroy(p);
}
END_TEST

START_TEST(beacon_p_is_valid_for_whatever_has_no_pace)
{
	enum { TIMES = 20000 };
	static const uint32_t sizes[] = {8, 20, 64, 129};
	struct dice d = {33};

	for (int kind = 0; kind < NULL_KINDS; kind++)
		for (int s = 0; s < 4; s++) {
			uint32_t below[4] = {0}; // p ≤ 1/10, 1/100, 1/1000, 1/10000

			for (uint32_t t = 0; t < TIMES / (1 + sizes[s] / 20); t++) {
				double bits = beacon_bits_of(&d, sizes[s], 0, kind, 0);

				for (int k = 0; k < 4; k++)
					below[k] += bits >= (k + 1) * 3.3219;
			}
			for (int k = 0; k < 4; k++) {
				double n = TIMES / (1.0 + sizes[s] / 20), expected = n * pow(10, -(k + 1));

				ck_assert_msg(below[k] <= expected + 3 * sqrt(expected) + 1, "kind %d n %u: %u of %g",
					      kind, sizes[s], below[k], expected);
			}
		}
}
END_TEST

START_TEST(beacon_is_found_with_jitter_and_gaps)
{
	struct dice d = {34};

	ck_assert_double_ge(beacon_power(&d, 8, 0, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 15, 0.1, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 20, 0.2, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 30, 0.3, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 60, 0.4, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 90, 0.5, 0, 10), 0.9);
	ck_assert_double_ge(beacon_power(&d, 129, 0.4, 0.1, 20), 0.9);
}
END_TEST

START_TEST(beacon_says_period_and_jitter)
{
	struct beacon_result r;
	struct dice d = {35};
	struct beacon b;

	beacon_clear(&b);
	ck_assert(!beacon_test(&b, &r));
	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(beacon_add(&b, 1000000 + i * 60000), i > 0);
		ck_assert(!beacon_add(&b, 1000000 + i * 60000 + 500)); // the same contact
	}
	ck_assert(beacon_test(&b, &r));
	ck_assert_uint_eq(r.intervals, BEACON_INTERVALS);
	ck_assert_uint_eq(r.period_ms, 60000);
	ck_assert_uint_eq(r.jitter, 0);
	ck_assert_uint_eq(r.within, 125);
	ck_assert_uint_eq(r.of, 125);
	ck_assert_uint_eq(r.width, 50);
	ck_assert_double_eq_tol(r.bits, -125 * log2(0.1 / 1.05) - log2(6), 1e-9);
	beacon_clear(&b);
	for (uint32_t i = 0; i < 100; i++)
		beacon_add(&b, 1 + b.last_ms + (uint64_t)(20000 * (1 + 0.3 * (2 * dice_unit(&d) - 1))));
	beacon_test(&b, &r);
	ck_assert_uint_ge(r.jitter, 230);
	ck_assert_uint_le(r.jitter, 370);
	ck_assert(!beacon_add(&b, 5)); // the clock went back
	ck_assert(beacon_add(&b, UINT64_MAX));
	ck_assert(beacon_test(&b, &r));
}
END_TEST

START_TEST(behaviour_cost)
{
	struct dice d = {36};
	struct minhash a, b;
	struct beacon beacon;
	struct beacon_result r;
	double begun = now_ns();
	uint32_t sum = 0;

	minhash_clear(&a);
	b = a;
	for (uint32_t i = 0; i < 100000; i++)
		minhash_add(&a, dice_word(&d));
	tell_time("minhash: add a token", now_ns() - begun, 1e5);
	begun = now_ns();
	for (uint32_t i = 0; i < 100000; i++) {
		b.least[i % MINHASH_PLACES] = i;
		sum += minhash_common(&a, &b);
	}
	tell_time("minhash: compare", now_ns() - begun, 1e5);
	beacon_clear(&beacon);
	begun = now_ns();
	for (uint32_t i = 1; i < 1000000; i++)
		beacon_add(&beacon, i * 7000ull + dice_below(&d, 5000));
	tell_time("beacon: a contact", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000; i++)
		sum += beacon_test(&beacon, &r);
	tell_time("beacon: test of 128 intervals", now_ns() - begun, 1000);
	ck_assert_uint_gt(sum, 0);
}
END_TEST

static TCase *behaviour_cases(void)
{
	TCase *tc = tcase_create("behaviour");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, minhash_estimates_jaccard);
	tcase_add_test(tc, minhash_of_nothing_is_like_nothing);
	tcase_add_test(tc, peers_find_the_roles_and_keep_their_numbers);
	tcase_add_test(tc, peers_end_numbers_are_not_given_again);
	tcase_add_test(tc, beacon_p_is_valid_for_whatever_has_no_pace);
	tcase_add_test(tc, beacon_is_found_with_jitter_and_gaps);
	tcase_add_test(tc, beacon_says_period_and_jitter);
	tcase_add_test(tc, behaviour_cost);
	return tc;
}
