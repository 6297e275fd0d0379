// SPDX-License-Identifier: GPL-2.0-or-later
// What a flood must not push out. Included by learn_test.c.
#pragma once
#include "dayset.h"

static struct address stranger(unsigned n)
{
	return address_v4((uint8_t[]){37, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

static uint64_t spread(uint64_t n)
{
	return n * 0x9e3779b97f4a7c15ull;
}

static void calls(struct learn *l, const struct address *from, const struct address *to, uint64_t now_ns)
{
	struct observation o;

	flow_open(&o, DIRECTION_OUT, from, to, 443, now_ns);
	learn_observation(l, &o);
}

START_TEST(a_device_that_floods_forgets_its_own_contacts)
{
	struct learn *l = make(8, 64);
	struct address a = inside(1), b = inside(2);
	unsigned found = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct address x = outside(i);

		recent_put_name(l, &b, &x, word("www.example.com"), START);
	}
	for (unsigned i = 0; i < 1000000; i++) {
		struct address x = stranger(i);

		recent_put_name(l, &a, &x, word("www.example.net"), START + i);
	}
	for (unsigned i = 0; i < 1000; i++) {
		struct address x = outside(i);

		found += bytes_equal_text(recent_name(l, &b, &x, START + 1000000), "example.com");
	}
	ck_assert_uint_eq(found, 1000);
	learn_destroy(l);
}
END_TEST

START_TEST(a_flood_keeps_nobody_else_from_being_learned)
{
	struct learn *l = make(8, 1 << 20);
	struct address a = inside(1), b = inside(2), x = outside(9), y;

	for (unsigned i = 0; i < 200000; i++) {
		y = stranger(i);
		calls(l, &a, &y, START + i);
	}
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_WAITING_FULL], 0);
	calls(l, &b, &x, START + 200000); // new to it
	learn_step(l, START + DAY + 200000);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START), &x, START + DAY + 200000).device_days, 1);
	learn_destroy(l);
}
END_TEST

START_TEST(what_is_known_is_counted_when_many_flood)
{
	struct learn *l = make(256, 1 << 20);
	struct address b = inside(2), x = outside(9), z = outside(8), y;

	calls(l, &b, &x, START);
	learn_step(l, START + DAY);
	for (unsigned i = 0; i < 300000; i++) {
		struct address a = inside(256 + i % 200);

		y = stranger(i);
		calls(l, &a, &y, START + 2 * DAY + i);
	}
	calls(l, &b, &x, START + 2 * DAY + 300000);
	calls(l, &b, &z, START + 2 * DAY + 300000); // new to it, as what floods: too little is learned
	learn_step(l, START + 3 * DAY + 300000);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START), &x, START + 3 * DAY + 300000).device_days, 2);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START), &z, START + 3 * DAY + 300000).device_days, 0);
	learn_step(l, START + 4 * DAY);
	calls(l, &b, &z, START + 4 * DAY); // and there is room again
	learn_step(l, START + 5 * DAY);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START), &z, START + 5 * DAY).device_days, 1);
	learn_destroy(l);
}
END_TEST

START_TEST(a_scan_does_not_hide_a_pace_that_is_followed)
{
	struct learn *l = make(8, 64);
	struct device *d = device(l, 1, START), *scanner = device(l, 2, START);
	struct beacon_result beacon = {0};
	unsigned tests = 0;

	for (unsigned call = 0; call < 40; call++) {
		uint64_t now_ns = START + call * 60 * NS_PER_S;

		tests += learn_contact(l, d, word("c2"), now_ns, &beacon);
		for (unsigned i = 0; call && i < 20000; i++) {
			struct address y = stranger(call * 20000 + i);
			struct beacon_result unused;

			learn_contact(l, scanner, bytes_of(&y, sizeof(y)), now_ns + i, &unused);
		}
	}
	ck_assert_uint_eq(tests, 3);
	ck_assert(beacon.bits > 20);
	learn_destroy(l);
}
END_TEST

START_TEST(a_set_of_a_day_empties_itself_at_midnight)
{
	struct dayset *s = dayset_create(4096), *t = dayset_create(4096);
	struct image i = {0};

	for (uint64_t key = 1; key <= 1000; key++)
		ck_assert(dayset_add(s, spread(key), 5));
	for (uint64_t key = 1; key <= 1000; key++)
		ck_assert(!dayset_add(s, spread(key), 5));
	ck_assert(dayset_add(s, spread(1), 6)); // yesterday's are gone, those of sets not looked at since included
	image_begin(&i, 1);
	image_section(&i, 1);
	dayset_put(s, &i);
	image_end(&i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	ck_assert(dayset_take(t, image_find(&i, 1)));
	ck_assert_uint_eq(image_find(&i, 1).left, 16);
	ck_assert(!dayset_add(t, spread(1), 6));
	for (uint64_t key = 2; key <= 1000; key++)
		ck_assert(dayset_add(s, spread(key), 6) && dayset_add(t, spread(key), 6));
	image_free(&i);
	dayset_destroy(s);
	dayset_destroy(t);
}
END_TEST

START_TEST(a_set_of_a_day_does_not_take_another_1024_days_later_for_it)
{
	struct dayset *s = dayset_create(4096);

	ck_assert(dayset_add(s, spread(1), 18970));
	ck_assert(dayset_add(s, spread(1), 18970 + 1024)); // a clock that leaps, or a value that seldom comes
	for (uint32_t day = 1; day <= 1024; day++)
		dayset_add(s, spread(2), 18970 + 1024 + day);
	ck_assert(dayset_add(s, spread(1), 18970 + 2048));
	ck_assert(!dayset_add(s, spread(1), 18970 + 2048));
	dayset_destroy(s);
}
END_TEST
