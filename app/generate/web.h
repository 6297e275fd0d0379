// SPDX-License-Identifier: GPL-2.0-or-later
// What is said in HTTP and TLS. Bodies begin with the true magic of their kind and go on with inert filler.
#pragma once
#include "talk.h"

enum body {
	BODY_NONE,
	BODY_HTML,
	BODY_TEXT,
	BODY_CSS,
	BODY_JSON,
	BODY_PNG,
	BODY_ZIP,
	BODY_PDF,
	BODY_EXE,
	BODY_DEB,
	BODY_PACKAGES, // a repository's index
	BODY_GIT,
	BODY_JAR,
	BODY_SHELL, // from here on: what an attacker delivers (trace_tag.payload)
	BODY_CLASS,
	BODY_ELF,
	BODY_LIBRARY, // an ELF shared object
};

// Which headers a client sends, and in which order.
enum http_client {
	HTTP_BROWSER,
	HTTP_CURL,
	HTTP_WGET,
	HTTP_JAVA,
	HTTP_APT,
	HTTP_GIT,
	HTTP_PYTHON,
	HTTP_PLAIN,    // Host and User-Agent only
	HTTP_NAMELESS, // no User-Agent at all
};

// A form with a file in it (RFC 7578).
struct http_upload {
	const char *name; // of the file
	enum body body;
	uint32_t bytes;
};

struct http_ask {
	const char *method, *uri, *host, *agent;
	enum http_client client;
	const char *extra; // further header lines with their ends, or NULL
	const char *body;  // or NULL
	const struct http_upload *upload; // or NULL; instead of a body
};

struct http_answer {
	unsigned status;
	const char *server; // the Server header, or NULL
	enum body body;
	uint32_t bytes;
	bool chunked;
};

void body_write(struct message *m, struct chance *c, enum body body, uint32_t bytes);
void http_exchange(struct talk *t, const struct http_ask *ask, const struct http_answer *answer, uint64_t think_ns);

// Whose ClientHello it is: ciphers and extensions in the order that fingerprints it.
enum tls_client { TLS_CHROME, TLS_FIREFOX, TLS_OPENSSL, TLS_GNUTLS, TLS_JAVA, TLS_GO, TLS_CLIENTS };

struct tls_plan {
	enum tls_client client;
	const char *name;  // SNI, or NULL for a bare address
	unsigned rounds;   // requests on the connection
	uint32_t up, down; // bytes a round, about
	uint64_t pause_ns; // between rounds, about
};

void tls_handshake(struct talk *t, enum tls_client client, const char *name);
// Encrypted bytes in either direction, opaque.
void tls_records(struct talk *t, unsigned from, uint32_t bytes, uint64_t think_ns);
// Handshake, rounds and the closing alert, then FIN.
void tls_session(struct talk *t, const struct tls_plan *plan);
