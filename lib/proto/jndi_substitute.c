// SPDX-License-Identifier: GPL-2.0-or-later
// log4j 2.14's StrSubstitutor.substitute() and Interpolator.lookup() without recursion and without executing
// anything: innermost look-ups first, ":-" splits off the default, the prefix ends at the first ':' and is
// lower-cased. A look-up whose value cannot be known here (env, sys, ctx, k8s, an unknown prefix, ...) counts as
// unset: its default, or else itself. Two things are more generous than log4j, both towards seeing an attempt: an
// escaping '$' before "${" is ignored, and what is never closed is still resolved inside.
#include "jndi_impl.h"

struct lookup {            // one open "${"
	uint16_t start;    // of "${" in the text
	uint16_t colon;    // first ':' inside, 0 none yet
	uint16_t mark;     // first ":-" inside, 0 none yet
	uint16_t resolved; // look-ups inside it that were replaced
};

struct machine {
	struct jndi_text *t;
	struct jndi_hits *hits;
	size_t out;           // text[0..out) is done; never ahead of the reading position
	unsigned first, open; // stack[] is a ring: the outermost and how many
	unsigned round;
	unsigned taken; // values put in place in this round
	bool again;     // ... and one of them, or a look-up let go of, may hold more
	struct lookup stack[JNDI_NEST];
};

static const char jndi_prefix[] = "jndi:";
enum { OPENING = 2 /* strlen("${") */ };

static bool begins_with_jndi(struct bytes b)
{
	return bytes_equal_nocase(bytes_head(b, sizeof(jndi_prefix) - 1), jndi_prefix) &&
	       b.left > sizeof(jndi_prefix) - 1;
}

// A later sight of the same look-up says more: it has its '}' or its URL.
static bool hit_better(const struct jndi_hit *old, struct bytes decoded, bool closed)
{
	if (closed != old->closed)
		return closed;
	return bytes_find_text(decoded, "://") < decoded.left &&
	       bytes_find_text(bytes_of(old->at, old->length), "://") == old->length;
}

static void hit_note(struct machine *m, const struct lookup *l, struct bytes decoded, uint16_t end, bool closed)
{
	struct jndi_hits *hits = m->hits;
	uint16_t begin = m->t->origin[l->start];
	unsigned i = 0;

	decoded = bytes_head(decoded, JNDI_DECODED_BYTES);
	while (i < hits->count && hits->hit[i].begin != begin)
		i++;
	if (i == JNDI_HITS || (i < hits->count && !hit_better(&hits->hit[i], decoded, closed)))
		return;
	if (i == hits->count)
		hits->count++;
	hits->hit[i] = (struct jndi_hit){.begin = begin,
					 .end = end,
					 .length = (uint16_t)decoded.left,
					 .depth = (uint16_t)(l->resolved + m->round),
					 .closed = closed};
	if (decoded.left)
		memcpy(hits->hit[i].at, decoded.at, decoded.left);
}

// What is held of a look-up that ends without '}': up to the first byte no URL has.
static void note_unclosed(struct machine *m, const struct lookup *l)
{
	struct bytes inside = bytes_of(m->t->at + l->start + OPENING, m->out - l->start - OPENING);
	size_t n = 0;

	if (!begins_with_jndi(inside))
		return;
	while (n < inside.left && inside.at[n] > ' ' && inside.at[n] != '"' && inside.at[n] != '<')
		n++;
	if (n < sizeof(jndi_prefix)) // nothing after the colon
		return;
	hit_note(m, l, bytes_head(inside, n), m->t->origin[l->start + OPENING + n - 1] + 1, false);
}

static struct lookup *top(struct machine *m)
{
	return m->open ? &m->stack[(m->first + m->open - 1) % JNDI_NEST] : NULL;
}

// text[at] has just been written inside the innermost open look-up.
static void see(struct lookup *l, const uint8_t *text, size_t at)
{
	if (text[at] == ':' && !l->colon)
		l->colon = (uint16_t)at;
	if (text[at] == '-' && !l->mark && at > (size_t)l->start + OPENING && text[at - 1] == ':')
		l->mark = (uint16_t)(at - 1);
}

static void put(struct machine *m, uint8_t c, uint16_t origin)
{
	m->t->at[m->out] = c;
	m->t->origin[m->out] = origin;
	if (m->open && (c == ':' || c == '-'))
		see(top(m), m->t->at, m->out);
	m->out++;
}

static void open_lookup(struct machine *m, size_t in)
{
	size_t floor = m->open ? (size_t)top(m)->start + OPENING : 0;
	uint16_t first = m->t->origin[in], second = m->t->origin[in + 1];

	// log4j takes "$${" for an escaped "${" and drops one '$'. After a default has been put in place the text is
	// read again, so an escape only delays: without this, "${x:-$${lower:j}}" would hide a j.
	while (m->out > floor && m->t->at[m->out - 1] == '$')
		m->out--;
	if (m->open == JNDI_NEST) { // let go of the outermost: it is text in this round and is resolved in the next
		note_unclosed(m, &m->stack[m->first]);
		m->first = (m->first + 1) % JNDI_NEST;
		m->open--;
		m->again = true;
	}
	m->stack[(m->first + m->open) % JNDI_NEST] = (struct lookup){.start = (uint16_t)m->out};
	put(m, '$', first);
	put(m, '{', second);
	m->open++;
}

// --- What a look-up with a known value gives. Writes to out, which lies before `name`; false: not known ---

static bool value_lower(struct bytes name, uint8_t *out, size_t *length)
{
	*length = jndi_case(name, false, out);
	return true;
}

static bool value_upper(struct bytes name, uint8_t *out, size_t *length)
{
	*length = jndi_case(name, true, out);
	return true;
}

static bool value_base64(struct bytes name, uint8_t *out, size_t *length)
{
	*length = jndi_base64(name, out);
	return *length > 0;
}

// SimpleDateFormat: quoted text and what is no letter stands for itself, '' is a quote. With a pattern letter outside
// quotes the value is the clock's.
static bool value_date(struct bytes name, uint8_t *out, size_t *length)
{
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < name.left; i++) {
		uint8_t c = byte_lower(name.at[i]);

		quoted ^= c == '\'';
		if (!quoted && c >= 'a' && c <= 'z')
			return false;
	}
	if (quoted || name.left == 0)
		return false;
	for (size_t i = 0; i < name.left; i++) {
		if (name.at[i] != '\'')
			out[n++] = name.at[i];
		else if (i + 1 < name.left && name.at[i + 1] == '\'')
			out[n++] = name.at[i++];
	}
	*length = n;
	return true;
}

static const struct known {
	const char *prefix;
	bool (*value)(struct bytes name, uint8_t *out, size_t *length);
} knowns[] = {
	{"lower", value_lower},
	{"upper", value_upper},
	{"date", value_date},
	{"base64", value_base64},
};

static const struct known *known_find(struct bytes prefix)
{
	for (size_t i = 0; i < sizeof(knowns) / sizeof(knowns[0]); i++)
		if (bytes_equal_nocase(prefix, knowns[i].prefix))
			return &knowns[i];
	return NULL;
}

// ---

// Each byte is moved once for every look-up around it. What that may cost is bounded; a text that needs more was made
// to hide something, and is reported as it stands.
static bool pay(struct machine *m, const struct lookup *l)
{
	size_t price = m->out - l->start;

	if (price > m->hits->work_left) {
		if (m->hits->work_left)
			hit_note(m, l, bytes_of(NULL, 0), m->t->origin[m->t->length], false);
		m->hits->work_left = 0;
		return false;
	}
	m->hits->work_left -= (uint32_t)price;
	return true;
}

// The look-up's text, from its "${" on, has been overwritten by a value of `length` bytes.
static void take_value(struct machine *m, const struct lookup *l, size_t length)
{
	struct lookup *outer = top(m);
	uint16_t origin = m->t->origin[l->start];

	m->taken++;
	m->out = l->start + length;
	for (size_t i = l->start; i < m->out; i++) {
		m->t->origin[i] = origin;
		m->again |= m->t->at[i] == '$';
		if (outer && (m->t->at[i] == ':' || m->t->at[i] == '-'))
			see(outer, m->t->at, i);
	}
	if (outer)
		outer->resolved = (uint16_t)(outer->resolved + l->resolved + 1);
}

static void keep(struct machine *m, const struct lookup *l, uint16_t origin)
{
	struct lookup *outer = top(m);

	if (outer) {
		outer->resolved = (uint16_t)(outer->resolved + l->resolved);
		outer->colon = outer->colon ? outer->colon : l->colon;
		outer->mark = outer->mark ? outer->mark : l->mark;
	}
	put(m, '}', origin);
}

// The '}' at `in` ends the innermost open look-up.
static void close_lookup(struct machine *m, size_t in)
{
	uint8_t *text = m->t->at;
	struct lookup l = *top(m);
	size_t inside = (size_t)l.start + OPENING, end = l.mark ? l.mark : m->out, length;
	const struct known *known = NULL;
	struct bytes name = {NULL, 0};

	m->open--;
	if (l.colon && l.colon < end) {
		known = known_find(bytes_of(text + inside, l.colon - inside));
		name = bytes_of(text + l.colon + 1, end - l.colon - 1);
	}
	if (begins_with_jndi(bytes_of(text + inside, end - inside)))
		hit_note(m, &l, bytes_of(text + inside, end - inside), m->t->origin[in + 1], true);
	if ((l.mark || known) && !pay(m, &l)) {
		keep(m, &l, m->t->origin[in]);
	} else if (known && known->value(name, text + l.start, &length)) {
		take_value(m, &l, length);
	} else if (l.mark) {
		length = m->out - l.mark - 2;
		memmove(text + l.start, text + l.mark + 2, length);
		take_value(m, &l, length);
	} else {
		keep(m, &l, m->t->origin[in]);
	}
}

bool jndi_substitute(struct jndi_text *t, struct jndi_hits *hits, unsigned round)
{
	struct machine m = {.t = t, .hits = hits, .round = round};
	size_t n = t->length, in = 0;
	uint16_t end = t->origin[n];

	while (in < n) {
		if (t->at[in] == '$' && in + 1 < n && t->at[in + 1] == '{') {
			open_lookup(&m, in);
			in += OPENING;
		} else if (t->at[in] == '}' && m.open) {
			close_lookup(&m, in++);
		} else {
			put(&m, t->at[in], t->origin[in]);
			in++;
		}
	}
	for (unsigned i = 0; i < m.open; i++)
		note_unclosed(&m, &m.stack[(m.first + i) % JNDI_NEST]);
	t->length = m.out;
	t->origin[m.out] = end;
	return m.again && m.taken;
}
