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
	uint16_t kept;     // first ":\-" inside, 0 none yet
	uint16_t resolved; // look-ups inside it that were replaced
};

struct machine {
	struct jndi_text *t;
	struct jndi_hits *hits;
	size_t out;           // text[0..out) is done; never ahead of the reading position
	unsigned first, open; // stack[] is a ring: the outermost and how many
	unsigned round;
	unsigned taken; // values put in place in this round
	unsigned let_go;
	bool late;      // one that was let go of may have been closed since
	bool again;     // ... and one of them, or a look-up let go of, may hold more
	struct lookup stack[JNDI_NEST];
};

static const char jndi_prefix[] = "jndi:";
enum { OPENING = 2 /* strlen("${") */ };

static bool begins_with_jndi(struct bytes b)
{
	return b.left > sizeof(jndi_prefix) - 1 &&
	       bytes_equal_nocase(bytes_head(b, sizeof(jndi_prefix) - 1), jndi_prefix);
}

enum { SCHEME_MOST = 64, HOST_MOST = 256 };

static bool may_be_escape(uint8_t c)
{
	return c == '%' || c == '&' || c == '\\' || c >= 0x7f;
}

// A look-up says most with its '}' and with a scheme and a host in which no escape is left.
static uint8_t hit_rank(struct bytes decoded, bool closed)
{
	struct bytes head = bytes_head(decoded, SCHEME_MOST);
	size_t url = bytes_find_text(head, "://"), host = url + 3, n = 0;
	uint8_t rank = closed ? JNDI_RANK_CLOSED : 0;

	if (url == head.left)
		return rank;
	decoded = bytes_head(decoded, host + HOST_MOST);
	for (; n < decoded.left && (n < host || (decoded.at[n] != '/' && decoded.at[n] != '?')); n++)
		if (may_be_escape(decoded.at[n]))
			return rank;
	return n > host ? rank | JNDI_RANK_CLEAR : rank;
}

// Where a look-up that begins there is or would be kept; JNDI_HITS: nowhere, or there is nothing more to say of it.
static unsigned hit_slot(struct jndi_hits *hits, uint16_t begin)
{
	unsigned i = 0;

	while (i < hits->count && hits->hit[i].begin != begin)
		i++;
	if (i == JNDI_HITS) { // one too many
		hits->unread = true;
		return i;
	}
	return i < hits->count && hits->hit[i].rank == JNDI_RANK_BEST ? JNDI_HITS : i;
}

// Of one look-up seen several times the one that says most is kept; where none is perfect, the later, which had more
// undone.
static void hit_note(struct machine *m, const struct lookup *l, struct bytes decoded, uint16_t end, bool closed)
{
	struct jndi_hits *hits = m->hits;
	uint16_t begin = m->t->origin[l->start];
	unsigned i = hit_slot(hits, begin);
	uint8_t rank;

	if (i == JNDI_HITS)
		return;
	decoded = bytes_head(decoded, JNDI_DECODED_BYTES);
	jndi_work_spend(&hits->work, JNDI_NOTE_WORK + (uint32_t)decoded.left);
	rank = hit_rank(decoded, closed);
	if (i < hits->count && rank < hits->hit[i].rank)
		return;
	if (i == hits->count)
		hits->count++;
	hits->hit[i] = (struct jndi_hit){.begin = begin,
					 .end = end,
					 .length = (uint16_t)decoded.left,
					 .depth = (uint16_t)(l->resolved + m->round),
					 .rank = rank};
	memcpy(hits->hit[i].at, decoded.at, decoded.left);
}

// What is held of a look-up that ends without '}': up to the first byte no URL has.
static void note_unclosed(struct machine *m, const struct lookup *l)
{
	struct bytes inside =
		bytes_head(bytes_of(m->t->at + l->start + OPENING, m->out - l->start - OPENING), JNDI_DECODED_BYTES);
	size_t n = 0;

	if (!begins_with_jndi(inside) || hit_slot(m->hits, m->t->origin[l->start]) == JNDI_HITS)
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

// text[at], a ':' or '-', has just been written inside the innermost open look-up.
static void see(struct lookup *l, const uint8_t *text, size_t at)
{
	size_t inside = (size_t)l->start + OPENING;

	if (text[at] == ':') {
		l->colon = l->colon ? l->colon : (uint16_t)at;
		return;
	}
	if (!l->mark && at > inside && text[at - 1] == ':')
		l->mark = (uint16_t)(at - 1);
	if (!l->mark && !l->kept && at > inside + 1 && text[at - 1] == '\\' && text[at - 2] == ':')
		l->kept = (uint16_t)(at - 2);
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
	m->hits->opened = true;
	if (m->open == JNDI_NEST) { // let go of the outermost: it is text in this round and is resolved in the next
		note_unclosed(m, &m->stack[m->first]);
		m->first = (m->first + 1) % JNDI_NEST;
		m->open--;
		m->let_go++;
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
// quotes the value is the clock's. Nothing at all is a pattern, too.
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
	if (quoted)
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

// Properties that are the same on every Unix.
static bool value_sys(struct bytes name, uint8_t *out, size_t *length)
{
	static const struct property {
		const char *name;
		uint8_t value;
	} properties[] = {{"file.separator", '/'}, {"path.separator", ':'}, {"line.separator", '\n'}};

	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		if (bytes_equal_text(name, properties[i].name)) {
			*out = properties[i].value;
			*length = 1;
			return true;
		}
	return false;
}

static const struct known {
	const char *prefix;
	bool (*value)(struct bytes name, uint8_t *out, size_t *length);
	bool foreign; // some applications have it, log4j has not: there a default would be taken
} knowns[] = {
	{"lower", value_lower, false}, {"upper", value_upper, false},  {"date", value_date, false},
	{"sys", value_sys, false},     {"base64", value_base64, true},
};

static const struct known *known_find(struct bytes prefix)
{
	for (size_t i = 0; i < sizeof(knowns) / sizeof(knowns[0]); i++)
		if (bytes_equal_nocase(prefix, knowns[i].prefix))
			return &knowns[i];
	return NULL;
}

// ---

// The look-up's text, from its "${" on, has been overwritten by a value of `length` bytes.
static void take_value(struct machine *m, const struct lookup *l, size_t length)
{
	struct lookup *outer = top(m);
	uint16_t origin = m->t->origin[l->start];

	m->taken++;
	m->out = l->start + length;
	for (size_t i = l->start; i < m->out; i++)
		m->t->origin[i] = origin;
	m->again = m->again || bytes_find(bytes_of(m->t->at + l->start, length), '$') < length;
	for (size_t i = l->start; outer && i < m->out; i++)
		if (m->t->at[i] == ':' || m->t->at[i] == '-')
			see(outer, m->t->at, i);
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
		outer->kept = outer->kept ? outer->kept : l->kept;
	}
	put(m, '}', origin);
}

// ":\-" is a ":-" that is part of the key; where a default follows, log4j takes only the colon.
static void unkeep(struct machine *m, struct lookup *l)
{
	uint8_t *text = m->t->at;
	size_t less = l->mark ? 2 : 1, from = l->kept + 1u;

	memmove(text + from, text + from + less, m->out - from - less);
	memmove(m->t->origin + from, m->t->origin + from + less, (m->out - from - less) * sizeof(m->t->origin[0]));
	m->out -= less;
	l->mark = (uint16_t)(l->mark ? l->mark - less : 0);
}

static const struct known *known_of(struct machine *m, const struct lookup *l, size_t end)
{
	size_t inside = (size_t)l->start + OPENING;
	const struct known *known = NULL;

	if (l->colon && l->colon < end)
		known = known_find(bytes_of(m->t->at + inside, l->colon - inside));
	return known && known->foreign && l->mark ? NULL : known;
}

// The '}' at `in` ends the innermost open look-up.
static void close_lookup(struct machine *m, size_t in)
{
	uint8_t *text = m->t->at;
	struct lookup l = *top(m);
	size_t inside = (size_t)l.start + OPENING, end = l.mark ? l.mark : m->out, length;
	const struct known *known = known_of(m, &l, end);
	bool jndi = begins_with_jndi(bytes_of(text + inside, end - inside));

	m->open--;
	jndi_work_spend(&m->hits->work, JNDI_CLOSE_WORK + (l.mark || known ? (uint32_t)(m->out - l.start) : 0));
	if (l.kept && (!l.mark || l.kept < l.mark) && (known || jndi))
		unkeep(m, &l);
	end = l.mark ? l.mark : m->out;
	if (jndi)
		hit_note(m, &l, bytes_of(text + inside, end - inside), m->t->origin[in + 1], true);
	if (known && known->value(bytes_of(text + l.colon + 1, end - l.colon - 1), text + l.start, &length)) {
		take_value(m, &l, length);
	} else if (l.mark) {
		length = m->out - l.mark - 2;
		memmove(text + l.start, text + l.mark + 2, length);
		take_value(m, &l, length);
	} else {
		keep(m, &l, m->t->origin[in]);
	}
}

// What changes nothing: all up to the next "$" outside look-ups, up to the next of "$:-}" inside.
static size_t quiet(const struct machine *m, size_t in, size_t n)
{
	static const bool loud[256] = {['$'] = true, ['}'] = true, [':'] = true, ['-'] = true};
	const uint8_t *text = m->t->at;
	size_t at = in;

	if (!m->open)
		return bytes_find(bytes_of(text + in, n - in), '$');
	while (at < n && !loud[text[at]])
		at++;
	return at - in;
}

static void put_run(struct machine *m, size_t in, size_t run)
{
	if (m->out != in && run) {
		memmove(m->t->at + m->out, m->t->at + in, run);
		memmove(m->t->origin + m->out, m->t->origin + in, run * sizeof(m->t->origin[0]));
	}
	m->out += run;
}

bool jndi_substitute(struct jndi_text *t, struct jndi_hits *hits, unsigned round)
{
	struct machine m = {.t = t, .hits = hits, .round = round};
	size_t n = t->length, in = 0, run;
	uint16_t end = t->origin[n];

	for (; in < n && jndi_work_spend(&hits->work, JNDI_OPEN_WORK); in++) {
		run = quiet(&m, in, n);
		jndi_work_spend(&hits->work, (uint32_t)run / 2);
		m.late = m.late || (m.let_go && !m.open && bytes_find(bytes_of(t->at + in, run), '}') < run);
		put_run(&m, in, run);
		in += run;
		if (in == n)
			break;
		if (t->at[in] == '$' && in + 1 < n && t->at[in + 1] == '{')
			open_lookup(&m, in++);
		else if (t->at[in] == '}' && m.open)
			close_lookup(&m, in);
		else
			put(&m, t->at[in], t->origin[in]);
	}
	for (unsigned i = 0; i < m.open; i++)
		note_unclosed(&m, &m.stack[(m.first + i) % JNDI_NEST]);
	t->length = m.out;
	t->origin[m.out] = end;
	hits->unread = hits->unread || (m.late && !m.taken);
	return m.again && m.taken && hits->work.left;
}
