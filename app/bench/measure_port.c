// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori-bench-port: the worker's loop on a real DPDK port, net_pcap with infinite_rx, beside which testpmd is run. A
// program of its own, so that nobody else needs DPDK. net_pcap hands out the same frames again and again; to whoever
// keeps state they are repetitions, which fakes speed. So `full` salts every lap on the way (addresses, sequence
// numbers, checksums), and what salting costs is measured by turns with the rest:
//   io       receive, transmit
//   salt     receive, salt, transmit
//   forward  receive, glance, block, transmit: as the wire does with --no-inspect, and with what it sheds. No salt; no flow is looked up, so that flows repeat
//            helps nothing
//   full     receive, salt, all stations, transmit
#include "bed.h"
#include "log.h"
#include "measure.h"
#include "mix.h"
#include "nic.h"
#include "pcap.h"
#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRETCH = 1024, STEP_NS = 1000, FRAME_LEAST = 60 };
_Static_assert((int)NIC_BURST == (int)BED_BURST, "a burst of the port is a burst of the stations");

struct port {
	struct recording recording;
	struct mix_census mix;
	struct bed forward, full;
	uint64_t actions[2][BED_ACTIONS];
	uint64_t now_ns, refused;
	uint32_t salt;
	struct report report;
};

struct turn {
	const char *name;
	struct bed *bed; // NULL: no stations
	uint64_t *actions;
	bool salts;
};

// The salted frame as the stations want it.
static void take(struct port *p, const struct turn *t, struct rte_mbuf *m, size_t number, uint32_t salt, struct frame *f)
{
	if (!nic_frame(&m, p->recording.frame[number].port, p->now_ns += STEP_NS, f))
		log_fatal("a frame of several pieces");
	if (t->salts)
		recording_salt(&p->recording, number, salt, (uint8_t *)(uintptr_t)f->at); // ours: the port has copied it
}

static void burst(struct port *p, const struct turn *t, size_t number, uint32_t salt)
{
	struct rte_mbuf *in[NIC_BURST];
	struct frame f[NIC_BURST];
	uint8_t action[NIC_BURST] = {0};
	unsigned out = 0, n = nic_receive(NIC_INSIDE, 0, in);

	if (n != NIC_BURST)
		log_fatal("the port gave %u frames instead of %d", n, NIC_BURST);
	if (t->bed || t->salts)
		for (unsigned i = 0; i < n; i++)
			take(p, t, in[i], number + i, salt, &f[i]);
	if (t->bed)
		bed_burst(t->bed, f, n, p->now_ns, t->actions, action);
	for (unsigned i = 0; i < n; i++) {
		if (action[i] == INSPECT_DROP)
			nic_free(in[i]);
		else
			in[out++] = in[i];
	}
	p->refused += nic_transmit(NIC_INSIDE, 0, in, out);
}

// One lap is the whole capture, a multiple of a burst.
static void lap(struct port *p, const struct turn *t, struct meter *m)
{
	size_t n = p->recording.frames;
	uint32_t salt = t->salts ? ++p->salt : 0;

	if (salt > SALTS_MOST)
		log_fatal("more laps than salts: fewer --laps or --rounds");
	for (size_t at = 0; at < n;) {
		size_t end = at + STRETCH < n ? at + STRETCH : n;

		meter_start(m);
		for (; at < end; at += NIC_BURST)
			burst(p, t, at, salt);
		meter_stop(m);
		if (t->bed)
			bed_drain(t->bed, NULL, NULL);
	}
}

static void expect(struct port *p, const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		report_void(&p->report, "%s: %llu, expected %llu", what, (unsigned long long)got,
			    (unsigned long long)wanted);
}

// A thousandth of all addresses falls on a hint of a block in vain and goes the long way.
static void check_forward(struct port *p)
{
	double frames = (double)p->forward.counters.value[COUNT_FRAMES_IN], by = (double)p->forward.counters.value[COUNT_INSPECTION_OFF];

	report_add(&p->report, "went_by", "of forward's frames, the others by the long way", by / frames);
	if (by < 0.99 * frames)
		report_void(&p->report, "of the loop that must not look %.0f of %.0f frames went the long way", frames - by, frames);
}

static void check(struct port *p, uint64_t laps)
{
	const uint64_t *kinds = p->full.kinds;
	const struct counters *c = &p->full.counters;

	expect(p, "HTTP requests", kinds[OBS_HTTP_REQUEST], p->mix.http_requests * laps);
	expect(p, "HTTP responses", kinds[OBS_HTTP_RESPONSE], p->mix.http_responses * laps);
	expect(p, "TLS", kinds[OBS_TLS], p->mix.tls * laps);
	expect(p, "DNS", kinds[OBS_DNS], p->mix.dns * laps);
	expect(p, "LDAP", kinds[OBS_LDAP], p->mix.ldap * laps);
	expect(p, "observations lost", c->value[COUNT_OBSERVATIONS_LOST], 0);
	expect(p, "packets untracked", c->value[COUNT_FLOWS_FULL], 0);
	expect(p, "frames in", c->value[COUNT_FRAMES_IN], p->recording.frames * laps);
	expect(p, "frames forwarded and dropped by name", p->actions[1][INSPECT_FORWARD] + bed_dropped(&p->full),
	       p->recording.frames * laps);
	expect(p, "frames the port refused", p->refused, 0);
}

static int measure(struct port *p, uint64_t rounds, uint64_t laps, const char *only)
{
	const struct turn turns[] = {{"io", NULL, NULL, false},
				     {"salt", NULL, NULL, true},
				     {"forward", &p->forward, p->actions[0], false},
				     {"full", &p->full, p->actions[1], true}};
	enum { TURNS = sizeof(turns) / sizeof(turns[0]) };
	double ns[TURNS];

	for (uint64_t round = 0; round <= rounds; round++) {
		for (unsigned i = 0; i < TURNS; i++) {
			struct meter m = {0};

			if (only && strcmp(only, turns[i].name) != 0)
				continue;
			for (uint64_t k = 0; k < laps; k++)
				lap(p, &turns[i], &m);
			ns[i] = (double)m.cpu_ns / (double)(laps * p->recording.frames);
			if (round)
				report_cost(&p->report, turns[i].name, &m, laps * p->recording.frames);
		}
		if (round && !only)
			report_add(&p->report, "full_less_salt.ns", "ns", ns[3] - (ns[1] - ns[0]));
	}
	check(p, !only || strcmp(only, "full") == 0 ? (rounds + 1) * laps : 0);
	if (!only || strcmp(only, "forward") == 0)
		check_forward(p);
	report_add(&p->report, "frame_bytes", "mean", (double)p->recording.total / (double)p->recording.frames);
	report_add(&p->report, "flows_held", "in the table", inspect_flows(p->full.inspect));
	return report_end(&p->report);
}

// The mix, filled up with frames that are not IP to a multiple of a burst, so that a lap ends where a burst does.
static void prepare(struct port *p, uint32_t flows, const char *path)
{
	static const uint8_t filler[FRAME_LEAST] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5}; // local experiment
	struct frame f = {.at = filler, .bytes = FRAME_LEAST, .wire_bytes = FRAME_LEAST, .link = LINK_ETHERNET};
	char error[512], made[MIX_PATH_BYTES];
	struct pcap_sink *sink;
	size_t frames = 0;
	struct pcap_port *port;
	struct frame next;

	mix_file(made, flows, 0, &p->mix);
	port = pcap_port_open(made, error, sizeof(error));
	sink = port ? pcap_sink_open(path, LINK_ETHERNET, error, sizeof(error)) : NULL;
	if (!sink)
		log_fatal("%s", error);
	for (; pcap_port_next(port, &next) == 1; frames++, f.unix_ns = next.unix_ns)
		pcap_sink_write(sink, &next);
	for (; frames % NIC_BURST; frames++)
		pcap_sink_write(sink, &f);
	if (pcap_sink_close(sink) < 0)
		log_fatal("%s cannot be written", path);
	pcap_port_close(port);
	unlink(made);
	recording_load(&p->recording, path, NULL, 0, UINT64_MAX);
	if (p->recording.frames != frames)
		log_fatal("%zu frames of %zu can be used", p->recording.frames, frames);
}

static void start_port(const struct port *p, const char *path)
{
	static char inside[256];
	const struct nic_config c = {
		.port = {inside, "vdev:net_null1"},
		.workers = 1,
		.frame_bytes = 2048,
		.mbufs = (unsigned)p->recording.frames + 65536, // the port keeps the capture in mbufs of ours
		.memory_mb = (unsigned)(p->recording.frames + 65536) / 256 + 256, // without hugepages, a page each
		.file_prefix = "sekimori-bench-port",
	};
	char error[512];

	snprintf(inside, sizeof(inside), "vdev:net_pcap0,rx_pcap=%s,infinite_rx=1", path);
	if (nic_start(&c, error) < 0)
		log_fatal("%s", error);
}

int main(int argc, char **argv)
{
	static struct port p;
	uint64_t rounds, flows = 4000, laps = 8, table = 1 << 20, blocks = 1000;
	const char *path = "/tmp/sekimori-port.pcap", *only = NULL;
	const struct measure_option options[] = {
		{"mix", &flows, NULL, 1, 40000, "FLOWS: of the mix (default 4000, 100,000 frames held as mbufs)"},
		{"laps", &laps, NULL, 1, 1000, "N: a round and turn (default 8)"},
		{"flows", &table, NULL, 64, FLOW_MAX_FLOWS, "N: table size, a power of two (default 1048576)"},
		{"blocks", &blocks, NULL, 0, 100000, "N: standing blocks (default 1000)"},
		{"stage", NULL, &only, 0, 0, "io, salt, forward or full (default: each of them)"},
		{"capture", NULL, &path, 0, 0, "FILE: where the capture goes, for a peer to be given the same"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};
	struct prefix inside[8];
	struct bed_plan plan = {.contexts = 1 << 16};

	p.report.command = "port";
	if (!measure_options(argc, argv, options, &p.report, &rounds))
		return 2;
	prepare(&p, (uint32_t)flows, path);
	plan.flows = (uint32_t)table;
	plan.blocks = (uint32_t)blocks;
	plan.inside = inside;
	plan.insides = recording_inside(&p.recording, inside);
	p.now_ns = p.recording.frame[0].unix_ns;
	bed_make(&p.full, &plan, p.now_ns);
	plan.forward_only = true;
	bed_make(&p.forward, &plan, p.now_ns);
	start_port(&p, path);
	return measure(&p, rounds, laps, only);
}
