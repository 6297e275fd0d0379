// SPDX-License-Identifier: GPL-2.0-or-later
// A short memory of contacts: sets of eight. In a full set the device that holds the most of it gives its oldest, so
// that one that floods forgets its own. One table per kind, so that a flood of one kind cannot make another be
// forgotten.
#include "learn_impl.h"

struct place {
	uint32_t first, tag; // of the set; what tells its entries apart without looking at them
};

static struct place place_of(const struct learn *l, const struct address *device, const struct address *other)
{
	struct address pair[2] = {*device, *other};
	uint64_t hash = siphash13(&l->key, pair, sizeof(pair));

	return (struct place){(uint32_t)hash % (RECENT_ENTRIES / RECENT_WAYS) * RECENT_WAYS, (uint32_t)(hash >> 32) | 1};
}

static struct recent *recent_find(const struct learn *l, unsigned kind, struct place at, const struct address *device,
				  const struct address *other)
{
	const uint32_t *tag = &l->recent_tag[kind][at.first];
	struct recent *set = &l->recent[kind][at.first];

	for (unsigned i = 0; i < RECENT_WAYS; i++)
		if (tag[i] == at.tag && address_equal(&set[i].other, other) && address_equal(&set[i].device, device))
			return &set[i];
	return NULL;
}

static unsigned held_by(const struct recent *set, const struct address *device)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RECENT_WAYS; i++)
		n += address_equal(&set[i].device, device);
	return n;
}

// The first empty place, or the oldest of the device that holds the most.
static struct recent *recent_victim(struct recent *set)
{
	struct recent *victim = set;
	unsigned most = 0;

	for (unsigned i = 0; i < RECENT_WAYS; i++) {
		unsigned held;

		if (set[i].time_ns == 0)
			return &set[i];
		held = held_by(set, &set[i].device);
		if (held > most || (held == most && set[i].time_ns < victim->time_ns)) {
			most = held;
			victim = &set[i];
		}
	}
	return victim;
}

static struct recent *recent_store(struct learn *l, unsigned kind, const struct address *device,
				   const struct address *other, uint64_t now_ns)
{
	struct place at = place_of(l, device, other);
	struct recent *r = recent_find(l, kind, at, device, other);

	if (!r)
		r = recent_victim(&l->recent[kind][at.first]);
	*r = (struct recent){*device, *other, now_ns};
	l->recent_tag[kind][r - l->recent[kind]] = at.tag;
	return r;
}

void recent_put(struct learn *l, enum recent_kind kind, const struct address *device, const struct address *other,
		uint64_t now_ns)
{
	recent_store(l, kind, device, other, now_ns);
}

uint64_t recent_get(const struct learn *l, enum recent_kind kind, const struct address *device,
		    const struct address *other)
{
	const struct recent *r = recent_find(l, kind, place_of(l, device, other), device, other);

	return r ? r->time_ns : 0;
}

static uint8_t *name_of(const struct learn *l, const struct recent *r)
{
	return l->recent_name[r - l->recent[RECENT_RESOLVED]];
}

void recent_put_name(struct learn *l, const struct address *device, const struct address *other, struct bytes host,
		     uint64_t now_ns)
{
	struct recent *r = recent_store(l, RECENT_RESOLVED, device, other, now_ns);
	uint8_t room[LEARN_VALUE_BYTES];
	struct bytes domain = learn_domain(bytes_of(room, learn_host(host, room)));

	if (domain.left >= RECENT_NAME_BYTES)
		domain = bytes_from(domain, domain.left - RECENT_NAME_BYTES + 1);
	memset(name_of(l, r), 0, RECENT_NAME_BYTES);
	if (domain.left)
		memcpy(name_of(l, r), domain.at, domain.left);
}

struct bytes recent_name(const struct learn *l, const struct address *device, const struct address *other,
			 uint64_t now_ns)
{
	const struct recent *r = recent_find(l, RECENT_RESOLVED, place_of(l, device, other), device, other);

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
