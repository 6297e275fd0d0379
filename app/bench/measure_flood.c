// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench flood`: a SYN flood in which every packet is a new flow, first into an empty table, then on and on:
// once the pool of half-open flows is full, each new one takes the place of another. Memory must not grow.
#include "bed.h"
#include "log.h"
#include "measure.h"
#include "segments.h"

#include <stdlib.h>

enum { STRETCH = 1024, BATCH = 32768, CLIENTS = 1 << 30 };
#define BASE_NS (1638489600ull * 1000000000ull)

struct flood {
	struct bed bed;
	uint8_t *arena;
	uint32_t next; // flow number
	uint64_t now_ns, step_ns, actions[BED_ACTIONS];
	struct report report;
};

static void stretch(struct flood *s, const uint8_t *at, size_t n)
{
	struct frame f[BED_BURST];

	for (size_t i = 0; i < n; i++) {
		f[i % BED_BURST] =
			segment_frame(at + i * SEGMENT_STRIDE, SEGMENT_FROM_CLIENT, s->now_ns += s->step_ns);
		if (i % BED_BURST == BED_BURST - 1 || i == n - 1)
			bed_burst(&s->bed, f, i % BED_BURST + 1, s->now_ns, s->actions, NULL);
	}
}

static struct meter flood(struct flood *s, uint64_t packets)
{
	struct meter m = {0};

	while (packets) {
		size_t n = packets < BATCH ? packets : BATCH;

		for (size_t i = 0; i < n; i++)
			segment_write(s->arena + i * SEGMENT_STRIDE, s->next++ % CLIENTS, SEGMENT_FROM_CLIENT, TCP_SYN,
				      0, 0);
		for (size_t at = 0; at < n; at += STRETCH) {
			meter_start(&m);
			stretch(s, s->arena + at * SEGMENT_STRIDE, n - at < STRETCH ? n - at : STRETCH);
			meter_stop(&m);
			bed_drain(&s->bed, NULL, NULL);
		}
		packets -= n;
	}
	return m;
}

static void check(struct flood *s, uint64_t sent)
{
	const struct counters *c = &s->bed.counters;

	if (c->value[COUNT_FLOWS_ADDED] != sent)
		report_void(&s->report, "%llu packets made %llu flows", (unsigned long long)sent,
			    (unsigned long long)c->value[COUNT_FLOWS_ADDED]);
	if (c->value[COUNT_FRAMES_IN] != s->actions[INSPECT_FORWARD] + s->actions[INSPECT_DROP] ||
	    s->actions[INSPECT_DROP] != bed_dropped(&s->bed))
		report_void(&s->report, "%llu frames in, %llu forwarded", (unsigned long long)c->value[COUNT_FRAMES_IN],
			    (unsigned long long)s->actions[INSPECT_FORWARD]);
}

// One round: a fresh table, so that "filling" is filled anew each time.
static void one_round(struct flood *s, uint32_t flows, uint64_t packets, bool warm)
{
	struct bed_plan plan = {.flows = flows, .contexts = 1024, .blocks = 1000};
	uint64_t rss[4], full = packets > flows ? packets - flows : 0;
	struct meter m;

	s->next = 0;
	s->now_ns = BASE_NS;
	memset(s->actions, 0, sizeof(s->actions));
	rss[0] = measure_rss_bytes();
	bed_make(&s->bed, &plan, s->now_ns);
	rss[1] = measure_rss_bytes();
	if (warm) {
		flood(s, flows);
		bed_free(&s->bed);
		return;
	}
	m = flood(s, flows);
	report_cost(&s->report, "filling", &m, flows);
	rss[2] = measure_rss_bytes();
	m = flood(s, full);
	rss[3] = measure_rss_bytes();
	report_cost(&s->report, "full", &m, full);
	check(s, flows + full);
	report_add(&s->report, "rss.created", "MB", (double)rss[1] / 1e6);
	report_add(&s->report, "rss.filled", "MB", (double)rss[2] / 1e6);
	report_add(&s->report, "rss.end", "MB", (double)rss[3] / 1e6);
	report_add(&s->report, "rss.flow", "bytes a flow", (double)(rss[2] - rss[0]) / flows);
	report_add(&s->report, "evicted", "flows", (double)s->bed.counters.value[COUNT_FLOWS_EVICTED]);
	report_add(&s->report, "expired", "flows", (double)s->bed.counters.value[COUNT_FLOWS_EXPIRED]);
	if (rss[3] > rss[2] + (1 << 20))
		report_void(&s->report, "memory grew by %llu bytes while the table was full",
			    (unsigned long long)(rss[3] - rss[2]));
	bed_free(&s->bed);
}

int flood_main(int argc, char **argv)
{
	static struct flood s;
	uint64_t rounds, flows = 1 << 20, packets = 4 << 20, step_ns = 200;
	const struct measure_option options[] = {
		{"flows", &flows, NULL, 64, FLOW_MAX_FLOWS, "N: table size, a power of two (default 1048576)"},
		{"packets", &packets, NULL, 1, CLIENTS, "N: SYNs a round, each from another client (default 4194304)"},
		{"step-ns", &step_ns, NULL, 1, 1000000000, "N: notional time between packets (default 200)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	s.report.command = "flood";
	if (!measure_options(argc, argv, options, &s.report, &rounds))
		return 2;
	s.step_ns = step_ns;
	s.arena = malloc((size_t)BATCH * SEGMENT_STRIDE);
	if (!s.arena)
		log_fatal("out of memory");
	one_round(&s, (uint32_t)flows, packets, true);
	for (uint64_t i = 0; i < rounds; i++)
		one_round(&s, (uint32_t)flows, packets, false);
	return report_end(&s.report);
}
