// SPDX-License-Identifier: GPL-2.0-or-later
// Short memory of addresses and names: who came in, what DNS named, what an inbound field named. Everything is noted before
// the observation that tells it is judged.
#include "judge_impl.h"

enum { LABELS_MOST = 8, LITERALS_MOST = 4 };
// Never in an observation: keys of our own beside real addresses (1 is recent_network's).
enum { MARK_JNDI = 2, FAMILY_NAME = 0xfe };

struct address contacts_jndi(const struct address *device)
{
	struct address marked = *device;

	marked.zero[0] = MARK_JNDI;
	return marked;
}

// A host name as a key among addresses.
static struct address name_key(const struct judge *j, struct bytes host)
{
	struct address key = {.family = FAMILY_NAME};
	uint8_t room[128];
	size_t n = learn_host(host, room);
	uint64_t hash = siphash13(&j->key, room, n);

	memcpy(key.b, &hash, sizeof(hash));
	return key;
}

static bool name_was_given(const struct judge *j, const struct address *device, struct bytes name, uint64_t now_ns)
{
	struct address key = name_key(j, name);
	uint64_t then_ns = recent_get(j->learn, RECENT_NAMED, device, &key);

	return then_ns && then_ns + NAMED_NS > now_ns;
}

bool contacts_name_is_tainted(const struct judge *j, const struct address *device, struct bytes name, uint64_t now_ns)
{
	for (unsigned i = 0; name.left && i < LABELS_MOST; i++) { // the name and those above it
		if (name_was_given(j, device, name, now_ns))
			return true;
		name = bytes_from(name, bytes_find(name, '.') + 1);
	}
	return false;
}

static void note_named(struct judge *j, const struct address *device, const struct address *other, bool jndi,
		       uint64_t now_ns)
{
	struct address marked = contacts_jndi(device);

	if (address_equal(device, other) || (j->without & WITHOUT_TAINT))
		return;
	recent_put(j->learn, RECENT_NAMED, device, other, now_ns);
	if (jndi)
		recent_put(j->learn, RECENT_NAMED, &marked, other, now_ns);
}

// An attacker may name whom he likes. A host that the device or two others know is not made suspect by that.
static bool host_is_established(struct judge *j, const struct observation *o, struct bytes host)
{
	uint8_t room[128];
	struct counts c;

	learn_counts(j->learn, learn_device_find(j->learn, observation_device(o)), FEATURE_HOST,
				  bytes_of(room, learn_host(host, room)), o->time_ns, &c);
	return c.device_days > 0 || !counts_are_rare(&c, o->time_ns);
}

static void note_dns(struct judge *j, const struct observation *o)
{
	struct bytes name = observation_text(o, TEXT_DNS_NAME), raw = observation_text(o, TEXT_DNS_ADDRESSES), one;
	const struct address *device = observation_device(o);
	bool tainted = contacts_name_is_tainted(j, device, name, o->time_ns) && !host_is_established(j, o, name);
	struct address a;

	if (!(o->flags8 & OBS_FLAG_RESPONSE))
		return;
	while (bytes_take(&raw, sizeof(a), &one)) {
		memcpy(&a, one.at, sizeof(a));
		recent_put_name(j->learn, device, &a, name, o->time_ns);
		if (tainted)
			note_named(j, device, &a, true, o->time_ns);
	}
}

// No DNS answer was seen (a cache, another path), but the device itself says whom it calls: LDAPS hides the answer, not the name.
static void note_called(struct judge *j, const struct observation *o, struct bytes host)
{
	const struct address *device = observation_device(o);

	if (contacts_name_is_tainted(j, device, host, o->time_ns) && !host_is_established(j, o, host))
		note_named(j, device, &o->server, true, o->time_ns);
}

static void note_jndi(struct judge *j, const struct observation *o)
{
	struct bytes host = observation_text(o, TEXT_JNDI_HOST);
	struct address a;

	if (host.left == 0)
		return;
	if (address_parse(host, &a) < 0)
		a = name_key(j, host);
	note_named(j, observation_device(o), &a, true, o->time_ns);
}

static bool is_address_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

// IPv4 literals in an inbound text ("?url=http://192.0.2.1:8080/x"). Not in user agents, whose versions look alike.
static void note_literals(struct judge *j, const struct observation *o, struct bytes text)
{
	unsigned found = 0;

	for (size_t i = 0, n; i < text.left && found < LITERALS_MOST; i += n + 1) {
		struct address a;

		for (n = 0; i + n < text.left && is_address_byte(text.at[i + n]); n++)
			;
		if (n >= 7 && n <= 15 && address_parse(bytes_of(text.at + i, n), &a) == 0 && !address_is_special(&a)) {
			note_named(j, observation_device(o), &a, false, o->time_ns);
			found++;
		}
	}
}

void contacts_note(struct judge *j, const struct observation *o)
{
	const uint32_t inbound =
		1u << OBS_FLOW_OPEN | 1u << OBS_HTTP_REQUEST | 1u << OBS_TLS | 1u << OBS_JNDI | 1u << OBS_PROTOCOL;
	struct address net;

	if (o->kind == OBS_DNS && o->direction != DIRECTION_IN)
		note_dns(j, o);
	if (o->kind == OBS_TLS && o->direction == DIRECTION_OUT)
		note_called(j, o, observation_text(o, TEXT_TLS_SNI));
	if (o->direction != DIRECTION_IN)
		return;
	if (o->transport == TRANSPORT_TCP_NUMBER && (inbound & 1u << o->kind)) {
		net = recent_network(&o->client);
		recent_put(j->learn, RECENT_INBOUND, &o->server, &o->client, o->time_ns);
		recent_put(j->learn, RECENT_INBOUND, &o->server, &net, o->time_ns);
	}
	if (o->kind == OBS_JNDI)
		note_jndi(j, o);
	if (o->kind == OBS_HTTP_REQUEST) {
		note_literals(j, o, observation_text(o, TEXT_REQUEST_URI));
		note_literals(j, o, observation_text(o, TEXT_REQUEST_REFERER));
	}
}
