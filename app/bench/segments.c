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
enum { IP = 14, TCP = 34, ADDRESSES = 26, CHECKSUM_IP = 24, CHECKSUM_TCP = 50, FLAGS = 47 };

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

void segment_write(uint8_t out[SEGMENT_STRIDE], uint32_t flow, enum segment_side from, uint8_t flags, uint32_t seq,
		   uint32_t ack)
{
	uint32_t client = 11u << 24 | flow >> 8, port = 1024 + (flow & 0xff) * 7, server = 0xc000020a;
	uint32_t isn = (uint32_t)chance_mix(7, flow), other = (uint32_t)chance_mix(8, flow);
	bool up = from == SEGMENT_FROM_CLIENT;

	memcpy(out, TEMPLATE, SEGMENT_STRIDE);
	put32(out + ADDRESSES, up ? client : server);
	put32(out + ADDRESSES + 4, up ? server : client);
	put16(out + TCP, up ? port : 443);
	put16(out + TCP + 2, up ? 443 : port);
	put32(out + TCP + 4, (up ? isn : other) + seq);
	if (flags & 16)
		put32(out + TCP + 8, (up ? other : isn) + ack);
	out[FLAGS] = flags;
	put16(out + CHECKSUM_IP, checksum(out + IP, 20, 0));
	put16(out + CHECKSUM_TCP,
	      checksum(out + ADDRESSES, 28, 6 + 20)); // the addresses lie before the header: the pseudo-header is there
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
