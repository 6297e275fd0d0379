// SPDX-License-Identifier: GPL-2.0-or-later
// What DPDK's af_packet and af_xdp do not do for ports that are interfaces of the kernel. Knows no DPDK.
#include "kernel.h"
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned kernel_mtu(const char *interface)
{
	struct ifreq q = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", interface);
	r = fd < 0 ? -1 : ioctl(fd, SIOCGIFMTU, &q);
	if (fd >= 0)
		close(fd);
	return r < 0 || q.ifr_mtu < 0 ? 0 : (unsigned)q.ifr_mtu;
}

// DPDK's af_packet always asks the kernel to put IPv4 fragments together before it hands them over (PACKET_FANOUT_FLAG_DEFRAG, no option against
// it). What leaves would not be what came, and a whole larger than the MTU could not leave at all. So the program's own setsockopt stands before
// libc's and takes that one flag out.
int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes)
{
	int fanout;

	if (level == SOL_PACKET && name == PACKET_FANOUT && bytes == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
		value = &fanout;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, bytes);
}
