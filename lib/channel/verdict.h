// SPDX-License-Identifier: GPL-2.0-or-later
// What the brain tells the wire. The vocabulary is tiny, every field is range-checked by the wire after one copy,
// a bad record is counted and consumed. Times are on the wire's deadline clock: CLOCK_BOOTTIME nanoseconds when
// live, the packet's own UNIX time in replay.
#pragma once
#include "address.h"
#include "observation.h"

enum verdict_kind {
	VERDICT_NONE,
	VERDICT_BLOCK,   // refuse what matches the tuple until expires_ns (a second one with the same id replaces it)
	VERDICT_UNBLOCK, // forget block `id`
	VERDICT_CUT,     // end flow `flow` now: drop its frames, RST both ends; where it is no connection for as long as such a flow is remembered
	VERDICT_RELEASE, // held frames of flow `flow` may go
	VERDICT_KINDS
};

struct verdict {
	uint32_t size_bytes;     // sizeof(struct verdict)
	uint16_t kind;           // enum verdict_kind
	uint8_t transport;       // BLOCK: 6 or 17; 0 = any
	uint8_t zero;
	uint64_t id;             // BLOCK, UNBLOCK: the block's id, not 0
	uint64_t flow;           // CUT, RELEASE
	uint64_t expires_ns;     // BLOCK: deadline clock; at most VERDICT_LONGEST_NS from now
	struct address endpoint; // BLOCK: the outside address. Never empty
	struct address device;   // BLOCK: only for this inside address; family 0 = for all
	uint32_t endpoint_bits;  // BLOCK: prefix length, 32/128 for one address; at least 16 (IPv4) / 32 (IPv6); host bits 0
	uint16_t port;           // BLOCK: the endpoint's port, host order; 0 = all its ports. Never a port without an address
	uint16_t zero2;
	uint64_t evidence_ns;    // UNIX time of the frame that led to it (0 unknown): for frame-to-block latency
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct verdict) == 128, "record layout is shared between processes");

// A second more than the seven days a block may be ordered for: the wire reads its clock once a burst, the brain after that.
#define VERDICT_LONGEST_NS ((7ull * 24 * 3600 + 1) * 1000000000ull)

// Fields in range (not whether the block is wise)? `now_ns` on the deadline clock.
bool verdict_check(const struct verdict *v, uint64_t now_ns);
