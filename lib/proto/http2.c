// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/2 in clear text (RFC 9113), by prior knowledge or after an upgrade: both directions' frames. What stands in
// header blocks is http2_head.c's, what in bodies http2_body.c's. Follows framing as a receiver would and no further:
// what a receiver must refuse ends the connection here too. Not here: flow control, priorities. The flow's worker.
#include "http2_impl.h"

enum frame_type {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH_PROMISE,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION,
	FRAME_TYPES
};
enum frame_flags { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8, FLAG_PRIORITY = 0x20 };
enum { FRAME_HEAD_BYTES = 9, SETTING_BYTES = 6, SETTING_TABLE = 1, SETTING_FRAME = 5, FRAME_LARGEST = (1 << 24) - 1 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// --- What is given up ---

void http2_limit(struct http2_call *c)
{
	if (c->http2->limited)
		return;
	c->http2->limited = true;
	if (c->sink->counters)
		count(c->sink->counters, COUNT_PROTO_HTTP2_LIMIT);
	if (c->sink->uninspected)
		c->sink->uninspected(c->sink->user, COUNT_PROTO_HTTP2_LIMIT);
}

enum parse http2_give_up(struct http2_call *c)
{
	http2_limit(c);
	return c->sink->uninspected ? PARSE_DONE : PARSE_BAD; // the flow must be marked by one or the other
}

// --- Payloads ---

static enum parse take_data(struct http2_call *c, struct bytes piece)
{
	http2_body_add(c, c->side->id, piece);
	return PARSE_MORE;
}

static enum parse take_block(struct http2_call *c, struct bytes piece)
{
	return http2_block_add(c, piece, c->side->left == 0 && c->side->flags & FLAG_END_HEADERS);
}

// RFC 9113 §6.5: binds the other side. What only grows is taken at once; a smaller value is the sender's to keep.
static void take_setting(struct http2_call *c)
{
	struct http2_side *other = &c->place->side[!c->in->from_client];
	struct bytes b = bytes_of(c->side->at, SETTING_BYTES);
	uint32_t value = 0;
	uint16_t which = 0;

	bytes_read_u16(&b, &which);
	bytes_read_u32(&b, &value);
	if (which == SETTING_TABLE && value > HTTP2_TABLE_BYTES)
		other->table_large = true;
	if (which == SETTING_FRAME && value > other->frame_max)
		other->frame_max = value < FRAME_LARGEST ? value : FRAME_LARGEST;
}

static enum parse take_settings(struct http2_call *c, struct bytes piece)
{
	struct http2_side *s = c->side;

	if (s->flags & FLAG_ACK)
		return PARSE_MORE;
	while (piece.left) {
		bytes_read_u8(&piece, &s->at[s->had++]);
		if (s->had < SETTING_BYTES)
			continue;
		take_setting(c);
		s->had = 0;
	}
	return PARSE_MORE;
}

static enum parse pass_over(struct http2_call *c, struct bytes piece)
{
	return PARSE_MORE;
}

static const struct frame {
	enum parse (*take)(struct http2_call *c, struct bytes piece); // also called once for an empty payload
	uint8_t fixed; // bytes before the payload, beside padding length and priority
	bool padded;   // may be
	bool priority;
	bool of_stream; // its stream is not 0
	bool of_all;    // its stream is 0
} frames[FRAME_TYPES] = {
	[FRAME_DATA] = {take_data, .padded = true, .of_stream = true},
	[FRAME_HEADERS] = {take_block, .padded = true, .priority = true, .of_stream = true},
	[FRAME_PRIORITY] = {pass_over, .of_stream = true},
	[FRAME_RST_STREAM] = {pass_over, .of_stream = true},
	[FRAME_SETTINGS] = {take_settings, .of_all = true},
	[FRAME_PUSH_PROMISE] = {take_block, .fixed = 4, .padded = true, .of_stream = true},
	[FRAME_PING] = {pass_over, .of_all = true},
	[FRAME_GOAWAY] = {pass_over, .of_all = true},
	[FRAME_WINDOW_UPDATE] = {pass_over},
	[FRAME_CONTINUATION] = {take_block, .of_stream = true},
};
static const struct frame unknown_frame = {pass_over}; // §5.5: ignored, but its size is bounded like any other's

static const struct frame *frame_of(const struct http2_side *s)
{
	return s->type < FRAME_TYPES ? &frames[s->type] : &unknown_frame;
}

// --- The stages of a frame ---

static enum parse end_frame(struct http2_call *c)
{
	struct http2_side *s = c->side;
	struct http2_stream *stream;

	s->state = HTTP2_HEAD;
	s->had = 0;
	if (s->type == FRAME_RST_STREAM)
		http2_stream_reset(c, s->id);
	if (s->type == FRAME_DATA && s->flags & FLAG_END_STREAM && (stream = http2_stream_find(c->place, s->id)))
		http2_body_end(c, stream);
	return PARSE_MORE;
}

static enum parse begin_padding(struct http2_call *c)
{
	c->side->state = HTTP2_PADDING;
	return c->side->padding ? PARSE_MORE : end_frame(c);
}

static enum parse begin_payload(struct http2_call *c)
{
	struct http2_side *s = c->side;
	enum parse result;

	s->state = HTTP2_PAYLOAD;
	s->had = 0;
	if (s->left)
		return PARSE_MORE;
	result = frame_of(s)->take(c, bytes_of(s->at, 0));
	return result == PARSE_MORE ? begin_padding(c) : result;
}

// The fixed fields are in at[].
static enum parse end_fixed(struct http2_call *c)
{
	struct http2_side *s = c->side;
	struct bytes b = bytes_of(s->at, s->need);
	uint32_t promised = 0;
	uint8_t padding = 0;

	if (frame_of(s)->padded && s->flags & FLAG_PADDED)
		bytes_read_u8(&b, &padding);
	if (padding > s->left) // §6.1
		return PARSE_BAD;
	s->padding = padding;
	s->left -= padding;
	if (s->type == FRAME_HEADERS || s->type == FRAME_PUSH_PROMISE) {
		s->block_stream = s->id;
		s->block_ends = s->type == FRAME_HEADERS && s->flags & FLAG_END_STREAM;
		if (s->type == FRAME_PUSH_PROMISE && !bytes_read_u32(&b, &promised))
			return PARSE_BAD;
		http2_block_begin(c, promised ? promised & 0x7fffffff : s->id, s->type == FRAME_PUSH_PROMISE);
	}
	return begin_payload(c);
}

// §6.10: from a block's first frame to its last, nothing else may come. §3.4: a server speaks settings first; what does
// not is no server of HTTP/2, whatever its client says.
static enum parse check_order(struct http2_call *c)
{
	struct http2_side *s = c->side;

	if (!s->started && !c->in->from_client && (s->type != FRAME_SETTINGS || s->flags & FLAG_ACK))
		return PARSE_BAD;
	s->started = true;
	if (s->in_block != (s->type == FRAME_CONTINUATION) || (s->in_block && s->id != s->block_stream))
		return PARSE_BAD;
	if (s->in_block && ++s->continuations > HTTP2_CONTINUATIONS)
		return http2_give_up(c);
	return s->type == FRAME_PUSH_PROMISE && c->in->from_client ? PARSE_BAD : PARSE_MORE;
}

static enum parse begin_frame(struct http2_call *c)
{
	struct http2_side *s = c->side;
	struct bytes b = bytes_of(s->at, FRAME_HEAD_BYTES);
	const struct frame *f;
	enum parse result;

	bytes_read_u24(&b, &s->left);
	bytes_read_u8(&b, &s->type);
	bytes_read_u8(&b, &s->flags);
	bytes_read_u32(&b, &s->id);
	s->id &= 0x7fffffff;
	f = frame_of(s);
	if ((f->of_stream && s->id == 0) || (f->of_all && s->id))
		return PARSE_BAD;
	result = check_order(c);
	if (result != PARSE_MORE)
		return result;
	if (s->left > s->frame_max && s->type != FRAME_DATA) // whose bytes are looked at, however many
		return http2_give_up(c);
	s->need = (uint8_t)(f->fixed + (f->padded && s->flags & FLAG_PADDED ? 1 : 0) +
			    (f->priority && s->flags & FLAG_PRIORITY ? 5 : 0));
	if (s->need > s->left)
		return PARSE_BAD;
	s->left -= s->need;
	s->had = 0;
	s->state = HTTP2_FIXED;
	return s->need ? PARSE_MORE : end_fixed(c);
}

// Collects in at[] until `need` bytes are there.
static bool collect(struct http2_side *s, struct bytes *data, size_t need)
{
	size_t n = need - s->had;
	struct bytes part;

	bytes_take(data, n < data->left ? n : data->left, &part);
	if (part.left)
		memcpy(s->at + s->had, part.at, part.left);
	s->had = (uint8_t)(s->had + part.left);
	return s->had == need;
}

static enum parse step_head(struct http2_call *c, struct bytes *data)
{
	return collect(c->side, data, FRAME_HEAD_BYTES) ? begin_frame(c) : PARSE_MORE;
}

static enum parse step_fixed(struct http2_call *c, struct bytes *data)
{
	return collect(c->side, data, c->side->need) ? end_fixed(c) : PARSE_MORE;
}

static struct bytes take_up_to(struct bytes *data, uint32_t *left)
{
	struct bytes piece;

	bytes_take(data, *left < data->left ? *left : data->left, &piece);
	*left -= (uint32_t)piece.left;
	return piece;
}

static enum parse step_payload(struct http2_call *c, struct bytes *data)
{
	struct bytes piece = take_up_to(data, &c->side->left);
	enum parse result = frame_of(c->side)->take(c, piece);

	return result == PARSE_MORE && c->side->left == 0 ? begin_padding(c) : result;
}

static enum parse step_padding(struct http2_call *c, struct bytes *data)
{
	take_up_to(data, &c->side->padding);
	return c->side->padding ? PARSE_MORE : end_frame(c);
}

// --- Before the first frame ---

static enum parse step_preface(struct http2_call *c, struct bytes *data)
{
	struct http2 *h = c->http2;
	struct bytes want = bytes_from(bytes_of(preface, HTTP2_PREFACE_BYTES), h->preface), said;

	bytes_take(data, want.left < data->left ? want.left : data->left, &said);
	if (!bytes_equal(said, bytes_head(want, said.left)))
		return PARSE_BAD;
	h->preface = (uint8_t)(h->preface + said.left);
	if (h->preface == HTTP2_PREFACE_BYTES)
		c->side->state = HTTP2_HEAD;
	return PARSE_MORE;
}

// The client did not wait for the answer to its upgrade. Frames, or an HTTP/1 head that says 101.
static enum parse step_answer(struct http2_call *c, struct bytes *data)
{
	static const char answer[] = "HTTP/1.1 101";
	struct http2_side *s = c->side;

	if (s->had == 0 && data->at[0] != 'H') {
		s->state = HTTP2_HEAD;
		return PARSE_MORE;
	}
	if (!collect(s, data, strlen(answer)))
		return PARSE_MORE;
	s->had = 0;
	s->state = HTTP2_ANSWER_REST;
	return bytes_equal_text(bytes_of(s->at, strlen(answer)), answer) ? PARSE_MORE : PARSE_BAD;
}

static enum parse step_answer_rest(struct http2_call *c, struct bytes *data)
{
	struct http2_side *s = c->side;
	uint8_t byte = 0;

	bytes_read_u8(data, &byte);
	if (byte == '\n' && s->had) {
		s->state = HTTP2_HEAD;
		s->had = 0;
	} else if (byte != '\r') {
		s->had = byte == '\n'; // an empty line may follow
	}
	return PARSE_MORE;
}

static enum parse (*const steps[HTTP2_STATES])(struct http2_call *c, struct bytes *data) = {
	[HTTP2_HEAD] = step_head,       [HTTP2_PREFACE] = step_preface,
	[HTTP2_ANSWER] = step_answer,   [HTTP2_ANSWER_REST] = step_answer_rest,
	[HTTP2_FIXED] = step_fixed,     [HTTP2_PAYLOAD] = step_payload,
	[HTTP2_PADDING] = step_padding,
};

// --- The connection ---

void http2_begin(void *state, const struct http2_start *start)
{
	struct http2 *h = state;

	h->preface = start->preface_bytes;
	h->tx = start->tx;
	h->upgraded = start->upgraded;
	h->answer_due = start->answer_due;
}

static bool begin(struct http2_call *c)
{
	struct http2 *h = c->http2;
	struct http2_place *p = h->robbed ? NULL : http2_pool_take(c->sink->http2, h);
	struct http2_stream *first;

	if (!p)
		return false;
	c->place = p;
	c->side = &p->side[c->in->from_client];
	p->requests = h->tx;
	p->side[1].state = h->preface < HTTP2_PREFACE_BYTES ? HTTP2_PREFACE : HTTP2_HEAD;
	p->side[0].state = h->answer_due ? HTTP2_ANSWER : HTTP2_HEAD;
	if (!h->upgraded)
		return true;
	p->side[0].frame_max = FRAME_LARGEST; // what the client allows stood in a header nobody kept
	first = http2_stream_open(c, 1, h->tx);
	if (first)
		first->body[1].headed = first->body[1].ended = true;
	return true;
}

static enum parse http2_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct http2 *h = state;
	struct http2_call call = {h, h->place, h->place ? &h->place->side[in->from_client] : NULL, in, sink};
	enum parse result = PARSE_MORE;
	struct bytes data = in->data;

	if (!call.place && !begin(&call))
		return http2_give_up(&call);
	http2_pool_touch(call.place);
	if (in->gap) { // where the next frame begins and what the table of fields holds are both lost
		http2_bodies_end(&call);
		return PARSE_BAD;
	}
	while (data.left && result == PARSE_MORE)
		result = steps[call.side->state](&call, &data);
	if (result != PARSE_MORE && in->from_client && in->from_outside)
		jndi_scan(data, "payload", in, sink, APP_HTTP2);
	return result;
}

static void http2_close(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct http2 *h = state;
	struct proto_input in = proto_input_of_close(flow, from_client);
	struct http2_call call = {h, h->place, NULL, &in, sink};

	if (!h->place)
		return;
	call.side = &h->place->side[from_client];
	http2_bodies_end(&call);
}

static void http2_release(void *state, struct lend *lend)
{
	struct http2 *h = state;

	if (h->place)
		http2_pool_give(h->place);
}

// A server may say its settings before the client has spoken (RFC 9113 §3.4). That alone says too little, but it is none of another protocol's words.
static enum probe probe_settings(struct bytes data)
{
	static const uint8_t head[FRAME_HEAD_BYTES] = {[3] = FRAME_SETTINGS};

	for (size_t i = 0; i < sizeof(head) && i < data.left; i++)
		if (i != 1 && i != 2 && data.at[i] != head[i]) // the length
			return PROBE_NO;
	return PROBE_MAYBE;
}

static enum probe http2_probe(struct bytes data, bool from_client)
{
	struct bytes line = bytes_of(preface, 16);

	if (!from_client)
		return probe_settings(data);
	if (!bytes_equal(bytes_head(data, line.left), bytes_head(line, data.left)))
		return PROBE_NO;
	return data.left < line.left ? PROBE_MAYBE : PROBE_YES;
}

size_t http2_preface_find(struct bytes data, uint8_t *had)
{
	static const size_t repeat = 10; // after these bytes of it, its first one has come again
	struct bytes b = data;
	uint8_t byte;

	while (bytes_read_u8(&b, &byte)) {
		if (*had == repeat && byte == 'R')
			*had = 1;
		*had = byte == (uint8_t)preface[*had] ? *had + 1 : byte == 'P';
		if (*had == HTTP2_PREFACE_BYTES)
			return data.left - b.left;
		if (*had == 0)
			b = bytes_from(b, bytes_find(b, 'P'));
	}
	return 0;
}

const struct proto_ops proto_http2 = {
	.name = "http2",
	.app = APP_HTTP2,
	.transport = 6,
	.ports = {80, 8080, 443},
	.state_bytes = sizeof(struct http2),
	.probe = http2_probe,
	.feed = http2_feed,
	.close = http2_close,
	.release = http2_release,
};
