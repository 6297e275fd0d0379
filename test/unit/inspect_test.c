// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect.h"
#include "wire_draft.h"
#include <check.h>

#define SECOND_NS 1000000000ull

static struct wire_sheet *wire;
static struct brain_sheet *brain;
static struct inspect *inspect;
static struct counters counters;
static struct ring_reader observations;
static struct ring_writer verdicts;
static struct talk talk;
static struct made made;
static uint8_t resets[8][128];
static uint16_t reset_port[8];
static unsigned reset_count;
static uint16_t small_window; // announced instead of 65535

static bool port_is_full; // and takes no reset

static bool transmit(void *user, uint16_t port, const uint8_t *frame, size_t n)
{
	if (port_is_full)
		return false;
	if (reset_count < 8) {
		memcpy(resets[reset_count], frame, n);
		reset_port[reset_count++] = port;
	}
	return true;
}

static void forward_hook(void *user, uint16_t port, const uint8_t *frame, size_t n);

static enum counter refused = COUNTER_COUNT; // the limit whose policy is drop
static bool forward_only;
static const struct prefix *inside; // one network inside beyond what the port says

static void build_sized(const struct prefix *never, unsigned nevers, uint32_t flows, uint32_t contexts)
{
	static const struct siphash_key key = {7, 8};
	struct inspect_config c = {.flow = {.flows = flows, .parked_segments = 64, .key = {1, 2}}, .contexts = contexts, .blocks = 64, .never = never,
				   .never_count = nevers, .forward_only = forward_only, .hooks = {.transmit = transmit, .forward = forward_hook}, .counters = &counters};

	counters = (struct counters){0};
	reset_count = 0;
	wire = calloc(1, wire_sheet_bytes(1));
	brain = calloc(1, sizeof(*brain));
	wire_sheet_init(wire, 1, 1, &key);
	brain_sheet_init(brain);
	brain->mode = MODE_ENFORCE;
	c.inside = inside;
	c.inside_count = inside != NULL;
	c.wire = wire;
	c.brain = brain;
	if (refused != COUNTER_COUNT)
		c.refuse[refused] = true;
	inspect = inspect_create(&c);
	ck_assert_ptr_nonnull(inspect);
	ring_reader_init(&observations, &wire->worker[0].observations, &brain->worker[0].observations, wire->worker[0].slots, SHEET_OBSERVATION_SLOTS);
	ring_writer_init(&verdicts, &brain->worker[0].verdicts, &wire->worker[0].verdicts, brain->worker[0].slots, SHEET_VERDICT_SLOTS);
	talk = talk_new();
}

static void build(const struct prefix *never, unsigned nevers)
{
	build_sized(never, nevers, 1 << 16, 64);
}

static void setup(void)
{
	refused = COUNTER_COUNT;
	build(NULL, 0);
}

static void teardown(void)
{
	inspect_destroy(inspect);
	free(wire);
	free(brain);
}

// Instead of what is there.
static void build_refusing(enum counter limit)
{
	teardown();
	refused = limit;
	build(NULL, 0);
}

static enum inspect_action pass(struct frame *f)
{
	uint64_t flow;
	enum inspect_action a;

	inspect_step(inspect, f->unix_ns, f->unix_ns);
	a = inspect_frame(inspect, f, f->unix_ns, &flow);
	return a;
}

static enum inspect_action say(unsigned side, uint8_t flags, const void *payload, size_t n)
{
	struct frame *f = talk_say(&talk, &made, side, flags, payload, n);

	if (small_window) {
		uint8_t *tcp = made.at + 34;

		wire_be16(tcp + 14, small_window);
		wire_be16(tcp + 16, 0);
		wire_be16(tcp + 16, wire_sum(tcp, 20 + n, wire_pseudo(made.at + 14, 20 + n)));
	}
	return pass(f);
}

static void handshake(void)
{
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
}

// The first observation of that kind, skipping others; false if there is none.
static bool observed(enum observation_kind kind, struct observation *o)
{
	while (ring_pop(&observations, o)) {
		ck_assert(observation_check(o));
		if (o->kind == kind)
			return true;
	}
	return false;
}

static struct verdict block_verdict(uint64_t id, uint16_t port, uint64_t for_ns)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = VERDICT_BLOCK, .transport = TRANSPORT_TCP, .id = id, .endpoint = address_v4(talk.server),
			    .endpoint_bits = 32, .port = port, .expires_ns = talk.now_ns + for_ns};

	return v;
}

static uint32_t reset_seq(unsigned i)
{
	const uint8_t *tcp = resets[i] + 34;

	return (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
}

START_TEST(a_conversation_is_forwarded_and_opens_once)
{
	struct observation o;

	handshake();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	ck_assert_int_eq(o.direction, DIRECTION_OUT);
	ck_assert_int_eq(o.server_port, 1389);
	ck_assert(!observed(OBS_FLOW_OPEN, &o));
}
END_TEST

START_TEST(an_outside_client_is_inward)
{
	struct observation o;

	talk.client_side = 1;
	handshake();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	ck_assert_int_eq(o.direction, DIRECTION_IN);
	ck_assert(address_equal(observation_device(&o), &o.server));
}
END_TEST

START_TEST(a_block_drops_and_resets_both_ends_at_what_they_expect)
{
	struct verdict v;
	struct observation o;

	handshake();
	v = block_verdict(1, 1389, 1000000000);
	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_ACK | TCP_PSH, "hello", 5), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_port[0], 1);       // to the server: the client's first byte it has not got
	ck_assert_uint_eq(reset_seq(0), 1001);
	ck_assert_uint_eq(reset_port[1], 0);       // to the client: the server's next byte
	ck_assert_uint_eq(reset_seq(1), 5001);
	ck_assert(observed(OBS_BLOCKED, &o));
	ck_assert_uint_eq(o.number[NUM_BLOCKED_ID], 1);
	ck_assert_int_eq(say(1, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);         // said once
}
END_TEST

START_TEST(a_cut_and_a_block_together_still_reset_both_ends)
{
	struct verdict block, cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	struct observation o;

	handshake();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	block = block_verdict(1, 1389, 1000000000);
	ck_assert(ring_push(&verdicts, &block));
	ck_assert_int_eq(say(0, TCP_ACK | TCP_PSH, "hello", 5), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_int_eq(say(1, TCP_ACK, "late", 4), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
}
END_TEST

// Whoever expects a cut may send a SYN with every segment: the end that is honest has to hear of the cut first.
START_TEST(a_syn_does_not_undo_a_cut_before_both_ends_were_reset)
{
	struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	struct observation o;
	uint32_t at;

	handshake();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	at = talk.seq[0];
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_seq(0), at);
	talk.seq[0] = at;
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_DROP);
	talk.seq[0] += 100000;
	handshake(); // a new connection
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_FORWARD);
}
END_TEST

// A time server is not asked for leave: what a wall clock is set to ends neither flows nor cuts.
START_TEST(a_wall_clock_that_is_set_ends_no_flow)
{
	struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	uint64_t began = talk.now_ns, flow;
	struct observation o;
	struct frame *f;

	handshake();
	for (unsigned i = 0; i < 2; i++) {
		f = talk_say(&talk, &made, i, TCP_ACK, "hello", 5);
		f->unix_ns += i ? -86400 * SECOND_NS : 86400 * SECOND_NS;
		inspect_step(inspect, talk.now_ns, f->unix_ns);
		ck_assert_int_eq(inspect_frame(inspect, f, talk.now_ns, &flow), INSPECT_FORWARD);
	}
	ck_assert_uint_eq(counters.value[COUNT_TCP_MIDSTREAM], 0);
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	f = talk_say(&talk, &made, 0, TCP_ACK, "hello", 5);
	f->unix_ns += 86400 * SECOND_NS;
	inspect_step(inspect, talk.now_ns, f->unix_ns);
	ck_assert_int_eq(inspect_frame(inspect, f, talk.now_ns, &flow), INSPECT_DROP);
	ck_assert_uint_eq(inspect_flows(inspect), 1);
	inspect_step(inspect, talk.now_ns + 7200 * SECOND_NS, f->unix_ns + 7200 * SECOND_NS); // but time does
	ck_assert_uint_eq(inspect_flows(inspect), 0);
	ck_assert(observed(OBS_FLOW_CLOSE, &o));
	ck_assert_uint_ge(o.number[NUM_CLOSE_START_NS], began + 86400 * SECOND_NS); // as the clock is now
	ck_assert_uint_le(o.number[NUM_CLOSE_START_NS], began + 86400 * SECOND_NS + 1000000);
}
END_TEST

// The other end may still send: one who is done sending only has been cut while he was listening.
START_TEST(a_syn_does_not_undo_a_cut_of_a_connection_that_is_ending_either)
{
	struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
	struct observation o;

	handshake();
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	ck_assert_int_eq(say(0, TCP_ACK | TCP_FIN, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_FORWARD);
	cut.flow = o.flow;
	ck_assert(ring_push(&verdicts, &cut));
	talk.seq[0] += 100000;
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	talk.seq[0] -= 100001;
	ck_assert_int_eq(say(1, TCP_ACK, "and more", 8), INSPECT_DROP);
}
END_TEST

// The frame made last, as PPPoE carries it: of the same flow, but nothing a reset could be made of.
static struct frame *in_pppoe(struct frame *f)
{
	memmove(made.at + 22, made.at + 14, f->bytes - 14);
	memcpy(made.at + 12, "\x88\x64\x11\0\0\1", 6);
	wire_be16(made.at + 18, f->bytes - 14 + 2);
	wire_be16(made.at + 20, 0x0021);
	f->bytes = f->wire_bytes += 8;
	return f;
}

// Where the ends are only a frame tells, and whoever expects the cut may send one that tells it wrongly.
START_TEST(a_frame_that_does_not_tell_where_the_ends_are_uses_up_no_resets)
{
	for (int forged = 0; forged < 2; forged++) {
		struct verdict cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT};
		struct observation o;
		struct frame *f;
		uint32_t at;

		talk.client_port++;
		talk.seq[0] = 1000;
		handshake();
		ck_assert(observed(OBS_FLOW_OPEN, &o));
		cut.flow = o.flow;
		ck_assert(ring_push(&verdicts, &cut));
		at = talk.seq[0];
		f = talk_say(&talk, &made, 0, TCP_ACK, "hello", 5);
		if (forged)
			f->port = 1; // in the client's name, from beside the server
		ck_assert_int_eq(pass(forged ? f : in_pppoe(f)), INSPECT_DROP);
		reset_count = 0;
		talk.seq[0] = at;
		ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
		ck_assert_uint_eq(reset_count, 2);
		ck_assert_uint_eq(reset_port[0], 1);
		ck_assert_uint_eq(reset_seq(0), at);
		ck_assert_uint_eq(reset_port[1], 0);
	}
}
END_TEST

START_TEST(a_block_of_another_port_touches_nothing)
{
	struct verdict v = block_verdict(1, 88, 1000000000);

	ck_assert(ring_push(&verdicts, &v));
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK, "hello", 5), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_block_ends_at_its_deadline_without_anybody)
{
	struct verdict v = block_verdict(1, 1389, 50000000);

	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	talk.now_ns += 60000000;
	talk.client_port++;
	talk.seq[0] = 1000;
	handshake();
}
END_TEST

// The brain reads the clock after the wire did for the burst in hand.
START_TEST(a_block_for_as_long_as_any_may_last_is_taken_in_the_midst_of_a_burst)
{
	struct verdict v = block_verdict(1, 1389, 7ull * 24 * 3600 * 1000000000 + 50000);

	ck_assert(ring_push(&verdicts, &v));
	inspect_step(inspect, talk.now_ns, talk.now_ns);
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_VERDICTS_BAD], 0);
}
END_TEST

START_TEST(a_blocked_syn_from_inside_is_refused_to_its_sender)
{
	struct verdict v = block_verdict(1, 1389, 1000000000);

	ck_assert(ring_push(&verdicts, &v));
	ck_assert_int_eq(say(0, TCP_SYN, NULL, 0), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 1);
	ck_assert_uint_eq(reset_port[0], 0);
}
END_TEST

START_TEST(the_never_block_list_stands_above_verdicts)
{
	struct prefix never = {address_v4((const uint8_t[4]){203, 0, 113, 9}), 32};
	struct verdict v;

	teardown();
	build(&never, 1);
	v = block_verdict(1, 1389, 1000000000);
	ck_assert(ring_push(&verdicts, &v));
	handshake();
	ck_assert_uint_eq(counters.value[COUNT_VERDICTS_NEVER_BLOCK], 1);
}
END_TEST

START_TEST(panic_and_observe_let_everything_through)
{
	struct verdict v = block_verdict(1, 1389, 1000000000);

	ck_assert(ring_push(&verdicts, &v));
	inspect_panic(inspect, true);
	handshake();
	inspect_panic(inspect, false);
	ck_assert_int_eq(say(0, TCP_ACK, "x", 1), INSPECT_DROP);
	brain->mode = MODE_OBSERVE;
	talk.client_port++;
	handshake();
}
END_TEST

START_TEST(nonsense_in_a_verdict_is_counted_and_consumed)
{
	struct verdict v = block_verdict(1, 1389, 1000000000);

	v.kind = 99;
	ck_assert(ring_push(&verdicts, &v));
	v = block_verdict(2, 1389, 1000000000);
	v.endpoint.family = 0;
	ck_assert(ring_push(&verdicts, &v));
	handshake();
	ck_assert_uint_eq(counters.value[COUNT_VERDICTS_BAD], 2);
}
END_TEST

static const uint8_t java_class[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\xca\xfe\xba\xbe\0\0\0\x34\0\x10\x0a\0\3\0\x0d\7\0\x0e";

static void publish_certain(uint8_t needs_exposed)
{
	brain->certain[0] = (struct certain_rule){.fact = FACT_JAVA_CLASS, .direction = DIRECTION_OUT, .from_outside = 1, .needs_exposed = needs_exposed};
	brain->certain_count = 1;
	brain->certain_version = 2;
}

START_TEST(a_certain_fact_is_cut_on_the_packet_that_carries_it)
{
	struct observation o;

	publish_certain(0);
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK, "GET /a.class HTTP/1.1\r\nHost: x\r\n\r\n", 34), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_seq(0), 5001);     // to the client: no byte of the answer has reached it
	ck_assert_uint_eq(reset_seq(1), 1001 + 34);
	ck_assert(observed(OBS_FILE, &o));
	ck_assert(o.flags8 & OBS_FLAG_DROPPED);
	ck_assert(observed(OBS_CUT, &o));
	ck_assert_uint_eq(o.number[NUM_CUT_FACT], FACT_JAVA_CLASS);
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_DROP);
}
END_TEST

START_TEST(a_reset_that_the_port_does_not_take_is_sent_with_a_later_frame)
{
	publish_certain(0);
	handshake();
	ck_assert_int_eq(say(0, TCP_ACK, "GET /a.class HTTP/1.1\r\nHost: x\r\n\r\n", 34), INSPECT_FORWARD);
	port_is_full = true;
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	port_is_full = false;
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], 0);
	ck_assert_int_eq(say(1, TCP_ACK, "more", 4), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], 2);
	ck_assert_uint_eq(reset_count, 2);
	ck_assert_uint_eq(reset_seq(0), 5001); // to the client, which has no byte of what was dropped
	ck_assert_uint_eq(reset_seq(1), 1001 + 34);
}
END_TEST

// The box is one reflector, however many workers it has.
START_TEST(workers_share_the_limit_of_resets)
{
	wire->workers = 4;
	publish_certain(0);
	for (unsigned i = 0; i < INSPECT_RESETS_PER_S; i++) {
		uint64_t now = talk.now_ns;

		talk = talk_new();
		talk.now_ns = now;
		talk.client_port = (uint16_t)(50000 + i);
		handshake();
		say(0, TCP_ACK, "GET /a.class HTTP/1.1\r\nHost: x\r\n\r\n", 34);
		ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
	}
	ck_assert_uint_eq(counters.value[COUNT_RST_SENT], INSPECT_RESETS_PER_S / 4);
}
END_TEST

START_TEST(a_certain_fact_of_an_unexposed_device_is_only_observed)
{
	struct observation o;

	publish_certain(1);
	handshake();
	say(0, TCP_ACK, "GET /a.class HTTP/1.1\r\nHost: x\r\n\r\n", 34);
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_FORWARD);
	ck_assert(observed(OBS_FILE, &o));
	ck_assert(o.facts & FACT_BIT(FACT_JAVA_CLASS));
}
END_TEST

START_TEST(the_first_frame_of_an_unknown_pair_waits_for_its_verdict)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = VERDICT_RELEASE};
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	struct observation o;
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	ck_assert(observed(OBS_HELD, &o));
	ck_assert_uint_eq(o.flow, flow);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_HOLD);
	v.flow = flow;
	ck_assert(ring_push(&verdicts, &v));
	inspect_step(inspect, f->unix_ns, f->unix_ns);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_FORWARD);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_HELD_RELEASED], 1);
}
END_TEST

START_TEST(a_frame_held_under_a_wrong_name_is_inspected_all_the_same)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	struct observation o;
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	publish_certain(0);
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	ck_assert_int_eq(inspect_held(inspect, f, 4711, f->unix_ns), INSPECT_FORWARD);
	ck_assert_int_eq(say(1, TCP_SYN | TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert_int_eq(say(0, TCP_ACK, NULL, 0), INSPECT_FORWARD);
	ck_assert(observed(OBS_FLOW_OPEN, &o));
	ck_assert_int_eq(say(1, TCP_ACK, java_class, sizeof(java_class) - 1), INSPECT_DROP);
}
END_TEST

START_TEST(a_silent_brain_is_not_waited_for)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns - 300000000;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_FORWARD);
}
END_TEST

START_TEST(a_held_frame_is_dropped_when_its_pair_is_blocked_meanwhile)
{
	struct verdict v = block_verdict(1, 1389, 1000000000);
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	v.expires_ns += 1000000000;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	ck_assert(ring_push(&verdicts, &v));
	inspect_step(inspect, f->unix_ns, f->unix_ns);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_DROP);
}
END_TEST

START_TEST(a_held_frame_is_dropped_when_its_flow_is_cut)
{
	struct verdict v = {.size_bytes = sizeof(v), .kind = VERDICT_CUT};
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);
	uint64_t flow;

	brain->hold = 1;
	brain->heartbeat_ns = f->unix_ns;
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
	v.flow = flow;
	ck_assert(ring_push(&verdicts, &v));
	inspect_step(inspect, f->unix_ns, f->unix_ns);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_DROP);
	ck_assert_int_eq(inspect_held(inspect, f, flow, f->unix_ns), INSPECT_DROP); // it was sent twice
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CUT], 2);
	// The next try is asked about anew.
	ck_assert_int_eq(inspect_frame(inspect, f, f->unix_ns, &flow), INSPECT_HOLD);
}
END_TEST

START_TEST(a_full_ring_loses_records_and_says_how_many)
{
	struct observation o;
	uint64_t lost = 0, kept = 0;

	for (unsigned i = 0; i < 20000; i++) {
		talk = talk_new();
		talk.client_port = (uint16_t)(1000 + i);
		talk.client[3] = (uint8_t)(i >> 14);
		handshake();
	}
	while (ring_pop(&observations, &o))
		kept++;
	ck_assert_uint_gt(counters.value[COUNT_OBSERVATIONS_LOST], 0);
	talk.client_port = 7;
	talk.seq[0] = 1;
	handshake();
	while (ring_pop(&observations, &o))
		lost += o.kind == OBS_LOST ? o.number[NUM_LOST_COUNT] : 0;
	ck_assert_uint_eq(lost, counters.value[COUNT_OBSERVATIONS_LOST]);
	ck_assert_uint_eq(kept + lost, counters.value[COUNT_OBSERVATIONS] + counters.value[COUNT_OBSERVATIONS_LOST] - 1);
}
END_TEST

START_TEST(a_wrong_checksum_is_dropped_inline)
{
	struct frame *f = talk_say(&talk, &made, 0, TCP_SYN, NULL, 0);

	made.at[50] ^= 1;
	ck_assert_int_eq(pass(f), INSPECT_DROP);
	ck_assert_uint_eq(counters.value[COUNT_FRAMES_DROPPED_CHECKSUM], 1);
}
END_TEST

#include "inspect_test_hostile.h"
#include "inspect_test_pieces.h"
#include "inspect_test_shed.h"

int main(void)
{
	Suite *s = suite_create("inspect");
	TCase *t = tcase_create("inspect");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_conversation_is_forwarded_and_opens_once);
	tcase_add_test(t, an_outside_client_is_inward);
	tcase_add_test(t, a_block_drops_and_resets_both_ends_at_what_they_expect);
	tcase_add_test(t, a_cut_and_a_block_together_still_reset_both_ends);
	tcase_add_test(t, a_syn_does_not_undo_a_cut_before_both_ends_were_reset);
	tcase_add_test(t, a_wall_clock_that_is_set_ends_no_flow);
	tcase_add_test(t, a_syn_does_not_undo_a_cut_of_a_connection_that_is_ending_either);
	tcase_add_test(t, a_frame_that_does_not_tell_where_the_ends_are_uses_up_no_resets);
	tcase_add_test(t, a_block_of_another_port_touches_nothing);
	tcase_add_test(t, a_block_ends_at_its_deadline_without_anybody);
	tcase_add_test(t, a_block_for_as_long_as_any_may_last_is_taken_in_the_midst_of_a_burst);
	tcase_add_test(t, a_blocked_syn_from_inside_is_refused_to_its_sender);
	tcase_add_test(t, the_never_block_list_stands_above_verdicts);
	tcase_add_test(t, panic_and_observe_let_everything_through);
	tcase_add_test(t, nonsense_in_a_verdict_is_counted_and_consumed);
	tcase_add_test(t, a_certain_fact_is_cut_on_the_packet_that_carries_it);
	tcase_add_test(t, a_reset_that_the_port_does_not_take_is_sent_with_a_later_frame);
	tcase_add_test(t, workers_share_the_limit_of_resets);
	tcase_add_test(t, a_certain_fact_of_an_unexposed_device_is_only_observed);
	tcase_add_test(t, the_first_frame_of_an_unknown_pair_waits_for_its_verdict);
	tcase_add_test(t, a_frame_held_under_a_wrong_name_is_inspected_all_the_same);
	tcase_add_test(t, a_silent_brain_is_not_waited_for);
	tcase_add_test(t, a_held_frame_is_dropped_when_its_pair_is_blocked_meanwhile);
	tcase_add_test(t, a_held_frame_is_dropped_when_its_flow_is_cut);
	tcase_add_test(t, a_full_ring_loses_records_and_says_how_many);
	tcase_add_test(t, a_wrong_checksum_is_dropped_inline);
	suite_add_tcase(s, t);
	suite_add_tcase(s, hostile_case());
	suite_add_tcase(s, pieces_case());
	suite_add_tcase(s, forward_case());
	suite_add_tcase(s, shed_case());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
