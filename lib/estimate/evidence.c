// SPDX-License-Identifier: GPL-2.0-or-later
// Evidence by device. One thread.
#include "evidence.h"

#include "estimate_impl.h"
#include "real.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 };

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

int32_t evidence_of_p(double p)
{
	double microbits = (0 - real_log2(p) / 2 - 1) * EVIDENCE_BIT;

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
		uint64_t half = config->half_life_ms[i], whole = since / half;
		uint64_t lost = whole * EVIDENCE_BIT + since % half * EVIDENCE_BIT / half;

		if (s.level[i] < 0 || whole > INT32_MAX || lost >= (uint64_t)s.level[i])
			s.level[i] = 0;
		else
			s.level[i] -= (int64_t)lost;
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

// True: this key has counted lately. Otherwise it does from now on.
static bool is_repeat(struct evidence *e, uint32_t device, uint64_t key, uint64_t now_ms)
{
	uint64_t tag = mix64(key + (device + 1ull) * 0x9e3779b97f4a7c15ull) | 1;
	struct known *set = &e->known[place_of(mix64(tag), e->config.keys / WAYS) * WAYS], *oldest = set;

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

void evidence_forget(struct evidence *e, uint32_t device)
{
	if (device < e->config.devices)
		memset(&e->suspect[device], 0, sizeof(e->suspect[device]));
}

uint64_t evidence_lost(const struct evidence *e)
{
	return e->lost;
}
