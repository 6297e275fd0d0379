// SPDX-License-Identifier: GPL-2.0-or-later
// What stands before the first IP header: Ethernet, tags, MPLS, PPP and PPPoE, cooked, loopback and FDDI headers. Knows no IP but its version. Called by the
// thread that owns the frame.
#include "decode_impl.h"

enum {
	MPLS_BOTTOM = 0x100, // RFC 3032 §2.1
	PPPOE_SESSION = 0x1100,
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_ADDRESS = 0xff03, // RFC 1662 §3.1: address and control, which a link may leave out
	PPI_BYTES = 8,
	PPP_CONTROL = 0x8000, // and above: speaks of the link, carries nothing (RFC 1661 §2)
};

static enum decode_result read_mpls(struct walk *w);
static enum decode_result read_pppoe(struct walk *w);

static enum decode_result read_unseen(struct walk *w)
{
	w->packet->oddities |= ODDITY_TUNNEL;
	return DECODE_OTHER;
}

// A tag still there after DECODE_TAGS of them counts as a tunnel: we know that we do not know what is inside.
static const struct ether_reader {
	uint16_t type;
	bool is_tag;
	read_fn read;
} ether_readers[] = {
	{ETHER_IPV4, false, decode_ipv4},
	{ETHER_IPV6, false, decode_ipv6},
	{0x8100, true, read_unseen}, // 802.1Q
	{0x88a8, true, read_unseen}, // 802.1ad
	{0x9100, true, read_unseen}, // QinQ before 802.1ad
	{0x8847, false, read_mpls},
	{0x8848, false, read_mpls}, // upstream label
	{0x8864, false, read_pppoe},
};

static const struct ether_reader *find_ether_reader(uint16_t type)
{
	for (size_t i = 0; i < sizeof(ether_readers) / sizeof(ether_readers[0]); i++)
		if (ether_readers[i].type == type)
			return &ether_readers[i];
	return NULL;
}

// RFC 894 puts a type behind the addresses, RFC 1042 a length, LLC, SNAP and then the type. Some hosts take both (RFC 1122 §2.3.3) and access points make one
// of the other; Linux takes no IP from the second. Whether its bytes belong to a stream only the receiver knows.
static bool is_behind_snap(struct bytes rest)
{
	static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0, 0, 0}, bridged[] = {0xaa, 0xaa, 0x03, 0, 0, 0xf8}; // IEEE 802.1H
	struct bytes llc;
	uint16_t type;

	return bytes_take(&rest, sizeof(snap), &llc) && bytes_read_u16(&rest, &type) && find_ether_reader(type) &&
	       (bytes_equal(llc, bytes_of(snap, sizeof(snap))) || bytes_equal(llc, bytes_of(bridged, sizeof(bridged))));
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
	if (p->ether_type < ETHER_TYPES && is_behind_snap(w->rest))
		p->oddities |= ODDITY_TUNNEL;
	return reader ? walk_on(w, reader->read) : DECODE_OTHER;
}

enum decode_result decode_ethernet(struct walk *w)
{
	if (!bytes_skip(&w->rest, 2 * MAC_BYTES))
		return DECODE_MALFORMED;
	return read_ether_type(w);
}

// pcap's LINKTYPE_LINUX_SLL: type, ARPHRD, address length, address, protocol.
enum decode_result decode_cooked(struct walk *w)
{
	if (!bytes_skip(&w->rest, 14))
		return DECODE_MALFORMED;
	return read_ether_type(w);
}

// LINKTYPE_LINUX_SLL2 has the protocol first and 18 bytes after it, so a tag's second half is found only behind those.
enum decode_result decode_cooked2(struct walk *w)
{
	struct packet *p = w->packet;
	const struct ether_reader *reader;
	uint16_t tag;

	if (!bytes_read_u16(&w->rest, &p->ether_type) || !bytes_skip(&w->rest, 18))
		return DECODE_MALFORMED;
	reader = find_ether_reader(p->ether_type);
	if (!reader || !reader->is_tag)
		return reader ? walk_on(w, reader->read) : DECODE_OTHER;
	if (!bytes_read_u16(&w->rest, &tag))
		return DECODE_MALFORMED;
	p->vlan[p->vlans++] = tag & VLAN_ID;
	return read_ether_type(w);
}

enum decode_result decode_raw(struct walk *w)
{
	struct bytes peek = w->rest;
	uint8_t version;

	if (!bytes_read_u8(&peek, &version))
		return DECODE_MALFORMED;
	version >>= 4;
	if (version != 4 && version != 6)
		return DECODE_OTHER;
	w->packet->ether_type = version == 4 ? ETHER_IPV4 : ETHER_IPV6;
	return walk_on(w, version == 4 ? decode_ipv4 : decode_ipv6);
}

// The family is in the byte order of the machine that captured; AF_INET6 differs between the BSDs, Darwin and Linux, so
// the IP version decides between 4 and 6. Some write an EtherType into its second half.
enum decode_result decode_null(struct walk *w)
{
	static const uint32_t families[] = {2, 10, 24, 28, 30};
	uint32_t family;

	if (!bytes_read_u32(&w->rest, &family))
		return DECODE_MALFORMED;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (family == families[i] || family == __builtin_bswap32(families[i]))
			return walk_on(w, decode_raw);
	if ((family & 0xffff) == ETHER_IPV4 || (family & 0xffff) == ETHER_IPV6)
		return walk_on(w, decode_raw);
	return DECODE_OTHER;
}

// MPLS does not say what it carries. What only looks like IP by its first nibble may be the MAC address of a pseudowire, and must not be refused for
// a wrong length or sum; so it has to be an IP header first.
bool decode_is_ip_for_sure(const struct walk *w)
{
	struct bytes b = w->rest, header;
	size_t cut_by_capture = w->frame->wire_bytes > w->frame->bytes ? w->frame->wire_bytes - w->frame->bytes : 0;
	size_t room = b.left + cut_by_capture, header_bytes;
	uint8_t first, second;
	uint16_t third, length;

	if (!bytes_read_u8(&b, &first) || !bytes_read_u8(&b, &second) || !bytes_read_u16(&b, &length) ||
	    !bytes_read_u16(&b, &third))
		return false;
	if (first >> 4 == 6) // its payload length is the third pair
		return (size_t)IPV6_BYTES + third <= room && w->rest.left >= IPV6_BYTES;
	header_bytes = (first & 15) * 4u;
	b = w->rest;
	return first >> 4 == 4 && header_bytes >= IPV4_BYTES && length >= header_bytes && length <= room &&
	       bytes_take(&b, header_bytes, &header) && !checksum_fold(checksum_add_unturned(0, header));
}

static enum decode_result read_mpls(struct walk *w)
{
	uint32_t label = 0;

	for (int i = 0; i < DECODE_LABELS && !(label & MPLS_BOTTOM); i++)
		if (!bytes_read_u32(&w->rest, &label))
			return DECODE_MALFORMED;
	if (!(label & MPLS_BOTTOM) || !decode_is_ip_for_sure(w))
		return read_unseen(w);
	return decode_raw(w);
}

// RFC 1661 §2; a link may leave out the first octet of the protocol if it is 0 (§6.5): the last one is odd.
static enum decode_result read_ppp_protocol(struct walk *w)
{
	uint8_t high = 0, low;
	unsigned protocol;

	if (!bytes_read_u8(&w->rest, &low) || (!(low & 1) && (high = low, !bytes_read_u8(&w->rest, &low))))
		return DECODE_MALFORMED;
	protocol = (unsigned)high << 8 | low;
	if (protocol >= PPP_CONTROL)
		return DECODE_OTHER;
	if (protocol != PPP_IPV4 && protocol != PPP_IPV6)
		return read_unseen(w);
	w->packet->ether_type = protocol == PPP_IPV4 ? ETHER_IPV4 : ETHER_IPV6;
	return walk_on(w, protocol == PPP_IPV4 ? decode_ipv4 : decode_ipv6);
}

// LINKTYPE_PPP and LINKTYPE_PPP_HDLC: with or without address and control.
enum decode_result decode_ppp(struct walk *w)
{
	struct bytes peek = w->rest;
	uint16_t first;

	if (bytes_read_u16(&peek, &first) && first == PPP_ADDRESS)
		w->rest = peek;
	return read_ppp_protocol(w);
}

// LINKTYPE_PPI: version, flags, length of this header and LINKTYPE_ of what follows, little-endian.
enum decode_result decode_ppi(struct walk *w)
{
	static const struct {
		uint32_t type;
		read_fn read;
	} types[] = {{1, decode_ethernet}, {0, decode_null}, {9, decode_ppp}, {101, decode_raw}, {113, decode_cooked}};
	struct bytes head = w->rest;
	uint16_t length;
	uint32_t type;

	if (!bytes_skip(&head, 2) || !bytes_read_u16(&head, &length) || !bytes_read_u32(&head, &type))
		return DECODE_MALFORMED;
	length = __builtin_bswap16(length);
	if (length < PPI_BYTES || !bytes_skip(&w->rest, length))
		return DECODE_MALFORMED;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == __builtin_bswap32(type))
			return walk_on(w, types[i].read);
	return DECODE_OTHER;
}

enum decode_result decode_snap(struct walk *w)
{
	static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	struct bytes llc;

	if (!bytes_take(&w->rest, sizeof(snap), &llc))
		return DECODE_MALFORMED;
	return bytes_equal(llc, bytes_of(snap, sizeof(snap))) ? read_ether_type(w) : DECODE_OTHER;
}

// RFC 1188: frame control and addresses.
enum decode_result decode_fddi(struct walk *w)
{
	return bytes_skip(&w->rest, 1 + 2 * MAC_BYTES) ? decode_snap(w) : DECODE_MALFORMED;
}

// RFC 2516 §4. The length is the sender's word for where padding begins.
static enum decode_result read_pppoe(struct walk *w)
{
	uint16_t version_and_code, length;

	if (!bytes_read_u16(&w->rest, &version_and_code) || !bytes_skip(&w->rest, 2) || !bytes_read_u16(&w->rest, &length))
		return DECODE_MALFORMED;
	if (version_and_code != PPPOE_SESSION)
		return read_unseen(w);
	if (length > w->rest.left)
		w->packet->oddities |= ODDITY_CUT;
	w->rest = bytes_head(w->rest, length);
	return read_ppp_protocol(w);
}
