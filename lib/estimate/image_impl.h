// SPDX-License-Identifier: GPL-2.0-or-later
// How an estimator becomes bytes and comes back. An image has no pointers, no padding and one form for one state:
// numbers in network order, whole numbers of a stated width, doubles as their bits, only what cannot be computed again.
// It is read as hostile bytes are: each number has a bound, one that passes it spoils the rest. No state; any thread.
#pragma once
#include "bytes.h"

struct image_out {
	uint8_t *at;  // NULL: bytes are counted only
	size_t bytes; // so far
};

struct image_in {
	struct bytes left;
	bool bad; // too short, or a number out of its bounds: what is read from then on is 0
};

static inline void image_put(struct image_out *o, unsigned width, uint64_t x)
{
	if (o->at)
		for (unsigned i = 0; i < width; i++)
			*o->at++ = (uint8_t)(x >> 8 * (width - 1 - i));
	o->bytes += width;
}

static inline void image_put_double(struct image_out *o, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	image_put(o, 8, bits);
}

static inline uint64_t image_get(struct image_in *in, unsigned width, uint64_t most)
{
	struct bytes part = {0};
	uint64_t x = 0;

	in->bad = in->bad || !bytes_take(&in->left, width, &part);
	for (unsigned i = 0; i < width && !in->bad; i++)
		x = x << 8 | part.at[i];
	in->bad = in->bad || x > most;
	return in->bad ? 0 : x;
}

static inline double image_get_double(struct image_in *in)
{
	uint64_t bits = image_get(in, 8, UINT64_MAX);
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

// A number that must be there: the mark of a kind of image, a part of the configuration.
static inline void image_expect(struct image_in *in, unsigned width, uint64_t x)
{
	in->bad = image_get(in, width, UINT64_MAX) != x || in->bad;
}
