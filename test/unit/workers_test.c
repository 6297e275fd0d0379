// SPDX-License-Identifier: GPL-2.0-or-later
// Frames are dealt out to workers by their addresses: both directions and all fragments alike, evenly, and hostile frames somewhere.
#include <check.h>
#include <stdlib.h>
#include "distribute.h"
#include "wire_draft.h"

static const struct siphash_key key = {5, 6};

static unsigned worker_of(struct bytes frame, unsigned workers)
{
	unsigned w = distribute_worker_of(&key, frame, workers);

	ck_assert_uint_lt(w, workers);
	return w;
}

// An Ethernet frame with `tags` VLAN tags between two IPv4 or IPv6 hosts; only what counts here is filled in.
static struct bytes frame_of(uint8_t out[128], unsigned tags, bool v6, uint8_t from, uint8_t to, uint8_t other)
{
	size_t at = 12;

	memset(out, other, 128);
	for (unsigned i = 0; i < tags; i++, at += 4)
		wire_be16(out + at, 0x8100);
	wire_be16(out + at, v6 ? 0x86dd : 0x0800);
	at += 2 + (v6 ? 8 : 12);
	memset(out + at, from, v6 ? 16 : 4);
	memset(out + at + (v6 ? 16 : 4), to, v6 ? 16 : 4);
	return bytes_of(out, 128);
}

START_TEST(both_directions_and_all_else_in_the_frame_give_one_worker)
{
	uint8_t a[128], b[128];

	for (unsigned tags = 0; tags <= 3; tags++)
		for (int v6 = 0; v6 < 2; v6++)
			for (unsigned n = 1; n < 200; n++)
				ck_assert_uint_eq(worker_of(frame_of(a, tags, v6, (uint8_t)n, 9, 1), 7),
						  worker_of(frame_of(b, 0, v6, 9, (uint8_t)n, 77), 7));
}
END_TEST

START_TEST(pairs_are_spread_evenly)
{
	unsigned got[5] = {0};
	uint8_t a[128];

	for (unsigned n = 0; n < 250; n++)
		for (unsigned m = 0; m < 40; m++)
			got[worker_of(frame_of(a, 0, false, (uint8_t)n, (uint8_t)(m + 1), 0), 5)]++;
	for (unsigned w = 0; w < 5; w++)
		ck_assert(got[w] > 1700 && got[w] < 2300);
}
END_TEST

START_TEST(frames_cut_anywhere_go_somewhere)
{
	uint8_t a[128];

	for (unsigned tags = 0; tags <= 4; tags++)
		for (size_t n = 0; n < 128; n++) {
			uint8_t *exact = malloc(n ? n : 1); // so that a sanitizer sees a read past the end

			memcpy(exact, frame_of(a, tags, tags & 1, 1, 2, 3).at, n);
			worker_of(bytes_of(exact, n), 16);
			free(exact);
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers");
	TCase *t = tcase_create("hash");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(t, both_directions_and_all_else_in_the_frame_give_one_worker);
	tcase_add_test(t, pairs_are_spread_evenly);
	tcase_add_test(t, frames_cut_anywhere_go_somewhere);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
