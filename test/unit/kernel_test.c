// SPDX-License-Identifier: GPL-2.0-or-later
// drivers/nic/kernel.c, on the loopback interface of a network of our own.
#include "kernel.h"
#include <check.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t asked(uint32_t command, uint32_t data)
{
	struct ethtool_value v = {.cmd = command, .data = data};
	struct ifreq q = {.ifr_name = "lo", .ifr_data = (void *)&v};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(ioctl(fd, SIOCETHTOOL, &q), 0);
	close(fd);
	return v.data;
}

START_TEST(segments_are_not_put_together)
{
	asked(ETHTOOL_SGRO, 1);
	ck_assert_uint_eq(asked(ETHTOOL_GGRO, 0), 1);
	ck_assert(kernel_brings_single_frames("lo"));
	ck_assert_uint_eq(asked(ETHTOOL_GGRO, 0), 0);
	ck_assert_uint_eq(asked(ETHTOOL_GFLAGS, 0) & ETH_FLAG_LRO, 0);
	ck_assert(kernel_brings_single_frames("lo"));
}
END_TEST

START_TEST(what_there_is_not_puts_nothing_together)
{
	ck_assert(kernel_brings_single_frames("nowhere"));
	ck_assert_uint_eq(kernel_mtu("nowhere"), 0);
	ck_assert_uint_eq(kernel_mtu("lo"), 65536);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel");
	TCase *t = tcase_create("kernel");
	SRunner *r;
	int failed;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		puts("no network of our own here");
		return 77; // skipped
	}
	tcase_add_test(t, segments_are_not_put_together);
	tcase_add_test(t, what_there_is_not_puts_nothing_together);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
