// SPDX-License-Identifier: GPL-2.0-or-later
// budget: how many alarms a day a person will read, and how well that can be kept so far.
#include "nouns.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: sekimori budget show [--json]\n"
	"       sekimori budget set N [--blocks M]     N alarms a day, 0.01 to 10 (once in three months: 0.01); 0: none, policies\n"
	"                                              stand alone. M blocks a day without a certain fact (default N/50).\n";

static void print_threshold(const char *what, double per_day, double bits)
{
	printf("%-18s %.3g a day", what, per_day);
	if (bits > 0)
		printf(", threshold %.1f bits of evidence\n", bits);
	else
		puts(", no threshold yet");
}

// What can be promised, said as it is.
static void print_promise(const Control__Budget *b)
{
	if (!b->calibrated)
		printf("not calibrated: %u days count so far (a device's first week counts for none); until there are enough, policies "
		       "stand by themselves\n", b->days);
	if (b->error >= 1)
		printf("error >= 100 %%: %u days are not enough for %g alarms a day; the bound is loose\n", b->days, b->alarms_per_day);
	else
		printf("the %u days so far allow +-%.0f %% of %g alarms a day\n", b->days, 100 * b->error, b->alarms_per_day);
}

static void print_words(const Control__Budget *b)
{
	char role[64];

	if (b->alarms_per_day <= 0) {
		puts("no budget: every match of a policy is an alert, and nothing else is");
		return;
	}
	printf("%-18s %g a day\n", "alarms", b->alarms_per_day);
	for (size_t i = 0; i < b->n_shares; i++) {
		snprintf(role, sizeof(role), "  of %ss", b->shares[i]->role);
		print_threshold(role, b->shares[i]->alarms_per_day, b->shares[i]->threshold);
	}
	print_threshold("blocks", b->blocks_per_day, b->block_threshold);
	printf("%-18s %u\n%-18s %+.1f alarms against the budget\n", "alarms today", b->today, "debt", b->debt);
	print_promise(b);
}

static void print_table(const Control__Budget *b)
{
	static const struct column columns[] = {{"of", 0}, {"alarms a day", 1}, {"blocks a day", 1}, {"threshold bits", 1}, {"block threshold bits", 1},
		{"calibrated", 1}, {"error %", 1}, {"days", 1}, {"today", 1}, {"debt", 1}};
	struct table *t = table_new("budget", columns, sizeof(columns) / sizeof(columns[0]), true);

	for (size_t i = 0; i <= b->n_shares; i++) { // all, then each role's share
		const Control__BudgetShare *s = i ? b->shares[i - 1] : NULL;

		table_row(t);
		table_text(t, s ? s->role : "all");
		table_real(t, s ? s->alarms_per_day : b->alarms_per_day, 2);
		table_real(t, s ? 0 : b->blocks_per_day, 4);
		table_real(t, s ? s->threshold : 0, 2);
		table_real(t, s ? 0 : b->block_threshold, 2);
		table_number(t, b->calibrated);
		table_real(t, b->error < 10 ? 100 * b->error : 1000, 0); // 1000: and more
		table_number(t, b->days);
		table_number(t, s ? s->today : b->today);
		table_real(t, s ? s->debt : b->debt, 2);
	}
	table_print(t);
}

int noun_budget(int argc, char **argv)
{
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	Control__Reply *r;

	if (status >= 0)
		return status;
	a.request.verb = CONTROL__VERB__BUDGET_GET;
	if (a.verb && !strcmp(a.verb, "set") && a.target) {
		if (!ask_real(a.target, &a.request.alarms_per_day))
			return EXIT_USAGE;
		a.request.verb = CONTROL__VERB__BUDGET_SET;
	} else if (!a.verb || strcmp(a.verb, "show") || a.target) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	r = ask_call(&a, "brain", &status);
	if (!r)
		return status;
	if (r->budget && a.json)
		print_table(r->budget);
	else if (r->budget)
		print_words(r->budget);
	control__reply__free_unpacked(r, NULL);
	return EXIT_DONE;
}
