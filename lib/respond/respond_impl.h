// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share: respond.c (what stands), decide.c (alerts), people.c (operators), table.c (where
// blocks are kept).
#pragma once
#include "counters.h"
#include "respond.h"

enum {
	TRANSPORT_TCP = 6,
	TRANSPORT_UDP = 17,
	NEVER_MOST = 1024,
	TABLE_CHUNK = 1024, // blocks allocated at a time: pointers stay valid
	TABLE_BUCKETS = 1 << 16,
	TABLE_NONE = UINT32_MAX, // end of a chain
};

struct target { // what is refused; one block each. Hashed as memory: no padding
	struct address endpoint;
	uint32_t bits;
	uint16_t port;
	uint8_t transport, zero;
};

struct entry {
	struct block b;
	uint32_t next_target, next_id; // chains
};

struct table {
	struct entry **chunk;
	uint32_t *order; // entries in the order they were made
	uint32_t count;
	uint32_t *free_list; // entries not in use
	uint32_t free_count, chunks;
	uint32_t *by_target, *by_id;
	struct siphash_key key;
};

int table_init(struct table *t); // -ENOMEM
void table_fini(struct table *t);
struct target target_of(const struct block *b);
struct block *table_find_target(const struct table *t, const struct target *target);
struct block *table_find_id(const struct table *t, uint64_t id);
struct block *table_at(const struct table *t, uint32_t i);
struct block *table_add(struct table *t, const struct block *b); // NULL: full, or no memory
// Forgets every block for which `gone` says so, in one pass that keeps the order.
void table_sweep(struct table *t, bool (*gone)(void *user, struct block *b), void *user);

struct respond {
	struct table table;
	struct respond_hooks hooks;
	struct counters *counters;
	uint64_t next_id;
	uint64_t soonest_ns;                 // nothing ends before this
	uint64_t recent[RESPOND_PER_MINUTE]; // when the latest automatic blocks were made: ring
	uint32_t recent_next;
	uint32_t lifted; // blocks in state LIFTED: most of the time none
	struct prefix never[NEVER_MOST];
	uint32_t never_count;
};

void respond_tell_block(struct respond *r, const struct block *b);
void respond_tell_unblock(struct respond *r, const struct block *b);
void respond_tell_changed(struct respond *r, const struct block *b, const char *what);
void respond_note_end(struct respond *r, uint64_t ns); // something ends then: respond_step must look
uint32_t respond_host_bits(const struct address *a);
bool respond_bits_fit(const struct address *a, uint32_t bits);
bool respond_never_overlaps(const struct respond *r, const struct address *a, uint32_t bits);
void respond_end_by_lift(struct respond *r, struct block *b, const char *reason, const char *who);
// `want` takes `state` and stands from now on, in place of `have` if that is not NULL. NULL: the table is full.
struct block *respond_place(struct respond *r, struct block *have, struct block *want, unsigned state);
