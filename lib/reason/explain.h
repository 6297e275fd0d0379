// SPDX-License-Identifier: GPL-2.0-or-later
// What an alert of the journal rests on, in words or as JSON: every term with its counts, the event, the evidence and
// where it came from, the thresholds; and all of it made again from the counts. Reads the journal, changes nothing. The
// thread that owns the journal.
#pragma once
#include "journal.h"
#include "policy.h"

enum explain_limits { EXPLAIN_BYTES = 64 * 1024 };

// Writes the explanation of alert `id`; `policies` name the evidence of policies (NULL: the journal alone does). Returns
// its length; -ENOENT: no such alert, -ENOSPC: cap (EXPLAIN_BYTES is enough), or the journal's error. *differ: how many
// numbers do not come out as they were written.
int explain_alert(struct journal *j, const struct policy_set *policies, uint64_t id, bool json, char *out, size_t cap,
		  unsigned *differ);

struct explain_sum {
	unsigned alerts, scores;            // looked at
	unsigned alerts_differ, scores_differ;
	uint64_t numbers, differ;           // made again; of them not the same
};
// Makes every alert and every score of a journal again. `line` hears of each that differs; may be NULL. 0 or -errno.
int explain_all(struct journal *j, struct explain_sum *sum, void (*line)(void *user, const char *text), void *user);
