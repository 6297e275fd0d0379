// SPDX-License-Identifier: GPL-2.0-or-later
#include "reason.h"
#include "text.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW 1700000000000000000ull

static struct reason *reason;
static struct policy_set *policies;
static struct brain_sheet *sheet;
static struct counters counters;
static struct verdict sent[64];
static unsigned sents;
static char state[64];

static void take(void *user, unsigned worker, const struct verdict *v)
{
	if (sents < 64)
		sent[sents++] = *v;
}

static void open_reason(unsigned mode)
{
	struct reason_config c = {.state = state, .policies = policies, .mode = mode, .devices = 256, .values = 1 << 14, .key = {1, 2}, .filter_key = {3, 4},
				  .sheet = sheet, .hold = true, .counters = &counters, .hooks = {.verdict = take}};
	char error[512];

	sents = 0;
	reason = reason_create(&c, error);
	ck_assert_msg(reason != NULL, "%s", error);
}

static void setup(void)
{
	char error[POLICY_ERROR_BYTES];

	strcpy(state, "/tmp/sekimori-reason-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
	policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	ck_assert_msg(policies != NULL, "%s", error);
	sheet = calloc(1, sizeof(*sheet));
	brain_sheet_init(sheet);
	counters = (struct counters){0};
	open_reason(MODE_ENFORCE);
}

static void teardown(void)
{
	static const char *const files[] = {"journal.db", "journal.db-wal", "journal.db-shm", "learned"};
	char path[128];

	reason_destroy(reason);
	policy_free(policies);
	free(sheet);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", state, files[i]);
		unlink(path);
	}
	rmdir(state);
}

static struct observation observation(enum observation_kind kind, enum direction direction)
{
	struct observation o;

	observation_init(&o, kind);
	o.client = address_v4((const uint8_t[4]){192, 0, 2, 10});
	o.server = address_v4((const uint8_t[4]){203, 0, 113, 9});
	if (direction == DIRECTION_IN) {
		struct address a = o.client;

		o.client = o.server;
		o.server = a;
	}
	o.client_port = 40000;
	o.server_port = 1389;
	o.transport = 6;
	o.direction = (uint8_t)direction;
	o.flow = 1ull << 32 | 5;
	o.time_ns = NOW;
	o.sequence = 1;
	o.from_client = 1;
	return o;
}

static unsigned count_sent(enum verdict_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sents; i++)
		n += sent[i].kind == kind;
	return n;
}

// A reference to Java code from a directory outside: certain, so it needs no learned days.
static void java_reference(void)
{
	struct observation o = observation(OBS_LDAP, DIRECTION_OUT);

	o.app = APP_LDAP;
	o.from_client = 0;
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	observation_put(&o, TEXT_LDAP_CODEBASE, bytes_of_text("http://203.0.113.9:8000/"));
	o.facts = FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
	reason_observe(reason, &o);
}

START_TEST(a_certain_fact_cuts_the_flow_and_blocks_the_endpoint_for_two_hours)
{
	java_reference();
	ck_assert_uint_eq(count_sent(VERDICT_CUT), 1);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
	for (unsigned i = 0; i < sents; i++) {
		if (sent[i].kind != VERDICT_BLOCK)
			continue;
		ck_assert(verdict_check(&sent[i], NOW));
		ck_assert_uint_eq(sent[i].port, 1389);
		ck_assert_uint_eq(sent[i].expires_ns, NOW + RESPOND_DEFAULT_NS);
	}
}
END_TEST

START_TEST(in_observe_nothing_is_ordered)
{
	reason_set_mode(reason, MODE_OBSERVE, "test", NOW);
	java_reference();
	ck_assert_uint_eq(sents, 0);
	ck_assert_uint_ge(counters.value[COUNT_BRAIN_ALERTS], 1);
}
END_TEST

START_TEST(a_harmless_held_pair_is_released)
{
	struct observation o = observation(OBS_HELD, DIRECTION_OUT);

	reason_observe(reason, &o);
	ck_assert_uint_eq(count_sent(VERDICT_RELEASE), 1);
	ck_assert_uint_eq(sent[0].flow, o.flow);
}
END_TEST

START_TEST(a_held_pair_that_a_lookup_named_is_blocked_instead)
{
	struct observation o = observation(OBS_JNDI, DIRECTION_IN), held = observation(OBS_HELD, DIRECTION_OUT);

	observation_put(&o, TEXT_JNDI_HOST, bytes_of_text("203.0.113.9"));
	observation_put(&o, TEXT_JNDI_DECODED, bytes_of_text("jndi:ldap://203.0.113.9:1389/a"));
	o.facts = FACT_BIT(FACT_JNDI);
	o.client = address_v4((const uint8_t[4]){198, 51, 100, 7});
	reason_observe(reason, &o);
	held.time_ns += NS_PER_S;
	reason_observe(reason, &held);
	ck_assert_uint_eq(count_sent(VERDICT_RELEASE), 0);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
}
END_TEST

START_TEST(blocks_and_mode_survive_a_restart_with_the_time_that_remains)
{
	java_reference();
	reason_step(reason, NOW + NS_PER_S);
	reason_save(reason);
	reason_destroy(reason);
	open_reason(MODE_COUNT);
	ck_assert_uint_eq(reason_mode(reason), MODE_OBSERVE); // no mode was ever set by a person
	reason_set_mode(reason, MODE_ENFORCE, "test", NOW);
	reason_destroy(reason);
	open_reason(MODE_COUNT);
	ck_assert_uint_eq(reason_mode(reason), MODE_ENFORCE);
	sents = 0;
	reason_resume(reason, NOW + 2 * NS_PER_S);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
	ck_assert_uint_eq(sent[0].expires_ns, NOW + RESPOND_DEFAULT_NS);
}
END_TEST

START_TEST(nonsense_from_the_ring_is_counted_and_consumed)
{
	struct observation o = observation(OBS_LDAP, DIRECTION_OUT);

	o.slot[0] = (struct text_slot){60000, 60000};
	reason_observe(reason, &o);
	o = observation(OBS_LDAP, DIRECTION_OUT);
	o.kind = 4711;
	reason_observe(reason, &o);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_OBSERVATIONS_BAD], 2);
}
END_TEST

START_TEST(the_table_of_certain_facts_is_published_whole)
{
	ck_assert_uint_eq(sheet->certain_version & 1, 0);
	ck_assert_uint_gt(sheet->certain_version, 0);
	ck_assert_uint_gt(sheet->certain_count, 0);
	ck_assert_uint_le(sheet->certain_count, SHEET_CERTAIN);
	ck_assert_uint_eq(sheet->mode, MODE_ENFORCE);
}
END_TEST

START_TEST(a_pair_becomes_known_on_a_later_day_not_by_knocking_twice)
{
	struct siphash_key key = {3, 4};
	struct observation o = observation(OBS_FLOW_OPEN, DIRECTION_OUT);

	reason_observe(reason, &o);
	o.time_ns += 3600 * NS_PER_S;
	reason_observe(reason, &o);
	ck_assert(!filter_has(sheet, &key, FILTER_PAIR, &o.client, &o.server));
	o.time_ns += 25 * 3600 * NS_PER_S;
	reason_observe(reason, &o);
	ck_assert(filter_has(sheet, &key, FILTER_PAIR, &o.client, &o.server));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reason");
	TCase *t = tcase_create("reason");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_certain_fact_cuts_the_flow_and_blocks_the_endpoint_for_two_hours);
	tcase_add_test(t, in_observe_nothing_is_ordered);
	tcase_add_test(t, a_harmless_held_pair_is_released);
	tcase_add_test(t, a_held_pair_that_a_lookup_named_is_blocked_instead);
	tcase_add_test(t, blocks_and_mode_survive_a_restart_with_the_time_that_remains);
	tcase_add_test(t, nonsense_from_the_ring_is_counted_and_consumed);
	tcase_add_test(t, the_table_of_certain_facts_is_published_whole);
	tcase_add_test(t, a_pair_becomes_known_on_a_later_day_not_by_knocking_twice);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
