// SPDX-License-Identifier: GPL-2.0-or-later
// What a person may do: block, extend, lift, confirm. Never-block addresses are refused here as well, and nothing is
// without an end.
#include "respond_impl.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>

static void mask(struct address *a, uint32_t bits)
{
	for (uint32_t n = 0; n < 16; n++) {
		uint32_t keep = bits >= (n + 1) * 8 ? 8 : bits > n * 8 ? bits - n * 8 : 0;

		a->b[n] &= (uint8_t)(0xff00u >> keep);
	}
}

static int check_wanted(const struct respond *r, struct block *b, uint64_t now_ns)
{
	if (!address_is_set(&b->endpoint))
		return -EINVAL;
	if (!b->endpoint_bits)
		b->endpoint_bits = respond_host_bits(&b->endpoint);
	if (!respond_bits_fit(&b->endpoint, b->endpoint_bits) || b->expires_ns <= now_ns ||
	    b->expires_ns - now_ns > RESPOND_LONGEST_NS ||
	    (b->transport != 0 && b->transport != TRANSPORT_TCP && b->transport != TRANSPORT_UDP))
		return -EINVAL;
	mask(&b->endpoint, b->endpoint_bits);
	if (address_is_special(&b->endpoint) || respond_never_overlaps(r, &b->endpoint, b->endpoint_bits))
		return -EPERM;
	return 0;
}

int respond_add(struct respond *r, const struct block *want, uint64_t now_ns, uint64_t *id)
{
	struct block b = *want, *have;
	int rc = check_wanted(r, &b, now_ns);
	struct target target = target_of(&b);

	if (rc)
		return rc;
	respond_step(r, now_ns);
	have = table_find_target(&r->table, &target);
	b.version = ALERT_VERSION;
	b.bytes = sizeof(b);
	b.made_ns = now_ns;
	b.frames = b.suppress_until_ns = 0;
	b.extensions = b.length_s = 0;
	b.policy[sizeof(b.policy) - 1] = b.reason[sizeof(b.reason) - 1] = b.who[sizeof(b.who) - 1] = 0;
	if (have && have->state == BLOCK_ACTIVE && have->expires_ns >= b.expires_ns) {
		*id = have->id; // stands already, and longer: nothing is ever shortened
		return 0;
	}
	have = respond_place(r, have, &b, BLOCK_ACTIVE);
	if (!have)
		return -ENOSPC;
	*id = have->id;
	return 0;
}

int respond_extend(struct respond *r, uint64_t id, uint64_t by_ns, uint64_t until_ns, const char *who, uint64_t now_ns)
{
	struct block *b = table_find_id(&r->table, id);
	uint64_t end;

	if (!b || b->state > BLOCK_ACTIVE)
		return -ENOENT;
	if ((by_ns != 0) == (until_ns != 0) || by_ns > RESPOND_LONGEST_NS)
		return -EINVAL;
	end = by_ns ? b->expires_ns + by_ns : until_ns;
	if (end <= b->expires_ns || end <= now_ns || end - now_ns > RESPOND_LONGEST_NS)
		return -EINVAL;
	b->expires_ns = end;
	b->extensions++;
	snprintf(b->who, sizeof(b->who), "%s", who ? who : "");
	if (b->state == BLOCK_ACTIVE)
		respond_tell_block(r, b);
	respond_tell_changed(r, b, "extended");
	return 0;
}

int respond_lift(struct respond *r, uint64_t id, const char *reason, const char *who, uint64_t now_ns)
{
	struct block *b = table_find_id(&r->table, id);

	(void)now_ns;
	if (!b || b->state > BLOCK_ACTIVE)
		return -ENOENT;
	respond_end_by_lift(r, b, reason, who);
	return 0;
}

int respond_confirm(struct respond *r, uint64_t id, const char *who, uint64_t now_ns)
{
	struct block *b = table_find_id(&r->table, id);
	uint64_t ttl, left;

	if (!b || b->state != BLOCK_PENDING || b->expires_ns <= now_ns)
		return -ENOENT;
	if (respond_never_overlaps(r, &b->endpoint, b->endpoint_bits))
		return -EPERM;
	// It takes effect for as long as was proposed, from now on; longer only where a person has said so. That it was proposed for a day makes it no longer.
	left = b->expires_ns - now_ns;
	ttl = b->length_s ? b->length_s * NS_PER_S : b->expires_ns - b->made_ns;
	ttl = left > ttl ? left : ttl;
	b->made_ns = now_ns;
	b->expires_ns = now_ns + (ttl < RESPOND_LONGEST_NS ? ttl : RESPOND_LONGEST_NS);
	b->state = BLOCK_ACTIVE;
	snprintf(b->who, sizeof(b->who), "%s", who ? who : "");
	respond_tell_block(r, b);
	respond_tell_changed(r, b, "made");
	return 0;
}
