// SPDX-License-Identifier: GPL-2.0-or-later
// Headers of the two sheets and the known-pair filter. Knows no file descriptors (sheet_memfd.c). The filter is written
// by the brain and read by every worker without locks: a bit is either there or comes a little later.
#include "sheet.h"
#include <errno.h>

enum { FILTER_PROBES = 4 };

struct filter_key { // hashed as memory: no padding
	uint8_t tag;
	uint8_t zero[3];
	struct address a, b;
};
_Static_assert(sizeof(struct filter_key) == 44, "no padding in hashed memory");

static const char *const mode_names[] = {"learn", "observe", "advise", "enforce"};
_Static_assert(sizeof(mode_names) / sizeof(mode_names[0]) == MODE_COUNT, "one name a mode");

const char *mode_name(unsigned mode)
{
	return mode < MODE_COUNT ? mode_names[mode] : "?";
}

// Probe i is low + i * high (Kirsch, Mitzenmacher: "Less hashing, same performance", 2006); high is odd: all differ.
static void filter_probes(const struct siphash_key *key, enum filter_tag tag, const struct address *a,
			  const struct address *b, uint32_t bit[FILTER_PROBES])
{
	struct filter_key k = {.tag = (uint8_t)tag, .a = *a};
	uint64_t hash;

	if (tag != FILTER_EXPOSED)
		k.b = *b;
	hash = siphash13(key, &k, sizeof(k));
	for (uint32_t i = 0; i < FILTER_PROBES; i++)
		bit[i] = ((uint32_t)hash + i * ((uint32_t)(hash >> 32) | 1)) % SHEET_FILTER_BITS;
}

void filter_add(struct brain_sheet *sheet, const struct siphash_key *key, enum filter_tag tag, const struct address *a,
		const struct address *b)
{
	uint32_t bit[FILTER_PROBES];

	filter_probes(key, tag, a, b, bit);
	for (unsigned i = 0; i < FILTER_PROBES; i++)
		__atomic_fetch_or(&sheet->filter[bit[i] / 64], 1ull << bit[i] % 64, __ATOMIC_RELAXED);
}

void filter_clear(struct brain_sheet *sheet)
{
	for (size_t i = 0; i < SHEET_FILTER_BITS / 64; i++)
		__atomic_store_n(&sheet->filter[i], 0, __ATOMIC_RELAXED);
}

bool filter_has(const struct brain_sheet *sheet, const struct siphash_key *key, enum filter_tag tag,
		const struct address *a, const struct address *b)
{
	uint32_t bit[FILTER_PROBES];

	filter_probes(key, tag, a, b, bit);
	for (unsigned i = 0; i < FILTER_PROBES; i++)
		if (!(__atomic_load_n(&sheet->filter[bit[i] / 64], __ATOMIC_RELAXED) & 1ull << bit[i] % 64))
			return false;
	return true;
}

size_t wire_sheet_bytes(unsigned workers)
{
	return sizeof(struct wire_sheet) + workers * sizeof(((struct wire_sheet *)NULL)->worker[0]);
}

void wire_sheet_init(struct wire_sheet *sheet, unsigned workers, uint64_t epoch, const struct siphash_key *filter_key)
{
	sheet->magic = SHEET_MAGIC;
	sheet->version = SHEET_VERSION;
	sheet->workers = workers;
	sheet->epoch = epoch;
	sheet->filter_key = *filter_key;
}

void brain_sheet_init(struct brain_sheet *sheet)
{
	sheet->magic = SHEET_MAGIC;
	sheet->version = SHEET_VERSION;
	sheet->mode = MODE_LEARN;
}

int wire_sheet_check(const struct wire_sheet *sheet, size_t bytes)
{
	uint32_t workers;

	if (bytes < sizeof(*sheet))
		return -EPROTO;
	workers = __atomic_load_n(&sheet->workers, __ATOMIC_RELAXED); // once: the wire may change it under us
	if (sheet->magic != SHEET_MAGIC || sheet->version != SHEET_VERSION)
		return -EPROTO;
	if (workers == 0 || workers > SHEET_WORKERS || bytes != wire_sheet_bytes(workers))
		return -EPROTO;
	return 0;
}
