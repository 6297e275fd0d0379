// SPDX-License-Identifier: GPL-2.0-or-later
// Ordinary requests, most of them with something that resembles a JNDI look-up and is none: shell and template
// variables, expression languages, log patterns, documentation about JNDI, base64, braces escaped in every usual way.
// What is ordinary here: everything that log4j would not follow. A text that quotes "${jndi:ldap://...}" verbatim, an
// article about the flaw say, is a look-up by definition, and log4j would follow it; there are none of these here.
#include "feed.h"

#include <stdio.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define PICK(d, a) ((a)[draw_below((d), COUNT_OF(a))])

// "~" begins a place to fill: ~w word, ~k word but "jndi", ~n number, ~h hex, ~b base64, ~u base64 of a URL, ~t text,
// ~m near miss.
static const char *const near_misses[] = {
	"${~w}",
	"${~w:-~w}",
	"${HOME}/bin",
	"${~w.~w}",
	"${~k:~w}",
	"${env:~w}",
	"${env:~w:-~w}",
	"${sys:~w.~w}",
	"${date:yyyy}",
	"${date:yyyy-MM-dd}",
	"${date:'T'HH:mm}",
	"${lower:~w}",
	"${upper:~w}",
	"${lower:J}",
	"${::-j}",
	"${lower:${~w}}",
	"${upper:${lower:~w}}",
	"${lower:jndi}",
	"${::-j}${::-n}${::-d}${::-i}",
	"${ctx:~w}",
	"${~w:-${~w}}",
	"${~w:-${~w:-~w}}",
	"${~w##*/}",
	"${~w%%.*}",
	"${#~w[@]}",
	"${~w//~w/~w}",
	"${!~w}",
	"${~k:?~w}",
	"${~k:+~w}",
	"${1:-~w}",
	"$((~n+~n))",
	"$(~w ~w)",
	"$~w",
	"$$~w",
	"$${~w}",
	"${{ secrets.~w }}",
	"${{ matrix.~w }}",
	"{{~w}}",
	"{{ ~w.~w | ~w }}",
	"{%% ~w %%}",
	"#{~w}",
	"#{~w.~w('~w')}",
	"#{systemProperties['~w']}",
	"${~w['~w']}",
	"${param.~w}",
	"${fn:length(~w)}",
	"${empty ~w ? '~w' : '~w'}",
	"${pageContext.request.contextPath}",
	"*{~w}",
	"@{/~w/{id}(id=${~w.id})}",
	"${T(java.lang.Math).random()}",
	"`~w ${~w} and ${~w + ~n}`",
	"`${a}:${b}/${c}`",
	"${(x) => `${x}`}",
	"jndi",
	"JNDI",
	"jndi:~w",
	"jndi:ldap://~w.example/a",
	"{jndi:~w}",
	"$jndi:ldap://~w.example",
	"/docs/jndi-tutorial",
	"java:comp/env/jdbc/~w",
	"java:jboss/datasources/~w",
	"jndiName=jdbc/~w",
	"${~w.jndi.~w}",
	"${jndi.name}",
	"${spring.datasource.jndi-name}",
	"${jndi}",
	"${env:JNDI:-~w}",
	"${sys:jndi.url}",
	"ldap://~w.example",
	"ldaps://~w.example:636/o=~w",
	"rmi://~w.example/~w",
	"dns://~w.example",
	"${ldap://~w}",
	"${ldap:~w}",
	"${java:version}",
	"${ jndi:~w}",
	"${jndi -~w}",
	"${xjndi:~w}",
	"${ndi:~w}",
	"${jnd:~w}",
	"${${~w}ndi:~w}",
	"${j${~w}ndi:~w}",
	"${jn${~w}di:~w}",
	"${${lower:x}ndi:~w}",
	"${${lower:j}ndx:~w}",
	"${${::-j}ava:version}",
	"${j${lower:A}va:os}",
	"[%%d{yyyy-MM-dd}] [%%t] %%-5level %%logger{36} - %%msg%%n",
	"%%X{~w}",
	"${sd:~w}",
	"${map:~w}",
	"${main:0}",
	"${web:contextPath}",
	"${k8s:podName}",
	"${docker:containerId}",
	"${bundle:~w:~w}",
	"${marker:~w}",
	"${base64:~b}",
	"${log4j:configLocation}",
	"%%24%%7B~w%%7D",
	"%%2524%%257B~w%%257D",
	"$%%7B~w%%7D",
	"%%7B%%22~w%%22%%3A~n%%7D",
	"%%24~n.~n",
	"%%24%%7Blower%%3A~w%%7D",
	"%%24%%7Bdate%%3Ayyyy%%7D",
	"\\u0024\\u007b~w\\u007d",
	"\\u0024{~w}",
	"\\x24\\x7b~w\\x7d",
	"\\\\${~w}",
	"&#36;&#123;~w&#125;",
	"&dollar;{~w}",
	"&lbrace;~w&rbrace;",
	"&amp;#36;~n",
	"100%%25 $~n {~w}",
	"C:\\~w\\u~w\\x~w\\~n",
	"^\\d{~n}$",
	"^[a-z]{1,~n}${~w}",
	"\\$\\{~w\\}",
	"s/\\${~w}/~w/g",
	"$.~w[?(@.~w=='~w')]",
	"{$~w: {$gt: ~n}}",
	"{\"$~w\":{\"$in\":[~n,~n]}}",
	"query($id: ID!) { ~w(id: $id) { ~w } }",
	"$1${2}$3",
	"@media{~w:~n}",
	"function(){return $({~w:~n})}",
	"$(function(){~w();})",
	"${${${${",
	"}}}}${",
	"${",
	"$",
	"${}",
	"${:}",
	"${:-}",
	"${-}",
	"${${}}",
	"$\xc2\xa3{~n}",
	"\xc4\xb1\xc5\xbf \xe2\x84\xaa",
	"\xe6\xa4\x9c\xe7\xb4\xa2 ${~w}",
	"$\\{jndi\\}",
	"<log4j2:~w>${date:yyyy}/${hostName}.log</log4j2:~w>",
	"${~w} jndi:~w ${~w}",
	"jndi ${lower:ldap}://~w",
	"${~w}jndi:~w}",
};

static const char *const plain_values[] = {
	"~w",
	"~n",
	"~h",
	"~b",
	"~u",
	"~t",
	"~w ~w ~n",
	"~w=~w",
	"~w,~w;q=0.~n",
	"~n.~n.~n.~n",
	"~w@~w.example",
	"https://~w.example/~w?~w=~n",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/~n.~n (KHTML, like Gecko) ~w/~n",
	"GA1.2.~n.~n",
	"~h-~h-~h",
	"eyJhbGciOiJIUzI1NiJ9.~b.~b",
	"W/\"~h\"",
	"text/html,application/xhtml+xml;q=0.~n",
};

static const char *const headers[] = {
	"User-Agent",    "Referer", "Accept",        "Accept-Language",  "X-Forwarded-For",      "X-Request-Id",
	"X-Api-Version", "Origin",  "If-None-Match", "Content-Language", "X-Amz-Security-Token", "X-Goog-Meta-~w",
	"X-~w",          "From",    "Via",
};

static const char *const targets[] = {
	"/",
	"/~w/~w",
	"/~w?~w=~e&~w=~n",
	"/docs/jndi-tutorial",
	"/docs/jndi/~w?~w=~e",
	"/search?q=~e",
	"/~w/~h.js?v=~n",
	"/index.php?s=/~e",
	"/api/v~n/~w/~n",
	"/~e",
	"/img?u=~u&d=~e",
	"/log4j/2.x/manual/lookups.html#~w",
	"/~w;jsessionid=~h",
	"/?gdpr=${GDPR}&gdpr_consent=${GDPR_CONSENT_~n}",
	"/ad?cb=$%7BCACHEBUSTER%7D&~w=~e",
	"/%24%7B~w%7D/~w",
};

static const struct {
	const char *type, *text;
} bodies[] = {
	{"application/json", "{\"~w\":\"~j\",\"~w\":[~n,\"~j\"],\"~w\":{\"~w\":\"~j\"}}"},
	{"application/json", "{\"template\":\"~j ~j ~j\",\"vars\":{\"~w\":\"~b\"}}"},
	{"application/json", "{\"query\":\"query(\\u0024id: ID!) { ~w(id: $id) { ~w } }\",\"variables\":{\"id\":~n}}"},
	{"application/x-www-form-urlencoded", "~w=~e&~w=~e&~w=~n&text=~w+~w"},
	{"text/xml", "<?xml version=\"1.0\"?><~w a=\"~x\"><b>~x</b>&amp;&lt;~x</~w>"},
	{"text/plain", "~m\n~t\n#!/bin/sh\nexport ~w=${~w:-~n}\necho \"${~w}\"\n~m\n"},
	{"text/yaml", "services:\n  ~w:\n    image: ${~w:-~w}:${TAG}\n    environment:\n      - A=~m\n      - B=~m\n"},
	{"text/javascript", "const a=`${~w}:${~w}`; let b='~m'; $(()=>{`${jndi}:${ldap}`})"},
	{"application/x-ndjson", "{\"index\":{}}\n{\"message\":\"~j\",\"level\":\"${level:-INFO}\"}\n"},
	{"multipart/form-data; boundary=zz",
	 "--zz\r\nContent-Disposition: form-data; name=\"~w\"; filename=\"~w ~w.txt\"\r\n\r\n~m ~t ~m\r\n--zz--\r\n"},
	{"application/octet-stream", "~r~r~r~r~r~r~r~r"},
};

static void put(struct request *r, const char *text, size_t n)
{
	if (r->length + n < sizeof(r->at)) {
		memcpy(r->at + r->length, text, n);
		r->length += n;
	}
}

static void put_text(struct request *r, const char *text)
{
	put(r, text, strlen(text));
}

static void put_drawn(struct request *r, struct draw *d, const char *alphabet, unsigned least, unsigned most)
{
	unsigned n = least + draw_below(d, most - least + 1), size = (unsigned)strlen(alphabet);

	while (n--)
		put(r, &alphabet[draw_below(d, size)], 1);
}

static void put_number(struct request *r, struct draw *d)
{
	char text[16];

	put(r, text, (size_t)snprintf(text, sizeof(text), "%u", draw_below(d, draw_below(d, 2) ? 100 : 1000000)));
}

static const char letters[] = "abcdefghijklmnopqrstuvwxyz", hex[] = "0123456789abcdef";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char *const words[] = {"user", "name", "path", "jndi", "lower", "upper", "order", "ldap",  "env",
				    "item", "id",   "host", "x",    "java",  "log4j", "value", "token", "date"};

// Texts are expanded at most two deep: a near miss holds words, never another near miss.
static void put_filled(struct request *r, struct draw *d, const char *text);

enum escape { AS_IT_IS, AS_PERCENT, AS_PERCENT_ALL, AS_JSON, AS_ENTITY, ESCAPES };

// Escapes what was put since `from`, as clients and servers do.
static void escape_from(struct request *r, size_t from, enum escape how)
{
	static struct request plain;
	char code[16];

	plain.length = r->length - from;
	memcpy(plain.at, r->at + from, plain.length);
	r->length = from;
	for (size_t i = 0; i < plain.length; i++) {
		unsigned char c = (unsigned char)plain.at[i];
		bool special = how == AS_PERCENT_ALL ? !(c >= 'a' && c <= 'z')
						     : c < ' ' || c >= 127 || strchr("${}\"\\<>^` ", c);
		const char *form = how == AS_JSON     ? (c < 128 ? "\\u%04x" : NULL)
				   : how == AS_ENTITY ? "&#%u;"
						      : "%%%02X";

		if (special && form && how != AS_IT_IS && c)
			put(r, code, (size_t)snprintf(code, sizeof(code), form, c));
		else
			put(r, &plain.at[i], 1);
	}
}

static void put_near_miss(struct request *r, struct draw *d)
{
	size_t from = r->length;

	put_filled(r, d, PICK(d, near_misses));
	if (draw_below(d, 3) == 0)
		escape_from(r, from, (enum escape)draw_below(d, ESCAPES));
}

static void put_value(struct request *r, struct draw *d)
{
	if (draw_below(d, 2))
		put_near_miss(r, d);
	else
		put_filled(r, d, PICK(d, plain_values));
}

static void put_escaped(struct request *r, struct draw *d, enum escape how)
{
	size_t from = r->length;

	put_value(r, d);
	escape_from(r, from, how);
}

static void put_raw(struct request *r, struct draw *d)
{
	for (unsigned n = 1 + draw_below(d, 64); n--;) {
		uint64_t eight = draw_next(d);

		put(r, (const char *)&eight, sizeof(eight));
	}
}

static void put_words(struct request *r, struct draw *d)
{
	for (unsigned n = 1 + draw_below(d, 40); n--;) {
		put_filled(r, d, "~w");
		put_text(r, n % 7 ? " " : ", ");
	}
}

static void put_word(struct request *r, struct draw *d)
{
	if (draw_below(d, 3))
		put_text(r, PICK(d, words));
	else
		put_drawn(r, d, letters, 1, 10);
}

static void fill_one(struct request *r, struct draw *d, char kind)
{
	switch (kind) {
	case 'w':
		put_word(r, d);
		break;
	case 'k':
		put_text(r, "k");
		put_word(r, d);
		break;
	case 'n':
		put_number(r, d);
		break;
	case 'h':
		put_drawn(r, d, hex, 8, 40);
		break;
	case 'b':
		put_drawn(r, d, base64, 16, 400);
		break;
	case 'u':
		put_text(r, "aHR0cHM6Ly9");
		put_drawn(r, d, base64, 16, 80);
		break;
	case 't':
		put_words(r, d);
		break;
	case 'm':
		put_near_miss(r, d);
		break;
	case 'e':
		put_escaped(r, d, draw_below(d, 4) ? AS_PERCENT : AS_PERCENT_ALL);
		break;
	case 'j':
		put_escaped(r, d, AS_JSON);
		break;
	case 'x':
		put_escaped(r, d, draw_below(d, 2) ? AS_ENTITY : AS_IT_IS);
		break;
	case 'r':
		put_raw(r, d);
		break;
	default:
		break;
	}
}

static void put_filled(struct request *r, struct draw *d, const char *text)
{
	for (; *text; text++) {
		if (*text == '~' && text[1]) {
			fill_one(r, d, *++text);
			continue;
		}
		text += *text == '%' && text[1] == '%';
		put(r, text, 1);
	}
}

static void put_header(struct request *r, struct draw *d, const char *name, const char *value)
{
	size_t from;

	put_filled(r, d, name);
	put_text(r, ": ");
	from = r->length;
	if (value)
		put_filled(r, d, value);
	else
		put_value(r, d);
	for (size_t i = from; i < r->length; i++) // a header is one line
		if (r->at[i] == '\r' || r->at[i] == '\n' || r->at[i] == '\0')
			r->at[i] = ' ';
	put_text(r, "\r\n");
}

static void put_body(struct request *r, struct draw *d)
{
	static struct request body;
	unsigned kind = draw_below(d, COUNT_OF(bodies));
	char line[160];

	body.length = 0;
	for (unsigned n = 1 + (draw_below(d, 10) == 0) * draw_below(d, 20); n--;)
		put_filled(&body, d, bodies[kind].text);
	put(r, line,
	    (size_t)snprintf(line, sizeof(line), "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", bodies[kind].type,
			     body.length));
	put(r, body.at, body.length);
}

void ordinary_request(struct draw *d, struct request *out)
{
	bool body = draw_below(d, 3) == 0;
	size_t from;

	out->length = 0;
	put_text(out, body ? "POST " : "GET ");
	from = out->length;
	put_filled(out, d, PICK(d, targets));
	for (size_t i = from; i < out->length; i++)
		if (out->at[i] <= ' ' && out->at[i] >= 0)
			out->at[i] = '+';
	put_text(out, " HTTP/1.1\r\nHost: www.example.com\r\n");
	for (unsigned n = 1 + draw_below(d, 6); n--;)
		put_header(out, d, PICK(d, headers), NULL);
	if (draw_below(d, 2))
		put_header(out, d, "Cookie",
			   draw_below(d, 2) ? "sid=~b; _ga=~n.~n; pref=~e" : "a=~m; b=~h; c={~w:$~n}; d=~u");
	if (draw_below(d, 8) == 0)
		put_header(out, d, "Authorization", draw_below(d, 2) ? "Basic ~b" : "Bearer ~b");
	if (body)
		put_body(out, d);
	else
		put_text(out, "\r\n");
}
