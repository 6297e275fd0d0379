// SPDX-License-Identifier: GPL-2.0-or-later
// What DPDK's af_packet and af_xdp do not do for ports that are interfaces of the kernel. Knows no DPDK.
#include "kernel.h"
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RINGS = 32 };

static struct {
	int ring[RINGS]; // sockets that have one
	unsigned rings;
	uint64_t lost;
} ports;

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

// What an interface does not know it does not do.
static uint32_t feature(int fd, const char *interface, uint32_t command, uint32_t data)
{
	struct ethtool_value v = {.cmd = command, .data = data};
	struct ifreq q = {.ifr_data = (void *)&v};

	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", interface);
	return ioctl(fd, SIOCETHTOOL, &q) < 0 ? 0 : v.data;
}

static bool turn_off(int fd, const char *interface, uint32_t get, uint32_t set, uint32_t bits)
{
	uint32_t on = feature(fd, interface, get, 0);

	if (!(on & bits))
		return true;
	feature(fd, interface, set, on & ~bits);
	return !(feature(fd, interface, get, 0) & bits);
}

bool kernel_brings_single_frames(const char *interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool off = fd >= 0;

	off = off && turn_off(fd, interface, ETHTOOL_GGRO, ETHTOOL_SGRO, 1);
	off = off && turn_off(fd, interface, ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO);
	if (fd >= 0)
		close(fd);
	return off;
}

// The kernel forgets what it has told.
uint64_t kernel_lost(void)
{
	for (unsigned i = 0; i < ports.rings; i++) {
		struct tpacket_stats said = {0};
		socklen_t bytes = sizeof(said);

		if (getsockopt(ports.ring[i], SOL_PACKET, PACKET_STATISTICS, &said, &bytes) == 0)
			ports.lost += said.tp_drops;
	}
	return ports.lost;
}

// DPDK's af_packet always asks the kernel to put IPv4 fragments together before it hands them over (PACKET_FANOUT_FLAG_DEFRAG, no option against
// it). What leaves would not be what came, and a whole larger than the MTU could not leave at all. So the program's own setsockopt stands before
// libc's and takes that one flag out.
int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes)
{
	int fanout;

	if (level == SOL_PACKET && name == PACKET_RX_RING && ports.rings < RINGS)
		ports.ring[ports.rings++] = fd;

	if (level == SOL_PACKET && name == PACKET_FANOUT && bytes == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
		value = &fanout;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, bytes);
}
