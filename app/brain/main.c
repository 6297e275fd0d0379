// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori-brain: learns, judges, tells, responds. Start-up ladder: options → policies → wire → reason → loop. It may die at any time: the wire goes on, and the next
// brain goes on where this one's rings, journal and learned state stand.
#include "brain.h"
#include "log.h"
#include "text.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { BATCH = 256, NAP_US = 50, IDLE_ROUNDS = 64, ATTACH_TRIES = 200, ATTACH_NAP_MS = 50 };
#define STEP_NS (100 * 1000000ull)
#define SERVE_NS (2 * 1000000ull)
#define SAVE_NS (60 * NS_PER_S)

static volatile sig_atomic_t stopped, reopen;

static const char usage[] =
	"usage: sekimori-brain [options]\n"
	"  --run-dir DIR   sockets of the wire, the brain and the CLI (default /run/sekimori)\n"
	"  --state DIR     journal and learned state (default /var/lib/sekimori)\n"
	"  --policy DIR    policies (default: those of the build)\n"
	"  --mode MODE     learn, observe, advise, enforce (default: as it was; observe at first)\n"
	"  --eve FILE      events as EVE JSON lines\n"
	"  --sensor NAME   name of this box in events\n"
	"  --no-hold       do not ask the wire to hold first frames of unknown pairs\n"
	"  --budget N      alarms a day, 0.01 to 10, or 0 for none: policies stand alone (default: as it was; 1 at first)\n"
	"  --fence         also keep blocks as nftables set elements (needs CAP_NET_ADMIN)\n";

static const struct option options[] = {
	{"run-dir", required_argument, NULL, 'r'}, {"state", required_argument, NULL, 's'}, {"policy", required_argument, NULL, 'p'},
	{"mode", required_argument, NULL, 'm'},    {"eve", required_argument, NULL, 'e'},   {"sensor", required_argument, NULL, 'n'},
	{"no-hold", no_argument, NULL, 'H'},       {"fence", no_argument, NULL, 'f'},       {"budget", required_argument, NULL, 'b'},
	       {"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

uint64_t clock_unix_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_deadline_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void on_signal(int signal)
{
	if (signal == SIGHUP)
		reopen = 1;
	else
		stopped = 1;
}

static double read_budget(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n == 0 || (n >= 0.01 && n <= 10))) {
		log_warn("\"%s\" is no budget: 0.01 to 10 alarms a day, or 0 for none", text);
		exit(2);
	}
	return n == 0 ? -1 : n;
}

static void read_option(struct brain_options *o, int c)
{
	int m;

	switch (c) {
	case 'r': o->run_dir = optarg; break;
	case 's': o->state = optarg; break;
	case 'p': o->policy = optarg; break;
	case 'e': o->eve = optarg; break;
	case 'n': o->sensor = optarg; break;
	case 'H': o->hold = false; break;
	case 'f': o->fence = true; break;
	case 'b': o->budget = read_budget(optarg); break;
	case 'm':
		m = name_to_index(mode_name, MODE_COUNT, bytes_of_text(optarg));
		if (m < 0) {
			log_warn("\"%s\" is no mode: learn, observe, advise or enforce", optarg);
			exit(2);
		}
		o->mode = (unsigned)m;
		break;
	case 'h': fputs(usage, stdout); exit(0);
	default: fputs(usage, stderr); exit(2);
	}
}

// --- what comes out of reason ---

static void seen(void *user, const struct observation *o, const struct judge *requests)
{
	struct brain *b = user;

	if (b->eve)
		eve_observation(b->eve, o, requests);
}

static void alerted(void *user, const struct alert *a, const struct incident *i)
{
	struct brain *b = user;

	if (b->eve)
		eve_alert(b->eve, a);
}

static void blocked(void *user, const struct block *block, const char *what, uint64_t now_ns)
{
	struct brain *b = user;

	brain_fence_block(b, block, what, now_ns);
	if (b->eve)
		eve_block(b->eve, block, what, now_ns);
}

// --- ladder ---

static void load_words(struct brain *b)
{
	static const char *const languages[] = {"en", "ja"};
	char error[POLICY_ERROR_BYTES];

	b->policies = policy_load(b->options.policy, error);
	if (!b->policies)
		log_fatal("%s", error);
	for (unsigned i = 0; i < 2; i++) {
		b->story[i] = story_load(b->options.policy, languages[i], error);
		if (!b->story[i])
			log_fatal("%s", error);
	}
}

static void attach(struct brain *b)
{
	struct timespec nap = {.tv_nsec = ATTACH_NAP_MS * 1000000l};
	int r = brain_attach(b);

	// The wire may just be starting, or may not yet have noticed that the last brain is gone.
	for (unsigned i = 0; r < 0 && r != -EPROTO && i < ATTACH_TRIES && !stopped; i++) {
		nanosleep(&nap, NULL);
		r = brain_attach(b);
	}
	if (r < 0 && stopped)
		exit(0);
	if (r < 0)
		log_fatal("no wire at %s/channel.sock: %s", b->options.run_dir, strerror(-r));
}

static int64_t deadline_offset(void)
{
	return (int64_t)clock_deadline_ns() - (int64_t)clock_unix_ns();
}

// What an older build wrote is no reason not to start, but nobody should think that it is gone.
static void say_unread(struct journal *j)
{
	int n = journal_unread(j);

	if (n > 0)
		log_warn("%d alerts of another version are kept in the journal and not shown", n);
}

static void create_reason(struct brain *b)
{
	struct reason_config c = {
		.state = b->options.state, .policies = b->policies, .mode = b->options.mode, .filter_key = b->wire_sheet->filter_key,
		.sheet = b->sheet, .deadline_offset_ns = deadline_offset(), .hold = b->options.hold, .baselines = true, .alarms_per_day = b->options.budget, .counters = &b->counters,
		.hooks = {.verdict = brain_say, .observation = seen, .alert = alerted, .block = blocked, .user = b},
	};
	char error[512];

	if (getrandom(&c.key, sizeof(c.key), 0) != sizeof(c.key))
		log_fatal("no random numbers: %s", strerror(errno));
	b->reason = reason_create(&c, error);
	if (!b->reason)
		log_fatal("%s", error);
}

// --- loop ---

static unsigned drain(struct brain *b)
{
	struct observation o;
	unsigned n = 0;

	for (unsigned w = 0; w < b->workers; w++) {
		uint64_t bad = b->in[w].bad;

		for (unsigned i = 0; i < BATCH && ring_pop(&b->in[w], &o); i++, n++)
			reason_observe(b->reason, &o);
		count_add(&b->counters, COUNT_BRAIN_OBSERVATIONS_BAD, b->in[w].bad - bad);
	}
	return n;
}

static void say_unsaved(int error)
{
	if (error < 0)
		log_warn("learned state not saved: %s", strerror(-error));
}

// Beside, because frames wait for verdicts meanwhile. Where the machine has no room for a copy it stands still, for
// seconds if much was learned, rather than lose what it knows.
static void save(struct brain *b)
{
	int error = reason_save_beside(b->reason);

	if (error < 0 && error != -EBUSY)
		say_unsaved(reason_save(b->reason));
}

static void hear_of_save(struct brain *b)
{
	int error;

	if (reason_saved(b->reason, &error))
		say_unsaved(error);
}

// A panic by signal is told to the wire alone. The CLI tells both, and finds us in observe already.
static void notice_panic(struct brain *b)
{
	bool panic = __atomic_load_n(&b->wire_sheet->panic, __ATOMIC_RELAXED);

	if (panic && !b->panic && reason_mode(b->reason) > MODE_OBSERVE)
		reason_set_mode(b->reason, MODE_OBSERVE, "panic", clock_unix_ns());
	b->panic = panic;
}

static void loop(struct brain *b, struct control_server *server)
{
	struct timespec nap = {.tv_nsec = NAP_US * 1000};
	uint64_t stepped = 0, served = 0, saved = clock_deadline_ns();
	unsigned idle = 0;

	while (!stopped) {
		unsigned n;
		uint64_t now;

		reason_set_deadline_offset(b->reason, deadline_offset()); // each time: a block made just after the clock was set must end in time
		n = drain(b);
		brain_say_waiting(b);
		now = clock_deadline_ns();
		reason_beat(b->reason, now);
		if (now - served >= SERVE_NS) {
			control_serve(server, 0);
			served = now;
		}
		if (b->eve && (now - stepped >= STEP_NS || idle == IDLE_ROUNDS))
			eve_flush(b->eve);
		if (now - stepped >= STEP_NS) {
			notice_panic(b);
			reason_step(b->reason, clock_unix_ns());
			brain_fence_step(b, clock_unix_ns());
			hear_of_save(b);
			stepped = now;
			if (brain_wire_gone(b)) {
				log_warn("the wire is gone");
				break;
			}
		}
		if (now - saved >= SAVE_NS) {
			save(b);
			saved = now;
		}
		if (reopen && b->eve) {
			reopen = 0;
			if (eve_reopen(b->eve) < 0)
				log_warn("%s: cannot be opened anew, the old file goes on: %s", b->options.eve, strerror(errno));
		}
		idle = n ? 0 : idle + 1;
		if (idle > IDLE_ROUNDS)
			nanosleep(&nap, NULL);
	}
}

int main(int argc, char **argv)
{
	static struct brain b;
	struct control_server *server;
	char path[4096];
	int c;

	log_begin();
	b.options = (struct brain_options){.run_dir = "/run/sekimori", .state = "/var/lib/sekimori", .policy = SEKIMORI_SOURCE_DIR "/policy",
					   .sensor = "sekimori", .mode = MODE_COUNT, .hold = true};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		read_option(&b.options, c);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); // ignored by who started us, what saves beside could not be heard of
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGHUP, on_signal);
	b.start_ns = clock_deadline_ns();
	load_words(&b);
	attach(&b);
	if (b.options.eve && !(b.eve = eve_open(b.options.eve, b.options.sensor, NULL, &b.counters)))
		log_fatal("%s: %s", b.options.eve, strerror(errno));
	brain_fence_open(&b);
	create_reason(&b);
	say_unread(reason_journal(b.reason));
	reason_resume(b.reason, clock_unix_ns());
	if (b.options.mode < MODE_COUNT) // for the next brain, which may be started without
		reason_set_mode(b.reason, b.options.mode, "start", clock_unix_ns());
	if (b.options.budget != 0)
		reason_set_budget(b.reason, b.options.budget < 0 ? 0 : b.options.budget, 0, "start", clock_unix_ns());
	snprintf(path, sizeof(path), "%s/brain.sock", b.options.run_dir);
	server = control_listen(path, brain_answer, &b);
	if (!server)
		log_fatal("%s: %s", path, strerror(errno));
	log_info("mode %s, %u policies", mode_name(reason_mode(b.reason)), policy_count(b.policies));
	loop(&b, server);
	say_unsaved(reason_save(b.reason));
	control_close(server);
	reason_destroy(b.reason);
	if (b.eve)
		eve_close(b.eve);
	return 0;
}
