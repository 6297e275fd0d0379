// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share; for this room only. Frames lie in blocks of one size (arena.c), the first line of which is ours: the record. Datagrams and
// sources are slots in arrays, linked by index (slots.c).
#pragma once
#include "defrag.h"

enum { IPV4_BYTES = 20, IPV6_BYTES = 40, IP6_FRAGMENT_BYTES = 8 };
enum { DEFRAG_NONE = UINT32_MAX, DEFRAG_BLOCK = 2048, DEFRAG_BLOCK_HEAD = 64, DEFRAG_BLOCK_DATA = DEFRAG_BLOCK - DEFRAG_BLOCK_HEAD };

enum record_role { // bits
	RECORD_FRAME = 1, // came from the wire: to be forwarded or counted as dropped
	RECORD_DATA = 2,  // holds a fragment of its datagram
};

struct record { // begins every block; of a frame's second and later ones only `chain` is used
	uint32_t chain;  // next block of the frame, or of the free ones
	uint32_t blocks; // of the frame
	uint32_t next;   // record of the same datagram, in order of arrival; DEFRAG_NONE
	uint32_t bytes;  // of the frame
	uint32_t ip_offset;
	uint32_t data_at, data_bytes; // in the frame
	uint32_t offset;              // in the datagram
	uint16_t next_at;             // IPv6: packet.fragment_next
	uint16_t port;
	uint8_t transport, family, more, role;
	uint8_t ttl, tunnel_ttl[DECODE_TUNNELS];
};
_Static_assert(sizeof(struct record) <= DEFRAG_BLOCK_HEAD, "a record fits before the bytes");

struct arena {
	uint8_t *base;
	uint32_t blocks, left;
	uint32_t free; // first free block
};

struct datagram_key { // hashed and compared as memory
	struct address source, destination;
	uint32_t id;
	struct tunnel_key {
		uint32_t id, kind;
	} tunnel[DECODE_TUNNELS];
	uint16_t vlan[DECODE_TAGS];
	uint16_t port;
	uint8_t transport, vlans, tunnels, zero;
	uint8_t to[6]; // of Ethernet: the card's address it goes to
	uint8_t zero2[2];
};

struct links { // in a list; DEFRAG_NONE ends it
	uint32_t older, newer;
};

struct datagram {
	struct datagram_key key;
	uint64_t began_ns;
	struct links age, mine;  // among all that wait; among those of its source
	uint32_t bucket, chain;  // chain: next in the bucket, or in the list of free slots
	uint32_t source;
	uint32_t first, last;    // records
	uint32_t pieces;         // records
	uint32_t frames;         // of them RECORD_FRAME
	uint32_t blocks;
	uint32_t have, total;    // bytes of data; total 0 = not known yet
	uint32_t round;          // grows with each use of the slot, so that an id is never another's
	uint8_t state;           // enum datagram_state
};

enum datagram_state { DATAGRAM_FREE, DATAGRAM_WAITS, DATAGRAM_COMPLETE };

struct list {
	uint32_t oldest, newest;
};

struct source {
	struct address address;
	struct list waiting;
	uint32_t bucket, chain;
	uint32_t datagrams, blocks; // complete ones included
};

struct defrag {
	struct counters *counters;
	struct siphash_key key;
	uint64_t timeout_ns;
	uint32_t n; // slots, power of two
	uint32_t count;
	struct datagram *datagram;
	struct source *source;
	uint32_t *datagram_bucket, *source_bucket;
	uint32_t free_datagram, free_source;
	struct list waiting;
	struct arena arena;
	uint8_t *whole;     // the datagram put together last
	uint8_t *long_frame; // where a frame of several blocks is put together for defrag_piece_at
	uint32_t whole_id;  // whose it is; DEFRAG_NONE
	struct { // where the last defrag_piece_at was
		uint32_t id, i, at;
	} cursor;
};

static inline struct record *defrag_arena_record(const struct arena *a, uint32_t block)
{
	return (struct record *)(void *)(a->base + (size_t)block * DEFRAG_BLOCK);
}

static inline uint8_t *defrag_arena_bytes(const struct arena *a, uint32_t block)
{
	return a->base + (size_t)block * DEFRAG_BLOCK + DEFRAG_BLOCK_HEAD;
}

static inline uint32_t defrag_arena_blocks(uint32_t bytes)
{
	return bytes ? (bytes + DEFRAG_BLOCK_DATA - 1) / DEFRAG_BLOCK_DATA : 1;
}

void defrag_arena_init(struct arena *a);
// A new record with room for a frame, named by its first block; DEFRAG_NONE where not so many are left.
uint32_t defrag_arena_take(struct arena *a, uint32_t blocks);
void defrag_arena_free(struct arena *a, uint32_t block);
// Of a frame's bytes.
void defrag_arena_write(struct arena *a, uint32_t block, struct bytes from);
void defrag_arena_read(const struct arena *a, uint32_t block, uint32_t offset, uint8_t *to, uint32_t n);
bool defrag_arena_equal(const struct arena *a, uint32_t block, uint32_t offset, struct bytes with);

// slots.c: datagrams and sources, found, added and given up.
void slots_init(struct defrag *d);
uint32_t slots_find(const struct defrag *d, const struct datagram_key *key, uint64_t hash);
// A new waiting datagram without records; DEFRAG_NONE where all slots hold complete ones. Gives up the source's or the overall oldest where there is no room.
uint32_t slots_add(struct defrag *d, const struct datagram_key *key, uint64_t hash, uint64_t unix_ns);
void slots_append(struct defrag *d, uint32_t g, uint32_t block);
// Waiting → complete: no longer found, no longer given up.
void slots_complete(struct defrag *d, uint32_t g);
// Frees its records and its slot.
void slots_free(struct defrag *d, uint32_t g);
// The same of a waiting datagram, counted as `why` and frame by frame.
void slots_give_up(struct defrag *d, uint32_t g, enum counter why);
// The frames of a complete datagram become those of another, its slot free.
void slots_adopt(struct defrag *d, uint32_t from, uint32_t to);
// Blocks one source may hold.
static inline uint32_t slots_blocks_per_source(const struct defrag *d)
{
	return d->arena.blocks / DEFRAG_PER_SOURCE_SHARE;
}

static inline uint32_t slots_id(const struct defrag *d, uint32_t g)
{
	return d->datagram[g].round * d->n + g;
}

// whole.c: the bytes of a complete datagram into d->whole. false: longer than a datagram may be.
bool whole_build(struct defrag *d, uint32_t g, struct defrag_whole *out);
