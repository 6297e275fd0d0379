// SPDX-License-Identifier: GPL-2.0-or-later
// Reads pcapng (draft-ietf-opsawg-pcapng) from a stream: any number of sections, interfaces whose link types, snapshot lengths and time resolutions
// differ. libpcap gives up where the second interface is unlike the first. Knows no packets; files are hostile: all lengths are checked and bounded.
#pragma once
#include "bytes.h"
#include <stdio.h>

enum pcapng_limits {
	PCAPNG_BLOCK_BYTES = 16 << 20,    // of a block that is looked into; others are passed over, however long
	PCAPNG_FRAME_BYTES = 262144,      // what libpcap and Wireshark take as the largest
	PCAPNG_INTERFACES = 1024,         // of one section
	PCAPNG_FIRST_BYTE = 0x0a,         // no other kind of capture begins so
};

struct pcapng;

struct pcapng_frame {
	struct bytes data;           // belongs to the reader, until the next call
	uint32_t wire_bytes;         // as the file has it; may be less than data.left
	uint64_t unix_ns;            // of a simple packet, which has no time: that of the one before
	uint16_t link;               // LINKTYPE_ number of its interface
};

// Borrows the stream, which stands at the first byte of a section; reads nothing yet. NULL: no memory.
struct pcapng *pcapng_open(FILE *file);
// 1 with *out, 0 at the end of the file between two blocks, -EIO: damaged or cut off, pcapng_note says how. After 0 or -EIO: the same again.
int pcapng_next(struct pcapng *p, struct pcapng_frame *out);
// Was it a section that came first? Else it is no pcapng.
bool pcapng_begun(const struct pcapng *p);
// What is wrong with the file, "" if nothing. Belongs to the reader.
const char *pcapng_note(const struct pcapng *p);
// Frees; the stream is left open. NULL is fine.
void pcapng_close(struct pcapng *p);
