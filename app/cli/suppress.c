// SPDX-License-Identifier: GPL-2.0-or-later
// suppress: what is known and need not be told again, for a time, with a reason.
#include "nouns.h"
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: sekimori suppress add [what] --for 30d --reason TEXT\n"
	"       sekimori suppress try [what]       how many past alerts it would match; changes nothing\n"
	"       sekimori suppress list [--all] [--json] | remove ID\n"
	"  what: --policy NAME  --device ADDRESS  --endpoint ADDRESS[/BITS]  --port N  (all that are given must match)\n"
	"        --certain      alerts on a fact that needs no learning, too; without it they are never suppressed\n"
	"What is suppressed is still judged and kept (alert list --all), opens no incident, asks for no block and does not\n"
	"count against the alarm budget. It holds for past alerts too, and ends by itself.\n";

static void print(const Control__Reply *r, bool json)
{
	static const struct column columns[] = {{"id", 1}, {"until", 0}, {"state", 0}, {"policy", 0}, {"device", 0}, {"endpoint", 0}, {"port", 1},
		{"certain", 0}, {"who", 0}, {"reason", 0}};
	struct table *t = table_new("suppressions", columns, sizeof(columns) / sizeof(columns[0]), json);

	for (size_t i = 0; i < r->n_suppressions; i++) {
		const Control__Suppression *s = r->suppressions[i];

		table_row(t);
		table_number(t, s->id);
		table_time(t, s->expires_ns);
		table_text(t, s->holds ? s->id ? "holds" : "tried" : s->removed_ns ? "removed" : "over");
		table_text(t, *s->policy ? s->policy : "any");
		table_text(t, *s->device ? s->device : "any");
		table_text(t, *s->endpoint ? s->endpoint : "any");
		table_number(t, s->port);
		table_text(t, s->certain ? "yes" : "no");
		table_text(t, s->who);
		table_text(t, s->reason);
	}
	table_print(t);
}

static const struct {
	const char *name;
	Control__Verb verb;
} verbs[] = {{"list", CONTROL__VERB__SUPPRESS_LIST}, {"add", CONTROL__VERB__SUPPRESS_ADD},
	     {"try", CONTROL__VERB__SUPPRESS_TRY}, {"remove", CONTROL__VERB__SUPPRESS_REMOVE}};

// false: said what is missing.
static bool is_complete(struct ask *a)
{
	const Control__Request *q = &a->request;

	if (q->verb == CONTROL__VERB__SUPPRESS_REMOVE)
		return ask_id(a);
	if (a->target || q->transport == 17 || q->until_ns) { // what is passed over would hide more than was meant
		fprintf(stderr, "sekimori suppress %s: \"%s\" chooses nothing here\n%s", a->verb,
			a->target ? a->target : q->transport == 17 ? "--udp" : "--until", help);
		return false;
	}
	if (q->verb == CONTROL__VERB__SUPPRESS_LIST)
		return true;
	if (!*q->policy && !*q->address && !*q->endpoint && !q->port) {
		fputs("sekimori suppress: what? --policy, --device, --endpoint or --port is needed\n", stderr);
		return false;
	}
	if (q->verb == CONTROL__VERB__SUPPRESS_ADD && (!q->for_ns || !*q->reason)) {
		fputs("sekimori suppress add: --for 30d and --reason are needed; both go into the audit trail\n", stderr);
		return false;
	}
	return true;
}

int noun_suppress(int argc, char **argv)
{
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	Control__Reply *r;
	size_t v = 0;

	if (status >= 0)
		return status;
	while (v < sizeof(verbs) / sizeof(verbs[0]) && (!a.verb || strcmp(a.verb, verbs[v].name)))
		v++;
	if (v == sizeof(verbs) / sizeof(verbs[0])) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	a.request.verb = verbs[v].verb;
	a.request.all = a.all;
	if (!is_complete(&a))
		return EXIT_USAGE;
	r = ask_call(&a, "brain", &status);
	if (!r)
		return status;
	print(r, a.json);
	status = r->n_suppressions ? EXIT_DONE : EXIT_NOTHING;
	control__reply__free_unpacked(r, NULL);
	return status;
}
