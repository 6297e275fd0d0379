// SPDX-License-Identifier: GPL-2.0-or-later
// A flow's context and the pool of them, shared by proto.c and proto_pool.c; nothing outside this room includes it.
#pragma once
#include "proto_impl.h"

struct early { // what one side has sent before the protocol was settled
	uint8_t at[PROTO_PROBE_BYTES];
	uint8_t length;
	bool more;   // it has sent more than that
	bool closed;
	bool named;  // it speaks a protocol whose name is all we want
	uint8_t segments; // of it, that belong to no protocol
};

struct unseen { // by the parser, of one side
	struct proto_unseen is;
	uint32_t passed; // of what has gone, and the parser does not know yet
};

// The first line is all that a segment of passed over bytes needs.
struct context {
	uint32_t next;     // free list, index + 1
	bool in_use;
	bool unknown;
	bool finished;     // further bytes are not looked at
	uint8_t segments;  // that belong to no protocol so far
	bool gap[2];       // the parser lacks bytes of this side
	uint8_t preface;   // bytes of HTTP/2's that end what the client has said so far
	bool holds;        // large was lent; if it is NULL now, it was taken away
	uint8_t tunnels;   // proxies that are behind us
	uint16_t port;     // of the end behind the last of them
	const struct proto_ops *ops; // NULL: not settled, or unknown
	void *large;       // struct raw until a parser is found, then the state of one that is not small
	struct unseen unseen[2];
	struct early early[2];
	struct starttls starttls; // of a protocol that is named only
	bool by_server;    // the protocol is the server's word alone
	_Alignas(64) uint64_t small[PROTO_SMALL_BYTES / 8];
};
_Static_assert(offsetof(struct context, early) <= 64, "one line");
_Static_assert(sizeof(struct raw) <= PROTO_STATE_BYTES, "raw streams need no more than a parser");
_Static_assert(sizeof(struct context) <= 576, "a context between messages is small");

struct proto_pool {
	uint32_t count;
	uint32_t free; // index + 1, 0 = none
	struct counters *counters;
	struct http2_pool *http2;
	struct lend *lend;
	_Alignas(64) struct context context[]; // count of them, and a spare one for datagrams
};

static inline struct context *find_context(struct proto_pool *p, uint32_t context)
{
	if (context == 0 || context > p->count || !p->context[context - 1].in_use)
		return NULL;
	return &p->context[context - 1];
}

// NULL: it was taken away.
static inline void *state_of(struct context *c)
{
	return c->holds ? c->large : c->small;
}

// Memory for a state of so many bytes.
static inline bool take_state(struct proto_pool *p, struct context *c, uint32_t bytes)
{
	if (bytes <= PROTO_SMALL_BYTES) {
		lend_give(p->lend, &c->large);
		c->holds = false;
		return true;
	}
	if (!c->holds)
		c->holds = lend_take(p->lend, LEND_STATE, &c->large);
	return c->large;
}

static inline struct raw *raw_of(struct proto_pool *p, struct context *c)
{
	if (!c->holds && take_state(p, c, sizeof(struct raw)))
		raw_init(c->large);
	return c->large;
}

static inline void release(struct proto_pool *p, struct context *c)
{
	if (c->ops && c->ops->release && state_of(c))
		c->ops->release(state_of(c), p->lend);
	lend_give(p->lend, &c->large);
	c->holds = false;
}
