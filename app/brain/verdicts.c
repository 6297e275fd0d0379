// SPDX-License-Identifier: GPL-2.0-or-later
// Verdicts on their way to the wire. A ring holds two thousand; a new brain says all its blocks at once, and a worker may stand still meanwhile. What finds no
// room waits here in order and is said when there is some: a block that the wire never heard of would be none.
#include "brain.h"
#include <stdlib.h>

enum { WAITING_LEAST = 1024 };

static bool is_for(const struct waiting_verdict *v, unsigned worker)
{
	return v->workers >> worker & 1;
}

// As far as the worker's ring has room. true: all was said.
static bool catch_up(struct brain *b, unsigned worker)
{
	uint32_t *at = &b->said[worker];

	while (*at < b->waitings && (!is_for(&b->waiting[*at], worker) || ring_push(&b->out[worker], &b->waiting[*at].verdict)))
		++*at;
	return *at == b->waitings;
}

void brain_say_waiting(struct brain *b)
{
	bool all = true;

	if (!b->waitings)
		return;
	for (unsigned i = 0; i < b->workers; i++)
		all &= catch_up(b, i);
	if (!all)
		return;
	memset(b->said, 0, sizeof(b->said));
	b->waitings = 0;
}

static bool has_room(struct brain *b)
{
	uint32_t room = b->waiting_room ? 2 * b->waiting_room : WAITING_LEAST;
	struct waiting_verdict *grown;

	if (b->waitings < b->waiting_room)
		return true;
	grown = room <= BRAIN_WAITING ? realloc(b->waiting, room * sizeof(*grown)) : NULL;
	if (!grown)
		return false;
	b->waiting = grown;
	b->waiting_room = room;
	return true;
}

static void wait_for_room(struct brain *b, uint16_t workers, const struct verdict *v)
{
	// A frame that is held is not held any longer by then.
	if (v->kind == VERDICT_RELEASE || !has_room(b)) {
		count(&b->counters, COUNT_BRAIN_VERDICTS_LOST);
		return;
	}
	b->waiting[b->waitings++] = (struct waiting_verdict){.verdict = *v, .workers = workers};
}

void brain_say(void *brain, unsigned worker, const struct verdict *v)
{
	struct brain *b = brain;
	unsigned first = worker < b->workers ? worker : 0, last = worker < b->workers ? worker + 1 : b->workers;
	uint16_t full = 0;

	for (unsigned i = first; i < last; i++)
		if (!catch_up(b, i) || !ring_push(&b->out[i], v))
			full |= (uint16_t)(1u << i);
	if (full)
		wait_for_room(b, full, v);
}
