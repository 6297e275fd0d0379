// SPDX-License-Identifier: GPL-2.0-or-later
// Ports that are interfaces of the kernel: what DPDK does not tell about them, and what it asks of them that it should not (kernel.c).
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// 0: there is no such interface. DPDK reports 1500 for every af_packet and af_xdp port, whatever the interface has.
unsigned kernel_mtu(const char *interface);
// The kernel puts segments of a connection together (GRO, LRO) before it hands them over; what comes of it fits no frame of a port, and would be cut and so
// dropped. Turns that off. false: it stays on.
bool kernel_brings_single_frames(const char *interface);
// Frames that found a packet socket's ring full, since its start. One thread.
uint64_t kernel_lost(void);
// Stands before libc's for the whole program, libraries included (the program exports it, app/wire/meson.build): fragments stay as they are. Remembers whose
// rings there are, for kernel_lost.
int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes);
