// SPDX-License-Identifier: GPL-2.0-or-later
// Ports that are interfaces of the kernel: what DPDK does not tell about them, and what it asks of them that it should not (kernel.c).
#pragma once

// 0: there is no such interface. DPDK reports 1500 for every af_packet and af_xdp port, whatever the interface has.
unsigned kernel_mtu(const char *interface);
