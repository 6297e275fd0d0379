// SPDX-License-Identifier: GPL-2.0-or-later
// IP in IP, GRE and VXLAN: from the packet that carries to the one inside. What is not opened is reported by the packet that carries it, with
// ODDITY_TUNNEL. Called by the thread that owns the frame.
#include "decode_impl.h"

enum {
	GRE_CHECKSUM = 0x8000, // RFC 2784 §2.1, RFC 2890 §2
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 0x0007,
	VXLAN_HEADER = 0x08000000, // RFC 7348 §5: the I flag; what is reserved is 0, and Linux drops the frame otherwise
	VXLAN_BYTES = 8,
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
static enum decode_result enter(struct walk *w, struct tunnel t, uint16_t ether_type, read_fn inner)
{
	struct packet *p = w->packet;
	uint16_t oddities = p->oddities;

	if (p->tunnels == DECODE_TUNNELS)
		return decode_unopened(w);
	*w->outer = *p;
	w->inside = true;
	decode_keep_outer(p);
	p->oddities = oddities;
	p->ether_type = ether_type;
	p->tunnel[p->tunnels++] = t;
	return walk_on(w, inner);
}

static enum decode_result open_ipv4(struct walk *w)
{
	return enter(w, (struct tunnel){.kind = TUNNEL_IP}, ETHER_IPV4, decode_ipv4);
}

static enum decode_result open_ipv6(struct walk *w)
{
	return enter(w, (struct tunnel){.kind = TUNNEL_IP}, ETHER_IPV6, decode_ipv6);
}

static read_fn reader_in_gre(uint16_t protocol)
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

static enum decode_result open_gre(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes all = w->rest;
	uint16_t flags, protocol;
	uint32_t key = 0;
	read_fn inner;

	if (!bytes_read_u16(&w->rest, &flags) || !bytes_read_u16(&w->rest, &protocol))
		return walk_short(w);
	inner = reader_in_gre(protocol);
	if (flags & (GRE_ROUTING | GRE_VERSION) || !inner)
		return decode_unopened(w);
	if (!read_gre_options(w, flags, &key))
		return walk_short(w);
	if (flags & GRE_CHECKSUM && w->checksums == DECODE_CHECKSUMS && all.left == w->ip_rest && checksum_fold(checksum_add_unturned(0, all)))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
	return enter(w, (struct tunnel){.id = key, .kind = TUNNEL_GRE}, protocol, inner);
}

bool decode_is_vxlan(struct bytes header)
{
	uint32_t flags, vni;

	return bytes_read_u32(&header, &flags) && bytes_read_u32(&header, &vni) && flags == VXLAN_HEADER && !(vni & 0xff);
}

enum decode_result decode_vxlan(struct walk *w)
{
	uint32_t vni = 0;

	if (!decode_is_vxlan(w->rest))
		return decode_unopened(w);
	bytes_skip(&w->rest, 4);
	bytes_read_u32(&w->rest, &vni);
	return enter(w, (struct tunnel){.id = vni >> 8, .kind = TUNNEL_VXLAN}, ETHER_BRIDGED, decode_ethernet);
}
