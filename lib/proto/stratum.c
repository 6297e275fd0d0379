// SPDX-License-Identifier: GPL-2.0-or-later
// Mining-pool protocols by content on any port: Stratum v1 (mining.*), its Ethereum forms (eth_*) and the Monero form
// (login, job, submit). All are JSON-RPC objects, one a line. Only keys are searched, in the first bytes of each object
// and aware of strings, never a value's words: a page that mentions "mining.notify" is no pool. Does not parse JSON in
// full, nor HTTP getwork. Called by the worker that owns the flow.
#include "proto.h"

enum stratum_limits {
	COLLECT_BYTES = 1024,   // of an object looked at
	OBJECTS = 8,            // that may pass without a sign of mining; then PARSE_BAD
	DEPTH = 250,            // brackets open at once; then PARSE_BAD
	LINE_BYTES = 1 << 20,   // longest object; then PARSE_BAD
};

struct side {
	uint32_t seen;          // bytes of the object in hand
	uint16_t have;          // of these, in collected
	uint8_t depth;          // open brackets; 0 = between objects
	bool in_string, escaped;
	uint8_t collected[COLLECT_BYTES];
};

struct stratum {
	struct side side[2];    // [0] server's, [1] client's bytes
	uint32_t strange;       // objects without a sign, since the last with one
};
_Static_assert(sizeof(struct stratum) <= PROTO_STATE_BYTES, "parser state fits the pool");

// --- JSON, as little as needed. The text may be cut anywhere ---

static void skip_space(struct bytes *b)
{
	while (b->left && strchr(" \t\r\n", b->at[0]) && b->at[0])
		bytes_skip(b, 1);
}

// The string at *b without its quotes, escapes left as they stand. false: none, or cut.
static bool take_string(struct bytes *b, struct bytes *out)
{
	struct bytes at = *b, text;
	uint8_t c;

	if (!bytes_read_u8(&at, &c) || c != '"')
		return false;
	text = at;
	while (bytes_read_u8(&at, &c)) {
		if (c == '\\')
			bytes_skip(&at, 1);
		if (c != '"')
			continue;
		*out = bytes_head(text, text.left - at.left - 1);
		*b = at;
		return true;
	}
	return false;
}

// The value at *b, brackets and all, or as much of it as is there.
static struct bytes take_value(struct bytes *b)
{
	struct bytes at = *b, text;
	unsigned depth = 0;

	while (at.left) {
		uint8_t c = at.at[0];

		if (c == '"') {
			if (!take_string(&at, &text))
				at = bytes_from(at, at.left);
			continue;
		}
		if ((c == ',' || c == '}' || c == ']') && depth == 0)
			break;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		bytes_skip(&at, 1);
	}
	text = bytes_head(*b, b->left - at.left);
	*b = at;
	return text;
}

// Next member of the object (or element of the array) that *b stands in; the first call finds its bracket. The key is
// empty in an array. false: no more.
static bool next_member(struct bytes *b, struct bytes *key, struct bytes *value)
{
	struct bytes at;

	skip_space(b);
	if (!b->left || !strchr("{[,", b->at[0]) || !b->at[0])
		return false;
	bytes_skip(b, 1);
	skip_space(b);
	*key = bytes_of(NULL, 0);
	at = *b;
	if (take_string(&at, key)) {
		skip_space(&at);
		if (at.left && at.at[0] == ':')
			bytes_skip(&at, 1);
		else
			key->left = 0;
		if (key->left)
			*b = at;
	}
	skip_space(b);
	*value = take_value(b);
	return value->left || key->left;
}

// The value of `key` in the object; empty where there is none.
static struct bytes find_key(struct bytes object, const char *key)
{
	struct bytes name, value;

	while (next_member(&object, &name, &value))
		if (bytes_equal_text(name, key))
			return value;
	return bytes_of(NULL, 0);
}

static struct bytes string_of(struct bytes value)
{
	struct bytes text;

	return take_string(&value, &text) ? text : bytes_of(NULL, 0);
}

static struct bytes first_string(struct bytes array)
{
	struct bytes name, value;

	if (array.left && array.at[0] == '[' && next_member(&array, &name, &value))
		return string_of(value);
	return bytes_of(NULL, 0);
}

static bool has_key(struct bytes object, const char *key)
{
	return find_key(object, key).left != 0;
}

// --- Methods ---

struct message {
	struct bytes method, agent, login;
};

static bool read_first_as_login(struct message *m, struct bytes params)
{
	m->login = first_string(params);
	return true;
}

static bool read_first_as_agent(struct message *m, struct bytes params)
{
	m->agent = first_string(params);
	return true;
}

static bool read_nothing(struct message *m, struct bytes params)
{
	return true;
}

// The Monero form's words are everyday ones: their parameters must bear them out.
static bool read_login(struct message *m, struct bytes params)
{
	m->login = string_of(find_key(params, "login"));
	m->agent = string_of(find_key(params, "agent"));
	return has_key(params, "login") && (has_key(params, "pass") || has_key(params, "agent"));
}

static bool read_job(struct message *m, struct bytes params)
{
	return has_key(params, "blob") && (has_key(params, "target") || has_key(params, "job_id"));
}

static bool read_share(struct message *m, struct bytes params)
{
	return has_key(params, "nonce") && has_key(params, "job_id");
}

// What the Monero pool's client says once it has logged in: its session's id, and nothing else.
static bool read_session(struct message *m, struct bytes params)
{
	return has_key(params, "id");
}

static const struct method {
	const char *name;
	bool begins; // only its beginning must be that
	bool (*read)(struct message *m, struct bytes params);
} methods[] = {
	{"mining.subscribe", false, read_first_as_agent},
	{"mining.authorize", false, read_first_as_login},
	{"mining.submit", false, read_first_as_login},
	{"mining.", true, read_nothing}, // notify, set_difficulty, configure, set_extranonce, …
	{"eth_submitLogin", false, read_first_as_login},
	{"eth_login", false, read_first_as_login},
	{"eth_getWork", false, read_nothing},
	{"eth_submitWork", false, read_nothing},
	{"eth_submitHashrate", false, read_nothing},
	{"login", false, read_login},
	{"job", false, read_job},
	{"submit", false, read_share},
	{"getjob", false, read_session},
	{"keepalived", false, read_session},
};

static bool read_method(struct message *m, struct bytes params)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].begins ? bytes_begin_with(m->method, methods[i].name)
				      : bytes_equal_text(m->method, methods[i].name))
			return methods[i].read(m, params);
	return false;
}

static bool read_object(struct message *m, struct bytes object)
{
	struct bytes job;

	*m = (struct message){.method = string_of(find_key(object, "method"))};
	if (m->method.left)
		return read_method(m, find_key(object, "params"));
	job = find_key(find_key(object, "result"), "job"); // the Monero pool's answer to a login
	m->method = bytes_of_text("job");
	return read_job(m, job);
}

static bool is_answer(struct bytes object)
{
	return has_key(object, "result") || has_key(object, "error");
}

static void take_object(struct stratum *stratum, struct side *s, const struct proto_input *in,
			const struct proto_sink *sink)
{
	struct bytes object = bytes_of(s->collected, s->have);
	struct observation o;
	struct message m;

	if (!read_object(&m, object)) {
		if (!is_answer(object)) // answers carry no method: neither for nor against
			stratum->strange++;
		return;
	}
	stratum->strange = 0;
	observation_init(&o, OBS_STRATUM);
	o.facts = FACT_BIT(FACT_STRATUM);
	observation_put(&o, TEXT_STRATUM_METHOD, m.method);
	observation_put(&o, TEXT_STRATUM_AGENT, m.agent);
	observation_put(&o, TEXT_STRATUM_LOGIN, m.login);
	if (in->device_sends && (self_address_in(m.login, in) || self_address_in(m.agent, in)))
		o.facts |= FACT_BIT(FACT_SELF_ADDRESS);
	proto_emit(sink, in, APP_STRATUM, &o);
}

// --- Stream ---

static void object_over(struct side *s)
{
	s->seen = s->have = s->depth = 0;
	s->in_string = s->escaped = false;
}

// One octet. true: it ends an object, by its last bracket or (a string cannot hold one) by the line's end.
static bool step(struct side *s, uint8_t c)
{
	if (s->depth == 0 && c != '{')
		return false;
	if (s->have < COLLECT_BYTES)
		s->collected[s->have++] = c;
	s->seen++;
	if (c == '\n')
		return s->in_string;
	if (s->in_string) {
		if (!s->escaped && c == '"')
			s->in_string = false;
		s->escaped = !s->escaped && c == '\\';
		return false;
	}
	if (c == '"')
		s->in_string = true;
	if (c == '{' || c == '[')
		s->depth++;
	if (c == '}' || c == ']')
		s->depth--;
	return s->depth == 0;
}

static enum parse stratum_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct stratum *stratum = state;
	struct side *s = &stratum->side[in->from_client];
	struct bytes data = in->data;
	uint8_t c;

	if (in->gap)
		object_over(s);
	if (in->from_outside) // only keys are read, and what stands between objects is not
		jndi_scan(data, "payload", in, sink, APP_STRATUM);
	while (bytes_read_u8(&data, &c)) {
		if (step(s, c)) {
			take_object(stratum, s, in, sink);
			object_over(s);
		}
		if (s->depth >= DEPTH || s->seen >= LINE_BYTES || stratum->strange >= OBJECTS)
			return PARSE_BAD;
	}
	return PARSE_MORE;
}

// Is a word that only pools use in the first bytes, as a method or among the keys of a login?
static bool has_sign(struct bytes data)
{
	static const char *const signs[] = {"\"mining.",         "\"eth_submitLogin\"",    "\"eth_getWork\"",
					    "\"eth_submitWork\"", "\"eth_submitHashrate\"", "\"eth_login\""};
	struct bytes method = find_key(data, "method"), params = find_key(data, "params");

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (bytes_find_text(data, signs[i]) < data.left)
			return true;
	return (bytes_equal_text(method, "\"login\"") && bytes_begin_with(params, "{\"login\"")) ||
	       (bytes_equal_text(method, "\"job\"") && bytes_begin_with(params, "{\"blob\""));
}

static enum probe stratum_probe(struct bytes data, bool from_client)
{
	bool full = data.left >= PROTO_PROBE_BYTES;
	struct bytes at;

	skip_space(&data);
	at = data;
	if (!data.left)
		return full ? PROBE_NO : PROBE_MAYBE;
	if (!bytes_skip(&at, 1) || data.at[0] != '{')
		return PROBE_NO;
	skip_space(&at);
	if (at.left && at.at[0] != '"')
		return PROBE_NO;
	if (has_sign(data))
		return PROBE_YES;
	// An object that is over showed no sign; one that goes on may still.
	return full || bytes_find(data, '\n') < data.left ? PROBE_NO : PROBE_MAYBE;
}

const struct proto_ops proto_stratum = {
	.name = "stratum",
	.app = APP_STRATUM,
	.transport = 6,
	// no ports: none is registered, so none is wrong
	.state_bytes = sizeof(struct stratum),
	.probe = stratum_probe,
	.feed = stratum_feed,
};
