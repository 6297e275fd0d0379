// SPDX-License-Identifier: GPL-2.0-or-later
// A whole conversation: recognition, then whatever parser it leads to. Pieces as in http_fuzz.c.
#include "proto.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop(void *user, struct observation *o)
{
	if (o->size_bytes < OBSERVATION_HEAD_BYTES || o->size_bytes > OBSERVATION_BYTES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct counters counters;
	const struct proto_sink sink = {.emit = drop, .counters = &counters};
	struct proto_flow flow = {
		.client = {4, {0}, {10, 0, 0, 5}}, .server = {4, {0}, {192, 0, 2, 7}}, .transport = 6};
	struct proto_input in = {.flow = &flow};
	struct bytes rest = bytes_of(data, size);
	const struct proto_pool_sizes sizes = {.contexts = 1, .states = 1, .works = 2, .inflaters = 1 + size % 3};
	struct proto_pool *pool = proto_pool_create_sized(&sizes, &counters);
	uint32_t context = proto_open(pool);
	uint8_t how, app = APP_NONE;

	for (bool more = bytes_read_u8(&rest, &flow.direction); more && bytes_read_u8(&rest, &how);) {
		in.from_client = in.from_outside = how & 1;
		in.device_sends = !in.from_outside;
		in.gap = (how & 3) == 3 && how > 250;
		bytes_take(&rest, (how >> 2) + 1u < rest.left ? (how >> 2) + 1u : rest.left, &in.data);
		more = proto_feed(pool, context, &in, &sink, &app) == PARSE_MORE;
	}
	proto_half_close(pool, context, false, &flow, &sink);
	proto_half_close(pool, context, true, &flow, &sink);
	proto_pool_destroy(pool);
	return 0;
}
