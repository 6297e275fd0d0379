// SPDX-License-Identifier: GPL-2.0-or-later
// JA4, the fingerprint of a TLS client (FoxIO; the specification of JA4 itself is under the BSD 3-clause licence).
#pragma once
#include "bytes.h"

enum ja4_limits {
	JA4_BYTES = 37,       // "t13d1516h2_8daaf6152771_e5627efa2ab1" with its NUL
	JA4_VALUES = 512,     // ciphers, extensions or algorithms a list may hold; real clients send fewer than 200
};

struct ja4_hello {              // parts of a ClientHello as they stood, borrowed
	struct bytes ciphers;       // 16-bit values
	struct bytes extensions;    // type, length, content; each whole
	struct bytes algorithms;    // 16-bit values of signature_algorithms
	struct bytes alpn;          // first value; empty = none
	uint16_t version;           // highest in supported_versions, else the legacy one
	bool sni;                   // a server_name extension is there
	bool quic;                  // it came over QUIC, not TCP
};

// A value reserved to keep servers tolerant (RFC 8701): counted nowhere.
static inline bool ja4_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

// Writes the fingerprint. false (and nothing written): a list is longer than JA4_VALUES.
bool ja4_format(const struct ja4_hello *h, char out[JA4_BYTES]);
