// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori-bench: tools to measure with. One line of the table is one sub-command.
#include "generate.h"
#include "log.h"
#include "measure.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} COMMANDS[] = {
	{"generate", generate_main, "write a capture of ordinary days or of an attack"},
	{"inspect", inspect_main, "what a packet of ordinary traffic costs, by station"},
	{"flood", flood_main, "what a new flow costs when every packet is one"},
	{"held", held_main, "whether open flows stay inspected under a flood"},
	{"cps", cps_main, "what a whole HTTP connection costs"},
	{"pass", pass_main, "one capture once, for comparing whole processes with peers"},
	{"growth", growth_main, "what a packet costs as flows grow from 10 k to 1 M"},
	{"table", table_main, "what the flow table costs by itself, in bursts, and in a flood"},
	{"brain", brain_main, "what an observation costs the far side, and what a flood of endpoints does to it"},
	{"keep", keep_main, "what its journal of events and its image of what was learned cost"},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++)
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			return COMMANDS[i].run(argc - 1, argv + 1);
	fputs("usage: sekimori-bench COMMAND ...\n", stderr);
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++)
		fprintf(stderr, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].text);
	return 2;
}
