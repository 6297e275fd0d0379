// SPDX-License-Identifier: GPL-2.0-or-later
// The far side's stations in order: observation ▸ learn/judge ▸ incident ▸ respond ▸ journal, and back: verdicts, known-pair filter, table of certain facts.
// Knows neither sockets nor clocks: the brain process and replay bring observations and time, and carry what comes out. One thread owns it.
#pragma once
#include "baselines.h"
#include "incident.h"
#include "journal.h"
#include "judge.h"
#include "respond.h"
#include "sheet.h"
#include "story.h"
#include "suppressed.h"

struct reason_hooks { // any may be NULL
	void (*verdict)(void *user, unsigned worker, const struct verdict *v); // worker SHEET_WORKERS: to all
	void (*observation)(void *user, const struct observation *o, const struct judge *requests);
	void (*alert)(void *user, const struct alert *a, const struct incident *i); // after incident and response are set; i may be NULL
	void (*block)(void *user, const struct block *b, const char *what, uint64_t now_ns);
	void *user;
	void (*score)(void *user, const struct score *s); // evidence of 3 bits and more
};

struct reason_config {
	const char *state;            // folder for what survives a restart; NULL: nothing does
	const char *learned;          // an image to begin with instead of STATE's, only read; reason_create fails when it cannot be used
	struct policy_set *policies;  // borrowed, must outlive
	unsigned mode;                // enum sheet_mode at first start; a mode kept in the journal wins when mode is MODE_COUNT
	uint32_t devices, values;     // capacities of learn; 0 = 16384 and 1 Mi
	double alarms_per_day, blocks_per_day; // the user's budgets; alarms 0: as kept in the journal, else one a day; below 0: none, policies stand alone. blocks 0: a fiftieth
	uint32_t without;             // enum learn_without, judge_without: parts left out, to be measured
	struct siphash_key key;       // for learn
	struct siphash_key filter_key;// the wire's, for the known-pair filter
	struct brain_sheet *sheet;    // ours to write
	int64_t deadline_offset_ns;   // deadline clock - UNIX clock; 0 in replay
	bool baselines;               // keep a snapshot of what was learned each day (baselines.h); needs `state`
	bool hold;                    // publish hold-and-decide
	struct reason_hooks hooks;
	struct counters *counters;
};

struct reason;
// Loads what was kept, publishes the sheet. NULL with a message.
struct reason *reason_create(const struct reason_config *config, char error[512]);
void reason_destroy(struct reason *r); // does not save, and stops what is written beside

void reason_observe(struct reason *r, const struct observation *o); // a private copy; checked here
// Time passes: expiry of blocks, closing of incidents, batches to disk. Every 100 ms or so.
void reason_step(struct reason *r, uint64_t unix_ns);
// Heartbeat for the wire, at least every 20 ms. deadline clock.
void reason_beat(struct reason *r, uint64_t deadline_ns);
// Writes learned state (atomic). 0 or -errno. Needs `state`. Takes seconds where much was learned.
int reason_save(struct reason *r);
// The same without standing still: a copy of the process writes what was learned until now (beside.h). 0, -EBUSY: the one before, or
// the day's snapshot, is not done yet; or -errno.
int reason_save_beside(struct reason *r);
// To be asked after each step: true once when what was written beside is done; 0 or -errno.
bool reason_saved(struct reason *r, int *error);

void reason_set_mode(struct reason *r, unsigned mode, const char *who, uint64_t unix_ns);
// A snapshot of what is learned now; its name. 0 or -errno; -ENOENT: no `state`.
int reason_snapshot(struct reason *r, uint64_t unix_ns, char name[BASELINES_NAME_BYTES]);
// Back to a snapshot: what was learned and what evidence there was since is forgotten; incidents, blocks and the budget
// asked for stay. 0 or as image_read; -EPROTO also: it does not fit, and all is as it was.
int reason_rollback(struct reason *r, const char *name, const char *who, uint64_t unix_ns);
// Another budget from now on (0.01 … 10 alarms a day, 0: none; blocks 0: a fiftieth), kept for the next start. -EINVAL.
int reason_set_budget(struct reason *r, double alarms_per_day, double blocks_per_day, const char *who, uint64_t unix_ns);
// A person says that an incident was a true one: what it took of today's budget is given back. Once an incident:
// -EALREADY. -ENOENT. -ERANGE: noted, but its alarms are of earlier days, which are settled.
int reason_confirm_incident(struct reason *r, uint64_t id, const char *who, uint64_t unix_ns);
unsigned reason_mode(const struct reason *r);
// To be told as often as is cheap. A wall clock that was set (by a second or more) neither ends nor prolongs a block.
void reason_set_deadline_offset(struct reason *r, int64_t offset_ns);
// Once after create, when the time is known: takes up open incidents and standing blocks from the journal and tells the wire of each block with the
// time that remains to it.
void reason_resume(struct reason *r, uint64_t unix_ns);

struct learn *reason_learn(struct reason *r);
struct judge *reason_judge(struct reason *r);
struct respond *reason_respond(struct reason *r);
struct suppress_set *reason_suppressions(struct reason *r); // changed by suppressed_add and suppressed_remove only
struct journal *reason_journal(struct reason *r);
const struct policy_set *reason_policies(const struct reason *r);
// New policies without a restart; the old ones are the caller's again.
void reason_set_policies(struct reason *r, struct policy_set *policies);
