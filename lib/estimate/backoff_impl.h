// SPDX-License-Identifier: GPL-2.0-or-later
// What the two files of the back-off share: the table (learning) and the looking (estimating).
#pragma once
#include "backoff.h"
#include "estimate_impl.h"

struct backoff_entry {
	uint64_t value;
	uint32_t context; // + 1; 0 = empty
	uint32_t days;    // device: presence, bit 0 = `day`; above: devices
	uint16_t day;     // last shown; above: last newcomer
	uint16_t first;
	uint16_t total;  // device: days of presence since `first`, saturating
	uint8_t counted; // device: what of it stands in the context's sums
	uint8_t turn;    // device: which of the context's two parents knows of it
};

struct backoff_context {
	uint32_t parent, left; // `left`: the parent whose counts values of the other turn still stand in
	uint32_t customers, types, single, twice;
	uint32_t held, most; // entries, also those that count 0
	uint32_t below;      // contexts that have it as parent
	uint32_t moved_at;   // clean rounds of the sweep at the last change of parent
	uint8_t turn, moving;
	uint8_t depth; // levels from here up, itself included; 0 = free
	uint8_t ended; // its values go as the sweep comes by, and it with them
};

struct backoff {
	struct backoff_entry *entry;
	struct backoff_context *context;
	uint32_t entries, contexts, context_used, context_free;
	uint32_t hand;         // of the sweep
	bool stuck;            // some value found no room to follow its context in this round
	uint32_t clean_rounds; // without that
	double strength;
	struct backoff_stats stats;
};

static inline uint32_t backoff_home(const struct backoff *b, uint32_t context, uint64_t value)
{
	return place_of(mix64(value + (context + 1ull) * 0x9e3779b97f4a7c15ull), b->entries);
}

// The place of (context, value), or the empty one where it would stand. One place at least is always empty.
static inline struct backoff_entry *backoff_place(const struct backoff *b, uint32_t context, uint64_t value)
{
	uint32_t i = backoff_home(b, context, value);

	while (b->entry[i].context && (b->entry[i].value != value || b->entry[i].context != context + 1))
		i = i + 1 == b->entries ? 0 : i + 1;
	return &b->entry[i];
}
