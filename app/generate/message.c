// SPDX-License-Identifier: GPL-2.0-or-later
// See message.h. Knows byte order and BER lengths, nothing of any protocol.
#include "message.h"
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint8_t *room(struct message *m, size_t n)
{
	uint8_t *at = m->at + m->length;

	if (n > MESSAGE_BYTES - m->length)
		log_fatal("a message of more than %d bytes", (int)MESSAGE_BYTES);
	m->length += n;
	return at;
}

void message_add(struct message *m, const void *data, size_t n)
{
	memcpy(room(m, n), data, n);
}

void message_text(struct message *m, const char *text)
{
	message_add(m, text, strlen(text));
}

void message_format(struct message *m, const char *format, ...)
{
	char line[2048];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(line))
		log_fatal("a line of more than %zu bytes", sizeof(line));
	message_add(m, line, (size_t)n);
}

void message_zero(struct message *m, size_t n)
{
	memset(room(m, n), 0, n);
}

void message_u8(struct message *m, uint8_t v)
{
	*room(m, 1) = v;
}

void message_u16(struct message *m, uint16_t v)
{
	message_u8(m, (uint8_t)(v >> 8));
	message_u8(m, (uint8_t)v);
}

void message_u32(struct message *m, uint32_t v)
{
	message_u16(m, (uint16_t)(v >> 16));
	message_u16(m, (uint16_t)v);
}

size_t message_open(struct message *m, unsigned width)
{
	size_t place = m->length;

	message_zero(m, width);
	return place;
}

void message_close(struct message *m, size_t place, unsigned width)
{
	size_t n = m->length - place - width;

	for (unsigned i = 0; i < width; i++)
		m->at[place + i] = (uint8_t)(n >> 8 * (width - 1 - i));
}

size_t message_open_ber(struct message *m, uint8_t tag)
{
	message_u8(m, tag);
	return m->length;
}

void message_close_ber(struct message *m, size_t place)
{
	size_t n = m->length - place;
	size_t width = n < 128 ? 1 : n < 256 ? 2 : 3;

	room(m, width);
	memmove(m->at + place + width, m->at + place, n);
	if (width > 1)
		m->at[place] = (uint8_t)(0x80 + width - 1);
	if (width == 3)
		m->at[place + 1] = (uint8_t)(n >> 8);
	m->at[place + width - 1] = (uint8_t)n;
}

void message_ber_bytes(struct message *m, uint8_t tag, const void *data, size_t n)
{
	size_t place = message_open_ber(m, tag);

	message_add(m, data, n);
	message_close_ber(m, place);
}

void message_ber_text(struct message *m, uint8_t tag, const char *text)
{
	message_ber_bytes(m, tag, text, strlen(text));
}

void message_ber_integer(struct message *m, uint8_t tag, uint32_t v)
{
	const uint8_t all[5] = {0, (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
	size_t first = 0;

	// Two's complement: the leading zero stays where the next byte would look negative.
	while (first < 4 && all[first] == 0 && all[first + 1] < 128)
		first++;
	message_ber_bytes(m, tag, all + first, 5 - first);
}
