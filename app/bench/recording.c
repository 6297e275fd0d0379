// SPDX-License-Identifier: GPL-2.0-or-later
// See recording.h. Checksums are changed by what changed (RFC 1624), not computed anew.
#include "recording.h"
#include "log.h"
#include "pcap.h"
#include "week.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, FLAG_ACK = 0x10 };

static void *grow(void *at, size_t bytes)
{
	at = realloc(at, bytes);
	if (!at)
		log_fatal("out of memory");
	return at;
}

static bool is_inside(const struct recording *r, const struct address *a)
{
	for (unsigned i = 0; i < r->insides; i++)
		if (prefix_has(&r->inside[i], a))
			return true;
	return false;
}

static void describe(const struct recording *r, const struct packet *p, bool piece, struct recorded *f)
{
	f->port = !is_inside(r, &p->source);
	f->family = p->source.family;
	f->protocol = p->transport;
	f->ip = p->ip_offset;
	f->transport = p->transport_offset;
	f->has_transport =
		!piece && p->transport_offset && !(p->oddities & (ODDITY_OFFSET | ODDITY_LENGTH | ODDITY_TUNNEL));
}

static void take(struct recording *r, const struct frame *from)
{
	struct recorded f = {.offset = r->total, .bytes = from->bytes, .unix_ns = from->unix_ns};
	enum decode_result result;
	struct packet p;

	result = decode_frame(from, true, &p);
	if (from->link != LINK_ETHERNET)
		log_fatal("only captures of Ethernet can be measured with");
	if (p.oddities & (ODDITY_CUT | ODDITY_IP_CHECKSUM | ODDITY_TRANSPORT_CHECKSUM)) {
		r->left_out++;
		return;
	}
	if (result == DECODE_OK || result == DECODE_PIECE)
		describe(r, &p, result == DECODE_PIECE, &f);
	if (r->frames == r->frames_cap) {
		r->frames_cap = r->frames_cap ? 2 * r->frames_cap : 1 << 16;
		r->frame = grow(r->frame, r->frames_cap * sizeof(*r->frame));
	}
	while (r->total + from->bytes > r->cap) {
		r->cap = r->cap ? 2 * r->cap : 1 << 24;
		r->bytes = grow(r->bytes, r->cap);
	}
	memcpy(r->bytes + r->total, from->at, from->bytes);
	r->total += from->bytes;
	r->frame[r->frames++] = f;
}

static void add_inside(struct recording *r, const char *text)
{
	if (r->insides == 8 || prefix_parse(bytes_of_text(text), &r->inside[r->insides]) < 0)
		log_fatal("\"%s\": not a network such as 192.0.2.0/24", text);
	r->insides++;
}

void recording_load(struct recording *r, const char *path, const char *inside, uint64_t days, uint64_t frames_most)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "192.0.2.0/24",
					   "fc00::/7",   "fe80::/10",     "2001:db8:1::/48"};
	char made[WEEK_PATH_BYTES], error[512];
	struct pcap_port *port;
	struct frame f;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		add_inside(r, nets[i]);
	if (inside)
		add_inside(r, inside);
	if (!path)
		week_write(made, days);
	port = pcap_port_open(path ? path : made, error, sizeof(error));
	if (!path)
		unlink(made);
	if (!port)
		log_fatal("%s", error);
	while (r->frames < frames_most && pcap_port_next(port, &f) == 1)
		take(r, &f);
	pcap_port_close(port);
	if (!r->frames)
		log_fatal("no frames");
}

void recording_free(struct recording *r)
{
	free(r->frame);
	free(r->bytes);
}

// Salting keeps an IPv4 address's first and last byte, and an IPv6 address's first six and last eight.
unsigned recording_inside(const struct recording *r, struct prefix out[8])
{
	for (unsigned i = 0; i < r->insides; i++) {
		unsigned most = r->inside[i].address.family == 4 ? 8 : 48;

		out[i] = r->inside[i];
		if (out[i].bits <= most)
			continue;
		memset(out[i].address.b + most / 8, 0, sizeof(out[i].address.b) - most / 8);
		out[i].bits = most;
	}
	return r->insides;
}

static uint32_t sum16(const uint8_t *at, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

// RFC 1624: HC' = ~(~HC + ~m + m'), with sums of the words that changed.
static void fix_checksum(uint8_t *at, uint32_t before, uint32_t after, bool is_udp)
{
	uint64_t sum = (uint16_t) ~((uint32_t)at[0] << 8 | at[1]);
	uint16_t value;

	if (is_udp && !at[0] && !at[1])
		return;
	sum += 0xffffull * 0x10000 - before + after; // a multiple of 0xffff minus m is ~m
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	value = (uint16_t)~sum;
	if (is_udp && !value)
		value = 0xffff;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void add32(uint8_t *at, uint32_t n)
{
	uint32_t v = ((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) + n;

	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void salt_address(uint8_t *at, uint8_t family, uint32_t salt)
{
	uint8_t *place = family == 4 ? at + 1 : at + 6;

	if (family == 4 ? at[0] >= 224 || at[0] == 0 || at[0] == 127 : at[0] >= 0xfe)
		return; // multicast, broadcast, link-local mean something by themselves
	place[0] ^= (uint8_t)(salt >> 8);
	place[1] ^= (uint8_t)salt;
}

// Where the transport's checksum lies, 0 = it has none that addresses are part of.
static size_t checksum_place(const struct recorded *f)
{
	switch (f->protocol) {
	case PROTO_TCP:
		return 16;
	case PROTO_UDP:
		return 6;
	case PROTO_ICMP6:
		return 2;
	default:
		return 0;
	}
}

static void salt_numbers(uint8_t *tcp, uint32_t salt)
{
	uint32_t before = sum16(tcp + 4, 8), n = salt * 0x9e3779b9u;

	add32(tcp + 4, n);
	if (tcp[13] & FLAG_ACK)
		add32(tcp + 8, n);
	fix_checksum(tcp + 16, before, sum16(tcp + 4, 8), false);
}

void recording_salt(const struct recording *r, size_t frame, uint32_t salt, uint8_t *at)
{
	const struct recorded *f = &r->frame[frame];
	size_t addresses = f->ip + (f->family == 4 ? 12u : 8u), n = f->family == 4 ? 8 : 32, place = checksum_place(f);
	uint32_t before, after;

	if (!f->ip || !salt)
		return;
	before = sum16(at + addresses, n);
	salt_address(at + addresses, f->family, salt);
	salt_address(at + addresses + n / 2, f->family, salt);
	after = sum16(at + addresses, n);
	if (f->family == 4)
		fix_checksum(at + f->ip + 10, before, after, false);
	if (!f->has_transport)
		return;
	if (place)
		fix_checksum(at + f->transport + place, before, after, f->protocol == PROTO_UDP);
	if (f->protocol == PROTO_TCP)
		salt_numbers(at + f->transport, salt);
}

void recording_copy(const struct recording *r, size_t frame, uint32_t salt, uint8_t *at)
{
	memcpy(at, r->bytes + r->frame[frame].offset, r->frame[frame].bytes);
	recording_salt(r, frame, salt, at);
}

void feeder_begin(struct feeder *f, uint32_t salt, uint32_t lanes)
{
	f->salt = salt;
	f->lanes = lanes;
	f->lane = 0;
	f->tick = 0;
	f->stagger = f->recording->frames / (2 * lanes) + 1;
}

static bool next(struct feeder *f, size_t *frame, uint32_t *salt)
{
	size_t n = f->recording->frames;

	while (f->tick < n + (f->lanes - 1) * f->stagger) {
		size_t begins = f->lane * f->stagger;

		*frame = f->tick - begins;
		*salt = f->salt + f->lane;
		if (f->tick < begins || ++f->lane == f->lanes) {
			f->lane = 0;
			f->tick++;
		}
		if (*frame < n) // wraps around where the lane has not begun
			return true;
	}
	return false;
}

size_t feeder_fill(struct feeder *f, struct frame *out, size_t most)
{
	size_t used = 0, count = 0, frame = 0;
	uint32_t salt = 0;

	while (count < most && used + FRAME_ROOM <= f->arena_bytes && next(f, &frame, &salt)) {
		const struct recorded *from = &f->recording->frame[frame];

		recording_copy(f->recording, frame, salt, f->arena + used);
		f->now_ns += f->step_ns;
		out[count++] = (struct frame){.at = f->arena + used,
					      .bytes = from->bytes,
					      .wire_bytes = from->bytes,
					      .unix_ns = f->now_ns,
					      .port = from->port,
					      .link = LINK_ETHERNET};
		used += (from->bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
		f->bytes += from->bytes;
	}
	return count;
}
