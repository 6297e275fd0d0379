// SPDX-License-Identifier: GPL-2.0-or-later
// See numbers.h.
#include "numbers.h"

#include "hll.h"
#include "image.h"
#include "learn_impl.h"

#include <stdlib.h>

enum { SECTION_VOLUMES = 11, SECTION_FANS, SECTION_PACED };

enum {
	VOLUMES = 1 << 15,
	FAN_BITS = 7, // 9 % error: doublings are asked for
	FAN_FEWEST = 8,
	FAN_FORGET = 64, // of the most of an hour, a 64th is forgotten each hour
	BEACONS = 1 << 13,
	BEACON_WAYS = 8,
	BEACON_FIRST = 8,
};
#define HOUR_NS (3600 * NS_PER_S)

struct fan_out {
	uint64_t hour;
	uint32_t told, usual, now, zero;
};

struct paced {
	uint64_t key; // 0: empty
	uint32_t calls, zero;
	struct beacon beacon;
};

struct numbers {
	struct volume *volume;
	struct fan_out (*fan)[FANS]; // by device
	uint8_t *sketches;           // FANS a device
	struct paced *paced;
};

struct numbers *numbers_create(uint32_t devices)
{
	struct numbers *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->volume = volume_create(VOLUMES);
	n->fan = calloc(devices, sizeof(*n->fan));
	n->sketches = calloc((size_t)devices * FANS, hll_bytes(FAN_BITS));
	n->paced = calloc(BEACONS, sizeof(*n->paced));
	if (n->volume && n->fan && n->sketches && n->paced)
		return n;
	numbers_destroy(n);
	return NULL;
}

void numbers_destroy(struct numbers *n)
{
	if (n->volume)
		volume_destroy(n->volume);
	free(n->fan);
	free(n->sketches);
	free(n->paced);
	free(n);
}

static uint64_t pair_key(const struct learn *l, const struct device *d, struct bytes value)
{
	return hash_mix(value_hash(l, FEATURE_DESTINATION, value) + (d->index + 1) * 0x9e3779b97f4a7c15ull);
}

void learn_bytes_out(struct learn *l, const struct device *d, struct bytes destination, uint64_t bytes, uint64_t now_ns,
		     uint64_t sum[VOLUME_WINDOWS])
{
	volume_add(l->numbers->volume, pair_key(l, d, destination), bytes, now_ns / NS_PER_S, sum);
}

static struct hll *sketch_of(struct numbers *n, uint32_t device, unsigned fan)
{
	return (struct hll *)(n->sketches + ((size_t)device * FANS + fan) * hll_bytes(FAN_BITS));
}

// What comes late, of another worker, belongs to the hour that was begun: by turns, each would forget the other.
static void fan_turn(struct fan_out *f, struct hll *sketch, uint64_t hour)
{
	if (hour <= f->hour)
		return;
	f->usual -= f->usual / FAN_FORGET;
	if (f->now > f->usual)
		f->usual = f->now;
	f->hour = hour;
	f->now = 0;
	f->told = 0;
	hll_clear(sketch, FAN_BITS);
}

// Its sums of bytes are older than their windows by then.
void numbers_forget(struct numbers *n, uint32_t device)
{
	memset(n->fan[device], 0, sizeof(n->fan[device]));
	for (unsigned f = 0; f < FANS; f++)
		hll_clear(sketch_of(n, device, f), FAN_BITS);
}

void numbers_clock_back(struct numbers *n, uint32_t devices, uint64_t now_ns)
{
	const uint64_t hour = now_ns / HOUR_NS + 1;

	volume_clock_back(n->volume, now_ns / NS_PER_S);
	for (uint32_t d = 0; d < devices; d++)
		for (unsigned f = 0; f < FANS; f++)
			if (n->fan[d][f].hour > hour)
				n->fan[d][f].hour = hour;
}

bool learn_fan_out(struct learn *l, const struct device *d, enum fan fan, struct bytes place, uint64_t now_ns,
		   uint32_t *count, uint32_t *usual)
{
	struct fan_out *f = &l->numbers->fan[d->index][fan];
	struct hll *sketch = sketch_of(l->numbers, d->index, fan);

	fan_turn(f, sketch, now_ns / HOUR_NS + 1);
	if (!hll_add(sketch, pair_key(l, d, place)))
		return false;
	f->now = (uint32_t)hll_estimate(sketch);
	if (f->now < FAN_FEWEST || f->now <= f->usual || f->now < 2 * f->told)
		return false;
	f->told = f->now;
	*count = f->now;
	*usual = f->usual;
	return true;
}

// Who was called once goes before those whose pace is being followed: a scan calls each place once.
static bool goes_before(const struct paced *a, const struct paced *b)
{
	bool once_a = a->calls == 0, once_b = b->calls == 0; // of intervals: it was never called again

	return once_a != once_b ? once_a : a->beacon.last_ms < b->beacon.last_ms;
}

static struct paced *paced_of(struct numbers *n, uint64_t key)
{
	struct paced *set = &n->paced[key % (BEACONS / BEACON_WAYS) * BEACON_WAYS], *oldest = set;

	for (unsigned i = 0; i < BEACON_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (goes_before(&set[i], oldest))
			oldest = &set[i];
	}
	oldest->key = key;
	oldest->calls = 0;
	beacon_clear(&oldest->beacon);
	return oldest;
}

bool learn_contact(struct learn *l, const struct device *d, struct bytes destination, uint64_t now_ns,
		   struct beacon_result *out)
{
	struct paced *p = paced_of(l->numbers, pair_key(l, d, destination) | 1);

	if (!beacon_add(&p->beacon, now_ns / 1000000))
		return false;
	p->calls++;
	return p->calls >= BEACON_FIRST && (p->calls & (p->calls - 1)) == 0 && beacon_test(&p->beacon, out);
}

void numbers_put(const struct numbers *n, uint32_t devices, struct image *i)
{
	uint8_t *room;

	image_section(i, SECTION_VOLUMES);
	room = image_room(i, volume_image_bytes(n->volume));
	if (room)
		volume_image(n->volume, room);
	image_end(i);
	image_section(i, SECTION_FANS);
	image_append(i, n->fan, devices * sizeof(*n->fan));
	image_append(i, n->sketches, devices * FANS * hll_bytes(FAN_BITS));
	image_end(i);
	image_section(i, SECTION_PACED);
	image_append_table(i, n->paced, BEACONS, sizeof(*n->paced));
	image_end(i);
}

static bool take_fans(struct numbers *n, uint32_t devices, struct bytes in)
{
	const size_t fans = devices * sizeof(*n->fan), sketches = devices * FANS * hll_bytes(FAN_BITS);

	if (in.left == 0)
		return true;
	if (in.left != fans + sketches)
		return false;
	memcpy(n->fan, in.at, fans);
	memcpy(n->sketches, in.at + fans, sketches);
	for (uint32_t d = 0; d < devices; d++)
		for (unsigned f = 0; f < FANS; f++)
			if (n->fan[d][f].hour && !hll_check(sketch_of(n, d, f), hll_bytes(FAN_BITS)))
				return false;
	return true;
}

bool numbers_take(struct numbers *n, uint32_t devices, const struct image *i)
{
	struct bytes volumes = image_find(i, SECTION_VOLUMES);

	if ((volumes.left && !volume_restore(n->volume, volumes.at, volumes.left)) ||
	    !take_fans(n, devices, image_find(i, SECTION_FANS)) ||
	    !image_take_table(image_find(i, SECTION_PACED), n->paced, BEACONS, sizeof(*n->paced)))
		return false;
	for (unsigned p = 0; p < BEACONS; p++)
		if (!beacon_check(&n->paced[p].beacon))
			return false;
	return true;
}
