// SPDX-License-Identifier: GPL-2.0-or-later
// Network addresses to text and back, and which ranges mean what. Own formatter: the C library prints all of ::/96 in
// dotted form, RFC 5952 does not. Any thread.
#include "address.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

enum range_meaning { PRIVATE = 1, SPECIAL = 2 };

struct range {
	struct prefix prefix;
	uint8_t meaning;
};

static const struct range ranges[] = {
	{{{4, {0}, {10}}, 8}, PRIVATE},                   // RFC 1918
	{{{4, {0}, {172, 16}}, 12}, PRIVATE},             // RFC 1918
	{{{4, {0}, {192, 168}}, 16}, PRIVATE},            // RFC 1918
	{{{4, {0}, {127}}, 8}, PRIVATE | SPECIAL},        // RFC 1122 loopback
	{{{4, {0}, {169, 254}}, 16}, PRIVATE | SPECIAL},  // RFC 3927 link-local
	{{{4, {0}, {0}}, 8}, SPECIAL},                    // RFC 1122 "this network"
	{{{4, {0}, {224}}, 4}, SPECIAL},                  // RFC 5771 multicast
	{{{4, {0}, {255, 255, 255, 255}}, 32}, SPECIAL},  // RFC 919 broadcast
	{{{6, {0}, {0xfc}}, 7}, PRIVATE},                 // RFC 4193
	{{{6, {0}, {0xfe, 0x80}}, 10}, PRIVATE | SPECIAL}, // RFC 4291 link-local
	{{{6, {0}, {[15] = 1}}, 128}, PRIVATE | SPECIAL}, // RFC 4291 loopback
	{{{6, {0}, {0}}, 128}, SPECIAL},                  // RFC 4291 unspecified
	{{{6, {0}, {0xff}}, 8}, SPECIAL},                 // RFC 4291 multicast
};

struct address address_v4(const uint8_t b[4])
{
	struct address a = {.family = 4};

	memcpy(a.b, b, 4);
	return a;
}

struct address address_v6(const uint8_t b[16])
{
	struct address a = {.family = 6};

	memcpy(a.b, b, 16);
	return a;
}

int address_parse(struct bytes text, struct address *out)
{
	char copy[ADDRESS_TEXT_BYTES];
	uint8_t b[16];
	bool bracket = text.left >= 2 && text.at[0] == '[' && text.at[text.left - 1] == ']';

	if (bracket)
		text = bytes_of(text.at + 1, text.left - 2);
	// A NUL inside would hide what follows it from inet_pton.
	if (text.left == 0 || text.left >= sizeof(copy) || bytes_find(text, 0) != text.left)
		return -EINVAL;
	memcpy(copy, text.at, text.left);
	copy[text.left] = '\0';
	if (inet_pton(AF_INET6, copy, b) == 1) {
		*out = address_v6(b);
		return 0;
	}
	if (bracket || inet_pton(AF_INET, copy, b) != 1)
		return -EINVAL;
	*out = address_v4(b);
	return 0;
}

// The longest run of at least two zero groups, the first of equals (RFC 5952 4.2).
static void find_zero_run(const uint16_t group[8], int *start, int *length)
{
	*start = -1;
	*length = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > *length) {
			*start = i;
			*length = n;
		}
		i += n;
	}
}

static size_t put_byte(char *at, unsigned value)
{
	size_t n = 0;

	if (value >= 100)
		at[n++] = (char)('0' + value / 100);
	if (value >= 10)
		at[n++] = (char)('0' + value / 10 % 10);
	at[n++] = (char)('0' + value % 10);
	return n;
}

static size_t put_v4(char *at, const uint8_t b[4])
{
	size_t n = put_byte(at, b[0]);

	for (int i = 1; i < 4; i++) {
		at[n++] = '.';
		n += put_byte(at + n, b[i]);
	}
	at[n] = '\0';
	return n;
}

static size_t put_group(char *at, unsigned value)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (int shift = 12; shift >= 0; shift -= 4)
		if (n || value >> shift || shift == 0)
			at[n++] = digits[value >> shift & 15];
	return n;
}

static size_t put_v6(char *buffer, const uint8_t b[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint16_t group[8];
	int start, length;
	size_t n = 0;

	if (memcmp(b, mapped, sizeof(mapped)) == 0) { // RFC 5952 5
		memcpy(buffer, "::ffff:", 7);
		return 7 + put_v4(buffer + 7, b + 12);
	}
	for (int i = 0; i < 8; i++)
		group[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
	find_zero_run(group, &start, &length);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			buffer[n++] = ':';
			buffer[n++] = ':';
			i += length - 1;
			continue;
		}
		if (i && buffer[n - 1] != ':')
			buffer[n++] = ':';
		n += put_group(buffer + n, group[i]);
	}
	buffer[n] = '\0';
	return n;
}

size_t address_text(const struct address *a, char buffer[ADDRESS_TEXT_BYTES])
{
	if (a->family == 4)
		return put_v4(buffer, a->b);
	if (a->family == 6)
		return put_v6(buffer, a->b);
	memcpy(buffer, "-", 2);
	return 1;
}

const char *address_format(const struct address *a, char buffer[ADDRESS_TEXT_BYTES])
{
	address_text(a, buffer);
	return buffer;
}

bool address_is_well_formed(const struct address *a)
{
	static const uint8_t none[16];
	size_t used = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

	if (a->family != 0 && used == 0)
		return false;
	return memcmp(a->zero, none, sizeof(a->zero)) == 0 && memcmp(a->b + used, none, sizeof(none) - used) == 0;
}

bool prefix_is_well_formed(const struct prefix *p)
{
	if (!address_is_set(&p->address) || !address_is_well_formed(&p->address))
		return false;
	if (p->bits > (p->address.family == 4 ? 32 : 128))
		return false;
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = p->bits > 8 * i ? p->bits - 8 * i : 0;

		if (kept < 8 && (p->address.b[i] & 0xff >> kept))
			return false;
	}
	return true;
}

int prefix_parse(struct bytes text, struct prefix *out)
{
	size_t slash = bytes_find(text, '/');
	struct bytes bits_text = bytes_from(text, slash + 1);
	struct prefix p = {0};
	uint64_t bits;

	if (address_parse(bytes_head(text, slash), &p.address))
		return -EINVAL;
	bits = p.address.family == 4 ? 32 : 128;
	if (slash < text.left) {
		if (bits_text.left > 1 && bits_text.at[0] == '0')
			return -EINVAL;
		if (bytes_to_u64(bits_text, bits, &bits))
			return -EINVAL;
	}
	p.bits = (uint32_t)bits;
	if (!prefix_is_well_formed(&p))
		return -EINVAL;
	*out = p;
	return 0;
}

const char *prefix_format(const struct prefix *p, char buffer[PREFIX_TEXT_BYTES])
{
	char address[ADDRESS_TEXT_BYTES];

	snprintf(buffer, PREFIX_TEXT_BYTES, "%s/%u", address_format(&p->address, address), p->bits % 1000);
	return buffer;
}

bool prefix_has(const struct prefix *p, const struct address *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (!address_is_set(a) || p->address.family != a->family || p->bits > (a->family == 4 ? 32u : 128u))
		return false;
	if (memcmp(p->address.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((p->address.b[whole] ^ a->b[whole]) & 0xff00 >> rest & 0xff) == 0;
}

// Most addresses differ from a range in its first byte: that is seen without a call.
static bool begins_alike(const struct prefix *p, const struct address *a)
{
	return p->bits < 8 || p->address.b[0] == a->b[0];
}

static bool address_means(const struct address *a, uint8_t meaning)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (ranges[i].meaning & meaning && begins_alike(&ranges[i].prefix, a) && prefix_has(&ranges[i].prefix, a))
			return true;
	return false;
}

bool address_is_private(const struct address *a)
{
	return address_means(a, PRIVATE);
}

bool address_is_special(const struct address *a)
{
	return address_means(a, SPECIAL);
}
