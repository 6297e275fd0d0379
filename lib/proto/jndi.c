// SPDX-License-Identifier: GPL-2.0-or-later
// JNDI look-ups in a field: is one there, however it is written, and where does it lead? Nobody outside knows which
// escapes the application undoes before it logs, so the text is read as it stands and after each layer of them, first
// percent alone (a URI), then all kinds. A "}" that only one of the readings has can so not hide a look-up from
// another. Runs on every inbound header: most are left after jndi_filter.c's quick look. Work is bounded by the field's
// length; what cannot be read within it is reported as it stands.
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

static bool spend_pass(struct search *s)
{
	return jndi_work_spend(&s->hits.work, (uint32_t)s->escaped.length / 2);
}

// Many decoders pass over what is no digit (commons-codec, which Tomcat has, PHP), others stop there: what those read is the front of it.
static void load_base64(struct jndi_text *t, struct bytes field)
{
	size_t digits = 0;

	for (size_t i = 0; i < field.left; i++) {
		if (!jndi_is_base64(field.at[i]))
			continue;
		t->at[digits] = field.at[i];
		t->origin[digits++] = (uint16_t)i;
	}
	t->length = jndi_base64(bytes_of(t->at, digits), t->at);
	for (size_t i = 0; i < t->length; i++)
		t->origin[i] = t->origin[i / 3 * 4];
	t->origin[t->length] = (uint16_t)field.left;
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
	load_base64(t, s->field);
}

static void read_once(struct search *s)
{
	struct jndi_text *t = &s->resolved;
	bool again = jndi_find_opening(bytes_of(s->escaped.at, s->escaped.length)) < s->escaped.length;

	if (!spend_pass(s))
		return;
	t->length = s->escaped.length;
	memcpy(t->at, s->escaped.at, t->length);
	memcpy(t->origin, s->escaped.origin, (t->length + 1) * sizeof(t->origin[0]));
	for (unsigned round = 0; again && round < s->limit; round++, s->rounds++)
		again = jndi_substitute(t, &s->hits, round);
	s->hits.unread = s->hits.unread || again;
}

static bool finished(const struct search *s)
{
	return s->hits.work.left == 0 || (s->first_only && s->hits.count);
}

// The text as it stands, then after 1, 2, ... layers of the given escapes.
static void read_layers(struct search *s, unsigned which)
{
	for (unsigned layer = 1; layer < s->limit && !finished(s) && jndi_unescape(&s->escaped, which, &s->hits.work);
	     layer++)
		read_once(s);
}

static void search_run(struct search *s, unsigned limit)
{
	s->hits.count = 0;
	s->hits.opened = false;
	s->hits.work.given = s->hits.work.left = JNDI_WORK_FREE + JNDI_WORK_BYTE * (uint32_t)s->field.left;
	s->rounds = 0;
	s->hits.unread = false;
	s->limit = limit == 0 ? JNDI_ROUNDS : limit > JNDI_ROUNDS_MOST ? JNDI_ROUNDS_MOST : limit;
	load(s);
	read_once(s);
	read_layers(s, JNDI_PERCENT);
	// Without these two the readings below would be the same as those above.
	if (finished(s) ||
	    (!memchr(s->escaped.at, '&', s->escaped.length) && !memchr(s->escaped.at, '\\', s->escaped.length)))
		return;
	load(s);
	spend_pass(s);
	read_layers(s, JNDI_PERCENT | JNDI_ENTITY | JNDI_BACKSLASH);
}

uint32_t jndi_work_of(struct bytes field, uint32_t *given)
{
	struct search s = {.field = bytes_head(field, JNDI_FIELD_BYTES)};

	search_run(&s, 0);
	*given = s.hits.work.given;
	return s.hits.work.given - s.hits.work.left;
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

// Behind the last '@' outside look-ups: who logs in is no part of the host.
static struct bytes without_user(struct bytes b)
{
	for (size_t n; (n = find_outside(b, "@")) < b.left;)
		b = bytes_from(b, n + 1);
	return b;
}

// "host", "host:port", "[v6]:port"; a host may itself hold look-ups, "${env:USER}.example.net".
static void read_host(struct bytes b, struct target *out)
{
	struct bytes literal;
	size_t close, n;

	b = literal = without_user(b);
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

// The work or the rounds ran out before any look-up was read: one that is there, or might be, as it stands.
static void note_unread(struct search *s)
{
	if (s->hits.count || !s->hits.opened)
		return;
	s->hits.hit[0] = (struct jndi_hit){.end = (uint16_t)s->field.left, .depth = (uint16_t)s->rounds};
	s->hits.count = 1;
}

struct scan { // one field on its way out
	struct bytes field;
	const char *name;
	const struct proto_input *in;
	const struct proto_sink *sink;
	uint8_t app;
	bool grows;               // more of it will come, and may say more of a look-up
	struct jndi_reported *of; // what earlier scans of it reported
};

static bool report(struct scan *c, const struct jndi_hit *h)
{
	struct jndi_reported *r = c->of;

	for (unsigned i = 0; i < r->count; i++)
		if (r->begin[i] == h->begin)
			return false;
	if (r->count == JNDI_HITS || (c->grows && h->rank != JNDI_RANK_BEST))
		return false;
	r->begin[r->count++] = h->begin;
	return true;
}

// The search state is large: it lives here so that fields the quick look refuses do not pay for it.
static __attribute__((noinline)) unsigned scan(struct scan *c, bool base64)
{
	struct search s;
	unsigned n = 0;

	s.field = c->field;
	s.base64 = base64;
	s.first_only = false;
	search_run(&s, c->sink->jndi_depth);
	if (s.hits.work.left == 0 || s.hits.unread) {
		proto_mark(c->sink, COUNT_PROTO_BUDGET);
		note_unread(&s);
	}
	for (unsigned i = 0; i < s.hits.count; i++) {
		if (!report(c, &s.hits.hit[i]))
			continue;
		emit_hit(&s, &s.hits.hit[i], base64 ? "basic-auth" : c->name, c->in, c->sink, c->app);
		n++;
	}
	return n;
}

// RFC 7617: "Basic" SP base64(user ":" password). Many applications log the user name. What separates them is passed over by most.
static bool basic_credentials(const char *name, struct bytes *field)
{
	static const char scheme[] = "basic";

	if (!bytes_equal_nocase(bytes_head(*field, strlen(scheme)), scheme))
		return false;
	if (strcmp(name, "header:authorization") && strcmp(name, "header:proxy-authorization"))
		return false;
	bytes_skip(field, strlen(scheme));
	return field->left > 0 && !jndi_is_base64(field->at[0]);
}

unsigned jndi_scan(struct bytes field, const char *name, const struct proto_input *in, const struct proto_sink *sink,
		   uint8_t app)
{
	struct jndi_reported reported;
	struct scan c;
	unsigned found = 0;

	field = bytes_head(field, JNDI_FIELD_BYTES);
	if (jndi_may_hold(field)) {
		reported.count = 0;
		c = (struct scan){field, name, in, sink, app, false, &reported};
		found = scan(&c, false);
	}
	if (found < JNDI_HITS && basic_credentials(name, &field)) {
		reported.count = found; // of the four; where they stood says nothing of places in the decoded text
		memset(reported.begin, 0xff, sizeof(reported.begin));
		c = (struct scan){field, name, in, sink, app, false, &reported};
		found += scan(&c, true);
	}
	return found;
}

unsigned jndi_scan_window(struct bytes field, bool grows, struct jndi_reported *reported, const char *name,
			  const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	struct scan c = {bytes_head(field, JNDI_FIELD_BYTES), name, in, sink, app, grows, reported};

	return jndi_may_hold(c.field) ? scan(&c, false) : 0;
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
