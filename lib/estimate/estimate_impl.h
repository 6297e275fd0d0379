// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share: spreading and placing of hashes. No state.
#pragma once
#include <stdint.h>

static inline uint64_t mix64(uint64_t x) // finaliser of SplitMix64 (Steele, Lea, Flood 2014)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

// A hash to a place below n, without division and for any n (Lemire 2019).
static inline uint32_t place_of(uint64_t hash, uint32_t n)
{
	return (uint32_t)((hash >> 32) * n >> 32);
}
