// SPDX-License-Identifier: GPL-2.0-or-later
// sekimori-evaluate: how well attacks are told from a company's ordinary traffic. One run of one seed; scripts/evaluate makes
// many and sums them up.
#include "log.h"
#include "record.h"
#include "run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: sekimori-evaluate [options]\n"
	"Prints JSON lines: what a run was, each day, each incident, each placed attack, what it cost.\n"
	"  --seed N          another company, other attackers (default 1)\n"
	"  --days N          in all (default 42, at most 60)\n"
	"  --train N         of them, to learn from (default 14)\n"
	"  --mode MODE       of the days after those: observe (default), advise, enforce\n"
	"  --places N        attacks of each kind, spread over the days after training (default 0)\n"
	"  --cold N          attacks of each kind at days 1, 3 and 7 (default 0)\n"
	"  --chains A,B,...  which attacks (default: all that take less than two days); --list names them\n"
	"  --modes M,...     in which modes attacks are placed (default observe,enforce)\n"
	"  --slow CHAIN      one pass with --places attacks of this kind in it, in --mode\n"
	"  --budget B        alarms a day (default 1); below 0: none, policies stand alone\n"
	"  --without NAME    leave a component out (repeatable); --list names them\n"
	"  --policy DIR      policies (default: those of the build)\n"
	"  --stream-only     only make the frames\n"
	"  --list            chains with their steps, and components\n";

enum what { RUN_DAYS, RUN_SLOW, RUN_STREAM };

static int find_chain(const char *name)
{
	for (unsigned i = 0; chain_name(i); i++)
		if (strcmp(chain_name(i), name) == 0)
			return (int)i;
	log_fatal("%s: no such chain", name);
}

static unsigned find_mode(const char *name)
{
	int m = name_to_index(mode_name, MODE_COUNT, bytes_of_text(name));

	if (m < MODE_OBSERVE)
		log_fatal("%s: observe, advise or enforce", name);
	return (unsigned)m;
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
	uint64_t v;

	if (bytes_to_u64(bytes_of_text(text), most, &v) || v < least)
		log_fatal("%s: not a number from %u to %u", text, least, most);
	return (unsigned)v;
}

static void take_chains(struct run_plan *p, char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
		p->chain[find_chain(name)] = true;
}

static void take_modes(struct run_plan *p, char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
		p->mode[find_mode(name)] = true;
}

static int list_all(void)
{
	const char *meaning, *name;

	for (unsigned i = 0; chain_name(i); i++) {
		printf("%s (%.1f hours)\n", chain_name(i), (double)chain_length_ns(i) / 3.6e12);
		for (unsigned step = 0; chain_step_words(i, step); step++)
			printf("  %2u  %s\n", step + 1, chain_step_words(i, step));
	}
	puts("components:");
	for (unsigned i = 0; (name = settings_component(i, &meaning)); i++)
		printf("  %-10s %s\n", name, meaning);
	return 0;
}

static void fill_defaults(struct run_plan *p)
{
	bool chains = false, modes = false;

	for (unsigned i = 0; chain_name(i); i++)
		chains |= p->chain[i];
	for (unsigned i = 0; chain_name(i) && !chains; i++)
		p->chain[i] = chain_length_ns(i) < 2 * RUN_DAY_NS;
	for (unsigned i = 0; i < RUN_MODES; i++)
		modes |= p->mode[i];
	if (!modes)
		p->mode[MODE_OBSERVE] = p->mode[MODE_ENFORCE] = true;
	p->lab.stream.seed = p->seed;
	if (p->lab.train_days >= p->lab.stream.days)
		log_fatal("--train: no day is left after training");
}

static const struct option options[] = {
	{"seed", required_argument, NULL, 's'},   {"days", required_argument, NULL, 'd'},    {"train", required_argument, NULL, 't'},
	{"mode", required_argument, NULL, 'm'},   {"places", required_argument, NULL, 'p'},  {"cold", required_argument, NULL, 'c'},
	{"chains", required_argument, NULL, 'a'}, {"modes", required_argument, NULL, 'o'},   {"slow", required_argument, NULL, 'l'},
	{"budget", required_argument, NULL, 'b'}, {"without", required_argument, NULL, 'w'}, {"policy", required_argument, NULL, 'y'},
	{"stream-only", no_argument, NULL, 'r'},  {"list", no_argument, NULL, 'i'},          {NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
	struct run_plan p = {.seed = 1, .lab = {.told = record_alert, .stream = {1, 1635724800ull * 1000000000ull /* Monday 2021-11-01 */, 42}, .train_days = 14, .mode = MODE_OBSERVE, .settings = {.budget = 1},
						 .policy = SEKIMORI_SOURCE_DIR "/policy"}};
	enum what what = RUN_DAYS;
	unsigned slow = 0;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 's': p.seed = number(optarg, 0, 1000000); break;
		case 'd': p.lab.stream.days = number(optarg, 2, LAB_DAYS - 4); break;
		case 't': p.lab.train_days = number(optarg, 1, LAB_DAYS); break;
		case 'm': p.lab.mode = find_mode(optarg); break;
		case 'p': p.places = number(optarg, 0, 1000); break;
		case 'c': p.cold = number(optarg, 0, 100); break;
		case 'a': take_chains(&p, optarg); break;
		case 'o': take_modes(&p, optarg); break;
		case 'l': slow = (unsigned)find_chain(optarg); what = RUN_SLOW; break;
		case 'b': p.lab.settings.budget = strtod(optarg, NULL); break;
		case 'w':
			if (settings_leave_out(&p.lab.settings, optarg) < 0)
				log_fatal("--without %s: no such component", optarg);
			break;
		case 'y': p.lab.policy = optarg; break;
		case 'r': what = RUN_STREAM; break;
		case 'i': return list_all();
		default: fputs(usage, stderr); return 2;
		}
	}
	fill_defaults(&p);
	if (what == RUN_DAYS)
		run_days(&p);
	else if (what == RUN_SLOW)
		run_slow(&p, slow);
	else
		run_stream(&p);
	return 0;
}
