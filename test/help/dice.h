// SPDX-License-Identifier: GPL-2.0-or-later
// Random numbers that are the same on every run, and draws from the distributions the estimators are tried on. The C
// library's mathematics is good enough here: nothing is compared to the last digit. Header-only; tests only.
#pragma once
#include <math.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_word(struct dice *d)
{
	uint64_t x = d->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline double dice_unit(struct dice *d) // (0, 1)
{
	return ((double)(dice_word(d) >> 11) + 0.5) * 0x1p-53;
}

static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
	return (uint32_t)((dice_word(d) >> 32) * n >> 32);
}

static inline double dice_exponential(struct dice *d)
{
	return -log(dice_unit(d));
}

static inline double dice_normal(struct dice *d)
{
	double u = dice_unit(d), v = dice_unit(d);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static inline double dice_pareto(struct dice *d, double shape) // generalised, scale 1
{
	return (pow(dice_unit(d), -shape) - 1) / shape;
}

static inline uint32_t dice_zipf(struct dice *d, uint32_t n) // about 1/k, 0 … n-1
{
	return (uint32_t)(pow((double)n + 1, dice_unit(d)) - 1);
}
