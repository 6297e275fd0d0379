// SPDX-License-Identifier: GPL-2.0-or-later
// More than one hello: asked for again by the server, said again unasked, with a hole, of a draft. A part of tls_test.c.
#pragma once

START_TEST(after_a_retry_request_the_second_hello_and_its_answer_are_told)
{
	static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
					0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	static struct maker said[4];
	struct line lines[6];
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = lines, .count = 6};

	for (int i = 0; i < 4; i++) {
		said[i].n = hello.n = 0;
		if (i > 1)
			MAKE(&said[i], 0x14, 3, 3, 0, 1, 1); // for old boxes
		if (i % 2)
			make_server_hello(&hello, true);
		else
			make_hello(&hello, i ? "second.example" : "first.example", "h2");
		if (i == 1)
			memcpy(hello.b + 6, retry, sizeof(retry));
		make_records(&said[i], made(&hello), 100);
		lines[i] = (struct line){i % 2 == 0, made(&said[i])};
	}
	lines[4] = lines[2]; // neither is asked for a third time
	lines[5] = lines[1];
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 4);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "first.example");
	talk_expect_text(&caught.o[2], TEXT_TLS_SNI, "second.example");
	ck_assert(caught.o[1].kind == OBS_TLS_SERVER && caught.o[3].kind == OBS_TLS_SERVER);
	ck_assert_int_eq(caught.result, PARSE_DONE);
}
END_TEST

START_TEST(a_hello_with_a_hole_is_told_in_part_and_does_not_hide_the_answer)
{
	struct line lines[3];
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = lines, .count = 3, .gap_before = 2};

	hello.n = stream.n = answer.n = 0;
	make_hello(&hello, "www.example", "h2");
	make_records(&stream, made(&hello), 16384);
	make_server_hello(&answer, true);
	answer_in(16384);
	lines[0] = (struct line){true, bytes_head(made(&stream), 100)};
	lines[1] = (struct line){true, bytes_from(made(&stream), 150)};
	lines[2] = (struct line){false, made(&server_stream)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[0].kind, OBS_TLS);
	ck_assert(caught.o[0].flags8 & OBS_FLAG_TRUNCATED);
	talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "");
	ck_assert_uint_eq(caught.o[1].kind, OBS_TLS_SERVER);
	ck_assert(caught.marked[COUNT_PROTO_BAD]);
	ck_assert_int_eq(caught.result, PARSE_DONE);
}
END_TEST

START_TEST(a_hello_that_ends_with_its_flow_is_told_as_far_as_it_came)
{
	struct line line;
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = &line, .count = 1, .closes = true};

	hello.n = stream.n = 0;
	make_hello(&hello, "www.example", "h2");
	make_records(&stream, made(&hello), 16384);
	line = (struct line){true, bytes_head(made(&stream), stream.n - 1)};
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(caught.o[0].flags8 & OBS_FLAG_TRUNCATED);
	talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "www.example");
	talk_expect_text(&caught.o[0], TEXT_TLS_JA4, "");
	line.said = bytes_head(made(&stream), 5 + 4 + 33); // not even its random number
	talk_check(&talk, &caught);
	ck_assert_uint_eq(caught.count, 0);
}
END_TEST

// Two, but not three; and what else it says before the server does, or half of, hides nothing.
START_TEST(a_second_hello_before_the_answer_is_told)
{
	static struct maker more[4];
	struct line lines[4];
	struct talk talk = {.ops = &proto_tls, .flow = outward, .lines = lines, .count = 4};

	hello.n = stream.n = answer.n = 0;
	make_hello(&hello, "www.example", "h2");
	make_records(&stream, made(&hello), 100);
	make_server_hello(&answer, true);
	answer_in(16384);
	more[0].n = more[1].n = more[2].n = more[3].n = 0;
	make(&more[0], stream.b, stream.n);
	make(&more[1], stream.b, stream.n / 2);
	MAKE(&more[2], 0x17, 3, 3, 0, 2, 1, 2); // early data
	MAKE(&more[3], 0x16, 3, 3, 0, 5, 16, 0, 0, 1, 0); // a message that is no hello
	for (int row = 0; row < 4; row++) {
		lines[0] = lines[3] = (struct line){true, made(&stream)};
		lines[1] = (struct line){true, made(&more[row])};
		lines[2] = (struct line){false, made(&server_stream)};
		talk_check(&talk, &caught);
		ck_assert_uint_eq(caught.count, row == 0 ? 3 : 2);
		ck_assert_uint_eq(caught.o[caught.count - 1].kind, OBS_TLS_SERVER);
		ck_assert(!caught.marked[COUNT_PROTO_BAD]);
	}
}
END_TEST

START_TEST(two_hellos_in_one_record_are_both_told)
{
	hello.n = 0;
	make_hello(&hello, "first.example", "h2");
	make_hello(&hello, "second.example", "h2");
	for (unsigned row = 0; row < 2; row++) {
		say_hello(row ? 100 : 16384);
		ck_assert_uint_eq(caught.count, 2);
		talk_expect_text(&caught.o[0], TEXT_TLS_SNI, "first.example");
		talk_expect_text(&caught.o[1], TEXT_TLS_SNI, "second.example");
	}
}
END_TEST

START_TEST(a_server_of_an_early_draft_tells_its_choice)
{
	answer.n = 0;
	MAKE(&answer, 2, 0, 0, 36, 0x7f, 18);
	make(&answer, ciphers, 32);
	MAKE(&answer, 0x13, 1);
	answer_in(16384);
	both_say(made(&server_stream), 0, false);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].number[NUM_TLS_SERVER_VERSION], 0x7f12);
	ck_assert_uint_eq(caught.o[1].number[NUM_TLS_SERVER_CIPHER], 0x1301);
}
END_TEST
