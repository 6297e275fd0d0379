// SPDX-License-Identifier: GPL-2.0-or-later
// What the targets of whole conversations share: a pool made once (making one costs a thousand times what an input does) and given back empty after
// each, and a sink that looks at what comes out. For test/fuzz only.
#pragma once
#include <stdlib.h>
#include "proto.h"

static inline void conversation_fuzz_emit(void *user, struct observation *o)
{
	if (o->size_bytes < OBSERVATION_HEAD_BYTES || o->size_bytes > OBSERVATION_BYTES || o->kind >= OBS_KINDS)
		abort();
	for (unsigned i = 0; i < OBSERVATION_TEXTS; i++)
		if (o->slot[i].offset + o->slot[i].length > o->size_bytes - OBSERVATION_HEAD_BYTES)
			abort();
}

// The pool of these sizes: *kept holds it between inputs.
static inline struct proto_pool *conversation_fuzz_pool(struct proto_pool **kept, const struct proto_pool_sizes *sizes)
{
	static struct counters counters;

	if (!*kept)
		*kept = proto_pool_create_sized(sizes, &counters);
	if (!*kept)
		abort();
	return *kept;
}

// All contexts are free again: the input has left nothing behind.
static inline void conversation_fuzz_require_empty(struct proto_pool *pool, unsigned contexts)
{
	uint32_t open[8] = {0};

	for (unsigned i = 0; i < contexts; i++)
		if (!(open[i] = proto_open(pool)))
			abort();
	if (proto_open(pool))
		abort();
	for (unsigned i = contexts; i > 0; i--)
		proto_close(pool, open[i - 1]);
}

// A copy of exactly that size, so that a sanitizer sees one byte too many. free() it.
static inline struct bytes fuzz_copy(struct bytes piece)
{
	uint8_t *copy = malloc(piece.left ? piece.left : 1);

	if (!copy)
		abort();
	if (piece.left)
		memcpy(copy, piece.at, piece.left);
	return bytes_of(copy, piece.left);
}
