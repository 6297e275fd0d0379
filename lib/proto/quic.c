// SPDX-License-Identifier: GPL-2.0-or-later
// QUIC (RFC 9000, RFC 9369): the hellos in the Initial packets of client and server, whose keys are no secret, as TLS hellos like any other. Each may be spread
// over several datagrams, its pieces in any order. What server and client say behind them is closed to us. Takes nothing from datagrams a server would discard, or a
// decoy could stand for the real hello. Called by the flow's worker.
#include "proto_impl.h"
#include "quic_impl.h"
#include "tls_impl.h"

enum { DATAGRAM_BYTES = 1200 /* a smaller one with an Initial is discarded, RFC 9000 §14.1 */ };

enum frame { // RFC 9000 §19; no others may stand in an Initial packet (§12.4)
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_CRYPTO = 0x06,
};

struct stream {                     // what one side says in its Initial packets
	struct quic_keys keys;
	uint64_t largest;           // packet number seen; UINT64_MAX: none
	uint16_t front;             // bytes of crypto without a hole before them
	uint16_t at;                // where in it the hello begins: the first, or the one after a retry
	uint16_t end;               // of the hello that was told
	uint8_t datagrams;          // with a piece of a hello that is not yet told
	bool keyed;
	bool told;                  // the hello was told, or given up
	bool differs;               // a byte came twice, and not the same
	uint8_t have[QUIC_CRYPTO_BYTES / 8]; // bit per byte of crypto
	uint8_t crypto[QUIC_CRYPTO_BYTES];
};

struct quic {
	struct bytes id;            // the connection id all keys come from; in id_bytes
	uint8_t id_bytes[QUIC_ID_BYTES];
	bool retried;               // the server has asked for a second hello
	struct stream client, server;
};
_Static_assert(sizeof(struct quic) <= PROTO_STATE_BYTES, "parser state fits the pool");

// --- Frames ---

static void take_crypto(struct stream *s, uint64_t offset, struct bytes data)
{
	uint8_t octet;

	for (; offset < QUIC_CRYPTO_BYTES && bytes_read_u8(&data, &octet); offset++) {
		uint8_t bit = (uint8_t)(1 << offset % 8);

		if (s->have[offset / 8] & bit)
			s->differs |= s->crypto[offset] != octet;
		else
			s->crypto[offset] = octet;
		s->have[offset / 8] |= bit;
	}
	while (s->front < QUIC_CRYPTO_BYTES && s->have[s->front / 8] >> s->front % 8 & 1)
		s->front++;
}

static bool read_crypto(struct stream *s, struct bytes *b)
{
	uint64_t offset, length;
	struct bytes data;

	if (!quic_read_number(b, &offset) || !quic_read_number(b, &length) || length > b->left)
		return false;
	bytes_take(b, (size_t)length, &data);
	if (s)
		take_crypto(s, offset, data);
	return true;
}

// §19.3: largest, delay, count of ranges, first range, then two numbers a range; three counts of ECN.
static bool skip_ack(struct bytes *b, bool ecn)
{
	uint64_t unused, ranges;

	if (!quic_read_number(b, &unused) || !quic_read_number(b, &unused) || !quic_read_number(b, &ranges) ||
	    !quic_read_number(b, &unused))
		return false;
	for (; ranges > 0; ranges--)
		if (!quic_read_number(b, &unused) || !quic_read_number(b, &unused))
			return false;
	for (unsigned i = 0; ecn && i < 3; i++)
		if (!quic_read_number(b, &unused))
			return false;
	return true;
}

// Returns whether there was a piece of a hello, which goes to s; s may be NULL. What is none of these frames ends the connection, so it ends the packet.
static bool read_frames(struct stream *s, struct bytes b)
{
	bool crypto = false, good = true;
	uint8_t type;

	while (good && bytes_read_u8(&b, &type)) {
		if (type == FRAME_CRYPTO)
			crypto |= good = read_crypto(s, &b);
		else if (type == FRAME_ACK || type == FRAME_ACK_ECN)
			good = skip_ack(&b, type == FRAME_ACK_ECN);
		else
			good = type == FRAME_PADDING || type == FRAME_PING;
	}
	return crypto;
}

// --- Hello ---

static void count_if(const struct proto_sink *sink, enum counter which)
{
	if (sink->counters)
		count(sink->counters, which);
}

static void give_up(struct stream *s, const struct proto_sink *sink, enum counter why)
{
	s->told = true;
	count_if(sink, why);
	if (sink->uninspected)
		sink->uninspected(sink->user, why);
}

struct message { // a handshake message at the front of a stream
	struct bytes body;
	uint16_t end; // in the stream
	uint8_t type;
	bool whole, due; // due: it is whole, or no more of it will be waited for
};

static struct message message_of(const struct stream *s, uint8_t wanted)
{
	struct bytes b = bytes_from(bytes_of(s->crypto, s->front), s->at);
	struct message m = {.type = wanted};
	uint32_t size = 0;

	bytes_read_u8(&b, &m.type);
	m.whole = bytes_read_u24(&b, &size) && b.left >= size;
	m.body = bytes_head(b, size);
	m.end = (uint16_t)(s->front - (b.left - m.body.left));
	m.due = m.whole || m.type != wanted || s->datagrams >= QUIC_DATAGRAMS || s->front == QUIC_CRYPTO_BYTES;
	return m;
}

static void tell_hello(struct stream *s, const struct proto_input *in, const struct proto_sink *sink)
{
	struct message m = message_of(s, HANDSHAKE_CLIENT_HELLO);
	struct tls_hello hello;

	if (!m.due)
		return;
	if (m.type == HANDSHAKE_CLIENT_HELLO && tls_hello_read(&hello, m.body)) {
		hello.ja4.quic = true;
		hello.cut |= !m.whole;
		if (s->differs)
			hello.oddities |= TLS_ODD_DIFFERS;
		tls_hello_emit(&hello, APP_QUIC, in, sink);
		s->told = true;
		s->end = m.end;
		if (m.whole)
			return;
	}
	give_up(s, sink, m.whole ? COUNT_PROTO_BAD : COUNT_PROTO_QUIC_LIMIT);
}

// The hello is to be said again, in the same stream (RFC 9001 §4.7); the server answers it there, too.
static void retry(struct quic *q)
{
	q->retried = true;
	q->client.at = q->client.end;
	q->server.at = q->server.end;
	q->client.told = q->server.told = false;
	q->client.datagrams = q->server.datagrams = 0;
}

static void tell_answer(struct quic *q, const struct proto_input *in, const struct proto_sink *sink)
{
	struct stream *s = &q->server;
	struct message m = message_of(s, HANDSHAKE_SERVER_HELLO);
	struct tls_answer answer;

	if (!m.due)
		return;
	if (m.type != HANDSHAKE_SERVER_HELLO || !m.whole || !tls_answer_read(&answer, m.body)) {
		give_up(s, sink, m.whole ? COUNT_PROTO_BAD : COUNT_PROTO_QUIC_LIMIT);
		return;
	}
	tls_answer_emit(&answer, NULL, APP_QUIC, in, sink);
	s->told = true;
	s->end = m.end;
	if (answer.retry && !q->retried && q->client.told)
		retry(q);
}

// --- Packets ---

static void begin_stream(struct stream *s, const struct quic_keys *keys, uint64_t largest)
{
	memset(s, 0, offsetof(struct stream, crypto));
	s->keys = *keys;
	s->keyed = true;
	s->largest = largest;
}

// Keys that opened a packet of another connection than the one in hand: from here on it is this one. How many datagrams a hello may take is
// not forgotten, or alternating between two would hide both.
static void begin(struct quic *q, const struct quic_header *h, const struct quic_keys *keys, uint64_t largest)
{
	uint8_t datagrams = q->client.told ? 0 : q->client.datagrams;

	begin_stream(&q->client, keys, largest);
	q->client.datagrams = datagrams;
	q->server.keyed = q->retried = false;
	memcpy(q->id_bytes, h->destination.at, h->destination.left);
	q->id = bytes_of(q->id_bytes, h->destination.left);
}

// The frames of an Initial packet in `out`; at == NULL: it cannot be opened, by us or by its receiver.
static struct bytes open_initial(struct quic *q, const struct quic_header *h, uint8_t out[QUIC_PACKET_BYTES])
{
	struct bytes frames = bytes_of(NULL, 0);
	struct stream *s = &q->client;
	uint64_t largest = UINT64_MAX;
	struct quic_keys keys;

	if (!s->keyed || !bytes_equal(q->id, h->destination)) {
		quic_keys_of(h->version, h->destination, true, &keys);
		frames = quic_open(h, &keys, &largest, out);
		if (frames.at)
			begin(q, h, &keys, largest);
	}
	// Once the server has answered, the client calls it by the id the server chose; the keys stay (RFC 9001 §5.2).
	if (!frames.at && s->keyed)
		frames = quic_open(h, &s->keys, &s->largest, out);
	return frames;
}

// Returns whether the packet had a piece of a hello that is not yet told.
static bool take_initial(struct quic *q, const struct quic_header *h, const struct proto_sink *sink)
{
	uint8_t plain[QUIC_PACKET_BYTES];
	struct stream *s = &q->client;
	struct bytes frames;
	bool differed;

	if (h->packet.left > QUIC_PACKET_BYTES) {
		give_up(s, sink, COUNT_PROTO_QUIC_LIMIT);
		return false;
	}
	frames = open_initial(q, h, plain);
	if (!frames.at)
		return false;
	differed = s->differs;
	if (!read_frames(s, frames))
		return false;
	if (s->told && s->differs && !differed) // a second hello in the place of the first
		give_up(s, sink, COUNT_PROTO_QUIC_LIMIT);
	return !s->told;
}

// An Initial in a small datagram: some servers discard those only before they know the connection, and take its piece of the hello before the one that comes
// in a full datagram.
static void note_small(const struct quic *q, const struct quic_header *h, const struct proto_sink *sink)
{
	const struct stream *s = &q->client;
	uint8_t plain[QUIC_PACKET_BYTES];
	uint64_t largest = s->largest;
	struct bytes frames;

	if (!s->keyed || s->told)
		return;
	frames = quic_open(h, &s->keys, &largest, plain);
	if (frames.at && read_frames(NULL, frames))
		proto_mark(sink, COUNT_PROTO_QUIC_LIMIT);
}

// The same of the server, whose keys come from the client's first id, in the version that the server has chosen (RFC 9368 §4.1). Nothing is waited for but
// its hello, so what cannot be opened is no packet of this connection.
static bool take_answer(struct quic *q, const struct quic_header *h)
{
	uint8_t plain[QUIC_PACKET_BYTES];
	struct stream *s = &q->server;
	uint64_t largest = UINT64_MAX;
	struct quic_keys keys;
	struct bytes frames;

	if ((s->keyed && s->told) || !q->client.keyed)
		return false;
	if (!s->keyed) {
		quic_keys_of(h->version, q->id, false, &keys);
		frames = quic_open(h, &keys, &largest, plain);
		if (frames.at)
			begin_stream(s, &keys, largest);
	} else {
		frames = quic_open(h, &s->keys, &s->largest, plain);
	}
	return frames.at && read_frames(s, frames);
}

// A server of a version that we cannot open might: then its hello went by unread. Versions of the form 0x?a?a?a?a are nobody's (RFC 9000 §15).
static void note_unread(const struct quic_header *h, const struct proto_sink *sink)
{
	count_if(sink, COUNT_PROTO_QUIC_UNREAD);
	if (h->type == QUIC_OTHER && (h->number & 0x0f0f0f0f) != 0x0a0a0a0a && sink->uninspected)
		sink->uninspected(sink->user, COUNT_PROTO_QUIC_UNREAD);
}

static enum parse take_packets(struct quic *q, struct bytes data, const struct proto_input *in, const struct proto_sink *sink)
{
	bool small = data.left < DATAGRAM_BYTES, more = false, beyond = false;
	struct bytes first = bytes_of(NULL, 0);
	struct quic_header h;
	unsigned i = 0;

	for (; i < QUIC_PACKETS && data.left && quic_header_read(&data, &h); i++) {
		if (i > 0 && h.type != QUIC_SHORT && !bytes_equal(h.destination, first))
			break; // RFC 9000 §12.2: such a one is ignored
		first = i ? first : h.destination;
		if (h.type == QUIC_INITIAL && !small)
			more |= take_initial(q, &h, sink);
		else if (h.type == QUIC_SHORT || h.type == QUIC_HANDSHAKE)
			beyond = true;
		else if (i == 0 || h.type != QUIC_0RTT)
			note_unread(&h, sink);
		if (h.type == QUIC_INITIAL && small)
			note_small(q, &h, sink);
	}
	if (i == QUIC_PACKETS && data.left && !q->client.told)
		proto_mark(sink, COUNT_PROTO_QUIC_LIMIT);
	q->client.datagrams += more;
	if (more)
		tell_hello(&q->client, in, sink);
	if (beyond && q->client.keyed && !q->client.told)
		give_up(&q->client, sink, COUNT_PROTO_QUIC_LIMIT);
	// Until the client goes on, what it repeats is known to be a repetition.
	return beyond || !q->client.keyed ? PARSE_DONE : PARSE_MORE;
}

static void take_answers(struct quic *q, struct bytes data, const struct proto_input *in, const struct proto_sink *sink)
{
	struct quic_header h;
	bool more = false;

	for (unsigned i = 0; i < QUIC_PACKETS && data.left && quic_header_read(&data, &h); i++)
		more |= h.type == QUIC_INITIAL && take_answer(q, &h);
	q->server.datagrams += more;
	if (more)
		tell_answer(q, in, sink);
}

static enum parse quic_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct quic_header h;
	struct bytes data = in->data;

	if (in->from_client && state)
		return take_packets(state, data, in, sink);
	if (quic_header_read(&data, &h) && (h.type == QUIC_OTHER || h.type == QUIC_RETRY || h.type == QUIC_0RTT))
		note_unread(&h, sink);
	if (state)
		take_answers(state, in->data, in, sink);
	return PARSE_MORE;
}

static void quic_close(void *state, bool from_client, const struct proto_flow *flow, const struct proto_sink *sink)
{
	struct quic *q = state;

	if (q->client.datagrams && !q->client.told)
		give_up(&q->client, sink, COUNT_PROTO_QUIC_LIMIT);
}

static bool quic_begins(struct bytes data, bool from_client)
{
	return from_client && data.left >= DATAGRAM_BYTES && quic_has_initial(data);
}

// --- Recognition ---

// Versions that exist or existed: 1, 2, the drafts, version negotiation and its grease, Google's and Facebook's before there was a standard.
static bool is_version(uint32_t v)
{
	return v <= 1 || v == 0x6b3343cf || v >> 8 == 0xff0000 || (v & 0x0f0f0f0f) == 0x0a0a0a0a || v >> 8 == 0xfaceb0 ||
	       ((v >> 24 == 'Q' || v >> 24 == 'T') && (v >> 16 & 0xff) == '0');
}

// Google's first form: flags with a version, connection id of 8 bytes, "Q0" and two digits.
static bool is_google(struct bytes data)
{
	return data.left > 13 && (data.at[0] & 0xc9) == 0x09 && data.at[9] == 'Q' && data.at[10] == '0' && data.at[11] >= '0' &&
	       data.at[11] <= '9' && data.at[12] >= '0' && data.at[12] <= '9';
}

// A datagram is whole, but only PROTO_PROBE_BYTES of it are shown.
static enum probe quic_probe(struct bytes data, bool from_client)
{
	struct bytes b = data;
	uint32_t version;
	uint8_t first, n;

	if (is_google(data))
		return PROBE_YES;
	if (!bytes_read_u8(&b, &first) || !(first & 0x80) || !bytes_read_u32(&b, &version) || !is_version(version))
		return PROBE_NO;
	if (version == 0 && from_client) // only servers negotiate
		return PROBE_NO;
	if (version && !(first & 0x40) && version >> 24 != 'Q' && version >> 24 != 'T')
		return PROBE_NO; // the fixed bit
	if (version >> 24 == 'Q') // drafts before 22 packed both lengths into one byte
		return PROBE_YES;
	for (unsigned i = 0; i < 2; i++)
		if (!bytes_read_u8(&b, &n) || n > QUIC_ID_BYTES || !bytes_skip(&b, n))
			return PROBE_NO;
	return b.left ? PROBE_YES : PROBE_NO;
}

const struct proto_ops proto_quic = {
	.name = "quic",
	.app = APP_QUIC,
	.transport = 17,
	.ports = {443, 853}, // RFC 9114, RFC 9250
	.state_bytes = sizeof(struct quic),
	.probe = quic_probe,
	.feed = quic_feed,
	.close = quic_close,
	.begins = quic_begins,
};
