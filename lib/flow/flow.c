// SPDX-License-Identifier: GPL-2.0-or-later
// The table of flows: slots, keyed buckets chained by index, time-outs, eviction. Knows who talks to whom and since
// when; leaves TCP's state to tcp.c and its bytes to order.c. One thread.
#include <errno.h>
#include <stdlib.h>
#include "flow_impl.h"

#define NS_PER_SECOND 1000000000ull

// A half-closed flow may still carry the other half: twice the half-open time-out (60 s, evasion 80).
enum { CLOSING_FACTOR = 2 };

struct flow_key { // hashed as memory: the lower end first, so that both directions give one key
	struct address address[2];
	uint16_t port[2];
	uint16_t vlan;
	uint8_t transport;
	uint8_t zero;
};
_Static_assert(sizeof(struct flow_key) == 48, "no padding: it is hashed as memory");

static bool has_ports(uint8_t transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_UDP;
}

// ICMP's type is no port: a question and its answer are one flow.
static struct flow_key key_of(const struct packet *p)
{
	uint16_t source_port = has_ports(p->transport) ? p->source_port : 0;
	uint16_t destination_port = has_ports(p->transport) ? p->destination_port : 0;
	int order = memcmp(&p->source, &p->destination, sizeof(p->source));
	bool swap = order > 0 || (order == 0 && source_port > destination_port);
	struct flow_key key = {.vlan = p->vlans ? p->vlan[0] : 0, .transport = p->transport};

	key.address[swap] = p->source;
	key.address[!swap] = p->destination;
	key.port[swap] = source_port;
	key.port[!swap] = destination_port;
	return key;
}

static bool ends_are(const struct flow *f, const struct packet *p, bool sender_is_client)
{
	const struct address *source = sender_is_client ? &f->client : &f->server;
	const struct address *destination = sender_is_client ? &f->server : &f->client;

	if (!address_equal(source, &p->source) || !address_equal(destination, &p->destination))
		return false;
	if (!has_ports(p->transport))
		return true;
	return p->source_port == (sender_is_client ? f->client_port : f->server_port) &&
	       p->destination_port == (sender_is_client ? f->server_port : f->client_port);
}

static bool is_between(const struct flow *f, const struct packet *p, enum flow_side *sender)
{
	if (f->transport != p->transport || f->vlan != (p->vlans ? p->vlan[0] : 0))
		return false;
	if (ends_are(f, p, true))
		*sender = FLOW_CLIENT;
	else if (ends_are(f, p, false))
		*sender = FLOW_SERVER;
	else
		return false;
	return true;
}

static uint32_t index_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows);
}

static uint32_t *bucket_of(struct flow_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->capacity - 1)];
}

static uint64_t or_default(uint64_t ns, uint64_t seconds)
{
	return ns ? ns : seconds * NS_PER_SECOND;
}

struct flow_table *flow_table_create(const struct flow_config *config, struct counters *counters, flow_end_fn ended,
				     void *user)
{
	struct flow_table *t;
	int error;

	if (!config->flows || config->flows > FLOW_MAX_FLOWS || config->flows & (config->flows - 1)) {
		errno = EINVAL;
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->capacity = config->flows;
	t->key = config->key;
	t->tcp_open_ns = or_default(config->tcp_open_ns, 3600);
	t->tcp_half_open_ns = or_default(config->tcp_half_open_ns, 30);
	t->tcp_closed_ns = or_default(config->tcp_closed_ns, 10);
	t->udp_ns = or_default(config->udp_ns, 120);
	t->other_ns = or_default(config->other_ns, 30);
	t->counters = counters;
	t->ended = ended;
	t->user = user;
	t->flows = calloc(t->capacity, sizeof(t->flows[0]));
	t->buckets = calloc(t->capacity, sizeof(t->buckets[0]));
	error = t->flows && t->buckets ? flow_park_create(&t->park, config->parked_segments) : -ENOMEM;
	if (!error)
		error = flow_copies_create(&t->copies, config->flows, &config->key);
	if (error) {
		flow_table_destroy(t);
		errno = -error;
		return NULL;
	}
	return t;
}

void flow_table_destroy(struct flow_table *t)
{
	if (!t)
		return;
	flow_copies_destroy(&t->copies);
	flow_park_destroy(&t->park);
	free(t->buckets);
	free(t->flows);
	free(t);
}

static uint64_t timeout_of(const struct flow_table *t, const struct flow *f)
{
	if (f->transport == TRANSPORT_UDP)
		return t->udp_ns;
	if (f->transport != TRANSPORT_TCP)
		return t->other_ns;
	if (f->state == FLOW_CLOSED)
		return t->tcp_closed_ns;
	if (f->state < FLOW_OPEN)
		return t->tcp_half_open_ns;
	if (flow_tcp_is_ending(f))
		return CLOSING_FACTOR * t->tcp_half_open_ns;
	return t->tcp_open_ns;
}

static bool is_idle(const struct flow_table *t, const struct flow *f, uint64_t unix_ns)
{
	return unix_ns > f->last_unix_ns && unix_ns - f->last_unix_ns >= timeout_of(t, f);
}

// Why an idle flow has ended: a closed one did so when it closed.
static enum flow_end idle_end(const struct flow *f)
{
	if (f->transport != TRANSPORT_TCP || f->state != FLOW_CLOSED)
		return FLOW_END_TIMEOUT;
	return f->tcp[0].fin && f->tcp[1].fin ? FLOW_END_FIN : FLOW_END_RST;
}

void flow_remove(struct flow_table *t, struct flow *f, enum flow_end why)
{
	uint32_t *link, slot = index_of(t, f) + 1;

	if (!flow_is_live(f))
		return;
	if (why == FLOW_END_TIMEOUT)
		count(t->counters, COUNT_FLOWS_EXPIRED);
	else if (why == FLOW_END_EVICTED)
		count(t->counters, COUNT_FLOWS_EVICTED);
	if (t->ended)
		t->ended(t->user, f, why);
	flow_park_drop(t, f, FLOW_CLIENT);
	flow_park_drop(t, f, FLOW_SERVER);
	for (link = bucket_of(t, f->hash); *link != slot; link = &t->flows[*link - 1].next_in_bucket)
		;
	*link = f->next_in_bucket;
	f->client.family = 0;
	f->next_in_bucket = t->free;
	t->free = slot;
	t->live--;
}

void flow_table_flush(struct flow_table *t, enum flow_end why)
{
	for (uint32_t i = 0; i < t->fresh; i++)
		flow_remove(t, &t->flows[i], why);
}

void flow_table_step(struct flow_table *t, uint64_t unix_ns)
{
	uint32_t looks = t->fresh < FLOW_SWEEP_PER_STEP ? t->fresh : FLOW_SWEEP_PER_STEP;

	// By slot, not by bucket: the same bound, and slots are read in the order they lie in memory.
	while (looks--) {
		struct flow *f;

		if (t->sweep_at >= t->fresh)
			t->sweep_at = 0;
		f = &t->flows[t->sweep_at++];
		if (flow_is_live(f) && is_idle(t, f, unix_ns))
			flow_remove(t, f, idle_end(f));
	}
}

// Nothing but one sender's claim stands behind it: data out of nowhere opens a flow, but anybody can send that. A flow
// the caller has cut or holds must not be forgotten that way.
static bool is_half_open(const struct flow *f)
{
	if (f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_HELD))
		return false;
	if (f->packets[FLOW_CLIENT] == 0 || f->packets[FLOW_SERVER] == 0)
		return true;
	return f->transport == TRANSPORT_TCP && f->state < FLOW_OPEN;
}

// Ends one flow of the next few slots: an idle one, else the half-open one longest silent, else a closed one. false:
// all of use.
static bool make_room(struct flow_table *t, uint64_t unix_ns)
{
	struct flow *half_open = NULL, *closed = NULL;

	for (int i = 0; i < FLOW_EVICT_LOOKS; i++) {
		struct flow *f = &t->flows[t->evict_at++ & (t->capacity - 1)];

		if (is_idle(t, f, unix_ns)) {
			flow_remove(t, f, idle_end(f));
			return true;
		}
		if (is_half_open(f) && (!half_open || f->last_unix_ns < half_open->last_unix_ns))
			half_open = f;
		else if (f->transport == TRANSPORT_TCP && f->state == FLOW_CLOSED && !(f->flags & FLOW_FLAG_CUT))
			closed = f;
	}
	if (half_open)
		flow_remove(t, half_open, FLOW_END_EVICTED);
	else if (closed)
		flow_remove(t, closed, idle_end(closed));
	return half_open || closed;
}

struct flow *flow_next_context(struct flow_table *t)
{
	struct flow *found = NULL;

	for (int i = 0; i < FLOW_EVICT_LOOKS; i++) {
		struct flow *f = &t->flows[t->context_at++ & (t->capacity - 1)];

		if (flow_is_live(f) && f->context && (!found || f->last_unix_ns < found->last_unix_ns))
			found = f;
	}
	return found;
}

static struct flow *take_slot(struct flow_table *t, uint64_t unix_ns)
{
	struct flow *f;

	if (t->live == t->capacity && !make_room(t, unix_ns)) {
		count(t->counters, COUNT_FLOWS_FULL);
		return NULL;
	}
	if (t->free) {
		f = &t->flows[t->free - 1];
		t->free = f->next_in_bucket;
	} else {
		f = &t->flows[t->fresh++];
	}
	t->live++;
	return f;
}

// Does the server send it? In midstream the lower port tells: a server that kept silent until we forgot it must not
// become a client.
static bool is_answer(const struct packet *p)
{
	if (p->transport != TRANSPORT_TCP || p->oddities & ODDITY_FLAGS)
		return false;
	if (p->tcp_flags & TCP_SYN)
		return p->tcp_flags & TCP_ACK;
	return p->source_port < p->destination_port;
}

static struct flow *add(struct flow_table *t, const struct packet *p, uint64_t hash, uint64_t unix_ns,
			enum flow_side *sender)
{
	bool answer = is_answer(p);
	struct flow *f = take_slot(t, unix_ns);
	uint32_t *bucket = bucket_of(t, hash);

	if (!f)
		return NULL;
	*f = (struct flow){
		.client = answer ? p->destination : p->source,
		.server = answer ? p->source : p->destination,
		.client_port = answer ? p->destination_port : p->source_port,
		.server_port = answer ? p->source_port : p->destination_port,
		.vlan = p->vlans ? p->vlan[0] : 0,
		.transport = p->transport,
		.generation = f->generation + 1,
		.next_in_bucket = *bucket,
		.first_unix_ns = unix_ns,
		.last_unix_ns = unix_ns,
		.hash = hash,
	};
	*bucket = index_of(t, f) + 1;
	is_between(f, p, sender); // not by `answer`: who talks to itself is its own client
	count(t->counters, COUNT_FLOWS_ADDED);
	return f;
}

static struct flow *find(struct flow_table *t, const struct packet *p, uint64_t hash, enum flow_side *sender)
{
	for (uint32_t at = *bucket_of(t, hash); at; at = t->flows[at - 1].next_in_bucket) {
		struct flow *f = &t->flows[at - 1];

		if (f->hash == hash && is_between(f, p, sender))
			return f;
	}
	return NULL;
}

static uint64_t hash_of(const struct flow_table *t, const struct packet *p)
{
	struct flow_key key = key_of(p);

	return siphash13(&t->key, &key, sizeof(key));
}

struct flow *flow_find(struct flow_table *t, const struct packet *p, enum flow_side *sender)
{
	return find(t, p, hash_of(t, p), sender);
}

struct flow *flow_find_or_add(struct flow_table *t, const struct packet *p, uint64_t unix_ns, enum flow_side *sender)
{
	uint64_t hash = hash_of(t, p);
	struct flow *f = find(t, p, hash, sender);

	if (!address_is_set(&p->source) || !address_is_set(&p->destination))
		return NULL;
	if (f && is_idle(t, f, unix_ns)) // the sweep has not come by yet
		flow_remove(t, f, idle_end(f));
	else if (f && flow_tcp_begins_anew(f, *sender, p))
		flow_remove(t, f, FLOW_END_REUSED);
	else if (f)
		return f;
	return add(t, p, hash, unix_ns, sender);
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f)
{
	return (uint64_t)f->generation << 32 | index_of(t, f);
}

struct flow *flow_by_id(struct flow_table *t, uint64_t id)
{
	uint32_t i = (uint32_t)id;

	if (i >= t->fresh || !flow_is_live(&t->flows[i]) || t->flows[i].generation != id >> 32)
		return NULL;
	return &t->flows[i];
}

enum counter flow_uninspected_why(const struct flow_table *t)
{
	return t->why;
}

uint32_t flow_count(const struct flow_table *t)
{
	return t->live;
}

bool flow_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct frame *frame,
		 const struct packet *p)
{
	f->packets[sender]++;
	f->bytes[sender] += frame->wire_bytes > frame->bytes ? frame->wire_bytes : frame->bytes;
	if (frame->unix_ns > f->last_unix_ns)
		f->last_unix_ns = frame->unix_ns;
	if (f->transport == TRANSPORT_TCP)
		return flow_tcp_update(t, f, sender, p);
	if (f->state != FLOW_NEW)
		return false;
	f->state = FLOW_OPEN;
	return true;
}
