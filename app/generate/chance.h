// SPDX-License-Identifier: GPL-2.0-or-later
// Chance that can be repeated: the same seed gives the same numbers on every machine (integers only, no libm).
// Every activity draws from its own stream, so that adding one kind of traffic does not shift all the others.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

struct chance chance_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
// One number out of two: for properties that follow from an address or a name.
uint64_t chance_mix(uint64_t a, uint64_t b);
uint64_t chance_next(struct chance *c);
uint32_t chance_below(struct chance *c, uint32_t n);                    // 0..n-1; 0 where n is 0
uint64_t chance_between(struct chance *c, uint64_t low, uint64_t high); // both ends included
uint32_t chance_skewed(struct chance *c, uint32_t n); // 0..n-1, small numbers much more often (a popularity)
bool chance_percent(struct chance *c, uint32_t percent);
// A time of day, by what each hour weighs; `hour`: how long one is.
uint64_t chance_of_day(struct chance *c, const uint8_t hours[24], uint64_t hour);
void chance_fill(struct chance *c, void *out, size_t n);
