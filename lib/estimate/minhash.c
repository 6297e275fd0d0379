// SPDX-License-Identifier: GPL-2.0-or-later
// MinHash with one mixing per place.
#include "minhash.h"

#include "estimate_impl.h"

#include <string.h>

void minhash_clear(struct minhash *m)
{
	memset(m->least, 0xff, sizeof(m->least));
}

void minhash_add(struct minhash *m, uint64_t token)
{
	for (uint32_t i = 0; i < MINHASH_PLACES; i++) {
		uint32_t h = (uint32_t)(mix64(token + (i + 1) * 0x9e3779b97f4a7c15ull) >> 32);

		m->least[i] = h < m->least[i] ? h : m->least[i];
	}
}

void minhash_merge(struct minhash *into, const struct minhash *from)
{
	for (uint32_t i = 0; i < MINHASH_PLACES; i++)
		into->least[i] = from->least[i] < into->least[i] ? from->least[i] : into->least[i];
}

uint32_t minhash_common(const struct minhash *a, const struct minhash *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < MINHASH_PLACES; i++) // a place nothing was put into says nothing
		n += a->least[i] == b->least[i] && a->least[i] != UINT32_MAX;
	return n;
}
