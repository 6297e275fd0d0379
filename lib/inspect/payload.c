// SPDX-License-Identifier: GPL-2.0-or-later
// From the bytes of a flow to its parser, and what becomes of bytes that no parser sees. Knows contexts, not what they hold.
#include "inspect_impl.h"

void describe_flow(const struct flow *f, struct proto_flow *out)
{
	flow_end(f, FLOW_CLIENT, &out->client);
	flow_end(f, FLOW_SERVER, &out->server);
	out->client_port = f->client_port;
	out->server_port = f->server_port;
	out->transport = f->transport;
	out->direction = f->direction;
	out->midstream = f->flags & FLOW_FLAG_MIDSTREAM;
}

static struct proto_input input_of(const struct proto_flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	bool from_client = sender == FLOW_CLIENT;
	bool client_inside = f->direction == DIRECTION_OUT || f->direction == DIRECTION_LATERAL;
	bool server_inside = f->direction == DIRECTION_IN || f->direction == DIRECTION_LATERAL;
	bool sender_inside = from_client ? client_inside : server_inside;

	return (struct proto_input){.data = data, .from_client = from_client, .gap = gap, .from_outside = !sender_inside,
				    .device_sends = sender_inside, .flow = f};
}

// Is what cannot be inspected for this reason refused? Replay only tells.
bool is_refused(const struct inspect *s, enum counter why)
{
	return s->config.refuse[why] && !s->config.replay && !s->panic;
}

bool flow_is_refused(const struct inspect *s, const struct flow *f)
{
	return f->flags & FLOW_FLAG_REFUSED && !s->panic;
}

// Told once, by its first reason; every reason may refuse it.
static void tell_once(struct inspect *s, struct flow *f, enum counter why)
{
	if (is_refused(s, why)) {
		f->flags |= FLOW_FLAG_REFUSED;
		shed_keep(s, f);
	}
	if (f->flags & FLOW_FLAG_UNINSPECTED_SENT)
		return;
	f->flags |= FLOW_FLAG_UNINSPECTED_SENT;
	emit_simple(s, f, OBS_UNINSPECTED, why, 0);
}

void inspect_uninspected(struct inspect *s, struct flow *f, enum counter why)
{
	f->flags |= FLOW_FLAG_UNINSPECTED;
	tell_once(s, f, why);
}

// A parser goes on, but not with all the bytes, or not surely as the receiver reads them. FLOW_FLAG_UNINSPECTED stays unset: where it is set, segments out
// of order are let by, and there is still something to find.
void partly_uninspected(void *user, enum counter why)
{
	struct inspect *s = user;

	if (s->flow)
		tell_once(s, s->flow, why);
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
	inspect_uninspected(s, victim, COUNT_PROTO_CONTEXT_FULL);
	return proto_open(s->pool);
}

// Bytes in order, from flow_order.
static void deliver(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct inspect *s = user;
	struct proto_input in;
	enum parse verdict;

	if (f->flags & FLOW_FLAG_DONE)
		return;
	in = input_of(&s->ends, sender, data, gap);
	if (!f->context && !(f->context = proto_open(s->pool)) && !(f->context = take_context(s))) {
		f->flags |= FLOW_FLAG_DONE;
		inspect_uninspected(s, f, COUNT_PROTO_CONTEXT_FULL);
		return;
	}
	if (f->flags & FLOW_FLAG_MIDSTREAM) // what was said before is not known
		partly_uninspected(s, COUNT_TCP_MIDSTREAM);
	verdict = proto_feed(s->pool, f->context, &in, &s->sink, &f->app);
	if (verdict == PARSE_MORE)
		return;
	proto_close(s->pool, f->context);
	f->context = 0;
	f->flags |= FLOW_FLAG_DONE;
	if (verdict == PARSE_BAD)
		inspect_uninspected(s, f, COUNT_PROTO_BAD);
}

const struct flow_unseen *unseen_of(const struct inspect *s, const struct flow *f, enum flow_side side, struct bytes payload,
				    struct flow_unseen *out)
{
	const struct proto_unseen *u;

	if (!payload.left || !f->context)
		return NULL;
	u = proto_unseen(s->pool, f->context, side == FLOW_CLIENT);
	if (!u->ahead && !u->gone)
		return NULL;
	*out = (struct flow_unseen){.ahead = u->ahead, .gone = u->gone, .since = u->since};
	return out;
}

// A FIN counts when the other end acknowledges it, so it is the receiver's frame that ends a side.
static void half_close(struct inspect *s, struct flow *f, enum flow_side side, bool fin_before)
{
	if (!fin_before && f->tcp[side].fin && f->context)
		proto_half_close(s->pool, f->context, side == FLOW_CLIENT, &s->ends, &s->sink);
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

// Nobody but these has a use for it. Theirs is left alone: what is urgent there may not be in the stream.
static bool wants_urgent(uint16_t port)
{
	static const uint16_t ports[] = {21, 23, 513, 514}; // FTP, telnet, rlogin, rsh

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static void take_urgent(struct inspect *s, struct flow *f)
{
	count(s->counters, COUNT_TCP_URGENT);
	if (s->config.replay || s->in_pieces || wants_urgent(f->server_port))
		inspect_uninspected(s, f, COUNT_TCP_URGENT);
	else
		decode_clear_urgent((uint8_t *)(uintptr_t)s->frame->at, s->packet);
}

static void tell_order(struct inspect *s, struct flow *f)
{
	enum counter why = f->flags & FLOW_FLAG_UNINSPECTED ? flow_uninspected_why(s->flows) : COUNTER_COUNT;

	if (why != COUNTER_COUNT)
		inspect_uninspected(s, f, why);
}

// Whatever else IP carries (SCTP, ESP, ...) nobody reads.
static void tell_transport(struct inspect *s, struct flow *f)
{
	if (f->transport == TRANSPORT_UDP || f->transport == TRANSPORT_ICMP || f->transport == TRANSPORT_ICMP6 ||
	    s->packet->oddities & (ODDITY_TUNNEL | ODDITY_EXTENSIONS))
		return;
	count(s->counters, COUNT_DECODE_TRANSPORT);
	inspect_uninspected(s, f, COUNT_DECODE_TRANSPORT);
}

void inspect_payload(struct inspect *s, struct flow *f, enum flow_side sender, const bool fin_before[2])
{
	struct bytes payload = packet_payload(s->frame, s->packet);

	if (f->transport == TRANSPORT_TCP) {
		struct flow_unseen unseen;

		if (s->packet->tcp_flags & TCP_URG && !(f->flags & FLOW_FLAG_DONE)) // without bytes, too: it may mean one to come
			take_urgent(s, f);
		flow_order(s->flows, f, sender, s->packet, payload, unseen_of(s, f, sender, payload, &unseen), deliver, s);
		half_close(s, f, FLOW_CLIENT, fin_before[FLOW_CLIENT]);
		half_close(s, f, FLOW_SERVER, fin_before[FLOW_SERVER]);
		give_back_context(s, f);
		tell_order(s, f);
	} else if (f->transport == TRANSPORT_UDP && payload.left) {
		struct proto_input in = input_of(&s->ends, sender, payload, false);

		proto_datagram(s->pool, &f->context, &in, &s->sink, &f->app);
	} else {
		tell_transport(s, f);
	}
}

void inspect_last_words(struct inspect *s, struct flow *f)
{
	const struct proto_flow ends = s->ends; // of the flow under inspection

	if (f->flags & FLOW_FLAG_DONE || f->state < FLOW_OPEN)
		return;
	s->flow = f;
	describe_flow(f, &s->ends);
	flow_order_end(s->flows, f, deliver, s);
	tell_order(s, f);
	if (f->context) {
		proto_half_close(s->pool, f->context, true, &s->ends, &s->sink);
		proto_half_close(s->pool, f->context, false, &s->ends, &s->sink);
	}
	s->ends = ends;
}
