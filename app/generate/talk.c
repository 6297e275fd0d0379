// SPDX-License-Identifier: GPL-2.0-or-later
// See talk.h. A frame's time is when the tap sees it: an answer by a host that is `delay` away comes two delays later.
#include "talk.h"
#include "log.h"

#include <stdlib.h>

enum { BURST_SEGMENTS = 10, BURST_MOST = 40, WINDOW = 502 };

void stage_init(struct stage *s)
{
	memset(s, 0, sizeof(*s));
	s->message.at = malloc(MESSAGE_BYTES);
	if (!s->message.at)
		log_fatal("out of memory");
}

void stage_fini(struct stage *s)
{
	free(s->message.at);
	trace_drop(&s->trace);
}

uint32_t stage_begin(struct stage *s)
{
	return s->trace.tag.conversation = ++s->conversations;
}

uint16_t stage_port(struct stage *s, const struct address *a)
{
	uint64_t hash = a->family;
	uint16_t *next;

	for (size_t i = 0; i < sizeof(a->b); i++)
		hash = chance_mix(hash, a->b[i]);
	next = &s->ports[hash % STAGE_PORTS];
	if (*next < 32768)
		*next = (uint16_t)(32768 + hash / STAGE_PORTS % 20000);
	if (*next == 60999)
		*next = 32768;
	return (*next)++;
}

uint64_t echo_ns(const struct host *h, struct chance *c)
{
	return 2 * h->delay_us * US + chance_between(c, 8 * US, 60 * US);
}

// Emits one segment of that side with all it has seen acknowledged. `seen` may lag behind the other's sending.
static void emit(struct talk *t, unsigned from, uint8_t flags, const uint8_t *data, size_t n, uint64_t when)
{
	static const uint8_t syn_options[2][12] = {
		{2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7}, // MSS 1460, SACK permitted, window scale 7
		{2, 4, 5, 160, 1, 1, 4, 2, 1, 3, 3, 7}, // MSS 1440 for IPv6
	};
	struct talk_side *me = &t->side[from];
	struct talk_side *peer = &t->side[!from];
	uint8_t frame[FRAME_BYTES];
	struct segment s = {
		.from = me->host,
		.to = peer->host,
		.from_port = me->port,
		.to_port = peer->port,
		.sequence = me->sequence,
		.acknowledgement = flags & TCP_ACK ? me->acked : 0,
		.window = flags & TCP_SYN   ? 64240
			  : flags & TCP_RST ? 0
					    : WINDOW,
		.flags = flags,
		.data = data,
		.length = n,
	};

	if (flags & TCP_SYN) {
		s.options = syn_options[me->host->address.family == 6];
		s.options_length = sizeof(syn_options[0]);
	}
	t->stage->trace.tag.conversation = t->conversation;
	t->stage->trace.tag.payload = n && t->payload;
	trace_add(&t->stage->trace, when, frame, frame_tcp(frame, &s, (uint16_t)chance_next(t->chance)));
	me->sequence += (uint32_t)n + ((flags & (TCP_SYN | TCP_FIN)) != 0);
	if (when > me->busy_until)
		me->busy_until = when;
}

// The earliest time the side can speak after all it must have heard, plus its thinking.
static uint64_t turn(struct talk *t, unsigned from, uint64_t think_ns)
{
	const struct talk_side *me = &t->side[from];
	uint64_t when = t->now_ns + think_ns;

	if (t->last != from)
		when += echo_ns(me->host, t->chance);
	if (when <= me->busy_until)
		when = me->busy_until + 2 * US;
	t->now_ns = when;
	t->last = from;
	return when;
}

static void acknowledge(struct talk *t, unsigned from, uint64_t when)
{
	struct talk_side *me = &t->side[from];

	me->acked = t->side[!from].sequence;
	me->owed = 0;
	emit(t, from, TCP_ACK, NULL, 0, when > me->busy_until ? when : me->busy_until + US);
}

// Pays what is owed for the last bytes where no data of that side will carry it soon: by the speaker itself when it
// keeps silent longer than its delayed-ack timer, by the listener when the speaker goes on speaking.
static void settle(struct talk *t, unsigned from, uint64_t think_ns)
{
	unsigned listener = !t->last;
	uint64_t due = t->now_ns + echo_ns(t->side[listener].host, t->chance);

	if (t->side[listener].acked == t->side[t->last].sequence)
		return;
	if (listener != from)
		acknowledge(t, listener, due);
	else if (think_ns > 40 * MS)
		acknowledge(t, listener, due + 40 * MS);
}

void talk_open(struct talk *t, struct stage *s, struct chance *c, const struct host *client, const struct host *server,
	       uint16_t server_port, uint64_t when_ns)
{
	memset(t, 0, sizeof(*t));
	t->stage = s;
	t->conversation = stage_begin(s);
	t->chance = c;
	t->side[CLIENT] = (struct talk_side){
		.host = client, .port = stage_port(s, &client->address), .sequence = (uint32_t)chance_next(c)};
	t->side[SERVER] = (struct talk_side){.host = server, .port = server_port, .sequence = (uint32_t)chance_next(c)};
	t->now_ns = when_ns;
	emit(t, CLIENT, TCP_SYN, NULL, 0, when_ns);
	t->side[SERVER].acked = t->side[CLIENT].sequence;
	emit(t, SERVER, TCP_SYN | TCP_ACK, NULL, 0, turn(t, SERVER, 0));
	acknowledge(t, CLIENT, turn(t, CLIENT, 0));
}

void talk_send(struct talk *t, unsigned from, const void *data, size_t n, uint64_t think_ns)
{
	struct talk_side *me = &t->side[from];
	struct talk_side *peer = &t->side[!from];
	const uint8_t *at = data;
	size_t mss = me->host->address.family == 6 || peer->host->address.family == 6 ? 1440 : 1460;
	unsigned burst = BURST_SEGMENTS, sent = 0;
	uint64_t when;

	settle(t, from, think_ns);
	when = turn(t, from, think_ns);
	me->acked = peer->sequence;
	me->owed = 0;
	while (n) {
		size_t part = n < mss ? n : mss;

		if (sent == burst) {
			when = peer->busy_until + echo_ns(me->host, t->chance);
			burst = 2 * burst < BURST_MOST ? 2 * burst : BURST_MOST;
			sent = 0;
		}
		emit(t, from, (uint8_t)(TCP_ACK | (part == n ? TCP_PSH : 0)), at, part, when);
		t->now_ns = when;
		if (++peer->owed == 2)
			acknowledge(t, !from, when + echo_ns(peer->host, t->chance));
		when += chance_between(t->chance, 12 * US, 15 * US);
		sent++;
		at += part;
		n -= part;
	}
}

void talk_say(struct talk *t, unsigned from, uint64_t think_ns)
{
	struct message *m = &t->stage->message;

	talk_send(t, from, m->at, m->length, think_ns);
	message_clear(m);
}

void talk_close(struct talk *t, unsigned from, uint64_t think_ns)
{
	uint64_t when;

	settle(t, from, think_ns);
	when = turn(t, from, think_ns);
	t->side[from].acked = t->side[!from].sequence;
	emit(t, from, TCP_FIN | TCP_ACK, NULL, 0, when);
	when = turn(t, !from, 0);
	t->side[!from].acked = t->side[from].sequence;
	emit(t, !from, TCP_FIN | TCP_ACK, NULL, 0, when);
	acknowledge(t, from, turn(t, from, 0));
}

void talk_refused(struct stage *s, struct chance *c, const struct host *client, const struct host *server,
		  uint16_t port, uint64_t when_ns)
{
	struct talk t = {.stage = s, .conversation = stage_begin(s), .chance = c, .now_ns = when_ns};

	t.side[CLIENT] = (struct talk_side){
		.host = client, .port = stage_port(s, &client->address), .sequence = (uint32_t)chance_next(c)};
	t.side[SERVER] = (struct talk_side){.host = server, .port = port};
	emit(&t, CLIENT, TCP_SYN, NULL, 0, when_ns);
	t.side[SERVER].acked = t.side[CLIENT].sequence;
	emit(&t, SERVER, TCP_RST | TCP_ACK, NULL, 0, turn(&t, SERVER, 0));
}

void datagram(struct stage *s, const struct host *from, uint16_t from_port, const struct host *to, uint16_t to_port,
	      const struct message *m, uint64_t when_ns)
{
	uint8_t frame[FRAME_BYTES];
	struct segment d = {
		.from = from, .to = to, .from_port = from_port, .to_port = to_port, .data = m->at, .length = m->length};

	s->trace.tag.payload = 0;
	if (m->length > 1400)
		log_fatal("a datagram of %zu bytes", m->length);
	trace_add(&s->trace, when_ns, frame, frame_udp(frame, &d, (uint16_t)chance_mix(when_ns, 1)));
}

void ping(struct stage *s, struct chance *c, const struct host *from, const struct host *to, unsigned count,
	  uint64_t when_ns)
{
	uint8_t frame[FRAME_BYTES], data[56];
	uint16_t ident = (uint16_t)chance_next(c);
	uint64_t back;

	stage_begin(s);
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i < 8 ? 0 : (uint8_t)(i + 8);
	for (unsigned i = 1; i <= count; i++, when_ns += SEC) {
		struct segment d = {.from = from,
				    .to = to,
				    .from_port = ident,
				    .to_port = (uint16_t)i,
				    .data = data,
				    .length = sizeof(data)};

		trace_add(&s->trace, when_ns, frame, frame_echo(frame, &d, false, (uint16_t)chance_next(c)));
		d.from = to;
		d.to = from;
		back = when_ns + echo_ns(to, c);
		trace_add(&s->trace, back, frame, frame_echo(frame, &d, true, (uint16_t)chance_next(c)));
	}
}
