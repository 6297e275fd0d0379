// SPDX-License-Identifier: GPL-2.0-or-later
#include "suppressed.h"

#include <errno.h>

struct loading {
	struct suppress_set *set;
	uint64_t now_ns;
};

static bool load_one(void *user, const struct suppression *s)
{
	struct loading *l = user;

	if (suppression_holds(s, l->now_ns))
		suppress_add(l->set, s, l->now_ns); // a full set: what is left out is told, which is the safe side
	return true;
}

int suppressed_load(struct journal *j, struct suppress_set *set, uint64_t now_ns)
{
	struct loading l = {set, now_ns};
	int rc;

	set->count = 0;
	rc = journal_suppressions(j, NULL, load_one, &l);
	return rc < 0 ? rc : 0;
}

int suppressed_add(struct journal *j, struct suppress_set *set, struct suppression *s, uint64_t now_ns)
{
	int rc;

	s->version = SUPPRESSION_VERSION;
	s->bytes = sizeof(*s);
	s->made_ns = now_ns;
	s->removed_ns = 0;
	rc = suppression_check(s, now_ns);
	if (rc)
		return rc;
	s->id = journal_next(j, "suppression");
	rc = suppress_add(set, s, now_ns);
	if (rc)
		return rc;
	rc = journal_suppression(j, s, "added", s->who, now_ns);
	if (rc)
		suppress_remove(set, s->id); // what nobody could look up must not hold
	return rc;
}

static bool take(void *user, const struct suppression *s)
{
	*(struct suppression *)user = *s;
	return false;
}

int suppressed_remove(struct journal *j, struct suppress_set *set, uint64_t id, const char *who, uint64_t now_ns)
{
	struct journal_query q = {.id = id, .limit = 1};
	struct suppression s;
	int rc = id ? journal_suppressions(j, &q, take, &s) : 0;

	if (rc <= 0 || s.removed_ns)
		return rc < 0 ? rc : -ENOENT;
	s.removed_ns = now_ns;
	suppress_remove(set, id);
	return journal_suppression(j, &s, "removed", who, now_ns);
}

struct counting {
	const struct suppression *s;
	unsigned matched;
};

static bool count_one(void *user, const struct alert *a)
{
	struct counting *c = user;

	c->matched += suppression_matches_alert(c->s, a);
	return true;
}

int suppressed_count(struct journal *j, const struct suppression *s, unsigned *total)
{
	struct counting c = {s, 0};
	int rc = journal_alerts(j, NULL, count_one, &c);

	*total = rc > 0 ? (unsigned)rc : 0;
	return rc < 0 ? rc : (int)c.matched;
}
