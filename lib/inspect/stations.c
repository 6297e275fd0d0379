// SPDX-License-Identifier: GPL-2.0-or-later
// The order of the stations for one packet: flow, block?, hold?, parsers, certain fact. What each does stands in its own room.
#include "inspect_impl.h"

enum { HELD_LONGEST_MS = 1 };

bool is_inside(const struct inspect *s, const struct address *a)
{
	for (unsigned i = 0; i < s->config.inside_count; i++)
		if (prefix_has(&s->config.inside[i], a))
			return true;
	return s->config.inside_count == 0 && s->config.replay && address_is_private(a);
}

// As this frame says: inline by its port and the networks that are inside, in replay by those alone.
static uint8_t direction_by(const struct inspect *s, const struct flow *f, enum flow_side sender)
{
	struct address ends[2];
	bool client, server;

	flow_end(f, FLOW_CLIENT, &ends[FLOW_CLIENT]);
	flow_end(f, FLOW_SERVER, &ends[FLOW_SERVER]);
	client = is_inside(s, &ends[FLOW_CLIENT]);
	server = is_inside(s, &ends[FLOW_SERVER]);

	if (!s->config.replay) {
		bool sender_inside = s->frame->port == 0;

		client |= sender == FLOW_CLIENT ? sender_inside : !sender_inside;
		server |= sender == FLOW_SERVER ? sender_inside : !sender_inside;
	}
	return client ? (server ? DIRECTION_LATERAL : DIRECTION_OUT) : (server ? DIRECTION_IN : DIRECTION_TRANSIT);
}

// Anybody beside one port may send a frame in the name of who is behind the other, before the flow begins: who is inside would be told wrongly for as long as
// it lasts, to certain facts, to holding and to the brain. As long as one end only has spoken the latest frame is believed: its flow is a new one. When both have,
// each from its port, nothing alters it any more.
static bool is_turned(const struct inspect *s, const struct flow *f, enum flow_side sender)
{
	if (!f->direction || s->config.replay || (f->packets[FLOW_CLIENT] && f->packets[FLOW_SERVER]) ||
	    f->flags & FLOW_FLAG_HELD)
		return false;
	return direction_by(s, f, sender) != f->direction;
}

// A cut and a block may both be ordered for one flow, in either order; its ends are told once, by the first frame after.
static void reset_once(struct inspect *s, struct flow *f, enum flow_side sender, const uint32_t next_seq[2])
{
	if (!(f->flags & FLOW_FLAG_RESET_SENT) && enforce_resets(s, f, sender, next_seq))
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
	cut_flow(s, f);
	f->flags |= FLOW_FLAG_DONE;
	return INSPECT_DROP;
}

static enum inspect_action drop_cut(struct inspect *s, struct flow *f, enum flow_side sender)
{
	uint32_t next_seq[2] = {f->tcp[0].next_seq, f->tcp[1].next_seq};

	count(s->counters, f->flags & FLOW_FLAG_REFUSED ? COUNT_FRAMES_DROPPED_LIMIT : COUNT_FRAMES_DROPPED_CUT);
	reset_once(s, f, sender, next_seq);
	f->flags |= FLOW_FLAG_DONE;
	shed_keep(s, f); // anew: it is forgotten after hours
	// Or waiting would make us forget it. Nobody opens datagrams anew, nor what could not be reset: those are forgotten, or their cut would never end.
	if (f->flags & (f->transport == TRANSPORT_TCP ? FLOW_FLAG_RESET_SENT | FLOW_FLAG_REFUSED : FLOW_FLAG_REFUSED))
		flow_touch(s->flows, f);
	return INSPECT_DROP;
}

// Bytes that would go by unseen. A second, different copy is nobody's honest doing and is dropped in every mode; what only finds no place is dropped
// where a certain fact could be in it, or where the limit says so. Its sender repeats it.
static bool order_refuses(struct inspect *s, const struct flow *f, enum flow_side sender)
{
	const struct bytes payload = packet_payload(s->frame, s->packet);
	struct flow_unseen unseen;
	enum flow_take take;
	enum counter why = COUNT_FRAMES_DROPPED_ORDER;

	if (f->transport != TRANSPORT_TCP || f->flags & FLOW_FLAG_DONE || s->config.replay || s->panic)
		return false;
	if (!payload.left)
		return false;
	take = flow_order_takes(s->flows, f, sender, s->packet, payload, unseen_of(s, f, sender, payload, &unseen));
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

// Headers that hide what they carry: the packet is known by its addresses only.
static void tell_hidden(struct inspect *s, struct flow *f)
{
	if (s->packet->oddities & ODDITY_TUNNEL)
		inspect_uninspected(s, f, COUNT_DECODE_TUNNEL);
	else if (s->packet->oddities & ODDITY_EXTENSIONS)
		inspect_uninspected(s, f, COUNT_DECODE_EXTENSIONS);
}

// A cut flow goes by again (the mode has changed, or panic): what was dropped meanwhile is missing, and nothing of a connection is parsed any more.
static void tell_cut(struct inspect *s, struct flow *f)
{
	if (f->transport != TRANSPORT_TCP || !(f->flags & FLOW_FLAG_DONE) || f->flags & FLOW_FLAG_UNINSPECTED)
		return;
	count(s->counters, COUNT_TCP_GAP);
	inspect_uninspected(s, f, COUNT_TCP_GAP);
}

static enum inspect_action inspect_flow(struct inspect *s, struct flow *f, enum flow_side sender)
{
	const bool fin_before[2] = {f->tcp[0].fin, f->tcp[1].fin};
	uint32_t before[2];

	if (order_refuses(s, f, sender))
		return INSPECT_DROP;
	f->flags |= s->packet->oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM) ? FLOW_FLAG_CHECKSUM : 0;
	if (flow_update(s->flows, f, sender, s->frame, s->packet) && !(f->flags & FLOW_FLAG_OPEN_SENT))
		emit_flow_open(s, f);
	describe_flow(f, &s->ends);
	if (s->packet->oddities)
		tell_hidden(s, f);
	if (f->flags & FLOW_FLAG_CUT)
		tell_cut(s, f);
	before[sender] = f->tcp[sender].next_seq;
	inspect_payload(s, f, sender, fin_before);
	if (!s->cut && !flow_is_refused(s, f))
		return INSPECT_FORWARD;
	before[!sender] = f->tcp[!sender].next_seq; // what this sender has, it may only now have acknowledged
	reset_once(s, f, sender, before);
	if (f->transport == TRANSPORT_TCP)
		f->tcp[sender].next_seq = before[sender]; // what is dropped the receiver has not got: a reset that was put off begins there, too
	if (s->cut)
		cut_flow(s, f);
	f->flags |= FLOW_FLAG_DONE;
	count(s->counters, s->cut ? COUNT_FRAMES_DROPPED_CUT : COUNT_FRAMES_DROPPED_LIMIT);
	return INSPECT_DROP;
}

// It was cut or refused, and not both ends know yet. In replay nobody has to be told, nor where nothing went by.
static bool is_to_be_reset(const struct inspect *s, const struct flow *f)
{
	if (f->flags & FLOW_FLAG_RESET_SENT || s->config.replay || f->packets[FLOW_CLIENT] + f->packets[FLOW_SERVER] == 0)
		return false;
	return (f->flags & FLOW_FLAG_CUT && enforce_on(s)) || flow_is_refused(s, f);
}

static bool is_opening(const struct packet *p)
{
	return p->transport == TRANSPORT_TCP && !(p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET)) && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

// A client that was cut may connect again from the same port: that is a new connection.
static bool begins_anew(const struct inspect *s, const struct flow *f, enum flow_side sender)
{
	if (f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_REFUSED))
		return sender == FLOW_CLIENT && is_opening(s->packet);
	return is_turned(s, f, sender);
}

// The packet's flow. None begins anew before a cut was carried out, or a SYN sent for nothing else would undo it; asked before the table is, which takes a SYN
// for a new one by itself where the old one was about to end.
static struct flow *find_flow(struct inspect *s, enum flow_side *sender)
{
	const struct packet *p = s->packet;
	struct flow *f = is_opening(p) ? flow_find(s->flows, p, s->key, sender) : NULL;

	if (f && is_to_be_reset(s, f))
		return f;
	f = flow_find_or_add(s->flows, p, s->key, flow_time(s), sender);
	if (!f || !begins_anew(s, f, *sender))
		return f;
	flow_remove(s->flows, f, FLOW_END_REUSED);
	return flow_find_or_add(s->flows, p, s->key, flow_time(s), sender);
}

// Frames of a datagram put together are not kept to wait (pieces.c): they are dropped and come again, by when there is a verdict or none is waited for.
static bool may_wait(const struct inspect *s, const struct flow *f)
{
	return !s->in_pieces || flow_now(s->flows) - f->last <= HELD_LONGEST_MS;
}

static void begin_to_hold(struct inspect *s, struct flow *f)
{
	emit_simple(s, f, OBS_HELD, 0, 0);
	count(s->counters, COUNT_FRAMES_HELD);
	if (s->in_pieces)
		f->direction = 0; // what comes whole meanwhile is its first frame, and waits
	else
		f->flags |= FLOW_FLAG_HELD;
}

enum inspect_action inspect_stations(struct inspect *s, uint64_t *held)
{
	enum flow_side sender;
	struct block_entry *b;
	struct flow *f;
	bool is_new;

	if (enforce_drop_unknown(s) || enforce_drop_carried(s))
		return INSPECT_DROP;
	f = find_flow(s, &sender);
	if (!f)
		return inspect_untracked(s, COUNT_FLOWS_FULL);
	s->flow = f;
	is_new = f->direction == 0;
	if (is_new)
		f->direction = direction_by(s, f, sender);
	else if (s->shed.went)
		shed_resume(s, f, sender);
	if ((b = enforce_block(s, f, sender)))
		return refuse(s, f, sender, b);
	if ((f->flags & FLOW_FLAG_CUT && enforce_on(s)) || flow_is_refused(s, f))
		return drop_cut(s, f, sender);
	if (is_new && may_wait(s, f) && enforce_should_hold(s, f))
		begin_to_hold(s, f);
	if (f->flags & FLOW_FLAG_HELD || f->direction == 0) {
		*held = flow_id(s->flows, f);
		return INSPECT_HOLD;
	}
	return inspect_flow(s, f, sender);
}
