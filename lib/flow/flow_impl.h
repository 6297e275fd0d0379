// SPDX-License-Identifier: GPL-2.0-or-later
// What flow.c (table), key.c (what is looked up), index.c (where it lies), idle.c (time), tcp.c (state) and order.c (bytes)
// share; for this room only.
#pragma once
#include "flow.h"
#include "nh.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum flow_impl_limits {
	FLOW_PARK_SEGMENTS_MAX = UINT16_MAX, // flow_tcp_side.park_head is an index + 1
	FLOW_CONTEXT_LOOKS = 64,             // slots looked at for a context to give up
	FLOW_RING_LOOKS = 64,                // ring entries looked at for a flow to give up when the table is full
	FLOW_RING_CHANCES = 4,               // half-open flows spared one after the other
	FLOW_BUCKET_FLOWS = 7,
	FLOW_REACH_BYTES = 1 << 20,          // how far past the announced window a number is still believed
	FLOW_WINDOW_BYTES = 65535,           // a window we may not know the scale of is at least this
	FLOW_COPIES_PER_FLOW = 4,            // segments remembered, on the average
	FLOW_COPIES_MAX = 1 << 18,           // 4 MiB
	FLOW_COPIES_WALK = 64,               // remembered segments that one repeated segment is compared with
};

// flow_tcp_side.seen. A side's numbers count only as far as its peer has shown that it took them (evasions B and D).
enum tcp_seen {
	TCP_SEEN_SEQ = 1 << 0, // next_seq is set
	TCP_SEEN_ACK = 1 << 1, // it has acknowledged its peer's SYN: `acked` is set. Before that, `acked` holds the
			       // peer's earlier first byte, where the peer has sent two SYNs with different numbers;
			       // still earlier ones are in the copies
	TCP_SEEN_FIN = 1 << 2, // it has sent a FIN within reach; `fin` follows when the peer acknowledges it
	TCP_SEEN_SYN = 1 << 3, // it has sent a SYN
};

enum park_hold { // why parked bytes are not delivered even when they are next
	PARK_FREE,
	PARK_UNTIL_ACKED, // sent in the handshake: only if the receiver acknowledges them
	PARK_UNTIL_SEEN,  // acknowledges bytes its peer has not sent as far as we know: until those come, or as above
};

struct park_segment {
	uint32_t seq;
	uint32_t ack;
	uint16_t bytes;
	uint16_t next; // index + 1 in the side's list by seq, or in the free list; 0 = last
	uint8_t hold;  // enum park_hold
};

struct park {
	struct park_segment *segments;
	uint8_t *data; // FLOW_PARK_BYTES each
	uint32_t capacity;
	uint32_t fresh; // those from here on were never used
	uint16_t free;  // index + 1
};

struct copy {           // a segment that was inspected, or a SYN, by keyed hashes
	uint64_t where; // flow, side and number
	uint64_t what;  // its bytes; the low 16 bits are its length. Of a SYN its window scale
};

struct copies { // direct-mapped: a newer segment takes the place of an older one
	struct copy *slots;
	uint32_t capacity; // power of two
	struct nh_key key;
};

// One cache line of the index. Both ways to a flow lead over its hash alone, so whoever does not know the key cannot
// crowd a bucket.
struct flow_bucket {
	uint32_t mark[FLOW_BUCKET_FLOWS];
	uint32_t away;                    // flows whose first bucket this is and that lie in their second
	uint32_t slot[FLOW_BUCKET_FLOWS]; // slot + 1, 0 = empty; FLOW_SLOT_AWAY: lies in its second bucket
	uint32_t zero;
};
_Static_assert(sizeof(struct flow_bucket) == 64, "one cache line");

enum { FLOW_SLOT_AWAY = 1 << 30 };

struct flow_entry { // of a ring: a flow, unless its slot has another generation by now
	uint32_t slot, generation;
};

struct flow_ring { // first in, first out
	struct flow_entry *entries;
	uint32_t capacity;
	uint32_t oldest, used;
};

struct flow_clock { // ms since the table began, monotone: all of a flow's times are its ticks
	uint64_t seen_ns;   // the caller's time that was turned into `tick` last
	uint64_t origin_ns; // the caller's time at tick 0
	uint64_t tick;
	bool runs;
};

struct flow_table {
	struct flow *flows; // free slots are chained by `place`
	struct flow_bucket *buckets;
	uint32_t *deadlines; // by slot: when to look whether the flow is idle, 0 = never. Never too late, often too early
	uint32_t bucket_count;
	uint32_t capacity;
	uint32_t fresh; // slots from here on were never used
	uint32_t free;  // slot + 1
	uint32_t live;
	uint32_t sweep_at, sweep_owed, context_at;
	uint64_t swept_tick;
	struct flow_clock clock;
	struct flow_ring half_open; // every half-open flow, oldest first
	struct flow_ring closed;    // the newest closed ones, oldest first
	uint32_t tcp_open_ms, tcp_half_open_ms, tcp_closed_ms, udp_ms, other_ms, shortest_ms;
	struct siphash_key key;
	struct counters *counters;
	flow_end_fn ended;
	void *user;
	size_t block_bytes; // one mapping: flows, buckets, deadlines, rings
	struct park park;
	struct copies copies;
	enum counter why; // flow_uninspected_why
};

static inline void flow_set_uninspected(struct flow_table *t, struct flow *f, enum counter why)
{
	f->flags |= FLOW_FLAG_UNINSPECTED;
	t->why = why;
}

// Serial arithmetic, RFC 1982 with 32 bits: how far a is ahead of b.
static inline int32_t seq_ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

// How far ahead of next_seq this side may send before we stop believing it. The window of a SYN is not scaled.
static inline int32_t flow_reach(const struct flow *f, enum flow_side side)
{
	uint32_t window = f->state < FLOW_OPEN ? 0 : flow_window(&f->tcp[!side]);

	return (int32_t)((window > FLOW_WINDOW_BYTES ? window : FLOW_WINDOW_BYTES) + FLOW_REACH_BYTES);
}

// It has sent several SYNs with different numbers, and its peer has not said yet which one it took.
static inline bool flow_tcp_syn_is_unsettled(const struct flow *f, enum flow_side side)
{
	const struct flow_tcp_side *s = &f->tcp[side], *peer = &f->tcp[!side];

	return s->seen & TCP_SEEN_SEQ && !(peer->seen & TCP_SEEN_ACK) && peer->acked != s->next_seq;
}

static inline bool flow_is_live(const struct flow *f)
{
	return f->family != 0;
}

static inline uint32_t flow_index(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows);
}

// Inlined by force: gcc drops calls of a function that does nothing but prefetch.
static inline __attribute__((always_inline)) void flow_prefetch_lines(const struct flow *f)
{
	__builtin_prefetch(f, 1);
	__builtin_prefetch(f->tcp, 1);
}

// Bit i: entry i of the bucket has the mark.
static inline uint32_t flow_index_hits(const struct flow_bucket *b, uint32_t mark)
{
#ifdef __SSE2__
	const __m128i want = _mm_set1_epi32((int)mark);
	const __m128i low = _mm_load_si128((const __m128i *)b->mark), high = _mm_load_si128((const __m128i *)b->mark + 1);
	const __m128i hits = _mm_packs_epi32(_mm_cmpeq_epi32(low, want), _mm_cmpeq_epi32(high, want));

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(hits, hits)) & ((1 << FLOW_BUCKET_FLOWS) - 1);
#else
	uint32_t hits = 0;

	for (unsigned i = 0; i < FLOW_BUCKET_FLOWS; i++)
		hits |= (uint32_t)(b->mark[i] == mark) << i;
	return hits;
#endif
}

// Whose flow a bucket's entry is.
static inline uint32_t flow_slot_of(const struct flow_bucket *b, unsigned i)
{
	return (b->slot[i] & (FLOW_SLOT_AWAY - 1)) - 1;
}

// key.c
bool flow_key_fits(const struct flow *f, const struct packet *p, const struct flow_key *key, enum flow_side *sender);

// index.c
size_t flow_index_buckets(uint32_t flows);
uint32_t flow_index_second(const struct flow_table *t, uint32_t bucket, uint32_t mark);
// false: no room within reach.
bool flow_index_add(struct flow_table *t, struct flow *f, const struct flow_key *key);
void flow_index_remove(struct flow_table *t, const struct flow *f);

// idle.c
int flow_idle_config(struct flow_table *t, const struct flow_config *config); // 0 or -errno
void flow_clock_set(struct flow_table *t, uint64_t now_ns); // may end all flows
bool flow_is_idle(const struct flow_table *t, const struct flow *f);
enum flow_end flow_idle_end(const struct flow *f); // why an idle flow has ended: a closed one did so when it closed
// Its deadline by its state now. To be called where that brings it nearer.
void flow_idle_arm(struct flow_table *t, const struct flow *f);
void flow_idle_sweep(struct flow_table *t);

// ring.c
void flow_ring_closed(struct flow_table *t, const struct flow *f);
// A new flow joins the half-open ones; if they are too many, the oldest of them ends.
void flow_ring_make_way(struct flow_table *t);
void flow_ring_half_open(struct flow_table *t, const struct flow *f);
// Ends a flow that is no loss: a closed one, else a half-open one. false: all of use.
bool flow_ring_make_room(struct flow_table *t);

// tcp.c
bool flow_tcp_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p);
// A FIN whose acknowledgement has come moves the numbers and the state. Nearly no packet has one before it: asked in place.
void flow_tcp_settle_sent_fin(struct flow_table *t, struct flow *f);
static inline void flow_tcp_settle_fin(struct flow_table *t, struct flow *f)
{
	if ((f->tcp[0].seen | f->tcp[1].seen) & TCP_SEEN_FIN)
		flow_tcp_settle_sent_fin(t, f);
}
// Both ends are done, or as good as: a SYN may begin anew.
bool flow_tcp_is_ending(const struct flow *f);
bool flow_tcp_begins_anew(const struct flow *f, enum flow_side sender, const struct packet *p);

// copies.c
int flow_copies_create(struct copies *c, uint32_t flows, const struct siphash_key *key); // 0 or -errno
void flow_copies_destroy(struct copies *c);
void flow_copies_remember(struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
			  struct bytes data);
enum copies_say { COPIES_SAME, COPIES_OTHER, COPIES_UNKNOWN /* forgotten, or cut in other places */ };
// Are these the bytes of the segments remembered, which begin and end at the same numbers?
enum copies_say flow_copies_compare(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
				    struct bytes data);
// A SYN of this side: the number of the byte after it, and its window scale. Found until other copies take its place.
void flow_copies_remember_syn(struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t first,
			      uint8_t scale);
bool flow_copies_find_syn(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t first,
			  uint8_t *scale);

// order.c
int flow_park_create(struct park *k, uint32_t capacity); // 0 or -errno
void flow_park_destroy(struct park *k);
void flow_park_drop(struct flow_table *t, struct flow *f, enum flow_side side);
// Drops what lies out of reach of next_seq, where it could not be kept in order. true: there was some.
bool flow_park_drop_far(struct flow_table *t, struct flow *f, enum flow_side side);
