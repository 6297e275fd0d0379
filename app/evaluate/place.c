// SPDX-License-Identifier: GPL-2.0-or-later
// See place.h.
#include "place.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define AFTERWARDS_NS (3600ull * 1000000000ull)

uint64_t place_seed(uint64_t seed, unsigned chain, unsigned place)
{
	return 1000 * seed + 31 * chain + place;
}

static void run_copy(struct lab *l, uint64_t seed, struct record_place *p)
{
	struct stream_counts counts;
	struct proof proof;

	stream_counts(l->stream, &counts);
	p->cut_before = counts.cut;
	p->at_ns = l->last_ns;
	proof_begin(l);
	lab_set_mode(l, p->mode);
	p->attack = lab_attack(l, p->chain, place_seed(seed, p->chain, p->place));
	lab_run(l, p->at_ns + chain_length_ns(p->chain) + AFTERWARDS_NS);
	record_place(l, seed, p);
	proof_end(l, false, &proof);
	record_proof(l, seed, &proof);
	fflush(stdout);
}

void place_attack(struct lab *l, uint64_t seed, const char *kind, unsigned chain, unsigned place, unsigned mode)
{
	struct record_place p = {.chain = chain, .place = place, .mode = mode, .kind = kind};
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		log_fatal("fork: %s", strerror(errno));
	if (child == 0) {
		run_copy(l, seed, &p);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			log_fatal("waitpid: %s", strerror(errno));
	if (status)
		log_fatal("%s at place %u ended with status %d", chain_name(chain), place, status);
}
