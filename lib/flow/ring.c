// SPDX-License-Identifier: GPL-2.0-or-later
// Which flows go first: two rings of slots, of fixed size, oldest first. Every half-open flow is in one of them, so
// there are never more than it holds, and a flood recycles those few slots; an open flow is in none. Knows no packet.
#include "flow_impl.h"

enum {
	SPARED_MS = 1000, // a flow of one side only that has spoken so lately is spared, if it spoke more than once
	LINES_AHEAD = 24, // entries whose flow is asked for from memory before their turn
	BUCKET_AHEAD = 12, // and whose bucket, when the flow has come
};

// Nothing but one sender's claim stands behind it: data out of nowhere opens a flow, but anybody can send that. A flow
// the caller has cut or holds must not be forgotten that way.
static bool is_half_open(const struct flow *f)
{
	if (f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_HELD))
		return false;
	if (f->packets[FLOW_CLIENT] == 0 || f->packets[FLOW_SERVER] == 0)
		return true;
	return f->transport == TRANSPORT_TCP && f->state < FLOW_OPEN;
}

static uint32_t position(const struct flow_ring *r, uint32_t nth)
{
	uint32_t at = r->oldest + nth;

	return at >= r->capacity ? at - r->capacity : at;
}

static void push(struct flow_ring *r, struct flow_entry e)
{
	r->entries[position(r, r->used++)] = e;
}

static struct flow_entry pop(struct flow_ring *r)
{
	struct flow_entry e = r->entries[r->oldest];

	r->oldest = position(r, 1);
	r->used--;
	return e;
}

// NULL: it has ended.
static struct flow *flow_of(const struct flow_table *t, struct flow_entry e)
{
	struct flow *f = &t->flows[e.slot];

	return flow_is_live(f) && f->generation == e.generation ? f : NULL;
}

static struct flow_entry entry_of(const struct flow_table *t, const struct flow *f)
{
	return (struct flow_entry){flow_index(t, f), f->generation};
}

// Inlined by force: gcc drops calls of a function that does nothing but prefetch.
static inline __attribute__((always_inline)) void prefetch_ahead(const struct flow_table *t, const struct flow_ring *r)
{
	if (r->used > LINES_AHEAD) {
		uint32_t slot = r->entries[position(r, LINES_AHEAD)].slot;

		flow_prefetch_lines(&t->flows[slot]);
		__builtin_prefetch(&t->deadlines[slot], 1);
	}
	if (r->used > BUCKET_AHEAD) {
		uint32_t slot = r->entries[position(r, BUCKET_AHEAD)].slot;
		uint32_t bucket = t->flows[slot].place / (FLOW_BUCKET_FLOWS + 1);

		if (bucket < t->bucket_count) // a free slot's link is none
			__builtin_prefetch(&t->buckets[bucket], 1);
	}
}

// One that the caller holds, or one side of a long talk of which we see no more: to be looked at again.
static bool is_spared(const struct flow_table *t, const struct flow *f)
{
	if (f->flags & FLOW_FLAG_HELD)
		return true;
	if (!is_half_open(f) || f->state < FLOW_OPEN || f->packets[FLOW_CLIENT] + f->packets[FLOW_SERVER] < 2)
		return false;
	return (uint32_t)t->clock.tick - f->last < SPARED_MS;
}

// Takes the oldest out; ends it if it is half-open still.
static bool retire_half_open(struct flow_table *t, bool spare)
{
	struct flow_ring *r = &t->half_open;
	struct flow_entry e;
	struct flow *f;

	prefetch_ahead(t, r);
	e = pop(r);
	f = flow_of(t, e);
	if (!f)
		return false;
	if (spare && is_spared(t, f)) {
		push(r, e);
		return false;
	}
	if (!is_half_open(f))
		return false;
	flow_remove(t, f, FLOW_END_EVICTED);
	return true;
}

static bool retire_closed(struct flow_table *t)
{
	struct flow *f = flow_of(t, pop(&t->closed));

	if (!f || f->state != FLOW_CLOSED || f->flags & FLOW_FLAG_CUT)
		return false;
	flow_remove(t, f, flow_idle_end(f));
	return true;
}

void flow_ring_make_way(struct flow_table *t)
{
	for (unsigned i = 0; t->half_open.used == t->half_open.capacity; i++)
		retire_half_open(t, i < FLOW_RING_CHANCES);
}

void flow_ring_half_open(struct flow_table *t, const struct flow *f)
{
	push(&t->half_open, entry_of(t, f));
}

void flow_ring_closed(struct flow_table *t, const struct flow *f)
{
	if (t->closed.used == t->closed.capacity)
		pop(&t->closed);
	push(&t->closed, entry_of(t, f));
}

bool flow_ring_make_room(struct flow_table *t)
{
	for (unsigned i = 0; i < FLOW_RING_LOOKS && t->closed.used; i++)
		if (retire_closed(t))
			return true;
	for (unsigned i = 0; i < FLOW_RING_LOOKS && t->half_open.used; i++)
		if (retire_half_open(t, i < FLOW_RING_CHANCES))
			return true;
	return false;
}
