// SPDX-License-Identifier: GPL-2.0-or-later
// What the estimators are tried on: contacts with and without a pace. For the unit test and the curves alike.
// Header-only; tests only.
#pragma once
#include "beacon.h"
#include "dice.h"

enum null_kind { NULL_POISSON, NULL_PARETO, NULL_TWO_RATES, NULL_UNIFORM, NULL_KINDS };

static inline double null_interval(struct dice *d,
				   enum null_kind kind) // seconds above the one that is the same contact
{
	switch (kind) {
	case NULL_POISSON:
		return 300 * dice_exponential(d);
	case NULL_PARETO:
		return 30 * dice_pareto(d, 0.8);
	case NULL_TWO_RATES:
		return (dice_unit(d) < 0.7 ? 5 : 3000) * dice_exponential(d);
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
