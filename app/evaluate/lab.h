// SPDX-License-Identifier: GPL-2.0-or-later
// The real stations, near side and far side, in one process with the packets' time for both clocks, fed from a stream; and a
// record of what they say about ordinary traffic by day and about each attack by step. A fork()ed copy goes on by itself.
#pragma once
#include "simple.h"
#include "inspect.h"
#include "settings.h"
#include "stream.h"

enum lab_limits { LAB_DAYS = BASELINE_DAYS, LAB_PARTS = 20, LAB_INCIDENTS = 65536 };

struct lab;
typedef void (*lab_told_fn)(const struct lab *l, const char *kind, const struct alert *a); // "alarm": of nobody's attack; "said": a step's first

struct lab_plan {
	lab_told_fn told; // may be NULL
	struct stream_plan stream;
	uint32_t train_days; // so long the mode is learn
	unsigned mode;       // from then on
	const char *policy;  // folder
	struct settings settings;
};

struct lab_part { // of one day: what was said about devices of one kind
	char name[16];
	uint32_t alarms, devices;
};

struct lab_day { // ordinary traffic only
	uint64_t frames, conversations, cut;
	uint32_t notes;   // alerts of priority 1
	uint32_t alarms;  // all other alerts
	uint32_t devices; // that had one
	uint32_t incidents, blocks, would_block;
	struct baseline_day baseline;
	double threshold[ROLE_COUNT]; // of evidence for an alarm as the day ended, bits; 0: none yet
	uint32_t passed;  // devices that passed it, by the far side's own count
	struct lab_part part[LAB_PARTS];
};

struct lab_step { // of an attack: times of the first, UNIX ns, 0 = never
	uint64_t alerted_ns, noted_ns, blocked_ns;
	uint32_t alerts;
	char policy[48]; // that alerted first
};

struct lab_attack {
	struct lab_step step[STREAM_STEPS];
	uint64_t cut_ns;               // the first dropped frame
	struct incident incident;      // the one with the highest score that an alert of it is in; id 0: none
	uint64_t near;                 // alerts about its victim meanwhile that are of no step
	uint64_t new_device_ns, new_org_ns;
	float bits;                    // the most of a single event
	double evidence;               // the most against its victim during its frames, bits
	uint64_t single_ns[BASELINE_BUDGETS];
};

struct lab_raised { // what the journal must hold (proof.h)
	uint64_t alerts;        // number of the latest; they count up from 1
	uint64_t alerts_before; // those up to it are another process's to answer for
	uint64_t events;        // since then
	uint64_t since_ns;      // no event is earlier than this
};

struct lab {
	struct lab_plan plan;
	struct stream *stream;
	struct counters counters;
	struct wire_sheet *wire;
	struct brain_sheet *brain;
	struct ring_reader in;
	struct ring_writer out;
	struct prefix inside;
	struct policy_set *policies;
	struct inspect *inspect;
	struct reason *reason;
	struct baseline baseline;
	struct stream_frame frame; // under inspection
	uint64_t last_ns, stepped_ns, frames, observations;
	uint32_t today;
	struct counted flows;       // of attacks: flow id + 1 → attack << 8 | step
	struct counted pairs;       // and victim with attacker's address → the same, of the latest flow
	struct counted alarmed;     // device address and day
	struct counted incidents;   // id → index into incident[]
	struct incident *incident;  // latest known state of each
	uint32_t incident_count;
	struct lab_day day[LAB_DAYS];
	struct lab_attack attack[STREAM_ATTACKS];
	unsigned attacks; // under way or over
	struct lab_raised raised;
};

// Ends the program with a message where it cannot be made.
void lab_init(struct lab *l, const struct lab_plan *plan);
void lab_fini(struct lab *l);
// Runs on until that time. false: the stream is over.
bool lab_run(struct lab *l, uint64_t until_ns);
// Begins one now; its number as stream_attack gives it.
uint16_t lab_attack(struct lab *l, unsigned chain, uint64_t seed);
double lab_threshold(const struct lab *l, unsigned role, uint32_t *passed); // as it is now; passed today, of any role (may be NULL)
void lab_set_mode(struct lab *l, unsigned mode);
uint64_t lab_day_ns(const struct lab *l, double day); // UNIX time
