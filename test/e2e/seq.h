// SPDX-License-Identifier: GPL-2.0-or-later
// The numbered frame seqgen sends and seqsink counts: Ethernet, IPv4, UDP to one port nobody listens on, then this.
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum seq_frame {
	SEQ_ETHERNET = 14,
	SEQ_IP = 20,
	SEQ_UDP = 8,
	SEQ_HEADERS = SEQ_ETHERNET + SEQ_IP + SEQ_UDP,
	SEQ_PORT = 7777, // destination; the source port is 20000 + flow
	SEQ_PORT_FIRST = 20000,
	SEQ_FRAME_LEAST = SEQ_HEADERS + 32, // headers and struct seq_body
	SEQ_FRAME_MOST = 1514,
};

#define SEQ_MAGIC 0x53454b4953455131ull // "SEKISEQ1"

// In the byte order of the machine: both programs run on the same one.
struct seq_body {
	uint64_t magic;
	uint64_t number;  // from 0
	uint64_t sent_ns; // CLOCK_REALTIME, which the kernel stamps received frames with too
	uint64_t due_ns;  // when it should have been sent, the same clock; a sender that is late has sent_ns behind it
};

// An option's whole text as a number. False: it is none, or out of bounds.
static inline bool seq_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && end != text && !*end && *out >= least && *out <= most;
}
