// SPDX-License-Identifier: GPL-2.0-or-later
// Everything by which the wire acts: certain facts, blocks, resets, holding, and the verdicts that order them. Every word read from the brain's
// sheet is copied once and range-checked; a brain gone mad can at worst fill the block table with bounded, dated entries outside the never-block list.
#include "inspect_impl.h"
#include "text.h"
#include <string.h>

bool enforce_on(const struct inspect *s)
{
	return !s->panic && __atomic_load_n(&s->config.brain->mode, __ATOMIC_RELAXED) == MODE_ENFORCE;
}

bool enforce_brain_alive(const struct inspect *s)
{
	uint64_t beat = __atomic_load_n(&s->config.brain->heartbeat_ns, __ATOMIC_RELAXED);

	// Apart either way: our clock is read once a burst, and a beat far ahead is none.
	uint64_t apart = beat <= s->deadline_ns ? s->deadline_ns - beat : beat - s->deadline_ns;

	return s->config.replay || apart < INSPECT_BRAIN_SILENT_MS * 1000000ull;
}

// Sequence lock, reader's side: odd or changed while copying means the brain is writing; keep the old copy until next time.
void enforce_refresh_certain(struct inspect *s)
{
	const struct brain_sheet *b = s->config.brain;
	uint32_t before = __atomic_load_n(&b->certain_version, __ATOMIC_ACQUIRE);
	struct certain_rule copy[SHEET_CERTAIN];
	uint32_t n;

	if (before == s->certain_version || before & 1)
		return;
	n = __atomic_load_n(&b->certain_count, __ATOMIC_RELAXED);
	memcpy(copy, b->certain, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&b->certain_version, __ATOMIC_RELAXED) != before || n > SHEET_CERTAIN)
		return;
	memcpy(s->certain, copy, sizeof(copy));
	s->certain_count = n;
	s->certain_version = before;
}

static bool rule_fits(const struct inspect *s, const struct certain_rule *r, const struct flow *f, const struct observation *o)
{
	const struct address device = flow_device(f), endpoint = flow_endpoint(f);
	bool from_outside = o->from_client == (f->direction == DIRECTION_IN);

	if (r->fact >= FACT_COUNT || !(o->facts & FACT_BIT(r->fact)))
		return false;
	if (r->direction && r->direction != f->direction)
		return false;
	if (r->from_outside && !from_outside)
		return false;
	if (r->needs_exposed && !filter_has(s->config.brain, &s->config.wire->filter_key, FILTER_EXPOSED, &device, &device))
		return false;
	if (r->needs_bare && !(o->flags8 & OBS_FLAG_BARE_HOST))
		return false;
	if (r->needs_unknown && filter_has(s->config.brain, &s->config.wire->filter_key, FILTER_PAIR, &device, &endpoint))
		return false;
	return true;
}

const struct certain_rule *enforce_certain(const struct inspect *s, const struct flow *f, const struct observation *o)
{
	const struct address endpoint = flow_endpoint(f);

	if (!enforce_on(s) || f->direction == DIRECTION_LATERAL || f->direction == DIRECTION_TRANSIT)
		return NULL;
	if (block_is_never(s->blocks, &endpoint))
		return NULL;
	for (uint32_t i = 0; i < s->certain_count; i++)
		if (rule_fits(s, &s->certain[i], f, o))
			return &s->certain[i];
	return NULL;
}

// What stands in mode advise a person has confirmed or made, so it holds; certain facts, cuts and holding need enforce.
static bool blocks_hold(const struct inspect *s)
{
	uint32_t mode = __atomic_load_n(&s->config.brain->mode, __ATOMIC_RELAXED);

	return !s->panic && (mode == MODE_ADVISE || mode == MODE_ENFORCE);
}

static struct block_entry *block_of(struct inspect *s, const struct packet *p)
{
	bool from_inside = s->config.replay ? is_inside(s, &p->source) : s->frame->port == 0;
	const struct address *device = from_inside ? &p->source : &p->destination;
	const struct address *endpoint = from_inside ? &p->destination : &p->source;
	uint16_t port = from_inside ? p->destination_port : p->source_port, other = from_inside ? p->source_port : p->destination_port;
	struct block_entry *b;

	if (!address_is_set(&p->source))
		return NULL;
	b = block_find(s->blocks, p->transport, device, endpoint, port, s->deadline_ns);
	if (!b && is_inside(s, endpoint)) // so both are: either may be the one that is blocked
		b = block_find(s->blocks, p->transport, endpoint, device, other, s->deadline_ns);
	return b;
}

// Who is blocked is not reached by wrapping what is sent there either: a datagram with such a header is all it takes.
static struct block_entry *block_of_carriers(struct inspect *s)
{
	struct block_entry *found = NULL;
	struct packet carrier;

	if (!block_count(s->blocks) || !blocks_hold(s))
		return NULL;
	for (unsigned i = 0; i < s->packet->tunnels && !found; i++)
		if (decode_carrier(s->frame, i, &carrier) == DECODE_OK)
			found = block_of(s, &carrier);
	return found;
}

static struct block_entry *block_of_end(struct inspect *s, const struct flow *f, bool client)
{
	struct address device, endpoint;

	// The flow's own line is at hand; nearly always that is all.
	if (!block_is_near(s->blocks, f->family, client ? f->client : f->server) || !blocks_hold(s))
		return NULL;
	device = client ? flow_server(f) : flow_client(f);
	endpoint = client ? flow_client(f) : flow_server(f);
	return block_find(s->blocks, f->transport, &device, &endpoint, client ? f->client_port : f->server_port, s->deadline_ns);
}

// Inline the port tells who is inside. Whoever sent the flow's first frame may have sent it in another's name: did this one come from where its sender is not?
static bool is_crossed(const struct inspect *s, const struct flow *f, enum flow_side sender)
{
	bool sender_inside = f->direction != (sender == FLOW_CLIENT ? DIRECTION_IN : DIRECTION_OUT);

	if (f->direction == DIRECTION_LATERAL) // which of them is where is not known
		return false;
	return s->frame && !s->config.replay && sender_inside != (s->frame->port == 0);
}

struct block_entry *enforce_block(struct inspect *s, const struct flow *f, enum flow_side sender)
{
	bool client = f->direction == DIRECTION_IN;
	struct block_entry *b = block_of_end(s, f, client);

	if (!b && (f->direction == DIRECTION_LATERAL || is_crossed(s, f, sender))) // either may be the one that is blocked
		b = block_of_end(s, f, !client);
	return b;
}

static struct block_entry *block_untracked(struct inspect *s)
{
	struct block_entry *b = s->packet->tunnels ? block_of_carriers(s) : NULL;

	if (b || !block_count(s->blocks) || !blocks_hold(s))
		return b;
	return block_of(s, s->packet);
}

void enforce_count_block(struct inspect *s, struct flow *f, struct block_entry *b)
{
	bool first = b->frames == 0;

	count(s->counters, COUNT_FRAMES_DROPPED_BLOCK);
	b->frames++;
	b->bytes += s->frame->wire_bytes;
	b->unreported++;
	if ((!first && s->deadline_ns - b->last_report_ns < NS_PER_S) || (!f && !address_is_set(&s->packet->source)))
		return;
	b->last_report_ns = s->deadline_ns;
	emit_blocked(s, f, b);
	b->unreported = 0;
}

bool enforce_drop_untracked(struct inspect *s)
{
	struct block_entry *b = block_untracked(s);

	if (b)
		enforce_count_block(s, NULL, b);
	return b != NULL;
}

bool enforce_drop_carried(struct inspect *s)
{
	struct block_entry *b = s->packet->tunnels ? block_of_carriers(s) : NULL;

	if (b)
		enforce_count_block(s, NULL, b);
	return b != NULL;
}

static bool may_concern(const struct inspect *s, const struct address *end)
{
	return block_is_near(s->blocks, end->family, end->b) && !block_is_never(s->blocks, end);
}

bool enforce_drop_unknown(struct inspect *s)
{
	const struct packet *p = s->packet;

	if (!(p->oddities & ODDITY_EXTENSIONS) || !blocks_hold(s) || (!may_concern(s, &p->source) && !may_concern(s, &p->destination)))
		return false;
	count(s->counters, COUNT_FRAMES_DROPPED_BLOCK);
	return true;
}

static bool reset_allowed(struct inspect *s)
{
	uint64_t now = s->unix_ns;

	if (now - s->reset_refill_ns >= NS_PER_S) {
		s->reset_refill_ns = now;
		s->reset_tokens = INSPECT_RESETS_PER_S / s->config.wire->workers; // inspect_create has seen it: not 0
	}
	if (!s->reset_tokens) {
		count(s->counters, COUNT_RST_LIMITED);
		return false;
	}
	s->reset_tokens--;
	return true;
}

// false: later, for the rate limit says so or none can be made of this frame (in PPPoE or MPLS, as its flow is or pretends to be). In tunnels none ever can.
static bool send_reset(struct inspect *s, bool forward, uint32_t seq, uint32_t ack)
{
	uint8_t out[DECODE_RESET_BYTES];
	size_t n;

	if (!s->config.hooks.transmit)
		return true;
	n = decode_build_reset(s->frame, s->packet, forward, seq, ack, out);
	if (n && !reset_allowed(s))
		return false;
	if (!n)
		return s->packet->tunnels;
	if (!s->config.hooks.transmit(s->config.hooks.user, forward ? !s->frame->port : s->frame->port, out, n))
		return false;
	count(s->counters, COUNT_RST_SENT);
	return true;
}

// Both ends are reset at exactly what each expects next (RFC 5961 §3.2 accepts nothing else): the receiver of this frame at the sender's first
// byte not yet forwarded, the sender at the receiver's. false: not yet; this frame is a RST, the rate limit says later, or it came from where its sender is
// not, so that what it leads to does not arrive.
bool enforce_resets(struct inspect *s, const struct flow *f, enum flow_side sender, const uint32_t next_seq[2])
{
	enum flow_side receiver = sender == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
	uint32_t sent = s->packet->seq + s->packet->payload_bytes + !!(s->packet->tcp_flags & TCP_FIN);

	if (f->transport != TRANSPORT_TCP || s->packet->tcp_flags & TCP_RST)
		return false;
	// Nobody has answered: never reset who did not speak (reflection). Numbers alone prove nothing, midstream data
	// brings those of both.
	if (!f->tcp[receiver].seen || !f->packets[receiver])
		return true;
	return send_reset(s, true, next_seq[sender], next_seq[receiver]) && send_reset(s, false, next_seq[receiver], sent) &&
	       !is_crossed(s, f, sender);
}

// A blocked SYN from the inside is answered, so that the program fails at once instead of waiting (RFC 9293 §3.10.7.1).
void enforce_refuse_open(struct inspect *s)
{
	if (s->packet->transport == TRANSPORT_TCP && (s->packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		send_reset(s, false, 0, s->packet->seq + s->packet->payload_bytes + 1);
}

static void release(struct inspect *s, const struct verdict *v)
{
	struct flow *f = flow_by_id(s->flows, v->flow);

	if (!f || !(f->flags & FLOW_FLAG_HELD))
		return;
	f->flags &= (uint16_t)~FLOW_FLAG_HELD;
	count(s->counters, COUNT_FRAMES_HELD_RELEASED);
}

static void cut(struct inspect *s, const struct verdict *v)
{
	struct flow *f = flow_by_id(s->flows, v->flow);
	struct address endpoint;

	if (!f || !enforce_on(s))
		return;
	endpoint = flow_endpoint(f);
	// The resets go out with its next frame: only a frame tells where the ends are.
	if (!block_is_never(s->blocks, &endpoint))
		cut_flow(s, f);
}

static void block(struct inspect *s, const struct verdict *v)
{
	if (block_add(s->blocks, v, s->deadline_ns) < 0)
		return;
	s->shed.block_tick = flow_now(s->flows);
	if (s->config.hooks.blocked)
		s->config.hooks.blocked(s->config.hooks.user, v);
}

static void verdict_apply(struct inspect *s, const struct verdict *v)
{
	switch ((enum verdict_kind)v->kind) {
	case VERDICT_BLOCK:
		block(s, v);
		break;
	case VERDICT_UNBLOCK:
		block_remove(s->blocks, v->id);
		break;
	case VERDICT_CUT:
		cut(s, v);
		break;
	case VERDICT_RELEASE:
		release(s, v);
		break;
	case VERDICT_NONE:
	case VERDICT_KINDS:
		break;
	}
}

void enforce_verdicts(struct inspect *s)
{
	uint8_t record[RING_RECORD_BYTES];
	uint64_t bad = s->in.bad;
	struct verdict v;

	for (unsigned i = 0; i < INSPECT_VERDICTS_PER_STEP && ring_pop(&s->in, record); i++) {
		memcpy(&v, record, sizeof(v));
		if (!verdict_check(&v, s->deadline_ns)) {
			count(s->counters, COUNT_VERDICTS_BAD);
			continue;
		}
		count(s->counters, COUNT_VERDICTS);
		verdict_apply(s, &v);
	}
	count_add(s->counters, COUNT_VERDICTS_BAD, s->in.bad - bad);
}

// The first frame of an outward pair the filter does not know may wait for a verdict, while the brain is awake to give one.
bool enforce_should_hold(const struct inspect *s, const struct flow *f)
{
	const struct brain_sheet *b = s->config.brain;
	struct address client, server;

	if (f->direction != DIRECTION_OUT || !enforce_on(s) || !__atomic_load_n(&b->hold, __ATOMIC_RELAXED))
		return false;
	if (f->transport != TRANSPORT_TCP || !enforce_brain_alive(s))
		return false;
	client = flow_client(f);
	server = flow_server(f);
	return !filter_has(b, &s->config.wire->filter_key, FILTER_PAIR, &client, &server);
}
