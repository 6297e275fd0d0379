// SPDX-License-Identifier: GPL-2.0-or-later
// Names and texts of the counters, both made from the one list in counters.h. Knows nothing of who counts. Any thread.
#include "counters.h"
#include <stddef.h>

enum { NAME_BYTES = 32 };

// A table filled at start-up would be writable and need a lock or a constructor; so the compiler makes the lower case.
#define AT(s, i) ((s)[(i) < sizeof(s) ? (i) : sizeof(s) - 1])
#define LOWER(s, i) (char)(AT(s, i) >= 'A' && AT(s, i) <= 'Z' ? AT(s, i) + 32 : AT(s, i))
#define LOWER4(s, i) LOWER(s, i), LOWER(s, (i) + 1), LOWER(s, (i) + 2), LOWER(s, (i) + 3)
#define LOWER16(s, i) LOWER4(s, i), LOWER4(s, (i) + 4), LOWER4(s, (i) + 8), LOWER4(s, (i) + 12)

static const char lower[COUNTER_COUNT][NAME_BYTES] = {
#define X(name, text) {LOWER16(#name, 0), LOWER16(#name, 16)},
	COUNTERS(X)
#undef X
};

#define X(name, text) _Static_assert(sizeof(#name) <= NAME_BYTES, "counter name too long: " #name);
COUNTERS(X)
#undef X

const char *const counter_names[COUNTER_COUNT + 1] = {
#define X(name, text) lower[COUNT_##name],
	COUNTERS(X)
#undef X
	NULL,
};

static const char *const texts[COUNTER_COUNT] = {
#define X(name, text) text,
	COUNTERS(X)
#undef X
};

const char *counter_name(enum counter c)
{
	return (unsigned)c < COUNTER_COUNT ? counter_names[c] : "?";
}

const char *counter_text(enum counter c)
{
	return (unsigned)c < COUNTER_COUNT ? texts[c] : "?";
}

uint64_t counters_dropped(const struct counters *c)
{
	static const enum counter dropped[] = {
		COUNT_FRAMES_DROPPED_BLOCK,	COUNT_FRAMES_DROPPED_CUT,	COUNT_FRAMES_DROPPED_TX_FULL,
		COUNT_FRAMES_DROPPED_CHECKSUM,	COUNT_FRAMES_DROPPED_TRUNCATED, COUNT_FRAMES_DROPPED_ORDER,
		COUNT_FRAMES_DROPPED_DIFFERENT, COUNT_FRAMES_DROPPED_HEADERS,	COUNT_FRAMES_DROPPED_FRAGMENT,
		COUNT_FRAMES_DROPPED_LIMIT,	COUNT_FRAMES_DROPPED_WORKER_FULL,
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		sum += __atomic_load_n(&c->value[dropped[i]], __ATOMIC_RELAXED);
	return sum;
}
