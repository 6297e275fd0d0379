// SPDX-License-Identifier: GPL-2.0-or-later
// lib/reason/explain: every number of an alert is made again from its counts; one count that was altered shows.
#include "explain.h"
#include "small_reason.h"

#include <errno.h>

static char text[EXPLAIN_BYTES];

static unsigned explained(uint64_t id, bool json)
{
	unsigned differ = 99;
	int n = explain_alert(reason_journal(reason), policies, id, json, text, sizeof(text), &differ);

	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq((size_t)n, strlen(text));
	return differ;
}

static struct explain_sum summed(void)
{
	struct explain_sum s;

	ck_assert_int_eq(explain_all(reason_journal(reason), &s, NULL, NULL), 0);
	return s;
}

static void must_contain(const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in:\n%s", what, text);
}

START_TEST(an_alert_is_told_with_its_counts_and_agrees)
{
	struct wanted w;

	ordinary_days();
	java_reference(9, NOW);
	w = find_alerts("ldap/java-reference-external", 0);
	ck_assert_uint_eq(w.count, 1);
	ck_assert_uint_gt(w.alert.terms, 0);
	ck_assert_uint_eq(explained(w.alert.id, false), 0);
	must_contain("ldap/java-reference-external@");
	must_contain("203.0.113.9");
	must_contain("a fact that needs no learning");
	must_contain("device              0 ");
	must_contain("policy ldap/java-reference-external");
	must_contain("numbers agree to the last digit\n");
	ck_assert_uint_eq(explained(w.alert.id, true), 0);
	must_contain("\"n1\":");
	must_contain("\"differ\":0");
	ck_assert_uint_eq(summed().differ, 0);
}
END_TEST

START_TEST(an_altered_count_is_caught)
{
	struct wanted w;
	struct alert a;

	ordinary_days();
	java_reference(9, NOW);
	w = find_alerts("ldap/java-reference-external", 0);
	a = w.alert;
	a.term[0].model.level[0].customers++;
	journal_alert(reason_journal(reason), &a);
	ck_assert_uint_gt(explained(a.id, false), 0);
	must_contain("numbers differ\n");
	must_contain("said ");
	ck_assert_uint_eq(summed().alerts_differ, 1);
	a = w.alert;
	a.term[0].counts.peers++; // the counts in words, too
	journal_alert(reason_journal(reason), &a);
	ck_assert_uint_eq(explained(a.id, false), 1);
	a = w.alert;
	ck_assert_uint_gt(a.proof.items, 0);
	a.proof.item[a.proof.items - 1].microbits++;
	journal_alert(reason_journal(reason), &a);
	ck_assert_uint_gt(explained(a.id, true), 0);
	journal_alert(reason_journal(reason), &w.alert);
	ck_assert_uint_eq(explained(a.id, false), 0);
}
END_TEST

static struct score score_made(uint64_t key, uint64_t time_ns)
{
	struct score s = {.version = SCORE_VERSION, .bytes = sizeof(s), .key = key, .time_ns = time_ns, .class = SCORE_FLOW,
			  .terms = 1, .role = ROLE_SERVER, .family = SCORE_FLOW,
			  .rank = {.score = 30, .above = 1, .equal = 0, .held = 500}};
	struct backoff_terms *m = &s.term[0].model;

	s.device = address_v4((const uint8_t[4]){192, 0, 2, 10});
	s.term[0].feature = FEATURE_DESTINATION;
	s.term[0].sign = 1;
	*m = (struct backoff_terms){.levels = 1, .strength = 1, .base = 1.0 / (1 << 20)};
	m->level[0] = (struct backoff_level){.customers = 40, .types = 7, .single = 3, .twice = 1};
	score_compute(&s);
	return s;
}

// An alarm that rests on one event, as the judge would prove it.
static struct alert alarm_on(const struct score *s)
{
	struct alert a = {.version = ALERT_VERSION, .bytes = sizeof(a), .id = 77, .time_ns = s->time_ns, .policy = "device/unusual",
			  .device = s->device, .score = *s};
	struct alert_proof *p = &a.proof;
	struct evidence_config c = {.half_life_ms = {1800000, 259200000}};

	p->half_life_ms[0] = c.half_life_ms[0];
	p->half_life_ms[1] = c.half_life_ms[1];
	p->items = 1;
	p->item[0] = (struct evidence_item){.key = s->key, .time_ms = s->time_ns / 1000000, .microbits = s->microbits / 2,
					    .family = s->family};
	p->evidence = evidence_fold(&c, p->before, p->item, 1);
	p->per_day = 1;
	p->threshold = p->block_threshold = INT64_MAX;
	return a;
}

START_TEST(the_event_behind_an_alarm_is_found_in_the_journal_and_made_again)
{
	struct score s = score_made(0xabcdef0123456789, NOW);
	struct alert a = alarm_on(&s);
	struct journal *j = reason_journal(reason);

	ck_assert_int_ge(s.microbits, 2 * EVIDENCE_BIT);
	ck_assert(journal_alert(j, &a) == 0 && journal_score(j, &s) == 0);
	ck_assert_uint_eq(explained(77, false), 0);
	must_contain("The event that raised it: flow");
	must_contain("others of its kind or about the same endpoint had been within half an hour");
	must_contain("threshold: none yet");
	ck_assert_uint_eq(summed().scores, 1);
}
END_TEST

START_TEST(an_altered_event_is_caught)
{
	struct score s = score_made(1, NOW), bad = s;
	struct alert a = alarm_on(&s);
	struct journal *j = reason_journal(reason);

	bad.rank.above++;
	ck_assert(journal_alert(j, &a) == 0 && journal_score(j, &bad) == 0);
	ck_assert_uint_gt(explained(77, false), 0);
	must_contain("evidence flow: p among its role");
	ck_assert(summed().scores_differ == 1 && summed().alerts_differ == 0);
}
END_TEST

START_TEST(evidence_that_is_no_share_of_its_event_is_caught)
{
	struct score s = score_made(1, NOW), other = s;
	struct alert a = alarm_on(&s);
	struct journal *j = reason_journal(reason);

	other.rank.above = 3; // sound in itself, and not what the alert says
	score_compute(&other);
	ck_assert(journal_alert(j, &a) == 0 && journal_score(j, &other) == 0);
	ck_assert_uint_eq(explained(77, false), 1);
	must_contain("in the journal\n");
	ck_assert(summed().alerts_differ == 1 && summed().scores_differ == 0);
}
END_TEST

// A device of yesterday is not compared, and what too few were seen of is not either; a policy may alert on it all the same.
START_TEST(an_event_that_was_compared_with_nothing_comes_out_again)
{
	static const uint32_t held[] = {0, 1, CONFORMAL_FEWEST - 1};
	char why[256];

	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++) {
		struct score s = score_made(1, NOW);

		s.rank = (struct conformal_p){.score = 30, .held = held[i], .p = 1};
		s.microbits = 0;
		ck_assert_msg(score_verify(&s, why, sizeof(why)) == 0, "%u held: %s", held[i], why);
		s.rank.p = 0.5;
		ck_assert_uint_eq(score_verify(&s, why, sizeof(why)), 1);
	}
}
END_TEST

static unsigned lines;

static void count_line(void *user, const char *line)
{
	lines++;
}

START_TEST(one_alert_is_added_with_what_it_rests_on_and_events_by_time)
{
	struct score s = score_made(1, NOW), late = score_made(2, NOW + 1), bad = score_made(3, NOW + 2);
	struct alert a = alarm_on(&s), altered = a;
	struct journal *j = reason_journal(reason);
	struct explain_sum sum = {0};

	bad.rank.above++;
	ck_assert(journal_alert(j, &a) == 0 && journal_score(j, &s) == 0 && journal_score(j, &late) == 0);
	ck_assert_int_eq(explain_add(j, NULL, 77, &sum, count_line, NULL), 0);
	ck_assert(sum.alerts == 1 && sum.scores == 0 && sum.items == 1 && sum.found == 1 && sum.numbers > 0 && sum.differ == 0);
	ck_assert_int_eq(explain_add(j, NULL, 78, &sum, count_line, NULL), -ENOENT);
	ck_assert_int_eq(explain_add(j, NULL, 0, &sum, count_line, NULL), -ENOENT);
	ck_assert_int_eq(explain_events(j, NOW + 1, &sum, count_line, NULL), 0);
	ck_assert(sum.alerts == 1 && sum.scores == 1 && sum.differ == 0 && lines == 0);
	altered.score.rank.above++;
	ck_assert(journal_alert(j, &altered) == 0 && journal_score(j, &bad) == 0);
	ck_assert_int_eq(explain_add(j, NULL, 77, &sum, count_line, NULL), 0);
	ck_assert_int_eq(explain_events(j, NOW + 2, &sum, count_line, NULL), 0);
	ck_assert(sum.alerts == 2 && sum.alerts_differ == 1 && sum.scores == 2 && sum.scores_differ == 1 && lines == 2);
}
END_TEST

START_TEST(no_such_alert_and_no_room_are_told)
{
	unsigned differ;
	char small[64];

	java_reference(9, NOW);
	ck_assert_int_eq(explain_alert(reason_journal(reason), policies, 0, false, text, sizeof(text), &differ), -ENOENT);
	ck_assert_int_eq(explain_alert(reason_journal(reason), policies, 999, false, text, sizeof(text), &differ), -ENOENT);
	ck_assert_int_eq(explain_alert(reason_journal(reason), NULL, 1, false, small, sizeof(small), &differ), -ENOSPC);
	ck_assert_int_eq(explain_alert(reason_journal(reason), NULL, 1, true, small, sizeof(small), &differ), -ENOSPC);
	ck_assert_int_gt(explain_alert(reason_journal(reason), NULL, 1, false, text, sizeof(text), &differ), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *cases = tcase_create("explain");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, state_end);
	tcase_add_test(cases, an_alert_is_told_with_its_counts_and_agrees);
	tcase_add_test(cases, an_altered_count_is_caught);
	tcase_add_test(cases, the_event_behind_an_alarm_is_found_in_the_journal_and_made_again);
	tcase_add_test(cases, an_altered_event_is_caught);
	tcase_add_test(cases, evidence_that_is_no_share_of_its_event_is_caught);
	tcase_add_test(cases, an_event_that_was_compared_with_nothing_comes_out_again);
	tcase_add_test(cases, one_alert_is_added_with_what_it_rests_on_and_events_by_time);
	tcase_add_test(cases, no_such_alert_and_no_room_are_told);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
