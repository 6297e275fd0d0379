// SPDX-License-Identifier: GPL-2.0-or-later
// Shedding inspection, not traffic: while a worker does not keep up, a share of all flows goes by unseen, blocks and cuts apart. Flows fall into slices by a
// keyed hash of their ends, so the others are still seen whole. What went by is counted, said once a second and told of
// each flow that is seen again.
#include "inspect_impl.h"
#include "text.h"

enum {
	LONG_RUN = 16384, // frames: three times what rings hold, so that only who is busy by two thirds takes as many after a pause
	NEXT_RUN = 1024,  // and so many more before the share grows again
	KEPT_BITS = 16,
};
#define CALM_NS (NS_PER_S / 10) // without such a run: the share shrinks by a slice
#define LONGEST_IDLE_MS (FLOW_IDLE_DAYS * 86400000u)
_Static_assert(SHED_KEPT == 1 << KEPT_BITS && SHED_SLICES == 16, "of the uppermost bits");

void shed_init(struct inspect *s)
{
	struct shed *h = &s->shed;

	for (uint64_t i = 0; i < 4; i++)
		h->key[i] = siphash24(&s->config.flow.key, &i, sizeof(i)) | 1;
	h->share = s->config.forward_only ? SHED_SLICES : 0;
	h->why = s->config.forward_only ? COUNT_INSPECTION_OFF : COUNT_INSPECTION_SHED;
}

// Multiply-shift (as for the hints of lib/block); sums of two are the same for both directions.
static inline uint64_t hash_end(const struct shed *h, const uint64_t half[2], uint16_t port)
{
	return (half[0] + h->key[0]) * h->key[1] + ((half[1] ^ port) + h->key[2]) * h->key[3];
}

static uint64_t hash_flow(const struct shed *h, const struct flow *f)
{
	uint64_t client[2], server[2];

	memcpy(client, f->client, sizeof(client));
	memcpy(server, f->server, sizeof(server));
	return hash_end(h, client, __builtin_bswap16(f->client_port)) + hash_end(h, server, __builtin_bswap16(f->server_port));
}

static inline unsigned slice_of(uint64_t hash)
{
	return (unsigned)(hash >> 60);
}

static inline bool is_near(const struct inspect *s, uint8_t family, const void *a, const void *b)
{
	return block_is_near(s->blocks, family, a) || block_is_near(s->blocks, family, b);
}

static inline bool is_kept(const struct shed *h, uint64_t hash)
{
	unsigned at = (unsigned)(hash >> (64 - KEPT_BITS));

	return (h->kept[0][at / 64] | h->kept[1][at / 64]) >> at % 64 & 1;
}

void shed_keep(struct inspect *s, const struct flow *f)
{
	unsigned at = (unsigned)(hash_flow(&s->shed, f) >> (64 - KEPT_BITS));

	s->shed.kept[0][at / 64] |= 1ull << at % 64;
}

static inline bool goes_by(struct inspect *s, const struct frame *f)
{
	struct shed *h = &s->shed;
	struct glance g;
	uint64_t hash;

	if (!decode_glance(f, &g) || is_near(s, g.family, g.source, g.destination))
		return false;
	hash = hash_end(h, g.source, g.source_port) + hash_end(h, g.destination, g.destination_port);
	if (slice_of(hash) >= h->share || is_kept(h, hash))
		return false;
	h->tick[slice_of(hash)] = h->now;
	h->went |= 1u << slice_of(hash);
	return true;
}

static void tell(struct inspect *s, const struct frame *f)
{
	struct packet p = {0};
	struct glance g;

	if (!decode_glance(f, &g))
		return;
	p.source.family = p.destination.family = g.family;
	memcpy(p.source.b, g.source, sizeof(p.source.b));
	memcpy(p.destination.b, g.destination, sizeof(p.destination.b));
	p.source_port = __builtin_bswap16(g.source_port);
	p.destination_port = __builtin_bswap16(g.destination_port);
	p.transport = g.transport;
	s->frame = f;
	s->packet = &p;
	emit_untracked(s, s->shed.why);
	s->frame = NULL;
	s->packet = NULL;
}

uint32_t shed_burst(struct inspect *s, const struct frame *frames, unsigned n)
{
	struct shed *h = &s->shed;
	uint32_t passed = 0;
	uint64_t bytes = 0;
	unsigned last = 0;

	h->now = flow_now(s->flows);
	for (unsigned i = 0; i < n && i < SHED_AHEAD; i++)
		__builtin_prefetch(frames[i].at);
	for (unsigned i = 0; i < n; i++) {
		if (i + SHED_AHEAD < n)
			__builtin_prefetch(frames[i + SHED_AHEAD].at);
		if (!goes_by(s, &frames[i]))
			continue;
		passed |= 1u << i;
		bytes += frames[i].wire_bytes;
		last = i;
	}
	if (!passed)
		return 0;
	n = (unsigned)__builtin_popcount(passed);
	s->frame_number += n;
	count_add(s->counters, COUNT_FRAMES_IN, n);
	count_add(s->counters, COUNT_BYTES_IN, bytes);
	count_add(s->counters, h->why, n);
	s->unix_ns = frames[last].unix_ns;
	if (!s->untracked_ns[h->why] || s->unix_ns - s->untracked_ns[h->why] >= NS_PER_S)
		tell(s, &frames[last]);
	return passed;
}

// Older than the flow's last packet? Ages, because ticks wrap.
static bool is_before(const struct inspect *s, uint32_t tick, const struct flow *f)
{
	uint32_t now = flow_now(s->flows);

	return now - tick > now - f->last;
}

// Since its last packet, may others have gone by? Not where a block could concern it all the while.
static bool may_have_gone_by(const struct inspect *s, const struct flow *f)
{
	const struct shed *h = &s->shed;
	unsigned slice = slice_of(hash_flow(h, f));
	struct glance g;

	if (!(h->went >> slice & 1) || is_before(s, h->tick[slice], f) || f->packets[FLOW_CLIENT] + f->packets[FLOW_SERVER] == 0)
		return false;
	if (f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_REFUSED) && f->flags & FLOW_FLAG_DONE)
		return false;
	if (is_near(s, f->family, f->client, f->server) && is_before(s, h->block_tick, f))
		return false;
	return s->frame && decode_glance(s->frame, &g);
}

void shed_resume(struct inspect *s, struct flow *f, enum flow_side sender)
{
	struct aside a;

	if (!may_have_gone_by(s, f))
		return;
	inspect_uninspected(s, f, s->shed.why);
	a = inspect_aside(s);
	if (f->transport == TRANSPORT_TCP)
		inspect_last_words(s, f);
	inspect_back(s, &a);
	if (f->context)
		proto_close(s->pool, f->context);
	f->context = 0;
	flow_resume(s->flows, f, sender, s->packet);
}

// Cut flows are kept as long as the table may know them. A slice that was long not shed is forgotten before its tick is younger than everything again.
void shed_step(struct inspect *s)
{
	const struct flow_config *c = &s->config.flow;
	const uint64_t idle[] = {c->tcp_open_ns, c->udp_ns, c->other_ns};
	uint64_t longest = 3600 * NS_PER_S;
	struct shed *h = &s->shed;
	uint32_t now;

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		longest = idle[i] > longest ? idle[i] : longest;
	if (s->deadline_ns - h->turned_ns < longest)
		return;
	h->turned_ns = s->deadline_ns;
	memcpy(h->kept[1], h->kept[0], sizeof(h->kept[1]));
	memset(h->kept[0], 0, sizeof(h->kept[0]));
	now = flow_now(s->flows);
	for (unsigned i = 0; i < SHED_SLICES; i++)
		if (now - h->tick[i] > LONGEST_IDLE_MS)
			h->went &= ~(1u << i);
}

static void change_share(struct inspect *s, int by, uint64_t deadline_ns)
{
	s->shed.share += by;
	s->shed.changed_ns = deadline_ns;
}

// Strict again after a panic: what went by then is nobody's fault.
static void shed_nothing(struct shed *h)
{
	h->share = h->went = 0;
	h->run[0] = h->run[1] = 0;
}

void inspect_polled(struct inspect *s, unsigned side, unsigned frames, uint64_t deadline_ns)
{
	struct shed *h = &s->shed;

	if (s->config.forward_only)
		return;
	if (is_refused(s, COUNT_INSPECTION_SHED)) {
		shed_nothing(h);
		return;
	}
	h->run[side] = frames < INSPECT_BURST ? 0 : h->run[side] + frames;
	if (h->run[side] >= (h->share ? NEXT_RUN : LONG_RUN)) {
		h->run[side] = 0;
		change_share(s, h->share < SHED_SLICES, deadline_ns);
	} else if (!h->run[0] && !h->run[1] && h->share && deadline_ns - h->changed_ns >= CALM_NS) {
		change_share(s, -1, deadline_ns);
	}
}
