// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench pass`: one capture once through lib/inspect, as a peer is run: file read by our own reader, one thread, whole
// process measured from outside. With --eve every observation becomes an event line; nothing is learned or judged.
#include "bed.h"
#include "eve.h"
#include "log.h"
#include "measure.h"
#include "pcap.h"

#include <errno.h>
#include <stdlib.h>

enum { CONTEXTS = 1 << 14, STEPS_MOST = 1 << 20 };
#define DAY_NS (86400ull * 1000000000ull)

struct pass {
	struct bed bed;
	struct eve *eve;
	struct frame frames[BED_BURST];
	uint64_t actions[BED_ACTIONS], packets;
	bool read_only;
	struct report report;
};

static void write_event(void *user, const struct observation *o)
{
	struct pass *p = user;

	eve_observation(p->eve, o, NULL);
}

static void burst(struct pass *p, unsigned n)
{
	p->packets += n;
	if (!n || p->read_only)
		return;
	bed_burst(&p->bed, p->frames, n, p->frames[n - 1].unix_ns, p->actions, NULL);
	bed_drain(&p->bed, p->eve ? write_event : NULL, p);
}

// Every flow times out, step by step: all at once would not fit the ring.
static void end_flows(struct pass *p, uint64_t now_ns)
{
	for (unsigned i = 0; i < STEPS_MOST && inspect_flows(p->bed.inspect); i++) {
		inspect_step(p->bed.inspect, now_ns + DAY_NS, now_ns + DAY_NS);
		bed_drain(&p->bed, p->eve ? write_event : NULL, p);
	}
}

static void read_all(struct pass *p, struct pcap_port *port)
{
	uint64_t now_ns = 0;
	unsigned n;

	while ((n = pcap_port_burst(port, p->frames, BED_BURST))) {
		if (!p->packets)
			inspect_step(p->bed.inspect, p->frames[0].unix_ns, p->frames[0].unix_ns);
		now_ns = p->frames[n - 1].unix_ns;
		burst(p, n);
	}
	if (pcap_port_note(port)[0])
		report_void(&p->report, "%s", pcap_port_note(port));
	end_flows(p, now_ns);
}

static int tell(struct pass *p)
{
	static const enum observation_kind kinds[] = {OBS_HTTP_REQUEST, OBS_HTTP_RESPONSE, OBS_TLS,
						      OBS_DNS,		OBS_LDAP,	   OBS_FLOW_CLOSE};

	report_add(&p->report, "packets", "read", (double)p->packets);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		report_add(&p->report, observation_kind_name(kinds[i]), "observations", (double)p->bed.kinds[kinds[i]]);
	if (p->bed.counters.value[COUNT_OBSERVATIONS_LOST] || p->bed.counters.value[COUNT_BRAIN_EVENTS_LOST])
		report_void(&p->report, "observations or event lines were lost");
	return report_end(&p->report);
}

int pass_main(int argc, char **argv)
{
	static struct pass p;
	const char *path = NULL, *eve = NULL, *only = NULL;
	uint64_t rounds;
	const struct measure_option options[] = {
		{"pcap", NULL, &path, 0, 0, "FILE: the capture"},
		{"only", NULL, &only, 0, 0, "read: the file, nothing else"},
		{"eve", NULL, &eve, 0, 0, "FILE: event lines, one for each observation"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};
	const struct bed_plan plan = {.flows = 1 << 17, .contexts = CONTEXTS, .replay = true};
	struct pcap_port *port;
	struct meter m = {0};
	char error[512];

	p.report.command = "pass";
	if (!measure_options(argc, argv, options, &p.report, &rounds))
		return 2;
	if (only && strcmp(only, "read") != 0)
		log_fatal("--only %s: read", only);
	p.read_only = only;
	port = path ? pcap_port_open(path, error, sizeof(error)) : NULL;
	if (!port)
		log_fatal("%s", path ? error : "--pcap is missing");
	bed_make(&p.bed, &plan, 0);
	p.eve = eve ? eve_open(eve, "bench", path, &p.bed.counters) : NULL;
	if (eve && !p.eve)
		log_fatal("%s: %s", eve, strerror(errno));
	meter_start(&m);
	read_all(&p, port);
	meter_stop(&m);
	if (p.packets)
		report_cost(&p.report, "packet", &m, p.packets); // less what a process is before its first
	pcap_port_close(port);
	eve_close(p.eve);
	return tell(&p);
}
