// SPDX-License-Identifier: GPL-2.0-or-later
// One frame: the first byte is the link layer. Whatever decode says must lie inside the frame, and a reset built from
// it must be a packet of the same flow.
#include <stdlib.h>
#include "decode.h"

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
	require(p->vlans <= DECODE_TAGS && p->window_scale <= 14);
	require(result != DECODE_OTHER || !address_is_set(&p->source));
	if (result != DECODE_OK && result != DECODE_PIECE)
		return;
	require(p->source.family == 4 || p->source.family == 6);
	require(p->source.family == p->destination.family);
	require(result != DECODE_PIECE || (!p->source_port && !p->destination_port && !p->payload_bytes));
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
	require(decode_frame(&f, false, &lax) == result);
	lax.oddities |= p.oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM);
	require(memcmp(&lax, &p, sizeof(p)) == 0);
	if (result == DECODE_OK)
		check_reset(&f, &p);
	return 0;
}
