// SPDX-License-Identifier: GPL-2.0-or-later
// The record's vocabulary as tables, how it is filled on the wire and how it is checked on the far side. A new kind or
// field is one line here. Knows no parser and no policy. Any thread.
#include "observation.h"
#include "counters.h"
#include "sheet.h"

enum { TEXT_LONGEST_BYTES = 400, ADDRESSES_MOST = 8, VLAN_MOST = 4095, FLAGS_ALL = 2 * OBS_FLAG_RESPONSE - 1 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kind_names[] = {
	"none", "flow.open", "flow.close", "http.request", "http.response", "file", "ldap", "jndi", "rmi", "dns", "tls",
	"stratum", "protocol", "held", "blocked", "cut", "uninspected", "lost",
	"tls.server", "named", NULL,
};
static const char *const direction_names[] = {"none", "out", "in", "lateral", "transit", NULL};
static const char *const app_names[] = {
	"none", "unknown", "http", "tls", "ldap", "rmi", "dns", "stratum", "ssh", "smtp", "ftp", "smb", "rdp",
	"kerberos", "http2", "ntp", "quic", "iiop",
	"pop3", "imap", "xmpp", "postgresql", "mysql", "socks", NULL,
};
static const char *const file_names[] = {
	"none", "empty", "text", "html", "xml", "json", "javascript", "css", "image", "font", "media", "pdf", "office",
	"archive", "package", "script", "java-class", "java-archive", "java-serialized", "elf", "pe", "macho", "binary",
	"encrypted", NULL,
};
static const char *const fact_names[] = {
	"ldap-java-reference", "ldap-referral", "rmi", "java-class", "executable", "script", "file-mismatch", "stratum",
	"jndi", "self-address", "protocol-port", NULL,
};
static const char *const ldap_names[] = {
	"other", "bind-request", "bind-response", "search-request", "search-entry", "search-done", "search-reference",
	"extended-request", "extended-response", "unbind", NULL,
};
static const char *const rmi_names[] = {"other", "greeting", "greeting-ack", "call", "return", "ping", NULL};
// enum flow_end of lib/flow, which this room may not include
static const char *const close_names[] = {"timeout", "fin", "rst", "evicted", "reused", "shutdown", NULL};

_Static_assert(COUNT_OF(kind_names) == OBS_KINDS + 1, "one name a kind");
_Static_assert(COUNT_OF(direction_names) == DIRECTION_TRANSIT + 2, "one name a direction");
_Static_assert(COUNT_OF(app_names) == APP_COUNT + 1, "one name a protocol");
_Static_assert(COUNT_OF(file_names) == FILE_KINDS + 1, "one name a kind of file");
_Static_assert(COUNT_OF(fact_names) == FACT_COUNT + 1, "one name a fact");
_Static_assert(COUNT_OF(ldap_names) == LDAP_OPERATIONS + 1, "one name an operation");
_Static_assert(COUNT_OF(rmi_names) == RMI_MESSAGES + 1, "one name a message");

const struct observation_field observation_fields[] = {
	{"bytes_client", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_BYTES_CLIENT, NULL},
	{"bytes_server", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_BYTES_SERVER, NULL},
	{"packets_client", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_PACKETS_CLIENT, NULL},
	{"packets_server", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_PACKETS_SERVER, NULL},
	{"start", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_START_NS, NULL},
	{"reason", OBS_FLOW_CLOSE, FIELD_NUMBER, NUM_CLOSE_REASON, close_names},

	{"tx", OBS_HTTP_REQUEST, FIELD_NUMBER, NUM_REQUEST_TX, NULL},
	{"length", OBS_HTTP_REQUEST, FIELD_NUMBER, NUM_REQUEST_LENGTH, NULL},
	{"method", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_METHOD, NULL},
	{"uri", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_URI, NULL},
	{"host", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_HOST, NULL},
	{"user_agent", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_AGENT, NULL},
	{"content_type", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_CONTENT_TYPE, NULL},
	{"referer", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_REFERER, NULL},
	{"version", OBS_HTTP_REQUEST, FIELD_TEXT, TEXT_REQUEST_VERSION, NULL},

	{"tx", OBS_HTTP_RESPONSE, FIELD_NUMBER, NUM_RESPONSE_TX, NULL},
	{"status", OBS_HTTP_RESPONSE, FIELD_NUMBER, NUM_RESPONSE_STATUS, NULL},
	{"length", OBS_HTTP_RESPONSE, FIELD_NUMBER, NUM_RESPONSE_LENGTH, NULL},
	{"content_type", OBS_HTTP_RESPONSE, FIELD_TEXT, TEXT_RESPONSE_CONTENT_TYPE, NULL},
	{"server", OBS_HTTP_RESPONSE, FIELD_TEXT, TEXT_RESPONSE_SERVER, NULL},
	{"location", OBS_HTTP_RESPONSE, FIELD_TEXT, TEXT_RESPONSE_LOCATION, NULL},
	{"version", OBS_HTTP_RESPONSE, FIELD_TEXT, TEXT_RESPONSE_VERSION, NULL},

	{"tx", OBS_FILE, FIELD_NUMBER, NUM_FILE_TX, NULL},
	{"kind", OBS_FILE, FIELD_NUMBER, NUM_FILE_KIND, file_names},
	{"length", OBS_FILE, FIELD_NUMBER, NUM_FILE_LENGTH, NULL},
	{"content_type", OBS_FILE, FIELD_TEXT, TEXT_FILE_CONTENT_TYPE, NULL},
	{"head", OBS_FILE, FIELD_HEX, TEXT_FILE_HEAD, NULL},

	{"operation", OBS_LDAP, FIELD_NUMBER, NUM_LDAP_OPERATION, ldap_names},
	{"message_id", OBS_LDAP, FIELD_NUMBER, NUM_LDAP_MESSAGE_ID, NULL},
	{"result", OBS_LDAP, FIELD_NUMBER, NUM_LDAP_RESULT, NULL},
	{"injected", OBS_LDAP, FIELD_NUMBER, NUM_LDAP_INJECTED, NULL},
	{"name", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_NAME, NULL},
	{"codebase", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_CODEBASE, NULL},
	{"factory", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_FACTORY, NULL},
	{"class", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_CLASS, NULL},
	{"referral", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_REFERRAL, NULL},
	{"filter", OBS_LDAP, FIELD_TEXT, TEXT_LDAP_FILTER, NULL},

	{"port", OBS_JNDI, FIELD_NUMBER, NUM_JNDI_PORT, NULL},
	{"depth", OBS_JNDI, FIELD_NUMBER, NUM_JNDI_DEPTH, NULL},
	{"field", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_FIELD, NULL},
	{"scheme", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_SCHEME, NULL},
	{"host", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_HOST, NULL},
	{"path", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_PATH, NULL},
	{"decoded", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_DECODED, NULL},
	{"raw", OBS_JNDI, FIELD_TEXT, TEXT_JNDI_RAW, NULL},

	{"message", OBS_RMI, FIELD_NUMBER, NUM_RMI_MESSAGE, rmi_names},
	{"port", OBS_RMI, FIELD_NUMBER, NUM_RMI_PORT, NULL},
	{"host", OBS_RMI, FIELD_TEXT, TEXT_RMI_HOST, NULL},
	{"name", OBS_RMI, FIELD_TEXT, TEXT_RMI_NAME, NULL},
	{"codebase", OBS_RMI, FIELD_TEXT, TEXT_RMI_CODEBASE, NULL},

	{"id", OBS_DNS, FIELD_NUMBER, NUM_DNS_ID, NULL},
	{"rcode", OBS_DNS, FIELD_NUMBER, NUM_DNS_RCODE, NULL},
	{"type", OBS_DNS, FIELD_NUMBER, NUM_DNS_TYPE, NULL},
	{"answers", OBS_DNS, FIELD_NUMBER, NUM_DNS_ANSWERS, NULL},
	{"questions", OBS_DNS, FIELD_NUMBER, NUM_DNS_QUESTIONS, NULL},
	{"malformed", OBS_DNS, FIELD_NUMBER, NUM_DNS_MALFORMED, NULL},
	{"name", OBS_DNS, FIELD_TEXT, TEXT_DNS_NAME, NULL},
	{"addresses", OBS_DNS, FIELD_ADDRESSES, TEXT_DNS_ADDRESSES, NULL},
	{"cname", OBS_DNS, FIELD_TEXT, TEXT_DNS_CNAME, NULL},

	{"version", OBS_TLS, FIELD_NUMBER, NUM_TLS_VERSION, NULL},
	{"sni", OBS_TLS, FIELD_TEXT, TEXT_TLS_SNI, NULL},
	{"alpn", OBS_TLS, FIELD_TEXT, TEXT_TLS_ALPN, NULL},
	{"ja4", OBS_TLS, FIELD_TEXT, TEXT_TLS_JA4, NULL},
	{"oddities", OBS_TLS, FIELD_TEXT, TEXT_TLS_ODDITIES, NULL},

	{"method", OBS_STRATUM, FIELD_TEXT, TEXT_STRATUM_METHOD, NULL},
	{"agent", OBS_STRATUM, FIELD_TEXT, TEXT_STRATUM_AGENT, NULL},
	{"login", OBS_STRATUM, FIELD_TEXT, TEXT_STRATUM_LOGIN, NULL},

	{"entropy_client", OBS_PROTOCOL, FIELD_NUMBER, NUM_PROTOCOL_ENTROPY_CLIENT, NULL},
	{"entropy_server", OBS_PROTOCOL, FIELD_NUMBER, NUM_PROTOCOL_ENTROPY_SERVER, NULL},
	{"bytes_client", OBS_PROTOCOL, FIELD_NUMBER, NUM_PROTOCOL_BYTES_CLIENT, NULL},
	{"bytes_server", OBS_PROTOCOL, FIELD_NUMBER, NUM_PROTOCOL_BYTES_SERVER, NULL},
	{"first_client", OBS_PROTOCOL, FIELD_HEX, TEXT_PROTOCOL_FIRST_CLIENT, NULL},
	{"first_server", OBS_PROTOCOL, FIELD_HEX, TEXT_PROTOCOL_FIRST_SERVER, NULL},

	{"id", OBS_BLOCKED, FIELD_NUMBER, NUM_BLOCKED_ID, NULL},
	{"frames", OBS_BLOCKED, FIELD_NUMBER, NUM_BLOCKED_FRAMES, NULL},
	{"fact", OBS_CUT, FIELD_NUMBER, NUM_CUT_FACT, fact_names},
	{"table", OBS_CUT, FIELD_NUMBER, NUM_CUT_TABLE, NULL},
	{"why", OBS_UNINSPECTED, FIELD_NUMBER, NUM_UNINSPECTED_WHY, counter_names},
	{"count", OBS_LOST, FIELD_NUMBER, NUM_LOST_COUNT, NULL},

	{"version", OBS_TLS_SERVER, FIELD_NUMBER, NUM_TLS_SERVER_VERSION, NULL},
	{"cipher", OBS_TLS_SERVER, FIELD_NUMBER, NUM_TLS_SERVER_CIPHER, NULL},
	{"part", OBS_TLS_SERVER, FIELD_NUMBER, NUM_TLS_SERVER_PART, NULL},
	{"subject", OBS_TLS_SERVER, FIELD_TEXT, TEXT_TLS_SUBJECT, NULL},
	{"names", OBS_TLS_SERVER, FIELD_TEXT, TEXT_TLS_NAMES, NULL},
	{"issuer", OBS_TLS_SERVER, FIELD_TEXT, TEXT_TLS_ISSUER, NULL},

	{"field", OBS_NAMED, FIELD_TEXT, TEXT_NAMED_FIELD, NULL},
	{"addresses", OBS_NAMED, FIELD_ADDRESSES, TEXT_NAMED_ADDRESSES, NULL},
	{"hosts", OBS_NAMED, FIELD_TEXT, TEXT_NAMED_HOSTS, NULL},
	{"file", OBS_NAMED, FIELD_TEXT, TEXT_NAMED_FILE, NULL},
	{NULL, OBS_NONE, FIELD_NUMBER, 0, NULL},
};

const char *observation_kind_name(unsigned kind)
{
	return kind < OBS_KINDS ? kind_names[kind] : "?";
}

const char *direction_name(unsigned direction)
{
	return direction <= DIRECTION_TRANSIT ? direction_names[direction] : "?";
}

const char *app_name(unsigned app)
{
	return app < APP_COUNT ? app_names[app] : "?";
}

const char *file_kind_name(unsigned kind)
{
	return kind < FILE_KINDS ? file_names[kind] : "?";
}

const char *fact_name(unsigned fact)
{
	return fact < FACT_COUNT ? fact_names[fact] : "?";
}

const char *ldap_operation_name(unsigned op)
{
	return op < LDAP_OPERATIONS ? ldap_names[op] : "?";
}

int name_to_index(const char *(*name)(unsigned), unsigned count, struct bytes text)
{
	for (unsigned i = 0; i < count; i++)
		if (bytes_equal_text(text, name(i)))
			return (int)i;
	return -1;
}

void observation_init(struct observation *o, enum observation_kind kind)
{
	memset(o, 0, OBSERVATION_HEAD_BYTES);
	o->kind = (uint16_t)kind;
	o->size_bytes = OBSERVATION_HEAD_BYTES;
}

size_t observation_room(const struct observation *o)
{
	return OBSERVATION_TEXT_BYTES - (o->size_bytes - OBSERVATION_HEAD_BYTES);
}

static void put_text(struct observation *o, unsigned slot, struct bytes text, size_t most)
{
	size_t used = o->size_bytes - OBSERVATION_HEAD_BYTES, room = observation_room(o);
	size_t longest = room < most ? room : most;

	if (slot >= OBSERVATION_TEXTS || text.left == 0)
		return;
	if (text.left > longest) {
		text.left = longest;
		o->flags8 |= OBS_FLAG_TRUNCATED;
	}
	memcpy(o->text + used, text.at, text.left);
	o->slot[slot] = (struct text_slot){(uint16_t)used, (uint16_t)text.left};
	o->size_bytes += (uint32_t)text.left;
}

void observation_put(struct observation *o, unsigned slot, struct bytes text)
{
	put_text(o, slot, text, TEXT_LONGEST_BYTES);
}

void observation_put_list(struct observation *o, unsigned slot, struct bytes text)
{
	put_text(o, slot, text, OBSERVATION_TEXT_BYTES);
}

// About no single flow: addresses and direction may be missing.
static bool kind_needs_flow(unsigned kind)
{
	return kind != OBS_LOST && kind != OBS_BLOCKED;
}

static bool check_head(const struct observation *o)
{
	if (o->size_bytes < OBSERVATION_HEAD_BYTES || o->size_bytes > OBSERVATION_BYTES)
		return false;
	if (o->kind == OBS_NONE || o->kind >= OBS_KINDS || o->worker >= SHEET_WORKERS || o->app >= APP_COUNT)
		return false;
	return o->vlan <= VLAN_MOST && o->from_client <= 1 && o->flags8 <= FLAGS_ALL && o->zero == 0 &&
	       o->facts < FACT_BIT(FACT_COUNT);
}

static bool check_ends(const struct observation *o)
{
	if (!address_is_well_formed(&o->client) || !address_is_well_formed(&o->server))
		return false;
	if (o->direction > DIRECTION_TRANSIT)
		return false;
	if (!kind_needs_flow(o->kind))
		return true;
	return o->direction != 0 && address_is_set(&o->client) && o->client.family == o->server.family;
}

static bool check_slots(const struct observation *o)
{
	uint32_t used = o->size_bytes - OBSERVATION_HEAD_BYTES;

	for (unsigned i = 0; i < OBSERVATION_TEXTS; i++)
		if ((uint32_t)o->slot[i].offset + o->slot[i].length > used)
			return false;
	return true;
}

static bool check_addresses(struct bytes raw)
{
	struct bytes one;
	struct address a;

	if (raw.left % sizeof(a) || raw.left > ADDRESSES_MOST * sizeof(a))
		return false;
	while (bytes_take(&raw, sizeof(a), &one)) {
		memcpy(&a, one.at, sizeof(a));
		if (!address_is_set(&a) || !address_is_well_formed(&a))
			return false;
	}
	return true;
}

static bool check_field(const struct observation *o, const struct observation_field *field)
{
	if (field->type == FIELD_ADDRESSES)
		return check_addresses(observation_text(o, field->slot));
	if (field->type != FIELD_NUMBER || !field->names)
		return true;
	for (uint64_t i = 0; field->names[i]; i++)
		if (o->number[field->slot] == i)
			return true;
	return false;
}

bool observation_check(const struct observation *o)
{
	if (!check_head(o) || !check_ends(o) || !check_slots(o))
		return false;
	for (const struct observation_field *f = observation_fields; f->name; f++)
		if (f->kind == o->kind && !check_field(o, f))
			return false;
	return true;
}

static const struct address no_address;

const struct address *observation_device(const struct observation *o)
{
	const struct address *by_direction[] = {&no_address, &o->client, &o->server, &o->client, &no_address};

	return by_direction[o->direction <= DIRECTION_TRANSIT ? o->direction : 0];
}

const struct address *observation_endpoint(const struct observation *o)
{
	return o->direction == DIRECTION_IN ? &o->client : &o->server;
}
