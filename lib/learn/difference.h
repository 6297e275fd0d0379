// SPDX-License-Identifier: GPL-2.0-or-later
// What images of the learner tell without a learner: what was learned between two of them, and whose normal moved.
// Values are keyed hashes. A text that somebody knows can be tried against them; what nobody knows stays a number.
// Images are borrowed until destroyed. Work and memory follow the images' sizes; one thread.
#pragma once
#include "image.h"
#include "learn.h"

enum difference_limits {
	DIFFERENCE_FEATURES = FEATURE_PORT_GIVEN, // those after it say the same again
	DIFFERENCE_WEEK = 7,
};

struct learn_change {          // of one device
	struct address address;
	bool came, went;
	uint8_t role_then, role_now; // enum role
	char group_then[32], group_now[32];
	uint32_t fresh[DIFFERENCE_FEATURES], gone[DIFFERENCE_FEATURES]; // values
	uint32_t index;              // for learn_difference_words
};

struct learn_difference;
// NULL with *error: -EPROTO (an image's sections are nonsense), -EKEYREJECTED (hashed under different keys: two boxes,
// nothing can be compared), -ENOMEM. Devices that did not change are left out; the others in the order of addresses.
struct learn_difference *learn_difference_create(const struct image *then, const struct image *now, int *error);
void learn_difference_destroy(struct learn_difference *d);
// Inside addresses, and what the images remember of addresses and names, were tried at once. More texts that may be values: an address, a host, a user agent, a JA4; whatever they are.
void learn_difference_try(struct learn_difference *d, const char *text);
void learn_difference_try_port(struct learn_difference *d, const struct address *a, uint8_t transport, uint16_t port);
// All that there are few enough of to be tried: ports with their protocols, kinds of file, hours. Half a second.
void learn_difference_try_all(struct learn_difference *d);
const struct learn_change *learn_difference_at(const struct learn_difference *d, uint32_t i); // NULL past the end
// The new (or gone) values of a feature whose text is known, ", " between them, as many as fit, "..." after. Returns how many of all
// have a text.
uint32_t learn_difference_words(const struct learn_difference *d, const struct learn_change *c, unsigned feature,
				bool fresh, char *out, size_t cap);

struct learn_drift {
	struct address address;
	uint32_t days, fresh_days; // of presence of its values in the week; of those, on values first seen in it
	uint32_t fresh[DIFFERENCE_FEATURES];
	bool is_new;               // the device itself is of this week: all is new
};
// How far each device's normal moved in the week that ends with the latest day that was learned: its share of
// presence-days on values first seen in that week (the memory is BACKOFF_FORGET days, so a monthly job is not new).
// Most moved first; new devices last. *out is the caller's to free. Returns how many, or -EPROTO, -ENOMEM.
int learn_drifts(const struct image *i, struct learn_drift **out);
