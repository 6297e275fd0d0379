// SPDX-License-Identifier: GPL-2.0-or-later
// TLS: the ClientHello over any cut into records and segments, and JA4 against the vectors of its specification.
#include "talk.h"
#include "ja4.h"
#include "tls_impl.h"

static const struct proto_flow outward = {
	.direction = DIRECTION_OUT,
	.transport = 6,
	.client_port = 40000,
	.server_port = 443,
};
static struct caught caught;

// The example of FoxIO's technical_details/JA4.md, in the order it was sent there; GREASE is where browsers put it.
static const uint16_t ciphers[] = {0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
				   0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
static const uint16_t types[] = {0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
				 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xfafa};
static const uint16_t algorithms[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601};

enum { COUNT_CIPHERS = 16, COUNT_TYPES = 18, COUNT_ALGORITHMS = 8 };

static void make_list(struct maker *m, const uint16_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		make_number(m, values[i], 2);
}

static void make_content(struct maker *m, uint16_t type, const char *sni, const char *alpn)
{
	switch (type) {
	case 0x0000:
		make_number(m, strlen(sni) + 3, 2);
		MAKE(m, 0);
		make_number(m, strlen(sni), 2);
		make_text(m, sni);
		break;
	case 0x0010:
		make_number(m, strlen(alpn) + 1 + 9, 2);
		make_number(m, strlen(alpn), 1);
		make_text(m, alpn);
		MAKE(m, 8);
		make_text(m, "http/1.1");
		break;
	case 0x000d:
		make_number(m, 2 * COUNT_ALGORITHMS, 2);
		make_list(m, algorithms, COUNT_ALGORITHMS);
		break;
	case 0x002b:
		MAKE(m, 6, 0x3a, 0x3a, 3, 4, 3, 3);
		break;
	}
}

static void make_extensions(struct maker *m, const char *sni, const char *alpn)
{
	static struct maker content;

	for (size_t i = 0; i < COUNT_TYPES; i++) {
		if ((types[i] == 0 && !sni) || (types[i] == 0x10 && !alpn))
			continue;
		content.n = 0;
		make_content(&content, types[i], sni, alpn);
		make_number(m, types[i], 2);
		make_number(m, content.n, 2);
		make(m, content.b, content.n);
	}
}

static void make_hello_of(struct maker *m, uint16_t version, struct bytes extensions)
{
	static struct maker body;
	static const uint8_t random[32], session[32];

	body.n = 0;
	make_number(&body, version, 2);
	make(&body, random, sizeof(random));
	MAKE(&body, sizeof(session));
	make(&body, session, sizeof(session));
	make_number(&body, 2 * COUNT_CIPHERS, 2);
	make_list(&body, ciphers, COUNT_CIPHERS);
	MAKE(&body, 1, 0);
	if (extensions.left) {
		make_number(&body, extensions.left, 2);
		make(&body, extensions.at, extensions.left);
	}
	MAKE(m, 1);
	make_number(m, body.n, 3);
	make(m, body.b, body.n);
}

static void make_hello(struct maker *m, const char *sni, const char *alpn)
{
	static struct maker extensions;

	extensions.n = 0;
	make_extensions(&extensions, sni, alpn);
	make_hello_of(m, 0x0303, made(&extensions));
}

static void make_records(struct maker *m, struct bytes handshake, size_t size)
{
	while (handshake.left) {
		struct bytes part = bytes_head(handshake, size);

		MAKE(m, 0x16, 3, 1);
		make_number(m, part.left, 2);
		make(m, part.at, part.left);
		bytes_skip(&handshake, part.left);
	}
}

static struct maker hello, stream;

static void client_says(struct bytes bytes)
{
	struct line line = {true, bytes};
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = &line, .count = 1};

	talk_check(&talk, &caught);
}

static void say_hello(size_t record_size)
{
	stream.n = 0;
	make_records(&stream, made(&hello), record_size);
	client_says(made(&stream));
}

static void greet(const char *sni, const char *alpn)
{
	hello.n = 0;
	make_hello(&hello, sni, alpn);
	say_hello(16384);
}

START_TEST(a_hello_tells_name_versions_and_the_published_fingerprint)
{
	greet("WWW.Example", "h2");
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_int_eq(caught.result, PARSE_MORE); // for the server's answer
	ck_assert_uint_eq(caught.o[0].kind, OBS_TLS);
	ck_assert_uint_eq(caught.o[0].number[NUM_TLS_VERSION], 0x0304);
	ck_assert_uint_eq(caught.o[0].flags8, 0);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	talk_expect_text(&caught.o[0], TEXT_TLS_ALPN, "h2");
	talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	talk_expect_probe(&proto_tls, made(&stream), true);
}
END_TEST

START_TEST(a_hello_over_many_records_is_the_same_hello)
{
	static const size_t sizes[] = {1, 2, 3, 5, 100};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hello.n = 0;
		make_hello(&hello, "www.example", "h2");
		say_hello(sizes[i]);
		ck_assert_uint_eq(caught.count, 1);
		talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
		talk_expect_text(&caught.o[0], TEXT_TLS_ODDITIES, hello.n > 64 * sizes[i] ? "many-records" : "");
	}
}
END_TEST

START_TEST(a_hello_of_sixteen_kilobytes_in_records_of_one_byte_is_read)
{
	static struct maker extensions;
	static uint8_t padding[15800];

	extensions.n = hello.n = 0;
	make_number(&extensions, 0x15, 2);
	make_number(&extensions, sizeof(padding), 2);
	make(&extensions, padding, sizeof(padding));
	make_extensions(&extensions, "www.example", "h2"); // the name is the last thing that comes
	make_hello_of(&hello, 0x0303, made(&extensions));
	ck_assert_uint_le(hello.n, 16384);
	say_hello(1);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].flags8, 0);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	talk_expect_text(&caught.o[0], TEXT_TLS_ODDITIES, "many-records");
}
END_TEST

START_TEST(two_names_and_an_encrypted_hello_are_marked)
{
	static struct maker extensions;

	extensions.n = hello.n = 0;
	make_extensions(&extensions, "www.example", "h2");
	make_number(&extensions, 0xfe0d, 2);
	make_number(&extensions, 0, 2);
	make_hello_of(&hello, 0x0303, made(&extensions));
	say_hello(16384);
	talk_expect_text(&caught.o[0], TEXT_TLS_ODDITIES, "ech");
	extensions.n = hello.n = 0;
	make_extensions(&extensions, "www.example", "h2");
	make_extensions(&extensions, "other.example", "h2");
	make_hello_of(&hello, 0x0303, made(&extensions));
	say_hello(16384);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	talk_expect_text(&caught.o[0], TEXT_TLS_ODDITIES, "two-names");
}
END_TEST

START_TEST(without_a_name_or_with_an_address_the_host_is_bare)
{
	static const struct {
		const char *sni, *ja4;
	} bare[] = {
		{NULL, "t13i1515h2_8daaf6152771_e5627efa2ab1"},
		{"192.0.2.1", "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"2001:db8::1", "t13d1516h2_8daaf6152771_e5627efa2ab1"},
	};

	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		greet(bare[i].sni, "h2");
		ck_assert_uint_eq(caught.count, 1);
		ck_assert_uint_eq(caught.o[0].flags8, OBS_FLAG_BARE_HOST);
		talk_expect_text(&caught.o[0], TEXT_TLS_JA4, bare[i].ja4);
	}
}
END_TEST

START_TEST(unprintable_names_are_escaped)
{
	greet("a\x01\\b", "\xab\xcd");
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "a\\x01\\x5cb");
	talk_expect_text(&caught.o[0], TEXT_TLS_ALPN, "\\xab\\xcd");
}
END_TEST

START_TEST(a_hello_without_extensions_has_the_legacy_version)
{
	hello.n = 0;
	make_hello_of(&hello, 0x0301, bytes_of(NULL, 0));
	say_hello(16384);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].number[NUM_TLS_VERSION], 0x0301);
	talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "t10i150000_8daaf6152771_000000000000");
}
END_TEST

START_TEST(a_hello_longer_than_is_kept_tells_its_name_but_no_fingerprint)
{
	static struct maker extensions;
	static uint8_t padding[30000];

	extensions.n = hello.n = 0;
	make_extensions(&extensions, "www.example", "h2");
	make_number(&extensions, 0x15, 2);
	make_number(&extensions, sizeof(padding), 2);
	make(&extensions, padding, sizeof(padding));
	make_hello_of(&hello, 0x0303, made(&extensions));
	say_hello(16384);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].flags8, OBS_FLAG_TRUNCATED);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "");
}
END_TEST

START_TEST(any_length_that_lies_is_borne)
{
	static struct caught one;
	struct line line = {true, {NULL, 0}};
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = &line, .count = 1};

	greet("www.example", "h2");
	line.said = made(&stream);
	for (size_t i = 5; i < stream.n; i++) {
		uint8_t was = stream.b[i];

		for (unsigned lie = 0; lie < 256; lie += 85) {
			stream.b[i] = (uint8_t)lie;
			talk_play(&talk, 0, 0, 0, &one);
			ck_assert_uint_le(one.count, 1);
		}
		stream.b[i] = was;
	}
}
END_TEST

START_TEST(what_is_no_hello_ends_the_parser)
{
	client_says(bytes_of("\x17\x03\x03\x00\x20xxxxxxxx", 13));
	ck_assert_int_eq(caught.result, PARSE_DONE);
	client_says(bytes_of("\x15\x03\x01\x00\x02\x02\x28", 7));
	ck_assert_int_eq(caught.result, PARSE_DONE);
	client_says(bytes_of("\x16\x03\x01\x00\x00", 5));
	ck_assert_int_eq(caught.result, PARSE_BAD);
	client_says(bytes_of("\x16\x03\x01\xff\xff\x01", 6));
	ck_assert_int_eq(caught.result, PARSE_BAD);
	client_says(bytes_of("GET / HTTP/1.1\r\n", 16));
	ck_assert_int_eq(caught.result, PARSE_BAD);
	ck_assert_uint_eq(caught.count, 0);
}
END_TEST

START_TEST(a_hello_whose_first_lengths_lie_tells_its_version_and_ends_the_parser)
{
	hello.n = 0;
	make_hello(&hello, "www.example", "h2");
	hello.b[4 + 2 + 32] = 0xff; // of the session id
	say_hello(16384);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_int_eq(caught.result, PARSE_BAD);
	ck_assert_uint_eq(caught.o[0].number[NUM_TLS_VERSION], 0x0303);
	ck_assert(caught.o[0].flags8 & OBS_FLAG_TRUNCATED);
	ck_assert_uint_eq(observation_text(&caught.o[0], TEXT_TLS_JA4).left, 0);
}
END_TEST

START_TEST(look_alikes_are_not_recognised)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool client;
	} others[] = {
		{"\x16\x02\x01\x00\x20\x01\x00", 7, true}, // version 2
		{"\x16\x03\x01\x00\x20\x02\x00", 7, true}, // a server's hello from the client
		{"\x16\x03\x01\x00\x20\x01\x01", 7, true}, // 64 KiB
		{"\x15\x03\x01\x00\x02\x02\x28", 7, true}, {"\x16\x03\x01\x00\x00\x01\x00", 7, true},
		{"GET / HTTP/1.1\r\n", 16, true},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(proto_tls.probe(bytes_of(others[i].bytes, others[i].n), others[i].client), PROBE_NO);
	talk_expect_probe(&proto_tls, bytes_of("\x16\x03\x03\x00\x50\x02\x00", 7), false);
}
END_TEST

// --- The server's half ---

// tag, length in as many octets as DER wants, content
static void make_der(struct maker *m, uint8_t tag, struct bytes content)
{
	MAKE(m, tag);
	if (content.left >= 0x80)
		MAKE(m, 0x82);
	make_number(m, content.left, content.left < 0x80 ? 1 : 2);
	make(m, content.at, content.left);
}

static void make_der_text(struct maker *m, uint8_t tag, const char *text)
{
	make_der(m, tag, bytes_of_text(text));
}

static void wrap(struct maker *m, uint8_t tag, size_t from)
{
	static struct maker inner;

	inner.n = 0;
	make(&inner, m->b + from, m->n - from);
	m->n = from;
	make_der(m, tag, made(&inner));
}

static void make_x509_name(struct maker *m, const char *organisation, const char *common)
{
	size_t all = m->n, set = m->n;

	make_der_text(m, 0x06, "\x55\x04\x0a");
	make_der_text(m, 0x0c, organisation);
	wrap(m, 0x30, set);
	wrap(m, 0x31, set);
	set = m->n;
	make_der_text(m, 0x06, "\x55\x04\x03");
	make_der_text(m, 0x0c, common);
	wrap(m, 0x30, set);
	wrap(m, 0x31, set);
	wrap(m, 0x30, all);
}

static void make_alternative_names(struct maker *m, unsigned names)
{
	char name[32];
	size_t at = m->n;

	make_der_text(m, 0x82, "www.EXAMPLE");
	make_der(m, 0x87, bytes_of("\xc0\0\2\1", 4)); // an address is no name
	for (unsigned i = 1; i < names; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		make_der_text(m, 0x82, name);
	}
	wrap(m, 0x30, at);
	wrap(m, 0x04, at);
}

static void make_x509(struct maker *m, unsigned names)
{
	static const uint8_t version[] = {0xa0, 3, 2, 1, 2}, serial[] = {2, 1, 7}, algorithm[] = {0x30, 2, 6, 0};
	size_t body, extension;

	m->n = body = 0;
	make(m, version, sizeof(version));
	make(m, serial, sizeof(serial));
	make(m, algorithm, sizeof(algorithm));
	make_x509_name(m, "Authority", "Issuing CA, 1");
	make_der_text(m, 0x30, "dates");
	make_x509_name(m, "Example", "www.example");
	make_der_text(m, 0x30, "key");
	extension = m->n;
	make_der_text(m, 0x06, "\x55\x1d\x11");
	make(m, "\x01\x01\xff", 3);
	make_alternative_names(m, names);
	wrap(m, 0x30, extension);
	wrap(m, 0x30, extension);
	wrap(m, 0xa3, extension);
	wrap(m, 0x30, body);
	make(m, algorithm, sizeof(algorithm));
	make_der_text(m, 0x03, "signature");
	wrap(m, 0x30, body);
}

static void make_server_hello(struct maker *m, bool modern)
{
	static const uint8_t random[32], session[32];

	MAKE(m, 2);
	make_number(m, 2 + 32 + 33 + 2 + 1 + (modern ? 2 + 6 : 0), 3);
	MAKE(m, 3, 3);
	make(m, random, sizeof(random));
	MAKE(m, sizeof(session));
	make(m, session, sizeof(session));
	MAKE(m, 0x13, 0x02, 0);
	if (modern)
		MAKE(m, 0, 6, 0, 43, 0, 2, 3, 4);
}

static void make_certificate(struct maker *m, struct bytes der)
{
	MAKE(m, 11);
	make_number(m, der.left + 3 + 3 + 8, 3);
	make_number(m, der.left + 3 + 8, 3);
	make_number(m, der.left, 3);
	make(m, der.at, der.left);
	make_text(m, "\xff\xff\x05other"); // the next of the chain is not read
}

static struct maker answer, server_stream, certificate;

static void both_say(struct bytes server, size_t gap_before, bool closes)
{
	static const struct proto_flow inward_answer = {
		.direction = DIRECTION_OUT, .transport = 6, .client_port = 40000, .server_port = 443};
	struct line lines[] = {{true, {NULL, 0}}, {false, server}};
	struct talk talk = {.ops = &proto_tls, .flow = inward_answer, .lines = lines, .count = 2,
			    .gap_before = gap_before, .closes = closes};

	hello.n = stream.n = 0;
	make_hello(&hello, "www.example", "h2");
	make_records(&stream, made(&hello), 16384);
	lines[0].said = made(&stream);
	talk_check(&talk, &caught);
}

static void answer_in(size_t record_size)
{
	server_stream.n = 0;
	make_records(&server_stream, made(&answer), record_size);
}

START_TEST(a_server_tells_its_choice_and_the_names_of_its_certificate)
{
	static const size_t sizes[] = {16384, 1, 5, 100};
	const struct observation *o = &caught.o[1];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		answer.n = 0;
		make_x509(&certificate, 3);
		make_server_hello(&answer, false);
		make_certificate(&answer, made(&certificate));
		answer_in(sizes[i]);
		both_say(made(&server_stream), 0, false);
		ck_assert_uint_eq(caught.count, 2);
		ck_assert_int_eq(caught.result, PARSE_DONE);
		ck_assert_uint_eq(o->kind, OBS_TLS_SERVER);
		ck_assert_uint_eq(o->from_client, 0);
		ck_assert_uint_eq(o->number[NUM_TLS_SERVER_VERSION], 0x0303);
		ck_assert_uint_eq(o->number[NUM_TLS_SERVER_CIPHER], 0x1302);
		talk_expect_text(o, TEXT_TLS_SUBJECT, "www.example");
		talk_expect_text(o, TEXT_TLS_ISSUER, "Issuing CA, 1");
		talk_expect_text(o, TEXT_TLS_NAMES, "www.example,n1.example,n2.example");
		ck_assert_uint_eq(o->flags8, 0);
	}
}
END_TEST

static unsigned count_names(struct bytes names)
{
	struct bytes name;
	unsigned n = 0;

	while (bytes_take(&names, bytes_find(names, ','), &name) && name.left) {
		ck_assert(bytes_equal_text(bytes_from(name, name.left - 8), ".example"));
		bytes_skip(&names, 1);
		n++;
	}
	return n;
}

// Each record but the last is full of whole names; only the first tells anything else.
START_TEST(names_that_do_not_fit_into_one_record_are_told_in_more)
{
	static const struct {
		unsigned names, records;
	} rows[] = {{9, 1}, {65, 1}, {120, 2}, {300, 5}, {TLS_NAMES, 8}, {TLS_NAMES + 1, 8}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool more = rows[i].names > TLS_NAMES;
		unsigned told = 0;

		answer.n = 0;
		make_x509(&certificate, rows[i].names);
		make_server_hello(&answer, false);
		make_certificate(&answer, made(&certificate));
		answer_in(16384);
		both_say(made(&server_stream), 0, false);
		ck_assert_uint_eq(caught.count, 1 + rows[i].records);
		for (unsigned part = 0; part < rows[i].records; part++) {
			const struct observation *o = &caught.o[1 + part];

			ck_assert_uint_eq(o->number[NUM_TLS_SERVER_PART], part);
			ck_assert_uint_eq(o->number[NUM_TLS_SERVER_VERSION], part ? 0 : 0x0303);
			talk_expect_text(o, TEXT_TLS_SUBJECT, part ? "" : "www.example");
			ck_assert_uint_eq(o->flags8, more && part + 1 == rows[i].records ? OBS_FLAG_TRUNCATED : 0);
			told += count_names(observation_text(o, TEXT_TLS_NAMES));
		}
		ck_assert_uint_eq(told, more ? TLS_NAMES : rows[i].names);
	}
}
END_TEST

START_TEST(a_server_without_a_certificate_tells_its_choice_alone)
{
	const struct observation *o = &caught.o[1];

	answer.n = 0; // 1.3: all that follows is encrypted
	make_server_hello(&answer, true);
	answer_in(16384);
	both_say(made(&server_stream), 0, false);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(o->number[NUM_TLS_SERVER_VERSION], 0x0304);
	ck_assert_int_eq(caught.result, PARSE_DONE);

	answer.n = 0; // resumed
	make_server_hello(&answer, false);
	answer_in(16384);
	MAKE(&server_stream, 20, 3, 3, 0, 1, 1);
	both_say(made(&server_stream), 0, false);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(o->number[NUM_TLS_SERVER_VERSION], 0x0303);
	talk_expect_text(o, TEXT_TLS_SUBJECT, "");

	answer_in(16384); // the end comes first
	both_say(made(&server_stream), 0, true);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(o->kind, OBS_TLS_SERVER);
}
END_TEST

START_TEST(a_server_that_answers_otherwise_ends_the_parser_and_tells_nothing)
{
	both_say(bytes_of("\x15\3\3\0\2\2\x28", 7), 0, false);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_int_eq(caught.result, PARSE_DONE);
	both_say(bytes_of("HTTP/1.1 400 Bad Request\r\n", 26), 0, false);
	ck_assert_uint_eq(caught.count, 1);
	answer.n = 0;
	make_server_hello(&answer, true);
	answer_in(16384);
	both_say(made(&server_stream), 2, false); // after a gap
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_int_eq(caught.result, PARSE_DONE);
}
END_TEST

START_TEST(a_warning_before_the_servers_hello_hides_nothing)
{
	answer.n = server_stream.n = 0;
	make_x509(&certificate, 1);
	make_server_hello(&answer, false);
	make_certificate(&answer, made(&certificate));
	MAKE(&server_stream, 0x15, 3, 3, 0, 2, 1, 112); // unrecognized_name, RFC 6066 §3
	make_records(&server_stream, made(&answer), 16384);
	both_say(made(&server_stream), 0, false);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].kind, OBS_TLS_SERVER);
	talk_expect_text(&caught.o[1], TEXT_TLS_SUBJECT, "www.example");
}
END_TEST

#include "tls_hellos.h"

START_TEST(a_server_that_speaks_first_hides_no_hello)
{
	struct line lines[3];
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = lines, .count = 3};

	hello.n = stream.n = answer.n = 0;
	make_hello(&hello, "www.example", "h2");
	make_records(&stream, made(&hello), 16384);
	make_server_hello(&answer, true);
	answer_in(16384);
	lines[0] = (struct line){false, bytes_head(made(&server_stream), 20)};
	lines[1] = (struct line){true, made(&stream)};
	lines[2] = (struct line){false, bytes_from(made(&server_stream), 20)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	lines[0] = (struct line){true, bytes_head(made(&stream), 20)}; // in the middle of the client's
	lines[1] = (struct line){false, made(&server_stream)};
	lines[2] = (struct line){true, bytes_from(made(&stream), 20)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
}
END_TEST

START_TEST(any_length_that_lies_in_a_certificate_is_borne)
{
	struct tls_certificate c;
	struct bytes name;

	make_x509(&certificate, 3);
	for (size_t i = 0; i < certificate.n; i++) {
		uint8_t was = certificate.b[i];

		for (unsigned lie = 0; lie < 256; lie++) {
			certificate.b[i] = (uint8_t)lie;
			if (tls_certificate_read(&c, talk_at_edge(made(&certificate))))
				while (tls_certificate_name(&c, &name))
					ck_assert_uint_le(c.names, TLS_NAMES);
		}
		certificate.b[i] = was;
	}
	for (size_t n = 0; n < certificate.n; n++)
		tls_certificate_read(&c, talk_at_edge(bytes_head(made(&certificate), n)));
}
END_TEST

static const struct {
	const char *alpn;
	const char *want;
} alpns[] = {
	// the specification's own examples, and one of each plain form
	{"", "00"},
	{"h2", "h2"},
	{"http/1.1", "h1"},
	{"x", "xx"},
	{"\xab", "ab"},
	{"\xab\xcd", "ad"},
	{"0\xab", "3b"},
	{"01\xab\xcd", "3d"},
	{"0\xab\xcd"
	 "1",
	 "01"},
};

START_TEST(alpn_characters_follow_the_specification)
{
	struct ja4_hello h = {.alpn = bytes_of_text(alpns[_i].alpn), .version = 0x0303};
	char out[JA4_BYTES];

	ck_assert(ja4_format(&h, out));
	ck_assert_msg(memcmp(out + 8, alpns[_i].want, 2) == 0, "'%s', not %s", out, alpns[_i].want);
	ck_assert_str_eq(out + 10, "_000000000000_000000000000");
}
END_TEST

START_TEST(without_algorithms_the_list_ends_at_the_extensions)
{
	static struct maker list, extensions;
	char out[JA4_BYTES];
	struct ja4_hello h = {.version = 0x0304, .sni = true};

	list.n = extensions.n = 0;
	make_list(&list, ciphers, COUNT_CIPHERS);
	for (size_t i = 0; i < COUNT_TYPES; i++) {
		make_number(&extensions, types[i], 2);
		make_number(&extensions, 0, 2);
	}
	h.ciphers = made(&list);
	h.extensions = made(&extensions);
	ck_assert(ja4_format(&h, out));
	ck_assert_str_eq(out, "t13d151600_8daaf6152771_6d807ffa2a79");
}
END_TEST

START_TEST(counts_stop_at_99_and_too_long_lists_have_no_fingerprint)
{
	static struct maker list;
	char out[JA4_BYTES];
	struct ja4_hello h = {.version = 0x0301};

	list.n = 0;
	for (unsigned i = 0; i < JA4_VALUES; i++)
		make_number(&list, i, 2);
	h.ciphers = made(&list);
	ck_assert(ja4_format(&h, out));
	ck_assert(memcmp(out, "t10i990000_", 11) == 0);
	make_number(&list, 0xffff, 2);
	h.ciphers = made(&list);
	ck_assert(!ja4_format(&h, out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *t = tcase_create("tls");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_hello_tells_name_versions_and_the_published_fingerprint);
	tcase_add_test(t, a_hello_over_many_records_is_the_same_hello);
	tcase_add_test(t, a_hello_of_sixteen_kilobytes_in_records_of_one_byte_is_read);
	tcase_add_test(t, two_names_and_an_encrypted_hello_are_marked);
	tcase_add_test(t, a_server_tells_its_choice_and_the_names_of_its_certificate);
	tcase_add_test(t, names_that_do_not_fit_into_one_record_are_told_in_more);
	tcase_add_test(t, a_server_without_a_certificate_tells_its_choice_alone);
	tcase_add_test(t, a_server_that_answers_otherwise_ends_the_parser_and_tells_nothing);
	tcase_add_test(t, a_warning_before_the_servers_hello_hides_nothing);
	tcase_add_test(t, after_a_retry_request_the_second_hello_and_its_answer_are_told);
	tcase_add_test(t, a_hello_with_a_hole_is_told_in_part_and_does_not_hide_the_answer);
	tcase_add_test(t, a_hello_that_ends_with_its_flow_is_told_as_far_as_it_came);
	tcase_add_test(t, a_second_hello_before_the_answer_is_told);
	tcase_add_test(t, two_hellos_in_one_record_are_both_told);
	tcase_add_test(t, a_server_of_an_early_draft_tells_its_choice);
	tcase_add_test(t, a_server_that_speaks_first_hides_no_hello);
	tcase_add_test(t, any_length_that_lies_in_a_certificate_is_borne);
	tcase_add_test(t, without_a_name_or_with_an_address_the_host_is_bare);
	tcase_add_test(t, unprintable_names_are_escaped);
	tcase_add_test(t, a_hello_without_extensions_has_the_legacy_version);
	tcase_add_test(t, a_hello_longer_than_is_kept_tells_its_name_but_no_fingerprint);
	tcase_add_test(t, any_length_that_lies_is_borne);
	tcase_add_test(t, what_is_no_hello_ends_the_parser);
	tcase_add_test(t, a_hello_whose_first_lengths_lie_tells_its_version_and_ends_the_parser);
	tcase_add_test(t, look_alikes_are_not_recognised);
	tcase_add_loop_test(t, alpn_characters_follow_the_specification, 0, sizeof(alpns) / sizeof(alpns[0]));
	tcase_add_test(t, without_algorithms_the_list_ends_at_the_extensions);
	tcase_add_test(t, counts_stop_at_99_and_too_long_lists_have_no_fingerprint);
	return talk_run(suite);
}
