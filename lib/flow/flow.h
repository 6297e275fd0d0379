// SPDX-License-Identifier: GPL-2.0-or-later
// Who talks to whom: 5-tuple, VLANs and tunnels, both directions, in a table of fixed size; and the order of TCP bytes. Knows nothing
// of what the bytes mean. One thread owns a table. No allocation after flow_table_create. Time is an argument.
#pragma once
#include "counters.h"
#include "decode.h"
#include "siphash.h"
#include <stddef.h>

enum flow_limits {
	FLOW_PARK_BYTES = 2048,       // one parked segment at the most (longer ones: flow uninspected)
	FLOW_PARK_PER_SIDE = 64,      // parked segments per direction
	FLOW_SWEEP_PER_STEP = 1024,   // deadlines looked at per flow_table_step
	FLOW_ENDS_PER_STEP = 64,      // flows looked at whose deadline has come
	FLOW_SWEEP_MS = 4000,         // one round over all deadlines: so late a silent flow ends at the most, where steps are frequent
	FLOW_HALF_OPEN_LEAST = 64,    // of the default
	FLOW_HALF_OPEN_MOST = 1 << 18,
	FLOW_IDLE_DAYS = 6,           // no time-out is longer
	FLOW_MAX_FLOWS = 1 << 24,
};

enum flow_side { FLOW_CLIENT = 0, FLOW_SERVER = 1 }; // who sent it: the side that opened the flow, or the other

enum flow_state { FLOW_NEW, FLOW_OPENING /* SYN seen */, FLOW_ANSWERED /* SYN/ACK seen */, FLOW_OPEN, FLOW_CLOSING, FLOW_CLOSED };
enum flow_end { FLOW_END_TIMEOUT, FLOW_END_FIN, FLOW_END_RST, FLOW_END_EVICTED, FLOW_END_REUSED, FLOW_END_SHUTDOWN };

enum flow_flag {
	FLOW_FLAG_MIDSTREAM = 1 << 0,
	FLOW_FLAG_UNINSPECTED = 1 << 1, // some forwarded byte was not inspected
	FLOW_FLAG_CUT = 1 << 2,         // set by the caller: its frames are dropped
	FLOW_FLAG_OPEN_SENT = 1 << 3,   // caller: OBS_FLOW_OPEN was emitted
	FLOW_FLAG_DONE = 1 << 4,        // caller: nothing more to parse
	FLOW_FLAG_HELD = 1 << 5,        // caller: first frame waits for a verdict
	FLOW_FLAG_CHECKSUM = 1 << 7,    // a wrong checksum was accepted (replay)
	FLOW_FLAG_UNINSPECTED_SENT = 1 << 8, // caller: OBS_UNINSPECTED was emitted
	FLOW_FLAG_RESET_SENT = 1 << 9,  // caller: both ends were reset
	FLOW_FLAG_REFUSED = 1 << 10,    // caller: could not be inspected, and its limit says drop
};

struct flow_tcp_side {
	uint32_t next_seq;   // next in-order byte from this side (meaningful once `seen`)
	uint32_t acked;      // highest acknowledgement this side sent = what it has received
	uint16_t window;     // last window it announced, as it stood in the segment: flow_window has it in bytes
	uint16_t widest;     // the largest one: its peer believes acknowledgements as old as that (RFC 5961 §5.2); flow_widest
	uint16_t park_head;  // first parked segment + 1, 0 = none
	uint16_t isn;        // low bits of its SYN's number: the same SYN again is not a new one
	uint8_t parked;      // how many
	uint8_t scale : 4, window_plain : 1, widest_plain : 1; // *_plain: from a SYN, whose window is not scaled (RFC 7323 §2.2)
	uint8_t seen;        // next_seq is set
	uint8_t fin;         // its FIN has been passed in order
};

// Two cache lines: the first is what a look-up reads, the second what a packet of the flow changes. Both ends are of one family.
struct flow {
	uint8_t client[16], server[16]; // network order; IPv4: the first 4, the rest is 0. flow_client, flow_server
	uint16_t client_port, server_port;
	uint32_t tag;               // table's: of all VLANs and tunnels
	uint8_t family : 4;         // 4, 6; 0 = the slot is free
	uint8_t direction : 4;      // caller's: enum direction; 0 = not set
	uint8_t transport;
	uint8_t state;              // enum flow_state
	uint8_t app;                // caller's: enum app_protocol
	uint32_t generation;        // of this slot; with its index it makes the flow id
	uint32_t last;              // table's: tick (ms, monotone) of its last packet
	uint32_t context;           // caller's: protocol context + 1, 0 = none
	uint16_t flags;             // enum flow_flag
	uint16_t vlan;              // the outermost, 0 = none
	uint32_t place;             // table's: where in the index; of a free slot the next free one + 1
	struct flow_tcp_side tcp[2];
	uint32_t packets[2];
	uint32_t bytes_low[2];      // frame bytes by side: flow_bytes
	uint16_t bytes_high[2];
	uint32_t first;             // table's: tick of its first packet; flow_first_ns
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct flow) == 128, "two cache lines");
_Static_assert(offsetof(struct flow, tcp) == 64, "the look-up reads one");

struct flow_config {
	uint32_t flows;             // capacity, at most FLOW_MAX_FLOWS
	uint32_t half_open;         // the newest so many may be half-open; 0 = an eighth, FLOW_HALF_OPEN_LEAST to _MOST
	uint32_t parked_segments;   // pool shared by all flows (FLOW_PARK_BYTES each)
	struct siphash_key key;     // random when live, fixed in replay
	uint64_t tcp_open_ns, tcp_half_open_ns, tcp_closed_ns, udp_ns, other_ns; // idle time-outs, at most FLOW_IDLE_DAYS; 0 = defaults 1h, 30s, 10s, 120s, 30s
};

struct flow_table;

// Called for every flow that ends, before its slot is reused.
typedef void (*flow_end_fn)(void *user, struct flow *f, enum flow_end why);

// NULL with errno when memory is short or the config is out of range. Owns its memory, all of it in place from the start;
// flow_table_destroy frees it (without calling `ended`; use flow_table_flush first).
struct flow_table *flow_table_create(const struct flow_config *config, struct counters *counters, flow_end_fn ended, void *user);
void flow_table_destroy(struct flow_table *t);
// What slots, index, deadlines and rings take; neither parked segments nor copies, which do not grow with flows.
size_t flow_table_bytes(const struct flow_table *t);

// What is looked up: made once a packet. Family, addresses, ports and transport stay in the packet, which must stay with it.
struct flow_key {
	uint32_t bucket;    // of the index: the first of two
	uint32_t mark;      // other bits of the same hash
	uint32_t tag;       // keyed hash of VLAN ids and tunnels, 0 = none: the same ends elsewhere are another flow
	uint32_t candidate; // slot + 1 that flow_prefetch saw, 0 = none; a hint, checked when used
	uint32_t copy;      // place + 1 where flow_copy_of expects the segment to be remembered, 0 = none; for flow_prefetch_copy
};

// A memory access costs ten packets' work, so a caller with a burst in hand runs each step over all of it before the next:
// flow_key_of; flow_prefetch_bucket; flow_prefetch; flow_context_peek, flow_copy_of; flow_prefetch_copy; flow_find_or_add. Each may be left out but the first and
// the last; none but the last changes anything, and it is right whatever became of the table in between.
void flow_key_of(const struct flow_table *t, const struct packet *p, struct flow_key *key);
void flow_prefetch_bucket(const struct flow_table *t, const struct flow_key *key);
void flow_prefetch(const struct flow_table *t, struct flow_key *key); // both lines of the flow the bucket names
uint32_t flow_context_peek(const struct flow_table *t, const struct flow_key *key); // the `context` that flow has, 0 = none
void flow_copy_of(const struct flow_table *t, struct flow_key *key, const struct packet *p); // if it is data of a flow that is inspected
void flow_prefetch_copy(const struct flow_table *t, const struct flow_key *key);

// The packet's flow and the side that sent it. A new flow is added if there is none (its client is the sender, unless the first packet
// is a SYN/ACK, whose sender is the server, or TCP in midstream from the lower port). NULL: table full; forward untracked (counted).
// New flows take the place of older half-open ones, never of an open one. Only this and flow_table_step move the table's clock.
struct flow *flow_find_or_add(struct flow_table *t, const struct packet *p, const struct flow_key *key, uint64_t now_ns,
			      enum flow_side *sender);
struct flow *flow_find(const struct flow_table *t, const struct packet *p, const struct flow_key *key, enum flow_side *sender);

// The tick that the `last` of a flow is set to now.
uint32_t flow_now(const struct flow_table *t);
// It counts as having spoken just now.
void flow_touch(const struct flow_table *t, struct flow *f);
uint64_t flow_first_ns(const struct flow_table *t, const struct flow *f); // of its first packet, to the millisecond; 49.7 days at most ago

// Written in place: a struct returned is copied by parts that are not those it was written in, and waits for them.
static inline void flow_end(const struct flow *f, enum flow_side side, struct address *out)
{
	*out = (struct address){.family = f->family};
	memcpy(out->b, side == FLOW_CLIENT ? f->client : f->server, sizeof(out->b));
}

static inline struct address flow_client(const struct flow *f)
{
	struct address a;

	flow_end(f, FLOW_CLIENT, &a);
	return a;
}

static inline struct address flow_server(const struct flow *f)
{
	struct address a;

	flow_end(f, FLOW_SERVER, &a);
	return a;
}

static inline uint64_t flow_bytes(const struct flow *f, enum flow_side side) // modulo 2^48
{
	return (uint64_t)f->bytes_high[side] << 32 | f->bytes_low[side];
}

// Bytes; scaled where they are.
static inline uint32_t flow_window(const struct flow_tcp_side *s)
{
	return (uint32_t)s->window << (s->window_plain ? 0 : s->scale);
}

static inline uint32_t flow_widest(const struct flow_tcp_side *s)
{
	return (uint32_t)s->widest << (s->widest_plain ? 0 : s->scale);
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f); // generation << 32 | index
struct flow *flow_by_id(struct flow_table *t, uint64_t id);         // NULL if it has ended
uint32_t flow_count(const struct flow_table *t);

// Counts the packet and moves the TCP state. Returns true exactly once per flow: when it becomes open (TCP: the client's ACK of the
// SYN/ACK, or midstream data; other transports: first packet).
bool flow_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct frame *frame, const struct packet *p);

// Packets of it may have gone by unseen before this one: a TCP flow that is not closed is followed as from midstream, and what was parked is dropped. Before
// flow_update, which may then say anew that it is open.
void flow_resume(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p);

// Bytes of one side that nobody looks at, so that two copies of them need not be told apart.
struct flow_unseen {
	uint32_t ahead; // the next so many, from next_seq on
	uint32_t gone;  // and of those that went by so many, ...
	uint32_t since; // ... which end so far before next_seq
};

// In-order payload of one side. `gap` true: bytes before these were lost to inspection (flow is flagged uninspected); then there may be none.
typedef void (*flow_bytes_fn)(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap);

// Puts a TCP segment in order: delivers its new bytes and any parked ones that follow, parks it if bytes before it are missing.
// What was delivered once is never delivered again (first copy wins). Call after flow_update. Bounded by FLOW_PARK_PER_SIDE.
// `unseen` is the sender's; NULL: all is looked at.
void flow_order(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p, struct bytes payload,
		const struct flow_unseen *unseen, flow_bytes_fn deliver, void *user);
// The flow ends: what still waits for bytes before it, or for its receiver to see what it acknowledges, is delivered as it lies, the client's first, with a gap
// where bytes are missing; nobody will say more of it. What its receiver must have refused is not. Bytes missing at the end, by the receiver's word, are told
// as a gap, once, unless the flow is uninspected already. For use in flow_end_fn.
void flow_order_end(struct flow_table *t, struct flow *f, flow_bytes_fn deliver, void *user);

enum flow_take {
	FLOW_TAKES,
	FLOW_TAKES_OTHER,   // it repeats bytes that went by, with other ones: no honest sender does
	FLOW_TAKES_UNKNOWN, // it repeats bytes cut in other places, or long forgotten: which copy the receiver takes is not known
	FLOW_TAKES_NO_ROOM, // it comes early and there is no room to park it
};
// Can all of the segment's bytes be inspected when it has gone by? Who can drop a frame does so, and its sender repeats it. If it goes by
// all the same, the flow becomes uninspected. Changes nothing; call before flow_update.
enum flow_take flow_order_takes(const struct flow_table *t, const struct flow *f, enum flow_side sender,
				const struct packet *p, struct bytes payload, const struct flow_unseen *unseen);

// Why a flow was given FLOW_FLAG_UNINSPECTED here since this was last asked, whether it had it before or not: the counter of the limit, of several the
// last. COUNTER_COUNT: none was. To be asked after each packet of a flow that has the flag, and in flow_end_fn after flow_order_end, so that it is that flow's.
enum counter flow_uninspected_why(struct flow_table *t);

// The flow longest silent, of the next few slots, that has a `context`; NULL: none there. Bounded.
struct flow *flow_next_context(struct flow_table *t);

// Time-outs, a bounded sweep; and the clock, which may be any that the caller keeps to. Call often. `now_ns` never needs to be exact. A clock that leaps ahead
// further than any time-out ends all flows at once; one that falls back ends none.
void flow_table_step(struct flow_table *t, uint64_t now_ns);
// Ends one flow, or all (end of a capture).
void flow_remove(struct flow_table *t, struct flow *f, enum flow_end why);
void flow_table_flush(struct flow_table *t, enum flow_end why);
