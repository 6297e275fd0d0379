// SPDX-License-Identifier: GPL-2.0-or-later
// Observations as events, one function a kind. What Suricata has no event for (held frames, JNDI, ...) shows in alerts,
// not here.
#include "eve_impl.h"

#include "judge.h"
#include "text.h"

#include <stdio.h>

// --- http ---

static void put_http(struct json *j, const struct judge_request *r, const struct observation *response)
{
	struct bytes location = response ? observation_text(response, TEXT_RESPONSE_LOCATION) : bytes_of("", 0);

	json_open(j, "http");
	eve_text(j, "hostname", bytes_of_text(r->host));
	eve_text(j, "url", bytes_of_text(r->uri));
	eve_text(j, "http_user_agent", bytes_of_text(r->agent));
	if (response)
		eve_text(j, "http_content_type", observation_text(response, TEXT_RESPONSE_CONTENT_TYPE));
	eve_text(j, "http_method", bytes_of_text(r->method));
	if (response) {
		eve_text(j, "protocol", observation_text(response, TEXT_RESPONSE_VERSION));
		json_u64(j, "status", response->number[NUM_RESPONSE_STATUS]);
		eve_text(j, "redirect", location);
		json_u64(j, "length", response->number[NUM_RESPONSE_LENGTH]);
	}
	json_close(j);
}

static bool request_of(const struct judge *requests, const struct observation *o, uint64_t tx,
		       struct judge_request *out)
{
	memset(out, 0, sizeof(*out));
	return requests && judge_request_of(requests, o->flow, tx, out);
}

static void put_transaction(struct json *j, uint64_t tx)
{
	if (tx)
		json_u64(j, "tx_id", tx - 1); // theirs count from 0
}

static void event_http(struct json *j, const struct observation *o, const struct judge *requests)
{
	struct judge_request r;

	request_of(requests, o, o->number[NUM_RESPONSE_TX], &r);
	put_transaction(j, o->number[NUM_RESPONSE_TX]);
	put_http(j, &r, o);
}

static void event_file(struct json *j, const struct observation *o, const struct judge *requests)
{
	struct judge_request r;

	if (request_of(requests, o, o->number[NUM_FILE_TX], &r))
		put_http(j, &r, NULL);
	json_open(j, "fileinfo");
	json_text(j, "filename", r.uri[0] ? r.uri : "/");
	json_text(j, "magic", file_kind_name((unsigned)o->number[NUM_FILE_KIND]));
	json_bool(j, "gaps", false);
	json_text(j, "state", "UNKNOWN"); // only the first bytes are looked at
	json_bool(j, "stored", false);
	json_u64(j, "size", o->number[NUM_FILE_LENGTH]);
	put_transaction(j, o->number[NUM_FILE_TX]);
	json_close(j);
}

// --- dns ---

static const struct {
	uint16_t number;
	const char *name;
} record_types[] = {
	{1, "A"},       {2, "NS"},    {5, "CNAME"},  {6, "SOA"},    {12, "PTR"}, {15, "MX"},
	{16, "TXT"},    {28, "AAAA"}, {33, "SRV"},   {35, "NAPTR"}, {43, "DS"},  {46, "RRSIG"},
	{48, "DNSKEY"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"},
};
static const char *const response_codes[] = {
	"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
};

static void put_record_type(struct json *j, uint64_t type)
{
	char unknown[16];

	for (size_t n = 0; n < sizeof(record_types) / sizeof(record_types[0]); n++)
		if (record_types[n].number == type) {
			json_text(j, "rrtype", record_types[n].name);
			return;
		}
	snprintf(unknown, sizeof(unknown), "TYPE%u", (unsigned)(type & 0xffff)); // RFC 3597
	json_text(j, "rrtype", unknown);
}

static void put_answer(struct json *j, struct bytes name, const char *type, struct bytes data)
{
	json_open(j, NULL);
	eve_text(j, "rrname", name);
	json_text(j, "rrtype", type);
	json_string(j, "rdata", data);
	json_close(j);
}

static void put_answers(struct json *j, const struct observation *o)
{
	struct bytes all = observation_text(o, TEXT_DNS_ADDRESSES), one, name = observation_text(o, TEXT_DNS_NAME);
	struct bytes cname = observation_text(o, TEXT_DNS_CNAME);

	if (!all.left && !cname.left)
		return;
	json_open_array(j, "answers");
	if (cname.left)
		put_answer(j, name, "CNAME", cname);
	while (bytes_take(&all, sizeof(struct address), &one)) {
		char text[ADDRESS_TEXT_BYTES];
		struct address a;

		memcpy(&a, one.at, sizeof(a));
		put_answer(j, cname.left ? cname : name, a.family == 4 ? "A" : "AAAA",
			   bytes_of(text, address_text(&a, text)));
	}
	json_close_array(j);
}

static void event_dns(struct json *j, const struct observation *o, const struct judge *requests)
{
	bool response = o->flags8 & OBS_FLAG_RESPONSE;
	uint64_t code = o->number[NUM_DNS_RCODE];

	json_open(j, "dns");
	json_u64(j, "version", 3); // as Suricata 8 writes
	json_text(j, "type", response ? "response" : "request");
	json_u64(j, "id", o->number[NUM_DNS_ID]);
	if (response && code < sizeof(response_codes) / sizeof(response_codes[0]))
		json_text(j, "rcode", response_codes[code]);
	json_open_array(j, "queries");
	json_open(j, NULL);
	json_string(j, "rrname", observation_text(o, TEXT_DNS_NAME));
	put_record_type(j, o->number[NUM_DNS_TYPE]);
	json_close(j);
	json_close_array(j);
	if (response)
		put_answers(j, o);
	json_close(j);
}

// --- tls, ldap ---

// Two words, or Filebeat cannot split it.
static const struct {
	uint16_t number;
	const char *name;
} tls_versions[] = {
	{0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"},
};

static void put_tls_version(struct json *j, uint64_t number)
{
	for (size_t n = 0; n < sizeof(tls_versions) / sizeof(tls_versions[0]); n++)
		if (tls_versions[n].number == number)
			json_text(j, "version", tls_versions[n].name);
}

static void event_tls(struct json *j, const struct observation *o, const struct judge *requests)
{
	json_open(j, "tls");
	eve_text(j, "sni", observation_text(o, TEXT_TLS_SNI));
	put_tls_version(j, o->number[NUM_TLS_VERSION]);
	eve_text(j, "ja4", observation_text(o, TEXT_TLS_JA4));
	if (observation_text(o, TEXT_TLS_ALPN).left) {
		json_open_array(j, "client_alpns");
		json_string(j, NULL, observation_text(o, TEXT_TLS_ALPN));
		json_close_array(j);
	}
	json_close(j);
}

// The server's half, as an event of its own: the two are joined by flow_id.
static void event_tls_server(struct json *j, const struct observation *o, const struct judge *requests)
{
	struct bytes names = observation_text(o, TEXT_TLS_NAMES), name;

	json_open(j, "tls");
	eve_text(j, "subject", observation_text(o, TEXT_TLS_SUBJECT));
	eve_text(j, "issuerdn", observation_text(o, TEXT_TLS_ISSUER));
	if (names.left) {
		json_open_array(j, "subjectaltname");
		while (bytes_take(&names, bytes_find(names, ','), &name) && name.left) {
			json_string(j, NULL, name);
			bytes_skip(&names, 1);
		}
		json_close_array(j);
	}
	put_tls_version(j, o->number[NUM_TLS_SERVER_VERSION]);
	json_close(j);
}

static const struct {
	const char *name;
	bool request;
} ldap_words[LDAP_OPERATIONS] = {
	[LDAP_OTHER] = {"unknown", true},
	[LDAP_BIND_REQUEST] = {"bind_request", true},
	[LDAP_BIND_RESPONSE] = {"bind_response", false},
	[LDAP_SEARCH_REQUEST] = {"search_request", true},
	[LDAP_SEARCH_ENTRY] = {"search_result_entry", false},
	[LDAP_SEARCH_DONE] = {"search_result_done", false},
	[LDAP_SEARCH_REFERENCE] = {"search_result_reference", false},
	[LDAP_EXTENDED_REQUEST] = {"extended_request", true},
	[LDAP_EXTENDED_RESPONSE] = {"extended_response", false},
	[LDAP_UNBIND] = {"unbind_request", true},
};
static const struct {
	uint8_t slot;
	const char *type;
} ldap_attributes[] = {
	{TEXT_LDAP_CODEBASE, "javaCodeBase"},
	{TEXT_LDAP_FACTORY, "javaFactory"},
	{TEXT_LDAP_CLASS, "javaClassName"},
	{TEXT_LDAP_REFERRAL, "ref"},
};

static void put_ldap_entry(struct json *j, const struct observation *o)
{
	json_open(j, "search_result_entry");
	json_string(j, "base_object", observation_text(o, TEXT_LDAP_NAME));
	json_open_array(j, "attributes");
	for (size_t n = 0; n < sizeof(ldap_attributes) / sizeof(ldap_attributes[0]); n++) {
		struct bytes value = observation_text(o, ldap_attributes[n].slot);

		if (!value.left)
			continue;
		json_open(j, NULL);
		json_text(j, "type", ldap_attributes[n].type);
		json_open_array(j, "values");
		json_string(j, NULL, value);
		json_close_array(j);
		json_close(j);
	}
	json_close_array(j);
	json_close(j);
}

static void put_ldap_details(struct json *j, const struct observation *o, unsigned operation)
{
	struct bytes name = observation_text(o, TEXT_LDAP_NAME);

	if (operation == LDAP_SEARCH_ENTRY)
		put_ldap_entry(j, o);
	if (operation != LDAP_SEARCH_REQUEST && operation != LDAP_BIND_REQUEST)
		return;
	json_open(j, ldap_words[operation].name);
	json_string(j, operation == LDAP_BIND_REQUEST ? "name" : "base_object", name);
	json_close(j);
}

static void event_ldap(struct json *j, const struct observation *o, const struct judge *requests)
{
	unsigned operation =
		o->number[NUM_LDAP_OPERATION] < LDAP_OPERATIONS ? (unsigned)o->number[NUM_LDAP_OPERATION] : LDAP_OTHER;
	bool request = ldap_words[operation].request && (operation != LDAP_OTHER || o->from_client);

	json_open(j, "ldap");
	if (request) {
		json_open(j, "request");
	} else {
		json_open_array(j, "responses");
		json_open(j, NULL);
	}
	json_text(j, "operation", ldap_words[operation].name);
	json_u64(j, "message_id", o->number[NUM_LDAP_MESSAGE_ID]);
	put_ldap_details(j, o, operation);
	json_close(j);
	if (!request)
		json_close_array(j);
	json_close(j);
}

// --- flow, drop ---

// By enum flow_end, whose values are part of the record: how Suricata would call that end.
static const struct {
	const char *state, *reason;
} ends[] = {
	{"established", "timeout"}, {"closed", "timeout"},   {"closed", "timeout"},
	{"new", "forced"},          {"closed", "tcp_reuse"}, {"established", "shutdown"},
};

static void event_flow(struct json *j, const struct observation *o, const struct judge *requests)
{
	uint64_t end = o->number[NUM_CLOSE_REASON], start_ns = o->number[NUM_CLOSE_START_NS];

	json_open(j, "flow");
	json_u64(j, "pkts_toserver", o->number[NUM_CLOSE_PACKETS_CLIENT]);
	json_u64(j, "pkts_toclient", o->number[NUM_CLOSE_PACKETS_SERVER]);
	json_u64(j, "bytes_toserver", o->number[NUM_CLOSE_BYTES_CLIENT]);
	json_u64(j, "bytes_toclient", o->number[NUM_CLOSE_BYTES_SERVER]);
	if (start_ns) {
		eve_time(j, "start", start_ns);
		json_u64(j, "age", o->time_ns > start_ns ? (o->time_ns - start_ns) / NS_PER_S : 0);
	}
	eve_time(j, "end", o->time_ns);
	if (end < sizeof(ends) / sizeof(ends[0])) {
		json_text(j, "state", ends[end].state);
		json_text(j, "reason", ends[end].reason);
	}
	json_close(j);
}

static void event_blocked(struct json *j, const struct observation *o, const struct judge *requests)
{
	json_open(j, "drop");
	json_text(j, "reason", "flow drop");
	json_close(j);
	json_open(j, "sekimori");
	json_u64(j, "block", o->number[NUM_BLOCKED_ID]);
	json_u64(j, "frames", o->number[NUM_BLOCKED_FRAMES]);
	json_close(j);
}

static void event_cut(struct json *j, const struct observation *o, const struct judge *requests)
{
	json_open(j, "drop");
	json_text(j, "reason", "rules");
	json_close(j);
	json_open(j, "sekimori");
	json_text(j, "cut_by", fact_name((unsigned)o->number[NUM_CUT_FACT]));
	json_u64(j, "certain_version", o->number[NUM_CUT_TABLE]);
	json_close(j);
}

// From here on bytes of the flow pass without inspection: whoever reads events must not take silence for innocence.
static void event_uninspected(struct json *j, const struct observation *o, const struct judge *requests)
{
	uint64_t why = o->number[NUM_UNINSPECTED_WHY];

	json_open(j, "anomaly");
	json_text(j, "type", "stream");
	json_text(j, "event", "uninspected");
	json_close(j);
	json_open(j, "sekimori");
	if (why < COUNTER_COUNT)
		json_text(j, "why", counter_name((enum counter)why));
	json_close(j);
}

// --- all ---

static const struct {
	const char *event_type;
	void (*put)(struct json *j, const struct observation *o, const struct judge *requests);
	bool by_sender; // source is who sent the bytes; else who opened the flow
} events[OBS_KINDS] = {
	[OBS_FLOW_CLOSE] = {"flow", event_flow, false}, [OBS_HTTP_RESPONSE] = {"http", event_http, false},
	[OBS_FILE] = {"fileinfo", event_file, true},    [OBS_LDAP] = {"ldap", event_ldap, false},
	[OBS_DNS] = {"dns", event_dns, false},          [OBS_TLS] = {"tls", event_tls, false},
	[OBS_TLS_SERVER] = {"tls", event_tls_server, false},
	[OBS_BLOCKED] = {"drop", event_blocked, true},  [OBS_CUT] = {"drop", event_cut, true},
	[OBS_UNINSPECTED] = {"anomaly", event_uninspected, false},
};

static void swap_ends(struct eve_tuple *t)
{
	*t = (struct eve_tuple){t->destination, t->source, t->destination_port, t->source_port, t->transport};
}

void eve_observation(struct eve *e, const struct observation *o, const struct judge *requests)
{
	struct eve_tuple t = eve_tuple_of(o);
	const char *id;
	struct json *j;

	if (o->kind >= OBS_KINDS || !events[o->kind].put)
		return;
	id = eve_flow_id(e, o->flow, &t); // the same from either end
	if (events[o->kind].by_sender && !o->from_client && o->transport != TRANSPORT_ICMP &&
	    o->transport != TRANSPORT_ICMP6)
		swap_ends(&t);
	j = eve_begin(e, events[o->kind].event_type, o->time_ns, o->flow, &t, id, o->app);
	if (o->vlan) {
		json_open_array(j, "vlan");
		json_u64(j, NULL, o->vlan);
		json_close_array(j);
	}
	events[o->kind].put(j, o, requests);
	eve_finish(e);
}
