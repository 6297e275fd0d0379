// SPDX-License-Identifier: GPL-2.0-or-later
// The whole wire against a hostile net and a hostile brain. Records of {control, length (2, big-endian), bytes}. Control:
// bits 0-3 let 2^n ms pass; bit 7 clear: a frame, bit 6 from outside; bit 7 alone: bytes written over the brain's sheet at
// the offset they begin with, or, of fewer than two bytes, polls of both ports that brought little, with bit 4 too much;
// bits 7 and 6: a verdict; bit 5 asks about held frames, bit 4 lets them go.
#include <stdlib.h>
#include "inspect.h"
#include "kept_pool_fuzz.h"

enum { FLOWS = 16, PARKED = 24, CONTEXTS = 4, BLOCKS = 8, HELD = 8, SHEET_MUTATED = 1 << 16,
       DATAGRAMS = 32, LONG_RUN = 1 << 20, FRAGMENT_BYTES = 64 << 10 /* preparing the usual memory takes a hundred times what an input does */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct inspect *inspect;
	struct counters counters;
	struct ring_reader observations;
	struct ring_writer verdicts;
	uint64_t now, in, out, held;
	struct {
		struct frame frame;
		uint64_t flow;
	} park[HELD];
};

static struct wire_sheet *wire;
static struct brain_sheet *brain;

static void require(bool truth)
{
	if (!truth)
		abort();
}

// A fragment whose datagram was let go.
static void on_forward(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	struct run *r = user;

	require(port < 2 && n > 0 && frame);
	r->out++;
}

static bool on_transmit(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	struct frame f = {.at = frame, .bytes = (uint32_t)n, .wire_bytes = (uint32_t)n, .link = LINK_ETHERNET};
	struct packet p;

	require(port < 2 && n >= 54 && n <= DECODE_RESET_BYTES);
	require(decode_frame(&f, true, &p) == DECODE_OK && p.tcp_flags & TCP_RST);
	require(!(p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM)));
	return true;
}

// A held one is asked about until it goes or is let go: never twice the same frame, never for ever.
static void review(struct run *r, bool expire)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < r->held; i++) {
		enum inspect_action a;

		if (expire)
			inspect_held_expired(r->inspect, r->park[i].flow);
		a = inspect_held(r->inspect, &r->park[i].frame, r->park[i].flow, r->now);
		require(a == INSPECT_FORWARD || a == INSPECT_DROP || (a == INSPECT_HOLD && !expire));
		if (a == INSPECT_HOLD)
			r->park[kept++] = r->park[i];
		r->out += a == INSPECT_FORWARD;
	}
	r->held = kept;
}

static void take_frame(struct run *r, uint8_t control, struct bytes b)
{
	struct frame f = {.at = b.at, .bytes = (uint32_t)b.left, .wire_bytes = (uint32_t)b.left, .unix_ns = r->now,
			  .port = control >> 6 & 1, .link = LINK_ETHERNET};
	uint64_t flow = 0;
	enum inspect_action a = inspect_frame(r->inspect, &f, r->now, &flow);

	r->in++;
	require(a <= INSPECT_KEPT);
	require((a == INSPECT_HOLD) == (flow != 0));
	r->out += a == INSPECT_FORWARD;
	if (a != INSPECT_HOLD)
		return;
	if (r->held == HELD)
		review(r, true);
	r->park[r->held].frame = f;
	r->park[r->held++].flow = flow;
}

// Its words, certain facts, and the pages and first verdicts of worker 0; the rest is never read here, or is only bits.
static void mutate(struct bytes b, uint16_t at)
{
	for (size_t i = 0; i < b.left; i++)
		((uint8_t *)brain)[(at + i) % SHEET_MUTATED] = b.at[i];
}

// Too much on either side lets a quarter more of all flows go by unseen; little lets one slice less.
static void poll(struct run *r, bool too_much)
{
	for (unsigned i = 0; i < 4; i++)
		inspect_polled(r->inspect, i & 1, too_much ? LONG_RUN : 0, r->now);
}

static void check(struct run *r)
{
	const uint64_t *v = r->counters.value;
	struct observation o;

	while (ring_pop(&r->observations, &o))
		require(observation_check(&o));
	// What is neither out, dropped nor held is a fragment that waits for others.
	require(v[COUNT_FRAMES_IN] == r->in && r->in >= r->out + counters_dropped(&r->counters) + r->held);
	require(inspect_datagrams(r->inspect) || r->in == r->out + counters_dropped(&r->counters) + r->held);
	require(inspect_flows(r->inspect) <= FLOWS && block_count(inspect_blocks(r->inspect)) <= BLOCKS);
}

// A verdict that is well-formed but for the bytes given: from its `transport` on.
static void say_verdict(struct run *r, uint8_t control, struct bytes b)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = control & 7};
	size_t n = bytes_head(b, sizeof(v) - 6).left;

	if (n)
		memcpy((uint8_t *)&v + 6, b.at, n);
	v.expires_ns = r->now + 1000000000;
	ring_push(&r->verdicts, &v);
}

static void start(struct run *r)
{
	static const struct siphash_key filter = {3, 4};
	struct inspect_config c = {.flow = {.flows = FLOWS, .parked_segments = PARKED, .key = {1, 2}},
				   .contexts = CONTEXTS, .blocks = BLOCKS, .defrag = {.datagrams = DATAGRAMS, .bytes = FRAGMENT_BYTES}, .wire = wire, .brain = brain,
				   .hooks = {.transmit = on_transmit, .forward = on_forward, .user = r}, .counters = &r->counters};

	*r = (struct run){.now = 1000000000};
	memset(wire, 0, sizeof(*wire) + sizeof(wire->worker[0].observations) + sizeof(wire->worker[0].verdicts));
	memset(brain, 0, SHEET_MUTATED);
	wire_sheet_init(wire, 1, 1, &filter);
	brain_sheet_init(brain);
	brain->mode = MODE_ENFORCE;
	brain->certain[0] = (struct certain_rule){.fact = FACT_JAVA_CLASS};
	brain->certain_count = 1;
	brain->certain_version = 2;
	ring_reader_init(&r->observations, &wire->worker[0].observations, &brain->worker[0].observations,
			 wire->worker[0].slots, SHEET_OBSERVATION_SLOTS);
	ring_writer_init(&r->verdicts, &brain->worker[0].verdicts, &wire->worker[0].verdicts, brain->worker[0].slots,
			 SHEET_VERDICT_SLOTS);
	r->inspect = inspect_create(&c);
	require(r->inspect != NULL);
}

static void take(struct run *r, uint8_t control, struct bytes b)
{
	uint16_t at;

	r->now += 1000000ull << (control & 15);
	inspect_step(r->inspect, r->now, r->now);
	if (!(control & 128))
		take_frame(r, control, b);
	else if (control & 64)
		say_verdict(r, control, b);
	else if (bytes_read_u16(&b, &at))
		mutate(b, at);
	else
		poll(r, control & 16);
	if (control & 32)
		review(r, control & 16);
	check(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *own = malloc(size), control; // a frame's urgent pointer is cleared in place
	static struct run r;
	struct bytes in, b;
	uint16_t length;

	require(own || !size);
	if (size)
		memcpy(own, data, size);
	in = bytes_of(own, size);
	if (!wire) { // as memory files are, on a boundary of pages
		wire = aligned_alloc(4096, (wire_sheet_bytes(1) + 4095) / 4096 * 4096);
		brain = aligned_alloc(4096, (sizeof(*brain) + 4095) / 4096 * 4096);
		require(wire && brain);
		memset(brain, 0, sizeof(*brain));
	}
	start(&r);
	while (bytes_read_u8(&in, &control) && bytes_read_u16(&in, &length) && bytes_take(&in, length, &b))
		take(&r, control, b);
	review(&r, true);
	inspect_flush(r.inspect);
	require(r.held == 0 && inspect_flows(r.inspect) == 0);
	inspect_destroy(r.inspect);
	free(own);
	return 0;
}
