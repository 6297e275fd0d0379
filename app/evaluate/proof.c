// SPDX-License-Identifier: GPL-2.0-or-later
// See proof.h.
#include "proof.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(void *user, const char *text)
{
	fprintf(stderr, "does not come out again: %s\n", text);
}

void proof_begin(struct lab *l)
{
	l->raised.alerts_before = l->raised.alerts;
	l->raised.events = 0;
	l->raised.since_ns = l->last_ns;
}

static void must_read(int error)
{
	if (error < 0 && error != -ENOENT)
		log_fatal("the journal cannot be read: %s", strerror(-error));
}

static bool take_alert(void *user, const struct alert *a)
{
	*(struct alert *)user = *a;
	return false;
}

// With another count in words than the model has: no discount or bound can hide that.
static void alter_one(struct lab *l, struct proof *out)
{
	struct journal *j = reason_journal(l->reason);
	struct explain_sum sum = {0};
	struct alert kept = {0}, altered;

	for (uint64_t id = l->raised.alerts; id > l->raised.alerts_before && !kept.terms; id--)
		must_read(journal_alerts(j, &(struct journal_query){.id = id, .limit = 1}, take_alert, &kept));
	if (!kept.terms)
		return;
	altered = kept;
	altered.term[0].counts.org++;
	must_read(journal_alert(j, &altered));
	must_read(explain_add(j, l->policies, kept.id, &sum, NULL, NULL));
	must_read(journal_alert(j, &kept));
	out->altered++;
	out->noticed += sum.alerts_differ;
}

void proof_end(struct lab *l, bool alter, struct proof *out)
{
	struct journal *j = reason_journal(l->reason);
	double began = cpu_seconds();

	*out = (struct proof){0};
	for (uint64_t id = l->raised.alerts_before + 1; id <= l->raised.alerts; id++) {
		int error = explain_add(j, l->policies, id, &out->sum, tell, NULL);

		must_read(error);
		out->lost += error == -ENOENT;
	}
	must_read(explain_events(j, l->raised.since_ns, &out->sum, tell, NULL));
	if (out->sum.scores < l->raised.events)
		out->lost += l->raised.events - out->sum.scores;
	if (alter)
		alter_one(l, out);
	out->seconds = cpu_seconds() - began;
}
