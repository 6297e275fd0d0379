// SPDX-License-Identifier: GPL-2.0-or-later
// One observation through all policies: note contacts, look, match, throttle, tell; then learn it, unless it alerted,
// was dropped, or its pair alerted within a day. One thread. Keys here only spread our own small tables (an attacker
// who made them collide would shorten our memory, not our work: sets have eight places), so they are not secret, and
// replay stays deterministic.
#include "judge_impl.h"

#include "digest.h"

#include <errno.h>
#include <stdlib.h>

struct judge *judge_create(const struct judge_config *config)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->policies = config->policies;
	j->learn = config->learn;
	j->counters = config->counters;
	j->alert = config->alert;
	j->user = config->user;
	j->requests = calloc(REQUESTS, sizeof(*j->requests));
	j->throttles = calloc(THROTTLES, sizeof(*j->throttles));
	j->suspects = calloc(THROTTLES, sizeof(*j->suspects));
	j->past = calloc(PAST_ALERTS, sizeof(*j->past));
	if (j->requests && j->throttles && j->suspects && j->past)
		return j;
	judge_destroy(j);
	errno = ENOMEM;
	return NULL;
}

void judge_destroy(struct judge *j)
{
	if (!j)
		return;
	free(j->past);
	free(j->suspects);
	free(j->throttles);
	free(j->requests);
	free(j);
}

void judge_set_policies(struct judge *j, const struct policy_set *policies)
{
	j->policies = policies;
	memset(j->past, 0, PAST_ALERTS * sizeof(*j->past)); // their numbers meant other policies
}

static const struct throttle *throttle_find(const struct throttle *set, uint64_t key)
{
	for (unsigned i = 0; i < THROTTLE_WAYS; i++)
		if (set[i].until_ns && set[i].key == key)
			return &set[i];
	return NULL;
}

bool throttle_has(const struct throttle *table, uint64_t key, uint64_t now_ns)
{
	const struct throttle *t = throttle_find(&table[key % (THROTTLES / THROTTLE_WAYS) * THROTTLE_WAYS], key);

	return t && t->until_ns > now_ns;
}

bool throttle_take(struct throttle *table, uint64_t key, uint64_t now_ns, uint64_t length_ns, struct throttle **out,
		   uint32_t *repeats)
{
	struct throttle *set = &table[key % (THROTTLES / THROTTLE_WAYS) * THROTTLE_WAYS], *t = set;

	*repeats = 0;
	for (unsigned i = 0; i < THROTTLE_WAYS; i++) {
		if (set[i].until_ns && set[i].key == key) {
			t = &set[i];
			break;
		}
		if (set[i].until_ns < t->until_ns)
			t = &set[i];
	}
	*out = t;
	if (t->until_ns && t->key == key) {
		if (t->until_ns > now_ns) {
			t->repeats++;
			return true;
		}
		*repeats = t->repeats;
	}
	*t = (struct throttle){.key = key, .until_ns = now_ns + length_ns};
	return false;
}

static uint64_t throttle_key(const struct judge *j, unsigned policy, const struct policy *p, struct situation *s)
{
	struct {
		struct address device, endpoint;
		uint64_t flow, policy, feature[FEATURE_COUNT];
		uint32_t port, transport;
	} key;
	struct bytes value;

	memset(&key, 0, sizeof(key));
	key.policy = policy + 1;
	if (p->throttle_keys & 1u << THROTTLE_DEVICE)
		key.device = s->device_address;
	if (p->throttle_keys & (1u << THROTTLE_ENDPOINT | 1u << THROTTLE_ENDPOINT_PORT))
		key.endpoint = s->endpoint;
	if (p->throttle_keys & 1u << THROTTLE_ENDPOINT_PORT) {
		key.port = s->endpoint_port;
		key.transport = s->o->transport;
	}
	if (p->throttle_keys & 1u << THROTTLE_FLOW)
		key.flow = s->o->flow;
	for (unsigned f = 0; f < FEATURE_COUNT; f++)
		if ((p->throttle_keys & 1u << (THROTTLE_FEATURES + f)) && situation_value(s, f, &value))
			key.feature[f] = siphash13(&j->key, value.at, value.left);
	return siphash13(&j->key, &key, sizeof(key));
}

static uint64_t suspect_key(const struct judge *j, const struct situation *s)
{
	struct address pair[2] = {s->device_address, s->endpoint};

	return siphash13(&j->key, pair, sizeof(pair));
}

// The number of the first policy with the same word before the slash.
static uint16_t family_of(const struct policy_set *set, unsigned policy)
{
	const char *name = set->policy[policy].name;
	size_t n = strcspn(name, "/") + 1;
	uint16_t i = 0;

	while (strncmp(set->policy[i].name, name, n) != 0)
		i++;
	return i;
}

// Remembers an alert and counts what else there was within the hour on its device. Notes (priority 1) are remembered by
// nobody: everybody on the internet can cause them.
static void past_add(struct judge *j, struct situation *s, unsigned policy, const struct alert *a)
{
	struct past_alert *mine = &j->past[j->past_next];
	uint64_t families = 0, policies = 0;

	if (a->priority > 1) {
		*mine = (struct past_alert){a->time_ns, a->device, a->endpoint, (uint16_t)policy,
					    family_of(j->policies, policy)};
		j->past_next = (j->past_next + 1) % PAST_ALERTS;
	}
	for (unsigned i = 0; i < PAST_ALERTS; i++) {
		const struct past_alert *p = &j->past[i];

		if (p->time_ns == 0 || p->time_ns + FAMILIES_NS <= a->time_ns || !address_equal(&p->device, &a->device))
			continue;
		families |= 1ull << p->family;
		if (address_equal(&p->endpoint, &a->endpoint))
			policies |= 1ull << p->policy;
	}
	s->families = (unsigned)__builtin_popcountll(families);
	s->endpoint_policies = (unsigned)__builtin_popcountll(policies);
}
_Static_assert(POLICY_MAX <= 64, "policies are bits of a word in past_add");

static void emit(struct judge *j, struct alert *a)
{
	if (a->wants_cut || a->wants_block)
		j->refused = true;
	count(j->counters, COUNT_BRAIN_ALERTS);
	j->alert(j->user, a);
}

// true: told or folded into an earlier one; then *told says which.
static bool try_policy(struct judge *j, struct situation *s, unsigned i, unsigned mode, struct alert *room,
		       struct throttle **t, bool *told)
{
	const struct policy *p = &j->policies->policy[i];
	uint32_t repeats;

	*told = false;
	if ((mode == MODE_LEARN && !p->certain && !(s->alert && s->alert->certain)) ||
	    !conditions_hold(p->when, p->conditions, s))
		return false;
	if (throttle_take(j->throttles, throttle_key(j, i, p, s), s->now_ns, p->throttle_ns, t, &repeats)) {
		count(j->counters, COUNT_BRAIN_ALERTS_THROTTLED);
		j->refused = j->refused || (*t)->wants;
		return true;
	}
	*told = true;
	alert_fill(room, p, s, mode);
	room->repeats = repeats;
	return true;
}

// Policies on alerts, for the alert just told.
static void judge_alert(struct judge *j, struct situation *s, const struct alert *cause, unsigned mode)
{
	struct throttle *t;
	bool told;

	s->alert = cause;
	for (unsigned i = 0; i < j->policies->count; i++)
		if ((j->policies->policy[i].on & 1u << ON_ALERT) &&
		    try_policy(j, s, i, mode, &j->compound_room, &t, &told) && told) {
			t->wants = j->compound_room.wants_cut || j->compound_room.wants_block;
			emit(j, &j->compound_room);
		}
	s->alert = NULL;
}

// All policies of this kind of observation. true: one matched.
static bool judge_policies(struct judge *j, struct situation *s, unsigned mode)
{
	unsigned kind = s->o->kind == OBS_HELD ? OBS_FLOW_OPEN : s->o->kind;
	struct throttle *t, *unused;
	uint32_t repeats;
	bool matched = false, told, before;

	for (unsigned i = 0; i < j->policies->count; i++) {
		struct alert *a = &j->alert_room;

		if (!(j->policies->policy[i].on & 1u << kind) || !try_policy(j, s, i, mode, a, &t, &told))
			continue;
		matched = true;
		if (!told)
			continue;
		before = j->refused;
		j->refused = false;
		emit(j, a);
		past_add(j, s, i, a);
		judge_alert(j, s, a, mode);
		t->wants = j->refused;
		j->refused = j->refused || before;
		if (a->priority > 1)
			throttle_take(j->suspects, suspect_key(j, s), s->now_ns, SUSPECT_NS, &unused, &repeats);
	}
	return matched;
}

// The baseline is named by its hash at the beginning of the day, like all counts that judge.
static void refresh_baseline(struct judge *j, uint64_t now_ns)
{
	uint64_t day = now_ns / JUDGE_DAY_NS + 1;
	uint8_t hash[32];

	if (day <= j->baseline_day)
		return;
	j->baseline_day = day;
	learn_hash(j->learn, hash);
	digest_hex(hash, 8, j->baseline);
}

static bool is_judged(const struct observation *o)
{
	return o->kind != OBS_NONE && o->kind < OBS_BLOCKED && o->direction != DIRECTION_TRANSIT && o->direction != 0;
}

void judge_observe(struct judge *j, const struct observation *o, unsigned mode)
{
	struct situation *s = &j->situation;
	bool dropped = o->flags8 & OBS_FLAG_DROPPED;

	count(j->counters, COUNT_BRAIN_OBSERVATIONS);
	if (!is_judged(o) || o->kind == OBS_HELD)
		return;
	refresh_baseline(j, o->time_ns);
	if (o->kind == OBS_HTTP_REQUEST)
		requests_put(j, o);
	contacts_note(j, o);
	j->refused = false;
	situation_init(s, j, o);
	s->device = learn_device_of(j->learn, o);
	if (judge_policies(j, s, mode) || dropped || throttle_has(j->suspects, suspect_key(j, s), s->now_ns)) {
		if (s->device)
			learn_touch(j->learn, s->device, o->time_ns);
		return;
	}
	learn_observation(j->learn, o);
}

bool judge_held(struct judge *j, const struct observation *o, unsigned mode)
{
	struct situation *s = &j->situation;

	if (!is_judged(o))
		return true;
	count(j->counters, COUNT_BRAIN_OBSERVATIONS);
	refresh_baseline(j, o->time_ns);
	j->refused = false;
	situation_init(s, j, o);
	s->device = learn_device_of(j->learn, o);
	judge_policies(j, s, mode);
	return !j->refused;
}
