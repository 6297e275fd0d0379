// SPDX-License-Identifier: GPL-2.0-or-later
// RFC 1071 sums. The order of bytes in a word does not matter (§2 B), nor that of words: 64 bytes at a time as they lie, their low and
// high halves added to lanes of 64 bits, which no frame can overflow. GCC's vectors are plain C on machines that have none; they are
// as wide as the registers this is compiled for.
#include "checksum.h"

#ifdef __AVX2__
enum { LANES = 4, STREAMS = 2 };
#else
enum { LANES = 2, STREAMS = 4 };
#endif
typedef uint64_t lanes __attribute__((vector_size(LANES * 8)));
enum { STEP_BYTES = STREAMS * sizeof(lanes) };

// A step that would reach beyond the end is taken back from there, without what was added before it: bytes from the middle of this on are kept.
static const uint8_t kept[2 * STEP_BYTES] = {
#define EIGHT 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	[STEP_BYTES] = EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT,
#undef EIGHT
};
_Static_assert(STEP_BYTES == 8 * 8, "ones for a whole step");

static inline lanes load(const uint8_t *at, int stream)
{
	lanes v;

	memcpy(&v, at + (size_t)stream * sizeof(v), sizeof(v));
	return v;
}

// At least a step's bytes, without a branch on how many they are beyond whole steps.
static uint64_t add_steps(const uint8_t *at, size_t bytes)
{
	const uint8_t *end = at + bytes, *mask = kept + bytes % STEP_BYTES;
	int odd = bytes % 2 * 8; // the step from the end has its words' bytes the other way round (§2 B)
	lanes low[STREAMS], high[STREAMS], sum = {0};
	uint64_t out = 0;

	for (int j = 0; j < STREAMS; j++) {
		lanes last = load(end - STEP_BYTES, j) & load(mask, j);

		low[j] = (last & UINT32_MAX) << odd;
		high[j] = last >> 32 << odd;
	}
	for (; (size_t)(end - at) >= STEP_BYTES; at += STEP_BYTES) {
#pragma GCC unroll 4
		for (int j = 0; j < STREAMS; j++) {
			lanes step = load(at, j);

			low[j] += step & UINT32_MAX;
			high[j] += step >> 32;
		}
	}
	for (int j = 0; j < STREAMS; j++)
		sum += low[j] + high[j];
	for (int i = 0; i < LANES; i++)
		out += sum[i];
	return out;
}

static uint64_t add_few(uint64_t sum, struct bytes b)
{
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	for (; b.left >= 8; bytes_skip(&b, 8)) {
		memcpy(&eight, b.at, 8);
		sum += (eight & UINT32_MAX) + (eight >> 32);
	}
	if (b.left >= 4) {
		memcpy(&four, b.at, 4);
		sum += four;
		bytes_skip(&b, 4);
	}
	if (b.left >= 2) {
		memcpy(&two, b.at, 2);
		sum += two;
		bytes_skip(&b, 2);
	}
	if (b.left) { // the missing half of the last word is 0
		two = 0;
		memcpy(&two, b.at, 1);
		sum += two;
	}
	return sum;
}

uint64_t checksum_add_unturned(uint64_t sum, struct bytes b)
{
	return b.left < STEP_BYTES ? add_few(sum, b) : sum + add_steps(b.at, b.left);
}

uint64_t checksum_add(uint64_t sum, struct bytes b)
{
	uint16_t folded = (uint16_t)~checksum_fold(checksum_add_unturned(0, b));
	uint8_t pair[2];

	memcpy(pair, &folded, sizeof(pair));
	return sum + ((uint64_t)pair[0] << 8 | pair[1]);
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
