// SPDX-License-Identifier: GPL-2.0-or-later
// Part of inspect_test.c: an attacker who wants a certain fact delivered, a block outlived or the wire slowed; and what
// a block must not leave behind.
#pragma once

static const char class_request[] = "GET /a.class HTTP/1.1\r\nHost: x\r\n\r\n";

static enum inspect_action say_at(unsigned side, uint32_t seq, uint8_t flags, const void *payload, size_t n)
{
	uint32_t next = talk.seq[side];
	enum inspect_action a;

	talk.seq[side] = seq;
	a = say(side, flags, payload, n);
	talk.seq[side] = next;
	return a;
}

static void let_pass(uint64_t ns)
{
	talk.now_ns += ns;
	for (unsigned i = 0; i < 64; i++)
		inspect_step(inspect, talk.now_ns, talk.now_ns);
}

static void ask_for_class(void)
{
	publish_certain(0);
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK, class_request, sizeof(class_request) - 1), INSPECT_FORWARD);
}

// The same frame over UDP: made from the TCP one, with no checksum.
static struct frame *datagram(unsigned side)
{
	struct frame *f = talk_say(&talk, &made, side, TCP_ACK, "0123456789", 10);
	uint8_t *ip = made.at + 14;

	ip[9] = TRANSPORT_UDP;
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
	wire_be16(ip + 24, 30);
	wire_be16(ip + 26, 0);
	return f;
}

static struct frame *fragment(unsigned side, uint16_t offset)
{
	struct frame *f = talk_say(&talk, &made, side, TCP_ACK, "0123456789abcdefghij", 20);
	uint8_t *ip = made.at + 14;

	wire_be16(ip + 6, offset);
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
	return f;
}

START_TEST(a_script_whose_body_ends_with_the_connection_is_seen)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n#!/bin/sh\nid\n";
	struct observation o;

	ask_for_class();
	say(1, TCP_ACK, answer, sizeof(answer) - 1);
	say(1, TCP_ACK | TCP_FIN, NULL, 0);
	say(0, TCP_ACK, NULL, 0);
	ck_assert(observed(OBS_FILE, &o));
	ck_assert(o.facts & FACT_BIT(FACT_SCRIPT));
}
END_TEST

START_TEST(what_a_flow_has_begun_to_say_is_told_before_it_is_closed)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\n\r\n#!/bin/sh\nid\n";
	struct observation o;

	ask_for_class();
	say(1, TCP_ACK, answer, sizeof(answer) - 1);
	ck_assert(!observed(OBS_FILE, &o)); // it may go on
	inspect_step(inspect, talk.now_ns + 7200 * SECOND_NS, talk.now_ns + 7200 * SECOND_NS);
	ck_assert(observed(OBS_FILE, &o));
	ck_assert(o.facts & FACT_BIT(FACT_SCRIPT));
	ck_assert(observed(OBS_FLOW_CLOSE, &o));
}
END_TEST

START_TEST(what_waits_to_be_put_in_order_is_told_before_its_flow_is_closed)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nServer: it\r\n\r\n";
	struct observation o;

	ask_for_class();
	talk.seq[0] += 1; // acknowledged, but it never came by
	say(1, TCP_ACK, answer, sizeof(answer) - 1);
	ck_assert(!observed(OBS_HTTP_RESPONSE, &o));
	inspect_flush(inspect);
	ck_assert(observed(OBS_HTTP_RESPONSE, &o));
	ck_assert_uint_eq(o.number[NUM_RESPONSE_STATUS], 200);
	ck_assert(observed(OBS_FLOW_CLOSE, &o));
}
END_TEST

enum { PICTURE_BYTES = 3000, PIECE_BYTES = 500 };

// The first `pieces` of an answer with a picture of PICTURE_BYTES behind a head of its own segment.
static void say_picture(unsigned pieces)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nContent-Length: 3000\r\n\r\n";
	uint8_t body[PIECE_BYTES] = "GIF89a";

	ck_assert_int_eq(say(1, TCP_ACK, head, sizeof(head) - 1), INSPECT_FORWARD);
	for (unsigned i = 0; i < pieces; i++) {
		ck_assert_int_eq(say(1, TCP_ACK, body, sizeof(body)), INSPECT_FORWARD);
		memset(body, 'x', sizeof(body));
	}
}

START_TEST(the_answer_behind_a_body_nobody_looks_at_is_seen)
{
	struct observation o;

	ask_for_class();
	say_picture(PICTURE_BYTES / PIECE_BYTES);
	ck_assert_int_eq(say(0, TCP_ACK, class_request, sizeof(class_request) - 1), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	ck_assert(observed(OBS_CUT, &o));
}
END_TEST

START_TEST(a_segment_with_the_end_of_such_a_body_is_seen)
{
	uint8_t last[PIECE_BYTES + sizeof(java_class) - 1];

	ask_for_class();
	say_picture(PICTURE_BYTES / PIECE_BYTES - 1);
	memset(last, 'x', PIECE_BYTES);
	memcpy(last + PIECE_BYTES, java_class, sizeof(java_class) - 1);
	ck_assert_int_eq(say(1, TCP_ACK, last, sizeof(last)), INSPECT_DROP);
}
END_TEST

START_TEST(only_what_is_looked_at_may_not_come_twice_and_differ)
{
	uint8_t other[PIECE_BYTES];
	struct observation o;
	uint32_t first;

	memset(other, 'y', sizeof(other));
	ask_for_class();
	first = talk.seq[1];
	say_picture(4);
	ck_assert_int_eq(say_at(1, talk.seq[1] - PIECE_BYTES, TCP_ACK, other, sizeof(other)), INSPECT_FORWARD);
	ck_assert_int_eq(say_at(1, talk.seq[1] - 3 * PIECE_BYTES, TCP_ACK, other, sizeof(other)), INSPECT_FORWARD);
	ck_assert_int_eq(say_at(1, talk.seq[1] - 4 * PIECE_BYTES, TCP_ACK, other, sizeof(other)), INSPECT_DROP);
	ck_assert_int_eq(say_at(1, first, TCP_ACK, other, 20), INSPECT_FORWARD); // cut in another way, so not known
	ck_assert(observed(OBS_UNINSPECTED, &o));
}
END_TEST

START_TEST(the_end_of_such_a_body_may_come_again_behind_it)
{
	uint8_t again[PIECE_BYTES];
	struct observation o;

	memset(again, 'x', sizeof(again));
	ask_for_class();
	say_picture(PICTURE_BYTES / PIECE_BYTES);
	say(1, TCP_ACK, "HTTP/1.1 204 No Content\r\n\r\n", 27);
	ck_assert_int_eq(say_at(1, talk.seq[1] - 27 - PIECE_BYTES, TCP_ACK, again, sizeof(again)), INSPECT_FORWARD);
	ck_assert(!observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_eq(counters.value[COUNT_TCP_COPY], 0);
}
END_TEST

#include "inspect_test_blocks.h"

START_TEST(an_answer_that_comes_before_the_handshake_ends_is_cut_in_any_order)
{
	uint32_t at;

	publish_certain(0);
	say(0, TCP_SYN, NULL, 0);
	say(1, TCP_SYN | TCP_ACK, NULL, 0);
	at = talk.seq[1];
	// The client's ACK is still on its way; its kernel takes both. A sender repeats what is dropped.
	ck_assert_int_eq(say_at(1, at + 10, TCP_ACK, java_class + 10, sizeof(java_class) - 11), INSPECT_DROP);
	ck_assert_int_eq(say_at(1, at, TCP_ACK, java_class, 10), INSPECT_FORWARD);
	ck_assert_int_eq(say_at(1, at + 10, TCP_ACK, java_class + 10, sizeof(java_class) - 11), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_ORDER], 1);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CUT], 1);
}
END_TEST

START_TEST(an_old_acknowledgement_does_not_hide_bytes_behind_a_shrunk_window)
{
	uint32_t client;

	ask_for_class();
	small_window = 1;
	say(1, TCP_ACK, NULL, 0);
	client = talk.seq[0];
	talk.seq[0] -= 20; // Linux believes one as old as the largest window it was told (RFC 5961 §5.2)
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	talk.seq[0] = client;
	small_window = 0;
}
END_TEST

START_TEST(segments_too_many_to_be_put_in_order_are_not_forwarded_where_they_could_be_cut)
{
	uint32_t at;
	unsigned dropped = 0;

	ask_for_class();
	at = talk.seq[1];
	for (uint32_t i = 70; i > 0; i--) // lines of a head, the last first
		dropped += say_at(1, at + 17 + 2 * i, TCP_ACK, "a:b", 2) == INSPECT_DROP;
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_ORDER], dropped);
	ck_assert_uint_eq(dropped, 70 - FLOW_PARK_PER_SIDE);
}
END_TEST

START_TEST(a_second_copy_that_differs_is_not_forwarded_in_any_mode)
{
	uint32_t at;

	ask_for_class();
	at = talk.seq[1];
	ck_assert_int_eq(say_at(1, at + 45, TCP_ACK, "harmless", 8), INSPECT_FORWARD);
	ck_assert_int_eq(say_at(1, at + 45, TCP_ACK, "harmful!", 8), INSPECT_DROP);
	brain->mode = MODE_OBSERVE;
	ck_assert_int_eq(say_at(1, at + 45, TCP_ACK, "harmful!", 8), INSPECT_DROP);
	ck_assert_int_eq(say_at(1, at + 45, TCP_ACK, "harmless", 8), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_DIFFERENT], 2);
}
END_TEST

START_TEST(bytes_repeated_in_another_cut_are_flagged_or_refused)
{
	struct observation o;

	handshake();
	say(0, TCP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	ck_assert_int_eq(say_at(0, talk.seq[0] - 27, TCP_ACK, "GET", 3), INSPECT_FORWARD);
	ck_assert(observed(OBS_UNINSPECTED, &o));
	ck_assert_uint_eq(o.number[NUM_UNINSPECTED_WHY], COUNT_TCP_COPY);
	build_refusing(COUNT_TCP_COPY);
	handshake();
	say(0, TCP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	ck_assert_int_eq(say_at(0, talk.seq[0] - 27, TCP_ACK, "GET", 3), INSPECT_DROP);
	ck_assert_int_eq(say_at(0, talk.seq[0] - 27, TCP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_LIMIT], 1);
}
END_TEST

// A mark without bytes is for bytes to come: the receiver leaves one of those out.
START_TEST(an_urgent_mark_is_taken_away_so_that_all_readers_read_alike)
{
	const size_t n = _i ? 16 : 0;
	struct packet before, after;

	handshake();
	talk_say(&talk, &made, 0, TCP_ACK | TCP_URG, "GET / HTTP/1.1\r\n", n);
	wire_be16(made.at + 34 + 18, 3);
	wire_be16(made.at + 34 + 16, 0);
	wire_be16(made.at + 34 + 16, wire_sum(made.at + 34, 20 + n, wire_pseudo(made.at + 14, 20 + n)));
	decode_frame(&made.frame, true, &before);
	ck_assert(before.tcp_flags & TCP_URG && before.urgent == 3 && !before.oddities);
	ck_assert_int_eq(pass(&made.frame), INSPECT_FORWARD);
	decode_frame(&made.frame, true, &after);
	ck_assert(!(after.tcp_flags & TCP_URG) && after.urgent == 0);
	ck_assert_uint_eq(after.oddities, 0); // the checksum is right again
	ck_assert_uint_eq(counters.value[COUNT_TCP_URGENT], 1);
}
END_TEST

START_TEST(a_flow_that_cannot_be_inspected_is_cut_where_the_limit_says_so)
{
	build_refusing(COUNT_TCP_URGENT);
	talk.server_port = 21;
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK | TCP_URG, "GET / HTTP/1.1\r\n", 16), INSPECT_DROP);
	ck_assert_int_eq(say(0, TCP_ACK, "Host: x\r\n\r\n", 11), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_LIMIT], 2);
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], 2);
	inspect_panic(inspect, true); // nothing is dropped any more
	ck_assert_int_eq(say(0, TCP_ACK, "Host: x\r\n\r\n", 11), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_server_that_speaks_first_after_an_hour_is_still_the_server)
{
	struct observation o;

	ask_for_class();
	let_pass(3700 * SECOND_NS);
	say(1, TCP_ACK, java_class, sizeof(java_class) - 1);
	while (observed(OBS_FLOW_OPEN, &o))
		ck_assert_int_eq(o.direction, DIRECTION_OUT);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CUT], 1);
}
END_TEST

START_TEST(connections_that_say_little_do_not_use_up_the_contexts_for_ever)
{
	teardown();
	build_sized(NULL, 0, 64, 4);
	for (unsigned i = 0; i < 6; i++) {
		talk = talk_new();
		talk.now_ns += i * SECOND_NS;
		talk.client_port = (uint16_t)(50000 + i);
		handshake();
		say(0, TCP_ACK, "G", 1);
	}
	talk.client_port = 51000;
	ask_for_class();
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
}
END_TEST

START_TEST(a_closed_connection_gives_its_context_back)
{
	teardown();
	build_sized(NULL, 0, 64, 1);
	for (unsigned i = 0; i < 3; i++) {
		talk = talk_new();
		talk.now_ns += i * SECOND_NS;
		talk.client_port = (uint16_t)(50000 + i);
		handshake();
		say(0, TCP_ACK, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
		say(1, TCP_ACK, "HTTP/1.1 204 No Content\r\n\r\n", 27);
		say(0, TCP_ACK | TCP_FIN, NULL, 0);
		say(1, TCP_ACK | TCP_FIN, NULL, 0);
		say(0, TCP_ACK, NULL, 0);
	}
	ck_assert_uint_eq(counters.value[COUNT_PROTO_CONTEXT_FULL], 0);
}
END_TEST

START_TEST(a_reset_put_off_by_the_rate_limit_is_sent_with_a_later_frame)
{
	uint32_t at = 0;

	for (unsigned i = 0; i <= INSPECT_RESETS_PER_S / 2; i++) {
		uint64_t now = talk.now_ns;

		talk = talk_new();
		talk.now_ns = now;
		talk.client_port = (uint16_t)(50000 + i);
		ask_for_class();
		at = talk.seq[1];
		ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	}
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], INSPECT_RESETS_PER_S);
	talk.now_ns += 2 * SECOND_NS;
	for (unsigned again = 0; again < 2; again++)
		ck_assert_int_eq(say_at(1, at, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], INSPECT_RESETS_PER_S + 2);
}
END_TEST

START_TEST(who_has_not_spoken_is_not_reset)
{
	struct verdict v = block_verdict(1, 0, SECOND_NS);

	say(1, TCP_ACK, "spoofed", 7); // nobody knows this connection
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(1, TCP_ACK, "spoofed", 7), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 0);
}
END_TEST

START_TEST(a_cut_flow_passes_when_the_mode_is_not_enforce_any_more)
{
	ask_for_class();
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_DROP);
	brain->mode = MODE_OBSERVE;
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_cut_flow_stays_cut_as_long_as_its_payload_is_repeated)
{
	uint32_t at;

	ask_for_class();
	at = talk.seq[1];
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	for (unsigned i = 0; i < 8; i++) {
		let_pass(900 * SECOND_NS);
		ck_assert_int_eq(say_at(1, at + 42, TCP_ACK, "the rest", 8), INSPECT_DROP);
	}
}
END_TEST

START_TEST(a_heartbeat_from_the_future_is_no_heartbeat)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = UINT64_MAX;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_FORWARD);
}
END_TEST

// A RST that only we see (it runs out of hops behind us) and a SYN of the server's: the flow must not begin anew the
// other way round.
START_TEST(a_server_cannot_turn_the_flow_round)
{
	ask_for_class();
	say(1, TCP_ACK, "HTTP", 4);
	ck_assert_int_eq(say(1, TCP_RST, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say_at(1, talk.seq[1] - 1, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_ACK, java_class + 4, sizeof(java_class) - 5), INSPECT_DROP);
}
END_TEST

START_TEST(a_held_frame_is_counted_once)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	inspect_held_expired(inspect, flow);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_IN], 1);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_HELD], 1);
}
END_TEST

// The first reason told of a flow may be one that nobody refuses; the next one is asked all the same.
START_TEST(a_limit_refuses_a_flow_that_was_flagged_for_another_one)
{
	build_refusing(COUNT_TCP_URGENT);
	talk.server_port = 21;
	ck_assert_int_eq(say(0, TCP_ACK, "USER x\r\n", 8), INSPECT_FORWARD); // midstream
	ck_assert_int_eq(say(0, TCP_ACK | TCP_URG, "PASS y\r\n", 8), INSPECT_DROP);
	ck_assert_int_eq(say(0, TCP_ACK, "RETR z\r\n", 8), INSPECT_DROP);
}
END_TEST

START_TEST(a_block_that_a_person_confirmed_holds_where_the_flow_table_is_full)
{
	struct verdict v;

	teardown();
	build_sized(NULL, 0, 1, 64);
	brain->mode = MODE_ADVISE;
	handshake();
	v = block_verdict(1, 1389, SECOND_NS);
	talk.client_port++;
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_ACK, "x", 1), INSPECT_DROP);
	ck_assert_uint_ge(counters.value[COUNT_FLOWS_FULL], 1);
}
END_TEST

START_TEST(what_a_cut_flow_says_when_it_passes_again_is_flagged)
{
	struct observation o;

	ask_for_class();
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	ck_assert(!observed(OBS_UNINSPECTED, &o));
	inspect_panic(inspect, true);
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_FORWARD);
	ck_assert(observed(OBS_UNINSPECTED, &o));
}
END_TEST

START_TEST(a_flow_whose_block_has_ended_in_mode_advise_is_flagged)
{
	struct verdict v;
	struct observation o;

	brain->mode = MODE_ADVISE;
	handshake();
	v = block_verdict(1, 1389, SECOND_NS);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_DROP);
	talk.now_ns += 2 * SECOND_NS;
	talk.seq[0] -= 5;
	ck_assert_int_eq(say(0, TCP_ACK, class_request, sizeof(class_request) - 1), INSPECT_FORWARD);
	ck_assert(observed(OBS_UNINSPECTED, &o));
}
END_TEST

// Bytes nobody can take (the receiver is elsewhere) name numbers, so that all that follows lies outside.
START_TEST(forged_numbers_of_a_flow_without_a_handshake_do_not_hide_the_rest)
{
	for (int strict = 0; strict < 2; strict++) {
		if (strict)
			build_refusing(COUNT_TCP_OUTSIDE_WINDOW);
		publish_certain(0);
		ck_assert_int_eq(say_at(1, talk.seq[1] + 0x20000000, TCP_ACK, "junk", 4), INSPECT_FORWARD);
		say(0, TCP_ACK, class_request, sizeof(class_request) - 1);
		ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), strict ? INSPECT_DROP : INSPECT_FORWARD);
	}
}
END_TEST

// The same after a SYN, before its answer; here it is no accident that the handshake was not seen.
START_TEST(forged_bytes_before_the_handshake_do_not_hide_the_rest)
{
	build_refusing(COUNT_TCP_OUTSIDE_WINDOW);
	talk.client_side = 1;
	say(0, TCP_SYN, NULL, 0);
	talk.seq[1] += 0x10000000;
	ck_assert_int_eq(say_at(0, talk.seq[0], TCP_ACK, "G", 1), INSPECT_FORWARD);
	talk.seq[1] -= 0x10000000;
	say(1, TCP_SYN | TCP_ACK, NULL, 0);
	say(0, TCP_ACK, NULL, 0);
	ck_assert_int_eq(say(0, TCP_ACK, "GET /${jndi:ldap://x/a} HTTP/1.1\r\n\r\n", 37), INSPECT_DROP);
}
END_TEST

START_TEST(a_transport_that_nobody_reads_is_counted_and_flagged)
{
	static const struct {
		uint8_t transport;
		bool read;
	} rows[] = {{132, false}, {50, false}, {TRANSPORT_UDP, true}, {TRANSPORT_ICMP, true}};
	struct observation o;
	unsigned unread = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame *f = datagram(0);
		uint8_t *ip = made.at + 14;

		ip[9] = rows[i].transport;
		wire_be16(ip + 10, 0);
		wire_be16(ip + 10, wire_sum(ip, 20, 0));
		if (rows[i].transport == TRANSPORT_ICMP) {
			memset(ip + 20, 0, 8);
			wire_be16(ip + 22, wire_sum(ip + 20, 30, 0));
		}
		ck_assert_int_eq(pass(f), INSPECT_FORWARD);
		ck_assert_int_eq(observed(OBS_UNINSPECTED, &o), !rows[i].read);
		unread += !rows[i].read;
		ck_assert_uint_eq(counters.value[COUNT_DECODE_TRANSPORT], unread);
	}
}
END_TEST

static TCase *hostile_case(void)
{
	TCase *t = tcase_create("hostile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_script_whose_body_ends_with_the_connection_is_seen);
	tcase_add_test(t, what_a_flow_has_begun_to_say_is_told_before_it_is_closed);
	tcase_add_test(t, what_waits_to_be_put_in_order_is_told_before_its_flow_is_closed);
	tcase_add_test(t, a_datagram_flow_is_free_again_when_its_block_ends);
	tcase_add_test(t, a_cut_datagram_flow_is_free_again_however_often_it_is_tried);
	tcase_add_test(t, a_client_may_connect_again_from_the_same_port_when_its_block_ends);
	tcase_add_test(t, who_is_blocked_does_not_come_in_a_tunnel);
	tcase_add_test(t, who_is_blocked_does_not_cut_what_others_say_in_a_tunnel);
	tcase_add_test(t, who_is_blocked_behind_the_other_port_may_not_call_either);
	tcase_add_test(t, a_forged_first_frame_does_not_turn_a_block_round);
	tcase_add_test(t, a_forged_first_frame_does_not_turn_a_flow_round);
	tcase_add_test(t, who_is_blocked_behind_the_other_port_may_not_call_untracked_either);
	tcase_add_test(t, who_is_blocked_does_not_come_behind_more_headers_than_are_read);
	tcase_add_test(t, a_block_refuses_fragments_too);
	tcase_add_test(t, what_a_block_drops_without_a_flow_is_told_too);
	tcase_add_test(t, a_full_flow_table_does_not_open_what_is_blocked);
	tcase_add_test(t, an_answer_that_comes_before_the_handshake_ends_is_cut_in_any_order);
	tcase_add_test(t, an_old_acknowledgement_does_not_hide_bytes_behind_a_shrunk_window);
	tcase_add_test(t, segments_too_many_to_be_put_in_order_are_not_forwarded_where_they_could_be_cut);
	tcase_add_test(t, a_second_copy_that_differs_is_not_forwarded_in_any_mode);
	tcase_add_test(t, bytes_repeated_in_another_cut_are_flagged_or_refused);
	tcase_add_loop_test(t, an_urgent_mark_is_taken_away_so_that_all_readers_read_alike, 0, 2);
	tcase_add_test(t, a_flow_that_cannot_be_inspected_is_cut_where_the_limit_says_so);
	tcase_add_test(t, a_server_that_speaks_first_after_an_hour_is_still_the_server);
	tcase_add_test(t, connections_that_say_little_do_not_use_up_the_contexts_for_ever);
	tcase_add_test(t, a_closed_connection_gives_its_context_back);
	tcase_add_test(t, a_reset_put_off_by_the_rate_limit_is_sent_with_a_later_frame);
	tcase_add_test(t, who_has_not_spoken_is_not_reset);
	tcase_add_test(t, a_cut_flow_passes_when_the_mode_is_not_enforce_any_more);
	tcase_add_test(t, a_cut_flow_stays_cut_as_long_as_its_payload_is_repeated);
	tcase_add_test(t, a_heartbeat_from_the_future_is_no_heartbeat);
	tcase_add_test(t, a_server_cannot_turn_the_flow_round);
	tcase_add_test(t, a_held_frame_is_counted_once);
	tcase_add_test(t, a_transport_that_nobody_reads_is_counted_and_flagged);
	tcase_add_test(t, forged_bytes_before_the_handshake_do_not_hide_the_rest);
	tcase_add_test(t, forged_numbers_of_a_flow_without_a_handshake_do_not_hide_the_rest);
	tcase_add_test(t, a_flow_whose_block_has_ended_in_mode_advise_is_flagged);
	tcase_add_test(t, what_a_cut_flow_says_when_it_passes_again_is_flagged);
	tcase_add_test(t, a_block_that_a_person_confirmed_holds_where_the_flow_table_is_full);
	tcase_add_test(t, a_limit_refuses_a_flow_that_was_flagged_for_another_one);
	tcase_add_test(t, the_answer_behind_a_body_nobody_looks_at_is_seen);
	tcase_add_test(t, a_segment_with_the_end_of_such_a_body_is_seen);
	tcase_add_test(t, only_what_is_looked_at_may_not_come_twice_and_differ);
	tcase_add_test(t, the_end_of_such_a_body_may_come_again_behind_it);
	return t;
}
