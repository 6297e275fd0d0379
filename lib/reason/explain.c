// SPDX-License-Identifier: GPL-2.0-or-later
// Gathers what an alert rests on and makes it again.
#include "explain_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPEATS_MOST = EVIDENCE_ITEMS + 1 }; // of one kind that can have divided an item
#define MS_NS 1000000ull

const char *explain_level(uint32_t i, uint32_t levels)
{
	static const char *const names[BACKOFF_LEVELS] = {"organisation", "group", "device"};

	return levels <= BACKOFF_LEVELS && i < levels ? names[levels - 1 - i] : "?";
}

static void __attribute__((format(printf, 2, 3))) differs(struct explained *e, const char *format, ...)
{
	size_t used = strlen(e->differs);
	va_list args;

	va_start(args, format);
	vsnprintf(e->differs + used, sizeof(e->differs) - used, format, args);
	va_end(args);
	e->differ++;
}

// The k-th of the same kind within half an hour counts a k-th.
static bool is_share(int32_t part, int32_t full)
{
	for (int32_t k = 1; k <= REPEATS_MOST; k++)
		if (part == (full > 0 ? full / k : full))
			return true;
	return false;
}

// --- where evidence came from ---

struct search {
	struct explained *e;
	struct explained_item *item;
	const char *name; // of the policy, or NULL
};

static bool take_score(void *user, const struct score *s)
{
	struct search *f = user;
	char text[1024];
	unsigned bad;

	if (!address_equal(&s->device, &f->e->alert.device) || s->time_ns / MS_NS != f->item->item->time_ms)
		return true;
	f->item->found = true;
	f->item->full = s->microbits;
	if (f->e->alone)
		return false;
	bad = score_verify(s, text, sizeof(text));
	f->e->numbers += score_numbers(s);
	if (bad)
		differs(f->e, "evidence %s: %s", f->item->name, text);
	f->e->differ += bad ? bad - 1 : 0;
	return false;
}

static bool take_policy(void *user, const struct alert *a)
{
	struct search *f = user;
	int32_t full = (int32_t)(a->weight * EVIDENCE_BIT);

	if (f->name ? strcmp(f->name, a->policy) != 0 : f->item->item->microbits != a->added)
		return true;
	f->item->exact = f->item->item->microbits == a->added && a->added <= full;
	f->item->found = true;
	f->item->full = full;
	f->item->alert = a->id;
	snprintf(f->item->name, sizeof(f->item->name), "policy %s", a->policy);
	return !f->item->exact; // at that moment it may have matched on another endpoint too
}

static int find_item(struct journal *j, const struct policy_set *policies, struct explained *e, struct explained_item *x)
{
	uint32_t family = x->item->family;
	struct search f = {e, x, NULL};
	struct journal_query q = {.device = e->alert.device,
				  .since_ns = x->item->time_ms * MS_NS,
				  .until_ns = (x->item->time_ms + 1) * MS_NS};
	int rc;

	if (family < SCORE_CLASSES) {
		q.id = x->item->key;
		snprintf(x->name, sizeof(x->name), "%s", score_class_name(family));
		return journal_scores(j, &q, take_score, &f);
	}
	f.name = policies ? policy_name(policies, family - SCORE_CLASSES) : NULL;
	snprintf(x->name, sizeof(x->name), "policy %s", f.name ? f.name : "of another set");
	rc = journal_alerts(j, &q, take_policy, &f);
	if (rc < 0 || x->found || !f.name)
		return rc;
	f.name = NULL; // the policies are others by now: who was there at that time, with that weight?
	return journal_alerts(j, &q, take_policy, &f);
}

static int gather(struct journal *j, const struct policy_set *policies, struct explained *e)
{
	int rc = 0;

	for (unsigned i = 0; i < e->alert.proof.items && i < EVIDENCE_ITEMS && rc >= 0; i++) {
		struct explained_item *x = &e->item[e->items++];

		x->item = &e->alert.proof.item[i];
		rc = find_item(j, policies, e, x);
		if (!x->found)
			continue;
		e->numbers++;
		if (x->alert ? !x->exact : !is_share(x->item->microbits, x->full))
			differs(e, "evidence %s: said %d microbits, of %d in the journal\n", x->name, x->item->microbits,
				x->full);
	}
	return rc < 0 ? rc : 0;
}

static int make_again(struct journal *j, const struct policy_set *policies, struct explained *e)
{
	e->numbers = alert_numbers(&e->alert);
	e->differ = alert_verify(&e->alert, e->differs, sizeof(e->differs));
	return gather(j, policies, e);
}

static bool take_alert(void *user, const struct alert *a)
{
	((struct explained *)user)->alert = *a;
	return false;
}

int explain_alert(struct journal *j, const struct policy_set *policies, uint64_t id, bool json, char *out, size_t cap,
		  unsigned *differ)
{
	struct explained *e = calloc(1, sizeof(*e));
	struct journal_query q = {.id = id, .limit = 1};
	int rc;

	if (!e)
		return -ENOMEM;
	rc = id ? journal_alerts(j, &q, take_alert, e) : 0;
	if (rc > 0) {
		rc = make_again(j, policies, e);
		if (rc == 0)
			rc = json ? explain_json(e, out, cap) : explain_text(e, out, cap);
	} else if (rc == 0) {
		rc = -ENOENT;
	}
	*differ = e->differ;
	free(e);
	return rc;
}

// --- many ---

struct check {
	struct journal *journal;
	const struct policy_set *policies;
	struct explain_sum *sum;
	explain_line_fn line;
	void *user;
	struct explained *e; // room for one
	int error;           // of looking for what an alert rests on
};

static void tell(const struct check *c, const char *what, uint64_t id, const char *text)
{
	char line[1200];

	if (!c->line)
		return;
	snprintf(line, sizeof(line), "%s %llu: %s", what, (unsigned long long)id, text);
	c->line(c->user, line);
}

static bool check_alert(void *user, const struct alert *a)
{
	struct check *c = user;
	struct explained *e = c->e;

	memset(e, 0, sizeof(*e));
	e->alert = *a;
	e->alone = true;
	c->error = make_again(c->journal, c->policies, e);
	c->sum->alerts++;
	c->sum->items += e->items;
	for (unsigned i = 0; i < e->items; i++)
		c->sum->found += e->item[i].found;
	c->sum->numbers += e->numbers;
	c->sum->differ += e->differ;
	c->sum->alerts_differ += e->differ > 0;
	if (e->differ)
		tell(c, "alert", a->id, e->differs);
	return c->error == 0;
}

static bool check_score(void *user, const struct score *s)
{
	struct check *c = user;
	char text[1024];
	unsigned bad = score_verify(s, text, sizeof(text));

	c->sum->scores++;
	c->sum->numbers += score_numbers(s);
	c->sum->differ += bad;
	c->sum->scores_differ += bad > 0;
	if (bad)
		tell(c, "event", s->key, text);
	return true;
}

// Those that `q` finds. How many, or -errno.
static int check_alerts(struct check *c, const struct journal_query *q)
{
	int rc;

	c->e = malloc(sizeof(*c->e));
	if (!c->e)
		return -ENOMEM;
	rc = journal_alerts(c->journal, q, check_alert, c);
	free(c->e);
	return c->error ? c->error : rc;
}

int explain_add(struct journal *j, const struct policy_set *policies, uint64_t id, struct explain_sum *sum,
		explain_line_fn line, void *user)
{
	struct check c = {.journal = j, .policies = policies, .sum = sum, .line = line, .user = user};
	struct journal_query q = {.id = id, .limit = 1};
	int rc = id ? check_alerts(&c, &q) : 0;

	return rc < 0 ? rc : rc ? 0 : -ENOENT;
}

int explain_events(struct journal *j, uint64_t since_ns, struct explain_sum *sum, explain_line_fn line, void *user)
{
	struct check c = {.journal = j, .sum = sum, .line = line, .user = user};
	struct journal_query q = {.since_ns = since_ns};
	int rc = journal_scores(j, &q, check_score, &c);

	return rc < 0 ? rc : 0;
}

int explain_all(struct journal *j, struct explain_sum *sum, explain_line_fn line, void *user)
{
	struct check c = {.journal = j, .sum = sum, .line = line, .user = user};
	int rc;

	*sum = (struct explain_sum){0};
	rc = check_alerts(&c, NULL);
	return rc < 0 ? rc : explain_events(j, 0, sum, line, user);
}
