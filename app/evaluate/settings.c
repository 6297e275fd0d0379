// SPDX-License-Identifier: GPL-2.0-or-later
// See settings.h.
#include "settings.h"

#include <errno.h>

static void without_hold(struct reason_config *config)
{
	config->hold = false;
}

// One line is one component; `leave_out` changes what the far side is created with.
static const struct {
	const char *name, *meaning;
	void (*leave_out)(struct reason_config *config);
} COMPONENTS[] = {
	{"hold", "the first frame of an unknown pair does not wait for the verdict", without_hold},
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

void settings_apply(const struct settings *s, struct reason_config *config)
{
	for (unsigned i = 0; i < COMPONENTS_COUNT; i++)
		if (s->without & 1u << i)
			COMPONENTS[i].leave_out(config);
}
