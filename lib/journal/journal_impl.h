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
	STATEMENTS
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *statement[STATEMENTS];
	char *path;            // NULL: in memory
	bool batch;            // a transaction is open
	bool damaged;          // SQLite said so: the next call sets the file aside
	uint64_t committed_ns; // when journal_step last committed
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
