// SPDX-License-Identifier: GPL-2.0-or-later
// The back-off's estimate: reads the table, never writes. One thread with backoff.c.
#include "backoff_impl.h"
#include "real.h"

#define LEAST_DISCOUNT 0.05
#define MOST_DISCOUNT 0.95

void backoff_prefetch(const struct backoff *b, uint32_t context, uint64_t value)
{
	for (; context < b->context_used; context = b->context[context].parent) {
		const char *at = (const char *)&b->entry[backoff_home(b, context, value)];

		__builtin_prefetch(at);
		__builtin_prefetch(at + 2 * sizeof(struct backoff_entry) - 1); // the next one as well
	}
}

void backoff_counts(const struct backoff *b, uint32_t context, uint64_t value, struct backoff_terms *out)
{
	uint32_t levels = 0;

	out->self = 0;
	for (; context < b->context_used && levels < BACKOFF_LEVELS; context = b->context[context].parent) {
		const struct backoff_context *c = &b->context[context];
		const struct backoff_entry *e = backoff_place(b, context, value);
		bool shown = e->context && e->total; // only what devices showed has days of presence

		out->level[levels++] = (struct backoff_level){.count = shown ? e->counted : e->days,
							      .customers = c->customers,
							      .types = c->types,
							      .single = c->single,
							      .twice = c->twice,
							      .first = e->first,
							      .last = e->day};
		out->self |= shown;
	}
	out->levels = levels;
}

void backoff_look(const struct backoff *b, uint32_t context, uint64_t value, double base, struct backoff_terms *out)
{
	backoff_counts(b, context, value, out);
	out->strength = b->strength;
	out->base = base;
	backoff_compute(out);
}

bool backoff_holds(const struct backoff *b, uint32_t context, uint64_t value)
{
	return context < b->context_used && backoff_place(b, context, value)->context != 0;
}

uint32_t backoff_held(const struct backoff *b, uint32_t context)
{
	return context < b->context_used ? b->context[context].held : 0;
}

double backoff_singles(const struct backoff *b, uint32_t context)
{
	const struct backoff_context *c = &b->context[context];

	return context >= b->context_used || c->customers == 0 ? 1 : (double)c->single / (double)c->customers;
}

static double discount_of(const struct backoff_level *l)
{
	double d = MOST_DISCOUNT;

	if (l->single + l->twice > 0)
		d = (double)l->single / ((double)l->single + 2.0 * (double)l->twice);
	else if (l->types > 0)
		d = LEAST_DISCOUNT; // all of it is long known
	return d < LEAST_DISCOUNT ? LEAST_DISCOUNT : d > MOST_DISCOUNT ? MOST_DISCOUNT : d;
}

void backoff_compute(struct backoff_terms *t)
{
	double p = t->base;

	for (uint32_t i = t->levels; i-- > 0;) {
		struct backoff_level *l = &t->level[i];
		double own;

		l->discount = discount_of(l);
		own = l->count ? (double)l->count - l->discount : 0;
		p = (own + (t->strength + l->discount * (double)l->types) * p) / (t->strength + (double)l->customers);
		l->p = p;
	}
	t->p = p;
	t->bits = 0 - real_log2(p);
}

double backoff_tail_bits(const struct backoff_terms *t)
{
	double tail = 1;

	for (uint32_t i = t->levels; i-- > 0;) {
		const struct backoff_level *l = &t->level[i];
		double d = discount_of(l), n = t->strength + (double)l->customers;
		double unseen = (t->strength + d * (double)l->types) / n;
		double once = (double)l->single * (1 - d) / n, twice = (double)l->twice * (2 - d) / n;

		if (l->count == 0)
			tail = unseen * tail;
		else if (l->count == 1)
			tail = unseen + once / 2;
		else if (l->count == 2)
			tail = unseen + once + twice / 2;
		else
			tail = 1;
		if (tail > 1)
			tail = 1;
	}
	return 0 - real_log2(tail);
}

double backoff_missing(const struct backoff *b, uint32_t context, double delta)
{
	const struct backoff_context *c = &b->context[context];
	double n, missing;

	if (context >= b->context_used || c->customers == 0 || !(delta > 0))
		return 1;
	n = (double)c->customers;
	// (2√2 + √3) √(ln(3/δ)/n)
	missing = (double)c->single / n + 4.56047793231 * real_sqrt(real_log2(3 / delta) * REAL_LN2 / n);
	return missing < 1 ? missing : 1;
}
