// SPDX-License-Identifier: GPL-2.0-or-later
// Observation + what is normal + policies → alerts. Builds the quantities a policy may ask for (rarity, age, callback,
// bare address, role ...), evaluates the policies of that kind of observation, throttles, explains. Then lets learn
// have the observation, unless it alerted (what alerts is not learned).
#pragma once
#include "policy.h"
#include "suppress.h"

struct judge;
// a->id is 0; the callee copies what it keeps, and says in a->response what was done.
typedef void (*judge_alert_fn)(void *user, struct alert *a);

typedef void (*judge_score_fn)(void *user, const struct score *s); // evidence of 3 bits and more; copied by the callee

enum judge_without { // beside learn's: parts left out, to measure what each is worth
	WITHOUT_ACCUMULATION = 1 << 9,  // the last event alone counts
	WITHOUT_FACTS = 1 << 10,        // certain policies are silent
	WITHOUT_TAINT = 1 << 11,        // nothing is remembered of what inbound fields named
	WITHOUT_FEEDBACK = 1 << 12,     // the threshold follows peaks only, not alarms
	WITHOUT_ROLLOUT = 1 << 13,      // what many begin with at once is as unlikely as for one
	WITHOUT_NUMBERS = 1 << 14,      // bytes, fan-out, beacons
	WITHOUT_HABITS = 1 << 15,       // policies weigh what they declare, however often they match
	WITHOUT_NEWCOMERS = 1 << 16,    // a device that is new is not scored
	WITHOUT_SCORES = 1 << 17,       // policies alone
	WITHOUT_POLICIES = 1 << 18,     // scores alone: policies add nothing and say nothing, but for those on evidence
};

struct judge_config {
	const struct policy_set *policies;
	struct learn *learn;
	struct counters *counters;
	judge_alert_fn alert;
	void *user;
	judge_score_fn score;  // may be NULL
	double alarms_per_day; // 0: no budget, every match of a policy is an alert and nothing else is
	double blocks_per_day; // 0: a fiftieth of the alarms
	uint32_t without;      // enum judge_without
	const struct suppress_set *suppressions; // borrowed, may change between calls; NULL: none
};

struct judge *judge_create(const struct judge_config *config); // NULL with errno
void judge_destroy(struct judge *j);
// The ones before must still be there; then they are the caller's again.
void judge_set_policies(struct judge *j, const struct policy_set *policies);
// One checked observation. mode LEARN: learns, alerts nothing (facts marked certain still alert). Also keeps the flow's
// last requests so that a response or a file finds its URI and user agent. blocked: the wire dropped it; never learned.
void judge_observe(struct judge *j, const struct observation *o, unsigned mode);
// Should the first frame of this never-seen pair be let go? Runs the same policies on the flow's opening. Called for
// OBS_HELD.
bool judge_held(struct judge *j, const struct observation *o, unsigned mode);
// Does the observation just judged (by either) repeat what was answered with a cut and no block, while that alert is throttled? A throttle is for who reads
// alerts: the flow is to be cut as the first one was.
bool judge_repeats_cut(const struct judge *j);
// The request that belongs to a flow and tx (for exporters); false if forgotten.
struct judge_request {
	char method[16], uri[ALERT_TEXT], host[128], agent[128];
	uint64_t time_ns;
};
bool judge_request_of(const struct judge *j, uint64_t flow, uint64_t tx, struct judge_request *out);

// The budget as it stands. Sets it when alarms_per_day > 0 (0.01 … 10; blocks 0: a fiftieth), from now on.
struct judge_budget {
	double alarms_per_day, blocks_per_day;
	struct judge_share {
		double alarms_per_day;
		int64_t threshold; // microbits; INT64_MAX: none yet
		uint32_t today;
		double debt;
	} role[ROLE_COUNT];
	int64_t block_threshold;
	bool calibrated;
	double error;      // relative standard deviation of the rate that the days so far allow to promise; ≥ 1: nothing
	uint32_t days;     // that the thresholds rest on
	uint32_t today;    // alarms
	uint32_t grouped;  // devices beyond them today, in a surge: not told one by one
	double debt;       // alarms beyond the budget, so far
};
void judge_get_budget(const struct judge *j, struct judge_budget *out);
// What the evidence behind a block must pass, in microbits: never less than 10 bits. INT64_MAX: there is no budget, so nothing.
int64_t judge_block_threshold(const struct judge_budget *b);
void judge_set_budget(struct judge *j, double alarms_per_day, double blocks_per_day);
// A person said that this device's alarm of today was a true one: it is not owed to its role's budget, and the day is no measure for thresholds. False: it had
// none today, or that was said before.
bool judge_confirm(struct judge *j, const struct address *device);
// Evidence against a device now, microbits: the higher of the two levels.
int64_t judge_evidence(const struct judge *j, const struct device *d, uint64_t now_ns);
// Time passes without observations. live: alarms are given (mode above learn).
void judge_step(struct judge *j, uint64_t now_ns, unsigned mode);

// Samples, evidence and budgets as sections of an image (ids 16 … 31). 0 or -EPROTO: refused, as newly created.
struct image;
void judge_put(const struct judge *j, struct image *i);
int judge_take(struct judge *j, const struct image *i);
// The budget as it stands in an image: its rates, thresholds, days and debt. False: there is none.
bool judge_image_budget(const struct image *i, struct judge_budget *out);
