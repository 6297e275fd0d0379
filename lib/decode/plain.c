// SPDX-License-Identifier: GPL-2.0-or-later
// The fast path: Ethernet, at most one tag, IPv4 without options or IPv6 without extensions, whole, as long as its frame says, TCP or UDP; and what
// is not IP at all. One check of length stands for all headers, so here alone fields are read by their offset. Whatever is the least bit out of
// the ordinary is left to the general path, which must come to the same packet (decode_test, the fuzz target). Called by the thread that owns
// the frame.
#include "decode_impl.h"

enum {
	PLAIN_BYTES = ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES, // a UDP frame is padded to more
	PLAIN6_BYTES = ETHERNET_BYTES + IPV6_BYTES + TCP_BYTES, // a shorter UDP packet goes the long way
	IP_PLAIN = 0x45,
	IP6_VERSION = 6,
	TIMESTAMP_BYTES = 12,
	TIMESTAMP_PADDED = 0x0101080a, // as every stack sends it: NOP, NOP, kind 8, 10 bytes
};

struct plain { // where things are; the checks behind it are made
	const uint8_t *ip, *upper;
	uint32_t ip_offset;
	uint32_t segment; // bytes above IP
	uint16_t type, vlan;
	uint8_t transport;
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
	s->type = u16_at(f->at + 2 * MAC_BYTES);
	s->ip_offset = ETHERNET_BYTES;
	s->tagged = decode_is_tag(s->type);
	s->vlan = 0;
	if (s->tagged) {
		if (f->bytes < PLAIN_BYTES + VLAN_BYTES)
			return false;
		s->vlan = u16_at(f->at + ETHERNET_BYTES) & VLAN_ID;
		s->type = u16_at(f->at + ETHERNET_BYTES + 2);
		s->ip_offset += VLAN_BYTES;
	}
	s->ip = f->at + s->ip_offset;
	return s->type == ETHER_IPV4 || s->type == ETHER_IPV6;
}

// `total` bytes by the IP header.
static inline bool length_is_plain(const struct frame *f, struct plain *s, uint32_t header, uint32_t total)
{
	uint32_t there = f->bytes - s->ip_offset;

	if (total < header + UDP_BYTES || total > there || (total < there && there > IP_BYTES_IN_SHORTEST_FRAME))
		return false;
	s->upper = s->ip + header;
	s->segment = total - header;
	return true;
}

static inline bool ip_is_plain(const struct frame *f, struct plain *s)
{
	if (s->type == ETHER_IPV4) {
		s->transport = s->ip[9];
		return s->ip[0] == IP_PLAIN && !(u16_at(s->ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)) &&
		       length_is_plain(f, s, IPV4_BYTES, u16_at(s->ip + 2));
	}
	if (f->bytes < s->ip_offset - ETHERNET_BYTES + PLAIN6_BYTES)
		return false;
	s->transport = s->ip[6];
	return s->ip[0] >> 4 == IP6_VERSION && length_is_plain(f, s, IPV6_BYTES, IPV6_BYTES + u16_at(s->ip + 4));
}

static inline bool tcp_is_plain(const struct plain *s)
{
	uint32_t header = (s->upper[12] >> 4) * 4u;

	return header >= TCP_BYTES && header <= s->segment;
}

static inline bool ports_are_plain(const struct plain *s)
{
	return !decode_is_tunnel_port(u16_at(s->upper)) && !decode_is_tunnel_port(u16_at(s->upper + 2));
}

static inline bool udp_is_plain(const struct plain *s)
{
	return u16_at(s->upper + 4) == s->segment && ports_are_plain(s);
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
	if (s->type == ETHER_IPV4) {
		p->source.family = p->destination.family = 4;
		memcpy(p->source.b, s->ip + 12, 4);
		memcpy(p->destination.b, s->ip + 16, 4);
		p->ttl = s->ip[8];
	} else {
		p->source.family = p->destination.family = 6;
		memcpy(p->source.b, s->ip + 8, 16);
		memcpy(p->destination.b, s->ip + 24, 16);
		p->ttl = s->ip[7];
	}
	p->source_port = u16_at(s->upper);
	p->destination_port = u16_at(s->upper + 2);
	p->vlan[0] = s->vlan;
	p->vlans = s->tagged;
	p->transport = s->transport;
	p->ether_type = s->type;
	p->ip_offset = s->ip_offset;
	p->transport_offset = (uint32_t)(s->upper - s->ip) + s->ip_offset;
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

static inline uint64_t sum_of_words(const uint8_t *at, int words)
{
	uint64_t sum = 0;

	for (int i = 0; i < words; i++)
		sum += as_it_lies(at + 4 * i);
	return sum;
}

static inline void verify(struct packet *p, const struct plain *s)
{
	bool four = s->type == ETHER_IPV4;
	uint64_t ends = four ? sum_of_words(s->ip + 12, 2) : sum_of_words(s->ip + 8, 8);
	const uint8_t pseudo[4] = {0, p->transport, (uint8_t)(s->segment >> 8), (uint8_t)s->segment};

	if (four && checksum_fold(ends + sum_of_words(s->ip, 3)))
		p->oddities |= ODDITY_IP_CHECKSUM;
	if (p->transport == TRANSPORT_UDP && !u16_at(s->upper + 6)) { // none was made: IPv6 must have one
		p->oddities |= four ? 0 : ODDITY_TRANSPORT_CHECKSUM;
		return;
	}
	if (checksum_fold(checksum_add_unturned(ends + as_it_lies(pseudo), bytes_of(s->upper, s->segment))))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
}

static inline bool fill(const struct plain *s, enum decode_checksums checksums, struct packet *p)
{
	bool tcp = s->transport == TRANSPORT_TCP;

	if (!(tcp ? tcp_is_plain(s) : s->transport == TRANSPORT_UDP && udp_is_plain(s)))
		return false;
	clear(p);
	fill_ip(p, s);
	if (tcp) {
		fill_tcp(p, s);
	} else {
		p->payload_offset = p->transport_offset + UDP_BYTES;
		p->payload_bytes = s->segment - UDP_BYTES;
	}
	if (checksums)
		verify(p, s);
	return true;
}

// Nothing in it to go on with. (Behind a length there may be.)
static bool is_other(const struct plain *s)
{
	return !s->tagged && s->type >= ETHER_TYPES && s->type != 0x8847 && s->type != 0x8848 && s->type != 0x8864; // MPLS, PPPoE
}

bool decode_plain(const struct frame *f, enum decode_checksums checksums, struct packet *p, enum decode_result *result)
{
	struct plain s;

	if (f->bytes < PLAIN_BYTES)
		return false;
	*result = DECODE_OK;
	if (find_ip(f, &s))
		return ip_is_plain(f, &s) && fill(&s, checksums, p);
	if (!is_other(&s))
		return false;
	clear(p);
	p->ether_type = s.type;
	*result = DECODE_OTHER;
	return true;
}

bool decode_glance(const struct frame *f, struct glance *g)
{
	struct plain s;
	bool four;

	if (f->link != LINK_ETHERNET || f->bytes < PLAIN_BYTES || !find_ip(f, &s))
		return false;
	four = s.type == ETHER_IPV4;
	*g = (struct glance){.family = four ? 4 : 6};
	if (four) {
		if (s.ip[0] != IP_PLAIN || u16_at(s.ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
			return false;
		g->source[0] = as_it_lies(s.ip + 12);
		g->destination[0] = as_it_lies(s.ip + 16);
		s.transport = s.ip[9];
		s.upper = s.ip + IPV4_BYTES;
	} else {
		if (f->bytes < s.ip_offset - ETHERNET_BYTES + PLAIN6_BYTES || s.ip[0] >> 4 != IP6_VERSION)
			return false;
		memcpy(g->source, s.ip + 8, sizeof(g->source));
		memcpy(g->destination, s.ip + 24, sizeof(g->destination));
		s.transport = s.ip[6];
		s.upper = s.ip + IPV6_BYTES;
	}
	memcpy(&g->source_port, s.upper, sizeof(g->source_port));
	memcpy(&g->destination_port, s.upper + 2, sizeof(g->destination_port));
	g->transport = s.transport;
	return s.transport == TRANSPORT_TCP || (s.transport == TRANSPORT_UDP && ports_are_plain(&s));
}
