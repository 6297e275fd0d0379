// SPDX-License-Identifier: GPL-2.0-or-later
// The headers that say something about the body, or are kept in the record. Where two readers may take one differently (RFC 9112 §6.3, §11.2: request
// smuggling), the message is marked. Called by the flow's worker.
#include "http_impl.h"

// RFC 9112 §6.3: several equal lengths are one, anything else is a smuggler's or a fool's. Both are marked.
static void take_length(struct http_call *c, struct bytes value)
{
	struct http_side *s = c->side;
	uint64_t n;

	if (s->has_length || value.left == 0 || bytes_find(value, ',') < value.left)
		http_ambiguous(c);
	while (value.left) {
		size_t comma = bytes_find(value, ',');
		bool fine = bytes_to_u64(http_trimmed(bytes_head(value, comma)), UINT64_MAX / 2, &n) == 0;

		s->bad = s->bad || !fine || (s->has_length && n != s->declared);
		if (fine && !s->has_length)
			s->declared = n;
		s->has_length = s->has_length || fine;
		value = bytes_from(value, comma + 1);
	}
}

// RFC 9110 §8.4.1. Parameters are unknown here.
static enum http_coding coding_of(struct bytes name)
{
	if (bytes_equal_nocase(name, "gzip") || bytes_equal_nocase(name, "x-gzip"))
		return HTTP_CODING_GZIP;
	return bytes_equal_nocase(name, "deflate") ? HTTP_CODING_DEFLATE : HTTP_CODING_OTHER;
}

static void add_coding(struct http_codings *all, enum http_coding coding)
{
	if (all->count < HTTP_LAYERS)
		all->at[all->count] = (uint8_t)coding;
	if (all->count <= HTTP_LAYERS)
		all->count++;
}

// Only "chunked" as the last coding frames a body; "xchunked" does not (RFC 9112 §6.1). What is written in another way is read as chunked by some.
static void take_transfer(struct http_call *c, struct bytes value)
{
	struct http_side *s = c->side;

	if (value.left == 0)
		http_ambiguous(c);
	while (value.left) {
		size_t comma = bytes_find(value, ',');
		struct bytes coding = http_trimmed(bytes_head(value, comma));
		bool chunked = bytes_equal_nocase(coding, "chunked");

		value = bytes_from(value, comma + 1);
		if (s->chunked || (!chunked && coding_of(coding) == HTTP_CODING_OTHER))
			http_ambiguous(c);
		if (coding.left == 0 || bytes_equal_nocase(coding, "identity"))
			continue;
		if (!chunked && coding_of(coding) != HTTP_CODING_OTHER)
			add_coding(&s->transfer, coding_of(coding));
		s->chunked = chunked;
		s->other_coding = !chunked;
	}
}

static void take_content(struct http_call *c, struct bytes value)
{
	while (value.left) {
		size_t comma = bytes_find(value, ',');
		struct bytes coding = http_trimmed(bytes_head(value, comma));

		if (coding.left && !bytes_equal_nocase(coding, "identity"))
			add_coding(&c->side->content, coding_of(coding));
		value = bytes_from(value, comma + 1);
	}
}

static void take_type(struct http_call *c, struct bytes value)
{
	if (c->in->from_client)
		http_parts_declared(c, value);
}

static void take_upgrade(struct http_call *c, struct bytes value)
{
	c->side->h2c = c->side->h2c || bytes_equal_nocase(http_trimmed(value), "h2c");
}

// RFC 4918 §9.8, §9.9: where a copy is stored. Servers look at it with these methods only.
static void take_destination(struct http_call *c, struct bytes value)
{
	struct http_work *w = http_work(c->side);
	struct bytes method = observation_text(&w->head, TEXT_REQUEST_METHOD);
	struct named_from from = http_named_from(c, "header:destination");

	if (c->in->from_client && (bytes_equal_text(method, "MOVE") || bytes_equal_text(method, "COPY")))
		upload_path(value, &w->named.files, &from);
}

// Some upload a file as the whole body, and say here what it is called.
static void take_disposition(struct http_call *c, struct bytes value)
{
	struct named_from from = http_named_from(c, "header:content-disposition");

	if (c->in->from_client && upload_parameters(value, &http_work(c->side)->named.files, &from))
		http_ambiguous(c);
}

// No two are of one length, so that the length finds the only one a name may be.
enum { LONGEST = sizeof("content-disposition") - 1 };
static const struct field {
	const char *name;
	int8_t request_slot, response_slot; // -1: not kept
	bool frames;
	void (*take)(struct http_call *c, struct bytes value);
} fields[LONGEST + 1] = {
	[4] = {"host", TEXT_REQUEST_HOST, -1, false, NULL},
	[6] = {"server", -1, TEXT_RESPONSE_SERVER, false, NULL},
	[7] = {"referer", TEXT_REQUEST_REFERER, -1, false, NULL},
	[8] = {"location", -1, TEXT_RESPONSE_LOCATION, false, NULL},
	[10] = {"user-agent", TEXT_REQUEST_AGENT, -1, false, NULL},
	[11] = {"destination", -1, -1, false, take_destination},
	[12] = {"content-type", TEXT_REQUEST_CONTENT_TYPE, TEXT_RESPONSE_CONTENT_TYPE, false, take_type},
	[14] = {"content-length", -1, -1, true, take_length},
	[16] = {"content-encoding", -1, -1, false, take_content},
	[17] = {"transfer-encoding", -1, -1, true, take_transfer},
	[19] = {"content-disposition", -1, -1, false, take_disposition},
};

// "Transfer_Encoding", "Content-Length\v": a framing header to somebody who is not particular.
bool http_nearly_frames(struct bytes name)
{
	static const struct {
		const char *first, *second;
	} near[] = {{"transfer", "encoding"}, {"content", "length"}};

	for (unsigned i = 0; i < 2; i++) {
		size_t first = strlen(near[i].first), second = strlen(near[i].second);

		if (name.left <= first + second + 2 && bytes_equal_nocase(bytes_head(name, first), near[i].first) &&
		    bytes_equal_nocase(bytes_head(bytes_from(name, first + 1), second), near[i].second))
			return true;
	}
	return false;
}

void http_field_take(struct http_call *c, struct bytes name, struct bytes value, bool odd)
{
	const struct field *f = name.left <= LONGEST ? &fields[name.left] : NULL;
	int slot;

	if (!f || !f->name || !bytes_equal_nocase(name, f->name)) {
		if (bytes_equal_nocase(name, "upgrade")) // as long as another one
			take_upgrade(c, value);
		if (name.left >= sizeof("content-length") - 1 && http_nearly_frames(name))
			http_ambiguous(c);
		return;
	}
	if (f->frames && odd)
		http_ambiguous(c);
	slot = c->in->from_client ? f->request_slot : f->response_slot;
	if (slot >= 0)
		http_head_keep(c, (unsigned)slot, value);
	if (f->take)
		f->take(c, value);
}
