// SPDX-License-Identifier: GPL-2.0-or-later
// Alerts that belong together: same device, same outside endpoint, or same file source within 24 h. Open until quiet that long. Ranked by score.
#pragma once
#include "alert.h"

enum incident_limits { INCIDENT_DEVICES = 8, INCIDENT_ENDPOINTS = 16, INCIDENT_ALERTS = 256, INCIDENT_OPEN = 1024 };
#define INCIDENT_WINDOW_NS (24ull * 3600 * 1000000000ull)

struct incident {
	uint32_t version, bytes;
	uint64_t id;                 // from 1
	uint64_t first_ns, last_ns;
	uint32_t alerts;             // how many in all
	uint32_t phases;             // bits of enum phase
	// To be ranked by, bits. A logarithm of odds: `evidence` (0: `bits`), of which beyond 24 a quarter counts, and what makes an attack likelier before any of it is looked
	// at: 2 for each distinct phase, 4 for a device that serves the outside, 20 for a fact that needs no learning
	double score;
	double evidence;             // the most there was against a device, bits, at most 60; 0 where none was added up (no budget)
	uint8_t priority;            // highest
	uint8_t devices, endpoints, state; // state: 0 open, 1 closed by time, 2 closed by a person
	struct address device[INCIDENT_DEVICES];
	struct address endpoint[INCIDENT_ENDPOINTS];
	double bits;                 // of its best alert by itself, at most 40
	uint64_t merged_into;        // 0, or the incident this one became part of
	uint8_t exposed;             // a device of it serves the outside
	uint8_t certain;             // an alert above a note carried a fact that needs no learning
	uint8_t zero[6];
};

struct incident_table;
struct incident_table *incident_table_create(uint64_t next_id); // NULL with errno
void incident_table_destroy(struct incident_table *t);
// Puts an alert into its incident (a new one if none fits), sets a->incident. Priority-1 notes join an incident but never open one. `merged`
// receives another incident's id when this alert showed that two were one (0 otherwise). NULL: it belongs to none. Pointer valid until the next call.
struct incident *incident_add(struct incident_table *t, struct alert *a, uint64_t *merged);
struct incident *incident_find(struct incident_table *t, uint64_t id);
// Restores one from the journal after a restart. -ENOSPC.
int incident_restore(struct incident_table *t, const struct incident *i);
// That number is in use somewhere and given to no new one.
void incident_taken(struct incident_table *t, uint64_t id);
void incident_step(struct incident_table *t, uint64_t now_ns); // closes quiet ones
// Notes widen nothing and merge nothing (a scanner must not tie its targets together). Those about the same device and
// endpoint that came before an incident are taken into it when it opens: their alert ids after incident_add (valid until
// the next call), for the journal. Alerts need their id for that.
uint32_t incident_claimed(const struct incident_table *t, const uint64_t **ids);
int incident_close(struct incident_table *t, uint64_t id); // by a person. -ENOENT
// The next incident that was closed or merged since last asked (NULL: no more), for the journal: after each incident_add,
// for a full table closes the one that has been quiet longest and forgets it. Valid until the next call.
const struct incident *incident_changed(struct incident_table *t);
