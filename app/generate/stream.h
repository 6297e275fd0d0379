// SPDX-License-Identifier: GPL-2.0-or-later
// A company's traffic (company.h) as one stream of frames in the order of their time, with attacks in it (chain.h). A day is
// planned at a time and a conversation is made when it begins, so memory follows what is open at once, not the days. The
// stream reacts: of each frame it may be told that it was dropped, and the conversation that frame belongs to then stops
// (one retransmission apart), with everything that rests on it. Same plan, same attacks, same drops: same bytes.
// A fork()ed copy goes on by itself. One thread owns it.
#pragma once
#include "address.h"

struct stream;

struct stream_plan {
	uint64_t seed, start_ns; // start: a Monday's midnight, UNIX time
	uint32_t days;
};

struct stream_frame {
	uint64_t when_ns;
	const uint8_t *bytes; // until the next stream_next()
	uint32_t length;
	uint32_t conversation; // from 1
	uint16_t attack;       // 0: ordinary; else what stream_attack() returned
	uint8_t step;          // of it
	uint8_t payload;       // 1: carries bytes of a script, a class or a program, ordinary or not
};

enum stream_limits { STREAM_ATTACKS = 64, STREAM_STEPS = 12 };

extern const char STREAM_INSIDE[]; // the network that is inside, as prefix_parse reads it

struct stream *stream_create(const struct stream_plan *plan); // ends the program where memory is short
void stream_destroy(struct stream *s);
// false: the days are over and no attack is under way.
bool stream_next(struct stream *s, struct stream_frame *out);
// The frame last handed out was dropped.
void stream_dropped(struct stream *s);

struct stream_counts {
	uint64_t frames, bytes;
	uint64_t conversations, cut; // ordinary ones: begun, and stopped by a drop
};
void stream_counts(const struct stream *s, struct stream_counts *out);
uint32_t stream_devices(const struct stream *s, uint32_t day); // that exist on that day
// What kind of device has that address now ("web", "office", ...); NULL: none.
const char *stream_part(const struct stream *s, const struct address *a);

// The kinds of attacks (chains.c): name, what each step does, and about how long it takes from its first step to its last.
const char *chain_name(unsigned chain);                        // "case1"; NULL past the last
const char *chain_step_words(unsigned chain, unsigned step); // NULL past the last
uint64_t chain_length_ns(unsigned chain);

// An attack of that kind that begins then, on a device chosen by `seed` among those the kind is made
// for, from addresses that seed gives. Returns its number from 1, or 0 where there are STREAM_ATTACKS already.
// at_ns: not before the last frame handed out.
uint16_t stream_attack(struct stream *s, unsigned chain, uint64_t seed, uint64_t at_ns);
struct address stream_victim(const struct stream *s, uint16_t attack);
bool stream_attack_over(const struct stream *s, uint16_t attack);
// Takes back an attack's coming steps.
void stream_attack_end(struct stream *s, uint16_t attack);

struct stream_step {
	const char *words; // what it does, for a report; NULL: the attack has no such step
	bool begun;        // false at the end: it did not happen, for lack of what it rests on
	uint64_t first_ns, last_ns;
	uint32_t conversations, stopped; // its own: look-ups of names are not among them
	uint32_t frames, dropped;          // handed out, and of them dropped
	uint32_t payload, payload_dropped; // of them those that carried a script, class or program
};
void stream_step(const struct stream *s, uint16_t attack, unsigned step, struct stream_step *out);
