// SPDX-License-Identifier: GPL-2.0-or-later
// An explanation for people. No program here sets the locale of numbers, so a point is a point.
#include "explain_impl.h"

#include "text.h"
#include "volume.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define BIT ((double)EVIDENCE_BIT)

struct paper {
	char *at;
	size_t cap, used;
};

static void __attribute__((format(printf, 2, 3))) say(struct paper *p, const char *format, ...)
{
	va_list args;
	int n;

	if (p->used >= p->cap)
		return;
	va_start(args, format);
	n = vsnprintf(p->at + p->used, p->cap - p->used, format, args);
	va_end(args);
	p->used += n > 0 ? (size_t)n : 0;
}

static void say_head(struct paper *p, const struct alert *a)
{
	char when[TEXT_TIME_BYTES], device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES];

	say(p, "alert %llu  %s  %s@%u  priority %u%s%s\n", (unsigned long long)a->id, time_format(a->time_ns, when),
	    a->policy, a->policy_version, a->priority, a->note ? "  (a note: below the threshold)" : "",
	    a->suppressed ? "  (suppressed)" : "");
	say(p, "  device %s%s%s%s, endpoint %s port %u, %s%s%s, judged by baseline %s\n",
	    address_format(&a->device, device), a->group[0] ? " (" : "", a->group, a->group[0] ? ")" : "",
	    address_format(&a->endpoint, endpoint), a->endpoint_port, direction_name(a->direction),
	    a->app == APP_NONE ? "" : " ", a->app == APP_NONE ? "" : app_name(a->app),
	    a->baseline[0] ? a->baseline : "none");
}

static void say_model(struct paper *p, const struct backoff_terms *m)
{
	if (m->levels == 0)
		say(p, "      nothing was learned here yet\n");
	else
		say(p, "      %-13s %7s %7s %7s %6s %6s %7s  %-11s %s\n", "level", "c", "N", "T", "n1", "n2", "d", "P", "bits");
	for (uint32_t i = 0; i < m->levels; i++) {
		const struct backoff_level *l = &m->level[i];
		struct backoff_terms part = *m;

		// The bits of this level's P: as if the question had been asked here.
		part.levels = m->levels - i;
		memmove(part.level, &m->level[i], part.levels * sizeof(part.level[0]));
		backoff_compute(&part);
		say(p, "      %-13s %7u %7u %7u %6u %6u %7.4f  %-11.5g %.2f\n", explain_level(i, m->levels), l->count,
		    l->customers, l->types, l->single, l->twice, l->discount, l->p, part.bits);
	}
	say(p, "      a value nobody here ever showed: P %.5g; strength %g%s\n", m->base, m->strength,
	    m->self ? "; the device itself is one of those counted above it" : "");
}

static void say_terms(struct paper *p, const struct alert *a)
{
	if (!a->terms && !a->certain)
		return;
	say(p, "\nWhat the policy tells: %.2f bits, at most 20 a term%s\n", a->bits,
	    a->certain ? ", 13.29 of them for a fact that needs no learning" : "");
	for (unsigned i = 0; i < a->terms; i++) {
		const struct alert_term *t = &a->term[i];
		const struct counts *c = &t->counts;

		say(p, "  %s \"%s\": %.2f bits\n", feature_name(t->feature), t->value, t->bits);
		say(p, "      seen on %u of %u days by this device, by %u of %u peers, by %u of %u others here\n",
		    c->device_days, c->device_known, c->peers, c->peers_total, c->org, c->org_total);
		say_model(p, &t->model);
	}
}

static void say_number(struct paper *p, const struct score *s)
{
	static const char *const windows[VOLUME_WINDOWS] = {"an hour", "a day", "a week"};
	const uint64_t *n = s->number;

	if (s->class == SCORE_BYTES)
		say(p, "  %llu bytes in %s\n", (unsigned long long)n[NUMBER_BYTES],
		    windows[n[NUMBER_WINDOW] < VOLUME_WINDOWS ? n[NUMBER_WINDOW] : 0]);
	else if (s->class == SCORE_FAN_OUT)
		say(p, "  %llu different places in an hour, its usual is %llu\n", (unsigned long long)n[NUMBER_COUNT],
		    (unsigned long long)n[NUMBER_USUAL]);
	else if (s->class == SCORE_BEACON)
		say(p, "  a call every %.1f s, %llu of %llu within the jitter; %.2f bits\n",
		    (double)n[NUMBER_PERIOD_MS] / 1000, (unsigned long long)n[NUMBER_WITHIN],
		    (unsigned long long)n[NUMBER_OF], s->measured);
}

static void say_score_term(struct paper *p, const struct score_term *t)
{
	struct counts c;

	learn_counts_in(&t->model, &c);
	say(p, "  %s \"%s\": %s%.2f bits%s\n", feature_name(t->feature), t->value, t->sign < 0 ? "less " : "", t->bits,
	    feature_is_given(t->feature)
		    ? t->novelty == NOVELTY_KNOWN ? ", given a destination it knows" : ", given a destination new to it"
		    : "");
	say(p, "      seen on %u days by this device, by %u peers, by %u others here\n", c.device_days, c.peers, c.org);
	say_model(p, &t->model);
	if (t->adopters)
		say(p, "      a roll-out: %u of %u devices began with it within two days\n", t->adopters, t->adopters_of);
}

static void say_rank(struct paper *p, const struct score *s)
{
	const struct conformal_p *r = &s->rank;

	say(p, "  p among %s: %u above, %u equal of %u held: %.5g (%.2f bits)\n",
	    score_among_name(s), r->above, r->equal, r->held, r->p, r->bits);
	if (r->extrapolated)
		say(p, "      beyond all of them, by a tail fitted to %llu of %llu: threshold %g, shape %g, scale %g\n",
		    (unsigned long long)r->tail.above, (unsigned long long)r->tail.total, r->tail.threshold,
		    r->tail.shape, r->tail.scale);
	if (s->own.p > 0)
		say(p, "  p among its own: %u above, %u equal of %u held, its most was %u bits: %.5g\n", s->own.above,
		    s->own.equal, s->own.held, s->own.most, s->own.p);
	else
		say(p, "  p among its own: %u held, too few to compare with\n", s->own.held);
	say(p, "  p = %.5g, the larger of the two%s; evidence log2 (1 - p + p ln p)/(p ln^2 p) = %.6f bits%s; device ready %u %%\n", s->p,
	    s->among == AMONG_NEWCOMERS ? ", no less than 1/(held + 1)" : "", s->microbits / BIT,
	    s->surprise < 1 ? " for p = 1, as below a bit of surprise" : "", s->ready);
}

static void say_score(struct paper *p, const struct score *s)
{
	char endpoint[ADDRESS_TEXT_BYTES];

	if (s->class == SCORE_NONE)
		return;
	say(p, "\nThe event that raised it: %s, %s port %u: surprise %.2f bits (a term: how likely is one as unusual)\n", score_class_name(s->class),
	    address_format(&s->endpoint, endpoint), s->endpoint_port, s->surprise);
	say_number(p, s);
	for (unsigned i = 0; i < s->terms; i++)
		say_score_term(p, &s->term[i]);
	say_rank(p, s);
}

static void say_item(struct paper *p, const struct explained_item *x)
{
	char when[TEXT_TIME_BYTES];
	const struct evidence_item *i = x->item;

	say(p, "  %s  %-40s %+.6f bits", time_format(i->time_ms * 1000000, when), x->name, i->microbits / BIT);
	if (x->found && x->full != i->microbits)
		say(p, " of %.6f (others of its kind or about the same endpoint had been within half an hour)", x->full / BIT);
	if (x->alert)
		say(p, "  alert %llu", (unsigned long long)x->alert);
	if (!x->found)
		say(p, i->microbits < 3 * EVIDENCE_BIT ? "  (small: its event is not kept)" : "  (its event is not in the journal)");
	say(p, "\n");
}

static void say_threshold(struct paper *p, const char *what, int64_t threshold, double per_day, const char *unit)
{
	if (threshold == INT64_MAX)
		say(p, "  %s: none yet\n", what);
	else
		say(p, "  %s %.6f bits keeps %g %s a day\n", what, (double)threshold / BIT, per_day, unit);
}

static void say_evidence(struct paper *p, const struct explained *e)
{
	static const char *const speeds[EVIDENCE_SPEEDS] = {"fast", "slow"};
	const struct alert_proof *f = &e->alert.proof;
	char when[TEXT_TIME_BYTES], life[TEXT_DURATION_BYTES];

	if (f->per_day == 0) {
		say(p, "\nNo alarm budget was set: each match of a policy is told.\n");
		return;
	}
	say(p, "\nEvidence against the device: %u kinds within 10 minutes\n", f->families);
	if (f->before.time_ms)
		say(p, "  %s  before these: fast %.6f, slow %.6f bits\n", time_format(f->before.time_ms * 1000000, when),
		    (double)f->before.level[0] / BIT, (double)f->before.level[1] / BIT);
	for (unsigned i = 0; i < e->items; i++)
		say_item(p, &e->item[i]);
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		say(p, "  level %s %.6f bits (half of it is forgotten in %s)\n", speeds[i],
		    (double)f->evidence.level[i] / BIT, duration_format(f->half_life_ms[i] * 1000000, life));
	say_threshold(p, "threshold", f->threshold, f->per_day, "alarms");
	say_threshold(p, "threshold of blocks", f->block_threshold, f->blocks_per_day, "blocks");
	if (!f->calibrated)
		say(p, "  too few days: the thresholds did not count yet, policies stood by themselves\n");
}

// Days fade, so they are no whole numbers.
static void say_weight(struct paper *p, const struct alert *a)
{
	const struct alert_habit *h = &a->habit;

	say(p, "\nWeight of the policy: %.6f bits", a->weight);
	if (h->device_of == 0 && h->role_of == 0) {
		say(p, ", as it declares\n");
		return;
	}
	say(p, " of the %g it declares: it matched on %.2f of %.2f days of this device before,\n", a->declared,
	    h->device_days / (double)HABIT_DAY, h->device_of / (double)HABIT_DAY);
	say(p, "  and ever on %u devices of its role, of %.2f days of all of them\n", h->role_devices, h->role_of / (double)HABIT_DAY);
}

int explain_text(const struct explained *e, char *out, size_t cap)
{
	struct paper p = {out, cap, 0};

	say_head(&p, &e->alert);
	say_terms(&p, &e->alert);
	say_weight(&p, &e->alert);
	say_score(&p, &e->alert.score);
	say_evidence(&p, e);
	if (e->differ)
		say(&p, "\n%srecomputed: %u of %u numbers differ\n", e->differs, e->differ, e->numbers);
	else
		say(&p, "\nrecomputed: %u numbers agree to the last digit\n", e->numbers);
	return p.used < cap ? (int)p.used : -ENOSPC;
}
