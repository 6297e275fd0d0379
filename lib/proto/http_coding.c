// SPDX-License-Identifier: GPL-2.0-or-later
// Compressed bodies, Content-Encoding and Transfer-Encoding alike: opened as far as anybody looks, so that what comes out goes where clear bytes go. What
// cannot be opened is named and looked at as it stands. So is the front of what can be: most servers undo no coding, nor does the JDK. Knows the limits; inflate.c does the work. Called by the flow's worker.
#include "http_impl.h"

enum { PIECE_BYTES = 4096 };

void http_coding_end(struct http_side *s, struct lend *lend)
{
	for (unsigned i = 0; i < HTTP_LAYERS; i++)
		lend_give(lend, &s->layer[i]);
	s->layers = 0;
	s->bare = false;
}

static enum inflate_coding layer_coding(const struct http_side *s, unsigned i)
{
	unsigned n = s->transfer.count;

	return i < n ? s->transfer.at[n - 1 - i] : s->content.at[s->content.count - 1 - (i - n)];
}

static bool all_known(const struct http_side *s, unsigned layers)
{
	for (unsigned i = 0; i < layers; i++)
		if (layer_coding(s, i) == (enum inflate_coding)HTTP_CODING_OTHER)
			return false;
	return true;
}

void http_coding_begin(struct http_call *c)
{
	struct http_side *s = c->side;
	unsigned layers = (unsigned)(s->content.count + s->transfer.count);

	http_coding_end(s, c->sink->lend);
	s->coded = layers > 0;
	s->damaged = false;
	if (!layers)
		return;
	if (layers > HTTP_LAYERS || c->http->bombs >= HTTP_BOMBS) {
		proto_mark(c->sink, COUNT_PROTO_INFLATE_LIMIT);
		return;
	}
	if (!all_known(s, layers)) {
		proto_mark(c->sink, COUNT_PROTO_INFLATE_BAD);
		return;
	}
	for (unsigned i = 0; i < layers; i++) {
		if (!lend_take(c->sink->lend, LEND_INFLATE, &s->layer[i])) {
			proto_mark(c->sink, COUNT_PROTO_INFLATE_LIMIT);
			http_coding_end(s, c->sink->lend);
			return;
		}
		inflate_begin(s->layer[i], layer_coding(s, i));
	}
	s->layers = (uint8_t)layers;
	s->coded = false;
	s->bare = !s->window.done;
}

struct bytes http_coding_front(const struct http_side *s)
{
	const struct inflate *layer = s->layers ? s->layer[0] : NULL;

	return layer ? bytes_of(layer->front, layer->kept) : bytes_of(NULL, 0);
}

void http_coding_search(struct http_call *c)
{
	struct http_side *s = c->side;
	struct bytes front = http_coding_front(s);

	if (front.left && !inflate_is_plain(s->layer[0]))
		jndi_scan(front, "body", c->in, c->sink, APP_HTTP);
	s->bare = false;
}

// What need not be opened is still to be searched, and may be a file.
static void keep_bare(struct http_call *c, struct bytes rest)
{
	struct http_side *s = c->side;

	if (s->layers && (s->bare || !s->file_done))
		inflate_keep(s->layer[0], rest);
}

static void stop_at_limit(struct http_call *c)
{
	c->http->bombs++;
	proto_mark(c->sink, COUNT_PROTO_INFLATE_LIMIT);
	http_body_stop(c);
}

// All that will be looked at has come, though the look is yet to be taken.
static bool is_full(const struct http_side *s)
{
	return (s->file_done || s->collected == FILE_HEAD_BYTES) && (s->window.done || s->window.length == WINDOW_BYTES) &&
	       !s->parts;
}

// One step of one layer. false: the body is given up.
static bool step(struct http_call *c, unsigned i, struct bytes *in, bool end, uint8_t *out, size_t room, size_t *n)
{
	struct http_side *s = c->side;
	struct inflate *layer = s->layer[i];
	enum inflate_result result = inflate_step(layer, in, end, out, room, n);

	if (result == INFLATE_BAD) {
		proto_mark(c->sink, COUNT_PROTO_INFLATE_BAD);
		s->damaged = true;
	}
	if (!s->opened && layer->flowed && c->sink->counters)
		count(c->sink->counters, COUNT_PROTO_INFLATED);
	s->opened = s->opened || layer->flowed;
	c->inflated += (uint32_t)*n;
	if (result != INFLATE_LIMIT && c->inflated <= HTTP_INFLATE_BYTES)
		return true;
	stop_at_limit(c);
	return false;
}

// What the outermost layer gave goes through the next one, or to the body. false: no more is wanted.
static bool pass_on(struct http_call *c, struct bytes piece, bool end, size_t room)
{
	struct http_side *s = c->side;
	uint8_t out[PIECE_BYTES];
	size_t n = 0;

	if (s->layers == 1) {
		http_body_plain(c, piece);
		return !is_full(s);
	}
	do {
		if (!step(c, 1, &piece, end, out, room, &n))
			return false;
		http_body_plain(c, bytes_of(out, n));
		if (is_full(s))
			return false;
	} while (piece.left || n == room || inflate_waits(s->layer[1]));
	return true;
}

// Opens until nothing more is wanted, or there is nothing more; *more moves on.
static void open_layers(struct http_call *c, struct bytes *more, bool end)
{
	struct http_side *s = c->side;
	size_t room = s->window.done && !s->parts ? FILE_HEAD_BYTES : PIECE_BYTES, n;
	uint8_t out[PIECE_BYTES];

	if (is_full(s))
		return;
	do {
		bool last;

		if (!step(c, 0, more, end, out, room, &n))
			return;
		last = end && !more->left && n < room && !inflate_waits(s->layer[0]);
		if (!pass_on(c, bytes_of(out, n), last, room))
			return;
	} while (more->left || n == room || inflate_waits(s->layer[0]));
}

void http_coding_add(struct http_call *c, struct bytes more, bool end)
{
	struct http_side *s = c->side;

	for (unsigned i = 0; i < s->layers; i++) {
		lend_touch(c->sink->lend, &s->layer[i]);
		if (s->layer[i])
			continue;
		proto_mark(c->sink, COUNT_PROTO_INFLATE_LIMIT); // others needed it
		http_body_stop(c);
		return;
	}
	open_layers(c, &more, end);
	keep_bare(c, more);
}
