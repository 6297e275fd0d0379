// SPDX-License-Identifier: GPL-2.0-or-later
// From frames to packets, and what becomes of those that are none we can follow. A burst is taken step by step, each step over all frames, so that
// what a step needs from memory is on its way while the one before it runs.
#include "inspect_impl.h"

enum {
	LINE_BYTES = 64,
	AHEAD = 6,          // frames asked for before they are read: a core waits for a dozen lines at once, not for all of a burst
	AHEAD_REST = 3,     // what is behind their headers, for the sum over it: later, for the same reason
	REST_BYTES = 1536,
};

// A packet without a flow. Who is blocked does not come through in pieces, nor by filling our table.
enum inspect_action inspect_untracked(struct inspect *s, enum counter why)
{
	if (enforce_drop_untracked(s))
		return INSPECT_DROP;
	emit_untracked(s, why);
	if (!is_refused(s, why))
		return INSPECT_FORWARD;
	count(s->counters, COUNT_FRAMES_DROPPED_LIMIT);
	return INSPECT_DROP;
}

// Frames without a tracked packet: what may be said of them is that they were not inspected.
static enum inspect_action forward_unseen(struct inspect *s, enum decode_result why)
{
	if (why == DECODE_MALFORMED)
		count(s->counters, COUNT_DECODE_BAD);
	else if (!(s->packet->oddities & ODDITY_TUNNEL))
		count(s->counters, COUNT_DECODE_NOT_IP);
	if (why == DECODE_OTHER && !(s->packet->oddities & ODDITY_TUNNEL))
		return INSPECT_FORWARD;
	return inspect_untracked(s, why == DECODE_OTHER ? COUNT_DECODE_TUNNEL : COUNT_DECODE_BAD);
}

// Inline, a frame that no receiver accepts is dropped rather than left out of the inspected stream: COUNTER_COUNT if it may pass.
static enum counter dropped_for(struct inspect *s, enum decode_result r)
{
	const struct packet *p = s->packet;
	uint16_t sums = p->oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM);

	if (sums)
		count(s->counters, COUNT_DECODE_CHECKSUM);
	if (s->config.replay)
		return COUNTER_COUNT;
	if (p->oddities & ODDITY_CUT && r == DECODE_OK)
		return COUNT_FRAMES_DROPPED_TRUNCATED;
	if (sums)
		return COUNT_FRAMES_DROPPED_CHECKSUM;
	return p->oddities & ODDITIES_REFUSED ? COUNT_FRAMES_DROPPED_HEADERS : COUNTER_COUNT;
}

// What we read past, or could not: it is in no inspected stream.
static bool oddities_pass(struct inspect *s)
{
	static const struct {
		uint16_t oddity;
		enum counter why;
	} limits[] = {
		{ODDITY_TUNNEL, COUNT_DECODE_TUNNEL}, {ODDITY_EXTENSIONS, COUNT_DECODE_EXTENSIONS}, {ODDITY_IP_OPTIONS, COUNT_DECODE_OPTIONS},
	};
	bool pass = true;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!(s->packet->oddities & limits[i].oddity))
			continue;
		count(s->counters, limits[i].why);
		pass &= !is_refused(s, limits[i].why);
	}
	return pass;
}

enum inspect_action inspect_decoded(struct inspect *s, const struct look *l, uint64_t *held)
{
	enum counter why;

	s->packet = &l->packet;
	s->key = &l->key;
	why = dropped_for(s, l->result);
	if (why == COUNTER_COUNT && l->packet.oddities && !oddities_pass(s))
		why = COUNT_FRAMES_DROPPED_LIMIT;
	if (why != COUNTER_COUNT) {
		count(s->counters, why);
		return INSPECT_DROP;
	}
	return l->result == DECODE_OK ? inspect_stations(s, held) : forward_unseen(s, l->result);
}

// A fragment's own header and those around it; what is wrong with its place in the datagram is for defrag to say.
static enum inspect_action take_piece(struct inspect *s, struct look *l)
{
	s->packet = &l->packet;
	count(s->counters, COUNT_DECODE_FRAGMENT);
	if (piece_has_wrong_sum(s, &l->packet))
		return INSPECT_DROP;
	if (enforce_drop_untracked(s))
		return INSPECT_DROP;
	// The datagram has the first one's; a receiver may refuse another for its own.
	if (l->packet.fragment_offset && l->packet.oddities && !oddities_pass(s)) {
		count(s->counters, COUNT_FRAMES_DROPPED_LIMIT);
		return INSPECT_DROP;
	}
	return inspect_piece(s, l);
}

static enum inspect_action take_frame(struct inspect *s, const struct frame *f, struct look *l, uint64_t *flow)
{
	enum inspect_action action;

	*flow = 0;
	s->frame = f;
	s->flow = NULL;
	s->cut = false;
	s->unix_ns = f->unix_ns;
	s->frame_number++;
	count(s->counters, COUNT_FRAMES_IN);
	count_add(s->counters, COUNT_BYTES_IN, f->wire_bytes);
	action = l->result == DECODE_PIECE ? take_piece(s, l) : inspect_decoded(s, l, flow);
	s->frame = NULL;
	s->packet = NULL;
	s->key = NULL;
	s->flow = NULL;
	s->cut = false;
	return action;
}

static void look_at(struct inspect *s, const struct frame *f, struct look *l)
{
	l->result = decode_frame(f, DECODE_CHECKSUMS, &l->packet);
	if (l->result == DECODE_OK)
		flow_key_of(s->flows, &l->packet, &l->key);
}

enum inspect_action inspect_frame(struct inspect *s, const struct frame *f, uint64_t deadline_ns, uint64_t *flow)
{
	struct look *l = &s->look[0];

	s->deadline_ns = deadline_ns;
	look_at(s, f, l);
	return take_frame(s, f, l, flow);
}

static void prefetch_flows(struct inspect *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (s->look[i].result == DECODE_OK)
			flow_prefetch(s->flows, &s->look[i].key);
	for (unsigned i = 0; i < n; i++) {
		struct look *l = &s->look[i];
		uint32_t context = l->result == DECODE_OK ? flow_context_peek(s->flows, &l->key) : 0;

		if (context)
			proto_prefetch(s->pool, context, l->packet.payload_bytes != 0);
		if (l->result == DECODE_OK)
			flow_copy_of(s->flows, &l->key, &l->packet);
	}
	for (unsigned i = 0; i < n; i++)
		if (s->look[i].result == DECODE_OK)
			flow_prefetch_copy(s->flows, &s->look[i].key);
}

static inline __attribute__((always_inline)) void prefetch_frame(const struct frame *f)
{
	__builtin_prefetch(f->at);
	__builtin_prefetch(f->at + LINE_BYTES);
}

static inline __attribute__((always_inline)) void prefetch_rest(const struct frame *f)
{
	uint32_t end = f->bytes < REST_BYTES ? f->bytes : REST_BYTES;

	for (uint32_t at = 2 * LINE_BYTES; at < end; at += LINE_BYTES)
		__builtin_prefetch(f->at + at);
}

static void decode_burst(struct inspect *s, const struct frame *frames, unsigned n, uint32_t passed)
{
	for (unsigned i = 0; i < n && i < AHEAD; i++)
		prefetch_frame(&frames[i]);
	for (unsigned i = 0; i < n; i++) {
		if (i + AHEAD < n)
			prefetch_frame(&frames[i + AHEAD]);
		if (i + AHEAD_REST < n)
			prefetch_rest(&frames[i + AHEAD_REST]);
		s->look[i].result = passed >> i & 1 ? DECODE_OTHER : decode_frame(&frames[i], DECODE_CHECKSUMS, &s->look[i].packet);
	}
}

static void look_at_burst(struct inspect *s, const struct frame *frames, unsigned n, uint32_t passed)
{
	decode_burst(s, frames, n, passed);
	for (unsigned i = 0; i < n; i++) {
		if (s->look[i].result != DECODE_OK)
			continue;
		flow_key_of(s->flows, &s->look[i].packet, &s->look[i].key);
		// Of a flow between two inside ends, or in replay, it may be the wrong one.
		block_prefetch(s->blocks, frames[i].port ? &s->look[i].packet.source : &s->look[i].packet.destination);
	}
	for (unsigned i = 0; i < n; i++)
		if (s->look[i].result == DECODE_OK)
			flow_prefetch_bucket(s->flows, &s->look[i].key);
	prefetch_flows(s, n);
}

void inspect_burst(struct inspect *s, const struct frame *frames, unsigned n, uint64_t deadline_ns, inspect_decided_fn decided, void *user)
{
	uint32_t passed = s->shed.share ? shed_burst(s, frames, n) : 0;

	s->deadline_ns = deadline_ns;
	if ((unsigned)__builtin_popcount(passed) < n)
		look_at_burst(s, frames, n, passed);
	for (unsigned i = 0; i < n; i++) {
		uint64_t flow = 0;
		enum inspect_action action = INSPECT_FORWARD;

		if (!(passed >> i & 1))
			action = take_frame(s, &frames[i], &s->look[i], &flow);
		decided(user, i, action, flow);
	}
}

// Not counted anew: it was when it came.
static enum inspect_action inspect_again(struct inspect *s, const struct frame *f, uint64_t deadline_ns, uint64_t *flow)
{
	enum inspect_action action = inspect_frame(s, f, deadline_ns, flow);

	s->frame_number--;
	s->counters->value[COUNT_FRAMES_IN]--;
	s->counters->value[COUNT_BYTES_IN] -= f->wire_bytes;
	return action;
}

// The held frame goes through the stations it has not seen yet: it was only looked up when it came.
enum inspect_action inspect_held(struct inspect *s, const struct frame *f, uint64_t flow, uint64_t deadline_ns)
{
	struct flow *held = flow_by_id(s->flows, flow);
	enum inspect_action action;
	uint64_t again;

	if (held && held->flags & FLOW_FLAG_CUT && enforce_on(s)) { // not looked up again: a SYN would be taken for a new connection
		held->flags &= (uint16_t)~FLOW_FLAG_HELD;
		count(s->counters, COUNT_FRAMES_DROPPED_CUT);
		return INSPECT_DROP;
	}
	if (held && held->flags & FLOW_FLAG_HELD) {
		s->deadline_ns = deadline_ns;
		if (!enforce_block(s, held, FLOW_CLIENT) && enforce_on(s))
			return INSPECT_HOLD;
		held->flags &= (uint16_t)~FLOW_FLAG_HELD;
	}
	action = inspect_again(s, f, deadline_ns, &again);
	if (action != INSPECT_HOLD)
		return action;
	// It waits for another flow than it was held for (that one ended meanwhile). It has waited enough, but it never goes unseen.
	inspect_held_expired(s, again);
	return inspect_again(s, f, deadline_ns, &again);
}

void inspect_held_expired(struct inspect *s, uint64_t flow)
{
	struct flow *f = flow_by_id(s->flows, flow);

	if (!f || !(f->flags & FLOW_FLAG_HELD))
		return;
	f->flags &= (uint16_t)~FLOW_FLAG_HELD;
	count(s->counters, COUNT_FRAMES_HELD_EXPIRED);
}
