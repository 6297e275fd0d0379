// SPDX-License-Identifier: GPL-2.0-or-later
// Multipart bodies of requests (RFC 2046 §5.1, RFC 7578): what is uploaded is looked at part by part, since a form as a whole is no kind of file. Delimiters
// are found in one pass, cut anywhere: their pattern begins with the only LF it has, so a search that failed need not look back. Not here: parts within
// parts. Called by the flow's worker.
#include "http_impl.h"

// --- What divides the parts ---

static struct bytes parameter_value(struct http_call *c, struct bytes rest)
{
	size_t n = 0;

	if (rest.left && rest.at[0] == '"') {
		rest = bytes_from(rest, 1);
		n = bytes_find(rest, '"');
		if (n == rest.left || bytes_find(bytes_head(rest, n), '\\') < n)
			http_ambiguous(c);
		return bytes_head(rest, n);
	}
	while (n < rest.left && rest.at[n] != ';' && rest.at[n] != ',' && rest.at[n] != ' ' && rest.at[n] != '\t')
		n++;
	if (bytes_find(bytes_head(rest, n), '"') < n)
		http_ambiguous(c);
	return bytes_head(rest, n);
}

static void set_boundary(struct http_call *c, struct bytes boundary)
{
	struct http_parts *p = &http_work(c->side)->parts;

	if (p->pattern_length || boundary.left == 0 || boundary.left > HTTP_BOUNDARY_BYTES) {
		http_ambiguous(c); // some take the first of two, some the last
		return;
	}
	memcpy(p->pattern, "\n--", 3);
	memcpy(p->pattern + 3, boundary.at, boundary.left);
	p->pattern_length = (uint8_t)(boundary.left + 3);
}

void http_parts_declared(struct http_call *c, struct bytes type)
{
	struct http_parts *p = &http_work(c->side)->parts;

	if (!bytes_equal_nocase(bytes_head(type, 10), "multipart/"))
		return;
	for (size_t n; (n = bytes_find(type, ';')) < type.left;) {
		size_t equals;

		type = http_trimmed(bytes_from(type, n + 1));
		equals = bytes_find(bytes_head(type, bytes_find(type, ';')), '=');
		if (bytes_equal_nocase(http_trimmed(bytes_head(type, equals)), "boundary"))
			set_boundary(c, parameter_value(c, http_trimmed(bytes_from(type, equals + 1))));
	}
	if (!p->pattern_length)
		http_ambiguous(c);
}

void http_parts_begin(struct http_call *c)
{
	struct http_parts *p = &http_work(c->side)->parts;
	uint8_t length = p->pattern_length;

	c->side->parts = c->in->from_client && length;
	if (!c->side->parts)
		return;
	memset(p, 0, offsetof(struct http_parts, pattern));
	p->pattern_length = length;
	p->matched = 1;
	p->no_lf = true; // before the first delimiter
	p->file_done = true;
}

// --- The body of a part ---

static void pass_over(struct http_call *c)
{
	struct http_parts *p = &http_work(c->side)->parts;

	if (!p->over)
		proto_mark(c->sink, COUNT_PROTO_BUDGET);
	p->over = true;
}

static void look_for_file(struct http_call *c, bool end)
{
	struct http_parts *p = &http_work(c->side)->parts;
	struct bytes head = bytes_of(p->file, p->collected);
	enum file_kind kind = file_kind_of(head, !end && p->collected < FILE_HEAD_BYTES);
	struct observation o;

	p->looked = p->collected;
	if (kind == FILE_NONE)
		return;
	p->file_done = true;
	if (!p->has_filename && !file_kind_fact(kind)) // a field of a form
		return;
	observation_init(&o, OBS_FILE);
	o.number[NUM_FILE_TX] = c->side->tx;
	o.flags8 |= c->http->named ? 0 : OBS_FLAG_BARE_HOST;
	file_emit(kind, &o, head, bytes_of(p->type, p->type_length), c->in, c->sink, APP_HTTP);
}

void http_parts_look(struct http_call *c, bool end)
{
	struct http_parts *p = &http_work(c->side)->parts;

	if (!p->file_done && p->collected && (end || file_look_due(p->collected, p->looked)))
		look_for_file(c, end);
}

static void collect(struct http_parts *p, struct bytes more)
{
	struct bytes part = bytes_head(more, (size_t)(FILE_HEAD_BYTES - p->collected));

	if (p->file_done || part.left == 0)
		return;
	memcpy(p->file + p->collected, part.at, part.left);
	p->collected = (uint16_t)(p->collected + part.left);
}

// What seemed to become a delimiter is content.
static void collect_matched(struct http_parts *p)
{
	collect(p, bytes_of(p->pattern + p->no_lf, (size_t)(p->matched - p->no_lf)));
	p->no_lf = false;
	p->matched = 0;
}

static void begin_body(struct http_call *c)
{
	struct http_parts *p = &http_work(c->side)->parts;
	bool room = p->has_filename ? p->files < HTTP_PART_FILES : p->values < HTTP_PART_VALUES;

	*(p->has_filename ? &p->files : &p->values) += room;
	if (!room)
		pass_over(c);
	p->state = HTTP_PART_BODY;
	p->matched = 1; // the empty line's LF may be a delimiter's
	p->no_lf = true;
	p->collected = p->looked = 0;
	p->file_done = !room;
}

// --- Steps: each takes a part of *data ---

static void step_content(struct http_call *c, struct bytes *data)
{
	struct http_parts *p = &http_work(c->side)->parts;
	struct bytes part;
	size_t n = 0, most;

	if (p->matched == 0) {
		part = bytes_head(*data, bytes_find(*data, '\n'));
		bytes_skip(data, part.left);
		collect(p, part);
		p->matched = (uint8_t)bytes_skip(data, 1);
		return;
	}
	most = bytes_head(*data, (size_t)(p->pattern_length - p->matched)).left;
	while (n < most && data->at[n] == p->pattern[p->matched + n])
		n++;
	bytes_skip(data, n);
	p->matched = (uint8_t)(p->matched + n);
	if (p->matched == p->pattern_length) {
		p->before = p->state;
		p->state = HTTP_PART_DELIMITED;
	} else if (data->left) {
		collect_matched(p);
	}
}

static void begin_head(struct http_parts *p)
{
	p->state = HTTP_PART_HEAD;
	p->word = p->type_length = 0;
	p->line_length = p->head_bytes = 0;
	p->has_filename = p->line_cut = false;
}

// The rest of a delimiter's line: blanks, "--" behind the last part. What else comes is a longer word, which some take for a delimiter too.
static void step_delimited(struct http_call *c, struct bytes *data)
{
	struct http_parts *p = &http_work(c->side)->parts;
	uint8_t byte = 0;

	bytes_read_u8(data, &byte);
	if (byte == ' ' || byte == '\t' || byte == '\r')
		return;
	if (byte != '\n' && byte != '-') {
		http_ambiguous(c);
		p->state = p->before;
		collect_matched(p);
		return;
	}
	http_parts_look(c, true);
	p->file_done = true;
	p->no_lf = false;
	p->matched = 0;
	p->state = HTTP_PART_SKIP;
	if (byte == '\n')
		begin_head(p);
}

static void find_filename(struct http_parts *p, struct bytes piece)
{
	static const char word[] = "filename";

	for (size_t i = 0; i < piece.left && !p->has_filename; i++) {
		uint8_t byte = byte_lower(piece.at[i]);

		if (byte != (uint8_t)word[p->word])
			p->word = byte == (uint8_t)word[0];
		else if (++p->word == sizeof(word) - 1)
			p->has_filename = true;
	}
}

// RFC 7578 §4.2. In whichever line of the head it stands: readers are lenient, and headers may be folded.
static void name_file(struct http_call *c, struct bytes line)
{
	struct http_parts *p = &http_work(c->side)->parts;
	struct named_from from = http_named_from(c, "body");

	if (!p->has_filename || p->files == HTTP_PART_FILES)
		return;
	if (upload_parameters(line, &p->names, &from))
		http_ambiguous(c);
	if (p->line_cut && c->in->from_outside)
		count(c->sink->counters, COUNT_PROTO_UPLOADS_LEFT_OUT);
}

static void take_line(struct http_call *c)
{
	struct http_parts *p = &http_work(c->side)->parts;
	struct bytes line = http_trimmed(bytes_of(p->line, p->line_length)), value;

	if (bytes_equal_nocase(bytes_head(line, 13), "content-type:")) {
		value = bytes_head(http_trimmed(bytes_from(line, 13)), sizeof(p->type));
		if (value.left)
			memcpy(p->type, value.at, value.left);
		p->type_length = (uint8_t)value.left;
	}
	name_file(c, line);
	p->line_length = 0;
	p->line_cut = false;
	p->word = 0;
}

static void step_head(struct http_call *c, struct bytes *data)
{
	struct http_parts *p = &http_work(c->side)->parts;
	size_t n = bytes_find(*data, '\n');
	struct bytes piece, kept;
	bool whole, empty;

	piece = bytes_head(*data, n);
	bytes_skip(data, n);
	whole = bytes_skip(data, 1);
	kept = bytes_head(piece, (size_t)(HTTP_PART_LINE_BYTES - p->line_length));
	if (kept.left)
		memcpy(p->line + p->line_length, kept.at, kept.left);
	p->line_length = (uint16_t)(p->line_length + kept.left);
	p->line_cut = p->line_cut || kept.left < piece.left;
	find_filename(p, piece);
	p->head_bytes = (uint16_t)(p->head_bytes + bytes_head(piece, WINDOW_BYTES).left);
	if (p->head_bytes > WINDOW_BYTES) { // more than is searched
		p->head_bytes = WINDOW_BYTES;
		pass_over(c);
	}
	if (!whole)
		return;
	empty = p->line_length == 0 || (p->line_length == 1 && p->line[0] == '\r');
	if (empty)
		begin_body(c);
	else
		take_line(c);
}

// A part behind much else would find no room in the window: it gets one of its own.
static void renew_window(struct http_call *c, struct bytes before)
{
	struct http_side *s = c->side;
	struct http_parts *p = &http_work(s)->parts;

	window_add(&s->window, http_work(s)->line, before);
	if (!c->in->from_outside || (s->window.length < HTTP_PART_WINDOW_FULL && !s->window.done &&
				     s->window.found.count < WINDOW_FOUND))
		return;
	if (p->windows == HTTP_PART_WINDOWS) {
		if (s->window.length == WINDOW_BYTES)
			pass_over(c);
		return;
	}
	p->windows++;
	window_scan(&s->window, http_work(s)->line, true, "body", c->in, c->sink, APP_HTTP);
	window_name(&s->window, http_work(s)->line, c->in, c->sink, APP_HTTP);
	memset(&s->window, 0, sizeof(s->window));
}

void http_parts_add(struct http_call *c, struct bytes more)
{
	static void (*const step[])(struct http_call *c, struct bytes *data) = {
		[HTTP_PART_SKIP] = step_content,
		[HTTP_PART_BODY] = step_content,
		[HTTP_PART_DELIMITED] = step_delimited,
		[HTTP_PART_HEAD] = step_head,
	};
	struct http_parts *p = &http_work(c->side)->parts;
	struct bytes rest = more;

	while (rest.left) {
		bool was_head = p->state == HTTP_PART_HEAD;

		step[p->state](c, &rest);
		if (was_head || p->state != HTTP_PART_HEAD)
			continue;
		renew_window(c, bytes_head(more, more.left - rest.left));
		more = rest;
	}
	window_add(&c->side->window, http_work(c->side)->line, more);
}
