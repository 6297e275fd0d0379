// SPDX-License-Identifier: GPL-2.0-or-later
// See settings.h.
#include "settings.h"

#include <errno.h>

enum { NOT_HELD = 1u << 31 }; // beside the far side's own bits

static const struct {
	uint32_t bit;
	const char *name, *meaning;
} COMPONENTS[] = {
	{WITHOUT_PEERS, "peers", "groups are not looked at: device, then organisation"},
	{WITHOUT_WAIT, "wait", "learned at once instead of a day later"},
	{WITHOUT_GROUPS, "groups", "groups by role only"},
	{WITHOUT_NOVELTY, "chain-rule", "what is asked of ports and agents does not depend on how well the destination is known"},
	{WITHOUT_ACCUMULATION, "accumulation", "the last event alone counts"},
	{WITHOUT_FACTS, "facts", "certain policies are silent"},
	{WITHOUT_TAINT, "taint", "nothing is remembered of what inbound fields named"},
	{WITHOUT_FEEDBACK, "feedback", "the threshold follows peaks only, not alarms"},
	{WITHOUT_ROLLOUT, "rollout", "what many begin with at once is as unlikely as for one"},
	{WITHOUT_NUMBERS, "numbers", "no bytes, fan-out, beacons"},
	{WITHOUT_HABITS, "habits", "policies weigh what they declare, however often they match"},
	{WITHOUT_NEWCOMERS, "newcomers", "a device that is new is not scored for three days"},
	{WITHOUT_SCORES, "scores", "policies alone"},
	{WITHOUT_POLICIES, "policies", "scores alone"},
	{NOT_HELD, "hold", "the first frame of an unknown pair does not wait for the verdict"},
};
enum { COMPONENTS_COUNT = sizeof(COMPONENTS) / sizeof(*COMPONENTS) };

const char *settings_component(unsigned i, const char **meaning)
{
	if (i >= COMPONENTS_COUNT)
		return NULL;
	*meaning = COMPONENTS[i].meaning;
	return COMPONENTS[i].name;
}

bool settings_lacks(const struct settings *s, unsigned i)
{
	return s->without & COMPONENTS[i].bit;
}

int settings_leave_out(struct settings *s, const char *name)
{
	for (unsigned i = 0; i < COMPONENTS_COUNT; i++)
		if (strcmp(COMPONENTS[i].name, name) == 0) {
			s->without |= COMPONENTS[i].bit;
			return 0;
		}
	return -EINVAL;
}

void settings_apply(const struct settings *s, struct reason_config *config)
{
	config->alarms_per_day = s->budget;
	config->without = s->without & ~NOT_HELD;
	if (s->without & NOT_HELD)
		config->hold = false;
}
