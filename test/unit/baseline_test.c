// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots of what was learned: kept, compared, brought elsewhere, gone back to; and the budget that outlives a restart.
#include "difference.h"
#include "baselines.h"
#include "reason_state.h"
#include "text.h"
#include <errno.h>
#include <math.h>
#include <sys/wait.h>

#define DAY (86400ull * NS_PER_S)
#define BEGAN (19002ull * DAY) // a Monday

static double budget;
static struct siphash_key key;

static void open_reason(void)
{
	struct reason_config c = {.state = state, .policies = policies, .mode = MODE_OBSERVE, .devices = 64, .values = 1 << 14, .key = key,
				  .filter_key = {3, 4}, .sheet = sheet, .baselines = true, .alarms_per_day = budget, .counters = &counters};
	char error[512];

	reason = reason_create(&c, error);
	ck_assert_msg(reason != NULL, "%s", error);
}

static void setup(void)
{
	state_begin("/tmp/sekimori-baseline-XXXXXX");
	budget = 0;
	key = (struct siphash_key){1, 2};
	open_reason();
}

static struct address device(unsigned n)
{
	return address_v4((const uint8_t[4]){192, 0, 2, (uint8_t)n});
}

static struct address outside(unsigned n)
{
	return address_v4((const uint8_t[4]){203, 0, 113, (uint8_t)n});
}

static void calls(unsigned d, unsigned endpoint, uint16_t port, uint64_t now_ns)
{
	struct observation o;

	observation_init(&o, OBS_FLOW_OPEN);
	o.client = device(d);
	o.server = outside(endpoint);
	o.client_port = 40000;
	o.server_port = port;
	o.transport = 6;
	o.direction = DIRECTION_OUT;
	o.flow = now_ns;
	o.time_ns = now_ns;
	ck_assert(observation_check(&o));
	reason_observe(reason, &o);
}

static void step(uint64_t now_ns) // and what a copy of the process writes
{
	siginfo_t unused;
	int error = 0;

	reason_step(reason, now_ns);
	if (waitid(P_ALL, 0, &unused, WEXITED | WNOWAIT) == 0)
		ck_assert(reason_saved(reason, &error));
	ck_assert_int_eq(error, 0);
}

static void an_ordinary_day(unsigned day)
{
	for (unsigned d = 1; d <= 5; d++)
		for (unsigned e = 1; e <= 4; e++)
			calls(d, e, 443, BEGAN + day * DAY + (8 * 3600 + d * 10 + e) * NS_PER_S);
	step(BEGAN + day * DAY + 20 * 3600 * NS_PER_S);
}

static void hash_of(uint8_t out[32])
{
	learn_hash(reason_learn(reason), out);
}

static struct image read_named(const char *name)
{
	char path[BASELINES_PATH_BYTES];
	struct image i;

	ck_assert_int_eq(baselines_path(state, name, path), 0);
	ck_assert_int_eq(image_read(&i, LEARN_IMAGE_VERSION, path), 0);
	return i;
}

START_TEST(a_snapshot_is_kept_each_day_and_the_oldest_of_many_goes)
{
	struct baselines_entry entry[BASELINES_MOST];
	char last[BASELINES_NAME_BYTES], path[256];

	for (unsigned day = 0; day < 3; day++)
		an_ordinary_day(day);
	ck_assert_int_eq(baselines_list(state, entry), 3);
	ck_assert(baselines_is_name(entry[0].name));
	ck_assert_uint_eq(entry[2].time_ns, BEGAN + 2 * DAY + 20 * 3600 * NS_PER_S);
	reason_destroy(reason); // the next brain knows of today's
	open_reason();
	step(BEGAN + 2 * DAY + 21 * 3600 * NS_PER_S);
	ck_assert_int_eq(baselines_list(state, entry), 3);
	for (unsigned day = 3; day < 40; day++)
		ck_assert_int_eq(reason_snapshot(reason, BEGAN + day * DAY, last), 0);
	ck_assert_int_eq(baselines_list(state, entry), BASELINES_MOST);
	ck_assert_uint_eq(entry[0].time_ns, BEGAN + (40 - BASELINES_MOST) * DAY);
	snprintf(path, sizeof(path), "%s/baselines/%s.new", state, entry[0].name);
	fclose(fopen(path, "w")); // a crash left it
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 39 * DAY + NS_PER_S, last), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(baselines_list(state, entry), BASELINES_MOST);
	ck_assert_str_eq(entry[BASELINES_MOST - 1].name, last);
}
END_TEST

START_TEST(only_names_become_paths)
{
	static const char *const wrong[] = {"", "..", "../learned", "2026-11-27T231353-0123456", "2026-11-27T231353-0123456g",
					    "2026-11-27T231353-01234567/", "2026-11-27T231353-012345678", "2026-11-27T231353/01234567"};
	char path[BASELINES_PATH_BYTES];
	uint8_t byte;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(baselines_path(state, wrong[i], path), -EINVAL);
		ck_assert_int_eq(baselines_read(state, wrong[i], 0, &byte, 1), -EINVAL);
		ck_assert_int_eq(reason_rollback(reason, wrong[i], "test", BEGAN), -EINVAL);
	}
	ck_assert_int_eq(reason_rollback(reason, "2026-11-27T231353-01234567", "test", BEGAN), -ENOENT);
	ck_assert_int_eq(baselines_path(state, "2026-11-27T231353-01234567", path), 0);
}
END_TEST

START_TEST(a_rollback_forgets_what_was_learned_since_and_is_audited)
{
	uint8_t then[32], later[32], back[32];
	char name[BASELINES_NAME_BYTES];
	struct siphash_key filter = {3, 4};
	struct address d = device(1), e = outside(99);
	struct counts c;

	for (unsigned day = 0; day < 4; day++)
		an_ordinary_day(day);
	hash_of(then);
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 4 * DAY, name), 0);
	calls(1, 99, 443, BEGAN + 4 * DAY + 3600 * NS_PER_S);
	calls(9, 1, 443, BEGAN + 4 * DAY + 3600 * NS_PER_S);
	an_ordinary_day(5);
	calls(1, 99, 443, BEGAN + 6 * DAY);
	hash_of(later);
	ck_assert_mem_ne(then, later, 32);
	ck_assert(filter_has(sheet, &filter, FILTER_PAIR, &d, &e));
	ck_assert_int_eq(reason_rollback(reason, name, "test", BEGAN + 6 * DAY + NS_PER_S), 0);
	hash_of(back);
	ck_assert_mem_eq(then, back, 32);
	ck_assert_ptr_null(learn_device_find(reason_learn(reason), &(struct address){4, {0}, {192, 0, 2, 9}}));
	ck_assert(!filter_has(sheet, &filter, FILTER_PAIR, &d, &e));
	learn_counts(reason_learn(reason), learn_device_find(reason_learn(reason), &d), FEATURE_ENDPOINT, bytes_of(&e, sizeof(e)),
		     BEGAN + 6 * DAY, &c);
	ck_assert_uint_eq(c.device_days, 0);
	an_ordinary_day(7); // and life goes on
}
END_TEST

START_TEST(a_snapshot_that_does_not_fit_changes_nothing)
{
	char name[BASELINES_NAME_BYTES], path[BASELINES_PATH_BYTES];
	uint8_t before[32], after[32];
	struct image i;

	an_ordinary_day(0);
	an_ordinary_day(2);
	hash_of(before);
	image_begin(&i, LEARN_IMAGE_VERSION); // whole and of the right version, but without any section
	ck_assert_int_eq(baselines_save(state, &i, BEGAN + 3 * DAY, name), 0);
	image_free(&i);
	ck_assert_int_eq(reason_rollback(reason, name, "test", BEGAN + 3 * DAY), -EPROTO);
	hash_of(after);
	ck_assert_mem_eq(before, after, 32);
	ck_assert_uint_eq(learn_device_count(reason_learn(reason)), 5);
	ck_assert_int_eq(baselines_path(state, name, path), 0);
	ck_assert_int_eq(truncate(path, 50), 0);
	ck_assert_int_eq(reason_rollback(reason, name, "test", BEGAN + 3 * DAY), -EPROTO);
	hash_of(after);
	ck_assert_mem_eq(before, after, 32);
}
END_TEST

static int import(struct bytes file, size_t part, char name[BASELINES_NAME_BYTES])
{
	int error = 0;

	for (size_t at = 0; at < file.left && !error; at += part)
		error = baselines_write(state, at, bytes_head(bytes_from(file, at), part), BEGAN + 9 * DAY, name);
	return error ? error : baselines_write(state, file.left, bytes_of(NULL, 0), BEGAN + 9 * DAY, name);
}

START_TEST(an_import_is_proved_before_it_is_a_snapshot)
{
	struct baselines_entry entry[BASELINES_MOST];
	char name[BASELINES_NAME_BYTES], path[BASELINES_PATH_BYTES];
	struct image i, other, again;
	uint8_t hash[32], imported[32];

	an_ordinary_day(0);
	ck_assert_int_eq(baselines_list(state, entry), 1);
	i = read_named(entry[0].name);
	ck_assert_int_eq(import(bytes_of(i.at, i.used), 5000, name), 0);
	ck_assert_int_eq(baselines_list(state, entry), 2);
	ck_assert_str_eq(entry[1].name, name);
	again = read_named(name);
	image_hash(&i, hash);
	image_hash(&again, imported);
	ck_assert_mem_eq(hash, imported, 32);
	i.at[100] ^= 1;
	ck_assert_int_eq(import(bytes_of(i.at, i.used), 5000, name), -EPROTO);
	i.at[100] ^= 1;
	ck_assert_int_eq(import(bytes_of(i.at, i.used - 1), 5000, name), -EPROTO);
	ck_assert_int_eq(baselines_write(state, 10, bytes_of("x", 1), BEGAN, name), -ESPIPE); // its beginning never came
	ck_assert_int_eq(baselines_write(state, 0, bytes_of(NULL, 0), BEGAN, name), -EPROTO);
	ck_assert_int_eq(baselines_write(state, 0, bytes_of(NULL, 0), BEGAN, name), -ESPIPE);
	image_begin(&other, LEARN_IMAGE_VERSION + 1);
	snprintf(path, sizeof(path), "%s/other", state);
	ck_assert_int_eq(image_write(&other, path), 0);
	ck_assert_int_eq(import(bytes_of(other.at, other.used), 5000, name), -ENOTSUP);
	ck_assert_int_eq(baselines_list(state, entry), 2);
	image_free(&i);
	image_free(&again);
	image_free(&other);
}
END_TEST

static const struct learn_change *find_change(const struct learn_difference *d, unsigned n)
{
	const struct learn_change *c;
	struct address a = device(n);

	for (uint32_t i = 0; (c = learn_difference_at(d, i)); i++)
		if (address_equal(&c->address, &a))
			return c;
	return NULL;
}

START_TEST(the_difference_names_what_is_known_and_counts_the_rest)
{
	char then[BASELINES_NAME_BYTES], now[BASELINES_NAME_BYTES], words[256];
	const struct learn_change *c;
	struct learn_difference *d;
	struct image a, b, empty_one;
	int error;

	for (unsigned day = 0; day < 3; day++)
		an_ordinary_day(day);
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 3 * DAY, then), 0);
	for (unsigned e = 50; e < 53; e++)
		calls(1, e, 8443, BEGAN + 3 * DAY + e * NS_PER_S);
	calls(9, 1, 443, BEGAN + 3 * DAY + 3600 * NS_PER_S);
	an_ordinary_day(5);
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 5 * DAY, now), 0);
	a = read_named(then);
	b = read_named(now);
	d = learn_difference_create(&a, &b, &error);
	ck_assert_ptr_nonnull(d);
	c = find_change(d, 1);
	ck_assert_ptr_nonnull(c);
	ck_assert(!c->came && !c->went);
	ck_assert_uint_eq(c->fresh[FEATURE_ENDPOINT], 3);
	ck_assert_uint_eq(c->gone[FEATURE_ENDPOINT], 0);
	ck_assert_uint_eq(c->fresh[FEATURE_PORT], 1);
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_PORT, true, words, sizeof(words)), 0);
	learn_difference_try_all(d);
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_PORT, true, words, sizeof(words)), 1);
	ck_assert_str_eq(words, "tcp/8443");
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_ENDPOINT, true, words, sizeof(words)), 0); // nobody told
	learn_difference_try(d, "203.0.113.51");
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_ENDPOINT, true, words, sizeof(words)), 1);
	ck_assert_str_eq(words, "203.0.113.51");
	learn_difference_try_port(d, &(struct address){4, {0}, {203, 0, 113, 52}}, 6, 8443);
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_ENDPOINT_PORT, true, words, sizeof(words)), 1);
	ck_assert_str_eq(words, "203.0.113.52 tcp/8443");
	ck_assert(find_change(d, 9)->came);
	c = find_change(d, 3); // no values, but by now the five are found to be alike
	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(c->group_then, "clients");
	ck_assert_str_eq(c->group_now, "group-1");
	for (unsigned f = 0; f < DIFFERENCE_FEATURES; f++)
		ck_assert_uint_eq(c->fresh[f] + c->gone[f], 0);
	ck_assert_uint_eq(learn_difference_words(d, c, FEATURE_ENDPOINT, true, words, sizeof(words)), 0);
	learn_difference_destroy(d);
	d = learn_difference_create(&b, &a, &error); // the other way round
	ck_assert(find_change(d, 9)->went);
	ck_assert_uint_eq(find_change(d, 1)->gone[FEATURE_ENDPOINT], 3);
	learn_difference_destroy(d);
	image_begin(&empty_one, LEARN_IMAGE_VERSION);
	ck_assert_ptr_nonnull(image_room(&empty_one, 32));
	ck_assert_ptr_null(learn_difference_create(&a, &empty_one, &error));
	ck_assert_int_eq(error, -EPROTO);
	image_free(&empty_one);
	image_free(&a);
	image_free(&b);
}
END_TEST

START_TEST(two_boxes_cannot_be_compared)
{
	char here[BASELINES_NAME_BYTES], there[BASELINES_NAME_BYTES], path[128];
	struct image a, b;
	int error;

	an_ordinary_day(0);
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + DAY, here), 0);
	reason_destroy(reason);
	snprintf(path, sizeof(path), "%s/learned", state);
	unlink(path);
	key = (struct siphash_key){5, 6};
	open_reason();
	an_ordinary_day(1);
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 2 * DAY, there), 0);
	a = read_named(here);
	b = read_named(there);
	ck_assert_ptr_null(learn_difference_create(&a, &b, &error));
	ck_assert_int_eq(error, -EKEYREJECTED);
	image_free(&a);
	image_free(&b);
}
END_TEST

START_TEST(drift_is_the_share_of_the_week_that_stands_on_new_values)
{
	struct learn_drift *moved;
	char name[BASELINES_NAME_BYTES];
	struct image i;
	int n;

	reason_destroy(reason);
	budget = -1; // without alarms nothing is discarded: what is learned is what was shown
	open_reason();
	for (unsigned day = 0; day < 20; day++) {
		an_ordinary_day(day);
		if (day >= 16 && day < 19)
			calls(2, 60 + day, 443, BEGAN + day * DAY + 9 * 3600 * NS_PER_S);
		if (day == 17)
			calls(7, 1, 443, BEGAN + day * DAY + 9 * 3600 * NS_PER_S);
	}
	ck_assert_int_eq(reason_snapshot(reason, BEGAN + 20 * DAY, name), 0);
	i = read_named(name);
	n = learn_drifts(&i, &moved);
	ck_assert_int_eq(n, 6);
	ck_assert(address_equal(&moved[0].address, &(struct address){4, {0}, {192, 0, 2, 2}}));
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_DISCARDED], 0);
	ck_assert_uint_eq(moved[0].fresh[FEATURE_DESTINATION], 3);
	ck_assert_uint_eq(moved[0].fresh[FEATURE_PORT], 0);
	// 4 endpoints, endpoints with port and destinations, one port and one hour (two on the weekend), on 7 days, are old.
	ck_assert_uint_eq(moved[0].fresh_days, 9);
	ck_assert_uint_gt(moved[0].days, 7 * 12);
	ck_assert_uint_eq(moved[1].fresh_days, 0);
	ck_assert(moved[5].is_new && !moved[4].is_new);
	free(moved);
	image_free(&i);
}
END_TEST

START_TEST(a_budget_outlives_a_restart_until_another_is_given)
{
	struct judge_budget b;

	judge_get_budget(reason_judge(reason), &b);
	ck_assert_double_eq(b.alarms_per_day, 1);
	ck_assert_int_eq(reason_set_budget(reason, 3, 0.5, "test", BEGAN), 0);
	reason_destroy(reason);
	open_reason();
	judge_get_budget(reason_judge(reason), &b);
	ck_assert_double_eq(b.alarms_per_day, 3);
	ck_assert_double_eq(b.blocks_per_day, 0.5);
	ck_assert_int_eq(reason_set_budget(reason, 0, 0, "test", BEGAN), 0);
	reason_destroy(reason);
	open_reason();
	judge_get_budget(reason_judge(reason), &b);
	ck_assert_double_eq(b.alarms_per_day, 0);
	reason_destroy(reason);
	budget = 2; // said at the start
	open_reason();
	judge_get_budget(reason_judge(reason), &b);
	ck_assert_double_eq(b.alarms_per_day, 2);
	ck_assert_int_eq(reason_set_budget(reason, 0.001, 0, "test", BEGAN), -EINVAL);
	ck_assert_int_eq(reason_set_budget(reason, 11, 0, "test", BEGAN), -EINVAL);
	ck_assert_int_eq(reason_set_budget(reason, 1, -1, "test", BEGAN), -EINVAL);
	ck_assert_int_eq(reason_set_budget(reason, NAN, 0, "test", BEGAN), -EINVAL);
}
END_TEST

static void java_reference(uint64_t now_ns)
{
	struct observation o;

	observation_init(&o, OBS_LDAP);
	o.client = device(1);
	o.server = outside(9);
	o.client_port = 40000;
	o.server_port = 1389;
	o.transport = 6;
	o.direction = DIRECTION_OUT;
	o.app = APP_LDAP;
	o.time_ns = now_ns;
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	observation_put(&o, TEXT_LDAP_CODEBASE, bytes_of_text("http://203.0.113.9:8000/"));
	o.facts = FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
	reason_observe(reason, &o);
	reason_step(reason, now_ns + NS_PER_S);
}

START_TEST(an_incident_is_confirmed_once_and_counts_for_its_day)
{
	java_reference(BEGAN);
	ck_assert_int_eq(reason_confirm_incident(reason, 99, "test", BEGAN), -ENOENT);
	ck_assert_int_eq(reason_confirm_incident(reason, 0, "test", BEGAN), -ENOENT);
	ck_assert_int_eq(reason_confirm_incident(reason, 1, "test", BEGAN + 3600 * NS_PER_S), 0);
	ck_assert_int_eq(reason_confirm_incident(reason, 1, "test", BEGAN + 3600 * NS_PER_S), -EALREADY);
	java_reference(BEGAN + 3 * DAY);
	ck_assert_int_eq(reason_confirm_incident(reason, 2, "test", BEGAN + 4 * DAY), -ERANGE);
	ck_assert_int_eq(reason_confirm_incident(reason, 2, "test", BEGAN + 4 * DAY), -EALREADY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("baseline");
	TCase *t = tcase_create("baseline");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, state_end);
	tcase_set_timeout(t, 60); // a copy of the process a day
	tcase_add_test(t, a_snapshot_is_kept_each_day_and_the_oldest_of_many_goes);
	tcase_add_test(t, only_names_become_paths);
	tcase_add_test(t, a_rollback_forgets_what_was_learned_since_and_is_audited);
	tcase_add_test(t, a_snapshot_that_does_not_fit_changes_nothing);
	tcase_add_test(t, an_import_is_proved_before_it_is_a_snapshot);
	tcase_add_test(t, the_difference_names_what_is_known_and_counts_the_rest);
	tcase_add_test(t, two_boxes_cannot_be_compared);
	tcase_add_test(t, drift_is_the_share_of_the_week_that_stands_on_new_values);
	tcase_add_test(t, a_budget_outlives_a_restart_until_another_is_given);
	tcase_add_test(t, an_incident_is_confirmed_once_and_counts_for_its_day);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
