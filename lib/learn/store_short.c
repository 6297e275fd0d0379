// SPDX-License-Identifier: GPL-2.0-or-later
// The learner's short memory as sections of an image: how far a device's normal has moved today, what many begin with,
// what already waits, and the numbers. Without it every restart would let each device learn as much as it likes for a
// week, and call an ordinary hour the busiest ever seen.
#include "image.h"
#include "learn_impl.h"

enum { SECTION_DRIFT = 8, SECTION_ADOPTIONS, SECTION_SEEN };

struct store_drift {
	uint32_t day, days, fresh[SLOTS], usual[SLOTS];
};

static void put_drift(const struct learn *l, struct image *i)
{
	for (uint32_t d = 0; d < l->device_count; d++) {
		const struct device_private *p = &l->private[d];
		struct store_drift drift = {.day = p->new_day, .days = p->new_days};

		memcpy(drift.fresh, p->fresh, sizeof(drift.fresh));
		memcpy(drift.usual, p->usual, sizeof(drift.usual));
		image_append(i, &drift, sizeof(drift));
	}
}

void short_put(const struct learn *l, struct image *i)
{
	image_section(i, SECTION_DRIFT);
	put_drift(l, i);
	image_end(i);
	image_section(i, SECTION_ADOPTIONS);
	image_append_table(i, l->adoptions, ADOPTIONS, sizeof(*l->adoptions));
	image_end(i);
	image_section(i, SECTION_SEEN);
	dayset_put(l->seen, i);
	image_end(i);
	numbers_put(l->numbers, l->device_count, i);
}

static bool take_drift(struct learn *l, struct bytes in)
{
	struct store_drift drift;
	struct bytes part;

	if (in.left && in.left != l->device_count * sizeof(drift))
		return false;
	for (uint32_t d = 0; bytes_take(&in, sizeof(drift), &part); d++) {
		struct device_private *p = &l->private[d];

		memcpy(&drift, part.at, sizeof(drift));
		p->new_day = drift.day;
		p->new_days = drift.days;
		memcpy(p->fresh, drift.fresh, sizeof(p->fresh));
		memcpy(p->usual, drift.usual, sizeof(p->usual));
		for (unsigned slot = 0; slot < SLOTS; slot++) // no device shows more in a day than there are entries
			if (p->fresh[slot] > l->entries || p->usual[slot] > l->entries)
				return false;
	}
	return true;
}

static bool take_adoptions(struct learn *l, struct bytes in)
{
	if (!image_take_table(in, l->adoptions, ADOPTIONS, sizeof(*l->adoptions)))
		return false;
	for (unsigned a = 0; a < ADOPTIONS; a++)
		if (l->adoptions[a].devices > LEARN_ADOPTERS)
			return false;
	return true;
}

bool short_take(struct learn *l, const struct image *i)
{
	return take_drift(l, image_find(i, SECTION_DRIFT)) && take_adoptions(l, image_find(i, SECTION_ADOPTIONS)) &&
	       dayset_take(l->seen, image_find(i, SECTION_SEEN)) && numbers_take(l->numbers, l->device_count, i);
}
