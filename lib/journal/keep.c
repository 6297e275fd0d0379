// SPDX-License-Identifier: GPL-2.0-or-later
// How long what is kept: events, for 90 days, and notes, which everybody on the internet can cause, until so many alerts have come after them. And what
// people asked not to be told again.
#include "journal_impl.h"

#include "text.h"

#include <stdio.h>

enum { TRIM_ROWS = 512, SCORES_MOST = 1 << 20 /* 1.3 GB */, NOTES_MOST = 1 << 16 /* 0.4 GB */ };
#define KEPT_NS (90 * 86400 * NS_PER_S)
#define TRIM_EVERY_NS (60 * NS_PER_S)

// --- scores ---

bool journal_score_fits(struct score *s)
{
	if (s->version != SCORE_VERSION || s->bytes != sizeof(*s) || s->class == SCORE_NONE ||
	    s->class >= SCORE_CLASSES || s->terms > SCORE_TERMS || s->role >= ROLE_COUNT || s->among > AMONG_NEWCOMERS)
		return false;
	for (unsigned n = 0; n < SCORE_TERMS; n++) {
		if (s->term[n].feature >= FEATURE_COUNT || s->term[n].model.levels > BACKOFF_LEVELS)
			return false;
		END(s->term[n].value);
	}
	return s->rank.tail.scale == 0 || gpd_check(&s->rank.tail);
}

static bool check_score(union record *r)
{
	return journal_score_fits(&r->score);
}

static bool tell_score(union record_fn fn, void *user, const union record *r)
{
	return fn.score(user, &r->score);
}

int journal_score(struct journal *j, const struct score *s)
{
	char device[ADDRESS_TEXT_BYTES];
	int rc = journal_begin(j);
	sqlite3_stmt *put;

	if (rc)
		return rc;
	put = journal_statement(j, PUT_SCORE);
	sqlite3_bind_int64(put, 1, (sqlite3_int64)s->key);
	sqlite3_bind_int64(put, 2, (sqlite3_int64)s->time_ns);
	sqlite3_bind_text(put, 3, address_format(&s->device, device), -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(put, 4, score_class_name(s->class), -1, SQLITE_STATIC);
	sqlite3_bind_int64(put, 5, s->microbits);
	sqlite3_bind_blob(put, 6, s, sizeof(*s), SQLITE_STATIC);
	return journal_run(j, put);
}

int journal_scores(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct score *s),
		   void *user)
{
	static const struct record_kind kind = {sizeof(struct score), check_score, tell_score};

	return journal_each(j, q && q->id ? GET_SCORES_OF : GET_SCORES, q, &kind, (union record_fn){.score = fn}, user);
}

// --- what goes ---

// How many rows went; -1: it could not be done.
static int trim(struct journal *j, enum journal_statement which, uint64_t second, uint64_t third)
{
	sqlite3_stmt *s = journal_statement(j, which);

	sqlite3_bind_int64(s, 1, TRIM_ROWS);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)second);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)third);
	return journal_run(j, s) ? -1 : sqlite3_changes(j->db);
}

static int trim_notes(struct journal *j)
{
	uint64_t to = j->newest_alert > NOTES_MOST ? j->newest_alert - NOTES_MOST : 0;
	int gone = to > j->notes_to ? trim(j, TRIM_NOTES, j->notes_to, to) : 0;

	if (gone >= 0 && gone < TRIM_ROWS)
		j->notes_to = to;
	return gone;
}

void journal_trim(struct journal *j, uint64_t now_ns)
{
	if (now_ns >= j->trimmed_ns && now_ns - j->trimmed_ns < TRIM_EVERY_NS)
		return;
	j->trimmed_ns = now_ns;
	if (now_ns < KEPT_NS || journal_ready(j) != 0)
		return;
	if (trim(j, TRIM_SCORES, now_ns - KEPT_NS, SCORES_MOST) == TRIM_ROWS || trim_notes(j) == TRIM_ROWS)
		j->trimmed_ns = now_ns - TRIM_EVERY_NS; // there is more: again with the next call
}

// --- suppressions ---

static bool check_suppression(union record *r)
{
	struct suppression *s = &r->suppression;

	END(s->policy);
	END(s->reason);
	END(s->who);
	return s->version == SUPPRESSION_VERSION && s->bytes == sizeof(*s) && s->id;
}

static bool tell_suppression(union record_fn fn, void *user, const union record *r)
{
	return fn.suppression(user, &r->suppression);
}

int journal_suppression(struct journal *j, const struct suppression *s, const char *what, const char *who,
			uint64_t now_ns)
{
	char word[48], text[SUPPRESSION_TEXT_BYTES], detail[SUPPRESSION_TEXT_BYTES + 192];
	int rc = journal_begin(j);
	sqlite3_stmt *put;

	if (rc)
		return rc;
	put = journal_statement(j, PUT_SUPPRESSION);
	sqlite3_bind_int64(put, 1, (sqlite3_int64)s->id);
	sqlite3_bind_int64(put, 2, (sqlite3_int64)s->made_ns);
	sqlite3_bind_int64(put, 3, (sqlite3_int64)s->expires_ns);
	sqlite3_bind_int64(put, 4, (sqlite3_int64)s->removed_ns);
	sqlite3_bind_text(put, 5, s->reason, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(put, 6, s->who, -1, SQLITE_TRANSIENT);
	sqlite3_bind_blob(put, 7, s, sizeof(*s), SQLITE_STATIC);
	rc = journal_run(j, put);
	snprintf(word, sizeof(word), "suppress %s", what);
	snprintf(detail, sizeof(detail), "%llu %s: %s", (unsigned long long)s->id, suppression_format(s, text), s->reason);
	if (!rc)
		rc = journal_put_audit(j, now_ns, who, word, detail);
	return rc ? rc : journal_commit(j);
}

int journal_suppressions(struct journal *j, const struct journal_query *q,
			 bool (*fn)(void *user, const struct suppression *s), void *user)
{
	static const struct record_kind kind = {sizeof(struct suppression), check_suppression, tell_suppression};

	return journal_each(j, GET_SUPPRESSIONS, q, &kind, (union record_fn){.suppression = fn}, user);
}
