// SPDX-License-Identifier: GPL-2.0-or-later
// JNDI look-ups in a field: is one there, however it is written, and where does it lead? Nobody outside knows which
// escapes the application undoes before it logs, so the text is read as it stands and after each layer of them, first
// percent alone (a URI), then all kinds. A "}" that only one of the readings has can so not hide a look-up from
// another. Runs on every inbound header: without a '$' and a '{', in clear or escaped, the field is left after one
// look at each byte.
#include "jndi_impl.h"
#include "proto.h"

enum { // of the record's text, so that the raw text still has room
	FIELD_BYTES = 48,
	SCHEME_BYTES = 16,
	HOST_BYTES = 200,
	PATH_BYTES = 96,
	DECODED_BYTES = 256,
};

struct search {
	struct bytes field; // at most JNDI_FIELD_BYTES
	bool base64;        // the field is to be decoded first
	bool first_only;    // stop after the first reading that has a look-up
	unsigned limit;     // rounds a reading may take
	unsigned rounds;    // taken, all readings together
	struct jndi_hits hits;
	struct jndi_text escaped, resolved;
};

// What a byte may be the beginning of. Everything else is 0, which is nearly every byte of nearly every field.
enum { IS_DOLLAR = 1, IS_BRACE = 2, IS_PERCENT = 4, IS_ENTITY = 8, IS_BACKSLASH = 16 };
static const uint8_t byte_class[256] = {
	['$'] = IS_DOLLAR, ['{'] = IS_BRACE, ['%'] = IS_PERCENT, ['&'] = IS_ENTITY, ['\\'] = IS_BACKSLASH,
};

// Escapes that give '$', '{', or the first byte of another escape.
static const struct giver {
	const char *text;
	uint8_t class, gives;
} givers[] = {
	{"%24", IS_PERCENT, IS_DOLLAR},
	{"%7b", IS_PERCENT, IS_BRACE},
	{"%25", IS_PERCENT, IS_DOLLAR | IS_BRACE},
	{"%26", IS_PERCENT, IS_DOLLAR | IS_BRACE},
	{"%5c", IS_PERCENT, IS_DOLLAR | IS_BRACE},
	{"%u0", IS_PERCENT, IS_DOLLAR | IS_BRACE},
	{"&#", IS_ENTITY, IS_DOLLAR | IS_BRACE},
	{"&dollar", IS_ENTITY, IS_DOLLAR},
	{"&lbrace", IS_ENTITY, IS_BRACE},
	{"&lcub", IS_ENTITY, IS_BRACE},
	{"&amp", IS_ENTITY, IS_DOLLAR | IS_BRACE},
	{"&percnt", IS_ENTITY, IS_DOLLAR | IS_BRACE},
	{"&bsol", IS_ENTITY, IS_DOLLAR | IS_BRACE},
	{"\\u", IS_BACKSLASH, IS_DOLLAR | IS_BRACE},
	{"\\x", IS_BACKSLASH, IS_DOLLAR | IS_BRACE},
	{"\\\\", IS_BACKSLASH, IS_DOLLAR | IS_BRACE},
	{"\\0", IS_BACKSLASH, IS_DOLLAR | IS_BRACE},
	{"\\1", IS_BACKSLASH, IS_BRACE},
	{"\\4", IS_BACKSLASH, IS_DOLLAR},
};

static unsigned may_give(struct bytes at, unsigned class)
{
	unsigned gives = 0;

	if (at.left < 2)
		return 0;
	for (size_t i = 0; i < sizeof(givers) / sizeof(givers[0]); i++)
		if (givers[i].class == class && (uint8_t)givers[i].text[1] == byte_lower(at.at[1]) &&
		    bytes_equal_nocase(bytes_head(at, strlen(givers[i].text)), givers[i].text))
			gives |= givers[i].gives;
	return gives;
}

static bool may_hold(struct bytes field)
{
	const unsigned both = IS_DOLLAR | IS_BRACE;
	unsigned seen = 0;

	for (size_t i = 0; i < field.left && seen != both; i++) {
		unsigned class = byte_class[field.at[i]];

		if (class)
			seen |= class & both ? class : may_give(bytes_from(field, i), class);
	}
	return seen == both;
}

// Fills s->escaped from the field.
static void load(struct search *s)
{
	struct jndi_text *t = &s->escaped;

	if (!s->base64) {
		t->length = s->field.left;
		memcpy(t->at, s->field.at, t->length);
		for (size_t i = 0; i <= t->length; i++)
			t->origin[i] = (uint16_t)i;
		return;
	}
	t->length = jndi_base64(s->field, t->at);
	for (size_t i = 0; i < t->length; i++)
		t->origin[i] = (uint16_t)(i / 3 * 4);
	t->origin[t->length] = (uint16_t)s->field.left;
}

static void read_once(struct search *s)
{
	struct jndi_text *t = &s->resolved;
	bool again = true;

	t->length = s->escaped.length;
	memcpy(t->at, s->escaped.at, t->length);
	memcpy(t->origin, s->escaped.origin, (t->length + 1) * sizeof(t->origin[0]));
	for (unsigned round = 0; again && round < s->limit; round++, s->rounds++)
		again = jndi_substitute(t, &s->hits, round);
}

static bool finished(const struct search *s)
{
	return s->first_only && s->hits.count;
}

// The text as it stands, then after 1, 2, ... layers of the given escapes.
static void read_layers(struct search *s, unsigned which)
{
	for (unsigned layer = 1; layer < s->limit && !finished(s) && jndi_unescape(&s->escaped, which); layer++)
		read_once(s);
}

static void search_run(struct search *s, unsigned limit)
{
	s->hits.count = 0;
	s->hits.work_left = JNDI_WORK_BYTES;
	s->rounds = 0;
	s->limit = limit == 0 ? JNDI_ROUNDS : limit > JNDI_ROUNDS_MOST ? JNDI_ROUNDS_MOST : limit;
	load(s);
	read_once(s);
	read_layers(s, JNDI_PERCENT);
	// Without these two the readings below would be the same as those above.
	if (finished(s) ||
	    (!memchr(s->escaped.at, '&', s->escaped.length) && !memchr(s->escaped.at, '\\', s->escaped.length)))
		return;
	load(s);
	read_layers(s, JNDI_PERCENT | JNDI_ENTITY | JNDI_BACKSLASH);
}

struct target {
	struct bytes scheme, host, path;
	uint64_t port;
};

// Index of the first byte of `set` outside nested "${...}", or b.left.
static size_t find_outside(struct bytes b, const char *set)
{
	unsigned open = 0;

	for (size_t i = 0; i < b.left; i++) {
		uint8_t c = b.at[i];

		if (c == '{' && i > 0 && b.at[i - 1] == '$')
			open++;
		else if (c == '}' && open)
			open--;
		else if (!open && c && strchr(set, c))
			return i;
	}
	return b.left;
}

// "host", "host:port", "[v6]:port"; a host may itself hold look-ups, "${env:USER}.example.net".
static void read_host(struct bytes b, struct target *out)
{
	struct bytes literal = b;
	size_t close, n;

	if (b.left && b.at[0] == '[') {
		close = bytes_find(b, ']');
		literal = bytes_from(b, close);
	}
	n = (size_t)(literal.at - b.at) + find_outside(literal, ":");
	out->host = bytes_head(b, n);
	if (bytes_to_u64(bytes_from(b, n + 1), 65535, &out->port))
		out->port = 0;
}

// "jndi:scheme://host:port/path". Other forms ("jndi:java:comp/env/x", "jndi:x") have no host.
static struct target read_target(struct bytes b)
{
	struct target t = {{b.at, 0}, {b.at, 0}, {b.at, 0}, 0};
	size_t n;

	if (!bytes_skip(&b, strlen("jndi:"))) // ran out of budget: nothing is known of it
		return t;
	n = find_outside(b, ":/");
	if (n < b.left && b.at[n] == ':') {
		t.scheme = bytes_head(b, n);
		b = bytes_from(b, n + 1);
	}
	if (bytes_begin_with(b, "//")) {
		bytes_skip(&b, 2);
		n = find_outside(b, "/?");
		read_host(bytes_head(b, n), &t);
		b = bytes_from(b, n);
	}
	t.path = b;
	return t;
}

static void put_text(struct observation *o, unsigned slot, struct bytes text, size_t most)
{
	if (text.left > most)
		o->flags8 |= OBS_FLAG_TRUNCATED;
	observation_put(o, slot, bytes_head(text, most));
}

static void emit_hit(const struct search *s, const struct jndi_hit *h, const char *name, const struct proto_input *in,
		     const struct proto_sink *sink, uint8_t app)
{
	struct bytes decoded = bytes_of(h->at, h->length);
	struct bytes raw =
		bytes_head(bytes_from(s->field, h->begin), h->end > h->begin ? (size_t)(h->end - h->begin) : 0);
	struct target t = read_target(decoded);
	uint8_t scheme[SCHEME_BYTES];
	struct observation o;

	observation_init(&o, OBS_JNDI);
	o.facts = FACT_BIT(FACT_JNDI);
	o.number[NUM_JNDI_PORT] = t.port;
	o.number[NUM_JNDI_DEPTH] = h->depth;
	if (h->length == 0 || raw.left < h->length + 2u || memcmp(raw.at + 2, h->at, h->length) != 0)
		o.flags8 |= OBS_FLAG_ENCODED;
	t.scheme = bytes_head(t.scheme, sizeof(scheme));
	for (size_t i = 0; i < t.scheme.left; i++)
		scheme[i] = byte_lower(t.scheme.at[i]);
	put_text(&o, TEXT_JNDI_FIELD, bytes_of_text(name), FIELD_BYTES);
	put_text(&o, TEXT_JNDI_SCHEME, bytes_of(scheme, t.scheme.left), SCHEME_BYTES);
	put_text(&o, TEXT_JNDI_HOST, t.host, HOST_BYTES);
	put_text(&o, TEXT_JNDI_PATH, t.path, PATH_BYTES);
	put_text(&o, TEXT_JNDI_DECODED, decoded, DECODED_BYTES);
	put_text(&o, TEXT_JNDI_RAW, raw, OBSERVATION_TEXT_BYTES);
	proto_emit(sink, in, app, &o);
}

// Room for `most` look-ups more. The search state is large: it lives here so that fields the prefilter refuses do not
// pay for it.
static __attribute__((noinline)) unsigned scan(struct bytes field, bool base64, unsigned most, const char *name,
					       const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	struct search s;
	unsigned n;

	s.field = field;
	s.base64 = base64;
	s.first_only = false;
	search_run(&s, sink->jndi_depth);
	if (s.hits.work_left == 0)
		count(sink->counters, COUNT_PROTO_BUDGET);
	n = s.hits.count < most ? s.hits.count : most;
	for (unsigned i = 0; i < n; i++)
		emit_hit(&s, &s.hits.hit[i], name, in, sink, app);
	return n;
}

// RFC 7617: "Basic" SP base64(user ":" password). Many applications log the user name.
static bool basic_credentials(const char *name, struct bytes *field)
{
	static const char scheme[] = "basic ";

	if (strcmp(name, "header:authorization") && strcmp(name, "header:proxy-authorization"))
		return false;
	if (!bytes_equal_nocase(bytes_head(*field, strlen(scheme)), scheme))
		return false;
	bytes_skip(field, strlen(scheme));
	while (field->left && field->at[0] == ' ')
		bytes_skip(field, 1);
	return field->left > 0;
}

unsigned jndi_scan(struct bytes field, const char *name, const struct proto_input *in, const struct proto_sink *sink,
		   uint8_t app)
{
	unsigned found = 0;

	field = bytes_head(field, JNDI_FIELD_BYTES);
	if (may_hold(field))
		found = scan(field, false, JNDI_HITS, name, in, sink, app);
	if (found < JNDI_HITS && basic_credentials(name, &field))
		found += scan(field, true, JNDI_HITS - found, "basic-auth", in, sink, app);
	return found;
}

size_t jndi_resolve(struct bytes field, char *out, size_t cap, unsigned *depth)
{
	struct search s;
	size_t n;

	s.field = bytes_head(field, JNDI_FIELD_BYTES);
	s.base64 = false;
	s.first_only = true;
	search_run(&s, 0);
	*depth = s.rounds;
	n = s.resolved.length < cap ? s.resolved.length : cap;
	memcpy(out, s.resolved.at, n);
	return n;
}
