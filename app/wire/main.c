// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori-wire: the only program that touches frames. Start-up ladder: options → memory files → ports → workers → serve.
#include "log.h"
#include "text.h"
#include "wire.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { DEFAULT_FLOWS = 1 << 17, DEFAULT_CONTEXTS = 1 << 14, BLOCKS = 1 << 17, PARKED = 1 << 14 };

static const char usage[] =
	"usage: sekimori-wire --inside PORT --outside PORT [options]\n"
	"  PORT                 interface name (af_packet), xdp:NAME (af_xdp), PCI address, or vdev:STRING\n"
	"                       (af_packet makes an outer 0x88a8 tag an 0x8100; the others keep it)\n"
	"                       (GRO and LRO of an interface are turned off)\n"
	"  --run-dir DIR        sockets for the brain and the CLI (default /run/sekimori)\n"
	"  --inside-net CIDR    networks on the inside beyond what the port says (repeatable)\n"
	"  --never CIDR         never refused, whatever the brain says (repeatable)\n"
	"  --flows N            flow table, a power of two (default 131072)\n"
	"  --workers N          threads that inspect (default 1, at most 16); one more deals frames out to them\n"
	"  --own-queues         the ports deal frames out themselves, a queue for each worker (NICs with RSS)\n"
	"  --frame-bytes N      largest frame (default 2048, at most 16384; jumbo frames of 9000 need 16384)\n"
	"  --hugepages          use hugepages (default: ordinary memory)\n"
	"  --memory MB          without hugepages (default 256, more for large frames)\n"
	"  --mbufs N            frames the pool holds (default 16384 a queue)\n"
	"  --no-inspect         forward and block only, for measuring; counted as uninspected\n"
	"  --idle-us N          nap when idle; 0 spins (default 50)\n"
	"  --strict             drop what cannot be inspected instead of forwarding and flagging it (all limits)\n"
	"  --drop LIMIT         the same for one limit, by its counter's name, e.g. tcp_park_full (repeatable)\n"
	"  --forward LIMIT      the opposite, after --strict (repeatable)\n"
	"  --file-prefix NAME   DPDK's, so that several wires share a machine\n";

static const struct option options[] = {
	{"inside", required_argument, NULL, 'i'},     {"outside", required_argument, NULL, 'o'},
	{"run-dir", required_argument, NULL, 'r'},    {"inside-net", required_argument, NULL, 'n'},
	{"never", required_argument, NULL, 'N'},      {"flows", required_argument, NULL, 'f'},
	{"workers", required_argument, NULL, 'w'},    {"frame-bytes", required_argument, NULL, 'b'},
	{"hugepages", no_argument, NULL, 'H'},        {"memory", required_argument, NULL, 'm'},
	{"idle-us", required_argument, NULL, 'u'},    {"file-prefix", required_argument, NULL, 'p'},
	{"own-queues", no_argument, NULL, 'Q'},
	{"strict", no_argument, NULL, 's'},           {"drop", required_argument, NULL, 'd'},
	{"forward", required_argument, NULL, 'F'},
	{"no-inspect", no_argument, NULL, 'I'},       {"mbufs", required_argument, NULL, 'M'},
	{"help", no_argument, NULL, 'h'},             {NULL, 0, NULL, 0},
};

static unsigned number(const char *text, unsigned max)
{
	uint64_t n;

	if (bytes_to_u64(bytes_of_text(text), max, &n) < 0)
		log_fatal("\"%s\": a number up to %u was expected", text, max);
	return (unsigned)n;
}

static void add_prefix(struct prefix *list, unsigned *n, unsigned max, const char *text)
{
	if (*n == max || prefix_parse(bytes_of_text(text), &list[*n]) < 0)
		log_fatal("\"%s\": not a network such as 192.0.2.0/24 (or more than %u of them)", text, max);
	++*n;
}

// By its counter's name; NULL: all of them.
static void set_limit(struct wire_options *o, const char *name, bool refuse)
{
	unsigned found = 0;

	for (const enum counter *l = inspect_limit; *l != COUNTER_COUNT; l++) {
		if (name && strcmp(counter_name(*l), name) != 0)
			continue;
		o->refuse[*l] = refuse;
		found++;
	}
	if (found)
		return;
	fprintf(stderr, "\"%s\" is not a limit. Limits are:\n", name);
	for (const enum counter *l = inspect_limit; *l != COUNTER_COUNT; l++)
		fprintf(stderr, "  %-22s %s\n", counter_name(*l), counter_text(*l));
	exit(2);
}

static void read_option(struct wire_options *o, int c)
{
	switch (c) {
	case 'i': o->nic.port[NIC_INSIDE] = optarg; break;
	case 'o': o->nic.port[NIC_OUTSIDE] = optarg; break;
	case 'r': o->run_dir = optarg; break;
	case 'n': add_prefix(o->inside, &o->insides, WIRE_INSIDE, optarg); break;
	case 'N': add_prefix(o->never, &o->nevers, WIRE_NEVER, optarg); break;
	case 'f': o->flows = number(optarg, FLOW_MAX_FLOWS); break;
	case 'w': o->nic.workers = number(optarg, NIC_QUEUES); break;
	case 'Q': o->nic.own_queues = true; break;
	case 'b': o->nic.frame_bytes = number(optarg, NIC_FRAME_BYTES); break;
	case 'H': o->nic.hugepages = true; break;
	case 'm': o->nic.memory_mb = number(optarg, 65536); break;
	case 'I': o->forward_only = true; break;
	case 'M': o->nic.mbufs = number(optarg, 1 << 24); break;
	case 'u': o->idle_us = number(optarg, 10000); break;
	case 'p': o->nic.file_prefix = optarg; break;
	case 's': set_limit(o, NULL, true); break;
	case 'd': set_limit(o, optarg, true); break;
	case 'F': set_limit(o, optarg, false); break;
	case 'h': fputs(usage, stdout); exit(0);
	default: fputs(usage, stderr); exit(2);
	}
}

static void read_options(struct wire_options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		read_option(o, c);
	if (!o->nic.port[0] || !o->nic.port[1] || optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	if (o->flows & (o->flows - 1))
		log_fatal("--flows must be a power of two");
	if (o->nic.workers < 1)
		log_fatal("--workers must be at least 1");
}

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		wire_panic = 1;
	else
		wire_stop = 1;
}

static struct siphash_key random_key(void)
{
	struct siphash_key k;

	if (getrandom(&k, sizeof(k), 0) != sizeof(k))
		log_fatal("no random numbers: %s", strerror(errno));
	return k;
}

static void create_sheets(struct wire *w)
{
	struct siphash_key filter = random_key();
	void *map;
	int r;

	w->wire_bytes = wire_sheet_bytes(w->workers);
	r = sheet_create("sekimori-wire", w->wire_bytes, &w->wire_fd, &map);
	if (r < 0)
		log_fatal("memory file: %s", strerror(-r));
	w->sheet = map;
	wire_sheet_init(w->sheet, w->workers, random_key().k0, &filter);
	r = sheet_seal_writer(w->wire_fd);
	if (r < 0)
		log_fatal("memory file cannot be sealed: %s", strerror(-r));
	r = sheet_create("sekimori-brain", sizeof(struct brain_sheet), &w->brain_fd, &map);
	if (r < 0)
		log_fatal("memory file: %s", strerror(-r));
	brain_sheet_init(map);
	munmap(map, sizeof(struct brain_sheet));
	r = sheet_map(w->brain_fd, sizeof(struct brain_sheet), false, &map); // what the brain writes, the wire only reads
	if (r < 0)
		log_fatal("memory file cannot be mapped: %s", strerror(-r));
	w->brain = map;
	r = sheet_seal(w->brain_fd); // no seal can be added later: neither side can change the rules of the other
	if (r < 0)
		log_fatal("memory file cannot be sealed: %s", strerror(-r));
}

static bool transmit(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	struct worker *w = user;

	return worker_transmit(w, port, frame, n);
}

static void forward(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	struct worker *w = user;

	worker_forward(w, port, frame, n);
}

static void blocked(void *user, const struct verdict *rule)
{
	struct worker *w = user;
	uint64_t now = clock_unix_ns(), took = now > rule->evidence_ns ? now - rule->evidence_ns : 0;
	uint32_t n = w->block_samples;

	if (!rule->evidence_ns || took > NS_PER_S) // made by a person, or said again after a restart
		return;
	w->block_ns[n % WIRE_SAMPLES] = (uint32_t)took;
	__atomic_store_n(&w->block_samples, n + 1, __ATOMIC_RELEASE);
}

static void create_worker(struct wire *w, unsigned i)
{
	struct worker *k = &w->worker[i];
	struct inspect_config c = {
		.flow = {.flows = w->options.flows, .parked_segments = PARKED, .key = random_key()},
		.contexts = w->options.contexts, .blocks = BLOCKS, .inside = w->options.inside, .inside_count = w->options.insides,
		.forward_only = w->options.forward_only, .never = w->options.never, .never_count = w->options.nevers, .worker = i, .wire = w->sheet, .brain = w->brain,
		.hooks = {.transmit = transmit, .forward = forward, .blocked = blocked, .user = k}, .counters = &k->counters,
	};

	memcpy(c.refuse, w->options.refuse, sizeof(c.refuse));
	k->index = i;
	k->idle_us = w->dealer.idle_us = w->options.idle_us;
	k->list = calloc(LIST_BLOCKS, sizeof(*k->list));
	k->inspect = inspect_create(&c);
	if (!k->inspect || !k->list)
		log_fatal("worker %u: %s", i, strerror(errno));
}

static void start_workers(struct wire *w)
{
	if (nic_is_distributed() && pthread_create(&w->dealer.thread, NULL, dealer_run, &w->dealer))
		log_fatal("the thread that deals frames out does not start");
	for (unsigned i = 0; i < w->workers; i++)
		if (pthread_create(&w->worker[i].thread, NULL, worker_run, &w->worker[i]))
			log_fatal("worker %u does not start", i);
}

static void stop_workers(struct wire *w)
{
	for (unsigned i = 0; i < w->workers; i++)
		__atomic_store_n(&w->worker[i].stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < w->workers; i++)
		pthread_join(w->worker[i].thread, NULL);
	__atomic_store_n(&w->dealer.stop, true, __ATOMIC_RELAXED); // after the workers: it transmits what they still had
	if (nic_is_distributed())
		pthread_join(w->dealer.thread, NULL);
}

int main(int argc, char **argv)
{
	static struct wire w;
	char error[512];
	int r;

	log_begin();
	w.options = (struct wire_options){.run_dir = "/run/sekimori", .flows = DEFAULT_FLOWS, .contexts = DEFAULT_CONTEXTS, .idle_us = 50,
					  .nic = {.workers = 1, .frame_bytes = 2048}};
	read_options(&w.options, argc, argv);
	w.workers = w.options.nic.workers;
	w.options.nic.key = random_key();
	w.start_ns = clock_deadline_ns();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); // log rotation, a closed terminal: nothing of it is ours, and frames flow on
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGUSR1, on_signal);
	if (mkdir(w.options.run_dir, 0755) < 0 && errno != EEXIST)
		log_fatal("%s: %s", w.options.run_dir, strerror(errno));
	create_sheets(&w);
	if (nic_start(&w.options.nic, error) < 0)
		log_fatal("%s", error);
	for (unsigned i = 0; i < w.workers; i++)
		create_worker(&w, i);
	start_workers(&w);
	if (w.options.forward_only)
		log_warn("inspection is off: nothing is looked at but addresses and ports");
	log_info("forwarding between %s (inside) and %s (outside), %u worker(s)", nic_name(NIC_INSIDE), nic_name(NIC_OUTSIDE), w.workers);
	r = wire_serve(&w);
	if (r < 0)
		log_warn("sockets in %s: %s", w.options.run_dir, strerror(-r));
	stop_workers(&w);
	nic_stop();
	return r < 0;
}
