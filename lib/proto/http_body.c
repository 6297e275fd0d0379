// SPDX-License-Identifier: GPL-2.0-or-later
// Bodies of HTTP messages: passed over by their framing (RFC 9112 §6, §7), but for the first bytes, which say what kind
// of file it is, and the first WINDOW_BYTES of a request from outside, which are searched for look-ups. A kind is
// reported on the very segment that makes it certain. Content codings are not undone.
#include "http_impl.h"

void http_body_start(struct http_call *c, enum http_state state)
{
	struct http_side *s = c->side;

	s->state = (uint8_t)state;
	s->remaining = state == HTTP_LENGTH ? s->declared : 0;
	s->collected = s->looked = 0;
	s->size_digits = 0;
	s->file_done = false;
	memset(&s->window, 0, sizeof(s->window));
	s->window.done = !c->in->from_client || !c->in->from_outside;
}

void http_body_add(struct http_call *c, struct bytes more)
{
	struct http_side *s = c->side;
	struct bytes part = bytes_head(more, (size_t)(FILE_HEAD_BYTES - s->collected));

	if (part.left)
		memcpy(s->file + s->collected, part.at, part.left);
	s->collected = (uint16_t)(s->collected + part.left);
	window_add(&s->window, s->line, more);
}

static void look_for_file(struct http_call *c, bool end)
{
	struct http_side *s = c->side;
	struct bytes head = bytes_of(s->file, s->collected);
	enum file_kind kind = file_kind_of(head, !end && s->collected < FILE_HEAD_BYTES);
	struct observation o;

	s->looked = s->collected;
	if (kind == FILE_NONE)
		return;
	s->file_done = true;
	// A coded body begins as its coding does. That it is a gzip says nothing about the file; that it is a program
	// nevertheless does.
	if (s->coded && !file_kind_fact(kind))
		kind = FILE_BINARY;
	observation_init(&o, OBS_FILE);
	o.number[NUM_FILE_TX] = s->tx;
	o.number[NUM_FILE_LENGTH] = s->declared;
	file_emit(
		kind, &o, head,
		observation_text(&s->head, c->in->from_client ? TEXT_REQUEST_CONTENT_TYPE : TEXT_RESPONSE_CONTENT_TYPE),
		c->in, c->sink, APP_HTTP);
}

void http_body_look(struct http_call *c, bool end)
{
	struct http_side *s = c->side;

	window_scan(&s->window, s->line, end, "body", c->in, c->sink, APP_HTTP);
	if (!s->file_done && s->collected && (end || file_look_due(s->collected, s->looked)))
		look_for_file(c, end);
}

static void end_body(struct http_call *c, enum http_state next)
{
	http_body_look(c, true);
	http_line_clear(c->side);
	c->side->state = (uint8_t)next;
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
		end_body(c, HTTP_START);
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

// RFC 9112 §7.1. Leading zeros are legal, so it is the value that is limited, not the digits.
enum parse http_step_chunk_size(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;
	uint8_t byte = 0;
	int digit;

	bytes_read_u8(data, &byte);
	digit = hex_digit(byte);
	if (digit >= 0) {
		if (s->remaining >> 56)
			return PARSE_BAD;
		s->remaining = s->remaining << 4 | (unsigned)digit;
		s->size_digits = 1;
		return PARSE_MORE;
	}
	if (byte == ' ' || byte == '\t' || byte == '\r' || byte == ';')
		s->state = HTTP_CHUNK_EXTENSION;
	else if (byte != '\n')
		return PARSE_BAD;
	if (!s->size_digits)
		return PARSE_BAD;
	if (byte == '\n') {
		bool last = s->remaining == 0;

		s->state = HTTP_CHUNK;
		if (last) {
			end_body(c, HTTP_TRAILER);
			s->head_bytes = 0;
		}
	}
	return PARSE_MORE;
}

enum parse http_step_chunk_extension(struct http_call *c, struct bytes *data)
{
	struct http_side *s = c->side;

	bytes_skip(data, bytes_find(*data, '\n'));
	if (data->left == 0)
		return PARSE_MORE;
	s->state = HTTP_CHUNK_SIZE; // which ends at this LF
	return PARSE_MORE;
}

enum parse http_step_chunk(struct http_call *c, struct bytes *data)
{
	if (pass_over(c, data)) {
		c->side->state = HTTP_CHUNK_END;
		c->side->size_digits = 0;
	}
	return PARSE_MORE;
}

enum parse http_step_chunk_end(struct http_call *c, struct bytes *data)
{
	uint8_t byte = 0;

	bytes_read_u8(data, &byte);
	if (byte == '\n')
		c->side->state = HTTP_CHUNK_SIZE;
	else if (byte != '\r')
		return PARSE_BAD;
	return PARSE_MORE;
}
