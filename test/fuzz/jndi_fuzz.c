// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a field: the first says which (a basic-auth header or not), the rest is it.
#include "proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *user, struct observation *o)
{
	if (o->size_bytes > OBSERVATION_BYTES || !(o->facts & FACT_BIT(FACT_JNDI)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct counters counters;
	static const struct proto_flow flow = {.direction = DIRECTION_IN, .transport = 6};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	const struct proto_sink sink = {.emit = take, .counters = &counters, .jndi_depth = size ? data[0] >> 1 : 0};
	char out[64];
	unsigned depth;

	if (size && jndi_scan(bytes_of(data + 1, size - 1), data[0] & 1 ? "header:authorization" : "uri", &in, &sink,
			      APP_HTTP) > 4)
		__builtin_trap();
	return jndi_resolve(bytes_of(data, size), out, sizeof(out), &depth) > sizeof(out);
}
