// SPDX-License-Identifier: GPL-2.0-or-later
// Every alert of a run as a reader of the journal finds it: read back from the journal the far side kept (in memory, the same
// tables and records as on disk), and all of its numbers made again from its counts by lib/reason/explain.
#pragma once
#include "explain.h"
#include "lab.h"

struct proof {
	struct explain_sum sum;
	uint64_t lost;             // alerts and events that were raised and are not in the journal, or not to be read
	unsigned altered, noticed; // alerts of which one count was altered on purpose, and of them those that then differ
	double seconds;            // of CPU that it took
};

// From now on: a copy of the process answers for what it raises itself.
void proof_begin(struct lab *l);
// Makes again all that was raised since, and tells what differs on standard error. `alter`: also whether an altered count
// would be noticed, by the latest alert that has one; it is put back.
void proof_end(struct lab *l, bool alter, struct proof *out);
