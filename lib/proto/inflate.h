// SPDX-License-Identifier: GPL-2.0-or-later
// One layer of a compressed body, opened piece by piece: gzip (RFC 1952), zlib (RFC 1950) and bare deflate (RFC 1951), told apart by content, since senders
// mix them up. zlib does the work; its memory is this struct, so that nothing is allocated. What turns out not to be compressed comes out as it went in.
#pragma once
#include "bytes.h"
#include <zlib.h>

enum inflate_limits {
	INFLATE_MOST_BYTES = 1 << 20,  // that come out of one layer of one body
	INFLATE_FREE_BYTES = 64 << 10, // that may come out whatever the ratio
	INFLATE_RATIO = 100,           // beyond them: bytes out for a byte in
	INFLATE_FRONT_BYTES = 8192,    // kept as they stand: given out should the beginning be no compressed data after all, and looked at besides
	INFLATE_ARENA_BYTES = 44 << 10, // zlib's state (7.2 KB) and its window (32 KiB)
};

enum inflate_coding { INFLATE_NONE, INFLATE_GZIP, INFLATE_DEFLATE };

enum inflate_result {
	INFLATE_MORE, // all input is used, or there is more output than room: call again while either is so
	INFLATE_BAD,  // said once: not what was declared, damaged, or followed by something else. Goes on as far as there is something to say
	INFLATE_LIMIT, // too much comes out: nothing more will
};

struct inflate {
	z_stream z;
	uint64_t in, out;
	uint64_t member; // `in` where the gzip member in hand began
	uint32_t used;   // of arena
	uint16_t kept;   // of front
	uint16_t given;  // of front, given out again
	uint8_t coding;  // enum inflate_coding: declared
	uint8_t step;
	bool gzip;       // found
	bool flowed;     // something was opened
	uint8_t front[INFLATE_FRONT_BYTES];
	_Alignas(16) uint8_t arena[INFLATE_ARENA_BYTES];
};

// *i may hold anything.
void inflate_begin(struct inflate *i, enum inflate_coding declared);
// Takes from *in, writes up to `room` bytes to out, *n how many. `end`: no input follows *in.
enum inflate_result inflate_step(struct inflate *i, struct bytes *in, bool end, uint8_t *out, size_t room, size_t *n);
// Is something kept that the next step gives out, though there is no more input?
bool inflate_waits(const struct inflate *i);
// Has what went in come out again as it was?
bool inflate_is_plain(const struct inflate *i);
// Bytes that need not be opened any more, but belong to the front.
void inflate_keep(struct inflate *i, struct bytes more);
