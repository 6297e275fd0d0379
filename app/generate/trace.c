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
	struct trace_tag tag;
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

void trace_add(struct trace *t, uint64_t when_ns, const uint8_t *frame, size_t n)
{
	size_t i = t->count;
	struct trace_frame f;

	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 1024;
		t->heap = realloc(t->heap, t->cap * sizeof(*t->heap));
		if (!t->heap)
			log_fatal("out of memory");
	}
	f = (struct trace_frame){when_ns, t->serial++, malloc(n), (uint32_t)n, t->tag};
	if (!f.bytes)
		log_fatal("out of memory");
	memcpy(f.bytes, frame, n);
	t->count++;
	for (; i && before(&f, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
		t->heap[i] = t->heap[(i - 1) / 2];
	t->heap[i] = f;
}

static struct trace_frame take_first(struct trace *t)
{
	struct trace_frame first = t->heap[0];
	const struct trace_frame *last = &t->heap[--t->count];
	size_t i = 0;

	for (size_t child = 1; child < t->count; child = 2 * i + 1) {
		if (child + 1 < t->count && before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (before(last, &t->heap[child]))
			break;
		t->heap[i] = t->heap[child];
		i = child;
	}
	t->heap[i] = *last;
	return first;
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

bool trace_take(struct trace *t, uint64_t before_ns, struct trace_taken *out)
{
	struct trace_frame f;

	if (!t->count || t->heap[0].when_ns >= before_ns)
		return false;
	f = take_first(t);
	free(t->taken);
	t->taken = f.bytes;
	*out = (struct trace_taken){f.when_ns, f.bytes, f.length, f.tag};
	return true;
}

void trace_drop(struct trace *t)
{
	while (t->count)
		free(t->heap[--t->count].bytes);
	free(t->heap);
	free(t->taken);
	memset(t, 0, sizeof(*t));
}

int trace_close(struct trace *t)
{
	bool bad;

	trace_flush(t, UINT64_MAX);
	free(t->heap);
	t->heap = NULL;
	t->cap = 0;
	bad = ferror(t->file) != 0;
	bad |= t->file == stdout ? fflush(stdout) != 0 : fclose(t->file) != 0;
	return bad ? -EIO : 0;
}
