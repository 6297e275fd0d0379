// SPDX-License-Identifier: GPL-2.0-or-later
// From hash to slot: buckets of one cache line, two for each flow. Almost every look-up reads the first alone, since a
// bucket counts the flows that had to go to their second. Knows marks and slots, no packet. Bounded: two buckets to
// find, and to add at the most one bucket more for each entry of the first.
#include "flow_impl.h"

// Four sevenths of the entries are used when the table is full.
size_t flow_index_buckets(uint32_t flows)
{
	return flows / 4 + 2;
}

// Each of the two from the other, by the mark alone: so an entry can be moved without its flow.
uint32_t flow_index_second(const struct flow_table *t, uint32_t bucket, uint32_t mark)
{
	uint32_t sum = (uint32_t)((uint64_t)mark * t->bucket_count >> 32);

	return sum >= bucket ? sum - bucket : sum + t->bucket_count - bucket;
}

// An entry that is free, or FLOW_BUCKET_FLOWS.
static unsigned free_entry(const struct flow_bucket *b)
{
	unsigned i = 0;

	while (i < FLOW_BUCKET_FLOWS && b->slot[i])
		i++;
	return i;
}

static void put(struct flow_table *t, uint32_t bucket, unsigned i, uint32_t mark, uint32_t slot)
{
	struct flow_bucket *b = &t->buckets[bucket];

	b->mark[i] = mark;
	b->slot[i] = slot;
	t->flows[flow_slot_of(b, i)].place = bucket * (FLOW_BUCKET_FLOWS + 1) + i;
}

// Moves an entry of a full bucket to that entry's other one. Gives the place made, FLOW_BUCKET_FLOWS if none could.
static unsigned move_one(struct flow_table *t, uint32_t bucket)
{
	struct flow_bucket *b = &t->buckets[bucket];

	for (unsigned i = 0; i < FLOW_BUCKET_FLOWS; i++) {
		uint32_t other = flow_index_second(t, bucket, b->mark[i]);
		unsigned at = free_entry(&t->buckets[other]);

		if (at == FLOW_BUCKET_FLOWS)
			continue;
		if (b->slot[i] & FLOW_SLOT_AWAY)
			t->buckets[other].away--; // home again
		else
			b->away++;
		put(t, other, at, b->mark[i], b->slot[i] ^ FLOW_SLOT_AWAY);
		return i;
	}
	return FLOW_BUCKET_FLOWS;
}

bool flow_index_add(struct flow_table *t, struct flow *f, const struct flow_key *key)
{
	uint32_t second, slot = flow_index(t, f) + 1;
	unsigned at = free_entry(&t->buckets[key->bucket]);

	if (at == FLOW_BUCKET_FLOWS) {
		second = flow_index_second(t, key->bucket, key->mark);
		at = free_entry(&t->buckets[second]);
		if (at < FLOW_BUCKET_FLOWS) {
			t->buckets[key->bucket].away++;
			put(t, second, at, key->mark, slot | FLOW_SLOT_AWAY);
			return true;
		}
		at = move_one(t, key->bucket);
		if (at == FLOW_BUCKET_FLOWS)
			return false;
	}
	put(t, key->bucket, at, key->mark, slot);
	return true;
}

void flow_index_remove(struct flow_table *t, const struct flow *f)
{
	uint32_t bucket = f->place / (FLOW_BUCKET_FLOWS + 1);
	unsigned i = f->place % (FLOW_BUCKET_FLOWS + 1);
	struct flow_bucket *b = &t->buckets[bucket];

	if (b->slot[i] & FLOW_SLOT_AWAY)
		t->buckets[flow_index_second(t, bucket, b->mark[i])].away--;
	b->mark[i] = 0;
	b->slot[i] = 0;
}
