// SPDX-License-Identifier: GPL-2.0-or-later
// Short memory of addresses and names: who came in, what DNS named, what an inbound field named; and a longer one of
// what a device called on earlier days, for what learning does not count: names asked of DNS, addresses inside.
// Everything is noted before the observation that tells it is judged. Whatever an inbound field named is not noted as
// called: a patient stranger cannot make himself known by it.
#include "image.h"
#include "judge_impl.h"

enum {
	LABELS_MOST = 8,
	CALLED = 1 << 17,
	CALLED_WAYS = 8,
	CALLED_DAYS = 28, // after so many days without a call it is news again
};
// Never in an observation: keys of our own beside real addresses (1 is recent_network's).
enum {
	MARK_JNDI = 2,
	FAMILY_NAME = 0xfe,
	FAMILY_DOMAIN = 0xfd,
	FAMILY_ANYBODY = 0xfc, // was anything named to the device at all? Mostly not, and then nothing else is asked.
};

struct called {
	uint64_t key;
	uint32_t first_day, last_day; // UNIX days; last 0: empty
};

struct called *contacts_create(void)
{
	return calloc(CALLED, sizeof(struct called));
}

void contacts_put(const struct called *c, struct image *i)
{
	image_append_table(i, c, CALLED, sizeof(*c));
}

bool contacts_take(struct called *c, struct bytes section)
{
	return image_take_table(section, c, CALLED, sizeof(*c));
}

void contacts_forget(struct called *c)
{
	memset(c, 0, CALLED * sizeof(*c));
}

struct address contacts_jndi(const struct address *device)
{
	struct address marked = *device;

	marked.zero[0] = MARK_JNDI;
	return marked;
}

// A host name as a key among addresses.
static struct address text_key(const struct judge *j, uint8_t family, struct bytes host)
{
	struct address key = {.family = family};
	uint8_t room[LEARN_VALUE_BYTES];
	size_t n = learn_host(host, room);
	uint64_t hash = siphash13(&j->key, room, n);

	memcpy(key.b, &hash, sizeof(hash));
	return key;
}

static struct address name_key(const struct judge *j, struct bytes host)
{
	return text_key(j, FAMILY_NAME, host);
}

static struct address domain_key(const struct judge *j, struct bytes host)
{
	uint8_t room[LEARN_VALUE_BYTES];

	return text_key(j, FAMILY_DOMAIN, learn_domain(bytes_of(room, learn_host(host, room))));
}

// --- What a device called on earlier days ---

// Who was called on one day only goes first: a flood of names that nobody asks for again must not push out those that are
// asked for day after day.
static bool goes_before(const struct called *a, const struct called *b)
{
	bool once_a = a->last_day == a->first_day, once_b = b->last_day == b->first_day;

	return once_a != once_b ? once_a : a->last_day < b->last_day;
}

static struct called *called_find(struct judge *j, const struct address *device, const struct address *other, bool add)
{
	struct address pair[2] = {*device, *other};
	uint64_t key = siphash13(&j->key, pair, sizeof(pair));
	struct called *set = &j->called[key % (CALLED / CALLED_WAYS) * CALLED_WAYS], *oldest = set;

	for (unsigned i = 0; i < CALLED_WAYS; i++) {
		if (set[i].last_day && set[i].key == key)
			return &set[i];
		if (goes_before(&set[i], oldest))
			oldest = &set[i];
	}
	if (!add)
		return NULL;
	*oldest = (struct called){.key = key};
	return oldest;
}

static bool was_called(struct judge *j, const struct address *device, const struct address *other, uint64_t now_ns)
{
	const struct called *c = called_find(j, device, other, false);
	uint32_t today = (uint32_t)(now_ns / JUDGE_DAY_NS);

	return c && c->first_day < today && c->last_day + CALLED_DAYS >= today;
}

static void note_call(struct judge *j, const struct address *device, const struct address *other, uint64_t now_ns)
{
	struct called *c = called_find(j, device, other, true);
	uint32_t today = (uint32_t)(now_ns / JUDGE_DAY_NS);

	if (c->last_day == 0 || c->last_day + CALLED_DAYS < today)
		c->first_day = today;
	c->last_day = today;
}

// --- What an inbound field named ---

static bool was_named(const struct judge *j, const struct address *device, const struct address *other, uint64_t now_ns)
{
	uint64_t then_ns = recent_get(j->learn, RECENT_NAMED, device, other);

	return then_ns && then_ns + NAMED_NS > now_ns;
}

bool contacts_name_is_tainted(const struct judge *j, const struct address *device, struct bytes name, bool by_jndi,
			      uint64_t now_ns)
{
	struct address by = by_jndi ? contacts_jndi(device) : *device, key = {.family = FAMILY_ANYBODY};

	if (name.left == 0 || !was_named(j, &by, &key, now_ns))
		return false;
	key = name_key(j, name);
	if (!by_jndi)
		return was_named(j, &by, &key, now_ns);
	for (unsigned i = 0; name.left && i < LABELS_MOST; i++) { // "${env:USER}.evil.example": those above it, too
		key = name_key(j, name);
		if (was_named(j, &by, &key, now_ns))
			return true;
		name = bytes_from(name, bytes_find(name, '.') + 1);
	}
	return false;
}

static void note_named(struct judge *j, const struct address *device, const struct address *other, bool jndi,
		       uint64_t now_ns)
{
	struct address marked = contacts_jndi(device), anybody = {.family = FAMILY_ANYBODY};

	if (address_equal(device, other) || (j->without & WITHOUT_TAINT))
		return;
	recent_put(j->learn, RECENT_NAMED, device, other, now_ns);
	recent_put(j->learn, RECENT_NAMED, device, &anybody, now_ns);
	if (!jndi)
		return;
	recent_put(j->learn, RECENT_NAMED, &marked, other, now_ns);
	recent_put(j->learn, RECENT_NAMED, &marked, &anybody, now_ns);
}

// An attacker may name whom he likes. A host that the device or two others know is not made suspect by that.
static bool host_is_established(struct judge *j, const struct observation *o, struct bytes host)
{
	uint8_t room[LEARN_VALUE_BYTES];
	struct counts c;

	learn_counts(j->learn, learn_device_find(j->learn, observation_device(o)), FEATURE_HOST,
		     bytes_of(room, learn_host(host, room)), o->time_ns, &c);
	return c.device_days > 0 || !counts_are_rare(&c, o->time_ns);
}

bool contacts_are_known(struct judge *j, const struct observation *o)
{
	const struct address *device = observation_device(o);
	struct address key = *observation_endpoint(o);
	struct counts c;

	if (o->kind == OBS_DNS) {
		struct bytes name = observation_text(o, TEXT_DNS_NAME);

		key = name_key(j, name);
		return was_called(j, device, &key, o->time_ns) || host_is_established(j, o, name);
	}
	if (o->direction != DIRECTION_OUT || address_is_special(&key))
		return was_called(j, device, &key, o->time_ns);
	learn_counts(j->learn, learn_device_find(j->learn, device), FEATURE_ENDPOINT, bytes_of(&key, sizeof(key)),
		     o->time_ns, &c);
	return c.device_days > 0 || !counts_are_rare(&c, o->time_ns);
}

bool contacts_domain_is_known(struct judge *j, const struct observation *o)
{
	struct address key = domain_key(j, observation_text(o, TEXT_DNS_NAME));

	return was_called(j, observation_device(o), &key, o->time_ns);
}

// Is the name suspect, and by a look-up?
static bool name_is_suspect(struct judge *j, const struct observation *o, struct bytes name, bool *by_jndi)
{
	const struct address *device = observation_device(o);

	*by_jndi = contacts_name_is_tainted(j, device, name, true, o->time_ns);
	return (*by_jndi || contacts_name_is_tainted(j, device, name, false, o->time_ns)) &&
	       !host_is_established(j, o, name);
}

static void note_question(struct judge *j, const struct observation *o, struct bytes name)
{
	const struct address *device = observation_device(o);
	struct address key = name_key(j, name), domain = domain_key(j, name);
	bool by_jndi;

	if (name_is_suspect(j, o, name, &by_jndi) && !was_called(j, device, &key, o->time_ns))
		return;
	note_call(j, device, &key, o->time_ns);
	note_call(j, device, &domain, o->time_ns);
}

static void note_dns(struct judge *j, const struct observation *o)
{
	struct bytes name = observation_text(o, TEXT_DNS_NAME), raw = observation_text(o, TEXT_DNS_ADDRESSES), one;
	const struct address *device = observation_device(o);
	bool by_jndi, suspect;
	struct address a;

	if (!(o->flags8 & OBS_FLAG_RESPONSE)) {
		note_question(j, o, name);
		return;
	}
	suspect = name_is_suspect(j, o, name, &by_jndi);
	while (bytes_take(&raw, sizeof(a), &one)) {
		memcpy(&a, one.at, sizeof(a));
		recent_put_name(j->learn, device, &a, name, o->time_ns);
		if (suspect)
			note_named(j, device, &a, by_jndi, o->time_ns);
	}
}

// No DNS answer was seen (a cache, another path), but the device itself says whom it calls: LDAPS hides the answer, not
// the name.
static void note_called(struct judge *j, const struct observation *o, struct bytes host)
{
	bool by_jndi;

	if (name_is_suspect(j, o, host, &by_jndi))
		note_named(j, observation_device(o), &o->server, by_jndi, o->time_ns);
}

// Calls that learning does not count: to inside addresses, to link-local ones.
static void note_opening(struct judge *j, const struct observation *o)
{
	const struct address *device = observation_device(o);

	if (o->direction == DIRECTION_OUT && !address_is_special(&o->server))
		return;
	if (!was_named(j, device, &o->server, o->time_ns) || was_called(j, device, &o->server, o->time_ns))
		note_call(j, device, &o->server, o->time_ns);
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

static void note_literals(struct judge *j, const struct observation *o)
{
	struct bytes raw = observation_text(o, TEXT_NAMED_ADDRESSES), hosts = observation_text(o, TEXT_NAMED_HOSTS),
		     one;
	const struct address *device = observation_device(o);
	struct address a;

	while (bytes_take(&raw, sizeof(a), &one)) {
		memcpy(&a, one.at, sizeof(a));
		note_named(j, device, &a, false, o->time_ns);
	}
	while (hosts.left) {
		size_t end = bytes_find(hosts, ' ');

		a = name_key(j, bytes_head(hosts, end));
		note_named(j, device, &a, false, o->time_ns);
		hosts = bytes_from(hosts, end + 1);
	}
}

static void note_inbound(struct judge *j, const struct observation *o)
{
	const uint32_t inbound =
		1u << OBS_FLOW_OPEN | 1u << OBS_HTTP_REQUEST | 1u << OBS_TLS | 1u << OBS_JNDI | 1u << OBS_PROTOCOL;
	struct address net;

	if (o->transport == TRANSPORT_TCP_NUMBER && (inbound & 1u << o->kind)) {
		net = recent_network(&o->client);
		recent_put(j->learn, RECENT_INBOUND, &o->server, &o->client, o->time_ns);
		recent_put(j->learn, RECENT_INBOUND, &o->server, &net, o->time_ns);
	}
	if (o->kind == OBS_JNDI)
		note_jndi(j, o);
	if (o->kind == OBS_NAMED)
		note_literals(j, o);
	uploads_note(j, o);
}

void contacts_note(struct judge *j, const struct observation *o)
{
	own_note(j, o);
	if (o->direction == DIRECTION_IN) {
		note_inbound(j, o);
		return;
	}
	if (o->kind == OBS_DNS)
		note_dns(j, o);
	if (o->kind == OBS_TLS && o->direction == DIRECTION_OUT)
		note_called(j, o, observation_text(o, TEXT_TLS_SNI));
	if (o->kind == OBS_HTTP_REQUEST && o->direction == DIRECTION_OUT)
		note_called(j, o, observation_text(o, TEXT_REQUEST_HOST));
	if (o->kind == OBS_FLOW_OPEN)
		note_opening(j, o);
}
