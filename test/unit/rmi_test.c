// SPDX-License-Identifier: GPL-2.0-or-later
// JRMP: greeting, look-up, return with a code base; and bytes that only resemble them.
#include "talk.h"

static const struct proto_flow outward = {
	.direction = DIRECTION_OUT,
	.transport = 6,
	.client_port = 40000,
	.server_port = 1099,
};
static const uint8_t greeting[] = {'J', 'R', 'M', 'I', 0, 2, 0x4b};
static const uint8_t magic[] = {0xac, 0xed, 0, 5};
static struct caught caught;

static void make_utf(struct maker *m, const char *text)
{
	make_number(m, strlen(text), 2);
	make_text(m, text);
}

static void make_address(struct maker *m, const char *host, uint32_t port)
{
	make_utf(m, host);
	make_number(m, port, 4);
}

static void make_string(struct maker *m, const char *text)
{
	MAKE(m, 0x74);
	make_utf(m, text);
}

// Call: object 0, operation, the registry's interface hash.
static void make_call(struct maker *m, uint32_t operation)
{
	static const uint8_t object[22];

	MAKE(m, 0x50);
	make(m, magic, sizeof(magic));
	MAKE(m, 0x77, 34);
	make(m, object, sizeof(object));
	make_number(m, operation, 4);
	make_number(m, 0x44154dc9d4e63bdf, 8);
}

static void make_return(struct maker *m)
{
	static const uint8_t uid[14];

	MAKE(m, 0x51);
	make(m, magic, sizeof(magic));
	MAKE(m, 0x77, 15, 1);
	make(m, uid, sizeof(uid));
}

static void make_object(struct maker *m, const char *class)
{
	MAKE(m, 0x73, 0x72);
	make_utf(m, class);
	make_number(m, 0x0123456789abcdef, 8);
	MAKE(m, 2, 0, 0);
}

static struct maker client, server;

static void play(void)
{
	struct line lines[] = {
		{true, bytes_of(greeting, sizeof(greeting))}, {false, made(&server)}, {true, made(&client)}};
	struct talk talk = {.ops = &proto_rmi, .flow = outward, .lines = lines, .count = 3};

	talk_check(&talk, &caught);
}

static void start(void)
{
	client.n = server.n = 0;
	MAKE(&server, 0x4e);
	make_address(&server, "192.0.2.10", 40000);
	make_address(&client, "10.0.0.5", 0);
}

static void expect(size_t i, unsigned rmi_message)
{
	ck_assert_uint_lt(i, caught.count);
	ck_assert_uint_eq(caught.o[i].kind, OBS_RMI);
	ck_assert_uint_eq(caught.o[i].number[NUM_RMI_MESSAGE], rmi_message);
	ck_assert(caught.o[i].facts & FACT_BIT(FACT_RMI));
}

START_TEST(a_look_up_in_the_registry_tells_the_name)
{
	start();
	make_call(&client, 2);
	make_string(&client, "gp9pc7");
	MAKE(&client, 0x52);
	play();
	ck_assert_uint_eq(caught.count, 4);
	expect(0, RMI_GREETING);
	expect(1, RMI_GREETING_ACK);
	talk_expect_text(&caught.o[1], TEXT_RMI_HOST, "192.0.2.10");
	ck_assert_uint_eq(caught.o[1].number[NUM_RMI_PORT], 40000);
	expect(2, RMI_CALL);
	talk_expect_text(&caught.o[2], TEXT_RMI_NAME, "gp9pc7");
	expect(3, RMI_PING);
}
END_TEST

START_TEST(a_call_without_arguments_is_told_at_its_last_byte)
{
	start();
	make_call(&client, 1);
	play();
	ck_assert_uint_eq(caught.count, 3);
	expect(2, RMI_CALL);
	talk_expect_text(&caught.o[2], TEXT_RMI_NAME, "");
}
END_TEST

START_TEST(a_return_is_told_at_its_head_and_again_with_its_code_base)
{
	start();
	make_return(&server);
	make_object(&server, "javax.naming.Reference");
	make_string(&server, "not a url");
	make_string(&server, "http://198.51.100.7:8180/#Exploit");
	make_string(&server, "http://198.51.100.8/second");
	play();
	ck_assert_uint_eq(caught.count, 4);
	expect(2, RMI_RETURN);
	talk_expect_text(&caught.o[2], TEXT_RMI_CODEBASE, "");
	expect(3, RMI_RETURN);
	talk_expect_text(&caught.o[3], TEXT_RMI_NAME, "javax.naming.Reference");
	talk_expect_text(&caught.o[3], TEXT_RMI_CODEBASE, "http://198.51.100.7:8180/#Exploit");
}
END_TEST

START_TEST(a_code_base_far_into_the_return_is_found)
{
	static uint8_t filler[20000];

	start();
	make_return(&server);
	make(&server, filler, sizeof(filler));
	make_string(&server, "https://198.51.100.7/");
	play();
	ck_assert_uint_eq(caught.count, 4);
	talk_expect_text(&caught.o[3], TEXT_RMI_CODEBASE, "https://198.51.100.7/");
}
END_TEST

START_TEST(a_second_return_on_the_connection_is_told_too)
{
	start();
	make_return(&server);
	make_object(&server, "a.B");
	make_return(&server);
	make_string(&server, "ftp://198.51.100.7/");
	play();
	ck_assert_uint_eq(caught.count, 5);
	expect(3, RMI_RETURN);
	expect(4, RMI_RETURN);
	talk_expect_text(&caught.o[4], TEXT_RMI_NAME, "");
	talk_expect_text(&caught.o[4], TEXT_RMI_CODEBASE, "ftp://198.51.100.7/");
}
END_TEST

START_TEST(observations_of_one_flow_are_limited)
{
	start();
	for (unsigned i = 0; i < 200; i++)
		make_return(&server);
	play();
	ck_assert_uint_eq(caught.count, 64);
	ck_assert_int_eq(caught.result, PARSE_DONE);
	ck_assert(caught.marked[COUNT_PROTO_BUDGET]);
}
END_TEST

START_TEST(after_a_gap_the_next_return_is_found)
{
	struct line lines[2];
	struct talk talk = {.ops = &proto_rmi, .flow = outward, .lines = lines, .count = 2, .gap_before = 2};

	start();
	lines[0] = (struct line){false, made(&server)};
	client.n = 0;
	MAKE(&client, 1, 2, 3);
	make_return(&client);
	lines[1] = (struct line){false, made(&client)};
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 2);
	expect(1, RMI_RETURN);
}
END_TEST

START_TEST(both_sides_are_recognised_by_their_first_bytes)
{
	start();
	make_return(&server);
	talk_expect_probe(&proto_rmi, bytes_of(greeting, sizeof(greeting)), true);
	talk_expect_probe(&proto_rmi, made(&server), false);
	server.n = 0;
	make_return(&server);
	talk_expect_probe(&proto_rmi, made(&server), false);
}
END_TEST

START_TEST(look_alikes_are_not_recognised)
{
	static const char *const others[] = {"JRMP", "NICK a\r\n", "POST / HTTP/1.1\r\n", "QUIT\r\n", "RSET\r\n"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (int side = 0; side < 2; side++)
			ck_assert_int_eq(proto_rmi.probe(talk_at_edge(bytes_of_text(others[i])), side), PROBE_NO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rmi");
	TCase *t = tcase_create("rmi");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_look_up_in_the_registry_tells_the_name);
	tcase_add_test(t, a_call_without_arguments_is_told_at_its_last_byte);
	tcase_add_test(t, a_return_is_told_at_its_head_and_again_with_its_code_base);
	tcase_add_test(t, a_code_base_far_into_the_return_is_found);
	tcase_add_test(t, a_second_return_on_the_connection_is_told_too);
	tcase_add_test(t, observations_of_one_flow_are_limited);
	tcase_add_test(t, after_a_gap_the_next_return_is_found);
	tcase_add_test(t, both_sides_are_recognised_by_their_first_bytes);
	tcase_add_test(t, look_alikes_are_not_recognised);
	return talk_run(suite);
}
