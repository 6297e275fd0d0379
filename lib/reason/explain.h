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
	unsigned items, found;              // of the alerts' evidence; of them in the journal, as an event or a policy's match
	uint64_t numbers, differ;           // made again; of them not the same
};
// `line` hears of each alert or event that differs; may be NULL.
typedef void (*explain_line_fn)(void *user, const char *text);
// Makes alert `id` and what it rests on again as explain_alert does, and adds it to *sum; the numbers of its events are not
// counted, that is explain_events'. 0; -ENOENT: no such alert, or the journal's error.
int explain_add(struct journal *j, const struct policy_set *policies, uint64_t id, struct explain_sum *sum,
		explain_line_fn line, void *user);
// Makes every event from `since_ns` (UNIX) on again and adds it to *sum. 0 or -errno.
int explain_events(struct journal *j, uint64_t since_ns, struct explain_sum *sum, explain_line_fn line, void *user);
// Every alert and every event of a journal, into *sum from nothing. 0 or -errno.
int explain_all(struct journal *j, struct explain_sum *sum, explain_line_fn line, void *user);
