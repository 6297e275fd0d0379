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

enum { PORT_BYTES = 2 + 2 + 1 }; // both ports and the transport

static bool has_ports(uint8_t transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_UDP;
}

// VLAN id 0 says "no VLAN" (a priority tag, IEEE 802.1Q), so it separates nothing.
static __attribute__((noinline)) uint32_t tag_of(const struct flow_table *t, const struct packet *p)
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

// Ports, transport and ends are hashed in an order that does not depend on who sends. Without a branch: nobody could foretell it.
static inline uint64_t chosen(uint64_t mask, uint64_t then, uint64_t otherwise)
{
	return otherwise ^ ((then ^ otherwise) & mask);
}

static inline uint64_t last_word(const struct packet *p, uint64_t mask, uint32_t ports)
{
	return (uint32_t)chosen(mask, ports << 16 | ports >> 16, ports) | (uint64_t)p->transport << 32;
}

// What was written a moment ago is read as wide as it was written: a wider load would wait until the stores are done.
static inline uint64_t absorb_v4(struct siphash_state *s, const struct packet *p, uint32_t ports)
{
	uint64_t a = load32(p->source.b), b = load32(p->destination.b);
	uint64_t tie = ports >> 16 > (ports & 0xffff);
	uint64_t mask = 0 - ((uint64_t)((a << 1 | tie) > b << 1)); // of equal ones the higher port

	siphash_absorb(s, chosen(mask, b, a) | chosen(mask, a, b) << 32, 1);
	return last_word(p, mask, ports);
}

static inline uint64_t absorb_v6(struct siphash_state *s, const struct packet *p, uint32_t ports)
{
	uint64_t a = load64(p->source.b), a2 = load64(p->source.b + 8), b = load64(p->destination.b), b2 = load64(p->destination.b + 8);
	uint64_t tie = ports >> 16 > (ports & 0xffff);
	uint64_t mask = 0 - (uint64_t)(a != b ? a > b : a2 != b2 ? a2 > b2 : tie);

	siphash_absorb(s, chosen(mask, b, a), 1);
	siphash_absorb(s, chosen(mask, b2, a2), 1);
	siphash_absorb(s, chosen(mask, a, b), 1);
	siphash_absorb(s, chosen(mask, a2, b2), 1);
	return last_word(p, mask, ports);
}

// SipHash-1-3 of addresses, ports, transport and the tag if there is one: 13 or 17 bytes of IPv4, 37 or 41 of IPv6, and no two alike.
static inline uint64_t hash_of(const struct flow_table *t, const struct packet *p, uint32_t ports, uint32_t tag)
{
	struct siphash_state s = siphash_begin(&t->key);
	uint64_t last, bytes = PORT_BYTES + (p->source.family == 4 ? 2 * 4 : 2 * 16);

	last = p->source.family == 4 ? absorb_v4(&s, p, ports) : absorb_v6(&s, p, ports);
	if (tag) { // its first three bytes end the word that ports and transport begin
		siphash_absorb(&s, last | (uint64_t)tag << 8 * PORT_BYTES, 1);
		last = tag >> 8 * (8 - PORT_BYTES);
		bytes += sizeof(tag);
	}
	return siphash_finish(&s, last | bytes << 56, 1, 3);
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

bool flow_key_fits(const struct flow *f, const struct packet *p, const struct flow_key *key, enum flow_side *sender)
{
	bool ports = has_ports(p->transport), by_client, by_server;

	if (f->family != p->source.family || f->transport != p->transport || f->tag != key->tag)
		return false;
	// Both ways are compared whole: which it is is a matter of chance, and a branch that is guessed wrongly is dearer than eight loads.
	by_client = (unsigned)same16(f->client, p->source.b) & (unsigned)same16(f->server, p->destination.b);
	by_server = (unsigned)same16(f->server, p->source.b) & (unsigned)same16(f->client, p->destination.b);
	if (ports) {
		by_client &= (f->client_port == p->source_port) & (f->server_port == p->destination_port);
		by_server &= (f->server_port == p->source_port) & (f->client_port == p->destination_port);
	}
	*sender = by_client ? FLOW_CLIENT : FLOW_SERVER;
	return by_client | by_server;
}
