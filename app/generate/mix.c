// SPDX-License-Identifier: GPL-2.0-or-later
// See mix.h.
#include "mix.h"
#include "datagram.h"
#include "directory.h"
#include "log.h"
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	INSIDE_CLIENTS = 4096,
	INSIDE_SERVERS = 40,
	OUTSIDE = 200,
	NAME_BYTES = 64,
	BETWEEN_US = 750,
	LDAP_MESSAGES = 6, // bind, its answer, search, entry, its end, unbind
};
#define START_NS (1638489600ull * SEC)

struct scene {
	struct stage *stage;
	struct chance chance;
	struct mix_census *census;
	struct host client, server;
	char name[NAME_BYTES];
	uint64_t at_ns;
};

typedef void (*flow_fn)(struct scene *s);

static struct host inside(uint32_t number, bool six, bool server)
{
	const uint8_t v4[4] = {server ? 172 : 10, server ? 16 : 1, (uint8_t)(number >> 8), (uint8_t)(1 + number % 250)};
	const uint8_t v6[16] = {0x20,
				1,
				0x0d,
				0xb8,
				0,
				1,
				0,
				(uint8_t)server,
				[13] = (uint8_t)(number >> 8),
				[15] = (uint8_t)(1 + number % 250)};

	return (struct host){six ? address_v6(v6) : address_v4(v4), true, 64, 120};
}

static struct host outside(uint32_t number, bool six)
{
	const uint8_t v4[4] = {198, 51, 100, (uint8_t)(1 + number)};
	const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0xf0, 0, [15] = (uint8_t)(1 + number)};

	return (struct host){six ? address_v6(v6) : address_v4(v4), false, 55, 4000};
}

// One in five is a visitor of a server inside, the others are clients inside that go out.
static void cast(struct scene *s)
{
	bool six = chance_percent(&s->chance, 20), visit = chance_percent(&s->chance, 20);
	uint32_t far = chance_skewed(&s->chance, OUTSIDE), near;

	near = chance_below(&s->chance, visit ? INSIDE_SERVERS : INSIDE_CLIENTS);
	s->client = visit ? outside(far, six) : inside(near, six, false);
	s->server = visit ? inside(near, six, true) : outside(far, six);
	if (chance_percent(&s->chance, 3))
		s->client.vlan = (uint16_t)(100 + near % 8);
	snprintf(s->name, sizeof(s->name), "www%03u.service.example", visit ? near : far);
}

static void open(struct scene *s, struct talk *t, uint16_t port)
{
	talk_open(t, s->stage, &s->chance, &s->client, &s->server, port, s->at_ns);
}

// Small answers often, large ones seldom: a third of all bytes lies in three answers of a hundred.
static uint32_t body_bytes(struct chance *c)
{
	uint32_t percent = chance_below(c, 100);

	return percent < 60   ? (uint32_t)chance_between(c, 200, 4000)
	       : percent < 97 ? (uint32_t)chance_between(c, 2000, 12000)
			      : (uint32_t)chance_between(c, 40000, 90000);
}

static void http_flow(struct scene *s)
{
	static const enum http_client clients[] = {HTTP_BROWSER, HTTP_BROWSER, HTTP_BROWSER, HTTP_CURL, HTTP_JAVA};
	static const enum body bodies[] = {BODY_HTML, BODY_CSS, BODY_JSON, BODY_PNG, BODY_TEXT};
	unsigned requests = 1 + chance_below(&s->chance, 6);
	uint32_t catalogue;
	struct talk t;
	char uri[NAME_BYTES];

	open(s, &t, 80);
	for (unsigned i = 0; i < requests; i++) {
		struct http_ask ask = {"GET",
				       uri,
				       s->name,
				       "Mozilla/5.0 (X11; Linux x86_64; rv:94.0) Gecko/20100101 Firefox/94.0",
				       clients[chance_below(&s->chance, 5)],
				       NULL,
				       NULL};
		struct http_answer answer = {200, "nginx", bodies[chance_below(&s->chance, 5)], body_bytes(&s->chance),
					     chance_percent(&s->chance, 15)};

		catalogue = chance_below(&s->chance, 90);
		snprintf(uri, sizeof(uri), "/catalogue/%u/item-%u?page=%u", catalogue, chance_below(&s->chance, 10000), i);
		http_exchange(&t, &ask, &answer, i ? chance_between(&s->chance, 2 * MS, 200 * MS) : 200 * US);
	}
	talk_close(&t, CLIENT, 50 * US);
	s->census->http_requests += requests;
	s->census->http_responses += requests;
}

static void tls_flow(struct scene *s)
{
	struct tls_plan plan = {(enum tls_client)chance_below(&s->chance, TLS_CLIENTS), s->name, 2, 400, 0, 100 * MS};
	struct talk t;

	plan.rounds += chance_below(&s->chance, 4);
	plan.down = body_bytes(&s->chance) / 2;
	open(s, &t, 443);
	tls_session(&t, &plan);
	s->census->tls++;
}

static void dns_flow(struct scene *s)
{
	name_exchange(s->stage, &s->chance, &s->client, &s->server, s->name, s->at_ns);
	s->census->dns += 2;
}

static void ldap_flow(struct scene *s)
{
	struct talk t;

	open(s, &t, 389);
	ldap_session(&t, chance_below(&s->chance, 1000));
	s->census->ldap += LDAP_MESSAGES;
}

static const struct {
	uint32_t per_mille;
	flow_fn run;
} FLOWS[] = {{300, http_flow}, {437, tls_flow}, {250, dns_flow}, {13, ldap_flow}};

void mix_write(struct stage *s, const struct mix_plan *plan, struct mix_census *census)
{
	struct scene scene = {.stage = s,
			      .chance = chance_of(plan->seed, 0x6d6978, 0, 0),
			      .census = census,
			      .at_ns = plan->start_ns};
	uint64_t between_ns = (plan->between_us ? plan->between_us : BETWEEN_US) * US;

	memset(census, 0, sizeof(*census));
	for (census->flows = 0; census->flows < plan->flows; census->flows++, scene.at_ns += between_ns) {
		uint32_t dice = chance_below(&scene.chance, 1000);
		unsigned kind = 0;

		while (dice >= FLOWS[kind].per_mille)
			dice -= FLOWS[kind++].per_mille;
		cast(&scene);
		trace_flush(&s->trace, scene.at_ns);
		FLOWS[kind].run(&scene);
	}
}

void mix_file(char path[MIX_PATH_BYTES], uint32_t flows, uint32_t between_us, struct mix_census *census)
{
	const struct mix_plan plan = {1, START_NS, flows, between_us};
	struct stage stage;
	int fd;

	strcpy(path, "/tmp/sekimori-bench-XXXXXX");
	fd = mkstemp(path);
	stage_init(&stage);
	if (fd < 0 || trace_open(&stage.trace, path) < 0)
		log_fatal("%s cannot be written", path);
	close(fd);
	mix_write(&stage, &plan, census);
	if (trace_close(&stage.trace) < 0)
		log_fatal("%s cannot be written", path);
	stage_fini(&stage);
}
