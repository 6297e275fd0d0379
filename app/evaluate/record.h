// SPDX-License-Identifier: GPL-2.0-or-later
// What a run says, as JSON lines on standard output; times are seconds since the first midnight, -1 where there is none.
#pragma once
#include "proof.h"

struct record_place {
	unsigned chain, place, mode;
	uint16_t attack;
	uint64_t at_ns, cut_before; // ordinary conversations cut before it began
	const char *kind;           // "place", "slow" or "cold"
};

void record_run(const struct lab *l, uint64_t seed);
void record_day(const struct lab *l, uint64_t seed, uint32_t day);
void record_alert(const struct lab *l, const char *kind, const struct alert *a);
void record_incidents(const struct lab *l, uint64_t seed);
void record_place(const struct lab *l, uint64_t seed, const struct record_place *p);
void record_proof(const struct lab *l, uint64_t seed, const struct proof *p);
void record_cost(const struct lab *l, uint64_t seed, double seconds, double stream_ns);
