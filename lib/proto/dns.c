// SPDX-License-Identifier: GPL-2.0-or-later
// DNS messages (RFC 1035, mDNS RFC 6762, LLMNR RFC 4795) over UDP and TCP: the first question, the addresses and the
// first alias of the answer. Over TCP recognised on any port, over UDP told on the registered ports only: a datagram
// has no second chance to prove what it is. Records beyond a limit are not looked at. Called by the flow's worker.
#include "proto.h"

enum dns_limits {
	NAME_BYTES = 255,       // RFC 1035 §2.3.4
	NAME_TEXT_BYTES = 4 * NAME_BYTES,
	NAME_JUMPS = 32,        // compression pointers followed in one name
	NAME_LABELS = 128,
	QUESTIONS_TOLD = 32,    // of one message
	EMPTY_MESSAGES = 4,     // of a stream that precede its first one; servers pass over them
	RECORDS = 64,           // of a message's answers looked at
	ADDRESSES = 8,
	COLLECT_BYTES = 8192,   // of a TCP message; of longer ones the head is read
	HEADER_BYTES = 12,
	OPERATION_INVERSE = 0x0800, // of a question's flags
};

enum dns_type { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41 };

struct header { // RFC 1035 §4.1.1
	uint16_t id, flags, questions, answers, authorities, additionals;
};

struct name {
	char text[NAME_TEXT_BYTES];
	size_t length;
	bool bad; // longer than a name may be, or it points in a circle or out of the message: text is as far as it could be read
};

struct side {
	uint16_t size;          // of the message in hand
	uint16_t have;          // bytes in collected
	uint16_t skip;          // bytes to pass over after it
	uint8_t prefix;         // bytes of the length read
	uint8_t collected[COLLECT_BYTES];
};

struct dns_stream {
	struct side side[2];
};
_Static_assert(sizeof(struct dns_stream) <= PROTO_STATE_BYTES, "parser state fits the pool");

static bool read_header(struct bytes *b, struct header *h)
{
	return bytes_read_u16(b, &h->id) && bytes_read_u16(b, &h->flags) && bytes_read_u16(b, &h->questions) &&
	       bytes_read_u16(b, &h->answers) && bytes_read_u16(b, &h->authorities) &&
	       bytes_read_u16(b, &h->additionals);
}

// --- Names ---

// RFC 1035 §5.1: what would be read as structure, or cannot be printed, stands as \DDD.
static void name_add(struct name *n, struct bytes label)
{
	uint8_t c;

	if (n->length && n->length < sizeof(n->text))
		n->text[n->length++] = '.';
	while (bytes_read_u8(&label, &c) && n->length + 4 <= sizeof(n->text)) {
		if (c > ' ' && c < 0x7f && c != '.' && c != '\\') {
			n->text[n->length++] = (char)byte_lower(c);
			continue;
		}
		n->text[n->length++] = '\\';
		n->text[n->length++] = (char)('0' + c / 100);
		n->text[n->length++] = (char)('0' + c / 10 % 10);
		n->text[n->length++] = (char)('0' + c % 10);
	}
}

// Moves *b behind the name there: behind its last label, or its first pointer. false: it does not end.
static bool skip_name(struct bytes *b)
{
	uint8_t n;

	do {
		if (!bytes_read_u8(b, &n) || (n >= 0x40 && n < 0xc0))
			return false;
		if (n >= 0xc0)
			return bytes_skip(b, 1);
	} while (n && bytes_skip(b, n));
	return n == 0;
}

// The labels from `at` on, following pointers in `message` (§4.1.4). false: it is none.
static bool read_labels(struct bytes message, struct bytes at, struct name *out)
{
	unsigned jumps = 0, wire = 0;
	struct bytes label;
	uint8_t n, low;

	for (unsigned labels = 0; labels < NAME_LABELS + NAME_JUMPS; labels++) {
		if (!bytes_read_u8(&at, &n))
			return false;
		if (n >= 0xc0) {
			if (!bytes_read_u8(&at, &low) || ++jumps > NAME_JUMPS)
				return false;
			at = bytes_from(message, (size_t)(n & 0x3f) << 8 | low);
			continue;
		}
		wire += n + 1u;
		if (n >= 0x40 || wire > NAME_BYTES || !bytes_take(&at, n, &label))
			return false;
		if (n == 0)
			return true;
		name_add(out, label);
	}
	return false;
}

// Reads the name at *b, a part of `message`, and moves *b behind it: a name that is none (out->bad) hides nothing of what follows. false: nothing can follow.
static bool read_name(struct bytes message, struct bytes *b, struct name *out)
{
	struct bytes at = *b;

	out->length = 0;
	out->bad = !read_labels(message, at, out);
	return skip_name(b);
}

// --- Messages ---

struct record {
	uint16_t type;
	struct bytes data;
};

static bool read_record(struct bytes message, struct bytes *b, struct name *owner, struct record *r)
{
	uint16_t class, length;
	uint32_t ttl;

	return read_name(message, b, owner) && bytes_read_u16(b, &r->type) && bytes_read_u16(b, &class) &&
	       bytes_read_u32(b, &ttl) && bytes_read_u16(b, &length) && bytes_take(b, length, &r->data);
}

struct answer {
	struct address address[ADDRESSES];
	unsigned addresses;
	struct name alias;
	struct name owner; // of the first record, for messages without question (mDNS)
	uint16_t type;
	bool bad;          // one of the names is
};

static void note_record(struct bytes message, const struct record *r, struct answer *a)
{
	struct bytes data = r->data;

	if (r->type == TYPE_A && data.left == 4 && a->addresses < ADDRESSES)
		a->address[a->addresses++] = address_v4(data.at);
	if (r->type == TYPE_AAAA && data.left == 16 && a->addresses < ADDRESSES)
		a->address[a->addresses++] = address_v6(data.at);
	if (r->type != TYPE_CNAME || a->alias.length)
		return;
	if (!read_name(message, &data, &a->alias))
		a->alias.length = 0;
	a->bad |= a->alias.bad;
}

// false: one of them cannot be read, nor what follows it.
static bool read_answers(struct bytes message, struct bytes *b, unsigned answers, struct answer *a)
{
	struct name owner;
	struct record r;

	for (unsigned i = 0; i < answers && i < RECORDS; i++) {
		if (!read_record(message, b, &owner, &r))
			return false;
		if (i == 0) {
			a->owner = owner;
			a->type = r.type;
		}
		a->bad |= owner.bad;
		note_record(message, &r, a);
	}
	return true;
}

static void emit(const struct proto_input *in, const struct proto_sink *sink, struct observation *o,
		 const struct name *name)
{
	struct bytes text = bytes_of(name->text, name->length);

	observation_put(o, TEXT_DNS_NAME, text);
	if (in->device_sends && self_address_in(text, in))
		o->facts |= FACT_BIT(FACT_SELF_ADDRESS);
	proto_emit(sink, in, APP_DNS, o);
	if (in->from_outside)
		jndi_scan(text, "dns-name", in, sink, APP_DNS);
}

struct asked {
	struct name name[QUESTIONS_TOLD];
	uint16_t type[QUESTIONS_TOLD];
	bool bad; // one of the names is
};

// Moves *b over the questions; the first ones are read into *q. false: not even one could be read.
static bool read_questions(struct bytes message, struct bytes *b, unsigned count, struct asked *q, unsigned *told)
{
	struct name other;
	uint16_t t, class;

	*told = 0;
	q->bad = false;
	for (unsigned i = 0; i < count && i < RECORDS; i++) {
		struct name *name = i < QUESTIONS_TOLD ? &q->name[i] : &other;

		if (!read_name(message, b, name) || !bytes_read_u16(b, &t) || !bytes_read_u16(b, &class)) {
			b->left = 0; // the answers cannot be found any more
			return i > 0;
		}
		q->bad |= name->bad;
		if (i < QUESTIONS_TOLD)
			q->type[(*told)++] = t;
	}
	if (count > RECORDS)
		b->left = 0;
	return true;
}

// Names and texts of an answer are logged, too. The alias is read in clear, the others as they lie: a label or a text of their own holds a whole look-up.
static void search_records(struct bytes records, const struct name *alias, const struct proto_input *in, const struct proto_sink *sink)
{
	if (!in->from_outside || jndi_scan(bytes_of(alias->text, alias->length), "dns-alias", in, sink, APP_DNS))
		return;
	jndi_scan(records, "dns-records", in, sink, APP_DNS);
}

// Which of several questions is answered is the server's choice, so each is told.
static void emit_others(const struct proto_input *in, const struct proto_sink *sink, const struct observation *first,
			const struct asked *q, unsigned told)
{
	for (unsigned i = 1; i < told; i++) {
		struct observation o;

		observation_init(&o, OBS_DNS);
		memcpy(o.number, first->number, sizeof(o.number));
		o.number[NUM_DNS_TYPE] = q->type[i];
		o.flags8 = first->flags8 & OBS_FLAG_RESPONSE;
		emit(in, sink, &o, &q->name[i]);
	}
	if (first->number[NUM_DNS_QUESTIONS] > told)
		proto_mark(sink, COUNT_PROTO_BUDGET);
}

// One message, perhaps cut. false: not even its header and first question could be read; then nothing is told.
static bool read_message(struct bytes message, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes b = message, records;
	struct observation o;
	unsigned told;
	struct header h;
	struct asked q;
	struct answer a;

	a.addresses = a.type = 0;
	a.alias.length = a.owner.length = 0;
	a.bad = false;
	if (!read_header(&b, &h) || !read_questions(message, &b, h.questions, &q, &told))
		return false;
	records = b;
	observation_init(&o, OBS_DNS);
	o.number[NUM_DNS_MALFORMED] = !read_answers(message, &b, h.answers, &a) || q.bad || a.bad;
	if (h.questions > 1)
		o.number[NUM_DNS_QUESTIONS] = h.questions;
	o.number[NUM_DNS_ID] = h.id;
	o.number[NUM_DNS_RCODE] = h.flags & 15;
	o.number[NUM_DNS_TYPE] = h.questions ? q.type[0] : a.type;
	o.number[NUM_DNS_ANSWERS] = h.answers;
	if (h.flags & 0x8000)
		o.flags8 |= OBS_FLAG_RESPONSE;
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(a.address, a.addresses * sizeof(a.address[0])));
	observation_put(&o, TEXT_DNS_CNAME, bytes_of(a.alias.text, a.alias.length));
	emit(in, sink, &o, h.questions ? &q.name[0] : &a.owner);
	emit_others(in, sink, &o, &q, told);
	search_records(records, &a.alias, in, sink);
	if (q.bad) // another reader may take it for another name, or for none
		proto_mark(sink, COUNT_PROTO_BAD);
	return true;
}

// --- Recognition ---

// Flags as messages really have: a known operation and result. Servers look neither at the reserved bit nor at a question's result (RFC 1035 §4.1.1), so
// nobody can hide a question by setting them.
static bool flags_fit(const struct header *h)
{
	unsigned opcode = h->flags >> 11 & 15;

	return opcode <= 5 && opcode != 3 && (h->flags & 15) <= 11;
}

// One question, and as many records as one message carries in practice. An inverse query (RFC 1035 §6.4.1) asks by an answer.
static bool stream_counts_fit(const struct header *h)
{
	if ((h->flags & 0xf800) == OPERATION_INVERSE && h->questions == 0 && h->answers == 1)
		return true;
	if (h->questions != 1)
		return false;
	return h->flags & 0x8000 ? h->answers <= 1024 && h->authorities <= 256 && h->additionals <= 256
				 : h->answers <= 1 && h->authorities <= 8 && h->additionals <= 8;
}

// mDNS asks and answers several things at once, an update names many records.
static bool datagram_counts_fit(const struct header *h)
{
	return h->questions <= RECORDS && h->answers <= 256 && h->authorities <= 256 && h->additionals <= 256 &&
	       (h->questions || h->answers);
}

// NetBIOS names (RFC 1002 §4.2) are DNS messages but for the name: one label of 32 letters A to P.
static bool is_netbios(struct bytes name)
{
	uint8_t n, c;

	if (!bytes_read_u8(&name, &n) || n != 32 || name.left < n)
		return false;
	name = bytes_head(name, n);
	while (bytes_read_u8(&name, &c))
		if (c < 'A' || c > 'P')
			return false;
	return true;
}

static bool is_printable(struct bytes b)
{
	uint8_t c;

	while (bytes_read_u8(&b, &c))
		if (c < 0x20 || c > 0x7e)
			return false;
	return true;
}

// The first name, uncompressed (there is nothing before it to point at), its type and class. `cut` is the answer where
// b ends early, `plain` wants printable labels.
static enum probe name_fits(struct bytes b, bool plain, enum probe cut)
{
	uint16_t type, class;
	uint8_t n;

	if (is_netbios(b))
		return PROBE_NO;
	do {
		if (!bytes_read_u8(&b, &n))
			return cut;
		if (n >= 0x40 || (plain && !is_printable(bytes_head(b, n))))
			return PROBE_NO;
		if (!bytes_skip(&b, n))
			return cut;
	} while (n);
	if (!bytes_read_u16(&b, &type) || !bytes_read_u16(&b, &class))
		return cut;
	class &= 0x7fff; // mDNS: unicast answer wanted, or cache flush (RFC 6762 §18.12, §18.13)
	// IN, CH, HS, NONE and ANY.
	return type && (class == 1 || class == 3 || class == 4 || (class | 1) == 255) ? PROBE_YES : PROBE_NO;
}

static enum probe probe_stream(struct bytes data, bool from_client)
{
	// A long name fills the probe: all that was seen of it fits.
	enum probe cut = data.left >= PROTO_PROBE_BYTES ? PROBE_YES : PROBE_MAYBE;
	struct header h;
	uint16_t size;

	unsigned empty = 0;

	do {
		if (!bytes_read_u16(&data, &size))
			return PROBE_MAYBE;
	} while (size == 0 && empty++ < EMPTY_MESSAGES);
	if (size < HEADER_BYTES + 5)
		return PROBE_NO;
	if (!read_header(&data, &h))
		return PROBE_MAYBE;
	if (!flags_fit(&h) || !stream_counts_fit(&h))
		return PROBE_NO;
	return name_fits(data, true, cut);
}

// A server that cannot read a question may answer with a header alone.
static bool is_bare_error(const struct header *h, struct bytes rest)
{
	return h->flags & 0x8000 && h->flags & 15 && rest.left == 0 && !(h->questions | h->answers | h->authorities | h->additionals);
}

static enum probe probe_datagram(struct bytes data, bool from_client)
{
	enum probe cut = data.left >= PROTO_PROBE_BYTES ? PROBE_YES : PROBE_NO;
	struct header h;

	if (!read_header(&data, &h) || !flags_fit(&h))
		return PROBE_NO;
	if (is_bare_error(&h, data))
		return PROBE_YES;
	if (!datagram_counts_fit(&h))
		return PROBE_NO;
	return name_fits(data, false, cut);
}

static bool is_dns_port(uint16_t port)
{
	return port == 53 || port == 5353 || port == 5355;
}

// --- Transport ---

static enum parse feed_datagram(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	if (!is_dns_port(in->flow->client_port) && !is_dns_port(in->flow->server_port))
		return PARSE_BAD;
	return read_message(in->data, in, sink) ? PARSE_MORE : PARSE_BAD;
}

// The two bytes of length (RFC 1035 §4.2.2), which may come apart.
static void take_prefix(struct side *s, struct bytes *data)
{
	uint8_t octet;

	while (s->prefix < 2 && bytes_read_u8(data, &octet)) {
		s->size = (uint16_t)(s->size << 8 | octet);
		s->prefix++;
	}
}

// Feeds the message in hand. PARSE_DONE: it (or the part that is kept) has come and is in *message.
static enum parse take_message(struct side *s, struct bytes *data, struct bytes *message)
{
	size_t want = s->size < COLLECT_BYTES ? s->size : COLLECT_BYTES;
	struct bytes part;

	if (s->have == 0 && bytes_take(data, want, message)) {
		s->skip = (uint16_t)(s->size - want);
		return PARSE_DONE;
	}
	part = bytes_head(*data, want - s->have);
	memcpy(s->collected + s->have, part.at, part.left);
	bytes_skip(data, part.left);
	s->have = (uint16_t)(s->have + part.left);
	if (s->have < want)
		return PARSE_MORE;
	*message = bytes_of(s->collected, s->have);
	s->skip = (uint16_t)(s->size - want);
	return PARSE_DONE;
}

static enum parse feed_stream(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct dns_stream *stream = state;
	struct side *s = &stream->side[in->from_client];
	struct bytes data = in->data, message;

	if (in->gap) // nothing in the bytes says where the next message begins
		return PARSE_BAD;
	while (data.left) {
		struct bytes skipped = bytes_head(data, s->skip);

		bytes_skip(&data, skipped.left);
		s->skip = (uint16_t)(s->skip - skipped.left);
		take_prefix(s, &data);
		if (s->prefix < 2 || take_message(s, &data, &message) != PARSE_DONE)
			return PARSE_MORE;
		if (message.left && !read_message(message, in, sink))
			return PARSE_BAD;
		s->size = s->have = s->prefix = 0;
	}
	return PARSE_MORE;
}

const struct proto_ops proto_dns_tcp = {
	.name = "dns",
	.app = APP_DNS,
	.transport = 6,
	.ports = {53},
	.state_bytes = sizeof(struct dns_stream),
	.probe = probe_stream,
	.feed = feed_stream,
};

const struct proto_ops proto_dns_udp = {
	.name = "dns",
	.app = APP_DNS,
	.transport = 17,
	.ports = {53, 5353, 5355},
	.state_bytes = 1, // none is used: feed takes NULL
	.probe = probe_datagram,
	.feed = feed_datagram,
};
