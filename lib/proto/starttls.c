// SPDX-License-Identifier: GPL-2.0-or-later
// Where a protocol goes over to TLS: mail and file transfer (RFC 3207, RFC 2595, RFC 4217), XMPP (RFC 6120 §5), PostgreSQL (manual, "SSL Session Encryption"),
// MySQL ("Protocol::SSLRequest"). The client asks by a message of its own, and what comes next from it is a TLS record, or it is not believed. Looks at the client's
// messages alone; whether the server agreed shows in what the client does. Called by the flow's worker.
#include "proto_impl.h"
#include "tls_impl.h"

enum { MYSQL_SSL = 0x08 /* of the second octet of capabilities */, MYSQL_REQUEST_BYTES = 36, POSTGRESQL_REQUEST_BYTES = 8 };

static struct bytes trim_line(struct bytes line)
{
	if (line.left && line.at[line.left - 1] == '\r')
		line.left--;
	return line;
}

static bool mail_asks(struct bytes line)
{
	return bytes_equal_nocase(trim_line(line), "STARTTLS");
}

static bool ftp_asks(struct bytes line)
{
	static const char *const words[] = {"AUTH TLS", "AUTH SSL", "AUTH TLS-C", NULL};

	for (const char *const *w = words; *w; w++)
		if (bytes_equal_nocase(trim_line(line), *w))
			return true;
	return false;
}

static bool pop3_asks(struct bytes line)
{
	return bytes_equal_nocase(trim_line(line), "STLS");
}

// A tag of the client's choice comes first.
static bool imap_asks(struct bytes line)
{
	size_t space = bytes_find(line, ' ');

	return mail_asks(bytes_from(line, space + 1));
}

static bool xmpp_asks(struct bytes element)
{
	return bytes_begin_with(element, "<starttls");
}

static bool postgresql_asks(struct bytes request)
{
	return bytes_equal(request, bytes_of("\0\0\0\x08\x04\xd2\x16\x2f", 8));
}

// The same for GSSAPI, which may be refused before.
static bool postgresql_asks_else(struct bytes request)
{
	return bytes_equal(request, bytes_of("\0\0\0\x08\x04\xd2\x16\x30", 8));
}

// Answers the server's greeting; TLS follows without a word from the server.
static bool mysql_asks(struct bytes packet)
{
	return packet.left > 5 && bytes_equal(bytes_head(packet, 4), bytes_of("\x20\0\0\1", 4)) && packet.at[5] & MYSQL_SSL;
}

static const struct way {
	uint8_t app;
	uint8_t end;        // octet that ends a message
	uint8_t bytes;      // or its length: then it is the first, or TLS never comes
	bool unanswered;
	bool (*asks)(struct bytes front);
	bool (*asks_else)(struct bytes front); // another question, after which this one may come
} ways[] = {
	{.app = APP_SMTP, .end = '\n', .asks = mail_asks},
	{.app = APP_FTP, .end = '\n', .asks = ftp_asks},
	{.app = APP_POP3, .end = '\n', .asks = pop3_asks},
	{.app = APP_IMAP, .end = '\n', .asks = imap_asks},
	{.app = APP_XMPP, .end = '>', .asks = xmpp_asks},
	{.app = APP_POSTGRESQL, .bytes = POSTGRESQL_REQUEST_BYTES, .asks = postgresql_asks, .asks_else = postgresql_asks_else},
	{.app = APP_MYSQL, .bytes = MYSQL_REQUEST_BYTES, .unanswered = true, .asks = mysql_asks},
};

static const struct way *find_way(uint8_t app)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].app == app)
			return &ways[i];
	return NULL;
}

// The next bytes of the message in hand, as far as its end. *ends: it is there.
static struct bytes next_part(const struct starttls *s, const struct way *way, struct bytes data, bool *ends)
{
	size_t n = way->bytes ? (size_t)way->bytes - s->have : bytes_find(data, way->end) + 1;

	*ends = n <= data.left;
	return bytes_head(data, n);
}

static void take_part(struct starttls *s, struct bytes part)
{
	size_t have = s->have + part.left;

	if (s->have < sizeof(s->front))
		memcpy(s->front + s->have, part.at, bytes_head(part, sizeof(s->front) - s->have).left);
	s->have = have < UINT16_MAX ? (uint16_t)have : UINT16_MAX;
}

static void end_message(struct starttls *s, const struct way *way)
{
	// Of a line its end is no part. A longer one is none of those words; of the others the front says it.
	size_t have = s->have - (way->end == '\n');
	struct bytes front = bytes_of(s->front, have <= sizeof(s->front) ? have : way->end == '\n' ? 0 : sizeof(s->front));

	if (way->asks(front)) {
		s->asked = true;
		s->answered = way->unanswered;
	} else if (way->bytes) {
		s->over = !way->asks_else || !way->asks_else(front);
	}
	s->have = 0;
}

// Behind the question and before its answer the client has nothing to say: a line there is for a server that reads on after the handshake.
static void note_injected(struct starttls *s, const struct proto_sink *sink)
{
	if (!s->injected && sink->counters)
		count(sink->counters, COUNT_PROTO_STARTTLS_CLEAR);
	if (!s->injected && sink->uninspected)
		sink->uninspected(sink->user, COUNT_PROTO_STARTTLS_CLEAR);
	s->injected = true;
}

static bool take_client(struct starttls *s, const struct way *way, const struct proto_input *in, const struct proto_sink *sink, size_t *at)
{
	struct bytes data = in->data, part;
	bool ends;

	while (data.left && !s->over) {
		if (s->asked && s->have == 0 && data.at[0] == TLS_RECORD_HANDSHAKE) {
			*at = in->data.left - data.left;
			return true;
		}
		if (way->end == '>' && s->have == 0 && data.at[0] <= ' ') { // white space between elements
			bytes_skip(&data, 1);
			continue;
		}
		if (s->asked && !s->answered)
			note_injected(s, sink);
		s->asked = s->asked && !s->answered; // refused: it goes on in clear
		part = next_part(s, way, data, &ends);
		take_part(s, part);
		if (ends)
			end_message(s, way);
		bytes_skip(&data, part.left);
	}
	return false;
}

bool starttls_begins(struct starttls *s, uint8_t app, const struct proto_input *in, const struct proto_sink *sink, size_t *at)
{
	const struct way *way = s->over ? NULL : find_way(app);

	if (!way)
		return false;
	if (!in->from_client) {
		s->answered |= in->data.left != 0;
		return false;
	}
	if (in->gap) {
		s->have = UINT16_MAX;
		s->over |= way->bytes != 0;
	}
	return take_client(s, way, in, sink, at);
}
