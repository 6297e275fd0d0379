// SPDX-License-Identifier: GPL-2.0-or-later
// A capture: records of {control, length (2, big-endian), frame of raw IP}. Control: bits 0-3 let 2^n ms pass, bit 7
// sweeps. After every frame the table must be whole: counts, lists in order, no parked segment lost or held twice.
#include <stdlib.h>
#include "flow_impl.h"

enum { FLOWS = 4, PARKED = 24 };

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

	require(f == r->current && data.left > 0 && f->state >= FLOW_OPEN && f->tcp[sender].seen);
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
}

static void take_frame(struct run *r, struct bytes frame)
{
	struct frame f = {.at = frame.at, .bytes = (uint32_t)frame.left, .unix_ns = r->now, .link = LINK_RAW};
	uint64_t added = r->counters.value[COUNT_FLOWS_ADDED];
	enum flow_side sender, again;
	struct packet p;

	if (decode_frame(&f, false, &p) != DECODE_OK)
		return;
	r->current = flow_find_or_add(r->table, &p, r->now, &sender);
	r->live += r->counters.value[COUNT_FLOWS_ADDED] - added;
	if (!r->current)
		return;
	require(flow_find(r->table, &p, &again) == r->current && again == sender);
	flow_update(r->table, r->current, sender, &f, &p);
	flow_order(r->table, r->current, sender, &p, packet_payload(&f, &p), on_bytes, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_config config = {.flows = FLOWS, .parked_segments = PARKED, .key = {1, 2}};
	struct bytes in = bytes_of(data, size), frame;
	struct run r = {.now = 1};
	uint8_t control;
	uint16_t length;

	r.table = flow_table_create(&config, &r.counters, on_end, &r);
	require(r.table != NULL);
	while (bytes_read_u8(&in, &control) && bytes_read_u16(&in, &length) && bytes_take(&in, length, &frame)) {
		r.now += 1000000ull << (control & 15);
		if (control & 128)
			flow_table_step(r.table, r.now);
		take_frame(&r, frame);
		check_table(&r);
	}
	flow_table_flush(r.table, FLOW_END_SHUTDOWN);
	check_table(&r);
	flow_table_destroy(r.table);
	return 0;
}
