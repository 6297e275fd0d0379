// SPDX-License-Identifier: GPL-2.0-or-later
// See measure.h.
#include "measure.h"
#include "bytes.h"
#include "json.h"
#include "log.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { CALIBRATE_NS = 50 * 1000 * 1000, JSON_BYTES = 64 * 1024, OPTIONS_MOST = 24 };

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void meter_start(struct meter *m)
{
	m->cpu_start = read_clock(CLOCK_THREAD_CPUTIME_ID);
	m->tsc_start = __rdtsc();
}

void meter_stop(struct meter *m)
{
	uint64_t tsc = __rdtsc();

	m->cpu_ns += read_clock(CLOCK_THREAD_CPUTIME_ID) - m->cpu_start;
	m->tsc += tsc - m->tsc_start;
}

double measure_tsc_per_ns(void)
{
	static double known;
	uint64_t t0, c0, t1;

	if (known > 0)
		return known;
	t0 = read_clock(CLOCK_MONOTONIC);
	c0 = __rdtsc();
	while ((t1 = read_clock(CLOCK_MONOTONIC)) - t0 < CALIBRATE_NS)
		;
	known = (double)(__rdtsc() - c0) / (double)(t1 - t0);
	return known;
}

static void read_statm(unsigned long long *total, unsigned long long *resident)
{
	FILE *f = fopen("/proc/self/statm", "r");

	*total = *resident = 0;
	if (!f)
		return;
	if (fscanf(f, "%llu %llu", total, resident) != 2)
		*total = *resident = 0;
	fclose(f);
}

uint64_t measure_rss_bytes(void)
{
	unsigned long long total, resident;

	read_statm(&total, &resident);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t measure_taken_bytes(void)
{
	unsigned long long total, resident;

	read_statm(&total, &resident);
	return total * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t measure_faults(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) ? 0 : (uint64_t)u.ru_minflt;
}

static struct figure *figure_of(struct report *r, const char *name, const char *unit)
{
	struct figure *f;

	for (unsigned i = 0; i < r->figures; i++)
		if (strcmp(r->figure[i].name, name) == 0)
			return &r->figure[i];
	if (r->figures == FIGURES_MOST)
		log_fatal("more than %d figures", FIGURES_MOST);
	f = &r->figure[r->figures++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->unit = unit;
	return f;
}

void report_add(struct report *r, const char *name, const char *unit, double value)
{
	struct figure *f = figure_of(r, name, unit);

	if (f->rounds < ROUNDS_MOST)
		f->at[f->rounds++] = value;
}

static void add_part(struct report *r, const char *name, const char *part, const char *unit, double value)
{
	char whole[FIGURE_NAME_BYTES];

	snprintf(whole, sizeof(whole), "%s.%s", name, part);
	report_add(r, whole, unit, value);
}

void report_cost(struct report *r, const char *name, const struct meter *m, uint64_t n)
{
	double ns = n ? (double)m->cpu_ns / (double)n : 0;
	double wall_ns = (double)m->tsc / measure_tsc_per_ns();

	add_part(r, name, "ns", "ns", ns);
	add_part(r, name, "cycles", "TSC cycles", ns * measure_tsc_per_ns());
	add_part(r, name, "mps", "million/s", ns > 0 ? 1000 / ns : 0);
	add_part(r, name, "on_cpu", "of wall time", wall_ns > 0 ? (double)m->cpu_ns / wall_ns : 0);
}

void report_void(struct report *r, const char *format, ...)
{
	va_list args;

	if (r->is_void)
		return;
	r->is_void = true;
	va_start(args, format);
	vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct spread {
	double min, median, max;
};

static struct spread spread_of(const struct figure *f)
{
	double sorted[ROUNDS_MOST];
	unsigned n = f->rounds;

	memcpy(sorted, f->at, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_value);
	return (struct spread){sorted[0], n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
			       sorted[n - 1]};
}

static void write_json(const struct report *r)
{
	static char text[JSON_BYTES];
	struct json j;

	json_init(&j, text, sizeof(text));
	json_open(&j, NULL);
	json_text(&j, "command", r->command);
	json_bool(&j, "void", r->is_void);
	if (r->is_void)
		json_text(&j, "why", r->why);
	json_fixed(&j, "tsc_ghz", measure_tsc_per_ns(), 4);
	json_open(&j, "figures");
	for (unsigned i = 0; i < r->figures; i++) {
		const struct figure *f = &r->figure[i];
		struct spread s = spread_of(f);

		json_open(&j, f->name);
		json_text(&j, "unit", f->unit);
		json_fixed(&j, "min", s.min, 3);
		json_fixed(&j, "median", s.median, 3);
		json_fixed(&j, "max", s.max, 3);
		json_open_array(&j, "rounds");
		for (unsigned k = 0; k < f->rounds; k++)
			json_fixed(&j, NULL, f->at[k], 3);
		json_close_array(&j);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
	if (j.full)
		log_fatal("the figures do not fit %d bytes of JSON", JSON_BYTES);
	printf("%.*s\n", (int)j.length, text);
}

static void write_table(const struct report *r)
{
	printf("%-28s %14s %14s %14s  %s\n", r->command, "min", "median", "max", "unit");
	for (unsigned i = 0; i < r->figures; i++) {
		struct spread s = spread_of(&r->figure[i]);

		printf("%-28s %14.3f %14.3f %14.3f  %s\n", r->figure[i].name, s.min, s.median, s.max,
		       r->figure[i].unit);
	}
	if (r->is_void)
		printf("VOID: %s\n", r->why);
}

int report_end(struct report *r)
{
	if (r->json)
		write_json(r);
	else
		write_table(r);
	if (r->is_void)
		log_warn("the run is void: %s", r->why);
	return r->is_void;
}

static bool usage(const struct report *r, const struct measure_option *table)
{
	fprintf(stderr, "usage: sekimori-bench %s [OPTIONS]\n", r->command);
	for (; table->name; table++)
		fprintf(stderr, "  --%-16s %s\n", table->name, table->help);
	fprintf(stderr, "  --%-16s %s\n  --%-16s %s\n", "rounds N", "how often (default 5, at most 50)", "json",
		"one line of JSON");
	return false;
}

static bool take_option(const struct measure_option *o)
{
	if (o->text) {
		*o->text = optarg;
		return true;
	}
	if (bytes_to_u64(bytes_of_text(optarg), o->most, o->number) == 0 && *o->number >= o->least)
		return true;
	log_warn("--%s %s: not a number from %" PRIu64 " to %" PRIu64, o->name, optarg, o->least, o->most);
	return false;
}

bool measure_options(int argc, char **argv, const struct measure_option *table, struct report *r, uint64_t *rounds)
{
	const struct measure_option every = {"rounds", rounds, NULL, 1, ROUNDS_MOST, NULL};
	struct option options[OPTIONS_MOST + 3] = {{"json", no_argument, NULL, 'j'},
						   {"rounds", required_argument, NULL, 'r'}};
	int n = 0;

	*rounds = ROUNDS_DEFAULT;
	for (; table[n].name && n < OPTIONS_MOST; n++)
		options[n + 2] = (struct option){table[n].name, required_argument, NULL, 256 + n};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'j')
			r->json = true;
		else if (c == '?' || !take_option(c == 'r' ? &every : &table[c - 256]))
			return usage(r, table);
	}
	return optind == argc || usage(r, table);
}
