// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/0.9 to 1.1, both directions at once (RFC 9112). Heads are read line by line, bodies are passed over but for
// their first bytes. Lenient where servers are: bare LF, folded headers, unknown methods, missing versions; where servers differ, the
// message is marked. Not here: HTTP/2. State is bounded: one line a side, and that is borrowed. Called by the flow's worker.
#include "http_impl.h"

void http_line_clear(struct http_side *s)
{
	s->length = 0;
	s->held = false;
}

void http_ambiguous(struct http_call *c)
{
	if (!c->side->ambiguous)
		proto_mark(c->sink, COUNT_PROTO_HTTP_AMBIGUOUS);
	c->side->ambiguous = true;
}

// A line of which `had` bytes came before and the end is yet to come. For some readers (the JDK) a bare CR ends it, and what follows is a body to them: its end
// may never come.
static void check_unfinished(struct http_call *c, struct bytes line, size_t had)
{
	struct bytes fresh = bytes_from(line, had ? had - 1 : 0);

	if (bytes_find(fresh, '\r') + 1 < fresh.left)
		http_ambiguous(c);
}

static struct bytes without_cr(struct http_side *s, struct bytes line)
{
	bool cr = line.left && line.at[line.left - 1] == '\r';

	s->crlf = s->crlf || cr;
	s->lf = s->lf || !cr;
	line.left -= cr;
	return line;
}

enum http_line http_line_next(struct http_side *s, struct bytes *data, struct bytes *line)
{
	size_t n = bytes_find(*data, '\n'), room = (size_t)(HTTP_LINE_BYTES - s->length), part = n < room ? n : room;
	bool whole = n < data->left;
	struct bytes piece;

	s->head_bytes += (uint32_t)part + whole;
	if (whole && s->length == 0 && n <= room) {
		bytes_take(data, n, line);
		bytes_skip(data, 1);
		*line = without_cr(s, *line);
		return HTTP_LINE_WHOLE;
	}
	piece = bytes_head(*data, part);
	bytes_skip(data, part);
	if (part)
		memcpy(http_work(s)->line + s->length, piece.at, part);
	s->length = (uint16_t)(s->length + part);
	*line = bytes_of(http_work(s)->line, s->length);
	if (part < n)
		return HTTP_LINE_LONG;
	if (!whole)
		return HTTP_LINE_NONE;
	bytes_skip(data, 1);
	*line = without_cr(s, *line);
	return HTTP_LINE_WHOLE;
}

// The front of a long line was handled: keeps a part of it, for what may lie across the cut.
static void keep_overlap(struct http_side *s)
{
	uint8_t *line = http_work(s)->line;

	memmove(line, line + HTTP_LINE_BYTES - HTTP_OVERLAP_BYTES, HTTP_OVERLAP_BYTES);
	s->length = HTTP_OVERLAP_BYTES;
	s->tail = true;
}

static enum parse step_tail(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	struct bytes piece;
	size_t had = s->length;
	enum http_line got = http_line_next(s, data, &piece);

	if (got == HTTP_LINE_NONE) {
		check_unfinished(c, piece, had);
		return PARSE_MORE;
	}
	http_head_tail(c, piece);
	if (got == HTTP_LINE_LONG) {
		keep_overlap(s);
		return PARSE_MORE;
	}
	s->tail = false;
	http_line_clear(s);
	return PARSE_MORE;
}

static enum parse begin_raw(struct http_call *c)
{
	struct http_side *s = c->side;
	uint8_t early[8]; // at most the 5 bytes of "HTTP/" were waited for
	size_t n = s->length < sizeof(early) ? s->length : sizeof(early);

	memcpy(early, http_work(s)->line, n);
	http_line_clear(s);
	observation_init(&http_work(s)->head, OBS_HTTP_RESPONSE);
	s->tx = c->http->answers < c->http->requests ? c->http->answers + 1 : 0;
	s->declared = 0;
	s->content.count = s->transfer.count = 0;
	s->raw = true;
	http_body_start(c, HTTP_UNTIL_CLOSE);
	http_body_add(c, bytes_of(early, n));
	return PARSE_MORE;
}

// Can these bytes begin a message? Told from the first byte on, not at the end of a line that may never come.
static enum probe may_start(struct http_call *c, struct bytes data)
{
	uint8_t front[8];
	size_t had = c->side->length < sizeof(front) ? c->side->length : sizeof(front),
	       n = bytes_head(data, sizeof(front) - had).left;

	memcpy(front, http_work(c->side)->line, had);
	memcpy(front + had, data.at, n);
	if (c->in->from_client)
		return http_is_token(front[0]) ? PROBE_YES : PROBE_NO;
	return http_probe_answer(bytes_of(front, had + n));
}

static enum parse step_start(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	struct bytes line;
	enum http_line got;
	enum parse result;
	size_t had;

	// RFC 9112 §2.2: empty lines before a start line are passed over.
	while (s->length == 0 && data->left && (data->at[0] == '\r' || data->at[0] == '\n'))
		bytes_skip(data, 1);
	if (data->left == 0)
		return PARSE_MORE;
	if (may_start(c, *data) == PROBE_NO)
		return c->in->from_client ? PARSE_BAD : begin_raw(c);
	if (s->length == 0) {
		s->head_bytes = 0;
		s->crlf = s->lf = s->ambiguous = false;
	}
	had = s->length;
	got = http_line_next(s, data, &line);
	if (got == HTTP_LINE_NONE) {
		check_unfinished(c, line, had);
		return PARSE_MORE;
	}
	s->state = HTTP_HEADER;
	result = http_head_start(c, line);
	http_line_clear(s);
	if (got == HTTP_LINE_LONG)
		keep_overlap(s);
	return result;
}

// A whole header line. The next byte says whether the line is folded on (RFC 9112 §5.2); until it is here, the line is
// held.
static enum parse take_header(struct http_call *c, struct bytes line, struct bytes rest)
{
	struct http_side *s = c->side;
	bool folds = rest.left && (rest.at[0] == ' ' || rest.at[0] == '\t');

	if (line.left == 0) {
		http_line_clear(s);
		return http_head_end(c);
	}
	if (rest.left && !folds) {
		http_head_field(c, line);
		http_line_clear(s);
		return PARSE_MORE;
	}
	if (line.at != http_work(s)->line)
		memcpy(http_work(s)->line, line.at, line.left);
	s->length = (uint16_t)line.left;
	s->held = true;
	return PARSE_MORE;
}

static enum parse step_header(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	bool blank = data->at[0] == ' ' || data->at[0] == '\t';
	struct bytes line;
	size_t had;

	if (s->head_bytes > HTTP_HEAD_BYTES)
		return PARSE_BAD;
	if (s->held && !blank) {
		http_head_field(c, bytes_of(http_work(s)->line, s->length));
		http_line_clear(s);
	}
	if (blank && (s->held || s->length == 0))
		s->folded = true; // the first line of all begins so: some pass it over, some read it
	s->held = false;
	had = s->length;
	switch (http_line_next(s, data, &line)) {
	case HTTP_LINE_NONE:
		check_unfinished(c, line, had);
		return PARSE_MORE;
	case HTTP_LINE_WHOLE:
		return take_header(c, line, *data);
	case HTTP_LINE_LONG:
		s->tail = true; // what is yet to come may change what it says
		http_head_field(c, line);
		keep_overlap(s);
	}
	return PARSE_MORE;
}

static enum parse step_skip(struct http_call *c, struct bytes *data)
{
	bytes_skip(data, data->left);
	return PARSE_MORE;
}

// Whose bytes these are is not known, but what comes from outside is searched all the same.
static enum parse step_lost(struct http_call *c, struct bytes *data)
{
	if (c->in->from_client && c->in->from_outside)
		jndi_scan(*data, "payload", c->in, c->sink, APP_HTTP);
	return step_skip(c, data);
}

// Before it knows whether there is a tunnel, the client speaks into it; or to a server that knows no CONNECT and reads on.
static enum parse step_wait(struct http_call *c, struct bytes *data)
{
	c->http->early = true;
	return step_lost(c, data);
}

static enum parse (*const steps[HTTP_STATES])(struct http_call *c, struct bytes *data) = {
	[HTTP_START] = step_start,
	[HTTP_HEADER] = step_header,
	[HTTP_LENGTH] = http_step_length,
	[HTTP_UNTIL_CLOSE] = http_step_until_close,
	[HTTP_CHUNK_SIZE] = http_step_chunk_size,
	[HTTP_CHUNK_EXTENSION] = http_step_chunk_extension,
	[HTTP_CHUNK] = http_step_chunk,
	[HTTP_CHUNK_END] = http_step_chunk_end,
	[HTTP_TRAILER] = step_header,
	[HTTP_WAIT] = step_wait,
	[HTTP_LOST] = step_lost,
};

static bool in_body(const struct http_side *s)
{
	return s->state >= HTTP_LENGTH && s->state <= HTTP_CHUNK_END;
}

// Bytes are missing. A body that ends with the connection, or bytes nobody reads, can do without; all else must find a
// head again.
static void lose(struct http_call *c)
{
	struct http_side *s = c->side;

	if (s->state == HTTP_WAIT) {
		c->http->early = true;
		return;
	}
	if (in_body(s) && http_body_wanted(s))
		http_body_look(c, true);
	s->file_done = true;
	s->parts = false;
	if (s->layers)
		http_body_stop(c);
	if (s->state == HTTP_UNTIL_CLOSE)
		return;
	http_line_clear(s);
	s->tail = s->folded = false;
	s->state = HTTP_LOST;
}

// A stream whose message boundaries are not known may take up again at a segment that begins with a head.
static void resynchronise(struct http_call *c)
{
	struct http_side *s = c->side;

	if (s->state != HTTP_LOST && !(s->state == HTTP_UNTIL_CLOSE && s->raw))
		return;
	if (http_probe(bytes_head(c->in->data, PROTO_PROBE_BYTES), c->in->from_client) != PROBE_YES)
		return;
	if (in_body(s))
		http_body_end(c, HTTP_START);
	http_line_clear(s);
	s->state = HTTP_START;
}

// --- What is borrowed ---

static bool needs_work(const struct http_side *s)
{
	if (in_body(s))
		return http_body_wanted(s);
	return s->state != HTTP_WAIT && s->state != HTTP_LOST;
}

// Nothing of the side is kept in what it has borrowed.
static bool is_idle(const struct http_side *s)
{
	if (in_body(s))
		return !http_body_wanted(s);
	return s->state != HTTP_HEADER && s->length == 0 && !s->held && !s->tail;
}

static void give_work(struct http_side *s, struct lend *lend)
{
	lend_give(lend, &s->work);
	s->works = false;
}

// HTTP/0.9 has no headers and no empty line: its request is over when the answer comes, or the client closes.
static void end_simple_request(struct http *h, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct http_side *client = &h->side[1];
	struct proto_input in = proto_input_of_close(flow, true);
	struct http_call call = {h, client, &in, sink};

	if (client->state != HTTP_HEADER || client->length || client->tail || !client->work ||
	    http_work(client)->head.slot[TEXT_REQUEST_VERSION].length)
		return;
	http_head_end(&call);
	if (is_idle(client))
		give_work(client, sink->lend);
}

// This is no HTTP any more, but it may still be an attack: the rest of the segment is searched as a body would be, behind the line in hand, which is where the
// window begins.
static void give_up(struct http_call *c, struct bytes rest)
{
	struct http_side *s = c->side;
	uint16_t line = s->tail ? 0 : s->length; // the front of a longer one was searched

	s->content.count = s->transfer.count = 0;
	http_work(s)->parts.pattern_length = 0;
	if (!in_body(s)) {
		http_head_named(c);
		http_body_start(c, HTTP_UNTIL_CLOSE);
		s->file_done = true;
		s->window.length = line;
	}
	window_add(&s->window, http_work(s)->line, rest);
	http_body_look(c, true);
}

static bool take_work(struct http_call *c)
{
	struct http_side *s = c->side;

	if (s->work || !needs_work(s))
		return true;
	s->works = !s->works && lend_take(c->sink->lend, LEND_WORK, &s->work);
	if (s->works)
		named_begin(&http_work(s)->named);
	return s->works;
}

static void http_release(void *state, struct lend *lend)
{
	struct http *h = state;

	for (unsigned i = 0; i < 2; i++) {
		http_coding_end(&h->side[i], lend);
		give_work(&h->side[i], lend);
	}
}

// Others wanted our memory more than we did. That it was taken away is said when there are bytes that would have needed it.
static enum parse lose_work(struct http_call *c)
{
	proto_mark(c->sink, COUNT_PROTO_CONTEXT_FULL);
	http_release(c->http, c->sink->lend);
	return PARSE_DONE;
}

static enum parse run_steps(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	enum parse result = PARSE_MORE;

	while (data->left && result == PARSE_MORE) {
		if (!take_work(c))
			return lose_work(c);
		result = s->tail ? step_tail(c, data) : steps[s->state](c, data);
	}
	return result;
}

static enum parse http_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct http *h = state;
	struct http_side *s = &h->side[in->from_client];
	struct http_call call = {h, s, in, sink};
	struct bytes data = bytes_apart(&in->data);
	enum parse result;

	lend_touch(sink->lend, &s->work);
	if (s->works && !s->work)
		return lose_work(&call);
	if (!in->from_client)
		end_simple_request(h, in->flow, sink);
	if (in->gap)
		lose(&call);
	resynchronise(&call);
	result = run_steps(&call, &data);
	h->http2.rest_bytes = (uint32_t)data.left;
	if (result == PARSE_BAD)
		give_up(&call, data);
	else if (in_body(s) && s->work)
		http_body_look(&call, false);
	if (result != PARSE_MORE)
		http_release(h, sink->lend);
	else if (s->work && is_idle(s))
		give_work(s, sink->lend);
	if (s->layers && !(in_body(s) && http_body_wanted(s)))
		http_coding_end(s, sink->lend);
	return result;
}

// A body of which nothing is wanted any more. One that resumes at any head (raw) must be looked at.
static uint32_t http_unseen(const void *state, bool from_client)
{
	const struct http_side *s = &((const struct http *)state)->side[from_client];
	uint64_t n = s->state == HTTP_LENGTH || s->state == HTTP_CHUNK ? s->remaining
		     : s->state == HTTP_UNTIL_CLOSE && !s->raw	       ? UINT64_MAX
								       : 0;

	if (!n || http_body_wanted(s))
		return 0;
	return n < HTTP_UNSEEN_BYTES ? (uint32_t)n : HTTP_UNSEEN_BYTES;
}

static void http_passed(void *state, bool from_client, uint32_t bytes)
{
	http_body_passed(&((struct http *)state)->side[from_client], bytes);
}

static void http_close(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct http *h = state;
	struct proto_input in = proto_input_of_close(flow, from_client);
	struct http_call call = {h, &h->side[from_client], &in, sink};

	if (from_client)
		end_simple_request(h, flow, sink);
	if (in_body(call.side)) {
		http_body_end(&call, HTTP_LOST);
		give_work(call.side, sink->lend);
	}
}

bool http_switched(const void *state, struct http2_start *start)
{
	*start = ((const struct http *)state)->http2;
	return start->wanted;
}

bool http_tunnelled(const void *state, struct tunnel_start *start)
{
	const struct http *h = state;

	*start = (struct tunnel_start){.rest_bytes = h->http2.rest_bytes, .port = h->connect_port};
	return h->tunnelled;
}

const struct proto_ops proto_http = {
	.name = "http",
	.app = APP_HTTP,
	.transport = 6,
	.ports = {80, 8080, 8008, 8000}, // IANA: http, http-alt (twice); 8000 by custom
	.state_bytes = sizeof(struct http),
	.probe = http_probe,
	.feed = http_feed,
	.close = http_close,
	.release = http_release,
	.unseen = http_unseen,
	.passed = http_passed,
};
