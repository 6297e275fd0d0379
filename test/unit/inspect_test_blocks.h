// SPDX-License-Identifier: GPL-2.0-or-later
// What a block must hold and must leave alone: datagrams, tunnels, inside ends, fragments, packets without a flow. Included by inspect_test_hostile.h.
#pragma once

START_TEST(a_datagram_flow_is_free_again_when_its_block_ends)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);

	v.transport = 0;
	ck_assert_int_eq(pass(datagram(0)), INSPECT_FORWARD);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(pass(datagram(0)), INSPECT_DROP);
	talk.now_ns += 2 * SECOND_NS;
	ck_assert_int_eq(pass(datagram(0)), INSPECT_FORWARD);
}
END_TEST

// Nobody opens it anew, so its cut has to end by itself: one forged datagram must not shut a line between two ports for ever.
START_TEST(a_cut_datagram_flow_is_free_again_however_often_it_is_tried)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = VERDICT_CUT};
	struct observation o;

	ck_assert_int_eq(pass(datagram(0)), INSPECT_FORWARD);
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	v.flow = o.flow;
	ck_assert(ring_push(&verdicts, &v));
	for (unsigned i = 0; i < 11; i++) {
		talk.now_ns += 10 * SECOND_NS;
		ck_assert_int_eq(pass(datagram(i & 1)), INSPECT_DROP);
	}
	talk.now_ns += 20 * SECOND_NS;
	ck_assert_int_eq(pass(datagram(0)), INSPECT_FORWARD);
	ck_assert_int_eq(pass(datagram(1)), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_client_may_connect_again_from_the_same_port_when_its_block_ends)
{
	struct verdict v;

	handshake();
	v = block_verdict(1, 0, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_DROP);
	talk.now_ns += 2 * SECOND_NS;
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_DROP); // that connection is over
	talk.seq[0] += 100000;
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_FORWARD);
}
END_TEST

static void to_others(uint8_t *ip)
{
	ip[12] ^= 64;
	ip[16] ^= 64;
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
}

// The frame made last, between others, within IP in IP between its ends.
static struct frame *tunnelled(struct frame *f)
{
	uint8_t *ip = made.at + 14;

	memmove(ip + 20, ip, f->bytes - 14);
	to_others(ip + 20);
	ip[9] = 4;
	wire_be16(ip + 2, f->bytes - 14 + 20);
	wire_be16(ip + 6, 0);
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
	f->bytes = f->wire_bytes += 20;
	return f;
}

static struct frame *tunnelled_twice(struct frame *f, bool blocked_inside)
{
	tunnelled(tunnelled(f));
	if (blocked_inside) {
		to_others(made.at + 14);
		to_others(made.at + 34);
	}
	return f;
}

START_TEST(who_is_blocked_does_not_come_in_a_tunnel)
{
	for (unsigned blocked = 0; blocked < 2; blocked++) {
		enum inspect_action action = blocked ? INSPECT_DROP : INSPECT_FORWARD;
		struct verdict v = block_verdict(1, 0, SECOND_NS);

		v.transport = 0;
		if (blocked)
			ck_assert(ring_push(&verdicts, &v));
		ck_assert_int_eq(pass(tunnelled(datagram(0))), action);
		ck_assert_int_eq(pass(tunnelled(datagram(1))), action);
		ck_assert_int_eq(pass(tunnelled_twice(datagram(0), false)), action);
		ck_assert_int_eq(pass(tunnelled_twice(datagram(0), true)), action);
		ck_assert_int_eq(pass(tunnelled(fragment(0, 2))), blocked ? INSPECT_DROP : INSPECT_KEPT);
		ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 5 * blocked);
	}
	talk.now_ns += 2 * SECOND_NS;
	ck_assert_int_eq(pass(tunnelled(datagram(0))), INSPECT_FORWARD);
}
END_TEST

static struct frame *talk_in_tunnel(unsigned side, uint8_t flags, const void *payload, size_t n)
{
	struct frame *f = tunnelled(talk_say(&talk, &made, side, flags, payload, n));
	uint8_t *ip = made.at + 34, *tcp = ip + 20;

	wire_be16(tcp + 16, 0);
	wire_be16(tcp + 16, wire_sum(tcp, 20 + n, wire_pseudo(ip, 20 + n)));
	return f;
}

static enum inspect_action say_in_tunnel(unsigned side, uint8_t flags, const void *payload, size_t n)
{
	return pass(talk_in_tunnel(side, flags, payload, n));
}

// Its flow is known by the ends inside and by the kind of tunnel: who wraps a packet of somebody else's connection must not end that.
START_TEST(who_is_blocked_does_not_cut_what_others_say_in_a_tunnel)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);
	struct frame *f;

	v.transport = 0;
	v.endpoint.b[3] = 66;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say_in_tunnel(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say_in_tunnel(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say_in_tunnel(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
	f = talk_in_tunnel(1, TCP_ACK, NULL, 0);
	made.at[14 + 15] = 66;
	wire_be16(made.at + 14 + 10, 0);
	wire_be16(made.at + 14 + 10, wire_sum(made.at + 14, 20, 0));
	ck_assert_int_eq(pass(f), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 1);
	ck_assert_int_eq(say_in_tunnel(0, TCP_ACK, "hello", 5), INSPECT_FORWARD);
	ck_assert_int_eq(say_in_tunnel(1, TCP_ACK, "hello", 5), INSPECT_FORWARD);
}
END_TEST

// Of two inside ends either may be the one that is blocked.
START_TEST(who_is_blocked_behind_the_other_port_may_not_call_either)
{
	static const struct prefix there = {{.family = 4, .b = {203, 0, 113, 0}}, 24};
	struct verdict v;

	inside = &there;
	build_refusing(COUNTER_COUNT);
	inside = NULL;
	v = block_verdict(1, 0, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	talk.client_port++;
	ck_assert_int_eq(say(1, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 2);
	talk.now_ns += 2 * SECOND_NS;
	ck_assert_int_eq(say(1, TCP_SYN, NULL, 0), INSPECT_FORWARD);
}
END_TEST

// One frame with the ends swapped between the ports, by who can send there, must not tell for good who is inside.
START_TEST(a_forged_first_frame_does_not_turn_a_block_round)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);

	ck_assert(ring_push(&verdicts, &v));
	f->port = 1;
	pass(f);
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_int_eq(say(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 2);
}
END_TEST

// Neither in a tunnel nor where there is no room for its flow.
START_TEST(who_is_blocked_behind_the_other_port_may_not_call_untracked_either)
{
	static const struct prefix there = {{.family = 4, .b = {192, 0, 2, 0}}, 24};
	struct verdict v;

	inside = &there;
	teardown();
	build_sized(NULL, 0, 1, 64);
	inside = NULL;
	handshake();
	talk.client_port++;
	talk.client_side = 1; // the blocked end is behind the inside port
	v = block_verdict(1, 0, SECOND_NS);
	v.transport = 0;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(pass(tunnelled(datagram(1))), INSPECT_DROP);
	ck_assert_int_eq(say(1, TCP_ACK, "x", 1), INSPECT_DROP);
	ck_assert_int_eq(say(0, TCP_ACK, "x", 1), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 3);
}
END_TEST

// From the client to the server's ends in IPv6, behind so many headers of destination options.
static struct frame *behind_extensions(unsigned n, const struct address *server)
{
	uint8_t *ip = made.at + 14;

	talk_say(&talk, &made, 0, TCP_ACK, NULL, 0);
	memset(ip, 0, 40 + 8 * n + 20);
	wire_be16(made.at + 12, 0x86dd);
	ip[0] = 0x60;
	wire_be16(ip + 4, 8 * n + 20);
	ip[6] = 60;
	ip[7] = 64;
	ip[8] = 0x20;
	memcpy(ip + 24, server->b, 16);
	for (unsigned i = 0; i < n; i++) {
		ip[40 + 8 * i] = i + 1 < n ? 60 : TRANSPORT_TCP;
		ip[40 + 8 * i + 2] = 1; // padding
		ip[40 + 8 * i + 3] = 4;
	}
	made.frame.bytes = made.frame.wire_bytes = 14 + 40 + 8 * n + 20;
	return &made.frame;
}

// Nobody can say that it is not the port or the transport that is blocked.
START_TEST(who_is_blocked_does_not_come_behind_more_headers_than_are_read)
{
	const struct address server = {.family = 6, .b = {0x20, 1, 0xd, 0xb8, [15] = 1}}, other = {.family = 6, .b = {0x20, 1, 0xd, 0xb8, [15] = 2}};
	struct verdict v = block_verdict(1, 443, SECOND_NS);

	v.endpoint = server;
	v.endpoint_bits = 128;
	ck_assert_int_eq(pass(behind_extensions(9, &server)), INSPECT_FORWARD);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(pass(behind_extensions(9, &server)), INSPECT_DROP);
	ck_assert_int_eq(pass(behind_extensions(9, &other)), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 1);
	brain->mode = MODE_OBSERVE;
	ck_assert_int_eq(pass(behind_extensions(9, &server)), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_block_refuses_fragments_too)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);

	ck_assert_int_eq(pass(fragment(1, 0x2000)), INSPECT_KEPT);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(pass(fragment(1, 0x2000)), INSPECT_DROP);
	ck_assert_int_eq(pass(fragment(1, 2)), INSPECT_DROP);
	ck_assert_int_eq(pass(fragment(0, 2)), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 3);
}
END_TEST

// A block is prolonged while somebody tries, and that is all there is to be seen of it.
START_TEST(what_a_block_drops_without_a_flow_is_told_too)
{
	struct verdict v = block_verdict(7, 0, 10 * SECOND_NS);
	struct observation o;

	ck_assert(ring_push(&verdicts, &v));
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pass(fragment(1, 2)), INSPECT_DROP);
	ck_assert(observed(OBS_BLOCKED, &o));
	ck_assert_uint_eq(o.number[NUM_BLOCKED_ID], 7);
	ck_assert_uint_eq(o.number[NUM_BLOCKED_FRAMES], 1);
	ck_assert_int_eq(o.direction, DIRECTION_IN);
	ck_assert(!observed(OBS_BLOCKED, &o));
	talk.now_ns += 2 * SECOND_NS;
	ck_assert_int_eq(pass(fragment(0, 2)), INSPECT_DROP);
	ck_assert(observed(OBS_BLOCKED, &o));
	ck_assert_uint_eq(o.number[NUM_BLOCKED_FRAMES], 4);
}
END_TEST

START_TEST(a_full_flow_table_does_not_open_what_is_blocked)
{
	struct verdict v;

	teardown();
	build_sized(NULL, 0, 1, 64);
	handshake();
	talk.client_port++;
	v = block_verdict(1, 1389, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_ACK, "x", 1), INSPECT_DROP);
	ck_assert_uint_ge(counters.value[COUNT_FLOWS_FULL], 1);
}
END_TEST

// Nor must it tell the rest who is inside: certain facts, what is held, what the brain learns of.
START_TEST(a_forged_first_frame_does_not_turn_a_flow_round)
{
	static const struct prefix there = {{.family = 4, .b = {192, 0, 2, 0}}, 24};

	for (unsigned k = 0; k < 4; k++) {
		struct observation o;
		struct frame *f;

		inside = k & 2 ? &there : NULL;
		teardown();
		build_sized(NULL, 0, 64, 64);
		inside = NULL;
		talk = talk_new();
		f = talk_say(&talk, &made, k & 1, TCP_SYN, NULL, 0); // in the client's name from outside, in the server's from inside
		f->port = !(k & 1);
		ck_assert_int_eq(pass(f), INSPECT_FORWARD);
		talk = talk_new();
		ask_for_class();
		f = talk_say(&talk, &made, !(k & 1), TCP_ACK, NULL, 0); // too late
		f->port = !f->port;
		pass(f);
		ck_assert_msg(say(1, TCP_ACK, java_class, sizeof(java_class) - 1) == INSPECT_DROP, "case %u", k);
		ck_assert_uint_eq(counters.value[COUNT_CUTS_CERTAIN], 1);
		ck_assert_uint_eq(counters.value[COUNT_TCP_MIDSTREAM], 0); // it was one flow since its handshake
		ck_assert(observed(OBS_FLOW_OPEN, &o) && o.direction == DIRECTION_OUT);
		memset(&counters, 0, sizeof(counters));
	}
}
END_TEST
