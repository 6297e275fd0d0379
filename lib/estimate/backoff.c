// SPDX-License-Identifier: GPL-2.0-or-later
// The back-off's table: one flat array of (context, value) entries, open addressing with linear probing, removal
// without tombstones; contexts hold the sums. Only the sweep removes, and only where its hand stands, so what moves
// into the hole comes from ahead of it and is still looked at in this round. One thread.
#include "backoff_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { WINDOW_MASK = (1u << BACKOFF_WINDOW) - 1, LAST_DAY = 0xffff, MOVING_ROUNDS = 2 };

static void *huge_pages(size_t bytes) // a look-up is a miss of the cache; it need not be one of the page table too
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, bytes, MADV_HUGEPAGE);
	return at;
}

struct backoff *backoff_create(const struct backoff_config *config)
{
	struct backoff *b;

	if (config->entries < 8 || config->contexts == 0 || config->contexts >= BACKOFF_NOWHERE ||
	    !(config->strength > 0)) {
		errno = EINVAL;
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->entries = config->entries;
	b->contexts = config->contexts;
	b->strength = config->strength;
	b->context_free = BACKOFF_NOWHERE;
	b->entry = huge_pages(b->entries * sizeof(*b->entry));
	b->context = calloc(b->contexts, sizeof(*b->context));
	if (b->entry && b->context)
		return b;
	backoff_destroy(b);
	errno = ENOMEM;
	return NULL;
}

void backoff_destroy(struct backoff *b)
{
	if (!b)
		return;
	if (b->entry)
		munmap(b->entry, b->entries * sizeof(*b->entry));
	free(b->context);
	free(b);
}

const struct backoff_stats *backoff_stats(const struct backoff *b)
{
	return &b->stats;
}

static bool is_open(const struct backoff *b, uint32_t context)
{
	return context < b->context_used && b->context[context].depth > 0 && !b->context[context].ended;
}

uint32_t backoff_open(struct backoff *b, uint32_t parent, uint32_t most)
{
	uint32_t context = b->context_free;
	unsigned depth = 1;

	if (parent != BACKOFF_NOWHERE) {
		if (!is_open(b, parent) || b->context[parent].depth >= BACKOFF_LEVELS)
			return BACKOFF_NOWHERE;
		depth = b->context[parent].depth + 1u;
	}
	if (context != BACKOFF_NOWHERE)
		b->context_free = b->context[context].parent;
	else if (b->context_used < b->contexts)
		context = b->context_used++;
	else
		return BACKOFF_NOWHERE;
	b->context[context] = (struct backoff_context){
		.parent = parent, .left = parent, .most = most ? most : UINT32_MAX, .depth = (uint8_t)depth};
	if (parent != BACKOFF_NOWHERE)
		b->context[parent].below++;
	return context;
}

// Done with moving when two rounds were clean: the one under way had passed some of its values.
static void finish_move(struct backoff *b, struct backoff_context *c)
{
	if (!c->moving || b->clean_rounds - c->moved_at < MOVING_ROUNDS)
		return;
	b->context[c->left].below--;
	c->left = c->parent;
	c->moving = 0;
}

// It holds nothing, so no value still stands in the sums of the parent it left.
static void give_back(struct backoff *b, uint32_t context)
{
	struct backoff_context *c = &b->context[context];

	if (c->moving)
		b->context[c->left].below--;
	if (c->parent != BACKOFF_NOWHERE)
		b->context[c->parent].below--;
	*c = (struct backoff_context){.parent = b->context_free};
	b->context_free = context;
}

int backoff_close(struct backoff *b, uint32_t context)
{
	struct backoff_context *c = &b->context[context];

	if (!is_open(b, context))
		return -EBUSY;
	finish_move(b, c);
	for (uint32_t i = 0; i < b->context_used && c->below; i++) // those that left it may not have been asked since
		finish_move(b, &b->context[i]);
	if (c->held || c->below || c->moving)
		return -EBUSY;
	give_back(b, context);
	return 0;
}

int backoff_end(struct backoff *b, uint32_t context)
{
	struct backoff_context *c = &b->context[context];

	if (!is_open(b, context))
		return -EINVAL;
	if (c->below)
		return -EBUSY;
	c->ended = 1;
	if (c->held == 0)
		give_back(b, context);
	return 0;
}

int backoff_move(struct backoff *b, uint32_t context, uint32_t parent)
{
	struct backoff_context *c = &b->context[context];

	if (!is_open(b, context) || !is_open(b, parent) || c->below || c->parent == BACKOFF_NOWHERE ||
	    b->context[parent].depth != c->depth - 1 || b->context[parent].parent != b->context[c->parent].parent)
		return -EINVAL;
	if (parent == c->parent)
		return 0;
	finish_move(b, c);
	if (c->moving)
		return -EBUSY;
	c->left = c->parent; // it stays counted below `left` until all have moved
	c->parent = parent;
	c->turn ^= 1;
	c->moving = 1;
	c->moved_at = b->clean_rounds;
	b->context[parent].below++;
	return 0;
}

// All the sums a count stands in, when it changes.
static void recount(struct backoff_context *c, uint32_t from, uint32_t to)
{
	c->customers += to - from;
	c->types += (to > 0) - (uint32_t)(from > 0);
	c->single += (to == 1) - (uint32_t)(from == 1);
	c->twice += (to == 2) - (uint32_t)(from == 2);
}

static bool has_room(const struct backoff *b, uint32_t wanted)
{
	return b->stats.used + wanted <= b->entries - b->entries / 8;
}

static void above_add(struct backoff *b, uint32_t context, uint64_t value, uint16_t day)
{
	struct backoff_entry *e = backoff_place(b, context, value);
	struct backoff_context *c = &b->context[context];

	if (!e->context) {
		*e = (struct backoff_entry){.value = value, .context = context + 1, .first = day};
		b->stats.used++;
		c->held++;
	}
	recount(c, e->days, e->days + 1);
	e->days++;
	if (day < e->first)
		e->first = day;
	if (day > e->day)
		e->day = day;
}

// The entry stays, counting 0, until the sweep comes by.
static void above_remove(struct backoff *b, uint32_t context, uint64_t value)
{
	struct backoff_entry *e = backoff_place(b, context, value);

	if (!e->context || e->days == 0)
		return;
	recount(&b->context[context], e->days, e->days - 1);
	e->days--;
}

static uint32_t parent_of(const struct backoff *b, const struct backoff_entry *e)
{
	const struct backoff_context *c = &b->context[e->context - 1];

	return e->turn == c->turn ? c->parent : c->left;
}

// Does what a change of group has left to do for this value. It may have no room to: then later.
static void settle(struct backoff *b, struct backoff_entry *e)
{
	const struct backoff_context *c = &b->context[e->context - 1];

	if (e->turn == c->turn)
		return;
	if (b->stats.used + 1 > b->entries - b->entries / 16) { // half of what no newcomer may take
		b->stuck = true;
		return;
	}
	above_remove(b, c->left, e->value);
	above_add(b, c->parent, e->value, e->first);
	e->turn = c->turn;
}

static uint32_t slide(uint32_t days, uint32_t from, uint32_t to)
{
	if (to <= from)
		return days;
	return to - from >= BACKOFF_WINDOW ? 0 : days << (to - from) & WINDOW_MASK;
}

static void count_days(struct backoff *b, struct backoff_entry *e, uint32_t today)
{
	uint32_t now = (uint32_t)__builtin_popcount(slide(e->days, e->day, today));

	recount(&b->context[e->context - 1], e->counted, now);
	e->counted = (uint8_t)now;
}

static bool add(struct backoff *b, struct backoff_entry *e, const struct backoff_seen *s)
{
	struct backoff_context *c = &b->context[s->context];

	if (c->held >= c->most) {
		b->stats.over++;
		return false;
	}
	if (!has_room(b, BACKOFF_LEVELS)) {
		b->stats.full++;
		return false;
	}
	*e = (struct backoff_entry){.value = s->value,
				    .context = s->context + 1,
				    .days = s->days,
				    .day = s->last,
				    .first = s->first,
				    .total = s->total,
				    .turn = c->turn};
	b->stats.used++;
	c->held++;
	count_days(b, e, s->last);
	for (uint32_t p = c->parent; p != BACKOFF_NOWHERE; p = b->context[p].parent)
		above_add(b, p, s->value, s->first);
	return true;
}

static bool mark(struct backoff_entry *e, uint32_t day)
{
	uint32_t bit;

	if (day > e->day) {
		e->days = slide(e->days, e->day, day);
		e->day = (uint16_t)day;
	}
	if (e->day - day >= BACKOFF_WINDOW)
		return false;
	bit = 1u << (e->day - day);
	if (e->days & bit)
		return false;
	e->days |= bit;
	e->total += e->total < UINT16_MAX;
	if (day < e->first)
		e->first = (uint16_t)day;
	return true;
}

bool backoff_learn(struct backoff *b, uint32_t context, uint64_t value, uint32_t day)
{
	struct backoff_entry *e;

	if (!is_open(b, context) || b->context[context].below || day == 0 || day > LAST_DAY)
		return false;
	e = backoff_place(b, context, value);
	if (!e->context) {
		struct backoff_seen s = {context, 1, value, (uint16_t)day, (uint16_t)day, 1};

		return add(b, e, &s);
	}
	settle(b, e);
	if (!mark(e, day))
		return false;
	count_days(b, e, e->day);
	return true;
}

bool backoff_restore(struct backoff *b, const struct backoff_seen *s)
{
	struct backoff_entry *e;

	if (!is_open(b, s->context) || b->context[s->context].below || !(s->days & 1) || s->days & ~WINDOW_MASK ||
	    s->first == 0 || s->first > s->last || s->total == 0)
		return false;
	e = backoff_place(b, s->context, s->value);
	return !e->context && add(b, e, s);
}

// Knuth, TAOCP 3, 6.4, algorithm R: what follows the hole moves into it unless its home lies between the two.
static void erase(struct backoff *b, uint32_t hole)
{
	struct backoff_context *c = &b->context[b->entry[hole].context - 1];
	uint32_t i = hole, n = b->entries;

	if (--c->held == 0 && c->ended)
		give_back(b, b->entry[hole].context - 1);
	b->stats.used--;
	for (;;) {
		uint32_t home;

		i = i + 1 == n ? 0 : i + 1;
		if (!b->entry[i].context)
			break;
		home = backoff_home(b, b->entry[i].context - 1, b->entry[i].value);
		if ((i >= home ? i - home : i + n - home) >= (i >= hole ? i - hole : i + n - hole)) {
			b->entry[hole] = b->entry[i];
			hole = i;
		}
	}
	b->entry[hole] = (struct backoff_entry){0};
}

// True: nothing of it is left to say.
static bool review(struct backoff *b, struct backoff_entry *e, uint32_t today)
{
	uint32_t keep = b->stats.used > b->entries / 4 * 3 ? BACKOFF_WINDOW : BACKOFF_FORGET;
	const struct backoff_context *c = &b->context[e->context - 1];

	if (e->total == 0) // a group's or the organisation's: those have no days of presence
		return e->days == 0;
	if (!c->ended) {
		settle(b, e);
		count_days(b, e, today > e->day ? today : e->day);
		if (today < e->day + keep || e->counted)
			return false;
	}
	above_remove(b, parent_of(b, e), e->value);
	for (uint32_t p = b->context[c->parent].parent; p != BACKOFF_NOWHERE; p = b->context[p].parent)
		above_remove(b, p, e->value);
	b->stats.forgotten++;
	return true;
}

static void end_of_round(struct backoff *b)
{
	b->hand = 0;
	b->stats.rounds++;
	b->clean_rounds += !b->stuck;
	b->stuck = false;
}

void backoff_sweep(struct backoff *b, uint32_t today, uint32_t entries)
{
	for (; entries; entries--) {
		struct backoff_entry *e = &b->entry[b->hand];

		if (e->context && review(b, e, today)) {
			erase(b, b->hand);
			continue; // what moved here is next
		}
		if (++b->hand == b->entries)
			end_of_round(b);
	}
}

bool backoff_next(const struct backoff *b, uint64_t *cursor, struct backoff_seen *out)
{
	while (*cursor < b->entries) {
		const struct backoff_entry *e = &b->entry[(*cursor)++];

		if (e->context && e->total && !b->context[e->context - 1].ended) {
			*out = (struct backoff_seen){e->context - 1, e->days, e->value, e->first, e->day, e->total};
			return true;
		}
	}
	return false;
}
