// SPDX-License-Identifier: GPL-2.0-or-later
// Observation + what is normal + policies → alerts. Builds the quantities a policy may ask for (rarity, age, callback,
// bare address, role ...), evaluates the policies of that kind of observation, throttles, explains. Then lets learn
// have the observation, unless it alerted (what alerts is not learned).
#pragma once
#include "policy.h"

struct judge;
typedef void (*judge_alert_fn)(void *user, struct alert *a); // a->id is 0; the callee copies what it keeps

struct judge_config {
	const struct policy_set *policies;
	struct learn *learn;
	struct counters *counters;
	judge_alert_fn alert;
	void *user;
};

struct judge *judge_create(const struct judge_config *config); // NULL with errno
void judge_destroy(struct judge *j);
void judge_set_policies(struct judge *j, const struct policy_set *policies);
// One checked observation. mode LEARN: learns, alerts nothing (facts marked certain still alert). Also keeps the flow's
// last requests so that a response or a file finds its URI and user agent. blocked: the wire dropped it; never learned.
void judge_observe(struct judge *j, const struct observation *o, unsigned mode);
// Should the first frame of this never-seen pair be let go? Runs the same policies on the flow's opening. Called for
// OBS_HELD.
bool judge_held(struct judge *j, const struct observation *o, unsigned mode);
// The request that belongs to a flow and tx (for exporters); false if forgotten.
struct judge_request {
	char method[16], uri[ALERT_TEXT], host[128], agent[128];
	uint64_t time_ns;
};
bool judge_request_of(const struct judge *j, uint64_t flow, uint64_t tx, struct judge_request *out);
