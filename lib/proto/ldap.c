// SPDX-License-Identifier: GPL-2.0-or-later
// LDAP (RFC 4511) by content on any port, both directions. One observation per message; the fact a JNDI attack
// cannot hide is an entry with Java attributes (RFC 2713), whose observation leaves on the very segment that completes
// the message: no client acts before that. Framing follows the JDK's client (com.sun.jndi.ldap.Connection), the victim:
// it skips bytes until 0x30 and forgets messages it cannot decode, so giving up at the first oddity would let the next
// message pass unseen. Behind StartTLS the flow is TLS, whose parser takes the place. Does not know who is outside, and does not decide. Called by the worker that owns the flow.
#include "ldap_impl.h"
#include "tls_impl.h"

struct side {
	uint64_t rest;        // bytes of the message in hand not yet taken from the stream
	uint64_t skip;        // of these, bytes to pass over unseen
	uint32_t have;        // bytes in collected
	uint32_t noise;       // since the last good message
	bool framed;          // its header is whole: rest, skip and have tell where we are
	bool in_entry;        // a long search entry: collected holds attributes, o what is known of it
	bool odd;             // its lengths contradict each other: attributes are looked for at every octet
	bool lost;            // after a gap: wait for something that looks like a message
	struct observation o; // of the message in hand
	uint8_t collected[LDAP_COLLECT_BYTES];
};

struct ldap {
	struct side side[2];         // [0] server's, [1] client's bytes
	uint64_t start_tls;          // message id + 1 of a StartTLS request that waits for its answer; 0 = none
	bool tls_granted;            // its answer was yes: a message may not follow, a TLS record may
	bool sasl_asked, sasl;       // a SASL bind succeeded: a security layer may follow (RFC 4511 §5.2.1.8)
	bool done;                   // the rest is ciphertext
};

struct conversation {                // one parser at a time: `tls` says whose the memory is
	bool tls;
	union {
		struct ldap ldap;
		uint64_t tls_state[TLS_STATE_BYTES / 8];
	};
};
_Static_assert(sizeof(struct conversation) <= PROTO_STATE_BYTES, "parser state fits the pool");

struct work { // one feed
	struct ldap *ldap;
	struct side *side;
	const struct proto_input *in;
	const struct proto_sink *sink;
};

// --- Operations: a client passes over what it has not asked for, so a server's request asks nothing, nor does a client's answer grant it ---

static void put_octets(struct bytes *b, struct observation *o, unsigned slot)
{
	struct bytes text;

	if (ldap_expect(b, TAG_OCTETS, &text))
		observation_put(o, slot, text);
}

static bool read_bind(struct work *w, struct bytes op)
{
	struct ldap_element auth;
	uint64_t version;

	if (!ldap_unsigned(&op, TAG_INTEGER, &version))
		return false;
	put_octets(&op, &w->side->o, TEXT_LDAP_NAME);
	if (ldap_take(&op, &auth) && auth.tag == TAG_SASL && w->in->from_client)
		w->ldap->sasl_asked = true;
	return true;
}

static void put_referral(struct observation *o, struct bytes uris)
{
	o->facts |= FACT_BIT(FACT_LDAP_REFERRAL);
	put_octets(&uris, o, TEXT_LDAP_REFERRAL); // the first one; a client may take any
}

// LDAPResult (RFC 4511 §4.1.9): code, matched DN, message, [3] referral.
static bool read_result(struct work *w, struct bytes op)
{
	struct observation *o = &w->side->o;
	struct bytes skipped;
	struct ldap_element e;
	bool behind;

	if (!ldap_unsigned(&op, TAG_ENUMERATED, &o->number[NUM_LDAP_RESULT]))
		return false;
	behind = ldap_expect(&op, TAG_OCTETS, &skipped) && ldap_expect(&op, TAG_OCTETS, &skipped) && ldap_take(&op, &e);
	if (behind && e.tag == TAG_REFERRAL)
		put_referral(o, e.content);
	if (!behind && w->side->rest) // texts longer than what is collected; a referral may stand behind them
		proto_mark(w->sink, COUNT_PROTO_BUDGET);
	return true;
}

static bool read_bind_result(struct work *w, struct bytes op)
{
	if (!read_result(w, op))
		return false;
	if (!w->in->from_client)
		w->ldap->sasl = w->ldap->sasl_asked && w->side->o.number[NUM_LDAP_RESULT] == 0;
	return true;
}

static bool read_search(struct work *w, struct bytes op)
{
	static const uint8_t before_filter[] = {TAG_ENUMERATED, TAG_ENUMERATED, TAG_INTEGER, TAG_INTEGER, TAG_BOOLEAN};
	struct observation *o = &w->side->o;
	char text[LDAP_FILTER_BYTES];
	uint64_t unused;
	bool cut;
	size_t n;

	put_octets(&op, o, TEXT_LDAP_NAME);
	for (size_t i = 0; i < sizeof(before_filter); i++)
		if (!ldap_unsigned(&op, before_filter[i], &unused))
			return false;
	n = ldap_filter_format(op, text, sizeof(text), &cut);
	observation_put(o, TEXT_LDAP_FILTER, bytes_of(text, n));
	if (cut)
		o->flags8 |= OBS_FLAG_TRUNCATED;
	return true;
}

static bool read_reference(struct work *w, struct bytes op)
{
	put_referral(&w->side->o, op);
	return true;
}

static bool read_extended(struct work *w, struct bytes op)
{
	struct bytes oid;

	if (!ldap_expect(&op, TAG_EXTENDED_NAME, &oid))
		return false;
	observation_put(&w->side->o, TEXT_LDAP_NAME, oid);
	if (bytes_equal_text(oid, "1.3.6.1.4.1.1466.20037") && w->in->from_client) // StartTLS, RFC 4511 §4.14.1
		w->ldap->start_tls = w->side->o.number[NUM_LDAP_MESSAGE_ID] + 1;
	return true;
}

static bool read_extended_result(struct work *w, struct bytes op)
{
	const uint64_t *number = w->side->o.number;

	if (!read_result(w, op))
		return false;
	if (w->in->from_client || w->ldap->start_tls != number[NUM_LDAP_MESSAGE_ID] + 1)
		return true;
	w->ldap->tls_granted = number[NUM_LDAP_RESULT] == 0;
	w->ldap->start_tls = 0;
	return true;
}

// --- Search entry ---

// The entry's attributes, as far as collected; what is left over stays at the end of the collected bytes. Where the list says it ends is not looked at.
static bool read_entry(struct work *w, struct bytes op)
{
	struct bytes at = op, whole;
	struct side *s = w->side;
	struct ldap_element name;
	uint32_t length;
	uint8_t tag;

	if (ldap_take(&at, &name) && name.tag == TAG_OCTETS)
		observation_put(&s->o, TEXT_LDAP_NAME, name.content);
	s->odd = !ldap_expect(&op, TAG_OCTETS, &whole) || ldap_header(&op, &tag, &length) != PARSE_DONE;
	ldap_note_attributes(&s->o, &op, s->rest == 0, &s->odd);
	if (s->rest) {
		memmove(s->collected, op.at, op.left);
		s->have = (uint32_t)op.left;
		s->in_entry = true;
	}
	return true;
}

static bool read_nothing(struct work *w, struct bytes op)
{
	return true;
}

static const struct operation {
	uint8_t tag;
	uint8_t operation; // enum ldap_operation
	bool (*read)(struct work *w, struct bytes op);
} operations[] = {
	{0x60, LDAP_BIND_REQUEST, read_bind},
	{0x61, LDAP_BIND_RESPONSE, read_bind_result},
	{0x42, LDAP_UNBIND, read_nothing},
	{0x63, LDAP_SEARCH_REQUEST, read_search},
	{0x64, LDAP_SEARCH_ENTRY, read_entry},
	{0x65, LDAP_SEARCH_DONE, read_result},
	{0x73, LDAP_SEARCH_REFERENCE, read_reference},
	{0x77, LDAP_EXTENDED_REQUEST, read_extended},
	{0x78, LDAP_EXTENDED_RESPONSE, read_extended_result},
	// modify, add, delete, modify DN, compare, each with its answer; abandon; intermediate response (§4.13)
	{0x66, LDAP_OTHER, read_nothing}, {0x67, LDAP_OTHER, read_result},
	{0x68, LDAP_OTHER, read_nothing}, {0x69, LDAP_OTHER, read_result},
	{0x4a, LDAP_OTHER, read_nothing}, {0x6b, LDAP_OTHER, read_result},
	{0x6c, LDAP_OTHER, read_nothing}, {0x6d, LDAP_OTHER, read_result},
	{0x6e, LDAP_OTHER, read_nothing}, {0x6f, LDAP_OTHER, read_result},
	{0x50, LDAP_OTHER, read_nothing}, {0x79, LDAP_OTHER, read_nothing},
};

static const struct operation *operation(uint8_t tag)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].tag == tag)
			return &operations[i];
	return NULL;
}

// --- Messages ---

static void emit(struct work *w)
{
	struct observation *o = &w->side->o;
	struct bytes name = observation_text(o, TEXT_LDAP_NAME), filter = observation_text(o, TEXT_LDAP_FILTER);

	if (w->in->device_sends && (self_address_in(name, w->in) || self_address_in(filter, w->in)))
		o->facts |= FACT_BIT(FACT_SELF_ADDRESS);
	proto_emit(w->sink, w->in, APP_LDAP, o);
}

// All of it may be logged: the record shows names and filters only, and of long ones the front.
static void search_message(struct work *w, struct bytes message, bool good)
{
	const struct observation *o = &w->side->o;
	unsigned found = 0;

	if (!w->in->from_outside)
		return;
	if (good && !(o->flags8 & OBS_FLAG_TRUNCATED)) {
		found += jndi_scan(observation_text(o, TEXT_LDAP_NAME), "ldap-name", w->in, w->sink, APP_LDAP);
		found += jndi_scan(observation_text(o, TEXT_LDAP_FILTER), "ldap-filter", w->in, w->sink, APP_LDAP);
	}
	if (!found)
		jndi_scan(message, "ldap-message", w->in, w->sink, APP_LDAP);
	if (w->in->from_client && message.left + w->side->rest > LDAP_COLLECT_BYTES)
		proto_mark(w->sink, COUNT_PROTO_BUDGET);
}

// RFC 4511 §4.14.1, §4.14.2: from the request until the answer the client is silent, and from then on both speak TLS. What a man in the middle puts there,
// one that trusts TLS takes for its peer's.
static bool is_injected(const struct work *w)
{
	return w->ldap->tls_granted || (w->in->from_client && w->ldap->start_tls);
}

// The envelope and the operation of `message` (whole, or its head where w->side->rest is not 0) into side->o.
static bool read_message(struct work *w, struct bytes message)
{
	const struct operation *op;
	struct ldap_element envelope;
	struct observation *o = &w->side->o;
	uint32_t length;
	uint8_t tag;

	observation_init(o, OBS_LDAP);
	if (!ldap_take(&message, &envelope) ||
	    !ldap_unsigned(&envelope.content, TAG_INTEGER, &o->number[NUM_LDAP_MESSAGE_ID]) ||
	    ldap_header(&envelope.content, &tag, &length) != PARSE_DONE)
		return false;
	op = operation(tag);
	if (!op)
		return false;
	o->number[NUM_LDAP_OPERATION] = op->operation;
	o->number[NUM_LDAP_INJECTED] = is_injected(w);
	if (o->number[NUM_LDAP_INJECTED] && w->sink->counters)
		count(w->sink->counters, COUNT_PROTO_STARTTLS_CLEAR);
	return op->read(w, envelope.content); // to the message's end: the JDK does not look where the operation says it ends
}

static void message_over(struct side *s)
{
	s->have = 0;
	s->framed = false;
	s->rest = s->skip = 0;
	s->in_entry = false;
}

static void take_message(struct work *w, struct bytes message)
{
	struct side *s = w->side;
	bool good = read_message(w, message);

	s->noise = good ? 0 : s->noise + LDAP_NOISE_MESSAGE;
	if (good && !s->in_entry)
		emit(w);
	search_message(w, message, good);
	if (s->in_entry) // more of it follows
		return;
	s->skip = s->rest;
	s->rest = 0;
	s->have = 0;
	if (!s->skip)
		message_over(s);
}

// The next attributes of a long entry. In one longer than the buffer they are looked for, too: only its end would show whether its lengths agree.
static void take_attributes(struct work *w)
{
	struct side *s = w->side;
	struct bytes b = bytes_of(s->collected, s->have);

	ldap_note_attributes(&s->o, &b, s->rest == 0, &s->odd);
	if (b.left == LDAP_COLLECT_BYTES) {
		s->odd = true;
		ldap_note_attributes(&s->o, &b, false, &s->odd);
	}
	memmove(s->collected, b.at, b.left);
	s->have = (uint32_t)b.left;
	if (s->rest == 0) {
		emit(w);
		message_over(s);
	}
}

// --- Stream ---

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void noise(struct side *s, size_t n)
{
	s->noise += (uint32_t)smaller(n, LDAP_NOISE_BYTES);
	s->have = 0;
}

// One octet of a header, or noise up to the next 0x30. A message that is whole in *data is taken from there, uncopied.
static void take_header(struct work *w, struct bytes *data)
{
	struct bytes at = *data, message;
	struct side *s = w->side;
	uint32_t length;
	uint8_t tag;

	if (s->have == 0 && at.at[0] != TAG_SEQUENCE) {
		size_t n = bytes_find(at, TAG_SEQUENCE);

		if (w->ldap->sasl && at.at[0] == 0) // length of a SASL buffer, RFC 4422 §3.7
			w->ldap->done = true;
		noise(s, n);
		bytes_skip(data, n);
		return;
	}
	if (s->have == 0 && ldap_header(&at, &tag, &length) == PARSE_DONE && length && length <= at.left) {
		if (bytes_take(data, (size_t)(at.at - data->at) + length, &message))
			take_message(w, message);
		return;
	}
	bytes_read_u8(data, &s->collected[s->have++]);
	at = bytes_of(s->collected, s->have);
	switch (ldap_header(&at, &tag, &length)) {
	case PARSE_MORE:
		break;
	case PARSE_BAD:
		noise(s, s->have);
		break;
	case PARSE_DONE:
		if (length == 0)
			noise(s, s->have);
		s->framed = length != 0;
		s->rest = length;
		break;
	}
}

static void take_content(struct work *w, struct bytes *data)
{
	struct side *s = w->side;
	size_t n = (size_t)smaller(smaller(LDAP_COLLECT_BYTES - s->have, s->rest), data->left);
	struct bytes part;

	if (bytes_take(data, n, &part))
		memcpy(s->collected + s->have, part.at, part.left);
	s->have += (uint32_t)n;
	s->rest -= n;
	if (s->rest && s->have < LDAP_COLLECT_BYTES)
		return;
	if (s->in_entry)
		take_attributes(w);
	else
		take_message(w, bytes_of(s->collected, s->have));
}

static void take_skipped(struct work *w, struct bytes *data)
{
	struct side *s = w->side;
	size_t n = (size_t)smaller(s->skip, data->left);

	bytes_skip(data, n);
	s->skip -= n;
	if (!s->skip)
		message_over(s);
}

// What a message begins with: 30 length 02 1..4 id, then one of the operations.
static enum probe ldap_probe(struct bytes data, bool from_client)
{
	static const enum probe of_parse[] = {[PARSE_MORE] = PROBE_MAYBE, [PARSE_BAD] = PROBE_NO};
	struct bytes id;
	uint32_t length, id_length;
	uint8_t tag, op;
	enum parse p;

	if (data.left && data.at[0] != TAG_SEQUENCE)
		return PROBE_NO;
	p = ldap_header(&data, &tag, &length);
	if (p != PARSE_DONE)
		return of_parse[p];
	if (length < 5 || (data.left && data.at[0] != TAG_INTEGER))
		return PROBE_NO;
	p = ldap_header(&data, &tag, &id_length);
	if (p != PARSE_DONE)
		return of_parse[p];
	if (id_length < 1 || id_length > 4)
		return PROBE_NO;
	if (!bytes_take(&data, id_length, &id) || !bytes_read_u8(&data, &op))
		return PROBE_MAYBE;
	return operation(op) ? PROBE_YES : PROBE_NO;
}

// After a gap a lone 0x30 is too weak a sign: only a whole message head brings us back into step. One that comes in pieces is put together in `collected`.
static void find_step(struct side *s, struct bytes *data)
{
	while (s->lost && data->left) {
		enum probe p;

		if (s->have == 0)
			bytes_skip(data, bytes_find(*data, TAG_SEQUENCE));
		if (!bytes_read_u8(data, &s->collected[s->have]))
			return;
		s->have++;
		while ((p = ldap_probe(bytes_of(s->collected, s->have), false)) == PROBE_NO || (p == PROBE_MAYBE && s->have == PROTO_PROBE_BYTES))
			memmove(s->collected, s->collected + 1, --s->have);
		s->lost = p != PROBE_YES;
	}
}

static void forget(struct work *w)
{
	if (w->side->in_entry && w->side->o.facts)
		emit(w);
	message_over(w->side);
}

// Between two messages, a byte that begins a TLS record and no message. The client need not wait for the answer to be believed: it speaks TLS.
static bool tls_begins(const struct ldap *ldap, const struct side *s, struct bytes data)
{
	return (ldap->tls_granted || ldap->start_tls) && !s->framed && !s->skip && s->have == 0 && data.at[0] == TLS_RECORD_HANDSHAKE;
}

// Returns what is left of the data where TLS begins.
static struct bytes feed_messages(struct work *w, struct bytes data)
{
	struct side *s = w->side;

	while (data.left && !w->ldap->done && s->noise < LDAP_NOISE_BYTES) {
		if (tls_begins(w->ldap, s, data))
			return data;
		if (s->skip)
			take_skipped(w, &data);
		else if (s->framed)
			take_content(w, &data);
		else
			take_header(w, &data);
	}
	return bytes_of(NULL, 0);
}

// Returns what is left behind the message head that was found, which is fed.
static struct bytes feed_found(struct work *w, struct bytes data)
{
	struct side *s = w->side;
	uint8_t head[PROTO_PROBE_BYTES];
	size_t n;

	find_step(s, &data);
	if (s->lost)
		return data;
	n = s->have;
	memcpy(head, s->collected, n);
	s->have = 0;
	feed_messages(w, bytes_of(head, n));
	return data;
}

static enum parse feed_tls(struct conversation *c, const struct proto_input *in, struct bytes data, const struct proto_sink *sink)
{
	struct proto_input rest = *in;

	rest.data = data;
	rest.gap = rest.gap && data.left == in->data.left;
	return proto_tls.feed(c->tls_state, &rest, sink);
}

static enum parse ldap_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct conversation *c = state;
	struct ldap *ldap = &c->ldap;
	struct side *s = &ldap->side[in->from_client];
	struct work w = {ldap, s, in, sink};
	struct bytes data = in->data;

	if (c->tls)
		return feed_tls(c, in, data, sink);
	if (in->gap) {
		forget(&w);
		s->lost = true;
	}
	if (s->lost)
		data = feed_found(&w, data);
	data = feed_messages(&w, data);
	if (data.left) {
		c->tls = true;
		tls_begin(c->tls_state, APP_LDAP);
		return feed_tls(c, in, data, sink);
	}
	if (s->noise >= LDAP_NOISE_BYTES)
		return PARSE_BAD;
	return ldap->done ? PARSE_DONE : PARSE_MORE;
}

// A long entry cut by the end of the connection: what was seen of it is still told.
static void ldap_close(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct conversation *c = state;
	struct proto_input in = {.from_client = from_client, .flow = flow};
	struct work w = {&c->ldap, &c->ldap.side[from_client], &in, sink};

	if (c->tls)
		proto_tls.close(c->tls_state, from_client, flow, sink);
	else
		forget(&w);
}

const struct proto_ops proto_ldap = {
	.name = "ldap",
	.app = APP_LDAP,
	.transport = 6,
	.ports = {389, 3268}, // and 636, 3269 over TLS
	.state_bytes = sizeof(struct conversation),
	.probe = ldap_probe,
	.feed = ldap_feed,
	.close = ldap_close,
};
