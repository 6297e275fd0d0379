// SPDX-License-Identifier: GPL-2.0-or-later
// Counts against a naive twin, groups, roles, the short memory, the store.
#include "image.h"
#include "learn.h"
#include "numbers.h"
#include "text.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY (86400ull * NS_PER_S)
#define START (18970ull * DAY) // a day of December 2021

static struct counters counters;

static struct learn *make(uint32_t devices, uint32_t values)
{
	struct learn_config config = {.devices = devices, .values = values, .key = {1, 2}};
	struct learn *l;

	memset(&counters, 0, sizeof(counters));
	l = learn_create(&config, &counters);
	ck_assert_ptr_nonnull(l);
	return l;
}

static struct address inside(unsigned n)
{
	return address_v4((uint8_t[]){10, 0, (uint8_t)(n >> 8), (uint8_t)n});
}

static struct address outside(unsigned n)
{
	return address_v4((uint8_t[]){203, 0, (uint8_t)(n >> 8), (uint8_t)n});
}

static struct device *device(struct learn *l, unsigned n, uint64_t now_ns)
{
	struct address a = inside(n);
	struct device *d = learn_device_find_or_add(l, &a, now_ns);

	ck_assert_ptr_nonnull(d);
	return d;
}

static struct bytes word(const char *text)
{
	return bytes_of_text(text);
}

static struct counts counts_of(const struct learn *l, const struct device *d, const char *value, uint64_t now_ns)
{
	struct counts c;

	learn_counts(l, d, FEATURE_HOST, word(value), now_ns, &c);
	return c;
}

START_TEST(a_value_counts_once_a_day_and_its_device_once_above)
{
	struct learn *l = make(8, 64);
	struct device *a = device(l, 1, START), *b = device(l, 2, START);
	struct counts c;

	for (int i = 0; i < 5; i++)
		learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START + (uint64_t)i * NS_PER_S);
	learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START + 2 * DAY);
	c = counts_of(l, a, "x", START + 2 * DAY);
	ck_assert_uint_eq(c.device_days, 2);
	ck_assert_uint_eq(c.org, 0); // not itself
	ck_assert_uint_eq(c.peers, 0);
	ck_assert_uint_eq(c.org_total, 1);
	ck_assert_uint_eq(c.device_first_ns, START);
	c = counts_of(l, b, "x", START + 2 * DAY);
	ck_assert_uint_eq(c.device_days, 0);
	ck_assert_uint_eq(c.org, 1);
	ck_assert_uint_eq(c.peers, 1);
	ck_assert_uint_eq(c.first_ns, START);
	ck_assert_uint_eq(c.device_first_ns, 0);
	learn_destroy(l);
}
END_TEST

START_TEST(asking_for_counts_changes_nothing)
{
	struct learn *l = make(8, 64);
	struct device *a = device(l, 1, START);
	uint8_t before[32], after[32];

	learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START);
	learn_hash(l, before);
	counts_of(l, a, "y", START + 40 * DAY);
	counts_of(l, a, "x", START + 40 * DAY);
	learn_hash(l, after);
	ck_assert_mem_eq(before, after, 32);
	learn_destroy(l);
}
END_TEST

START_TEST(the_window_slides_by_28_days)
{
	struct learn *l = make(8, 64);
	struct device *a = device(l, 1, START);

	for (uint64_t day = 0; day < 28; day++)
		learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START + day * DAY);
	ck_assert_uint_eq(counts_of(l, a, "x", START + 27 * DAY).device_days, 28);
	learn_step(l, START + 27 * DAY);
	learn_step(l, START + 28 * DAY);
	ck_assert_uint_eq(counts_of(l, a, "x", START + 28 * DAY).device_days, 27);
	learn_step(l, START + 54 * DAY);
	ck_assert_uint_eq(counts_of(l, a, "x", START + 54 * DAY).device_days, 1);
	learn_step(l, START + 55 * DAY);
	ck_assert_uint_eq(counts_of(l, a, "x", START + 55 * DAY).device_days, 0);
	learn_step(l, START + 500 * DAY);
	ck_assert_uint_eq(counts_of(l, a, "x", START + 500 * DAY).device_days, 0);
	learn_destroy(l);
}
END_TEST

static void flow_open(struct observation *o, unsigned direction, const struct address *client,
		      const struct address *server, uint16_t port, uint64_t now_ns);

static struct counts endpoint_counts(const struct learn *l, const struct device *d, const struct address *a,
				     uint64_t now_ns)
{
	struct counts c;

	learn_counts(l, d, FEATURE_ENDPOINT, bytes_of(a, sizeof(*a)), now_ns, &c);
	return c;
}

#include "learn_test_late.h"
#include "learn_test_flood.h"

// --- the twin: every sighting kept in a list, counted by looking at all of it ---
enum { TWIN_DEVICES = 12, TWIN_VALUES = 9, TWIN_SEEN = 1500, TWIN_DAYS = 90 };
struct sighting {
	unsigned device, value;
	uint64_t ns;
};

static struct counts twin(const struct sighting *s, unsigned n, unsigned d, unsigned v, uint64_t now_ns,
			  const uint16_t *group)
{
	struct counts c = {0};
	uint64_t today = now_ns / DAY;

	for (unsigned other = 0; other < TWIN_DEVICES; other++) {
		uint64_t first = 0;
		bool shown[TWIN_DAYS] = {false};

		for (unsigned i = 0; i < n; i++)
			if (s[i].device == other && s[i].value == v) {
				uint64_t day = s[i].ns / DAY;

				first = first && first < day * DAY ? first : day * DAY;
				if (day + LEARN_WINDOW_DAYS > today)
					shown[day - START / DAY] = true;
			}
		if (first && (!c.first_ns || first < c.first_ns))
			c.first_ns = first;
		if (other == d) {
			c.device_first_ns = first;
			for (unsigned i = 0; i < TWIN_DAYS; i++)
				c.device_days += shown[i];
		} else if (first) {
			c.org++;
			c.peers += group[other] == group[d];
		}
	}
	return c;
}

// Time passes, so that the table's sweep has been everywhere and what moves has arrived.
static uint64_t settle(struct learn *l, uint64_t now_ns)
{
	for (unsigned i = 0; i < 7; i++)
		learn_step(l, now_ns += DAY / 2);
	return now_ns;
}

static void compare_with_twin(struct learn *l, const struct sighting *s, unsigned n, uint64_t now_ns)
{
	uint16_t group[TWIN_DEVICES];

	for (unsigned d = 0; d < TWIN_DEVICES; d++)
		group[d] = device(l, d, START)->group;
	for (unsigned d = 0; d < TWIN_DEVICES; d++)
		for (unsigned v = 0; v < TWIN_VALUES; v++) {
			struct counts want = twin(s, n, d, v, now_ns, group), got;
			uint8_t value[2] = {'v', (uint8_t)v};

			learn_counts(l, device(l, d, START), FEATURE_HOST, bytes_of(value, 2), now_ns, &got);
			ck_assert_uint_eq(got.device_days, want.device_days);
			ck_assert_uint_eq(got.org, want.org);
			ck_assert_uint_eq(got.peers, want.peers);
			ck_assert_uint_eq(got.first_ns, want.first_ns);
			ck_assert_uint_eq(got.device_first_ns, want.device_first_ns);
		}
}

START_TEST(counts_agree_with_a_naive_twin_on_random_input_with_groups_that_change)
{
	static struct sighting seen[TWIN_SEEN];
	struct learn *l = make(TWIN_DEVICES, 1024);
	uint64_t now = START;

	srand(7);
	for (unsigned d = 0; d < TWIN_DEVICES; d++)
		device(l, d, START);
	for (unsigned i = 0; i < TWIN_SEEN; i++) {
		struct sighting *s = &seen[i];
		uint8_t value[2] = {'v', 0};

		now += (uint64_t)(rand() % 7200) * NS_PER_S;
		*s = (struct sighting){(unsigned)rand() % TWIN_DEVICES,
				       (unsigned)(rand() % TWIN_VALUES * (rand() % 3) / 2), now};
		value[1] = (uint8_t)s->value;
		learn_see(l, device(l, s->device, now), FEATURE_HOST, NOVELTY_KNOWN, bytes_of(value, 2), now);
		if (i % 200 == 150) { // one more device moves to the tagged group
			struct prefix net = {inside(i / 200), 32};

			ck_assert_int_eq(learn_tag_group(l, &net, i % 400 == 150 ? "dmz" : "lab"), 0);
		}
		if (i % 300 == 299) {
			now = settle(l, now);
			compare_with_twin(l, seen, i + 1, now);
		}
	}
	ck_assert_uint_lt(now, START + (TWIN_DAYS - 3) * DAY);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_COUNTS_FULL], 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_full_table_counts_what_it_refuses_and_forgets_what_is_old)
{
	struct learn *l = make(4, 64);
	struct device *a = device(l, 1, START);
	uint64_t refused;
	char name[16];

	for (int i = 0; i < 50; i++) { // each stands three times: device, group, organisation
		snprintf(name, sizeof(name), "v%d", i);
		learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word(name), START);
	}
	refused = counters.value[COUNT_BRAIN_COUNTS_FULL];
	ck_assert_uint_ge(refused, 30);
	learn_step(l, START);
	for (unsigned i = 0; i < 4; i++) // three months later there is room again
		learn_step(l, START + 91 * DAY + i * DAY);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word(name), START + 95 * DAY);
	}
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_COUNTS_FULL], refused);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		ck_assert_uint_eq(counts_of(l, a, name, START + 95 * DAY).device_days, 1);
		snprintf(name, sizeof(name), "v%d", i);
		ck_assert_uint_eq(counts_of(l, a, name, START + 95 * DAY).first_ns, 0);
	}
	learn_destroy(l);
}
END_TEST

START_TEST(a_full_device_table_refuses_and_counts)
{
	struct learn *l = make(2, 32);
	struct address a = inside(9);

	device(l, 1, START);
	device(l, 2, START);
	ck_assert_ptr_null(learn_device_find_or_add(l, &a, START));
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DEVICES_FULL], 1);
	ck_assert_uint_eq(learn_device_count(l), 2);
	ck_assert_ptr_null(learn_device_at(l, 2));
	learn_destroy(l);
}
END_TEST

static void flow_open(struct observation *o, unsigned direction, const struct address *client,
		      const struct address *server, uint16_t port, uint64_t now_ns)
{
	observation_init(o, OBS_FLOW_OPEN);
	o->direction = (uint8_t)direction;
	o->transport = 6;
	o->client = *client;
	o->server = *server;
	o->client_port = 40000;
	o->server_port = port;
	o->time_ns = now_ns;
	o->from_client = 1;
}

static void visit(struct learn *l, unsigned client, unsigned server, uint64_t now_ns)
{
	struct address c = outside(client), s = inside(server);
	struct observation o;

	flow_open(&o, DIRECTION_IN, &c, &s, 443, now_ns);
	learn_observation(l, &o);
}

START_TEST(twenty_distinct_outside_clients_in_seven_days_make_an_exposed_server)
{
	struct learn *l = make(8, 4096);
	struct device *d;

	for (unsigned i = 0; i < 19; i++)
		visit(l, i, 1, START);
	visit(l, 18, 1, START + DAY);
	d = device(l, 1, START);
	ck_assert_uint_eq(d->role, ROLE_SERVER);
	visit(l, 19, 1, START + 6 * DAY);
	ck_assert_uint_eq(d->role, ROLE_EXPOSED);
	ck_assert_str_eq(learn_group_name(l, d->group), "exposed-servers");
	ck_assert_uint_eq(d->outside_clients, 20);
	visit(l, 19, 1, START + 20 * DAY); // all others are long gone
	ck_assert_uint_eq(d->role, ROLE_SERVER);
	learn_destroy(l);
}
END_TEST

START_TEST(visits_spread_over_weeks_or_without_a_handshake_expose_nobody)
{
	struct learn *l = make(8, 4096);
	struct address c = outside(1), s = inside(2);
	struct observation o;

	for (unsigned i = 0; i < 60; i++)
		visit(l, i, 1, START + i * DAY / 2);
	ck_assert_uint_ne(device(l, 1, START)->role, ROLE_EXPOSED);
	device(l, 2, START);
	for (unsigned i = 0; i < 60; i++) {
		c = outside(i);
		flow_open(&o, DIRECTION_IN, &c, &s, 443, START);
		o.flags8 = OBS_FLAG_MIDSTREAM;
		learn_observation(l, &o);
		flow_open(&o, DIRECTION_IN, &c, &s, 53, START);
		o.transport = 17;
		learn_observation(l, &o);
	}
	ck_assert_uint_ne(device(l, 2, START)->role, ROLE_EXPOSED);
	learn_destroy(l);
}
END_TEST

START_TEST(a_role_change_takes_the_values_to_the_new_group)
{
	struct learn *l = make(8, 4096);
	struct device *a = device(l, 1, START), *b = device(l, 2, START);

	learn_see(l, a, FEATURE_HOST, NOVELTY_KNOWN, word("x"), START);
	ck_assert_uint_eq(counts_of(l, b, "x", START).peers, 1);
	for (unsigned i = 0; i < 25; i++)
		visit(l, i, 1, START);
	ck_assert_uint_eq(a->role, ROLE_EXPOSED);
	settle(l, START);
	ck_assert_uint_eq(counts_of(l, b, "x", START).peers, 0);
	ck_assert_uint_eq(counts_of(l, b, "x", START).peers_total, 0);
	ck_assert_uint_eq(counts_of(l, b, "x", START).org, 1);
	for (unsigned i = 0; i < 25; i++)
		visit(l, i, 2, START);
	settle(l, START + 2 * DAY);
	ck_assert_uint_eq(counts_of(l, b, "x", START).peers, 1);
	learn_destroy(l);
}
END_TEST

START_TEST(a_tag_gives_the_group_and_a_role_s_name_gives_the_role)
{
	struct learn *l = make(8, 4096);
	struct prefix net = {inside(0), 24};
	struct device *a, *b;

	ck_assert_int_eq(learn_tag_group(l, &net, "office"), 0);
	a = device(l, 1, START);
	ck_assert_str_eq(learn_group_name(l, a->group), "office");
	net = (struct prefix){inside(2), 32};
	ck_assert_int_eq(learn_tag_group(l, &net, "exposed-servers"), 0);
	b = device(l, 2, START);
	ck_assert_uint_eq(b->role, ROLE_EXPOSED);
	learn_touch(l, b, START + 9 * DAY);
	ck_assert_uint_eq(b->role, ROLE_EXPOSED);
	ck_assert_int_eq(learn_tag_group(l, &net, ""), -EINVAL);
	learn_destroy(l);
}
END_TEST

START_TEST(an_outward_flow_teaches_endpoint_and_port_and_a_served_one_the_server)
{
	struct learn *l = make(8, 4096);
	struct address c = inside(1), s = outside(5), in = inside(2);
	struct observation o;
	struct counts counts;
	uint8_t room[128];
	struct bytes value;

	flow_open(&o, DIRECTION_OUT, &c, &s, 88, START);
	ck_assert(learn_value(l, &o, FEATURE_ENDPOINT_PORT, room, &value));
	learn_observation(l, &o);
	learn_step(l, START + DAY);
	learn_counts(l, device(l, 1, START), FEATURE_ENDPOINT_PORT, value, START, &counts);
	ck_assert_uint_eq(counts.device_days, 1);
	learn_counts(l, device(l, 1, START), FEATURE_ENDPOINT, bytes_of(&s, sizeof(s)), START, &counts);
	ck_assert_uint_eq(counts.device_days, 1);
	learn_counts(l, device(l, 1, START), FEATURE_PORT, bytes_of(((uint8_t[]){APP_NONE, 6, 0, 88}), 4), START,
		     &counts);
	ck_assert_uint_eq(counts.device_days, 1);
	flow_open(&o, DIRECTION_LATERAL, &c, &in, 445, START);
	learn_observation(l, &o);
	ck_assert_uint_eq(device(l, 2, START)->role, ROLE_SERVER);
	ck_assert_uint_eq(device(l, 1, START)->role, ROLE_CLIENT);
	learn_destroy(l);
}
END_TEST

START_TEST(multicast_is_no_device_and_no_endpoint_and_datagrams_make_no_devices)
{
	struct learn *l = make(8, 4096);
	struct address c = inside(1), s = address_v4((uint8_t[]){224, 0, 0, 251}), o1 = outside(1);
	struct observation o;
	struct bytes value;
	uint8_t room[128];

	flow_open(&o, DIRECTION_OUT, &c, &s, 5353, START);
	ck_assert(!learn_value(l, &o, FEATURE_ENDPOINT, room, &value));
	flow_open(&o, DIRECTION_IN, &o1, &c, 53, START);
	o.transport = 17;
	learn_observation(l, &o);
	ck_assert_uint_eq(learn_device_count(l), 0);
	o.transport = 6;
	learn_observation(l, &o);
	ck_assert_uint_eq(learn_device_count(l), 1);
	learn_destroy(l);
}
END_TEST

START_TEST(a_datagram_makes_no_server_of_who_does_not_answer)
{
	static const uint8_t kinds[] = {OBS_FLOW_OPEN, OBS_PROTOCOL, OBS_DNS, OBS_TLS, OBS_FLOW_CLOSE};
	static const uint8_t directions[] = {DIRECTION_IN, DIRECTION_LATERAL};
	struct address in = inside(2), from;
	struct observation o;

	for (unsigned way = 0; way < 2; way++)
		for (unsigned answer = 0; answer < 2; answer++) {
			struct learn *l = make(8, 4096);
			struct device *d = device(l, 2, START);
			struct counts c;

			from = way ? inside(1) : outside(1);
			for (unsigned k = 0; k < sizeof(kinds); k++) {
				flow_open(&o, directions[way], &from, &in, 53, START + k);
				o.kind = kinds[k];
				o.transport = 17;
				o.app = APP_DNS;
				learn_observation(l, &o);
			}
			ck_assert_uint_eq(d->role, ROLE_CLIENT);
			if (answer) {
				o.number[NUM_CLOSE_PACKETS_SERVER] = 1;
			} else {
				o.kind = OBS_DNS;
				o.from_client = 0;
			}
			learn_observation(l, &o);
			ck_assert_uint_eq(d->role, ROLE_SERVER);
			learn_step(l, START + 2 * DAY);
			learn_counts(l, d, FEATURE_SERVED, bytes_of(((uint8_t[]){APP_DNS, 17, 0, 53}), 4), START + 2 * DAY, &c);
			ck_assert_uint_eq(c.device_days, 1);
			learn_destroy(l);
		}
}
END_TEST

START_TEST(a_family_is_the_agent_without_its_version)
{
	static const char *const agents[][2] = {
		{"curl/7.47.0", "curl"},
		{"curl", "curl"},
		{"Java/1.8.0_102", "Java"},
		{"Wget/1.20.3 (linux-gnu)", "Wget"},
		{"Debian APT-HTTP/1.3 (2.2.4)", "Debian APT-HTTP"},
		{"python-requests/2.25.1", "python-requests"},
		{"My Agent 7", "My Agent"},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:95.0) Gecko/20100101 Firefox/95.0", "Mozilla/Firefox"},
		{"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.93 "
		 "Safari/537.36",
		 "Mozilla/Chrome"},
		{"Mozilla/5.0 AppleWebKit/537.36 Chrome/96.0 Safari/537.36 Edg/96.0", "Mozilla/Edge"},
		{"", ""},
	};
	char out[64];

	for (unsigned i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		size_t n = learn_agent_family(word(agents[i][0]), out, sizeof(out));

		ck_assert_str_eq(out, agents[i][1]);
		ck_assert_uint_eq(n, strlen(agents[i][1]));
	}
	ck_assert_uint_eq(learn_agent_family(word("Mozilla/5.0 Firefox/95.0"), out, 5), 0);
	ck_assert_uint_eq(learn_agent_family(word("curl/7"), out, 3), 2);
}
END_TEST

START_TEST(recent_contacts_are_found_by_device)
{
	struct learn *l = make(8, 64);
	struct address a = inside(1), b = inside(2), x = outside(1);

	recent_put(l, RECENT_INBOUND, &a, &x, START);
	recent_put(l, RECENT_INBOUND, &b, &x, START + 5);
	ck_assert_uint_eq(recent_get(l, RECENT_INBOUND, &a, &x), START);
	ck_assert_uint_eq(recent_get(l, RECENT_INBOUND, &b, &x), START + 5);
	ck_assert_uint_eq(recent_get(l, RECENT_RESOLVED, &a, &x), 0);
	ck_assert_uint_eq(recent_get(l, RECENT_INBOUND, &x, &a), 0);
	learn_destroy(l);
}
END_TEST

START_TEST(a_flood_of_contacts_makes_only_the_oldest_be_forgotten)
{
	struct learn *l = make(8, 64);
	struct address a = inside(1);
	unsigned found = 0;

	for (unsigned i = 0; i < 200000; i++) {
		struct address x = address_v4((uint8_t[]){198, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});

		recent_put(l, RECENT_INBOUND, &a, &x, START + i);
	}
	for (unsigned i = 199000; i < 200000; i++) {
		struct address x = address_v4((uint8_t[]){198, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});

		found += recent_get(l, RECENT_INBOUND, &a, &x) == START + i;
	}
	ck_assert_uint_eq(found, 1000);
	learn_destroy(l);
}
END_TEST

#include "learn_test_store.h"
#include "learn_test_forget.h"

START_TEST(names_are_known_and_out_of_range_is_a_question_mark)
{
	ck_assert_str_eq(feature_name(FEATURE_AGENT), "user-agent");
	ck_assert_str_eq(feature_name(FEATURE_COUNT), "?");
	ck_assert_str_eq(role_name(ROLE_EXPOSED), "exposed-server");
	ck_assert_str_eq(role_name(77), "?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("learn");
	TCase *counting = tcase_create("counting"), *store = tcase_create("store");
	SRunner *runner;
	int failed;

	tcase_add_test(counting, a_value_counts_once_a_day_and_its_device_once_above);
	tcase_add_test(counting, asking_for_counts_changes_nothing);
	tcase_add_test(counting, the_window_slides_by_28_days);
	tcase_add_test(counting, what_an_observation_teaches_waits_a_day);
	tcase_add_test(counting, what_a_device_did_before_it_alarmed_is_not_learned);
	tcase_add_test(counting, a_device_s_normal_moves_only_so_far_a_day);
	tcase_add_test(counting, a_midnight_out_of_order_is_one_day_of_what_is_new);
	tcase_add_test(counting, a_device_that_shows_nothing_new_for_weeks_has_its_first_days_behind_it);
	tcase_add_test(counting, devices_that_behave_alike_become_a_group);
	tcase_add_test(counting, a_group_follows_its_devices_work);
	tcase_add_test(counting, a_domain_is_what_somebody_registers);
	tcase_add_test(counting, a_long_name_belongs_to_whom_its_end_says);
	tcase_add_test(counting, a_destination_is_its_name_where_dns_gave_one);
	tcase_add_test(counting, what_was_dated_ahead_is_not_recent_for_ever);
	tcase_add_test(counting, adopters_are_told_apart_and_forgotten_after_two_days);
	tcase_add_test(counting, numbers_are_told_at_doublings_beyond_what_is_usual);
	tcase_add_test(counting, an_hour_s_end_out_of_order_forgets_nothing_of_fan_out);
	tcase_add_test(counting, a_device_is_ready_after_a_week_with_its_weekend);
	tcase_add_test(counting, counts_agree_with_a_naive_twin_on_random_input_with_groups_that_change);
	tcase_add_test(counting, a_full_table_counts_what_it_refuses_and_forgets_what_is_old);
	tcase_add_test(counting, a_full_device_table_refuses_and_counts);
	tcase_add_test(counting, twenty_distinct_outside_clients_in_seven_days_make_an_exposed_server);
	tcase_add_test(counting, visits_spread_over_weeks_or_without_a_handshake_expose_nobody);
	tcase_add_test(counting, a_role_change_takes_the_values_to_the_new_group);
	tcase_add_test(counting, a_tag_gives_the_group_and_a_role_s_name_gives_the_role);
	tcase_add_test(counting, an_outward_flow_teaches_endpoint_and_port_and_a_served_one_the_server);
	tcase_add_test(counting, multicast_is_no_device_and_no_endpoint_and_datagrams_make_no_devices);
	tcase_add_test(counting, a_datagram_makes_no_server_of_who_does_not_answer);
	tcase_add_test(counting, a_family_is_the_agent_without_its_version);
	tcase_add_test(counting, recent_contacts_are_found_by_device);
	tcase_add_test(counting, a_flood_of_contacts_makes_only_the_oldest_be_forgotten);
	tcase_add_test(counting, a_device_that_floods_forgets_its_own_contacts);
	tcase_add_test(counting, a_flood_keeps_nobody_else_from_being_learned);
	tcase_add_test(counting, what_is_known_is_counted_when_many_flood);
	tcase_add_test(counting, a_scan_does_not_hide_a_pace_that_is_followed);
	tcase_add_test(counting, a_set_of_a_day_empties_itself_at_midnight);
	tcase_add_test(counting, a_set_of_a_day_does_not_take_another_1024_days_later_for_it);
	tcase_add_test(counting, names_are_known_and_out_of_range_is_a_question_mark);
	add_forget(counting);
	tcase_add_checked_fixture(store, store_setup, store_teardown);
	tcase_add_test(store, a_saved_store_loads_as_it_was);
	tcase_add_test(store, tags_of_today_outlive_a_load);
	tcase_add_test(store, a_load_leaves_no_group_behind_that_is_nobody_s);
	tcase_add_test(store, a_damaged_store_is_refused_and_nothing_is_lost);
	tcase_add_test(store, a_store_larger_than_the_tables_is_refused_and_leaves_them_empty);
	tcase_set_timeout(counting, 60);
	tcase_set_timeout(store, 60);
	suite_add_tcase(suite, counting);
	suite_add_tcase(suite, store);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
