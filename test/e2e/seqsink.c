// SPDX-License-Identifier: GPL-2.0-or-later
// Counts the frames seqgen sent: lost, twice, out of order, the longest gap and how long they took. Latency runs from
// the sender's clock to the kernel's receive stamp, so it does not depend on when this program gets the processor.
// Frames lost by this program's own socket are told apart (sink_drops), so that nobody blames the wire for them.
#include "seq.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define NS_PER_S 1000000000ull

enum {
	NUMBERS_MOST = 1 << 30, // one bit each
	FRAME_HEAD = SEQ_FRAME_LEAST,
	// A ring the kernel writes into, so that this program may sleep through a whole flood and costs whoever hands
	// frames over little.
	SLOT = 256,
	BLOCK = 1 << 16,
	SLOTS = 1 << 18,
	SUB = 64, // latency: 64 steps for each power of two, so a step is at most 1.6 % wide
	STEPS = 64 * SUB,
};

struct options {
	const char *interface;
	uint64_t expect;   // 0 = unknown
	uint64_t idle_ms;  // ends after that much silence once frames have come
	uint64_t limit_ms; // ends in any case
	uint64_t skip;     // as many numbers at either end are counted but not timed: what warms up, what drains
};

// Times of frames, in steps.
struct latencies {
	uint64_t n, most_ns;
	uint64_t step[STEPS];
};

struct counts {
	uint8_t *seen; // a bit for each number
	uint64_t received, twice, reordered, foreign;
	uint64_t next;       // highest number so far plus one
	uint64_t silence_ns; // longest time between two frames
	uint64_t last_ns;
	uint64_t timed_from, timed_to; // of these numbers, exclusive:
	uint64_t timed_first_ns, timed_last_ns;
	struct latencies sent, due; // since the frame was sent, since it should have been
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = signal;
}

static uint64_t clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static unsigned step_of(uint64_t ns)
{
	unsigned power;

	if (ns < SUB)
		return (unsigned)ns;
	power = 63 - (unsigned)__builtin_clzll(ns);
	return (power - 5) * SUB + (unsigned)(ns >> (power - 6)) % SUB;
}

// The upper end of a step.
static uint64_t step_end(unsigned step)
{
	unsigned power = step / SUB + 5;

	return step < SUB ? step : ((uint64_t)(SUB + step % SUB + 1) << (power - 6)) - 1;
}

static void note(struct latencies *l, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = to_ns > from_ns ? to_ns - from_ns : 0;

	l->n++;
	l->step[step_of(ns)]++;
	if (ns > l->most_ns)
		l->most_ns = ns;
}

// Of `total` frames; one that never came took longer than any that did. Infinity if it is such a one.
static double latency_at(const struct latencies *l, uint64_t total, uint64_t per_mille)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		sum += l->step[i];
		if (sum && sum * 1000 >= total * per_mille)
			return (double)step_end(i) / 1000;
	}
	return INFINITY;
}

static void take(struct counts *c, const uint8_t *frame, size_t n, uint64_t at_ns)
{
	struct seq_body body;

	if (n < SEQ_FRAME_LEAST) {
		c->foreign++;
		return;
	}
	memcpy(&body, frame + SEQ_HEADERS, sizeof(body));
	if (body.magic != SEQ_MAGIC || body.number >= NUMBERS_MOST) {
		c->foreign++;
		return;
	}
	if (c->last_ns && at_ns > c->last_ns && at_ns - c->last_ns > c->silence_ns)
		c->silence_ns = at_ns - c->last_ns;
	c->last_ns = at_ns;
	if (c->seen[body.number / 8] & 1 << body.number % 8) {
		c->twice++;
		return;
	}
	c->seen[body.number / 8] |= (uint8_t)(1 << body.number % 8);
	c->received++;
	if (body.number < c->next)
		c->reordered++;
	else
		c->next = body.number + 1;
	if (body.number < c->timed_from || body.number >= c->timed_to)
		return;
	if (!c->timed_first_ns)
		c->timed_first_ns = at_ns;
	c->timed_last_ns = at_ns;
	note(&c->sent, body.sent_ns, at_ns);
	note(&c->due, body.due_ns, at_ns);
}

static uint64_t longest_gap(const struct counts *c, uint64_t count)
{
	uint64_t longest = 0, run = 0;

	for (uint64_t n = 0; n < count; n++) {
		run = c->seen[n / 8] & 1 << n % 8 ? 0 : run + 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void report_latency(const char *name, const struct latencies *l, uint64_t total)
{
	printf("%s_p50_us=%.2f\n%s_p99_us=%.2f\n%s_p999_us=%.2f\n%s_max_us=%.1f\n", name, latency_at(l, total, 500),
	       name, latency_at(l, total, 990), name, latency_at(l, total, 999), name, (double)l->most_ns / 1000);
}

// Frames a second by the kernel's stamps: what comes through while more is offered.
static double timed_rate(const struct counts *c)
{
	uint64_t ns = c->timed_last_ns - c->timed_first_ns;

	return ns ? (double)(c->sent.n - 1) * NS_PER_S / (double)ns : 0;
}

static void report(const struct counts *c, const struct options *o, uint64_t drops)
{
	uint64_t count = o->expect > c->next ? o->expect : c->next;
	uint64_t timed = (c->timed_to < count ? c->timed_to : count) - c->timed_from;

	printf("received=%" PRIu64 "\nlost=%" PRIu64 "\ntwice=%" PRIu64 "\nreordered=%" PRIu64 "\nlongest_gap=%" PRIu64
	       "\nlongest_silence_us=%" PRIu64 "\n",
	       c->received, count - c->received, c->twice, c->reordered, longest_gap(c, count), c->silence_ns / 1000);
	report_latency("latency", &c->sent, timed);
	report_latency("due", &c->due, timed);
	printf("timed=%" PRIu64 "\ntimed_lost=%" PRIu64 "\ntimed_rate=%.0f\n", timed, timed - c->sent.n, timed_rate(c));
	printf("foreign=%" PRIu64 "\nsink_drops=%" PRIu64 "\n", c->foreign, drops);
}

// IPv4 without options, UDP, our port: everything else stays out of the socket's buffer.
static void attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SEQ_ETHERNET + SEQ_IP + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SEQ_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME_HEAD),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		err(1, "SO_ATTACH_FILTER");
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};
	struct tpacket_req ring = {BLOCK, SLOTS / (BLOCK / SLOT), SLOT, SLOTS};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int version = TPACKET_V2, on = 1;

	if (fd < 0)
		err(1, "AF_PACKET");
	attach_filter(fd);
	address.sll_ifindex = promiscuous.mr_ifindex = (int)if_nametoindex(name);
	if (!address.sll_ifindex)
		err(1, "%s", name);
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) || // makes the kernel stamp on arrival
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)))
		err(1, "%s", name);
	return fd;
}

struct slots {
	uint8_t *at;
	uint32_t next;
};

// How many frames the kernel had put there.
static unsigned receive(struct slots *s, struct counts *c)
{
	unsigned n = 0;

	while (n < SLOTS) {
		struct tpacket2_hdr *h = (struct tpacket2_hdr *)(s->at + (size_t)s->next * SLOT);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		take(c, (uint8_t *)h + h->tp_mac, h->tp_snaplen, (uint64_t)h->tp_sec * NS_PER_S + h->tp_nsec);
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		s->next = (s->next + 1) % SLOTS;
		n++;
	}
	return n;
}

static void run(int fd, const struct options *o, struct slots *s, struct counts *c)
{
	uint64_t start = clock_now(CLOCK_MONOTONIC), last = start;

	while (!stopped && !(o->expect && c->received >= o->expect)) {
		struct pollfd p = {fd, POLLIN, 0};
		uint64_t now;

		if (poll(&p, 1, 50) > 0 && receive(s, c))
			last = clock_now(CLOCK_MONOTONIC);
		now = clock_now(CLOCK_MONOTONIC);
		if (now - start > o->limit_ms * 1000000 || (c->received && now - last > o->idle_ms * 1000000))
			return;
	}
}

static int usage(void)
{
	fputs("usage: seqsink --interface NAME [--expect N] [--idle-ms MS] [--limit-ms MS] [--skip N]\n"
	      "Says \"ready\" on standard error when it listens. Ends when N numbers have come, after MS of silence "
	      "(2000),\n"
	      "at the limit (60000), or by SIGTERM; then prints its counts; the first and last N\n"
	      "are not timed. Exit status 0 only if nothing was lost, "
	      "twice or\n"
	      "out of order.\n",
	      stderr);
	return 2;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"interface", required_argument, NULL, 'i'}, {"expect", required_argument, NULL, 'n'},
		{"idle-ms", required_argument, NULL, 's'},   {"limit-ms", required_argument, NULL, 'l'},
		{"skip", required_argument, NULL, 'k'},      {NULL, 0, NULL, 0},
	};
	bool good = true;

	for (int c; good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'i':
			o->interface = optarg;
			break;
		case 'n':
			good = seq_number(optarg, 1, NUMBERS_MOST, &o->expect);
			break;
		case 's':
			good = seq_number(optarg, 1, 3600000, &o->idle_ms);
			break;
		case 'l':
			good = seq_number(optarg, 1, 86400000, &o->limit_ms);
			break;
		case 'k':
			good = seq_number(optarg, 0, NUMBERS_MOST, &o->skip);
			break;
		default:
			good = false;
		}
	}
	return good && o->interface && optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {NULL, 0, 2000, 60000, 0};
	struct sigaction stop = {.sa_handler = on_signal};
	struct tpacket_stats kernel = {0};
	socklen_t length = sizeof(kernel);
	struct counts c = {0};
	struct slots s = {0};
	int fd;

	if (!read_options(argc, argv, &o))
		return usage();
	if (o.skip && o.expect <= 2 * o.skip)
		return usage();
	c.timed_from = o.skip;
	c.timed_to = o.skip ? o.expect - o.skip : NUMBERS_MOST;
	c.seen = calloc(NUMBERS_MOST / 8, 1); // touched only as far as numbers come
	if (!c.seen)
		errx(1, "out of memory");
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	fd = open_interface(o.interface);
	s.at = mmap(NULL, (size_t)SLOTS * SLOT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (s.at == MAP_FAILED)
		err(1, "mmap");
	fputs("ready\n", stderr);
	run(fd, &o, &s, &c);
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length);
	report(&c, &o, kernel.tp_drops);
	return c.received && c.received >= o.expect && c.received == c.next && !c.twice && !c.reordered ? 0 : 1;
}
