// SPDX-License-Identifier: GPL-2.0-or-later
// See week.h.
#include "week.h"
#include "log.h"
#include "scenes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES = 60 };
#define START_NS (1638489600ull * SEC) // 2021-12-03, as generate's default

void week_write(char path[WEEK_PATH_BYTES], uint64_t days)
{
	const struct scene_plan plan = {SCENE_WEEK, 1, START_NS, (uint32_t)days, DEVICES, false};
	struct stage stage;
	int fd;

	strcpy(path, "/tmp/sekimori-bench-XXXXXX");
	fd = mkstemp(path);
	stage_init(&stage);
	if (fd < 0 || trace_open(&stage.trace, path) < 0)
		log_fatal("%s cannot be written", path);
	close(fd);
	scene_write(&stage, &plan);
	if (trace_close(&stage.trace) < 0)
		log_fatal("%s cannot be written", path);
	stage_fini(&stage);
}
