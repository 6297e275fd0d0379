// SPDX-License-Identifier: GPL-2.0-or-later
// Where the desired blocks are kept: found by target, by id, and listed in the order they were made. Targets are chosen
// by whoever attacks, so the hash is keyed.
#include "respond_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static struct entry *entry_at(const struct table *t, uint32_t n)
{
	return &t->chunk[n / TABLE_CHUNK][n % TABLE_CHUNK];
}

int table_init(struct table *t)
{
	uint32_t chunks = (RESPOND_BLOCKS + TABLE_CHUNK - 1) / TABLE_CHUNK;

	*t = (struct table){0};
	t->chunk = calloc(chunks, sizeof(struct entry *));
	t->order = calloc(chunks * TABLE_CHUNK, sizeof(uint32_t));
	t->free_list = calloc(chunks * TABLE_CHUNK, sizeof(uint32_t));
	t->by_target = malloc(TABLE_BUCKETS * sizeof(uint32_t));
	t->by_id = malloc(TABLE_BUCKETS * sizeof(uint32_t));
	if (!t->chunk || !t->order || !t->free_list || !t->by_target || !t->by_id) {
		table_fini(t);
		return -ENOMEM;
	}
	memset(t->by_target, 0xff, TABLE_BUCKETS * sizeof(uint32_t));
	memset(t->by_id, 0xff, TABLE_BUCKETS * sizeof(uint32_t));
	// Nothing depends on the order of buckets, so a random key leaves replays reproducible.
	if (getrandom(&t->key, sizeof(t->key), GRND_NONBLOCK) != (ssize_t)sizeof(t->key))
		t->key = (struct siphash_key){(uintptr_t)t, (uintptr_t)t->order};
	return 0;
}

void table_fini(struct table *t)
{
	for (uint32_t n = 0; t->chunk && n < t->chunks; n++)
		free(t->chunk[n]);
	free(t->chunk);
	free(t->order);
	free(t->free_list);
	free(t->by_target);
	free(t->by_id);
	*t = (struct table){0};
}

struct target target_of(const struct block *b)
{
	return (struct target){b->endpoint, b->endpoint_bits, b->port, b->transport, 0};
}

static uint32_t *target_bucket(const struct table *t, const struct target *target)
{
	return &t->by_target[siphash13(&t->key, target, sizeof(*target)) % TABLE_BUCKETS];
}

static uint32_t *id_bucket(const struct table *t, uint64_t id)
{
	return &t->by_id[id % TABLE_BUCKETS]; // ids are ours and count up: no need to hash
}

struct block *table_find_target(const struct table *t, const struct target *target)
{
	for (uint32_t n = *target_bucket(t, target); n != TABLE_NONE; n = entry_at(t, n)->next_target) {
		struct target have = target_of(&entry_at(t, n)->b);

		if (memcmp(&have, target, sizeof(have)) == 0)
			return &entry_at(t, n)->b;
	}
	return NULL;
}

struct block *table_find_id(const struct table *t, uint64_t id)
{
	for (uint32_t n = *id_bucket(t, id); n != TABLE_NONE; n = entry_at(t, n)->next_id)
		if (entry_at(t, n)->b.id == id)
			return &entry_at(t, n)->b;
	return NULL;
}

struct block *table_at(const struct table *t, uint32_t i)
{
	return i < t->count ? &entry_at(t, t->order[i])->b : NULL;
}

static bool grow(struct table *t)
{
	struct entry *chunk = calloc(TABLE_CHUNK, sizeof(*chunk));

	if (!chunk)
		return false;
	t->chunk[t->chunks] = chunk;
	for (uint32_t n = TABLE_CHUNK; n-- > 0;)
		t->free_list[t->free_count++] = t->chunks * TABLE_CHUNK + n;
	t->chunks++;
	return true;
}

struct block *table_add(struct table *t, const struct block *b)
{
	struct target target = target_of(b);
	uint32_t *bucket = target_bucket(t, &target), *ids = id_bucket(t, b->id), n;

	if (t->count >= RESPOND_BLOCKS || (!t->free_count && !grow(t)))
		return NULL;
	n = t->free_list[--t->free_count];
	*entry_at(t, n) = (struct entry){.b = *b, .next_target = *bucket, .next_id = *ids};
	*bucket = n;
	*ids = n;
	t->order[t->count++] = n;
	return &entry_at(t, n)->b;
}

static void unlink_entry(struct table *t, uint32_t n)
{
	struct entry *e = entry_at(t, n);
	struct target target = target_of(&e->b);
	uint32_t *at = target_bucket(t, &target);

	while (*at != n)
		at = &entry_at(t, *at)->next_target;
	*at = e->next_target;
	at = id_bucket(t, e->b.id);
	while (*at != n)
		at = &entry_at(t, *at)->next_id;
	*at = e->next_id;
	t->free_list[t->free_count++] = n;
}

void table_sweep(struct table *t, bool (*gone)(void *user, struct block *b), void *user)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t n = t->order[i];

		if (gone(user, &entry_at(t, n)->b))
			unlink_entry(t, n);
		else
			t->order[kept++] = n;
	}
	t->count = kept;
}
