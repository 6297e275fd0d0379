// SPDX-License-Identifier: GPL-2.0-or-later
// See dayset.h. Key 0 marks an empty place; a key that is 0 becomes 1.
#include "dayset.h"

#include "image.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 }; // a line of the cache

struct dayset {
	uint64_t *key;
	uint32_t sets, day;
};

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
	if (!s->key) {
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
	free(s->key);
	free(s);
}

void dayset_clear(struct dayset *s)
{
	memset(s->key, 0, (size_t)s->sets * WAYS * sizeof(*s->key));
	s->day = 0;
}

bool dayset_add(struct dayset *s, uint64_t key, uint32_t day)
{
	uint64_t *set;

	if (day > s->day) {
		dayset_clear(s);
		s->day = day;
	}
	key += key == 0;
	set = &s->key[(key >> 32 & (s->sets - 1)) * WAYS];
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
		if (s->key[at])
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
