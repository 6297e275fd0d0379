// SPDX-License-Identifier: GPL-2.0-or-later
// Between nft.c (the table) and elements.c (what is in its sets) only.
#pragma once
#include <libnftnl/set.h>
#include "batch.h"
#include "fence.h"

enum { FENCE_SETS = 6, FENCE_KEY_BYTES = 24 };

struct fence {
	struct batch batch;
	char table[FENCE_TABLE_BYTES];
};

struct fence_set {
	const char *name;
	uint32_t id;
	uint32_t type;      // nft's: six bits for each part of the key
	uint32_t key_bytes; // each part padded to 4
	uint8_t family;     // struct address
	uint8_t nfproto;
	bool transport, port; // are in the key
	uint8_t address_bytes;
	uint8_t address_at[2]; // in the IP header: source, destination
};

extern const struct fence_set fence_sets[FENCE_SETS]; // IPv4 and IPv6 of each key in turn, the shortest key first

// A set object that names table and set. The caller frees; NULL when out of memory.
struct nftnl_set *fence_new_set(const struct fence *f, const struct fence_set *set);
