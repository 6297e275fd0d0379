// SPDX-License-Identifier: GPL-2.0-or-later
// app/generate, stream.h: a company's days repeat themselves, flow in order, and react to what is dropped.
#include "stream.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (86400ull * 1000000000ull)
#define START_NS (1635724800ull * 1000000000ull) // a Monday

static struct stream *days(uint64_t seed, uint32_t count)
{
	return stream_create(&(struct stream_plan){seed, START_NS, count});
}

static unsigned chain_of(const char *name)
{
	unsigned i = 0;

	while (strcmp(chain_name(i), name))
		i++;
	return i;
}

static uint64_t digest(uint64_t seed)
{
	struct stream *s = days(seed, 1);
	struct stream_frame f;
	uint64_t hash = 0;

	while (stream_next(s, &f)) {
		hash = hash * 31 + f.when_ns + f.conversation;
		for (uint32_t i = 0; i < f.length; i++)
			hash = hash * 31 + f.bytes[i];
	}
	stream_destroy(s);
	return hash;
}

START_TEST(a_seed_repeats_itself)
{
	uint64_t first = digest(3);

	ck_assert_uint_eq(first, digest(3));
	ck_assert_uint_ne(first, digest(4));
}
END_TEST

START_TEST(frames_come_in_order_and_weekends_are_quiet)
{
	struct stream *s = stream_create(&(struct stream_plan){1, START_NS + 4 * DAY_NS, 2}); // Friday and Saturday
	uint64_t before = 0, frames[3] = {0};
	struct stream_counts counts;
	struct stream_frame f;

	while (stream_next(s, &f)) {
		ck_assert_uint_ge(f.when_ns, before);
		ck_assert_uint_eq(f.attack, 0);
		before = f.when_ns;
		frames[(f.when_ns - START_NS) / DAY_NS - 4]++;
	}
	ck_assert_uint_gt(frames[0], 2 * frames[1]);
	stream_counts(s, &counts);
	ck_assert_uint_gt(counts.conversations, 30000);
	ck_assert_uint_eq(counts.cut, 0);
	stream_destroy(s);
}
END_TEST

START_TEST(a_network_appears_and_devices_have_kinds)
{
	struct stream *s = days(1, 1);
	struct address a;

	ck_assert_uint_ge(stream_devices(s, 0), 300);
	ck_assert_uint_ge(stream_devices(s, 26), stream_devices(s, 25) + 10);
	ck_assert_int_eq(address_parse(bytes_of_text("198.18.2.10"), &a), 0);
	ck_assert_str_eq(stream_part(s, &a), "web");
	ck_assert_int_eq(address_parse(bytes_of_text("198.19.2.10"), &a), 0);
	ck_assert_ptr_null(stream_part(s, &a));
	stream_destroy(s);
}
END_TEST

static void step_happened(const struct stream *s, unsigned chain, uint16_t attack)
{
	struct stream_step step;
	uint64_t before = 0;

	for (unsigned i = 0; chain_step_words(chain, i); i++) {
		stream_step(s, attack, i, &step);
		ck_assert_msg(step.begun && step.frames && !step.dropped, "%s step %u", chain_name(chain), i + 1);
		ck_assert_msg(step.first_ns > before, "%s step %u is too early", chain_name(chain), i + 1);
		ck_assert_msg(step.last_ns <= START_NS + chain_length_ns(chain) + 2 * DAY_NS, "%s step %u is late", chain_name(chain), i + 1);
		ck_assert_uint_gt(step.conversations, 0);
		before = step.first_ns;
	}
}

// Every chain to its end, nothing dropped: all steps happen, in their order.
START_TEST(all_chains_happen)
{
	struct stream *s = days(1, 1);
	uint16_t attack[STREAM_ATTACKS];
	struct stream_frame f;

	for (unsigned c = 0; chain_name(c); c++)
		attack[c] = stream_attack(s, c, 5, START_NS + 1);
	while (stream_next(s, &f))
		;
	for (unsigned c = 0; chain_name(c); c++) {
		ck_assert(stream_attack_over(s, attack[c]));
		step_happened(s, c, attack[c]);
	}
	stream_destroy(s);
}
END_TEST

// What stands in the frame between two texts. False: they are not there.
static bool between(const struct stream_frame *f, const char *before, const char *after, char out[64])
{
	const char *at = memmem(f->bytes, f->length, before, strlen(before)), *end;

	if (!at)
		return false;
	at += strlen(before);
	end = memmem(at, f->length - (size_t)((const uint8_t *)at - f->bytes), after, strlen(after));
	if (!end || end - at >= 64)
		return false;
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
	return true;
}

static unsigned web_shell(uint64_t seed, char name[64])
{
	struct stream *s = days(1, 1);
	uint16_t attack = stream_attack(s, chain_of("web-shell"), seed, START_NS + 1);
	struct stream_frame f;
	char asked[64];
	unsigned calls = 0;

	name[0] = '\0';
	while (stream_next(s, &f)) {
		if (f.attack == attack && f.step == 0)
			between(&f, "filename=\"", "\"", name);
		if (f.attack == attack && f.step == 1 && between(&f, "POST /files/", " HTTP", asked)) {
			ck_assert_str_eq(asked, name);
			calls++;
		}
	}
	stream_destroy(s);
	return calls;
}

START_TEST(a_web_shell_is_called_by_the_name_under_which_it_was_uploaded)
{
	char first[64], second[64];

	ck_assert_uint_eq(web_shell(5, first), 8);
	ck_assert_uint_eq(web_shell(6, second), 8);
	ck_assert_str_ne(first, second);
}
END_TEST

enum { UPLOADS_MOST = 2048 };

START_TEST(visitors_upload_pictures_that_are_looked_at_and_seldom_scripts_that_are_not)
{
	static char names[UPLOADS_MOST][64];
	unsigned uploads = 0, fetched = 0, scripts = 0;
	struct stream *s = days(1, 7);
	struct stream_frame f;
	char uri[64];

	while (stream_next(s, &f)) {
		if (uploads < UPLOADS_MOST && between(&f, "filename=\"", "\"", names[uploads]))
			uploads++;
		fetched += between(&f, "GET /media/", " HTTP", uri);
		if (between(&f, "GET /media/", " HTTP", uri))
			ck_assert(strstr(uri, ".png") || strstr(uri, ".pdf"));
	}
	for (unsigned i = 0; i < uploads; i++)
		scripts += !strstr(names[i], ".png") && !strstr(names[i], ".pdf");
	ck_assert_msg(uploads > 300 && fetched > uploads / 2 && scripts > 0 && scripts < uploads / 50, "%u %u %u", uploads, fetched,
		      scripts);
	stream_destroy(s);
}
END_TEST

// The next frame of the first hours, when little else happens.
static bool next_early(struct stream *s, struct stream_frame *f)
{
	return stream_next(s, f) && f->when_ns < START_NS + DAY_NS / 12;
}

// Drops every frame of one step until the stream is over; how many frames of it came.
static unsigned drop_step(struct stream *s, uint16_t attack, unsigned step)
{
	struct stream_frame f;
	unsigned came = 0;

	while (next_early(s, &f))
		if (f.attack == attack && f.step == step) {
			stream_dropped(s);
			came++;
		}
	return came;
}

START_TEST(what_rests_on_a_dropped_step_does_not_happen)
{
	struct stream *s = days(1, 1);
	uint16_t attack = stream_attack(s, chain_of("log4shell-clear"), 5, START_NS + 1);
	struct stream_counts counts;
	struct stream_step step;

	ck_assert_uint_eq(drop_step(s, attack, 1), 2); // the SYN and its retransmission
	stream_step(s, attack, 0, &step);
	ck_assert(step.begun && !step.stopped);
	stream_step(s, attack, 1, &step);
	ck_assert(step.begun);
	ck_assert_uint_eq(step.stopped, 1);
	ck_assert_uint_eq(step.dropped, 2);
	for (unsigned i = 2; i < 4; i++) {
		stream_step(s, attack, i, &step);
		ck_assert(!step.begun && !step.frames);
	}
	stream_counts(s, &counts);
	ck_assert_uint_eq(counts.cut, 0);
	stream_destroy(s);
}
END_TEST

START_TEST(payload_is_marked)
{
	struct stream *s = days(1, 1);
	uint16_t attack = stream_attack(s, chain_of("log4shell-clear"), 5, START_NS + 1);
	struct stream_frame f;
	struct stream_step step;
	unsigned marked = 0;

	while (next_early(s, &f))
		if (f.attack && f.payload) {
			ck_assert_uint_eq(f.step, 2);
			ck_assert(marked++ || memmem(f.bytes, f.length, "\xca\xfe\xba\xbe", 4));
		}
	stream_step(s, attack, 2, &step);
	ck_assert_uint_eq(step.payload, marked);
	ck_assert_uint_gt(marked, 0);
	stream_destroy(s);
}
END_TEST

// What became of the mimic's third step when all its frames of one transport (IPv4) were dropped.
static struct stream_step third_step(uint8_t transport, bool *went_on)
{
	struct stream *s = days(1, 1);
	uint16_t attack = stream_attack(s, chain_of("mimic"), 5, START_NS + 1);
	struct stream_frame f;
	struct stream_step third, fourth;

	while (next_early(s, &f))
		if (f.attack && f.step == 2 && f.bytes[23] == transport)
			stream_dropped(s);
	stream_step(s, attack, 2, &third);
	stream_step(s, attack, 3, &fourth);
	*went_on = fourth.begun;
	stream_destroy(s);
	return third;
}

// A look-up of a name is not the step: the step has failed although its look-ups went through, and not because of them.
START_TEST(lookups_are_aside)
{
	bool went_on;
	struct stream_step step = third_step(6, &went_on);

	ck_assert_uint_eq(step.conversations, 1);
	ck_assert_uint_eq(step.stopped, 1);
	ck_assert(!went_on);
	step = third_step(17, &went_on);
	ck_assert_uint_gt(step.dropped, 0);
	ck_assert_uint_eq(step.stopped, 0);
	ck_assert(went_on);
}
END_TEST

START_TEST(an_ordinary_conversation_stops_where_it_is_dropped)
{
	struct stream *s = days(1, 1);
	struct stream_counts counts;
	struct stream_frame f;
	uint32_t victim = 0;
	unsigned came = 0;

	while (next_early(s, &f)) {
		if (!victim && f.bytes[12] == 8 && f.bytes[13] == 0 && f.bytes[23] == 6)
			victim = f.conversation; // the first TCP frame there is: a SYN
		if (victim && f.conversation == victim && ++came == 1)
			stream_dropped(s);
	}
	ck_assert_uint_eq(came, 2);
	stream_counts(s, &counts);
	ck_assert_uint_eq(counts.cut, 1);
	stream_destroy(s);
}
END_TEST

START_TEST(attackers_differ_by_seed)
{
	struct stream *s = days(1, 1);
	struct address first, second;
	uint16_t a = stream_attack(s, chain_of("case1"), 5, START_NS + 1), b = stream_attack(s, chain_of("case1"), 6, START_NS + 1);

	first = stream_victim(s, a);
	second = stream_victim(s, b);
	ck_assert(!address_equal(&first, &second));
	stream_attack_end(s, a);
	ck_assert(stream_attack_over(s, a) && !stream_attack_over(s, b));
	for (unsigned i = 2; i < STREAM_ATTACKS; i++)
		ck_assert_uint_ne(stream_attack(s, 0, i, START_NS + 1), 0);
	ck_assert_uint_eq(stream_attack(s, 0, 1, START_NS + 1), 0);
	stream_destroy(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream");
	TCase *cases = tcase_create("stream");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(cases, 100);
	tcase_add_test(cases, a_seed_repeats_itself);
	tcase_add_test(cases, frames_come_in_order_and_weekends_are_quiet);
	tcase_add_test(cases, a_network_appears_and_devices_have_kinds);
	tcase_add_test(cases, all_chains_happen);
	tcase_add_test(cases, a_web_shell_is_called_by_the_name_under_which_it_was_uploaded);
	tcase_add_test(cases, visitors_upload_pictures_that_are_looked_at_and_seldom_scripts_that_are_not);
	tcase_add_test(cases, what_rests_on_a_dropped_step_does_not_happen);
	tcase_add_test(cases, payload_is_marked);
	tcase_add_test(cases, lookups_are_aside);
	tcase_add_test(cases, an_ordinary_conversation_stops_where_it_is_dropped);
	tcase_add_test(cases, attackers_differ_by_seed);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
