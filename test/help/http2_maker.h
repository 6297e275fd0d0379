// SPDX-License-Identifier: GPL-2.0-or-later
// Frames of HTTP/2 for tests: heads and payloads as RFC 9113 §4.1 lays them out, header blocks by nghttp2's encoder or
// octet by octet. One encoder is one direction of one connection. Header-only; for test/unit only.
#pragma once
#include <nghttp2/nghttp2.h>
#include "talk.h"

enum { H2_DATA, H2_HEADERS, H2_PRIORITY, H2_RST, H2_SETTINGS, H2_PUSH, H2_PING, H2_GOAWAY, H2_WINDOW, H2_CONTINUATION };
enum { H2_END = 1, H2_ACK = 1, H2_LAST = 4, H2_PADDED = 8, H2_PRIORITIES = 0x20 };

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct h2_field {
	const char *name, *value;
};

static inline void h2_frame(struct maker *m, uint8_t type, uint8_t flags, uint32_t stream, struct bytes payload)
{
	make_number(m, payload.left, 3);
	MAKE(m, type, flags);
	make_number(m, stream, 4);
	make(m, payload.at, payload.left);
}

static inline void h2_text(struct maker *m, uint8_t flags, uint32_t stream, const char *text)
{
	h2_frame(m, H2_DATA, flags, stream, bytes_of_text(text));
}

static inline void h2_settings(struct maker *m)
{
	h2_frame(m, H2_SETTINGS, 0, 0, bytes_of(NULL, 0));
}

static inline void h2_setting(struct maker *m, uint16_t which, uint32_t value)
{
	make_number(m, 6, 3);
	MAKE(m, H2_SETTINGS, 0, 0, 0, 0, 0);
	make_number(m, which, 2);
	make_number(m, value, 4);
}

// The fields end with a NULL name.
static inline struct bytes h2_block(nghttp2_hd_deflater *d, const struct h2_field *fields)
{
	static uint8_t out[1 << 17];
	nghttp2_nv nv[600];
	size_t n = 0;
	ssize_t bytes;

	for (; fields[n].name; n++)
		nv[n] = (nghttp2_nv){(uint8_t *)fields[n].name, (uint8_t *)fields[n].value, strlen(fields[n].name),
				     strlen(fields[n].value), 0};
	bytes = nghttp2_hd_deflate_hd(d, out, sizeof(out), nv, n);
	ck_assert_int_ge(bytes, 0);
	return bytes_of(out, (size_t)bytes);
}

#define H2_FIELDS(...)                                                                                                 \
	(const struct h2_field[])                                                                                      \
	{                                                                                                              \
		__VA_ARGS__, { NULL, NULL }                                                                            \
	}

static inline void h2_headers(struct maker *m, nghttp2_hd_deflater *d, uint8_t flags, uint32_t stream,
			      const struct h2_field *fields)
{
	h2_frame(m, H2_HEADERS, flags | H2_LAST, stream, h2_block(d, fields));
}

// The same as HEADERS of no bytes and CONTINUATION frames of `step` bytes.
static inline void h2_continued(struct maker *m, nghttp2_hd_deflater *d, uint8_t flags, uint32_t stream, size_t step,
				const struct h2_field *fields)
{
	struct bytes block = h2_block(d, fields), piece;

	h2_frame(m, H2_HEADERS, flags, stream, bytes_of(NULL, 0));
	while (block.left) {
		bytes_take(&block, step < block.left ? step : block.left, &piece);
		h2_frame(m, H2_CONTINUATION, block.left ? 0 : H2_LAST, stream, piece);
	}
}
