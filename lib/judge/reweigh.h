// SPDX-License-Identifier: GPL-2.0-or-later
// A stored alert judged again by other policies, from what the alert itself holds: weights, thresholds, certainty and
// responses. Conditions cannot be judged without what was observed.
#pragma once
#include "policy.h"

enum reweigh_word {
	REWEIGH_DONE,
	REWEIGH_NO_POLICY,      // the set has none of that name: the alert would not have been
	REWEIGH_CONDITIONS,     // its conditions are others (or nobody can say): needs captures
	REWEIGH_RESPONSE,       // what it asks for depends on conditions, or on a readiness, that were not asked for then
	REWEIGH_WORDS
};

// Have the two sets' policies of that name the same conditions (observation kinds, when)? False also when one has none.
bool reweigh_same_conditions(const struct policy_set *a, const struct policy_set *b, const char *name);
// *now is the alert as `set` would have given it, by itself: later evidence does not change with it. before: the set that
// gave it, or NULL; then the version says whether conditions are the same. note, wants_* , block_ns, unproven, weight,
// proof.evidence are new.
enum reweigh_word reweigh_alert(const struct policy_set *set, const struct policy_set *before, const struct alert *then,
				struct alert *now);
