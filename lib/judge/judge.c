// SPDX-License-Identifier: GPL-2.0-or-later
// One observation through all policies: note contacts, look, match, throttle, tell; then learn it, unless it alerted,
// was dropped, or its pair alerted within a day. One thread. Keys here only spread our own small tables (an attacker
// who made them collide would shorten our memory, not our work: sets have eight places), so they are not secret, and
// replay stays deterministic.
#include "judge_impl.h"

#include "digest.h"

#include <errno.h>
#include <stdlib.h>

static void forget_device(void *user, uint32_t device)
{
	struct judge *j = user;

	alarm_forget_device(j, device);
	habit_forget_device(j, device);
	calibrate_forget_device(j, device);
}

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
	j->called = contacts_create();
	j->own = own_create();
	j->uploads = uploads_create();
	j->score = config->score;
	j->without = config->without;
	j->suppressions = config->suppressions;
	j->scored = dayset_create(SCORED_KEYS);
	j->asked = calloc(ASKED, sizeof(*j->asked));
	learn_on_forget(j->learn, forget_device, j);
	alarm_set_budget(j, config->alarms_per_day, config->blocks_per_day);
	if (j->requests && j->throttles && j->suspects && j->past && j->called && j->own && j->uploads && j->scored && j->asked &&
	    habit_create(j) && alarm_create(j) &&
	    calibrate_create(j))
		return j;
	judge_destroy(j);
	errno = ENOMEM;
	return NULL;
}

void judge_destroy(struct judge *j)
{
	if (!j)
		return;
	learn_on_forget(j->learn, NULL, NULL);
	calibrate_destroy(j);
	alarm_destroy(j);
	habit_destroy(j);
	if (j->scored)
		dayset_destroy(j->scored);
	free(j->asked);
	free(j->uploads);
	free(j->own);
	free(j->called);
	free(j->past);
	free(j->suspects);
	free(j->throttles);
	free(j->requests);
	free(j);
}

void judge_set_policies(struct judge *j, const struct policy_set *policies)
{
	// Throttles and past alerts mean policies by their numbers.
	if (short_policies_name(j->policies) != short_policies_name(policies)) {
		memset(j->past, 0, PAST_ALERTS * sizeof(*j->past));
		memset(j->throttles, 0, THROTTLES * sizeof(*j->throttles));
	}
	j->policies = policies;
	habit_set_policies(j);
}

static const struct throttle *throttle_find(const struct throttle *set, uint64_t key)
{
	for (unsigned i = 0; i < THROTTLE_WAYS; i++)
		if (set[i].until_ns && set[i].key == key)
			return &set[i];
	return NULL;
}

// What would last longer than it may was begun by a clock that was ahead: over. Workers' times differ a little.
static bool lasts(const struct throttle *t, uint64_t now_ns, uint64_t length_ns)
{
	return t->until_ns > now_ns && t->until_ns - now_ns <= length_ns + HOUR_NS;
}

bool throttle_has(const struct throttle *table, uint64_t key, uint64_t now_ns, uint64_t length_ns)
{
	const struct throttle *t = throttle_find(&table[key % (THROTTLES / THROTTLE_WAYS) * THROTTLE_WAYS], key);

	return t && lasts(t, now_ns, length_ns);
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
		if (lasts(t, now_ns, length_ns)) {
			t->repeats++;
			return true;
		}
		*repeats = t->repeats;
	}
	*t = (struct throttle){.key = key, .until_ns = now_ns + length_ns};
	return false;
}

static uint64_t throttle_key(const struct judge *j, unsigned policy, const struct policy *p, struct situation *s,
			     bool suppressed)
{
	struct {
		struct address device, endpoint;
		uint64_t flow, policy, feature[FEATURE_POLICY];
		uint32_t port, transport;
		uint64_t rollout;
		uint64_t suppressed; // what is not told must not silence what is
	} key;
	struct bytes value;

	memset(&key, 0, sizeof(key));
	key.policy = policy + 1;
	key.suppressed = suppressed;
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
	if ((p->throttle_keys & 1u << THROTTLE_ROLLOUT) && s->rolled && situation_value(s, s->rolled->feature, &value))
		key.rollout = siphash13(&j->key, value.at, value.left) + s->rolled->feature;
	for (unsigned f = 0; f < FEATURE_POLICY; f++)
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

static void emit(struct judge *j, struct alert *a, struct throttle *t)
{
	if ((a->wants_cut || a->wants_block) && !a->unproven)
		j->refused = true;
	count(j->counters, a->suppressed ? COUNT_BRAIN_ALERTS_SUPPRESSED : COUNT_BRAIN_ALERTS);
	a->response = RESPONSE_NONE;
	j->alert(j->user, a);
	t->cut = a->response == RESPONSE_CUT;
}

static bool is_left_out(const struct judge *j, const struct policy *p)
{
	return (p->certain && (j->without & WITHOUT_FACTS)) || (j->without & WITHOUT_POLICIES);
}

// What was learned must pass the threshold to be more than a note; what it then asks for must pass the blocks'.
static void weigh_alert(struct judge *j, struct situation *s, struct alert *a, enum alarm_word word)
{
	a->grouped = word == ALARM_GROUPED;
	if (a->suppressed) {
		a->wants_cut = a->wants_block = 0;
		a->block_ns = 0;
		return;
	}
	a->note = !a->certain && (word == ALARM_BELOW || word == ALARM_GROUPED);
	if (a->certain && a->priority > 1)
		alarm_certain(j, s);
	else if (a->wants_cut || a->wants_block)
		alarm_wanted(j, s);
	if (a->note) {
		a->priority = 1;
		a->wants_cut = a->wants_block = 0;
		a->block_ns = 0;
	}
	a->unproven = (a->wants_cut || a->wants_block) && !a->certain && !alarm_may_block(j, s);
}

static void judge_alert(struct judge *j, struct situation *s, const struct alert *cause, unsigned mode);

// While it learns nobody is told, but thresholds must rest on what will be said later: a match counts as evidence, and
// what it would have asked for counts as wanted. It is learned all the same.
static void rehearse(struct judge *j, struct situation *s, unsigned i, const struct alert *a, unsigned mode)
{
	if (s->alert || s->score || a->suppressed)
		return;
	past_add(j, s, i, a);
	judge_alert(j, s, a, mode);
}

static bool is_suppressed(const struct judge *j, const struct policy *p, struct situation *s)
{
	struct suppress_case c = {p->name, s->device_address, s->endpoint, s->endpoint_port, false};

	if (!j->suppressions || j->suppressions->count == 0)
		return false;
	c.certain = alert_is_certain(p, s);
	return suppress_covers(j->suppressions, &c, s->now_ns);
}

// true: told or folded into an earlier one; then *told says which.
static bool try_policy(struct judge *j, struct situation *s, unsigned i, unsigned mode, struct alert *room,
		       struct throttle **t, bool *told)
{
	const struct policy *p = &j->policies->policy[i];
	const bool silent = mode == MODE_LEARN && !p->certain && !(s->alert && s->alert->certain);
	uint32_t repeats;
	bool suppressed;

	*told = false;
	if ((!s->score && is_left_out(j, p)) || !conditions_hold(p->when, p->conditions, s))
		return false;
	suppressed = is_suppressed(j, p, s);
	if (suppressed && s->score && s->word == ALARM_NEW)
		alarm_withdraw(j, s);
	if (throttle_take(j->throttles, throttle_key(j, i, p, s, suppressed), s->now_ns, p->throttle_ns, t, &repeats) &&
	    !((*t)->unproven && alarm_may_block(j, s))) {
		count(j->counters, COUNT_BRAIN_ALERTS_THROTTLED);
		j->refused = j->refused || ((*t)->wants && !silent);
		j->repeats_cut = j->repeats_cut || ((*t)->cut && !silent);
		return !silent;
	}
	*told = true;
	if (!s->alert && !s->score)
		s->word = alarm_policy(j, s, i);
	if (suppressed && !s->alert && s->word == ALARM_NEW)
		alarm_withdraw(j, s);
	alert_fill(room, p, s, mode);
	room->suppressed = suppressed;
	weigh_alert(j, s, room, s->word);
	(*t)->unproven = room->unproven;
	room->repeats = repeats;
	if (!silent)
		return true;
	rehearse(j, s, i, room, mode);
	*told = false;
	return false;
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
			emit(j, &j->compound_room, t);
		}
	s->alert = NULL;
}

// An alert that stands: what led to it is not learned, and the policies on alerts have their say.
static void tell(struct judge *j, struct situation *s, unsigned i, struct alert *a, struct throttle *t, unsigned mode)
{
	struct throttle *unused;
	uint32_t repeats;
	bool before = j->refused;

	j->refused = false;
	emit(j, a, t);
	if (a->suppressed) {
		t->wants = 0;
		j->refused = before;
		return;
	}
	past_add(j, s, i, a);
	judge_alert(j, s, a, mode);
	t->wants = j->refused;
	j->refused = j->refused || before;
	if (a->priority <= 1)
		return;
	s->told = true;
	alarm_told(j, s);
	throttle_take(j->suspects, suspect_key(j, s), s->now_ns, SUSPECT_NS, &unused, &repeats);
	if (s->device)
		learn_discard(j->learn, s->device, s->now_ns);
}

void judge_special(struct judge *j, struct situation *s, unsigned on)
{
	struct throttle *t;
	bool told;

	for (unsigned i = 0; i < j->policies->count; i++)
		if ((j->policies->policy[i].on & 1u << on) && try_policy(j, s, i, j->mode, &j->alert_room, &t, &told) && told)
			tell(j, s, i, &j->alert_room, t, j->mode);
}

// A note, so that people see why what is new to so many was no alarm. In the first days everything is.
void judge_rollouts(struct judge *j, struct situation *s, const struct score *score)
{
	enum alarm_word word = s->word;

	if (!alarm_is_calibrated(j))
		return;
	for (unsigned i = 0; i < score->terms; i++) {
		if (score->term[i].adopters == 0)
			continue;
		s->rolled = &score->term[i];
		s->score = score; // what is told rests on it, and adds nothing to the device's evidence
		s->word = ALARM_STANDS;
		judge_special(j, s, ON_ROLLOUT);
		s->score = NULL;
		s->rolled = NULL;
	}
	s->word = word;
}

// All policies of this kind of observation. true: one matched.
static bool judge_policies(struct judge *j, struct situation *s, unsigned mode)
{
	unsigned kind = s->o->kind == OBS_HELD ? OBS_FLOW_OPEN : s->o->kind;
	struct throttle *t;
	bool matched = false, told;

	for (unsigned i = 0; i < j->policies->count; i++) {
		struct alert *a = &j->alert_room;

		if (!(j->policies->policy[i].on & 1u << kind) || !try_policy(j, s, i, mode, a, &t, &told))
			continue;
		matched = true;
		if (told)
			tell(j, s, i, a, t, mode);
	}
	return matched;
}

// What there is no end of: whoever scans, floods or is flooded shows each of them once.
static const bool is_place[FEATURE_COUNT] = {
	[FEATURE_DESTINATION] = true, [FEATURE_HOST] = true, [FEATURE_DOMAIN] = true};

static size_t put_endpoint(uint8_t *out, const struct situation *s)
{
	memcpy(out, &s->endpoint, sizeof(s->endpoint));
	return sizeof(s->endpoint);
}

// Most of what is seen was seen before on the same day with the same values: nothing of it is scored or learned again.
// A device that shows thousands of different things on a day is told apart by their kinds from then on, no longer by
// their places: a flood must not push out what everybody else has shown, nor cost more than the look.
static bool is_first_today(struct judge *j, struct situation *s)
{
	// Of an opening it is asked what may change while the address is the same; of others, what they say themselves.
	static const uint8_t of_opening[] = {FEATURE_DESTINATION, FEATURE_CALLBACK_GIVEN};
	static const uint8_t of_others[] = {FEATURE_AGENT, FEATURE_HOST, FEATURE_JA4, FEATURE_FILE, FEATURE_DOMAIN};
	const struct observation *o = s->o;
	const bool opening = o->kind == OBS_HELD || o->kind == OBS_FLOW_OPEN;
	const uint8_t *features = opening ? of_opening : of_others;
	const unsigned asked = opening ? sizeof(of_opening) : sizeof(of_others);
	const bool visitors = o->direction == DIRECTION_IN, crowded = alarm_is_crowded(j, s->device, visitors);
	uint8_t key[64 + sizeof(of_others) * (LEARN_VALUE_BYTES + 256)];
	const uint32_t head[] = {opening ? OBS_FLOW_OPEN : o->kind,
				 o->direction,
				 o->transport,
				 o->app,
				 o->server_port,
				 o->flags8 & (OBS_FLAG_DROPPED | OBS_FLAG_MIDSTREAM | OBS_FLAG_RESPONSE),
				 s->device->index,
				 (uint32_t)(s->now_ns % JUDGE_DAY_NS / (4 * HOUR_NS)) /* FEATURE_HOUR's parts */};
	size_t n = sizeof(head);
	struct bytes value;

	memcpy(key, head, n);
	if (crowded)
		count(j->counters, COUNT_BRAIN_CROWDED);
	else
		n += put_endpoint(key + n, s);
	for (unsigned i = 0; i < asked; i++) {
		if ((crowded && is_place[features[i]]) || !situation_value(s, features[i], &value))
			continue;
		value = bytes_head(value, LEARN_VALUE_BYTES + 240);
		key[n++] = features[i];
		memcpy(key + n, value.at, value.left);
		n += value.left;
	}
	if (!dayset_add(j->scored, siphash13(&j->key, key, n), (uint32_t)(s->now_ns / JUDGE_DAY_NS)))
		return false;
	alarm_shown(j, s->device, visitors);
	return true;
}

// Scores first, so that a policy's match stands on what the same observation adds. An alarm that no policy has put into
// words is told by those on evidence.
static bool judge_situation(struct judge *j, struct situation *s, unsigned mode)
{
	bool matched;

	if (s->device && !calibrate_is_newcomer(s))
		habit_seen(j, s->device);
	if (s->device && alarm_has_budget(j) && !(j->without & WITHOUT_SCORES)) {
		if (s->first)
			score_observation(j, s);
		if (!(j->without & WITHOUT_NUMBERS))
			numbers_observation(j, s);
	}
	matched = judge_policies(j, s, mode);
	if (s->raised && !s->told) {
		s->score = &j->raised_room;
		s->word = s->raised;
		judge_special(j, s, ON_EVIDENCE);
		s->score = NULL;
	}
	return matched || s->told;
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

// Times of several workers differ a little, and a clock is slewed by seconds. One that is more than an hour behind what was may be wrong now, before its
// server is found, or may have been ahead: if it still is behind an hour later, it was ahead. The day that was begun goes on: it is ended once.
static void notice_clock(struct judge *j, uint64_t now_ns)
{
	if (j->latest_ns == 0)
		j->latest_ns = learn_latest_ns(j->learn);
	if (now_ns + HOUR_NS >= j->latest_ns) {
		if (now_ns > j->latest_ns)
			j->latest_ns = now_ns;
		j->behind_ns = 0;
		return;
	}
	if (j->behind_ns == 0 || now_ns < j->behind_ns)
		j->behind_ns = now_ns;
	if (now_ns - j->behind_ns < HOUR_NS)
		return;
	count(j->counters, COUNT_BRAIN_CLOCK_BACK);
	learn_clock_back(j->learn, now_ns);
	calibrate_clock_back(j, now_ns);
	evidence_clock_back(j->evidence, now_ns / 1000000);
	dayset_clear(j->scored);
	j->day = j->baseline_day = now_ns / JUDGE_DAY_NS + 1;
	if (j->first_ns > now_ns)
		j->first_ns = now_ns;
	j->latest_ns = now_ns;
	j->behind_ns = 0;
}

// Midnight (UTC) ends a day of budgets and samples.
static void turn_day(struct judge *j, uint64_t now_ns, unsigned mode)
{
	uint64_t day = now_ns / JUDGE_DAY_NS + 1;

	j->mode = mode;
	notice_clock(j, now_ns);
	learn_step(j->learn, now_ns);
	calibrate_step(j, now_ns);
	if (j->day == 0)
		j->day = day;
	if (day <= j->day)
		return;
	j->day = day;
	alarm_end_day(j, mode != MODE_LEARN, now_ns);
	calibrate_end_day(j);
}

void judge_step(struct judge *j, uint64_t now_ns, unsigned mode)
{
	turn_day(j, now_ns, mode);
}

// An upload is no event, and nothing is learned of it; policies may tell it.
static void judge_upload(struct judge *j, const struct observation *o, unsigned mode)
{
	struct situation *s = &j->situation;

	turn_day(j, o->time_ns, mode);
	refresh_baseline(j, o->time_ns);
	j->refused = false;
	situation_init(s, j, o);
	s->device = learn_device_of(j->learn, o);
	judge_policies(j, s, mode);
}

void judge_observe(struct judge *j, const struct observation *o, unsigned mode)
{
	struct situation *s = &j->situation;
	bool dropped = o->flags8 & OBS_FLAG_DROPPED;

	j->repeats_cut = false;
	count(j->counters, COUNT_BRAIN_OBSERVATIONS);
	if (o->kind == OBS_NAMED || o->kind == OBS_TLS_SERVER) // remembered, not judged
		contacts_note(j, o);
	if (o->kind == OBS_NAMED && o->direction == DIRECTION_IN && observation_text(o, TEXT_NAMED_FILE).left)
		judge_upload(j, o, mode);
	if (!is_judged(o) || o->kind == OBS_HELD)
		return;
	turn_day(j, o->time_ns, mode);
	refresh_baseline(j, o->time_ns);
	if (o->kind == OBS_HTTP_REQUEST)
		requests_put(j, o);
	contacts_note(j, o);
	j->refused = false;
	situation_init(s, j, o);
	s->device = learn_device_of(j->learn, o);
	s->first = s->device && is_first_today(j, s);
	if (judge_situation(j, s, mode) || dropped || (s->device && !s->first) || throttle_has(j->suspects, suspect_key(j, s), s->now_ns, SUSPECT_NS)) {
		if (s->device)
			learn_touch(j->learn, s->device, o->time_ns);
		return;
	}
	learn_observation(j->learn, o);
}

bool judge_held(struct judge *j, const struct observation *o, unsigned mode)
{
	struct situation *s = &j->situation;

	j->repeats_cut = false;
	if (!is_judged(o))
		return true;
	count(j->counters, COUNT_BRAIN_OBSERVATIONS);
	turn_day(j, o->time_ns, mode);
	refresh_baseline(j, o->time_ns);
	j->refused = false;
	situation_init(s, j, o);
	s->device = learn_device_of(j->learn, o);
	s->first = s->device != NULL; // what is held is told again when it opens: then it is learned
	judge_situation(j, s, mode);
	return !j->refused;
}

bool judge_repeats_cut(const struct judge *j)
{
	return j->repeats_cut;
}

void judge_get_budget(const struct judge *j, struct judge_budget *out)
{
	*out = (struct judge_budget){0};
	if (!alarm_has_budget(j))
		return;
	shares_tell(j->alarms_per_day, j->budget, out);
	out->blocks_per_day = j->block_budget.per_day;
	out->block_threshold = j->block_budget.threshold;
	out->calibrated = alarm_is_calibrated(j);
}

void judge_set_budget(struct judge *j, double alarms_per_day, double blocks_per_day)
{
	alarm_set_budget(j, alarms_per_day, blocks_per_day);
}

bool judge_confirm(struct judge *j, const struct address *device)
{
	const struct device *d = learn_device_find(j->learn, device);

	return d && alarm_confirm(j, d);
}

int64_t judge_evidence(const struct judge *j, const struct device *d, uint64_t now_ns)
{
	struct evidence_state e = evidence_look(j->evidence, d->index, now_ns / 1000000);

	return e.level[0] > e.level[1] ? e.level[0] : e.level[1];
}
