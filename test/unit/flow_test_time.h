// SPDX-License-Identifier: GPL-2.0-or-later
// Part of flow_test.c: how long flows live, by a clock that may wrap, leap and fall back.
#pragma once

#define DAY (86400 * SECOND)

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
		    {4, 60, FLOW_END_RST}, // it may not have been taken (82)
		    {5, 10, FLOW_END_RST}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);

		say(w, C, SYN, 0, 0, "");
		if (rows[i].until > 0 && rows[i].until < 5)
			shake_hands(w);
		if (rows[i].until == 2 || rows[i].until == 3) {
			say(w, C, FIN | ACK, 1, 1, "");
			say(w, S, ACK, 1, 2, "");
		}
		if (rows[i].until == 3) {
			say(w, S, FIN | ACK, 1, 2, "");
			say(w, C, ACK, 2, 2, "");
		}
		if (rows[i].until >= 4)
			say(w, S, rows[i].until == 4 ? RST : RST | ACK, 1, 1, "");
		flow_table_step(w->table, w->now + rows[i].seconds * SECOND - 1);
		ck_assert_uint_eq(w->ended, 0);
		flow_table_step(w->table, w->now - SECOND); // a clock that steps back ends nothing
		ck_assert_uint_eq(w->ended, 0);
		flow_table_step(w->table, w->now + rows[i].seconds * SECOND);
		ck_assert(w->ended == 1 && w->why == rows[i].why);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_EXPIRED), rows[i].why == FLOW_END_TIMEOUT);
		world_end(w);
	}
}
END_TEST

START_TEST(datagrams_and_the_rest_have_theirs)
{
	static const struct {
		uint8_t transport;
		uint64_t seconds;
	} rows[] = {{TRANSPORT_UDP, 120}, {TRANSPORT_ICMP, 30}, {132, 30}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world *w = world_new(8, 8);
		struct packet p = world_packet(w, C);

		p.transport = rows[i].transport;
		world_pass(w, &p, bytes_of_text(""));
		w->now += rows[i].seconds / 2 * SECOND;
		world_pass(w, &p, bytes_of_text("")); // its time begins anew
		flow_table_step(w->table, w->now + rows[i].seconds / 2 * SECOND);
		flow_table_step(w->table, w->now + rows[i].seconds * SECOND - 1);
		ck_assert_uint_eq(w->ended, 0);
		flow_table_step(w->table, w->now + (rows[i].seconds + FLOW_SWEEP_MS / 1000) * SECOND);
		ck_assert_uint_eq(w->ended, 1);
		world_end(w);
	}
}
END_TEST

START_TEST(a_sweep_is_bounded_and_gets_round)
{
	const struct flow_config config = {.flows = 4096, .half_open = 4096, .key = {1, 2}};
	struct world *w = world_of(&config);
	unsigned steps = 0;

	for (int i = 0; i < 4000; i++) {
		w->client_port = (uint16_t)i;
		say(w, C, SYN, 0, 0, "");
	}
	w->now += 20 * SECOND;
	for (int i = 0; i < 4000; i += 2) {
		w->client_port = (uint16_t)i;
		say(w, C, SYN, 0, 0, "");
	}
	flow_table_step(w->table, w->now); // nobody's time has come
	ck_assert_uint_eq(w->ended, 0);
	w->now += 11 * SECOND;
	for (unsigned before = 0; w->ended < 2000; before = w->ended) {
		flow_table_step(w->table, w->now);
		ck_assert(w->ended - before <= FLOW_ENDS_PER_STEP && ++steps < 200);
	}
	ck_assert_uint_eq(flow_count(w->table), 2000);
	w->now += 30 * SECOND;
	for (steps = 0; w->ended < 4000; steps++) {
		flow_table_step(w->table, w->now);
		ck_assert_uint_lt(steps, 200);
	}
	ck_assert_uint_eq(flow_count(w->table), 0);
	world_end(w);
}
END_TEST

// Where steps come often, a round over all deadlines takes a few seconds however many they are.
START_TEST(silent_flows_end_within_a_round)
{
	const struct flow_config config = {.flows = 50000, .half_open = 50000, .key = {1, 2}};
	struct world *w = world_of(&config);

	for (int i = 0; i < 50000; i++) {
		w->client_port = (uint16_t)i;
		say(w, C, SYN, 0, 0, "");
	}
	for (int ms = 0; ms < 30000 + FLOW_SWEEP_MS + 4; ms += 4)
		flow_table_step(w->table, w->now + (uint64_t)ms * 1000000);
	ck_assert_uint_eq(w->ended, 50000);
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

START_TEST(a_flow_remembers_when_it_began_to_the_millisecond)
{
	struct world *w = world_new(8, 8);
	struct flow *f = shake_hands(w);
	uint64_t began = w->now;

	ck_assert_uint_eq(flow_first_ns(w->table, f), began);
	w->now += 1234567891;
	w->client_port++;
	ck_assert_uint_eq(flow_first_ns(w->table, shake_hands(w)), began + 1234000000);
	w->now += 3000 * SECOND;
	flow_table_step(w->table, w->now);
	ck_assert_uint_eq(flow_first_ns(w->table, f), began);
	world_end(w);
}
END_TEST

// 2^32 ms are 49.7 days.
START_TEST(the_clock_wraps_and_nobody_notices)
{
	struct world *w = world_new(64, 8);
	uint64_t id = flow_id(w->table, shake_hands(w));

	for (int hour = 0; hour < 120 * 24; hour++) {
		uint64_t other;

		w->client_port = 1;
		other = flow_id(w->table, shake_hands(w));
		for (int half = 0; half < 2; half++) {
			w->now += half ? 1799 * SECOND : 1800 * SECOND;
			w->client_port = 40000;
			say(w, C, ACK, 1, 1, "");
			ck_assert_uint_eq(flow_id(w->table, w->flow), id);
			flow_table_step(w->table, w->now);
			ck_assert_ptr_nonnull(flow_by_id(w->table, other));
		}
		w->now += SECOND;
		flow_table_step(w->table, w->now);
		ck_assert_ptr_null(flow_by_id(w->table, other));
		ck_assert_uint_eq(flow_count(w->table), 1);
	}
	world_end(w);
}
END_TEST

START_TEST(a_clock_set_back_ends_nothing_and_time_goes_on)
{
	static const uint64_t back[] = {SECOND, 59 * SECOND, 61 * SECOND, DAY, 900 * SECOND};

	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		struct world *w = world_new(8, 8);
		struct flow *f;

		w->now += 2 * DAY;
		f = shake_hands(w);
		w->now -= back[i];
		w->client_port++;
		shake_hands(w);
		ck_assert(w->ended == 0 && flow_count(w->table) == 2 && f->state == FLOW_OPEN);
		flow_table_step(w->table, w->now + 3599 * SECOND);
		ck_assert_uint_eq(w->ended, 0);
		flow_table_step(w->table, w->now + 3661 * SECOND);
		ck_assert_uint_eq(w->ended, 2);
		world_end(w);
	}
}
END_TEST

START_TEST(a_clock_that_leaps_past_all_time_outs_ends_all_flows)
{
	static const uint64_t days[] = {6, 12, 13, 49, 50, 20000};

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct world *w = world_new(4096, 8);
		uint64_t id = flow_id(w->table, shake_hands(w)), began;

		for (uint16_t k = 0; k < 500; k++) {
			w->client_port = k;
			shake_hands(w);
		}
		w->now += days[i] * DAY + 100 * SECOND; // past the time-out however the ticks wrap
		began = w->now;
		for (unsigned steps = 0; flow_count(w->table); steps++) {
			flow_table_step(w->table, w->now);
			ck_assert_uint_lt(steps, 20);
		}
		ck_assert_uint_eq(w->ended, 501);
		ck_assert_uint_eq(counted(w, COUNT_FLOWS_EXPIRED), 501);
		w->client_port = 40000;
		ck_assert_uint_ne(flow_id(w->table, shake_hands(w)), id);
		ck_assert_uint_le(began - flow_first_ns(w->table, w->flow), 1000000);
		world_end(w);
	}
}
END_TEST

#define FLOW_TESTS_TIME                                                                                                \
	each_state_has_its_time_out, datagrams_and_the_rest_have_theirs, a_sweep_is_bounded_and_gets_round,            \
		silent_flows_end_within_a_round, an_idle_flow_ends_when_its_packet_comes_before_the_sweep,             \
		a_flow_remembers_when_it_began_to_the_millisecond, the_clock_wraps_and_nobody_notices,                 \
		a_clock_set_back_ends_nothing_and_time_goes_on, a_clock_that_leaps_past_all_time_outs_ends_all_flows
