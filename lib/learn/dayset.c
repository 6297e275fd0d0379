// SPDX-License-Identifier: GPL-2.0-or-later
// See dayset.h. Key 0 marks an empty place; a key that is 0 becomes 1. A new day empties each set when it is next
// looked at, so that midnight costs nothing by itself.
#include "dayset.h"

#include "image.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 }; // a line of the cache

struct dayset {
	uint64_t *key;
	uint16_t *of_day; // of each set: the day its keys are of; what is of another day is as if it were empty
	uint32_t sets, day;
};

static void set_clear(struct dayset *s, uint32_t set)
{
	memset(&s->key[(size_t)set * WAYS], 0, WAYS * sizeof(*s->key));
	s->of_day[set] = (uint16_t)s->day; // comes again after 179 years
}

static bool is_of_today(const struct dayset *s, uint32_t set)
{
	return s->of_day[set] == (uint16_t)s->day;
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
	s->key = aligned_alloc(64, (size_t)sets * WAYS * sizeof(*s->key));
	s->of_day = calloc(sets, sizeof(*s->of_day));
	if (!s->key || !s->of_day) {
		free(s->of_day);
		free(s->key);
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
	free(s->of_day);
	free(s->key);
	free(s);
}

void dayset_clear(struct dayset *s)
{
	s->day = 0;
	for (uint32_t set = 0; set < s->sets; set++)
		set_clear(s, set);
}

bool dayset_add(struct dayset *s, uint64_t key, uint32_t day)
{
	uint32_t at;
	uint64_t *set;

	if (day > s->day)
		s->day = day;
	key += key == 0;
	at = (uint32_t)(key >> 32 & (s->sets - 1));
	set = &s->key[(size_t)at * WAYS];
	if (!is_of_today(s, at))
		set_clear(s, at);
	for (unsigned i = 0; i < WAYS && set[i]; i++)
		if (set[i] == key)
			return false;
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set)); // newest first: the oldest goes
	set[0] = key;
	return true;
}

void dayset_put(const struct dayset *s, struct image *i)
{
	const uint64_t day = s->day;

	image_append(i, &day, sizeof(day));
	for (size_t at = (size_t)s->sets * WAYS; at-- > 0;) // a set's oldest first
		if (s->key[at] && is_of_today(s, (uint32_t)(at / WAYS)))
			image_append(i, &s->key[at], sizeof(s->key[at]));
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
