// SPDX-License-Identifier: GPL-2.0-or-later
// Between http.c (the two sides, lines), http_probe.c (recognition), http_head.c (heads to observations), http_fields.c (what headers say of the body), http_body.c (framing, first
// bytes of bodies), http_coding.c (compressed bodies) and http_parts.c (multipart bodies).
#pragma once
#include "inflate.h"
#include "proto_impl.h"

enum http_limits {
	HTTP_LINE_BYTES = WINDOW_BYTES, // of a line looked at as one piece; longer ones are searched piece by piece
	HTTP_OVERLAP_BYTES = 512,    // of one piece seen again with the next, so that a look-up across the cut is found
	HTTP_HEAD_BYTES = 64 * 1024, // longest head
	HTTP_METHOD_BYTES = 32,
	HTTP_FIELD_BYTES = 48,   // of a header's name, with "header:"
	HTTP_OPEN_REQUESTS = 64, // whose method is remembered
	HTTP_UNSEEN_BYTES = 1 << 30, // of a body passed over in one piece
	HTTP_LAYERS = 2,         // of codings that are opened
	HTTP_INFLATE_BYTES = 256 << 10, // opened in one feed
	HTTP_BOMBS = 3,          // bodies given up at a limit, before a flow's bodies are not opened any more
	HTTP_BOUNDARY_BYTES = 160, // RFC 2046 §5.1.1 allows 70
	HTTP_PART_LINE_BYTES = FILE_HEAD_BYTES, // of a line in a part's head
	HTTP_PART_FILES = 8,     // parts with a filename that are looked at
	HTTP_PART_VALUES = 32,   // parts without one
	HTTP_PART_WINDOWS = 8,   // of WINDOW_BYTES each, of one body
	HTTP_PART_WINDOW_FULL = 2048, // a part behind so much gets a window of its own
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

enum http_coding { HTTP_CODING_GZIP = INFLATE_GZIP, HTTP_CODING_DEFLATE = INFLATE_DEFLATE, HTTP_CODING_OTHER };

struct http_codings { // of one kind of header, in order of application
	uint8_t at[HTTP_LAYERS];
	uint8_t count; // more than HTTP_LAYERS: too many
};

enum http_part_state {
	HTTP_PART_SKIP, // before the first part and behind the last
	HTTP_PART_BODY,
	HTTP_PART_DELIMITED, // a delimiter stood there, if its line ends as one
	HTTP_PART_HEAD,
};

struct http_parts {
	uint8_t state;    // enum http_part_state
	uint8_t before;   // the state a delimiter interrupts
	uint8_t pattern_length; // 0: the body has no parts
	uint8_t matched;  // of the pattern
	uint8_t word;     // of "filename" matched
	uint8_t files, values, windows; // looked at so far
	bool has_filename;
	bool over;        // something was passed over
	bool no_lf;       // the LF that is matched was no part of the body
	bool file_done;
	bool line_cut;    // of the head's line in hand the rest was not kept
	uint8_t type_length;
	uint8_t names;    // of uploaded files told
	uint16_t line_length;
	uint16_t head_bytes;
	uint16_t collected, looked; // of file[]
	uint8_t pattern[HTTP_BOUNDARY_BYTES + 4]; // LF "--" boundary
	uint8_t type[64]; // the part's Content-Type
	union {
		uint8_t line[HTTP_PART_LINE_BYTES]; // of its head
		uint8_t file[FILE_HEAD_BYTES];      // then the first bytes of its body
	};
};

// Lent while a head comes, or a body of which something is yet to be looked at.
struct http_work {
	struct http_parts parts;
	char field[HTTP_FIELD_BYTES];  // "header:<lower name>" of the header in hand
	uint8_t file[FILE_HEAD_BYTES]; // first bytes of the body
	uint8_t line[HTTP_LINE_BYTES]; // an unfinished line, or the window's bytes
	struct named named;            // by this request, so far
	struct observation head;       // filled line by line
};
_Static_assert(sizeof(struct http_work) <= PROTO_WORK_BYTES, "what is lent is large enough");

struct http_side {
	uint8_t state;         // enum http_state
	bool works;            // work was lent; if it is NULL now, it was taken away
	bool held;             // line[] is a whole header that may be folded on
	bool folded;           // the header in hand was
	bool tail;             // within a line of which the front was handled
	bool chunked;
	bool other_coding;     // a transfer coding that is not chunked stands last
	bool coded;            // the bytes are not the file's own, and are not opened
	bool damaged;          // they were not all what their coding said
	bool has_length;
	bool bad;              // two lengths that differ, or one that is no number
	bool ambiguous;        // another reader may frame this message in another way
	bool crlf, lf;         // lines of this head ended so
	bool upgrade;          // request: CONNECT
	bool h2c;              // Upgrade names it (RFC 7540 §3.2)
	bool head_method;      // request: HEAD
	bool file_done;        // its kind was reported
	bool parts;            // the body in hand has parts
	bool opened;           // something came out of the coding
	bool bare;             // ... and the body is yet to be searched as it stands
	bool raw;              // the stream has lost its framing: a segment that begins with a head takes it up again
	bool extension, cr;    // chunk size line: more than the size stands there; the last byte was CR
	uint8_t size_digits;   // of the chunk size read
	uint8_t layers;        // of coding that are being undone
	struct http_codings content, transfer;
	uint16_t length;       // of line[]
	uint16_t collected;    // of file[]
	uint16_t looked;       // of them at the last look
	uint16_t status;
	struct window window;  // over line[], while a body lasts
	uint32_t head_bytes;   // of the head read so far
	uint64_t declared;     // Content-Length
	uint64_t remaining;    // of body or chunk
	uint64_t tx;           // of the message in hand; 0 = an answer without a question
	void *work;            // struct http_work
	void *layer[HTTP_LAYERS]; // struct inflate, outermost first
};

struct http {
	uint64_t requests, answers;   // heads seen; final answers
	uint64_t head_methods;        // bit tx % HTTP_OPEN_REQUESTS: asked with HEAD
	uint64_t connects;            // the same with CONNECT
	struct http2_start http2;     // where HTTP/2 begins
	uint8_t bombs;
	bool named;                   // a request had a host name
	bool early;                   // the client has said something before its CONNECT was answered
	bool tunnelled;               // it was granted, and what follows may be read
	uint16_t connect_port;        // asked for last
	struct http_side side[2];     // [from_client]
};
_Static_assert(sizeof(struct http) <= PROTO_SMALL_BYTES, "a connection between two messages takes little");

struct http_call { // one feed
	struct http *http;
	struct http_side *side;
	const struct proto_input *in;
	const struct proto_sink *sink;
	uint32_t inflated; // bytes
};

static inline struct http_work *http_work(const struct http_side *s)
{
	return s->work;
}

// http_probe.c: is it a message, an answer's beginning, a byte of a token?
enum probe http_probe(struct bytes data, bool from_client);
enum probe http_probe_answer(struct bytes front);
bool http_is_token(uint8_t c);

// Next line, without its CR LF or bare LF (RFC 9112 §2.2). *line lies in *data or in work->line.
enum http_line http_line_next(struct http_side *s, struct bytes *data, struct bytes *line);
void http_line_clear(struct http_side *s);
// Another reader may see another message here. Counted once a message.
void http_ambiguous(struct http_call *c);
struct bytes http_trimmed(struct bytes b); // of blanks at both ends

// Puts a text where there is room for it beside those of the head's that have not come yet. The first of several counts.
void http_keep(struct observation *o, bool request, unsigned slot, struct bytes text);
// Is the host absent or an address literal?
bool http_host_is_bare(struct bytes host);

// A start line or header. PARSE_BAD: this is no HTTP.
enum parse http_head_start(struct http_call *c, struct bytes line);
void http_head_field(struct http_call *c, struct bytes line);
// More of a line too long to be one piece.
void http_head_tail(struct http_call *c, struct bytes piece);
// The empty line: emits, and says how the body is framed by setting side->state. PARSE_DONE: the connection is no
// longer HTTP.
enum parse http_head_end(struct http_call *c);
// Whom or what a request names is said to stand in that field.
struct named_from http_named_from(const struct http_call *c, const char *field);
// What a request's head, or its trailer, has named is sent.
void http_head_named(struct http_call *c);
// The first of several counts.
void http_head_keep(struct http_call *c, unsigned slot, struct bytes text);

// A header's name and value, as far as it says something about the body or is kept. `odd`: its line is written in a way that not everybody reads.
void http_field_take(struct http_call *c, struct bytes name, struct bytes value, bool odd);
// Might somebody who is not particular take it for the name of a header that frames a body?
bool http_nearly_frames(struct bytes name);

void http_body_start(struct http_call *c, enum http_state state);
// As they stand in the message, and as they are when their coding is undone.
void http_body_add(struct http_call *c, struct bytes more);
void http_body_plain(struct http_call *c, struct bytes more);
// Is there anything in the body that is still to be looked at?
bool http_body_wanted(const struct http_side *s);
// The rest of the body is passed over.
void http_body_stop(struct http_call *c);
// Looks at what has come; `end`: the body is over.
void http_body_look(struct http_call *c, bool end);
void http_body_end(struct http_call *c, enum http_state next);
// Bytes of a body that is not wanted went by: at most as many as remain of it.
void http_body_passed(struct http_side *s, uint32_t bytes);
enum parse http_step_length(struct http_call *c, struct bytes *data);
enum parse http_step_until_close(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_size(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_extension(struct http_call *c, struct bytes *data);
enum parse http_step_chunk(struct http_call *c, struct bytes *data);
enum parse http_step_chunk_end(struct http_call *c, struct bytes *data);

// A body begins whose head named codings.
void http_coding_begin(struct http_call *c);
void http_coding_add(struct http_call *c, struct bytes more, bool end);
void http_coding_end(struct http_side *s, struct lend *lend);
// The first bytes of a body whose coding is being undone, as they stand; empty: of no other.
struct bytes http_coding_front(const struct http_side *s);
// A coded body of a request is searched as it stands.
void http_coding_search(struct http_call *c);

// A request's Content-Type: has its body parts, and what divides them?
void http_parts_declared(struct http_call *c, struct bytes content_type);
void http_parts_begin(struct http_call *c);
// Gives every byte to the window, which begins anew with a part where it is much used.
void http_parts_add(struct http_call *c, struct bytes more);
void http_parts_look(struct http_call *c, bool end);
