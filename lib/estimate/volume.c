// SPDX-License-Identifier: GPL-2.0-or-later
// Rings of buckets by key. One thread.
#include "volume.h"

#include "estimate_impl.h"
#include "image_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, UNIT = 256, BUCKETS = 13 + 25 + 15, WEEK_S = 7 * 86400, MARK = 0x564f4c31 /* of its image: VOL1 */ };

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

void volume_clock_back(struct volume *v, uint64_t now_s)
{
	for (size_t i = 0; i < (size_t)v->sets * WAYS; i++)
		if (v->key[i] && v->flow[i].last_s > now_s) {
			v->key[i] = 0;
			v->flow[i] = (struct flow_of_bytes){0};
		}
}

bool volume_look(const struct volume *v, uint64_t key, uint64_t now_s, uint64_t sum[VOLUME_WINDOWS])
{
	const struct flow_of_bytes *k = find(v, key | 1);

	for (unsigned w = 0; w < VOLUME_WINDOWS; w++)
		sum[w] = k ? sum_of(k, w, (uint32_t)now_s) : 0;
	return k != NULL;
}

static void put_flow(const struct flow_of_bytes *k, struct image_out *o)
{
	uint64_t filled = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		filled |= (uint64_t)(k->bucket[i] != 0) << i;
	image_put(o, 4, k->last_s);
	image_put(o, 1, k->rest);
	image_put(o, 8, filled);
	for (; filled; filled &= filled - 1)
		image_put(o, 4, k->bucket[__builtin_ctzll(filled)]);
}

static void get_flow(struct flow_of_bytes *k, struct image_in *in)
{
	uint64_t filled;

	k->last_s = (uint32_t)image_get(in, 4, UINT32_MAX);
	k->rest = (uint32_t)image_get(in, 1, UNIT - 1);
	filled = image_get(in, 8, (1ull << BUCKETS) - 1);
	for (; filled; filled &= filled - 1) {
		uint32_t *bucket = &k->bucket[__builtin_ctzll(filled)];

		*bucket = (uint32_t)image_get(in, 4, UINT32_MAX);
		in->bad |= *bucket == 0;
	}
}

static void put_set(const struct volume *v, size_t set, struct image_out *o)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < WAYS; i++)
		taken |= (v->key[set + i] != 0) << i;
	image_put(o, 1, taken);
	for (; taken; taken &= taken - 1) {
		size_t i = set + (size_t)__builtin_ctz(taken);

		image_put(o, 8, v->key[i]);
		put_flow(&v->flow[i], o);
	}
}

static void get_set(struct volume *v, size_t set, struct image_in *in)
{
	unsigned taken = (unsigned)image_get(in, 1, UINT8_MAX);

	for (; taken; taken &= taken - 1) {
		size_t i = set + (size_t)__builtin_ctz(taken);
		uint64_t key = image_get(in, 8, UINT64_MAX);

		in->bad |= !(key & 1) || set_of(v, key) != set || find(v, key);
		v->key[i] = key;
		get_flow(&v->flow[i], in);
	}
}

static void put(const struct volume *v, struct image_out *o)
{
	image_put(o, 4, MARK);
	image_put(o, 4, v->sets);
	image_put(o, 8, v->lost);
	for (size_t set = 0; set < (size_t)v->sets * WAYS; set += WAYS)
		put_set(v, set, o);
}

size_t volume_image_bytes(const struct volume *v)
{
	struct image_out o = {0};

	put(v, &o);
	return o.bytes;
}

void volume_image(const struct volume *v, uint8_t *out)
{
	put(v, &(struct image_out){.at = out});
}

static void clear(struct volume *v)
{
	memset(v->key, 0, (size_t)v->sets * WAYS * sizeof(*v->key));
	memset(v->flow, 0, (size_t)v->sets * WAYS * sizeof(*v->flow));
	v->lost = 0;
}

static bool get(struct volume *v, struct image_in *in)
{
	image_expect(in, 4, MARK);
	image_expect(in, 4, v->sets);
	v->lost = image_get(in, 8, UINT64_MAX);
	for (size_t set = 0; set < (size_t)v->sets * WAYS && !in->bad; set += WAYS)
		get_set(v, set, in);
	return !in->bad && in->left.left == 0;
}

bool volume_restore(struct volume *v, const uint8_t *image, size_t n)
{
	struct image_in in = {.left = bytes_of(image, n)};

	clear(v);
	if (get(v, &in))
		return true;
	clear(v);
	return false;
}
