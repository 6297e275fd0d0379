// SPDX-License-Identifier: GPL-2.0-or-later
// TCP, UDP and ICMP headers of one packet, and the checksum they share. Knows nothing of connections. Lengths are
// judged by the IP length, so that a cut capture is not taken for a lying header; payload is limited to what is there.
#include "decode_impl.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_WINDOW_SCALE = 3,
	WINDOW_SCALE_MAX = 14, // RFC 7323 §2.3
	TCP_FLAGS = 0x3f,
	ICMP_BYTES = 8,
	UDP_PORT_VXLAN = 4789,
};

// The sum does not depend on the order of bytes in a word (RFC 1071 §2 B): eight at a time as they lie, turned once.
static uint64_t add_eights(struct bytes *b)
{
	uint64_t low = 0, high = 0, eight, sum;
	struct bytes part;
	uint16_t folded;
	uint8_t pair[2];

	while (bytes_take(b, sizeof(eight), &part)) {
		memcpy(&eight, part.at, sizeof(eight));
		low += eight & UINT32_MAX;
		high += eight >> 32;
	}
	sum = low + high;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)sum;
	memcpy(pair, &folded, sizeof(pair));
	return (uint64_t)pair[0] << 8 | pair[1];
}

uint64_t checksum_add(uint64_t sum, struct bytes b)
{
	uint32_t four;
	uint16_t two;
	uint8_t one;

	sum += add_eights(&b);
	if (bytes_read_u32(&b, &four))
		sum += four;
	if (bytes_read_u16(&b, &two))
		sum += two;
	if (bytes_read_u8(&b, &one))
		sum += (uint64_t)one << 8;
	return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint64_t checksum_add_pseudo(const struct packet *p, uint32_t upper_bytes)
{
	size_t n = p->source.family == 4 ? 4 : 16;
	uint64_t sum = checksum_add(0, bytes_of(p->source.b, n));

	return checksum_add(sum, bytes_of(p->destination.b, n)) + p->transport + upper_bytes;
}

// `upper` bytes from the transport header; all of them must be in the frame, or there is nothing to verify.
static void verify(struct walk *w, size_t upper, bool pseudo)
{
	struct packet *p = w->packet;
	struct bytes frame = bytes_of(w->frame->at, w->frame->bytes), body;

	if (!w->checksums || w->rerouted || !bytes_skip(&frame, p->transport_offset) ||
	    !bytes_take(&frame, upper, &body))
		return;
	if (checksum_fold(checksum_add(pseudo ? checksum_add_pseudo(p, (uint32_t)upper) : 0, body)))
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
}

static void set_payload(struct walk *w)
{
	w->packet->payload_offset = walk_offset(w);
	w->packet->payload_bytes = (uint32_t)w->rest.left;
}

// SYN with FIN or RST, FIN with RST, and whatever has none of SYN, RST, ACK (null, Xmas, a bare FIN): RFC 9293 §3.10.7
// drops it.
static bool flags_are_odd(uint8_t flags)
{
	static const uint8_t pairs[] = {TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST, TCP_FIN | TCP_RST};

	for (size_t i = 0; i < sizeof(pairs); i++)
		if ((flags & pairs[i]) == pairs[i])
			return true;
	return !(flags & (TCP_SYN | TCP_RST | TCP_ACK));
}

// A bad length ends the walk as it does in Linux, which keeps the segment: an oddity, not malformed.
static void walk_options(struct packet *p, struct bytes options, bool cut)
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
		// RFC 7323 §2.2: only in a SYN
		if (kind == OPTION_WINDOW_SCALE && length == 3 && p->tcp_flags & TCP_SYN && !p->has_window_scale) {
			p->has_window_scale = 1;
			p->window_scale = value.at[0] > WINDOW_SCALE_MAX ? WINDOW_SCALE_MAX : value.at[0];
		}
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
	    !bytes_read_u16(&w->rest, &p->window) || !bytes_skip(&w->rest, 4))
		return DECODE_MALFORMED;
	p->tcp_flags &= TCP_FLAGS;
	if (flags_are_odd(p->tcp_flags))
		p->oddities |= ODDITY_FLAGS;
	verify(w, segment, true);
	header = (offset >> 4) * 4u;
	p->payload_offset = walk_offset(w);
	if (header < TCP_BYTES || header > segment) {
		p->oddities |= ODDITY_OFFSET;
		return DECODE_OK;
	}
	options = bytes_head(w->rest, header - TCP_BYTES);
	walk_options(p, options, options.left < header - TCP_BYTES);
	w->rest = bytes_from(w->rest, header - TCP_BYTES);
	set_payload(w);
	return DECODE_OK;
}

static enum decode_result read_udp(struct walk *w)
{
	struct packet *p = w->packet;
	size_t datagram = w->ip_rest;
	uint16_t length, sum;

	if (!bytes_read_u16(&w->rest, &p->source_port) || !bytes_read_u16(&w->rest, &p->destination_port) ||
	    !bytes_read_u16(&w->rest, &length) || !bytes_read_u16(&w->rest, &sum))
		return DECODE_MALFORMED;
	if (p->destination_port == UDP_PORT_VXLAN)
		p->oddities |= ODDITY_TUNNEL;
	p->payload_offset = walk_offset(w);
	if (length != datagram)
		p->oddities |= ODDITY_LENGTH;
	if (length < UDP_BYTES || length > datagram)
		return DECODE_OK;
	if (sum)
		verify(w, length, true);
	else if (w->checksums && p->source.family == 6) // RFC 8200 §8.1: a checksum of 0 is not "none" there
		p->oddities |= ODDITY_TRANSPORT_CHECKSUM;
	w->rest = bytes_head(w->rest, length - UDP_BYTES);
	set_payload(w);
	return DECODE_OK;
}

static enum decode_result read_icmp(struct walk *w)
{
	struct packet *p = w->packet;
	struct bytes start = w->rest;
	uint16_t type_and_code;

	if (!bytes_read_u16(&w->rest, &type_and_code) || !bytes_skip(&w->rest, 2))
		return DECODE_MALFORMED;
	p->source_port = type_and_code;
	verify(w, w->ip_rest, p->transport == TRANSPORT_ICMP6); // RFC 792 knows no pseudo-header, RFC 4443 §2.3 does
	w->rest = bytes_from(start, ICMP_BYTES);
	set_payload(w);
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
	set_payload(w);
	return DECODE_OK;
}
