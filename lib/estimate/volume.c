// SPDX-License-Identifier: GPL-2.0-or-later
// Rings of buckets by key. One thread.
#include "volume.h"

#include "estimate_impl.h"

#include <errno.h>
#include <stdlib.h>

enum { WAYS = 8, UNIT = 256, BUCKETS = 13 + 25 + 15, WEEK_S = 7 * 86400 };

static const struct {
	uint32_t first, buckets, seconds;
} ring[VOLUME_WINDOWS] = {
	[VOLUME_HOUR] = {0, 13, 300},
	[VOLUME_DAY] = {13, 25, 3600},
	[VOLUME_WEEK] = {38, 15, 43200},
};

struct flow_of_bytes { // of the key at the same place
	uint32_t last_s;
	uint32_t rest; // bytes short of a unit
	uint32_t bucket[BUCKETS];
};

struct volume {
	uint32_t sets;
	uint64_t lost;
	uint64_t *key; // 0: empty; a set is one line of the cache
	struct flow_of_bytes *flow;
};

struct volume *volume_create(uint32_t keys)
{
	struct volume *v;

	if (keys == 0 || keys > 1u << 28) {
		errno = EINVAL;
		return NULL;
	}
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->sets = (keys + WAYS - 1) / WAYS;
	v->key = calloc((size_t)v->sets * WAYS, sizeof(*v->key));
	v->flow = calloc((size_t)v->sets * WAYS, sizeof(*v->flow));
	if (v->key && v->flow)
		return v;
	volume_destroy(v);
	errno = ENOMEM;
	return NULL;
}

void volume_destroy(struct volume *v)
{
	if (!v)
		return;
	free(v->flow);
	free(v->key);
	free(v);
}

uint64_t volume_lost(const struct volume *v)
{
	return v->lost;
}

// A ring's sum of what lies in its window at `now_s`: buckets older than the ring count nothing.
static uint64_t sum_of(const struct flow_of_bytes *k, unsigned w, uint32_t now_s)
{
	uint32_t n = ring[w].buckets, last = k->last_s / ring[w].seconds, now = now_s / ring[w].seconds;
	uint32_t gone = now > last ? now - last : 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n && gone == 0; i++) // nothing in the ring is too old
		sum += k->bucket[ring[w].first + i];
	for (uint32_t age = 0; gone && age + gone < n; age++)
		sum += k->bucket[ring[w].first + (last + n - age) % n];
	return sum * UNIT;
}

static void move_to(struct flow_of_bytes *k, uint32_t now_s)
{
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++) {
		uint32_t n = ring[w].buckets, last = k->last_s / ring[w].seconds, now = now_s / ring[w].seconds;

		for (uint32_t i = 1; i <= n && last + i <= now; i++)
			k->bucket[ring[w].first + (last + i) % n] = 0;
	}
	k->last_s = now_s;
}

static size_t set_of(const struct volume *v, uint64_t key)
{
	return (size_t)place_of(mix64(key), v->sets) * WAYS;
}

static struct flow_of_bytes *find(const struct volume *v, uint64_t key)
{
	size_t set = set_of(v, key);

	for (unsigned i = 0; i < WAYS; i++)
		if (v->key[set + i] == key)
			return &v->flow[set + i];
	return NULL;
}

static struct flow_of_bytes *find_or_add(struct volume *v, uint64_t key, uint32_t now_s)
{
	size_t set = set_of(v, key), least = set;
	uint64_t least_bytes = UINT64_MAX;
	struct flow_of_bytes *k = find(v, key);

	if (k)
		return k;
	for (size_t i = set; i < set + WAYS; i++) {
		uint64_t of_week = v->key[i] ? sum_of(&v->flow[i], VOLUME_WEEK, now_s) + 1 : 0;

		if (of_week < least_bytes) {
			least_bytes = of_week;
			least = i;
		}
	}
	k = &v->flow[least];
	v->lost += v->key[least] && now_s - k->last_s < WEEK_S;
	v->key[least] = key;
	*k = (struct flow_of_bytes){.last_s = now_s};
	return k;
}

static void add_units(struct flow_of_bytes *k, uint64_t units)
{
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++) {
		uint32_t *b = &k->bucket[ring[w].first + k->last_s / ring[w].seconds % ring[w].buckets];

		*b = units > UINT32_MAX - *b ? UINT32_MAX : *b + (uint32_t)units;
	}
}

void volume_add(struct volume *v, uint64_t key, uint64_t bytes, uint64_t now_s, uint64_t sum[VOLUME_WINDOWS])
{
	struct flow_of_bytes *k = find_or_add(v, key | 1, (uint32_t)now_s);

	if ((uint32_t)now_s > k->last_s)
		move_to(k, (uint32_t)now_s);
	bytes = bytes > UINT64_MAX - k->rest ? UINT64_MAX : bytes + k->rest;
	k->rest = bytes % UNIT;
	add_units(k, bytes / UNIT);
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++)
		sum[w] = sum_of(k, w, k->last_s);
}

bool volume_look(const struct volume *v, uint64_t key, uint64_t now_s, uint64_t sum[VOLUME_WINDOWS])
{
	const struct flow_of_bytes *k = find(v, key | 1);

	for (unsigned w = 0; w < VOLUME_WINDOWS; w++)
		sum[w] = k ? sum_of(k, w, (uint32_t)now_s) : 0;
	return k != NULL;
}
