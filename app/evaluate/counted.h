// SPDX-License-Identifier: GPL-2.0-or-later
// A growing table from one number to another, for what must be looked up by a hash or an id. 0 is no key.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct counted_entry {
	uint64_t key, value;
};

struct counted {
	struct counted_entry *entry;
	size_t cap, count;
};

void counted_init(struct counted *c, size_t expected);
void counted_free(struct counted *c);
uint64_t *counted_find(const struct counted *c, uint64_t key); // NULL: not there
uint64_t *counted_put(struct counted *c, uint64_t key);        // made with value 0 where it was not; until the next put
