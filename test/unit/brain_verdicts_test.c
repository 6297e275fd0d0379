// SPDX-License-Identifier: GPL-2.0-or-later
// app/brain/verdicts.c: what the brain says comes to every worker, whole and in order, however long a worker stands still.
#include "brain.h"

#include <check.h>
#include <stdlib.h>

enum { WORKERS = 2, MANY = 10000 };
static struct brain brain;
static struct wire_sheet *wire;
static struct ring_reader in[WORKERS];

static void setup(void)
{
	static const struct siphash_key key = {1, 2};

	wire = calloc(1, wire_sheet_bytes(WORKERS));
	brain = (struct brain){.wire_sheet = wire, .sheet = calloc(1, sizeof(*brain.sheet)), .workers = WORKERS};
	wire_sheet_init(wire, WORKERS, 1, &key);
	for (unsigned i = 0; i < WORKERS; i++) {
		ring_writer_init(&brain.out[i], &brain.sheet->worker[i].verdicts, &wire->worker[i].verdicts, brain.sheet->worker[i].slots, SHEET_VERDICT_SLOTS);
		ring_reader_init(&in[i], &brain.sheet->worker[i].verdicts, &wire->worker[i].verdicts, brain.sheet->worker[i].slots, SHEET_VERDICT_SLOTS);
	}
}

static void teardown(void)
{
	free(brain.waiting);
	free(brain.sheet);
	free(wire);
}

static void say(unsigned worker, enum verdict_kind kind, uint64_t id)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = (uint16_t)kind, .id = id};

	brain_say(&brain, worker, &v);
}

// Of what is there now; each must be the next one. Returns the last id.
static uint64_t hear(unsigned worker, uint64_t last)
{
	uint8_t record[RING_RECORD_BYTES];
	struct verdict v;

	while (ring_pop(&in[worker], record)) {
		memcpy(&v, record, sizeof(v));
		ck_assert_uint_eq(v.id, last + 1);
		last = v.id;
	}
	return last;
}

START_TEST(a_new_brain_says_all_its_blocks_to_workers_that_stand_still)
{
	uint64_t heard[WORKERS] = {0};

	for (uint64_t id = 1; id <= MANY; id++)
		say(SHEET_WORKERS, VERDICT_BLOCK, id);
	say(SHEET_WORKERS, VERDICT_UNBLOCK, MANY + 1);
	for (unsigned i = 0; i < 10; i++) { // the second one is the slower
		heard[0] = hear(0, heard[0]);
		if (i % 2)
			heard[1] = hear(1, heard[1]);
		brain_say_waiting(&brain);
		if (i == 3)
			say(SHEET_WORKERS, VERDICT_BLOCK, MANY + 2);
	}
	for (unsigned i = 0; i < 10; i++) {
		heard[1] = hear(1, heard[1]);
		brain_say_waiting(&brain);
	}
	ck_assert_uint_eq(hear(0, heard[0]), MANY + 2);
	ck_assert_uint_eq(hear(1, heard[1]), MANY + 2);
	ck_assert_uint_eq(brain.counters.value[COUNT_BRAIN_VERDICTS_LOST], 0);
	ck_assert_uint_eq(brain.waitings, 0);
	say(1, VERDICT_CUT, MANY + 3);
	ck_assert_uint_eq(hear(0, MANY + 2), MANY + 2);
	ck_assert_uint_eq(hear(1, MANY + 2), MANY + 3);
}
END_TEST

START_TEST(what_comes_too_late_and_what_is_too_much_is_lost_and_counted)
{
	uint64_t taken = SHEET_VERDICT_SLOTS * RING_SLOT_BYTES / sizeof(struct verdict);

	for (uint64_t id = 1; id <= taken; id++)
		say(0, VERDICT_BLOCK, id);
	say(0, VERDICT_RELEASE, 0);
	ck_assert_uint_eq(brain.counters.value[COUNT_BRAIN_VERDICTS_LOST], 1);
	for (uint64_t id = 1; id <= BRAIN_WAITING + 5; id++)
		say(0, VERDICT_BLOCK, taken + id);
	ck_assert_uint_eq(brain.counters.value[COUNT_BRAIN_VERDICTS_LOST], 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("brain_verdicts");
	TCase *t = tcase_create("verdicts");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_new_brain_says_all_its_blocks_to_workers_that_stand_still);
	tcase_add_test(t, what_comes_too_late_and_what_is_too_much_is_lost_and_counted);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
