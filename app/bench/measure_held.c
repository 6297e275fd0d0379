// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench held`: flows that are open stay inspected while SYNs flood the table. A million connections are opened,
// five million half-open ones come on top, then every connection of the million says something that must be noticed.
#include "connections.h"
#include "log.h"
#include "measure.h"
#include "segments.h"

#define BASE_NS (1638489600ull * 1000000000ull)

struct held {
	struct bed bed;
	struct connections connections;
	uint64_t flood_frames, asked; // asked: of the held ones, the oldest, that say something afterwards
	struct report report;
};

static void expect(struct held *s, const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		report_void(&s->report, "%s: %llu, expected %llu", what, (unsigned long long)got,
			    (unsigned long long)wanted);
}

static struct meter flood(struct held *s, uint32_t first, uint64_t count)
{
	static struct frame frames[1024];
	struct connections *c = &s->connections;
	struct meter m = {0};

	for (uint64_t done = 0; done < count;) {
		uint32_t n = count - done < 1024 ? (uint32_t)(count - done) : 1024;

		for (uint32_t i = 0; i < n; i++) {
			uint8_t *at = c->arena + (size_t)i * SEGMENT_STRIDE;

			segment_write(at, first + (uint32_t)done + i, SEGMENT_FROM_CLIENT, TCP_SYN, 0, 0);
			frames[i] = segment_frame(at, SEGMENT_FROM_CLIENT, c->now_ns += c->step_ns);
		}
		meter_start(&m);
		for (uint32_t i = 0; i < n; i += BED_BURST)
			bed_burst(&s->bed, frames + i, n - i < BED_BURST ? n - i : BED_BURST, frames[i].unix_ns,
				  c->actions, NULL);
		meter_stop(&m);
		bed_drain(&s->bed, NULL, NULL);
		done += n;
	}
	s->flood_frames += count;
	return m;
}

// Nothing of the flood may have cost a connection its inspection.
static void check(struct held *s, uint64_t opened_again)
{
	const struct counters *c = &s->bed.counters;
	uint64_t frames = s->connections.frames + s->flood_frames;

	expect(s, "requests seen on held flows", s->bed.kinds[OBS_HTTP_REQUEST], s->asked);
	expect(s, "look-ups found on held flows", s->bed.kinds[OBS_JNDI], s->asked);
	expect(s, "answers seen on held flows", s->bed.kinds[OBS_HTTP_RESPONSE], s->asked);
	expect(s, "flows without inspection", s->bed.kinds[OBS_UNINSPECTED], 0);
	expect(s, "flows taken up in midstream", c->value[COUNT_TCP_MIDSTREAM], 0);
	expect(s, "connections lost and opened again", opened_again, 0);
	expect(s, "frames in", c->value[COUNT_FRAMES_IN], frames);
	expect(s, "frames forwarded and dropped by name", s->connections.actions[INSPECT_FORWARD] + bed_dropped(&s->bed),
	       frames);
	expect(s, "observations lost", c->value[COUNT_OBSERVATIONS_LOST], 0);
}

static void figures(struct held *s, uint64_t held, const uint64_t rss[3])
{
	struct report *r = &s->report;

	report_add(r, "held", "connections", (double)held);
	report_add(r, "asked", "connections", (double)s->asked);
	report_add(r, "still_inspected", "look-ups found", (double)s->bed.kinds[OBS_JNDI]);
	report_add(r, "flooded", "SYNs", (double)s->flood_frames);
	report_add(r, "untracked", "packets", (double)s->bed.counters.value[COUNT_FLOWS_FULL]);
	report_add(r, "evicted", "half-open flows", (double)s->bed.counters.value[COUNT_FLOWS_EVICTED]);
	report_add(r, "rss.opened", "MB", (double)rss[1] / 1e6);
	report_add(r, "rss.flooded", "MB", (double)rss[2] / 1e6);
	report_add(r, "rss.flow", "bytes a connection held", (double)(rss[1] - rss[0]) / (double)held);
}

static void one_round(struct held *s, const struct bed_plan *plan, uint32_t held, uint64_t syns, uint64_t step_ns)
{
	struct connections *c = &s->connections;
	uint64_t rss[3] = {measure_rss_bytes()}, opened;
	struct meter m, after = {0};

	s->flood_frames = 0;
	bed_make(&s->bed, plan, BASE_NS);
	connections_make(c, &s->bed, BASE_NS, step_ns);
	c->look_up = true;
	connections_run(c, 0, held, STEP_SYN, STEP_OPENED, NULL);
	expect(s, "connections opened", s->bed.kinds[OBS_FLOW_OPEN], held);
	rss[1] = measure_rss_bytes();
	opened = s->bed.kinds[OBS_FLOW_OPEN];
	m = flood(s, held, syns);
	rss[2] = measure_rss_bytes();
	connections_run(c, 0, (uint32_t)s->asked, STEP_REQUEST, CONNECTION_STEPS, &after);
	report_cost(&s->report, "flood", &m, syns);
	report_cost(&s->report, "after", &after, s->asked * (CONNECTION_STEPS - STEP_REQUEST));
	figures(s, held, rss);
	check(s, s->bed.kinds[OBS_FLOW_OPEN] - opened);
	bed_free(&s->bed);
}

int held_main(int argc, char **argv)
{
	static struct held s;
	uint64_t rounds, held = 1000000, syns = 5000000, flows = 1 << 21, step_ns = 200;
	const struct measure_option options[] = {
		{"held", &held, NULL, 1, FLOW_MAX_FLOWS, "N: connections opened first (default 1000000)"},
		{"asked", &s.asked, NULL, 1, FLOW_MAX_FLOWS, "N: of them that say something afterwards (default all)"},
		{"syns", &syns, NULL, 1, 1 << 30, "N: of the flood (default 5000000)"},
		{"flows", &flows, NULL, 64, FLOW_MAX_FLOWS, "N: table size, a power of two (default 2097152)"},
		{"as", NULL, &s.report.command, 0, 0, "NAME: in the figures, where two runs are told apart"},
		{"step-ns", &step_ns, NULL, 1, 1000000000, "N: notional time between frames (default 200)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};
	struct bed_plan plan = {.contexts = 1 << 14, .blocks = 1000};

	s.report.command = "held";
	if (!measure_options(argc, argv, options, &s.report, &rounds))
		return 2;
	if (!s.asked || s.asked > held)
		s.asked = held;
	plan.flows = (uint32_t)flows;
	for (uint64_t i = 0; i < rounds; i++)
		one_round(&s, &plan, (uint32_t)held, syns, step_ns);
	return report_end(&s.report);
}
