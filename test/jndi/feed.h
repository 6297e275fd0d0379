// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by the parts of jndi_feed: requests that carry a look-up (feed.c), ordinary ones (ordinary.c), and costly ones
// (worst.c).
#pragma once
#include "proto.h"

enum { REQUEST_BYTES = 1 << 16 };

struct request {
	size_t length;
	char at[REQUEST_BYTES];
};

// A generator of ours, so that one seed means one sequence everywhere (xorshift64*).
struct draw {
	uint64_t state;
};

static inline uint64_t draw_next(struct draw *d)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * 0x2545f4914f6cdd1dull;
}

static inline unsigned draw_below(struct draw *d, unsigned n)
{
	return (unsigned)((draw_next(d) >> 32) * n >> 32);
}

// An ordinary request: what browsers, programs, scripts and templates send, thick with what resembles a look-up.
void ordinary_request(struct draw *d, struct request *out);

// Searches for the fields of 8 KiB that cost jndi_scan most; prints the worst and how the cost grows with the length.
void worst_search(unsigned tries, uint64_t seed);
