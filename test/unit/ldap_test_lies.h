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

static void add_lies_tests(TCase *t)
{
	tcase_add_test(t, a_length_of_127_octets_hides_nothing);
	tcase_add_test(t, a_message_id_without_octets_hides_nothing);
}
