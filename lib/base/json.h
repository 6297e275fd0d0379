// SPDX-License-Identifier: GPL-2.0-or-later
// Append-only JSON writer into a caller-owned buffer. Strings are hostile: escaped, forced to valid UTF-8.
// When the buffer is full the writer turns `full` on and writes nothing more; the caller drops the line and counts it.
#pragma once
#include "bytes.h"

enum json_limits { JSON_DEPTH = 16 };

struct json {
	char *at;       // caller's buffer
	size_t cap;     // its size
	size_t length;  // bytes written so far, without a NUL
	bool full;      // something did not fit: the text is not valid JSON
	uint8_t depth;  // open objects and arrays
	bool first[JSON_DEPTH]; // nothing written yet at that depth
};

void json_init(struct json *j, char *buffer, size_t cap);
// `key` is NULL inside arrays and at the top.
void json_open(struct json *j, const char *key);        // {
void json_close(struct json *j);                        // }
void json_open_array(struct json *j, const char *key);  // [
void json_close_array(struct json *j);                  // ]
void json_string(struct json *j, const char *key, struct bytes value);
void json_text(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
// Fixed decimals (0..9), locale-independent: the same double gives the same bytes everywhere.
void json_fixed(struct json *j, const char *key, double value, int decimals);
