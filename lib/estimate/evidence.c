// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence by device. One thread.
#include "evidence.h"

#include "estimate_impl.h"
#include "image_impl.h"
#include "real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, MARK = 0x45564932 /* of its image: EVI2 */ };
#define LEAST_P 0x1p-40 // gives more than is counted
#define MOST_LEVEL (1ll << 60) // 2^29 of the largest items: no sum comes near the type's end

struct known {        // a key that counted
	uint64_t tag; // 0: empty
	uint64_t time_ms;
};

struct suspect {
	struct evidence_state before, now;
	uint32_t first, held;
	struct evidence_item item[EVIDENCE_ITEMS];
};

struct evidence {
	struct evidence_config config;
	struct suspect *suspect;
	struct known *known;
	uint64_t lost;
};

struct evidence *evidence_create(const struct evidence_config *config)
{
	struct evidence *e;

	if (config->devices == 0 || config->keys == 0 || config->keys % WAYS || config->half_life_ms[0] == 0 ||
	    config->half_life_ms[1] == 0) {
		errno = EINVAL;
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->config = *config;
	e->suspect = calloc(config->devices, sizeof(*e->suspect));
	e->known = calloc(config->keys, sizeof(*e->known));
	if (e->suspect && e->known)
		return e;
	evidence_destroy(e);
	errno = ENOMEM;
	return NULL;
}

void evidence_destroy(struct evidence *e)
{
	if (!e)
		return;
	free(e->suspect);
	free(e->known);
	free(e);
}

// (e^u - 1 - u)/u² with u = ln 1/p. Near p = 1 the difference would lose its digits; the first terms of its series then.
static double mixed(double p)
{
	double u = (0 - real_log2(p)) * REAL_LN2;

	if (u < 1.0 / 1024)
		return 0.5 + u / 6 + u * u / 24;
	return (1 / p - 1 - u) / (u * u);
}

int32_t evidence_of_p(double p)
{
	double microbits;

	if (!(p < 1))
		return -EVIDENCE_BIT;
	if (p < LEAST_P)
		return EVIDENCE_MOST_OF_P;
	microbits = real_log2(mixed(p)) * EVIDENCE_BIT;
	if (!(microbits > -EVIDENCE_BIT))
		return -EVIDENCE_BIT;
	// Rounded down, towards silence.
	return microbits < EVIDENCE_MOST_OF_P ? (int32_t)(microbits + EVIDENCE_BIT) - EVIDENCE_BIT : EVIDENCE_MOST_OF_P;
}

int32_t evidence_of_rate(double per_event)
{
	double microbits = (0 - real_log2(per_event)) * EVIDENCE_BIT;

	if (!(microbits > 0))
		return 0;
	return microbits < EVIDENCE_MOST_OF_P ? (int32_t)microbits : EVIDENCE_MOST_OF_P;
}

static struct evidence_state at_time(const struct evidence_config *config, struct evidence_state s, uint64_t now_ms)
{
	uint64_t since = now_ms > s.time_ms ? now_ms - s.time_ms : 0; // a clock that went back forgets nothing

	if (since == 0)
		return s;
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++) {
		double left = real_exp2(0 - (double)since / (double)config->half_life_ms[i]);

		s.level[i] = s.level[i] > 0 ? (int64_t)((double)s.level[i] * left) : 0;
	}
	s.time_ms = now_ms;
	return s;
}

static struct evidence_state step(const struct evidence_config *config, struct evidence_state s,
				  const struct evidence_item *item)
{
	s = at_time(config, s, item->time_ms);
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		s.level[i] = (s.level[i] > 0 ? s.level[i] : 0) + item->microbits;
	return s;
}

struct evidence_state evidence_fold(const struct evidence_config *config, struct evidence_state s,
				    const struct evidence_item *items, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s = step(config, s, &items[i]);
	return s;
}

static struct known *set_of(const struct evidence *e, uint64_t tag)
{
	return &e->known[place_of(mix64(tag), e->config.keys / WAYS) * WAYS];
}

// True: this key has counted lately. Otherwise it does from now on.
static bool is_repeat(struct evidence *e, uint32_t device, uint64_t key, uint64_t now_ms)
{
	uint64_t tag = mix64(key + (device + 1ull) * 0x9e3779b97f4a7c15ull) | 1;
	struct known *set = set_of(e, tag), *oldest = set;

	for (struct known *k = set; k < set + WAYS; k++) {
		if (k->tag == tag) {
			if (now_ms < k->time_ms + e->config.repeat_ms)
				return true;
			k->time_ms = now_ms;
			return false;
		}
		if (k->time_ms < oldest->time_ms)
			oldest = k;
	}
	e->lost += oldest->tag && now_ms < oldest->time_ms + e->config.repeat_ms;
	*oldest = (struct known){tag, now_ms};
	return false;
}

bool evidence_add(struct evidence *e, uint32_t device, const struct evidence_item *item, struct evidence_state *now)
{
	struct suspect *s;
	bool repeat;

	*now = (struct evidence_state){.time_ms = item->time_ms};
	if (device >= e->config.devices)
		return false;
	s = &e->suspect[device];
	repeat = is_repeat(e, device, item->key, item->time_ms);
	if (!repeat) {
		if (s->held == EVIDENCE_ITEMS) {
			s->before = step(&e->config, s->before, &s->item[s->first]);
			s->first = (s->first + 1) % EVIDENCE_ITEMS;
			s->held--;
		}
		s->item[(s->first + s->held++) % EVIDENCE_ITEMS] = *item;
		s->now = step(&e->config, s->now, item);
	}
	*now = at_time(&e->config, s->now, item->time_ms);
	return !repeat;
}

static void no_later_ms(uint64_t *t, uint64_t now_ms)
{
	if (*t > now_ms)
		*t = now_ms;
}

void evidence_clock_back(struct evidence *e, uint64_t now_ms)
{
	for (uint32_t i = 0; i < e->config.devices; i++) {
		struct suspect *s = &e->suspect[i];

		no_later_ms(&s->before.time_ms, now_ms);
		no_later_ms(&s->now.time_ms, now_ms);
		for (uint32_t k = 0; k < EVIDENCE_ITEMS; k++)
			no_later_ms(&s->item[k].time_ms, now_ms);
	}
	for (uint32_t i = 0; i < e->config.keys; i++)
		no_later_ms(&e->known[i].time_ms, now_ms);
}

struct evidence_state evidence_look(const struct evidence *e, uint32_t device, uint64_t now_ms)
{
	if (device >= e->config.devices)
		return (struct evidence_state){.time_ms = now_ms};
	return at_time(&e->config, e->suspect[device].now, now_ms);
}

uint32_t evidence_items(const struct evidence *e, uint32_t device, struct evidence_state *before,
			struct evidence_item items[EVIDENCE_ITEMS])
{
	const struct suspect *s;

	*before = (struct evidence_state){0};
	if (device >= e->config.devices)
		return 0;
	s = &e->suspect[device];
	*before = s->before;
	for (uint32_t i = 0; i < s->held; i++)
		items[i] = s->item[(s->first + i) % EVIDENCE_ITEMS];
	return s->held;
}

uint32_t evidence_families(const struct evidence *e, uint32_t device, uint64_t since_ms)
{
	const struct suspect *s;
	uint32_t n = 0;

	if (device >= e->config.devices)
		return 0;
	s = &e->suspect[device];
	for (uint32_t i = 0; i < s->held; i++) {
		const struct evidence_item *item = &s->item[(s->first + i) % EVIDENCE_ITEMS];
		bool new = item->microbits > 0 && item->time_ms >= since_ms;

		for (uint32_t j = 0; new &&j < i; j++) {
			const struct evidence_item *other = &s->item[(s->first + j) % EVIDENCE_ITEMS];

			new = other->family != item->family || other->microbits <= 0 || other->time_ms < since_ms;
		}
		n += new;
	}
	return n;
}

uint32_t evidence_again(const struct evidence *e, uint32_t device, uint32_t family, uint64_t since_ms)
{
	const struct suspect *s;
	uint32_t n = 0;

	if (device >= e->config.devices)
		return 0;
	s = &e->suspect[device];
	for (uint32_t i = 0; i < s->held; i++) {
		const struct evidence_item *item = &s->item[(s->first + i) % EVIDENCE_ITEMS];

		n += item->family == family && item->microbits > 0 && item->time_ms >= since_ms;
	}
	return n;
}

int64_t evidence_about(const struct evidence *e, uint32_t device, uint32_t about, uint64_t since_ms)
{
	const struct suspect *s;
	int64_t sum = 0;

	if (device >= e->config.devices || about == 0)
		return 0;
	s = &e->suspect[device];
	for (uint32_t i = 0; i < s->held; i++) {
		const struct evidence_item *item = &s->item[(s->first + i) % EVIDENCE_ITEMS];

		if (item->about == about && item->microbits > 0 && item->time_ms >= since_ms)
			sum += item->microbits;
	}
	return sum;
}

void evidence_forget(struct evidence *e, uint32_t device)
{
	if (device < e->config.devices)
		memset(&e->suspect[device], 0, sizeof(e->suspect[device]));
}

uint64_t evidence_lost(const struct evidence *e)
{
	return e->lost;
}

static void put_config(const struct evidence_config *c, struct image_out *o)
{
	image_put(o, 4, MARK);
	image_put(o, 4, c->devices);
	image_put(o, 4, c->keys);
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		image_put(o, 8, c->half_life_ms[i]);
	image_put(o, 8, c->repeat_ms);
}

static bool get_config(const struct evidence_config *c, struct image_in *in)
{
	image_expect(in, 4, MARK);
	image_expect(in, 4, c->devices);
	image_expect(in, 4, c->keys);
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		image_expect(in, 8, c->half_life_ms[i]);
	image_expect(in, 8, c->repeat_ms);
	return !in->bad;
}

// What it is now is the fold of this, made again: an image cannot say what its items do not.
static void put_suspect(const struct suspect *s, struct image_out *o)
{
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		image_put(o, 8, (uint64_t)s->before.level[i]);
	image_put(o, 8, s->before.time_ms);
	image_put(o, 1, s->held);
	for (uint32_t i = 0; i < s->held; i++) {
		const struct evidence_item *item = &s->item[(s->first + i) % EVIDENCE_ITEMS];

		image_put(o, 8, item->key);
		image_put(o, 8, item->time_ms);
		image_put(o, 4, (uint32_t)item->microbits);
		image_put(o, 4, item->family);
		image_put(o, 4, item->about);
	}
}

static int64_t get_level(struct image_in *in)
{
	int64_t level = (int64_t)image_get(in, 8, UINT64_MAX);

	in->bad |= level < INT32_MIN || level > MOST_LEVEL;
	return in->bad ? 0 : level;
}

static void get_suspect(const struct evidence_config *config, struct suspect *s, struct image_in *in)
{
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		s->before.level[i] = get_level(in);
	s->before.time_ms = image_get(in, 8, UINT64_MAX);
	s->held = (uint32_t)image_get(in, 1, EVIDENCE_ITEMS);
	in->bad |= s->held == 0; // such a device has no place in an image
	for (uint32_t i = 0; i < s->held; i++) {
		s->item[i].key = image_get(in, 8, UINT64_MAX);
		s->item[i].time_ms = image_get(in, 8, UINT64_MAX);
		s->item[i].microbits = (int32_t)image_get(in, 4, UINT32_MAX);
		s->item[i].family = (uint32_t)image_get(in, 4, UINT32_MAX);
		s->item[i].about = (uint32_t)image_get(in, 4, UINT32_MAX);
	}
	s->now = evidence_fold(config, s->before, s->item, s->held);
}

static void put_set(const struct known set[WAYS], struct image_out *o)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < WAYS; i++)
		taken |= (set[i].tag != 0) << i;
	image_put(o, 1, taken);
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].tag) {
			image_put(o, 8, set[i].tag);
			image_put(o, 8, set[i].time_ms);
		}
}

static void get_set(const struct evidence *e, struct known set[WAYS], struct image_in *in)
{
	unsigned taken = (unsigned)image_get(in, 1, UINT8_MAX);

	for (unsigned i = 0; i < WAYS; i++) {
		if (!(taken >> i & 1))
			continue;
		set[i].tag = image_get(in, 8, UINT64_MAX);
		set[i].time_ms = image_get(in, 8, UINT64_MAX);
		in->bad |= !(set[i].tag & 1) || set_of(e, set[i].tag) != set;
		for (unsigned j = 0; j < i; j++)
			in->bad |= set[j].tag == set[i].tag;
	}
}

static void put(const struct evidence *e, struct image_out *o)
{
	put_config(&e->config, o);
	image_put(o, 8, e->lost);
	for (uint32_t i = 0; i < e->config.devices; i++)
		if (e->suspect[i].held) {
			image_put(o, 4, i);
			put_suspect(&e->suspect[i], o);
		}
	image_put(o, 4, e->config.devices); // the last
	for (uint32_t i = 0; i < e->config.keys; i += WAYS)
		put_set(&e->known[i], o);
}

size_t evidence_image_bytes(const struct evidence *e)
{
	struct image_out o = {0};

	put(e, &o);
	return o.bytes;
}

void evidence_image(const struct evidence *e, uint8_t *out)
{
	put(e, &(struct image_out){.at = out});
}

static void clear(struct evidence *e)
{
	memset(e->suspect, 0, e->config.devices * sizeof(*e->suspect));
	memset(e->known, 0, e->config.keys * sizeof(*e->known));
	e->lost = 0;
}

static bool get(struct evidence *e, struct image_in *in)
{
	if (!get_config(&e->config, in))
		return false;
	e->lost = image_get(in, 8, UINT64_MAX);
	for (uint32_t next = 0; !in->bad;) {
		uint32_t device = (uint32_t)image_get(in, 4, e->config.devices);

		if (device == e->config.devices)
			break;
		in->bad |= device < next; // each once, in their order
		next = device + 1;
		get_suspect(&e->config, &e->suspect[device], in);
	}
	for (uint32_t i = 0; i < e->config.keys && !in->bad; i += WAYS)
		get_set(e, &e->known[i], in);
	return !in->bad && in->left.left == 0;
}

bool evidence_restore(struct evidence *e, const uint8_t *image, size_t n)
{
	struct image_in in = {.left = bytes_of(image, n)};

	clear(e);
	if (get(e, &in))
		return true;
	clear(e);
	return false;
}
