// SPDX-License-Identifier: GPL-2.0-or-later
// IP fragments → whole datagrams. Keeps every fragment, as the frame it came in, until its datagram is complete; then the datagram goes through the
// stations as one packet and its frames follow that decision: nothing is forwarded before it was inspected. Knows no flows and no
// protocols. Memory is fixed at creation and every bound has a name; one thread; no allocation after defrag_create.
#pragma once
#include "counters.h"
#include "decode.h"
#include "siphash.h"

enum defrag_limits {
	DEFRAG_DATAGRAM_BYTES = 65535,  // RFC 791 §3.1, RFC 8200 §4.5
	DEFRAG_FRAME_BYTES = 16512,     // longest frame kept (jumbo)
	DEFRAG_HEAD_BYTES = 2048,       // longest link header, tags and tunnels before the IP header that is fragmented
	DEFRAG_PIECES = 64,             // fragments of one datagram; 64 KiB at an MTU of 1,280 need 53
	DEFRAG_HOPS = 32,               // with fewer left (TTL, hop limit) a fragment may not come as far as the others
	DEFRAG_PER_SOURCE_SHARE = 8,    // one source holds at most 1/8 of datagrams and of bytes
	DEFRAG_STEP_DATAGRAMS = 64,     // given up by one defrag_step at most
};

enum defrag_result {
	DEFRAG_KEPT,     // kept; the caller forgets the frame
	DEFRAG_COMPLETE, // *out is the whole datagram. The frame was kept as well: it is the last of the pieces
	DEFRAG_DROP,     // contradicts what was kept, repeats it, or no receiver takes it. Counted; drop the frame
	DEFRAG_REFUSED,  // cannot be kept (limit, counted): the caller's policy decides what becomes of the frame
};

struct defrag_config {
	uint32_t datagrams;    // kept at once; power of two
	uint64_t bytes;        // of kept frames in all: blocks of 2,048, of which a frame of up to 1,984 takes one
	uint64_t timeout_ns;   // 0 = 30 s
	struct siphash_key key;
};

struct defrag_piece { // a kept frame; borrowed until the next call
	const uint8_t *at;
	uint32_t bytes;
	uint16_t port; // it came from
};

struct defrag_whole {
	struct frame frame;   // the first fragment's bytes up to its IP header (packet.ip_offset), then one unfragmented datagram; link, port and time of the
	                      // frame that completed it. Valid until the next call
	uint32_t ip_offset;   // of the datagram in `frame`: decode_datagram goes on there
	uint32_t id;          // for defrag_piece_at and defrag_done
	uint32_t pieces;
};

struct defrag;

struct defrag *defrag_create(const struct defrag_config *config, struct counters *counters); // NULL with errno
void defrag_destroy(struct defrag *d);

// A frame for which decode said DECODE_PIECE (counted by the caller, COUNT_DECODE_FRAGMENT, as are its IP checksum and blocks). Every frame that is dropped here, at
// once or later with the datagram it was kept for, counts once as COUNT_FRAMES_DROPPED_FRAGMENT; a refused one does not.
//
// Overlaps: byte-identical repeats are dropped silently as duplicates (DEFRAG_DROP without giving up the datagram); any other overlap gives up the whole
// datagram, in IPv4 as in IPv6 (RFC 5722), and so does a second end. A fragment with ODDITY_HEADER (no whole transport header in the first one, past 65,535, a length
// that is no multiple of 8 before the last) or ODDITY_CUT gives up its datagram too: DEFRAG_DROP (RFC 1858, RFC 8200 §4.5). One that only a capture cut: DEFRAG_REFUSED.
// So do fragments with different hops left (their own or those of a packet that carries them) of which one has fewer than DEFRAG_HOPS, and those whose IPv4 options or
// IPv6 headers before the fragment's differ: where only some are taken, the receiver puts them together with those of the sender's next datagram of the same id, as
// nobody has seen them.
// Key: addresses, protocol (IPv4), identification, VLANs, tunnels, port (evasion 11), and the Ethernet address they go to: one sent to another card is not taken.
//
// Fragments in fragments: *out of one call, decoded by decode_datagram to another DECODE_PIECE, may be given to the next call as `f`. Unless the answer is
// DEFRAG_REFUSED, the frames of that whole are then the inner datagram's (and are dropped with it): its id is over.
enum defrag_result defrag_add(struct defrag *d, const struct frame *f, const struct packet *p, struct defrag_whole *out);

// The i-th kept frame of a complete datagram, in order of arrival. {NULL} past the last, or where the id is over. Cheap when asked in order.
struct defrag_piece defrag_piece_at(struct defrag *d, uint32_t id, uint32_t i);
// Its frames were sent or are not wanted: frees them. They are not counted here.
void defrag_done(struct defrag *d, uint32_t id);

// Gives up what is too old, or as far ahead (the clock was set back); bounded work. What is given up is never forwarded.
void defrag_step(struct defrag *d, uint64_t unix_ns);
// Datagrams kept now, complete ones whose frames are still held included.
uint32_t defrag_count(const struct defrag *d);
