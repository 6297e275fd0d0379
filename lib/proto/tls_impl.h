// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by the tls*.c files and QUIC, whose first packets carry the same messages in another envelope.
#pragma once
#include "ja4.h"
#include "proto.h"

enum tls_handshake {
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_CERTIFICATE = 11,
	TLS_RECORD_HANDSHAKE = 22,  // the first byte of the first record
};

enum tls_sizes {
	TLS_NAME_BYTES = 255,
	TLS_NAME_TEXT_BYTES = 4 * TLS_NAME_BYTES,
	TLS_NAMES = 512,            // dNSNames of a certificate that are told, if they fit
	TLS_NAME_LISTS = 4,         // subjectAltNames that are read; there should be one (RFC 5280 §4.2)
	TLS_ANSWER_RECORDS = 9,     // observations of one certificate
	TLS_STATE_BYTES = 16384 + 128, // of proto_tls
};

enum tls_oddity {                   // of a ClientHello; bits, told as words (TEXT_TLS_ODDITIES)
	TLS_ODD_RECORDS = 1 << 0,   // spread over more records than any client has a reason to
	TLS_ODD_NAMES = 1 << 1,     // more than one server name: which one the server takes is its secret
	TLS_ODD_ECH = 1 << 2,       // the name shown may not be the name meant
	TLS_ODD_DIFFERS = 1 << 3,   // QUIC: the same bytes were sent twice, and not the same
};

struct tls_hello {                  // a ClientHello; borrowed bytes
	struct ja4_hello ja4;
	struct bytes sni;
	uint16_t highest;           // version offered, of those that exist
	uint8_t oddities;           // bits of enum tls_oddity
	bool cut;                   // something in it did not fit
	bool begun;                 // version and random number were there, whatever came then
};

struct tls_answer {                 // a ServerHello
	uint16_t version, cipher;   // chosen
	bool retry;                 // a HelloRetryRequest, RFC 8446 §4.1.4: the client is to say its hello again
};

struct tls_certificate {            // names of an X.509 certificate; borrowed bytes
	struct bytes subject, issuer; // common names
	struct bytes list[TLS_NAME_LISTS]; // GeneralNames of subjectAltName, those that tls_certificate_name has not given yet
	unsigned lists;
	unsigned names;             // that it has given
	bool cut;                   // there are more names, or the certificate is not whole
};

// Vectors of RFC 8446 §3.4 with a length of one and two octets. false (and no more use for *b): not whole.
bool tls_take_u8_vector(struct bytes *b, struct bytes *out);
bool tls_take_u16_vector(struct bytes *b, struct bytes *out);
// The handshake message without its header, perhaps cut. false: no ClientHello, or (h->begun) one whose first lengths lie.
bool tls_hello_read(struct tls_hello *h, struct bytes b);
// One OBS_TLS; `app` is the protocol it was carried by: APP_TLS, APP_QUIC, APP_LDAP.
void tls_hello_emit(const struct tls_hello *h, uint8_t app, const struct proto_input *in, const struct proto_sink *sink);
// Lower-cased where it is a name; what is not printable (and comma and backslash) as \xNN. Returns the length.
size_t tls_escape(struct bytes in, bool lower, char *out, size_t cap);

// The message without its header. false: no ServerHello.
bool tls_answer_read(struct tls_answer *a, struct bytes b);
// DER (RFC 5280 §4.1), perhaps cut. false: no certificate.
bool tls_certificate_read(struct tls_certificate *c, struct bytes der);
// The next dNSName; false: no more. Sets c->cut where there is one more, but not whole, or TLS_NAMES were given.
bool tls_certificate_name(struct tls_certificate *c, struct bytes *name);
// One OBS_TLS_SERVER, and more of them where one has no room for all names of *c, which are used up. c may be NULL.
void tls_answer_emit(const struct tls_answer *a, struct tls_certificate *c, uint8_t app, const struct proto_input *in,
		     const struct proto_sink *sink);

// TLS within another protocol's flow (StartTLS): what proto_tls.feed is to get, in place of zeroed memory. The records carry `app`: the flow is still that
// protocol's, on that protocol's port.
void tls_begin(void *state, uint8_t app);
