// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori run`: starts both programs and keeps them running. Neither's death ends the other: the wire forwards without a brain, and a new brain is started at once
// (a second later when it dies young, so that a broken one does not spin).
#include "cli.h"
#include "log.h"
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 64, YOUNG_S = 2 };

static const char usage[] =
	"usage: sekimori run --inside PORT --outside PORT [--mode MODE] [options]\n"
	"  Options of sekimori-wire:  --inside-net --never --flows --queues --frame-bytes --hugepages --memory --idle-us --file-prefix\n"
	"  Options of sekimori-brain: --mode --state --policy --eve --sensor --no-hold --fence\n"
	"  Of both: --run-dir. See sekimori-wire --help and sekimori-brain --help.\n";

// Which program an option belongs to: 'w', 'b', '*' both. Upper case: it takes no value.
static const struct { const char *name; char who; } owners[] = {
	{"--inside", 'w'}, {"--outside", 'w'}, {"--inside-net", 'w'}, {"--never", 'w'}, {"--flows", 'w'}, {"--queues", 'w'}, {"--frame-bytes", 'w'},
	{"--hugepages", 'W'}, {"--memory", 'w'}, {"--idle-us", 'w'}, {"--file-prefix", 'w'}, {"--mode", 'b'}, {"--state", 'b'}, {"--policy", 'b'},
	{"--eve", 'b'}, {"--sensor", 'b'}, {"--no-hold", 'B'}, {"--fence", 'B'}, {"--run-dir", '*'},
};

struct program {
	char *argv[ARGUMENTS];
	int argc;
	pid_t pid;
	time_t started;
};

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
	stopping = 1;
}

static void give(struct program *p, char *word)
{
	if (p->argc < ARGUMENTS - 1)
		p->argv[p->argc++] = word;
}

static bool share_out(int argc, char **argv, struct program *wire, struct program *brain)
{
	for (int i = 1; i < argc; i++) {
		char who = 0;

		for (size_t k = 0; k < sizeof(owners) / sizeof(owners[0]); k++)
			if (!strcmp(argv[i], owners[k].name))
				who = owners[k].who;
		if (!who)
			return false;
		for (int part = 0; part < (who == 'W' || who == 'B' ? 1 : 2); part++) {
			if (i + part >= argc)
				return false;
			if (strchr("wW*", who))
				give(wire, argv[i + part]);
			if (strchr("bB*", who))
				give(brain, argv[i + part]);
		}
		i += !(who == 'W' || who == 'B');
	}
	return true;
}

// The programs lie beside this one (build folder: ../wire, ../brain), or in PATH.
static void launch(struct program *p, const char *folder)
{
	char beside[4096], built[4096];

	p->started = time(NULL);
	p->pid = fork();
	if (p->pid)
		return;
	snprintf(beside, sizeof(beside), "%s/%s", folder, p->argv[0]);
	snprintf(built, sizeof(built), "%s/../%s/%s", folder, p->argv[0] + strlen("sekimori-"), p->argv[0]);
	execv(beside, p->argv);
	execv(built, p->argv);
	execvp(p->argv[0], p->argv);
	log_fatal("%s: %s", p->argv[0], strerror(errno));
}

static void relaunch(struct program *p, const char *folder)
{
	if (time(NULL) - p->started < YOUNG_S)
		sleep(1);
	log_warn("%s ended; it is started again", p->argv[0]);
	launch(p, folder);
}

int cli_run(int argc, char **argv)
{
	struct program wire = {.argv = {"sekimori-wire"}, .argc = 1}, brain = {.argv = {"sekimori-brain"}, .argc = 1};
	struct sigaction act = {.sa_handler = on_signal};
	char self[4096] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *folder = n > 0 ? dirname(self) : ".";

	if (argc < 2 || !strcmp(argv[1], "--help") || !share_out(argc, argv, &wire, &brain)) {
		fputs(usage, argc > 1 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc > 1 && !strcmp(argv[1], "--help") ? EXIT_DONE : EXIT_USAGE;
	}
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	launch(&wire, folder);
	launch(&brain, folder);
	while (!stopping) {
		int status;
		pid_t ended = waitpid(-1, &status, 0);

		if (stopping || (ended < 0 && errno != EINTR))
			break;
		if (ended == wire.pid && time(NULL) - wire.started < YOUNG_S && WIFEXITED(status) && WEXITSTATUS(status)) {
			kill(brain.pid, SIGTERM); // it never came up: its message says why
			waitpid(brain.pid, NULL, 0);
			return EXIT_FAILED;
		}
		if (ended == wire.pid)
			relaunch(&wire, folder);
		else if (ended == brain.pid)
			relaunch(&brain, folder);
	}
	kill(brain.pid, SIGTERM);
	waitpid(brain.pid, NULL, 0);
	kill(wire.pid, SIGTERM);
	waitpid(wire.pid, NULL, 0);
	return EXIT_DONE;
}
