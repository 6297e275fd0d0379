// SPDX-License-Identifier: GPL-2.0-or-later
// Frames for tests: an IPv4 TCP conversation over Ethernet with right checksums. Header-only.
#pragma once
#include "decode.h"
#include <stdlib.h>
#include <string.h>

struct talk {            // one conversation; the client is 192.0.2.10 inside unless said otherwise
	uint8_t client[4], server[4];
	uint16_t client_port, server_port;
	uint32_t seq[2];   // next of client, server
	uint64_t now_ns;
	uint16_t client_side; // NIC side of the client: 0 inside
};

struct made { uint8_t at[2048]; struct frame frame; };

static inline uint16_t wire_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void wire_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void wire_be32(uint8_t *p, uint32_t v)
{
	wire_be16(p, v >> 16);
	wire_be16(p + 2, v & 0xffff);
}

static inline struct talk talk_new(void)
{
	return (struct talk){.client = {192, 0, 2, 10}, .server = {203, 0, 113, 9}, .client_port = 40000, .server_port = 1389,
			     .seq = {1000, 5000}, .now_ns = 1700000000000000000ull};
}

static inline uint32_t wire_pseudo(const uint8_t *ip, size_t tcp_bytes)
{
	uint32_t sum = 6 + (uint32_t)tcp_bytes;

	for (unsigned i = 12; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	return sum;
}

// A segment from side 0 (client) or 1 (server); advances its sequence number by payload, SYN and FIN.
static inline struct frame *talk_say(struct talk *t, struct made *m, unsigned side, uint8_t flags, const void *payload, size_t n)
{
	uint8_t *ip = m->at + 14, *tcp = ip + 20;
	size_t total = 54 + n;

	memset(m->at, 0, sizeof(m->at));
	m->at[0] = 2 + (uint8_t)!side;
	m->at[6] = 2 + (uint8_t)side;
	wire_be16(m->at + 12, 0x0800);
	ip[0] = 0x45;
	wire_be16(ip + 2, (uint32_t)(40 + n));
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, side ? t->server : t->client, 4);
	memcpy(ip + 16, side ? t->client : t->server, 4);
	wire_be16(ip + 10, wire_sum(ip, 20, 0));
	wire_be16(tcp, side ? t->server_port : t->client_port);
	wire_be16(tcp + 2, side ? t->client_port : t->server_port);
	wire_be32(tcp + 4, t->seq[side]);
	wire_be32(tcp + 8, flags & TCP_ACK ? t->seq[!side] : 0);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	wire_be16(tcp + 14, 65535);
	if (n)
		memcpy(tcp + 20, payload, n);
	wire_be16(tcp + 16, wire_sum(tcp, 20 + n, wire_pseudo(ip, 20 + n)));
	t->seq[side] += (uint32_t)n + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
	t->now_ns += 1000000;
	m->frame = (struct frame){.at = m->at, .bytes = (uint32_t)(total < 60 ? 60 : total), .wire_bytes = (uint32_t)(total < 60 ? 60 : total),
				  .unix_ns = t->now_ns, .port = side ? !t->client_side : t->client_side, .link = LINK_ETHERNET};
	return &m->frame;
}
