// SPDX-License-Identifier: GPL-2.0-or-later
// What journal.c (file, transactions, writing) and read.c (queries, dump) share. Not for other rooms.
#pragma once
#include "journal.h"

#include <sqlite3.h>

enum journal_statement {
	PUT_ALERT,
	PUT_INCIDENT,
	PUT_BLOCK,
	PUT_AUDIT,
	PUT_META,
	GET_META,
	GET_ALERTS,
	GET_INCIDENTS,
	GET_BLOCKS,
	PUT_SCORE,
	TRIM_SCORES,
	TRIM_NOTES,
	GET_SCORES,
	GET_SCORES_OF,
	PUT_SUPPRESSION,
	GET_SUPPRESSIONS,
	STATEMENTS
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	char *path;            // NULL: in memory
	bool batch;            // a transaction is open
	bool together;         // blocks share a batch, too,
	bool blocks;           // and there is one in it
	uint64_t rows;         // written in it
	uint64_t lost;         // rows that were written and went with one that failed, not yet told
	uint64_t busy_ms;      // monotonic: until then nobody waits for a lock again
	bool damaged;          // SQLite said so: the next call sets the file aside
	bool reading;          // opened to be looked at: nothing is written, nothing set aside
	uint64_t committed_ns; // when journal_step last committed
	uint64_t trimmed_ns;   // when it was last looked for what is too old or too much
	uint64_t newest_alert; // the highest id that was written
	uint64_t notes_to;     // up to that id no note is left
};

union record {
	struct alert alert;
	struct incident incident;
	struct block block;
	struct score score;
	struct suppression suppression;
};
union record_fn { // false: enough
	bool (*alert)(void *user, const struct alert *a);
	bool (*incident)(void *user, const struct incident *i);
	bool (*block)(void *user, const struct block *b);
	bool (*score)(void *user, const struct score *s);
	bool (*suppression)(void *user, const struct suppression *s);
};
// One kind of record: how large, what must hold of it, who is told.
struct record_kind {
	size_t bytes;
	bool (*check)(union record *r);
	bool (*tell)(union record_fn fn, void *user, const union record *r);
};

enum { JOURNAL_ADDRESSES_BYTES = 1024 }; // room for the addresses of an incident as text

// Opens the file again if it had to be closed. 0 or -errno.
int journal_ready(struct journal *j);
// What an SQLite result means to the caller: 0, -ENOSPC, -EIO ...; remembers damage, leaves no transaction behind.
int journal_result(struct journal *j, int rc);
// The prepared statement, ready for binding.
sqlite3_stmt *journal_statement(struct journal *j, enum journal_statement which);
// " 192.0.2.10 192.0.2.11 ": a blank on both sides of each, so that LIKE '% x %' finds exactly one.
void journal_addresses(const struct address *set, unsigned count, char out[JOURNAL_ADDRESSES_BYTES]);
// Begins a batch if none is open. 0 or -errno.
int journal_begin(struct journal *j);
int journal_commit(struct journal *j);
// One step of a statement that writes.
int journal_run(struct journal *j, sqlite3_stmt *s);
// A row of the audit, within the batch.
int journal_put_audit(struct journal *j, uint64_t now_ns, const char *who, const char *what, const char *detail);
// Each record that a query finds and that passes its check. How many, or -errno.
int journal_each(struct journal *j, enum journal_statement which, const struct journal_query *q,
		 const struct record_kind *kind, union record_fn fn, void *user);
// Makes a text that was read end and printable: what is not becomes '?'.
void journal_end(char *text, size_t cap);
#define END(text) journal_end(text, sizeof(text))
// Does what a score holds, in the table or in an alert, keep within its bounds? Ends its texts.
bool journal_score_fits(struct score *s);
// Lets scores go that are older than 90 days or too many, and notes behind which so many alerts have come: a few hundred a call at most, a call a minute.
void journal_trim(struct journal *j, uint64_t now_ns);
