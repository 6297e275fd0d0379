// SPDX-License-Identifier: GPL-2.0-or-later
// Java RMI's wire protocol, JRMP (Java RMI specification, chapter 10), by content on any port, both directions. Calls
// and returns carry a Java object stream of unknown length, so what stands in it (a name looked up, the first class, a
// code base) is read from a small window that slides over the bytes. A return is told twice: at its head, because the
// fact must fall on that segment, and again when a code base is seen in it. Does not decode objects. Called by the
// worker that owns the flow.
#include "proto.h"

enum rmi_limits {
	WINDOW_BYTES = 1024,    // holds the longest string looked at
	STRING_BYTES = 512,     // longer ones are no names
	HOST_BYTES = 255,
	SCAN_BYTES = 256 * 1024,// of one side; then PARSE_DONE, and the flow is marked
	OBSERVATIONS = 64,      // of one flow; then the same
	GREETING_BYTES = 7,     // "JRMI", version, protocol
	UID_BYTES = 14,         // java.rmi.server.UID, after DgcAck
	MAGIC_BYTES = 5,        // Call or ReturnData, then the object stream's magic and version
	OBJECT_BYTES = 22,      // ObjID at the head of a call
	CALL_BYTES = 34,        // with its operation (4) and hash (8)
};

enum rmi_byte { // chapter 10.2
	PROTOCOL_STREAM = 0x4b, PROTOCOL_SINGLE = 0x4c, PROTOCOL_MULTIPLEX = 0x4d,
	ACK = 0x4e, NOT_SUPPORTED = 0x4f, CALL = 0x50, RETURN = 0x51, PING = 0x52, PING_ACK = 0x53, DGC_ACK = 0x54,
};

enum stream_byte { // Java object serialization specification, chapter 6.4.2
	TC_CLASS = 0x72, TC_STRING = 0x74, TC_BLOCK = 0x77,
};

enum stage { STAGE_START, STAGE_ENDPOINT, STAGE_MESSAGE, STAGE_CALL, STAGE_BODY, STAGES };

enum { WAIT = -1 };

struct side {
	uint32_t scanned;
	uint16_t have;
	uint8_t stage;          // enum stage
	uint8_t message;        // enum rmi_message the body belongs to
	bool told_codebase;     // of this message
	uint8_t class_length;
	uint8_t class_name[255];// the first class of this body
	uint8_t window[WINDOW_BYTES];
};

struct rmi {
	struct side side[2];    // [0] server's, [1] client's bytes
	uint32_t observations;
	bool done;
};
_Static_assert(sizeof(struct rmi) <= PROTO_STATE_BYTES, "parser state fits the pool");

struct work {
	struct rmi *rmi;
	struct side *side;
	const struct proto_input *in;
	const struct proto_sink *sink;
};

static void start(struct observation *o, unsigned message)
{
	observation_init(o, OBS_RMI);
	o->number[NUM_RMI_MESSAGE] = message;
	o->facts = FACT_BIT(FACT_RMI);
}

// More may come than is looked at.
static void give_up(struct work *w)
{
	if (!w->rmi->done)
		proto_mark(w->sink, COUNT_PROTO_BUDGET);
	w->rmi->done = true;
}

static void emit(struct work *w, struct observation *o)
{
	proto_emit(w->sink, w->in, APP_RMI, o);
	if (++w->rmi->observations == OBSERVATIONS)
		give_up(w);
}

static void tell(struct work *w, unsigned message)
{
	struct observation o;

	start(&o, message);
	emit(w, &o);
}

static void begin_body(struct side *s, uint8_t message)
{
	s->message = message;
	s->told_codebase = false;
	s->class_length = 0;
}

// Java's modified UTF: a 16-bit length and its bytes. PARSE_BAD: longer than `most`.
static enum parse take_utf(struct bytes *b, size_t most, struct bytes *out)
{
	struct bytes at = *b;
	uint16_t n;

	if (!bytes_read_u16(&at, &n))
		return PARSE_MORE;
	if (n > most)
		return PARSE_BAD;
	if (!bytes_take(&at, n, out))
		return PARSE_MORE;
	*b = at;
	return PARSE_DONE;
}

// --- Steps: each looks at the front of the window and returns how many bytes it is through with, or WAIT ---

static int to_stage(struct work *w, enum stage stage, size_t used)
{
	w->side->stage = (uint8_t)stage;
	return (int)used;
}

// The client's greeting.
static int step_greeting(struct work *w, struct bytes window)
{
	static const char magic[] = "JRMI";
	size_t n = window.left < 4 ? window.left : 4;
	uint8_t protocol;

	if (memcmp(window.at, magic, n) != 0)
		return to_stage(w, STAGE_MESSAGE, 0); // we came late
	if (window.left < GREETING_BYTES)
		return WAIT;
	protocol = window.at[GREETING_BYTES - 1];
	tell(w, RMI_GREETING);
	if (protocol == PROTOCOL_MULTIPLEX) // several connections in one; unused since Java 1.2
		give_up(w);
	return to_stage(w, protocol == PROTOCOL_STREAM ? STAGE_ENDPOINT : STAGE_MESSAGE, GREETING_BYTES);
}

// The server's answer to it: the client's address as the server sees it.
static int step_ack(struct work *w, struct bytes window)
{
	struct bytes at = window, host;
	struct observation o;
	uint32_t port;
	uint8_t first;
	enum parse p;

	if (!bytes_read_u8(&at, &first))
		return WAIT;
	if (first == NOT_SUPPORTED)
		w->rmi->done = true;
	if (first != ACK)
		return to_stage(w, STAGE_MESSAGE, 0); // the single-operation protocol has no answer
	p = take_utf(&at, HOST_BYTES, &host);
	if (p == PARSE_BAD)
		return to_stage(w, STAGE_BODY, 1);
	if (p == PARSE_MORE || !bytes_read_u32(&at, &port))
		return WAIT;
	start(&o, RMI_GREETING_ACK);
	o.number[NUM_RMI_PORT] = port;
	observation_put(&o, TEXT_RMI_HOST, host);
	emit(w, &o);
	return to_stage(w, STAGE_MESSAGE, window.left - at.left);
}

static int step_start(struct work *w, struct bytes window)
{
	return w->in->from_client ? step_greeting(w, window) : step_ack(w, window);
}

// Where the client listens; it says nothing true through NAT.
static int step_endpoint(struct work *w, struct bytes window)
{
	struct bytes at = window, host;
	uint32_t port;
	enum parse p = take_utf(&at, HOST_BYTES, &host);

	if (p == PARSE_BAD)
		return to_stage(w, STAGE_BODY, 0);
	if (p == PARSE_MORE || !bytes_read_u32(&at, &port))
		return WAIT;
	return to_stage(w, STAGE_MESSAGE, window.left - at.left);
}

// Does a call or return begin here? PROBE_MAYBE: too few bytes to say.
static enum probe message_head(struct bytes b)
{
	static const uint8_t magic[] = {0xac, 0xed, 0x00, 0x05};
	uint8_t first;
	size_t n;

	if (!bytes_read_u8(&b, &first))
		return PROBE_MAYBE;
	n = b.left < sizeof(magic) ? b.left : sizeof(magic);
	if ((first != CALL && first != RETURN) || memcmp(b.at, magic, n) != 0)
		return PROBE_NO;
	return n == sizeof(magic) ? PROBE_YES : PROBE_MAYBE;
}

static int step_message(struct work *w, struct bytes window)
{
	switch (message_head(window)) {
	case PROBE_MAYBE:
		return WAIT;
	case PROBE_YES:
		if (window.at[0] == CALL)
			return to_stage(w, STAGE_CALL, MAGIC_BYTES);
		begin_body(w->side, RMI_RETURN);
		tell(w, RMI_RETURN);
		return to_stage(w, STAGE_BODY, MAGIC_BYTES);
	case PROBE_NO:
		break;
	}
	switch (window.at[0]) {
	case PING:
		tell(w, RMI_PING);
		return 1;
	case PING_ACK:
		return 1;
	case DGC_ACK:
		return window.left > UID_BYTES ? 1 + UID_BYTES : WAIT;
	}
	return to_stage(w, STAGE_BODY, 0);
}

// Is it a call to the registry with a name as its first argument (sun.rmi.registry.RegistryImpl_Skel: all but list)?
static bool has_name(struct bytes block)
{
	uint32_t operation, high, low;

	return bytes_skip(&block, OBJECT_BYTES) && bytes_read_u32(&block, &operation) &&
	       bytes_read_u32(&block, &high) && bytes_read_u32(&block, &low) && high == 0x44154dc9 &&
	       low == 0xd4e63bdf && operation != 1;
}

static int step_call(struct work *w, struct bytes window)
{
	struct bytes at = window, block, name = {NULL, 0};
	struct observation o;
	uint8_t tag, n;
	bool plain;

	if (!bytes_read_u8(&at, &tag))
		return WAIT;
	plain = tag == TC_BLOCK;
	if (plain && !bytes_read_u8(&at, &n))
		return WAIT;
	plain = plain && n >= CALL_BYTES;
	if (plain && !bytes_take(&at, n, &block))
		return WAIT;
	if (plain && has_name(block)) {
		enum parse p;

		if (!bytes_read_u8(&at, &tag))
			return WAIT;
		p = tag == TC_STRING ? take_utf(&at, STRING_BYTES, &name) : PARSE_BAD;
		if (p == PARSE_MORE)
			return WAIT;
	}
	begin_body(w->side, RMI_CALL);
	start(&o, RMI_CALL);
	if (name.left)
		observation_put(&o, TEXT_RMI_NAME, name);
	emit(w, &o);
	return to_stage(w, plain ? STAGE_MESSAGE : STAGE_BODY, plain ? window.left - at.left : 0);
}

static bool is_class_name(struct bytes b)
{
	uint8_t c;

	while (bytes_read_u8(&b, &c)) {
		bool letter = (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || (c >= '0' && c <= '9');

		if (!letter && (!c || !strchr("_.$[;/", c)))
			return false;
	}
	return true;
}

// May the string begin a code base? PROBE_MAYBE: it is cut before one can say.
static enum probe is_codebase(struct bytes b)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://", "file:", "jar:", "ldap://", "ldaps://",
					      "rmi://"};
	enum probe best = PROBE_NO;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct bytes scheme = bytes_of_text(schemes[i]);

		if (bytes_begin_with(b, schemes[i]))
			return PROBE_YES;
		if (b.left < scheme.left && bytes_equal(b, bytes_head(scheme, b.left)))
			best = PROBE_MAYBE;
	}
	return best;
}

static int take_class(struct work *w, struct bytes window)
{
	struct side *s = w->side;
	struct bytes at = bytes_from(window, 1), name;
	enum parse p = take_utf(&at, sizeof(s->class_name), &name);

	if (p == PARSE_BAD || s->class_length || !is_class_name(p == PARSE_DONE ? name : bytes_from(window, 3)))
		return 1;
	if (p == PARSE_MORE)
		return WAIT;
	memcpy(s->class_name, name.at, name.left);
	s->class_length = (uint8_t)name.left;
	return (int)(window.left - at.left);
}

static int take_string(struct work *w, struct bytes window)
{
	struct side *s = w->side;
	struct bytes at = bytes_from(window, 1), text;
	enum parse p = take_utf(&at, STRING_BYTES, &text);
	struct observation o;
	enum probe is = is_codebase(p == PARSE_DONE ? text : bytes_from(window, 3));

	if (p == PARSE_BAD || s->told_codebase || is == PROBE_NO || (p == PARSE_DONE && is == PROBE_MAYBE))
		return 1;
	if (p == PARSE_MORE)
		return WAIT;
	start(&o, s->message);
	observation_put(&o, TEXT_RMI_NAME, bytes_of(s->class_name, s->class_length));
	observation_put(&o, TEXT_RMI_CODEBASE, text);
	emit(w, &o);
	s->told_codebase = true;
	return (int)(window.left - at.left);
}

// Inside an object stream: strings and class names at any octet, until the next message's head.
static int step_body(struct work *w, struct bytes window)
{
	switch (message_head(window)) {
	case PROBE_MAYBE:
		return WAIT;
	case PROBE_YES:
		return to_stage(w, STAGE_MESSAGE, 0);
	case PROBE_NO:
		break;
	}
	if (window.at[0] == TC_CLASS)
		return take_class(w, window);
	if (window.at[0] == TC_STRING)
		return take_string(w, window);
	return 1;
}

static int (*const steps[STAGES])(struct work *w, struct bytes window) = {
	[STAGE_START] = step_start,     [STAGE_ENDPOINT] = step_endpoint, [STAGE_MESSAGE] = step_message,
	[STAGE_CALL] = step_call,       [STAGE_BODY] = step_body,
};

// Steps until more bytes are needed. A step that uses none goes to a later stage, so this ends.
static void run(struct work *w)
{
	struct side *s = w->side;
	struct bytes window = bytes_of(s->window, s->have);

	while (window.left && !w->rmi->done) {
		int used = steps[s->stage](w, window);

		if (used < 0 && window.left < WINDOW_BYTES)
			break;
		bytes_skip(&window, used < 0 ? 1 : (size_t)used);
	}
	memmove(s->window, window.at, window.left);
	s->have = (uint16_t)window.left;
}

static enum parse rmi_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct rmi *rmi = state;
	struct side *s = &rmi->side[in->from_client];
	struct work w = {rmi, s, in, sink};
	struct bytes data = in->data, part;

	if (in->gap) { // the next message is found by its head
		s->have = 0;
		s->stage = STAGE_BODY;
	}
	if (in->from_outside) // names are logged, and by what is no registry everything
		jndi_scan(data, "payload", in, sink, APP_RMI);
	while (data.left && !rmi->done) {
		part = bytes_head(data, WINDOW_BYTES - s->have);
		memcpy(s->window + s->have, part.at, part.left);
		s->have = (uint16_t)(s->have + part.left);
		bytes_skip(&data, part.left);
		s->scanned += (uint32_t)part.left;
		run(&w);
		if (s->scanned > SCAN_BYTES)
			give_up(&w);
	}
	return rmi->done ? PARSE_DONE : PARSE_MORE;
}

static enum probe probe_greeting(struct bytes data)
{
	static const char magic[] = "JRMI";
	struct bytes at = data;
	uint16_t version;
	uint8_t protocol;

	if (memcmp(data.at, magic, data.left < 4 ? data.left : 4) != 0)
		return PROBE_NO;
	if (!bytes_skip(&at, 4) || !bytes_read_u16(&at, &version) || !bytes_read_u8(&at, &protocol))
		return PROBE_MAYBE;
	return version <= 2 && protocol >= PROTOCOL_STREAM && protocol <= PROTOCOL_MULTIPLEX ? PROBE_YES : PROBE_NO;
}

// ACK, a printable host, a port below 65536: strict, for the first byte alone is a letter.
static enum probe probe_ack(struct bytes data)
{
	struct bytes host = {NULL, 0};
	uint16_t zero, port;
	uint8_t c;
	enum parse p;

	bytes_skip(&data, 1);
	p = take_utf(&data, PROTO_PROBE_BYTES - 8, &host);
	if (p == PARSE_BAD || (p == PARSE_DONE && host.left == 0))
		return PROBE_NO;
	if (p == PARSE_MORE)
		host = bytes_from(data, 2);
	while (bytes_read_u8(&host, &c))
		if (c <= ' ' || c > '~')
			return PROBE_NO;
	if (p == PARSE_MORE || data.left < 4)
		return PROBE_MAYBE;
	bytes_read_u16(&data, &zero);
	bytes_read_u16(&data, &port);
	return zero == 0 ? PROBE_YES : PROBE_NO;
}

static enum probe rmi_probe(struct bytes data, bool from_client)
{
	if (data.left == 0)
		return PROBE_MAYBE;
	if (data.at[0] == CALL || data.at[0] == RETURN)
		return message_head(data);
	if (data.at[0] == 'J')
		return from_client ? probe_greeting(data) : PROBE_NO;
	return data.at[0] == ACK && !from_client ? probe_ack(data) : PROBE_NO;
}

const struct proto_ops proto_rmi = {
	.name = "rmi",
	.app = APP_RMI,
	.transport = 6,
	.ports = {1098, 1099},
	.state_bytes = sizeof(struct rmi),
	.probe = rmi_probe,
	.feed = rmi_feed,
};
