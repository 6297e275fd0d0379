// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench cps`: whole HTTP connections a second on one core: SYN, one GET, its answer, both FINs; ten frames. The
// frames of thousands of connections take turns, so that each look-up goes to another flow.
#include "connections.h"
#include "log.h"
#include "measure.h"

#define BASE_NS (1638489600ull * 1000000000ull)

struct cps {
	struct bed bed;
	struct connections connections;
	struct report report;
};

static void expect(struct cps *s, const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		report_void(&s->report, "%s: %llu, expected %llu", what, (unsigned long long)got,
			    (unsigned long long)wanted);
}

static void check(struct cps *s, uint64_t count)
{
	const struct counters *c = &s->bed.counters;

	expect(s, "HTTP requests", s->bed.kinds[OBS_HTTP_REQUEST], count);
	expect(s, "HTTP responses", s->bed.kinds[OBS_HTTP_RESPONSE], count);
	expect(s, "flows opened", s->bed.kinds[OBS_FLOW_OPEN], count);
	expect(s, "flows without inspection", s->bed.kinds[OBS_UNINSPECTED], 0);
	expect(s, "frames in", c->value[COUNT_FRAMES_IN], s->connections.frames);
	expect(s, "frames forwarded and dropped by name", s->connections.actions[INSPECT_FORWARD] + bed_dropped(&s->bed),
	       s->connections.frames);
	expect(s, "frames dropped", bed_dropped(&s->bed), 0);
	expect(s, "observations lost", c->value[COUNT_OBSERVATIONS_LOST], 0);
	expect(s, "packets untracked", c->value[COUNT_FLOWS_FULL], 0);
}

static void one_round(struct cps *s, const struct bed_plan *plan, uint32_t count, uint64_t step_ns, bool warm)
{
	struct connections *c = &s->connections;
	struct meter m = {0};

	bed_make(&s->bed, plan, BASE_NS);
	connections_make(c, &s->bed, BASE_NS, step_ns);
	connections_run(c, 0, count, STEP_SYN, CONNECTION_STEPS, &m);
	if (!warm) {
		check(s, count);
		report_cost(&s->report, "connection", &m, count);
		report_cost(&s->report, "packet", &m, c->frames);
		report_add(&s->report, "frame_bytes", "mean", (double)c->bytes / (double)c->frames);
		report_add(&s->report, "flows_held", "in the table", inspect_flows(s->bed.inspect));
	}
	bed_free(&s->bed);
}

int cps_main(int argc, char **argv)
{
	static struct cps s;
	uint64_t rounds, connections = 1000000, flows = 1 << 20, step_ns = 200;
	const struct measure_option options[] = {
		{"connections", &connections, NULL, 1, 1 << 30, "N: a round (default 1000000)"},
		{"flows", &flows, NULL, 64, FLOW_MAX_FLOWS, "N: table size, a power of two (default 1048576)"},
		{"step-ns", &step_ns, NULL, 1, 1000000000, "N: notional time between frames (default 200)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};
	struct bed_plan plan = {.contexts = 1 << 14, .blocks = 1000};

	s.report.command = "cps";
	if (!measure_options(argc, argv, options, &s.report, &rounds))
		return 2;
	plan.flows = (uint32_t)flows;
	one_round(&s, &plan, (uint32_t)connections, step_ns, true);
	for (uint64_t i = 0; i < rounds; i++)
		one_round(&s, &plan, (uint32_t)connections, step_ns, false);
	return report_end(&s.report);
}
