// SPDX-License-Identifier: GPL-2.0-or-later
// Digests by nettle, and the two text forms they are shown in. Any thread.
#include "digest.h"
#include <nettle/sha1.h>
#include <nettle/sha2.h>

void digest_sha1(const void *data, size_t n, uint8_t out[20])
{
	struct sha1_ctx state;

	sha1_init(&state);
	sha1_update(&state, n, data);
	sha1_digest(&state, SHA1_DIGEST_SIZE, out);
}

void digest_sha256(const void *data, size_t n, uint8_t out[32])
{
	struct sha256_ctx state;

	sha256_init(&state);
	sha256_update(&state, n, data);
	sha256_digest(&state, SHA256_DIGEST_SIZE, out);
}

void digest_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

size_t base64_encode(const uint8_t *in, size_t n, char *out, size_t cap)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = 0;

	if (cap == 0)
		return 0;
	if ((cap - 1) / 4 < n / 3 + (n % 3 != 0)) { // a cut base64 text would decode to something else: write none
		out[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < n; i += 3) {
		uint32_t b1 = i + 1 < n ? in[i + 1] : 0, b2 = i + 2 < n ? in[i + 2] : 0;
		uint32_t group = (uint32_t)in[i] << 16 | b1 << 8 | b2;

		out[length++] = digits[group >> 18];
		out[length++] = digits[group >> 12 & 63];
		out[length++] = i + 1 < n ? digits[group >> 6 & 63] : '=';
		out[length++] = i + 2 < n ? digits[group & 63] : '=';
	}
	out[length] = '\0';
	return length;
}
