// SPDX-License-Identifier: GPL-2.0-or-later
// Is this text one JSON object (RFC 8259), and nothing more? A reader independent of our writer, for tests.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_reader {
	const char *at, *end;
};

static inline bool json_take(struct json_reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static inline bool json_take_string(struct json_reader *r)
{
	if (!json_take(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		if ((unsigned char)*r->at < 0x20)
			return false;
		if (*r->at == '\\') {
			r->at++;
			if (r->at == r->end || !strchr("\"\\/bfnrtu", *r->at))
				return false;
			if (*r->at == 'u' && (r->end - r->at < 5 || strspn(r->at + 1, "0123456789abcdefABCDEF") < 4))
				return false;
		}
		r->at++;
	}
	return json_take(r, '"');
}

static inline bool json_take_number(struct json_reader *r)
{
	const char *from = r->at;
	size_t digits;

	json_take(r, '-');
	digits = strspn(r->at, "0123456789");
	if (!digits || (digits > 1 && *r->at == '0'))
		return false;
	r->at += digits;
	if (json_take(r, '.')) {
		digits = strspn(r->at, "0123456789");
		r->at += digits;
		if (!digits)
			return false;
	}
	return r->at > from && r->at <= r->end;
}

static inline bool json_take_value(struct json_reader *r, int depth);

static inline bool json_take_list(struct json_reader *r, char open, char close, int depth)
{
	if (!json_take(r, open) || depth > 20)
		return false;
	if (json_take(r, close))
		return true;
	do {
		if (open == '{' && (!json_take_string(r) || !json_take(r, ':')))
			return false;
		if (!json_take_value(r, depth + 1))
			return false;
	} while (json_take(r, ','));
	return json_take(r, close);
}

static inline bool json_take_value(struct json_reader *r, int depth)
{
	static const char *const words[] = {"true", "false", "null"};

	if (r->at == r->end)
		return false;
	if (*r->at == '{')
		return json_take_list(r, '{', '}', depth);
	if (*r->at == '[')
		return json_take_list(r, '[', ']', depth);
	if (*r->at == '"')
		return json_take_string(r);
	for (int n = 0; n < 3; n++)
		if ((size_t)(r->end - r->at) >= strlen(words[n]) && memcmp(r->at, words[n], strlen(words[n])) == 0) {
			r->at += strlen(words[n]);
			return true;
		}
	return json_take_number(r);
}

static inline bool json_is_object(const char *text, size_t n)
{
	struct json_reader r = {text, text + n};

	return n && *text == '{' && json_take_value(&r, 0) && r.at == r.end;
}
