// SPDX-License-Identifier: GPL-2.0-or-later
// See distribute.h. The rings are single-producer, single-consumer: one end is this thread, the other one worker.
#include "distribute.h"
#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>

struct lane { // between the thread and one worker, one side
	struct rte_ring *in, *out;
	struct rte_mbuf *dealt[NIC_BURST]; // for this worker, of the burst in hand
	unsigned dealts;
	struct rte_mbuf *left[NIC_BURST];  // taken from `out`, refused by the port so far
	unsigned lefts;
};

static struct {
	unsigned workers;
	struct siphash_key key;
	struct lane lane[NIC_QUEUES][2];
} spread;

static struct rte_ring *new_ring(const char *way, unsigned worker, unsigned side)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u-%u", way, worker, side);
	return rte_ring_create(name, DISTRIBUTE_RING, (int)rte_socket_id(), RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int distribute_create(unsigned workers, const struct siphash_key *key)
{
	spread.workers = workers;
	spread.key = *key;
	for (unsigned w = 0; w < workers; w++) {
		for (unsigned side = 0; side < 2; side++) {
			struct lane *l = &spread.lane[w][side];

			l->in = new_ring("in", w, side);
			l->out = new_ring("out", w, side);
			if (l->in && l->out)
				continue;
			distribute_destroy();
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

static void free_all(struct rte_ring *r)
{
	struct rte_mbuf *m;

	while (r && rte_ring_dequeue(r, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(r);
}

void distribute_destroy(void)
{
	for (unsigned w = 0; w < spread.workers; w++) {
		for (unsigned side = 0; side < 2; side++) {
			struct lane *l = &spread.lane[w][side];

			free_all(l->in);
			free_all(l->out);
			rte_pktmbuf_free_bulk(l->left, l->lefts);
			*l = (struct lane){0};
		}
	}
	spread.workers = 0;
}

static void deal(unsigned side, struct rte_mbuf *m)
{
	struct bytes frame = bytes_of(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
	struct lane *l = &spread.lane[distribute_worker_of(&spread.key, frame, spread.workers)][side];

	l->dealt[l->dealts++] = m;
}

static void hand_over(struct lane *l, struct counters *c)
{
	unsigned n = rte_ring_sp_enqueue_burst(l->in, (void *const *)l->dealt, l->dealts, NULL);

	// The worker does not keep up: what a port with queues of its own would do, by name.
	count_add(c, COUNT_FRAMES_IN, l->dealts - n);
	count_add(c, COUNT_FRAMES_DROPPED_WORKER_FULL, l->dealts - n);
	rte_pktmbuf_free_bulk(l->dealt + n, l->dealts - n);
	l->dealts = 0;
}

static unsigned receive(unsigned side, struct counters *c)
{
	struct rte_mbuf *in[NIC_BURST];
	unsigned n = nic_port_receive(side, in);

	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(in[i], void *));
	for (unsigned i = 0; i < n; i++)
		deal(side, in[i]);
	for (unsigned w = 0; n && w < spread.workers; w++)
		if (spread.lane[w][side].dealts)
			hand_over(&spread.lane[w][side], c);
	return n;
}

// What the port refuses waits here, so that the worker's ring fills and the worker counts the loss by name.
static unsigned transmit(struct lane *l, unsigned side)
{
	unsigned sent;

	if (!l->lefts)
		l->lefts = rte_ring_sc_dequeue_burst(l->out, (void **)l->left, NIC_BURST, NULL);
	if (!l->lefts)
		return 0;
	sent = nic_port_transmit(side, l->left, l->lefts);
	memmove(l->left, l->left + sent, (l->lefts - sent) * sizeof(l->left[0]));
	l->lefts -= sent;
	return sent;
}

unsigned distribute_step(struct counters *c)
{
	unsigned moved = 0;

	for (unsigned side = 0; side < 2; side++) {
		moved += receive(side, c);
		for (unsigned w = 0; w < spread.workers; w++)
			moved += transmit(&spread.lane[w][side], side);
	}
	return moved;
}

unsigned distribute_receive(unsigned side, unsigned worker, struct rte_mbuf *out[NIC_BURST])
{
	return rte_ring_sc_dequeue_burst(spread.lane[worker][side].in, (void **)out, NIC_BURST, NULL);
}

unsigned distribute_transmit(unsigned side, unsigned worker, struct rte_mbuf **frames, unsigned n)
{
	return rte_ring_sp_enqueue_burst(spread.lane[worker][side].out, (void *const *)frames, n, NULL);
}
