// SPDX-License-Identifier: GPL-2.0-or-later
// lib/respond: what each mode does, what is never blocked, that every block ends, and that a person has the last word.
#include "alert_draft.h"
#include "counters.h"
#include "respond.h"

#include <errno.h>

struct heard { // what the hooks were told
	unsigned block, unblock, cut;
	uint64_t flow;
	struct block last;
	char what[400];
};

static struct heard heard;
static struct counters counters;

static void on_block(void *user, const struct block *b)
{
	heard.block++;
	heard.last = *b;
}

static void on_unblock(void *user, const struct block *b)
{
	heard.unblock++;
	heard.last = *b;
}

static void on_cut(void *user, uint64_t flow, const struct alert *a)
{
	heard.cut++;
	heard.flow = flow;
}

static void on_changed(void *user, const struct block *b, const char *what)
{
	size_t n = strlen(heard.what);

	snprintf(heard.what + n, sizeof(heard.what) - n, "%s ", what);
}

static struct respond *fresh(void)
{
	static const struct respond_hooks hooks = {on_block, on_unblock, on_cut, on_changed, NULL};

	memset(&heard, 0, sizeof(heard));
	memset(&counters, 0, sizeof(counters));
	return respond_create(1, &hooks, &counters);
}

static struct alert wanting(const char *endpoint, uint64_t time_ns)
{
	struct alert a = alert_draft("conn/callback-web-facing", "192.0.2.10", endpoint, time_ns);

	a.id = 4;
	a.incident = 2;
	a.wants_cut = a.wants_block = 1;
	a.block_ns = 2 * HOUR_NS;
	return a;
}

START_TEST(observing_says_what_would_be_blocked_and_does_nothing)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);
	const struct block *b;

	for (unsigned mode = MODE_LEARN; mode <= MODE_OBSERVE; mode++) {
		respond_alert(r, &a, mode);
		ck_assert_uint_eq(a.response, RESPONSE_WOULD_BLOCK);
		ck_assert_uint_eq(a.block, 1);
	}
	ck_assert_uint_eq(heard.block + heard.unblock + heard.cut, 0);
	ck_assert_str_eq(heard.what, "would ");
	ck_assert_uint_eq(respond_count(r), 1);
	b = respond_at(r, 0);
	ck_assert_uint_eq(b->state, BLOCK_WOULD);
	ck_assert(b->expires_ns == T0 + 2 * HOUR_NS && b->port == 88 && b->endpoint_bits == 32 && b->transport == 6);
	ck_assert_uint_eq(b->incident, 2);
	ck_assert_ptr_null(respond_at(r, 1));
	a.wants_block = 0;
	respond_alert(r, &a, MODE_OBSERVE);
	ck_assert(a.response == RESPONSE_WOULD_BLOCK && a.block == 0 && heard.cut == 0);
	respond_destroy(r);
}
END_TEST

START_TEST(advising_waits_for_a_person_whose_yes_counts_from_then_on)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_ADVISE);
	ck_assert_uint_eq(a.response, RESPONSE_PROPOSED);
	ck_assert_uint_eq(respond_find(r, a.block)->state, BLOCK_PENDING);
	ck_assert_uint_eq(heard.block + heard.cut, 0);
	ck_assert_int_eq(respond_confirm(r, 99, "mika", T0), -ENOENT);
	ck_assert_int_eq(respond_confirm(r, a.block, "mika", T0 + HOUR_NS), 0);
	ck_assert_uint_eq(heard.block, 1);
	ck_assert(heard.last.state == BLOCK_ACTIVE && heard.last.expires_ns == T0 + 3 * HOUR_NS);
	ck_assert_str_eq(heard.last.who, "mika");
	ck_assert_int_eq(respond_confirm(r, a.block, "mika", T0 + HOUR_NS), -ENOENT);
	ck_assert_str_eq(heard.what, "pending made ");
	respond_destroy(r);
}
END_TEST

START_TEST(what_was_proposed_again_and_again_is_confirmed_for_the_time_asked)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	for (unsigned hours = 0; hours < 20; hours++) {
		a.time_ns = T0 + hours * HOUR_NS;
		respond_alert(r, &a, MODE_ADVISE);
	}
	ck_assert_int_eq(respond_confirm(r, a.block, "mika", T0 + 20 * HOUR_NS), 0);
	ck_assert(heard.last.expires_ns == T0 + 22 * HOUR_NS);
	a = wanting("203.0.113.2", T0 + 20 * HOUR_NS);
	respond_alert(r, &a, MODE_ADVISE); // what a person has made longer stays so
	ck_assert_int_eq(respond_extend(r, a.block, 3 * HOUR_NS, 0, "mika", T0 + 20 * HOUR_NS), 0);
	ck_assert_int_eq(respond_confirm(r, a.block, "mika", T0 + 21 * HOUR_NS), 0);
	ck_assert(heard.last.expires_ns == T0 + 25 * HOUR_NS);
	respond_destroy(r);
}
END_TEST

START_TEST(enforcing_cuts_the_flow_and_blocks_address_and_port_for_the_time_asked)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.response == RESPONSE_BLOCKED && a.block == 1);
	ck_assert(heard.cut == 1 && heard.flow == a.flow && heard.block == 1);
	ck_assert(heard.last.port == 88 && heard.last.expires_ns == T0 + 2 * HOUR_NS && heard.last.evidence_ns == T0);
	a.wants_block = 0;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.response == RESPONSE_CUT && a.block == 0 && heard.cut == 2);
	a.wants_cut = 0;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.response == RESPONSE_NONE && heard.cut == 2);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_BLOCKS], 1);
	respond_destroy(r);
}
END_TEST

START_TEST(repeats_renew_one_block_but_never_beyond_a_day_from_its_making)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	for (unsigned hour = 0; hour < 24; hour++) {
		a.time_ns = T0 + hour * HOUR_NS;
		respond_alert(r, &a, MODE_ENFORCE);
		ck_assert_uint_eq(a.block, 1);
	}
	ck_assert_uint_eq(respond_count(r), 1);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 24 * HOUR_NS);
	ck_assert_uint_eq(respond_find(r, 1)->extensions, 22);
	a.time_ns = T0 + 24 * HOUR_NS; // over: a new one is made, with an id of its own
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_uint_eq(a.block, 2);
	ck_assert_uint_eq(heard.unblock, 1);
	respond_destroy(r);
}
END_TEST

START_TEST(attempts_against_a_block_prolong_it_within_the_same_cap)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_ENFORCE);
	respond_attempts(r, 1, 10, T0 + MINUTE_NS); // more than an hour is left: only counted
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 2 * HOUR_NS && respond_find(r, 1)->frames == 10);
	respond_attempts(r, 1, 5, T0 + 90 * MINUTE_NS);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 210 * MINUTE_NS && respond_find(r, 1)->frames == 15);
	for (uint64_t m = 90; m < 48 * 60 && respond_find(r, 1); m += 5) {
		respond_attempts(r, 1, 1, T0 + m * MINUTE_NS);
		respond_step(r, T0 + m * MINUTE_NS);
	}
	ck_assert_ptr_null(respond_find(r, 1));
	ck_assert(heard.last.expires_ns == T0 + 24 * HOUR_NS);
	respond_destroy(r);
}
END_TEST

START_TEST(attempts_prolong_a_block_by_no_more_than_was_asked_for)
{
	struct respond *r = fresh(), *again;
	struct alert a = wanting("203.0.113.1", T0);
	struct block saved;

	a.block_ns = 10 * MINUTE_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	respond_attempts(r, 1, 1, T0 + MINUTE_NS);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 10 * MINUTE_NS); // more than half of it is left
	respond_attempts(r, 1, 1, T0 + 6 * MINUTE_NS);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 16 * MINUTE_NS);
	saved = *respond_find(r, 1);
	respond_destroy(r);
	again = fresh();
	ck_assert_int_eq(respond_restore(again, &saved, T0 + 12 * MINUTE_NS), 0);
	respond_attempts(again, 1, 1, T0 + 12 * MINUTE_NS);
	ck_assert(respond_find(again, 1)->expires_ns == T0 + 22 * MINUTE_NS);
	respond_destroy(again);
}
END_TEST

START_TEST(attempts_told_after_the_end_prolong_nothing)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_ENFORCE);
	respond_attempts(r, 1, 7, T0 + 2 * HOUR_NS);
	ck_assert_uint_eq(respond_find(r, 1)->frames, 7);
	respond_step(r, T0 + 2 * HOUR_NS);
	ck_assert_ptr_null(respond_find(r, 1));
	ck_assert_uint_eq(heard.unblock, 1);
	respond_destroy(r);
}
END_TEST

START_TEST(a_would_be_block_becomes_a_real_one_when_the_mode_allows_it)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_OBSERVE);
	a.time_ns += MINUTE_NS;
	respond_alert(r, &a, MODE_ADVISE);
	ck_assert(a.block == 1 && respond_find(r, 1)->state == BLOCK_PENDING);
	a.time_ns += MINUTE_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.block == 1 && respond_find(r, 1)->state == BLOCK_ACTIVE && heard.block == 1);
	a.time_ns += MINUTE_NS; // back to observing: what runs, runs on, and is not prolonged
	respond_alert(r, &a, MODE_OBSERVE);
	ck_assert(respond_find(r, 1)->state == BLOCK_ACTIVE &&
		  respond_find(r, 1)->expires_ns == T0 + 2 * MINUTE_NS + 2 * HOUR_NS);
	ck_assert_uint_eq(respond_count(r), 1);
	respond_destroy(r);
}
END_TEST

static void check_refused(struct respond *r, struct alert a, const char *why)
{
	uint64_t before = counters.value[COUNT_BRAIN_BLOCKS_REFUSED];

	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_msg(a.response == RESPONSE_REFUSED && a.block == 0, "%s", why);
	ck_assert_msg(heard.block == 0 && heard.cut == 0 && counters.value[COUNT_BRAIN_BLOCKS_REFUSED] == before + 1,
		      "%s", why);
}

START_TEST(what_must_never_be_blocked_is_refused_and_counted)
{
	static const char *const special[] = {"224.0.0.5", "255.255.255.255", "127.0.0.1", "169.254.1.1",
					      "0.0.0.0",   "ff02::1",         "fe80::1"};
	struct respond *r = fresh();
	struct prefix never;
	struct alert a;

	ck_assert_int_eq(prefix_parse(bytes_of_text("203.0.113.0/28"), &never), 0);
	ck_assert_int_eq(respond_never(r, &never), 0);
	check_refused(r, wanting("203.0.113.1", T0), "never-block list");
	for (size_t n = 0; n < sizeof(special) / sizeof(special[0]); n++)
		check_refused(r, wanting(special[n], T0), special[n]);
	check_refused(r, wanting("192.0.2.10", T0), "the device itself");
	a = wanting("198.51.100.1", T0);
	a.transport = 17;
	a.direction = DIRECTION_IN;
	check_refused(r, a, "a forged source could have chosen it");
	a.transport = 1;
	a.direction = DIRECTION_OUT;
	check_refused(r, a, "ICMP");
	a = wanting("203.0.113.2", T0);
	a.wants_block = 0;
	check_refused(r, a, "never-block list, a cut alone");
	ck_assert(respond_is_never(r, &never.address) &&
		  !respond_is_never(r, &(struct address){4, {0}, {198, 51, 100, 1}}));
	respond_destroy(r);
}
END_TEST

START_TEST(a_flow_between_two_inside_devices_is_cut_but_nobody_inside_is_blocked)
{
	struct respond *r = fresh();
	struct alert a = wanting("192.0.2.20", T0);

	a.direction = DIRECTION_LATERAL;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.response == RESPONSE_CUT && heard.cut == 1 && heard.block == 0 && respond_count(r) == 0);
	respond_destroy(r);
}
END_TEST

START_TEST(of_an_inbound_flow_the_throw_away_port_is_not_the_target)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	a.direction = DIRECTION_IN;
	a.endpoint_port = 51234;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert(a.response == RESPONSE_BLOCKED && heard.last.port == 0);
	respond_destroy(r);
}
END_TEST

START_TEST(a_scorer_gone_wild_is_stopped_by_the_rate_cap)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.0", T0);

	for (unsigned n = 0; n < RESPOND_PER_MINUTE + 10; n++) {
		a.endpoint.b[3] = (uint8_t)(n + 1);
		a.time_ns = T0 + n * SECOND_NS;
		respond_alert(r, &a, MODE_ENFORCE);
		ck_assert_uint_eq(a.response, n < RESPOND_PER_MINUTE ? RESPONSE_BLOCKED : RESPONSE_REFUSED);
	}
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_BLOCKS_REFUSED], 10);
	ck_assert_uint_eq(heard.cut, RESPOND_PER_MINUTE);
	a.endpoint.b[3] = 1; // renewing is no new block
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_uint_eq(a.response, RESPONSE_BLOCKED);
	a.endpoint.b[3] = 200;
	a.time_ns = T0 + MINUTE_NS; // the first has left the minute
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_uint_eq(a.response, RESPONSE_BLOCKED);
	respond_destroy(r);
}
END_TEST

START_TEST(every_block_ends_by_itself)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0), b = wanting("203.0.113.2", T0);

	b.block_ns = 30 * 24 * HOUR_NS; // asked for too much
	respond_alert(r, &a, MODE_ENFORCE);
	respond_alert(r, &b, MODE_ENFORCE);
	respond_step(r, T0 + 2 * HOUR_NS - 1);
	ck_assert_uint_eq(respond_count(r), 2);
	respond_step(r, T0 + 2 * HOUR_NS);
	ck_assert_uint_eq(respond_count(r), 1);
	ck_assert(heard.unblock == 1 && heard.last.id == a.block && heard.last.state == BLOCK_EXPIRED);
	respond_step(r, T0 + RESPOND_LONGEST_NS);
	ck_assert_uint_eq(respond_count(r), 0);
	ck_assert_str_eq(heard.what, "made made expired expired ");
	respond_destroy(r);
}
END_TEST

START_TEST(lifting_ends_a_block_and_keeps_it_away_until_its_original_end)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0), other = wanting("203.0.113.1", T0 + HOUR_NS);

	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_int_eq(respond_lift(r, 77, "x", "mika", T0), -ENOENT);
	ck_assert_int_eq(respond_lift(r, a.block, "backup server", "mika", T0 + MINUTE_NS), 0);
	ck_assert(heard.unblock == 1 && heard.last.state == BLOCK_LIFTED &&
		  heard.last.suppress_until_ns == T0 + 2 * HOUR_NS);
	ck_assert_str_eq(heard.last.reason, "backup server");
	ck_assert_int_eq(respond_lift(r, a.block, "again", "mika", T0 + MINUTE_NS), -ENOENT);
	a.time_ns = T0 + HOUR_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_uint_eq(a.response, RESPONSE_REFUSED);
	ck_assert_uint_eq(heard.cut, 1);
	other.endpoint_port = 443; // another port is another target
	respond_alert(r, &other, MODE_ENFORCE);
	ck_assert_uint_eq(other.response, RESPONSE_BLOCKED);
	a.time_ns = T0 + 2 * HOUR_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_uint_eq(a.response, RESPONSE_BLOCKED);
	respond_destroy(r);
}
END_TEST

START_TEST(extending_adds_or_sets_an_end_but_never_shortens)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);

	respond_alert(r, &a, MODE_ENFORCE);
	ck_assert_int_eq(respond_extend(r, 9, HOUR_NS, 0, "mika", T0), -ENOENT);
	ck_assert_int_eq(respond_extend(r, 1, 0, 0, "mika", T0), -EINVAL);
	ck_assert_int_eq(respond_extend(r, 1, HOUR_NS, T0 + 9 * HOUR_NS, "mika", T0), -EINVAL);
	ck_assert_int_eq(respond_extend(r, 1, 0, T0 + HOUR_NS, "mika", T0), -EINVAL);
	ck_assert_int_eq(respond_extend(r, 1, 0, T0 + 2 * HOUR_NS, "mika", T0), -EINVAL);
	ck_assert_int_eq(respond_extend(r, 1, RESPOND_LONGEST_NS, 0, "mika", T0), -EINVAL);
	ck_assert_int_eq(respond_extend(r, 1, UINT64_MAX, 0, "mika", T0), -EINVAL);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 2 * HOUR_NS);
	ck_assert_int_eq(respond_extend(r, 1, HOUR_NS, 0, "mika", T0), 0);
	ck_assert(heard.last.expires_ns == T0 + 3 * HOUR_NS && heard.last.extensions == 1);
	ck_assert_int_eq(respond_extend(r, 1, 0, T0 + 48 * HOUR_NS, "mika", T0), 0);
	ck_assert(respond_find(r, 1)->expires_ns == T0 + 48 * HOUR_NS);
	ck_assert_uint_eq(heard.block, 3);
	respond_destroy(r);
}
END_TEST

START_TEST(a_persons_block_needs_an_end_a_target_and_leave)
{
	struct respond *r = fresh();
	struct block b = {
		.endpoint = at("203.0.113.99"), .endpoint_bits = 24, .expires_ns = T0 + HOUR_NS, .transport = 6};
	struct prefix never;
	uint64_t id = 0;

	ck_assert_int_eq(respond_add(r, &(struct block){.expires_ns = T0 + 1}, T0, &id), -EINVAL);
	b.expires_ns = T0;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EINVAL);
	b.expires_ns = T0 + RESPOND_LONGEST_NS + 1;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EINVAL);
	b.expires_ns = T0 + HOUR_NS;
	b.endpoint_bits = 8;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EINVAL);
	b.endpoint_bits = 24;
	b.transport = 1;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EINVAL);
	b.transport = 0;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), 0);
	ck_assert(id == 1 && heard.last.endpoint.b[3] == 0 && heard.last.state == BLOCK_ACTIVE &&
		  heard.last.alert == 0);
	b.expires_ns = T0 + MINUTE_NS; // shorter: the standing one stays
	ck_assert_int_eq(respond_add(r, &b, T0, &id), 0);
	ck_assert(id == 1 && respond_find(r, 1)->expires_ns == T0 + HOUR_NS);
	prefix_parse(bytes_of_text("198.51.100.7"), &never);
	respond_never(r, &never);
	b = (struct block){.endpoint = at("198.51.100.0"), .endpoint_bits = 24, .expires_ns = T0 + HOUR_NS};
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EPERM); // a prefix around a protected address
	b.endpoint = at("224.0.0.0");
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -EPERM);
	respond_destroy(r);
}
END_TEST

START_TEST(a_new_never_block_prefix_ends_what_stands_against_it)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);
	struct prefix never;

	respond_alert(r, &a, MODE_ENFORCE);
	prefix_parse(bytes_of_text("203.0.113.1"), &never);
	ck_assert_int_eq(respond_never(r, &never), 0);
	ck_assert(heard.unblock == 1 && respond_find(r, 1)->state == BLOCK_LIFTED);
	respond_destroy(r);
}
END_TEST

#define DAY_1970_NS (24 * HOUR_NS)

START_TEST(after_a_restart_blocks_stand_again_for_what_is_left_of_their_time)
{
	struct respond *r = fresh(), *again;
	struct alert a = wanting("203.0.113.1", T0), b = wanting("203.0.113.2", T0), c = wanting("203.0.113.3", T0);
	struct block saved[3];
	struct prefix never;

	b.block_ns = HOUR_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	respond_alert(r, &b, MODE_ENFORCE);
	respond_alert(r, &c, MODE_ENFORCE);
	respond_lift(r, c.block, "", "mika", T0);
	for (uint32_t n = 0; n < 3; n++)
		saved[n] = *respond_at(r, n);
	respond_destroy(r);
	again = fresh();
	for (uint32_t n = 0; n < 3; n++)
		ck_assert_int_eq(respond_restore(again, &saved[n], T0 + 90 * MINUTE_NS), 0);
	ck_assert_uint_eq(heard.block, 1); // only the one that still runs
	ck_assert_int_eq(respond_restore(again, &saved[0], T0), -EEXIST);
	respond_step(again, T0 + 90 * MINUTE_NS);
	ck_assert_str_eq(heard.what, "expired ");
	c.time_ns = T0 + 91 * MINUTE_NS;
	respond_alert(again, &c, MODE_ENFORCE);
	ck_assert_uint_eq(c.response, RESPONSE_REFUSED); // the lift is remembered, too
	c.endpoint_port++;
	respond_alert(again, &c, MODE_ENFORCE);
	ck_assert_uint_eq(c.block, 4); // ids go on
	saved[0].version++;
	ck_assert_int_eq(respond_restore(again, &saved[0], T0), -EINVAL);
	respond_destroy(again);
	again = fresh();
	saved[0].version--;
	saved[0].expires_ns = UINT64_MAX; // the clock was set back: still not for ever
	ck_assert_int_eq(respond_restore(again, &saved[0], T0), 0);
	ck_assert(heard.last.expires_ns == T0 + RESPOND_LONGEST_NS);
	// A box without a battery boots in 1970: an hour stays an hour, and a lift is not remembered for decades.
	ck_assert_int_eq(respond_restore(again, &saved[1], DAY_1970_NS), 0);
	ck_assert(heard.last.expires_ns == DAY_1970_NS + HOUR_NS);
	ck_assert_int_eq(respond_restore(again, &saved[2], DAY_1970_NS), 0);
	ck_assert(respond_find(again, saved[2].id)->suppress_until_ns - DAY_1970_NS <= RESPOND_LONGEST_NS);
	respond_destroy(again);
	again = fresh();
	prefix_parse(bytes_of_text("203.0.113.2"), &never);
	respond_never(again, &never);
	ck_assert_int_eq(respond_restore(again, &saved[1], T0), -EPERM);
	respond_destroy(again);
}
END_TEST

START_TEST(a_lift_is_said_again_after_a_restart)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);
	struct block saved;

	respond_alert(r, &a, MODE_ENFORCE);
	respond_lift(r, a.block, "backup server", "mika", T0 + MINUTE_NS);
	saved = *respond_at(r, 0);
	respond_destroy(r);
	r = fresh(); // the one before may have died with the word still waiting for room in a ring
	ck_assert_int_eq(respond_restore(r, &saved, T0 + 2 * MINUTE_NS), 0);
	ck_assert(heard.unblock == 1 && heard.last.id == saved.id && heard.block == 0);
	ck_assert_str_eq(heard.what, "");
	respond_destroy(r);
	r = fresh(); // by now the wire has ended it by itself
	ck_assert_int_eq(respond_restore(r, &saved, T0 + 2 * HOUR_NS), 0);
	ck_assert_uint_eq(heard.unblock, 0);
	respond_destroy(r);
}
END_TEST

// The journal may not have heard of an end (it was full, or locked): what came after it on the same target stands all the same.
START_TEST(after_a_restart_an_ended_block_does_not_keep_out_the_one_that_runs)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);
	struct block saved[2];

	respond_alert(r, &a, MODE_ENFORCE);
	saved[0] = *respond_at(r, 0);
	a.time_ns = T0 + 3 * HOUR_NS;
	respond_alert(r, &a, MODE_ENFORCE);
	saved[1] = *respond_at(r, 0);
	ck_assert_uint_ne(saved[0].id, saved[1].id);
	respond_destroy(r);
	r = fresh();
	for (uint32_t n = 0; n < 2; n++)
		ck_assert_int_eq(respond_restore(r, &saved[n], T0 + 4 * HOUR_NS), 0);
	ck_assert(heard.block == 1 && heard.last.id == saved[1].id);
	ck_assert_str_eq(heard.what, "expired ");
	ck_assert_uint_eq(respond_count(r), 1);
	ck_assert_int_eq(respond_lift(r, saved[1].id, "", "mika", T0 + 4 * HOUR_NS), 0);
	respond_destroy(r);
}
END_TEST

START_TEST(what_became_protected_while_nobody_ran_is_ended_at_the_wire_too)
{
	struct respond *r = fresh();
	struct alert a = wanting("203.0.113.1", T0);
	struct block saved;
	struct prefix never;

	respond_alert(r, &a, MODE_ENFORCE);
	saved = *respond_at(r, 0);
	respond_destroy(r);
	r = fresh();
	prefix_parse(bytes_of_text("203.0.113.1"), &never);
	respond_never(r, &never);
	ck_assert_int_eq(respond_restore(r, &saved, T0 + MINUTE_NS), -EPERM);
	ck_assert_uint_eq(respond_count(r), 0);
	ck_assert(heard.block == 0 && heard.unblock == 1 && heard.last.id == saved.id);
	ck_assert_str_eq(heard.what, "lifted ");
	respond_destroy(r);
}
END_TEST

START_TEST(a_hundred_thousand_blocks_are_kept_found_and_ended_and_not_one_more)
{
	struct respond *r = fresh();
	struct block b = {.endpoint = at("1.0.0.0"), .endpoint_bits = 32, .port = 443, .transport = 6};
	uint64_t id = 0;

	for (uint32_t n = 0; n < RESPOND_BLOCKS; n++) {
		b.endpoint.b[1] = (uint8_t)(n >> 16);
		b.endpoint.b[2] = (uint8_t)(n >> 8);
		b.endpoint.b[3] = (uint8_t)n;
		b.expires_ns = T0 + (n % 2 ? HOUR_NS : 2 * HOUR_NS);
		ck_assert_int_eq(respond_add(r, &b, T0, &id), 0);
	}
	b.endpoint.b[0] = 2;
	ck_assert_int_eq(respond_add(r, &b, T0, &id), -ENOSPC);
	ck_assert_uint_eq(respond_find(r, 70001)->id, 70001);
	respond_step(r, T0 + HOUR_NS);
	ck_assert_uint_eq(respond_count(r), RESPOND_BLOCKS / 2);
	ck_assert_ptr_null(respond_find(r, 2));
	ck_assert_uint_eq(respond_at(r, 1)->id, 3); // still in the order they were made
	ck_assert_int_eq(respond_add(r, &b, T0, &id), 0);
	ck_assert_uint_eq(id, RESPOND_BLOCKS + 1);
	respond_destroy(r);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		observing_says_what_would_be_blocked_and_does_nothing,
		advising_waits_for_a_person_whose_yes_counts_from_then_on,
		what_was_proposed_again_and_again_is_confirmed_for_the_time_asked,
		enforcing_cuts_the_flow_and_blocks_address_and_port_for_the_time_asked,
		repeats_renew_one_block_but_never_beyond_a_day_from_its_making,
		attempts_against_a_block_prolong_it_within_the_same_cap,
		attempts_prolong_a_block_by_no_more_than_was_asked_for,
		attempts_told_after_the_end_prolong_nothing,
		a_would_be_block_becomes_a_real_one_when_the_mode_allows_it,
		what_must_never_be_blocked_is_refused_and_counted,
		a_flow_between_two_inside_devices_is_cut_but_nobody_inside_is_blocked,
		of_an_inbound_flow_the_throw_away_port_is_not_the_target,
		a_scorer_gone_wild_is_stopped_by_the_rate_cap,
		every_block_ends_by_itself,
		lifting_ends_a_block_and_keeps_it_away_until_its_original_end,
		extending_adds_or_sets_an_end_but_never_shortens,
		a_persons_block_needs_an_end_a_target_and_leave,
		a_new_never_block_prefix_ends_what_stands_against_it,
		after_a_restart_blocks_stand_again_for_what_is_left_of_their_time,
		a_lift_is_said_again_after_a_restart,
		after_a_restart_an_ended_block_does_not_keep_out_the_one_that_runs,
		what_became_protected_while_nobody_ran_is_ended_at_the_wire_too,
		a_hundred_thousand_blocks_are_kept_found_and_ended_and_not_one_more,
	};

	RUN("respond", tests);
}
