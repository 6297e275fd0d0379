// SPDX-License-Identifier: GPL-2.0-or-later
// See trace.h. The file format is written here, byte by byte and little-endian, so that it is the same on all machines.
#include "trace.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct trace_frame {
	uint64_t when_ns;
	uint64_t serial;
	uint8_t *bytes;
	uint32_t length;
};

static void put_le32(uint8_t *at, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

int trace_open(struct trace *t, const char *path)
{
	uint8_t head[24] = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0}; // nanosecond magic, version 2.4

	memset(t, 0, sizeof(*t));
	t->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	if (!t->file)
		return -errno;
	put_le32(head + 16, 65535); // snap length
	put_le32(head + 20, 1);     // Ethernet
	fwrite(head, 1, sizeof(head), t->file);
	t->bytes = sizeof(head);
	return 0;
}

static bool before(const struct trace_frame *a, const struct trace_frame *b)
{
	return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->serial < b->serial;
}

static void swap(struct trace_frame *a, struct trace_frame *b)
{
	struct trace_frame c = *a;

	*a = *b;
	*b = c;
}

void trace_add(struct trace *t, uint64_t when_ns, const uint8_t *frame, size_t n)
{
	size_t i = t->count;

	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 1024;
		t->heap = realloc(t->heap, t->cap * sizeof(*t->heap));
		if (!t->heap)
			log_fatal("out of memory");
	}
	t->heap[i] = (struct trace_frame){when_ns, t->serial++, malloc(n), (uint32_t)n};
	if (!t->heap[i].bytes)
		log_fatal("out of memory");
	memcpy(t->heap[i].bytes, frame, n);
	t->count++;
	while (i && before(&t->heap[i], &t->heap[(i - 1) / 2])) {
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static struct trace_frame take_first(struct trace *t)
{
	struct trace_frame first = t->heap[0];
	size_t i = 0;

	t->heap[0] = t->heap[--t->count];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < t->count && before(&t->heap[child], &t->heap[least]))
				least = child;
		if (least == i)
			return first;
		swap(&t->heap[i], &t->heap[least]);
		i = least;
	}
}

static void write_first(struct trace *t)
{
	struct trace_frame f = take_first(t);
	uint8_t head[16];

	put_le32(head, f.when_ns / NS_PER_S);
	put_le32(head + 4, f.when_ns % NS_PER_S);
	put_le32(head + 8, f.length);
	put_le32(head + 12, f.length);
	fwrite(head, 1, sizeof(head), t->file);
	fwrite(f.bytes, 1, f.length, t->file);
	free(f.bytes);
	if (!t->frames++)
		t->first_ns = f.when_ns;
	t->last_ns = f.when_ns;
	t->bytes += sizeof(head) + f.length;
}

void trace_flush(struct trace *t, uint64_t before_ns)
{
	while (t->count && t->heap[0].when_ns < before_ns)
		write_first(t);
}

int trace_close(struct trace *t)
{
	bool bad;

	trace_flush(t, UINT64_MAX);
	free(t->heap);
	bad = ferror(t->file) != 0;
	bad |= t->file == stdout ? fflush(stdout) != 0 : fclose(t->file) != 0;
	return bad ? -EIO : 0;
}
