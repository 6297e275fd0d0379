// SPDX-License-Identifier: GPL-2.0-or-later
// What uploaded files are called, however it is written and cut. Part of http_test.c.
#pragma once
#include "proto_impl.h"

// The names told, a line each.
static const char *uploaded(const struct caught *c)
{
	static char all[8192];
	size_t n = 0;

	all[0] = '\0';
	for (size_t i = 0; i < c->count && i < TALK_CAUGHT; i++) {
		struct bytes name = observation_text(&c->o[i], TEXT_NAMED_FILE);

		if (c->o[i].kind == OBS_NAMED && name.left)
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%.*s\n", (int)name.left, (const char *)name.at);
		ck_assert_uint_lt(n, sizeof(all));
	}
	return all;
}

static const struct {
	const char *parameters, *names;
	bool ambiguous;
} dispositions[] = {
	{"filename=\"a.jsp\"", "a.jsp\n", false},
	{"FileName=a.jsp", "a.jsp\n", false},
	{"filename = \"a b.jsp\"", "a b.jsp\n", false},
	{"filename=\"../../webapps/a.jsp\"", "a.jsp\n", false},
	{"filename=\"C:\\pictures\\a.png\"", "a.png\nC:picturesa.png\n", false},
	{"filename=\"a\\\"b.php\"", "\"b.php\na\"b.php\n", true},
	{"filename=\"a.php", "a.php\n", true},
	{"filename='a.php'", "a.php\n'a.php'\n", true},
	{"filename=a b.php", "a b.php\na\n", true},
	{"filename=\"a.png\"; filename=\"b.php\"", "a.png\nb.php\n", true},
	{"filename=\"a.png\"; filename*=UTF-8''b%2Ephp", "a.png\nb%2Ephp\n", false},
	{"filename=\"a.png\"; filename*=utf-8'en'a.png", "a.png\n", false},
	{"filename*=utf-16''b.php", "b.php\n", true},
	{"filename*=b.php", "b.php\n", true},
	{"filename*0=\"b.\"; filename*1=\"php\"", "", true},
	{"filename=\"\"", "", false},
	{"filename=\"uploads/\"", "", false},
	{"name=\"filename\"", "", false},
	{"x=\"filenamefilenamefilenamefilenamefilenamefilenamefilenamefilename\"; filename=\"a.php\"", "a.php\n", false},
	{"filename=a;filename=b;filename=c;filename=d;filename=e;filename=f;filename=g;filename=h;filename=i", "a\nb\nc\nd\ne\nf\ng\nh\n", true},
	{"x=\"; filename=\"\r\n filename=\"a.php\"", "a.php\n", true},
};
enum { DISPOSITIONS = sizeof(dispositions) / sizeof(dispositions[0]) };

static void upload_form(const char *parameters, const char *more)
{
	one.n = 0;
	make_text(&one, "--x y\r\nContent-Disposition: form-data; name=\"f\"; ");
	make_text(&one, parameters);
	make_text(&one, "\r\nContent-Type: image/png\r\n\r\nx\r\n");
	make_text(&one, more);
	make_text(&one, "--x y--\r\n");
	make_body(&maker, FORM, made(&one));
}

START_TEST(a_file_s_name_is_told_however_it_is_written_and_cut)
{
	static struct caught same;
	struct line line = {true, {NULL, 0}};
	struct talk talk;

	upload_form(dispositions[_i].parameters, "");
	line.said = made(&maker);
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &same);
	ck_assert_msg(strcmp(uploaded(&same), dispositions[_i].names) == 0, "%s:\n%s", dispositions[_i].parameters,
		      uploaded(&same));
	ck_assert_msg(same.marked[COUNT_PROTO_HTTP_AMBIGUOUS] == dispositions[_i].ambiguous, "%s", dispositions[_i].parameters);
}
END_TEST

START_TEST(a_file_s_name_in_chunks_is_told)
{
	static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.jsp\"\r\n\r\nx\r\n--b--\r\n";
	char text[512];
	int n = snprintf(text, sizeof(text), "POST /up HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
					     "Transfer-Encoding: chunked\r\n\r\n");
	struct line line;
	struct talk talk;

	for (size_t i = 0; i < sizeof(body) - 1; i += 7) {
		int part = sizeof(body) - 1 - i < 7 ? (int)(sizeof(body) - 1 - i) : 7;

		n += snprintf(text + n, sizeof(text) - (size_t)n, "%x\r\n%.*s\r\n", (unsigned)part, part, body + i);
	}
	n += snprintf(text + n, sizeof(text) - (size_t)n, "0\r\n\r\n");
	line = (struct line){true, bytes_of(text, (size_t)n)};
	talk = talk_of(&line, 1, DIRECTION_IN, false);
	talk_check(&talk, &caught);
	ck_assert_str_eq(uploaded(&caught), "a.jsp\n");
}
END_TEST

static const struct {
	const char *request, *names;
	enum direction direction;
} stores[] = {
	{"PUT /dav/a.asp HTTP/1.1\r\nHost: a\r\n\r\n", "a.asp\n", DIRECTION_IN},
	{"PUT http://a/dav/a.asp/?x=/b HTTP/1.1\r\nHost: a\r\n\r\n", "a.asp\n", DIRECTION_IN},
	{"PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "", DIRECTION_IN},
	{"GET /dav/a.asp HTTP/1.1\r\nHost: a\r\n\r\n", "", DIRECTION_IN},
	{"MOVE /a.txt HTTP/1.1\r\nHost: a\r\nDestination: http://a/dav/a.asp;.jpg\r\n\r\n", "a.asp;.jpg\n", DIRECTION_IN},
	{"COPY /a.txt HTTP/1.1\r\nHost: a\r\ndestination: /a.asp\r\n\r\n", "a.asp\n", DIRECTION_IN},
	{"GET /a.txt HTTP/1.1\r\nHost: a\r\nDestination: /a.asp\r\n\r\n", "", DIRECTION_IN},
	{"POST /a HTTP/1.1\r\nHost: a\r\nContent-Disposition: attachment; filename=\"a.php\"\r\n\r\n", "a.php\n", DIRECTION_IN},
	{"PUT /dav/a.asp HTTP/1.1\r\nHost: a\r\n\r\n", "", DIRECTION_OUT},
};

START_TEST(where_a_file_is_stored_is_its_name)
{
	play(bytes_of_text(stores[_i].request), true, stores[_i].direction);
	ck_assert_msg(strcmp(uploaded(&caught), stores[_i].names) == 0, "%s: %s", stores[_i].request, uploaded(&caught));
}
END_TEST

static bool left_out(struct bytes said)
{
	struct counters counters = {{0}};
	struct lend *lend = lend_create((const uint32_t[LEND_KINDS]){[LEND_WORK] = 2});
	struct proto_flow flow = flow_of(DIRECTION_IN);
	struct proto_sink sink = {.emit = talk_catch, .uninspected = talk_mark, .user = &caught, .counters = &counters, .lend = lend};
	struct proto_input in = {.data = said, .from_client = true, .from_outside = true, .flow = &flow};
	void *state = calloc(1, proto_http.state_bytes);

	memset(&caught, 0, sizeof(caught));
	proto_http.feed(state, &in, &sink);
	proto_http.release(state, lend);
	free(state);
	lend_destroy(lend);
	return counters.value[COUNT_PROTO_UPLOADS_LEFT_OUT] > 0;
}

START_TEST(names_that_are_too_many_or_too_long_are_counted)
{
	char name[500], parameters[520];

	upload_form("filename=\"a.php\"", "");
	ck_assert(!left_out(made(&maker)));
	memset(name, 'n', sizeof(name));
	for (unsigned length = 384; length <= 385; length++) {
		snprintf(parameters, sizeof(parameters), "filename=\"%.*s\"", (int)length, name);
		upload_form(parameters, "");
		ck_assert_int_eq(left_out(made(&maker)), length == 385);
	}
	snprintf(parameters, sizeof(parameters), "x=\"%.490s\"; filename=\"a.php\"", name);
	upload_form(parameters, ""); // behind what is kept of a line
	ck_assert(left_out(made(&maker)));
	maker.n = 0;
	make_text(&maker, "POST / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i <= UPLOAD_NAMES; i++) {
		snprintf(parameters, sizeof(parameters), "Content-Disposition: x; filename=a%u\r\n", i);
		make_text(&maker, parameters);
	}
	make_text(&maker, "\r\n");
	ck_assert(left_out(made(&maker)));
	ck_assert_ptr_nonnull(strstr(uploaded(&caught), "a15\n"));
	ck_assert_ptr_null(strstr(uploaded(&caught), "a16\n"));
}
END_TEST

static void add_uploads(TCase *c)
{
	tcase_add_loop_test(c, a_file_s_name_is_told_however_it_is_written_and_cut, 0, DISPOSITIONS);
	tcase_add_test(c, a_file_s_name_in_chunks_is_told);
	tcase_add_loop_test(c, where_a_file_is_stored_is_its_name, 0, sizeof(stores) / sizeof(stores[0]));
	tcase_add_test(c, names_that_are_too_many_or_too_long_are_counted);
}
