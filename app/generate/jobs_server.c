// SPDX-License-Identifier: GPL-2.0-or-later
// What servers, printers and cameras do, and what visitors and scanners do to the web servers.
#include "datagram.h"
#include "directory.h"
#include "ordinary.h"

#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const char *const SITES[] = {"www.corp.example", "shop.corp.example", "portal.corp.example", "app.corp.example"};

static const char *const VISITOR_AGENTS[] = {
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 "
	"Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 15_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.1"
	" Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:94.0) Gecko/20100101 Firefox/94.0",
	"Mozilla/5.0 (Linux; Android 11; SO-53B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile "
	"Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.1 "
	"Safari/605.1.15",
	"Mozilla/5.0 (compatible; SearchOneBot/2.1; +http://www.search-one.example/bot.html)",
	"Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Firefox/91.0",
	"FeedReader/3.2 (+http://feeds.example)",
};

static const struct {
	const char *uri;
	enum body body;
	uint32_t bytes;
} PAGES[] = {
	{"/", BODY_HTML, 1500},
	{"/style.css", BODY_CSS, 900},
	{"/logo.png", BODY_PNG, 1300},
	{"/news/", BODY_HTML, 1800},
	{"/about.html", BODY_HTML, 1200},
	{"/products/list?page=1", BODY_HTML, 1700},
	{"/contact.html", BODY_HTML, 800},
	{"/catalogue.pdf", BODY_PDF, 5000},
	{"/feed.json", BODY_JSON, 1500},
};

static const struct host *pick_side(struct work *w, const struct host *outside)
{
	return outside->address.family == 6 ? &w->device->host6 : &w->device->host;
}

void job_visit_http(struct work *w)
{
	bool six = chance_percent(w->chance, 20);
	struct host visitor = host_visitor(w->chance, six);
	const char *agent = VISITOR_AGENTS[chance_skewed(w->chance, COUNT(VISITOR_AGENTS))];
	unsigned pages = 1 + chance_skewed(w->chance, 5);
	unsigned first;
	struct talk t;

	talk_open(&t, w->stage, w->chance, &visitor, pick_side(w, &visitor), 80, w->when_ns);
	for (unsigned i = 0; i < pages; i++) {
		uint32_t page = i ? chance_below(w->chance, COUNT(PAGES)) : chance_skewed(w->chance, COUNT(PAGES));
		struct http_ask ask = {"GET", PAGES[page].uri, SITES[w->device->number % 4], agent, HTTP_BROWSER, NULL,
				       NULL};
		struct http_answer answer = {200, "nginx/1.18.0", PAGES[page].body, PAGES[page].bytes,
					     chance_percent(w->chance, 15)};

		if (i && chance_percent(w->chance, 12))
			answer = (struct http_answer){304, "nginx/1.18.0", BODY_NONE, 0, false};
		http_exchange(&t, &ask, &answer, i ? chance_between(w->chance, 20 * MS, 8 * SEC) : 500 * US);
	}
	first = chance_percent(w->chance, 60) ? CLIENT : SERVER;
	talk_close(&t, first, chance_between(w->chance, 100 * MS, 60 * SEC));
}

void job_visit_https(struct work *w)
{
	bool six = chance_percent(w->chance, 20);
	struct host visitor = host_visitor(w->chance, six);
	enum tls_client client = (enum tls_client)chance_skewed(w->chance, TLS_CLIENTS);
	unsigned rounds = 1 + chance_skewed(w->chance, 4);
	struct tls_plan plan = {client, SITES[w->device->number % 4], rounds, 420, 1000, 6 * SEC};
	struct talk t;

	talk_open(&t, w->stage, w->chance, &visitor, pick_side(w, &visitor), 443, w->when_ns);
	tls_session(&t, &plan);
}

static void scan_http(struct work *w, struct talk *t)
{
	static const struct {
		const char *method, *uri, *agent;
		enum http_client client;
	} pokes[] = {
		{"GET", "/", "Mozilla/5.0 zgrab/0.x", HTTP_CURL},
		{"GET", "/", "masscan/1.3", HTTP_CURL},
		{"GET", "/.env", "Mozilla/5.0 (compatible; InternetSurvey/1.1)", HTTP_CURL},
		{"GET", "/", "-", HTTP_NAMELESS},
		{"GET", "/.git/config", "python-requests/2.26.0", HTTP_PYTHON},
		{"GET", "/wp-login.php", "Mozlila/5.0 (Linux; Android 7.0; SM-G892A Bulid/NRD90M; wv)", HTTP_PLAIN},
		{"GET", "/owa/auth/logon.aspx", "Go-http-client/1.1", HTTP_PLAIN},
		{"GET", "/actuator/health", "Hello, world", HTTP_PLAIN},
		{"POST", "/boaform/admin/formLogin",
		 "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:71.0) Gecko/20100101 Firefox/71.0", HTTP_PLAIN},
		{"GET", "/solr/admin/info/system?wt=json", "l9tcpid/v1.1.0", HTTP_PLAIN},
	};
	uint32_t n = chance_skewed(w->chance, COUNT(pokes));
	char host[ADDRESS_TEXT_BYTES];
	struct http_ask ask = {pokes[n].method,
			       pokes[n].uri,
			       address_format(&w->device->host.address, host),
			       pokes[n].agent,
			       pokes[n].client,
			       NULL,
			       strcmp(pokes[n].method, "POST") ? NULL : "username=admin&psd=admin"};
	struct http_answer answer = {pokes[n].uri[1] ? 404 : 200, "nginx/1.18.0", BODY_HTML, 400, false};

	http_exchange(t, &ask, &answer, 500 * US);
	talk_close(t, CLIENT, 5 * MS);
}

void job_scan(struct work *w)
{
	static const uint16_t ports[] = {22, 23, 3389, 8080, 445, 1433, 6379, 2375};
	struct host scanner = host_scanner(w->chance);
	uint32_t kind = chance_below(w->chance, 10);
	struct talk t;

	if (kind < 4) {
		for (unsigned i = 0; i < 2; i++)
			talk_refused(w->stage, w->chance, &scanner, &w->device->host,
				     ports[chance_skewed(w->chance, COUNT(ports))], w->when_ns + i * 300 * MS);
		return;
	}
	talk_open(&t, w->stage, w->chance, &scanner, &w->device->host, kind == 9 ? 443 : 80, w->when_ns);
	if (kind == 9)
		tls_session(&t, &(struct tls_plan){TLS_GO, NULL, 1, 90, 700, 1 * SEC});
	else
		scan_http(w, &t);
}

void job_update(struct work *w)
{
	static const char *const packages[] = {"libc-bin",     "openssl",    "curl",   "tzdata",
					       "nginx-common", "vim-common", "libxml2"};
	uint32_t service = chance_percent(w->chance, 50) ? SERVICE_REPOSITORY : SERVICE_REPOSITORY_SECURITY;
	struct http_ask ask = {"GET",
			       "/debian/dists/bullseye/InRelease",
			       SERVICES[service].name,
			       "Debian APT-HTTP/1.3 (2.2.4)",
			       HTTP_APT,
			       NULL,
			       NULL};
	struct http_answer index = {200, "Apache", BODY_PACKAGES, 2500, false};
	struct http_answer package = {200, "Apache", BODY_DEB, (uint32_t)chance_between(w->chance, 4000, 12000), false};
	struct host to;
	uint64_t when = name_lookup(w->stage, w->organisation, w->chance, w->device, service, w->day, w->when_ns, &to);
	const char *name = packages[chance_below(w->chance, COUNT(packages))];
	char uri[160];
	unsigned version;
	struct talk t;

	talk_open(&t, w->stage, w->chance, to.address.family == 6 ? &w->device->host6 : &w->device->host, &to, 80,
		  when);
	http_exchange(&t, &ask, &index, 300 * US);
	if (chance_percent(w->chance, 60)) {
		version = chance_below(w->chance, 270);
		snprintf(uri, sizeof(uri), "/debian/pool/main/%c/%s/%s_1.%u-%u_amd64.deb", name[0], name, name,
			 version / 9, 1 + version % 9);
		ask.uri = uri;
		http_exchange(&t, &ask, &package, chance_between(w->chance, 20 * MS, 900 * MS));
	}
	talk_close(&t, CLIENT, 100 * MS);
}

void job_time(struct work *w)
{
	struct host to;
	uint64_t when =
		name_lookup(w->stage, w->organisation, w->chance, w->device, SERVICE_TIME, w->day, w->when_ns, &to);

	time_exchange(w->stage, w->chance, to.address.family == 6 ? &w->device->host6 : &w->device->host, &to, when);
}

void job_time_inside(struct work *w)
{
	time_exchange(w->stage, w->chance, &w->device->host, &w->organisation->resolver, w->when_ns);
}

void job_neighbour(struct work *w)
{
	neighbour_exchange(w->stage, w->chance, &w->device->host, &w->organisation->router, w->when_ns);
}

static uint64_t open_inside(struct work *w, struct talk *t, uint32_t service, uint16_t port, struct host *to)
{
	uint64_t when = name_lookup(w->stage, w->organisation, w->chance, w->device, service, w->day, w->when_ns, to);

	talk_open(t, w->stage, w->chance, &w->device->host, to, port, when);
	return when;
}

void job_ldap(struct work *w)
{
	struct host to;
	struct talk t;

	open_inside(w, &t, SERVICE_DIRECTORY, 389, &to);
	ldap_session(&t, chance_below(w->chance, 120));
}

void job_kerberos(struct work *w)
{
	struct host to = service_host(SERVICE_DIRECTORY, false, w->day);
	char principal[32];
	struct talk t;

	snprintf(principal, sizeof(principal), "%s%03u", w->device->role == ROLE_WORKSTATION ? "user" : "svc-web",
		 w->device->number);
	if (chance_percent(w->chance, 30)) {
		kerberos_datagrams(w->stage, w->chance, &w->device->host, &to, principal, w->when_ns);
		return;
	}
	open_inside(w, &t, SERVICE_DIRECTORY, 88, &to);
	kerberos_session(&t, principal);
}

// The API server also watches whether the others are alive.
void job_monitor(struct work *w)
{
	static const uint8_t watched[] = {10, 11, 12, 13, 20, 21, 30};
	struct host to = host_inside(watched[chance_below(w->chance, COUNT(watched))]);

	ping(w->stage, w->chance, &w->device->host, &to, 1, w->when_ns);
}

void job_rest(struct work *w)
{
	static const char *const uris[] = {"/v2/orders?state=open", "/v2/stock/1187", "/v2/customers/42", "/v2/health"};
	struct http_ask ask = {"GET", "", "api.corp.example:8080", "Java/11.0.12", HTTP_JAVA, NULL, NULL};
	struct http_answer answer = {200, NULL, BODY_JSON, 600, false};
	unsigned calls = 1 + chance_below(w->chance, 3);
	struct host to;
	struct talk t;

	open_inside(w, &t, SERVICE_API, 8080, &to);
	for (unsigned i = 0; i < calls; i++) {
		ask.uri = uris[chance_below(w->chance, COUNT(uris))];
		http_exchange(&t, &ask, &answer, chance_between(w->chance, 200 * US, 80 * MS));
	}
	talk_close(&t, CLIENT, 5 * SEC);
}

// An SMTP dialogue up to STARTTLS, then records.
static void smtp_session(struct work *w, struct talk *t, const char *server, const char *client, enum tls_client tls)
{
	struct message *m = &t->stage->message;

	message_format(m, "220 %s ESMTP ready\r\n", server);
	talk_say(t, SERVER, 5 * MS);
	message_format(m, "EHLO %s\r\n", client);
	talk_say(t, CLIENT, 1 * MS);
	message_format(m, "250-%s\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n", server);
	talk_say(t, SERVER, 1 * MS);
	message_text(m, "STARTTLS\r\n");
	talk_say(t, CLIENT, 1 * MS);
	message_text(m, "220 2.0.0 Ready to start TLS\r\n");
	talk_say(t, SERVER, 1 * MS);
	tls_handshake(t, tls, server);
	for (unsigned i = 0; i < 4; i++) {
		tls_records(t, CLIENT, i == 3 ? (uint32_t)chance_between(w->chance, 800, 5000) : 60, 1 * MS);
		tls_records(t, SERVER, 50, 2 * MS);
	}
	talk_close(t, CLIENT, 5 * MS);
}

void job_mail_in(struct work *w)
{
	struct host from = host_visitor(w->chance, false);
	char server[32], client[32];
	struct talk t;

	snprintf(server, sizeof(server), "mx%u.corp.example", w->device->number + 1);
	snprintf(client, sizeof(client), "out%u.mailer.example", from.address.b[3]);
	talk_open(&t, w->stage, w->chance, &from, &w->device->host, 25, w->when_ns);
	smtp_session(w, &t, server, client, TLS_OPENSSL);
}

void job_mail_out(struct work *w)
{
	uint8_t n = (uint8_t)chance_skewed(w->chance, 20);
	char address[24], server[32], client[32];
	struct host to;
	struct talk t;
	uint64_t when;

	snprintf(address, sizeof(address), "198.51.100.%u", 119u + n);
	snprintf(server, sizeof(server), "mx.peer-%02u.example", n);
	snprintf(client, sizeof(client), "mx%u.corp.example", w->device->number + 1);
	to = host_outside(address);
	when = name_lookup_rare(w->stage, w->organisation, w->chance, w->device, server, &to, w->when_ns);
	talk_open(&t, w->stage, w->chance, &w->device->host, &to, 25, when);
	smtp_session(w, &t, server, client, TLS_OPENSSL);
}

// A TLS session to one service the device is configured for.
static void fixed_session(struct work *w, uint32_t service, const struct tls_plan *plan)
{
	struct tls_plan named = *plan;
	struct host to;
	struct talk t;

	named.name = SERVICES[service].name;
	open_inside(w, &t, service, SERVICES[service].port, &to);
	tls_session(&t, &named);
}

void job_partner(struct work *w)
{
	fixed_session(w, SERVICE_PARTNER,
		      &(struct tls_plan){TLS_JAVA, NULL, 1 + chance_below(w->chance, 3), 700, 900, 2 * SEC});
}

void job_backup(struct work *w)
{
	fixed_session(w, SERVICE_BACKUP, &(struct tls_plan){TLS_OPENSSL, NULL, 6, 70000, 60, 500 * MS});
}

void job_camera(struct work *w)
{
	fixed_session(w, SERVICE_CAMERA, &(struct tls_plan){TLS_GNUTLS, NULL, 2, 1100, 120, 9 * SEC});
}

void job_printer(struct work *w)
{
	struct http_ask ask = {"POST",     "/status", SERVICES[SERVICE_PRINTER].name,     "PrinterAgent/4.1 (MFP-3300)",
			       HTTP_PLAIN, NULL,      "serial=A1183&toner=61&pages=10233"};
	struct http_answer answer = {200, "Apache", BODY_TEXT, 40, false};
	struct host to;
	struct talk t;

	open_inside(w, &t, SERVICE_PRINTER, 80, &to);
	http_exchange(&t, &ask, &answer, 2 * MS);
	talk_close(&t, SERVER, 5 * SEC);
}
