// SPDX-License-Identifier: GPL-2.0-or-later
// Text: durations, times, numbers, safe printing of hostile bytes. Not for the packet path.
#pragma once
#include "bytes.h"

enum text_limits {
	TEXT_TIME_BYTES = 40,     // "2021-12-10T15:45:32.123456+0000"
	TEXT_TIME_LENGTH = 31,    // of it, without the NUL
	TEXT_DURATION_BYTES = 24, // "13d22h"
	TEXT_DECIMAL_BYTES = 20,  // 2^64 - 1
};

#define NS_PER_S 1000000000ull

// Reads "90s" "30m" "2h" "1d" "1w" "1h30m" into nanoseconds. A bare number is refused (-EINVAL): its unit
// would be a guess. -ERANGE above ten years.
int duration_parse(const char *text, uint64_t *out_ns);

// At most two units ("1h58m", "45s", "250ms"), rounded down. Returns buffer.
const char *duration_format(uint64_t ns, char buffer[TEXT_DURATION_BYTES]);

// UNIX nanoseconds to ISO 8601 in UTC with microseconds and "+0000" (the form EVE consumers require).
const char *time_format(uint64_t unix_ns, char buffer[TEXT_TIME_BYTES]);

// Reads what time_format writes, also without fraction and with "Z"; nothing else. -EINVAL.
int time_parse(const char *text, uint64_t *out_unix_ns);

// Digits of a number, without a NUL. Returns how many.
size_t text_decimal(uint64_t value, char buffer[TEXT_DECIMAL_BYTES]);

// Copies bytes as printable UTF-8: control, invalid and bidirectional-override bytes become \xNN.
// Always NUL-terminated; cut at the last whole character. Returns the bytes written without the NUL.
size_t text_printable(struct bytes in, char *out, size_t cap);

// Length in bytes (1..4) of the well-formed UTF-8 character at the start of `in`, its code point in *out; 0 where there is none.
size_t text_character(struct bytes in, uint32_t *out);
// Would this code point let a peer move the cursor, hide or reorder text on a terminal or in a page?
bool text_is_unsafe(uint32_t character);
