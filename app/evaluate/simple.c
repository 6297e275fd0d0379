// SPDX-License-Identifier: GPL-2.0-or-later
// See simple.h.
#include "simple.h"
#include "chance.h"
#include "log.h"

#include <math.h>
#include <stdlib.h>

#define DAY_NS (86400ull * 1000000000ull)

const double BASELINE_BUDGET[BASELINE_BUDGETS] = {0.2, 1, 3, 10};

static const double BASE[BASELINE_FEATURES] = {0x1p-20, 0x1p-16, 0x1p-16}; // of a value nobody ever showed
enum { ORGANISATION = 0, ENDPOINT = 0, PORT = 1, AGENT = 2, MOST_BITS = 64 };

void baseline_init(struct baseline *b, uint64_t start_ns)
{
	memset(b, 0, sizeof(*b));
	b->start_ns = start_ns;
	counted_init(&b->device, 1024);
	counted_init(&b->value, 1 << 18);
	for (unsigned i = 0; i < BASELINE_BUDGETS; i++)
		b->threshold[i] = INFINITY;
}

void baseline_free(struct baseline *b)
{
	counted_free(&b->device);
	counted_free(&b->value);
}

static uint64_t hash_of(const void *at, size_t n)
{
	const uint8_t *p = at;
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++)
		hash = hash * 0x100000001b3ull ^ p[i];
	return hash;
}

static uint64_t key_of(uint32_t context, unsigned feature, uint64_t value)
{
	return chance_mix(value, (uint64_t)context << 8 | feature) | 1;
}

// P(value | context), the context's parent giving `parent` (Pitman-Yor with one table a type, as detection research
// does).
static double share(const struct baseline *b, uint32_t context, unsigned feature, uint64_t value, double parent)
{
	const struct baseline_context *c = &b->context[context][feature];
	const uint64_t *seen = counted_find(&b->value, key_of(context, feature, value));
	double days = seen ? (double)(*seen >> 16) : 0, discount = c->values ? (double)c->once / c->values : 0.5;

	discount = discount < 0.05 ? 0.05 : discount > 0.95 ? 0.95 : discount;
	return ((days > 0 ? days - discount : 0) + (1 + discount * c->values) * parent) / (1 + c->days);
}

// Counts it once a day; true where it was new to the context.
static bool learn(struct baseline *b, uint32_t context, unsigned feature, uint64_t value, uint32_t day)
{
	uint64_t *seen = counted_put(&b->value, key_of(context, feature, value));
	bool first = !*seen;

	if (!first && context != ORGANISATION && (*seen & 0xffff) == day)
		return false;
	*seen = ((*seen >> 16) + 1) << 16 | day;
	b->context[context][feature].days++;
	b->context[context][feature].values += first;
	b->context[context][feature].once += first;
	b->context[context][feature].once -= *seen >> 16 == 2;
	return first;
}

static unsigned features_of(const struct observation *o, uint64_t value[BASELINE_FEATURES])
{
	const uint8_t port[4] = {o->app, o->transport, (uint8_t)(o->server_port >> 8), (uint8_t)o->server_port};
	struct bytes agent = {0};

	if (o->direction != DIRECTION_OUT ||
	    (o->kind != OBS_FLOW_OPEN && o->kind != OBS_HTTP_REQUEST && o->kind != OBS_TLS))
		return 0;
	value[ENDPOINT] = hash_of(&o->server, sizeof(o->server));
	if (o->kind == OBS_FLOW_OPEN)
		return 1;
	value[PORT] = hash_of(port, sizeof(port));
	agent = observation_text(o, o->kind == OBS_TLS ? (unsigned)TEXT_TLS_JA4 : (unsigned)TEXT_REQUEST_AGENT);
	value[AGENT] = hash_of(agent.at, agent.left);
	return 3;
}

static uint32_t device_of(struct baseline *b, const struct address *a)
{
	uint64_t *number = counted_put(&b->device, hash_of(a, sizeof(*a)) | 1);

	if (!*number && b->device.count <= BASELINE_DEVICES)
		*number = b->device.count;
	return (uint32_t)*number;
}

struct baseline_seen baseline_observe(struct baseline *b, const struct observation *o, bool attack)
{
	uint64_t value[BASELINE_FEATURES];
	unsigned count = features_of(o, value);
	uint32_t day = (uint32_t)((o->time_ns - b->start_ns) / DAY_NS), d = count ? device_of(b, &o->client) : 0;
	struct baseline_seen seen = {.counts = count && d && day < BASELINE_DAYS};

	if (!seen.counts)
		return seen;
	seen.new_device = !counted_find(&b->value, key_of(d, ENDPOINT, value[ENDPOINT]));
	seen.new_org = !counted_find(&b->value, key_of(ORGANISATION, ENDPOINT, value[ENDPOINT]));
	for (unsigned f = 0; f < count; f++) {
		double bits = -log2(share(b, d, f, value[f], share(b, ORGANISATION, f, value[f], BASE[f])));

		seen.bits += (float)(bits < MOST_BITS ? bits : MOST_BITS);
	}
	for (unsigned f = 0; f < count; f++)
		if (learn(b, d, f, value[f], day))
			learn(b, ORGANISATION, f, value[f], day);
	if (attack)
		return seen;
	if (seen.bits > b->most[d - 1][day])
		b->most[d - 1][day] = seen.bits;
	b->new_device[d - 1][day] |= seen.new_device;
	b->new_org[d - 1][day] |= seen.new_org;
	return seen;
}

static int descending(const void *left, const void *right)
{
	const float *a = left, *b = right;

	return (*a < *b) - (*a > *b);
}

void baseline_train(struct baseline *b, uint32_t day)
{
	uint32_t first = day > 9 ? day - 7 : 2, last = day;
	size_t n = 0, cap = first < last ? (size_t)BASELINE_DEVICES * (last - first) : 0;
	float *all;

	if (first >= last)
		return;
	all = calloc(cap, sizeof(*all));
	if (!all)
		log_fatal("out of memory");
	for (uint32_t d = 0; d < BASELINE_DEVICES; d++)
		for (uint32_t of = first; of < last; of++)
			all[n++] = b->most[d][of];
	qsort(all, n, sizeof(*all), descending);
	for (unsigned i = 0; i < BASELINE_BUDGETS; i++) {
		size_t k = (size_t)(BASELINE_BUDGET[i] * (last - first));

		b->threshold[i] = all[k]; // so that k of them alarmed
	}
	free(all);
}

struct baseline_day baseline_day(const struct baseline *b, uint32_t day)
{
	struct baseline_day out = {0};
	float all[BASELINE_DEVICES];

	for (uint32_t d = 0; d < BASELINE_DEVICES; d++) {
		out.new_device += b->new_device[d][day];
		out.new_org += b->new_org[d][day];
		for (unsigned i = 0; i < BASELINE_BUDGETS; i++)
			out.single[i] += b->most[d][day] > b->threshold[i];
		all[d] = b->most[d][day];
	}
	qsort(all, BASELINE_DEVICES, sizeof(*all), descending);
	memcpy(out.top, all, sizeof(out.top));
	return out;
}
