// SPDX-License-Identifier: GPL-2.0-or-later
// Network addresses. The family is part of the value: 192.0.2.1 and ::ffff:192.0.2.1 are different.
#pragma once
#include "bytes.h"

enum address_limits {
	ADDRESS_TEXT_BYTES = 46,     // longest IPv6 text with its NUL
	PREFIX_TEXT_BYTES = 50,      // the same with "/128"
};

struct address {
	uint8_t family;  // 4, 6, or 0 = none
	uint8_t zero[3]; // always 0, so that the struct may be hashed and compared as memory
	uint8_t b[16];   // network order; an IPv4 address fills the first 4, the rest is 0
};

struct prefix {
	struct address address; // host bits are 0
	uint32_t bits;          // 0..32 or 0..128
};

static inline bool address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool address_is_set(const struct address *a)
{
	return a->family != 0;
}

struct address address_v4(const uint8_t b[4]);
struct address address_v6(const uint8_t b[16]);

// Reads "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". -EINVAL on anything else (no names, no "1.2").
int address_parse(struct bytes text, struct address *out);

// Writes the canonical text (RFC 5952 for IPv6) with its NUL; "-" for none. Returns buffer.
const char *address_format(const struct address *a, char buffer[ADDRESS_TEXT_BYTES]);
// The same; returns its length.
size_t address_text(const struct address *a, char buffer[ADDRESS_TEXT_BYTES]);

// Reads "192.0.2.0/24" or a plain address (host prefix). -EINVAL where host bits are set or it is no prefix.
int prefix_parse(struct bytes text, struct prefix *out);
const char *prefix_format(const struct prefix *p, char buffer[PREFIX_TEXT_BYTES]);
bool prefix_has(const struct prefix *p, const struct address *a);

// For copies of foreign memory. Address: family 0, 4 or 6, and every byte that the family does not use is 0.
bool address_is_well_formed(const struct address *a);
// Prefix: the same of its address, which is set, bits within the family's, host bits 0.
bool prefix_is_well_formed(const struct prefix *p);

// Loopback, RFC 1918, RFC 4193, link-local: what is "inside" unless the operator says otherwise.
bool address_is_private(const struct address *a);
// Multicast, broadcast, unspecified, loopback, link-local: never blocked, never learned as an endpoint.
bool address_is_special(const struct address *a);
