// SPDX-License-Identifier: GPL-2.0-or-later
// Community ID flow hashing, version 1 (github.com/corelight/community-id-spec): the same flow has the same name in
// Zeek, Suricata and here.
#include "eve_impl.h"

#include "digest.h"


struct pair {
	uint8_t type, answer;
};

// ICMP types that ask, and what answers them: the spec's table. Both directions of such a pair are one flow.
static const struct pair icmp4[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
static const struct pair icmp6[] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {144, 145}, {139, 140}};

static bool counterpart(const struct pair *pairs, size_t count, uint8_t type, uint8_t *out)
{
	for (size_t n = 0; n < count; n++) {
		if (pairs[n].type != type && pairs[n].answer != type)
			continue;
		*out = pairs[n].type == type ? pairs[n].answer : pairs[n].type;
		return true;
	}
	return false;
}

// ICMP has no ports: type and its counterpart take their place, or type and code where nothing answers. Returns whether
// it is one-way.
static bool icmp_ports(const struct eve_tuple *t, uint16_t *source, uint16_t *destination)
{
	bool four = t->transport == TRANSPORT_ICMP;
	uint8_t type = (uint8_t)(t->source_port >> 8), answer = 0;
	bool paired =
		counterpart(four ? icmp4 : icmp6,
			    four ? sizeof(icmp4) / sizeof(icmp4[0]) : sizeof(icmp6) / sizeof(icmp6[0]), type, &answer);

	*source = type;
	*destination = paired ? answer : t->source_port & 0xff;
	return !paired;
}

static uint8_t *put(uint8_t *at, const void *data, size_t n)
{
	memcpy(at, data, n);
	return at + n;
}

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
	uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	return put(at, b, 2);
}

void eve_tuple_id(const struct eve_tuple *t, char out[40])
{
	uint8_t data[2 + 16 + 16 + 2 + 4], sum[20], *at = data;
	size_t n = t->source.family == 4 ? 4 : 16;
	uint16_t source = t->source_port, destination = t->destination_port;
	bool one_way = false, swap;
	int order;

	if (t->transport == TRANSPORT_ICMP || t->transport == TRANSPORT_ICMP6)
		one_way = icmp_ports(t, &source, &destination);
	order = memcmp(t->source.b, t->destination.b, n);
	swap = !one_way && (order > 0 || (order == 0 && source > destination));
	at = put_u16(at, 0); // seed
	at = put(at, swap ? t->destination.b : t->source.b, n);
	at = put(at, swap ? t->source.b : t->destination.b, n);
	*at++ = t->transport;
	*at++ = 0;
	at = put_u16(at, swap ? destination : source);
	at = put_u16(at, swap ? source : destination);
	digest_sha1(data, (size_t)(at - data), sum);
	memcpy(out, "1:", 2);
	base64_encode(sum, sizeof(sum), out + 2, 38);
}

static bool same_tuple(const struct eve_tuple *a, const struct eve_tuple *b)
{
	return a->source_port == b->source_port && a->destination_port == b->destination_port && a->transport == b->transport &&
	       address_equal(&a->source, &b->source) && address_equal(&a->destination, &b->destination);
}

const char *eve_flow_id(struct eve *e, uint64_t flow, const struct eve_tuple *t)
{
	struct eve_id *id = &e->ids[flow % EVE_IDS];
	char text[40];

	if (!address_is_set(&t->source) || t->source.family != t->destination.family)
		return NULL;
	if (same_tuple(&id->tuple, t))
		return id->text;
	eve_tuple_id(t, text);
	id->tuple = *t;
	memcpy(id->text, text, EVE_ID_LENGTH);
	return id->text;
}

void eve_community_id(const struct observation *o, char out[40])
{
	struct eve_tuple t = eve_tuple_of(o);

	eve_tuple_id(&t, out);
}
