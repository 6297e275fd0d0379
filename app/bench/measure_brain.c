// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench brain`: observations a second through lib/reason. The week's observations are recorded first; one
// week teaches, each round judges one week more. Peer: a loop that copies the record, hashes one key and adds one to a
// count, which no judging program can beat.
#include "bed.h"
#include "log.h"
#include "measure.h"
#include "reason.h"
#include "recording.h"

#include <stdlib.h>

enum { COUNTS = 1 << 20, STRETCH = 4096, STEP_OBSERVATIONS = 100000 };

struct kept { // observations, one behind the other
	uint8_t *at;
	size_t bytes, cap, count;
	uint64_t first_ns, last_ns;
};

struct brain {
	struct recording recording;
	struct kept kept;
	struct brain_sheet *sheet;
	struct counters counters;
	struct policy_set *policies;
	struct reason *reason;
	uint64_t *counts, verdicts, sink;
	uint64_t shift_ns, since_step, devices, values, taken;
	uint64_t *took_tsc; // of each observation of a pass
	size_t took;
	uint64_t day, midnight_tsc; // the longest end of a day
	struct siphash_key key;
	struct report report;
};

static void keep(void *user, const struct observation *o)
{
	struct kept *k = user;

	if (k->bytes + sizeof(*o) > k->cap) {
		k->cap = k->cap ? 2 * k->cap : 1 << 24;
		k->at = realloc(k->at, k->cap);
		if (!k->at)
			log_fatal("out of memory");
	}
	memcpy(k->at + k->bytes, o, o->size_bytes);
	k->bytes += (o->size_bytes + 7u) & ~7u;
	k->last_ns = o->time_ns;
	if (!k->count++)
		k->first_ns = o->time_ns;
}

static void record(struct brain *b)
{
	const struct bed_plan plan = {.flows = 1 << 17, .contexts = 1 << 14, .replay = true, .inside = b->recording.inside, .insides = b->recording.insides};
	static struct bed bed;
	uint64_t flow;

	bed_make(&bed, &plan, b->recording.frame[0].unix_ns);
	for (size_t i = 0; i < b->recording.frames; i++) {
		const struct recorded *from = &b->recording.frame[i];
		struct frame f = {b->recording.bytes + from->offset,
				  from->bytes,
				  from->bytes,
				  from->unix_ns,
				  from->port,
				  LINK_ETHERNET};

		inspect_step(bed.inspect, f.unix_ns, f.unix_ns);
		inspect_frame(bed.inspect, &f, f.unix_ns, &flow);
		bed_drain(&bed, keep, &b->kept);
	}
	bed_free(&bed);
}

// The next record with its time moved; zeroed behind its end as ring_pop does.
static size_t next(const struct brain *b, size_t at, struct observation *o)
{
	const struct observation *from = (const struct observation *)(b->kept.at + at);
	uint32_t n = from->size_bytes;

	memcpy(o, from, n);
	memset((uint8_t *)o + n, 0, sizeof(*o) - n);
	o->time_ns += b->shift_ns;
	if (o->kind == OBS_FLOW_CLOSE)
		o->number[NUM_CLOSE_START_NS] += b->shift_ns;
	return at + ((n + 7u) & ~7u);
}

static void judge(struct brain *b, const struct observation *o)
{
	// The brain steps each 100 ms. In the recording seconds lie between two observations; at the rate that is asked
	// about a hundred thousand of them do between two steps.
	if (++b->since_step == STEP_OBSERVATIONS) {
		reason_step(b->reason, o->time_ns);
		b->since_step = 0;
	}
	reason_observe(b->reason, o);
}

// What the passing of time costs by itself: sweeps, days that end. A week of it falls on these observations, and not on
// a week's worth of them at the rate that is asked about.
static void pass_time(struct brain *b, const struct observation *o)
{
	judge_step(reason_judge(b->reason), o->time_ns, MODE_OBSERVE);
}

static void judge_timed(struct brain *b, const struct observation *o)
{
	uint64_t begun = __builtin_ia32_rdtsc(), day = o->time_ns / (86400 * 1000000000ull), took;

	judge(b, o);
	took = __builtin_ia32_rdtsc() - begun;
	if (day == b->day) {
		b->took_tsc[b->took++] = took;
		return;
	}
	b->day = day; // a day's end is told apart: here are seven among seconds of work
	b->midnight_tsc = took > b->midnight_tsc ? took : b->midnight_tsc;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

// How long an observation waits and is judged when they come evenly at half of what the brain can do: Lindley's
// recursion over the times each took. Steps are among them; the ring and the wire's turn to look are not.
static void report_sojourn(struct brain *b)
{
	static const struct {
		const char *name;
		unsigned of_1000;
	} shares[] = {{"sojourn.p50", 500}, {"sojourn.p99", 990}, {"sojourn.p99.9", 999}};
	uint64_t sum = 0, wait = 0, apart;

	for (size_t i = 0; i < b->took; i++)
		sum += b->took_tsc[i];
	apart = 2 * sum / b->took;
	for (size_t i = 0; i < b->took; i++) {
		uint64_t whole = wait + b->took_tsc[i];

		wait = whole > apart ? whole - apart : 0;
		b->took_tsc[i] = whole;
	}
	qsort(b->took_tsc, b->took, sizeof(*b->took_tsc), by_size);
	report_add(&b->report, "midnight", "us", (double)b->midnight_tsc / measure_tsc_per_ns() / 1000);
	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		report_add(&b->report, shares[i].name, "us",
			   (double)b->took_tsc[b->took * shares[i].of_1000 / 1000] / measure_tsc_per_ns() / 1000);
}

static void hash_and_count(struct brain *b, const struct observation *o)
{
	uint8_t key[42];

	memcpy(key, &o->client, 20);
	memcpy(key + 20, &o->server, 20);
	memcpy(key + 40, &o->server_port, 2);
	b->counts[(siphash13(&b->key, key, sizeof(key)) + o->kind) & (COUNTS - 1)]++;
}

static struct meter one_pass(struct brain *b, void (*each)(struct brain *b, const struct observation *o))
{
	struct meter m = {0};
	struct observation o;
	size_t at = 0;

	while (at < b->kept.bytes) {
		meter_start(&m);
		for (unsigned i = 0; i < STRETCH && at < b->kept.bytes; i++) {
			at = next(b, at, &o);
			each(b, &o);
		}
		meter_stop(&m);
	}
	return m;
}

static void take_verdict(void *user, unsigned worker, const struct verdict *v)
{
	struct brain *b = user;

	b->verdicts++;
}

static void create(struct brain *b)
{
	struct reason_config c = {.mode = MODE_OBSERVE,
				  .devices = (uint32_t)b->devices,
				  .values = (uint32_t)b->values,
				  .key = {3, 4},
				  .filter_key = {1, 2},
				  .counters = &b->counters,
				  .hooks = {.verdict = take_verdict, .user = b}};
	char error[512];

	b->policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	if (!b->policies)
		log_fatal("%s", error);
	b->sheet = calloc(1, sizeof(*b->sheet));
	b->counts = calloc(COUNTS, sizeof(*b->counts));
	if (!b->sheet || !b->counts)
		log_fatal("out of memory");
	brain_sheet_init(b->sheet);
	c.sheet = b->sheet;
	c.policies = b->policies;
	b->taken = measure_taken_bytes();
	b->reason = reason_create(&c, error);
	b->taken = measure_taken_bytes() - b->taken;
	b->took_tsc = calloc(b->kept.count, sizeof(*b->took_tsc));
	if (!b->reason || !b->took_tsc)
		log_fatal("%s", error);
	reason_resume(b->reason, b->kept.first_ns);
}

// Whole weeks, so that a day stays a day of its kind.
static void shift(struct brain *b)
{
	const uint64_t week_ns = 7 * 86400 * 1000000000ull;

	b->shift_ns += (b->kept.last_ns - b->kept.first_ns) / week_ns * week_ns + week_ns;
}

static void one_round(struct brain *b, bool warm)
{
	uint64_t judged = b->counters.value[COUNT_BRAIN_OBSERVATIONS], alerts = b->counters.value[COUNT_BRAIN_ALERTS];
	struct meter reason = one_pass(b, judge), hash = one_pass(b, hash_and_count), idle;

	shift(b);
	idle = one_pass(b, pass_time);
	shift(b);
	b->took = b->midnight_tsc = 0;
	one_pass(b, judge_timed);
	shift(b);
	judged = (b->counters.value[COUNT_BRAIN_OBSERVATIONS] - judged) / 2;
	if (b->counters.value[COUNT_BRAIN_OBSERVATIONS_BAD] || judged != b->kept.count)
		report_void(&b->report, "%llu of %zu observations judged, %llu refused", (unsigned long long)judged,
			    b->kept.count, (unsigned long long)b->counters.value[COUNT_BRAIN_OBSERVATIONS_BAD]);
	if (warm)
		return;
	report_cost(&b->report, "reason", &reason, b->kept.count);
	report_cost(&b->report, "idle", &idle, b->kept.count);
	report_cost(&b->report, "hash", &hash, b->kept.count);
	report_add(&b->report, "less_idle", "million/s",
		   (double)b->kept.count * 1000 / (double)(reason.cpu_ns - idle.cpu_ns));
	report_add(&b->report, "ratio", "hash to reason", (double)hash.cpu_ns / (double)reason.cpu_ns);
	report_add(&b->report, "observations", "a round", (double)b->kept.count);
	report_add(&b->report, "alerts", "a round", (double)(b->counters.value[COUNT_BRAIN_ALERTS] - alerts));
	report_sojourn(b);
	report_add(&b->report, "rss", "MB", (double)measure_rss_bytes() / 1e6);
	report_add(&b->report, "taken", "MB", (double)b->taken / 1e6);
}

int brain_main(int argc, char **argv)
{
	static struct brain b;
	const char *path = NULL, *inside = NULL;
	uint64_t rounds, days = 7;
	const struct measure_option options[] = {
		{"pcap", NULL, &path, 0, 0, "FILE: instead of the generator's week"},
		{"inside", NULL, &inside, 0, 0, "CIDR: an inside network more"},
		{"days", &days, NULL, 1, 28, "N: of the week (default 7)"},
		{"devices", &b.devices, NULL, 0, 1 << 20, "N: the brain's capacity of devices (default its own)"},
		{"values", &b.values, NULL, 0, 1 << 28, "N: and of values"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	b.report.command = "brain";
	b.key = (struct siphash_key){7, 8};
	if (!measure_options(argc, argv, options, &b.report, &rounds))
		return 2;
	recording_load(&b.recording, path, inside, days, UINT64_MAX);
	record(&b);
	recording_free(&b.recording);
	create(&b);
	one_round(&b, true);
	for (uint64_t i = 0; i < rounds; i++)
		one_round(&b, false);
	return report_end(&b.report);
}
