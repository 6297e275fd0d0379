// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-1 (community_id) and SHA-256 (JA4, hash of a baseline), by nettle.
#pragma once
#include <stddef.h>
#include <stdint.h>

void digest_sha1(const void *data, size_t n, uint8_t out[20]);
void digest_sha256(const void *data, size_t n, uint8_t out[32]);
// Lower-case hex of n bytes with a NUL; out holds 2n+1 bytes.
void digest_hex(const uint8_t *in, size_t n, char *out);
// Standard base64 with padding and a NUL; cap must be at least 4*((n+2)/3)+1. Returns the length.
size_t base64_encode(const uint8_t *in, size_t n, char *out, size_t cap);
