// SPDX-License-Identifier: GPL-2.0-or-later
// What is refused now. Times are the test's own; every block must end by itself, and what is never to be blocked
// never is.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "block.h"

#define S 1000000000ull
static const struct siphash_key key = {1, 2};
static struct counters counters;
static struct block_table *table;

static struct address at(const char *text)
{
	struct address a;

	ck_assert_int_eq(address_parse(bytes_of_text(text), &a), 0);
	return a;
}

static struct verdict rule(uint64_t id, const char *endpoint, uint16_t port, uint64_t expires_ns)
{
	struct prefix p;
	struct verdict v = {.size_bytes = sizeof(v),
			    .kind = VERDICT_BLOCK,
			    .id = id,
			    .port = port,
			    .expires_ns = expires_ns,
			    .transport = port ? TRANSPORT_TCP : 0};

	ck_assert_int_eq(prefix_parse(bytes_of_text(endpoint), &p), 0);
	v.endpoint = p.address;
	v.endpoint_bits = p.bits;
	return v;
}

// The id of the block that refuses device 10.0.0.5 (or fd00::5) and the endpoint, 0 = none.
static uint64_t refused_by(const char *endpoint, uint16_t port, uint64_t now_ns)
{
	struct address e = at(endpoint), device = at(e.family == 4 ? "10.0.0.5" : "fd00::5");
	struct block_entry *b = block_find(table, TRANSPORT_TCP, &device, &e, port, now_ns);

	return b ? b->rule.id : 0;
}

static void add(uint64_t id, const char *endpoint, uint16_t port, uint64_t expires_ns, int want)
{
	struct verdict v = rule(id, endpoint, port, expires_ns);

	ck_assert_int_eq(block_add(table, &v, 1 * S), want);
}

static void never(const char *prefix)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(bytes_of_text(prefix), &p), 0);
	ck_assert_int_eq(block_never(table, &p), 0);
}

static void start(void)
{
	memset(&counters, 0, sizeof(counters));
	table = block_table_create(64, &key, &counters);
	ck_assert_ptr_nonnull(table);
}

static void stop(void)
{
	block_table_destroy(table);
}

START_TEST(a_block_refuses_its_endpoint_and_port_and_nothing_else)
{
	add(7, "203.0.113.9", 389, 10 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 2 * S), 7);
	ck_assert_uint_eq(refused_by("203.0.113.9", 390, 2 * S), 0);
	ck_assert_uint_eq(refused_by("203.0.113.10", 389, 2 * S), 0);
	ck_assert_uint_eq(refused_by("::ffff:203.0.113.9", 389, 2 * S), 0);
	ck_assert_uint_eq(block_count(table), 1);
}
END_TEST

START_TEST(a_block_ends_at_its_deadline_with_nobody_sweeping)
{
	add(7, "203.0.113.9", 389, 10 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 10 * S - 1), 7);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 10 * S), 0);
	ck_assert_uint_eq(block_count(table), 1);
	block_step(table, 10 * S);
	ck_assert_uint_eq(block_count(table), 0);
	ck_assert_ptr_null(block_at(table, 0));
}
END_TEST

START_TEST(the_never_block_list_holds_against_address_prefix_and_later_entries)
{
	never("198.51.100.0/24");
	never("2001:db8:5::/48");
	add(1, "198.51.100.7", 443, 10 * S, -EPERM);
	add(2, "198.51.0.0/16", 0, 10 * S, -EPERM); // would cover it
	add(3, "198.51.100.128/25", 0, 10 * S, -EPERM);
	add(4, "2001:db8:5::1", 0, 10 * S, -EPERM);
	add(5, "2001:db8::/32", 0, 10 * S, -EPERM);
	add(6, "198.51.101.0/24", 0, 10 * S, 0);
	ck_assert_uint_eq(counters.value[COUNT_VERDICTS_NEVER_BLOCK], 5);
	ck_assert_uint_eq(refused_by("198.51.101.9", 80, 2 * S), 6);
	never("198.51.101.9");
	ck_assert_uint_eq(refused_by("198.51.101.9", 80, 2 * S), 0);
	ck_assert_uint_eq(refused_by("198.51.101.10", 80, 2 * S), 6);
}
END_TEST

START_TEST(multicast_loopback_and_link_local_are_never_blocked)
{
	add(1, "224.0.0.251", 0, 10 * S, -EPERM);
	add(2, "127.0.0.1", 80, 10 * S, -EPERM);
	add(3, "fe80::1", 0, 10 * S, -EPERM);
	ck_assert_uint_eq(block_count(table), 0);
}
END_TEST

START_TEST(the_never_block_list_takes_what_it_promises_and_says_when_it_is_full)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(bytes_of_text("192.0.2.1"), &p), 0);
	for (int i = 0; i < BLOCK_NEVER_PREFIXES; i++)
		ck_assert_int_eq(block_never(table, &p), 0);
	ck_assert_int_eq(block_never(table, &p), -ENOSPC);
	ck_assert(block_is_never(table, &p.address));
}
END_TEST

START_TEST(a_prefix_refuses_all_addresses_in_it)
{
	add(1, "203.0.113.0/26", 0, 10 * S, 0);
	add(2, "2001:db8:7::/61", 0, 10 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.0", 1, 2 * S), 1);
	ck_assert_uint_eq(refused_by("203.0.113.63", 65535, 2 * S), 1);
	ck_assert_uint_eq(refused_by("203.0.113.64", 1, 2 * S), 0);
	ck_assert_uint_eq(refused_by("2001:db8:7:7:ffff::", 1, 2 * S), 2);
	ck_assert_uint_eq(refused_by("2001:db8:7:8::", 1, 2 * S), 0);
}
END_TEST

START_TEST(a_block_for_one_device_leaves_the_others_alone)
{
	struct verdict v = rule(1, "203.0.113.9", 389, 10 * S);
	struct address e = at("203.0.113.9"), mine = at("10.0.0.5"), other = at("10.0.0.6");

	v.device = mine;
	ck_assert_int_eq(block_add(table, &v, S), 0);
	ck_assert_ptr_nonnull(block_find(table, TRANSPORT_TCP, &mine, &e, 389, 2 * S));
	ck_assert_ptr_null(block_find(table, TRANSPORT_TCP, &other, &e, 389, 2 * S));
	ck_assert_ptr_null(block_find(table, TRANSPORT_UDP, &mine, &e, 389, 2 * S));
}
END_TEST

START_TEST(the_most_specific_block_wins_and_the_next_one_takes_over_when_it_ends)
{
	struct verdict v = rule(5, "203.0.113.9", 389, 3 * S);

	v.device = at("10.0.0.5");
	ck_assert_int_eq(block_add(table, &v, S), 0);
	v = rule(3, "203.0.113.9", 0, 5 * S);
	v.device = at("10.0.0.5");
	ck_assert_int_eq(block_add(table, &v, S), 0);
	add(1, "203.0.113.0/24", 0, 7 * S, 0);
	add(2, "203.0.113.9", 0, 6 * S, 0);
	add(4, "203.0.113.9", 389, 4 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 2 * S), 5);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 3 * S), 4);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 4 * S), 3);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 5 * S), 2);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 6 * S), 1);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 7 * S), 0);
}
END_TEST

START_TEST(the_same_tuple_twice_is_refused_until_the_later_deadline)
{
	add(1, "203.0.113.9", 389, 9 * S, 0);
	add(2, "203.0.113.9", 389, 4 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 5 * S), 1);
	ck_assert_int_eq(block_remove(table, 1), 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 3 * S), 2);
}
END_TEST

START_TEST(a_known_id_replaces_its_block_and_keeps_what_it_has_counted)
{
	struct block_entry *b;
	struct address e = at("203.0.113.9"), device = at("10.0.0.5");

	add(7, "203.0.113.9", 389, 5 * S, 0);
	b = block_find(table, TRANSPORT_TCP, &device, &e, 389, 2 * S);
	b->frames = 12;
	add(7, "203.0.113.9", 0, 50 * S, 0);
	ck_assert_uint_eq(block_count(table), 1);
	ck_assert_uint_eq(refused_by("203.0.113.9", 80, 40 * S), 7);
	ck_assert_uint_eq(block_at(table, 0)->frames, 12);
	add(7, "198.51.100.1", 80, 50 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 2 * S), 0);
	never("192.0.2.0/24");
	add(7, "192.0.2.1", 80, 50 * S, -EPERM); // refused: the old one stays
	ck_assert_uint_eq(refused_by("198.51.100.1", 80, 2 * S), 7);
}
END_TEST

START_TEST(out_of_range_verdicts_are_refused)
{
	struct verdict v = rule(1, "203.0.113.9", 389, 10 * S);

	v.kind = VERDICT_CUT;
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	v = rule(0, "203.0.113.9", 389, 10 * S);
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	v = rule(1, "203.0.113.9", 389, S);
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	v = rule(1, "203.0.113.9", 389, S + VERDICT_LONGEST_NS + 1);
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	v = rule(1, "203.0.0.0/15", 389, 10 * S);
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	v = rule(1, "203.0.113.9", 389, 10 * S);
	v.endpoint = (struct address){0};
	ck_assert_int_eq(block_add(table, &v, S), -EINVAL);
	ck_assert_uint_eq(block_count(table), 0);
}
END_TEST

START_TEST(removing_and_clearing_forget)
{
	add(1, "203.0.113.1", 0, 10 * S, 0);
	add(2, "203.0.113.2", 0, 10 * S, 0);
	ck_assert_int_eq(block_remove(table, 1), 0);
	ck_assert_int_eq(block_remove(table, 1), -ENOENT);
	ck_assert_uint_eq(refused_by("203.0.113.1", 5, 2 * S), 0);
	ck_assert_uint_eq(refused_by("203.0.113.2", 5, 2 * S), 2);
	block_clear(table);
	ck_assert_uint_eq(block_count(table), 0);
	ck_assert_uint_eq(refused_by("203.0.113.2", 5, 2 * S), 0);
	add(3, "203.0.113.3", 0, 10 * S, 0);
	ck_assert_uint_eq(refused_by("203.0.113.3", 5, 2 * S), 3);
}
END_TEST

START_TEST(a_full_table_refuses_counts_and_makes_room_when_blocks_have_ended)
{
	char text[32];

	for (unsigned i = 0; i < 64; i++) {
		snprintf(text, sizeof(text), "203.0.113.%u", i);
		add(i + 1, text, 80, 5 * S, 0);
	}
	add(100, "198.51.100.1", 80, 9 * S, -ENOSPC);
	ck_assert_uint_eq(counters.value[COUNT_BLOCKS_FULL], 1);
	add(64, "203.0.113.63", 80, 9 * S, 0); // replacing needs no room
	struct verdict v = rule(100, "198.51.100.1", 80, 9 * S);
	ck_assert_int_eq(block_add(table, &v, 6 * S), 0);
	ck_assert_uint_eq(block_count(table), 2);
}
END_TEST

// Lists that people take over have nine and more; the brain, which orders the blocks, would not hear of a refusal.
START_TEST(networks_of_every_length_there_is_in_ipv4_can_be_blocked)
{
	char text[32];

	for (unsigned bits = 16; bits <= 32; bits++) {
		snprintf(text, sizeof(text), "203.%u.0.0/%u", bits, bits);
		add(bits, text, 0, 9 * S, 0);
	}
	for (unsigned bits = 16; bits <= 32; bits++) {
		snprintf(text, sizeof(text), "203.%u.0.0", bits);
		ck_assert_uint_eq(refused_by(text, 1, 2 * S), bits);
	}
	ck_assert_uint_eq(refused_by("203.32.0.1", 1, 2 * S), 0);
}
END_TEST

START_TEST(more_prefix_lengths_than_can_be_looked_up_are_refused)
{
	char text[32];

	for (unsigned i = 0; i < BLOCK_PREFIX_LENGTHS; i++) {
		snprintf(text, sizeof(text), "2001:db8::/%u", 32 + i);
		add(i + 1, text, 0, 9 * S, 0);
	}
	add(150, "2001:db8::/124", 0, 9 * S, -ENOSPC);
	add(151, "203.0.113.0/24", 0, 9 * S, 0); // the families count apart
	ck_assert_int_eq(block_remove(table, 1), 0);
	add(150, "2001:db8::/124", 0, 9 * S, 0);
	ck_assert_uint_eq(refused_by("2001:db8::1", 1, 2 * S), 150);
	ck_assert_uint_eq(refused_by("2001:db8::20", 1, 2 * S), BLOCK_PREFIX_LENGTHS);
}
END_TEST

START_TEST(a_hundred_thousand_blocks_are_found_listed_and_swept)
{
	enum { MANY = 100000 };
	struct block_table *big = block_table_create(MANY, &key, &counters);
	struct address device = at("10.0.0.5");
	struct verdict v = rule(1, "203.0.113.9", 443, 10 * S);
	clock_t began = clock();
	uint64_t ids = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		v.id = i + 1;
		v.endpoint = address_v4((uint8_t[4]){100, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});
		v.expires_ns = (i & 1 ? 10 : 20) * S;
		ck_assert_int_eq(block_add(big, &v, S), 0);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct address e = address_v4((uint8_t[4]){100, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});
		struct block_entry *b = block_find(big, TRANSPORT_TCP, &device, &e, 443, 2 * S);

		ck_assert(b && b->rule.id == i + 1);
		ck_assert_ptr_null(block_find(big, TRANSPORT_TCP, &device, &e, 444, 2 * S));
		ids += block_at(big, i)->rule.id;
	}
	ck_assert_uint_eq(ids, (uint64_t)MANY * (MANY + 1) / 2);
	for (unsigned i = 0; i < 2 * MANY / 64; i++)
		block_step(big, 15 * S);
	ck_assert_uint_eq(block_count(big), MANY / 2);
	ck_assert_msg(clock() - began < 5 * CLOCKS_PER_SEC, "took %.1f s", (double)(clock() - began) / CLOCKS_PER_SEC);
	block_table_destroy(big);
}
END_TEST

// The sweep sleeps until the first of them can have expired, whatever was taken out, put in or prolonged meanwhile.
START_TEST(the_sweep_wakes_in_time)
{
	static const struct {
		uint64_t at, left;
	} steps[] = {{9, 5}, {10, 4}, {11, 4}, {19, 4}, {20, 3}, {29, 3}, {35, 2}, {40, 1}, {90, 0}};
	struct verdict v[6] = {rule(1, "203.0.113.1", 443, 10 * S), rule(2, "203.0.113.2", 443, 20 * S), rule(3, "203.0.113.3", 443, 30 * S),
			       rule(4, "203.0.113.4", 443, 40 * S), rule(5, "203.0.113.5", 443, 5 * S),  rule(6, "203.0.113.6", 443, 90 * S)};

	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(block_add(table, &v[i], S), 0);
	ck_assert_int_eq(block_remove(table, 5), 0);
	v[2].expires_ns = 35 * S;
	ck_assert_int_eq(block_add(table, &v[2], S), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		block_step(table, steps[i].at * S);
		block_step(table, steps[i].at * S);
		ck_assert_uint_eq(block_count(table), steps[i].left);
	}
}
END_TEST

// The twin: a plain list, searched from end to end.
struct twin {
	struct verdict v;
	bool used;
};

static bool twin_matches(const struct twin *w, uint8_t transport, const struct address *device, const struct address *e,
			 uint16_t port, uint64_t now)
{
	struct prefix p = {w->v.endpoint, w->v.endpoint_bits};

	return w->used && w->v.expires_ns > now && prefix_has(&p, e) && (!w->v.port || w->v.port == port) &&
	       (!w->v.transport || w->v.transport == transport) &&
	       (!address_is_set(&w->v.device) || address_equal(&w->v.device, device));
}

static struct verdict random_rule(unsigned r, uint64_t now)
{
	static const char *const endpoints[] = {"203.0.113.1",  "203.0.113.2", "203.0.113.0/24",
						"203.0.0.0/16", "2001:db8::1", "2001:db8::/64"};
	struct verdict v = rule(1 + r % 40, endpoints[r / 64 % 6], r & 1024 ? 80 : 0, now + 1 + r % 5);

	v.transport = r & 2048 ? TRANSPORT_TCP : 0;
	if (r & 4096)
		v.device = at(v.endpoint.family == 4 ? "10.0.0.5" : "fd00::5");
	return v;
}

START_TEST(random_changes_give_what_a_plain_list_gives)
{
	static struct twin twins[41];
	static const char *const ends[] = {"203.0.113.1", "203.0.113.2", "203.0.113.77", "203.0.7.7",
					   "2001:db8::1", "2001:db8::9", "192.0.2.1"};
	unsigned r = 9;

	memset(twins, 0, sizeof(twins));
	for (uint64_t now = 1; now < 4000; now++) {
		struct verdict v;
		bool want = false;

		r = r * 1103515245 + 12345;
		v = random_rule(r >> 8, now);
		if ((r >> 28) < 12) {
			ck_assert_int_eq(block_add(table, &v, now), 0);
			twins[v.id] = (struct twin){v, true};
		} else if ((r >> 28) < 14) {
			block_remove(table, v.id);
			twins[v.id].used = false;
		} else {
			block_step(table, now);
		}
		struct address e = at(ends[r % 7]),
			       device = at(e.family == 4 ? (r & 512 ? "10.0.0.5" : "10.0.0.6") : "fd00::5");
		uint16_t port = r & 256 ? 80 : 81;
		for (size_t i = 0; i < 41; i++)
			want |= twin_matches(&twins[i], TRANSPORT_TCP, &device, &e, port, now);
		ck_assert_int_eq(block_find(table, TRANSPORT_TCP, &device, &e, port, now) != NULL, want);
		ck_assert(!want || block_is_near(table, e.family, e.b));
	}
}
END_TEST

// Ids cost a hostile brain nothing: a thousand blocks of the same packets must not make every look-up a thousand steps long.
START_TEST(blocks_of_the_same_packets_are_few)
{
	for (uint64_t id = 1; id <= BLOCK_SAME_KEY; id++)
		add(id, "203.0.113.9", 389, 10 * S, 0);
	add(100, "203.0.113.9", 389, 10 * S, -ENOSPC);
	ck_assert_uint_eq(counters.value[COUNT_BLOCKS_FULL], 1);
	add(1, "203.0.113.9", 389, 20 * S, 0); // prolonged
	ck_assert_uint_eq(refused_by("203.0.113.9", 389, 15 * S), 1);
	add(100, "203.0.113.9", 390, 10 * S, 0);
}
END_TEST

// Neighbours of who is blocked pay nothing for it, whichever byte of the address tells them apart.
START_TEST(few_addresses_are_near_a_block)
{
	static const struct {
		const char *blocked;
		unsigned bytes;
	} rows[] = {{"198.51.100.1", 4}, {"2001:db8:1:2:3:4:5:6", 16}};

	stop();
	table = block_table_create(4096, &key, &counters);
	ck_assert_ptr_nonnull(table);
	for (unsigned many = 0; many < 2; many++) // of the small set of hints, and of the large one
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct address blocked = at(rows[i].blocked);

			block_clear(table);
			add(1, rows[i].blocked, 0, 50 * S, 0);
			for (unsigned n = 0; many && n < 3000; n++) {
				char text[32];

				snprintf(text, sizeof(text), "203.%u.%u.9", n / 256, n % 256);
				add(2 + n, text, 0, 50 * S, 0);
			}
			ck_assert(block_is_near(table, blocked.family, blocked.b));
			for (unsigned byte = 0; byte < rows[i].bytes; byte++) {
				unsigned near = 0;

				for (unsigned v = 1; v < 256; v++) {
					struct address a = blocked;

					a.b[byte] ^= (uint8_t)v;
					near += block_is_near(table, a.family, a.b);
				}
				ck_assert_uint_lt(near, many ? 128 : 8);
			}
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block");
	TCase *tcase = tcase_create("block");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_block_refuses_its_endpoint_and_port_and_nothing_else);
	tcase_add_test(tcase, a_block_ends_at_its_deadline_with_nobody_sweeping);
	tcase_add_test(tcase, blocks_of_the_same_packets_are_few);
	tcase_add_test(tcase, few_addresses_are_near_a_block);
	tcase_add_test(tcase, the_never_block_list_holds_against_address_prefix_and_later_entries);
	tcase_add_test(tcase, multicast_loopback_and_link_local_are_never_blocked);
	tcase_add_test(tcase, the_never_block_list_takes_what_it_promises_and_says_when_it_is_full);
	tcase_add_test(tcase, a_prefix_refuses_all_addresses_in_it);
	tcase_add_test(tcase, a_block_for_one_device_leaves_the_others_alone);
	tcase_add_test(tcase, the_most_specific_block_wins_and_the_next_one_takes_over_when_it_ends);
	tcase_add_test(tcase, the_same_tuple_twice_is_refused_until_the_later_deadline);
	tcase_add_test(tcase, a_known_id_replaces_its_block_and_keeps_what_it_has_counted);
	tcase_add_test(tcase, out_of_range_verdicts_are_refused);
	tcase_add_test(tcase, removing_and_clearing_forget);
	tcase_add_test(tcase, a_full_table_refuses_counts_and_makes_room_when_blocks_have_ended);
	tcase_add_test(tcase, networks_of_every_length_there_is_in_ipv4_can_be_blocked);
	tcase_add_test(tcase, more_prefix_lengths_than_can_be_looked_up_are_refused);
	tcase_add_test(tcase, a_hundred_thousand_blocks_are_found_listed_and_swept);
	tcase_add_test(tcase, the_sweep_wakes_in_time);
	tcase_add_test(tcase, random_changes_give_what_a_plain_list_gives);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
