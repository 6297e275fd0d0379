// SPDX-License-Identifier: GPL-2.0-or-later
// A parser's test talk: what two sides say to each other, fed whole, cut in two at every byte, and byte by byte, each
// piece ending at an inaccessible page. The observations must be the same each time. Header-only; for test/unit only.
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "proto.h"

enum {
	TALK_CAUGHT = 64,
	TALK_EDGE_BYTES = 1 << 17,
	TALK_EVERY_CUT_BELOW = 2048, // longer lines are cut at every 61st byte and around their ends
};

struct line {
	bool client;
	struct bytes said;
};

struct talk {
	const struct proto_ops *ops;
	struct proto_flow flow;
	const struct line *lines;
	size_t count;
	size_t gap_before; // this line number + 1 comes after a gap; 0 = none
	bool closes;       // both sides close at the end
};

struct caught {
	struct observation o[TALK_CAUGHT];
	size_t count;
	enum parse result;
	struct counters counters;
	bool marked[COUNTER_COUNT]; // by proto_sink.uninspected
};

static inline void talk_catch(void *user, struct observation *o)
{
	struct caught *c = user;

	ck_assert_uint_ge(o->size_bytes, OBSERVATION_HEAD_BYTES);
	ck_assert_uint_le(o->size_bytes, OBSERVATION_BYTES);
	if (c->count < TALK_CAUGHT)
		c->o[c->count] = *o;
	c->count++;
}

static inline void talk_mark(void *user, enum counter why)
{
	struct caught *c = user;

	c->marked[why] = true;
}

// A copy of b whose last byte is the last one that may be read.
static inline struct bytes talk_at_edge(struct bytes b)
{
	static uint8_t *end;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		uint8_t *at =
			mmap(NULL, TALK_EDGE_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(at, MAP_FAILED);
		end = at + TALK_EDGE_BYTES;
		ck_assert_int_eq(mprotect(end, page, PROT_NONE), 0);
	}
	ck_assert_uint_le(b.left, TALK_EDGE_BYTES);
	if (b.left)
		memcpy(end - b.left, b.at, b.left);
	return bytes_of(end - b.left, b.left);
}

struct talk_state {
	const struct talk *talk;
	void *memory;
	struct caught *caught;
	struct lend *lend;
	bool over;
};

static inline struct proto_sink talk_sink(const struct talk_state *s)
{
	return (struct proto_sink){.emit = talk_catch,
				   .user = s->caught,
				   .counters = &s->caught->counters,
				   .lend = s->lend,
				   .uninspected = talk_mark};
}

static inline void talk_feed(struct talk_state *s, const struct line *line, struct bytes piece, bool gap)
{
	const struct proto_flow *flow = &s->talk->flow;
	const struct proto_input in = {
		.data = talk_at_edge(piece),
		.from_client = line->client,
		.gap = gap,
		.from_outside = flow->direction == (line->client ? DIRECTION_IN : DIRECTION_OUT),
		.device_sends = flow->direction == (line->client ? DIRECTION_OUT : DIRECTION_IN),
		.flow = flow,
	};
	const struct proto_sink sink = talk_sink(s);

	if (s->over || (piece.left == 0 && !gap))
		return;
	s->caught->result = s->talk->ops->feed(s->memory, &in, &sink);
	s->over = s->caught->result != PARSE_MORE;
}

// Plays the talk with line `cut_line` cut before byte `cut`; step != 0: every line in pieces of `step` bytes.
static inline void talk_play(const struct talk *talk, size_t cut_line, size_t cut, size_t step, struct caught *out)
{
	struct talk_state s = {.talk = talk, .caught = out};
	struct proto_sink sink;

	s.lend = lend_create((const uint32_t[LEND_KINDS]){[LEND_STATE] = 1, [LEND_WORK] = 2, [LEND_INFLATE] = 4});
	ck_assert_ptr_nonnull(s.lend);
	sink = talk_sink(&s);
	memset(&out->counters, 0, sizeof(out->counters));
	memset(out->marked, 0, sizeof(out->marked));
	s.memory = calloc(1, talk->ops->state_bytes); // exact, so that a sanitizer sees one byte too many
	ck_assert_ptr_nonnull(s.memory);
	out->count = 0;
	out->result = PARSE_MORE;
	for (size_t i = 0; i < talk->count; i++) {
		struct bytes rest = talk->lines[i].said, piece;
		bool gap = talk->gap_before == i + 1;

		for (size_t at = 0; rest.left; at += piece.left, gap = false) {
			piece = rest;
			if (step)
				piece = bytes_head(rest, step);
			else if (i == cut_line && at < cut)
				piece = bytes_head(rest, cut - at);
			bytes_skip(&rest, piece.left);
			talk_feed(&s, &talk->lines[i], piece, gap);
		}
	}
	for (int side = 0; talk->closes && talk->ops->close && !s.over && side < 2; side++)
		talk->ops->close(s.memory, side, &talk->flow, &sink);
	if (talk->ops->release)
		talk->ops->release(s.memory, s.lend);
	for (unsigned i = 0; i < LEND_KINDS; i++)
		ck_assert_uint_eq(lend_count(s.lend, i), 0);
	lend_destroy(s.lend);
	free(s.memory);
}

static inline void talk_expect_same(const struct caught *a, const struct caught *b, size_t line, size_t cut)
{
	ck_assert_msg(a->count == b->count, "cut at %zu.%zu: %zu observations, not %zu", line, cut, b->count, a->count);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		ck_assert_msg(a->counters.value[i] == b->counters.value[i] && a->marked[i] == b->marked[i],
			      "cut at %zu.%zu: %s is %llu, not %llu", line, cut, counter_name(i),
			      (unsigned long long)b->counters.value[i], (unsigned long long)a->counters.value[i]);
	ck_assert_msg(a->result == b->result, "cut at %zu.%zu: result %d, not %d", line, cut, b->result, a->result);
	for (size_t i = 0; i < a->count && i < TALK_CAUGHT; i++)
		ck_assert_msg(a->o[i].size_bytes == b->o[i].size_bytes &&
				      memcmp(&a->o[i], &b->o[i], a->o[i].size_bytes) == 0,
			      "cut at %zu.%zu: observation %zu differs", line, cut, i);
}

// Plays the talk every way. What it yields whole stays in *out.
static inline void talk_check(const struct talk *talk, struct caught *out)
{
	static struct caught other;

	talk_play(talk, 0, 0, 0, out);
	for (size_t i = 0; i < talk->count; i++) {
		size_t n = talk->lines[i].said.left;

		for (size_t cut = 1; cut < n; cut++) {
			if (n >= TALK_EVERY_CUT_BELOW && cut > 64 && cut + 64 < n && cut % 61)
				continue;
			talk_play(talk, i, cut, 0, &other);
			talk_expect_same(out, &other, i, cut);
		}
	}
	for (size_t step = 1; step <= 7; step += 3) {
		talk_play(talk, 0, 0, step, &other);
		talk_expect_same(out, &other, TALK_CAUGHT, step);
	}
}

// The first bytes of a line are recognised, and no shorter part of them is taken for something else.
static inline void talk_expect_probe(const struct proto_ops *ops, struct bytes said, bool client)
{
	struct bytes head = bytes_head(said, PROTO_PROBE_BYTES);

	for (size_t n = 0; n < head.left; n++)
		ck_assert_msg(ops->probe(talk_at_edge(bytes_head(head, n)), client) != PROBE_NO, "no after %zu bytes",
			      n);
	ck_assert_int_eq(ops->probe(talk_at_edge(head), client), PROBE_YES);
}

static inline void talk_expect_text(const struct observation *o, unsigned slot, const char *want)
{
	struct bytes got = observation_text(o, slot);

	ck_assert_msg(bytes_equal_text(got, want), "slot %u is '%.*s', not '%s'", slot, (int)got.left,
		      (const char *)got.at, want);
}

// --- Bytes made by tests ---

struct maker {
	size_t n;
	uint8_t b[TALK_EDGE_BYTES];
};

static inline struct bytes made(const struct maker *m)
{
	return bytes_of(m->b, m->n);
}

static inline void make(struct maker *m, const void *bytes, size_t n)
{
	ck_assert_uint_le(m->n + n, sizeof(m->b));
	if (n)
		memcpy(m->b + m->n, bytes, n);
	m->n += n;
}

static inline void make_text(struct maker *m, const char *text)
{
	make(m, text, strlen(text));
}

// The `octets` low octets of value, highest first.
static inline void make_number(struct maker *m, uint64_t value, unsigned octets)
{
	while (octets--) {
		uint8_t octet = octets < 8 ? (uint8_t)(value >> 8 * octets) : 0;

		make(m, &octet, 1);
	}
}

#define MAKE(m, ...) make(m, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static inline int talk_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
