// SPDX-License-Identifier: GPL-2.0-or-later
// Heads of HTTP messages: each line is searched and its few texts of interest kept as it passes, the observation goes
// out at the empty line. Then the body's framing is chosen as RFC 9112 §6.3 says. Called by the flow's worker.
#include "http_impl.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// The record has 848 bytes of text. Each text may take what those that have not come yet do not need, so that a long
// Referer sent first cannot push the Host out.
struct kept {
	uint8_t slot;
	uint16_t reserve;
};

static const struct kept request_texts[] = {
	{TEXT_REQUEST_HOST, 128},
	{TEXT_REQUEST_AGENT, 160},
	{TEXT_REQUEST_CONTENT_TYPE, 48},
	{TEXT_REQUEST_REFERER, 64},
};
static const struct kept response_texts[] = {
	{TEXT_RESPONSE_CONTENT_TYPE, 96}, {TEXT_RESPONSE_SERVER, 96}, {TEXT_RESPONSE_LOCATION, 256},
};

struct bytes http_trimmed(struct bytes b)
{
	while (b.left && (b.at[0] == ' ' || b.at[0] == '\t'))
		bytes_skip(&b, 1);
	while (b.left && (b.at[b.left - 1] == ' ' || b.at[b.left - 1] == '\t' || b.at[b.left - 1] == '\r'))
		b.left--;
	return b;
}

void http_keep(struct observation *o, bool request, unsigned slot, struct bytes text)
{
	const struct kept *texts = request ? request_texts : response_texts;
	size_t count = request ? sizeof(request_texts) / sizeof(texts[0]) : sizeof(response_texts) / sizeof(texts[0]);
	size_t room = OBSERVATION_BYTES - o->size_bytes;

	if (o->slot[slot].length) // the first of several counts
		return;
	for (size_t i = 0; i < count; i++)
		if (texts[i].slot != slot && !o->slot[texts[i].slot].length)
			room -= texts[i].reserve < room ? texts[i].reserve : room;
	if (text.left > room)
		o->flags8 |= OBS_FLAG_TRUNCATED;
	observation_put(o, slot, bytes_head(text, room));
}

void http_head_keep(struct http_call *c, unsigned slot, struct bytes text)
{
	http_keep(&http_work(c->side)->head, c->in->from_client, slot, text);
}

// A trailer may stand in memory that was lent again since its head.
struct named_from http_named_from(const struct http_call *c, const char *field)
{
	const struct observation *head = &http_work(c->side)->head;
	bool knows_host = c->side->state == HTTP_HEADER;

	return (struct named_from){.field = field,
				   .host = knows_host ? observation_text(head, TEXT_REQUEST_HOST) : bytes_of(NULL, 0),
				   .in = c->in,
				   .sink = c->sink,
				   .app = APP_HTTP};
}

void http_head_named(struct http_call *c)
{
	struct named_from from = http_named_from(c, NULL);

	if (c->in->from_client)
		named_end(&http_work(c->side)->named, &from);
}

// What is looked for in every line, kept or not.
static void search(struct http_call *c, struct bytes text, const char *name)
{
	if (c->in->from_outside)
		jndi_scan(text, name, c->in, c->sink, APP_HTTP);
	if (c->in->from_outside && c->in->from_client) {
		struct named_from from = http_named_from(c, name);

		named_field(&http_work(c->side)->named, text, &from);
	}
	if (c->in->device_sends && self_address_in(text, c->in))
		http_work(c->side)->head.facts |= FACT_BIT(FACT_SELF_ADDRESS);
}

// What a line holds that matters to how it is read, found in one pass.
struct marks {
	size_t colon, sign; // the first ':', the first '$' or '%'; the line's length: none
	bool control;       // a CR or NUL
	bool tab;
};

static void mark_slowly(struct bytes line, size_t at, struct marks *m)
{
	for (; at < line.left; at++) {
		uint8_t c = line.at[at];

		if (c == ':' && m->colon == line.left)
			m->colon = at;
		if ((c == '$' || c == '%') && m->sign == line.left)
			m->sign = at;
		m->control = m->control || c == '\r' || c == '\0';
		m->tab = m->tab || c == '\t';
	}
}

#ifdef __SSE2__
static unsigned where(__m128i c, char wanted)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, _mm_set1_epi8(wanted)));
}

static inline void mark_16(const struct bytes *line, size_t at, struct marks *m)
{
	__m128i c = _mm_loadu_si128((const __m128i *)(line->at + at));
	unsigned colon = where(c, ':'), sign = where(c, '$') | where(c, '%');

	if (colon && m->colon == line->left)
		m->colon = at + (size_t)__builtin_ctz(colon);
	if (sign && m->sign == line->left)
		m->sign = at + (size_t)__builtin_ctz(sign);
	m->control |= (where(c, '\r') | where(c, '\0')) != 0;
	m->tab |= where(c, '\t') != 0;
}
#endif

static void mark(struct bytes line, struct marks *m)
{
	size_t at = 0;

	*m = (struct marks){.colon = line.left, .sign = line.left};

#ifdef __SSE2__
	for (; at + 16 <= line.left; at += 16)
		mark_16(&line, at, m);
	if (line.left >= 16) { // the last 16, of which some were seen
		if (at < line.left)
			mark_16(&line, line.left - 16, m);
		return;
	}
#endif
	mark_slowly(line, at, m);
}

// Some readers end a line at a bare CR, some a text at a NUL (RFC 9112 §2.2, RFC 9110 §5.5). Both readings are searched: the line is one text.
static void check_bytes(struct http_call *c, struct bytes line)
{
	struct marks m;

	mark(line, &m);
	if (m.control)
		http_ambiguous(c);
}

// --- Start lines ---

static void begin(struct http_call *c, enum observation_kind kind)
{
	struct http_side *s = c->side;

	observation_init(&http_work(s)->head, kind);
	named_begin(&http_work(s)->named);
	http_work(s)->parts.pattern_length = 0;
	s->chunked = s->other_coding = s->coded = s->has_length = s->bad = s->upgrade = s->head_method = s->raw = s->h2c = false;
	s->folded = false;
	s->content.count = s->transfer.count = 0;
	s->declared = 0;
	s->status = 0;
}

// Splits the next word off; words are separated by spaces or tabs (RFC 9112 §3, leniently).
static struct bytes word(struct bytes *line)
{
	size_t n = 0;
	struct bytes out;

	*line = http_trimmed(*line);
	while (n < line->left && line->at[n] != ' ' && line->at[n] != '\t')
		n++;
	bytes_take(line, n, &out);
	return out;
}

// Where the last word, if it is a version, begins; a URI may hold spaces that its client did not escape.
static size_t version_at(struct bytes line)
{
	size_t n = line.left;

	while (n && line.at[n - 1] != ' ' && line.at[n - 1] != '\t')
		n--;
	return bytes_equal_nocase(bytes_head(bytes_from(line, n), 5), "http/") ? n : line.left;
}

// RFC 9112 §3.2.2: the authority of an absolute target stands before Host. Empty where there is none.
static struct bytes authority(struct bytes target)
{
	size_t scheme = bytes_find_text(bytes_head(target, 16), "://"), end = 0;

	if (target.left == 0 || target.at[0] == '/' || scheme >= bytes_head(target, 16).left)
		return bytes_of(NULL, 0);
	target = bytes_from(target, scheme + 3);
	while (end < target.left && !strchr("/?#\\", target.at[end]))
		end++;
	target = bytes_head(target, end);
	for (size_t at; (at = bytes_find(target, '@')) < target.left;)
		target = bytes_from(target, at + 1);
	return target;
}

// To HTTP/2, at the end of the server's 101, or at the client's preface, for which no 101 need have been seen.
static enum parse http_switch(struct http_call *c)
{
	const struct http_side *client = &c->http->side[1];
	struct http *h = c->http;

	h->http2.tx = h->requests;
	h->http2.upgraded = !c->in->from_client || h->answers < h->requests;
	h->http2.answer_due = c->in->from_client && h->http2.upgraded;
	h->http2.preface_bytes = c->in->from_client ? 16 : (uint8_t)client->length;
	h->http2.wanted = true;
	return PARSE_DONE;
}

// "host:port", RFC 9110 §9.3.6. 0: it has none.
static uint16_t port_of(struct bytes target)
{
	unsigned port = 0, factor = 1;

	while (target.left && target.at[target.left - 1] >= '0' && target.at[target.left - 1] <= '9' && factor <= 10000) {
		port += factor * (target.at[--target.left] - (unsigned)'0');
		factor *= 10;
	}
	return target.left && target.at[target.left - 1] == ':' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static enum parse start_request(struct http_call *c, struct bytes line)
{
	struct http_side *s = c->side;
	struct bytes method, target, host;
	size_t version;

	if (bytes_equal_text(line, "PRI * HTTP/2.0"))
		return http_switch(c);
	begin(c, OBS_HTTP_REQUEST);
	memcpy(http_work(s)->field, "uri", sizeof("uri"));
	search(c, line, http_work(s)->field);
	check_bytes(c, line);
	method = word(&line);
	line = http_trimmed(line);
	if (method.left == 0 || line.left == 0 || method.left > HTTP_METHOD_BYTES)
		return PARSE_BAD;
	for (size_t i = 0; i < method.left; i++)
		if (method.at[i] <= ' ' || method.at[i] >= 0x7f || method.at[i] == ':')
			return PARSE_BAD;
	version = version_at(line);
	target = http_trimmed(bytes_head(line, version));
	s->head_method = bytes_equal_text(method, "HEAD");
	s->upgrade = bytes_equal_text(method, "CONNECT");
	if (s->upgrade)
		c->http->connect_port = port_of(target);
	observation_put(&http_work(s)->head, TEXT_REQUEST_METHOD, method);
	observation_put(&http_work(s)->head, TEXT_REQUEST_VERSION, bytes_head(bytes_from(line, version), 8));
	http_head_keep(c, TEXT_REQUEST_URI, target);
	host = s->upgrade ? target : authority(target);
	http_head_keep(c, TEXT_REQUEST_HOST, host);
	return PARSE_MORE;
}

static enum parse start_response(struct http_call *c, struct bytes line)
{
	struct http_side *s = c->side;
	struct bytes version, status;
	uint64_t code = 0;

	begin(c, OBS_HTTP_RESPONSE);
	memcpy(http_work(s)->field, "status", sizeof("status"));
	search(c, line, http_work(s)->field);
	check_bytes(c, line);
	version = word(&line);
	status = word(&line);
	if (bytes_to_u64(status, 999, &code))
		return PARSE_BAD;
	s->status = (uint16_t)code;
	http_work(s)->head.number[NUM_RESPONSE_STATUS] = code;
	observation_put(&http_work(s)->head, TEXT_RESPONSE_VERSION, bytes_head(version, 8));
	return PARSE_MORE;
}

enum parse http_head_start(struct http_call *c, struct bytes line)
{
	return c->in->from_client ? start_request(c, line) : start_response(c, line);
}

// --- Headers ---

// "header:<lower name>", for the record.
static void name_field(struct http_work *w, struct bytes name)
{
	static const char prefix[] = "header:";
	size_t n = strlen(prefix);

	memcpy(w->field, prefix, n);
	name = bytes_head(name, sizeof(w->field) - n - 1);
	for (size_t i = 0; i < name.left; i++)
		w->field[n + i] = (char)byte_lower(name.at[i]);
	w->field[n + name.left] = '\0';
}

// Some read a folded line as a header of its own: does one of its names frame a body?
static bool folds_framing(struct bytes line)
{
	for (size_t at; (at = bytes_find(line, ':')) < line.left; line = bytes_from(line, at + 1)) {
		struct bytes name = http_trimmed(bytes_head(line, at));
		size_t n = name.left;

		while (n && name.at[n - 1] != ' ' && name.at[n - 1] != '\t')
			n--;
		if (http_nearly_frames(bytes_from(name, n)))
			return true;
	}
	return false;
}

void http_head_field(struct http_call *c, struct bytes line)
{
	struct http_side *s = c->side;
	struct bytes before, after, name, value;
	struct marks m;
	bool odd;

	mark(line, &m);
	before = bytes_head(line, m.colon);
	after = bytes_from(line, m.colon + 1);
	name = http_trimmed(before);
	value = http_trimmed(after);
	odd = s->folded || s->tail || before.left != name.left || (m.tab && bytes_find(after, '\t') < after.left);
	if (m.control || (s->folded && s->state == HTTP_HEADER && folds_framing(line)))
		http_ambiguous(c);
	s->folded = false;
	// No name, no header, or a look-up where the name should be: search all of it.
	if (m.colon == line.left || name.left == 0 || m.sign < m.colon) {
		memcpy(http_work(s)->field, "header", sizeof("header"));
		search(c, line, http_work(s)->field);
		return;
	}
	if (c->in->from_outside) // only then it is searched for what needs a name
		name_field(http_work(s), name);
	search(c, value, http_work(s)->field);
	if (s->state == HTTP_HEADER) // RFC 9112 §7.1.2: a trailer says nothing about framing
		http_field_take(c, name, value, odd);
}

void http_head_tail(struct http_call *c, struct bytes piece)
{
	check_bytes(c, piece);
	search(c, piece, http_work(c->side)->field);
}

// --- The end of a head ---

// WHATWG URL §3.5: a host that ends in a number is an IPv4 address, however it is written; brackets hold an IPv6 one.
bool http_host_is_bare(struct bytes host)
{
	struct bytes label;
	bool hex;

	if (host.left == 0 || host.at[0] == '[')
		return true;
	host = bytes_head(host, bytes_find(host, ':'));
	if (host.left && host.at[host.left - 1] == '.')
		host.left--;
	label = host;
	for (size_t dot; (dot = bytes_find(label, '.')) < label.left;)
		label = bytes_from(label, dot + 1);
	if (label.left == 0)
		return true;
	hex = label.left > 1 && label.at[0] == '0' && byte_lower(label.at[1]) == 'x';
	for (size_t i = hex ? 2 : 0; i < label.left; i++) {
		uint8_t c = byte_lower(label.at[i]);

		if (!((c >= '0' && c <= '9') || (hex && c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

// RFC 9112 §6.1: a transfer coding in HTTP/1.0 is a fault; some undo it, some go by the length.
static bool is_old(const struct http_call *c)
{
	unsigned slot = c->in->from_client ? TEXT_REQUEST_VERSION : TEXT_RESPONSE_VERSION;

	return bytes_equal_nocase(observation_text(&http_work(c->side)->head, slot), "http/1.0");
}

// RFC 9112 §6.3. A message of which nobody knows where it ends is looked at as one that ends with the connection, or with the next segment that begins
// with a head.
static enum parse frame_body(struct http_call *c, bool no_body, enum http_state otherwise)
{
	struct http_side *s = c->side;
	bool coded = s->chunked || s->other_coding;

	if (s->bad || (coded && s->has_length) || (s->crlf && s->lf) || (coded && is_old(c)))
		http_ambiguous(c);
	if (s->upgrade && (coded || s->declared)) // RFC 9110 §9.3.6: CONNECT has no content, but some read one
		http_ambiguous(c);
	s->state = HTTP_START;
	if (no_body)
		return PARSE_MORE;
	s->raw = s->other_coding ? c->in->from_client : !coded && s->bad;
	if (s->chunked)
		http_body_start(c, HTTP_CHUNK_SIZE);
	else if (s->other_coding || s->raw)
		http_body_start(c, HTTP_UNTIL_CLOSE);
	else if (s->has_length && s->declared)
		http_body_start(c, HTTP_LENGTH);
	else if (!s->has_length && otherwise != HTTP_START)
		http_body_start(c, otherwise);
	return PARSE_MORE;
}

static uint64_t bit_of(uint64_t tx)
{
	return 1ull << tx % HTTP_OPEN_REQUESTS;
}

static void set_bit(uint64_t *bits, uint64_t tx, bool on)
{
	*bits = on ? *bits | bit_of(tx) : *bits & ~bit_of(tx);
}

static void name_upload(struct http_call *c)
{
	const struct observation *head = &http_work(c->side)->head;
	struct named_from from = http_named_from(c, "uri");

	if (bytes_equal_text(observation_text(head, TEXT_REQUEST_METHOD), "PUT"))
		upload_path(observation_text(head, TEXT_REQUEST_URI), &http_work(c->side)->named.files, &from);
}

static enum parse end_request(struct http_call *c)
{
	struct http_side *s = c->side;
	struct http *h = c->http;
	enum parse result;

	s->tx = ++h->requests;
	if (h->requests - h->answers == HTTP_OPEN_REQUESTS + 1) // which of them were HEAD or CONNECT is forgotten
		proto_mark(c->sink, COUNT_PROTO_BUDGET);
	set_bit(&h->head_methods, s->tx, s->head_method);
	set_bit(&h->connects, s->tx, s->upgrade);
	if (http_host_is_bare(observation_text(&http_work(s)->head, TEXT_REQUEST_HOST)))
		http_work(s)->head.flags8 |= OBS_FLAG_BARE_HOST;
	else
		h->named = true;
	http_work(s)->head.number[NUM_REQUEST_TX] = s->tx;
	http_work(s)->head.number[NUM_REQUEST_LENGTH] = s->declared;
	proto_emit(c->sink, c->in, APP_HTTP, &http_work(s)->head);
	http_head_named(c);
	name_upload(c);
	result = frame_body(c, s->upgrade, HTTP_START);
	if (s->upgrade)
		s->state = HTTP_WAIT;
	return result;
}

// The tunnel was refused. Whose words those were that came before is not known: the server may have read requests in them.
static void end_waiting(struct http_call *c, struct http_side *client)
{
	if (c->http->early)
		proto_mark(c->sink, COUNT_PROTO_HTTP_TUNNEL);
	client->state = c->http->early ? HTTP_LOST : HTTP_START;
	c->http->early = false;
}

static enum parse end_response(struct http_call *c)
{
	struct http_side *s = c->side, *client = &c->http->side[1];
	struct http *h = c->http;
	bool asked = h->answers < h->requests, interim = s->status < 200 && s->status != 101;
	bool head = asked && (h->head_methods & bit_of(h->answers + 1)),
	     connect = asked && (h->connects & bit_of(h->answers + 1));

	s->tx = asked ? h->answers + 1 : 0;
	h->answers += asked && !interim;
	http_work(s)->head.number[NUM_RESPONSE_TX] = s->tx;
	http_work(s)->head.number[NUM_RESPONSE_LENGTH] = s->declared;
	proto_emit(c->sink, c->in, APP_HTTP, &http_work(s)->head);
	if (s->status == 101 && s->h2c && client->state == HTTP_START && client->length < 16)
		return http_switch(c);
	// RFC 9110 §7.8, §9.3.6: from here on these are somebody else's bytes.
	if (connect && s->status / 100 == 2 && client->state == HTTP_WAIT && !h->early) {
		h->tunnelled = true;
		return PARSE_DONE;
	}
	if (s->status == 101 || (connect && s->status / 100 == 2)) {
		proto_mark(c->sink, COUNT_PROTO_HTTP_TUNNEL);
		return PARSE_DONE;
	}
	if (connect && !interim && client->state == HTTP_WAIT)
		end_waiting(c, client);
	return frame_body(c, head || interim || s->status == 204 || s->status == 304, HTTP_UNTIL_CLOSE);
}

enum parse http_head_end(struct http_call *c)
{
	if (c->side->folded)
		http_ambiguous(c);
	c->side->folded = false;
	if (c->side->state == HTTP_TRAILER) {
		http_head_named(c);
		c->side->state = HTTP_START;
		return PARSE_MORE;
	}
	return c->in->from_client ? end_request(c) : end_response(c);
}
