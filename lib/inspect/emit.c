// SPDX-License-Identifier: GPL-2.0-or-later
// Observations out: fills the head from the flow and the frame, asks whether the wire may cut by itself, pushes into the ring. A full ring loses
// the record, counts it, and the next one that fits is preceded by OBS_LOST with the number.
#include "inspect_impl.h"
#include "text.h"

static void push(struct inspect *s, struct observation *o)
{
	o->worker = (uint8_t)s->config.worker;
	o->sequence = ++s->sequence;
	if (ring_push(&s->out, o)) {
		count(s->counters, COUNT_OBSERVATIONS);
		return;
	}
	s->lost++;
	count(s->counters, COUNT_OBSERVATIONS_LOST);
}

static void report_lost(struct inspect *s, const struct observation *like)
{
	struct observation lost;

	observation_init(&lost, OBS_LOST);
	lost.time_ns = like->time_ns;
	lost.worker = (uint8_t)s->config.worker;
	lost.direction = DIRECTION_TRANSIT;
	lost.client = lost.server = address_v4((const uint8_t[4]){0});
	lost.number[NUM_LOST_COUNT] = s->lost;
	lost.sequence = s->sequence + 1;
	if (!ring_push(&s->out, &lost))
		return;
	s->sequence++;
	s->lost = 0;
}

static void fill_head(const struct inspect *s, const struct flow *f, struct observation *o)
{
	o->time_ns = s->unix_ns;
	o->flow = flow_id(s->flows, f);
	o->frame = s->frame_number;
	flow_end(f, FLOW_CLIENT, &o->client);
	flow_end(f, FLOW_SERVER, &o->server);
	o->client_port = f->client_port;
	o->server_port = f->server_port;
	o->vlan = f->vlan;
	o->transport = f->transport;
	o->direction = f->direction;
	if (f->flags & FLOW_FLAG_MIDSTREAM)
		o->flags8 |= OBS_FLAG_MIDSTREAM;
	if (f->flags & FLOW_FLAG_CHECKSUM)
		o->flags8 |= OBS_FLAG_BAD_CHECKSUM;
}

void emit(struct inspect *s, struct flow *f, struct observation *o)
{
	const struct certain_rule *rule = NULL;

	fill_head(s, f, o);
	if (s->cut) {
		o->flags8 |= OBS_FLAG_DROPPED;
	} else if (o->facts && s->frame && (rule = enforce_certain(s, f, o))) {
		s->cut = true;
		o->flags8 |= OBS_FLAG_DROPPED;
	}
	if (o->flags8 & OBS_FLAG_TRUNCATED)
		count(s->counters, COUNT_PROTO_TRUNCATED);
	if (s->lost)
		report_lost(s, o);
	push(s, o);
	if (rule) {
		count(s->counters, COUNT_CUTS_CERTAIN);
		emit_simple(s, f, OBS_CUT, rule->fact, s->certain_version);
	}
}

void emit_from_parser(void *user, struct observation *o)
{
	struct inspect *s = user;

	if (s->flow)
		emit(s, s->flow, o);
}

void emit_simple(struct inspect *s, struct flow *f, enum observation_kind kind, uint64_t n0, uint64_t n1)
{
	struct observation o;

	observation_init(&o, kind);
	o.app = f->app;
	o.number[0] = n0;
	o.number[1] = n1;
	emit(s, f, &o);
}

// Of a packet without a flow.
static void push_alone(struct inspect *s, struct observation *o)
{
	const struct packet *p = s->packet;
	bool from_inside = s->config.replay ? is_inside(s, &p->source) : s->frame->port == 0;

	o->time_ns = s->unix_ns;
	o->frame = s->frame_number;
	o->client = p->source;
	o->server = p->destination;
	o->client_port = p->source_port;
	o->server_port = p->destination_port;
	o->vlan = p->vlans ? p->vlan[0] : 0;
	o->transport = p->transport;
	o->direction = from_inside ? DIRECTION_OUT : DIRECTION_IN;
	o->from_client = 1;
	if (s->lost)
		report_lost(s, o);
	push(s, o);
}

void emit_untracked(struct inspect *s, enum counter why)
{
	struct observation o;

	if (!address_is_set(&s->packet->source) || (s->untracked_ns[why] && s->unix_ns - s->untracked_ns[why] < NS_PER_S))
		return;
	s->untracked_ns[why] = s->unix_ns;
	observation_init(&o, OBS_UNINSPECTED);
	o.number[NUM_UNINSPECTED_WHY] = why;
	push_alone(s, &o);
}

void emit_blocked(struct inspect *s, struct flow *f, const struct block_entry *b)
{
	struct observation o;

	if (f) {
		emit_simple(s, f, OBS_BLOCKED, b->rule.id, b->unreported);
		return;
	}
	observation_init(&o, OBS_BLOCKED);
	o.number[NUM_BLOCKED_ID] = b->rule.id;
	o.number[NUM_BLOCKED_FRAMES] = b->unreported;
	push_alone(s, &o);
}

void emit_flow_open(struct inspect *s, struct flow *f)
{
	f->flags |= FLOW_FLAG_OPEN_SENT;
	emit_simple(s, f, OBS_FLOW_OPEN, 0, 0);
}

void emit_flow_close(struct inspect *s, struct flow *f, enum flow_end why)
{
	struct observation o;

	if (!(f->flags & FLOW_FLAG_OPEN_SENT))
		return;
	observation_init(&o, OBS_FLOW_CLOSE);
	o.app = f->app;
	o.number[NUM_CLOSE_BYTES_CLIENT] = flow_bytes(f, FLOW_CLIENT);
	o.number[NUM_CLOSE_BYTES_SERVER] = flow_bytes(f, FLOW_SERVER);
	o.number[NUM_CLOSE_PACKETS_CLIENT] = f->packets[FLOW_CLIENT];
	o.number[NUM_CLOSE_PACKETS_SERVER] = f->packets[FLOW_SERVER];
	o.number[NUM_CLOSE_START_NS] = s->unix_ns - (flow_time(s) - flow_first_ns(s->flows, f));
	o.number[NUM_CLOSE_REASON] = why;
	if (f->flags & FLOW_FLAG_CUT)
		o.flags8 |= OBS_FLAG_DROPPED;
	emit(s, f, &o);
}
