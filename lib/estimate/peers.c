// SPDX-License-Identifier: GPL-2.0-or-later
// Leader clustering with hysteresis. Devices know their group by its slot; outside it is known by its number. One
// thread.
#include "peers.h"

#include "image_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_SLOT = 0xffff, NO_DEVICE = 0xffffffff, MARK = 0x50454531 /* of its image: PEE1 */ };

struct member {
	uint16_t slot, doubts; // doubts: reviews in a row that spoke for leaving
	uint16_t alike;
	bool tagged;
};

struct group {
	uint32_t number; // 0: free
	uint32_t leader; // device
	uint32_t members;
	uint32_t heir, heir_alike; // the member most like the leader in this review
	bool led;                  // the leader was reviewed, and is still here
	struct minhash signature;
};

struct peers {
	struct peers_config config;
	struct member *member;
	struct group *group;
	uint32_t next_number, count;
	uint64_t homeless;
};

static void clear(struct peers *p)
{
	memset(p->member, 0, p->config.devices * sizeof(*p->member));
	memset(p->group, 0, p->config.groups * sizeof(*p->group));
	for (uint32_t i = 0; i < p->config.devices; i++)
		p->member[i].slot = NO_SLOT;
	p->next_number = 1;
	p->count = 0;
	p->homeless = 0;
}

struct peers *peers_create(const struct peers_config *config)
{
	struct peers *p;

	if (config->devices == 0 || config->groups == 0 || config->groups >= NO_SLOT || config->leave > config->join ||
	    config->join > MINHASH_PLACES || config->join == 0 || config->hold == 0) {
		errno = EINVAL;
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->config = *config;
	p->member = calloc(config->devices, sizeof(*p->member));
	p->group = calloc(config->groups, sizeof(*p->group));
	if (!p->member || !p->group) {
		peers_destroy(p);
		errno = ENOMEM;
		return NULL;
	}
	clear(p);
	return p;
}

void peers_destroy(struct peers *p)
{
	if (!p)
		return;
	free(p->member);
	free(p->group);
	free(p);
}

static void leave(struct peers *p, uint32_t device)
{
	struct member *m = &p->member[device];
	struct group *g;

	if (m->slot == NO_SLOT)
		return;
	g = &p->group[m->slot];
	g->members--;
	if (g->leader == device) {
		g->leader = NO_DEVICE;
		g->led = false;
	}
	if (g->heir == device)
		g->heir = NO_DEVICE;
	if (g->members == 0) { // its number ends with it
		g->number = 0;
		p->count--;
	}
	m->slot = NO_SLOT;
}

static void join(struct peers *p, uint32_t device, uint32_t slot, uint32_t alike)
{
	struct member *m = &p->member[device];

	leave(p, device);
	m->slot = (uint16_t)slot;
	m->doubts = 0;
	m->alike = (uint16_t)alike;
	p->group[slot].members++;
}

// The group most like the signature, the oldest of equals. NO_SLOT: there is none.
static uint32_t most_alike(const struct peers *p, const struct minhash *s, uint32_t *alike)
{
	uint32_t best = NO_SLOT;

	*alike = 0;
	for (uint32_t i = 0; i < p->config.groups; i++) {
		const struct group *g = &p->group[i];
		uint32_t n = g->number ? minhash_common(s, &g->signature) : 0;

		if (n > *alike || (n && n == *alike && g->number < p->group[best].number)) {
			best = i;
			*alike = n;
		}
	}
	return best;
}

static void found(struct peers *p, uint32_t device, const struct minhash *s)
{
	uint32_t slot = 0;

	leave(p, device);
	while (slot < p->config.groups && p->group[slot].number)
		slot++;
	if (slot == p->config.groups || p->next_number == 0) {
		p->homeless++;
		return;
	}
	p->group[slot] = (struct group){
		.number = p->next_number++, .leader = device, .heir = NO_DEVICE, .led = true, .signature = *s};
	p->count++;
	join(p, device, slot, MINHASH_PLACES);
}

// True: it stays where it is for now.
static bool stays(struct peers *p, uint32_t device, const struct minhash *s, uint32_t best, uint32_t alike)
{
	struct member *m = &p->member[device];
	struct group *g = &p->group[m->slot];
	uint32_t here = minhash_common(s, &g->signature);
	bool draws = best != m->slot && alike >= p->config.join && alike >= here + p->config.margin;

	m->alike = (uint16_t)here;
	if (here >= p->config.leave && !draws) {
		m->doubts = 0;
		if (g->leader == device) {
			g->signature = *s;
			g->led = true;
		} else if (g->heir == NO_DEVICE || here > g->heir_alike) {
			g->heir = device;
			g->heir_alike = here;
		}
		return true;
	}
	if (g->leader == device && here >= p->config.leave)
		g->led = true;
	return ++m->doubts < p->config.hold;
}

bool peers_review(struct peers *p, uint32_t device, const struct minhash *s)
{
	struct member *m;
	uint32_t best, alike, before;

	if (device >= p->config.devices || p->member[device].tagged)
		return false;
	m = &p->member[device];
	before = peers_group(p, device);
	best = most_alike(p, s, &alike);
	if (m->slot != NO_SLOT && stays(p, device, s, best, alike))
		return false;
	if (best != NO_SLOT && best != m->slot && alike >= p->config.join)
		join(p, device, best, alike);
	else
		found(p, device, s);
	return peers_group(p, device) != before;
}

static void unite(struct peers *p, uint32_t from, uint32_t into)
{
	for (uint32_t i = 0; i < p->config.devices; i++)
		if (p->member[i].slot == from)
			join(p, i, into, p->member[i].alike);
}

static void unite_what_became_one(struct peers *p)
{
	for (uint32_t i = 0; i < p->config.groups; i++)
		for (uint32_t j = i + 1; j < p->config.groups && p->group[i].number; j++) {
			bool older = p->group[i].number < p->group[j].number;

			if (p->group[j].number && minhash_common(&p->group[i].signature, &p->group[j].signature) >=
							  p->config.join + p->config.margin)
				unite(p, older ? j : i, older ? i : j);
		}
}

void peers_end_review(struct peers *p)
{
	for (uint32_t i = 0; i < p->config.groups; i++) {
		struct group *g = &p->group[i];

		if (!g->number)
			continue;
		if (!g->led && g->heir != NO_DEVICE) // its signature stays until the heir's own next review renews it
			g->leader = g->heir;
		g->led = false;
		g->heir = NO_DEVICE;
		g->heir_alike = 0;
	}
	unite_what_became_one(p);
}

void peers_forget(struct peers *p, uint32_t device)
{
	if (device >= p->config.devices)
		return;
	leave(p, device);
	p->member[device].doubts = 0;
}

void peers_tag(struct peers *p, uint32_t device, bool tagged)
{
	if (device >= p->config.devices || p->member[device].tagged == tagged)
		return;
	peers_forget(p, device);
	p->member[device].tagged = tagged;
}

uint32_t peers_group(const struct peers *p, uint32_t device)
{
	if (device >= p->config.devices || p->member[device].slot == NO_SLOT)
		return PEERS_NONE;
	return p->group[p->member[device].slot].number;
}

uint32_t peers_members(const struct peers *p, uint32_t number)
{
	for (uint32_t i = 0; i < p->config.groups; i++)
		if (number && p->group[i].number == number)
			return p->group[i].members;
	return 0;
}

uint32_t peers_alike(const struct peers *p, uint32_t device)
{
	return device < p->config.devices ? p->member[device].alike : 0;
}

uint32_t peers_count(const struct peers *p)
{
	return p->count;
}

uint64_t peers_homeless(const struct peers *p)
{
	return p->homeless;
}

static void put_config(const struct peers_config *c, struct image_out *o)
{
	image_put(o, 4, MARK);
	image_put(o, 4, c->devices);
	image_put(o, 4, c->groups);
	image_put(o, 4, c->join);
	image_put(o, 4, c->leave);
	image_put(o, 4, c->margin);
	image_put(o, 4, c->hold);
}

static void get_config(const struct peers_config *c, struct image_in *in)
{
	image_expect(in, 4, MARK);
	image_expect(in, 4, c->devices);
	image_expect(in, 4, c->groups);
	image_expect(in, 4, c->join);
	image_expect(in, 4, c->leave);
	image_expect(in, 4, c->margin);
	image_expect(in, 4, c->hold);
}

static void put_group(const struct group *g, struct image_out *o)
{
	image_put(o, 4, g->number);
	image_put(o, 4, g->leader);
	image_put(o, 4, g->heir);
	image_put(o, 1, g->heir_alike);
	image_put(o, 1, g->led);
	for (unsigned i = 0; i < MINHASH_PLACES; i++)
		image_put(o, 4, g->signature.least[i]);
}

static void get_group(struct peers *p, struct group *g, struct image_in *in)
{
	g->number = (uint32_t)image_get(in, 4, p->next_number - 1u); // next_number 0: all have been given out
	g->leader = (uint32_t)image_get(in, 4, NO_DEVICE);
	g->heir = (uint32_t)image_get(in, 4, NO_DEVICE);
	g->heir_alike = (uint32_t)image_get(in, 1, MINHASH_PLACES);
	g->led = image_get(in, 1, g->leader != NO_DEVICE);
	for (unsigned i = 0; i < MINHASH_PLACES; i++)
		g->signature.least[i] = (uint32_t)image_get(in, 4, UINT32_MAX);
	in->bad |= g->number == 0;
	for (const struct group *other = p->group; other < g; other++)
		in->bad |= other->number == g->number;
	p->count++;
}

static void put_member(const struct member *m, struct image_out *o)
{
	image_put(o, 2, m->slot);
	image_put(o, 2, m->doubts);
	image_put(o, 1, m->alike);
	image_put(o, 1, m->tagged);
}

static void get_member(struct peers *p, struct member *m, struct image_in *in)
{
	m->slot = (uint16_t)image_get(in, 2, NO_SLOT);
	m->doubts = (uint16_t)image_get(in, 2, p->config.hold < UINT16_MAX ? p->config.hold : UINT16_MAX);
	m->alike = (uint16_t)image_get(in, 1, MINHASH_PLACES);
	m->tagged = image_get(in, 1, m->slot == NO_SLOT);
	if (m->slot == NO_SLOT || in->bad)
		return;
	in->bad = m->slot >= p->config.groups || p->group[m->slot].number == 0;
	if (!in->bad)
		p->group[m->slot].members++;
}

static bool is_member(const struct peers *p, uint32_t device, uint32_t slot)
{
	return device == NO_DEVICE || (device < p->config.devices && p->member[device].slot == slot);
}

// Groups are of somebody, and led by one of them.
static bool groups_fit(const struct peers *p)
{
	for (uint32_t i = 0; i < p->config.groups; i++) {
		const struct group *g = &p->group[i];

		if (g->number && (g->members == 0 || !is_member(p, g->leader, i) || !is_member(p, g->heir, i)))
			return false;
	}
	return true;
}

static void put(const struct peers *p, struct image_out *o)
{
	put_config(&p->config, o);
	image_put(o, 4, p->next_number);
	image_put(o, 8, p->homeless);
	for (uint32_t i = 0; i < p->config.groups; i++)
		if (p->group[i].number) {
			image_put(o, 2, i);
			put_group(&p->group[i], o);
		}
	image_put(o, 2, NO_SLOT); // the last
	for (uint32_t i = 0; i < p->config.devices; i++)
		put_member(&p->member[i], o);
}

size_t peers_image_bytes(const struct peers *p)
{
	struct image_out o = {0};

	put(p, &o);
	return o.bytes;
}

void peers_image(const struct peers *p, uint8_t *out)
{
	put(p, &(struct image_out){.at = out});
}

static bool get(struct peers *p, struct image_in *in)
{
	get_config(&p->config, in);
	p->next_number = (uint32_t)image_get(in, 4, UINT32_MAX);
	p->homeless = image_get(in, 8, UINT64_MAX);
	for (uint32_t next = 0; !in->bad;) {
		uint32_t slot = (uint32_t)image_get(in, 2, NO_SLOT);

		if (in->bad || slot == NO_SLOT)
			break;
		in->bad = slot < next || slot >= p->config.groups; // each once, in their order
		next = slot + 1;
		if (!in->bad)
			get_group(p, &p->group[slot], in);
	}
	for (uint32_t i = 0; i < p->config.devices && !in->bad; i++)
		get_member(p, &p->member[i], in);
	return !in->bad && in->left.left == 0 && groups_fit(p);
}

bool peers_restore(struct peers *p, const uint8_t *image, size_t n)
{
	struct image_in in = {.left = bytes_of(image, n)};

	clear(p);
	if (get(p, &in))
		return true;
	clear(p);
	return false;
}
