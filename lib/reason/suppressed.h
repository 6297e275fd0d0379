// SPDX-License-Identifier: GPL-2.0-or-later
// Suppressions as people make and end them: the journal keeps them with who and why, the set is what the judge asks.
// The thread that owns the journal.
#pragma once
#include "journal.h"

// Those that hold at now_ns, from the journal. 0 or -errno.
int suppressed_load(struct journal *j, struct suppress_set *set, uint64_t now_ns);
// s: what it matches, expires_ns, reason, who. Gets its id. -EINVAL (suppression_check), -ENOSPC, or the journal's.
int suppressed_add(struct journal *j, struct suppress_set *set, struct suppression *s, uint64_t now_ns);
int suppressed_remove(struct journal *j, struct suppress_set *set, uint64_t id, const char *who, uint64_t now_ns); // -ENOENT
// How many alerts of the journal it matches; *total: how many there are. -errno.
int suppressed_count(struct journal *j, const struct suppression *s, unsigned *total);
