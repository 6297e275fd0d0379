// SPDX-License-Identifier: GPL-2.0-or-later
// The fast path: Ethernet, at most one tag, IPv4 without options, whole, as long as its frame says, TCP or UDP. One check of length stands for all
// headers, so here alone fields are read by their offset. Whatever is the least bit out of the ordinary is left to the general path, which
// must come to the same packet (decode_test, the fuzz target). Called by the thread that owns the frame.
#include "decode_impl.h"

enum {
	PLAIN_BYTES = ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES, // a UDP frame is padded to more
	IP_PLAIN = 0x45,
	TIMESTAMP_BYTES = 12,
	TIMESTAMP_PADDED = 0x0101080a, // as every stack sends it: NOP, NOP, kind 8, 10 bytes
};

struct plain { // where things are; the checks behind it are made
	const uint8_t *ip, *upper;
	uint32_t ip_offset;
	uint32_t segment; // bytes above IP
	uint16_t vlan;
	bool tagged;
};

static inline uint16_t u16_at(const uint8_t *b)
{
	uint16_t v;

	memcpy(&v, b, sizeof(v));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(v) : v;
}

static inline uint32_t u32_at(const uint8_t *b)
{
	uint32_t v;

	memcpy(&v, b, sizeof(v));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(v) : v;
}

static inline uint64_t as_it_lies(const uint8_t *b)
{
	uint32_t v;

	memcpy(&v, b, sizeof(v));
	return v;
}

static inline bool find_ip(const struct frame *f, struct plain *s)
{
	uint16_t type;

	if (f->bytes < PLAIN_BYTES)
		return false;
	type = u16_at(f->at + 2 * MAC_BYTES);
	s->ip_offset = ETHERNET_BYTES;
	s->tagged = type != ETHER_IPV4;
	s->vlan = 0;
	if (s->tagged) {
		if (f->bytes < PLAIN_BYTES + VLAN_BYTES || u16_at(f->at + 16) != ETHER_IPV4 || !decode_is_tag(type))
			return false;
		s->vlan = u16_at(f->at + ETHERNET_BYTES) & VLAN_ID;
		s->ip_offset += VLAN_BYTES;
	}
	s->ip = f->at + s->ip_offset;
	return true;
}

static inline bool ip_is_plain(const struct frame *f, struct plain *s)
{
	uint32_t total = u16_at(s->ip + 2), there = f->bytes - s->ip_offset;

	if (s->ip[0] != IP_PLAIN || u16_at(s->ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
		return false;
	if (total < IPV4_BYTES + UDP_BYTES || total > there || (total < there && there > IP_BYTES_IN_SHORTEST_FRAME))
		return false;
	s->upper = s->ip + IPV4_BYTES;
	s->segment = total - IPV4_BYTES;
	return true;
}

static inline bool tcp_is_plain(const struct plain *s)
{
	uint32_t header = (s->upper[12] >> 4) * 4u;

	return header >= TCP_BYTES && header <= s->segment;
}

static inline bool udp_is_plain(const struct plain *s)
{
	return u16_at(s->upper + 4) == s->segment && u16_at(s->upper + 2) != UDP_PORT_VXLAN;
}

// In steps of one register: a call, or the string instruction compilers like for this size, costs more than all the rest.
static inline void clear(struct packet *p)
{
	typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));
	uint8_t *at = (uint8_t *)p;
	_Static_assert(sizeof(*p) % 4 == 0 && sizeof(*p) > sizeof(pair), "cleared in pairs, the last of which may overlap");

#pragma GCC unroll 16
	for (size_t i = 0; i + sizeof(pair) <= sizeof(*p); i += sizeof(pair))
		*(pair *)(at + i) = (pair){0};
	*(pair *)(at + sizeof(*p) - sizeof(pair)) = (pair){0};
}

static inline void fill_ip(struct packet *p, const struct plain *s)
{
	p->source.family = p->destination.family = 4;
	memcpy(p->source.b, s->ip + 12, 4);
	memcpy(p->destination.b, s->ip + 16, 4);
	p->source_port = u16_at(s->upper);
	p->destination_port = u16_at(s->upper + 2);
	p->vlan[0] = s->vlan;
	p->vlans = s->tagged;
	p->transport = s->ip[9];
	p->ttl = s->ip[8];
	p->ether_type = ETHER_IPV4;
	p->ip_offset = s->ip_offset;
	p->transport_offset = s->ip_offset + IPV4_BYTES;
}

static inline void fill_tcp(struct packet *p, const struct plain *s)
{
	uint32_t header = (s->upper[12] >> 4) * 4u;

	p->seq = u32_at(s->upper + 4);
	p->ack = u32_at(s->upper + 8);
	p->tcp_flags = s->upper[13] & TCP_FLAGS;
	p->window = u16_at(s->upper + 14);
	p->urgent = u16_at(s->upper + 18);
	if (decode_flags_are_odd(p->tcp_flags))
		p->oddities = ODDITY_FLAGS;
	if (header == TCP_BYTES + TIMESTAMP_BYTES && u32_at(s->upper + TCP_BYTES) == TIMESTAMP_PADDED) {
		p->has_timestamp = 1;
		p->timestamp = u32_at(s->upper + TCP_BYTES + 4);
	} else if (header > TCP_BYTES) {
		decode_tcp_options(p, bytes_of(s->upper + TCP_BYTES, header - TCP_BYTES), false);
	}
	p->payload_offset = p->transport_offset + header;
	p->payload_bytes = s->segment - header;
}

static inline void verify(struct packet *p, const struct plain *s)
{
	uint64_t ends = as_it_lies(s->ip + 12) + as_it_lies(s->ip + 16);
	uint64_t ip = as_it_lies(s->ip) + as_it_lies(s->ip + 4) + as_it_lies(s->ip + 8) + ends;
	const uint8_t pseudo[4] = {0, p->transport, (uint8_t)(s->segment >> 8), (uint8_t)s->segment};

	if (checksum_fold(ip))
		p->oddities |= ODDITY_IP_CHECKSUM;
	if (p->transport == TRANSPORT_UDP && !u16_at(s->upper + 6)) // none was made
		return;
	if (checksum_fold(checksum_add_unturned(ends + as_it_lies(pseudo), bytes_of(s->upper, s->segment))))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
}

bool decode_plain(const struct frame *f, bool checksums, struct packet *p)
{
	struct plain s;
	bool tcp;

	if (!find_ip(f, &s) || !ip_is_plain(f, &s))
		return false;
	tcp = s.ip[9] == TRANSPORT_TCP;
	if (!(tcp ? tcp_is_plain(&s) : s.ip[9] == TRANSPORT_UDP && udp_is_plain(&s)))
		return false;
	clear(p);
	fill_ip(p, &s);
	if (tcp) {
		fill_tcp(p, &s);
	} else {
		p->payload_offset = p->transport_offset + UDP_BYTES;
		p->payload_bytes = s.segment - UDP_BYTES;
	}
	if (checksums)
		verify(p, &s);
	return true;
}
