// SPDX-License-Identifier: GPL-2.0-or-later
// Both sides of an HTTP/2 connection in a context of its own. The first byte says how it begins: at its preface, after
// an upgrade, or as the input has it. Then pieces: [flags of talk_fuzz.h][16-bit length][bytes].
#include "conversation_fuzz.h"
#include "talk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
static const char upgrade[] = "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
		  answer[] = "HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n";

static enum parse feed(struct proto_pool *pool, uint8_t flags, struct bytes piece)
{
	static struct counters counters;
	const struct proto_sink sink = {.emit = talk_fuzz_emit, .counters = &counters};
	const struct proto_flow flow = {.client = {.family = 4, .b = {10, 0, 0, 5}},
					.server = {.family = 4, .b = {192, 0, 2, 7}},
					.transport = 6,
					.direction = DIRECTION_OUT};
	uint8_t *copy = malloc(piece.left ? piece.left : 1), app = APP_NONE;
	struct proto_input in = {.data = bytes_of(copy, piece.left),
				 .from_client = flags & TALK_CLIENT,
				 .gap = flags & TALK_GAP && flags & 0x80,
				 .from_outside = flags & TALK_OUTSIDE,
				 .device_sends = flags & TALK_DEVICE,
				 .flow = &flow};
	enum parse result;

	if (!copy)
		abort();
	if (piece.left)
		memcpy(copy, piece.at, piece.left);
	result = proto_feed(pool, 1, &in, &sink, &app);
	if (flags & TALK_CLOSE)
		proto_half_close(pool, 1, in.from_client, &flow, &sink);
	free(copy);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proto_pool *kept;
	struct proto_pool *pool = conversation_fuzz_pool(&kept, &(struct proto_pool_sizes){.contexts = 1});
	struct bytes b = bytes_of(data, size);
	enum parse result = PARSE_MORE;
	uint8_t how = 0, flags;
	uint16_t length;

	if (proto_open(pool) != 1)
		abort();
	bytes_read_u8(&b, &how);
	if (how & 2) {
		feed(pool, TALK_CLIENT, bytes_of_text(upgrade));
		feed(pool, 0, bytes_of_text(answer));
	}
	if (how & 1)
		feed(pool, TALK_CLIENT, bytes_of_text(preface));
	while (result == PARSE_MORE && bytes_read_u8(&b, &flags) && bytes_read_u16(&b, &length)) {
		result = feed(pool, flags, bytes_head(b, length));
		b = bytes_from(b, length);
	}
	proto_close(pool, 1);
	conversation_fuzz_require_empty(pool, 1);
	return 0;
}
