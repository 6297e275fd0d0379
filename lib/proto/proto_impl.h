// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by proto.c, raw.c, recognise.c and the HTTP files; nothing outside this room includes it.
#pragma once
#include "proto.h"

enum window_limits {
	WINDOW_BYTES =
		8192,      // first bytes of a body or stream searched for look-ups (what jndi_scan reads of one field)
	WINDOW_SCANS = 16, // searches before the end, so that one byte a segment does not buy a search each
	WINDOW_FOUND = 4,  // look-ups reported for one window
	FILE_HEAD_BYTES = 512, // what file_kind_of looks at
	FILE_SHOWN_BYTES = 16, // of TEXT_FILE_HEAD
};

// Look-ups of a field that were reported, by where in it they begin.
struct jndi_reported {
	uint16_t begin[WINDOW_FOUND];
	uint8_t count;
};

// As jndi_scan, of a field that may grow: each look-up is reported once, and while more may come only if nothing can
// be added: its '}' is there, its scheme and host are clear.
unsigned jndi_scan_window(struct bytes field, bool grows, struct jndi_reported *reported, const char *name,
			  const struct proto_input *in, const struct proto_sink *sink, uint8_t app);

// The first bytes of a body, searched for look-ups as they come. The bytes themselves are the owner's (WINDOW_BYTES of
// them).
struct window {
	uint16_t length;
	struct jndi_reported found;
	uint8_t scans;
	bool done;      // searched to its end
	bool named;     // ... and whom it names was told
	bool closing;   // a "}" came since the last search
};

// Collects; what does not fit is passed over.
void window_add(struct window *w, uint8_t at[WINDOW_BYTES], struct bytes more);
// Searches if it may pay: a look-up was closed since the last search, the window is full, or this is the end.
void window_scan(struct window *w, const uint8_t at[WINDOW_BYTES], bool end, const char *name,
		 const struct proto_input *in, const struct proto_sink *sink, uint8_t app);

// Literal addresses and hosts a request names, collected field by field.
enum { NAMED_ADDRESSES = 8 /* of one record */, NAMED_TEXT_BYTES = 256 };
enum named_mode {
	NAMED_ALL,
	NAMED_URLS,    // only hosts of URLs
	NAMED_SITE,    // not the request's own Host
	NAMED_NOTHING,
};

struct named {
	uint8_t addresses, records; // of address[]; sent so far
	uint8_t files;              // names of uploaded files told
	uint16_t text_length;
	char field[28]; // where the first of them stood
	struct address address[NAMED_ADDRESSES];
	uint8_t text[NAMED_TEXT_BYTES]; // hosts, a blank between
};

struct named_from { // the field in hand
	const char *field; // "uri", "header:referer", "body"
	struct bytes host; // the request's own, as far as it is known
	const struct proto_input *in;
	const struct proto_sink *sink;
	uint8_t app;
	uint8_t mode;   // enum named_mode, set by named_field
	uint32_t hits;  // literals found, also those that were known
};

void named_begin(struct named *n);
// Searches one field of a request from outside. Returns whether a literal stood in it.
bool named_field(struct named *n, struct bytes field, struct named_from *from);
// The message, or its head, is over: what was collected is sent.
void named_end(struct named *n, const struct named_from *from);
// Names of files that a request uploads, each told in a record of its own. *told counts those of one message or body, of which
// UPLOAD_NAMES are told. Nothing is told but of requests from outside.
enum { UPLOAD_NAMES = 16, UPLOAD_NAME_BYTES = 384 /* as it is sent: a name of 255 bytes, half of them escaped */ };
// The path, or URL, at which something is stored.
void upload_path(struct bytes path, uint8_t *told, const struct named_from *from);
// All `filename` and `filename*` of a header's line or value. true: readers may differ on what the file is called.
bool upload_parameters(struct bytes line, uint8_t *told, const struct named_from *from);
// The first bytes of a body, all at once.
void named_body(struct bytes body, const struct proto_input *in, const struct proto_sink *sink, uint8_t app);
// Decodes base64 (both alphabets, padding optional) up to the first foreign byte; writes at most in.left * 3 / 4
// bytes. out may be in.at or lie before it. Returns the bytes written.
size_t jndi_base64(struct bytes in, uint8_t *out);

// When all has been searched: whom it names, if it is a request's body. Not for streams of unknown protocols: those name their
// own ends (SIP, FTP, games).
void window_name(struct window *w, const uint8_t at[WINDOW_BYTES], const struct proto_input *in,
		 const struct proto_sink *sink, uint8_t app);

// proto_half_close brings no input: who sent is told from the flow's direction.
struct proto_input proto_input_of_close(const struct proto_flow *flow, bool from_client);

// A stream of no known protocol.
struct raw_side {
	struct window window;
	bool file_done;
	uint16_t looked; // bytes at the last look for a kind of file
};

struct raw {
	struct raw_side side[2];
	uint8_t at[2][WINDOW_BYTES];
};

void raw_init(struct raw *r);
void raw_add(struct raw *r, const struct proto_input *in);
// Looks at one side as far as it has come; `end`: nothing more will.
void raw_look(struct raw *r, const struct proto_input *in, const struct proto_sink *sink, bool end);
bool raw_done(const struct raw *r);
// How both sides begin: first bytes and entropy, into an OBS_PROTOCOL.
void raw_describe(const struct raw *r, struct observation *o);
// The same for one side's first bytes.
void raw_describe_side(struct bytes first, bool from_client, struct observation *o);

// Watches a protocol that may go over to TLS.
struct starttls {
	uint8_t front[16]; // of the client's message in hand
	uint16_t have;     // bytes of it, stops at its top
	bool asked;
	bool answered;     // the server has said something since
	bool injected;     // and something was said in between: told once
	bool over;         // a message was no question of a protocol that asks first or never
};

// Feeds one side's bytes of a flow that is called `app`. true: TLS begins at in->data's byte *at.
bool starttls_begins(struct starttls *s, uint8_t app, const struct proto_input *in, const struct proto_sink *sink, size_t *at);

enum { ENTROPY_BYTES = 1024 };
// Of the first ENTROPY_BYTES, in hundredths of a bit per byte: 0 to 800. Fewer than 256 bytes cannot reach 800.
unsigned entropy_of(struct bytes b);

// Protocols that are recognised only.
extern const struct proto_ops proto_ssh, proto_smtp, proto_ftp, proto_smb, proto_rdp, proto_kerberos, proto_kerberos_udp,
	proto_iiop, proto_ntp, proto_pop3, proto_imap, proto_xmpp, proto_postgresql, proto_mysql;

// HTTP/2 that does not begin with its flow.
struct http2_start {
	uint64_t tx;           // requests on this flow before
	uint32_t rest_bytes;   // of the segment in hand that are HTTP/2's
	uint8_t preface_bytes; // of the client's preface that have gone by
	bool wanted;
	bool upgraded;         // request `tx` is the one of stream 1 (RFC 7540 §3.2)
	bool answer_due;       // ... and its 101 has not been seen
};

// Where a proxy's own words end and what it carries begins.
struct tunnel_start {
	uint32_t rest_bytes; // of the segment in hand that are carried already
	uint16_t port;       // of the far end; 0: not known
};

// proto_http's, proto_socks' parser is done: because the proxy has granted a connection, which may be read?
bool http_tunnelled(const void *state, struct tunnel_start *start);
bool socks_tunnelled(const void *state, struct tunnel_start *start);

// proto_http's parser is done: because the flow goes on as HTTP/2?
bool http_switched(const void *state, struct http2_start *start);
// state is zeroed; before its first feed.
void http2_begin(void *state, const struct http2_start *start);
// Looks for the client's preface in a stream that comes in pieces; *had is zero at first. Returns the bytes up to and
// with the preface's last, or 0.
size_t http2_preface_find(struct bytes data, uint8_t *had);

struct http2_pool;
struct http2_pool *http2_pool_create(uint32_t connections); // NULL: no memory
void http2_pool_destroy(struct http2_pool *p);              // NULL is fine

// Bytes come one by one at worst: is a further look due after `length` bytes when the last was at `looked`? Below the
// bytes that are shown nothing can run, and the record would depend on how the stream was cut.
static inline bool file_look_due(size_t length, size_t looked)
{
	return (length >= FILE_SHOWN_BYTES && length <= 64) || length == FILE_HEAD_BYTES || length >= looked + 32;
}

// Fills and emits an OBS_FILE, of HTTP bodies and raw streams alike.
void file_emit(enum file_kind kind, struct observation *o, struct bytes head, struct bytes content_type,
	       const struct proto_input *in, const struct proto_sink *sink, uint8_t app);
// Text, or a part of one: what does it say it is? `head` has no byte order mark. FILE_NONE: not certain before its end.
enum file_kind file_text_kind(struct bytes head, bool more);
// Evidence in text that it is a program, by language.
struct file_scores {
	unsigned script, javascript, css;
	unsigned prose; // it speaks of commands rather than giving them
};
struct file_scores file_text_scores(struct bytes head, bool more);
