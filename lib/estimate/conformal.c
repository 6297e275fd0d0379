// SPDX-License-Identifier: GPL-2.0-or-later
// Conformal p-values from a reservoir and a binary indexed tree of its scores (Fenwick 1994). One thread.
#include "conformal.h"

#include "estimate_impl.h"
#include "image_impl.h"
#include "real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BINS = CONFORMAL_BITS * CONFORMAL_PER_BIT,
	WEEK = 7,
	RUSH = 3,          // days' worth that may enter in one
	TAIL_SHARE = 20,   // one in so many makes the tail
	TOP = 1 << 13,     // the highest power of two in BINS
	MARK = 0x434f4e31, // of its image: CON1
	MOST_DAYS = 1 << 20,
};

struct conformal {
	uint32_t size, held, quota; // quota: admitted in a usual day
	uint32_t today, admitted;   // scores seen and taken today
	uint32_t seen[WEEK], days;
	uint64_t seed, sequence;
	struct gpd tail;
	uint32_t tree[BINS + 1]; // tree[i]: scores in the bins (i − lowbit(i)) … i − 1
	uint16_t sample[];       // bins
};

struct conformal *conformal_create(uint32_t size, uint32_t half_life, uint64_t seed)
{
	struct conformal *c;

	if (size < CONFORMAL_FEWEST || size > UINT16_MAX || half_life == 0) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c) + size * sizeof(*c->sample));
	if (!c)
		return NULL;
	c->size = size;
	c->seed = seed;
	c->quota = (uint32_t)((double)size * REAL_LN2 / (double)half_life) + 1; // e^(−quota/size) = 2^(−1/half_life)
	return c;
}

void conformal_destroy(struct conformal *c)
{
	free(c);
}

uint32_t conformal_held(const struct conformal *c)
{
	return c->held;
}

static uint32_t bin_of(double score)
{
	double place = score * CONFORMAL_PER_BIT;

	return !(place > 0) ? 0 : place >= BINS ? BINS - 1 : (uint32_t)place;
}

static double middle_of(uint32_t bin)
{
	return ((double)bin + 0.5) / CONFORMAL_PER_BIT;
}

static void tree_add(struct conformal *c, uint32_t bin, uint32_t by) // by: 1, or −1 in the arithmetic of the type
{
	for (uint32_t i = bin + 1; i <= BINS; i += i & -i)
		c->tree[i] += by;
}

static uint32_t tree_below(const struct conformal *c, uint32_t bin) // scores in the bins before it
{
	uint32_t n = 0;

	for (uint32_t i = bin; i; i &= i - 1)
		n += c->tree[i];
	return n;
}

static uint32_t tree_find(const struct conformal *c, uint32_t rank) // the bin of the score with `rank` before it
{
	uint32_t at = 0;

	for (uint32_t step = TOP; step; step /= 2)
		if (at + step <= BINS && c->tree[at + step] <= rank) {
			at += step;
			rank -= c->tree[at];
		}
	return at;
}

// How many scores a usual day brings, by the last seven.
static uint32_t usual(const struct conformal *c)
{
	uint32_t n = c->days < WEEK ? c->days : WEEK;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += c->seen[i];
	return n ? (uint32_t)(sum / n) : 0;
}

static bool is_admitted(struct conformal *c)
{
	uint64_t chance = mix64(c->seed + ++c->sequence * 0x9e3779b97f4a7c15ull);
	uint32_t expected = usual(c);

	c->today += c->today < UINT32_MAX;
	if (c->held < c->size)
		return true;
	if (c->days == 0) // the first day: every score of it with the same chance
		return place_of(chance, c->today) < c->size;
	if (c->admitted >= RUSH * c->quota)
		return false;
	return expected <= c->quota || place_of(chance, expected) < c->quota;
}

void conformal_add(struct conformal *c, double score)
{
	uint32_t bin = bin_of(score), slot;

	if (!is_admitted(c))
		return;
	c->admitted++;
	if (c->held < c->size) {
		slot = c->held++;
	} else {
		slot = place_of(mix64(~c->seed + c->sequence * 0xd1b54a32d192ed03ull), c->size);
		tree_add(c, c->sample[slot], UINT32_MAX);
	}
	c->sample[slot] = (uint16_t)bin;
	tree_add(c, bin, 1);
}

static void fit_tail(struct conformal *c)
{
	double excess[GPD_MOST];
	uint32_t n = c->held / TAIL_SHARE < GPD_MOST ? c->held / TAIL_SHARE : GPD_MOST, from, above;

	c->tail = (struct gpd){0};
	if (c->held < CONFORMAL_FEWEST || n < GPD_FEWEST)
		return;
	from = tree_find(c, c->held - n - 1);
	above = c->held - tree_below(c, from + 1); // ties with the threshold do not exceed it
	for (uint32_t i = 0; i < above; i++)
		excess[i] = middle_of(tree_find(c, c->held - above + i)) - middle_of(from);
	c->tail = (struct gpd){.threshold = middle_of(from), .above = above, .total = c->held};
	gpd_fit(excess, above, &c->tail);
}

void conformal_end_day(struct conformal *c)
{
	c->seen[c->days++ % WEEK] = c->today;
	c->today = c->admitted = 0;
	fit_tail(c);
}

bool conformal_look(const struct conformal *c, double score, struct conformal_p *out)
{
	uint32_t bin = bin_of(score), upto = tree_below(c, bin + 1);

	*out = (struct conformal_p){.score = middle_of(bin), .held = c->held, .tail = c->tail, .p = 1};
	if (c->held < CONFORMAL_FEWEST)
		return false;
	out->above = c->held - upto;
	out->equal = upto - tree_below(c, bin);
	conformal_compute(out);
	return true;
}

void conformal_compute(struct conformal_p *p)
{
	double far;

	if (p->held < CONFORMAL_FEWEST) { // there was nothing to compare with
		p->p = 1;
		p->bits = 0;
		p->extrapolated = 0;
		return;
	}
	p->p = ((double)p->above + 0.5 * (double)p->equal + 0.5) / ((double)p->held + 1);
	p->bits = 0 - real_log2(p->p);
	p->extrapolated = 0;
	if (p->above || p->equal)
		return;
	far = gpd_bits(&p->tail, p->score);
	if (far <= p->bits)
		return;
	p->bits = far;
	p->p = real_exp2(0 - far);
	p->extrapolated = 1;
}

// The tree is made again from the sample.
static void put(const struct conformal *c, struct image_out *o)
{
	image_put(o, 4, MARK);
	image_put(o, 4, c->size);
	image_put(o, 4, c->quota);
	image_put(o, 8, c->seed);
	image_put(o, 8, c->sequence);
	image_put(o, 4, c->today);
	image_put(o, 4, c->admitted);
	image_put(o, 4, c->days);
	for (unsigned i = 0; i < WEEK; i++)
		image_put(o, 4, c->seen[i]);
	image_put_double(o, c->tail.threshold);
	image_put_double(o, c->tail.shape);
	image_put_double(o, c->tail.scale);
	image_put(o, 8, c->tail.above);
	image_put(o, 8, c->tail.total);
	image_put(o, 4, c->held);
	for (uint32_t i = 0; i < c->held; i++)
		image_put(o, 2, c->sample[i]);
}

size_t conformal_image_bytes(const struct conformal *c)
{
	struct image_out o = {0};

	put(c, &o);
	return o.bytes;
}

void conformal_image(const struct conformal *c, uint8_t *out)
{
	put(c, &(struct image_out){.at = out});
}

static void clear(struct conformal *c)
{
	uint32_t size = c->size, quota = c->quota;
	uint64_t seed = c->seed;

	memset(c, 0, sizeof(*c) + size * sizeof(*c->sample));
	c->size = size;
	c->quota = quota;
	c->seed = seed;
}

static bool get_tail(struct conformal *c, struct image_in *in)
{
	c->tail.threshold = image_get_double(in);
	c->tail.shape = image_get_double(in);
	c->tail.scale = image_get_double(in);
	c->tail.above = image_get(in, 8, GPD_MOST);
	c->tail.total = image_get(in, 8, c->size);
	return gpd_check(&c->tail) && c->tail.threshold <= CONFORMAL_BITS;
}

static bool get(struct conformal *c, struct image_in *in)
{
	image_expect(in, 4, MARK);
	image_expect(in, 4, c->size);
	image_expect(in, 4, c->quota);
	image_expect(in, 8, c->seed);
	c->sequence = image_get(in, 8, UINT64_MAX);
	c->today = (uint32_t)image_get(in, 4, UINT32_MAX);
	c->admitted = (uint32_t)image_get(in, 4, c->today);
	c->days = (uint32_t)image_get(in, 4, MOST_DAYS);
	for (uint32_t i = 0; i < WEEK; i++)
		c->seen[i] = (uint32_t)image_get(in, 4, i < c->days ? UINT32_MAX : 0);
	if (!get_tail(c, in))
		return false;
	c->held = (uint32_t)image_get(in, 4, c->size);
	for (uint32_t i = 0; i < c->held; i++) {
		c->sample[i] = (uint16_t)image_get(in, 2, BINS - 1);
		tree_add(c, c->sample[i], 1);
	}
	return !in->bad && in->left.left == 0;
}

bool conformal_restore(struct conformal *c, const uint8_t *image, size_t n)
{
	struct image_in in = {.left = bytes_of(image, n)};

	clear(c);
	if (get(c, &in))
		return true;
	clear(c);
	return false;
}
