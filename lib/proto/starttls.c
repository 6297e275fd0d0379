// SPDX-License-Identifier: GPL-2.0-or-later
// Where a mail or file transfer goes over to TLS (RFC 3207, RFC 4217): the client asks by a line of its own, and what comes next from it is a TLS record, or it
// is not believed. Looks at the client's lines alone; whether the server agreed shows in what the client does. Called by the flow's worker.
#include "proto_impl.h"
#include "tls_impl.h"

static bool asks(struct bytes line)
{
	static const char *const words[] = {"STARTTLS", "AUTH TLS", "AUTH SSL", "AUTH TLS-C", NULL};

	if (line.left && line.at[line.left - 1] == '\r')
		line.left--;
	for (const char *const *w = words; *w; w++)
		if (bytes_equal_nocase(line, *w))
			return true;
	return false;
}

static void take_part(struct starttls *s, struct bytes part)
{
	size_t have = s->have + part.left;

	if (s->have < sizeof(s->line))
		memcpy(s->line + s->have, part.at, bytes_head(part, sizeof(s->line) - s->have).left);
	s->have = (uint8_t)(have <= sizeof(s->line) ? have : sizeof(s->line) + 1); // one more: too long to be the word
}

static void end_line(struct starttls *s)
{
	if (asks(bytes_of(s->line, s->have <= sizeof(s->line) ? s->have : 0))) {
		s->asked = true;
		s->answered = false;
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

bool starttls_begins(struct starttls *s, const struct proto_input *in, const struct proto_sink *sink, size_t *at)
{
	struct bytes data = in->data;

	if (!in->from_client) {
		s->answered |= data.left != 0;
		return false;
	}
	if (in->gap)
		s->have = sizeof(s->line) + 1;
	while (data.left) {
		size_t line = bytes_find(data, '\n');

		if (s->asked && s->have == 0 && data.at[0] == TLS_RECORD_HANDSHAKE) {
			*at = in->data.left - data.left;
			return true;
		}
		if (s->asked && !s->answered)
			note_injected(s, sink);
		s->asked = s->asked && !s->answered; // refused: it goes on in clear
		take_part(s, bytes_head(data, line));
		if (line < data.left)
			end_line(s);
		data = bytes_from(data, line + 1);
	}
	return false;
}
