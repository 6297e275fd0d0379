// SPDX-License-Identifier: GPL-2.0-or-later
// From surprise to p to evidence: each role and class of event has its own sample of what was scored of late; a role
// that has too few is compared with all, a device that is new with newcomers.
#include "image.h"
#include "judge_impl.h"

enum {
	SAMPLE = 4000,         // scores kept: p below 1/4000 is extrapolated
	SAMPLE_HALF_LIFE = 14, // days
	NEWCOMER_DAYS = 3,     // a younger device has hardly shown anything: all of it would be a surprise
	PENDING = 1 << 17,
};

struct pending { // a score that waits a day before it becomes part of a sample
	uint64_t time_ns;
	double surprise;
	uint32_t device;
	uint8_t sample, class, zero[2];
};

bool calibrate_create(struct judge *j)
{
	j->pending = calloc(PENDING, sizeof(*j->pending));
	j->pending_first = j->pending_count = 0;
	j->own_scores = calloc(learn_device_capacity(j->learn), sizeof(*j->own_scores));
	if (!j->pending || !j->own_scores)
		return false;
	for (unsigned role = 0; role < SAMPLES; role++)
		for (unsigned class = 1; class < SCORE_CLASSES; class++) {
			j->sample[role][class] =
				conformal_create(SAMPLE, SAMPLE_HALF_LIFE, role * SCORE_CLASSES + class);
			if (!j->sample[role][class])
				return false;
		}
	return true;
}

void calibrate_destroy(struct judge *j)
{
	free(j->pending);
	free(j->own_scores);
	for (unsigned role = 0; role < SAMPLES; role++)
		for (unsigned class = 1; class < SCORE_CLASSES; class++)
			if (j->sample[role][class])
				conformal_destroy(j->sample[role][class]);
}

void calibrate_end_day(struct judge *j)
{
	for (unsigned role = 0; role < SAMPLES; role++)
		for (unsigned class = 1; class < SCORE_CLASSES; class++)
			conformal_end_day(j->sample[role][class]);
}

// To whole bits: what is new everywhere has nearly the same surprise each time, and must count as the same.
static uint8_t whole_bits(double surprise)
{
	return surprise + 0.5 < UINT8_MAX ? (uint8_t)(surprise + 0.5) : UINT8_MAX;
}

static void own_rank(const struct judge *j, uint32_t device, struct score *score)
{
	const struct own_scores *own = &j->own_scores[device];
	struct own_rank *r = &score->own;
	uint8_t mine = whole_bits(score->surprise);

	*r = (struct own_rank){.held = own->held[score->class]};
	for (unsigned i = 0; i < r->held; i++) {
		uint8_t other = own->score[score->class][i];

		r->above += other > mine;
		r->equal += other == mine;
		if (other > r->most)
			r->most = other;
	}
	own_compute(r, score->surprise);
}

// A reservoir that forgets: once it is full, one showing of sixteen takes the place of another.
static void own_add(struct own_scores *own, unsigned class, double surprise)
{
	uint64_t chance = siphash13(&(struct siphash_key){class, own->seen[class]}, "own", 3);
	uint32_t slot = own->held[class];

	own->seen[class]++;
	if (slot == OWN_SAMPLE)
		slot = (uint32_t)(chance % OWN_MEMORY);
	else
		own->held[class]++;
	if (slot < OWN_SAMPLE)
		own->score[class][slot] = whole_bits(surprise);
}

static bool look(const struct judge *j, unsigned sample, struct score *score)
{
	return conformal_look(j->sample[sample][score->class], score->surprise, &score->rank);
}

static bool rank(const struct judge *j, struct score *score)
{
	if (score->among == AMONG_NEWCOMERS)
		return score->class != SCORE_HOUR && look(j, SAMPLE_NEWCOMERS, score); // each hour is the first it shows
	if (look(j, score->role, score))
		return true;
	score->among = AMONG_ALL;
	return look(j, SAMPLE_ALL, score);
}

// What the device did in the day before it alarmed is left out of the samples: an attack must not become the measure of
// the next. Full, what is new is not kept: a sample needs some thousand scores, not all; and whoever shows very many
// things a day is no measure for the others with more than his first ones.
static void remember(struct judge *j, const struct situation *s, const struct score *score)
{
	struct pending *p;

	if (j->pending_count == PENDING || !alarm_may_compare(j, s->device)) {
		count(j->counters, COUNT_BRAIN_SCORES_LEFT_OUT);
		return;
	}
	p = &j->pending[(j->pending_first + j->pending_count++) % PENDING];
	*p = (struct pending){.time_ns = s->now_ns,
			      .surprise = score->surprise,
			      .device = s->device->index,
			      .sample = score->among == AMONG_NEWCOMERS ? SAMPLE_NEWCOMERS : score->role,
			      .class = score->class};
}

void calibrate_step(struct judge *j, uint64_t now_ns)
{
	for (; j->pending_count; j->pending_count--, j->pending_first = (j->pending_first + 1) % PENDING) {
		const struct pending *p = &j->pending[j->pending_first];
		const struct device *d = learn_device_at(j->learn, p->device);

		if (p->time_ns + LEARN_WAIT_NS > now_ns)
			return;
		if (!d || p->time_ns <= d->discard_ns)
			continue;
		conformal_add(j->sample[p->sample][p->class], p->surprise);
		if (p->sample == SAMPLE_NEWCOMERS)
			continue;
		own_add(&j->own_scores[p->device], p->class, p->surprise);
		conformal_add(j->sample[SAMPLE_ALL][p->class], p->surprise);
	}
}

// Of its scores none is left that waits: they do for a day.
void calibrate_forget_device(struct judge *j, uint32_t device)
{
	memset(&j->own_scores[device], 0, sizeof(j->own_scores[device]));
}

void calibrate_clock_back(struct judge *j, uint64_t now_ns)
{
	for (uint32_t i = 0; i < j->pending_count; i++) {
		struct pending *p = &j->pending[(j->pending_first + i) % PENDING];

		if (p->time_ns > now_ns)
			p->time_ns = now_ns;
	}
}

bool calibrate_is_newcomer(const struct situation *s)
{
	return s->device->first_ns + NEWCOMER_DAYS * JUDGE_DAY_NS > s->now_ns;
}

bool score_weigh(struct judge *j, struct situation *s, struct score *score)
{
	bool ranked, raised;

	if (calibrate_is_newcomer(s)) {
		if (j->first_ns + JUDGE_FIRST_DAYS * JUDGE_DAY_NS > s->now_ns || (j->without & WITHOUT_NEWCOMERS))
			return false;
		score->among = AMONG_NEWCOMERS;
	}
	ranked = rank(j, score);
	own_rank(j, s->device->index, score);
	score->microbits = 0;
	if (ranked)
		score_evidence(score);
	if (ranked)
		score->ready = (uint8_t)(score->microbits > NOTED_MICROBITS ? learn_ready_percent(s->learn, s->device, s->now_ns) : 0);
	raised = ranked && alarm_score(j, s, score);
	if (!raised)
		remember(j, s, score);
	return raised;
}

void calibrate_put_pending(const struct judge *j, struct image *i)
{
	for (uint32_t n = 0; n < j->pending_count; n++)
		image_append(i, &j->pending[(j->pending_first + n) % PENDING], sizeof(*j->pending));
}

bool calibrate_take_pending(struct judge *j, struct bytes in)
{
	struct bytes part;

	while (bytes_take(&in, sizeof(*j->pending), &part)) {
		struct pending *p = &j->pending[j->pending_count];

		if (j->pending_count == PENDING)
			return false;
		memcpy(p, part.at, sizeof(*p));
		if (p->sample >= SAMPLES || p->sample == SAMPLE_ALL || p->class == SCORE_NONE || p->class >= SCORE_CLASSES ||
		    !(p->surprise >= 0 && p->surprise < 1e9))
			return false;
		j->pending_count++;
	}
	return in.left == 0;
}
