// SPDX-License-Identifier: GPL-2.0-or-later
// pcapng of unlike interfaces, which libpcap does not read: link types, snapshot lengths, resolutions and offsets of each; both byte orders; damage at every
// byte is said, after the frames before it.
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include "pcapng.h"

struct file {
	uint8_t at[4096];
	size_t n, block;
	bool big; // byte order of what is put
};

static void put(struct file *f, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		f->at[f->n++] = (uint8_t)(value >> 8 * (f->big ? bytes - 1 - i : i));
}

static void begin(struct file *f, uint32_t type)
{
	f->block = f->n;
	put(f, 4, type);
	put(f, 4, 0);
}

static void end(struct file *f)
{
	size_t n;

	while ((f->n - f->block) % 4)
		put(f, 1, 0);
	put(f, 4, f->n + 4 - f->block);
	n = f->n;
	f->n = f->block + 4;
	put(f, 4, n - f->block);
	f->n = n;
}

static void section(struct file *f, bool big)
{
	f->big = big;
	begin(f, 0x0a0d0d0a);
	put(f, 4, 0x1a2b3c4d);
	put(f, 2, 1);
	put(f, 2, 0);
	put(f, 8, UINT64_MAX);
	end(f);
}

// resolution 0xff: no such option; offset 0: neither.
static void interface(struct file *f, uint16_t link, uint32_t snap, uint8_t resolution, int64_t offset)
{
	begin(f, 1);
	put(f, 2, link);
	put(f, 2, 0);
	put(f, 4, snap);
	if (resolution != 0xff) {
		put(f, 2, 9);
		put(f, 2, 1);
		put(f, 1, resolution);
		put(f, 1, 0);
		put(f, 2, 0);
	}
	if (offset) {
		put(f, 2, 14);
		put(f, 2, 8);
		put(f, 8, (uint64_t)offset);
	}
	end(f);
}

static void packet(struct file *f, uint32_t which, uint64_t time, uint32_t bytes, uint32_t wire_bytes)
{
	begin(f, 6);
	put(f, 4, which);
	put(f, 4, time >> 32);
	put(f, 4, time & 0xffffffff);
	put(f, 4, bytes);
	put(f, 4, wire_bytes);
	for (uint32_t i = 0; i < bytes; i++)
		put(f, 1, i + 1);
	end(f);
}

// Reads the first n bytes of the file; frames to `out`. Returns what pcapng_next said last.
static int read_all(struct file *f, size_t n, struct pcapng_frame *out, size_t most, size_t *frames, char note[128])
{
	FILE *stream = fmemopen(f->at, n, "rb");
	struct pcapng *p = pcapng_open(stream);
	struct pcapng_frame frame;
	int got;

	*frames = 0;
	while ((got = pcapng_next(p, &frame)) == 1)
		if ((*frames)++ < most)
			out[*frames - 1] = frame;
	ck_assert_int_eq(pcapng_next(p, &frame), got);
	snprintf(note, 128, "%s", pcapng_note(p));
	pcapng_close(p);
	fclose(stream);
	return got;
}

START_TEST(interfaces_may_differ_in_everything)
{
	struct file f = {.n = 0};
	struct pcapng_frame got[5];
	char note[128];
	size_t n;

	section(&f, _i);
	interface(&f, 1, 65535, 0xff, 0);
	interface(&f, 101, 0, 9, 0);
	packet(&f, 0, 1639151132123456, 5, 99);
	interface(&f, 9, 96, 0x80 | 10, 3600); // 2^-10 s
	packet(&f, 2, 1639151132ull << 10 | 512, 3, 3);
	packet(&f, 1, 1639151132123456789, 4, 4);
	section(&f, !_i);
	interface(&f, 113, 2, 3, -1);
	packet(&f, 0, 1639151132123, 2, 60);
	begin(&f, 3); // a simple one: cut to its interface's snapshot length
	put(&f, 4, 60);
	put(&f, 2, 0x0202);
	end(&f);
	ck_assert_int_eq(read_all(&f, f.n, got, 5, &n, note), 0);
	ck_assert_str_eq(note, "");
	ck_assert_uint_eq(n, 5);
	ck_assert(got[0].link == 1 && got[0].unix_ns == 1639151132123456000 && got[0].data.left == 5 && got[0].wire_bytes == 99);
	ck_assert(got[1].link == 9 && got[1].unix_ns == 1639154732500000000 && got[1].data.left == 3);
	ck_assert(got[2].link == 101 && got[2].unix_ns == 1639151132123456789 && got[2].data.left == 4);
	ck_assert(got[3].link == 113 && got[3].unix_ns == 1639151131123000000 && got[3].wire_bytes == 60);
	ck_assert(got[4].link == 113 && got[4].unix_ns == 1639151131123000000 && got[4].data.left == 2);
}
END_TEST

START_TEST(other_blocks_are_passed_over_and_old_packets_read)
{
	struct file f = {.n = 0};
	struct pcapng_frame got[1];
	char note[128];
	size_t n;

	section(&f, false);
	interface(&f, 1, 0, 0xff, 0);
	begin(&f, 0x80000001);
	put(&f, 4, 6);
	end(&f);
	begin(&f, 2);
	put(&f, 2, 0);
	put(&f, 2, 7);
	put(&f, 8, 0);
	put(&f, 4, 1);
	put(&f, 4, 1);
	put(&f, 1, 42);
	end(&f);
	ck_assert_int_eq(read_all(&f, f.n, got, 1, &n, note), 0);
	ck_assert(n == 1 && got[0].data.left == 1 && got[0].unix_ns == 0);
}
END_TEST

START_TEST(cut_at_any_byte_it_gives_whole_frames_and_says_so)
{
	struct file f = {.n = 0};
	size_t ends[6] = {0}, blocks = 0, n, whole;
	char note[128];

	section(&f, true);
	ends[blocks++] = f.n;
	interface(&f, 1, 0, 6, 5);
	ends[blocks++] = f.n;
	for (int i = 0; i < 3; i++) {
		packet(&f, 0, 1, 5, 5);
		ends[blocks++] = f.n;
	}
	for (size_t cut = 1; cut <= f.n; cut++) {
		bool between = false;

		whole = 0;
		for (size_t i = 0; i < blocks; i++) {
			between |= ends[i] == cut;
			whole += i > 1 && ends[i] <= cut;
		}
		ck_assert_int_eq(read_all(&f, cut, NULL, 0, &n, note), between ? 0 : -EIO);
		ck_assert_uint_eq(n, whole);
		ck_assert_int_eq(note[0] == '\0', between);
	}
}
END_TEST

// Each with its reason. The first frame, which is good, comes all the same.
START_TEST(what_lies_is_said)
{
	static const struct {
		size_t at; // from the end of the first packet
		uint32_t value;
		const char *note;
	} lies[] = {
		{4, 41, "impossible length"},   {4, 8, "impossible length"},          {4, 64, "within a block"},
		{36, 44, "another length"},     {8, 1, "was not described"},          {20, 9, "longer than its block"},
		{20, 0x40001, "longer than"},   {4, 0x7ffffffc, "longer than any frame needs"}, {0, 0x0a0d0d0a, "without byte order"},
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct file f = {.n = 0};
		size_t first, n;
		char note[128];

		section(&f, false);
		interface(&f, 1, 0, 0xff, 0);
		packet(&f, 0, 1, 8, 8);
		first = f.n;
		packet(&f, 0, 1, 8, 8);
		f.n = first + lies[i].at;
		put(&f, 4, lies[i].value);
		ck_assert_int_eq(read_all(&f, 2 * first - 28 - 20, NULL, 0, &n, note), -EIO);
		ck_assert_msg(strstr(note, lies[i].note) != NULL, "%zu: %s", i, note);
		ck_assert_uint_eq(n, 1);
	}
}
END_TEST

START_TEST(interfaces_and_resolutions_have_bounds)
{
	static const uint8_t too_fine[] = {20, 255 & 0x7f, 0x80 | 64};
	char note[128];
	size_t n;

	for (size_t i = 0; i < 3; i++) {
		struct file f = {.n = 0};

		section(&f, false);
		interface(&f, 1, 0, too_fine[i], 0);
		ck_assert_int_eq(read_all(&f, f.n, NULL, 0, &n, note), -EIO);
		ck_assert_ptr_nonnull(strstr(note, "finer"));
	}
	static const struct {
		uint8_t resolution;
		uint64_t time;
		int64_t offset;
		uint64_t want;
	} times[] = {{0, UINT64_MAX, 0, INT64_MAX}, {6, 0, INT64_MIN, 0}, {19, UINT64_MAX, 1, 2844674407}, {0x80 | 63, UINT64_MAX, 0, 1999999999}};

	for (size_t i = 0; i < 4; i++) {
		struct file f = {.n = 0};
		struct pcapng_frame got;

		section(&f, false);
		interface(&f, 1, 0, times[i].resolution, times[i].offset);
		packet(&f, 0, times[i].time, 1, 1);
		ck_assert_int_eq(read_all(&f, f.n, &got, 1, &n, note), 0);
		ck_assert_uint_eq(got.unix_ns, times[i].want);
	}
}
END_TEST

START_TEST(more_interfaces_than_are_kept_are_damage)
{
	enum { BYTES = 28 + 20 * (PCAPNG_INTERFACES + 1) };
	struct file f = {.n = 0};
	uint8_t *all = malloc(BYTES);
	FILE *stream;
	struct pcapng *p;
	struct pcapng_frame frame;

	section(&f, false);
	memcpy(all, f.at, 28);
	f.n = 0;
	interface(&f, 1, 0, 0xff, 0);
	for (int i = 0; i <= PCAPNG_INTERFACES; i++)
		memcpy(all + 28 + 20 * i, f.at, 20);
	stream = fmemopen(all, BYTES - 20, "rb");
	p = pcapng_open(stream);
	ck_assert_int_eq(pcapng_next(p, &frame), 0);
	pcapng_close(p);
	fclose(stream);
	stream = fmemopen(all, BYTES, "rb");
	p = pcapng_open(stream);
	ck_assert_int_eq(pcapng_next(p, &frame), -EIO);
	ck_assert_ptr_nonnull(strstr(pcapng_note(p), "1024"));
	pcapng_close(p);
	fclose(stream);
	free(all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcapng");
	TCase *tcase = tcase_create("pcapng");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, interfaces_may_differ_in_everything, 0, 2);
	tcase_add_test(tcase, other_blocks_are_passed_over_and_old_packets_read);
	tcase_add_test(tcase, cut_at_any_byte_it_gives_whole_frames_and_says_so);
	tcase_add_test(tcase, what_lies_is_said);
	tcase_add_test(tcase, interfaces_and_resolutions_have_bounds);
	tcase_add_test(tcase, more_interfaces_than_are_kept_are_damage);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
