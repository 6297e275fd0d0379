// SPDX-License-Identifier: GPL-2.0-or-later
// Who talks to whom: 5-tuple + VLAN, both directions, in a table of fixed size; and the order of TCP bytes. Knows nothing of what
// the bytes mean. One thread owns a table. No allocation after flow_table_create. Time is an argument.
#pragma once
#include "counters.h"
#include "decode.h"
#include "siphash.h"

enum flow_limits {
	FLOW_PARK_BYTES = 2048,       // one parked segment at the most (longer ones: flow uninspected)
	FLOW_PARK_PER_SIDE = 64,      // parked segments per direction
	FLOW_SWEEP_PER_STEP = 64,     // buckets looked at for time-outs per flow_table_step
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
	uint32_t window;     // last window it announced, scaled, in bytes
	uint32_t widest;     // the largest one: its peer believes acknowledgements as old as that (RFC 5961 §5.2)
	uint16_t park_head;  // first parked segment + 1, 0 = none
	uint8_t parked;      // how many
	uint8_t scale;
	uint8_t seen;        // next_seq is set
	uint8_t fin;         // its FIN has been passed in order
	uint16_t isn;        // low bits of its SYN's number: the same SYN again is not a new one
};

struct flow {
	struct address client, server;
	uint16_t client_port, server_port;
	uint16_t vlan;
	uint8_t transport;
	uint8_t state;              // enum flow_state
	uint32_t generation;        // of this slot; with its index it makes the flow id
	uint16_t flags;             // enum flow_flag
	uint8_t app;                // caller's: enum app_protocol
	uint8_t direction;          // caller's: enum direction; 0 = not set
	uint32_t context;           // caller's: protocol context + 1, 0 = none
	uint32_t next_in_bucket;    // table's
	uint64_t first_unix_ns, last_unix_ns;
	uint64_t bytes[2];          // frame bytes by side
	uint32_t packets[2];
	struct flow_tcp_side tcp[2];
	uint64_t hash;              // table's
};
_Static_assert(sizeof(struct flow) <= 192, "two flows in three cache lines; issue 3 brings it to 128");

struct flow_config {
	uint32_t flows;             // capacity, power of two, at most FLOW_MAX_FLOWS
	uint32_t parked_segments;   // pool shared by all flows (FLOW_PARK_BYTES each)
	struct siphash_key key;     // random when live, fixed in replay
	uint64_t tcp_open_ns, tcp_half_open_ns, tcp_closed_ns, udp_ns, other_ns; // idle time-outs; 0 = defaults 1h, 30s, 10s, 120s, 30s
};

struct flow_table;

// Called for every flow that ends, before its slot is reused.
typedef void (*flow_end_fn)(void *user, struct flow *f, enum flow_end why);

// NULL with errno when memory is short or the config is out of range. Owns its memory; flow_table_destroy frees it
// (without calling `ended`; use flow_table_flush first).
struct flow_table *flow_table_create(const struct flow_config *config, struct counters *counters, flow_end_fn ended, void *user);
void flow_table_destroy(struct flow_table *t);

// The packet's flow and the side that sent it. A new flow is added if there is none (its client is the sender, unless the first packet
// is a SYN/ACK, whose sender is the server, or TCP in midstream from the lower port). NULL: table full; forward untracked (counted).
struct flow *flow_find_or_add(struct flow_table *t, const struct packet *p, uint64_t unix_ns, enum flow_side *sender);
struct flow *flow_find(struct flow_table *t, const struct packet *p, enum flow_side *sender);

uint64_t flow_id(const struct flow_table *t, const struct flow *f); // generation << 32 | index
struct flow *flow_by_id(struct flow_table *t, uint64_t id);         // NULL if it has ended
uint32_t flow_count(const struct flow_table *t);

// Counts the packet and moves the TCP state. Returns true exactly once per flow: when it becomes open (TCP: the client's ACK of the
// SYN/ACK, or midstream data; other transports: first packet).
bool flow_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct frame *frame, const struct packet *p);

// In-order payload of one side. `gap` true: bytes before these were lost to inspection (flow is flagged uninspected).
typedef void (*flow_bytes_fn)(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap);

// Puts a TCP segment in order: delivers its new bytes and any parked ones that follow, parks it if bytes before it are missing.
// What was delivered once is never delivered again (first copy wins). Call after flow_update. Bounded by FLOW_PARK_PER_SIDE.
void flow_order(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p, struct bytes payload,
		flow_bytes_fn deliver, void *user);

enum flow_take {
	FLOW_TAKES,
	FLOW_TAKES_OTHER,   // it repeats bytes that went by, with other ones: no honest sender does
	FLOW_TAKES_UNKNOWN, // it repeats bytes cut in other places, or long forgotten: which copy the receiver takes is not known
	FLOW_TAKES_NO_ROOM, // it comes early and there is no room to park it
};
// Can all of the segment's bytes be inspected when it has gone by? Who can drop a frame does so, and its sender repeats it. If it goes by
// all the same, the flow becomes uninspected. Changes nothing; call before flow_update.
enum flow_take flow_order_takes(const struct flow_table *t, const struct flow *f, enum flow_side sender,
				const struct packet *p, struct bytes payload);

// Why the flow that was last given FLOW_FLAG_UNINSPECTED here got it: the counter of the limit.
enum counter flow_uninspected_why(const struct flow_table *t);

// The flow longest silent, of the next few slots, that has a `context`; NULL: none there. Bounded.
struct flow *flow_next_context(struct flow_table *t);

// Time-outs, a bounded sweep. Call often. `unix_ns` never needs to be exact.
void flow_table_step(struct flow_table *t, uint64_t unix_ns);
// Ends one flow, or all (end of a capture).
void flow_remove(struct flow_table *t, struct flow *f, enum flow_end why);
void flow_table_flush(struct flow_table *t, enum flow_end why);
