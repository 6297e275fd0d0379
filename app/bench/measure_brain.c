// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench brain`: observations a second through lib/reason. The week's observations are recorded first; one
// week teaches, each round judges one week more. Peer: a loop that copies the record, hashes one key and adds one to a
// count, which no judging program can beat.
#include "brain_bed.h"
#include "log.h"

#include <stdlib.h>

enum { COUNTS = 1 << 20, STRETCH = 4096 };

struct brain {
	struct brain_bed bed;
	uint64_t *counts;
	uint64_t *took_tsc, *alone_tsc; // of each observation of a pass
	size_t took;
	bool pressed;               // all that is due in a week is done within the pass
	uint64_t day, midnight_tsc; // the longest end of a day
	struct siphash_key key;
	struct report report;
};

static void judge(struct brain *b, const struct observation *o)
{
	brain_bed_judge(&b->bed, o);
}

// What the passing of time costs by itself: sweeps, days that end. A week of it falls on these observations, and not on
// a week's worth of them at the rate that is asked about.
static void pass_time(struct brain *b, const struct observation *o)
{
	judge_step(reason_judge(b->bed.reason), o->time_ns, MODE_OBSERVE);
}

// At the rate that is asked about, microseconds lie between two observations; in the recording seconds and hours do, and
// what is due in them is done before the clock runs. What is due in microseconds is in it.
static void judge_timed(struct brain *b, const struct observation *o)
{
	uint64_t day = o->time_ns / BED_DAY_NS, begun, took;

	if (!b->pressed)
		pass_time(b, o);
	brain_bed_rest();
	begun = __builtin_ia32_rdtsc();
	judge(b, o);
	took = __builtin_ia32_rdtsc() - begun;
	if (day == b->day) {
		b->took_tsc[b->took++] = took;
		return;
	}
	b->day = day; // a day's end is told apart: here are seven among seconds of work
	b->midnight_tsc = took > b->midnight_tsc ? took : b->midnight_tsc;
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

	while (at < b->bed.kept.bytes) {
		meter_start(&m);
		for (unsigned i = 0; i < STRETCH && at < b->bed.kept.bytes; i++) {
			at = brain_bed_next(&b->bed, at, &o);
			each(b, &o);
		}
		meter_stop(&m);
	}
	return m;
}

static void timed_pass(struct brain *b, bool warm, bool pressed)
{
	b->took = b->midnight_tsc = 0;
	b->pressed = pressed;
	one_pass(b, judge_timed);
	brain_bed_shift(&b->bed);
	if (warm)
		return;
	if (pressed)
		report_add(&b->report, "midnight", "us", (double)b->midnight_tsc / measure_tsc_per_ns() / 1000);
	memcpy(b->alone_tsc, b->took_tsc, b->took * sizeof(*b->took_tsc));
	if (!pressed)
		report_took(&b->report, "alone", b->alone_tsc, b->took);
	report_sojourn(&b->report, pressed ? "pressed" : "sojourn", b->took_tsc, b->took);
}

static void one_round(struct brain *b, bool warm)
{
	uint64_t judged = b->bed.counters.value[COUNT_BRAIN_OBSERVATIONS], alerts = b->bed.counters.value[COUNT_BRAIN_ALERTS];
	struct meter reason = one_pass(b, judge), hash = one_pass(b, hash_and_count), idle;

	brain_bed_shift(&b->bed);
	idle = one_pass(b, pass_time);
	brain_bed_shift(&b->bed);
	timed_pass(b, warm, true);
	timed_pass(b, warm, false);
	judged = (b->bed.counters.value[COUNT_BRAIN_OBSERVATIONS] - judged) / 3;
	if (b->bed.counters.value[COUNT_BRAIN_OBSERVATIONS_BAD] || judged != b->bed.kept.count)
		report_void(&b->report, "%llu of %zu observations judged, %llu refused", (unsigned long long)judged,
			    b->bed.kept.count, (unsigned long long)b->bed.counters.value[COUNT_BRAIN_OBSERVATIONS_BAD]);
	if (warm)
		return;
	report_cost(&b->report, "reason", &reason, b->bed.kept.count);
	report_cost(&b->report, "idle", &idle, b->bed.kept.count);
	report_cost(&b->report, "hash", &hash, b->bed.kept.count);
	report_add(&b->report, "less_idle", "million/s",
		   (double)b->bed.kept.count * 1000 / (double)(reason.cpu_ns - idle.cpu_ns));
	report_add(&b->report, "ratio", "hash to reason", (double)hash.cpu_ns / (double)reason.cpu_ns);
	report_add(&b->report, "observations", "a round", (double)b->bed.kept.count);
	report_add(&b->report, "alerts", "a round", (double)(b->bed.counters.value[COUNT_BRAIN_ALERTS] - alerts));
	report_add(&b->report, "rss", "MB", (double)measure_rss_bytes() / 1e6);
	report_add(&b->report, "taken", "MB", (double)b->bed.taken / 1e6);
}

static void throughput(struct brain *b, uint64_t rounds)
{
	b->counts = calloc(COUNTS, sizeof(*b->counts));
	b->took_tsc = calloc(b->bed.kept.count, sizeof(*b->took_tsc));
	b->alone_tsc = calloc(b->bed.kept.count, sizeof(*b->alone_tsc));
	if (!b->counts || !b->took_tsc || !b->alone_tsc)
		log_fatal("out of memory");
	brain_bed_create(&b->bed);
	one_round(b, true);
	for (uint64_t i = 0; i < rounds; i++)
		one_round(b, false);
}

int brain_main(int argc, char **argv)
{
	static struct brain b;
	const char *path = NULL, *inside = NULL;
	struct brain_plan plan = {.hours = 2};
	uint64_t days = 7;
	const struct measure_option options[] = {
		{"pcap", NULL, &path, 0, 0, "FILE: instead of the generator's week"},
		{"inside", NULL, &inside, 0, 0, "CIDR: an inside network more"},
		{"days", &days, NULL, 1, 28, "N: of the week (default 7)"},
		{"devices", &b.bed.devices, NULL, 0, 1 << 20, "N: the brain's capacity of devices (default its own)"},
		{"values", &b.bed.values, NULL, 0, 1 << 28, "N: and of values"},
		{"state", NULL, &b.bed.state, 0, 0, "FOLDER: of the journal (default: in memory)"},
		{"endpoints", &plan.endpoints, NULL, 1000, 10000000, "N: never-seen ones an hour flood the brain in its fourth week"},
		{"hours", &plan.hours, NULL, 1, 6, "N: of the flood (default 2)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	b.report.command = "brain";
	b.key = (struct siphash_key){7, 8};
	if (!measure_options(argc, argv, options, &b.report, &plan.rounds))
		return 2;
	brain_bed_record(&b.bed, path, inside, days);
	if (plan.endpoints)
		brain_flood(&b.bed, &plan, &b.report);
	else
		throughput(&b, plan.rounds);
	return report_end(&b.report);
}
