// SPDX-License-Identifier: GPL-2.0-or-later
// Shedding inspection, not traffic: while a worker does not keep up, a share of all flows goes by unseen, blocks and cuts apart. Flows fall into slices by a
// keyed hash of their ends, so the others are still seen whole and nobody can choose to be let by. What went by is counted, said once a second and told of
// each flow that is seen again.
#include "inspect_impl.h"
#include "text.h"

enum {
	LONG_RUN = 8192,  // frames: twice what a port's ring holds. A backlog is over sooner, unless as many come as we can take
	NEXT_RUN = 1024,  // and so many more before the share grows again: all goes by before a second ring is full
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
	struct look *l = &s->look[0];

	if (decode_frame(f, DECODE_NO_CHECKSUMS, &l->packet) != DECODE_OK)
		return;
	s->frame = f;
	s->packet = &l->packet;
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

void shed_resume(struct inspect *s, struct flow *f, enum flow_side sender)
{
	const struct shed *h = &s->shed;
	unsigned slice = slice_of(hash_flow(h, f));

	if (!(h->went >> slice & 1) || (int32_t)(h->tick[slice] - f->last) < 0)
		return;
	// Those never go by.
	if (f->flags & (FLOW_FLAG_CUT | FLOW_FLAG_REFUSED | FLOW_FLAG_HELD) || is_near(s, f->family, f->client, f->server))
		return;
	inspect_uninspected(s, f, COUNT_INSPECTION_SHED);
	if (f->context)
		proto_close(s->pool, f->context);
	f->context = 0;
	flow_resume(s->flows, f, sender, s->packet);
}

// Cut flows are kept as long as the table may know them. A slice that was long not shed is forgotten before its tick is younger than everything again.
void shed_step(struct inspect *s)
{
	const uint64_t hour = 3600 * NS_PER_S, idle = s->config.flow.tcp_open_ns;
	struct shed *h = &s->shed;
	uint32_t now;

	if (s->deadline_ns - h->turned_ns < (idle > hour ? idle : hour))
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

void inspect_polled(struct inspect *s, unsigned side, unsigned frames, uint64_t deadline_ns)
{
	struct shed *h = &s->shed;

	if (s->config.forward_only || is_refused(s, COUNT_INSPECTION_SHED))
		return;
	h->run[side] = frames < INSPECT_BURST ? 0 : h->run[side] + frames;
	if (h->run[side] >= (h->share ? NEXT_RUN : LONG_RUN)) {
		h->run[side] = 0;
		change_share(s, h->share < SHED_SLICES, deadline_ns);
	} else if (frames < INSPECT_BURST && h->share && deadline_ns - h->changed_ns >= CALM_NS) {
		change_share(s, -1, deadline_ns);
	}
}
