// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of one fragment: kept, a datagram's last, a contradiction. Slots and memory are in slots.c and arena.c, the finished bytes in whole.c.
#include "defrag_impl.h"
#include <errno.h>
#include <stdlib.h>

enum { WHOLE_BYTES = DEFRAG_HEAD_BYTES + 40 /* IPv6 header, not counted in its length */ + DEFRAG_DATAGRAM_BYTES };
static const uint64_t TIMEOUT_NS = 30ull * 1000000000; // as Linux: net.ipv4.ipfrag_time

static bool create_slots(struct defrag *d)
{
	d->datagram = calloc(d->n, sizeof(*d->datagram));
	d->source = calloc(d->n, sizeof(*d->source));
	d->datagram_bucket = calloc(d->n, sizeof(*d->datagram_bucket));
	d->source_bucket = calloc(d->n, sizeof(*d->source_bucket));
	d->whole = malloc(WHOLE_BYTES);
	d->long_frame = malloc(DEFRAG_FRAME_BYTES);
	d->arena.base = aligned_alloc(DEFRAG_BLOCK_HEAD, (size_t)d->arena.blocks * DEFRAG_BLOCK);
	return d->datagram && d->source && d->datagram_bucket && d->source_bucket && d->whole && d->long_frame && d->arena.base;
}

struct defrag *defrag_create(const struct defrag_config *config, struct counters *counters)
{
	uint64_t blocks = config->bytes / DEFRAG_BLOCK;
	uint32_t n = config->datagrams;
	struct defrag *d;

	if (n < DEFRAG_PER_SOURCE_SHARE || n & (n - 1) || n > 1u << 24 || blocks >= DEFRAG_NONE ||
	    blocks < DEFRAG_PER_SOURCE_SHARE) {
		errno = EINVAL;
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->counters = counters;
	d->key = config->key;
	d->timeout_ns = config->timeout_ns ? config->timeout_ns : TIMEOUT_NS;
	d->n = n;
	d->arena.blocks = (uint32_t)blocks;
	if (!create_slots(d)) {
		defrag_destroy(d);
		errno = ENOMEM;
		return NULL;
	}
	slots_init(d);
	defrag_arena_init(&d->arena);
	return d;
}

void defrag_destroy(struct defrag *d)
{
	if (!d)
		return;
	free(d->datagram);
	free(d->source);
	free(d->datagram_bucket);
	free(d->source_bucket);
	free(d->whole);
	free(d->long_frame);
	free(d->arena.base);
	free(d);
}

static struct datagram_key key_of(const struct frame *f, const struct packet *p)
{
	struct datagram_key key;

	memset(&key, 0, sizeof(key));
	key.source = p->source;
	key.destination = p->destination;
	key.id = p->fragment_id;
	key.port = f->port;
	key.transport = p->source.family == 4 ? p->transport : 0; // in IPv6 the first fragment alone says it (RFC 8200 §4.5)
	key.vlans = p->vlans;
	key.tunnels = p->tunnels;
	memcpy(key.vlan, p->vlan, sizeof(key.vlan));
	for (int i = 0; i < DECODE_TUNNELS; i++)
		key.tunnel[i] = (struct tunnel_key){.id = p->tunnel[i].id, .kind = p->tunnel[i].kind};
	if (f->link == LINK_ETHERNET) // decode has read past it
		memcpy(key.to, f->at, sizeof(key.to));
	return key;
}

// One fragment on its way in.
struct arrival {
	const struct frame *frame;
	const struct packet *packet;
	uint32_t end;    // of its data in the datagram
	uint32_t nested; // the complete datagram whose bytes `frame` is, or DEFRAG_NONE
	uint32_t blocks;
};

static enum defrag_result drop(struct defrag *d, const struct arrival *a)
{
	if (a->nested == DEFRAG_NONE) {
		count(d->counters, COUNT_FRAMES_DROPPED_FRAGMENT);
		return DEFRAG_DROP;
	}
	count_add(d->counters, COUNT_FRAMES_DROPPED_FRAGMENT, d->datagram[a->nested].frames);
	slots_free(d, a->nested);
	d->whole_id = DEFRAG_NONE;
	return DEFRAG_DROP;
}

static enum defrag_result refuse(struct defrag *d)
{
	count(d->counters, COUNT_DEFRAG_FULL);
	return DEFRAG_REFUSED;
}

static enum defrag_result drop_bad(struct defrag *d, const struct arrival *a, uint32_t g)
{
	if (g == DEFRAG_NONE)
		count(d->counters, COUNT_DEFRAG_BAD);
	else
		slots_give_up(d, g, COUNT_DEFRAG_BAD);
	return drop(d, a);
}

enum relation { APART, REPEATED, CONTRADICTS };

// Options of IPv4, headers of IPv6 before the fragment's: a receiver refuses a fragment for its own.
static bool headers_differ(const struct defrag *d, uint32_t block, const struct arrival *a)
{
	const struct record *r = defrag_arena_record(&d->arena, block);
	const struct packet *p = a->packet;
	uint32_t fixed = r->family == 6 ? IPV6_BYTES : IPV4_BYTES, bytes = p->payload_offset - p->ip_offset;

	if (bytes != r->data_at - r->ip_offset)
		return true;
	bytes -= fixed + (r->family == 6 ? IP6_FRAGMENT_BYTES : 0);
	return !defrag_arena_equal(&d->arena, block, r->ip_offset + fixed, bytes_of(a->frame->at + p->ip_offset + fixed, bytes));
}

static bool hops_part(uint8_t a, uint8_t b)
{
	return a != b && (a < DEFRAG_HOPS || b < DEFRAG_HOPS);
}

// May one of two come to the receiver and the other not?
static bool may_part(const struct defrag *d, uint32_t block, const struct arrival *a)
{
	const struct record *r = defrag_arena_record(&d->arena, block);
	const struct packet *p = a->packet;

	for (int i = 0; i < p->tunnels; i++) // as far as each tunnel's end
		if (hops_part(r->tunnel_ttl[i], p->tunnel[i].ttl))
			return true;
	return hops_part(r->ttl, p->ttl) || headers_differ(d, block, a);
}

static enum relation relation_to_piece(const struct defrag *d, uint32_t block, const struct arrival *a)
{
	const struct record *r = defrag_arena_record(&d->arena, block);
	const struct packet *p = a->packet;
	uint32_t end = r->offset + r->data_bytes;

	if (!p->fragment_more && end > a->end)
		return CONTRADICTS; // what was kept lies past this end
	if (a->end <= r->offset || end <= p->fragment_offset)
		return may_part(d, block, a) ? CONTRADICTS : APART;
	if (r->offset == p->fragment_offset && end == a->end && r->more == p->fragment_more &&
	    defrag_arena_equal(&d->arena, block, r->data_at, bytes_of(a->frame->at + p->payload_offset, r->data_bytes)))
		return REPEATED;
	return CONTRADICTS;
}

static enum relation relation(const struct defrag *d, uint32_t g, const struct arrival *a)
{
	const struct datagram *slot = &d->datagram[g];
	enum relation found = APART;
	uint32_t block = slot->first;

	for (uint32_t i = 0; i < slot->pieces && found == APART; i++) {
		if (defrag_arena_record(&d->arena, block)->role & RECORD_DATA)
			found = relation_to_piece(d, block, a);
		block = defrag_arena_record(&d->arena, block)->next;
	}
	if (found == APART && slot->total && (a->end > slot->total || !a->packet->fragment_more))
		return CONTRADICTS;
	return found;
}

// Room for the frame; gives up the source's oldest, then the overall oldest. DEFRAG_NONE: `g` itself had to go. It waits, so there is an oldest.
static uint32_t make_room(struct defrag *d, uint32_t g, uint32_t blocks)
{
	const struct source *from = &d->source[d->datagram[g].source];
	uint32_t block = DEFRAG_NONE;

	while (block == DEFRAG_NONE) {
		bool too_much = from->blocks + blocks > slots_blocks_per_source(d);
		uint32_t oldest = too_much ? from->waiting.oldest : d->waiting.oldest;

		block = too_much ? DEFRAG_NONE : defrag_arena_take(&d->arena, blocks);
		if (block != DEFRAG_NONE)
			return block;
		slots_give_up(d, oldest, COUNT_DEFRAG_FULL);
		if (oldest == g)
			return DEFRAG_NONE;
	}
	return block;
}

static void keep(struct defrag *d, uint32_t g, uint32_t block, const struct arrival *a)
{
	struct record *r = defrag_arena_record(&d->arena, block);
	const struct packet *p = a->packet;
	struct datagram *slot = &d->datagram[g];

	defrag_arena_write(&d->arena, block, bytes_of(a->frame->at, a->frame->bytes));
	r->bytes = a->frame->bytes;
	r->ip_offset = p->ip_offset;
	r->data_at = p->payload_offset;
	r->data_bytes = p->payload_bytes;
	r->offset = p->fragment_offset;
	r->next_at = p->fragment_next;
	r->port = a->frame->port;
	r->transport = p->transport;
	r->family = p->source.family;
	r->more = p->fragment_more;
	r->ttl = p->ttl;
	for (int i = 0; i < DECODE_TUNNELS; i++)
		r->tunnel_ttl[i] = p->tunnel[i].ttl;
	r->role = a->nested == DEFRAG_NONE ? RECORD_FRAME | RECORD_DATA : RECORD_DATA;
	slots_append(d, g, block);
	if (a->nested != DEFRAG_NONE) {
		slots_adopt(d, a->nested, g);
		d->whole_id = DEFRAG_NONE;
	}
	slot->have += r->data_bytes;
	if (!p->fragment_more)
		slot->total = a->end;
}

static enum defrag_result finish(struct defrag *d, uint32_t g, const struct arrival *a, struct defrag_whole *out)
{
	slots_complete(d, g);
	if (!whole_build(d, g, out)) {
		slots_give_up(d, g, COUNT_DEFRAG_BAD); // this frame is among those it counts
		return DEFRAG_DROP;
	}
	count(d->counters, COUNT_DEFRAG_WHOLE);
	out->frame.link = a->frame->link;
	out->frame.port = a->frame->port;
	out->frame.unix_ns = a->frame->unix_ns;
	out->id = slots_id(d, g);
	d->whole_id = g;
	return DEFRAG_COMPLETE;
}

// Apart either way: a clock that was ahead may be set back.
static bool is_too_old(const struct defrag *d, uint32_t g, uint64_t unix_ns)
{
	uint64_t began = d->datagram[g].began_ns;

	return (unix_ns > began ? unix_ns - began : began - unix_ns) >= d->timeout_ns;
}

static uint32_t find(struct defrag *d, const struct datagram_key *key, uint64_t hash, uint64_t unix_ns)
{
	uint32_t g = slots_find(d, key, hash);

	if (g == DEFRAG_NONE || !is_too_old(d, g, unix_ns))
		return g;
	slots_give_up(d, g, COUNT_DEFRAG_TIMEOUT);
	return DEFRAG_NONE;
}

static bool can_be_kept(const struct defrag *d, const struct arrival *a)
{
	return a->frame->bytes <= DEFRAG_FRAME_BYTES && a->packet->ip_offset <= DEFRAG_HEAD_BYTES &&
	       a->blocks <= slots_blocks_per_source(d);
}

static bool has_too_many(const struct defrag *d, uint32_t g, const struct arrival *a)
{
	uint32_t adopted = a->nested == DEFRAG_NONE ? 0 : d->datagram[a->nested].frames;

	return d->datagram[g].pieces + adopted >= DEFRAG_PIECES;
}

static enum defrag_result add_to(struct defrag *d, uint32_t g, const struct arrival *a, struct defrag_whole *out)
{
	uint32_t block;

	if (has_too_many(d, g, a)) {
		slots_give_up(d, g, COUNT_DEFRAG_FULL);
		return drop(d, a);
	}
	block = make_room(d, g, a->blocks);
	if (block == DEFRAG_NONE)
		return drop(d, a);
	keep(d, g, block, a);
	return d->datagram[g].total && d->datagram[g].have == d->datagram[g].total ? finish(d, g, a, out) : DEFRAG_KEPT;
}

enum defrag_result defrag_add(struct defrag *d, const struct frame *f, const struct packet *p, struct defrag_whole *out)
{
	const struct datagram_key key = key_of(f, p);
	const uint64_t hash = siphash13(&d->key, &key, sizeof(key));
	const struct arrival a = {.frame = f, .packet = p, .end = (uint32_t)p->fragment_offset + p->payload_bytes,
				  .nested = f->at == d->whole ? d->whole_id : DEFRAG_NONE, .blocks = defrag_arena_blocks(f->bytes)};
	uint32_t g = find(d, &key, hash, f->unix_ns);
	enum relation how;

	if (p->oddities & ODDITY_CUT && f->bytes < f->wire_bytes)
		return refuse(d);
	if (p->oddities & (ODDITY_CUT | ODDITY_HEADER) || a.end > DEFRAG_DATAGRAM_BYTES || !p->payload_bytes)
		return drop_bad(d, &a, g);
	if (!can_be_kept(d, &a))
		return refuse(d);
	how = g == DEFRAG_NONE ? APART : relation(d, g, &a);
	if (how == CONTRADICTS)
		slots_give_up(d, g, COUNT_DEFRAG_OVERLAP);
	if (how != APART)
		return drop(d, &a);
	if (g == DEFRAG_NONE)
		g = slots_add(d, &key, hash, f->unix_ns);
	return g == DEFRAG_NONE ? refuse(d) : add_to(d, g, &a, out);
}

static bool is_complete(const struct defrag *d, uint32_t id)
{
	uint32_t g = id & (d->n - 1);

	return d->datagram[g].state == DATAGRAM_COMPLETE && slots_id(d, g) == id;
}

static struct defrag_piece piece_of(struct defrag *d, uint32_t block)
{
	const struct record *r = defrag_arena_record(&d->arena, block);
	struct defrag_piece found = {defrag_arena_bytes(&d->arena, block), r->bytes, r->port};

	if (r->blocks > 1) {
		defrag_arena_read(&d->arena, block, 0, d->long_frame, r->bytes);
		found.at = d->long_frame;
	}
	return found;
}

struct defrag_piece defrag_piece_at(struct defrag *d, uint32_t id, uint32_t i)
{
	const struct datagram *g = &d->datagram[id & (d->n - 1)];
	const struct record *r;
	uint32_t block;

	if (!is_complete(d, id) || i >= g->frames)
		return (struct defrag_piece){NULL, 0, 0};
	if (d->cursor.id != id || d->cursor.i > i || d->cursor.at == DEFRAG_NONE) {
		d->cursor.id = id;
		d->cursor.i = 0;
		d->cursor.at = g->first;
	}
	for (uint32_t n = 0; n < g->pieces; n++) {
		r = defrag_arena_record(&d->arena, d->cursor.at);
		block = d->cursor.at;
		d->cursor.at = r->next;
		if (r->role & RECORD_FRAME && d->cursor.i++ == i)
			return piece_of(d, block);
	}
	return (struct defrag_piece){NULL, 0, 0};
}

void defrag_done(struct defrag *d, uint32_t id)
{
	if (!is_complete(d, id))
		return;
	if (d->whole_id == (id & (d->n - 1)))
		d->whole_id = DEFRAG_NONE;
	slots_free(d, id & (d->n - 1));
}

void defrag_step(struct defrag *d, uint64_t unix_ns)
{
	for (int i = 0; i < DEFRAG_STEP_DATAGRAMS && d->waiting.oldest != DEFRAG_NONE && is_too_old(d, d->waiting.oldest, unix_ns); i++)
		slots_give_up(d, d->waiting.oldest, COUNT_DEFRAG_TIMEOUT);
}

uint32_t defrag_count(const struct defrag *d)
{
	return d->count;
}
