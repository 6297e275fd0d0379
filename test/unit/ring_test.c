// SPDX-License-Identifier: GPL-2.0-or-later
// lib/channel, ring.h: an honest peer loses nothing, a hostile one gains nothing.
#include "ring.h"
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { SLOTS = RING_MIN_SLOTS, FOREIGN = 1u << 31 };

struct ring { // slots at the heap's end: a sanitizer sees one byte beyond
	struct ring_producer_page producer;
	struct ring_consumer_page consumer;
	uint8_t *slots;
	struct ring_writer writer;
	struct ring_reader reader;
};

static void ring_setup(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->slots = aligned_alloc(RING_SLOT_BYTES, SLOTS * RING_SLOT_BYTES);
	memset(r->slots, 0, SLOTS * RING_SLOT_BYTES);
	ring_writer_init(&r->writer, &r->producer, &r->consumer, r->slots, SLOTS);
	ring_reader_init(&r->reader, &r->producer, &r->consumer, r->slots, SLOTS);
}

// A record whose bytes all follow from its number.
static uint32_t fill_record(uint8_t record[RING_RECORD_BYTES], uint32_t number)
{
	uint32_t size = 16 + number * 37 % (RING_RECORD_BYTES - 15);

	memcpy(record, &size, 4);
	for (uint32_t i = 4; i < size; i++)
		record[i] = (uint8_t)(number + i);
	memset(record + size, 0, RING_RECORD_BYTES - size);
	return size;
}

static bool push_number(struct ring *r, uint32_t number)
{
	uint8_t record[RING_RECORD_BYTES];

	fill_record(record, number);
	return ring_push(&r->writer, record);
}

static bool pop_number(struct ring *r, uint32_t number)
{
	uint8_t expected[RING_RECORD_BYTES], record[RING_RECORD_BYTES];

	fill_record(expected, number);
	return ring_pop(&r->reader, record) && memcmp(record, expected, sizeof(record)) == 0;
}

static void set_size(struct ring *r, uint32_t slot, uint32_t size)
{
	memcpy(r->slots + (slot & (SLOTS - 1)) * RING_SLOT_BYTES, &size, sizeof(size));
}

START_TEST(records_of_all_sizes_wrap_around_unharmed)
{
	struct ring r;

	ring_setup(&r);
	for (uint32_t i = 0; i < 5000; i++) {
		ck_assert(push_number(&r, i));
		ck_assert(pop_number(&r, i));
	}
	ck_assert(!ring_pop(&r.reader, (uint8_t[RING_RECORD_BYTES]){0}));
	ck_assert_uint_eq(r.reader.bad, 0);
	free(r.slots);
}
END_TEST

START_TEST(a_full_ring_refuses_and_keeps_what_it_has)
{
	uint32_t pushed = 0, popped = 0;
	struct ring r;

	ring_setup(&r);
	for (int round = 0; round < 200; round++) {
		while (push_number(&r, pushed))
			pushed++;
		ck_assert_uint_le(r.writer.head - r.consumer.tail, SLOTS);
		for (int i = 0; i < 3; i++)
			ck_assert(pop_number(&r, popped++));
	}
	while (popped < pushed)
		ck_assert(pop_number(&r, popped++));
	ck_assert_uint_eq(r.reader.bad, 0);
	free(r.slots);
}
END_TEST

START_TEST(a_record_of_impossible_size_is_never_pushed)
{
	static const uint32_t bad[] = {0, 15, RING_RECORD_BYTES + 1, 1u << 31, UINT32_MAX};
	uint8_t record[RING_RECORD_BYTES] = {0};
	struct ring r;

	ring_setup(&r);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		memcpy(record, &bad[i], 4);
		ck_assert(!ring_push(&r.writer, record));
	}
	ck_assert_uint_eq(r.producer.head, 0);
	free(r.slots);
}
END_TEST

START_TEST(indices_may_pass_the_end_of_64_bits)
{
	struct ring r;

	ring_setup(&r);
	r.producer.head = r.consumer.tail = UINT64_MAX - 40;
	ring_writer_init(&r.writer, &r.producer, &r.consumer, r.slots, SLOTS);
	ring_reader_init(&r.reader, &r.producer, &r.consumer, r.slots, SLOTS);
	for (uint32_t i = 0; i < 100; i++) {
		ck_assert(push_number(&r, i));
		ck_assert(pop_number(&r, i));
	}
	ck_assert_uint_lt(r.producer.head, 10000);
	free(r.slots);
}
END_TEST

START_TEST(both_sides_may_attach_again)
{
	struct ring r;

	ring_setup(&r);
	ck_assert(push_number(&r, 1) && push_number(&r, 2) && pop_number(&r, 1));
	ring_reader_init(&r.reader, &r.producer, &r.consumer, r.slots, SLOTS);
	ck_assert(pop_number(&r, 2));
	ring_writer_init(&r.writer, &r.producer, &r.consumer, r.slots, SLOTS);
	ck_assert(push_number(&r, 3) && pop_number(&r, 3));
	r.consumer.tail = 1u << 30; // outside the ring: begin at the next record
	ring_reader_init(&r.reader, &r.producer, &r.consumer, r.slots, SLOTS);
	ck_assert(push_number(&r, 4) && pop_number(&r, 4));
	free(r.slots);
}
END_TEST

START_TEST(a_hostile_tail_is_not_believed)
{
	static const uint64_t tails[] = {UINT64_MAX, FOREIGN, 1ull << 63, SLOTS + 1, 5};
	struct ring r;

	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		uint32_t pushed = 0;

		ring_setup(&r);
		r.consumer.tail = tails[i];
		while (pushed < 1000 && push_number(&r, pushed))
			pushed++;
		ck_assert_uint_lt(pushed, SLOTS);
		ck_assert_uint_le(r.writer.head - r.writer.tail, SLOTS);
		free(r.slots);
	}
}
END_TEST

START_TEST(a_tail_that_moves_back_is_not_believed)
{
	struct ring r;

	ring_setup(&r);
	for (uint32_t i = 0; i < 50; i++)
		ck_assert(push_number(&r, i) && pop_number(&r, i));
	while (push_number(&r, 7))
		;
	r.consumer.tail -= 10;
	ck_assert(!push_number(&r, 7));
	ck_assert_uint_le(r.writer.head - r.writer.tail, SLOTS);
	free(r.slots);
}
END_TEST

START_TEST(a_hostile_head_loses_records_and_nothing_else)
{
	static const uint64_t heads[] = {UINT64_MAX, FOREIGN, 1ull << 63, SLOTS + 1};
	uint8_t record[RING_RECORD_BYTES];
	struct ring r;

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		ring_setup(&r);
		r.producer.head = heads[i];
		ck_assert(!ring_pop(&r.reader, record));
		ck_assert_uint_eq(r.reader.bad, 1);
		ck_assert_uint_eq(r.consumer.tail, heads[i]);
		r.producer.head = 0;
		ck_assert(!ring_pop(&r.reader, record));
		ring_writer_init(&r.writer, &r.producer, &r.consumer, r.slots, SLOTS);
		ck_assert(push_number(&r, 3) && pop_number(&r, 3));
		free(r.slots);
	}
}
END_TEST

START_TEST(a_bad_record_is_counted_and_skipped)
{
	static const uint32_t sizes[] = {0, 15, RING_RECORD_BYTES + 1, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
	uint8_t small[RING_SLOT_BYTES] = {RING_SLOT_BYTES, 0, 0, 0, 9};
	uint8_t record[RING_RECORD_BYTES];
	struct ring r;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		ring_setup(&r);
		ck_assert(ring_push(&r.writer, small) && ring_push(&r.writer, small));
		set_size(&r, 0, sizes[i]);
		ck_assert(ring_pop(&r.reader, record) && record[4] == 9);
		ck_assert_uint_eq(r.reader.bad, 1);
		ck_assert(!ring_pop(&r.reader, record));
		ck_assert_uint_eq(r.reader.bad, 1);
		free(r.slots);
	}
}
END_TEST

START_TEST(a_record_may_not_reach_past_what_was_published_or_the_end)
{
	uint8_t record[RING_RECORD_BYTES];
	struct ring r;

	ring_setup(&r);
	set_size(&r, 0, RING_RECORD_BYTES);
	r.producer.head = 15; // it says 16 slots
	ck_assert(!ring_pop(&r.reader, record));
	ck_assert_uint_gt(r.reader.bad, 0);
	free(r.slots);
	ring_setup(&r);
	r.producer.head = r.consumer.tail = SLOTS - 1;
	ring_reader_init(&r.reader, &r.producer, &r.consumer, r.slots, SLOTS);
	set_size(&r, SLOTS - 1, RING_SLOT_BYTES + 1);
	r.producer.head += SLOTS;
	ck_assert(!ring_pop(&r.reader, record));
	ck_assert_uint_gt(r.reader.bad, 0);
	free(r.slots);
}
END_TEST

START_TEST(a_ring_full_of_rubbish_costs_a_bounded_look)
{
	uint8_t record[RING_RECORD_BYTES];
	struct ring r;

	ring_setup(&r);
	memset(r.slots, 0xff, SLOTS * RING_SLOT_BYTES); // padding marks everywhere
	r.producer.head = SLOTS;
	ck_assert(!ring_pop(&r.reader, record));
	ck_assert_uint_eq(r.consumer.tail, SLOTS);
	ck_assert_uint_le(r.reader.bad, 16);
	free(r.slots);
}
END_TEST

START_TEST(a_popped_record_has_the_size_that_was_checked_and_zeroes_behind)
{
	uint8_t record[RING_RECORD_BYTES];
	uint32_t size = 20;
	struct ring r;

	ring_setup(&r);
	memset(r.slots, 0xaa, SLOTS * RING_SLOT_BYTES);
	set_size(&r, 0, size);
	r.producer.head = 1;
	memset(record, 0x55, sizeof(record));
	ck_assert(ring_pop(&r.reader, record));
	ck_assert(memcmp(record, &size, 4) == 0 && record[19] == 0xaa);
	for (size_t i = size; i < sizeof(record); i++)
		ck_assert_uint_eq(record[i], 0);
	free(r.slots);
}
END_TEST

enum { THREAD_RECORDS = 20000 };

static void *push_all(void *argument)
{
	struct ring *r = argument;

	for (uint32_t i = 0; i < THREAD_RECORDS; i++)
		while (!push_number(r, i))
			sched_yield();
	return NULL;
}

START_TEST(two_threads_pass_every_record_in_order)
{
	uint8_t expected[RING_RECORD_BYTES], record[RING_RECORD_BYTES];
	pthread_t producer;
	struct ring r;

	ring_setup(&r);
	ck_assert_int_eq(pthread_create(&producer, NULL, push_all, &r), 0);
	for (uint32_t i = 0; i < THREAD_RECORDS; i++) {
		fill_record(expected, i);
		while (!ring_pop(&r.reader, record))
			sched_yield();
		ck_assert_mem_eq(record, expected, sizeof(record));
	}
	pthread_join(producer, NULL);
	ck_assert(!ring_pop(&r.reader, record));
	ck_assert_uint_eq(r.reader.bad, 0);
	free(r.slots);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");
	TCase *test = tcase_create("ring");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, records_of_all_sizes_wrap_around_unharmed);
	tcase_add_test(test, a_full_ring_refuses_and_keeps_what_it_has);
	tcase_add_test(test, a_record_of_impossible_size_is_never_pushed);
	tcase_add_test(test, indices_may_pass_the_end_of_64_bits);
	tcase_add_test(test, both_sides_may_attach_again);
	tcase_add_test(test, a_hostile_tail_is_not_believed);
	tcase_add_test(test, a_tail_that_moves_back_is_not_believed);
	tcase_add_test(test, a_hostile_head_loses_records_and_nothing_else);
	tcase_add_test(test, a_bad_record_is_counted_and_skipped);
	tcase_add_test(test, a_record_may_not_reach_past_what_was_published_or_the_end);
	tcase_add_test(test, a_ring_full_of_rubbish_costs_a_bounded_look);
	tcase_add_test(test, a_popped_record_has_the_size_that_was_checked_and_zeroes_behind);
	tcase_add_test(test, two_threads_pass_every_record_in_order);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
