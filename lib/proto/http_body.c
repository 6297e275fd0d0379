// SPDX-License-Identifier: GPL-2.0-or-later
// Bodies of HTTP messages: passed over by their framing (RFC 9112 §6, §7), but for the first bytes, which say what kind
// of file it is, and the first WINDOW_BYTES of a request from outside, which are searched for look-ups. A kind is
// reported on the very segment that makes it certain. Codings are http_coding.c's, parts of a form http_parts.c's.
#include "http_impl.h"

void http_body_start(struct http_call *c, enum http_state state)
{
	struct http_side *s = c->side;

	s->state = (uint8_t)state;
	s->remaining = state == HTTP_LENGTH ? s->declared : 0;
	s->collected = s->looked = 0;
	s->size_digits = 0;
	s->extension = s->cr = false;
	s->file_done = s->opened = s->parts = false;
	memset(&s->window, 0, sizeof(s->window));
	s->window.done = !c->in->from_client || !c->in->from_outside;
	http_parts_begin(c);
	http_coding_begin(c);
}

bool http_body_wanted(const struct http_side *s)
{
	return !s->file_done || !s->window.done || s->parts || s->bare;
}

void http_body_plain(struct http_call *c, struct bytes more)
{
	struct http_side *s = c->side;
	struct bytes part = bytes_head(more, (size_t)(FILE_HEAD_BYTES - s->collected));

	if (part.left)
		memcpy(http_work(s)->file + s->collected, part.at, part.left);
	s->collected = (uint16_t)(s->collected + part.left);
	if (s->parts)
		http_parts_add(c, more);
	else
		window_add(&s->window, http_work(s)->line, more);
}

void http_body_add(struct http_call *c, struct bytes more)
{
	if (!http_body_wanted(c->side))
		return;
	if (c->side->layers)
		http_coding_add(c, more, false);
	else
		http_body_plain(c, more);
}

void http_body_stop(struct http_call *c)
{
	struct http_side *s = c->side;

	if (http_body_wanted(s))
		http_body_look(c, true);
	http_coding_end(s, c->sink->lend);
	s->file_done = s->window.done = true;
	s->parts = false;
}

// What a coded body is to those who undo no coding. FILE_NONE: too early to say.
static enum file_kind bare_kind(struct bytes front, bool end)
{
	if (front.left < FILE_SHOWN_BYTES && !end)
		return FILE_NONE;
	return file_kind_of(front, !end && front.left < FILE_HEAD_BYTES);
}

static void look_for_file(struct http_call *c, bool end)
{
	struct http_side *s = c->side;
	struct bytes head = bytes_of(http_work(s)->file, s->collected);
	enum file_kind kind = file_kind_of(head, !end && s->collected < FILE_HEAD_BYTES);
	struct bytes front = bytes_head(http_coding_front(s), FILE_HEAD_BYTES);
	enum file_kind bare = front.left && !file_kind_fact(kind) ? bare_kind(front, end) : FILE_BINARY;
	struct observation o;

	s->looked = s->collected;
	if (file_kind_fact(bare)) {
		kind = bare;
		head = front;
	}
	if (kind == FILE_NONE || bare == FILE_NONE)
		return;
	s->file_done = true;
	// A coded body begins as its coding does. That it is a gzip says nothing about the file; that it is a program
	// nevertheless does.
	if ((s->coded || (s->damaged && kind == FILE_ARCHIVE)) && !file_kind_fact(kind))
		kind = FILE_BINARY;
	observation_init(&o, OBS_FILE);
	o.number[NUM_FILE_TX] = s->tx;
	o.number[NUM_FILE_LENGTH] = s->declared;
	o.flags8 |= c->http->named ? 0 : OBS_FLAG_BARE_HOST;
	file_emit(
		kind, &o, head,
		observation_text(&http_work(s)->head, c->in->from_client ? TEXT_REQUEST_CONTENT_TYPE : TEXT_RESPONSE_CONTENT_TYPE),
		c->in, c->sink, APP_HTTP);
}

void http_body_look(struct http_call *c, bool end)
{
	struct http_side *s = c->side;

	if (!s->work)
		return;
	if (s->parts)
		http_parts_look(c, end);
	window_scan(&s->window, http_work(s)->line, end, "body", c->in, c->sink, APP_HTTP);
	if (!s->file_done && s->collected && (end || file_look_due(s->collected, s->looked)))
		look_for_file(c, end);
	window_name(&s->window, http_work(s)->line, c->in, c->sink, APP_HTTP);
	if (s->bare && (end || http_coding_front(s).left == INFLATE_FRONT_BYTES))
		http_coding_search(c);
}

void http_body_end(struct http_call *c, enum http_state next)
{
	struct http_side *s = c->side;

	if (s->layers && s->work)
		http_coding_add(c, bytes_of(NULL, 0), true);
	http_body_stop(c);
	http_line_clear(s);
	s->state = (uint8_t)next;
}

// Up to `remaining` of the bytes there are. Returns whether these were all.
static bool pass_over(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	size_t n = s->remaining < data->left ? (size_t)s->remaining : data->left;
	struct bytes part;

	bytes_take(data, n, &part);
	http_body_add(c, part);
	s->remaining -= n;
	return s->remaining == 0;
}

enum parse http_step_length(struct http_call *c, struct bytes *data)
{
	if (pass_over(c, data))
		http_body_end(c, HTTP_START);
	return PARSE_MORE;
}

enum parse http_step_until_close(struct http_call *c, struct bytes *data)
{
	http_body_add(c, *data);
	bytes_skip(data, data->left);
	return PARSE_MORE;
}

static int hex_digit(uint8_t c)
{
	c = byte_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Nobody knows where this body ends; what comes is looked at until the connection ends, or a segment begins with a head.
static void lose_framing(struct http_call *c)
{
	http_ambiguous(c);
	c->side->raw = true;
	c->side->state = HTTP_UNTIL_CLOSE;
}

static enum parse end_chunk_size(struct http_call *c)
{
	struct http_side *s = c->side;

	if (s->extension || !s->cr) // RFC 9112 §7.1.1, §2.2: some do not read them
		http_ambiguous(c);
	s->extension = s->cr = false;
	s->state = HTTP_CHUNK;
	if (s->remaining)
		return PARSE_MORE;
	http_body_end(c, HTTP_TRAILER);
	s->head_bytes = 0;
	return PARSE_MORE;
}

// RFC 9112 §7.1. Leading zeros are legal, so it is the value that is limited, not the digits; but numbers wrap in some readers.
enum parse http_step_chunk_size(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	uint8_t byte = data->at[0];
	int digit = hex_digit(byte);

	if (digit >= 0 && s->remaining >> 56 == 0) {
		s->remaining = s->remaining << 4 | (unsigned)digit;
		s->size_digits += s->size_digits < UINT8_MAX;
		if (s->size_digits == 9)
			http_ambiguous(c);
		bytes_skip(data, 1);
		return PARSE_MORE;
	}
	if (digit >= 0 || !s->size_digits || !memchr(" \t\r;\n", byte, 5)) {
		lose_framing(c);
		return PARSE_MORE;
	}
	bytes_skip(data, 1);
	if (byte == '\n')
		return end_chunk_size(c);
	s->cr = byte == '\r';
	s->extension = byte == ';' || byte == '\t';
	s->state = HTTP_CHUNK_EXTENSION;
	return PARSE_MORE;
}

enum parse http_step_chunk_extension(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	size_t n = bytes_find(*data, '\n');
	struct bytes part = bytes_head(*data, n);

	bytes_skip(data, n);
	for (size_t i = 0; i < part.left && !s->extension; i++) {
		s->extension = s->cr || (part.at[i] != ' ' && part.at[i] != '\r');
		s->cr = part.at[i] == '\r';
	}
	if (s->extension && part.left)
		s->cr = part.at[part.left - 1] == '\r';
	if (data->left == 0)
		return PARSE_MORE;
	bytes_skip(data, 1);
	return end_chunk_size(c);
}

enum parse http_step_chunk(struct http_call *c, struct bytes *data)
{
	if (pass_over(c, data)) {
		c->side->state = HTTP_CHUNK_END;
		c->side->size_digits = 0;
	}
	return PARSE_MORE;
}

void http_body_passed(struct http_side *s, uint32_t bytes)
{
	if (s->state != HTTP_LENGTH && s->state != HTTP_CHUNK) // no number is kept of one that ends with the connection
		return;
	s->remaining -= bytes;
	if (s->remaining)
		return;
	if (s->state == HTTP_LENGTH)
		http_line_clear(s);
	s->state = s->state == HTTP_LENGTH ? HTTP_START : HTTP_CHUNK_END;
	s->size_digits = 0;
}

enum parse http_step_chunk_end(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	uint8_t byte = data->at[0];

	if (byte != '\r' && byte != '\n') {
		lose_framing(c);
		return PARSE_MORE;
	}
	bytes_skip(data, 1);
	if (s->cr == (byte == '\r')) // two CRs, or a LF without one
		http_ambiguous(c);
	s->cr = byte == '\r';
	if (byte == '\n')
		s->state = HTTP_CHUNK_SIZE;
	return PARSE_MORE;
}
