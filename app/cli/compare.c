// SPDX-License-Identifier: GPL-2.0-or-later
// See compare.h. A flow is refused by a block that stands when it begins. It is ordinary unless an alert of either side,
// more than a note, is about it. Everything is kept until the end and sorted, so the same captures give the same words.
#include "compare.h"

#include "image.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 10 };

struct verdict_of { // a block one side would have made
	struct address endpoint;
	uint32_t bits;
	uint16_t port;
	uint8_t transport, side;
	char policy[48];
	uint64_t id, made_ns, expires_ns;
	uint32_t flows, known; // ordinary ones it would have refused
};

struct refused { // a flow that began under a block
	uint64_t flow;
	uint32_t block;
	uint8_t side, known;
};

struct told { // alerts of one kind
	char policy[48];
	struct address device, endpoint;
	uint32_t port, count[COMPARE_SIDES];
};

struct compare {
	struct reason *old;
	struct policy_set *policies;
	struct brain_sheet *sheet;
	struct counters counters;
	struct verdict_of *block;
	struct refused *refused;
	struct told *told;
	uint64_t *alerted; // flows
	uint32_t blocks, refuseds, tolds, alerteds, flows, out_of_memory;
};

double compare_budget(const char *learned)
{
	struct judge_budget b = {0};
	struct image i;

	if (image_read(&i, LEARN_IMAGE_VERSION, learned) < 0)
		return 0;
	if (!judge_image_budget(&i, &b))
		b.alarms_per_day = 0;
	image_free(&i);
	return b.alarms_per_day;
}

// Room for one more in an array that doubles at powers of two. NULL: no memory, told at the end.
static void *one_more(struct compare *c, void **array, uint32_t *count, size_t size)
{
	uint32_t n = *count;

	if ((n & (n - 1)) == 0) {
		void *larger = realloc(*array, (n ? 2ull * n : 1) * size);

		if (!larger) {
			c->out_of_memory++;
			return NULL;
		}
		*array = larger;
	}
	++*count;
	return memset((char *)*array + n * size, 0, size);
}

static void old_alert(void *user, const struct alert *a, const struct incident *i)
{
	compare_alert(user, COMPARE_OLD, a);
}

static void old_block(void *user, const struct block *b, const char *what, uint64_t now_ns)
{
	compare_block(user, COMPARE_OLD, b);
}

struct compare *compare_create(const char *old_policies, const char *learned, double alarms_per_day, char error[512])
{
	struct compare *c = calloc(1, sizeof(*c));
	struct reason_config config = {.mode = MODE_OBSERVE, .learned = learned, .key = {3, 4}, .filter_key = {1, 2},
				       .alarms_per_day = alarms_per_day, .hooks = {.alert = old_alert, .block = old_block, .user = c}};

	snprintf(error, 512, "out of memory");
	if (!c)
		return NULL;
	config.counters = &c->counters;
	config.sheet = c->sheet = calloc(1, sizeof(*c->sheet));
	if (c->sheet) {
		brain_sheet_init(c->sheet);
		config.policies = c->policies = policy_load(old_policies, error);
	}
	if (c->policies)
		c->old = reason_create(&config, error);
	if (c->old)
		return c;
	compare_destroy(c);
	return NULL;
}

void compare_destroy(struct compare *c)
{
	if (!c)
		return;
	reason_destroy(c->old);
	if (c->policies)
		policy_free(c->policies);
	free(c->sheet);
	free(c->block);
	free(c->refused);
	free(c->told);
	free(c->alerted);
	free(c);
}

void compare_begin(struct compare *c, uint64_t unix_ns)
{
	reason_resume(c->old, unix_ns);
}

void compare_step(struct compare *c, uint64_t unix_ns)
{
	reason_step(c->old, unix_ns);
}

static bool refuses(const struct verdict_of *b, const struct observation *o)
{
	const struct prefix p = {b->endpoint, b->bits};
	uint16_t port = o->direction == DIRECTION_IN ? o->client_port : o->server_port;

	return o->time_ns >= b->made_ns && o->time_ns < b->expires_ns && prefix_has(&p, observation_endpoint(o)) &&
	       (!b->port || b->port == port) && (!b->transport || b->transport == o->transport);
}

static bool is_known(struct learn *l, const struct observation *o)
{
	const struct address *address = observation_device(o);
	const struct device *d = address ? learn_device_find(l, address) : NULL;
	struct counts c = {0};

	if (d && o->direction == DIRECTION_OUT)
		learn_counts(l, d, FEATURE_ENDPOINT, bytes_of(&o->server, sizeof(o->server)), o->time_ns, &c);
	return c.device_first_ns != 0;
}

// Of each side the first block that stands: a flow is refused once.
static void note_flow(struct compare *c, const struct observation *o, struct learn *learn)
{
	bool done[COMPARE_SIDES] = {false};

	c->flows++;
	for (uint32_t i = 0; i < c->blocks; i++) {
		struct refused *r;

		if (done[c->block[i].side] || !refuses(&c->block[i], o))
			continue;
		done[c->block[i].side] = true;
		r = one_more(c, (void **)&c->refused, &c->refuseds, sizeof(*r));
		if (r)
			*r = (struct refused){o->flow, i, c->block[i].side, is_known(learn, o)};
	}
}

void compare_observe(struct compare *c, const struct observation *o, struct learn *learn)
{
	if (o->kind == OBS_FLOW_OPEN && observation_check(o))
		note_flow(c, o, learn);
	reason_observe(c->old, o);
}

static struct told *told_of(struct compare *c, const struct alert *a)
{
	struct told *t;

	for (uint32_t i = 0; i < c->tolds; i++) {
		t = &c->told[i];
		if (t->port == a->endpoint_port && address_equal(&t->device, &a->device) &&
		    address_equal(&t->endpoint, &a->endpoint) && !strcmp(t->policy, a->policy))
			return t;
	}
	t = one_more(c, (void **)&c->told, &c->tolds, sizeof(*t));
	if (t) {
		*t = (struct told){.device = a->device, .endpoint = a->endpoint, .port = a->endpoint_port};
		memcpy(t->policy, a->policy, sizeof(t->policy));
	}
	return t;
}

// The port of who called from outside is a throw-away one.
void compare_alert(struct compare *c, enum compare_side side, const struct alert *a)
{
	struct alert same_kind = *a;
	struct told *t;
	uint64_t *flow;

	if (a->priority <= 1)
		return;
	if (a->direction == DIRECTION_IN)
		same_kind.endpoint_port = 0;
	t = told_of(c, &same_kind);
	if (t)
		t->count[side]++;
	flow = one_more(c, (void **)&c->alerted, &c->alerteds, sizeof(*flow));
	if (flow)
		*flow = a->flow;
}

void compare_block(struct compare *c, enum compare_side side, const struct block *b)
{
	struct verdict_of *v = NULL;

	for (uint32_t i = 0; i < c->blocks && !v; i++)
		if (c->block[i].side == side && c->block[i].id == b->id)
			v = &c->block[i];
	if (!v) {
		v = one_more(c, (void **)&c->block, &c->blocks, sizeof(*v));
		if (!v)
			return;
		*v = (struct verdict_of){.endpoint = b->endpoint, .bits = b->endpoint_bits, .port = b->port,
					 .transport = b->transport, .side = (uint8_t)side, .id = b->id, .made_ns = b->made_ns};
		memcpy(v->policy, b->policy, sizeof(v->policy));
	}
	if (b->expires_ns > v->expires_ns)
		v->expires_ns = b->expires_ns;
}

// --- the report ---

static int by_flow(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int by_told(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	int order = strcmp(x->policy, y->policy);

	if (!order)
		order = memcmp(&x->device, &y->device, sizeof(x->device));
	if (!order)
		order = memcmp(&x->endpoint, &y->endpoint, sizeof(x->endpoint));
	return order ? order : x->port < y->port ? -1 : x->port > y->port;
}

static int by_harm(const void *a, const void *b)
{
	const struct verdict_of *x = a, *y = b;

	if (x->flows != y->flows)
		return x->flows > y->flows ? -1 : 1;
	if (x->made_ns != y->made_ns)
		return x->made_ns < y->made_ns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool same_target(const struct verdict_of *a, const struct verdict_of *b)
{
	return a->bits == b->bits && a->port == b->port && a->transport == b->transport && address_equal(&a->endpoint, &b->endpoint);
}

static bool other_has(const struct compare *c, const struct verdict_of *b)
{
	for (uint32_t i = 0; i < c->blocks; i++)
		if (c->block[i].side != b->side && same_target(&c->block[i], b))
			return true;
	return false;
}

static void count_refused(struct compare *c)
{
	qsort(c->alerted, c->alerteds, sizeof(*c->alerted), by_flow);
	for (uint32_t i = 0; i < c->refuseds; i++) {
		const struct refused *r = &c->refused[i];

		if (c->alerteds && bsearch(&r->flow, c->alerted, c->alerteds, sizeof(r->flow), by_flow))
			continue;
		c->block[r->block].flows++;
		c->block[r->block].known += r->known;
	}
	c->refuseds = 0;
}

static void print_block(const struct verdict_of *b)
{
	const struct prefix p = {b->endpoint, b->bits};
	char text[PREFIX_TEXT_BYTES], when[TEXT_TIME_BYTES], length[TEXT_DURATION_BYTES], port[8] = "any";

	if (b->port)
		snprintf(port, sizeof(port), "%u", b->port);
	printf("  %s %s/%s by %s at %s for %s: %u ordinary flows (%u of known pairs)\n", prefix_format(&p, text),
	       b->transport == 6 ? "tcp" : b->transport == 17 ? "udp" : "any", port, b->policy, time_format(b->made_ns, when),
	       duration_format(b->expires_ns - b->made_ns, length), b->flows, b->known);
}

static void print_blocks(const struct compare *c, enum compare_side side, const char *name)
{
	uint32_t mine = 0, common = 0;

	for (uint32_t i = 0; i < c->blocks; i++)
		if (c->block[i].side == side)
			*(other_has(c, &c->block[i]) ? &common : &mine) += 1;
	printf("blocks only with %s: %u (with both: %u)\n", name, mine, common);
	for (uint32_t i = 0; i < c->blocks; i++)
		if (c->block[i].side == side && !other_has(c, &c->block[i]))
			print_block(&c->block[i]);
}

static void print_alerts(const struct compare *c, enum compare_side side, const char *name)
{
	char device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES];
	uint32_t mine = 0, common = 0;

	for (uint32_t i = 0; i < c->tolds; i++)
		if (c->told[i].count[side])
			*(c->told[i].count[!side] ? &common : &mine) += 1;
	printf("alerts only with %s: %u kinds (with both: %u)\n", name, mine, common);
	for (uint32_t i = 0; i < c->tolds; i++) {
		const struct told *t = &c->told[i];

		if (t->count[side] && !t->count[!side])
			printf("  %u x %s  %s  %s:%u\n", t->count[side], t->policy, address_format(&t->device, device),
			       address_format(&t->endpoint, endpoint), t->port);
	}
}

static void print_harm(const struct compare *c, enum compare_side side, const char *name)
{
	uint32_t flows = 0, known = 0, shown = 0;

	for (uint32_t i = 0; i < c->blocks; i++)
		if (c->block[i].side == side) {
			flows += c->block[i].flows;
			known += c->block[i].known;
		}
	printf("ordinary flows that began under a block of %s: %u of %u (%u between pairs the baseline knows)\n", name, flows, c->flows, known);
	for (uint32_t i = 0; i < c->blocks && shown < TOP; i++)
		if (c->block[i].side == side && c->block[i].flows) {
			print_block(&c->block[i]);
			shown++;
		}
}

void compare_print(struct compare *c)
{
	count_refused(c);
	if (c->blocks)
		qsort(c->block, c->blocks, sizeof(*c->block), by_harm);
	if (c->tolds)
		qsort(c->told, c->tolds, sizeof(*c->told), by_told);
	print_blocks(c, COMPARE_NEW, "NEW");
	print_blocks(c, COMPARE_OLD, "OLD");
	print_alerts(c, COMPARE_NEW, "NEW");
	print_alerts(c, COMPARE_OLD, "OLD");
	print_harm(c, COMPARE_NEW, "NEW");
	print_harm(c, COMPARE_OLD, "OLD");
	if (c->out_of_memory)
		printf("not all was compared: out of memory %u times\n", c->out_of_memory);
}
