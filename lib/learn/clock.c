// SPDX-License-Identifier: GPL-2.0-or-later
// A clock that was ahead and is set back. What is dated later than now would wait for its own date to come round, and
// what came after it behind it: nothing would be learned until then. So it counts as of now. Paces (numbers.c)
// are left: the next call takes its place.
#include "learn_impl.h"

static void no_later_ns(uint64_t *t, uint64_t now_ns)
{
	if (*t > now_ns)
		*t = now_ns;
}

static void no_later_day(uint32_t *day, uint32_t today)
{
	if (*day > today)
		*day = today;
}

static void set_back(struct device *d, struct device_private *p, uint64_t now_ns)
{
	uint32_t today = day_of(now_ns);

	no_later_ns(&d->first_ns, now_ns);
	no_later_ns(&d->last_ns, now_ns);
	no_later_ns(&d->discard_ns, now_ns);
	no_later_ns(&d->group_ns, now_ns);
	no_later_day(&d->day, today);
	no_later_day(&p->served_day, today);
	no_later_day(&p->new_day, today);
	no_later_day(&p->signature.since, today);
	for (unsigned i = 0; i < LEARN_EXPOSED_CLIENTS; i++)
		no_later_day(&p->client[i].day, today);
}

void learn_clock_back(struct learn *l, uint64_t now_ns)
{
	for (uint32_t i = 0; i < l->device_count; i++)
		set_back(&l->devices[i], &l->private[i], now_ns);
	for (uint32_t i = 0; i < l->waiting_count; i++)
		no_later_ns(&l->waiting[(l->waiting_first + i) % l->waiting_capacity].time_ns, now_ns);
	for (unsigned i = 0; i < ADOPTIONS; i++)
		no_later_ns(&l->adoptions[i].first_ns, now_ns);
	for (unsigned k = 0; k < RECENT_KINDS; k++) // else it would be recent until its own date comes round
		for (uint32_t i = 0; i < RECENT_ENTRIES; i++)
			no_later_ns(&l->recent[k][i].time_ns, now_ns);
	numbers_clock_back(l->numbers, l->device_count, now_ns);
	no_later_ns(&l->swept_ns, now_ns);
	no_later_day(&l->review_day, day_of(now_ns));
	dayset_clear(l->seen); // what was counted today and comes again is found counted by the back-off
}

uint64_t learn_latest_ns(const struct learn *l)
{
	uint64_t latest = 0;

	for (uint32_t i = 0; i < l->device_count; i++)
		if (l->devices[i].last_ns > latest)
			latest = l->devices[i].last_ns;
	return latest;
}
