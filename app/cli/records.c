// SPDX-License-Identifier: GPL-2.0-or-later
// alert, incident, device, block: the nouns about what was found and done.
#include "nouns.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void join(char *out, size_t cap, char **list, size_t n)
{
	size_t at = 0;

	out[0] = 0;
	for (size_t i = 0; i < n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s", i ? " " : "", list[i]);
}

static void print_alerts(const Control__Reply *r, bool json)
{
	static const struct column columns[] = {{"id", 1}, {"time", 0}, {"priority", 1}, {"policy", 0}, {"device", 0}, {"endpoint", 0}, {"port", 1},
		{"bits", 1}, {"incident", 1}, {"response", 0}, {"repeats", 1}, {"suppressed", 0}, {"what", 0}};
	struct table *t = table_new("alerts", columns, sizeof(columns) / sizeof(columns[0]), json);

	for (size_t i = 0; i < r->n_alerts; i++) {
		const Control__Alert *a = r->alerts[i];
		const char *what = *a->detail ? a->detail : *a->uri ? a->uri : *a->agent ? a->agent : a->app;

		table_row(t);
		table_number(t, a->id);
		table_time(t, a->time_ns);
		table_number(t, a->priority);
		table_text(t, a->policy);
		table_text(t, a->device);
		table_text(t, a->endpoint);
		table_number(t, a->endpoint_port);
		table_number(t, (uint64_t)(a->bits + 0.5));
		table_number(t, a->incident);
		table_text(t, a->response);
		table_number(t, a->repeats);
		table_text(t, a->suppressed ? "yes" : "");
		table_text(t, what);
	}
	table_print(t);
}

static void print_terms(const Control__Alert *a)
{
	for (size_t i = 0; i < a->n_terms; i++) {
		const Control__Term *k = a->terms[i];

		printf("  %-14s %-40s here %u of %u days, peers %u of %u, organisation %u of %u, %.1f bits\n", k->feature, k->value, k->device_days,
		       k->device_known, k->peers, k->peers_total, k->org, k->org_total, k->bits);
	}
}

static void print_alert(const Control__Alert *a)
{
	char when[TEXT_TIME_BYTES], facts[256];

	join(facts, sizeof(facts), a->facts, a->n_facts);
	printf("alert %llu  %s  %s  priority %u\n", (unsigned long long)a->id, time_format(a->time_ns, when), a->policy, a->priority);
	if (*a->why)
		printf("%s\n", a->why);
	printf("  device %s (%s)  endpoint %s:%u  %s %s  incident %llu  response %s\n", a->device, a->group, a->endpoint, a->endpoint_port,
	       a->direction, a->app, (unsigned long long)a->incident, a->response);
	if (*facts)
		printf("  facts: %s\n", facts);
	print_terms(a);
	if (*a->baseline)
		printf("  judged by baseline %s, %.1f bits in all\n", a->baseline, a->bits);
}

static void print_incidents(const Control__Reply *r, bool json)
{
	static const struct column columns[] = {{"id", 1}, {"score", 1}, {"priority", 1}, {"state", 0}, {"first", 0}, {"last", 0}, {"alerts", 1},
		{"devices", 0}, {"endpoints", 0}, {"phases", 0}, {"suppressed", 0}};
	struct table *t = table_new("incidents", columns, sizeof(columns) / sizeof(columns[0]), json);
	char text[1024];

	for (size_t i = 0; i < r->n_incidents; i++) {
		const Control__Incident *n = r->incidents[i];

		if (n->merged_into)
			continue;
		table_row(t);
		table_number(t, n->id);
		table_number(t, (uint64_t)(n->score + 0.5));
		table_number(t, n->priority);
		table_text(t, n->state);
		table_time(t, n->first_ns);
		table_time(t, n->last_ns);
		table_number(t, n->alerts);
		join(text, sizeof(text), n->devices, n->n_devices);
		table_text(t, text);
		join(text, sizeof(text), n->endpoints, n->n_endpoints);
		table_text(t, text);
		join(text, sizeof(text), n->phases, n->n_phases);
		table_text(t, text);
		table_text(t, n->suppressed ? "yes" : "");
	}
	table_print(t);
}

static void print_devices(const Control__Reply *r, bool json)
{
	static const struct column columns[] = {{"address", 0}, {"role", 0}, {"group", 0}, {"first seen", 0}, {"last seen", 0}, {"days", 1},
		{"outside clients", 1}, {"observations", 1}, {"ready %", 1}};
	struct table *t = table_new("devices", columns, sizeof(columns) / sizeof(columns[0]), json);

	for (size_t i = 0; i < r->n_devices; i++) {
		const Control__Device *d = r->devices[i];

		table_row(t);
		table_text(t, d->address);
		table_text(t, d->role);
		table_text(t, d->group);
		table_time(t, d->first_ns);
		table_time(t, d->last_ns);
		table_number(t, d->days);
		table_number(t, d->outside_clients);
		table_number(t, d->observations);
		table_number(t, d->ready);
	}
	table_print(t);
}

static void print_blocks(const Control__Reply *r, bool json)
{
	static const struct column columns[] = {{"id", 1}, {"endpoint", 0}, {"port", 1}, {"proto", 0}, {"state", 0}, {"remaining", 0}, {"until", 0},
		{"frames", 1}, {"incident", 1}, {"policy", 0}, {"who", 0}, {"reason", 0}};
	struct table *t = table_new("blocks", columns, sizeof(columns) / sizeof(columns[0]), json);
	char left[TEXT_DURATION_BYTES];

	for (size_t i = 0; i < r->n_blocks; i++) {
		const Control__Block *b = r->blocks[i];

		table_row(t);
		table_number(t, b->id);
		table_text(t, b->endpoint);
		table_number(t, b->port);
		table_text(t, b->transport == 6 ? "tcp" : b->transport == 17 ? "udp" : "any");
		table_text(t, b->state);
		table_text(t, b->remaining_ns ? duration_format(b->remaining_ns, left) : "");
		table_time(t, b->expires_ns);
		table_number(t, b->frames);
		table_number(t, b->incident);
		table_text(t, b->policy);
		table_text(t, b->who);
		table_text(t, b->reason);
	}
	table_print(t);
}

struct verb {
	const char *name;
	Control__Verb verb;
	char target;       // 'i' a number, 'a' an address, 0 none
	void (*print)(const Control__Reply *r, bool json);
};

// An option of other verbs that this one would pass over, as if it had been heeded. NULL: none.
static const char *unheeded(const Control__Request *q, Control__Verb verb)
{
	const bool is_add = verb == CONTROL__VERB__BLOCK_ADD, is_extend = verb == CONTROL__VERB__BLOCK_EXTEND;
	const bool is_list = verb == CONTROL__VERB__ALERT_LIST || verb == CONTROL__VERB__INCIDENT_LIST;

	return *q->policy		      ? "--policy"
	       : *q->endpoint		      ? "--endpoint"
	       : *q->address && !is_list      ? "--device"
	       : q->port && !is_add	      ? "--port"
	       : q->transport && !is_add      ? "--udp"
	       : q->until_ns && !is_extend    ? "--until"
	       : q->for_ns && !is_add && !is_extend ? "--for"
					      : NULL;
}

// One path for all record nouns: find the verb, read its target, call, print.
static int record_noun(int argc, char **argv, const char *help, const struct verb *verbs)
{
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	const struct verb *v = verbs;
	const char *option;
	Control__Reply *r;

	if (status >= 0)
		return status;
	while (v->name && (!a.verb || strcmp(v->name, a.verb)))
		v++;
	if (!v->name || (v->target == 'a' && !a.target) || (!v->target && a.target)) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	option = unheeded(&a.request, v->verb);
	if (option) {
		fprintf(stderr, "sekimori %s %s: %s means nothing here\n%s", a.noun, a.verb, option, help);
		return EXIT_USAGE;
	}
	if (v->target == 'i' && !ask_id(&a))
		return EXIT_USAGE;
	if (v->target == 'a')
		a.request.address = (char *)a.target;
	if (v->verb == CONTROL__VERB__BLOCK_LIFT && !*a.request.reason) {
		fputs("sekimori block lift: --reason is needed; it goes into the audit trail\n", stderr);
		return EXIT_USAGE;
	}
	if (v->verb == CONTROL__VERB__BLOCK_EXTEND && !a.request.for_ns == !a.request.until_ns) {
		fputs("sekimori block extend: either --by 2h (adds) or --until TIME is needed\n", stderr);
		return EXIT_USAGE;
	}
	a.request.verb = v->verb;
	a.request.all = a.all;
	r = ask_call(&a, "brain", &status);
	if (!r)
		return status;
	v->print(r, a.json);
	status = r->n_alerts + r->n_incidents + r->n_devices + r->n_blocks ? EXIT_DONE : EXIT_NOTHING;
	control__reply__free_unpacked(r, NULL);
	return status;
}

static void show_alert(const Control__Reply *r, bool json)
{
	if (json)
		print_alerts(r, json);
	for (size_t i = 0; !json && i < r->n_alerts; i++)
		print_alert(r->alerts[i]);
}

static void show_incident(const Control__Reply *r, bool json)
{
	if (json)
		print_incidents(r, json);
	else
		fputs(r->story, stdout);
}

static void show_device(const Control__Reply *r, bool json)
{
	print_devices(r, json);
	if (!json && r->n_alerts)
		print_alerts(r, json);
}

int noun_alert(int argc, char **argv)
{
	static const struct verb verbs[] = {{"list", CONTROL__VERB__ALERT_LIST, 0, print_alerts}, {"show", CONTROL__VERB__ALERT_SHOW, 'i', show_alert}, {0}};

	return record_noun(argc, argv, "usage: sekimori alert list [--since 7d] [--priority 3] [--limit N] [--all] [--json] | show ID [--lang ja]\n", verbs);
}

int noun_incident(int argc, char **argv)
{
	static const struct verb verbs[] = {{"list", CONTROL__VERB__INCIDENT_LIST, 0, print_incidents},
		{"show", CONTROL__VERB__INCIDENT_SHOW, 'i', show_incident},
		{"confirm", CONTROL__VERB__INCIDENT_CONFIRM, 'i', print_incidents}, {0}};

	return record_noun(argc, argv, "usage: sekimori incident list [--since 7d] [--all] [--json] | show ID [--lang ja]\n"
			   "       sekimori incident confirm ID     it was a true one: today's budget is not charged for it\n", verbs);
}

int noun_device(int argc, char **argv)
{
	static const struct verb verbs[] = {{"list", CONTROL__VERB__DEVICE_LIST, 0, print_devices},
		{"show", CONTROL__VERB__DEVICE_SHOW, 'a', show_device}, {0}};

	return record_noun(argc, argv, "usage: sekimori device list [--json] | show ADDRESS\n", verbs);
}

int noun_block(int argc, char **argv)
{
	static const struct verb verbs[] = {{"list", CONTROL__VERB__BLOCK_LIST, 0, print_blocks}, {"show", CONTROL__VERB__BLOCK_SHOW, 'i', print_blocks},
		{"add", CONTROL__VERB__BLOCK_ADD, 'a', print_blocks}, {"extend", CONTROL__VERB__BLOCK_EXTEND, 'i', print_blocks},
		{"lift", CONTROL__VERB__BLOCK_LIFT, 'i', print_blocks}, {"confirm", CONTROL__VERB__BLOCK_CONFIRM, 'i', print_blocks}, {0}};

	return record_noun(argc, argv,
			   "usage: sekimori block list [--json] | show ID\n"
			   "       sekimori block add ADDRESS|PREFIX [--port 88 [--udp]] [--for 2h] [--reason R]\n"
			   "       sekimori block extend ID --by 2h | --until 2026-11-24T18:00:00Z     never shortens\n"
			   "       sekimori block lift ID --reason R     not blocked again before its original end\n"
			   "       sekimori block confirm ID             in mode advise: a proposed block becomes active\n", verbs);
}
