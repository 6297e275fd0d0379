// SPDX-License-Identifier: GPL-2.0-or-later
// The poll loop of one worker: both ports, one queue each. Receives a burst, takes each frame through inspect, transmits. Held frames wait in a small park.
// Nothing here waits for anybody: no lock, no allocation, no system call but the clock (and a nap when idle, if asked).
#include "wire.h"
#include <time.h>

enum { IDLE_POLLS = 256, STEP_EVERY_NS = 100 * 1000 };

struct parked {
	struct rte_mbuf *m;
	uint64_t flow, deadline_ns;
	uint8_t side;
};

struct loop {
	struct worker *w;
	uint64_t deadline_ns, unix_ns;
	struct rte_mbuf *out[2][NIC_BURST + WIRE_PARK]; // by side they go to
	unsigned outs[2];
	struct parked park[WIRE_PARK];                  // in order of arrival
	unsigned parked;
};

static struct loop loops[NIC_QUEUES]; // too large for a stack

static void tick(struct loop *l)
{
	l->deadline_ns = clock_deadline_ns();
	l->unix_ns = clock_unix_ns();
}

static void queue_out(struct loop *l, unsigned from_side, struct rte_mbuf *m)
{
	unsigned to = !from_side;

	l->out[to][l->outs[to]++] = m;
}

static void flush_side(struct loop *l, unsigned side)
{
	unsigned n = l->outs[side];
	unsigned refused = nic_transmit(side, l->w->index, l->out[side], n);

	count_add(&l->w->counters, COUNT_FRAMES_OUT, n - refused);
	count_add(&l->w->counters, COUNT_FRAMES_DROPPED_TX_FULL, refused);
	l->outs[side] = 0;
}

// A reset holds good only at exactly the next byte (RFC 5961 §3.2): it must not overtake the frames before it.
bool worker_transmit(struct worker *w, uint16_t port, const uint8_t *frame, size_t n)
{
	flush_side(&loops[w->index], port);
	return nic_transmit_bytes(port, w->index, frame, n);
}

// A frame that inspect kept a copy of, in its turn.
void worker_forward(struct worker *w, uint16_t port, const uint8_t *frame, size_t n)
{
	flush_side(&loops[w->index], port);
	count(&w->counters, nic_transmit_bytes(port, w->index, frame, n) ? COUNT_FRAMES_OUT : COUNT_FRAMES_DROPPED_TX_FULL);
}

// Its wait is over: what the stations it has not seen yet say of it.
static void settle_held(struct loop *l, unsigned side, struct rte_mbuf *m, uint64_t flow)
{
	struct frame f;

	if (nic_frame(&m, side, l->unix_ns, &f) && inspect_held(l->w->inspect, &f, flow, l->deadline_ns) == INSPECT_DROP)
		nic_free(m);
	else
		queue_out(l, side, m);
}

static void hold(struct loop *l, unsigned side, struct rte_mbuf *m, uint64_t flow)
{
	if (l->parked == WIRE_PARK) {
		count(&l->w->counters, COUNT_FRAMES_HELD_FULL);
		inspect_held_expired(l->w->inspect, flow);
		settle_held(l, side, m, flow);
		return;
	}
	l->park[l->parked++] = (struct parked){m, flow, l->deadline_ns + 1000000, (uint8_t)side};
}

static void settle(struct loop *l, unsigned side, struct rte_mbuf *m, enum inspect_action action, uint64_t flow)
{
	switch (action) {
	case INSPECT_FORWARD:
		queue_out(l, side, m);
		break;
	case INSPECT_DROP:
	case INSPECT_KEPT:
		nic_free(m);
		break;
	case INSPECT_HOLD:
		hold(l, side, m, flow);
		break;
	}
}

struct burst { // of one side, on its way through inspect
	struct loop *loop;
	unsigned side;
	struct rte_mbuf **in;
};

static void decided(void *user, unsigned i, enum inspect_action action, uint64_t flow)
{
	const struct burst *b = user;

	settle(b->loop, b->side, b->in[i], action, flow);
}

// Nothing flat can be made of it: it goes unseen, after what came before it.
static void pass_unseen(struct loop *l, unsigned side, struct rte_mbuf *m)
{
	count(&l->w->counters, COUNT_FRAMES_IN);
	count(&l->w->counters, COUNT_DECODE_BAD);
	queue_out(l, side, m);
}

static unsigned receive(struct loop *l, unsigned side)
{
	struct rte_mbuf *in[NIC_BURST];
	struct frame frames[NIC_BURST];
	unsigned n = nic_receive(side, l->w->index, in), done = 0;

	nic_prefetch(in, n);
	while (done < n) {
		struct burst b = {l, side, in + done};
		unsigned flat = 0;

		while (done + flat < n && nic_frame(&in[done + flat], side, l->unix_ns, &frames[flat]))
			flat++;
		inspect_burst(l->w->inspect, frames, flat, l->deadline_ns, decided, &b);
		done += flat;
		if (done < n)
			pass_unseen(l, side, in[done++]);
	}
	inspect_polled(l->w->inspect, side, n, l->deadline_ns);
	return n;
}

// Held frames in order of arrival: released, refused, or out of time.
static void review_park(struct loop *l)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->parked; i++) {
		struct parked p = l->park[i];
		enum inspect_action action = INSPECT_FORWARD;
		struct frame f;

		if (l->deadline_ns >= p.deadline_ns)
			inspect_held_expired(l->w->inspect, p.flow);
		if (nic_frame(&p.m, p.side, l->unix_ns, &f))
			action = inspect_held(l->w->inspect, &f, p.flow, l->deadline_ns);
		if (action == INSPECT_HOLD && l->deadline_ns < p.deadline_ns)
			l->park[kept++] = p;
		else
			settle(l, p.side, p.m, action == INSPECT_HOLD ? INSPECT_FORWARD : action, p.flow);
	}
	l->parked = kept;
}

// At the end nothing is held back: what has come goes.
static void empty_park(struct loop *l)
{
	for (unsigned i = 0; i < l->parked; i++) {
		inspect_held_expired(l->w->inspect, l->park[i].flow);
		settle_held(l, l->park[i].side, l->park[i].m, l->park[i].flow);
	}
	l->parked = 0;
	flush_side(l, NIC_INSIDE);
	flush_side(l, NIC_OUTSIDE);
}

static void nap(unsigned us)
{
	struct timespec t = {.tv_nsec = (long)us * 1000};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

// A copy of the blocks for whoever lists them: the table itself belongs to this thread alone.
static void answer_list(struct worker *w)
{
	uint32_t wanted = __atomic_load_n(&w->list_wanted, __ATOMIC_ACQUIRE);
	const struct block_entry *b;
	uint32_t n = 0;

	if (wanted == w->list_done)
		return;
	while (n < LIST_BLOCKS && (b = block_at(inspect_blocks(w->inspect), n)))
		w->list[n++] = *b;
	w->list_count = n;
	__atomic_store_n(&w->list_done, wanted, __ATOMIC_RELEASE);
}

void *worker_run(void *worker)
{
	struct worker *w = worker;
	struct loop *l = &loops[w->index];
	unsigned idle = 0;
	uint64_t stepped = 0;

	l->w = w;
	nic_thread_start();
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		unsigned n;

		tick(l);
		n = receive(l, NIC_INSIDE) + receive(l, NIC_OUTSIDE);
		if (n || l->parked || l->deadline_ns - stepped >= STEP_EVERY_NS) {
			inspect_panic(w->inspect, __atomic_load_n(&w->panic, __ATOMIC_RELAXED));
			inspect_step(w->inspect, l->deadline_ns, l->unix_ns);
			answer_list(w);
			stepped = l->deadline_ns;
		}
		if (l->parked)
			review_park(l);
		flush_side(l, NIC_INSIDE);
		flush_side(l, NIC_OUTSIDE);
		idle = n || l->parked ? 0 : idle + 1;
		if (w->idle_us && idle >= IDLE_POLLS)
			nap(w->idle_us);
	}
	empty_park(l);
	return NULL;
}

void *dealer_run(void *dealer)
{
	struct dealer *d = dealer;
	unsigned idle = 0;

	nic_thread_start();
	while (!__atomic_load_n(&d->stop, __ATOMIC_RELAXED)) {
		idle = nic_distribute_step(&d->counters) ? 0 : idle + 1;
		if (d->idle_us && idle >= IDLE_POLLS)
			nap(d->idle_us);
	}
	while (nic_distribute_step(&d->counters) && idle++ < IDLE_POLLS) // what the workers left
		;
	return NULL;
}
