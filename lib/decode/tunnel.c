// SPDX-License-Identifier: GPL-2.0-or-later
// IP in IP and GRE: from the packet that carries to the one inside (what UDP carries stands in udp_tunnel.c). What is not opened is reported by the packet that carries it, with
// ODDITY_TUNNEL. Called by the thread that owns the frame.
#include "decode_impl.h"

enum {
	GRE_CHECKSUM = 0x8000, // RFC 2784 §2.1, RFC 2890 §2
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 0x0007,
	GRE_ACKNOWLEDGES = 0x0080, // in version 1, PPTP's (RFC 2637 §4.1)
	GRE_PPP = 0x880b,
};

static enum decode_result open_ipv4(struct walk *w);
static enum decode_result open_ipv6(struct walk *w);
static enum decode_result open_gre(struct walk *w);

static const struct tunnel_reader {
	uint8_t transport;
	read_fn read;
} tunnel_readers[] = {{4, open_ipv4}, {41, open_ipv6}, {47, open_gre}, {137 /* MPLS in IP */, decode_unopened}};

static const struct tunnel_reader *find_tunnel_reader(uint8_t transport)
{
	for (size_t i = 0; i < sizeof(tunnel_readers) / sizeof(tunnel_readers[0]); i++)
		if (tunnel_readers[i].transport == transport)
			return &tunnel_readers[i];
	return NULL;
}

bool decode_is_tunnel(uint8_t transport)
{
	return find_tunnel_reader(transport) != NULL;
}

enum decode_result decode_tunnel(struct walk *w)
{
	walk_set_payload(w);
	return find_tunnel_reader(w->packet->transport)->read(w);
}

enum decode_result decode_unopened(struct walk *w)
{
	w->packet->oddities |= ODDITY_TUNNEL;
	return DECODE_OK;
}

void decode_keep_outer(struct packet *p)
{
	struct packet kept = {.vlans = p->vlans, .tunnels = p->tunnels};

	memcpy(kept.vlan, p->vlan, sizeof(kept.vlan));
	memcpy(kept.tunnel, p->tunnel, sizeof(kept.tunnel));
	*p = kept;
}

// What is inside begins at w->rest.
enum decode_result decode_enter(struct walk *w, struct tunnel t, uint16_t ether_type, read_fn inner)
{
	struct packet *p = w->packet;
	uint16_t oddities = p->oddities;

	if (p->tunnels == w->opens)
		return decode_unopened(w);
	*w->outer = *p;
	w->inside = true;
	decode_keep_outer(p);
	p->oddities = oddities;
	p->ether_type = ether_type;
	t.ttl = w->outer->ttl;
	p->tunnel[p->tunnels++] = t;
	return walk_on(w, inner);
}

static enum decode_result open_ipv4(struct walk *w)
{
	return decode_enter(w, (struct tunnel){.kind = TUNNEL_IP}, ETHER_IPV4, decode_ipv4);
}

static enum decode_result open_ipv6(struct walk *w)
{
	return decode_enter(w, (struct tunnel){.kind = TUNNEL_IP}, ETHER_IPV6, decode_ipv6);
}

read_fn decode_reader_in(uint16_t protocol)
{
	static const struct {
		uint16_t protocol;
		read_fn read;
	} readers[] = {{ETHER_IPV4, decode_ipv4}, {ETHER_IPV6, decode_ipv6}, {ETHER_BRIDGED, decode_ethernet}};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].protocol == protocol)
			return readers[i].read;
	return NULL;
}

// The optional fields in their order; a receiver reads on by the flags alone (RFC 2784 §2.2 lets it ignore the reserved bits, as Linux does).
static bool read_gre_options(struct walk *w, uint16_t flags, uint32_t *key)
{
	return (!(flags & GRE_CHECKSUM) || bytes_skip(&w->rest, 4)) && (!(flags & GRE_KEY) || bytes_read_u32(&w->rest, key)) &&
	       (!(flags & GRE_SEQUENCE) || bytes_skip(&w->rest, 4));
}

// The key holds payload length and call. Without payload it only acknowledges; what PPP compresses or encrypts stays closed.
static enum decode_result open_pptp(struct walk *w, uint16_t flags)
{
	uint16_t length, call;

	if (!bytes_read_u16(&w->rest, &length) || !bytes_read_u16(&w->rest, &call) || (flags & GRE_SEQUENCE && !bytes_skip(&w->rest, 4)) ||
	    (flags & GRE_ACKNOWLEDGES && !bytes_skip(&w->rest, 4)))
		return walk_short(w);
	if (!length)
		return DECODE_OK;
	w->rest = bytes_head(w->rest, length);
	return decode_enter(w, (struct tunnel){.id = call, .kind = TUNNEL_GRE}, GRE_PPP, decode_ppp);
}

static enum decode_result open_gre(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes all = w->rest;
	uint16_t flags, protocol;
	uint32_t key = 0;
	read_fn inner;

	if (!bytes_read_u16(&w->rest, &flags) || !bytes_read_u16(&w->rest, &protocol))
		return walk_short(w);
	if (protocol == GRE_PPP && (flags & GRE_VERSION) == 1 && flags & GRE_KEY)
		return open_pptp(w, flags);
	inner = decode_reader_in(protocol);
	if (flags & (GRE_ROUTING | GRE_VERSION) || !inner)
		return decode_unopened(w);
	if (!read_gre_options(w, flags, &key))
		return walk_short(w);
	if (flags & GRE_CHECKSUM && w->checksums && all.left == w->ip_rest && checksum_fold(checksum_add_unturned(0, all)))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
	return decode_enter(w, (struct tunnel){.id = key, .kind = TUNNEL_GRE}, protocol, inner);
}
