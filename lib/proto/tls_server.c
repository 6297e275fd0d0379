// SPDX-License-Identifier: GPL-2.0-or-later
// What a TLS server says in clear: the version and cipher it chose (RFC 8446 §4.1.3) and, up to TLS 1.2, the names in its certificate, by a
// walk over just the part of DER that leads there (RFC 5280 §4.1). Checks no signature and no date: a certificate is what its sender claims. Called by the
// flow's worker.
#include "tls_impl.h"

enum { EXTENSION_VERSIONS = 43, DRAFT = 0x7f /* high octet of the version of a draft */ };

enum der_tag { // X.690 §8.1.2
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_DNS_NAME = 0x82,       // GeneralName [2]
	DER_VERSION = 0xa0,        // TBSCertificate [0]
	DER_EXTENSIONS = 0xa3,     // TBSCertificate [3]
};

// --- ServerHello ---

// Up to draft 21 of TLS 1.3 there was neither a session id nor a compression method.
static bool skip_session(const struct tls_answer *a, struct bytes *b)
{
	struct bytes session;

	return a->version >> 8 == DRAFT || tls_take_u8_vector(b, &session);
}

bool tls_answer_read(struct tls_answer *a, struct bytes b)
{
	// What stands in place of a random number, RFC 8446 §4.1.3
	static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
					0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
	struct bytes random, list, content;
	uint16_t type, version;

	if (!bytes_read_u16(&b, &a->version) || (a->version >> 8 != 3 && a->version >> 8 != DRAFT) || !bytes_take(&b, 32, &random) ||
	    !skip_session(a, &b) || !bytes_read_u16(&b, &a->cipher) || (a->version >> 8 == 3 && !bytes_skip(&b, 1)))
		return false;
	a->retry = bytes_equal(random, bytes_of(retry, sizeof(retry)));
	if (!tls_take_u16_vector(&b, &list))
		return true;
	while (bytes_read_u16(&list, &type) && tls_take_u16_vector(&list, &content))
		if (type == EXTENSION_VERSIONS && bytes_read_u16(&content, &version))
			a->version = version;
	return true;
}

// --- Certificate ---

struct der {
	struct bytes content;   // as much of it as is there
	uint8_t tag;
	bool cut;
};

// The next element, perhaps cut; *b moves behind it. false: none.
static bool take(struct bytes *b, struct der *out)
{
	uint32_t length = 0;
	uint8_t first, octet;

	if (!bytes_read_u8(b, &out->tag) || (out->tag & 31) == 31 || !bytes_read_u8(b, &first))
		return false;
	if (first < 0x80) {
		length = first;
	} else {
		if (first == 0x80 || first > 0x83) // indefinite is no DER; no certificate is 16 MiB
			return false;
		for (unsigned i = first & 3; i > 0; i--) {
			if (!bytes_read_u8(b, &octet))
				return false;
			length = length << 8 | octet;
		}
	}
	out->content = bytes_head(*b, length);
	out->cut = out->content.left < length;
	*b = bytes_from(*b, length);
	return true;
}

static bool take_tag(struct bytes *b, uint8_t tag, struct der *out)
{
	return take(b, out) && out->tag == tag;
}

// Name (§4.1.2.4): the last common name is the most specific.
static struct bytes common_name(struct bytes name)
{
	struct bytes found = bytes_of(NULL, 0);
	struct der set, pair, oid, value;

	while (take_tag(&name, DER_SET, &set))
		while (take_tag(&set.content, DER_SEQUENCE, &pair)) {
			if (!take_tag(&pair.content, DER_OID, &oid) || !take(&pair.content, &value) || value.cut)
				continue;
			if (bytes_equal(oid.content, bytes_of("\x55\x04\x03", 3))) // 2.5.4.3
				found = value.content;
		}
	return found;
}

static void read_names(struct tls_certificate *c, struct bytes octets)
{
	struct der list;

	if (!take_tag(&octets, DER_SEQUENCE, &list))
		return;
	if (c->lists < TLS_NAME_LISTS)
		c->list[c->lists++] = list.content;
	else
		c->cut = true;
}

bool tls_certificate_name(struct tls_certificate *c, struct bytes *name)
{
	struct der e;

	for (unsigned i = 0; i < c->lists; i++)
		while (take(&c->list[i], &e)) {
			if (e.tag != DER_DNS_NAME)
				continue;
			if (e.cut || c->names == TLS_NAMES) {
				c->cut = true;
				c->lists = 0;
				return false;
			}
			c->names++;
			*name = e.content;
			return true;
		}
	return false;
}

static void read_extensions(struct tls_certificate *c, struct bytes b)
{
	struct der list, extension, oid, value;

	if (!take_tag(&b, DER_SEQUENCE, &list))
		return;
	while (take_tag(&list.content, DER_SEQUENCE, &extension)) {
		if (!take_tag(&extension.content, DER_OID, &oid) || !take(&extension.content, &value))
			continue;
		if (value.tag == DER_BOOLEAN && !take(&extension.content, &value))
			continue;
		if (value.tag == DER_OCTETS && bytes_equal(oid.content, bytes_of("\x55\x1d\x11", 3))) // 2.5.29.17
			read_names(c, value.content);
	}
}

bool tls_certificate_read(struct tls_certificate *c, struct bytes der)
{
	struct der whole, body, e;

	*c = (struct tls_certificate){.names = 0};
	if (!take_tag(&der, DER_SEQUENCE, &whole) || !take_tag(&whole.content, DER_SEQUENCE, &body))
		return false;
	c->cut = body.cut;
	if (!take(&body.content, &e))
		return false;
	if (e.tag == DER_VERSION && !take(&body.content, &e))
		return false;
	if (e.tag != DER_INTEGER || !take_tag(&body.content, DER_SEQUENCE, &e) || !take_tag(&body.content, DER_SEQUENCE, &e))
		return false;
	c->issuer = common_name(e.content);
	if (!take_tag(&body.content, DER_SEQUENCE, &e) || !take_tag(&body.content, DER_SEQUENCE, &e)) // validity, subject
		return true;
	c->subject = common_name(e.content);
	while (take(&body.content, &e))
		if (e.tag == DER_EXTENSIONS)
			read_extensions(c, e.content);
	return true;
}

// --- Observation ---

// A record of the answer as it is filled.
struct telling {
	const struct proto_input *in;
	const struct proto_sink *sink;
	struct observation o;
	size_t n;
	unsigned part;
	uint8_t app;
	char text[OBSERVATION_TEXT_BYTES]; // "a.example,b.example"
};

static void send(struct telling *t)
{
	observation_put_list(&t->o, TEXT_TLS_NAMES, bytes_of(t->text, t->n));
	proto_emit(t->sink, t->in, t->app, &t->o);
}

// Those who count answers, or look for the server's own name, look at the first record only.
static void begin_part(struct telling *t)
{
	observation_init(&t->o, OBS_TLS_SERVER);
	t->o.number[NUM_TLS_SERVER_PART] = ++t->part;
	t->n = 0;
}

// A name for which there is no room goes into a record of its own, or is left out whole: half a name is another one.
static void put_name(struct telling *t, struct bytes name)
{
	char text[TLS_NAME_TEXT_BYTES];
	size_t length = tls_escape(name, true, text, sizeof(text));

	if (t->n + length + (t->n > 0) > observation_room(&t->o)) {
		if (length > OBSERVATION_TEXT_BYTES || t->part + 1 == TLS_ANSWER_RECORDS) {
			t->o.flags8 |= OBS_FLAG_TRUNCATED;
			return;
		}
		send(t);
		begin_part(t);
	}
	if (t->n)
		t->text[t->n++] = ',';
	memcpy(t->text + t->n, text, length);
	t->n += length;
}

static void put_certificate(struct telling *t, struct tls_certificate *c)
{
	struct bytes name;

	observation_put(&t->o, TEXT_TLS_SUBJECT, c->subject);
	observation_put(&t->o, TEXT_TLS_ISSUER, c->issuer);
	while (tls_certificate_name(c, &name))
		put_name(t, name);
	if (c->cut)
		t->o.flags8 |= OBS_FLAG_TRUNCATED;
}

static void scan_certificate(struct tls_certificate *c, uint8_t app, const struct proto_input *in, const struct proto_sink *sink)
{
	struct bytes name;

	jndi_scan(c->subject, "certificate", in, sink, app);
	while (tls_certificate_name(c, &name))
		jndi_scan(name, "certificate", in, sink, app);
}

void tls_answer_emit(const struct tls_answer *a, struct tls_certificate *c, uint8_t app, const struct proto_input *in,
		     const struct proto_sink *sink)
{
	struct telling t = {.in = in, .sink = sink, .n = 0, .part = 0, .app = app};
	struct tls_certificate scanned;

	observation_init(&t.o, OBS_TLS_SERVER);
	t.o.number[NUM_TLS_SERVER_VERSION] = a->version;
	t.o.number[NUM_TLS_SERVER_CIPHER] = a->cipher;
	if (c) {
		scanned = *c;
		put_certificate(&t, c);
	}
	send(&t);
	if (c && in->from_outside)
		scan_certificate(&scanned, app, in, sink);
}
