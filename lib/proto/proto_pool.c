// SPDX-License-Identifier: GPL-2.0-or-later
// The pool of contexts, and what parsers borrow: all memory is taken at start-up, none is cleared before it is used. Contexts are given out last in, first out,
// so that few of them are warm. One worker owns a pool.
#include "context_impl.h"
#include "pages.h"
#include <errno.h>
#include <stdlib.h>

enum { LENT_LEAST = 1024 }; // below, every context may have its own

static uint32_t at_least(uint32_t n, uint32_t least)
{
	return n > least ? n : least;
}

// Most flows are between messages, or are closed by their parser within a few segments.
static struct lend *create_lend(const struct proto_pool_sizes *s)
{
	uint32_t most = s->contexts < LENT_LEAST ? s->contexts : at_least(s->contexts / 8, LENT_LEAST);
	uint32_t count[LEND_KINDS] = {
		[LEND_STATE] = s->states ? s->states : most,
		[LEND_WORK] = s->works ? s->works : at_least(2 * most, 2),
		[LEND_INFLATE] = s->inflaters ? s->inflaters : at_least(s->contexts / 16, 16),
	};

	return lend_create(count);
}

struct proto_pool *proto_pool_create(uint32_t contexts, struct counters *counters)
{
	return proto_pool_create_sized(&(struct proto_pool_sizes){.contexts = contexts}, counters);
}

struct proto_pool *proto_pool_create_sized(const struct proto_pool_sizes *sizes, struct counters *counters)
{
	uint32_t contexts = sizes->contexts;
	struct proto_pool *p = pages_zeroed(sizeof(*p) + ((size_t)contexts + 1) * sizeof(p->context[0]));

	if (p)
		p->lend = create_lend(sizes);
	if (!p || !p->lend) {
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	p->count = contexts;
	p->counters = counters;
	if (proto_pool_http2(p, contexts < PROTO_HTTP2_CONNECTIONS ? contexts : PROTO_HTTP2_CONNECTIONS)) {
		lend_destroy(p->lend);
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	for (uint32_t i = contexts; i > 0; i--) {
		p->context[i - 1].next = p->free;
		p->free = i;
	}
	return p;
}

int proto_pool_http2(struct proto_pool *p, uint32_t connections)
{
	struct http2_pool *http2 = http2_pool_create(connections);

	if (!http2)
		return -ENOMEM;
	http2_pool_destroy(p->http2);
	p->http2 = http2;
	return 0;
}

void proto_pool_destroy(struct proto_pool *p)
{
	if (!p)
		return;
	http2_pool_destroy(p->http2);
	lend_destroy(p->lend);
	free(p);
}

uint32_t proto_open(struct proto_pool *p)
{
	uint32_t id = p->free;
	struct context *c;

	if (id == 0)
		return 0;
	c = &p->context[id - 1];
	p->free = c->next;
	memset(c, 0, offsetof(struct context, small)); // cleared when a parser takes it
	c->in_use = true;
	return id;
}

void proto_close(struct proto_pool *p, uint32_t context)
{
	struct context *c = find_context(p, context);

	if (!c)
		return;
	release(p, c);
	c->in_use = false;
	c->next = p->free;
	p->free = context;
}

void proto_prefetch(const struct proto_pool *p, uint32_t context, bool whole)
{
	const uint8_t *at = (const uint8_t *)&p->context[context - 1];

	__builtin_prefetch(at, 1);
	if (whole)
		for (size_t i = offsetof(struct context, small); i < sizeof(struct context); i += 64)
			__builtin_prefetch(at + i, 1);
}

void proto_pool_bind(const struct proto_pool *p, struct proto_sink *sink)
{
	sink->lend = p->lend;
	sink->http2 = p->http2;
}
