// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by quic.c and quic_packet.c; nothing outside this room includes it.
#pragma once
#include "crypto.h"
#include "proto.h"

enum quic_limits {
	QUIC_ID_BYTES = 20,         // connection id, RFC 9000 §17.2
	QUIC_PACKET_BYTES = 4096,   // of an Initial packet that is opened; real ones fit a frame of 1,500 bytes
	QUIC_CRYPTO_BYTES = 4096,   // of one side's hello collected, after a retry of both
	QUIC_PACKETS = 8,           // looked at in one datagram; of a client's, more are marked
	QUIC_DATAGRAMS = 4,         // a hello may be spread over
};

enum quic_type { // RFC 9000 §17.2; RFC 9369 §3.2 numbers them otherwise
	QUIC_SHORT,                 // 1-RTT
	QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY,
	QUIC_NEGOTIATION,           // version 0
	QUIC_OTHER,                 // long header of a version we have no salt for
};

struct quic_version {
	uint32_t first, last;       // numbers
	uint8_t salt[20];
	const char *key, *iv, *hp;  // labels
	uint8_t first_type;         // header bits of Initial; the others follow in order
};

struct quic_header {                // borrowed bytes
	const struct quic_version *version; // NULL: none that we know
	uint32_t number;            // of the version
	struct bytes destination;   // connection id
	struct bytes packet;        // the whole packet, up to the next one coalesced with it
	size_t number_at;           // where in it the packet number begins, behind all lengths
	uint8_t type;               // enum quic_type
};

struct quic_keys {
	uint8_t key[CRYPTO_AES128_BYTES];
	uint8_t iv[CRYPTO_GCM_NONCE_BYTES];
	uint8_t hp[CRYPTO_AES128_BYTES];
};

// The packet at the front of *datagram, which moves behind it. false: none.
bool quic_header_read(struct bytes *datagram, struct quic_header *h);
// Keys of the client's or the server's Initial packets, from the connection id the client chose for the server (RFC 9001 §5.2).
void quic_keys_of(const struct quic_version *v, struct bytes destination, bool of_client, struct quic_keys *out);
// Opens an Initial packet into out. *largest: packet number expected, less one; moved on. Returns the frames; at == NULL: not with these keys.
struct bytes quic_open(const struct quic_header *h, const struct quic_keys *keys, uint64_t *largest, uint8_t out[QUIC_PACKET_BYTES]);
// Variable-length integer, RFC 9000 §16.
bool quic_read_number(struct bytes *b, uint64_t *out);
// May the datagram begin (or go on with) a connection whose hello can be read?
bool quic_has_initial(struct bytes datagram);
