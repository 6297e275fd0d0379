// SPDX-License-Identifier: GPL-2.0-or-later
// The file of what is learned: what is written comes back, what is damaged does not, and a failed write leaves the old one.
#include "image.h"

#include "digest.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 7, HEAD = 16, SECTION = 16, HASH = 32 };

static char folder[64], path[96], beside[112];

static void setup(void)
{
	strcpy(folder, "/tmp/sekimori-image-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/learned", folder);
	snprintf(beside, sizeof(beside), "%s.new", path);
}

static void teardown(void)
{
	unlink(path);
	unlink(beside);
	rmdir(folder);
}

static void add(struct image *i, uint32_t id, size_t n)
{
	image_section(i, id);
	for (size_t k = 0; k < n; k++)
		image_append(i, &(uint8_t){(uint8_t)(id * 31 + k)}, 1);
	image_end(i);
}

static void check(const struct image *i, uint32_t id, size_t n)
{
	struct bytes b = image_find(i, id);

	ck_assert_uint_eq(b.left, n);
	for (size_t k = 0; k < n; k++)
		ck_assert_uint_eq(b.at[k], (uint8_t)(id * 31 + k));
}

static int write_sections(const size_t *lengths, unsigned n)
{
	struct image i;
	int error;

	image_begin(&i, VERSION);
	for (unsigned k = 0; k < n; k++)
		add(&i, k + 1, lengths[k]);
	error = image_write(&i, path);
	image_free(&i);
	return error;
}

START_TEST(sections_of_every_length_come_back)
{
	struct image i;

	for (size_t a = 0; a < 80; a++) { // among them those that equal a place in the file
		const size_t lengths[] = {a, 3, 160 - a, 0, 8};

		ck_assert_int_eq(write_sections(lengths, 5), 0);
		ck_assert_int_eq(image_read(&i, VERSION, path), 0);
		for (uint32_t k = 0; k < 5; k++)
			check(&i, k + 1, lengths[k]);
		ck_assert_uint_eq(image_find(&i, 6).left, 0);
		image_free(&i);
	}
}
END_TEST

START_TEST(the_same_content_has_the_same_name_and_another_has_another)
{
	const size_t one[] = {5, 100}, other[] = {6, 100};
	uint8_t first[32], again[32], different[32];
	struct image i;

	ck_assert_int_eq(write_sections(one, 2), 0);
	ck_assert_int_eq(image_read(&i, VERSION, path), 0);
	image_hash(&i, first);
	image_free(&i);
	ck_assert_int_eq(write_sections(one, 2), 0);
	ck_assert_int_eq(image_read(&i, VERSION, path), 0);
	image_hash(&i, again);
	image_free(&i);
	ck_assert_int_eq(write_sections(other, 2), 0);
	ck_assert_int_eq(image_read(&i, VERSION, path), 0);
	image_hash(&i, different);
	image_free(&i);
	ck_assert_mem_eq(first, again, 32);
	ck_assert_mem_ne(first, different, 32);
}
END_TEST

// The bytes of a file of two sections.
static struct bytes file_bytes(uint8_t *room, size_t cap)
{
	const size_t lengths[] = {13, 40};
	FILE *f;
	size_t n;

	ck_assert_int_eq(write_sections(lengths, 2), 0);
	f = fopen(path, "rb");
	n = fread(room, 1, cap, f);
	fclose(f);
	return bytes_of(room, n);
}

START_TEST(another_version_one_bit_and_a_missing_end_are_refused)
{
	uint8_t room[512];
	struct bytes file = file_bytes(room, sizeof(room));
	struct image i;

	ck_assert_int_eq(image_copy(&i, VERSION, file), 0);
	image_free(&i);
	ck_assert_int_eq(image_copy(&i, VERSION + 1, file), -ENOTSUP);
	ck_assert_int_eq(image_read(&i, VERSION + 1, path), -ENOTSUP);
	ck_assert_ptr_null(i.at);
	for (size_t bit = 0; bit < 8 * file.left; bit++) {
		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(image_copy(&i, VERSION, file), -EPROTO);
		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < file.left; n++) {
		uint8_t *exactly = malloc(n + 1);

		memcpy(exactly, room, n);
		ck_assert_int_eq(image_copy(&i, VERSION, bytes_of(exactly, n)), -EPROTO);
		free(exactly);
		ck_assert_int_eq(truncate(path, (off_t)(file.left - n - 1)), 0);
		ck_assert_int_eq(image_read(&i, VERSION, path), -EPROTO);
	}
}
END_TEST

// Whoever made the hash may have written nonsense.
static int read_with_length(struct bytes file, uint8_t *room, uint64_t length)
{
	struct image i;
	int error;

	memcpy(room + HEAD + 8, &length, sizeof(length));
	digest_sha256(room, file.left - HASH, room + file.left - HASH);
	error = image_copy(&i, VERSION, file);
	image_free(&i);
	return error;
}

START_TEST(sections_that_reach_out_of_the_file_are_refused_though_the_hash_is_right)
{
	uint8_t room[512];
	struct bytes file = file_bytes(room, sizeof(room));
	const uint64_t rest = file.left - HASH - HEAD - SECTION;

	ck_assert_int_eq(read_with_length(file, room, 13), 0);
	ck_assert_int_eq(read_with_length(file, room, rest), 0); // one section holds all
	ck_assert_int_eq(read_with_length(file, room, rest + 1), -EPROTO);
	ck_assert_int_eq(read_with_length(file, room, rest - 8), -EPROTO); // no room for a second one's head
	for (uint64_t n = 0; n < 64; n++) // sums that overflow
		ck_assert_int_eq(read_with_length(file, room, UINT64_MAX - n), -EPROTO);
	ck_assert_int_eq(read_with_length(file, room, 13), 0);
	memset(room + HEAD, 0, 4); // section 0
	ck_assert_int_eq(read_with_length(file, room, 13), -EPROTO);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct image i;

	ck_assert_int_eq(image_read(&i, VERSION, path), -ENOENT);
	ck_assert_int_eq(image_read(&i, VERSION, folder), -EPROTO);
	ck_assert_int_eq(image_copy(&i, VERSION, bytes_of(NULL, 0)), -EPROTO);
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_file_and_nothing_beside_it)
{
	const size_t small[] = {5}, large[] = {1 << 16};
	struct rlimit before, none;
	struct image i;

	ck_assert_int_eq(write_sections(small, 1), 0);
	signal(SIGXFSZ, SIG_IGN); // as a full disk: the file may not grow
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){4096, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(write_sections(large, 1), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_ne(access(beside, F_OK), 0);
	ck_assert_int_eq(image_read(&i, VERSION, path), 0);
	check(&i, 1, 5);
	image_free(&i);
	if (access("/dev/full", W_OK) == 0 && symlink("/dev/full", beside) == 0) {
		ck_assert_int_eq(write_sections(small, 1), -ENOSPC);
		ck_assert_int_eq(image_read(&i, VERSION, path), 0);
		image_free(&i);
	}
}
END_TEST

START_TEST(what_a_crash_left_beside_is_overwritten)
{
	const size_t lengths[] = {5};
	FILE *f = fopen(beside, "w");
	struct image i;

	fputs("half a file", f);
	fclose(f);
	ck_assert_int_eq(write_sections(lengths, 1), 0);
	ck_assert_int_eq(image_read(&i, VERSION, path), 0);
	image_free(&i);
	ck_assert_int_ne(access(beside, F_OK), 0);
}
END_TEST

START_TEST(no_memory_is_remembered_until_the_write)
{
	struct image i;

	image_begin(&i, VERSION);
	image_section(&i, 1);
	i.error = -ENOMEM;
	ck_assert_ptr_null(image_room(&i, 1));
	image_append(&i, "x", 1);
	image_end(&i);
	ck_assert_int_eq(image_write(&i, path), -ENOMEM);
	ck_assert_int_ne(access(path, F_OK), 0);
	image_free(&i);
}
END_TEST

START_TEST(a_table_comes_back_without_its_empty_places_and_only_into_one_as_large)
{
	const uint64_t table[][2] = {{0, 0}, {1, 0}, {0, 0}, {0, 2}, {0, 0}};
	uint64_t back[5][2] = {{0}};
	struct image i;
	struct bytes b;

	image_begin(&i, VERSION);
	image_section(&i, 1);
	image_append_table(&i, table, 5, sizeof(table[0]));
	b = bytes_of(i.at + HEAD + SECTION, i.used - HEAD - SECTION);
	ck_assert_uint_eq(b.left, 2 * 24);
	ck_assert(image_take_table(b, back, 5, sizeof(back[0])));
	ck_assert_mem_eq(table, back, sizeof(table));
	ck_assert(!image_take_table(b, back, 3, sizeof(back[0])));
	ck_assert(!image_take_table(bytes_of(b.at, b.left - 1), back, 5, sizeof(back[0])));
	ck_assert(!image_take_table(b, back, 5, 8)); // other records: indices out of their order
	ck_assert(image_take_table(bytes_of(NULL, 0), back, 5, sizeof(back[0])));
	image_free(&i);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("image");
	TCase *t = tcase_create("image");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sections_of_every_length_come_back);
	tcase_add_test(t, the_same_content_has_the_same_name_and_another_has_another);
	tcase_add_test(t, another_version_one_bit_and_a_missing_end_are_refused);
	tcase_add_test(t, sections_that_reach_out_of_the_file_are_refused_though_the_hash_is_right);
	tcase_add_test(t, what_is_no_file_is_refused);
	tcase_add_test(t, a_write_that_fails_leaves_the_old_file_and_nothing_beside_it);
	tcase_add_test(t, what_a_crash_left_beside_is_overwritten);
	tcase_add_test(t, no_memory_is_remembered_until_the_write);
	tcase_add_test(t, a_table_comes_back_without_its_empty_places_and_only_into_one_as_large);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
