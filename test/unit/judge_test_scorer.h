// SPDX-License-Identifier: GPL-2.0-or-later
// The scorer and its budget in the same made-up world: roles, habits, newcomers, floods, what is suppressed.
#pragma once
#include "image.h"
#include "judge_test_world.h"

// Alarms that a person does not want to hear are not counted by the budget, and do not use up the device's alarm of the
// day.
START_TEST(a_suppressed_alarm_is_none_of_the_budget_s)
{
	static struct suppress_set set;
	struct suppression s = {.id = 1, .expires_ns = START + 40 * DAY};
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	struct judge_budget b;
	unsigned suppressed = 0;

	teardown();
	begin();
	judge_destroy(judge);
	set.count = 0;
	judge = judge_create(&(struct judge_config){.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert,
						    .alarms_per_day = 1, .suppressions = &set});
	for (unsigned day = 0; day < 16; day++)
		ordinary_day(day);
	s.endpoint = ip("203.0.113.66");
	s.endpoint_bits = 32;
	ck_assert_int_eq(suppress_add(&set, &s, now), 0);
	alert_count = 0;
	for (unsigned n = 0; n < 2; n++) {
		struct address called = ip(n ? "203.0.113.77" : "203.0.113.66");

		opened(DIRECTION_OUT, server(0), called, 4444, now + n * HOUR);
		protocol(server(0), called, 4444, APP_HTTP, true, now + n * HOUR + 1);
		requested(server(0), called, 4444, "", "evil/1", "/x", 0, now + n * HOUR + 2);
		judge_get_budget(judge, &b);
		ck_assert(b.calibrated);
		ck_assert_uint_eq(b.today, n);
		for (unsigned i = 0; n == 0 && i < alert_count; i++)
			suppressed += alerts[i].suppressed;
		ck_assert(n || (suppressed > 0 && suppressed == alert_count));
	}
	ck_assert_uint_gt(alert_count, suppressed);
	ck_assert(!alerts[alert_count - 1].suppressed && !alerts[alert_count - 1].note);
	teardown();
	setup();
}
END_TEST

static unsigned flood_scores, other_scores, odd_scores;

static void on_score(void *user, const struct score *s)
{
	const struct address flooding = workstation(1);

	if (!address_equal(&s->device, &flooding))
		other_scores++;
	else if (s->endpoint_port == 4444)
		odd_scores++;
	else
		flood_scores++;
}

static void budgeted_for(unsigned days) // that many ordinary days with a budget of one alarm a day
{
	teardown();
	begin();
	judge_destroy(judge);
	judge = judge_create(&(struct judge_config){.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert,
						    .alarms_per_day = 1});
	for (unsigned day = 0; day < days; day++)
		ordinary_day(day);
	alert_count = 0;
}

static void budgeted(void)
{
	budgeted_for(16);
}

START_TEST(each_role_has_a_share_of_the_budget_by_the_root_of_its_devices)
{
	struct judge_budget b;
	double sum = 0;

	budgeted();
	judge_get_budget(judge, &b);
	ck_assert(b.calibrated);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		sum += b.role[r].alarms_per_day;
	ck_assert(fabs(sum - 1) < 0.01);
	ck_assert(fabs(b.role[ROLE_EXPOSED].alarms_per_day / b.role[ROLE_CLIENT].alarms_per_day -
		       sqrt((double)SERVERS / WORKSTATIONS)) < 0.01);
	teardown();
	setup();
}
END_TEST

static void strike(struct address device, struct address called, const char *agent, uint64_t now)
{
	opened(DIRECTION_OUT, device, called, 4444, now);
	protocol(device, called, 4444, APP_HTTP, true, now + 1);
	requested(device, called, 4444, "", agent, "/x", 0, now + 2);
}

START_TEST(policies_about_one_endpoint_count_as_the_strongest)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	const struct alert_proof *p;
	double most = 0, sum = 0;
	unsigned matches = 0;

	budgeted();
	strike(server(0), ip("203.0.113.77"), "evil/1", now);
	for (unsigned i = 0; i < alert_count; i++)
		if (strcmp(alerts[i].policy, "device/unusual") && strcmp(alerts[i].policy, "device/exposed-high-alert")) {
			most = fmax(most, alerts[i].weight);
			matches++;
		}
	p = &alerts[alert_count - 1].proof;
	for (unsigned i = 0; i < p->items; i++)
		sum += p->item[i].about ? p->item[i].microbits : 0;
	ck_assert_uint_gt(matches, 1);
	ck_assert(fabs(sum / EVIDENCE_BIT - most) < 1e-5);
	teardown();
	setup();
}
END_TEST

START_TEST(after_an_alarm_evidence_begins_anew)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	struct address at = server(0);
	const struct device *d;

	budgeted();
	strike(server(0), ip("203.0.113.77"), "evil/1", now);
	d = learn_device_find(learned, &at);
	ck_assert_int_gt(judge_evidence(judge, d, now + 3), 8 * EVIDENCE_BIT);
	judge_step(judge, START + 17 * DAY + 1, MODE_OBSERVE);
	ck_assert_int_eq(judge_evidence(judge, d, START + 17 * DAY + 1), 0);
	teardown();
	setup();
}
END_TEST

// Three servers of six days are fewer than twenty days of a device: what holds for the others holds for them, and not what odd days among so few say.
START_TEST(a_role_that_was_seen_too_little_alarms_at_the_threshold_it_is_told)
{
	struct judge_budget b;

	budgeted_for(9);
	for (unsigned day = 9; day < 12; day++) {
		strike(server(day - 9), ip("203.0.113.77"), "evil/1", START + day * DAY + HOUR);
		ordinary_day(day);
	}
	judge_step(judge, START + 12 * DAY + 1, MODE_OBSERVE);
	requested(server(1), ip("203.0.113.78"), 80, "new.example.net", "agent/2", "/x", 0, START + 12 * DAY + HOUR);
	judge_get_budget(judge, &b);
	ck_assert(b.calibrated);
	ck_assert_int_eq(b.role[ROLE_EXPOSED].threshold, 0); // as the clients'
	ck_assert_uint_eq(b.role[ROLE_EXPOSED].today, 1);
	teardown();
	setup();
}
END_TEST

// A true one is given back to the role whose budget it took, once, however many false ones another role has had.
START_TEST(a_confirmed_alarm_is_given_back_to_its_own_role)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	struct address clients[] = {workstation(1), workstation(2)}, at = server(0), quiet = server(1);
	struct judge_budget before, after;

	budgeted();
	judge_step(judge, now - HOUR, MODE_OBSERVE);
	judge_get_budget(judge, &before);
	strike(at, ip("203.0.113.77"), "evil/1", now);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 0; n < 8; n++)
			strike(clients[i], address_v4((uint8_t[]){203, 0, 113, (uint8_t)(100 + 10 * i + n)}), "evil/2", now + n * HOUR / 8);
	judge_get_budget(judge, &after);
	ck_assert_uint_eq(after.role[ROLE_EXPOSED].today, 1);
	ck_assert_uint_eq(after.role[ROLE_CLIENT].today, 2);
	ck_assert(judge_confirm(judge, &at));
	ck_assert(!judge_confirm(judge, &at));
	ck_assert(!judge_confirm(judge, &quiet));
	ck_assert(!judge_confirm(judge, &(struct address){4, {0}, {10, 9, 9, 9}}));
	judge_step(judge, START + 17 * DAY + 1, MODE_OBSERVE);
	judge_get_budget(judge, &after);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		ck_assert_msg(fabs(after.role[r].debt - before.role[r].debt - (r == ROLE_CLIENT ? 2 : 0) + after.role[r].alarms_per_day) < 1e-9,
			      "role %u: debt %g, was %g", r, after.role[r].debt, before.role[r].debt);
	teardown();
	setup();
}
END_TEST

// A brain that is always started with its budget must not forget at each start what it owes.
START_TEST(the_same_budget_said_again_changes_nothing)
{
	struct judge_budget before, after;
	struct image i;

	budgeted();
	judge_get_budget(judge, &before);
	ck_assert(before.debt < -1);
	judge_set_budget(judge, 1, 0);
	judge_get_budget(judge, &after);
	ck_assert(memcmp(&before, &after, sizeof(before)) == 0);
	judge_set_budget(judge, 1, 0.5);
	judge_get_budget(judge, &after);
	ck_assert(after.debt == before.debt && after.blocks_per_day == 0.5);
	image_begin(&i, 1);
	judge_put(judge, &i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	judge_set_budget(judge, 2, 0.5); // what the image says was another
	judge_get_budget(judge, &after);
	ck_assert(after.debt == 0);
	ck_assert_int_eq(judge_take(judge, &i), 0);
	judge_get_budget(judge, &before);
	ck_assert(memcmp(&before, &after, sizeof(before)) == 0);
	image_free(&i);
	teardown();
	setup();
}
END_TEST

static unsigned told_unusual(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < alert_count; i++)
		n += strcmp(alerts[i].policy, "device/unusual") == 0 && !alerts[i].note;
	return n;
}

// Two devices a day do something odd and an alarm in four days is wanted, so that the threshold lies among what they show.
static void budgeted_among_odd_days(void)
{
	budgeted_for(1);
	judge_set_budget(judge, 0.25, 0);
	for (unsigned day = 1; day < 16; day++) {
		for (unsigned n = 2 * day; n < 2 * day + 2; n++)
			opened(DIRECTION_OUT, workstation(n % WORKSTATIONS), address_v4((uint8_t[]){203, 0, 113, (uint8_t)(100 + n)}), (uint16_t)(3300 + n),
			       START + day * DAY + HOUR);
		ordinary_day(day);
	}
	judge_step(judge, START + 16 * DAY + 1, MODE_OBSERVE);
	alert_count = 0;
}

START_TEST(what_passes_the_threshold_is_told_and_what_stays_below_is_not)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	const struct address at = workstation(5);
	struct judge_budget b;
	unsigned below = 0, above = 0;

	budgeted_among_odd_days();
	judge_get_budget(judge, &b);
	ck_assert(b.calibrated && b.role[ROLE_CLIENT].threshold > 0);
	for (unsigned n = 0; n < 12; n++) {
		opened(DIRECTION_OUT, at, address_v4((uint8_t[]){203, 0, 113, (uint8_t)(150 + n)}), (uint16_t)(4400 + n), now + n);
		if (judge_evidence(judge, learn_device_find(learned, &at), now + n) > b.role[ROLE_CLIENT].threshold)
			above++;
		else
			below++;
		ck_assert_uint_eq(told_unusual(), above > 0);
	}
	ck_assert(below > 0 && above > 0);
	judge_get_budget(judge, &b);
	ck_assert_uint_eq(b.role[ROLE_CLIENT].today, 1);
	teardown();
	setup();
}
END_TEST

// The table of devices is full, and a new one takes the place of one with evidence and habits: it begins without them.
START_TEST(who_takes_a_forgotten_device_s_place_is_not_judged_by_it)
{
	const struct address odd = workstation(5);
	uint64_t now = START + 44 * DAY + 10 * HOUR;
	struct device *d;
	uint32_t index;

	budgeted_among_odd_days();
	opened(DIRECTION_OUT, odd, ip("203.0.113.150"), 4400, START + 16 * DAY + 10 * HOUR);
	index = learn_device_find(learned, &odd)->index;
	for (unsigned n = 1; learn_device_count(learned) < learn_device_capacity(learned); n++)
		opened(DIRECTION_OUT, address_v4((uint8_t[]){10, 0, 8, (uint8_t)n}), ip("198.51.100.10"), 443, now - DAY);
	d = learn_device_at(learned, index);
	ck_assert_int_gt(judge_evidence(judge, d, now), 0);
	for (unsigned n = 1; learn_device_find(learned, &odd); n++) {
		ck_assert_uint_lt(n, 64);
		opened(DIRECTION_OUT, address_v4((uint8_t[]){10, 0, 9, (uint8_t)n}), ip("198.51.100.10"), 443, now);
	}
	ck_assert_int_eq(judge_evidence(judge, d, now), 0);
	for (unsigned day = 1; day < 5; day++)
		opened(DIRECTION_OUT, d->address, ip("198.51.100.10"), 443, now + day * DAY);
	alert_count = 0;
	strike(d->address, ip("203.0.113.77"), "evil/1", now + 5 * DAY);
	ck_assert_uint_gt(alert_count, 0);
	for (unsigned i = 0; i < alert_count; i++)
		ck_assert_uint_le(alerts[i].habit.device_of, 5 * HABIT_DAY); // the one before had three times as many days
	teardown();
	setup();
}
END_TEST

// No policy has words for this, and each thing adds to what speaks against the device: told when 8 bits more do, not with
// each of them.
START_TEST(an_alarm_that_has_grown_is_told_again)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	int64_t told = 0, high;
	const int64_t *level;
	unsigned tellings = 0;

	budgeted();
	for (unsigned n = 0; n < 12; n++) {
		alert_count = 0;
		opened(DIRECTION_OUT, workstation(1), address_v4((uint8_t[]){203, 0, 113, (uint8_t)(100 + n)}),
		       (uint16_t)(3300 + n), now + n * 2 * HOUR / 3);
		if (!told_unusual())
			continue;
		ck_assert_uint_eq(told_unusual(), 1);
		level = alerts[alert_count - 1].proof.evidence.level;
		high = level[0] > level[1] ? level[0] : level[1];
		ck_assert_int_ge(high, told + (tellings ? 8 * (int64_t)EVIDENCE_BIT : 1));
		told = high;
		tellings++;
	}
	ck_assert_uint_ge(tellings, 3);
	ck_assert_uint_le(tellings, 8);
	teardown();
	setup();
}
END_TEST

// What a device does day after day weighs little on it, and its declared bits, or nearly, on others of its role.
START_TEST(a_match_that_is_a_habit_weighs_little)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;
	const struct alert *a;
	struct address called;
	char agent[16];

	teardown();
	begin();
	judge_destroy(judge);
	judge = judge_create(&(struct judge_config){.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert,
						    .alarms_per_day = 1});
	for (unsigned day = 0; day < 16; day++) {
		ordinary_day(day);
		called = address_v4((uint8_t[]){203, 0, 113, (uint8_t)(100 + day)});
		snprintf(agent, sizeof(agent), "tool%u/1", day);
		requested(server(0), called, 80, "", agent, "/x", 0, START + day * DAY + 20 * HOUR);
		alert_count = 0;
	}
	requested(server(0), ip("203.0.113.66"), 80, "", "tool99/1", "/x", 0, now);
	a = alert_of("conn/new-agent-bare-ip");
	ck_assert_ptr_nonnull(a);
	ck_assert(a->declared == 5 && a->weight < 2);
	ck_assert(a->weight == alert_weight(&a->habit, a->declared));
	alert_count = 0;
	requested(server(1), ip("203.0.113.67"), 80, "", "tool98/1", "/x", 0, now + HOUR);
	a = alert_of("conn/new-agent-bare-ip");
	ck_assert_ptr_nonnull(a);
	ck_assert(a->weight > 3);
	teardown();
	setup();
}
END_TEST

START_TEST(a_weight_is_the_rarer_of_what_is_declared_and_what_was_seen)
{
	struct alert_habit none = {0, 0, 0, 100 * HABIT_DAY}, often = {5 * HABIT_DAY, 9 * HABIT_DAY, 1, 100 * HABIT_DAY};

	struct alert_habit two = {0, 0, 2, 100 * HABIT_DAY}, nothing = {0};

	ck_assert(alert_weight(&none, 8) == 8);
	ck_assert(fabs(alert_weight(&nothing, 8) - 8) < 1e-9); // nothing was seen yet: as it declares
	ck_assert(fabs(alert_weight(&two, 8) - log2(114 / (2 + 14 / 256.0))) < 1e-9);
	ck_assert(fabs(alert_weight(&often, 8) - log2(1 / (0.5 + (1 + 14 / 256.0) / 114))) < 1e-9);
	ck_assert(alert_weight(&(struct alert_habit){9 * HABIT_DAY, 8 * HABIT_DAY, 9, 9}, 8) == 0);
}
END_TEST

START_TEST(what_is_more_likely_than_not_speaks_for_the_device)
{
	struct score s = {.class = SCORE_BEACON, .measured = 0.9, .rank = {.held = 500}};

	score_compute(&s);
	ck_assert(s.p < 0.01);
	ck_assert_int_eq(s.microbits, -EVIDENCE_BIT);
	s.measured = 1;
	score_compute(&s);
	ck_assert_int_gt(s.microbits, 3 * EVIDENCE_BIT);
}
END_TEST

static unsigned newcomers;

static void on_newcomer(void *user, const struct score *s)
{
	newcomers += s->among == AMONG_NEWCOMERS;
	ck_assert(s->among != AMONG_NEWCOMERS || s->p * ((double)s->rank.held + 1) >= 0.999999);
}

// Everything is new to a new device: it is compared with others when they were new, and what is odd among them is told.
START_TEST(a_newcomer_is_compared_with_newcomers)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR;

	teardown();
	begin();
	judge_destroy(judge);
	judge = judge_create(&(struct judge_config){.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert,
						    .score = on_newcomer, .alarms_per_day = 1});
	newcomers = 0;
	for (unsigned day = 0; day < 16; day++) {
		ordinary_day(day);
		for (unsigned n = 0; day == 12 && n < 400; n++)
			opened(DIRECTION_OUT, address_v4((uint8_t[]){10, 0, 0, (uint8_t)(100 + n / 10)}), ip("198.51.100.10"),
			       (uint16_t)(443 + n % 10), START + day * DAY + 20 * HOUR + n * NS_PER_S);
		alert_count = 0;
	}
	newcomers = 0;
	opened(DIRECTION_OUT, address_v4((uint8_t[]){10, 0, 0, 200}), ip("203.0.113.99"), 4444, now);
	ck_assert_uint_eq(newcomers, 1);
	opened(DIRECTION_OUT, address_v4((uint8_t[]){10, 0, 0, 201}), ip("198.51.100.10"), 443, now);
	ck_assert_uint_eq(newcomers, 1);
	teardown();
	setup();
}
END_TEST

// A device that calls thousands of new places: no more of them than so many go into the journal or the samples, what it
// does of another kind is still seen, and so is everybody else.
START_TEST(a_flood_is_scored_by_kinds_and_silences_nobody)
{
	uint64_t now = START + 16 * DAY + 10 * HOUR, left_out, crowded;

	teardown();
	begin();
	judge_destroy(judge);
	judge = judge_create(&(struct judge_config){.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert,
						    .score = on_score, .alarms_per_day = 1});
	for (unsigned day = 0; day < 16; day++)
		ordinary_day(day);
	flood_scores = odd_scores = other_scores = 0;
	left_out = counters.value[COUNT_BRAIN_SCORES_LEFT_OUT];
	ck_assert_uint_eq(left_out, 0);
	for (unsigned n = 0; n < 20000; n++) {
		opened(DIRECTION_OUT, workstation(1), address_v4((uint8_t[]){37, 0, (uint8_t)(n >> 8), (uint8_t)n}), 80, now + n);
		alert_count = 0;
	}
	crowded = counters.value[COUNT_BRAIN_CROWDED];
	ck_assert_uint_gt(crowded, 15000);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_SCORES_LEFT_OUT], 0);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_SCORES_UNNOTED], 0);
	ck_assert_uint_le(flood_scores, 512);
	ck_assert_uint_gt(flood_scores, 100);
	other_scores = 0;
	opened(DIRECTION_OUT, server(0), ip("203.0.113.77"), 4444, now + 30000);
	ck_assert_uint_gt(other_scores, 0);
	alert_count = 0;
	opened(DIRECTION_OUT, workstation(1), ip("203.0.113.78"), 4444, now + 30001); // another kind: counted as evidence
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_CROWDED], crowded + 1);
	now += DAY;
	flood_scores = 0;
	opened(DIRECTION_OUT, workstation(1), ip("203.0.113.79"), 4444, now); // the next day is a new one
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_CROWDED], crowded + 1);
	ck_assert_uint_gt(odd_scores, 0);
	teardown();
	setup();
}
END_TEST

static void add_scorer(TCase *cases)
{
	tcase_add_test(cases, the_same_budget_said_again_changes_nothing);
	tcase_add_test(cases, a_confirmed_alarm_is_given_back_to_its_own_role);
	tcase_add_test(cases, a_suppressed_alarm_is_none_of_the_budget_s);
	tcase_add_test(cases, each_role_has_a_share_of_the_budget_by_the_root_of_its_devices);
	tcase_add_test(cases, policies_about_one_endpoint_count_as_the_strongest);
	tcase_add_test(cases, after_an_alarm_evidence_begins_anew);
	tcase_add_test(cases, an_alarm_that_has_grown_is_told_again);
	tcase_add_test(cases, a_match_that_is_a_habit_weighs_little);
	tcase_add_test(cases, a_weight_is_the_rarer_of_what_is_declared_and_what_was_seen);
	tcase_add_test(cases, a_role_that_was_seen_too_little_alarms_at_the_threshold_it_is_told);
	tcase_add_test(cases, what_passes_the_threshold_is_told_and_what_stays_below_is_not);
	tcase_add_test(cases, who_takes_a_forgotten_device_s_place_is_not_judged_by_it);
	tcase_add_test(cases, what_is_more_likely_than_not_speaks_for_the_device);
	tcase_add_test(cases, a_newcomer_is_compared_with_newcomers);
	tcase_add_test(cases, a_flood_is_scored_by_kinds_and_silences_nobody);
}
