// SPDX-License-Identifier: GPL-2.0-or-later
// Frames come in any order and leave in the order of their time: into a capture (classic pcap with nanoseconds), or one
// by one to whoever takes them. A heap holds only what may still be overtaken, so memory follows the open sessions, not
// the days.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trace_frame; // waiting

// What is known of a frame and stands nowhere in it: told to whoever takes it, never written to a capture.
struct trace_tag {
	uint32_t conversation; // counts from 1 in the order of their beginning
	uint16_t attack;       // 0: ordinary. Else which one (stream.h)
	uint8_t step;          // of the attack, from 0
	uint8_t payload;       // 1: it carries bytes of a script, a class or a program
	uint8_t aside;         // 1: of a step's name look-up, not of the step itself
};

struct trace_taken {
	uint64_t when_ns;
	const uint8_t *bytes; // until the next trace_take()
	uint32_t length;
	struct trace_tag tag;
};

struct trace {
	FILE *file;
	struct trace_frame *heap;
	size_t count, cap;
	uint64_t serial;        // frames taken so far: the order of frames of one instant
	uint64_t frames, bytes; // written, bytes with pcap's headers
	uint64_t first_ns, last_ns;
	struct trace_tag tag; // of what is added from now on
	uint8_t *taken;       // by the last trace_take()
};

// "-" is standard output. 0 or -errno.
int trace_open(struct trace *t, const char *path) __attribute__((warn_unused_result));
// Copies the frame. Must not be earlier than what trace_flush() has already let go.
void trace_add(struct trace *t, uint64_t when_ns, const uint8_t *frame, size_t n);
// Writes all frames before that time: the caller promises to add none earlier.
void trace_flush(struct trace *t, uint64_t before_ns);
// The earliest frame, if it is before that time: an alternative to writing, for a trace that was not opened.
bool trace_take(struct trace *t, uint64_t before_ns, struct trace_taken *out);
// Forgets all that waits and what was taken.
void trace_drop(struct trace *t);
// Writes the rest and closes. 0 or -EIO if any byte could not be written.
int trace_close(struct trace *t) __attribute__((warn_unused_result));
