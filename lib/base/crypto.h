// SPDX-License-Identifier: GPL-2.0-or-later
// The few primitives by which bytes that everybody on the path may read are opened (QUIC's first packets), by nettle. Nothing secret passes here: no
// constant time is promised, no key is wiped. Any thread.
#pragma once
#include <stdbool.h>
#include "bytes.h"

enum { CRYPTO_SHA256_BYTES = 32, CRYPTO_AES128_BYTES = 16, CRYPTO_GCM_NONCE_BYTES = 12, CRYPTO_GCM_TAG_BYTES = 16, CRYPTO_LABEL_BYTES = 32 };

// HKDF-Extract with SHA-256, RFC 5869 §2.2.
void crypto_hkdf_extract(struct bytes salt, struct bytes secret, uint8_t out[CRYPTO_SHA256_BYTES]);
// HKDF-Expand-Label with SHA-256 and no context, RFC 8446 §7.1: the label without "tls13 ", at most CRYPTO_LABEL_BYTES. out holds n <= 255 bytes.
void crypto_hkdf_expand_label(const uint8_t secret[CRYPTO_SHA256_BYTES], const char *label, uint8_t *out, size_t n);
// One block, FIPS 197.
void crypto_aes128(const uint8_t key[CRYPTO_AES128_BYTES], const uint8_t in[16], uint8_t out[16]);
// AEAD_AES_128_GCM (RFC 5116 §5.1): `sealed` ends with its tag; out holds the rest of it. false: the tag is another, and out is not to be used.
bool crypto_aes128_gcm_open(const uint8_t key[CRYPTO_AES128_BYTES], const uint8_t nonce[CRYPTO_GCM_NONCE_BYTES],
			    struct bytes additional, struct bytes sealed, uint8_t *out);
