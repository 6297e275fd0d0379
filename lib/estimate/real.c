// SPDX-License-Identifier: GPL-2.0-or-later
// log2 by the series of the inverse hyperbolic tangent, exp2 by Taylor's. Any thread.
#include "real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MANTISSA_BITS = 52, BIAS = 1023, EXP_TERMS = 15 };
#define SQRT2 1.41421356237309504880
#define TWO_OVER_LN2 2.88539008177792681472

double real_log2(double x)
{
	double below = 0, z, square, fourth, eighth, low, middle, high, sum;
	uint64_t bits;
	int exponent;

	if (!(x > 0))
		return REAL_LOG2_OF_NOTHING;
	if (x > 1.7976931348623157e308)
		return 1024;
	if (x < 2.2250738585072014e-308) { // subnormal
		x *= 18014398509481984.0;  // 2^54
		below = 54;
	}
	memcpy(&bits, &x, sizeof(bits));
	exponent = (int)(bits >> MANTISSA_BITS) - BIAS;
	bits = (bits & ((1ull << MANTISSA_BITS) - 1)) | (uint64_t)BIAS << MANTISSA_BITS;
	memcpy(&x, &bits, sizeof(x));
	if (x > SQRT2) {
		x *= 0.5;
		exponent++;
	}
	z = (x - 1) / (x + 1);
	square = z * z;
	// In pairs (Estrin): the twelve terms do not wait for each other.
	fourth = square * square;
	eighth = fourth * fourth;
	low = (1.0 + square * (1.0 / 3)) + fourth * (1.0 / 5 + square * (1.0 / 7));
	middle = (1.0 / 9 + square * (1.0 / 11)) + fourth * (1.0 / 13 + square * (1.0 / 15));
	high = (1.0 / 17 + square * (1.0 / 19)) + fourth * (1.0 / 21 + square * (1.0 / 23));
	sum = low + eighth * (middle + eighth * high);
	return ((double)exponent - below) + z * sum * TWO_OVER_LN2;
}

static double power_of_two(int n) // -1022 … 1023
{
	uint64_t bits = (uint64_t)(n + BIAS) << MANTISSA_BITS;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

double real_exp2(double x)
{
	double t, sum = 1;
	int n;

	if (!(x > -1074.5))
		return 0;
	if (x >= 1024)
		return INFINITY;
	n = (int)(x < 0 ? x - 0.5 : x + 0.5);
	t = (x - (double)n) * REAL_LN2;
	for (int k = EXP_TERMS; k >= 1; k--)
		sum = sum * t / (double)k + 1;
	if (n > 1023)
		return sum * power_of_two(1023) * 2;
	return n < -1022 ? sum * power_of_two(n + 54) * power_of_two(-54) : sum * power_of_two(n);
}

double real_sqrt(double x)
{
	return x > 0 ? sqrt(x) : 0; // correctly rounded by IEEE 754: the library cannot differ
}
