// SPDX-License-Identifier: GPL-2.0-or-later
// A complete datagram's bytes in one stretch, its IP header as it was before somebody cut it.
#include "checksum.h"
#include "defrag_impl.h"

enum {
	IPV4_LENGTH = 2,
	IPV4_FRAGMENT = 6,
	IPV4_CHECKSUM = 10,
	IPV6_LENGTH = 4,
};

static void set_u16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void fix_ipv4(uint8_t *ip, uint32_t header, uint32_t data)
{
	set_u16(ip + IPV4_LENGTH, header + data);
	set_u16(ip + IPV4_FRAGMENT, 0);
	set_u16(ip + IPV4_CHECKSUM, 0);
	set_u16(ip + IPV4_CHECKSUM, checksum_fold(checksum_add(0, bytes_of(ip, header))));
}

// RFC 8200 §4.5: next header and every header before the fragment's are the first fragment's.
static void fix_ipv6(uint8_t *ip, uint32_t header, uint32_t data, const struct record *first)
{
	set_u16(ip + IPV6_LENGTH, header - IPV6_BYTES + data);
	ip[first->next_at] = first->transport;
}

static uint32_t find_first(const struct defrag *d, const struct datagram *g)
{
	uint32_t block = g->first;

	for (uint32_t i = 0; i < g->pieces; i++) {
		const struct record *r = defrag_arena_record(&d->arena, block);

		if (r->role & RECORD_DATA && !r->offset)
			return block;
		block = r->next;
	}
	return DEFRAG_NONE;
}

static void copy_data(struct defrag *d, const struct datagram *g, uint8_t *to)
{
	uint32_t block = g->first;

	for (uint32_t i = 0; i < g->pieces; i++) {
		const struct record *r = defrag_arena_record(&d->arena, block);

		if (r->role & RECORD_DATA)
			defrag_arena_read(&d->arena, block, r->data_at, to + r->offset, r->data_bytes);
		block = r->next;
	}
}

bool whole_build(struct defrag *d, uint32_t g, struct defrag_whole *out)
{
	const struct datagram *slot = &d->datagram[g];
	uint32_t block = find_first(d, slot), header, counted;
	const struct record *first;
	uint8_t *ip;

	if (block == DEFRAG_NONE)
		return false;
	first = defrag_arena_record(&d->arena, block);
	header = first->data_at - first->ip_offset - (first->family == 6 ? IP6_FRAGMENT_BYTES : 0);
	counted = header - (first->family == 6 ? IPV6_BYTES : 0); // RFC 8200 §3: the payload length leaves its own header out
	if (counted + slot->total > DEFRAG_DATAGRAM_BYTES)
		return false;
	defrag_arena_read(&d->arena, block, 0, d->whole, first->ip_offset + header);
	ip = d->whole + first->ip_offset;
	copy_data(d, slot, ip + header);
	if (first->family == 6)
		fix_ipv6(ip, header, slot->total, first);
	else
		fix_ipv4(ip, header, slot->total);
	out->frame.at = d->whole;
	out->frame.bytes = out->frame.wire_bytes = first->ip_offset + header + slot->total;
	out->ip_offset = first->ip_offset;
	out->pieces = slot->frames;
	return true;
}
