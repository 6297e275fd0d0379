// SPDX-License-Identifier: GPL-2.0-or-later
// The flow table, TCP's state and the order of bytes. Numbers in parentheses are the evasions of
// research/reliability.md §2.4.
#include <errno.h>
#include "flow_world.h"

static const enum flow_side C = FLOW_CLIENT, S = FLOW_SERVER;
enum { SYN = TCP_SYN, ACK = TCP_ACK, FIN = TCP_FIN, RST = TCP_RST };

// ---- the table ----

START_TEST(a_config_out_of_range_is_refused)
{
	static const struct flow_config wrong[] = {
		{.flows = 0}, {.flows = 3}, {.flows = FLOW_MAX_FLOWS * 2u}, {.flows = 2, .parked_segments = 65536}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		ck_assert_ptr_null(flow_table_create(&wrong[i], NULL, NULL, NULL));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

START_TEST(both_directions_are_one_flow_and_a_syn_ack_comes_from_the_server)
{
	struct world *w = world_new(8, 8);
	struct flow *f = say(w, S, SYN | ACK, 0, 1, "");

	ck_assert(w->sender == FLOW_SERVER && f->client_port == 40000 && f->server_port == 80);
	ck_assert_ptr_eq(say(w, C, ACK, 1, 1, ""), f);
	ck_assert(w->sender == FLOW_CLIENT && w->opened == 1 && f->state == FLOW_OPEN && flow_count(w->table) == 1);
	ck_assert(f->packets[C] == 1 && f->packets[S] == 1 && f->bytes[S] == 54);
	world_end(w);
}
END_TEST

START_TEST(family_vlan_transport_and_ports_keep_flows_apart)
{
	struct world *w = world_new(16, 8);
	struct flow *v4 = say(w, C, SYN, 0, 0, ""), *v6, *tagged, *other;
	struct packet p;

	w->v6 = true;
	v6 = say(w, C, SYN, 0, 0, "");
	w->vlan = 7;
	tagged = say(w, C, SYN, 0, 0, "");
	w->client_port++;
	other = say(w, C, SYN, 0, 0, "");
	p = world_packet(w, C);
	p.transport = TRANSPORT_UDP;
	world_pass(w, &p, bytes_of_text(""));
	ck_assert_uint_eq(flow_count(w->table), 5);
	ck_assert(v4 != v6 && v6 != tagged && tagged != other && other != w->flow);
	ck_assert_ptr_eq(say(w, S, SYN | ACK, 0, 1, ""), other);
	world_end(w);
}
END_TEST

START_TEST(flows_in_one_bucket_are_told_apart)
{
	struct world *w = world_new(1024, 8);
	struct flow *flows[1024];

	for (int i = 0; i < 1024; i++) { // load 1: chains are certain
		w->client_port = (uint16_t)i;
		flows[i] = say(w, C, SYN, 0, 0, "");
	}
	ck_assert_uint_eq(flow_count(w->table), 1024);
	for (int i = 0; i < 1024; i += 3)
		flow_remove(w->table, flows[i], FLOW_END_SHUTDOWN);
	for (int i = 0; i < 1024; i++) {
		struct packet p;
		enum flow_side sender;

		w->client_port = (uint16_t)i;
		p = world_packet(w, S);
		ck_assert_ptr_eq(flow_find(w->table, &p, &sender), i % 3 ? flows[i] : NULL);
		ck_assert(i % 3 == 0 || sender == FLOW_SERVER);
	}
	world_end(w);
}
END_TEST

START_TEST(an_id_dies_with_its_flow)
{
	struct world *w = world_new(1, 8);
	struct flow *f = say(w, C, SYN, 0, 0, "");
	uint64_t id = flow_id(w->table, f);

	ck_assert_ptr_eq(flow_by_id(w->table, id), f);
	ck_assert_ptr_null(flow_by_id(w->table, id + 1));
	flow_remove(w->table, f, FLOW_END_SHUTDOWN);
	flow_remove(w->table, f, FLOW_END_SHUTDOWN);
	ck_assert_uint_eq(w->ended, 1);
	ck_assert_ptr_null(flow_by_id(w->table, id));
	ck_assert_ptr_eq(say(w, C, SYN, 0, 0, ""), f);
	ck_assert_ptr_null(flow_by_id(w->table, id));
	ck_assert_uint_ne(flow_id(w->table, f), id);
	world_end(w);
}
END_TEST

START_TEST(icmp_answers_belong_to_their_question_and_open_at_once)
{
	struct world *w = world_new(8, 8);
	struct packet ask = world_packet(w, C), answer = world_packet(w, S);
	struct flow *f;

	ask.transport = answer.transport = TRANSPORT_ICMP;
	ask.source_port = 0x0800;
	ask.destination_port = answer.source_port = answer.destination_port = 0;
	f = world_pass(w, &ask, bytes_of_text(""));
	ck_assert_uint_eq(w->opened, 1);
	ck_assert_ptr_eq(world_pass(w, &answer, bytes_of_text("")), f);
	ck_assert(w->sender == FLOW_SERVER && w->opened == 1 && f->client_port == 0x0800);
	world_end(w);
}
END_TEST

START_TEST(a_full_table_gives_up_half_open_flows_and_then_says_no)
{
	struct world *w = world_new(8, 8);

	for (int i = 0; i < 8; i++) {
		w->client_port = (uint16_t)i;
		if (i == 3)
			say(w, C, SYN, 0, 0, "");
		else
			shake_hands(w);
	}
	w->client_port = 100;
	ck_assert_ptr_nonnull(shake_hands(w));
	ck_assert(w->ended == 1 && w->why == FLOW_END_EVICTED && counted(w, COUNT_FLOWS_EVICTED) == 1);
	w->client_port = 101;
	ck_assert_ptr_null(say(w, C, SYN, 0, 0, ""));
	ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL), 1);
	w->client_port = 100; // a closed one is no loss either
	say(w, C, RST, 1, 0, "");
	w->client_port = 101;
	ck_assert_ptr_nonnull(say(w, C, SYN, 0, 0, ""));
	ck_assert_int_eq(w->why, FLOW_END_RST);
	w->flow->flags |= FLOW_FLAG_CUT; // a cut must not be forgotten for a stranger's SYN
	w->client_port = 102;
	ck_assert_ptr_null(say(w, C, SYN, 0, 0, ""));
	world_end(w);
}
END_TEST

// One spoofed segment of data each, to hosts that are silent: nothing but a claim, yet such a flow counts as open.
START_TEST(data_out_of_nowhere_does_not_fill_the_table_for_an_hour)
{
	struct world *w = world_new(8, 8);

	for (uint16_t i = 0; i < 8; i++) {
		w->client_port = (uint16_t)(50000 + i);
		ck_assert_ptr_nonnull(say(w, FLOW_CLIENT, TCP_ACK, 1, 1, "spoofed"));
	}
	w->client_port = 40000;
	ck_assert_ptr_nonnull(shake_hands(w));
	ck_assert_uint_eq(counted(w, COUNT_FLOWS_FULL), 0);
	world_end(w);
}
END_TEST

START_TEST(in_midstream_the_lower_port_is_the_server)
{
	struct world *w = world_new(8, 8);

	say(w, FLOW_SERVER, TCP_ACK, 1, 1, "answer");
	ck_assert_uint_eq(w->flow->server_port, 80);
	ck_assert_int_eq(w->sender, FLOW_SERVER);
	world_end(w);
}
END_TEST

START_TEST(each_state_has_its_time_out)
{
	static const struct {
		int until; // how far the connection gets
		uint64_t seconds;
		enum flow_end why;
	} rows[] = {{0, 30, FLOW_END_TIMEOUT},
		    {1, 3600, FLOW_END_TIMEOUT},
		    {2, 60, FLOW_END_TIMEOUT},
		    {3, 10, FLOW_END_FIN},
		    {4, 10, FLOW_END_RST}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);

		say(w, C, SYN, 0, 0, "");
		if (rows[i].until > 0)
			shake_hands(w);
		if (rows[i].until == 2 || rows[i].until == 3) {
			say(w, C, FIN | ACK, 1, 1, "");
			say(w, S, ACK, 1, 2, "");
		}
		if (rows[i].until == 3) {
			say(w, S, FIN | ACK, 1, 2, "");
			say(w, C, ACK, 2, 2, "");
		}
		if (rows[i].until == 4)
			say(w, S, RST, 1, 0, "");
		flow_table_step(w->table, w->now + rows[i].seconds * SECOND - 1);
		ck_assert_uint_eq(w->ended, 0);
		flow_table_step(w->table, w->now - SECOND); // a clock that steps back ends nothing
		flow_table_step(w->table, w->now + rows[i].seconds * SECOND);
		ck_assert(w->ended == 1 && w->why == rows[i].why);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_EXPIRED), rows[i].why == FLOW_END_TIMEOUT);
		world_end(w);
	}
}
END_TEST

START_TEST(a_sweep_is_bounded_and_gets_round)
{
	struct world *w = world_new(1024, 8);

	for (int i = 0; i < 1000; i++) {
		w->client_port = (uint16_t)i;
		say(w, C, SYN, 0, 0, "");
	}
	flow_table_step(w->table, w->now + 31 * SECOND);
	ck_assert_uint_eq(w->ended, FLOW_SWEEP_PER_STEP);
	for (int i = 0; i < 1000 / FLOW_SWEEP_PER_STEP; i++)
		flow_table_step(w->table, w->now + 31 * SECOND);
	ck_assert(w->ended == 1000 && flow_count(w->table) == 0);
	world_end(w);
}
END_TEST

START_TEST(an_idle_flow_ends_when_its_packet_comes_before_the_sweep)
{
	struct world *w = world_new(8, 8);
	uint64_t id = flow_id(w->table, shake_hands(w));

	w->now += 3600 * SECOND;
	say(w, C, SYN, 99, 0, "");
	ck_assert(w->ended == 1 && w->why == FLOW_END_TIMEOUT && flow_id(w->table, w->flow) != id);
	world_end(w);
}
END_TEST

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
#include "flow_test_order.h"

int main(void)
{
	const TTest *const tests[] = {
		a_config_out_of_range_is_refused,
		both_directions_are_one_flow_and_a_syn_ack_comes_from_the_server,
		family_vlan_transport_and_ports_keep_flows_apart,
		flows_in_one_bucket_are_told_apart,
		an_id_dies_with_its_flow,
		icmp_answers_belong_to_their_question_and_open_at_once,
		a_full_table_gives_up_half_open_flows_and_then_says_no,
		data_out_of_nowhere_does_not_fill_the_table_for_an_hour,
		in_midstream_the_lower_port_is_the_server,
		each_state_has_its_time_out,
		a_sweep_is_bounded_and_gets_round,
		an_idle_flow_ends_when_its_packet_comes_before_the_sweep,
		a_flow_opens_once_at_the_clients_ack,
		the_answer_settles_which_syn_counts,
		the_clients_ack_settles_which_syn_ack_counts,
		simultaneous_and_split_handshakes_open,
		data_on_a_syn_counts_only_if_the_server_acknowledges_it,
		midstream_data_opens_a_flow_with_both_numbers_adopted,
		one_direction_alone_is_followed,
		a_syn_ack_after_bytes_believed_one_way_is_flagged,
		FLOW_TESTS_TCP,
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
