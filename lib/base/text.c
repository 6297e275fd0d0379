// SPDX-License-Identifier: GPL-2.0-or-later
// Durations, times and hostile bytes as text. Independent of locale and time zone. Any thread; not for the packet path.
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

#define TEN_YEARS_NS (3650ull * 24 * 3600 * NS_PER_S)

struct unit {
	const char *name;
	uint64_t ns;
	bool shown; // 13d22h, not 1w6d: people count days
};

static const struct unit units[] = {
	{"w", 7 * 24 * 3600 * NS_PER_S, false}, {"d", 24 * 3600 * NS_PER_S, true}, {"h", 3600 * NS_PER_S, true},
	{"m", 60 * NS_PER_S, true},             {"s", NS_PER_S, true},             {"ms", 1000000, true},
	{"us", 1000, true},                     {"ns", 1, true},
};
enum { UNITS = sizeof(units) / sizeof(units[0]) };

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

// One number with its unit, moved off *in. The unit must be smaller than the one before (*next_unit).
static int read_part(struct bytes *in, unsigned *next_unit, uint64_t *total)
{
	struct bytes digits = *in, name;
	uint64_t value;
	size_t n = 0, letters = 0;
	int error;

	while (n < in->left && is_digit(in->at[n]))
		n++;
	while (n + letters < in->left && !is_digit(in->at[n + letters]))
		letters++;
	digits = bytes_head(*in, n);
	name = bytes_head(bytes_from(*in, n), letters);
	for (unsigned u = *next_unit; u < UNITS; u++) {
		if (!bytes_equal_text(name, units[u].name))
			continue;
		error = bytes_to_u64(digits, TEN_YEARS_NS / units[u].ns, &value);
		if (error)
			return error;
		*total += value * units[u].ns;
		*next_unit = u + 1;
		bytes_skip(in, n + letters);
		return *total > TEN_YEARS_NS ? -ERANGE : 0;
	}
	return -EINVAL;
}

int duration_parse(const char *text, uint64_t *out_ns)
{
	struct bytes in = bytes_of_text(text);
	uint64_t total = 0;
	unsigned next_unit = 0;
	int error;

	if (in.left == 0)
		return -EINVAL;
	while (in.left) {
		error = read_part(&in, &next_unit, &total);
		if (error)
			return error;
	}
	*out_ns = total;
	return 0;
}

const char *duration_format(uint64_t ns, char buffer[TEXT_DURATION_BYTES])
{
	unsigned u = 0;
	int n;

	while (u < UNITS && !(units[u].shown && ns >= units[u].ns))
		u++;
	if (u == UNITS) {
		memcpy(buffer, "0s", 3);
		return buffer;
	}
	n = snprintf(buffer, TEXT_DURATION_BYTES, "%llu%s", (unsigned long long)(ns / units[u].ns), units[u].name);
	ns %= units[u].ns;
	if (u + 1 < UNITS && ns >= units[u + 1].ns)
		snprintf(buffer + n, TEXT_DURATION_BYTES - (size_t)n, "%llu%s",
			 (unsigned long long)(ns / units[u + 1].ns), units[u + 1].name);
	return buffer;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				  "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				  "8081828384858687888990919293949596979899";

static void put_pair(char *at, unsigned value)
{
	memcpy(at, &digit_pairs[value * 2], 2); // below 100
}

static size_t digits_of(uint64_t value)
{
	size_t n = 1;

	for (; value >= 10000; value /= 10000)
		n += 4;
	return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t text_decimal(uint64_t value, char buffer[TEXT_DECIMAL_BYTES])
{
	size_t n = digits_of(value), at = n;

	for (; value >= 100; value /= 100)
		put_pair(buffer + (at -= 2), value % 100);
	if (value >= 10)
		put_pair(buffer, (unsigned)value);
	else
		buffer[0] = (char)('0' + value);
	return n;
}

struct date {
	unsigned year, month, day;
};

// Of the Gregorian calendar. Counted from 1 March of the year 0, so that a leap day is the last of its year, its four years,
// and (every fourth) its century: each then has one length, and the months from March on repeat 31 30 31 30 31.
static struct date date_of(unsigned days_since_1970)
{
	unsigned days = days_since_1970 + 719468, century, year, month;

	century = (4 * days + 3) / 146097;
	days -= 146097 * century / 4;
	year = (4 * days + 3) / 1461;
	days -= 1461 * year / 4;
	month = (5 * days + 2) / 153; // from March
	days -= (153 * month + 2) / 5;
	year += 100 * century + (month >= 10);
	return (struct date){year, month < 10 ? month + 3 : month - 9, days + 1};
}

// By hand, for it stands twice in every event: gmtime_r and snprintf would be its cost. 2^64 ns end in the year 2554.
const char *time_format(uint64_t unix_ns, char buffer[TEXT_TIME_BYTES])
{
	uint64_t all = unix_ns / NS_PER_S;
	unsigned micros = (unsigned)(unix_ns % NS_PER_S / 1000), seconds = (unsigned)(all % 86400);
	struct date d = date_of((unsigned)(all / 86400));

	memcpy(buffer, "0000-00-00T00:00:00.000000+0000", TEXT_TIME_LENGTH + 1);
	put_pair(buffer, d.year / 100);
	put_pair(buffer + 2, d.year % 100);
	put_pair(buffer + 5, d.month);
	put_pair(buffer + 8, d.day);
	put_pair(buffer + 11, seconds / 3600);
	put_pair(buffer + 14, seconds / 60 % 60);
	put_pair(buffer + 17, seconds % 60);
	put_pair(buffer + 20, micros / 10000);
	put_pair(buffer + 22, micros / 100 % 100);
	put_pair(buffer + 24, micros % 100);
	return buffer;
}

// Reads by a pattern in which '0' stands for a digit; the digits' values land in order in number[], one per run.
static bool read_pattern(struct bytes *in, const char *pattern, unsigned *number)
{
	struct bytes rest = *in;
	uint8_t c;

	for (const char *p = pattern; *p; p++) {
		if (!bytes_read_u8(&rest, &c) || (*p == '0' ? !is_digit(c) : c != (uint8_t)*p))
			return false;
		if (*p != '0')
			continue;
		*number = *number * 10 + (c - '0');
		if (p[1] != '0')
			number++;
	}
	*in = rest;
	return true;
}

int time_parse(const char *text, uint64_t *out_unix_ns)
{
	struct bytes in = bytes_of_text(text);
	unsigned field[6] = {0}, micros = 0;
	struct tm t, again;
	time_t seconds;

	if (!read_pattern(&in, "0000-00-00T00:00:00", field))
		return -EINVAL;
	if (in.left && in.at[0] == '.' && !read_pattern(&in, ".000000", &micros))
		return -EINVAL;
	if (!bytes_equal_text(in, "Z") && !bytes_equal_text(in, "+0000"))
		return -EINVAL;
	t = (struct tm){.tm_year = (int)field[0] - 1900, .tm_mon = (int)field[1] - 1, .tm_mday = (int)field[2],
			.tm_hour = (int)field[3], .tm_min = (int)field[4], .tm_sec = (int)field[5]};
	again = t;
	seconds = timegm(&again);
	// timegm turns 31 February into 3 March: only a date that comes back unchanged is one.
	if (again.tm_year != t.tm_year || again.tm_mon != t.tm_mon || again.tm_mday != t.tm_mday ||
	    again.tm_hour != t.tm_hour || again.tm_min != t.tm_min || again.tm_sec != t.tm_sec)
		return -EINVAL;
	if (seconds < 0 || (uint64_t)seconds >= UINT64_MAX / NS_PER_S)
		return -EINVAL;
	*out_unix_ns = (uint64_t)seconds * NS_PER_S + micros * 1000ull;
	return 0;
}

// Well-formed byte sequences after Unicode table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
size_t text_character(struct bytes in, uint32_t *out)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;
	size_t n;

	if (in.left == 0)
		return 0;
	c = in.at[0];
	if (c < 0x80) {
		*out = c;
		return 1;
	}
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || in.left < n)
		return 0;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((in.at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (in.at[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

bool text_is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{0x00, 0x1f},      {0x7f, 0x9f},      // control
		{0xad, 0xad},                         // soft hyphen: invisible
		{0x61c, 0x61c},    {0x200b, 0x200f},  // zero width, direction marks
		{0x2028, 0x202e},                     // line separators, direction embedding and override
		{0x2060, 0x206f},  {0xfeff, 0xfeff},  // invisible operators, direction isolates, byte-order mark
		{0xfff9, 0xfffb},  {0xe0000, 0xe007f}, // annotations, tags
	};

	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	return false;
}

size_t text_printable(struct bytes in, char *out, size_t cap)
{
	static const char digits[] = "0123456789abcdef";
	size_t length = 0;

	if (cap == 0)
		return 0;
	while (in.left) {
		uint32_t c;
		size_t n = text_character(in, &c);
		bool plain = n && !text_is_unsafe(c);

		if (n == 0)
			n = 1;
		if ((plain ? n : 4 * n) >= cap - length)
			break;
		if (plain)
			memcpy(out + length, in.at, n);
		for (size_t i = 0; !plain && i < n; i++)
			memcpy(out + length + 4 * i,
			       (char[]){'\\', 'x', digits[in.at[i] >> 4], digits[in.at[i] & 15]}, 4);
		length += plain ? n : 4 * n;
		bytes_skip(&in, n);
	}
	out[length] = '\0';
	return length;
}
