// SPDX-License-Identifier: GPL-2.0-or-later
// See run.h.
#include "run.h"
#include "chance.h"
#include "log.h"
#include "place.h"

#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct lab *make(const struct run_plan *p)
{
	struct lab *l = malloc(sizeof(*l));

	if (!l)
		log_fatal("out of memory");
	lab_init(l, &p->lab);
	record_run(l, p->seed);
	return l;
}

// What all ends with: is what was said provable, and what did it cost.
static void end(struct lab *l, const struct run_plan *p, double began)
{
	double seconds = cpu_seconds() - began;
	struct proof proof;

	proof_end(l, true, &proof);
	record_proof(l, p->seed, &proof);
	record_cost(l, p->seed, seconds, 0);
	lab_fini(l);
	free(l);
}

static void end_days(struct lab *l, const struct run_plan *p, double began)
{
	lab_run(l, UINT64_MAX);
	for (uint32_t day = 0; day < p->lab.stream.days; day++)
		record_day(l, p->seed, day);
	record_incidents(l, p->seed);
	end(l, p, began);
}

// Those that take at most so long.
static void place_all(struct lab *l, const struct run_plan *p, const char *kind, unsigned place, uint64_t most_ns)
{
	for (unsigned chain = 0; chain_name(chain); chain++)
		for (unsigned mode = 0; mode < RUN_MODES; mode++)
			if (p->chain[chain] && p->mode[mode] && chain_length_ns(chain) <= most_ns)
				place_attack(l, p->seed, kind, chain, place, mode);
}

// On the first days: what is found so early?
static void place_cold(struct lab *l, const struct run_plan *p)
{
	static const unsigned days[] = {1, 3, 7};

	for (unsigned i = 0; i < sizeof(days) / sizeof(*days) && days[i] < p->lab.train_days; i++) {
		lab_run(l, lab_day_ns(l, days[i] + 10 / 24.0));
		for (unsigned n = 0; n < p->cold; n++)
			place_all(l, p, "cold", days[i] * 100 + n, RUN_DAY_NS / 4);
	}
}

void run_days(const struct run_plan *p)
{
	double began = cpu_seconds();
	struct lab *l = make(p);
	double first = p->lab.train_days,
	       span = p->lab.stream.days - first - 1.5; // the last ones need a day after them
	struct chance chance = chance_of(p->seed, 500, 0, 0);

	if (p->cold)
		place_cold(l, p);
	for (unsigned place = 0; place < p->places; place++) {
		double within = chance_below(&chance, 1000) / 1000.0;

		lab_run(l, lab_day_ns(l, first + span * (place + within) / p->places));
		place_all(l, p, "place", place, UINT64_MAX);
	}
	end_days(l, p, began);
}

void run_slow(const struct run_plan *p, unsigned chain)
{
	double began = cpu_seconds();
	struct lab *l = make(p);
	double takes = (double)chain_length_ns(chain) / (double)RUN_DAY_NS, last = p->lab.stream.days - 1.5 - takes;
	double first = last > p->lab.train_days ? p->lab.train_days : last / 2;
	struct record_place place[STREAM_ATTACKS] = {{0}};

	if (last < 1 || p->places > STREAM_ATTACKS)
		log_fatal("%s: takes %.1f days", chain_name(chain), takes);
	for (unsigned i = 0; i < p->places; i++) {
		lab_run(l, lab_day_ns(l, first + (last - first) * i / p->places));
		place[i] = (struct record_place){
			chain,       i,
			p->lab.mode, lab_attack(l, chain, place_seed(p->seed, chain, i)),
			l->last_ns,  0,
			"slow"};
	}
	lab_run(l, UINT64_MAX);
	for (unsigned i = 0; i < p->places; i++)
		record_place(l, p->seed, &place[i]);
	end(l, p, began);
}

void run_stream(const struct run_plan *p)
{
	static struct lab l;
	struct stream_frame f;
	double began = cpu_seconds(), seconds;

	l.stream = stream_create(&p->lab.stream);
	while (stream_next(l.stream, &f))
		l.frames++;
	seconds = cpu_seconds() - began;
	record_cost(&l, p->seed, seconds, seconds * 1e9 / (double)l.frames);
	stream_destroy(l.stream);
}
