// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of sekimori-brain share. One thread.
#pragma once
#include "control.h"
#include "eve.h"
#include "reason.h"

struct fence;

enum { BRAIN_WAITING = 1 << 18 }; // verdicts: all blocks that can stand, said and lifted

struct waiting_verdict {
	struct verdict verdict;
	uint16_t workers; // a bit for each that it is for
};

struct brain_options {
	const char *run_dir, *state, *policy, *eve, *sensor;
	unsigned mode;               // MODE_COUNT: as kept
	bool hold, fence;
	double budget;               // alarms a day; 0: as kept, below 0: none
};

struct brain {
	struct brain_options options;
	struct reason *reason;
	struct policy_set *policies;
	struct story *story[2];      // en, ja
	struct eve *eve;
	struct fence *fence;
	struct counters counters;
	uint64_t start_ns;           // deadline clock
	// attach.c
	int wire;                    // connection to the wire: its end is ours
	const struct wire_sheet *wire_sheet;
	struct brain_sheet *sheet;
	unsigned workers;
	struct ring_reader in[SHEET_WORKERS];
	struct ring_writer out[SHEET_WORKERS];
	// verdicts.c
	struct waiting_verdict *waiting; // waiting_room of them
	uint32_t waitings, waiting_room;
	uint32_t said[SHEET_WORKERS];    // how many of them have been said to the worker
	uint64_t alerts, incidents;
	bool panic; // the wire is in panic, as far as we have noticed
};

// attach.c: connects to the wire, maps both sheets, attaches the rings. 0, -EPROTO, or -errno.
int brain_attach(struct brain *b);
bool brain_wire_gone(const struct brain *b);
// verdicts.c: to one worker, or with SHEET_WORKERS to all; in order. What their rings have no room for is said later, by brain_say_waiting.
void brain_say(void *brain, unsigned worker, const struct verdict *v);
void brain_say_waiting(struct brain *b);
// fence.c: blocks as nftables set elements, in modes advise and enforce. Nothing happens unless options.fence.
void brain_fence_open(struct brain *b);
void brain_fence_block(struct brain *b, const struct block *block, const char *what, uint64_t now_ns);
void brain_fence_step(struct brain *b, uint64_t now_ns); // compares wanted and read-back every few seconds
// serve.c
void brain_answer(void *brain, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply);
// suppress.c
void brain_suppress(struct brain *b, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply, uint64_t now_ns);
void brain_explain(struct brain *b, const Control__Request *q, Control__Reply *reply);
bool brain_hides_incident(struct brain *b, uint64_t incident, uint64_t now_ns); // all its alerts are suppressed
// message.c: records as messages
void message_alert(Control__Alert *m, const struct alert *a, const struct story *story, int64_t utc_offset_s);
void message_incident(Control__Incident *m, const struct incident *i);
void message_block(Control__Block *m, const struct block *b, uint64_t now_ns);
void message_device(Control__Device *m, const struct device *d, const struct learn *l, uint64_t now_ns);
void message_budget(Control__Budget *m, const struct judge_budget *b);

uint64_t clock_unix_ns(void);
uint64_t clock_deadline_ns(void);
