// SPDX-License-Identifier: GPL-2.0-or-later
#include "suppress.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>

bool suppression_holds(const struct suppression *s, uint64_t now_ns)
{
	return s->removed_ns == 0 && now_ns < s->expires_ns;
}

bool suppression_matches(const struct suppression *s, const struct suppress_case *c)
{
	const struct prefix net = {s->endpoint, s->endpoint_bits};

	if (c->certain && !s->certain)
		return false;
	return (!s->policy[0] || strcmp(s->policy, c->policy) == 0) &&
	       (!address_is_set(&s->device) || address_equal(&s->device, &c->device)) &&
	       (!address_is_set(&s->endpoint) || prefix_has(&net, &c->endpoint)) &&
	       (!s->port || s->port == c->port);
}

bool suppression_matches_alert(const struct suppression *s, const struct alert *a)
{
	const struct suppress_case c = {a->policy, a->device, a->endpoint, a->endpoint_port, a->certain != 0};

	return a->time_ns < s->expires_ns && suppression_matches(s, &c);
}

int suppression_check(const struct suppression *s, uint64_t now_ns)
{
	bool names = s->policy[0] || address_is_set(&s->device) || address_is_set(&s->endpoint) || s->port;

	return names && s->reason[0] && s->expires_ns > now_ns && s->expires_ns - now_ns <= SUPPRESSION_LONGEST_NS
		       ? 0
		       : -EINVAL;
}

struct line {
	char *at;
	size_t used;
};

static void put(struct line *l, const char *word, const char *value)
{
	const char *const parts[] = {l->used ? " " : "", word, " ", value};

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (const char *c = parts[i]; *c && l->used + 1 < SUPPRESSION_TEXT_BYTES; c++)
			l->at[l->used++] = *c;
	l->at[l->used] = 0;
}

const char *suppression_format(const struct suppression *s, char out[SUPPRESSION_TEXT_BYTES])
{
	const struct prefix net = {s->endpoint, s->endpoint_bits};
	char text[PREFIX_TEXT_BYTES], number[8], time[TEXT_TIME_BYTES];
	struct line l = {out, 0};

	out[0] = 0;
	if (s->policy[0])
		put(&l, "policy", s->policy);
	if (address_is_set(&s->device))
		put(&l, "device", address_format(&s->device, text));
	if (address_is_set(&s->endpoint))
		put(&l, "endpoint", prefix_format(&net, text));
	snprintf(number, sizeof(number), "%u", s->port);
	if (s->port)
		put(&l, "port", number);
	if (s->certain)
		put(&l, "certain", "facts too");
	put(&l, "until", time_format(s->expires_ns, time));
	return out;
}

int suppress_add(struct suppress_set *set, const struct suppression *s, uint64_t now_ns)
{
	for (unsigned i = 0; set->count == SUPPRESSIONS && i < set->count; i++)
		if (!suppression_holds(&set->at[i], now_ns))
			suppress_remove(set, set->at[i].id);
	if (set->count == SUPPRESSIONS)
		return -ENOSPC;
	set->at[set->count++] = *s;
	return 0;
}

void suppress_remove(struct suppress_set *set, uint64_t id)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->at[i].id == id) {
			set->at[i] = set->at[--set->count];
			return;
		}
}

bool suppress_covers(const struct suppress_set *set, const struct suppress_case *c, uint64_t now_ns)
{
	for (unsigned i = 0; i < set->count; i++)
		if (suppression_holds(&set->at[i], now_ns) && suppression_matches(&set->at[i], c))
			return true;
	return false;
}

bool suppress_hides(const struct suppress_set *set, const struct alert *a, uint64_t now_ns)
{
	if (a->suppressed)
		return true;
	for (unsigned i = 0; i < set->count; i++)
		if (suppression_holds(&set->at[i], now_ns) && suppression_matches_alert(&set->at[i], a))
			return true;
	return false;
}
