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

static struct recent *recent_store(struct learn *l, unsigned kind, const struct address *device,
				   const struct address *other, uint64_t now_ns)
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
	return r;
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

static uint8_t *name_of(const struct learn *l, const struct recent *r)
{
	return l->recent_name[r - l->recent[RECENT_RESOLVED]];
}

void recent_put_name(struct learn *l, const struct address *device, const struct address *other, struct bytes host,
		     uint64_t now_ns)
{
	static const struct address any;
	struct recent *r = recent_store(l, RECENT_RESOLVED, device, other, now_ns);
	uint8_t room[LEARN_VALUE_BYTES];
	struct bytes domain = learn_domain(bytes_of(room, learn_host(host, room)));

	if (domain.left >= RECENT_NAME_BYTES)
		domain = bytes_from(domain, domain.left - RECENT_NAME_BYTES + 1);
	memset(name_of(l, r), 0, RECENT_NAME_BYTES);
	if (domain.left)
		memcpy(name_of(l, r), domain.at, domain.left);
	recent_store(l, RECENT_RESOLVED, &any, other, now_ns);
}

struct bytes recent_name(const struct learn *l, const struct address *device, const struct address *other,
			 uint64_t now_ns)
{
	const struct recent *r = recent_find(recent_set(l, RECENT_RESOLVED, device, other), device, other);

	if (!r || r->time_ns + RECENT_NAME_NS <= now_ns)
		return bytes_of(NULL, 0);
	return bytes_of(name_of(l, r), strnlen((const char *)name_of(l, r), RECENT_NAME_BYTES));
}

enum { MARK_NETWORK = 1 }; // never in an observation: a key of our own beside real addresses

struct address recent_network(const struct address *a)
{
	struct address net = *a;

	net.zero[0] = MARK_NETWORK;
	if (a->family == 4)
		net.b[3] = 0;
	else
		memset(net.b + 6, 0, 10);
	return net;
}
