// SPDX-License-Identifier: GPL-2.0-or-later
// A full table of devices: who was silent for long makes room. Included by learn_test.c.
#pragma once

static void seen_on(struct learn *l, unsigned n, unsigned first_day, unsigned days)
{
	for (unsigned day = first_day; day < first_day + days; day++) {
		struct device *d = device(l, n, START + day * DAY);

		learn_touch(l, d, START + day * DAY);
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START + day * DAY);
	}
}

START_TEST(who_was_silent_for_long_makes_room_and_sooner_who_was_there_for_a_day)
{
	struct learn *l = make(3, 512);
	struct address a = inside(1), b = inside(2);
	struct device *d;

	seen_on(l, 1, 0, 1);
	seen_on(l, 2, 0, 3);
	seen_on(l, 3, 0, 14);
	ck_assert_ptr_null(learn_device_find_or_add(l, &(struct address){4, {0}, {10, 1, 0, 1}}, START + 8 * DAY - 1));
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DEVICES_FORGOTTEN], 0);
	d = device(l, 4, START + 8 * DAY);
	ck_assert_uint_eq(d->index, 0);
	ck_assert_ptr_null(learn_device_find(l, &a));
	ck_assert_uint_eq(counts_of(l, d, "x", START + 8 * DAY).device_first_ns, 0);
	learn_step(l, START + 9 * DAY);
	learn_step(l, START + 10 * DAY); // the sweep has been round
	ck_assert_uint_eq(counts_of(l, d, "x", START + 10 * DAY).org, 2);
	ck_assert_uint_eq(counts_of(l, d, "x", START + 10 * DAY).org_total, 2);
	ck_assert_uint_eq(learn_group_members(l, ROLE_CLIENT), 3);
	ck_assert_ptr_null(learn_device_find_or_add(l, &(struct address){4, {0}, {10, 1, 0, 1}}, START + 14 * DAY - 1));
	ck_assert_uint_eq(device(l, 5, START + 14 * DAY)->index, 1); // there on three days: twelve days later
	ck_assert_ptr_null(learn_device_find(l, &b));
	learn_touch(l, device(l, 4, START + 33 * DAY), START + 33 * DAY);
	learn_touch(l, device(l, 5, START + 33 * DAY), START + 33 * DAY);
	ck_assert_ptr_null(learn_device_find_or_add(l, &(struct address){4, {0}, {10, 1, 0, 1}}, START + 41 * DAY - 1));
	ck_assert_uint_eq(device(l, 6, START + 41 * DAY)->index, 0); // and on fourteen: as long as the window, 28
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DEVICES_FORGOTTEN], 3);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DEVICES_FULL], 3);
	learn_destroy(l);
}
END_TEST

START_TEST(nobody_makes_room_while_there_is_any)
{
	struct learn *l = make(2, 64);

	device(l, 1, START);
	ck_assert_uint_eq(device(l, 2, START + 100 * DAY)->index, 1);
	ck_assert_uint_eq(device(l, 1, START + 100 * DAY)->index, 0);
	learn_destroy(l);
}
END_TEST

static unsigned forgotten[8], forgotten_count;

static void on_forget(void *user, uint32_t index)
{
	ck_assert_ptr_eq(user, forgotten);
	forgotten[forgotten_count++] = index;
}

START_TEST(what_waits_is_learned_before_its_device_is_forgotten_and_that_is_told)
{
	struct learn *l = make(1, 4096);
	struct address a = inside(1), b = inside(2), x = outside(9);
	struct observation o;
	struct image i;

	forgotten_count = 0;
	learn_on_forget(l, on_forget, forgotten);
	flow_open(&o, DIRECTION_OUT, &a, &x, 443, START);
	learn_observation(l, &o);
	ck_assert_ptr_null(learn_device_find_or_add(l, &b, START + 20 * DAY)); // nothing was learned for twenty days
	learn_step(l, START + 20 * DAY);
	ck_assert_ptr_nonnull(learn_device_find_or_add(l, &b, START + 20 * DAY));
	ck_assert_uint_eq(forgotten_count, 1);
	ck_assert_uint_eq(forgotten[0], 0);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START + 20 * DAY), &x, START + 20 * DAY).device_first_ns, 0);
	image_begin(&i, LEARN_IMAGE_VERSION);
	learn_put(l, &i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	ck_assert_int_eq(learn_take(l, &i), 0);
	device(l, 1, START + 40 * DAY);
	ck_assert_uint_eq(forgotten_count, 2); // who asked to be told is told after a load, too
	image_free(&i);
	learn_destroy(l);
}
END_TEST

START_TEST(a_forgotten_device_s_group_and_numbers_are_not_its_successor_s)
{
	struct learn *l = make(6, 1 << 14);
	const uint64_t later = START + 50 * DAY;
	uint32_t count = 0, usual = 0, told = 0;
	char name[32];

	for (unsigned day = 0; day < 12; day++) {
		for (unsigned n = 0; n < 6; n++) {
			struct device *d = device(l, n, START + day * DAY);

			for (unsigned v = 0; v < 12; v++) {
				snprintf(name, sizeof(name), "agent-%u", v);
				learn_see(l, d, FEATURE_AGENT_FAMILY, NOVELTY_KNOWN, word(name), START + day * DAY);
			}
			learn_touch(l, d, START + day * DAY);
		}
		learn_step(l, START + day * DAY + DAY / 2);
	}
	for (unsigned place = 0; place < 250; place++)
		learn_fan_out(l, device(l, 0, START), FAN_INSIDE, bytes_of(&place, sizeof(place)), START + 12 * DAY, &count, &usual);
	ck_assert_uint_eq(learn_group_members(l, device(l, 0, START)->group), 6);
	ck_assert_uint_eq(device(l, 9, later)->index, 0);
	for (unsigned place = 0; place < 20; place++)
		told += learn_fan_out(l, device(l, 9, later), FAN_INSIDE, bytes_of(&place, sizeof(place)), later, &count, &usual);
	ck_assert_uint_ge(told, 1); // far below what the other's hours were
	learn_step(l, later);
	ck_assert_uint_eq(device(l, 9, later)->group, ROLE_CLIENT);
	ck_assert_uint_eq(learn_group_members(l, device(l, 1, START)->group), 5);
	learn_destroy(l);
}
END_TEST

// Addresses that change each day: a table of 300 for 30 hosts. All are found, nobody else is, and a restart changes nothing.
START_TEST(a_year_of_addresses_that_change_daily_is_learned)
{
	enum { HOSTS = 30, SERVERS_ = 20, ROOM = 300 };
	struct learn *l = make(ROOM, 1 << 14), *again = make(ROOM, 1 << 14);
	struct image i;

	for (unsigned day = 0; day < 365; day++) {
		uint64_t now = START + day * DAY;

		for (unsigned n = 0; n < HOSTS + SERVERS_; n++) {
			unsigned name = n < SERVERS_ ? n : 1000 + day * HOSTS + n;
			struct address a = inside(name), x = outside(n % 5);
			struct observation o;

			flow_open(&o, DIRECTION_OUT, &a, &x, 443, now + n);
			learn_observation(l, &o);
			ck_assert_ptr_eq(learn_device_find(l, &a), learn_device_at(l, device(l, name, now)->index));
		}
		learn_step(l, now + DAY / 2);
		for (unsigned n = 0; n < learn_device_count(l); n++)
			ck_assert_uint_eq(learn_device_find(l, &learn_device_at(l, n)->address)->index, n);
	}
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DEVICES_FULL], 0);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_COUNTS_FULL], 0);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_DEVICES_FORGOTTEN], 365 * HOSTS - ROOM);
	for (unsigned n = 0; n < 5; n++) {
		struct address x = outside(n);

		// Of 300 places 280 are theirs, a fifth each; four servers go there, too.
		ck_assert_uint_le(endpoint_counts(l, device(l, 0, START), &x, START + 365 * DAY).org, ROOM / 5);
		ck_assert_uint_ge(endpoint_counts(l, device(l, 0, START), &x, START + 365 * DAY).org, 30);
	}
	image_begin(&i, LEARN_IMAGE_VERSION);
	learn_put(l, &i);
	ck_assert_ptr_nonnull(image_room(&i, 32)); // where a written one has its hash
	ck_assert_int_eq(learn_take(again, &i), 0);
	for (unsigned day = 365; day < 367; day++) { // a round of the sweep brings all to one day
		learn_step(l, START + day * DAY);
		learn_step(again, START + day * DAY);
	}
	for (unsigned n = 0; n < ROOM; n++) {
		struct address x = outside(n % 5);
		struct counts before = endpoint_counts(l, learn_device_at(l, n), &x, START + 366 * DAY),
			      after = endpoint_counts(again, learn_device_at(again, n), &x, START + 366 * DAY);

		ck_assert_mem_eq(&before, &after, sizeof(before));
	}
	image_free(&i);
	learn_destroy(again);
	learn_destroy(l);
}
END_TEST

static void add_forget(TCase *cases)
{
	tcase_add_test(cases, who_was_silent_for_long_makes_room_and_sooner_who_was_there_for_a_day);
	tcase_add_test(cases, nobody_makes_room_while_there_is_any);
	tcase_add_test(cases, what_waits_is_learned_before_its_device_is_forgotten_and_that_is_told);
	tcase_add_test(cases, a_forgotten_device_s_group_and_numbers_are_not_its_successor_s);
	tcase_add_test(cases, a_year_of_addresses_that_change_daily_is_learned);
}
