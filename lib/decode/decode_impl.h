// SPDX-License-Identifier: GPL-2.0-or-later
// What decode.c, transport.c and reset.c share; for this room only.
#pragma once
#include "decode.h"

enum decode_numbers {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd,
	MAC_BYTES = 6,
	ETHERNET_BYTES = 14,
	VLAN_BYTES = 4,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	TCP_BYTES = 20,
	UDP_BYTES = 8,
};

struct walk { // one frame on its way through the layers
	const struct frame *frame;
	struct packet *packet;
	struct bytes rest; // what the headers read so far leave; never past the frame
	size_t ip_rest;    // how many bytes follow by the IP length; more than rest.left in a cut frame
	bool checksums;
	bool rerouted; // a routing header with hops left: the checksum covers an address we do not have
};

static inline uint32_t walk_offset(const struct walk *w)
{
	return (uint32_t)(w->rest.at - w->frame->at);
}

// Layer 4 of w->packet->transport. w->rest begins at its header.
enum decode_result decode_transport(struct walk *w);

// RFC 1071 sums, not yet folded. A sum may be continued only after an even number of bytes.
uint64_t checksum_add(uint64_t sum, struct bytes b);
uint64_t checksum_add_pseudo(const struct packet *p, uint32_t upper_bytes);
// The field's value for this sum; 0 where a received sum including its field is right.
uint16_t checksum_fold(uint64_t sum);
