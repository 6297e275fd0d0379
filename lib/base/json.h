// SPDX-License-Identifier: GPL-2.0-or-later
// Append-only JSON writer into a caller-owned buffer. Strings are hostile: escaped, forced to valid UTF-8.
// When the buffer is full the writer turns `full` on and writes nothing more; the caller drops the line and counts it.
// Keys are the program's own words and need no escaping: where one is a literal, the compiler lays it down in a few stores.
#pragma once
#include "bytes.h"

enum json_limits { JSON_DEPTH = 16 };

// A value inside an object or array is followed by a comma, which the closing bracket overwrites: what is open is not yet JSON.
struct json {
	char *at;       // caller's buffer
	size_t cap;     // its size; `length` once it is full
	size_t length;  // bytes written so far, without a NUL
	bool full;      // something did not fit: the text is not valid JSON
	uint8_t depth;  // open objects and arrays
};

void json_init(struct json *j, char *buffer, size_t cap);

// --- what the inline part below calls: a value at `at`, which json_key returned ---
void json_put_open(struct json *j, char *at, char bracket);
void json_put_close(struct json *j, char bracket);
void json_put_string(struct json *j, char *at, struct bytes value);
void json_put_plain(struct json *j, char *at, const char *text, size_t n);
void json_put_u64(struct json *j, char *at, uint64_t value);
void json_put_fixed(struct json *j, char *at, double value, int decimals);
void json_put_bare(struct json *j, char *at, const char *text, size_t n);

// Where the value goes, its key written; the buffer's end where there is no room, so that the value does not fit either.
static inline char *json_key(const struct json *j, const char *key)
{
	char *at = j->at + j->length;
	size_t n;

	if (!key)
		return at;
	n = strlen(key);
	if (n + 3 > j->cap - j->length)
		return j->at + j->cap;
	*at++ = '"';
	memcpy(at, key, n);
	at += n;
	*at++ = '"';
	*at++ = ':';
	return at;
}

// `key` is NULL inside arrays and at the top.
static inline void json_open(struct json *j, const char *key)
{
	json_put_open(j, json_key(j, key), '{');
}

static inline void json_close(struct json *j)
{
	json_put_close(j, '}');
}

static inline void json_open_array(struct json *j, const char *key)
{
	json_put_open(j, json_key(j, key), '[');
}

static inline void json_close_array(struct json *j)
{
	json_put_close(j, ']');
}

static inline void json_string(struct json *j, const char *key, struct bytes value)
{
	json_put_string(j, json_key(j, key), value);
}

static inline void json_text(struct json *j, const char *key, const char *value)
{
	json_put_string(j, json_key(j, key), bytes_of_text(value));
}

// The same for text of our own making that holds nothing to escape (a time, an address, base64).
static inline void json_plain(struct json *j, const char *key, const char *text, size_t n)
{
	json_put_plain(j, json_key(j, key), text, n);
}

static inline void json_u64(struct json *j, const char *key, uint64_t value)
{
	json_put_u64(j, json_key(j, key), value);
}

static inline void json_bool(struct json *j, const char *key, bool value)
{
	json_put_bare(j, json_key(j, key), value ? "true" : "false", value ? 4 : 5);
}

// Fixed decimals (0..9), locale-independent: the same double gives the same bytes everywhere.
static inline void json_fixed(struct json *j, const char *key, double value, int decimals)
{
	json_put_fixed(j, json_key(j, key), value, decimals);
}

// Members made earlier by a writer of the same depth ("key":value, ...), each with its comma.
void json_members(struct json *j, const char *text, size_t n);
