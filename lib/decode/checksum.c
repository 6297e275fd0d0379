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

static uint64_t add_steps(uint64_t sum, const uint8_t *at, size_t steps)
{
	lanes low[STREAMS] = {0}, high[STREAMS] = {0};

	for (size_t i = 0; i < steps; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < STREAMS; j++) {
			lanes step;

			memcpy(&step, at + i * STEP_BYTES + (size_t)j * sizeof(step), sizeof(step));
			low[j] += step & UINT32_MAX;
			high[j] += step >> 32;
		}
	}
	for (int j = 0; j < STREAMS; j++)
		for (int i = 0; i < LANES; i++)
			sum += low[j][i] + high[j][i];
	return sum;
}

uint64_t checksum_add_unturned(uint64_t sum, struct bytes b)
{
	size_t steps = b.left / STEP_BYTES;
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	if (steps)
		sum = add_steps(sum, b.at, steps);
	b = bytes_from(b, steps * STEP_BYTES);
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
