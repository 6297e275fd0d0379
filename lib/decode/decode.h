// SPDX-License-Identifier: GPL-2.0-or-later
// Frame → packet: what the bytes of one frame say, layers 2 to 4, inside tunnels too. Knows no connections and no time. Work is bounded by
// the limits below. Never reads past frame.bytes.
#pragma once
#include "address.h"

enum decode_limits { DECODE_TAGS = 3, DECODE_LABELS = 4, DECODE_TUNNELS = 2, DECODE_EXTENSIONS = 8, DECODE_EXTENSION_BYTES = 256 };

enum link_type {
	LINK_ETHERNET, LINK_RAW /* starts with IP */, LINK_COOKED /* Linux SLL */, LINK_COOKED2, LINK_NULL /* BSD loopback */,
	LINK_PPP, LINK_PPI /* a capture's own header, then another of these */, LINK_FDDI,
};

enum decode_result {
	DECODE_OK,        // addresses and transport are known
	DECODE_OTHER,     // not IP: forward, nothing to inspect
	DECODE_PIECE,     // an IP fragment: addresses known, no ports; its payload is the fragment's data. (An IPv6 atomic fragment is DECODE_OK)
	DECODE_MALFORMED, // headers contradict themselves or the frame; with ODDITY_HEADER no receiver takes it
};

enum packet_oddity { // bits
	ODDITY_CUT = 1 << 0,            // what is there is shorter than an IP length, of any level
	ODDITY_TRAILER = 1 << 1,        // what is there is longer than an IP length (more than Ethernet padding)
	ODDITY_IP_CHECKSUM = 1 << 2,    // of any level
	ODDITY_TRANSPORT_CHECKSUM = 1 << 3, // of any level, GRE's included
	ODDITY_IP_OPTIONS = 1 << 4,     // IPv4 options or IPv6 extension headers other than a fragment's
	ODDITY_TUNNEL = 1 << 5,         // a tunnel of another kind, deeper than DECODE_TUNNELS or without IP: what is inside is not looked at
	ODDITY_FLAGS = 1 << 6,          // TCP flags no stack sends (SYN+FIN, SYN+RST, null, Xmas)
	ODDITY_OFFSET = 1 << 7,         // TCP data offset below 5 or past the segment
	ODDITY_OPTIONS = 1 << 8,        // TCP options of length 0, 1 or past the header. Linux takes the segment: it ignores that option and all after it
	ODDITY_LENGTH = 1 << 9,         // UDP length contradicts IP length. Linux takes one that is shorter (and, in IPv6, 0)
	ODDITY_HEADER = 1 << 10,        // no receiver takes it: a length or offset that cannot be, a nested IPv6 fragment header, a fragment past 65,535
	                                // bytes or without its transport header. Never for what only a cut capture lacks
	ODDITY_EXTENSIONS = 1 << 11,    // an IPv6 chain longer than DECODE_EXTENSIONS or _BYTES: transport is the first header not read
	// What the wire refuses inline (evasion rows 14-17, 30, 31, 57-63, 83); a CUT frame has its own counter
	ODDITIES_REFUSED = ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM | ODDITY_FLAGS | ODDITY_OFFSET | ODDITY_LENGTH | ODDITY_HEADER,
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };
enum { TRANSPORT_ICMP = 1, TRANSPORT_TCP = 6, TRANSPORT_UDP = 17, TRANSPORT_ICMP6 = 58 };

struct frame {             // bytes from a port; borrowed
	const uint8_t *at;
	uint32_t bytes;        // what we have
	uint32_t wire_bytes;   // what was on the wire (larger in a cut capture)
	uint64_t unix_ns;      // when it came
	uint16_t port;         // 0 inside port, 1 outside port; in replay always 0
	uint8_t link;          // enum link_type
};

enum tunnel_kind {
	TUNNEL_NONE, TUNNEL_IP /* IPv4 or IPv6 in either */, TUNNEL_GRE /* PPTP's too */, TUNNEL_VXLAN,
	TUNNEL_GTP, TUNNEL_GENEVE, TUNNEL_AYIYA, TUNNEL_TEREDO, TUNNEL_CAPWAP,
};

struct tunnel {
	uint32_t id;  // GRE: its key, 0 = none; of PPTP the call. VXLAN, Geneve: VNI. GTP: TEID. Others: 0
	uint8_t kind; // enum tunnel_kind
	uint8_t ttl;  // hops left of the packet that carries it
};

struct packet {
	struct address source, destination; // of the innermost IP header looked at
	uint16_t source_port, destination_port; // host order; ICMP: type<<8|code and 0
	uint16_t vlan[DECODE_TAGS];  // VLAN ids outermost first, those inside tunnels included
	uint8_t vlans;
	uint8_t tunnels;             // of tunnel[], outermost first
	struct tunnel tunnel[DECODE_TUNNELS];
	uint32_t fragment_id;        // DECODE_PIECE: IPv4 identification (16 bits) or that of RFC 8200 §4.5
	uint16_t fragment_offset;    // DECODE_PIECE: in bytes, a multiple of 8
	uint16_t fragment_next;      // DECODE_PIECE, IPv6: where, from ip_offset, the byte stands that says a fragment header follows
	uint8_t fragment_more;       // DECODE_PIECE: more follow
	uint8_t has_signature;       // TCP: an MD5 option (RFC 2385) or TCP-AO (RFC 5925)
	uint8_t has_timestamp;       // TCP: a timestamp option (RFC 7323 §3), value below; of several the last, as Linux does
	uint32_t timestamp;
	uint16_t urgent;             // TCP: urgent pointer, with TCP_URG
	uint8_t transport;           // IP protocol number
	uint8_t ttl;                 // TTL or hop limit
	uint8_t tcp_flags;
	uint16_t oddities;           // enum packet_oddity
	uint16_t ether_type;         // of the innermost header looked at
	uint32_t ip_offset;          // from frame start
	uint32_t transport_offset;   // 0 for a fragment
	uint32_t payload_offset;
	uint32_t payload_bytes;      // by the IP length, never past the frame
	uint32_t seq, ack;           // TCP, host order
	uint16_t window;             // TCP, unscaled
	uint8_t window_scale;        // from a SYN's option, at most 14
	uint8_t has_window_scale;
};

enum decode_checksums {
	DECODE_NO_CHECKSUMS,
	DECODE_CHECKSUMS,    // all there are
};

// Fills *p from *f. Fields not reached stay zero. Wrong checksums are oddity bits.
enum decode_result decode_frame(const struct frame *f, enum decode_checksums checksums, struct packet *p);
// What decides whether a packet may go by unseen, read at the least cost.
struct glance {
	uint64_t source[2], destination[2]; // bytes as in struct address, in the order of memory
	uint16_t source_port, destination_port; // network order
	uint8_t family, transport;
};
// The ends of a plain Ethernet frame: IPv4 without options or IPv6 without extensions, no fragment, below it TCP or UDP that is no tunnel. Nothing else
// of it is read or verified. false: it is anything else, and *g is not to be used.
bool decode_glance(const struct frame *f, struct glance *g);
// The packet that carries tunnel `i` (0: the outermost) of a frame in which decode_frame found so many. No checksums.
enum decode_result decode_carrier(const struct frame *f, unsigned i, struct packet *p);
// The same from an IP header at `ip_offset` on, below which everything was read before: link, tags and tunnels in *p are kept, the rest is filled
// anew. For a datagram put together from fragments.
enum decode_result decode_datagram(const struct frame *f, uint32_t ip_offset, enum decode_checksums checksums, struct packet *p);

// The payload; empty where there is none.
static inline struct bytes packet_payload(const struct frame *f, const struct packet *p)
{
	return (struct bytes){f->at + p->payload_offset, p->payload_bytes};
}

// Takes the urgent mark and pointer out of a whole TCP header that decode has read, and mends the checksum: a receiver then takes that byte like any
// other, as we do. (Readers differ on which byte is urgent and whether it is in the stream: RFC 6093 §2, evasion 68.)
void decode_clear_urgent(uint8_t *frame, const struct packet *p);

enum { DECODE_RESET_BYTES = 128 };

// Builds a TCP reset in `out`, ready to transmit out of the port it goes to, from a frame of the same flow: link header, tags and
// IP version are copied. `forward` true: same direction as the model frame (its source to its destination), false: the other way.
// seq must be the receiver's RCV.NXT (RFC 5961 §3); the segment is RST|ACK with `ack`, checksums filled in, TTL 64.
// Only for LINK_ETHERNET models with a decoded TCP packet directly above the tags: not in a tunnel, MPLS or PPPoE, whose own
// lengths, sums and sequence numbers would have to be made up. Returns its length (at least 60), 0 if it cannot be built.
size_t decode_build_reset(const struct frame *model, const struct packet *p, bool forward, uint32_t seq, uint32_t ack,
			  uint8_t out[DECODE_RESET_BYTES]);
