// SPDX-License-Identifier: GPL-2.0-or-later
// Streams of an HTTP/2 connection and the first bytes of their bodies: what kind of file it is, and, in requests from
// outside, look-ups. Content codings are not undone here, but said: add_bytes is where opened bytes would come in.
#include "http2_impl.h"

struct http2_stream *http2_stream_find(struct http2_place *p, uint32_t id)
{
	for (unsigned i = 0; id && i < HTTP2_STREAMS; i++)
		if (p->stream[i].id == id)
			return &p->stream[i];
	return NULL;
}

static void drop_window(struct http2_place *p, struct http2_body *b)
{
	if (b->window)
		p->window[b->window - 1].used = false;
	b->window = 0;
}

static void close_stream(struct http2_call *c, struct http2_stream *s)
{
	drop_window(c->place, &s->body[0]);
	drop_window(c->place, &s->body[1]);
	s->id = 0;
}

struct http2_stream *http2_stream_open(struct http2_call *c, uint32_t id, uint64_t tx)
{
	struct http2_stream *s = NULL;

	for (unsigned i = 0; i < HTTP2_STREAMS && (!s || s->id); i++) {
		struct http2_stream *t = &c->place->stream[i];

		// Answered to its end: hardly anything more comes from the client.
		if (!t->id || t->body[0].ended)
			s = t;
	}
	if (!s) {
		http2_limit(c);
		return NULL;
	}
	if (s->id) {
		if (!s->body[1].ended)
			http2_limit(c); // a look-up across what came and what comes is not seen
		close_stream(c, s);
	}
	for (unsigned i = 0; i < 2; i++)
		memset(&s->body[i], 0, offsetof(struct http2_body, type));
	s->id = id;
	s->tx = tx;
	return s;
}

static void look_for_file(struct http2_call *c, struct http2_stream *s, struct http2_body *b, bool end)
{
	struct bytes head = bytes_of(b->head, b->collected);
	enum file_kind kind = file_kind_of(head, !end && b->collected < FILE_HEAD_BYTES);
	struct observation o;

	b->looked = b->collected;
	if (kind == FILE_NONE)
		return;
	b->file_done = true;
	if (b->coded && !file_kind_fact(kind)) // as in HTTP/1: that a coded body is a gzip says nothing
		kind = FILE_BINARY;
	observation_init(&o, OBS_FILE);
	o.number[NUM_FILE_TX] = s->tx;
	o.number[NUM_FILE_LENGTH] = b->declared;
	o.flags8 |= c->place->named ? 0 : OBS_FLAG_BARE_HOST;
	file_emit(kind, &o, head, bytes_of(b->type, b->type_length), c->in, c->sink, APP_HTTP2);
}

static void look(struct http2_call *c, struct http2_stream *s, struct http2_body *b, bool end)
{
	struct http2_window *w = b->window ? &c->place->window[b->window - 1] : NULL;

	if (w)
		window_scan(&w->window, w->at, end, "body", c->in, c->sink, APP_HTTP2);
	if (!b->file_done && b->collected && (end || file_look_due(b->collected, b->looked)))
		look_for_file(c, s, b, end);
	if (!w || !w->window.done)
		return;
	window_name(&w->window, w->at, c->in, c->sink, APP_HTTP2);
	b->searched = true;
	drop_window(c->place, b);
}

// A window for this body, if one is free. Taken with the first byte, so that a stream that says nothing holds none.
static struct http2_window *window_of(struct http2_call *c, struct http2_body *b)
{
	for (unsigned i = 0; !b->window && i < HTTP2_WINDOWS; i++) {
		struct http2_window *w = &c->place->window[i];

		if (w->used)
			continue;
		memset(&w->window, 0, sizeof(w->window));
		w->used = true;
		b->window = (uint8_t)(i + 1);
	}
	return b->window ? &c->place->window[b->window - 1] : NULL;
}

static bool is_searched(const struct http2_call *c)
{
	return c->in->from_client && c->in->from_outside;
}

static void search(struct http2_call *c, struct http2_body *b, struct bytes more)
{
	struct http2_window *w;

	if (!is_searched(c) || b->searched)
		return;
	w = window_of(c, b);
	if (w) {
		window_add(&w->window, w->at, more);
		return;
	}
	http2_limit(c); // a look-up across two pieces is not seen
	jndi_scan(more, "body", c->in, c->sink, APP_HTTP2);
}

static void add_bytes(struct http2_call *c, struct http2_body *b, struct bytes more)
{
	struct bytes part = bytes_head(more, (size_t)(FILE_HEAD_BYTES - b->collected));

	if (part.left)
		memcpy(b->head + b->collected, part.at, part.left);
	b->collected = (uint16_t)(b->collected + part.left);
	search(c, b, more);
}

void http2_body_add(struct http2_call *c, uint32_t id, struct bytes more)
{
	struct http2_stream *s = http2_stream_find(c->place, id);
	struct http2_body *b;

	if (more.left == 0)
		return;
	if (!s) { // closed a moment ago, or one too many: what can be told from these bytes alone
		if (is_searched(c))
			jndi_scan(more, "body", c->in, c->sink, APP_HTTP2);
		return;
	}
	b = &s->body[c->in->from_client];
	if (b->coded && !b->collected)
		proto_mark(c->sink, COUNT_PROTO_INFLATE_BAD);
	add_bytes(c, b, more);
	look(c, s, b, false);
}

void http2_body_end(struct http2_call *c, struct http2_stream *s)
{
	struct http2_body *b = &s->body[c->in->from_client];

	if (!b->ended)
		look(c, s, b, true);
	b->ended = true;
	if (s->body[0].ended && s->body[1].ended)
		close_stream(c, s);
}

void http2_bodies_end(struct http2_call *c)
{
	for (unsigned i = 0; i < HTTP2_STREAMS; i++)
		if (c->place->stream[i].id)
			http2_body_end(c, &c->place->stream[i]);
}

// Either side may reset a stream; both of its bodies end here.
void http2_stream_reset(struct http2_call *c, uint32_t id)
{
	struct proto_input other = proto_input_of_close(c->in->flow, !c->in->from_client);
	struct http2_call back = {c->http2, c->place, &c->place->side[other.from_client], &other, c->sink};
	struct http2_stream *s = http2_stream_find(c->place, id);

	if (!s)
		return;
	http2_body_end(c, s);
	if (s->id)
		http2_body_end(&back, s);
}
