// SPDX-License-Identifier: GPL-2.0-or-later
// The desired blocks: what stands, what must never stand, when it ends, who is told. Who asks for one is in decide.c
// (alerts) and people.c. Reads no clock, writes no file, knows neither the wire nor nftables: the hooks do. The brain's
// one thread calls it.
#include "respond_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[BLOCK_STATES] = {
	[BLOCK_WOULD] = "would",     [BLOCK_PENDING] = "pending", [BLOCK_ACTIVE] = "active",
	[BLOCK_EXPIRED] = "expired", [BLOCK_LIFTED] = "lifted",
};

const char *block_state_name(unsigned state)
{
	return state < BLOCK_STATES ? state_names[state] : "?";
}

struct respond *respond_create(uint64_t next_id, const struct respond_hooks *hooks, struct counters *counters)
{
	struct respond *r = calloc(1, sizeof(*r));
	int rc = r ? table_init(&r->table) : -ENOMEM;

	if (rc) {
		free(r);
		errno = -rc;
		return NULL;
	}
	if (hooks)
		r->hooks = *hooks;
	r->counters = counters;
	r->next_id = next_id ? next_id : 1;
	r->soonest_ns = UINT64_MAX;
	return r;
}

void respond_destroy(struct respond *r)
{
	if (!r)
		return;
	table_fini(&r->table);
	free(r);
}

// --- telling the others ---

void respond_tell_block(struct respond *r, const struct block *b)
{
	if (r->counters)
		count(r->counters, COUNT_BRAIN_BLOCKS);
	if (r->hooks.block)
		r->hooks.block(r->hooks.user, b);
}

void respond_tell_unblock(struct respond *r, const struct block *b)
{
	if (r->hooks.unblock)
		r->hooks.unblock(r->hooks.user, b);
}

void respond_tell_changed(struct respond *r, const struct block *b, const char *what)
{
	if (r->hooks.changed)
		r->hooks.changed(r->hooks.user, b, what);
}

void respond_note_end(struct respond *r, uint64_t ns)
{
	if (ns < r->soonest_ns)
		r->soonest_ns = ns;
}

// --- never ---

uint32_t respond_host_bits(const struct address *a)
{
	return a->family == 4 ? 32 : 128;
}

// Do a prefix and a block's target have an address in common?
static bool overlaps(const struct prefix *p, const struct address *a, uint32_t bits)
{
	struct prefix target = {*a, bits};

	return p->address.family == a->family && (prefix_has(p, a) || prefix_has(&target, &p->address));
}

bool respond_never_overlaps(const struct respond *r, const struct address *a, uint32_t bits)
{
	for (uint32_t n = 0; n < r->never_count; n++)
		if (overlaps(&r->never[n], a, bits))
			return true;
	return false;
}

bool respond_is_never(const struct respond *r, const struct address *a)
{
	return !address_is_set(a) || address_is_special(a) || respond_never_overlaps(r, a, respond_host_bits(a));
}

void respond_end_by_lift(struct respond *r, struct block *b, const char *reason, const char *who)
{
	bool was_active = b->state == BLOCK_ACTIVE;

	b->state = BLOCK_LIFTED;
	r->lifted++;
	b->suppress_until_ns = b->expires_ns;
	snprintf(b->reason, sizeof(b->reason), "%s", reason ? reason : "");
	snprintf(b->who, sizeof(b->who), "%s", who ? who : "");
	if (was_active)
		respond_tell_unblock(r, b);
	respond_tell_changed(r, b, "lifted");
}

int respond_never(struct respond *r, const struct prefix *p)
{
	if (!address_is_set(&p->address) || p->bits > respond_host_bits(&p->address))
		return -EINVAL;
	if (r->never_count == NEVER_MOST)
		return -ENOSPC;
	r->never[r->never_count++] = *p;
	// What stands against the new rule must not outlive it.
	for (uint32_t i = 0; i < r->table.count; i++) {
		struct block *b = table_at(&r->table, i);

		if (b->state < BLOCK_EXPIRED && overlaps(p, &b->endpoint, b->endpoint_bits))
			respond_end_by_lift(r, b, "never-block list", "sekimori");
	}
	return 0;
}

static const char *const made_words[BLOCK_STATES] = {
	[BLOCK_WOULD] = "would",
	[BLOCK_PENDING] = "pending",
	[BLOCK_ACTIVE] = "made",
};

// What is known of the target takes a new state (a would-be block becomes a real one) and keeps its id.
struct block *respond_place(struct respond *r, struct block *have, struct block *want, unsigned state)
{
	struct block *b = have;

	want->state = (uint8_t)state;
	want->id = have ? have->id : r->next_id;
	if (have && have->state == BLOCK_LIFTED)
		r->lifted--; // a person thought better of it
	if (have)
		*have = *want;
	else
		b = table_add(&r->table, want);
	if (!b)
		return NULL;
	if (!have)
		r->next_id++;
	respond_note_end(r, b->expires_ns);
	if (state == BLOCK_ACTIVE)
		respond_tell_block(r, b);
	respond_tell_changed(r, b, made_words[state]);
	return b;
}

// --- time ---

struct sweep {
	struct respond *r;
	uint64_t now_ns;
};

static bool has_ended(void *user, struct block *b)
{
	struct sweep *s = user;
	uint64_t end = b->state == BLOCK_LIFTED ? b->suppress_until_ns : b->expires_ns;

	if (s->now_ns < end) {
		respond_note_end(s->r, end);
		return false;
	}
	if (b->state <= BLOCK_ACTIVE) {
		bool was_active = b->state == BLOCK_ACTIVE;

		b->state = BLOCK_EXPIRED;
		if (was_active)
			respond_tell_unblock(s->r, b);
		respond_tell_changed(s->r, b, "expired");
	} else if (b->state == BLOCK_LIFTED) {
		s->r->lifted--;
	}
	return true;
}

void respond_step(struct respond *r, uint64_t now_ns)
{
	struct sweep s = {r, now_ns};

	if (now_ns < r->soonest_ns)
		return;
	r->soonest_ns = UINT64_MAX;
	table_sweep(&r->table, has_ended, &s);
}

static uint64_t moved(uint64_t ns, int64_t by_ns)
{
	if (ns == 0 || (by_ns < 0 && (uint64_t)-by_ns >= ns))
		return ns ? 1 : 0;
	return ns + (uint64_t)by_ns;
}

void respond_clock_set(struct respond *r, int64_t by_ns)
{
	for (uint32_t i = 0; i < r->table.count; i++) {
		struct block *b = table_at(&r->table, i);

		b->made_ns = moved(b->made_ns, by_ns);
		b->expires_ns = moved(b->expires_ns, by_ns);
		b->suppress_until_ns = moved(b->suppress_until_ns, by_ns);
		respond_tell_changed(r, b, "moved");
	}
	for (unsigned i = 0; i < RESPOND_PER_MINUTE; i++)
		r->recent[i] = moved(r->recent[i], by_ns);
	r->soonest_ns = 0; // the next step looks
}

bool respond_bits_fit(const struct address *a, uint32_t bits)
{
	return a->family == 4 ? bits >= 16 && bits <= 32 : bits >= 32 && bits <= 128; // as verdict_check
}

// What stands against a rule that came while nobody ran: the wire may hold it still, and the journal says that it stands.
static int end_protected(struct respond *r, const struct block *b)
{
	struct block ended = *b;

	respond_end_by_lift(r, &ended, "never-block list", "sekimori");
	r->lifted--; // it has no place in the table
	return -EPERM;
}

// The end of what was made then, by a clock that was set back meanwhile: not later from now than it was from when it was made, so that a box that boots in
// 1970 makes nothing endless (fault: reliability.md §5.2).
static uint64_t no_longer(uint64_t made_ns, uint64_t end_ns, uint64_t now_ns)
{
	uint64_t longest = end_ns > made_ns ? end_ns - made_ns : 0;

	if (longest > RESPOND_LONGEST_NS)
		longest = RESPOND_LONGEST_NS;
	return end_ns > now_ns && end_ns - now_ns > longest ? now_ns + longest : end_ns;
}

int respond_restore(struct respond *r, const struct block *b, uint64_t now_ns)
{
	struct target target = target_of(b);
	struct block *have;

	if (b->version != ALERT_VERSION || b->bytes != sizeof(*b) || !b->id || b->state >= BLOCK_STATES ||
	    !address_is_set(&b->endpoint) || !respond_bits_fit(&b->endpoint, b->endpoint_bits))
		return -EINVAL;
	if (b->id >= r->next_id)
		r->next_id = b->id + 1;
	if (b->state == BLOCK_EXPIRED || (b->state == BLOCK_LIFTED && b->suppress_until_ns <= now_ns))
		return 0;
	if (b->state < BLOCK_EXPIRED && respond_never_overlaps(r, &b->endpoint, b->endpoint_bits))
		return end_protected(r, b);
	if (table_find_target(&r->table, &target))
		respond_step(r, now_ns); // that one may be over, and the journal have missed its end
	if (table_find_id(&r->table, b->id) || table_find_target(&r->table, &target))
		return -EEXIST;
	have = table_add(&r->table, b);
	if (!have)
		return -ENOSPC;
	have->expires_ns = no_longer(b->made_ns, have->expires_ns, now_ns);
	have->suppress_until_ns = no_longer(b->made_ns, have->suppress_until_ns, now_ns);
	r->lifted += have->state == BLOCK_LIFTED;
	respond_note_end(r, have->state == BLOCK_LIFTED ? have->suppress_until_ns : have->expires_ns);
	if (have->state == BLOCK_ACTIVE && have->expires_ns > now_ns)
		respond_tell_block(r, have);
	if (have->state == BLOCK_LIFTED) // who lifted it may have died before the wire heard
		respond_tell_unblock(r, have);
	return 0; // one that ended meanwhile is told as expired by the next step
}

struct block *respond_find(struct respond *r, uint64_t id)
{
	return table_find_id(&r->table, id);
}

uint32_t respond_count(const struct respond *r)
{
	return r->table.count;
}

const struct block *respond_at(const struct respond *r, uint32_t i)
{
	return table_at(&r->table, i);
}
