// SPDX-License-Identifier: GPL-2.0-or-later
// Between http2.c (frames), http2_head.c (header blocks to observations), http2_body.c (streams, first bytes of
// bodies) and http2_pool.c (memory of a connection, what the HPACK decoder carves from it). One worker's thread.
#pragma once
#include <nghttp2/nghttp2.h>
#include "proto_impl.h"

enum http2_limits {
	HTTP2_PREFACE_BYTES = 24,             // RFC 9113 §3.4
	HTTP2_FRAME_BYTES = 16384,            // §6.5.2: largest payload unless the receiver has announced more
	HTTP2_TABLE_BYTES = 64 * 1024,        // largest dynamic table of HPACK that is followed
	HTTP2_BLOCK_BYTES = 64 * 1024,        // header block, coded
	HTTP2_LIST_BYTES = 64 * 1024,         // the same, decoded
	HTTP2_LIST_FIELDS = 256,
	HTTP2_CONTINUATIONS = 64,             // of one block
	HTTP2_STREAMS = 64,                   // open at once
	HTTP2_WINDOWS = 8,                    // request bodies searched at once
	HTTP2_LOOKUPS = 256,                  // found in fields of one connection
	HTTP2_CREDIT_BYTES = 64 * 1024,       // of fields searched before it must be paid for in coded bytes
	HTTP2_CREDIT_RATIO = 4,               // what a coded byte pays for; none yields more than 1.6 that are new
	HTTP2_TYPE_BYTES = 64,                // of a media type kept with its stream
	HTTP2_FIELD_BYTES = 48,               // of a field's name in an OBS_JNDI
	ARENA_UNIT_BYTES = 64,
	ARENA_ORDERS = 13,                    // blocks of 64 bytes to 256 KiB
	ARENA_UNITS = 1 << (ARENA_ORDERS - 1),
	ARENA_BYTES = ARENA_UNITS * ARENA_UNIT_BYTES,
};

// Buddy allocator (Knowlton 1965) over fixed memory: at most ARENA_ORDERS steps a call whatever was asked before, and
// freed neighbours join, so no pattern of requests wears it out. Its lists stand beside the memory, not in it.
struct arena {
	uint8_t tag[ARENA_UNITS];             // of a block's first unit: free or used, and its order
	uint16_t next[ARENA_UNITS], previous[ARENA_UNITS]; // free lists, unit + 1
	uint16_t free[ARENA_ORDERS];
	uint32_t used_bytes, peak_bytes;
	_Alignas(64) uint8_t memory[ARENA_BYTES];
};

void arena_init(struct arena *a);
void *arena_malloc(struct arena *a, size_t size); // NULL: no block large enough
void *arena_realloc(struct arena *a, void *at, size_t size);
void arena_free(struct arena *a, void *at);
// Marks on a block; freeing it takes them away. For addresses that are no block's: none, and nothing is done.
enum arena_mark { ARENA_CLEAN = 1 /* searched, nothing in it */, ARENA_SELF = 2 /* the device's own address is in it, or, from outside: it names somebody */ };
unsigned arena_marks(const struct arena *a, const void *inside);
void arena_mark(struct arena *a, const void *inside, unsigned marks);

enum http2_state {
	HTTP2_HEAD,     // of a frame
	HTTP2_PREFACE,  // the client's first words
	HTTP2_ANSWER,   // the server's first words after an upgrade whose 101 has not been seen
	HTTP2_ANSWER_REST,
	HTTP2_FIXED,    // the fields of a frame that stand before its payload
	HTTP2_PAYLOAD,
	HTTP2_PADDING,
	HTTP2_STATES
};

struct http2_body {                           // one direction of a stream
	bool headed, ended, coded, file_done, searched;
	uint8_t window;                       // its number + 1, 0 = none
	uint8_t type_length;
	uint16_t collected, looked;           // of head[]
	uint64_t declared;
	uint8_t type[HTTP2_TYPE_BYTES];       // content-type
	uint8_t head[FILE_HEAD_BYTES];
};

struct http2_stream {
	uint32_t id;                          // 0: not in use
	uint64_t tx;                          // of its request
	struct http2_body body[2];            // [from_client]
};

struct http2_window {
	bool used;
	struct window window;
	uint8_t at[WINDOW_BYTES];
};

struct http2_side {
	uint8_t state;                        // enum http2_state
	uint8_t had, need;                    // bytes of at[], or of the preface
	uint8_t type, flags;                  // frame in hand
	bool started;                         // its first frame was seen
	bool in_block;                        // a header block goes on in CONTINUATION
	bool block_ends;                      // ... and ends the stream
	bool block_pushed;                    // ... of a PUSH_PROMISE
	bool block_coded;                     // content-encoding
	bool table_large;                     // the receiver allows a larger table than is followed
	uint16_t continuations, fields;       // of the block in hand
	bool cookie_same;                     // cookie[] is so far as it was in the last block
	uint8_t cookie_marks;                 // enum arena_mark, of then
	uint16_t cookie_bytes, cookie_before; // of cookie[], now and then
	uint32_t id, left, padding;           // frame in hand
	uint32_t block_id;                    // stream the block is about
	uint32_t block_stream;                // ... on which it comes
	uint32_t block_bytes, list_bytes;
	uint32_t frame_max;                   // largest payload the receiver takes
	uint64_t declared;                    // content-length
	nghttp2_hd_inflater *inflater;
	struct observation head;              // filled field by field
	struct named named;                   // by this request, so far
	uint8_t at[16];                       // frame head, fixed fields, a setting
	uint8_t cookie[WINDOW_BYTES];         // §8.2.3: crumbs are put together again
};

struct http2;
// All memory of one connection: a place in the pool. Cleared up to stream[] when it is taken.
struct http2_place {
	uint32_t next, previous;              // in order of use, or free list; index + 1
	struct http2_pool *pool;
	struct http2 *owner;
	nghttp2_mem mem;                      // the decoders keep its address
	uint64_t requests;
	bool named;                           // a request had a host name
	unsigned lookups;
	int64_t credit;                       // bytes of fields that may yet be searched
	struct http2_side side[2];            // [from_client]
	struct http2_stream stream[HTTP2_STREAMS];
	struct http2_window window[HTTP2_WINDOWS];
	struct arena arena;
};

// What a context holds; all else is in the place.
struct http2 {
	struct http2_place *place;
	bool robbed;                          // another connection needed it
	bool limited;                         // counted
	bool upgraded;                        // stream 1 is the HTTP/1 request `tx`
	bool answer_due;                      // the 101 has not been seen
	uint8_t preface;                      // bytes of it seen
	uint64_t tx;                          // requests on this flow before
};
_Static_assert(sizeof(struct http2) <= PROTO_SMALL_BYTES, "parser state fits its context");

struct http2_call { // one feed
	struct http2 *http2;
	struct http2_place *place;
	struct http2_side *side;
	const struct proto_input *in;
	const struct proto_sink *sink;
};

// A place for h, cleared, its decoders ready. A full pool takes it from the connection longest silent. NULL: no pool.
struct http2_place *http2_pool_take(struct http2_pool *p, struct http2 *h);
void http2_pool_touch(struct http2_place *place);
void http2_pool_give(struct http2_place *place);

// Some bytes of this connection are not inspected from here on: counted once, the flow is marked.
void http2_limit(struct http2_call *c);
// The same, and nothing more of it can be followed.
enum parse http2_give_up(struct http2_call *c);

void http2_block_begin(struct http2_call *c, uint32_t id, bool pushed);
// The next bytes of the header block; `last`: its end.
enum parse http2_block_add(struct http2_call *c, struct bytes more, bool last);

// The open stream of that number, or NULL.
struct http2_stream *http2_stream_find(struct http2_place *p, uint32_t id);
// A new one, or NULL: too many (counted).
struct http2_stream *http2_stream_open(struct http2_call *c, uint32_t id, uint64_t tx);
void http2_stream_reset(struct http2_call *c, uint32_t id);
// Bytes of DATA; `last`: none follow in this direction.
void http2_body_add(struct http2_call *c, uint32_t id, struct bytes more);
void http2_body_end(struct http2_call *c, struct http2_stream *s);
// Nothing more comes from this side on any stream.
void http2_bodies_end(struct http2_call *c);
