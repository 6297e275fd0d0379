// SPDX-License-Identifier: GPL-2.0-or-later
// TLS by content on any port, over however many records and segments its messages are spread: the ClientHello, then what the server answers in clear. The
// rest is ciphertext, so the parser is done then. One buffer serves both sides, for they speak in turn; who speaks out of turn is not listened to, the client
// before the server. What the messages say stands in tls_hello.c and tls_server.c. Called by the flow's worker.
#include "proto_impl.h"
#include "tls_impl.h"

enum tls_limits {
	COLLECT_BYTES = 16384,             // of handshake bytes; a longer message is read as far as that
	RECORD_BYTES = 16384 + 2048,       // largest record that is not an error, RFC 5246 §6.2.3
	RECORD_HEADER_BYTES = 5,
	RECORDS_ODD = 64,                  // a hello in more of them is marked
	ALERT_BYTES = 2,                   // level and description; an encrypted one is longer
	ALERT_WARNING = 1,
	HELLOS = 2,                        // of a client, before its server speaks; after a retry one more
};

enum tls_content { CONTENT_CHANGE_CIPHER = 20, CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23, CONTENT_HEARTBEAT = 24 };

struct side {
	uint32_t record_left;              // bytes of the record in hand still to come
	uint16_t records;                  // begun; stops at its top
	uint8_t header_have;
	uint8_t header[RECORD_HEADER_BYTES];
	bool over;                         // nothing more of interest from this side
};

struct tls {
	struct side side[2];               // [0] server's, [1] client's bytes
	uint32_t have;                     // handshake bytes in collected
	uint32_t at;                       // of these, messages that were read
	bool client_collects;              // whose they are
	uint8_t app;                       // whose flow it is; 0: TLS's own
	bool answered;                     // a ServerHello was read into answer and is not yet told
	bool retried;                      // the client was asked for a second hello
	uint8_t hellos;                    // told; a second one that nobody has asked for is told, too: which of them the server takes is its secret
	struct tls_answer answer;
	uint8_t collected[COLLECT_BYTES];
};
_Static_assert(sizeof(struct tls) <= TLS_STATE_BYTES && (size_t)TLS_STATE_BYTES <= (size_t)PROTO_STATE_BYTES,
	       "parser state fits the pool");

// --- Messages ---

static uint8_t app_of(const struct tls *t)
{
	return t->app ? t->app : APP_TLS;
}

// PARSE_MORE while the message is not whole.
static enum parse take_client(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes b = bytes_of(t->collected, t->have);
	struct tls_hello hello;
	uint32_t size;
	uint8_t type;

	if (!bytes_read_u8(&b, &type))
		return PARSE_MORE;
	if (type != HANDSHAKE_CLIENT_HELLO)
		return PARSE_DONE; // renegotiation seen from the middle, or a client that speaks as a server
	if (!bytes_read_u24(&b, &size) || (b.left < size && t->have < COLLECT_BYTES))
		return PARSE_MORE;
	if (!tls_hello_read(&hello, bytes_head(b, size))) {
		hello.cut = true;
		if (hello.begun) // no server takes it, but somebody says it
			tls_hello_emit(&hello, app_of(t), in, sink);
		return PARSE_BAD;
	}
	if (t->side[1].records > RECORDS_ODD)
		hello.oddities |= TLS_ODD_RECORDS;
	tls_hello_emit(&hello, app_of(t), in, sink);
	t->side[1].over = ++t->hellos == HELLOS;
	b = t->side[1].over ? bytes_of(NULL, 0) : bytes_from(b, size);
	if (b.left)
		memmove(t->collected, b.at, b.left);
	t->have = (uint32_t)b.left;
	return t->have ? take_client(t, in, sink) : PARSE_MORE; // at most HELLOS deep
}

// A hello whose rest will not come: the server may know more of it than we do, so what was read is told, marked as a part.
static void tell_part(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes b = bytes_of(t->collected, t->have);
	struct tls_hello hello;
	uint32_t size;
	uint8_t type;

	if (!t->client_collects || t->side[1].over || !bytes_read_u8(&b, &type) || type != HANDSHAKE_CLIENT_HELLO || !bytes_read_u24(&b, &size))
		return;
	tls_hello_read(&hello, b);
	hello.cut = true;
	if (hello.begun)
		tls_hello_emit(&hello, app_of(t), in, sink);
	t->have = 0;
}

// The answer is told, with the names in `certificate` if it holds any.
static enum parse tell_answer(struct tls *t, struct bytes certificate, const struct proto_input *in, const struct proto_sink *sink)
{
	struct tls_certificate c;
	bool named = certificate.left && tls_certificate_read(&c, certificate);

	if (t->answered)
		tls_answer_emit(&t->answer, named ? &c : NULL, app_of(t), in, sink);
	t->answered = false;
	return PARSE_DONE;
}

// The first of the list is the server's own (RFC 5246 §7.4.2). PARSE_MORE while that one is not whole.
static enum parse take_certificate(struct tls *t, struct bytes b, const struct proto_input *in, const struct proto_sink *sink)
{
	uint32_t size;

	if (!bytes_skip(&b, 3) || !bytes_read_u24(&b, &size) || (b.left < size && t->have < COLLECT_BYTES))
		return t->have < COLLECT_BYTES ? PARSE_MORE : PARSE_DONE;
	return tell_answer(t, bytes_head(b, size), in, sink);
}

// PARSE_DONE: a ServerHello was read. PARSE_BAD: it is none.
static enum parse take_answer(struct tls *t)
{
	struct bytes b = bytes_of(t->collected, t->have), message;
	uint32_t size;
	uint8_t type;

	if (!bytes_read_u8(&b, &type))
		return PARSE_MORE;
	if (type != HANDSHAKE_SERVER_HELLO)
		return PARSE_BAD;
	if (!bytes_read_u24(&b, &size) || !bytes_take(&b, size, &message))
		return t->have < COLLECT_BYTES ? PARSE_MORE : PARSE_BAD;
	t->answered = tls_answer_read(&t->answer, message);
	t->at = t->have - (uint32_t)b.left;
	return t->answered ? PARSE_DONE : PARSE_BAD;
}

// PARSE_MORE while something of the answer may still come. What is answered and not told when it will not, feed_server tells.
static enum parse take_server(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	enum parse p = t->answered ? PARSE_DONE : take_answer(t);
	struct bytes b = bytes_from(bytes_of(t->collected, t->have), t->at);
	uint32_t size;
	uint8_t type;

	if (p != PARSE_DONE)
		return p;
	if (t->answer.version > 0x0303) // the rest is encrypted
		return PARSE_DONE;
	if (!bytes_read_u8(&b, &type))
		return PARSE_MORE;
	if (type != HANDSHAKE_CERTIFICATE) // a resumed session, or a server without a name
		return PARSE_DONE;
	if (!bytes_read_u24(&b, &size))
		return PARSE_MORE;
	return size > 6 ? take_certificate(t, bytes_head(b, size), in, sink) : PARSE_DONE;
}

// --- Stream ---

// PARSE_DONE: the record's header is whole and good.
static enum parse take_record_header(struct side *s, struct bytes *data)
{
	struct bytes b = bytes_head(*data, (size_t)RECORD_HEADER_BYTES - s->header_have);
	uint16_t version, length;
	uint8_t type;

	memcpy(s->header + s->header_have, b.at, b.left);
	s->header_have = (uint8_t)(s->header_have + b.left);
	bytes_skip(data, b.left);
	b = bytes_of(s->header, s->header_have);
	if (!bytes_read_u8(&b, &type) || !bytes_read_u16(&b, &version) || !bytes_read_u16(&b, &length))
		return PARSE_MORE;
	// An empty handshake record is forbidden (RFC 8446 §5.1): without bytes there is no bound on their number.
	if (version >> 8 != 3 || length == 0 || length > RECORD_BYTES || type < CONTENT_CHANGE_CIPHER ||
	    type > CONTENT_HEARTBEAT)
		return PARSE_BAD;
	s->record_left = length;
	s->header_have = 0;
	if (s->records < UINT16_MAX)
		s->records++;
	return PARSE_DONE;
}

static void collect(struct tls *t, struct side *s, struct bytes *data)
{
	struct bytes part = bytes_head(*data, s->record_left);

	bytes_skip(data, part.left);
	s->record_left -= (uint32_t)part.left;
	part = bytes_head(part, COLLECT_BYTES - t->have);
	memcpy(t->collected + t->have, part.at, part.left);
	t->have += (uint32_t)part.left;
}

// Is the record that begins looked into, or passed over? Else we came late, or one gave up, or it is encrypted from here. A server may warn before its hello
// (RFC 6066 §3: unrecognized_name); a warning ends nothing, so the hello behind it must not pass unseen. After a retry both sides may say for the benefit of
// old boxes that they change ciphers (RFC 8446 §D.4).
static bool goes_on(const struct tls *t, const struct side *s)
{
	return s->header[0] == CONTENT_HANDSHAKE || (s->header[0] == CONTENT_ALERT && s->record_left == ALERT_BYTES && t->have == 0) ||
	       (s->header[0] == CONTENT_CHANGE_CIPHER && s->record_left == 1 && t->retried);
}

// false: it is a fatal alert.
static bool pass_over(struct side *s, struct bytes *data)
{
	struct bytes part = bytes_head(*data, s->record_left);

	if (s->header[0] == CONTENT_ALERT && s->record_left == ALERT_BYTES && data->at[0] != ALERT_WARNING)
		return false;
	bytes_skip(data, part.left);
	s->record_left -= (uint32_t)part.left;
	return true;
}

// The client has been asked to say its hello again: both sides begin anew, once, and what is left of this record belongs to nobody.
static bool begin_again(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	if (!t->answered || !t->answer.retry || t->retried || !t->side[1].over)
		return false;
	tell_answer(t, bytes_of(NULL, 0), in, sink);
	t->retried = true;
	t->hellos = HELLOS - 1;
	t->side[1].over = false;
	t->have = t->at = 0;
	return true;
}

static enum parse feed_side(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	struct side *s = &t->side[in->from_client];
	struct bytes data = in->data;
	enum parse p;

	while (data.left && !s->over) {
		if (s->record_left == 0) {
			p = take_record_header(s, &data);
			if (p != PARSE_DONE)
				return p;
			if (!goes_on(t, s))
				return PARSE_DONE;
			continue;
		}
		if (s->header[0] != CONTENT_HANDSHAKE) {
			if (!pass_over(s, &data))
				return PARSE_DONE;
			continue;
		}
		collect(t, s, &data);
		p = in->from_client ? take_client(t, in, sink) : take_server(t, in, sink);
		if (p != PARSE_MORE && !(p == PARSE_DONE && !in->from_client && begin_again(t, in, sink)))
			return p;
	}
	return PARSE_MORE;
}

// Does this side's turn come, or is it, to fill the buffer? The client may take it from the server, never the other way round.
static bool takes_buffer(struct tls *t, bool from_client)
{
	if (t->client_collects == from_client && t->have)
		return true;
	if (!from_client && t->have)
		return false;
	if (t->client_collects != from_client)
		t->have = t->at = 0;
	t->client_collects = from_client;
	return true;
}

static enum parse feed_server(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	if (t->hellos && !t->side[1].over && (in->data.left || in->gap) && (!t->retried || t->client_collects)) {
		t->side[1].over = true;
		t->have = 0;
	}
	if (!takes_buffer(t, false) || in->gap || feed_side(t, in, sink) != PARSE_MORE) {
		tell_answer(t, bytes_of(NULL, 0), in, sink);
		t->side[0].over = true;
	}
	return t->side[0].over && t->side[1].over ? PARSE_DONE : PARSE_MORE;
}

static enum parse tls_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct tls *t = state;
	enum parse p;

	if (t->side[in->from_client].over)
		return PARSE_MORE;
	if (!in->from_client)
		return feed_server(t, in, sink);
	if (in->gap) { // the server's answer may be whole for all that
		if (!t->hellos)
			proto_mark(sink, COUNT_PROTO_BAD);
		tell_part(t, in, sink);
		t->side[1] = (struct side){.over = true};
		if (t->client_collects)
			t->have = 0;
		return t->side[0].over ? PARSE_DONE : PARSE_MORE;
	}
	if (!t->client_collects)
		t->side[0].over |= t->have != 0; // the server spoke first: what it said is nobody's answer
	takes_buffer(t, true);
	p = feed_side(t, in, sink);
	if (p == PARSE_DONE && !t->hellos && !in->flow->midstream) // ciphertext without a hello: of no connection whose beginning was seen
		proto_mark(sink, COUNT_PROTO_BAD);
	if (p != PARSE_MORE && t->hellos) { // it goes on in cipher, or with anything else: its hello is told
		t->side[1].over = true;
		t->have = 0; // the server's answer needs the room
		p = PARSE_MORE;
	}
	return p == PARSE_MORE && t->side[0].over && (t->side[1].over || t->hellos) ? PARSE_DONE : p;
}

void tls_begin(void *state, uint8_t app)
{
	struct tls *t = state;

	memset(t, 0, offsetof(struct tls, collected));
	t->app = app;
}

static void tls_close(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct proto_input in = proto_input_of_close(flow, from_client);

	if (from_client)
		tell_part(state, &in, sink);
	else
		tell_answer(state, bytes_of(NULL, 0), &in, sink);
}

// Record header, then the handshake type with its length's first byte 0 (no hello is 64 KiB); or a record of data, for
// connections met in the middle.
static enum probe tls_probe(struct bytes data, bool from_client)
{
	uint16_t version, length;
	uint8_t type, message, high;

	if (!bytes_read_u8(&data, &type))
		return PROBE_MAYBE;
	if (type != CONTENT_HANDSHAKE && type != CONTENT_DATA)
		return PROBE_NO;
	if (data.left && data.at[0] != 3)
		return PROBE_NO;
	if (!bytes_read_u16(&data, &version) || !bytes_read_u16(&data, &length))
		return PROBE_MAYBE;
	if (version > 0x0304 || length == 0 || length > RECORD_BYTES)
		return PROBE_NO;
	if (type == CONTENT_DATA)
		return version >= 0x0301 ? PROBE_YES : PROBE_NO;
	if (!bytes_read_u8(&data, &message))
		return PROBE_MAYBE;
	if (message != (from_client ? HANDSHAKE_CLIENT_HELLO : HANDSHAKE_SERVER_HELLO))
		return PROBE_NO;
	if (length == 1)
		return PROBE_YES;
	if (!bytes_read_u8(&data, &high))
		return PROBE_MAYBE;
	return high == 0 ? PROBE_YES : PROBE_NO;
}

const struct proto_ops proto_tls = {
	.name = "tls",
	.app = APP_TLS,
	.transport = 6,
	.ports = {443, 853, 993, 995}, // the most used; others (465, 636, 990, 8443 …) are learned per endpoint
	.state_bytes = TLS_STATE_BYTES,
	.clear_bytes = offsetof(struct tls, collected),
	.probe = tls_probe,
	.feed = tls_feed,
	.close = tls_close,
};
