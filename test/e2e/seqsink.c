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
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NS_PER_S 1000000000ull

enum {
	NUMBERS_MOST = 1 << 30, // one bit each
	BATCH = 256,
	FRAME_HEAD = SEQ_FRAME_LEAST,
	RECEIVE_BYTES = 64 << 20,
	SUB = 16, // latency: 16 steps for each power of two, so a step is at most 6 % wide
	STEPS = 64 * SUB,
};

struct options {
	const char *interface;
	uint64_t expect;   // 0 = unknown
	uint64_t idle_ms;  // ends after that much silence once frames have come
	uint64_t limit_ms; // ends in any case
};

struct counts {
	uint8_t *seen; // a bit for each number
	uint64_t received, twice, reordered, foreign;
	uint64_t next;       // highest number so far plus one
	uint64_t silence_ns; // longest time between two frames
	uint64_t last_ns;
	uint64_t latency_most_ns;
	uint64_t latency[STEPS];
};

struct batch {
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	uint8_t frame[BATCH][FRAME_HEAD];
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
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
	return (power - 3) * SUB + (unsigned)(ns >> (power - 4)) % SUB;
}

// The upper end of a step.
static uint64_t step_end(unsigned step)
{
	unsigned power = step / SUB + 3;

	return step < SUB ? step : ((uint64_t)(SUB + step % SUB + 1) << (power - 4)) - 1;
}

static uint64_t latency_at(const struct counts *c, uint64_t per_mille)
{
	uint64_t sum = 0, total = 0;

	for (unsigned i = 0; i < STEPS; i++)
		total += c->latency[i];
	for (unsigned i = 0; i < STEPS; i++) {
		sum += c->latency[i];
		if (sum && sum * 1000 >= total * per_mille)
			return step_end(i);
	}
	return 0;
}

static void take(struct counts *c, const uint8_t *frame, size_t n, uint64_t at_ns)
{
	struct seq_body body;
	uint64_t latency;

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
	latency = at_ns > body.sent_ns ? at_ns - body.sent_ns : 0;
	c->latency[step_of(latency)]++;
	if (latency > c->latency_most_ns)
		c->latency_most_ns = latency;
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

static void report(const struct counts *c, const struct options *o, uint64_t drops)
{
	uint64_t count = o->expect > c->next ? o->expect : c->next;

	printf("received=%" PRIu64 "\nlost=%" PRIu64 "\ntwice=%" PRIu64 "\nreordered=%" PRIu64 "\nlongest_gap=%" PRIu64
	       "\nlongest_silence_us=%" PRIu64 "\n",
	       c->received, count - c->received, c->twice, c->reordered, longest_gap(c, count), c->silence_ns / 1000);
	printf("latency_p50_us=%.1f\nlatency_p99_us=%.1f\nlatency_p999_us=%.1f\nlatency_max_us=%.1f\n",
	       (double)latency_at(c, 500) / 1000, (double)latency_at(c, 990) / 1000, (double)latency_at(c, 999) / 1000,
	       (double)c->latency_most_ns / 1000);
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
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int bytes = RECEIVE_BYTES, on = 1;

	if (fd < 0)
		err(1, "AF_PACKET");
	attach_filter(fd);
	address.sll_ifindex = promiscuous.mr_ifindex = (int)if_nametoindex(name);
	if (!address.sll_ifindex)
		err(1, "%s", name);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)))
		err(1, "%s", name);
	return fd;
}

static uint64_t stamp_of(struct msghdr *m)
{
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
	}
	return clock_now(CLOCK_REALTIME);
}

static int receive(int fd, struct batch *b, struct counts *c)
{
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		b->part[i] = (struct iovec){b->frame[i], FRAME_HEAD};
		b->message[i].msg_hdr = (struct msghdr){.msg_iov = &b->part[i],
							.msg_iovlen = 1,
							.msg_control = b->control[i],
							.msg_controllen = sizeof(b->control[i])};
	}
	n = recvmmsg(fd, b->message, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(c, b->frame[i], b->message[i].msg_len, stamp_of(&b->message[i].msg_hdr));
	return n;
}

static void run(int fd, const struct options *o, struct batch *b, struct counts *c)
{
	uint64_t start = clock_now(CLOCK_MONOTONIC), last = start;

	while (!stopped && !(o->expect && c->received >= o->expect)) {
		struct pollfd p = {fd, POLLIN, 0};
		uint64_t now;

		if (poll(&p, 1, 50) > 0 && receive(fd, b, c) > 0)
			last = clock_now(CLOCK_MONOTONIC);
		now = clock_now(CLOCK_MONOTONIC);
		if (now - start > o->limit_ms * 1000000 || (c->received && now - last > o->idle_ms * 1000000))
			return;
	}
}

static int usage(void)
{
	fputs("usage: seqsink --interface NAME [--expect N] [--idle-ms MS] [--limit-ms MS]\n"
	      "Says \"ready\" on standard error when it listens. Ends when N numbers have come, after MS of silence "
	      "(2000),\n"
	      "at the limit (60000), or by SIGTERM; then prints its counts. Exit status 0 only if nothing was lost, "
	      "twice or\n"
	      "out of order.\n",
	      stderr);
	return 2;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && end != text && !*end && *out >= least && *out <= most;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"interface", required_argument, NULL, 'i'},
		{"expect", required_argument, NULL, 'n'},
		{"idle-ms", required_argument, NULL, 's'},
		{"limit-ms", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	bool good = true;

	for (int c; good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'i':
			o->interface = optarg;
			break;
		case 'n':
			good = read_number(optarg, 1, NUMBERS_MOST, &o->expect);
			break;
		case 's':
			good = read_number(optarg, 1, 3600000, &o->idle_ms);
			break;
		case 'l':
			good = read_number(optarg, 1, 86400000, &o->limit_ms);
			break;
		default:
			good = false;
		}
	}
	return good && o->interface && optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {NULL, 0, 2000, 60000};
	struct sigaction stop = {.sa_handler = on_signal};
	struct tpacket_stats kernel = {0};
	socklen_t length = sizeof(kernel);
	struct counts c = {0};
	struct batch *b = calloc(1, sizeof(*b));
	int fd;

	if (!read_options(argc, argv, &o))
		return usage();
	c.seen = calloc(NUMBERS_MOST / 8, 1); // touched only as far as numbers come
	if (!b || !c.seen)
		errx(1, "out of memory");
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	fd = open_interface(o.interface);
	fputs("ready\n", stderr);
	run(fd, &o, b, &c);
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length);
	report(&c, &o, kernel.tp_drops);
	return c.received && c.received >= o.expect && c.received == c.next && !c.twice && !c.reordered ? 0 : 1;
}
