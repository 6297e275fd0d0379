// SPDX-License-Identifier: GPL-2.0-or-later
// See counted.h. Open addressing, at most half full.
#include "counted.h"
#include "chance.h"
#include "log.h"

#include <stdlib.h>

static struct counted_entry *place(const struct counted *c, uint64_t key)
{
	size_t i = chance_mix(key, 0) & (c->cap - 1);

	while (c->entry[i].key && c->entry[i].key != key)
		i = (i + 1) & (c->cap - 1);
	return &c->entry[i];
}

void counted_init(struct counted *c, size_t expected)
{
	c->cap = 64;
	while (c->cap < 2 * expected)
		c->cap *= 2;
	c->count = 0;
	c->entry = calloc(c->cap, sizeof(*c->entry));
	if (!c->entry)
		log_fatal("out of memory");
}

void counted_free(struct counted *c)
{
	free(c->entry);
	*c = (struct counted){0};
}

uint64_t *counted_find(const struct counted *c, uint64_t key)
{
	struct counted_entry *e = place(c, key);

	return e->key ? &e->value : NULL;
}

uint64_t *counted_put(struct counted *c, uint64_t key)
{
	struct counted_entry *e;

	if (2 * (c->count + 1) > c->cap) {
		struct counted old = *c;

		counted_init(c, old.cap);
		for (size_t i = 0; i < old.cap; i++)
			if (old.entry[i].key) {
				*place(c, old.entry[i].key) = old.entry[i];
				c->count++;
			}
		counted_free(&old);
	}
	e = place(c, key);
	c->count += !e->key;
	e->key = key;
	return &e->value;
}
