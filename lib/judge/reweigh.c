// SPDX-License-Identifier: GPL-2.0-or-later
// See reweigh.h. What alarm.c and judge.c decide at the time, decided again from the proof.
#include "reweigh.h"

#include "judge_impl.h"

enum { FAMILIES = 2, LEAST_BITS = 10 }; // as alarm.c asks of a block without a certain fact

static const struct policy *policy_of(const struct policy_set *set, const char *name)
{
	for (unsigned i = 0; set && i < set->count; i++)
		if (!strcmp(set->policy[i].name, name))
			return &set->policy[i];
	return NULL;
}

static bool same_text(struct bytes a, struct bytes b)
{
	return a.left == b.left && (a.left == 0 || memcmp(a.at, b.at, a.left) == 0);
}

static bool same_quantity(const struct quantity *a, const struct quantity *b)
{
	return a->type == b->type && a->read == b->read && a->name_of == b->name_of && a->name_list == b->name_list && a->a == b->a &&
	       a->b == b->b && a->field == b->field;
}

static bool same_condition(const struct condition *a, const struct condition *b)
{
	if (!same_quantity(&a->quantity, &b->quantity) || a->op != b->op || a->negate != b->negate || a->any != b->any ||
	    a->items != b->items)
		return false;
	for (unsigned i = 0; i < a->items; i++)
		if (a->item[i].number != b->item[i].number || !same_text(a->item[i].text, b->item[i].text))
			return false;
	return true;
}

static bool same_list(const struct condition *a, unsigned n, const struct condition *b, unsigned m)
{
	for (unsigned i = 0; n == m && i < n; i++)
		if (!same_condition(&a[i], &b[i]))
			return false;
	return n == m;
}

bool reweigh_same_conditions(const struct policy_set *a, const struct policy_set *b, const char *name)
{
	const struct policy *p = policy_of(a, name), *q = policy_of(b, name);

	return p && q && p->on == q->on && same_list(p->when, p->conditions, q->when, q->conditions) &&
	       same_list(p->response.when, p->response.conditions, q->response.when, q->response.conditions);
}

// The policy's own part among the items of the proof, with its new weight.
static void weigh_again(struct alert *a, double weight)
{
	struct evidence_config config = {0};
	struct alert_proof *p = &a->proof;

	for (uint32_t i = p->items; i-- > 0 && a->weight > 0;) {
		struct evidence_item *item = &p->item[i];

		if (item->family < SCORE_CLASSES || item->time_ms != a->time_ns / 1000000)
			continue;
		item->microbits = (int32_t)(item->microbits * (weight / a->weight));
		a->added = item->microbits;
		memcpy(config.half_life_ms, p->half_life_ms, sizeof(config.half_life_ms));
		p->evidence = evidence_fold(&config, p->before, p->item, p->items);
		break;
	}
	a->weight = weight;
}

static int64_t level_of(const struct alert *a)
{
	const int64_t *level = a->proof.evidence.level;

	return level[0] > level[1] ? level[0] : level[1];
}

// But for the device's readiness, which an alert does not hold.
static bool has_evidence(const struct alert *a)
{
	const int64_t least = (int64_t)LEAST_BITS * EVIDENCE_BIT;
	int64_t threshold = a->proof.block_threshold > least ? a->proof.block_threshold : least;

	return a->certain || a->proof.per_day <= 0 || (level_of(a) >= threshold && a->proof.families >= FAMILIES);
}

// What was refused then in spite of its evidence was refused for want of readiness, and what was done was ready.
// false: nobody asked then, and nobody can say now.
static bool prove_again(const struct alert *then, struct alert *now)
{
	bool asked = then->wants_cut || then->wants_block;

	now->unproven = (now->wants_cut || now->wants_block) && !now->certain &&
			(!has_evidence(now) || (asked && then->unproven && has_evidence(then)));
	if (now->unproven || now->certain || now->proof.per_day <= 0 || !(now->wants_cut || now->wants_block))
		return true;
	return asked && !then->unproven && !then->certain;
}

// Conditions of the response held then, if it asked for anything; of a note nobody knows.
static bool response_is_known(const struct policy *p, const struct alert *then)
{
	return (!p->response.cut && !p->response.block) || p->response.conditions == 0 || then->wants_cut || then->wants_block;
}

static enum reweigh_word respond_again(const struct policy *p, const struct alert *then, struct alert *now)
{
	now->wants_cut = now->wants_block = 0;
	now->block_ns = 0;
	now->unproven = 0;
	if (now->note)
		return REWEIGH_DONE;
	if (!response_is_known(p, then))
		return REWEIGH_RESPONSE;
	now->wants_cut = p->response.cut;
	now->wants_block = p->response.block;
	now->block_ns = p->response.block ? p->response.block_ns : 0;
	return prove_again(then, now) ? REWEIGH_DONE : REWEIGH_RESPONSE;
}

enum reweigh_word reweigh_alert(const struct policy_set *set, const struct policy_set *before, const struct alert *then,
				struct alert *now)
{
	const struct policy *p = policy_of(set, then->policy);

	*now = *then;
	if (!p)
		return REWEIGH_NO_POLICY;
	if (before ? !reweigh_same_conditions(set, before, then->policy) : p->version != then->policy_version)
		return REWEIGH_CONDITIONS;
	now->policy_version = p->version;
	now->certain = p->certain || (then->certain && p->response.certains);
	if (!(p->on & (1u << ON_ALERT | 1u << ON_EVIDENCE | 1u << ON_ROLLOUT)))
		weigh_again(now, then->habit.device_of || then->habit.role_of ? alert_weight(&then->habit, p->weight) : p->weight);
	now->declared = p->weight;
	now->note = !now->certain && now->proof.per_day > 0 && now->proof.calibrated && (then->grouped || level_of(now) < now->proof.threshold);
	if (now->note != then->note || !now->note)
		now->priority = now->note ? 1 : then->note ? p->priority : then->priority;
	return respond_again(p, then, now);
}
