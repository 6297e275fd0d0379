// SPDX-License-Identifier: GPL-2.0-or-later
// Two ports of DPDK's ethdev: real NICs by PCI address, af_packet and af_xdp by interface name, any --vdev string. The only place besides app/wire that knows rte_*.
// Frames are rte_mbufs here: opaque to the caller except through nic_frame.
#pragma once
#include "counters.h"
#include "decode.h"
#include "siphash.h"

enum nic_limits { NIC_BURST = 32, NIC_QUEUES = 16, NIC_FRAME_BYTES = 16384 };
enum nic_side { NIC_INSIDE = 0, NIC_OUTSIDE = 1 };

struct rte_mbuf;

struct nic_config {
	const char *port[2];      // "0000:00:05.0" | "eth0" (af_packet) | "xdp:eth0" (af_xdp) | "vdev:net_ring0,..." ; inside, outside
	unsigned workers;         // threads that call nic_receive, at most NIC_QUEUES
	bool own_queues;          // each worker has a queue of its own on both ports, dealt out by the port (RSS by addresses, the same both ways); else a
	                          // thread must call nic_distribute_step
	unsigned frame_bytes;     // largest frame, up to NIC_FRAME_BYTES; the ports must hold it whole (default 2048)
	unsigned mbufs;           // pool size, 0 = 8192 a port and queue
	bool hugepages;           // false: --no-huge
	unsigned memory_mb;       // with --no-huge; 0 = 256, or more if the frames need it
	const char *file_prefix;  // so that several wires share a machine
	struct siphash_key key;   // of the hash by which frames are dealt out to workers
	const char *lcores;       // EAL -l list; NULL: main only
};

// Starts EAL and both ports. 0, or -1 with a message in error (which port, what was refused, what to do). Refuses ports whose MTU does not fit
// frame_bytes: a frame is never cut.
int nic_start(const struct nic_config *config, char error[512]);
void nic_stop(void);

// Frames that came to the ports since their start and that nobody took in time: their rings were full. Main thread.
uint64_t nic_lost(void);

// Takes up to NIC_BURST frames of one worker. Returns how many.
unsigned nic_receive(unsigned side, unsigned worker, struct rte_mbuf *out[NIC_BURST]);
// Hands frames to the port; what it refuses, and what is too long for it, is freed and its number returned.
unsigned nic_transmit(unsigned side, unsigned worker, struct rte_mbuf **frames, unsigned n);
// A frame of our own (a reset). false: no buffer or refused.
bool nic_transmit_bytes(unsigned side, unsigned worker, const uint8_t *data, size_t n);

// Do several workers share the ports' one queue? Then one thread calls nic_distribute_step again and again; it returns how many frames it moved.
bool nic_is_distributed(void);
unsigned nic_distribute_step(struct counters *c);
// For distribute.c: the ports' first queue.
unsigned nic_port_receive(unsigned side, struct rte_mbuf *out[NIC_BURST]);
unsigned nic_port_transmit(unsigned side, struct rte_mbuf **frames, unsigned n); // how many it took
void nic_free(struct rte_mbuf *m);
// Asks for the memory that nic_frame reads.
void nic_prefetch(struct rte_mbuf *const *frames, unsigned n);
// The frame as flat bytes (multi-segment ones are linearised; false if that is impossible: forward unseen, count). Borrowed until the mbuf goes.
// *m may be another one afterwards.
bool nic_frame(struct rte_mbuf **m, unsigned side, uint64_t unix_ns, struct frame *out);
// Call once in each thread that uses the functions above.
void nic_thread_start(void);
const char *nic_name(unsigned side);
