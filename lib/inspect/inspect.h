// SPDX-License-Identifier: GPL-2.0-or-later
// The wire's stations in order, for one worker: decode ▸ flow ▸ block? ▸ proto ▸ (certain fact?) ▸ forward, drop or hold. Knows no NIC: the caller brings
// frames and takes decisions, so the same code runs under DPDK and in replay. One thread owns it; no allocation after inspect_create.
#pragma once
#include "block.h"
#include "defrag.h"
#include "flow.h"
#include "proto.h"
#include "sheet.h"

enum inspect_limits {
	INSPECT_RESETS_PER_S = 100,       // RSTs sent in all (a reflector must not be made of us)
	INSPECT_VERDICTS_PER_STEP = 64,
	INSPECT_BURST = 32,               // frames of one inspect_burst at the most
	INSPECT_DATAGRAMS = 1024,         // fragmented ones kept at once, and the bytes of their frames
	INSPECT_FRAGMENT_BYTES = 8 << 20,
	INSPECT_BRAIN_SILENT_MS = 250,    // heartbeat older than this: nothing is held
};

enum inspect_action {
	INSPECT_FORWARD,
	INSPECT_DROP,
	INSPECT_HOLD, // keep it, then ask inspect_held
	INSPECT_KEPT, // a fragment, copied: forget it. It leaves by hooks.forward, or is dropped and counted
};

struct inspect_hooks {
	// Sends a reset out of `port`. Bytes are valid during the call. false: not now; a later frame of the flow asks again.
	bool (*transmit)(void *user, uint16_t port, const uint8_t *frame, size_t bytes);
	// Sends a frame that was kept out of `port`. Bytes are valid during the call. The callee counts it (FRAMES_OUT). NULL in replay.
	void (*forward)(void *user, uint16_t port, const uint8_t *frame, size_t bytes);
	// A block ordered by the brain is in force from now on (rule->evidence_ns: the frame that led to it, for latency figures). May be NULL.
	void (*blocked)(void *user, const struct verdict *rule);
	void *user;
};

struct inspect_config {
	struct flow_config flow;
	struct defrag_config defrag;      // zeroes: INSPECT_DATAGRAMS, INSPECT_FRAGMENT_BYTES, 30 s, the flows' key
	uint32_t contexts;                // protocol contexts
	uint32_t blocks;                  // capacity of the block table
	bool replay;                      // wrong checksums are accepted; inside by address instead of by port
	bool forward_only;                // all is shed from the start, counted as INSPECTION_OFF (to measure with)
	const struct prefix *inside;      // networks inside; none: private ranges (replay), the port alone (inline)
	unsigned inside_count;
	const struct prefix *never;       // never-block list: the wire's own copy
	unsigned never_count;
	bool refuse[COUNTER_COUNT];       // by the limit's counter: what cannot be inspected for that reason is dropped, its flow cut. Default: forwarded and flagged
	unsigned worker;
	struct wire_sheet *wire;          // ours to write: ring `worker`
	const struct brain_sheet *brain;  // theirs
	struct inspect_hooks hooks;
	struct counters *counters;
};

// The limits that may be refused, by their counters; ends with COUNTER_COUNT.
extern const enum counter inspect_limit[];

struct inspect;
struct inspect *inspect_create(const struct inspect_config *config); // NULL with errno
void inspect_destroy(struct inspect *s);

// One frame through all stations. Its bytes may be changed in one way, unless in replay: decode_clear_urgent. `deadline_ns` is now on the deadline clock (CLOCK_BOOTTIME live, frame time in replay).
// INSPECT_HOLD: *flow names the flow that waits.
enum inspect_action inspect_frame(struct inspect *s, const struct frame *f, uint64_t deadline_ns, uint64_t *flow);
// The same for up to INSPECT_BURST frames, far cheaper for each: `decided` is called once for each in their order, before the next one is taken through the
// stations (so that a reset does not overtake the frames before it).
typedef void (*inspect_decided_fn)(void *user, unsigned i, enum inspect_action action, uint64_t flow);
void inspect_burst(struct inspect *s, const struct frame *frames, unsigned n, uint64_t deadline_ns, inspect_decided_fn decided, void *user);
// What a poll of a port (0 inside, 1 outside) brought, after it went through inspect_burst. While as many frames come as can be taken, a growing share of
// all flows goes by unseen: forwarded unless a block or cut may concern it, counted (INSPECTION_SHED), said once a second, and told of each flow that is
// seen again. Where that limit is refused nothing goes by; what is too much is lost in the port.
void inspect_polled(struct inspect *s, unsigned side, unsigned frames, uint64_t deadline_ns);
// What shall become of a held frame now? INSPECT_HOLD: go on waiting.
enum inspect_action inspect_held(struct inspect *s, const struct frame *f, uint64_t flow, uint64_t deadline_ns);
// The wait is over without a verdict: the flow goes (open).
void inspect_held_expired(struct inspect *s, uint64_t flow);

// Verdicts in, time-outs, reports. Bounded work; call once per burst.
void inspect_step(struct inspect *s, uint64_t deadline_ns, uint64_t unix_ns);
// Ends all flows (end of a capture).
void inspect_flush(struct inspect *s);

// Enforcement off or on, whatever the brain says. Blocks are kept but match nothing while off.
void inspect_panic(struct inspect *s, bool on);
bool inspect_is_panic(const struct inspect *s);
struct block_table *inspect_blocks(struct inspect *s);
uint32_t inspect_flows(const struct inspect *s);
uint32_t inspect_datagrams(const struct inspect *s); // of which fragments are kept
