// SPDX-License-Identifier: GPL-2.0-or-later
// Two simple detectors that see the same observations as the product, to compare it with:
//   never   alarms when a device calls an endpoint it never called (device), or nobody ever called (org)
//   single  alarms on one event whose surprise in bits (endpoint, protocol and port, agent or fingerprint: device backed off
//           to the organisation, presence-days) passes a threshold: the largest of each device and day, of the week
//           before, give the one that would have kept to the budget. (A threshold that stays as training left it alarms more
//           every week, because what is new is ever more surprising to counts that grow.)
// The unit of an alarm is a device and a day.
#pragma once
#include "counted.h"
#include "observation.h"

enum baseline_limits { BASELINE_DEVICES = 2048, BASELINE_BUDGETS = 4, BASELINE_DAYS = 64, BASELINE_FEATURES = 3, BASELINE_TOP = 32 };

extern const double BASELINE_BUDGET[BASELINE_BUDGETS]; // alarms a day

struct baseline_seen {   // what one event was to them
	bool counts;     // it was one they look at
	bool new_device; // endpoint new to the device
	bool new_org;    // to all
	float bits;
};

struct baseline_context { // of one device and feature
	uint32_t days, values, once; // presence-days in all, distinct values, and those of one day
};

struct baseline {
	uint64_t start_ns;
	struct counted device;  // address → number from 1
	struct counted value;   // (context, feature, value) → days << 16 | last day
	struct baseline_context context[BASELINE_DEVICES + 1][BASELINE_FEATURES]; // 0: the organisation, whose "days" are devices
	float most[BASELINE_DEVICES][BASELINE_DAYS]; // bits, by device and day
	uint8_t new_device[BASELINE_DEVICES][BASELINE_DAYS], new_org[BASELINE_DEVICES][BASELINE_DAYS];
	float threshold[BASELINE_BUDGETS];
};

void baseline_init(struct baseline *b, uint64_t start_ns);
void baseline_free(struct baseline *b);
// Looks at an observation, then learns it. What an attack did is not put among the days' figures.
struct baseline_seen baseline_observe(struct baseline *b, const struct observation *o, bool attack);
// Thresholds from the days before `day`: up to 7, not the first two.
void baseline_train(struct baseline *b, uint32_t day);

struct baseline_day {
	uint32_t new_device, new_org, single[BASELINE_BUDGETS]; // devices that alarmed, by the thresholds of now
	float top[BASELINE_TOP];                                // bits, the most first
};
struct baseline_day baseline_day(const struct baseline *b, uint32_t day);
