// SPDX-License-Identifier: GPL-2.0-or-later
// A talk made of hostile bytes: pieces of [flags][16-bit length][bytes] go to one parser, its state of exactly the
// declared size, each piece in memory of exactly its size. What comes out must be well-formed. For test/fuzz only.
#pragma once
#include <stdlib.h>
#include "proto.h"

enum { TALK_CLIENT = 1, TALK_GAP = 2, TALK_OUTSIDE = 4, TALK_CLOSE = 8, TALK_DEVICE = 16 };

static inline void talk_fuzz_emit(void *user, struct observation *o)
{
	if (o->size_bytes < OBSERVATION_HEAD_BYTES || o->size_bytes > OBSERVATION_BYTES || o->kind >= OBS_KINDS)
		abort();
	for (unsigned i = 0; i < OBSERVATION_TEXTS; i++)
		if (o->slot[i].offset + o->slot[i].length > o->size_bytes - OBSERVATION_HEAD_BYTES)
			abort();
}

static inline enum parse talk_fuzz_piece(const struct proto_ops *ops, void *state, uint8_t flags, struct bytes piece)
{
	static const struct proto_flow flow = {
		.client = {.family = 4, .b = {10, 0, 0, 5}},
		.server = {.family = 4, .b = {198, 51, 100, 7}},
		.client_port = 40000,
		.server_port = 53,
		.transport = 6,
		.direction = DIRECTION_OUT,
	};
	static struct counters counters;
	const struct proto_sink sink = {.emit = talk_fuzz_emit, .counters = &counters};
	uint8_t *copy = malloc(piece.left ? piece.left : 1);
	struct proto_input in = {.from_client = flags & TALK_CLIENT,
				 .gap = flags & TALK_GAP,
				 .flow = &flow,
				 .from_outside = flags & TALK_OUTSIDE,
				 .device_sends = flags & TALK_DEVICE};
	enum parse result = PARSE_MORE;

	if (!copy)
		abort();
	if (piece.left)
		memcpy(copy, piece.at, piece.left);
	in.data = bytes_of(copy, piece.left);
	ops->probe(bytes_head(in.data, PROTO_PROBE_BYTES), in.from_client);
	if (piece.left || in.gap)
		result = ops->feed(state, &in, &sink);
	if (result == PARSE_MORE && flags & TALK_CLOSE && ops->close)
		ops->close(state, in.from_client, &flow, &sink);
	free(copy);
	return result;
}

static inline int talk_fuzz(const struct proto_ops *ops, struct bytes b)
{
	enum parse result = PARSE_MORE;
	static void *state; // a target feeds the same few parsers: one block of the size asked for last
	static uint32_t bytes;
	struct bytes piece;
	uint16_t length;
	uint8_t flags;

	if (!state || bytes != ops->state_bytes) {
		free(state);
		bytes = ops->state_bytes;
		state = malloc(bytes ? bytes : 1);
	}
	if (!state)
		abort();
	memset(state, 0, bytes);
	while (result == PARSE_MORE && bytes_read_u8(&b, &flags) && bytes_read_u16(&b, &length)) {
		piece = bytes_head(b, length);
		b = bytes_from(b, length);
		result = talk_fuzz_piece(ops, state, flags, piece);
	}
	return 0;
}
