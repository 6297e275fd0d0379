// SPDX-License-Identifier: GPL-2.0-or-later
// The order of the stations for one frame. What each station does stands in its own room.
#include "inspect_impl.h"
#include <errno.h>
#include <stdlib.h>

static void flow_ended(void *user, struct flow *f, enum flow_end why)
{
	struct inspect *s = user;
	const struct frame *frame = s->frame;

	s->frame = NULL; // a closing note never cuts the frame that happens to be under inspection
	emit_flow_close(s, f, why);
	s->frame = frame;
	if (f->context)
		proto_close(s->pool, f->context);
	f->context = 0;
}

static bool attach_rings(struct inspect *s)
{
	struct wire_sheet *w = s->config.wire;
	const struct brain_sheet *b = s->config.brain;
	unsigned i = s->config.worker;

	if (i >= w->workers || i >= SHEET_WORKERS)
		return false;
	ring_writer_init(&s->out, &w->worker[i].observations, &b->worker[i].observations, w->worker[i].slots,
			 SHEET_OBSERVATION_SLOTS);
	ring_reader_init(&s->in, &b->worker[i].verdicts, &w->worker[i].verdicts, b->worker[i].slots, SHEET_VERDICT_SLOTS);
	return true;
}

static bool create_tables(struct inspect *s)
{
	const struct inspect_config *c = &s->config;

	s->flows = flow_table_create(&c->flow, s->counters, flow_ended, s);
	s->pool = s->flows ? proto_pool_create(c->contexts, s->counters) : NULL;
	s->blocks = s->pool ? block_table_create(c->blocks, &c->flow.key, s->counters) : NULL;
	if (!s->blocks)
		return false;
	for (unsigned i = 0; i < c->never_count; i++)
		if (block_never(s->blocks, &c->never[i]) < 0)
			return false;
	return true;
}

struct inspect *inspect_create(const struct inspect_config *config)
{
	struct inspect *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	s->counters = config->counters;
	s->sink = (struct proto_sink){.emit = emit_from_parser, .user = s, .counters = s->counters};
	if (!attach_rings(s))
		errno = EINVAL;
	else if (create_tables(s))
		return s;
	inspect_destroy(s);
	return NULL;
}

void inspect_destroy(struct inspect *s)
{
	if (!s)
		return;
	if (s->flows)
		flow_table_destroy(s->flows);
	if (s->pool)
		proto_pool_destroy(s->pool);
	if (s->blocks)
		block_table_destroy(s->blocks);
	free(s);
}

static bool is_inside(const struct inspect *s, const struct address *a)
{
	for (unsigned i = 0; i < s->config.inside_count; i++)
		if (prefix_has(&s->config.inside[i], a))
			return true;
	return s->config.inside_count == 0 && s->config.replay && address_is_private(a);
}

// Inline the port tells who is inside; in replay only the address can.
static void set_direction(const struct inspect *s, struct flow *f, enum flow_side sender)
{
	const struct address ends[2] = {flow_client(f), flow_server(f)};
	bool client = is_inside(s, &ends[FLOW_CLIENT]), server = is_inside(s, &ends[FLOW_SERVER]);

	if (!s->config.replay) {
		bool sender_inside = s->frame->port == 0;

		client |= sender == FLOW_CLIENT ? sender_inside : !sender_inside;
		server |= sender == FLOW_SERVER ? sender_inside : !sender_inside;
	}
	f->direction = client ? (server ? DIRECTION_LATERAL : DIRECTION_OUT) : (server ? DIRECTION_IN : DIRECTION_TRANSIT);
}

static struct proto_flow proto_flow_of(const struct flow *f)
{
	return (struct proto_flow){.client = flow_client(f), .server = flow_server(f), .client_port = f->client_port,
				   .server_port = f->server_port, .transport = f->transport, .direction = f->direction};
}

static struct proto_input input_of(const struct flow *f, const struct proto_flow *pf, enum flow_side sender, struct bytes data,
				   bool gap)
{
	bool from_client = sender == FLOW_CLIENT;
	bool client_inside = f->direction == DIRECTION_OUT || f->direction == DIRECTION_LATERAL;
	bool server_inside = f->direction == DIRECTION_IN || f->direction == DIRECTION_LATERAL;
	bool sender_inside = from_client ? client_inside : server_inside;

	return (struct proto_input){.data = data, .from_client = from_client, .gap = gap, .from_outside = !sender_inside,
				    .device_sends = sender_inside, .flow = pf};
}

// Is what cannot be inspected for this reason refused? Replay only tells.
static bool is_refused(const struct inspect *s, enum counter why)
{
	return s->config.refuse[why] && !s->config.replay && !s->panic;
}

static bool flow_is_refused(const struct inspect *s, const struct flow *f)
{
	return f->flags & FLOW_FLAG_REFUSED && !s->panic;
}

static void uninspected(struct inspect *s, struct flow *f, enum counter why)
{
	f->flags |= FLOW_FLAG_UNINSPECTED;
	if (f->flags & FLOW_FLAG_UNINSPECTED_SENT)
		return;
	f->flags |= FLOW_FLAG_UNINSPECTED_SENT;
	emit_simple(s, f, OBS_UNINSPECTED, why, 0);
	if (is_refused(s, why))
		f->flags |= FLOW_FLAG_REFUSED;
}

// All contexts are in use: the flow longest silent loses its own, so that nobody keeps them all by saying little.
static uint32_t take_context(struct inspect *s)
{
	struct flow *victim = flow_next_context(s->flows);

	count(s->counters, COUNT_PROTO_CONTEXT_FULL);
	if (!victim)
		return 0;
	proto_close(s->pool, victim->context);
	victim->context = 0;
	victim->flags |= FLOW_FLAG_DONE;
	uninspected(s, victim, COUNT_PROTO_CONTEXT_FULL);
	return proto_open(s->pool);
}

// Bytes in order, from flow_order.
static void deliver(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct inspect *s = user;
	struct proto_flow pf = proto_flow_of(f);
	struct proto_input in = input_of(f, &pf, sender, data, gap);
	enum parse verdict;

	if (f->flags & FLOW_FLAG_DONE)
		return;
	if (!f->context && !(f->context = proto_open(s->pool)) && !(f->context = take_context(s))) {
		f->flags |= FLOW_FLAG_DONE;
		uninspected(s, f, COUNT_PROTO_CONTEXT_FULL);
		return;
	}
	verdict = proto_feed(s->pool, f->context, &in, &s->sink, &f->app);
	if (verdict == PARSE_MORE)
		return;
	proto_close(s->pool, f->context);
	f->context = 0;
	f->flags |= FLOW_FLAG_DONE;
	if (verdict == PARSE_BAD)
		uninspected(s, f, COUNT_PROTO_BAD);
}

// A FIN counts when the other end acknowledges it, so it is the receiver's frame that ends a side.
static void half_close(struct inspect *s, struct flow *f, enum flow_side side, bool fin_before)
{
	struct proto_flow pf = proto_flow_of(f);

	if (!fin_before && f->tcp[side].fin && f->context)
		proto_half_close(s->pool, f->context, side == FLOW_CLIENT, &pf, &s->sink);
}

// Both ends have acknowledged the other's FIN, so no byte can follow: the parser's state is wanted by others. A RST is no such proof: its receiver may
// never have got it.
static void give_back_context(struct inspect *s, struct flow *f)
{
	if (!f->tcp[FLOW_CLIENT].fin || !f->tcp[FLOW_SERVER].fin || !f->context)
		return;
	proto_close(s->pool, f->context);
	f->context = 0;
}

static void inspect_payload(struct inspect *s, struct flow *f, enum flow_side sender, const bool fin_before[2])
{
	struct bytes payload = packet_payload(s->frame, s->packet);

	if (f->transport == TRANSPORT_TCP) {
		if (s->packet->tcp_flags & TCP_URG && payload.left && !(f->flags & FLOW_FLAG_DONE)) {
			count(s->counters, COUNT_TCP_URGENT);
			uninspected(s, f, COUNT_TCP_URGENT);
		}
		flow_order(s->flows, f, sender, s->packet, payload, deliver, s);
		half_close(s, f, FLOW_CLIENT, fin_before[FLOW_CLIENT]);
		half_close(s, f, FLOW_SERVER, fin_before[FLOW_SERVER]);
		give_back_context(s, f);
		if (f->flags & FLOW_FLAG_UNINSPECTED)
			uninspected(s, f, flow_uninspected_why(s->flows));
	} else if (f->transport == TRANSPORT_UDP && payload.left) {
		struct proto_flow pf = proto_flow_of(f);
		struct proto_input in = input_of(f, &pf, sender, payload, false);

		proto_datagram(&in, &s->sink, &f->app);
	}
}

// A packet without a flow. Who is blocked does not come through in pieces, nor by filling our table.
static enum inspect_action pass_untracked(struct inspect *s, enum counter why)
{
	bool from_inside = s->config.replay ? is_inside(s, &s->packet->source) : s->frame->port == 0;
	struct block_entry *b = enforce_block_untracked(s, from_inside);

	if (!b && is_refused(s, why)) {
		count(s->counters, COUNT_FRAMES_DROPPED_LIMIT);
		return INSPECT_DROP;
	}
	if (!b)
		return INSPECT_FORWARD;
	count(s->counters, COUNT_FRAMES_DROPPED_BLOCK);
	b->frames++;
	b->bytes += s->frame->wire_bytes;
	b->unreported++;
	return INSPECT_DROP;
}

// Frames without a tracked packet: what may be said of them is that they were not inspected.
static enum inspect_action forward_unseen(struct inspect *s, enum decode_result why)
{
	if (why == DECODE_OTHER)
		count(s->counters, COUNT_DECODE_NOT_IP);
	else if (why == DECODE_PIECE)
		count(s->counters, COUNT_DECODE_FRAGMENT);
	else
		count(s->counters, COUNT_DECODE_BAD);
	return why == DECODE_PIECE ? pass_untracked(s, COUNT_DECODE_FRAGMENT) : INSPECT_FORWARD;
}

// false: drop it. Inline, a frame that no receiver accepts is dropped rather than left out of the inspected stream.
static bool checksum_passes(struct inspect *s)
{
	if (!(s->packet->oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM)))
		return true;
	count(s->counters, COUNT_DECODE_CHECKSUM);
	if (s->config.replay)
		return true;
	count(s->counters, COUNT_FRAMES_DROPPED_CHECKSUM);
	return false;
}

// A cut and a block may both be ordered for one flow, in either order; its ends are told once, by the first frame after.
static void reset_once(struct inspect *s, struct flow *f, enum flow_side sender, const uint32_t next_seq[2])
{
	if (!(f->flags & FLOW_FLAG_RESET_SENT))
		enforce_resets(s, f, sender, next_seq);
	f->flags |= FLOW_FLAG_RESET_SENT;
}

static enum inspect_action refuse(struct inspect *s, struct flow *f, enum flow_side sender, struct block_entry *b)
{
	uint32_t next_seq[2] = {f->tcp[0].next_seq, f->tcp[1].next_seq};

	enforce_count_block(s, f, b);
	f->flags &= (uint16_t)~FLOW_FLAG_HELD;
	flow_touch(s->flows, f); // remembered as long as somebody tries
	if (f->packets[0] + f->packets[1] == 0) {
		if (f->direction == DIRECTION_OUT)
			enforce_refuse_open(s);
		return INSPECT_DROP;
	}
	if (f->transport != TRANSPORT_TCP) // only a connection is over with its block: datagrams may go on when it ends
		return INSPECT_DROP;
	reset_once(s, f, sender, next_seq);
	f->flags |= FLOW_FLAG_CUT | FLOW_FLAG_DONE;
	return INSPECT_DROP;
}

static enum inspect_action drop_cut(struct inspect *s, struct flow *f, enum flow_side sender)
{
	uint32_t next_seq[2] = {f->tcp[0].next_seq, f->tcp[1].next_seq};

	count(s->counters, f->flags & FLOW_FLAG_REFUSED ? COUNT_FRAMES_DROPPED_LIMIT : COUNT_FRAMES_DROPPED_CUT);
	reset_once(s, f, sender, next_seq);
	f->flags |= FLOW_FLAG_DONE;
	flow_touch(s->flows, f); // or waiting would make us forget it
	return INSPECT_DROP;
}

// Bytes that would go by unseen. A second, different copy is nobody's honest doing and is dropped in every mode; what only finds no place is dropped
// where a certain fact could be in it, or where the limit says so. Its sender repeats it.
static bool order_refuses(struct inspect *s, const struct flow *f, enum flow_side sender)
{
	enum flow_take take;
	enum counter why = COUNT_FRAMES_DROPPED_ORDER;

	if (f->transport != TRANSPORT_TCP || f->flags & FLOW_FLAG_DONE || s->config.replay || s->panic)
		return false;
	take = flow_order_takes(s->flows, f, sender, s->packet, packet_payload(s->frame, s->packet));
	if (take == FLOW_TAKES)
		return false;
	if (take == FLOW_TAKES_OTHER)
		why = COUNT_FRAMES_DROPPED_DIFFERENT;
	else if (is_refused(s, take == FLOW_TAKES_UNKNOWN ? COUNT_TCP_COPY : COUNT_TCP_PARK_FULL))
		why = COUNT_FRAMES_DROPPED_LIMIT;
	else if (take == FLOW_TAKES_UNKNOWN || f->flags & FLOW_FLAG_UNINSPECTED || !s->certain_count || !enforce_on(s))
		return false;
	count(s->counters, why);
	return true;
}

static enum inspect_action inspect_flow(struct inspect *s, struct flow *f, enum flow_side sender)
{
	const bool fin_before[2] = {f->tcp[0].fin, f->tcp[1].fin};
	uint32_t before[2];

	if (order_refuses(s, f, sender))
		return INSPECT_DROP;
	f->flags |= s->packet->oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM) ? FLOW_FLAG_CHECKSUM : 0;
	if (flow_update(s->flows, f, sender, s->frame, s->packet))
		emit_flow_open(s, f);
	before[sender] = f->tcp[sender].next_seq;
	inspect_payload(s, f, sender, fin_before);
	if (!s->cut && !flow_is_refused(s, f))
		return INSPECT_FORWARD;
	before[!sender] = f->tcp[!sender].next_seq; // what this sender has, it may only now have acknowledged
	reset_once(s, f, sender, before);
	f->flags |= (s->cut ? FLOW_FLAG_CUT : 0) | FLOW_FLAG_DONE;
	count(s->counters, s->cut ? COUNT_FRAMES_DROPPED_CUT : COUNT_FRAMES_DROPPED_LIMIT);
	return INSPECT_DROP;
}

// The packet's flow. A client that was cut may connect again from the same port: that is a new connection.
static struct flow *find_flow(struct inspect *s, enum flow_side *sender)
{
	const struct packet *p = s->packet;
	struct flow_key key;
	struct flow *f;

	flow_key_of(s->flows, p, &key);
	f = flow_find_or_add(s->flows, p, &key, s->frame->unix_ns, sender);

	if (!f || !(f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_REFUSED)) || f->transport != TRANSPORT_TCP || *sender != FLOW_CLIENT)
		return f;
	if (p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET) || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return f;
	flow_remove(s->flows, f, FLOW_END_REUSED);
	return flow_find_or_add(s->flows, p, &key, s->frame->unix_ns, sender);
}

static enum inspect_action stations(struct inspect *s, uint64_t *held)
{
	enum flow_side sender;
	struct flow *f = find_flow(s, &sender);
	struct block_entry *b;
	bool is_new;

	if (!f)
		return pass_untracked(s, COUNT_FLOWS_FULL);
	s->flow = f;
	is_new = f->direction == 0;
	if (is_new)
		set_direction(s, f, sender);
	if ((b = enforce_block(s, f)))
		return refuse(s, f, sender, b);
	if ((f->flags & FLOW_FLAG_CUT && enforce_on(s)) || flow_is_refused(s, f))
		return drop_cut(s, f, sender);
	if (is_new && enforce_should_hold(s, f)) {
		f->flags |= FLOW_FLAG_HELD;
		emit_simple(s, f, OBS_HELD, 0, 0);
		count(s->counters, COUNT_FRAMES_HELD);
	}
	if (f->flags & FLOW_FLAG_HELD) {
		*held = flow_id(s->flows, f);
		return INSPECT_HOLD;
	}
	return inspect_flow(s, f, sender);
}

static enum inspect_action decoded(struct inspect *s, struct packet *p, uint64_t *held)
{
	enum decode_result r = decode_frame(s->frame, true, p);

	s->packet = p;
	if (p->oddities & ODDITY_CUT && !s->config.replay && r == DECODE_OK) {
		count(s->counters, COUNT_FRAMES_DROPPED_TRUNCATED);
		return INSPECT_DROP;
	}
	if (p->oddities & ODDITY_TUNNEL)
		count(s->counters, COUNT_DECODE_TUNNEL);
	if (r != DECODE_OK)
		return forward_unseen(s, r);
	if (!checksum_passes(s))
		return INSPECT_DROP;
	return stations(s, held);
}

enum inspect_action inspect_frame(struct inspect *s, const struct frame *f, uint64_t deadline_ns, uint64_t *flow)
{
	enum inspect_action action;
	struct packet p;

	*flow = 0;
	s->frame = f;
	s->flow = NULL;
	s->cut = false;
	s->deadline_ns = deadline_ns;
	s->unix_ns = f->unix_ns;
	s->frame_number++;
	count(s->counters, COUNT_FRAMES_IN);
	count_add(s->counters, COUNT_BYTES_IN, f->wire_bytes);
	action = decoded(s, &p, flow);
	s->frame = NULL;
	s->packet = NULL;
	s->flow = NULL;
	s->cut = false;
	return action;
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

	if (held && held->flags & FLOW_FLAG_HELD) {
		s->deadline_ns = deadline_ns;
		if (!enforce_block(s, held) && enforce_on(s) && !(held->flags & FLOW_FLAG_CUT))
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

void inspect_step(struct inspect *s, uint64_t deadline_ns, uint64_t unix_ns)
{
	s->deadline_ns = deadline_ns;
	if (unix_ns > s->unix_ns)
		s->unix_ns = unix_ns;
	enforce_verdicts(s);
	enforce_refresh_certain(s);
	flow_table_step(s->flows, s->unix_ns);
	block_step(s->blocks, deadline_ns);
}

void inspect_flush(struct inspect *s)
{
	flow_table_flush(s->flows, FLOW_END_SHUTDOWN);
}

void inspect_panic(struct inspect *s, bool on)
{
	s->panic = on;
}

bool inspect_is_panic(const struct inspect *s)
{
	return s->panic;
}

struct block_table *inspect_blocks(struct inspect *s)
{
	return s->blocks;
}

uint32_t inspect_flows(const struct inspect *s)
{
	return flow_count(s->flows);
}
