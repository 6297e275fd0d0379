// SPDX-License-Identifier: GPL-2.0-or-later
// Input: a request as it stands behind its length. What can be read is answered as the server would, and packed.
#include "control.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size < CONTROL_REQUEST_BYTES ? size : CONTROL_REQUEST_BYTES;
	Control__Request *q = control__request__unpack(NULL, n, data);
	uint8_t *packed;

	if (!q)
		return 0;
	if (strlen(q->address) + strlen(q->reason) + strlen(q->mode) + strlen(q->lang) > size)
		abort();
	control_verb_changes(q->verb);
	packed = malloc(control__request__get_packed_size(q) + 1);
	if (packed && control__request__pack(q, packed) != control__request__get_packed_size(q))
		abort();
	free(packed);
	control__request__free_unpacked(q, NULL);
	return 0;
}
