// SPDX-License-Identifier: GPL-2.0-or-later
// The flow table, TCP's state and the order of bytes. Numbers in parentheses are the evasions of
// research/reliability.md §2.4.
#include <errno.h>
#include "flow_world.h"

static const enum flow_side C = FLOW_CLIENT, S = FLOW_SERVER;
enum { SYN = TCP_SYN, ACK = TCP_ACK, FIN = TCP_FIN, RST = TCP_RST };

#include "flow_test_table.h"
#include "flow_test_time.h"

// ---- handshake ----

START_TEST(a_flow_opens_once_at_the_clients_ack)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN, 0, 0, "");
	ck_assert(w->flow->state == FLOW_OPENING && w->opened == 0);
	say(w, S, SYN | ACK, 0, 1, "");
	ck_assert(w->flow->state == FLOW_ANSWERED && w->opened == 0);
	say(w, C, ACK, 1, 777, ""); // a spoofer does not know the server's number
	ck_assert(w->flow->state == FLOW_ANSWERED && w->opened == 0);
	say(w, C, ACK, 1, 1, "");
	say(w, C, ACK, 1, 1, "");
	ck_assert(w->flow->state == FLOW_OPEN && w->opened == 1 && !(w->flow->flags & FLOW_FLAG_MIDSTREAM));
	world_end(w);
}
END_TEST

START_TEST(the_answer_settles_which_syn_counts)
{
	for (uint32_t taken = 0; taken <= 5000; taken += 5000) { // (28) two SYNs, and the server takes either
		struct world *w = world_new(8, 8);

		say(w, C, SYN, 0, 0, "");
		say(w, C, SYN, 5000, 0, "");
		say(w, S, SYN | ACK, 0, 1234, ""); // (35) an answer to neither
		ck_assert_int_eq(w->flow->state, FLOW_OPENING);
		say(w, S, SYN | ACK, 0, taken + 1, "");
		say(w, C, SYN, 9000, 0, ""); // (28) too late
		say(w, C, ACK, taken + 1, 1, "");
		ck_assert_uint_eq(w->opened, 1);
		say(w, C, ACK, taken + 1, 1, "right");
		assert_got(w, C, "right");
		world_end(w);
	}
}
END_TEST

START_TEST(the_clients_ack_settles_which_syn_ack_counts)
{
	for (uint32_t taken = 0; taken <= 5000; taken += 5000) { // (36)
		struct world *w = world_new(8, 8);

		say(w, C, SYN, 0, 0, "");
		say(w, S, SYN | ACK, 0, 1, "");
		say(w, S, SYN | ACK, 5000, 1, "");
		say(w, C, ACK, 1, taken + 1, "");
		ck_assert_uint_eq(w->opened, 1);
		say(w, S, ACK, taken + 1, 1, "right");
		assert_got(w, S, "right");
		world_end(w);
	}
}
END_TEST

START_TEST(simultaneous_and_split_handshakes_open)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN, 0, 0, ""); // (33)
	say(w, S, SYN, 0, 0, "");
	say(w, C, SYN | ACK, 0, 1, "");
	say(w, S, SYN | ACK, 0, 1, "");
	ck_assert_uint_eq(w->opened, 1);
	w->client_port++;
	say(w, C, SYN, 0, 0, ""); // (32)
	say(w, S, SYN, 0, 0, "");
	say(w, C, SYN | ACK, 0, 1, "");
	say(w, S, ACK, 1, 1, "");
	ck_assert_uint_eq(w->opened, 2);
	say(w, C, ACK, 1, 1, "x");
	assert_got(w, C, "x");
	world_end(w);
}
END_TEST

START_TEST(data_on_a_syn_counts_only_if_the_server_acknowledges_it)
{
	for (int taken = 0; taken < 2; taken++) { // (25) (27)
		struct world *w = world_new(8, 8);

		say(w, C, SYN, 0, 0, "EVIL");
		say(w, S, SYN | ACK, 0, taken ? 5 : 1, "");
		assert_got(w, C, "");
		say(w, C, ACK, taken ? 5 : 1, 1, taken ? "more" : "real");
		ck_assert_uint_eq(w->opened, 1);
		say(w, S, ACK, 1, taken ? 9 : 5, "");
		assert_got(w, C, taken ? "EVILmore" : "real");
		world_end(w);
	}
}
END_TEST

START_TEST(midstream_data_opens_a_flow_with_both_numbers_adopted)
{
	struct world *w = world_new(8, 8);

	say(w, C, ACK, 99, 500, ""); // a keep-alive: one below the truth
	ck_assert(w->opened == 0 && w->flow->state == FLOW_NEW);
	say(w, C, ACK, 100, 500, "ask");
	ck_assert(w->opened == 1 && w->flow->state == FLOW_OPEN && w->flow->flags & FLOW_FLAG_MIDSTREAM);
	say(w, S, ACK, 500, 103, "answer");
	assert_got(w, C, "ask");
	assert_got(w, S, "answer");
	ck_assert(w->opened == 1 && counted(w, COUNT_TCP_MIDSTREAM) == 1 && !is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(one_direction_alone_is_followed)
{
	struct world *w = world_new(8, 256);
	char one[2] = "";

	say(w, C, SYN, 0, 0, ""); // (38)
	say(w, C, ACK, 1, 1, "first ");
	say(w, C, ACK, 7, 900, "second");
	ck_assert_uint_eq(w->opened, 1);
	assert_got(w, C, "first second");
	for (int i = 0; i < FLOW_PARK_PER_SIDE; i++) { // nobody's ACK can say that byte 13 is lost
		one[0] = (char)('0' + i);
		say(w, C, ACK, 14 + (uint32_t)i, 900, one);
	}
	ck_assert(w->got_bytes[C] == 12 + FLOW_PARK_PER_SIDE && w->gaps[C] == 1 && is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(a_syn_ack_after_bytes_believed_one_way_is_flagged)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN, 0, 0, "");
	say(w, C, ACK, 1, 1, "forged");
	ck_assert(!is_uninspected(w));
	say(w, S, SYN | ACK, 0, 1, "");
	ck_assert(is_uninspected(w));
	world_end(w);
}
END_TEST

#include "flow_test_tcp.h"
#include "flow_test_syns.h"
#include "flow_test_order.h"

int main(void)
{
	const TTest *const tests[] = {
		FLOW_TESTS_TABLE,
		FLOW_TESTS_TIME,
		a_flow_opens_once_at_the_clients_ack,
		the_answer_settles_which_syn_counts,
		the_clients_ack_settles_which_syn_ack_counts,
		simultaneous_and_split_handshakes_open,
		data_on_a_syn_counts_only_if_the_server_acknowledges_it,
		midstream_data_opens_a_flow_with_both_numbers_adopted,
		one_direction_alone_is_followed,
		a_syn_ack_after_bytes_believed_one_way_is_flagged,
		FLOW_TESTS_TCP,
		FLOW_TESTS_SYNS,
		FLOW_TESTS_ORDER,
	};
	Suite *suite = suite_create("flow");
	TCase *tcase = tcase_create("flow");
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
