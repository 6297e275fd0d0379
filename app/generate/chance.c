// SPDX-License-Identifier: GPL-2.0-or-later
// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#include "chance.h"

#include <endian.h>
#include <string.h>

uint64_t chance_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + 0x9e3779b97f4a7c15ull * (b + 1);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

struct chance chance_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
	return (struct chance){chance_mix(chance_mix(chance_mix(seed, a), b), c)};
}

uint64_t chance_next(struct chance *c)
{
	c->state += 0x9e3779b97f4a7c15ull;
	return chance_mix(c->state, 0);
}

uint32_t chance_below(struct chance *c, uint32_t n)
{
	return (uint32_t)((chance_next(c) >> 32) * n >> 32);
}

uint64_t chance_between(struct chance *c, uint64_t low, uint64_t high)
{
	return low + chance_next(c) % (high - low + 1);
}

uint32_t chance_skewed(struct chance *c, uint32_t n)
{
	uint64_t u = chance_next(c) >> 48;

	return (uint32_t)((u * u * u >> 16) * n >> 32);
}

bool chance_percent(struct chance *c, uint32_t percent)
{
	return chance_below(c, 100) < percent;
}

uint64_t chance_of_day(struct chance *c, const uint8_t hours[24], uint64_t hour)
{
	uint32_t sum = 0, at = 0;

	for (int i = 0; i < 24; i++)
		sum += hours[i];
	sum = chance_below(c, sum);
	while (sum >= hours[at])
		sum -= hours[at++];
	return at * hour + chance_between(c, 0, hour - 1);
}

void chance_fill(struct chance *c, void *out, size_t n)
{
	uint8_t *at = out;

	while (n) {
		uint64_t word = htole64(chance_next(c));
		size_t part = n < sizeof(word) ? n : sizeof(word);

		memcpy(at, &word, part);
		at += part;
		n -= part;
	}
}
