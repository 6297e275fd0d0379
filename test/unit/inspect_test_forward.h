// SPDX-License-Identifier: GPL-2.0-or-later
// Part of inspect_test.c: forwarding alone (forward_only). Its short way must refuse and tell whatever the long way does.
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

// Up to its second acknowledgement: from then on nothing but counts changes.
static void greet(void)
{
	ck_assert_int_eq(send(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK | TCP_PSH, "hello", 5), INSPECT_FORWARD);
	ck_assert_int_eq(send(1, TCP_ACK | TCP_PSH, "good day", 8), INSPECT_FORWARD);
	ck_assert_int_eq(send(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
}

START_TEST(forwarding_counts_and_tells_the_flow_whole)
{
	struct observation o;

	greet();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(send(1, TCP_ACK, "0123456789", 10), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_IN], 16);
	ck_assert_uint_eq(counters.value[COUNT_BYTES_IN], 5 * 60 + 62 + 10 * 64);
	ck_assert(observed(OBS_UNINSPECTED, &o)); // by the SYN
	ck_assert_uint_eq(o.number[NUM_UNINSPECTED_WHY], COUNT_INSPECTION_OFF);
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	inspect_flush(inspect);
	ck_assert(observed(OBS_FLOW_CLOSE, &o));
	ck_assert_uint_eq(o.number[NUM_CLOSE_PACKETS_CLIENT], 4);
	ck_assert_uint_eq(o.number[NUM_CLOSE_PACKETS_SERVER], 12);
	ck_assert_uint_eq(o.number[NUM_CLOSE_BYTES_SERVER], 60 + 62 + 10 * 64);
}
END_TEST

// At what each end has acknowledged: the order of bytes is not followed.
START_TEST(a_block_stops_forwarding_at_the_next_packet)
{
	struct verdict v;
	struct observation o;

	greet();
	v = block_verdict(1, 1389, 1000000000);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_port[0], 0);
	ck_assert_uint_eq(reset_seq(0), 5001 + 8);
	ck_assert_uint_eq(reset_seq(1), 1001 + 5);
	ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert(observed(OBS_BLOCKED, &o));
}
END_TEST

START_TEST(a_block_of_a_network_stops_forwarding)
{
	struct verdict v;

	greet();
	v = block_verdict(1, 0, 1000000000);
	v.endpoint_bits = 16;
	v.endpoint.b[2] = v.endpoint.b[3] = 0;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(send(0, TCP_ACK, "late", 4), INSPECT_DROP);
}
END_TEST

START_TEST(a_cut_stops_forwarding)
{
	struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	struct observation o;

	greet();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	ck_assert_int_eq(send(1, TCP_ACK, "late", 4), INSPECT_DROP);
}
END_TEST

START_TEST(a_reset_ends_a_forwarded_flow)
{
	struct observation o;

	greet();
	ck_assert_int_eq(send(0, TCP_RST, NULL, 0), INSPECT_FORWARD);
	inspect_step(inspect, talk.now_ns, talk.now_ns);
	talk.now_ns += 3700ull * 1000000000; // longer than any time-out
	for (int i = 0; i < 4000; i++, talk.now_ns += 1000000)
		inspect_step(inspect, talk.now_ns, talk.now_ns);
	ck_assert(observed(OBS_FLOW_CLOSE, &o));
	ck_assert_uint_eq(o.number[NUM_CLOSE_REASON], FLOW_END_RST);
}
END_TEST

START_TEST(forwarding_leaves_sums_of_payloads_to_their_receiver)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);

	made.at[50] ^= 1;
	ck_assert_int_eq(burst(f), INSPECT_FORWARD);
	talk_say(&talk, &made, 1, TCP_SYN | TCP_ACK, NULL, 0);
	made.at[22] ^= 1; // TTL
	ck_assert_int_eq(burst(&made.frame), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CHECKSUM], 1);
}
END_TEST

START_TEST(forwarding_refuses_who_is_blocked_in_a_tunnel_too)
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
	tcase_add_test(t, forwarding_counts_and_tells_the_flow_whole);
	tcase_add_test(t, a_block_stops_forwarding_at_the_next_packet);
	tcase_add_test(t, a_block_of_a_network_stops_forwarding);
	tcase_add_test(t, a_cut_stops_forwarding);
	tcase_add_test(t, a_reset_ends_a_forwarded_flow);
	tcase_add_test(t, forwarding_leaves_sums_of_payloads_to_their_receiver);
	tcase_add_test(t, forwarding_refuses_who_is_blocked_in_a_tunnel_too);
	return t;
}
