// SPDX-License-Identifier: GPL-2.0-or-later
// Every loss, refusal and oddity has a name here. `sekimori counters` prints them all with the text beside them.
// One struct per thread; the owner adds, others read (relaxed), so a reader may be a little behind.
#pragma once
#include <stdint.h>

#define COUNTERS(X)                                                                                                    \
	/* wire: frames */                                                                                             \
	X(FRAMES_IN, "frames received from the ports")                                                                 \
	X(FRAMES_OUT, "frames handed to the other port")                                                               \
	X(BYTES_IN, "bytes received from the ports")                                                                   \
	X(FRAMES_DROPPED_BLOCK, "frames dropped by a block")                                                           \
	X(FRAMES_DROPPED_CUT, "frames dropped because their flow was cut")                                             \
	X(FRAMES_DROPPED_TX_FULL, "frames the transmitting port refused: no room, or longer than its MTU")             \
	X(FRAMES_DROPPED_CHECKSUM, "frames dropped for a wrong checksum (inline only)")                                \
	X(FRAMES_DROPPED_TRUNCATED, "frames shorter than their IP length, dropped (inline only)")                      \
	X(FRAMES_DROPPED_ORDER, "segments dropped that could not be put in order to be inspected")                     \
	X(FRAMES_DROPPED_DIFFERENT, "segments dropped: other bytes than those forwarded before")                       \
	X(FRAMES_DROPPED_HEADERS, "frames dropped whose headers no receiver accepts (inline only)")                    \
	X(FRAMES_DROPPED_FRAGMENT, "fragments dropped: contradiction, time-out or limit")                              \
	X(FRAMES_DROPPED_LIMIT, "frames dropped at a limit whose policy is drop")                                      \
	X(FRAMES_DROPPED_WORKER_FULL, "frames dropped: their worker did not keep up")                                  \
	X(FRAMES_HELD, "first frames of unknown pairs held for a verdict")                                             \
	X(FRAMES_HELD_RELEASED, "held frames released by a verdict")                                                   \
	X(FRAMES_HELD_EXPIRED, "held frames released by the deadline")                                                 \
	X(FRAMES_HELD_FULL, "frames not held because the park was full")                                               \
	X(RST_SENT, "TCP resets sent")                                                                                 \
	X(RST_LIMITED, "TCP resets not sent: rate limit")                                                              \
	/* wire: decode */                                                                                             \
	X(DECODE_NOT_IP, "frames without IP (ARP, LLDP, ...), forwarded unseen")                                       \
	X(DECODE_BAD, "frames whose headers contradict themselves, forwarded, not inspected")                          \
	X(DECODE_FRAGMENT, "IP fragments")                                                                             \
	X(DECODE_TUNNEL, "packets in tunnels deeper or of other kinds than are opened")                                \
	X(DECODE_OPTIONS, "packets with IPv4 options or IPv6 extension headers")                                       \
	X(DECODE_EXTENSIONS, "packets with more IPv6 extension headers than are read")                                 \
	X(DECODE_TRANSPORT, "packets of a transport that is not TCP, UDP or ICMP")                                     \
	X(DECODE_CHECKSUM, "packets with a wrong checksum (accepted in replay)")                                       \
	/* wire: defrag */                                                                                             \
	X(DEFRAG_WHOLE, "datagrams put together from fragments")                                                       \
	X(DEFRAG_OVERLAP, "datagrams dropped: fragments contradict each other")                                        \
	X(DEFRAG_BAD, "fragments dropped: past 65,535 bytes, nested, or a first one without its header")               \
	X(DEFRAG_TIMEOUT, "datagrams given up: fragments were missing")                                                \
	X(DEFRAG_FULL, "datagrams given up early: no room, or too many from one source")                               \
	/* wire: flow */                                                                                               \
	X(FLOWS_ADDED, "flows created")                                                                                \
	X(FLOWS_EXPIRED, "flows ended by their timeout")                                                               \
	X(FLOWS_FULL, "packets forwarded untracked: the flow table was full")                                          \
	X(FLOWS_EVICTED, "half-open flows ended early to make room")                                                   \
	X(TCP_MIDSTREAM, "TCP flows first seen without a handshake")                                                   \
	X(TCP_OUT_OF_ORDER, "segments parked until the bytes before them came")                                        \
	X(TCP_PARK_FULL, "segments not parked: the pool was full; flow uninspected")                                   \
	X(TCP_GAP, "gaps given up on; flow uninspected")                                                               \
	X(TCP_OVERLAP, "segments that repeat bytes already inspected")                                                 \
	X(TCP_COPY, "segments that repeat bytes with others or cut otherwise; flow uninspected")                       \
	X(TCP_URGENT, "segments with urgent data: readers differ on whether it is in the stream")                      \
	X(TCP_OUTSIDE_WINDOW, "segments outside the receiver's window")                                                \
	/* wire: protocols */                                                                                          \
	X(PROTO_CONTEXT_FULL, "flows not parsed: the context pool was full")                                           \
	X(PROTO_UNKNOWN, "flows whose protocol was not recognised")                                                    \
	X(PROTO_BAD, "flows whose parser gave up on malformed bytes")                                                  \
	X(PROTO_BUDGET, "flows whose parser ran out of its work budget")                                               \
	X(PROTO_INFLATED, "compressed bodies opened")                                                                  \
	X(PROTO_INFLATE_LIMIT, "compressed bodies given up at a limit (size, ratio, layers, room)")                    \
	X(PROTO_INFLATE_BAD, "compressed bodies that are none, or of a coding we do not open")                         \
	X(PROTO_HTTP_AMBIGUOUS, "HTTP messages whose framing two readers may read differently")                        \
	X(PROTO_HTTP_TUNNEL, "connections through a proxy (CONNECT, SOCKS) or upgraded, that could not be followed")   \
	X(PROTO_HTTP2_LIMIT, "HTTP/2 connections given up at a limit")                                                 \
	X(PROTO_STARTTLS_CLEAR, "messages in clear behind a request for TLS, where none may be")                       \
	X(PROTO_QUIC_UNREAD, "QUIC packets that cannot be read: Retry, 0-RTT, other versions")                         \
	X(PROTO_QUIC_LIMIT, "QUIC hellos given up: too long, in too many pieces, or contradicting")                    \
	X(PROTO_UPLOADS_LEFT_OUT, "names of uploaded files not told: too many in a request, or too long")             \
	X(PROTO_TRUNCATED, "observations with a text cut to fit")                                                      \
	X(INSPECTION_OFF, "frames not inspected: inspection is switched off")                                          \
	X(INSPECTION_SHED, "frames not inspected: the worker did not keep up")                                         \
	/* wire: channel */                                                                                            \
	X(OBSERVATIONS, "observations sent")                                                                           \
	X(OBSERVATIONS_LOST, "observations lost: the ring was full")                                                   \
	X(VERDICTS, "verdicts accepted")                                                                               \
	X(VERDICTS_BAD, "verdicts refused: a field out of range")                                                      \
	X(VERDICTS_NEVER_BLOCK, "blocks refused by the wire's own never-block list")                                   \
	X(BLOCKS_FULL, "blocks refused: the table was full")                                                           \
	X(CUTS_CERTAIN, "flows cut on the same packet by a certain fact")                                              \
	X(PORT_LOST, "frames lost in the receiving ports: no worker took them in time; not among those received")     \
	/* brain */                                                                                                    \
	X(BRAIN_OBSERVATIONS, "observations judged")                                                                   \
	X(BRAIN_OBSERVATIONS_BAD, "observations refused: a field out of range")                                        \
	X(BRAIN_ALERTS, "alerts raised")                                                                               \
	X(BRAIN_ALERTS_THROTTLED, "alerts folded into an earlier one")                                                 \
	X(BRAIN_ALERTS_SUPPRESSED, "alerts that a person asked not to be told")                                        \
	X(BRAIN_DEVICES_FULL, "devices not learned: the table was full")                                               \
	X(BRAIN_DEVICES_FORGOTTEN, "devices silent for long that made room for new ones: the table was full")         \
	X(BRAIN_COUNTS_FULL, "values not learned: the table was full")                                                 \
	X(BRAIN_DRIFT_REFUSED, "values not learned: too many new ones of a device a day")                              \
	X(BRAIN_WAITING_FULL, "values not learned: too many wait for it")                                              \
	X(BRAIN_CLOCK_BACK, "times a clock that was ahead was set back: what was dated later counts as of then")           \
	X(BRAIN_DISCARDED, "values not learned: their device alarmed meanwhile")                                       \
	X(BRAIN_CROWDED, "contacts of a device that showed too many a day: known by their kind, not each")              \
	X(BRAIN_SCORES_LEFT_OUT, "scores not kept to compare with: too many a day of a device, or in all")             \
	X(BRAIN_SCORES_UNNOTED, "events of 3 bits and more not kept in the journal: too many a day of a device")       \
	X(BRAIN_BLOCKS, "blocks ordered")                                                                              \
	X(BRAIN_BLOCKS_REFUSED, "blocks refused: never-block list or cap")                                             \
	X(BRAIN_VERDICTS_LOST, "verdicts lost: the ring was full")                                                     \
	X(BRAIN_JOURNAL_ERRORS, "journal writes that failed")                                                          \
	X(BRAIN_JOURNAL_LOST, "journal rows that went with one that could not be written")                            \
	X(BRAIN_EVENTS_LOST, "event lines lost: too long or not writable")                                             \
	X(BRAIN_FENCE_ERRORS, "nftables changes that failed")

enum counter {
#define X(name, text) COUNT_##name,
	COUNTERS(X)
#undef X
		COUNTER_COUNT
};

struct counters {
	uint64_t value[COUNTER_COUNT];
};

// Lower-case name ("frames_in") and one-line text of a counter. Static storage.
const char *counter_name(enum counter c);
// The same names as a list that ends with NULL, for tables of enum texts.
extern const char *const counter_names[COUNTER_COUNT + 1];
const char *counter_text(enum counter c);
// The sum of all counters named frames_dropped_*: frames in = frames out + these + those still kept.
uint64_t counters_dropped(const struct counters *c);

static inline void count_add(struct counters *c, enum counter which, uint64_t n)
{
	// One writer per struct: a relaxed load and store is enough and costs no lock.
	__atomic_store_n(&c->value[which], c->value[which] + n, __ATOMIC_RELAXED);
}

static inline void count(struct counters *c, enum counter which)
{
	count_add(c, which, 1);
}
