// SPDX-License-Identifier: GPL-2.0-or-later
// Part of inspect_test.c: fragments go where their datagram goes.
#pragma once

static struct piece {
	uint8_t at[2048];
	struct frame frame;
} piece[8];

static uint8_t sent[8][2048]; // by hooks.forward
static size_t sent_bytes[8];
static unsigned sents;
static uint16_t to_side; // they leave there: 0, inside

static void forward_hook(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	ck_assert_uint_eq(port, to_side);
	ck_assert_uint_lt(sents, 8);
	memcpy(sent[sents], frame, n);
	sent_bytes[sents++] = n;
}

// Cuts the frame made last into fragments of `each` bytes (a multiple of 8). Returns how many.
static unsigned cut_up(size_t each)
{
	static uint16_t id;
	size_t data = made.frame.bytes - 34;
	unsigned n = 0;

	id++;
	for (size_t at = 0; at < data; at += each, n++) {
		size_t part = data - at < each ? data - at : each;
		uint8_t *ip = piece[n].at + 14;

		memcpy(piece[n].at, made.at, 34);
		memcpy(piece[n].at + 34, made.at + 34 + at, part);
		wire_be16(ip + 2, (uint16_t)(20 + part));
		wire_be16(ip + 4, id);
		wire_be16(ip + 6, (uint16_t)(at / 8 | (at + part < data ? 0x2000 : 0)));
		wire_be16(ip + 10, 0);
		wire_be16(ip + 10, wire_sum(ip, 20, 0));
		piece[n].frame = made.frame;
		piece[n].frame.at = piece[n].at;
		piece[n].frame.bytes = piece[n].frame.wire_bytes = (uint32_t)(34 + part);
	}
	sents = 0;
	return n;
}

// The class the server sends, in fragments of 32 bytes; not yet passed.
static unsigned class_in_pieces(void)
{
	ask_for_class();
	talk_say(&talk, &made, 1, TCP_ACK, java_class, sizeof(java_class) - 1);
	return cut_up(32);
}

START_TEST(fragments_wait_for_the_last_and_leave_as_they_came)
{
	static const unsigned order[] = {2, 0, 1};
	unsigned n;

	publish_certain(0);
	handshake();
	say(0, TCP_ACK, class_request, sizeof(class_request) - 1);
	talk_say(&talk, &made, 1, TCP_ACK, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 41);
	n = cut_up(24);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(pass(&piece[order[0]].frame), INSPECT_KEPT);
	ck_assert_int_eq(pass(&piece[order[1]].frame), INSPECT_KEPT);
	ck_assert_uint_eq(sents, 0);
	ck_assert_uint_eq(inspect_datagrams(inspect), 1);
	ck_assert_int_eq(pass(&piece[order[2]].frame), INSPECT_KEPT);
	ck_assert_uint_eq(sents, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(sent_bytes[i], piece[order[i]].frame.bytes);
		ck_assert_mem_eq(sent[i], piece[order[i]].at, sent_bytes[i]);
	}
	ck_assert_uint_eq(inspect_datagrams(inspect), 0);
	ck_assert_uint_eq(counters_dropped(&counters), 0);
}
END_TEST

START_TEST(a_certain_fact_in_fragments_is_cut_before_any_of_them_leaves)
{
	unsigned n = class_in_pieces();

	for (unsigned i = 0; i + 1 < n; i++)
		ck_assert_int_eq(pass(&piece[i].frame), INSPECT_KEPT);
	ck_assert_int_eq(pass(&piece[n - 1].frame), INSPECT_DROP);
	ck_assert_uint_eq(sents, 0);
	ck_assert_uint_eq(counters.value[COUNT_CUTS_CERTAIN], 1);
	ck_assert_uint_eq(counters_dropped(&counters), n);
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], 2);
}
END_TEST

START_TEST(fragments_that_contradict_each_other_never_leave)
{
	unsigned n = class_in_pieces();

	ck_assert_int_eq(pass(&piece[0].frame), INSPECT_KEPT);
	piece[0].at[40] ^= 1;
	ck_assert_int_eq(pass(&piece[0].frame), INSPECT_DROP);
	for (unsigned i = 1; i < n; i++)
		pass(&piece[i].frame);
	ck_assert_uint_eq(sents, 0);
	talk.now_ns += 60 * SECOND_NS;
	inspect_step(inspect, talk.now_ns, talk.now_ns);
	ck_assert_uint_eq(counters_dropped(&counters), n + 1);
	ck_assert_uint_eq(inspect_datagrams(inspect), 0);
}
END_TEST

START_TEST(a_first_frame_sent_again_in_fragments_does_not_end_its_wait)
{
	static struct made first;
	struct frame *f = talk_say(&talk, &first, 0, TCP_SYN, "0123456789012345", 16);
	uint64_t flow;

	to_side = 1;
	made = first;
	made.frame.at = made.at;
	ck_assert_uint_eq(cut_up(24), 2);
	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	ck_assert_int_eq(pass(&piece[0].frame), INSPECT_KEPT);
	ck_assert_int_eq(pass(&piece[1].frame), INSPECT_DROP);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_HOLD);
	inspect_held_expired(inspect, flow);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_FORWARD);
	// Sent in fragments at first, it waits as well; and is not asked about for ever where it only comes in fragments.
	for (unsigned k = 0; k < 2; k++) {
		talk.client_port++;
		talk.seq[0] = 1000;
		f = talk_say(&talk, &made, 0, TCP_SYN, "0123456789012345", 16);
		ck_assert_uint_eq(cut_up(24), 2);
		brain->heartbeat_ns = f->unix_ns;
		ck_assert_int_eq(pass(&piece[0].frame), INSPECT_KEPT);
		ck_assert_int_eq(pass(&piece[1].frame), INSPECT_DROP);
		if (k == 0) {
			ck_assert_int_eq(pass(f), INSPECT_HOLD);
			continue;
		}
		talk_say(&talk, &made, 0, TCP_SYN, "0123456789012345", 16);
		talk.now_ns += 3000000;
		cut_up(24);
		piece[0].frame.unix_ns = piece[1].frame.unix_ns = brain->heartbeat_ns = talk.now_ns;
		ck_assert_int_eq(pass(&piece[0].frame), INSPECT_KEPT);
		ck_assert_int_eq(pass(&piece[1].frame), INSPECT_KEPT);
	}
	to_side = 0;
}
END_TEST

START_TEST(what_is_blocked_does_not_come_in_fragments)
{
	struct verdict v;
	unsigned n = class_in_pieces();

	pass(&piece[0].frame);
	v = block_verdict(1, 1389, SECOND_NS); // by port, which later fragments do not have
	ck_assert(ring_push(&verdicts, &v));
	for (unsigned i = 1; i + 1 < n; i++)
		ck_assert_int_eq(pass(&piece[i].frame), INSPECT_KEPT);
	ck_assert_int_eq(pass(&piece[n - 1].frame), INSPECT_DROP);
	ck_assert_uint_eq(sents, 0);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_BLOCK], 1);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_FRAGMENT], n - 1);
}
END_TEST

START_TEST(a_flood_of_first_fragments_lets_nothing_by)
{
	unsigned forwarded = 0;

	for (int strict = 0; strict < 2; strict++) {
		if (strict)
			build_refusing(COUNT_DEFRAG_FULL);
		handshake();
		for (unsigned i = 0; i < 3000; i++) {
			talk_say(&talk, &made, 1, TCP_ACK, "0123456789012345678901234567890123456789", 40);
			cut_up(48);
			forwarded += pass(&piece[0].frame) == INSPECT_FORWARD;
		}
		ck_assert_uint_eq(forwarded, 0); // an old one gives way to a new one, and is dropped: nothing is let by
		ck_assert_uint_eq(counters.value[COUNT_FRAMES_IN], 3003);
		ck_assert_uint_eq(counters_dropped(&counters) + inspect_datagrams(inspect), 3000);
	}
}
END_TEST

static void set_hops(uint8_t *ip, uint8_t hops)
{
	ip[8] = hops;
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
}

// The first piece of a datagram runs out of hops behind us. There the rest of it would wait for the first piece of the next one of the same number, and the
// two would be read together as nobody saw them.
START_TEST(pieces_that_do_not_come_equally_far_never_leave)
{
	static const uint8_t hops[] = {1, 63}; // the other pieces have 64

	for (unsigned i = 0; i < 2; i++) {
		unsigned n;

		talk.client_port++;
		handshake();
		talk_say(&talk, &made, 1, TCP_ACK, "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 39);
		n = cut_up(32);
		set_hops(piece[0].at + 14, hops[i]);
		for (unsigned k = 0; k < n; k++)
			pass(&piece[k].frame);
		ck_assert_uint_eq(sents, i ? n : 0);
	}
}
END_TEST

// Pieces of the frame of a tunnel (IP in IP) that carries this one.
static unsigned cut_up_in_tunnel(const struct piece *p, size_t each)
{
	size_t inner = p->frame.bytes - 14;
	uint8_t *ip = made.at + 14;

	memcpy(made.at, p->at, 34);
	memcpy(made.at + 34, p->at + 14, inner);
	ip[9] = 4;
	wire_be16(ip + 2, (uint16_t)(20 + inner));
	wire_be16(ip + 6, 0);
	made.frame.bytes = made.frame.wire_bytes = (uint32_t)(34 + inner);
	return cut_up(each);
}

static unsigned cut_up_again(const struct piece *p, size_t each)
{
	memcpy(made.at, p->at, p->frame.bytes);
	made.frame.bytes = made.frame.wire_bytes = p->frame.bytes;
	return cut_up(each);
}

// Both pieces, each in pieces itself: all leave, or where a sum is wrong and counted none.
static void pass_in_pieces(unsigned (*cut)(const struct piece *p, size_t each), bool wrong)
{
	struct piece kept[2];
	unsigned sent_in_all = 0, frames = 0;

	memcpy(kept, piece, sizeof(kept));
	for (unsigned k = 0; k < 2; k++) {
		unsigned n = cut(&kept[k], 32);

		for (unsigned i = 0; i < n; i++)
			pass(&piece[i].frame);
		frames += n;
		sent_in_all += sents;
	}
	ck_assert_uint_eq(sent_in_all, wrong ? 0 : frames);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CHECKSUM], wrong);
}

START_TEST(pieces_in_pieces_have_right_sums_or_never_leave)
{
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		talk.client_port++;
		handshake();
		talk_say(&talk, &made, 1, TCP_ACK, "HTTP/1.1 204 No Content\r\n\r\n", 27);
		ck_assert_uint_eq(cut_up(32), 2);
		piece[0].at[14 + 10] ^= wrong;
		pass_in_pieces(cut_up_in_tunnel, wrong);
	}
}
END_TEST

// Puts piece k into a tunnel (GRE with a sum over all it carries), the sum made wrong or not.
static void into_gre(unsigned k, bool wrong)
{
	size_t inner = piece[k].frame.bytes - 14;
	uint8_t *ip = piece[k].at + 14;

	memmove(ip + 20 + 8, ip, inner);
	memcpy(ip + 20, (const uint8_t[8]){0x80, 0, 8, 0}, 8);
	wire_be16(ip + 20 + 4, (uint16_t)(wire_sum(ip + 20, inner + 8, 0) ^ wrong));
	ip[9] = 47;
	wire_be16(ip + 2, (uint16_t)(20 + 8 + inner));
	wire_be16(ip + 6, 0);
	wire_be16(ip + 10, 0);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
	piece[k].frame.bytes = piece[k].frame.wire_bytes += 20 + 8;
}

// The tunnel's end drops what has a wrong sum. There the rest of the datagram would wait for that piece of another one of the same number.
START_TEST(a_piece_in_a_tunnel_whose_sum_is_wrong_takes_no_place)
{
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		talk.client_port++;
		handshake();
		talk_say(&talk, &made, 1, TCP_ACK, "HTTP/1.1 204 No Content\r\n\r\n", 27);
		ck_assert_uint_eq(cut_up(32), 2);
		into_gre(0, wrong);
		into_gre(1, false);
		ck_assert_int_eq(pass(&piece[0].frame), wrong ? INSPECT_DROP : INSPECT_KEPT);
		ck_assert_int_eq(pass(&piece[1].frame), INSPECT_KEPT);
		ck_assert_uint_eq(sents, wrong ? 0 : 2);
		ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CHECKSUM], wrong);
	}
}
END_TEST

// The same where the packet that carries the piece came in pieces itself.
START_TEST(a_piece_in_pieces_of_a_packet_whose_sum_is_wrong_takes_no_place)
{
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		talk.client_port++;
		handshake();
		talk_say(&talk, &made, 1, TCP_ACK, "HTTP/1.1 204 No Content\r\n\r\n", 27);
		ck_assert_uint_eq(cut_up(32), 2);
		into_gre(0, wrong);
		into_gre(1, false);
		pass_in_pieces(cut_up_again, wrong);
	}
}
END_TEST

// The mark cannot be taken out of frames that leave as they came, and readers differ on which byte it means.
START_TEST(an_urgent_mark_in_pieces_is_told)
{
	struct observation o;
	unsigned n;

	handshake();
	talk_say(&talk, &made, 1, TCP_ACK | TCP_PSH | TCP_URG, "HTTP/1.1 204 No Content\r\n\r\n", 27);
	n = cut_up(32);
	for (unsigned i = 0; i < n; i++)
		pass(&piece[i].frame);
	ck_assert_uint_eq(sents, n);
	ck_assert_uint_eq(counters.value[COUNT_TCP_URGENT], 1);
	ck_assert(observed(OBS_UNINSPECTED, &o) && o.number[NUM_UNINSPECTED_WHY] == COUNT_TCP_URGENT);
	build_refusing(COUNT_TCP_URGENT);
	handshake();
	talk_say(&talk, &made, 1, TCP_ACK | TCP_PSH | TCP_URG, "HTTP/1.1 204 No Content\r\n\r\n", 27);
	n = cut_up(32);
	for (unsigned i = 0; i < n; i++)
		pass(&piece[i].frame);
	ck_assert_uint_eq(sents, 0);
}
END_TEST

// No option of a piece that is not the first is left in the datagram.
START_TEST(options_of_a_later_piece_are_refused_where_the_limit_says_so)
{
	static const uint8_t route[4] = {1, 1, 1, 0};
	unsigned n;

	build_refusing(COUNT_DECODE_OPTIONS);
	n = class_in_pieces();
	memmove(piece[1].at + 38, piece[1].at + 34, piece[1].frame.bytes - 34);
	memcpy(piece[1].at + 34, route, 4);
	piece[1].at[14] = 0x46;
	piece[1].frame.bytes = piece[1].frame.wire_bytes += 4;
	wire_be16(piece[1].at + 16, piece[1].frame.bytes - 14);
	wire_be16(piece[1].at + 24, 0);
	wire_be16(piece[1].at + 24, wire_sum(piece[1].at + 14, 24, 0));
	ck_assert_int_eq(pass(&piece[0].frame), INSPECT_KEPT);
	ck_assert_int_eq(pass(&piece[1].frame), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_LIMIT], 1);
	ck_assert_uint_eq(n, 3);
}
END_TEST

static TCase *pieces_case(void)
{
	TCase *t = tcase_create("pieces");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, fragments_wait_for_the_last_and_leave_as_they_came);
	tcase_add_test(t, a_certain_fact_in_fragments_is_cut_before_any_of_them_leaves);
	tcase_add_test(t, fragments_that_contradict_each_other_never_leave);
	tcase_add_test(t, a_first_frame_sent_again_in_fragments_does_not_end_its_wait);
	tcase_add_test(t, what_is_blocked_does_not_come_in_fragments);
	tcase_add_test(t, a_flood_of_first_fragments_lets_nothing_by);
	tcase_add_test(t, options_of_a_later_piece_are_refused_where_the_limit_says_so);
	tcase_add_test(t, pieces_in_pieces_have_right_sums_or_never_leave);
	tcase_add_test(t, an_urgent_mark_in_pieces_is_told);
	tcase_add_test(t, a_piece_in_a_tunnel_whose_sum_is_wrong_takes_no_place);
	tcase_add_test(t, a_piece_in_pieces_of_a_packet_whose_sum_is_wrong_takes_no_place);
	tcase_add_test(t, pieces_that_do_not_come_equally_far_never_leave);
	return t;
}
