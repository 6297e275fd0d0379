// SPDX-License-Identifier: GPL-2.0-or-later
// What visitors upload and somebody asks for afterwards. Part of judge_test.c.
#pragma once
#include "image.h"
#include "judge_test_world.h"

static struct address stranger(unsigned n)
{
	return address_v4((uint8_t[]){203, 0, (uint8_t)(100 + n), 9});
}

static void upload(struct address by, struct address to, const char *name, uint64_t now_ns)
{
	struct observation o = made(OBS_NAMED, DIRECTION_IN, by, to, 80, now_ns);

	o.app = APP_HTTP;
	observation_put(&o, TEXT_NAMED_FIELD, bytes_of_text("body"));
	observation_put(&o, TEXT_NAMED_FILE, bytes_of_text(name));
	observe(&o);
}

static void asks_by(const char *method, struct address by, struct address to, const char *uri, unsigned status,
		    uint64_t now_ns)
{
	struct observation o;

	flows++;
	o = made(OBS_HTTP_REQUEST, DIRECTION_IN, by, to, 80, now_ns);
	o.app = APP_HTTP;
	o.number[NUM_REQUEST_TX] = 1;
	observation_put(&o, TEXT_REQUEST_METHOD, bytes_of_text(method));
	observation_put(&o, TEXT_REQUEST_URI, bytes_of_text(uri));
	observation_put(&o, TEXT_REQUEST_HOST, bytes_of_text("www.example.com"));
	observe(&o);
	o = made(OBS_HTTP_RESPONSE, DIRECTION_IN, by, to, 80, now_ns + 1000000);
	o.app = APP_HTTP;
	o.from_client = 0;
	o.number[NUM_RESPONSE_TX] = 1;
	o.number[NUM_RESPONSE_STATUS] = status;
	if (status)
		observe(&o);
}

// status 0: no answer comes.
static void asks_for(struct address by, struct address to, const char *uri, unsigned status, uint64_t now_ns)
{
	asks_by("GET", by, to, uri, status, now_ns);
}

static bool is_told(void)
{
	return alert_of("http/uploaded-script-asked") != NULL;
}

START_TEST(a_script_that_was_uploaded_and_is_asked_for_is_an_alert)
{
	upload(stranger(0), server(0), "a.jsp", TODAY);
	ck_assert_uint_eq(alert_count, 1);
	expect("http/script-upload", 1);
	ck_assert_str_eq(alerts[0].detail, "a.jsp");
	ck_assert_uint_eq(alerts[0].wants_block + alerts[0].wants_cut, 0);
	asks_for(stranger(1), server(0), "/files/a.jsp", 404, TODAY + 3 * HOUR);
	expect("http/uploaded-script-asked", 5);
	ck_assert_ptr_null(alert_of("http/uploaded-script-answered"));
	ck_assert(alert_of("http/uploaded-script-asked")->wants_block);
	ck_assert_str_eq(alert_of("http/uploaded-script-asked")->uri, "/files/a.jsp");
	asks_for(stranger(1), server(0), "/files/a.jsp", 200, TODAY + 4 * HOUR);
	expect("http/uploaded-script-answered", 5);
}
END_TEST

START_TEST(what_was_uploaded_outlives_a_restart)
{
	struct image i;

	upload(stranger(0), server(0), "a.jsp", TODAY);
	image_begin(&i, 1);
	judge_put(judge, &i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	upload(stranger(0), server(0), "b.jsp", TODAY + 1);
	ck_assert_int_eq(judge_take(judge, &i), 0);
	image_free(&i);
	asks_for(stranger(1), server(0), "/files/b.jsp", 0, TODAY + HOUR); // nor is anything else left of what came later
	ck_assert(!is_told());
	asks_for(stranger(1), server(0), "/files/a.jsp", 0, TODAY + 2 * HOUR);
	ck_assert(is_told());
}
END_TEST

START_TEST(an_uploaded_script_that_takes_a_post_runs)
{
	upload(stranger(0), server(0), "a.jsp", TODAY);
	asks_by("POST", stranger(1), server(0), "/a.jsp", 405, TODAY + 1);
	ck_assert_ptr_null(alert_of("http/uploaded-script-runs"));
	asks_by("POST", stranger(1), server(0), "/a.jsp", 200, TODAY + 2);
	expect("http/uploaded-script-runs", 5);
	ck_assert(alert_of("http/uploaded-script-runs")->wants_block);
	ck_assert_ptr_null(alert_of("http/uploaded-script-answered"));
}
END_TEST

START_TEST(a_visitor_who_came_before_is_told_lower)
{
	upload(ip("192.0.2.100"), server(0), "a.jsp", TODAY);
	asks_for(ip("192.0.2.100"), server(0), "/a.jsp", 200, TODAY + 1);
	expect("http/uploaded-script-asked", 4);
	expect("http/uploaded-script-answered", 4);
}
END_TEST

START_TEST(what_else_is_uploaded_or_asked_for_is_nobody_s_business)
{
	upload(stranger(0), server(0), "photo.png", TODAY);
	upload(stranger(0), server(0), "notes.php.txt.html", TODAY); // a note, as it may be run
	upload(stranger(0), server(0), "www.example.pl.pdf", TODAY);
	upload(stranger(0), server(0), "a.jsp", TODAY);
	alert_count = 0;
	asks_for(stranger(1), server(0), "/media/photo.png", 200, TODAY + 1);
	asks_for(stranger(1), server(0), "/index.php/media/photo.png", 200, TODAY + 2);
	asks_for(stranger(1), server(0), "/media/www.example.pl.pdf", 200, TODAY + 3);
	asks_for(stranger(1), server(0), "/b.jsp?file=a.jsp", 200, TODAY + 4);
	asks_for(stranger(1), server(1), "/a.jsp", 200, TODAY + 5);           // another device
	asks_for(stranger(1), server(0), "/a.jsp", 200, TODAY + 25 * HOUR); // a day later
	expect_silence();
}
END_TEST

static const struct {
	const char *name, *target;
	bool told;
} spellings[] = {
	{"a.jsp", "/x/A.JSP", true},
	{"Shell.PHP", "/shell.php", true},
	{"a.jsp", "/a.jsp;jsessionid=1", true},
	{"a.jsp", "/%61%2ejs%70", true},
	{"a.jsp", "/%2561.jsp", true},
	{"a%2ejsp", "/a.jsp", true},
	{"a.asp;.jpg", "/a.asp;.jpg", true},
	{"a.aspx::$DATA", "/a.aspx", true},
	{"a.asp. .", "/a.asp", true},
	{"a.php%00.jpg", "/a.php", true},
	{"a.php", "/up/a.php/x/y.css", true},
	{"a.php", "http://www.example.com/a.php", true},
	{"a.php", "\\up\\a.php", true},
	{"a.php.jpg", "/a.php.jpg", true},
	{"a:b.php", "/a:b.php", true},
	{"a b.cgi", "/a%20b.cgi", true},
	{"a.php", "/a.phps", false},
	{"a.php", "/aa.php", false},
	{"a.php", "/a.php5", false},
	{"a.sh", "/a.sh", false},
	{"php", "/php", false},
	{".", "/", false},
	{";", "/;", false},
	{"%", "/%", false},
};
enum { SPELLINGS = sizeof(spellings) / sizeof(spellings[0]) };

START_TEST(names_are_compared_as_servers_read_them)
{
	upload(stranger(0), server(0), spellings[_i].name, TODAY);
	asks_for(stranger(0), server(0), spellings[_i].target, 0, TODAY + 1);
	ck_assert_msg(is_told() == spellings[_i].told, "%s %s", spellings[_i].name, spellings[_i].target);
}
END_TEST

// Else one visitor could make everybody suspect who reads the front page.
START_TEST(a_name_that_the_site_has_anyway_is_not_suspect_for_being_uploaded)
{
	for (unsigned n = 0; n < 2; n++)
		asks_for(stranger(n), server(0), "/index.php", 200, TODAY);
	asks_for(stranger(1), server(0), "/index.php", 200, TODAY); // the same one is not another
	for (unsigned n = 0; n < 8; n++)
		asks_for(stranger(n), server(0), "/old.php", 404, TODAY); // what is not there is no part of the site
	upload(stranger(9), server(0), "index.php", TODAY + 1);
	asks_for(stranger(9), server(0), "/index.php", 200, TODAY + 2);
	ck_assert(is_told());
	for (unsigned n = 0; n < 3; n++)
		asks_for(stranger(n), server(1), "/index.php", 200, TODAY);
	alert_count = 0;
	upload(stranger(9), server(1), "index.php", TODAY + 1);
	asks_for(stranger(8), server(1), "/index.php", 200, TODAY + 2);
	expect_silence();
	upload(stranger(9), server(0), "old.php", TODAY + 3);
	asks_for(stranger(8), server(0), "/old.php", 200, TODAY + 4);
	ck_assert(is_told());
}
END_TEST

START_TEST(an_uploaded_name_does_not_become_the_site_s_own_by_being_asked_for)
{
	upload(stranger(9), server(0), "a.php", TODAY);
	for (unsigned n = 0; n < 8; n++)
		asks_for(stranger(n), server(0), "/a.php", 200, TODAY + 1);
	upload(stranger(9), server(0), "a.php", TODAY + 2);
	alert_count = 0;
	asks_for(stranger(10), server(0), "/a.php", 200, TODAY + 3);
	ck_assert(is_told());
}
END_TEST

START_TEST(who_uploads_very_much_forgets_his_own_first)
{
	char name[32];

	upload(stranger(0), server(0), "a.jsp", TODAY);
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "x%u.jsp", i);
		upload(stranger(1), server(i % SERVERS), name, TODAY + 1 + i);
	}
	alert_count = 0;
	asks_for(stranger(2), server(0), "/a.jsp", 0, TODAY + HOUR);
	ck_assert(is_told());
}
END_TEST

static void add_uploads(TCase *cases)
{
	tcase_add_test(cases, a_script_that_was_uploaded_and_is_asked_for_is_an_alert);
	tcase_add_test(cases, what_was_uploaded_outlives_a_restart);
	tcase_add_test(cases, an_uploaded_script_that_takes_a_post_runs);
	tcase_add_test(cases, a_visitor_who_came_before_is_told_lower);
	tcase_add_test(cases, what_else_is_uploaded_or_asked_for_is_nobody_s_business);
	tcase_add_loop_test(cases, names_are_compared_as_servers_read_them, 0, SPELLINGS);
	tcase_add_test(cases, a_name_that_the_site_has_anyway_is_not_suspect_for_being_uploaded);
	tcase_add_test(cases, an_uploaded_name_does_not_become_the_site_s_own_by_being_asked_for);
	tcase_add_test(cases, who_uploads_very_much_forgets_his_own_first);
}
