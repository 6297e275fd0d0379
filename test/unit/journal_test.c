// SPDX-License-Identifier: GPL-2.0-or-later
// lib/journal: what is written is there, also after a kill, a damaged file and a full disk.
#include "alert_draft.h"
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[64], path[96];

static void fresh_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sekimori_journal_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/journal.db", folder);
}

static void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static struct journal *open_journal(const char *where)
{
	char error[256] = "";
	struct journal *j = journal_open(where, error, sizeof(error));

	ck_assert_msg(j != NULL, "%s", error);
	return j;
}

static struct alert numbered(uint64_t id, uint64_t time_ns)
{
	struct alert a = alert_draft("conn/new-agent-bare-ip", "192.0.2.10", "203.0.113.1", time_ns);

	a.id = id;
	alert_term(&a, FEATURE_AGENT, "curl/7.47.0", 0, 7, 0, 3, 0, 57, 12.25);
	return a;
}

static struct incident incident_of(uint64_t id, double score)
{
	struct incident i = {.version = ALERT_VERSION,
			     .bytes = sizeof(i),
			     .id = id,
			     .first_ns = T0,
			     .last_ns = T0 + HOUR_NS,
			     .alerts = 2,
			     .score = score,
			     .priority = 4,
			     .devices = 1,
			     .endpoints = 1};

	i.device[0] = at("192.0.2.10");
	i.endpoint[0] = at("203.0.113.1");
	return i;
}

static struct block block_of(uint64_t id)
{
	struct block b = {.version = ALERT_VERSION,
			  .bytes = sizeof(b),
			  .id = id,
			  .incident = 1,
			  .made_ns = T0,
			  .expires_ns = T0 + 2 * HOUR_NS,
			  .endpoint_bits = 32,
			  .port = 88,
			  .transport = 6,
			  .state = BLOCK_ACTIVE,
			  .policy = "p/a",
			  .reason = "p/a",
			  .who = "sekimori"};

	b.endpoint = at("203.0.113.1");
	return b;
}

struct seen {
	uint64_t id[64];
	unsigned count;
};

static bool see_alert(void *user, const struct alert *a)
{
	struct seen *s = user;

	s->id[s->count++] = a->id;
	return s->count < 64;
}

static bool see_incident(void *user, const struct incident *i)
{
	struct seen *s = user;

	s->id[s->count++] = i->id;
	return s->count < 64;
}

static bool see_block(void *user, const struct block *b)
{
	struct seen *s = user;

	s->id[s->count++] = b->id;
	return s->count < 64;
}

static bool see_first(void *user, const struct alert *a)
{
	*(struct alert *)user = *a;
	return false;
}

static bool see_first_block(void *user, const struct block *b)
{
	*(struct block *)user = *b;
	return false;
}

START_TEST(what_was_written_is_read_back_bit_for_bit)
{
	struct journal *j = open_journal(NULL);
	struct alert a = numbered(1, T0), back;

	ck_assert_uint_eq(journal_next(j, "alert"), 1);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_first, &back), 1);
	ck_assert_int_eq(memcmp(&a, &back, sizeof(a)), 0);
	a.repeats = 9; // by id: replaced, not added
	ck_assert_int_eq(journal_alert(j, &a), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_first, &back), 1);
	ck_assert_uint_eq(back.repeats, 9);
	ck_assert_uint_eq(journal_next(j, "alert"), 2);
	ck_assert_uint_eq(journal_next(j, "nonsense"), 1);
	journal_close(j);
}
END_TEST

START_TEST(queries_pick_by_time_device_priority_incident_and_tell_the_newest_in_order)
{
	struct journal *j = open_journal(NULL);
	struct journal_query q = {.limit = 3};
	struct seen s = {.count = 0};

	for (uint64_t n = 1; n <= 10; n++) {
		struct alert a = numbered(n, T0 + (11 - n) * SECOND_NS);

		a.priority = n == 4 ? 5 : 2;
		a.incident = n == 5 ? 77 : 0;
		if (n == 6)
			a.device = at("192.0.2.66");
		ck_assert_int_eq(journal_alert(j, &a), 0);
	}
	ck_assert_int_eq(journal_alerts(j, &q, see_alert, &s), 3);
	ck_assert(s.id[0] == 3 && s.id[1] == 2 && s.id[2] == 1);
	q = (struct journal_query){.min_priority = 5};
	s.count = 0;
	ck_assert(journal_alerts(j, &q, see_alert, &s) == 1 && s.id[0] == 4);
	q = (struct journal_query){.incident = 77};
	s.count = 0;
	ck_assert(journal_alerts(j, &q, see_alert, &s) == 1 && s.id[0] == 5);
	q = (struct journal_query){.device = at("192.0.2.66")};
	s.count = 0;
	ck_assert(journal_alerts(j, &q, see_alert, &s) == 1 && s.id[0] == 6);
	q = (struct journal_query){.since_ns = T0 + 2 * SECOND_NS, .until_ns = T0 + 4 * SECOND_NS};
	s.count = 0;
	ck_assert(journal_alerts(j, &q, see_alert, &s) == 2 && s.id[0] == 9 && s.id[1] == 8);
	q = (struct journal_query){.id = 7};
	s.count = 0;
	ck_assert(journal_alerts(j, &q, see_alert, &s) == 1 && s.id[0] == 7);
	journal_close(j);
}
END_TEST

START_TEST(incidents_come_by_score_and_merged_ones_only_when_asked_for)
{
	struct journal *j = open_journal(NULL);
	struct incident a = incident_of(1, 20), b = incident_of(2, 90), c = incident_of(3, 50);
	struct journal_query q = {.id = 3};
	struct seen s = {.count = 0};

	c.merged_into = 1;
	b.device[0] = at("192.0.2.1");
	ck_assert(journal_incident(j, &a) == 0 && journal_incident(j, &b) == 0 && journal_incident(j, &c) == 0);
	ck_assert_int_eq(journal_incidents(j, NULL, see_incident, &s), 2);
	ck_assert(s.id[0] == 2 && s.id[1] == 1);
	s.count = 0;
	ck_assert(journal_incidents(j, &q, see_incident, &s) == 1 && s.id[0] == 3);
	q = (struct journal_query){.device = at("192.0.2.1")}; // not 192.0.2.10
	s.count = 0;
	ck_assert(journal_incidents(j, &q, see_incident, &s) == 1 && s.id[0] == 2);
	ck_assert_uint_eq(journal_next(j, "incident"), 4);
	journal_close(j);
}
END_TEST

START_TEST(a_merged_incident_s_alerts_and_blocks_are_the_others_story)
{
	static const uint64_t into[] = {0, 1, 2, 0, 6, 5}; // 3 went into 2, 2 into 1; 5 and 6 into each other, which only a hostile file says
	struct journal *j = open_journal(NULL);
	struct journal_query q = {.incident = 1};
	struct seen s = {.count = 0};

	for (uint64_t n = 1; n <= 6; n++) {
		struct incident i = incident_of(n, 20);
		struct alert a = numbered(n, T0 + n);
		struct block b = block_of(n);

		i.merged_into = into[n - 1];
		a.incident = b.incident = n;
		b.made_ns = T0 + n;
		ck_assert(journal_incident(j, &i) == 0 && journal_alert(j, &a) == 0 && journal_block(j, &b, "made", T0 + n) == 0);
	}
	ck_assert_int_eq(journal_alerts(j, &q, see_alert, &s), 3);
	ck_assert(s.id[0] == 1 && s.id[1] == 2 && s.id[2] == 3);
	s.count = 0;
	ck_assert_int_eq(journal_blocks(j, &q, see_block, &s), 3);
	ck_assert(s.id[0] == 1 && s.id[1] == 2 && s.id[2] == 3);
	q.incident = 4;
	ck_assert_int_eq(journal_alerts(j, &q, see_alert, &s), 1);
	q.incident = 5;
	ck_assert_int_eq(journal_alerts(j, &q, see_alert, &s), 2);
	journal_close(j);
}
END_TEST

// Who shows a record to a person prints its texts: what a file says must not move his cursor.
START_TEST(texts_of_a_hostile_file_are_printable)
{
	struct journal *j = open_journal(NULL);
	struct alert a = numbered(1, T0), back;
	struct block b = block_of(1), block;

	strcpy(a.agent, "a\x1b[2Jb\x9b\n");
	strcpy(a.host, "\xe6\x97\xa5.example");
	strcpy(a.term[0].value, "\xe2\x80\xae" "evil");
	strcpy(b.reason, "x\x1b]0;y\a");
	ck_assert(journal_alert(j, &a) == 0 && journal_block(j, &b, "made", T0) == 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_first, &back), 1);
	ck_assert_str_eq(back.agent, "a?[2Jb??");
	ck_assert_str_eq(back.host, a.host);
	ck_assert_str_eq(back.term[0].value, "???evil");
	ck_assert_int_eq(journal_blocks(j, NULL, see_first_block, &block), 1);
	ck_assert_str_eq(block.reason, "x?]0;y?");
	journal_close(j);
}
END_TEST

START_TEST(nobody_else_may_read_it)
{
	static const char *const beside[] = {"", "-wal", "-shm"};
	struct alert a = numbered(1, T0);
	struct journal *j;
	char name[128];
	struct stat st;

	fresh_folder();
	j = open_journal(path);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, beside[i]);
		ck_assert_int_eq(stat(name, &st), 0);
		ck_assert_uint_eq(st.st_mode & 07, 0);
	}
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(meta_is_kept_and_a_missing_key_is_told)
{
	struct journal *j;
	char value[32] = "";

	fresh_folder();
	j = open_journal(path);
	ck_assert_int_eq(journal_meta_get(j, "epoch", value, sizeof(value)), -ENOENT);
	ck_assert_int_eq(journal_meta_set(j, "epoch", "12"), 0);
	ck_assert_int_eq(journal_meta_set(j, "epoch", "13'; DROP TABLE meta"), 0);
	ck_assert_int_eq(journal_step(j, T0, true), 0);
	journal_close(j);
	j = open_journal(path);
	ck_assert_int_eq(journal_meta_get(j, "epoch", value, sizeof(value)), 0);
	ck_assert_str_eq(value, "13'; DROP TABLE meta");
	journal_close(j);
	remove_folder();
}
END_TEST

static void killed_after(void (*work)(struct journal *j))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		char error[256];
		struct journal *j = journal_open(path, error, sizeof(error));

		if (j)
			work(j);
		_exit(0); // no close, no commit, no destructor
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void write_block(struct journal *j)
{
	struct alert a = numbered(1, T0), late = numbered(2, T0);
	struct block b = block_of(1);

	journal_alert(j, &a);
	journal_block(j, &b, "made", T0); // commits the alert, too
	journal_audit(j, T0, "mika", "mode", "enforce");
	journal_alert(j, &late); // only batched: may be lost
}

static void write_blocks_together(struct journal *j)
{
	struct alert a = numbered(1, T0);

	journal_alert(j, &a);
	journal_together(j);
	journal_apart(j); // no block came: the alert stays batched
	journal_together(j);
	for (unsigned id = 1; id < 4; id++) {
		struct block b = block_of(id);

		journal_block(j, &b, "moved", T0);
		if (id == 2) {
			journal_apart(j);
			journal_together(j);
		}
	}
}

static void write_an_alert_beside_nothing(struct journal *j)
{
	struct alert a = numbered(1, T0);

	journal_alert(j, &a);
	journal_together(j);
	journal_apart(j);
}

static void note_line(void *user, const char *text)
{
	char *all = user;
	size_t n = strlen(all);

	snprintf(all + n, 16384 - n, "%s\n", text);
}

START_TEST(a_block_is_there_after_a_kill_and_so_is_what_came_before_it)
{
	static char all[16384];
	struct journal *j;
	struct seen s = {.count = 0};

	fresh_folder();
	killed_after(write_block);
	j = open_journal(path);
	ck_assert(journal_blocks(j, NULL, see_block, &s) == 1 && s.id[0] == 1);
	s.count = 0;
	ck_assert(journal_alerts(j, NULL, see_alert, &s) == 1 && s.id[0] == 1);
	all[0] = 0;
	ck_assert_int_eq(journal_dump(j, note_line, all), 0);
	ck_assert_ptr_nonnull(strstr(all, "mika: mode: enforce"));
	ck_assert_ptr_nonnull(strstr(all, "sekimori: block made: 1 203.0.113.1/32 port 88"));
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(blocks_that_change_together_are_on_disk_together)
{
	struct journal *j;
	struct seen s = {.count = 0};

	fresh_folder();
	killed_after(write_blocks_together);
	j = open_journal(path);
	ck_assert(journal_blocks(j, NULL, see_block, &s) == 2 && s.id[0] == 1 && s.id[1] == 2);
	s.count = 0;
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &s), 1);
	journal_close(j);
	remove_folder();
	fresh_folder();
	killed_after(write_an_alert_beside_nothing);
	j = open_journal(path);
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &s), 0); // where no block came alerts are batched as ever
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(alerts_are_committed_once_a_second)
{
	struct journal *j, *other;
	struct alert a = numbered(1, T0), b = numbered(2, T0);
	struct seen s = {.count = 0};

	fresh_folder();
	j = open_journal(path);
	ck_assert_int_eq(journal_step(j, T0, false), 0);
	journal_alert(j, &a);
	journal_step(j, T0 + SECOND_NS / 2, false);
	other = open_journal(path);
	ck_assert_int_eq(journal_alerts(other, NULL, see_alert, &s), 0);
	journal_step(j, T0 + SECOND_NS, false);
	ck_assert_int_eq(journal_alerts(other, NULL, see_alert, &s), 1);
	journal_alert(j, &b);
	journal_step(j, T0 + SECOND_NS, true);
	ck_assert_int_eq(journal_alerts(other, NULL, see_alert, &s), 2);
	journal_close(other);
	journal_close(j);
	remove_folder();
}
END_TEST

#include "journal_test_trouble.h"

START_TEST(two_equal_runs_dump_equal_text)
{
	static char text[2][16384];

	for (int run = 0; run < 2; run++) {
		struct journal *j = open_journal(NULL);
		struct alert a = numbered(1, T0);
		struct incident i = incident_of(1, 12.5);
		struct block b = block_of(1);

		ck_assert(journal_alert(j, &a) == 0 && journal_incident(j, &i) == 0 &&
			  journal_block(j, &b, "made", T0) == 0);
		ck_assert_int_eq(journal_meta_set(j, "baseline", "ab"), 0);
		if (run) // what was written twice stands once
			ck_assert_int_eq(journal_alert(j, &a), 0);
		text[run][0] = 0;
		ck_assert_int_eq(journal_dump(j, note_line, text[run]), 0);
		journal_close(j);
	}
	ck_assert_str_eq(text[0], text[1]);
	ck_assert_ptr_nonnull(
		strstr(text[0], "term user-agent \"curl/7.47.0\" device 0/7 peers 0/3 organisation 0/57 bits 12.250"));
	ck_assert_ptr_nonnull(strstr(text[0], "incident 1 2021-12-10T15:45:32.000000+0000"));
	ck_assert_ptr_nonnull(
		strstr(text[0], "block 1 2021-12-10T15:45:32.000000+0000..2021-12-10T17:45:32.000000+0000 active"));
}
END_TEST

START_TEST(a_record_of_another_version_or_size_is_not_shown)
{
	struct journal *j = open_journal(NULL);
	struct alert a = numbered(1, T0);
	struct seen s = {.count = 0};

	a.version++;
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(2, T0);
	a.bytes--;
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(3, T0);
	a.terms = ALERT_TERMS + 1;
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(5, T0);
	a.weight = strtod("nan", NULL);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(6, T0);
	a.proof.items = EVIDENCE_ITEMS + 1;
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(7, T0);
	a.proof.before.level[1] = INT64_MAX;
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(8, T0);
	a.score.class = SCORE_FLOW; // of no version
	ck_assert_int_eq(journal_alert(j, &a), 0);
	a = numbered(4, T0);
	memset(a.uri, 'x', sizeof(a.uri)); // without an end
	ck_assert_int_eq(journal_alert(j, &a), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &s), 1);
	ck_assert_uint_eq(s.id[0], 4);
	ck_assert_int_eq(journal_alerts(j, NULL, see_first, &a), 1);
	ck_assert_uint_eq(strlen(a.uri), sizeof(a.uri) - 1);
	journal_close(j);
}
END_TEST

// --- scores ---

#include "journal_test_scores.h"

START_TEST(a_journal_of_version_1_is_brought_up_to_date_and_keeps_its_alerts)
{
	struct score score = score_of(1, "192.0.2.1", T0);
	struct alert a = numbered(1, T0);
	struct seen seen = {.count = 0};
	char command[512], error[256] = "";
	struct journal *j;

	fresh_folder();
	j = open_journal(path);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	journal_close(j);
	snprintf(command, sizeof(command),
		 "python3 -c \"import sqlite3; c=sqlite3.connect('%s'); c.executescript('DROP TABLE score; DROP TABLE "
		 "suppression; PRAGMA user_version=1')\"",
		 path);
	ck_assert_int_eq(system(command), 0);
	ck_assert_ptr_null(journal_open_read(path, error, sizeof(error))); // to look at is not to change
	ck_assert_ptr_nonnull(strstr(error, "version"));
	j = open_journal(path);
	ck_assert(journal_alerts(j, NULL, see_alert, &seen) == 1 && seen.id[0] == 1);
	ck_assert_int_eq(journal_score(j, &score), 0);
	ck_assert_int_eq(journal_unread(j), 0);
	journal_close(j);
	j = open_journal(path);
	seen.count = 0;
	ck_assert_int_eq(journal_scores(j, NULL, see_score, &seen), 1);
	a.id = 2;
	a.version--; // of an older build: kept, and said to be there
	ck_assert_int_eq(journal_alert(j, &a), 0);
	ck_assert_int_eq(journal_unread(j), 1);
	journal_close(j);
	snprintf(command, sizeof(command),
		 "python3 -c \"import sqlite3; c=sqlite3.connect('%s'); c.execute('UPDATE alert SET record=substr(record,1,900)'); "
		 "c.commit()\"",
		 path);
	ck_assert_int_eq(system(command), 0);
	j = open_journal(path);
	ck_assert_int_eq(journal_unread(j), 2);
	journal_close(j);
	remove_folder();
}
END_TEST

START_TEST(a_journal_opened_to_look_at_is_not_written)
{
	struct alert a = numbered(1, T0), more = numbered(2, T0);
	struct seen seen = {.count = 0};
	char error[256] = "", aside[128];
	struct journal *j;

	fresh_folder();
	ck_assert_ptr_null(journal_open_read(path, error, sizeof(error)));
	ck_assert_int_ne(access(path, F_OK), 0); // nor made
	j = open_journal(path);
	ck_assert_int_eq(journal_alert(j, &a), 0);
	journal_close(j);
	j = journal_open_read(path, error, sizeof(error));
	ck_assert_msg(j != NULL, "%s", error);
	ck_assert_int_lt(journal_alert(j, &more), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &seen), 1);
	journal_close(j);
	scribble(0, 65536);
	ck_assert_ptr_null(journal_open_read(path, error, sizeof(error)));
	snprintf(aside, sizeof(aside), "%s.damaged-1", path);
	ck_assert_int_ne(access(aside, F_OK), 0);
	remove_folder();
}
END_TEST

// As from a backup: neither the file nor its folder can be written. Asked by somebody who is not root, who may write all.
START_TEST(a_journal_in_a_folder_that_cannot_be_written_can_be_looked_at)
{
	struct alert a = numbered(1, T0);
	struct seen seen = {.count = 0};
	pid_t pid;
	int status;

	fresh_folder();
	snprintf(path, sizeof(path), "%s/a journal?.db", folder); // a name that a URI must quote
	{
		struct journal *j = open_journal(path);

		ck_assert_int_eq(journal_alert(j, &a), 0);
		journal_close(j);
	}
	ck_assert(chmod(path, 0444) == 0 && chmod(folder, 0555) == 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		char error[256] = "";
		struct journal *j = geteuid() == 0 && setuid(65534) < 0 ? NULL : journal_open_read(path, error, sizeof(error));

		_exit(j && journal_alerts(j, NULL, see_alert, &seen) == 1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	remove_folder();
}
END_TEST

static bool see_suppression(void *user, const struct suppression *s)
{
	*(struct suppression *)user = *s;
	return true;
}

START_TEST(suppressions_are_kept_with_who_and_why)
{
	static char all[16384];
	struct journal *j = open_journal(NULL);
	struct suppression s = {.version = SUPPRESSION_VERSION, .bytes = sizeof(s), .id = 1, .made_ns = T0,
				.expires_ns = T0 + HOUR_NS, .policy = "p/a", .reason = "backup job", .who = "mika"},
			   back = {0};

	ck_assert_uint_eq(journal_next(j, "suppression"), 1);
	ck_assert_int_eq(journal_suppression(j, &s, "added", "mika", T0), 0);
	s.removed_ns = T0 + 1;
	ck_assert_int_eq(journal_suppression(j, &s, "removed", "nozomi", T0 + 1), 0);
	ck_assert_uint_eq(journal_next(j, "suppression"), 2);
	ck_assert_int_eq(journal_suppressions(j, NULL, see_suppression, &back), 1);
	ck_assert_int_eq(memcmp(&s, &back, sizeof(s)), 0);
	all[0] = 0;
	ck_assert_int_eq(journal_dump(j, note_line, all), 0);
	ck_assert_ptr_nonnull(strstr(all, "mika: suppress added: 1 policy p/a until "));
	ck_assert_ptr_nonnull(strstr(all, "nozomi: suppress removed: 1 policy p/a"));
	journal_close(j);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_was_written_is_read_back_bit_for_bit,
		queries_pick_by_time_device_priority_incident_and_tell_the_newest_in_order,
		incidents_come_by_score_and_merged_ones_only_when_asked_for,
		texts_of_a_hostile_file_are_printable,
		a_merged_incident_s_alerts_and_blocks_are_the_others_story,
		nobody_else_may_read_it,
		meta_is_kept_and_a_missing_key_is_told,
		a_block_is_there_after_a_kill_and_so_is_what_came_before_it,
		blocks_that_change_together_are_on_disk_together,
		alerts_are_committed_once_a_second,
		a_damaged_file_is_set_aside_and_a_new_one_begun,
		a_file_damaged_under_our_hands_is_an_error_and_the_next_call_begins_a_new_one,
		what_is_not_ours_is_left_alone,
		a_full_disk_is_an_error_not_an_end_and_writing_goes_on_afterwards,
		rows_that_go_with_one_that_fails_are_counted,
		a_lock_of_somebody_else_is_waited_for_once,
		two_equal_runs_dump_equal_text,
		a_record_of_another_version_or_size_is_not_shown,
		scores_are_found_by_device_and_time_and_by_key,
		notes_go_when_many_alerts_have_come_after_them_and_nothing_else_does,
		a_score_that_counts_out_of_bounds_is_not_shown,
		scores_older_than_90_days_go_in_bounded_steps,
		a_journal_of_version_1_is_brought_up_to_date_and_keeps_its_alerts,
		a_journal_opened_to_look_at_is_not_written,
		a_journal_in_a_folder_that_cannot_be_written_can_be_looked_at,
		suppressions_are_kept_with_who_and_why,
	};

	RUN("journal", tests);
}
