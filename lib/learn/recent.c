// SPDX-License-Identifier: GPL-2.0-or-later
// A short memory of contacts: sets of eight, the oldest of a set is overwritten. One table per kind, so that a flood of
// one kind cannot make another be forgotten. Each contact is kept twice: for its device and for any device.
#include "learn_impl.h"

static struct recent *recent_set(const struct learn *l, unsigned kind, const struct address *device,
				 const struct address *other)
{
	struct address pair[2] = {*device, *other};
	uint32_t set = (uint32_t)siphash13(&l->key, pair, sizeof(pair)) % (RECENT_ENTRIES / RECENT_WAYS);

	return &l->recent[kind][set * RECENT_WAYS];
}

static struct recent *recent_find(struct recent *set, const struct address *device, const struct address *other)
{
	for (unsigned i = 0; i < RECENT_WAYS; i++)
		if (set[i].time_ns && address_equal(&set[i].other, other) && address_equal(&set[i].device, device))
			return &set[i];
	return NULL;
}

static void recent_store(struct learn *l, unsigned kind, const struct address *device, const struct address *other,
			 uint64_t now_ns)
{
	struct recent *set = recent_set(l, kind, device, other), *r = recent_find(set, device, other);

	for (unsigned i = 0; !r && i < RECENT_WAYS; i++)
		if (set[i].time_ns == 0)
			r = &set[i];
	if (!r) {
		r = set;
		for (unsigned i = 1; i < RECENT_WAYS; i++)
			if (set[i].time_ns < r->time_ns)
				r = &set[i];
	}
	*r = (struct recent){*device, *other, now_ns};
}

void recent_put(struct learn *l, enum recent_kind kind, const struct address *device, const struct address *other,
		uint64_t now_ns)
{
	static const struct address any;

	recent_store(l, kind, device, other, now_ns);
	recent_store(l, kind, &any, other, now_ns);
}

uint64_t recent_get(const struct learn *l, enum recent_kind kind, const struct address *device,
		    const struct address *other)
{
	static const struct address any;
	const struct recent *r;

	if (!device)
		device = &any;
	r = recent_find(recent_set(l, kind, device, other), device, other);
	return r ? r->time_ns : 0;
}
