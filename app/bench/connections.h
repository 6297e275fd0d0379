// SPDX-License-Identifier: GPL-2.0-or-later
// Whole HTTP connections by the million, step by step: ten frames from SYN to the last ACK, one GET in it. Any number of
// them may be open at once, for nothing is kept: the frame follows from the connection's number and the step.
#pragma once
#include "bed.h"

enum connection_step {
	STEP_SYN,
	STEP_SYN_ACK,
	STEP_ACK,
	STEP_REQUEST,
	STEP_REQUEST_ACK,
	STEP_ANSWER,
	STEP_ANSWER_ACK,
	STEP_CLIENT_FIN,
	STEP_SERVER_FIN,
	STEP_LAST_ACK,
	CONNECTION_STEPS,
	STEP_OPENED = STEP_REQUEST, // steps before it open the connection
};

enum { CONNECTION_STRIDE = 384 /* no step is longer */ };

// Connection `number` comes from 11.0.0.0/8 (outside) to 192.0.2.10:80. With `look_up` the request's User-Agent is a JNDI
// look-up of nothing (203.0.113.9). Frame bytes go to `out`, which has CONNECTION_STRIDE.
struct frame connection_frame(uint8_t *out, uint32_t number, enum connection_step step, bool look_up);

// Frames of connections first..first+count-1, steps from..before (not included), wave by wave: one step of all of them, then
// the next, so that no frame follows one of its own connection. Each `wave` connections are done before the next.
struct connections {
	struct bed *bed;
	uint8_t *arena; // wave * CONNECTION_STRIDE bytes
	uint32_t wave;
	uint64_t now_ns, step_ns; // notional time between frames
	bool look_up;
	uint64_t frames, bytes; // done so far
	uint64_t actions[BED_ACTIONS];
};

enum { WAVE_DEFAULT = 4096 };

// Exits with a message where memory is short.
void connections_make(struct connections *c, struct bed *bed, uint64_t now_ns, uint64_t step_ns);
// `m` may be NULL; only the time in the stations counts.
struct meter;
void connections_run(struct connections *c, uint32_t first, uint32_t count, enum connection_step from,
		     enum connection_step before, struct meter *m);
