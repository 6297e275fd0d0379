// SPDX-License-Identifier: GPL-2.0-or-later
// One observation in the light of what is known: values and their counts (looked up once, when first asked for), and
// host knowledge.
#include "judge_impl.h"

enum value_state { VALUE_UNSEEN, VALUE_NONE, VALUE_THERE };
enum { RARE_DAYS = 30, RARE_OTHERS = 1 /* research §7: rare(dst) */ };

void situation_init(struct situation *s, struct judge *j, const struct observation *o)
{
	bool in = o->direction == DIRECTION_IN;

	memset(s, 0, offsetof(struct situation, value));
	s->judge = j;
	s->learn = j->learn;
	s->o = o;
	s->now_ns = o->time_ns;
	s->device_address = *observation_device(o);
	s->endpoint = *observation_endpoint(o);
	s->device_port = in ? o->server_port : o->client_port;
	s->endpoint_port = in ? o->client_port : o->server_port;
	if (o->kind == OBS_FILE)
		s->request = requests_find(j, o->flow, o->number[NUM_FILE_TX]);
	if (o->kind == OBS_HTTP_RESPONSE)
		s->request = requests_find(j, o->flow, o->number[NUM_RESPONSE_TX]);
}

static bool joined_value(struct situation *s, unsigned f, struct bytes *out)
{
	const struct request *r = s->request;

	if (f == FEATURE_ENDPOINT && s->o->direction == DIRECTION_IN) {
		*out = bytes_of(&s->endpoint, sizeof(s->endpoint));
		return true;
	}
	if (f == FEATURE_CLIENT && s->o->direction == DIRECTION_IN && s->o->transport == TRANSPORT_TCP_NUMBER) {
		*out = bytes_of(&s->endpoint, sizeof(s->endpoint)); // it is learned when the flow opens
		return true;
	}
	if (!r || s->o->direction != DIRECTION_OUT)
		return false;
	if (f == FEATURE_AGENT)
		*out = bytes_of(r->agent, r->agent_bytes);
	else if (f == FEATURE_AGENT_FAMILY)
		*out = bytes_of(s->room[f],
				learn_agent_family(bytes_of(r->agent, r->agent_bytes), (char *)s->room[f], 128));
	else if (f == FEATURE_HOST && !r->bare)
		*out = bytes_of(s->room[f], learn_host(bytes_of(r->host, r->host_bytes), s->room[f]));
	else
		return false;
	return out->left > 0;
}

bool situation_value(struct situation *s, unsigned f, struct bytes *out)
{
	if (s->value_state[f] == VALUE_UNSEEN) {
		bool there = learn_value(s->learn, s->o, (enum feature)f, s->room[f], &s->value[f]) || joined_value(s, f, &s->value[f]);

		s->value_state[f] = there ? VALUE_THERE : VALUE_NONE;
	}
	if (s->value_state[f] == VALUE_NONE)
		return false;
	*out = s->value[f];
	return true;
}

const struct counts *situation_counts(struct situation *s, unsigned f)
{
	struct bytes value;

	if (!situation_value(s, f, &value))
		return NULL;
	if (!s->counted[f])
		learn_counts(s->learn, s->device, (enum feature)f, value, s->now_ns, &s->counts[f]);
	s->counted[f] = 1;
	return &s->counts[f];
}

bool counts_are_rare(const struct counts *c, uint64_t now_ns)
{
	bool young = c->first_ns == 0 || c->first_ns + RARE_DAYS * JUDGE_DAY_NS > now_ns;

	return young && c->org <= RARE_OTHERS;
}

bool situation_is_bare(const struct situation *s)
{
	const struct observation *o = s->o;
	uint64_t named_ns;

	if ((o->kind == OBS_HTTP_REQUEST || o->kind == OBS_TLS) && !(o->flags8 & OBS_FLAG_BARE_HOST))
		return false;
	if (s->request && !s->request->bare)
		return false;
	named_ns = recent_get(s->learn, RECENT_RESOLVED, &s->device_address, &s->endpoint);
	return named_ns == 0 || named_ns + RESOLVED_NS <= s->now_ns;
}
