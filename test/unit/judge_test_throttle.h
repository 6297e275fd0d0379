// SPDX-License-Identifier: GPL-2.0-or-later
// What silences a repeat, and what must not.
#pragma once
#include "judge_test_world.h"

static struct policy_set *one_policy(const char *name)
{
	char text[256], error[POLICY_ERROR_BYTES];
	struct policy_set *set;

	snprintf(text, sizeof(text), "policy: %s\nversion: 1\npriority: 2\nphase: control\nthrottle: 1h per device endpoint-port\n"
		 "on: flow.open\nwhen: [direction == out]\n", name);
	set = policy_read_text("p.yaml", bytes_of_text(text), error);
	ck_assert_msg(set != NULL, "%s", error);
	return set;
}

START_TEST(what_other_policies_told_throttles_none_of_the_new)
{
	static const struct {
		const char *name;
		unsigned told;
	} next[] = {{"test/one", 1}, {"test/one", 1} /* read again: the same */, {"test/two", 2}};
	struct policy_set *was = NULL, *set;

	alert_count = 0;
	for (unsigned i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		set = one_policy(next[i].name);
		judge_set_policies(judge, set);
		policy_free(was);
		was = set;
		opened(DIRECTION_OUT, workstation(1), ip("203.0.113.40"), 443, TODAY + i * NS_PER_S);
		ck_assert_uint_eq(alert_count, next[i].told);
	}
	ck_assert_str_eq(alerts[1].policy, "test/two");
	judge_set_policies(judge, policies);
	policy_free(was);
}
END_TEST

// A clock that was ahead for a while must not silence anybody for as long once it is right again.
START_TEST(what_was_told_by_a_clock_that_was_ahead_throttles_no_longer_than_it_may)
{
	struct policy_set *set = one_policy("test/one");
	static const struct {
		uint64_t at;
		unsigned told;
	} steps[] = {{TODAY + 10 * DAY, 1}, {TODAY + 10 * DAY - NS_PER_S, 1} /* workers differ a little */, {TODAY, 2}, {TODAY + NS_PER_S, 2}};

	alert_count = 0;
	judge_set_policies(judge, set);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		opened(DIRECTION_OUT, workstation(1), ip("203.0.113.40"), 443, steps[i].at);
		ck_assert_uint_eq(alert_count, steps[i].told);
	}
	judge_set_policies(judge, policies);
	policy_free(set);
}
END_TEST

static void add_throttle(TCase *cases)
{
	tcase_add_test(cases, what_other_policies_told_throttles_none_of_the_new);
	tcase_add_test(cases, what_was_told_by_a_clock_that_was_ahead_throttles_no_longer_than_it_may);
}
