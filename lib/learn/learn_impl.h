// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this room share. All of it is bounded at creation:
//   devices   address → struct device, with what is private about it beside it (same index)
//   backoff   (context, value) → counts; a context is a feature of a device, a group or the organisation
//   waiting   what observations showed in the last day, in order of time, not yet counted
#pragma once
#include "dayset.h"
#include "learn.h"
#include "minhash.h"
#include "peers.h"
#include "text.h"

enum learn_private_limits {
	TAGS = 256, // operator's networks
	GROUP_NAME_BYTES = 32,
	EXPOSED_LEAVE = 5, // fewer clients than this end an exposed server's role: no flapping around 20
	SERVED_DAYS = 7,
	RECENT_ENTRIES = 1 << 17,
	RECENT_WAYS = 8,
	SLOTS = FEATURE_COUNT + (FEATURE_COUNT - FEATURE_PORT_GIVEN), // a given feature has one a novelty
	NO_CONTEXT = BACKOFF_NOWHERE,
	SIGNATURE_DAYS = 14,
	ADOPTIONS = 1 << 12,
	ADOPTION_WAYS = 8,
};
#define DAY_NS (86400ull * NS_PER_S)

struct client { // an outside client of a device; day 0 = none
	uint64_t hash;
	uint32_t day, zero;
};

struct signature { // what kind of device it is, from what it shows: this fortnight's and the last one's
	struct minhash now, before;
	uint32_t since, tokens; // day; tokens added to `now` and `before`
};

struct device_private {
	uint32_t context[SLOTS];                     // NO_CONTEXT: nothing shown yet
	uint32_t served_day;                         // last day it served somebody inside
	uint32_t new_day;                            // day `fresh` counts for
	uint32_t fresh[SLOTS];                       // values new to it learned on that day
	uint32_t usual[SLOTS];                       // the same on its days so far, a mean of about a week
	uint32_t new_days;                           // days on which it learned anything
	uint32_t waiting;                            // of what waits to be learned, so much is its own
	struct client client[LEARN_EXPOSED_CLIENTS]; // the latest distinct ones
	struct signature signature;
};

struct waiting {
	uint64_t value, time_ns;
	uint32_t device;
	uint8_t slot, zero[3];
};

struct tag {
	struct prefix net;
	uint16_t group;
};

struct group {
	char name[GROUP_NAME_BYTES];
	uint32_t members;
	uint32_t peers_number; // of peers.h; PEERS_NONE: by role or by tag
	uint32_t context[SLOTS];
};

struct recent {
	struct address device, other;
	uint64_t time_ns; // 0 = empty
};

struct adoption {
	uint64_t value, first_ns; // first_ns 0: empty
	uint32_t devices;
	uint32_t device[LEARN_ADOPTERS];
};

struct numbers;
struct learn {
	struct siphash_key key;
	struct counters *counters;
	uint32_t without;
	struct device *devices;
	struct device_private *private;
	uint32_t device_capacity, device_count;
	uint32_t forget_hand; // the next device that may be asked to make room
	void (*forget)(void *user, uint32_t index);
	void *forget_user;
	uint32_t *device_index, device_mask; // device index + 1
	struct backoff *backoff;
	uint32_t entries;
	uint64_t learned[2]; // what was learned since the beginning, mixed into a number that names it
	uint32_t org_context[SLOTS];
	struct waiting *waiting;
	uint32_t waiting_capacity, waiting_first, waiting_count;
	struct dayset *seen; // what already waits or was counted today
	struct group group[LEARN_GROUPS];
	uint16_t groups;
	struct peers *peers;
	uint32_t review_day;
	uint64_t swept_ns;
	struct tag tags[TAGS];
	uint32_t tag_count;
	struct adoption *adoptions;
	struct numbers *numbers;
	struct recent *recent[RECENT_KINDS];
	uint32_t *recent_tag[RECENT_KINDS]; // of each entry, 0: empty: a set's fill a line or two, its entries six
	uint8_t (*recent_name)[RECENT_NAME_BYTES]; // of RECENT_RESOLVED
};

static inline uint32_t day_of(uint64_t ns)
{
	return (uint32_t)(ns / DAY_NS);
}

// A mask whose bit 0 stands for `from`, seen from day `to`.
static inline uint32_t mask_slide(uint32_t mask, uint32_t from, uint32_t to)
{
	const uint32_t window = (1u << LEARN_WINDOW_DAYS) - 1;

	if (to <= from)
		return mask;
	return to - from >= LEARN_WINDOW_DAYS ? 0 : mask << (to - from) & window;
}

static inline unsigned slot_of(unsigned feature, unsigned novelty)
{
	return feature < FEATURE_PORT_GIVEN ? feature
					    : FEATURE_PORT_GIVEN + 2 * (feature - FEATURE_PORT_GIVEN) + novelty;
}
_Static_assert(NOVELTIES == 2, "slot_of counts two");
unsigned slot_feature(unsigned slot);

// Marks `day` in a mask whose bit 0 stands for *at, and lets *at follow. A day before the window changes nothing.
void mask_mark(uint32_t *mask, uint32_t *at, uint32_t day);
uint64_t hash_mix(uint64_t x);
uint32_t table_size(uint64_t at_least); // power of two
uint64_t value_hash(const struct learn *l, unsigned feature, struct bytes value);
uint64_t value_hash_of(const struct siphash_key *key, unsigned feature, struct bytes value); // under the store's key
// Counts a value of a device on a day.
void context_learn(struct learn *l, struct device *d, unsigned slot, uint64_t value, uint32_t day);
// The device's context of that slot, opened below its group when there is none. NO_CONTEXT: no room.
uint32_t context_of(struct learn *l, struct device *d, unsigned slot);
// Moves what a device has shown from its group to another one.
void device_move(struct learn *l, struct device *d, uint16_t group, uint64_t now_ns);
// What a day's showing says of the device's kind.
void signature_add(struct learn *l, struct device *d, unsigned slot, uint64_t value, uint32_t day);
void groups_review(struct learn *l, uint64_t now_ns);
int group_add(struct learn *l, const char *name, uint32_t peers_number); // index or -ENOSPC
// Puts a showing among those that wait. False: already there, or no room (counted).
bool wait_add(struct learn *l, const struct device *d, unsigned slot, uint64_t value, uint64_t now_ns);
void wait_step(struct learn *l, uint64_t now_ns);
// A new device at the end of the array (its group by tag or role). NULL: full.
struct device *device_append(struct learn *l, const struct address *a);
// A new device in the place of one that was silent for long. NULL: of the few looked at this time none was.
struct device *device_succeed(struct learn *l, const struct address *a, uint64_t now_ns);
// Fills the place, of which nothing may be left, and the index of addresses.
struct device *device_begin(struct learn *l, uint32_t index, const struct address *a);
uint32_t device_home(const struct learn *l, const struct address *a);
uint32_t *device_slot(const struct learn *l, const struct address *a); // where it stands, or would
struct numbers *numbers_create(uint32_t devices); // NULL: no memory
void numbers_destroy(struct numbers *n);
void numbers_forget(struct numbers *n, uint32_t device);
void numbers_clock_back(struct numbers *n, uint32_t devices, uint64_t now_ns);
void numbers_put(const struct numbers *n, uint32_t devices, struct image *i); // sections 11 … 13
bool numbers_take(struct numbers *n, uint32_t devices, const struct image *i);
// store_short.c: what the last days left behind that is no count yet. Sections 8 … 13. What an image lacks is empty.
void short_put(const struct learn *l, struct image *i);
bool short_take(struct learn *l, const struct image *i);
void learn_reset(struct learn *l); // empties everything but the operator's tags
void clients_see(struct device_private *p, uint64_t hash, uint32_t day);
uint32_t clients_count(const struct device_private *p, uint32_t day);
