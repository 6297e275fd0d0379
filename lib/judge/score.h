// SPDX-License-Identifier: GPL-2.0-or-later
// How unusual one event is, with every number that says so: flat, stored as it is in the journal, and made again by
// score_compute to the last digit.
//
// An event is an observation of one of the classes below, once a day for the same values. Its surprise is a sum of
// terms −log2 P, by the chain rule: what is asked of a port, an agent, a kind of file is asked given how well the
// device knows the destination, so one novelty is counted once. Surprise becomes p by comparison with the surprises of
// late of that role and class (lib/estimate/conformal.h), p becomes evidence (evidence.h).
#pragma once
#include "beacon.h"
#include "conformal.h"
#include "evidence.h"
#include "learn.h"

enum score_class {
	SCORE_NONE,
	SCORE_FLOW,     // the device opens a flow to the outside: destination, port, is there a name, was it called
	SCORE_REQUEST,  // HTTP: agent
	SCORE_TLS,      // client fingerprint
	SCORE_FILE,     // kind of file received
	SCORE_PROTOCOL, // what is spoken there, given the port
	SCORE_INSIDE,   // a flow to another inside device
	SCORE_SERVED,   // a port on which it is reached
	SCORE_NAME,     // a domain it asks for
	SCORE_HOUR,     // when it is active
	SCORE_BYTES,    // sum of bytes sent to a destination others here do not know, in an hour, a day, a week
	SCORE_FAN_OUT,  // how many different (address, port) it opened flows to in an hour, against its own usual
	SCORE_BEACON,   // steady calls to a destination others here do not know
	SCORE_CLASSES
};
const char *score_class_name(unsigned class); // "flow"

enum score_limits { SCORE_TERMS = 4, SCORE_TEXT = 64, SCORE_TERM_BITS = 20, SCORE_VERSION = 2, SCORE_NUMBERS = 4 };

// A device that is new itself (three days, from the network's second week on) is compared with others when they were:
// to it everything is new, and what is odd for a newcomer still is.
enum score_among { AMONG_ROLE, AMONG_ALL /* its role had too few */, AMONG_NEWCOMERS };

struct score_term {
	uint8_t feature, novelty; // enum feature, enum novelty
	int8_t sign;              // −1: what is known already and taken off (P(app | port) = P(app, port) / P(port))
	uint8_t zero;
	uint32_t adopters, adopters_of; // adopters > 0: a roll-out, so many of so many devices began with it
	struct backoff_terms model;
	double bits; // 0 … SCORE_TERM_BITS, before the sign
	char value[SCORE_TEXT];
};

enum score_number { // by class
	NUMBER_BYTES = 0,
	NUMBER_WINDOW /* enum volume_window */,
	NUMBER_COUNT = 0,
	NUMBER_USUAL,
	NUMBER_PERIOD_MS = 0,
	NUMBER_JITTER,
	NUMBER_WITHIN,
	NUMBER_OF,
};

// The same against the device's own: a busy one is odd among its role each day, and that is no news. Beyond the largest
// of its own each further bit halves p: surprise is a probability's logarithm already.
struct own_rank {
	uint32_t held, above, equal; // of the sample of the device's own scores of that class
	uint32_t most;               // its largest, whole bits as all of them
	double p;                    // 0 while there are too few
};

struct score {
	uint32_t version, bytes; // SCORE_VERSION, sizeof(struct score)
	uint64_t key;            // of the event's values: the same as of the evidence it became
	uint64_t time_ns, flow;
	struct address device, endpoint;
	uint16_t device_port, endpoint_port;
	uint8_t class, role, transport, terms;
	uint8_t among;  // enum score_among: whose scores it was compared with
	uint8_t ready;  // device's readiness, per cent
	uint8_t zero[2];
	uint32_t family; // of evidence
	uint64_t number[SCORE_NUMBERS];
	double measured;         // of BEACON: −log2 p of the test; else 0
	double surprise;         // bits
	struct conformal_p rank; // p among its role
	struct own_rank own;     // p among its own
	double p;                // the larger of the two; among newcomers no less than 1/(held + 1)
	int32_t microbits;       // evidence_of_p of it, or of 1 where the surprise is below a bit
	uint32_t zero2;
	struct score_term term[SCORE_TERMS];
};

const char *score_among_name(const struct score *s); // "exposed-server", "all", "newcomers"

// Makes bits, surprise, p and evidence again from counts and numbers. Nothing else is read.
void score_compute(struct score *s);
// Does it come out the same? What differs is written into `out`, a line each; returns how many.
unsigned score_verify(const struct score *s, char *out, size_t cap);
unsigned score_numbers(const struct score *s); // how many numbers that compares
