// SPDX-License-Identifier: GPL-2.0-or-later
// An image's sections as arrays, and whose normal moved. Sections are as hostile as in learn_take: every index is looked
// at.
#include "difference.h"
#include "store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void parts_record(struct bytes section, uint64_t index, void *out, size_t size)
{
	memcpy(out, section.at + index * size, size);
}

static bool whole(struct bytes section, size_t size, uint32_t *count)
{
	*count = (uint32_t)(section.left / size);
	return section.left % size == 0 && section.left / size <= UINT32_MAX;
}

bool parts_open(const struct image *i, struct parts *p)
{
	struct bytes head = image_find(i, SECTION_LEARN);

	if (head.left != sizeof(p->head))
		return false;
	memcpy(&p->head, head.at, sizeof(p->head));
	p->groups = image_find(i, SECTION_GROUPS);
	p->devices = image_find(i, SECTION_DEVICES);
	p->values = image_find(i, SECTION_VALUES);
	p->recents = image_find(i, SECTION_RECENT);
	return whole(p->groups, sizeof(struct store_group), &p->group_count) &&
	       whole(p->devices, sizeof(struct store_device), &p->device_count) &&
	       whole(p->values, sizeof(struct store_value), &p->value_count) &&
	       whole(p->recents, sizeof(struct store_recent), &p->recent_count);
}

bool parts_device(const struct parts *p, uint32_t index, struct device *out)
{
	struct store_device record;

	parts_record(p->devices, index, &record, sizeof(record));
	*out = record.device;
	return out->role < ROLE_COUNT && out->group < p->group_count && address_is_well_formed(&out->address);
}

void parts_group(const struct parts *p, uint16_t group, char out[32])
{
	struct store_group record;

	parts_record(p->groups, group, &record, sizeof(record));
	snprintf(out, 32, "%.*s", GROUP_NAME_BYTES - 1, record.name);
}

// --- drift ---

static int by_drift(const void *a, const void *b)
{
	const struct learn_drift *x = a, *y = b;
	uint64_t p = (uint64_t)x->fresh_days * (y->days ? y->days : 1), q = (uint64_t)y->fresh_days * (x->days ? x->days : 1);

	if (x->is_new != y->is_new)
		return x->is_new ? 1 : -1;
	if (p != q)
		return p > q ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof(x->address));
}

// Days of a value on or after `begin`; bit i of its mask is i days before its last.
static uint32_t days_since(const struct store_value *v, uint32_t begin)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LEARN_WINDOW_DAYS && v->last >= begin + i; i++)
		n += v->days >> i & 1;
	return n;
}

static bool add_drift(const struct parts *p, struct learn_drift *out, uint32_t begin)
{
	struct store_value v;

	for (uint32_t i = 0; i < p->value_count; i++) {
		struct learn_drift *d;
		uint32_t days;

		parts_record(p->values, i, &v, sizeof(v));
		if (v.device >= p->device_count || v.slot >= SLOTS)
			return false;
		if (v.slot >= DIFFERENCE_FEATURES)
			continue;
		d = &out[v.device];
		days = days_since(&v, begin);
		d->days += days;
		if (v.first < begin)
			continue;
		d->fresh_days += days;
		d->fresh[v.slot]++;
	}
	return true;
}

static uint32_t last_day(const struct parts *p)
{
	struct store_value v;
	uint32_t last = 0;

	for (uint32_t i = 0; i < p->value_count; i++) {
		parts_record(p->values, i, &v, sizeof(v));
		if (v.last > last)
			last = v.last;
	}
	return last;
}

int learn_drifts(const struct image *i, struct learn_drift **out)
{
	struct parts p;
	struct device device;
	uint32_t last, begin;

	*out = NULL;
	if (!parts_open(i, &p))
		return -EPROTO;
	*out = calloc(p.device_count + 1u, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	last = last_day(&p);
	begin = last >= DIFFERENCE_WEEK ? last - DIFFERENCE_WEEK + 1 : 0;
	for (uint32_t d = 0; d < p.device_count; d++) {
		if (!parts_device(&p, d, &device)) {
			free(*out);
			return -EPROTO;
		}
		(*out)[d].address = device.address;
		(*out)[d].is_new = day_of(device.first_ns) >= begin;
	}
	if (!add_drift(&p, *out, begin)) {
		free(*out);
		return -EPROTO;
	}
	qsort(*out, p.device_count, sizeof(**out), by_drift);
	return (int)p.device_count;
}
