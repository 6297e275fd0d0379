// SPDX-License-Identifier: GPL-2.0-or-later
// Header blocks of HTTP/2: opened by the HPACK decoder field by field (RFC 7541), each field searched and its few texts
// of interest kept as in HTTP/1; the observation goes out at the block's end. Called by the flow's worker.
#include "http2_impl.h"
#include "http_impl.h"

void http2_block_begin(struct http2_call *c, uint32_t id, bool pushed)
{
	struct http2_side *s = c->side;
	bool request = c->in->from_client || pushed;

	s->in_block = true;
	s->block_id = id;
	s->block_pushed = pushed;
	s->block_coded = false;
	s->block_bytes = s->list_bytes = 0;
	s->continuations = s->fields = 0;
	s->cookie_bytes = 0;
	s->cookie_same = true;
	s->declared = 0;
	named_begin(&s->named);
	observation_init(&s->head, request ? OBS_HTTP_REQUEST : OBS_HTTP_RESPONSE);
	observation_put(&s->head, request ? TEXT_REQUEST_VERSION : TEXT_RESPONSE_VERSION, bytes_of_text("HTTP/2"));
}

static bool is_request(const struct http2_side *s)
{
	return s->head.kind == OBS_HTTP_REQUEST;
}

// --- Fields ---

// A long value is searched in pieces that overlap, so that a look-up across a cut is found.
static unsigned scan(struct http2_call *c, struct bytes text, const char *name)
{
	unsigned found = 0;

	for (;; text = bytes_from(text, WINDOW_BYTES - HTTP_OVERLAP_BYTES)) {
		found += jndi_scan(text, name, c->in, c->sink, APP_HTTP2);
		if (text.left <= WINDOW_BYTES)
			return found;
	}
}

static struct named_from named_from(const struct http2_call *c)
{
	return (struct named_from){.host = observation_text(&c->side->head, TEXT_REQUEST_HOST),
				   .in = c->in,
				   .sink = c->sink,
				   .app = APP_HTTP2};
}

static bool name_literals(struct http2_call *c, struct bytes text, const char *name)
{
	struct named_from from = named_from(c);

	from.field = name;
	return c->in->from_outside && c->in->from_client && named_field(&c->side->named, text, &from);
}

// What a repeated value names is named anew, but that alone shall not use up the credit of an honest connection: a table
// full of URLs is legal.
static void name_again(struct http2_call *c, struct bytes text, const char *name)
{
	if (c->place->credit < HTTP2_CREDIT_BYTES / 2 + (int64_t)text.left)
		return;
	c->place->credit -= (int64_t)text.left;
	name_literals(c, text, name);
}

// A byte on the line can repeat a value of kilobytes from the decoder's table. What was found in it, or that nothing
// was, is marked in its memory. What has to be searched again for all that draws on the connection's credit. `marks`:
// of an earlier search, 0 = none. Returns those to be kept.
static unsigned search_marked(struct http2_call *c, struct bytes text, const char *name, unsigned marks)
{
	if (marks & ARENA_SELF && c->in->from_outside)
		name_again(c, text, name);
	if (!marks && text.left) {
		bool found = name_literals(c, text, name) || (c->in->device_sends && self_address_in(text, c->in));

		c->place->credit -= (int64_t)text.left;
		marks = found ? ARENA_SELF : ARENA_CLEAN;
		if (c->in->from_outside && scan(c, text, name)) {
			c->place->lookups++;
			return 0;
		}
	}
	if (marks & ARENA_SELF && c->in->device_sends)
		c->side->head.facts |= FACT_BIT(FACT_SELF_ADDRESS);
	return marks;
}

static void search(struct http2_call *c, struct bytes text, const char *name)
{
	struct arena *a = &c->place->arena;

	arena_mark(a, text.at, search_marked(c, text, name, arena_marks(a, text.at)));
}

// RFC 9113 §8.2.3: the server sees all cookie fields as one, so they are searched as one, at the block's end.
static void add_cookie(struct http2_call *c, struct bytes value)
{
	struct http2_side *s = c->side;
	size_t gap = s->cookie_bytes ? 2 : 0;

	if (value.left == 0)
		return;
	if (s->cookie_bytes + gap + value.left > sizeof(s->cookie)) {
		http2_limit(c); // a look-up across two of them is not seen
		search(c, value, "header:cookie");
		return;
	}
	s->cookie_same = s->cookie_same && s->cookie_bytes + gap + value.left <= s->cookie_before &&
			 memcmp(s->cookie + s->cookie_bytes, "; ", gap) == 0 &&
			 memcmp(s->cookie + s->cookie_bytes + gap, value.at, value.left) == 0;
	memcpy(s->cookie + s->cookie_bytes, "; ", gap);
	memcpy(s->cookie + s->cookie_bytes + gap, value.at, value.left);
	s->cookie_bytes = (uint16_t)(s->cookie_bytes + gap + value.left);
}

static void search_cookie(struct http2_call *c)
{
	struct http2_side *s = c->side;
	bool same = s->cookie_same && s->cookie_bytes == s->cookie_before;

	s->cookie_marks = (uint8_t)search_marked(c, bytes_of(s->cookie, s->cookie_bytes), "header:cookie",
						 same ? s->cookie_marks : 0);
	s->cookie_before = s->cookie_bytes;
}

static void take_status(struct http2_call *c, struct bytes value)
{
	uint64_t code = 0;

	if (bytes_to_u64(value, 999, &code) == 0)
		c->side->head.number[NUM_RESPONSE_STATUS] = code;
}

static void take_length(struct http2_call *c, struct bytes value)
{
	if (bytes_to_u64(value, UINT64_MAX / 2, &c->side->declared))
		c->side->declared = 0;
}

// RFC 4918 §9.8, §9.9. Pseudo-fields come first (RFC 9113 §8.3), so the method is known.
static void take_destination(struct http2_call *c, struct bytes value)
{
	struct bytes method = observation_text(&c->side->head, TEXT_REQUEST_METHOD);
	struct named_from from = named_from(c);

	from.field = "header:destination";
	if (is_request(c->side) && (bytes_equal_text(method, "MOVE") || bytes_equal_text(method, "COPY")))
		upload_path(value, &c->side->named.files, &from);
}

static void take_coding(struct http2_call *c, struct bytes value)
{
	c->side->block_coded |= value.left && !bytes_equal_nocase(value, "identity");
}

static const struct field {
	const char *name;
	int8_t request_slot, response_slot; // -1: not kept
	void (*take)(struct http2_call *c, struct bytes value);
	const char *shown; // where another name is the usual one
} fields[] = {
	{":method", TEXT_REQUEST_METHOD, -1, NULL, "method"},
	{":path", TEXT_REQUEST_URI, -1, NULL, "uri"},
	{":authority", TEXT_REQUEST_HOST, -1, NULL, "header:host"},
	{":status", -1, -1, take_status, "status"},
	{"host", TEXT_REQUEST_HOST, -1, NULL, NULL},
	{"user-agent", TEXT_REQUEST_AGENT, -1, NULL, NULL},
	{"referer", TEXT_REQUEST_REFERER, -1, NULL, NULL},
	{"content-type", TEXT_REQUEST_CONTENT_TYPE, TEXT_RESPONSE_CONTENT_TYPE, NULL, NULL},
	{"server", -1, TEXT_RESPONSE_SERVER, NULL, NULL},
	{"location", -1, TEXT_RESPONSE_LOCATION, NULL, NULL},
	{"content-length", -1, -1, take_length, NULL},
	{"content-encoding", -1, -1, take_coding, NULL},
	{"destination", -1, -1, take_destination, NULL},
};

static const struct field *find_field(struct bytes name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (bytes_equal_nocase(name, fields[i].name))
			return &fields[i];
	return NULL;
}

// "header:<lower name>", for the record.
static void name_field(struct bytes name, char out[HTTP2_FIELD_BYTES])
{
	static const char prefix[] = "header:";
	size_t n = strlen(prefix);

	memcpy(out, prefix, n);
	name = bytes_head(name, HTTP2_FIELD_BYTES - n - 1);
	for (size_t i = 0; i < name.left; i++)
		out[n + i] = (char)byte_lower(name.at[i]);
	out[n + name.left] = '\0';
}

static void take_field(struct http2_call *c, struct bytes name, struct bytes value)
{
	const struct field *f = find_field(name);
	int slot = !f ? -1 : is_request(c->side) ? f->request_slot : f->response_slot;
	char shown[HTTP2_FIELD_BYTES];

	if (bytes_equal_nocase(name, "cookie")) {
		add_cookie(c, value);
		return;
	}
	name_field(name, shown);
	if (bytes_find(name, '$') < name.left || bytes_find(name, '%') < name.left)
		search(c, name, "header");
	search(c, value, f && f->shown ? f->shown : shown);
	if (slot >= 0)
		http_keep(&c->side->head, is_request(c->side), (unsigned)slot, value);
	if (f && f->take)
		f->take(c, value);
}

// --- The end of a block ---

static void keep_of_body(struct http2_side *s, struct http2_stream *stream, bool from_client, unsigned type_slot)
{
	struct http2_body *b = &stream->body[from_client];
	struct bytes type = bytes_head(observation_text(&s->head, type_slot), sizeof(b->type));

	b->headed = true;
	b->coded = s->block_coded;
	b->declared = s->declared;
	b->type_length = (uint8_t)type.left;
	memcpy(b->type, type.at, type.left);
}

static void name_upload(struct http2_call *c)
{
	const struct observation *o = &c->side->head;
	struct named_from from = named_from(c);

	from.field = "uri";
	if (bytes_equal_text(observation_text(o, TEXT_REQUEST_METHOD), "PUT"))
		upload_path(observation_text(o, TEXT_REQUEST_URI), &c->side->named.files, &from);
}

static void end_request(struct http2_call *c, struct http2_stream *stream)
{
	struct http2_side *s = c->side;
	struct observation *o = &s->head;

	if (!o->slot[TEXT_REQUEST_METHOD].length && !o->slot[TEXT_REQUEST_URI].length)
		return; // trailers
	if (!stream)
		stream = http2_stream_open(c, s->block_id, c->place->requests + 1);
	if (!stream || !stream->body[1].headed)
		c->place->requests++;
	o->number[NUM_REQUEST_TX] = stream ? stream->tx : c->place->requests;
	o->number[NUM_REQUEST_LENGTH] = s->declared;
	if (http_host_is_bare(observation_text(o, TEXT_REQUEST_HOST)))
		o->flags8 |= OBS_FLAG_BARE_HOST;
	else
		c->place->named = true;
	proto_emit(c->sink, c->in, APP_HTTP2, o);
	name_upload(c);
	if (!stream)
		return;
	keep_of_body(s, stream, true, TEXT_REQUEST_CONTENT_TYPE);
	stream->body[1].ended = s->block_pushed;
}

static void end_response(struct http2_call *c, struct http2_stream *stream)
{
	struct http2_side *s = c->side;

	if (!s->head.number[NUM_RESPONSE_STATUS])
		return; // trailers
	s->head.number[NUM_RESPONSE_TX] = stream ? stream->tx : 0;
	s->head.number[NUM_RESPONSE_LENGTH] = s->declared;
	proto_emit(c->sink, c->in, APP_HTTP2, &s->head);
	if (stream)
		keep_of_body(s, stream, false, TEXT_RESPONSE_CONTENT_TYPE);
}

static enum parse end_block(struct http2_call *c)
{
	struct http2_side *s = c->side;

	struct named_from from = named_from(c);

	nghttp2_hd_inflate_end_headers(s->inflater);
	s->in_block = false;
	search_cookie(c);
	if (is_request(s))
		end_request(c, http2_stream_find(c->place, s->block_id));
	else
		end_response(c, http2_stream_find(c->place, s->block_id));
	named_end(&s->named, &from);
	if (s->block_ends) {
		struct http2_stream *stream = http2_stream_find(c->place, s->block_id);

		if (stream)
			http2_body_end(c, stream);
	}
	return c->place->lookups > HTTP2_LOOKUPS || c->place->credit < 0 ? http2_give_up(c) : PARSE_MORE;
}

// No room for the field or the table, or a table larger than is followed: a limit of ours. All else is malformed.
static enum parse failed(struct http2_call *c, ssize_t why)
{
	return why == NGHTTP2_ERR_HEADER_COMP && !c->side->table_large ? PARSE_BAD : http2_give_up(c);
}

enum parse http2_block_add(struct http2_call *c, struct bytes more, bool last)
{
	struct http2_side *s = c->side;
	int flags = 0;

	s->block_bytes += (uint32_t)more.left;
	c->place->credit += HTTP2_CREDIT_RATIO * (int64_t)more.left;
	if (s->block_bytes > HTTP2_BLOCK_BYTES)
		return http2_give_up(c);
	// Each turn reads a byte or yields a field, and fields are counted.
	do {
		nghttp2_nv nv = {0};
		ssize_t n;

		flags = 0;
		n = nghttp2_hd_inflate_hd2(s->inflater, &nv, &flags, more.at, more.left, last);
		if (n < 0)
			return failed(c, n);
		bytes_skip(&more, (size_t)n);
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
			continue;
		s->list_bytes += (uint32_t)(nv.namelen + nv.valuelen);
		if (++s->fields > HTTP2_LIST_FIELDS || s->list_bytes > HTTP2_LIST_BYTES)
			return http2_give_up(c);
		take_field(c, bytes_of(nv.name, nv.namelen), bytes_of(nv.value, nv.valuelen));
	} while (!(flags & NGHTTP2_HD_INFLATE_FINAL) && (flags & NGHTTP2_HD_INFLATE_EMIT || more.left));
	return last ? end_block(c) : PARSE_MORE;
}
