// SPDX-License-Identifier: GPL-2.0-or-later
// Records as control messages, field by field.
#include "brain.h"
#include <stdlib.h>

static void set_address(char **field, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];

	control_set(field, address_format(a, text));
}

static void add_text(char ***list, size_t *n, const char *text)
{
	char **grown = realloc(*list, (*n + 1) * sizeof(**list));

	if (!grown)
		return;
	*list = grown;
	grown[*n] = NULL;
	control_set(&grown[*n], text);
	*n += grown[*n] != NULL;
}

static void add_term(Control__Alert *m, const struct alert_term *t)
{
	Control__Term *k = control_append((void ***)&m->terms, &m->n_terms, sizeof(*k));

	if (!k)
		return;
	control__term__init(k);
	control_set(&k->feature, feature_name(t->feature));
	control_set(&k->value, t->value);
	k->bits = t->bits;
	k->device_days = t->counts.device_days;
	k->device_known = t->counts.device_known;
	k->peers = t->counts.peers;
	k->peers_total = t->counts.peers_total;
	k->org = t->counts.org;
	k->org_total = t->counts.org_total;
	k->first_ns = t->counts.first_ns;
}

static void set_alert_texts(Control__Alert *m, const struct alert *a)
{
	const struct { char **field; const char *text; } texts[] = {
		{&m->policy, a->policy}, {&m->uri, a->uri}, {&m->host, a->host}, {&m->agent, a->agent}, {&m->file, a->file},
		{&m->detail, a->detail}, {&m->group, a->group}, {&m->baseline, a->baseline}, {&m->phase, phase_name(a->phase)},
		{&m->response, response_name(a->response)}, {&m->direction, direction_name(a->direction)}, {&m->app, app_name(a->app)},
		{&m->mode, mode_name(a->mode)},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		control_set(texts[i].field, texts[i].text);
}

void message_alert(Control__Alert *m, const struct alert *a, const struct story *story, int64_t utc_offset_s)
{
	char why[STORY_ALERT_BYTES];

	control__alert__init(m);
	m->id = a->id;
	m->incident = a->incident;
	m->time_ns = a->time_ns;
	m->priority = a->priority;
	m->endpoint_port = a->endpoint_port;
	m->device_port = a->device_port;
	m->bits = a->bits;
	m->block = a->block;
	m->repeats = a->repeats;
	m->flow = a->flow;
	set_address(&m->device, &a->device);
	set_address(&m->endpoint, &a->endpoint);
	set_alert_texts(m, a);
	for (unsigned i = 0; i < a->terms && i < ALERT_TERMS; i++)
		add_term(m, &a->term[i]);
	for (unsigned f = 0; f < FACT_COUNT; f++)
		if (a->facts & FACT_BIT(f))
			add_text(&m->facts, &m->n_facts, fact_name(f));
	for (unsigned i = 0; i < 3; i++)
		if (a->mitre[i][0])
			add_text(&m->mitre, &m->n_mitre, a->mitre[i]);
	if (story && story_alert(story, a, (uint64_t)utc_offset_s, why, sizeof(why)) > 0)
		control_set(&m->why, why);
}

void message_incident(Control__Incident *m, const struct incident *i)
{
	static const char *const states[] = {"open", "quiet", "closed"};
	char text[ADDRESS_TEXT_BYTES];

	control__incident__init(m);
	m->id = i->id;
	m->first_ns = i->first_ns;
	m->last_ns = i->last_ns;
	m->alerts = i->alerts;
	m->score = i->score;
	m->priority = i->priority;
	m->merged_into = i->merged_into;
	control_set(&m->state, states[i->state < 3 ? i->state : 0]);
	for (unsigned k = 0; k < i->devices && k < INCIDENT_DEVICES; k++)
		add_text(&m->devices, &m->n_devices, address_format(&i->device[k], text));
	for (unsigned k = 0; k < i->endpoints && k < INCIDENT_ENDPOINTS; k++)
		add_text(&m->endpoints, &m->n_endpoints, address_format(&i->endpoint[k], text));
	for (unsigned p = 0; p < PHASE_COUNT; p++)
		if (i->phases & 1u << p)
			add_text(&m->phases, &m->n_phases, phase_name(p));
}

void message_block(Control__Block *m, const struct block *b, uint64_t now_ns)
{
	char text[PREFIX_TEXT_BYTES];
	struct prefix p = {b->endpoint, b->endpoint_bits};

	control__block__init(m);
	m->id = b->id;
	m->incident = b->incident;
	m->alert = b->alert;
	m->port = b->port;
	m->transport = b->transport;
	m->made_ns = b->made_ns;
	m->expires_ns = b->expires_ns;
	m->frames = b->frames;
	m->extensions = b->extensions;
	m->remaining_ns = b->state == BLOCK_ACTIVE && b->expires_ns > now_ns ? b->expires_ns - now_ns : 0;
	control_set(&m->endpoint, prefix_format(&p, text));
	control_set(&m->state, block_state_name(b->state));
	control_set(&m->policy, b->policy);
	control_set(&m->reason, b->reason);
	control_set(&m->who, b->who);
}

void message_device(Control__Device *m, const struct device *d, const struct learn *l, uint64_t now_ns)
{
	control__device__init(m);
	set_address(&m->address, &d->address);
	control_set(&m->label, d->label);
	control_set(&m->role, role_name(d->role));
	control_set(&m->group, learn_group_name(l, d->group));
	m->first_ns = d->first_ns;
	m->last_ns = d->last_ns;
	m->days = (uint32_t)__builtin_popcount(d->days_mask);
	m->outside_clients = d->outside_clients;
	m->observations = d->observations;
	m->ready = learn_ready_percent(l, d, now_ns);
}

static double bits_of(int64_t microbits)
{
	return microbits == INT64_MAX ? 0 : (double)microbits / EVIDENCE_BIT;
}

// Without memory the shares stay out.
static void put_shares(Control__Budget *m, const struct judge_budget *b)
{
	m->shares = calloc(ROLE_COUNT, sizeof(*m->shares));
	for (unsigned r = 0; m->shares && r < ROLE_COUNT; r++) {
		Control__BudgetShare *s = calloc(1, sizeof(*s));

		if (!s)
			return;
		control__budget_share__init(s);
		s->role = strdup(role_name(r));
		if (!s->role)
			s->role = (char *)protobuf_c_empty_string;
		s->alarms_per_day = b->role[r].alarms_per_day;
		s->threshold = bits_of(b->role[r].threshold);
		s->today = b->role[r].today;
		s->debt = b->role[r].debt;
		m->shares[m->n_shares++] = s;
	}
}

void message_budget(Control__Budget *m, const struct judge_budget *b)
{
	control__budget__init(m);
	put_shares(m, b);
	m->alarms_per_day = b->alarms_per_day;
	m->blocks_per_day = b->blocks_per_day;
	m->block_threshold = bits_of(judge_block_threshold(b));
	m->calibrated = b->calibrated;
	m->error = b->error;
	m->days = b->days;
	m->today = b->today;
	m->debt = b->debt;
}
