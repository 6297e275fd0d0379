// SPDX-License-Identifier: GPL-2.0-or-later
// See pages.h.
#include "pages.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE_BYTES = 64, HUGE_BYTES = 2 << 20 };

void *pages_zeroed(size_t bytes)
{
	size_t align = bytes < HUGE_BYTES ? LINE_BYTES : HUGE_BYTES;
	size_t whole = (bytes + align - 1) & ~(align - 1);
	void *at = whole >= bytes ? aligned_alloc(align, whole ? whole : align) : NULL;

	if (!at)
		return NULL;
	if (align == HUGE_BYTES)
		madvise(at, whole, MADV_HUGEPAGE);
	return memset(at, 0, whole);
}
