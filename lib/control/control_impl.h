// SPDX-License-Identifier: GPL-2.0-or-later
// What both ends share: the length before a message, and the clock of deadlines.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { LENGTH_BYTES = 4 };

static inline size_t length_read(const uint8_t head[LENGTH_BYTES])
{
	return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

static inline void length_write(uint8_t head[LENGTH_BYTES], size_t n)
{
	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		head[i] = (uint8_t)(n >> (24 - 8 * i));
}

static inline uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
