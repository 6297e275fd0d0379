// SPDX-License-Identifier: GPL-2.0-or-later
// The alert as a proof: every piece of evidence with its exact counts and bits, every text printable.
//
// Bits are -log2 P with P backed off device → peer group → organisation → base, as in hierarchical Pitman–Yor models
// with one table per type (Teh 2006; Sanna Passino and Heard, "Modelling dynamic network evolution as a Pitman-Yor
// process", 2019), discount 0, strength 1:
//   P_org   = (other devices of the organisation that showed it + base)    / (how many there are + 1)
//   P_peers = (other devices of the group that showed it        + P_org)   / (how many there are + 1)
//   P       = (days this device showed it                       + P_peers) / (days it was seen   + 1)
#include "judge_impl.h"

#include <math.h>
#include <stdio.h>

enum { BITS_MOST = 20 };
static const double certain_bits =
	13.2877; // log2 10⁴: a fact with meaning of its own is bounded by one benign case in ten thousand

// −log2 of the share a value has of which nothing is known: endpoints and names are many, kinds of files are few.
static const uint8_t base_bits[FEATURE_COUNT] = {
	[FEATURE_ENDPOINT] = 20,    [FEATURE_ENDPOINT_PORT] = 20, [FEATURE_PORT] = 16,   [FEATURE_AGENT] = 12,
	[FEATURE_AGENT_FAMILY] = 8, [FEATURE_HOST] = 16,          [FEATURE_FILE] = 5,    [FEATURE_FILE_SOURCE] = 20,
	[FEATURE_JA4] = 12,         [FEATURE_SERVED] = 16,        [FEATURE_CLIENT] = 10,
};

double evidence_bits(unsigned feature, const struct counts *c)
{
	double org = (c->org + exp2(-(double)base_bits[feature])) / (c->org_total + 1.0);
	double peers = (c->peers + org) / (c->peers_total + 1.0);
	double p = (c->device_days + peers) / (c->device_known + 1.0);
	double bits = p > 0 ? -log2(p) : BITS_MOST;

	return bits < 0 ? 0 : bits > BITS_MOST ? BITS_MOST : bits;
}

static const char *transport_text(unsigned transport, char buffer[8])
{
	if (transport == 6 || transport == 17)
		return transport == 6 ? "tcp" : "udp";
	snprintf(buffer, 8, "ip%u", transport & 0xff);
	return buffer;
}

static void value_text(unsigned feature, struct bytes value, char *out, size_t cap)
{
	char text[ADDRESS_TEXT_BYTES], number[8];
	struct address a = {0};
	const uint8_t *b = value.at;

	if (feature == FEATURE_FILE_SOURCE && value.left == 1 + sizeof(a)) {
		memcpy(&a, b + 1, sizeof(a));
		snprintf(out, cap, "%s from %s", file_kind_name(b[0]), address_format(&a, text));
	} else if (feature == FEATURE_FILE && value.left == 1) {
		snprintf(out, cap, "%s", file_kind_name(b[0]));
	} else if ((feature == FEATURE_PORT || feature == FEATURE_SERVED) && value.left == 4) {
		snprintf(out, cap, "%s%s%s/%u", b[0] == APP_NONE ? "" : app_name(b[0]), b[0] == APP_NONE ? "" : " on ",
			 transport_text(b[1], number), (unsigned)b[2] << 8 | b[3]);
	} else if ((feature == FEATURE_ENDPOINT || feature == FEATURE_CLIENT) && value.left == sizeof(a)) {
		memcpy(&a, b, sizeof(a));
		snprintf(out, cap, "%s", address_format(&a, text));
	} else if (feature == FEATURE_ENDPOINT_PORT && value.left == sizeof(a) + 3) {
		memcpy(&a, b, sizeof(a));
		snprintf(out, cap, "%s %s/%u", address_format(&a, text), transport_text(b[20], number),
			 (unsigned)b[21] << 8 | b[22]);
	} else {
		text_printable(value, out, cap);
	}
}

static void fill_terms(struct alert *a, const struct policy *p, struct situation *s)
{
	for (unsigned i = 0; i < p->evidences; i++) {
		unsigned feature = p->evidence[i];
		const struct counts *c = situation_counts(s, feature);
		struct alert_term *term = &a->term[a->terms];
		struct bytes value;

		if (!c || !situation_value(s, feature, &value))
			continue;
		term->feature = (uint8_t)feature;
		term->counts = *c;
		term->bits = evidence_bits(feature, c);
		value_text(feature, value, term->value, sizeof(term->value));
		a->bits += term->bits;
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
	{OBS_FILE, TEXT_FILE_CONTENT_TYPE},
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
		    (rule->needs_exposed && !(s->device && s->device->role == ROLE_EXPOSED)))
			continue;
		c = situation_counts(s, FEATURE_ENDPOINT);
		if (!rule->needs_unknown || (c && c->device_days == 0))
			return true;
	}
	return false;
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
		a->certain = p->certain || is_certain(p, s);
		fill_terms(a, p, s);
		a->bits += a->certain ? certain_bits : 0;
	}
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
