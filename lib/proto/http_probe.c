// SPDX-License-Identifier: GPL-2.0-or-later
// Are these the first bytes of an HTTP/1 message? Known methods, odd ones with what a target may be, and answers. Pure; called by the flow's worker.
#include "http_impl.h"

// RFC 9110 §5.6.2.
bool http_is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

// Answers begin with "HTTP/"; what does not is HTTP/0.9 (RFC 1945 §6), or a stream whose beginning was missed: all of
// it is body.
enum probe http_probe_answer(struct bytes front)
{
	static const char version[] = "http/";
	size_t n = strlen(version);

	for (size_t i = 0; i < n && i < front.left; i++)
		if (byte_lower(front.at[i]) != (uint8_t)version[i])
			return PROBE_NO;
	return front.left < n ? PROBE_MAYBE : PROBE_YES;
}

static const char *const methods[] = {
	"GET",      "POST",      "HEAD",   "PUT",       "DELETE", "OPTIONS", "PATCH",  "TRACE",  "CONNECT",
	"PROPFIND", "PROPPATCH", "MKCOL",  "COPY",      "MOVE",   "LOCK",    "UNLOCK", "REPORT", "SEARCH",
	"MERGE",    "M-SEARCH",  "NOTIFY", "SUBSCRIBE", "PURGE",  "DEBUG",   NULL,
};

// After a known method: what can a target begin with? Redis and others have a GET of their own.
static enum probe probe_target(struct bytes rest, bool connect)
{
	while (rest.left && (rest.at[0] == ' ' || rest.at[0] == '\t'))
		bytes_skip(&rest, 1);
	if (rest.left == 0)
		return PROBE_MAYBE;
	return connect || memchr("/*$%\\?.hH", rest.at[0], 9) ? PROBE_YES : PROBE_NO;
}

// Any other token is a method if the line says HTTP/1 or HTTP/0 at its end.
static enum probe probe_unknown_method(struct bytes data)
{
	size_t line = bytes_find(data, '\n'), token = 0;

	while (token < data.left && http_is_token(data.at[token]))
		token++;
	if (token == 0 || token > HTTP_METHOD_BYTES ||
	    (token < data.left && data.at[token] != ' ' && data.at[token] != '\t'))
		return PROBE_NO;
	for (size_t i = token; i + 6 <= line; i++)
		if (bytes_equal_nocase(bytes_head(bytes_from(data, i), 5), "http/") && (data.at[i + 5] | 1) == '1')
			return PROBE_YES;
	if (line < data.left)
		return PROBE_NO;
	// The version is too far away to be seen: a token before a path must do.
	if (data.left >= PROTO_PROBE_BYTES && bytes_begin_with(bytes_from(data, token + 1), "/"))
		return PROBE_YES;
	return PROBE_MAYBE;
}

static enum probe probe_request(struct bytes data)
{
	size_t space = 0;

	for (unsigned i = 0; i < 4 && data.left && (data.at[0] == '\r' || data.at[0] == '\n'); i++)
		bytes_skip(&data, 1);
	if (data.left == 0)
		return PROBE_MAYBE;
	while (space < data.left && data.at[space] != ' ' && data.at[space] != '\t')
		space++;
	for (const char *const *m = methods; *m && space < data.left; m++) {
		enum probe p;

		if (!bytes_equal_text(bytes_head(data, space), *m))
			continue;
		p = probe_target(bytes_from(data, space), strcmp(*m, "CONNECT") == 0);
		if (p != PROBE_NO)
			return p;
	}
	return probe_unknown_method(data);
}

enum probe http_probe(struct bytes data, bool from_client)
{
	enum probe p;

	if (from_client)
		return probe_request(data);
	p = http_probe_answer(data);
	return p == PROBE_YES && data.left > 5 && data.at[5] != '0' && data.at[5] != '1' ? PROBE_NO : p;
}
