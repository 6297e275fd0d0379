// SPDX-License-Identifier: GPL-2.0-or-later
// Features to contexts of the back-off: one a feature (and novelty) of a device, of a group, of the organisation, each
// opened when it is first needed.
#include "learn_impl.h"

#include "digest.h"

// How many values of a feature one device may hold. Outside clients come as many as they like, and their number is kept
// elsewhere; the rest bounds what one scanning device can take from the others.
static const uint32_t held_most[FEATURE_COUNT] = {
	[FEATURE_ENDPOINT] = 32768,
	[FEATURE_ENDPOINT_PORT] = 32768,
	[FEATURE_PORT] = 4096,
	[FEATURE_AGENT] = 4096,
	[FEATURE_AGENT_FAMILY] = 1024,
	[FEATURE_HOST] = 32768,
	[FEATURE_FILE] = 256,
	[FEATURE_FILE_SOURCE] = 16384,
	[FEATURE_JA4] = 1024,
	[FEATURE_SERVED] = 1024,
	[FEATURE_CLIENT] = 1024,
	[FEATURE_DESTINATION] = 32768,
	[FEATURE_DOMAIN] = 32768,
	[FEATURE_INSIDE] = 8192,
	[FEATURE_HOUR] = 16,
	[FEATURE_PORT_GIVEN] = 4096,
	[FEATURE_INSIDE_PORT_GIVEN] = 4096,
	[FEATURE_AGENT_GIVEN] = 1024,
	[FEATURE_FILE_GIVEN] = 256,
	[FEATURE_JA4_GIVEN] = 1024,
	[FEATURE_NAMED_GIVEN] = 4,
	[FEATURE_CALLBACK_GIVEN] = 4,
};

bool feature_is_given(unsigned feature)
{
	return feature >= FEATURE_PORT_GIVEN && feature < FEATURE_COUNT;
}

unsigned slot_feature(unsigned slot)
{
	return slot < FEATURE_PORT_GIVEN ? slot : FEATURE_PORT_GIVEN + (slot - FEATURE_PORT_GIVEN) / 2;
}

uint64_t value_hash_of(const struct siphash_key *key, unsigned feature, struct bytes value)
{
	struct siphash_key mine = {key->k0 + (feature + 1) * 0x9e3779b97f4a7c15ull, key->k1};

	return siphash13(&mine, value.at, value.left);
}

uint64_t value_hash(const struct learn *l, unsigned feature, struct bytes value)
{
	return value_hash_of(&l->key, feature, value);
}

static uint32_t org_context(struct learn *l, unsigned slot)
{
	if (l->org_context[slot] == NO_CONTEXT)
		l->org_context[slot] = backoff_open(l->backoff, BACKOFF_NOWHERE, 0);
	return l->org_context[slot];
}

static uint32_t group_context(struct learn *l, uint16_t group, unsigned slot)
{
	uint32_t *context = &l->group[group].context[slot];

	if (*context == NO_CONTEXT)
		*context = backoff_open(l->backoff, org_context(l, slot), 0);
	return *context;
}

uint32_t context_of(struct learn *l, struct device *d, unsigned slot)
{
	uint32_t *context = &l->private[d->index].context[slot];

	if (*context == NO_CONTEXT)
		*context = backoff_open(l->backoff, group_context(l, d->group, slot), held_most[slot_feature(slot)]);
	return *context;
}

// A device that was moved to another group takes its contexts along. One that is still on its way from the last time
// is asked again at the next review.
static void contexts_move(struct learn *l, struct device *d)
{
	const struct device_private *p = &l->private[d->index];

	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (p->context[slot] != NO_CONTEXT)
			backoff_move(l->backoff, p->context[slot], group_context(l, d->group, slot));
}

void device_move(struct learn *l, struct device *d, uint16_t group, uint64_t now_ns)
{
	if (group != d->group) {
		l->group[d->group].members--;
		l->group[group].members++;
		d->group = group;
		d->group_ns = now_ns;
	}
	contexts_move(l, d);
}

enum { USUAL_DAYS = 7, USUAL_TIMES = 3 };

// Around midnight two workers' observations come out of order: what is late belongs to the day that was begun.
static void turn_day(struct device_private *p, uint32_t day)
{
	if (day <= p->new_day)
		return;
	for (unsigned slot = 0; slot < SLOTS && p->new_day; slot++)
		p->usual[slot] = (uint32_t)(((uint64_t)p->usual[slot] * (USUAL_DAYS - 1) + p->fresh[slot] + USUAL_DAYS - 1) /
					    USUAL_DAYS);
	memset(p->fresh, 0, sizeof(p->fresh));
	p->new_day = day;
	p->new_days++;
}

// A device's normal moves only so far a day.
static bool may_learn_new(const struct device_private *p, unsigned slot)
{
	return p->new_days <= LEARN_DRIFT_DAYS || p->fresh[slot] < LEARN_DRIFT + USUAL_TIMES * p->usual[slot];
}

void context_learn(struct learn *l, struct device *d, unsigned slot, uint64_t value, uint32_t day)
{
	struct device_private *p = &l->private[d->index];
	uint32_t context = context_of(l, d, slot);
	uint64_t refused = backoff_stats(l->backoff)->full + backoff_stats(l->backoff)->over;
	bool fresh;

	if (context == NO_CONTEXT) {
		count(l->counters, COUNT_BRAIN_COUNTS_FULL);
		return;
	}
	turn_day(p, day); // a day on which nothing is new is one, too
	fresh = !backoff_holds(l->backoff, context, value);
	if (fresh && !may_learn_new(p, slot)) {
		count(l->counters, COUNT_BRAIN_DRIFT_REFUSED);
		return;
	}
	if (!backoff_learn(l->backoff, context, value, day)) {
		if (backoff_stats(l->backoff)->full + backoff_stats(l->backoff)->over != refused)
			count(l->counters, COUNT_BRAIN_COUNTS_FULL);
		return;
	}
	p->fresh[slot] += fresh;
	l->learned[0] = hash_mix(l->learned[0] ^ value) + day;
	l->learned[1] = hash_mix(l->learned[1] + value) ^ ((uint64_t)d->index << 8 | slot);
	signature_add(l, d, slot, value, day);
}

void learn_see(struct learn *l, struct device *d, enum feature f, enum novelty n, struct bytes value, uint64_t now_ns)
{
	uint64_t hash = value_hash(l, f, value);

	if (f == FEATURE_CLIENT)
		clients_see(&l->private[d->index], hash, day_of(now_ns));
	if (f == FEATURE_SERVED && day_of(now_ns) > l->private[d->index].served_day)
		l->private[d->index].served_day = day_of(now_ns);
	context_learn(l, d, slot_of(f, n), hash, day_of(now_ns));
}

// Where a look-up begins: at the device, or at the lowest level above it that has shown anything of the feature.
static uint32_t look_from(const struct learn *l, const struct device *d, unsigned slot)
{
	uint32_t context = d ? l->private[d->index].context[slot] : NO_CONTEXT;

	if (d && context == NO_CONTEXT && !(l->without & WITHOUT_PEERS))
		context = l->group[d->group].context[slot];
	return context == NO_CONTEXT ? l->org_context[slot] : context;
}

static void leave_group_out(struct backoff_terms *t)
{
	if (t->levels < BACKOFF_LEVELS)
		return;
	t->level[1] = t->level[2];
	t->level[2] = (struct backoff_level){0};
	t->levels = 2;
	backoff_compute(t);
}

void learn_look(const struct learn *l, const struct device *d, enum feature f, enum novelty n, struct bytes value,
		double base, struct backoff_terms *out)
{
	memset(out, 0, sizeof(*out));
	backoff_look(l->backoff, look_from(l, d, slot_of(f, n)), value_hash(l, f, value), base, out);
	if (l->without & WITHOUT_PEERS)
		leave_group_out(out);
}

static uint32_t days_known(const struct device *d, uint64_t now_ns)
{
	uint32_t mask = mask_slide(d->days_mask, d->day, day_of(now_ns)) & ~1u; // before today

	return mask ? (uint32_t)__builtin_popcount(mask) : 1;
}

// Levels stand from the top down: the organisation is always the last.
static const struct backoff_level *level_from_top(const struct backoff_terms *t, unsigned i)
{
	return t->levels > i ? &t->level[t->levels - 1 - i] : NULL;
}

static uint32_t others(const struct backoff_level *level, bool self)
{
	return !level ? 0 : self && level->count ? level->count - 1 : level->count;
}

void learn_counts_in(const struct backoff_terms *t, struct counts *out)
{
	const struct backoff_level *org = level_from_top(t, 0), *group = level_from_top(t, 1),
				   *own = t->levels == BACKOFF_LEVELS ? &t->level[0] : NULL;
	bool self = own && t->self;

	*out = (struct counts){.device_known = 1};
	out->org = others(org, self);
	out->first_ns = org && org->count ? org->first * DAY_NS : 0;
	out->peers = others(group, self);
	if (own && own->first) {
		out->device_days = own->count;
		out->device_first_ns = own->first * DAY_NS;
	}
}

void learn_counts_of(const struct learn *l, const struct device *d, const struct backoff_terms *t, uint64_t now_ns,
		     struct counts *out)
{
	learn_counts_in(t, out);
	out->org_total = l->device_count - (d != NULL);
	if (!d)
		return;
	out->peers_total = l->group[d->group].members - 1;
	out->device_known = days_known(d, now_ns);
}

void learn_counts(const struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns,
		  struct counts *out)
{
	unsigned slot = slot_of(f, NOVELTY_KNOWN);
	struct backoff_terms t = {0};

	backoff_counts(l->backoff, look_from(l, d, slot), value_hash(l, f, value), &t);
	learn_counts_of(l, d, &t, now_ns, out);
}

enum { WEEK_DAYS = 7, READY_MISSING_PERCENT = 10 };

// Bits of weekend days in a mask whose bit 0 is `day`: UNIX day 0 was a Thursday, so days 2 and 3 of its week are.
static bool has_weekend(uint32_t mask, uint32_t day)
{
	for (uint32_t i = 0; i < LEARN_WINDOW_DAYS && i <= day; i++)
		if ((mask >> i & 1) && (day - i) % WEEK_DAYS >= 2 && (day - i) % WEEK_DAYS <= 3)
			return true;
	return false;
}

unsigned learn_ready_percent(const struct learn *l, const struct device *d, uint64_t now_ns)
{
	uint32_t context = l->private[d->index].context[slot_of(FEATURE_DESTINATION, NOVELTY_KNOWN)];
	uint64_t age_days = now_ns > d->first_ns ? (now_ns - d->first_ns) / DAY_NS : 0;
	unsigned known = context == NO_CONTEXT ? 100 : 100 - (unsigned)(100 * backoff_singles(l->backoff, context));
	unsigned days = age_days < WEEK_DAYS ? (unsigned)(100 * age_days / WEEK_DAYS) : 100;
	const unsigned wanted = 100 - READY_MISSING_PERCENT;

	if (age_days < WEEK_DAYS + 2 && !has_weekend(d->days_mask, d->day)) // a machine off at weekends has shown them so
		days = days * 5 / 7;
	known = known >= wanted ? 100 : known * 100 / wanted;
	return days < known ? days : (days + known) / 2;
}

void learn_hash(const struct learn *l, uint8_t out[32])
{
	digest_sha256(l->learned, sizeof(l->learned), out);
}
