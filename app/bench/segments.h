// SPDX-License-Identifier: GPL-2.0-or-later
// TCP segments by the million: flow number in, frame out.
#pragma once
#include "decode.h"

enum segment_limits { SEGMENT_BYTES = 60 /* Ethernet's shortest, without FCS */, SEGMENT_STRIDE = 64 };
enum segment_side { SEGMENT_FROM_CLIENT, SEGMENT_FROM_SERVER };

struct segment_plan {
	uint32_t flow;
	uint16_t port; // the server's
	enum segment_side from;
	uint8_t flags;
	uint32_t seq, ack; // relative to what the flow began with
	struct bytes data; // at most 1,400 bytes
};

// Any segment; returns the frame's bytes. `out` has room for 54 bytes and the data, at least SEGMENT_STRIDE.
uint32_t segment_fill(uint8_t *out, const struct segment_plan *plan);
// `flow` gives the client's address (outside, 11.0.0.0/8) and port; the server is 192.0.2.10:443. seq and ack are
// relative to what the flow began with. Checksums are right.
void segment_write(uint8_t out[SEGMENT_STRIDE], uint32_t flow, enum segment_side from, uint8_t flags, uint32_t seq,
		   uint32_t ack);
struct frame segment_frame(const uint8_t *at, enum segment_side from, uint64_t unix_ns);
