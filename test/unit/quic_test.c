// SPDX-License-Identifier: GPL-2.0-or-later
// QUIC: the hello in Initial packets against the vectors of RFC 9001 and RFC 9369, over any cut into frames, packets and datagrams; what cannot be read is
// counted, and what stands in for something else does not hide it.
#include "proto_impl.h"
#include "quic_maker.h"

enum { CONTEXTS = 2, UDP = 17 };

static struct caught caught;
static struct counters counters;
static struct proto_pool *pool;
static uint32_t context;
static uint8_t app;
static unsigned marks;
static enum counter mark;
static struct proto_flow flow;

static void note_mark(void *user, enum counter why)
{
	marks++;
	mark = why;
}

static const struct proto_sink sink = {.emit = talk_catch, .uninspected = note_mark, .user = &caught, .counters = &counters};

static void setup(void)
{
	memset(&counters, 0, sizeof(counters));
	memset(&flow, 0, sizeof(flow));
	flow.direction = DIRECTION_OUT;
	flow.transport = UDP;
	flow.server_port = 443;
	address_parse(bytes_of_text("10.0.0.5"), &flow.client);
	address_parse(bytes_of_text("192.0.2.7"), &flow.server);
	caught.count = marks = context = 0;
	app = APP_NONE;
	if (pool) // a test that begins anew
		proto_pool_destroy(pool);
	pool = proto_pool_create(CONTEXTS, &counters);
}

static void teardown(void)
{
	proto_pool_destroy(pool);
	pool = NULL;
}

static void send_bytes(bool client, struct bytes data)
{
	struct proto_input in = proto_input_of_close(&flow, client);

	in.data = talk_at_edge(data);
	proto_datagram(pool, &context, &in, &sink, &app);
}

static unsigned seen(unsigned kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < caught.count && i < TALK_CAUGHT; i++)
		n += caught.o[i].kind == kind;
	return n;
}

static const struct observation *last(void)
{
	ck_assert_uint_gt(caught.count, 0);
	return &caught.o[caught.count - 1];
}

// The ClientHello of RFC 9001 appendix A.2.
static const uint8_t rfc_hello[] = {
	0x01, 0x00, 0x00, 0xed, 0x03, 0x03, 0xeb, 0xf8, 0xfa, 0x56, 0xf1, 0x29, 0x39, 0xb9, 0x58, 0x4a, 0x38, 0x96, 0x47, 0x2e, 0xc4,
	0x0b, 0xb8, 0x63, 0xcf, 0xd3, 0xe8, 0x68, 0x04, 0xfe, 0x3a, 0x47, 0xf0, 0x6a, 0x2b, 0x69, 0x48, 0x4c, 0x00, 0x00, 0x04, 0x13,
	0x01, 0x13, 0x02, 0x01, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x10, 0x00, 0x0e, 0x00, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70,
	0x6c, 0x65, 0x2e, 0x63, 0x6f, 0x6d, 0xff, 0x01, 0x00, 0x01, 0x00, 0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x1d, 0x00, 0x17,
	0x00, 0x18, 0x00, 0x10, 0x00, 0x07, 0x00, 0x05, 0x04, 0x61, 0x6c, 0x70, 0x6e, 0x00, 0x05, 0x00, 0x05, 0x01, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x33, 0x00, 0x26, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20, 0x93, 0x70, 0xb2, 0xc9, 0xca, 0xa4, 0x7f, 0xba, 0xba, 0xf4,
	0x55, 0x9f, 0xed, 0xba, 0x75, 0x3d, 0xe1, 0x71, 0xfa, 0x71, 0xf5, 0x0f, 0x1c, 0xe1, 0x5d, 0x43, 0xe9, 0x94, 0xec, 0x74, 0xd7,
	0x48, 0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04, 0x00, 0x0d, 0x00, 0x10, 0x00, 0x0e, 0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x02,
	0x03, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06, 0x00, 0x2d, 0x00, 0x02, 0x01, 0x01, 0x00, 0x1c, 0x00, 0x02, 0x40, 0x01, 0x00, 0x39,
	0x00, 0x32, 0x04, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x05, 0x04, 0x80, 0x00, 0xff, 0xff, 0x07, 0x04, 0x80,
	0x00, 0xff, 0xff, 0x08, 0x01, 0x10, 0x01, 0x04, 0x80, 0x00, 0x75, 0x30, 0x09, 0x01, 0x10, 0x0f, 0x08, 0x83, 0x94, 0xc8, 0xf0,
	0x3e, 0x51, 0x57, 0x08, 0x06, 0x04, 0x80, 0x00, 0xff, 0xff,
};
static const uint8_t rfc_id[] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};

static struct maker packet, frames, hello;

static struct initial plain_initial(void)
{
	return (struct initial){.id = bytes_of(rfc_id, sizeof(rfc_id)), .number = 2, .number_bytes = 4, .first = 0xc0,
				.version = 1, .size = 1162};
}

static void expect_rfc_hello(void)
{
	const struct observation *o = last();

	ck_assert_uint_eq(o->kind, OBS_TLS);
	ck_assert_uint_eq(o->app, APP_QUIC);
	ck_assert_uint_eq(o->number[NUM_TLS_VERSION], 0x0304);
	talk_expect_text(o, TEXT_TLS_SNI, "example.com");
	talk_expect_text(o, TEXT_TLS_ALPN, "alpn");
	ck_assert_int_eq(observation_text(o, TEXT_TLS_JA4).at[0], 'q');
	ck_assert_uint_eq(marks, 0);
}

// Datagram of one packet that carries the frames.
static void send_frames(const struct initial *p)
{
	packet.n = 0;
	make_initial(&packet, p, made(&frames));
	send_bytes(true, made(&packet));
}

static const struct {
	uint32_t version;
	uint8_t first, head[34], tag[16];
} vectors[] = {
	// RFC 9001 §A.2, RFC 9369 §A.2: the protected packet's beginning and its end, which vouches for what is between
	{1, 0xc0,
	 {0xc0, 0x00, 0x00, 0x00, 0x01, 0x08, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0x00, 0x00, 0x44,
	  0x9e, 0x7b, 0x9a, 0xec, 0x34, 0xd1, 0xb1, 0xc9, 0x8d, 0xd7, 0x68, 0x9f, 0xb8, 0xec, 0x11, 0xd2, 0x42},
	 {0xe2, 0x21, 0xaf, 0x44, 0x86, 0x00, 0x18, 0xab, 0x08, 0x56, 0x97, 0x2e, 0x19, 0x4c, 0xd9, 0x34}},
	{0x6b3343cf, 0xd0,
	 {0xd7, 0x6b, 0x33, 0x43, 0xcf, 0x08, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0x00, 0x00, 0x44,
	  0x9e, 0xa0, 0xc9, 0x5e, 0x82, 0xff, 0xe6, 0x7b, 0x6a, 0xbc, 0xdb, 0x42, 0x98, 0xb4, 0x85, 0xdd, 0x04},
	 {0xa1, 0x8b, 0x2f, 0xaa, 0x74, 0x5b, 0x6f, 0xe1, 0x89, 0xcf, 0x77, 0x2a, 0x9f, 0x84, 0xcb, 0xfc}},
};

START_TEST(the_published_packets_are_opened)
{
	struct initial p = plain_initial();

	p.version = vectors[_i].version;
	p.first = vectors[_i].first;
	frames.n = packet.n = 0;
	MAKE(&frames, 0x06, 0x00, 0x40, 0xf1);
	make(&frames, rfc_hello, sizeof(rfc_hello));
	make_initial(&packet, &p, made(&frames));
	ck_assert_uint_eq(packet.n, 1200);
	ck_assert_mem_eq(packet.b, vectors[_i].head, sizeof(vectors[_i].head));
	ck_assert_mem_eq(packet.b + packet.n - 16, vectors[_i].tag, 16);
	ck_assert_int_eq(proto_quic.probe(bytes_head(made(&packet), PROTO_PROBE_BYTES), true), PROBE_YES);
	send_bytes(true, made(&packet));
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[0].kind, OBS_PROTOCOL);
	ck_assert_int_eq(app, APP_QUIC);
	expect_rfc_hello();
}
END_TEST

START_TEST(the_hello_is_read_from_frames_in_any_order)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	for (size_t cut = 0; cut <= all.left; cut++) {
		setup();
		frames.n = 0;
		make_crypto(&frames, cut, bytes_from(all, cut));
		MAKE(&frames, 0, 0, 1, 2, 0x05, 0, 1, 2, 0, 1, 3, 0x44, 0, 0, 0, 0, 1, 2, 3); // padding, ping, two kinds of ack
		make_crypto(&frames, 0, bytes_head(all, cut));
		p.number_bytes = 1 + cut % 4;
		p.size = 1166;
		send_frames(&p);
		ck_assert_uint_eq(caught.count, 2);
		expect_rfc_hello();
		teardown();
	}
	setup();
}
END_TEST

START_TEST(the_hello_is_read_from_two_datagrams_in_either_order)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	for (size_t cut = 1; cut < all.left; cut += 7) {
		for (unsigned order = 0; order < 2; order++) {
			setup();
			for (unsigned i = 0; i < 2; i++) {
				bool front = i == order;

				frames.n = 0;
				make_crypto(&frames, front ? 0 : cut, front ? bytes_head(all, cut) : bytes_from(all, cut));
				p.number = i;
				send_frames(&p);
				ck_assert_uint_eq(seen(OBS_TLS), i);
				ck_assert_uint_ne(context, 0);
			}
			expect_rfc_hello();
			send_bytes(true, bytes_of("\x40 the client goes on", 20));
			ck_assert_uint_eq(context, 0); // given back
			teardown();
		}
	}
	setup();
}
END_TEST

START_TEST(a_short_packet_number_is_the_nearest_one)
{
	static const uint64_t numbers[][2] = {{250, 300}, {300, 250}, {0xfffff0, 0x1000010}, {127, 1}};
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct initial p = plain_initial();

		setup();
		p.number = numbers[i][0];
		frames.n = 0;
		make_crypto(&frames, 0, bytes_head(all, 100));
		send_frames(&p);
		frames.n = 0;
		make_crypto(&frames, 100, bytes_from(all, 100));
		p.number = numbers[i][1];
		p.number_bytes = 1;
		p.size = 1165;
		send_frames(&p);
		ck_assert_uint_eq(seen(OBS_TLS), 1);
	}
}
END_TEST

START_TEST(packets_in_one_datagram_are_taken_apart)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	packet.n = frames.n = 0;
	p.size = 0;
	make_crypto(&frames, 100, bytes_from(all, 100));
	make_initial(&packet, &p, made(&frames));
	frames.n = 0;
	p.number = 3;
	make_crypto(&frames, 0, bytes_head(all, 100));
	make_initial(&packet, &p, made(&frames));
	packet.b[packet.n++] = 0x40; // what remains is anything
	packet.n = 1200;
	send_bytes(true, made(&packet));
	ck_assert_uint_eq(seen(OBS_TLS), 1);
}
END_TEST

START_TEST(after_the_server_has_answered_its_id_is_used_with_the_first_keys)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	frames.n = 0;
	make_crypto(&frames, 0, bytes_head(all, 100));
	send_frames(&p);
	frames.n = 0;
	make_crypto(&frames, 100, bytes_from(all, 100));
	p.key_id = p.id;
	p.id = bytes_of("server's", 8);
	p.number = 3;
	send_frames(&p);
	ck_assert_uint_eq(seen(OBS_TLS), 1);
	expect_rfc_hello();
}
END_TEST

START_TEST(a_repetition_is_told_once_and_a_new_connection_again)
{
	struct initial p = plain_initial();

	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	for (unsigned i = 0; i < 5; i++)
		send_frames(&p);
	ck_assert_uint_eq(seen(OBS_TLS), 1);
	p.id = bytes_of("other id", 8);
	send_frames(&p);
	ck_assert_uint_eq(seen(OBS_TLS), 2);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
	ck_assert_uint_eq(marks, 0);
}
END_TEST

START_TEST(a_second_hello_in_the_place_of_the_first_is_marked)
{
	uint8_t other[sizeof(rfc_hello)];
	struct initial p = plain_initial();

	memcpy(other, rfc_hello, sizeof(other));
	other[60] ^= 1; // in the name
	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p);
	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(other, sizeof(other)));
	send_frames(&p);
	ck_assert_uint_eq(marks, 1);
	ck_assert_int_eq(mark, COUNT_PROTO_QUIC_LIMIT);
	setup(); // within one packet
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p);
	talk_expect_text(last(), TEXT_TLS_ODDITIES, "differs");
}
END_TEST

START_TEST(a_hello_in_too_many_pieces_is_marked)
{
	struct initial p = plain_initial();

	for (unsigned i = 0; i < QUIC_DATAGRAMS; i++) {
		ck_assert_uint_eq(marks, 0);
		frames.n = 0;
		make_crypto(&frames, 0, bytes_of(rfc_hello, i + 1)); // never whole
		p.id = i & 1 ? bytes_of("decoy id", 8) : bytes_of(rfc_id, sizeof(rfc_id));
		p.number = i;
		send_frames(&p);
	}
	ck_assert_uint_eq(marks, 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_QUIC_LIMIT], 1);
	ck_assert_uint_eq(seen(OBS_TLS), 0);
}
END_TEST

START_TEST(a_hello_longer_than_is_kept_tells_its_name_and_is_marked)
{
	struct initial p = plain_initial();
	static uint8_t padding[1100];

	hello.n = 0;
	make(&hello, rfc_hello, sizeof(rfc_hello));
	hello.b[2] = 0x20; // says 8 KiB
	hello.b[47] = 0x1f;
	for (size_t at = 0, i = 0; i < 4; i++, at += 1050) {
		while (hello.n < at + 1050)
			make(&hello, padding, 50);
		frames.n = 0;
		make_crypto(&frames, at, bytes_head(bytes_from(made(&hello), at), 1050));
		p.number = i;
		send_frames(&p);
	}
	ck_assert_uint_eq(seen(OBS_TLS), 1);
	talk_expect_text(last(), TEXT_TLS_SNI, "example.com");
	ck_assert_uint_eq(last()->flags8, OBS_FLAG_TRUNCATED);
	ck_assert_uint_eq(marks, 1);
}
END_TEST

START_TEST(without_a_free_context_one_datagram_is_still_read_and_half_a_hello_marked)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	for (unsigned i = 0; i < CONTEXTS; i++)
		ck_assert_uint_ne(proto_open(pool), 0);
	frames.n = 0;
	make_crypto(&frames, 0, all);
	send_frames(&p);
	expect_rfc_hello();
	setup();
	for (unsigned i = 0; i < CONTEXTS; i++)
		proto_open(pool);
	frames.n = 0;
	make_crypto(&frames, 0, bytes_head(all, 100));
	send_frames(&p);
	ck_assert_uint_eq(marks, 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_CONTEXT_FULL], 1);
}
END_TEST

START_TEST(junk_first_does_not_hide_the_hello)
{
	struct initial p = plain_initial();

	send_bytes(true, bytes_of("\xff\xff", 2));
	ck_assert_int_eq(app, APP_UNKNOWN);
	ck_assert_uint_eq(marks, 1); // on QUIC's port
	marks = 0;
	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p);
	ck_assert_int_eq(app, APP_QUIC);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 2);
	expect_rfc_hello();
}
END_TEST

START_TEST(what_a_server_discards_is_not_taken)
{
	struct initial p = plain_initial();

	frames.n = 0;
	p.size = 1000;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p); // too small a datagram
	p.size = 1162;
	packet.n = 0;
	make_initial(&packet, &p, made(&frames));
	packet.b[packet.n - 1] ^= 1; // the tag
	send_bytes(true, made(&packet));
	p.key_id = bytes_of("not these", 9);
	send_frames(&p);
	ck_assert_int_eq(app, APP_QUIC);
	ck_assert_uint_eq(seen(OBS_TLS), 0);
	ck_assert_uint_eq(context, 0);
	ck_assert_uint_eq(marks, 0);
}
END_TEST

// Junk that a server passes over stands before the hello: more packets than are looked at.
START_TEST(more_packets_than_are_looked_at_are_marked)
{
	static const uint8_t early[] = {0xd0, 0, 0, 0, 1, 8, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0, 1, 0}; // 0-RTT of one byte
	struct initial p = plain_initial();

	for (unsigned before = QUIC_PACKETS - 2; before <= QUIC_PACKETS; before++)
		for (unsigned begun = 0; begun < 2; begun++) {
			setup();
			packet.n = frames.n = 0;
			p.size = begun;
			MAKE(&frames, 1); // PING
			if (begun)
				make_initial(&packet, &p, made(&frames));
			for (unsigned i = begun; i < before; i++)
				make(&packet, early, sizeof(early));
			frames.n = 0;
			make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
			p.size = 1162;
			make_initial(&packet, &p, made(&frames));
			send_bytes(true, made(&packet));
			ck_assert_uint_eq(seen(OBS_TLS), before < QUIC_PACKETS);
			ck_assert_uint_eq(marks, before == QUIC_PACKETS);
			ck_assert(!marks || mark == COUNT_PROTO_QUIC_LIMIT);
		}
}
END_TEST

// Some servers discard small datagrams only while they know no connection: what such a one says may be what they take.
START_TEST(a_piece_of_a_hello_in_a_small_datagram_is_marked)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	frames.n = 0;
	make_crypto(&frames, 0, bytes_head(all, 60));
	send_frames(&p);
	frames.n = 0;
	p.number++;
	p.size = 300;
	MAKE(&frames, 2, 0, 0, 0, 0); // an ACK says nothing
	send_frames(&p);
	ck_assert_uint_eq(marks, 0);
	p.number++;
	make_crypto(&frames, 60, bytes_from(all, 60));
	send_frames(&p);
	ck_assert_uint_eq(seen(OBS_TLS), 0);
	ck_assert_uint_eq(marks, 1);
	ck_assert_int_eq(mark, COUNT_PROTO_QUIC_LIMIT);
	p.number++;
	p.size = 1162;
	send_frames(&p);
	ck_assert_uint_eq(seen(OBS_TLS), 1);
	ck_assert_uint_eq(marks, 1);
}
END_TEST

START_TEST(what_cannot_be_read_is_recognised_and_counted)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool client;
		unsigned marks, unread;
	} others[] = {
		{"\xd0\0\0\0\1\4abcd\0\x0a 0-RTT bytes", 24, true, 0, 1},
		{"\xf0\0\0\0\1\4abcd\0 a token for retry", 30, false, 0, 1},
		{"\xc0\xff\0\0\x15\4abcd\0 a draft", 19, true, 1, 1}, // 21
		{"\xc0\x1a\x2a\x3a\x4a\4abcd\0 grease", 18, true, 0, 1},
		{"\xc0\0\0\0\0\0\4abcd\0\0\0\1", 15, false, 0, 0},
		{"\x0d" "12345678Q043\1 google", 21, true, 0, 0},
		{"\xc3Q046\x50" "12345678", 14, true, 0, 0},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		setup();
		send_bytes(others[i].client, bytes_of(others[i].bytes, others[i].n));
		ck_assert_msg(app == APP_QUIC, "%zu is %s", i, app_name(app));
		ck_assert_msg(marks == others[i].marks, "%zu marks %u", i, marks);
		ck_assert_msg(counters.value[COUNT_PROTO_QUIC_UNREAD] == others[i].unread, "%zu", i);
		ck_assert_uint_eq(context, 0);
		teardown();
	}
	setup();
}
END_TEST

START_TEST(look_alikes_are_not_recognised)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool client;
	} others[] = {
		{"\x80\0\0\0\0\0\0\0\0\0\0\0", 12, true},  // RTP
		{"\x80\0\0\0\1\0\0\0\0\0\0\0", 12, true},
		{"\xc0\0\0\0\1\x15 too long an id .......", 30, true},
		{"\xc0\x12\x34\x56\x78\4abcd\0", 11, true},
		{"\x40 short header", 14, true},
		{"\xc0\0\0", 3, true},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(proto_quic.probe(bytes_of(others[i].bytes, others[i].n), others[i].client) == PROBE_NO, "%zu", i);
}
END_TEST

START_TEST(any_byte_that_lies_and_any_length_is_borne)
{
	struct initial p = plain_initial();
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));

	for (size_t i = 0; i < sizeof(rfc_hello) + 9; i++) { // within the seal
		frames.n = 0;
		make_crypto(&frames, 0, all);
		frames.b[i] = (uint8_t)(frames.b[i] + 85);
		caught.count = 0;
		p.number = i;
		send_frames(&p);
	}
	frames.n = 0;
	make_crypto(&frames, 0, all);
	for (size_t i = 0; i < 60; i++) { // and outside it
		packet.n = 0;
		make_initial(&packet, &p, made(&frames));
		packet.b[i] ^= 0xff;
		caught.count = 0;
		send_bytes(true, made(&packet));
	}
	packet.n = 0;
	make_initial(&packet, &p, made(&frames));
	for (size_t n = 0; n < packet.n; n++) {
		caught.count = 0;
		send_bytes(true, bytes_head(made(&packet), n));
	}
}
END_TEST

START_TEST(jumbo_packets_are_marked)
{
	struct initial p = plain_initial();

	frames.n = 0;
	p.size = 5000;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p);
	ck_assert_uint_eq(marks, 1);
	ck_assert_int_eq(mark, COUNT_PROTO_QUIC_LIMIT);
}
END_TEST

START_TEST(the_derived_keys_are_the_published_ones)
{
	static const uint8_t key[] = {0x1f, 0x36, 0x96, 0x13, 0xdd, 0x76, 0xd5, 0x46, 0x77, 0x30, 0xef, 0xcb, 0xe3, 0xb1, 0xa2, 0x2d};
	static const uint8_t iv[] = {0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c};
	static const uint8_t hp[] = {0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10, 0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2};
	struct quic_keys keys;

	quic_keys_of(quic_maker_header(1).version, bytes_of(rfc_id, sizeof(rfc_id)), true, &keys);
	ck_assert_mem_eq(keys.key, key, sizeof(key));
	ck_assert_mem_eq(keys.iv, iv, sizeof(iv));
	ck_assert_mem_eq(keys.hp, hp, sizeof(hp));
}
END_TEST

// --- The server's side ---

// RFC 9001 appendix A.3, as it stands on the wire.
static const uint8_t rfc_answer[] = {
	0xcf, 0x00, 0x00, 0x00, 0x01, 0x00, 0x08, 0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5, 0x00, 0x40, 0x75, 0xc0, 0xd9, 0x5a, 0x48,
	0x2c, 0xd0, 0x99, 0x1c, 0xd2, 0x5b, 0x0a, 0xac, 0x40, 0x6a, 0x58, 0x16, 0xb6, 0x39, 0x41, 0x00, 0xf3, 0x7a, 0x1c, 0x69, 0x79, 0x75,
	0x54, 0x78, 0x0b, 0xb3, 0x8c, 0xc5, 0xa9, 0x9f, 0x5e, 0xde, 0x4c, 0xf7, 0x3c, 0x3e, 0xc2, 0x49, 0x3a, 0x18, 0x39, 0xb3, 0xdb, 0xcb,
	0xa3, 0xf6, 0xea, 0x46, 0xc5, 0xb7, 0x68, 0x4d, 0xf3, 0x54, 0x8e, 0x7d, 0xde, 0xb9, 0xc3, 0xbf, 0x9c, 0x73, 0xcc, 0x3f, 0x3b, 0xde,
	0xd7, 0x4b, 0x56, 0x2b, 0xfb, 0x19, 0xfb, 0x84, 0x02, 0x2f, 0x8e, 0xf4, 0xcd, 0xd9, 0x37, 0x95, 0xd7, 0x7d, 0x06, 0xed, 0xbb, 0x7a,
	0xaf, 0x2f, 0x58, 0x89, 0x18, 0x50, 0xab, 0xbd, 0xca, 0x3d, 0x20, 0x39, 0x8c, 0x27, 0x64, 0x56, 0xcb, 0xc4, 0x21, 0x58, 0x40, 0x7d,
	0xd0, 0x74, 0xee,
};

static void send_hello(void)
{
	struct initial p = plain_initial();

	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
	send_frames(&p);
}

// A ServerHello of TLS 1.3, or a HelloRetryRequest.
static void make_answer(struct maker *m, bool retry)
{
	static const uint8_t random[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
					 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

	m->n = 0;
	MAKE(m, 2, 0, 0, 46, 3, 3);
	make(m, retry ? random : rfc_hello, 32);
	MAKE(m, 0, 0x13, 2, 0, 0, 6, 0, 43, 0, 2, 3, 4);
}

static void answer_frames(uint64_t number)
{
	struct initial p = plain_initial();

	p.key_id = p.id;
	p.id = bytes_of(NULL, 0);
	p.server = true;
	p.number = number;
	p.size = 100;
	packet.n = 0;
	make_initial(&packet, &p, made(&frames));
	send_bytes(false, made(&packet));
}

START_TEST(the_published_answer_is_opened_and_told_once)
{
	send_bytes(false, bytes_of(rfc_answer, sizeof(rfc_answer))); // an answer to nobody
	ck_assert_uint_eq(seen(OBS_TLS_SERVER), 0);
	send_hello();
	for (int twice = 0; twice < 2; twice++)
		send_bytes(false, bytes_of(rfc_answer, sizeof(rfc_answer)));
	ck_assert_uint_eq(seen(OBS_TLS_SERVER), 1);
	ck_assert_uint_eq(last()->app, APP_QUIC);
	ck_assert_uint_eq(last()->number[NUM_TLS_SERVER_VERSION], 0x0304);
	ck_assert_uint_eq(last()->number[NUM_TLS_SERVER_CIPHER], 0x1301);
	ck_assert_uint_eq(marks, 0);
	send_bytes(true, bytes_of("\x40 the client goes on", 20));
	ck_assert_uint_eq(context, 0);
}
END_TEST

START_TEST(an_answer_in_pieces_is_put_together_and_a_wrong_tag_is_not_taken)
{
	send_hello();
	make_answer(&hello, false);
	frames.n = 0;
	make_crypto(&frames, 20, bytes_from(made(&hello), 20));
	answer_frames(1);
	frames.n = 0;
	make_crypto(&frames, 0, bytes_head(made(&hello), 20));
	answer_frames(2);
	packet.b[packet.n - 1] ^= 1;
	ck_assert_uint_eq(seen(OBS_TLS_SERVER), 1);
	setup();
	send_hello();
	send_bytes(false, made(&packet));
	ck_assert_uint_eq(seen(OBS_TLS_SERVER), 0);
	ck_assert_uint_eq(marks, 0);
}
END_TEST

START_TEST(after_a_retry_request_both_hellos_are_told_again)
{
	struct bytes all = bytes_of(rfc_hello, sizeof(rfc_hello));
	struct initial p = plain_initial();

	send_hello();
	for (int round = 0; round < 2; round++) {
		make_answer(&hello, round == 0);
		frames.n = 0;
		make_crypto(&frames, round * hello.n, made(&hello));
		answer_frames((uint64_t)round);
		ck_assert_uint_eq(seen(OBS_TLS_SERVER), round + 1u);
		frames.n = 0;
		make_crypto(&frames, (round + 1) * all.left, all);
		p.number = 3 + (uint64_t)round;
		send_frames(&p);
		ck_assert_uint_eq(seen(OBS_TLS), 2); // a third is nobody's
	}
	ck_assert_uint_eq(marks, 0);
}
END_TEST

START_TEST(an_answer_that_is_none_or_never_whole_is_marked)
{
	static const uint8_t other[] = {8, 0, 0, 2, 0, 0};

	send_hello();
	frames.n = 0;
	make_crypto(&frames, 0, bytes_of(other, sizeof(other)));
	answer_frames(1);
	ck_assert(marks == 1 && mark == COUNT_PROTO_BAD);
	setup();
	send_hello();
	make_answer(&hello, false);
	for (unsigned i = 0; i < QUIC_DATAGRAMS; i++) {
		ck_assert_uint_eq(marks, 0);
		frames.n = 0;
		make_crypto(&frames, 0, bytes_head(made(&hello), i + 1));
		answer_frames(i);
	}
	ck_assert(marks == 1 && mark == COUNT_PROTO_QUIC_LIMIT);
}
END_TEST

START_TEST(drafts_and_their_kin_are_opened_with_their_own_salts)
{
	static const uint32_t known[] = {0xff000016, 0xff000017, 0xff00001b, 0xff00001d, 0xff000020, 0xff000021, 0xff000022,
					 0xfaceb001, 0xfaceb002, 0xfaceb00e, 0x54303530, 0x54303531};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct initial p = plain_initial();

		setup();
		p.version = known[i];
		frames.n = 0;
		make_crypto(&frames, 0, bytes_of(rfc_hello, sizeof(rfc_hello)));
		ck_assert_ptr_nonnull(quic_maker_header(p.version).version);
		send_frames(&p);
		ck_assert_uint_eq(seen(OBS_TLS), 1);
	}
	ck_assert_ptr_null(quic_maker_header(0xff000015).version);
	ck_assert_ptr_null(quic_maker_header(0xff000023).version);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quic");
	TCase *t = tcase_create("quic");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, the_published_answer_is_opened_and_told_once);
	tcase_add_test(t, an_answer_in_pieces_is_put_together_and_a_wrong_tag_is_not_taken);
	tcase_add_test(t, after_a_retry_request_both_hellos_are_told_again);
	tcase_add_test(t, an_answer_that_is_none_or_never_whole_is_marked);
	tcase_add_test(t, drafts_and_their_kin_are_opened_with_their_own_salts);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, the_published_packets_are_opened, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(t, the_derived_keys_are_the_published_ones);
	tcase_add_test(t, the_hello_is_read_from_frames_in_any_order);
	tcase_add_test(t, the_hello_is_read_from_two_datagrams_in_either_order);
	tcase_add_test(t, a_short_packet_number_is_the_nearest_one);
	tcase_add_test(t, packets_in_one_datagram_are_taken_apart);
	tcase_add_test(t, after_the_server_has_answered_its_id_is_used_with_the_first_keys);
	tcase_add_test(t, a_repetition_is_told_once_and_a_new_connection_again);
	tcase_add_test(t, a_second_hello_in_the_place_of_the_first_is_marked);
	tcase_add_test(t, a_hello_in_too_many_pieces_is_marked);
	tcase_add_test(t, a_hello_longer_than_is_kept_tells_its_name_and_is_marked);
	tcase_add_test(t, without_a_free_context_one_datagram_is_still_read_and_half_a_hello_marked);
	tcase_add_test(t, junk_first_does_not_hide_the_hello);
	tcase_add_test(t, what_a_server_discards_is_not_taken);
	tcase_add_test(t, more_packets_than_are_looked_at_are_marked);
	tcase_add_test(t, a_piece_of_a_hello_in_a_small_datagram_is_marked);
	tcase_add_test(t, what_cannot_be_read_is_recognised_and_counted);
	tcase_add_test(t, look_alikes_are_not_recognised);
	tcase_add_test(t, any_byte_that_lies_and_any_length_is_borne);
	tcase_add_test(t, jumbo_packets_are_marked);
	return talk_run(suite);
}
