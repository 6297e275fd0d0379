// SPDX-License-Identifier: GPL-2.0-or-later
// Devices: who is there, its role, its peer group. Which values they show stands in values.c. One thread; time is an
// argument.
#include "learn_impl.h"

#include <errno.h>
#include <stdlib.h>

static const char *const feature_names[FEATURE_COUNT] = {
	"endpoint",   "endpoint-port", "port",   "user-agent",  "agent-family", "host",         "file",  "file-source",
	"ja4",        "served",        "client", "destination", "domain",       "inside",       "hour",  "port-given",
	"inside-port-given", "agent-given", "file-given", "ja4-given", "named-given", "callback-given",
};
static const char *const role_names[ROLE_COUNT] = {"client", "server", "exposed-server"};
static const char *const role_groups[ROLE_COUNT] = {"clients", "servers", "exposed-servers"};

enum {
	DEFAULT_VALUES = 1 << 20,
	WAITING_SHARE = 12, // of a month's values a day shows some twelfth
	WAITING_LEAST = 1 << 17,
	TAGGED_GROUP = 1,
	TAGGED_ROLE = 2
};

const char *feature_name(unsigned feature)
{
	return feature < FEATURE_COUNT ? feature_names[feature] : "?";
}

const char *role_name(unsigned role)
{
	return role < ROLE_COUNT ? role_names[role] : "?";
}

uint64_t hash_mix(uint64_t x) // finaliser of SplitMix64: spreads an already keyed hash
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

uint32_t table_size(uint64_t at_least)
{
	uint64_t n = 64;

	while (n < at_least)
		n *= 2;
	return (uint32_t)n;
}

void mask_mark(uint32_t *mask, uint32_t *at, uint32_t day)
{
	if (day > *at) {
		*mask = mask_slide(*mask, *at, day);
		*at = day;
	}
	if (*at - day < LEARN_WINDOW_DAYS)
		*mask |= 1u << (*at - day);
}

static bool learn_allocate(struct learn *l, const struct learn_config *config)
{
	const struct backoff_config backoff = {
		.entries = config->values ? config->values : DEFAULT_VALUES,
		.contexts = (config->devices + LEARN_GROUPS + 1) * SLOTS,
		.strength = 1,
	};
	const struct peers_config peers = {
		.devices = config->devices, .groups = LEARN_GROUPS - ROLE_COUNT, .join = 64, .leave = 45, .margin = 20, .hold = 3};

	l->device_capacity = config->devices;
	l->entries = backoff.entries;
	l->waiting_capacity = backoff.entries / WAITING_SHARE < WAITING_LEAST ? WAITING_LEAST : backoff.entries / WAITING_SHARE;
	l->device_mask = table_size(2ull * config->devices) - 1;
	l->devices = calloc(config->devices, sizeof(*l->devices));
	l->private = calloc(config->devices, sizeof(*l->private));
	l->device_index = calloc(l->device_mask + 1ul, sizeof(*l->device_index));
	l->backoff = backoff_create(&backoff);
	l->peers = peers_create(&peers);
	l->waiting = calloc(l->waiting_capacity, sizeof(*l->waiting));
	l->seen = dayset_create(l->waiting_capacity);
	l->adoptions = calloc(ADOPTIONS, sizeof(*l->adoptions));
	l->numbers = numbers_create(config->devices);
	l->recent_name = calloc(RECENT_ENTRIES, sizeof(*l->recent_name));
	for (unsigned k = 0; k < RECENT_KINDS; k++)
		if (!(l->recent[k] = calloc(RECENT_ENTRIES, sizeof(*l->recent[k]))) ||
		    !(l->recent_tag[k] = calloc(RECENT_ENTRIES, sizeof(*l->recent_tag[k]))))
			return false;
	return l->devices && l->private && l->device_index && l->backoff && l->peers && l->waiting && l->seen &&
	       l->adoptions && l->numbers && l->recent_name;
}

static void groups_begin(struct learn *l)
{
	for (uint16_t g = 0; g < l->groups; g++) {
		l->group[g].members = 0;
		l->group[g].peers_number = PEERS_NONE;
		memset(l->group[g].context, 0xff, sizeof(l->group[g].context));
	}
	memset(l->org_context, 0xff, sizeof(l->org_context));
}

struct learn *learn_create(const struct learn_config *config, struct counters *counters)
{
	struct learn *l;

	if (config->devices == 0 || config->devices > 1u << 20 || config->values > 1u << 28) {
		errno = EINVAL;
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->key = config->key;
	l->counters = counters;
	l->without = config->without;
	if (!learn_allocate(l, config)) {
		learn_destroy(l);
		errno = ENOMEM;
		return NULL;
	}
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		strcpy(l->group[r].name, role_groups[r]);
	l->groups = ROLE_COUNT;
	groups_begin(l);
	return l;
}

static void estimators_destroy(struct learn *l)
{
	if (l->backoff)
		backoff_destroy(l->backoff);
	if (l->peers)
		peers_destroy(l->peers);
	if (l->seen)
		dayset_destroy(l->seen);
	if (l->numbers)
		numbers_destroy(l->numbers);
	l->numbers = NULL;
	l->backoff = NULL;
	l->peers = NULL;
	l->seen = NULL;
}

void learn_destroy(struct learn *l)
{
	if (!l)
		return;
	estimators_destroy(l);
	for (unsigned k = 0; k < RECENT_KINDS; k++) {
		free(l->recent[k]);
		free(l->recent_tag[k]);
	}
	free(l->recent_name);
	free(l->adoptions);
	free(l->waiting);
	free(l->device_index);
	free(l->private);
	free(l->devices);
	free(l);
}

static void swap_contents(struct learn *a, struct learn *b)
{
	struct learn mine = *a;

	*a = *b;
	*b = mine;
}

uint32_t device_home(const struct learn *l, const struct address *a)
{
	return (uint32_t)siphash13(&l->key, a, sizeof(*a)) & l->device_mask;
}

uint32_t *device_slot(const struct learn *l, const struct address *a)
{
	uint32_t i = device_home(l, a);

	while (l->device_index[i] && !address_equal(&l->devices[l->device_index[i] - 1].address, a))
		i = (i + 1) & l->device_mask;
	return &l->device_index[i];
}

struct device *learn_device_find(struct learn *l, const struct address *a)
{
	uint32_t found = *device_slot(l, a);

	return found ? &l->devices[found - 1] : NULL;
}

// The last tag that holds the address wins: an operator writes the exception below the rule.
static const struct tag *tag_of(const struct learn *l, const struct address *a)
{
	for (uint32_t i = l->tag_count; i > 0; i--)
		if (prefix_has(&l->tags[i - 1].net, a))
			return &l->tags[i - 1];
	return NULL;
}

// Role and group as tags say; a tag named like a role's group gives the role too.
static uint16_t device_place(const struct learn *l, struct device *d)
{
	const struct tag *tag = tag_of(l, &d->address);

	d->tagged = 0;
	if (!tag)
		return d->role;
	d->tagged = TAGGED_GROUP;
	if (tag->group < ROLE_COUNT) {
		d->tagged = TAGGED_ROLE;
		d->role = (uint8_t)tag->group;
	}
	return tag->group;
}

struct device *device_begin(struct learn *l, uint32_t index, const struct address *a)
{
	struct device *d = &l->devices[index];

	*device_slot(l, a) = index + 1; // while no other of that address can be there
	*d = (struct device){.address = *a, .index = index};
	d->group = device_place(l, d);
	memset(l->private[index].context, 0xff, sizeof(l->private[index].context));
	minhash_clear(&l->private[index].signature.now);
	minhash_clear(&l->private[index].signature.before);
	l->group[d->group].members++;
	return d;
}

struct device *device_append(struct learn *l, const struct address *a)
{
	if (*device_slot(l, a) || l->device_count >= l->device_capacity)
		return NULL;
	return device_begin(l, l->device_count++, a);
}

struct device *learn_device_find_or_add(struct learn *l, const struct address *a, uint64_t now_ns)
{
	struct device *d = learn_device_find(l, a);

	if (d)
		return d;
	d = l->device_count < l->device_capacity ? device_append(l, a) : device_succeed(l, a, now_ns);
	if (!d) {
		count(l->counters, COUNT_BRAIN_DEVICES_FULL);
		return NULL;
	}
	d->first_ns = d->last_ns = now_ns;
	d->day = day_of(now_ns);
	d->days_mask = 1;
	return d;
}

uint32_t learn_device_capacity(const struct learn *l)
{
	return l->device_capacity;
}

uint32_t learn_device_count(const struct learn *l)
{
	return l->device_count;
}

struct device *learn_device_at(struct learn *l, uint32_t index)
{
	return index < l->device_count ? &l->devices[index] : NULL;
}

int learn_tag_group(struct learn *l, const struct prefix *net, const char *name)
{
	int group;

	if (name[0] == 0 || strlen(name) >= GROUP_NAME_BYTES)
		return -EINVAL;
	if (l->tag_count == TAGS)
		return -ENOSPC;
	group = group_add(l, name, PEERS_NONE);
	if (group < 0)
		return group;
	l->tags[l->tag_count++] = (struct tag){*net, (uint16_t)group};
	for (uint32_t i = 0; i < l->device_count; i++)
		if (prefix_has(net, &l->devices[i].address))
			device_move(l, &l->devices[i], device_place(l, &l->devices[i]), 0);
	return 0;
}

// Keeps the latest distinct clients: with 20 places the count is exact up to 20 and needs no pass over all there ever
// were.
void clients_see(struct device_private *p, uint64_t hash, uint32_t day)
{
	struct client *oldest = &p->client[0];

	for (unsigned i = 0; i < LEARN_EXPOSED_CLIENTS; i++) {
		struct client *c = &p->client[i];

		if (c->day && c->hash == hash) {
			oldest = c;
			break;
		}
		if (c->day < oldest->day)
			oldest = c;
	}
	*oldest = (struct client){.hash = hash, .day = day};
}

uint32_t clients_count(const struct device_private *p, uint32_t day)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < LEARN_EXPOSED_CLIENTS; i++)
		n += p->client[i].day && p->client[i].day + LEARN_EXPOSED_DAYS > day;
	return n;
}

static enum role device_role(const struct device *d, const struct device_private *p, uint32_t day)
{
	uint32_t enough = d->role == ROLE_EXPOSED ? EXPOSED_LEAVE : LEARN_EXPOSED_CLIENTS;

	if (d->outside_clients >= enough)
		return ROLE_EXPOSED;
	return p->served_day && p->served_day + SERVED_DAYS > day ? ROLE_SERVER : ROLE_CLIENT;
}

bool learn_touch(struct learn *l, struct device *d, uint64_t now_ns)
{
	const struct device_private *p = &l->private[d->index];
	uint32_t day = day_of(now_ns);
	enum role role;

	mask_mark(&d->days_mask, &d->day, day);
	if (now_ns > d->last_ns)
		d->last_ns = now_ns;
	d->observations++;
	d->outside_clients = clients_count(p, d->day);
	role = d->tagged == TAGGED_ROLE ? d->role : device_role(d, p, d->day);
	if (role == d->role)
		return false;
	// A group by behaviour outlives a change of role; its own review moves the device on.
	if (!d->tagged && d->group == d->role)
		device_move(l, d, (uint16_t)role, now_ns);
	d->role = (uint8_t)role;
	return true;
}

// A round of the back-off's table each half day, so that counts are never older than that.
static void sweep(struct learn *l, uint64_t now_ns)
{
	const uint64_t round_ns = DAY_NS / 2;
	uint64_t since_ns = l->swept_ns && now_ns > l->swept_ns ? now_ns - l->swept_ns : 0;
	uint64_t entries;

	if (since_ns > round_ns)
		since_ns = round_ns;
	entries = (uint64_t)((double)l->entries * ((double)since_ns / (double)round_ns));
	if (l->swept_ns && entries == 0)
		return;
	l->swept_ns = now_ns;
	backoff_sweep(l->backoff, day_of(now_ns), (uint32_t)entries);
}

void learn_step(struct learn *l, uint64_t now_ns)
{
	wait_step(l, now_ns);
	sweep(l, now_ns);
	groups_review(l, now_ns);
}

static void tags_copy(struct learn *to, const struct learn *from)
{
	for (uint32_t i = 0; i < from->tag_count; i++) {
		const struct tag *t = &from->tags[i];

		to->tags[to->tag_count++] =
			(struct tag){t->net, (uint16_t)group_add(to, from->group[t->group].name, PEERS_NONE)}; // there were more
	}
}

// Everything but the operator's tags and their groups. One by behaviour ends like its devices: kept, it would be nobody's
// and never make room.
void learn_reset(struct learn *l)
{
	const struct learn_config config = {l->device_capacity, l->entries, l->key, l->without};
	struct learn *fresh = learn_create(&config, l->counters);

	if (!fresh)
		return;
	tags_copy(fresh, l);
	learn_on_forget(fresh, l->forget, l->forget_user);
	swap_contents(l, fresh);
	learn_destroy(fresh);
}
