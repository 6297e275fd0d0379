// SPDX-License-Identifier: GPL-2.0-or-later
// JA4 from the parts of a ClientHello: readable counts, then two truncated hashes over lists that are sorted, so that a
// client which shuffles its extensions keeps its fingerprint. Pure; knows nothing of records or flows.
#include "ja4.h"
#include "digest.h"
#include <stdio.h>

enum { HASH_TEXT_BYTES = 12, VALUE_TEXT_BYTES = 5 /* "c02b," */, EXTENSION_SNI = 0, EXTENSION_ALPN = 16 };

struct values {
	uint16_t value[JA4_VALUES];
	size_t count;
};

static bool add_value(struct values *v, uint16_t value)
{
	if (ja4_is_grease(value))
		return true;
	if (v->count == JA4_VALUES)
		return false;
	v->value[v->count++] = value;
	return true;
}

static bool read_values(struct bytes list, struct values *out)
{
	uint16_t value;

	out->count = 0;
	while (bytes_read_u16(&list, &value))
		if (!add_value(out, value))
			return false;
	return true;
}

static bool read_extensions(struct bytes list, struct values *out)
{
	uint16_t type, length;

	out->count = 0;
	while (bytes_read_u16(&list, &type) && bytes_read_u16(&list, &length) && bytes_skip(&list, length))
		if (!add_value(out, type))
			return false;
	return true;
}

// Shell's gaps: no allocation (qsort may), and the peer cannot make 512 values cost much.
static void sort_values(struct values *v)
{
	static const uint16_t gaps[] = {132, 57, 23, 10, 4, 1};

	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for (size_t i = gaps[g]; i < v->count; i++) {
			uint16_t value = v->value[i];
			size_t at = i;

			for (; at >= gaps[g] && v->value[at - gaps[g]] > value; at -= gaps[g])
				v->value[at] = v->value[at - gaps[g]];
			v->value[at] = value;
		}
}

static void remove_value(struct values *v, uint16_t value)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->count; i++)
		if (v->value[i] != value)
			v->value[kept++] = v->value[i];
	v->count = kept;
}

// "002f,0035": four hex digits each, comma between. Returns the length.
static size_t write_values(const struct values *v, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++) {
		uint8_t octets[2] = {(uint8_t)(v->value[i] >> 8), (uint8_t)v->value[i]};

		if (i)
			out[n++] = ',';
		digest_hex(octets, 2, out + n); // its NUL is overwritten by the next
		n += 4;
	}
	return n;
}

static void write_hash(const char *text, size_t n, char out[HASH_TEXT_BYTES + 1])
{
	uint8_t sum[32];

	digest_sha256(text, n, sum);
	digest_hex(sum, HASH_TEXT_BYTES / 2, out);
}

static const char *version_text(uint16_t version)
{
	static const struct {
		uint16_t version;
		const char *text;
	} versions[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"}, {0x0002, "s2"}};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].version == version)
			return versions[i].text;
	return "00";
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

// First and last character of the first ALPN value; where one is not alphanumeric, of the value's hex.
static void write_alpn(struct bytes alpn, char out[3])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t first, last;

	memcpy(out, "00", 3);
	if (alpn.left == 0)
		return;
	first = alpn.at[0];
	last = alpn.at[alpn.left - 1];
	if (is_alphanumeric(first) && is_alphanumeric(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
		return;
	}
	out[0] = hex[first >> 4];
	out[1] = hex[last & 15];
}

static unsigned at_most_99(size_t n)
{
	return n < 99 ? (unsigned)n : 99;
}

bool ja4_format(const struct ja4_hello *h, char out[JA4_BYTES])
{
	static const char nothing[] = "000000000000";
	char text[2 * JA4_VALUES * VALUE_TEXT_BYTES + 2], ciphers_hash[HASH_TEXT_BYTES + 1];
	char extensions_hash[HASH_TEXT_BYTES + 1], alpn[3];
	struct values ciphers, extensions, algorithms;
	size_t extension_count, n;

	if (!read_values(h->ciphers, &ciphers) || !read_extensions(h->extensions, &extensions) ||
	    !read_values(h->algorithms, &algorithms))
		return false;
	extension_count = extensions.count;
	sort_values(&ciphers);
	n = write_values(&ciphers, text);
	write_hash(text, n, ciphers_hash);
	remove_value(&extensions, EXTENSION_SNI);
	remove_value(&extensions, EXTENSION_ALPN);
	sort_values(&extensions);
	n = write_values(&extensions, text);
	if (algorithms.count) { // in the order they were sent
		text[n++] = '_';
		n += write_values(&algorithms, text + n);
	}
	write_hash(text, n, extensions_hash);
	write_alpn(h->alpn, alpn);
	snprintf(out, JA4_BYTES, "%c%s%c%02u%02u%s_%s_%s", h->quic ? 'q' : 't', version_text(h->version),
		 h->sni ? 'd' : 'i', at_most_99(ciphers.count), at_most_99(extension_count), alpn,
		 ciphers.count ? ciphers_hash : nothing, extensions.count ? extensions_hash : nothing);
	return true;
}
