// SPDX-License-Identifier: GPL-2.0-or-later
// What an alert may do. The ladder (research/reliability.md §3): say it, propose it, cut the flow, refuse endpoint and
// port for a limited time.
#include "respond_impl.h"
#include "text.h"

#include <stdio.h>

#define MINUTE_NS (60ull * 1000000000ull)
#define REPEATS_LONGEST_NS (24ull * 3600 * 1000000000ull) // repeats renew a block up to this long after it was made

// May the endpoint of this alert be blocked at all? Only one outside, never the device itself, and never one that a
// forged source address could have chosen: an inbound datagram proves nothing about who sent it (rule 1 of
// reliability.md §3).
static bool may_block(const struct respond *r, const struct alert *a)
{
	if (a->direction == DIRECTION_LATERAL || a->direction == DIRECTION_TRANSIT)
		return false;
	if (a->transport != TRANSPORT_TCP && (a->transport != TRANSPORT_UDP || a->direction == DIRECTION_IN))
		return false;
	if (address_equal(&a->endpoint, &a->device))
		return false;
	return !respond_is_never(r, &a->endpoint);
}

static bool is_suppressed(const struct respond *r, const struct target *t, uint64_t now_ns)
{
	for (uint32_t i = 0; r->lifted && i < r->table.count; i++) {
		const struct block *b = table_at(&r->table, i);
		struct prefix p = {b->endpoint, b->endpoint_bits};

		if (b->state == BLOCK_LIFTED && now_ns < b->suppress_until_ns && b->endpoint_bits <= t->bits &&
		    prefix_has(&p, &t->endpoint) && (!b->port || b->port == t->port) &&
		    (!b->transport || b->transport == t->transport))
			return true;
	}
	return false;
}

static struct block block_of(const struct alert *a)
{
	uint64_t ttl = a->block_ns ? a->block_ns : RESPOND_DEFAULT_NS;
	struct block b = {.version = ALERT_VERSION,
			  .bytes = sizeof(b),
			  .incident = a->incident,
			  .alert = a->id,
			  .made_ns = a->time_ns,
			  .evidence_ns = a->time_ns,
			  .endpoint = a->endpoint,
			  .endpoint_bits = respond_host_bits(&a->endpoint),
			  .transport = a->transport};

	if (ttl > RESPOND_LONGEST_NS)
		ttl = RESPOND_LONGEST_NS;
	b.expires_ns = a->time_ns + ttl;
	b.length_s = (uint32_t)((ttl + NS_PER_S - 1) / NS_PER_S);
	// Of an inbound flow the endpoint's port is a throw-away one: refusing it would refuse nothing.
	b.port = a->direction == DIRECTION_IN ? 0 : a->endpoint_port;
	snprintf(b.policy, sizeof(b.policy), "%s", a->policy);
	snprintf(b.reason, sizeof(b.reason), "%s", a->policy);
	snprintf(b.who, sizeof(b.who), "sekimori");
	return b;
}

// A scorer gone wild is stopped here: so many new blocks in any 60 s.
static bool over_rate(struct respond *r, uint64_t now_ns)
{
	uint64_t *oldest = &r->recent[r->recent_next % RESPOND_PER_MINUTE];

	if (*oldest && (now_ns < *oldest || now_ns - *oldest < MINUTE_NS))
		return true;
	*oldest = now_ns ? now_ns : 1;
	r->recent_next++;
	return false;
}

static void renew(struct respond *r, struct block *b, const struct block *want)
{
	uint64_t most = b->made_ns + REPEATS_LONGEST_NS;
	uint64_t end = want->expires_ns < most ? want->expires_ns : most;

	if (end <= b->expires_ns)
		return;
	b->expires_ns = end;
	b->extensions++;
	if (b->state == BLOCK_ACTIVE)
		respond_tell_block(r, b);
	respond_tell_changed(r, b, "extended");
}

// The block an alert asks for, in the state its mode allows. NULL: refused.
static struct block *block_for(struct respond *r, const struct alert *a, unsigned state)
{
	struct block want = block_of(a);
	struct target target = target_of(&want);
	struct block *have = table_find_target(&r->table, &target);

	if (!may_block(r, a) || is_suppressed(r, &target, a->time_ns))
		return NULL;
	if (have && have->state <= BLOCK_ACTIVE) {
		if (have->state == state)
			renew(r, have, &want);
		if (have->state >=
		    state) // stands already, made in a stricter mode: it is neither weakened nor prolonged
			return have;
	}
	if (state == BLOCK_ACTIVE && over_rate(r, a->time_ns))
		return NULL;
	return respond_place(r, have, &want, state);
}

struct rung {
	uint8_t block, response, cut_only;
}; // state of a block, what the alert says, what it says without a block
static const struct rung ladder[MODE_COUNT] = {
	[MODE_LEARN] = {BLOCK_WOULD, RESPONSE_WOULD_BLOCK, RESPONSE_WOULD_BLOCK},
	[MODE_OBSERVE] = {BLOCK_WOULD, RESPONSE_WOULD_BLOCK, RESPONSE_WOULD_BLOCK},
	// A cut cannot wait for a person: by then the flow is over. So advise proposes blocks only.
	[MODE_ADVISE] = {BLOCK_PENDING, RESPONSE_PROPOSED, RESPONSE_WOULD_BLOCK},
	[MODE_ENFORCE] = {BLOCK_ACTIVE, RESPONSE_BLOCKED, RESPONSE_CUT},
};

bool respond_may_cut(const struct respond *r, const struct address *endpoint)
{
	return !respond_never_overlaps(r, endpoint, respond_host_bits(endpoint));
}

static void cut(struct respond *r, const struct alert *a, unsigned mode)
{
	if (mode == MODE_ENFORCE && a->wants_cut && r->hooks.cut)
		r->hooks.cut(r->hooks.user, a->flow, a);
}

static void refuse(struct respond *r, struct alert *a)
{
	a->response = RESPONSE_REFUSED;
	if (r->counters)
		count(r->counters, COUNT_BRAIN_BLOCKS_REFUSED);
}

void respond_alert(struct respond *r, struct alert *a, unsigned mode)
{
	const struct rung *rung;
	struct block *b;

	if (a->unproven && mode == MODE_ENFORCE) // learned evidence short of the blocks' budget is for a person to decide
		mode = MODE_ADVISE;
	rung = &ladder[mode < MODE_COUNT ? mode : MODE_OBSERVE];
	a->response = RESPONSE_NONE;
	a->block = 0;
	if (!a->wants_cut && !a->wants_block)
		return;
	respond_step(r, a->time_ns); // so that what has ended is not renewed
	if (a->wants_block) {
		b = block_for(r, a, rung->block);
		if (b) {
			a->block = b->id;
			a->response =
				b->state == BLOCK_ACTIVE && mode == MODE_ADVISE ? RESPONSE_BLOCKED : rung->response;
			cut(r, a, mode);
			return;
		}
		// A flow inside, which no block fits, can still be cut. Everything else that is refused stays
		// untouched.
		if (a->direction != DIRECTION_LATERAL || !a->wants_cut) {
			refuse(r, a);
			return;
		}
	}
	if (!respond_may_cut(r, &a->endpoint)) {
		refuse(r, a);
		return;
	}
	a->response = rung->cut_only;
	cut(r, a, mode);
}

// While a block stands nothing of its target is seen but its dropped frames: they are the repeats.
void respond_attempts(struct respond *r, uint64_t id, uint64_t frames, uint64_t now_ns)
{
	struct block *b = table_find_id(&r->table, id);
	struct block want = {0};
	uint64_t length_ns;

	if (!b || b->state != BLOCK_ACTIVE)
		return;
	b->frames += frames;
	length_ns = b->length_s ? b->length_s * NS_PER_S : RESPOND_DEFAULT_NS;
	want.expires_ns = now_ns + length_ns;
	// So that renewals are few; and what has ended by the clock is over, though no step has come by yet.
	if (b->alert && b->expires_ns > now_ns && b->expires_ns < now_ns + length_ns / 2)
		renew(r, b, &want);
}
