// SPDX-License-Identifier: GPL-2.0-or-later
// The last requests by flow, so that a response or a file finds its URI and user agent. Sets of eight, the oldest is
// overwritten.
#include "judge_impl.h"

static struct request *request_set(const struct judge *j, uint64_t flow, uint64_t tx)
{
	uint64_t key[2] = {flow, tx};

	return &j->requests[siphash13(&j->key, key, sizeof(key)) % (REQUESTS / REQUEST_WAYS) * REQUEST_WAYS];
}

const struct request *requests_find(const struct judge *j, uint64_t flow, uint64_t tx)
{
	const struct request *set = request_set(j, flow, tx);

	for (unsigned i = 0; i < REQUEST_WAYS; i++)
		if (set[i].time_ns && set[i].flow == flow && set[i].tx == tx)
			return &set[i];
	return NULL;
}

static uint16_t keep(uint8_t *out, size_t cap, struct bytes text)
{
	text = bytes_head(text, cap);
	if (text.left)
		memcpy(out, text.at, text.left);
	return (uint16_t)text.left;
}

void requests_put(struct judge *j, const struct observation *o)
{
	uint64_t tx = o->number[NUM_REQUEST_TX];
	struct request *set = request_set(j, o->flow, tx), *r = set;

	for (unsigned i = 0; i < REQUEST_WAYS; i++) {
		if (set[i].flow == o->flow && set[i].tx == tx) {
			r = &set[i];
			break;
		}
		if (set[i].time_ns < r->time_ns)
			r = &set[i];
	}
	r->flow = o->flow;
	r->tx = tx;
	r->time_ns = o->time_ns;
	r->bare = (o->flags8 & OBS_FLAG_BARE_HOST) != 0;
	r->method_bytes = keep(r->method, sizeof(r->method), observation_text(o, TEXT_REQUEST_METHOD));
	r->uri_bytes = keep(r->uri, sizeof(r->uri), observation_text(o, TEXT_REQUEST_URI));
	r->host_bytes = keep(r->host, sizeof(r->host), observation_text(o, TEXT_REQUEST_HOST));
	r->agent_bytes = keep(r->agent, sizeof(r->agent), observation_text(o, TEXT_REQUEST_AGENT));
}

bool judge_request_of(const struct judge *j, uint64_t flow, uint64_t tx, struct judge_request *out)
{
	const struct request *r = requests_find(j, flow, tx);

	if (!r)
		return false;
	memset(out, 0, sizeof(*out));
	text_printable(bytes_of(r->method, r->method_bytes), out->method, sizeof(out->method));
	text_printable(bytes_of(r->uri, r->uri_bytes), out->uri, sizeof(out->uri));
	text_printable(bytes_of(r->host, r->host_bytes), out->host, sizeof(out->host));
	text_printable(bytes_of(r->agent, r->agent_bytes), out->agent, sizeof(out->agent));
	out->time_ns = r->time_ns;
	return true;
}
