// SPDX-License-Identifier: GPL-2.0-or-later
// Fragments in every order, and what is refused: rows 1 to 13 and 21 to 23 of the evasion matrix, in IPv4 and IPv6.
#include <check.h>
#include <stdlib.h>
#include "counters.h"
#include "defrag.h"
#include "fragment_draft.h"

enum { DATAGRAMS = 64, SECOND = 1000000000 };

static struct counters counters;
static struct defrag *d;
static struct defrag_whole whole;
static struct cut cut;
static uint64_t now, added;

static void begin(uint64_t bytes)
{
	struct defrag_config config = {.datagrams = DATAGRAMS, .bytes = bytes, .key = {1, 2}};

	defrag_destroy(d);
	memset(&counters, 0, sizeof(counters));
	d = defrag_create(&config, &counters);
	ck_assert_ptr_nonnull(d);
	now = 1000ull * SECOND;
	added = 0;
}

static uint64_t counted(enum counter c)
{
	return counters.value[c];
}

static enum defrag_result add_frame(const struct frame *f)
{
	struct packet p;

	ck_assert_int_eq(decode_frame(f, true, &p), DECODE_PIECE);
	ck_assert_uint_eq(p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TUNNEL), 0);
	added++;
	return defrag_add(d, f, &p, &whole);
}

static enum defrag_result add_bytes(const struct model *m, unsigned id, unsigned offset, const uint8_t *data, unsigned n, bool more)
{
	uint8_t *tight;
	enum defrag_result result;

	model_cut(m, &cut, id, offset, data, n, more);
	tight = malloc(cut.frame.bytes);
	memcpy(tight, cut.b, cut.frame.bytes);
	cut.frame.at = tight;
	cut.frame.unix_ns = now;
	result = add_frame(&cut.frame);
	free(tight);
	return result;
}

static enum defrag_result add(const struct model *m, unsigned id, unsigned from, unsigned to)
{
	return add_bytes(m, id, from, m->b + m->header + from, to - from, to < MODEL_DATA);
}

// Frames in = sent on or free + dropped by name + kept.
static void assert_nothing_kept(uint64_t sent)
{
	ck_assert_uint_eq(defrag_count(d), 0);
	ck_assert_uint_eq(added, sent + counted(COUNT_FRAMES_DROPPED_FRAGMENT));
}

static void assert_whole(const struct model *m, unsigned id, uint32_t pieces)
{
	struct packet p = {.vlans = 1, .vlan = {9}};

	ck_assert(model_is(m, id, &whole.frame));
	ck_assert(whole.ip_offset == 14 && whole.pieces == pieces && whole.frame.unix_ns == now);
	ck_assert_int_eq(decode_datagram(&whole.frame, whole.ip_offset, false, &p), DECODE_OK);
	ck_assert(p.transport == 17 && p.destination_port == 53 && p.payload_bytes == MODEL_DATA - 8 && p.vlan[0] == 9);
	ck_assert_uint_eq(p.oddities, ODDITY_IP_OPTIONS);
}

START_TEST(a_datagram_is_whole_in_whatever_order_its_fragments_come)
{
	for (unsigned row = 0; row < 12; row++) {
		static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
		static const unsigned ends[] = {0, 1480, 2960, MODEL_DATA};
		struct model m = model_make(row & 1, 1);
		const unsigned *o = orders[row / 2];

		begin(1 << 20);
		ck_assert_int_eq(add(&m, 7, ends[o[0]], ends[o[0] + 1]), DEFRAG_KEPT);
		ck_assert_int_eq(add(&m, 7, ends[o[1]], ends[o[1] + 1]), DEFRAG_KEPT);
		ck_assert_int_eq(add(&m, 7, ends[o[2]], ends[o[2] + 1]), DEFRAG_COMPLETE);
		assert_whole(&m, 7, 3);
		for (unsigned i = 0; i < 3; i++) {
			struct defrag_piece piece = defrag_piece_at(d, whole.id, i);

			model_cut(&m, &cut, 7, ends[o[i]], m.b + m.header + ends[o[i]], ends[o[i] + 1] - ends[o[i]], o[i] < 2);
			ck_assert(bytes_equal(bytes_of(piece.at, piece.bytes), bytes_of(cut.b, cut.frame.bytes)));
		}
		ck_assert_ptr_null(defrag_piece_at(d, whole.id, 3).at);
		ck_assert_ptr_nonnull(defrag_piece_at(d, whole.id, 1).at); // and back
		ck_assert_uint_eq(defrag_count(d), 1);
		defrag_done(d, whole.id);
		defrag_done(d, whole.id);
		ck_assert_ptr_null(defrag_piece_at(d, whole.id, 0).at);
		assert_nothing_kept(3);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_WHOLE), 1);
	}
}
END_TEST

START_TEST(sixty_four_pieces_are_put_together_and_a_sixty_fifth_is_too_many)
{
	for (unsigned row = 0; row < 4; row++) {
		struct model m = model_make(row & 1, 1);
		unsigned step = row & 2 ? 40 : 48, n = (MODEL_DATA + step - 1) / step;

		begin(1 << 20);
		for (unsigned i = n; i-- > 0;) { // reversed
			unsigned end = (i + 1) * step < MODEL_DATA ? (i + 1) * step : MODEL_DATA;
			enum defrag_result r = add(&m, 7, i * step, end);

			ck_assert_int_eq(r, i == n - 65 ? DEFRAG_DROP : i ? DEFRAG_KEPT : n > 64 ? DEFRAG_KEPT : DEFRAG_COMPLETE);
		}
		ck_assert_uint_eq(counted(COUNT_DEFRAG_FULL), n > 64);
		if (n <= 64)
			assert_whole(&m, 7, n);
		else
			ck_assert_uint_eq(counted(COUNT_FRAMES_DROPPED_FRAGMENT), 65);
	}
}
END_TEST

START_TEST(a_repeated_fragment_is_dropped_alone)
{
	struct model m = model_make(false, 1);

	begin(1 << 20);
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_DROP);
	ck_assert_int_eq(add(&m, 7, 1480, MODEL_DATA), DEFRAG_COMPLETE);
	assert_whole(&m, 7, 2);
	defrag_done(d, whole.id);
	assert_nothing_kept(2);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 0);
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT); // and after completion it begins another
}
END_TEST

START_TEST(any_other_overlap_gives_up_the_datagram)
{
	static const struct {
		unsigned a, a_end, b, b_end;
		bool b_more, differs;
	} rows[] = {
		{0, 24, 16, 40, true, true},   {16, 40, 0, 24, true, true},  {8, 16, 0, 24, true, true},  {0, 24, 8, 16, true, true},
		{0, 24, 0, 24, true, true},    {0, 24, 16, 40, true, false}, {0, 24, 0, 32, true, false}, {16, 40, 16, 40, false, false},
		{16, 40, 8, 16, false, false}, // an end before what was kept
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct model m = model_make(i & 1, 1);
		uint8_t other[64];

		begin(1 << 20);
		memcpy(other, m.b + m.header, sizeof(other));
		for (size_t j = 8; rows[i / 2].differs && j < sizeof(other); j++)
			other[j] ^= 0x55;
		ck_assert_int_eq(add(&m, 7, 1480, 2960), DEFRAG_KEPT);
		ck_assert_int_eq(add(&m, 7, rows[i / 2].a, rows[i / 2].a_end), DEFRAG_KEPT);
		ck_assert_int_eq(add_bytes(&m, 7, rows[i / 2].b, other + rows[i / 2].b, rows[i / 2].b_end - rows[i / 2].b,
					   rows[i / 2].b_more),
				 DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 1);
		assert_nothing_kept(0);
	}
}
END_TEST

START_TEST(a_second_end_or_bytes_past_the_end_contradict)
{
	static const unsigned rows[][2] = {{2992, MODEL_DATA}, {2000, 2008}};

	for (size_t i = 0; i < 4; i++) {
		struct model m = model_make(i & 1, 1);

		begin(1 << 20);
		ck_assert_int_eq(add_bytes(&m, 7, 1000, m.b + m.header + 1000, 504, false), DEFRAG_KEPT);
		ck_assert_int_eq(add(&m, 7, rows[i / 2][0], rows[i / 2][1]), DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 1);
		assert_nothing_kept(0);
	}
}
END_TEST

START_TEST(the_same_bytes_as_an_end_are_no_repeat)
{
	struct model m = model_make(false, 1);

	for (int last = 0; last < 2; last++) {
		begin(1 << 20);
		ck_assert_int_eq(add_bytes(&m, 7, 800, m.b, 80, !last), DEFRAG_KEPT);
		ck_assert_int_eq(add_bytes(&m, 7, 800, m.b, 80, last), DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 1);
		assert_nothing_kept(0);
	}
}
END_TEST

START_TEST(a_hole_is_not_complete)
{
	struct model m = model_make(false, 1);

	begin(1 << 20);
	ck_assert_int_eq(add(&m, 7, 0, 1000), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 7, 2000, MODEL_DATA), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 7, 2000, MODEL_DATA), DEFRAG_DROP);
	ck_assert_int_eq(add(&m, 7, 1000, 1992), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 7, 1992, 2000), DEFRAG_COMPLETE);
	assert_whole(&m, 7, 4);
}
END_TEST

START_TEST(what_no_receiver_takes_gives_up_its_datagram)
{
	static const struct {
		unsigned offset, n;
		bool more;
	} rows[] = {{0, 0, true}, {8, 0, false}, {16, 12, true}, {65528, 16, false}, {65528, 8, false}, {65504, 16, false}};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct model m = model_make(i & 1, 1);

		begin(1 << 20);
		if (i / 2 == 5 && !(i & 1))
			continue; // fits: 24 bytes of header and 65,520 do not, 16 of IPv6 are not counted
		ck_assert_int_eq(add(&m, 7, 1000, 2000), DEFRAG_KEPT);
		ck_assert_int_eq(add_bytes(&m, 7, rows[i / 2].offset, m.b + m.header, rows[i / 2].n, rows[i / 2].more),
				 i / 2 == 5 ? DEFRAG_KEPT : DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_BAD), i / 2 != 5);
		if (i / 2 != 5)
			assert_nothing_kept(0);
	}
}
END_TEST

START_TEST(headers_before_the_fragments_own_count_in_the_whole)
{
	struct model m = model_make(true, 1);
	static uint8_t data[64];

	for (unsigned over = 0; over < 2; over++) {
		begin(4 << 20);
		ck_assert_int_eq(add_bytes(&m, 7, 65496, data, 31 + over, false), over ? DEFRAG_DROP : DEFRAG_KEPT); // with 8 bytes of hop-by-hop just 65,535
		ck_assert_uint_eq(counted(COUNT_DEFRAG_BAD), over);
	}
}
END_TEST

START_TEST(the_longest_datagram_is_put_together)
{
	struct model m = model_make(true, 1);
	static uint8_t data[65536];
	enum defrag_result r = DEFRAG_KEPT;

	begin(4 << 20);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i ^ i >> 8);
	for (unsigned at = 0; at < 65527; at += 1440) // 53 or fewer at the least MTU of IPv6; payload length 65,535 with 8 of hop-by-hop
		r = add_bytes(&m, 7, at, data + at, at + 1440 < 65527 ? 1440 : 65527 - at, at + 1440 < 65527);
	ck_assert_int_eq(r, DEFRAG_COMPLETE);
	ck_assert_uint_eq(whole.frame.bytes, 14 + 40 + 65535);
	ck_assert(memcmp(whole.frame.at + 62, data, 65527) == 0);
}
END_TEST

START_TEST(a_cut_fragment_is_bad_and_one_that_a_capture_cut_is_refused)
{
	struct model m = model_make(false, 1);

	for (int capture = 0; capture < 2; capture++) {
		begin(1 << 20);
		ck_assert_int_eq(add(&m, 7, 1480, MODEL_DATA), DEFRAG_KEPT);
		model_cut(&m, &cut, 7, 0, m.b + m.header, 1480, true);
		cut.frame.bytes -= 10;
		cut.frame.wire_bytes -= capture ? 0 : 10;
		cut.frame.unix_ns = now;
		ck_assert_int_eq(add_frame(&cut.frame), capture ? DEFRAG_REFUSED : DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_BAD), !capture);
		ck_assert_uint_eq(defrag_count(d), capture);
	}
}
END_TEST

START_TEST(what_differs_in_its_key_is_another_datagram)
{
	struct model m = model_make(false, 1), other = model_make(false, 9), transport = m;
	struct packet p;

	begin(1 << 20);
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 8, 1480, MODEL_DATA), DEFRAG_KEPT);
	ck_assert_int_eq(add(&other, 7, 1480, MODEL_DATA), DEFRAG_KEPT);
	transport.b[14 + 9] = 50;
	ck_assert_int_eq(add(&transport, 7, 1480, MODEL_DATA), DEFRAG_KEPT);
	model_cut(&m, &cut, 7, 1480, m.b + m.header + 1480, MODEL_DATA - 1480, false);
	cut.frame.unix_ns = now;
	cut.frame.port = 1;
	ck_assert_int_eq(add_frame(&cut.frame), DEFRAG_KEPT);
	cut.frame.port = 0;
	decode_frame(&cut.frame, true, &p);
	p.vlans = 1;
	p.vlan[0] = 5;
	ck_assert_int_eq(defrag_add(d, &cut.frame, &p, &whole), DEFRAG_KEPT);
	p.vlans = 0;
	p.vlan[0] = 0;
	p.tunnels = 1;
	p.tunnel[0] = (struct tunnel){.id = 3, .kind = TUNNEL_VXLAN};
	ck_assert_int_eq(defrag_add(d, &cut.frame, &p, &whole), DEFRAG_KEPT);
	p.tunnel[0].id = 4;
	ck_assert_int_eq(defrag_add(d, &cut.frame, &p, &whole), DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 8);
	p.tunnels = 0;
	p.tunnel[0] = (struct tunnel){0};
	ck_assert_int_eq(defrag_add(d, &cut.frame, &p, &whole), DEFRAG_COMPLETE);
}
END_TEST

// A receiver refuses a fragment for its own options: the others would wait there for that place of another datagram of the same id.
START_TEST(fragments_whose_headers_differ_contradict)
{
	for (unsigned row = 0; row < 4; row++) {
		struct model m = model_make(row & 1, 1), other = m;

		begin(1 << 20);
		if (row & 2) { // another option of the same length
			other.b[14 + (row & 1 ? 44 : 20)] ^= 1;
		} else if (row & 1) {
			other.b[14 + 41] = 1; // its hop-by-hop header is eight bytes longer
			memset(other.b + 62, 0, 8);
			other.header += 8;
		} else {
			other.b[14] = 0x45;
			other.header = 34;
		}
		ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
		model_cut(&other, &cut, 7, 1480, m.b + m.header + 1480, MODEL_DATA - 1480, false);
		cut.frame.unix_ns = now;
		ck_assert_int_eq(add_frame(&cut.frame), DEFRAG_DROP);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 1);
		assert_nothing_kept(0);
	}
}
END_TEST

// The receiver's card takes the one, not the other.
START_TEST(a_fragment_for_another_card_is_another_datagrams)
{
	struct model m = model_make(false, 1), other = m;

	begin(1 << 20);
	other.b[5] ^= 1;
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
	ck_assert_int_eq(add(&other, 7, 1480, MODEL_DATA), DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 2);
	other.b[5] ^= 1;
	other.b[11] ^= 1; // by way of another router
	ck_assert_int_eq(add(&other, 7, 1480, MODEL_DATA), DEFRAG_COMPLETE);
}
END_TEST

// A fragment in a tunnel may die before the tunnel ends, whatever hops it has left itself.
START_TEST(fragments_that_do_not_come_equally_far_in_a_tunnel_contradict)
{
	static const uint8_t hops[][2] = {{64, 64}, {64, 63}, {64, 3}, {3, 64}};
	struct model m = model_make(false, 1);

	for (unsigned row = 0; row < 4; row++) {
		begin(1 << 20);
		for (unsigned i = 0; i < 2; i++) {
			uint8_t *ip = cut.b + 14;
			unsigned inner;

			model_cut(&m, &cut, 7, i ? 1480 : 0, m.b + m.header + (i ? 1480 : 0), i ? MODEL_DATA - 1480 : 1480, !i);
			inner = cut.frame.bytes - 14;
			memmove(ip + 20, ip, inner);
			memcpy(ip, m.b + 14, 20);
			ip[0] = 0x45;
			ip[8] = hops[row][i];
			ip[9] = 4;
			model_set(ip + 2, 20 + inner);
			model_fix_ipv4(ip);
			cut.frame.bytes = cut.frame.wire_bytes = 34 + inner;
			cut.frame.unix_ns = now;
			ck_assert_int_eq(add_frame(&cut.frame), !i ? DEFRAG_KEPT : row < 2 ? DEFRAG_COMPLETE : DEFRAG_DROP);
		}
	}
}
END_TEST

START_TEST(what_is_too_old_is_given_up)
{
	struct model m = model_make(true, 1);

	begin(1 << 20);
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
	now += 29ull * SECOND;
	defrag_step(d, now);
	ck_assert_int_eq(add(&m, 8, 0, 1480), DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 2);
	now += SECOND;
	defrag_step(d, now);
	ck_assert_uint_eq(defrag_count(d), 1);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_TIMEOUT), 1);
	ck_assert_uint_eq(counted(COUNT_FRAMES_DROPPED_FRAGMENT), 1);
	now += 29ull * SECOND; // without a step, too
	ck_assert_int_eq(add(&m, 8, 1480, MODEL_DATA), DEFRAG_KEPT);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_TIMEOUT), 2);
	ck_assert_uint_eq(defrag_count(d), 1);
}
END_TEST

// A clock that was ahead and is set back must not keep what came before, nor all behind it, until it has come there again.
START_TEST(what_is_from_long_after_now_is_given_up_too)
{
	struct model m = model_make(true, 1);

	begin(1 << 20);
	now += 3600ull * SECOND;
	ck_assert_int_eq(add(&m, 7, 0, 1480), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 8, 0, 1480), DEFRAG_KEPT);
	now -= 3600ull * SECOND;
	ck_assert_int_eq(add(&m, 9, 0, 1480), DEFRAG_KEPT);
	ck_assert_int_eq(add(&m, 8, 1480, MODEL_DATA), DEFRAG_KEPT); // of a new one
	ck_assert_uint_eq(counted(COUNT_DEFRAG_TIMEOUT), 1);
	defrag_step(d, now);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_TIMEOUT), 2);
	now += 31ull * SECOND;
	defrag_step(d, now);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_TIMEOUT), 4);
	ck_assert_uint_eq(defrag_count(d), 0);
}
END_TEST

START_TEST(one_source_holds_an_eighth_of_the_datagrams)
{
	struct model m = model_make(false, 1), other = model_make(false, 9);

	begin(8 << 20);
	ck_assert_int_eq(add(&other, 1, 0, 1480), DEFRAG_KEPT);
	for (unsigned id = 0; id < 1000; id++)
		ck_assert_int_eq(add(&m, id, 0, 1480), DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 1 + DATAGRAMS / 8);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_FULL), 1000 - DATAGRAMS / 8);
	ck_assert_int_eq(add(&m, 999 - DATAGRAMS / 8, 1480, MODEL_DATA), DEFRAG_KEPT);  // its own oldest were given up
	ck_assert_int_eq(add(&m, 999, 1480, MODEL_DATA), DEFRAG_COMPLETE);
	ck_assert_int_eq(add(&other, 1, 1480, MODEL_DATA), DEFRAG_COMPLETE);
}
END_TEST

START_TEST(one_source_holds_an_eighth_of_the_bytes)
{
	struct model m = model_make(false, 1), other = model_make(false, 9);

	begin(8 * 4 * 2048); // 4 frames for each source
	ck_assert_int_eq(add(&other, 1, 0, 1480), DEFRAG_KEPT);
	for (unsigned id = 0; id < 100; id++)
		ck_assert_int_eq(add(&m, id, 0, 1480), DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 1 + 4);
	ck_assert_int_eq(add(&other, 1, 1480, MODEL_DATA), DEFRAG_COMPLETE);
}
END_TEST

START_TEST(a_flood_of_sources_pushes_out_the_oldest)
{
	struct model m = model_make(true, 1);
	static uint8_t data[4096];

	for (uint64_t bytes = 16 << 10; bytes <= 1 << 20; bytes *= 2) {
		uint64_t refused = 0;

		begin(bytes);
		for (unsigned i = 0; i < 3000; i++) {
			unsigned n = 80 + i * 13 % 4000 / 8 * 8, blocks = (n + 70 + 1983) / 1984; // up to three

			model_set(m.b + 14 + 20, i); // another source
			ck_assert_int_eq(add_bytes(&m, i, 0, data, n, true), blocks > bytes / 8 / 2048 ? DEFRAG_REFUSED : DEFRAG_KEPT);
			refused += blocks > bytes / 8 / 2048;
		}
		ck_assert_uint_le(defrag_count(d), DATAGRAMS);
		ck_assert_uint_ge(defrag_count(d), bytes < 512 << 10 ? bytes / 2048 / 3 : DATAGRAMS);
		ck_assert_uint_eq(counted(COUNT_FRAMES_DROPPED_FRAGMENT) + defrag_count(d) + refused, added);
		ck_assert_uint_eq(counted(COUNT_DEFRAG_FULL), counted(COUNT_FRAMES_DROPPED_FRAGMENT) + refused);
		now += 31ull * SECOND;
		defrag_step(d, now);
		ck_assert_uint_eq(defrag_count(d), 0);
	}
}
END_TEST

START_TEST(frames_of_several_blocks_come_back_as_they_were)
{
	struct model m = model_make(true, 1);
	static uint8_t data[65536];

	begin(1 << 20);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 ^ i >> 7);
	ck_assert_int_eq(add_bytes(&m, 7, 0, data, 16448, true), DEFRAG_REFUSED);
	ck_assert_int_eq(add_bytes(&m, 7, 8000, data + 8000, 4000, false), DEFRAG_KEPT);
	ck_assert_int_eq(add_bytes(&m, 7, 8000, data + 8000, 4000, false), DEFRAG_DROP);
	ck_assert_int_eq(add_bytes(&m, 7, 0, data, 8000, true), DEFRAG_COMPLETE);
	ck_assert(whole.frame.bytes == 62 + 12000 && memcmp(whole.frame.at + 62, data, 12000) == 0);
	for (unsigned i = 0; i < 2; i++) {
		struct defrag_piece piece = defrag_piece_at(d, whole.id, i);

		model_cut(&m, &cut, 7, i ? 0 : 8000, data + (i ? 0 : 8000), i ? 8000 : 4000, i);
		ck_assert(bytes_equal(bytes_of(piece.at, piece.bytes), bytes_of(cut.b, cut.frame.bytes)));
	}
	ck_assert_int_eq(add_bytes(&m, 8, 8000, data + 8000, 4000, false), DEFRAG_KEPT);
	data[11999] ^= 1;
	ck_assert_int_eq(add_bytes(&m, 8, 8000, data + 8000, 4000, false), DEFRAG_DROP);
	ck_assert_uint_eq(counted(COUNT_DEFRAG_OVERLAP), 1);
}
END_TEST

START_TEST(complete_datagrams_that_wait_to_be_sent_are_not_pushed_out)
{
	struct model m = model_make(false, 1);
	uint32_t ids[DATAGRAMS];
	unsigned n = 0;

	begin(8 << 20);
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		m.b[14 + 12] = (uint8_t)i; // another source
		ck_assert_int_eq(add(&m, i, 0, 1480), DEFRAG_KEPT);
		ck_assert_int_eq(add(&m, i, 1480, MODEL_DATA), DEFRAG_COMPLETE);
		ids[n++] = whole.id;
	}
	ck_assert_int_eq(add(&m, 1000, 0, 1480), DEFRAG_REFUSED);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(defrag_piece_at(d, ids[i], 1).bytes, 38 + MODEL_DATA - 1480);
		defrag_done(d, ids[i]);
	}
	assert_nothing_kept(2 * DATAGRAMS + 1);
	ck_assert_int_eq(add(&m, 1000, 0, 1480), DEFRAG_KEPT);
}
END_TEST

// Fragments of a GRE packet that holds a fragment: the frames of the outer datagram are the inner one's.
static void add_outer(const uint8_t *inner, unsigned n, unsigned id, enum defrag_result expected)
{
	struct model m = model_make(false, 33);
	uint8_t gre[2000] = {0, 0, 8, 0};
	struct packet p;

	m.b[14 + 9] = 47;
	memcpy(gre + 4, inner, n);
	ck_assert_int_eq(add_bytes(&m, id, 0, gre, 800, true), DEFRAG_KEPT);
	ck_assert_int_eq(add_bytes(&m, id, 800, gre + 800, n + 4 - 800, false), DEFRAG_COMPLETE);
	p = (struct packet){0};
	ck_assert_int_eq(decode_datagram(&whole.frame, whole.ip_offset, true, &p), DECODE_PIECE);
	ck_assert(p.tunnels == 1 && p.ip_offset == 14 + 24 + 4);
	ck_assert_int_eq(defrag_add(d, &whole.frame, &p, &whole), expected);
}

START_TEST(fragments_in_fragments_keep_the_frames_of_the_outer_ones)
{
	struct model m = model_make(false, 1);
	static struct cut inner;

	begin(1 << 20);
	model_cut(&m, &inner, 5, 0, m.b + m.header, 1480, true);
	add_outer(inner.b + 14, inner.frame.bytes - 14, 100, DEFRAG_KEPT);
	ck_assert_uint_eq(defrag_count(d), 1);
	add_outer(inner.b + 14, inner.frame.bytes - 14, 101, DEFRAG_DROP); // a repeat: its two frames are dropped
	ck_assert_uint_eq(counted(COUNT_FRAMES_DROPPED_FRAGMENT), 2);
	model_cut(&m, &inner, 5, 1480, m.b + m.header + 1480, MODEL_DATA - 1480, false);
	add_outer(inner.b + 14, inner.frame.bytes - 14, 102, DEFRAG_COMPLETE);
	ck_assert(whole.pieces == 4 && whole.ip_offset == 14 + 24 + 4);
	ck_assert(memcmp(whole.frame.at + whole.ip_offset + 24, m.b + m.header, MODEL_DATA) == 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_lt(defrag_piece_at(d, whole.id, i).bytes, 900);
	ck_assert_ptr_null(defrag_piece_at(d, whole.id, 4).at);
	defrag_done(d, whole.id);
	assert_nothing_kept(4);
}
END_TEST

START_TEST(limits_that_make_no_sense_are_refused)
{
	static const struct defrag_config rows[] = {
		{.datagrams = 4, .bytes = 1 << 20}, {.datagrams = 24, .bytes = 1 << 20}, {.datagrams = 64, .bytes = 100}, {.bytes = 1 << 20}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_ptr_null(defrag_create(&rows[i], &counters));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_datagram_is_whole_in_whatever_order_its_fragments_come,
		sixty_four_pieces_are_put_together_and_a_sixty_fifth_is_too_many,
		a_repeated_fragment_is_dropped_alone,
		any_other_overlap_gives_up_the_datagram,
		a_second_end_or_bytes_past_the_end_contradict,
		the_same_bytes_as_an_end_are_no_repeat,
		a_hole_is_not_complete,
		what_no_receiver_takes_gives_up_its_datagram,
		headers_before_the_fragments_own_count_in_the_whole,
		the_longest_datagram_is_put_together,
		a_cut_fragment_is_bad_and_one_that_a_capture_cut_is_refused,
		what_differs_in_its_key_is_another_datagram,
		fragments_whose_headers_differ_contradict,
		a_fragment_for_another_card_is_another_datagrams,
		fragments_that_do_not_come_equally_far_in_a_tunnel_contradict,
		what_is_too_old_is_given_up,
		what_is_from_long_after_now_is_given_up_too,
		one_source_holds_an_eighth_of_the_datagrams,
		one_source_holds_an_eighth_of_the_bytes,
		a_flood_of_sources_pushes_out_the_oldest,
		frames_of_several_blocks_come_back_as_they_were,
		complete_datagrams_that_wait_to_be_sent_are_not_pushed_out,
		fragments_in_fragments_keep_the_frames_of_the_outer_ones,
		limits_that_make_no_sense_are_refused,
	};
	Suite *suite = suite_create("defrag");
	TCase *tcase = tcase_create("defrag");
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	defrag_destroy(d);
	return failed != 0;
}
