// SPDX-License-Identifier: GPL-2.0-or-later
// What a person asks not to be told, and what an alert rests on: verbs that read or write the journal alone.
#include "brain.h"
#include "explain.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void message_suppression(Control__Suppression *m, const struct suppression *s, uint64_t now_ns)
{
	struct prefix net = {s->endpoint, s->endpoint_bits};
	char text[PREFIX_TEXT_BYTES];

	control__suppression__init(m);
	m->id = s->id;
	m->made_ns = s->made_ns;
	m->expires_ns = s->expires_ns;
	m->removed_ns = s->removed_ns;
	m->port = s->port;
	m->certain = s->certain != 0;
	m->holds = suppression_holds(s, now_ns);
	control_set(&m->policy, s->policy);
	if (address_is_set(&s->device))
		control_set(&m->device, address_format(&s->device, text));
	if (address_is_set(&s->endpoint))
		control_set(&m->endpoint, prefix_format(&net, text));
	control_set(&m->reason, s->reason);
	control_set(&m->who, s->who);
}

static bool add_one(Control__Reply *reply, const struct suppression *s, uint64_t now_ns)
{
	Control__Suppression *m = control_append((void ***)&reply->suppressions, &reply->n_suppressions, sizeof(*m));

	if (m)
		message_suppression(m, s, now_ns);
	return m != NULL;
}

struct listing {
	Control__Reply *reply;
	uint64_t now_ns;
	bool all;
};

static bool list_one(void *user, const struct suppression *s)
{
	struct listing *l = user;

	return (!l->all && !suppression_holds(s, l->now_ns)) || add_one(l->reply, s, l->now_ns);
}

static bool has_policy(const struct policy_set *set, const char *name)
{
	for (unsigned i = 0; i < policy_count(set); i++)
		if (strcmp(policy_name(set, i), name) == 0)
			return true;
	return false;
}

// What the question names, as a suppression. false: said why not.
static bool read_suppression(const struct brain *b, const Control__Request *q, Control__Reply *reply, uint64_t now_ns,
			     struct suppression *s)
{
	struct prefix p = {0};

	*s = (struct suppression){.port = (uint16_t)q->port, .certain = q->certain, .expires_ns = now_ns + q->for_ns};
	if (*q->policy && !has_policy(b->policies, q->policy))
		control_fail(reply, EINVAL, "no policy has the name \"%s\"", q->policy);
	else if (*q->address && address_parse(bytes_of_text(q->address), &s->device) < 0)
		control_fail(reply, EINVAL, "\"%s\" is no device's address", q->address);
	else if (*q->endpoint && prefix_parse(bytes_of_text(q->endpoint), &p) < 0)
		control_fail(reply, EINVAL, "\"%s\" is no address and no network such as 192.0.2.0/24", q->endpoint);
	else if (q->port > 65535)
		control_fail(reply, EINVAL, "%u is no port", q->port);
	s->endpoint = p.address;
	s->endpoint_bits = p.bits;
	snprintf(s->policy, sizeof(s->policy), "%s", q->policy);
	snprintf(s->reason, sizeof(s->reason), "%s", q->reason);
	return reply->error == 0;
}

// How much it would have hidden is said before anybody relies on it.
static void say_matches(struct brain *b, Control__Reply *reply, const struct suppression *s, const char *verb)
{
	char text[160];
	unsigned total;
	int n = suppressed_count(reason_journal(b->reason), s, &total);

	if (n < 0)
		control_fail(reply, -n, "the journal could not be read: %s", strerror(-n));
	else {
		snprintf(text, sizeof(text), "%s %d of %u alerts in the journal", verb, n, total);
		control_set(&reply->message, text);
	}
}

static void add(struct brain *b, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply, uint64_t now_ns)
{
	struct suppression s;
	int rc;

	if (!read_suppression(b, q, reply, now_ns, &s))
		return;
	snprintf(s.who, sizeof(s.who), "%s", peer->name);
	rc = suppressed_add(reason_journal(b->reason), reason_suppressions(b->reason), &s, now_ns);
	if (rc == -EINVAL)
		control_fail(reply, EINVAL, "refused: it names nothing, has no reason, or no end within 366d");
	else if (rc < 0)
		control_fail(reply, -rc, "refused: %s", rc == -ENOSPC ? "there are 256 already" : strerror(-rc));
	else {
		add_one(reply, &s, now_ns);
		say_matches(b, reply, &s, "matches");
	}
}

static void try_out(struct brain *b, const Control__Request *q, Control__Reply *reply, uint64_t now_ns)
{
	struct suppression s;

	if (!read_suppression(b, q, reply, now_ns, &s))
		return;
	if (!q->for_ns)
		s.expires_ns = now_ns + 1;
	add_one(reply, &s, now_ns);
	say_matches(b, reply, &s, "would match");
}

static void list(struct brain *b, const Control__Request *q, Control__Reply *reply, uint64_t now_ns)
{
	struct listing l = {reply, now_ns, q->all};
	int rc = journal_suppressions(reason_journal(b->reason), NULL, list_one, &l);

	if (rc < 0)
		control_fail(reply, -rc, "the journal could not be read: %s", strerror(-rc));
}

static void remove_one(struct brain *b, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply,
		       uint64_t now_ns)
{
	struct listing l = {reply, now_ns, true};
	struct journal_query by_id = {.id = q->id, .limit = 1};
	int rc = suppressed_remove(reason_journal(b->reason), reason_suppressions(b->reason), q->id, peer->name, now_ns);

	if (rc == -ENOENT)
		control_fail(reply, ENOENT, "no suppression has the number %llu", (unsigned long long)q->id);
	else if (rc < 0)
		control_fail(reply, -rc, "the journal could not be written: %s", strerror(-rc));
	else
		journal_suppressions(reason_journal(b->reason), &by_id, list_one, &l);
}

void brain_suppress(struct brain *b, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply,
		    uint64_t now_ns)
{
	switch (q->verb) {
	case CONTROL__VERB__SUPPRESS_ADD: add(b, peer, q, reply, now_ns); return;
	case CONTROL__VERB__SUPPRESS_REMOVE: remove_one(b, peer, q, reply, now_ns); return;
	case CONTROL__VERB__SUPPRESS_TRY: try_out(b, q, reply, now_ns); return;
	default: list(b, q, reply, now_ns);
	}
}

struct hiding {
	const struct suppress_set *set;
	uint64_t now_ns;
	bool told;
};

static bool any_is_told(void *user, const struct alert *a)
{
	struct hiding *h = user;

	h->told = !suppress_hides(h->set, a, h->now_ns);
	return !h->told;
}

bool brain_hides_incident(struct brain *b, uint64_t incident, uint64_t now_ns)
{
	struct hiding h = {reason_suppressions(b->reason), now_ns, false};
	struct journal_query q = {.incident = incident};

	return h.set->count && journal_alerts(reason_journal(b->reason), &q, any_is_told, &h) > 0 && !h.told;
}

void brain_explain(struct brain *b, const Control__Request *q, Control__Reply *reply)
{
	char *text = malloc(EXPLAIN_BYTES);
	unsigned differ = 0;
	int rc = text ? explain_alert(reason_journal(b->reason), b->policies, q->id, q->json, text, EXPLAIN_BYTES, &differ)
		      : -ENOMEM;

	if (rc == -ENOENT)
		control_fail(reply, ENOENT, "no alert has the number %llu", (unsigned long long)q->id);
	else if (rc < 0)
		control_fail(reply, -rc, "the journal could not be read: %s", strerror(-rc));
	else
		control_set(&reply->story, text);
	reply->differ = differ;
	free(text);
}
