// SPDX-License-Identifier: GPL-2.0-or-later
// drivers/export: every line is one JSON object that Suricata's consumers understand, whatever the peer sent.
#include "alert_draft.h"
#include "counters.h"
#include "eve.h"
#include "json_check.h"
#include "judge.h"
#include "policy_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct counters counters;
static char path[64], text[65536];

static struct eve *opened(const char *pcap_name)
{
	int fd;
	struct eve *e;

	snprintf(path, sizeof(path), "/tmp/sekimori_eve_XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	memset(&counters, 0, sizeof(counters));
	e = eve_open(path, "sensor-1", pcap_name, &counters);
	ck_assert_ptr_nonnull(e);
	return e;
}

// Closes, checks that each line is JSON by itself, returns all text and how many lines.
static unsigned finished(struct eve *e)
{
	ssize_t n;
	unsigned lines = 0;
	int fd;

	eve_close(e);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_ge(n, 0);
	text[n] = 0;
	close(fd);
	unlink(path);
	for (const char *at = text; *at; lines++) {
		const char *end = strchr(at, '\n');

		ck_assert_ptr_nonnull(end);
		ck_assert_msg(json_is_object(at, (size_t)(end - at)), "%.*s", (int)(end - at), at);
		at = end + 1;
	}
	if (getenv("EVE_SHOW"))
		printf("%s", text);
	return lines;
}

static void has(const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s in %s", part, text);
}

static struct observation seen(enum observation_kind kind)
{
	struct observation o;

	memset(&o, 0, sizeof(o));
	observation_init(&o, kind);
	o.direction = DIRECTION_OUT;
	o.time_ns = T0 + 123456789;
	o.flow = 0xffffffffull << 32 | 5;
	o.client = at("192.0.2.10");
	o.server = at("203.0.113.1");
	o.client_port = 40000;
	o.server_port = 88;
	o.transport = 6;
	o.app = APP_HTTP;
	o.from_client = 1;
	return o;
}

static void put(struct observation *o, unsigned slot, const char *value)
{
	observation_put(o, slot, bytes_of_text(value));
}

// From the spec's baseline data (corelight/community-id-spec).
START_TEST(community_ids_are_those_of_the_specification)
{
	static const struct {
		unsigned transport;
		const char *client, *server;
		unsigned cport, sport;
		const char *id;
	} vectors[] = {
		{6, "1.2.3.4", "5.6.7.8", 1122, 3344, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
		{6, "5.6.7.8", "1.2.3.4", 3344, 1122, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
		{17, "1.2.3.4", "5.6.7.8", 1122, 3344, "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg="},
		{1, "1.2.3.4", "5.6.7.8", 8 << 8, 0, "1:crodRHL2FEsHjbv3UkRrfbs4bZ0="},
		{1, "5.6.7.8", "1.2.3.4", 0 << 8, 0, "1:crodRHL2FEsHjbv3UkRrfbs4bZ0="},
		{58, "fe80:1:203:405:607:809:a0b:c0d", "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 128 << 8, 0,
		 "1:0bf7hyMJUwt3fMED7z8LIfRpBeo="},
		{58, "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", "fe80:1:203:405:607:809:a0b:c0d", 129 << 8, 0,
		 "1:0bf7hyMJUwt3fMED7z8LIfRpBeo="},
		{6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{1, "192.168.0.89", "192.168.0.1", 8 << 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	};

	for (size_t n = 0; n < sizeof(vectors) / sizeof(vectors[0]); n++) {
		struct observation o = seen(OBS_FLOW_OPEN);
		char id[40];

		o.transport = (uint8_t)vectors[n].transport;
		o.client = at(vectors[n].client);
		o.server = at(vectors[n].server);
		o.client_port = (uint16_t)vectors[n].cport;
		o.server_port = (uint16_t)vectors[n].sport;
		eve_community_id(&o, id);
		ck_assert_str_eq(id, vectors[n].id);
	}
}
END_TEST

START_TEST(every_event_carries_the_common_fields)
{
	struct eve *e = opened("attack.pcap");
	struct observation o = seen(OBS_TLS);

	o.app = APP_TLS;
	o.vlan = 12;
	o.number[NUM_TLS_VERSION] = 0x0304;
	put(&o, TEXT_TLS_SNI, "example.org");
	put(&o, TEXT_TLS_ALPN, "h2");
	put(&o, TEXT_TLS_JA4, "t13d1516h2_8daaf6152771_b186095e22b6");
	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(finished(e), 1);
	has("{\"timestamp\":\"2021-12-10T15:45:32.123456+0000\",\"flow_id\":9007194959773701,\"event_type\":\"tls\","
	    "\"src_ip\":\"192.0.2.10\",\"src_port\":40000,\"dest_ip\":\"203.0.113.1\",\"dest_port\":88,\"proto\":"
	    "\"TCP\",\"community_id\":\"1:");
	has("\"app_proto\":\"tls\",\"host\":\"sensor-1\",\"pkt_src\":\"wire/"
	    "pcap\",\"pcap_filename\":\"attack.pcap\",\"vlan\":[12]");
	has("\"tls\":{\"sni\":\"example.org\",\"version\":\"TLS "
	    "1.3\",\"ja4\":\"t13d1516h2_8daaf6152771_b186095e22b6\",\"client_alpns\":[\"h2\"]}");
}
END_TEST

START_TEST(a_tls_server_tells_its_names)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_TLS_SERVER);

	o.app = APP_TLS;
	o.number[NUM_TLS_SERVER_VERSION] = 0x0303;
	put(&o, TEXT_TLS_SUBJECT, "example.org");
	put(&o, TEXT_TLS_NAMES, "example.org,www.example.org");
	put(&o, TEXT_TLS_ISSUER, "authority");
	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(finished(e), 1);
	has("\"tls\":{\"subject\":\"example.org\",\"issuerdn\":\"authority\",\"subjectaltname\":[\"example.org\","
	    "\"www.example.org\"],\"version\":\"TLS 1.2\"}");
}
END_TEST

START_TEST(each_kind_of_observation_becomes_its_event)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	struct address answers[2] = {at("203.0.113.5"), at("2001:db8::5")};

	o.number[NUM_CLOSE_BYTES_CLIENT] = 100;
	o.number[NUM_CLOSE_START_NS] = T0 - 5 * SECOND_NS;
	o.number[NUM_CLOSE_REASON] = 1;
	eve_observation(e, &o, NULL);
	o = seen(OBS_DNS);
	o.transport = 17;
	o.app = APP_DNS;
	o.flags8 = OBS_FLAG_RESPONSE;
	o.number[NUM_DNS_TYPE] = 1;
	o.number[NUM_DNS_RCODE] = 0;
	put(&o, TEXT_DNS_NAME, "www.example.org");
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(answers, sizeof(answers)));
	put(&o, TEXT_DNS_CNAME, "cdn.example.org");
	eve_observation(e, &o, NULL);
	o = seen(OBS_LDAP);
	o.app = APP_LDAP;
	o.from_client = 0;
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	o.number[NUM_LDAP_MESSAGE_ID] = 2;
	put(&o, TEXT_LDAP_NAME, "a");
	put(&o, TEXT_LDAP_CODEBASE, "http://203.0.113.1:8000/");
	eve_observation(e, &o, NULL);
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_REQUEST;
	o.from_client = 1;
	eve_observation(e, &o, NULL);
	o = seen(OBS_BLOCKED);
	o.number[NUM_BLOCKED_ID] = 17;
	o.number[NUM_BLOCKED_FRAMES] = 40;
	eve_observation(e, &o, NULL);
	o = seen(OBS_CUT);
	o.number[NUM_CUT_FACT] = FACT_LDAP_JAVA_REFERENCE;
	eve_observation(e, &o, NULL);
	o = seen(OBS_HELD); // no event of theirs: nothing is written
	eve_observation(e, &o, NULL);
	o = seen(OBS_FLOW_CLOSE);
	o.transport = 1;
	o.client_port = 8 << 8;
	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(finished(e), 7);
	has("\"flow\":{\"pkts_toserver\":0,\"pkts_toclient\":0,\"bytes_toserver\":100,\"bytes_toclient\":0,"
	    "\"start\":\"2021-12-10T15:45:27.000000+0000\",\"age\":5,\"end\":\"2021-12-10T15:45:32.123456+0000\","
	    "\"state\":\"closed\"");
	has("\"dns\":{\"version\":3,\"type\":\"response\",\"id\":0,\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":"
	    "\"www.example.org\",\"rrtype\":\"A\"}],"
	    "\"answers\":[{\"rrname\":\"www.example.org\",\"rrtype\":\"CNAME\",\"rdata\":\"cdn.example.org\"},"
	    "{\"rrname\":\"cdn.example.org\",\"rrtype\":\"A\",\"rdata\":\"203.0.113.5\"},"
	    "{\"rrname\":\"cdn.example.org\",\"rrtype\":\"AAAA\",\"rdata\":\"2001:db8::5\"}]}");
	has("\"ldap\":{\"responses\":[{\"operation\":\"search_result_entry\",\"message_id\":2,\"search_result_entry\":{"
	    "\"base_object\":\"a\","
	    "\"attributes\":[{\"type\":\"javaCodeBase\",\"values\":[\"http://203.0.113.1:8000/\"]}]}}]}");
	has("\"ldap\":{\"request\":{\"operation\":\"search_request\",\"message_id\":2,\"search_request\":{\"base_"
	    "object\":\"a\"}}}");
	has("\"event_type\":\"drop\"");
	has("\"sekimori\":{\"block\":17,\"frames\":40}");
	has("\"cut_by\":\"ldap-java-reference\"");
	has("\"proto\":\"ICMP\",\"icmp_type\":8,\"icmp_code\":0");
	ck_assert_ptr_null(strstr(text, "pcap_filename"));
}
END_TEST

START_TEST(a_response_without_its_request_is_written_with_what_it_has)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_HTTP_RESPONSE), f = seen(OBS_FILE);

	o.from_client = f.from_client = 0;
	o.number[NUM_RESPONSE_TX] = 1;
	o.number[NUM_RESPONSE_STATUS] = 200;
	put(&o, TEXT_RESPONSE_CONTENT_TYPE, "text/x-sh");
	f.number[NUM_FILE_TX] = 1;
	f.number[NUM_FILE_KIND] = FILE_SCRIPT;
	eve_observation(e, &o, NULL);
	eve_observation(e, &f, NULL);
	ck_assert_uint_eq(finished(e), 2);
	has("\"tx_id\":0,\"http\":{\"http_content_type\":\"text/x-sh\",\"status\":200,\"length\":0}");
	has("\"src_ip\":\"203.0.113.1\",\"src_port\":88,\"dest_ip\":\"192.0.2.10\""); // who sent the file
	has("\"fileinfo\":{\"filename\":\"/\",\"magic\":\"script\"");
}
END_TEST

static void ignore_alert(void *user, struct alert *a)
{
}

START_TEST(a_response_and_its_file_find_their_request)
{
	char error[POLICY_ERROR_BYTES] = "";
	struct learn_config small = {.devices = 16, .values = 1024};
	struct policy_set *set = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	struct learn *learn = learn_create(&small, &counters);
	struct judge_config config = {.policies = set, .learn = learn, .counters = &counters, .alert = ignore_alert};
	struct judge *judge = judge_create(&config);
	struct observation q = seen(OBS_HTTP_REQUEST), a = seen(OBS_HTTP_RESPONSE), f = seen(OBS_FILE);
	struct eve *e = opened(NULL);

	ck_assert_msg(set && learn && judge, "%s", error);
	q.number[NUM_REQUEST_TX] = a.number[NUM_RESPONSE_TX] = f.number[NUM_FILE_TX] = 2;
	a.number[NUM_RESPONSE_STATUS] = 404;
	put(&q, TEXT_REQUEST_METHOD, "GET");
	put(&q, TEXT_REQUEST_URI, "//lh.sh");
	put(&q, TEXT_REQUEST_HOST, "203.0.113.1:88");
	put(&q, TEXT_REQUEST_AGENT, "curl/7.47.0");
	judge_observe(judge, &q, MODE_LEARN);
	eve_observation(e, &a, judge);
	eve_observation(e, &f, judge);
	ck_assert_uint_eq(finished(e), 2);
	has("\"tx_id\":1,\"http\":{\"hostname\":\"203.0.113.1:88\",\"url\":\"//lh.sh\",\"http_user_agent\":\"curl/"
	    "7.47.0\","
	    "\"http_method\":\"GET\",\"status\":404,\"length\":0}");
	has("\"fileinfo\":{\"filename\":\"//lh.sh\"");
	judge_destroy(judge);
	learn_destroy(learn);
	policy_free(set);
}
END_TEST

static struct alert told(void)
{
	struct alert a = alert_draft("conn/callback-web-facing", "192.0.2.10", "203.0.113.1", T0);

	a.id = 7;
	a.incident = 3;
	a.priority = 5;
	a.mode = 3;
	a.response = RESPONSE_BLOCKED;
	a.block = 17;
	a.wants_cut = 1;
	a.facts = FACT_BIT(FACT_JNDI) | FACT_BIT(FACT_SCRIPT);
	snprintf(a.mitre[0], sizeof(a.mitre[0]), "T1190");
	snprintf(a.mitre[1], sizeof(a.mitre[1]), "T1105");
	snprintf(a.mitre[2], sizeof(a.mitre[2]), "T9999");
	snprintf(a.agent, sizeof(a.agent), "curl/7.47.0");
	alert_term(&a, FEATURE_AGENT, "curl/7.47.0", 0, 7, 0, 3, 0, 57, 12.25);
	return a;
}

START_TEST(an_alert_tells_action_signature_technique_and_its_whole_proof)
{
	struct eve *e = opened(NULL);
	struct alert a = told();

	eve_alert(e, &a);
	a.response = RESPONSE_WOULD_BLOCK;
	a.priority = 1;
	a.from_client = 0;
	snprintf(a.policy, sizeof(a.policy), "our/own-policy");
	eve_alert(e, &a);
	ck_assert_uint_eq(finished(e), 2);
	has("\"alert\":{\"action\":\"blocked\",\"gid\":1,\"signature_id\":9000002,\"rev\":1,\"signature\":\"SEKIMORI "
	    "conn/callback-web-facing\","
	    "\"category\":\"Misc Attack\",\"severity\":1,\"metadata\":{\"mitre_tactic_id\":[\"TA0001\",\"TA0011\"],"
	    "\"mitre_tactic_name\":[\"Initial_Access\",\"Command_and_Control\"],\"mitre_technique_id\":[\"T1190\","
	    "\"T1105\",\"T9999\"],"
	    "\"mitre_technique_name\":[\"Exploit_Public_Facing_Application\",\"Ingress_Tool_Transfer\"],\"signature_"
	    "severity\":[\"Critical\"]}}");
	has("\"verdict\":{\"action\":\"drop\",\"reject_target\":\"both\",\"reject\":[\"tcp-reset\"]}");
	has("\"http\":{\"http_user_agent\":\"curl/7.47.0\"}");
	has("\"sekimori\":{\"alert\":7,\"incident\":3,\"policy\":\"conn/callback-web-facing\"");
	has("\"mode\":\"enforce\",\"response\":\"blocked\",\"block\":17");
	has("\"facts\":[\"script\",\"jndi\"]");
	has("\"why\":[{\"feature\":\"user-agent\",\"value\":\"curl/"
	    "7.47.0\",\"device_days\":0,\"device_known\":7,\"peers\":0,\"peers_total\":3,"
	    "\"org\":0,\"org_total\":57,\"bits\":12.250}]");
	has("\"action\":\"allowed\"");
	has("\"severity\":3");
	has("\"verdict\":{\"action\":\"alert\"}");
	has("\"signature_id\":9"); // of a policy not ours: from its name, the same in every run
	has("\"src_ip\":\"203.0.113.1\",\"src_port\":88");
}
END_TEST

static unsigned long signature_in_text(void)
{
	const char *hit = strstr(text, "\"signature_id\":");

	ck_assert_ptr_nonnull(hit);
	return strtoul(hit + 15, NULL, 10);
}

START_TEST(a_foreign_policys_signature_is_stable_and_outside_our_table)
{
	unsigned long first = 0;

	for (int run = 0; run < 2; run++) {
		struct eve *e = opened(NULL);
		struct alert a = told();

		snprintf(a.policy, sizeof(a.policy), "our/own-policy");
		eve_alert(e, &a);
		finished(e);
		ck_assert_uint_ge(signature_in_text(), 9100000);
		ck_assert_uint_lt(signature_in_text(), 10000000);
		ck_assert(run == 0 || signature_in_text() == first);
		first = signature_in_text();
	}
}
END_TEST

// Whoever ships a policy gives it a number and its techniques their names.
START_TEST(each_policy_that_is_shipped_has_its_signature_and_its_techniques_have_names)
{
	char error[POLICY_ERROR_BYTES];
	struct policy_set *set = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);

	ck_assert_msg(set != NULL, "%s", error);
	for (unsigned i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];
		struct eve *e = opened(NULL);
		struct alert a = told();

		snprintf(a.policy, sizeof(a.policy), "%s", p->name);
		memset(a.mitre, 0, sizeof(a.mitre));
		for (unsigned n = 0; n < 3 && (n == 0 || p->mitre[n][0]); n++) {
			memcpy(a.mitre[0], p->mitre[n], sizeof(a.mitre[0]));
			eve_alert(e, &a);
		}
		finished(e);
		ck_assert_msg(signature_in_text() < 9100000, "%s", p->name);
		for (const char *at = text; p->mitre[0][0] && *at; at = strchr(at, '\n') + 1)
			ck_assert_msg(strstr(at, "mitre_technique_name") && strstr(at, "mitre_technique_name") < strchr(at, '\n'), "%s: %s", p->name, at);
	}
	policy_free(set);
}
END_TEST

static void fill(char *out, size_t cap, const char *with)
{
	out[0] = 0;
	while (strlen(out) + strlen(with) < cap)
		strcat(out, with);
}

START_TEST(hostile_texts_stay_inside_their_strings_and_cannot_talk_an_alert_away)
{
	static const char *const hostile[] = {"\"}\n{\"event_type\":\"x\"", "\xff\xfe\xc0\x80", "\x01\x02\x1b[2J", "\\",
					      "\xe2\x80\xae"};
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_DNS);
	struct alert a = told();

	for (size_t n = 0; n < sizeof(hostile) / sizeof(hostile[0]); n++) {
		o = seen(OBS_DNS);
		put(&o, TEXT_DNS_NAME, hostile[n]);
		eve_observation(e, &o, NULL);
		fill(a.uri, sizeof(a.uri), hostile[n]);
		fill(a.host, sizeof(a.host), hostile[n]);
		fill(a.detail, sizeof(a.detail), hostile[n]);
		a.terms = 0;
		while (a.terms < ALERT_TERMS) {
			alert_term(&a, FEATURE_HOST, "", 0, 1, 2, 3, 4, 5, 6);
			fill(a.term[a.terms - 1].value, sizeof(a.term[0].value), hostile[n]);
		}
		eve_alert(e, &a);
	}
	ck_assert_uint_eq(finished(e), 2 * sizeof(hostile) / sizeof(hostile[0]));
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_EVENTS_LOST], 0);
	has("\"shortened\":true");
}
END_TEST

START_TEST(a_blocks_life_is_told)
{
	struct eve *e = opened(NULL);
	struct block b = {.id = 17,
			  .incident = 3,
			  .made_ns = T0,
			  .expires_ns = T0 + 2 * HOUR_NS,
			  .endpoint = at("203.0.113.1"),
			  .endpoint_bits = 32,
			  .port = 88,
			  .transport = 6,
			  .state = BLOCK_LIFTED,
			  .who = "mika",
			  .reason = "backup \"server\""};

	eve_block(e, &b, "lifted", T0 + HOUR_NS);
	ck_assert_uint_eq(finished(e), 1);
	has("\"timestamp\":\"2021-12-10T16:45:32.000000+0000\",\"event_type\":\"sekimori\"");
	has("\"dest_ip\":\"203.0.113.1\",\"dest_port\":88,\"proto\":\"TCP\",\"sekimori\":{\"what\":\"lifted\"");
	has("\"expires\":\"2021-12-10T17:45:32.000000+0000\"");
	has("\"who\":\"mika\",\"reason\":\"backup \\\"server\\\"\"");
}
END_TEST

START_TEST(a_full_disk_loses_whole_lines_and_counts_them)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	struct rlimit before, small;
	uint64_t lost;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 2000;
	setrlimit(RLIMIT_FSIZE, &small);
	for (int n = 0; n < 20; n++)
		eve_observation(e, &o, NULL);
	eve_flush(e);
	setrlimit(RLIMIT_FSIZE, &before);
	lost = counters.value[COUNT_BRAIN_EVENTS_LOST];
	ck_assert(lost > 0 && lost < 20);
	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_EVENTS_LOST], lost);
	ck_assert_uint_eq(finished(e), 21 - lost);
}
END_TEST

static size_t file_bytes(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(name, &st), 0);
	return (size_t)st.st_size;
}

START_TEST(lines_wait_until_asked_for_but_an_alert_takes_them_along)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	struct alert a = told();
	size_t one;

	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(file_bytes(path), 0);
	eve_flush(e);
	one = file_bytes(path);
	ck_assert_uint_gt(one, 0);
	eve_flush(e);
	ck_assert_uint_eq(file_bytes(path), one);
	eve_observation(e, &o, NULL);
	eve_alert(e, &a);
	ck_assert_uint_gt(file_bytes(path), 3 * one);
	ck_assert_uint_eq(finished(e), 3);
}
END_TEST

START_TEST(many_lines_pass_the_buffer_whole_and_in_order)
{
	enum { LINES = 2000 };
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	unsigned expected = 0, port;
	char line[2048];
	FILE *f;

	for (o.client_port = 1; o.client_port <= LINES; o.client_port++)
		eve_observation(e, &o, NULL);
	ck_assert_uint_gt(file_bytes(path), 0); // what waits is bounded
	eve_close(e);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "\"src_port\":");

		ck_assert(json_is_object(line, strlen(line) - 1) && at && sscanf(at, "\"src_port\":%u", &port) == 1);
		ck_assert_uint_eq(port, ++expected);
	}
	ck_assert_uint_eq(expected, LINES);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_EVENTS_LOST], 0);
	fclose(f);
	unlink(path);
}
END_TEST

// The remembered id is that of these ends, whatever flow claims the place.
START_TEST(a_remembered_community_id_is_never_anothers)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	char id[40], part[64];

	for (unsigned n = 0; n < 6; n++) {
		o.client_port = (uint16_t)(40000 + n % 2);
		eve_observation(e, &o, NULL);
	}
	ck_assert_uint_eq(finished(e), 6);
	for (unsigned n = 0; n < 2; n++) {
		o.client_port = (uint16_t)(40000 + n);
		eve_community_id(&o, id);
		snprintf(part, sizeof(part), "\"community_id\":\"%s\"", id);
		has(part);
	}
}
END_TEST

START_TEST(after_rotation_lines_go_to_the_new_file)
{
	struct eve *e = opened(NULL);
	struct observation o = seen(OBS_FLOW_CLOSE);
	char old[80];

	eve_observation(e, &o, NULL);
	snprintf(old, sizeof(old), "%s.1", path);
	ck_assert_int_eq(rename(path, old), 0);
	eve_observation(e, &o, NULL);
	ck_assert_int_eq(eve_reopen(e), 0);
	eve_observation(e, &o, NULL);
	ck_assert_uint_eq(finished(e), 1);
	ck_assert_uint_eq(file_bytes(old), 2 * strlen(text));
	unlink(old);
	ck_assert_ptr_null(eve_open("/nonexistent/eve.json", "s", NULL, &counters));
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

// Neither a reader that is missing nor one that sleeps holds anybody up; what it reads are whole lines, but for the one that was torn.
START_TEST(a_pipe_that_is_not_read_loses_lines_and_never_waits)
{
	struct observation o = seen(OBS_FLOW_CLOSE);
	static char read_back[1 << 20];
	unsigned lines = 0, torn = 0;
	struct eve *e;
	ssize_t n, all = 0;
	int fd;

	snprintf(path, sizeof(path), "/tmp/sekimori_pipe_%d", (int)getpid());
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(eve_open(path, "s", NULL, &counters));
	ck_assert_int_eq(errno, ENXIO);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	memset(&counters, 0, sizeof(counters));
	e = eve_open(path, "s", NULL, &counters);
	ck_assert_ptr_nonnull(e);
	for (unsigned i = 0; i < 2000; i++) // many times what a pipe holds
		eve_observation(e, &o, NULL);
	eve_flush(e);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_EVENTS_LOST], 0);
	while ((n = read(fd, read_back + all, sizeof(read_back) - (size_t)all)) > 0)
		all += n;
	eve_observation(e, &o, NULL);
	eve_flush(e);
	while ((n = read(fd, read_back + all, sizeof(read_back) - (size_t)all)) > 0)
		all += n;
	for (const char *at = read_back; at < read_back + all; lines++) {
		const char *end = memchr(at, '\n', (size_t)(read_back + all - at));

		ck_assert_ptr_nonnull(end);
		torn += !json_is_object(at, (size_t)(end - at));
		at = end + 1;
	}
	ck_assert_uint_le(torn, 1);
	ck_assert_uint_eq(lines - torn + counters.value[COUNT_BRAIN_EVENTS_LOST], 2001);
	eve_close(e);
	close(fd);
	unlink(path);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		community_ids_are_those_of_the_specification,
		every_event_carries_the_common_fields,
		a_tls_server_tells_its_names,
		each_kind_of_observation_becomes_its_event,
		a_response_without_its_request_is_written_with_what_it_has,
		a_response_and_its_file_find_their_request,
		an_alert_tells_action_signature_technique_and_its_whole_proof,
		a_foreign_policys_signature_is_stable_and_outside_our_table,
		each_policy_that_is_shipped_has_its_signature_and_its_techniques_have_names,
		hostile_texts_stay_inside_their_strings_and_cannot_talk_an_alert_away,
		a_blocks_life_is_told,
		a_full_disk_loses_whole_lines_and_counts_them,
		lines_wait_until_asked_for_but_an_alert_takes_them_along,
		many_lines_pass_the_buffer_whole_and_in_order,
		a_remembered_community_id_is_never_anothers,
		after_rotation_lines_go_to_the_new_file,
		a_pipe_that_is_not_read_loses_lines_and_never_waits,
	};

	RUN("eve", tests);
}
