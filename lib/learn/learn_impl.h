// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share. Three flat tables, all bounded at creation:
//   devices   address → struct device, with what is private about it beside it (same index)
//   values    (device, feature, value) → days of presence; a pool, chained by device, found by an index
//   parents   (scope, feature, value) → how many devices showed it; scope 0 is the organisation, g+1 is group g
#pragma once
#include "learn.h"
#include "text.h"

enum learn_private_limits {
	NO_VALUE = 0xffffffff,
	WINDOW_MASK = (1 << LEARN_WINDOW_DAYS) - 1,
	FORGET_DAYS =
		90, // a value nobody showed for so long makes room for others; a monthly job is not news each time
	TAGS = 256, // operator's networks
	GROUP_NAME_BYTES = 32,
	EXPOSED_LEAVE = 5, // fewer clients than this end an exposed server's role: no flapping around 20
	SERVED_DAYS = 7,
	RECENT_ENTRIES = 1 << 16,
	RECENT_WAYS = 8,
};
#define DAY_NS (86400ull * NS_PER_S)

struct value {
	uint64_t hash; // keyed, over feature and bytes
	uint64_t first_ns;
	uint32_t device;         // index
	uint32_t next, previous; // chain of the device, newest first; free entries: next only
	uint32_t mask;           // days of presence, bit 0 = day
	uint32_t day;            // last day seen; 0 = this entry is free
	uint8_t feature;
	uint8_t zero[3];
};

struct parent {
	uint64_t hash, first_ns;
	uint32_t count; // devices; 0 = empty slot
	uint32_t today; // how many of them came on `day`
	uint32_t day;
	uint16_t scope;
	uint8_t feature, zero;
};

struct client { // an outside client of a device; day 0 = none
	uint64_t hash;
	uint32_t day, zero;
};

struct device_private {
	uint32_t first_value;
	uint32_t served_day;                         // last day it served somebody inside
	uint32_t held[FEATURE_COUNT];                // values kept, by feature
	struct client client[LEARN_EXPOSED_CLIENTS]; // the latest distinct ones
};

struct tag {
	struct prefix net;
	uint16_t group;
};

struct recent {
	struct address device, other;
	uint64_t time_ns; // 0 = empty
};

struct learn {
	struct siphash_key key;
	struct counters *counters;
	struct device *devices;
	struct device_private *private;
	uint32_t device_capacity, device_count;
	uint32_t *device_index, device_mask; // device index + 1
	struct value *values;
	uint32_t value_capacity, value_used, value_free, sweep;
	uint32_t *value_index, value_mask; // value index + 1
	struct parent *parents;
	uint32_t parent_mask, parent_count;
	char group_name[LEARN_GROUPS][GROUP_NAME_BYTES];
	uint32_t group_members[LEARN_GROUPS];
	uint16_t groups;
	struct tag tags[TAGS];
	uint32_t tag_count;
	struct recent *recent[RECENT_KINDS];
};

static inline uint32_t day_of(uint64_t ns)
{
	return (uint32_t)(ns / DAY_NS);
}

// A mask whose bit 0 stands for `from`, seen from day `to`.
static inline uint32_t mask_slide(uint32_t mask, uint32_t from, uint32_t to)
{
	if (to <= from)
		return mask;
	return to - from >= LEARN_WINDOW_DAYS ? 0 : mask << (to - from) & WINDOW_MASK;
}

// Marks `day` in a mask whose bit 0 stands for *at, and lets *at follow. A day before the window changes nothing.
void mask_mark(uint32_t *mask, uint32_t *at, uint32_t day);
uint64_t hash_mix(uint64_t x);
uint32_t table_size(uint64_t at_least); // power of two
uint64_t value_hash(const struct learn *l, unsigned f, struct bytes value);
struct value *value_find(const struct learn *l, uint32_t device, uint64_t hash);
// A new entry at the head of the device's chain, counted above. What is too old for `today` makes room (0: nothing is).
// NULL: no room.
struct value *value_add(struct learn *l, struct device *d, unsigned f, uint64_t hash, uint64_t now_ns, uint32_t today);
// Moves what a device has shown from its group to another one.
void device_move(struct learn *l, struct device *d, uint16_t group);
// A new device at the end of the array (its group by tag or role). NULL: full.
struct device *device_append(struct learn *l, const struct address *a);
void learn_reset(struct learn *l); // empties everything but the operator's tags
void clients_see(struct device_private *p, uint64_t hash, uint32_t day);
uint32_t clients_count(const struct device_private *p, uint32_t day);
