// SPDX-License-Identifier: GPL-2.0-or-later
// Can a field hold a look-up at all? Asked of every header of every request, so it is answered at the speed of memory:
// a look-up needs a '$' and a '{', each in clear or escaped. What an escape begins with is found 64 bytes at a time;
// only where one stands is it looked at closely. Pure; any thread.
#include "jndi_impl.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { GIVES_DOLLAR = 1, GIVES_BRACE = 2, GIVES_BOTH = 3 };

// '$', '%', '&' lie side by side; 0xc0 and above: UTF-8 that is longer than need be.
static bool is_sign(uint8_t c)
{
	return (c >= '$' && c <= '&') || c == '\\' || c >= 0xc0;
}

static size_t next_sign_slowly(struct bytes b, size_t at)
{
	while (at < b.left && !is_sign(b.at[at]))
		at++;
	return at;
}

#ifdef __SSE2__
static __m128i signs_in(__m128i c)
{
	__m128i low = _mm_sub_epi8(c, _mm_set1_epi8('$'));

	return _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8('&' - '$')), low),
			    _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\\')),
					 _mm_cmpeq_epi8(_mm_max_epu8(c, _mm_set1_epi8((char)0xc0)), c)));
}

static __m128i signs_at(const uint8_t *at)
{
	return signs_in(_mm_loadu_si128((const __m128i *)at));
}

static size_t next_sign(struct bytes b, size_t at)
{
	if (at < b.left && is_sign(b.at[at])) // they often stand together
		return at;
	for (; at + 64 <= b.left; at += 64) {
		const uint8_t *p = b.at + at;

		if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(signs_at(p), signs_at(p + 16)),
						   _mm_or_si128(signs_at(p + 32), signs_at(p + 48)))))
			break;
	}
	for (; at + 16 <= b.left; at += 16) {
		unsigned mask = (unsigned)_mm_movemask_epi8(signs_at(b.at + at));

		if (mask)
			return at + (size_t)__builtin_ctz(mask);
	}
	if (b.left >= 16 && at < b.left) { // the last 16, of which some were seen
		unsigned mask = (unsigned)_mm_movemask_epi8(signs_at(b.at + b.left - 16)) >> (16 - (b.left - at));

		return mask ? at + (size_t)__builtin_ctz(mask) : b.left;
	}
	if (b.left >= 8 && at == 0) { // two halves that overlap
		__m128i low = _mm_loadl_epi64((const __m128i *)b.at);
		__m128i high = _mm_loadl_epi64((const __m128i *)(b.at + b.left - 8));
		unsigned mask = (unsigned)_mm_movemask_epi8(signs_in(_mm_unpacklo_epi64(low, high)));

		if (!mask)
			return b.left;
	}
	return next_sign_slowly(b, at);
}

// Of the 16 bytes from `at` on, fewer at the end: a bit for each sign.
static unsigned signs_from(struct bytes b, size_t at)
{
	unsigned mask = 0;

	if (at + 16 <= b.left)
		return (unsigned)_mm_movemask_epi8(signs_at(b.at + at));
	if (b.left >= 16)
		return (unsigned)_mm_movemask_epi8(signs_at(b.at + b.left - 16)) >> (16 - (b.left - at));
	for (size_t i = at; i < b.left; i++)
		mask |= (unsigned)is_sign(b.at[i]) << (i - at);
	return mask;
}
#else
static size_t next_sign(struct bytes b, size_t at)
{
	return next_sign_slowly(b, at);
}

static unsigned signs_from(struct bytes b, size_t at)
{
	unsigned mask = 0;

	for (size_t i = at; i < b.left && i < at + 16; i++)
		mask |= (unsigned)is_sign(b.at[i]) << (i - at);
	return mask;
}
#endif

// Escapes that give '$', '{', or the first byte of another escape, told by the two characters after the first.
static const struct giver {
	uint8_t first, gives;
	uint16_t pair, mask;
} givers[] = {
#define BOTH_OF(a, b) (uint16_t)((a) << 8 | (b)), 0xffff
#define FIRST_OF(a) (uint16_t)((a) << 8), 0xff00
	{'%', GIVES_DOLLAR, BOTH_OF('2', '4')}, {'%', GIVES_BRACE, BOTH_OF('7', 'b')},
	{'%', GIVES_BOTH, BOTH_OF('2', '5')},   {'%', GIVES_BOTH, BOTH_OF('2', '6')},
	{'%', GIVES_BOTH, BOTH_OF('5', 'c')},   {'%', GIVES_BOTH, BOTH_OF('u', '0')},
	{'%', GIVES_DOLLAR, BOTH_OF('c', '0')}, {'%', GIVES_BRACE, BOTH_OF('c', '1')},
	{'%', GIVES_BOTH, BOTH_OF('e', '0')},   {'%', GIVES_BOTH, BOTH_OF('f', '0')},
	{'&', GIVES_BOTH, FIRST_OF('#')},       {'&', GIVES_DOLLAR, BOTH_OF('d', 'o')},
	{'&', GIVES_BRACE, BOTH_OF('l', 'b')},  {'&', GIVES_BRACE, BOTH_OF('l', 'c')},
	{'&', GIVES_BOTH, BOTH_OF('a', 'm')},   {'&', GIVES_BOTH, BOTH_OF('p', 'e')},
	{'&', GIVES_BOTH, BOTH_OF('b', 's')},   {'\\', GIVES_BOTH, FIRST_OF('u')},
	{'\\', GIVES_BOTH, FIRST_OF('x')},      {'\\', GIVES_BOTH, FIRST_OF('\\')},
	{'\\', GIVES_BOTH, FIRST_OF('0')},      {'\\', GIVES_BRACE, FIRST_OF('1')},
	{'\\', GIVES_DOLLAR, FIRST_OF('4')},
#undef BOTH_OF
#undef FIRST_OF
};

// C0 A4, C1 BB, E0 80 A4, F0 80 80 A4: ASCII in more bytes than it takes, the second of which may be escaped. No other second byte makes a
// character below 0x80, and in bytes that are no text the first alone is everywhere.
static bool is_overlong(uint8_t first, uint8_t second)
{
	if (first <= 0xc1)
		return (second & 0xc0) == 0x80 || second == '%';
	return (first == 0xe0 && (second & 0xfe) == 0x80) || (first == 0xf0 && second == 0x80) ||
	       ((first == 0xe0 || first == 0xf0) && second == '%');
}

static bool is_escape(struct bytes b)
{
	uint8_t next;

	if (b.left < 2)
		return false;
	next = byte_lower(b.at[1]);
	if (b.at[0] == '%')
		return (next >= '0' && next <= '9') || (next >= 'a' && next <= 'f') || next == 'u';
	if (b.at[0] == '&')
		return next == '#' || (next >= 'a' && next <= 'z');
	return b.at[0] == '\\' && ((next >= '0' && next <= '7') || next == 'u' || next == 'x');
}

// "%%32%34", "%2%34", "&%64ollar;", "&d%6fllar;", "\%750024": one of the two characters that tell which escape it is comes of another, in the layer before.
static bool is_made_of_escapes(struct bytes at)
{
	if (is_escape(bytes_from(at, 1)))
		return true;
	return is_escape(bytes_from(at, 2)) && (at.at[0] == '%' || (at.at[0] == '&' && memchr("abdlp", byte_lower(at.at[1]), 5)));
}

static unsigned gives(struct bytes at)
{
	uint8_t first = at.at[0];
	unsigned pair;

	if (at.left < 2)
		return 0;
	if (first >= 0xc0)
		return is_overlong(first, at.at[1]) ? GIVES_BOTH : 0;
	if (is_made_of_escapes(at))
		return GIVES_BOTH;
	pair = (unsigned)byte_lower(at.at[1]) << 8 | (at.left > 2 ? byte_lower(at.at[2]) : 0);
	for (size_t i = 0; i < sizeof(givers) / sizeof(givers[0]); i++)
		if (givers[i].first == first && (pair & givers[i].mask) == givers[i].pair)
			return givers[i].gives;
	return 0;
}

enum { ESCAPED = GIVES_BOTH + 1, ALL_SEEN = ESCAPED | GIVES_BOTH };

// What the signs among 16 bytes add to what was seen. Bytes that are no text are a third signs: one look finds all of them.
static unsigned see(struct bytes field, size_t from, unsigned seen)
{
	for (unsigned mask = signs_from(field, from); mask && seen != ALL_SEEN; mask &= mask - 1) {
		size_t at = from + (size_t)__builtin_ctz(mask);
		unsigned more = field.at[at] == '$' ? 0 : gives(bytes_from(field, at));

		seen |= field.at[at] == '$' ? GIVES_DOLLAR : more ? more | ESCAPED : 0;
	}
	return seen;
}

bool jndi_may_hold(struct bytes field)
{
	size_t at = next_sign(field, 0);
	unsigned seen = 0;

	if (at >= field.left)
		return false;
	if (bytes_find(field, '{') < field.left)
		seen |= GIVES_BRACE;
	for (; at < field.left && seen != ALL_SEEN; at += 16)
		seen = see(field, at, seen);
	// In clear they stand together, or a value brings them together, which takes two that already do.
	return (seen & GIVES_BOTH) == GIVES_BOTH && (seen & ESCAPED || jndi_find_opening(field) < field.left);
}

size_t jndi_find_opening(struct bytes b)
{
	for (size_t at = 0; (at += bytes_find(bytes_from(b, at), '{')) < b.left; at++)
		if (at && b.at[at - 1] == '$')
			return at - 1;
	return b.left;
}
