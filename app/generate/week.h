// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once
#include <stdint.h>

enum { WEEK_PATH_BYTES = 32 };

// Writes the generator's ordinary days, as `generate --scene week --days N` does, to a new file; its name goes to
// `path` and the file is the caller's to unlink. Exits with a message where it cannot.
void week_write(char path[WEEK_PATH_BYTES], uint64_t days);
