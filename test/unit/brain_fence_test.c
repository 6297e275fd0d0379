// SPDX-License-Identifier: GPL-2.0-or-later
// app/brain/fence.c: what stands in the kernel follows the blocks and the mode. The kernel is played by a list here.
#include "brain.h"
#include "fence.h"
#include "log.h"
#include "text.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#define NOW 1700000000000000000ull
#define LATER(n) (NOW + (n) * 10 * NS_PER_S) // further than two comparisons are apart

enum { ELEMENTS = 8192 };
static struct fence_block element[ELEMENTS];
static unsigned elements, replaced;
static bool gone; // no table, and none can be made

// --- the kernel ---

struct fence *fence_open(const char *table, char *error, size_t error_bytes)
{
	return gone ? NULL : (struct fence *)element;
}

void fence_close(struct fence *f)
{
}

const char *fence_error(const struct fence *f)
{
	return "";
}

static bool is_same(const struct fence_block *a, const struct fence_block *b)
{
	return address_equal(&a->endpoint, &b->endpoint) && a->port == b->port && a->transport == b->transport;
}

static int take(const struct fence_block *b, uint8_t transport)
{
	struct fence_block one = *b;

	one.transport = transport;
	for (unsigned i = 0; i < elements; i++)
		if (is_same(&element[i], &one)) {
			element[i] = element[--elements];
			return 0;
		}
	return -ENOENT;
}

int fence_remove(struct fence *f, const struct fence_block *b)
{
	int tcp, udp;

	if (!b->port || b->transport)
		return take(b, b->transport);
	tcp = take(b, 6);
	udp = take(b, 17);
	return tcp < 0 ? udp : tcp;
}

static void put(const struct fence_block *b, uint8_t transport)
{
	struct fence_block one = *b;

	one.transport = transport;
	take(b, transport);
	ck_assert_uint_lt(elements, ELEMENTS);
	element[elements++] = one;
}

int fence_replace(struct fence *f, const struct fence_block *b)
{
	if (b->transport && b->transport != 6 && b->transport != 17)
		return -EINVAL;
	replaced++;
	if (b->port && !b->transport) {
		put(b, 6);
		put(b, 17);
	} else {
		put(b, b->transport);
	}
	return 0;
}

int fence_clear(struct fence *f)
{
	elements = 0;
	return 0;
}

int fence_list(struct fence *f, void (*each)(void *user, const struct fence_block *b), void *user)
{
	if (gone)
		return -ENOENT;
	for (unsigned i = 0; i < elements; i++)
		each(user, &element[i]);
	return 0;
}

// --- the brain ---

static struct brain brain;

static void blocked(void *user, const struct block *b, const char *what, uint64_t now_ns)
{
	brain_fence_block(user, b, what, now_ns);
}

static void setup(void)
{
	struct reason_config c = {.mode = MODE_ENFORCE, .devices = 256, .values = 1 << 14, .counters = &brain.counters,
				  .hooks = {.block = blocked, .user = &brain}};
	char error[512];

	brain = (struct brain){.options = {.fence = true}};
	gone = false;
	elements = 0;
	c.policies = brain.policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	c.sheet = brain.sheet = calloc(1, sizeof(*brain.sheet));
	ck_assert(c.policies && c.sheet);
	brain_sheet_init(brain.sheet);
	brain_fence_open(&brain);
	brain.reason = reason_create(&c, error);
	ck_assert_msg(brain.reason != NULL, "%s", error);
	reason_step(brain.reason, NOW);
	brain_fence_step(&brain, NOW);
}

static void teardown(void)
{
	reason_destroy(brain.reason);
	policy_free(brain.policies);
	free(brain.sheet);
}

static void block(const char *address, uint8_t transport, uint16_t port)
{
	struct block b = {.endpoint_bits = 32, .port = port, .transport = transport, .expires_ns = NOW + 3600 * NS_PER_S};
	uint64_t id;

	ck_assert_int_eq(address_parse(bytes_of_text(address), &b.endpoint), 0);
	ck_assert_int_eq(respond_add(reason_respond(brain.reason), &b, NOW, &id), 0);
}

// "All enforcement off at once": the kernel's, too.
START_TEST(in_a_mode_that_blocks_nothing_nothing_is_fenced)
{
	block("203.0.113.1", 6, 443);
	ck_assert_uint_eq(elements, 1);
	reason_set_mode(brain.reason, MODE_OBSERVE, "panic", NOW);
	brain_fence_step(&brain, NOW + 1); // not only with the next comparison
	ck_assert_uint_eq(elements, 0);
	block("203.0.113.2", 6, 443);
	ck_assert_uint_eq(elements, 0);
	brain_fence_step(&brain, LATER(1));
	ck_assert_uint_eq(elements, 0);
	reason_set_mode(brain.reason, MODE_ADVISE, "test", NOW);
	brain_fence_step(&brain, LATER(1) + 1);
	ck_assert_uint_eq(elements, 2);
	ck_assert_uint_eq(element[0].remaining_ms, 3590 * 1000 - 1);
}
END_TEST

// What an earlier run left in the kernel is no reason to go on.
START_TEST(what_is_found_in_such_a_mode_is_removed)
{
	reason_set_mode(brain.reason, MODE_OBSERVE, "test", NOW);
	brain_fence_step(&brain, NOW + 1);
	elements = 1;
	brain_fence_step(&brain, LATER(2));
	ck_assert_uint_eq(elements, 0);
}
END_TEST

START_TEST(what_is_missing_is_made_again_each_transport_by_itself)
{
	block("203.0.113.1", 6, 53);
	block("203.0.113.1", 17, 53);
	block("203.0.113.2", 0, 88);
	block("203.0.113.3", 6, 0);
	block("203.0.113.3", 0, 0);
	ck_assert_uint_eq(elements, 6);
	for (unsigned i = 0; i < 6; i++) {
		fence_remove(NULL, &(struct fence_block){element[0].endpoint, element[0].port, element[0].transport, 0, ""});
		ck_assert_uint_eq(elements, 5);
		brain_fence_step(&brain, LATER(3 + i));
		ck_assert_msg(elements == 6, "time %u", i);
	}
}
END_TEST

// An order to the kernel that failed: a lift, an extension, an end that was brought forward.
START_TEST(what_no_block_wants_goes_and_what_has_another_time_is_made_anew)
{
	struct fence_block stray = {.endpoint = {4, {0}, {203, 0, 113, 9}}, .port = 443, .transport = 6, .remaining_ms = 600000};
	const uint64_t hour = 3600000, now = LATER(30), left = hour - (now - NOW) / 1000000;

	block("203.0.113.1", 6, 443);
	block("203.0.113.2", 0, 88);
	put(&stray, 6);
	element[0].remaining_ms = 60000;
	element[1].remaining_ms += hour;
	brain_fence_step(&brain, now);
	ck_assert_uint_eq(elements, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(!address_equal(&element[i].endpoint, &stray.endpoint));
		ck_assert_uint_eq(element[i].remaining_ms, left);
	}
}
END_TEST

// A port of TCP, and the same port of any transport: the longer one's time, again and again.
START_TEST(of_two_blocks_of_one_element_the_longer_counts)
{
	struct block b = {.endpoint = {4, {0}, {203, 0, 113, 1}}, .endpoint_bits = 32, .port = 88, .expires_ns = NOW + 600 * NS_PER_S};
	uint64_t id;

	block("203.0.113.1", 6, 88); // an hour
	ck_assert_int_eq(respond_add(reason_respond(brain.reason), &b, NOW, &id), 0);
	for (unsigned n = 0; n < 2; n++) {
		brain_fence_step(&brain, LATER(31 + n));
		ck_assert_uint_eq(elements, 2);
		for (unsigned i = 0; i < 2; i++)
			ck_assert_uint_eq(element[i].remaining_ms, (element[i].transport == 6 ? 3600000 : 600000) - 310000);
	}
}
END_TEST

START_TEST(of_two_blocks_of_one_element_the_lift_of_one_leaves_the_other)
{
	struct block b = {.endpoint = {4, {0}, {203, 0, 113, 1}}, .endpoint_bits = 32, .port = 88, .expires_ns = NOW + 600 * NS_PER_S};
	uint64_t id;

	block("203.0.113.1", 6, 88);
	block("203.0.113.2", 6, 88);
	ck_assert_int_eq(respond_add(reason_respond(brain.reason), &b, NOW, &id), 0);
	ck_assert_uint_eq(elements, 3);
	ck_assert_int_eq(respond_lift(reason_respond(brain.reason), id, "", "mika", NOW), 0);
	brain_fence_step(&brain, NOW + 1000000); // soon, not in five seconds
	ck_assert_uint_eq(elements, 2);
	for (unsigned i = 0; i < 2; i++)
		ck_assert(element[i].transport == 6 && element[i].remaining_ms >= 3599000);
}
END_TEST

// What cannot be fenced is no error every five seconds.
START_TEST(networks_are_left_to_the_wire)
{
	struct block b = {.endpoint = {4, {0}, {203, 0, 113, 0}}, .endpoint_bits = 24, .expires_ns = NOW + 7200 * NS_PER_S};
	uint64_t id;

	ck_assert_int_eq(respond_add(reason_respond(brain.reason), &b, NOW, &id), 0);
	brain_fence_step(&brain, LATER(32));
	ck_assert_uint_eq(elements, 0);
	ck_assert_uint_eq(brain.counters.value[COUNT_BRAIN_FENCE_ERRORS], 0);
}
END_TEST

// More than one comparison makes, and more than the list there once was.
START_TEST(many_elements_are_made_in_steps_and_then_left_alone)
{
	enum { MANY = 5000 };
	unsigned steps = 0;

	for (unsigned i = 0; i < MANY; i++) {
		struct block b = {.endpoint = {4, {0}, {198, 18, (uint8_t)(i >> 8), (uint8_t)i}}, .endpoint_bits = 32, .expires_ns = NOW + 86400 * NS_PER_S};
		uint64_t id;

		ck_assert_int_eq(respond_add(reason_respond(brain.reason), &b, NOW, &id), 0);
	}
	ck_assert_uint_eq(elements, MANY);
	elements = 0;
	replaced = 0;
	for (; elements < MANY; steps++) {
		ck_assert_uint_lt(steps, 10);
		brain_fence_step(&brain, LATER(40 + steps));
		for (unsigned i = 0; i < elements; i++) // time passes in the kernel, too
			element[i].remaining_ms -= element[i].remaining_ms > 10000 ? 10000 : 0;
	}
	ck_assert_uint_eq(replaced, MANY);
	ck_assert_uint_gt(steps, 3);
	brain_fence_step(&brain, LATER(40 + steps));
	ck_assert_uint_eq(replaced, MANY);
}
END_TEST

START_TEST(a_table_that_could_not_be_made_is_tried_again)
{
	block("203.0.113.1", 6, 443);
	gone = true;
	elements = 0;
	brain_fence_step(&brain, LATER(10));
	brain_fence_step(&brain, LATER(17));
	gone = false;
	brain_fence_step(&brain, LATER(24));
	ck_assert_uint_eq(elements, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("brain_fence");
	TCase *t = tcase_create("brain_fence");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, in_a_mode_that_blocks_nothing_nothing_is_fenced);
	tcase_add_test(t, what_is_found_in_such_a_mode_is_removed);
	tcase_add_test(t, what_no_block_wants_goes_and_what_has_another_time_is_made_anew);
	tcase_add_test(t, of_two_blocks_of_one_element_the_longer_counts);
	tcase_add_test(t, of_two_blocks_of_one_element_the_lift_of_one_leaves_the_other);
	tcase_add_test(t, networks_are_left_to_the_wire);
	tcase_add_test(t, many_elements_are_made_in_steps_and_then_left_alone);
	tcase_add_test(t, a_table_that_could_not_be_made_is_tried_again);
	tcase_add_test(t, what_is_missing_is_made_again_each_transport_by_itself);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
