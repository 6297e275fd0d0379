// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet is looked up by: one hash for both directions, over family, ends, transport and a tag of the VLANs and
// tunnels it came in. Keyed throughout. Knows no table beyond its key and size.
#include "flow_impl.h"

struct tag_words { // hashed as memory
	uint16_t vlan[DECODE_TAGS];
	uint16_t tunnels;
	struct {
		uint32_t kind, id;
	} tunnel[DECODE_TUNNELS];
};
_Static_assert(sizeof(struct tag_words) == 24, "no padding: it is hashed as memory");

static bool has_ports(uint8_t transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_UDP;
}

// VLAN id 0 says "no VLAN" (a priority tag, IEEE 802.1Q), so it separates nothing.
static uint32_t tag_of(const struct flow_table *t, const struct packet *p)
{
	struct tag_words words = {.tunnels = p->tunnels};
	unsigned n = 0;
	uint32_t tag;

	for (unsigned i = 0; i < p->vlans && i < DECODE_TAGS; i++)
		if (p->vlan[i])
			words.vlan[n++] = p->vlan[i];
	for (unsigned i = 0; i < p->tunnels && i < DECODE_TUNNELS; i++) {
		words.tunnel[i].kind = p->tunnel[i].kind;
		words.tunnel[i].id = p->tunnel[i].id;
	}
	if (!n && !p->tunnels)
		return 0;
	tag = (uint32_t)siphash13(&t->key, &words, sizeof(words));
	return tag ? tag : 1;
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t x;

	memcpy(&x, at, sizeof(x));
	return x;
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t x;

	memcpy(&x, at, sizeof(x));
	return x;
}

// An order of the ends that does not depend on who sends; any will do.
static bool is_swapped(const struct packet *p, uint32_t ports)
{
	uint64_t source = load64(p->source.b), destination = load64(p->destination.b);

	if (source == destination) { // always so of IPv4's second half
		source = load64(p->source.b + 8);
		destination = load64(p->destination.b + 8);
	}
	if (source != destination)
		return source > destination;
	return ports >> 16 > (ports & 0xffff);
}

// Addresses, ports, transport, tag: the same words whoever sends, in numbers that differ with family and tag or none.
static uint64_t hash_of(const struct flow_table *t, const struct packet *p, uint32_t ports, uint32_t tag)
{
	bool swap = is_swapped(p, ports);
	const uint8_t *low = swap ? p->destination.b : p->source.b, *high = swap ? p->source.b : p->destination.b;
	uint64_t last = (swap ? ports << 16 | ports >> 16 : ports) | (uint64_t)p->transport << 32;
	bool v4 = p->source.family == 4;
	uint64_t words[6];
	size_t n = 0;

	if (v4) {
		words[n++] = load32(low) | (uint64_t)load32(high) << 32;
	} else {
		words[n++] = load64(low);
		words[n++] = load64(low + 8);
		words[n++] = load64(high);
		words[n++] = load64(high + 8);
	}
	words[n++] = last;
	if (tag)
		words[n++] = tag;
	return siphash13_words(&t->key, words, n);
}

// ICMP's type is no port: a question and its answer are one flow.
void flow_key_of(const struct flow_table *t, const struct packet *p, struct flow_key *key)
{
	uint32_t ports = has_ports(p->transport) ? (uint32_t)p->source_port << 16 | p->destination_port : 0;
	uint64_t hash;

	key->tag = p->vlans | p->tunnels ? tag_of(t, p) : 0;
	hash = hash_of(t, p, ports, key->tag);
	key->bucket = (uint32_t)((hash & UINT32_MAX) * t->bucket_count >> 32);
	key->mark = (uint32_t)(hash >> 32);
	key->mark += key->mark == 0; // an empty entry's
	key->candidate = 0;
}

static bool same16(const uint8_t *a, const uint8_t *b)
{
	return ((load64(a) ^ load64(b)) | (load64(a + 8) ^ load64(b + 8))) == 0;
}

static bool ends_are(const struct flow *f, const struct packet *p, bool ports, bool sender_is_client)
{
	const uint8_t *source = sender_is_client ? f->client : f->server;
	const uint8_t *destination = sender_is_client ? f->server : f->client;

	if (ports && (p->source_port != (sender_is_client ? f->client_port : f->server_port) ||
		      p->destination_port != (sender_is_client ? f->server_port : f->client_port)))
		return false;
	return same16(source, p->source.b) && same16(destination, p->destination.b);
}

bool flow_key_fits(const struct flow *f, const struct packet *p, const struct flow_key *key, enum flow_side *sender)
{
	bool ports = has_ports(p->transport);

	if (f->family != p->source.family || f->transport != p->transport || f->tag != key->tag)
		return false;
	if (ends_are(f, p, ports, true))
		*sender = FLOW_CLIENT;
	else if (ends_are(f, p, ports, false))
		*sender = FLOW_SERVER;
	else
		return false;
	return true;
}
