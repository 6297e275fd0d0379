// SPDX-License-Identifier: GPL-2.0-or-later
// Both sides of an HTTP connection in pieces. Each piece: a byte (1 client, 2 gap, rest/4+1 its length), then its
// bytes. The first byte of the input chooses the flow's direction.
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
	struct lend *lend = lend_create((const uint32_t[LEND_KINDS]){[LEND_WORK] = 1 + size % 2, [LEND_INFLATE] = size % 4});
	const struct proto_sink sink = {.emit = drop, .lend = lend};
	struct proto_flow flow = {
		.client = {4, {0}, {10, 0, 0, 5}}, .server = {4, {0}, {192, 0, 2, 7}}, .transport = 6};
	struct proto_input in = {.flow = &flow};
	struct bytes rest = bytes_of(data, size);
	void *state = calloc(1, proto_http.state_bytes);
	uint8_t how;

	for (bool more = bytes_read_u8(&rest, &flow.direction); more && bytes_read_u8(&rest, &how);) {
		in.from_client = in.from_outside = how & 1;
		in.device_sends = !in.from_outside;
		in.gap = (how & 3) == 3 && how > 250;
		bytes_take(&rest, (how >> 2) + 1u < rest.left ? (how >> 2) + 1u : rest.left, &in.data);
		more = proto_http.feed(state, &in, &sink) == PARSE_MORE;
	}
	proto_http.close(state, false, &flow, &sink);
	proto_http.close(state, true, &flow, &sink);
	proto_http.release(state, lend);
	lend_destroy(lend);
	free(state);
	return 0;
}
