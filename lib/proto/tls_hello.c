// SPDX-License-Identifier: GPL-2.0-or-later
// What a ClientHello says (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2): server name, first ALPN value, versions, JA4, and what is odd about it. Pure but for the
// observation; knows nothing of the records, segments or datagrams it came in, and does not look into ECH. Called by the flow's worker.
#include "tls_impl.h"

enum tls_extension {
	EXTENSION_SNI = 0,
	EXTENSION_ALGORITHMS = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_VERSIONS = 43,
	EXTENSION_ECH = 0xfe0d,
};

bool tls_take_u8_vector(struct bytes *b, struct bytes *out)
{
	uint8_t n;

	return bytes_read_u8(b, &n) && bytes_take(b, n, out);
}

bool tls_take_u16_vector(struct bytes *b, struct bytes *out)
{
	uint16_t n;

	return bytes_read_u16(b, &n) && bytes_take(b, n, out);
}

// RFC 6066 §3: a list of names, of which only type 0 was ever defined. The first one counts, as for servers.
static void read_sni(struct tls_hello *h, struct bytes content)
{
	struct bytes list, name;
	uint8_t type;

	if (h->ja4.sni)
		h->oddities |= TLS_ODD_NAMES;
	h->ja4.sni = true;
	if (!tls_take_u16_vector(&content, &list))
		return;
	while (bytes_read_u8(&list, &type) && tls_take_u16_vector(&list, &name)) {
		if (type != 0)
			continue;
		if (h->sni.left)
			h->oddities |= TLS_ODD_NAMES;
		else
			h->sni = name;
	}
}

static void read_algorithms(struct tls_hello *h, struct bytes content)
{
	if (h->ja4.algorithms.left == 0 && !tls_take_u16_vector(&content, &h->ja4.algorithms))
		h->cut = true;
}

static void read_alpn(struct tls_hello *h, struct bytes content)
{
	struct bytes list;

	if (h->ja4.alpn.left == 0 && tls_take_u16_vector(&content, &list) && !tls_take_u8_vector(&list, &h->ja4.alpn))
		h->cut = true;
}

static void read_versions(struct tls_hello *h, struct bytes content)
{
	uint16_t version, ja4 = 0, highest = 0;
	struct bytes list;

	if (!tls_take_u8_vector(&content, &list))
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

// RFC 9849 §5: encrypted, or grease in its shape; which of the two cannot be told, and is not meant to be.
static void read_ech(struct tls_hello *h, struct bytes content)
{
	h->oddities |= TLS_ODD_ECH;
}

static const struct {
	uint16_t type; // enum tls_extension
	void (*read)(struct tls_hello *h, struct bytes content);
} extensions[] = {
	{EXTENSION_SNI, read_sni},
	{EXTENSION_ALGORITHMS, read_algorithms},
	{EXTENSION_ALPN, read_alpn},
	{EXTENSION_VERSIONS, read_versions},
	{EXTENSION_ECH, read_ech},
};

static void read_extensions(struct tls_hello *h, struct bytes b)
{
	struct bytes content;
	uint16_t type;

	h->ja4.extensions = b;
	while (bytes_read_u16(&b, &type)) {
		if (!tls_take_u16_vector(&b, &content)) {
			h->cut = true;
			return;
		}
		for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
			if (extensions[i].type == type)
				extensions[i].read(h, content);
	}
}

bool tls_hello_read(struct tls_hello *h, struct bytes b)
{
	struct bytes unused, list;
	uint16_t n;

	*h = (struct tls_hello){.cut = false};
	if (!bytes_read_u16(&b, &h->ja4.version) || h->ja4.version >> 8 != 3 || !bytes_skip(&b, 32))
		return false;
	h->begun = true;
	h->highest = h->ja4.version;
	if (!tls_take_u8_vector(&b, &unused) || !tls_take_u16_vector(&b, &h->ja4.ciphers) || !tls_take_u8_vector(&b, &unused))
		return false;
	if (!bytes_read_u16(&b, &n)) // extensions may be left out, RFC 5246 §7.4.1.2
		return true;
	list = bytes_head(b, n);
	h->cut = list.left < n;
	read_extensions(h, list);
	return true;
}

size_t tls_escape(struct bytes in, bool lower, char *out, size_t cap)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	uint8_t c;

	while (n + 4 <= cap && bytes_read_u8(&in, &c)) {
		if (c > ' ' && c < 0x7f && c != '\\' && c != ',') {
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

static void put_oddities(struct observation *o, unsigned oddities)
{
	static const char *const words[] = {"many-records", "two-names", "ech", "differs"};
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if (!(oddities >> i & 1) || n + length + 1 > sizeof(text))
			continue;
		if (n)
			text[n++] = ',';
		memcpy(text + n, words[i], length);
		n += length;
	}
	observation_put(o, TEXT_TLS_ODDITIES, bytes_of(text, n));
}

void tls_hello_emit(const struct tls_hello *h, uint8_t app, const struct proto_input *in, const struct proto_sink *sink)
{
	char text[TLS_NAME_TEXT_BYTES], ja4[JA4_BYTES];
	struct bytes sni = bytes_of(text, tls_escape(h->sni, true, text, sizeof(text)));
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
	observation_put(&o, TEXT_TLS_ALPN, bytes_of(text, tls_escape(h->ja4.alpn, false, text, sizeof(text))));
	put_oddities(&o, h->oddities);
	proto_emit(sink, in, app, &o);
	if (in->from_outside)
		jndi_scan(h->sni, "sni", in, sink, app);
}
