// SPDX-License-Identifier: GPL-2.0-or-later
// Input: a record as it came out of the ring. What the check lets through can be read and formatted by anyone.
#include "observation.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observation *o = calloc(1, sizeof(*o));
	char line[2 * OBSERVATION_BYTES];
	size_t length;

	if (!o)
		return 0;
	memcpy(o, data, size < sizeof(*o) ? size : sizeof(*o));
	if (observation_check(o)) {
		length = observation_format(o, line, sizeof(line));
		for (unsigned i = 0; i < OBSERVATION_TEXTS; i++)
			bytes_find(observation_text(o, i), 0xff);
		if (length >= sizeof(line) || line[length] != '\0' || strpbrk(line, "\n\r\x1b"))
			abort();
		if (observation_device(o)->family > 6 || observation_endpoint(o)->family > 6)
			abort();
	}
	free(o);
	return 0;
}
