// SPDX-License-Identifier: GPL-2.0-or-later
// lib/story: both languages say the same things, nothing is left unfilled, and the counts are told as they are.
#include "alert_draft.h"
#include "catalogue.h"
#include "policy.h"
#include "story.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY_FOLDER SEKIMORI_SOURCE_DIR "/policy"

static char error[512];

static struct story *words(const char *lang)
{
	struct story *s = story_load(POLICY_FOLDER, lang, error);

	ck_assert_msg(s != NULL, "%s", error);
	return s;
}

// The {names} of a template, sorted, as one text.
static void names_of(const char *text, char *out, size_t cap)
{
	char name[16][32];
	int count = 0;

	while ((text = strchr(text, '{')) && count < 16) {
		const char *end = strchr(text, '}');

		snprintf(name[count++], 32, "%.*s", (int)(end - text - 1), text + 1);
		text = end;
	}
	qsort(name, (size_t)count, 32, (int (*)(const void *, const void *))strcmp);
	out[0] = 0;
	for (int n = 0; n < count; n++)
		if (n == 0 || strcmp(name[n], name[n - 1]) != 0)
			snprintf(out + strlen(out), cap - strlen(out), "%s ", name[n]);
}

START_TEST(both_catalogues_have_the_same_ids_and_the_same_names)
{
	struct story *en = words("en"), *ja = words("ja");

	ck_assert_uint_eq(en->count, ja->count);
	for (size_t n = 0; n < en->count; n++) {
		char a[400], b[400];

		ck_assert_str_eq(en->sentence[n].id, ja->sentence[n].id);
		names_of(en->sentence[n].text, a, sizeof(a));
		names_of(ja->sentence[n].text, b, sizeof(b));
		ck_assert_msg(strcmp(a, b) == 0, "%s: %s / %s", en->sentence[n].id, a, b);
		ck_assert_msg(en->sentence[n].text[0] || strcmp(en->sentence[n].id, "unit.join") == 0, "%s is empty",
			      en->sentence[n].id);
	}
	story_free(en);
	story_free(ja);
}
END_TEST

static const char *const policies[] = {
	"conn/new-agent-bare-ip",
	"conn/callback-web-facing",
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
	"device/unusual",
	"network/rollout",
	"our/own-policy",
};
enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

static struct alert told(const char *policy, uint64_t time_ns)
{
	struct alert a = alert_draft(policy, "192.0.2.10", "203.0.113.233", time_ns);

	a.exposed = 1;
	a.priority = 4;
	a.callback_ns = 6 * SECOND_NS;
	snprintf(a.agent, sizeof(a.agent), "curl/7.47.0");
	snprintf(a.uri, sizeof(a.uri), "/lh.sh");
	snprintf(a.file, sizeof(a.file), "script");
	snprintf(a.detail, sizeof(a.detail), "jndi:ldap://203.0.113.233:1389/a");
	alert_term(&a, FEATURE_AGENT, "curl/7.47.0", 0, 7, 0, 3, 0, 57, 12.25);
	return a;
}

START_TEST(every_policy_has_words_of_its_own_in_both_languages)
{
	const char *const langs[] = {"en", "ja"};

	for (int l = 0; l < 2; l++) {
		struct story *s = words(langs[l]);

		for (size_t n = 0; n < POLICIES; n++) {
			struct alert a = told(policies[n], T0);
			char out[4096], id[80];

			snprintf(id, sizeof(id), "why.%s", policies[n]);
			ck_assert_int_eq(catalogue_text(s, id) != NULL, n + 1 < POLICIES);
			ck_assert_int_gt(story_alert(s, &a, 0, out, sizeof(out)), 0);
			ck_assert_msg(!strpbrk(out, "{}"), "%s", out);
			ck_assert_ptr_nonnull(strstr(out, "192.0.2.10"));
			ck_assert_int_eq(out[strlen(out) - 1], '\n');
			if (n + 1 == POLICIES)
				ck_assert_ptr_nonnull(strstr(out, "our/own-policy"));
		}
		story_free(s);
	}
}
END_TEST

START_TEST(every_policy_we_ship_has_words)
{
	struct story *s = words("ja");
	struct policy_set *set = policy_load(POLICY_FOLDER, error);

	ck_assert_msg(set != NULL, "%s", error);
	for (unsigned n = 0; n < policy_count(set); n++) {
		char id[80];

		snprintf(id, sizeof(id), "why.%s", policy_name(set, n));
		ck_assert_msg(catalogue_text(s, id) != NULL, "%s", id);
	}
	policy_free(set);
	story_free(s);
}
END_TEST

START_TEST(every_feature_response_phase_and_block_state_has_words)
{
	struct story *s = words("ja");
	char id[64];

	for (unsigned f = 0; f < FEATURE_COUNT; f++) {
		snprintf(id, sizeof(id), "feature.%s", feature_name(f));
		ck_assert_msg(catalogue_text(s, id) != NULL, "%s", id);
	}
	for (unsigned r = RESPONSE_WOULD_BLOCK; r <= RESPONSE_REFUSED; r++) {
		snprintf(id, sizeof(id), "response.%s", response_name(r));
		ck_assert_msg(catalogue_text(s, id) != NULL, "%s", id);
	}
	for (unsigned p = 0; p < PHASE_COUNT; p++) {
		snprintf(id, sizeof(id), "next.%s", phase_name(p));
		ck_assert_msg(catalogue_text(s, id) != NULL, "%s", id);
	}
	for (unsigned b = 0; b < BLOCK_STATES; b++) {
		snprintf(id, sizeof(id), "done.%s", block_state_name(b));
		ck_assert_msg(catalogue_text(s, id) != NULL, "%s", id);
	}
	story_free(s);
}
END_TEST

static void add_evidence(struct alert *a, unsigned family, int32_t microbits)
{
	a->proof.item[a->proof.items++] = (struct evidence_item){.family = family, .microbits = microbits};
}

START_TEST(an_alarm_on_evidence_names_what_weighs_most)
{
	struct story *en = words("en"), *ja = words("ja");
	struct alert a = told("device/unusual", T0);
	char out[4096];

	a.score.class = SCORE_BYTES;
	a.proof.evidence.level[1] = 21340000;
	a.proof.threshold = 15250000;
	add_evidence(&a, SCORE_FLOW, 4000000);
	add_evidence(&a, SCORE_HOUR, 1000000);
	add_evidence(&a, SCORE_NAME, -900000);
	add_evidence(&a, SCORE_FLOW, 2000000);
	add_evidence(&a, SCORE_BYTES, 9000000);
	add_evidence(&a, SCORE_CLASSES + 3, 5000000);
	add_evidence(&a, SCORE_CLASSES + 9, 2100000);
	ck_assert_int_gt(story_alert(en, &a, 0, out, sizeof(out)), 0);
	ck_assert_msg(strstr(out, "an amount of data sent towards 203.0.113.233") != NULL, "%s", out);
	ck_assert_ptr_nonnull(strstr(out, "21.3 bits of evidence, the threshold is 15.3"));
	ck_assert_ptr_nonnull(strstr(out, "Most of the evidence: an amount of data sent (9.0 bits), what policies matched "
					  "(7.1 bits), a new connection (6.0 bits)\n"));
	ck_assert_int_gt(story_alert(ja, &a, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "主な証拠：送信データ量（9.0ビット）、ポリシーへの一致（7.1ビット）、新しい接続（6.0ビット）\n"));
	ck_assert_ptr_nonnull(strstr(out, "証拠 21.3ビット（しきい値 15.3ビット）"));
	story_free(en);
	story_free(ja);
}
END_TEST

START_TEST(a_roll_out_is_told_with_its_value_and_how_many)
{
	struct story *en = words("en");
	struct alert a = told("network/rollout", T0);
	char out[4096];

	a.score.class = SCORE_NAME;
	a.score.terms = 1;
	a.score.term[0].feature = FEATURE_DOMAIN;
	a.score.term[0].adopters = 12;
	a.score.term[0].adopters_of = 97;
	snprintf(a.score.term[0].value, SCORE_TEXT, "update.example.net");
	ck_assert_int_gt(story_alert(en, &a, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "12 of 97 devices began within two days with the domain asked for "
					  "\"update.example.net\", 192.0.2.10 the latest of them"));
	story_free(en);
}
END_TEST

START_TEST(an_alert_is_told_with_its_exact_counts)
{
	struct story *en = words("en"), *ja = words("ja");
	struct alert a = told("conn/new-agent-bare-ip", T0);
	char out[4096];

	ck_assert_int_gt(story_alert(en, &a, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "user agent \"curl/7.47.0\": seen here 0 of 7 days, 0 of 3 peers, "
					  "0 of 57 others in the organisation (12.3 bits)"));
	ck_assert_ptr_nonnull(
		strstr(out, "First contact of 192.0.2.10 with the outside server 203.0.113.233 (port 88)"));
	ck_assert_int_gt(story_alert(ja, &a, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "外部サーバ 203.0.113.233（ポート 88）への初めての通信"));
	ck_assert_ptr_nonnull(
		strstr(out, "ユーザーエージェント「curl/7.47.0」：この機器では7日中0日、同種の機器では3台中0台、"
			    "組織内の他の機器では57台中0台で確認"));
	a = told("conn/callback-web-facing", T0);
	story_alert(ja, &a, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "6秒前に接触してきた"));
	a.callback_ns = 0;
	story_alert(ja, &a, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "少し前に接触してきた"));
	a = told("file/script-rare-source", T0);
	a.uri[0] = 0;
	story_alert(ja, &a, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "からスクリプトを受信：記録なし"));
	a.endpoint_port = 0;
	story_alert(ja, &a, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "（ポート なし）"));
	story_alert(en, &a, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "(port none)"));
	story_free(en);
	story_free(ja);
}
END_TEST

struct scene {
	struct alert alert[4];
	const struct alert *alerts[4];
	struct block block;
	const struct block *blocks[1];
	struct incident incident;
};

// The seed's chain, with documentation addresses: callback 6 s after contact, new agent a second later, then a script.
static void set_scene(struct scene *c, unsigned block_state, unsigned response)
{
	*c = (struct scene){.incident = {.id = 3, .priority = 5, .devices = 1, .alerts = 4, .first_ns = T0}};
	c->alert[0] = told("jndi/attempt", T0);
	c->alert[0].phase = PHASE_ENTRY;
	c->alert[0].facts = FACT_BIT(FACT_JNDI);
	c->alert[1] = told("conn/callback-web-facing", T0 + 6 * SECOND_NS);
	c->alert[2] = told("conn/new-agent-bare-ip", T0 + 7 * SECOND_NS);
	c->alert[2].phase = PHASE_CONTROL;
	c->alert[3] = told("file/script-rare-source", T0 + 80 * MINUTE_NS);
	c->alert[3].phase = PHASE_DELIVERY;
	c->alert[1].response = (uint8_t)response;
	c->alert[1].block = 17;
	c->alert[2].repeats = 3;
	c->incident.device[0] = at("192.0.2.10");
	c->incident.phases = 0xf;
	c->block = (struct block){.version = ALERT_VERSION,
				  .bytes = sizeof(c->block),
				  .id = 17,
				  .alert = 2,
				  .endpoint = at("203.0.113.233"),
				  .endpoint_bits = 32,
				  .port = 88,
				  .transport = 6,
				  .state = (uint8_t)block_state,
				  .made_ns = T0 + 6 * SECOND_NS,
				  .expires_ns = T0 + 6 * SECOND_NS + 2 * HOUR_NS,
				  .who = "sekimori",
				  .reason = "conn/callback-web-facing"};
	for (int n = 0; n < 4; n++)
		c->alerts[n] = &c->alert[n];
	c->blocks[0] = &c->block;
}

static void tell(const struct story *s, const struct scene *c, uint64_t offset_s, char *out, size_t cap)
{
	int n = story_incident(s, &c->incident, c->alerts, 4, c->blocks, 1, offset_s, out, cap);

	ck_assert_int_eq(n, (int)strlen(out));
	ck_assert_msg(!strpbrk(out, "{}"), "%s", out);
	if (getenv("STORY_SHOW"))
		printf("%s\n", out);
}

START_TEST(a_part_of_an_incident_s_alerts_is_called_a_part)
{
	struct story *en = words("en"), *ja = words("ja");
	struct scene c;
	char out[16384];

	set_scene(&c, BLOCK_ACTIVE, RESPONSE_BLOCKED);
	tell(en, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "What happened (alerts: 4; times in UTC)\n"));
	c.incident.alerts = 1000;
	tell(en, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "What happened (alerts: 4 of 1000; times in UTC)\n"));
	tell(ja, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "経過（アラート1000件のうち4件、時刻はUTC）\n"));
	story_free(en);
	story_free(ja);
}
END_TEST

START_TEST(an_incident_that_lost_count_of_its_devices_says_at_least)
{
	struct story *en = words("en"), *ja = words("ja");
	struct scene c;
	char out[16384];

	set_scene(&c, BLOCK_ACTIVE, RESPONSE_BLOCKED);
	for (c.incident.devices = 1; c.incident.devices < INCIDENT_DEVICES; c.incident.devices++)
		c.incident.device[c.incident.devices] = at("192.0.2.77");
	tell(en, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "192.0.2.10 (internet-facing server) and at least 7 more: "));
	tell(ja, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "ほか7台以上にて"));
	c.incident.devices--;
	tell(en, &c, 0, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "192.0.2.10 (internet-facing server) and 6 more: "));
	story_free(en);
	story_free(ja);
}
END_TEST

static void fill_text(char *text, size_t cap)
{
	memset(text, 'x', cap - 1);
	text[cap - 1] = 0;
}

// All that an attacker and an operator may make long is as long as it can be.
static struct alert longest(const char *policy)
{
	struct alert a = told(policy, T0);

	fill_text(a.uri, sizeof(a.uri));
	fill_text(a.host, sizeof(a.host));
	fill_text(a.agent, sizeof(a.agent));
	fill_text(a.detail, sizeof(a.detail));
	for (a.terms = 0; a.terms < ALERT_TERMS;)
		alert_term(&a, FEATURE_INSIDE_PORT_GIVEN, "", 28, 28, 1000000, 1000000, 1000000, 1000000, 19.5);
	for (unsigned n = 0; n < ALERT_TERMS; n++)
		fill_text(a.term[n].value, sizeof(a.term[n].value));
	a.score.class = SCORE_BYTES;
	for (unsigned family = 0; family < SCORE_CLASSES; family++)
		add_evidence(&a, family, 20000000);
	a.response = RESPONSE_REFUSED;
	a.dropped = 1;
	a.repeats = UINT32_MAX;
	a.device = a.endpoint = at("2001:db8:1111:2222:3333:4444:5555:6666");
	return a;
}

START_TEST(no_length_of_texts_takes_a_story_away)
{
	const char *const langs[] = {"en", "ja"};
	static const struct alert *alerts[STORY_ALERTS];
	static const struct block *blocks[STORY_BLOCKS];
	struct scene c;
	char *out = malloc(STORY_BYTES);

	set_scene(&c, BLOCK_LIFTED, RESPONSE_BLOCKED);
	fill_text(c.block.reason, sizeof(c.block.reason));
	for (int l = 0; l < 2; l++) {
		struct story *s = words(langs[l]);

		for (size_t n = 0; n < POLICIES; n++) {
			struct alert a = longest(policies[n]);

			ck_assert_int_gt(story_alert(s, &a, 0, out, STORY_ALERT_BYTES), 0);
			for (unsigned i = 0; i < STORY_ALERTS; i++)
				alerts[i] = &a;
			for (unsigned i = 0; i < STORY_BLOCKS; i++)
				blocks[i] = &c.block;
			ck_assert_int_gt(story_incident(s, &c.incident, alerts, STORY_ALERTS, blocks, STORY_BLOCKS, 0, out,
							STORY_BYTES),
					 0);
		}
		story_free(s);
	}
	free(out);
}
END_TEST

START_TEST(an_incident_is_told_with_headline_time_line_action_and_next_steps)
{
	struct story *en = words("en"), *ja = words("ja");
	struct scene c;
	char out[16384];

	set_scene(&c, BLOCK_ACTIVE, RESPONSE_BLOCKED);
	tell(en, &c, 0, out, sizeof(out));
	ck_assert_ptr_eq(
		strstr(out, "Incident 3 (priority 5 of 5): 192.0.2.10 (internet-facing server): attack attempt from "
			    "outside → "
			    "call-back to an outside server → suspicious code received → communication unknown here "
			    "(with 203.0.113.233). Stopped: 203.0.113.233 port 88/TCP is blocked until "
			    "2021-12-10 17:45:38."),
		out);
	ck_assert_ptr_nonnull(
		strstr(out, "  2. 2021-12-10 15:45:38  conn/callback-web-facing\n       The internet-facing server 192.0.2.10 connected to"));
	ck_assert_ptr_nonnull(strstr(out, "contacted it 6 s earlier"));
	ck_assert_ptr_nonnull(strstr(out, "(repeats: 3)"));
	ck_assert_ptr_nonnull(strstr(
		out, "Blocked 203.0.113.233 port 88/TCP from 2021-12-10 15:45:38 to 2021-12-10 17:45:38 (block 17)"));
	ck_assert_ptr_nonnull(strstr(out, "sekimori block extend 17 --by 2h"));
	ck_assert_ptr_null(strstr(out, "close the incident")); // there is no such command
	ck_assert_ptr_nonnull(strstr(out, "sekimori suppress add --policy conn/new-agent-bare-ip --device 192.0.2.10 --for 30d"));
	ck_assert_ptr_nonnull(strstr(out, "Log4Shell"));
	tell(ja, &c, 9 * 3600, out, sizeof(out));
	ck_assert_ptr_eq(
		strstr(out, "インシデント 3（優先度 5/5）：192.0.2.10（外部公開サーバ）にて「外部からの攻撃の試み → "
			    "外部サーバへの折り返し接続 → 不審なコードの受信 → "
			    "通常見られない外部通信」を検知（相手：203.0.113.233）。【遮断中】"),
		out);
	ck_assert_ptr_nonnull(strstr(out, "時刻はUTC+09:00"));
	ck_assert_ptr_nonnull(strstr(out, "2021-12-11 00:45:38"));
	tell(en, &c, (uint64_t) - (5 * 3600 + 1800), out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "times in UTC-05:30"));
	ck_assert_ptr_nonnull(strstr(out, "2021-12-10 10:15:38"));
	story_free(en);
	story_free(ja);
}
END_TEST

START_TEST(what_was_not_stopped_is_never_called_stopped)
{
	static const struct {
		unsigned state, response;
		const char *headline, *done;
	} cases[] = {
		{BLOCK_WOULD, RESPONSE_WOULD_BLOCK, "Not stopped: Sekimori only observes", "Nothing was blocked."},
		{BLOCK_EXPIRED, RESPONSE_WOULD_BLOCK, "Not stopped: Sekimori only observes", "Nothing was blocked."},
		{BLOCK_PENDING, RESPONSE_PROPOSED, "Not stopped yet", "Proposed to block"},
		{BLOCK_LIFTED, RESPONSE_REFUSED, "Not stopped: the response was refused", "was lifted by sekimori"},
		{BLOCK_LIFTED, RESPONSE_BLOCKED, "Stopped at first: the block of 203.0.113.233 port 88/TCP was lifted by sekimori.",
		 "planned to 2021-12-10 17:45:38"},
		{BLOCK_LIFTED, RESPONSE_PROPOSED, "Not stopped: the proposed block of 203.0.113.233 port 88/TCP was lifted by sekimori.",
		 "was lifted by sekimori"},
		{BLOCK_EXPIRED, RESPONSE_BLOCKED, "Stopped: 203.0.113.233 port 88/TCP was blocked until",
		 "has ended by itself"},
	};
	struct story *en = words("en");
	struct scene c;
	char out[16384];

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		set_scene(&c, cases[n].state, cases[n].response);
		tell(en, &c, 0, out, sizeof(out));
		ck_assert_msg(strstr(out, cases[n].headline) != NULL, "%s", out);
		ck_assert_msg(strstr(out, cases[n].done) != NULL, "%s", out);
	}
	set_scene(&c, BLOCK_ACTIVE, RESPONSE_CUT);
	ck_assert_int_gt(story_incident(en, &c.incident, c.alerts, 4, NULL, 0, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "Stopped: the connection was cut."));
	ck_assert_ptr_nonnull(strstr(out, "Cut 1 connections."));
	c.alert[2].response = RESPONSE_CUT; // of the same frame
	c.alert[3].dropped = 1;
	c.alert[3].flow++;
	ck_assert_int_gt(story_incident(en, &c.incident, c.alerts, 4, NULL, 0, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "Cut 2 connections."));
	set_scene(&c, BLOCK_ACTIVE, RESPONSE_NONE);
	ck_assert_int_gt(story_incident(en, &c.incident, c.alerts, 4, NULL, 0, 0, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "Nothing was to be stopped by policy."));
	ck_assert_int_gt(story_incident(en, &c.incident, NULL, 0, NULL, 0, 0, out, sizeof(out)), 0);
	story_free(en);
}
END_TEST

START_TEST(hostile_texts_neither_fill_templates_nor_move_the_cursor)
{
	struct story *en = words("en");
	struct alert a = told("conn/new-agent-bare-ip", T0);
	char out[4096];

	snprintf(a.agent, sizeof(a.agent), "{endpoint}\x1b[2J\nIncident 9 closed");
	ck_assert_int_gt(story_alert(en, &a, 0, out, sizeof(out)), 0);
	ck_assert_ptr_null(strchr(out, '\x1b'));
	ck_assert_ptr_null(strstr(out, "\nIncident 9"));
	ck_assert_ptr_nonnull(strstr(out, "\"{endpoint}\\x1b"));
	story_free(en);
}
END_TEST

START_TEST(too_little_room_is_told_and_never_overrun)
{
	struct story *en = words("en");
	struct scene c;
	char out[16384];
	int whole;

	set_scene(&c, BLOCK_ACTIVE, RESPONSE_BLOCKED);
	whole = story_incident(en, &c.incident, c.alerts, 4, c.blocks, 1, 0, out, sizeof(out));
	for (size_t cap = 1; cap <= (size_t)whole; cap += 97) {
		char *small = malloc(cap); // exactly as large as said: the sanitizer watches

		ck_assert_int_eq(story_incident(en, &c.incident, c.alerts, 4, c.blocks, 1, 0, small, cap), -ENOSPC);
		free(small);
	}
	ck_assert_int_eq(story_incident(en, &c.incident, c.alerts, 4, c.blocks, 1, 0, out, (size_t)whole + 1), whole);
	story_free(en);
}
END_TEST

static void check_bad(const char *folder, const char *text, const char *expected)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/text/xx.yaml", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	error[0] = 0;
	ck_assert_ptr_null(story_load(folder, "xx", error));
	ck_assert_msg(strstr(error, expected) != NULL, "%s, wanted %s", error, expected);
	unlink(path);
}

START_TEST(a_faulty_catalogue_is_refused_with_file_and_line)
{
	char folder[] = "/tmp/sekimori_story_XXXXXX", text[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(text, sizeof(text), "%s/text", folder);
	ck_assert_int_eq(mkdir(text, 0700), 0);
	check_bad(folder, "a: \"x\"\nb: [1, 2]\n", "xx.yaml:2: expected one text after the id");
	check_bad(folder, "a: \"x\"\nb: \"y\"\na: \"z\"\n", "xx.yaml:3: this id stands twice: a");
	check_bad(folder, "a: \"x {name\"\n", "xx.yaml:1: unpaired brace: a");
	check_bad(folder, "a: \"x} {\"\n", "xx.yaml:1: unpaired brace: a");
	check_bad(folder, "- a\n", "xx.yaml:1: expected `id: text` lines");
	check_bad(folder, "a: \"x\n\n", "xx.yaml:");
	check_bad(folder, "{}\n", "xx.yaml:1: no texts");
	check_bad(folder, "", "xx.yaml:1: expected texts");
	ck_assert_ptr_null(story_load(folder, "yy", error));
	ck_assert_ptr_nonnull(strstr(error, "/text/yy.yaml:0: No such file"));
	ck_assert_ptr_null(story_load(folder, "../en", error));
	rmdir(text);
	rmdir(folder);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		both_catalogues_have_the_same_ids_and_the_same_names,
		every_policy_has_words_of_its_own_in_both_languages,
		every_policy_we_ship_has_words,
		every_feature_response_phase_and_block_state_has_words,
		an_alert_is_told_with_its_exact_counts,
		an_alarm_on_evidence_names_what_weighs_most,
		a_roll_out_is_told_with_its_value_and_how_many,
		a_part_of_an_incident_s_alerts_is_called_a_part,
		an_incident_that_lost_count_of_its_devices_says_at_least,
		no_length_of_texts_takes_a_story_away,
		an_incident_is_told_with_headline_time_line_action_and_next_steps,
		what_was_not_stopped_is_never_called_stopped,
		hostile_texts_neither_fill_templates_nor_move_the_cursor,
		too_little_room_is_told_and_never_overrun,
		a_faulty_catalogue_is_refused_with_file_and_line,
	};

	RUN("story", tests);
}
