// SPDX-License-Identifier: GPL-2.0-or-later
// NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC: Fast and Secure Message Authentication", 1999, §4), finished by SipHash: a keyed hash of
// whole payloads at a fraction of a cycle a byte. Two different inputs of one length agree with probability 2^-32 for
// whoever does not know the key. Short inputs go to SipHash directly.
#pragma once
#include "siphash.h"

enum nh_limits {
	NH_BLOCK_BYTES = 1024, // hashed with one pass over the key
	NH_SHORT_BYTES = 64,   // up to here SipHash alone is quicker
	NH_MOST_BYTES = 65536, // longest input
};

struct nh_key {
	struct siphash_key finish;
	uint32_t word[NH_BLOCK_BYTES / 4];
};

// Derives the long key from a short one.
void nh_key_init(struct nh_key *k, const struct siphash_key *from);
// Of at most NH_MOST_BYTES; what is longer is cut there.
uint64_t nh_hash(const struct nh_key *k, const void *data, size_t n);
