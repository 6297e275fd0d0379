// SPDX-License-Identifier: GPL-2.0-or-later
// What stands in the learner's sections of an image. One fixed layout: no stray bytes between the fields.
#pragma once
#include "image.h"
#include "learn_impl.h"

enum store_section { SECTION_LEARN = 1, SECTION_GROUPS, SECTION_DEVICES, SECTION_VALUES, SECTION_WAITING, SECTION_RECENT, SECTION_PEERS };

struct store_learn {
	struct siphash_key key;
	uint64_t learned[2], swept_ns;
	uint32_t review_day, zero;
};

struct store_group {
	char name[GROUP_NAME_BYTES];
	uint32_t peers_number, zero;
};

struct store_device {
	struct device device;
	struct client client[LEARN_EXPOSED_CLIENTS];
	struct signature signature;
	uint32_t served_day, zero;
};

struct store_value {
	uint64_t value;
	uint32_t device, days;
	uint16_t first, last, total;
	uint8_t slot, zero;
};

struct store_recent {
	struct recent recent;
	uint32_t kind, zero;
	uint8_t name[RECENT_NAME_BYTES];
};

struct parts { // an image's sections as arrays; unaligned records are copied out
	struct store_learn head;
	struct bytes groups, devices, values, recents;
	uint32_t group_count, device_count, value_count, recent_count;
};

// False: sections that are no whole records.
bool parts_open(const struct image *i, struct parts *p);
void parts_record(struct bytes section, uint64_t index, void *out, size_t size);
bool parts_device(const struct parts *p, uint32_t index, struct device *out); // false: nonsense
void parts_group(const struct parts *p, uint16_t group, char out[32]);
