// SPDX-License-Identifier: GPL-2.0-or-later
// See chain.h. One function is one kind of step.
#include "chain.h"
#include "datagram.h"
#include "directory.h"

#include <stdio.h>

static const struct host *attacker(const struct move_of *m)
{
	return &m->slot[m->step->slot];
}

static void out(struct move_of *m, struct talk *t, uint16_t port)
{
	talk_open(t, m->duty.stage, m->duty.chance, &m->duty.member->host, attacker(m), port, m->duty.when_ns);
}

static void in(struct move_of *m, struct talk *t, uint16_t port)
{
	talk_open(t, m->duty.stage, m->duty.chance, attacker(m), &m->duty.member->host, port, m->duty.when_ns);
}

void move_tls_in(struct move_of *m)
{
	struct talk t;

	in(m, &t, 443);
	tls_session(&t, &(struct tls_plan){m->step->client, NULL, 2, 700, 500, 1 * SEC});
	m->end_ns = m->duty.when_ns + 300 * MS;
}

static void ask_in(struct move_of *m, const struct http_ask *ask)
{
	struct http_answer answer = {200, "nginx/1.18.0", BODY_HTML, 400, false};
	struct talk t;

	in(m, &t, 80);
	http_exchange(&t, ask, &answer, 400 * US);
	m->end_ns = t.now_ns;
	talk_close(&t, CLIENT, 40 * MS);
}

void move_jndi(struct move_of *m)
{
	char address[ADDRESS_TEXT_BYTES], lookup[300], header[340], host[ADDRESS_TEXT_BYTES];
	struct http_ask ask = {"GET", "/", host, "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", HTTP_PLAIN, header, NULL};

	address_format(&attacker(m)->address, address);
	address_format(&m->duty.member->host.address, host);
	snprintf(lookup, sizeof(lookup), m->step->uri, m->step->slot == SLOT_D ? m->name : address);
	snprintf(header, sizeof(header), "X-Api-Version: %s\r\n", lookup);
	ask_in(m, &ask);
}

void move_form(struct move_of *m)
{
	char address[ADDRESS_TEXT_BYTES], body[300];
	struct http_ask ask = {
		"POST", "/login", "www.corp.example", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", HTTP_PLAIN,
		NULL,   body};

	address_format(&attacker(m)->address, address);
	snprintf(body, sizeof(body), m->step->uri, address);
	ask_in(m, &ask);
}

void move_ldap(struct move_of *m)
{
	char address[ADDRESS_TEXT_BYTES], base[80];
	struct talk t;

	address_format(&attacker(m)->address, address);
	snprintf(base, sizeof(base), "http://%s:8000/", address);
	out(m, &t, m->step->port);
	ldap_reference(&t, "Basic/x", "Exploit", base);
	m->end_ns = t.now_ns;
}

static void java_text(struct message *m, const char *text)
{
	message_u16(m, (uint16_t)strlen(text));
	message_text(m, text);
}

// A registry look-up answered with a stub and a code base (Java RMI specification, chapter 10).
void move_rmi(struct move_of *m)
{
	struct message *w = &m->duty.stage->message;
	char address[ADDRESS_TEXT_BYTES], own[ADDRESS_TEXT_BYTES], base[80];
	struct talk t;

	address_format(&attacker(m)->address, address);
	address_format(&m->duty.member->host.address, own);
	snprintf(base, sizeof(base), "http://%s:8000/", address);
	out(m, &t, m->step->port);
	message_add(w, "JRMI\0\2\x4b", 7);
	talk_say(&t, CLIENT, 3 * MS);
	message_u8(w, 0x4e);
	java_text(w, own);
	message_u32(w, t.side[CLIENT].port);
	talk_say(&t, SERVER, 1 * MS);
	java_text(w, own);
	message_u32(w, 0);
	talk_say(&t, CLIENT, 1 * MS);
	message_add(w, "\x50\xac\xed\0\5\x77\x22", 7);
	message_zero(w, 22);
	message_add(w, "\0\0\0\2\x44\x15\x4d\xc9\xd4\xe6\x3b\xdf\x74", 13);
	java_text(w, "Exploit");
	talk_say(&t, CLIENT, 1 * MS);
	message_add(w, "\x51\xac\xed\0\5\x77\x0f\1", 8);
	message_zero(w, 14);
	message_add(w, "\x73\x72", 2);
	java_text(w, "org.example.ReferenceWrapper_Stub");
	message_zero(w, 8);
	message_u8(w, 0x74);
	java_text(w, base);
	talk_say(&t, SERVER, 1 * MS);
	m->end_ns = t.now_ns;
	talk_close(&t, CLIENT, 30 * MS);
}

// {v} in the URI stands for the victim's own address.
static void fetch(struct move_of *m, const char *method, const char *host_name, const char *body)
{
	char address[ADDRESS_TEXT_BYTES], own[ADDRESS_TEXT_BYTES], host[80], uri[200];
	struct http_ask ask = {method, uri, host, m->step->agent, m->step->client, NULL, body};
	struct http_answer answer = {200, "nginx/1.14.0", m->step->body, m->step->bytes, false};
	const char *mark = strstr(m->step->uri, "{v}");
	struct talk t;

	address_format(&attacker(m)->address, address);
	address_format(&m->duty.member->host.address, own);
	if (mark)
		snprintf(uri, sizeof(uri), "%.*s%s%s", (int)(mark - m->step->uri), m->step->uri, own, mark + 3);
	else
		snprintf(uri, sizeof(uri), "%s", m->step->uri);
	if (host_name)
		snprintf(host, sizeof(host), "%s", host_name);
	else
		snprintf(host, sizeof(host), m->step->port == 80 ? "%s" : "%s:%u", address, m->step->port);
	out(m, &t, m->step->port);
	http_exchange(&t, &ask, &answer, 400 * US);
	m->end_ns = t.now_ns;
	talk_close(&t, CLIENT, 1 * MS);
}

void move_fetch(struct move_of *m)
{
	fetch(m, "GET", NULL, NULL);
}

static const struct host *resolver_of(const struct move_of *m)
{
	return &m->duty.company->member[m->duty.company->resolver[m->duty.member->number % 2]].host;
}

// The victim asks its resolver, and that asks outside.
static uint64_t look_up(struct move_of *m, const char *name, const struct host *answer)
{
	struct stage *s = m->duty.stage;
	uint64_t when = m->duty.when_ns, back;

	s->trace.tag.aside = m->step->move != move_dns; // there the question outside is the step
	back = name_answer(s, m->duty.chance, resolver_of(m), &m->duty.company->upstream, name, answer, when + 100 * US,
			   15 * MS);
	m->asides += s->trace.tag.aside + 1u;
	s->trace.tag.aside = 1;
	back = name_answer(s, m->duty.chance, &m->duty.member->host, resolver_of(m), name, answer, when,
			   back - when + 30 * US);
	s->trace.tag.aside = 0;
	return back + 300 * US;
}

void move_fetch_named(struct move_of *m)
{
	m->duty.when_ns = look_up(m, m->name, attacker(m));
	fetch(m, "GET", m->name, NULL);
}

void move_post(struct move_of *m)
{
	char body[80];

	snprintf(body, sizeof(body), "id=web10&n=%u&t=%08x", m->number, chance_below(m->duty.chance, 1 << 30));
	fetch(m, "POST", NULL, body);
}

void move_shell(struct move_of *m)
{
	static const char *const lines[] = {
		"$ ",    "id\n", "uid=33(www-data) gid=33(www-data)\n$ ", "uname -a\n", "Linux web 5.10.0-9-amd64\n$ ",
		"exit\n"};
	struct talk t;

	out(m, &t, m->step->port);
	for (unsigned i = 0; i < 6; i++) {
		message_text(&m->duty.stage->message, lines[i]);
		talk_say(&t, i % 2, i ? chance_between(m->duty.chance, 1 * SEC, 9 * SEC) : 20 * MS);
	}
	m->end_ns = t.now_ns;
	talk_close(&t, CLIENT, 10 * MS);
}

// Like what stands in upload folders anyway. The same in all steps of an attack.
static const char *shell_name(const struct move_of *m, char out[40])
{
	static const char *const words[] = {"img", "thumb", "cache", "upd", "view", "help", "doc", "tmp"};
	static const char *const kinds[] = {"jsp", "php", "aspx", "phtml", "jspx", "ashx"};
	uint64_t hash = 0;

	for (const char *p = m->name; *p; p++)
		hash = chance_mix(hash, (uint8_t)*p);
	snprintf(out, 40, "%s-%04x.%s", words[hash % 8], (unsigned)(hash >> 8) & 0xffff, kinds[(hash >> 32) % 6]);
	return out;
}

void move_upload(struct move_of *m)
{
	char name[40];
	struct http_upload upload = {shell_name(m, name), BODY_TEXT, 700};
	struct http_ask ask = {"POST", m->step->uri, "www.corp.example", m->step->agent, HTTP_BROWSER, NULL, NULL, &upload};

	ask_in(m, &ask);
}

void move_webshell(struct move_of *m)
{
	char name[40], uri[80];
	struct http_ask ask = {"POST", uri, "www.corp.example", m->step->agent, HTTP_BROWSER, NULL, "c=aWQ%3D", NULL};

	snprintf(uri, sizeof(uri), m->step->uri, shell_name(m, name));
	ask_in(m, &ask);
}

void move_stratum(struct move_of *m)
{
	struct message *w = &m->duty.stage->message;
	struct talk t;

	out(m, &t, m->step->port);
	message_text(w, "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"wallet-of-nobody\","
			"\"pass\":\"x\",\"agent\":\"XMRig/6.16.2 "
			"(Linux x86_64) libuv/1.38.0 gcc/9.3.0\",\"algo\":[\"rx/0\"]}}\n");
	talk_say(&t, CLIENT, 400 * US);
	message_text(w, "{\"id\":1,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"id\":\"a1\",\"job\":{\"blob\":"
			"\"0e0e\",\"job_id\":\"1\",\"target\":"
			"\"b88d0600\",\"algo\":\"rx/0\"},\"status\":\"OK\"}}\n");
	talk_say(&t, SERVER, 2 * MS);
	m->end_ns = t.now_ns;
	for (unsigned i = 2; i < 22; i++) {
		message_format(w,
			       "{\"id\":%u,\"jsonrpc\":\"2.0\",\"method\":\"submit\",\"params\":{\"id\":\"a1\",\"job_"
			       "id\":\"%u\",\"nonce\":\"%08x\"}}\n",
			       i, i / 4, chance_below(m->duty.chance, 1 << 30));
		talk_say(&t, CLIENT, chance_between(m->duty.chance, 6 * SEC, 60 * SEC));
		message_format(w, "{\"id\":%u,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"status\":\"OK\"}}\n", i);
		talk_say(&t, SERVER, 2 * MS);
	}
	talk_close(&t, CLIENT, 10 * SEC);
}

static void tls_out(struct move_of *m, const char *name)
{
	uint32_t up = m->step->bytes ? m->step->bytes : 350;
	struct talk t;

	out(m, &t, m->step->port);
	tls_session(&t, &(struct tls_plan){m->step->client, name, 1, up, m->step->body == BODY_NONE ? 200 : 30000,
					   1 * SEC});
	m->end_ns = t.now_ns;
}

void move_tls_out(struct move_of *m)
{
	tls_out(m, NULL);
}

void move_tls_named(struct move_of *m)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s",
		 m->step->slot == SLOT_A   ? ""
		 : m->step->slot == SLOT_B ? "cdn."
					   : "api.",
		 m->name);
	if (m->number % 6 == 0)
		m->duty.when_ns = look_up(m, name, attacker(m));
	tls_out(m, name);
}

void move_dns(struct move_of *m)
{
	unsigned data[5];
	char name[120];

	for (unsigned i = 0; i < 5; i++)
		data[i] = (unsigned)chance_next(m->duty.chance);
	if (m->step->uri)
		snprintf(name, sizeof(name), "%s.%s", m->step->uri, m->name);
	else
		snprintf(name, sizeof(name), "%04x%08x%08x%08x.%08x%08x.%s", m->number, data[0], data[1], data[2], data[3], data[4],
			 m->name);
	m->end_ns = look_up(m, name, m->step->uri ? attacker(m) : NULL);
}

static const struct member *inside_target(struct move_of *m)
{
	const struct member *to;

	do
		to = &m->duty.company->member[chance_below(m->duty.chance, 60)];
	while (to == m->duty.member);
	return to;
}

void move_probe(struct move_of *m)
{
	static const uint16_t ports[] = {445, 22, 3389, 5985, 8080, 3306};

	talk_refused(m->duty.stage, m->duty.chance, &m->duty.member->host, &inside_target(m)->host,
		     ports[m->number % 6], m->duty.when_ns);
	m->end_ns = m->duty.when_ns;
}

void move_lateral(struct move_of *m)
{
	const struct member *to =
		company_of_part(m->duty.company, PART_APPLICATION, m->number + m->duty.member->number);
	struct message *w = &m->duty.stage->message;
	struct talk t;

	talk_open(&t, m->duty.stage, m->duty.chance, &m->duty.member->host, &to->host, m->step->port, m->duty.when_ns);
	if (m->step->port == 22) {
		message_text(w, "SSH-2.0-libssh_0.9.3\r\n");
	} else {
		message_add(w, "\0\0\0\x44\xffSMBr\0\0\0\0\x18\1\x28", 16);
		message_zero(w, 56);
	}
	talk_say(&t, CLIENT, 500 * US);
	message_text(w, "SSH-2.0-OpenSSH_8.4p1 Debian-5\r\n");
	talk_say(&t, SERVER, 1 * MS);
	for (unsigned i = 0; i < 4; i++) {
		message_zero(w, 200);
		chance_fill(m->duty.chance, w->at, 200);
		talk_say(&t, i % 2, 20 * MS);
	}
	m->end_ns = t.now_ns;
	talk_close(&t, CLIENT, 1 * SEC);
}
