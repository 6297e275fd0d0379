// SPDX-License-Identifier: GPL-2.0-or-later
// A pcapng file. Each frame's bytes must be there, and no more of them may come than the file has.
#include <stdlib.h>
#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *stream = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;
	struct pcapng *p = stream ? pcapng_open(stream) : NULL;
	struct pcapng_frame frame;
	static volatile uint8_t sum; // every byte is read
	size_t bytes = 0;

	while (p && pcapng_next(p, &frame) == 1) {
		for (size_t i = 0; i < frame.data.left; i++)
			sum = (uint8_t)(sum ^ frame.data.at[i]);
		bytes += frame.data.left + 16;
		if (bytes > size || frame.unix_ns > INT64_MAX)
			abort();
	}
	pcapng_close(p);
	if (stream)
		fclose(stream);
	return 0;
}
