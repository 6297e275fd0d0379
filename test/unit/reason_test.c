// SPDX-License-Identifier: GPL-2.0-or-later
#include "reason_state.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define NOW 1700000000000000000ull
#define DAY (86400ll * (int64_t)NS_PER_S)

static struct verdict sent[64];
static unsigned sents;

static void take(void *user, unsigned worker, const struct verdict *v)
{
	if (sents < 64)
		sent[sents++] = *v;
}

static void open_reason(unsigned mode)
{
	struct reason_config c = {.state = state, .policies = policies, .mode = mode, .devices = 256, .values = 1 << 14, .key = {1, 2}, .filter_key = {3, 4},
				  .sheet = sheet, .hold = true, .counters = &counters, .hooks = {.verdict = take}};
	char error[512];

	sents = 0;
	reason = reason_create(&c, error);
	ck_assert_msg(reason != NULL, "%s", error);
}

static void setup(void)
{
	state_begin("/tmp/sekimori-reason-XXXXXX");
	open_reason(MODE_ENFORCE);
}

static struct observation observation(enum observation_kind kind, enum direction direction)
{
	struct observation o;

	observation_init(&o, kind);
	o.client = address_v4((const uint8_t[4]){192, 0, 2, 10});
	o.server = address_v4((const uint8_t[4]){203, 0, 113, 9});
	if (direction == DIRECTION_IN) {
		struct address a = o.client;

		o.client = o.server;
		o.server = a;
	}
	o.client_port = 40000;
	o.server_port = 1389;
	o.transport = 6;
	o.direction = (uint8_t)direction;
	o.flow = 1ull << 32 | 5;
	o.time_ns = NOW;
	o.sequence = 1;
	o.from_client = 1;
	return o;
}

static unsigned count_sent(enum verdict_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sents; i++)
		n += sent[i].kind == kind;
	return n;
}

// A reference to Java code from a directory outside: certain, so it needs no learned days.
static void java_reference_of(uint8_t host, uint64_t time_ns)
{
	struct observation o = observation(OBS_LDAP, DIRECTION_OUT);

	o.server.b[3] = host;
	o.time_ns = time_ns;
	o.app = APP_LDAP;
	o.from_client = 0;
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	observation_put(&o, TEXT_LDAP_CODEBASE, bytes_of_text("http://203.0.113.9:8000/"));
	o.facts = FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
	reason_observe(reason, &o);
}

static void java_reference(void)
{
	java_reference_of(9, NOW);
}

START_TEST(a_certain_fact_cuts_the_flow_and_blocks_the_endpoint_for_two_hours)
{
	java_reference();
	ck_assert_uint_eq(count_sent(VERDICT_CUT), 1);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
	for (unsigned i = 0; i < sents; i++) {
		if (sent[i].kind != VERDICT_BLOCK)
			continue;
		ck_assert(verdict_check(&sent[i], NOW));
		ck_assert_uint_eq(sent[i].port, 1389);
		ck_assert_uint_eq(sent[i].expires_ns, NOW + RESPOND_DEFAULT_NS);
	}
}
END_TEST

START_TEST(in_observe_nothing_is_ordered)
{
	reason_set_mode(reason, MODE_OBSERVE, "test", NOW);
	java_reference();
	ck_assert_uint_eq(sents, 0);
	ck_assert_uint_ge(counters.value[COUNT_BRAIN_ALERTS], 1);
}
END_TEST

START_TEST(a_harmless_held_pair_is_released)
{
	struct observation o = observation(OBS_HELD, DIRECTION_OUT);

	reason_observe(reason, &o);
	ck_assert_uint_eq(count_sent(VERDICT_RELEASE), 1);
	ck_assert_uint_eq(sent[0].flow, o.flow);
}
END_TEST

START_TEST(a_held_pair_that_a_lookup_named_is_blocked_instead)
{
	struct observation o = observation(OBS_JNDI, DIRECTION_IN), held = observation(OBS_HELD, DIRECTION_OUT);

	observation_put(&o, TEXT_JNDI_HOST, bytes_of_text("203.0.113.9"));
	observation_put(&o, TEXT_JNDI_DECODED, bytes_of_text("jndi:ldap://203.0.113.9:1389/a"));
	o.facts = FACT_BIT(FACT_JNDI);
	o.client = address_v4((const uint8_t[4]){198, 51, 100, 7});
	reason_observe(reason, &o);
	held.time_ns += NS_PER_S;
	reason_observe(reason, &held);
	ck_assert_uint_eq(count_sent(VERDICT_RELEASE), 0);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
}
END_TEST

static struct observation opens(struct address called, uint64_t flow, uint64_t now_ns)
{
	struct observation o = observation(OBS_FLOW_OPEN, DIRECTION_OUT);

	o.server = called;
	o.server_port = 80;
	o.flow = flow;
	o.time_ns = now_ns;
	return o;
}

// No block fits the metadata service, which is inside: whoever is sent there again must be cut again, told or not.
START_TEST(what_was_cut_is_cut_again_while_its_alert_is_throttled)
{
	const struct address metadata = address_v4((const uint8_t[4]){169, 254, 169, 254});
	struct observation o = opens(address_v4((const uint8_t[4]){198, 51, 100, 7}), 1, NOW), named = observation(OBS_NAMED, DIRECTION_IN);

	reason_observe(reason, &o);
	named.time_ns = NOW + 4 * DAY;
	observation_put(&named, TEXT_NAMED_ADDRESSES, bytes_of(&metadata, sizeof(metadata)));
	reason_observe(reason, &named);
	for (unsigned n = 0; n < 3; n++) {
		sents = 0;
		o = opens(metadata, 10 + n, NOW + 4 * DAY + (n + 1) * NS_PER_S);
		o.kind = n == 2 ? OBS_HELD : OBS_FLOW_OPEN;
		reason_observe(reason, &o);
		ck_assert_msg(count_sent(VERDICT_CUT) == 1 && count_sent(VERDICT_RELEASE) == 0, "time %u", n);
		ck_assert_uint_eq(sent[0].flow, 10 + n);
	}
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_ALERTS_THROTTLED], 2);
	sents = 0;
	o = observation(OBS_BLOCKED, DIRECTION_OUT); // says nothing of the kind
	o.flow = 19;
	reason_observe(reason, &o);
	o = observation(OBS_TLS_SERVER, DIRECTION_OUT);
	o.flow = 19;
	reason_observe(reason, &o);
	ck_assert_uint_eq(sents, 0);
	reason_set_mode(reason, MODE_OBSERVE, "test", NOW + 4 * DAY);
	o = opens(metadata, 20, NOW + 4 * DAY + 9 * NS_PER_S);
	reason_observe(reason, &o);
	ck_assert_uint_eq(sents, 0);
}
END_TEST

START_TEST(blocks_and_mode_survive_a_restart_with_the_time_that_remains)
{
	java_reference();
	reason_step(reason, NOW + NS_PER_S);
	reason_save(reason);
	reason_destroy(reason);
	open_reason(MODE_COUNT);
	ck_assert_uint_eq(reason_mode(reason), MODE_OBSERVE); // no mode was ever set by a person
	reason_set_mode(reason, MODE_ENFORCE, "test", NOW);
	reason_destroy(reason);
	open_reason(MODE_COUNT);
	ck_assert_uint_eq(reason_mode(reason), MODE_ENFORCE);
	sents = 0;
	reason_resume(reason, NOW + 2 * NS_PER_S);
	ck_assert_uint_ge(count_sent(VERDICT_BLOCK), 1);
	ck_assert_uint_eq(sent[0].expires_ns, NOW + RESPOND_DEFAULT_NS);
}
END_TEST

// Of the wall clock that is set, ahead or back; the deadline clock goes on.
static void clock_set(int64_t by_ns)
{
	reason_set_deadline_offset(reason, 0 - by_ns);
	reason_step(reason, (uint64_t)((int64_t)NOW + by_ns) + NS_PER_S);
}

// As somebody who writes with another program. SQLite's lock of a journal's writer is this byte.
static pid_t lock_journal(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1};
	char path[128], byte;
	int locked[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/journal.db-shm", state);
	ck_assert_int_eq(pipe(locked), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(path, O_RDWR);

		if (fd < 0 || fcntl(fd, F_SETLKW, &lock) < 0 || write(locked[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(locked[1]);
	ck_assert_int_eq(read(locked[0], &byte, 1), 1);
	close(locked[0]);
	return pid;
}

START_TEST(a_block_made_while_the_journal_was_locked_survives_a_restart_too)
{
	struct timespec nap = {.tv_sec = 1, .tv_nsec = 200000000}; // so long nobody asks for the lock again
	pid_t pid = lock_journal();

	java_reference();
	reason_step(reason, NOW + NS_PER_S);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_JOURNAL_ERRORS], 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	nanosleep(&nap, NULL);
	for (unsigned i = 0; i < 100; i++)
		reason_step(reason, NOW + 2 * NS_PER_S + i * NS_PER_S / 10);
	reason_destroy(reason);
	open_reason(MODE_ENFORCE);
	reason_resume(reason, NOW + 20 * NS_PER_S);
	ck_assert_uint_eq(count_sent(VERDICT_BLOCK), 1);
	ck_assert_uint_eq(sent[0].expires_ns, NOW + RESPOND_DEFAULT_NS);
}
END_TEST

// A block is on disk at once, the alert and the incident that it names a second later: their numbers must not be another's.
START_TEST(what_died_with_a_brain_leaves_no_block_to_another_s_story)
{
	const struct block *b[2];
	pid_t pid;

	reason_destroy(reason);
	pid = fork();
	if (pid == 0) {
		open_reason(MODE_ENFORCE);
		java_reference();
		_exit(count_sent(VERDICT_BLOCK) == 0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	open_reason(MODE_ENFORCE);
	reason_resume(reason, NOW + NS_PER_S);
	java_reference_of(10, NOW + 2 * NS_PER_S);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(b[i] = respond_at(reason_respond(reason), i));
	ck_assert_uint_ne(b[0]->incident, 0);
	ck_assert_uint_ne(b[0]->incident, b[1]->incident);
	ck_assert_uint_ne(b[0]->alert, b[1]->alert);
}
END_TEST

START_TEST(a_wall_clock_set_ahead_ends_no_block)
{
	java_reference();
	sents = 0;
	clock_set(DAY);
	ck_assert_uint_eq(count_sent(VERDICT_UNBLOCK), 0);
	ck_assert_uint_eq(respond_count(reason_respond(reason)), 1);
	ck_assert(respond_at(reason_respond(reason), 0)->expires_ns == NOW + DAY + RESPOND_DEFAULT_NS);
	reason_destroy(reason); // and the next one finds it so
	open_reason(MODE_ENFORCE);
	reason_set_deadline_offset(reason, -DAY);
	reason_resume(reason, NOW + DAY + 2 * NS_PER_S);
	ck_assert_uint_eq(count_sent(VERDICT_BLOCK), 1);
	ck_assert_uint_eq(sent[0].expires_ns, NOW + RESPOND_DEFAULT_NS);
}
END_TEST

START_TEST(a_wall_clock_set_back_prolongs_no_block)
{
	java_reference();
	clock_set(-DAY);
	ck_assert_uint_eq(respond_count(reason_respond(reason)), 1);
	reason_step(reason, NOW - DAY + RESPOND_DEFAULT_NS + NS_PER_S);
	ck_assert_uint_eq(respond_count(reason_respond(reason)), 0);
}
END_TEST

// They wait in a ring meanwhile.
START_TEST(frames_from_before_the_clock_was_set_end_no_block_and_make_none_longer)
{
	static const int64_t offset[] = {3 * 3600 * (int64_t)NS_PER_S, -3 * 3600 * (int64_t)NS_PER_S}; // set back, and ahead

	for (unsigned i = 0; i < 2; i++) {
		java_reference();
		reason_step(reason, NOW);
		reason_set_deadline_offset(reason, offset[i]);
		sents = 0;
		for (uint8_t host = 10; host < 12; host++)
			java_reference_of(host, NOW + 1000);
		ck_assert_uint_eq(count_sent(VERDICT_UNBLOCK), 0);
		ck_assert_uint_eq(count_sent(VERDICT_BLOCK), 2);
		for (unsigned k = 0; k < sents; k++)
			ck_assert(sent[k].kind != VERDICT_BLOCK || sent[k].expires_ns == NOW + 1000 + 7200 * NS_PER_S);
		java_reference_of(12, NOW - (uint64_t)offset[i] + 2000); // and one from after it
		ck_assert_uint_eq(count_sent(VERDICT_BLOCK), 3);
		ck_assert(sent[sents - 1].kind == VERDICT_CUT && sent[sents - 2].expires_ns == NOW + 2000 + 7200 * NS_PER_S);
		ck_assert_uint_eq(respond_count(reason_respond(reason)), 4);
		state_end();
		setup();
	}
}
END_TEST

START_TEST(nonsense_from_the_ring_is_counted_and_consumed)
{
	struct observation o = observation(OBS_LDAP, DIRECTION_OUT);

	o.slot[0] = (struct text_slot){60000, 60000};
	reason_observe(reason, &o);
	o = observation(OBS_LDAP, DIRECTION_OUT);
	o.kind = 4711;
	reason_observe(reason, &o);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_OBSERVATIONS_BAD], 2);
}
END_TEST

START_TEST(the_table_of_certain_facts_is_published_whole)
{
	ck_assert_uint_eq(sheet->certain_version & 1, 0);
	ck_assert_uint_gt(sheet->certain_version, 0);
	ck_assert_uint_gt(sheet->certain_count, 0);
	ck_assert_uint_le(sheet->certain_count, SHEET_CERTAIN);
	ck_assert_uint_eq(sheet->mode, MODE_ENFORCE);
}
END_TEST

START_TEST(a_pair_becomes_known_on_a_later_day_not_by_knocking_twice)
{
	struct siphash_key key = {3, 4};
	struct observation o = observation(OBS_FLOW_OPEN, DIRECTION_OUT);

	reason_observe(reason, &o);
	o.time_ns += 3600 * NS_PER_S;
	reason_observe(reason, &o);
	ck_assert(!filter_has(sheet, &key, FILTER_PAIR, &o.client, &o.server));
	o.time_ns += 25 * 3600 * NS_PER_S;
	reason_observe(reason, &o);
	ck_assert(filter_has(sheet, &key, FILTER_PAIR, &o.client, &o.server));
}
END_TEST

// --- a restart in the middle of a life ---
#define DAY_NS (86400ull * NS_PER_S)
#define BEGAN (19000ull * DAY_NS)
enum { LIFE_DAYS = 22, WORKERS = 24, RESTARTED_DAY = 15 };

static char *told; // the journal as text, and every alert's bytes
static size_t told_bytes, told_room;
static unsigned told_alerts, told_scores;

static void tell(const void *data, size_t n)
{
	if (told_room - told_bytes < n + 1) {
		told_room = 2 * told_room + n + 1;
		told = realloc(told, told_room);
		ck_assert_ptr_nonnull(told);
	}
	memcpy(told + told_bytes, data, n);
	told_bytes += n;
	told[told_bytes] = 0;
}

static void take_alert(void *user, const struct alert *a, const struct incident *i)
{
	tell(a, sizeof(*a));
	told_alerts++;
}

// All that bears on what is said next: who, what, how unlikely, by which counts.
static void take_score(void *user, const struct score *s)
{
	char line[256];

	tell(line, (size_t)snprintf(line, sizeof(line), "%llu %u %llx %.17g %.17g %d %u %u\n", (unsigned long long)s->time_ns, s->class,
				    (unsigned long long)s->key, s->surprise, s->rank.bits, s->microbits, s->rank.held, s->ready));
	told_scores++;
}

static void take_line(void *user, const char *line)
{
	tell(line, strlen(line));
	tell("\n", 1);
}

static void open_living(uint64_t now_ns)
{
	struct reason_config c = {.state = state, .policies = policies, .mode = MODE_ENFORCE, .devices = 64, .values = 1 << 14, .key = {1, 2},
				  .filter_key = {3, 4}, .sheet = sheet, .counters = &counters,
				  .hooks = {.verdict = take, .alert = take_alert, .score = take_score},
				  .alarms_per_day = 10};
	char error[512];

	reason = reason_create(&c, error);
	ck_assert_msg(reason != NULL, "%s", error);
	reason_resume(reason, now_ns);
}

static void see(unsigned kind, unsigned worker, unsigned endpoint, uint64_t now_ns)
{
	struct observation o = observation(kind, DIRECTION_OUT);
	char host[64], agent[64];

	o.client.b[3] = (uint8_t)(10 + worker);
	o.server.b[3] = (uint8_t)endpoint;
	o.server_port = kind == OBS_HTTP_REQUEST ? 80 : 443;
	o.flow = now_ns / NS_PER_S << 16 | worker << 8 | endpoint;
	o.time_ns = now_ns;
	if (kind == OBS_HTTP_REQUEST) {
		snprintf(host, sizeof(host), "203.0.113.%u", endpoint);
		snprintf(agent, sizeof(agent), "Program%u/1.0", endpoint % 5);
		o.app = APP_HTTP;
		o.number[NUM_REQUEST_TX] = 1;
		o.flags8 |= OBS_FLAG_BARE_HOST;
		observation_put(&o, TEXT_REQUEST_METHOD, bytes_of_text("GET"));
		observation_put(&o, TEXT_REQUEST_URI, bytes_of_text("/"));
		observation_put(&o, TEXT_REQUEST_HOST, bytes_of_text(host));
		observation_put(&o, TEXT_REQUEST_AGENT, bytes_of_text(agent));
	}
	ck_assert(observation_check(&o));
	reason_observe(reason, &o);
}

static void an_hour(unsigned day, unsigned hour)
{
	uint64_t now_ns = BEGAN + day * DAY_NS + hour * 3600 * NS_PER_S;

	for (unsigned w = 0; w < WORKERS; w++) {
		unsigned chance = (day * 7919 + hour * 104729 + w * 1299709) % 13;

		see(OBS_FLOW_OPEN, w, 1 + (w + hour) % 9, now_ns + w * NS_PER_S);
		see(OBS_HTTP_REQUEST, w, 1 + (w + hour) % 9, now_ns + w * NS_PER_S);
		if (chance < 6)
			see(OBS_FLOW_OPEN, w, 20 + chance + day, now_ns + (100 + w) * NS_PER_S);
	}
	if (day >= LIFE_DAYS - 5) // one looks around: every hour more than it ever did
		for (unsigned k = 0; k < 12; k++) {
			see(OBS_FLOW_OPEN, 3, 100 + k + hour * 4, now_ns + (200 + k) * NS_PER_S);
			see(OBS_HTTP_REQUEST, 3, 100 + k + hour * 4, now_ns + (200 + k) * NS_PER_S);
		}
	reason_step(reason, now_ns + 1800 * NS_PER_S);
}

// Saved, destroyed and created anew on the hour: it begins as the one before ended.
static void restart(unsigned day, unsigned hour)
{
	ck_assert_int_eq(reason_save(reason), 0);
	reason_destroy(reason);
	open_living(BEGAN + day * DAY_NS + hour * 3600 * NS_PER_S - 1800 * NS_PER_S);
}

// What will decide about tomorrow.
static void tell_standing(uint64_t now_ns)
{
	struct judge_budget b;
	const struct device *d;
	uint8_t hash[32];

	learn_hash(reason_learn(reason), hash);
	tell(hash, sizeof(hash));
	judge_get_budget(reason_judge(reason), &b);
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		tell(&b.role[r].threshold, sizeof(b.role[r].threshold));
		tell(&b.role[r].alarms_per_day, sizeof(b.role[r].alarms_per_day));
	}
	tell(&b.block_threshold, sizeof(b.block_threshold));
	tell(&b.debt, sizeof(b.debt));
	tell(&b.days, sizeof(b.days));
	for (uint32_t i = 0; (d = learn_device_at(reason_learn(reason), i)); i++) {
		int64_t evidence = judge_evidence(reason_judge(reason), d, now_ns);
		unsigned ready = learn_ready_percent(reason_learn(reason), d, now_ns);

		tell(d, sizeof(*d));
		tell(&evidence, sizeof(evidence));
		tell(&ready, sizeof(ready));
	}
}

static int saved(void) // what the copy said; -ECHILD: there is none
{
	siginfo_t unused;
	int error;

	if (waitid(P_ALL, 0, &unused, WEXITED | WNOWAIT) < 0)
		return -errno;
	ck_assert(reason_saved(reason, &error));
	return error;
}

START_TEST(a_copy_saves_what_was_learned_when_it_was_made)
{
	uint8_t before[32], now[32], found[32];
	int error;

	reason_destroy(reason);
	open_living(BEGAN);
	for (unsigned hour = 8; hour < 18; hour++)
		an_hour(0, hour);
	learn_hash(reason_learn(reason), before);
	ck_assert_int_eq(reason_save_beside(reason), 0);
	ck_assert_int_eq(reason_save_beside(reason), -EBUSY);
	for (unsigned hour = 8; hour < 18; hour++)
		an_hour(3, hour); // meanwhile
	learn_hash(reason_learn(reason), now);
	ck_assert_mem_ne(before, now, 32);
	ck_assert_int_eq(saved(), 0);
	ck_assert(!reason_saved(reason, &error)); // once
	reason_destroy(reason);
	open_living(BEGAN + DAY_NS);
	learn_hash(reason_learn(reason), found);
	ck_assert_mem_eq(before, found, 32);
}
END_TEST

START_TEST(a_copy_that_cannot_write_is_heard_of_and_one_under_way_never_replaces_what_is_newer)
{
	char away[80];
	uint8_t now[32], found[32];

	reason_destroy(reason);
	open_living(BEGAN);
	an_hour(0, 8);
	snprintf(away, sizeof(away), "%s-away", state);
	ck_assert_int_eq(rename(state, away), 0);
	ck_assert_int_eq(reason_save_beside(reason), 0);
	ck_assert_int_eq(saved(), -ENOENT);
	ck_assert_uint_gt(counters.value[COUNT_BRAIN_JOURNAL_ERRORS], 0);
	ck_assert_int_eq(rename(away, state), 0);
	ck_assert_int_eq(reason_save_beside(reason), 0);
	for (unsigned hour = 9; hour < 18; hour++)
		an_hour(0, hour);
	ck_assert_int_eq(reason_save(reason), 0);
	learn_hash(reason_learn(reason), now);
	ck_assert_int_eq(saved(), -ECHILD);
	reason_destroy(reason);
	open_living(BEGAN + DAY_NS);
	learn_hash(reason_learn(reason), found);
	ck_assert_mem_eq(now, found, 32);
}
END_TEST

static void live(bool restarts)
{
	told_bytes = told_alerts = 0;
	for (unsigned day = 0; day < LIFE_DAYS; day++)
		for (unsigned hour = 8; hour < 18; hour++) {
			if (restarts && ((day == RESTARTED_DAY && hour == 12) || (day > RESTARTED_DAY && hour % 3 == 0)))
				restart(day, hour);
			an_hour(day, hour);
		}
	ck_assert_int_eq(journal_dump(reason_journal(reason), take_line, NULL), 0);
	tell_standing(BEGAN + LIFE_DAYS * DAY_NS);
}

START_TEST(a_brain_that_was_restarted_goes_on_exactly_as_one_that_was_not)
{
	char *first;
	size_t bytes;

	reason_destroy(reason);
	open_living(BEGAN);
	live(false);
	ck_assert_uint_gt(told_alerts, 2);
	ck_assert_uint_gt(told_scores, 4);
	first = told;
	bytes = told_bytes;
	told = NULL;
	told_room = 0;
	reason_destroy(reason);
	state_empty();
	brain_sheet_init(sheet);
	open_living(BEGAN);
	live(true);
	ck_assert_uint_eq(told_bytes, bytes);
	ck_assert_mem_eq(told, first, bytes);
	free(first);
	free(told);
	told = NULL;
	told_room = 0;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reason");
	TCase *t = tcase_create("reason");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, state_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_certain_fact_cuts_the_flow_and_blocks_the_endpoint_for_two_hours);
	tcase_add_test(t, in_observe_nothing_is_ordered);
	tcase_add_test(t, a_harmless_held_pair_is_released);
	tcase_add_test(t, a_held_pair_that_a_lookup_named_is_blocked_instead);
	tcase_add_test(t, what_was_cut_is_cut_again_while_its_alert_is_throttled);
	tcase_add_test(t, blocks_and_mode_survive_a_restart_with_the_time_that_remains);
	tcase_add_test(t, a_block_made_while_the_journal_was_locked_survives_a_restart_too);
	tcase_add_test(t, what_died_with_a_brain_leaves_no_block_to_another_s_story);
	tcase_add_test(t, a_wall_clock_set_ahead_ends_no_block);
	tcase_add_test(t, a_wall_clock_set_back_prolongs_no_block);
	tcase_add_test(t, frames_from_before_the_clock_was_set_end_no_block_and_make_none_longer);
	tcase_add_test(t, nonsense_from_the_ring_is_counted_and_consumed);
	tcase_add_test(t, the_table_of_certain_facts_is_published_whole);
	tcase_add_test(t, a_pair_becomes_known_on_a_later_day_not_by_knocking_twice);
	tcase_add_test(t, a_copy_saves_what_was_learned_when_it_was_made);
	tcase_add_test(t, a_copy_that_cannot_write_is_heard_of_and_one_under_way_never_replaces_what_is_newer);
	tcase_add_test(t, a_brain_that_was_restarted_goes_on_exactly_as_one_that_was_not);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
