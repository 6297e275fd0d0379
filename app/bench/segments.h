// SPDX-License-Identifier: GPL-2.0-or-later
// Bare TCP segments by the million: flow number in, frame of the shortest length out.
#pragma once
#include "decode.h"

enum segment_limits { SEGMENT_BYTES = 60 /* Ethernet's shortest, without FCS */, SEGMENT_STRIDE = 64 };
enum segment_side { SEGMENT_FROM_CLIENT, SEGMENT_FROM_SERVER };

// `flow` gives the client's address (outside, 11.0.0.0/8) and port; the server is 192.0.2.10:443. seq and ack are
// relative to what the flow began with. Checksums are right.
void segment_write(uint8_t out[SEGMENT_STRIDE], uint32_t flow, enum segment_side from, uint8_t flags, uint32_t seq,
		   uint32_t ack);
struct frame segment_frame(const uint8_t *at, enum segment_side from, uint64_t unix_ns);
