// SPDX-License-Identifier: GPL-2.0-or-later
// Is a verdict well-formed? Knows ranges only; whether a block is wise is decided by the brain, whether it is allowed
// by the never-block list. Called by the wire on its private copy.
#include "verdict.h"

enum { SHORTEST_PREFIX_V4 = 16, SHORTEST_PREFIX_V6 = 32, TRANSPORT_ANY = 0, TRANSPORT_TCP = 6, TRANSPORT_UDP = 17 };

static bool check_endpoint(const struct verdict *v)
{
	struct prefix p = {v->endpoint, v->endpoint_bits};

	return prefix_is_well_formed(&p) && p.bits >= (p.address.family == 4 ? SHORTEST_PREFIX_V4 : SHORTEST_PREFIX_V6);
}

static bool check_block(const struct verdict *v, uint64_t now_ns)
{
	if (v->id == 0 || !check_endpoint(v))
		return false;
	if (v->transport != TRANSPORT_ANY && v->transport != TRANSPORT_TCP && v->transport != TRANSPORT_UDP)
		return false;
	if (!address_is_well_formed(&v->device))
		return false;
	if (address_is_set(&v->device) && v->device.family != v->endpoint.family)
		return false;
	return v->expires_ns > now_ns && v->expires_ns - now_ns <= VERDICT_LONGEST_NS;
}

static bool check_unblock(const struct verdict *v, uint64_t now_ns)
{
	return v->id != 0;
}

// Any flow id is in range: one that has ended is looked up and not found.
static bool check_flow(const struct verdict *v, uint64_t now_ns)
{
	return true;
}

bool verdict_check(const struct verdict *v, uint64_t now_ns)
{
	static bool (*const check_by_kind[VERDICT_KINDS])(const struct verdict *v, uint64_t now_ns) = {
		[VERDICT_BLOCK] = check_block,
		[VERDICT_UNBLOCK] = check_unblock,
		[VERDICT_CUT] = check_flow,
		[VERDICT_RELEASE] = check_flow,
	};
	static const uint64_t none[sizeof(v->reserved) / sizeof(v->reserved[0])];

	if (v->size_bytes != sizeof(*v) || v->zero || v->zero2 || memcmp(v->reserved, none, sizeof(none)) != 0)
		return false;
	return v->kind < VERDICT_KINDS && check_by_kind[v->kind] && check_by_kind[v->kind](v, now_ns);
}
