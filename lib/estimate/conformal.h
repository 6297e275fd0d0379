// SPDX-License-Identifier: GPL-2.0-or-later
// How unusual is this score among the scores of late? Conformal p-value against a sample of past scores of the same
// role and kind of event (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005; mid-p for discrete
// scores: Rubin-Delanchy, Heard, Lawson, JASA 2019):
//
//	p = (above + equal/2 + 1/2) / (n + 1)        above, equal: how many of the n past scores are larger, the same
//
// Ties are broken by halves and not by chance: the same score always has the same p. Error: when the new score and the
// n are exchangeable, P(p ≤ a) ≤ a + 1/(2(n + 1)) without ties, E[p] = 1/2 always; with ties mid-p may exceed a, by no
// more than half the tie's share.
//
// The sample has a fixed size. One that grew would make ever smaller p attainable, and the rate of alarms drift with
// it. It is an exponentially biased reservoir (Aggarwal, VLDB 2006): scores are admitted at a rate at which half of the
// sample is replaced per half-life, each replacing one at random; the chances are hashes of a count and a seed, so a
// replay makes the same. The rate follows the last seven days, so an hour of noise cannot fill the sample: at most
// three days' worth enters in a day. Beyond the sample a generalised Pareto tail (gpd.h) fitted once a day to its upper
// twentieth continues p, marked as extrapolated.
//
// Scores are bits, kept to 1/64 from 0 to 160: 41 KiB and 2 B a score, none after creation. p costs ≈ 30 ns. One
// thread.
#pragma once
#include "gpd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conformal_limits { CONFORMAL_PER_BIT = 64, CONFORMAL_BITS = 160, CONFORMAL_FEWEST = 100 /* for a p at all */ };

struct conformal_p {  // all that made it: conformal_compute makes p and bits of the rest again, to the last digit
	double score; // as it was compared: rounded to the middle of its 1/64
	uint32_t above, equal, held;
	uint32_t extrapolated;
	struct gpd tail;
	double p, bits;
};

struct conformal;
// size: scores kept, 100 … 65 535. half_life: days. NULL with errno EINVAL, ENOMEM.
struct conformal *conformal_create(uint32_t size, uint32_t half_life, uint64_t seed);
void conformal_destroy(struct conformal *c);
void conformal_add(struct conformal *c, double score); // an ordinary event's; not those that alarmed
void conformal_end_day(struct conformal *c);
// False: fewer than CONFORMAL_FEWEST to compare with; p is then 1.
bool conformal_look(const struct conformal *c, double score, struct conformal_p *out);
void conformal_compute(struct conformal_p *p);
uint32_t conformal_held(const struct conformal *c);

// An image of all it holds, for a restart: numbers in network order, no pointers, no padding, and one form for one
// state. The caller provides the memory. 2 B a score and 112 B.
size_t conformal_image_bytes(const struct conformal *c); // of its image now
void conformal_image(const struct conformal *c, uint8_t *out);
// Into one created with the same configuration; what it held goes. From then on it answers and changes as the one the
// image is of, to the last bit. False: not an image, damaged, or of another configuration; it is as newly created.
bool conformal_restore(struct conformal *c, const uint8_t *image, size_t n);
