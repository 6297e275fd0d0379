// SPDX-License-Identifier: GPL-2.0-or-later
// `replay --journal DIR --policy NEW [--compare OLD]`: stored alerts judged again, without frames. What cannot be said
// without captures is said to be so.
#include "cli.h"
#include "journal.h"
#include "log.h"
#include "reweigh.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 20 };

struct line { // by policy
	char name[48];
	uint32_t alerts, judged[REWEIGH_WORDS], raised, lowered, blocks_more, blocks_fewer;
};

struct rejudge {
	struct policy_set *now, *before;
	struct line line[2 * POLICY_MAX];
	unsigned lines;
	uint64_t alerts;
	unsigned shown;
};

static struct line *line_of(struct rejudge *r, const char *name)
{
	for (unsigned i = 0; i < r->lines; i++)
		if (!strcmp(r->line[i].name, name))
			return &r->line[i];
	if (r->lines == 2 * POLICY_MAX)
		return &r->line[r->lines - 1];
	snprintf(r->line[r->lines].name, sizeof(r->line[0].name), "%s", name);
	return &r->line[r->lines++];
}

static bool acts(const struct alert *a)
{
	return (a->wants_cut || a->wants_block) && !a->unproven;
}

static void show(struct rejudge *r, const struct alert *then, const struct alert *now)
{
	char when[TEXT_TIME_BYTES], device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES];

	if (r->shown++ >= SHOWN)
		return;
	printf("  alert %llu %s %s  %s  %s:%u: %s, %s; was %s, %s\n", (unsigned long long)then->id, time_format(then->time_ns, when), then->policy,
	       address_format(&then->device, device), address_format(&then->endpoint, endpoint), then->endpoint_port,
	       now->note ? "a note" : "an alert", acts(now) ? "acts" : "does not act", then->note ? "a note" : "an alert",
	       acts(then) ? "acted" : "did not act");
}

static bool judge_again(void *user, const struct alert *then)
{
	struct rejudge *r = user;
	struct line *l = line_of(r, then->policy);
	struct alert now;
	enum reweigh_word word = reweigh_alert(r->now, r->before, then, &now);

	r->alerts++;
	l->alerts++;
	l->judged[word]++;
	if (word != REWEIGH_DONE)
		return true;
	l->raised += then->note && !now.note;
	l->lowered += !then->note && now.note;
	l->blocks_more += acts(&now) && !acts(then);
	l->blocks_fewer += !acts(&now) && acts(then);
	if (then->note != now.note || acts(&now) != acts(then))
		show(r, then, &now);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

static bool had_alerts(const struct rejudge *r, const char *name)
{
	for (unsigned i = 0; i < r->lines; i++)
		if (!strcmp(r->line[i].name, name))
			return true;
	return false;
}

static void print_cannot(const struct rejudge *r)
{
	for (unsigned i = 0; i < r->lines; i++) {
		const struct line *l = &r->line[i];

		if (l->judged[REWEIGH_CONDITIONS])
			printf("cannot be judged without captures: %s: its conditions are others than those of its %u alerts%s\n", l->name,
			       l->judged[REWEIGH_CONDITIONS], r->before ? "" : " (by its version; --compare OLD looks at the conditions themselves)");
		if (l->judged[REWEIGH_RESPONSE])
			printf("cannot be judged without captures: %s: whether %u of its alerts act depends on what was observed, or on how ready the device was\n", l->name,
			       l->judged[REWEIGH_RESPONSE]);
	}
	for (unsigned i = 0; i < policy_count(r->now); i++)
		if (!had_alerts(r, policy_name(r->now, i)))
			printf("cannot be judged without captures: %s: no alert of it in the journal\n", policy_name(r->now, i));
}

static void print_report(struct rejudge *r)
{
	uint32_t judged = 0;

	if (r->shown > SHOWN)
		printf("  ... and %u more\n", r->shown - SHOWN);
	qsort(r->line, r->lines, sizeof(r->line[0]), by_name);
	for (unsigned i = 0; i < r->lines; i++) {
		const struct line *l = &r->line[i];

		judged += l->judged[REWEIGH_DONE];
		if (l->judged[REWEIGH_NO_POLICY])
			printf("%s: gone, %u alerts would not have been\n", l->name, l->judged[REWEIGH_NO_POLICY]);
		if (l->raised || l->lowered || l->blocks_more || l->blocks_fewer)
			printf("%s: of %u alerts %u notes become alerts, %u alerts become notes, %u more act, %u fewer\n", l->name, l->alerts,
			       l->raised, l->lowered, l->blocks_more, l->blocks_fewer);
	}
	printf("%u of %llu alerts judged again, each by itself: what evidence adds up to later does not change with it\n", judged,
	       (unsigned long long)r->alerts);
	print_cannot(r);
}

int replay_journal(const char *folder, const char *policy, const char *old)
{
	static struct rejudge r;
	const struct journal_query all = {.limit = 1000000};
	char path[4096], error[POLICY_ERROR_BYTES];
	struct journal *j;
	int found;

	if ((size_t)snprintf(path, sizeof(path), "%s/journal.db", folder) >= sizeof(path) || access(path, R_OK) < 0)
		log_fatal("%s/journal.db cannot be read", folder);
	r.now = policy_load(policy, error);
	if (r.now && old)
		r.before = policy_load(old, error);
	j = r.now && (r.before || !old) ? journal_open_read(path, error, sizeof(error)) : NULL;
	if (!j)
		log_fatal("%s", error);
	found = journal_alerts(j, &all, judge_again, &r);
	if (found < 0)
		log_warn("%s: %s", path, strerror(-found));
	else
		print_report(&r);
	journal_close(j);
	policy_free(r.now);
	if (r.before)
		policy_free(r.before);
	return found < 0 ? EXIT_FAILED : found ? EXIT_DONE : EXIT_NOTHING;
}
