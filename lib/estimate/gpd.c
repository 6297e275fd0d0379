// SPDX-License-Identifier: GPL-2.0-or-later
// The generalised Pareto tail. One thread.
#include "gpd.h"

#include "real.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 20, GRID_MOST = GRID + 16 }; // √GPD_MOST = 16
#define NEARLY_EXPONENTIAL 1e-9
#define BEYOND_U64 18446744073709551616.0
#define LEAST_EXCESS 0x1p-53 // of a whole number over a double below it

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double mean_log(const double *x, uint32_t n, double theta) // mean of ln(1 − θx)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += real_log2(1 - theta * x[i]);
	return sum * REAL_LN2 / (double)n;
}

// θ = −γ/σ as the mean over the grid, weighed by the profile likelihood.
static double theta_of(const double *x, uint32_t n)
{
	double theta[GRID_MOST], likelihood[GRID_MOST], sum = 0, weights = 0, best;
	double quartile = x[(uint32_t)((double)n / 4 + 0.5) - 1];
	uint32_t grid = GRID + (uint32_t)real_sqrt((double)n);

	for (uint32_t j = 0; j < grid; j++) {
		double k;

		theta[j] = 1 / x[n - 1] + (1 - real_sqrt((double)grid / ((double)j + 0.5))) / (3 * quartile);
		k = mean_log(x, n, theta[j]); // the shape, were this θ the right one
		likelihood[j] = (double)n * ((real_log2(-theta[j] / k)) * REAL_LN2 - k - 1);
	}
	best = likelihood[0];
	for (uint32_t j = 1; j < grid; j++)
		best = likelihood[j] > best ? likelihood[j] : best;
	for (uint32_t j = 0; j < grid; j++) {
		double weight = real_exp2((likelihood[j] - best) / REAL_LN2);

		weights += weight;
		sum += weight * theta[j];
	}
	return sum / weights;
}

static double mean(const double *x, uint32_t n)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

bool gpd_fit(double *excess, uint32_t n, struct gpd *out)
{
	double theta;

	out->shape = out->scale = 0;
	if (n < GPD_FEWEST || n > GPD_MOST)
		return false;
	qsort(excess, n, sizeof(*excess), by_size);
	// The grid divides by the first quartile: what ties with the threshold counts as next to it.
	for (uint32_t i = 0; i < n; i++)
		if (excess[i] < excess[n - 1] * 1e-9)
			excess[i] = excess[n - 1] * 1e-9;
	if (!(excess[n - 1] > 0) || excess[0] == excess[n - 1])
		return false;
	theta = theta_of(excess, n);
	out->shape = mean_log(excess, n, theta);
	out->scale = -out->shape / theta;
	// Nearly exponential, or bounded: the end of a bounded tail would be no more than a guess from 256 values, and
	// whatever lies beyond it infinitely surprising.
	if (theta > -NEARLY_EXPONENTIAL / excess[n - 1])
		*out = (struct gpd){out->threshold, 0, mean(excess, n), out->above, out->total};
	out->shape += (1 + out->shape) / real_sqrt((double)n); // its standard deviation
	if (out->scale > 0)
		return true;
	out->shape = out->scale = 0;
	return false;
}

bool gpd_check(const struct gpd *g)
{
	bool unfitted = g->scale == 0 && g->shape == 0; // a comparison with what is no number is false

	return g->threshold >= 0 && g->threshold < BEYOND_U64 && g->above <= g->total &&
	       (unfitted || (g->scale > 0 && g->scale <= DBL_MAX && g->shape > 0 && g->shape <= DBL_MAX));
}

double gpd_bits(const struct gpd *g, double x)
{
	double bits, far;

	if (!(g->scale > 0) || g->above == 0 || !(x > g->threshold))
		return 0;
	bits = real_log2((double)g->total) - real_log2((double)g->above);
	far = (x - g->threshold) / g->scale;
	bits += g->shape > NEARLY_EXPONENTIAL ? real_log2(1 + g->shape * far) / g->shape : far / REAL_LN2;
	return bits < GPD_MOST_BITS ? bits : GPD_MOST_BITS;
}

void gpd_tail_clear(struct gpd_tail *t, double threshold)
{
	memset(t, 0, sizeof(*t));
	t->threshold = threshold;
}

void gpd_tail_add(struct gpd_tail *t, uint64_t x)
{
	if (!((double)x > t->threshold))
		return;
	t->excess[t->next] = (double)x - t->threshold;
	t->next = (t->next + 1) % GPD_MOST;
	t->held += t->held < GPD_MOST;
}

bool gpd_tail_check(const struct gpd_tail *t)
{
	if (t->held > GPD_MOST || t->next >= GPD_MOST || (t->held < GPD_MOST && t->next != t->held) ||
	    !(t->threshold >= 0 && t->threshold < BEYOND_U64))
		return false;
	for (uint32_t i = 0; i < t->held; i++)
		if (!(t->excess[i] >= LEAST_EXCESS && t->excess[i] <= BEYOND_U64))
			return false;
	return true;
}

bool gpd_tail_fit(const struct gpd_tail *t, const struct ddsketch *s, struct gpd *out)
{
	uint64_t equal;
	double scratch[GPD_MOST];

	memcpy(scratch, t->excess, t->held * sizeof(*scratch));
	out->threshold = t->threshold;
	out->total = s->count;
	ddsketch_rank(s, (uint64_t)t->threshold, &out->above, &equal);
	if (out->above == 0)
		out->above = 1;
	if (out->total < out->above) // a sketch that has aged to nothing
		out->total = out->above;
	return gpd_fit(scratch, t->held, out);
}

double gpd_surprise(const struct ddsketch *s, const struct gpd *g, uint64_t x, bool *extrapolated)
{
	uint64_t above, equal;

	*extrapolated = g && g->scale > 0 && (double)x > g->threshold;
	if (*extrapolated)
		return gpd_bits(g, (double)x);
	ddsketch_rank(s, x, &above, &equal);
	return real_log2((double)s->count + 1) - real_log2((double)above + 0.5 * (double)equal + 0.5);
}
