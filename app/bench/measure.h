// SPDX-License-Identifier: GPL-2.0-or-later
// Clocks and figures of the measuring sub-commands. The machine may be shared: cost is on-CPU time of this thread,
// never wall time; the share of wall time the thread was on a CPU is told beside it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum measure_limits { ROUNDS_MOST = 50, FIGURES_MOST = 64, FIGURE_NAME_BYTES = 40, ROUNDS_DEFAULT = 5 };

struct meter { // sums over many stretches
	uint64_t cpu_ns, tsc;
	uint64_t cpu_start, tsc_start;
};

void meter_start(struct meter *m);
void meter_stop(struct meter *m);
double measure_tsc_per_ns(void); // calibrated once, 50 ms
uint64_t measure_taken_bytes(void); // address space of the process, touched or not
uint64_t measure_rss_bytes(void);
uint64_t measure_faults(void); // minor page faults of this process so far

struct figure {
	char name[FIGURE_NAME_BYTES];
	const char *unit;
	unsigned rounds;
	double at[ROUNDS_MOST];
};

struct report {
	const char *command;
	bool json;
	bool is_void;
	char why[256]; // the first reason it is void
	unsigned figures;
	struct figure figure[FIGURES_MOST];
};

// Adds one round's value of a figure; figures come out in the order of their first value.
void report_add(struct report *r, const char *name, const char *unit, double value);
// What a stretch cost each of n things: NAME.ns, NAME.cycles (TSC), NAME.mps (millions a CPU second), NAME.on_cpu
// (share).
void report_cost(struct report *r, const char *name, const struct meter *m, uint64_t n);
// The run proves nothing; goes on so that the figures can be looked at.
void report_void(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Prints all and gives the exit status: 1 where the run is void.
int report_end(struct report *r);

struct measure_option {
	const char *name; // long option
	uint64_t *number; // one of the two is set
	const char **text;
	uint64_t least, most;
	const char *help;
};

// Reads options of that table, plus --rounds and --json. false: wrong or asked for help, usage has been printed.
bool measure_options(int argc, char **argv, const struct measure_option *table, struct report *r, uint64_t *rounds);

int inspect_main(int argc, char **argv);
int flood_main(int argc, char **argv);
int held_main(int argc, char **argv);
int cps_main(int argc, char **argv);
int pass_main(int argc, char **argv);
int growth_main(int argc, char **argv);
int table_main(int argc, char **argv);
int brain_main(int argc, char **argv);
int keep_main(int argc, char **argv);
