// SPDX-License-Identifier: GPL-2.0-or-later
// drivers/nic/kernel.c, on the loopback interface of a network of our own.
#include "kernel.h"
#include <check.h>
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
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

static void up(void)
{
	struct ifreq q = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &q), 0);
	close(fd);
}

// As DPDK opens one; for four frames.
static int ring_of_loopback(void)
{
	struct tpacket_req ring = {.tp_block_size = 4096, .tp_block_nr = 2, .tp_frame_size = 2048, .tp_frame_nr = 4};
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("lo")};
	int version = TPACKET_V2, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&lo, sizeof(lo)), 0);
	return fd;
}

static void send_datagrams(unsigned n)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	close(fd);
}

START_TEST(what_finds_a_ring_full_is_counted)
{
	uint64_t before;
	int ring;

	up();
	ring = ring_of_loopback();
	ck_assert_uint_eq(kernel_lost(), 0);
	send_datagrams(20); // each comes by twice at least, going out and coming in
	before = kernel_lost();
	ck_assert_uint_ge(before, 36);
	ck_assert_uint_eq(kernel_lost(), before);
	send_datagrams(5);
	ck_assert_uint_ge(kernel_lost(), before + 10);
	close(ring);
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
	tcase_add_test(t, what_finds_a_ring_full_is_counted);
	tcase_add_test(t, what_there_is_not_puts_nothing_together);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
