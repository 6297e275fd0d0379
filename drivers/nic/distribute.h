// SPDX-License-Identifier: GPL-2.0-or-later
// Several workers behind ports of one queue: one thread receives, deals frames out by a keyed hash of the two IP addresses (either direction the
// same worker, fragments too), and transmits what the workers give back. For ports whose own hash is not symmetric or takes fragments elsewhere.
#pragma once
#include "counters.h"
#include "nic.h"
#include "siphash.h"

enum { DISTRIBUTE_RING = 4096 /* frames between the thread and one worker, each way and side */ };

// After the ports have started. 0, or -1 with errno.
int distribute_create(unsigned workers, const struct siphash_key *key);
void distribute_destroy(void);

// One round of the thread: returns how many frames it moved. Counts FRAMES_DROPPED_WORKER_FULL (and those FRAMES_IN).
unsigned distribute_step(struct counters *c);

// For workers, in place of the port's queue.
unsigned distribute_receive(unsigned side, unsigned worker, struct rte_mbuf *out[NIC_BURST]);
unsigned distribute_transmit(unsigned side, unsigned worker, struct rte_mbuf **frames, unsigned n); // how many went; the others are the caller's

// Which of `workers` a frame belongs to. Pure.
unsigned distribute_worker_of(const struct siphash_key *key, struct bytes frame, unsigned workers);
