// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for tables that are read at random places: zeroed, aligned to cache lines, in huge pages where it is large and the kernel has any, so that a look-up
// costs one miss rather than two. All of it is touched here, none while packets wait. free() gives it back. Any thread.
#pragma once
#include <stddef.h>

void *pages_zeroed(size_t bytes); // NULL: none
