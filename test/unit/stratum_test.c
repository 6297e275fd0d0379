// SPDX-License-Identifier: GPL-2.0-or-later
// Mining pools' JSON lines in their three dialects, and JSON that is none of them.
#include "talk.h"

static const struct proto_flow outward = {
	.direction = DIRECTION_OUT,
	.transport = 6,
	.client_port = 40000,
	.server_port = 3333,
};
static struct caught caught;

// JSON is written with ' for " here.
static struct bytes json(const char *text)
{
	static char quoted[8192];
	size_t n = strlen(text);

	ck_assert_uint_lt(n, sizeof(quoted));
	for (size_t i = 0; i < n; i++)
		quoted[i] = text[i] == '\'' ? '"' : text[i];
	return bytes_of(quoted, n);
}

static void play(const char *text)
{
	struct line line = {true, json(text)};
	struct talk talk = {.ops = &proto_stratum, .flow = outward, .lines = &line, .count = 1};

	talk_check(&talk, &caught);
}

static const struct {
	const char *text, *method, *agent, *login;
} messages[] = {
	{"{'id': 0, 'method': 'mining.subscribe', 'params': ['bfgminer/5.2.0']}\n", "mining.subscribe",
	 "bfgminer/5.2.0", ""},
	{"{'params': ['worker.1', 'x'], 'id': 'auth', 'method': 'mining.authorize'}\n", "mining.authorize", "",
	 "worker.1"},
	{"{'id':4,'method':'mining.submit','params':['worker.1','bf','00']}", "mining.submit", "", "worker.1"},
	{"{'id':null,'method':'mining.set_difficulty','params':[32]}\n", "mining.set_difficulty", "", ""},
	{"{'method':'mining.notify','params':['bf','4d16',[],true],'id':null}\n", "mining.notify", "", ""},
	{"{'id':1,'jsonrpc':'2.0','method':'eth_submitLogin','params':['0xabc'],'worker':'w'}\n", "eth_submitLogin", "",
	 "0xabc"},
	{"{'id':3,'method':'eth_getWork','params':[]}\n", "eth_getWork", "", ""},
	{"{'id':1,'jsonrpc':'2.0','method':'login','params':{'login':'48ed','pass':'x','agent':'XMRig/6.16'}}\n",
	 "login", "XMRig/6.16", "48ed"},
	{"{'method':'login','params':{'login':'48ed','pass':'x','agent':'XMRig/6.16'},'id':1}", "login", "XMRig/6.16",
	 "48ed"},
	{"{'jsonrpc':'2.0','method':'job','params':{'blob':'0e','job_id':'1','target':'b8'}}\n", "job", "", ""},
	{"{'id':1,'error':null,'result':{'id':'s','job':{'blob':'0e','job_id':'1'},'status':'OK'}}\n", "job", "", ""},
	{"{'id':2,'method':'submit','params':{'id':'s','job_id':'1','nonce':'d0','result':'e1'}}\n", "submit", "", ""},
	{" \r\n{ 'a\\'b' : '\\\\' , 'method' : 'mining.ping' }\n", "mining.ping", "", ""},
};

START_TEST(each_dialect_is_told_with_method_agent_and_login)
{
	play(messages[_i].text);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert_uint_eq(caught.o[0].kind, OBS_STRATUM);
	ck_assert(caught.o[0].facts & FACT_BIT(FACT_STRATUM));
	talk_expect_text(&caught.o[0], TEXT_STRATUM_METHOD, messages[_i].method);
	talk_expect_text(&caught.o[0], TEXT_STRATUM_AGENT, messages[_i].agent);
	talk_expect_text(&caught.o[0], TEXT_STRATUM_LOGIN, messages[_i].login);
}
END_TEST

static const char *const others[] = {
	"{'jsonrpc':'2.0','method':'textDocument/hover','params':{'method':'mining.subscribe'},'id':1}\n",
	"{'method':'login','params':{'user':'a','pass':'x'},'id':1}\n",
	"{'text':'\\'method\\':\\'mining.subscribe\\''}\n",
	"{'a':{'method':'mining.subscribe'}}\n",
	"['mining.subscribe']\n",
	"mining.subscribe\n",
	"{'method':'submit','params':{'form':'contact'}}\n",
	"{'method':'job','params':['blob']}\n",
	"{'method",
	"{}",
};

START_TEST(other_json_is_no_pool)
{
	play(others[_i]);
	ck_assert_uint_eq(caught.count, 0);
}
END_TEST

START_TEST(lines_in_one_segment_are_told_each)
{
	play("{'id':1,'method':'mining.subscribe','params':[]}\n"
	     "{'id':2,'method':'mining.authorize','params':['w']}\n"
	     "{'id':1,'result':true,'error':null}\n"
	     "{'id':3,'method':'mining.submit','params':['w']}\n");
	ck_assert_uint_eq(caught.count, 3);
}
END_TEST

START_TEST(a_line_longer_than_is_kept_is_told_by_its_beginning)
{
	static struct maker m;

	m.n = 0;
	make_text(&m, "{'method':'mining.notify','params':['");
	for (unsigned i = 0; i < 3000; i++)
		make_text(&m, "ab");
	make_text(&m, "']}\n{'method':'mining.set_difficulty','params':[1]}\n");
	MAKE(&m, 0);
	play((const char *)m.b);
	ck_assert_uint_eq(caught.count, 2);
	talk_expect_text(&caught.o[1], TEXT_STRATUM_METHOD, "mining.set_difficulty");
}
END_TEST

START_TEST(a_string_without_end_is_over_with_its_line)
{
	play("{'method':'broken\n{'method':'mining.subscribe'}\n");
	ck_assert_uint_eq(caught.count, 1);
}
END_TEST

START_TEST(brackets_without_end_and_strange_objects_end_in_bad)
{
	static struct maker m;

	m.n = 0;
	MAKE(&m, '{');
	for (unsigned i = 0; i < 400; i++)
		MAKE(&m, '[');
	MAKE(&m, 0);
	play((const char *)m.b);
	ck_assert_int_eq(caught.result, PARSE_BAD);
	play("{'a':1}{'a':1}{'a':1}{'a':1}{'a':1}{'a':1}{'a':1}{'a':1}");
	ck_assert_int_eq(caught.result, PARSE_BAD);
}
END_TEST

START_TEST(first_bytes_with_a_pools_word_are_recognised_others_are_not)
{
	static const char *const no[] = {"GET / HTTP/1.1\r\n", "{1", "{'a':1}\n", "[{'method':'mining.x'}]",
					 "{'jsonrpc':'2.0','id':1,'method':'eth_blockNumber','params':[]        "};

	talk_expect_probe(&proto_stratum, json(messages[0].text), true);
	talk_expect_probe(&proto_stratum, json(messages[3].text), false);
	talk_expect_probe(&proto_stratum, json(messages[5].text), true);
	talk_expect_probe(&proto_stratum, json(messages[7].text), true);
	talk_expect_probe(&proto_stratum, json(messages[8].text), true);
	talk_expect_probe(&proto_stratum, json(messages[9].text), false);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert_int_eq(proto_stratum.probe(talk_at_edge(bytes_head(json(no[i]), PROTO_PROBE_BYTES)), true),
				 PROBE_NO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stratum");
	TCase *t = tcase_create("stratum");

	suite_add_tcase(suite, t);
	tcase_set_timeout(t, 100);
	tcase_add_loop_test(t, each_dialect_is_told_with_method_agent_and_login, 0,
			    sizeof(messages) / sizeof(messages[0]));
	tcase_add_loop_test(t, other_json_is_no_pool, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_test(t, lines_in_one_segment_are_told_each);
	tcase_add_test(t, a_line_longer_than_is_kept_is_told_by_its_beginning);
	tcase_add_test(t, a_string_without_end_is_over_with_its_line);
	tcase_add_test(t, brackets_without_end_and_strange_objects_end_in_bad);
	tcase_add_test(t, first_bytes_with_a_pools_word_are_recognised_others_are_not);
	return talk_run(suite);
}
