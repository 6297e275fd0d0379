// SPDX-License-Identifier: GPL-2.0-or-later
// How much went out to this endpoint in the last hour, day, week? Per key (a keyed hash of device and endpoint) three
// rings of buckets: 13 of 5 min, 25 of 1 h, 15 of 12 h.
//
// Error: a sum covers its window and at most one bucket more (1/12, 1/24, 1/14 of it), and is up to 255 B short:
// buckets hold units of 256 B, the rest is carried to the next time. A bucket holds 1 TiB and then stays there.
// Exponential histograms (Datar, Gionis, Indyk, Motwani 2002) need as much room for the same error at these lengths,
// and more work.
//
// Memory: 228 B a key, taken at creation: 65 536 keys 15 MB. Keys lie in sets of eight; in a full one the key with the
// least of the week goes (counted), so a million endpoints that get a packet each do not push out the one that gets a
// gigabyte. ≈ 0.1 µs. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum volume_window { VOLUME_HOUR, VOLUME_DAY, VOLUME_WEEK, VOLUME_WINDOWS };

struct volume;
struct volume *volume_create(uint32_t keys); // brought up to a multiple of 8. NULL with errno EINVAL, ENOMEM
void volume_destroy(struct volume *v);
// Adds bytes at a UNIX time and gives the sums, in bytes. A time before the key's last is taken for the last.
void volume_add(struct volume *v, uint64_t key, uint64_t bytes, uint64_t now_s, uint64_t sum[VOLUME_WINDOWS]);
// The clock was ahead, and is now_s: keys with bytes of a later time are forgotten. Kept, they would take all that comes
// for that time's, and their sums would grow until it comes round.
void volume_clock_back(struct volume *v, uint64_t now_s);
// False: unknown, sums 0.
bool volume_look(const struct volume *v, uint64_t key, uint64_t now_s, uint64_t sum[VOLUME_WINDOWS]);
uint64_t volume_lost(const struct volume *v); // keys that had to go within a week of their last bytes

// An image of all it holds, for a restart: numbers in network order, no pointers, no padding, and one form for one
// state. The caller provides the memory. 21 B a key that is known and 4 B each of its buckets that holds anything, an
// eighth of a byte a key there is room for.
size_t volume_image_bytes(const struct volume *v); // of its image now
void volume_image(const struct volume *v, uint8_t *out);
// Into one created with the same configuration; what it held goes. From then on it answers and changes as the one the
// image is of, to the last bit. False: not an image, damaged, or of another configuration; it is as newly created.
bool volume_restore(struct volume *v, const uint8_t *image, size_t n);
