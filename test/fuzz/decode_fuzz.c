// SPDX-License-Identifier: GPL-2.0-or-later
// One frame: the first byte is the link layer. Whatever decode says must lie inside the frame, the fast path must say what the general one
// does, and a reset built from it must be a packet of the same flow.
#include <stdlib.h>
#include "decode_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_packet(const struct frame *f, const struct packet *p, enum decode_result result)
{
	require(p->ip_offset <= f->bytes && p->transport_offset <= f->bytes);
	require(p->payload_offset <= f->bytes && p->payload_bytes <= f->bytes - p->payload_offset);
	require(p->vlans <= DECODE_TAGS && p->tunnels <= DECODE_TUNNELS && p->window_scale <= 14);
	require(result != DECODE_OTHER || !address_is_set(&p->source));
	if (result != DECODE_OK && result != DECODE_PIECE)
		return;
	require(p->source.family == 4 || p->source.family == 6);
	require(p->source.family == p->destination.family);
	require(result != DECODE_PIECE || (!p->source_port && !p->destination_port && !p->transport_offset));
	require(result != DECODE_PIECE || (p->fragment_offset % 8 == 0 && p->fragment_next < p->payload_offset));
}

static void check_paths(const struct frame *f, enum decode_checksums checksums, const struct packet *p, enum decode_result result)
{
	struct packet general;

	memset(&general, 0xff, sizeof(general));
	require(decode_frame_general(f, checksums, &general) == result);
	require(memcmp(&general, p, sizeof(general)) == 0);
}

// From its IP header on, a frame says the same.
static void check_datagram(const struct frame *f, const struct packet *p, enum decode_result result)
{
	struct packet again = *p;

	if (p->oddities & (ODDITY_TUNNEL | ODDITY_CUT) || (result != DECODE_OK && result != DECODE_PIECE))
		return;
	require(decode_datagram(f, p->ip_offset, true, &again) == result);
	require(address_equal(&again.source, &p->source) && again.source_port == p->source_port && again.transport == p->transport);
	require(again.vlans == p->vlans && again.tunnels == p->tunnels && again.payload_offset == p->payload_offset);
	require(again.payload_bytes <= f->bytes - again.payload_offset);
}

static void check_reset(const struct frame *f, const struct packet *p)
{
	uint8_t out[DECODE_RESET_BYTES];
	size_t n = decode_build_reset(f, p, false, 1, 2, out);
	struct frame reset = {.at = out, .bytes = (uint32_t)n, .wire_bytes = (uint32_t)n};
	struct packet q;

	if (!n)
		return;
	require(n >= 60 && n <= DECODE_RESET_BYTES && decode_frame(&reset, true, &q) == DECODE_OK);
	require(address_equal(&q.source, &p->destination) && address_equal(&q.destination, &p->source));
	require(q.source_port == p->destination_port && q.destination_port == p->source_port);
	require(q.oddities == 0 && q.seq == 1 && q.ack == 2 && q.vlans == p->vlans);
}

// What goes by on a glance has the ends decode gives it, and nothing around or below them that decode would look at.
static void check_glance(const struct frame *f, const struct packet *p, enum decode_result result)
{
	struct glance g;

	if (!decode_glance(f, &g))
		return;
	require(result != DECODE_PIECE && !p->tunnels && !(p->oddities & (ODDITY_TUNNEL | ODDITY_EXTENSIONS | ODDITY_IP_OPTIONS)));
	if (result != DECODE_OK)
		return;
	require(g.family == p->source.family && memcmp(g.source, p->source.b, sizeof(g.source)) == 0 && memcmp(g.destination, p->destination.b, sizeof(g.destination)) == 0);
	require(__builtin_bswap16(g.source_port) == p->source_port && __builtin_bswap16(g.destination_port) == p->destination_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = {.at = data + 1, .bytes = (uint32_t)size - 1, .wire_bytes = (uint32_t)size};
	struct packet p, lax;
	enum decode_result result;

	if (size < 1)
		return 0;
	f.link = data[0];
	result = decode_frame(&f, true, &p);
	check_packet(&f, &p, result);
	check_paths(&f, true, &p, result);
	check_datagram(&f, &p, result);
	check_glance(&f, &p, result);
	require(decode_frame(&f, false, &lax) == result);
	check_paths(&f, false, &lax, result);
	lax.oddities |= p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM);
	require(memcmp(&lax, &p, sizeof(p)) == 0);
	if (result == DECODE_OK)
		check_reset(&f, &p);
	return 0;
}
