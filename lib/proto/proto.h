// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes → observations. Recognises a protocol by content on any port, then feeds its parser in-order bytes of both directions.
// Parsers are bounded, allocation-free state machines: their state is flat memory from a pool; every loop has a limit; malformed input
// ends in PARSE_BAD, never in a crash. A new protocol = one pair of files here, one line in proto_table (proto.c).
#pragma once
#include "counters.h"
#include "lend.h"
#include "observation.h"

enum proto_limits {
	PROTO_STATE_BYTES = 20480,  // largest parser state (two directions)
	PROTO_PROBE_BYTES = 64,     // first bytes of each direction looked at to recognise
	PROTO_HTTP2_CONNECTIONS = 64, // HTTP/2 connections followed at once, unless proto_pool_http2 says otherwise
	PROTO_TUNNELS = 2,          // proxies' connections inside one another that are followed
	PROTO_SMALL_BYTES = 320,    // parser states up to this size lie in their context; larger ones are lent to it
	PROTO_WORK_BYTES = 11 << 10, // lent to a parser for one message in hand
};

enum parse { PARSE_MORE, PARSE_DONE /* nothing more of interest in this flow */, PARSE_BAD };
enum probe { PROBE_NO, PROBE_MAYBE /* too few bytes to say */, PROBE_YES };

// Where observations go. Owned by the caller of proto_*.
struct proto_sink {
	void (*emit)(void *user, struct observation *o); // *o is valid during the call; the head's flow fields are filled by the callee
	// From here on some bytes of the flow are not looked at, or could be read in another way than we do, though parsing goes on. The parser has counted
	// it as `why`. May be called more than once for a flow. May be NULL.
	void (*uninspected)(void *user, enum counter why);
	void *user;
	struct counters *counters;
	uint32_t jndi_depth;        // how many rounds the look-up decoder may take; 0 = default
	struct lend *lend;          // where parsers borrow (lend.h). proto_pool_bind or proto_feed sets it; NULL: they have to do without
	struct http2_pool *http2;   // memory of HTTP/2 connections: as above
};

struct proto_flow {             // what a parser may know of its flow
	struct address client, server;
	uint16_t client_port, server_port;
	uint8_t transport;
	uint8_t direction;          // enum direction
	bool midstream;             // it began before it was seen
};

struct proto_input {
	struct bytes data;          // the next in-order bytes of this side (UDP: one datagram)
	bool from_client;
	bool gap;                   // bytes before these are missing: resynchronise or give up
	bool from_outside;          // sent by the outside end (then JNDI look-ups are searched in it)
	bool device_sends;          // sent by the inside device (then its own address is searched in it)
	const struct proto_flow *flow;
};

struct proto_ops {
	const char *name;
	uint8_t app;                // enum app_protocol
	uint8_t transport;          // TRANSPORT_TCP (6) or UDP (17)
	uint16_t ports[4];          // its registered ports, 0 ends: on any other one FACT_PROTOCOL_PORT is set
	uint32_t state_bytes;       // 0: recognised only
	uint32_t clear_bytes;       // of them zeroed before the first feed; 0: all
	// Looks at the first bytes of one direction (at most PROTO_PROBE_BYTES). Pure.
	enum probe (*probe)(struct bytes data, bool from_client);
	// state is memory of state_bytes, zeroed as above before the first feed. NULL when state_bytes is 0.
	enum parse (*feed)(void *state, const struct proto_input *in, const struct proto_sink *sink);
	// One side has closed (FIN): bodies that end with the connection end here. May be NULL.
	void (*close)(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink);
	// The state is not used any more: gives back what it has borrowed. NULL: it borrows nothing.
	void (*release)(void *state, struct lend *lend);
	// UDP protocols that say one thing in several datagrams: does this one begin it? Then a context is taken, and feed gets its state until it returns
	// PARSE_DONE; all other datagrams come with state NULL. Such a protocol has `close`, for when there is no context to keep. NULL: never. Pure.
	bool (*begins)(struct bytes data, bool from_client);
	// How many of the next bytes of this side are passed over, whatever they are, but for their number? They need not be fed: before anything else is, `passed` is
	// told how many of them went by. NULL: none.
	uint32_t (*unseen)(const void *state, bool from_client);
	void (*passed)(void *state, bool from_client, uint32_t bytes);
};

extern const struct proto_ops proto_http, proto_http2, proto_tls, proto_ldap, proto_rmi, proto_dns_tcp, proto_dns_udp, proto_stratum, proto_quic, proto_socks;
extern const struct proto_ops *const proto_table[]; // NULL-terminated, in order of recognition

// --- One flow's conversation: recognition, then its parser. Pool of fixed size, one thread. ---
struct proto_pool;
struct proto_pool_sizes { // 0: as many as befits the number of contexts
	uint32_t contexts;
	uint32_t states;    // parser states larger than PROTO_SMALL_BYTES, 20 KiB each
	uint32_t works;     // messages in hand, 11 KiB each
	uint32_t inflaters; // layers of compressed bodies, 53 KiB each
};
struct proto_pool *proto_pool_create(uint32_t contexts, struct counters *counters); // NULL with errno
struct proto_pool *proto_pool_create_sized(const struct proto_pool_sizes *sizes, struct counters *counters);
void proto_pool_destroy(struct proto_pool *p);
// At start-up, before any flow: how many HTTP/2 connections are followed at once (about 430 KiB each). One more takes the place of that
// which has been silent longest; it is counted (PROTO_HTTP2_LIMIT) and uninspected from its next byte on. -ENOMEM.
int proto_pool_http2(struct proto_pool *p, uint32_t connections);
// Fills what parsers borrow from. Not needed, but without it every proto_feed makes a copy of the sink.
void proto_pool_bind(const struct proto_pool *p, struct proto_sink *sink);
// A new context + 1, or 0: pool empty (counted by the caller as PROTO_CONTEXT_FULL; flow uninspected).
uint32_t proto_open(struct proto_pool *p);
void proto_close(struct proto_pool *p, uint32_t context);
// Asks for the memory a context begins with, or for what a parser keeps in it too, before it is needed.
void proto_prefetch(const struct proto_pool *p, uint32_t context, bool whole);
// Bytes in order. Emits OBS_PROTOCOL once, when the protocol is settled (or APP_UNKNOWN after PROTO_PROBE_BYTES of both sides or 4
// segments), then what the parser finds. Unknown TCP streams: the first bytes of each side are still looked at for a kind of file (OBS_FILE
// for class/executable/script kinds) and for JNDI. PARSE_DONE or PARSE_BAD: the caller may close the context. *app is updated.
enum parse proto_feed(struct proto_pool *p, uint32_t context, const struct proto_input *in, const struct proto_sink *sink, uint8_t *app);
// What of one side the parser does not look at: the next `ahead` bytes, and `gone` of those that were fed, which end `since` before the last one fed.
struct proto_unseen {
	uint32_t ahead, gone, since;
};
const struct proto_unseen *proto_unseen(const struct proto_pool *p, uint32_t context, bool from_client);
void proto_half_close(struct proto_pool *p, uint32_t context, bool from_client, const struct proto_flow *flow,
		      const struct proto_sink *sink);
// One UDP datagram. Emits OBS_PROTOCOL when it is the first, or shows a protocol other than *app; then OBS_DNS etc. *context is 0, or what an earlier call
// left there: it is opened and closed here, and the caller closes it when the flow ends.
void proto_datagram(struct proto_pool *p, uint32_t *context, const struct proto_input *in, const struct proto_sink *sink, uint8_t *app);

// --- Shared by parsers ---

// Fills app, from_client and emits. `o` was made with observation_init and filled; facts are in o->facts.
void proto_emit(const struct proto_sink *sink, const struct proto_input *in, uint8_t app, struct observation *o);
// Counts `why` and tells the caller that the flow is not, or not surely, inspected from here on.
void proto_mark(const struct proto_sink *sink, enum counter why);

// Kind of file by its first bytes (up to 512 are used); `more` false: this is all there is. FILE_NONE: cannot say yet, give more.
enum file_kind file_kind_of(struct bytes head, bool more);
// The fact bit that goes with a kind (FACT_JAVA_CLASS, FACT_EXECUTABLE, FACT_SCRIPT), or 0.
uint16_t file_kind_fact(enum file_kind kind);
// Does the declared media type (Content-Type, may be empty) contradict the content in a way that hides code? e.g. image/png that is ELF.
bool file_kind_mismatch(enum file_kind kind, struct bytes content_type);

// Searches `field` for JNDI look-ups as log4j 2.14's substitution would resolve them: nested lower/upper/env/sys/date/main/default (`:-`) forms, percent
// (up to 3 rounds), base64 (basic-auth and ${base64:}), \u and HTML-entity escapes. Emits one OBS_JNDI (FACT_JNDI) per look-up, at most 4 a field.
// `name` is the field's name for TEXT_JNDI_FIELD. Work is linear in field length; at most 8 KiB are read. Returns how many were found.
unsigned jndi_scan(struct bytes field, const char *name, const struct proto_input *in, const struct proto_sink *sink, uint8_t app);
// The decoder alone: resolved text of `field` (without look-up execution) into out; returns its length, *depth = rounds it took.
size_t jndi_resolve(struct bytes field, char *out, size_t cap, unsigned *depth);

// Does the text hold the device's own address (decimal text of in->flow's inside end; the inside end is the sender)?
bool self_address_in(struct bytes text, const struct proto_input *in);
