// SPDX-License-Identifier: GPL-2.0-or-later
// The ClientHello of TLS (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) by content on any port, over however many records and
// segments it is spread: server name, first ALPN value, versions, JA4. What comes behind it is ciphertext or the
// server's, so the parser is done then. Does not look at certificates or into ECH. Called by the flow's worker.
#include "proto.h"
#include "ja4.h"

enum tls_limits {
	COLLECT_BYTES = 16384,             // of handshake bytes; a longer hello is read as far as that
	RECORD_BYTES = 16384 + 2048,       // largest record that is not an error, RFC 5246 §6.2.3
	RECORD_HEADER_BYTES = 5,
	HANDSHAKE_HEADER_BYTES = 4,
	NAME_BYTES = 255,
	NAME_TEXT_BYTES = 4 * NAME_BYTES,
};

enum tls_content { CONTENT_CHANGE_CIPHER = 20, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23, CONTENT_HEARTBEAT = 24 };

enum { HANDSHAKE_CLIENT_HELLO = 1, HANDSHAKE_SERVER_HELLO = 2 };

enum tls_extension { EXTENSION_SNI = 0, EXTENSION_ALGORITHMS = 13, EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };

struct tls {
	uint32_t have;                     // handshake bytes in collected
	uint32_t record_left;              // bytes of the record in hand still to come
	uint8_t header_have;
	uint8_t header[RECORD_HEADER_BYTES];
	uint8_t collected[COLLECT_BYTES];
};
_Static_assert(sizeof(struct tls) <= PROTO_STATE_BYTES, "parser state fits the pool");

struct hello {
	struct ja4_hello ja4;
	struct bytes sni;
	uint16_t highest;                  // version offered, of those that exist
	bool cut;                          // something in it did not fit
};

// --- ClientHello ---

static bool take_u8_vector(struct bytes *b, struct bytes *out)
{
	uint8_t n;

	return bytes_read_u8(b, &n) && bytes_take(b, n, out);
}

static bool take_u16_vector(struct bytes *b, struct bytes *out)
{
	uint16_t n;

	return bytes_read_u16(b, &n) && bytes_take(b, n, out);
}

// RFC 6066 §3: a list of names, of which only type 0 was ever defined. The first one counts, as for servers.
static void read_sni(struct hello *h, struct bytes content)
{
	struct bytes list, name;
	uint8_t type;

	h->ja4.sni = true;
	if (!take_u16_vector(&content, &list))
		return;
	while (h->sni.left == 0 && bytes_read_u8(&list, &type) && take_u16_vector(&list, &name))
		if (type == 0)
			h->sni = name;
}

static void read_algorithms(struct hello *h, struct bytes content)
{
	if (h->ja4.algorithms.left == 0 && !take_u16_vector(&content, &h->ja4.algorithms))
		h->cut = true;
}

static void read_alpn(struct hello *h, struct bytes content)
{
	struct bytes list;

	if (h->ja4.alpn.left == 0 && take_u16_vector(&content, &list) && !take_u8_vector(&list, &h->ja4.alpn))
		h->cut = true;
}

static void read_versions(struct hello *h, struct bytes content)
{
	uint16_t version, ja4 = 0, highest = 0;
	struct bytes list;

	if (!take_u8_vector(&content, &list))
		return;
	while (bytes_read_u16(&list, &version)) {
		if (ja4_is_grease(version))
			continue;
		if (version > ja4)
			ja4 = version; // drafts (0x7fNN) count for JA4, which writes them as unknown
		if (version > highest && version >= 0x0300 && version <= 0x0304)
			highest = version;
	}
	if (ja4)
		h->ja4.version = ja4;
	if (highest)
		h->highest = highest;
}

static const struct {
	uint16_t type; // enum tls_extension
	void (*read)(struct hello *h, struct bytes content);
} extensions[] = {
	{EXTENSION_SNI, read_sni},
	{EXTENSION_ALGORITHMS, read_algorithms},
	{EXTENSION_ALPN, read_alpn},
	{EXTENSION_VERSIONS, read_versions},
};

static void read_extensions(struct hello *h, struct bytes b)
{
	struct bytes content;
	uint16_t type;

	h->ja4.extensions = b;
	while (bytes_read_u16(&b, &type)) {
		if (!take_u16_vector(&b, &content)) {
			h->cut = true;
			return;
		}
		for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
			if (extensions[i].type == type)
				extensions[i].read(h, content);
	}
}

// The handshake message without its header, perhaps cut. false: no ClientHello.
static bool read_hello(struct hello *h, struct bytes b)
{
	struct bytes unused, list;
	uint16_t n;

	*h = (struct hello){.cut = false};
	if (!bytes_read_u16(&b, &h->ja4.version) || !bytes_skip(&b, 32) || !take_u8_vector(&b, &unused) ||
	    !take_u16_vector(&b, &h->ja4.ciphers) || !take_u8_vector(&b, &unused))
		return false;
	if (h->ja4.version >> 8 != 3)
		return false;
	h->highest = h->ja4.version;
	if (!bytes_read_u16(&b, &n)) // extensions may be left out, RFC 5246 §7.4.1.2
		return true;
	list = bytes_head(b, n);
	h->cut = list.left < n;
	read_extensions(h, list);
	return true;
}

// Lower-cased where it is a name; whatever is not printable as \xNN. Returns the length.
static size_t write_escaped(struct bytes in, bool lower, char *out, size_t cap)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	uint8_t c;

	while (n + 4 <= cap && bytes_read_u8(&in, &c)) {
		if (c > ' ' && c < 0x7f && c != '\\') {
			out[n++] = (char)(lower ? byte_lower(c) : c);
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	return n;
}

static void emit(const struct hello *h, const struct proto_input *in, const struct proto_sink *sink)
{
	char text[NAME_TEXT_BYTES], ja4[JA4_BYTES];
	struct bytes sni = bytes_of(text, write_escaped(h->sni, true, text, sizeof(text)));
	struct observation o;
	struct address literal;

	observation_init(&o, OBS_TLS);
	o.number[NUM_TLS_VERSION] = h->highest;
	observation_put(&o, TEXT_TLS_SNI, sni);
	if (sni.left == 0 || address_parse(sni, &literal) == 0)
		o.flags8 |= OBS_FLAG_BARE_HOST;
	if (in->device_sends && self_address_in(sni, in))
		o.facts |= FACT_BIT(FACT_SELF_ADDRESS);
	if (h->cut || !ja4_format(&h->ja4, ja4))
		o.flags8 |= OBS_FLAG_TRUNCATED; // a fingerprint of a part would be another client's
	else
		observation_put(&o, TEXT_TLS_JA4, bytes_of_text(ja4));
	observation_put(&o, TEXT_TLS_ALPN, bytes_of(text, write_escaped(h->ja4.alpn, false, text, sizeof(text))));
	proto_emit(sink, in, APP_TLS, &o);
	if (in->from_outside)
		jndi_scan(h->sni, "sni", in, sink, APP_TLS);
}

// --- Stream ---

// Looks at what is collected: PARSE_MORE while the message is not whole.
static enum parse take_handshake(struct tls *t, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes b = bytes_of(t->collected, t->have);
	struct hello hello;
	uint32_t size;
	uint8_t type;

	if (!bytes_read_u8(&b, &type))
		return PARSE_MORE;
	if (type != HANDSHAKE_CLIENT_HELLO)
		return PARSE_DONE; // renegotiation seen from the middle, or a client that speaks as a server
	if (!bytes_read_u24(&b, &size) || (b.left < size && t->have < COLLECT_BYTES))
		return PARSE_MORE;
	if (!read_hello(&hello, bytes_head(b, size)))
		return PARSE_BAD;
	emit(&hello, in, sink);
	return PARSE_DONE;
}

// PARSE_DONE: the record's header is whole and good.
static enum parse take_record_header(struct tls *t, struct bytes *data)
{
	struct bytes b = bytes_head(*data, (size_t)RECORD_HEADER_BYTES - t->header_have);
	uint16_t version, length;
	uint8_t type;

	memcpy(t->header + t->header_have, b.at, b.left);
	t->header_have = (uint8_t)(t->header_have + b.left);
	bytes_skip(data, b.left);
	b = bytes_of(t->header, t->header_have);
	if (!bytes_read_u8(&b, &type) || !bytes_read_u16(&b, &version) || !bytes_read_u16(&b, &length))
		return PARSE_MORE;
	// An empty handshake record is forbidden (RFC 8446 §5.1): without bytes there is no bound on their number.
	if (version >> 8 != 3 || length == 0 || length > RECORD_BYTES || type < CONTENT_CHANGE_CIPHER ||
	    type > CONTENT_HEARTBEAT)
		return PARSE_BAD;
	t->record_left = length;
	return PARSE_DONE;
}

static enum parse tls_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes data = in->data, part;
	struct tls *t = state;
	enum parse p;

	if (!in->from_client)
		return PARSE_MORE;
	if (in->gap)
		return PARSE_BAD;
	while (data.left) {
		if (t->record_left == 0) {
			t->header_have = t->header_have % RECORD_HEADER_BYTES;
			p = take_record_header(t, &data);
			if (p != PARSE_DONE)
				return p;
			if (t->header[0] != CONTENT_HANDSHAKE)
				return PARSE_DONE; // we came late, or the client gave up with an alert
		}
		part = bytes_head(data, t->record_left);
		bytes_skip(&data, part.left);
		t->record_left -= (uint32_t)part.left;
		part = bytes_head(part, COLLECT_BYTES - t->have);
		memcpy(t->collected + t->have, part.at, part.left);
		t->have += (uint32_t)part.left;
		p = take_handshake(t, in, sink);
		if (p != PARSE_MORE)
			return p;
	}
	return PARSE_MORE;
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
	.state_bytes = sizeof(struct tls),
	.probe = tls_probe,
	.feed = tls_feed,
};
