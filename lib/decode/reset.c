// SPDX-License-Identifier: GPL-2.0-or-later
// Builds one TCP reset from a frame of the flow it is to end. Knows layouts only; whether to send it is somebody else's
// decision.
#include "decode_impl.h"

enum { ETHERNET_SHORTEST = 60, RESET_TTL = 64, IP_DO_NOT_FRAGMENT = 0x4000 };
_Static_assert(ETHERNET_BYTES + DECODE_TAGS * VLAN_BYTES + IPV6_BYTES + TCP_BYTES <= DECODE_RESET_BYTES,
	       "longest reset fits");

static uint8_t *put_u8(uint8_t *at, uint8_t v)
{
	*at = v;
	return at + 1;
}

static uint8_t *put_u16(uint8_t *at, uint16_t v)
{
	return put_u8(put_u8(at, (uint8_t)(v >> 8)), (uint8_t)v);
}

static uint8_t *put_u32(uint8_t *at, uint32_t v)
{
	return put_u16(put_u16(at, (uint16_t)(v >> 16)), (uint16_t)v);
}

static uint8_t *put_bytes(uint8_t *at, const void *from, size_t n)
{
	memcpy(at, from, n);
	return at + n;
}

static uint8_t *put_ipv4(uint8_t *at, const struct packet *p)
{
	uint8_t *start = at, *sum;

	at = put_u16(at, 0x4500);
	at = put_u16(at, IPV4_BYTES + TCP_BYTES);
	at = put_u16(at, 0); // no identification needed: RFC 6864 §4.1, an atomic datagram
	at = put_u16(at, IP_DO_NOT_FRAGMENT);
	at = put_u8(at, RESET_TTL);
	at = put_u8(at, TRANSPORT_TCP);
	sum = at;
	at = put_u16(at, 0);
	at = put_bytes(at, p->source.b, 4);
	at = put_bytes(at, p->destination.b, 4);
	put_u16(sum, checksum_fold(checksum_add(0, bytes_of(start, IPV4_BYTES))));
	return at;
}

static uint8_t *put_ipv6(uint8_t *at, const struct packet *p)
{
	at = put_u32(at, 6u << 28);
	at = put_u16(at, TCP_BYTES);
	at = put_u8(at, TRANSPORT_TCP);
	at = put_u8(at, RESET_TTL);
	at = put_bytes(at, p->source.b, 16);
	return put_bytes(at, p->destination.b, 16);
}

static uint8_t *put_tcp(uint8_t *at, const struct packet *p)
{
	uint8_t *start = at, *sum;
	uint16_t folded;

	at = put_u16(at, p->source_port);
	at = put_u16(at, p->destination_port);
	at = put_u32(at, p->seq);
	at = put_u32(at, p->ack);
	at = put_u8(at, TCP_BYTES / 4 << 4);
	at = put_u8(at, TCP_RST | TCP_ACK);
	at = put_u16(at, 0);
	sum = at;
	at = put_u16(at, 0);
	at = put_u16(at, 0);
	folded = checksum_fold(checksum_add_unturned(decode_pseudo(p, TCP_BYTES), bytes_of(start, TCP_BYTES)));
	memcpy(sum, &folded, sizeof(folded)); // summed as it lies, put as it lies
	return at;
}

static bool can_be_model(const struct frame *model, const struct packet *p)
{
	// A fragment is TCP by its number but has no transport_offset.
	return model->link == LINK_ETHERNET && p->transport == TRANSPORT_TCP && p->transport_offset > p->ip_offset &&
	       (p->source.family == 4 || p->source.family == 6) && p->source.family == p->destination.family &&
	       !p->tunnels && p->ip_offset == (uint32_t)ETHERNET_BYTES + p->vlans * VLAN_BYTES && p->ip_offset <= model->bytes;
}

size_t decode_build_reset(const struct frame *model, const struct packet *p, bool forward, uint32_t seq, uint32_t ack,
			  uint8_t out[DECODE_RESET_BYTES])
{
	struct packet reset = {.transport = TRANSPORT_TCP, .seq = seq, .ack = ack};
	uint8_t *at;
	size_t length;

	if (!can_be_model(model, p))
		return 0;
	reset.source = forward ? p->source : p->destination;
	reset.destination = forward ? p->destination : p->source;
	reset.source_port = forward ? p->source_port : p->destination_port;
	reset.destination_port = forward ? p->destination_port : p->source_port;
	memset(out, 0, DECODE_RESET_BYTES);
	at = put_bytes(out, model->at, p->ip_offset);
	if (!forward) {
		memcpy(out, model->at + MAC_BYTES, MAC_BYTES);
		memcpy(out + MAC_BYTES, model->at, MAC_BYTES);
	}
	at = reset.source.family == 4 ? put_ipv4(at, &reset) : put_ipv6(at, &reset);
	at = put_tcp(at, &reset);
	length = (size_t)(at - out);
	return length < ETHERNET_SHORTEST ? ETHERNET_SHORTEST : length;
}
