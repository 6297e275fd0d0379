// SPDX-License-Identifier: GPL-2.0-or-later
// What speaks against a device, added up over time. Each p-value becomes an e-value, the mixture of all κp^(κ−1)
// (Shafer and others, "Test martingales, Bayes factors and p-values", 2011; Vovk and Wang, "E-values", 2021):
//
//	e = ∫ κp^(κ−1) dκ over 0 … 1 = (1 − p + p ln p) / (p ln² p)
//
// whose mean is at most 1 when nothing is wrong. Unlike any one κ it loses only 2 log2 ln 1/p bits to 1/p: one event
// that is odd enough suffices, several that are somewhat odd add up. A fact enters with its own (1/its benign rate).
// They multiply; evidence is log2 of the product, in bits:
//
//	L ← max(0, L · 2^(−Δt/half-life)) + log2 e
//
// an e-detector of the CUSUM kind (Shin, Ramdas, Rinaldo, "E-detectors", 2022) that forgets half of its bits a half-life.
// Error: if each p is valid given the past, L reaches h bits on average after at least 2^h events, without independence;
// forgetting only delays. Where p is not quite valid, a busy device's level stays bounded: with r bits a day too many,
// by r · half-life/ln 2. Two of them run side by side: a fast one (30 min) for an attack, a slow one (3 days) for
// patience.
//
// The same fact counts once: a key (hash of device, endpoint, port, agent, kind …) within `repeat_ms` of the first time
// adds nothing. Whole numbers of 10^-6 bit throughout, so a sum is the same however and wherever it is made again:
// evidence_fold of what evidence_items gives out is the level, to the last digit. Beyond the latest EVIDENCE_ITEMS the
// earlier ones are kept folded.
//
// Memory: 570 B a device, 16 B a remembered key in sets of eight; the oldest key of a full set goes (counted), and may
// count again. None after creation. ≈ 0.1 µs an event. One thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum evidence_limits {
	EVIDENCE_BIT = 1000000, // one bit
	EVIDENCE_ITEMS = 16,
	EVIDENCE_SPEEDS = 2, // fast, slow
	EVIDENCE_MOST_OF_P = 20 * EVIDENCE_BIT,
};

struct evidence_config {
	uint32_t devices;
	uint32_t keys; // remembered; a multiple of 8
	uint64_t half_life_ms[EVIDENCE_SPEEDS];
	uint64_t repeat_ms;
};

struct evidence_item {
	uint64_t key;
	uint64_t time_ms;
	int32_t microbits;
	uint32_t family; // of evidence: two families are stronger than twice the same
	uint32_t about;  // what else may say the same: evidence_about; 0: nothing
	uint32_t zero;
};

struct evidence_state {                 // levels at a time: where a fold begins or ends
	int64_t level[EVIDENCE_SPEEDS]; // microbits, as of time_ms
	uint64_t time_ms;
};

struct evidence;
struct evidence *evidence_create(const struct evidence_config *config); // NULL with errno EINVAL, ENOMEM
void evidence_destroy(struct evidence *e);

int32_t evidence_of_p(double p); // log2 e in microbits, at most EVIDENCE_MOST_OF_P; −1 bit for p = 1
int32_t evidence_of_rate(double per_event); // a fact's: −log2 of its benign rate; 0 for 1 and above

// True: it counted; false: known within repeat_ms, or no such device. Either way *now is the state at that time.
bool evidence_add(struct evidence *e, uint32_t device, const struct evidence_item *item, struct evidence_state *now);
// The clock was ahead and is now_ms: what is dated later counts as of now. All devices and keys, once through.
void evidence_clock_back(struct evidence *e, uint64_t now_ms);
struct evidence_state evidence_look(const struct evidence *e, uint32_t device, uint64_t now_ms);
// The state before them, and the latest items in order. Returns how many.
uint32_t evidence_items(const struct evidence *e, uint32_t device, struct evidence_state *before,
			struct evidence_item items[EVIDENCE_ITEMS]);
// What evidence_add did, again.
struct evidence_state evidence_fold(const struct evidence_config *config, struct evidence_state before,
				    const struct evidence_item *items, uint32_t n);
// Distinct families among the items since then that speak against the device.
uint32_t evidence_families(const struct evidence *e, uint32_t device, uint64_t since_ms);
// Items of that family since then that speak against the device.
uint32_t evidence_again(const struct evidence *e, uint32_t device, uint32_t family, uint64_t since_ms);
// Sum of what the items about the same (not 0) since then speak against the device.
int64_t evidence_about(const struct evidence *e, uint32_t device, uint32_t about, uint64_t since_ms);
void evidence_forget(struct evidence *e, uint32_t device);
uint64_t evidence_lost(const struct evidence *e); // keys that went for want of room within repeat_ms

// An image of all it holds, for a restart: numbers in network order, no pointers, no padding, and one form for one
// state. The caller provides the memory. 16 B a key that is remembered, 29 B and 28 B an item a device that has any, an
// eighth of a byte a key there is room for.
size_t evidence_image_bytes(const struct evidence *e); // of its image now
void evidence_image(const struct evidence *e, uint8_t *out);
// Into one created with the same configuration; what it held goes. From then on it answers and changes as the one the
// image is of, to the last bit. False: not an image, damaged, or of another configuration; it is as newly created.
bool evidence_restore(struct evidence *e, const uint8_t *image, size_t n);
