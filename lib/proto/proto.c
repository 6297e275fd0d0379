// SPDX-License-Identifier: GPL-2.0-or-later
// One flow's conversation: which protocol is it, then its parser (contexts stand in proto_pool.c). Recognition looks at content only: a
// protocol is what it says, wherever it runs; its port is a fact beside it.
#include "context_impl.h"
#include "tls_impl.h"

enum { TCP = 6, UDP = 17, SETTLE_SEGMENTS = 4 };

// In order of recognition: what has a long, certain beginning before what has a short one. HTTP/2's preface would pass
// for an HTTP/1 request of an odd method; DNS over TCP has no magic at all and stands last.
const struct proto_ops *const proto_table[] = {
	&proto_http2,   &proto_http,    &proto_tls,      &proto_ssh, &proto_rmi,  &proto_iiop,
	&proto_smb,     &proto_ldap,    &proto_kerberos, &proto_rdp, &proto_smtp, &proto_ftp,
	&proto_pop3,    &proto_imap,    &proto_xmpp,     &proto_postgresql, &proto_mysql,
	&proto_socks,   &proto_stratum, &proto_dns_tcp, &proto_dns_udp, &proto_quic, &proto_kerberos_udp, &proto_ntp, NULL,
};

static const struct proto_sink *bind_sink(const struct proto_pool *p, const struct proto_sink *sink, struct proto_sink *bound)
{
	if (sink->lend == p->lend && sink->http2 == p->http2)
		return sink;
	*bound = *sink;
	proto_pool_bind(p, bound);
	return bound;
}

static void count_if(struct counters *c, enum counter which)
{
	if (c)
		count(c, which);
}

void proto_mark(const struct proto_sink *sink, enum counter why)
{
	count_if(sink->counters, why);
	if (sink->uninspected)
		sink->uninspected(sink->user, why);
}

// There is no memory to go on with: others were fed more lately.
static enum parse lose(struct context *c, const struct proto_sink *sink)
{
	proto_mark(sink, COUNT_PROTO_CONTEXT_FULL);
	c->finished = true;
	return PARSE_DONE;
}

static bool has_port(const struct proto_ops *ops, uint16_t port)
{
	for (unsigned i = 0; i < 4 && ops->ports[i]; i++)
		if (ops->ports[i] == port)
			return true;
	return false;
}

// Does this protocol have ports of its own, and is this none of them?
static bool off_port(uint8_t app, const struct proto_flow *flow)
{
	bool registered = false;

	for (const struct proto_ops *const *t = proto_table; *t; t++) {
		if ((*t)->app != app || (*t)->transport != flow->transport || !(*t)->ports[0])
			continue;
		if (has_port(*t, flow->server_port))
			return false;
		registered = true;
	}
	return registered;
}

static bool is_parsers_port(const struct proto_flow *flow)
{
	for (const struct proto_ops *const *t = proto_table; *t; t++)
		if ((*t)->transport == flow->transport && (*t)->feed && has_port(*t, flow->server_port))
			return true;
	return false;
}

void proto_emit(const struct proto_sink *sink, const struct proto_input *in, uint8_t app, struct observation *o)
{
	o->app = app;
	o->from_client = in->from_client;
	if (off_port(app, in->flow))
		o->facts |= FACT_BIT(FACT_PROTOCOL_PORT);
	if (o->flags8 & OBS_FLAG_TRUNCATED)
		count_if(sink->counters, COUNT_PROTO_TRUNCATED);
	sink->emit(sink->user, o);
}

static void emit_protocol(const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	struct observation o;

	observation_init(&o, OBS_PROTOCOL);
	proto_emit(sink, in, app, &o);
}

static void emit_unknown(const struct proto_input *in, const struct proto_sink *sink, const struct raw *raw)
{
	struct observation o;

	observation_init(&o, OBS_PROTOCOL);
	if (raw)
		raw_describe(raw, &o);
	else
		raw_describe_side(in->data, in->from_client, &o);
	proto_emit(sink, in, APP_UNKNOWN, &o);
}

struct proto_input proto_input_of_close(const struct proto_flow *flow, bool from_client)
{
	struct proto_input in = {.from_client = from_client, .flow = flow};

	in.from_outside = flow->direction == (from_client ? DIRECTION_IN : DIRECTION_OUT);
	in.device_sends = from_client ? flow->direction == DIRECTION_OUT || flow->direction == DIRECTION_LATERAL
				      : flow->direction == DIRECTION_IN;
	return in;
}

// The best answer of all protocols for one side's first bytes. *ops only with PROBE_YES.
static enum probe probe_side(uint8_t transport, struct bytes head, bool from_client, const struct proto_ops **ops)
{
	enum probe best = PROBE_NO;

	for (const struct proto_ops *const *t = proto_table; *t; t++) {
		enum probe p = (*t)->transport == transport ? (*t)->probe(head, from_client) : PROBE_NO;

		if (p == PROBE_YES) {
			*ops = *t;
			return p;
		}
		if (p > best)
			best = p;
	}
	return best;
}

// The flow's parser is HTTP/2's from here on; whichever it had is over.
static void begin_http2(struct proto_pool *p, struct context *c, const struct http2_start *start,
			const struct proto_input *in, const struct proto_sink *sink)
{
	release(p, c);
	memset(c->unseen, 0, sizeof(c->unseen));
	c->ops = &proto_http2;
	c->unknown = false;
	memset(state_of(c), 0, proto_http2.state_bytes);
	http2_begin(state_of(c), start);
	emit_protocol(in, sink, APP_HTTP2);
}

// Where an HTTP/1 parser is done because the flow goes on as HTTP/2, the rest is the new parser's.
static enum parse switch_parser(struct proto_pool *p, struct context *c, const struct proto_input *in, const struct proto_sink *sink)
{
	struct http2_start start;
	struct proto_input rest;

	if (c->ops != &proto_http || !http_switched(state_of(c), &start))
		return PARSE_DONE;
	begin_http2(p, c, &start, in, sink);
	rest = *in;
	rest.data = bytes_from(in->data, in->data.left - start.rest_bytes);
	rest.gap = false;
	return rest.data.left ? c->ops->feed(state_of(c), &rest, sink) : PARSE_MORE;
}

enum { UNSEEN_MOST = 1 << 30 }; // of numbers that only have to reach as far as a sender may repeat

static void pass_over(struct unseen *u, uint32_t n)
{
	if (u->is.since)
		u->is.gone = u->is.since = 0;
	u->is.ahead -= n;
	u->passed += n;
	u->is.gone = u->is.gone + n < UNSEEN_MOST ? u->is.gone + n : UNSEEN_MOST;
}

// The parser learns what went by without it.
static void tell_passed(struct context *c)
{
	for (int side = 0; side < 2; side++) {
		struct unseen *u = &c->unseen[side];

		if (!u->passed)
			continue;
		c->ops->passed(state_of(c), side, u->passed);
		u->passed = 0;
	}
}

static void note_fed(struct context *c, const struct proto_input *in)
{
	struct unseen *u = &c->unseen[in->from_client];

	if (in->gap || u->is.since >= UNSEEN_MOST)
		u->is.gone = 0;
	u->is.since = u->is.gone ? u->is.since + (uint32_t)in->data.left : 0;
	u->is.ahead = c->ops->unseen && !c->finished ? c->ops->unseen(state_of(c), in->from_client) : 0;
}

const struct proto_unseen *proto_unseen(const struct proto_pool *p, uint32_t context, bool from_client)
{
	return &p->context[context - 1].unseen[from_client].is;
}

static enum parse feed_parser(struct proto_pool *p, struct context *c, const struct proto_input *in,
			      const struct proto_sink *sink)
{
	struct proto_input with_gap;
	enum parse result;

	if (c->gap[in->from_client] && !in->gap) {
		with_gap = *in;
		with_gap.gap = true;
		in = &with_gap;
	}
	c->gap[in->from_client] = false;
	tell_passed(c);
	result = c->ops->feed(state_of(c), in, sink);
	if (result == PARSE_DONE)
		result = switch_parser(p, c, in, sink);
	c->finished = result != PARSE_MORE;
	note_fed(c, in);
	if (result == PARSE_BAD)
		count_if(p->counters, COUNT_PROTO_BAD);
	return result;
}

// What a side sent before the protocol was known, less the last `now` bytes, which come with their segment.
static enum parse feed_early(struct proto_pool *p, struct context *c, const struct proto_flow *flow, bool from_client,
			     bool before, size_t length, const struct proto_sink *sink)
{
	struct proto_input in = proto_input_of_close(flow, from_client);

	in.data = bytes_of(c->early[from_client].at, length);
	c->gap[from_client] = false;
	if (length && feed_parser(p, c, &in, sink) != PARSE_MORE)
		return PARSE_DONE;
	c->gap[from_client] = before;
	if (c->early[from_client].closed && c->ops->close)
		c->ops->close(state_of(c), from_client, flow, sink);
	return PARSE_MORE;
}

// What this side said first is another protocol's, or none's: it would only put the parser out of step.
static bool is_foreign(const struct proto_ops *ops, const struct early *e, bool from_client)
{
	return e->length && ops->probe(bytes_of(e->at, e->length), from_client) == PROBE_NO;
}

// The protocol is known: its parser gets what has gone by, then this segment. `had` and `had_more` are this side's
// early bytes without this segment.
static enum parse settle(struct proto_pool *p, struct context *c, const struct proto_ops *ops,
			 const struct proto_input *in, size_t had, bool had_more, const struct proto_sink *sink,
			 uint8_t *app)
{
	const struct early *other = &c->early[!in->from_client];
	enum parse result;

	c->ops = ops;
	c->by_server = !in->from_client;
	*app = ops->app;
	emit_protocol(in, sink, ops->app);
	if (!take_state(p, c, ops->state_bytes)) {
		c->ops = NULL;
		return lose(c, sink);
	}
	memset(state_of(c), 0, ops->clear_bytes ? ops->clear_bytes : ops->state_bytes);
	// The client's words come first: an answer belongs to a question.
	for (int side = 1; side >= 0; side--) {
		bool now = side == in->from_client;

		if (!now && is_foreign(ops, other, side))
			c->gap[side] = true;
		else
			feed_early(p, c, in->flow, side, now ? had_more : other->more, now ? had : other->length, sink);
		if (c->finished) {
			c->tunnels = PROTO_TUNNELS; // a proxy's answer before this question: what it carries is not this segment
			return PARSE_DONE;
		}
	}
	result = feed_parser(p, c, in, sink);
	*app = c->ops->app;
	return result;
}

// A server may speak first, and its client pass over words it does not know: what the client then begins with tells what it will read. Another protocol that
// has a parser, or NULL.
static const struct proto_ops *contradicted(struct context *c, const struct proto_input *in)
{
	struct early *e = &c->early[1];
	size_t n = bytes_head(in->data, PROTO_PROBE_BYTES - (size_t)e->length).left;
	const struct proto_ops *ops = NULL;
	struct bytes said;
	enum probe best;

	if (in->gap) {
		c->by_server = false;
		return NULL;
	}
	memcpy(e->at + e->length, in->data.at, n);
	e->length = (uint8_t)(e->length + n);
	said = bytes_of(e->at, e->length);
	best = probe_side(in->flow->transport, said, true, &ops);
	c->by_server = best == PROBE_MAYBE && e->length < PROTO_PROBE_BYTES && c->ops->probe(said, true) != PROBE_YES;
	return best == PROBE_YES && ops->state_bytes && c->ops->probe(said, true) != PROBE_YES ? ops : NULL;
}

// What the server has said is nothing to the new parser; the client's words are all there.
static enum parse settle_again(struct proto_pool *p, struct context *c, const struct proto_ops *ops, const struct proto_input *in, size_t had,
			       const struct proto_sink *sink, uint8_t *app)
{
	release(p, c);
	memset(c->unseen, 0, sizeof(c->unseen));
	return settle(p, c, ops, in, had, c->early[1].more, sink, app);
}

static void settle_unknown(struct proto_pool *p, struct context *c, const struct proto_input *in,
			   const struct proto_sink *sink, uint8_t *app)
{
	c->unknown = true;
	if (app)
		*app = APP_UNKNOWN;
	count_if(p->counters, COUNT_PROTO_UNKNOWN);
	emit_unknown(in, sink, c->large);
	// Where a parser was to be expected its absence is no innocence (junk before DNS: evasion 89).
	if (is_parsers_port(in->flow) && sink->uninspected)
		sink->uninspected(sink->user, COUNT_PROTO_UNKNOWN);
	if (c->tunnels)
		proto_mark(sink, COUNT_PROTO_HTTP_TUNNEL);
}

static enum parse feed_unknown(struct context *c, const struct proto_input *in, const struct proto_sink *sink)
{
	raw_look(c->large, in, sink, false);
	c->finished = raw_done(c->large);
	return c->finished ? PARSE_DONE : PARSE_MORE;
}

static bool both_full(const struct context *c)
{
	return c->early[0].length == PROTO_PROBE_BYTES && c->early[1].length == PROTO_PROBE_BYTES;
}

// Has this side had its chance to show what it speaks? The other side's words, however many, do not use it up.
static bool is_heard(const struct early *e)
{
	return e->named || e->segments >= SETTLE_SEGMENTS || e->length == PROTO_PROBE_BYTES;
}

static bool is_named(const struct context *c)
{
	return c->early[0].named || c->early[1].named;
}

// One side speaks a protocol that is not parsed. Its word alone does not end inspection: a server may greet like SSH and then answer as a directory, and
// there are clients that skip what they do not know. Both sides must agree, or nothing else show itself in a few segments.
static enum parse feed_named(struct proto_pool *p, struct context *c, const struct proto_ops *ops, const struct proto_input *in,
			     const struct proto_sink *sink, uint8_t *app)
{
	if (!is_named(c)) {
		*app = ops->app;
		emit_protocol(in, sink, ops->app);
	}
	c->early[in->from_client].named = true;
	c->segments += c->segments < SETTLE_SEGMENTS;
	// Its words are still searched as those of any stream: a mail server logs what it is greeted with.
	c->unknown = (c->early[0].named && c->early[1].named) || c->segments >= SETTLE_SEGMENTS;
	if (!raw_of(p, c))
		return lose(c, sink);
	raw_add(c->large, in);
	return feed_unknown(c, in, sink);
}

static enum parse feed_unsettled(struct proto_pool *p, struct context *c, const struct proto_input *in,
				 const struct proto_sink *sink, uint8_t *app)
{
	struct early *e = &c->early[in->from_client];
	size_t had = e->length, n = bytes_head(in->data, PROTO_PROBE_BYTES - had).left;
	const struct proto_ops *ops = NULL;
	bool had_more = e->more || in->gap;
	enum probe probe;

	if (in->gap && had)
		n = 0; // bytes from beyond a gap do not continue the first ones
	memcpy(e->at + had, in->data.at, n);
	e->length = (uint8_t)(had + n);
	e->more = had_more || n < in->data.left;
	probe = probe_side(in->flow->transport, bytes_of(e->at, e->length), in->from_client, &ops);
	if (probe == PROBE_YES && ops->state_bytes == 0)
		return feed_named(p, c, ops, in, sink, app);
	if (probe == PROBE_YES)
		return settle(p, c, ops, in, had, had_more, sink, app);
	if (!raw_of(p, c))
		return lose(c, sink);
	raw_add(c->large, in);
	// It may yet be a protocol: its bytes are its parser's. Such segments do not count, or one byte a segment would
	// hide any.
	if (probe == PROBE_MAYBE && e->length < PROTO_PROBE_BYTES)
		return PARSE_MORE;
	c->segments += c->segments < SETTLE_SEGMENTS;
	e->segments++;
	if (is_named(c)) {
		c->unknown = c->segments >= SETTLE_SEGMENTS;
		return feed_unknown(c, in, sink);
	}
	if (!c->unknown && (both_full(c) || c->segments >= SETTLE_SEGMENTS)) {
		struct proto_input other = proto_input_of_close(in->flow, !in->from_client);

		settle_unknown(p, c, in, sink, app);
		raw_look(c->large, &other, sink, false);
	}
	return feed_unknown(c, in, sink);
}

// HTTP/2's preface in the middle of a stream of no known protocol: the bytes up to its end, or 0.
static size_t late_preface(struct context *c, const struct proto_input *in)
{
	if (!in->from_client)
		return 0;
	if (in->gap)
		c->preface = 0;
	return http2_preface_find(in->data, &c->preface);
}

// What was said before, by either side, belongs to something else.
static enum parse settle_late(struct proto_pool *p, struct context *c, const struct proto_input *in, size_t after,
			      const struct proto_sink *sink, uint8_t *app)
{
	static const struct http2_start start = {.preface_bytes = 24};
	struct proto_input rest = *in;

	*app = APP_HTTP2;
	c->finished = false;
	begin_http2(p, c, &start, in, sink);
	rest.data = bytes_from(in->data, after);
	rest.gap = c->gap[0] = c->gap[1] = false;
	return rest.data.left ? feed_parser(p, c, &rest, sink) : PARSE_MORE;
}

// A protocol whose name is all we want goes over to TLS. Its records keep that name: the port is that protocol's.
static enum parse feed_starttls(struct proto_pool *p, struct context *c, const struct proto_input *in, size_t at,
				const struct proto_sink *sink, uint8_t app)
{
	struct proto_input rest = *in;

	if (!take_state(p, c, proto_tls.state_bytes))
		return lose(c, sink);
	c->ops = &proto_tls;
	c->gap[0] = c->gap[1] = false;
	tls_begin(state_of(c), app);
	rest.data = bytes_from(in->data, at);
	rest.gap = false;
	return feed_parser(p, c, &rest, sink);
}

// The flow has just been named, by a segment of this side, whose first `had` bytes came before.
static void watch_starttls(struct context *c, const struct proto_input *in, size_t had, const struct proto_sink *sink, uint8_t app)
{
	struct proto_input early = *in;
	size_t unused;

	early.data = bytes_of(c->early[in->from_client].at, had);
	early.gap = false;
	if (in->from_client && had)
		starttls_begins(&c->starttls, app, &early, sink, &unused);
	starttls_begins(&c->starttls, app, in, sink, &unused);
}

static enum parse feed_context(struct proto_pool *p, struct context *c, const struct proto_input *in, const struct proto_sink *sink, uint8_t *app)
{
	enum parse result;
	size_t after, had;
	bool named;

	if (!in->gap && in->data.left <= c->unseen[in->from_client].is.ahead) {
		pass_over(&c->unseen[in->from_client], (uint32_t)in->data.left);
		return PARSE_MORE;
	}
	if (in->data.left == 0 && !in->gap)
		return PARSE_MORE;
	lend_touch(p->lend, &c->large);
	if (!state_of(c))
		return lose(c, sink);
	if (c->ops) {
		const struct proto_ops *before = c->ops, *other = NULL;

		had = c->early[1].length;
		if (c->by_server && in->from_client)
			other = contradicted(c, in);
		if (other)
			return settle_again(p, c, other, in, had, sink, app);
		result = feed_parser(p, c, in, sink);
		if (c->ops != before) // an upgrade
			*app = c->ops->app;
		return result;
	}
	if (in->data.left == 0) { // bytes lost before anything was known
		c->early[in->from_client].more = true;
		return PARSE_MORE;
	}
	named = is_named(c); // the question may be what names it
	had = c->early[in->from_client].length;
	if (named && starttls_begins(&c->starttls, *app, in, sink, &after))
		return feed_starttls(p, c, in, after, sink, *app);
	if (!c->unknown || !is_heard(&c->early[in->from_client])) {
		result = feed_unsettled(p, c, in, sink, app);
	} else {
		if (!raw_of(p, c))
			return lose(c, sink);
		raw_add(c->large, in);
		result = feed_unknown(c, in, sink);
	}
	if (!named && is_named(c))
		watch_starttls(c, in, had, sink, *app);
	after = c->ops ? 0 : late_preface(c, in);
	return after ? settle_late(p, c, in, after, sink, app) : result;
}

// Has the parser just said that what follows is another connection's, through a proxy?
static bool is_tunnel(struct context *c, struct tunnel_start *start)
{
	return (c->ops == &proto_http && http_tunnelled(state_of(c), start)) || (c->ops == &proto_socks && socks_tunnelled(state_of(c), start));
}

// What comes from here on is recognised anew, as a flow to the far end's port.
static void begin_behind(struct proto_pool *p, struct context *c, uint16_t port)
{
	bool closed[2] = {c->early[0].closed, c->early[1].closed};

	release(p, c);
	c->ops = NULL;
	c->unknown = c->finished = c->by_server = c->gap[0] = c->gap[1] = false;
	c->segments = c->preface = 0;
	c->tunnels++;
	c->port = port;
	memset(c->unseen, 0, sizeof(c->unseen));
	memset(c->early, 0, sizeof(c->early));
	memset(&c->starttls, 0, sizeof(c->starttls));
	c->early[0].closed = closed[0];
	c->early[1].closed = closed[1];
}

static const struct proto_input *behind_proxy(const struct context *c, const struct proto_input *in, struct proto_flow *flow, struct proto_input *copy)
{
	*flow = *in->flow;
	flow->server_port = c->port;
	*copy = *in;
	copy->flow = flow;
	return copy;
}

enum parse proto_feed(struct proto_pool *p, uint32_t context, const struct proto_input *in,
		      const struct proto_sink *sink, uint8_t *app)
{
	struct context *c = find_context(p, context);
	struct tunnel_start start;
	struct proto_sink bound;
	struct proto_input behind;
	struct proto_flow flow;
	enum parse result;

	if (!c || c->finished)
		return PARSE_DONE;
	sink = bind_sink(p, sink, &bound);
	if (c->tunnels)
		in = behind_proxy(c, in, &flow, &behind);
	result = feed_context(p, c, in, sink, app);
	while (result == PARSE_DONE && c->ops && is_tunnel(c, &start)) { // at most PROTO_TUNNELS rounds
		if (c->tunnels == PROTO_TUNNELS) {
			proto_mark(sink, COUNT_PROTO_HTTP_TUNNEL);
			break;
		}
		begin_behind(p, c, start.port);
		in = behind_proxy(c, in, &flow, &behind);
		behind.data = bytes_from(behind.data, behind.data.left - start.rest_bytes);
		behind.gap = false;
		result = feed_context(p, c, in, sink, app);
	}
	return result;
}

void proto_half_close(struct proto_pool *p, uint32_t context, bool from_client, const struct proto_flow *flow,
		      const struct proto_sink *sink)
{
	struct context *c = find_context(p, context);
	struct proto_input in = proto_input_of_close(flow, from_client);
	struct proto_sink bound;

	if (!c || c->finished || c->early[from_client].closed)
		return;
	sink = bind_sink(p, sink, &bound);
	c->early[from_client].closed = true;
	if (c->ops) {
		if (state_of(c))
			tell_passed(c);
		if (c->ops->close && state_of(c))
			c->ops->close(state_of(c), from_client, flow, sink);
		return;
	}
	if (!c->unknown && !is_named(c) && c->early[!from_client].closed && (c->early[0].length || c->early[1].length))
		settle_unknown(p, c, &in, sink, NULL);
	if (c->holds && c->large)
		raw_look(c->large, &in, sink, true);
}

static const struct proto_ops *find_datagram_ops(uint8_t app)
{
	for (const struct proto_ops *const *t = proto_table; *t; t++)
		if ((*t)->app == app && (*t)->transport == UDP)
			return *t;
	return NULL;
}

// A first datagram of junk must not hide what follows it, so a few certain signs are looked for in every one: NTP and the like have none. *app is what the flow
// was called before.
static const struct proto_ops *recognise_datagram(const struct proto_input *in, uint8_t app)
{
	struct bytes head = bytes_head(in->data, PROTO_PROBE_BYTES);
	const struct proto_ops *ops = NULL;

	if (app == APP_NONE) {
		probe_side(UDP, head, in->from_client, &ops);
		return ops;
	}
	ops = find_datagram_ops(app);
	if (ops != &proto_quic && proto_quic.begins(in->data, in->from_client))
		return &proto_quic;
	if (ops != &proto_dns_udp && has_port(&proto_dns_udp, in->flow->server_port) &&
	    proto_dns_udp.probe(head, in->from_client) == PROBE_YES)
		return &proto_dns_udp;
	return ops;
}

// The pool's spare context serves a datagram that finds none free: most say all they have to say at once.
static void feed_stateful(struct proto_pool *p, uint32_t *context, const struct proto_ops *ops, const struct proto_input *in,
			  const struct proto_sink *sink)
{
	struct context *c = find_context(p, *context);

	if (c && c->ops != ops) { // the flow was another protocol's
		proto_close(p, *context);
		c = NULL;
	}
	if (!c) {
		*context = ops->begins(in->data, in->from_client) ? proto_open(p) : 0;
		c = *context ? find_context(p, *context) : &p->context[p->count];
		c->ops = ops;
		if (take_state(p, c, ops->state_bytes))
			memset(state_of(c), 0, ops->state_bytes);
	}
	lend_touch(p->lend, &c->large);
	if (!state_of(c)) {
		proto_mark(sink, COUNT_PROTO_CONTEXT_FULL);
	} else if (ops->feed(state_of(c), in, sink) == PARSE_MORE) {
		if (*context)
			return;
		count_if(p->counters, COUNT_PROTO_CONTEXT_FULL);
		ops->close(state_of(c), in->from_client, in->flow, sink); // what it waits for cannot be waited for
	}
	if (!*context)
		release(p, c);
	proto_close(p, *context);
	*context = 0;
}

// Syslog, and whatever else is logged: its receiver does not ask what it looks like.
static void search_datagram(const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	jndi_scan(in->data, "payload", in, sink, app);
	if (in->data.left > WINDOW_BYTES)
		proto_mark(sink, COUNT_PROTO_BUDGET);
}

void proto_datagram(struct proto_pool *p, uint32_t *context, const struct proto_input *in, const struct proto_sink *sink, uint8_t *app)
{
	const struct proto_ops *ops = recognise_datagram(in, *app);
	bool parsed = ops && ops->feed && (!ops->begins || has_port(ops, in->flow->server_port)); // most of QUIC is ciphertext, where QUIC belongs

	if (*app == APP_NONE || (ops && ops->app != *app)) {
		*app = ops ? ops->app : APP_UNKNOWN;
		if (ops) {
			emit_protocol(in, sink, *app);
		} else {
			count_if(sink->counters, COUNT_PROTO_UNKNOWN);
			emit_unknown(in, sink, NULL);
			if (is_parsers_port(in->flow) && sink->uninspected)
				sink->uninspected(sink->user, COUNT_PROTO_UNKNOWN);
		}
	}
	if (ops && ops->begins && (*context || ops->begins(in->data, in->from_client))) {
		feed_stateful(p, context, ops, in, sink);
	} else if (ops && ops->feed && ops->feed(NULL, in, sink) == PARSE_BAD) {
		proto_mark(sink, COUNT_PROTO_BAD);
		parsed = false;
	}
	if (!parsed && in->from_outside)
		search_datagram(in, sink, *app);
}
