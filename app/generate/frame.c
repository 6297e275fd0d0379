// SPDX-License-Identifier: GPL-2.0-or-later
// See frame.h. RFC 791, 793, 768, 792, 826, 1071, 4443, 8200.
#include "frame.h"

#include <endian.h>

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

static void put_u16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put_u32(uint8_t *at, uint32_t v)
{
	put_u16(at, v >> 16);
	put_u16(at + 2, v);
}

// Ethernet has no shorter frames: the wire shows short packets with zeros behind them.
static size_t pad(uint8_t *out, size_t n)
{
	if (n >= 60)
		return n;
	memset(out + n, 0, 60 - n);
	return 60;
}

// The sum is the same in any byte order but for a swap at the end (RFC 1071 §2 B), so it is taken four bytes at a time.
static uint64_t sum_add(uint64_t sum, const uint8_t *at, size_t n)
{
	uint64_t words = 0;
	uint32_t word;

	for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		words += word;
	}
	word = 0;
	memcpy(&word, at, n);
	words += word;
	while (words >> 16)
		words = (words & 0xffff) + (words >> 16);
	return sum + be16toh((uint16_t)words);
}

static uint16_t sum_close(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

// Locally administered addresses; the last bytes follow the IP address, so that one host has one MAC.
static void put_mac(uint8_t *at, const struct host *h)
{
	static const uint8_t router[6] = {0x02, 0x53, 0x4b, 0, 0, 1};
	bool six = h->address.family == 6;

	memcpy(at, router, 6);
	if (h->mac)
		put_u16(at + 4, h->mac);
	else if (h->inside)
		put_u16(at + 4, 0x100u + h->address.b[six ? 15 : 3]);
}

static size_t put_ethernet(uint8_t *out, const struct host *from, const struct host *to, uint16_t type)
{
	put_mac(out, to);
	put_mac(out + 6, from);
	if (!(from->vlan | to->vlan)) {
		put_u16(out + 12, type);
		return 14;
	}
	put_u16(out + 12, 0x8100);
	put_u16(out + 14, from->vlan | to->vlan);
	put_u16(out + 16, type);
	return 18;
}

static size_t put_ip4(uint8_t *ip, const struct segment *s, uint8_t protocol, size_t payload, uint16_t id)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put_u16(ip + 2, (uint32_t)(20 + payload));
	put_u16(ip + 4, id);
	ip[6] = protocol == PROTOCOL_TCP ? 0x40 : 0;
	ip[8] = s->from->ttl;
	ip[9] = protocol;
	memcpy(ip + 12, s->from->address.b, 4);
	memcpy(ip + 16, s->to->address.b, 4);
	put_u16(ip + 10, sum_close(sum_add(0, ip, 20)));
	return 20;
}

static size_t put_ip6(uint8_t *ip, const struct segment *s, uint8_t protocol, size_t payload)
{
	memset(ip, 0, 40);
	ip[0] = 0x60;
	put_u16(ip + 4, (uint32_t)payload);
	ip[6] = protocol;
	ip[7] = s->from->ttl;
	memcpy(ip + 8, s->from->address.b, 16);
	memcpy(ip + 24, s->to->address.b, 16);
	return 40;
}

// Puts the headers before `payload` bytes of transport; its place is returned, `sum` starts the pseudo-header.
static uint8_t *put_network(uint8_t *out, const struct segment *s, uint8_t protocol, size_t payload, uint16_t id,
			    uint64_t *sum)
{
	bool six = s->from->address.family == 6;
	size_t width = six ? 16 : 4;
	size_t at = put_ethernet(out, s->from, s->to, six ? 0x86dd : 0x0800);

	at += six ? put_ip6(out + at, s, protocol, payload) : put_ip4(out + at, s, protocol, payload, id);
	*sum = protocol + payload;
	*sum = sum_add(*sum, s->from->address.b, width);
	*sum = sum_add(*sum, s->to->address.b, width);
	return out + at;
}

size_t frame_tcp(uint8_t *out, const struct segment *s, uint16_t id)
{
	size_t header = 20 + s->options_length;
	uint64_t sum;
	uint8_t *tcp = put_network(out, s, PROTOCOL_TCP, header + s->length, id, &sum);

	memset(tcp, 0, 20);
	put_u16(tcp, s->from_port);
	put_u16(tcp + 2, s->to_port);
	put_u32(tcp + 4, s->sequence);
	put_u32(tcp + 8, s->acknowledgement);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = s->flags;
	put_u16(tcp + 14, s->window);
	if (s->options_length)
		memcpy(tcp + 20, s->options, s->options_length);
	if (s->length)
		memcpy(tcp + header, s->data, s->length);
	put_u16(tcp + 16, sum_close(sum_add(sum, tcp, header + s->length)));
	return pad(out, (size_t)(tcp - out) + header + s->length);
}

size_t frame_udp(uint8_t *out, const struct segment *s, uint16_t id)
{
	uint64_t sum;
	uint8_t *udp = put_network(out, s, PROTOCOL_UDP, 8 + s->length, id, &sum);
	uint16_t check;

	put_u16(udp, s->from_port);
	put_u16(udp + 2, s->to_port);
	put_u16(udp + 4, (uint32_t)(8 + s->length));
	put_u16(udp + 6, 0);
	memcpy(udp + 8, s->data, s->length);
	check = sum_close(sum_add(sum, udp, 8 + s->length));
	put_u16(udp + 6, check ? check : 0xffff);
	return pad(out, (size_t)(udp - out) + 8 + s->length);
}

size_t frame_echo(uint8_t *out, const struct segment *s, bool reply, uint16_t id)
{
	bool six = s->from->address.family == 6;
	uint64_t sum;
	uint8_t *icmp = put_network(out, s, six ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, 8 + s->length, id, &sum);

	memset(icmp, 0, 8);
	icmp[0] = (uint8_t)(six ? 128 + reply : reply ? 0 : 8);
	put_u16(icmp + 4, s->from_port);
	put_u16(icmp + 6, s->to_port);
	memcpy(icmp + 8, s->data, s->length);
	put_u16(icmp + 2, sum_close(sum_add(six ? sum : 0, icmp, 8 + s->length)));
	return pad(out, (size_t)(icmp - out) + 8 + s->length);
}

size_t frame_arp(uint8_t *out, const struct host *from, const struct host *to, bool reply)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 1};
	size_t at = put_ethernet(out, from, to, 0x0806);

	if (!reply)
		memset(out, 0xff, 6);
	memset(out + at, 0, 46);
	memcpy(out + at, head, 8);
	out[at + 7] = reply ? 2 : 1;
	put_mac(out + at + 8, from);
	memcpy(out + at + 14, from->address.b, 4);
	if (reply)
		put_mac(out + at + 18, to);
	memcpy(out + at + 24, to->address.b, 4);
	return at + 46;
}
