// SPDX-License-Identifier: GPL-2.0-or-later
// Options of `sekimori-bench generate`, and the summary it ends with.
#include "generate.h"
#include "log.h"
#include "mix.h"
#include "scenes.h"
#include "text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

enum { DAYS_MOST = 366, DEVICES_DEFAULT = 60, FLOWS_MOST = 1000000 };

static int usage(void)
{
	fputs("usage: sekimori-bench generate --scene SCENE [OPTIONS] -o FILE\n"
	      "Writes a capture (pcap, nanoseconds, Ethernet). The same options give the same bytes.\n"
	      "  --scene SCENE     week, case1, case2, log4shell-clear, mix or company; the cases follow the week made with the same "
	      "options\n"
	      "  --seed N          another organisation (default 1)\n"
	      "  --days N          length of the week (default 7, at most 366)\n"
	      "  --devices N       size of the organisation (default 60, 16 to 170)\n"
	      "  --start TIME      first midnight of the week (default 2021-12-03T00:00:00Z)\n"
	      "  --flows N         of the mix (default 40000)\n"
	      "  --chain NAME      an attack on the company's last day: case1, mimic, ... (app/generate/chains.c)\n"
	      "  --attack-only     leave the ordinary traffic out of a case\n"
	      "  -o, --output FILE \"-\" is standard output\n",
	      stderr);
	return 2;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t v;

	if (bytes_to_u64(bytes_of_text(text), most, &v) || v < least) {
		log_warn("%s: not a number from %" PRIu64 " to %" PRIu64, text, least, most);
		return false;
	}
	*out = v;
	return true;
}

static bool read_scene(const char *text, enum scene *out)
{
	for (enum scene s = 0; s < SCENES; s++)
		if (strcmp(text, scene_name(s)) == 0) {
			*out = s;
			return true;
		}
	log_warn("%s: no such scene", text);
	return false;
}

static bool read_start(const char *text, uint64_t *out)
{
	if (time_parse(text, out) == 0 && *out % (86400 * NS_PER_S) == 0)
		return true;
	log_warn("%s: not a midnight like 2021-12-03T00:00:00Z", text);
	return false;
}

static bool read_options(int argc, char **argv, struct scene_plan *plan, const char **path)
{
	static const struct option options[] = {
		{"scene", required_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'n'},
		{"days", required_argument, NULL, 'd'},
		{"devices", required_argument, NULL, 'v'},
		{"start", required_argument, NULL, 't'},
		{"flows", required_argument, NULL, 'f'},
		{"chain", required_argument, NULL, 'c'},
		{"attack-only", no_argument, NULL, 'a'},
		{"output", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	uint64_t number = 0;
	bool good = true;

	for (int o; good && (o = getopt_long(argc, argv, "o:", options, NULL)) != -1;) {
		switch (o) {
		case 's':
			good = read_scene(optarg, &plan->scene);
			break;
		case 'n':
			good = read_number(optarg, 0, UINT64_MAX, &plan->seed);
			break;
		case 'd':
			good = read_number(optarg, 1, DAYS_MOST, &number);
			plan->days = (uint32_t)number;
			break;
		case 'v':
			good = read_number(optarg, DEVICES_FEWEST, DEVICES_MOST, &number);
			plan->devices = (uint32_t)number;
			break;
		case 'f':
			good = read_number(optarg, 1, FLOWS_MOST, &number);
			plan->flows = (uint32_t)number;
			break;
		case 'c':
			plan->chain = optarg;
			break;
		case 't':
			good = read_start(optarg, &plan->start_ns);
			break;
		case 'a':
			plan->attack_only = true;
			break;
		case 'o':
			*path = optarg;
			break;
		default:
			good = false;
		}
	}
	if (plan->attack_only && (plan->scene == SCENE_WEEK || plan->scene == SCENE_MIX || plan->scene == SCENE_COMPANY)) {
		log_warn("--attack-only: week, mix and company have none to leave");
		good = false;
	}
	return good && optind == argc && plan->scene != SCENES && *path;
}

int generate_main(int argc, char **argv)
{
	struct scene_plan plan = {SCENES, 1, 1638489600 * NS_PER_S, 7, DEVICES_DEFAULT, false, MIX_FLOWS_DEFAULT}; // 2021-12-03
	char first[TEXT_TIME_BYTES], last[TEXT_TIME_BYTES];
	const char *path = NULL;
	struct stage stage;
	int error;

	if (!read_options(argc, argv, &plan, &path))
		return usage();
	stage_init(&stage);
	error = trace_open(&stage.trace, path);
	if (error)
		log_fatal("%s: %s", path, strerror(-error));
	if (!scene_write(&stage, &plan))
		log_fatal("%s: no such chain", plan.chain);
	error = trace_close(&stage.trace);
	if (error)
		log_fatal("%s: %s", path, strerror(-error));
	log_info("%s: %" PRIu64 " frames, %" PRIu64 " bytes, %s to %s", scene_name(plan.scene), stage.trace.frames,
		 stage.trace.bytes, time_format(stage.trace.first_ns, first), time_format(stage.trace.last_ns, last));
	stage_fini(&stage);
	return 0;
}
