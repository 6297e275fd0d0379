// SPDX-License-Identifier: GPL-2.0-or-later
// From an observation to a score: one table of classes and their terms.
#include "judge_impl.h"

#include "real.h"
#include "volume.h"

static const char *const class_names[SCORE_CLASSES] = {"none",   "flow", "request", "tls",   "file",    "protocol", "inside",
						       "served", "name", "hour",    "bytes", "fan-out", "beacon"};

const char *score_class_name(unsigned class)
{
	return class < SCORE_CLASSES ? class_names[class] : "?";
}

const char *score_among_name(const struct score *s)
{
	static const char *const others[] = {[AMONG_ALL] = "all", [AMONG_NEWCOMERS] = "newcomers"};

	return s->among == AMONG_ROLE || s->among > AMONG_NEWCOMERS ? role_name(s->role) : others[s->among];
}

#define BITS(n) (1.0 / (1ull << (n)))
// P of a value nobody here ever showed: destinations and names are many, kinds of files are few.
static const double base_of[FEATURE_COUNT] = {
	[FEATURE_ENDPOINT] = BITS(20),
	[FEATURE_ENDPOINT_PORT] = BITS(20),
	[FEATURE_PORT] = BITS(16),
	[FEATURE_AGENT] = BITS(6), // of a family; the family has a term of its own
	[FEATURE_AGENT_FAMILY] = BITS(8),
	[FEATURE_HOST] = BITS(16),
	[FEATURE_FILE] = BITS(5),
	[FEATURE_FILE_SOURCE] = BITS(20),
	[FEATURE_JA4] = BITS(12),
	[FEATURE_SERVED] = BITS(16),
	[FEATURE_CLIENT] = BITS(10),
	[FEATURE_DESTINATION] = BITS(20),
	[FEATURE_DOMAIN] = BITS(20),
	[FEATURE_INSIDE] = BITS(16),
	[FEATURE_HOUR] = 1.0 / 12,
	[FEATURE_PORT_GIVEN] = BITS(16),
	[FEATURE_INSIDE_PORT_GIVEN] = BITS(16),
	[FEATURE_AGENT_GIVEN] = BITS(8),
	[FEATURE_FILE_GIVEN] = BITS(5),
	[FEATURE_JA4_GIVEN] = BITS(12),
	[FEATURE_NAMED_GIVEN] = 0.5,
	[FEATURE_CALLBACK_GIVEN] = 1.0 / 3,
};

double feature_base(unsigned feature)
{
	return base_of[feature];
}

#define KIND(k) (1u << (k))
#define WAY(d) (1u << (d))
static const struct class_rule {
	uint8_t class, direction; // WAY bits
	uint32_t kinds;
	uint8_t terms;
	uint8_t feature[SCORE_TERMS];
	bool given_port; // the last term's bits less those of the port alone
} rules[] = {
	{SCORE_FLOW,
	 WAY(DIRECTION_OUT),
	 KIND(OBS_FLOW_OPEN),
	 4,
	 {FEATURE_DESTINATION, FEATURE_PORT_GIVEN, FEATURE_NAMED_GIVEN, FEATURE_CALLBACK_GIVEN}},
	{SCORE_HOUR, WAY(DIRECTION_OUT) | WAY(DIRECTION_LATERAL), KIND(OBS_FLOW_OPEN), 1, {FEATURE_HOUR}},
	{SCORE_REQUEST, WAY(DIRECTION_OUT), KIND(OBS_HTTP_REQUEST), 2, {FEATURE_AGENT_GIVEN, FEATURE_AGENT}},
	{SCORE_TLS, WAY(DIRECTION_OUT), KIND(OBS_TLS), 1, {FEATURE_JA4_GIVEN}},
	{SCORE_FILE, WAY(DIRECTION_OUT), KIND(OBS_FILE), 1, {FEATURE_FILE_GIVEN}},
	{SCORE_PROTOCOL, WAY(DIRECTION_OUT), KIND(OBS_PROTOCOL), 1, {FEATURE_PORT_GIVEN}, true},
	{SCORE_INSIDE,
	 WAY(DIRECTION_LATERAL),
	 KIND(OBS_FLOW_OPEN),
	 2,
	 {FEATURE_INSIDE, FEATURE_INSIDE_PORT_GIVEN}},
	{SCORE_SERVED, WAY(DIRECTION_IN), KIND(OBS_FLOW_OPEN), 1, {FEATURE_SERVED}},
	{SCORE_NAME, WAY(DIRECTION_OUT) | WAY(DIRECTION_LATERAL), KIND(OBS_DNS), 1, {FEATURE_DOMAIN}},
};

// Few values, known beforehand: each has a probability of its own. Of all others it does not matter which one it is but
// how unusual (backoff_tail_bits).
static const bool is_closed[FEATURE_COUNT] = {
	[FEATURE_HOUR] = true,
	[FEATURE_NAMED_GIVEN] = true,
	[FEATURE_CALLBACK_GIVEN] = true,
};

// What many begin with at once: a new destination with a name, a program, its fingerprint.
static const bool rolls_out[FEATURE_COUNT] = {
	[FEATURE_DESTINATION] = true, [FEATURE_DOMAIN] = true,    [FEATURE_AGENT] = true,
	[FEATURE_AGENT_GIVEN] = true, [FEATURE_JA4_GIVEN] = true, [FEATURE_HOUR] = true,
};
#define ASKED_NS (60 * NS_PER_S)
#define FIRST_WEEK_NS (8 * JUDGE_DAY_NS)
enum { ROLLOUT_DEVICES = 10, ROLLOUT_FEWEST = 5, ROLLOUT_PERCENT = 30 };

static double capped(double bits)
{
	return bits < 0 ? 0 : bits > SCORE_TERM_BITS ? SCORE_TERM_BITS : bits;
}

// A roll-out is as likely as its share of the devices, if that is more than the model says.
static void term_compute(struct score_term *t)
{
	double bits;

	backoff_compute(&t->model);
	t->bits = capped(is_closed[t->feature] ? t->model.bits : backoff_tail_bits(&t->model));
	if (t->adopters == 0 || t->adopters_of == 0)
		return;
	bits = real_log2((double)t->adopters_of / (double)t->adopters);
	if (bits < t->bits)
		t->bits = capped(bits);
}

// A number's own scale: a quarter of a bit a step, so that what doubles is told apart.
static double number_surprise(const struct score *s)
{
	double usual = (double)s->number[NUMBER_USUAL] + 1, ratio;

	switch (s->class) {
	case SCORE_BYTES:
		return 4 * real_log2(1 + (double)s->number[NUMBER_BYTES]);
	case SCORE_FAN_OUT:
		ratio = real_log2(((double)s->number[NUMBER_COUNT] + 1) / usual);
		return ratio > 0 ? 8 * ratio : 0;
	case SCORE_BEACON:
		return s->measured;
	}
	return 0;
}

void own_compute(struct own_rank *r, double surprise)
{
	double beyond = surprise - r->most;

	r->p = 0; // nothing to compare with: the role's p stands
	if (r->held < OWN_FEWEST)
		return;
	r->p = ((double)r->above + 0.5 * (double)r->equal + 0.5) / ((double)r->held + 1);
	if (r->above == 0 && r->equal == 0 && beyond > 0)
		r->p *= real_exp2(0 - beyond);
}

void score_compute(struct score *s)
{
	double sum = number_surprise(s);

	for (unsigned i = 0; i < s->terms; i++) {
		term_compute(&s->term[i]);
		sum += s->term[i].sign < 0 ? 0 - s->term[i].bits : s->term[i].bits;
	}
	s->surprise = sum < 0 ? 0 : sum;
	conformal_compute(&s->rank);
	own_compute(&s->own, s->surprise);
	score_evidence(s);
}

// When a device is active says little by itself: holidays, overtime.
enum { HOUR_MICROBITS = 3 * EVIDENCE_BIT };

void score_evidence(struct score *s)
{
	s->p = s->own.p > s->rank.p ? s->own.p : s->rank.p;
	if (s->among == AMONG_NEWCOMERS && s->p < 1 / ((double)s->rank.held + 1)) // few and of all kinds: no tail is trusted
		s->p = 1 / ((double)s->rank.held + 1);
	// What is more likely than not speaks for the device, however few do it.
	s->microbits = evidence_of_p(s->surprise < 1 ? 1 : s->p);
	if (s->class == SCORE_HOUR && s->microbits > HOUR_MICROBITS)
		s->microbits = HOUR_MICROBITS;
}

static void fill_term(struct score *score, struct situation *s, unsigned feature, enum novelty n, struct bytes value,
		      int sign)
{
	struct score_term *t = &score->term[score->terms++];

	memset(t, 0, sizeof(*t));
	t->feature = (uint8_t)feature;
	t->novelty = (uint8_t)(feature_is_given(feature) ? n : NOVELTY_KNOWN);
	t->sign = (int8_t)sign;
	learn_look(s->learn, s->device, (enum feature)feature, (enum novelty)t->novelty, value, base_of[feature],
		   &t->model);
	term_compute(t);
}

// A roll-out needs a name where it is a place: what has none may be anything.
static void fill_rollout(struct judge *j, struct score_term *t, struct situation *s, struct bytes value)
{
	uint32_t members = learn_group_members(s->learn, s->device->group), devices = learn_device_count(s->learn);
	bool bare = t->feature == FEATURE_DESTINATION && value.left == sizeof(struct address);
	uint32_t adopters;

	if (!rolls_out[t->feature] || bare || t->model.levels == 0 || t->bits < 1 || (j->without & WITHOUT_ROLLOUT))
		return;
	adopters = learn_adopt(s->learn, s->device, (enum feature)t->feature, value, s->now_ns);
	if (adopters < ROLLOUT_DEVICES && (adopters < ROLLOUT_FEWEST || adopters * 100 < members * ROLLOUT_PERCENT))
		return;
	t->adopters = adopters;
	t->adopters_of = devices;
	term_compute(t);
}

// A destination with a name was news when its name was asked for; the flow that follows is not news once more.
static bool was_told(unsigned feature, struct bytes value)
{
	return feature == FEATURE_DESTINATION && value.left != sizeof(struct address);
}

static bool fill_terms(struct judge *j, struct score *score, const struct class_rule *r, struct situation *s,
		       enum novelty n)
{
	uint8_t port[4];
	struct bytes value;

	for (unsigned i = 0; i < r->terms; i++) {
		if (situation_value(s, r->feature[i], &value) && was_told(r->feature[i], value))
			continue;
		if (!situation_value(s, r->feature[i], &value)) {
			if (i == 0)
				return false;
			continue;
		}
		fill_term(score, s, r->feature[i], n, value, 1);
		value_text(r->feature[i], value, score->term[score->terms - 1].value, SCORE_TEXT);
		fill_rollout(j, &score->term[score->terms - 1], s, value);
		if (r->given_port && value.left == sizeof(port)) {
			memcpy(port, value.at, sizeof(port));
			port[0] = APP_NONE;
			value = bytes_of(port, sizeof(port));
			fill_term(score, s, r->feature[i], n, value, -1);
			value_text(r->feature[i], value, score->term[score->terms - 1].value, SCORE_TEXT);
		}
	}
	return true;
}

void score_begin(struct score *score, const struct situation *s, unsigned class)
{
	memset(score, 0, offsetof(struct score, term));
	score->version = SCORE_VERSION;
	score->bytes = sizeof(*score);
	score->class = (uint8_t)class;
	score->time_ns = s->now_ns;
	score->flow = s->o->flow;
	score->device = s->device_address;
	score->endpoint = s->endpoint;
	score->device_port = s->device_port;
	score->endpoint_port = s->endpoint_port;
	score->transport = s->o->transport;
	score->role = s->device->role;
	score->family = class;
	score->rank.p = 1; // until it is compared: a young device's is not
}

static void score_end(struct score *score)
{
	double sum = number_surprise(score);

	for (unsigned i = 0; i < score->terms; i++)
		sum += score->term[i].sign < 0 ? 0 - score->term[i].bits : score->term[i].bits;
	score->surprise = sum < 0 ? 0 : sum;
	memset(&score->term[score->terms], 0, (SCORE_TERMS - score->terms) * sizeof(score->term[0]));
}

static uint64_t event_key(const struct judge *j, const struct class_rule *r, struct situation *s, enum novelty n)
{
	struct {
		uint64_t device, class, novelty, value[SCORE_TERMS];
	} key = {s->device->index, r->class, n, {0}};
	struct bytes value;

	for (unsigned i = 0; i < r->terms; i++)
		if (situation_value(s, r->feature[i], &value))
			key.value[i] = siphash13(&j->key, value.at, value.left);
	return siphash13(&j->key, &key, sizeof(key));
}

static bool concerns(const struct class_rule *r, const struct observation *o)
{
	bool proven = o->transport == TRANSPORT_TCP_NUMBER && !(o->flags8 & OBS_FLAG_MIDSTREAM);

	if (!(r->kinds & KIND(o->kind)) || !(r->direction & WAY(o->direction)))
		return false;
	return r->class != SCORE_SERVED || proven; // anybody may send a datagram to any port
}

bool score_number(struct judge *j, struct situation *s, struct score *score, uint64_t what)
{
	uint64_t parts[4] = {s->device->index, score->class, what, score->number[1]};

	score->key = siphash13(&j->key, parts, sizeof(parts));
	score_end(score);
	return score_weigh(j, s, score);
}

static struct asked *asked_of(struct judge *j, const struct address *whom, uint64_t name)
{
	struct {
		struct address whom;
		uint64_t name;
	} key;

	memset(&key, 0, sizeof(key)); // it is hashed with what lies between the two
	key.whom = *whom;
	key.name = name;
	return &j->asked[siphash13(&j->key, &key, sizeof(key)) % ASKED];
}

// A resolver asks for what others asked it: their news, not its own.
static bool asks_for_others(struct judge *j, struct situation *s)
{
	struct bytes domain;
	uint64_t name;
	struct asked *a;

	if (s->o->kind != OBS_DNS || !situation_value(s, FEATURE_DOMAIN, &domain))
		return false;
	name = siphash13(&j->key, domain.at, domain.left);
	if (s->o->direction == DIRECTION_LATERAL) {
		a = asked_of(j, &s->o->server, name);
		*a = (struct asked){name, s->now_ns};
	}
	a = asked_of(j, &s->device_address, name);
	return a->name == name && a->time_ns + ASKED_NS > s->now_ns;
}

// The first week shows no weekday twice: being active at an hour is news to all.
static bool is_too_early(struct judge *j, const struct class_rule *r, const struct situation *s)
{
	if (j->first_ns == 0)
		j->first_ns = s->now_ns;
	return r->class == SCORE_HOUR && j->first_ns + FIRST_WEEK_NS > s->now_ns;
}

void score_observation(struct judge *j, struct situation *s)
{
	struct score *score = &j->score_room;
	enum novelty n = NOVELTY_NEW;
	bool asked = false;

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct class_rule *r = &rules[i];
		uint64_t key;

		if (!concerns(r, s->o) || is_too_early(j, r, s) || asks_for_others(j, s))
			continue;
		if (!asked)
			n = learn_novelty(s->learn, s->device, s->o);
		asked = true;
		key = event_key(j, r, s, n);
		if (!dayset_add(j->scored, key, (uint32_t)(s->now_ns / JUDGE_DAY_NS)))
			continue;
		score_begin(score, s, r->class);
		score->key = key;
		if (!fill_terms(j, score, r, s, n))
			continue;
		score_end(score);
		score_weigh(j, s, score);
		judge_rollouts(j, s, score);
	}
}
