// SPDX-License-Identifier: GPL-2.0-or-later
// Both sides of an HTTP connection in pieces. Each piece: a byte (1 client, 2 gap, rest/4+1 its length), then its
// bytes. The first byte of the input chooses the flow's direction. What was borrowed must be given back.
#include "conversation_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// By how much there is to borrow.
static struct lend *lend_of(unsigned works, unsigned inflaters)
{
	static struct lend *kept[3][4];
	const uint32_t count[LEND_KINDS] = {[LEND_WORK] = works, [LEND_INFLATE] = inflaters};

	if (!kept[works][inflaters])
		kept[works][inflaters] = lend_create(count);
	return kept[works][inflaters];
}

static void feed_all(void *state, struct proto_flow *flow, struct bytes rest, const struct proto_sink *sink)
{
	struct proto_input in = {.flow = flow};
	uint8_t how;

	for (bool more = bytes_read_u8(&rest, &flow->direction); more && bytes_read_u8(&rest, &how);) {
		struct bytes piece, copy;

		in.from_client = in.from_outside = how & 1;
		in.device_sends = !in.from_outside;
		in.gap = (how & 3) == 3 && how > 250;
		bytes_take(&rest, (how >> 2) + 1u < rest.left ? (how >> 2) + 1u : rest.left, &piece);
		in.data = copy = fuzz_copy(piece);
		more = proto_http.feed(state, &in, sink) == PARSE_MORE;
		free((void *)copy.at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *state;
	struct lend *lend = lend_of(1 + size % 2, size % 4);
	const struct proto_sink sink = {.emit = conversation_fuzz_emit, .lend = lend};
	struct proto_flow flow = {
		.client = {4, {0}, {10, 0, 0, 5}}, .server = {4, {0}, {192, 0, 2, 7}}, .transport = 6};

	if (!state)
		state = malloc(proto_http.state_bytes);
	if (!state || !lend)
		abort();
	memset(state, 0, proto_http.state_bytes);
	feed_all(state, &flow, bytes_of(data, size), &sink);
	proto_http.close(state, false, &flow, &sink);
	proto_http.close(state, true, &flow, &sink);
	proto_http.release(state, lend);
	for (unsigned i = 0; i < LEND_KINDS; i++)
		if (lend_count(lend, i))
			abort();
	return 0;
}
