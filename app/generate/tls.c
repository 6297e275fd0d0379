// SPDX-License-Identifier: GPL-2.0-or-later
// TLS 1.3 as a tap sees it (RFC 8446, 8701 GREASE): a true ClientHello and ServerHello, then records nobody can read.
#include "web.h"

enum { GREASE = 0x0a0a, LIST_MOST = 24 };

enum extension {
	EXTENSION_NAME = 0,
	EXTENSION_STATUS = 5,
	EXTENSION_GROUPS = 10,
	EXTENSION_POINTS = 11,
	EXTENSION_SIGNATURES = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_PADDING = 21,
	EXTENSION_COMPRESS = 27,
	EXTENSION_RECORD_LIMIT = 28,
	EXTENSION_VERSIONS = 43,
	EXTENSION_PSK_MODES = 45,
	EXTENSION_SIGNATURES_CERT = 50,
	EXTENSION_KEYS = 51,
	EXTENSION_RENEGOTIATION = 0xff01,
};

struct tls_shape {
	bool grease;
	const char *alpn;               // protocols with their length bytes, or NULL
	uint16_t ciphers[LIST_MOST];    // ends with 0
	uint16_t extensions[LIST_MOST]; // ends with 0xffff (0 is the server's name)
	uint16_t groups[8];
	uint16_t signatures[16];
};

#define CIPHERS_13 0x1301, 0x1302, 0x1303
#define CIPHERS_ECDHE 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8
#define SIGNATURES_COMMON 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601

static const struct tls_shape SHAPES[TLS_CLIENTS] = {
	[TLS_CHROME] = {true,
			"\2h2\10http/1.1",
			{CIPHERS_13, CIPHERS_ECDHE, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
			{0, 23, 0xff01, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 21, 0xffff},
			{0x001d, 0x0017, 0x0018},
			{SIGNATURES_COMMON}},
	[TLS_FIREFOX] = {false,
			 "\2h2\10http/1.1",
			 {0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc013,
			  0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
			 {0, 23, 0xff01, 10, 11, 35, 16, 5, 51, 43, 13, 45, 28, 21, 0xffff},
			 {0x001d, 0x0017, 0x0018, 0x0019, 0x0100, 0x0101},
			 {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201}},
	[TLS_OPENSSL] = {false,
			 "\2h2\10http/1.1",
			 {0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f,
			  0x009e, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0x00ff},
			 {0, 11, 10, 35, 16, 22, 23, 13, 43, 45, 51, 21, 0xffff},
			 {0x001d, 0x0017, 0x001e, 0x0019, 0x0018},
			 {0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, SIGNATURES_COMMON}},
	[TLS_GNUTLS] = {false,
			NULL,
			{0x1302, 0x1303, 0x1301, 0x1304, 0xc02c, 0xcca9, 0xc0ad, 0xc00a, 0xc02b, 0xc0ac, 0xc009, 0xc030,
			 0xcca8},
			{5, 10, 11, 13, 22, 23, 35, 51, 43, 0xff01, 45, 0, 28, 0xffff},
			{0x0017, 0x0018, 0x0019, 0x001d, 0x001e},
			{0x0401, 0x0809, 0x0804, 0x0403, 0x0807, 0x0501, 0x080a, 0x0805, 0x0503}},
	[TLS_JAVA] = {false,
		      NULL,
		      {0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xcca8, 0xc02f, 0x009f, 0xccaa, 0x00a3,
		       0x009e, 0x00a2, 0xc024, 0xc028, 0x00ff},
		      {0, 5, 10, 11, 13, 50, 17, 23, 43, 45, 51, 0xffff},
		      {0x001d, 0x0017, 0x0018, 0x0019, 0x001e},
		      {0x0403, 0x0503, 0x0603, SIGNATURES_COMMON}},
	[TLS_GO] = {false,
		    NULL,
		    {CIPHERS_ECDHE, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x009d, 0x002f, CIPHERS_13},
		    {0, 5, 10, 11, 13, 0xff01, 18, 43, 51, 0xffff},
		    {0x001d, 0x0017, 0x0018, 0x0019},
		    {SIGNATURES_COMMON, 0x0603, 0x0201, 0x0203}},
};

static void write_list(struct message *m, const uint16_t *list, size_t most, uint16_t grease)
{
	if (grease)
		message_u16(m, grease);
	for (size_t i = 0; i < most && list[i]; i++)
		message_u16(m, list[i]);
}

static void write_random(struct message *m, struct chance *c, size_t n)
{
	message_zero(m, n);
	chance_fill(c, m->at + m->length - n, n);
}

static void write_name(struct message *m, const char *name)
{
	size_t list = message_open(m, 2);
	size_t entry;

	message_u8(m, 0);
	entry = message_open(m, 2);
	message_text(m, name);
	message_close(m, entry, 2);
	message_close(m, list, 2);
}

static void write_keys(struct message *m, struct chance *c, const struct tls_shape *shape, uint16_t grease)
{
	size_t list = message_open(m, 2);

	if (grease) {
		message_u16(m, grease);
		message_u16(m, 1);
		message_u8(m, 0);
	}
	// Clients offer a share for x25519, or for the first group they prefer.
	message_u16(m, shape->groups[0]);
	message_u16(m, shape->groups[0] == 0x001d ? 32 : 65);
	if (shape->groups[0] != 0x001d)
		message_u8(m, 4);
	write_random(m, c, shape->groups[0] == 0x001d ? 32 : 64);
	message_close(m, list, 2);
}

static void write_content(struct message *m, struct chance *c, const struct tls_shape *shape, uint16_t type,
			  uint16_t grease, const char *name)
{
	size_t list = 0;

	switch (type) {
	case EXTENSION_NAME:
		write_name(m, name);
		return;
	case EXTENSION_STATUS:
		message_add(m, "\1\0\0\0\0", 5);
		return;
	case EXTENSION_POINTS:
		message_add(m, "\1\0", 2);
		return;
	case EXTENSION_PSK_MODES:
		message_add(m, "\1\1", 2);
		return;
	case EXTENSION_COMPRESS:
		message_add(m, "\2\0\2", 3);
		return;
	case EXTENSION_RECORD_LIMIT:
		message_u16(m, 0x4001);
		return;
	case EXTENSION_RENEGOTIATION:
		message_u8(m, 0);
		return;
	case EXTENSION_KEYS:
		write_keys(m, c, shape, grease);
		return;
	case EXTENSION_VERSIONS:
		list = message_open(m, 1);
		write_list(m, (const uint16_t[]){0x0304, 0x0303}, 2, grease);
		message_close(m, list, 1);
		return;
	case EXTENSION_GROUPS:
	case EXTENSION_SIGNATURES:
	case EXTENSION_SIGNATURES_CERT:
		list = message_open(m, 2);
		write_list(m, type == EXTENSION_GROUPS ? shape->groups : shape->signatures,
			   type == EXTENSION_GROUPS ? 8 : 16, type == EXTENSION_GROUPS ? grease : 0);
		break;
	case EXTENSION_ALPN:
		list = message_open(m, 2);
		message_text(m, shape->alpn);
		break;
	default: // 17, 18, 22, 23, 35: present and empty
		if (type == 17)
			message_add(m, "\0\7\2\0\4\0\0\0\0", 9);
		return;
	}
	message_close(m, list, 2);
}

static void write_extension(struct message *m, struct chance *c, const struct tls_shape *shape, uint16_t type,
			    uint16_t grease, const char *name)
{
	size_t place;

	if (type == EXTENSION_NAME && !name)
		return;
	if (type == EXTENSION_PADDING) {
		// Padded to 512 bytes of handshake: the scratch holds record and handshake headers before it (RFC
		// 7685).
		size_t n = m->length < 5 + 512 - 4 ? 5 + 512 - 4 - m->length : 0;

		if (n) {
			message_u16(m, type);
			message_u16(m, (uint16_t)n);
			message_zero(m, n);
		}
		return;
	}
	message_u16(m, type);
	place = message_open(m, 2);
	write_content(m, c, shape, type, grease, name);
	message_close(m, place, 2);
}

static void write_client_hello(struct message *m, struct chance *c, const struct tls_shape *shape, const char *name,
			       const uint8_t session[32])
{
	uint16_t grease = (uint16_t)(GREASE + 0x1010 * (shape->grease ? chance_below(c, 15) : 0));
	size_t record, handshake, list;

	message_add(m, "\x16\3\1", 3);
	record = message_open(m, 2);
	message_u8(m, 1);
	handshake = message_open(m, 3);
	message_u16(m, 0x0303);
	write_random(m, c, 32);
	message_u8(m, 32);
	message_add(m, session, 32);
	list = message_open(m, 2);
	write_list(m, shape->ciphers, LIST_MOST, shape->grease ? grease : 0);
	message_close(m, list, 2);
	message_add(m, "\1\0", 2);
	list = message_open(m, 2);
	if (shape->grease) {
		message_u16(m, grease);
		message_u16(m, 0);
	}
	for (const uint16_t *type = shape->extensions; *type != 0xffff; type++)
		write_extension(m, c, shape, *type, shape->grease ? (uint16_t)(grease ^ 0x1010) : 0, name);
	message_close(m, list, 2);
	message_close(m, handshake, 3);
	message_close(m, record, 2);
}

static void write_server_hello(struct message *m, struct chance *c, const struct tls_shape *shape,
			       const uint8_t session[32])
{
	bool x25519 = shape->groups[0] == 0x001d;
	size_t record, handshake, list;

	message_add(m, "\x16\3\3", 3);
	record = message_open(m, 2);
	message_u8(m, 2);
	handshake = message_open(m, 3);
	message_u16(m, 0x0303);
	write_random(m, c, 32);
	message_u8(m, 32);
	message_add(m, session, 32);
	message_u16(m, 0x1302);
	message_u8(m, 0);
	list = message_open(m, 2);
	message_add(m, "\0\x2b\0\2\3\4\0\x33", 8);
	message_u16(m, x25519 ? 36 : 69);
	message_u16(m, shape->groups[0]);
	message_u16(m, x25519 ? 32 : 65);
	if (!x25519)
		message_u8(m, 4);
	write_random(m, c, x25519 ? 32 : 64);
	message_close(m, list, 2);
	message_close(m, handshake, 3);
	message_close(m, record, 2);
	message_add(m, "\x14\3\3\0\1\1", 6); // change cipher spec, for middleboxes
}

static void write_records(struct message *m, struct chance *c, uint32_t bytes)
{
	while (bytes) {
		uint32_t part = bytes < 16384 ? bytes : 16384;

		message_add(m, "\x17\3\3", 3);
		message_u16(m, (uint16_t)part);
		write_random(m, c, part);
		bytes -= part;
	}
}

void tls_records(struct talk *t, unsigned from, uint32_t bytes, uint64_t think_ns)
{
	write_records(&t->stage->message, t->chance, bytes);
	talk_say(t, from, think_ns);
}

void tls_handshake(struct talk *t, enum tls_client client, const char *name)
{
	const struct tls_shape *shape = &SHAPES[client];
	struct message *m = &t->stage->message;
	uint8_t session[32];

	chance_fill(t->chance, session, sizeof(session));
	message_clear(m);
	write_client_hello(m, t->chance, shape, name, session);
	talk_say(t, CLIENT, 100 * US);
	write_server_hello(m, t->chance, shape, session);
	write_records(m, t->chance, (uint32_t)chance_between(t->chance, 1100, 1900)); // certificate and so on
	talk_say(t, SERVER, chance_between(t->chance, 400 * US, 3 * MS));
	message_add(m, "\x14\3\3\0\1\1", 6);
	write_records(m, t->chance, 69); // Finished
	talk_say(t, CLIENT, chance_between(t->chance, 500 * US, 2 * MS));
}

void tls_session(struct talk *t, const struct tls_plan *plan)
{
	tls_handshake(t, plan->client, plan->name);
	for (unsigned i = 0; i < plan->rounds; i++) {
		uint64_t pause = i ? chance_between(t->chance, plan->pause_ns / 4, plan->pause_ns) : 200 * US;
		uint32_t up = plan->up / 2 + chance_below(t->chance, plan->up) + 30;
		uint32_t down = plan->down / 2 + chance_below(t->chance, plan->down) + 40;

		tls_records(t, CLIENT, up, pause);
		tls_records(t, SERVER, down, chance_between(t->chance, 500 * US, 40 * MS));
	}
	tls_records(t, CLIENT, 19, chance_between(t->chance, 100 * MS, 5 * SEC)); // close_notify
	talk_close(t, CLIENT, 50 * US);
}
