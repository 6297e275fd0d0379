// SPDX-License-Identifier: GPL-2.0-or-later
// Fragments: kept until their datagram is whole, then it goes through the stations as one packet and its frames follow that decision. Knows no more of
// fragments than what defrag.h promises.
#include "inspect_impl.h"

enum { PIECES_DEPTH = 2 }; // a datagram of fragments that carries fragments, in a tunnel

// Sends the kept frames as they came, in the order they came in.
static void send_pieces(struct inspect *s, const struct defrag_whole *w)
{
	for (uint32_t i = 0; i < w->pieces; i++) {
		struct defrag_piece p = defrag_piece_at(s->defrag, w->id, i);

		if (p.at && s->config.hooks.forward)
			s->config.hooks.forward(s->config.hooks.user, !p.port, p.at, p.bytes);
	}
	defrag_done(s->defrag, w->id);
}

// `named`: the frame that completed the datagram has been counted under the name it was dropped for.
static enum inspect_action drop_pieces(struct inspect *s, const struct defrag_whole *w, bool named)
{
	count_add(s->counters, COUNT_FRAMES_DROPPED_FRAGMENT, w->pieces - named);
	defrag_done(s->defrag, w->id);
	return INSPECT_DROP;
}

// Frames of a datagram that nobody can look into: by the limit's policy.
static enum inspect_action pass_unseen(struct inspect *s, const struct defrag_whole *w, enum counter why)
{
	if (inspect_untracked(s, why) == INSPECT_DROP)
		return drop_pieces(s, w, true);
	send_pieces(s, w);
	return INSPECT_KEPT;
}

static enum inspect_action take_whole(struct inspect *s, struct look *l, const struct defrag_whole *w)
{
	enum inspect_action action;
	uint64_t held;

	if (l->result == DECODE_OK)
		flow_key_of(s->flows, &l->packet, &l->key);
	s->in_pieces = true;
	action = inspect_decoded(s, l, &held);
	s->in_pieces = false;
	// Nobody's first packet is fragmented by chance: it is dropped and comes again. What waits whole goes on waiting.
	if (action == INSPECT_HOLD)
		return drop_pieces(s, w, false);
	if (action == INSPECT_DROP)
		return drop_pieces(s, w, true);
	send_pieces(s, w);
	return INSPECT_KEPT;
}

// Nobody takes it, here or at its tunnel's end, so it must not take another one's place. A transport's sum is that of a packet around it.
bool piece_has_wrong_sum(struct inspect *s, const struct packet *p)
{
	if (!(p->oddities & (ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM)))
		return false;
	count(s->counters, COUNT_DECODE_CHECKSUM);
	if (s->config.replay)
		return false;
	count(s->counters, COUNT_FRAMES_DROPPED_CHECKSUM);
	return true;
}

enum inspect_action inspect_piece(struct inspect *s, struct look *l)
{
	struct defrag_whole w, outer;

	for (int depth = 0; depth < PIECES_DEPTH; depth++) {
		enum defrag_result r = defrag_add(s->defrag, s->frame, &l->packet, &w);

		if (r == DEFRAG_REFUSED)
			return depth ? pass_unseen(s, &outer, COUNT_DEFRAG_FULL) : inspect_untracked(s, COUNT_DEFRAG_FULL);
		if (r != DEFRAG_COMPLETE)
			return r == DEFRAG_KEPT ? INSPECT_KEPT : INSPECT_DROP;
		outer = w;
		s->frame = &outer.frame;
		l->result = decode_datagram(s->frame, w.ip_offset, DECODE_CHECKSUMS, &l->packet);
		if (l->result != DECODE_PIECE)
			return take_whole(s, l, &outer);
		if (piece_has_wrong_sum(s, &l->packet))
			return drop_pieces(s, &outer, true);
	}
	return pass_unseen(s, &outer, COUNT_DECODE_TUNNEL);
}
