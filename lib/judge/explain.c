// SPDX-License-Identifier: GPL-2.0-or-later
// The alert as a proof: every piece of evidence with its exact counts and bits, every text printable.
#include "judge_impl.h"

#include <stdio.h>

static const double certain_bits =
	13.2877; // log2 10⁴: a fact with meaning of its own is bounded by one benign case in ten thousand

static const char *transport_text(unsigned transport, char buffer[8])
{
	if (transport == 6 || transport == 17)
		return transport == 6 ? "tcp" : "udp";
	snprintf(buffer, 8, "ip%u", transport & 0xff);
	return buffer;
}

static const bool tells_port[FEATURE_COUNT] = {[FEATURE_PORT] = true,
					      [FEATURE_SERVED] = true,
					      [FEATURE_PORT_GIVEN] = true,
					      [FEATURE_INSIDE_PORT_GIVEN] = true};
static const bool tells_address[FEATURE_COUNT] = {[FEATURE_ENDPOINT] = true,
						  [FEATURE_CLIENT] = true,
						  [FEATURE_INSIDE] = true,
						  [FEATURE_DESTINATION] = true};
static const char *const byte_words[FEATURE_COUNT][3] = {
	[FEATURE_NAMED_GIVEN] = {"without a name", "named by DNS", "named by DNS"},
	[FEATURE_CALLBACK_GIVEN] = {"not called by it", "called by its network", "called by it"},
};

void value_text(unsigned feature, struct bytes value, char *out, size_t cap)
{
	char text[ADDRESS_TEXT_BYTES], number[8];
	struct address a = {0};
	const uint8_t *b = value.at;

	if (feature == FEATURE_FILE_SOURCE && value.left == 1 + sizeof(a)) {
		memcpy(&a, b + 1, sizeof(a));
		snprintf(out, cap, "%s from %s", file_kind_name(b[0]), address_format(&a, text));
	} else if ((feature == FEATURE_FILE || feature == FEATURE_FILE_GIVEN) && value.left == 1) {
		snprintf(out, cap, "%s", file_kind_name(b[0]));
	} else if (tells_port[feature] && value.left == 4) {
		snprintf(out, cap, "%s%s%s/%u", b[0] == APP_NONE ? "" : app_name(b[0]), b[0] == APP_NONE ? "" : " on ",
			 transport_text(b[1], number), (unsigned)b[2] << 8 | b[3]);
	} else if (tells_address[feature] && value.left == sizeof(a)) {
		memcpy(&a, b, sizeof(a));
		snprintf(out, cap, "%s", address_format(&a, text));
	} else if (feature == FEATURE_ENDPOINT_PORT && value.left == sizeof(a) + 3) {
		memcpy(&a, b, sizeof(a));
		snprintf(out, cap, "%s %s/%u", address_format(&a, text), transport_text(b[20], number),
			 (unsigned)b[21] << 8 | b[22]);
	} else if (feature < FEATURE_COUNT && byte_words[feature][0] && value.left == 1) {
		snprintf(out, cap, "%s", byte_words[feature][b[0] < 3 ? b[0] : 0]);
	} else if (feature == FEATURE_HOUR && value.left == 1) {
		snprintf(out, cap, "%s %02u-%02u h UTC", b[0] < 6 ? "workday" : "weekend", b[0] % 6 * 4, b[0] % 6 * 4 + 4);
	} else {
		text_printable(value, out, cap);
	}
}

static double term_bits(const struct backoff_terms *model)
{
	return model->bits < 0 ? 0 : model->bits > SCORE_TERM_BITS ? SCORE_TERM_BITS : model->bits;
}

// In the order they stand in: the same sum on every machine.
static double sum_of_bits(const struct alert *a)
{
	double sum = 0;

	for (unsigned i = 0; i < a->terms; i++)
		sum += a->term[i].bits;
	return sum + (a->certain ? certain_bits : 0);
}

static void fill_terms(struct alert *a, const struct policy *p, struct situation *s)
{
	for (unsigned i = 0; i < p->evidences; i++) {
		unsigned feature = p->evidence[i];
		struct alert_term *term = &a->term[a->terms];
		struct bytes value;

		if (!situation_value(s, feature, &value))
			continue;
		term->feature = (uint8_t)feature;
		learn_look(s->learn, s->device, (enum feature)feature, NOVELTY_KNOWN, value, feature_base(feature),
			   &term->model);
		learn_counts_of(s->learn, s->device, &term->model, s->now_ns, &term->counts);
		term->bits = term_bits(&term->model);
		value_text(feature, value, term->value, sizeof(term->value));
		a->terms++;
	}
}

// What the kind of observation adds: the first slot that is not empty.
static const struct {
	uint8_t kind, slot;
} detail_slots[] = {
	{OBS_JNDI, TEXT_JNDI_DECODED},      {OBS_LDAP, TEXT_LDAP_CODEBASE}, {OBS_LDAP, TEXT_LDAP_REFERRAL},
	{OBS_LDAP, TEXT_LDAP_FACTORY},      {OBS_LDAP, TEXT_LDAP_NAME},     {OBS_STRATUM, TEXT_STRATUM_LOGIN},
	{OBS_STRATUM, TEXT_STRATUM_METHOD}, {OBS_RMI, TEXT_RMI_CODEBASE},   {OBS_RMI, TEXT_RMI_NAME},
	{OBS_RMI, TEXT_RMI_HOST},           {OBS_DNS, TEXT_DNS_NAME},       {OBS_TLS, TEXT_TLS_SNI},
	{OBS_FILE, TEXT_FILE_CONTENT_TYPE}, {OBS_NAMED, TEXT_NAMED_FILE},
};

static void fill_texts(struct alert *a, const struct situation *s)
{
	const struct observation *o = s->o;
	const struct request *r = s->request;

	if (o->kind == OBS_HTTP_REQUEST) {
		text_printable(observation_text(o, TEXT_REQUEST_URI), a->uri, sizeof(a->uri));
		text_printable(observation_text(o, TEXT_REQUEST_HOST), a->host, sizeof(a->host));
		text_printable(observation_text(o, TEXT_REQUEST_AGENT), a->agent, sizeof(a->agent));
	} else if (r) {
		text_printable(bytes_of(r->uri, r->uri_bytes), a->uri, sizeof(a->uri));
		text_printable(bytes_of(r->host, r->host_bytes), a->host, sizeof(a->host));
		text_printable(bytes_of(r->agent, r->agent_bytes), a->agent, sizeof(a->agent));
	}
	if (o->kind == OBS_TLS)
		text_printable(observation_text(o, TEXT_TLS_SNI), a->host, sizeof(a->host));
	if (o->kind == OBS_FILE)
		snprintf(a->file, sizeof(a->file), "%s", file_kind_name((unsigned)o->number[NUM_FILE_KIND]));
	for (unsigned i = 0; i < sizeof(detail_slots) / sizeof(detail_slots[0]) && !a->detail[0]; i++)
		if (detail_slots[i].kind == o->kind)
			text_printable(observation_text(o, detail_slots[i].slot), a->detail, sizeof(a->detail));
}

static void fill_head(struct alert *a, const struct situation *s, unsigned mode)
{
	const struct observation *o = s->o;
	uint64_t came_ns = recent_get(s->learn, RECENT_INBOUND, &s->device_address, &s->endpoint);

	a->version = ALERT_VERSION;
	a->bytes = sizeof(*a);
	a->time_ns = o->time_ns;
	a->flow = o->flow;
	a->frame = o->frame;
	a->direction = o->direction;
	a->transport = o->transport;
	a->app = o->app;
	a->from_client = o->from_client;
	a->device = s->device_address;
	a->endpoint = s->endpoint;
	a->device_port = s->device_port;
	a->endpoint_port = s->endpoint_port;
	a->facts = o->facts;
	a->exposed = s->device && s->device->role == ROLE_EXPOSED;
	a->mode = (uint8_t)mode;
	a->dropped = (o->flags8 & OBS_FLAG_DROPPED) != 0;
	if (o->direction == DIRECTION_OUT && came_ns && came_ns <= o->time_ns)
		a->callback_ns = o->time_ns - came_ns;
	if (s->device)
		snprintf(a->group, sizeof(a->group), "%s", learn_group_name(s->learn, s->device->group));
	memcpy(a->baseline, s->judge->baseline, sizeof(a->baseline));
}

// Would the wire's table cut this observation? Then it is certain too, whatever else the policy learned.
static bool is_certain(const struct policy *p, struct situation *s)
{
	const struct counts *c;

	for (unsigned i = 0; i < p->response.certains; i++) {
		const struct certain_rule *rule = &p->response.certain[i];

		if (!(s->o->facts & FACT_BIT(rule->fact)) || (rule->direction && rule->direction != s->o->direction) ||
		    (rule->from_outside && !learn_from_outside(s->o)) ||
		    (rule->needs_bare && !(s->o->flags8 & OBS_FLAG_BARE_HOST)) ||
		    (rule->needs_exposed && !(s->device && s->device->role != ROLE_CLIENT)))
			continue;
		c = situation_counts(s, FEATURE_ENDPOINT);
		if (!rule->needs_unknown || (c && c->device_days == 0))
			return true;
	}
	return false;
}

bool alert_is_certain(const struct policy *p, struct situation *s)
{
	return s->alert ? s->alert->certain : p->certain || is_certain(p, s);
}

// What rests on an alert or on the device's evidence adds nothing of its own.
static void fill_weight(struct alert *a, const struct policy *p, const struct situation *s)
{
	a->declared = a->weight = p->weight;
	a->added = 0;
	a->habit = (struct alert_habit){0};
	if (s->alert || s->score)
		return;
	a->weight = s->weight;
	a->added = s->added;
	a->habit = s->habit;
}

void alert_fill(struct alert *a, const struct policy *p, struct situation *s, unsigned mode)
{
	if (s->alert) { // a policy on alerts speaks about what triggered it
		*a = *s->alert;
		a->wants_cut = a->wants_block = 0;
		a->block_ns = 0;
		memset(a->mitre, 0, sizeof(a->mitre));
	} else {
		memset(a, 0, sizeof(*a));
		fill_head(a, s, mode);
		fill_texts(a, s);
		a->certain = alert_is_certain(p, s);
		fill_terms(a, p, s);
		a->bits = sum_of_bits(a);
	}
	alarm_prove(s->judge, s, a);
	fill_weight(a, p, s);
	memcpy(a->policy, p->name, sizeof(a->policy));
	memcpy(a->mitre, p->mitre, sizeof(a->mitre));
	a->policy_version = p->version;
	a->phase = p->phase;
	a->priority = p->priority;
	for (unsigned i = 0; i < p->raises; i++)
		if (p->raise[i].priority > a->priority && conditions_hold(p->raise[i].when, p->raise[i].conditions, s))
			a->priority = p->raise[i].priority;
	if (conditions_hold(p->response.when, p->response.conditions, s)) {
		a->wants_cut = p->response.cut;
		a->wants_block = p->response.block;
		a->block_ns = p->response.block_ns;
	}
}

// --- proof ---

struct finding {
	char *out;
	size_t cap, used;
	unsigned count, checked;
};

static void differs(struct finding *f, const char *what, double said, double made)
{
	int n = f->used < f->cap ? snprintf(f->out + f->used, f->cap - f->used, "%s: said %.17g, made again %.17g\n", what,
					    said, made)
				 : 0;

	if (n > 0)
		f->used += (size_t)n < f->cap - f->used ? (size_t)n : f->cap - f->used;
	f->count++;
}

static void must_equal(struct finding *f, const char *what, double said, double made)
{
	f->checked++;
	if (memcmp(&said, &made, sizeof(said)) != 0)
		differs(f, what, said, made);
}

static void verify_model(struct finding *f, const char *what, const struct backoff_terms *said,
			 const struct backoff_terms *made)
{
	for (uint32_t i = 0; i < said->levels && i < BACKOFF_LEVELS; i++) {
		must_equal(f, what, said->level[i].discount, made->level[i].discount);
		must_equal(f, what, said->level[i].p, made->level[i].p);
	}
	must_equal(f, what, said->p, made->p);
}

static void verify_terms(const struct alert *a, struct finding *f)
{
	for (unsigned i = 0; i < a->terms && i < ALERT_TERMS; i++) {
		const struct alert_term *said = &a->term[i];
		const char *what = feature_name(said->feature);
		struct backoff_terms model = said->model;
		struct counts counts;

		backoff_compute(&model);
		learn_counts_in(&model, &counts);
		verify_model(f, what, &said->model, &model);
		must_equal(f, what, said->bits, term_bits(&model));
		must_equal(f, what, said->counts.device_days, counts.device_days);
		must_equal(f, what, said->counts.peers, counts.peers);
		must_equal(f, what, said->counts.org, counts.org);
	}
	must_equal(f, "bits", a->bits, sum_of_bits(a));
}

static void verify_evidence(const struct alert *a, struct finding *f)
{
	const struct alert_proof *p = &a->proof;
	struct evidence_config config = {0};
	struct evidence_state made;

	if (p->items == 0 || p->items > EVIDENCE_ITEMS)
		return;
	memcpy(config.half_life_ms, p->half_life_ms, sizeof(config.half_life_ms));
	made = evidence_fold(&config, p->before, p->item, p->items);
	for (unsigned i = 0; i < EVIDENCE_SPEEDS; i++)
		if (made.time_ms == p->evidence.time_ms)
			must_equal(f, "evidence", (double)p->evidence.level[i], (double)made.level[i]);
}

static void verify_score(const struct score *s, struct finding *f)
{
	struct score made = *s;

	if (s->class == SCORE_NONE || s->terms > SCORE_TERMS)
		return;
	score_compute(&made);
	for (unsigned i = 0; i < s->terms; i++) {
		verify_model(f, feature_name(s->term[i].feature), &s->term[i].model, &made.term[i].model);
		must_equal(f, feature_name(s->term[i].feature), s->term[i].bits, made.term[i].bits);
	}
	must_equal(f, "surprise", s->surprise, made.surprise);
	must_equal(f, "p among its role", s->rank.p, made.rank.p);
	must_equal(f, "p among its own", s->own.p, made.own.p);
	if (s->rank.held < CONFORMAL_FEWEST) // it was no evidence
		return;
	must_equal(f, "p", s->p, made.p);
	must_equal(f, "evidence of the event", s->microbits, made.microbits);
}

static void verify_alert(const struct alert *a, struct finding *f)
{
	if (a->habit.device_of || a->habit.role_of)
		must_equal(f, "weight", a->weight, alert_weight(&a->habit, a->declared));
	verify_score(&a->score, f);
	verify_terms(a, f);
	verify_evidence(a, f);
}

unsigned score_verify(const struct score *s, char *out, size_t cap)
{
	struct finding f = {out, cap, 0, 0, 0};

	if (cap)
		out[0] = 0;
	verify_score(s, &f);
	return f.count;
}

unsigned alert_verify(const struct alert *a, char *out, size_t cap)
{
	struct finding f = {out, cap, 0, 0, 0};

	if (cap)
		out[0] = 0;
	verify_alert(a, &f);
	return f.count;
}

unsigned score_numbers(const struct score *s)
{
	struct finding f = {0};

	verify_score(s, &f);
	return f.checked;
}

unsigned alert_numbers(const struct alert *a)
{
	struct finding f = {0};

	verify_alert(a, &f);
	return f.checked;
}
