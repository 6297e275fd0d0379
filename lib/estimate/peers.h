// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices behave alike? Leader clustering (Hartigan, "Clustering Algorithms", 1975, ch. 3) over MinHash
// signatures, with hysteresis: a device joins the group whose leader it resembles most, if by `join` or more; it leaves
// only after it has resembled its leader by less than `leave`, or another one by `margin` more, at `hold` reviews in a
// row. So a group is not left for a day's whim, and a group's number lives as long as the group: numbers are given out
// once, never again.
//
// A leader is a device. Its signature is renewed at each review while it resembles the old one by `leave`, so a group
// follows its work as that changes; a leader that goes is followed by the member most like it. Two groups whose leaders
// resemble each other by `join + margin` become the older one. Result and cost depend on the order of devices, which is
// their index; given the same reviews it is the same. Error: similarities are minhash's (± 4.5 %), which `join − leave`
// should exceed.
//
// A review costs a device at most `groups` comparisons of 128 places (≈ 20 ns each). Memory: 544 B a group, 8 B a
// device; none after creation. Groups below three members are for the caller to distrust. One thread.
#pragma once
#include "minhash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEERS_NONE = 0 /* no group */ };

struct peers_config {
	uint32_t devices, groups;     // capacities; groups at most 65 534
	uint32_t join, leave, margin; // equal places of MINHASH_PLACES: 64, 45, 20
	uint32_t hold;                // reviews in a row
};

struct peers;
struct peers *peers_create(const struct peers_config *config); // NULL with errno EINVAL, ENOMEM
void peers_destroy(struct peers *p);

// One device's signature as it is now; call it for all devices, in the order of their index, once a day. Returns true
// when its group changed: that is an event. A device of which too little is known is not shown here at all.
bool peers_review(struct peers *p, uint32_t device, const struct minhash *signature);
// After the last device of a review: leaderless groups get a new leader, groups that became one are merged, empty ones
// end.
void peers_end_review(struct peers *p);
void peers_forget(struct peers *p, uint32_t device); // it is gone
// The operator says: it takes no part. What is said again changes nothing.
void peers_tag(struct peers *p, uint32_t device, bool tagged);

uint32_t peers_group(const struct peers *p, uint32_t device); // its number, PEERS_NONE: in none
uint32_t peers_members(const struct peers *p, uint32_t number);
uint32_t peers_alike(const struct peers *p, uint32_t device); // equal places with its leader at the last review
uint32_t peers_count(const struct peers *p);                  // groups
uint64_t peers_homeless(const struct peers *p);               // times a device could found no group: no room

// An image of all it holds, for a restart: numbers in network order, no pointers, no padding, and one form for one
// state. The caller provides the memory. 6 B a device, 528 B a group.
size_t peers_image_bytes(const struct peers *p); // of its image now
void peers_image(const struct peers *p, uint8_t *out);
// Into one created with the same configuration; what it held goes. From then on it answers and changes as the one the
// image is of, to the last bit. False: not an image, damaged, or of another configuration; it is as newly created.
bool peers_restore(struct peers *p, const uint8_t *image, size_t n);
