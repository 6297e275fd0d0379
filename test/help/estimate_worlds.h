// SPDX-License-Identifier: GPL-2.0-or-later
// What the estimators are tried on: contacts with and without a pace, and days of evidence. For the unit test and the
// curves alike. Header-only; tests only.
#pragma once
#include "beacon.h"
#include "budget.h"
#include "dice.h"

#include <stdbool.h>

enum null_kind { NULL_POISSON, NULL_PARETO, NULL_TWO_RATES, NULL_UNIFORM, NULL_KINDS };

static inline double null_interval(struct dice *d,
				   enum null_kind kind) // seconds above the one that is the same contact
{
	double scale;

	switch (kind) {
	case NULL_POISSON:
		return 300 * dice_exponential(d);
	case NULL_PARETO:
		return 30 * dice_pareto(d, 0.8);
	case NULL_TWO_RATES:
		scale = dice_unit(d) < 0.7 ? 5 : 3000;
		return scale * dice_exponential(d);
	default:
		return 600 * dice_unit(d);
	}
}

// What the test says of `contacts` calls with the given jitter (± share of the period), or of a null.
static inline double beacon_bits_of(struct dice *d, uint32_t contacts, double jitter, int kind, double missed)
{
	struct beacon_result r;
	struct beacon b;
	double t = 1e6;

	beacon_clear(&b);
	for (uint32_t i = 0; i < contacts; i++) {
		beacon_add(&b, (uint64_t)(t * 1000));
		do
			t += kind >= 0 ? 1 + null_interval(d, kind) : 60 * (1 + jitter * (2 * dice_unit(d) - 1));
		while (kind < 0 && dice_unit(d) < missed);
	}
	beacon_test(&b, &r);
	return r.bits;
}

static inline double beacon_power(struct dice *d, uint32_t contacts, double jitter, double missed, double bits)
{
	enum { TIMES = 300 };
	uint32_t found = 0;

	for (uint32_t t = 0; t < TIMES; t++)
		found += beacon_bits_of(d, contacts, jitter, -1, missed) >= bits;
	return (double)found / TIMES;
}

// One day of an organisation: each device's highest evidence, of a level and a spread its role has, higher by `drift`
// bits, in another order each day. Every fiftieth device is a noisy one. Returns the highest of all. *alarms counts
// each device told of, also those of a surge.
static inline double budget_day(struct budget *b, struct dice *d, double drift, uint32_t devices, double jump,
				bool live, double *alarms)
{
	double highest = 0;

	for (uint32_t i = 0; i < devices; i++) {
		uint32_t role = i % 6;
		double bits = 1 + role + (0.5 + 0.3 * role) * dice_exponential(d) + drift;
		int64_t level;

		if (i % 50 == 7)
			bits += 2 * dice_exponential(d);
		if (role == 3)
			bits += jump;
		highest = bits > highest ? bits : highest;
		level = (int64_t)(bits * 1e6);
		if (live)
			*alarms += budget_ask(b, b->threshold, level) != BUDGET_QUIET;
		budget_peak(b, level);
	}
	budget_end_day(b, live ? BUDGET_LIVE : BUDGET_TRAINED);
	return highest;
}

// Alarms a day in 28 days after 14 of training: quiet weekends, evidence that creeps up by a bit a month, a role that
// is three bits noisier from one day on, and devices that come.
static inline double budget_rate(double per_day, uint64_t seed)
{
	struct dice d = {seed};
	struct budget b;
	double alarms = 0;

	budget_begin(&b, per_day);
	for (uint32_t day = 0; day < 42; day++) {
		uint32_t devices = (day < 30 ? 300 : 330) / (day % 7 < 5 ? 1 : 3);

		budget_day(&b, &d, day / 30.0, devices, day >= 25 ? 3 : 0, day >= 14, &alarms);
	}
	return alarms / 28;
}
