// SPDX-License-Identifier: GPL-2.0-or-later
// See datagram.h. RFC 1035, 3596, 5905, 826.
#include "datagram.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TTL_S = 600 };

struct question {
	const char *name;
	uint16_t type;
	const struct host *answers[2]; // addresses of the type asked for, or none
	unsigned count;
};

static void write_name(struct message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		message_u8(m, (uint8_t)n);
		message_add(m, name, n);
		name += n + (name[n] == '.');
	}
	message_u8(m, 0);
}

static void write_dns(struct message *m, const struct question *q, uint16_t id, bool answer)
{
	bool six = q->type == TYPE_AAAA;

	message_clear(m);
	message_u16(m, id);
	message_u16(m, answer ? 0x8180 : 0x0100);
	message_u16(m, 1);
	message_u16(m, answer ? (uint16_t)q->count : 0);
	message_u32(m, 0);
	write_name(m, q->name);
	message_u16(m, q->type);
	message_u16(m, 1);
	for (unsigned i = 0; answer && i < q->count; i++) {
		message_u16(m, 0xc00c);
		message_u16(m, q->type);
		message_u16(m, 1);
		message_u32(m, TTL_S);
		message_u16(m, six ? 16 : 4);
		message_add(m, q->answers[i]->address.b, six ? 16 : 4);
	}
}

// One question over one hop. Returns when the answer passed the tap.
static uint64_t ask(struct stage *s, struct chance *c, const struct host *from, const struct host *to,
		    const struct question *q, uint64_t when, uint64_t think)
{
	uint16_t port = stage_port(s, &from->address);
	uint16_t id = (uint16_t)chance_next(c);
	uint64_t back = when + echo_ns(to, c) + think;

	stage_begin(s);
	write_dns(&s->message, q, id, false);
	datagram(s, from, port, to, 53, &s->message, when);
	write_dns(&s->message, q, id, true);
	datagram(s, to, 53, from, port, &s->message, back);
	message_clear(&s->message);
	return back;
}

// Through the resolver, which asks upstream what it doesn't know.
static uint64_t resolve(struct stage *s, struct organisation *o, struct chance *c, const struct device *d,
			const struct question *q, bool known, uint64_t when)
{
	uint64_t think = 0;

	if (!known && d->role != ROLE_RESOLVER)
		think = ask(s, c, &o->resolver, &o->upstream, q, when + 100 * US, 2 * MS) - when;
	if (d->role == ROLE_RESOLVER)
		return ask(s, c, &o->resolver, &o->upstream, q, when, 2 * MS);
	return ask(s, c, &d->host, &o->resolver, q, when, think + 30 * US);
}

uint64_t name_lookup(struct stage *s, struct organisation *o, struct chance *c, struct device *d, uint32_t service,
		     uint64_t day, uint64_t when_ns, struct host *to)
{
	const struct service *service_of = &SERVICES[service];
	bool six = d->host6.address.family && service_of->six;
	struct host four = service_host(service, false, day), other = four, v6 = service_host(service, true, day);
	struct question q = {service_of->name, TYPE_A, {&four, &other}, 1};
	bool known = service_of->inside || o->known_until[service] > when_ns;

	*to = six ? v6 : four;
	if (d->known_until[service] > when_ns)
		return when_ns;
	d->known_until[service] = when_ns + TTL_S * SEC;
	if (service_of->addresses == 2) {
		other.address.b[3] = (uint8_t)(4 + 2 * service + (four.address.b[3] % 2 == 0));
		q.count = 2;
	}
	if (!known)
		o->known_until[service] = when_ns + TTL_S * SEC;
	// Hosts with IPv6 ask for both kinds at once.
	if (d->host6.address.family) {
		struct question q6 = {service_of->name, TYPE_AAAA, {&v6}, six};

		resolve(s, o, c, d, &q6, known, when_ns + 40 * US);
	}
	return resolve(s, o, c, d, &q, known, when_ns) + chance_between(c, 200 * US, 900 * US);
}

uint64_t name_lookup_rare(struct stage *s, struct organisation *o, struct chance *c, struct device *d, const char *name,
			  const struct host *to, uint64_t when_ns)
{
	struct question q = {name, to->address.family == 6 ? TYPE_AAAA : TYPE_A, {to}, 1};

	return resolve(s, o, c, d, &q, false, when_ns) + chance_between(c, 200 * US, 900 * US);
}

void name_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to, const char *name,
		   uint64_t when_ns)
{
	const uint8_t address[4] = {203, 0, 113, 7};
	const struct host named = {.address = address_v4(address)};
	const struct question q = {name, TYPE_A, {&named}, 1};

	ask(s, c, from, to, &q, when_ns, chance_between(c, 200 * US, 9 * MS));
}

uint64_t name_answer(struct stage *s, struct chance *c, const struct host *from, const struct host *to, const char *name,
		     const struct host *answer, uint64_t when_ns, uint64_t think_ns)
{
	const struct question q = {name, TYPE_A, {answer}, answer != NULL};

	return ask(s, c, from, to, &q, when_ns, think_ns);
}

static void write_ntp_time(struct message *m, uint64_t unix_ns)
{
	message_u32(m, (uint32_t)(unix_ns / SEC + 2208988800ull));
	message_u32(m, (uint32_t)((unix_ns % SEC << 32) / SEC));
}

void time_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to, uint64_t when_ns)
{
	struct message *m = &s->message;
	uint16_t port = stage_port(s, &from->address);
	uint64_t back = when_ns + echo_ns(to, c);

	stage_begin(s);
	message_clear(m);
	message_add(m, "\x23\0\6\xec", 4); // version 4, client
	message_zero(m, 36);
	write_ntp_time(m, when_ns);
	datagram(s, from, port, to, 123, m, when_ns);
	message_clear(m);
	message_add(m, "\x24\2\6\xec\0\0\1\0\0\0\2\0\xc0\0\2\1", 16); // version 4, server, stratum 2
	write_ntp_time(m, when_ns - 300 * SEC);
	write_ntp_time(m, when_ns);
	write_ntp_time(m, when_ns + (back - when_ns) / 2);
	write_ntp_time(m, when_ns + (back - when_ns) / 2 + 20 * US);
	datagram(s, to, 123, from, port, m, back);
	message_clear(m);
}

void neighbour_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to,
			uint64_t when_ns)
{
	uint8_t frame[FRAME_BYTES];

	trace_add(&s->trace, when_ns, frame, frame_arp(frame, from, to, false));
	trace_add(&s->trace, when_ns + echo_ns(from, c), frame, frame_arp(frame, to, from, true));
}
