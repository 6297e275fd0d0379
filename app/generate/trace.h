// SPDX-License-Identifier: GPL-2.0-or-later
// The capture being written: frames come in any order and leave in the order of their time, as classic pcap with
// nanoseconds. A heap holds only what may still be overtaken, so memory follows the open sessions, not the days.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trace_frame; // waiting

struct trace {
	FILE *file;
	struct trace_frame *heap;
	size_t count, cap;
	uint64_t serial;        // frames taken so far: the order of frames of one instant
	uint64_t frames, bytes; // written, bytes with pcap's headers
	uint64_t first_ns, last_ns;
};

// "-" is standard output. 0 or -errno.
int trace_open(struct trace *t, const char *path) __attribute__((warn_unused_result));
// Copies the frame. Must not be earlier than what trace_flush() has already let go.
void trace_add(struct trace *t, uint64_t when_ns, const uint8_t *frame, size_t n);
// Writes all frames before that time: the caller promises to add none earlier.
void trace_flush(struct trace *t, uint64_t before_ns);
// Writes the rest and closes. 0 or -EIO if any byte could not be written.
int trace_close(struct trace *t) __attribute__((warn_unused_result));
