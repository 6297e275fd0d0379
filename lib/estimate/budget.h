// SPDX-License-Identifier: GPL-2.0-or-later
// From "three alarms a day" to a threshold, and holding it. Unit: a device's highest evidence of a day; an alarm is a
// device whose evidence passes the threshold, once a day.
//
// Threshold, at the end of each day: the level that the peaks of the last 28 days, a day's weight halving every
// `half_life` days, would have passed at the wanted rate; between two peaks by straight line, beyond the largest by an
// exponential tail through the sixteen largest. Feedback: the wanted rate is B · e^(−debt/max(B·τ, 5)), within a factor of 4,
// debt the alarms so far beyond B a day, τ = 5 days: an integral controller (as the adaptive level of Gibbs and Candès,
// NeurIPS 2021, of which the bound is kept: |debt| stays finite whatever the peaks do, so the mean rate tends to B).
// Controlling the rate and not the threshold makes it independent of how evidence is scaled. The floor of five alarms is
// for small budgets: at 0.2 a day a single alarm, which chance brings or not, would move the threshold by bits, and what a
// threshold loses by swinging is attacks on the days on which it is high.
//
// Against who makes noise to raise the threshold: beyond `surge` × B alarms (at least 5) in a day it says BUDGET_GROUP,
// the rest belong together and do not count; of peaks above the threshold no more than that are kept (enum
// budget_day), and it rises by at most `step` a day. What people confirm as malicious is taken out of the debt.
//
// Error: a rate known from B·W expected peaks (W ≈ 15 days' weight at a half-life of 14) has the relative standard
// deviation 1/√(B·W): budget_error. ± 8 % at 10 a day, ± 26 % at 1, and at 0.1 a day hardly anything: say so. Memory:
// 15 KiB. Whole numbers and doubles in fixed order. One thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum budget_limits {
	BUDGET_DAYS = 28,
	BUDGET_PEAKS = 64 /* kept of a day: the highest */,
	BUDGET_MOST = 10 /* a day */
};

enum budget_day {
	BUDGET_TRAINED, // the threshold was a guess and nobody was told: all peaks are kept, nothing is owed
	BUDGET_WATCHED, // nobody was told, but a surge may have come: it leaves no more peaks than it may
	BUDGET_LIVE     // alarms were given: as BUDGET_WATCHED, they are paid for, and the threshold rises by at most `step`
};

enum budget_word { BUDGET_QUIET, BUDGET_ALARM, BUDGET_GROUP /* a surge: tell it in one with the others */ };

struct budget {
	double per_day;   // B: 0.001 … BUDGET_MOST
	double half_life; // days
	uint32_t surge;
	int64_t step;      // microbits
	int64_t threshold; // microbits; INT64_MAX: no day has ended yet
	double debt;
	uint32_t alarms, grouped, confirmed; // today
	uint32_t days, held;                 // days that ended; peaks of today
	int64_t today[BUDGET_PEAKS];         // highest first
	uint32_t count[BUDGET_DAYS];
	int64_t peak[BUDGET_DAYS][BUDGET_PEAKS];
};

// B outside its bounds is brought within. half_life 14, surge 5, step 1 bit.
void budget_begin(struct budget *b, double per_day);
// Whether one read back from a file can be used: counts and places within bounds, peaks in their order, levels and debt
// such as no sum of them overflows.
bool budget_check(const struct budget *b);
// Another B from now on: the threshold follows at once, what was owed is forgotten.
void budget_change(struct budget *b, double per_day);
// Another share of what the user asked for: from the next end of a day on; what is owed stays.
void budget_share(struct budget *b, double per_day);
uint32_t budget_peaks(const struct budget *b); // that are kept, of all days: what the threshold rests on
// A device's evidence now, at most until its first alarm of the day. `threshold`: its own, or another's while it rests on too little.
enum budget_word budget_ask(struct budget *b, int64_t threshold, int64_t level);
void budget_withdraw(struct budget *b); // the latest alarm of today was told to nobody: as if it had not been asked for
void budget_confirm(struct budget *b); // an alarm of today was a true one
// A device's highest of the day that ends; not of one whose alarm was confirmed. Beyond ± 2^52 it is taken for that.
void budget_peak(struct budget *b, int64_t level);
void budget_end_day(struct budget *b, enum budget_day day);
double
budget_error(const struct budget *b); // relative standard deviation of the rate; 1 and more: it cannot be promised
