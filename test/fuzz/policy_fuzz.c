// SPDX-License-Identifier: GPL-2.0-or-later
// The policy reader on any bytes: it reads or it explains, and never both.
#include "policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"fuzz.yaml", "network.yaml"};
	char error[POLICY_ERROR_BYTES];

	for (unsigned i = 0; i < 2; i++) {
		struct policy_set *set = policy_read_text(names[i], bytes_of(data, size), error);

		if ((set != NULL) != (error[0] == 0))
			abort();
		policy_free(set);
	}
	return 0;
}
