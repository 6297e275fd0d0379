// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench inspect`: what one packet of ordinary traffic costs, by station. Frames are prepared outside the
// measured stretches and lie beyond the second-level cache when their turn comes, as those of a network card do. The
// census makes a fake impossible: every copy must yield exactly the transactions one honest pass yields.
#include "bed.h"
#include "log.h"
#include "measure.h"
#include "mix.h"
#include "pages.h"
#include "recording.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STRETCH = 1024, STEP_US_MOST = 1000000, FRAMES_BATCH = 1 << 16 };

// Where frames and flows are when their turn comes. Cold: beyond the second-level cache, as behind a network card. Hot:
// in it, which no busy link has; it tells how much of a figure is memory.
static const struct setting {
	size_t arena_bytes, batch;
	uint64_t lanes, step_us, laps; // laps: of all lanes, one after the other, in a round
	uint32_t between_us; // of the mix
} COLD = {16 << 20, 16384, 32, 20, 1, 0}, MIX_COLD = {48 << 20, FRAMES_BATCH, 4, 1, 1, 0},
  MIX_HOT = {768 << 10, STRETCH, 1, 1000, 20, 20000};

static const enum observation_kind CENSUS[] = {OBS_HTTP_REQUEST, OBS_HTTP_RESPONSE, OBS_DNS,    OBS_TLS,
					       OBS_LDAP,         OBS_FILE,          OBS_STRATUM};
enum { CENSUS_KINDS = sizeof(CENSUS) / sizeof(CENSUS[0]) };

struct run {
	struct recording recording;
	struct feeder feeder;
	struct bed bed, forward;
	struct flow_table *flows; // of the stage that has no parsers
	struct counters flow_counters;
	uint64_t delivered, sink;
	uint64_t actions[BED_ACTIONS], passed[BED_ACTIONS];
	struct mix_census mix; // what the generator said; flows 0: not the mix
	struct setting setting;
	uint64_t expected[OBS_KINDS]; // of one lap
	uint64_t lanes, flow_capacity, contexts, step_ns, blocks;
	uint32_t next_salt;
	struct frame *frames;
	struct report report;
};

typedef void (*stage_fn)(struct run *r, const struct frame *f, size_t n);

static void stage_headers(struct run *r, const struct frame *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct packet p;

		r->sink += decode_frame(&f[i], false, &p) + p.payload_bytes;
	}
}

static void stage_decode(struct run *r, const struct frame *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct packet p;

		r->sink += decode_frame(&f[i], true, &p) + p.payload_bytes;
	}
}

static void delivered(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct run *r = user;

	r->delivered += data.left;
}

static void flow_burst(struct run *r, const struct frame *f, size_t n)
{
	struct packet p[BED_BURST];
	struct flow_key key[BED_BURST];
	bool known[BED_BURST];

	flow_table_step(r->flows, f[0].unix_ns);
	for (size_t i = 0; i < n; i++) {
		__builtin_prefetch(f[i].at);
		__builtin_prefetch(f[i].at + 64);
	}
	for (size_t i = 0; i < n; i++) {
		known[i] = decode_frame(&f[i], true, &p[i]) == DECODE_OK;
		if (!known[i])
			continue;
		flow_key_of(r->flows, &p[i], &key[i]);
		flow_prefetch_bucket(r->flows, &key[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (known[i])
			flow_prefetch(r->flows, &key[i]);
	for (size_t i = 0; i < n; i++) {
		enum flow_side sender;
		struct flow *w = known[i] ? flow_find_or_add(r->flows, &p[i], &key[i], f[i].unix_ns, &sender) : NULL;

		if (!w)
			continue;
		flow_update(r->flows, w, sender, &f[i], &p[i]);
		if (w->transport == TRANSPORT_TCP)
			flow_order(r->flows, w, sender, &p[i], packet_payload(&f[i], &p[i]), NULL, delivered, r);
	}
}

static void stage_flow(struct run *r, const struct frame *f, size_t n)
{
	for (size_t i = 0; i < n; i += BED_BURST)
		flow_burst(r, f + i, n - i < BED_BURST ? n - i : BED_BURST);
}

// A glance and blocks: a worker with --no-inspect, or one that sheds all.
static void stage_forward(struct run *r, const struct frame *f, size_t n)
{
	for (size_t i = 0; i < n; i += BED_BURST)
		bed_burst(&r->forward, f + i, n - i < BED_BURST ? n - i : BED_BURST, f[i].unix_ns, r->passed, NULL);
}

static void stage_all(struct run *r, const struct frame *f, size_t n)
{
	for (size_t i = 0; i < n; i += BED_BURST)
		bed_burst(&r->bed, f + i, n - i < BED_BURST ? n - i : BED_BURST, f[i].unix_ns, r->actions, NULL);
}

static const struct {
	const char *name;
	stage_fn run;
} STAGES[] = {{"headers", stage_headers}, {"decode", stage_decode}, {"flow", stage_flow}, {"forward", stage_forward}, {"all", stage_all}};
enum { STAGE_COUNT = sizeof(STAGES) / sizeof(STAGES[0]) };

// The mix is ours: what it holds is known without any parser.
static void expect_mix(struct run *r)
{
	const struct {
		enum observation_kind kind;
		uint64_t said;
	} wanted[] = {{OBS_HTTP_REQUEST, r->mix.http_requests},
		      {OBS_HTTP_RESPONSE, r->mix.http_responses},
		      {OBS_TLS, r->mix.tls},
		      {OBS_DNS, r->mix.dns},
		      {OBS_LDAP, r->mix.ldap}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (r->expected[wanted[i].kind] != wanted[i].said)
			report_void(&r->report, "%s: %llu in one pass, the generator said %llu",
				    observation_kind_name(wanted[i].kind),
				    (unsigned long long)r->expected[wanted[i].kind],
				    (unsigned long long)wanted[i].said);
}

// One pass with the capture's own time through a bed of its own: what a lap must yield.
static void expect(struct run *r)
{
	struct bed_plan plan = {.flows = 1 << 17, .contexts = 1 << 14, .replay = true, .inside = r->recording.inside, .insides = r->recording.insides};
	struct bed *b = malloc(sizeof(*b));
	uint64_t flow;

	if (!b)
		log_fatal("out of memory");
	bed_make(b, &plan, r->recording.frame[0].unix_ns);
	for (size_t i = 0; i < r->recording.frames; i++) {
		const struct recorded *from = &r->recording.frame[i];
		struct frame f = {r->recording.bytes + from->offset,
				  from->bytes,
				  from->bytes,
				  from->unix_ns,
				  from->port,
				  LINK_ETHERNET};

		inspect_step(b->inspect, f.unix_ns, f.unix_ns);
		inspect_frame(b->inspect, &f, f.unix_ns, &flow);
		bed_drain(b, NULL, NULL);
	}
	inspect_flush(b->inspect);
	bed_drain(b, NULL, NULL);
	memcpy(r->expected, b->kinds, sizeof(r->expected));
	bed_free(b);
	free(b);
	if (r->mix.flows)
		expect_mix(r);
}

static void one_lap(struct run *r, stage_fn stage, uint64_t *frames, struct meter *m)
{
	size_t n;

	feeder_begin(&r->feeder, r->next_salt, (uint32_t)r->lanes);
	r->next_salt += (uint32_t)r->lanes;
	if (r->next_salt > SALTS_MOST)
		log_fatal("more laps than salts: fewer --lanes or --rounds");
	while ((n = feeder_fill(&r->feeder, r->frames, r->setting.batch))) {
		for (size_t at = 0; at < n; at += STRETCH) {
			size_t part = n - at < STRETCH ? n - at : STRETCH;

			meter_start(m);
			stage(r, r->frames + at, part);
			meter_stop(m);
			bed_drain(&r->bed, NULL, NULL);
			bed_drain(&r->forward, NULL, NULL);
		}
		*frames += n;
	}
}

static struct meter one_pass(struct run *r, stage_fn stage, uint64_t *frames, uint64_t *bytes)
{
	uint64_t before = r->feeder.bytes;
	struct meter m = {0};

	*frames = 0;
	for (uint64_t i = 0; i < r->setting.laps; i++)
		one_lap(r, stage, frames, &m);
	*bytes = r->feeder.bytes - before;
	return m;
}

static void check_census(struct run *r, const uint64_t before[OBS_KINDS])
{
	const struct counters *c = &r->bed.counters;

	for (unsigned i = 0; i < CENSUS_KINDS; i++) {
		uint64_t got = r->bed.kinds[CENSUS[i]] - before[CENSUS[i]];
		uint64_t wanted = r->expected[CENSUS[i]] * r->lanes * r->setting.laps;

		if (got != wanted)
			report_void(&r->report, "%s: %llu, expected %llu", observation_kind_name(CENSUS[i]),
				    (unsigned long long)got, (unsigned long long)wanted);
	}
	if (c->value[COUNT_FRAMES_IN] != r->actions[INSPECT_FORWARD] + bed_dropped(&r->bed) ||
	    r->actions[INSPECT_DROP] != bed_dropped(&r->bed) || r->actions[INSPECT_HOLD])
		report_void(&r->report, "%llu frames in, %llu forwarded, %llu dropped by name",
			    (unsigned long long)c->value[COUNT_FRAMES_IN], (unsigned long long)r->actions[INSPECT_FORWARD],
			    (unsigned long long)bed_dropped(&r->bed));
	if (c->value[COUNT_OBSERVATIONS_LOST] || c->value[COUNT_FLOWS_FULL] || c->value[COUNT_PROTO_CONTEXT_FULL])
		report_void(&r->report, "lost %llu observations, %llu packets untracked, %llu flows without context",
			    (unsigned long long)c->value[COUNT_OBSERVATIONS_LOST],
			    (unsigned long long)c->value[COUNT_FLOWS_FULL],
			    (unsigned long long)c->value[COUNT_PROTO_CONTEXT_FULL]);
}

static void one_stage(struct run *r, unsigned stage, bool warm)
{
	uint64_t kinds[OBS_KINDS], frames, bytes, faults = measure_faults(),
						  sent = r->bed.counters.value[COUNT_OBSERVATIONS];
	bool all = STAGES[stage].run == stage_all;
	struct report *out = &r->report;
	struct meter m;
	char name[FIGURE_NAME_BYTES];

	memcpy(kinds, r->bed.kinds, sizeof(kinds));
	m = one_pass(r, STAGES[stage].run, &frames, &bytes);
	if (all)
		check_census(r, kinds);
	if (warm)
		return;
	report_cost(out, STAGES[stage].name, &m, frames);
	snprintf(name, sizeof(name), "%s.gbps", STAGES[stage].name);
	report_add(out, name, "Gbit/s", (double)bytes * 8 / (double)m.cpu_ns);
	if (!all)
		return;
	report_add(out, "frames", "a round", (double)frames);
	report_add(out, "frame_bytes", "mean", (double)bytes / (double)frames);
	report_add(out, "observations", "a packet",
		   (double)(r->bed.counters.value[COUNT_OBSERVATIONS] - sent) / (double)frames);
	report_add(out, "flows_held", "in the table", inspect_flows(r->bed.inspect));
	report_add(out, "working_set", "MB of frames and flows",
		   (double)(r->setting.arena_bytes + inspect_flows(r->bed.inspect) * sizeof(struct flow)) / 1e6);
	report_add(out, "faults", "page faults", (double)(measure_faults() - faults));
	report_add(out, "dropped", "frames so far", (double)r->actions[INSPECT_DROP]);
	for (unsigned i = 0; i < CENSUS_KINDS; i++)
		report_add(out, observation_kind_name(CENSUS[i]), "observations",
			   (double)(r->bed.kinds[CENSUS[i]] - kinds[CENSUS[i]]));
}

static void create(struct run *r)
{
	struct flow_config flows = {.flows = (uint32_t)r->flow_capacity, .parked_segments = 1 << 14, .key = {5, 6}};
	struct bed_plan plan = {.flows = (uint32_t)r->flow_capacity, .contexts = (uint32_t)r->contexts, .blocks = (uint32_t)r->blocks};
	static struct prefix inside[8]; // the stations keep the pointer

	plan.inside = inside;
	plan.insides = recording_inside(&r->recording, inside);
	r->feeder = (struct feeder){.recording = &r->recording,
				    .now_ns = r->recording.frame[0].unix_ns,
				    .step_ns = r->step_ns,
				    .arena_bytes = r->setting.arena_bytes,
				    .arena = pages_zeroed(r->setting.arena_bytes)}; // as a pool of mbufs lies
	r->frames = malloc(r->setting.batch * sizeof(*r->frames));
	r->flows = flow_table_create(&flows, &r->flow_counters, NULL, NULL);
	if (!r->feeder.arena || !r->frames || !r->flows)
		log_fatal("out of memory");
	bed_make(&r->bed, &plan, r->feeder.now_ns);
	plan.forward_only = true;
	bed_make(&r->forward, &plan, r->feeder.now_ns);
	r->next_salt = 1;
}

static int measure(struct run *r, uint64_t rounds, const char *only)
{
	bool any = false;

	for (uint64_t round = 0; round <= rounds; round++) // the first one warms up: pages, tables at their usual size
		for (unsigned s = 0; s < STAGE_COUNT; s++)
			if (!only || strcmp(only, STAGES[s].name) == 0) {
				one_stage(r, s, round == 0);
				any = true;
			}
	if (!any)
		log_fatal("--stage %s: headers, decode, flow, forward or all", only);
	report_add(&r->report, "rss", "MB", (double)measure_rss_bytes() / 1e6);
	return report_end(&r->report);
}

// The options that were not given, by what is measured.
static void settle(struct run *r, uint64_t mix, const char *cache, uint64_t step_us)
{
	bool hot = cache && strcmp(cache, "hot") == 0;

	if (cache && !hot && strcmp(cache, "cold") != 0)
		log_fatal("--cache %s: hot or cold", cache);
	if (hot && !mix)
		log_fatal("--cache hot is for --mix");
	r->report.command = !mix ? "inspect" : hot ? "inspect mix hot" : "inspect mix";
	r->setting = !mix ? COLD : hot ? MIX_HOT : MIX_COLD;
	if (!r->lanes)
		r->lanes = r->setting.lanes;
	if (!r->flow_capacity)
		r->flow_capacity = mix ? 1 << 21 : 1 << 20;
	r->step_ns = (step_us ? step_us : r->setting.step_us) * 1000;
}

static void load(struct run *r, const char *path, const char *inside, uint64_t days, uint64_t frames, uint64_t mix)
{
	char made[MIX_PATH_BYTES];

	if (mix) {
		mix_file(made, (uint32_t)mix, r->setting.between_us, &r->mix);
		path = made;
	}
	recording_load(&r->recording, path, inside, days, frames);
	if (mix)
		unlink(made);
}

int inspect_main(int argc, char **argv)
{
	static struct run r; // too large for a stack
	const char *path = NULL, *inside = NULL, *only = NULL, *cache = NULL;
	uint64_t rounds, days = 7, frames = UINT64_MAX, step_us = 0, mix = 0;
	const struct measure_option options[] = {
		{"pcap", NULL, &path, 0, 0, "FILE: instead of the generator's week"},
		{"mix", &mix, NULL, 1, 1000000, "FLOWS: the application mix instead (40000: 1 M packets)"},
		{"cache", NULL, &cache, 0, 0, "cold or hot: of --mix (default cold); hot: give it 2000 flows"},
		{"inside", NULL, &inside, 0, 0, "CIDR: an inside network more"},
		{"days", &days, NULL, 1, 28, "N: of the week (default 7)"},
		{"frames", &frames, NULL, 1, UINT64_MAX, "N: only the first ones (not with --mix)"},
		{"lanes", &r.lanes, NULL, 1, 4096, "N: salted copies a round, side by side (default 32; mix 4, hot 1)"},
		{"stage", NULL, &only, 0, 0, "headers, decode, flow, forward or all (default: each of them)"},
		{"step-us", &step_us, NULL, 1, STEP_US_MOST,
		 "N: notional time between frames (default 20; mix 1, hot 1000)"},
		{"flows", &r.flow_capacity, NULL, 64, FLOW_MAX_FLOWS,
		 "N: table size, a power of two (default 1048576; mix twice that)"},
		{"contexts", &r.contexts, NULL, 1, 1 << 20, "N: protocol contexts (default 65536)"},
		{"blocks", &r.blocks, NULL, 0, 100000, "N: standing blocks (default 1000)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	r.contexts = 1 << 16;
	r.blocks = 1000;
	r.report.command = "inspect";
	if (!measure_options(argc, argv, options, &r.report, &rounds))
		return 2;
	if (mix)
		frames = UINT64_MAX;
	settle(&r, mix, cache, step_us);
	load(&r, path, inside, days, frames, mix);
	expect(&r);
	create(&r);
	return measure(&r, rounds, only);
}
