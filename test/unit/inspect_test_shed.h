// SPDX-License-Identifier: GPL-2.0-or-later
// Part of inspect_test.c: what goes by unseen, because nothing is to be looked at (forward_only) or too much comes. Blocks and cuts hold all the same.
#pragma once

static void forward_setup(void)
{
	forward_only = true;
	setup();
}

static void forward_teardown(void)
{
	teardown();
	forward_only = false;
}

static void take_action(void *user, unsigned i, enum inspect_action action, uint64_t flow)
{
	*(enum inspect_action *)user = action;
}

static enum inspect_action burst(const struct frame *f)
{
	enum inspect_action action;

	inspect_step(inspect, f->unix_ns, f->unix_ns);
	inspect_burst(inspect, f, 1, f->unix_ns, take_action, &action);
	return action;
}

static enum inspect_action send(unsigned side, uint8_t flags, const void *payload, size_t n)
{
	return burst(talk_say(&talk, &made, side, flags, payload, n));
}

static void greet(void)
{
	ck_assert_int_eq(send(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK | TCP_PSH, "hello", 5), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_ACK | TCP_PSH, "good day", 8), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
}

START_TEST(what_goes_by_is_counted_and_said_once_a_second)
{
	struct observation o;

	greet();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(send(1, TCP_ACK, "0123456789", 10), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_IN], 16);
	ck_assert_uint_eq(counters.value[COUNT_BYTES_IN], 5 * 60 + 62 + 10 * 64);
	ck_assert_uint_eq(counters.value[COUNT_INSPECTION_OFF], 16);
	ck_assert_uint_eq(inspect_flows(inspect), 0);
	ck_assert(observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_eq(o.number[NUM_UNINSPECTED_WHY], COUNT_INSPECTION_OFF);
	ck_assert_uint_eq(o.client_port, 40000);
	ck_assert(!observed(OBS_UNINSPECTED, &o));
	talk.now_ns += SECOND_NS;
	ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_FORWARD);
	ck_assert(observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_eq(o.client_port, 1389); // of nobody's flow: the sender
}
END_TEST

START_TEST(a_block_stops_what_goes_by_at_the_next_packet)
{
	struct verdict v;
	struct observation o;

	greet();
	v = block_verdict(1, 1389, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 2);
	ck_assert(observed(OBS_BLOCKED, &o));
}
END_TEST

START_TEST(a_block_of_a_network_stops_what_goes_by)
{
	struct verdict v;

	greet();
	v = block_verdict(1, 0, SECOND_NS);
	v.endpoint_bits = 16;
	v.endpoint.b[2] = v.endpoint.b[3] = 0;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
}
END_TEST

START_TEST(who_is_blocked_does_not_go_by_in_a_tunnel)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);

	v.transport = 0;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(burst(tunnelled(datagram(0))), INSPECT_FORWARD);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(burst(tunnelled(datagram(0))), INSPECT_DROP);
}
END_TEST

static TCase *forward_case(void)
{
	TCase *t = tcase_create("forward");

	tcase_add_checked_fixture(t, forward_setup, forward_teardown);
	tcase_add_test(t, what_goes_by_is_counted_and_said_once_a_second);
	tcase_add_test(t, a_block_stops_what_goes_by_at_the_next_packet);
	tcase_add_test(t, a_block_of_a_network_stops_what_goes_by);
	tcase_add_test(t, who_is_blocked_does_not_go_by_in_a_tunnel);
	return t;
}

// --- too much comes ---

enum { FIRST_POLLS = 16384 / INSPECT_BURST, MORE_POLLS = 1024 / INSPECT_BURST, ALL_POLLS = FIRST_POLLS + 15 * MORE_POLLS };

static void poll_full(unsigned side, unsigned times)
{
	while (times--)
		inspect_polled(inspect, side, INSPECT_BURST, talk.now_ns);
}

// Until all is inspected again.
static void calm_down(void)
{
	for (int i = 0; i < 16; i++) {
		talk.now_ns += SECOND_NS / 10;
		inspect_polled(inspect, 0, 0, talk.now_ns);
	}
}

static const uint8_t stuff[1400] = {0x93, 0x17};

static uint64_t shed(void)
{
	return counters.value[COUNT_INSPECTION_SHED];
}

START_TEST(a_backlog_that_ends_sheds_nothing)
{
	poll_full(0, FIRST_POLLS - 1);
	inspect_polled(inspect, 0, INSPECT_BURST - 1, talk.now_ns);
	poll_full(0, FIRST_POLLS - 1);
	poll_full(1, FIRST_POLLS - 1);
	greet();
	ck_assert_uint_eq(shed(), 0);
	ck_assert_uint_eq(inspect_flows(inspect), 1);
}
END_TEST

START_TEST(all_is_shed_when_too_much_keeps_coming_and_inspected_when_it_ends)
{
	poll_full(1, ALL_POLLS);
	greet();
	ck_assert_uint_eq(shed(), 6);
	ck_assert_uint_eq(inspect_flows(inspect), 0);
	calm_down();
	greet();
	ck_assert_uint_eq(shed(), 6);
	ck_assert_uint_eq(inspect_flows(inspect), 1);
}
END_TEST

// Of flows, not of packets: both directions of one go one way.
START_TEST(the_share_grows_by_slices_of_whole_flows)
{
	enum { FLOWS = 1600 };
	unsigned before = 0;

	for (unsigned share = 1; share <= 16; share++) {
		unsigned gone = 0;

		poll_full(0, share == 1 ? FIRST_POLLS : MORE_POLLS);
		for (unsigned i = 0; i < FLOWS; i++) {
			uint64_t at = shed();

			talk.client_port = (uint16_t)(20000 + i);
			send(0, TCP_ACK, NULL, 0);
			send(1, TCP_ACK, NULL, 0);
			ck_assert(shed() == at || shed() == at + 2);
			gone += shed() != at;
		}
		ck_assert_uint_ge(gone, before + FLOWS / 32);
		ck_assert_uint_le(gone, before + FLOWS / 8);
		before = gone;
	}
	ck_assert_uint_eq(before, FLOWS);
}
END_TEST

START_TEST(where_the_limit_is_refused_nothing_is_shed)
{
	build_refusing(COUNT_INSPECTION_SHED);
	poll_full(0, ALL_POLLS);
	greet();
	ck_assert_uint_eq(shed(), 0);
}
END_TEST

START_TEST(a_cut_flow_does_not_go_by)
{
	struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	struct observation o;

	greet();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	inspect_step(inspect, talk.now_ns, talk.now_ns);
	poll_full(0, ALL_POLLS);
	for (int hours = 0; hours < 4; hours++, talk.now_ns += 3000 * SECOND_NS) { // it stays so while somebody tries
		ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_DROP);
		ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
	}
	talk.client_port++;
	ck_assert_int_eq(send(1, TCP_ACK, "another", 7), INSPECT_FORWARD);
	ck_assert_uint_eq(shed(), 1);
}
END_TEST

// A limit's policy has cut it.
START_TEST(a_refused_flow_does_not_go_by)
{
	build_refusing(COUNT_TCP_URGENT);
	talk.server_port = 21;
	ck_assert_int_eq(send(0, TCP_ACK, "USER x\r\n", 8), INSPECT_FORWARD); // midstream
	ck_assert_int_eq(send(0, TCP_ACK | TCP_URG, "PASS y\r\n", 8), INSPECT_DROP);
	poll_full(0, ALL_POLLS);
	ck_assert_int_eq(send(0, TCP_ACK, "RETR z\r\n", 8), INSPECT_DROP);
	ck_assert_uint_eq(shed(), 0);
}
END_TEST

// The one context is given to another flow; what the first says does not go by either.
START_TEST(a_flow_refused_in_its_absence_does_not_go_by)
{
	struct talk other = talk_new();

	teardown();
	refused = COUNT_PROTO_CONTEXT_FULL;
	build_sized(NULL, 0, 1 << 16, 1);
	ck_assert_int_eq(send(0, TCP_ACK, "GET /", 5), INSPECT_FORWARD);
	other.client_port++;
	other.now_ns = talk.now_ns;
	burst(talk_say(&other, &made, 0, TCP_ACK, "GET /", 5));
	poll_full(0, ALL_POLLS);
	ck_assert_int_eq(send(0, TCP_ACK, "more", 4), INSPECT_DROP);
}
END_TEST

static const char shed_request[] = "GET /seen HTTP/1.1\r\nHost: x\r\n\r\n";

// Of every slice, a second later than what was said last.
static void others_go_by(void)
{
	struct talk other = talk_new();

	other.server[3] = 99;
	for (unsigned i = 0; i < 64; i++) {
		other.client_port = (uint16_t)(1000 + i);
		other.now_ns = talk.now_ns + SECOND_NS;
		burst(talk_say(&other, &made, 0, TCP_ACK, "other", 5));
	}
}

static void ask(void)
{
	ck_assert_int_eq(send(0, TCP_ACK | TCP_PSH, shed_request, sizeof(shed_request) - 1), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_ACK | TCP_PSH, "HTTP/1.1 204 No\r\n\r\n", 19), INSPECT_FORWARD);
}

static void open_and_ask(void)
{
	ck_assert_int_eq(send(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ask();
}

START_TEST(a_flow_of_which_packets_went_by_is_flagged_and_read_on)
{
	struct observation o;
	unsigned requests = 0;

	open_and_ask();
	ck_assert(observed(OBS_HTTP_REQUEST, &o));
	poll_full(0, ALL_POLLS);
	talk.now_ns += SECOND_NS;
	for (int i = 0; i < 4000; i++) // farther than any window
		ck_assert_int_eq(send(i & 1, TCP_ACK, stuff, 1400), INSPECT_FORWARD);
	ck_assert_uint_eq(shed(), 4000);
	calm_down();
	while (ring_pop(&observations, &o)) // said while they went by
		ck_assert(o.kind != OBS_UNINSPECTED || o.flow == 0);
	ask();
	ck_assert(observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_ne(o.flow, 0);
	ck_assert_uint_eq(o.number[NUM_UNINSPECTED_WHY], COUNT_INSPECTION_SHED);
	ask();
	ask();
	while (ring_pop(&observations, &o)) { // neither told again nor opened again
		ck_assert(o.kind != OBS_UNINSPECTED && o.kind != OBS_FLOW_OPEN);
		requests += o.kind == OBS_HTTP_REQUEST;
	}
	ck_assert_uint_eq(requests, 3);
}
END_TEST

// Others may go by; what a block may concern is seen whole.
START_TEST(a_flow_that_a_block_may_concern_is_inspected_all_the_while)
{
	struct verdict v = block_verdict(1, 80, 1000 * SECOND_NS); // another port
	struct observation o;

	ck_assert(ring_push(&verdicts, &v));
	poll_full(0, ALL_POLLS);
	open_and_ask();
	ck_assert(observed(OBS_HTTP_REQUEST, &o));
	others_go_by();
	talk.now_ns += 2 * SECOND_NS;
	ask();
	ck_assert_uint_eq(shed(), 64);
	while (ring_pop(&observations, &o))
		ck_assert(o.kind != OBS_UNINSPECTED || o.flow == 0); // of the others
	v.port = 1389;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
}
END_TEST

// Packets of it went by, then a block came: both ends are reset at what they expect now.
START_TEST(a_block_of_what_went_by_resets_at_the_numbers_of_now)
{
	struct verdict v;

	open_and_ask();
	poll_full(0, ALL_POLLS);
	talk.now_ns += SECOND_NS;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(send(i & 1, TCP_ACK, stuff, 1400), INSPECT_FORWARD);
	v = block_verdict(1, 1389, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_seq(0), talk.seq[1] - 4);
	ck_assert_uint_eq(reset_seq(1), talk.seq[0]);
}
END_TEST

START_TEST(a_flow_that_went_by_before_a_block_of_another_port_came_is_flagged_and_read_on)
{
	struct verdict v;
	struct observation o;

	open_and_ask();
	poll_full(0, ALL_POLLS);
	talk.now_ns += SECOND_NS;
	for (int i = 0; i < 4000; i++)
		send(i & 1, TCP_ACK, stuff, 1400);
	v = block_verdict(1, 80, 1000 * SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	inspect_step(inspect, talk.now_ns, talk.now_ns);
	while (ring_pop(&observations, &o))
		ck_assert(o.kind != OBS_UNINSPECTED || o.flow == 0);
	ask();
	ck_assert(observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_ne(o.flow, 0);
	ck_assert(observed(OBS_HTTP_REQUEST, &o));
}
END_TEST

// Whatever comes first again: it may be an acknowledgement with numbers from elsewhere.
START_TEST(an_opening_of_which_packets_went_by_is_read_on)
{
	struct observation o;

	ck_assert_int_eq(send(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	if (_i & 1)
		ck_assert_int_eq(send(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	poll_full(0, ALL_POLLS);
	talk.now_ns += SECOND_NS;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(send(i & 1, TCP_ACK, stuff, 1400), INSPECT_FORWARD);
	calm_down();
	if (_i & 2) {
		talk.seq[0] += 0x40000000;
		send(0, TCP_ACK, NULL, 0);
		talk.seq[0] -= 0x40000000;
	}
	ask();
	ask();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	ck_assert(observed(OBS_HTTP_REQUEST, &o));
	ck_assert(!observed(OBS_FLOW_OPEN, &o));
}
END_TEST

static struct frame *twice_tagged(struct frame *f)
{
	static const uint8_t tags[8] = {0x88, 0xa8, 0, 5, 0x81, 0, 0, 6};

	memmove(made.at + 20, made.at + 12, f->bytes - 12);
	memcpy(made.at + 12, tags, sizeof(tags));
	f->bytes = f->wire_bytes += sizeof(tags);
	return f;
}

// What is not plain never goes by, so nothing of it is missing: it is read in its pieces while others of its slice go by.
START_TEST(what_cannot_go_by_is_not_taken_up_anew)
{
	struct talk other = talk_new();
	struct observation o;

	poll_full(0, ALL_POLLS);
	other.server[3] = 99;
	for (size_t i = 0; i < sizeof(shed_request) - 1; i++, talk.now_ns += SECOND_NS / 100) {
		burst(twice_tagged(talk_say(&talk, &made, 0, TCP_ACK, shed_request + i, 1)));
		burst(twice_tagged(talk_say(&talk, &made, 1, TCP_ACK, NULL, 0)));
		for (unsigned k = 0; k < 64; k++) {
			other.client_port = (uint16_t)(1000 + k);
			other.now_ns = talk.now_ns;
			burst(talk_say(&other, &made, 0, TCP_ACK, NULL, 0));
		}
	}
	while (ring_pop(&observations, &o)) {
		ck_assert(o.kind != OBS_UNINSPECTED || o.flow == 0 || o.number[NUM_UNINSPECTED_WHY] == COUNT_TCP_MIDSTREAM);
		if (o.kind == OBS_HTTP_REQUEST)
			return;
	}
	ck_abort_msg("the request was not seen");
}
END_TEST

// In a panic nothing is refused, so inspection gives way; behind it strict is strict again, and nobody suffers for what went by.
START_TEST(strict_sheds_only_in_a_panic)
{
	build_refusing(COUNT_INSPECTION_SHED);
	open_and_ask();
	inspect_panic(inspect, true);
	poll_full(0, ALL_POLLS);
	others_go_by();
	ck_assert_uint_eq(shed(), 64);
	inspect_panic(inspect, false);
	inspect_polled(inspect, 0, 1, talk.now_ns);
	talk.now_ns += 2 * SECOND_NS;
	ask();
	ck_assert_uint_eq(shed(), 64);
}
END_TEST

// Ticks wrap: those of a slice that was shed a month ago are not ahead of today's.
START_TEST(a_leap_of_the_clock_flags_nothing)
{
	struct observation o;

	poll_full(0, ALL_POLLS);
	greet();
	calm_down();
	while (ring_pop(&observations, &o))
		;
	talk.now_ns += 30ull * 86400 * SECOND_NS;
	talk.client_port++;
	open_and_ask();
	ask();
	ck_assert(!observed(OBS_UNINSPECTED, &o));
}
END_TEST

START_TEST(an_idle_port_calms_nobody)
{
	poll_full(0, FIRST_POLLS);
	for (int i = 0; i < 16 * MORE_POLLS; i++) { // 8,000 frames a second
		inspect_polled(inspect, 0, INSPECT_BURST, talk.now_ns);
		inspect_polled(inspect, 1, 0, talk.now_ns);
		talk.now_ns += 4 * SECOND_NS / 1000;
	}
	greet();
	ck_assert_uint_eq(shed(), 6);
}
END_TEST

START_TEST(what_no_receiver_takes_is_said_too)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_ACK, "x", 1);
	struct observation o;

	poll_full(0, ALL_POLLS);
	wire_be16(made.at + 16, 20); // no room for TCP
	burst(f);
	ck_assert_uint_eq(shed(), 1);
	ck_assert(observed(OBS_UNINSPECTED, &o));
}
END_TEST

// Only who is in it goes the long way.
START_TEST(a_block_of_a_network_leaves_the_others_to_go_by)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);

	v.endpoint_bits = 24;
	v.endpoint.b[3] = 0;
	ck_assert(ring_push(&verdicts, &v));
	poll_full(0, ALL_POLLS);
	ck_assert_int_eq(send(0, TCP_ACK, "x", 1), INSPECT_DROP);
	ck_assert_uint_eq(shed(), 0);
	talk.server[2]++;
	ck_assert_int_eq(send(0, TCP_ACK, "x", 1), INSPECT_FORWARD);
	ck_assert_uint_eq(shed(), 1);
}
END_TEST

static TCase *shed_case(void)
{
	TCase *t = tcase_create("shed");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_backlog_that_ends_sheds_nothing);
	tcase_add_test(t, all_is_shed_when_too_much_keeps_coming_and_inspected_when_it_ends);
	tcase_add_test(t, the_share_grows_by_slices_of_whole_flows);
	tcase_add_test(t, where_the_limit_is_refused_nothing_is_shed);
	tcase_add_test(t, a_cut_flow_does_not_go_by);
	tcase_add_test(t, a_refused_flow_does_not_go_by);
	tcase_add_test(t, a_flow_refused_in_its_absence_does_not_go_by);
	tcase_add_test(t, a_flow_of_which_packets_went_by_is_flagged_and_read_on);
	tcase_add_test(t, a_flow_that_a_block_may_concern_is_inspected_all_the_while);
	tcase_add_test(t, a_block_of_what_went_by_resets_at_the_numbers_of_now);
	tcase_add_test(t, a_flow_that_went_by_before_a_block_of_another_port_came_is_flagged_and_read_on);
	tcase_add_loop_test(t, an_opening_of_which_packets_went_by_is_read_on, 0, 4);
	tcase_add_test(t, what_cannot_go_by_is_not_taken_up_anew);
	tcase_add_test(t, strict_sheds_only_in_a_panic);
	tcase_add_test(t, a_leap_of_the_clock_flags_nothing);
	tcase_add_test(t, an_idle_port_calms_nobody);
	tcase_add_test(t, what_no_receiver_takes_is_said_too);
	tcase_add_test(t, a_block_of_a_network_leaves_the_others_to_go_by);
	return t;
}
