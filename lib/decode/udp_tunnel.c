// SPDX-License-Identifier: GPL-2.0-or-later
// Tunnels in UDP: VXLAN, Geneve, GTP-U, AYIYA, Teredo, CAPWAP. A port is a hint only: anybody may use it for something else, whose packets must not be
// refused because a guess about them failed. So the header has to be one first, and where it is weak IP has to follow for sure. Called by the thread that owns
// the frame.
#include "decode_impl.h"

enum {
	VXLAN_HEADER = 0x08000000, // RFC 7348 §5: the I flag; what is reserved is 0, and Linux drops the frame otherwise
	GTP_DATA = 0x30ff,         // TS 29.281 §5.1: version 1, GTP, then flags; a G-PDU
	GTP_SPARE = 0x0800,        // no receiver looks at it
	GTP_FLAGS = 0x0700,        // an extension header, a sequence number, an N-PDU number: with any, all three fields are there
	GTP_EXTENSION = 0x0400,
	GTP_EXTENSIONS = 8,        // read at most
	GENEVE_VERSION = 0xc000,   // RFC 8926 §3.4
	GENEVE_OPTIONS = 0x3f00,
	GENEVE_CONTROL = 0x0080,   // and no data
	AYIYA_FORWARD = 1,
	TEREDO_AUTHENTICATION = 1, // RFC 4380 §5.1.1
	TEREDO_NONCE_BYTES = 9,    // and confirmation
	TEREDO_ORIGIN_BYTES = 6,
	CAPWAP_NATIVE = 0x0100,    // RFC 5415 §4.3: T, of header octets 2 and 3
	CAPWAP_FRAGMENT = 0x0080,
	CAPWAP_ODD = 0x000f,       // keep-alive and reserved
	CAPWAP_802_11 = 1,
	WLAN_DATA = 0x08,          // IEEE 802.11 §9.2.4.1: frame control, type data
	WLAN_TYPE = 0x0f,
	WLAN_SUBTYPE_QOS = 0x80,
	WLAN_SUBTYPE_EMPTY = 0x40,
	WLAN_BOTH_WAYS = 3,        // of its flags: a fourth address
	WLAN_PROTECTED = 0x40,
};

// --- VXLAN ---

static bool is_vxlan(struct bytes b)
{
	uint32_t flags, vni;

	return bytes_read_u32(&b, &flags) && bytes_read_u32(&b, &vni) && flags == VXLAN_HEADER && !(vni & 0xff);
}

static enum decode_result open_vxlan(struct walk *w)
{
	uint32_t vni = 0;

	bytes_skip(&w->rest, 4);
	bytes_read_u32(&w->rest, &vni);
	return decode_enter(w, (struct tunnel){.id = vni >> 8, .kind = TUNNEL_VXLAN}, ETHER_BRIDGED, decode_ethernet);
}

// --- Geneve ---

static bool is_geneve(struct bytes b)
{
	uint16_t flags, protocol;
	uint32_t vni;

	return bytes_read_u16(&b, &flags) && bytes_read_u16(&b, &protocol) && bytes_read_u32(&b, &vni) && !(flags & GENEVE_VERSION) &&
	       decode_reader_in(protocol);
}

static enum decode_result open_geneve(struct walk *w)
{
	uint16_t flags = 0, protocol = 0;
	uint32_t vni = 0;

	bytes_read_u16(&w->rest, &flags);
	bytes_read_u16(&w->rest, &protocol);
	bytes_read_u32(&w->rest, &vni);
	// What is marked as control some open all the same, and what is reserved a receiver ignores; but it hardly was meant as Geneve.
	if (flags & GENEVE_CONTROL || vni & 0xff || !bytes_skip(&w->rest, (flags & GENEVE_OPTIONS) >> 8 << 2))
		return decode_unopened(w);
	return decode_enter(w, (struct tunnel){.id = vni >> 8, .kind = TUNNEL_GENEVE}, protocol, decode_reader_in(protocol));
}

// --- What carries IP alone ---

static enum decode_result enter_ip(struct walk *w, struct tunnel t)
{
	uint8_t version = w->rest.left ? w->rest.at[0] >> 4 : 0;

	if (!decode_is_ip_for_sure(w))
		return decode_unopened(w);
	return decode_enter(w, t, version == 4 ? ETHER_IPV4 : ETHER_IPV6, version == 4 ? decode_ipv4 : decode_ipv6);
}

// Its length is no sign: Linux opens it whatever that says.
static bool is_gtp(struct bytes b)
{
	uint16_t head;

	return bytes_read_u16(&b, &head) && (head & ~(GTP_FLAGS | GTP_SPARE)) == GTP_DATA && b.left > 6;
}

// Each extension says its length in units of four octets, and in its last one what comes next.
static bool skip_gtp_options(struct bytes *b)
{
	struct bytes extension;
	uint8_t next, length;

	if (!bytes_skip(b, 3) || !bytes_read_u8(b, &next))
		return false;
	for (int i = 0; next && i < GTP_EXTENSIONS; i++) {
		if (!bytes_read_u8(b, &length) || !length || !bytes_take(b, length * 4u - 1, &extension))
			return false;
		next = extension.at[extension.left - 1];
	}
	return !next;
}

static enum decode_result open_gtp(struct walk *w)
{
	uint16_t head = 0;
	uint32_t teid = 0;

	bytes_read_u16(&w->rest, &head);
	bytes_skip(&w->rest, 2);
	bytes_read_u32(&w->rest, &teid);
	if (head & GTP_FLAGS) {
		if (!(head & GTP_EXTENSION) && w->rest.left >= 4)
			bytes_skip(&w->rest, 4);
		else if (!skip_gtp_options(&w->rest))
			return decode_unopened(w);
	}
	return enter_ip(w, (struct tunnel){.id = teid, .kind = TUNNEL_GTP});
}

// Lengths of identity (a power of two) and signature (in units of four octets), operation, next header, epoch.
static bool skip_ayiya(struct bytes *b)
{
	uint8_t identity, signature, operation, next;

	return bytes_read_u8(b, &identity) && bytes_read_u8(b, &signature) && bytes_read_u8(b, &operation) && bytes_read_u8(b, &next) &&
	       (operation & 15) == AYIYA_FORWARD && (next == 41 || next == 4) && bytes_skip(b, 4) && bytes_skip(b, 1u << (identity >> 4)) &&
	       bytes_skip(b, (signature >> 4) * 4u);
}

static bool skip_teredo(struct bytes *b)
{
	struct bytes peek = *b;
	uint16_t indication;
	uint8_t id, authentication;

	if (bytes_read_u16(&peek, &indication) && indication == TEREDO_AUTHENTICATION) {
		if (!bytes_read_u8(&peek, &id) || !bytes_read_u8(&peek, &authentication) ||
		    !bytes_skip(&peek, (size_t)id + authentication + TEREDO_NONCE_BYTES))
			return false;
		*b = peek;
	}
	peek = *b;
	if (bytes_read_u16(&peek, &indication) && indication == 0 && bytes_skip(&peek, TEREDO_ORIGIN_BYTES))
		*b = peek;
	return b->left && b->at[0] >> 4 == 6;
}

static bool is_ayiya(struct bytes b)
{
	return skip_ayiya(&b);
}

static bool is_teredo(struct bytes b)
{
	return skip_teredo(&b);
}

// Their headers are weak: where no IP follows, it is none of them.
static enum decode_result open_weak(struct walk *w, bool skipped, uint8_t kind)
{
	return skipped && decode_is_ip_for_sure(w) ? enter_ip(w, (struct tunnel){.kind = kind}) : DECODE_OK;
}

static enum decode_result open_ayiya(struct walk *w)
{
	return open_weak(w, skip_ayiya(&w->rest), TUNNEL_AYIYA);
}

static enum decode_result open_teredo(struct walk *w)
{
	return open_weak(w, skip_teredo(&w->rest), TUNNEL_TEREDO);
}

// --- CAPWAP ---

// Version and type 0 (in clear); no fragment, so its number and offset are 0.
static bool is_capwap(struct bytes b)
{
	uint16_t flags;
	uint32_t fragment;
	uint8_t preamble, lengths;

	return bytes_read_u8(&b, &preamble) && bytes_read_u8(&b, &lengths) && bytes_read_u16(&b, &flags) && bytes_read_u32(&b, &fragment) &&
	       preamble == 0 && lengths >> 3 >= 2 && !(flags & (CAPWAP_FRAGMENT | CAPWAP_ODD)) && (flags >> 9 & 31) == CAPWAP_802_11 && !fragment;
}

// A data frame; Cisco's have the two octets of frame control swapped.
static enum decode_result read_wlan(struct walk *w)
{
	uint8_t type, flags;
	bool swapped;

	if (!bytes_read_u8(&w->rest, &type) || !bytes_read_u8(&w->rest, &flags))
		return DECODE_OTHER;
	swapped = (type & WLAN_TYPE) != WLAN_DATA;
	if (swapped) {
		uint8_t other = type;

		type = flags;
		flags = other;
	}
	if ((type & WLAN_TYPE) != WLAN_DATA || type & WLAN_SUBTYPE_EMPTY || flags & WLAN_PROTECTED || !bytes_skip(&w->rest, 22))
		return DECODE_OTHER;
	if (((flags & WLAN_BOTH_WAYS) == WLAN_BOTH_WAYS && !bytes_skip(&w->rest, MAC_BYTES)) ||
	    (type & WLAN_SUBTYPE_QOS && !bytes_skip(&w->rest, 2)) || w->rest.left < 8)
		return DECODE_OTHER;
	return decode_snap(w);
}

static enum decode_result open_capwap(struct walk *w)
{
	struct bytes head = w->rest;
	uint8_t lengths = 0;
	uint16_t flags = 0;

	bytes_skip(&head, 1);
	bytes_read_u8(&head, &lengths);
	bytes_read_u16(&head, &flags);
	if (!bytes_skip(&w->rest, (lengths >> 3) * 4u))
		return decode_unopened(w);
	return decode_enter(w, (struct tunnel){.kind = TUNNEL_CAPWAP}, ETHER_BRIDGED, flags & CAPWAP_NATIVE ? read_wlan : decode_ethernet);
}

// --- Ports ---

read_fn decode_udp_tunnel(const struct packet *p, struct bytes payload)
{
	static const struct {
		uint16_t port;
		bool answers; // the server's end alone has the port
		bool (*is)(struct bytes payload);
		read_fn open;
	} tunnels[] = {
		{UDP_PORT_VXLAN, false, is_vxlan, open_vxlan}, {UDP_PORT_GENEVE, false, is_geneve, open_geneve},
		{UDP_PORT_GTP, true, is_gtp, open_gtp},        {UDP_PORT_AYIYA, true, is_ayiya, open_ayiya},
		{UDP_PORT_TEREDO, true, is_teredo, open_teredo}, {UDP_PORT_CAPWAP, true, is_capwap, open_capwap},
		{UDP_PORT_VXLAN_LINUX, false, is_vxlan, open_vxlan},
	};

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++)
		if ((p->destination_port == tunnels[i].port || (tunnels[i].answers && p->source_port == tunnels[i].port)) &&
		    tunnels[i].is(payload))
			return tunnels[i].open;
	return NULL;
}
