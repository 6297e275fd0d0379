// SPDX-License-Identifier: GPL-2.0-or-later
// TCP, UDP and ICMP headers of one packet, and the checksum they share. Knows nothing of connections. Lengths are
// judged by the IP length, so that a cut capture is not taken for a lying header; payload is limited to what is there.
#include "decode_impl.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_WINDOW_SCALE = 3,
	OPTION_TIMESTAMP = 8,
	OPTION_MD5 = 19,
	OPTION_AO = 29,
	OPTION_TIMESTAMP_BYTES = 10,
	OPTION_MD5_BYTES = 18,
	OPTION_AO_BYTES_LEAST = 4,
	WINDOW_SCALE_MAX = 14, // RFC 7323 §2.3
	ICMP_BYTES = 8,
};

static uint16_t in_memory_order(uint32_t v)
{
	const uint8_t pair[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	uint16_t word;

	memcpy(&word, pair, sizeof(word));
	return word;
}

// Unturned. The upper length has 32 bits in IPv6 (RFC 8200 §8.1), of which a frame never needs the high ones but for a reassembled datagram.
uint64_t decode_pseudo(const struct packet *p, uint32_t upper_bytes)
{
	size_t n = p->source.family == 4 ? 4 : 16;
	uint64_t sum = checksum_add_unturned(0, bytes_of(p->source.b, n));

	return checksum_add_unturned(sum, bytes_of(p->destination.b, n)) + in_memory_order(p->transport) +
	       in_memory_order(upper_bytes & 0xffff) + in_memory_order(upper_bytes >> 16);
}

size_t decode_transport_bytes(uint8_t transport, struct bytes header)
{
	static const struct {
		uint8_t transport;
		uint8_t bytes;
	} shortest[] = {{TRANSPORT_ICMP, ICMP_BYTES}, {TRANSPORT_TCP, TCP_BYTES}, {TRANSPORT_UDP, UDP_BYTES},
			{TRANSPORT_ICMP6, ICMP_BYTES}, {4, IPV4_BYTES}, {41, IPV6_BYTES}, {47, 4}};
	size_t needed = 0;
	uint8_t offset;

	for (size_t i = 0; i < sizeof(shortest) / sizeof(shortest[0]); i++)
		if (shortest[i].transport == transport)
			needed = shortest[i].bytes;
	if (transport == TRANSPORT_TCP && bytes_skip(&header, 12) && bytes_read_u8(&header, &offset) &&
	    (offset >> 4) * 4u > needed)
		needed = (offset >> 4) * 4u;
	return needed;
}

// `upper` bytes from the transport header; all of them must be in the frame, or there is nothing to verify.
static void verify(struct walk *w, size_t upper, bool pseudo)
{
	struct packet *p = w->packet;
	struct bytes frame = bytes_of(w->frame->at, w->frame->bytes), body;

	if (!w->checksums || w->rerouted || !bytes_skip(&frame, p->transport_offset) ||
	    !bytes_take(&frame, upper, &body))
		return;
	if (checksum_fold(checksum_add_unturned(pseudo ? decode_pseudo(p, (uint32_t)upper) : 0, body)))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
}

// RFC 7323 §2.2: window scale only in a SYN.
static void take_option(struct packet *p, uint8_t kind, struct bytes value)
{
	size_t length = value.left + 2;

	if (kind == OPTION_WINDOW_SCALE && length == 3 && p->tcp_flags & TCP_SYN && !p->has_window_scale) {
		p->has_window_scale = 1;
		p->window_scale = value.at[0] > WINDOW_SCALE_MAX ? WINDOW_SCALE_MAX : value.at[0];
	} else if (kind == OPTION_TIMESTAMP && length == OPTION_TIMESTAMP_BYTES) {
		p->has_timestamp = 1;
		bytes_read_u32(&value, &p->timestamp);
	} else if ((kind == OPTION_MD5 && length == OPTION_MD5_BYTES) || (kind == OPTION_AO && length >= OPTION_AO_BYTES_LEAST)) {
		p->has_signature = 1;
	}
}

// A bad length ends the walk as it does in Linux, which keeps the segment: an oddity, not malformed.
void decode_tcp_options(struct packet *p, struct bytes options, bool cut)
{
	uint8_t kind, length;
	struct bytes value;

	while (bytes_read_u8(&options, &kind) && kind != OPTION_END) {
		if (kind == OPTION_NOP)
			continue;
		if (!bytes_read_u8(&options, &length) || length < 2 || !bytes_take(&options, length - 2u, &value)) {
			p->oddities |= cut ? 0 : ODDITY_OPTIONS;
			return;
		}
		take_option(p, kind, value);
	}
}

static enum decode_result read_tcp(struct walk *w)
{
	struct packet *p = w->packet;
	size_t segment = w->ip_rest, header;
	struct bytes options;
	uint8_t offset;

	if (!bytes_read_u16(&w->rest, &p->source_port) || !bytes_read_u16(&w->rest, &p->destination_port) ||
	    !bytes_read_u32(&w->rest, &p->seq) || !bytes_read_u32(&w->rest, &p->ack) ||
	    !bytes_read_u8(&w->rest, &offset) || !bytes_read_u8(&w->rest, &p->tcp_flags) ||
	    !bytes_read_u16(&w->rest, &p->window) || !bytes_skip(&w->rest, 2) || !bytes_read_u16(&w->rest, &p->urgent))
		return walk_short(w);
	p->tcp_flags &= TCP_FLAGS;
	if (decode_flags_are_odd(p->tcp_flags))
		p->oddities |= ODDITY_FLAGS;
	verify(w, segment, true);
	header = (offset >> 4) * 4u;
	p->payload_offset = walk_offset(w);
	if (header < TCP_BYTES || header > segment) {
		p->oddities |= ODDITY_OFFSET | ODDITY_HEADER;
		return DECODE_OK;
	}
	options = bytes_head(w->rest, header - TCP_BYTES);
	decode_tcp_options(p, options, options.left < header - TCP_BYTES);
	w->rest = bytes_from(w->rest, header - TCP_BYTES);
	walk_set_payload(w);
	return DECODE_OK;
}

// Linux takes a datagram shorter than its packet, and in IPv6 a length of 0 as "all of it" (for jumbograms, RFC 2675 §4).
static bool udp_length_is_impossible(const struct packet *p, uint16_t length, size_t datagram)
{
	return length > datagram || (length < UDP_BYTES && (length || p->source.family == 4));
}

static enum decode_result read_udp(struct walk *w)
{
	struct packet *p = w->packet;
	size_t datagram = w->ip_rest;
	uint16_t length, sum;
	read_fn tunnel = NULL;

	if (!bytes_read_u16(&w->rest, &p->source_port) || !bytes_read_u16(&w->rest, &p->destination_port) ||
	    !bytes_read_u16(&w->rest, &length) || !bytes_read_u16(&w->rest, &sum))
		return walk_short(w);
	p->payload_offset = walk_offset(w);
	if (length != datagram)
		p->oddities |= ODDITY_LENGTH;
	if (udp_length_is_impossible(p, length, datagram))
		p->oddities |= ODDITY_HEADER;
	if (length < UDP_BYTES || length > datagram)
		return p->destination_port == UDP_PORT_VXLAN ? decode_unopened(w) : DECODE_OK;
	if (decode_is_tunnel_port(p->destination_port) || decode_is_tunnel_port(p->source_port))
		tunnel = decode_udp_tunnel(p, bytes_head(w->rest, length - UDP_BYTES));
	if (sum)
		verify(w, length, true);
	else if (w->checksums && p->source.family == 6 && !tunnel) // RFC 8200 §8.1: 0 is not "none" there, but in a tunnel (RFC 6935)
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
	w->rest = bytes_head(w->rest, length - UDP_BYTES);
	walk_set_payload(w);
	if (tunnel)
		return tunnel(w);
	return p->destination_port == UDP_PORT_VXLAN ? decode_unopened(w) : DECODE_OK;
}

static enum decode_result read_icmp(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes start = w->rest;
	uint16_t type_and_code;

	if (!bytes_read_u16(&w->rest, &type_and_code) || !bytes_skip(&w->rest, 2))
		return walk_short(w);
	p->source_port = type_and_code;
	verify(w, w->ip_rest, p->transport == TRANSPORT_ICMP6); // RFC 792 knows no pseudo-header, RFC 4443 §2.3 does
	w->rest = bytes_from(start, ICMP_BYTES);
	walk_set_payload(w);
	return DECODE_OK;
}

enum decode_result decode_transport(struct walk *w)
{
	static const struct {
		uint8_t transport;
		uint8_t family; // 0: any
		enum decode_result (*read)(struct walk *w);
	} readers[] = {
		{TRANSPORT_TCP, 0, read_tcp},
		{TRANSPORT_UDP, 0, read_udp},
		{TRANSPORT_ICMP, 4, read_icmp},
		{TRANSPORT_ICMP6, 6, read_icmp},
	};
	const struct packet *p = w->packet;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].transport == p->transport &&
		    (!readers[i].family || readers[i].family == p->source.family))
			return readers[i].read(w);
	walk_set_payload(w);
	return DECODE_OK;
}
