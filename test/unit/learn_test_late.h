// SPDX-License-Identifier: GPL-2.0-or-later
// What is learned late, what never is, groups, destinations, roll-outs, numbers. Included by learn_test.c.
#pragma once

START_TEST(what_an_observation_teaches_waits_a_day)
{
	struct learn *l = make(8, 4096);
	struct address a = inside(1), x = outside(9);
	struct device *d = device(l, 1, START);
	struct observation o;

	flow_open(&o, DIRECTION_OUT, &a, &x, 443, START + 5);
	learn_observation(l, &o);
	learn_step(l, START + DAY);
	ck_assert_uint_eq(endpoint_counts(l, d, &x, START + DAY).device_days, 0);
	learn_step(l, START + DAY + 5);
	ck_assert_uint_eq(endpoint_counts(l, d, &x, START + DAY + 5).device_days, 1);
	ck_assert_uint_eq(endpoint_counts(l, d, &x, START + DAY + 5).device_first_ns, START); // its own day
	learn_destroy(l);
}
END_TEST

START_TEST(what_a_device_did_before_it_alarmed_is_not_learned)
{
	struct learn *l = make(8, 4096);
	struct address a = inside(1), b = inside(2), x = outside(9), y = outside(8);
	struct observation o;

	flow_open(&o, DIRECTION_OUT, &a, &x, 443, START);
	learn_observation(l, &o);
	o.client = b;
	learn_observation(l, &o);
	learn_discard(l, device(l, 1, START), START + DAY / 2);
	flow_open(&o, DIRECTION_OUT, &a, &y, 443, START + DAY / 2 + 1);
	learn_observation(l, &o);
	learn_step(l, START + 2 * DAY);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 1, START), &x, START + 2 * DAY).device_days, 0);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 2, START), &x, START + 2 * DAY).device_days, 1);
	ck_assert_uint_eq(endpoint_counts(l, device(l, 1, START), &y, START + 2 * DAY).device_days, 1);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_DISCARDED], 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_device_s_normal_moves_only_so_far_a_day)
{
	struct learn *l = make(8, 1 << 14);
	struct device *d = device(l, 1, START);
	unsigned learned = 0;
	char name[16];

	const uint64_t today = START + LEARN_DRIFT_DAYS * DAY;

	for (unsigned day = 0; day < LEARN_DRIFT_DAYS; day++) // ten new ones a day are usual
		for (unsigned i = 0; i < 10; i++) {
			snprintf(name, sizeof(name), "u%u", day * 10 + i);
			learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word(name), START + day * DAY);
		}
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word(name), today);
	}
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		learned += counts_of(l, d, name, today).device_days;
	}
	ck_assert_uint_ge(learned, LEARN_DRIFT + 3 * 5);
	ck_assert_uint_le(learned, LEARN_DRIFT + 3 * 10);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DRIFT_REFUSED], 500 - learned);
	learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word("v499"), today + DAY); // tomorrow is another day
	ck_assert_uint_eq(counts_of(l, d, "v499", today + DAY).device_days, 1);
	learn_destroy(l);
}
END_TEST

START_TEST(a_midnight_out_of_order_is_one_day_of_what_is_new)
{
	struct learn *l = make(8, 1 << 14);
	struct device *d = device(l, 1, START);
	const uint64_t midnight = START + (LEARN_DRIFT_DAYS + 1) * DAY;
	unsigned learned = 0;
	char name[16];

	for (unsigned day = 0; day <= LEARN_DRIFT_DAYS; day++) {
		snprintf(name, sizeof(name), "u%u", day);
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word(name), START + day * DAY);
	}
	for (unsigned i = 0; i < 1000; i++) { // by turns from a worker that is a little ahead and one that is behind
		snprintf(name, sizeof(name), "v%u", i);
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word(name), midnight + i - (i / 50 % 2 ? NS_PER_S : 0));
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		learned += counts_of(l, d, name, midnight + DAY).device_days;
	}
	ck_assert_uint_le(learned, 2 * (LEARN_DRIFT + 3));
	learn_destroy(l);
}
END_TEST

START_TEST(a_device_that_shows_nothing_new_for_weeks_has_its_first_days_behind_it)
{
	struct learn *l = make(8, 1 << 14);
	struct device *d = device(l, 1, START);
	const uint64_t today = START + 30 * DAY;
	unsigned learned = 0;
	char name[16];

	for (unsigned day = 0; day < 30; day++)
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word("backup.example.org"), START + day * DAY);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, word(name), today);
		learned += counts_of(l, d, name, today).device_days;
	}
	ck_assert_uint_le(learned, LEARN_DRIFT + 3);
	learn_destroy(l);
}
END_TEST

START_TEST(devices_that_behave_alike_become_a_group)
{
	struct learn *l = make(32, 1 << 14);
	char name[32];

	for (unsigned day = 0; day < 12; day++) {
		for (unsigned n = 0; n < 12; n++) {
			struct device *d = device(l, n, START + day * DAY);

			for (unsigned v = 0; v < 12; v++) {
				snprintf(name, sizeof(name), "%s-agent-%u", n < 6 ? "a" : "b", v);
				learn_see(l, d, FEATURE_AGENT_FAMILY, NOVELTY_KNOWN, word(name), START + day * DAY);
			}
			learn_touch(l, d, START + day * DAY);
		}
		learn_step(l, START + day * DAY + DAY / 2);
	}
	for (unsigned n = 1; n < 6; n++) {
		ck_assert_uint_eq(device(l, n, START)->group, device(l, 0, START)->group);
		ck_assert_uint_eq(device(l, n + 6, START)->group, device(l, 6, START)->group);
	}
	ck_assert_uint_ne(device(l, 0, START)->group, device(l, 6, START)->group);
	ck_assert_int_eq(strncmp(learn_group_name(l, device(l, 0, START)->group), "group-", 6), 0);
	ck_assert_uint_eq(learn_group_members(l, device(l, 0, START)->group), 6);
	ck_assert_uint_gt(device(l, 0, START)->group_ns, 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_group_follows_its_devices_work)
{
	struct learn *l = make(8, 1 << 14);
	char name[32], first[32] = "";

	for (unsigned day = 0; day < 120; day++) {
		for (unsigned n = 0; n < 5; n++) {
			struct device *d = device(l, n, START + day * DAY);

			for (unsigned v = 0; v < 40; v++) { // a new one every other day
				snprintf(name, sizeof(name), "agent-%u", day / 2 + v);
				learn_see(l, d, FEATURE_AGENT_FAMILY, NOVELTY_KNOWN, word(name), START + day * DAY);
			}
			learn_touch(l, d, START + day * DAY);
		}
		learn_step(l, START + day * DAY + DAY / 2);
		if (day == 10)
			snprintf(first, sizeof(first), "%s", learn_group_name(l, device(l, 0, START)->group));
		for (unsigned n = 0; day > 10 && n < 5; n++)
			ck_assert_str_eq(learn_group_name(l, device(l, n, START)->group), first);
	}
	ck_assert_int_eq(strncmp(first, "group-", 6), 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_domain_is_what_somebody_registers)
{
	static const char *const names[][2] = {{"a.b.example.com", "example.com"},  {"example.com", "example.com"},
					       {"www.example.co.jp", "example.co.jp"}, {"localhost", "localhost"},
					       {"x.example.info", "example.info"},     {"a.b.c.ac.uk", "c.ac.uk"},
					       {"cdn.io.example.de", "example.de"},    {"", ""}};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(bytes_equal_text(learn_domain(word(names[i][0])), names[i][1]), "%s", names[i][0]);
}
END_TEST

START_TEST(a_long_name_belongs_to_whom_its_end_says)
{
	static const char *const names[] = {"update.example.com.evil.test", "example.com:.evil.test", "example.com:80.evil.test",
					    "evil.test:8080", "evil.test.:80", "x.evil.test."};
	struct learn *l = make(8, 4096);
	struct address a = inside(1), x = outside(9);
	uint8_t room[LEARN_VALUE_BYTES];
	char name[200];

	memset(name, 'a', sizeof(name)); // labels before it fill what is kept of a name's beginning
	for (unsigned i = 0; i < 4; i++)
		name[i * 28 + 27] = '.';
	snprintf(name + LEARN_VALUE_BYTES - strlen(".example.com"), 40, ".example.com.evil.test");
	recent_put_name(l, &a, &x, word(name), START);
	ck_assert(bytes_equal_text(recent_name(l, &a, &x, START + 1), "evil.test"));
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		recent_put_name(l, &a, &x, word(names[i]), START);
		ck_assert_msg(bytes_equal_text(recent_name(l, &a, &x, START + 1), "evil.test"), "%s", names[i]);
	}
	ck_assert_uint_eq(learn_host(word("WWW.Example.com.:443"), room), strlen("www.example.com"));
	ck_assert_mem_eq(room, "www.example.com", strlen("www.example.com"));
	ck_assert_uint_eq(learn_host(word(""), room), 0);
	ck_assert_uint_eq(learn_host(word("."), room), 0);
	ck_assert_uint_eq(learn_host(word(":443"), room), 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_destination_is_its_name_where_dns_gave_one)
{
	struct learn *l = make(8, 4096);
	struct address a = inside(1), x = outside(9), y = outside(8);
	uint8_t room[LEARN_VALUE_BYTES];
	struct observation o;
	struct bytes value;

	recent_put_name(l, &a, &x, word("cdn7.Example.com"), START);
	flow_open(&o, DIRECTION_OUT, &a, &x, 443, START + 5);
	ck_assert(learn_value(l, &o, FEATURE_DESTINATION, room, &value));
	ck_assert(bytes_equal_text(value, "example.com"));
	ck_assert_int_eq(learn_novelty(l, device(l, 1, START), &o), NOVELTY_NEW);
	learn_observation(l, &o);
	learn_step(l, START + 2 * DAY);
	recent_put_name(l, &a, &y, word("cdn9.example.com"), START + 2 * DAY); // another address of that name
	flow_open(&o, DIRECTION_OUT, &a, &y, 443, START + 2 * DAY);
	ck_assert_int_eq(learn_novelty(l, device(l, 1, START), &o), NOVELTY_KNOWN);
	o.time_ns += RECENT_NAME_NS; // nobody knows that any more
	ck_assert(learn_value(l, &o, FEATURE_DESTINATION, room, &value));
	ck_assert_uint_eq(value.left, sizeof(struct address));
	learn_destroy(l);
}
END_TEST

START_TEST(what_was_dated_ahead_is_not_recent_for_ever)
{
	const uint64_t ahead = START + 100 * DAY;
	struct learn *l = make(8, 4096);
	struct address a = inside(1), x = outside(9);
	struct device *d = device(l, 1, START);
	uint64_t sum[VOLUME_WINDOWS];

	recent_put(l, RECENT_INBOUND, &a, &x, ahead);
	recent_put_name(l, &a, &x, word("cdn.example.com"), ahead);
	learn_bytes_out(l, d, word("example.com"), 1 << 20, ahead, sum);
	learn_clock_back(l, START);
	ck_assert_uint_eq(recent_get(l, RECENT_INBOUND, &a, &x), START);
	ck_assert_uint_gt(recent_name(l, &a, &x, START + RECENT_NAME_NS - 1).left, 0);
	ck_assert_uint_eq(recent_name(l, &a, &x, START + RECENT_NAME_NS).left, 0);
	for (unsigned hour = 0; hour < 48; hour++)
		learn_bytes_out(l, d, word("example.com"), 1 << 20, START + hour * 3600 * NS_PER_S, sum);
	ck_assert_uint_le(sum[VOLUME_HOUR], 2 << 20); // and not all of two days
	ck_assert_uint_le(sum[VOLUME_DAY], 25 << 20);
	learn_destroy(l);
}
END_TEST

START_TEST(adopters_are_told_apart_and_forgotten_after_two_days)
{
	struct learn *l = make(32, 4096);

	for (unsigned n = 0; n < 12; n++)
		for (unsigned again = 0; again < 3; again++)
			ck_assert_uint_eq(learn_adopt(l, device(l, n, START), FEATURE_AGENT, word("x/2"), START + n), n + 1);
	ck_assert_uint_eq(learn_adopt(l, device(l, 1, START), FEATURE_AGENT, word("y/1"), START), 1);
	ck_assert_uint_eq(learn_adopt(l, device(l, 1, START), FEATURE_AGENT, word("x/2"), START + 3 * DAY), 1);
	learn_destroy(l);
}
END_TEST

START_TEST(numbers_are_told_at_doublings_beyond_what_is_usual)
{
	struct learn *l = make(8, 4096);
	struct device *d = device(l, 1, START);
	struct beacon_result beacon;
	uint32_t count = 0, usual = 0, told = 0;
	unsigned tests = 0;

	for (unsigned hour = 0; hour < 3; hour++)
		for (unsigned place = 0; place < (hour < 2 ? 12u : 60u); place++) {
			uint8_t key[2] = {(uint8_t)place, 1};

			told += learn_fan_out(l, d, FAN_INSIDE, bytes_of(key, 2), START + hour * DAY / 24, &count, &usual) &&
				hour > 0;
		}
	ck_assert_uint_ge(usual, 10); // of the two ordinary hours
	ck_assert_uint_le(usual, 14);
	ck_assert_uint_ge(told, 1); // in the third only
	ck_assert_uint_le(told, 4);
	ck_assert_uint_gt(count, 2 * usual);
	for (unsigned call = 0; call < 40; call++)
		if (learn_contact(l, d, word("c2"), START + call * 60 * NS_PER_S, &beacon))
			tests++;
	ck_assert_uint_eq(tests, 3); // 8, 16, 32
	ck_assert(beacon.bits > 20);
	learn_destroy(l);
}
END_TEST

// Whether it was told, of one more place.
static bool visits(struct learn *l, struct device *d, unsigned place, uint64_t now_ns)
{
	uint8_t value[4] = {(uint8_t)place, (uint8_t)(place >> 8)};
	uint32_t count, usual;

	return learn_fan_out(l, d, FAN_OUTSIDE, bytes_of(value, sizeof(value)), now_ns, &count, &usual);
}

START_TEST(an_hour_s_end_out_of_order_forgets_nothing_of_fan_out)
{
	struct learn *l = make(8, 4096);
	struct device *d = device(l, 1, START);
	const uint64_t hour = 3600 * NS_PER_S, end = START + 2 * hour;
	unsigned told = 0;

	for (unsigned i = 0; i < 200; i++) // so many places an hour are usual
		visits(l, d, i, START);
	for (unsigned i = 0; i < 400; i++) // the same ones, by turns from a worker that is behind and one that is ahead
		told += visits(l, d, i % 50, end + i - (i & 1 ? NS_PER_S : 0));
	for (unsigned i = 0; i < 120; i++)
		told += visits(l, d, i, end + hour);
	ck_assert_uint_eq(told, 0);
	learn_clock_back(l, START - 5 * DAY); // and hours go on from there
	for (unsigned i = 0; i < 3000; i++)
		told += visits(l, d, i, START - 5 * DAY + i / 100 * hour);
	ck_assert_uint_eq(told, 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_device_is_ready_after_a_week_with_its_weekend)
{
	struct learn *l = make(8, 4096);
	struct device *d = device(l, 1, START);

	ck_assert_uint_eq(learn_ready_percent(l, d, START), 0);
	for (unsigned day = 0; day < 10; day++) {
		learn_see(l, d, FEATURE_DESTINATION, NOVELTY_KNOWN, word("example.com"), START + day * DAY);
		learn_see(l, d, FEATURE_DESTINATION, NOVELTY_KNOWN, word("example.org"), START + day * DAY);
		learn_touch(l, d, START + day * DAY);
	}
	ck_assert_uint_lt(learn_ready_percent(l, d, START + 3 * DAY), 60);
	ck_assert_uint_eq(learn_ready_percent(l, d, START + 10 * DAY), 100);
	learn_destroy(l);
}
END_TEST
