// SPDX-License-Identifier: GPL-2.0-or-later
// Attacks as data: a chain is a list of steps, each a move with its arguments, the delay since the step before and the
// steps it rests on. What is sent is inert: files have the right magic and noise or comments after it. Who attacks from
// where follows from a seed. Delays of the exploit steps follow public captures of the real ones (LDAP 50-270 ms after
// the request, class 70-120 ms after the answer, shell 30-80 ms after the class).
#pragma once
#include "company.h"
#include "stream.h"

enum slot { SLOT_A, SLOT_B, SLOT_C, SLOT_D, SLOTS }; // the attacker's hosts

struct move_of { // what a move's function is given
	struct duty duty;
	const struct chain_step *step;
	const struct host *slot; // SLOTS of them
	const char *name;        // the attacker's domain
	uint32_t number;         // which repetition
	uint64_t end_ns;         // set by the move: when it was through
	uint32_t asides;         // and how many of its conversations were look-ups
};

struct chain_step {
	const char *words;
	void (*move)(struct move_of *m);
	uint32_t after_ms;  // the end of the first repetition of the step before
	uint16_t needs;     // bits of earlier steps without which it does not happen
	uint8_t slot;       // enum slot
	uint8_t jitter;     // percent of `every_ms`, either way; more than 100: anywhere in working hours
	uint16_t port;
	uint8_t client;     // enum http_client or enum tls_client
	uint8_t body;       // enum body
	const char *uri, *agent;
	uint32_t bytes;     // of the body, or sent up
	uint32_t times;     // repetitions; 0 is 1
	uint32_t every_ms;
};

struct chain {
	const char *name;
	uint32_t victims; // bits of enum part
	struct chain_step step[STREAM_STEPS]; // ends where words is NULL
};

extern const struct chain CHAINS[];
extern const unsigned CHAINS_COUNT;

// The moves
void move_tls_in(struct move_of *m);
void move_jndi(struct move_of *m); // uri: the look-up, %s is the attacker's address
void move_form(struct move_of *m); // a POST whose body is uri, %s as before
void move_ldap(struct move_of *m);
void move_rmi(struct move_of *m);
void move_fetch(struct move_of *m);
void move_fetch_named(struct move_of *m); // by the attacker's domain instead of its address
void move_post(struct move_of *m);
void move_shell(struct move_of *m);
void move_upload(struct move_of *m);   // a form with a file whose name follows from the attack
void move_webshell(struct move_of *m); // uri: a path, %s is that name
void move_stratum(struct move_of *m);
void move_tls_out(struct move_of *m); // no server name
void move_tls_named(struct move_of *m);
void move_dns(struct move_of *m);   // one question under the attacker's domain, with what was gathered in it
void move_probe(struct move_of *m); // one inside host and port of a scan
void move_lateral(struct move_of *m);
