// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices are compared with which: by role at first, by what they do once that is known (lib/estimate/peers.h),
// by the operator's word always. Reviewed once a day.
#include "learn_impl.h"

#include <errno.h>
#include <stdio.h>

// What tells a device's kind: what it serves and speaks, with which programs, where many go, when it is busy. Not where
// it alone goes.
static const bool tells_kind[FEATURE_COUNT] = {
	[FEATURE_PORT] = true,
	[FEATURE_AGENT_FAMILY] = true,
	[FEATURE_SERVED] = true,
	[FEATURE_HOUR] = true,
	[FEATURE_DESTINATION] = true,
	[FEATURE_FILE] = true,
};
enum { SHARED_BY = 4 /* devices that make a destination a token */, SIGNATURE_FEWEST = 6 /* tokens */ };

static void signature_turn(struct signature *s, uint32_t day)
{
	if (s->since && day < s->since + SIGNATURE_DAYS)
		return;
	s->before = s->now;
	minhash_clear(&s->now);
	s->since = day;
}

void signature_add(struct learn *l, struct device *d, unsigned slot, uint64_t value, uint32_t day)
{
	struct signature *s = &l->private[d->index].signature;
	unsigned feature = slot_feature(slot);
	struct backoff_terms t = {0};

	if (!tells_kind[feature] || (l->without & WITHOUT_GROUPS))
		return;
	if (feature == FEATURE_DESTINATION) {
		backoff_counts(l->backoff, l->org_context[slot], value, &t);
		if (t.levels == 0 || t.level[0].count < SHARED_BY)
			return;
	}
	signature_turn(s, day);
	minhash_add(&s->now, value);
	s->tokens++;
}

int group_add(struct learn *l, const char *name, uint32_t peers_number)
{
	struct group *g = NULL;

	for (uint16_t i = 0; i < l->groups; i++)
		if (strcmp(l->group[i].name, name) == 0)
			return i;
	for (uint16_t i = ROLE_COUNT; i < l->groups && !g; i++) // one that ended makes room
		if (l->group[i].peers_number != PEERS_NONE && l->group[i].members == 0 &&
		    peers_members(l->peers, l->group[i].peers_number) == 0)
			g = &l->group[i];
	if (!g && l->groups < LEARN_GROUPS) {
		g = &l->group[l->groups++];
		memset(g->context, 0xff, sizeof(g->context));
	}
	if (!g)
		return -ENOSPC;
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->peers_number = peers_number;
	return (int)(g - l->group);
}

static uint16_t group_of(struct learn *l, const struct device *d)
{
	uint32_t number = peers_group(l->peers, d->index);
	char name[GROUP_NAME_BYTES];
	int group;

	if (number == PEERS_NONE || peers_members(l->peers, number) < LEARN_GROUP_FEWEST)
		return d->role;
	snprintf(name, sizeof(name), "group-%u", number);
	group = group_add(l, name, number);
	return group < 0 ? d->role : (uint16_t)group;
}

static void review_device(struct learn *l, struct device *d, uint64_t now_ns)
{
	const struct signature *s = &l->private[d->index].signature;
	struct minhash both = s->now;

	peers_tag(l->peers, d->index, d->tagged);
	if (d->tagged || s->tokens < SIGNATURE_FEWEST || d->first_ns + LEARN_GROUP_DAYS * DAY_NS > now_ns)
		return;
	minhash_merge(&both, &s->before);
	peers_review(l->peers, d->index, &both);
}

// The first review of a day for all devices, then their groups.
void groups_review(struct learn *l, uint64_t now_ns)
{
	if (day_of(now_ns) <= l->review_day || (l->without & WITHOUT_GROUPS))
		return;
	l->review_day = day_of(now_ns);
	for (uint32_t i = 0; i < l->device_count; i++)
		review_device(l, &l->devices[i], now_ns);
	peers_end_review(l->peers);
	for (uint32_t i = 0; i < l->device_count; i++)
		if (!l->devices[i].tagged)
			device_move(l, &l->devices[i], group_of(l, &l->devices[i]), now_ns);
}

const char *learn_group_name(const struct learn *l, uint16_t group)
{
	return group < l->groups ? l->group[group].name : "?";
}

uint32_t learn_group_members(const struct learn *l, uint16_t group)
{
	return group < l->groups ? l->group[group].members : 0;
}
