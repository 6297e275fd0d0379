// SPDX-License-Identifier: GPL-2.0-or-later
// Quantities: the words of conditions. One table of what we compute, and three that follow from other tables: facts,
// features with their counts, and every field of every observation.
#include "judge_impl.h"

#include <stdio.h>

static const char *const transport_names[] = {"tcp", "udp", "icmp", "icmp6", "other"};
static const uint8_t transport_numbers[] = {6, 17, 1, 58};
enum { TRANSPORTS = 5 };

static const char *transport_name(unsigned i)
{
	return i < TRANSPORTS ? transport_names[i] : "?";
}

static bool yes_if(bool b, struct quantity_value *out)
{
	out->number = b;
	return true;
}

static bool number_of(uint64_t n, struct quantity_value *out)
{
	out->number = n;
	return true;
}

static bool read_direction(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return number_of(s->o->direction, out);
}

static bool read_app(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return number_of(s->o->app, out);
}

static bool read_transport(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	for (unsigned i = 0; i < TRANSPORTS - 1; i++)
		if (transport_numbers[i] == s->o->transport)
			return number_of(i, out);
	return number_of(TRANSPORTS - 1, out);
}

static bool read_port(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return number_of(q->a ? s->device_port : s->endpoint_port, out);
}

static bool read_from_client(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(s->o->from_client, out);
}

static bool read_from_outside(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(learn_from_outside(s->o), out);
}

static bool read_flag(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(s->o->flags8 & q->a, out);
}

static bool read_fact(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(s->o->facts & FACT_BIT(q->a), out);
}

static bool read_exposed(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(s->device && s->device->role == ROLE_EXPOSED, out);
}

static bool read_role(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return s->device && number_of(s->device->role, out);
}

static uint64_t days_since(uint64_t first_ns, uint64_t now_ns)
{
	return first_ns && first_ns < now_ns ? (now_ns - first_ns) / JUDGE_DAY_NS : 0;
}

static bool read_device_age(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return number_of(s->device ? days_since(s->device->first_ns, s->now_ns) : 0, out);
}

static bool read_ready(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return s->device && number_of(learn_ready_percent(s->learn, s->device, s->now_ns), out);
}

static bool read_group(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	if (!s->device)
		return false;
	out->text = bytes_of_text(learn_group_name(s->learn, s->device->group));
	return true;
}

static bool read_outside(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	bool outside = s->o->direction == DIRECTION_OUT || s->o->direction == DIRECTION_IN;

	return yes_if(outside && address_is_set(&s->endpoint) && !address_is_special(&s->endpoint), out);
}

static bool read_endpoint_age(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct counts *c = situation_counts(s, FEATURE_ENDPOINT);

	return c && number_of(days_since(c->first_ns, s->now_ns), out);
}

static bool read_bare_ip(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(situation_is_bare(s), out);
}

static bool seconds_since(uint64_t then_ns, uint64_t now_ns, struct quantity_value *out)
{
	if (then_ns == 0)
		return false;
	out->number = then_ns < now_ns ? (now_ns - then_ns) / NS_PER_S : 0;
	return true;
}

static bool read_callback(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	struct address other = q->a ? recent_network(&s->endpoint) : s->endpoint;

	return seconds_since(recent_get(s->learn, RECENT_INBOUND, &s->device_address, &other), s->now_ns, out);
}

static bool read_tainted(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	struct address device = q->a ? contacts_jndi(&s->device_address) : s->device_address;
	uint64_t then_ns = recent_get(s->learn, RECENT_NAMED, &device, &s->endpoint);

	return yes_if(then_ns && then_ns + NAMED_NS > s->now_ns, out);
}

static bool read_tainted_name(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	if (s->o->kind != OBS_DNS)
		return false;
	return yes_if(contacts_name_is_tainted(s->judge, &s->device_address, observation_text(s->o, TEXT_DNS_NAME),
					       q->a, s->now_ns),
		      out);
}

static bool read_known(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	if (q->a && s->o->kind != OBS_DNS)
		return false;
	return yes_if(q->a ? contacts_domain_is_known(s->judge, s->o) : contacts_are_known(s->judge, s->o), out);
}

static bool read_uploaded(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct request *r = s->request;
	struct bytes target = observation_text(s->o, TEXT_REQUEST_URI);

	if (s->o->kind != OBS_HTTP_REQUEST && !r)
		return false;
	if (s->o->kind != OBS_HTTP_REQUEST)
		target = bytes_of(r->uri, r->uri_bytes);
	return yes_if(uploads_are_asked(s->judge, &s->device_address, target, q->a, s->now_ns), out);
}

static bool read_upload(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	struct bytes name = observation_text(s->o, TEXT_NAMED_FILE);

	if (s->o->kind != OBS_NAMED || name.left == 0)
		return false;
	return yes_if(uploads_is_script(name), out);
}

static bool read_self(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return yes_if(own_found(s->judge, s->o) & q->a, out);
}

// Where clouds tell their machines secrets.
static bool read_metadata(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	static const uint8_t v4[][4] = {
		{169, 254, 169, 254}, {169, 254, 170, 2}, {100, 100, 100, 200}, {192, 0, 0, 192}};
	static const uint8_t v6[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
	struct address a = address_v6(v6);

	if (address_equal(&a, &s->endpoint))
		return yes_if(true, out);
	for (unsigned i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		a = address_v4(v4[i]);
		if (address_equal(&a, &s->endpoint))
			return yes_if(true, out);
	}
	return yes_if(false, out);
}

enum { ALERT_PRIORITY, ALERT_CERTAIN, ALERT_PHASE, ALERT_BITS, ALERT_FAMILIES, ALERT_ENDPOINT_POLICIES };

static bool read_alert(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct alert *a = s->alert;

	if (!a)
		return false;
	switch (q->a) {
	case ALERT_PRIORITY:
		return number_of(a->priority, out);
	case ALERT_CERTAIN:
		return yes_if(a->certain, out);
	case ALERT_PHASE:
		return number_of(a->phase, out);
	case ALERT_BITS:
		return number_of((uint64_t)a->bits, out);
	case ALERT_FAMILIES:
		return number_of(s->families, out);
	}
	return number_of(s->endpoint_policies, out);
}

enum { EVIDENCE_BITS, EVIDENCE_FAMILIES, EVIDENCE_CLASS };

static bool read_evidence(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	switch (q->a) {
	case EVIDENCE_BITS:
		return number_of(s->level > 0 ? (uint64_t)(s->level / EVIDENCE_BIT) : 0, out);
	case EVIDENCE_FAMILIES:
		return number_of(alarm_families(s->judge, s), out);
	}
	return number_of(s->score ? s->score->class : SCORE_NONE, out);
}

enum { ROLLOUT_ADOPTERS, ROLLOUT_SHARE };

static bool read_rollout(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct score_term *t = s->rolled;

	if (!t || t->adopters_of == 0)
		return false;
	return number_of(q->a == ROLLOUT_ADOPTERS ? t->adopters : (uint64_t)t->adopters * 100 / t->adopters_of, out);
}

static bool read_novel(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	return s->device && yes_if(learn_novelty(s->learn, s->device, s->o) == NOVELTY_NEW, out);
}

static bool read_alert_policy(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	if (!s->alert)
		return false;
	out->text = bytes_of_text(s->alert->policy);
	return true;
}

#define BOOL QUANTITY_BOOL
#define NUMBER QUANTITY_NUMBER
static const struct named_quantity {
	const char *name, *doc;
	struct quantity q;
} computed[] = {
	{"direction",
	 "out, in, lateral or transit, by who opened the flow",
	 {QUANTITY_NAME, read_direction, direction_name, DIRECTION_TRANSIT + 1}},
	{"app", "the protocol spoken, by content", {QUANTITY_NAME, read_app, app_name, APP_COUNT}},
	{"transport", "tcp, udp, icmp, icmp6 or other", {QUANTITY_NAME, read_transport, transport_name, TRANSPORTS}},
	{"port", "the endpoint's port", {NUMBER, read_port, .a = 0}},
	{"device.port", "the device's port", {NUMBER, read_port, .a = 1}},
	{"from_client", "the bytes were sent by who opened the flow", {BOOL, read_from_client}},
	{"from_outside", "the bytes were sent by the outside end to the device", {BOOL, read_from_outside}},
	{"bare_host",
	 "HTTP: host absent or an address; TLS: no server name",
	 {BOOL, read_flag, .a = OBS_FLAG_BARE_HOST}},
	{"midstream", "the flow's handshake was not seen", {BOOL, read_flag, .a = OBS_FLAG_MIDSTREAM}},
	{"encoded", "JNDI: nested or encoded, not in clear", {BOOL, read_flag, .a = OBS_FLAG_ENCODED}},
	{"dropped", "the wire did not forward the frame that carried it", {BOOL, read_flag, .a = OBS_FLAG_DROPPED}},
	{"answer", "DNS: an answer, not a query", {BOOL, read_flag, .a = OBS_FLAG_RESPONSE}},
	{"device.exposed",
	 "at least 20 distinct outside clients completed a handshake with it in 7 days",
	 {BOOL, read_exposed}},
	{"device.role",
	 "client, server (serves inside) or exposed-server",
	 {QUANTITY_NAME, read_role, role_name, ROLE_COUNT}},
	{"device.age_days", "whole days since the device was first seen", {NUMBER, read_device_age}},
	{"device.ready", "per cent: how far the device can be judged by what it has shown", {NUMBER, read_ready}},
	{"device.new_destination", "the device never went there before (by name, else by address)", {BOOL, read_novel}},
	{"evidence.bits", "evidence against the device by now, in whole bits", {NUMBER, read_evidence, .a = EVIDENCE_BITS}},
	{"evidence.families",
	 "distinct kinds of evidence against the device within 10 minutes",
	 {NUMBER, read_evidence, .a = EVIDENCE_FAMILIES}},
	{"evidence.class",
	 "on evidence: the kind of event that passed the threshold",
	 {QUANTITY_NAME, read_evidence, score_class_name, SCORE_CLASSES, .a = EVIDENCE_CLASS}},
	{"rollout.devices",
	 "on rollout: devices that began with the same value within two days",
	 {NUMBER, read_rollout, .a = ROLLOUT_ADOPTERS}},
	{"rollout.percent", "on rollout: their share of all devices", {NUMBER, read_rollout, .a = ROLLOUT_SHARE}},
	{"device.group", "name of its peer group", {QUANTITY_TEXT, read_group}},
	{"endpoint.outside", "the other end is outside and an ordinary address", {BOOL, read_outside}},
	{"endpoint.age_days",
	 "whole days since anybody here first contacted it; 0 = never before",
	 {NUMBER, read_endpoint_age}},
	{"endpoint.bare_ip",
	 "no host name known: none in the request, no DNS answer named it to this device in 24 h",
	 {BOOL, read_bare_ip}},
	{"callback.seconds",
	 "since this very endpoint last came to the device from outside",
	 {NUMBER, read_callback, .a = 0}},
	{"callback.network_seconds", "the same for its network (/24, IPv6 /48)", {NUMBER, read_callback, .a = 1}},
	{"tainted",
	 "an inbound field named the endpoint, by address or by a host name that led there, to the device in the last "
	 "10 "
	 "minutes",
	 {BOOL, read_tainted, .a = 0}},
	{"tainted.jndi", "the same, and it was in a JNDI look-up", {BOOL, read_tainted, .a = 1}},
	{"tainted.name",
	 "DNS: an inbound field named this very host to the device in the last 10 minutes",
	 {BOOL, read_tainted_name, .a = 0}},
	{"tainted.jndi_name",
	 "DNS: a JNDI look-up named this host, or one above it, to the device in the last 10 minutes",
	 {BOOL, read_tainted_name, .a = 1}},
	{"contact.familiar",
	 "the device called the endpoint (DNS: asked for the name) on an earlier day, or two others did; what an "
	 "inbound field "
	 "named does not become known by a call",
	 {BOOL, read_known, .a = 0}},
	{"contact.domain_familiar",
	 "DNS: the device asked for a name of the same registered domain on an earlier day",
	 {BOOL, read_known, .a = 1}},
	{"request.uploaded",
	 "HTTP: a segment of the requested path (of a response or file: of its request's) is the name of a file that a visitor "
	 "uploaded to the device in the last 24 hours, and was not known there before",
	 {BOOL, read_uploaded, .a = 0}},
	{"request.uploaded_script",
	 "the same, and servers run files of such a name (jsp, php, aspx, cgi and their like)",
	 {BOOL, read_uploaded, .a = 1}},
	{"upload.script", "named: the file that is uploaded has a name of which servers run it", {BOOL, read_upload}},
	{"endpoint.metadata",
	 "the endpoint is an address at which clouds tell their machines secrets (169.254.169.254 and its like)",
	 {BOOL, read_metadata}},
	{"self.name",
	 "a name of the device's own, by which visitors, certificates or DNS call it, is in whom it calls (HTTP host, "
	 "SNI, DNS "
	 "name) or in a request's target, and that is not its own domain",
	 {BOOL, read_self, .a = OWN_NAME}},
	{"self.encoded",
	 "the same of its address or name in hexadecimal, base32 or base64",
	 {BOOL, read_self, .a = OWN_ENCODED}},
	{"alert.priority", "on alert: its priority", {NUMBER, read_alert, .a = ALERT_PRIORITY}},
	{"alert.certain",
	 "on alert: a fact that needs no learning is part of it",
	 {BOOL, read_alert, .a = ALERT_CERTAIN}},
	{"alert.phase", "on alert: its phase", {QUANTITY_NAME, read_alert, phase_name, PHASE_COUNT, .a = ALERT_PHASE}},
	{"alert.bits", "on alert: its evidence in whole bits", {NUMBER, read_alert, .a = ALERT_BITS}},
	{"alert.policy", "on alert: its policy's name", {QUANTITY_TEXT, read_alert_policy}},
	{"alert.families",
	 "on alert: distinct families of policies (before the /) that alerted on this device within 1 h; notes do not "
	 "count",
	 {NUMBER, read_alert, .a = ALERT_FAMILIES}},
	{"alert.endpoint_policies",
	 "on alert: distinct policies that alerted on this device and endpoint within 1 h",
	 {NUMBER, read_alert, .a = ALERT_ENDPOINT_POLICIES}},
};
enum { COMPUTED = sizeof(computed) / sizeof(computed[0]) };

static const char *const feature_words[FEATURE_POLICY] = {
	[FEATURE_ENDPOINT] = "endpoint",
	[FEATURE_ENDPOINT_PORT] = "endpoint_port",
	[FEATURE_PORT] = "port",
	[FEATURE_AGENT] = "agent",
	[FEATURE_AGENT_FAMILY] = "agent_family",
	[FEATURE_HOST] = "host",
	[FEATURE_FILE] = "file",
	[FEATURE_FILE_SOURCE] = "file_source",
	[FEATURE_JA4] = "ja4",
	[FEATURE_SERVED] = "served",
	[FEATURE_CLIENT] = "client",
};

const char *feature_word(unsigned feature)
{
	return feature < FEATURE_POLICY ? feature_words[feature] : NULL;
}

bool feature_find(const char *name, unsigned *out)
{
	for (unsigned f = 0; f < FEATURE_POLICY; f++)
		if (strcmp(feature_words[f], name) == 0) {
			*out = f;
			return true;
		}
	return false;
}

enum { WORD_DAYS, WORD_KNOWN, WORD_PEERS, WORD_PEER_PERCENT, WORD_ORG, WORD_RARE, WORD_AFTER, WORD_WORDS };
static const struct {
	const char *word, *doc;
	uint8_t type;
} count_words[WORD_WORDS] = {
	{"days", "days of the last 28 on which this device showed the value", NUMBER},
	{"known", "days of the last 28, before today, on which this device was seen at all (at least 1)", NUMBER},
	{"peers", "other devices of its group that showed the value", NUMBER},
	{"peer_percent", "the peers that did so in percent of the group's other devices", NUMBER},
	{"org", "other devices of the organisation that showed the value", NUMBER},
	{"rare", "at most one other device showed it, and it is younger than 30 days here", BOOL},
	{"after_days", "whole days for which the device had been known when it first showed the value", NUMBER},
};

static bool read_count(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct counts *c = situation_counts(s, q->a);

	if (!c)
		return false;
	switch (q->b) {
	case WORD_DAYS:
		return number_of(c->device_days, out);
	case WORD_KNOWN:
		return number_of(c->device_known, out);
	case WORD_PEERS:
		return number_of(c->peers, out);
	case WORD_PEER_PERCENT:
		return number_of(c->peers_total ? 100ull * c->peers / c->peers_total : 0, out);
	case WORD_ORG:
		return number_of(c->org, out);
	case WORD_AFTER:
		return s->device && c->device_first_ns && number_of(days_since(s->device->first_ns, c->device_first_ns), out);
	}
	return yes_if(counts_are_rare(c, s->now_ns), out);
}

// Texts of the flow's request, for files and responses.
static bool read_joined(const struct situation *s, const struct observation_field *f, struct quantity_value *out)
{
	const struct request *r = s->request;

	if (!r || f->kind != OBS_HTTP_REQUEST || f->type != FIELD_TEXT)
		return false;
	if (f->slot == TEXT_REQUEST_METHOD)
		out->text = bytes_of(r->method, r->method_bytes);
	else if (f->slot == TEXT_REQUEST_URI)
		out->text = bytes_of(r->uri, r->uri_bytes);
	else if (f->slot == TEXT_REQUEST_HOST)
		out->text = bytes_of(r->host, r->host_bytes);
	else if (f->slot == TEXT_REQUEST_AGENT)
		out->text = bytes_of(r->agent, r->agent_bytes);
	else
		return false;
	return true;
}

static bool read_field(struct situation *s, const struct quantity *q, struct quantity_value *out)
{
	const struct observation_field *f = q->field;

	if (s->o->kind != f->kind)
		return read_joined(s, f, out);
	if (f->type == FIELD_NUMBER)
		return number_of(s->o->number[f->slot], out);
	out->text = observation_text(s->o, f->slot);
	return true;
}

static void field_quantity(const struct observation_field *f, bool full, char name[QUANTITY_NAME_BYTES],
			   struct quantity *out)
{
	const char *kind = observation_kind_name(f->kind);
	size_t n = full ? strlen(kind) : strcspn(kind, ".");

	snprintf(name, QUANTITY_NAME_BYTES, "%.*s.%s", (int)n, kind, f->name);
	*out = (struct quantity){.type = f->type == FIELD_NUMBER ? f->names ? QUANTITY_NAME : NUMBER : QUANTITY_TEXT,
				 .read = read_field,
				 .name_list = f->type == FIELD_NUMBER ? f->names : NULL,
				 .field = f};
}

static unsigned field_count(void)
{
	unsigned n = 0;

	while (observation_fields[n].name)
		n++;
	return n;
}

// Order: computed, counts, facts, fields by short name ("http.uri"), fields by full name ("http.response.length").
bool quantity_at(unsigned i, char name[QUANTITY_NAME_BYTES], struct quantity *out, const char **doc)
{
	unsigned fields = field_count();

	if (i < COMPUTED) {
		snprintf(name, QUANTITY_NAME_BYTES, "%s", computed[i].name);
		*out = computed[i].q;
		*doc = computed[i].doc;
		return true;
	}
	i -= COMPUTED;
	if (i < FEATURE_POLICY * WORD_WORDS) {
		unsigned f = i / WORD_WORDS, w = i % WORD_WORDS;

		snprintf(name, QUANTITY_NAME_BYTES, "%s.%s", feature_words[f], count_words[w].word);
		*out = (struct quantity){.type = count_words[w].type, .read = read_count, .a = f, .b = w};
		*doc = count_words[w].doc;
		return true;
	}
	i -= FEATURE_POLICY * WORD_WORDS;
	if (i < FACT_COUNT) {
		snprintf(name, QUANTITY_NAME_BYTES, "fact.%s", fact_name(i));
		*out = (struct quantity){.type = BOOL, .read = read_fact, .a = i};
		*doc = "the wire saw this fact";
		return true;
	}
	i -= FACT_COUNT;
	if (i >= 2 * fields)
		return false;
	field_quantity(&observation_fields[i % fields], i >= fields, name, out);
	*doc = "a field of the observation";
	return true;
}

bool quantity_find(const char *name, struct quantity *out)
{
	char candidate[QUANTITY_NAME_BYTES];
	const char *doc;

	for (unsigned i = 0; quantity_at(i, candidate, out, &doc); i++)
		if (strcmp(candidate, name) == 0)
			return true;
	return false;
}
