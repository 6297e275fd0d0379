// SPDX-License-Identifier: GPL-2.0-or-later
// Suppressions: what they match, and that the judge keeps what they cover while nobody is told or cut off.
#include "small_reason.h"

#include <errno.h>

static const char java[] = "ldap/java-reference-external";

static struct suppression of(const char *policy, const char *endpoint, bool certain)
{
	struct suppression s = {.expires_ns = NOW + 30 * DAY, .certain = certain, .reason = "our own directory", .who = "mika"};
	struct prefix p = {0};

	snprintf(s.policy, sizeof(s.policy), "%s", policy);
	if (endpoint)
		ck_assert_int_eq(prefix_parse(bytes_of_text(endpoint), &p), 0);
	s.endpoint = p.address;
	s.endpoint_bits = p.bits;
	return s;
}

static int add(struct suppression s, uint64_t now_ns)
{
	return suppressed_add(reason_journal(reason), reason_suppressions(reason), &s, now_ns);
}

START_TEST(all_that_is_named_must_match)
{
	struct suppress_case c = {.policy = "p/a", .port = 443};
	struct suppression s = of("p/a", "203.0.113.0/24", false);

	address_parse(bytes_of_text("192.0.2.10"), &c.device);
	address_parse(bytes_of_text("203.0.113.9"), &c.endpoint);
	ck_assert(suppression_matches(&s, &c));
	s.device = c.device;
	s.port = 443;
	ck_assert(suppression_matches(&s, &c));
	s.port = 444;
	ck_assert(!suppression_matches(&s, &c));
	s.port = 0;
	s.device = c.endpoint;
	ck_assert(!suppression_matches(&s, &c));
	s = of("p/b", NULL, false);
	ck_assert(!suppression_matches(&s, &c));
	s = of("", "203.0.114.0/24", false);
	ck_assert(!suppression_matches(&s, &c));
	s = of("p/a", NULL, false);
	c.certain = true;
	ck_assert(!suppression_matches(&s, &c));
	s.certain = 1;
	ck_assert(suppression_matches(&s, &c));
}
END_TEST

START_TEST(one_that_names_nothing_or_never_ends_is_refused)
{
	struct suppression s = of(java, NULL, false);

	ck_assert_int_eq(add(of("", NULL, true), NOW), -EINVAL);
	s.expires_ns = NOW;
	ck_assert_int_eq(add(s, NOW), -EINVAL);
	s.expires_ns = NOW + 2 * SUPPRESSION_LONGEST_NS;
	ck_assert_int_eq(add(s, NOW), -EINVAL);
	s = of(java, NULL, false);
	s.reason[0] = 0;
	ck_assert_int_eq(add(s, NOW), -EINVAL);
	s = of(java, NULL, false);
	for (unsigned n = 0; n < SUPPRESSIONS; n++)
		ck_assert_int_eq(add(s, NOW), 0);
	ck_assert_int_eq(add(s, NOW), -ENOSPC);
	s.expires_ns = NOW + 60 * DAY;
	ck_assert_int_eq(add(s, NOW + 31 * DAY), 0); // those that are over make room
}
END_TEST

START_TEST(what_is_suppressed_is_kept_and_neither_told_nor_cut_off)
{
	struct wanted w;

	ck_assert_int_eq(add(of(java, NULL, true), NOW), 0);
	java_reference(9, NOW);
	w = find_alerts(NULL, 0);
	ck_assert_uint_eq(w.count, 1); // and no policy on alerts speaks of it
	ck_assert_uint_eq(w.told, 0);
	ck_assert_uint_eq(w.alert.incident, 0);
	ck_assert_uint_eq(w.alert.response, RESPONSE_NONE);
	ck_assert(w.alert.certain && w.alert.terms); // judged in full
	ck_assert_uint_eq(orders, 0);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_ALERTS], 0);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_ALERTS_SUPPRESSED], 1);
	ck_assert_uint_eq(journal_next(reason_journal(reason), "incident"), 1);
}
END_TEST

START_TEST(a_certain_fact_needs_the_word_for_it)
{
	ck_assert_int_eq(add(of(java, NULL, false), NOW), 0);
	java_reference(9, NOW);
	ck_assert_uint_ge(find_alerts(java, 0).told, 1);
	ck_assert_uint_ge(orders, 1);
}
END_TEST

START_TEST(it_ends_by_itself_or_by_a_person_and_survives_a_restart)
{
	ck_assert_int_eq(add(of(java, NULL, true), NOW), 0);
	java_reference(9, NOW + DAY);
	ck_assert_uint_eq(find_alerts(NULL, 0).told, 0);
	reason_destroy(reason);
	open_reason(NOW + 2 * DAY);
	java_reference(9, NOW + 2 * DAY);
	ck_assert_uint_eq(find_alerts(NULL, 0).told, 0);
	java_reference(9, NOW + 30 * DAY);
	ck_assert_uint_eq(find_alerts(java, 0).told, 1); // it is over
	ck_assert_int_eq(add(of(java, NULL, true), NOW + 29 * DAY), 0);
	ck_assert_int_eq(suppressed_remove(reason_journal(reason), reason_suppressions(reason), 2, "nozomi", NOW + 29 * DAY), 0);
	ck_assert_int_eq(suppressed_remove(reason_journal(reason), reason_suppressions(reason), 2, "nozomi", NOW + 29 * DAY), -ENOENT);
	ck_assert_int_eq(suppressed_remove(reason_journal(reason), reason_suppressions(reason), 9, "nozomi", NOW), -ENOENT);
	reason_destroy(reason);
	open_reason(NOW + 29 * DAY);
	ck_assert_uint_eq(reason_suppressions(reason)->count, 1); // the first, by one day
}
END_TEST

// A suppressed alert takes no turn of its policy's throttle, else one endpoint would silence the next.
START_TEST(what_is_suppressed_silences_nothing_else)
{
	ck_assert_int_eq(add(of("device/exposed-high-alert", NULL, false), NOW), 0);
	ck_assert_int_eq(add(of("", "203.0.113.9", true), NOW), 0);
	java_reference(9, NOW);
	java_reference(9, NOW + NS_PER_S);
	ck_assert_uint_eq(find_alerts(java, 0).count, 1); // throttled among themselves
	java_reference(8, NOW + 2 * NS_PER_S);
	ck_assert_uint_eq(find_alerts(java, 0).told, 1);
	ck_assert_uint_ge(orders, 1);
	suppressed_remove(reason_journal(reason), reason_suppressions(reason), 2, "mika", NOW + 3 * NS_PER_S);
	java_reference(9, NOW + 4 * NS_PER_S); // within the throttle's hour
	ck_assert_uint_eq(find_alerts(java, 0).told, 2);
}
END_TEST

START_TEST(past_alerts_are_counted_and_hidden_while_it_holds)
{
	struct suppression s = of(java, "203.0.113.9", true);
	struct suppress_set *set = reason_suppressions(reason);
	struct wanted w;
	unsigned total;

	java_reference(9, NOW);
	java_reference(8, NOW + NS_PER_S);
	w = find_alerts(java, 0);
	ck_assert_uint_eq(w.told, 2);
	ck_assert_int_eq(suppressed_count(reason_journal(reason), &s, &total), 1);
	ck_assert_uint_ge(total, 2);
	ck_assert(!suppress_hides(set, &w.alert, NOW + DAY));
	ck_assert_int_eq(add(s, NOW + DAY), 0);
	ck_assert(suppress_hides(set, &w.alert, NOW + DAY));
	ck_assert(!suppress_hides(set, &w.alert, NOW + 31 * DAY));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("suppress");
	TCase *cases = tcase_create("suppress");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, state_end);
	tcase_add_test(cases, all_that_is_named_must_match);
	tcase_add_test(cases, one_that_names_nothing_or_never_ends_is_refused);
	tcase_add_test(cases, what_is_suppressed_is_kept_and_neither_told_nor_cut_off);
	tcase_add_test(cases, a_certain_fact_needs_the_word_for_it);
	tcase_add_test(cases, it_ends_by_itself_or_by_a_person_and_survives_a_restart);
	tcase_add_test(cases, what_is_suppressed_silences_nothing_else);
	tcase_add_test(cases, past_alerts_are_counted_and_hidden_while_it_holds);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
