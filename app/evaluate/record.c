// SPDX-License-Identifier: GPL-2.0-or-later
// See record.h.
#include "record.h"
#include "json.h"
#include "log.h"

#include <stdio.h>

enum { LINE_BYTES = 16384 };

struct line {
	struct json json;
	char text[LINE_BYTES];
};

static struct json *begin(struct line *line, const char *kind, uint64_t seed)
{
	json_init(&line->json, line->text, sizeof(line->text));
	json_open(&line->json, NULL);
	json_text(&line->json, "kind", kind);
	json_u64(&line->json, "seed", seed);
	return &line->json;
}

static void end(struct line *line)
{
	json_close(&line->json);
	if (line->json.full)
		log_fatal("a line of more than %d bytes", (int)LINE_BYTES);
	printf("%.*s\n", (int)line->json.length, line->text);
}

static void put_time(struct json *j, const char *key, const struct lab *l, uint64_t ns)
{
	json_fixed(j, key, ns ? (double)(ns - l->plan.stream.start_ns) / 1e9 : -1, 3);
}

void record_run(const struct lab *l, uint64_t seed)
{
	struct line line;
	struct json *j = begin(&line, "run", seed);
	const char *meaning, *name;

	json_u64(j, "days", l->plan.stream.days);
	json_u64(j, "train", l->plan.train_days);
	json_text(j, "mode", mode_name(l->plan.mode));
	json_fixed(j, "budget", l->plan.settings.budget, 2);
	json_u64(j, "devices", stream_devices(l->stream, 0));
	json_u64(j, "devices_last", stream_devices(l->stream, l->plan.stream.days - 1));
	json_open_array(j, "without");
	for (unsigned i = 0; (name = settings_component(i, &meaning)); i++)
		if (settings_lacks(&l->plan.settings, i))
			json_text(j, NULL, name);
	json_close_array(j);
	end(&line);
}

void record_day(const struct lab *l, uint64_t seed, uint32_t day)
{
	const struct lab_day *d = &l->day[day];
	const struct baseline_day *b = &d->baseline;
	struct judge_budget budget;
	struct line line;
	struct json *j = begin(&line, "day", seed);

	json_u64(j, "day", day);
	json_text(j, "mode", mode_name(day < l->plan.train_days ? (unsigned)MODE_LEARN : l->plan.mode));
	json_u64(j, "frames", d->frames);
	json_u64(j, "conversations", d->conversations);
	json_u64(j, "cut", d->cut);
	json_open_array(j, "threshold"); // by role
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		json_fixed(j, NULL, d->threshold[role], 2);
	json_close_array(j);
	json_u64(j, "passed", d->passed);
	json_u64(j, "notes", d->notes);
	json_u64(j, "alarms", d->alarms);
	json_u64(j, "alarmed_devices", d->devices);
	json_u64(j, "incidents", d->incidents);
	json_u64(j, "blocks", d->blocks);
	json_u64(j, "would_block", d->would_block);
	json_u64(j, "devices", stream_devices(l->stream, day));
	json_u64(j, "new_device", b->new_device);
	json_u64(j, "new_org", b->new_org);
	judge_get_budget(reason_judge(l->reason), &budget);
	json_fixed(j, "block_threshold", budget.block_threshold == INT64_MAX ? -1 : (double)budget.block_threshold / EVIDENCE_BIT, 2);
	json_open_array(j, "single");
	for (unsigned i = 0; i < BASELINE_BUDGETS; i++)
		json_u64(j, NULL, b->single[i]);
	json_close_array(j);
	json_open(j, "parts");
	for (unsigned i = 0; i < LAB_PARTS && d->part[i].name[0]; i++)
		json_u64(j, d->part[i].name, d->part[i].alarms);
	json_close(j);
	json_open_array(j, "single_bits"); // the largest of the day, for ranks
	for (unsigned i = 0; i < BASELINE_TOP && b->top[i] > 0; i++)
		json_fixed(j, NULL, (double)b->top[i], 2);
	json_close_array(j);
	end(&line);
}

// With what it rests on, so that one can see where false alarms come from and why true ones come late.
void record_alert(const struct lab *l, const char *kind, const struct alert *a)
{
	const char *part = stream_part(l->stream, &a->device);
	struct line line;
	struct json *j = begin(&line, kind, l->plan.stream.seed);

	put_time(j, "at", l, a->time_ns);
	json_text(j, "part", part ? part : "?");
	json_text(j, "policy", a->policy);
	json_u64(j, "priority", a->priority);
	json_u64(j, "certain", a->certain);
	json_text(j, "event", score_class_name(a->score.class));
	json_fixed(j, "surprise", a->score.surprise, 2);
	json_fixed(j, "p", a->score.p, 9);
	json_fixed(j, "fast", (double)a->proof.evidence.level[0] / EVIDENCE_BIT, 2);
	json_fixed(j, "slow", (double)a->proof.evidence.level[1] / EVIDENCE_BIT, 2);
	json_open_array(j, "items"); // seconds before, kind of evidence, bits
	for (uint32_t i = 0; i < a->proof.items; i++) {
		const struct evidence_item *item = &a->proof.item[i];

		json_open_array(j, NULL);
		json_fixed(j, NULL, (double)a->proof.evidence.time_ms / 1e3 - (double)item->time_ms / 1e3, 0);
		json_text(j, NULL, item->family < SCORE_CLASSES ? score_class_name(item->family) : "policy");
		json_fixed(j, NULL, (double)item->microbits / EVIDENCE_BIT, 2);
		json_close_array(j);
	}
	json_close_array(j);
	end(&line);
}

void record_incidents(const struct lab *l, uint64_t seed)
{
	for (uint32_t i = 0; i < l->incident_count; i++) {
		const struct incident *in = &l->incident[i];
		const char *part = stream_part(l->stream, &in->device[0]);
		struct line line;
		struct json *j;

		if (in->merged_into)
			continue;
		j = begin(&line, "incident", seed);
		json_text(j, "mode", mode_name(l->plan.mode));
		json_u64(j, "id", in->id);
		put_time(j, "first", l, in->first_ns);
		put_time(j, "last", l, in->last_ns);
		json_fixed(j, "score", in->score, 2);
		json_u64(j, "priority", in->priority);
		json_u64(j, "alerts", in->alerts);
		json_u64(j, "certain", in->certain);
		json_u64(j, "exposed", in->exposed);
		json_u64(j, "phases", in->phases);
		json_fixed(j, "evidence", in->evidence, 2);
		json_text(j, "part", part ? part : "?");
		end(&line);
	}
}

static void put_step(struct json *j, const struct lab *l, const struct stream_step *s, const struct lab_step *said)
{
	json_open(j, NULL);
	json_text(j, "words", s->words);
	json_u64(j, "begun", s->begun);
	put_time(j, "first", l, s->first_ns);
	json_u64(j, "conversations", s->conversations);
	json_u64(j, "stopped", s->stopped);
	json_u64(j, "frames", s->frames);
	json_u64(j, "dropped", s->dropped);
	json_u64(j, "payload", s->payload);
	json_u64(j, "payload_dropped", s->payload_dropped);
	put_time(j, "alerted", l, said->alerted_ns);
	put_time(j, "noted", l, said->noted_ns);
	put_time(j, "blocked", l, said->blocked_ns);
	json_u64(j, "alerts", said->alerts);
	json_text(j, "policy", said->policy);
	json_close(j);
}

void record_place(const struct lab *l, uint64_t seed, const struct record_place *p)
{
	const struct lab_attack *a = &l->attack[p->attack - 1];
	struct address victim = stream_victim(l->stream, p->attack);
	const char *part = stream_part(l->stream, &victim);
	const struct device *d = learn_device_find(reason_learn(l->reason), &victim);
	struct stream_counts counts;
	struct stream_step s;
	struct line line;
	struct json *j = begin(&line, p->kind, seed);

	stream_counts(l->stream, &counts);
	json_text(j, "chain", chain_name(p->chain));
	json_text(j, "mode", mode_name(p->mode));
	json_u64(j, "place", p->place);
	json_text(j, "victim", part ? part : "?");
	put_time(j, "at", l, p->at_ns);
	put_time(j, "end", l, l->last_ns);
	json_u64(j, "ordinary_cut", counts.cut - p->cut_before);
	put_time(j, "cut", l, a->cut_ns);
	json_u64(j, "near", a->near);
	json_fixed(j, "evidence", a->evidence, 2);
	json_fixed(j, "threshold", d ? lab_threshold(l, d->role, NULL) : 0, 2);
	json_open(j, "incident");
	json_u64(j, "id", a->incident.id);
	json_fixed(j, "score", a->incident.score, 2);
	json_u64(j, "certain", a->incident.certain);
	json_u64(j, "exposed", a->incident.exposed);
	json_u64(j, "phases", a->incident.phases);
	json_fixed(j, "evidence", a->incident.evidence, 2);
	json_u64(j, "priority", a->incident.priority);
	json_close(j);
	json_open(j, "baseline");
	put_time(j, "new_device", l, a->new_device_ns);
	put_time(j, "new_org", l, a->new_org_ns);
	json_fixed(j, "bits", (double)a->bits, 2);
	json_open_array(j, "single");
	for (unsigned i = 0; i < BASELINE_BUDGETS; i++)
		put_time(j, NULL, l, a->single_ns[i]);
	json_close_array(j);
	json_close(j);
	json_open_array(j, "steps");
	for (unsigned i = 0; i < STREAM_STEPS; i++) {
		stream_step(l->stream, p->attack, i, &s);
		if (s.words)
			put_step(j, l, &s, &a->step[i]);
	}
	json_close_array(j);
	end(&line);
}

void record_proof(const struct lab *l, uint64_t seed, const struct proof *p)
{
	struct line line;
	struct json *j = begin(&line, "explained", seed);

	json_text(j, "mode", mode_name(reason_mode(l->reason)));
	json_u64(j, "alerts", p->sum.alerts);
	json_u64(j, "events", p->sum.scores);
	json_u64(j, "items", p->sum.items);
	json_u64(j, "found", p->sum.found);
	json_u64(j, "numbers", p->sum.numbers);
	json_u64(j, "differ", p->sum.differ);
	json_u64(j, "lost", p->lost);
	json_u64(j, "altered", p->altered);
	json_u64(j, "noticed", p->noticed);
	json_fixed(j, "seconds", p->seconds, 3);
	end(&line);
}

void record_cost(const struct lab *l, uint64_t seed, double seconds, double stream_ns)
{
	static const enum counter limits[] = {
		COUNT_FLOWS_FULL,         COUNT_PROTO_CONTEXT_FULL, COUNT_TCP_PARK_FULL,      COUNT_BLOCKS_FULL,
		COUNT_BRAIN_DEVICES_FULL, COUNT_BRAIN_COUNTS_FULL,  COUNT_BRAIN_VERDICTS_LOST, COUNT_BRAIN_JOURNAL_ERRORS};
	struct line line;
	struct json *j = begin(&line, "cost", seed);

	json_u64(j, "frames", l->frames);
	json_u64(j, "observations", l->observations);
	json_fixed(j, "seconds", seconds, 2);
	json_fixed(j, "ns_per_frame", l->frames ? seconds * 1e9 / (double)l->frames : 0, 0);
	json_fixed(j, "stream_ns_per_frame", stream_ns, 0);
	json_open(j, "limits"); // tables that were full: the figures mean something only where this is empty, but for the bound each device's values have
	for (unsigned i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (l->counters.value[limits[i]])
			json_u64(j, counter_name(limits[i]), l->counters.value[limits[i]]);
	json_close(j);
	end(&line);
}
