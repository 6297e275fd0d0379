// SPDX-License-Identifier: GPL-2.0-or-later
// Which segments went by, by hash, so that a retransmission can be told from a second, different copy without keeping
// bytes. Knows nothing of order. Shared by all flows and of fixed size: what is forgotten costs a flag, never a miss.
#include <errno.h>
#include <stdlib.h>
#include "flow_impl.h"

struct copy_key { // hashed as memory
	uint64_t flow;
	uint32_t seq;
	uint32_t bytes;
	uint64_t side;
};
_Static_assert(sizeof(struct copy_key) == 24, "no padding: it is hashed as memory");

int flow_copies_create(struct copies *c, uint32_t flows)
{
	c->capacity = flows < FLOW_COPIES_MAX / FLOW_COPIES_PER_FLOW ? flows * FLOW_COPIES_PER_FLOW : FLOW_COPIES_MAX;
	c->slots = calloc(c->capacity, sizeof(c->slots[0]));
	return c->slots ? 0 : -ENOMEM;
}

void flow_copies_destroy(struct copies *c)
{
	free(c->slots);
	*c = (struct copies){0};
}

static uint64_t hash_where(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
			   struct bytes data)
{
	const struct copy_key key = {.flow = flow_id(t, f), .seq = seq, .bytes = (uint32_t)data.left, .side = side};

	return siphash13(&t->key, &key, sizeof(key));
}

static struct copy *slot_of(const struct flow_table *t, uint64_t where)
{
	return &t->copies.slots[where & (t->copies.capacity - 1)];
}

void flow_copies_remember(struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
			  struct bytes data)
{
	uint64_t where = hash_where(t, f, side, seq, data);

	*slot_of(t, where) = (struct copy){.where = where, .what = siphash13(&t->key, data.at, data.left)};
}

bool flow_copies_has(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
		     struct bytes data)
{
	uint64_t where = hash_where(t, f, side, seq, data);
	const struct copy *slot = slot_of(t, where);

	return slot->where == where && slot->what == siphash13(&t->key, data.at, data.left);
}

bool flow_copies_differ(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
			struct bytes data)
{
	uint64_t where = hash_where(t, f, side, seq, data);
	const struct copy *slot = slot_of(t, where);

	return slot->where == where && slot->what != siphash13(&t->key, data.at, data.left);
}
