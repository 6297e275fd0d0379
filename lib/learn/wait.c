// SPDX-License-Identifier: GPL-2.0-or-later
// What waits a day before it is learned: a ring in order of arrival. A device that alarms takes what waits of it along
// (device.discard_ns). Full, new showings are refused and counted: not learning errs towards alarms, and those have a
// budget; learning early would let a flood hurry its own acceptance.
#include "learn_impl.h"

enum { CROWDED_SHARE = 64 }; // of the ring: more than that one device may not hold once it is half full

// Room for a showing? What a device is known for finds it as long as there is any; what is new to it only in the first
// three quarters, and beyond a half only while the device does not hold a large share itself: one that floods must not
// keep what the others show from being counted.
static bool has_room(const struct learn *l, const struct device *d, unsigned slot, uint64_t value)
{
	const struct device_private *p = &l->private[d->index];
	uint32_t used = l->waiting_count, most = l->waiting_capacity;

	if (used < most / 2 || (used < most / 4 * 3 && p->waiting < most / CROWDED_SHARE))
		return true;
	return used < most && p->context[slot] != NO_CONTEXT && backoff_holds(l->backoff, p->context[slot], value);
}

bool wait_add(struct learn *l, const struct device *d, unsigned slot, uint64_t value, uint64_t now_ns)
{
	uint64_t key = hash_mix(value + ((uint64_t)d->index << 8 | slot) * 0x9e3779b97f4a7c15ull);
	uint32_t at;

	if (!has_room(l, d, slot, value)) { // asked first, so that what is refused pushes nothing out of those seen
		count(l->counters, COUNT_BRAIN_WAITING_FULL);
		return false;
	}
	if (!dayset_add(l->seen, key, day_of(now_ns)))
		return false;
	l->private[d->index].waiting++;
	at = (l->waiting_first + l->waiting_count++) % l->waiting_capacity;
	l->waiting[at] =
		(struct waiting){.value = value, .time_ns = now_ns, .device = d->index, .slot = (uint8_t)slot};
	return true;
}

void wait_step(struct learn *l, uint64_t now_ns)
{
	uint64_t wait_ns = l->without & WITHOUT_WAIT ? 0 : LEARN_WAIT_NS;

	while (l->waiting_count) {
		const struct waiting *w = &l->waiting[l->waiting_first];
		struct device *d = &l->devices[w->device];

		if (w->time_ns + wait_ns > now_ns)
			return;
		if (w->time_ns <= d->discard_ns)
			count(l->counters, COUNT_BRAIN_DISCARDED);
		else
			context_learn(l, d, w->slot, w->value, day_of(w->time_ns));
		l->private[w->device].waiting--;
		l->waiting_first = (l->waiting_first + 1) % l->waiting_capacity;
		l->waiting_count--;
	}
}

void learn_discard(struct learn *l, struct device *d, uint64_t now_ns)
{
	if (now_ns > d->discard_ns)
		d->discard_ns = now_ns;
}

// --- roll-outs ---

static bool has_adopted(const struct adoption *a, uint32_t device)
{
	for (uint32_t i = 0; i < a->devices; i++)
		if (a->device[i] == device)
			return true;
	return false;
}

static struct adoption *adoption_of(struct learn *l, uint64_t value, uint64_t now_ns)
{
	struct adoption *set = &l->adoptions[value % (ADOPTIONS / ADOPTION_WAYS) * ADOPTION_WAYS], *oldest = set;

	for (unsigned i = 0; i < ADOPTION_WAYS; i++) {
		if (set[i].first_ns && set[i].value == value) {
			oldest = &set[i];
			break;
		}
		// What only one device showed goes before what is on its way to many.
		if (set[i].first_ns == 0 || set[i].devices < oldest->devices ||
		    (set[i].devices == oldest->devices && set[i].first_ns < oldest->first_ns))
			oldest = &set[i];
	}
	if (oldest->first_ns == 0 || oldest->value != value || oldest->first_ns + 2 * DAY_NS < now_ns) {
		oldest->value = value;
		oldest->first_ns = now_ns ? now_ns : 1;
		oldest->devices = 0;
	}
	return oldest;
}

uint32_t learn_adopt(struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns)
{
	struct adoption *a = adoption_of(l, value_hash(l, f, value), now_ns);

	if (a->devices < LEARN_ADOPTERS && !has_adopted(a, d->index))
		a->device[a->devices++] = d->index;
	return a->devices;
}
