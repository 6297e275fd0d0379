// SPDX-License-Identifier: GPL-2.0-or-later
// The JSON writer (RFC 8259). Knows nothing of what it writes; keeps one promise: what was written while `full` is
// false is valid JSON and valid UTF-8 once it is closed, whatever bytes a peer sent. Any thread, one writer per struct.
#include "json.h"
#include "text.h"
#include <math.h>
#include <stdio.h>

enum { FIXED_BYTES = 400 /* the largest double has 309 digits before its point */, MOST_DECIMALS = 9 };

static void overflow(struct json *j)
{
	j->full = true;
	j->cap = j->length; // nothing fits any more
}

static size_t room(const struct json *j, const char *at)
{
	return (size_t)(j->at + j->cap - at);
}

// Behind a value: its comma, unless it is the only one, and from here on it counts.
static void end_value(struct json *j, char *at)
{
	if (j->depth) {
		if (room(j, at) == 0) {
			overflow(j);
			return;
		}
		*at++ = ',';
	}
	j->length = (size_t)(at - j->at);
}

void json_init(struct json *j, char *buffer, size_t cap)
{
	*j = (struct json){.at = buffer, .cap = cap};
}

void json_put_open(struct json *j, char *at, char bracket)
{
	if (j->depth == JSON_DEPTH || room(j, at) == 0) {
		overflow(j);
		return;
	}
	*at++ = bracket;
	j->length = (size_t)(at - j->at);
	j->depth++;
}

void json_put_close(struct json *j, char bracket)
{
	char *at = j->at + j->length;

	if (j->depth && j->length && at[-1] == ',')
		at--;
	if (j->depth == 0 || j->full || room(j, at) == 0) {
		overflow(j);
		return;
	}
	*at++ = bracket;
	j->depth--;
	end_value(j, at);
}

void json_put_bare(struct json *j, char *at, const char *text, size_t n)
{
	if (n > room(j, at)) {
		overflow(j);
		return;
	}
	memcpy(at, text, n);
	end_value(j, at + n);
}

void json_members(struct json *j, const char *text, size_t n)
{
	if (n > j->cap - j->length) {
		overflow(j);
		return;
	}
	memcpy(j->at + j->length, text, n);
	j->length += n;
}

void json_put_plain(struct json *j, char *at, const char *text, size_t n)
{
	if (n + 2 > room(j, at)) {
		overflow(j);
		return;
	}
	*at++ = '"';
	memcpy(at, text, n);
	at += n;
	*at++ = '"';
	end_value(j, at);
}

void json_put_u64(struct json *j, char *at, uint64_t value)
{
	char text[TEXT_DECIMAL_BYTES];

	if (room(j, at) >= sizeof(text))
		end_value(j, at + text_decimal(value, at));
	else
		json_put_bare(j, at, text, text_decimal(value, text));
}

void json_put_fixed(struct json *j, char *at, double value, int decimals)
{
	char text[FIXED_BYTES], *out = text;

	if (!isfinite(value)) { // JSON has no word for it
		json_put_bare(j, at, "null", 4);
		return;
	}
	if (decimals < 0 || decimals > MOST_DECIMALS)
		decimals = decimals < 0 ? 0 : MOST_DECIMALS;
	snprintf(text, sizeof(text), "%.*f", decimals, value);
	// A locale may write its point as one or more other bytes.
	for (const char *in = text; *in; in++) {
		if ((*in >= '0' && *in <= '9') || *in == '-')
			*out++ = *in;
		else if (out == text || out[-1] != '.')
			*out++ = '.';
	}
	json_put_bare(j, at, text, (size_t)(out - text));
}

// --- strings ---

#define EACH_BYTE(b) (UINT64_MAX / 255 * (b))

// Does any of eight bytes want a closer look: control, quote, backslash, 0x7f and above? A borrow may accuse a byte beside
// a guilty one, never acquit one.
static bool is_special(uint64_t w)
{
	uint64_t quote = w ^ EACH_BYTE('"'), backslash = w ^ EACH_BYTE('\\');
	uint64_t below = (w - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1));

	return ((below | w | (w + EACH_BYTE(1))) & EACH_BYTE(0x80)) != 0;
}

static uint64_t load4(const uint8_t *at)
{
	uint32_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

// Less than eight bytes, filled up with blanks or with some of them twice.
static bool is_short_special(const uint8_t *at, size_t n)
{
	if (n >= 4)
		return is_special(load4(at) | load4(at + n - 4) << 32);
	return is_special((EACH_BYTE(' ') << 24) | at[0] | (uint64_t)at[n / 2] << 8 | (uint64_t)at[n - 1] << 16);
}

static void copy_short(char *out, const uint8_t *in, size_t n)
{
	if (n >= 4) {
		uint64_t first = load4(in), last = load4(in + n - 4);
		uint32_t a = (uint32_t)first, b = (uint32_t)last;

		memcpy(out, &a, 4);
		memcpy(out + n - 4, &b, 4);
		return;
	}
	out[n - 1] = (char)in[n - 1];
	out[n / 2] = (char)in[n / 2];
	out[0] = (char)in[0];
}

// Moves plain text from *in to `out`, eight bytes at a time; stops before what is not plain and where room ends.
static char *copy_plain(char *out, const char *end, struct bytes *in)
{
	const uint8_t *at = in->at;
	size_t left = in->left;
	uint64_t w;

	for (; left >= sizeof(w) && (size_t)(end - out) >= sizeof(w); left -= sizeof(w), at += sizeof(w)) {
		memcpy(&w, at, sizeof(w));
		if (is_special(w))
			break;
		memcpy(out, &w, sizeof(w));
		out += sizeof(w);
	}
	if (left && left < sizeof(w) && (size_t)(end - out) >= left && !is_short_special(at, left)) {
		copy_short(out, at, left);
		out += left;
		at += left;
		left = 0;
	}
	*in = bytes_of(at, left);
	return out;
}

static size_t escape_unit(char *out, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, (char[]){'\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]}, 6);
	return 6;
}

// UTF-16 escapes: also for what a terminal or a page would obey rather than show.
static size_t escape(char *out, uint32_t c)
{
	if (c <= 0xffff)
		return escape_unit(out, c);
	escape_unit(out, 0xd800 + ((c - 0x10000) >> 10 & 0x3ff));
	return 6 + escape_unit(out + 6, 0xdc00 + (c & 0x3ff));
}

// One character as it is, or what stands for it. NULL: no room.
static char *copy_character(char *out, const char *end, struct bytes *in)
{
	char text[12];
	uint32_t c;
	size_t taken = text_character(*in, &c), n = taken;

	if (taken == 0) {
		memcpy(text, "\xef\xbf\xbd", n = 3); // U+FFFD for each byte that is no character
	} else if (c == '"' || c == '\\') {
		text[0] = '\\';
		text[1] = (char)c;
		n = 2;
	} else if (text_is_unsafe(c)) {
		n = escape(text, c);
	} else {
		memcpy(text, in->at, taken);
	}
	if (n > (size_t)(end - out))
		return NULL;
	memcpy(out, text, n);
	bytes_skip(in, taken ? taken : 1);
	return out + n;
}

void json_put_string(struct json *j, char *at, struct bytes value)
{
	const char *end = j->at + j->cap;

	if (at < end)
		*at++ = '"';
	else
		at = NULL;
	while (at && value.left) {
		at = copy_plain(at, end, &value);
		if (value.left)
			at = copy_character(at, end, &value);
	}
	if (!at || at == end) {
		overflow(j);
		return;
	}
	*at++ = '"';
	end_value(j, at);
}
