// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers, times, addresses and hostile texts as words of a sentence. Locale-independent: the same facts give the same
// bytes.
#include "facts.h"

#include "text.h"

#include <stdio.h>
#include <time.h>

enum { TEXT_SHOWN = 200 }; // of a URI or a user agent; the whole stands in the alert
#define MS_NS 1000000ull

void facts_init(struct facts *f)
{
	f->count = 0;
	f->fill[0] = (struct fill){NULL, NULL};
}

static char *add(struct facts *f, const char *name)
{
	char *value;

	for (unsigned n = 0; n < f->count; n++)
		if (strcmp(f->fill[n].name, name) == 0)
			return f->value[NAMES_MOST];
	if (f->count == NAMES_MOST)
		return f->value[NAMES_MOST];
	value = f->value[f->count];
	f->fill[f->count++] = (struct fill){name, value};
	f->fill[f->count] = (struct fill){NULL, NULL};
	return value;
}

void facts_text(struct facts *f, const struct story *s, const char *name, const char *value)
{
	char *out = add(f, name);
	size_t n = text_printable(bytes_of_text(value), out, TEXT_SHOWN);

	if (!n)
		snprintf(out, FACT_BYTES, "%s", catalogue_word(s, "value.none"));
	else if (n > TEXT_SHOWN - 8 && strlen(value) > n) // cut at a whole character, up to 4 bytes (an escape) earlier
		snprintf(out + n, FACT_BYTES - n, "…");
}

void facts_number(struct facts *f, const char *name, uint64_t value)
{
	snprintf(add(f, name), FACT_BYTES, "%llu", (unsigned long long)value);
}

void facts_bits(struct facts *f, const char *name, double bits)
{
	unsigned long long tenths = bits > 0 && bits < 1e9 ? (unsigned long long)(bits * 10 + 0.5) : 0;

	snprintf(add(f, name), FACT_BYTES, "%llu.%llu", tenths / 10, tenths % 10);
}

void facts_address(struct facts *f, const char *name, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];

	snprintf(add(f, name), FACT_BYTES, "%s", address_format(a, text));
}

void facts_time(struct facts *f, const char *name, uint64_t ns, uint64_t utc_offset_s)
{
	time_t seconds = (time_t)(ns / NS_PER_S + utc_offset_s); // an offset west of UTC is its two's complement
	struct tm tm = {0};

	gmtime_r(&seconds, &tm);
	strftime(add(f, name), FACT_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
}

static const struct {
	const char *id;
	uint64_t ns;
} units[] = {
	{"unit.day", 86400 * NS_PER_S}, {"unit.hour", 3600 * NS_PER_S}, {"unit.minute", 60 * NS_PER_S},
	{"unit.second", NS_PER_S},      {"unit.millisecond", MS_NS},
};

void facts_duration(struct facts *f, const struct story *s, const char *name, uint64_t ns)
{
	struct page p = {.at = add(f, name), .cap = FACT_BYTES};
	size_t unit = 0, most = sizeof(units) / sizeof(units[0]);

	while (unit + 1 < most && ns < units[unit].ns)
		unit++;
	for (size_t n = unit; n < most && n < unit + 2; n++) {
		char number[24];
		struct fill fills[] = {{"count", number}, {NULL, NULL}};
		uint64_t whole = ns / units[n].ns;

		ns %= units[n].ns;
		if (n > unit &&
		    (!whole || units[unit].ns == NS_PER_S)) // "2 h", not "2 h 0 min"; seconds are exact enough
			break;
		snprintf(number, sizeof(number), "%llu", (unsigned long long)whole);
		if (n > unit)
			page_put(&p, catalogue_word(s, "unit.join"));
		page_fill(&p, catalogue_word(s, units[n].id), fills);
	}
}

void facts_zone(struct facts *f, const struct story *s, uint64_t utc_offset_s)
{
	struct page p = {.at = add(f, "zone"), .cap = FACT_BYTES};
	int64_t offset = (int64_t)utc_offset_s, minutes = (offset < 0 ? -offset : offset) / 60;
	char text[16];
	struct fill fills[] = {{"offset", text}, {NULL, NULL}};

	snprintf(text, sizeof(text), "%c%02u:%02u", offset < 0 ? '-' : '+', (unsigned)(minutes / 60) % 100,
		 (unsigned)(minutes % 60));
	page_fill(&p, catalogue_word(s, offset ? "zone.offset" : "zone.utc"), fills);
}

static const char *transport_text(const struct story *s, unsigned transport)
{
	static const struct {
		unsigned number;
		const char *name;
	} names[] = {{6, "TCP"}, {17, "UDP"}, {1, "ICMP"}, {58, "ICMPv6"}};

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (names[n].number == transport)
			return names[n].name;
	return catalogue_word(s, "transport.any");
}

void facts_target(struct facts *f, const struct story *s, const struct address *a, unsigned port, unsigned transport)
{
	struct page p = {.at = add(f, "target"), .cap = FACT_BYTES};
	char address[ADDRESS_TEXT_BYTES], number[8];
	struct fill fills[] = {{"address", address_format(a, address)},
			       {"port", number},
			       {"transport", transport_text(s, transport)},
			       {NULL, NULL}};

	snprintf(number, sizeof(number), "%u", port & 0xffff);
	page_fill(&p, catalogue_word(s, port ? "target.port" : "target.all"), fills);
}

// The catalogue's word for a kind of file or protocol, else the technical name in capitals or as it is.
static void facts_named(struct facts *f, const struct story *s, const char *name, const char *room, const char *value,
			bool capitals)
{
	char id[SHORT_BYTES], shown[SHORT_BYTES];
	const char *word;

	snprintf(id, sizeof(id), "%s.%s", room, value);
	snprintf(shown, sizeof(shown), "%s", value);
	for (char *c = shown; capitals && *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	word = catalogue_text(s, id);
	facts_text(f, s, name, word ? word : shown);
}

// What the scorer says: the kind of event, the evidence it led to, the threshold; what is rolled out.
static void facts_score(struct facts *f, const struct story *s, const struct alert *a)
{
	const struct alert_proof *p = &a->proof;
	int64_t level = p->evidence.level[0] > p->evidence.level[1] ? p->evidence.level[0] : p->evidence.level[1];
	const struct score_term *rolled = NULL;
	char id[SHORT_BYTES];

	snprintf(id, sizeof(id), "class.%s", score_class_name(a->score.class));
	facts_text(f, s, "class", a->score.class == SCORE_NONE ? "" : catalogue_word(s, id));
	facts_bits(f, "evidence", (double)level / EVIDENCE_BIT);
	if (p->threshold > 0 && p->threshold < INT64_MAX)
		facts_bits(f, "threshold", (double)p->threshold / EVIDENCE_BIT);
	else
		facts_text(f, s, "threshold", "");
	for (unsigned i = 0; i < a->score.terms && i < SCORE_TERMS && !rolled; i++)
		if (a->score.term[i].adopters)
			rolled = &a->score.term[i];
	snprintf(id, sizeof(id), "feature.%s", rolled ? feature_name(rolled->feature) : "");
	facts_text(f, s, "feature", rolled ? catalogue_word(s, id) : "");
	facts_text(f, s, "value", rolled ? rolled->value : "");
	facts_number(f, "adopters", rolled ? rolled->adopters : 0);
	facts_number(f, "devices", rolled ? rolled->adopters_of : 0);
}

void facts_alert(struct facts *f, const struct story *s, const struct alert *a, uint64_t utc_offset_s)
{
	facts_address(f, "device", &a->device);
	facts_address(f, "endpoint", &a->endpoint);
	if (a->endpoint_port)
		facts_number(f, "port", a->endpoint_port);
	else // ICMP
		facts_text(f, s, "port", catalogue_word(s, "port.none"));
	facts_time(f, "time", a->time_ns, utc_offset_s);
	facts_named(f, s, "app", "app", app_name(a->app == APP_NONE ? APP_UNKNOWN : a->app), true);
	facts_named(f, s, "file", "file", a->file, false);
	facts_text(f, s, "uri", a->uri);
	facts_text(f, s, "host", a->host);
	facts_text(f, s, "agent", a->agent);
	facts_text(f, s, "detail", a->detail);
	facts_text(f, s, "policy", a->policy);
	facts_number(f, "priority", a->priority);
	facts_bits(f, "bits", a->bits);
	facts_score(f, s, a);
	if (a->callback_ns)
		facts_duration(f, s, "after", a->callback_ns);
	else
		facts_text(f, s, "after", catalogue_word(s, "time.unknown"));
}
