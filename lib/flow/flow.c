// SPDX-License-Identifier: GPL-2.0-or-later
// The table of flows: their memory and slots, finding, adding, ending. Knows who talks to whom; leaves what is looked up
// to key.c, where it lies to index.c, who goes first to ring.c, when it ends to idle.c, TCP's state to tcp.c and its
// bytes to order.c. One thread.
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "flow_impl.h"

enum { LINE_BYTES = 64, PAGE_BYTES = 4096, HUGE_BYTES = 2 << 20 };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct layout { // where each array begins
	size_t buckets, deadlines, half_open, closed, bytes;
};

static size_t place_array(size_t *end, size_t n, size_t bytes)
{
	size_t at = (*end + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);

	*end = at + n * bytes;
	return at;
}

static struct layout layout_of(const struct flow_table *t)
{
	struct layout l;
	size_t end = 0;

	place_array(&end, t->capacity, sizeof(t->flows[0]));
	l.buckets = place_array(&end, t->bucket_count, sizeof(t->buckets[0]));
	l.deadlines = place_array(&end, t->capacity, sizeof(t->deadlines[0]));
	l.half_open = place_array(&end, t->half_open.capacity, sizeof(t->half_open.entries[0]));
	l.closed = place_array(&end, t->closed.capacity, sizeof(t->closed.entries[0]));
	l.bytes = (end + HUGE_BYTES - 1) & ~(size_t)(HUGE_BYTES - 1);
	if (end < HUGE_BYTES)
		l.bytes = (end + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
	return l;
}

// All pages at once, in huge ones where there are any, so that no packet waits for one to be cleared, nor learns that
// there are no more. A small table is left to the heap, whose bounds sanitizers watch.
static uint8_t *block_create(size_t bytes)
{
	uint8_t *whole, *block;
	size_t before;

	if (bytes < HUGE_BYTES) {
		block = aligned_alloc(LINE_BYTES, bytes);
		return block ? memset(block, 0, bytes) : NULL;
	}
	whole = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (whole == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)whole & (HUGE_BYTES - 1);
	block = whole + before;
	if (before)
		munmap(whole, before);
	munmap(block + bytes, HUGE_BYTES - before);
	madvise(block, bytes, MADV_HUGEPAGE);
	if (madvise(block, bytes, MADV_POPULATE_WRITE) == 0)
		return block;
	if (errno != EINVAL) {
		munmap(block, bytes);
		return NULL;
	}
	for (size_t i = 0; i < bytes; i += PAGE_BYTES) // Linux before 5.14
		((volatile uint8_t *)block)[i] = 0;
	return block;
}

static void block_destroy(uint8_t *block, size_t bytes)
{
	if (block && bytes >= HUGE_BYTES)
		munmap(block, bytes);
	else
		free(block);
}

static uint32_t half_open_of(const struct flow_config *c)
{
	uint32_t n = c->flows / 8;

	if (c->half_open)
		return c->half_open;
	if (n < FLOW_HALF_OPEN_LEAST)
		return FLOW_HALF_OPEN_LEAST;
	return n < FLOW_HALF_OPEN_MOST ? n : FLOW_HALF_OPEN_MOST;
}

static bool create_block(struct flow_table *t)
{
	struct layout l = layout_of(t);
	uint8_t *block = block_create(l.bytes);

	if (!block)
		return false;
	t->block_bytes = l.bytes;
	t->flows = (struct flow *)block;
	t->buckets = (struct flow_bucket *)(block + l.buckets);
	t->deadlines = (uint32_t *)(block + l.deadlines);
	t->half_open.entries = (struct flow_entry *)(block + l.half_open);
	t->closed.entries = (struct flow_entry *)(block + l.closed);
	return true;
}

static uint32_t power_of_two_below(uint32_t n)
{
	while (n & (n - 1))
		n &= n - 1;
	return n;
}

static int create_parts(struct flow_table *t, const struct flow_config *config)
{
	int error;

	if (!config->flows || config->flows > FLOW_MAX_FLOWS || config->half_open > FLOW_MAX_FLOWS ||
	    flow_idle_config(t, config) < 0)
		return -EINVAL;
	t->capacity = config->flows;
	t->bucket_count = (uint32_t)flow_index_buckets(config->flows);
	t->half_open.capacity = t->closed.capacity = half_open_of(config);
	if (!create_block(t))
		return -ENOMEM;
	error = flow_park_create(&t->park, config->parked_segments);
	return error ? error : flow_copies_create(&t->copies, power_of_two_below(config->flows), &config->key);
}

struct flow_table *flow_table_create(const struct flow_config *config, struct counters *counters, flow_end_fn ended,
				     void *user)
{
	struct flow_table *t = calloc(1, sizeof(*t));
	int error;

	if (!t)
		return NULL;
	t->key = config->key;
	t->counters = counters;
	t->ended = ended;
	t->user = user;
	t->why = COUNTER_COUNT;
	error = create_parts(t, config);
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
	block_destroy((uint8_t *)t->flows, t->block_bytes);
	free(t);
}

size_t flow_table_bytes(const struct flow_table *t)
{
	return t->block_bytes;
}

static void give_slot_back(struct flow_table *t, struct flow *f)
{
	uint32_t slot = flow_index(t, f);

	t->deadlines[slot] = 0;
	f->family = 0;
	f->place = t->free;
	t->free = slot + 1;
	t->live--;
}

void flow_remove(struct flow_table *t, struct flow *f, enum flow_end why)
{
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
	flow_index_remove(t, f);
	give_slot_back(t, f);
}

void flow_table_flush(struct flow_table *t, enum flow_end why)
{
	for (uint32_t i = 0; i < t->fresh; i++)
		flow_remove(t, &t->flows[i], why);
	t->fresh = t->free = 0;
	t->half_open.used = t->closed.used = 0;
}

void flow_table_step(struct flow_table *t, uint64_t now_ns)
{
	flow_clock_set(t, now_ns);
	flow_idle_sweep(t);
}

struct flow *flow_next_context(struct flow_table *t)
{
	unsigned looks = t->fresh < FLOW_CONTEXT_LOOKS ? t->fresh : FLOW_CONTEXT_LOOKS;
	uint32_t at = t->context_at;
	struct flow *found = NULL;

	for (unsigned i = 0; i < looks; i++)
		__builtin_prefetch(&t->flows[(at + i) % t->fresh]);
	for (unsigned i = 0; i < looks; i++) {
		struct flow *f = &t->flows[(at + i) % t->fresh];

		if (!flow_is_live(f) || !f->context)
			continue;
		if (!found || (int32_t)(f->last - found->last) < 0)
			found = f;
	}
	t->context_at = at + looks;
	return found;
}

static struct flow *take_slot(struct flow_table *t)
{
	struct flow *f;

	flow_ring_make_way(t);
	if (t->live == t->capacity && !flow_ring_make_room(t)) {
		count(t->counters, COUNT_FLOWS_FULL);
		return NULL;
	}
	if (t->free) {
		f = &t->flows[t->free - 1];
		t->free = f->place;
		if (t->free)
			__builtin_prefetch(&t->flows[t->free - 1], 1);
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

static void fill(struct flow *f, const struct packet *p, const struct flow_key *key, uint32_t tick)
{
	bool answer = is_answer(p);

	*f = (struct flow){
		.client_port = answer ? p->destination_port : p->source_port,
		.server_port = answer ? p->source_port : p->destination_port,
		.tag = key->tag,
		.family = p->source.family & 15,
		.transport = p->transport,
		.generation = f->generation + 1,
		.last = tick,
		.vlan = p->vlans ? p->vlan[0] : 0,
		.first = tick,
	};
	memcpy(f->client, answer ? p->destination.b : p->source.b, sizeof(f->client));
	memcpy(f->server, answer ? p->source.b : p->destination.b, sizeof(f->server));
}

static struct flow *add(struct flow_table *t, const struct packet *p, const struct flow_key *key, enum flow_side *sender)
{
	struct flow *f = take_slot(t);

	if (!f)
		return NULL;
	fill(f, p, key, (uint32_t)t->clock.tick);
	if (!flow_index_add(t, f, key)) {
		give_slot_back(t, f);
		count(t->counters, COUNT_FLOWS_FULL);
		return NULL;
	}
	flow_idle_arm(t, f);
	flow_ring_half_open(t, f);
	flow_key_fits(f, p, key, sender); // not by `answer`: who talks to itself is its own client
	count(t->counters, COUNT_FLOWS_ADDED);
	return f;
}

static struct flow *find_in(const struct flow_table *t, uint32_t bucket, const struct packet *p,
			    const struct flow_key *key, enum flow_side *sender)
{
	const struct flow_bucket *b = &t->buckets[bucket];

	for (uint32_t hits = flow_index_hits(b, key->mark); hits; hits &= hits - 1) {
		struct flow *f = &t->flows[flow_slot_of(b, (unsigned)__builtin_ctz(hits))];

		if (flow_key_fits(f, p, key, sender))
			return f;
	}
	return NULL;
}

struct flow *flow_find(const struct flow_table *t, const struct packet *p, const struct flow_key *key,
		       enum flow_side *sender)
{
	struct flow *f;

	if (!address_is_set(&p->source) || !address_is_set(&p->destination))
		return NULL;
	// A slot that holds these very ends is their flow, whatever the hint was given for.
	if (key->candidate && flow_key_fits(&t->flows[key->candidate - 1], p, key, sender))
		return &t->flows[key->candidate - 1];
	f = find_in(t, key->bucket, p, key, sender);
	if (f || !t->buckets[key->bucket].away)
		return f;
	return find_in(t, flow_index_second(t, key->bucket, key->mark), p, key, sender);
}

void flow_prefetch_bucket(const struct flow_table *t, const struct flow_key *key)
{
	__builtin_prefetch(&t->buckets[key->bucket]);
}

void flow_prefetch(const struct flow_table *t, struct flow_key *key)
{
	const struct flow_bucket *b = &t->buckets[key->bucket];
	uint32_t hits = flow_index_hits(b, key->mark);

	if (hits) {
		uint32_t slot = flow_slot_of(b, (unsigned)__builtin_ctz(hits));

		key->candidate = slot + 1;
		flow_prefetch_lines(&t->flows[slot]);
	} else if (b->away) {
		__builtin_prefetch(&t->buckets[flow_index_second(t, key->bucket, key->mark)]);
	}
}

uint32_t flow_context_peek(const struct flow_table *t, const struct flow_key *key)
{
	return key->candidate ? t->flows[key->candidate - 1].context : 0;
}

struct flow *flow_find_or_add(struct flow_table *t, const struct packet *p, const struct flow_key *key, uint64_t now_ns,
			      enum flow_side *sender)
{
	struct flow *f;

	if (!address_is_set(&p->source) || !address_is_set(&p->destination))
		return NULL;
	if (now_ns != t->clock.seen_ns)
		flow_clock_set(t, now_ns);
	f = flow_find(t, p, key, sender);
	if (f && flow_is_idle(t, f)) // the sweep has not come by yet
		flow_remove(t, f, flow_idle_end(f));
	else if (f && flow_tcp_begins_anew(f, *sender, p))
		flow_remove(t, f, FLOW_END_REUSED);
	else if (f)
		return f;
	return add(t, p, key, sender);
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f)
{
	return (uint64_t)f->generation << 32 | flow_index(t, f);
}

struct flow *flow_by_id(struct flow_table *t, uint64_t id)
{
	uint32_t i = (uint32_t)id;

	if (i >= t->fresh || !flow_is_live(&t->flows[i]) || t->flows[i].generation != id >> 32)
		return NULL;
	return &t->flows[i];
}

enum counter flow_uninspected_why(struct flow_table *t)
{
	enum counter why = t->why;

	t->why = COUNTER_COUNT;
	return why;
}

uint32_t flow_count(const struct flow_table *t)
{
	return t->live;
}

void flow_touch(const struct flow_table *t, struct flow *f)
{
	if (f->last != (uint32_t)t->clock.tick) // most packets need not write that line
		f->last = (uint32_t)t->clock.tick;
}

static inline void add_bytes(struct flow *f, enum flow_side sender, uint32_t bytes)
{
	f->bytes_low[sender] += bytes;
	f->bytes_high[sender] += f->bytes_low[sender] < bytes;
}

static inline void count_packet(const struct flow_table *t, struct flow *f, enum flow_side sender, const struct frame *frame)
{
	f->packets[sender]++;
	add_bytes(f, sender, frame->wire_bytes > frame->bytes ? frame->wire_bytes : frame->bytes);
	flow_touch(t, f);
}

bool flow_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct frame *frame,
		 const struct packet *p)
{
	count_packet(t, f, sender, frame);
	if (f->transport == TRANSPORT_TCP)
		return flow_tcp_update(t, f, sender, p);
	if (f->state != FLOW_NEW)
		return false;
	f->state = FLOW_OPEN;
	return true;
}

uint32_t flow_now(const struct flow_table *t)
{
	return (uint32_t)t->clock.tick;
}
