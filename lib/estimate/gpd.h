// SPDX-License-Identifier: GPL-2.0-or-later
// How unlikely is a number larger than nearly all that were seen? Above a high threshold t the excess over it follows a
// generalised Pareto distribution (Pickands 1975; used so for alarms by Siffer and others, "Anomaly detection in
// streams with extreme value theory", KDD 2017):
//
//	P(X > x) = (above/total) · (1 + γ(x − t)/σ)^(−1/γ)        γ → 0: e^(−(x − t)/σ)
//
// γ and σ by Zhang and Stephens ("A new and efficient estimation method for the generalized Pareto distribution",
// Technometrics 2009): a mean over a fixed grid of the profile likelihood. Chosen over probability-weighted moments,
// which are as simple but fail for γ ≥ 1/2 and are biased well before, and traffic volumes live there; and over
// Grimshaw's maximum likelihood, which needs a root search that may not converge below some 50 values. Here the work is
// fixed: (20 + √n) × n logarithms, 256 values ≈ 100 µs, so once an hour or a day, not per observation.
//
// Too light a tail makes alarms of ordinary transfers, so the error is put on the side of silence: a negative γ, a tail
// that ends, is taken for 0 (its end is a guess, and everything beyond it would be infinitely surprising), and then γ
// is raised by its standard deviation, (1 + γ)/√n.
//
// Error: far out, an order of magnitude and not a digit. For 256 values, ten times beyond the sample and γ ≥ 0,
// surprise is more than 3 bits too high in at most 1 of 100 fits, and on average 1 to 2.5 of some 17 bits too low
// (test). Results are marked as extrapolated by whoever uses them. Memory: the structs below. No allocation. One
// thread.
#pragma once
#include "ddsketch.h"

#include <stdbool.h>

enum gpd_limits { GPD_FEWEST = 16, GPD_MOST = 256, GPD_MOST_BITS = 64 };

struct gpd {
	double threshold, shape, scale; // t, γ, σ; σ = 0: not fitted
	uint64_t above, total;          // of `total` values `above` exceeded t
};

// Fits γ and σ to n excesses (x − t ≥ 0), which it puts in order. False, with scale 0: fewer than GPD_FEWEST, more than
// GPD_MOST, or all alike. The caller fills in threshold, above and total.
bool gpd_fit(double *excess, uint32_t n, struct gpd *out);
// −log2 P(X > x), from −log2(above/total) on; at most GPD_MOST_BITS. 0 when x ≤ t or nothing is fitted.
double gpd_bits(const struct gpd *g, double x);
// Whether one read back from a file can be one that was fitted, or not fitted.
bool gpd_check(const struct gpd *g);

struct gpd_tail { // the latest excesses of one quantity
	double threshold;
	uint32_t next, held;
	double excess[GPD_MOST];
};
void gpd_tail_clear(struct gpd_tail *t, double threshold);
void gpd_tail_add(struct gpd_tail *t, uint64_t x); // ignores what is not above the threshold
// Whether one read back from a file can be used: places within bounds, excesses such as whole numbers leave.
bool gpd_tail_check(const struct gpd_tail *t);
// A fit to what is held, with the share above the threshold taken from the sketch of the same quantity.
bool gpd_tail_fit(const struct gpd_tail *t, const struct ddsketch *s, struct gpd *out);
// Surprise of a number at least as large as x: the sketch's mid-p below the threshold, the tail above. *extrapolated
// says which. Never more than the tail allows; without a fit at most log2(2(n + 1)).
double gpd_surprise(const struct ddsketch *s, const struct gpd *g, uint64_t x, bool *extrapolated);
