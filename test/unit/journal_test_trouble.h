// SPDX-License-Identifier: GPL-2.0-or-later
// The journal in trouble: damage, a full disk, somebody else's lock. Included by journal_test.c.
#pragma once

static void scribble(off_t from, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char noise[4096];

	for (size_t k = 0; k < sizeof(noise); k++)
		noise[k] = (char)(k * 7 + 13);
	ck_assert_int_ge(fd, 0);
	for (size_t done = 0; done < n; done += sizeof(noise))
		ck_assert_int_eq(pwrite(fd, noise, sizeof(noise), from + (off_t)done), (ssize_t)sizeof(noise));
	close(fd);
}

START_TEST(a_damaged_file_is_set_aside_and_a_new_one_begun)
{
	char aside[128];
	struct journal *j;

	fresh_folder();
	for (int n = 1; n <= 2; n++) {
		j = open_journal(path);
		for (uint64_t k = 1; k < 50; k++) {
			struct alert a = numbered(k, T0);

			ck_assert_int_eq(journal_alert(j, &a), 0);
		}
		journal_close(j);
		scribble(n == 1 ? 0 : 8192, 65536); // the head; the pages behind it
		j = open_journal(path);
		ck_assert_uint_eq(journal_next(j, "alert"), 1);
		journal_close(j);
		snprintf(aside, sizeof(aside), "%s.damaged-%d", path, n);
		ck_assert_int_eq(access(aside, F_OK), 0);
	}
	remove_folder();
}
END_TEST

START_TEST(a_file_damaged_under_our_hands_is_an_error_and_the_next_call_begins_a_new_one)
{
	struct journal *j;
	struct seen s = {.count = 0};
	struct block b = block_of(1);
	char aside[128];

	fresh_folder();
	j = open_journal(path);
	for (uint64_t k = 1; k < 1500; k++) { // more than SQLite keeps in memory
		struct alert a = numbered(k, T0 + k);

		ck_assert_int_eq(journal_alert(j, &a), 0);
	}
	journal_close(j);
	j = open_journal(path);
	scribble(4096, 3 << 20);
	for (int n = 0; n < 3; n++) // the first that meets the damage fails
		if (journal_alerts(j, &(struct journal_query){.limit = 1, .min_priority = 9}, see_alert, &s) < 0)
			break;
	ck_assert_int_eq(journal_block(j, &b, "made", T0), 0);
	snprintf(aside, sizeof(aside), "%s.damaged-1", path);
	ck_assert_int_eq(access(aside, F_OK), 0);
	ck_assert_uint_eq(journal_next(j, "alert"), 1);
	ck_assert_uint_eq(journal_next(j, "block"), 2);
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone)
{
	char error[256] = "", command[256];

	fresh_folder();
	ck_assert_ptr_null(journal_open("/nonexistent/folder/journal.db", error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent/folder/journal.db: "));
	journal_close(open_journal(path));
	snprintf(command, sizeof(command),
		 "python3 -c \"import sqlite3; c=sqlite3.connect('%s'); c.execute('PRAGMA user_version=99')\"", path);
	if (system(command) == 0) {
		ck_assert_ptr_null(journal_open(path, error, sizeof(error)));
		ck_assert_ptr_nonnull(strstr(error, "version"));
		ck_assert_int_eq(access(path, F_OK), 0);
	}
	remove_folder();
}
END_TEST

// A disk with room for files of so many bytes; 0: as it was.
static void limit_files(rlim_t bytes)
{
	static struct rlimit before;
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	if (bytes)
		ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	if (bytes)
		limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_full_disk_is_an_error_not_an_end_and_writing_goes_on_afterwards)
{
	struct journal *j;
	struct seen s = {.count = 0};
	uint64_t id = 1, failed_at;
	int rc = 0;

	fresh_folder();
	j = open_journal(path);
	limit_files(256 * 1024);
	for (; id < 1000 && rc == 0; id++) {
		struct block b = block_of(id);

		rc = journal_block(j, &b, "made", T0);
	}
	failed_at = id - 1;
	limit_files(0);
	ck_assert_msg(rc == -ENOSPC || rc == -EIO, "%d after %llu", rc, (unsigned long long)id);
	for (; id < failed_at + 5; id++) {
		struct block b = block_of(id);

		ck_assert_int_eq(journal_block(j, &b, "made", T0), 0);
	}
	ck_assert_int_eq(journal_step(j, T0, true), 0);
	journal_close(j);
	j = open_journal(path);
	ck_assert_int_eq(journal_blocks(j, &(struct journal_query){.id = failed_at}, see_block, &s),
			 0); // refused whole
	ck_assert_int_eq(journal_blocks(j, &(struct journal_query){.id = failed_at - 1}, see_block, &s), 1);
	ck_assert_int_eq(journal_blocks(j, &(struct journal_query){.id = failed_at + 1}, see_block, &s), 1);
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(rows_that_go_with_one_that_fails_are_counted)
{
	struct journal *j;
	struct seen s = {.count = 0};
	uint64_t id = 1;
	int rc = 0;

	fresh_folder();
	j = open_journal(path);
	limit_files(192 * 1024);
	for (; id < 5 && rc == 0; id++) {
		struct alert a = numbered(id, T0);

		rc = journal_alert(j, &a);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(journal_step(j, T0, true), 0);
	ck_assert_uint_eq(journal_lost(j), 0);
	for (; id < 1000 && rc == 0; id++) {
		struct alert a = numbered(id, T0);

		rc = journal_alert(j, &a);
	}
	if (rc == 0) // they fit in memory: the commit fails
		rc = journal_step(j, T0 + HOUR_NS, true);
	limit_files(0);
	ck_assert_int_lt(rc, 0);
	ck_assert_uint_ge(journal_lost(j), id - 1 - 5);
	ck_assert_uint_eq(journal_lost(j), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &s), 4); // those that were on disk before
	journal_close(j);
	remove_folder();
}
END_TEST

static uint64_t real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

// Whoever holds the file locked holds nobody up for longer than one wait a second.
START_TEST(a_lock_of_somebody_else_is_waited_for_once)
{
	struct alert a = numbered(1, T0);
	struct journal *j;
	uint64_t first, later;
	sqlite3 *other;

	fresh_folder();
	j = open_journal(path);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	first = real_ms();
	ck_assert_int_eq(journal_alert(j, &a), -EBUSY);
	later = real_ms();
	ck_assert_uint_ge(later - first, 190);
	for (unsigned n = 0; n < 1000 && real_ms() < later + 900; n++)
		ck_assert_int_eq(journal_alert(j, &a), -EBUSY);
	ck_assert_uint_lt(real_ms() - later, 900); // a thousand waits would be minutes
	ck_assert_int_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	usleep(1100000);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	ck_assert_int_eq(journal_step(j, T0, true), 0);
	journal_close(j);
	remove_folder();
}
END_TEST
