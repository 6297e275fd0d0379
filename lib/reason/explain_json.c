// SPDX-License-Identifier: GPL-2.0-or-later
// An explanation for programs: doubles with all their digits.
#include "explain_impl.h"

#include "json.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>

static void put_double(struct json *j, const char *key, double value)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "%.17g", value);
	bool number = value - value == 0; // not what JSON has no word for

	json_put_bare(j, json_key(j, key), number ? text : "null", number ? (size_t)n : 4);
}

static void put_signed(struct json *j, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);

	json_put_bare(j, json_key(j, key), text, (size_t)n);
}

static void put_address(struct json *j, const char *key, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];

	json_text(j, key, address_format(a, text));
}

static void put_time(struct json *j, const char *key, uint64_t ns)
{
	char text[TEXT_TIME_BYTES];

	json_text(j, key, time_format(ns, text));
}

static void put_model(struct json *j, const struct backoff_terms *m)
{
	json_open(j, "model");
	json_open_array(j, "levels");
	for (uint32_t i = 0; i < m->levels; i++) {
		const struct backoff_level *l = &m->level[i];

		json_open(j, NULL);
		json_text(j, "level", explain_level(i, m->levels));
		json_u64(j, "c", l->count);
		json_u64(j, "N", l->customers);
		json_u64(j, "T", l->types);
		json_u64(j, "n1", l->single);
		json_u64(j, "n2", l->twice);
		put_double(j, "d", l->discount);
		put_double(j, "P", l->p);
		json_close(j);
	}
	json_close_array(j);
	json_bool(j, "self", m->self != 0);
	put_double(j, "strength", m->strength);
	put_double(j, "base", m->base);
	put_double(j, "P", m->p);
	put_double(j, "bits", m->bits);
	json_close(j);
}

static void put_terms(struct json *j, const struct alert *a)
{
	json_open_array(j, "terms");
	for (unsigned i = 0; i < a->terms; i++) {
		const struct alert_term *t = &a->term[i];

		json_open(j, NULL);
		json_text(j, "feature", feature_name(t->feature));
		json_text(j, "value", t->value);
		put_double(j, "bits", t->bits);
		json_u64(j, "device_days", t->counts.device_days);
		json_u64(j, "device_known", t->counts.device_known);
		json_u64(j, "peers", t->counts.peers);
		json_u64(j, "peers_total", t->counts.peers_total);
		json_u64(j, "organisation", t->counts.org);
		json_u64(j, "organisation_total", t->counts.org_total);
		put_model(j, &t->model);
		json_close(j);
	}
	json_close_array(j);
}

static void put_score_terms(struct json *j, const struct score *s)
{
	json_open_array(j, "terms");
	for (unsigned i = 0; i < s->terms; i++) {
		const struct score_term *t = &s->term[i];

		json_open(j, NULL);
		json_text(j, "feature", feature_name(t->feature));
		json_text(j, "value", t->value);
		json_text(j, "novelty", t->novelty == NOVELTY_KNOWN ? "known" : "new");
		put_signed(j, "sign", t->sign);
		put_double(j, "bits", t->bits);
		json_u64(j, "adopters", t->adopters);
		json_u64(j, "adopters_of", t->adopters_of);
		put_model(j, &t->model);
		json_close(j);
	}
	json_close_array(j);
}

static void put_rank(struct json *j, const struct score *s)
{
	const struct conformal_p *r = &s->rank;

	json_open(j, "among_role");
	json_text(j, "role", score_among_name(s));
	json_u64(j, "above", r->above);
	json_u64(j, "equal", r->equal);
	json_u64(j, "held", r->held);
	json_bool(j, "extrapolated", r->extrapolated != 0);
	json_u64(j, "tail_above", r->tail.above);
	json_u64(j, "tail_total", r->tail.total);
	put_double(j, "tail_threshold", r->tail.threshold);
	put_double(j, "tail_shape", r->tail.shape);
	put_double(j, "tail_scale", r->tail.scale);
	put_double(j, "p", r->p);
	json_close(j);
	json_open(j, "among_own");
	json_u64(j, "above", s->own.above);
	json_u64(j, "equal", s->own.equal);
	json_u64(j, "held", s->own.held);
	json_u64(j, "most", s->own.most);
	put_double(j, "p", s->own.p);
	json_close(j);
}

static void put_score(struct json *j, const struct score *s)
{
	if (s->class == SCORE_NONE)
		return;
	json_open(j, "event");
	json_text(j, "class", score_class_name(s->class));
	put_time(j, "time", s->time_ns);
	put_address(j, "endpoint", &s->endpoint);
	json_u64(j, "endpoint_port", s->endpoint_port);
	json_open_array(j, "numbers");
	for (unsigned i = 0; i < SCORE_NUMBERS; i++)
		json_u64(j, NULL, s->number[i]);
	json_close_array(j);
	put_double(j, "measured", s->measured);
	put_score_terms(j, s);
	put_double(j, "surprise", s->surprise);
	put_rank(j, s);
	put_double(j, "p", s->p);
	put_signed(j, "microbits", s->microbits);
	json_u64(j, "ready_percent", s->ready);
	json_close(j);
}

static void put_state(struct json *j, const char *key, const struct evidence_state *s)
{
	json_open(j, key);
	put_signed(j, "fast_microbits", s->level[0]);
	put_signed(j, "slow_microbits", s->level[1]);
	json_u64(j, "time_ms", s->time_ms);
	json_close(j);
}

static void put_threshold(struct json *j, const char *key, int64_t microbits)
{
	if (microbits == INT64_MAX)
		json_put_bare(j, json_key(j, key), "null", 4);
	else
		put_signed(j, key, microbits);
}

static void put_evidence(struct json *j, const struct explained *e)
{
	const struct alert_proof *p = &e->alert.proof;

	json_open(j, "evidence");
	put_state(j, "before", &p->before);
	json_open_array(j, "items");
	for (unsigned i = 0; i < e->items; i++) {
		const struct explained_item *x = &e->item[i];

		json_open(j, NULL);
		put_time(j, "time", x->item->time_ms * 1000000);
		json_text(j, "kind", x->name);
		put_signed(j, "microbits", x->item->microbits);
		if (x->found)
			put_signed(j, "full_microbits", x->full);
		if (x->alert)
			json_u64(j, "alert", x->alert);
		json_close(j);
	}
	json_close_array(j);
	put_state(j, "level", &p->evidence);
	json_u64(j, "fast_half_life_ms", p->half_life_ms[0]);
	json_u64(j, "slow_half_life_ms", p->half_life_ms[1]);
	json_u64(j, "kinds", p->families);
	json_bool(j, "calibrated", p->calibrated != 0);
	put_threshold(j, "threshold_microbits", p->threshold);
	put_threshold(j, "block_threshold_microbits", p->block_threshold);
	put_double(j, "alarms_per_day", p->per_day);
	put_double(j, "blocks_per_day", p->blocks_per_day);
	json_close(j);
}

static void put_habit(struct json *j, const struct alert_habit *h)
{
	json_open(j, "habit"); // days in 1/256
	json_u64(j, "device_days", h->device_days);
	json_u64(j, "device_of", h->device_of);
	json_u64(j, "role_devices", h->role_devices);
	json_u64(j, "role_of", h->role_of);
	json_close(j);
}

int explain_json(const struct explained *e, char *out, size_t cap)
{
	const struct alert *a = &e->alert;
	struct json j;

	json_init(&j, out, cap - 2); // a line's end and a text's
	json_open(&j, NULL);
	json_u64(&j, "id", a->id);
	put_time(&j, "time", a->time_ns);
	json_text(&j, "policy", a->policy);
	json_u64(&j, "policy_version", a->policy_version);
	json_u64(&j, "priority", a->priority);
	json_bool(&j, "note", a->note != 0);
	json_bool(&j, "suppressed", a->suppressed != 0);
	json_bool(&j, "certain", a->certain != 0);
	put_address(&j, "device", &a->device);
	put_address(&j, "endpoint", &a->endpoint);
	json_u64(&j, "endpoint_port", a->endpoint_port);
	json_text(&j, "baseline", a->baseline);
	put_double(&j, "bits", a->bits);
	put_double(&j, "weight", a->weight);
	put_double(&j, "declared", a->declared);
	put_habit(&j, &a->habit);
	put_terms(&j, a);
	put_score(&j, &a->score);
	put_evidence(&j, e);
	json_open(&j, "recomputed");
	json_u64(&j, "numbers", e->numbers);
	json_u64(&j, "differ", e->differ);
	json_text(&j, "lines", e->differs);
	json_close(&j);
	json_close(&j);
	if (j.full)
		return -ENOSPC;
	memcpy(out + j.length, "\n", 2);
	return (int)j.length + 1;
}
