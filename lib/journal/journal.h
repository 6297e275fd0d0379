// SPDX-License-Identifier: GPL-2.0-or-later
// SQLite (WAL): alerts, incidents, blocks, scores, suppressions, audit, meta. The only file that knows SQLite. One thread. Blocks and audit are durable when the call returns
// (synchronous=FULL); alerts and incidents are batched (journal_step commits at least every second, and before any block).
// Somebody else's lock is waited for 200 ms, then writes fail at once (-EBUSY) for a second.
// A full disk or a damaged file never stops the caller: the error is returned and counted; a damaged file is set aside as NAME.damaged-N and a new one begun.
#pragma once
#include "incident.h"
#include "respond.h"
#include "suppress.h"

struct journal;
// path NULL: in memory (replay without --state). NULL with a message.
struct journal *journal_open(const char *path, char *error, size_t error_bytes);
// The same to look at only: nothing is written, a damaged file stays where it is. A journal of an older version is refused with a message; the program that
// writes it brings it up to date (what it held stays).
struct journal *journal_open_read(const char *path, char *error, size_t error_bytes);
void journal_close(struct journal *j);
uint64_t journal_next(struct journal *j, const char *table); // next id of "alert", "incident", "block", "suppression": 1 + the largest
// Inserts or replaces by id. Notes (priority 1) go when 65,536 alerts have come after them: everybody on the internet can cause them.
int journal_alert(struct journal *j, const struct alert *a);
int journal_incident(struct journal *j, const struct incident *i);
int journal_block(struct journal *j, const struct block *b, const char *what, uint64_t now_ns); // and an audit row
// Between the two many blocks change at once: they are on disk when journal_apart returns, not each by itself. Not nested.
void journal_together(struct journal *j);
int journal_apart(struct journal *j);
int journal_audit(struct journal *j, uint64_t now_ns, const char *who, const char *what, const char *detail);
int journal_meta_set(struct journal *j, const char *key, const char *value);
int journal_meta_get(struct journal *j, const char *key, char *value, size_t cap); // -ENOENT
// An event that was evidence. Batched as alerts are; kept for 90 days, 1 Mi of them at most: journal_step lets the oldest go, in bounded steps.
int journal_score(struct journal *j, const struct score *s);
// Inserts or replaces by id, with an audit row ("suppress added"); on disk when it returns.
int journal_suppression(struct journal *j, const struct suppression *s, const char *what, const char *who, uint64_t now_ns);
int journal_step(struct journal *j, uint64_t now_ns, bool flush);
// Rows whose call had returned 0 and that went all the same, because another one of their batch failed; since this was last asked.
uint64_t journal_lost(struct journal *j);

struct journal_query { uint64_t id, incident, since_ns, until_ns; struct address device; unsigned min_priority, limit; }; // 0 = any
// Texts are printable UTF-8, whatever the file says.
// `incident`: alerts and blocks of those that became part of it, too.
// Calls back in time order (newest `limit` ones); stops when fn returns false. Returns how many, or -errno.
int journal_alerts(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct alert *a), void *user);
int journal_incidents(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct incident *i), void *user); // by score, highest first
int journal_blocks(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct block *b), void *user);
// By device and time, or those of one key (q->id). In time order.
int journal_scores(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct score *s), void *user);
int journal_suppressions(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct suppression *s), void *user); // by id; all, removed ones too
// Alerts of another version than this build's: kept, and told by no query. How many, or -errno.
int journal_unread(struct journal *j);
// Everything as stable text, for comparing two runs.
int journal_dump(struct journal *j, void (*line)(void *user, const char *text), void *user);
