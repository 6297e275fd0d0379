// SPDX-License-Identifier: GPL-2.0-or-later
// The one record that leaves the wire: a flat fact about a flow. Explicit widths, no pointers. It is copied once
// out of shared memory and only then checked (observation_check). Which number and text slot means what, for each
// kind, stands in one table (observation_fields): the policy reader, the golden format and the exporters use it.
#pragma once
#include "address.h"

enum observation_limits {
	OBSERVATION_BYTES = 1024,  // largest record, head and text
	OBSERVATION_NUMBERS = 6,
	OBSERVATION_TEXTS = 8,
	OBSERVATION_HEAD_BYTES = 176,
	OBSERVATION_TEXT_BYTES = OBSERVATION_BYTES - OBSERVATION_HEAD_BYTES,
};

enum observation_kind {
	OBS_NONE,
	OBS_FLOW_OPEN,     // TCP: handshake completed (or midstream data). UDP/ICMP: first packet
	OBS_FLOW_CLOSE,    // flow ended or timed out: volumes
	OBS_HTTP_REQUEST,  // one request head
	OBS_HTTP_RESPONSE, // one response head
	OBS_FILE,          // first bytes of a body (HTTP, or a raw stream), with its kind by content
	OBS_LDAP,          // one LDAP message
	OBS_JNDI,          // a JNDI look-up found in some field, decoded
	OBS_RMI,           // JRMP greeting or message
	OBS_DNS,           // one DNS message
	OBS_TLS,           // ClientHello
	OBS_STRATUM,       // a mining-pool message
	OBS_PROTOCOL,      // the flow's protocol was recognised (also "unknown"): carries the app field
	OBS_HELD,          // the first frame of a never-seen pair waits: the brain should answer
	OBS_BLOCKED,       // a block dropped frames (aggregated: at most one per block and second)
	OBS_CUT,           // the wire cut the flow on this packet, by the published table of certain facts
	OBS_UNINSPECTED,   // from here on bytes of this flow are forwarded without inspection
	OBS_LOST,          // the records between this one and the last were lost
	OBS_TLS_SERVER,    // ServerHello and, up to TLS 1.2, names of the certificate that came with it
	OBS_NAMED,         // literal addresses and hosts in a request from outside, or what a file is called that it uploads
	OBS_KINDS
};

enum direction { // seen from the inside; from the side that opened the flow
	DIRECTION_OUT = 1,     // inside device opened it to an outside endpoint
	DIRECTION_IN = 2,      // outside endpoint opened it to an inside device
	DIRECTION_LATERAL = 3, // both inside
	DIRECTION_TRANSIT = 4, // both outside
};

enum app_protocol {
	APP_NONE,    // not yet known
	APP_UNKNOWN, // looked at, not recognised
	APP_HTTP, APP_TLS, APP_LDAP, APP_RMI, APP_DNS, APP_STRATUM,
	APP_SSH, APP_SMTP, APP_FTP, APP_SMB, APP_RDP, APP_KERBEROS, APP_HTTP2, APP_NTP, APP_QUIC, APP_IIOP,
	APP_POP3, APP_IMAP, APP_XMPP, APP_POSTGRESQL, APP_MYSQL, APP_SOCKS,
	APP_COUNT
};

enum file_kind { // by content only
	FILE_NONE, FILE_EMPTY, FILE_TEXT, FILE_HTML, FILE_XML, FILE_JSON, FILE_JAVASCRIPT, FILE_CSS, FILE_IMAGE, FILE_FONT,
	FILE_MEDIA, FILE_PDF, FILE_OFFICE, FILE_ARCHIVE /* zip gzip xz tar 7z */, FILE_PACKAGE /* deb rpm */,
	FILE_SCRIPT /* shebang, shell, PowerShell, Python, Perl, PHP, VBS, batch */, FILE_JAVA_CLASS, FILE_JAVA_ARCHIVE,
	FILE_JAVA_SERIALIZED, FILE_ELF, FILE_PE, FILE_MACHO, FILE_BINARY, FILE_ENCRYPTED /* high entropy */,
	FILE_KINDS
};

enum ldap_operation { LDAP_OTHER, LDAP_BIND_REQUEST, LDAP_BIND_RESPONSE, LDAP_SEARCH_REQUEST, LDAP_SEARCH_ENTRY,
	LDAP_SEARCH_DONE, LDAP_SEARCH_REFERENCE, LDAP_EXTENDED_REQUEST, LDAP_EXTENDED_RESPONSE, LDAP_UNBIND, LDAP_OPERATIONS };

enum rmi_message { RMI_OTHER, RMI_GREETING, RMI_GREETING_ACK, RMI_CALL, RMI_RETURN, RMI_PING, RMI_MESSAGES };

// Facts: observations whose meaning needs no learning. Bits of observation.facts.
enum fact {
	FACT_LDAP_JAVA_REFERENCE, // LDAP entry with javaCodeBase, javaFactory or javaSerializedData, or a Java referral
	FACT_LDAP_REFERRAL,       // LDAP referral / search reference
	FACT_RMI,                 // JRMP spoken
	FACT_JAVA_CLASS,          // Java class file, archive or serialized object in a body
	FACT_EXECUTABLE,          // ELF, PE or Mach-O in a body
	FACT_SCRIPT,              // script in a body
	FACT_FILE_MISMATCH,       // declared type contradicts content
	FACT_STRATUM,             // mining-pool protocol
	FACT_JNDI,                // JNDI look-up in a field
	FACT_SELF_ADDRESS,        // the device's own address leaves in a URI, header or body
	FACT_PROTOCOL_PORT,       // a well-known protocol on a port that is not its own (IANA)
	FACT_COUNT
};
#define FACT_BIT(f) (1u << (f))

enum observation_flags {
	OBS_FLAG_TRUNCATED = 1 << 0,   // some text was cut to fit
	OBS_FLAG_MIDSTREAM = 1 << 1,   // the flow's handshake was not seen
	OBS_FLAG_BARE_HOST = 1 << 2,   // HTTP: host is absent or an address literal. TLS: no SNI
	OBS_FLAG_ENCODED = 1 << 3,     // JNDI: nested or encoded, not in clear
	OBS_FLAG_BAD_CHECKSUM = 1 << 4,// replay: seen on a packet with a wrong checksum
	OBS_FLAG_DROPPED = 1 << 5,     // the frame that carried it was not forwarded
	OBS_FLAG_RESPONSE = 1 << 6,    // DNS: answer rather than query
};

struct text_slot {
	uint16_t offset; // into text[]
	uint16_t length; // 0 = absent
};

struct observation {
	uint32_t size_bytes;      // head + text in use, 176..1024
	uint16_t kind;            // enum observation_kind
	uint8_t worker;           // which worker sent it
	uint8_t direction;        // enum direction
	uint64_t sequence;        // per worker, from 1, without holes unless records were lost
	uint64_t time_ns;         // UNIX time of the frame
	uint64_t flow;            // flow id: generation << 32 | index. Unique within one run of the wire
	uint64_t frame;           // number of the frame that carried it, from 1, per worker
	struct address client;    // who opened the flow
	struct address server;    // who was called
	uint16_t client_port, server_port; // host order
	uint16_t vlan;            // outer tag's VLAN id, 0 = none
	uint8_t transport;        // IP protocol number: 6, 17, 1, 58
	uint8_t app;              // enum app_protocol
	uint8_t from_client;      // 1: the bytes were sent by the client
	uint8_t flags8;           // enum observation_flags
	uint16_t facts;           // bits of enum fact
	uint32_t zero;
	uint64_t number[OBSERVATION_NUMBERS];
	struct text_slot slot[OBSERVATION_TEXTS];
	uint8_t text[OBSERVATION_TEXT_BYTES];
};
_Static_assert(sizeof(struct observation) == OBSERVATION_BYTES, "record layout is shared between processes");
_Static_assert(offsetof(struct observation, text) == OBSERVATION_HEAD_BYTES, "head size");

// Number and text slots by kind. `tx` counts an HTTP flow's requests from 1, so that a response and a file find their request.
enum { // FLOW_CLOSE
	NUM_CLOSE_BYTES_CLIENT = 0, NUM_CLOSE_BYTES_SERVER, NUM_CLOSE_PACKETS_CLIENT, NUM_CLOSE_PACKETS_SERVER,
	NUM_CLOSE_START_NS /* UNIX time of the first packet, rounded down by less than 1 ms */, NUM_CLOSE_REASON /* enum flow_end */,
};
enum { // HTTP_REQUEST
	NUM_REQUEST_TX = 0, NUM_REQUEST_LENGTH /* declared body bytes */,
	TEXT_REQUEST_METHOD = 0, TEXT_REQUEST_URI, TEXT_REQUEST_HOST, TEXT_REQUEST_AGENT, TEXT_REQUEST_CONTENT_TYPE,
	TEXT_REQUEST_REFERER, TEXT_REQUEST_VERSION,
};
enum { // HTTP_RESPONSE
	NUM_RESPONSE_TX = 0, NUM_RESPONSE_STATUS, NUM_RESPONSE_LENGTH,
	TEXT_RESPONSE_CONTENT_TYPE = 0, TEXT_RESPONSE_SERVER, TEXT_RESPONSE_LOCATION, TEXT_RESPONSE_VERSION,
};
enum { // FILE
	NUM_FILE_TX = 0, NUM_FILE_KIND /* enum file_kind */, NUM_FILE_LENGTH /* declared, 0 unknown */,
	TEXT_FILE_CONTENT_TYPE = 0, TEXT_FILE_HEAD /* first 16 bytes, raw */,
};
enum { // LDAP
	NUM_LDAP_OPERATION = 0, NUM_LDAP_MESSAGE_ID, NUM_LDAP_RESULT,
	NUM_LDAP_INJECTED /* 1: in clear behind a StartTLS that was asked for (client) or granted (server), RFC 4511 §4.14 */,
	TEXT_LDAP_NAME = 0 /* bind name, base object or entry name */, TEXT_LDAP_CODEBASE, TEXT_LDAP_FACTORY,
	TEXT_LDAP_CLASS, TEXT_LDAP_REFERRAL, TEXT_LDAP_FILTER,
};
enum { // JNDI
	NUM_JNDI_PORT = 0 /* 0 = not given */, NUM_JNDI_DEPTH /* nested look-ups resolved */,
	TEXT_JNDI_FIELD = 0 /* "uri", "header:user-agent", "body", "basic-auth", "payload" */, TEXT_JNDI_SCHEME, TEXT_JNDI_HOST,
	TEXT_JNDI_PATH, TEXT_JNDI_DECODED /* "jndi:ldap://host:port/path" */, TEXT_JNDI_RAW /* as it stood */,
};
enum { // RMI
	NUM_RMI_MESSAGE = 0, NUM_RMI_PORT,
	TEXT_RMI_HOST = 0, TEXT_RMI_NAME, TEXT_RMI_CODEBASE,
};
enum { // DNS
	NUM_DNS_ID = 0, NUM_DNS_RCODE, NUM_DNS_TYPE, NUM_DNS_ANSWERS, NUM_DNS_QUESTIONS /* if more than one: only the first is told */,
	NUM_DNS_MALFORMED /* 1: not all that it declares could be read */,
	TEXT_DNS_NAME = 0, TEXT_DNS_ADDRESSES /* struct address[], raw, at most 8 */, TEXT_DNS_CNAME,
};
enum { // TLS
	NUM_TLS_VERSION = 0 /* highest offered, 0x0303, 0x0304 */,
	TEXT_TLS_SNI = 0, TEXT_TLS_ALPN, TEXT_TLS_JA4,
	TEXT_TLS_ODDITIES /* "many-records,two-names,ech,differs": those that apply */,
};
enum { // TLS_SERVER
	NUM_TLS_SERVER_VERSION = 0 /* chosen */, NUM_TLS_SERVER_CIPHER /* chosen, IANA's number */,
	NUM_TLS_SERVER_PART /* 0: the answer; 1, 2 …: more names of its certificate, and nothing else */,
	TEXT_TLS_SUBJECT = 0 /* common name */, TEXT_TLS_NAMES /* dNSNames, comma between, as many as fit; the rest in further records */,
	TEXT_TLS_ISSUER /* common name */,
};
enum { // PROTOCOL, of an unknown one: how each side begins
	NUM_PROTOCOL_ENTROPY_CLIENT = 0 /* 1/100 bit per byte */, NUM_PROTOCOL_ENTROPY_SERVER,
	NUM_PROTOCOL_BYTES_CLIENT /* that it rests on, at most 1024 */, NUM_PROTOCOL_BYTES_SERVER,
	TEXT_PROTOCOL_FIRST_CLIENT = 0 /* first 16 bytes, raw */, TEXT_PROTOCOL_FIRST_SERVER,
};
enum { // NAMED
	TEXT_NAMED_FIELD = 0 /* where the first of them stood: "uri", "header:x-callback", "body" */,
	TEXT_NAMED_ADDRESSES /* struct address[], raw, at most 8 */,
	TEXT_NAMED_HOSTS /* in small letters, without port, a blank between */,
	TEXT_NAMED_FILE /* what a file that is uploaded is called, the last segment of its path, as it was sent; alone in its record */,
};
enum { // STRATUM
	TEXT_STRATUM_METHOD = 0, TEXT_STRATUM_AGENT, TEXT_STRATUM_LOGIN,
};
enum { // BLOCKED, CUT, LOST, UNINSPECTED
	NUM_BLOCKED_ID = 0, NUM_BLOCKED_FRAMES = 1, NUM_CUT_FACT = 0 /* enum fact */, NUM_CUT_TABLE = 1 /* version */,
	NUM_LOST_COUNT = 0, NUM_UNINSPECTED_WHY = 0 /* enum counter */,
};

enum observation_field_type { FIELD_NUMBER, FIELD_TEXT, FIELD_ADDRESSES, FIELD_HEX };

struct observation_field {
	const char *name;    // "uri"
	uint8_t kind;        // enum observation_kind
	uint8_t type;        // enum observation_field_type
	uint8_t slot;        // number[] or slot[] index
	const char *const *names; // numbers that are enums: their texts, NULL-terminated; else NULL
};

// All fields of all kinds, ordered by kind; ends with name == NULL. Static storage.
extern const struct observation_field observation_fields[];

const char *observation_kind_name(unsigned kind);   // "http.request"; "?" out of range (as for the others)
const char *direction_name(unsigned direction);     // "out"
const char *app_name(unsigned app);                 // "http"
const char *file_kind_name(unsigned kind);          // "java-class"
const char *fact_name(unsigned fact);               // "java-class"
const char *ldap_operation_name(unsigned op);       // "search-entry"
// The inverse of the *_name functions: index below `count`, or -1.
int name_to_index(const char *(*name)(unsigned), unsigned count, struct bytes text);

// Zeroes head and slots (not text[]) and sets kind and size.
void observation_init(struct observation *o, enum observation_kind kind);
// Appends a text; cut to what fits (and to 400 bytes), then OBS_FLAG_TRUNCATED is set.
void observation_put(struct observation *o, unsigned slot, struct bytes text);
// The same of a list that may take all the room that is left, which observation_room says. Put it last.
void observation_put_list(struct observation *o, unsigned slot, struct bytes text);
size_t observation_room(const struct observation *o);
// The text of a slot; empty where absent. Borrowed from *o.
static inline struct bytes observation_text(const struct observation *o, unsigned slot)
{
	return (struct bytes){o->text + o->slot[slot].offset, o->slot[slot].length};
}
// Every field in range and every slot inside the record? Run on the private copy, before anything else reads it.
bool observation_check(const struct observation *o);
// The inside device the observation is about: client when OUT or LATERAL, server when IN; none in TRANSIT.
// Never NULL: none is an address of family 0.
const struct address *observation_device(const struct observation *o);
// The other side.
const struct address *observation_endpoint(const struct observation *o);
// One line of text for golden files and traces: stable, printable, ends without newline. Returns length.
size_t observation_format(const struct observation *o, char *out, size_t cap);
