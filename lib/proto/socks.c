// SPDX-License-Identifier: GPL-2.0-or-later
// SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): the words between client and proxy up to the grant of a CONNECT, behind which another connection begins. Tells nothing but
// that: proto.c recognises what follows. Each side is a machine that takes an octet at a time; whole conversations are shorter than 1,100 octets. Called by the
// flow's worker.
#include "proto_impl.h"

enum {
	VERSION_4 = 4,
	VERSION_5 = 5,
	CONNECT = 1,
	BIND = 2,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	METHOD_LAST = 9,   // of those that IANA has given a number; from METHOD_OWN on private ones
	METHOD_OWN = 0x80,
	ADDRESS_V4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_V6 = 4,
	GRANTED_4 = 90,
	PORT_BYTES = 2,
};

enum step {
	STEP_VERSION, // of either side's first message
	CLIENT_METHODS, CLIENT_WAITS, CLIENT_PASSWORD, CLIENT_USER, CLIENT_SECRET, CLIENT_REQUEST, CLIENT_COMMAND, CLIENT_PORT,
	CLIENT_COMMAND_4, CLIENT_PORT_4, CLIENT_ADDRESS_4, CLIENT_USER_4, CLIENT_NAME_4,
	SERVER_METHOD, SERVER_PASSWORD, SERVER_STATUS, SERVER_REPLY, SERVER_CODE, SERVER_CODE_4,
	STEP_TYPE, STEP_NAME, STEP_OVER, // over: all of the last message but `skip` octets has come
	STEPS
};

struct side {
	uint8_t step;
	uint16_t skip; // octets before the one that step is about
};

struct socks {
	struct side side[2]; // [from_client]
	uint8_t method;      // chosen, version 5
	uint8_t command;
	uint8_t count;       // octets taken of a number, or of an address
	uint16_t port;
	uint32_t address;    // version 4
	uint32_t rest;       // of the segment in hand, behind the grant
	bool early;          // the client went on before it was answered
	bool yes;            // the server's last answer
	bool granted;
};
_Static_assert(sizeof(struct socks) <= PROTO_SMALL_BYTES, "kept in the context");

static bool go(struct side *s, enum step step, unsigned skip)
{
	s->step = (uint8_t)step;
	s->skip = (uint16_t)skip;
	return true;
}

// --- Steps: false where this is no SOCKS ---

static bool take_version(struct socks *k, struct side *s, uint8_t octet)
{
	if (s == &k->side[1])
		return octet == VERSION_4 ? go(s, CLIENT_COMMAND_4, 0) : octet == VERSION_5 && go(s, CLIENT_METHODS, 0);
	return octet == VERSION_5 ? go(s, SERVER_METHOD, 0) : octet == 0 && go(s, SERVER_CODE_4, 0);
}

static bool take_methods(struct socks *k, struct side *s, uint8_t octet)
{
	return go(s, CLIENT_WAITS, octet);
}

// The client's next message hangs on the server's word.
static bool take_method(struct socks *k, struct side *s, uint8_t octet)
{
	if (octet != METHOD_NONE && octet != METHOD_PASSWORD) // none that leaves the stream as it is, or none at all
		return false;
	go(&k->side[1], octet == METHOD_PASSWORD ? CLIENT_PASSWORD : CLIENT_REQUEST, 0);
	return go(s, octet == METHOD_PASSWORD ? SERVER_PASSWORD : SERVER_REPLY, 0);
}

static bool take_password(struct socks *k, struct side *s, uint8_t octet)
{
	return octet == 1 && go(s, CLIENT_USER, 0);
}

static bool take_user(struct socks *k, struct side *s, uint8_t octet)
{
	return go(s, CLIENT_SECRET, octet);
}

static bool take_secret(struct socks *k, struct side *s, uint8_t octet)
{
	return go(s, CLIENT_WAITS, octet);
}

static bool take_server_password(struct socks *k, struct side *s, uint8_t octet)
{
	return octet == 1 && go(s, SERVER_STATUS, 0);
}

static bool take_status(struct socks *k, struct side *s, uint8_t octet)
{
	go(&k->side[1], CLIENT_REQUEST, 0);
	return octet == 0 && go(s, SERVER_REPLY, 0);
}

static bool take_request(struct socks *k, struct side *s, uint8_t octet)
{
	return octet == VERSION_5 && go(s, CLIENT_COMMAND, 0);
}

static bool take_command(struct socks *k, struct side *s, uint8_t octet)
{
	k->command = octet;
	return go(s, STEP_TYPE, 1);
}

static bool take_reply(struct socks *k, struct side *s, uint8_t octet)
{
	return octet == VERSION_5 && go(s, SERVER_CODE, 0);
}

static bool take_code(struct socks *k, struct side *s, uint8_t octet)
{
	k->yes = octet == 0;
	return go(s, STEP_TYPE, 1);
}

static bool behind_address(struct socks *k, struct side *s, unsigned skip)
{
	return s == &k->side[1] ? go(s, CLIENT_PORT, skip) : go(s, STEP_OVER, skip + PORT_BYTES);
}

static bool take_type(struct socks *k, struct side *s, uint8_t octet)
{
	if (octet == ADDRESS_NAME)
		return go(s, STEP_NAME, 0);
	return octet == ADDRESS_V4 ? behind_address(k, s, 4) : octet == ADDRESS_V6 && behind_address(k, s, 16);
}

static bool take_name(struct socks *k, struct side *s, uint8_t octet)
{
	return behind_address(k, s, octet);
}

static bool take_port(struct socks *k, struct side *s, uint8_t octet)
{
	k->port = (uint16_t)(k->port << 8 | octet);
	if (++k->count < PORT_BYTES)
		return true;
	k->count = 0;
	return go(s, s->step == CLIENT_PORT ? STEP_OVER : CLIENT_ADDRESS_4, 0);
}

static bool take_command_4(struct socks *k, struct side *s, uint8_t octet)
{
	k->command = octet;
	return go(s, CLIENT_PORT_4, 0);
}

static bool take_address_4(struct socks *k, struct side *s, uint8_t octet)
{
	k->address = k->address << 8 | octet;
	return ++k->count < 4 || go(s, CLIENT_USER_4, 0);
}

// 4a: an address that cannot be says that a name follows.
static bool take_user_4(struct socks *k, struct side *s, uint8_t octet)
{
	return octet || go(s, k->address && k->address < 256 ? CLIENT_NAME_4 : STEP_OVER, 0);
}

static bool take_name_4(struct socks *k, struct side *s, uint8_t octet)
{
	return octet || go(s, STEP_OVER, 0);
}

static bool take_code_4(struct socks *k, struct side *s, uint8_t octet)
{
	k->yes = octet == GRANTED_4;
	return go(s, STEP_OVER, PORT_BYTES + 4);
}

static bool (*const takes[STEPS])(struct socks *k, struct side *s, uint8_t octet) = {
	[STEP_VERSION] = take_version,       [CLIENT_METHODS] = take_methods,     [CLIENT_PASSWORD] = take_password,
	[CLIENT_USER] = take_user,           [CLIENT_SECRET] = take_secret,       [CLIENT_REQUEST] = take_request,
	[CLIENT_COMMAND] = take_command,     [CLIENT_PORT] = take_port,           [CLIENT_COMMAND_4] = take_command_4,
	[CLIENT_PORT_4] = take_port,         [CLIENT_ADDRESS_4] = take_address_4, [CLIENT_USER_4] = take_user_4,
	[CLIENT_NAME_4] = take_name_4,       [SERVER_METHOD] = take_method,       [SERVER_PASSWORD] = take_server_password,
	[SERVER_STATUS] = take_status,       [SERVER_REPLY] = take_reply,         [SERVER_CODE] = take_code,
	[SERVER_CODE_4] = take_code_4,       [STEP_TYPE] = take_type,             [STEP_NAME] = take_name,
};

// --- Stream ---

// The client does not wait for its answer. Those words may be the tunnel's, or this is no proxy and never answers.
static void note_early(struct socks *k, const struct proto_sink *sink)
{
	if (!k->early)
		proto_mark(sink, COUNT_PROTO_HTTP_TUNNEL);
	k->early = true;
}

static bool is_over(const struct side *s)
{
	return s->step == STEP_OVER && !s->skip;
}

// Both have said all: what follows is carried, if it was granted and nobody was early.
static enum parse end(struct socks *k, size_t rest, const struct proto_sink *sink)
{
	k->rest = (uint32_t)rest;
	k->granted = k->yes && k->command == CONNECT && !k->early;
	if (k->yes && !k->granted && !k->early)
		proto_mark(sink, COUNT_PROTO_HTTP_TUNNEL);
	return PARSE_DONE;
}

static enum parse socks_feed(void *state, const struct proto_input *in, const struct proto_sink *sink)
{
	struct socks *k = state;
	struct side *s = &k->side[in->from_client];
	struct bytes data = in->data, skipped;
	uint8_t octet;

	if (in->gap)
		return PARSE_BAD;
	if (in->from_client && in->from_outside) // names and passwords are logged, by what is no proxy everything
		jndi_scan(data, "payload", in, sink, APP_SOCKS);
	while (data.left) {
		skipped = bytes_head(data, s->skip);
		s->skip = (uint16_t)(s->skip - skipped.left);
		bytes_skip(&data, skipped.left);
		if (!in->from_client && is_over(s) && is_over(&k->side[1]))
			return end(k, data.left, sink);
		if (!data.left)
			break;
		if (s->step == CLIENT_WAITS || s->step == STEP_OVER) { // out of turn
			if (!in->from_client)
				return PARSE_BAD;
			note_early(k, sink);
			return PARSE_MORE;
		}
		bytes_read_u8(&data, &octet);
		if (!takes[s->step](k, s, octet))
			return PARSE_BAD;
	}
	return PARSE_MORE;
}

bool socks_tunnelled(const void *state, struct tunnel_start *start)
{
	const struct socks *k = state;

	*start = (struct tunnel_start){.rest_bytes = k->rest, .port = k->port};
	return k->granted;
}

// --- Recognition ---

static enum probe probe_5(struct bytes data)
{
	struct bytes methods;
	uint8_t count, method;

	if (!bytes_read_u8(&data, &count))
		return PROBE_MAYBE;
	methods = bytes_head(data, count);
	while (bytes_read_u8(&methods, &method))
		if (method > METHOD_LAST && method < METHOD_OWN)
			return PROBE_NO;
	if (count == 0 || count > METHOD_LAST + 1 || data.left > count) // the client has to wait
		return PROBE_NO;
	return data.left == count ? PROBE_YES : PROBE_MAYBE;
}

static enum probe probe_4(struct bytes data)
{
	uint8_t command;
	uint32_t address;
	uint16_t port;
	size_t strings;

	if (!bytes_read_u8(&data, &command))
		return PROBE_MAYBE;
	if (command != CONNECT && command != BIND)
		return PROBE_NO;
	if (!bytes_read_u16(&data, &port) || !bytes_read_u32(&data, &address))
		return PROBE_MAYBE;
	if (!port || !address)
		return PROBE_NO;
	for (strings = address < 256 ? 2 : 1; strings && bytes_find(data, 0) < data.left; strings--)
		data = bytes_from(data, bytes_find(data, 0) + 1);
	if (strings)
		return PROBE_MAYBE;
	return data.left ? PROBE_NO : PROBE_YES;
}

// The server's two octets say nothing for sure.
static enum probe socks_probe(struct bytes data, bool from_client)
{
	uint8_t version;

	if (!bytes_read_u8(&data, &version))
		return PROBE_MAYBE;
	if (!from_client)
		return (version == VERSION_5 || version == 0) && data.left < 10 ? PROBE_MAYBE : PROBE_NO;
	return version == VERSION_5 ? probe_5(data) : version == VERSION_4 ? probe_4(data) : PROBE_NO;
}

const struct proto_ops proto_socks = {
	.name = "socks",
	.app = APP_SOCKS,
	.transport = 6,
	.ports = {1080}, // IANA; others are common
	.state_bytes = sizeof(struct socks),
	.probe = socks_probe,
	.feed = socks_feed,
};
