// SPDX-License-Identifier: GPL-2.0-or-later
// The limits of inspection. Each has a counter, which is its name, and a policy: forward and flag (default), or drop.
#include "inspect.h"

// (tcp_midstream is none: what began before we came is no fault of anybody's, evasion 37.)
const enum counter inspect_limit[] = {
	COUNT_DECODE_BAD,
	COUNT_DECODE_TUNNEL,
	COUNT_DECODE_OPTIONS,
	COUNT_DECODE_EXTENSIONS,
	COUNT_DEFRAG_FULL,
	COUNT_FLOWS_FULL,
	COUNT_TCP_PARK_FULL,
	COUNT_TCP_GAP,
	COUNT_TCP_COPY,
	COUNT_TCP_URGENT,
	COUNT_TCP_OUTSIDE_WINDOW,
	COUNT_PROTO_UNKNOWN,
	COUNT_PROTO_BAD,
	COUNT_PROTO_BUDGET,
	COUNT_PROTO_CONTEXT_FULL,
	COUNT_PROTO_INFLATE_LIMIT,
	COUNT_PROTO_INFLATE_BAD,
	COUNT_PROTO_HTTP_AMBIGUOUS,
	COUNT_PROTO_HTTP_TUNNEL,
	COUNT_PROTO_HTTP2_LIMIT,
	COUNT_PROTO_STARTTLS_CLEAR,
	COUNT_PROTO_QUIC_UNREAD,
	COUNT_PROTO_QUIC_LIMIT,
	COUNTER_COUNT,
};
