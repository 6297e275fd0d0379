// SPDX-License-Identifier: GPL-2.0-or-later
// The chain of IPv6 extension headers, fragment header included. Called by the thread that owns the frame.
#include "decode_impl.h"

enum { IP6_MORE_FRAGMENTS = 0x0001, IP6_FRAGMENT_OFFSET = 0xfff8, IP6_ROUTING = 43, IP6_FRAGMENT = 44 };

struct chain {
	struct walk *walk;
	uint32_t next_at; // from ip_offset: the byte that names the header being read
	bool fragment_seen;
};

// The ones of RFC 7045 §1.1 that are a length-prefixed option block. ESP and AH end the chain: what follows is not ours
// to read.
static bool is_extension(uint8_t next)
{
	static const uint8_t extensions[] = {0, IP6_ROUTING, IP6_FRAGMENT, 60, 135, 139, 140};

	return memchr(extensions, next, sizeof(extensions)) != NULL;
}

// RFC 8200 §4.5. Two fragment headers in one packet are no stack's doing.
static enum decode_result read_fragment_header(struct chain *c, uint8_t next)
{
	struct walk *w = c->walk;
	struct packet *p = w->packet;
	uint16_t fragment;
	uint32_t id;

	if (c->fragment_seen || p->fragment_next)
		return walk_refuse(w);
	if (!bytes_skip(&w->rest, 1) || !bytes_read_u16(&w->rest, &fragment) || !bytes_read_u32(&w->rest, &id))
		return walk_short(w);
	c->fragment_seen = true;
	if (!(fragment & (IP6_MORE_FRAGMENTS | IP6_FRAGMENT_OFFSET)))
		return DECODE_OK;
	p->transport = next;
	p->fragment_id = id;
	p->fragment_offset = fragment & IP6_FRAGMENT_OFFSET;
	p->fragment_more = fragment & IP6_MORE_FRAGMENTS;
	p->fragment_next = (uint16_t)c->next_at;
	w->ip_rest -= IP6_FRAGMENT_BYTES;
	return DECODE_PIECE;
}

// An option block after its next-header byte.
static enum decode_result read_options(struct chain *c, uint8_t kind)
{
	struct walk *w = c->walk;
	struct bytes body;
	uint8_t eights, routing_type, hops_left;

	w->packet->oddities |= ODDITY_IP_OPTIONS;
	if (!bytes_read_u8(&w->rest, &eights) || !bytes_take(&w->rest, eights * 8u + 6, &body))
		return walk_short(w);
	if (kind == IP6_ROUTING && bytes_read_u8(&body, &routing_type) && bytes_read_u8(&body, &hops_left) && hops_left)
		w->rerouted = true;
	return DECODE_OK;
}

static enum decode_result read_extension(struct chain *c)
{
	struct walk *w = c->walk;
	uint8_t kind = w->packet->transport, next;
	size_t before = w->rest.left;
	uint32_t at = walk_offset(w) - w->packet->ip_offset;
	enum decode_result result;

	if (!bytes_read_u8(&w->rest, &next))
		return walk_short(w);
	result = kind == IP6_FRAGMENT ? read_fragment_header(c, next) : read_options(c, kind);
	if (result != DECODE_OK)
		return result;
	w->ip_rest -= before - w->rest.left;
	w->packet->transport = next;
	c->next_at = at;
	return DECODE_OK;
}

// Would the header at w->rest end past the budget?
static bool is_too_long(const struct walk *w, size_t budget)
{
	struct bytes peek = w->rest;
	uint8_t next, eights;

	if (w->packet->transport == IP6_FRAGMENT)
		return budget < IP6_FRAGMENT_BYTES;
	if (!bytes_read_u8(&peek, &next) || !bytes_read_u8(&peek, &eights))
		return false;
	return peek.left >= eights * 8u + 6 && eights * 8u + 8 > budget;
}

// A chain longer than our limits is left where it stands: p->transport is then the number of the first extension not
// read, so that the packet is known by its addresses and counted as an unknown transport.
enum decode_result decode_extensions(struct walk *w)
{
	struct chain c = {.walk = w, .next_at = 6};
	size_t budget = DECODE_EXTENSION_BYTES, before = w->rest.left;

	w->rerouted = false;
	for (int i = 0; is_extension(w->packet->transport); i++) {
		enum decode_result result;

		if (i == DECODE_EXTENSIONS || is_too_long(w, budget - (before - w->rest.left))) {
			w->packet->oddities |= ODDITY_EXTENSIONS;
			return DECODE_OK;
		}
		result = read_extension(&c);
		if (result != DECODE_OK)
			return result;
	}
	return DECODE_OK;
}
