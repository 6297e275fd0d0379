// SPDX-License-Identifier: GPL-2.0-or-later
// The table of what is refused. Entries stay where they are (callers hold pointers between two changes); two hash
// indices of chains, by what a block matches and by its id. A look-up tries only those shapes (prefix length; port,
// device, transport given or any) that some block has, the most specific first. Owned by one worker.
#include <errno.h>
#include <stdlib.h>
#include "block.h"
#include "pages.h"

enum {
	NOTHING = UINT32_MAX,
	STEP_ENTRIES = 64, // looked at in one step: 100,000 blocks are swept in 1,600 steps, well under a second
	GIVES_TRANSPORT = 1,
	GIVES_DEVICE = 2,
	GIVES_PORT = 4,
	GIVES_COMBINATIONS = 8, // by weight
	HINTS_PER_BLOCK = 4,    // so that a quarter of them is in use when the table is full
	HINT_BITS = 32,
	NEAR_BITS = 16,
	NEAR_HINTS = 1 << NEAR_BITS, // of the small set; with a quarter of it each sixteenth address would fall on one of a thousand blocks
	NEAR_BLOCKS = NEAR_HINTS / 32, // beyond so many blocks too much falls on it
	HINT_FULL = UINT8_MAX,  // a count that has come so far stays
};

struct block_key {               // hashed and compared as memory
	struct address endpoint; // host bits 0
	struct address device;   // none = any
	uint16_t port;           // 0 = any
	uint8_t transport;       // 0 = any
	uint8_t bits;
};
_Static_assert(sizeof(struct block_key) == 44, "no padding");

struct slot {
	struct block_entry entry;
	struct block_key key;
	uint32_t next_by_key, next_by_id; // NOTHING ends; free slots are chained by next_by_key
	uint32_t place;                   // in live[]
};

struct length_in_use {
	uint8_t bits;
	uint32_t uses[GIVES_COMBINATIONS]; // how many blocks have that shape
	uint32_t total;
};

struct lengths { // of one family, longest first
	uint32_t count;
	struct length_in_use at[BLOCK_PREFIX_LENGTHS];
};

struct block_table {
	struct siphash_key key;
	struct counters *counters;
	struct slot *slots;
	uint32_t *live;           // slots in use, in no order
	uint32_t *by_key, *by_id; // first slot of each chain
	uint32_t mask;            // chains - 1
	uint32_t capacity, count, free, cursor;
	struct lengths lengths[2]; // IPv4, IPv6
	// How many blocks fall on each hint, by their address or network: nearly every packet's address falls on none, and is let go at the price of one byte. They are
	// counted twice, so that a few blocks do not cost a cache line of the large table for every address, but only for those that fall on one of the small.
	uint8_t *hints, *near;
	uint64_t near_bits[NEAR_HINTS / 64]; // which of `near` are not 0: stays in the first-level cache
	uint32_t hint_places;
	uint32_t hint_shift;  // a hint's upper bits are the place
	uint64_t hint_key[4]; // odd
	uint64_t soonest_ns;  // no block ends before; `round_ns` will be it when the sweep is round
	uint64_t round_ns;
	struct prefix never[BLOCK_NEVER_PREFIXES];
	uint32_t nevers;
};

struct block_table *block_table_create(uint32_t capacity, const struct siphash_key *key, struct counters *counters)
{
	struct block_table *t = calloc(1, sizeof(*t));
	uint64_t chains = 1;

	while (chains < capacity)
		chains <<= 1;
	if (!t)
		return NULL;
	for (uint64_t i = 0; i < 4; i++)
		t->hint_key[i] = siphash24(key, &i, sizeof(i)) | 1;
	t->hint_places = (uint32_t)(chains * HINTS_PER_BLOCK);
	t->hint_shift = HINT_BITS - (uint32_t)__builtin_ctz(t->hint_places);
	t->hints = pages_zeroed(chains * HINTS_PER_BLOCK);
	t->near = pages_zeroed(NEAR_HINTS);
	t->slots = calloc(capacity ? capacity : 1, sizeof(*t->slots));
	t->live = calloc(capacity ? capacity : 1, sizeof(*t->live));
	t->by_key = calloc(chains, sizeof(*t->by_key));
	t->by_id = calloc(chains, sizeof(*t->by_id));
	if (!t->slots || !t->live || !t->by_key || !t->by_id || !t->hints || !t->near) {
		block_table_destroy(t);
		errno = ENOMEM;
		return NULL;
	}
	t->key = *key;
	t->counters = counters;
	t->capacity = capacity;
	t->mask = (uint32_t)(chains - 1);
	block_clear(t);
	return t;
}

void block_table_destroy(struct block_table *t)
{
	if (!t)
		return;
	free(t->slots);
	free(t->live);
	free(t->by_key);
	free(t->by_id);
	free(t->hints);
	free(t->near);
	free(t);
}

void block_clear(struct block_table *t)
{
	memset(t->by_key, 0xff, ((size_t)t->mask + 1) * sizeof(*t->by_key)); // NOTHING
	memset(t->by_id, 0xff, ((size_t)t->mask + 1) * sizeof(*t->by_id));
	for (uint32_t i = 0; i < t->capacity; i++)
		t->slots[i].next_by_key = i + 1 < t->capacity ? i + 1 : NOTHING;
	t->free = t->capacity ? 0 : NOTHING;
	memset(t->lengths, 0, sizeof(t->lengths));
	memset(t->hints, 0, t->hint_places);
	memset(t->near, 0, NEAR_HINTS);
	memset(t->near_bits, 0, sizeof(t->near_bits));
	t->soonest_ns = t->round_ns = UINT64_MAX;
	t->count = t->cursor = 0;
}

int block_never(struct block_table *t, const struct prefix *p)
{
	if (t->nevers == BLOCK_NEVER_PREFIXES)
		return -ENOSPC;
	t->never[t->nevers++] = *p;
	return 0;
}

bool block_is_never(const struct block_table *t, const struct address *a)
{
	for (uint32_t i = 0; i < t->nevers; i++)
		if (prefix_has(&t->never[i], a))
			return true;
	return false;
}

// Two prefixes overlap exactly if the longer one begins inside the shorter one.
static bool never_touches(const struct block_table *t, const struct verdict *v)
{
	struct prefix wanted = {v->endpoint, v->endpoint_bits};

	for (uint32_t i = 0; i < t->nevers; i++)
		if (prefix_has(&t->never[i], &v->endpoint) || prefix_has(&wanted, &t->never[i].address))
			return true;
	return address_is_special(&v->endpoint);
}

static struct address masked(const struct address *a, uint32_t bits)
{
	struct address out = *a;
	uint32_t bytes = a->family == 4 ? 4 : 16;

	if (bits >= bytes * 8)
		return out;
	out.b[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	memset(out.b + bits / 8 + 1, 0, bytes - bits / 8 - 1);
	return out;
}

static unsigned combination(const struct block_key *k)
{
	return (k->port ? GIVES_PORT : 0) | (k->device.family ? GIVES_DEVICE : 0) |
	       (k->transport ? GIVES_TRANSPORT : 0);
}

static struct lengths *lengths_of(struct block_table *t, const struct address *a)
{
	return &t->lengths[a->family == 6];
}

// Multiply-shift (Dietzfelbinger et al., "A Reliable Randomized Algorithm for the Closest-Pair Problem", 1997): two
// multiplications by keys nobody knows. The uppermost bits depend on all of the address, those below not on its last bytes.
static inline uint32_t hint_of(const struct block_table *t, const uint8_t b[16])
{
	uint64_t half[2], sum;

	memcpy(half, b, sizeof(half));
	sum = (half[0] + t->hint_key[0]) * t->hint_key[1] + (half[1] + t->hint_key[2]) * t->hint_key[3];
	return (uint32_t)(sum >> 32);
}

static inline bool is_hinted(const struct block_table *t, const uint8_t b[16])
{
	uint32_t hint = hint_of(t, b), place = hint >> (HINT_BITS - NEAR_BITS);

	return (t->count > NEAR_BLOCKS || t->near_bits[place / 64] >> place % 64 & 1) && t->hints[hint >> t->hint_shift];
}

static void hint_count(uint8_t *hint, int n)
{
	if (*hint != HINT_FULL)
		*hint = (uint8_t)(*hint + n);
}

static void hint_add(struct block_table *t, const struct block_key *k, int n)
{
	uint32_t hint = hint_of(t, k->endpoint.b), place = hint >> (HINT_BITS - NEAR_BITS);

	hint_count(&t->hints[hint >> t->hint_shift], n);
	hint_count(&t->near[place], n);
	t->near_bits[place / 64] &= ~(1ull << place % 64);
	t->near_bits[place / 64] |= (uint64_t)!!t->near[place] << place % 64;
}

// Counts one block more of that shape. false: too many different prefix lengths.
static bool shape_add(struct block_table *t, const struct block_key *k)
{
	struct lengths *l = lengths_of(t, &k->endpoint);
	uint32_t i = 0;

	while (i < l->count && l->at[i].bits > k->bits)
		i++;
	if (i == l->count || l->at[i].bits != k->bits) {
		if (l->count == BLOCK_PREFIX_LENGTHS)
			return false;
		memmove(&l->at[i + 1], &l->at[i], (l->count - i) * sizeof(l->at[0]));
		l->at[i] = (struct length_in_use){.bits = k->bits};
		l->count++;
	}
	l->at[i].uses[combination(k)]++;
	l->at[i].total++;
	return true;
}

static void shape_remove(struct block_table *t, const struct block_key *k)
{
	struct lengths *l = lengths_of(t, &k->endpoint);
	uint32_t i = 0;

	while (l->at[i].bits != k->bits)
		i++;
	l->at[i].uses[combination(k)]--;
	if (--l->at[i].total)
		return;
	l->count--;
	memmove(&l->at[i], &l->at[i + 1], (l->count - i) * sizeof(l->at[0]));
}

static uint32_t *chain_of_key(const struct block_table *t, const struct block_key *k)
{
	return &t->by_key[siphash13(&t->key, k, sizeof(*k)) & t->mask];
}

static uint32_t *chain_of_id(const struct block_table *t, uint64_t id)
{
	return &t->by_id[siphash13(&t->key, &id, sizeof(id)) & t->mask];
}

static struct slot *slot_of_id(const struct block_table *t, uint64_t id)
{
	uint32_t i = *chain_of_id(t, id);

	while (i != NOTHING && t->slots[i].entry.rule.id != id)
		i = t->slots[i].next_by_id;
	return i == NOTHING ? NULL : &t->slots[i];
}

// For the sweep: one that it may have gone past, or not come to.
static void ends_at(struct block_table *t, uint64_t expires_ns)
{
	if (expires_ns < t->soonest_ns)
		t->soonest_ns = expires_ns;
	if (expires_ns < t->round_ns)
		t->round_ns = expires_ns;
}

static void link_slot(struct block_table *t, uint32_t i)
{
	struct slot *s = &t->slots[i];
	uint32_t *by_key = chain_of_key(t, &s->key), *by_id = chain_of_id(t, s->entry.rule.id);

	s->next_by_key = *by_key;
	*by_key = i;
	s->next_by_id = *by_id;
	*by_id = i;
	s->place = t->count;
	t->live[t->count++] = i;
	hint_add(t, &s->key, 1);
	ends_at(t, s->entry.rule.expires_ns);
}

static void remove_slot(struct block_table *t, struct slot *s)
{
	uint32_t i = (uint32_t)(s - t->slots), last = t->live[--t->count];
	uint32_t *at = chain_of_key(t, &s->key);

	while (*at != i)
		at = &t->slots[*at].next_by_key;
	*at = s->next_by_key;
	for (at = chain_of_id(t, s->entry.rule.id); *at != i;)
		at = &t->slots[*at].next_by_id;
	*at = s->next_by_id;
	hint_add(t, &s->key, -1);
	t->live[s->place] = last;
	t->slots[last].place = s->place;
	if (s->place < t->cursor)
		ends_at(t, t->slots[last].entry.rule.expires_ns);
	shape_remove(t, &s->key);
	s->next_by_key = t->free;
	t->free = i;
}

static int refuse_full(struct block_table *t)
{
	count(t->counters, COUNT_BLOCKS_FULL);
	return -ENOSPC;
}

static unsigned blocks_alike(const struct block_table *t, const struct block_key *k)
{
	unsigned n = 0;

	for (uint32_t i = *chain_of_key(t, k); i != NOTHING; i = t->slots[i].next_by_key)
		n += memcmp(&t->slots[i].key, k, sizeof(*k)) == 0;
	return n;
}

int block_add(struct block_table *t, const struct verdict *v, uint64_t now_ns)
{
	struct block_entry entry = {.rule = *v};
	struct block_key key = {v->endpoint, v->device, v->port, v->transport, (uint8_t)v->endpoint_bits};
	struct slot *old;
	uint32_t i;

	if (v->kind != VERDICT_BLOCK || !verdict_check(v, now_ns))
		return -EINVAL;
	if (never_touches(t, v)) {
		count(t->counters, COUNT_VERDICTS_NEVER_BLOCK);
		return -EPERM;
	}
	old = slot_of_id(t, v->id);
	if (!old && t->free == NOTHING)
		block_step(t, now_ns); // there may be expired ones
	if ((!old && t->free == NOTHING) || blocks_alike(t, &key) >= BLOCK_SAME_KEY + !!old || !shape_add(t, &key))
		return refuse_full(t);
	if (old) { // what it has dropped so far stays its own
		entry = old->entry;
		entry.rule = *v;
		remove_slot(t, old);
	}
	i = t->free;
	t->free = t->slots[i].next_by_key;
	t->slots[i].entry = entry;
	t->slots[i].key = key;
	link_slot(t, i);
	return 0;
}

int block_remove(struct block_table *t, uint64_t id)
{
	struct slot *s = slot_of_id(t, id);

	if (!s)
		return -ENOENT;
	remove_slot(t, s);
	return 0;
}

// Of several with the same key the one that lasts longest.
static struct block_entry *probe(struct block_table *t, const struct block_key *k, uint64_t now_ns)
{
	struct block_entry *best = NULL;

	for (uint32_t i = *chain_of_key(t, k); i != NOTHING; i = t->slots[i].next_by_key) {
		struct block_entry *e = &t->slots[i].entry;

		if (e->rule.expires_ns > (best ? best->rule.expires_ns : now_ns) &&
		    memcmp(&t->slots[i].key, k, sizeof(*k)) == 0)
			best = e;
	}
	return best;
}

struct block_entry *block_find(struct block_table *t, uint8_t transport, const struct address *device,
			       const struct address *endpoint, uint16_t port, uint64_t now_ns)
{
	const struct lengths *l = lengths_of(t, endpoint);
	struct block_entry *found = NULL;

	for (uint32_t i = 0; i < l->count && !found; i++) {
		struct block_key k = {.bits = l->at[i].bits};

		k.endpoint = masked(endpoint, k.bits);
		if (!is_hinted(t, k.endpoint.b))
			continue;
		for (int gives = GIVES_COMBINATIONS - 1; gives >= 0 && !found; gives--) {
			if (!l->at[i].uses[gives])
				continue;
			k.device = gives & GIVES_DEVICE ? *device : (struct address){0};
			k.port = gives & GIVES_PORT ? port : 0;
			k.transport = gives & GIVES_TRANSPORT ? transport : 0;
			found = probe(t, &k, now_ns);
		}
	}
	// Asked again here: the list may have grown since the block came.
	return found && !block_is_never(t, endpoint) ? found : NULL;
}

static bool is_near_network(const struct block_table *t, const struct lengths *l, uint8_t family, const uint8_t b[16])
{
	struct address whole = {.family = family}, part;

	memcpy(whole.b, b, sizeof(whole.b));
	for (uint32_t i = 0; i < l->count; i++) {
		part = masked(&whole, l->at[i].bits);
		if (is_hinted(t, part.b))
			return true;
	}
	return false;
}

bool block_is_near(const struct block_table *t, uint8_t family, const uint8_t b[16])
{
	const struct lengths *l = &t->lengths[family == 6];

	if (!l->count)
		return false;
	if (l->at[l->count - 1].bits < (family == 6 ? 128 : 32))
		return is_near_network(t, l, family, b);
	return is_hinted(t, b);
}

void block_prefetch(const struct block_table *t, const struct address *endpoint)
{
	if (t->count > NEAR_BLOCKS)
		__builtin_prefetch(&t->hints[hint_of(t, endpoint->b) >> t->hint_shift]);
}

uint32_t block_count(const struct block_table *t)
{
	return t->count;
}

void block_step(struct block_table *t, uint64_t now_ns)
{
	if (now_ns < t->soonest_ns)
		return;
	for (unsigned i = 0; i < STEP_ENTRIES && t->cursor < t->count; i++) {
		struct slot *s = &t->slots[t->live[t->cursor]];

		if (s->entry.rule.expires_ns <= now_ns) {
			remove_slot(t, s); // the last one takes its place
			continue;
		}
		if (s->entry.rule.expires_ns < t->round_ns)
			t->round_ns = s->entry.rule.expires_ns;
		t->cursor++;
	}
	if (t->cursor < t->count)
		return;
	t->soonest_ns = t->round_ns; // all were seen since it was UINT64_MAX, or said by ends_at
	t->round_ns = UINT64_MAX;
	t->cursor = 0;
}

const struct block_entry *block_at(const struct block_table *t, uint32_t i)
{
	return i < t->count ? &t->slots[t->live[i]].entry : NULL;
}
