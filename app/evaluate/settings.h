// SPDX-License-Identifier: GPL-2.0-or-later
// What a run may change of the product's own settings: the budget of alarms and, for ablations, components left out. The
// one place that knows how the far side is told.
#pragma once
#include "reason.h"

struct settings {
	double budget;    // alarms a day; below 0: none, policies stand alone
	uint32_t without; // bits: settings_leave_out()
};

// Name and meaning of a component that can be left out; NULL past the last.
const char *settings_component(unsigned i, const char **meaning);
bool settings_lacks(const struct settings *s, unsigned i); // component i is left out
// Puts a component's name into *s. -EINVAL: no such component.
int settings_leave_out(struct settings *s, const char *name);
void settings_apply(const struct settings *s, struct reason_config *config);
