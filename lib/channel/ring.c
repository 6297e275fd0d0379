// SPDX-License-Identifier: GPL-2.0-or-later
// The one-way ring. Knows slots and sizes, not what records mean. One thread pushes, one pops, in different processes:
// every shared word is read once into a local, and only the local is checked and used.
#include "ring.h"
#include <string.h>

enum {
	RECORD_SMALLEST_BYTES = 16,
	BAD_PER_POP = 16, // a peer that writes rubbish costs us this many slots a call, not the whole ring
};

// In the size field: nothing more before the end of the ring. No record can have this size.
#define SIZE_PAD UINT32_MAX

static uint32_t slots_of(uint32_t size_bytes)
{
	return (size_bytes + RING_SLOT_BYTES - 1) / RING_SLOT_BYTES;
}

static bool size_is_valid(uint32_t size_bytes)
{
	return size_bytes >= RECORD_SMALLEST_BYTES && size_bytes <= RING_RECORD_BYTES;
}

// Takes the peer's tail over if it lies in [tail, head]: an honest one never moves back.
static void believe_tail(struct ring_writer *w)
{
	uint64_t tail = __atomic_load_n(&w->peer->tail, __ATOMIC_ACQUIRE); // pairs with publish_tail

	if (tail - w->tail <= w->head - w->tail)
		w->tail = tail;
}

void ring_writer_init(struct ring_writer *w, struct ring_producer_page *page, const struct ring_consumer_page *peer,
		      uint8_t *slots, uint32_t slot_count)
{
	uint64_t head = __atomic_load_n(&page->head, __ATOMIC_RELAXED);

	// Until the peer's tail makes sense the ring counts as full.
	*w = (struct ring_writer){.page = page, .peer = peer, .slots = slots, .mask = slot_count - 1, .head = head,
				  .tail = head - slot_count};
	believe_tail(w);
}

bool ring_push(struct ring_writer *w, const void *record)
{
	uint32_t slots = w->mask + 1, position = (uint32_t)w->head & w->mask, to_end = slots - position;
	uint32_t size, needed, pad;
	const uint32_t pad_mark = SIZE_PAD;

	memcpy(&size, record, sizeof(size));
	if (!size_is_valid(size))
		return false;
	needed = slots_of(size);
	pad = needed > to_end ? to_end : 0;
	if (slots - (w->head - w->tail) < pad + needed) {
		believe_tail(w); // its cache line is fetched only when we would refuse
		if (slots - (w->head - w->tail) < pad + needed)
			return false;
	}
	if (pad) {
		memcpy(w->slots + (size_t)position * RING_SLOT_BYTES, &pad_mark, sizeof(pad_mark));
		position = 0;
	}
	memcpy(w->slots + (size_t)position * RING_SLOT_BYTES, record, size);
	w->head += pad + needed;
	__atomic_store_n(&w->page->head, w->head, __ATOMIC_RELEASE); // pairs with the load in ring_pop
	return true;
}

static void publish_tail(struct ring_reader *r, uint64_t tail)
{
	r->tail = tail;
	__atomic_store_n(&r->page->tail, tail, __ATOMIC_RELEASE); // pairs with believe_tail
}

void ring_reader_init(struct ring_reader *r, const struct ring_producer_page *peer, struct ring_consumer_page *page,
		      const uint8_t *slots, uint32_t slot_count)
{
	uint64_t head = __atomic_load_n(&peer->head, __ATOMIC_ACQUIRE);
	uint64_t tail = __atomic_load_n(&page->tail, __ATOMIC_RELAXED);

	*r = (struct ring_reader){.peer = peer, .page = page, .slots = slots, .mask = slot_count - 1};
	// A tail outside the ring cannot tell where a record begins: start at the next one written.
	publish_tail(r, head - tail <= slot_count ? tail : head);
}

// Copies the record at `tail` out. Returns the slots to consume; 0: they hold no valid record. *size is 0 for padding.
static uint32_t copy_at(const struct ring_reader *r, uint64_t tail, uint64_t available, void *record, uint32_t *size)
{
	uint32_t position = (uint32_t)tail & r->mask, to_end = r->mask + 1 - position, needed;
	const uint8_t *slot = r->slots + (size_t)position * RING_SLOT_BYTES;

	*size = __atomic_load_n((const uint32_t *)(const void *)slot, __ATOMIC_RELAXED);
	if (*size == SIZE_PAD) {
		*size = 0;
		return to_end <= available && position != 0 ? to_end : 0;
	}
	needed = slots_of(*size);
	if (!size_is_valid(*size) || needed > to_end || needed > available)
		return 0;
	memcpy(record, slot, *size);
	memcpy(record, size, sizeof(*size)); // the peer may have changed it meanwhile
	memset((uint8_t *)record + *size, 0, RING_RECORD_BYTES - *size);
	return needed;
}

bool ring_pop(struct ring_reader *r, void *record)
{
	uint64_t head = __atomic_load_n(&r->peer->head, __ATOMIC_ACQUIRE); // pairs with the store in ring_push
	uint64_t tail = r->tail;
	unsigned bad = 0;

	if (head - tail > (uint64_t)r->mask + 1) {
		r->bad++;
		tail = head;
	}
	while (tail != head) {
		uint32_t size, used = copy_at(r, tail, head - tail, record, &size);

		if (used && size) {
			publish_tail(r, tail + used);
			return true;
		}
		if (used) { // padding ends at slot 0, where none is valid: the loop stays bounded by BAD_PER_POP
			tail += used;
			continue;
		}
		r->bad++;
		tail = ++bad < BAD_PER_POP ? tail + 1 : head;
	}
	if (tail != r->tail)
		publish_tail(r, tail);
	return false;
}
