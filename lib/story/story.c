// SPDX-License-Identifier: GPL-2.0-or-later
// An incident in words: headline, time line, what was done, what to look at next. Chooses which sentence fits; the
// sentences stand in the catalogue, the values come from alerts and blocks. Reads no clock and guesses nothing. Any
// thread.
#include "facts.h"

#include <errno.h>
#include <stdio.h>

struct teller { // what one call works with
	const struct story *s;
	const struct incident *i;
	const struct alert *const *alerts;
	const struct block *const *blocks;
	unsigned alert_count, block_count;
	uint64_t offset_s;
	struct page page;
	const struct alert *lead; // the alert that says most: highest priority, then earliest. NULL if there is none
};

static void say(struct teller *t, const char *id, const struct facts *f)
{
	page_fill(&t->page, catalogue_word(t->s, id), f ? f->fill : NULL);
}

static int finish(const struct page *p)
{
	return p->full ? -ENOSPC : (int)p->length;
}

// --- one alert ---

static void tell_why(struct teller *t, const struct alert *a)
{
	char id[64];
	struct facts f;

	facts_init(&f);
	facts_alert(&f, t->s, a, t->offset_s);
	snprintf(id, sizeof(id), "why.%.*s", (int)sizeof(a->policy), a->policy);
	say(t, catalogue_text(t->s, id) ? id : "why.other", &f);
	if (a->repeats) {
		facts_init(&f);
		facts_number(&f, "count", a->repeats);
		say(t, "timeline.repeats", &f);
	}
	page_put(&t->page, "\n");
}

static void tell_term(struct teller *t, const struct alert_term *term, const char *indent)
{
	char id[SHORT_BYTES];
	struct facts f;

	snprintf(id, sizeof(id), "feature.%s", feature_name(term->feature));
	facts_init(&f);
	facts_text(&f, t->s, "feature", catalogue_word(t->s, id));
	facts_text(&f, t->s, "value", term->value);
	facts_number(&f, "device_days", term->counts.device_days);
	facts_number(&f, "device_known", term->counts.device_known);
	facts_number(&f, "peers", term->counts.peers);
	facts_number(&f, "peers_total", term->counts.peers_total);
	facts_number(&f, "org", term->counts.org);
	facts_number(&f, "org_total", term->counts.org_total);
	facts_bits(&f, "bits", term->bits);
	page_put(&t->page, indent);
	say(t, "term", &f);
	page_put(&t->page, "\n");
}

static void tell_terms(struct teller *t, const struct alert *a, const char *indent)
{
	for (unsigned n = 0; n < a->terms && n < ALERT_TERMS; n++)
		tell_term(t, &a->term[n], indent);
}

// What an alarm's evidence is made of: the kinds that weigh most, those of policies taken together.
enum { KIND_POLICY = SCORE_CLASSES, KINDS, KINDS_TOLD = 3 };

static unsigned heaviest(const int64_t sum[KINDS])
{
	unsigned best = 0;

	for (unsigned k = 1; k < KINDS; k++)
		if (sum[k] > sum[best])
			best = k;
	return best;
}

static void tell_kind(struct teller *t, struct page *list, unsigned kind, int64_t microbits)
{
	char id[SHORT_BYTES];
	struct facts f;

	snprintf(id, sizeof(id), "class.%s", kind == KIND_POLICY ? "policy" : score_class_name(kind));
	facts_init(&f);
	facts_text(&f, t->s, "class", catalogue_word(t->s, id));
	facts_bits(&f, "bits", (double)microbits / EVIDENCE_BIT);
	if (list->length)
		page_put(list, catalogue_word(t->s, "evidence.join"));
	page_fill(list, catalogue_word(t->s, "evidence.part"), f.fill);
}

static void tell_evidence(struct teller *t, const struct alert *a, const char *indent)
{
	int64_t sum[KINDS] = {0};
	char text[FACT_BYTES] = "";
	struct page list = {.at = text, .cap = sizeof(text)};
	struct fill fills[] = {{"list", text}, {NULL, NULL}};

	if (a->score.class == SCORE_NONE)
		return;
	for (unsigned i = 0; i < a->proof.items && i < EVIDENCE_ITEMS; i++) {
		uint32_t family = a->proof.item[i].family;

		sum[family < SCORE_CLASSES ? family : KIND_POLICY] += a->proof.item[i].microbits;
	}
	for (unsigned n = 0; n < KINDS_TOLD; n++) {
		unsigned kind = heaviest(sum);

		if (sum[kind] <= 0)
			break;
		tell_kind(t, &list, kind, sum[kind]);
		sum[kind] = 0;
	}
	if (!list.length)
		return;
	page_put(&t->page, indent);
	page_fill(&t->page, catalogue_word(t->s, "evidence.most"), fills);
	page_put(&t->page, "\n");
}

static void tell_response(struct teller *t, const struct alert *a, const char *indent)
{
	char id[SHORT_BYTES];

	snprintf(id, sizeof(id), "response.%s", response_name(a->response));
	if (a->response != RESPONSE_NONE && catalogue_text(t->s, id)) {
		page_put(&t->page, indent);
		say(t, id, NULL);
		page_put(&t->page, "\n");
	}
	if (a->dropped) {
		page_put(&t->page, indent);
		say(t, "timeline.dropped", NULL);
		page_put(&t->page, "\n");
	}
}

int story_alert(const struct story *s, const struct alert *a, uint64_t utc_offset_s, char *out, size_t cap)
{
	struct teller t = {.s = s, .offset_s = utc_offset_s, .page = {.at = out, .cap = cap}};

	tell_why(&t, a);
	tell_evidence(&t, a, "  ");
	tell_terms(&t, a, "  ");
	tell_response(&t, a, "  ");
	return finish(&t.page);
}

// --- headline ---

static const char *const what_ids[PHASE_COUNT] = {
	[PHASE_ENTRY] = "what.entry",     [PHASE_CALLBACK] = "what.callback",   [PHASE_DELIVERY] = "what.delivery",
	[PHASE_CONTROL] = "what.control", [PHASE_OBJECTIVE] = "what.objective", [PHASE_STATE] = "what.state",
};

// The steps seen, in the order an attack takes them. PHASE_STATE is a judgement about the device, no step: it is told
// only when nothing else is.
static void render_what(const struct teller *t, struct page *p)
{
	bool any = false;

	for (unsigned n = 0; n < PHASE_STATE; n++) {
		if (!(t->i->phases & 1u << n))
			continue;
		if (any)
			page_put(p, catalogue_word(t->s, "what.join"));
		page_put(p, catalogue_word(t->s, what_ids[n]));
		any = true;
	}
	if (!any)
		page_put(p, catalogue_word(t->s, what_ids[PHASE_STATE]));
}

static unsigned furthest_phase(const struct incident *i)
{
	for (unsigned p = PHASE_STATE; p-- > 0;)
		if (i->phases & 1u << p)
			return p;
	return PHASE_STATE;
}

// The alert the headline speaks of: of the furthest phase if there is one, else of any.
static const struct alert *find_lead(const struct teller *t)
{
	const struct alert *best = NULL;
	unsigned phase = furthest_phase(t->i);

	for (unsigned n = 0; n < t->alert_count; n++) {
		const struct alert *a = t->alerts[n];

		if (!best || (a->phase == phase) > (best->phase == phase) ||
		    ((a->phase == phase) == (best->phase == phase) && a->priority > best->priority))
			best = a;
	}
	return best;
}

// A would-be block, or a proposal nobody confirmed, that has run out is "expired" like a real one, but it never stopped
// anything.
static unsigned told_state(const struct teller *t, const struct block *b)
{
	if (b->state != BLOCK_EXPIRED)
		return b->state;
	if (b->frames || !b->alert || strcmp(b->who, "sekimori") != 0)
		return BLOCK_EXPIRED;
	for (unsigned n = 0; n < t->alert_count; n++)
		if (t->alerts[n]->block == b->id && t->alerts[n]->response == RESPONSE_BLOCKED)
			return BLOCK_EXPIRED;
	return BLOCK_WOULD;
}

static const struct block *find_block(const struct teller *t, unsigned state)
{
	for (unsigned n = 0; n < t->block_count; n++)
		if (told_state(t, t->blocks[n]) == state)
			return t->blocks[n];
	return NULL;
}

static bool was_cut(const struct alert *a)
{
	return a->response == RESPONSE_CUT || a->dropped;
}

static unsigned count_responses(const struct teller *t, unsigned response)
{
	unsigned count = 0;

	for (unsigned n = 0; n < t->alert_count; n++)
		count += response == RESPONSE_CUT ? was_cut(t->alerts[n]) : t->alerts[n]->response == response;
	return count;
}

// Several alerts may come of one connection, often of one frame.
static unsigned count_cut_flows(const struct teller *t)
{
	unsigned count = 0;

	for (unsigned n = 0; n < t->alert_count; n++) {
		bool first = was_cut(t->alerts[n]);

		for (unsigned k = 0; first && k < n; k++)
			first = !was_cut(t->alerts[k]) || t->alerts[k]->flow != t->alerts[n]->flow;
		count += first;
	}
	return count;
}

// First that fits: what was stopped counts before what was not.
static const struct {
	const char *id;
	int block, response;
} outcomes[] = {
	{"outcome.blocked", BLOCK_ACTIVE, -1},
	{"outcome.was_blocked", BLOCK_EXPIRED, -1},
	{"outcome.lifted", BLOCK_LIFTED, RESPONSE_BLOCKED}, // it did not last until its planned end
	{"outcome.cut", -1, RESPONSE_CUT},
	{"outcome.pending", BLOCK_PENDING, -1},
	{"outcome.declined", BLOCK_LIFTED, RESPONSE_PROPOSED},
	{"outcome.would", BLOCK_WOULD, -1},
	{"outcome.would_cut", -1, RESPONSE_WOULD_BLOCK},
	{"outcome.refused", -1, RESPONSE_REFUSED},
};

static void render_outcome(const struct teller *t, struct page *p)
{
	for (size_t n = 0; n < sizeof(outcomes) / sizeof(outcomes[0]); n++) {
		const struct block *b = outcomes[n].block >= 0 ? find_block(t, (unsigned)outcomes[n].block) : NULL;
		struct facts f;

		if ((outcomes[n].block >= 0 && !b) ||
		    (outcomes[n].response >= 0 && !count_responses(t, (unsigned)outcomes[n].response)))
			continue;
		facts_init(&f);
		if (b) {
			facts_target(&f, t->s, &b->endpoint, b->port, b->transport);
			facts_time(&f, "until", b->expires_ns, t->offset_s);
			facts_text(&f, t->s, "who", b->who);
		}
		page_fill(p, catalogue_word(t->s, outcomes[n].id), f.fill);
		return;
	}
	page_fill(p, catalogue_word(t->s, "outcome.none"), NULL);
}

static void render_device(const struct teller *t, struct page *p)
{
	char text[FACT_BYTES] = "";
	struct page one = {.at = text, .cap = sizeof(text)};
	struct facts f;
	bool exposed = false;

	for (unsigned n = 0; n < t->alert_count; n++)
		exposed |= t->alerts[n]->exposed && address_equal(&t->alerts[n]->device, &t->i->device[0]);
	facts_init(&f);
	facts_address(&f, "address", &t->i->device[0]);
	page_fill(&one,
		  catalogue_word(t->s, !t->i->devices ? "device.none"
				       : exposed      ? "device.exposed"
						      : "device.plain"),
		  f.fill);
	if (t->i->devices < 2) {
		page_put(p, text);
		return;
	}
	facts_init(&f);
	facts_text(&f, t->s, "device", text);
	facts_number(&f, "count", t->i->devices - 1u);
	page_fill(p, catalogue_word(t->s, t->i->devices < INCIDENT_DEVICES ? "device.more" : "device.many"), f.fill); // a full set lost some
}

static void tell_headline(struct teller *t)
{
	char device[FACT_BYTES] = "", what[FACT_BYTES] = "", outcome[FACT_BYTES] = "", number[24], priority[8],
	     endpoint[ADDRESS_TEXT_BYTES];
	struct page d = {.at = device, .cap = FACT_BYTES}, w = {.at = what, .cap = FACT_BYTES},
		    o = {.at = outcome, .cap = FACT_BYTES};
	struct fill fills[] = {{"incident", number}, {"priority", priority}, {"device", device}, {"what", what},
			       {"outcome", outcome}, {"endpoint", endpoint}, {NULL, NULL}};

	address_format(t->lead ? &t->lead->endpoint : &t->i->endpoint[0], endpoint);
	render_what(t, &w);
	render_device(t, &d);
	render_outcome(t, &o);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)t->i->id);
	snprintf(priority, sizeof(priority), "%u", t->i->priority);
	page_fill(&t->page, catalogue_word(t->s, "headline"), fills);
	page_put(&t->page, "\n");
}

// --- the parts ---

static void tell_section(struct teller *t, const char *id, const struct facts *f)
{
	page_put(&t->page, "\n");
	say(t, id, f);
	page_put(&t->page, "\n");
}

static void tell_timeline(struct teller *t)
{
	struct facts f;

	facts_init(&f);
	facts_number(&f, "count", t->alert_count);
	facts_number(&f, "all", t->i->alerts);
	facts_zone(&f, t->s, t->offset_s);
	tell_section(t, t->alert_count < t->i->alerts ? "section.timeline_part" : "section.timeline", &f);
	for (unsigned n = 0; n < t->alert_count; n++) {
		char number[16];

		facts_init(&f);
		facts_time(&f, "time", t->alerts[n]->time_ns, t->offset_s);
		snprintf(number, sizeof(number), "%3u. ", n + 1);
		page_put(&t->page, number);
		facts_text(&f, t->s, "policy", t->alerts[n]->policy); // its name: to look it up, and to find the same one in other incidents
		page_fill(&t->page, "{time}  {policy}\n       ", f.fill);
		tell_why(t, t->alerts[n]);
		tell_evidence(t, t->alerts[n], "       ");
		tell_terms(t, t->alerts[n], "       ");
		tell_response(t, t->alerts[n], "       ");
	}
}

static void tell_item(struct teller *t, const char *id, const struct facts *f)
{
	page_put(&t->page, "  - ");
	say(t, id, f);
}

static void block_facts(const struct teller *t, const struct block *b, struct facts *f)
{
	facts_init(f);
	facts_target(f, t->s, &b->endpoint, b->port, b->transport);
	facts_time(f, "from", b->made_ns, t->offset_s);
	facts_time(f, "until", b->expires_ns, t->offset_s);
	facts_number(f, "block", b->id);
	facts_text(f, t->s, "who", b->who);
	facts_text(f, t->s, "reason", b->reason);
}

static const char *const done_ids[BLOCK_STATES] = {
	[BLOCK_WOULD] = "done.would",     [BLOCK_PENDING] = "done.pending", [BLOCK_ACTIVE] = "done.active",
	[BLOCK_EXPIRED] = "done.expired", [BLOCK_LIFTED] = "done.lifted",
};

static void tell_done(struct teller *t)
{
	unsigned cuts = count_cut_flows(t);
	struct facts f;

	tell_section(t, "section.done", NULL);
	for (unsigned n = 0; n < t->block_count; n++) {
		const struct block *b = t->blocks[n];

		block_facts(t, b, &f);
		tell_item(t, b->state < BLOCK_STATES ? done_ids[told_state(t, b)] : "done.none", &f);
		facts_init(&f);
		facts_number(&f, "count", b->extensions);
		if (b->extensions)
			say(t, "done.extended", &f);
		facts_init(&f);
		facts_number(&f, "count", b->frames);
		if (b->frames)
			say(t, "done.frames", &f);
		page_put(&t->page, "\n");
	}
	facts_init(&f);
	facts_number(&f, "count", cuts);
	if (cuts || !t->block_count) {
		tell_item(t, cuts ? "done.cut" : "done.none", &f);
		page_put(&t->page, "\n");
	}
}

static bool has_fact(const struct teller *t, uint16_t facts)
{
	for (unsigned n = 0; n < t->alert_count; n++)
		if (t->alerts[n]->facts & facts)
			return true;
	return false;
}

static const struct alert *first_of(const struct teller *t, unsigned phase)
{
	for (unsigned n = 0; n < t->alert_count; n++)
		if (t->alerts[n]->phase == phase)
			return t->alerts[n];
	return NULL;
}

static const struct {
	unsigned state;
	const char *id;
} block_advice[] = {
	{BLOCK_PENDING, "next.pending"},
	{BLOCK_WOULD, "next.would"},
	{BLOCK_ACTIVE, "next.active"},
};
static const char *const phase_advice[PHASE_COUNT] = {
	[PHASE_ENTRY] = "next.entry",     [PHASE_CALLBACK] = "next.callback",   [PHASE_DELIVERY] = "next.delivery",
	[PHASE_CONTROL] = "next.control", [PHASE_OBJECTIVE] = "next.objective", [PHASE_STATE] = "next.state",
};

static void advise(struct teller *t, const char *id, const struct facts *f)
{
	tell_item(t, id, f);
	page_put(&t->page, "\n");
}

static void tell_next(struct teller *t)
{
	struct facts f;

	tell_section(t, "section.next", NULL);
	for (size_t n = 0; n < sizeof(block_advice) / sizeof(block_advice[0]); n++) {
		const struct block *b = find_block(t, block_advice[n].state);

		if (!b)
			continue;
		block_facts(t, b, &f);
		advise(t, block_advice[n].id, &f);
	}
	for (unsigned p = 0; p < PHASE_COUNT; p++) {
		const struct alert *a = first_of(t, p);

		if (!a)
			continue;
		facts_init(&f);
		facts_alert(&f, t->s, a, t->offset_s);
		advise(t, phase_advice[p], &f);
	}
	if (t->lead && has_fact(t, FACT_BIT(FACT_JNDI) | FACT_BIT(FACT_LDAP_JAVA_REFERENCE) | FACT_BIT(FACT_RMI))) {
		facts_init(&f);
		facts_alert(&f, t->s, t->lead, t->offset_s);
		advise(t, "next.jndi", &f);
	}
	if (!t->lead)
		return;
	facts_init(&f);
	facts_alert(&f, t->s, t->lead, t->offset_s);
	advise(t, "next.benign", &f);
}

int story_incident(const struct story *s, const struct incident *i, const struct alert *const *alerts,
		   unsigned alert_count, const struct block *const *blocks, unsigned block_count, uint64_t utc_offset_s,
		   char *out, size_t cap)
{
	struct teller t = {.s = s,
			   .i = i,
			   .alerts = alerts,
			   .blocks = blocks,
			   .alert_count = alert_count,
			   .block_count = block_count,
			   .offset_s = utc_offset_s,
			   .page = {.at = out, .cap = cap}};

	t.lead = find_lead(&t);
	tell_headline(&t);
	tell_timeline(&t);
	tell_done(&t);
	tell_next(&t);
	return finish(&t.page);
}
