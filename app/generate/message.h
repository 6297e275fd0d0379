// SPDX-License-Identifier: GPL-2.0-or-later
// A growing message in one fixed buffer: what a peer says before it is cut into segments. Big-endian.
// Running out of room is a mistake in our own tables, so it ends the program.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum message_limits { MESSAGE_BYTES = 2 << 20 };

struct message {
	uint8_t *at; // MESSAGE_BYTES, owned by the stage
	size_t length;
};

static inline void message_clear(struct message *m)
{
	m->length = 0;
}

void message_add(struct message *m, const void *data, size_t n);
void message_text(struct message *m, const char *text);
void message_format(struct message *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void message_zero(struct message *m, size_t n);
void message_u8(struct message *m, uint8_t v);
void message_u16(struct message *m, uint16_t v);
void message_u32(struct message *m, uint32_t v);

// A field of `width` bytes (1..4) that will hold the length of what follows it; returns its place.
size_t message_open(struct message *m, unsigned width);
void message_close(struct message *m, size_t place, unsigned width);

// BER elements (LDAP, Kerberos), lengths in the shortest form. Nest freely; close in reverse order.
size_t message_open_ber(struct message *m, uint8_t tag);
void message_close_ber(struct message *m, size_t place);
void message_ber_integer(struct message *m, uint8_t tag, uint32_t v);
void message_ber_text(struct message *m, uint8_t tag, const char *text);
void message_ber_bytes(struct message *m, uint8_t tag, const void *data, size_t n);
