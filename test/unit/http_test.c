// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP: heads and bodies of both sides to observation lines. Every exchange is played whole, cut in two at every byte,
// and in small pieces, each ending at an inaccessible page; the observations must be the same.
#include "http_exchanges.h"

enum { TEXT_BYTES = 16384 };

enum { EXCHANGES = sizeof(exchanges) / sizeof(exchanges[0]) };

static struct proto_flow flow_of(enum direction direction)
{
	struct proto_flow flow = {
		.direction = (uint8_t)direction, .transport = 6, .client_port = 40000, .server_port = 80};

	address_parse(bytes_of_text("10.0.0.5"), &flow.client);
	address_parse(bytes_of_text("192.0.2.7"), &flow.server);
	return flow;
}

static struct talk talk_of(const struct line *lines, size_t count, enum direction direction, bool closes)
{
	return (struct talk){
		.ops = &proto_http, .flow = flow_of(direction), .lines = lines, .count = count, .closes = closes};
}

// All observations, a line each, without addresses: "kind ? -:0 > -:0 0 app side ..." loses its middle.
static const char *lines_of(const struct caught *caught)
{
	static char all[TEXT_BYTES];
	char line[4096];
	size_t n = 0;

	all[0] = '\0';
	for (size_t i = 0; i < caught->count && i < TALK_CAUGHT; i++) {
		const char *middle, *rest;

		observation_format(&caught->o[i], line, sizeof(line));
		middle = strchr(line, ' ');
		rest = strstr(line, " http ");
		ck_assert_ptr_nonnull(rest);
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%.*s%s\n", (int)(middle - line), line, rest);
		ck_assert_uint_lt(n, sizeof(all));
	}
	return all;
}

START_TEST(an_exchange_gives_these_lines_however_it_is_cut)
{
	static struct caught caught;
	const struct exchange *e = &exchanges[_i];
	struct talk talk;
	size_t count = 0;

	while (count < LINES && e->lines[count].said.at)
		count++;
	talk = talk_of(e->lines, count, e->direction, e->closes);
	talk_check(&talk, &caught);
	ck_assert_msg(caught.result == e->result, "%s: result %d", e->name, caught.result);
	if (e->expect)
		ck_assert_msg(strcmp(lines_of(&caught), e->expect) == 0, "%s:\n%s", e->name, lines_of(&caught));
	else
		ck_assert_uint_gt(caught.count, 2);
}
END_TEST

static unsigned count_kind(const struct caught *c, unsigned kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->count && i < TALK_CAUGHT; i++)
		n += c->o[i].kind == kind;
	return n;
}

static struct maker maker;
static struct caught caught;

static void play(struct bytes said, bool client, enum direction direction)
{
	struct line line = {client, said};
	struct talk talk = talk_of(&line, 1, direction, false);

	talk_play(&talk, 0, 0, 0, &caught);
}

START_TEST(the_segment_with_the_magic_is_the_segment_that_tells)
{
	static const uint8_t elf[16] = "\x7f" "ELF\2\1\1";
	struct line lines[] = {SRV("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), {false, {elf, sizeof(elf)}}};
	struct talk talk = talk_of(lines, 2, DIRECTION_OUT, false);

	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].facts, FACT_BIT(FACT_EXECUTABLE));
}
END_TEST

START_TEST(a_shell_script_is_told_by_its_first_lines)
{
	struct line lines[] = {SRV("HTTP/1.1 200 OK\r\n\r\nexport PATH=/tmp:$PATH\n")};
	struct talk talk = talk_of(lines, 1, DIRECTION_OUT, false);

	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(caught.count, 2);
	ck_assert_uint_eq(caught.o[1].facts, FACT_BIT(FACT_SCRIPT));
}
END_TEST

START_TEST(a_look_up_in_a_body_is_told_before_the_body_ends)
{
	play(bytes_of_text("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx=${jndi:ldap://h/a}"), true,
	     DIRECTION_IN);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
}
END_TEST

START_TEST(a_look_up_in_a_body_given_up_is_found)
{
	play(bytes_of_text("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: "
			   "6\r\n\r\nx=${jndi:ldap://h/a}"),
	     true, DIRECTION_IN);
	ck_assert_int_eq(caught.result, PARSE_MORE);
	ck_assert(caught.marked[COUNT_PROTO_HTTP_AMBIGUOUS]);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
	play(bytes_of_text("\x01garbage ${jndi:ldap://h/a}"), true, DIRECTION_IN);
	ck_assert_int_eq(caught.result, PARSE_BAD);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
}
END_TEST

START_TEST(a_look_up_behind_a_header_of_any_length_is_found)
{
	for (size_t pad = 7600; pad < 17000; pad += 389) {
		maker.n = 0;
		make_text(&maker, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
		for (size_t i = 0; i < pad; i++)
			make_text(&maker, "a");
		make_text(&maker, "${jndi:ldap://h/a}zz\r\nUser-Agent: u\r\n\r\n");
		play(made(&maker), true, DIRECTION_IN);
		ck_assert_msg(count_kind(&caught, OBS_JNDI) >= 1, "after %zu", pad);
		ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 1);
		for (size_t i = 0; i < caught.count; i++)
			if (caught.o[i].kind == OBS_HTTP_REQUEST)
				talk_expect_text(&caught.o[i], TEXT_REQUEST_AGENT, "u");
	}
}
END_TEST

START_TEST(long_lines_and_folds_are_the_same_however_cut)
{
	static struct caught same;
	struct line line = {true, {NULL, 0}};
	struct talk talk;

	maker.n = 0;
	make_text(&maker, "GET /");
	for (size_t i = 0; i < 900; i++)
		make_text(&maker, "0123456789");
	make_text(&maker, " HTTP/1.1\r\nX: y\r\n");
	for (size_t i = 0; i < 900; i++)
		make_text(&maker, "\t0123456789\r\n");
	make_text(&maker, "Host: a\r\n\r\n");
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_OUT, false);
	talk_check(&talk, &same);
	ck_assert_uint_eq(same.count, 1);
	ck_assert_uint_eq(same.o[0].flags8, OBS_FLAG_TRUNCATED);
	talk_expect_text(&same.o[0], TEXT_REQUEST_HOST, "a");
}
END_TEST

START_TEST(an_endless_head_is_given_up)
{
	maker.n = 0;
	make_text(&maker, "GET / HTTP/1.1\r\nX: y\r\n");
	while (maker.n < 100000)
		make_text(&maker, " fold\r\n");
	play(made(&maker), true, DIRECTION_OUT);
	ck_assert_int_eq(caught.result, PARSE_BAD);
}
END_TEST

START_TEST(a_long_referer_does_not_push_the_host_out)
{
	maker.n = 0;
	make_text(&maker, "GET /");
	for (unsigned i = 0; i < 500; i++)
		make_text(&maker, "u");
	make_text(&maker, " HTTP/1.1\r\nReferer: ");
	for (unsigned i = 0; i < 500; i++)
		make_text(&maker, "r");
	make_text(&maker, "\r\nUser-Agent: agent\r\nHost: www.example.com\r\n\r\n");
	play(made(&maker), true, DIRECTION_OUT);
	talk_expect_text(&caught.o[0], TEXT_REQUEST_HOST, "www.example.com");
	talk_expect_text(&caught.o[0], TEXT_REQUEST_AGENT, "agent");
	ck_assert(observation_check(&caught.o[0]) || caught.o[0].client.family == 0);
}
END_TEST

START_TEST(two_hundred_pipelined_requests_are_two_hundred)
{
	maker.n = 0;
	for (unsigned i = 0; i < 200; i++)
		make_text(&maker, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	play(made(&maker), true, DIRECTION_OUT);
	ck_assert_uint_eq(caught.count, 200);
	ck_assert_uint_eq(caught.o[TALK_CAUGHT - 1].number[NUM_REQUEST_TX], TALK_CAUGHT);
}
END_TEST

START_TEST(after_a_gap_the_next_head_is_found)
{
	static const struct line lines[] = {
		C("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"),
		C("rest of a body"), C("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
	};
	struct talk talk = talk_of(lines, 3, DIRECTION_OUT, false);

	talk.gap_before = 2;
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_REQUEST), 2);
	ck_assert_int_eq(caught.result, PARSE_MORE);
	talk_expect_text(&caught.o[caught.count - 1], TEXT_REQUEST_URI, "/2");
}
END_TEST

START_TEST(between_a_gap_and_the_next_head_look_ups_are_found)
{
	static const struct line lines[] = {C("GET / HTTP/1.1\r\nHo"), C("x: ${jndi:ldap://h/a}\r\n\r\n")};
	struct talk talk = talk_of(lines, 2, DIRECTION_IN, false);

	talk.gap_before = 2;
	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_JNDI), 1);
}
END_TEST

START_TEST(a_stream_joined_in_a_body_finds_the_next_answer)
{
	static const struct line lines[] = {
		SRV("middle of something"), C("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"), SRV("HTTP/1.1 200 OK\r\n\r\n"),
	};
	struct talk talk = talk_of(lines, 3, DIRECTION_OUT, false);

	talk_play(&talk, 0, 0, 0, &caught);
	ck_assert_uint_eq(count_kind(&caught, OBS_HTTP_RESPONSE), 1);
	ck_assert_uint_eq(caught.o[caught.count - 1].number[NUM_RESPONSE_TX], 1);
}
END_TEST

static const struct {
	const char *host;
	bool bare;
} hosts[] = {
	{"a.example", false},
	{"a.example:80", false},
	{"192.0.2.7", true},
	{"192.0.2.7:80", true},
	{"[2001:db8::1]:80", true},
	{"3232235521", true},
	{"0x7f.1", true},
	{"0xc0a80001", true},
	{"a.example.", false},
	{"192.0.2.7.", true},
	{"1.2.3.4.example", false},
	{"localhost", false},
	{"", true},
	{"10.0.0.5.nip.io", false},
};

START_TEST(a_host_that_is_a_number_is_bare)
{
	char said[256];

	snprintf(said, sizeof(said), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[_i].host);
	play(bytes_of_text(said), true, DIRECTION_OUT);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_msg(!!(caught.o[0].flags8 & OBS_FLAG_BARE_HOST) == hosts[_i].bare, "%s", hosts[_i].host);
}
END_TEST

static const struct {
	const char *said;
	bool client;
	enum probe probe;
} probes[] = {
	{"", true, PROBE_MAYBE},
	{"G", true, PROBE_MAYBE},
	{"GET", true, PROBE_MAYBE},
	{"GET ", true, PROBE_MAYBE},
	{"GET /", true, PROBE_YES},
	{"\r\nGET /", true, PROBE_YES},
	{"GET key\r\n", true, PROBE_NO},
	{"CONNECT a:1", true, PROBE_YES},
	{"COPY key", true, PROBE_MAYBE},
	{"get / HTTP/1.1", true, PROBE_YES},
	{"X-Y ${a} HTTP/1.0\r\n", true, PROBE_YES},
	{"X y z\r\n", true, PROBE_NO},
	{"\x16\x03\x01", true, PROBE_NO},
	{"HTTP/1.1 200", false, PROBE_YES},
	{"HTT", false, PROBE_MAYBE},
	{"FOO /0123456789012345678901234567890123456789012345678901234567890123456789", true, PROBE_YES},
	{"HTTP/2", false, PROBE_NO},
	{"SSH-2.0-x", false, PROBE_NO},
	{"GET / HTTP/1.1", false, PROBE_NO},
};

START_TEST(first_bytes_are_recognised)
{
	ck_assert_msg(proto_http.probe(talk_at_edge(bytes_of_text(probes[_i].said)), probes[_i].client) ==
			      probes[_i].probe,
		      "%s", probes[_i].said);
}
END_TEST

#include "http_evasions.h"
#include "http_uploads.h"

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *c = tcase_create("http");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, an_exchange_gives_these_lines_however_it_is_cut, 0, EXCHANGES);
	tcase_add_test(c, the_segment_with_the_magic_is_the_segment_that_tells);
	tcase_add_test(c, a_shell_script_is_told_by_its_first_lines);
	tcase_add_test(c, a_look_up_in_a_body_is_told_before_the_body_ends);
	tcase_add_test(c, a_look_up_in_a_body_given_up_is_found);
	tcase_add_test(c, a_look_up_behind_a_header_of_any_length_is_found);
	tcase_add_test(c, long_lines_and_folds_are_the_same_however_cut);
	tcase_add_test(c, an_endless_head_is_given_up);
	tcase_add_test(c, a_long_referer_does_not_push_the_host_out);
	tcase_add_test(c, two_hundred_pipelined_requests_are_two_hundred);
	tcase_add_test(c, after_a_gap_the_next_head_is_found);
	tcase_add_test(c, between_a_gap_and_the_next_head_look_ups_are_found);
	tcase_add_test(c, a_stream_joined_in_a_body_finds_the_next_answer);
	tcase_add_loop_test(c, a_host_that_is_a_number_is_bare, 0, sizeof(hosts) / sizeof(hosts[0]));
	tcase_add_loop_test(c, first_bytes_are_recognised, 0, sizeof(probes) / sizeof(probes[0]));
	add_uploads(c);
	suite_add_tcase(suite, c);
	add_evasions(suite);
	return talk_run(suite);
}
