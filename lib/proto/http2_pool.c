// SPDX-License-Identifier: GPL-2.0-or-later
// Memory of HTTP/2 connections: a fixed number of places, made at start-up, and in each an arena from which the HPACK
// decoders of both directions carve. An arena that is used up makes the decoder fail, and the connection is given up.
#include "http2_impl.h"
#include <stdlib.h>

enum { TAG_ORDER = 0x0f, TAG_MARK = 0x10 /* times enum arena_mark */, TAG_USED = 0x40, TAG_FREE = 0x80 };

// --- The arena ---

static void push_free(struct arena *a, unsigned unit, unsigned order)
{
	uint16_t first = a->free[order];

	a->tag[unit] = (uint8_t)(TAG_FREE | order);
	a->next[unit] = first;
	a->previous[unit] = 0;
	if (first)
		a->previous[first - 1] = (uint16_t)(unit + 1);
	a->free[order] = (uint16_t)(unit + 1);
}

static void unlink_free(struct arena *a, unsigned unit, unsigned order)
{
	uint16_t next = a->next[unit], previous = a->previous[unit];

	if (previous)
		a->next[previous - 1] = next;
	else
		a->free[order] = next;
	if (next)
		a->previous[next - 1] = previous;
	a->tag[unit] = 0;
}

void arena_init(struct arena *a)
{
	memset(a, 0, offsetof(struct arena, memory));
	push_free(a, 0, ARENA_ORDERS - 1);
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	while (order < ARENA_ORDERS && (size_t)ARENA_UNIT_BYTES << order < size)
		order++;
	return order;
}

void *arena_malloc(struct arena *a, size_t size)
{
	unsigned order = order_of(size), from = order, unit;

	while (from < ARENA_ORDERS && !a->free[from])
		from++;
	if (from >= ARENA_ORDERS)
		return NULL;
	unit = a->free[from] - 1u;
	unlink_free(a, unit, from);
	while (from > order) {
		from--;
		push_free(a, unit + (1u << from), from);
	}
	a->tag[unit] = (uint8_t)(TAG_USED | order);
	a->used_bytes += (uint32_t)ARENA_UNIT_BYTES << order;
	if (a->used_bytes > a->peak_bytes)
		a->peak_bytes = a->used_bytes;
	return a->memory + (size_t)unit * ARENA_UNIT_BYTES;
}

// The block whose first unit holds this address: its unit, or ARENA_UNITS.
static unsigned unit_of(const struct arena *a, const void *at)
{
	uintptr_t from = (uintptr_t)a->memory, here = (uintptr_t)at;
	unsigned unit;

	if (here < from || here >= from + ARENA_BYTES)
		return ARENA_UNITS;
	unit = (unsigned)((here - from) / ARENA_UNIT_BYTES);
	return a->tag[unit] & TAG_USED ? unit : ARENA_UNITS;
}

void arena_free(struct arena *a, void *at)
{
	unsigned unit = unit_of(a, at), order;

	if (unit == ARENA_UNITS)
		return;
	order = a->tag[unit] & TAG_ORDER;
	a->used_bytes -= (uint32_t)ARENA_UNIT_BYTES << order;
	a->tag[unit] = 0;
	for (; order < ARENA_ORDERS - 1; order++) {
		unsigned buddy = unit ^ 1u << order;

		if (a->tag[buddy] != (TAG_FREE | order))
			break;
		unlink_free(a, buddy, order);
		unit &= ~(1u << order);
	}
	push_free(a, unit, order);
}

void *arena_realloc(struct arena *a, void *at, size_t size)
{
	unsigned unit = unit_of(a, at);
	size_t had;
	void *moved;

	if (unit == ARENA_UNITS)
		return arena_malloc(a, size);
	had = (size_t)ARENA_UNIT_BYTES << (a->tag[unit] & TAG_ORDER);
	if (size <= had)
		return at;
	moved = arena_malloc(a, size);
	if (!moved)
		return NULL;
	memcpy(moved, at, had);
	arena_free(a, at);
	return moved;
}

unsigned arena_marks(const struct arena *a, const void *inside)
{
	unsigned unit = unit_of(a, inside);

	return unit < ARENA_UNITS ? (unsigned)a->tag[unit] / TAG_MARK & (ARENA_CLEAN | ARENA_SELF) : 0;
}

void arena_mark(struct arena *a, const void *inside, unsigned marks)
{
	unsigned unit = unit_of(a, inside);

	if (unit < ARENA_UNITS)
		a->tag[unit] |= (uint8_t)(TAG_MARK * (marks & (ARENA_CLEAN | ARENA_SELF)));
}

static void *mem_malloc(size_t size, void *arena)
{
	return arena_malloc(arena, size);
}

static void mem_free(void *at, void *arena)
{
	arena_free(arena, at);
}

static void *mem_calloc(size_t count, size_t size, void *arena)
{
	size_t bytes;
	void *at = __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_malloc(arena, bytes);

	return at ? memset(at, 0, bytes) : NULL;
}

static void *mem_realloc(void *at, size_t size, void *arena)
{
	return arena_realloc(arena, at, size);
}

// --- Places ---

struct http2_pool {
	uint32_t count;
	uint32_t free;           // index + 1, 0 = none
	uint32_t oldest, newest; // of those in use, by their last bytes
	struct http2_place place[];
};

struct http2_pool *http2_pool_create(uint32_t connections)
{
	struct http2_pool *p = calloc(1, sizeof(*p) + (size_t)connections * sizeof(p->place[0]));

	if (!p)
		return NULL;
	p->count = connections;
	for (uint32_t i = connections; i > 0; i--) {
		p->place[i - 1].pool = p;
		p->place[i - 1].next = p->free;
		p->free = i;
	}
	return p;
}

void http2_pool_destroy(struct http2_pool *p)
{
	free(p);
}

static void unlink_place(struct http2_place *place)
{
	struct http2_pool *p = place->pool;

	if (place->previous)
		p->place[place->previous - 1].next = place->next;
	else
		p->oldest = place->next;
	if (place->next)
		p->place[place->next - 1].previous = place->previous;
	else
		p->newest = place->previous;
}

static void append_place(struct http2_place *place)
{
	struct http2_pool *p = place->pool;
	uint32_t id = (uint32_t)(place - p->place) + 1;

	place->next = 0;
	place->previous = p->newest;
	if (p->newest)
		p->place[p->newest - 1].next = id;
	else
		p->oldest = id;
	p->newest = id;
}

void http2_pool_touch(struct http2_place *place)
{
	if (!place->next)
		return;
	unlink_place(place);
	append_place(place);
}

void http2_pool_give(struct http2_place *place)
{
	struct http2_pool *p = place->pool;

	// What the decoders hold lies in the arena and is forgotten with it.
	unlink_place(place);
	place->owner->place = NULL;
	place->owner = NULL;
	place->next = p->free;
	p->free = (uint32_t)(place - p->place) + 1;
}

static void clear_place(struct http2_place *place)
{
	memset(&place->mem, 0, offsetof(struct http2_place, stream) - offsetof(struct http2_place, mem));
	for (unsigned i = 0; i < HTTP2_STREAMS; i++)
		place->stream[i].id = 0;
	for (unsigned i = 0; i < HTTP2_WINDOWS; i++)
		place->window[i].used = false;
	arena_init(&place->arena);
	place->credit = HTTP2_CREDIT_BYTES;
	place->mem = (nghttp2_mem){&place->arena, mem_malloc, mem_free, mem_calloc, mem_realloc};
}

// The largest table is allowed from the start, whatever the receiver has announced: an encoder says in its own bytes
// how much of it is used (RFC 7541 §4.2), and one that uses more than it may has its connection closed.
static bool create_decoder(struct http2_place *place, struct http2_side *side)
{
	side->frame_max = HTTP2_FRAME_BYTES;
	return nghttp2_hd_inflate_new2(&side->inflater, &place->mem) == 0 &&
	       nghttp2_hd_inflate_change_table_size(side->inflater, HTTP2_TABLE_BYTES) == 0;
}

struct http2_place *http2_pool_take(struct http2_pool *p, struct http2 *h)
{
	struct http2_place *place;

	if (!p || p->count == 0)
		return NULL;
	if (!p->free) {
		p->place[p->oldest - 1].owner->robbed = true;
		http2_pool_give(&p->place[p->oldest - 1]);
	}
	place = &p->place[p->free - 1];
	p->free = place->next;
	append_place(place);
	place->owner = h;
	h->place = place;
	clear_place(place);
	if (create_decoder(place, &place->side[0]) && create_decoder(place, &place->side[1]))
		return place;
	http2_pool_give(place);
	return NULL;
}
