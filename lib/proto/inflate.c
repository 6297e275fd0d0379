// SPDX-License-Identifier: GPL-2.0-or-later
// Opens one layer of a compressed body. Knows the three formats' first bytes and when to stop; knows nothing of HTTP, nor of who reads what comes out.
// Work is linear in what goes in and out, both limited. Called by the flow's worker.
#include "inflate.h"

enum step {
	SNIFF, // two bytes say which format it is
	OPEN,
	REPLAY, // it was none: the front is given out again
	PLAIN,  // and then the rest as it comes
	OVER,   // nothing more comes out
};

enum { SNIFF_BYTES = 2, GZIP_WINDOW = 15 + 16, ZLIB_WINDOW = 15, RAW_WINDOW = -15 };

static void *take_from_arena(void *user, unsigned items, unsigned size)
{
	struct inflate *i = user;
	uint64_t bytes = ((uint64_t)items * size + 15) / 16 * 16;
	void *at = i->arena + i->used;

	if (bytes > sizeof(i->arena) - i->used)
		return NULL; // zlib says Z_MEM_ERROR, we say that it is bad
	i->used += (uint32_t)bytes;
	return at;
}

static void give_to_arena(void *user, void *at)
{
}

void inflate_begin(struct inflate *i, enum inflate_coding declared)
{
	memset(i, 0, offsetof(struct inflate, front));
	i->coding = (uint8_t)declared;
	i->step = SNIFF;
}

static void keep_front(struct inflate *i, struct bytes used)
{
	struct bytes part = bytes_head(used, (size_t)(INFLATE_FRONT_BYTES - i->kept));

	i->in += used.left;
	if (part.left)
		memcpy(i->front + i->kept, part.at, part.left);
	i->kept = (uint16_t)(i->kept + part.left);
}

static enum inflate_result give_up(struct inflate *i)
{
	// As long as we still have all of it, it is looked at as it stands.
	i->step = i->in <= INFLATE_FRONT_BYTES ? REPLAY : OVER;
	i->given = 0;
	return INFLATE_BAD;
}

// RFC 1950 §2.2: method 8, a window of at most 32 KiB, and a check.
static bool is_zlib(const uint8_t at[2])
{
	return (at[0] & 0x0f) == 8 && at[0] >> 4 <= 7 && (at[0] << 8 | at[1]) % 31 == 0;
}

// The front has SNIFF_BYTES, or it is all there is.
static enum inflate_result settle(struct inflate *i)
{
	bool gzip = i->kept >= 2 && i->front[0] == 0x1f && i->front[1] == 0x8b,
	     zlib = i->kept >= 2 && !gzip && is_zlib(i->front);
	int window = gzip ? GZIP_WINDOW : zlib ? ZLIB_WINDOW : RAW_WINDOW;

	if (!i->kept) { // nothing at all: that is how some answer without a body
		i->step = OVER;
		return INFLATE_MORE;
	}
	if (i->kept < SNIFF_BYTES || (!gzip && !zlib && i->coding == INFLATE_GZIP))
		return give_up(i);
	i->gzip = gzip;
	i->z.zalloc = take_from_arena;
	i->z.zfree = give_to_arena;
	i->z.opaque = i;
	if (inflateInit2(&i->z, window) != Z_OK)
		return give_up(i);
	i->step = OPEN;
	return gzip == (i->coding == INFLATE_GZIP) ? INFLATE_MORE : INFLATE_BAD;
}

static enum inflate_result sniff(struct inflate *i, struct bytes *in, bool end)
{
	struct bytes part;

	bytes_take(in, bytes_head(*in, (size_t)(SNIFF_BYTES - i->kept)).left, &part);
	keep_front(i, part);
	if (i->kept < SNIFF_BYTES && !end)
		return INFLATE_MORE;
	return settle(i);
}

// zlib has not seen the bytes that were sniffed at: they stand in the front.
static int run(struct inflate *i, struct bytes *in, uint8_t *out, size_t room, size_t *n)
{
	bool sniffed = i->given < SNIFF_BYTES;
	struct bytes from = sniffed ? bytes_of(i->front + i->given, (size_t)(SNIFF_BYTES - i->given)) : *in, used;
	int code;

	i->z.next_in = (Bytef *)from.at; // zlib's interface knows no const; it does not write
	i->z.avail_in = (uInt)from.left;
	i->z.next_out = out;
	i->z.avail_out = (uInt)room;
	code = inflate(&i->z, Z_NO_FLUSH);
	*n = room - i->z.avail_out;
	i->out += *n;
	i->flowed = i->flowed || *n;
	used = bytes_head(from, from.left - i->z.avail_in);
	if (sniffed) {
		i->given = (uint16_t)(i->given + used.left);
		return code;
	}
	keep_front(i, used);
	bytes_skip(in, used.left);
	return code;
}

// RFC 1952 §2.2: members follow each other. What else follows is nobody's.
static enum inflate_result end_member(struct inflate *i, const struct bytes *in)
{
	if (in->left == 0)
		return INFLATE_MORE; // asked again when there is more
	if (!i->gzip || inflateReset(&i->z) != Z_OK) {
		i->step = OVER;
		return INFLATE_BAD;
	}
	i->member = i->in;
	return INFLATE_MORE;
}

static enum inflate_result open_more(struct inflate *i, struct bytes *in, uint8_t *out, size_t room, size_t *n)
{
	int code = run(i, in, out, room, n);

	if (i->out > INFLATE_MOST_BYTES || (i->out > INFLATE_FREE_BYTES && i->out / INFLATE_RATIO > i->in)) {
		i->step = OVER;
		return INFLATE_LIMIT;
	}
	if (code == Z_STREAM_END)
		return end_member(i, in);
	if (code == Z_OK || code == Z_BUF_ERROR)
		return INFLATE_MORE;
	if (!i->member)
		return give_up(i);
	i->step = OVER;
	return INFLATE_BAD;
}

static enum inflate_result plain(struct inflate *i, struct bytes *in, uint8_t *out, size_t room, size_t *n)
{
	struct bytes front = bytes_of(i->front + i->given, (size_t)(i->kept - i->given)), part;

	if (i->step == REPLAY) {
		front = bytes_head(front, room);
		memcpy(out, front.at, front.left);
		i->given = (uint16_t)(i->given + front.left);
		i->step = i->given < i->kept ? REPLAY : PLAIN;
		*n = front.left;
		return INFLATE_MORE;
	}
	bytes_take(in, bytes_head(*in, room).left, &part);
	if (part.left)
		memcpy(out, part.at, part.left);
	*n = part.left;
	return INFLATE_MORE;
}

enum inflate_result inflate_step(struct inflate *i, struct bytes *in, bool end, uint8_t *out, size_t room, size_t *n)
{
	enum inflate_result result = INFLATE_MORE;

	*n = 0;
	if (i->step == OVER) {
		keep_front(i, *in);
		bytes_skip(in, in->left);
		return INFLATE_MORE;
	}
	if (i->step == SNIFF)
		result = sniff(i, in, end);
	if (result != INFLATE_MORE || i->step == SNIFF)
		return result;
	return i->step == OPEN ? open_more(i, in, out, room, n) : plain(i, in, out, room, n);
}

void inflate_keep(struct inflate *i, struct bytes more)
{
	keep_front(i, more);
}

bool inflate_is_plain(const struct inflate *i)
{
	return i->step == REPLAY || i->step == PLAIN;
}

bool inflate_waits(const struct inflate *i)
{
	return i->step == REPLAY || (i->step == OPEN && i->given < SNIFF_BYTES);
}
