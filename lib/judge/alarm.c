// SPDX-License-Identifier: GPL-2.0-or-later
// What is to be said: evidence of a device against the threshold that keeps the user's budget of alarms a day, and the
// smaller one of blocks. Every alert that rests on what was learned must pass it; facts that need no learning always do.
#include "judge_impl.h"

enum {
	BLOCK_FAMILIES = 2,    // kinds of evidence a block without a certain fact rests on
	BLOCK_READY = 80,      // per cent
	LEAST_BLOCK_BITS = 10, // wrong once in a thousand, were each of its parts
	EVIDENCE_KEYS = 1 << 18,
	GROWN_BITS = 8,        // so much more than what was told is told: 256 times as much against the device
	BLOCK_SHARE = 50,      // blocks a day are alarms a day divided by this, unless the user says otherwise
};
#define MS_PER_DAY (86400ull * 1000)
#define FAMILY_NS (600 * NS_PER_S)
#define AGAIN_NS (1800 * NS_PER_S)

static const struct evidence_config evidence_defaults = {
	.keys = EVIDENCE_KEYS, .half_life_ms = {30 * 60 * 1000, 3 * MS_PER_DAY}, .repeat_ms = 7 * MS_PER_DAY};

bool alarm_create(struct judge *j)
{
	j->evidence_config = evidence_defaults;
	j->evidence_config.devices = learn_device_capacity(j->learn);
	j->evidence = evidence_create(&j->evidence_config);
	j->watch = calloc(j->evidence_config.devices, sizeof(*j->watch));
	return j->evidence && j->watch;
}

void alarm_destroy(struct judge *j)
{
	if (j->evidence)
		evidence_destroy(j->evidence);
	free(j->watch);
}

void alarm_forget(struct judge *j)
{
	double alarms = j->alarms_per_day, blocks = j->block_budget.per_day;

	for (uint32_t i = 0; i < j->evidence_config.devices; i++)
		evidence_forget(j->evidence, i);
	j->budget[0].days = 0;
	alarm_set_budget(j, alarms, blocks);
}

void alarm_forget_device(struct judge *j, uint32_t device)
{
	evidence_forget(j->evidence, device);
	j->watch[device] = (struct watch){0};
}

void alarm_set_budget(struct judge *j, double alarms_per_day, double blocks_per_day)
{
	if (alarms_per_day <= 0) {
		j->alarms_per_day = 0;
		return;
	}
	if (blocks_per_day <= 0)
		blocks_per_day = alarms_per_day / BLOCK_SHARE;
	if (j->budget[0].days == 0) {
		shares_begin(j, alarms_per_day);
		budget_begin(&j->block_budget, blocks_per_day);
		return;
	}
	if (alarms_per_day != j->alarms_per_day) // said again it is not another
		shares_change(j, alarms_per_day);
	if (blocks_per_day != j->block_budget.per_day)
		budget_change(&j->block_budget, blocks_per_day);
}

bool alarm_has_budget(const struct judge *j)
{
	return j->alarms_per_day > 0;
}

bool alarm_is_calibrated(const struct judge *j)
{
	return shares_are_calibrated(j);
}

static int64_t level_of(const struct judge *j, const struct evidence_state *e, int32_t last)
{
	if (j->without & WITHOUT_ACCUMULATION)
		return last;
	return e->level[0] > e->level[1] ? e->level[0] : e->level[1];
}

// Once a day the device's evidence may be an alarm, when something was added to it: what is left of yesterday's is neither
// news nor a measure for thresholds.
static enum alarm_word consider(struct judge *j, const struct device *d, int64_t level, bool news)
{
	struct watch *w = &j->watch[d->index];

	if (news && level > w->peak)
		w->peak = level;
	if (!alarm_is_calibrated(j) || j->mode == MODE_LEARN)
		return ALARM_UNCALIBRATED;
	if (level < j->threshold[d->role])
		return ALARM_BELOW;
	if (w->asked == BUDGET_QUIET && !news)
		return ALARM_BELOW;
	if (w->asked == BUDGET_QUIET)
		w->asked = (uint8_t)budget_ask(&j->budget[d->role], j->threshold[d->role], level);
	else
		return w->asked == BUDGET_GROUP ? ALARM_GROUPED : ALARM_STANDS;
	return w->asked == BUDGET_ALARM ? ALARM_NEW : w->asked == BUDGET_GROUP ? ALARM_GROUPED : ALARM_BELOW;
}

// The same kind of evidence again within half an hour says less than the first time: a person who looks around finds one
// new place after another. The k-th counts e^(1/k), which is an e-value as e is (Jensen), so that different kinds of
// evidence weigh more than much of one.
static int32_t discounted(const struct judge *j, const struct situation *s, int32_t microbits, uint32_t family,
			  uint32_t about)
{
	uint64_t since_ms = (s->now_ns > AGAIN_NS ? s->now_ns - AGAIN_NS : 0) / 1000000;
	int64_t said;

	if (microbits <= 0)
		return microbits;
	microbits /= (int32_t)(1 + evidence_again(j->evidence, s->device->index, family, since_ms));
	said = evidence_about(j->evidence, s->device->index, about, since_ms);
	return microbits > said ? microbits - (int32_t)said : 0;
}

// Policies that match on one endpoint say one thing in several words: together they count as the strongest of them does.
static uint32_t about(const struct judge *j, const struct situation *s)
{
	return (uint32_t)siphash13(&j->key, &s->endpoint, sizeof(s->endpoint)) | 1;
}

// item: key, full microbits, family and about.
static enum alarm_word add(struct judge *j, struct situation *s, struct evidence_item item, bool *counted)
{
	const int32_t microbits = discounted(j, s, item.microbits, item.family, item.about);

	item.time_ms = s->now_ns / 1000000;
	item.microbits = microbits;
	s->added = microbits;
	*counted = evidence_add(j->evidence, s->device->index, &item, &s->evidence);
	s->level = level_of(j, &s->evidence, microbits);
	j->evidence_today = true;
	return consider(j, s->device, s->level, *counted && microbits > 0);
}

// Whoever floods writes no more than that into the journal a day. What alarms carries its event along all the same.
static bool may_note(struct judge *j, const struct situation *s)
{
	struct watch *w = &j->watch[s->device->index];

	if (w->noted == NOTED_MOST) {
		count(j->counters, COUNT_BRAIN_SCORES_UNNOTED);
		return false;
	}
	w->noted++;
	return true;
}

bool alarm_is_crowded(const struct judge *j, const struct device *d, bool visitors)
{
	return j->watch[d->index].shown[visitors] >= SHOWN_MOST;
}

void alarm_shown(struct judge *j, const struct device *d, bool visitors)
{
	j->watch[d->index].shown[visitors] += j->watch[d->index].shown[visitors] < UINT16_MAX;
}

bool alarm_may_compare(const struct judge *j, const struct device *d)
{
	return j->watch[d->index].shown[0] <= COMPARED_MOST;
}

// An alarm says what was known when it was raised, which is the least that could be said. What adds up afterwards without
// a policy's words would be told to nobody.
static bool has_grown(const struct judge *j, const struct situation *s)
{
	return s->level >= j->watch[s->device->index].told + GROWN_BITS * (int64_t)EVIDENCE_BIT;
}

bool alarm_score(struct judge *j, struct situation *s, const struct score *score)
{
	bool counted;
	enum alarm_word word;

	if (!alarm_has_budget(j))
		return false;
	word = add(j, s, (struct evidence_item){.key = score->key, .microbits = score->microbits, .family = score->family}, &counted);
	if (counted && score->microbits >= NOTED_MICROBITS && j->score && may_note(j, s))
		j->score(j->user, score);
	if (counted && (word == ALARM_NEW || (word == ALARM_STANDS && has_grown(j, s)))) {
		j->raised_room = *score;
		s->raised = word;
	}
	return counted && (word == ALARM_NEW || word == ALARM_STANDS);
}

// A policy's match is evidence too: −log2 of how often it is wrong, by what it declares or, where that is more often, by
// what it was here.
enum alarm_word alarm_policy(struct judge *j, struct situation *s, unsigned policy)
{
	const struct policy *p = &j->policies->policy[policy];
	struct {
		struct address device, endpoint;
		uint64_t policy, port;
	} key = {s->device_address, s->endpoint, policy + 1, s->endpoint_port};
	bool counted;

	s->habit = (struct alert_habit){0};
	s->weight = p->weight;
	if (!alarm_has_budget(j) || !s->device)
		return ALARM_UNCALIBRATED;
	if (!p->certain && !(j->without & WITHOUT_HABITS)) {
		s->habit = habit_match(j, s->device, policy);
		s->weight = alert_weight(&s->habit, p->weight);
	}
	return add(j, s,
		   (struct evidence_item){.key = siphash13(&j->key, &key, sizeof(key)), .microbits = (int32_t)(s->weight * EVIDENCE_BIT),
					  .family = SCORE_CLASSES + policy, .about = about(j, s)},
		   &counted);
}

unsigned alarm_families(const struct judge *j, const struct situation *s)
{
	uint64_t since_ns = s->now_ns > FAMILY_NS ? s->now_ns - FAMILY_NS : 0;

	return s->device ? evidence_families(j->evidence, s->device->index, since_ns / 1000000) : 0;
}

// Blocks are budgeted by what would have been blocked: the evidence behind each block that a policy asked for and no
// certain fact supported. Where none ever was, and never below it, a floor.
static int64_t with_floor(int64_t threshold)
{
	const int64_t floor = LEAST_BLOCK_BITS * (int64_t)EVIDENCE_BIT;

	return threshold == INT64_MAX || threshold < floor ? floor : threshold;
}

static int64_t block_threshold(const struct judge *j)
{
	return with_floor(alarm_is_calibrated(j) ? j->block_budget.threshold : INT64_MAX);
}

int64_t judge_block_threshold(const struct judge_budget *b)
{
	return b->alarms_per_day <= 0 ? INT64_MAX : with_floor(b->block_threshold);
}

// A day with a fact that needs no learning, or with an alarm that a person confirmed, was no ordinary one: it is no measure for thresholds.
void alarm_certain(struct judge *j, const struct situation *s)
{
	if (s->device)
		j->watch[s->device->index].special |= SPECIAL_CERTAIN;
}

void alarm_wanted(struct judge *j, const struct situation *s)
{
	struct watch *w = s->device ? &j->watch[s->device->index] : NULL;

	if (w && s->level > w->wanted)
		w->wanted = s->level;
}

bool alarm_confirm(struct judge *j, const struct device *d)
{
	struct watch *w = &j->watch[d->index];

	if (w->asked != BUDGET_ALARM || w->special & SPECIAL_CONFIRMED)
		return false;
	w->special |= SPECIAL_CONFIRMED;
	budget_confirm(&j->budget[d->role]);
	return true;
}

void alarm_told(struct judge *j, const struct situation *s)
{
	struct watch *w = s->device ? &j->watch[s->device->index] : NULL;

	if (w && s->level > w->told)
		w->told = s->level;
}

// Told to nobody, so counted by nobody: the device may still alarm today, by something else.
void alarm_withdraw(struct judge *j, struct situation *s)
{
	budget_withdraw(&j->budget[s->device->role]);
	j->watch[s->device->index].asked = BUDGET_QUIET;
	s->word = ALARM_STANDS;
}

bool alarm_may_block(const struct judge *j, const struct situation *s)
{
	if (!alarm_has_budget(j))
		return true;
	return s->device && s->level >= block_threshold(j) && alarm_families(j, s) >= BLOCK_FAMILIES && learn_ready_percent(s->learn, s->device, s->now_ns) >= BLOCK_READY;
}

void alarm_prove(const struct judge *j, const struct situation *s, struct alert *a)
{
	struct alert_proof *p = &a->proof;

	if (!alarm_has_budget(j) || !s->device)
		return;
	p->items = evidence_items(j->evidence, s->device->index, &p->before, p->item);
	p->evidence = s->evidence;
	memcpy(p->half_life_ms, j->evidence_config.half_life_ms, sizeof(p->half_life_ms));
	p->threshold = j->threshold[s->device->role];
	p->block_threshold = block_threshold(j);
	p->per_day = j->budget[s->device->role].per_day;
	p->blocks_per_day = j->block_budget.per_day;
	p->calibrated = alarm_is_calibrated(j);
	p->families = (uint8_t)alarm_families(j, s);
	if (s->score)
		a->score = *s->score;
}

static bool has_alarmed(const struct judge *j, const struct device *d, const struct watch *w, bool live)
{
	return w->asked != BUDGET_QUIET || w->special || (!live && w->peak > j->threshold[d->role]);
}

static enum budget_day kind_of_day(const struct judge *j, bool live)
{
	if (!live || !alarm_is_calibrated(j))
		return BUDGET_TRAINED;
	return j->without & WITHOUT_FEEDBACK ? BUDGET_WATCHED : BUDGET_LIVE;
}

void alarm_end_day(struct judge *j, bool live, uint64_t now_ns)
{
	enum budget_day day;

	// A day on which nobody could be judged says nothing about thresholds, nor does the first week, when much is new.
	bool counts = j->evidence_today && now_ns >= j->first_ns + JUDGE_FIRST_DAYS * JUDGE_DAY_NS;

	if (!alarm_has_budget(j)) {
		memset(j->watch, 0, learn_device_count(j->learn) * sizeof(*j->watch));
		return;
	}
	for (uint32_t i = 0; i < learn_device_count(j->learn); i++) {
		const struct device *d = learn_device_at(j->learn, i);
		struct watch *w = &j->watch[i];

		if (!d)
			continue;
		if (counts && !w->special) {
			budget_peak(&j->budget[d->role], w->peak);
			if (w->wanted)
				budget_peak(&j->block_budget, w->wanted);
		}
		// What was told is not told again: evidence begins anew, as a CUSUM after its alarm. While nobody is told, what
		// would have been: thresholds must rest on levels as they will be.
		if (has_alarmed(j, d, w, live))
			evidence_forget(j->evidence, i);
		habit_end_day(j, d, w->asked != BUDGET_QUIET || w->special);
		*w = (struct watch){0};
	}
	habit_sum(j);
	j->evidence_today = false;
	if (!counts)
		return;
	day = kind_of_day(j, live);
	shares_end_day(j, day);
	budget_end_day(&j->block_budget, day == BUDGET_TRAINED ? day : BUDGET_WATCHED); // what was blocked wrongly is known to people only
}
