// SPDX-License-Identifier: GPL-2.0-or-later
// Classic pcap (draft-ietf-opsawg-pcap), read into one buffer from which frames are lent. Called by one thread.
#include "classic.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAGIC_MICRO = (int)0xa1b2c3d4,
	MAGIC_NANO = (int)0xa1b23c4d,
	FILE_HEAD_BYTES = 24,
	RECORD_HEAD_BYTES = 16,
	VERSION_MAJOR = 2,
	VERSION_MINOR = 4, // older ones mean other things by their fields
	NETWORK_ETHERNET = 1,
	ROOM_BYTES = RECORD_HEAD_BYTES + CLASSIC_FRAME_BYTES + CLASSIC_READ_BYTES,
};

struct classic {
	int fd;
	bool swapped;         // the file's byte order is not ours
	uint32_t fraction_ns; // of a second
	uint32_t snap;
	size_t from, to;      // of room: read and not yet given
	int over;             // 1: going on; else what classic_next says from now on
	const char *note;
	uint8_t room[ROOM_BYTES];
};

static uint32_t u32(const struct classic *c, const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return c->swapped ? __builtin_bswap32(v) : v;
}

static bool head_is_known(struct classic *c, const uint8_t head[FILE_HEAD_BYTES])
{
	uint32_t magic = u32(c, head), version;

	c->swapped = magic == __builtin_bswap32((uint32_t)MAGIC_MICRO) || magic == __builtin_bswap32((uint32_t)MAGIC_NANO);
	magic = u32(c, head);
	version = u32(c, head + 4); // two numbers of 16 bits, in the file's order
	if (c->swapped != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
		version = version << 16 | version >> 16;
	if (magic != (uint32_t)MAGIC_MICRO && magic != (uint32_t)MAGIC_NANO)
		return false;
	if (version != (VERSION_MINOR << 16 | VERSION_MAJOR) || u32(c, head + 20) != NETWORK_ETHERNET) // its upper bits may say more
		return false;
	c->fraction_ns = magic == (uint32_t)MAGIC_NANO ? 1 : 1000;
	c->snap = u32(c, head + 16);
	if (!c->snap || c->snap > INT_MAX) // none said
		c->snap = CLASSIC_FRAME_BYTES;
	return true;
}

struct classic *classic_open(const char *path)
{
	struct classic *c = malloc(sizeof(*c));
	uint8_t head[FILE_HEAD_BYTES];
	struct stat s;

	if (!c)
		return NULL;
	memset(c, 0, offsetof(struct classic, room));
	c->over = 1;
	c->note = "";
	c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (c->fd >= 0 && fstat(c->fd, &s) == 0 && S_ISREG(s.st_mode) && read(c->fd, head, sizeof(head)) == sizeof(head) &&
	    head_is_known(c, head))
		return c;
	classic_close(c);
	return NULL;
}

void classic_close(struct classic *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

static int ends(struct classic *c, int how, const char *note)
{
	c->over = how;
	c->note = note;
	return how;
}

// At least so many bytes from `from` on, of at most a record; false: the file has fewer, or cannot be read (c->over).
static bool fill(struct classic *c, size_t bytes)
{
	if (c->to - c->from >= bytes)
		return true;
	memmove(c->room, c->room + c->from, c->to - c->from);
	c->to -= c->from;
	c->from = 0;
	while (c->to < bytes) {
		ssize_t n = read(c->fd, c->room + c->to, CLASSIC_READ_BYTES);

		if (n < 0 && errno != EINTR)
			ends(c, -EIO, strerror(errno));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		c->to += (size_t)n;
	}
	return true;
}

bool classic_has(const struct classic *c)
{
	size_t there = c->to - c->from;
	uint32_t bytes;

	if (c->over != 1 || there < RECORD_HEAD_BYTES)
		return false;
	bytes = u32(c, c->room + c->from + 8);
	return bytes <= CLASSIC_FRAME_BYTES && there >= RECORD_HEAD_BYTES + bytes;
}

int classic_next(struct classic *c, struct frame *out)
{
	const uint8_t *head;
	uint32_t bytes, wire;

	if (c->over != 1)
		return c->over;
	if (!fill(c, RECORD_HEAD_BYTES)) {
		if (c->over != 1 || c->to == c->from)
			return ends(c, c->over == 1 ? 0 : c->over, c->note);
		return ends(c, -EIO, "the file ends within a record's head");
	}
	bytes = u32(c, c->room + c->from + 8);
	if (bytes > CLASSIC_FRAME_BYTES)
		return ends(c, -EIO, "a record is longer than any frame");
	if (!fill(c, RECORD_HEAD_BYTES + bytes))
		return c->over != 1 ? c->over : ends(c, -EIO, "the file ends within a frame");
	head = c->room + c->from;
	c->from += RECORD_HEAD_BYTES + bytes;
	if (c->to - c->from >= RECORD_HEAD_BYTES) // the next one's head tells where the one after it lies
		__builtin_prefetch(c->room + c->from);
	wire = u32(c, head + 12);
	bytes = bytes < c->snap ? bytes : c->snap; // as libpcap does
	*out = (struct frame){
		.at = head + RECORD_HEAD_BYTES,
		.bytes = bytes,
		.wire_bytes = wire > bytes ? wire : bytes,
		.unix_ns = u32(c, head) * 1000000000ull + (uint64_t)u32(c, head + 4) * c->fraction_ns,
		.link = LINK_ETHERNET,
	};
	return 1;
}

const char *classic_note(const struct classic *c)
{
	return c->note;
}
