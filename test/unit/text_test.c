// SPDX-License-Identifier: GPL-2.0-or-later
// lib/base: text.h and json.h, what people and other programs read. Fed with what a peer would like them to misread.
#include "json.h"
#include "text.h"
#include <check.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) bytes_of(literal, sizeof(literal) - 1)

START_TEST(a_duration_needs_a_unit)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		int result;
	} cases[] = {
		{"90s", 90, 0},           {"30m", 1800, 0},         {"2h", 7200, 0},          {"1d", 86400, 0},
		{"1w", 604800, 0},        {"1h30m", 5400, 0},       {"1w2d3h4m5s", 788645, 0}, {"0s", 0, 0},
		{"5000ms", 5, 0},         {"3650d", 315360000, 0},  {"3651d", 0, -ERANGE},    {"3650d1s", 0, -ERANGE},
		{"99999999999999999s", 0, -ERANGE}, {"2", 0, -EINVAL}, {"", 0, -EINVAL},      {"h", 0, -EINVAL},
		{"1h30", 0, -EINVAL},     {"30m1h", 0, -EINVAL},    {"1h1h", 0, -EINVAL},     {"1 h", 0, -EINVAL},
		{"-1h", 0, -EINVAL},      {"1.5h", 0, -EINVAL},     {"2H", 0, -EINVAL},       {"1y", 0, -EINVAL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t ns = 0;

		ck_assert_msg(duration_parse(cases[i].text, &ns) == cases[i].result, "%s", cases[i].text);
		ck_assert_uint_eq(ns, cases[i].seconds * NS_PER_S);
	}
}
END_TEST

START_TEST(a_duration_is_shown_in_two_units_rounded_down)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0s"}, {1, "1ns"}, {250000000, "250ms"}, {45 * NS_PER_S, "45s"}, {7119 * NS_PER_S, "1h58m"},
		{3630 * NS_PER_S, "1h"}, {1206000 * NS_PER_S, "13d23h"}, {1500 * 1000000ull, "1s500ms"},
		{1999, "1us999ns"}, {UINT64_MAX, "213503d23h"},
	};
	char text[TEXT_DURATION_BYTES];

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_str_eq(duration_format(cases[i].ns, text), cases[i].text);
}
END_TEST

START_TEST(a_time_comes_back_as_it_was_written)
{
	static const uint64_t times[] = {0, 1639151132123456000ull, 951782400000000000ull, 4102444799999999000ull};
	char text[TEXT_TIME_BYTES];
	uint64_t back;

	ck_assert_str_eq(time_format(times[1], text), "2021-12-10T15:45:32.123456+0000");
	ck_assert_str_eq(time_format(times[2], text), "2000-02-29T00:00:00.000000+0000");
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		ck_assert_int_eq(time_parse(time_format(times[i], text), &back), 0);
		ck_assert_uint_eq(back, times[i]);
	}
	ck_assert_int_eq(time_parse("2021-12-10T15:45:32Z", &back), 0);
	ck_assert_uint_eq(back, 1639151132 * NS_PER_S);
	ck_assert_str_eq(time_format(UINT64_MAX, text), "2554-07-21T23:34:33.709551+0000");
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
	static const char *const bad[] = {
		"", "2021-12-10", "2021-12-10T15:45:32", "2021-12-10T15:45:32.1Z", "2021-12-10T15:45:32.123456789Z",
		"2021-02-30T00:00:00Z", "2021-13-01T00:00:00Z", "2021-12-10T24:00:00Z", "2021-12-10T15:45:60Z",
		"2021-12-10T15:45:32+0900", "2021-12-10T15:45:32Z ", "1969-12-31T23:59:59Z", "2021-00-10T00:00:00Z",
		"2600-01-01T00:00:00Z", "2021-12-10 15:45:32Z", "0000-00-00T00:00:00Z",
	};
	uint64_t back = 7;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(time_parse(bad[i], &back) == -EINVAL, "%s", bad[i]);
	ck_assert_uint_eq(back, 7);
}
END_TEST

START_TEST(hostile_bytes_become_printable)
{
	const struct {
		struct bytes in;
		const char *out;
	} cases[] = {
		{BYTES("plain ~"), "plain ~"},
		{BYTES("\x1b[2J\r\n\0"), "\\x1b[2J\\x0d\\x0a\\x00"},
		{BYTES("\xe9\x96\xa2\xe5\xae\x88"), "\xe9\x96\xa2\xe5\xae\x88"},
		{BYTES("\xf0\x9f\x94\x92"), "\xf0\x9f\x94\x92"},
		{BYTES("\xe2\x80\xaegpj.exe"), "\\xe2\\x80\\xaegpj.exe"},
		{BYTES("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf"},
		{BYTES("\xed\xa0\x80\xf4\x90\x80\x80"), "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"},
		{BYTES("\xc2\x9b\x7f\xff"), "\\xc2\\x9b\\x7f\\xff"},
		{BYTES("a\xe9\x96"), "a\\xe9\\x96"},
	};
	char out[100];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ck_assert_uint_eq(text_printable(cases[i].in, out, sizeof(out)), strlen(cases[i].out));
		ck_assert_str_eq(out, cases[i].out);
	}
}
END_TEST

START_TEST(a_printable_text_is_cut_at_a_whole_character)
{
	char out[8];

	ck_assert_uint_eq(text_printable(BYTES("ab\xe9\x96\xa2"), out, 5), 2);
	ck_assert_str_eq(out, "ab");
	ck_assert_uint_eq(text_printable(BYTES("ab\xe9\x96\xa2"), out, 6), 5);
	ck_assert_uint_eq(text_printable(BYTES("ab\x01"), out, 6), 2);
	ck_assert_uint_eq(text_printable(BYTES("ab"), out, 1), 0);
	ck_assert_str_eq(out, "");
	ck_assert_uint_eq(text_printable(BYTES("ab"), out, 0), 0);
}
END_TEST

// Each day there is, at a time of day that differs, as the C library has it.
START_TEST(every_day_is_that_of_the_calendar)
{
	char text[TEXT_TIME_BYTES], expected[TEXT_TIME_BYTES];

	for (uint64_t day = 0; day <= UINT64_MAX / NS_PER_S / 86400; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm t;

		if ((uint64_t)seconds > UINT64_MAX / NS_PER_S - 1)
			break;
		gmtime_r(&seconds, &t);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000+0000", &t);
		ck_assert_str_eq(time_format((uint64_t)seconds * NS_PER_S, text), expected);
	}
}
END_TEST

START_TEST(numbers_are_written_with_all_their_digits)
{
	char text[TEXT_DECIMAL_BYTES + 1], expected[32];

	for (uint64_t ten = 1, n = 0; n < 20; n++, ten *= 10)
		for (uint64_t i = 0; i < 3; i++) {
			text[text_decimal(ten - 1 + i, text)] = '\0';
			snprintf(expected, sizeof(expected), "%llu", (unsigned long long)(ten - 1 + i));
			ck_assert_str_eq(text, expected);
		}
	text[text_decimal(UINT64_MAX, text)] = '\0';
	ck_assert_str_eq(text, "18446744073709551615");
}
END_TEST

START_TEST(json_nests_and_separates)
{
	char text[256];
	struct json j;

	json_init(&j, text, sizeof(text));
	json_open(&j, NULL);
	json_u64(&j, "n", UINT64_MAX);
	json_open_array(&j, "a");
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_open(&j, NULL);
	json_close(&j);
	json_close_array(&j);
	json_open(&j, "o");
	json_text(&j, "k", "v");
	json_close(&j);
	json_fixed(&j, "f", 2.0, 2);
	json_close(&j);
	ck_assert(!j.full && j.depth == 0);
	text[j.length] = '\0';
	ck_assert_str_eq(text, "{\"n\":18446744073709551615,\"a\":[true,false,{}],\"o\":{\"k\":\"v\"},\"f\":2.00}");
}
END_TEST

START_TEST(json_survives_hostile_strings)
{
	const struct {
		struct bytes in;
		const char *out;
	} cases[] = {
		{BYTES("\",\"admin\":true,\""), "\"\\\",\\\"admin\\\":true,\\\"\""},
		{BYTES("\\\n\t\0\x1f\x7f"), "\"\\\\\\u000a\\u0009\\u0000\\u001f\\u007f\""},
		{BYTES("\xff\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{BYTES("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{BYTES("\xe2\x80\xa8\xe2\x80\xae"), "\"\\u2028\\u202e\""},
		{BYTES("\xf3\xa0\x80\x81"), "\"\\udb40\\udc01\""},
		{BYTES("\xe9\x96\xa2\xf0\x9f\x94\x92"), "\"\xe9\x96\xa2\xf0\x9f\x94\x92\""},
		{BYTES("\xe9\x96"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{BYTES(""), "\"\""},
	};
	char text[256];
	struct json j;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_init(&j, text, sizeof(text));
		json_string(&j, NULL, cases[i].in);
		text[j.length] = '\0';
		ck_assert_str_eq(text, cases[i].out);
	}
}
END_TEST

// In texts up to three words long: the eight-byte steps and the short rest agree with what the byte gives alone.
START_TEST(json_escapes_a_byte_wherever_it_stands)
{
	static const char xs[] = "xxxxxxxxxxxxxxxxxxxxxxxx";
	char text[256], expected[256], alone[16];
	uint8_t in[sizeof(xs) - 1];
	struct json j;

	for (unsigned byte = 0; byte < 256; byte++) {
		in[0] = (uint8_t)byte;
		json_init(&j, alone, sizeof(alone));
		json_string(&j, NULL, bytes_of(in, 1));
		alone[j.length - 1] = '\0'; // behind the first quote
		for (size_t n = 1; n <= sizeof(in); n++)
			for (size_t at = 0; at < n; at++) {
				memset(in, 'x', sizeof(in));
				in[at] = (uint8_t)byte;
				json_init(&j, text, sizeof(text));
				json_string(&j, NULL, bytes_of(in, n));
				text[j.length] = '\0';
				snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", (int)at, xs, alone + 1,
					 (int)(n - 1 - at), xs);
				ck_assert_str_eq(text, expected);
			}
	}
}
END_TEST

START_TEST(a_full_json_buffer_is_said_and_never_overrun)
{
	for (size_t cap = 0; cap <= 20; cap++) {
		char *text = malloc(cap ? cap : 1);
		struct json j;

		json_init(&j, text, cap);
		json_open(&j, NULL);
		json_text(&j, "key", "a\"b\x01");
		json_close(&j);
		ck_assert(j.full == (cap < strlen("{\"key\":\"a\\\"b\\u0001\"}")));
		ck_assert_uint_le(j.length, cap);
		free(text);
	}
}
END_TEST

START_TEST(json_too_deep_or_closed_too_often_is_full)
{
	char text[256];
	struct json j;

	json_init(&j, text, sizeof(text));
	for (int i = 0; i < JSON_DEPTH; i++)
		json_open_array(&j, NULL);
	ck_assert(!j.full);
	json_open_array(&j, NULL);
	ck_assert(j.full && j.depth == JSON_DEPTH);
	json_init(&j, text, sizeof(text));
	json_close(&j);
	ck_assert(j.full && j.depth == 0);
}
END_TEST

static const char *fixed(double value, int decimals)
{
	static char text[512];
	struct json j;

	json_init(&j, text, sizeof(text) - 1);
	json_fixed(&j, NULL, value, decimals);
	text[j.length] = '\0';
	return text;
}

START_TEST(fixed_decimals_do_not_depend_on_the_locale)
{
	// Where the machine has no such locale the test still checks the numbers.
	setlocale(LC_NUMERIC, "de_DE.UTF-8");
	ck_assert_str_eq(fixed(1.5, 3), "1.500");
	ck_assert_str_eq(fixed(-0.125, 2), "-0.12");
	ck_assert_str_eq(fixed(1234567.0, 0), "1234567");
	ck_assert_str_eq(fixed(0.1, 9), "0.100000000");
	ck_assert_str_eq(fixed(0.1, 99), "0.100000000");
	ck_assert_str_eq(fixed(NAN, 2), "null");
	ck_assert_str_eq(fixed(-INFINITY, 2), "null");
	ck_assert_uint_eq(strlen(fixed(1.7976931348623157e308, 9)), 309 + 10);
	setlocale(LC_NUMERIC, "C");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *test = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, a_duration_needs_a_unit);
	tcase_add_test(test, a_duration_is_shown_in_two_units_rounded_down);
	tcase_add_test(test, a_time_comes_back_as_it_was_written);
	tcase_add_test(test, what_is_no_time_is_refused);
	tcase_add_test(test, hostile_bytes_become_printable);
	tcase_add_test(test, a_printable_text_is_cut_at_a_whole_character);
	tcase_add_test(test, every_day_is_that_of_the_calendar);
	tcase_add_test(test, numbers_are_written_with_all_their_digits);
	tcase_add_test(test, json_escapes_a_byte_wherever_it_stands);
	tcase_add_test(test, json_nests_and_separates);
	tcase_add_test(test, json_survives_hostile_strings);
	tcase_add_test(test, a_full_json_buffer_is_said_and_never_overrun);
	tcase_add_test(test, json_too_deep_or_closed_too_often_is_full);
	tcase_add_test(test, fixed_decimals_do_not_depend_on_the_locale);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
