// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks as nftables set elements, for kernel paths beside the wire. The kernel's own timeout ends each; every few seconds what is wanted is compared with what the
// kernel holds, and what is missing is made again with the time that remains (somebody may have flushed the ruleset). In modes in which the wire's blocks do not hold
// nothing is fenced either; a panic sets such a mode.
#include "fence.h"
#include "brain.h"
#include "log.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COMPARE_NS (5 * NS_PER_S)
#define OPEN_NS (60 * NS_PER_S) // between two tries, each of which is told

enum { HELD_MAX = 4096 };

void brain_fence_open(struct brain *b)
{
	char error[512];

	if (!b->options.fence)
		return;
	b->fence = fence_open("sekimori", error, sizeof(error));
	if (!b->fence) // the wire's blocks do not depend on it
		log_warn("no nftables fence: %s", error);
}

static bool element_of(const struct block *block, uint64_t now_ns, struct fence_block *out)
{
	uint32_t whole = block->endpoint.family == 4 ? 32 : 128;

	*out = (struct fence_block){.endpoint = block->endpoint, .port = block->port, .transport = block->transport};
	snprintf(out->comment, sizeof(out->comment), "incident %llu, block %llu", (unsigned long long)block->incident,
		 (unsigned long long)block->id);
	if (block->endpoint_bits != whole) // sets of addresses, not of networks: the wire alone holds these
		return false;
	out->remaining_ms = block->expires_ns > now_ns ? (block->expires_ns - now_ns) / 1000000 : 0;
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
	}
}

struct held {
	struct fence_block block[HELD_MAX];
	unsigned n;
};

static void keep(void *user, const struct fence_block *e)
{
	struct held *h = user;

	if (h->n < HELD_MAX)
		h->block[h->n++] = *e;
}

static bool is_held(const struct held *h, const struct fence_block *want)
{
	bool both = want->port && !want->transport; // a port of any transport is two elements
	unsigned n = 0;

	for (unsigned i = 0; i < h->n; i++)
		n += address_equal(&h->block[i].endpoint, &want->endpoint) && h->block[i].port == want->port &&
		     (both || h->block[i].transport == want->transport);
	return n >= 1u + both;
}

// The table itself is gone: adopt or make it anew, all elements follow.
static bool read_back(struct brain *b, struct held *h)
{
	int r = fence_list(b->fence, keep, h);

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
	static uint64_t compared_ns;
	static struct held held;
	static bool held_before;
	const bool hold = blocks_hold(b);
	const struct block *block;
	struct fence_block e;

	if (!b->fence)
		open_again(b, now_ns);
	if (!b->fence || (hold == held_before && now_ns - compared_ns < COMPARE_NS))
		return;
	compared_ns = now_ns;
	held_before = hold;
	held.n = 0;
	if (!read_back(b, &held))
		return;
	if (!hold) {
		failed(b, held.n ? fence_clear(b->fence) : 0);
		return;
	}
	for (uint32_t i = 0; (block = respond_at(reason_respond(b->reason), i)); i++)
		if (block->state == BLOCK_ACTIVE && element_of(block, now_ns, &e) && e.remaining_ms && !is_held(&held, &e))
			failed(b, fence_replace(b->fence, &e));
}
