// SPDX-License-Identifier: GPL-2.0-or-later
// pcapng, block by block. One block is in memory at a time; those that say nothing of frames are passed over unread. Called by one thread.
#include "pcapng.h"
#include <errno.h>
#include <stdlib.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a, // reads alike in both byte orders
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	BLOCK_FRAME_BYTES = 12, // type, length, and length again at the end
	OPTION_END = 0,
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,
	OPTIONS_MOST = 256, // of an interface that are looked at
	SECOND_NS = 1000000000,
};

struct interface {
	uint64_t units;  // of its times in a second
	int64_t offset;  // seconds added to them
	uint32_t snap;   // 0: no limit
	uint16_t link;
};

struct pcapng {
	FILE *file;
	uint8_t *block; // of the one in hand, what lies between its two lengths
	size_t room;    // of block
	uint64_t last_ns;
	int ended;      // what pcapng_next says from now on, if it is over
	bool over;
	bool swapped;   // the section's byte order is not ours
	bool begun;
	uint32_t count;
	struct interface interface[PCAPNG_INTERFACES];
	char note[128];
};

struct pcapng *pcapng_open(FILE *file)
{
	struct pcapng *p = calloc(1, sizeof(*p));

	if (p)
		p->file = file;
	return p;
}

bool pcapng_begun(const struct pcapng *p)
{
	return p->begun;
}

const char *pcapng_note(const struct pcapng *p)
{
	return p->note;
}

void pcapng_close(struct pcapng *p)
{
	if (!p)
		return;
	free(p->block);
	free(p);
}

static int damaged(struct pcapng *p, const char *what)
{
	snprintf(p->note, sizeof(p->note), "pcapng: %s", what);
	return -EIO;
}

// --- Numbers in the section's byte order ---

static bool read_u16(const struct pcapng *p, struct bytes *b, uint16_t *out)
{
	struct bytes at = bytes_head(*b, 2);

	if (!bytes_skip(b, 2))
		return false;
	memcpy(out, at.at, 2);
	*out = p->swapped ? __builtin_bswap16(*out) : *out;
	return true;
}

static bool read_u32(const struct pcapng *p, struct bytes *b, uint32_t *out)
{
	struct bytes at = bytes_head(*b, 4);

	if (!bytes_skip(b, 4))
		return false;
	memcpy(out, at.at, 4);
	*out = p->swapped ? __builtin_bswap32(*out) : *out;
	return true;
}

static bool read_u64(const struct pcapng *p, struct bytes *b, uint64_t *out)
{
	struct bytes at = bytes_head(*b, 8);

	if (!bytes_skip(b, 8))
		return false;
	memcpy(out, at.at, 8);
	*out = p->swapped ? __builtin_bswap64(*out) : *out;
	return true;
}

// --- Blocks ---

static int read_file(struct pcapng *p, void *out, size_t n)
{
	if (fread(out, 1, n, p->file) == n)
		return 0;
	return damaged(p, ferror(p->file) ? strerror(errno) : "the file ends within a block");
}

static int pass_over(struct pcapng *p, size_t n)
{
	uint8_t part[4096];

	for (size_t now; n > 0; n -= now) {
		now = n < sizeof(part) ? n : sizeof(part);
		if (read_file(p, part, now))
			return -EIO;
	}
	return 0;
}

// Room grows as bytes really come: a length is only a claim.
static int read_body(struct pcapng *p, size_t n)
{
	for (size_t have = 0, now; have < n; have += now) {
		size_t room = p->room ? p->room : 4096;

		while (room < n && room <= have)
			room *= 2;
		if (room > p->room) {
			uint8_t *more = realloc(p->block, room);

			if (!more)
				return damaged(p, strerror(ENOMEM));
			p->block = more;
			p->room = room;
		}
		now = n - have < p->room - have ? n - have : p->room - have;
		if (read_file(p, p->block + have, now))
			return -EIO;
	}
	return 0;
}

// Its byte order stands behind the length, which is read again by it.
static int begin_section(struct pcapng *p, uint32_t *length)
{
	uint32_t magic;

	if (read_file(p, &magic, sizeof(magic)))
		return -EIO;
	if (magic != BYTE_ORDER_MAGIC && __builtin_bswap32(magic) != BYTE_ORDER_MAGIC)
		return damaged(p, "a section without byte order");
	if (p->swapped != (magic != BYTE_ORDER_MAGIC))
		*length = __builtin_bswap32(*length);
	p->swapped = magic != BYTE_ORDER_MAGIC;
	p->begun = true;
	p->count = 0;
	return 0;
}

// What a block that is looked into says: 1 with a frame, 0, or -EIO.
typedef int (*take_fn)(struct pcapng *p, struct bytes body, struct pcapng_frame *out);

static int take_section(struct pcapng *p, struct bytes body, struct pcapng_frame *out);
static int take_interface(struct pcapng *p, struct bytes body, struct pcapng_frame *out);
static int take_old_packet(struct pcapng *p, struct bytes body, struct pcapng_frame *out);
static int take_simple_packet(struct pcapng *p, struct bytes body, struct pcapng_frame *out);
static int take_packet(struct pcapng *p, struct bytes body, struct pcapng_frame *out);

static take_fn find_take(uint32_t type)
{
	static const struct {
		uint32_t type;
		take_fn take;
	} takes[] = {
		{BLOCK_PACKET, take_packet},         {BLOCK_INTERFACE, take_interface},   {BLOCK_SECTION, take_section},
		{BLOCK_OLD_PACKET, take_old_packet}, {BLOCK_SIMPLE_PACKET, take_simple_packet},
	};

	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (takes[i].type == type)
			return takes[i].take;
	return NULL;
}

// 1: a whole block, *take NULL if it was passed over; 0: no more blocks.
static int read_block(struct pcapng *p, take_fn *take, struct bytes *body)
{
	uint8_t head[8] = {0};
	struct bytes b = bytes_of(head, sizeof(head));
	size_t got = fread(head, 1, sizeof(head), p->file), size;
	uint32_t type = 0, length = 0, again;

	if (got == 0 && !ferror(p->file))
		return 0;
	if (got < sizeof(head))
		return damaged(p, ferror(p->file) ? strerror(errno) : "the file ends within a block");
	read_u32(p, &b, &type);
	read_u32(p, &b, &length);
	if (!p->begun && type != BLOCK_SECTION)
		return damaged(p, "no section");
	if (type == BLOCK_SECTION && begin_section(p, &length))
		return -EIO;
	size = type == BLOCK_SECTION ? BLOCK_FRAME_BYTES + 4 : BLOCK_FRAME_BYTES;
	if (length < size || length % 4)
		return damaged(p, "a block of impossible length");
	size = length - size;
	*take = find_take(type);
	if (*take && size > PCAPNG_BLOCK_BYTES)
		return damaged(p, "a block longer than any frame needs");
	if ((*take ? read_body(p, size) : pass_over(p, size)) || read_file(p, &again, sizeof(again)))
		return -EIO;
	if ((p->swapped ? __builtin_bswap32(again) : again) != length)
		return damaged(p, "a block that ends with another length");
	*body = bytes_of(p->block, *take ? size : 0);
	return 1;
}

static int take_section(struct pcapng *p, struct bytes b, struct pcapng_frame *out)
{
	uint16_t major;

	return read_u16(p, &b, &major) && major == 1 ? 0 : damaged(p, "a version that is not 1");
}

// --- Interfaces ---

// 10 or, with the high bit, 2 to the power of what it says. 0: more than 64 bits can hold.
static uint64_t units_of(uint8_t resolution)
{
	uint64_t units = 1;

	if (resolution & 0x80)
		return (resolution & 0x7f) < 64 ? 1ull << (resolution & 0x7f) : 0;
	for (unsigned i = 0; i < resolution && units; i++)
		units = i < 19 ? units * 10 : 0;
	return units;
}

static void read_interface_options(const struct pcapng *p, struct interface *i, struct bytes b)
{
	struct bytes value;
	uint16_t option, length;
	uint64_t offset;

	for (int n = 0; n < OPTIONS_MOST && read_u16(p, &b, &option) && read_u16(p, &b, &length) && option != OPTION_END; n++) {
		if (!bytes_take(&b, length, &value))
			return;
		if (option == OPTION_RESOLUTION && value.left)
			i->units = units_of(value.at[0]);
		else if (option == OPTION_OFFSET && read_u64(p, &value, &offset))
			i->offset = (int64_t)offset;
		b = bytes_from(b, (4 - length % 4) % 4);
	}
}

static int take_interface(struct pcapng *p, struct bytes b, struct pcapng_frame *out)
{
	struct interface i = {.units = 1000000};

	if (!read_u16(p, &b, &i.link) || !bytes_skip(&b, 2) || !read_u32(p, &b, &i.snap))
		return damaged(p, "an interface that is not whole");
	if (p->count == PCAPNG_INTERFACES)
		return damaged(p, "more than 1024 interfaces in a section");
	read_interface_options(p, &i, b);
	if (!i.units)
		return damaged(p, "an interface whose times are finer than 64 bits");
	p->interface[p->count++] = i;
	return 0;
}

// --- Frames ---

// Times that nanoseconds since 1970 cannot hold are the nearest that they can.
static uint64_t to_ns(const struct interface *i, uint64_t time)
{
	__int128 ns = (__int128)((unsigned __int128)time * SECOND_NS / i->units) + (__int128)i->offset * SECOND_NS;

	if (ns < 0)
		return 0;
	return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

static int give(struct pcapng *p, struct bytes b, uint32_t which, uint32_t bytes, uint32_t wire_bytes, struct pcapng_frame *out)
{
	if (which >= p->count)
		return damaged(p, "a frame of an interface that was not described");
	if (bytes > PCAPNG_FRAME_BYTES || !bytes_take(&b, bytes, &out->data))
		return damaged(p, "a frame longer than its block, or than any");
	out->wire_bytes = wire_bytes;
	out->unix_ns = p->last_ns;
	out->link = p->interface[which].link;
	return 1;
}

static int take_any_packet(struct pcapng *p, bool old, struct bytes b, struct pcapng_frame *out)
{
	uint32_t which = 0, high, low, bytes, wire_bytes;
	uint16_t which16;
	bool good = old ? read_u16(p, &b, &which16) && bytes_skip(&b, 2) /* losses */ : read_u32(p, &b, &which);

	if (!good || !read_u32(p, &b, &high) || !read_u32(p, &b, &low) || !read_u32(p, &b, &bytes) || !read_u32(p, &b, &wire_bytes))
		return damaged(p, "a packet that is not whole");
	which = old ? which16 : which;
	if (which < p->count)
		p->last_ns = to_ns(&p->interface[which], (uint64_t)high << 32 | low);
	return give(p, b, which, bytes, wire_bytes, out);
}

static int take_packet(struct pcapng *p, struct bytes b, struct pcapng_frame *out)
{
	return take_any_packet(p, false, b, out);
}

static int take_old_packet(struct pcapng *p, struct bytes b, struct pcapng_frame *out)
{
	return take_any_packet(p, true, b, out);
}

// Of the first interface, whose snapshot length alone says how much of it is padding.
static int take_simple_packet(struct pcapng *p, struct bytes b, struct pcapng_frame *out)
{
	uint32_t wire_bytes, bytes;

	if (!read_u32(p, &b, &wire_bytes))
		return damaged(p, "a packet that is not whole");
	bytes = wire_bytes;
	if (p->count && p->interface[0].snap && p->interface[0].snap < bytes)
		bytes = p->interface[0].snap;
	return give(p, b, 0, bytes, wire_bytes, out);
}

static int next_block(struct pcapng *p, struct pcapng_frame *out)
{
	struct bytes body;
	take_fn take = NULL;
	int got = read_block(p, &take, &body);

	p->over = got != 1;
	if (got == 1)
		got = take ? take(p, body, out) : 0;
	p->over |= got < 0;
	return got;
}

int pcapng_next(struct pcapng *p, struct pcapng_frame *out)
{
	int got = p->ended;

	while (!p->over && (got = next_block(p, out)) == 0)
		;
	if (p->over)
		p->ended = got;
	return got;
}
