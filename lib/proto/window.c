// SPDX-License-Identifier: GPL-2.0-or-later
// The first bytes of a body or of an unknown stream. When all are there, a body is searched for what it names; for JNDI
// look-ups both are searched while they come: a look-up whose "}" is
// in this segment is reported on this segment. Every search begins at the front (the decoder may need it all), hence
// the budget.
#include "proto_impl.h"

// "}", or the end of one of its escapes: %7d, \u007d, &#x7d;. Rarer ones (&rbrace;) wait for the end.
static bool may_close(struct bytes b)
{
	if (bytes_find(b, '}') < b.left)
		return true;
	for (size_t n; (n = bytes_find(b, '7')) < b.left; b = bytes_from(b, n + 1))
		if (n + 1 == b.left || byte_lower(b.at[n + 1]) == 'd')
			return true;
	return false;
}

void window_add(struct window *w, uint8_t at[WINDOW_BYTES], struct bytes more)
{
	if (w->done)
		return;
	more = bytes_head(more, (size_t)(WINDOW_BYTES - w->length));
	if (more.left == 0)
		return;
	memcpy(at + w->length, more.at, more.left);
	w->length = (uint16_t)(w->length + more.left);
	w->closing = w->closing || may_close(more);
}

void window_scan(struct window *w, const uint8_t at[WINDOW_BYTES], bool end, const char *name,
		 const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	bool last = end || w->length == WINDOW_BYTES, full = w->found.count >= WINDOW_FOUND;

	if (w->done || (!last && (!w->closing || w->scans == WINDOW_SCANS || full)))
		return;
	w->closing = false;
	w->done = last;
	if (w->length == 0 || !in->from_outside || full)
		return;
	w->scans++;
	jndi_scan_window(bytes_of(at, w->length), !last, &w->found, name, in, sink, app);
}

void window_name(struct window *w, const uint8_t at[WINDOW_BYTES], const struct proto_input *in,
		 const struct proto_sink *sink, uint8_t app)
{
	if (!w->done || w->named)
		return;
	w->named = true;
	if (w->length && in->from_outside && in->from_client)
		named_body(bytes_of(at, w->length), in, sink, app);
}
