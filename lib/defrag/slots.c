// SPDX-License-Identifier: GPL-2.0-or-later
// Slots of datagrams and of their sources: found by a keyed hash, in order of age, given up oldest first. Knows no headers.
#include "defrag_impl.h"

void slots_init(struct defrag *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		d->datagram[i].chain = d->source[i].chain = i + 1 < d->n ? i + 1 : DEFRAG_NONE;
		d->datagram_bucket[i] = d->source_bucket[i] = DEFRAG_NONE;
	}
	d->waiting = (struct list){DEFRAG_NONE, DEFRAG_NONE};
	d->whole_id = d->cursor.id = DEFRAG_NONE;
}

static struct links *links_of(struct defrag *d, uint32_t g, bool by_source)
{
	return by_source ? &d->datagram[g].mine : &d->datagram[g].age;
}

static void list_add(struct defrag *d, struct list *l, uint32_t g, bool by_source)
{
	*links_of(d, g, by_source) = (struct links){.older = l->newest, .newer = DEFRAG_NONE};
	if (l->newest == DEFRAG_NONE)
		l->oldest = g;
	else
		links_of(d, l->newest, by_source)->newer = g;
	l->newest = g;
}

static void list_remove(struct defrag *d, struct list *l, uint32_t g, bool by_source)
{
	struct links k = *links_of(d, g, by_source);

	if (k.older == DEFRAG_NONE)
		l->oldest = k.newer;
	else
		links_of(d, k.older, by_source)->newer = k.newer;
	if (k.newer == DEFRAG_NONE)
		l->newest = k.older;
	else
		links_of(d, k.newer, by_source)->older = k.older;
}

uint32_t slots_find(const struct defrag *d, const struct datagram_key *key, uint64_t hash)
{
	uint32_t g = d->datagram_bucket[hash & (d->n - 1)];

	while (g != DEFRAG_NONE && memcmp(&d->datagram[g].key, key, sizeof(*key)) != 0)
		g = d->datagram[g].chain;
	return g;
}

// The source's slot, found or added. There are as many as datagrams and each has one at least, so there always is one free.
static uint32_t find_or_add_source(struct defrag *d, const struct address *address)
{
	uint32_t bucket = (uint32_t)siphash13(&d->key, address, sizeof(*address)) & (d->n - 1);
	uint32_t i = d->source_bucket[bucket];

	while (i != DEFRAG_NONE && !address_equal(&d->source[i].address, address))
		i = d->source[i].chain;
	if (i != DEFRAG_NONE)
		return i;
	i = d->free_source;
	d->free_source = d->source[i].chain;
	d->source[i] = (struct source){.address = *address, .waiting = {DEFRAG_NONE, DEFRAG_NONE}, .bucket = bucket,
				       .chain = d->source_bucket[bucket]};
	d->source_bucket[bucket] = i;
	return i;
}

static void leave_source(struct defrag *d, uint32_t i)
{
	uint32_t *at = &d->source_bucket[d->source[i].bucket];

	if (--d->source[i].datagrams)
		return;
	while (*at != i)
		at = &d->source[*at].chain;
	*at = d->source[i].chain;
	d->source[i].chain = d->free_source;
	d->free_source = i;
}

static void make_room(struct defrag *d, const struct address *from)
{
	uint32_t bucket = (uint32_t)siphash13(&d->key, from, sizeof(*from)) & (d->n - 1), i = d->source_bucket[bucket];
	uint32_t most = d->n / DEFRAG_PER_SOURCE_SHARE;

	while (i != DEFRAG_NONE && !address_equal(&d->source[i].address, from))
		i = d->source[i].chain;
	if (i != DEFRAG_NONE && d->source[i].datagrams >= most && d->source[i].waiting.oldest != DEFRAG_NONE)
		slots_give_up(d, d->source[i].waiting.oldest, COUNT_DEFRAG_FULL);
	if (d->free_datagram == DEFRAG_NONE && d->waiting.oldest != DEFRAG_NONE)
		slots_give_up(d, d->waiting.oldest, COUNT_DEFRAG_FULL);
}

uint32_t slots_add(struct defrag *d, const struct datagram_key *key, uint64_t hash, uint64_t unix_ns)
{
	uint32_t g, bucket = (uint32_t)hash & (d->n - 1);
	struct datagram *slot;

	make_room(d, &key->source);
	g = d->free_datagram;
	if (g == DEFRAG_NONE)
		return g;
	slot = &d->datagram[g];
	d->free_datagram = slot->chain;
	*slot = (struct datagram){.key = *key, .began_ns = unix_ns, .bucket = bucket, .chain = d->datagram_bucket[bucket],
				  .source = find_or_add_source(d, &key->source), .first = DEFRAG_NONE, .last = DEFRAG_NONE,
				  .round = slot->round, .state = DATAGRAM_WAITS};
	d->datagram_bucket[bucket] = g;
	d->source[slot->source].datagrams++;
	list_add(d, &d->waiting, g, false);
	list_add(d, &d->source[slot->source].waiting, g, true);
	d->count++;
	return g;
}

void slots_append(struct defrag *d, uint32_t g, uint32_t block)
{
	struct datagram *slot = &d->datagram[g];
	struct record *r = defrag_arena_record(&d->arena, block);

	r->next = DEFRAG_NONE;
	if (slot->last == DEFRAG_NONE)
		slot->first = block;
	else
		defrag_arena_record(&d->arena, slot->last)->next = block;
	slot->last = block;
	slot->pieces++;
	slot->frames += (r->role & RECORD_FRAME) != 0;
	slot->blocks += r->blocks;
	d->source[slot->source].blocks += r->blocks;
}

void slots_complete(struct defrag *d, uint32_t g)
{
	struct datagram *slot = &d->datagram[g];
	uint32_t *at = &d->datagram_bucket[slot->bucket];

	while (*at != g)
		at = &d->datagram[*at].chain;
	*at = slot->chain;
	list_remove(d, &d->waiting, g, false);
	list_remove(d, &d->source[slot->source].waiting, g, true);
	slot->state = DATAGRAM_COMPLETE;
}

static void free_slot(struct defrag *d, uint32_t g)
{
	struct datagram *slot = &d->datagram[g];

	if (slot->state == DATAGRAM_WAITS)
		slots_complete(d, g);
	d->source[slot->source].blocks -= slot->blocks;
	leave_source(d, slot->source);
	slot->state = DATAGRAM_FREE;
	slot->round++;
	slot->chain = d->free_datagram;
	d->free_datagram = g;
	d->count--;
}

void slots_free(struct defrag *d, uint32_t g)
{
	uint32_t block = d->datagram[g].first;

	for (uint32_t i = 0; i < d->datagram[g].pieces; i++) {
		uint32_t next = defrag_arena_record(&d->arena, block)->next;

		defrag_arena_free(&d->arena, block);
		block = next;
	}
	free_slot(d, g);
}

void slots_give_up(struct defrag *d, uint32_t g, enum counter why)
{
	count(d->counters, why);
	count_add(d->counters, COUNT_FRAMES_DROPPED_FRAGMENT, d->datagram[g].frames);
	slots_free(d, g);
}

void slots_adopt(struct defrag *d, uint32_t from, uint32_t to)
{
	uint32_t block = d->datagram[from].first;

	for (uint32_t i = 0, n = d->datagram[from].pieces; i < n; i++) {
		struct record *r = defrag_arena_record(&d->arena, block);
		uint32_t next = r->next;

		r->role &= RECORD_FRAME;
		if (r->role)
			slots_append(d, to, block);
		else
			defrag_arena_free(&d->arena, block);
		block = next;
	}
	free_slot(d, from);
}
