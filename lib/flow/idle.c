// SPDX-License-Identifier: GPL-2.0-or-later
// When flows end by themselves. Deadlines lie by slot in an array of their own, 4 bytes each, which is swept in order, a
// round every few seconds; a packet does not move its flow's deadline. Only when that comes is the flow looked at, and
// ended or given the next one by its last packet. Knows times and states, no packet.
#include <errno.h>
#include "flow_impl.h"

#define NS_PER_MS 1000000ull
#define LONGEST_MS (FLOW_IDLE_DAYS * 86400000u) // of a time-out

enum {
	// A half-closed flow may still carry the other half: twice the half-open time-out (60 s, evasion 80).
	CLOSING_FACTOR = 2,
	JITTER_MS = 60000, // so far back the caller's time may go before it is taken for a clock set anew
	SWEEP_LEAST = 16,  // deadlines a millisecond: small tables are swept at once
};

static int set_ms(uint32_t *shortest, uint32_t *ms, uint64_t ns, uint32_t seconds)
{
	uint64_t value = ns ? (ns + NS_PER_MS - 1) / NS_PER_MS : seconds * 1000ull;

	*ms = (uint32_t)value;
	if (*ms < *shortest)
		*shortest = *ms;
	return value <= LONGEST_MS ? 0 : -EINVAL;
}

int flow_idle_config(struct flow_table *t, const struct flow_config *c)
{
	uint32_t *shortest = &t->shortest_ms;

	*shortest = UINT32_MAX;
	return set_ms(shortest, &t->tcp_open_ms, c->tcp_open_ns, 3600) |
	       set_ms(shortest, &t->tcp_half_open_ms, c->tcp_half_open_ns, 30) |
	       set_ms(shortest, &t->tcp_closed_ms, c->tcp_closed_ns, 10) |
	       set_ms(shortest, &t->udp_ms, c->udp_ns, 120) | set_ms(shortest, &t->other_ms, c->other_ns, 30);
}

// Every flow is idle then, and 32 bits of a tick would not tell any more.
static void end_all(struct flow_table *t)
{
	for (uint32_t i = 0; i < t->fresh && t->live; i++)
		if (flow_is_live(&t->flows[i]))
			flow_remove(t, &t->flows[i], flow_idle_end(&t->flows[i]));
	flow_table_flush(t, FLOW_END_TIMEOUT); // an empty one: forgets which slots were used
}

void flow_clock_set(struct flow_table *t, uint64_t now_ns)
{
	struct flow_clock *c = &t->clock;
	uint64_t before = c->tick;

	if (!c->runs) {
		c->runs = true;
		c->origin_ns = c->seen_ns = now_ns;
		return;
	}
	if (now_ns < c->seen_ns) {
		if (c->seen_ns - now_ns < JITTER_MS * NS_PER_MS)
			return;
		c->origin_ns = now_ns - c->tick * NS_PER_MS;
		c->seen_ns = now_ns;
		return;
	}
	c->seen_ns = now_ns;
	c->tick = (now_ns - c->origin_ns) / NS_PER_MS;
	if (c->tick - before > CLOSING_FACTOR * LONGEST_MS)
		end_all(t);
}

uint64_t flow_first_ns(const struct flow_table *t, const struct flow *f)
{
	uint32_t age = (uint32_t)t->clock.tick - f->first;

	return t->clock.origin_ns + (t->clock.tick - age) * NS_PER_MS;
}

static bool is_finished(const struct flow *f)
{
	return f->tcp[0].fin && f->tcp[1].fin;
}

static bool was_open(const struct flow *f)
{
	return f->tcp[0].seen & f->tcp[1].seen & TCP_SEEN_ACK;
}

static uint32_t timeout_of(const struct flow_table *t, const struct flow *f)
{
	if (f->transport == TRANSPORT_UDP)
		return t->udp_ms;
	if (f->transport != TRANSPORT_TCP)
		return t->other_ms;
	// A RST that only we have seen closes nothing: what follows must still find its flow (evasion 82).
	if (f->state == FLOW_CLOSED && (is_finished(f) || !was_open(f)))
		return t->tcp_closed_ms;
	if (f->state < FLOW_OPEN)
		return t->tcp_half_open_ms;
	if (flow_tcp_is_ending(f))
		return CLOSING_FACTOR * t->tcp_half_open_ms;
	return t->tcp_open_ms;
}

bool flow_is_idle(const struct flow_table *t, const struct flow *f)
{
	uint32_t silent = (uint32_t)t->clock.tick - f->last;

	return silent >= t->shortest_ms && silent >= timeout_of(t, f);
}

enum flow_end flow_idle_end(const struct flow *f)
{
	if (f->transport != TRANSPORT_TCP || f->state != FLOW_CLOSED)
		return FLOW_END_TIMEOUT;
	return is_finished(f) ? FLOW_END_FIN : FLOW_END_RST;
}

void flow_idle_arm(struct flow_table *t, const struct flow *f)
{
	uint32_t deadline = f->last + timeout_of(t, f);

	t->deadlines[flow_index(t, f)] = deadline ? deadline : 1;
}

static void owe(struct flow_table *t)
{
	uint64_t passed = t->clock.tick - t->swept_tick, owed = t->sweep_owed;

	t->swept_tick = t->clock.tick;
	if (passed >= FLOW_SWEEP_MS)
		owed = t->fresh;
	else if (passed)
		owed += SWEEP_LEAST + t->fresh * passed / FLOW_SWEEP_MS;
	t->sweep_owed = owed < t->fresh ? (uint32_t)owed : t->fresh;
}

// Slots whose deadline has come.
static unsigned collect(struct flow_table *t, uint32_t slots[FLOW_ENDS_PER_STEP])
{
	uint32_t tick = (uint32_t)t->clock.tick;
	unsigned n = 0;

	for (unsigned i = 0; i < FLOW_SWEEP_PER_STEP && t->sweep_owed && n < FLOW_ENDS_PER_STEP; i++) {
		uint32_t deadline;

		if (t->sweep_at >= t->fresh)
			t->sweep_at = 0;
		deadline = t->deadlines[t->sweep_at];
		if (deadline && (int32_t)(tick - deadline) >= 0)
			slots[n++] = t->sweep_at;
		t->sweep_at++;
		t->sweep_owed--;
	}
	return n;
}

void flow_idle_sweep(struct flow_table *t)
{
	uint32_t slots[FLOW_ENDS_PER_STEP];
	unsigned n;

	owe(t);
	n = collect(t, slots);
	for (unsigned i = 0; i < n; i++)
		flow_prefetch_lines(&t->flows[slots[i]]);
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(&t->buckets[t->flows[slots[i]].place / (FLOW_BUCKET_FLOWS + 1)], 1);
	for (unsigned i = 0; i < n; i++) {
		struct flow *f = &t->flows[slots[i]];

		if (flow_is_idle(t, f))
			flow_remove(t, f, flow_idle_end(f));
		else
			flow_idle_arm(t, f);
	}
}
