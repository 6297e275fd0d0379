// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that were silent for long make room for new ones once the table is full: where hosts change their addresses each day (RFC 8981) most of it
// would be of those that never come again. Who was there for a day is gone sooner than who was there for weeks.
#include "learn_impl.h"

enum { LOOKED_AT = 64 }; // devices a newcomer: who floods with new addresses pays a bounded time for each

static bool is_silent(const struct learn *l, const struct device *d, uint64_t now_ns)
{
	uint32_t days = LEARN_SILENT_DAYS * (uint32_t)__builtin_popcount(d->days_mask);

	if (days < LEARN_SILENT_LEAST)
		days = LEARN_SILENT_LEAST;
	if (days > LEARN_WINDOW_DAYS)
		days = LEARN_WINDOW_DAYS;
	return l->private[d->index].waiting == 0 && d->last_ns + days * DAY_NS <= now_ns;
}

// Knuth, TAOCP 3, 6.4, algorithm R.
static void index_remove(struct learn *l, const struct address *a)
{
	uint32_t hole = (uint32_t)(device_slot(l, a) - l->device_index), i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & l->device_mask;
		if (!l->device_index[i])
			break;
		home = device_home(l, &l->devices[l->device_index[i] - 1].address);
		if (((i - home) & l->device_mask) >= ((i - hole) & l->device_mask)) {
			l->device_index[hole] = l->device_index[i];
			hole = i;
		}
	}
	l->device_index[hole] = 0;
}

static void retire(struct learn *l, const struct device *d)
{
	struct device_private *p = &l->private[d->index];

	index_remove(l, &d->address);
	l->group[d->group].members--;
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (p->context[slot] != NO_CONTEXT)
			backoff_end(l->backoff, p->context[slot]);
	peers_forget(l->peers, d->index);
	numbers_forget(l->numbers, d->index);
	memset(p, 0, sizeof(*p));
	if (l->forget)
		l->forget(l->forget_user, d->index);
	count(l->counters, COUNT_BRAIN_DEVICES_FORGOTTEN);
}

struct device *device_succeed(struct learn *l, const struct address *a, uint64_t now_ns)
{
	for (unsigned n = 0; n < LOOKED_AT; n++) {
		uint32_t index = l->forget_hand;

		l->forget_hand = (index + 1) % l->device_capacity;
		if (!is_silent(l, &l->devices[index], now_ns))
			continue;
		retire(l, &l->devices[index]);
		return device_begin(l, index, a);
	}
	return NULL;
}

void learn_on_forget(struct learn *l, void (*forget)(void *user, uint32_t index), void *user)
{
	l->forget = forget;
	l->forget_user = user;
}
