// SPDX-License-Identifier: GPL-2.0-or-later
// One-way ring of records between two processes that do not trust each other. One producer, one consumer.
// Records are 64..1024 bytes, begin with their size (uint32_t), and lie in consecutive 64-byte slots.
// The producer's words and the slots are in the producer's memory file; the consumer's word is in the consumer's,
// mapped read-only by the producer. Indices are masked and distances clamped: garbage can lose records, nothing else.
// A full ring refuses the record (the producer counts it) and never waits.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ring_limits { RING_SLOT_BYTES = 64, RING_RECORD_BYTES = 1024, RING_MIN_SLOTS = 64, RING_MAX_SLOTS = 1 << 20 };

struct ring_producer_page { // in the producer's file
	_Alignas(64) uint64_t head; // slots ever written (release store by producer, acquire load by consumer)
	_Alignas(64) uint64_t zero[8];
};

struct ring_consumer_page { // in the consumer's file
	_Alignas(64) uint64_t tail; // slots ever consumed (release store by consumer, acquire load by producer)
};

struct ring_writer { // private to the producer
	struct ring_producer_page *page;
	const struct ring_consumer_page *peer;
	uint8_t *slots;
	uint32_t mask;      // slots - 1
	uint64_t head;      // own copy: the shared word is never read back
	uint64_t tail;      // last believed tail of the peer, always within [head - slots, head]
};

struct ring_reader { // private to the consumer
	const struct ring_producer_page *peer;
	struct ring_consumer_page *page;
	const uint8_t *slots;
	uint32_t mask;
	uint64_t tail;
	uint64_t bad;       // records skipped because their size was out of range or head made no sense
};

// slot_count is a power of two in RING_MIN_SLOTS..RING_MAX_SLOTS. Both sides may attach again at any time: the writer goes on
// at its published head, the reader at its published tail (clamped into the ring).
void ring_writer_init(struct ring_writer *w, struct ring_producer_page *page, const struct ring_consumer_page *peer,
		      uint8_t *slots, uint32_t slot_count);
void ring_reader_init(struct ring_reader *r, const struct ring_producer_page *peer, struct ring_consumer_page *page,
		      const uint8_t *slots, uint32_t slot_count);

// Copies a record in. `record` starts with its uint32_t size, 16..1024. false: full, nothing written.
bool ring_push(struct ring_writer *w, const void *record);
// Copies one record out (once) into `record` of RING_RECORD_BYTES; bytes after its size are zeroed.
// false: empty. Bad records are counted in r->bad, consumed and skipped.
bool ring_pop(struct ring_reader *r, void *record);
