// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench growth`: what one packet costs when it belongs to any of ten thousand, a hundred thousand or a
// million open flows, picked at random, so that its flow is where memory is, not in the cache.
#include "bed.h"
#include "chance.h"
#include "log.h"
#include "measure.h"
#include "segments.h"

#include <stdio.h>
#include <stdlib.h>

enum { STRETCH = 1024, BATCH = 32768, SIZES = 3, TABLE = 1 << 21 };
#define BASE_NS (1638489600ull * 1000000000ull)

static const uint32_t SIZE[SIZES] = {10000, 100000, 1000000};

struct growth {
	struct bed bed[SIZES];
	uint8_t *arena;
	uint64_t now_ns;
	struct chance chance;
	struct report report;
};

static void stretch(struct growth *g, struct bed *b, const uint8_t *at, size_t n, enum segment_side from)
{
	struct frame f[BED_BURST];
	uint64_t actions[BED_ACTIONS] = {0};

	for (size_t i = 0; i < n; i++) {
		f[i % BED_BURST] = segment_frame(at + i * SEGMENT_STRIDE, from, g->now_ns += 100);
		if (i % BED_BURST == BED_BURST - 1 || i == n - 1)
			bed_burst(b, f, i % BED_BURST + 1, g->now_ns, actions, NULL);
	}
}

static void open_flows(struct growth *g, struct bed *b, uint32_t flows)
{
	static const struct {
		enum segment_side from;
		uint8_t flags;
		uint32_t seq, ack;
	} steps[] = {{SEGMENT_FROM_CLIENT, TCP_SYN, 0, 0},
		     {SEGMENT_FROM_SERVER, TCP_SYN | TCP_ACK, 0, 1},
		     {SEGMENT_FROM_CLIENT, TCP_ACK, 1, 1}};

	for (uint32_t i = 0; i < flows; i++)
		for (unsigned k = 0; k < 3; k++) {
			segment_write(g->arena, i, steps[k].from, steps[k].flags, steps[k].seq, steps[k].ack);
			stretch(g, b, g->arena, 1, steps[k].from);
			bed_drain(b, NULL, NULL);
		}
	if (b->kinds[OBS_FLOW_OPEN] != flows)
		report_void(&g->report, "%llu of %u flows opened", (unsigned long long)b->kinds[OBS_FLOW_OPEN], flows);
}

static void one_round(struct growth *g, unsigned size, uint64_t packets)
{
	struct bed *b = &g->bed[size];
	uint64_t added = b->counters.value[COUNT_FLOWS_ADDED];
	char name[FIGURE_NAME_BYTES];
	struct meter m = {0};

	for (uint64_t done = 0; done < packets; done += BATCH) {
		for (size_t i = 0; i < BATCH; i++)
			segment_write(g->arena + i * SEGMENT_STRIDE, chance_below(&g->chance, SIZE[size]),
				      SEGMENT_FROM_CLIENT, TCP_ACK, 1, 1);
		for (size_t at = 0; at < BATCH; at += STRETCH) {
			meter_start(&m);
			stretch(g, b, g->arena + at * SEGMENT_STRIDE, STRETCH, SEGMENT_FROM_CLIENT);
			meter_stop(&m);
			bed_drain(b, NULL, NULL);
		}
	}
	snprintf(name, sizeof(name), "flows_%u", SIZE[size]);
	report_cost(&g->report, name, &m, (packets + BATCH - 1) / BATCH * BATCH);
	if (b->counters.value[COUNT_FLOWS_ADDED] != added || inspect_flows(b->inspect) != SIZE[size] || bed_dropped(b))
		report_void(&g->report, "%u flows in the table, %u expected", inspect_flows(b->inspect), SIZE[size]);
}

static void add_ratio(struct report *r, unsigned round)
{
	double at[SIZES] = {0};

	for (unsigned i = 0; i < r->figures; i++)
		for (unsigned s = 0; s < SIZES; s++) {
			char name[FIGURE_NAME_BYTES];

			snprintf(name, sizeof(name), "flows_%u.ns", SIZE[s]);
			if (strcmp(r->figure[i].name, name) == 0)
				at[s] = r->figure[i].at[round];
		}
	report_add(r, "growth", "1 M to 10 k", at[0] > 0 ? at[SIZES - 1] / at[0] : 0);
}

int growth_main(int argc, char **argv)
{
	static struct growth g;
	uint64_t rounds, packets = 1 << 21;
	const struct measure_option options[] = {
		{"packets", &packets, NULL, 1, 1 << 30, "N: a round and size (default 2097152)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};
	const struct bed_plan plan = {.flows = TABLE, .contexts = 1024, .blocks = 1000};

	g.report.command = "growth";
	if (!measure_options(argc, argv, options, &g.report, &rounds))
		return 2;
	g.now_ns = BASE_NS;
	g.chance = chance_of(1, 2, 3, 4);
	g.arena = malloc((size_t)BATCH * SEGMENT_STRIDE);
	if (!g.arena)
		log_fatal("out of memory");
	for (unsigned s = 0; s < SIZES; s++) {
		bed_make(&g.bed[s], &plan, g.now_ns);
		open_flows(&g, &g.bed[s], SIZE[s]);
	}
	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned s = 0; s < SIZES; s++)
			one_round(&g, s, packets);
		add_ratio(&g.report, i);
	}
	return report_end(&g.report);
}
