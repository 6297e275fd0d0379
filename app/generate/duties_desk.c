// SPDX-License-Identifier: GPL-2.0-or-later
// What people, tills and handhelds of the company do. Bodies are short: what matters is who calls whom, and how.
#include "company.h"
#include "datagram.h"

#include <stdio.h>

static enum tls_client browser_tls(const struct member *m)
{
	return m->browser == PROGRAM_FIREFOX ? TLS_FIREFOX : TLS_CHROME;
}

// One request in the clear with a program's agent.
static void plain_request(struct duty *d, uint32_t number, enum program p, enum http_client client, const char *method,
			  const char *uri, const struct http_answer *answer)
{
	char agent[200];
	struct site site;
	struct talk t;
	struct http_ask ask = {method, uri, site.name, agent, client, NULL, strcmp(method, "POST") ? NULL : "state=ok"};

	program_agent(d->company, d->member, p, d->day, agent);
	company_reach(d, &t, number, &site);
	http_exchange(&t, &ask, answer, 400 * US);
	talk_close(&t, CLIENT, chance_between(d->chance, 20 * MS, 2 * SEC));
}

static void visit(struct duty *d, uint32_t number)
{
	static const char *const uris[] = {"/", "/main.css", "/api/now", "/article?id=311", "/search?q=tokyo"};
	char agent[200], host[80];
	struct http_ask ask = {"GET", "/", host, agent, HTTP_BROWSER, NULL, NULL};
	struct http_answer answer = {200, "Apache", BODY_HTML, 500, false};
	unsigned count = 1 + chance_skewed(d->chance, 3);
	struct site site;
	struct talk t;

	company_reach(d, &t, number, &site);
	if (site.tls) {
		tls_session(&t, &(struct tls_plan){browser_tls(d->member), site.name, 1 + chance_skewed(d->chance, 3),
						   320, 700, 4 * SEC});
		return;
	}
	snprintf(host, sizeof(host), site.port == 80 ? "%s" : "%s:%u", site.name, site.port);
	program_agent(d->company, d->member, d->member->browser, d->day, agent);
	for (unsigned i = 0; i < count; i++) {
		ask.uri = i ? uris[chance_below(d->chance, 5)] : "/";
		http_exchange(&t, &ask, &answer, i ? chance_between(d->chance, 20 * MS, 6 * SEC) : 300 * US);
	}
	talk_close(&t, CLIENT, chance_between(d->chance, 1 * SEC, 20 * SEC));
}

void duty_browse(struct duty *d)
{
	visit(d, site_choose(d));
	if (chance_percent(d->chance, 30)) { // a page brings others with it
		d->when_ns += 300 * MS;
		visit(d, SITE_POPULAR + chance_skewed(d->chance, SITES_POPULAR));
	}
}

void duty_mailbox(struct duty *d)
{
	company_session(d, NAMED_MAILBOX, &(struct tls_plan){browser_tls(d->member), NULL, 2, 500, 900, 30 * SEC});
}

// Voice: datagrams to a port of that call, both ways.
void duty_meeting(struct duty *d)
{
	struct message *m = &d->stage->message;
	uint16_t own = stage_port(d->stage, &d->member->host.address);
	uint16_t port = (uint16_t)(3478 + chance_below(d->chance, 4));
	struct site site;
	uint64_t when;

	site_describe(d->company, NAMED_MEETING, d->day, &site);
	when = company_look_up(d, NAMED_MEETING, &site);
	stage_begin(d->stage);
	for (unsigned i = 0; i < 20; i++) {
		bool back = i % 2;
		size_t at;

		message_clear(m);
		message_u8(m, 0x80);
		message_u8(m, 111);
		at = m->length;
		message_zero(m, 130);
		chance_fill(d->chance, m->at + at, 130);
		datagram(d->stage, back ? &site.host : &d->member->host, back ? port : own,
			 back ? &d->member->host : &site.host, back ? own : port, m, when + i * 1500 * MS);
	}
	message_clear(m);
}

static void inside_tls(struct duty *d, enum part p, uint16_t port, const char *name, const struct tls_plan *plan)
{
	const struct member *to = company_of_part(d->company, p, d->member->number);
	struct tls_plan named = *plan;
	struct talk t;

	named.name = name;
	talk_open(&t, d->stage, d->chance, &d->member->host, &to->host, port, d->when_ns);
	tls_session(&t, &named);
}

void duty_files(struct duty *d)
{
	inside_tls(d, PART_DIRECTORY, 443, "files.corp.example",
		   &(struct tls_plan){browser_tls(d->member), NULL, 2, 300, 900, 5 * SEC});
}

void duty_print(struct duty *d)
{
	const struct member *to = company_of_part(d->company, PART_PRINTER, chance_below(d->chance, 12));
	struct http_ask ask = {"POST",     "/ipp/print", "printer.corp.example:631",  "IPP/2.0",
			       HTTP_PLAIN, NULL,         "job-name=document&copies=1"};
	struct http_answer answer = {200, "PrinterServer", BODY_TEXT, 60, false};
	struct talk t;

	talk_open(&t, d->stage, d->chance, &d->member->host, &to->host, 631, d->when_ns);
	http_exchange(&t, &ask, &answer, 1 * MS);
	talk_close(&t, CLIENT, 200 * MS);
}

void duty_os_update(struct duty *d)
{
	bool named = chance_percent(d->chance, 40), program = chance_percent(d->chance, 40);

	plain_request(d, NAMED_OS_UPDATE, PROGRAM_OS_UPDATE, HTTP_PLAIN, "GET",
		      named ? "/c/update-kb50.exe" : "/c/index.json",
		      &(struct http_answer){200, "Apache", program ? BODY_EXE : BODY_JSON, 2800, false});
}

void duty_captive(struct duty *d)
{
	plain_request(d, NAMED_CAPTIVE, PROGRAM_CAPTIVE, HTTP_PLAIN, "GET", "/connecttest.txt",
		      &(struct http_answer){200, NULL, BODY_TEXT, 22, false});
}

void duty_certificates(struct duty *d)
{
	plain_request(d, NAMED_CERTIFICATES, d->member->browser, HTTP_BROWSER, "GET", "/MFEwTzBNMEs",
		      &(struct http_answer){200, "ECS", BODY_TEXT, 470, false});
}

void duty_guard(struct duty *d)
{
	if (chance_percent(d->chance, 6))
		plain_request(d, NAMED_CERTIFICATES, PROGRAM_GUARD, HTTP_PLAIN, "GET", "/crl",
			      &(struct http_answer){200, "ECS", BODY_TEXT, 300, false});
	company_session(d, NAMED_GUARD, &(struct tls_plan){TLS_GNUTLS, NULL, 1, 300, 120, 1 * SEC});
}

void duty_download(struct duty *d)
{
	static const struct {
		const char *uri;
		enum body body;
	} files[] = {{"/report.pdf", BODY_PDF}, {"/photos.zip", BODY_ZIP}, {"/setup.exe", BODY_EXE}};
	uint32_t which = chance_skewed(d->chance, 3);
	// Seldom in the clear from where nobody has been; most are known.
	uint32_t number = chance_percent(d->chance, 20) ? SITE_FRESH + chance_below(d->chance, 1u << 30)
							: SITE_TAIL + chance_skewed(d->chance, 400);
	char agent[200];
	struct site site;
	struct http_ask ask = {"GET", files[which].uri, site.name, agent, HTTP_BROWSER, NULL, NULL};
	struct http_answer answer = {200, "nginx", files[which].body, 4000, false};
	struct talk t;
	uint64_t when;

	site_describe(d->company, number, d->day, &site);
	program_agent(d->company, d->member, d->member->browser, d->day, agent);
	when = company_look_up(d, number, &site);
	talk_open(&t, d->stage, d->chance, &d->member->host, &site.host, 80, when);
	http_exchange(&t, &ask, &answer, 400 * US);
	talk_close(&t, SERVER, 2 * SEC);
}

// A lease is asked for again every morning, by name (RFC 2131 §4.3.2, RFC 2132 option 12).
void duty_lease(struct duty *d)
{
	const struct host *server = &d->company->member[d->company->resolver[0]].host;
	struct message *m = &d->stage->message;
	uint32_t id = (uint32_t)chance_next(d->chance);
	char name[24];

	snprintf(name, sizeof(name), "%s-%03u", part_name(d->member->part), d->member->number);
	stage_begin(d->stage);
	for (unsigned answer = 0; answer < 2; answer++) {
		message_clear(m);
		message_u32(m, answer ? 0x02010600 : 0x01010600);
		message_u32(m, id);
		message_zero(m, 4);
		message_add(m, d->member->host.address.b, 4);
		message_zero(m, 12);
		message_add(m, "\x02\x53\x4b\0", 4);
		message_u16(m, d->member->host.mac);
		message_zero(m, 202);
		message_u32(m, 0x63825363);
		message_u8(m, 53);
		message_u8(m, 1);
		message_u8(m, answer ? 5 : 3);
		message_u8(m, 12);
		message_u8(m, (uint8_t)strlen(name));
		message_text(m, name);
		message_u8(m, 255);
		datagram(d->stage, answer ? server : &d->member->host, answer ? 67 : 68,
			 answer ? &d->member->host : server, answer ? 68 : 67, m, d->when_ns + answer * 3 * MS);
	}
	message_clear(m);
}

void duty_chat(struct duty *d)
{
	if (d->day < CHAT_DAY + (uint32_t)d->member->lag % ROLLOUT_TAKES)
		return;
	company_session(d, NAMED_CHAT, &(struct tls_plan){TLS_CHROME, NULL, 2, 240, 400, 20 * SEC});
	if (chance_percent(d->chance, 25))
		plain_request(d, NAMED_CHAT_FILES, PROGRAM_CHAT, HTTP_PLAIN, "GET", "/client/manifest.json",
			      &(struct http_answer){200, "nginx", BODY_JSON, 600, false});
}

void duty_curl(struct duty *d)
{
	uint32_t percent = chance_below(d->chance, 1000);
	uint32_t number = percent < 30 ? SITE_FRESH + chance_below(d->chance, 1u << 30)
				       : SITE_OF_PART + PART_DEVELOPER * SITES_OF_PART + chance_skewed(d->chance, 40);
	bool wget = chance_percent(d->chance, 15), python = chance_percent(d->chance, 20);
	char agent[200];
	struct site site;
	struct http_ask ask = {
		"GET", "/v1/status", site.name, agent, wget ? HTTP_WGET : python ? HTTP_PYTHON : HTTP_CURL, NULL, NULL};
	struct http_answer answer = {200, "nginx", BODY_JSON, 500, false};
	struct talk t;
	uint64_t when;

	if (percent < 12) { // a tool that installs itself
		ask.uri = "/install.sh";
		answer.body = BODY_SHELL;
	} else if (percent < 60) {
		number = NAMED_RELEASES;
		ask.uri = "/tool/releases/download/tool.zip";
		answer.body = BODY_ZIP;
		answer.bytes = 3000;
	}
	site_describe(d->company, number, d->day, &site);
	program_agent(d->company, d->member,
		      wget     ? PROGRAM_WGET
		      : python ? PROGRAM_PYTHON
			       : PROGRAM_CURL,
		      d->day, agent);
	when = company_look_up(d, number, &site);
	talk_open(&t, d->stage, d->chance, &d->member->host, &site.host, 80, when);
	http_exchange(&t, &ask, &answer, 300 * US);
	talk_close(&t, CLIENT, 1 * MS);
}

void duty_git(struct duty *d)
{
	plain_request(d, NAMED_GIT, PROGRAM_GIT, HTTP_GIT, "GET", "/team/service.git/info/refs?service=git-upload-pack",
		      &(struct http_answer){200, "nginx", BODY_GIT, 700, false});
}

void duty_registry(struct duty *d)
{
	bool registry = chance_percent(d->chance, 50), go = chance_percent(d->chance, 40);

	company_session(d, registry ? NAMED_REGISTRY : NAMED_MODULES,
			&(struct tls_plan){go ? TLS_GO : TLS_OPENSSL, NULL, 2, 300, 1100, 1 * SEC});
}

void duty_ssh(struct duty *d)
{
	uint32_t number = chance_percent(d->chance, 4)    ? SITE_FRESH + chance_below(d->chance, 1u << 30)
			  : chance_percent(d->chance, 50) ? (uint32_t)NAMED_SSH
							  : SITE_TAIL + chance_below(d->chance, 30);
	struct message *m = &d->stage->message;
	struct site site;
	struct talk t;
	uint64_t when;

	site_describe(d->company, number, d->day, &site);
	when = company_look_up(d, number, &site);
	talk_open(&t, d->stage, d->chance, &d->member->host, &site.host, 22, when);
	message_text(m, "SSH-2.0-OpenSSH_8.4\r\n");
	talk_say(&t, CLIENT, 500 * US);
	message_text(m, "SSH-2.0-OpenSSH_8.4p1 Debian-5\r\n");
	talk_say(&t, SERVER, 2 * MS);
	for (unsigned i = 0; i < 6; i++) {
		uint32_t bytes = i < 2 ? 900 : 60 + chance_below(d->chance, 200);

		message_zero(m, bytes);
		chance_fill(d->chance, m->at, bytes);
		talk_say(&t, i % 2, chance_between(d->chance, 1 * MS, i < 2 ? 2 * MS : 20 * SEC));
	}
	talk_close(&t, CLIENT, 30 * SEC);
}

void duty_telemetry(struct duty *d)
{
	if (d->day >= TELEMETRY_DAY + (uint32_t)d->member->lag % ROLLOUT_TAKES)
		company_session(d, NAMED_TELEMETRY, &(struct tls_plan){TLS_CHROME, NULL, 1, 400, 100, 1 * SEC});
}

void duty_payment(struct duty *d)
{
	bool moved = d->day >= TILL_DAY + (uint32_t)d->member->lag % ROLLOUT_TAKES;

	company_session(d, moved ? NAMED_PAYMENT_NEW : NAMED_PAYMENT,
			&(struct tls_plan){TLS_JAVA, NULL, 1, 260, 180, 1 * SEC});
	if (chance_percent(d->chance, 5))
		plain_request(d, NAMED_OS_UPDATE, PROGRAM_TILL, HTTP_PLAIN, "GET", "/till/version.json",
			      &(struct http_answer){200, "Apache", BODY_JSON, 120, false});
}

void duty_handheld(struct duty *d)
{
	company_session(d, NAMED_HANDHELD, &(struct tls_plan){TLS_GNUTLS, NULL, 1, 90, 60, 1 * SEC});
}

void duty_handheld_update(struct duty *d)
{
	plain_request(d, SITE_OF_PART + PART_WAREHOUSE * SITES_OF_PART, PROGRAM_HANDHELD, HTTP_PLAIN, "GET",
		      "/fw/index.json", &(struct http_answer){200, "nginx", BODY_JSON, 300, false});
}
