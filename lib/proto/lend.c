// SPDX-License-Identifier: GPL-2.0-or-later
// Lending of large buffers: per kind a free list (last given, first lent, so that a few warm blocks serve everybody) and a list of the lent ones by last
// use. Knows sizes and holders; not what is in the blocks, nor whose they are. Called by the flow's worker.
#include "lend.h"
#include "inflate.h"
#include "pages.h"
#include "proto.h"
#include <errno.h>
#include <stdlib.h>

struct block {
	struct block *next, *prev; // next: also of the free list
	void **holder;
	uint32_t kind;
	_Alignas(64) uint8_t data[];
};

struct kind {
	struct block *free;
	struct block *newest, *oldest; // lent
	uint32_t lent;
	uint8_t *memory;
};

struct lend {
	struct kind kind[LEND_KINDS];
};

static const size_t data_bytes[LEND_KINDS] = {
	[LEND_STATE] = PROTO_STATE_BYTES,
	[LEND_WORK] = PROTO_WORK_BYTES,
	[LEND_INFLATE] = sizeof(struct inflate),
};

static bool fill(struct kind *k, uint32_t kind, uint32_t count)
{
	size_t bytes = (sizeof(struct block) + data_bytes[kind] + 63) / 64 * 64;

	if (!count)
		return true;
	k->memory = pages_zeroed(bytes * count);
	for (uint32_t i = count; k->memory && i > 0; i--) {
		struct block *b = (struct block *)(k->memory + bytes * (i - 1));

		*b = (struct block){.next = k->free, .kind = kind};
		k->free = b;
	}
	return k->memory;
}

struct lend *lend_create(const uint32_t count[LEND_KINDS])
{
	struct lend *l = calloc(1, sizeof(*l));

	for (uint32_t i = 0; l && i < LEND_KINDS; i++)
		if (!fill(&l->kind[i], i, count[i])) {
			lend_destroy(l);
			l = NULL;
		}
	if (!l)
		errno = ENOMEM;
	return l;
}

void lend_destroy(struct lend *l)
{
	for (unsigned i = 0; l && i < LEND_KINDS; i++)
		free(l->kind[i].memory);
	free(l);
}

static void unlink_block(struct kind *k, struct block *b)
{
	*(b->prev ? &b->prev->next : &k->newest) = b->next;
	*(b->next ? &b->next->prev : &k->oldest) = b->prev;
}

static void link_newest(struct kind *k, struct block *b)
{
	b->prev = NULL;
	b->next = k->newest;
	*(k->newest ? &k->newest->prev : &k->oldest) = b;
	k->newest = b;
}

void *lend_take(struct lend *l, enum lend_kind kind, void **holder)
{
	struct kind *k = l ? &l->kind[kind] : NULL;
	struct block *b = k ? k->free : NULL;

	*holder = NULL;
	if (b) {
		k->free = b->next;
		k->lent++;
	} else if (k && k->oldest) {
		b = k->oldest;
		unlink_block(k, b);
		*b->holder = NULL;
	} else {
		return NULL;
	}
	b->holder = holder;
	link_newest(k, b);
	return *holder = b->data;
}

static struct block *block_of(void *data)
{
	return (struct block *)((uint8_t *)data - offsetof(struct block, data));
}

void lend_touch(struct lend *l, void **holder)
{
	struct block *b = *holder ? block_of(*holder) : NULL;
	struct kind *k = b ? &l->kind[b->kind] : NULL;

	if (!b || k->newest == b)
		return;
	unlink_block(k, b);
	link_newest(k, b);
}

void lend_give(struct lend *l, void **holder)
{
	struct block *b = *holder ? block_of(*holder) : NULL;
	struct kind *k = b ? &l->kind[b->kind] : NULL;

	*holder = NULL;
	if (!b)
		return;
	unlink_block(k, b);
	b->next = k->free;
	k->free = b;
	k->lent--;
}

uint32_t lend_count(const struct lend *l, enum lend_kind kind)
{
	return l->kind[kind].lent;
}
