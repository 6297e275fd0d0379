// SPDX-License-Identifier: GPL-2.0-or-later
// Shared by the files of this room only.
#pragma once
#include "inspect.h"

struct look { // what one frame of a burst is
	struct packet packet;
	struct flow_key key; // DECODE_OK
	enum decode_result result;
};

enum shed_limits {
	SHED_SLICES = 16,
	SHED_KEPT = 1 << 16, // bits
	SHED_AHEAD = 8,      // frames asked for before they are glanced at
};

struct shed { // what goes by unseen because the worker does not keep up, or is told to look at nothing
	uint64_t key[4];            // odd
	uint32_t share;             // slices that go by: the first so many
	enum counter why;
	uint32_t went;              // bit a slice: packets of it went by, the last at tick[]
	uint32_t tick[SHED_SLICES]; // flow_now
	uint32_t now;               // the same of this burst
	uint32_t block_tick;        // and of the last block that came: before it, who it concerns may have gone by
	uint64_t kept[2][SHED_KEPT / 64]; // by hash: cut and refused flows, which do not go by; the first is of this hour, the other of the one before
	uint64_t turned_ns;         // when they were
	uint32_t run[2];            // by side: frames that came in full bursts without a pause
	uint64_t changed_ns;        // when the share did, or was to
};

struct inspect {
	struct inspect_config config;
	struct counters *counters;
	struct defrag *defrag;
	struct flow_table *flows;
	struct proto_pool *pool;
	struct block_table *blocks;
	struct ring_writer out;
	struct ring_reader in;
	struct proto_sink sink;
	bool panic;
	// The frame under inspection; meaningful inside inspect_frame only.
	const struct frame *frame;
	const struct packet *packet;
	const struct flow_key *key;
	struct flow *flow;
	struct proto_flow ends;      // of `flow`
	uint64_t deadline_ns;
	bool in_pieces;              // it is a datagram put together, whose frames leave as they came
	bool cut;                    // a certain fact on this frame: drop it, end the flow
	uint64_t frame_number;
	uint64_t unix_ns;            // of the last frame or step
	// Observations out.
	uint64_t sequence;
	uint64_t lost;               // since the last one that fitted
	// Certain facts: a private copy, refreshed when the published version changes.
	uint32_t certain_version, certain_count;
	struct certain_rule certain[SHEET_CERTAIN];
	// Token bucket for resets.
	uint64_t reset_refill_ns;
	uint32_t reset_tokens;
	uint64_t untracked_ns[COUNTER_COUNT]; // when a packet without a flow was last said to go by unseen
	struct look look[INSPECT_BURST];
	struct shed shed;
};

// inspect.c. What a flow says besides, on its way out, never cuts the frame under inspection, which may be another flow's: between these two there is none.
struct aside {
	const struct frame *frame;
	struct flow *flow;
	bool cut;
};
struct aside inspect_aside(struct inspect *s);
void inspect_back(struct inspect *s, const struct aside *a);

// frame.c
enum inspect_action inspect_untracked(struct inspect *s, enum counter why);
enum inspect_action inspect_decoded(struct inspect *s, const struct look *l, uint64_t *held); // any result but DECODE_PIECE

// pieces.c. A fragment that may pass as such. Changes *l.
enum inspect_action inspect_piece(struct inspect *s, struct look *l);
// Is a sum of a fragment, or of what carries it, wrong, and so the fragment dropped (counted)? Replay only counts.
bool piece_has_wrong_sum(struct inspect *s, const struct packet *p);

// stations.c
bool is_inside(const struct inspect *s, const struct address *a);
enum inspect_action inspect_stations(struct inspect *s, uint64_t *held);

// payload.c
void describe_flow(const struct flow *f, struct proto_flow *out);
void inspect_payload(struct inspect *s, struct flow *f, enum flow_side sender, const bool fin_before[2]);
// A TCP flow ends, however: what of it was not read to its end is told. Changes s->flow.
void inspect_last_words(struct inspect *s, struct flow *f);
// What its parser passes over; NULL: nothing.
const struct flow_unseen *unseen_of(const struct inspect *s, const struct flow *f, enum flow_side side, struct bytes payload,
				    struct flow_unseen *out);
// From here on bytes of the flow go by unseen: told once. The limit's policy may refuse the flow.
void inspect_uninspected(struct inspect *s, struct flow *f, enum counter why);
void partly_uninspected(void *user, enum counter why); // proto_sink's
bool is_refused(const struct inspect *s, enum counter why);
bool flow_is_refused(const struct inspect *s, const struct flow *f);

// shed.c
void shed_init(struct inspect *s);
void shed_step(struct inspect *s);
// Which of up to INSPECT_BURST frames go by unseen, a bit each; they are counted and said.
uint32_t shed_burst(struct inspect *s, const struct frame *frames, unsigned n);
// It is cut or refused: its packets never go by.
void shed_keep(struct inspect *s, const struct flow *f);
static inline void cut_flow(struct inspect *s, struct flow *f)
{
	f->flags |= FLOW_FLAG_CUT;
	shed_keep(s, f);
}
// An older flow's packet, before it is counted: where others may have gone by since its last one, the flow is flagged and taken up anew from here.
void shed_resume(struct inspect *s, struct flow *f, enum flow_side sender);

// emit.c
void emit(struct inspect *s, struct flow *f, struct observation *o);
void emit_flow_open(struct inspect *s, struct flow *f);
void emit_flow_close(struct inspect *s, struct flow *f, enum flow_end why);
void emit_simple(struct inspect *s, struct flow *f, enum observation_kind kind, uint64_t n0, uint64_t n1);
// A packet without a flow goes by unseen: said once a second for each reason.
void emit_untracked(struct inspect *s, enum counter why);
// So many frames were dropped by it, the last of that flow. NULL: of none.
void emit_blocked(struct inspect *s, struct flow *f, const struct block_entry *b);
void emit_from_parser(void *user, struct observation *o);

// enforce.c
bool enforce_on(const struct inspect *s);
bool enforce_brain_alive(const struct inspect *s);
void enforce_refresh_certain(struct inspect *s);
const struct certain_rule *enforce_certain(const struct inspect *s, const struct flow *f, const struct observation *o);
struct block_entry *enforce_block(struct inspect *s, const struct flow *f, enum flow_side sender);
// For packets without a flow: is it blocked, and so dropped (counted)?
bool enforce_drop_untracked(struct inspect *s);
// Is a packet blocked that carries the one under inspection in a tunnel, and so both dropped (counted)? The flow inside is not to suffer: anybody may wrap a packet
// that is of it.
bool enforce_drop_carried(struct inspect *s);
// For packets whose transport was not reached, so that no block of a transport or port can be asked about: dropped (counted) where any may concern their ends.
bool enforce_drop_unknown(struct inspect *s);
bool enforce_resets(struct inspect *s, const struct flow *f, enum flow_side sender, const uint32_t next_seq[2]);
void enforce_refuse_open(struct inspect *s);
// The frame is dropped by it; f NULL: without a flow. Told once a second.
void enforce_count_block(struct inspect *s, struct flow *f, struct block_entry *b);
void enforce_verdicts(struct inspect *s);
bool enforce_should_hold(const struct inspect *s, const struct flow *f);

// The clock by which flows age. A wall clock that is set ahead would end them all, and with them what was cut; in replay there is no other.
static inline uint64_t flow_time(const struct inspect *s)
{
	return s->config.replay ? s->unix_ns : s->deadline_ns;
}

// The ends of a flow by place: the inside device and the other one.
static inline struct address flow_device(const struct flow *f)
{
	return f->direction == DIRECTION_IN ? flow_server(f) : flow_client(f);
}

static inline struct address flow_endpoint(const struct flow *f)
{
	return f->direction == DIRECTION_IN ? flow_client(f) : flow_server(f);
}
