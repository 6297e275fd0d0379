// SPDX-License-Identifier: GPL-2.0-or-later
// See bed.h.
#include "bed.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

enum { PARKED = 1 << 14, BLOCK_CAPACITY = 1 << 17 };

static void create_channel(struct bed *b)
{
	static const struct siphash_key key = {1, 2};

	b->wire = calloc(1, wire_sheet_bytes(1));
	b->brain = calloc(1, sizeof(*b->brain));
	if (!b->wire || !b->brain)
		log_fatal("out of memory");
	wire_sheet_init(b->wire, 1, 1, &key);
	brain_sheet_init(b->brain);
	b->brain->mode = MODE_ENFORCE; // as inline at its most expensive; nothing is held
	ring_reader_init(&b->in, &b->wire->worker[0].observations, &b->brain->worker[0].observations,
			 b->wire->worker[0].slots, SHEET_OBSERVATION_SLOTS);
}

// 240.0.0.0/4 is reserved (RFC 1112): no capture has it.
static void add_blocks(struct bed *b, uint32_t blocks, uint64_t now_ns)
{
	for (uint32_t i = 0; i < blocks; i++) {
		uint8_t a[4] = {240, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		struct verdict v = {.size_bytes = sizeof(v),
				    .kind = VERDICT_BLOCK,
				    .id = i + 1,
				    .endpoint = address_v4(a),
				    .endpoint_bits = 32,
				    .expires_ns = now_ns + VERDICT_LONGEST_NS / 2};

		if (block_add(inspect_blocks(b->inspect), &v, now_ns) < 0)
			log_fatal("a block was refused");
	}
}

void bed_make(struct bed *b, const struct bed_plan *plan, uint64_t now_ns)
{
	struct inspect_config c = {
		.flow = {.flows = plan->flows, .parked_segments = PARKED, .key = {5, 6}},
		.contexts = plan->contexts,
		.blocks = BLOCK_CAPACITY,
		.replay = plan->replay,
		.forward_only = plan->forward_only,
		.inside = plan->inside,
		.inside_count = plan->insides,
		.counters = &b->counters,
	};

	memset(b, 0, sizeof(*b));
	create_channel(b);
	c.wire = b->wire;
	c.brain = b->brain;
	b->inspect = inspect_create(&c);
	if (!b->inspect)
		log_fatal("the stations could not be set up: %s", strerror(errno));
	add_blocks(b, plan->blocks, now_ns);
}

void bed_free(struct bed *b)
{
	inspect_destroy(b->inspect);
	free(b->wire);
	free(b->brain);
}

struct taken { // by bed_burst
	uint64_t *counts;
	uint8_t *each;
};

static void decided(void *user, unsigned i, enum inspect_action action, uint64_t flow)
{
	const struct taken *t = user;

	t->counts[action]++;
	if (t->each)
		t->each[i] = (uint8_t)action;
}

void bed_burst(struct bed *b, const struct frame *f, size_t n, uint64_t now_ns, uint64_t counts[BED_ACTIONS],
	       uint8_t each[BED_BURST])
{
	struct taken t = {counts, each};

	inspect_step(b->inspect, now_ns, now_ns);
	inspect_burst(b->inspect, f, (unsigned)n, now_ns, decided, &t);
}

void bed_drain(struct bed *b, void (*each)(void *user, const struct observation *o), void *user)
{
	struct observation o;

	while (ring_pop(&b->in, &o)) {
		if (o.kind < OBS_KINDS)
			b->kinds[o.kind]++;
		if (each)
			each(user, &o);
	}
}

uint64_t bed_dropped(const struct bed *b)
{
	return counters_dropped(&b->counters);
}
