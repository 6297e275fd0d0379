// SPDX-License-Identifier: GPL-2.0-or-later
// See lab.h.
#include "lab.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

enum { FLOWS = 1 << 15, CONTEXTS = 1 << 11, PARKED = 1 << 11, BLOCKS = 1 << 14, VALUES = 1 << 20, DEVICES = 4096 };
#define STEP_NS 1000000000ull
#define DAY_NS (86400ull * 1000000000ull)

uint64_t lab_day_ns(const struct lab *l, double day)
{
	return l->plan.stream.start_ns + (uint64_t)(day * (double)DAY_NS);
}

static uint32_t day_of(const struct lab *l, uint64_t ns)
{
	uint64_t day = (ns - l->plan.stream.start_ns) / DAY_NS;

	return day < LAB_DAYS ? (uint32_t)day : LAB_DAYS - 1;
}

// --- what the far side says ---

static void take_verdict(void *user, unsigned worker, const struct verdict *v)
{
	struct lab *l = user;

	if (!ring_push(&l->out, v))
		log_fatal("a verdict was lost");
}

static void keep_incident(struct lab *l, const struct incident *i)
{
	uint64_t *at = counted_put(&l->incidents, i->id);

	if (!*at) {
		if (l->incident_count == LAB_INCIDENTS)
			return;
		*at = ++l->incident_count;
		l->day[l->today].incidents++;
	}
	l->incident[*at - 1] = *i;
}

static void count_part(struct lab *l, struct lab_day *day, const struct address *device, bool first)
{
	const char *name = stream_part(l->stream, device);
	struct lab_part *p = day->part;

	if (!name)
		name = "?";
	while (p < day->part + LAB_PARTS - 1 && p->name[0] && strcmp(p->name, name))
		p++;
	strncpy(p->name, name, sizeof(p->name) - 1);
	p->alarms++;
	p->devices += first;
}

static void tell(const struct lab *l, const char *kind, const struct alert *a)
{
	if (l->plan.told)
		l->plan.told(l, kind, a);
}

static void ordinary_alert(struct lab *l, const struct alert *a)
{
	struct lab_day *day = &l->day[l->today];
	uint64_t key = 14695981039346656037ull ^ l->today;
	uint64_t *seen;

	if (a->priority <= 1) {
		day->notes++;
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		key = (key ^ a->device.b[i]) * 0x100000001b3ull;
	seen = counted_put(&l->alarmed, key | 1);
	day->alarms++;
	day->devices += !*seen;
	if (!l->attacks)
		tell(l, "alarm", a);
	count_part(l, day, &a->device, !*seen);
	*seen = 1;
}

static void attack_alert(struct lab *l, const struct alert *a, const struct incident *i, uint64_t which)
{
	struct lab_attack *attack = &l->attack[(which >> 8) - 1];
	struct lab_step *step = &attack->step[which & 0xff];
	bool acted = a->response == RESPONSE_CUT || a->response == RESPONSE_BLOCKED ||
		     a->response == RESPONSE_WOULD_BLOCK || a->dropped;

	if (a->priority <= 1) {
		step->noted_ns = step->noted_ns ? step->noted_ns : l->last_ns;
	} else {
		if (!step->alerts++)
			tell(l, "said", a);
		if (step->alerts == 1)
			memcpy(step->policy, a->policy, sizeof(step->policy));
		step->alerted_ns = step->alerted_ns ? step->alerted_ns : l->last_ns;
	}
	if (acted && !step->blocked_ns)
		step->blocked_ns = l->last_ns;
	if (i && i->score >= attack->incident.score)
		attack->incident = *i;
}

static uint64_t pair_key(const struct address *device, const struct address *endpoint)
{
	uint64_t key = 14695981039346656037ull;

	for (unsigned i = 0; i < 16; i++)
		key = (key ^ device->b[i]) * 0x100000001b3ull;
	for (unsigned i = 0; i < 16; i++)
		key = (key ^ endpoint->b[i]) * 0x100000001b3ull;
	return key | 1;
}

static void take_alert(void *user, const struct alert *a, const struct incident *i)
{
	struct lab *l = user;
	const uint64_t *which = counted_find(&l->flows, a->flow + 1);

	l->raised.alerts = a->id;
	if (!which && l->pairs.count)
		which = counted_find(&l->pairs, pair_key(&a->device, &a->endpoint));
	if (which) {
		attack_alert(l, a, i, *which);
		return;
	}
	for (unsigned n = 0; n < l->attacks && a->priority > 1; n++) {
		struct address victim = stream_victim(l->stream, (uint16_t)(n + 1));

		l->attack[n].near += address_equal(&victim, &a->device);
	}
	ordinary_alert(l, a);
	if (i)
		keep_incident(l, i);
}

static void take_score(void *user, const struct score *s)
{
	struct lab *l = user;

	l->raised.events++;
	if (s->time_ns < l->raised.since_ns)
		l->raised.since_ns = s->time_ns;
}

static void take_block(void *user, const struct block *b, const char *what, uint64_t now_ns)
{
	struct lab *l = user;

	l->day[l->today].blocks += strcmp(what, "made") == 0;
	l->day[l->today].would_block += strcmp(what, "would") == 0;
}

// --- set up ---

static void create_channel(struct lab *l)
{
	static const struct siphash_key key = {1, 2};

	l->wire = calloc(1, wire_sheet_bytes(1));
	l->brain = calloc(1, sizeof(*l->brain));
	if (!l->wire || !l->brain)
		log_fatal("out of memory");
	wire_sheet_init(l->wire, 1, 1, &key);
	brain_sheet_init(l->brain);
	ring_reader_init(&l->in, &l->wire->worker[0].observations, &l->brain->worker[0].observations,
			 l->wire->worker[0].slots, SHEET_OBSERVATION_SLOTS);
	ring_writer_init(&l->out, &l->brain->worker[0].verdicts, &l->wire->worker[0].verdicts,
			 l->brain->worker[0].slots, SHEET_VERDICT_SLOTS);
}

static void create_stations(struct lab *l)
{
	struct reason_config far = {.policies = l->policies,
				    .mode = l->plan.train_days ? MODE_LEARN : l->plan.mode,
				    .devices = DEVICES,
				    .values = VALUES,
				    .key = {3, 4},
				    .filter_key = {1, 2},
				    .sheet = l->brain,
				    .hold = true,
				    .counters = &l->counters,
				    .hooks = {take_verdict, NULL, take_alert, take_block, l, take_score}};
	struct inspect_config near = {.flow = {.flows = FLOWS, .parked_segments = PARKED, .key = {5, 6}},
				      .contexts = CONTEXTS,
				      .blocks = BLOCKS,
				      .replay = true,
				      .inside = &l->inside,
				      .inside_count = 1,
				      .wire = l->wire,
				      .brain = l->brain,
				      .counters = &l->counters};
	char error[512];

	settings_apply(&l->plan.settings, &far);
	l->reason = reason_create(&far, error);
	if (!l->reason)
		log_fatal("%s", error);
	near.never = policy_never_block(l->policies, &near.never_count);
	l->inspect = inspect_create(&near);
	if (!l->inspect)
		log_fatal("the stations could not be set up: %s", strerror(errno));
	reason_resume(l->reason, l->plan.stream.start_ns);
}

void lab_init(struct lab *l, const struct lab_plan *plan)
{
	char error[512];

	memset(l, 0, sizeof(*l));
	l->plan = *plan;
	l->last_ns = plan->stream.start_ns;
	if (prefix_parse(bytes_of_text(STREAM_INSIDE), &l->inside) < 0)
		log_fatal("%s: no network", STREAM_INSIDE);
	l->policies = policy_load(plan->policy, error);
	if (!l->policies)
		log_fatal("%s", error);
	l->incident = calloc(LAB_INCIDENTS, sizeof(*l->incident));
	if (!l->incident)
		log_fatal("out of memory");
	counted_init(&l->flows, 256);
	counted_init(&l->pairs, 256);
	counted_init(&l->alarmed, 1024);
	counted_init(&l->incidents, 1024);
	baseline_init(&l->baseline, plan->stream.start_ns);
	l->stream = stream_create(&plan->stream);
	create_channel(l);
	create_stations(l);
}

void lab_fini(struct lab *l)
{
	inspect_destroy(l->inspect);
	reason_destroy(l->reason);
	policy_free(l->policies);
	stream_destroy(l->stream);
	baseline_free(&l->baseline);
	counted_free(&l->flows);
	counted_free(&l->pairs);
	counted_free(&l->alarmed);
	counted_free(&l->incidents);
	free(l->incident);
	free(l->wire);
	free(l->brain);
}

void lab_set_mode(struct lab *l, unsigned mode)
{
	reason_set_mode(l->reason, mode, "evaluate", l->last_ns);
}

uint16_t lab_attack(struct lab *l, unsigned chain, uint64_t seed)
{
	uint16_t attack = stream_attack(l->stream, chain, seed, l->last_ns + 1);

	if (!attack)
		log_fatal("more than %d attacks", (int)STREAM_ATTACKS);
	l->attacks = attack;
	return attack;
}

// --- one frame ---

static void baseline_attack(struct lab *l, uint64_t which, const struct baseline_seen *seen)
{
	struct lab_attack *a = &l->attack[(which >> 8) - 1];

	if (seen->bits > a->bits)
		a->bits = seen->bits;
	if (seen->new_device && !a->new_device_ns)
		a->new_device_ns = l->last_ns;
	if (seen->new_org && !a->new_org_ns)
		a->new_org_ns = l->last_ns;
	for (unsigned i = 0; i < BASELINE_BUDGETS; i++)
		if (seen->bits > l->baseline.threshold[i] && !a->single_ns[i])
			a->single_ns[i] = l->last_ns;
}

// Its endpoint is one of the attacker's own, not a resolver that was asked on its behalf.
static bool is_of_attacker(const struct lab *l, const struct observation *o)
{
	struct address victim = stream_victim(l->stream, l->frame.attack);

	return o->direction != DIRECTION_LATERAL && address_equal(observation_device(o), &victim);
}

// Which attack and step an observation is about: that of the flow, which the frame that began it gave.
static const uint64_t *which_attack(struct lab *l, const struct observation *o)
{
	bool of_this_frame = o->kind != OBS_FLOW_CLOSE && o->kind != OBS_BLOCKED && o->kind != OBS_LOST;

	if (l->frame.attack && of_this_frame && !counted_find(&l->flows, o->flow + 1)) {
		uint64_t which = (uint64_t)l->frame.attack << 8 | l->frame.step;

		*counted_put(&l->flows, o->flow + 1) = which;
		if (is_of_attacker(l, o))
			*counted_put(&l->pairs, pair_key(observation_device(o), observation_endpoint(o))) = which;
	}
	return l->flows.count ? counted_find(&l->flows, o->flow + 1) : NULL;
}

static void drain(struct lab *l)
{
	struct observation o;

	while (ring_pop(&l->in, &o)) {
		const uint64_t *which = which_attack(l, &o);
		struct baseline_seen seen = baseline_observe(&l->baseline, &o, which != NULL);

		l->observations++;
		if (seen.counts && which)
			baseline_attack(l, *which, &seen);
		reason_observe(l->reason, &o);
	}
	inspect_step(l->inspect, l->last_ns, l->last_ns);
}

double lab_threshold(const struct lab *l, unsigned role, uint32_t *passed)
{
	struct judge_budget b;

	judge_get_budget(reason_judge(l->reason), &b);
	if (passed)
		*passed = b.today;
	return b.calibrated && b.role[role].threshold != INT64_MAX ? (double)b.role[role].threshold / 1e6 : 0;
}

static void weigh_attack(struct lab *l)
{
	struct address victim = stream_victim(l->stream, l->frame.attack);
	const struct device *d = learn_device_find(reason_learn(l->reason), &victim);
	double bits = d ? (double)judge_evidence(reason_judge(l->reason), d, l->last_ns) / 1e6 : 0;

	if (bits > l->attack[l->frame.attack - 1].evidence)
		l->attack[l->frame.attack - 1].evidence = bits;
}

static void dropped(struct lab *l)
{
	if (l->frame.attack && !l->attack[l->frame.attack - 1].cut_ns)
		l->attack[l->frame.attack - 1].cut_ns = l->last_ns;
	stream_dropped(l->stream);
}

static void inspect_one(struct lab *l)
{
	struct frame f = {l->frame.bytes, l->frame.length, l->frame.length, l->frame.when_ns, 0, LINK_ETHERNET};
	enum inspect_action action;
	uint64_t flow;

	if (l->last_ns - l->stepped_ns >= STEP_NS) {
		reason_step(l->reason, l->last_ns);
		l->stepped_ns = l->last_ns;
		inspect_step(l->inspect, l->last_ns, l->last_ns);
	}
	action = inspect_frame(l->inspect, &f, l->last_ns, &flow);
	drain(l);
	if (action == INSPECT_HOLD) {
		inspect_held_expired(l->inspect, flow); // no verdict within the wait: it goes
		action = inspect_held(l->inspect, &f, flow, l->last_ns);
		drain(l);
	}
	if (l->frame.attack)
		weigh_attack(l);
	if (action == INSPECT_DROP)
		dropped(l);
}

// The day that ends is summed up; learning ends when it was the last to learn from.
static void new_day(struct lab *l, uint32_t day)
{
	struct stream_counts c;

	stream_counts(l->stream, &c);
	for (; l->today < day; l->today++) {
		struct lab_day *d = &l->day[l->today], sum = {0};

		for (uint32_t i = 0; i < l->today; i++) {
			sum.frames += l->day[i].frames;
			sum.conversations += l->day[i].conversations;
			sum.cut += l->day[i].cut;
		}
		d->frames = c.frames - sum.frames;
		d->conversations = c.conversations - sum.conversations;
		d->cut = c.cut - sum.cut;
		for (unsigned role = 0; role < ROLE_COUNT; role++)
			d->threshold[role] = lab_threshold(l, role, &d->passed);
		d->baseline = baseline_day(&l->baseline, l->today);
		if (l->today + 1 == l->plan.train_days)
			lab_set_mode(l, l->plan.mode);
		if (l->today + 1 >= l->plan.train_days)
			baseline_train(&l->baseline, l->today + 1);
	}
}

bool lab_run(struct lab *l, uint64_t until_ns)
{
	while (l->last_ns < until_ns) {
		if (!stream_next(l->stream, &l->frame)) {
			new_day(l, day_of(l, l->last_ns) + 1);
			return false;
		}
		if (l->frame.when_ns > l->last_ns)
			l->last_ns = l->frame.when_ns;
		if (day_of(l, l->last_ns) != l->today)
			new_day(l, day_of(l, l->last_ns));
		inspect_one(l);
		l->frames++;
	}
	return true;
}
