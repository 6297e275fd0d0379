// SPDX-License-Identifier: GPL-2.0-or-later
// One placement of an attack in a copy of the process.
#pragma once
#include "record.h"

// Forks, runs the attack to its end and an hour on in the copy, which prints its line and ends. Waits for it.
void place_attack(struct lab *l, uint64_t seed, const char *kind, unsigned chain, unsigned place, unsigned mode);
// The same seed of an attack for the same run, chain and place, whatever the mode; consecutive places meet different devices.
uint64_t place_seed(uint64_t seed, unsigned chain, unsigned place);
