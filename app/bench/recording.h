// SPDX-License-Identifier: GPL-2.0-or-later
// A capture in memory, and copies of it that are new to whoever sees them: other addresses, other sequence numbers,
// right checksums.
#pragma once
#include "decode.h"

enum recording_limits { SALTS_MOST = 65535, ARENA_ALIGN = 64, FRAME_ROOM = 65536 /* no frame is longer */ };

struct recorded {      // one frame
	size_t offset; // into bytes
	uint32_t bytes;
	uint32_t ip, transport; // offsets into the frame; ip 0 = not IP or not salted
	uint8_t family, protocol;
	uint8_t has_transport; // not a piece, checksum field is there
	uint8_t port;          // 0: sent from the inside
	uint64_t unix_ns;
};

struct recording {
	struct recorded *frame;
	uint8_t *bytes;
	size_t frames, total, cap, frames_cap;
	size_t left_out; // wrong checksums or cut frames: inline would drop them
	struct prefix inside[8];
	unsigned insides;
};

// path NULL: the generator's week, as `generate --scene week` writes it. Exits with a message where it cannot be read.
// inside: one network more than private ranges and the generator's; NULL = none.
void recording_load(struct recording *r, const char *path, const char *inside, uint64_t days, uint64_t frames_most);
void recording_free(struct recording *r);
// Inside networks widened to what salting can make of them.
unsigned recording_inside(const struct recording *r, struct prefix out[8]);
// Salts frame number `frame`, whose bytes lie at `at` as they were recorded.
void recording_salt(const struct recording *r, size_t frame, uint32_t salt, uint8_t *at);
// Copies a frame with that salt (0 = as it was) to `at`, which has room for its bytes.
void recording_copy(const struct recording *r, size_t frame, uint32_t salt, uint8_t *at);

// Many copies of the recording at once: each lane is one whole pass with a salt of its own, a lane begins a while after
// the one before, so that flows lie side by side as on a busy wire.
struct feeder {
	const struct recording *recording;
	uint32_t lanes, salt, lane;
	size_t stagger, tick;
	uint64_t now_ns, step_ns; // the notional clock: its time at each frame
	uint8_t *arena;
	size_t arena_bytes;
	uint64_t bytes; // handed out so far
};

void feeder_begin(struct feeder *f, uint32_t salt, uint32_t lanes);
// Salted copies into the arena, up to `most`. 0: all lanes have passed.
size_t feeder_fill(struct feeder *f, struct frame *out, size_t most);
