// SPDX-License-Identifier: GPL-2.0-or-later
// Scenes: which days of ordinary traffic, and what happens in them. Attackers use documentation addresses
// (203.0.113.150-159 and .200-254) and send nothing that could run.
#pragma once
#include "organisation.h"

enum scene { SCENE_WEEK, SCENE_CASE1, SCENE_CASE2, SCENE_LOG4SHELL_CLEAR, SCENE_MIX, SCENE_COMPANY, SCENES };

struct scene_plan {
	enum scene scene;
	uint64_t seed;
	uint64_t start_ns; // midnight of the first day learned; the cases lie behind it
	uint32_t days;     // of the week; case1 is on the day after, case2 two days later
	uint32_t devices;
	bool attack_only; // no ordinary traffic around a case
	uint32_t flows;   // of the mix (mix.h)
	const char *chain; // of the company (stream.h): an attack on its last day, or NULL
};

// The name as on the command line, or NULL past the last.
const char *scene_name(enum scene scene);
// Writes all frames to the stage's open trace. The company has no such chain: false.
bool scene_write(struct stage *s, const struct scene_plan *plan);

// The attacks: they add their frames to the trace without flushing it. `at_ns` is the first step.
void attack_case1(struct stage *s, uint64_t seed, uint64_t at_ns, bool clear);
void attack_case2(struct stage *s, uint64_t seed, uint64_t at_ns);
