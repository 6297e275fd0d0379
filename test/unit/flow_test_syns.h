// SPDX-License-Identifier: GPL-2.0-or-later
// Part of flow_test.c: several SYNs or SYN/ACKs with different numbers (evasions 28 and 36), in every order in which they and what
// follows them can pass. Which one counts is the receiver's word.
#pragma once

enum { SYNS = 6, SYN_STEP = 70000 };

static uint32_t syn_number(int i)
{
	return (uint32_t)(i * SYN_STEP);
}

static void say_syn_acks(struct world *w, int from, int to)
{
	for (int i = from; i < to; i++)
		say(w, S, SYN | ACK, syn_number(i), 1, "");
}

static void assert_taken(const struct world *w)
{
	assert_got(w, C, "ask");
	assert_got(w, S, "right");
	ck_assert(w->opened == 1 && !is_uninspected(w) && counted(w, COUNT_TCP_COPY) == 0);
	ck_assert(!(w->flow->flags & FLOW_FLAG_MIDSTREAM));
}

// The first `by_then` SYN/ACKs have passed when the client's acknowledgement does; what comes later changes nothing.
START_TEST(any_of_several_syn_acks_may_be_taken)
{
	for (int taken = 0; taken < SYNS; taken++) {
		for (int by_then = taken + 1; by_then <= SYNS; by_then++) {
			for (int by_data = 0; by_data < 2; by_data++) { // the bare acknowledgement was lost
				struct world *w = world_new(1024, 8);
				uint32_t ack = syn_number(taken) + 1;

				say(w, C, SYN, 0, 0, "");
				say_syn_acks(w, 0, by_then);
				ck_assert_uint_eq(w->opened, 0);
				if (!by_data)
					say(w, C, ACK, 1, ack, "");
				say(w, C, ACK, 1, ack, "ask");
				say_syn_acks(w, by_then, SYNS);
				say(w, C, ACK, 4, ack, ""); // challenges
				say(w, S, ACK, ack, 4, "ri");
				say(w, S, ACK, ack + 2, 4, "ght");
				assert_taken(w);
				world_end(w);
			}
		}
	}
}
END_TEST

// A server that waits for nobody: its bytes pass before the client has said which SYN/ACK it took.
START_TEST(bytes_after_the_syn_ack_that_is_taken_may_come_before_that_is_known)
{
	for (int taken = 0; taken < SYNS; taken++) {
		struct world *w = world_new(1024, 16);
		uint32_t ack = syn_number(taken) + 1;

		say(w, C, SYN, 0, 0, "");
		say_syn_acks(w, 0, SYNS);
		for (int i = 0; i < SYNS; i++)
			say(w, S, ACK, syn_number(i) + 1, 1, i == taken ? "right" : "WRONG");
		assert_got(w, S, "");
		say(w, C, ACK, 1, ack, "");
		assert_got(w, S, "");
		say(w, C, ACK, 1, ack + 5, "ask");
		assert_taken(w);
		world_end(w);
	}
}
END_TEST

START_TEST(any_of_several_syns_may_be_answered)
{
	for (int taken = 0; taken < SYNS; taken++) {
		struct world *w = world_new(1024, 8);
		uint32_t first = syn_number(taken) + 1;

		for (int i = 0; i < SYNS; i++)
			say(w, C, SYN, syn_number(i), 0, "");
		say(w, S, SYN | ACK, 0, first, "");
		say(w, C, SYN, syn_number(SYNS), 0, ""); // too late
		say(w, C, ACK, first, 1, "ask");
		say(w, S, ACK, 1, first + 3, "right");
		assert_taken(w);
		world_end(w);
	}
}
END_TEST

START_TEST(data_on_the_syn_that_is_answered_is_not_lost)
{
	for (int taken = 0; taken < SYNS; taken++) {
		struct world *w = world_new(1024, 16);
		uint32_t first = syn_number(taken) + 1;

		for (int i = 0; i < SYNS; i++)
			say(w, C, SYN, syn_number(i), 0, i == taken ? "a" : "W");
		say(w, S, SYN | ACK, 0, first + 1, "");
		say(w, C, ACK, first + 1, 1, "sk");
		say(w, S, ACK, 1, first + 3, "right");
		assert_taken(w);
		world_end(w);
	}
}
END_TEST

START_TEST(data_on_a_syn_is_flagged_where_another_is_out_of_its_reach)
{
	struct world *w = world_new(1024, 8);

	say(w, C, SYN, 0, 0, "EVIL");
	say(w, C, SYN, 1u << 30, 0, "");
	ck_assert(is_uninspected(w) && w->flow->tcp[C].parked == 0);
	world_end(w);
}
END_TEST

START_TEST(a_syn_ack_nobody_sent_is_not_taken)
{
	struct world *w = world_new(1024, 8);

	say(w, C, SYN, 0, 0, "");
	say_syn_acks(w, 0, SYNS);
	say(w, C, ACK, 1, 70, "forged");
	say(w, C, ACK, 1, syn_number(SYNS) + 1, "forged");
	ck_assert_uint_eq(w->opened, 0);
	say(w, S, ACK, 71, 1, "S"); // nor is a byte of data a SYN
	say(w, C, ACK, 1, 72, "");
	ck_assert_uint_eq(w->opened, 0);
	say(w, C, ACK, 1, 1, "");
	ck_assert_uint_eq(w->opened, 1);
	assert_got(w, S, "");
	world_end(w);
}
END_TEST

START_TEST(the_window_scale_is_that_of_the_syn_that_is_taken)
{
	static const uint8_t scales[] = {3, 14, 0, 7};
	const int n = sizeof(scales);

	for (int taken = 0; taken < n; taken++) {
		struct world *w = world_new(1024, 8);

		say(w, C, SYN, 0, 0, "");
		for (int i = 0; i < n; i++) {
			w->scale = scales[i];
			say_syn_acks(w, i, i + 1);
		}
		w->scale = 0;
		say(w, C, ACK, 1, syn_number(taken) + 1, "");
		say(w, S, ACK, syn_number(taken) + 1, 1, "");
		ck_assert_uint_eq(flow_window(&w->flow->tcp[S]), 1000u << scales[taken]);
		world_end(w);
	}
}
END_TEST

// The one that was taken seemed wrong here, so the flow is not followed: what its receiver takes all the same goes not by in silence.
START_TEST(bytes_taken_without_a_handshake_we_follow_are_flagged)
{
	struct world *w = world_new(1024, 8);

	say(w, C, SYN, 0, 0, "");
	say(w, S, SYN | ACK, 0, 1, "");
	say(w, S, SYN | ACK, 70000, 3, "");
	say(w, C, ACK, 1, 70001, "ask");
	ck_assert(w->opened == 0 && !is_uninspected(w));
	say(w, S, ACK, 70001, 5, ""); // with a FIN that was lost
	ck_assert(is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(the_syn_ack_of_one_direction_alone_is_the_one_its_bytes_follow)
{
	for (int taken = 0; taken < SYNS; taken++) {
		struct world *w = world_new(1024, 8);

		say_syn_acks(w, 0, SYNS);
		say(w, S, ACK, syn_number(taken) + 1, 1, "right");
		assert_got(w, S, "right");
		ck_assert(w->flow->flags & FLOW_FLAG_MIDSTREAM); // told: nobody says that it was this one
		world_end(w);
	}
}
END_TEST

START_TEST(the_syn_of_one_direction_alone_is_the_one_its_bytes_follow)
{
	for (int taken = 0; taken < SYNS; taken++) {
		struct world *w = world_new(1024, 8);
		uint32_t first = syn_number(taken) + 1;

		for (int i = 0; i < SYNS; i++)
			say(w, C, SYN, syn_number(i), 0, "");
		say(w, C, ACK, first, 1, "ask");
		assert_got(w, C, "ask");
		ck_assert(w->opened == 1 && !is_uninspected(w));
		ck_assert(w->flow->flags & FLOW_FLAG_MIDSTREAM); // told: nobody says that it was this one
		world_end(w);
	}
}
END_TEST

static enum flow_take may_say(struct world *w, enum flow_side side, uint32_t seq)
{
	struct packet p = world_packet(w, side);

	p.tcp_flags = ACK;
	p.seq = (side ? SERVER_ISN : CLIENT_ISN) + seq;
	p.ack = (side ? CLIENT_ISN : SERVER_ISN) + 1;
	p.payload_bytes = 5;
	return flow_order_takes(w->table, w->flow, side, &p, bytes_of_text("right"), NULL);
}

// Who can drop a frame does so until the client has said which SYN/ACK it took: its bytes are then inspected before they go on.
START_TEST(bytes_after_several_syn_acks_wait_for_the_clients_word)
{
	struct world *w = world_new(1024, 8);

	say(w, C, SYN, 0, 0, "");
	say_syn_acks(w, 0, 1);
	ck_assert_int_eq(may_say(w, S, 1), FLOW_TAKES);
	say_syn_acks(w, 1, SYNS);
	for (int i = 0; i < SYNS; i++)
		ck_assert_int_eq(may_say(w, S, syn_number(i) + 1), FLOW_TAKES_NO_ROOM);
	say(w, C, ACK, 1, syn_number(2) + 1, "");
	ck_assert_int_eq(may_say(w, S, syn_number(2) + 1), FLOW_TAKES);
	world_end(w);
}
END_TEST

START_TEST(bytes_after_several_syns_wait_for_nobody_who_is_never_heard)
{
	struct world *w = world_new(1024, 8);

	for (int i = 0; i < SYNS; i++)
		say(w, C, SYN, syn_number(i), 0, "");
	for (int i = 0; i < SYNS; i++)
		ck_assert_int_eq(may_say(w, C, syn_number(i) + 1), FLOW_TAKES);
	world_end(w);
}
END_TEST

// Had the one that was taken been forgotten, waiting would not end.
START_TEST(an_answer_to_none_of_several_syns_is_flagged)
{
	struct world *w = world_new(1024, 8);

	say(w, C, SYN, 0, 0, "");
	say_syn_acks(w, 0, 1);
	say(w, C, ACK, 1, 777, "");
	ck_assert(!is_uninspected(w));
	say_syn_acks(w, 1, SYNS);
	say(w, C, ACK, 1, 777, "");
	ck_assert(is_uninspected(w));
	world_end(w);
}
END_TEST

#define FLOW_TESTS_SYNS                                                                                                \
	any_of_several_syn_acks_may_be_taken, bytes_after_the_syn_ack_that_is_taken_may_come_before_that_is_known,      \
		any_of_several_syns_may_be_answered, data_on_the_syn_that_is_answered_is_not_lost,                     \
		data_on_a_syn_is_flagged_where_another_is_out_of_its_reach, a_syn_ack_nobody_sent_is_not_taken,        \
		the_window_scale_is_that_of_the_syn_that_is_taken,                                                    \
		the_syn_ack_of_one_direction_alone_is_the_one_its_bytes_follow,                                        \
		the_syn_of_one_direction_alone_is_the_one_its_bytes_follow,                                            \
		bytes_taken_without_a_handshake_we_follow_are_flagged,                                                \
		bytes_after_several_syn_acks_wait_for_the_clients_word,                                                \
		bytes_after_several_syns_wait_for_nobody_who_is_never_heard,                                           \
		an_answer_to_none_of_several_syns_is_flagged
