// SPDX-License-Identifier: GPL-2.0-or-later
// The main thread after start: answers the CLI, hands the channel to brains, stops on a signal. Reads workers' counters; changes only their panic and stop words.
#include "control.h"
#include "log.h"
#include "text.h"
#include "wire.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LIST_WAIT_MS = 50, STEP_MS = 5, AGAIN_MS = 1000 };

volatile sig_atomic_t wire_stop, wire_panic; // two words: a panic must not hide a stop

struct served {
	struct wire *wire;
	struct handover *handover;
	struct control_server *server; // NULL: nobody can reach us yet
	unsigned waited_ms;            // since they were last tried
	bool panic;
};

static void sum_counters(const struct wire *w, struct counters *sum)
{
	for (unsigned c = 0; c < COUNTER_COUNT; c++)
		sum->value[c] = __atomic_load_n(&w->dealer.counters.value[c], __ATOMIC_RELAXED);
	for (unsigned i = 0; i < w->workers; i++)
		for (unsigned c = 0; c < COUNTER_COUNT; c++)
			sum->value[c] += __atomic_load_n(&w->worker[i].counters.value[c], __ATOMIC_RELAXED);
	sum->value[COUNT_PORT_LOST] = nic_lost();
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void latencies(const struct wire *w, Control__Status *s)
{
	static uint32_t sorted[WIRE_SAMPLES];
	const struct worker *k = &w->worker[0]; // every worker applies every block; one is enough
	uint32_t ever = __atomic_load_n(&k->block_samples, __ATOMIC_ACQUIRE), n = ever < WIRE_SAMPLES ? ever : WIRE_SAMPLES;

	s->block_samples = ever;
	if (!n)
		return;
	memcpy(sorted, k->block_ns, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_value);
	s->block_p50_ns = sorted[n / 2];
	s->block_p99_ns = sorted[(uint64_t)n * 99 / 100];
}

static void answer_status(struct served *v, Control__Reply *reply)
{
	struct wire *w = v->wire;
	Control__Status *s = calloc(1, sizeof(*s));
	uint64_t now = clock_deadline_ns(), beat = __atomic_load_n(&w->brain->heartbeat_ns, __ATOMIC_RELAXED);
	struct counters sum;

	if (!s)
		return;
	control__status__init(s);
	sum_counters(w, &sum);
	control_set(&s->process, "sekimori-wire");
	control_set(&s->version, SEKIMORI_VERSION);
	control_set(&s->mode, mode_name(__atomic_load_n(&w->brain->mode, __ATOMIC_RELAXED)));
	s->pid = (uint64_t)getpid();
	s->uptime_ns = now - w->start_ns;
	s->panic = v->panic;
	s->brain_alive = handover_connected(v->handover) && now - beat < INSPECT_BRAIN_SILENT_MS * 1000000ull;
	s->frames = sum.value[COUNT_FRAMES_IN];
	s->bytes = sum.value[COUNT_BYTES_IN];
	s->dropped = sum.value[COUNT_FRAMES_DROPPED_BLOCK] + sum.value[COUNT_FRAMES_DROPPED_CUT];
	s->lost = sum.value[COUNT_FRAMES_DROPPED_TX_FULL] + sum.value[COUNT_FRAMES_DROPPED_WORKER_FULL] + sum.value[COUNT_PORT_LOST];
	s->workers = w->workers;
	for (unsigned i = 0; i < w->workers; i++)
		s->flows += inspect_flows(w->worker[i].inspect);
	s->blocks = block_count(inspect_blocks(w->worker[0].inspect));
	latencies(w, s);
	reply->status = s;
}

static void answer_counters(struct served *v, Control__Reply *reply)
{
	struct counters sum;

	sum_counters(v->wire, &sum);
	for (unsigned c = 0; c < COUNT_BRAIN_OBSERVATIONS; c++) {
		Control__Counter *n = control_append((void ***)&reply->counters, &reply->n_counters, sizeof(*n));

		if (!n)
			return;
		control__counter__init(n);
		control_set(&n->name, counter_name(c));
		control_set(&n->text, counter_text(c));
		n->value = sum.value[c];
	}
}

static void nap_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

static bool fetch_list(struct worker *w)
{
	uint32_t wanted = w->list_wanted + 1;

	__atomic_store_n(&w->list_wanted, wanted, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < LIST_WAIT_MS; i++) {
		if (__atomic_load_n(&w->list_done, __ATOMIC_ACQUIRE) == wanted)
			return true;
		nap_ms(1);
	}
	return false;
}

static void add_block(Control__Reply *reply, const struct block_entry *e, uint64_t now)
{
	Control__Block *b = control_append((void ***)&reply->blocks, &reply->n_blocks, sizeof(*b));
	char text[PREFIX_TEXT_BYTES];
	struct prefix p = {e->rule.endpoint, e->rule.endpoint_bits};

	if (!b)
		return;
	control__block__init(b);
	b->id = e->rule.id;
	control_set(&b->endpoint, prefix_format(&p, text));
	b->port = e->rule.port;
	b->transport = e->rule.transport;
	b->frames = e->frames;
	b->remaining_ns = e->rule.expires_ns > now ? e->rule.expires_ns - now : 0;
	control_set(&b->state, b->remaining_ns ? "active" : "expired");
}

static void answer_blocks(struct served *v, Control__Reply *reply)
{
	struct worker *w = &v->wire->worker[0];
	uint64_t now = clock_deadline_ns();

	if (!fetch_list(w)) {
		control_fail(reply, ETIMEDOUT, "the worker did not answer");
		return;
	}
	for (uint32_t i = 0; i < w->list_count; i++)
		if (w->list[i].rule.expires_ns > now)
			add_block(reply, &w->list[i], now);
}

static void set_panic(struct served *v, bool on)
{
	v->panic = on;
	__atomic_store_n(&v->wire->sheet->panic, on, __ATOMIC_RELAXED); // the signal reaches us alone, and what the brain fences must go, too
	for (unsigned i = 0; i < v->wire->workers; i++)
		__atomic_store_n(&v->wire->worker[i].panic, on, __ATOMIC_RELAXED);
}

static void answer(void *user, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply)
{
	struct served *v = user;

	if (q->verb == CONTROL__VERB__STATUS)
		answer_status(v, reply);
	else if (q->verb == CONTROL__VERB__COUNTERS)
		answer_counters(v, reply);
	else if (q->verb == CONTROL__VERB__BLOCK_LIST)
		answer_blocks(v, reply);
	else if (q->verb == CONTROL__VERB__PANIC)
		set_panic(v, q->on);
	else
		control_fail(reply, ENOTSUP, "sekimori-wire does not know that; ask sekimori-brain");
}

static int open_sockets(struct served *v)
{
	const char *folder = v->wire->options.run_dir;
	char path[4096];
	int error;

	snprintf(path, sizeof(path), "%s/channel.sock", folder);
	v->handover = handover_listen(path, v->wire);
	snprintf(path, sizeof(path), "%s/wire.sock", folder);
	v->server = v->handover ? control_listen(path, answer, v) : NULL;
	if (v->server)
		return 0;
	error = -errno;
	handover_close(v->handover);
	v->handover = NULL;
	return error;
}

// What the machine is short of for a while, unlike what is wrong with the folder.
static bool may_pass(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -ENOBUFS;
}

static void step(struct served *v)
{
	if (v->server) {
		control_serve(v->server, STEP_MS);
		handover_step(v->handover);
		return;
	}
	nap_ms(STEP_MS);
	v->waited_ms += STEP_MS;
	if (v->waited_ms < AGAIN_MS)
		return;
	v->waited_ms = 0;
	if (open_sockets(v) == 0)
		log_info("sockets in %s are there", v->wire->options.run_dir);
}

int wire_serve(struct wire *w)
{
	struct served v = {.wire = w};
	int error = open_sockets(&v);

	if (error < 0 && !may_pass(error))
		return error;
	if (error < 0)
		log_warn("sockets in %s: %s. Frames flow, and it is tried again", w->options.run_dir, strerror(-error));
	while (!wire_stop) {
		if (wire_panic) { // SIGUSR1: the panic switch that needs no socket
			wire_panic = 0;
			set_panic(&v, !v.panic);
		}
		step(&v);
	}
	control_close(v.server);
	handover_close(v.handover);
	return 0;
}
