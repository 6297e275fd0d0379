// SPDX-License-Identifier: GPL-2.0-or-later
// The only place of this program that reads clocks.
#include "wire.h"
#include "text.h"
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_unix_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_deadline_ns(void)
{
	return read_clock(CLOCK_BOOTTIME); // goes on in suspend, never steps
}
