// SPDX-License-Identifier: GPL-2.0-or-later
// Key derivation and one cipher, by nettle. Any thread.
#include "crypto.h"
#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>

void crypto_hkdf_extract(struct bytes salt, struct bytes secret, uint8_t out[CRYPTO_SHA256_BYTES])
{
	struct hmac_sha256_ctx mac;

	hmac_sha256_set_key(&mac, salt.left, salt.at);
	hmac_sha256_update(&mac, secret.left, secret.at);
	hmac_sha256_digest(&mac, CRYPTO_SHA256_BYTES, out);
}

void crypto_hkdf_expand_label(const uint8_t secret[CRYPTO_SHA256_BYTES], const char *label, uint8_t *out, size_t n)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[2 + 1 + sizeof(prefix) - 1 + CRYPTO_LABEL_BYTES + 1];
	size_t length = strlen(label), at = 3 + sizeof(prefix) - 1;
	struct hmac_sha256_ctx mac;

	if (length > CRYPTO_LABEL_BYTES)
		length = CRYPTO_LABEL_BYTES;
	info[0] = 0;
	info[1] = (uint8_t)n;
	info[2] = (uint8_t)(sizeof(prefix) - 1 + length);
	memcpy(info + 3, prefix, sizeof(prefix) - 1);
	memcpy(info + at, label, length);
	info[at + length] = 0; // no context
	hmac_sha256_set_key(&mac, CRYPTO_SHA256_BYTES, secret);
	hkdf_expand(&mac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
		    CRYPTO_SHA256_BYTES, at + length + 1, info, n, out);
}

void crypto_aes128(const uint8_t key[CRYPTO_AES128_BYTES], const uint8_t in[16], uint8_t out[16])
{
	struct aes128_ctx aes;

	aes128_set_encrypt_key(&aes, key);
	aes128_encrypt(&aes, 16, out, in);
}

bool crypto_aes128_gcm_open(const uint8_t key[CRYPTO_AES128_BYTES], const uint8_t nonce[CRYPTO_GCM_NONCE_BYTES],
			    struct bytes additional, struct bytes sealed, uint8_t *out)
{
	uint8_t tag[CRYPTO_GCM_TAG_BYTES];
	struct gcm_aes128_ctx gcm;
	struct bytes text;

	if (sealed.left < CRYPTO_GCM_TAG_BYTES)
		return false;
	bytes_take(&sealed, sealed.left - CRYPTO_GCM_TAG_BYTES, &text);
	gcm_aes128_set_key(&gcm, key);
	gcm_aes128_set_iv(&gcm, CRYPTO_GCM_NONCE_BYTES, nonce);
	gcm_aes128_update(&gcm, additional.left, additional.at);
	gcm_aes128_decrypt(&gcm, text.left, out, text.at);
	gcm_aes128_digest(&gcm, sizeof(tag), tag);
	return memcmp(tag, sealed.at, sizeof(tag)) == 0;
}
