// SPDX-License-Identifier: GPL-2.0-or-later
// A capture: records of {control, length (2, big-endian), frame of raw IP}. Control: bits 0-3 let 2^n ms pass, bit 7
// sweeps, bit 6 sets the clock back, bit 5 says that packets went by unseen before this one. After every frame the table
// must be whole: counts, index, deadlines, lists in order, no parked segment lost or held twice.
#include <stdlib.h>
#include "flow_impl.h"

enum { FLOWS = 20, HALF_OPEN = 9, PARKED = 24 }; // few buckets, so that some flows lie in their second

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct flow_table *table;
	struct counters counters;
	uint64_t now, live;
	struct flow *current;
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void on_end(void *user, struct flow *f, enum flow_end why)
{
	struct run *r = user;

	require(flow_by_id(r->table, flow_id(r->table, f)) == f && r->live > 0);
	r->live--;
}

static void on_bytes(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct run *r = user;

	// Nothing at all is given where bytes are missing at the end of what came by.
	require(f == r->current && (data.left > 0 || gap) && f->state >= FLOW_OPEN && f->tcp[sender].seen);
	require(!gap || f->flags & FLOW_FLAG_UNINSPECTED);
}

// How many segments the side holds.
static unsigned check_side(const struct flow_table *t, const struct flow_tcp_side *s)
{
	unsigned n = 0;
	uint32_t end = 0;

	for (uint16_t link = s->park_head; link; link = t->park.segments[link - 1].next) {
		const struct park_segment *e = &t->park.segments[link - 1];

		require(link <= PARKED && e->bytes > 0 && e->bytes <= FLOW_PARK_BYTES);
		require(n == 0 || seq_ahead(e->seq, end) >= 0);
		end = e->seq + e->bytes;
		n++;
	}
	require(n == s->parked && n <= FLOW_PARK_PER_SIDE);
	return n;
}

// Every entry names a live flow that knows its place, and every bucket how many of its own lie elsewhere.
static void check_index(const struct flow_table *t)
{
	uint32_t entries = 0, away = 0, said = 0;

	for (uint32_t at = 0; at < t->bucket_count; at++) {
		const struct flow_bucket *b = &t->buckets[at];

		said += b->away;
		for (unsigned i = 0; i < FLOW_BUCKET_FLOWS; i++) {
			require(!b->slot[i] == !b->mark[i]);
			if (!b->slot[i])
				continue;
			entries++;
			away += !!(b->slot[i] & FLOW_SLOT_AWAY);
			require(flow_slot_of(b, i) < t->fresh);
			require(flow_is_live(&t->flows[flow_slot_of(b, i)]));
			require(t->flows[flow_slot_of(b, i)].place == at * (FLOW_BUCKET_FLOWS + 1) + i);
		}
	}
	require(entries == t->live && away == said);
}

// A flow is looked at in time, and a slot without one never.
static void check_deadlines(const struct flow_table *t)
{
	for (uint32_t i = 0; i < t->fresh; i++) {
		require(!t->deadlines[i] == !flow_is_live(&t->flows[i]));
		if (flow_is_live(&t->flows[i]) && flow_is_idle(t, &t->flows[i]))
			require((int32_t)((uint32_t)t->clock.tick - t->deadlines[i]) >= 0);
	}
	require(t->half_open.used <= t->half_open.capacity && t->closed.used <= t->closed.capacity);
}

static void check_table(const struct run *r)
{
	unsigned live = 0, parked = 0;

	for (unsigned i = 0; i < r->table->fresh; i++) {
		const struct flow *f = &r->table->flows[i];

		parked += check_side(r->table, &f->tcp[0]) + check_side(r->table, &f->tcp[1]);
		require(flow_is_live(f) || (!f->tcp[0].parked && !f->tcp[1].parked));
		live += flow_is_live(f);
	}
	for (uint16_t link = r->table->park.free; link; link = r->table->park.segments[link - 1].next)
		parked++;
	require(parked == r->table->park.fresh && live == r->live && live == flow_count(r->table));
	check_index(r->table);
	check_deadlines(r->table);
}

static void take_frame(struct run *r, struct bytes frame, bool after_unseen)
{
	struct frame f = {.at = frame.at, .bytes = (uint32_t)frame.left, .unix_ns = r->now, .link = LINK_RAW};
	uint64_t added = r->counters.value[COUNT_FLOWS_ADDED];
	enum flow_side sender, again;
	struct flow_key key;
	struct packet p;

	if (decode_frame(&f, false, &p) != DECODE_OK)
		return;
	flow_key_of(r->table, &p, &key);
	flow_prefetch_bucket(r->table, &key);
	flow_prefetch(r->table, &key);
	flow_context_peek(r->table, &key);
	r->current = flow_find_or_add(r->table, &p, &key, r->now, &sender);
	r->live += r->counters.value[COUNT_FLOWS_ADDED] - added;
	if (!r->current)
		return;
	require(flow_find(r->table, &p, &key, &again) == r->current && again == sender);
	if (after_unseen)
		flow_resume(r->table, r->current, sender, &p);
	flow_update(r->table, r->current, sender, &f, &p);
	flow_order(r->table, r->current, sender, &p, packet_payload(&f, &p), NULL, on_bytes, r);
}

// A table as flow_table_create leaves it. Made once: an input is far cheaper than a table.
static void start(struct run *r)
{
	static const struct flow_config config = {.flows = FLOWS, .half_open = HALF_OPEN, .parked_segments = PARKED, .key = {1, 2}};
	static struct flow_table *table, fresh;

	if (!table) {
		table = flow_table_create(&config, &r->counters, on_end, r);
		require(table != NULL);
		fresh = *table;
	}
	*table = fresh;
	memset(table->flows, 0, table->block_bytes);
	memset(table->copies.slots, 0, table->copies.capacity * sizeof(table->copies.slots[0]));
	memset(table->park.segments, 0, PARKED * sizeof(table->park.segments[0]));
	*r = (struct run){.now = 1ull << 40, .table = table};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), frame;
	static struct run r;
	uint8_t control;
	uint16_t length;

	start(&r);
	while (bytes_read_u8(&in, &control) && bytes_read_u16(&in, &length) && bytes_take(&in, length, &frame)) {
		r.now += 1000000ull << (control & 15);
		if (control & 64)
			r.now -= r.now / 2;
		if (control & 128)
			flow_table_step(r.table, r.now);
		take_frame(&r, frame, control & 32);
		check_table(&r);
	}
	flow_table_flush(r.table, FLOW_END_SHUTDOWN);
	check_table(&r);
	return 0;
}
