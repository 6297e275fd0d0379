// SPDX-License-Identifier: GPL-2.0-or-later
// Creation, time and the rest of the life of one worker's inspection. What happens to a frame: frame.c, stations.c, payload.c.
#include "inspect_impl.h"
#include <errno.h>
#include <stdlib.h>

struct aside inspect_aside(struct inspect *s)
{
	struct aside a = {s->frame, s->flow, s->cut};

	s->frame = NULL;
	s->cut = false;
	return a;
}

void inspect_back(struct inspect *s, const struct aside *a)
{
	s->frame = a->frame;
	s->flow = a->flow;
	s->cut = a->cut;
}

static void flow_ended(void *user, struct flow *f, enum flow_end why)
{
	struct inspect *s = user;
	struct aside a = inspect_aside(s);

	if (f->transport == TRANSPORT_TCP)
		inspect_last_words(s, f);
	emit_flow_close(s, f, why);
	inspect_back(s, &a);
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
	struct defrag_config d = c->defrag;

	d.datagrams = d.datagrams ? d.datagrams : INSPECT_DATAGRAMS;
	d.bytes = d.bytes ? d.bytes : INSPECT_FRAGMENT_BYTES;
	d.key = c->flow.key;
	s->defrag = defrag_create(&d, s->counters);
	if (!s->defrag)
		return false;
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
	shed_init(s);
	s->sink = (struct proto_sink){
		.emit = emit_from_parser, .user = s, .counters = s->counters, .uninspected = partly_uninspected};
	if (!attach_rings(s)) {
		errno = EINVAL;
	} else if (create_tables(s)) {
		proto_pool_bind(s->pool, &s->sink);
		return s;
	}
	inspect_destroy(s);
	return NULL;
}

void inspect_destroy(struct inspect *s)
{
	if (!s)
		return;
	if (s->defrag)
		defrag_destroy(s->defrag);
	if (s->flows)
		flow_table_destroy(s->flows);
	if (s->pool)
		proto_pool_destroy(s->pool);
	if (s->blocks)
		block_table_destroy(s->blocks);
	free(s);
}

void inspect_step(struct inspect *s, uint64_t deadline_ns, uint64_t unix_ns)
{
	s->deadline_ns = deadline_ns;
	if (unix_ns > s->unix_ns)
		s->unix_ns = unix_ns;
	enforce_verdicts(s);
	enforce_refresh_certain(s);
	flow_table_step(s->flows, flow_time(s));
	defrag_step(s->defrag, s->unix_ns);
	block_step(s->blocks, deadline_ns);
	shed_step(s);
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

uint32_t inspect_datagrams(const struct inspect *s)
{
	return defrag_count(s->defrag);
}

uint32_t inspect_flows(const struct inspect *s)
{
	return flow_count(s->flows);
}
