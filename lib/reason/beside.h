// SPDX-License-Identifier: GPL-2.0-or-later
// Work on this process's memory as it is now, done by a copy of it (fork) while the process goes on. For what takes
// seconds and only reads, where nobody may wait for it. What begins it is the copying of the page tables, some 10 ms a
// GiB; afterwards each page is copied when this process first writes to it.
//
// One thread, and the process must have no other: a copy has only the thread that made it.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct beside {
	pid_t pid; // 0: nothing under way
};

// job: 0 or -errno. In the copy every descriptor above standard error is closed before it is called, so it opens what it
// needs; it ends with its parent. 0 or -errno; -EBUSY: the one before has not ended, or nobody asked.
int beside_begin(struct beside *b, int (*job)(void *user), void *user);
// Once for each that was begun: true when it has ended, with what the job returned; -ECANCELED: it died.
bool beside_ended(struct beside *b, int *result);
// Kills what is under way, if anything, and waits for its end: afterwards nobody else writes.
void beside_stop(struct beside *b);
