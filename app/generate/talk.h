// SPDX-License-Identifier: GPL-2.0-or-later
// Conversations: a whole TCP connection told as "open, send, send, close", and single datagrams. Keeps sequence
// numbers, acknowledgements, round trips and segment sizes right; knows nothing of what is said.
#pragma once
#include "chance.h"
#include "frame.h"
#include "message.h"
#include "trace.h"

enum talk_limits { STAGE_PORTS = 8192 };

#define US 1000ull
#define MS 1000000ull
#define SEC 1000000000ull

// What all conversations share.
struct stage {
	struct trace trace;
	struct message message;      // scratch of whoever is speaking
	uint32_t conversations;      // begun so far
	uint16_t ports[STAGE_PORTS]; // next client port by address, so that no pair of ends is used twice
};

struct talk_side {
	const struct host *host; // borrowed for the conversation
	uint16_t port;
	uint32_t sequence;   // next byte to send
	uint32_t acked;      // what this side has last acknowledged of the other's bytes
	uint64_t busy_until; // observed time of its last frame
	uint8_t owed;        // full segments received and not acknowledged
};

struct talk {
	struct stage *stage;
	uint32_t conversation;
	bool payload; // what is said now is a script, a class or a program
	struct chance *chance;
	struct talk_side side[2]; // 0 is the client
	uint64_t now_ns;          // observed time of the last frame that carried something
	unsigned last;            // who sent it
};

enum { CLIENT, SERVER };

void stage_init(struct stage *s);
void stage_fini(struct stage *s);
// Another conversation begins: its number, which frames bear from now on.
uint32_t stage_begin(struct stage *s);
uint16_t stage_port(struct stage *s, const struct address *a);

// Three-way handshake, SYN seen at `when`. Hosts must outlive the talk.
void talk_open(struct talk *t, struct stage *s, struct chance *c, const struct host *client, const struct host *server,
	       uint16_t server_port, uint64_t when_ns);
// `think` runs from the moment the sender has everything said before.
void talk_send(struct talk *t, unsigned from, const void *data, size_t n, uint64_t think_ns);
// The same for the stage's scratch message, which is cleared.
void talk_say(struct talk *t, unsigned from, uint64_t think_ns);
void talk_close(struct talk *t, unsigned from, uint64_t think_ns);
// A SYN that is answered with RST: nobody listens there.
void talk_refused(struct stage *s, struct chance *c, const struct host *client, const struct host *server,
		  uint16_t port, uint64_t when_ns);

// One datagram, observed at when_ns.
void datagram(struct stage *s, const struct host *from, uint16_t from_port, const struct host *to, uint16_t to_port,
	      const struct message *m, uint64_t when_ns);
void ping(struct stage *s, struct chance *c, const struct host *from, const struct host *to, unsigned count,
	  uint64_t when_ns);
// How long after a question passed the tap the answer does, without thinking.
uint64_t echo_ns(const struct host *h, struct chance *c);
