// SPDX-License-Identifier: GPL-2.0-or-later
// One datagram and any fragment of it, for tests: as a sender's stack would cut it, or as nobody should.
#pragma once
#include "decode.h"

enum { MODEL_DATA = 3000 }; // bytes above IP

struct model { // an unfragmented datagram behind an Ethernet header
	uint8_t b[14 + 48 + MODEL_DATA];
	uint32_t n, header; // in all; Ethernet, IP and what else stands before the data
	bool six;
};

struct cut { // one fragment
	uint8_t b[14 + 56 + 65536];
	struct frame frame;
};

static inline void model_set(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline unsigned model_sum(const uint8_t *b, size_t n)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (unsigned)b[i] << 8 | b[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return 0xffff - (unsigned)sum;
}

static inline void model_fix_ipv4(uint8_t *ip)
{
	model_set(ip + 10, 0);
	model_set(ip + 10, model_sum(ip, (ip[0] & 15) * 4u));
}

// IPv4 with options or IPv6 with a hop-by-hop header, so that what stands before the data is more than the least. UDP with payload that does not repeat.
static inline struct model model_make(bool six, uint8_t host)
{
	static const uint8_t ip4[] = {0x46, 0, 0, 0, 0, 7, 0, 0, 63, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, 0x94, 4, 0, 0};
	static const uint8_t ip6[] = {0x60, 0, 0, 0, 0, 0, 0, 63, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				      0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 17, 0, 5, 2, 0, 0, 1, 0};
	struct model m = {.six = six};
	size_t n = six ? sizeof(ip6) : sizeof(ip4);
	uint8_t *ip = m.b + 14, *data;

	model_set(m.b + 12, six ? 0x86dd : 0x0800);
	memcpy(ip, six ? ip6 : ip4, n);
	data = ip + n;
	m.header = 14 + (uint32_t)n;
	m.n = m.header + MODEL_DATA;
	for (unsigned i = 0; i < MODEL_DATA; i++)
		data[i] = (uint8_t)(i * 7 + i / 256 * 3);
	model_set(data, 5000);
	model_set(data + 2, 53);
	model_set(data + 4, MODEL_DATA);
	model_set(data + 6, 1);
	ip[six ? 23 : 15] = host;
	model_set(ip + (six ? 4 : 2), (unsigned)n - (six ? 40 : 0) + MODEL_DATA);
	if (!six)
		model_fix_ipv4(ip);
	return m;
}

// The `n` bytes from `data`, said to begin at `offset`.
static inline void model_cut(const struct model *m, struct cut *c, unsigned id, unsigned offset, const uint8_t *data, unsigned n, bool more)
{
	uint8_t *ip = c->b + 14, *at;

	memcpy(c->b, m->b, m->header);
	at = c->b + m->header;
	if (m->six) {
		memset(at, 0, 8);
		at[0] = ip[40];
		model_set(at + 2, offset | more);
		model_set(at + 6, id);
		ip[40] = 44;
		at += 8;
	} else {
		model_set(ip + 4, id);
		model_set(ip + 6, offset / 8 | (more ? 0x2000 : 0));
	}
	memcpy(at, data, n);
	at += n;
	model_set(ip + (m->six ? 4 : 2), (unsigned)(at - ip) - (m->six ? 40 : 0));
	if (!m->six)
		model_fix_ipv4(ip);
	c->frame = (struct frame){.at = c->b, .bytes = (uint32_t)(at - c->b), .wire_bytes = (uint32_t)(at - c->b)};
}

// Is `f` the datagram, byte for byte (but for an IPv4 identification, which a whole datagram keeps from its fragments)?
static inline bool model_is(const struct model *m, unsigned id, const struct frame *f)
{
	struct model expected = *m;

	if (!m->six) {
		model_set(expected.b + 14 + 4, id);
		model_fix_ipv4(expected.b + 14);
	}
	return f->bytes == m->n && f->wire_bytes == m->n && memcmp(f->at, expected.b, m->n) == 0;
}
