// SPDX-License-Identifier: GPL-2.0-or-later
// app/brain/serve.c: what the brain answers, and what it does not let itself be asked.
#include "small_reason.h"

#include "brain.h"

#include <errno.h>

static struct brain brain;

uint64_t clock_unix_ns(void)
{
	return NOW;
}

uint64_t clock_deadline_ns(void)
{
	return NOW;
}

static void begin(void)
{
	char error[512];

	setup();
	brain = (struct brain){.reason = reason, .policies = policies, .options = {.state = state}};
	for (unsigned l = 0; l < 2; l++)
		ck_assert_ptr_nonnull(brain.story[l] = story_load(SEKIMORI_SOURCE_DIR "/policy", l ? "ja" : "en", error));
}

static void end(void)
{
	story_free(brain.story[0]);
	story_free(brain.story[1]);
	state_end();
}

static Control__Reply *ask(Control__Verb verb, uint64_t limit, const char *address)
{
	static const struct control_peer peer = {.name = "mika", .may_change = true};
	Control__Request q = CONTROL__REQUEST__INIT;
	Control__Reply *reply = calloc(1, sizeof(*reply));

	control__reply__init(reply);
	q.verb = verb;
	q.limit = limit;
	q.address = (char *)(uintptr_t)address;
	brain_answer(&brain, &peer, &q, reply);
	return reply;
}

static int error_of(Control__Verb verb, uint64_t limit, const char *address)
{
	Control__Reply *r = ask(verb, limit, address);
	int error = r->error;

	ck_assert_int_eq(error != 0, *r->message != 0);
	control__reply__free_unpacked(r, NULL);
	return error;
}

START_TEST(no_question_is_without_a_limit)
{
	static const Control__Verb lists[] = {CONTROL__VERB__ALERT_LIST, CONTROL__VERB__INCIDENT_LIST, CONTROL__VERB__BLOCK_LIST,
					      CONTROL__VERB__DEVICE_LIST};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		ck_assert_int_eq(error_of(lists[i], 0, ""), 0);
		ck_assert_int_eq(error_of(lists[i], 10000, ""), 0);
		ck_assert_int_eq(error_of(lists[i], 1ull << 32, ""), EINVAL); // 0 in 32 bits: all there are
		ck_assert_int_eq(error_of(lists[i], UINT64_MAX, ""), EINVAL);
	}
}
END_TEST

START_TEST(alerts_of_no_device_are_not_those_of_all)
{
	Control__Reply *r;

	java_reference(9, NOW);
	r = ask(CONTROL__VERB__ALERT_LIST, 0, "192.0.2.10");
	ck_assert_uint_gt(r->n_alerts, 0);
	control__reply__free_unpacked(r, NULL);
	ck_assert_int_eq(error_of(CONTROL__VERB__ALERT_LIST, 0, "192.0.2.300"), EINVAL);
	ck_assert_int_eq(error_of(CONTROL__VERB__ALERT_LIST, 0, "mail.example.org"), EINVAL);
}
END_TEST

START_TEST(a_number_that_is_no_port_and_no_transport_is_not_cut_to_one)
{
	static const struct control_peer peer = {.name = "mika", .may_change = true};
	static const struct {
		uint32_t port, transport;
		int error;
	} asked[] = {{88, 6, 0}, {65536 + 88, 6, EINVAL}, {88, 256 + 6, EINVAL}, {88, 3, EINVAL}};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		Control__Request q = CONTROL__REQUEST__INIT;
		Control__Reply *reply = calloc(1, sizeof(*reply));

		control__reply__init(reply);
		q.verb = CONTROL__VERB__BLOCK_ADD;
		q.address = (char *)(uintptr_t)"198.51.100.7";
		q.port = asked[i].port;
		q.transport = asked[i].transport;
		brain_answer(&brain, &peer, &q, reply);
		ck_assert_int_eq(reply->error, asked[i].error);
		control__reply__free_unpacked(reply, NULL);
	}
}
END_TEST

// Where no block was ever wanted wrongly, nothing is not enough.
START_TEST(the_threshold_of_blocks_is_the_one_that_holds)
{
	Control__Reply *r;

	ck_assert_int_eq(reason_set_budget(reason, 1, 0, "mika", NOW), 0);
	r = ask(CONTROL__VERB__BUDGET_GET, 0, "");
	ck_assert_ptr_nonnull(r->budget);
	ck_assert(r->budget->block_threshold == 10);
	control__reply__free_unpacked(r, NULL);
	ck_assert_int_eq(reason_set_budget(reason, 0, 0, "mika", NOW), 0);
	r = ask(CONTROL__VERB__BUDGET_GET, 0, "");
	ck_assert(r->budget->block_threshold == 0);
	control__reply__free_unpacked(r, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("brain_answer");
	TCase *cases = tcase_create("answers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, no_question_is_without_a_limit);
	tcase_add_test(cases, alerts_of_no_device_are_not_those_of_all);
	tcase_add_test(cases, a_number_that_is_no_port_and_no_transport_is_not_cut_to_one);
	tcase_add_test(cases, the_threshold_of_blocks_is_the_one_that_holds);
	tcase_set_timeout(cases, 60);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
