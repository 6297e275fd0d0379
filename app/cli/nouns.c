// SPDX-License-Identifier: GPL-2.0-or-later
// status, counters, mode, panic, policy: the nouns about the box itself.
#include "nouns.h"
#include "judge.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const char *help)
{
	fputs(help, stderr);
	return EXIT_USAGE;
}

static void status_row(struct table *t, const Control__Status *s)
{
	char up[TEXT_DURATION_BYTES], p50[TEXT_DURATION_BYTES], p99[TEXT_DURATION_BYTES], took[80] = "";

	if (s->block_samples)
		snprintf(took, sizeof(took), "%s / %s (%llu)", duration_format(s->block_p50_ns, p50), duration_format(s->block_p99_ns, p99),
			 (unsigned long long)s->block_samples);
	table_row(t);
	table_text(t, s->process);
	table_number(t, s->pid);
	table_text(t, duration_format(s->uptime_ns, up));
	table_text(t, s->panic ? "PANIC" : s->mode);
	table_text(t, s->brain_alive ? "yes" : "no");
	table_number(t, s->frames);
	table_number(t, s->dropped);
	table_number(t, s->lost);
	table_number(t, s->flows);
	table_number(t, s->blocks);
	table_number(t, s->devices);
	table_number(t, s->alerts);
	table_number(t, s->incidents);
	table_text(t, took);
}

int noun_status(int argc, char **argv)
{
	static const char help[] = "usage: sekimori status [--json]\nBlock time: from the offending frame to the block in force, p50 / p99 (how many).\n";
	static const struct column columns[] = {{"process", 0}, {"pid", 1}, {"up", 0}, {"mode", 0}, {"brain", 0}, {"frames", 1}, {"cut", 1},
		{"lost", 1}, {"flows", 1}, {"blocks", 1}, {"devices", 1}, {"alerts", 1}, {"incidents", 1}, {"block time", 0}};
	static const char *const processes[] = {"wire", "brain"};
	struct table *t;
	struct ask a;
	int status = ask_read_words(&a, argc, argv, help, 0), worst = EXIT_DONE;

	if (status >= 0)
		return status;
	t = table_new("status", columns, sizeof(columns) / sizeof(columns[0]), a.json);
	a.request.verb = CONTROL__VERB__STATUS;
	for (unsigned i = 0; i < 2; i++) {
		Control__Reply *r = ask_call(&a, processes[i], &status);

		if (r && r->status)
			status_row(t, r->status);
		if (r)
			control__reply__free_unpacked(r, NULL);
		worst = status > worst ? status : worst;
	}
	table_print(t);
	return worst;
}

int noun_counters(int argc, char **argv)
{
	static const char help[] = "usage: sekimori counters [--json]\n";
	static const struct column columns[] = {{"counter", 0}, {"value", 1}, {"meaning", 0}};
	static const char *const processes[] = {"wire", "brain"};
	struct table *t;
	struct ask a;
	int status = ask_read_words(&a, argc, argv, help, 0), worst = EXIT_DONE;

	if (status >= 0)
		return status;
	t = table_new("counters", columns, 3, a.json);
	a.request.verb = CONTROL__VERB__COUNTERS;
	for (unsigned i = 0; i < 2; i++) {
		Control__Reply *r = ask_call(&a, processes[i], &status);

		for (size_t k = 0; r && k < r->n_counters; k++) {
			table_row(t);
			table_text(t, r->counters[k]->name);
			table_number(t, r->counters[k]->value);
			table_text(t, r->counters[k]->text);
		}
		if (r)
			control__reply__free_unpacked(r, NULL);
		worst = status > worst ? status : worst;
	}
	table_print(t);
	return worst;
}

int noun_mode(int argc, char **argv)
{
	static const char help[] = "usage: sekimori mode show | set MODE [--yes]\n"
		"  learn     only learn\n  observe   say what would have been blocked\n  advise    blocks wait for `block confirm`\n"
		"  enforce   cut and block by itself (asks for --yes)\n";
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	Control__Reply *r;

	if (status >= 0)
		return status;
	a.request.verb = CONTROL__VERB__MODE_GET;
	if (a.verb && !strcmp(a.verb, "set") && a.target) {
		if (!strcmp(a.target, "enforce") && !a.yes) {
			fputs("sekimori: enforce cuts traffic by itself; say it again with --yes\n", stderr);
			return EXIT_CONFIRM;
		}
		a.request.verb = CONTROL__VERB__MODE_SET;
		a.request.mode = (char *)a.target;
	} else if (a.verb && (strcmp(a.verb, "show") || a.target)) {
		return usage(help);
	}
	r = ask_call(&a, "brain", &status);
	if (!r)
		return status;
	if (r->status)
		printf(a.json ? "{\"mode\":\"%s\"}\n" : "%s\n", r->status->mode);
	control__reply__free_unpacked(r, NULL);
	return EXIT_DONE;
}

int noun_panic(int argc, char **argv)
{
	static const char help[] = "usage: sekimori panic [off]\nEnforcement off in the wire at once, the brain goes to observe. Works with the brain dead;\n"
		"with every socket dead: kill -USR1 $(pidof sekimori-wire); each signal turns it, on or off.\n";
	struct ask a;
	int status = ask_read_words(&a, argc, argv, help, 1), brain;
	Control__Reply *r;

	if (status >= 0)
		return status;
	if (a.verb && strcmp(a.verb, "off") && strcmp(a.verb, "on"))
		return usage(help);
	a.request.verb = CONTROL__VERB__PANIC;
	a.request.on = !(a.verb && !strcmp(a.verb, "off"));
	r = ask_call(&a, "wire", &status);
	if (r)
		control__reply__free_unpacked(r, NULL);
	r = ask_call(&a, "brain", &brain); // its death must not matter
	if (r)
		control__reply__free_unpacked(r, NULL);
	if (status == EXIT_DONE)
		puts(a.request.on ? "enforcement is off" : "enforcement follows the mode again");
	return status;
}

static int check(const char *folder)
{
	char error[POLICY_ERROR_BYTES], safe[4 * POLICY_ERROR_BYTES]; // the folder may be anybody's
	struct policy_set *set = policy_load(folder, error);

	if (!set) {
		text_printable(bytes_of_text(error), safe, sizeof(safe));
		fprintf(stderr, "%s\n", safe);
		return EXIT_FAILED;
	}
	for (unsigned i = 0; i < policy_count(set); i++) {
		text_printable(bytes_of_text(policy_alias(set, i)), safe, sizeof(safe));
		printf("%-32s %s\n", policy_name(set, i), safe);
	}
	printf("%u policies, no errors\n", policy_count(set));
	policy_free(set);
	return EXIT_DONE;
}

int noun_policy(int argc, char **argv)
{
	static const char help[] = "usage: sekimori policy check [DIR] | reload\n";
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	Control__Reply *r;

	if (status >= 0)
		return status;
	if (a.verb && !strcmp(a.verb, "check"))
		return check(a.target ? a.target : SEKIMORI_SOURCE_DIR "/policy");
	if (!a.verb || strcmp(a.verb, "reload") || a.target)
		return usage(help);
	a.request.verb = CONTROL__VERB__POLICY_RELOAD;
	r = ask_call(&a, "brain", &status);
	if (r)
		control__reply__free_unpacked(r, NULL);
	return status;
}
