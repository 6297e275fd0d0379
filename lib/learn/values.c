// SPDX-License-Identifier: GPL-2.0-or-later
// Presence of values: by day in the device, by distinct device above. The counting rule is that of interpolated
// Kneser–Ney and hierarchical Pitman–Yor models with one table per type (Teh, "A hierarchical Bayesian language model
// based on Pitman–Yor processes", 2006): a parent hears of a value only when a child shows it for the first time.
#include "learn_impl.h"

enum { SWEEP = 2 /* entries looked at per insertion */, SWEEP_FULL = 1024 /* the same when there is no room */ };

// How many values of a feature one device may hold. Outside clients come as many as they like, and their number is kept
// elsewhere; the rest bounds what one scanning device can take from the others.
static const uint32_t held_most[FEATURE_COUNT] = {
	[FEATURE_ENDPOINT] = 32768, [FEATURE_ENDPOINT_PORT] = 32768, [FEATURE_PORT] = 4096,
	[FEATURE_AGENT] = 4096,     [FEATURE_AGENT_FAMILY] = 1024,   [FEATURE_HOST] = 32768,
	[FEATURE_FILE] = 256,       [FEATURE_FILE_SOURCE] = 16384,   [FEATURE_JA4] = 1024,
	[FEATURE_SERVED] = 1024,    [FEATURE_CLIENT] = 1024,
};

uint64_t value_hash(const struct learn *l, unsigned f, struct bytes value)
{
	struct siphash_key key = {l->key.k0 + (f + 1) * 0x9e3779b97f4a7c15ull, l->key.k1};

	return siphash13(&key, value.at, value.left);
}

static uint32_t value_home(const struct learn *l, uint32_t device, uint64_t hash)
{
	return (uint32_t)hash_mix(hash + device * 0x9e3779b97f4a7c15ull) & l->value_mask;
}

static uint32_t value_slot(const struct learn *l, uint32_t device, uint64_t hash)
{
	uint32_t i = value_home(l, device, hash);

	for (; l->value_index[i]; i = (i + 1) & l->value_mask) {
		const struct value *v = &l->values[l->value_index[i] - 1];

		if (v->hash == hash && v->device == device)
			break;
	}
	return i;
}

struct value *value_find(const struct learn *l, uint32_t device, uint64_t hash)
{
	uint32_t found = l->value_index[value_slot(l, device, hash)];

	return found ? &l->values[found - 1] : NULL;
}

// Open addressing without tombstones: what follows the hole moves into it unless it stands between its home and the
// hole (Knuth, TAOCP 3, 6.4, algorithm R).
static bool may_fill(uint32_t hole, uint32_t at, uint32_t home, uint32_t mask)
{
	return ((at - home) & mask) >= ((at - hole) & mask);
}

static void value_index_remove(struct learn *l, const struct value *gone)
{
	uint32_t hole = value_slot(l, gone->device, gone->hash), i = hole;

	while (l->value_index[i = (i + 1) & l->value_mask]) {
		const struct value *v = &l->values[l->value_index[i] - 1];

		if (may_fill(hole, i, value_home(l, v->device, v->hash), l->value_mask)) {
			l->value_index[hole] = l->value_index[i];
			hole = i;
		}
	}
	l->value_index[hole] = 0;
}

static uint32_t parent_home(const struct learn *l, unsigned scope, uint64_t hash)
{
	return (uint32_t)hash_mix(hash + (scope + 1) * 0xd1b54a32d192ed03ull) & l->parent_mask;
}

static struct parent *parent_slot(const struct learn *l, unsigned scope, uint64_t hash)
{
	uint32_t i = parent_home(l, scope, hash);

	while (l->parents[i].count && (l->parents[i].hash != hash || l->parents[i].scope != scope))
		i = (i + 1) & l->parent_mask;
	return &l->parents[i];
}

static bool parent_room(const struct learn *l)
{
	return l->parent_count + 2 < l->parent_mask - l->parent_mask / 8;
}

static void parent_add(struct learn *l, unsigned scope, const struct value *v)
{
	struct parent *p = parent_slot(l, scope, v->hash);
	uint32_t day = day_of(v->first_ns);

	if (p->count == 0) {
		if (!parent_room(l))
			return;
		*p = (struct parent){
			.hash = v->hash, .first_ns = v->first_ns, .scope = (uint16_t)scope, .feature = v->feature};
		l->parent_count++;
	}
	p->count++;
	if (v->first_ns < p->first_ns)
		p->first_ns = v->first_ns;
	if (day > p->day) {
		p->day = day;
		p->today = 0;
	}
	p->today += day == p->day;
}

static void parent_remove(struct learn *l, unsigned scope, const struct value *v)
{
	struct parent *p = parent_slot(l, scope, v->hash);
	uint32_t hole, i;

	if (p->count == 0)
		return;
	if (p->today && day_of(v->first_ns) == p->day)
		p->today--;
	if (--p->count)
		return;
	l->parent_count--;
	for (hole = i = (uint32_t)(p - l->parents); l->parents[i = (i + 1) & l->parent_mask].count;) {
		const struct parent *q = &l->parents[i];

		if (may_fill(hole, i, parent_home(l, q->scope, q->hash), l->parent_mask)) {
			l->parents[hole] = *q;
			hole = i;
		}
	}
	l->parents[hole] = (struct parent){0};
}

static void value_forget(struct learn *l, struct value *v)
{
	struct device_private *p = &l->private[v->device];
	uint32_t index = (uint32_t)(v - l->values);

	parent_remove(l, 0, v);
	parent_remove(l, l->devices[v->device].group + 1u, v);
	if (v->previous == NO_VALUE)
		p->first_value = v->next;
	else
		l->values[v->previous].next = v->next;
	if (v->next != NO_VALUE)
		l->values[v->next].previous = v->previous;
	p->held[v->feature]--;
	value_index_remove(l, v);
	*v = (struct value){.next = l->value_free};
	l->value_free = index;
}

// Looks at the next entries of the pool and forgets those nobody showed for `days`.
static void values_sweep(struct learn *l, unsigned entries, uint32_t days, uint32_t today)
{
	for (; entries && l->value_used; entries--) {
		struct value *v = &l->values[l->sweep];

		l->sweep = (l->sweep + 1) % l->value_used;
		if (v->day && v->day + days < today)
			value_forget(l, v);
	}
}

static uint32_t value_take(struct learn *l, uint32_t today)
{
	uint32_t index;

	values_sweep(l, SWEEP, FORGET_DAYS, today);
	if (!parent_room(l) || (l->value_free == NO_VALUE && l->value_used == l->value_capacity))
		values_sweep(l, SWEEP_FULL, LEARN_WINDOW_DAYS, today);
	if (!parent_room(l))
		return NO_VALUE;
	if (l->value_free != NO_VALUE) {
		index = l->value_free;
		l->value_free = l->values[index].next;
		return index;
	}
	return l->value_used < l->value_capacity ? l->value_used++ : NO_VALUE;
}

struct value *value_add(struct learn *l, struct device *d, unsigned f, uint64_t hash, uint64_t now_ns, uint32_t today)
{
	struct device_private *p = &l->private[d->index];
	uint32_t index;
	struct value *v;

	if (p->held[f] >= held_most[f] || (index = value_take(l, today)) == NO_VALUE)
		return NULL;
	v = &l->values[index];
	*v = (struct value){.hash = hash,
			    .first_ns = now_ns,
			    .device = d->index,
			    .next = p->first_value,
			    .previous = NO_VALUE,
			    .mask = 1,
			    .day = day_of(now_ns),
			    .feature = (uint8_t)f};
	if (p->first_value != NO_VALUE)
		l->values[p->first_value].previous = index;
	p->first_value = index;
	p->held[f]++;
	l->value_index[value_slot(l, d->index, hash)] = index + 1;
	parent_add(l, 0, v);
	parent_add(l, d->group + 1u, v);
	return v;
}

void device_move(struct learn *l, struct device *d, uint16_t group)
{
	if (group == d->group)
		return;
	for (uint32_t i = l->private[d->index].first_value; i != NO_VALUE; i = l->values[i].next) {
		parent_remove(l, d->group + 1u, &l->values[i]);
		parent_add(l, group + 1u, &l->values[i]);
	}
	l->group_members[d->group]--;
	l->group_members[group]++;
	d->group = group;
}

void learn_see(struct learn *l, struct device *d, enum feature f, struct bytes value, uint64_t now_ns)
{
	struct device_private *p = &l->private[d->index];
	uint64_t hash = value_hash(l, f, value);
	struct value *v = value_find(l, d->index, hash);
	uint32_t day = day_of(now_ns);

	if (f == FEATURE_CLIENT)
		clients_see(p, hash, day);
	if (f == FEATURE_SERVED && day > p->served_day)
		p->served_day = day;
	if (v)
		mask_mark(&v->mask, &v->day, day);
	else if (!value_add(l, d, f, hash, now_ns, day))
		count(l->counters, COUNT_BRAIN_COUNTS_FULL);
}

// Other devices below a parent: `self` is what the device itself holds of the value (NULL: nothing). `before` leaves
// today out.
static uint32_t others(const struct parent *p, const struct value *self, uint32_t day, bool before)
{
	uint32_t n = p->count;

	if (before && p->day >= day)
		n -= p->today;
	if (self && (!before || day_of(self->first_ns) < day))
		n -= n > 0;
	return n;
}

static uint32_t days_in(uint32_t mask, uint32_t at, uint32_t day, bool before)
{
	mask = mask_slide(mask, at, day);
	return (uint32_t)__builtin_popcount(before ? mask & ~1u : mask);
}

static void counts_fill(const struct learn *l, const struct device *d, unsigned f, struct bytes value, uint64_t now_ns,
			bool before, struct counts *out)
{
	uint64_t hash = value_hash(l, f, value);
	const struct parent *org = parent_slot(l, 0, hash);
	const struct value *v = d ? value_find(l, d->index, hash) : NULL;
	uint32_t day = day_of(now_ns);

	*out = (struct counts){.device_known = 1, .first_ns = org->count ? org->first_ns : 0};
	out->org = others(org, v, day, before);
	out->org_total = l->device_count - (d != NULL);
	if (!d)
		return;
	out->peers = others(parent_slot(l, d->group + 1u, hash), v, day, before);
	out->peers_total = l->group_members[d->group] - 1;
	out->device_known = days_in(d->days_mask, d->day, day, before);
	if (out->device_known == 0)
		out->device_known = 1;
	if (v) {
		out->device_days = days_in(v->mask, v->day, day, before);
		out->device_first_ns = v->first_ns;
	}
}

void learn_counts(const struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns,
		  struct counts *out)
{
	counts_fill(l, d, f, value, now_ns, false, out);
}

void learn_counts_before_today(const struct learn *l, const struct device *d, enum feature f, struct bytes value,
			       uint64_t now_ns, struct counts *out)
{
	counts_fill(l, d, f, value, now_ns, true, out);
}
