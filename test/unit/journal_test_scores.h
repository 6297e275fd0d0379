// SPDX-License-Identifier: GPL-2.0-or-later
// The events that were evidence. Included by journal_test.c, whose words it uses.
#pragma once

static struct score score_of(uint64_t key, const char *device, uint64_t time_ns)
{
	struct score s = {.version = SCORE_VERSION,
			  .bytes = sizeof(s),
			  .key = key,
			  .time_ns = time_ns,
			  .class = SCORE_FLOW,
			  .terms = 1,
			  .microbits = 4 * EVIDENCE_BIT};

	s.device = at(device);
	s.term[0].feature = FEATURE_DESTINATION;
	snprintf(s.term[0].value, sizeof(s.term[0].value), "example.net");
	return s;
}

static bool see_score(void *user, const struct score *s)
{
	struct seen *seen = user;

	seen->id[seen->count++] = s->key;
	return seen->count < 64;
}

static bool see_first_score(void *user, const struct score *s)
{
	*(struct score *)user = *s;
	return false;
}

START_TEST(scores_are_found_by_device_and_time_and_by_key)
{
	struct journal *j = open_journal(NULL);
	struct journal_query q = {.device = at("192.0.2.2")};
	struct score s, back;
	struct seen seen = {.count = 0};

	for (uint64_t n = 1; n <= 6; n++) {
		s = score_of(n == 6 ? 0xfedcba9876543210 : n, n % 2 ? "192.0.2.1" : "192.0.2.2", T0 + n * SECOND_NS);
		ck_assert_int_eq(journal_score(j, &s), 0);
	}
	ck_assert_int_eq(journal_scores(j, &q, see_score, &seen), 3);
	ck_assert(seen.id[0] == 2 && seen.id[1] == 4 && seen.id[2] == 0xfedcba9876543210);
	q.since_ns = T0 + 3 * SECOND_NS;
	q.until_ns = T0 + 5 * SECOND_NS;
	seen.count = 0;
	ck_assert(journal_scores(j, &q, see_score, &seen) == 1 && seen.id[0] == 4);
	q = (struct journal_query){.id = 0xfedcba9876543210}; // larger than any whole number of SQLite
	ck_assert_int_eq(journal_scores(j, &q, see_first_score, &back), 1);
	ck_assert_int_eq(memcmp(&back, &s, sizeof(s)), 0);
	journal_close(j);
}
END_TEST

static bool count_alert(void *user, const struct alert *a)
{
	return true;
}

// A flood of notes takes no more than its room, and no other alert's.
START_TEST(notes_go_when_many_alerts_have_come_after_them_and_nothing_else_does)
{
	enum { FAR = 1 << 16, NOTES = 700 };
	struct journal *j = open_journal(NULL);
	struct seen seen = {.count = 0};
	uint64_t now = T0;

	for (uint64_t id = 1; id <= NOTES + 2; id++) {
		struct alert a = numbered(id, T0 + id);

		a.priority = id == 1 || id == NOTES + 2 ? 3 : 1;
		ck_assert_int_eq(journal_alert(j, &a), 0);
	}
	ck_assert_int_eq(journal_step(j, now, true), 0);
	ck_assert_uint_eq(journal_alerts(j, &(struct journal_query){.limit = 2 * NOTES}, count_alert, NULL), NOTES + 2);
	for (uint64_t far = FAR + NOTES; far <= FAR + NOTES + 1; far++) {
		struct alert a = numbered(far, T0 + far);

		ck_assert_int_eq(journal_alert(j, &a), 0);
	}
	for (unsigned n = 0; n < 4; n++)
		ck_assert_int_eq(journal_step(j, now += 61 * SECOND_NS, true), 0);
	ck_assert_int_eq(journal_alerts(j, NULL, see_alert, &seen), 4);
	ck_assert(seen.id[0] == 1 && seen.id[1] == NOTES + 2 && seen.id[2] == FAR + NOTES && seen.id[3] == FAR + NOTES + 1);
	journal_close(j);
}
END_TEST

START_TEST(a_score_that_counts_out_of_bounds_is_not_shown)
{
	struct journal *j = open_journal(NULL);
	struct score s = score_of(1, "192.0.2.1", T0);
	struct seen seen = {.count = 0};

	s.terms = SCORE_TERMS + 1;
	ck_assert_int_eq(journal_score(j, &s), 0);
	s = score_of(2, "192.0.2.1", T0);
	s.term[0].feature = FEATURE_COUNT;
	ck_assert_int_eq(journal_score(j, &s), 0);
	s = score_of(3, "192.0.2.1", T0);
	s.term[0].model.levels = BACKOFF_LEVELS + 1;
	ck_assert_int_eq(journal_score(j, &s), 0);
	s = score_of(4, "192.0.2.1", T0);
	s.class = SCORE_CLASSES;
	ck_assert_int_eq(journal_score(j, &s), 0);
	ck_assert_int_eq(journal_scores(j, NULL, see_score, &seen), 0);
	journal_close(j);
}
END_TEST

// Another day's first step: a few hundred go at once, the rest with the steps that follow.
START_TEST(scores_older_than_90_days_go_in_bounded_steps)
{
	struct journal *j = open_journal(NULL);
	uint64_t now = T0 + 100 * 24 * HOUR_NS;
	struct seen seen = {.count = 0};
	int left;

	for (uint64_t n = 1; n <= 1000; n++) {
		struct score s = score_of(n, "192.0.2.1", n <= 900 ? T0 + n : now - n);

		ck_assert_int_eq(journal_score(j, &s), 0);
	}
	ck_assert_int_eq(journal_step(j, T0 + 89 * 24 * HOUR_NS, true), 0);
	ck_assert_int_eq(journal_scores(j, NULL, see_first_score, &(struct score){0}), 1);
	ck_assert_int_eq(journal_step(j, now, true), 0);
	left = journal_scores(j, &(struct journal_query){.until_ns = T0 + HOUR_NS, .limit = 1}, see_score, &seen);
	ck_assert_int_eq(left, 1); // not all at once
	for (int n = 1; n <= 5; n++)
		ck_assert_int_eq(journal_step(j, now + (uint64_t)n * SECOND_NS, true), 0);
	seen.count = 0;
	ck_assert_int_eq(journal_scores(j, &(struct journal_query){.until_ns = T0 + HOUR_NS}, see_score, &seen), 0);
	ck_assert_int_eq(journal_scores(j, &(struct journal_query){.limit = 60}, see_score, &seen), 60);
	journal_close(j);
}
END_TEST
