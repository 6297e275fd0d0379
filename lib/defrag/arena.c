// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks of one size for kept frames, chained where a frame is longer than one. Nothing to fall into pieces: what one source frees and takes does not move
// what another has.
#include "defrag_impl.h"

void defrag_arena_init(struct arena *a)
{
	for (uint32_t i = 0; i < a->blocks; i++)
		defrag_arena_record(a, i)->chain = i + 1 < a->blocks ? i + 1 : DEFRAG_NONE;
	a->free = 0;
	a->left = a->blocks;
}

uint32_t defrag_arena_take(struct arena *a, uint32_t blocks)
{
	uint32_t first = a->free, last = first;

	if (a->left < blocks)
		return DEFRAG_NONE;
	for (uint32_t i = 1; i < blocks; i++)
		last = defrag_arena_record(a, last)->chain;
	a->free = defrag_arena_record(a, last)->chain;
	a->left -= blocks;
	*defrag_arena_record(a, first) = (struct record){
		.blocks = blocks, .chain = blocks > 1 ? defrag_arena_record(a, first)->chain : DEFRAG_NONE, .next = DEFRAG_NONE};
	defrag_arena_record(a, last)->chain = DEFRAG_NONE;
	return first;
}

void defrag_arena_free(struct arena *a, uint32_t block)
{
	uint32_t blocks = defrag_arena_record(a, block)->blocks, last = block;

	for (uint32_t i = 1; i < blocks; i++)
		last = defrag_arena_record(a, last)->chain;
	defrag_arena_record(a, last)->chain = a->free;
	a->free = block;
	a->left += blocks;
}

// The next stretch of a frame: bytes from *offset on, at most n of them, all in *block. Moves both on.
static uint32_t stretch(const struct arena *a, uint32_t *block, uint32_t *offset, uint32_t n, uint8_t **at)
{
	uint32_t here;

	while (*offset >= DEFRAG_BLOCK_DATA) {
		*offset -= DEFRAG_BLOCK_DATA;
		*block = defrag_arena_record(a, *block)->chain;
	}
	here = DEFRAG_BLOCK_DATA - *offset < n ? DEFRAG_BLOCK_DATA - *offset : n;
	*at = defrag_arena_bytes(a, *block) + *offset;
	*offset += here;
	return here;
}

void defrag_arena_write(struct arena *a, uint32_t block, struct bytes from)
{
	uint32_t offset = 0;
	uint8_t *at;

	while (from.left) {
		uint32_t here = stretch(a, &block, &offset, (uint32_t)from.left, &at);

		memcpy(at, from.at, here);
		from = bytes_from(from, here);
	}
}

void defrag_arena_read(const struct arena *a, uint32_t block, uint32_t offset, uint8_t *to, uint32_t n)
{
	uint8_t *at;

	while (n) {
		uint32_t here = stretch(a, &block, &offset, n, &at);

		memcpy(to, at, here);
		to += here;
		n -= here;
	}
}

bool defrag_arena_equal(const struct arena *a, uint32_t block, uint32_t offset, struct bytes with)
{
	uint8_t *at;

	while (with.left) {
		uint32_t here = stretch(a, &block, &offset, (uint32_t)with.left, &at);

		if (memcmp(at, with.at, here) != 0)
			return false;
		with = bytes_from(with, here);
	}
	return true;
}
