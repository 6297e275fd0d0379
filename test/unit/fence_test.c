// SPDX-License-Identifier: GPL-2.0-or-later
// The fence in a network namespace of its own, with the nft command as the second opinion. Skipped (77) where
// namespaces or nf_tables are not permitted.
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fence.h"

static struct fence *fence;
static char error[256];

static struct fence_block block(const char *address, uint8_t transport, uint16_t port, uint64_t ms, const char *comment)
{
	struct fence_block b = {.transport = transport, .port = port, .remaining_ms = ms};

	ck_assert_int_eq(address_parse(bytes_of_text(address), &b.endpoint), 0);
	snprintf(b.comment, sizeof(b.comment), "%s", comment);
	return b;
}

struct found {
	struct fence_block want;
	unsigned all, matches;
	struct fence_block last;
};

static void look(void *user, const struct fence_block *b)
{
	struct found *f = user;

	f->all++;
	if (!address_equal(&b->endpoint, &f->want.endpoint) || b->port != f->want.port ||
	    b->transport != f->want.transport)
		return;
	f->matches++;
	f->last = *b;
}

static struct found find(struct fence_block want)
{
	struct found f = {.want = want};

	ck_assert_int_eq(fence_list(fence, look, &f), 0);
	return f;
}

// What the nft command says, without line ends and tabs.
static const char *nft(const char *arguments)
{
	static char out[16384];
	char command[256];
	FILE *pipe;
	size_t n;

	snprintf(command, sizeof(command), "nft %s 2>&1", arguments);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	pclose(pipe);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (out[i] == '\n' || out[i] == '\t')
			out[i] = ' ';
	return out;
}

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void start(void)
{
	fence = fence_open("sekimori", error, sizeof(error));
	ck_assert_msg(fence != NULL, "%s", error);
}

static void stop(void)
{
	ck_assert_int_eq(fence_destroy(fence), 0);
}

START_TEST(an_element_is_seen_by_the_kernel_with_time_and_comment)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 7200000, "incident 42 first outbound LDAP");
	struct found f;
	const char *text;

	ck_assert_int_eq(fence_add(fence, &b), 0);
	f = find(b);
	ck_assert_uint_eq(f.all, 1);
	ck_assert_uint_eq(f.matches, 1);
	ck_assert_str_eq(f.last.comment, b.comment);
	ck_assert(f.last.remaining_ms <= 7200000 && f.last.remaining_ms > 7190000);
	text = nft("list table inet sekimori");
	ck_assert_msg(strstr(text, "203.0.113.9 . tcp . 389 timeout 2h") &&
			      strstr(text, "comment \"incident 42 first outbound LDAP\""),
		      "%s", text);
}
END_TEST

START_TEST(the_rules_drop_both_directions_in_all_three_hooks)
{
	const char *text = nft("list table inet sekimori");
	static const char *const wanted[] = {
		"ip daddr . meta l4proto . th dport @port4",
		"ip saddr . meta l4proto . th sport @port4",
		"ip6 daddr . meta l4proto . th dport @port6",
		"ip6 saddr . meta l4proto . th sport @port6",
		"ip daddr @address4",
		"ip saddr @address4",
		"ip6 daddr @address6",
		"ip6 saddr @address6",
		"ip daddr . meta l4proto @transport4",
		"ip6 saddr . meta l4proto @transport6",
		"hook forward priority filter; policy accept;",
		"hook input priority filter; policy accept;",
		"hook output priority filter; policy accept;",
		"jump refused",
		"flags timeout",
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_msg(strstr(text, wanted[i]) != NULL, "no '%s' in: %s", wanted[i], text);
}
END_TEST

START_TEST(every_kind_of_block_is_kept_and_read_back)
{
	const struct fence_block all[] = {
		block("203.0.113.1", 0, 0, 60000, "a"),   block("203.0.113.1", 17, 0, 60000, "b"),
		block("203.0.113.1", 17, 53, 60000, "c"), block("2001:db8::1", 0, 0, 60000, "d"),
		block("2001:db8::1", 6, 0, 60000, "e"),   block("2001:db8::1", 6, 65535, 60000, "f"),
		block("203.0.113.1", 6, 53, 60000, ""),
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert_int_eq(fence_add(fence, &all[i]), 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct found f = find(all[i]);

		ck_assert_uint_eq(f.all, 7);
		ck_assert_uint_eq(f.matches, 1);
		ck_assert_str_eq(f.last.comment, all[i].comment);
	}
}
END_TEST

START_TEST(a_port_of_any_transport_is_two_elements)
{
	struct fence_block b = block("203.0.113.9", 0, 443, 60000, "x"), tcp = b;

	tcp.transport = 6;
	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_uint_eq(find(tcp).all, 2);
	ck_assert_uint_eq(find(tcp).matches, 1);
	ck_assert_int_eq(fence_remove(fence, &tcp), 0);
	ck_assert_int_eq(fence_replace(fence, &b), 0); // one of the two is missing
	ck_assert_uint_eq(find(tcp).all, 2);
	ck_assert_int_eq(fence_remove(fence, &b), 0);
	ck_assert_uint_eq(find(tcp).all, 0);
}
END_TEST

START_TEST(the_kernel_forgets_an_element_at_its_time)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 1000, "short");

	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_uint_eq(find(b).matches, 1);
	sleep_ms(1300);
	ck_assert_uint_eq(find(b).matches, 0);
	ck_assert_int_eq(fence_remove(fence, &b), -ENOENT);
	ck_assert_int_eq(fence_add(fence, &b), 0); // its place is free again
}
END_TEST

START_TEST(adding_twice_is_refused_and_replacing_extends)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 1500, "incident 1");

	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_int_eq(fence_add(fence, &b), -EEXIST);
	ck_assert_ptr_nonnull(strstr(fence_error(fence), "port4"));
	b.remaining_ms = 600000;
	snprintf(b.comment, sizeof(b.comment), "incident 1 again");
	ck_assert_int_eq(fence_replace(fence, &b), 0);
	ck_assert_str_eq(fence_error(fence), "");
	ck_assert_uint_gt(find(b).last.remaining_ms, 590000);
	ck_assert_str_eq(find(b).last.comment, "incident 1 again");
	sleep_ms(1700);
	ck_assert_uint_eq(find(b).matches, 1);
	b.remaining_ms = 5000; // and shortens
	ck_assert_int_eq(fence_replace(fence, &b), 0);
	ck_assert_uint_le(find(b).last.remaining_ms, 5000);
}
END_TEST

START_TEST(replacing_what_is_not_there_adds_it)
{
	struct fence_block b = block("2001:db8::7", 0, 0, 60000, "new");

	ck_assert_int_eq(fence_replace(fence, &b), 0);
	ck_assert_uint_eq(find(b).matches, 1);
}
END_TEST

START_TEST(removing_and_clearing)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 60000, "x"), c = block("2001:db8::9", 0, 0, 60000, "y");

	ck_assert_int_eq(fence_remove(fence, &b), -ENOENT);
	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_int_eq(fence_add(fence, &c), 0);
	ck_assert_int_eq(fence_remove(fence, &b), 0);
	ck_assert_uint_eq(find(b).all, 1);
	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_int_eq(fence_clear(fence), 0);
	ck_assert_uint_eq(find(b).all, 0);
	ck_assert_int_eq(fence_clear(fence), 0);
}
END_TEST

START_TEST(what_would_stay_for_ever_or_cannot_be_is_refused)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 0, "x");

	ck_assert_int_eq(fence_add(fence, &b), -EINVAL);
	ck_assert_int_eq(fence_replace(fence, &b), -EINVAL);
	b.remaining_ms = FENCE_LONGEST_MS + 1;
	ck_assert_int_eq(fence_add(fence, &b), -EINVAL);
	b.remaining_ms = 1000;
	b.transport = 47;
	ck_assert_int_eq(fence_add(fence, &b), -EINVAL);
	b.transport = 6;
	b.endpoint.family = 0;
	ck_assert_int_eq(fence_add(fence, &b), -EINVAL);
	ck_assert_uint_eq(find(b).all, 0);
}
END_TEST

START_TEST(a_hostile_comment_is_made_harmless_and_a_long_one_cut)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 60000, "a\"b\nc\xff");
	struct found f;

	ck_assert_int_eq(fence_add(fence, &b), 0);
	f = find(b);
	ck_assert_str_eq(f.last.comment, "a?b?c?");
	memset(b.comment, 'x', sizeof(b.comment)); // not even a NUL
	ck_assert_int_eq(fence_replace(fence, &b), 0);
	ck_assert_uint_eq(strlen(find(b).last.comment), FENCE_COMMENT_BYTES - 1);
	ck_assert_ptr_nonnull(strstr(nft("list set inet sekimori port4"), "xxxxxxxx"));
}
END_TEST

START_TEST(elements_outlive_the_process_and_are_adopted_with_their_remaining_time)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 100000, "incident 42");
	struct found f;

	ck_assert_int_eq(fence_add(fence, &b), 0);
	fence_close(fence);
	start();
	f = find(b);
	ck_assert_uint_eq(f.matches, 1);
	ck_assert(f.last.remaining_ms <= 100000 && f.last.remaining_ms > 90000);
	ck_assert_str_eq(f.last.comment, "incident 42");
	ck_assert_ptr_null(strstr(strstr(nft("list chain inet sekimori forward"), "jump refused") + 5,
				  "jump refused")); // not twice
}
END_TEST

START_TEST(somebody_elses_flush_leaves_the_table_while_we_live)
{
	struct fence_block b = block("203.0.113.9", 6, 389, 60000, "x");
	struct fence *second = fence_open("sekimori", error, sizeof(error));

	fence_close(second);
	if (second) // before Linux 6.9 nobody owns it
		return;
	ck_assert_int_eq(fence_add(fence, &b), 0);
	nft("flush ruleset");
	ck_assert_uint_eq(find(b).matches, 1);
	ck_assert_ptr_nonnull(strstr(nft("delete table inet sekimori"), "not permitted"));
}
END_TEST

START_TEST(a_table_owned_by_another_is_refused_with_the_reason)
{
	struct fence *second = fence_open("sekimori", error, sizeof(error));

	if (second) { // before Linux 6.9
		fence_close(second);
		return;
	}
	ck_assert_int_eq(errno, EPERM);
	ck_assert_msg(strstr(error, "owns the table") != NULL, "%s", error);
}
END_TEST

START_TEST(bad_table_names_are_refused)
{
	ck_assert_ptr_null(fence_open("", error, sizeof(error)));
	ck_assert_ptr_null(fence_open("a-name-that-is-much-longer-than-tables-are", error, sizeof(error)));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(packets_to_a_fenced_port_are_dropped_and_others_are_not)
{
	struct fence_block b = block("127.0.0.1", 17, 5353, 60000, "loopback stands for the world");
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(5353)};
	int from = socket(AF_INET, SOCK_DGRAM, 0), at = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	char byte;

	ck_assert_int_eq(ioctl(from, SIOCSIFFLAGS, &lo), 0);
	ck_assert_int_eq(bind(at, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(sendto(from, "1", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	ck_assert_int_eq(recv(at, &byte, 1, 0), 1);
	ck_assert_int_eq(fence_add(fence, &b), 0);
	ck_assert_int_eq(sendto(from, "2", 1, 0, (struct sockaddr *)&to, sizeof(to)), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(recv(at, &byte, 1, 0), -1);
	ck_assert_int_eq(fence_remove(fence, &b), 0);
	ck_assert_int_eq(sendto(from, "3", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	ck_assert_int_eq(recv(at, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, '3');
	close(from);
	close(at);
}
END_TEST

static int skip(const char *why)
{
	printf("skipped: %s\n", why);
	return 77;
}

int main(void)
{
	SRunner *runner;
	Suite *suite;
	TCase *tcase;
	int failed;

	if (unshare(CLONE_NEWNET) < 0)
		return skip("a network namespace of its own is not permitted");
	fence = fence_open("sekimori", error, sizeof(error));
	if (!fence && (errno == EPERM || errno == EPROTONOSUPPORT || errno == EOPNOTSUPP))
		return skip(error);
	if (!fence)
		fprintf(stderr, "%s\n", error);
	if (!fence || fence_destroy(fence) < 0)
		return 1;
	suite = suite_create("fence");
	tcase = tcase_create("fence");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, an_element_is_seen_by_the_kernel_with_time_and_comment);
	tcase_add_test(tcase, the_rules_drop_both_directions_in_all_three_hooks);
	tcase_add_test(tcase, every_kind_of_block_is_kept_and_read_back);
	tcase_add_test(tcase, a_port_of_any_transport_is_two_elements);
	tcase_add_test(tcase, the_kernel_forgets_an_element_at_its_time);
	tcase_add_test(tcase, adding_twice_is_refused_and_replacing_extends);
	tcase_add_test(tcase, replacing_what_is_not_there_adds_it);
	tcase_add_test(tcase, removing_and_clearing);
	tcase_add_test(tcase, what_would_stay_for_ever_or_cannot_be_is_refused);
	tcase_add_test(tcase, a_hostile_comment_is_made_harmless_and_a_long_one_cut);
	tcase_add_test(tcase, elements_outlive_the_process_and_are_adopted_with_their_remaining_time);
	tcase_add_test(tcase, somebody_elses_flush_leaves_the_table_while_we_live);
	tcase_add_test(tcase, a_table_owned_by_another_is_refused_with_the_reason);
	tcase_add_test(tcase, bad_table_names_are_refused);
	tcase_add_test(tcase, packets_to_a_fenced_port_are_dropped_and_others_are_not);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
