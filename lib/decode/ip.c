// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 and IPv6 headers, and what a fragment must be to be one. Knows not what they carry. Called by the thread that owns the frame.
#include "decode_impl.h"

// Sets what follows by the IP length and notes where that differs from what is there. `total` counts from ip_offset, `there` is what the frame
// and the headers around leave from ip_offset on.
static void limit_to_ip_length(struct walk *w, size_t there, size_t total)
{
	struct packet *p = w->packet;
	size_t consumed = walk_offset(w) - p->ip_offset;

	if (there < total)
		p->oddities |= ODDITY_CUT;
	else if (there > total && there > IP_BYTES_IN_SHORTEST_FRAME)
		p->oddities |= ODDITY_TRAILER;
	w->ip_rest = total - consumed;
	w->rest = bytes_head(w->rest, w->ip_rest);
}

static enum decode_result read_above_ip(struct walk *w)
{
	w->packet->transport_offset = walk_offset(w);
	return walk_on(w, decode_is_tunnel(w->packet->transport) ? decode_tunnel : decode_transport);
}

// RFC 791 §3.2, RFC 8200 §4.5, RFC 5722. Linux cuts an IPv4 fragment of such a length down; what we refuse no one needs to read alike.
static bool piece_is_impossible(const struct walk *w, size_t header_bytes)
{
	const struct packet *p = w->packet;

	return !w->ip_rest || (p->fragment_more && w->ip_rest % 8) ||
	       header_bytes + p->fragment_offset + w->ip_rest > IP_BYTES_MOST;
}

// RFC 1858 §4, RFC 7112 §3: the first fragment holds every header. Works on a copy of the walk, whose packet it leaves as it was.
static bool first_is_whole(const struct walk *w)
{
	struct packet p = *w->packet;
	struct walk chain = *w;

	chain.packet = &p;
	if (p.source.family == 6 && decode_extensions(&chain) != DECODE_OK)
		return false;
	return decode_transport_bytes(p.transport, chain.rest) <= chain.ip_rest;
}

static enum decode_result read_piece(struct walk *w, size_t header_bytes)
{
	struct packet *p = w->packet;

	walk_set_payload(w);
	if (piece_is_impossible(w, header_bytes) ||
	    (!p->fragment_offset && !(p->oddities & ODDITY_CUT) && !first_is_whole(w)))
		p->oddities |= ODDITY_HEADER;
	return DECODE_PIECE;
}

static enum decode_result read_ipv4_piece(struct walk *w, uint16_t id, uint16_t fragment)
{
	struct packet *p = w->packet;

	p->fragment_id = id;
	p->fragment_offset = (uint16_t)((fragment & IP_FRAGMENT_OFFSET) * 8);
	p->fragment_more = (fragment & IP_MORE_FRAGMENTS) != 0;
	return read_piece(w, walk_offset(w) - p->ip_offset);
}

enum decode_result decode_ipv4(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes whole = w->rest, all = w->rest, header, source, destination;
	uint16_t total, id, fragment;
	uint8_t first;
	size_t header_bytes;

	p->ip_offset = walk_offset(w);
	if (!bytes_read_u8(&w->rest, &first))
		return walk_short(w);
	header_bytes = (first & 15) * 4u;
	if (first >> 4 != 4 || header_bytes < IPV4_BYTES)
		return walk_refuse(w);
	if (!bytes_take(&whole, header_bytes, &header))
		return walk_short(w);
	if (!bytes_skip(&w->rest, 1) || !bytes_read_u16(&w->rest, &total) || !bytes_read_u16(&w->rest, &id) ||
	    !bytes_read_u16(&w->rest, &fragment) || !bytes_read_u8(&w->rest, &p->ttl) ||
	    !bytes_read_u8(&w->rest, &p->transport) || !bytes_skip(&w->rest, 2) || !bytes_take(&w->rest, 4, &source) ||
	    !bytes_take(&w->rest, 4, &destination) || !bytes_skip(&w->rest, header_bytes - IPV4_BYTES))
		return walk_short(w);
	if (total < header_bytes)
		return walk_refuse(w);
	p->source = address_v4(source.at);
	p->destination = address_v4(destination.at);
	if (header_bytes > IPV4_BYTES)
		p->oddities |= ODDITY_IP_OPTIONS;
	if (w->checksums && checksum_fold(checksum_add_unturned(0, header)))
		p->oddities |= ODDITY_IP_CHECKSUM;
	limit_to_ip_length(w, all.left, total);
	w->rerouted = false;
	if (fragment & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
		return read_ipv4_piece(w, id, fragment);
	return read_above_ip(w);
}

enum decode_result decode_ipv6(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes all = w->rest, source, destination;
	enum decode_result result;
	uint32_t first;
	uint16_t length;

	p->ip_offset = walk_offset(w);
	if (!bytes_read_u32(&w->rest, &first))
		return walk_short(w);
	if (first >> 28 != 6)
		return walk_refuse(w);
	if (!bytes_read_u16(&w->rest, &length) || !bytes_read_u8(&w->rest, &p->transport) ||
	    !bytes_read_u8(&w->rest, &p->ttl) || !bytes_take(&w->rest, 16, &source) ||
	    !bytes_take(&w->rest, 16, &destination))
		return walk_short(w);
	p->source = address_v6(source.at);
	p->destination = address_v6(destination.at);
	limit_to_ip_length(w, all.left, (size_t)IPV6_BYTES + length);
	result = decode_extensions(w);
	if (result == DECODE_PIECE) // of the whole datagram only the headers before the fragment's will be left, less the IPv6 header itself
		return read_piece(w, walk_offset(w) - p->ip_offset - IP6_FRAGMENT_BYTES - IPV6_BYTES);
	return result == DECODE_OK ? read_above_ip(w) : result;
}
