// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori: the command line. One noun a word, one table of nouns; each noun's own help teaches it.
#include "cli.h"
#include "log.h"
#include "nouns.h"
#include <stdio.h>
#include <string.h>

static const struct noun {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} nouns[] = {
	{"run", cli_run, "start the wire and the brain between two ports and keep them running"},
	{"replay", cli_replay, "judge capture files with the same stations, without NIC or root"},
	{"status", noun_status, "both processes on one screen"},
	{"counters", noun_counters, "every loss, refusal and oddity by name"},
	{"alert", noun_alert, "list | show ID"},
	{"explain", noun_explain, "ID: every number an alert rests on, made again"},
	{"suppress", noun_suppress, "list | add ... --for 30d --reason TEXT | try ... | remove ID"},
	{"incident", noun_incident, "list | show ID [--lang ja] | confirm ID"},
	{"device", noun_device, "list | show ADDRESS"},
	{"block", noun_block, "list | show ID | add ADDRESS | extend ID --by 2h | lift ID --reason R | confirm ID"},
	{"mode", noun_mode, "show | set learn|observe|advise|enforce"},
	{"budget", noun_budget, "show | set N [--blocks M]: how many alarms a day you will read"},
	{"baseline", noun_baseline, "list | save | export FILE | import FILE | rollback NAME | diff A B | drift"},
	{"policy", noun_policy, "check [DIR] | reload"},
	{"panic", noun_panic, "all enforcement off at once; `panic off` ends it"},
};

static void help(FILE *out)
{
	fputs("usage: sekimori NOUN [VERB] [options]\n\n", out);
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		fprintf(out, "  %-10s %s\n", nouns[i].name, nouns[i].help);
	fputs("\nCommon options: --json (for programs), --run-dir DIR (default /run/sekimori), --help after any noun.\n"
	      "Durations carry their unit: 90s 30m 2h 1d.\n\n"
	      "Exit codes: 0 done, 1 failed, 2 usage, 3 nothing matched, 4 process unreachable,\n"
	      "            5 refused (never-block list, permission), 6 needs --yes\n\n"
	      "First look:  sekimori replay --mode observe capture.pcap\n"
	      "In the wire: sekimori run --inside eth1 --outside eth2 --mode observe\n", out);
}

// What nobody could read is no success, whatever was done.
static int told(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_warn("standard output could not be written");
	return status == EXIT_DONE || status == EXIT_NOTHING ? EXIT_FAILED : status;
}

int main(int argc, char **argv)
{
	log_begin();
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		help(argc < 2 ? stderr : stdout);
		return told(argc < 2 ? EXIT_USAGE : EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("sekimori " SEKIMORI_VERSION);
		return told(EXIT_DONE);
	}
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (!strcmp(argv[1], nouns[i].name))
			return told(nouns[i].run(argc - 1, argv + 1));
	fprintf(stderr, "sekimori: \"%s\" is no command; sekimori --help lists them\n", argv[1]);
	return EXIT_USAGE;
}
