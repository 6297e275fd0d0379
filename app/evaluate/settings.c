// SPDX-License-Identifier: GPL-2.0-or-later
// See settings.h.
#include "settings.h"

#include <errno.h>

static void without_hold(struct reason_config *config)
{
	config->hold = false;
}

// One line is one component: what the far side is created without, or what changes its configuration.
static const struct {
	const char *name, *meaning;
	uint32_t without; // bits of learn_without, judge_without
	void (*leave_out)(struct reason_config *config);
} COMPONENTS[] = {
	{"hold", "the first frame of an unknown pair does not wait for the verdict", 0, without_hold},
	{"peers", "a device is compared with the organisation, not with its group", WITHOUT_PEERS, NULL},
	{"groups", "groups by role only, not by behaviour", WITHOUT_GROUPS, NULL},
	{"wait", "learned at once, not a day later", WITHOUT_WAIT, NULL},
	{"chain", "ports, agents, files are not asked given how well the destination is known", WITHOUT_NOVELTY, NULL},
	{"accumulation", "the last event alone counts, nothing adds up", WITHOUT_ACCUMULATION, NULL},
	{"facts", "policies that need no learning are silent", WITHOUT_FACTS, NULL},
	{"taint", "nothing is remembered of what inbound fields named", WITHOUT_TAINT, NULL},
	{"feedback", "the threshold follows peaks, not alarms", WITHOUT_FEEDBACK, NULL},
	{"rollout", "what many begin with at once is as unlikely as for one", WITHOUT_ROLLOUT, NULL},
	{"numbers", "bytes, fan-out and beacons are not looked at", WITHOUT_NUMBERS, NULL},
	{"scores", "policies alone", WITHOUT_SCORES, NULL},
	{"policies", "scores alone", WITHOUT_POLICIES, NULL},
};
enum { COMPONENTS_COUNT = sizeof(COMPONENTS) / sizeof(*COMPONENTS) };

const char *settings_component(unsigned i, const char **meaning)
{
	if (i >= COMPONENTS_COUNT)
		return NULL;
	*meaning = COMPONENTS[i].meaning;
	return COMPONENTS[i].name;
}

int settings_leave_out(struct settings *s, const char *name)
{
	for (unsigned i = 0; i < COMPONENTS_COUNT; i++)
		if (strcmp(COMPONENTS[i].name, name) == 0) {
			s->without |= 1u << i;
			return 0;
		}
	return -EINVAL;
}

bool settings_takes_budget(void)
{
	return false; // its policies have none
}

void settings_apply(const struct settings *s, struct reason_config *config)
{
	config->alarms_per_day = s->budget > 0 ? s->budget : -1;
	for (unsigned i = 0; i < COMPONENTS_COUNT; i++)
		if (s->without & 1u << i) {
			config->without |= COMPONENTS[i].without;
			if (COMPONENTS[i].leave_out)
				COMPONENTS[i].leave_out(config);
		}
}
