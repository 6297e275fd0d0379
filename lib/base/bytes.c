// SPDX-License-Identifier: GPL-2.0-or-later
// The two cursor operations that are too long for the header. Knows no protocol. Any thread.
#include "bytes.h"
#include <errno.h>

enum { U64_DIGITS = 20 };

size_t bytes_find_text(struct bytes hay, const char *needle)
{
	size_t n = strlen(needle);
	const uint8_t *hit;

	if (n == 0)
		return 0;
	if (n > hay.left)
		return hay.left;
	hit = memmem(hay.at, hay.left, needle, n);
	return hit ? (size_t)(hit - hay.at) : hay.left;
}

int bytes_to_u64(struct bytes b, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool overflow = false;

	if (b.left == 0 || b.left > U64_DIGITS)
		return -EINVAL;
	for (size_t i = 0; i < b.left; i++) {
		if (b.at[i] < '0' || b.at[i] > '9')
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, 10, &value);
		overflow |= __builtin_add_overflow(value, (uint64_t)(b.at[i] - '0'), &value);
	}
	if (overflow || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}
