// SPDX-License-Identifier: GPL-2.0-or-later
// Which values an observation carries and which of them it teaches: one table, used for learning, judging and
// explaining alike.
#include "learn_impl.h"

enum { AGENT_BYTES = 256, HOST_BYTES = 128, FAMILY_BYTES = 48, TCP = 6 };

// A browser's engine token tells its family; later ones imply the earlier ("Chrome ... Safari ... Edg"), so the first
// that is found wins.
static const char *const browser_tokens[] = {"Edg",      "OPR/",     "Firefox/", "Chrome/",
					     "Version/", "Trident/", "MSIE",     NULL};
static const char *const browser_names[] = {"Edge", "Opera", "Firefox", "Chrome", "Safari", "Explorer", "Explorer"};

static size_t family_of_browser(struct bytes agent, char *out, size_t cap)
{
	const char *name = "other";
	size_t n;

	for (unsigned i = 0; browser_tokens[i]; i++)
		if (bytes_find_text(agent, browser_tokens[i]) < agent.left) {
			name = browser_names[i];
			break;
		}
	n = strlen("Mozilla/") + strlen(name);
	if (cap <= n)
		return 0;
	memcpy(out, "Mozilla/", strlen("Mozilla/"));
	memcpy(out + strlen("Mozilla/"), name, strlen(name) + 1);
	return n;
}

size_t learn_agent_family(struct bytes agent, char *out, size_t cap)
{
	size_t n = 0;

	if (cap == 0)
		return 0;
	out[0] = 0;
	agent = bytes_head(agent, AGENT_BYTES);
	if (bytes_begin_with(agent, "Mozilla/"))
		return family_of_browser(agent, out, cap);
	// The product ends where its version or a comment begins.
	while (n < agent.left && n + 1 < cap && n < FAMILY_BYTES) {
		uint8_t c = agent.at[n];

		if (c == '/' || c == '(' || c == ';' || (c >= '0' && c <= '9' && n && agent.at[n - 1] == ' '))
			break;
		out[n++] = (char)c;
	}
	while (n && (out[n - 1] == ' ' || out[n - 1] == '-'))
		n--;
	out[n] = 0;
	return n;
}

static bool is_flow_opening(const struct observation *o)
{
	return o->kind == OBS_FLOW_OPEN || o->kind == OBS_HELD;
}

static bool value_endpoint(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->direction != DIRECTION_OUT || address_is_special(&o->server))
		return false;
	*out = bytes_of(&o->server, sizeof(o->server));
	return true;
}

static bool value_endpoint_port(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	size_t n = sizeof(o->server);

	if (o->direction != DIRECTION_OUT || address_is_special(&o->server))
		return false;
	memcpy(room, &o->server, n);
	room[n++] = o->transport;
	room[n++] = (uint8_t)(o->server_port >> 8);
	room[n++] = (uint8_t)o->server_port;
	*out = bytes_of(room, n);
	return true;
}

// The opening of a flow knows no protocol yet: then the port alone is the value.
static bool put_port(const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (!is_flow_opening(o) && o->app == APP_NONE)
		return false;
	room[0] = is_flow_opening(o) ? APP_NONE : o->app;
	room[1] = o->transport;
	room[2] = (uint8_t)(o->server_port >> 8);
	room[3] = (uint8_t)o->server_port;
	*out = bytes_of(room, 4);
	return true;
}

static bool value_port(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	return o->direction == DIRECTION_OUT && put_port(o, room, out);
}

static bool value_served(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	return (o->direction == DIRECTION_IN || o->direction == DIRECTION_LATERAL) && put_port(o, room, out);
}

static bool value_agent(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->direction != DIRECTION_OUT || o->kind != OBS_HTTP_REQUEST)
		return false;
	*out = bytes_head(observation_text(o, TEXT_REQUEST_AGENT), AGENT_BYTES);
	return out->left > 0;
}

static bool value_agent_family(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	struct bytes agent;

	if (!value_agent(l, o, room, &agent))
		return false;
	*out = bytes_of(room, learn_agent_family(agent, (char *)room, LEARN_VALUE_BYTES));
	return out->left > 0;
}

// A port is digits behind the last colon. Whatever else holds a colon is the name's own: in DNS a label may.
static struct bytes without_port(struct bytes host)
{
	size_t n = host.left;

	while (n && host.at[n - 1] >= '0' && host.at[n - 1] <= '9')
		n--;
	return n && host.at[n - 1] == ':' ? bytes_head(host, n - 1) : host;
}

// Its end is whose it is. Who owns a name chooses all that stands before.
size_t learn_host(struct bytes host, uint8_t room[LEARN_VALUE_BYTES])
{
	host = without_port(host);
	if (host.left && host.at[host.left - 1] == '.')
		host = bytes_head(host, host.left - 1);
	if (host.left > HOST_BYTES)
		host = bytes_from(host, host.left - HOST_BYTES);
	for (size_t n = 0; n < host.left; n++)
		room[n] = byte_lower(host.at[n]);
	return host.left;
}

static bool value_host(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	struct bytes host;

	if (o->direction != DIRECTION_OUT || (o->flags8 & OBS_FLAG_BARE_HOST))
		return false;
	if (o->kind == OBS_HTTP_REQUEST)
		host = observation_text(o, TEXT_REQUEST_HOST);
	else if (o->kind == OBS_TLS)
		host = observation_text(o, TEXT_TLS_SNI);
	else
		return false;
	*out = bytes_of(room, learn_host(host, room));
	return out->left > 0;
}

bool learn_from_outside(const struct observation *o)
{
	return o->direction == (o->from_client ? DIRECTION_IN : DIRECTION_OUT);
}

static bool value_file(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->kind != OBS_FILE || !learn_from_outside(o))
		return false;
	room[0] = (uint8_t)o->number[NUM_FILE_KIND];
	*out = bytes_of(room, 1);
	return true;
}

static bool value_file_source(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	const struct address *source = observation_endpoint(o);

	if (!value_file(l, o, room, out))
		return false;
	memcpy(room + 1, source, sizeof(*source));
	*out = bytes_of(room, 1 + sizeof(*source));
	return true;
}

static bool value_ja4(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->direction != DIRECTION_OUT || o->kind != OBS_TLS)
		return false;
	*out = observation_text(o, TEXT_TLS_JA4);
	return out->left > 0;
}

// Only a completed handshake is a client: anybody may write any source address into a datagram.
static bool value_client(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->direction != DIRECTION_IN || o->kind != OBS_FLOW_OPEN || o->transport != TCP ||
	    (o->flags8 & OBS_FLAG_MIDSTREAM))
		return false;
	*out = bytes_of(&o->client, sizeof(o->client));
	return true;
}

enum { LABELS = 3, SHORT_LABEL = 3, SHORT_TOP = 2 };

struct bytes learn_domain(struct bytes host)
{
	size_t start[LABELS + 1] = {0}, n = host.left, end = n; // start[i]: where the i-th label from the right begins
	unsigned labels = 0;

	for (size_t i = n; i-- > 0 && labels < LABELS;)
		if (host.at[i] == '.' || i == 0)
			start[labels++] = host.at[i] == '.' ? i + 1 : 0;
	if (labels < 2)
		return host;
	end = labels == LABELS && start[0] - 1 - start[1] <= SHORT_LABEL && n - start[0] <= SHORT_TOP ? start[2] : start[1];
	return bytes_from(host, end);
}

static bool is_called_outside(const struct observation *o)
{
	return o->direction == DIRECTION_OUT && !address_is_special(&o->server);
}

static bool value_destination(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (!is_called_outside(o))
		return false;
	*out = recent_name(l, &o->client, &o->server, o->time_ns);
	if (out->left == 0)
		*out = bytes_of(&o->server, sizeof(o->server));
	return true;
}

static bool value_domain(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	struct bytes name = observation_text(o, TEXT_DNS_NAME);

	if (o->kind != OBS_DNS || (o->flags8 & OBS_FLAG_RESPONSE) || !o->from_client || o->direction == DIRECTION_IN ||
	    name.left == 0)
		return false;
	*out = learn_domain(bytes_of(room, learn_host(name, room)));
	return out->left > 0;
}

static bool value_inside(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (o->direction != DIRECTION_LATERAL || address_is_special(&o->server))
		return false;
	*out = bytes_of(&o->server, sizeof(o->server));
	return true;
}

// UNIX time began on a Thursday. Twelve parts of a week: people who work late are not news each hour.
static bool value_hour(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	unsigned weekday = (unsigned)(o->time_ns / DAY_NS % 7), part = (unsigned)(o->time_ns % DAY_NS / (DAY_NS / 6));

	if (o->direction != DIRECTION_OUT && o->direction != DIRECTION_LATERAL)
		return false;
	room[0] = (uint8_t)((weekday == 2 || weekday == 3 ? 6 : 0) + part);
	*out = bytes_of(room, 1);
	return true;
}

static bool value_inside_port(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	return o->direction == DIRECTION_LATERAL && put_port(o, room, out);
}

static bool value_named(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	if (!is_called_outside(o))
		return false;
	room[0] = recent_name(l, &o->client, &o->server, o->time_ns).left > 0;
	*out = bytes_of(room, 1);
	return true;
}

static bool called_lately(const struct learn *l, const struct observation *o, const struct address *from)
{
	uint64_t then_ns = recent_get(l, RECENT_INBOUND, &o->client, from);

	return then_ns && then_ns + RECENT_CALLBACK_NS > o->time_ns;
}

static bool value_callback(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out)
{
	struct address network = recent_network(&o->server);

	if (!is_called_outside(o))
		return false;
	room[0] = called_lately(l, o, &o->server) ? 2 : called_lately(l, o, &network) ? 1 : 0;
	*out = bytes_of(room, 1);
	return true;
}

#define KIND(k) (1u << (k))
enum { // kinds of observations that speak for the whole flow
	TEACHES_PROTOCOL = KIND(OBS_PROTOCOL) | KIND(OBS_DNS) | KIND(OBS_HTTP_REQUEST) | KIND(OBS_TLS),
};

static const struct {
	bool (*value)(const struct learn *l, const struct observation *o, uint8_t *room, struct bytes *out);
	uint32_t taught_by; // kinds of observations that are learned from
} features[FEATURE_COUNT] = {
	[FEATURE_ENDPOINT] = {value_endpoint, KIND(OBS_FLOW_OPEN)},
	[FEATURE_ENDPOINT_PORT] = {value_endpoint_port, KIND(OBS_FLOW_OPEN)},
	[FEATURE_PORT] = {value_port, KIND(OBS_FLOW_OPEN) | TEACHES_PROTOCOL},
	[FEATURE_AGENT] = {value_agent, KIND(OBS_HTTP_REQUEST)},
	[FEATURE_AGENT_FAMILY] = {value_agent_family, KIND(OBS_HTTP_REQUEST)},
	[FEATURE_HOST] = {value_host, KIND(OBS_HTTP_REQUEST) | KIND(OBS_TLS)},
	[FEATURE_FILE] = {value_file, KIND(OBS_FILE)},
	[FEATURE_FILE_SOURCE] = {value_file_source, KIND(OBS_FILE)},
	[FEATURE_JA4] = {value_ja4, KIND(OBS_TLS)},
	[FEATURE_SERVED] = {value_served, KIND(OBS_FLOW_OPEN) | KIND(OBS_FLOW_CLOSE) | TEACHES_PROTOCOL},
	[FEATURE_CLIENT] = {value_client, KIND(OBS_FLOW_OPEN)},
	[FEATURE_DESTINATION] = {value_destination, KIND(OBS_FLOW_OPEN)},
	[FEATURE_DOMAIN] = {value_domain, KIND(OBS_DNS)},
	[FEATURE_INSIDE] = {value_inside, KIND(OBS_FLOW_OPEN)},
	[FEATURE_HOUR] = {value_hour, KIND(OBS_FLOW_OPEN)},
	[FEATURE_PORT_GIVEN] = {value_port, KIND(OBS_FLOW_OPEN) | KIND(OBS_PROTOCOL)},
	[FEATURE_INSIDE_PORT_GIVEN] = {value_inside_port, KIND(OBS_FLOW_OPEN) | KIND(OBS_PROTOCOL)},
	[FEATURE_AGENT_GIVEN] = {value_agent_family, KIND(OBS_HTTP_REQUEST)},
	[FEATURE_FILE_GIVEN] = {value_file, KIND(OBS_FILE)},
	[FEATURE_JA4_GIVEN] = {value_ja4, KIND(OBS_TLS)},
	[FEATURE_NAMED_GIVEN] = {value_named, KIND(OBS_FLOW_OPEN)},
	[FEATURE_CALLBACK_GIVEN] = {value_callback, KIND(OBS_FLOW_OPEN)},
};

bool learn_value(const struct learn *l, const struct observation *o, enum feature f, uint8_t room[LEARN_VALUE_BYTES],
		 struct bytes *out)
{
	return (unsigned)f < FEATURE_COUNT && features[f].value(l, o, room, out);
}

enum novelty learn_novelty(const struct learn *l, const struct device *d, const struct observation *o)
{
	enum feature f = o->direction == DIRECTION_LATERAL ? FEATURE_INSIDE : FEATURE_DESTINATION;
	uint8_t room[LEARN_VALUE_BYTES];
	struct bytes value;
	uint32_t context = d ? l->private[d->index].context[f] : NO_CONTEXT;

	if (l->without & WITHOUT_NOVELTY)
		return NOVELTY_KNOWN;
	if (context == NO_CONTEXT || !features[f].value(l, o, room, &value))
		return NOVELTY_NEW;
	return backoff_holds(l->backoff, context, value_hash(l, f, value)) ? NOVELTY_KNOWN : NOVELTY_NEW;
}

struct device *learn_device_of(struct learn *l, const struct observation *o)
{
	const struct address *a = observation_device(o);
	bool proven = o->direction != DIRECTION_IN || o->transport == TCP;

	if (!address_is_set(a) || address_is_special(a))
		return NULL;
	// A datagram from outside to an address nobody has ever used is no device.
	return proven ? learn_device_find_or_add(l, a, o->time_ns) : learn_device_find(l, a);
}

// Counts it a day from now, but for what makes roles: a flood of visitors exposes a server the day it comes.
static void learn_value_late(struct learn *l, struct device *d, unsigned f, enum novelty n, struct bytes value,
			     uint64_t now_ns)
{
	uint64_t hash = value_hash(l, f, value);

	if (f == FEATURE_CLIENT)
		clients_see(&l->private[d->index], hash, day_of(now_ns));
	if (f == FEATURE_SERVED && day_of(now_ns) > l->private[d->index].served_day)
		l->private[d->index].served_day = day_of(now_ns);
	wait_add(l, d, slot_of(f, feature_is_given(f) ? n : NOVELTY_KNOWN), hash, now_ns);
}

static void learn_values(struct learn *l, struct device *d, const struct observation *o, bool served)
{
	enum novelty n = learn_novelty(l, d, o);
	uint8_t room[LEARN_VALUE_BYTES];
	struct bytes value;

	for (unsigned f = 0; f < FEATURE_COUNT; f++)
		if ((f == FEATURE_SERVED) == served && (features[f].taught_by & KIND(o->kind)) &&
		    features[f].value(l, o, room, &value))
			learn_value_late(l, d, f, n, value, o->time_ns);
}

// A datagram proves no service, whatever protocol it speaks: anybody may send one. An answer does.
static bool is_answered(const struct observation *o)
{
	if (o->transport == TCP)
		return true;
	if (o->kind == OBS_FLOW_CLOSE)
		return o->number[NUM_CLOSE_PACKETS_SERVER] > 0;
	return o->kind != OBS_FLOW_OPEN && !o->from_client;
}

// In a lateral flow the device is the client; who serves is the other one.
static struct device *server_of(struct learn *l, const struct observation *o)
{
	if (!is_answered(o) || address_is_special(&o->server))
		return NULL;
	if (o->direction == DIRECTION_LATERAL && o->transport == TCP)
		return learn_device_find_or_add(l, &o->server, o->time_ns);
	return o->direction == DIRECTION_IN || o->direction == DIRECTION_LATERAL ? learn_device_find(l, &o->server)
										 : NULL;
}

void learn_observation(struct learn *l, const struct observation *o)
{
	struct device *d = learn_device_of(l, o), *server;

	if (!d)
		return;
	learn_values(l, d, o, false);
	learn_touch(l, d, o->time_ns);
	server = server_of(l, o);
	if (!server)
		return;
	learn_values(l, server, o, true);
	learn_touch(l, server, o->time_ns);
}
