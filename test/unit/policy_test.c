// SPDX-License-Identifier: GPL-2.0-or-later
// The policy reader: every error with its line and what was expected; the shipped policies load.
#include "policy.h"
#include "text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char error[POLICY_ERROR_BYTES];

static struct policy_set *read_text(const char *text)
{
	return policy_read_text("p.yaml", bytes_of_text(text), error);
}

// A whole policy (lines 1 to 7) with `more` after it.
#define HEAD "policy: conn/x\nversion: 1\npriority: 2\nphase: control\nthrottle: 1h per device\n"
#define WHOLE HEAD "on: http.request\nwhen: [direction == out]\n"

#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LONG SIXTY SIXTY SIXTY

static const struct wrong {
	const char *text, *error;
} wrong[] = {
	{WHOLE "prioritty: 3\n", "p.yaml:8: found the unknown key 'prioritty' in a policy; did you mean 'priority'?"},
	{WHOLE "zzzzzzzz: 3\n",
	 "p.yaml:8: found the unknown key 'zzzzzzzz' in a policy, expected one of policy, alias"},
	{WHOLE "priority: 3\n", "p.yaml:8: found 'priority' a second time in a policy, expected it once"},
	{"policy: conn/x\n", "p.yaml:1: found a policy without 'version', expected that key"},
	{"- a\n", "p.yaml:1: found a list, expected a policy as a mapping"},
	{"policy: Conn\n", "p.yaml:1: found 'Conn', expected a name like conn/new-agent"},
	{WHOLE "---\n" WHOLE, "p.yaml:9: found a second policy 'conn/x', expected each name once"},
	{"policy: [a]\n", "p.yaml:1: found a list, expected a policy's name"},
	{"policy: conn/x\nversion: 0\n", "p.yaml:2: found '0', expected a number from 1 to 65535"},
	{"policy: conn/x\npriority: 6\n", "p.yaml:2: found '6', expected a number from 1 to 5"},
	{"policy: conn/x\npriority: high\n", "p.yaml:2: found 'high', expected a number from 1 to 5"},
	{"policy: conn/x\nphase: entri\n", "p.yaml:2: found 'entri', expected a phase: entry, callback"},
	{"policy: conn/x\nphase: entri\n", "did you mean 'entry'?"},
	{"policy: conn/x\nthrottle: 3600 per device\n",
	 "p.yaml:2: found the bare number '3600', expected a duration with its unit"},
	{"policy: conn/x\nthrottle: 1x per device\n", "p.yaml:2: found '1x', expected a duration like"},
	{"policy: conn/x\nthrottle: 1h\n", "p.yaml:2: found 'nothing' after the duration, expected \"per device ...\""},
	{"policy: conn/x\nthrottle: 1h per devise\n",
	 "p.yaml:2: found 'devise', expected device, endpoint, endpoint-port, flow, rollout or a feature"},
	{"policy: conn/x\nthrottle: 1h per\n", "p.yaml:2: found no key after 'per', expected one like device"},
	{"policy: conn/x\ncertain: maybe\n", "p.yaml:2: found 'maybe', expected yes or no"},
	{"policy: conn/x\nmitre: [T1, T2, T3, T4]\n", "p.yaml:2: found a fourth technique"},
	{"policy: conn/x\nmitre: [X1]\n", "p.yaml:2: found 'X1', expected a technique like T1190"},
	{"policy: conn/x\nmitre: T1190\n", "p.yaml:2: found a text, expected a list of techniques"},
	{"policy: conn/x\non: http.reqest\n",
	 "p.yaml:2: found 'http.reqest', expected a kind of observation, 'alert', 'evidence' or 'rollout'; did you mean 'http.request'?"},
	{"policy: conn/x\non: held\n", "p.yaml:2: found 'held', expected an observation of traffic"},
	{"policy: conn/x\non: [alert, dns]\n", "p.yaml:2: found no kind, or 'alert', 'evidence' or 'rollout' among others"},
	{"policy: conn/x\non: []\n", "p.yaml:2: found no kind"},
	{HEAD "on: dns\nwhen: []\n", "p.yaml:1: found a policy without conditions, expected at least one under 'when'"},
	{HEAD "on: dns\nwhen:\n  - direction == out\n  - directon == out\n",
	 "p.yaml:9: found the unknown quantity 'directon'; did you mean 'direction'?"},
	{HEAD "on: dns\nwhen: [qqqqqqqqqqqqqqqqqqqq]\n",
	 "p.yaml:7: found the unknown quantity 'qqqqqqqqqqqqqqqqqqqq', expected one of doc/policy.md"},
	{HEAD "on: dns\nwhen: [direction = out]\n", "p.yaml:7: found the unknown operator '=', expected == !="},
	{HEAD "on: dns\nwhen: [direction == outt]\n", "p.yaml:7: found 'outt' for 'direction'; did you mean 'out'?"},
	{HEAD "on: dns\nwhen: [direction == qqqqqqqq]\n",
	 "p.yaml:7: found 'qqqqqqqq' for 'direction', expected one of its names like"},
	{HEAD "on: dns\nwhen: [direction < out]\n",
	 "p.yaml:7: found the operator '<' after 'direction', which is a name"},
	{HEAD "on: dns\nwhen: [direction]\n",
	 "p.yaml:7: found 'direction' alone, expected an operator and a name after it"},
	{HEAD "on: dns\nwhen: [port == ]\n", "p.yaml:7: found no value after 'port', expected a number"},
	{HEAD "on: dns\nwhen: [port == 80 81]\n", "p.yaml:7: found more values after 'port', expected at most 1"},
	{HEAD "on: dns\nwhen: [port == http]\n", "p.yaml:7: found 'http' for 'port', expected a whole number"},
	{HEAD "on: dns\nwhen: [device.age_days >= 3d]\n",
	 "p.yaml:7: found '3d' for 'device.age_days', expected a whole number"},
	{HEAD "on: dns\nwhen: [device.exposed == 1]\n", "p.yaml:7: found '1' for 'device.exposed', expected yes or no"},
	{HEAD "on: dns\nwhen: [port begins 8]\n",
	 "p.yaml:7: found the operator 'begins' after 'port', which is a number"},
	{HEAD "on: dns\nwhen: [dns.name contains]\n", "p.yaml:7: found no value after 'dns.name', expected a text"},
	{HEAD "on: dns\nwhen: ['']\n", "p.yaml:7: found an empty condition"},
	{HEAD "on: dns\nwhen: [[direction == out]]\n", "p.yaml:7: found a list, expected a condition"},
	{HEAD "on: dns\nwhen: [all: [direction == out]]\n", "p.yaml:7: found the unknown key 'all' in a condition"},
	{HEAD "on: dns\nwhen: [http.uri contains x]\n", "p.yaml:7: found 'http.uri', expected a field of the "
							"observations under 'on' (this one belongs to http.request)"},
	{WHOLE "evidence: [agnt]\n", "p.yaml:8: found the unknown feature 'agnt', expected one like agent"},
	{WHOLE "evidence: agent\n", "p.yaml:8: found a text, expected a list of features"},
	{WHOLE "raise:\n  - {when: device.exposed}\n", "p.yaml:9: found a raise without 'priority', expected that key"},
	{WHOLE "response:\n  block: endpoint\n", "p.yaml:9: found 'endpoint', expected endpoint-port"},
	{WHOLE "response:\n  block: endpoint-port\n  for: 2\n",
	 "p.yaml:10: found the bare number '2', expected a duration with its unit"},
	{WHOLE "response:\n  block: endpoint-port\n", "p.yaml:9: found 'block' or 'for' alone, expected both"},
	{WHOLE "response:\n  block: endpoint-port\n  for: 2w\n", "p.yaml:10: found '2w', expected at most 1w"},
	{WHOLE "response: {certain: {fact: script}}\n",
	 "p.yaml:8: found 'script', expected a fact whose meaning needs no learning"},
	{WHOLE "response: {certain: {fact: sripd}}\n", "p.yaml:8: found 'sripd', expected a fact"},
	{WHOLE "response: {certain: {direction: out}}\n", "p.yaml:8: found a certain line without 'fact'"},
	{WHOLE "alias: &a b\n", "p.yaml:8: not readable as YAML: an anchor"},
	{WHOLE "alias: *a\n", "p.yaml:8: not readable as YAML: an alias"},
	{WHOLE "alias: !!int b\n", "p.yaml:8: not readable as YAML: an anchor or a tag"},
	{WHOLE "alias: [[[[[[[[[[a]]]]]]]]]]\n", "p.yaml:8: not readable as YAML: nested too deep"},
	{WHOLE "? [a]\n: b\n", "p.yaml:8: not readable as YAML: a list or mapping as a key"},
	{WHOLE "alias: [a\n", "not readable as YAML"},
	{WHOLE "\talias: a\n", "p.yaml:8: not readable as YAML"},
	{WHOLE LONG ": b\n", "expected one of policy, alias"},
	{WHOLE "alias: a\001\n", "p.yaml:8: not readable as YAML: control characters"},
	{WHOLE "alias: \377\n", "p.yaml:8: not readable as YAML: invalid leading UTF-8 octet"},
};
enum { WRONGS = sizeof(wrong) / sizeof(wrong[0]) };

START_TEST(every_error_names_its_line_what_was_found_and_what_was_expected)
{
	const struct wrong *w = &wrong[_i];

	ck_assert_ptr_null(read_text(w->text));
	ck_assert_msg(strstr(error, w->error), "\n  got:      %s\n  expected: %s", error, w->error);
	ck_assert_msg(strncmp(error, "p.yaml:", 7) == 0, "no place in: %s", error);
}
END_TEST

START_TEST(every_prefix_of_a_policy_is_read_or_refused_with_a_message)
{
	static const char text[] =
		WHOLE "evidence: [agent]\nraise:\n  - {when: [device.exposed], priority: 4}\n"
		      "response: {cut: yes, block: endpoint-port, for: 2h, certain: {fact: stratum}}\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct policy_set *set = policy_read_text("p.yaml", bytes_of(text, n), error);

		ck_assert(set ? error[0] == 0 : error[0] != 0);
		policy_free(set);
	}
}
END_TEST

START_TEST(too_much_of_anything_is_refused)
{
	static char text[400000];
	size_t n = 0;

	for (unsigned i = 0; i < POLICY_MAX + 1; i++)
		n += (size_t)sprintf(
			text + n,
			"---\npolicy: conn/x%u\nversion: 1\npriority: 2\nphase: control\nthrottle: 1h per device\n"
			"on: dns\nwhen: [direction == out]\n",
			i);
	ck_assert_ptr_null(read_text(text));
	ck_assert_ptr_nonnull(strstr(error, "found too many policies, expected at most 64"));
	n = (size_t)sprintf(text, HEAD "on: dns\nwhen:\n");
	for (unsigned i = 0; i < POLICY_CONDITIONS + 1; i++)
		n += (size_t)sprintf(text + n, "  - direction == out\n");
	ck_assert_ptr_null(read_text(text));
	ck_assert_ptr_nonnull(strstr(error, "p.yaml:32: found too many conditions, expected at most 24"));
	memset(text, '#', sizeof(text) - 1);
	ck_assert_ptr_null(read_text(text));
	ck_assert_ptr_nonnull(strstr(error, "larger than 256 KiB"));
}
END_TEST

// The wire's table is small: a line without a place in it would be cut by nobody, though the policy says so.
START_TEST(a_certain_line_that_the_wire_has_no_place_for_is_refused)
{
	static const char *const facts[] = {"rmi", "stratum", "jndi", "executable", "java-class"};
	static char text[8000];
	struct policy_set *set;
	size_t n = 0;

	for (unsigned i = 0; i < SHEET_CERTAIN + 1; i++) {
		n += (size_t)sprintf(text + n,
				     "---\npolicy: conn/x%u\nversion: 1\npriority: 2\nphase: control\nthrottle: 1h per device\n"
				     "on: dns\nwhen: [direction == out]\n"
				     "response: {certain: [{fact: ldap-referral}, {fact: %s, direction: %s, needs_bare: %s}]}\n",
				     i, facts[i % 5], i / 5 % 2 ? "in" : "out", i / 10 ? "yes" : "no");
		set = read_text(text);
		ck_assert_msg((set != NULL) == (i + 2 <= SHEET_CERTAIN), "%u: %s", i, error);
		policy_free(set);
		if (!set)
			break;
	}
	ck_assert_ptr_nonnull(strstr(error, "p.yaml:137: found more certain lines that differ than the wire holds, expected at most 16 in all policies"));
}
END_TEST

START_TEST(the_shipped_policies_load)
{
	static const char *const names[] = {
		"conn/new-agent-bare-ip",
		"conn/callback-web-facing",
		"conn/callback-named",
		"conn/new-steady-host",
		"file/script-rare-source",
		"file/exposed-server-download",
		"device/exposed-high-alert",
		"conn/unusual-proto-port",
		"http/self-reference",
		"ldap/java-reference-external",
		"rmi/external",
		"jndi/attempt",
		"jndi/callback",
		"compromise/mining",
		"conn/named-by-outside",
		"conn/named-inside",
		"conn/unknown-on-known-port",
		"dns/named-by-outside",
		"dns/self-reference",
		"file/disguised",
		"file/disguised-upload",
		"http/script-upload",
		"http/uploaded-script-asked",
		"http/uploaded-script-answered",
		"http/uploaded-script-runs",
	};
	struct policy_set *set = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	unsigned count;

	ck_assert_msg(set != NULL, "%s", error);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned p = 0;

		while (p < policy_count(set) && strcmp(policy_name(set, p), names[i]) != 0)
			p++;
		ck_assert_msg(p < policy_count(set), "no policy %s", names[i]);
	}
	ck_assert_ptr_null(policy_name(set, policy_count(set)));
	policy_never_block(set, &count);
	ck_assert_uint_eq(count, 0);
	policy_free(set);
}
END_TEST

START_TEST(the_wire_s_table_holds_what_is_certain_and_no_named_files)
{
	struct policy_set *set = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	struct certain_rule rule[SHEET_CERTAIN];
	unsigned n, facts = 0;

	ck_assert_msg(set != NULL, "%s", error);
	n = policy_certain(set, rule);
	ck_assert_uint_eq(n, 5);
	for (unsigned i = 0; i < n; i++) {
		facts |= FACT_BIT(rule[i].fact);
		if (rule[i].fact == FACT_JAVA_CLASS || rule[i].fact == FACT_EXECUTABLE || rule[i].fact == FACT_SCRIPT)
			ck_assert(rule[i].from_outside && rule[i].needs_unknown && rule[i].needs_bare &&
				  (rule[i].needs_exposed || rule[i].fact == FACT_SCRIPT)); // a script from there nobody fetches
		if (rule[i].fact == FACT_STRATUM)
			ck_assert(rule[i].direction == DIRECTION_OUT && rule[i].needs_exposed);
		if (rule[i].fact == FACT_LDAP_JAVA_REFERENCE)
			ck_assert(rule[i].from_outside);
	}
	ck_assert_uint_eq(facts, FACT_BIT(FACT_LDAP_JAVA_REFERENCE) | FACT_BIT(FACT_JAVA_CLASS) |
					 FACT_BIT(FACT_EXECUTABLE) | FACT_BIT(FACT_STRATUM) | FACT_BIT(FACT_SCRIPT));
	policy_free(set);
}
END_TEST

START_TEST(networks_groups_and_the_never_block_list_are_read)
{
	static const char text[] =
		"inside: [192.0.2.0/24]\ngroups:\n  - name: dmz\n    networks: [192.0.2.0/28, 192.0.2.64/28]\n"
		"never_block: [198.51.100.53, 2001:db8::/32]\n";
	struct policy_set *set = policy_read_text("x/network.yaml", bytes_of_text(text), error);
	const struct policy_group *group;
	const struct prefix *p;
	char buffer[PREFIX_TEXT_BYTES];
	unsigned n;

	ck_assert_msg(set != NULL, "%s", error);
	p = policy_never_block(set, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(prefix_format(&p[1], buffer), "2001:db8::/32");
	policy_inside(set, &n);
	ck_assert_uint_eq(n, 1);
	group = policy_groups(set, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(group[1].name, "dmz");
	policy_free(set);
}
END_TEST

START_TEST(wrong_networks_are_refused)
{
	static const struct wrong networks[] = {
		{"inside: [192.0.2.1/24]\n",
		 "network.yaml:1: found '192.0.2.1/24', expected a network like 192.0.2.0/24"},
		{"never_blok: []\n",
		 "network.yaml:1: found the unknown key 'never_blok' in network.yaml; did you mean 'never_block'?"},
		{"groups:\n  - name: dmz\n", "network.yaml:2: found a group without 'networks'"},
		{"inside: yes\n", "network.yaml:1: found a text, expected a list of networks"},
	};

	for (unsigned i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		ck_assert_ptr_null(policy_read_text("network.yaml", bytes_of_text(networks[i].text), error));
		ck_assert_msg(strstr(error, networks[i].error), "got %s", error);
	}
}
END_TEST

START_TEST(a_folder_without_policies_or_without_itself_is_an_error)
{
	char folder[] = "/tmp/sekimori_policy_XXXXXX";

	ck_assert_ptr_null(policy_load("/tmp/sekimori/no/such", error));
	ck_assert_ptr_nonnull(strstr(error, "No such file"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_ptr_null(policy_load(folder, error));
	ck_assert_ptr_nonnull(strstr(error, "found no policy"));
	rmdir(folder);
}
END_TEST

START_TEST(every_quantity_has_one_name_and_a_line_of_text)
{
	char name[64], other[64];
	const char *doc;
	unsigned n = 0;

	for (; policy_quantity(n, name, &doc); n++) {
		ck_assert_uint_gt(strlen(name), 2);
		ck_assert_uint_gt(strlen(doc), 5);
		if (strcmp(doc, "a field of the observation") == 0)
			continue; // short and full names of fields overlap
		for (unsigned k = 0; k < n && policy_quantity(k, other, &doc); k++)
			ck_assert_str_ne(name, other);
	}
	ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(the_page_about_policies_names_every_quantity)
{
	static char page[1 << 16];
	FILE *f = fopen(SEKIMORI_SOURCE_DIR "/doc/policy.md", "rb");
	char name[64], quoted[80];
	const char *doc;

	ck_assert_ptr_nonnull(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = 0;
	fclose(f);
	for (unsigned i = 0; policy_quantity(i, name, &doc); i++) {
		const char *word = strrchr(name, '.'); // feature.count: both words stand there
		bool count = word && strstr(".days .known .peers .peer_percent .org .rare .after_days ", word);

		if (strchr(name, '.') != strrchr(name, '.'))
			continue; // a field's full name
		snprintf(quoted, sizeof(quoted), "`%.*s`", (int)(count ? strcspn(name, ".") : strlen(name)), name);
		ck_assert_msg(strstr(page, quoted), "doc/policy.md lacks %s", quoted);
		ck_assert_msg(strstr(page, doc) || strstr(doc, "the wire") || strstr(doc, "a field"),
			      "doc/policy.md lacks: %s", doc);
	}
}
END_TEST

START_TEST(names_of_phases_and_responses)
{
	ck_assert_str_eq(phase_name(PHASE_ENTRY), "entry");
	ck_assert_str_eq(phase_name(PHASE_COUNT), "?");
	ck_assert_str_eq(response_name(RESPONSE_WOULD_BLOCK), "would-block");
	ck_assert_str_eq(response_name(99), "?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *reading = tcase_create("reading");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(reading, every_error_names_its_line_what_was_found_and_what_was_expected, 0, WRONGS);
	tcase_add_test(reading, every_prefix_of_a_policy_is_read_or_refused_with_a_message);
	tcase_add_test(reading, too_much_of_anything_is_refused);
	tcase_add_test(reading, a_certain_line_that_the_wire_has_no_place_for_is_refused);
	tcase_add_test(reading, the_shipped_policies_load);
	tcase_add_test(reading, the_wire_s_table_holds_what_is_certain_and_no_named_files);
	tcase_add_test(reading, networks_groups_and_the_never_block_list_are_read);
	tcase_add_test(reading, wrong_networks_are_refused);
	tcase_add_test(reading, a_folder_without_policies_or_without_itself_is_an_error);
	tcase_add_test(reading, every_quantity_has_one_name_and_a_line_of_text);
	tcase_add_test(reading, the_page_about_policies_names_every_quantity);
	tcase_add_test(reading, names_of_phases_and_responses);
	tcase_set_timeout(reading, 60);
	suite_add_tcase(suite, reading);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
