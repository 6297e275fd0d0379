// SPDX-License-Identifier: GPL-2.0-or-later
// See nh.h. The result does not depend on which of the two block functions is built in. Any thread.
#include "nh.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { STEP_BYTES = 32 };

void nh_key_init(struct nh_key *k, const struct siphash_key *from)
{
	k->finish = *from;
	for (size_t i = 0; i < sizeof(k->word) / sizeof(k->word[0]); i++) {
		uint64_t counter = i;

		k->word[i] = (uint32_t)siphash24(from, &counter, sizeof(counter));
	}
}

#ifdef __SSE2__
static __m128i products(const uint8_t *data, const uint32_t *key)
{
	__m128i sum = _mm_add_epi32(_mm_loadu_si128((const __m128i *)data), _mm_loadu_si128((const __m128i *)key));

	return _mm_mul_epu32(sum, _mm_srli_epi64(sum, 32));
}

// `n` is a multiple of STEP_BYTES.
static uint64_t whole_steps(const uint32_t *key, const uint8_t *data, size_t n)
{
	__m128i even = _mm_setzero_si128(), odd = even;
	uint64_t half[2];

	for (size_t i = 0; i < n; i += STEP_BYTES) {
		even = _mm_add_epi64(even, products(data + i, key + i / 4));
		odd = _mm_add_epi64(odd, products(data + i + 16, key + i / 4 + 4));
	}
	_mm_storeu_si128((__m128i *)half, _mm_add_epi64(even, odd));
	return half[0] + half[1];
}
#else
static uint32_t read_le32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint64_t whole_steps(const uint32_t *key, const uint8_t *data, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i += 8)
		sum += (uint64_t)(read_le32(data + i) + key[i / 4]) * (read_le32(data + i + 4) + key[i / 4 + 1]);
	return sum;
}
#endif

// The last step is filled with zeroes: the length goes into the end of the hash.
static uint64_t block(const struct nh_key *k, const uint8_t *data, size_t n)
{
	size_t whole = n & ~(size_t)(STEP_BYTES - 1);
	uint64_t sum = whole_steps(k->word, data, whole);
	uint8_t rest[STEP_BYTES] = {0};

	if (whole == n)
		return sum;
	memcpy(rest, data + whole, n - whole);
	return sum + whole_steps(k->word + whole / 4, rest, STEP_BYTES);
}

uint64_t nh_hash(const struct nh_key *k, const void *data, size_t n)
{
	uint64_t sums[NH_MOST_BYTES / NH_BLOCK_BYTES + 1];
	const uint8_t *at = data;
	size_t blocks = 0;

	if (n <= NH_SHORT_BYTES)
		return siphash13(&k->finish, data, n);
	if (n > NH_MOST_BYTES)
		n = NH_MOST_BYTES;
	for (size_t done = 0; done < n; done += NH_BLOCK_BYTES)
		sums[blocks++] = block(k, at + done, n - done < NH_BLOCK_BYTES ? n - done : NH_BLOCK_BYTES);
	sums[blocks++] = n;
	return siphash13(&k->finish, sums, blocks * sizeof(sums[0]));
}
