// SPDX-License-Identifier: GPL-2.0-or-later
// A bounds-checked cursor over borrowed memory. Every parser reads through it; nothing else in the
// tree does pointer arithmetic on hostile bytes. All multi-byte reads are big-endian (network order)
// unless the name says `le`. No function reads past the end: it returns false and moves nothing.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
	const uint8_t *at; // next byte; borrowed, never freed here
	size_t left;       // how many may be read
};

static inline struct bytes bytes_of(const void *at, size_t n)
{
	return (struct bytes){at, n};
}

static inline struct bytes bytes_of_text(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

// A copy read part by part. What was just written in two parts cannot be read in one before both have left the core, which lasts as long as the cache miss
// that was written before them.
static inline struct bytes bytes_apart(const struct bytes *b)
{
	const uint8_t *at = b->at;
	size_t left = b->left;

	__asm__("" : "+r"(at), "+r"(left));
	return bytes_of(at, left);
}

// Moves the cursor over n bytes. false (and no move) if fewer are left.
static inline bool bytes_skip(struct bytes *b, size_t n)
{
	if (n > b->left)
		return false;
	if (n) // C11 lets nothing be added to NULL, not even 0
		b->at += n;
	b->left -= n;
	return true;
}

// Splits the next n bytes off into *out.
static inline bool bytes_take(struct bytes *b, size_t n, struct bytes *out)
{
	if (n > b->left)
		return false;
	*out = (struct bytes){b->at, n};
	return bytes_skip(b, n);
}

static inline bool bytes_read_u8(struct bytes *b, uint8_t *out)
{
	if (b->left < 1)
		return false;
	*out = b->at[0];
	return bytes_skip(b, 1);
}

static inline bool bytes_read_u16(struct bytes *b, uint16_t *out)
{
	if (b->left < 2)
		return false;
	*out = (uint16_t)(b->at[0] << 8 | b->at[1]);
	return bytes_skip(b, 2);
}

static inline bool bytes_read_u24(struct bytes *b, uint32_t *out)
{
	if (b->left < 3)
		return false;
	*out = (uint32_t)b->at[0] << 16 | (uint32_t)b->at[1] << 8 | b->at[2];
	return bytes_skip(b, 3);
}

static inline bool bytes_read_u32(struct bytes *b, uint32_t *out)
{
	if (b->left < 4)
		return false;
	*out = (uint32_t)b->at[0] << 24 | (uint32_t)b->at[1] << 16 | (uint32_t)b->at[2] << 8 |
	       b->at[3];
	return bytes_skip(b, 4);
}

// The first n bytes, or all of them where fewer are left.
static inline struct bytes bytes_head(struct bytes b, size_t n)
{
	if (b.left > n)
		b.left = n;
	return b;
}

// What remains after n bytes; empty where fewer are left.
static inline struct bytes bytes_from(struct bytes b, size_t n)
{
	if (n >= b.left) // an empty one may stand at NULL, to which C11 lets nothing be added
		return (struct bytes){b.left ? b.at + b.left : b.at, 0};
	return (struct bytes){b.at + n, b.left - n};
}

// Index of the first `byte`, or b.left where there is none.
static inline size_t bytes_find(struct bytes b, uint8_t byte)
{
	const uint8_t *hit = b.left ? memchr(b.at, byte, b.left) : NULL;
	return hit ? (size_t)(hit - b.at) : b.left;
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.left == b.left && (a.left == 0 || memcmp(a.at, b.at, a.left) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of_text(text));
}

// ASCII case folded, independent of locale.
static inline uint8_t byte_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static inline bool bytes_equal_nocase(struct bytes a, const char *text)
{
	size_t n = strlen(text);

	if (a.left != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (byte_lower(a.at[i]) != byte_lower((uint8_t)text[i]))
			return false;
	return true;
}

static inline bool bytes_begin_with(struct bytes a, const char *text)
{
	size_t n = strlen(text);
	return a.left >= n && memcmp(a.at, text, n) == 0;
}

// Index of the first occurrence of needle (exact), or hay.left. Work: O(hay × needle), so the needle
// must be a short constant of ours, never the peer's bytes.
size_t bytes_find_text(struct bytes hay, const char *needle);

// Unsigned decimal over the whole of b (1..20 digits). -EINVAL on anything else, -ERANGE above max.
int bytes_to_u64(struct bytes b, uint64_t max, uint64_t *out);
