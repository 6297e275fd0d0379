// SPDX-License-Identifier: GPL-2.0-or-later
// See brain_bed.h.
#include "brain_bed.h"

#include "bed.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void keep(void *user, const struct observation *o)
{
	struct kept *k = user;

	if (k->bytes + sizeof(*o) > k->cap) {
		k->cap = k->cap ? 2 * k->cap : 1 << 24;
		k->at = realloc(k->at, k->cap);
		if (!k->at)
			log_fatal("out of memory");
	}
	memcpy(k->at + k->bytes, o, o->size_bytes);
	k->bytes += (o->size_bytes + 7u) & ~7u;
	k->last_ns = o->time_ns;
	if (!k->count++)
		k->first_ns = o->time_ns;
}

static void record(struct kept *kept, const struct recording *r)
{
	const struct bed_plan plan = {
		.flows = 1 << 17, .contexts = 1 << 14, .replay = true, .inside = r->inside, .insides = r->insides};
	static struct bed bed;
	uint64_t flow;

	bed_make(&bed, &plan, r->frame[0].unix_ns);
	for (size_t i = 0; i < r->frames; i++) {
		const struct recorded *from = &r->frame[i];
		struct frame f = {r->bytes + from->offset, from->bytes,	 from->bytes,
				  from->unix_ns,	   from->port,	 LINK_ETHERNET};

		inspect_step(bed.inspect, f.unix_ns, f.unix_ns);
		inspect_frame(bed.inspect, &f, f.unix_ns, &flow);
		bed_drain(&bed, keep, kept);
	}
	bed_free(&bed);
}

void brain_bed_record(struct brain_bed *b, const char *path, const char *inside, uint64_t days)
{
	static struct recording recording;

	recording_load(&recording, path, inside, days, UINT64_MAX);
	record(&b->kept, &recording);
	recording_free(&recording);
}

static void take_verdict(void *user, unsigned worker, const struct verdict *v)
{
	struct brain_bed *b = user;

	b->verdicts++;
}

static void take_alert(void *user, const struct alert *a, const struct incident *i)
{
	struct brain_bed *b = user;

	if (b->alert)
		b->alert(b->user, a, i);
}

static void take_score(void *user, const struct score *s)
{
	struct brain_bed *b = user;

	if (b->score)
		b->score(b->user, s);
}

void brain_bed_create(struct brain_bed *b)
{
	struct reason_config c = {.state = b->state,
				  .mode = MODE_OBSERVE,
				  .devices = (uint32_t)b->devices,
				  .values = (uint32_t)b->values,
				  .key = {3, 4},
				  .filter_key = {1, 2},
				  .counters = &b->counters,
				  .hooks = {.verdict = take_verdict, .alert = take_alert, .score = take_score, .user = b}};
	char error[512];

	memset(&b->counters, 0, sizeof(b->counters));
	b->shift_ns = b->since_step = 0;
	b->policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	if (!b->policies)
		log_fatal("%s", error);
	b->sheet = calloc(1, sizeof(*b->sheet));
	if (!b->sheet)
		log_fatal("out of memory");
	brain_sheet_init(b->sheet);
	c.sheet = b->sheet;
	c.policies = b->policies;
	b->taken = measure_taken_bytes();
	b->reason = reason_create(&c, error);
	b->taken = measure_taken_bytes() - b->taken;
	if (!b->reason)
		log_fatal("%s", error);
	reason_resume(b->reason, b->kept.first_ns);
}

void brain_bed_end(struct brain_bed *b)
{
	reason_destroy(b->reason);
	policy_free(b->policies);
	free(b->sheet);
}

size_t brain_bed_next(const struct brain_bed *b, size_t at, struct observation *o)
{
	const struct observation *from = (const struct observation *)(b->kept.at + at);
	uint32_t n = from->size_bytes;

	memcpy(o, from, n);
	memset((uint8_t *)o + n, 0, sizeof(*o) - n);
	o->time_ns += b->shift_ns;
	if (o->kind == OBS_FLOW_CLOSE)
		o->number[NUM_CLOSE_START_NS] += b->shift_ns;
	return at + ((n + 7u) & ~7u);
}

void brain_bed_judge(struct brain_bed *b, const struct observation *o)
{
	// The brain steps each 100 ms. In the recording seconds lie between two observations; at the rate that is asked
	// about a hundred thousand of them do between two steps.
	if (++b->since_step == STEP_OBSERVATIONS) {
		reason_step(b->reason, o->time_ns);
		b->since_step = 0;
	}
	reason_observe(b->reason, o);
}

void brain_bed_shift(struct brain_bed *b)
{
	b->shift_ns += (b->kept.last_ns - b->kept.first_ns) / BED_WEEK_NS * BED_WEEK_NS + BED_WEEK_NS;
}

void brain_bed_rest(void)
{
	static uint64_t rested_tsc;
	uint64_t now_tsc = __builtin_ia32_rdtsc();

	if ((double)(now_tsc - rested_tsc) < measure_tsc_per_ns() * 5e8)
		return;
	nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
	rested_tsc = __builtin_ia32_rdtsc();
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void report_took(struct report *r, const char *name, uint64_t *took_tsc, size_t n)
{
	static const struct {
		const char *name;
		unsigned of_1000;
	} shares[] = {{"p50", 500}, {"p99", 990}, {"p99.9", 999}};
	char figure[FIGURE_NAME_BYTES];

	qsort(took_tsc, n, sizeof(*took_tsc), by_size);
	for (unsigned i = 0; n && i < sizeof(shares) / sizeof(shares[0]); i++) {
		snprintf(figure, sizeof(figure), "%s.%s", name, shares[i].name);
		report_add(r, figure, "us", (double)took_tsc[n * shares[i].of_1000 / 1000] / measure_tsc_per_ns() / 1000);
	}
}

void report_sojourn(struct report *r, const char *name, uint64_t *took_tsc, size_t n)
{
	uint64_t sum = 0, wait = 0, apart;

	for (size_t i = 0; i < n; i++)
		sum += took_tsc[i];
	apart = n ? 2 * sum / n : 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t whole = wait + took_tsc[i];

		wait = whole > apart ? whole - apart : 0;
		took_tsc[i] = whole;
	}
	report_took(r, name, took_tsc, n);
}
