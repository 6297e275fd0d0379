// SPDX-License-Identifier: GPL-2.0-or-later
// See scenes.h. The attack is added first and waits in the trace's heap; the ordinary day then flows around it.
#include "scenes.h"
#include "chain.h"
#include "log.h"
#include "mix.h"
#include "ordinary.h"

#include <stdlib.h>

#define CLOCK(h, m, s) (((h)*3600ull + (m)*60ull + (s)) * SEC)

static const struct {
	const char *name;
	uint32_t days_later;     // than the week's end
	uint64_t from_ns, to_ns; // ordinary traffic in that part of the day; 0, 0 = the whole week instead
	uint64_t attack_ns;      // time of day
} SCENE_TABLE[SCENES] = {
	[SCENE_WEEK] = {"week", 0, 0, 0, 0},
	[SCENE_CASE1] = {"case1", 0, CLOCK(15, 15, 0), CLOCK(17, 35, 0), CLOCK(15, 45, 32)},
	[SCENE_CASE2] = {"case2", 2, CLOCK(10, 50, 0), CLOCK(12, 40, 0), CLOCK(11, 20, 7)},
	[SCENE_LOG4SHELL_CLEAR] = {"log4shell-clear", 0, CLOCK(15, 15, 0), CLOCK(17, 35, 0), CLOCK(15, 45, 32)},
	[SCENE_MIX] = {"mix", 0, 0, 0, 0},
	[SCENE_COMPANY] = {"company", 0, 0, 0, 0},
};

const char *scene_name(enum scene scene)
{
	return scene < SCENES ? SCENE_TABLE[scene].name : NULL;
}

// The company's days, with one attack at 10:12 of the last where it is asked for.
static bool write_company(struct stage *s, const struct scene_plan *plan)
{
	const struct stream_plan of = {plan->seed, plan->start_ns, plan->days};
	struct stream *stream = stream_create(&of);
	struct stream_frame f;
	unsigned chain = 0;

	while (plan->chain && chain_name(chain) && strcmp(chain_name(chain), plan->chain))
		chain++;
	if (!chain_name(chain)) {
		stream_destroy(stream);
		return false;
	}
	if (plan->chain)
		stream_attack(stream, chain, plan->seed, plan->start_ns + (plan->days - 1) * DAY_NS + CLOCK(10, 12, 0));
	while (stream_next(stream, &f)) {
		trace_add(&s->trace, f.when_ns, f.bytes, f.length);
		trace_flush(&s->trace, f.when_ns);
	}
	stream_destroy(stream);
	return true;
}

bool scene_write(struct stage *s, const struct scene_plan *plan)
{
	struct organisation *o = malloc(sizeof(*o));
	uint64_t day = plan->days + SCENE_TABLE[plan->scene].days_later;
	uint64_t midnight = plan->start_ns + day * DAY_NS;
	uint64_t attack = midnight + SCENE_TABLE[plan->scene].attack_ns;

	if (plan->scene == SCENE_MIX) {
		const struct mix_plan mix = {plan->seed, plan->start_ns, plan->flows, 0};
		struct mix_census census;

		mix_write(s, &mix, &census);
		free(o);
		return true;
	}
	if (plan->scene == SCENE_COMPANY) {
		free(o);
		return write_company(s, plan);
	}
	if (!o)
		log_fatal("out of memory");
	organisation_init(o, plan->seed, plan->devices);
	switch (plan->scene) {
	case SCENE_WEEK:
	case SCENE_MIX:
	case SCENE_COMPANY:
	case SCENES:
		for (day = 0; day < plan->days; day++)
			ordinary_day(s, o, plan->start_ns, day, 0, UINT64_MAX);
		free(o);
		return true;
	case SCENE_CASE1:
		attack_case1(s, plan->seed, attack, false);
		break;
	case SCENE_LOG4SHELL_CLEAR:
		attack_case1(s, plan->seed, attack, true);
		break;
	case SCENE_CASE2:
		attack_case2(s, plan->seed, attack);
		break;
	}
	if (!plan->attack_only)
		ordinary_day(s, o, plan->start_ns, day, midnight + SCENE_TABLE[plan->scene].from_ns,
			     midnight + SCENE_TABLE[plan->scene].to_ns);
	free(o);
	return true;
}
