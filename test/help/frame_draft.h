// SPDX-License-Identifier: GPL-2.0-or-later
// Frames written by hand, layer by layer, for tests: between 192.0.2.1:40000 and 198.51.100.2:80, or 2001:db8::1 and
// ::2. Its checksum is a slow, separate one, so that it can judge ours.
#pragma once
#include "bytes.h"

struct draft { // a frame being written
	uint8_t b[4096];
	size_t n;
};

__attribute__((unused)) static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};
__attribute__((unused)) static const uint8_t v4_a[4] = {192, 0, 2, 1}, v4_b[4] = {198, 51, 100, 2};
__attribute__((unused)) static const uint8_t v6_a[16] = {0x20, 1, 0xd, 0xb8, [15] = 1},
					     v6_b[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};

static inline void put(struct draft *d, const void *from, size_t n)
{
	memcpy(d->b + d->n, from, n);
	d->n += n;
}

static inline void put8(struct draft *d, unsigned v)
{
	d->b[d->n++] = (uint8_t)v;
}

static inline void put16(struct draft *d, unsigned v)
{
	put8(d, v >> 8);
	put8(d, v);
}

static inline void put32(struct draft *d, uint32_t v)
{
	put16(d, v >> 16);
	put16(d, v);
}

static inline void set16(struct draft *d, size_t at, unsigned v)
{
	d->b[at] = (uint8_t)(v >> 8);
	d->b[at + 1] = (uint8_t)v;
}

static inline void ether(struct draft *d, unsigned type)
{
	put(d, mac_b, 6);
	put(d, mac_a, 6);
	put16(d, type);
}

// A slow, separate sum: the naive twin of the one under test.
static inline unsigned twin_checksum(const uint8_t *b, size_t n, unsigned start)
{
	unsigned long sum = start;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? b[i] : b[i] * 256ul;
	while (sum > 0xffff)
		sum = sum % 65536 + sum / 65536;
	return 0xffff - (unsigned)sum;
}

static inline unsigned twin_pseudo(const uint8_t *a, const uint8_t *b, size_t n, unsigned transport, size_t length)
{
	uint8_t both[32];

	memcpy(both, a, n);
	memcpy(both + n, b, n);
	return 0xffff - twin_checksum(both, 2 * n, 0) + transport + (unsigned)length;
}

static inline void ipv4(struct draft *d, unsigned transport, size_t upper, unsigned fragment)
{
	size_t start = d->n;

	put16(d, 0x4500);
	put16(d, (unsigned)(20 + upper));
	put16(d, 7);
	put16(d, fragment);
	put8(d, 63);
	put8(d, transport);
	put16(d, 0);
	put(d, v4_a, 4);
	put(d, v4_b, 4);
	set16(d, start + 10, twin_checksum(d->b + start, 20, 0));
}

static inline void ipv6(struct draft *d, unsigned next, size_t upper)
{
	put32(d, 6u << 28);
	put16(d, (unsigned)upper);
	put8(d, next);
	put8(d, 62);
	put(d, v6_a, 16);
	put(d, v6_b, 16);
}

static inline void tcp(struct draft *d, unsigned flags, const char *payload)
{
	put16(d, 40000);
	put16(d, 80);
	put32(d, 1000);
	put32(d, 2000);
	put16(d, 5u << 12 | flags);
	put16(d, 512);
	put32(d, 0);
	put(d, payload, strlen(payload));
}

static inline void tcp4(struct draft *d, unsigned flags, const char *payload)
{
	size_t n = 20 + strlen(payload), at;

	ipv4(d, 6, n, 0);
	at = d->n;
	tcp(d, flags, payload);
	set16(d, at + 16, twin_checksum(d->b + at, n, twin_pseudo(v4_a, v4_b, 4, 6, n)));
}

static inline void udp(struct draft *d, unsigned port, unsigned length, size_t payload)
{
	put16(d, 5000);
	put16(d, port);
	put16(d, length);
	put16(d, 0);
	for (size_t i = 0; i < payload; i++)
		put8(d, 'u');
}
