// SPDX-License-Identifier: GPL-2.0-or-later
// What a run may change of the product's own settings: the budget of alarms and, for ablations, components left out. The
// one place that knows how the far side is told.
#pragma once
#include "reason.h"

struct settings {
	double budget;    // alarms a day, 0: as the policies say
	uint32_t without; // bits of settings_component()
};

// Name and meaning of a component that can be left out; NULL past the last.
const char *settings_component(unsigned i, const char **meaning);
// Puts a component's name into *s. -EINVAL: no such component.
int settings_leave_out(struct settings *s, const char *name);
// false: the far side takes no budget, `budget` changes nothing.
bool settings_takes_budget(void);
void settings_apply(const struct settings *s, struct reason_config *config);
