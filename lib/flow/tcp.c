// SPDX-License-Identifier: GPL-2.0-or-later
// The state of one TCP flow. Knows sequence numbers and flags, no bytes. A sender's claim (SYN, RST, FIN) changes
// nothing by itself: state moves when the receiver's acknowledgement proves the claim was taken, or, for a RST, must
// have been.
#include "flow_impl.h"

static bool numbers_are_agreed(const struct flow *f)
{
	uint8_t both = f->tcp[0].seen & f->tcp[1].seen;

	return both & TCP_SEEN_SEQ && both & TCP_SEEN_ACK;
}

static void become_midstream(struct flow_table *t, struct flow *f)
{
	if (!(f->flags & FLOW_FLAG_MIDSTREAM))
		count(t->counters, COUNT_TCP_MIDSTREAM);
	f->flags |= FLOW_FLAG_MIDSTREAM;
}

// Both sides' numbers from one segment. Repeated until the first data: a bare ACK may be a keep-alive, one below the
// truth.
static void adopt_numbers(struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];

	s->next_seq = p->seq;
	s->acked = p->ack;
	peer->next_seq = p->ack;
	peer->acked = p->seq;
	s->seen |= TCP_SEEN_SEQ | TCP_SEEN_ACK;
	peer->seen |= TCP_SEEN_SEQ | TCP_SEEN_ACK;
}

// Of several SYNs with different numbers the receiver says by its acknowledgement which one it took; until then all are
// kept: the last two in the flow, those before in the copies (evasions 28, 36). So is the data that came with them.
static void take_syn(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];
	uint32_t first = p->seq + 1;

	if (f->state == FLOW_NEW) {
		// Whatever strays came before it belong to an older connection.
		flow_park_drop(t, f, FLOW_CLIENT);
		flow_park_drop(t, f, FLOW_SERVER);
		memset(f->tcp, 0, sizeof(f->tcp));
		f->flags &= (uint16_t)~FLOW_FLAG_MIDSTREAM;
		f->state = FLOW_OPENING;
	}
	s->seen |= TCP_SEEN_SYN;
	if (peer->seen & TCP_SEEN_ACK)
		return;
	if (s->seen & TCP_SEEN_SEQ && s->next_seq == first)
		return;
	if (s->seen & TCP_SEEN_SEQ)
		flow_copies_remember_syn(t, f, sender, s->next_seq, s->scale);
	peer->acked = s->seen & TCP_SEEN_SEQ ? s->next_seq : first;
	s->next_seq = first;
	s->isn = (uint16_t)p->seq;
	s->seen |= TCP_SEEN_SEQ;
	s->scale = p->has_window_scale ? p->window_scale : 0;
	s->widest = 0; // what the other one announced
	if (flow_park_drop_far(t, f, sender)) {
		count(t->counters, COUNT_TCP_PARK_FULL);
		flow_set_uninspected(t, f, COUNT_TCP_PARK_FULL);
	}
}

// Has this side sent a SYN whose next byte is `first`?
static bool syn_was_sent(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t first)
{
	uint8_t scale;

	return first == f->tcp[side].next_seq || first == f->tcp[!side].acked ||
	       flow_copies_find_syn(t, f, side, first, &scale);
}

// Data on a SYN may be acknowledged together with it (RFC 7413). *first: the byte after that SYN.
static bool acks_syn_data(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t ack,
			  uint32_t *first)
{
	for (uint16_t link = f->tcp[side].park_head; link; link = t->park.segments[link - 1].next) {
		*first = t->park.segments[link - 1].seq;
		if (seq_ahead(ack, *first) > 0 && seq_ahead(ack, *first) <= FLOW_PARK_BYTES &&
		    syn_was_sent(t, f, side, *first))
			return true;
	}
	return false;
}

// Does the acknowledgement belong to a SYN the peer has sent? *first: the byte after that.
static bool ack_fits(const struct flow_table *t, const struct flow *f, enum flow_side sender, uint32_t ack,
		     uint32_t *first)
{
	const struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];

	*first = ack;
	if (!(peer->seen & TCP_SEEN_SEQ) || ack == s->acked)
		return true;
	return !(s->seen & TCP_SEEN_ACK) &&
	       (syn_was_sent(t, f, !sender, ack) || acks_syn_data(t, f, !sender, ack, first));
}

// The peer has taken the SYN before `first`. Where that is not the last one, the window it announced is not known any
// more; its next segment says.
static void settle_syn(struct flow_table *t, struct flow *f, enum flow_side side, uint32_t first)
{
	struct flow_tcp_side *s = &f->tcp[side];
	bool sent = s->seen & TCP_SEEN_SEQ;
	uint8_t scale = 0;

	s->seen |= TCP_SEEN_SEQ;
	if (sent && s->next_seq == first)
		return;
	s->next_seq = first;
	s->isn = (uint16_t)(first - 1);
	s->window = s->widest = 0;
	flow_copies_find_syn(t, f, side, first, &scale);
	s->scale = scale & 15;
	flow_park_drop_far(t, f, side);
}

// Either a lie or our numbers are wrong; in the second case bytes pass that we do not follow.
static void tell_outside_window(struct flow_table *t, struct flow *f)
{
	count(t->counters, COUNT_TCP_OUTSIDE_WINDOW);
	flow_set_uninspected(t, f, COUNT_TCP_OUTSIDE_WINDOW);
}

static void take_first_ack(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender];
	uint32_t first;

	if (!ack_fits(t, f, sender, p->ack, &first)) {
		// Of so many SYNs the one it took may be forgotten.
		if (flow_tcp_syn_is_unsettled(f, !sender))
			tell_outside_window(t, f);
		return;
	}
	// What does not carry a SYN must fit the numbers its own SYN began.
	if (!(p->tcp_flags & TCP_SYN) && s->seen & TCP_SEEN_SEQ &&
	    (seq_ahead(p->seq, s->next_seq) < 0 || seq_ahead(p->seq, s->next_seq) > flow_reach(f, sender)))
		return;
	settle_syn(t, f, !sender, first);
	s->acked = p->ack;
	s->seen |= TCP_SEEN_ACK;
	if (f->state <= FLOW_OPENING)
		f->state = FLOW_ANSWERED;
}

static void take_ack(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];

	if (!(s->seen & TCP_SEEN_ACK)) {
		take_first_ack(t, f, sender, p);
		return;
	}
	if (seq_ahead(p->ack, s->acked) <= 0)
		return;
	if (seq_ahead(p->seq, s->next_seq) > flow_reach(f, sender) ||
	    seq_ahead(s->next_seq, p->seq) > flow_reach(f, sender))
		return;
	if (seq_ahead(p->ack, peer->next_seq) > flow_reach(f, !sender)) {
		tell_outside_window(t, f);
		return;
	}
	s->acked = p->ack;
	// The end that was reset acknowledges more: it has not taken the RST (evasion 82).
	if (f->state == FLOW_CLOSED && !(f->tcp[0].fin && f->tcp[1].fin))
		f->state = f->tcp[0].fin || f->tcp[1].fin ? FLOW_CLOSING : FLOW_OPEN;
}

// RFC 5961 §3: exactly RCV.NXT resets, anything else in the window is only challenged. In SYN-SENT the acknowledgement
// counts instead (RFC 9293 §3.10.7.3).
static bool reset_is_taken(const struct flow_table *t, const struct flow *f, enum flow_side sender,
			   const struct packet *p)
{
	const struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];

	if (p->has_signature) // who did not agree on one drops it, and who did needs the key (RFC 2385 §2; evasion 76)
		return false;
	if (!(s->seen & TCP_SEEN_SEQ))
		return f->state == FLOW_OPENING && p->tcp_flags & TCP_ACK && syn_was_sent(t, f, !sender, p->ack);
	if (p->seq == s->next_seq || (s->seen & TCP_SEEN_FIN && !s->fin && p->seq == s->next_seq + 1))
		return true;
	// The receiver has bytes we never saw: its own word is RCV.NXT.
	return peer->seen & TCP_SEEN_ACK && seq_ahead(peer->acked, s->next_seq) > 0 && p->seq == peer->acked;
}

static void take_fin(struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender];
	int32_t ahead = seq_ahead(p->seq + p->payload_bytes, s->next_seq);

	if (s->seen & TCP_SEEN_SEQ && ahead >= 0 && ahead <= flow_reach(f, sender))
		s->seen |= TCP_SEEN_FIN;
}

// The deadline that was set by the old state is too late.
static void move_to(struct flow_table *t, struct flow *f, enum flow_state state)
{
	f->state = (uint8_t)state;
	flow_idle_arm(t, f);
	if (state == FLOW_CLOSED)
		flow_ring_closed(t, f);
}

// Bytes that were let by and wait to be delivered come before any FIN: an acknowledgement may mean one of them.
static bool next_is_parked(const struct flow_table *t, const struct flow_tcp_side *s)
{
	return s->park_head && seq_ahead(t->park.segments[s->park_head - 1].seq, s->next_seq) <= 0;
}

void flow_tcp_settle_sent_fin(struct flow_table *t, struct flow *f)
{
	for (int side = 0; side < 2; side++) {
		struct flow_tcp_side *s = &f->tcp[side], *peer = &f->tcp[!side];

		if (s->fin || !(s->seen & TCP_SEEN_FIN) || !(peer->seen & TCP_SEEN_ACK) ||
		    peer->acked != s->next_seq + 1 || next_is_parked(t, s))
			continue;
		s->fin = 1;
		s->next_seq++;
	}
	if (f->state == FLOW_OPEN && flow_tcp_is_ending(f))
		move_to(t, f, FLOW_CLOSING);
	if (f->state == FLOW_CLOSING && f->tcp[0].fin && f->tcp[1].fin)
		move_to(t, f, FLOW_CLOSED);
}

// Not one unacknowledged FIN: a forged one together with a forged SYN would make us forget a live connection.
bool flow_tcp_is_ending(const struct flow *f)
{
	return f->state >= FLOW_CLOSING || f->tcp[0].fin || f->tcp[1].fin ||
	       f->tcp[0].seen & f->tcp[1].seen & TCP_SEEN_FIN;
}

// A SYN that is not the flow's own, late, where it is over; or the first one after a SYN/ACK nobody had asked for
// (evasion 34).
bool flow_tcp_begins_anew(const struct flow *f, enum flow_side sender, const struct packet *p)
{
	if (p->transport != TRANSPORT_TCP || p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET) ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	if (f->state == FLOW_ANSWERED && sender == FLOW_SERVER && f->packets[FLOW_CLIENT] == 0)
		return true;
	if (!flow_tcp_is_ending(f))
		return false;
	// Closed by a RST alone, which may never have arrived: only who opened it before may open it again, or the ends
	// could be swapped.
	if (sender == FLOW_SERVER && numbers_are_agreed(f) && !(f->tcp[0].fin && f->tcp[1].fin))
		return false;
	if (f->state == FLOW_CLOSED && !numbers_are_agreed(f))
		return true; // refused; some stacks try again with the same number
	return f->tcp[sender].isn != (uint16_t)p->seq;
}

// Of several SYNs the receiver says which one it took; only where it is never heard its sender's bytes do.
static bool follows_its_syn(const struct flow_table *t, const struct flow *f, enum flow_side sender, uint32_t seq)
{
	if (f->packets[!sender] == 0)
		return syn_was_sent(t, f, sender, seq);
	return seq == f->tcp[sender].next_seq && !flow_tcp_syn_is_unsettled(f, sender);
}

// A flow of which we see one direction only is followed as midstream from its first bytes in order.
static bool take_first_data(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender], *peer = &f->tcp[!sender];

	if (!p->payload_bytes || p->tcp_flags & TCP_SYN || !(p->tcp_flags & TCP_ACK))
		return false;
	if (f->state != FLOW_NEW) {
		bool one_way = f->state == FLOW_OPENING && !(peer->seen & TCP_SEEN_SEQ);
		bool fast = f->state == FLOW_ANSWERED && s->seen & TCP_SEEN_ACK;

		if (!(one_way || fast) || !(s->seen & TCP_SEEN_SEQ) || !follows_its_syn(t, f, sender, p->seq))
			return false;
		settle_syn(t, f, sender, p->seq);
		if (one_way)
			adopt_numbers(f, sender, p);
		peer->acked = p->seq;
		peer->seen |= TCP_SEEN_ACK;
	}
	become_midstream(t, f);
	f->state = FLOW_OPEN;
	return true;
}

// True when the flow has just become open.
static bool take_opening(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	uint32_t first;

	if (p->tcp_flags & TCP_SYN) {
		// A SYN/ACK for a SYN nobody sent: the client answers with a RST (evasion 35).
		if (p->tcp_flags & TCP_ACK && f->state != FLOW_NEW && !ack_fits(t, f, sender, p->ack, &first))
			return false;
		take_syn(t, f, sender, p);
	}
	if (f->state == FLOW_NEW) {
		if (!(p->tcp_flags & TCP_ACK))
			return false;
		become_midstream(t, f);
		adopt_numbers(f, sender, p);
	} else if (p->tcp_flags & TCP_ACK) {
		take_ack(t, f, sender, p);
	}
	if (f->state != FLOW_NEW && numbers_are_agreed(f)) {
		// The server answered without a SYN of its own: it is in the midst of a connection whose RST it never got.
		if (!(f->tcp[FLOW_SERVER].seen & TCP_SEEN_SYN))
			become_midstream(t, f);
		f->state = FLOW_OPEN;
		return true;
	}
	return take_first_data(t, f, sender, p);
}

static void take_window(struct flow_tcp_side *s, const struct packet *p)
{
	s->window = p->window;
	s->window_plain = !!(p->tcp_flags & TCP_SYN);
	if (flow_window(s) <= flow_widest(s))
		return;
	s->widest = s->window;
	s->widest_plain = s->window_plain;
}

bool flow_tcp_update(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	struct flow_tcp_side *s = &f->tcp[sender];
	bool opened = false;

	if (p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET))
		return false;
	if (p->tcp_flags & TCP_RST) {
		if (f->state != FLOW_NEW && f->state != FLOW_CLOSED && reset_is_taken(t, f, sender, p))
			move_to(t, f, FLOW_CLOSED);
		return false;
	}
	if (f->state < FLOW_OPEN) {
		opened = take_opening(t, f, sender, p);
	} else if (p->tcp_flags & TCP_SYN) {
		// A SYN/ACK after bytes of a flow believed one-way: the receiver cannot have taken those (evasion 59).
		if (f->flags & FLOW_FLAG_MIDSTREAM && f->packets[sender] == 1)
			tell_outside_window(t, f);
		return false;
	} else if (p->tcp_flags & TCP_ACK) {
		take_ack(t, f, sender, p);
	}
	// Only from the newest acknowledgement: a forged old one must not widen what we believe (order.c, hold_of).
	if (f->state < FLOW_OPEN || (p->tcp_flags & TCP_ACK && p->ack == s->acked))
		take_window(s, p);
	if (p->tcp_flags & TCP_FIN)
		take_fin(f, sender, p);
	flow_tcp_settle_fin(t, f);
	return opened;
}

void flow_resume(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p)
{
	if (f->transport != TRANSPORT_TCP || f->state == FLOW_CLOSED)
		return;
	for (unsigned side = 0; side < 2; side++) {
		uint8_t scale = f->tcp[side].scale;

		flow_park_drop(t, f, side);
		f->tcp[side] = (struct flow_tcp_side){.scale = scale & 15};
	}
	move_to(t, f, FLOW_NEW);
	// For who resets it at once; otherwise it is done again until there are data.
	if (!(p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET)) && (p->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK)
		adopt_numbers(f, sender, p);
}
