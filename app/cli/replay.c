// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori replay`: the same stations as inline, with files for a port and the packet's time for both clocks, in one process, without root. Deterministic: the only
// keys are fixed ones, the only time is the packet's. A frame's observations are judged before the next frame is looked at.
#include "cli.h"
#include "compare.h"
#include "budget.h"
#include "eve.h"
#include "inspect.h"
#include "log.h"
#include "pcap.h"
#include "reason.h"
#include "text.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSIDE_MAX = 256 /* as many as network.yaml may hold */, FLOWS = 1 << 17, CONTEXTS = 1 << 14, PARKED = 1 << 13 };
#define STEP_NS (100 * 1000000ull)

static const char usage[] =
	"usage: sekimori replay [options] CAPTURE...\n"
	"  --state DIR      keep what is learned between calls: one capture teaches, the next is judged\n"
	"  --policy DIR     policies (default: those of the build)\n"
	"  --compare DIR    what would have been otherwise with these older policies: blocks, alerts, ordinary flows refused.\n"
	"                   Both begin with what --state holds, which stays as it is\n"
	"  --journal DIR    no captures: the alerts of a journal (the folder of --state) judged again by --policy\n"
	"  --inside CIDR    what is inside (repeatable; default: network.yaml, else private and 192.0.2.0/24)\n"
	"  --mode MODE      learn, observe, advise, enforce (default observe)\n"
	"  --eve FILE       events as EVE JSON lines\n"
	"  --observations   print every observation (for tests)\n"
	"  --scores         print every event that is evidence of 3 bits and more, with its terms\n"
	"  --budget N       alarms a day (default 1; 0: none, policies stand alone)\n"
	"  --dump FILE      the journal as text, for comparing two runs\n"
	"  --lang en|ja     language of the stories (repeatable; default en)\n"
	"  --quiet          no stories, only the summary line\n";

static const struct option options[] = {
	{"state", required_argument, NULL, 's'}, {"policy", required_argument, NULL, 'p'}, {"inside", required_argument, NULL, 'i'},
	{"compare", required_argument, NULL, 'C'}, {"journal", required_argument, NULL, 'J'},
	{"mode", required_argument, NULL, 'm'},  {"eve", required_argument, NULL, 'e'},    {"observations", no_argument, NULL, 'o'},
	{"scores", no_argument, NULL, 'S'}, {"budget", required_argument, NULL, 'b'},
	{"dump", required_argument, NULL, 'd'},  {"lang", required_argument, NULL, 'l'},   {"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
};

struct replay {
	const char *state, *policy, *eve_path, *dump, *old, *journal;
	struct prefix inside[INSIDE_MAX];
	unsigned insides, mode;
	bool observations, scores, quiet, lang[2];
	double budget;
	struct counters counters;
	struct wire_sheet *wire;
	struct brain_sheet *brain;
	struct ring_reader in;
	struct ring_writer out;
	struct inspect *inspect;
	struct reason *reason;
	struct policy_set *policies;
	struct story *story[2];
	struct eve *eve;
	struct compare *compare;
	uint64_t first_ns, last_ns, stepped_ns, frames, dropped, alerts, first_alert;
};

static void take_verdict(void *user, unsigned worker, const struct verdict *v)
{
	struct replay *r = user;

	if (!ring_push(&r->out, v))
		count(&r->counters, COUNT_BRAIN_VERDICTS_LOST);
}

static void take_observation(void *user, const struct observation *o, const struct judge *requests)
{
	struct replay *r = user;
	char line[4096];

	if (r->observations && observation_format(o, line, sizeof(line)))
		puts(line);
	if (r->eve)
		eve_observation(r->eve, o, requests);
}

static void take_alert(void *user, const struct alert *a, const struct incident *i)
{
	struct replay *r = user;

	r->alerts++;
	if (r->compare)
		compare_alert(r->compare, COMPARE_NEW, a);
	if (r->eve)
		eve_alert(r->eve, a);
}

static void take_score(void *user, const struct score *s)
{
	const struct replay *r = user;
	char device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES], when[TEXT_TIME_BYTES];

	if (!r->scores)
		return;
	printf("score %s %s device %s endpoint %s port %u role %s surprise %.2f p 2^-%.2f evidence %.2f of %u ready %u%s\n",
	       time_format(s->time_ns, when), score_class_name(s->class), address_format(&s->device, device),
	       address_format(&s->endpoint, endpoint), s->endpoint_port, role_name(s->role), s->surprise, s->rank.bits,
	       s->microbits / (double)EVIDENCE_BIT, s->rank.held, s->ready, s->rank.extrapolated ? " extrapolated" : "");
	for (unsigned i = 0; i < s->terms; i++)
		printf("  %s \"%s\" %s%.2f bits\n", feature_name(s->term[i].feature), s->term[i].value,
		       s->term[i].sign < 0 ? "-" : "", s->term[i].bits);
}

static void take_block(void *user, const struct block *b, const char *what, uint64_t now_ns)
{
	struct replay *r = user;

	if (r->compare)
		compare_block(r->compare, COMPARE_NEW, b);
	if (r->eve)
		eve_block(r->eve, b, what, now_ns);
}

static void __attribute__((noreturn)) refuse(const char *option, const char *text, const char *wanted)
{
	log_warn("%s \"%s\": %s", option, text, wanted);
	exit(EXIT_USAGE);
}

static void add_inside(struct replay *r, const char *text)
{
	if (r->insides == INSIDE_MAX || prefix_parse(bytes_of_text(text), &r->inside[r->insides]) < 0)
		refuse("--inside", text, "not a network such as 192.0.2.0/24");
	r->insides++;
}

static void set_mode(struct replay *r, const char *text)
{
	int m = name_to_index(mode_name, MODE_COUNT, bytes_of_text(text));

	if (m < 0)
		refuse("--mode", text, "learn, observe, advise or enforce");
	r->mode = (unsigned)m;
}

static void set_budget(struct replay *r, const char *text)
{
	char *end;

	r->budget = strtod(text, &end);
	if (end == text || *end || !(r->budget >= 0 && r->budget <= BUDGET_MOST))
		refuse("--budget", text, "alarms a day, 0 to 10");
	if (r->budget == 0)
		r->budget = -1;
}

static void set_lang(struct replay *r, const char *text)
{
	if (strcmp(text, "en") && strcmp(text, "ja"))
		refuse("--lang", text, "en or ja");
	r->lang[strcmp(text, "ja") == 0] = true;
}

// false: usage was wrong or asked for.
static bool read_options(struct replay *r, int argc, char **argv, int *status)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's': r->state = optarg; break;
		case 'p': r->policy = optarg; break;
		case 'C': r->old = optarg; break;
		case 'J': r->journal = optarg; break;
		case 'i': add_inside(r, optarg); break;
		case 'm': set_mode(r, optarg); break;
		case 'e': r->eve_path = optarg; break;
		case 'o': r->observations = true; break;
		case 'S': r->scores = true; break;
		case 'b': set_budget(r, optarg); break;
		case 'd': r->dump = optarg; break;
		case 'l': set_lang(r, optarg); break;
		case 'q': r->quiet = true; break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			*status = c == 'h' ? EXIT_DONE : EXIT_USAGE;
			return false;
		}
	}
	if (r->journal ? optind < argc : optind == argc) {
		fputs(usage, stderr);
		*status = EXIT_USAGE;
	}
	return r->journal ? optind == argc : optind < argc;
}

// Said on the command line, or in network.yaml, or: private addresses and the generator's organisation (RFC 5737, RFC 3849).
static void default_inside(struct replay *r)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.2.0/24", "fc00::/7", "fe80::/10",
					   "2001:db8:1::/48"};
	unsigned n;
	const struct prefix *inside = policy_inside(r->policies, &n);

	if (r->insides)
		return;
	for (unsigned i = 0; i < n && i < INSIDE_MAX; i++)
		r->inside[r->insides++] = inside[i];
	for (size_t i = 0; n == 0 && i < sizeof(nets) / sizeof(nets[0]); i++)
		add_inside(r, nets[i]);
}

static void create_channel(struct replay *r)
{
	static const struct siphash_key key = {1, 2}; // replay must give the same bytes twice

	r->wire = calloc(1, wire_sheet_bytes(1));
	r->brain = calloc(1, sizeof(*r->brain));
	if (!r->wire || !r->brain)
		log_fatal("out of memory");
	wire_sheet_init(r->wire, 1, 1, &key);
	brain_sheet_init(r->brain);
	ring_reader_init(&r->in, &r->wire->worker[0].observations, &r->brain->worker[0].observations, r->wire->worker[0].slots,
			 SHEET_OBSERVATION_SLOTS);
	ring_writer_init(&r->out, &r->brain->worker[0].verdicts, &r->wire->worker[0].verdicts, r->brain->worker[0].slots,
			 SHEET_VERDICT_SLOTS);
}

static void create_stations(struct replay *r)
{
	struct reason_config far = {.state = r->state, .policies = r->policies, .mode = r->mode, .key = {3, 4}, .filter_key = {1, 2},
				    .sheet = r->brain, .hold = true, .alarms_per_day = r->budget, .counters = &r->counters,
				    .hooks = {take_verdict, take_observation, take_alert, take_block, r, take_score}};
	struct inspect_config near = {.flow = {.flows = FLOWS, .parked_segments = PARKED, .key = {5, 6}}, .contexts = CONTEXTS,
				      .blocks = 1 << 16, .replay = true, .inside = r->inside, .inside_count = r->insides, .wire = r->wire,
				      .brain = r->brain, .counters = &r->counters};
	char error[512], learned[4096];

	if (r->old) { // nothing is kept, nobody waits: both judge the same frames
		snprintf(learned, sizeof(learned), "%s/learned", r->state ? r->state : "");
		far.learned = r->state ? learned : NULL;
		far.state = NULL;
		far.hold = false;
		if (r->budget == 0 && r->state)
			r->budget = far.alarms_per_day = compare_budget(learned);
		r->compare = compare_create(r->old, far.learned, r->budget, error);
		if (!r->compare)
			log_fatal("%s", error);
	}
	r->reason = reason_create(&far, error);
	if (!r->reason)
		log_fatal("%s", error);
	near.never = policy_never_block(r->policies, &near.never_count);
	r->inspect = inspect_create(&near);
	if (!r->inspect)
		log_fatal("the stations could not be set up: %s", strerror(errno));
	r->first_alert = journal_next(reason_journal(r->reason), "alert");
}

static void start(struct replay *r, const char *first_capture)
{
	static const char *const languages[] = {"en", "ja"};
	char error[512];

	r->policies = policy_load(r->policy, error);
	if (!r->policies)
		log_fatal("%s", error);
	default_inside(r);
	for (unsigned i = 0; i < 2; i++)
		if (!(r->story[i] = story_load(r->policy, languages[i], error)))
			log_fatal("%s", error);
	if (r->eve_path && !(r->eve = eve_open(r->eve_path, "sekimori", first_capture, &r->counters)))
		log_fatal("%s: %s", r->eve_path, strerror(errno));
	create_channel(r);
	create_stations(r);
}

// Everything the frame said is judged now, and what was decided holds for the next one.
static void judge_now(struct replay *r, uint64_t now_ns)
{
	struct observation o;

	while (ring_pop(&r->in, &o)) {
		if (r->compare)
			compare_observe(r->compare, &o, reason_learn(r->reason));
		reason_observe(r->reason, &o);
	}
	inspect_step(r->inspect, now_ns, now_ns);
}

static void one_frame(struct replay *r, const struct frame *f)
{
	uint64_t now = f->unix_ns, flow;
	enum inspect_action action;

	if (!r->frames++) {
		r->first_ns = now;
		reason_resume(r->reason, now);
		if (r->compare)
			compare_begin(r->compare, now);
	}
	if (now > r->last_ns)
		r->last_ns = now;
	if (r->last_ns - r->stepped_ns >= STEP_NS) {
		reason_step(r->reason, r->last_ns);
		if (r->compare)
			compare_step(r->compare, r->last_ns);
		r->stepped_ns = r->last_ns;
	}
	inspect_step(r->inspect, r->last_ns, r->last_ns);
	action = inspect_frame(r->inspect, f, r->last_ns, &flow);
	judge_now(r, r->last_ns);
	if (action == INSPECT_HOLD) {
		inspect_held_expired(r->inspect, flow); // no verdict yet: goes, as it would inline
		action = inspect_held(r->inspect, f, flow, r->last_ns);
		judge_now(r, r->last_ns);
	}
	r->dropped += action == INSPECT_DROP;
}

static int one_capture(struct replay *r, const char *path)
{
	char error[512];
	struct pcap_port *p = pcap_port_open(path, error, sizeof(error));
	struct frame f;
	int got, failed = 0;

	if (!p) {
		log_warn("%s", error);
		return -EINVAL;
	}
	while ((got = pcap_port_next(p, &f)) == 1)
		one_frame(r, &f);
	if (got < 0)
		log_warn("%s: %s; %llu frames before that were used", path, pcap_port_note(p), (unsigned long long)pcap_port_frames(p));
	if (pcap_port_passed(p))
		log_warn("%s: %llu frames were passed over: nobody can read their link type", path, (unsigned long long)pcap_port_passed(p));
	if (got < 0 && pcap_port_frames(p) == 0)
		failed = -EIO;
	pcap_port_close(p);
	return failed;
}

// --- telling ---

struct telling {
	struct replay *r;
	struct alert *alerts[STORY_ALERTS];
	struct block *blocks[STORY_BLOCKS];
	unsigned alert_count, block_count;
};

static bool keep_alert(void *user, const struct alert *a)
{
	struct telling *t = user;

	if (t->alert_count == STORY_ALERTS || !(t->alerts[t->alert_count] = malloc(sizeof(*a))))
		return false;
	*t->alerts[t->alert_count++] = *a;
	return true;
}

static bool keep_block(void *user, const struct block *b)
{
	struct telling *t = user;

	if (t->block_count == STORY_BLOCKS || !(t->blocks[t->block_count] = malloc(sizeof(*b))))
		return false;
	*t->blocks[t->block_count++] = *b;
	return true;
}

static bool tell_incident(void *user, const struct incident *i)
{
	struct telling *t = user;
	struct journal *j = reason_journal(t->r->reason);
	struct journal_query q = {.incident = i->id, .limit = STORY_ALERTS};
	static char text[STORY_BYTES];

	if (i->last_ns < t->r->first_ns || i->merged_into)
		return true; // told by an earlier call
	t->alert_count = t->block_count = 0;
	journal_alerts(j, &q, keep_alert, t);
	q.limit = STORY_BLOCKS;
	journal_blocks(j, &q, keep_block, t);
	for (unsigned l = 0; l < 2; l++)
		if (t->r->lang[l] && story_incident(t->r->story[l], i, (const struct alert *const *)t->alerts, t->alert_count,
						    (const struct block *const *)t->blocks, t->block_count, 0, text, sizeof(text)) > 0)
			printf("%s\n", text);
	while (t->alert_count)
		free(t->alerts[--t->alert_count]);
	while (t->block_count)
		free(t->blocks[--t->block_count]);
	return true;
}

static void dump_line(void *user, const char *text)
{
	fprintf(user, "%s\n", text);
}

static int dump(struct replay *r)
{
	FILE *f = fopen(r->dump, "w");

	if (!f || journal_dump(reason_journal(r->reason), dump_line, f) < 0 || fclose(f)) {
		log_warn("%s: %s", r->dump, strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int finish(struct replay *r)
{
	struct telling t = {.r = r};
	struct journal_query all = {.limit = 1000};
	char took[TEXT_DURATION_BYTES];
	int status = EXIT_DONE;

	inspect_flush(r->inspect);
	judge_now(r, r->last_ns);
	reason_step(r->reason, r->last_ns);
	if (r->compare)
		compare_step(r->compare, r->last_ns);
	journal_step(reason_journal(r->reason), r->last_ns, true);
	if (!r->quiet && !r->compare)
		journal_incidents(reason_journal(r->reason), &all, tell_incident, &t);
	printf("%llu frames, %s of traffic, %u devices, %llu alerts, %llu frames dropped, mode %s\n", (unsigned long long)r->frames,
	       duration_format(r->last_ns - r->first_ns, took), learn_device_count(reason_learn(r->reason)), (unsigned long long)r->alerts,
	       (unsigned long long)r->dropped, mode_name(reason_mode(r->reason)));
	if (r->counters.value[COUNT_DECODE_CHECKSUM])
		printf("note: %llu packets had a wrong checksum (captured on an offloading host?) and were accepted\n",
		       (unsigned long long)r->counters.value[COUNT_DECODE_CHECKSUM]);
	if (r->dump)
		status = dump(r);
	if (r->compare)
		compare_print(r->compare);
	if (r->state && !r->old && reason_save(r->reason) < 0) {
		log_warn("%s: the learned state could not be saved", r->state);
		status = EXIT_FAILED;
	}
	return status;
}

// The last lines are written when the file is closed.
static int end_events(struct replay *r)
{
	uint64_t lost;

	if (!r->eve)
		return EXIT_DONE;
	eve_close(r->eve);
	lost = r->counters.value[COUNT_BRAIN_EVENTS_LOST];
	if (lost)
		log_warn("%s: %llu lines were lost: too long, or not writable", r->eve_path, (unsigned long long)lost);
	return lost ? EXIT_FAILED : EXIT_DONE;
}

static void destroy(struct replay *r)
{
	inspect_destroy(r->inspect);
	compare_destroy(r->compare);
	reason_destroy(r->reason);
	policy_free(r->policies);
	story_free(r->story[0]);
	story_free(r->story[1]);
	free(r->wire);
	free(r->brain);
}

int cli_replay(int argc, char **argv)
{
	static struct replay r;
	int status = EXIT_DONE, failed = 0;

	r = (struct replay){.policy = SEKIMORI_SOURCE_DIR "/policy", .mode = MODE_OBSERVE};
	if (!read_options(&r, argc, argv, &status))
		return status;
	if (r.journal)
		return replay_journal(r.journal, r.policy, r.old);
	if (r.old && r.mode != MODE_OBSERVE)
		refuse("--mode", mode_name(r.mode), "--compare judges in observe: what one side had cut the other would not have seen");
	if (!r.lang[0] && !r.lang[1])
		r.lang[0] = true;
	start(&r, argv[optind]);
	for (int i = optind; i < argc; i++)
		failed += one_capture(&r, argv[i]) < 0;
	status = finish(&r);
	failed += end_events(&r) != EXIT_DONE;
	destroy(&r);
	return failed ? EXIT_FAILED : status;
}
