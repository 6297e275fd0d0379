// SPDX-License-Identifier: GPL-2.0-or-later
// TCP streams of no known protocol: a payload sent over a bare socket is still a payload. The first bytes of each side
// are looked at for kinds of file that can run, and, when they come from outside, for JNDI look-ups. What is merely
// text or binary is not reported: nearly every unknown protocol begins so.
#include "proto_impl.h"

void raw_init(struct raw *r)
{
	memset(r->side, 0, sizeof(r->side)); // at[] is read up to window.length only
}

void raw_add(struct raw *r, const struct proto_input *in)
{
	unsigned i = in->from_client;

	// Beyond a gap the front of the stream is over.
	if (in->gap)
		r->side[i].window.done = r->side[i].file_done = true;
	window_add(&r->side[i].window, r->at[i], in->data);
}

static void look_for_file(struct raw_side *s, struct bytes head, const struct proto_input *in,
			  const struct proto_sink *sink, bool end)
{
	bool more = !end && !s->window.done && head.left < FILE_HEAD_BYTES;
	enum file_kind kind = file_kind_of(head, more);
	struct observation o;

	s->looked = (uint16_t)head.left;
	s->file_done = kind != FILE_NONE || !more;
	if (!file_kind_fact(kind))
		return;
	observation_init(&o, OBS_FILE);
	o.flags8 |= OBS_FLAG_BARE_HOST; // nothing in it names anybody
	file_emit(kind, &o, head, bytes_of(NULL, 0), in, sink, APP_UNKNOWN);
}

void raw_look(struct raw *r, const struct proto_input *in, const struct proto_sink *sink, bool end)
{
	unsigned i = in->from_client;
	struct raw_side *s = &r->side[i];

	struct bytes head = bytes_head(bytes_of(r->at[i], s->window.length), FILE_HEAD_BYTES);

	if (!s->file_done && (end || file_look_due(head.left, s->looked)))
		look_for_file(s, head, in, sink, end);
	window_scan(&s->window, r->at[i], end, "payload", in, sink, APP_UNKNOWN);
	s->window.done = s->window.done || s->window.found.count >= WINDOW_FOUND;
}

bool raw_done(const struct raw *r)
{
	return r->side[0].window.done && r->side[0].file_done && r->side[1].window.done && r->side[1].file_done;
}

void raw_describe_side(struct bytes first, bool from_client, struct observation *o)
{
	o->number[from_client ? NUM_PROTOCOL_ENTROPY_CLIENT : NUM_PROTOCOL_ENTROPY_SERVER] = entropy_of(first);
	o->number[from_client ? NUM_PROTOCOL_BYTES_CLIENT : NUM_PROTOCOL_BYTES_SERVER] = bytes_head(first, ENTROPY_BYTES).left;
	observation_put(o, from_client ? TEXT_PROTOCOL_FIRST_CLIENT : TEXT_PROTOCOL_FIRST_SERVER,
			bytes_head(first, FILE_SHOWN_BYTES));
}

void raw_describe(const struct raw *r, struct observation *o)
{
	for (int side = 1; side >= 0; side--)
		raw_describe_side(bytes_of(r->at[side], r->side[side].window.length), side, o);
}
