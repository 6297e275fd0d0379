// SPDX-License-Identifier: GPL-2.0-or-later
// One frame or datagram through its layers: a loop over readers, each of which names the next. What the layers are stands in link.c, ip.c,
// extension.c, tunnel.c and transport.c; plain.c is the short way for what nearly every frame is. Called by the thread that owns the frame.
#include "decode_impl.h"

// A level is at most a link header, IP, a tunnel's transport and its header
enum { READERS_MOST = (DECODE_TUNNELS + 1) * 4 };

// What cannot be told as a packet is told by the packet around it.
static enum decode_result fall_back(struct walk *w)
{
	uint16_t oddities = w->packet->oddities;

	*w->packet = *w->outer;
	w->packet->oddities |= oddities | ODDITY_TUNNEL;
	return DECODE_OK;
}

static enum decode_result run(struct walk *w, read_fn first)
{
	enum decode_result result = DECODE_OTHER;

	w->next = first;
	for (int i = 0; w->next && i < READERS_MOST; i++) {
		read_fn read = w->next;

		w->next = NULL;
		result = read(w);
	}
	return result == DECODE_OTHER && w->inside ? fall_back(w) : result;
}

static enum decode_result read_frame(const struct frame *f, enum decode_checksums checksums, unsigned opens, struct packet *p)
{
	static const read_fn readers[] = {
		[LINK_ETHERNET] = decode_ethernet, [LINK_RAW] = decode_raw,   [LINK_COOKED] = decode_cooked,
		[LINK_COOKED2] = decode_cooked2,   [LINK_NULL] = decode_null, [LINK_PPP] = decode_ppp,
		[LINK_PPI] = decode_ppi,           [LINK_FDDI] = decode_fddi,
	};
	struct packet outer;
	struct walk w = {
		.frame = f, .packet = p, .outer = &outer, .rest = bytes_of(f->at, f->bytes), .checksums = checksums, .opens = (uint8_t)opens};

	memset(p, 0, sizeof(*p));
	if (f->link >= sizeof(readers) / sizeof(readers[0]))
		return DECODE_OTHER;
	return run(&w, readers[f->link]);
}

enum decode_result decode_frame_general(const struct frame *f, enum decode_checksums checksums, struct packet *p)
{
	return read_frame(f, checksums, DECODE_TUNNELS, p);
}

enum decode_result decode_carrier(const struct frame *f, unsigned i, struct packet *p)
{
	return read_frame(f, DECODE_NO_CHECKSUMS, i, p);
}

enum decode_result decode_frame(const struct frame *f, enum decode_checksums checksums, struct packet *p)
{
	enum decode_result result;

	if (f->link == LINK_ETHERNET && decode_plain(f, checksums, p, &result))
		return result;
	return decode_frame_general(f, checksums, p);
}

enum decode_result decode_datagram(const struct frame *f, uint32_t ip_offset, enum decode_checksums checksums, struct packet *p)
{
	struct packet outer;
	struct walk w = {
		.frame = f, .packet = p, .outer = &outer, .rest = bytes_of(f->at, f->bytes), .checksums = checksums, .opens = DECODE_TUNNELS};

	decode_keep_outer(p);
	if (!bytes_skip(&w.rest, ip_offset))
		return DECODE_MALFORMED;
	return run(&w, decode_raw);
}
