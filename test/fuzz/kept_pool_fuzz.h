// SPDX-License-Identifier: GPL-2.0-or-later
// For targets of the whole wire: the parsers' pool of an inspection is made once and lent to one after the other (the linker sends proto_pool_create and
// proto_pool_destroy here, see meson.build). Whoever gives it back has closed all of its contexts.
#pragma once
#include "conversation_fuzz.h"

struct proto_pool *__wrap_proto_pool_create(uint32_t contexts, struct counters *counters);
void __wrap_proto_pool_destroy(struct proto_pool *p);

static uint32_t kept_pool_contexts;

struct proto_pool *__wrap_proto_pool_create(uint32_t contexts, struct counters *counters)
{
	static struct proto_pool *kept;
	static struct counters *theirs;
	const struct proto_pool_sizes sizes = {.contexts = contexts, .states = 2, .works = 3, .inflaters = 2};

	if (!kept) {
		kept = proto_pool_create_sized(&sizes, counters);
		theirs = counters;
		kept_pool_contexts = contexts;
	}
	if (!kept || theirs != counters || kept_pool_contexts != contexts)
		abort();
	return kept;
}

void __wrap_proto_pool_destroy(struct proto_pool *p)
{
	if (p)
		conversation_fuzz_require_empty(p, kept_pool_contexts);
}
