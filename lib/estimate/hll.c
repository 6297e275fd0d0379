// SPDX-License-Identifier: GPL-2.0-or-later
// HyperLogLog that keeps the multiplicities of its ranks as it goes, so that estimating is a walk over 60 numbers. One
// thread.
#include "hll.h"

#include "real.h"

#include <string.h>

enum { STEPS_MOST = 64 };           // σ and τ double their exponent each step: they end long before
#define MOST 18446744073709551616.0 // there are no more hashes
#define HALF_OVER_LN2 0.72134752044448170368

void hll_clear(struct hll *h, unsigned p)
{
	memset(h, 0, hll_bytes(p));
	h->bits = (uint8_t)p;
	h->registers[0] = (uint16_t)(1u << p);
}

static bool raise_to(struct hll *h, uint32_t at, uint8_t rank)
{
	if (rank <= h->rank[at])
		return false;
	h->registers[h->rank[at]]--;
	h->registers[rank]++;
	h->rank[at] = rank;
	return true;
}

bool hll_add(struct hll *h, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> (64 - h->bits));
	uint64_t rest = hash << h->bits | 1ull << (h->bits - 1); // the set bit ends it: at most 65 − p

	return raise_to(h, at, (uint8_t)(__builtin_clzll(rest) + 1));
}

bool hll_merge(struct hll *into, const struct hll *from)
{
	if (into->bits != from->bits)
		return false;
	for (uint32_t i = 0; i < 1u << into->bits; i++)
		raise_to(into, i, from->rank[i]);
	return true;
}

bool hll_check(const struct hll *h, size_t bytes)
{
	uint16_t registers[HLL_RANKS] = {0};

	if (bytes < sizeof(*h) || h->bits < HLL_LEAST_BITS || h->bits > HLL_MOST_BITS || bytes != hll_bytes(h->bits))
		return false;
	for (uint32_t i = 0; i < 1u << h->bits; i++) {
		if (h->rank[i] > 65 - h->bits)
			return false;
		registers[h->rank[i]]++;
	}
	return memcmp(registers, h->registers, sizeof(registers)) == 0;
}

static double sigma(double x)
{
	double y = 1, z = x, before = -1;

	for (int i = 0; i < STEPS_MOST && z > before; i++) {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	}
	return z;
}

static double tau(double x)
{
	double y = 1, z = 1 - x, before = 2;

	if (x <= 0 || x >= 1)
		return 0;
	for (int i = 0; i < STEPS_MOST && z < before; i++) {
		x = real_sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	}
	return z / 3;
}

double hll_estimate(const struct hll *h)
{
	double m = (double)(1u << h->bits), z;
	int last = 65 - h->bits;

	if (h->registers[0] == 1u << h->bits)
		return 0;
	z = m * tau(1 - (double)h->registers[last] / m);
	for (int k = last - 1; k >= 1; k--)
		z = 0.5 * (z + (double)h->registers[k]);
	z += m * sigma((double)h->registers[0] / m);
	z = HALF_OVER_LN2 * m * m / z;
	return z < MOST ? z : MOST;
}
