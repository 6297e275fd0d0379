// SPDX-License-Identifier: GPL-2.0-or-later
// Part of flow_test.c: the order of bytes, and a property test against a naive twin.
#pragma once

START_TEST(every_split_gives_the_same_bytes)
{
	static const char text[] = "GET /${jndi:ldap://x} HTTP/1.1"; // (45)-(47); wraps at 2^32 after 15 bytes (70)

	for (size_t cut = 1; cut < sizeof(text) - 1; cut++)
		for (int reversed = 0; reversed < 2; reversed++) {
			struct world *w = world_new(8, 8);
			char head[64] = "";

			memcpy(head, text, cut);
			shake_hands(w);
			if (reversed) // (49)
				say(w, C, ACK, 1 + (uint32_t)cut, 1, text + cut);
			say(w, C, ACK, 1, 1, head);
			if (!reversed)
				say(w, C, ACK, 1 + (uint32_t)cut, 1, text + cut);
			assert_got(w, C, text);
			ck_assert(!is_uninspected(w) && w->gaps[C] == 0);
			ck_assert_uint_eq(counted(w, COUNT_TCP_OUT_OF_ORDER), reversed);
			world_end(w);
		}
}
END_TEST

START_TEST(single_bytes_backwards_are_put_in_order)
{
	struct world *w = world_new(8, 128);
	char one[2] = "";

	shake_hands(w);
	for (uint32_t i = 60; i > 0; i--) {
		one[0] = (char)('0' + i);
		say(w, C, ACK, i, 1, one);
	}
	ck_assert_uint_eq(w->got_bytes[C], 60);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(w->got[C][i], '1' + i);
	world_end(w);
}
END_TEST

START_TEST(what_was_delivered_is_not_delivered_again)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1, 1, "abcdef");
	say(w, C, ACK, 1, 1, "abcdef");
	ck_assert(!is_uninspected(w));
	say(w, S, ACK, 1, 7, "");
	say(w, C, ACK, 3, 1, "cd");
	say(w, C, ACK, 4, 1, "XXXghi");                            // (53)
	say(w, C, ACK, (uint32_t)-9, 1, "AAAAAAAAAAabcdefghijkl"); // (54)
	assert_got(w, C, "abcdefghijkl");
	ck_assert_uint_eq(counted(w, COUNT_TCP_OVERLAP), 4);
	world_end(w);
}
END_TEST

START_TEST(a_second_copy_the_receiver_may_still_take_is_flagged_if_it_differs)
{
	static const struct {
		uint32_t seq;
		const char *text;
		bool acked, flagged;
	} rows[] = {
		// (52) (64) (65) (67); "junk" at 1 went before
		{1, "junk", false, false}, {1, "real", false, true},     {1, "real", true, false},
		{2, "unk", false, true},   {1, "junkmore", false, false}, {1, "realmore", true, false},
		{1, "reel", false, true},  {1, "jun", false, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);

		shake_hands(w);
		say(w, C, ACK, 1, 1, "junk");
		if (rows[i].acked)
			say(w, S, ACK, 1, 5, "");
		say(w, C, ACK, rows[i].seq, 1, rows[i].text);
		ck_assert_int_eq(is_uninspected(w), rows[i].flagged);
		world_end(w);
	}
}
END_TEST

START_TEST(what_is_repeated_is_known_by_the_segments_it_was_cut_in)
{
	static const struct {
		uint32_t seq;
		const char *text;
		uint32_t acked; // 0: nothing
		enum flow_take take;
	} rows[] = {
		// "abcd" at 1, "efgh" at 5 and "ijkl" at 9 went before
		{1, "abcdefghijkl", 0, FLOW_TAKES}, {5, "efghijkl", 0, FLOW_TAKES},	{5, "efghijklmnop", 0, FLOW_TAKES},
		{1, "abcdeXghijkl", 0, FLOW_TAKES_OTHER}, {5, "efghijXX", 0, FLOW_TAKES_OTHER}, {1, "abcdef", 0, FLOW_TAKES_UNKNOWN},
		{6, "fghijkl", 0, FLOW_TAKES_UNKNOWN},	{3, "XXefghijkl", 5, FLOW_TAKES}, {3, "XXefghijXX", 5, FLOW_TAKES_OTHER},
		{1, "XXXX", 13, FLOW_TAKES},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);
		struct packet p = world_packet(w, C);

		shake_hands(w);
		say(w, C, ACK, 1, 1, "abcd");
		say(w, C, ACK, 5, 1, "efgh");
		say(w, C, ACK, 9, 1, "ijkl");
		if (rows[i].acked)
			say(w, S, ACK, 1, rows[i].acked, "");
		p.tcp_flags = ACK;
		p.seq = CLIENT_ISN + rows[i].seq;
		p.ack = SERVER_ISN + 1;
		p.payload_bytes = (uint32_t)strlen(rows[i].text);
		ck_assert_msg(flow_order_takes(w->table, w->flow, FLOW_CLIENT, &p, bytes_of_text(rows[i].text), NULL) == rows[i].take,
			      "row %zu", i);
		world_end(w);
	}
}
END_TEST

START_TEST(a_copy_of_what_nobody_looks_at_may_differ)
{
	static const struct {
		uint32_t seq;
		const char *text;
		enum flow_take take;
	} rows[] = {
		// "abcd" at 1, "efgh" at 5, which is passed over, and "ijkl" at 9 went before
		{5, "XXXX", FLOW_TAKES},	 {6, "XX", FLOW_TAKES},	       {5, "XXXXijkl", FLOW_TAKES},
		{1, "abcdXXXXijkl", FLOW_TAKES}, {1, "abcdXX", FLOW_TAKES},    {7, "XXijklmn", FLOW_TAKES},
		{1, "abXdefgh", FLOW_TAKES_OTHER}, {5, "efghijXl", FLOW_TAKES_OTHER}, {9, "ijkX", FLOW_TAKES_OTHER},
		{3, "cdXX", FLOW_TAKES_UNKNOWN}, {10, "jkl", FLOW_TAKES_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);
		struct packet p = world_packet(w, C);

		shake_hands(w);
		say(w, C, ACK, 1, 1, "abcd");
		w->unseen = (struct flow_unseen){.ahead = 4};
		say(w, C, ACK, 5, 1, "efgh");
		w->unseen = (struct flow_unseen){.gone = 4};
		say(w, C, ACK, 9, 1, "ijkl");
		w->unseen.since = 4;
		p.tcp_flags = ACK;
		p.seq = CLIENT_ISN + rows[i].seq;
		p.ack = SERVER_ISN + 1;
		p.payload_bytes = (uint32_t)strlen(rows[i].text);
		ck_assert_msg(flow_order_takes(w->table, w->flow, C, &p, bytes_of_text(rows[i].text), &w->unseen) == rows[i].take,
			      "row %zu", i);
		say(w, C, ACK, rows[i].seq, 1, rows[i].text);
		ck_assert_msg(is_uninspected(w) == (rows[i].take != FLOW_TAKES), "row %zu", i);
		world_end(w);
	}
}
END_TEST

START_TEST(the_first_parked_copy_wins_and_a_different_one_is_flagged)
{
	static const struct {
		uint32_t seq;
		const char *text;
		const char *result;
		bool differs;
	} rows[] = {
		// [3,7) is parked as "cdef", then this, then "ab"
		{3, "cdef", "abcdef", false},      {3, "CDEF", "abcdef", true},    {2, "bcd", "abcdef", false},
		{2, "bXX", "abcdef", true},        {5, "efgh", "abcdefgh", false}, {5, "XXgh", "abcdefgh", true},
		{4, "de", "abcdef", false},        {4, "XX", "abcdef", true},      {2, "bcdefgh", "abcdefgh", false},
		{1, "abXXXXgh", "abcdefgh", true}, {7, "gh", "abcdefgh", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) { // (51)
		struct world *w = world_new(8, 8);

		shake_hands(w);
		say(w, C, ACK, 3, 1, "cdef");
		say(w, C, ACK, rows[i].seq, 1, rows[i].text);
		say(w, C, ACK, 1, 1, "ab");
		assert_got(w, C, rows[i].result);
		ck_assert_int_eq(is_uninspected(w), rows[i].differs);
		world_end(w);
	}
}
END_TEST

START_TEST(a_gap_is_given_up_only_when_the_receiver_has_acknowledged_past_it)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1, 1, "one ");
	say(w, C, ACK, 9, 1, "three "); // "two " was never seen
	say(w, S, ACK, 1, 5, "");
	say(w, S, ACK, 1, 8, "");
	assert_got(w, C, "one ");
	ck_assert(!is_uninspected(w));
	say(w, S, ACK, 1, 15, "");
	assert_got(w, C, "one three ");
	ck_assert(w->gaps[C] == 1 && is_uninspected(w) && counted(w, COUNT_TCP_GAP) == 1);
	say(w, C, ACK, 5, 1, "two ");
	say(w, C, ACK, 15, 1, "four");
	assert_got(w, C, "one three four");
	ck_assert_uint_eq(w->gaps[C], 1);
	world_end(w);
}
END_TEST

START_TEST(a_segment_far_ahead_is_counted_and_not_parked)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1 + 65535 + (1 << 20) + 1, 1, "far"); // (56)
	ck_assert(counted(w, COUNT_TCP_OUTSIDE_WINDOW) == 1 && w->flow->tcp[C].parked == 0);
	say(w, C, ACK, 1 + 65535 + (1 << 20), 1, "near"); // (55)
	ck_assert(counted(w, COUNT_TCP_OUTSIDE_WINDOW) == 1 && w->flow->tcp[C].parked == 1);
	say(w, C, ACK, 1, 1, "here");
	assert_got(w, C, "here");
	ck_assert(!is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(a_scaled_window_reaches_further)
{
	struct world *w = world_new(8, 8);

	w->scale = 14;
	shake_hands(w);
	say(w, S, ACK, 1, 1, ""); // 1000 << 14
	say(w, C, ACK, 1 + 16000000, 1, "far");
	ck_assert_uint_eq(w->flow->tcp[C].parked, 1);
	world_end(w);
}
END_TEST

START_TEST(a_full_park_flags_and_the_stream_goes_on)
{
	for (int shared = 0; shared < 2; shared++) {
		struct world *w = world_new(8, shared ? 10 : 1000);

		shake_hands(w);
		for (uint32_t i = 0; i < 100; i++)
			say(w, C, ACK, 3 + 2 * i, 1, "x");
		ck_assert_uint_eq(w->flow->tcp[C].parked, shared ? 10 : FLOW_PARK_PER_SIDE);
		ck_assert_uint_eq(counted(w, COUNT_TCP_PARK_FULL), shared ? 90 : 100 - FLOW_PARK_PER_SIDE);
		ck_assert(is_uninspected(w));
		say(w, C, ACK, 1, 1, "ab");
		assert_got(w, C, "abx");
		flow_remove(w->table, w->flow, FLOW_END_SHUTDOWN); // gives them back
		shake_hands(w);
		for (uint32_t i = 0; i < 10; i++)
			say(w, C, ACK, 3 + 2 * i, 1, "x");
		ck_assert(w->flow->tcp[C].parked == 10 && !is_uninspected(w));
		world_end(w);
	}
}
END_TEST

START_TEST(a_segment_too_long_to_park_is_flagged)
{
	static char text[FLOW_PARK_BYTES + 2];
	struct world *w = world_new(8, 8);

	memset(text, 'x', FLOW_PARK_BYTES + 1);
	shake_hands(w);
	say(w, C, ACK, 2, 1, text);
	ck_assert(is_uninspected(w) && w->flow->tcp[C].parked == 0);
	say(w, C, ACK, 1, 1, text);
	ck_assert_uint_eq(w->got_bytes[C], FLOW_PARK_BYTES + 1);
	world_end(w);
}
END_TEST

START_TEST(data_with_an_ack_no_receiver_takes_does_not_displace_the_real)
{
	static const uint32_t acks[] = {(uint32_t)-12345678, (uint32_t)-1500, 100, 90000};

	for (int arrives = 0; arrives < 2; arrives++)
		for (size_t i = 0; i < 4; i++) { // (59)
			struct world *w = world_new(8, 8);

			shake_hands(w);
			say(w, C, ACK, 1, acks[i], "junk");
			assert_got(w, C, "");
			if (!arrives)
				say(w, C, ACK, 1, 1, "real");
			say(w, S, ACK, 1, 5, ""); // had the receiver taken it after all, it is inspected then
			assert_got(w, C, arrives ? "junk" : "real");
			world_end(w);
		}
}
END_TEST

START_TEST(a_capture_that_swaps_directions_loses_nothing)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1, 7, "thanks"); // for what we see only now
	say(w, S, ACK, 1, 1, "answer");
	assert_got(w, C, "thanks");
	assert_got(w, S, "answer");
	ck_assert(!is_uninspected(w));
	world_end(w);
}
END_TEST

// The server had all of the question, the client has the answer; we had its front.
START_TEST(a_question_without_its_end_is_told_before_what_answers_it)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, C, ACK, 1, 1, "quest");
	say(w, S, ACK, 1, 9, "answer");
	assert_got(w, S, "");
	ck_assert_uint_eq(w->gaps[C], 0);
	w->said_count = 0;
	memset(w->said, 0, sizeof(w->said));
	say(w, C, ACK, 9, 7, "");
	assert_got(w, S, "answer");
	ck_assert_uint_eq(w->gaps[C], 1);
	ck_assert_uint_eq(w->gaps[S], 0);
	ck_assert_str_eq(w->said, "cs"); // in this order
	ck_assert(is_uninspected(w));
	say(w, C, ACK, 6, 7, "ion"); // it comes all the same
	assert_got(w, C, "question");
	world_end(w);
}
END_TEST

START_TEST(what_waits_when_the_flow_ends_is_delivered_then)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	w->last_words = true;
	say(w, C, ACK, 1, 1, "quest");
	say(w, C, ACK, 9, 1, "more"); // behind a hole
	say(w, S, ACK, 1, 7, "answer"); // to something that is not there
	say(w, C, ACK, 13, (uint32_t)-12345678, "forged");
	assert_got(w, C, "quest");
	assert_got(w, S, "");
	flow_table_flush(w->table, FLOW_END_TIMEOUT);
	assert_got(w, C, "questmore");
	assert_got(w, S, "answer");
	ck_assert_uint_eq(w->gaps[C], 1);
	world_end(w);
}
END_TEST

START_TEST(an_ack_beyond_belief_is_flagged_and_moves_nothing)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	say(w, S, ACK, 1, 5000000, "");
	ck_assert(is_uninspected(w));
	say(w, C, ACK, 1, 1, "kept");
	assert_got(w, C, "kept");
	ck_assert_uint_eq(w->gaps[C], 0);
	world_end(w);
}
END_TEST

START_TEST(a_cut_frame_is_flagged)
{
	struct world *w = world_new(8, 8);

	shake_hands(w);
	w->oddities = ODDITY_CUT;
	say(w, C, ACK, 1, 1, "half");
	ck_assert(is_uninspected(w));
	world_end(w);
}
END_TEST

START_TEST(bytes_outside_what_only_one_side_claimed_are_flagged)
{
	struct world *w = world_new(8, 8);

	say(w, C, ACK, 500000000, 1, "junk"); // no receiver takes it
	ck_assert(w->flow->flags & FLOW_FLAG_MIDSTREAM && !is_uninspected(w));
	say(w, C, ACK, 1, 1, "real");
	ck_assert(is_uninspected(w) && counted(w, COUNT_TCP_OUTSIDE_WINDOW) == 1);
	world_end(w);
}
END_TEST

// The receiver has more than came by here, and nobody says more: it is told when the flow ends.
START_TEST(a_stream_without_its_end_is_flagged_when_the_flow_ends)
{
	for (int fin = 0; fin < 2; fin++) {
		struct world *w = world_new(8, 8);

		shake_hands(w);
		w->last_words = true;
		say(w, C, fin ? FIN | ACK : ACK, 1, 1, "quest");
		say(w, S, ACK, 1, fin ? 7 : 9, "");
		ck_assert(!is_uninspected(w));
		flow_table_flush(w->table, FLOW_END_TIMEOUT);
		ck_assert_uint_eq(w->gaps[C], !fin);
		ck_assert_uint_eq(counted(w, COUNT_TCP_GAP), !fin);
		world_end(w);
	}
}
END_TEST

// xorshift64: the same numbers everywhere.
static uint32_t chance(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % below;
}

struct twin { // a receiver with all the memory in the world: first copy of every byte
	uint8_t byte[4096];
	bool have[4096];
	size_t next;
};

static void twin_take(struct twin *t, uint32_t at, const uint8_t *data, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!t->have[at + i]) {
			t->have[at + i] = true;
			t->byte[at + i] = data[i];
		}
	while (t->next < sizeof(t->have) && t->have[t->next])
		t->next++;
}

static void say_bytes(struct world *w, enum flow_side side, uint32_t at, uint32_t ack, const uint8_t *data, uint32_t n)
{
	struct packet p = world_packet(w, side);

	p.tcp_flags = ACK;
	p.seq = at + 1 + (side ? SERVER_ISN : CLIENT_ISN);
	p.ack = ack + 1 + (side ? CLIENT_ISN : SERVER_ISN);
	p.payload_bytes = n;
	world_pass(w, &p, bytes_of(data, n));
}

START_TEST(any_segmentation_gives_the_twins_stream)
{
	uint64_t state = 88172645463325252ull;

	for (int round = 0; round < 400; round++) {
		struct world *w = world_new(8, 256);
		static struct twin twin[2];
		bool honest = round % 2;

		memset(twin, 0, sizeof(twin));
		shake_hands(w);
		for (int i = 0; i < 300; i++) {
			enum flow_side side = chance(&state, 2);
			struct twin *t = &twin[side];
			uint8_t data[256];
			uint32_t n = 1 + chance(&state, 255);
			// around what is next: before it, at it, or beyond it
			uint32_t at = (uint32_t)t->next + chance(&state, 400);

			if (honest) // then nothing before `next` may still be taken
				say(w, !side, ACK, 1 + (uint32_t)twin[!side].next, 1 + (uint32_t)t->next, "");
			at = at > 200 ? at - 200 : 0;
			if (chance(&state, 3) == 0)
				at = (uint32_t)t->next;
			if (at + n > sizeof(t->byte))
				continue;
			for (uint32_t j = 0; j < n; j++) // the liar's copies differ
				data[j] = (uint8_t)(honest ? (at + j) * 31 + side : chance(&state, 256));
			twin_take(t, at, data, n);
			say_bytes(w, side, at, honest ? (uint32_t)twin[!side].next : 0, data, n);
			ck_assert_uint_eq(w->got_bytes[side], t->next);
			ck_assert(memcmp(w->got[side], t->byte, t->next) == 0);
		}
		ck_assert_uint_eq(counted(w, COUNT_TCP_PARK_FULL), 0);
		ck_assert(!honest || !is_uninspected(w));
		world_end(w);
	}
}
END_TEST

#define FLOW_TESTS_ORDER                                                                                               \
	every_split_gives_the_same_bytes, single_bytes_backwards_are_put_in_order,                                     \
		what_was_delivered_is_not_delivered_again,                                                             \
		a_second_copy_the_receiver_may_still_take_is_flagged_if_it_differs,                                    \
		what_is_repeated_is_known_by_the_segments_it_was_cut_in,                                               \
		a_copy_of_what_nobody_looks_at_may_differ,                                                                   \
		the_first_parked_copy_wins_and_a_different_one_is_flagged,                                             \
		a_gap_is_given_up_only_when_the_receiver_has_acknowledged_past_it,                                     \
		a_segment_far_ahead_is_counted_and_not_parked, a_scaled_window_reaches_further,                        \
		a_full_park_flags_and_the_stream_goes_on, a_segment_too_long_to_park_is_flagged,                       \
		data_with_an_ack_no_receiver_takes_does_not_displace_the_real,                                         \
		a_capture_that_swaps_directions_loses_nothing, a_question_without_its_end_is_told_before_what_answers_it,  \
		what_waits_when_the_flow_ends_is_delivered_then, an_ack_beyond_belief_is_flagged_and_moves_nothing,      \
		bytes_outside_what_only_one_side_claimed_are_flagged,    \
		a_stream_without_its_end_is_flagged_when_the_flow_ends,    \
		a_cut_frame_is_flagged, any_segmentation_gives_the_twins_stream
