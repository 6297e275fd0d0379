// SPDX-License-Identifier: GPL-2.0-or-later
// See segments.h.
#include "segments.h"
#include "chance.h"

#include <string.h>

static const uint8_t TEMPLATE[SEGMENT_STRIDE] = {
	2,    0, 0, 0,  0, 1, 2,    0, 0,  0, 0, 2, 0x08, 0x00,                   // Ethernet
	0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0,                               // IPv4, 40 bytes, DF, TCP
	0,    0, 0, 0,  0, 0, 0,    0,                                            // addresses
	0,    0, 0, 0,  0, 0, 0,    0, 0,  0, 0, 0, 0x50, 0,    0xfa, 0xf0, 0, 0, // TCP
};
enum { IP = 14, TCP = 34, ADDRESSES = 26, CHECKSUM_IP = 24, CHECKSUM_TCP = 50, FLAGS = 47, LENGTH = 16, PAYLOAD = 54 };

static void put32(uint8_t *at, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(at, &v, sizeof(v));
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

// RFC 1071 over whole words; `sum` is what goes before.
static uint32_t checksum(const uint8_t *at, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

uint32_t segment_fill(uint8_t *out, const struct segment_plan *plan)
{
	uint32_t client = 11u << 24 | plan->flow >> 8, port = 1024 + (plan->flow & 0xff) * 7, server = 0xc000020a;
	uint32_t isn = (uint32_t)chance_mix(7, plan->flow), other = (uint32_t)chance_mix(8, plan->flow);
	bool up = plan->from == SEGMENT_FROM_CLIENT;
	uint32_t n = (uint32_t)plan->data.left;

	memcpy(out, TEMPLATE, SEGMENT_STRIDE);
	if (n)
		memcpy(out + PAYLOAD, plan->data.at, n);
	out[PAYLOAD + n] = 0; // the checksum takes two bytes at a time
	put16(out + LENGTH, 40 + n);
	put32(out + ADDRESSES, up ? client : server);
	put32(out + ADDRESSES + 4, up ? server : client);
	put16(out + TCP, up ? port : plan->port);
	put16(out + TCP + 2, up ? plan->port : port);
	put32(out + TCP + 4, (up ? isn : other) + plan->seq);
	if (plan->flags & 16)
		put32(out + TCP + 8, (up ? other : isn) + plan->ack);
	out[FLAGS] = plan->flags;
	put16(out + CHECKSUM_IP, checksum(out + IP, 20, 0));
	// The addresses lie before the header: the pseudo-header is there.
	put16(out + CHECKSUM_TCP, checksum(out + ADDRESSES, 28 + n, 6 + 20 + n));
	return PAYLOAD + n < SEGMENT_BYTES ? SEGMENT_BYTES : PAYLOAD + n;
}

void segment_write(uint8_t out[SEGMENT_STRIDE], uint32_t flow, enum segment_side from, uint8_t flags, uint32_t seq,
		   uint32_t ack)
{
	const struct segment_plan plan = {flow, 443, from, flags, seq, ack, {NULL, 0}};

	segment_fill(out, &plan);
}

struct frame segment_frame(const uint8_t *at, enum segment_side from, uint64_t unix_ns)
{
	return (struct frame){.at = at,
			      .bytes = SEGMENT_BYTES,
			      .wire_bytes = SEGMENT_BYTES,
			      .unix_ns = unix_ns,
			      .port = from == SEGMENT_FROM_CLIENT,
			      .link = LINK_ETHERNET};
}
