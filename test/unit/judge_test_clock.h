// SPDX-License-Identifier: GPL-2.0-or-later
// A wall clock that is set: ahead by days and back, and behind for a moment.
#pragma once
#include "judge_test_world.h"

static unsigned days_of(struct address device, const char *host, uint64_t now_ns)
{
	struct counts c;

	learn_counts(learned, learn_device_find(learned, &device), FEATURE_HOST, bytes_of_text(host), now_ns, &c);
	return c.device_days;
}

// A device even alarms in a day to come.
static void five_days_ahead(void)
{
	uint64_t ahead = TODAY + 5 * DAY;

	judge_step(judge, ahead, MODE_OBSERVE);
	strike(workstation(2), ip("203.0.113.77"), "evil/1", ahead);
	fetched(workstation(1), "ahead.example.org", "198.51.100.20", "curl/7.80.0", FILE_HTML, ahead);
}

static void restart(void)
{
	struct image i;

	image_begin(&i, 1);
	judge_put(judge, &i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	ck_assert_int_eq(judge_take(judge, &i), 0);
	image_free(&i);
}

START_TEST(a_clock_that_was_days_ahead_does_not_stop_learning)
{
	const char *agent = "curl/7.80.0";
	uint64_t end = TODAY + DAY + 3 * HOUR;

	five_days_ahead();
	if (_i)
		restart();
	judge_step(judge, TODAY, MODE_OBSERVE);
	judge_step(judge, TODAY + HOUR, MODE_OBSERVE);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_CLOCK_BACK], 1);
	fetched(workstation(2), "new.example.org", "198.51.100.21", agent, FILE_HTML, TODAY + HOUR + 1);
	fetched(workstation(0), "new.example.org", "198.51.100.21", agent, FILE_HTML, TODAY + 2 * HOUR);
	for (uint64_t at = TODAY + 3 * HOUR; at <= end; at += HOUR)
		judge_step(judge, at, MODE_OBSERVE);
	ck_assert_uint_eq(days_of(workstation(2), "new.example.org", end), 1);
	ck_assert_uint_eq(days_of(workstation(0), "new.example.org", end), 1);
	ck_assert_uint_eq(days_of(workstation(1), "ahead.example.org", end), 1);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_CLOCK_BACK], 1);
}
END_TEST

START_TEST(a_clock_set_back_ends_its_day_once_and_lets_evidence_fade)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR, midnight = START + 17 * DAY + 1;
	struct address at = server(0);
	const struct device *d;
	struct judge_budget b;

	budgeted();
	judge_step(judge, now + 5 * DAY, MODE_OBSERVE);
	strike(at, ip("203.0.113.77"), "evil/1", now + 5 * DAY);
	d = learn_device_find(learned, &at);
	judge_step(judge, now, MODE_OBSERVE);
	judge_step(judge, now + HOUR, MODE_OBSERVE);
	judge_get_budget(judge, &b);
	ck_assert_uint_eq(b.role[ROLE_EXPOSED].today, 1);
	ck_assert_int_gt(judge_evidence(judge, d, now + HOUR), 8 * EVIDENCE_BIT);
	ck_assert_int_lt(judge_evidence(judge, d, now + 5 * DAY), judge_evidence(judge, d, now + HOUR) / 2);
	judge_step(judge, midnight, MODE_OBSERVE);
	judge_get_budget(judge, &b);
	ck_assert_uint_eq(b.role[ROLE_EXPOSED].today, 0);
	ck_assert_int_eq(judge_evidence(judge, d, midnight), 0);
	teardown();
	setup();
}
END_TEST

// As a box without a battery begins in 1970 until it has asked for the time.
START_TEST(a_clock_that_is_behind_for_half_an_hour_dates_nothing_back)
{
	struct address at = workstation(0);
	const struct device *d = learn_device_find(learned, &at);
	struct device before = *d;

	if (_i)
		restart();
	judge_step(judge, 5 * DAY, MODE_OBSERVE);
	resolved(server(0), "time.example.org", ip("198.51.100.22"), 5 * DAY + HOUR / 2);
	judge_step(judge, TODAY, MODE_OBSERVE);
	judge_step(judge, 5 * DAY + HOUR, MODE_OBSERVE); // once more, and not for long
	judge_step(judge, TODAY + 1, MODE_OBSERVE);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_CLOCK_BACK], 0);
	ck_assert_mem_eq(d, &before, sizeof(before));
}
END_TEST

static void add_clock(TCase *cases)
{
	tcase_add_loop_test(cases, a_clock_that_was_days_ahead_does_not_stop_learning, 0, 2 /* it goes on, is started anew */);
	tcase_add_test(cases, a_clock_set_back_ends_its_day_once_and_lets_evidence_fade);
	tcase_add_loop_test(cases, a_clock_that_is_behind_for_half_an_hour_dates_nothing_back, 0, 2);
}
