// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks as nftables set elements, for kernel paths beside the wire. The kernel's own timeout ends each; every few seconds what is wanted is compared with what the
// kernel holds: what is missing, or has another time, is made again with the time that remains, and what no block wants is removed (somebody may have flushed
// the ruleset; an order may have failed). In modes in which the wire's blocks do not hold
// nothing is fenced either; a panic sets such a mode.
#include "fence.h"
#include "brain.h"
#include "log.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE_NS (5 * NS_PER_S)
#define OPEN_NS (60 * NS_PER_S) // between two tries, each of which is told

enum {
	AT_ONCE = 1024,
	WANT_ROOM = 4096,
	SLACK_MS = 10000, // of an element's time against its block's
	TCP = 6,
	UDP = 17,
};

void brain_fence_open(struct brain *b)
{
	char error[512];

	if (!b->options.fence)
		return;
	b->fence = fence_open("sekimori", error, sizeof(error));
	if (!b->fence) // the wire's blocks do not depend on it
		log_warn("no nftables fence: %s", error);
}

// False: a network. Sets hold addresses; the wire alone holds these.
static bool element_of(const struct block *block, uint64_t now_ns, struct fence_block *out)
{
	uint32_t whole = block->endpoint.family == 4 ? 32 : 128;

	if (block->endpoint_bits != whole)
		return false;
	*out = (struct fence_block){.endpoint = block->endpoint, .port = block->port, .transport = block->transport};
	snprintf(out->comment, sizeof(out->comment), "incident %llu, block %llu", (unsigned long long)block->incident,
		 (unsigned long long)block->id);
	out->remaining_ms = block->expires_ns > now_ns ? (block->expires_ns - now_ns) / 1000000 : 0;
	if (out->remaining_ms > FENCE_LONGEST_MS)
		out->remaining_ms = FENCE_LONGEST_MS;
	return true;
}

static void failed(struct brain *b, int r)
{
	if (r >= 0)
		return;
	count(&b->counters, COUNT_BRAIN_FENCE_ERRORS);
	log_warn("nftables: %s", fence_error(b->fence));
}

// As the wire's blocks: what stands in mode advise a person has made or confirmed.
static bool blocks_hold(const struct brain *b)
{
	return reason_mode(b->reason) >= MODE_ADVISE;
}

static uint64_t compared_ns; // 0: to be compared soon

void brain_fence_block(struct brain *b, const struct block *block, const char *what, uint64_t now_ns)
{
	struct fence_block e;
	int r;

	if (!b->fence || !element_of(block, now_ns, &e))
		return;
	if (block->state == BLOCK_ACTIVE && e.remaining_ms && blocks_hold(b)) {
		failed(b, fence_replace(b->fence, &e));
	} else if (block->state == BLOCK_LIFTED) {
		r = fence_remove(b->fence, &e);
		failed(b, r == -ENOENT ? 0 : r);
		compared_ns = 0; // another block may want what was removed: a port of one transport, and the same of any
	}
}

// --- wanted and held ---

struct want { // one element
	struct address endpoint;
	uint16_t port;
	uint8_t transport;
	bool held;
	uint32_t block; // respond_at
	uint64_t remaining_ms;
};

static struct want *want; // in order of element_order
static uint32_t wants, want_room;
static struct fence_block unwanted[AT_ONCE]; // of what the kernel holds
static unsigned unwanted_count;

static int element_order(const void *a, const void *b)
{
	const struct want *x = a, *y = b;
	int r = memcmp(&x->endpoint, &y->endpoint, sizeof(x->endpoint));

	return r ? r : x->port != y->port ? (x->port > y->port) - (x->port < y->port) : x->transport - y->transport;
}

static void want_element(const struct fence_block *e, uint8_t transport, uint32_t block)
{
	if (wants == want_room) {
		struct want *more = realloc(want, (want_room + WANT_ROOM) * sizeof(*want));

		if (!more)
			return; // the wire's blocks do not depend on it
		want = more;
		want_room += WANT_ROOM;
	}
	want[wants++] = (struct want){e->endpoint, e->port, transport, false, block, e->remaining_ms};
}

// Of two blocks of one element the longer counts.
static void merge_equal(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < wants; i++) {
		if (kept && element_order(&want[kept - 1], &want[i]) == 0) {
			if (want[i].remaining_ms > want[kept - 1].remaining_ms)
				want[kept - 1] = want[i];
			continue;
		}
		want[kept++] = want[i];
	}
	wants = kept;
}

static void collect(const struct brain *b, uint64_t now_ns)
{
	const struct block *block;
	struct fence_block e;

	wants = unwanted_count = 0;
	for (uint32_t i = 0; (block = respond_at(reason_respond(b->reason), i)); i++) {
		if (block->state != BLOCK_ACTIVE || !element_of(block, now_ns, &e) || !e.remaining_ms)
			continue;
		if (e.port && !e.transport) { // of any transport: two elements
			want_element(&e, TCP, i);
			want_element(&e, UDP, i);
		} else {
			want_element(&e, e.transport, i);
		}
	}
	if (wants)
		qsort(want, wants, sizeof(*want), element_order);
	merge_equal();
}

// What the kernel holds, one by one.
static void compare(void *user, const struct fence_block *e)
{
	const struct want key = {.endpoint = e->endpoint, .port = e->port, .transport = e->transport};
	struct want *w = wants ? bsearch(&key, want, wants, sizeof(*want), element_order) : NULL;

	if (w)
		w->held = e->remaining_ms + SLACK_MS >= w->remaining_ms && e->remaining_ms <= w->remaining_ms + SLACK_MS;
	else if (unwanted_count < AT_ONCE)
		unwanted[unwanted_count++] = *e;
}

// So many at once that nobody waits for it; the rest with the next comparison.
static void bring_about(struct brain *b, uint64_t now_ns)
{
	struct fence_block e;
	unsigned made = 0;
	int r;

	for (unsigned i = 0; i < unwanted_count; i++) {
		r = fence_remove(b->fence, &unwanted[i]);
		failed(b, r == -ENOENT ? 0 : r);
	}
	for (uint32_t i = 0; i < wants && made < AT_ONCE; i++) {
		if (want[i].held || !element_of(respond_at(reason_respond(b->reason), want[i].block), now_ns, &e))
			continue;
		e.transport = want[i].transport;
		failed(b, fence_replace(b->fence, &e));
		made++;
	}
}

// The table itself is gone: adopt or make it anew, all elements follow.
static bool read_back(struct brain *b)
{
	int r = fence_list(b->fence, compare, NULL);

	if (r != -ENOENT) {
		failed(b, r);
		return r == 0;
	}
	failed(b, r);
	fence_close(b->fence);
	brain_fence_open(b);
	return b->fence != NULL;
}

// What made it impossible may pass: another program's lock, a module that was not there yet.
static void open_again(struct brain *b, uint64_t now_ns)
{
	static uint64_t tried_ns;

	if (now_ns - tried_ns < OPEN_NS)
		return;
	tried_ns = now_ns;
	brain_fence_open(b);
}

void brain_fence_step(struct brain *b, uint64_t now_ns)
{
	static bool held_before;
	const bool hold = blocks_hold(b);

	if (!b->fence)
		open_again(b, now_ns);
	if (!b->fence || (hold == held_before && now_ns - compared_ns < COMPARE_NS))
		return;
	compared_ns = now_ns;
	held_before = hold;
	collect(b, now_ns);
	if (!hold)
		wants = 0;
	if (!read_back(b))
		return;
	if (!hold)
		failed(b, unwanted_count ? fence_clear(b->fence) : 0);
	else
		bring_about(b, now_ns);
}
