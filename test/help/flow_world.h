// SPDX-License-Identifier: GPL-2.0-or-later
// A flow table with a client and a server that may say anything, and a record of what came out. For tests.
#pragma once
#include <check.h>
#include <stdlib.h>
#include "flow.h"

#define SECOND 1000000000ull

enum { WORLD_BYTES = 1 << 17, CLIENT_ISN = 0xfffffff0u, SERVER_ISN = 5000 };

struct world {
	struct flow_table *table;
	struct counters counters;
	struct flow_config config;
	uint64_t now;
	uint16_t client_port;
	uint16_t vlan;
	uint16_t oddities; // of the next packets
	uint8_t scale;     // of the next SYN, 0: none
	bool v6;
	struct flow_unseen unseen; // of the next packets' sender
	struct flow *flow;     // of the last packet
	enum flow_side sender; // as the table saw it
	unsigned opened;       // flow_update said true
	unsigned ended;
	enum flow_end why; // of the last one
	uint8_t got[2][WORLD_BYTES];
	size_t got_bytes[2];
	unsigned gaps[2];
	char said[8];            // whose bytes or gaps came, "c" and "s"; the first of them
	unsigned said_count;
	bool last_words;         // what waits at the end of a flow is wanted
};

static inline void world_got(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap);

static inline void world_ended(void *user, struct flow *f, enum flow_end why)
{
	struct world *w = user;

	ck_assert(f->family != 0);
	if (w->last_words)
		flow_order_end(w->table, f, world_got, w);
	w->ended++;
	w->why = why;
}

static inline void world_got(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct world *w = user;

	ck_assert((data.left > 0 || gap) && w->got_bytes[sender] + data.left <= WORLD_BYTES);
	ck_assert(!gap || f->flags & FLOW_FLAG_UNINSPECTED);
	if (data.left) // a hole is told without bytes
		memcpy(w->got[sender] + w->got_bytes[sender], data.at, data.left);
	w->got_bytes[sender] += data.left;
	w->gaps[sender] += gap;
	if (w->said_count + 1 < sizeof(w->said))
		w->said[w->said_count++] = sender == FLOW_CLIENT ? 'c' : 's';
}

static inline struct world *world_of(const struct flow_config *config)
{
	struct world *w = calloc(1, sizeof(*w));

	w->config = *config;
	w->table = flow_table_create(&w->config, &w->counters, world_ended, w);
	ck_assert_ptr_nonnull(w->table);
	w->now = 1000 * SECOND;
	w->client_port = 40000;
	return w;
}

static inline struct world *world_new(uint32_t flows, uint32_t parked)
{
	const struct flow_config config = {.flows = flows, .parked_segments = parked, .key = {1, 2}};

	return world_of(&config);
}

static inline void world_end(struct world *w)
{
	flow_table_flush(w->table, FLOW_END_SHUTDOWN);
	ck_assert_uint_eq(flow_count(w->table), 0);
	flow_table_destroy(w->table);
	free(w);
}

static inline struct packet world_packet(const struct world *w, enum flow_side side)
{
	static const uint8_t a[16] = {192, 0, 2, 1}, b[16] = {198, 51, 100, 2};
	struct packet p = {.transport = TRANSPORT_TCP, .oddities = w->oddities, .window = 1000, .vlans = w->vlan != 0};

	p.source = w->v6 ? address_v6(side ? b : a) : address_v4(side ? b : a);
	p.destination = w->v6 ? address_v6(side ? a : b) : address_v4(side ? a : b);
	p.source_port = side ? 80 : w->client_port;
	p.destination_port = side ? w->client_port : 80;
	p.vlan[0] = w->vlan;
	p.has_window_scale = w->scale != 0;
	p.window_scale = w->scale;
	return p;
}

static inline struct flow *world_pass(struct world *w, const struct packet *p, struct bytes payload)
{
	struct frame frame = {.bytes = (uint32_t)(54 + payload.left), .unix_ns = w->now};
	struct flow_key key;

	flow_key_of(w->table, p, &key);
	w->flow = flow_find_or_add(w->table, p, &key, w->now, &w->sender);
	if (!w->flow)
		return NULL;
	w->opened += flow_update(w->table, w->flow, w->sender, &frame, p);
	if (p->transport == TRANSPORT_TCP)
		flow_order(w->table, w->flow, w->sender, p, payload, w->unseen.ahead || w->unseen.gone ? &w->unseen : NULL, world_got, w);
	return w->flow;
}

static inline struct flow *world_find(struct world *w, const struct packet *p, enum flow_side *sender)
{
	struct flow_key key;

	flow_key_of(w->table, p, &key);
	return flow_find(w->table, p, &key, sender);
}

// seq and ack are counted from the ISN of their side: 1 is the first byte.
static inline struct flow *say(struct world *w, enum flow_side side, uint8_t flags, uint32_t seq, uint32_t ack,
			       const char *text)
{
	struct packet p = world_packet(w, side);

	p.tcp_flags = flags;
	p.seq = seq + (side ? SERVER_ISN : CLIENT_ISN);
	p.ack = flags & TCP_ACK ? ack + (side ? CLIENT_ISN : SERVER_ISN) : 0;
	p.payload_bytes = (uint32_t)strlen(text);
	return world_pass(w, &p, bytes_of_text(text));
}

static inline struct flow *shake_hands(struct world *w)
{
	say(w, FLOW_CLIENT, TCP_SYN, 0, 0, "");
	say(w, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
	return say(w, FLOW_CLIENT, TCP_ACK, 1, 1, "");
}

static inline void assert_got(const struct world *w, enum flow_side side, const char *text)
{
	ck_assert_msg(bytes_equal_text(bytes_of(w->got[side], w->got_bytes[side]), text), "got '%.*s', not '%s'",
		      (int)w->got_bytes[side], (const char *)w->got[side], text);
}

static inline uint64_t counted(const struct world *w, enum counter which)
{
	return w->counters.value[which];
}

static inline bool is_uninspected(const struct world *w)
{
	return w->flow->flags & FLOW_FLAG_UNINSPECTED;
}
