// SPDX-License-Identifier: GPL-2.0-or-later
// Between http.c (the two sides, lines), http_head.c (heads to observations) and http_body.c (framing, first bytes of
// bodies).
#pragma once
#include "proto_impl.h"

enum http_limits {
	HTTP_LINE_BYTES = WINDOW_BYTES, // of a line looked at as one piece; longer ones are searched piece by piece
	HTTP_OVERLAP_BYTES = 512,    // of one piece seen again with the next, so that a look-up across the cut is found
	HTTP_HEAD_BYTES = 64 * 1024, // longest head
	HTTP_METHOD_BYTES = 32,
	HTTP_FIELD_BYTES = 48,   // of a header's name, with "header:"
	HTTP_OPEN_REQUESTS = 64, // whose method is remembered
};

enum http_state {
	HTTP_START,       // a start line comes
	HTTP_HEADER,
	HTTP_LENGTH,      // a body of `remaining` bytes
	HTTP_UNTIL_CLOSE, // a body that ends with the connection
	HTTP_CHUNK_SIZE, HTTP_CHUNK_EXTENSION, HTTP_CHUNK, HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_WAIT,        // CONNECT asked: the answer decides whose bytes these are
	HTTP_LOST,        // between a gap and the next segment that begins with a head
	HTTP_STATES
};

enum http_line {
	HTTP_LINE_NONE /* give more */,
	HTTP_LINE_WHOLE,
	HTTP_LINE_LONG /* the first HTTP_LINE_BYTES of one */
};

struct http_side {
	uint8_t state;         // enum http_state
	bool held;             // line[] is a whole header that may be folded on
	bool tail;             // within a line of which the front was handled
	bool chunked;
	bool other_coding;     // a transfer coding that is not chunked stands last
	bool coded;            // Content-Encoding: the bytes are not the file's own
	bool has_length;
	bool bad;              // two lengths that differ, or one that is no number
	bool upgrade;          // request: CONNECT
	bool head_method;      // request: HEAD
	bool file_done;        // its kind was reported
	bool raw;              // server: no HTTP head began this stream
	uint8_t size_digits;   // of the chunk size read
	uint16_t length;       // of line[]
	uint16_t collected;    // of file[]
	uint16_t looked;       // of them at the last look
	uint16_t status;
	uint32_t head_bytes;   // of the head read so far
	uint64_t declared;     // Content-Length
	uint64_t remaining;    // of body or chunk
	uint64_t tx;           // of the message in hand; 0 = an answer without a question
	struct window window;  // over line[], while a body lasts
	char field[HTTP_FIELD_BYTES];  // "header:<lower name>" of the header in hand
	uint8_t file[FILE_HEAD_BYTES]; // first bytes of the body
	uint8_t line[HTTP_LINE_BYTES];
	struct observation head;       // filled line by line
};

struct http {
	uint64_t requests, answers;   // heads seen; final answers
	uint64_t head_methods;        // bit tx % HTTP_OPEN_REQUESTS: asked with HEAD
	uint64_t connects;            // the same with CONNECT
	struct http_side side[2];     // [from_client]
};
_Static_assert(sizeof(struct http) <= PROTO_STATE_BYTES, "parser state fits the pool");

struct http_call { // one feed
	struct http *http;
	struct http_side *side;
	const struct proto_input *in;
	const struct proto_sink *sink;
};

// Next line, without its CR LF or bare LF (RFC 9112 §2.2). *line lies in *data or in side->line.
enum http_line http_line_next(struct http_side *s, struct bytes *data, struct bytes *line);
void http_line_clear(struct http_side *s);

// A start line or header. PARSE_BAD: this is no HTTP.
enum parse http_head_start(struct http_call *c, struct bytes line);
void http_head_field(struct http_call *c, struct bytes line);
// More of a line too long to be one piece.
void http_head_tail(struct http_call *c, struct bytes piece);
// The empty line: emits, and says how the body is framed by setting side->state. PARSE_DONE: the connection is no
// longer HTTP.
enum parse http_head_end(struct http_call *c);

void http_body_start(struct http_call *c, enum http_state state);
void http_body_add(struct http_call *c, struct bytes more);
// Looks at what has come; `end`: the body is over.
void http_body_look(struct http_call *c, bool end);
enum parse http_step_length(struct http_call *c, struct bytes *data);
enum parse http_step_until_close(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_size(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_extension(struct http_call *c, struct bytes *data);
enum parse http_step_chunk(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_end(struct http_call *c, struct bytes *data);
