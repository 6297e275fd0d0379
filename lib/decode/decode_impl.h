// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share; for this room only. A walk goes from header to header in one loop (decode.c): each reader reads its own
// header and names the next reader, so that nesting costs no stack and is bounded.
#pragma once
#include "checksum.h"
#include "decode.h"

enum decode_numbers {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd,
	ETHER_TYPES = 0x0600, // and above; below it is a length (IEEE 802.3 §3.2.6)
	ETHER_BRIDGED = 0x6558, // an Ethernet frame inside GRE (RFC 7637 §3.2)
	MAC_BYTES = 6,
	ETHERNET_BYTES = 14,
	VLAN_BYTES = 4,
	VLAN_ID = 0x0fff,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	IP6_FRAGMENT_BYTES = 8,
	TCP_BYTES = 20,
	UDP_BYTES = 8,
	TCP_FLAGS = 0x3f,
	IP_MORE_FRAGMENTS = 0x2000,
	IP_FRAGMENT_OFFSET = 0x1fff,
	IP_BYTES_IN_SHORTEST_FRAME = 46, // 64 less Ethernet header and FCS: below that a sender pads
	IP_BYTES_MOST = 65535,
	UDP_PORT_VXLAN = 4789,  // RFC 7348
	UDP_PORT_VXLAN_LINUX = 8472, // what Linux took before there was one, and takes still where none is named
	UDP_PORT_GENEVE = 6081, // RFC 8926
	UDP_PORT_GTP = 2152,    // 3GPP TS 29.281
	UDP_PORT_AYIYA = 5072,  // draft-massar-v6ops-ayiya-02
	UDP_PORT_TEREDO = 3544, // RFC 4380
	UDP_PORT_CAPWAP = 5247, // RFC 5415, its data channel
};

struct walk;
typedef enum decode_result (*read_fn)(struct walk *w);

struct walk { // one frame on its way through the layers
	const struct frame *frame;
	struct packet *packet;
	struct packet *outer; // the packet around the innermost tunnel, once there is one
	struct bytes rest;    // what the headers read so far leave; never past the frame
	size_t ip_rest;       // how many bytes follow by the IP length; more than rest.left in a cut frame
	read_fn next;         // reads what comes next; NULL: the walk is over
	enum decode_checksums checksums;
	uint8_t opens; // tunnels at the most
	bool inside;   // *outer is filled
	bool rerouted; // a routing header with hops left: the checksum covers an address we do not have
};

static inline uint32_t walk_offset(const struct walk *w)
{
	return (uint32_t)(w->rest.at - w->frame->at);
}

static inline enum decode_result walk_on(struct walk *w, read_fn next)
{
	w->next = next;
	return DECODE_OK;
}

static inline void walk_set_payload(struct walk *w)
{
	w->packet->payload_offset = walk_offset(w);
	w->packet->payload_bytes = (uint32_t)w->rest.left;
}

// A header that no receiver takes.
static inline enum decode_result walk_refuse(struct walk *w)
{
	w->packet->oddities |= ODDITY_HEADER;
	return DECODE_MALFORMED;
}

// A header that does not fit into what is left: nobody takes it, unless a capture cut the frame and not its sender.
static inline enum decode_result walk_short(struct walk *w)
{
	bool captured_whole = w->frame->bytes >= w->frame->wire_bytes;

	if (captured_whole || (w->ip_rest && !(w->packet->oddities & ODDITY_CUT)))
		w->packet->oddities |= ODDITY_HEADER;
	return DECODE_MALFORMED;
}

// link.c: each begins at the header of its name.
enum decode_result decode_ethernet(struct walk *w);
enum decode_result decode_cooked(struct walk *w);
enum decode_result decode_cooked2(struct walk *w);
enum decode_result decode_raw(struct walk *w);
enum decode_result decode_null(struct walk *w);
enum decode_result decode_snap(struct walk *w); // LLC and SNAP before the type
// Where nothing says that IP follows: is it an IP header that fits, with a good sum? What only looks like one must not be refused for being none.
bool decode_is_ip_for_sure(const struct walk *w);
enum decode_result decode_ppp(struct walk *w);
enum decode_result decode_ppi(struct walk *w);
enum decode_result decode_fddi(struct walk *w);
// What a link layer's type says, as link.c's table has it.
static inline bool decode_is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100; // 802.1Q, 802.1ad, QinQ before 802.1ad
}

// ip.c
enum decode_result decode_ipv4(struct walk *w);
enum decode_result decode_ipv6(struct walk *w);
// extension.c: the chain from w->packet->transport on, w->rest behind the IPv6 header. DECODE_OK: w->packet->transport is what ends it.
// DECODE_PIECE: w->rest is behind the fragment header.
enum decode_result decode_extensions(struct walk *w);

// transport.c: layer 4 of w->packet->transport, at whose header w->rest begins.
enum decode_result decode_transport(struct walk *w);
void decode_tcp_options(struct packet *p, struct bytes options, bool cut);
// SYN with FIN or RST, FIN with RST, and whatever has none of SYN, RST, ACK (null, Xmas, a bare FIN): RFC 9293 §3.10.7 drops it.
static inline bool decode_flags_are_odd(uint8_t flags)
{
	// bit n: flags n, without PSH and URG, are odd
	static const uint32_t odd = 1u << 0 | 1u << TCP_FIN | 1u << (TCP_SYN | TCP_FIN) | 1u << (TCP_RST | TCP_FIN) |
				    1u << (TCP_SYN | TCP_RST) | 1u << (TCP_SYN | TCP_RST | TCP_FIN) |
				    1u << (TCP_ACK | TCP_SYN | TCP_FIN) | 1u << (TCP_ACK | TCP_RST | TCP_FIN) |
				    1u << (TCP_ACK | TCP_SYN | TCP_RST) | 1u << (TCP_ACK | TCP_SYN | TCP_RST | TCP_FIN);

	return odd >> (flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) & 1;
}
// Bytes of `header` that a transport needs to be recognised whole; 0: the header is shorter than its fixed part.
size_t decode_transport_bytes(uint8_t transport, struct bytes header);
uint64_t decode_pseudo(const struct packet *p, uint32_t upper_bytes);

// tunnel.c
bool decode_is_tunnel(uint8_t transport);
enum decode_result decode_tunnel(struct walk *w);
// May the payload of UDP to or from this port be a tunnel? Most ports are ruled out by their last six bits.
static inline bool decode_is_tunnel_port(uint16_t port)
{
	static const uint64_t ends = 1ull << (UDP_PORT_VXLAN & 63) | 1ull << (UDP_PORT_GENEVE & 63) | 1ull << (UDP_PORT_GTP & 63) |
				     1ull << (UDP_PORT_AYIYA & 63) | 1ull << (UDP_PORT_TEREDO & 63) | 1ull << (UDP_PORT_CAPWAP & 63) |
				     1ull << (UDP_PORT_VXLAN_LINUX & 63);

	return ends >> (port & 63) & 1 &&
	       (port == UDP_PORT_VXLAN || port == UDP_PORT_GENEVE || port == UDP_PORT_GTP || port == UDP_PORT_AYIYA ||
		port == UDP_PORT_TEREDO || port == UDP_PORT_CAPWAP || port == UDP_PORT_VXLAN_LINUX);
}
// udp_tunnel.c: what opens the tunnel whose header this payload begins with; NULL: it is none, whatever its ports are.
read_fn decode_udp_tunnel(const struct packet *p, struct bytes payload);
// Reads on within a tunnel, at w->rest; what is deeper than DECODE_TUNNELS is not opened.
enum decode_result decode_enter(struct walk *w, struct tunnel t, uint16_t ether_type, read_fn inner);
// The reader of an EtherType inside GRE or Geneve; NULL: none that we open.
read_fn decode_reader_in(uint16_t protocol);
// The packet read so far is the last one we look at; w->rest is its payload.
enum decode_result decode_unopened(struct walk *w);
// What is kept of a packet when another IP header inside it is read.
void decode_keep_outer(struct packet *p);

// plain.c: the fast path. Fills all of *p as decode_frame_general would and says what it would, or returns false.
bool decode_plain(const struct frame *f, enum decode_checksums checksums, struct packet *p, enum decode_result *result);
// Every other frame, and every plain one too: for the tests that compare the two.
enum decode_result decode_frame_general(const struct frame *f, enum decode_checksums checksums, struct packet *p);
