// SPDX-License-Identifier: GPL-2.0-or-later
// Quantiles, tails and cardinalities against sorted arrays and known distributions. Included by estimate_test.c.
#pragma once
#include "ddsketch.h"
#include "gpd.h"
#include "hll.h"

static int by_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void check_quantiles(const struct ddsketch *s, uint64_t *x, uint32_t n, double from)
{
	qsort(x, n, sizeof(*x), by_u64);
	for (double q = from; q <= 1; q += 0.01) {
		double exact = (double)x[(uint64_t)(q * (double)(n - 1))];

		ck_assert_double_eq_tol(ddsketch_quantile(s, q), exact, exact * (DDSKETCH_ALPHA + 1e-9) + 1e-9);
	}
}

START_TEST(ddsketch_is_within_one_percent_and_merges)
{
	enum { N = 20000, BINS = 1400 };
	struct ddsketch *part[3], *all = malloc(ddsketch_bytes(BINS));
	static uint64_t x[N];
	struct dice d = {21};

	ddsketch_clear(all, BINS);
	for (int i = 0; i < 3; i++)
		ddsketch_clear(part[i] = malloc(ddsketch_bytes(BINS)), BINS);
	for (uint32_t i = 0; i < N; i++) {
		x[i] = i % 50 == 0 ? 0 : (uint64_t)exp(8 + 3 * dice_normal(&d));
		ddsketch_add(all, x[i], 1);
		ddsketch_add(part[dice_below(&d, 2)], x[i], 1);
	}
	check_quantiles(all, x, N, 0);
	ck_assert_uint_eq(all->collapsed, 0);
	ddsketch_merge(part[2], part[1]);
	ddsketch_merge(part[2], part[0]);
	for (double q = 0; q <= 1; q += 0.001)
		ck_assert(ddsketch_quantile(part[2], q) == ddsketch_quantile(all, q));
	ddsketch_halve(all);
	ck_assert_uint_ge(all->count, N / 2 - 1);
	ck_assert_uint_le(all->count, N / 2);
	for (double q = 0.02; q < 1; q += 0.02)
		ck_assert_double_eq_tol(ddsketch_quantile(all, q), ddsketch_quantile(part[2], q),
					ddsketch_quantile(part[2], q) * 0.045 + 1e-9);
	for (int i = 0; i < 3; i++)
		free(part[i]);
	free(all);
}
END_TEST

START_TEST(ddsketch_keeps_the_upper_quantiles_when_it_collapses)
{
	enum { N = 20000, BINS = 256 };
	struct ddsketch *s = malloc(ddsketch_bytes(BINS));
	uint64_t above, equal, n = 0;
	static uint64_t x[N];
	struct dice d = {22};

	ddsketch_clear(s, BINS);
	ck_assert_double_eq(ddsketch_quantile(s, 0.5), 0);
	for (uint32_t i = 0; i < N; i++)
		ddsketch_add(s, x[i] = (uint64_t)exp(30 * dice_unit(&d)), 1);
	ck_assert_uint_gt(s->collapsed, 0);
	check_quantiles(s, x, N, 0.85); // e^5 of e^30 are left
	for (uint32_t i = 0; i < s->bins; i++)
		n += s->bin[i];
	ck_assert_uint_eq(n + s->zeros, N);
	ddsketch_rank(s, 1, &above, &equal);
	ck_assert_uint_eq(above + equal, N);
	ddsketch_rank(s, UINT64_MAX, &above, &equal);
	ck_assert_uint_eq(above + equal, 0);
	ddsketch_rank(s, x[N - 100], &above, &equal);
	ck_assert_uint_le(above, 100);
	ck_assert_uint_ge(above + equal, 100);
	ddsketch_add(s, UINT64_MAX, 1);
	ddsketch_add(s, 0, 1);
	ddsketch_rank(s, 0, &above, &equal);
	ck_assert_uint_eq(above, N + 1);
	ck_assert_uint_eq(equal, 1);
	free(s);
}
END_TEST

START_TEST(gpd_finds_shape_and_scale)
{
	static const double shapes[] = {-0.3, 0.0, 0.2, 0.5, 0.9, 1.2};
	enum { TIMES = 400 };
	struct dice d = {23};

	for (unsigned k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
		double bias = 0, square = 0, scale = 0, gamma = shapes[k], over = 0, under = 0,
		       sd = (1 + fmax(gamma, 0)) / 16;

		for (int t = 0; t < TIMES; t++) {
			double x[GPD_MOST], far, exact, error;
			struct gpd g = {.above = 20, .total = 1000};

			for (uint32_t i = 0; i < GPD_MOST; i++)
				x[i] = 1000 * (gamma == 0 ? dice_exponential(&d) : dice_pareto(&d, gamma));
			ck_assert(gpd_fit(x, GPD_MOST, &g));
			bias += (g.shape - gamma) / TIMES;
			square += (g.shape - gamma) * (g.shape - gamma) / TIMES;
			scale += g.scale / TIMES;
			// ten times rarer than the sample's largest
			exact = log2(1000.0 / 20) + log2(10.0 * GPD_MOST);
			far = 1000 * (gamma == 0 ? log(10.0 * GPD_MOST) : (pow(10.0 * GPD_MOST, gamma) - 1) / gamma);
			error = gpd_bits(&g, far) - exact;
			over += error > 3;
			under -= error / TIMES;
		}
		if (getenv("SEKIMORI_TIMING"))
			printf("  gpd: shape %4.1f: > 3 bits too high in %4.1f %%, mean %4.1f too low\n", gamma,
			       100 * over / TIMES, under);
		ck_assert_double_le(over / TIMES, 0.01);
		if (gamma < 0) { // a bounded tail is taken for an exponential one
			ck_assert_double_eq_tol(scale, 1000 / (1 - gamma), 20);
			continue;
		}
		ck_assert_double_le(under, 3);
		ck_assert_double_eq_tol(bias, sd, 0.04);
		ck_assert_double_le(sqrt(square - bias * bias), 1.2 * sd);
		ck_assert_double_eq_tol(scale, 1000, 40);
	}
}
END_TEST

START_TEST(gpd_tail_continues_the_sketch)
{
	struct ddsketch *s = malloc(ddsketch_bytes(1400));
	static struct gpd_tail tail;
	struct gpd g, none = {0};
	struct dice d = {24};
	bool extrapolated;
	double last = 0;

	ddsketch_clear(s, 1400);
	for (uint32_t i = 0; i < 5000; i++)
		ddsketch_add(s, (uint64_t)(1e4 * dice_pareto(&d, 0.4)), 1);
	gpd_tail_clear(&tail, ddsketch_quantile(s, 0.98));
	ck_assert(!gpd_tail_fit(&tail, s, &g));
	for (uint32_t i = 0; i < 10000; i++) {
		uint64_t x = (uint64_t)(1e4 * dice_pareto(&d, 0.4));

		ddsketch_add(s, x, 1);
		gpd_tail_add(&tail, x);
	}
	ck_assert(gpd_tail_fit(&tail, s, &g));
	for (double x = 100; x < 1e12; x *= 1.3) {
		double exact = log2(1 + 0.4 * x / 1e4) / 0.4, bits = gpd_surprise(s, &g, (uint64_t)x, &extrapolated);

		ck_assert_double_ge(bits, last - 0.1); // it does not fall at the seam
		if (exact < 14)
			ck_assert_double_eq_tol(bits, exact, fmax(0.1, exact * 0.1));
		ck_assert_double_le(gpd_surprise(s, &none, (uint64_t)x, &extrapolated), log2(2 * (15000 + 1)));
		ck_assert(!extrapolated);
		last = bits;
	}
	g = (struct gpd){.threshold = 10, .shape = 0, .scale = 1, .above = 1, .total = 100};
	ck_assert_double_eq(gpd_bits(&g, 1000), GPD_MOST_BITS);
	ck_assert_double_eq(gpd_bits(&g, 10), 0);
	free(s);
}
END_TEST

START_TEST(hll_is_within_its_error_at_every_size_and_merges)
{
	enum { P = 10 };
	struct hll *a = malloc(hll_bytes(P)), *b = malloc(hll_bytes(P)), *all = malloc(hll_bytes(P));
	double error[7] = {0};
	struct dice d = {25};
	enum { TIMES = 60 };

	for (int t = 0; t < TIMES; t++) {
		uint32_t wanted = 1, k = 0;

		hll_clear(a, P);
		hll_clear(b, P);
		hll_clear(all, P);
		ck_assert_double_eq(hll_estimate(all), 0);
		for (uint32_t n = 1; n <= 100000; n++) {
			uint64_t hash = dice_word(&d);

			hll_add(all, hash);
			hll_add(n & 1 ? a : b, hash);
			if (n % 3 == 0)
				ck_assert(!hll_add(all, hash));
			if (n == wanted || n == 100000) {
				error[k++] += pow(hll_estimate(all) / n - 1, 2);
				wanted *= 10;
			}
		}
		ck_assert(hll_merge(a, b));
		ck_assert(hll_estimate(a) == hll_estimate(all));
	}
	for (int k = 0; k < 6; k++) // of a mean square over 60 runs: ± 20 %
		ck_assert_double_le(sqrt(error[k] / TIMES), k < 3 ? 0.03 : 1.04 / 32 * 1.2);
	hll_clear(b, P - 1);
	ck_assert(!hll_merge(a, b));
	hll_clear(a, P);
	for (uint64_t i = 0; i < 1 << P; i++) // the most any hashes can claim
		hll_add(a, i << (64 - P));
	ck_assert_double_eq(hll_estimate(a), 0x1p64);
	free(a);
	free(b);
	free(all);
}
END_TEST

START_TEST(sketch_cost)
{
	struct ddsketch *s = malloc(ddsketch_bytes(512));
	struct hll *h = malloc(hll_bytes(10));
	double x[GPD_MOST], sum = 0, begun = now_ns();
	struct dice d = {26};
	struct gpd g = {.above = 1, .total = 100};

	ddsketch_clear(s, 512);
	hll_clear(h, 10);
	for (uint32_t i = 0; i < 1000000; i++)
		ddsketch_add(s, dice_word(&d) >> 40, 1);
	tell_time("ddsketch: add", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 100000; i++) {
		bool extrapolated;

		sum += gpd_surprise(s, NULL, dice_word(&d) >> 40, &extrapolated);
	}
	tell_time("ddsketch: surprise", now_ns() - begun, 1e5);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++)
		sum += hll_add(h, dice_word(&d));
	tell_time("hll: add", now_ns() - begun, 1e6);
	begun = now_ns();
	for (uint32_t i = 0; i < 100000; i++) {
		hll_add(h, dice_word(&d));
		sum += hll_estimate(h);
	}
	tell_time("hll: estimate", now_ns() - begun, 1e5);
	begun = now_ns();
	for (uint32_t t = 0; t < 100; t++) {
		for (uint32_t i = 0; i < GPD_MOST; i++)
			x[i] = dice_pareto(&d, 0.3);
		gpd_fit(x, GPD_MOST, &g);
	}
	tell_time("gpd: fit to 256", now_ns() - begun, 100);
	begun = now_ns();
	for (uint32_t i = 0; i < 1000000; i++)
		sum += gpd_bits(&g, (double)(i & 1023) * 0.02);
	tell_time("gpd: bits", now_ns() - begun, 1e6);
	ck_assert_double_gt(sum, 0);
	free(s);
	free(h);
}
END_TEST

static TCase *sketch_cases(void)
{
	TCase *tc = tcase_create("sketch");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, ddsketch_is_within_one_percent_and_merges);
	tcase_add_test(tc, ddsketch_keeps_the_upper_quantiles_when_it_collapses);
	tcase_add_test(tc, gpd_finds_shape_and_scale);
	tcase_add_test(tc, gpd_tail_continues_the_sketch);
	tcase_add_test(tc, hll_is_within_its_error_at_every_size_and_merges);
	tcase_add_test(tc, sketch_cost);
	return tc;
}
