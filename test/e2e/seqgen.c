// SPDX-License-Identifier: GPL-2.0-or-later
// Sends numbered frames at a steady rate out of one interface, by AF_PACKET. A frame the interface refuses is sent
// again, so every number goes out once: what seqsink misses was lost on the way. Prints what was sent at the end.
#include "seq.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NS_PER_S 1000000000ull

enum {
	TICK_NS = 200000, // frames leave in small bursts, five thousand times a second
	BATCH_MOST = 1024,
	LATE_NS = 10000, // --spin: a frame this far behind its time is counted
};

struct options {
	const char *interface;
	uint64_t rate, count;
	uint32_t size, flows;
	const char *from, *to;
	bool spin; // one frame at a time, each at its own, by watching the clock
};

struct sender {
	int fd;
	uint8_t frame[SEQ_FRAME_MOST];
	uint32_t size, flows;
	uint64_t refused;       // sends to try again
	uint64_t late, late_ns; // frames behind their time, and the most that one was
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

static uint32_t sum_of(const uint8_t *at, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return n & 1 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

static void put_u16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put_checksum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_u16(at, ~sum & 0xffff ? ~sum & 0xffff : 0xffff);
}

// Everything that is the same in all frames. The destination MAC is nobody's, so the far kernel never answers.
static void prepare(struct sender *s, const struct options *o)
{
	static const uint8_t ethernet[SEQ_ETHERNET] = {2, 0x53, 0x45, 0x51, 0, 2, 2, 0x53, 0x45, 0x51, 0, 1, 8, 0};
	uint8_t *ip = s->frame + SEQ_ETHERNET;

	memset(s->frame, 0, sizeof(s->frame));
	memcpy(s->frame, ethernet, sizeof(ethernet));
	ip[0] = 0x45;
	put_u16(ip + 2, o->size - SEQ_ETHERNET);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	if (inet_pton(AF_INET, o->from, ip + 12) != 1 || inet_pton(AF_INET, o->to, ip + 16) != 1)
		errx(2, "no IPv4 address: %s, %s", o->from, o->to);
	put_u16(ip + SEQ_IP + 2, SEQ_PORT);
	put_u16(ip + SEQ_IP + 4, o->size - SEQ_ETHERNET - SEQ_IP);
	s->size = o->size;
	s->flows = o->flows;
}

static void number(struct sender *s, uint64_t n, uint64_t due_ns)
{
	struct seq_body body = {SEQ_MAGIC, n, clock_now(CLOCK_REALTIME), due_ns};
	uint8_t *ip = s->frame + SEQ_ETHERNET;
	uint8_t *udp = ip + SEQ_IP;
	uint32_t length = s->size - SEQ_ETHERNET - SEQ_IP;

	memcpy(udp + SEQ_UDP, &body, sizeof(body));
	put_u16(ip + 4, (uint32_t)n & 0xffff);
	put_u16(ip + 10, 0);
	put_checksum(ip + 10, sum_of(ip, SEQ_IP));
	put_u16(udp, SEQ_PORT_FIRST + (uint32_t)(n % s->flows));
	put_u16(udp + 6, 0);
	put_checksum(udp + 6, sum_of(udp, length) + sum_of(ip + 12, 8) + IPPROTO_UDP + length);
}

// False if the interface cannot be used any more.
static bool send_one(struct sender *s, uint64_t n, uint64_t due_ns)
{
	number(s, n, due_ns);
	while (send(s->fd, s->frame, s->size, 0) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return false;
		s->refused++;
		if (stopped)
			return false;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 20000}, NULL);
	}
	return true;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0)
		err(1, "AF_PACKET");
	address.sll_ifindex = (int)if_nametoindex(name);
	if (!address.sll_ifindex || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", name);
	return fd;
}

static void note_late(struct sender *s, uint64_t ns)
{
	s->late += ns > LATE_NS;
	if (ns > s->late_ns)
		s->late_ns = ns;
}

// In small bursts; what was missed is made up for in larger ones. How many were sent.
static uint64_t run_ticks(struct sender *s, const struct options *o)
{
	uint64_t start = clock_now(CLOCK_MONOTONIC), behind = clock_now(CLOCK_REALTIME) - start;
	uint64_t sent = 0;

	while (sent < o->count && !stopped) {
		uint64_t tick = clock_now(CLOCK_MONOTONIC);
		uint64_t due = (uint64_t)((__uint128_t)(tick - start) * o->rate / NS_PER_S) + 1;

		if (due > o->count)
			due = o->count;
		// A sender that was not scheduled for long catches up in bursts, not all at once.
		if (due - sent > BATCH_MOST)
			due = sent + BATCH_MOST;
		if (due > sent)
			note_late(s, tick - start - sent * NS_PER_S / o->rate);
		while (sent < due && send_one(s, sent, behind + start + sent * NS_PER_S / o->rate))
			sent++;
		if (sent < due)
			break;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, TICK_NS}, NULL);
	}
	return sent;
}

// Evenly spaced. A frame whose time has passed goes at once, so the schedule is kept and its due_ns says how late it
// is.
static uint64_t run_spin(struct sender *s, const struct options *o)
{
	uint64_t start = clock_now(CLOCK_REALTIME), sent = 0;

	while (sent < o->count && !stopped) {
		uint64_t due = start + sent * NS_PER_S / o->rate, now = clock_now(CLOCK_REALTIME);

		if (now < due)
			continue;
		note_late(s, now - due);
		if (!send_one(s, sent, due))
			break;
		sent++;
	}
	return sent;
}

static void run(struct sender *s, const struct options *o)
{
	uint64_t start = clock_now(CLOCK_MONOTONIC);
	uint64_t sent = o->spin ? run_spin(s, o) : run_ticks(s, o);
	uint64_t took = clock_now(CLOCK_MONOTONIC) - start;

	printf("sent=%" PRIu64 "\nseconds=%.3f\nrate=%.0f\nrefused=%" PRIu64 "\nlate=%" PRIu64 "\nmost_late_us=%" PRIu64
	       "\n",
	       sent, (double)took / NS_PER_S, took ? (double)sent * NS_PER_S / (double)took : 0.0, s->refused, s->late,
	       s->late_ns / 1000);
	if (sent < o->count && !stopped)
		err(1, "%s", o->interface);
}

static int usage(void)
{
	fputs("usage: seqgen --interface NAME [--rate PPS] [--count N] [--size BYTES] [--flows N] [--from IP] [--to "
	      "IP] [--spin]\n"
	      "Defaults: 20000 a second, 100000 frames of 128 bytes in 16 flows, 198.51.100.200 to 198.51.100.10.\n"
	      "In bursts every 200 us; --spin: evenly spaced, by watching the clock all the time\n",
	      stderr);
	return 2;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{"interface", required_argument, NULL, 'i'},
		{"rate", required_argument, NULL, 'r'},
		{"count", required_argument, NULL, 'n'},
		{"size", required_argument, NULL, 's'},
		{"flows", required_argument, NULL, 'f'},
		{"from", required_argument, NULL, 'a'},
		{"to", required_argument, NULL, 'b'},
		{"spin", no_argument, NULL, 'x'},
		{NULL, 0, NULL, 0},
	};
	uint64_t v = 0;
	bool good = true;

	for (int c; good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'i':
			o->interface = optarg;
			break;
		case 'r':
			good = seq_number(optarg, 1, 10000000, &o->rate);
			break;
		case 'n':
			good = seq_number(optarg, 1, 1 << 30, &o->count);
			break;
		case 's':
			good = seq_number(optarg, SEQ_FRAME_LEAST, SEQ_FRAME_MOST, &v);
			o->size = (uint32_t)v;
			break;
		case 'f':
			good = seq_number(optarg, 1, 40000, &v);
			o->flows = (uint32_t)v;
			break;
		case 'a':
			o->from = optarg;
			break;
		case 'b':
			o->to = optarg;
			break;
		case 'x':
			o->spin = true;
			break;
		default:
			good = false;
		}
	}
	return good && o->interface && optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {NULL, 20000, 100000, 128, 16, "198.51.100.200", "198.51.100.10", false};
	struct sigaction stop = {.sa_handler = on_signal};
	struct sender s = {0};

	if (!read_options(argc, argv, &o))
		return usage();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	prepare(&s, &o);
	s.fd = open_interface(o.interface);
	run(&s, &o);
	return 0;
}
