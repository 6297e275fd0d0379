// SPDX-License-Identifier: GPL-2.0-or-later
// What is refused now, until when. Looked up for every packet while there are blocks. The last guard rail stands
// here: addresses on the never-block list are never refused, whatever the brain says. Deadlines are checked at look-up, so a block ends
// by itself with everybody else dead. One thread writes and reads (each worker has its own table).
#pragma once
#include "counters.h"
#include "decode.h"
#include "siphash.h"
#include "verdict.h"

enum block_limits {
	BLOCK_NEVER_PREFIXES = 256,
	BLOCK_PREFIX_LENGTHS = 32, // in use at once, of each family: all there are in IPv4 (/16 to /32). Each one lengthens every look-up
	BLOCK_SAME_KEY = 16, // blocks of exactly the same packets: each one lengthens every look-up
};

struct block_entry {
	struct verdict rule;     // as it was accepted
	uint64_t frames, bytes;  // dropped by it so far
	uint64_t last_report_ns; // caller's: when OBS_BLOCKED was last sent (deadline clock)
	uint64_t unreported;     // caller's: frames since then
};

struct block_table;

// capacity: blocks held at once. NULL with errno.
struct block_table *block_table_create(uint32_t capacity, const struct siphash_key *key, struct counters *counters);
void block_table_destroy(struct block_table *t);

// Adds to the never-block list. -ENOSPC when full.
int block_never(struct block_table *t, const struct prefix *p);
bool block_is_never(const struct block_table *t, const struct address *a);

// Adds or, with a known id, replaces. 0; -EINVAL out of range; -EPERM never-block list; -ENOSPC full (counted). now on the deadline clock.
int block_add(struct block_table *t, const struct verdict *v, uint64_t now_ns);
// 0 or -ENOENT.
int block_remove(struct block_table *t, uint64_t id);
void block_clear(struct block_table *t);

// The block that refuses packets between `device` and `endpoint`:`port` over `transport`, or NULL. Most specific wins; expired ones never match.
// Cost: one hash probe per (prefix length, port or any, device or any) in use.
struct block_entry *block_find(struct block_table *t, uint8_t transport, const struct address *device, const struct address *endpoint,
			       uint16_t port, uint64_t now_ns);

// Can a block concern an endpoint of that family and those bytes (as in struct address)? false: block_find would find none. Costs, for each
// prefix length in use, two multiplications and, of a table that is not large, next to never a memory beyond the first-level cache.
bool block_is_near(const struct block_table *t, uint8_t family, const uint8_t b[16]);
// Asks for the memory that look-ups of that endpoint begin with.
void block_prefetch(const struct block_table *t, const struct address *endpoint);

uint32_t block_count(const struct block_table *t);
// Frees expired entries, bounded work; none before the first can have expired.
void block_step(struct block_table *t, uint64_t now_ns);
// i-th live entry for listing, NULL past the end.
const struct block_entry *block_at(const struct block_table *t, uint32_t i);
