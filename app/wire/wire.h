// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of sekimori-wire share. Workers touch frames; the main thread serves sockets and never touches a frame.
#pragma once
#include "inspect.h"
#include "nic.h"
#include <pthread.h>
#include <signal.h>

enum wire_limits { WIRE_PARK = 256, WIRE_SAMPLES = 4096, WIRE_NEVER = 64, WIRE_INSIDE = 64 };

struct wire_options {
	struct nic_config nic;
	const char *run_dir;
	struct prefix inside[WIRE_INSIDE], never[WIRE_NEVER];
	unsigned insides, nevers;
	uint32_t flows, contexts;
	bool refuse[COUNTER_COUNT];   // limits whose policy is drop
	bool forward_only;            // no protocols (inspect.h)
	unsigned idle_us;             // sleep after many empty polls; 0 = spin
};

struct worker {
	unsigned index;
	struct inspect *inspect;
	struct counters counters;     // written by the worker, read by the main thread
	pthread_t thread;
	unsigned idle_us;
	uint32_t block_ns[WIRE_SAMPLES]; // frame-to-block latencies, newest overwrite oldest
	uint32_t block_samples;       // ever
	// Main thread → worker.
	bool stop, panic;             // relaxed atomics
	// Worker → main thread: a copy of the block table, made on demand.
	uint32_t list_wanted, list_done;
	uint32_t list_count;
	struct block_entry *list;     // LIST_BLOCKS of them
};
enum { LIST_BLOCKS = 1024 };

struct dealer {                       // deals frames out where workers share the ports' queue
	struct counters counters;
	pthread_t thread;
	unsigned idle_us;
	bool stop;                    // relaxed atomic
};

struct wire {
	struct wire_options options;
	struct wire_sheet *sheet;
	struct brain_sheet *brain;
	int wire_fd, brain_fd;        // memory files
	size_t wire_bytes;
	struct worker worker[NIC_QUEUES];
	unsigned workers;
	struct dealer dealer;
	uint64_t start_ns;
};

// worker.c
void *worker_run(void *worker);
void *dealer_run(void *dealer);
// Sends a frame of our own behind those of its side that wait for the end of the burst. false: no buffer, or the port refused it.
bool worker_transmit(struct worker *w, uint16_t port, const uint8_t *frame, size_t n);
void worker_forward(struct worker *w, uint16_t port, const uint8_t *frame, size_t n);

// handover.c: gives the two memory files to one brain at a time.
struct handover;
struct handover *handover_listen(const char *path, const struct wire *w); // NULL with errno
void handover_step(struct handover *h);
bool handover_connected(const struct handover *h);
void handover_close(struct handover *h);

// serve.c
int wire_serve(struct wire *w);   // until told to stop by a signal; 0 or -errno
extern volatile sig_atomic_t wire_stop, wire_panic; // SIGTERM/SIGINT; SIGUSR1 toggles panic in serve.c

uint64_t clock_unix_ns(void);
uint64_t clock_deadline_ns(void);
