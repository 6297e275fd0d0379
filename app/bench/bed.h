// SPDX-License-Identifier: GPL-2.0-or-later
// A test bed for lib/inspect: channel in plain memory as replay makes it, settings as inline, and a reader that drains
// and counts.
#pragma once
#include "inspect.h"

struct bed_plan {
	uint32_t flows, contexts;
	bool forward_only; // inspect.h
	bool replay;     // the capture's own time and addresses, as `sekimori replay`
	uint32_t blocks; // standing blocks of addresses nobody has
	const struct prefix *inside;
	unsigned insides;
};

enum { BED_BURST = 32, BED_ACTIONS = 4 /* of enum inspect_action */ };

struct bed {
	struct wire_sheet *wire;
	struct brain_sheet *brain;
	struct ring_reader in;
	struct inspect *inspect;
	struct counters counters;
	uint64_t kinds[OBS_KINDS];
};

// Exits with a message where memory is short.
void bed_make(struct bed *b, const struct bed_plan *plan, uint64_t now_ns);
void bed_free(struct bed *b);
// Up to BED_BURST frames through all stations, as a worker's burst; `now_ns` on both clocks. counts[action]++ for
// each; `each` (may be NULL) gets the action of every frame.
void bed_burst(struct bed *b, const struct frame *f, size_t n, uint64_t now_ns, uint64_t counts[BED_ACTIONS],
	       uint8_t each[BED_BURST]);
// Takes everything out of the ring; each may be NULL.
void bed_drain(struct bed *b, void (*each)(void *user, const struct observation *o), void *user);
// Frames the stations dropped, by all names of drops together.
uint64_t bed_dropped(const struct bed *b);
