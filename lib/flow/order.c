// SPDX-License-Identifier: GPL-2.0-or-later
// The order of TCP bytes: what is next goes on, what comes early is parked, what comes twice is not passed again. Knows
// no protocol. First copy wins, also among parked ones. A gap is given up only on the receiver's evidence (it
// acknowledged bytes we never saw), never because a sender jumped ahead. Work per segment is bounded by
// FLOW_PARK_PER_SIDE.
#include <errno.h>
#include <stdlib.h>
#include "flow_impl.h"

struct delivery { // one flow_order call
	struct flow_table *table;
	struct flow *flow;
	const struct flow_unseen *unseen; // of the sender, or NULL
	flow_bytes_fn deliver;
	void *user;
};

int flow_park_create(struct park *k, uint32_t capacity)
{
	if (capacity > FLOW_PARK_SEGMENTS_MAX)
		return -EINVAL;
	k->segments = calloc(capacity ? capacity : 1, sizeof(k->segments[0]));
	k->data = calloc(capacity ? capacity : 1, FLOW_PARK_BYTES);
	k->capacity = capacity;
	if (k->segments && k->data)
		return 0;
	flow_park_destroy(k);
	return -ENOMEM;
}

void flow_park_destroy(struct park *k)
{
	free(k->segments);
	free(k->data);
	*k = (struct park){0};
}

static struct park_segment *segment_at(struct park *k, uint16_t link)
{
	return link ? &k->segments[link - 1] : NULL;
}

static uint8_t *segment_data(const struct park *k, uint16_t link)
{
	return k->data + (size_t)(link - 1) * FLOW_PARK_BYTES;
}

// A link to an unused segment, 0 when all are taken.
static uint16_t take_segment(struct park *k)
{
	uint16_t link = k->free;

	if (link)
		k->free = segment_at(k, link)->next;
	else if (k->fresh < k->capacity)
		link = (uint16_t)++k->fresh;
	return link;
}

// Takes *at out of a side's list.
static void free_segment(struct park *k, struct flow_tcp_side *s, uint16_t *at)
{
	uint16_t link = *at;
	struct park_segment *e = segment_at(k, link);

	*at = e->next;
	e->next = k->free;
	k->free = link;
	s->parked--;
}

void flow_park_drop(struct flow_table *t, struct flow *f, enum flow_side side)
{
	while (f->tcp[side].park_head)
		free_segment(&t->park, &f->tcp[side], &f->tcp[side].park_head);
}

bool flow_park_drop_far(struct flow_table *t, struct flow *f, enum flow_side side)
{
	struct flow_tcp_side *s = &f->tcp[side];
	int32_t reach = flow_reach(f, side);
	uint16_t *at = &s->park_head;
	uint8_t before = s->parked;

	while (*at) {
		struct park_segment *e = segment_at(&t->park, *at);
		int32_t ahead = seq_ahead(e->seq, s->next_seq);

		if (ahead > reach || ahead < -reach)
			free_segment(&t->park, s, at);
		else
			at = &e->next;
	}
	return s->parked < before;
}

static void uninspected(const struct delivery *d, enum counter which)
{
	flow_set_uninspected(d->table, d->flow, which);
	count(d->table->counters, which);
}

static void pass(const struct delivery *d, enum flow_side side, struct bytes data, bool gap)
{
	d->flow->tcp[side].next_seq += (uint32_t)data.left;
	d->deliver(d->user, d->flow, side, data, gap);
}

// Parks one piece before *at. false: no room for it.
static bool park_piece(const struct delivery *d, enum flow_side side, uint16_t *at, const struct park_segment *like,
		       uint32_t seq, struct bytes piece)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park *k = &d->table->park;
	uint16_t link = s->parked < FLOW_PARK_PER_SIDE && piece.left <= FLOW_PARK_BYTES ? take_segment(k) : 0;

	if (!link) {
		uninspected(d, COUNT_TCP_PARK_FULL);
		return false;
	}
	*segment_at(k, link) = (struct park_segment){
		.seq = seq, .ack = like->ack, .bytes = (uint16_t)piece.left, .next = *at, .hold = like->hold};
	memcpy(segment_data(k, link), piece.at, piece.left);
	*at = link;
	s->parked++;
	return true;
}

// Two copies that differ: whichever the receiver takes, one of them went by uninspected.
static void compare_copies(const struct delivery *d, const struct park_segment *e, uint16_t link, uint32_t seq,
			   struct bytes data)
{
	struct bytes old = bytes_of(segment_data(&d->table->park, link), e->bytes);

	if (seq_ahead(seq, e->seq) > 0)
		old = bytes_from(old, seq - e->seq);
	else
		data = bytes_from(data, e->seq - seq);
	old = bytes_head(old, data.left);
	if (!bytes_equal(old, bytes_head(data, old.left)))
		uninspected(d, COUNT_TCP_COPY);
}

// Parks what is new of `data` between what is parked already. A held copy gives way to one that is not.
static void park_data(const struct delivery *d, enum flow_side side, const struct park_segment *like, struct bytes data)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park *k = &d->table->park;
	uint16_t *at = &s->park_head;
	uint32_t seq = like->seq;
	bool overlap = false;

	while (*at && data.left) {
		uint16_t link = *at;
		struct park_segment *e = segment_at(k, link);
		int32_t before = seq_ahead(e->seq, seq), end = seq_ahead(e->seq + e->bytes, seq);

		if (end > 0 && before < (int32_t)data.left) {
			if (e->hold && !like->hold) {
				free_segment(k, s, at);
				continue;
			}
			overlap = true;
			compare_copies(d, e, link, seq, data);
			if (before > 0 && !park_piece(d, side, at, like, seq, bytes_head(data, (size_t)before)))
				break;
			data = bytes_from(data, (size_t)end);
			seq = e->seq + e->bytes;
			at = &e->next;
			continue;
		}
		if (before >= (int32_t)data.left)
			break;
		at = &e->next;
	}
	if (overlap)
		count(d->table->counters, COUNT_TCP_OVERLAP);
	if (data.left)
		park_piece(d, side, at, like, seq, data);
}

static bool is_released(const struct flow *f, enum flow_side side, const struct park_segment *e)
{
	const struct flow_tcp_side *s = &f->tcp[side], *peer = &f->tcp[!side];
	uint32_t from = seq_ahead(e->seq, s->next_seq) > 0 ? e->seq : s->next_seq; // what is before is not passed

	if (e->hold == PARK_FREE || (peer->seen & TCP_SEEN_ACK && seq_ahead(peer->acked, from) > 0))
		return true;
	return e->hold == PARK_UNTIL_SEEN && seq_ahead(e->ack, peer->next_seq) <= 0;
}

// Passes the head of the list, which is next or overlaps what was passed; frees it.
static void pass_head(const struct delivery *d, enum flow_side side, bool gap)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park *k = &d->table->park;
	uint16_t link = s->park_head;
	struct park_segment *e = segment_at(k, link);
	int32_t old = seq_ahead(s->next_seq, e->seq);

	if (old < e->bytes)
		pass(d, side, bytes_from(bytes_of(segment_data(k, link), e->bytes), (size_t)old), gap);
	free_segment(k, s, &s->park_head);
}

// Nobody answers in a capture of one direction, so the receiver can tell us nothing: only a full side ends the wait.
static bool gap_is_final(const struct flow *f, enum flow_side side, const struct park_segment *head)
{
	const struct flow_tcp_side *peer = &f->tcp[!side];

	if (f->packets[!side] == 0)
		return f->tcp[side].parked >= FLOW_PARK_PER_SIDE;
	return peer->seen & TCP_SEEN_ACK && seq_ahead(peer->acked, head->seq) >= 0;
}

// The receiver has taken bytes that acknowledge more of it than came by here, so its own stream has a hole, at its end as far as we know. It is told, once,
// before what answers it: else a question that lacks its end would still be waited for while the answer is read. Its numbers are left alone: a receiver that
// takes an acknowledgement of what it never sent must not make us deaf to what it sends then.
static void tell_hole(const struct delivery *d, enum flow_side side, const struct park_segment *e)
{
	const struct flow_tcp_side *peer = &d->flow->tcp[!side];

	if (d->flow->flags & FLOW_FLAG_UNINSPECTED || e->hold != PARK_UNTIL_SEEN || peer->parked ||
	    seq_ahead(e->ack, peer->next_seq) <= (peer->seen & TCP_SEEN_FIN ? 1 : 0))
		return;
	uninspected(d, COUNT_TCP_GAP);
	d->deliver(d->user, d->flow, !side, bytes_of(NULL, 0), true);
}

// Passes parked bytes as far as they reach.
static void advance(const struct delivery *d, enum flow_side side)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park_segment *e;
	bool gap = false;

	if (d->flow->state < FLOW_OPEN)
		return;
	while ((e = segment_at(&d->table->park, s->park_head))) {
		if (seq_ahead(s->next_seq, e->seq) >= e->bytes) {
			free_segment(&d->table->park, s, &s->park_head);
			continue;
		}
		if (!is_released(d->flow, side, e))
			return;
		if (seq_ahead(e->seq, s->next_seq) > 0) {
			if (!gap_is_final(d->flow, side, e))
				return;
			uninspected(d, COUNT_TCP_GAP);
			s->next_seq = e->seq;
			gap = true;
		}
		tell_hole(d, side, e);
		pass_head(d, side, gap);
		gap = false;
	}
}

// Passes a segment that begins at next_seq, with the copies parked earlier in place of its own bytes.
static void pass_in_order(const struct delivery *d, enum flow_side side, struct bytes data)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park *k = &d->table->park;
	bool overlap = false;

	while (data.left) {
		uint16_t link = s->park_head;
		struct park_segment *e = segment_at(k, link);
		int32_t before = e ? seq_ahead(e->seq, s->next_seq) : 0;
		uint32_t passed = s->next_seq;

		if (!e || before >= (int32_t)data.left) {
			pass(d, side, data, false);
			break;
		}
		if (e->hold || before + e->bytes <= 0) {
			free_segment(k, s, &s->park_head);
			continue;
		}
		overlap = true;
		compare_copies(d, e, link, s->next_seq, data);
		if (before > 0)
			pass(d, side, bytes_head(data, (size_t)before), false);
		pass_head(d, side, false);
		data = bytes_from(data, s->next_seq - passed);
	}
	if (overlap)
		count(d->table->counters, COUNT_TCP_OVERLAP);
}

// May its receiver refuse these bytes? An acknowledgement of what was never sent, or too old a one, is dropped with its
// data (RFC 5961 §5); forged bytes must not take the place of the real ones.
static enum park_hold hold_of(const struct flow *f, enum flow_side side, const struct packet *p)
{
	const struct flow_tcp_side *s = &f->tcp[side], *peer = &f->tcp[!side];
	uint32_t window = flow_widest(s), newest = s->acked;

	if (seq_ahead(newest, peer->next_seq) > 0)
		newest = peer->next_seq; // a forged one ahead must not make the real ones look old
	if (f->flags & FLOW_FLAG_MIDSTREAM && window < FLOW_WINDOW_BYTES)
		window = FLOW_WINDOW_BYTES; // its scale is not known
	if (p->tcp_flags & TCP_SYN || f->state < FLOW_OPEN)
		return PARK_UNTIL_ACKED;
	if (!(peer->seen & TCP_SEEN_SEQ) || f->packets[!side] == 0)
		return PARK_FREE;
	if (seq_ahead(newest, p->ack) > 0 && newest - p->ack > window)
		return PARK_UNTIL_ACKED;
	if (seq_ahead(p->ack, peer->next_seq) > (peer->seen & TCP_SEEN_FIN ? 1 : 0))
		return PARK_UNTIL_SEEN;
	return PARK_FREE;
}

// A sender may repeat bytes the receiver has not acknowledged, with other ones in them: which copy is taken is the
// receiver's choice (an old timestamp, an MD5 option, a low TTL lose the first; evasions 52, 64, 65, 67). Below its
// acknowledgement it has chosen. `seq` is below next_seq; only bytes below it are judged.
static enum copies_say judge_part(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
				  struct bytes data)
{
	const struct flow_tcp_side *peer = &f->tcp[!side];
	int32_t chosen = peer->seen & TCP_SEEN_ACK ? seq_ahead(peer->acked, seq) : 0;
	enum copies_say say;

	if (chosen >= (int32_t)data.left)
		return COPIES_SAME;
	say = flow_copies_compare(t, f, side, seq, data);
	if (say != COPIES_UNKNOWN || chosen <= 0)
		return say;
	return flow_copies_compare(t, f, side, seq + (uint32_t)chosen, bytes_from(data, (size_t)chosen));
}

// What nobody looked at is left out.
static enum copies_say judge_repeat(const struct flow_table *t, const struct flow *f, enum flow_side side, uint32_t seq,
				    struct bytes data, const struct flow_unseen *unseen)
{
	uint32_t next = f->tcp[side].next_seq;
	int32_t from, to;
	enum copies_say say;

	data = bytes_head(data, next - seq);
	if (!unseen || !unseen->gone)
		return judge_part(t, f, side, seq, data);
	to = seq_ahead(next - unseen->since, seq);
	from = to - (int32_t)unseen->gone;
	if (to <= 0 || from >= (int32_t)data.left)
		return judge_part(t, f, side, seq, data);
	say = from > 0 ? judge_part(t, f, side, seq, bytes_head(data, (size_t)from)) : COPIES_SAME;
	if (say != COPIES_SAME || to >= (int32_t)data.left)
		return say;
	return judge_part(t, f, side, seq + (uint32_t)to, bytes_from(data, (size_t)to));
}

static void check_repeat(const struct delivery *d, enum flow_side side, uint32_t seq, struct bytes data)
{
	uint32_t next = d->flow->tcp[side].next_seq;
	int32_t old = seq_ahead(next, seq);

	if (d->flow->flags & FLOW_FLAG_DONE)
		return; // nobody inspects it
	if (d->flow->state < FLOW_OPEN) {
		next = seq; // nothing went by yet that it could repeat
	} else if (old > 0) {
		if (judge_repeat(d->table, d->flow, side, seq, data, d->unseen) != COPIES_SAME)
			uninspected(d, COUNT_TCP_COPY);
		data = bytes_from(data, (size_t)old);
		seq = next;
	}
	if (d->unseen && seq - next + data.left <= d->unseen->ahead)
		return;
	flow_copies_remember(d->table, d->flow, side, seq, data);
}

// The receiver acknowledges bytes that wait for the end of a handshake we do not follow: the SYN it took was forgotten,
// or refused here. Told too often where an answer to data on a SYN overtakes the bytes before it.
static void tell_lost_handshake(const struct delivery *d, enum flow_side sender, const struct packet *p)
{
	const struct park *k = &d->table->park;

	if (d->flow->state >= FLOW_OPEN || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_ACK)
		return;
	for (uint16_t link = d->flow->tcp[!sender].park_head; link; link = k->segments[link - 1].next) {
		int32_t ahead = seq_ahead(p->ack, k->segments[link - 1].seq);

		if (ahead > 0 && ahead <= flow_reach(d->flow, !sender)) {
			uninspected(d, COUNT_TCP_GAP);
			return;
		}
	}
}

static void place(const struct delivery *d, enum flow_side side, const struct packet *p, struct bytes data)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park_segment like = {.seq = p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0), .ack = p->ack};
	int32_t ahead = seq_ahead(like.seq, s->next_seq), reach = flow_reach(d->flow, side);

	if (ahead > reach || ahead < -reach || !(s->seen & TCP_SEEN_SEQ)) {
		count(d->table->counters, COUNT_TCP_OUTSIDE_WINDOW);
		// Before both ends agree on numbers it is not known what the receiver refuses; in midstream they are one side's claim.
		if (d->flow->state < FLOW_OPEN || d->flow->flags & FLOW_FLAG_MIDSTREAM)
			flow_set_uninspected(d->table, d->flow, COUNT_TCP_OUTSIDE_WINDOW);
		return;
	}
	check_repeat(d, side, like.seq, data);
	// Before both ends agree on numbers it is kept whole: it may follow another of its sender's SYNs. Where nobody answers nobody
	// will say so.
	if (ahead < 0 && d->flow->state < FLOW_OPEN) {
		if (d->flow->packets[!side] == 0)
			uninspected(d, COUNT_TCP_COPY);
	} else if (ahead < 0) {
		count(d->table->counters, COUNT_TCP_OVERLAP);
		data = bytes_from(data, (size_t)-ahead);
		like.seq = s->next_seq;
		ahead = 0;
	}
	if (!data.left)
		return;
	like.hold = hold_of(d->flow, side, p);
	if (ahead == 0 && like.hold == PARK_FREE) {
		pass_in_order(d, side, data);
		return;
	}
	if (data.left > FLOW_PARK_BYTES) {
		uninspected(d, COUNT_TCP_PARK_FULL);
		return;
	}
	if (ahead > 0)
		count(d->table->counters, COUNT_TCP_OUT_OF_ORDER);
	park_data(d, side, &like, data);
}

// Does what is parked hold other bytes for this place? *overlaps: how many segments share bytes with it.
static bool parked_differ(const struct flow_table *t, const struct flow_tcp_side *s, uint32_t seq, struct bytes data,
			  unsigned *overlaps)
{
	*overlaps = 0;
	for (uint16_t link = s->park_head; link; link = t->park.segments[link - 1].next) {
		const struct park_segment *e = &t->park.segments[link - 1];
		struct bytes old = bytes_of(segment_data(&t->park, link), e->bytes), new = data;

		if (seq_ahead(e->seq, seq) >= (int32_t)data.left || seq_ahead(e->seq + e->bytes, seq) <= 0)
			continue;
		++*overlaps;
		if (seq_ahead(seq, e->seq) > 0)
			old = bytes_from(old, seq - e->seq);
		else
			new = bytes_from(new, e->seq - seq);
		if (!e->hold && !bytes_equal(bytes_head(old, new.left), bytes_head(new, old.left)))
			return true;
	}
	return false;
}

enum flow_take flow_order_takes(const struct flow_table *t, const struct flow *f, enum flow_side sender,
				const struct packet *p, struct bytes payload, const struct flow_unseen *unseen)
{
	const struct flow_tcp_side *s = &f->tcp[sender];
	uint32_t seq = p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0);
	int32_t ahead = seq_ahead(seq, s->next_seq), reach = flow_reach(f, sender);
	enum copies_say say;
	unsigned overlaps;

	if (p->tcp_flags & TCP_RST || !payload.left || !(s->seen & TCP_SEEN_SEQ) || ahead > reach || ahead < -reach)
		return FLOW_TAKES;
	say = ahead < 0 && f->state >= FLOW_OPEN ? judge_repeat(t, f, sender, seq, payload, unseen) : COPIES_SAME;
	if (say == COPIES_OTHER || parked_differ(t, s, seq, payload, &overlaps))
		return FLOW_TAKES_OTHER;
	if (say == COPIES_UNKNOWN)
		return FLOW_TAKES_UNKNOWN;
	// Before both ends agree on numbers what does not come next would wait for the receiver's word, which comes too late.
	// Where that is never heard nothing can wait for it.
	if (f->state >= FLOW_OPEN || f->packets[!sender] == 0 ? ahead <= 0 : ahead == 0 && !flow_tcp_syn_is_unsettled(f, sender))
		return FLOW_TAKES;
	if (f->state < FLOW_OPEN || payload.left > FLOW_PARK_BYTES)
		return FLOW_TAKES_NO_ROOM;
	if (s->parked + overlaps < FLOW_PARK_PER_SIDE && (t->park.free || t->park.fresh < t->park.capacity))
		return FLOW_TAKES;
	return FLOW_TAKES_NO_ROOM;
}

void flow_order(struct flow_table *t, struct flow *f, enum flow_side sender, const struct packet *p,
		struct bytes payload, const struct flow_unseen *unseen, flow_bytes_fn deliver, void *user)
{
	const struct delivery d = {.table = t, .flow = f, .unseen = unseen, .deliver = deliver, .user = user};

	// What no receiver takes as data: odd flags or offset, a RST's payload, no ACK (RFC 9293 §3.10.7.4).
	if (p->transport != TRANSPORT_TCP || p->oddities & (ODDITY_FLAGS | ODDITY_OFFSET) || p->tcp_flags & TCP_RST ||
	    !(p->tcp_flags & (TCP_ACK | TCP_SYN)))
		return;
	if (p->oddities & ODDITY_CUT)
		flow_set_uninspected(t, f, COUNT_TCP_GAP);
	if (payload.left)
		place(&d, sender, p, payload);
	tell_lost_handshake(&d, sender, p);
	// An acknowledgement may free bytes of the other side, and data of this one what the other acknowledged early; and what is freed
	// may be what this one's own data acknowledge.
	if (f->tcp[FLOW_CLIENT].park_head | f->tcp[FLOW_SERVER].park_head) {
		advance(&d, sender);
		advance(&d, !sender);
		if (f->tcp[sender].parked)
			advance(&d, sender);
	}
	flow_tcp_settle_fin(t, f);
}

// What was refused, or is old, stays behind.
static void pass_rest(const struct delivery *d, enum flow_side side)
{
	struct flow_tcp_side *s = &d->flow->tcp[side];
	struct park_segment *e;

	while ((e = segment_at(&d->table->park, s->park_head))) {
		int32_t ahead = seq_ahead(e->seq, s->next_seq);

		if (e->hold == PARK_UNTIL_ACKED || -ahead >= e->bytes) {
			free_segment(&d->table->park, s, &s->park_head);
			continue;
		}
		if (ahead > 0) {
			uninspected(d, COUNT_TCP_GAP);
			s->next_seq = e->seq;
		}
		pass_head(d, side, ahead > 0);
	}
}

// The receiver has acknowledged more than came by here, and nothing behind it has said so.
static void tell_lost_end(const struct delivery *d, enum flow_side side)
{
	const struct flow_tcp_side *s = &d->flow->tcp[side], *peer = &d->flow->tcp[!side];
	int32_t fin = s->seen & TCP_SEEN_FIN && !s->fin ? 1 : 0;

	if (d->flow->flags & FLOW_FLAG_UNINSPECTED || !(peer->seen & TCP_SEEN_ACK) || seq_ahead(peer->acked, s->next_seq) <= fin)
		return;
	uninspected(d, COUNT_TCP_GAP);
	d->deliver(d->user, d->flow, side, bytes_of(NULL, 0), true);
}

void flow_order_end(struct flow_table *t, struct flow *f, flow_bytes_fn deliver, void *user)
{
	const struct delivery d = {.table = t, .flow = f, .deliver = deliver, .user = user};

	if (f->transport != TRANSPORT_TCP || f->state < FLOW_OPEN)
		return;
	pass_rest(&d, FLOW_CLIENT);
	pass_rest(&d, FLOW_SERVER);
	tell_lost_end(&d, FLOW_CLIENT);
	tell_lost_end(&d, FLOW_SERVER);
}
