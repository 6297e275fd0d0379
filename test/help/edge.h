// SPDX-License-Identifier: GPL-2.0-or-later
// Memory that ends at an inaccessible page: one byte read too many is a crash, also without a sanitizer. Header-only;
// tests only.
#pragma once
#include "bytes.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { EDGE_BYTES = 1 << 17 };

// A copy of b whose last byte is the last one that may be read; valid until the next call.
static inline struct bytes edge_copy(struct bytes b)
{
	static uint8_t *end;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		uint8_t *at = mmap(NULL, EDGE_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED || mprotect(at + EDGE_BYTES, page, PROT_NONE))
			abort();
		end = at + EDGE_BYTES;
	}
	if (b.left > EDGE_BYTES)
		abort();
	if (b.left)
		memcpy(end - b.left, b.at, b.left);
	return bytes_of(end - b.left, b.left);
}
