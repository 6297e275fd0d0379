// SPDX-License-Identifier: GPL-2.0-or-later
// What the company's servers and things do by themselves.
#include "company.h"
#include "datagram.h"
#include "directory.h"

#include <stdio.h>

static void open_inside(struct duty *d, struct talk *t, enum part p, uint16_t port)
{
	const struct member *to = company_of_part(d->company, p, d->member->number);

	talk_open(t, d->stage, d->chance, &d->member->host, &to->host, port, d->when_ns);
}

static void principal_of(const struct member *m, char out[32])
{
	snprintf(out, 32, "%s%03u", m->part == PART_OFFICE || m->part == PART_DEVELOPER ? "user" : "svc-", m->number);
}

void duty_kerberos(struct duty *d)
{
	const struct member *to = company_of_part(d->company, PART_DIRECTORY, d->member->number);
	char principal[32];
	struct talk t;

	principal_of(d->member, principal);
	if (chance_percent(d->chance, 60)) {
		kerberos_datagrams(d->stage, d->chance, &d->member->host, &to->host, principal, d->when_ns);
		return;
	}
	open_inside(d, &t, PART_DIRECTORY, 88);
	kerberos_session(&t, principal);
}

void duty_ldap(struct duty *d)
{
	struct talk t;

	open_inside(d, &t, PART_DIRECTORY, 389);
	ldap_session(&t, chance_below(d->chance, 200));
}

void duty_time(struct duty *d)
{
	time_exchange(d->stage, d->chance, &d->member->host,
		      &d->company->member[d->company->resolver[d->member->number % 2]].host, d->when_ns);
}

void duty_time_outside(struct duty *d)
{
	struct site site;
	uint64_t when;

	site_describe(d->company, NAMED_TIME, d->day, &site);
	when = company_look_up(d, NAMED_TIME, &site);
	time_exchange(d->stage, d->chance, &d->member->host, &site.host, when);
}

void duty_rest(struct duty *d)
{
	static const char *const uris[] = {"/v2/orders?state=open", "/v2/stock/1187", "/v2/customers/42", "/v2/health"};
	char agent[200];
	struct http_ask ask = {"GET", uris[chance_below(d->chance, 4)], "api.corp.example:8080", agent, HTTP_JAVA, NULL,
			       NULL};
	struct http_answer answer = {200, NULL, BODY_JSON, 400, false};
	struct talk t;

	program_agent(d->company, d->member, PROGRAM_JAVA, d->day, agent);
	open_inside(d, &t, PART_APPLICATION, 8080);
	http_exchange(&t, &ask, &answer, 200 * US);
	talk_close(&t, CLIENT, 1 * SEC);
}

void duty_update(struct duty *d)
{
	static const char *const packages[] = {"libc-bin",     "openssl",    "curl",   "tzdata",
					       "nginx-common", "vim-common", "libxml2"};
	char agent[200], uri[160];
	struct site site;
	struct http_ask ask = {"GET", "/debian/dists/bullseye/InRelease", site.name, agent, HTTP_APT, NULL, NULL};
	struct http_answer index = {200, "Apache", BODY_PACKAGES, 900, false},
			   package = {200, "Apache", BODY_DEB, 3000, false};
	const char *name = packages[chance_below(d->chance, 7)];
	struct talk t;

	program_agent(d->company, d->member, PROGRAM_APT, d->day, agent);
	company_reach(d, &t, chance_percent(d->chance, 50) ? NAMED_REPOSITORY : NAMED_SECURITY, &site);
	http_exchange(&t, &ask, &index, 300 * US);
	if (chance_percent(d->chance, 50)) {
		snprintf(uri, sizeof(uri), "/debian/pool/main/%c/%s/%s_1.%u_amd64.deb", name[0], name, name,
			 chance_below(d->chance, 40));
		ask.uri = uri;
		http_exchange(&t, &ask, &package, chance_between(d->chance, 20 * MS, 900 * MS));
	}
	talk_close(&t, CLIENT, 100 * MS);
}

void duty_partner(struct duty *d)
{
	company_session(d, NAMED_PARTNER,
			&(struct tls_plan){TLS_JAVA, NULL, 1 + chance_below(d->chance, 2), 500, 500, 2 * SEC});
}

// What one server alone uses (payments, statistics, maps), and after some months another one.
void duty_own_service(struct duty *d)
{
	enum { KEPT_DAYS = 150 };
	uint64_t who = chance_mix(chance_mix(d->company->seed, 54), (uint64_t)(d->member - d->company->member));
	uint32_t service = (uint32_t)((d->day + who % KEPT_DAYS) / KEPT_DAYS);

	company_session(d, SITE_FRESH + (uint32_t)(chance_mix(who, service) % (1u << 30)),
			&(struct tls_plan){TLS_OPENSSL, NULL, 1 + chance_below(d->chance, 2), 400, 700, 1 * SEC});
}

void duty_watch(struct duty *d)
{
	company_session(d, NAMED_WATCH, &(struct tls_plan){TLS_GO, NULL, 1, 700, 90, 1 * SEC});
}

// The monitor looks whether the others are alive.
void duty_ping(struct duty *d)
{
	const struct member *to = &d->company->member[chance_below(d->chance, 40)]; // servers stand first

	ping(d->stage, d->chance, &d->member->host, &to->host, 1, d->when_ns);
}

void duty_backup(struct duty *d)
{
	struct talk t;

	open_inside(d, &t, PART_BACKUP, 9102);
	tls_session(&t, &(struct tls_plan){TLS_OPENSSL, "backup.corp.example", 1, 9000, 60, 1 * SEC});
}

void duty_vault(struct duty *d)
{
	company_session(d, NAMED_VAULT, &(struct tls_plan){TLS_OPENSSL, NULL, 4, 60000, 60, 500 * MS});
}

static void fetch(struct duty *d, uint32_t number, enum program p, enum http_client client, const char *uri,
		  enum body body)
{
	char agent[200];
	struct site site;
	struct http_ask ask = {"GET", uri, site.name, agent, client, NULL, NULL};
	struct http_answer answer = {200, "nginx", body, 2200, false};
	struct talk t;
	uint64_t when;

	site_describe(d->company, number, d->day, &site);
	program_agent(d->company, d->member, p, d->day, agent);
	when = company_look_up(d, number, &site);
	talk_open(&t, d->stage, d->chance, &d->member->host, &site.host, 80, when);
	http_exchange(&t, &ask, &answer, 400 * US);
	talk_close(&t, CLIENT, 5 * MS);
}

// A build pulls what it is made of; new suppliers are added now and then.
void duty_build(struct duty *d)
{
	uint32_t percent = chance_below(d->chance, 1000);

	if (percent < 4)
		fetch(d, SITE_FRESH + chance_below(d->chance, 1u << 30), PROGRAM_JAVA, HTTP_JAVA,
		      "/m2/lib/tool/1.2/tool-1.2.jar", BODY_JAR);
	else if (percent < 200)
		fetch(d, NAMED_RELEASES, PROGRAM_CURL, HTTP_CURL, "/tool/releases/download/tool.zip", BODY_ZIP);
	else if (percent < 500)
		fetch(d, SITE_OF_PART + PART_BUILD * SITES_OF_PART + chance_skewed(d->chance, 30), PROGRAM_JAVA,
		      HTTP_JAVA, "/m2/lib/core/2.0/core-2.0.jar", BODY_JAR);
	else
		company_session(d, percent < 750 ? NAMED_REGISTRY : NAMED_MODULES,
				&(struct tls_plan){TLS_GO, NULL, 2, 300, 900, 1 * SEC});
}

// What a gateway's programs read by themselves: known feeds, seldom another.
void duty_feed(struct duty *d)
{
	bool fresh = chance_below(d->chance, 200) == 0;

	fetch(d,
	      fresh ? SITE_FRESH + chance_below(d->chance, 1u << 30)
		    : SITE_OF_PART + PART_GATEWAY * SITES_OF_PART + chance_skewed(d->chance, 10),
	      PROGRAM_JAVA, HTTP_JAVA, "/feed.xml", BODY_HTML);
}

// An administrator on a server: usually from a known place, now and then a script from a new one.
void duty_admin(struct duty *d)
{
	uint32_t percent = chance_below(d->chance, 100);
	bool wget = chance_percent(d->chance, 40);

	if (percent < 8)
		fetch(d, SITE_FRESH + chance_below(d->chance, 1u << 30), wget ? PROGRAM_WGET : PROGRAM_CURL,
		      wget ? HTTP_WGET : HTTP_CURL, percent < 4 ? "/setup.sh" : "/agent-1.4.tar.gz",
		      percent < 4 ? BODY_SHELL : BODY_ZIP);
	else
		fetch(d,
		      percent < 60 ? NAMED_RELEASES
				   : SITE_OF_PART + d->member->part * SITES_OF_PART + chance_skewed(d->chance, 12),
		      wget ? PROGRAM_WGET : PROGRAM_CURL, wget ? HTTP_WGET : HTTP_CURL,
		      percent < 40 ? "/get.sh" : "/release.zip", percent < 40 ? BODY_SHELL : BODY_ZIP);
}

void duty_printer(struct duty *d)
{
	char agent[200];
	struct site site;
	struct http_ask ask = {"POST", "/status", site.name, agent, HTTP_PLAIN, NULL, "toner=61&pages=10233"};
	struct http_answer answer = {200, "Apache", BODY_TEXT, 40, false};
	struct talk t;

	program_agent(d->company, d->member, PROGRAM_PRINTER, d->day, agent);
	company_reach(d, &t, NAMED_PRINTER, &site);
	http_exchange(&t, &ask, &answer, 2 * MS);
	talk_close(&t, SERVER, 2 * SEC);
}

void duty_camera(struct duty *d)
{
	company_session(d, NAMED_CAMERA, &(struct tls_plan){TLS_GNUTLS, NULL, 1, 500, 60, 3 * SEC});
}
