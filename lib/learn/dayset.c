// SPDX-License-Identifier: GPL-2.0-or-later
// See dayset.h. Each place holds a key with the day in its lowest bits, so what is of another day is found by nobody, and
// being older than all of today it is what a set gives up first: midnight costs nothing.
#include "dayset.h"

#include "image.h"

#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 8,      // a line of the cache
	DAY_BITS = 10, // a day comes again after 1,024
	DAY_MASK = (1 << DAY_BITS) - 1,
};

struct dayset {
	uint64_t *place; // a set's newest first
	uint32_t sets, day;
};

// Never 0, which is an empty place.
static uint64_t tag_of(const struct dayset *s, uint64_t key)
{
	return (key & ~(uint64_t)DAY_MASK) | 1 << DAY_BITS | (s->day & DAY_MASK);
}

struct dayset *dayset_create(uint32_t keys)
{
	struct dayset *s = calloc(1, sizeof(*s));
	uint32_t sets = 8;

	if (!s)
		return NULL;
	while (sets < keys / WAYS)
		sets *= 2;
	s->sets = sets;
	s->place = aligned_alloc(64, (size_t)sets * WAYS * sizeof(*s->place));
	if (!s->place) {
		free(s);
		return NULL;
	}
	dayset_clear(s);
	return s;
}

void dayset_destroy(struct dayset *s)
{
	if (!s)
		return;
	free(s->place);
	free(s);
}

void dayset_clear(struct dayset *s)
{
	s->day = 0;
	memset(s->place, 0, (size_t)s->sets * WAYS * sizeof(*s->place));
}

// A day's number begins again here: what still lies there of the last time must not be taken for this one's.
static void go_to(struct dayset *s, uint32_t day)
{
	if (day >> DAY_BITS != s->day >> DAY_BITS)
		dayset_clear(s);
	s->day = day;
}

bool dayset_add(struct dayset *s, uint64_t key, uint32_t day)
{
	uint64_t *set = &s->place[(key >> 32 & (s->sets - 1)) * WAYS], tag;
	bool held = false;

	if (day > s->day)
		go_to(s, day);
	tag = tag_of(s, key);
	for (unsigned i = 0; i < WAYS; i++)
		held |= set[i] == tag;
	if (held)
		return false;
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = tag;
	return true;
}

void dayset_put(const struct dayset *s, struct image *i)
{
	const uint64_t day = s->day;

	image_append(i, &day, sizeof(day));
	for (size_t at = (size_t)s->sets * WAYS; at-- > 0;) // a set's oldest first
		if (s->place[at] && s->place[at] == tag_of(s, s->place[at]))
			image_append(i, &s->place[at], sizeof(s->place[at]));
}

bool dayset_take(struct dayset *s, struct bytes section)
{
	uint64_t day = 0, key;
	struct bytes part;

	dayset_clear(s);
	if (section.left == 0)
		return true;
	if (section.left % sizeof(key) || !bytes_take(&section, sizeof(day), &part))
		return false;
	memcpy(&day, part.at, sizeof(day));
	if (day > UINT32_MAX)
		return false;
	s->day = (uint32_t)day;
	while (bytes_take(&section, sizeof(key), &part)) {
		memcpy(&key, part.at, sizeof(key));
		dayset_add(s, key, s->day);
	}
	return true;
}
