// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench brain --endpoints N`: N outside endpoints an hour that nobody ever saw, beside an ordinary week. Three
// weeks teach; into the fourth, from its fifth day at ten, come hours of a flood: two fifths one device's scan, three
// tenths visitors of an exposed server, a fifth spread over a dozen devices, a tenth names one device asks DNS for and
// calls. Asked is what it costs, and what the brain still knows of everybody else. The same weeks without the flood are
// told beside it (calm.*).
#include "brain_bed.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>

enum { WEEKS_TAUGHT = 3, FLOOD_DAY = 4, FLOOD_HOUR = 10, SPREAD = 12, SURVEY_MOST = 1 << 17, TCP = 6, UDP = 17 };
#define HOUR_NS (3600 * 1000000000ull)

static const uint8_t surveyed[] = {FEATURE_ENDPOINT, FEATURE_PORT,	FEATURE_AGENT_FAMILY, FEATURE_HOST,   FEATURE_JA4,
				   FEATURE_SERVED,   FEATURE_DESTINATION, FEATURE_DOMAIN,	FEATURE_INSIDE, FEATURE_FILE};

struct told {
	uint64_t alarms, notes;
};

struct flood {
	struct brain_bed *bed;
	struct address scanner, server, asker, spread[SPREAD], resolver;
	uint64_t begin_ns, end_ns, apart_ns, next_ns, sent;
	struct told of_flooding, of_others;
	uint64_t scores;
	uint64_t *took_tsc;
	size_t took, took_most;
	struct observation o;
};

struct survey { // of what ordinary devices' observations of the third week say
	uint64_t values, known, days, names, named;
};

static bool is_flooding(const struct flood *f, const struct address *a)
{
	bool found = address_equal(a, &f->scanner) || address_equal(a, &f->server) || address_equal(a, &f->asker);

	for (unsigned i = 0; i < SPREAD; i++)
		found = found || address_equal(a, &f->spread[i]);
	return found;
}

static void take_alert(void *user, const struct alert *a, const struct incident *i)
{
	struct flood *f = user;
	struct told *t = is_flooding(f, &a->device) ? &f->of_flooding : &f->of_others;

	if (a->suppressed)
		return;
	t->alarms += a->priority > 1 && !a->grouped;
	t->notes += a->priority <= 1 || a->grouped;
}

static void take_score(void *user, const struct score *s)
{
	((struct flood *)user)->scores++;
}

// --- the flood ---

// Who is there decides who floods: the first exposed server, and clients in the order in which they were seen.
static void cast(struct flood *f)
{
	struct learn *l = reason_learn(f->bed->reason);
	struct address *clients[SPREAD + 2] = {&f->scanner, &f->asker};
	unsigned n = 0;

	for (unsigned i = 0; i < SPREAD; i++)
		clients[i + 2] = &f->spread[i];
	for (uint32_t i = 0; i < learn_device_count(l); i++) {
		const struct device *d = learn_device_at(l, i);

		if (d->role == ROLE_EXPOSED && !address_is_set(&f->server))
			f->server = d->address;
		if (d->role == ROLE_SERVER && !address_is_set(&f->resolver))
			f->resolver = d->address;
		if (d->role == ROLE_CLIENT && d->address.family == 4 && n < SPREAD + 2)
			*clients[n++] = d->address;
	}
	if (n < SPREAD + 2 || !address_is_set(&f->server))
		log_fatal("a flood needs %d clients and an exposed server", SPREAD + 2);
}

// Different for each number, and of none of the generator's networks: a permutation of 2^24 in 37.0.0.0/8 and the next.
static struct address stranger(uint64_t n)
{
	uint32_t mixed = (uint32_t)(n * 0x9e3779b1u) & 0xffffff;
	const uint8_t b[4] = {(uint8_t)(37 + (n >> 24)), (uint8_t)(mixed >> 16), (uint8_t)(mixed >> 8), (uint8_t)mixed};

	return address_v4(b);
}

static void judge_timed(struct flood *f, const struct observation *o)
{
	uint64_t begun;

	brain_bed_rest();
	begun = __builtin_ia32_rdtsc();
	brain_bed_judge(f->bed, o);
	if (f->took < f->took_most)
		f->took_tsc[f->took++] = __builtin_ia32_rdtsc() - begun;
}

static void fill(struct flood *f, unsigned kind, unsigned direction, const struct address *client,
		 const struct address *server, uint16_t port)
{
	struct observation *o = &f->o;

	observation_init(o, (enum observation_kind)kind);
	o->direction = (uint8_t)direction;
	o->sequence = f->sent + 1;
	o->frame = 1;
	o->time_ns = f->next_ns;
	o->flow = 1ull << 40 | f->sent;
	o->client = *client;
	o->server = *server;
	o->client_port = (uint16_t)(32768 + f->sent % 28000);
	o->server_port = port;
	o->transport = kind == OBS_DNS ? UDP : TCP;
	o->from_client = 1;
}

static void ask(struct flood *f, const struct address *device, const struct address *answer)
{
	bool lateral = address_is_set(&f->resolver);
	const struct address outside = stranger(1ull << 25);
	char name[64];

	snprintf(name, sizeof(name), "www.n%08llx.example", (unsigned long long)(f->sent * 0x9e3779b1ull & 0xffffffff));
	for (unsigned answered = 0; answered < 2; answered++) {
		fill(f, OBS_DNS, lateral ? DIRECTION_LATERAL : DIRECTION_OUT, device, lateral ? &f->resolver : &outside, 53);
		f->o.app = APP_DNS;
		observation_put(&f->o, TEXT_DNS_NAME, bytes_of_text(name));
		if (answered) {
			f->o.from_client = 0;
			f->o.flags8 |= OBS_FLAG_RESPONSE;
			f->o.number[NUM_DNS_ANSWERS] = 1;
			observation_put(&f->o, TEXT_DNS_ADDRESSES, bytes_of(answer, sizeof(*answer)));
		}
		judge_timed(f, &f->o);
	}
}

static void come(struct flood *f)
{
	const struct address other = stranger(f->sent);
	unsigned part = f->sent % 10;
	bool in = part >= 4 && part < 7;
	const struct address *device = part < 4  ? &f->scanner
				       : in      ? &f->server
				       : part < 9 ? &f->spread[f->sent / 10 % SPREAD]
						  : &f->asker;
	uint16_t port = (uint16_t)(in ? 443 : part == 9 ? 443 : f->sent % 3 ? 445 : 80 + f->sent % 7);

	if (part == 9)
		ask(f, device, &other);
	fill(f, OBS_FLOW_OPEN, in ? DIRECTION_IN : DIRECTION_OUT, in ? &other : device, in ? device : &other, port);
	judge_timed(f, &f->o);
	f->o.kind = OBS_FLOW_CLOSE;
	f->o.number[NUM_CLOSE_BYTES_CLIENT] = 400;
	f->o.number[NUM_CLOSE_BYTES_SERVER] = 900;
	f->o.number[NUM_CLOSE_PACKETS_CLIENT] = f->o.number[NUM_CLOSE_PACKETS_SERVER] = 5;
	f->o.number[NUM_CLOSE_START_NS] = f->o.time_ns;
	judge_timed(f, &f->o);
	f->sent++;
	f->next_ns += f->apart_ns;
}

// --- what is known ---

static void survey_values(const struct flood *f, const struct observation *o, struct survey *s)
{
	struct learn *l = reason_learn(f->bed->reason);
	const struct device *d = learn_device_find(l, observation_device(o));
	uint8_t room[LEARN_VALUE_BYTES];
	struct counts c;
	struct bytes value;

	for (unsigned i = 0; d && i < sizeof(surveyed); i++) {
		if (!learn_value(l, o, surveyed[i], room, &value))
			continue;
		learn_counts(l, d, surveyed[i], value, o->time_ns, &c);
		s->values++;
		s->known += c.device_first_ns != 0;
		s->days += c.device_days;
	}
}

// What the week's observations carry, asked at that time. Flooding devices are left out.
static struct survey survey(const struct flood *f, uint64_t now_ns)
{
	struct learn *l = reason_learn(f->bed->reason);
	struct survey s = {0};
	struct observation o;
	size_t at = 0;

	while (at < f->bed->kept.bytes) {
		at = brain_bed_next(f->bed, at, &o);
		if (is_flooding(f, observation_device(&o)))
			continue;
		o.time_ns = now_ns;
		survey_values(f, &o, &s);
		if (o.kind == OBS_FLOW_OPEN && o.direction == DIRECTION_OUT) {
			s.named++;
			s.names += recent_name(l, &o.client, &o.server, now_ns).left > 0;
		}
	}
	return s;
}

static double share(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

// --- the weeks ---

struct phase_cost {
	struct meter meter;
	uint64_t observations;
};

static void teach(struct flood *f, unsigned weeks, struct phase_cost *last)
{
	struct observation o;

	for (unsigned w = 0; w < weeks; w++) {
		*last = (struct phase_cost){.observations = f->bed->kept.count};
		f->took = 0;
		meter_start(&last->meter);
		for (size_t at = 0; at < f->bed->kept.bytes;) {
			at = brain_bed_next(f->bed, at, &o);
			judge_timed(f, &o);
		}
		meter_stop(&last->meter);
		brain_bed_shift(f->bed);
	}
}

// The week up to `until_ns`, beginning at *at; what floods comes between.
static void live_until(struct flood *f, size_t *at, uint64_t until_ns, bool flooding, struct phase_cost *cost)
{
	struct observation o;

	*cost = (struct phase_cost){0};
	f->took = 0;
	meter_start(&cost->meter);
	while (*at < f->bed->kept.bytes) {
		size_t next = brain_bed_next(f->bed, *at, &o);

		while (flooding && f->next_ns < (o.time_ns < until_ns ? o.time_ns : until_ns))
			come(f);
		if (o.time_ns >= until_ns)
			break;
		*at = next;
		judge_timed(f, &o);
	}
	meter_stop(&cost->meter);
}

static void report_told(struct report *r, const char *when, const char *who, const struct told *t)
{
	char name[FIGURE_NAME_BYTES];

	snprintf(name, sizeof(name), "%s.alarms.%s", when, who);
	report_add(r, name, "alerts told", (double)t->alarms);
	snprintf(name, sizeof(name), "%s.notes.%s", when, who);
	report_add(r, name, "notes", (double)t->notes);
}

static void report_counters(struct report *r, const struct counters *before, const struct counters *now)
{
	char name[FIGURE_NAME_BYTES];

	for (unsigned c = COUNT_BRAIN_OBSERVATIONS; c <= COUNT_BRAIN_FENCE_ERRORS; c++) {
		if (now->value[c] == before->value[c])
			continue;
		snprintf(name, sizeof(name), "%s", counter_name(c));
		report_add(r, name, "counted", (double)(now->value[c] - before->value[c]));
	}
}

static double rate_of(const struct phase_cost *c)
{
	return (double)c->observations * 1000 / (double)c->meter.cpu_ns;
}

static void report_phase(struct report *r, struct flood *f, const char *name, const struct phase_cost *c)
{
	char figure[FIGURE_NAME_BYTES];

	snprintf(figure, sizeof(figure), "%s.rate", name);
	report_add(r, figure, "million/s", rate_of(c));
	report_took(r, name, f->took_tsc, f->took); // at 1 M endpoints an hour some milliseconds lie between two
}

struct after { // of a run with the flood or without
	struct survey begin, end, week;
	struct told flood_others, later_others;
};

static void report_memory(struct report *r, const char *when)
{
	char name[FIGURE_NAME_BYTES];

	snprintf(name, sizeof(name), "taken.%s", when);
	report_add(r, name, "MB", (double)measure_taken_bytes() / 1e6);
	snprintf(name, sizeof(name), "rss.%s", when);
	report_add(r, name, "MB", (double)measure_rss_bytes() / 1e6);
}

static void report_flood(struct report *r, struct flood *f, const struct phase_cost *before, const struct phase_cost *flood)
{
	struct judge_budget budget;

	report_memory(r, "after");
	report_add(r, "endpoints", "never seen", (double)f->sent);
	report_phase(r, f, "flood", flood);
	report_add(r, "rate.ratio", "flood to before", rate_of(flood) / rate_of(before));
	judge_get_budget(reason_judge(f->bed->reason), &budget);
	report_add(r, "flood.alarmed", "devices told today", budget.today);
	report_add(r, "flood.surge", "devices beyond them", budget.grouped);
	report_told(r, "flood", "flooding", &f->of_flooding);
	report_told(r, "flood", "others", &f->of_others);
	report_add(r, "scores", "of 3 bits and more", (double)f->scores);
}

static void one_run(struct brain_bed *bed, const struct brain_plan *plan, struct report *r, bool calm, struct after *a)
{
	static struct flood f;
	uint64_t *took = f.took_tsc, judged;
	struct phase_cost before, part, flood;
	struct counters at_begin;
	size_t at = 0, most = f.took_most;

	f = (struct flood){.bed = bed, .apart_ns = HOUR_NS / plan->endpoints, .took_tsc = took, .took_most = most};
	bed->alert = take_alert;
	bed->score = take_score;
	bed->user = &f;
	brain_bed_create(bed);
	if (!f.took_tsc) {
		f.took_most = bed->kept.count + plan->endpoints * plan->hours * 3;
		f.took_tsc = calloc(f.took_most, sizeof(*f.took_tsc));
		if (!f.took_tsc)
			log_fatal("out of memory");
	}
	teach(&f, WEEKS_TAUGHT, &before);
	if (!calm)
		report_phase(r, &f, "before", &before);
	cast(&f);
	f.begin_ns = (bed->kept.first_ns + bed->shift_ns) / BED_DAY_NS * BED_DAY_NS + FLOOD_DAY * BED_DAY_NS + FLOOD_HOUR * HOUR_NS;
	f.end_ns = f.begin_ns + plan->hours * HOUR_NS;
	f.next_ns = f.begin_ns;
	live_until(&f, &at, f.begin_ns, false, &part);
	a->begin = survey(&f, f.begin_ns);
	at_begin = bed->counters;
	f.of_flooding = f.of_others = (struct told){0};
	f.scores = 0;
	judged = bed->counters.value[COUNT_BRAIN_OBSERVATIONS];
	if (!calm)
		report_memory(r, "before");
	live_until(&f, &at, f.end_ns, !calm, &flood);
	flood.observations = bed->counters.value[COUNT_BRAIN_OBSERVATIONS] - judged;
	a->end = survey(&f, f.end_ns);
	a->flood_others = f.of_others;
	if (!calm)
		report_flood(r, &f, &before, &flood);
	f.of_flooding = f.of_others = (struct told){0};
	live_until(&f, &at, UINT64_MAX, false, &part);
	a->later_others = f.of_others;
	a->week = survey(&f, bed->kept.last_ns + bed->shift_ns);
	if (!calm) {
		report_told(r, "later", "flooding", &f.of_flooding);
		report_told(r, "later", "others", &f.of_others);
		report_counters(r, &at_begin, &bed->counters);
		if (bed->counters.value[COUNT_BRAIN_OBSERVATIONS_BAD])
			report_void(r, "observations were refused");
	}
	brain_bed_end(bed);
}

void brain_flood(struct brain_bed *b, const struct brain_plan *plan, struct report *r)
{
	struct after calm, flood;

	for (uint64_t i = 0; i < plan->rounds; i++) {
		one_run(b, plan, r, true, &calm);
		one_run(b, plan, r, false, &flood);
		report_add(r, "calm.alarms.others", "in the same hours", (double)calm.flood_others.alarms);
		report_add(r, "calm.later.alarms.others", "in the same days", (double)calm.later_others.alarms);
		report_add(r, "known.begin", "of values", share(flood.begin.known, flood.begin.values));
		report_add(r, "known.end", "of values", share(flood.end.known, flood.end.values));
		report_add(r, "known.week", "of values", share(flood.week.known, flood.week.values));
		report_add(r, "calm.known.week", "of values", share(calm.week.known, calm.week.values));
		report_add(r, "days.week", "flood to calm", share(flood.week.days, calm.week.days));
		report_add(r, "names.begin", "of calls", share(flood.begin.names, flood.begin.named));
		report_add(r, "names.end", "of calls", share(flood.end.names, flood.end.named));
		report_add(r, "calm.names.end", "of calls", share(calm.end.names, calm.end.named));
	}
}
