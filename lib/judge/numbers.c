// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers as evidence: asked at doublings, so that a growing number is told a few times and not each time.
#include "judge_impl.h"

#include "numbers.h"

enum { RARE_OTHERS_MOST = 1, BYTES_FIRST = 1 << 14, BEACON_BITS_MOST = 60 };

static bool is_rare(struct situation *s, struct bytes destination)
{
	struct counts c;

	learn_counts(s->learn, s->device, FEATURE_DESTINATION, destination, s->now_ns, &c);
	return c.org <= RARE_OTHERS_MOST;
}

static unsigned doublings(uint64_t n)
{
	return n ? 63 - (unsigned)__builtin_clzll(n) : 0;
}

static void sent(struct judge *j, struct situation *s, struct bytes destination)
{
	uint64_t bytes = s->o->number[NUM_CLOSE_BYTES_CLIENT], sum[VOLUME_WINDOWS];
	uint64_t what = siphash13(&j->key, destination.at, destination.left);

	learn_bytes_out(s->learn, s->device, destination, bytes, s->now_ns, sum);
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++) {
		if (sum[w] < BYTES_FIRST || doublings(sum[w]) == doublings(sum[w] - bytes))
			continue;
		score_begin(&j->score_room, s, SCORE_BYTES);
		j->score_room.number[NUMBER_BYTES] = sum[w];
		j->score_room.number[NUMBER_WINDOW] = w;
		score_number(j, s, &j->score_room, what + doublings(sum[w]));
	}
}

static void called(struct judge *j, struct situation *s, struct bytes destination)
{
	struct beacon_result r;

	if (!learn_contact(s->learn, s->device, destination, s->now_ns, &r))
		return;
	score_begin(&j->score_room, s, SCORE_BEACON);
	j->score_room.number[NUMBER_PERIOD_MS] = r.period_ms;
	j->score_room.number[NUMBER_JITTER] = r.jitter;
	j->score_room.number[NUMBER_WITHIN] = r.within;
	j->score_room.number[NUMBER_OF] = r.of;
	j->score_room.measured = r.bits < BEACON_BITS_MOST ? r.bits : BEACON_BITS_MOST;
	score_number(j, s, &j->score_room, siphash13(&j->key, destination.at, destination.left) + r.of);
}

static void visited(struct judge *j, struct situation *s, enum fan fan)
{
	struct {
		struct address address;
		uint32_t port;
	} place = {s->endpoint, s->endpoint_port};
	uint32_t count, usual;

	if (!learn_fan_out(s->learn, s->device, fan, bytes_of(&place, sizeof(place)), s->now_ns, &count, &usual))
		return;
	score_begin(&j->score_room, s, SCORE_FAN_OUT);
	j->score_room.number[NUMBER_COUNT] = count;
	j->score_room.number[NUMBER_USUAL] = usual;
	score_number(j, s, &j->score_room, fan * 64 + doublings(count));
}

void numbers_observation(struct judge *j, struct situation *s)
{
	struct bytes destination;
	bool out = s->o->direction == DIRECTION_OUT;

	if (s->o->kind == OBS_FLOW_OPEN && (out || s->o->direction == DIRECTION_LATERAL))
		visited(j, s, out ? FAN_OUTSIDE : FAN_INSIDE);
	if ((s->o->kind != OBS_FLOW_OPEN && s->o->kind != OBS_FLOW_CLOSE) || !out ||
	    !situation_value(s, FEATURE_DESTINATION, &destination) || !is_rare(s, destination))
		return;
	if (s->o->kind == OBS_FLOW_OPEN)
		called(j, s, destination);
	else
		sent(j, s, destination);
}
