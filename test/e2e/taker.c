// SPDX-License-Identifier: GPL-2.0-or-later
// Takes a fixed share of one processor core from whoever else runs there: spins for so many microseconds of each
// period, then sleeps until the next. With real-time priority above the others' (chrt -f) the share is exact, whatever
// they do. Says at the end what it took.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	stopped = signal;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

int main(int argc, char **argv)
{
	uint64_t spin = argc == 4 ? strtoull(argv[1], NULL, 10) * 1000 : 0;
	uint64_t period = argc == 4 ? strtoull(argv[2], NULL, 10) * 1000 : 0;
	uint64_t most = argc == 4 ? strtoull(argv[3], NULL, 10) * 1000000 : 0;
	uint64_t start, next, took = 0;

	if (!spin || spin >= period || !most) {
		fputs("usage: taker SPIN_US PERIOD_US LIMIT_MS\n", stderr);
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	fputs("ready\n", stderr);
	start = next = now_ns();
	while (!stopped && next - start < most) {
		uint64_t from = now_ns(), to;

		while ((to = now_ns()) - from < spin)
			;
		took += to - from;
		next += period;
		if (next < to) // was itself kept away: no catching up
			next = to + period - spin;
		sleep_until(next);
	}
	printf("share=%.4f\n", (double)took / (double)(now_ns() - start));
	return 0;
}
