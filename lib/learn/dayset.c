// SPDX-License-Identifier: GPL-2.0-or-later
// See dayset.h. Key 0 marks an empty place; a key that is 0 becomes 1.
#include "dayset.h"

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
