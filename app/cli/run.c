// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori run`: starts both programs and keeps them running. Neither's death ends the other: the wire forwards without a brain, and a new brain is started at once
// (a second later when it dies young, so that a broken one does not spin). What is wrong from the start (options, a port that is not there) ends the run.
#include "cli.h"
#include "judge.h"
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

enum { ARGUMENTS = 320, NETWORKS = 128 /* network.yaml may hold no more for the wire */, YOUNG_S = 2, START_S = 30, STOP_S = 5 };

static const char usage[] =
	"usage: sekimori run --inside PORT --outside PORT [--mode MODE] [options]\n"
	"  Options of sekimori-wire:  --inside-net --never --flows --workers --own-queues --strict --drop --forward\n"
	"                             --no-inspect --frame-bytes --mbufs --hugepages --memory --idle-us --file-prefix\n"
	"  Options of sekimori-brain: --mode --budget --state --policy --eve --sensor --no-hold --fence\n"
	"  The wire also gets the networks of the policies' network.yaml (never_block, inside), as they are at the start.\n"
	"  Of both: --run-dir. See sekimori-wire --help and sekimori-brain --help.\n";

// Which program an option belongs to: 'w', 'b', '*' both. Upper case: it takes no value.
static const struct { const char *name; char who; } owners[] = {
	{"--inside", 'w'}, {"--outside", 'w'}, {"--inside-net", 'w'}, {"--never", 'w'}, {"--flows", 'w'},
	{"--workers", 'w'}, {"--drop", 'w'}, {"--forward", 'w'}, {"--no-inspect", 'W'}, {"--frame-bytes", 'w'}, {"--mbufs", 'w'},
	{"--hugepages", 'W'}, {"--own-queues", 'W'}, {"--strict", 'W'}, {"--memory", 'w'}, {"--idle-us", 'w'}, {"--file-prefix", 'w'}, {"--mode", 'b'}, {"--budget", 'b'}, {"--state", 'b'}, {"--policy", 'b'},
	{"--eve", 'b'}, {"--sensor", 'b'}, {"--no-hold", 'B'}, {"--fence", 'B'}, {"--run-dir", '*'},
};

struct program {
	char *argv[ARGUMENTS];
	int argc;
	pid_t pid;           // 0: not running
	time_t started, due; // due: when to start it again
	unsigned launches;
	bool full;           // there were more words than it can be given
};

static void give(struct program *p, char *word)
{
	p->full |= p->argc == ARGUMENTS - 1;
	if (!p->full)
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

// The wire keeps its own never-block list, so that no brain can talk it out of it; and both must mean the same by inside. The words it gets live as long as the run.
static bool give_list(struct program *wire, char *option, const struct prefix *list, unsigned n)
{
	static char text[NETWORKS][PREFIX_TEXT_BYTES];
	static unsigned used;

	for (unsigned i = 0; i < n; i++) {
		if (used == NETWORKS)
			return false;
		prefix_format(&list[i], text[used]);
		give(wire, option);
		give(wire, text[used++]);
	}
	return true;
}

static bool give_networks(struct program *wire, const struct program *brain)
{
	const char *folder = SEKIMORI_SOURCE_DIR "/policy";
	const struct prefix *never, *inside;
	char error[POLICY_ERROR_BYTES];
	struct policy_set *set;
	unsigned nevers, insides;
	bool fits;

	for (int i = 1; i + 1 < brain->argc; i++)
		if (!strcmp(brain->argv[i], "--policy"))
			folder = brain->argv[i + 1];
	set = policy_load(folder, error);
	if (!set) {
		log_warn("%s", error);
		return false;
	}
	never = policy_never_block(set, &nevers);
	inside = policy_inside(set, &insides);
	fits = give_list(wire, "--never", never, nevers) && give_list(wire, "--inside-net", inside, insides);
	if (!fits)
		log_warn("%s/network.yaml: more than %d networks", folder, NETWORKS);
	policy_free(set);
	return fits;
}

static time_t boot_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t); // never steps, as the wall clock may
	return t.tv_sec;
}

// The programs lie beside this one (build folder: ../wire, ../brain), or in PATH.
static void launch(struct program *p, const char *folder)
{
	char beside[4096], built[4096];
	sigset_t none;

	p->started = boot_s();
	p->launches++;
	p->pid = fork();
	if (p->pid < 0) {
		log_warn("%s: %s", p->argv[0], strerror(errno));
		p->pid = 0;
		p->due = p->started + 1;
	}
	if (p->pid)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(beside, sizeof(beside), "%s/%s", folder, p->argv[0]);
	snprintf(built, sizeof(built), "%s/../%s/%s", folder, p->argv[0] + strlen("sekimori-"), p->argv[0]);
	execv(beside, p->argv);
	execv(built, p->argv);
	execvp(p->argv[0], p->argv);
	log_fatal("%s: %s", p->argv[0], strerror(errno));
}

// The mode given at the start is for the start: the journal keeps it and what `mode set` and `panic` have made of it since, and a new brain takes it from there.
static void forget_mode(struct program *p)
{
	int kept = 0;

	for (int i = 0; i < p->argc; i++) {
		if (!strcmp(p->argv[i], "--mode"))
			i++;
		else
			p->argv[kept++] = p->argv[i];
	}
	p->argc = kept;
	p->argv[kept] = NULL;
}

// false: it never came up, and its own message has said why.
static bool ended(struct program *p, int status, bool needed)
{
	time_t lived = boot_s() - p->started;
	bool failed = WIFEXITED(status) && WEXITSTATUS(status);

	p->pid = 0;
	if (failed && p->launches == 1 && lived < START_S && (needed || WEXITSTATUS(status) == EXIT_USAGE))
		return false;
	if (lived >= YOUNG_S)
		forget_mode(p);
	p->due = boot_s() + (lived < YOUNG_S);
	log_warn("%s ended; it is started again", p->argv[0]);
	return true;
}

// Collects who has died. false: there is no use in going on.
static bool reap(struct program *wire, struct program *brain)
{
	bool ok = true;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == wire->pid)
			ok &= ended(wire, status, true);
		else if (pid == brain->pid)
			ok &= ended(brain, status, false);
	}
	return ok;
}

static void launch_due(struct program *p, const char *folder)
{
	if (!p->pid && boot_s() >= p->due)
		launch(p, folder);
}

// Asks, waits a little, insists.
static void stop(struct program *p)
{
	struct timespec nap = {.tv_nsec = 20 * 1000000};
	time_t end = boot_s() + STOP_S;

	if (!p->pid)
		return;
	kill(p->pid, SIGTERM);
	while (waitpid(p->pid, NULL, WNOHANG) == 0) {
		if (boot_s() > end)
			kill(p->pid, SIGKILL);
		nanosleep(&nap, NULL);
	}
	p->pid = 0;
}

// Log rotation or a closed terminal: of the three only the brain has a file to begin anew, and what keeps them running goes on.
static void hang_up(const struct program *brain)
{
	if (brain->pid)
		kill(brain->pid, SIGHUP);
}

static int supervise(struct program *wire, struct program *brain, const char *folder)
{
	struct timespec second = {.tv_sec = 1};
	int status = EXIT_DONE, signal;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL); // waited for below, so that none comes at a bad moment
	do {
		if (!reap(wire, brain)) {
			status = EXIT_FAILED;
			break;
		}
		launch_due(wire, folder);
		launch_due(brain, folder);
		signal = sigtimedwait(&set, NULL, &second);
		if (signal == SIGHUP)
			hang_up(brain);
	} while (signal != SIGTERM && signal != SIGINT);
	stop(brain); // first, so that the wire tells it nothing it cannot keep
	stop(wire);
	return status;
}

int cli_run(int argc, char **argv)
{
	struct program wire = {.argv = {"sekimori-wire"}, .argc = 1}, brain = {.argv = {"sekimori-brain"}, .argc = 1};
	char self[4096] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *folder = n > 0 ? dirname(self) : ".";

	if (argc >= 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXIT_DONE;
	}
	if (argc < 2 || !share_out(argc, argv, &wire, &brain)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!give_networks(&wire, &brain))
		return EXIT_FAILED;
	if (wire.full || brain.full) { // what would be left out might be the end of a never-block list
		log_warn("more than %d words for one program", ARGUMENTS - 2);
		return EXIT_USAGE;
	}
	return supervise(&wire, &brain, folder);
}
