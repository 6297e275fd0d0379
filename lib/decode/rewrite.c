// SPDX-License-Identifier: GPL-2.0-or-later
// The only change ever made to a frame that goes on: its urgent mark is taken away.
#include "decode_impl.h"

enum { AT_FLAGS = 12, AT_SUM = 16, AT_URGENT = 18 };

static uint16_t read_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void write_at(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

// RFC 1624 §3, equation 3.
static void change(uint8_t *tcp, size_t at, uint16_t value)
{
	uint32_t sum = (uint16_t)~read_at(tcp + AT_SUM) + (uint32_t)(uint16_t)~read_at(tcp + at) + value;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	write_at(tcp + AT_SUM, (uint16_t)~sum);
	write_at(tcp + at, value);
}

void decode_clear_urgent(uint8_t *frame, const struct packet *p)
{
	uint8_t *tcp = frame + p->transport_offset;

	change(tcp, AT_FLAGS, (uint16_t)(read_at(tcp + AT_FLAGS) & ~TCP_URG));
	change(tcp, AT_URGENT, 0);
}
