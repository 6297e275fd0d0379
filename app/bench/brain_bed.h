// SPDX-License-Identifier: GPL-2.0-or-later
// A bed for lib/reason: the observations of a recorded week, to be judged again and again with their time moved on by
// whole weeks, and a brain to judge them.
#pragma once
#include "measure.h"
#include "reason.h"
#include "recording.h"

enum { STEP_OBSERVATIONS = 100000 };
#define BED_DAY_NS (86400 * 1000000000ull)
#define BED_WEEK_NS (7 * BED_DAY_NS)

struct kept { // observations, one behind the other
	uint8_t *at;
	size_t bytes, cap, count;
	uint64_t first_ns, last_ns;
};

struct brain_bed {
	struct kept kept;
	struct brain_sheet *sheet;
	struct counters counters;
	struct policy_set *policies;
	struct reason *reason;
	const char *state; // folder, NULL: the journal is in memory
	uint64_t devices, values; // capacities, 0: the brain's own
	uint64_t verdicts, shift_ns, since_step, taken;
	void (*alert)(void *user, const struct alert *a, const struct incident *i); // may be NULL
	void (*score)(void *user, const struct score *s);
	void *user;
};

// Records the week (or that capture). Exits with a message where it cannot be read.
void brain_bed_record(struct brain_bed *b, const char *path, const char *inside, uint64_t days);
// A brain with empty tables; `taken`: address space it took.
void brain_bed_create(struct brain_bed *b);
void brain_bed_end(struct brain_bed *b); // the brain's end; the week is kept
// The record at that place, with its time moved; zeroed behind its end as ring_pop does. Returns the place of the next.
size_t brain_bed_next(const struct brain_bed *b, size_t at, struct observation *o);
void brain_bed_judge(struct brain_bed *b, const struct observation *o);
// Whole weeks on, so that a day stays a day of its kind.
void brain_bed_shift(struct brain_bed *b);

// To be called between two observations: stands still for a while after each half second. The kernel makes a program that
// has its core in real time (chrt) for 0.95 s stand still for 50 ms, which would be measured.
void brain_bed_rest(void);

// How long an observation waits and is judged when they come evenly at half of what the brain can do: Lindley's
// recursion over the times each took, which are overwritten. Adds NAME.p50, p99, p99.9.
void report_sojourn(struct report *r, const char *name, uint64_t *took_tsc, size_t n);
// The same where they come so far apart that none waits for another.
void report_took(struct report *r, const char *name, uint64_t *took_tsc, size_t n);

// Options of `brain` for its other measures.
struct brain_plan {
	uint64_t endpoints; // never-seen ones an hour
	uint64_t hours, rounds;
};
void brain_flood(struct brain_bed *b, const struct brain_plan *plan, struct report *r);
