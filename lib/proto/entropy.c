// SPDX-License-Identifier: GPL-2.0-or-later
// Shannon's entropy of a few bytes, in whole numbers: the wire's records are the same on every machine. Pure.
#include "proto_impl.h"

enum { FRACTION_BITS = 16 };

// log2 of x >= 1, times 2^16.
static uint32_t log2_fixed(uint32_t x)
{
	unsigned whole = 31 - (unsigned)__builtin_clz(x);
	uint64_t y = (uint64_t)x << (31 - whole); // 1.0 <= y < 2.0, with 31 bits behind the point
	uint32_t out = whole;

	for (unsigned i = 0; i < FRACTION_BITS; i++) {
		y = y * y >> 31;
		out = out << 1 | (y >> 32 != 0);
		if (y >> 32)
			y >>= 1;
	}
	return out;
}

unsigned entropy_of(struct bytes b)
{
	uint32_t count[256] = {0};
	uint64_t sum = 0;
	uint32_t n;
	uint8_t c;

	b = bytes_head(b, ENTROPY_BYTES);
	n = (uint32_t)b.left;
	while (bytes_read_u8(&b, &c))
		count[c]++;
	for (unsigned i = 0; i < 256; i++)
		if (count[i] > 1)
			sum += (uint64_t)count[i] * log2_fixed(count[i]);
	return n < 2 ? 0 : (unsigned)((100 * (log2_fixed(n) - sum / n) + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS);
}
