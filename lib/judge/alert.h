// SPDX-License-Identifier: GPL-2.0-or-later
// An alert: one policy matched one observation, with the exact counts that made it unusual. Flat, fixed size, stored as
// it is in the journal.
#pragma once
#include "score.h"

enum alert_limits { ALERT_TERMS = 10, ALERT_FACTS = 6, ALERT_TEXT = 256, ALERT_VERSION = 2 };

struct alert_term {      // one piece of learned evidence
	uint8_t feature; // enum feature
	uint8_t zero[3];
	struct counts counts;         // a day old at least: what waits is not in them
	struct backoff_terms model;   // the same counts as the estimate took them
	double bits;                  // −log2 P, 0..20; alert_compute makes it of `model`
	char value[120];              // printable
};

struct alert_proof { // what evidence there was against the device when the alert was given
	struct evidence_state before; // what was known before the items
	struct evidence_item item[EVIDENCE_ITEMS];
	uint32_t items;
	uint8_t calibrated; // 0: the thresholds did not count yet
	uint8_t families;   // of evidence, within 10 minutes
	uint8_t zero[2];
	struct evidence_state evidence; // the two levels that follow (evidence_fold)
	uint64_t half_life_ms[EVIDENCE_SPEEDS];
	int64_t threshold, block_threshold; // microbits
	double per_day, blocks_per_day;     // the budgets; 0 = none was set
};

// How often the policy matched before, of days on which the device was seen and did not alarm; days in 1/HABIT_DAY,
// halving every 14. A match that is a device's habit, or that many of its role begin with, weighs little whatever the policy
// declares.
enum { HABIT_DAY = 256 };
struct alert_habit {
	uint32_t device_days, device_of; // days of the device with a match, and in all
	uint32_t role_devices;           // of its role, that matched on some day
	uint32_t role_of;                // days of all of them
};

struct alert {
	uint32_t version, bytes; // ALERT_VERSION, sizeof(struct alert)
	uint64_t id;             // from 1, per journal
	uint64_t incident;       // 0 until assigned
	uint64_t time_ns;        // of the observation
	uint64_t flow;
	uint64_t frame;
	char policy[48]; // "conn/new-agent-bare-ip"
	uint16_t policy_version;
	uint8_t priority; // 1 (note) .. 5 (act now)
	uint8_t certain;  // a fact that needs no learning is part of it
	uint8_t direction, transport, app, from_client;
	struct address device, endpoint;
	uint16_t device_port, endpoint_port; // host order
	uint16_t facts;                      // bits of enum fact
	uint8_t exposed;                     // device's role was exposed server
	uint8_t mode;                        // enum sheet_mode at that time
	uint32_t repeats;                    // throttled ones folded into it later
	double bits;                         // evidence in all
	struct alert_term term[ALERT_TERMS];
	uint8_t terms;
	uint8_t wants_cut, wants_block; // response the policy asks for (block: endpoint address, transport, port)
	uint8_t phase;                  // enum phase
	uint8_t dropped;                // 1: the wire had already cut the frame that carried it
	uint8_t response;               // enum alert_response: what became of it (respond fills it)
	uint8_t zero[2];
	uint64_t block_ns;    // how long the policy asks for
	uint64_t block;       // block id, 0 none
	uint64_t callback_ns; // time since the endpoint's inbound contact, 0 = none
	char uri[ALERT_TEXT], host[128], agent[128], file[32],
		detail[ALERT_TEXT]; // printable; detail: decoded JNDI, LDAP codebase, pool login ...
	char group[32];             // device's peer group
	char mitre[3][12];          // "T1190"
	char baseline[17];          // first 16 hex digits of the baseline's hash
	uint8_t note;     // below the budget's threshold: told to nobody, kept for the story
	uint8_t grouped;  // one of a surge
	uint8_t unproven; // what it asks for is not done without a person: its evidence is below the blocks' budget
	uint8_t suppressed; // a person asked not to be told (suppress.h)
	uint8_t zero2[3];
	double weight;            // bits the policy adds to the device's evidence: alert_weight
	double declared;          // bits the policy says itself, the most it can add
	int32_t added;            // microbits of its weight that counted: less where others had said the same of the endpoint
	uint32_t zero3;
	struct alert_habit habit; // all zero where it is not asked: of certain policies, and where no budget is set
	struct alert_proof proof;
	struct score score; // the event that raised the alarm; class 0 where a policy did
};

// Bits: the declared ones, or −log2 of how often it matches if that is less, 0 and more. How often: the device goes on
// with what it does (days with a match / days + 1), or begins to (devices that ever did / days of all, with 14 days more
// at the declared rate: where little was seen, the declared bits stand).
double alert_weight(const struct alert_habit *habit, double declared);

// Makes the bits of every term, their sum, the score and the levels of evidence again from counts. What differs from
// what the alert says is written into `out` as a line each; returns how many lines. `out` may be cut at cap.
unsigned alert_verify(const struct alert *a, char *out, size_t cap);
unsigned alert_numbers(const struct alert *a); // how many numbers that compares

enum alert_response {
	RESPONSE_NONE,
	RESPONSE_WOULD_BLOCK,
	RESPONSE_PROPOSED,
	RESPONSE_CUT,
	RESPONSE_BLOCKED,
	RESPONSE_REFUSED
};
enum phase { PHASE_ENTRY, PHASE_CALLBACK, PHASE_DELIVERY, PHASE_CONTROL, PHASE_OBJECTIVE, PHASE_STATE, PHASE_COUNT };
const char *phase_name(unsigned phase);
const char *response_name(unsigned response); // "would-block"
