// SPDX-License-Identifier: GPL-2.0-or-later
// Input: the hostile peer's head, its tail, its slots. Whatever they say, a popped record has a valid size and both
// sides stop.
#include "ring.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = RING_MIN_SLOTS };

struct input {
	uint64_t head, tail;
	_Alignas(64) uint8_t slots[SLOTS * RING_SLOT_BYTES];
};

static void pop_all(const struct input *in, uint8_t record[RING_RECORD_BYTES])
{
	struct ring_producer_page theirs = {0};
	struct ring_consumer_page ours = {0};
	struct ring_reader reader;
	uint32_t record_bytes;

	ring_reader_init(&reader, &theirs, &ours, in->slots, SLOTS);
	theirs.head = in->head;
	for (unsigned i = 0; ring_pop(&reader, record); i++) {
		memcpy(&record_bytes, record, sizeof(record_bytes));
		if (record_bytes < 16 || record_bytes > RING_RECORD_BYTES || i > SLOTS)
			abort();
	}
}

static void push_all(struct input *in, const uint8_t record[RING_RECORD_BYTES])
{
	struct ring_producer_page ours = {0};
	struct ring_consumer_page theirs = {in->tail};
	struct ring_writer writer;

	ring_writer_init(&writer, &ours, &theirs, in->slots, SLOTS);
	for (unsigned i = 0; ring_push(&writer, record); i++)
		if (i > SLOTS || writer.head - writer.tail > SLOTS)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input in;
	uint8_t record[RING_RECORD_BYTES] = {64};

	memset(&in, 0, sizeof(in));
	if (size < 16)
		return 0;
	memcpy(&in, data, 16);
	memcpy(in.slots, data + 16, size - 16 < sizeof(in.slots) ? size - 16 : sizeof(in.slots));
	pop_all(&in, record);
	push_all(&in, record);
	return 0;
}
