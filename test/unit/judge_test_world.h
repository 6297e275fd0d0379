// SPDX-License-Identifier: GPL-2.0-or-later
// The small organisation judge_test.c judges: its devices, its ordinary days, and the words tests are written in.
#pragma once
#include "judge.h"
#include "text.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR (3600ull * NS_PER_S)
#define DAY (24 * HOUR)
#define START (18970ull * DAY)
#define TODAY (START + 10 * DAY + 15 * HOUR)

enum { WORKSTATIONS = 12, SERVERS = 3, ALERTS = 256 };

static struct counters counters;
static struct policy_set *policies;
static struct learn *learned;
static struct judge *judge;
static struct alert alerts[ALERTS];
static unsigned alert_count;
static uint64_t flows;

static void on_alert(void *user, struct alert *a)
{
	ck_assert_uint_lt(alert_count, ALERTS);
	alerts[alert_count++] = *a;
}

static struct address ip(const char *text)
{
	struct address a;

	ck_assert_int_eq(address_parse(bytes_of_text(text), &a), 0);
	return a;
}

static struct address workstation(unsigned n)
{
	return address_v4((uint8_t[]){10, 0, 0, (uint8_t)(n + 1)});
}

static struct address server(unsigned n)
{
	return address_v4((uint8_t[]){10, 0, 1, (uint8_t)(n + 1)});
}

// --- making observations ---
static struct observation made(unsigned kind, unsigned direction, struct address client, struct address called,
			       uint16_t port, uint64_t now_ns)
{
	struct observation o;

	observation_init(&o, kind);
	o.direction = (uint8_t)direction;
	o.client = client;
	o.server = called;
	o.client_port = 40000;
	o.server_port = port;
	o.transport = 6;
	o.from_client = 1;
	o.time_ns = now_ns;
	o.flow = flows;
	return o;
}

static void observe(const struct observation *o)
{
	ck_assert(observation_check(o));
	judge_observe(judge, o, MODE_OBSERVE);
}

static void opened(unsigned direction, struct address client, struct address called, uint16_t port, uint64_t now_ns)
{
	struct observation o;

	flows++;
	o = made(OBS_FLOW_OPEN, direction, client, called, port, now_ns);
	observe(&o);
}

static void visited(struct address visitor, struct address by, uint64_t now_ns)
{
	opened(DIRECTION_IN, visitor, by, 443, now_ns);
}

static void protocol(struct address client, struct address called, uint16_t port, unsigned app, bool odd,
		     uint64_t now_ns)
{
	struct observation o = made(OBS_PROTOCOL, DIRECTION_OUT, client, called, port, now_ns);

	o.app = (uint8_t)app;
	o.facts = odd ? FACT_BIT(FACT_PROTOCOL_PORT) : 0;
	observe(&o);
}

static void requested(struct address client, struct address called, uint16_t port, const char *host, const char *agent,
		      const char *uri, uint16_t facts, uint64_t now_ns)
{
	struct observation o = made(OBS_HTTP_REQUEST, DIRECTION_OUT, client, called, port, now_ns);
	struct address literal;

	o.app = APP_HTTP;
	o.number[NUM_REQUEST_TX] = 1;
	o.facts = facts;
	observation_put(&o, TEXT_REQUEST_METHOD, bytes_of_text("GET"));
	observation_put(&o, TEXT_REQUEST_URI, bytes_of_text(uri));
	observation_put(&o, TEXT_REQUEST_HOST, bytes_of_text(host));
	observation_put(&o, TEXT_REQUEST_AGENT, bytes_of_text(agent));
	if (host[0] == 0 || address_parse(bytes_of_text(host), &literal) == 0)
		o.flags8 |= OBS_FLAG_BARE_HOST;
	observe(&o);
}

static void received(struct address client, struct address called, uint16_t port, unsigned kind, uint64_t now_ns)
{
	struct observation o = made(OBS_FILE, DIRECTION_OUT, client, called, port, now_ns);
	static const uint16_t facts[FILE_KINDS] = {[FILE_SCRIPT] = FACT_BIT(FACT_SCRIPT),
						   [FILE_ELF] = FACT_BIT(FACT_EXECUTABLE),
						   [FILE_PE] = FACT_BIT(FACT_EXECUTABLE),
						   [FILE_JAVA_CLASS] = FACT_BIT(FACT_JAVA_CLASS)};

	o.app = APP_HTTP;
	o.from_client = 0;
	o.number[NUM_FILE_TX] = 1;
	o.number[NUM_FILE_KIND] = kind;
	o.facts = facts[kind];
	o.flags8 |= OBS_FLAG_BARE_HOST;
	observe(&o);
}

static void resolved(struct address client, const char *name, struct address answer, uint64_t now_ns)
{
	struct observation o = made(OBS_DNS, DIRECTION_OUT, client, ip("198.51.100.53"), 53, now_ns);

	o.transport = 17;
	o.app = APP_DNS;
	observation_put(&o, TEXT_DNS_NAME, bytes_of_text(name));
	observe(&o);
	o.flags8 = OBS_FLAG_RESPONSE;
	o.from_client = 0;
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(&answer, sizeof(answer)));
	observe(&o);
}

static void jndi(struct address attacker, struct address by, const char *host, uint64_t now_ns)
{
	struct observation o = made(OBS_JNDI, DIRECTION_IN, attacker, by, 443, now_ns);
	char decoded[128];

	snprintf(decoded, sizeof(decoded), "jndi:ldap://%s:1389/a", host);
	o.app = APP_HTTP;
	o.facts = FACT_BIT(FACT_JNDI);
	o.number[NUM_JNDI_PORT] = 1389;
	observation_put(&o, TEXT_JNDI_FIELD, bytes_of_text("header:user-agent"));
	observation_put(&o, TEXT_JNDI_SCHEME, bytes_of_text("ldap"));
	observation_put(&o, TEXT_JNDI_HOST, bytes_of_text(host));
	observation_put(&o, TEXT_JNDI_DECODED, bytes_of_text(decoded));
	observe(&o);
}

// One whole ordinary HTTP exchange by a name.
static void fetched(struct address client, const char *host, const char *address, const char *agent, unsigned file,
		    uint64_t now_ns)
{
	struct address a = ip(address);

	resolved(client, host, a, now_ns);
	opened(DIRECTION_OUT, client, a, 80, now_ns + 1);
	protocol(client, a, 80, APP_HTTP, false, now_ns + 2);
	requested(client, a, 80, host, agent, "/x", 0, now_ns + 3);
	received(client, a, 80, file, now_ns + 4);
}

// --- the ordinary day ---
static void ordinary_visits(uint64_t now_ns)
{
	for (unsigned s = 0; s < SERVERS; s++)
		for (unsigned c = 0; c < 30; c++)
			visited(address_v4((uint8_t[]){192, 0, 2, (uint8_t)(c + 100)}), server(s),
				now_ns + c * NS_PER_S);
}

static void ordinary_scan(uint64_t now_ns) // somebody is always poking the DMZ
{
	for (unsigned s = 0; s < SERVERS; s++) {
		visited(ip("203.0.113.250"), server(s), now_ns);
		jndi(ip("203.0.113.250"), server(s), "203.0.113.251", now_ns + 1);
		jndi(ip("203.0.113.250"), server(s), "scan.example.net", now_ns + 2);
	}
}

static void ordinary_day(unsigned day)
{
	char browser[160], host[64], address[32];
	uint64_t now = START + day * DAY + 9 * HOUR;

	// Browsers roll over on day 9; every day a web site nobody has seen.
	snprintf(browser, sizeof(browser), "Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101 Firefox/%u.0",
		 day < 9 ? 94 : 95, day < 9 ? 94 : 95);
	for (unsigned w = 0; w < WORKSTATIONS; w++) {
		fetched(workstation(w), "www.example.com", "198.51.100.10", browser, FILE_HTML, now + w * NS_PER_S);
		snprintf(host, sizeof(host), "site%u-%u.example.org", day, w);
		snprintf(address, sizeof(address), "198.51.101.%u", (day * 12 + w) % 250 + 1);
		fetched(workstation(w), host, address, browser, FILE_JAVASCRIPT, now + HOUR + w * NS_PER_S);
		fetched(workstation(w), "download.example.com", "198.51.100.11", browser,
			w % 2 ? FILE_PE : FILE_ARCHIVE, now + 2 * HOUR);
	}
	fetched(workstation(0), "git.example.org", "198.51.100.12", "git/2.30.2", FILE_BINARY, now + 3 * HOUR);
	fetched(workstation(1), "git.example.org", "198.51.100.12", day < 9 ? "curl/7.74.0" : "curl/7.80.0",
		FILE_SCRIPT, now + 3 * HOUR);
	for (unsigned s = 0; s < SERVERS; s++) // a mirror changes its address on day 9
		fetched(server(s), "deb.example.org", day < 9 ? "198.51.100.13" : "198.51.100.14",
			"Debian APT-HTTP/1.3 (2.2.4)", FILE_PACKAGE, now + 4 * HOUR);
	ordinary_visits(now + 5 * HOUR);
	ordinary_scan(now + 5 * HOUR + 60 * NS_PER_S);
}

static unsigned alerts_above(unsigned priority)
{
	unsigned n = 0;

	for (unsigned i = 0; i < alert_count; i++)
		n += alerts[i].priority > priority;
	return n;
}

static const struct alert *alert_of(const char *policy)
{
	for (unsigned i = 0; i < alert_count; i++)
		if (strcmp(alerts[i].policy, policy) == 0)
			return &alerts[i];
	return NULL;
}

static void expect(const char *policy, unsigned priority)
{
	const struct alert *a = alert_of(policy);

	ck_assert_msg(a != NULL, "no alert of %s (%u others, first %s)", policy, alert_count,
		      alert_count ? alerts[0].policy : "none");
	ck_assert_msg(a->priority == priority, "%s has priority %u", policy, a->priority);
}

static void expect_silence(void)
{
	for (unsigned i = 0; i < alert_count; i++)
		ck_assert_msg(alerts[i].priority <= 1, "unexpected alert of %s", alerts[i].policy);
}

static void begin(void)
{
	struct learn_config config = {.devices = 64, .values = 1 << 14, .key = {3, 4}};
	char error[POLICY_ERROR_BYTES];

	memset(&counters, 0, sizeof(counters));
	alert_count = 0;
	flows = 0;
	policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	ck_assert_msg(policies != NULL, "%s", error);
	learned = learn_create(&config, &counters);
	judge = judge_create(&(struct judge_config){
		.policies = policies, .learn = learned, .counters = &counters, .alert = on_alert});
	ck_assert_ptr_nonnull(judge);
}

static void setup(void) // ten ordinary days
{
	begin();
	for (unsigned day = 0; day < 10; day++)
		ordinary_day(day);
	alert_count = 0;
	ordinary_visits(TODAY - HOUR);
}

static void teardown(void)
{
	judge_destroy(judge);
	learn_destroy(learned);
	policy_free(policies);
}
