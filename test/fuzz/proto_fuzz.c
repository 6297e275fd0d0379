// SPDX-License-Identifier: GPL-2.0-or-later
// A whole conversation: recognition, then whatever parser it leads to. Pieces as in http_fuzz.c.
#include "conversation_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_all(struct proto_pool *pool, uint32_t context, struct proto_flow *flow, struct bytes rest, const struct proto_sink *sink)
{
	struct proto_input in = {.flow = flow};
	uint8_t how, app = APP_NONE;

	for (bool more = bytes_read_u8(&rest, &flow->direction); more && bytes_read_u8(&rest, &how);) {
		struct bytes piece, copy;

		in.from_client = in.from_outside = how & 1;
		in.device_sends = !in.from_outside;
		in.gap = (how & 3) == 3 && how > 250;
		bytes_take(&rest, (how >> 2) + 1u < rest.left ? (how >> 2) + 1u : rest.left, &piece);
		in.data = copy = fuzz_copy(piece);
		more = proto_feed(pool, context, &in, sink, &app) == PARSE_MORE;
		free((void *)copy.at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proto_pool *kept[3];
	static struct counters counters;
	const struct proto_sink sink = {.emit = conversation_fuzz_emit, .counters = &counters};
	const struct proto_pool_sizes sizes = {.contexts = 1, .states = 1, .works = 2, .inflaters = 1 + size % 3};
	struct proto_pool *pool = conversation_fuzz_pool(&kept[size % 3], &sizes);
	struct proto_flow flow = {
		.client = {4, {0}, {10, 0, 0, 5}}, .server = {4, {0}, {192, 0, 2, 7}}, .transport = 6};
	uint32_t context = proto_open(pool);

	feed_all(pool, context, &flow, bytes_of(data, size), &sink);
	proto_half_close(pool, context, false, &flow, &sink);
	proto_half_close(pool, context, true, &flow, &sink);
	proto_close(pool, context);
	conversation_fuzz_require_empty(pool, 1);
	return 0;
}
