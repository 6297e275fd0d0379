// SPDX-License-Identifier: GPL-2.0-or-later
// Has this 64-bit key been here today? A bounded set that empties itself at midnight (UTC). Full, it forgets: the
// oldest of a set of eight goes, and may come again as new. Keys must be keyed hashes, of which 53 bits
// are kept: one in 2^33 is taken for another. 8 B a key, none after creation.
// One thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct dayset;
struct image;
struct bytes;
struct dayset *dayset_create(uint32_t keys); // brought up to a power of two, at least 64. NULL: no memory
void dayset_destroy(struct dayset *s);
// True: it is new today. A day before the last one seen is taken for the last.
bool dayset_add(struct dayset *s, uint64_t key, uint32_t day);
void dayset_clear(struct dayset *s);
// As the open section's data of an image, and back, in a set as large to the last bit, else as far as there is room.
// False: nonsense.
void dayset_put(const struct dayset *s, struct image *i);
bool dayset_take(struct dayset *s, struct bytes section);
