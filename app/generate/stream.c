// SPDX-License-Identifier: GPL-2.0-or-later
// See stream.h. Two agendas feed one heap of frames: the day's duties and the attacks' coming steps. Whatever comes
// first is done once all frames before it are out, so that a step sees what became of those it rests on.
#include "stream.h"
#include "chain.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>

enum { STOPPED_LEAST = 1024, AGAIN_MS = 220 };

const char STREAM_INSIDE[] = COMPANY_INSIDE;

struct attack_step {
	uint64_t next_ns; // of the next repetition; UINT64_MAX: none
	uint64_t base_ns; // of the first
	uint32_t number;
	struct stream_step told;
};

struct attack {
	const struct chain *chain;
	struct member *victim;
	struct chance chance;
	struct host slot[SLOTS];
	char name[40];
	uint64_t next_ns; // earliest of its steps
	uint64_t last_ns; // of its frames so far
	struct attack_step step[STREAM_STEPS];
};

struct stream {
	struct stream_plan plan;
	struct stage stage;
	struct company company;
	struct duties duties;
	uint32_t day; // planned
	unsigned attacks;
	struct attack attack[STREAM_ATTACKS];
	uint64_t attack_ns; // the earliest of their steps
	uint32_t *stopped;  // open hash of conversations; 0: free
	uint32_t stopped_cap, stopped_count;
	struct trace_taken last; // handed out
	struct stream_counts counts;
	uint32_t attack_conversations;
};

struct stream *stream_create(const struct stream_plan *plan)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		log_fatal("out of memory");
	s->plan = *plan;
	s->attack_ns = UINT64_MAX;
	s->stopped_cap = STOPPED_LEAST;
	s->stopped = calloc(s->stopped_cap, sizeof(*s->stopped));
	if (!s->stopped)
		log_fatal("out of memory");
	stage_init(&s->stage);
	company_init(&s->company, plan->seed, plan->start_ns);
	duties_plan(&s->duties, &s->company, 0);
	return s;
}

void stream_destroy(struct stream *s)
{
	stage_fini(&s->stage);
	duties_free(&s->duties);
	free(s->stopped);
	free(s);
}

// --- conversations that were stopped ---

static uint32_t *stopped_place(const struct stream *s, uint32_t conversation)
{
	uint32_t i = (uint32_t)chance_mix(conversation, 1) & (s->stopped_cap - 1);

	while (s->stopped[i] && s->stopped[i] != conversation)
		i = (i + 1) & (s->stopped_cap - 1);
	return &s->stopped[i];
}

static bool is_stopped(const struct stream *s, uint32_t conversation)
{
	return s->stopped_count && *stopped_place(s, conversation);
}

static void grow_stopped(struct stream *s)
{
	uint32_t *old = s->stopped, cap = s->stopped_cap;

	s->stopped_cap *= 2;
	s->stopped = calloc(s->stopped_cap, sizeof(*s->stopped));
	if (!s->stopped)
		log_fatal("out of memory");
	for (uint32_t i = 0; i < cap; i++)
		if (old[i])
			*stopped_place(s, old[i]) = old[i];
	free(old);
}

static void stop(struct stream *s, uint32_t conversation)
{
	if (2 * (s->stopped_count + 1) > s->stopped_cap)
		grow_stopped(s);
	*stopped_place(s, conversation) = conversation;
	s->stopped_count++;
}

// --- attacks ---

static bool works(const struct attack *a, uint16_t needs)
{
	for (unsigned i = 0; i < STREAM_STEPS; i++)
		if (needs & 1u << i &&
		    (!a->step[i].told.begun || a->step[i].told.conversations == a->step[i].told.stopped))
			return false;
	return true;
}

static void refresh(struct stream *s, struct attack *a)
{
	a->next_ns = UINT64_MAX;
	for (unsigned i = 0; i < STREAM_STEPS; i++)
		if (a->step[i].next_ns < a->next_ns)
			a->next_ns = a->step[i].next_ns;
	s->attack_ns = UINT64_MAX;
	for (unsigned i = 0; i < s->attacks; i++)
		if (s->attack[i].next_ns < s->attack_ns)
			s->attack_ns = s->attack[i].next_ns;
}

// When repetition number n of a step is due. Beyond 100 % of jitter: some time between 8 and 19 of that day.
static uint64_t due(struct attack *a, const struct chain_step *step, const struct attack_step *state, uint32_t n)
{
	uint64_t at = state->base_ns + (uint64_t)n * step->every_ms * MS,
		 spread = (uint64_t)step->every_ms * MS / 100 * step->jitter;

	if (step->jitter > 100)
		return at / DAY_LENGTH_NS * DAY_LENGTH_NS + chance_between(&a->chance, 8 * 3600 * SEC, 19 * 3600 * SEC);
	return spread ? at - spread + chance_between(&a->chance, 0, 2 * spread) : at;
}

static void run_step(struct stream *s, struct attack *a, unsigned i)
{
	const struct chain_step *step = &a->chain->step[i];
	struct attack_step *state = &a->step[i];
	uint64_t now = state->next_ns;
	struct move_of m = {{&s->stage, &s->company, a->victim, &a->chance, now, s->day},
			    step,
			    a->slot,
			    a->name,
			    state->number,
			    now,
			    0};
	uint32_t before = s->stage.conversations;

	if (works(a, step->needs)) {
		if (!state->told.begun)
			state->told.begun = true;
		s->stage.trace.tag.attack = (uint16_t)(a - s->attack + 1);
		s->stage.trace.tag.step = (uint8_t)i;
		step->move(&m);
		s->stage.trace.tag = (struct trace_tag){0};
		state->told.conversations += s->stage.conversations - before - m.asides;
		s->attack_conversations += s->stage.conversations - before;
	}
	if (state->number == 0 && i + 1 < STREAM_STEPS && a->chain->step[i + 1].words) {
		a->step[i + 1].base_ns = m.end_ns + a->chain->step[i + 1].after_ms * MS;
		a->step[i + 1].next_ns = a->step[i + 1].base_ns;
	}
	state->next_ns = ++state->number < step->times ? due(a, step, state, state->number) : UINT64_MAX;
	if (state->next_ns < now)
		state->next_ns = now;
	refresh(s, a);
}

static void run_attack(struct stream *s)
{
	struct attack *a = s->attack;
	unsigned i = 0;

	while (a->next_ns != s->attack_ns)
		a++;
	while (a->step[i].next_ns != a->next_ns)
		i++;
	run_step(s, a, i);
}

static struct member *choose_victim(struct company *c, uint32_t parts, uint64_t seed)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->members; i++)
		count += (parts & PART_BIT(c->member[i].part)) != 0;
	count = (uint32_t)(seed % count);
	for (uint32_t i = 0;; i++)
		if (parts & PART_BIT(c->member[i].part) && count-- == 0)
			return &c->member[i];
}

uint16_t stream_attack(struct stream *s, unsigned chain, uint64_t seed, uint64_t at_ns)
{
	static const char *const kinds[] = {"files", "static", "sync", "status"};
	struct attack *a = &s->attack[s->attacks];
	uint32_t kind;

	if (s->attacks == STREAM_ATTACKS)
		return 0;
	*a = (struct attack){.chain = &CHAINS[chain], .chance = chance_of(s->plan.seed, 77, chain, seed)};
	a->victim = choose_victim(&s->company, a->chain->victims, seed);
	for (unsigned i = 0; i < SLOTS; i++)
		a->slot[i] = site_attacker(chance_next(&a->chance));
	kind = chance_below(&a->chance, 4);
	snprintf(a->name, sizeof(a->name), "%s-%05x.example", kinds[kind], chance_below(&a->chance, 1 << 20));
	for (unsigned i = 0; i < STREAM_STEPS; i++)
		a->step[i].next_ns = UINT64_MAX;
	a->step[0].base_ns = a->step[0].next_ns = at_ns;
	s->attacks++;
	refresh(s, a);
	return (uint16_t)s->attacks;
}

struct address stream_victim(const struct stream *s, uint16_t attack)
{
	return s->attack[attack - 1].victim->host.address;
}

bool stream_attack_over(const struct stream *s, uint16_t attack)
{
	return s->attack[attack - 1].next_ns == UINT64_MAX;
}

void stream_attack_end(struct stream *s, uint16_t attack)
{
	struct attack *a = &s->attack[attack - 1];

	for (unsigned i = 0; i < STREAM_STEPS; i++)
		a->step[i].next_ns = UINT64_MAX;
	refresh(s, a);
}

void stream_step(const struct stream *s, uint16_t attack, unsigned step, struct stream_step *out)
{
	const struct attack *a = &s->attack[attack - 1];

	*out = step < STREAM_STEPS ? a->step[step].told : (struct stream_step){0};
	out->words = step < STREAM_STEPS ? a->chain->step[step].words : NULL;
}

// --- the stream ---

static void count_frame(struct stream *s)
{
	struct stream_step *told;

	s->counts.frames++;
	s->counts.bytes += s->last.length;
	if (!s->last.tag.attack)
		return;
	told = &s->attack[s->last.tag.attack - 1].step[s->last.tag.step].told;
	if (!told->frames++)
		told->first_ns = s->last.when_ns;
	told->last_ns = s->last.when_ns;
	told->payload += s->last.tag.payload;
}

// One retransmission of a stopped conversation may still come: it bears this mark.
enum { AGAIN = 2 };

static bool hand_out(struct stream *s, struct stream_frame *out)
{
	const struct trace_tag *tag = &s->last.tag;

	if (!(tag->payload & AGAIN) && is_stopped(s, tag->conversation))
		return false;
	s->last.tag.payload &= 1;
	count_frame(s);
	*out = (struct stream_frame){s->last.when_ns, s->last.bytes, s->last.length, tag->conversation,
				     tag->attack,     tag->step,     tag->payload};
	return true;
}

bool stream_next(struct stream *s, struct stream_frame *out)
{
	for (;;) {
		uint64_t duty = duties_next_ns(&s->duties), next = duty < s->attack_ns ? duty : s->attack_ns;
		bool more_days = duty == UINT64_MAX && s->day + 1 < s->plan.days;

		if (!more_days && trace_take(&s->stage.trace, next, &s->last)) {
			if (hand_out(s, out))
				return true;
		} else if (more_days) {
			duties_plan(&s->duties, &s->company, ++s->day);
		} else if (next == UINT64_MAX) {
			return false;
		} else if (duty <= s->attack_ns) {
			duties_run(&s->duties, &s->stage, &s->company, s->day);
		} else {
			run_attack(s);
		}
	}
}

void stream_dropped(struct stream *s)
{
	struct trace_tag *tag = &s->last.tag;
	struct stream_step *told = tag->attack ? &s->attack[tag->attack - 1].step[tag->step].told : NULL;

	if (told) {
		told->dropped++;
		told->payload_dropped += tag->payload;
	}
	if (is_stopped(s, tag->conversation))
		return;
	stop(s, tag->conversation);
	if (told)
		told->stopped += !tag->aside;
	else
		s->counts.cut++;
	s->stage.trace.tag = *tag;
	s->stage.trace.tag.payload |= AGAIN;
	trace_add(&s->stage.trace, s->last.when_ns + AGAIN_MS * MS, s->last.bytes, s->last.length);
	s->stage.trace.tag = (struct trace_tag){0};
}

void stream_counts(const struct stream *s, struct stream_counts *out)
{
	*out = s->counts;
	out->conversations = s->stage.conversations - s->attack_conversations;
}

uint32_t stream_devices(const struct stream *s, uint32_t day)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->company.members; i++)
		n += s->company.member[i].from_day <= day;
	return n;
}

const char *stream_part(const struct stream *s, const struct address *a)
{
	for (uint32_t i = 0; i < s->company.members; i++)
		if (address_equal(&s->company.member[i].host.address, a))
			return part_name(s->company.member[i].part);
	return NULL;
}
