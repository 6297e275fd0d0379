// SPDX-License-Identifier: GPL-2.0-or-later
// Does something call home at a steady pace? A test of the times between a pair's last 128 contacts that gives a true
// p-value, for any process a person or a busy program makes, and bears jitter, gaps and outliers.
//
// From the fourth interval on, each is compared with the median T of those before it: does it lie within T(1 − w) …
// T(1 + w)? Null: whatever came before, an interval's density does not rise (exponential, that is Poisson contacts;
// mixtures of such, Pareto, Weibull and gamma with shape ≤ 1, that is bursty ones; it may change from one interval to
// the next and depend on the past). Such a density is a mixture of uniform ones on (0, θ) (Khinchine 1938), and a
// uniform one puts at most q(w) = 2w/(1 + w) into that window, whatever T is. T is known before the interval is, so the
// n answers are dominated by independent ones, their count by a binomial, and
//
//	p = 6 · min over w ∈ {5, 10, 20, 30, 45, 60 %} of P(Binomial(n, q(w)) ≥ count)
//
// (Bonferroni for the six widths) is valid: P(p ≤ a) ≤ a for every a and n. No simulation, no table, no rate to assume.
// A missed or doubled call costs one or two intervals and not the test, as it would a spectrum's phase; jitter that
// adds up from call to call costs nothing. Not covered: intervals with a preferred length by nature (a page that
// reloads itself is a beacon, and rarity must say whether it matters), and whoever tests again and again: test at fixed
// numbers of contacts. Contacts within one second of the last are the same contact, and T is the time beyond that
// second.
//
// Power (scripts/estimate-curves): 90 % at p ≤ 2^-10 needs 8 contacts without jitter, 15 at 10 %, 20 at 20 %, 30 at 30
// %, 60 at 40 %, 90 at 50 %; with every tenth call missed 15, 20, 30, 60, 90, 129. Error: bits to 10^-9. Memory: 528 B,
// the caller's, no pointers. Cost: ≈ 8 µs for 128, so not at every contact. One thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum beacon_limits { BEACON_INTERVALS = 128, BEACON_FEWEST = 6 /* intervals */ };

struct beacon {
	uint64_t last_ms; // UNIX or any other clock that does not stop; 0: none yet
	uint32_t next, held;
	uint32_t interval_ms[BEACON_INTERVALS];
};

struct beacon_result {
	double bits;         // −log2 p, 0 …
	uint32_t period_ms;  // median of all intervals
	uint32_t jitter;     // ± so much of the period, in thousandths, were it spread evenly: 2·MAD/median
	uint32_t intervals;  // held
	uint32_t within, of; // the count that gave p, for the words "38 of 40 intervals within …"
	uint32_t width;      // … of ± so many thousandths
};

void beacon_clear(struct beacon *b);
// Whether one read back from a file can be used: places within bounds, intervals as beacon_add lets them in.
bool beacon_check(const struct beacon *b);
// A contact. False: the same contact still, or time went back (then it is the new last).
bool beacon_add(struct beacon *b, uint64_t now_ms);
// False: fewer than BEACON_FEWEST intervals; bits is 0.
bool beacon_test(const struct beacon *b, struct beacon_result *out);
