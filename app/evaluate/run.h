// SPDX-License-Identifier: GPL-2.0-or-later
// The passes an evaluation is made of. Each prints its lines (record.h) and nothing else.
#pragma once
#include "lab.h"

#define RUN_DAY_NS (86400ull * 1000000000ull)

enum run_limits { RUN_CHAINS = 64, RUN_MODES = 4 };

struct run_plan {
	struct lab_plan lab;
	uint64_t seed;
	unsigned places; // of each chain, spread over the days after training
	unsigned cold;   // of each chain of up to six hours at each of days 1, 3 and 7
	bool chain[RUN_CHAINS];
	bool mode[RUN_MODES]; // in which each is placed
};

// Ordinary days from first to last. At each place the process forks: the copy gets an attack and goes on until it is over and
// an hour longer; the run itself never sees one.
void run_days(const struct run_plan *p);
// All places of one long chain in one pass, in the mode of the plan, on devices of their own as far as there are enough.
void run_slow(const struct run_plan *p, unsigned chain);
// The stream alone, to tell what it costs.
void run_stream(const struct run_plan *p);
