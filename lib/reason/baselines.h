// SPDX-License-Identifier: GPL-2.0-or-later
// Snapshots of what was learned: STATE/baselines/YYYY-MM-DDTHHMMSS-<first 8 hex digits of the image's hash>, each a whole
// image, written atomically. At most BASELINES_MOST; the oldest go. Names are checked before they become paths. One
// thread a folder; others may read. All return 0 or more, or -errno.
#pragma once
#include "bytes.h"
#include "image.h"

enum baselines_limits {
	BASELINES_MOST = 35,
	BASELINES_NAME_BYTES = 32, // with NUL
	BASELINES_PATH_BYTES = 4096,
	BASELINES_PART_BYTES = 1 << 20,
};
#define BASELINES_IMPORT_BYTES (1ull << 32) // no image is larger

struct baselines_entry {
	char name[BASELINES_NAME_BYTES];
	uint64_t time_ns, bytes; // UNIX; when it was taken, by its name
};

bool baselines_is_name(const char *name);
// The file of a snapshot, or of "now": what was last saved. -EINVAL: no name. -ENAMETOOLONG.
int baselines_path(const char *state, const char *name, char out[BASELINES_PATH_BYTES]);
// Oldest first, into at most BASELINES_MOST; returns how many. No folder: 0.
int baselines_list(const char *state, struct baselines_entry out[BASELINES_MOST]);
// Adds the image's hash and writes it as a snapshot of that time.
int baselines_save(const char *state, struct image *i, uint64_t unix_ns, char name[BASELINES_NAME_BYTES]);
// A part of a file from `offset` on; returns its bytes: fewer than cap at the end.
int baselines_read(const char *state, const char *name, uint64_t offset, uint8_t *out, size_t cap);
// A part of a file that comes from elsewhere, in order from offset 0 on. An empty part ends it: then it is proved and
// becomes a snapshot of that time under `name`. -EPROTO: no image, or damaged; -ENOTSUP: of another version; -ESPIPE: not
// the part that was to come; -EFBIG.
int baselines_write(const char *state, uint64_t offset, struct bytes part, uint64_t unix_ns, char name[BASELINES_NAME_BYTES]);
