// SPDX-License-Identifier: GPL-2.0-or-later
// Stored alerts judged again by other policies: what the alert holds is enough for weights and responses, and for nothing
// else.
#include "reweigh.h"
#include "text.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_MS 1700000000000ull

static struct policy_set *read_policy(const char *version, const char *when, const char *weight, const char *response)
{
	char text[1024], error[POLICY_ERROR_BYTES] = "";
	struct policy_set *set;

	snprintf(text, sizeof(text),
		 "policy: t/t\ntitle: t\nversion: %s\npriority: 3\nphase: control\nthrottle: 1h per device\non: flow.open\nwhen: [%s]\n"
		 "evidence: [endpoint]\nweight: %s\n%s", version, when, weight, response);
	set = policy_read_text("t.yaml", bytes_of_text(text), error);
	ck_assert_msg(set != NULL, "%s", error);
	return set;
}

#define WHEN "direction == out, endpoint.days == 0"
#define BLOCK "response: {block: endpoint-port, for: 1h}\n"

// An alert whose policy added 5 bits to 4 known ones; the threshold was 8, that of blocks 12.
static struct alert stored(int32_t known_bits, uint8_t families)
{
	const struct evidence_config config = {.half_life_ms = {1800000, 259200000}};
	struct alert a = {.version = ALERT_VERSION, .bytes = sizeof(a), .id = 1, .time_ns = NOW_MS * 1000000, .policy_version = 1, .priority = 3,
			  .weight = 5, .direction = DIRECTION_OUT};
	struct alert_proof *p = &a.proof;

	strcpy(a.policy, "t/t");
	p->items = 2;
	p->item[0] = (struct evidence_item){1, NOW_MS, known_bits * EVIDENCE_BIT, 1};
	p->item[1] = (struct evidence_item){2, NOW_MS, 5 * EVIDENCE_BIT, SCORE_CLASSES};
	p->before.time_ms = NOW_MS;
	memcpy(p->half_life_ms, config.half_life_ms, sizeof(p->half_life_ms));
	p->evidence = evidence_fold(&config, p->before, p->item, p->items);
	p->calibrated = 1;
	p->families = families;
	p->threshold = 8 * EVIDENCE_BIT;
	p->block_threshold = 12 * EVIDENCE_BIT;
	p->per_day = 1;
	return a;
}

static enum reweigh_word again(const char *weight, const char *response, const struct alert *then, struct alert *now)
{
	struct policy_set *set = read_policy("1", WHEN, weight, response);
	enum reweigh_word word = reweigh_alert(set, NULL, then, now);

	policy_free(set);
	return word;
}

START_TEST(the_same_policy_says_the_same)
{
	struct alert then = stored(4, 1), now;

	ck_assert_int_eq(again("5", "", &then, &now), REWEIGH_DONE);
	ck_assert_mem_eq(&then.proof.evidence, &now.proof.evidence, sizeof(now.proof.evidence));
	ck_assert(!now.note);
	ck_assert_uint_eq(now.priority, 3);
	ck_assert(!now.wants_block);
}
END_TEST

START_TEST(a_lighter_one_makes_a_note_and_a_heavier_one_an_alert)
{
	struct alert then = stored(4, 1), now;

	ck_assert_int_eq(again("3", "", &then, &now), REWEIGH_DONE); // 7 bits
	ck_assert(now.note);
	ck_assert_uint_eq(now.priority, 1);
	then = stored(2, 1);
	then.note = 1;
	then.priority = 1;
	ck_assert_int_eq(again("5", "", &then, &now), REWEIGH_DONE); // 7 bits
	ck_assert(now.note);
	ck_assert_int_eq(again("7", "", &then, &now), REWEIGH_DONE); // 9 bits
	ck_assert(!now.note);
	ck_assert_uint_eq(now.priority, 3);
}
END_TEST

START_TEST(a_block_needs_evidence_and_what_nobody_asked_for_is_not_made_up)
{
	struct alert then = stored(8, 2), now;

	then.wants_block = 1; // asked and done: the device was ready
	ck_assert_int_eq(again("5", BLOCK, &then, &now), REWEIGH_DONE);
	ck_assert(now.wants_block && !now.unproven);
	ck_assert_uint_eq(now.block_ns, 3600 * NS_PER_S);
	ck_assert_int_eq(again("3", BLOCK, &then, &now), REWEIGH_DONE); // 11 bits
	ck_assert(now.wants_block && now.unproven);
	ck_assert_int_eq(again("5", "", &then, &now), REWEIGH_DONE);
	ck_assert(!now.wants_block);
	then.unproven = 1; // with the same evidence: it was not ready
	ck_assert_int_eq(again("7", BLOCK, &then, &now), REWEIGH_DONE);
	ck_assert(now.unproven);
	then = stored(4, 2);
	then.wants_block = then.unproven = 1; // for want of evidence: its readiness is not known
	ck_assert_int_eq(again("5", BLOCK, &then, &now), REWEIGH_DONE);
	ck_assert(now.unproven);
	ck_assert_int_eq(again("9", BLOCK, &then, &now), REWEIGH_RESPONSE);
	then = stored(8, 2); // asked for nothing
	ck_assert_int_eq(again("5", BLOCK, &then, &now), REWEIGH_RESPONSE);
	then.certain = 1;
	ck_assert_int_eq(again("5", BLOCK, &then, &now), REWEIGH_RESPONSE); // its certainty came from the policy then
}
END_TEST

START_TEST(other_conditions_need_captures_whatever_the_version_says)
{
	struct policy_set *one = read_policy("1", WHEN, "5", ""), *two = read_policy("2", WHEN, "5", ""),
			  *other = read_policy("1", "direction == out, endpoint.days == 1", "5", "");
	struct alert then = stored(4, 1), now;

	ck_assert(reweigh_same_conditions(one, two, "t/t"));
	ck_assert(!reweigh_same_conditions(one, other, "t/t"));
	ck_assert(!reweigh_same_conditions(one, two, "t/u"));
	ck_assert_int_eq(reweigh_alert(two, NULL, &then, &now), REWEIGH_CONDITIONS);
	ck_assert_int_eq(reweigh_alert(two, one, &then, &now), REWEIGH_DONE);
	ck_assert_int_eq(reweigh_alert(other, NULL, &then, &now), REWEIGH_DONE); // who keeps the version says they are the same
	ck_assert_int_eq(reweigh_alert(other, one, &then, &now), REWEIGH_CONDITIONS);
	strcpy(then.policy, "t/gone");
	ck_assert_int_eq(reweigh_alert(one, NULL, &then, &now), REWEIGH_NO_POLICY);
	policy_free(one);
	policy_free(two);
	policy_free(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reweigh");
	TCase *t = tcase_create("reweigh");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, the_same_policy_says_the_same);
	tcase_add_test(t, a_lighter_one_makes_a_note_and_a_heavier_one_an_alert);
	tcase_add_test(t, a_block_needs_evidence_and_what_nobody_asked_for_is_not_made_up);
	tcase_add_test(t, other_conditions_need_captures_whatever_the_version_says);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
