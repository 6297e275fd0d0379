// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench table`: what the flow table costs by itself, in bursts as a network card brings them: packets are made
// (not decoded) outside the measured stretches. Finding flows picked at random among few and many; then a flood of new
// ones while those are held, after which every one of them must be open and inspected as before, or the run is void.
#include "chance.h"
#include "flow.h"
#include "log.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { BURST = 32, STRETCH = 1024, SIZES = 3, HEADER_BYTES = 60 };
enum { CLIENT_FIRST = 1000, SERVER_FIRST = 5000 }; // numbers of their SYNs
#define BASE_NS (1638489600ull * 1000000000ull)

struct bench {
	struct flow_table *table;
	struct counters counters;
	uint64_t now_ns, step_ns, delivered, sink;
	struct packet packet[STRETCH];
	struct flow *flow[BURST];
	struct flow_key key[BURST];
	enum flow_side sender[BURST];
	struct chance chance;
	struct report report;
};

typedef void (*burst_fn)(struct bench *b, const struct packet *p);

static struct packet packet_of(uint32_t flow, enum flow_side from, uint8_t flags, uint32_t seq, uint32_t ack)
{
	const uint8_t server[4] = {192, 0, 2, 10};
	// 256 ports an address
	const uint8_t client[4] = {11, (uint8_t)(flow >> 24), (uint8_t)(flow >> 16), (uint8_t)(flow >> 8)};
	struct packet p = {.transport = TRANSPORT_TCP, .tcp_flags = flags, .window = 1000};
	uint16_t port = (uint16_t)(20000 + flow % 256);

	p.source = address_v4(from ? server : client);
	p.destination = address_v4(from ? client : server);
	p.source_port = from ? 443 : port;
	p.destination_port = from ? port : 443;
	p.seq = seq + (from ? SERVER_FIRST : CLIENT_FIRST);
	p.ack = flags & TCP_ACK ? ack + (from ? CLIENT_FIRST : SERVER_FIRST) : 0;
	return p;
}

static void find(struct bench *b, const struct packet *p)
{
	for (unsigned i = 0; i < BURST; i++) {
		flow_key_of(b->table, &p[i], &b->key[i]);
		flow_prefetch_bucket(b->table, &b->key[i]);
	}
	for (unsigned i = 0; i < BURST; i++)
		flow_prefetch(b->table, &b->key[i]);
	for (unsigned i = 0; i < BURST; i++)
		b->sink += flow_context_peek(b->table, &b->key[i]);
	for (unsigned i = 0; i < BURST; i++)
		b->flow[i] = flow_find_or_add(b->table, &p[i], &b->key[i], b->now_ns, &b->sender[i]);
}

static void singly(struct bench *b, const struct packet *p)
{
	for (unsigned i = 0; i < BURST; i++) {
		flow_key_of(b->table, &p[i], &b->key[i]);
		b->flow[i] = flow_find_or_add(b->table, &p[i], &b->key[i], b->now_ns, &b->sender[i]);
	}
}

// Each flow is found when the packet before has been counted: a burst may hold several of one flow.
static void update(struct bench *b, const struct packet *p)
{
	const struct frame frame = {.bytes = HEADER_BYTES, .wire_bytes = HEADER_BYTES, .unix_ns = b->now_ns};

	for (unsigned i = 0; i < BURST; i++) {
		flow_key_of(b->table, &p[i], &b->key[i]);
		flow_prefetch_bucket(b->table, &b->key[i]);
	}
	for (unsigned i = 0; i < BURST; i++)
		flow_prefetch(b->table, &b->key[i]);
	for (unsigned i = 0; i < BURST; i++) {
		struct flow *f = flow_find_or_add(b->table, &p[i], &b->key[i], b->now_ns, &b->sender[i]);

		if (f)
			b->sink += flow_update(b->table, f, b->sender[i], &frame, &p[i]);
	}
}

static void stretch(struct bench *b, burst_fn run)
{
	for (unsigned at = 0; at < STRETCH; at += BURST) {
		flow_table_step(b->table, b->now_ns += b->step_ns * BURST);
		run(b, b->packet + at);
	}
}

static void delivered(void *user, struct flow *f, enum flow_side sender, struct bytes data, bool gap)
{
	struct bench *b = user;

	b->delivered += data.left;
}

static struct flow *pass(struct bench *b, const struct packet *p, struct bytes payload)
{
	const struct frame frame = {.bytes = HEADER_BYTES, .wire_bytes = HEADER_BYTES, .unix_ns = b->now_ns};
	enum flow_side sender;
	struct flow_key key;
	struct flow *f;

	flow_key_of(b->table, p, &key);
	f = flow_find_or_add(b->table, p, &key, b->now_ns, &sender);
	if (!f)
		return NULL;
	flow_update(b->table, f, sender, &frame, p);
	flow_order(b->table, f, sender, p, payload, NULL, delivered, b);
	return f;
}

static void open_flows(struct bench *b, uint32_t flows)
{
	const struct bytes none = {NULL, 0};

	for (uint32_t i = 0; i < flows; i++) {
		const struct packet syn = packet_of(i, FLOW_CLIENT, TCP_SYN, 0, 0);
		const struct packet answer = packet_of(i, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1);
		const struct packet ack = packet_of(i, FLOW_CLIENT, TCP_ACK, 1, 1);

		pass(b, &syn, none);
		pass(b, &answer, none);
		pass(b, &ack, none);
	}
	if (flow_count(b->table) != flows)
		report_void(&b->report, "%u of %u flows opened", flow_count(b->table), flows);
}

static void measure_known(struct bench *b, const char *name, uint32_t flows, uint64_t packets, burst_fn run)
{
	char text[FIGURE_NAME_BYTES];
	struct meter m = {0};

	for (uint64_t done = 0; done < packets; done += STRETCH) {
		for (unsigned i = 0; i < STRETCH; i++)
			b->packet[i] = packet_of(chance_below(&b->chance, flows), FLOW_CLIENT, TCP_ACK, 1, 1);
		meter_start(&m);
		stretch(b, run);
		meter_stop(&m);
	}
	snprintf(text, sizeof(text), "%s_%u", name, flows);
	report_cost(&b->report, text, &m, (packets + STRETCH - 1) / STRETCH * STRETCH);
}

static void measure_flood(struct bench *b, const char *name, uint32_t from, uint64_t packets, uint8_t transport)
{
	uint64_t added = b->counters.value[COUNT_FLOWS_ADDED];
	struct meter m = {0};

	for (uint64_t done = 0; done < packets; done += STRETCH) {
		for (unsigned i = 0; i < STRETCH; i++) {
			b->packet[i] = packet_of(from++, FLOW_CLIENT, TCP_SYN, 0, 0);
			b->packet[i].transport = transport;
		}
		meter_start(&m);
		stretch(b, update);
		meter_stop(&m);
	}
	packets = (packets + STRETCH - 1) / STRETCH * STRETCH;
	report_cost(&b->report, name, &m, packets);
	if (b->counters.value[COUNT_FLOWS_ADDED] - added != packets)
		report_void(&b->report, "%llu packets made %llu flows", (unsigned long long)packets,
			    (unsigned long long)(b->counters.value[COUNT_FLOWS_ADDED] - added));
}

// Each of the flows opened first takes its next bytes.
static void check_held(struct bench *b, uint32_t flows)
{
	const uint8_t text[4] = "held";
	uint32_t lost = 0;

	for (uint32_t i = 0; i < flows; i++) {
		struct packet p = packet_of(i, FLOW_CLIENT, TCP_ACK | TCP_PSH, 1, 1);
		uint64_t before = b->delivered;
		const struct flow *f;

		p.payload_bytes = sizeof(text);
		f = pass(b, &p, bytes_of(text, sizeof(text)));
		lost += !f || f->flags & (FLOW_FLAG_MIDSTREAM | FLOW_FLAG_UNINSPECTED) ||
			b->delivered != before + sizeof(text);
	}
	report_add(&b->report, "held.lost", "flows", lost);
	if (lost)
		report_void(&b->report, "%u of %u open flows lost their inspection in the flood", lost, flows);
}

static void begin(struct bench *b, uint32_t capacity)
{
	struct flow_config config = {.flows = capacity, .parked_segments = 1 << 10, .key = {5, 6}};

	b->table = flow_table_create(&config, &b->counters, NULL, NULL);
	if (!b->table)
		log_fatal("out of memory");
	b->now_ns = BASE_NS;
}

static void one_round(struct bench *b, uint32_t capacity, const uint32_t sizes[SIZES], uint64_t packets, uint64_t flood)
{
	for (unsigned i = 0; i < SIZES; i++) {
		struct meter m = {0};

		meter_start(&m);
		begin(b, capacity);
		meter_stop(&m);
		report_add(&b->report, "create", "ms", (double)m.cpu_ns / 1e6);
		open_flows(b, sizes[i]);
		measure_known(b, "singly", sizes[i], packets, singly);
		measure_known(b, "find", sizes[i], packets, find);
		measure_known(b, "update", sizes[i], packets, update);
		if (i == SIZES - 1) {
			measure_flood(b, "flood_syn", 1u << 28, flood, TRANSPORT_TCP);
			measure_flood(b, "flood_udp", 1u << 29, flood, TRANSPORT_UDP);
			check_held(b, sizes[i]);
			report_add(&b->report, "bytes", "a flow of the capacity",
				   (double)flow_table_bytes(b->table) / capacity);
		}
		flow_table_destroy(b->table);
	}
}

int table_main(int argc, char **argv)
{
	static struct bench b;
	uint64_t rounds, capacity = 1 << 21, most = 1000000, packets = 1 << 21, flood = 5000000, step_ns = 100;
	const struct measure_option options[] = {
		{"capacity", &capacity, NULL, 20000, FLOW_MAX_FLOWS, "N: table size (default 2097152)"},
		{"flows", &most, NULL, 10000, FLOW_MAX_FLOWS, "N: the most that are held (default 1000000)"},
		{"packets", &packets, NULL, 1, 1 << 30, "N: a figure (default 2097152)"},
		{"flood", &flood, NULL, 1, 1 << 28, "N: new flows of each flood (default 5000000)"},
		{"step-ns", &step_ns, NULL, 1, 1000000, "N: notional time between packets (default 100)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	b.report.command = "table";
	if (!measure_options(argc, argv, options, &b.report, &rounds))
		return 2;
	b.chance = chance_of(1, 2, 3, 4);
	b.step_ns = step_ns;
	for (uint64_t i = 0; i < rounds; i++)
		one_round(&b, (uint32_t)capacity, (const uint32_t[SIZES]){10000, (uint32_t)(most / 10), (uint32_t)most},
			  packets, flood);
	return report_end(&b.report);
}
