// SPDX-License-Identifier: GPL-2.0-or-later
// A file of named sections, written whole or not at all: beside, synced, renamed, the folder synced. A SHA-256 over all
// of it stands at its end. For what a process has learned and must find again. Native byte order: it stays on its
// machine; a version that is not the reader's is refused.
//
//	u64 magic, u32 version, u32 zero, { u32 id, u32 zero, u64 bytes, data, zeros up to 8 }…, 32 B SHA-256
//
// One thread an image.
#pragma once
#include "bytes.h"

struct image { // being written: at, used and size grow; or read: `at` holds the file
	uint8_t *at;
	size_t used, size;
	size_t open; // where the open section's head stands
	int error; // -ENOMEM once something did not fit
};

void image_begin(struct image *i, uint32_t version);
// A section's data is what is appended between section and end. ids are the caller's, each once, not 0.
void image_section(struct image *i, uint32_t id);
// Room for n bytes more of the section, to be filled by the caller; NULL: no memory (remembered in error).
uint8_t *image_room(struct image *i, size_t n);
void image_append(struct image *i, const void *data, size_t n);
void image_end(struct image *i);
// Adds the hash and writes. 0 or -errno.
int image_write(struct image *i, const char *path);
// Reads and proves a file. -errno; -EPROTO: no image, or damaged; -ENOTSUP: of another version. On 0 the caller frees it.
int image_read(struct image *i, uint32_t version, const char *path);
// The same of bytes in memory, which are copied.
int image_copy(struct image *i, uint32_t version, struct bytes file);
// A section of an image that was read; empty where there is none.
struct bytes image_find(const struct image *i, uint32_t id);
// The hash of an image that was written or read: what names it.
void image_hash(const struct image *i, uint8_t out[32]);
void image_free(struct image *i);

// Of a table of `count` records of `size` bytes, those that are not all zeros, each after its u64 index.
void image_append_table(struct image *i, const void *table, uint64_t count, size_t size);
// Puts them back at their places. False: no such table; what was put stays. What the records say is for the caller to
// check. An empty section is an empty table.
bool image_take_table(struct bytes section, void *table, uint64_t count, size_t size);
