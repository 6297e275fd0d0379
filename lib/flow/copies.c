// SPDX-License-Identifier: GPL-2.0-or-later
// Which segments went by, by hash, so that a retransmission can be told from a second, different copy without keeping
// bytes; and which SYNs. Knows nothing of order. Shared by all flows and of fixed size: what is forgotten costs a flag, never a miss.
#include <errno.h>
#include <stdlib.h>
#include "flow_impl.h"
#include "pages.h"

enum {
	LENGTH = 0xffff,  // of struct copy's `what`; 0: a SYN, whose scale is above it
	SCALE_SHIFT = 16,
	SIDE_OF_SYN = 2,  // added to its side: data of the same number is no SYN
};

int flow_copies_create(struct copies *c, uint32_t flows, const struct siphash_key *key)
{
	c->capacity = flows < FLOW_COPIES_MAX / FLOW_COPIES_PER_FLOW ? flows * FLOW_COPIES_PER_FLOW : FLOW_COPIES_MAX;
	c->slots = pages_zeroed(c->capacity * sizeof(c->slots[0]));
	nh_key_init(&c->key, key);
	return c->slots ? 0 : -ENOMEM;
}

void flow_copies_destroy(struct copies *c)
{
	free(c->slots);
	*c = (struct copies){0};
}

static uint64_t hash_where(const struct flow_table *t, const struct flow *f, uint32_t side, uint32_t seq)
{
	struct siphash_state s = siphash_begin(&t->key);

	siphash_absorb(&s, flow_id(t, f), 1);
	siphash_absorb(&s, (uint64_t)side << 32 | seq, 1);
	return siphash_finish(&s, 16ull << 56, 1, 3);
}

static uint64_t hash_what(const struct flow_table *t, struct bytes data)
{
	return (nh_hash(&t->copies.key, data.at, data.left) & ~(uint64_t)LENGTH) | (data.left & LENGTH);
}

static struct copy *slot_of(const struct flow_table *t, uint64_t where)
{
	return &t->copies.slots[where & (t->copies.capacity - 1)];
}

void flow_copies_remember(struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
			  struct bytes data)
{
	uint64_t where = hash_where(t, f, side, seq);
	struct copy *slot = slot_of(t, where);

	if (!data.left || data.left > LENGTH)
		return;
	*slot = (struct copy){.where = where, .what = hash_what(t, data)};
}

void flow_copy_of(const struct flow_table *t, struct flow_key *key, const struct packet *p)
{
	const struct flow *f = key->candidate ? &t->flows[key->candidate - 1] : NULL;
	enum flow_side side;

	key->copy = 0;
	if (!f || p->transport != TRANSPORT_TCP || !p->payload_bytes || f->flags & FLOW_FLAG_DONE)
		return;
	side = f->client_port == p->source_port ? FLOW_CLIENT : FLOW_SERVER;
	key->copy = (uint32_t)(slot_of(t, hash_where(t, f, side, p->seq)) - t->copies.slots) + 1;
}

void flow_prefetch_copy(const struct flow_table *t, const struct flow_key *key)
{
	if (key->copy)
		__builtin_prefetch(&t->copies.slots[key->copy - 1], 1);
}

enum copies_say flow_copies_compare(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
				    struct bytes data)
{
	for (int i = 0; i < FLOW_COPIES_WALK && data.left; i++) {
		uint64_t where = hash_where(t, f, side, seq);
		const struct copy *slot = slot_of(t, where);
		size_t length = slot->what & LENGTH;

		if (slot->where != where || length > data.left || !length)
			return COPIES_UNKNOWN;
		if (slot->what != hash_what(t, bytes_head(data, length)))
			return COPIES_OTHER;
		data = bytes_from(data, length);
		seq += (uint32_t)length;
	}
	return data.left ? COPIES_UNKNOWN : COPIES_SAME;
}

void flow_copies_remember_syn(struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t first,
			      uint8_t scale)
{
	uint64_t where = hash_where(t, f, SIDE_OF_SYN + side, first);

	*slot_of(t, where) = (struct copy){.where = where, .what = (uint64_t)scale << SCALE_SHIFT};
}

bool flow_copies_find_syn(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t first,
			  uint8_t *scale)
{
	uint64_t where = hash_where(t, f, SIDE_OF_SYN + side, first);
	const struct copy *slot = slot_of(t, where);

	if (slot->where != where || slot->what & LENGTH)
		return false;
	*scale = (uint8_t)(slot->what >> SCALE_SHIFT);
	return true;
}
