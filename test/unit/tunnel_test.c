// SPDX-License-Identifier: GPL-2.0-or-later
// Packets in packets: what is opened, how deep, and what is told where it is not. And that the fast path says what the general one does.
// Frames are written from inside out, each layer in front of what is there.
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include "decode_impl.h"
#include "frame_draft.h"

static uint8_t *tight;
static struct frame frame;

// A glance says the ends decode says, or nothing; nothing of a tunnel, a fragment or another transport, whose ends are not what a block is asked about.
static void assert_glance_agrees(const struct frame *f, const struct packet *p, enum decode_result result)
{
	struct glance g;

	if (!decode_glance(f, &g))
		return;
	ck_assert_int_ne(result, DECODE_PIECE);
	ck_assert_uint_eq(p->tunnels, 0);
	if (result != DECODE_OK)
		return;
	ck_assert(p->transport == TRANSPORT_TCP || p->transport == TRANSPORT_UDP);
	ck_assert_uint_eq(g.family, p->source.family);
	ck_assert(memcmp(g.source, p->source.b, 16) == 0 && memcmp(g.destination, p->destination.b, 16) == 0);
	ck_assert_uint_eq(ntohs(g.source_port), p->source_port);
	ck_assert_uint_eq(ntohs(g.destination_port), p->destination_port);
}

static enum decode_result decode(const struct draft *d, struct packet *p)
{
	enum decode_result result;

	for (size_t n = 0; n <= d->n; n++) { // every prefix at the end of a heap block of its own
		free(tight);
		tight = malloc(n ? n : 1);
		memcpy(tight, d->b, n);
		frame = (struct frame){.at = tight, .bytes = (uint32_t)n, .wire_bytes = (uint32_t)n, .link = LINK_ETHERNET};
		if (n < d->n) {
			decode_frame(&frame, true, p);
			ck_assert(p->payload_offset + p->payload_bytes <= n);
		}
	}
	result = decode_frame(&frame, true, p);
	assert_glance_agrees(&frame, p, result);
	return result;
}

static void front(struct draft *d, const struct draft *header)
{
	memmove(d->b + header->n, d->b, d->n);
	memcpy(d->b, header->b, header->n);
	d->n += header->n;
}

static void front_ip(struct draft *d, unsigned version, unsigned transport)
{
	struct draft h = {0};

	if (version == 4)
		ipv4(&h, transport, d->n, 0);
	else
		ipv6(&h, transport, d->n);
	front(d, &h);
}

static void front_ether(struct draft *d, unsigned type)
{
	struct draft h = {0};

	ether(&h, type);
	front(d, &h);
}

static void front_16(struct draft *d, unsigned a, unsigned b)
{
	struct draft h = {0};

	put16(&h, a);
	put16(&h, b);
	front(d, &h);
}

// flags as RFC 2890 has them
static void front_gre(struct draft *d, unsigned flags, unsigned protocol)
{
	struct draft h = {0};

	put16(&h, flags);
	put16(&h, protocol);
	if (flags & 0x8000)
		put32(&h, 0);
	if (flags & 0x2000)
		put32(&h, 0x01020304);
	if (flags & 0x1000)
		put32(&h, 9);
	front(d, &h);
	if (flags & 0x8000)
		set16(d, 4, twin_checksum(d->b, d->n, 0));
}

static void front_vxlan_to(struct draft *d, unsigned port, unsigned version, uint32_t flags, bool sum)
{
	struct draft h = {0};
	const uint8_t *a = version == 4 ? v4_a : v6_a, *b = version == 4 ? v4_b : v6_b;

	udp(&h, port, (unsigned)d->n + 16, 0);
	put32(&h, flags);
	put32(&h, 0x0000ab00);
	front(d, &h);
	if (sum)
		set16(d, 6, twin_checksum(d->b, d->n, twin_pseudo(a, b, version == 4 ? 4 : 16, 17, d->n)));
}

static void front_vxlan(struct draft *d, unsigned version, uint32_t flags, bool sum)
{
	front_vxlan_to(d, 4789, version, flags, sum);
}

static void front_labels(struct draft *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct draft h = {0};

		put32(&h, (100 + i) << 12 | (i ? 0 : 0x100) | 64);
		front(d, &h);
	}
}

static void front_pppoe(struct draft *d, unsigned code, unsigned protocol)
{
	struct draft h = {0};

	put16(&h, 0x1100 | code);
	put16(&h, 77);
	put16(&h, (unsigned)d->n + 2);
	put16(&h, protocol);
	front(d, &h);
}

static const char text[] = "inside, and longer than any padding would be";

static struct draft core(void)
{
	struct draft d = {0};

	tcp4(&d, TCP_ACK | TCP_PSH, text);
	return d;
}

static struct draft core6(void)
{
	struct draft d = {0};
	size_t n = 20 + strlen(text);

	ipv6(&d, 6, n);
	tcp(&d, TCP_ACK | TCP_PSH, text);
	set16(&d, 40 + 16, twin_checksum(d.b + 40, n, twin_pseudo(v6_a, v6_b, 16, 6, n)));
	return d;
}

static void assert_core(const struct packet *p, unsigned tunnels, unsigned kind, uint32_t id)
{
	ck_assert_uint_eq(p->oddities, 0);
	ck_assert_uint_eq(p->tunnels, tunnels);
	ck_assert(!tunnels || (p->tunnel[tunnels - 1].kind == kind && p->tunnel[tunnels - 1].id == id));
	ck_assert(p->transport == 6 && p->source_port == 40000 && p->destination_port == 80 && p->seq == 1000);
	ck_assert_uint_eq(p->ether_type, p->source.family == 4 ? 0x0800 : 0x86dd);
	ck_assert_uint_eq(p->ip_offset, frame.bytes - strlen(text) - 20 - (p->source.family == 4 ? 20 : 40));
	ck_assert(bytes_equal_text(packet_payload(&frame, p), text));
}

// Told by the outermost packet: carried by IPv4 `transport`, not opened.
static void assert_unopened(const struct packet *p, unsigned transport)
{
	ck_assert_uint_eq(p->oddities, ODDITY_TUNNEL);
	ck_assert(p->transport == transport && p->source.family == 4 && p->tunnels == 0 && p->ip_offset == 14 && p->ether_type == 0x0800);
	ck_assert(p->tcp_flags == 0 && p->payload_offset + p->payload_bytes == frame.bytes);
}

START_TEST(labels_and_sessions_are_walked_through)
{
	for (unsigned labels = 1; labels <= 5; labels++) {
		struct draft d = labels & 1 ? core() : core6();
		struct packet p;

		front_labels(&d, labels);
		front_ether(&d, labels & 2 ? 0x8848 : 0x8847);
		ck_assert_int_eq(decode(&d, &p), labels <= 4 ? DECODE_OK : DECODE_OTHER);
		if (labels <= 4)
			assert_core(&p, 0, 0, 0);
		else
			ck_assert(p.oddities == ODDITY_TUNNEL && !address_is_set(&p.source));
	}
	for (unsigned six = 0; six < 2; six++) {
		struct draft d = six ? core6() : core();
		struct packet p;

		front_pppoe(&d, 0, six ? 0x57 : 0x21);
		front_16(&d, 5, 0x8864);
		front_ether(&d, 0x8100);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_core(&p, 0, 0, 0);
		ck_assert(p.vlans == 1 && p.vlan[0] == 5);
	}
}
END_TEST

START_TEST(what_labels_and_sessions_carry_beside_ip_is_not_taken_for_it)
{
	static const unsigned rows[][3] = {{0, 0xc021, 0}, {0, 0x0281, ODDITY_TUNNEL}, {0xa7, 0x21, ODDITY_TUNNEL}};
	struct draft wire = {0}, d;
	struct packet p;

	for (size_t i = 0; i < 3; i++) {
		d = core();
		front_pppoe(&d, rows[i][0], rows[i][1]);
		front_ether(&d, 0x8864);
		ck_assert_int_eq(decode(&d, &p), DECODE_OTHER);
		ck_assert_uint_eq(p.oddities, rows[i][2]);
	}
	d = core(); // a pseudowire to a MAC address that begins as IPv4 does
	front_ether(&d, 0x0800);
	memcpy(d.b, "\x45\0\0\x40\0\1", 6);
	front_labels(&d, 1);
	front_ether(&d, 0x8847);
	ck_assert_int_eq(decode(&d, &p), DECODE_OTHER);
	ck_assert_uint_eq(p.oddities, ODDITY_TUNNEL);
	put32(&wire, 0); // and one with a control word (RFC 4448 §4.6)
	d = core();
	front_ether(&d, 0x0800);
	front(&d, &wire);
	front_labels(&d, 2);
	front_ether(&d, 0x8847);
	ck_assert_int_eq(decode(&d, &p), DECODE_OTHER);
	ck_assert_uint_eq(p.oddities, ODDITY_TUNNEL);
}
END_TEST

START_TEST(ip_in_ip_is_opened_in_all_four_ways)
{
	for (unsigned way = 0; way < 4; way++) {
		struct draft d = way & 1 ? core6() : core();
		struct packet p;

		front_ip(&d, way & 2 ? 6 : 4, way & 1 ? 41 : 4);
		front_ether(&d, way & 2 ? 0x86dd : 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_core(&p, 1, TUNNEL_IP, 0);
		ck_assert_uint_eq(p.source.family, way & 1 ? 6 : 4);
	}
}
END_TEST

START_TEST(gre_is_opened_with_whatever_fields_it_has)
{
	for (unsigned flags = 0; flags < 8; flags++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			static const unsigned protocols[] = {0x0800, 0x86dd, 0x6558};
			struct draft d = kind == 1 ? core6() : core();
			struct packet p;

			if (kind == 2) {
				front_16(&d, 42, 0x0800);
				front_ether(&d, 0x8100);
			}
			front_gre(&d, (flags & 1) << 15 | (flags & 6) << 11, protocols[kind]);
			front_ip(&d, 4, 47);
			front_ether(&d, 0x0800);
			ck_assert_int_eq(decode(&d, &p), DECODE_OK);
			assert_core(&p, 1, TUNNEL_GRE, d.b[34] & 0x20 ? 0x01020304 : 0);
			ck_assert(p.vlans == (kind == 2) && p.vlan[0] == (kind == 2 ? 42 : 0));
			if (d.b[34] & 0x80) { // its checksum covers what is inside
				d.b[d.n - 1] ^= 1;
				decode(&d, &p);
				ck_assert_uint_eq(p.oddities, ODDITY_TRANSPORT_CHECKSUM);
			}
		}
	}
}
END_TEST

START_TEST(gre_of_another_kind_is_told_by_its_packet)
{
	static const unsigned rows[][2] = {{0x0001, 0x880b}, {0x3001, 0x0800}, {0x4000, 0x0800}, {0, 0x88be}, {0, 0}};

	for (size_t i = 0; i < 5; i++) {
		struct draft d = core();
		struct packet p;

		front_gre(&d, rows[i][0], rows[i][1]);
		front_ip(&d, 4, 47);
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_unopened(&p, 47);
	}
}
END_TEST

START_TEST(vxlan_is_opened_with_its_tags)
{
	for (unsigned row = 0; row < 8; row++) {
		unsigned version = row & 1 ? 6 : 4;
		struct draft d = row & 2 ? core6() : core();
		struct packet p;

		front_16(&d, 31, row & 2 ? 0x86dd : 0x0800);
		front_ether(&d, 0x8100);
		front_vxlan(&d, version, 0x08000000, row & 4); // without a checksum in IPv6 too: RFC 6935
		front_ip(&d, version, 17);
		front_16(&d, 30, version == 4 ? 0x0800 : 0x86dd);
		front_ether(&d, 0x8100);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_core(&p, 1, TUNNEL_VXLAN, 0xab);
		ck_assert(p.vlans == 2 && p.vlan[0] == 30 && p.vlan[1] == 31);
		if (row & 4) { // where there is one it has to be right
			size_t sum = 18 + (version == 4 ? 20 : 40) + 6;

			d.b[sum] ^= 1;
			decode(&d, &p);
			ck_assert_uint_eq(p.oddities, ODDITY_TRANSPORT_CHECKSUM);
		}
	}
}
END_TEST

START_TEST(vxlan_is_opened_on_the_port_linux_takes)
{
	for (unsigned flags = 0; flags < 2; flags++) {
		struct draft d = core();
		struct packet p;

		front_ether(&d, 0x0800);
		front_vxlan_to(&d, 8472, 4, flags ? 0x08000000 : 0x08000001, true);
		front_ip(&d, 4, 17);
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		if (flags)
			assert_core(&p, 1, TUNNEL_VXLAN, 0xab);
		else // somebody else's port too: no sign of a tunnel that was not opened
			ck_assert(p.destination_port == 8472 && !p.tunnels && !p.oddities);
	}
}
END_TEST

START_TEST(what_is_sent_to_the_port_of_vxlan_and_is_none_is_an_ordinary_datagram)
{
	static const uint32_t flags[] = {0, 0x08000001, 0x88000000, 0x0c000000};

	for (size_t i = 0; i < 4; i++) {
		struct draft d = core();
		struct packet p;

		front_ether(&d, 0x0800);
		front_vxlan(&d, 4, flags[i], true);
		front_ip(&d, 4, 17);
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_unopened(&p, 17);
		ck_assert_uint_eq(p.destination_port, 4789);
	}
}
END_TEST

// UDP from or to `port` with this before what is there; no checksum.
static void front_udp(struct draft *d, unsigned from, unsigned to, const uint8_t *head, size_t n)
{
	struct draft h = {0};

	udp(&h, to, (unsigned)(d->n + n + 8), 0);
	set16(&h, 0, from);
	put(&h, head, n);
	front(d, &h);
}

enum { INSIDE_IP, INSIDE_ETHER, INSIDE_SNAP };

static const struct {
	unsigned port;
	bool answers; // from that port, too
	uint8_t inside, kind;
	uint32_t id;
	size_t n;
	uint8_t head[48];
} in_udp[] = {
	{6081, false, INSIDE_ETHER, TUNNEL_GENEVE, 0xab, 8, {0, 0, 0x65, 0x58, 0, 0, 0xab}},
	{6081, false, INSIDE_IP, TUNNEL_GENEVE, 7, 16, {2, 0x40, 8, 0, 0, 0, 7, 0, 1, 2, 0x83, 1}}, // an option, marked critical
	{2152, true, INSIDE_IP, TUNNEL_GTP, 0x01020304, 8, {0x30, 0xff, 0, 0, 1, 2, 3, 4}},
	{2152, true, INSIDE_IP, TUNNEL_GTP, 5, 12, {0x32, 0xff, 0, 0, 0, 0, 0, 5, 1, 2, 3, 0xc0}}, // the last is no extension: there is no flag
	{2152, true, INSIDE_IP, TUNNEL_GTP, 5, 24, {0x37, 0xff, 0, 0, 0, 0, 0, 5, 1, 2, 3, 0xc0, 1, 9, 9, 0x85, 2, [22] = 9, 0}},
	{5072, true, INSIDE_IP, TUNNEL_AYIYA, 0, 44, {0x41, 0x52, 0x11, 4, 1, 2, 3, 4}},
	{3544, true, INSIDE_IP, TUNNEL_TEREDO, 0, 0, {0}},
	{3544, true, INSIDE_IP, TUNNEL_TEREDO, 0, 21, {0, 1, 0, 0, [12] = 0, 0, 0, 1, 2, 3, 4, 5, 6}}, // authentication and origin
	{5247, true, INSIDE_SNAP, TUNNEL_CAPWAP, 0, 16 + 24, {0, 0x20, 3, 0x20, [16] = 8, 1}},
	{5247, true, INSIDE_SNAP, TUNNEL_CAPWAP, 0, 8 + 26, {0, 0x10, 3, 0, [8] = 1, 0x88}}, // swapped, with quality of service
	{5247, true, INSIDE_SNAP, TUNNEL_CAPWAP, 0, 8 + 30, {0, 0x10, 3, 0, [8] = 8, 3}},
	{5247, true, INSIDE_ETHER, TUNNEL_CAPWAP, 0, 8, {0, 0x10, 2, 0}},
};

static struct draft in_udp_draft(size_t row, bool answer, unsigned lie)
{
	struct draft d = in_udp[row].kind == TUNNEL_TEREDO ? core6() : core(), snap = {0};
	uint8_t head[48];

	memcpy(head, in_udp[row].head, sizeof(head));
	if (in_udp[row].inside == INSIDE_ETHER) {
		front_ether(&d, 0x0800);
	} else if (in_udp[row].inside == INSIDE_SNAP) {
		put(&snap, "\xaa\xaa\3\0\0\0\x8", 8);
		front(&d, &snap);
	}
	if (in_udp[row].kind == TUNNEL_GTP)
		head[3] = (uint8_t)(d.n + in_udp[row].n - 8);
	if (lie)
		head[lie - 1] ^= 0xff;
	front_udp(&d, answer ? in_udp[row].port : 40000, answer ? 40000 : in_udp[row].port, head, in_udp[row].n);
	front_ip(&d, 4, 17);
	front_ether(&d, 0x0800);
	return d;
}

START_TEST(tunnels_in_udp_are_opened_by_port_and_header)
{
	for (int answer = 0; answer < 2; answer++) {
		struct draft d = in_udp_draft((size_t)_i, answer, 0);
		struct packet p;

		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		if (!answer || in_udp[_i].answers)
			assert_core(&p, 1, in_udp[_i].kind, in_udp[_i].id);
		else
			ck_assert(p.tunnels == 0 && p.oddities == 0 && p.transport == 17 && p.source_port == in_udp[_i].port);
	}
}
END_TEST

// Whatever a header's octet says, no datagram is refused for being no tunnel of this kind.
START_TEST(a_header_that_lies_is_an_ordinary_datagram_or_said)
{
	for (unsigned lie = 1; lie <= in_udp[_i].n && lie <= 16; lie++) {
		struct draft d = in_udp_draft((size_t)_i, false, lie);
		struct packet p;

		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		ck_assert(!(p.oddities & ~ODDITY_TUNNEL));
		if (!p.tunnels)
			ck_assert(p.transport == 17 && p.destination_port == in_udp[_i].port);
	}
}
END_TEST

// Receivers pass over the bits that are reserved, and over GTP's length: Linux opens all of these.
START_TEST(bits_that_a_receiver_ignores_hide_no_tunnel)
{
	static const struct {
		uint8_t at, value;
		uint8_t kind;
		bool opened;
	} rows[] = {
		{7, 1, TUNNEL_GENEVE, false}, {1, 0x80, TUNNEL_GENEVE, false}, {1, 0x3f, TUNNEL_GENEVE, true},
		{0, 0x38, TUNNEL_GTP, true},  {3, 1, TUNNEL_GTP, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct draft d = in_udp_draft(rows[i].kind == TUNNEL_GENEVE ? 0 : 2, false, 0);
		struct packet p;

		d.b[14 + 20 + 8 + rows[i].at] = rows[i].value;
		d.b[14 + 20 + 6] = d.b[14 + 20 + 7] = 0;
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		if (rows[i].opened)
			assert_core(&p, 1, rows[i].kind, p.tunnel[0].id);
		else
			assert_unopened(&p, 17);
	}
}
END_TEST

START_TEST(pptp_carries_ppp_and_acknowledges)
{
	static const unsigned flags[] = {0x2001, 0x3001, 0x3081, 0x2081};

	for (size_t i = 0; i < 8; i++) {
		struct draft d = core(), h = {0}, ppp = {0};
		struct packet p;

		put(&ppp, i & 1 ? "\xff\3\0\x21" : "\x21", i & 1 ? 4 : 1);
		front(&d, &ppp);
		put16(&h, flags[i / 2]);
		put16(&h, 0x880b);
		put16(&h, (unsigned)d.n);
		put16(&h, 99);
		put32(&h, 1);
		h.n -= i / 2 == 0 ? 4 : 0;
		if (i / 2 == 2)
			put32(&h, 2);
		front(&d, &h);
		front_ip(&d, 4, 47);
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		assert_core(&p, 1, TUNNEL_GRE, 99);
	}
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		struct draft d = {0};
		struct packet p;

		put(&d, encrypted ? "\x20\1\x88\xb\0\5\0\x63\0\xfd\1\2\3" : "\x20\x81\x88\xb\0\0\0\x63\0\0\0\1", encrypted ? 13 : 12);
		front_ip(&d, 4, 47);
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		ck_assert(p.tunnels == 0 && p.transport == 47 && p.oddities == (encrypted ? ODDITY_TUNNEL : 0));
	}
}
END_TEST

START_TEST(a_tunnel_without_ip_is_told_by_its_packet)
{
	struct draft d = core();
	struct packet p;

	front_ether(&d, 0x0806);
	front_vxlan(&d, 4, 0x08000000, true);
	front_ip(&d, 4, 17);
	front_ether(&d, 0x0800);
	ck_assert_int_eq(decode(&d, &p), DECODE_OK);
	assert_unopened(&p, 17);
	ck_assert(p.destination_port == 4789 && p.vlans == 0);
	d = core(); // tags are counted through all levels
	front_16(&d, 1, 0x0800);
	front_16(&d, 2, 0x8100);
	front_ether(&d, 0x8100);
	front_gre(&d, 0, 0x6558);
	front_ip(&d, 4, 47);
	front_16(&d, 3, 0x0800);
	front_16(&d, 4, 0x8100);
	front_ether(&d, 0x88a8);
	ck_assert_int_eq(decode(&d, &p), DECODE_OK);
	ck_assert(p.oddities == ODDITY_TUNNEL && p.vlans == 2 && p.tunnels == 0 && p.transport == 47 && p.ip_offset == 22);
}
END_TEST

START_TEST(two_levels_are_opened_and_a_third_is_told_by_the_second)
{
	for (unsigned levels = 1; levels <= 4; levels++) {
		struct draft d = core();
		struct packet p;

		for (unsigned i = 0; i < levels; i++) {
			if (i & 1) {
				front_gre(&d, 0x2000, 0x0800);
				front_ip(&d, 4, 47);
			} else {
				front_ip(&d, 4, 4);
			}
		}
		front_ether(&d, 0x0800);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		if (levels <= 2) {
			assert_core(&p, levels, TUNNEL_IP, 0);
			ck_assert(levels == 1 || (p.tunnel[0].kind == TUNNEL_GRE && p.tunnel[0].id == 0x01020304));
			continue;
		}
		ck_assert(p.oddities == ODDITY_TUNNEL && p.tunnels == 2 && p.transport == (levels == 3 ? 4 : 47));
		ck_assert(p.source_port == 0 && p.payload_offset + p.payload_bytes == frame.bytes);
	}
}
END_TEST

START_TEST(every_level_is_judged)
{
	for (unsigned fault = 0; fault < 6; fault++) {
		static const unsigned odd[] = {ODDITY_IP_CHECKSUM, ODDITY_IP_CHECKSUM, ODDITY_TRANSPORT_CHECKSUM,
					       ODDITY_CUT,         ODDITY_TRAILER,     ODDITY_HEADER};
		struct draft d = core();
		struct packet p;

		if (fault == 3 || fault == 4) { // the inner length says more or less than there is
			set16(&d, 2, (unsigned)d.n + (fault == 3 ? 1 : 0u - 1u));
			set16(&d, 10, 0);
			set16(&d, 10, twin_checksum(d.b, 20, 0));
		}
		if (fault == 5)
			d.b[0] = 0x44;
		front_ip(&d, 4, 4);
		front_ether(&d, 0x0800);
		if (fault == 0)
			d.b[14 + 8] ^= 1;
		if (fault == 1)
			d.b[34 + 8] ^= 1;
		if (fault == 2)
			d.b[d.n - 1] ^= 1;
		ck_assert_int_eq(decode(&d, &p), fault == 5 ? DECODE_MALFORMED : DECODE_OK);
		ck_assert_msg(p.oddities & odd[fault], "fault %u", fault);
		ck_assert_uint_eq(p.oddities & ~(odd[fault] | ODDITY_TRANSPORT_CHECKSUM), 0);
		ck_assert_uint_eq(p.tunnels, 1);
	}
}
END_TEST

START_TEST(a_fragment_inside_a_tunnel_is_a_piece_and_its_datagram_is_read_on_from_there)
{
	struct draft d = {0}, whole = core();
	struct packet p, q;
	struct frame f;

	ipv4(&d, 6, 24, 0x2000);
	tcp(&d, TCP_ACK, "abcd");
	front_ether(&d, 0x0800);
	front_vxlan(&d, 4, 0x08000000, false);
	front_ip(&d, 4, 17);
	front_ether(&d, 0x0800);
	ck_assert_int_eq(decode(&d, &p), DECODE_PIECE);
	ck_assert(p.oddities == 0 && p.tunnels == 1 && p.ip_offset == 14 + 20 + 16 + 14 && p.fragment_more && p.fragment_id == 7);
	d.n = p.ip_offset;
	put(&d, whole.b, whole.n);
	f = (struct frame){.at = d.b, .bytes = (uint32_t)d.n, .wire_bytes = (uint32_t)d.n, .link = LINK_ETHERNET};
	q = p;
	ck_assert_int_eq(decode_datagram(&f, p.ip_offset, true, &q), DECODE_OK);
	frame = f;
	assert_core(&q, 1, TUNNEL_VXLAN, 0xab);
	ck_assert(q.fragment_more == 0 && q.fragment_id == 0);
	ck_assert_int_eq(decode_datagram(&f, f.bytes + 1, true, &q), DECODE_MALFORMED);
}
END_TEST

START_TEST(no_reset_is_built_into_a_tunnel_or_behind_labels)
{
	for (unsigned kind = 0; kind < 3; kind++) {
		uint8_t out[DECODE_RESET_BYTES];
		struct draft d = core();
		struct packet p;

		if (kind == 0)
			front_ip(&d, 4, 4);
		else if (kind == 1)
			front_labels(&d, 1);
		else
			front_pppoe(&d, 0, 0x21);
		front_ether(&d, kind == 0 ? 0x0800 : kind == 1 ? 0x8847 : 0x8864);
		ck_assert_int_eq(decode(&d, &p), DECODE_OK);
		ck_assert_uint_eq(p.destination_port, 80);
		ck_assert_uint_eq(decode_build_reset(&frame, &p, true, 1, 2, out), 0);
	}
}
END_TEST

static void assert_paths_agree(const struct frame *f)
{
	static const enum decode_checksums modes[] = {DECODE_NO_CHECKSUMS, DECODE_CHECKSUMS};

	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct packet fast, general;
		enum decode_result result;

		memset(&fast, 0xaa, sizeof(fast));
		memset(&general, 0x55, sizeof(general));
		result = decode_frame(f, modes[i], &fast);
		ck_assert_int_eq(decode_frame_general(f, modes[i], &general), result);
		ck_assert(memcmp(&fast, &general, sizeof(fast)) == 0);
		assert_glance_agrees(f, &fast, result);
	}
}

static void put_plain(struct draft *d, bool is_udp, bool six)
{
	static const char timestamped[] = "\1\1\x8\xa\1\2\3\4\5\6\7\x8 and then some bytes";

	if (six)
		ipv6(d, is_udp ? 17 : 6, is_udp ? 32 : 20 + sizeof(timestamped) - 1);
	else if (is_udp)
		ipv4(d, 17, 32, 0);
	if (is_udp) {
		udp(d, 53, 32, 24);
	} else if (six) {
		tcp(d, TCP_ACK, timestamped);
		d->b[40 + 12] = 8 << 4;
	} else {
		tcp4(d, TCP_ACK, timestamped);
		d->b[32] = 8 << 4;
	}
}

// Every byte of the headers takes every value, in a frame of every length.
START_TEST(the_fast_path_agrees_with_the_general_one)
{
	for (unsigned kind = 0; kind < 8; kind++) {
		enum decode_result result;
		struct draft d = {0};
		struct packet p;
		struct glance g;
		struct frame f;

		put_plain(&d, kind & 1, kind & 4);
		if (kind & 2) {
			front_16(&d, 0x2005, kind & 4 ? 0x86dd : 0x0800);
			front_ether(&d, 0x8100);
		} else {
			front_ether(&d, kind & 4 ? 0x86dd : 0x0800);
		}
		f = (struct frame){.at = d.b, .bytes = (uint32_t)d.n, .wire_bytes = (uint32_t)d.n, .link = LINK_ETHERNET};
		ck_assert(decode_plain(&f, DECODE_CHECKSUMS, &p, &result));
		ck_assert_int_eq(result, DECODE_OK);
		ck_assert(decode_glance(&f, &g));
		for (size_t at = 12; at < d.n; at++) {
			uint8_t was = d.b[at];

			for (unsigned v = 0; v < 256; v++) {
				d.b[at] = (uint8_t)v;
				assert_paths_agree(&f);
			}
			d.b[at] = was;
		}
		for (uint32_t n = 0; n <= d.n + 40; n++) {
			f.bytes = f.wire_bytes = n;
			assert_paths_agree(&f);
		}
	}
}
END_TEST

START_TEST(sums_of_every_length_agree_with_the_slow_twin)
{
	uint8_t b[3000];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i * 37 + (i >> 8) * 11);
	for (size_t at = 0; at < 3; at++)
		for (size_t n = 0; n + at < sizeof(b); n += n < 300 ? 1 : 61)
			ck_assert_uint_eq(checksum_fold(checksum_add(7, bytes_of(b + at, n))), twin_checksum(b + at, n, 7));
	memset(b, 0xff, sizeof(b));
	ck_assert_uint_eq(checksum_fold(checksum_add(0, bytes_of(b, sizeof(b)))), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		labels_and_sessions_are_walked_through,
		what_labels_and_sessions_carry_beside_ip_is_not_taken_for_it,
		ip_in_ip_is_opened_in_all_four_ways,
		gre_is_opened_with_whatever_fields_it_has,
		gre_of_another_kind_is_told_by_its_packet,
		vxlan_is_opened_with_its_tags,
		vxlan_is_opened_on_the_port_linux_takes,
		what_is_sent_to_the_port_of_vxlan_and_is_none_is_an_ordinary_datagram,
		a_tunnel_without_ip_is_told_by_its_packet,
		two_levels_are_opened_and_a_third_is_told_by_the_second,
		every_level_is_judged,
		a_fragment_inside_a_tunnel_is_a_piece_and_its_datagram_is_read_on_from_there,
		no_reset_is_built_into_a_tunnel_or_behind_labels,
		the_fast_path_agrees_with_the_general_one,
		sums_of_every_length_agree_with_the_slow_twin,
	};
	Suite *suite = suite_create("tunnel");
	TCase *tcase = tcase_create("tunnel");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, tunnels_in_udp_are_opened_by_port_and_header, 0, sizeof(in_udp) / sizeof(in_udp[0]));
	tcase_add_loop_test(tcase, a_header_that_lies_is_an_ordinary_datagram_or_said, 0, sizeof(in_udp) / sizeof(in_udp[0]));
	tcase_add_test(tcase, bits_that_a_receiver_ignores_hide_no_tunnel);
	tcase_add_test(tcase, pptp_carries_ppp_and_acknowledges);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	free(tight);
	return failed != 0;
}
