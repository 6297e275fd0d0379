// SPDX-License-Identifier: GPL-2.0-or-later
// Part of ldap_test.c: messages that break RFC 4511 and that the JDK's client reads nevertheless (com.sun.jndi.ldap: Connection, BerDecoder, LdapClient).
// What it acts on must be told.
#pragma once

static void expect_reference_at_last(void)
{
	ck_assert_uint_ge(caught.count, 1);
	ck_assert(has_fact(caught.count - 1, FACT_LDAP_JAVA_REFERENCE));
}

// 127 octets of length, of which the last four count: here none of content. A message "begins" in the others.
START_TEST(a_length_of_127_octets_hides_nothing)
{
	static uint8_t octets_of_length[127] = {0x30, 0x84, 0x00, 0x00, 0x7f, 0xff, 0x02, 0x01, 0x02, 0x64};

	start();
	MAKE(&m, 0x30, 0xff);
	make(&m, octets_of_length, sizeof(octets_of_length));
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	expect_reference_at_last();
}
END_TEST

// An INTEGER of no octets takes the next one all the same.
START_TEST(a_message_id_without_octets_hides_nothing)
{
	static struct maker op, inner;

	start();
	op.n = inner.n = 0;
	reference_attributes(&a);
	octets(&op, "o=x");
	tlv(&op, 0x30, made(&a), 0);
	MAKE(&inner, 0x02, 0x00, 0x02);
	tlv(&inner, 0x64, made(&op), 0);
	tlv(&m, 0x30, made(&inner), 0);
	server_says(&m);
	expect_reference_at_last();
	expect_operation(0, LDAP_SEARCH_ENTRY, 2);
}
END_TEST

// An entry whose operation and list of attributes say they are so long; 0: the truth.
static void entry_of_lengths(uint8_t operation, uint8_t list, size_t padding)
{
	static struct maker op, inner;
	static uint8_t filler[20000];

	op.n = inner.n = 0;
	text_attribute(&a, "javaClassName", "foo");
	if (padding)
		attribute(&a, "description", bytes_of(filler, padding));
	text_attribute(&a, "javaSerializedData", "x");
	octets(&op, "o=x");
	if (list) {
		MAKE(&op, 0x30, list);
		make(&op, a.b, a.n);
	} else {
		tlv(&op, 0x30, made(&a), 0);
	}
	MAKE(&inner, 0x02, 1, 2);
	if (operation) {
		MAKE(&inner, 0x64, operation);
		make(&inner, op.b, op.n);
	} else {
		tlv(&inner, 0x64, made(&op), 0);
	}
	tlv(&m, 0x30, made(&inner), 0);
}

START_TEST(an_operation_or_a_list_that_says_it_is_short_hides_no_attribute)
{
	static const struct {
		uint8_t operation, list;
	} lies[] = {{1, 0}, {5, 0}, {0x20, 0}, {0, 1}, {0, 0x1b}, {7, 0x1b}};
	static const size_t paddings[] = {0, 9000};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		for (size_t n = 0; n < 2; n++) {
			start();
			entry_of_lengths(lies[i].operation, lies[i].list, paddings[n]);
			server_says(&m);
			expect_reference_at_last();
		}
}
END_TEST

START_TEST(a_result_that_says_it_is_short_hides_no_referral)
{
	static struct maker inner, uris;

	start();
	inner.n = uris.n = 0;
	octets(&uris, "ldap://198.51.100.7/o=x");
	MAKE(&inner, 0x02, 1, 2, 0x65, 0x00, 0x0a, 1, 10, 0x04, 0, 0x04, 0);
	tlv(&inner, 0xa3, made(&uris), 0);
	tlv(&m, 0x30, made(&inner), 0);
	server_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_REFERRAL));
	talk_expect_text(&caught.o[0], TEXT_LDAP_REFERRAL, "ldap://198.51.100.7/o=x");
}
END_TEST

// The first value begins inside the set, and that is enough.
START_TEST(a_set_that_says_it_is_short_hides_no_value)
{
	for (uint8_t length = 1; length < 4; length++) {
		start();
		MAKE(&a, 0x30, 24, 0x04, 18);
		make_text(&a, "javaSerializedData");
		MAKE(&a, 0x31, length, 0x04, 1, 'x');
		entry(&m, "o=x", made(&a), 0);
		server_says(&m);
		expect_reference_at_last();
	}
}
END_TEST

// A value that reaches beyond its set, and behind the set, inside of it, an attribute that covers the one to be hidden.
START_TEST(a_value_longer_than_its_set_hides_no_attribute)
{
	static struct maker inner, cover;

	start();
	inner.n = cover.n = 0;
	text_attribute(&inner, "javaSerializedData", "x");
	attribute(&cover, "cn", made(&inner));
	MAKE(&a, 0x30, 9, 0x04, 2, 'c', 'n', 0x31, 3, 0x04, (uint8_t)(1 + cover.n - inner.n), 'x');
	make(&a, cover.b, cover.n);
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	expect_reference_at_last();
}
END_TEST

// The JDK reads its empty set and goes on inside of it.
START_TEST(a_long_attribute_that_ends_early_covers_nothing)
{
	static uint8_t filler[10000];

	start();
	MAKE(&a, 0x30, 0x84, 0, 0, 0x7f, 0xff, 0x04, 2, 'c', 'n', 0x31, 0);
	text_attribute(&a, "javaSerializedData", "x");
	attribute(&a, "description", bytes_of(filler, sizeof(filler)));
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	expect_reference_at_last();
}
END_TEST

// Once out of step, where the list is taken up again is the sender's choice: what covers an attribute there is a value only to us.
START_TEST(an_entry_out_of_step_stays_so_to_its_end)
{
	enum { HEADERS = 20, TAKEN_UP = 8192 - 256 }; // of the message in octets, see LDAP_COLLECT_BYTES and TAIL_BYTES
	static uint8_t filler[9000];
	static struct maker value;
	struct line line = {0};
	struct talk talk = one_line(&proto_ldap, &line);

	start();
	value.n = 0;
	MAKE(&a, 0x30, 5, 0x04, 0, 0x31, 0, 0xff);
	make(&a, filler, TAKEN_UP - HEADERS - a.n);
	make(&value, filler, 300);
	text_attribute(&value, "javaSerializedData", "x");
	make(&value, filler, 300);
	attribute(&a, "cn", made(&value));
	entry(&m, "o=x", made(&a), 0);
	ck_assert_uint_eq(m.n - a.n, HEADERS);
	line = (struct line){false, made(&m)};
	talk_play(&talk, 0, 0, 1000, &caught);
	expect_reference_at_last();
}
END_TEST

// A name that does not fit the buffer, and that looks like an attribute without end.
START_TEST(a_long_name_covers_nothing)
{
	static const uint8_t attribute_without_end[] = {0x30, 0x84, 0, 0, 0x7f, 0xff, 0x04, 2, 'c', 'n', 0x31, 0x84, 0, 0, 0x7f, 0xf0, 0x04, 0x84, 0, 0, 0x7f, 0xe0};
	static struct maker name, op;
	static uint8_t filler[9000];

	start();
	name.n = op.n = 0;
	make(&name, attribute_without_end, sizeof(attribute_without_end));
	make(&name, filler, sizeof(filler));
	reference_attributes(&a);
	tlv(&op, 0x04, made(&name), 0);
	tlv(&op, 0x30, made(&a), 0);
	message(&m, 2, 0x64, made(&op), 0);
	server_says(&m);
	expect_reference_at_last();
}
END_TEST

// Requests that a client never sent: JNDI's passes over what it has not asked for.
START_TEST(a_server_cannot_ask_in_the_clients_name)
{
	static const uint8_t sasl[] = {0x02, 1, 3, 0x04, 0, 0xa3, 8, 0x04, 6, 'G', 'S', 'S', 'A', 'P', 'I'};
	static const uint8_t record[] = {0x16, 3, 3, 0, 4, 0x0e, 0, 0, 0, 0x17, 3, 3, 0x40, 0};
	static struct maker op;

	start();
	reference_attributes(&a);
	message(&m, 99, 0x60, bytes_of(sasl, sizeof(sasl)), 0);
	message(&m, 99, 0x61, bytes_of("\x0a\x01\x00\x04\x00\x04\x00", 7), 0);
	MAKE(&m, 0);
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	expect_reference_at_last();
	start();
	op.n = 0;
	reference_attributes(&a);
	tlv(&op, 0x80, bytes_of_text("1.3.6.1.4.1.1466.20037"), 0);
	message(&m, 99, 0x77, made(&op), 0);
	make(&m, record, sizeof(record));
	entry(&m, "o=x", made(&a), 0);
	server_says(&m);
	expect_reference_at_last();
}
END_TEST

// Junk before the answer is another protocol's: the parser has to find its step among small segments.
START_TEST(after_a_gap_a_head_in_pieces_is_found)
{
	struct line line = {0};
	struct talk talk = one_line(&proto_ldap, &line);

	start();
	make_text(&m, "0 of something, 0");
	reference_attributes(&a);
	entry(&m, "o=x", made(&a), 0);
	line = (struct line){false, made(&m)};
	talk.gap_before = 1;
	for (size_t step = 1; step < 12; step++) {
		talk_play(&talk, 0, 0, step, &caught);
		expect_reference_at_last();
	}
}
END_TEST

// Collected from pieces a result is not kept to its end.
START_TEST(a_result_too_long_to_show_its_referral_is_said)
{
	static uint8_t text[9000];
	static struct maker op, uris;
	struct line line = {0};
	struct talk talk = one_line(&proto_ldap, &line);

	start();
	op.n = uris.n = 0;
	octets(&uris, "ldap://198.51.100.7/o=x");
	MAKE(&op, 0x0a, 1, 10, 0x04, 0);
	tlv(&op, 0x04, bytes_of(text, sizeof(text)), 0);
	tlv(&op, 0xa3, made(&uris), 0);
	message(&m, 2, 0x65, made(&op), 0);
	line = (struct line){false, made(&m)};
	talk_play(&talk, 0, 0, 1000, &caught);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(has_fact(0, FACT_LDAP_REFERRAL) || caught.marked[COUNT_PROTO_BUDGET]);
}
END_TEST

static void add_lies_tests(TCase *t)
{
	tcase_add_test(t, a_length_of_127_octets_hides_nothing);
	tcase_add_test(t, a_message_id_without_octets_hides_nothing);
	tcase_add_test(t, an_operation_or_a_list_that_says_it_is_short_hides_no_attribute);
	tcase_add_test(t, a_result_that_says_it_is_short_hides_no_referral);
	tcase_add_test(t, a_set_that_says_it_is_short_hides_no_value);
	tcase_add_test(t, a_value_longer_than_its_set_hides_no_attribute);
	tcase_add_test(t, a_long_attribute_that_ends_early_covers_nothing);
	tcase_add_test(t, an_entry_out_of_step_stays_so_to_its_end);
	tcase_add_test(t, a_long_name_covers_nothing);
	tcase_add_test(t, a_server_cannot_ask_in_the_clients_name);
	tcase_add_test(t, after_a_gap_a_head_in_pieces_is_found);
	tcase_add_test(t, a_result_too_long_to_show_its_referral_is_said);
}
