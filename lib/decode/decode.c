// SPDX-License-Identifier: GPL-2.0-or-later
// Link and IP layers of one frame. Knows tags, cooked and loopback headers, IPv4 options, the IPv6 extension chain,
// fragments and tunnels from outside; deliberately not what a fragment or a tunnel holds. Called by the thread that
// owns the frame.
#include "decode_impl.h"

enum {
	IP_MORE_FRAGMENTS = 0x2000,
	IP_FRAGMENT_OFFSET = 0x1fff,
	IP6_MORE_FRAGMENTS = 0x0001,
	IP6_FRAGMENT_OFFSET = 0xfff8,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	VLAN_ID = 0x0fff,
	IP_BYTES_IN_SHORTEST_FRAME = 46, // 64 less Ethernet header and FCS: below that a sender pads
};

static enum decode_result read_ipv4(struct walk *w);
static enum decode_result read_ipv6(struct walk *w);

static enum decode_result read_unseen(struct walk *w)
{
	w->packet->oddities |= ODDITY_TUNNEL;
	return DECODE_OTHER;
}

// A tag still there after DECODE_TAGS of them counts as a tunnel: we know that we do not know what is inside.
static const struct ether_reader {
	uint16_t type;
	bool is_tag;
	enum decode_result (*read)(struct walk *w);
} ether_readers[] = {
	{ETHER_IPV4, false, read_ipv4},
	{ETHER_IPV6, false, read_ipv6},
	{0x8100, true, read_unseen},  // 802.1Q
	{0x88a8, true, read_unseen},  // 802.1ad
	{0x9100, true, read_unseen},  // QinQ before 802.1ad
	{0x8847, false, read_unseen}, // MPLS
	{0x8848, false, read_unseen}, // MPLS, upstream label
	{0x8864, false, read_unseen}, // PPPoE session
};

static const struct ether_reader *find_ether_reader(uint16_t type)
{
	for (size_t i = 0; i < sizeof(ether_readers) / sizeof(ether_readers[0]); i++)
		if (ether_readers[i].type == type)
			return &ether_readers[i];
	return NULL;
}

static enum decode_result read_ether_type(struct walk *w)
{
	struct packet *p = w->packet;
	const struct ether_reader *reader;
	uint16_t tag;

	if (!bytes_read_u16(&w->rest, &p->ether_type))
		return DECODE_MALFORMED;
	reader = find_ether_reader(p->ether_type);
	while (reader && reader->is_tag && p->vlans < DECODE_TAGS) {
		if (!bytes_read_u16(&w->rest, &tag) || !bytes_read_u16(&w->rest, &p->ether_type))
			return DECODE_MALFORMED;
		p->vlan[p->vlans++] = tag & VLAN_ID;
		reader = find_ether_reader(p->ether_type);
	}
	return reader ? reader->read(w) : DECODE_OTHER;
}

static enum decode_result read_ethernet(struct walk *w)
{
	if (!bytes_skip(&w->rest, 2 * MAC_BYTES))
		return DECODE_MALFORMED;
	return read_ether_type(w);
}

// pcap's LINKTYPE_LINUX_SLL: type, ARPHRD, address length, address, protocol.
static enum decode_result read_cooked(struct walk *w)
{
	if (!bytes_skip(&w->rest, 14))
		return DECODE_MALFORMED;
	return read_ether_type(w);
}

// LINKTYPE_LINUX_SLL2 has the protocol first and 18 bytes after it, so a tag's second half is found only behind those.
static enum decode_result read_cooked2(struct walk *w)
{
	struct packet *p = w->packet;
	const struct ether_reader *reader;
	uint16_t tag;

	if (!bytes_read_u16(&w->rest, &p->ether_type) || !bytes_skip(&w->rest, 18))
		return DECODE_MALFORMED;
	reader = find_ether_reader(p->ether_type);
	if (!reader || !reader->is_tag)
		return reader ? reader->read(w) : DECODE_OTHER;
	if (!bytes_read_u16(&w->rest, &tag))
		return DECODE_MALFORMED;
	p->vlan[p->vlans++] = tag & VLAN_ID;
	return read_ether_type(w);
}

static enum decode_result read_raw(struct walk *w)
{
	struct bytes peek = w->rest;
	uint8_t version;

	if (!bytes_read_u8(&peek, &version))
		return DECODE_MALFORMED;
	version >>= 4;
	if (version != 4 && version != 6)
		return DECODE_OTHER;
	w->packet->ether_type = version == 4 ? ETHER_IPV4 : ETHER_IPV6;
	return version == 4 ? read_ipv4(w) : read_ipv6(w);
}

// The family is in the byte order of the machine that captured; AF_INET6 differs between the BSDs, Darwin and Linux, so
// the IP version decides between 4 and 6.
static enum decode_result read_null(struct walk *w)
{
	static const uint32_t families[] = {2, 10, 24, 28, 30};
	uint32_t family;

	if (!bytes_read_u32(&w->rest, &family))
		return DECODE_MALFORMED;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (family == families[i] || family == __builtin_bswap32(families[i]))
			return read_raw(w);
	return DECODE_OTHER;
}

static const struct ip_tunnel {
	uint8_t transport;
} ip_tunnels[] = {{4} /* IPv4 inside */, {41} /* IPv6 inside */, {47} /* GRE */, {137} /* MPLS in IP */};

// Sets what follows by the IP length and notes where that differs from the frame. `total` counts from ip_offset.
static void limit_to_ip_length(struct walk *w, size_t total)
{
	struct packet *p = w->packet;
	size_t in_frame = w->frame->bytes - p->ip_offset;
	size_t consumed = walk_offset(w) - p->ip_offset;

	if (in_frame < total)
		p->oddities |= ODDITY_CUT;
	else if (in_frame > total && in_frame > IP_BYTES_IN_SHORTEST_FRAME)
		p->oddities |= ODDITY_TRAILER;
	w->ip_rest = total - consumed;
	w->rest = bytes_head(w->rest, w->ip_rest);
}

static enum decode_result read_above_ip(struct walk *w)
{
	struct packet *p = w->packet;

	p->transport_offset = walk_offset(w);
	for (size_t i = 0; i < sizeof(ip_tunnels) / sizeof(ip_tunnels[0]); i++)
		if (ip_tunnels[i].transport == p->transport)
			p->oddities |= ODDITY_TUNNEL;
	return decode_transport(w);
}

static enum decode_result read_ipv4(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes whole = w->rest, header, source, destination;
	uint16_t total, fragment;
	uint8_t first;
	size_t header_bytes;

	p->ip_offset = walk_offset(w);
	if (!bytes_read_u8(&w->rest, &first) || first >> 4 != 4)
		return DECODE_MALFORMED;
	header_bytes = (first & 15) * 4u;
	if (header_bytes < IPV4_BYTES || !bytes_take(&whole, header_bytes, &header))
		return DECODE_MALFORMED;
	if (!bytes_skip(&w->rest, 1) || !bytes_read_u16(&w->rest, &total) || !bytes_skip(&w->rest, 2) ||
	    !bytes_read_u16(&w->rest, &fragment) || !bytes_read_u8(&w->rest, &p->ttl) ||
	    !bytes_read_u8(&w->rest, &p->transport) || !bytes_skip(&w->rest, 2) || !bytes_take(&w->rest, 4, &source) ||
	    !bytes_take(&w->rest, 4, &destination))
		return DECODE_MALFORMED;
	if (total < header_bytes)
		return DECODE_MALFORMED;
	p->source = address_v4(source.at);
	p->destination = address_v4(destination.at);
	if (header_bytes > IPV4_BYTES)
		p->oddities |= ODDITY_IP_OPTIONS;
	if (w->checksums && checksum_fold(checksum_add(0, header)))
		p->oddities |= ODDITY_IP_CHECKSUM;
	if (!bytes_skip(&w->rest, header_bytes - IPV4_BYTES))
		return DECODE_MALFORMED;
	limit_to_ip_length(w, total);
	if (fragment & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
		return DECODE_PIECE;
	return read_above_ip(w);
}

// The ones of RFC 7045 §1.1 that are a length-prefixed option block. ESP and AH end the chain: what follows is not ours
// to read.
static bool is_extension(uint8_t next)
{
	static const uint8_t extensions[] = {0, IP6_ROUTING, IP6_FRAGMENT, 60, 135, 139, 140};

	return memchr(extensions, next, sizeof(extensions)) != NULL;
}

// RFC 8200 §4.5. Two fragment headers in one packet are no stack's doing.
static enum decode_result read_fragment_header(struct walk *w, bool *seen)
{
	uint16_t fragment;

	if (*seen || !bytes_skip(&w->rest, 1) || !bytes_read_u16(&w->rest, &fragment) || !bytes_skip(&w->rest, 4))
		return DECODE_MALFORMED;
	*seen = true;
	return fragment & (IP6_MORE_FRAGMENTS | IP6_FRAGMENT_OFFSET) ? DECODE_PIECE : DECODE_OK;
}

// One extension after its next-header byte, which the caller has read.
static enum decode_result read_extension(struct walk *w, uint8_t kind, bool *fragment_seen)
{
	struct bytes body;
	uint8_t eights, routing_type, hops_left;

	if (kind == IP6_FRAGMENT)
		return read_fragment_header(w, fragment_seen);
	w->packet->oddities |= ODDITY_IP_OPTIONS;
	if (!bytes_read_u8(&w->rest, &eights) || !bytes_take(&w->rest, eights * 8u + 6, &body))
		return DECODE_MALFORMED;
	if (kind == IP6_ROUTING && bytes_read_u8(&body, &routing_type) && bytes_read_u8(&body, &hops_left) && hops_left)
		w->rerouted = true;
	return DECODE_OK;
}

// A chain longer than our limits is left where it stands: p->transport is then the number of the first extension not
// read, so that the packet is known by its addresses and counted as an unknown transport.
static enum decode_result read_extensions(struct walk *w)
{
	struct packet *p = w->packet;
	size_t before = w->rest.left;
	bool fragment_seen = false;

	for (int i = 0; i < DECODE_EXTENSIONS && is_extension(p->transport); i++) {
		struct walk tried = *w;
		enum decode_result result;
		uint8_t next;

		if (!bytes_read_u8(&tried.rest, &next))
			return DECODE_MALFORMED;
		result = read_extension(&tried, p->transport, &fragment_seen);
		if (result == DECODE_MALFORMED)
			return result;
		if (before - tried.rest.left > DECODE_EXTENSION_BYTES)
			break;
		tried.ip_rest -= w->rest.left - tried.rest.left;
		*w = tried;
		p->transport = next;
		if (result == DECODE_PIECE)
			return result;
	}
	return DECODE_OK;
}

static enum decode_result read_ipv6(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes source, destination;
	enum decode_result result;
	uint32_t first;
	uint16_t length;

	p->ip_offset = walk_offset(w);
	if (!bytes_read_u32(&w->rest, &first) || first >> 28 != 6)
		return DECODE_MALFORMED;
	if (!bytes_read_u16(&w->rest, &length) || !bytes_read_u8(&w->rest, &p->transport) ||
	    !bytes_read_u8(&w->rest, &p->ttl) || !bytes_take(&w->rest, 16, &source) ||
	    !bytes_take(&w->rest, 16, &destination))
		return DECODE_MALFORMED;
	p->source = address_v6(source.at);
	p->destination = address_v6(destination.at);
	limit_to_ip_length(w, (size_t)IPV6_BYTES + length);
	result = read_extensions(w);
	return result == DECODE_OK ? read_above_ip(w) : result;
}

enum decode_result decode_frame(const struct frame *f, bool checksums, struct packet *p)
{
	static enum decode_result (*const readers[])(struct walk *w) = {
		[LINK_ETHERNET] = read_ethernet, [LINK_RAW] = read_raw,   [LINK_COOKED] = read_cooked,
		[LINK_COOKED2] = read_cooked2,   [LINK_NULL] = read_null,
	};
	struct walk w = {.frame = f, .packet = p, .rest = bytes_of(f->at, f->bytes), .checksums = checksums};

	memset(p, 0, sizeof(*p));
	if (f->link >= sizeof(readers) / sizeof(readers[0]))
		return DECODE_OTHER;
	return readers[f->link](&w);
}
