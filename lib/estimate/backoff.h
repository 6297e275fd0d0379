// SPDX-License-Identifier: GPL-2.0-or-later
// How likely is this value here? Back-off from a device to its peer group, to the organisation, to a base measure:
//
//	P_u(x) = ( max(c_ux − d_u, 0) + (θ + d_u·T_u) · P_parent(u)(x) ) / (θ + N_u)        P_nobody(x) = base
//
// c_ux how often context u holds x, N_u = Σ c_ux, T_u how many different x, d_u the discount, θ the strength. This is
// the predictive rule of the hierarchical Pitman–Yor process (Teh, "A hierarchical Bayesian language model based on
// Pitman–Yor processes", ACL 2006) under the seating with one table per type in a device, that is interpolated
// Kneser–Ney with a strength. Nothing is sampled, so the same counts give the same probability, and Σ_x P_u(x) = 1 for
// any counts whenever the base sums to 1.
//
// Counting: a device counts a value once a day, over the last BACKOFF_WINDOW days; what stands above a device (group,
// organisation) counts devices, each once. A strict one-table seating would give the organisation one customer per
// group; devices are counted there as well, because "1 of 143 devices" is then the model itself and not a gloss on it,
// and one noisy or poisoned device still adds at most 1 anywhere above it. d_u = n1/(n1 + 2·n2) within 0.05 … 0.95, n1
// and n2 the values held once and twice: the leave-one-out optimum of Ney, Essen and Kneser (1994).
//
// Surprise is −log2 P, in bits, exact to real_log2's bound. All terms are given out, and backoff_compute makes P and
// bits from them again, to the last digit.
//
// Memory: 24 B an entry, 44 B a context, taken at creation, none later: 35 M entries (840 MB) hold 10 000 devices of
// 3 000 entries each for 28 days (doc/rooms/estimate.md). A full table refuses and counts; nobody's counts are lost for
// it. What nobody showed for BACKOFF_FORGET days (BACKOFF_WINDOW when three quarters are taken) makes room; the sweep
// does that in small bounded steps. Two values that collide in 64 keyed bits are one value: 1 in 10^4 tables of 35 M
// entries has such a pair. A second table fed with numbers of weeks instead of days is the slow baseline. One thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum backoff_limits {
	BACKOFF_LEVELS = 3,           // device, group, organisation
	BACKOFF_WINDOW = 28,          // days counted
	BACKOFF_FORGET = 90,          // days remembered: a monthly job is not news each time
	BACKOFF_NOWHERE = 0xffffffff, // no context
};

struct backoff_config {
	uint32_t entries; // (context, value) pairs; 7/8 of them are used at most
	uint32_t contexts;
	double strength; // θ > 0; 1 is a robust choice
};

struct backoff_level {        // one level's part in an estimate
	uint32_t count;       // c: days on which the device showed it; above: devices that did
	uint32_t customers;   // N
	uint32_t types;       // T
	uint32_t single;      // n1: values held once
	uint32_t twice;       // n2
	uint16_t first, last; // day of first contact and of the last one (above: of the last newcomer); 0 = never
	double discount;      // d
	double p;             // P at this level
};

struct backoff_terms {
	struct backoff_level level[BACKOFF_LEVELS]; // from the context asked upward
	uint32_t levels;
	uint32_t self; // 1: the device asked about is one of those counted above it
	double strength, base;
	double p, bits;
};

struct backoff_stats {
	uint32_t used;      // entries taken
	uint64_t full;      // values refused: no room in the table
	uint64_t over;      // values refused: the context holds as many as it may
	uint64_t forgotten; // entries given free by age
	uint64_t rounds;    // times the sweep has been through the table
};

struct backoff_seen { // one thing a device was seen to show, for snapshots
	uint32_t context;
	uint32_t days; // bit 0 = `last`, bit i = i days before it
	uint64_t value;
	uint16_t first, last, total; // total: days of presence since `first`
};

struct backoff;
struct backoff *backoff_create(const struct backoff_config *config); // NULL with errno EINVAL, ENOMEM
void backoff_destroy(struct backoff *b);

// A new context below `parent` (BACKOFF_NOWHERE: the top). At most BACKOFF_LEVELS deep. `most` bounds the values it
// holds (0: no bound), so that one scanning device cannot take the others' room. BACKOFF_NOWHERE: none left or parent
// unfit.
uint32_t backoff_open(struct backoff *b, uint32_t parent, uint32_t most);
// Gives a context back; a walk over all contexts if some ever stood below it. -EBUSY: it still holds values, or stands
// above another one.
int backoff_close(struct backoff *b, uint32_t context);
// A device is gone: its context's values no longer count, and are shown to nobody, from the time the sweep comes by, which gives the context back with the
// last of them. Until then nothing may ask it. One that holds none is given back at once. -EBUSY: it stands above another one; -EINVAL: it is not open.
int backoff_end(struct backoff *b, uint32_t context);
// Another group for a device's context, under the same organisation. Its values follow as they are touched, the last of
// them with the next round of the sweep. -EBUSY: it is still moving from the last time; -EINVAL.
int backoff_move(struct backoff *b, uint32_t context, uint32_t parent);

// One showing of a value (a hash keyed by whoever owns the words) on a UNIX day by a context nothing stands below. Days
// may come out of order. True: it counted. False: it had counted that day, the day is past the window, or no room
// (counted).
bool backoff_learn(struct backoff *b, uint32_t context, uint64_t value, uint32_t day);
// Brings counts to `today` for at most `entries` places of the table. Call it often enough for a round a day.
void backoff_sweep(struct backoff *b, uint32_t today, uint32_t entries);

// Fetches ahead what backoff_look will read: call it for all of an observation's terms before the first look.
void backoff_prefetch(const struct backoff *b, uint32_t context, uint64_t value);
void backoff_look(const struct backoff *b, uint32_t context, uint64_t value, double base, struct backoff_terms *out);
// The counts alone, for whoever asks no probability: p, bits and discounts stay as they are in *out.
void backoff_counts(const struct backoff *b, uint32_t context, uint64_t value, struct backoff_terms *out);
bool backoff_holds(const struct backoff *b, uint32_t context, uint64_t value); // was it ever shown there?
uint32_t backoff_held(const struct backoff *b, uint32_t context);              // values it holds
double backoff_singles(const struct backoff *b, uint32_t context); // Good and Turing's n1/N; 1 when nothing is known
// Fills in discount, p and bits from counts, strength and base. What explains an alert calls it again.
void backoff_compute(struct backoff_terms *t);
// −log2 of how likely a value at least as unusual as this one was: the tail of the discrete distribution (mid-p:
// Lancaster 1961; for such events Rubin-Delanchy, Heard and Lawson, JASA 2019), from the counts alone. At a level that
// holds the value not at all, the tail is what is left for all that it never held, times the tail above; held once or
// twice, it is that and what stands on values held as seldom, its own class by half; held more often, 1. So it does not
// matter which unknown value it was but how unusual an unknown one is here: a resolver that asks for new names every day
// is not odd for the next.
double backoff_tail_bits(const struct backoff_terms *t);
// How likely the next value is one never seen, at most: Good–Turing's n1/N and the margin of McAllester and Schapire
// (COLT 2000) that holds with probability 1 − delta. 1 when nothing is known. Readiness is its distance from 1.
double backoff_missing(const struct backoff *b, uint32_t context, double delta);

const struct backoff_stats *backoff_stats(const struct backoff *b);
// The next thing some device showed, from *cursor = 0 on; false at the end. Its order is the table's.
bool backoff_next(const struct backoff *b, uint64_t *cursor, struct backoff_seen *out);
// Puts one back into a table that has the same contexts. False: no room, or nonsense.
bool backoff_restore(struct backoff *b, const struct backoff_seen *seen);
