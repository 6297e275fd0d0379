// SPDX-License-Identifier: GPL-2.0-or-later
// The JSON writer (RFC 8259). Knows nothing of what it writes; keeps one promise: what was written while `full` is
// false is valid JSON and valid UTF-8, whatever bytes a peer sent. Any thread, one writer per struct.
#include "json.h"
#include "text.h"
#include <math.h>
#include <stdio.h>

enum { FIXED_BYTES = 400 /* the largest double has 309 digits before its point */, MOST_DECIMALS = 9 };

static void put(struct json *j, const void *data, size_t n)
{
	if (j->full || n > j->cap - j->length) {
		j->full = true;
		return;
	}
	memcpy(j->at + j->length, data, n);
	j->length += n;
}

static void put_text(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

// UTF-16 escapes: also for what a terminal or a page would obey rather than show.
static void put_escape(struct json *j, uint32_t c)
{
	char text[16];

	if (c > 0xffff)
		snprintf(text, sizeof(text), "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10 & 0x3ff),
			 0xdc00 + (c & 0x3ff));
	else
		snprintf(text, sizeof(text), "\\u%04x", c & 0xffff);
	put_text(j, text);
}

static void put_quoted(struct json *j, struct bytes value)
{
	put(j, "\"", 1);
	while (value.left && !j->full) {
		uint32_t c;
		size_t n = text_character(value, &c);

		if (n == 0)
			put_text(j, "\xef\xbf\xbd"); // U+FFFD for each byte that is no character
		else if (c == '"' || c == '\\')
			put(j, (char[]){'\\', (char)c}, 2);
		else if (text_is_unsafe(c))
			put_escape(j, c);
		else
			put(j, value.at, n);
		bytes_skip(&value, n ? n : 1);
	}
	put(j, "\"", 1);
}

// Comma and key: what stands before every value.
static void begin_value(struct json *j, const char *key)
{
	if (j->depth) {
		if (!j->first[j->depth - 1])
			put(j, ",", 1);
		j->first[j->depth - 1] = false;
	}
	if (key) {
		put_quoted(j, bytes_of_text(key));
		put(j, ":", 1);
	}
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
	if (j->depth == JSON_DEPTH)
		j->full = true;
	if (j->full)
		return;
	begin_value(j, key);
	put(j, bracket, 1);
	j->first[j->depth++] = true;
}

static void close_with(struct json *j, const char *bracket)
{
	if (j->depth == 0)
		j->full = true;
	if (j->full)
		return;
	put(j, bracket, 1);
	j->depth--;
}

void json_init(struct json *j, char *buffer, size_t cap)
{
	*j = (struct json){.at = buffer, .cap = cap};
}

void json_open(struct json *j, const char *key)
{
	open_with(j, key, "{");
}

void json_close(struct json *j)
{
	close_with(j, "}");
}

void json_open_array(struct json *j, const char *key)
{
	open_with(j, key, "[");
}

void json_close_array(struct json *j)
{
	close_with(j, "]");
}

void json_string(struct json *j, const char *key, struct bytes value)
{
	begin_value(j, key);
	put_quoted(j, value);
}

void json_text(struct json *j, const char *key, const char *value)
{
	json_string(j, key, bytes_of_text(value));
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	begin_value(j, key);
	put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	put_text(j, value ? "true" : "false");
}

void json_fixed(struct json *j, const char *key, double value, int decimals)
{
	char text[FIXED_BYTES], *out = text;

	begin_value(j, key);
	if (!isfinite(value)) { // JSON has no word for it
		put_text(j, "null");
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
	*out = '\0';
	put_text(j, text);
}
