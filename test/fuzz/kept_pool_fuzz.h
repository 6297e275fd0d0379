// SPDX-License-Identifier: GPL-2.0-or-later
// For targets of the whole wire: the parsers' pool of an inspection is made once and lent to one after the other (the linker sends proto_pool_create,
// proto_pool_destroy and nh_key_init here, see meson.build). Whoever gives it back has closed all of its contexts. The key of all hashes is the same, so
// what is derived from it is derived once.
#pragma once
#include "conversation_fuzz.h"
#include "nh.h"

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

void __wrap_nh_key_init(struct nh_key *k, const struct siphash_key *from);
void __real_nh_key_init(struct nh_key *k, const struct siphash_key *from);

void __wrap_nh_key_init(struct nh_key *k, const struct siphash_key *from)
{
	static struct siphash_key of;
	static struct nh_key derived;

	if (memcmp(&of, from, sizeof(of)) != 0) {
		of = *from;
		__real_nh_key_init(&derived, from);
	}
	*k = derived;
}
