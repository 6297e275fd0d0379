// SPDX-License-Identifier: GPL-2.0-or-later
// Input: the deadline clock, then a record as it came out of the ring. What the check lets through keeps the promises
// of verdict.h.
#include "verdict.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict v = {0};
	struct prefix p;
	uint64_t now_ns;

	if (size < sizeof(now_ns))
		return 0;
	memcpy(&now_ns, data, sizeof(now_ns));
	memcpy(&v, data + sizeof(now_ns), size - sizeof(now_ns) < sizeof(v) ? size - sizeof(now_ns) : sizeof(v));
	if (!verdict_check(&v, now_ns) || v.kind != VERDICT_BLOCK)
		return 0;
	p = (struct prefix){v.endpoint, v.endpoint_bits};
	if (v.expires_ns <= now_ns || v.expires_ns - now_ns > VERDICT_LONGEST_NS || v.id == 0)
		abort();
	if (!prefix_is_well_formed(&p) || !prefix_has(&p, &v.endpoint) || p.bits < 16)
		abort();
	return 0;
}
