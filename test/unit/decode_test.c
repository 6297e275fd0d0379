// SPDX-License-Identifier: GPL-2.0-or-later
// Frames written by hand, layer by layer, and what decode says of them. Every frame lies at the end of a heap block, so
// that a sanitizer sees one byte too many.
#include <check.h>
#include <stdlib.h>
#include "checksum.h"
#include "decode.h"
#include "frame_draft.h"

static uint8_t *tight;
static struct frame frame;

// Every prefix is decoded as well: none may read past its end, and a longer wire length must not be trusted.
static enum decode_result decode(const struct draft *d, enum link_type link, struct packet *p)
{
	for (size_t n = 0; n <= d->n; n++) {
		free(tight);
		tight = malloc(n ? n : 1);
		memcpy(tight, d->b, n);
		frame = (struct frame){
			.at = tight, .bytes = (uint32_t)n, .wire_bytes = (uint32_t)d->n, .link = (uint8_t)link};
		if (n < d->n) {
			decode_frame(&frame, true, p);
			ck_assert(p->payload_offset + p->payload_bytes <= n);
		}
	}
	return decode_frame(&frame, true, p);
}

static void assert_payload(const struct packet *p, const char *text)
{
	ck_assert(bytes_equal_text(packet_payload(&frame, p), text));
}

START_TEST(a_tcp_segment_over_ipv4_is_read_whole)
{
	struct draft d = {0};
	struct packet p;

	ether(&d, 0x0800);
	tcp4(&d, TCP_ACK | TCP_PSH, "hello, this is more than padding");
	ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, 0);
	ck_assert(memcmp(p.source.b, v4_a, 4) == 0 && p.source.family == 4 && memcmp(p.destination.b, v4_b, 4) == 0);
	ck_assert(p.source_port == 40000 && p.destination_port == 80 && p.seq == 1000 && p.ack == 2000);
	ck_assert(p.window == 512 && p.ttl == 63 && p.tcp_flags == (TCP_ACK | TCP_PSH) && p.ether_type == 0x0800);
	ck_assert(p.ip_offset == 14 && p.transport_offset == 34 && p.payload_offset == 54);
	assert_payload(&p, "hello, this is more than padding");
}
END_TEST

START_TEST(every_link_layer_leads_to_the_same_packet)
{
	static const struct {
		enum link_type link;
		size_t n;
		uint8_t head[21];
	} links[] = {
		{LINK_RAW, 0, {0}},
		{LINK_COOKED, 16, {[3] = 1, [5] = 6, [14] = 8}},
		{LINK_COOKED2, 20, {8, 0, [9] = 1}},
		{LINK_NULL, 4, {2, 0, 0, 0}},
		{LINK_NULL, 4, {0, 0, 0, 2}},
		{LINK_NULL, 4, {15, 0, 8, 0}},
		{LINK_PPP, 1, {0x21}}, // the protocol's first octet may be left out
		{LINK_PPP, 2, {0, 0x21}},
		{LINK_PPP, 4, {0xff, 3, 0, 0x21}},
		{LINK_PPI, 12, {0, 0, 12, 0, 101}},
		{LINK_PPI, 10, {0, 0, 8, 0, 9, 0, 0, 0, 0, 0x21}},
		{LINK_FDDI, 21, {0x50, [13] = 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct draft d = {0};
		struct packet p;

		put(&d, links[i].head, links[i].n);
		tcp4(&d, TCP_ACK, "x");
		ck_assert_int_eq(decode(&d, links[i].link, &p), DECODE_OK);
		ck_assert(p.ip_offset == links[i].n && p.destination_port == 80 && p.oddities == 0);
		assert_payload(&p, "x");
	}
}
END_TEST

START_TEST(three_tags_are_read_and_a_fourth_is_a_tunnel)
{
	for (unsigned tags = 1; tags <= 4; tags++) {
		static const unsigned types[] = {0x88a8, 0x9100, 0x8100, 0x8100};
		struct draft d = {0};
		struct packet p;

		ether(&d, types[0]);
		for (unsigned i = 0; i < tags; i++) {
			put16(&d, 0xe000 | (100 + i));
			put16(&d, i + 1 < tags ? types[i + 1] : 0x0800);
		}
		tcp4(&d, TCP_ACK, "tagged");
		ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), tags <= 3 ? DECODE_OK : DECODE_OTHER);
		ck_assert_uint_eq(p.vlans, tags <= 3 ? tags : 3);
		ck_assert_uint_eq(p.vlan[0], 100);
		ck_assert_uint_eq(p.oddities, tags <= 3 ? 0 : ODDITY_TUNNEL);
	}
}
END_TEST

START_TEST(a_cooked_frame_may_carry_a_tag)
{
	struct draft d = {0}, d2 = {0};
	struct packet p;

	put(&d, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x81\0\0\x2a\x08\0", 20);
	tcp4(&d, TCP_ACK, "x");
	ck_assert_int_eq(decode(&d, LINK_COOKED, &p), DECODE_OK);
	ck_assert(p.vlans == 1 && p.vlan[0] == 42);
	put(&d2, "\x81\0\0\0\0\0\0\1\0\1\0\6\0\0\0\0\0\0\0\0\0\x2b\x08\0", 24);
	tcp4(&d2, TCP_ACK, "x");
	ck_assert_int_eq(decode(&d2, LINK_COOKED2, &p), DECODE_OK);
	ck_assert(p.vlans == 1 && p.vlan[0] == 43);
}
END_TEST

START_TEST(ip_behind_llc_and_snap_is_said)
{
	static const struct {
		size_t n;
		uint8_t head[24];
		uint8_t vlans;
		bool ip;
	} rows[] = {
		{10, {0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 0, true},
		{10, {0, 0, 0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0}, 0, true}, // a length that is wrong; a bridge's tunnel
		{10, {5, 0xff, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 0, true},
		{14, {0x81, 0, 0, 0, 0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 1, true},
		{14, {0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0, 0, 0, 8, 0}, 0, true},
		{18, {0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 0, false},
		{10, {0, 50, 0xaa, 0xaa, 3, 0, 0, 1, 8, 0}, 0, false},
		{10, {0, 50, 0x42, 0x42, 3, 0, 0, 0, 8, 0}, 0, false}, // a bridge's own
		{10, {6, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 0, false},  // a type
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = {0};
		struct packet p;

		ether(&d, 0);
		d.n -= 2;
		put(&d, rows[i].head, rows[i].n);
		tcp4(&d, TCP_ACK, "behind more than a type");
		ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OTHER);
		ck_assert_uint_eq(p.oddities, rows[i].ip ? ODDITY_TUNNEL : 0);
		ck_assert_uint_eq(p.vlans, rows[i].vlans);
	}
}
END_TEST

START_TEST(what_is_not_ip_is_other_and_what_only_looks_like_mpls_and_pppoe_too)
{
	static const unsigned types[][2] = {{0x0806, 0}, {0x0100, 0}, {0x8863, 0},
					    {0x8864, 1}, {0x8847, 1}, {0x8848, 1}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct draft d = {0};
		struct packet p;

		ether(&d, types[i][0]);
		tcp4(&d, TCP_ACK, "x");
		ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OTHER);
		ck_assert_uint_eq(p.oddities, types[i][1] ? ODDITY_TUNNEL : 0);
		ck_assert(!address_is_set(&p.source) && p.payload_bytes == 0);
	}
}
END_TEST

START_TEST(ip_length_rules_over_padding_trailers_and_cuts)
{
	struct draft d = {0};
	struct packet p;

	ether(&d, 0x0800);
	tcp4(&d, TCP_ACK, "abc");
	while (d.n < 60)
		put8(&d, 0xee);
	ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, 0);
	assert_payload(&p, "abc");
	put(&d, "hidden", 6);
	ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, ODDITY_TRAILER);
	assert_payload(&p, "abc");
	d.n = 14 + 20 + 20 + 2;
	ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, ODDITY_CUT); // and the checksum is not judged
	assert_payload(&p, "ab");
}
END_TEST

START_TEST(headers_that_contradict_themselves_are_malformed)
{
	static const struct {
		size_t at;
		unsigned value;
	} wrong[] = {{14, 0x44}, {14, 0x4f}, {14, 0x65}, {14, 0x05}, {17, 19}, {17, 0}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct draft d = {0};
		struct packet p;

		ether(&d, 0x0800);
		tcp4(&d, TCP_ACK, "");
		d.b[wrong[i].at] = (uint8_t)wrong[i].value;
		ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_MALFORMED);
		ck_assert_uint_eq(p.oddities & ODDITY_HEADER, ODDITY_HEADER);
	}
}
END_TEST

START_TEST(a_header_that_a_capture_cut_off_is_nobodys_fault)
{
	struct draft d = {0};
	struct packet p;

	ether(&d, 0x0800);
	tcp4(&d, TCP_ACK, "");
	decode(&d, LINK_ETHERNET, &p);
	for (uint32_t n = 14; n < 54; n++) {
		frame.bytes = n;
		ck_assert_int_eq(decode_frame(&frame, true, &p), DECODE_MALFORMED);
		ck_assert_uint_eq(p.oddities & ODDITY_HEADER, 0);
		frame.wire_bytes = n;
		decode_frame(&frame, true, &p);
		ck_assert_uint_eq(p.oddities & ODDITY_HEADER, ODDITY_HEADER);
		frame.wire_bytes = 54;
	}
}
END_TEST

START_TEST(a_transport_header_past_the_ip_length_is_refused)
{
	static const unsigned transports[] = {6, 17, 1};

	for (size_t i = 0; i < 3; i++) {
		struct draft d = {0};
		struct packet p;

		ipv4(&d, transports[i], 3, 0);
		put(&d, "\0\0\0more than that", 18);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_MALFORMED);
		ck_assert_uint_eq(p.oddities & ODDITY_HEADER, ODDITY_HEADER);
	}
}
END_TEST

START_TEST(ipv4_options_are_skipped_and_noted)
{
	struct draft d = {0};
	struct packet p;

	ipv4(&d, 6, 24 + 1, 0);
	put(&d, "\x94\x04\0\0", 4); // router alert
	d.b[0] = 0x46;
	set16(&d, 10, 0);
	set16(&d, 10, twin_checksum(d.b, 24, 0));
	tcp(&d, TCP_ACK, "z");
	set16(&d, 24 + 16, twin_checksum(d.b + 24, 21, twin_pseudo(v4_a, v4_b, 4, 6, 21)));
	ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, ODDITY_IP_OPTIONS);
	ck_assert_uint_eq(p.transport_offset, 24);
	assert_payload(&p, "z");
}
END_TEST

START_TEST(an_ipv4_fragment_is_a_piece_without_ports)
{
	static const unsigned fields[] = {0x2000, 0x0001, 0x3fff, 0x1fff};

	for (size_t i = 0; i < 4; i++) {
		struct draft d = {0};
		struct packet p;

		ipv4(&d, 6, 20, fields[i]);
		tcp(&d, TCP_ACK, "");
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_PIECE);
		ck_assert(p.source.family == 4 && p.source_port == 0 && p.transport == 6 && p.transport_offset == 0);
		ck_assert(p.fragment_id == 7 && p.fragment_offset == (fields[i] & 0x1fff) * 8 &&
			  p.fragment_more == (fields[i] >> 13 & 1) && p.payload_offset == 20 && p.payload_bytes == 20);
	}
}
END_TEST

START_TEST(a_piece_no_receiver_takes_is_odd)
{
	static const struct {
		unsigned transport, upper, fragment, odd;
	} rows[] = {
		{6, 24, 0x2000, 0},  {6, 16, 0x2000, 1}, {6, 8, 0x2000, 1},      {17, 8, 0x2000, 0},  {17, 0, 0x2000, 1},
		{6, 16, 0x2001, 0},  {6, 13, 0x2001, 1}, {6, 13, 0x0001, 0},     {6, 0, 0x0001, 1},   {6, 100, 0x1fff, 1},
		{50, 8, 0x2000, 0}, {47, 8, 0x2000, 0}, {17, 16, 0x1ffa, 0}, {17, 16, 0x1ffd, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = {0};
		struct packet p;

		ipv4(&d, rows[i].transport, rows[i].upper, rows[i].fragment);
		for (unsigned n = 0; n < rows[i].upper; n++)
			put8(&d, n == 12 ? 0x50 : 0);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_PIECE);
		ck_assert_msg(p.oddities == (rows[i].odd ? ODDITY_HEADER : 0), "row %zu", i);
	}
}
END_TEST

static void ipv6_chain(struct draft *d, const uint8_t *kinds, size_t n, unsigned fragment)
{
	ipv6(d, n ? kinds[0] : 6, n * 8 + 20);
	for (size_t i = 0; i < n; i++) {
		put8(d, i + 1 < n ? kinds[i + 1] : 6);
		put8(d, 0);
		put16(d, kinds[i] == 44 ? fragment : 0x0104);
		put32(d, 0);
	}
	tcp(d, TCP_ACK, "");
}

START_TEST(an_ipv6_chain_is_walked_up_to_its_limits)
{
	static const uint8_t kinds[] = {0, 60, 43, 60, 60, 60, 60, 60, 60};

	for (size_t n = 0; n <= 9; n++) {
		struct draft d = {0};
		struct packet p;

		ipv6_chain(&d, kinds, n, 0);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert(p.source.family == 6 && memcmp(p.destination.b, v6_b, 16) == 0 && p.ttl == 62);
		ck_assert_uint_eq(p.transport, n <= 8 ? 6 : 60);
		ck_assert_uint_eq(p.destination_port, n <= 8 ? 80 : 0);
		ck_assert_uint_eq(p.oddities & ODDITY_IP_OPTIONS, n ? ODDITY_IP_OPTIONS : 0);
		ck_assert_uint_eq(p.oddities & ODDITY_EXTENSIONS, n <= 8 ? 0 : ODDITY_EXTENSIONS);
	}
}
END_TEST

START_TEST(an_ipv6_extension_longer_than_the_budget_is_not_followed)
{
	for (unsigned eights = 31; eights <= 32; eights++) { // 256 bytes and 264
		struct draft d = {0};
		struct packet p;

		ipv6(&d, 60, (eights + 1) * 8 + 20);
		put8(&d, 6);
		put8(&d, eights);
		d.n += eights * 8 + 6;
		tcp(&d, TCP_ACK, "");
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert_uint_eq(p.transport, eights == 31 ? 6 : 60);
		ck_assert_uint_eq(p.oddities & ODDITY_EXTENSIONS, eights == 31 ? 0 : ODDITY_EXTENSIONS);
	}
}
END_TEST

START_TEST(an_atomic_fragment_is_a_packet_a_real_one_a_piece_a_nested_one_malformed)
{
	static const uint8_t one[] = {44}, two[] = {44, 44};
	struct draft atomic = {0}, first = {0}, later = {0}, nested = {0};
	struct packet p;

	ipv6_chain(&atomic, one, 1, 0);
	ck_assert_int_eq(decode(&atomic, LINK_RAW, &p), DECODE_OK);
	ck_assert_uint_eq(p.destination_port, 80);
	ipv6_chain(&first, one, 1, 1);
	ck_assert_int_eq(decode(&first, LINK_RAW, &p), DECODE_PIECE);
	ipv6_chain(&later, one, 1, 8);
	ck_assert_int_eq(decode(&later, LINK_RAW, &p), DECODE_PIECE);
	ck_assert(p.transport == 6 && p.source_port == 0 && p.source.family == 6);
	ipv6_chain(&nested, two, 2, 0);
	ck_assert_int_eq(decode(&nested, LINK_RAW, &p), DECODE_MALFORMED);
	ck_assert_uint_eq(p.oddities & ODDITY_HEADER, ODDITY_HEADER);
}
END_TEST

START_TEST(an_ipv6_piece_without_its_headers_is_odd)
{
	static const struct {
		uint8_t kinds[3];
		unsigned n, fragment, odd, next_at, payload_offset;
	} rows[] = {
		{{44}, 1, 1, 0, 6, 48},      {{0, 44}, 2, 1, 0, 40, 56}, {{44, 60}, 2, 1, 0, 6, 48},
		{{44, 44}, 2, 1, 1, 6, 48}, {{44, 44}, 2, 8, 0, 6, 48}, {{44, 60, 44}, 3, 1, 1, 6, 48},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = {0};
		struct packet p;

		ipv6_chain(&d, rows[i].kinds, rows[i].n, rows[i].fragment);
		put32(&d, 0); // a multiple of 8
		set16(&d, 4, (unsigned)d.n - 40);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_PIECE);
		ck_assert_msg((p.oddities & ODDITY_HEADER) == (rows[i].odd ? ODDITY_HEADER : 0), "row %zu", i);
		ck_assert_uint_eq(p.fragment_next, rows[i].next_at);
		ck_assert(p.payload_offset == rows[i].payload_offset && p.payload_bytes == d.n - p.payload_offset);
	}
}
END_TEST

START_TEST(flags_no_stack_sends_are_odd)
{
	for (unsigned flags = 0; flags < 64; flags++) {
		unsigned syn = flags & TCP_SYN, fin = flags & TCP_FIN, rst = flags & TCP_RST;
		bool odd = (syn && fin) || (syn && rst) || (fin && rst) || !(flags & (TCP_SYN | TCP_RST | TCP_ACK));
		struct draft d = {0};
		struct packet p;

		tcp4(&d, flags, "");
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert_uint_eq(p.oddities, odd ? ODDITY_FLAGS : 0);
	}
}
END_TEST

START_TEST(a_data_offset_outside_the_segment_gives_no_payload)
{
	for (unsigned offset = 0; offset < 16; offset++) {
		struct draft d = {0};
		struct packet p;

		tcp4(&d, TCP_ACK, "\1\1\1\1\1\1\1\1payload");
		d.b[20 + 12] = (uint8_t)(offset << 4);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert_uint_eq(p.oddities & ODDITY_OFFSET, offset < 5 || offset > 8 ? ODDITY_OFFSET : 0);
		ck_assert_uint_eq(p.oddities & ODDITY_HEADER, offset < 5 || offset > 8 ? ODDITY_HEADER : 0);
		ck_assert_uint_eq(p.payload_bytes, offset < 5 || offset > 8 ? 0 : 15 - (offset - 5) * 4);
	}
}
END_TEST

START_TEST(window_scale_is_read_from_a_syn_only_and_clamped)
{
	static const struct {
		const char *options;
		unsigned flags, has, scale, odd;
	} rows[] = {
		{"\1\3\3\7\0\0\0\0", TCP_SYN, 1, 7, 0},
		{"\1\3\3\xff\0\0\0\0", TCP_SYN, 1, 14, 0},
		{"\3\3\5\3\3\x9\0\0", TCP_SYN, 1, 5, 0},
		{"\1\3\3\7\0\0\0\0", TCP_ACK, 0, 0, 0},
		{"\0\3\3\7\0\0\0\0", TCP_SYN, 0, 0, 0},
		{"\x8\0\1\1\3\3\7\1", TCP_SYN, 0, 0, ODDITY_OPTIONS},
		{"\x8\x9\1\1\3\3\7\1", TCP_SYN, 0, 0, ODDITY_OPTIONS},
		{"\1\1\1\1\1\1\1\3", TCP_SYN, 0, 0, ODDITY_OPTIONS},
		{"\1\1\1\1\1\1\3\3", TCP_SYN, 0, 0, ODDITY_OPTIONS},
		{"\1\1\1\1\3\2\1\1", TCP_SYN, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = {0};
		struct packet p;

		tcp4(&d, rows[i].flags, "12345678");
		memcpy(d.b + 40, rows[i].options, 8);
		d.b[20 + 12] = 7 << 4;
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert_uint_eq(p.oddities & ~ODDITY_TRANSPORT_CHECKSUM, rows[i].odd);
		ck_assert(p.has_window_scale == rows[i].has && p.window_scale == rows[i].scale && p.payload_bytes == 0);
	}
}
END_TEST

START_TEST(timestamps_signatures_and_urgent_bytes_are_read)
{
	static const struct {
		const char *options;
		unsigned n, has, timestamp, signature;
	} rows[] = {
		{"\1\1\x8\xa\1\2\3\4\0\0\0\0", 12, 1, 0x01020304, 0},
		{"\x8\xa\1\2\3\4\0\0\0\0\1\1", 12, 1, 0x01020304, 0},
		{"\x8\xa\1\2\3\4\0\0\0\0\x8\xa\0\0\0\5\0\0\0\0", 20, 1, 5, 0},
		{"\x8\x9\1\2\3\4\0\0\0\1\1\1", 12, 0, 0, 0},
		{"\1\1\x13\x12 sixteen bytes..", 20, 0, 0, 1},
		{"\1\1\x13\x11 sixteen bytes.\1", 20, 0, 0, 0},
		{"\x1d\x4\0\0", 4, 0, 0, 1},
		{"\x1d\x3\0\0", 4, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = {0};
		struct packet p;

		tcp4(&d, TCP_ACK | TCP_URG, "12345678901234567890");
		memcpy(d.b + 40, rows[i].options, rows[i].n);
		set16(&d, 20 + 18, 0x1234);
		d.b[20 + 12] = (uint8_t)((5 + rows[i].n / 4) << 4);
		ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
		ck_assert(p.has_timestamp == rows[i].has && p.timestamp == rows[i].timestamp);
		ck_assert(p.has_signature == rows[i].signature && p.urgent == 0x1234);
	}
}
END_TEST

// Of every length up to some steps, beginning anywhere, of bytes that are likely to carry; and each byte counts.
START_TEST(a_sum_is_that_of_the_slow_way)
{
	enum { MOST = 64 * 5 + 3, STARTS = 9 };
	uint32_t seed = 2463534242u;

	for (size_t n = 0; n < MOST; n++) {
		for (size_t start = 0; start < STARTS; start++) {
			uint8_t *block = malloc(start + n + 1), *b = block + start;
			uint16_t unturned;

			for (size_t i = 0; i < n; i++) {
				seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
				b[i] = start % 3 ? (uint8_t)seed : 0xff;
			}
			b = realloc(block, start + n ? start + n : 1); // ends where the sum does
			ck_assert_uint_eq(checksum_fold(checksum_add(0, bytes_of(b + start, n))), twin_checksum(b + start, n, 0));
			unturned = checksum_fold(checksum_add_unturned(0, bytes_of(b + start, n)));
			for (size_t i = 0; i < n; i += 7) {
				b[start + i] ^= 0x55;
				ck_assert_uint_ne(checksum_fold(checksum_add_unturned(0, bytes_of(b + start, n))), unturned);
				b[start + i] ^= 0x55;
			}
			free(b);
		}
	}
}
END_TEST

START_TEST(wrong_checksums_are_noted_only_when_asked)
{
	for (size_t at = 0; at < 45; at++) {
		struct draft d = {0};
		struct packet p;

		tcp4(&d, TCP_ACK, "odd l");
		if (at < 2 || at == 2 || at == 3 || at == 6 || at == 7 || at == 9 || at == 32)
			continue; // those change what the packet is
		d.b[at] ^= 0x40;
		decode(&d, LINK_RAW, &p);
		ck_assert_uint_ne(p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM), 0);
		decode_frame(&frame, false, &p);
		ck_assert_uint_eq(p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM), 0);
	}
}
END_TEST

START_TEST(udp_without_a_checksum_is_fine_in_ipv4_and_not_in_ipv6)
{
	struct draft d4 = {0}, d6 = {0};
	struct packet p;

	ipv4(&d4, 17, 12, 0);
	udp(&d4, 53, 12, 4);
	ck_assert_int_eq(decode(&d4, LINK_RAW, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, 0);
	ck_assert_uint_eq(p.payload_bytes, 4);
	ipv6(&d6, 17, 12);
	udp(&d6, 53, 12, 4);
	ck_assert_int_eq(decode(&d6, LINK_RAW, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, ODDITY_TRANSPORT_CHECKSUM);
	set16(&d6, 46, twin_checksum(d6.b + 40, 12, twin_pseudo(v6_a, v6_b, 16, 17, 12)));
	ck_assert_int_eq(decode(&d6, LINK_RAW, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, 0);
}
END_TEST

START_TEST(a_udp_length_that_contradicts_ip_is_an_oddity_not_a_crash)
{
	static const unsigned rows[][4] = {{0, 0, 1, 0},  {7, 0, 1, 1},  {8, 0, 0, 0},
					   {11, 3, 0, 0}, {13, 0, 1, 1}, {65535, 0, 1, 1}}; // length, payload, refused in IPv4 and 6

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int six = 0; six < 2; six++) {
			struct draft d = {0};
			struct packet p;

			if (six)
				ipv6(&d, 17, 12);
			else
				ipv4(&d, 17, 12, 0);
			udp(&d, 53, rows[i][0], 4);
			ck_assert_int_eq(decode(&d, LINK_RAW, &p), DECODE_OK);
			ck_assert_uint_eq(p.oddities & ~(unsigned)ODDITY_TRANSPORT_CHECKSUM,
					  ODDITY_LENGTH | (rows[i][2 + six] ? ODDITY_HEADER : 0u));
			ck_assert_uint_eq(p.payload_bytes, rows[i][1]);
		}
	}
}
END_TEST

START_TEST(icmp_has_type_and_code_for_a_port)
{
	struct draft d4 = {0}, d6 = {0};
	struct packet p;

	ipv4(&d4, 1, 12, 0);
	put(&d4, "\x8\0\0\0\0\1\0\2ping", 12);
	set16(&d4, 22, twin_checksum(d4.b + 20, 12, 0));
	ck_assert_int_eq(decode(&d4, LINK_RAW, &p), DECODE_OK);
	ck_assert(p.source_port == 0x0800 && p.destination_port == 0 && p.oddities == 0);
	assert_payload(&p, "ping");
	ipv6(&d6, 58, 8);
	put(&d6, "\x80\0\0\0\0\1\0\2", 8);
	set16(&d6, 42, twin_checksum(d6.b + 40, 8, twin_pseudo(v6_a, v6_b, 16, 58, 8)));
	ck_assert_int_eq(decode(&d6, LINK_RAW, &p), DECODE_OK);
	ck_assert(p.source_port == 0x8000 && p.transport == TRANSPORT_ICMP6 && p.oddities == 0);
}
END_TEST

static void assert_reset(const uint8_t *b, size_t n, const struct packet *model, bool forward)
{
	struct frame f = {.at = b, .bytes = (uint32_t)n, .wire_bytes = (uint32_t)n, .link = LINK_ETHERNET};
	struct packet p;

	ck_assert_uint_ge(n, 60);
	ck_assert_int_eq(decode_frame(&f, true, &p), DECODE_OK);
	ck_assert_uint_eq(p.oddities, 0);
	ck_assert(address_equal(&p.source, forward ? &model->source : &model->destination));
	ck_assert(address_equal(&p.destination, forward ? &model->destination : &model->source));
	ck_assert_uint_eq(p.source_port, forward ? model->source_port : model->destination_port);
	ck_assert_uint_eq(p.destination_port, forward ? model->destination_port : model->source_port);
	ck_assert(p.tcp_flags == (TCP_RST | TCP_ACK) && p.seq == 0xfffffffe && p.ack == 77 && p.ttl == 64 &&
		  p.window == 0);
	ck_assert(p.vlans == model->vlans && memcmp(p.vlan, model->vlan, sizeof(p.vlan)) == 0);
	ck_assert(memcmp(b, forward ? mac_b : mac_a, 6) == 0 && memcmp(b + 6, forward ? mac_a : mac_b, 6) == 0);
	ck_assert_uint_eq(p.payload_bytes, 0);
}

START_TEST(a_reset_goes_both_ways_with_right_checksums)
{
	for (int row = 0; row < 4; row++) {
		uint8_t out[DECODE_RESET_BYTES];
		struct draft d = {0};
		struct packet p;

		ether(&d, row & 1 ? 0x8100 : row & 2 ? 0x86dd : 0x0800);
		if (row & 1) {
			put16(&d, 0xa123);
			put16(&d, row & 2 ? 0x86dd : 0x0800);
		}
		if (row & 2) {
			ipv6(&d, 6, 23);
			tcp(&d, TCP_ACK, "six");
		} else {
			tcp4(&d, TCP_ACK, "four");
		}
		ck_assert_int_eq(decode(&d, LINK_ETHERNET, &p), DECODE_OK);
		for (int forward = 0; forward < 2; forward++)
			assert_reset(out, decode_build_reset(&frame, &p, forward, 0xfffffffe, 77, out), &p, forward);
	}
}
END_TEST

START_TEST(a_reset_is_refused_for_what_cannot_be_its_model)
{
	uint8_t out[DECODE_RESET_BYTES];
	struct draft raw = {0}, piece = {0}, datagram = {0};
	struct packet p;

	tcp4(&raw, TCP_ACK, "x");
	decode(&raw, LINK_RAW, &p);
	ck_assert_uint_eq(decode_build_reset(&frame, &p, true, 1, 2, out), 0);
	ether(&piece, 0x0800);
	ipv4(&piece, 6, 20, 0x2000);
	tcp(&piece, TCP_ACK, "");
	decode(&piece, LINK_ETHERNET, &p);
	ck_assert_uint_eq(decode_build_reset(&frame, &p, true, 1, 2, out), 0);
	ether(&datagram, 0x0800);
	ipv4(&datagram, 17, 8, 0);
	udp(&datagram, 53, 8, 0);
	decode(&datagram, LINK_ETHERNET, &p);
	ck_assert_uint_eq(decode_build_reset(&frame, &p, true, 1, 2, out), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_tcp_segment_over_ipv4_is_read_whole,
		every_link_layer_leads_to_the_same_packet,
		ip_behind_llc_and_snap_is_said,
		three_tags_are_read_and_a_fourth_is_a_tunnel,
		a_cooked_frame_may_carry_a_tag,
		what_is_not_ip_is_other_and_what_only_looks_like_mpls_and_pppoe_too,
		ip_length_rules_over_padding_trailers_and_cuts,
		headers_that_contradict_themselves_are_malformed,
		a_header_that_a_capture_cut_off_is_nobodys_fault,
		a_transport_header_past_the_ip_length_is_refused,
		a_piece_no_receiver_takes_is_odd,
		an_ipv6_piece_without_its_headers_is_odd,
		timestamps_signatures_and_urgent_bytes_are_read,
		ipv4_options_are_skipped_and_noted,
		an_ipv4_fragment_is_a_piece_without_ports,
		an_ipv6_chain_is_walked_up_to_its_limits,
		an_ipv6_extension_longer_than_the_budget_is_not_followed,
		an_atomic_fragment_is_a_packet_a_real_one_a_piece_a_nested_one_malformed,
		flags_no_stack_sends_are_odd,
		a_data_offset_outside_the_segment_gives_no_payload,
		window_scale_is_read_from_a_syn_only_and_clamped,
		a_sum_is_that_of_the_slow_way,
		wrong_checksums_are_noted_only_when_asked,
		udp_without_a_checksum_is_fine_in_ipv4_and_not_in_ipv6,
		a_udp_length_that_contradicts_ip_is_an_oddity_not_a_crash,
		icmp_has_type_and_code_for_a_port,
		a_reset_goes_both_ways_with_right_checksums,
		a_reset_is_refused_for_what_cannot_be_its_model,
	};
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("decode");
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	free(tight);
	return failed != 0;
}
