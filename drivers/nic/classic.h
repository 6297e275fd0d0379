// SPDX-License-Identifier: GPL-2.0-or-later
// Reads classic pcap files of Ethernet frames, the common case, a quarter of a megabyte at a time: libpcap reads each record by two calls of stdio and copies it once
// more. What is anything else (pcapng, a pipe, another link type or version) is left to others. Knows no packets; files are hostile: lengths are checked.
#pragma once
#include "decode.h"

enum classic_limits {
	CLASSIC_FRAME_BYTES = 262144, // what libpcap and Wireshark take as the largest
	CLASSIC_READ_BYTES = 262144,  // at once: stays in the second-level cache until it is looked at
};

struct classic;

// NULL: it is no such file, or cannot be read at all; nothing is said about why.
struct classic *classic_open(const char *path);
// 1 with *out, 0 at the end of the file between two records, -EIO: damaged or cut off, classic_note says how. After 0 or -EIO: the same again.
// The frame's bytes belong to the reader, until a call for which classic_has said false.
int classic_next(struct classic *c, struct frame *out);
// Is the next frame in memory already?
bool classic_has(const struct classic *c);
const char *classic_note(const struct classic *c);
void classic_close(struct classic *c); // NULL is fine
