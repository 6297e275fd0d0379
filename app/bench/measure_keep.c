// SPDX-License-Identifier: GPL-2.0-or-later
// `sekimori-bench keep`: what the far side's keeping costs. Events that are evidence, into the journal on a disk, a
// commit each thousand of them; and all that was learned, as an image: tables of that size are filled until they refuse,
// half of the values shared among devices, then written by a copy of the process, as the brain does, and put, written,
// read and taken again. Wall time is told beside the CPU's, because both wait for the disk.
#include "beside.h"
#include "image.h"
#include "journal.h"
#include "learn.h"
#include "log.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 1000, SHARED = 20000 /* values that many show */, PATH = 4096, PACE = 100000 };
#define DAY_NS (86400 * 1000000000ull)
#define START_NS (18970 * DAY_NS)

struct timed {
	struct meter meter;
	struct timespec begun;
};

static void begin(struct timed *t)
{
	*t = (struct timed){0};
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	meter_start(&t->meter);
}

static void end(struct timed *t, struct report *r, const char *name, double n, const char *unit, double per_s)
{
	char figure[FIGURE_NAME_BYTES];
	struct timespec now;

	meter_stop(&t->meter);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(figure, sizeof(figure), "%s.cpu", name);
	report_add(r, figure, unit, (double)t->meter.cpu_ns / 1e9 * per_s / n);
	snprintf(figure, sizeof(figure), "%s.wall", name);
	report_add(r, figure, unit,
		   ((double)(now.tv_sec - t->begun.tv_sec) + (double)(now.tv_nsec - t->begun.tv_nsec) / 1e9) * per_s / n);
}

static double size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static void remove_journal(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[PATH + 8];

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static void keep_scores(const char *folder, uint64_t scores, struct report *r)
{
	struct score s = {.version = SCORE_VERSION, .bytes = sizeof(s), .class = SCORE_FLOW, .terms = 4};
	char path[PATH], error[512];
	struct journal *j;
	struct timed t;

	snprintf(path, sizeof(path), "%s/keep.db", folder);
	remove_journal(path);
	j = journal_open(path, error, sizeof(error));
	if (!j)
		log_fatal("%s", error);
	begin(&t);
	for (uint64_t i = 0; i < scores; i++) {
		s.time_ns = START_NS + i * 1000000;
		s.key = i * 0x9e3779b97f4a7c15ull;
		s.microbits = 4000000;
		s.device = address_v4((uint8_t[]){10, 0, (uint8_t)(i >> 8), (uint8_t)i});
		if (journal_score(j, &s) || (i % BATCH == BATCH - 1 && journal_step(j, s.time_ns, true)))
			report_void(r, "the journal failed");
	}
	journal_step(j, s.time_ns, true);
	end(&t, r, "score", (double)scores, "us each", 1e6);
	journal_close(j); // what stood beside it goes into it
	report_add(r, "score.bytes", "B each", size_of(path) / (double)scores);
	remove_journal(path);
}

static struct bytes value_of(uint32_t device, uint32_t n, char room[32])
{
	if (n % 2)
		return bytes_of(room, (size_t)snprintf(room, 32, "s%u", (n * 7919u + device * 31u) % SHARED));
	return bytes_of(room, (size_t)snprintf(room, 32, "d%u.%u", device, n));
}

static void fill(struct learn *l, const struct counters *c, uint32_t devices)
{
	char room[32];

	for (uint32_t n = 0; c->value[COUNT_BRAIN_COUNTS_FULL] == 0; n++)
		for (uint32_t i = 0; i < devices; i++) {
			struct address a = address_v4((uint8_t[]){10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});
			struct device *d = learn_device_find_or_add(l, &a, START_NS);
			uint64_t at_ns = START_NS + n / 1000 % 5 * DAY_NS;

			if (!d)
				log_fatal("a device found no place");
			learn_see(l, d, FEATURE_HOST, NOVELTY_KNOWN, value_of(i, n, room), at_ns);
		}
}

struct written { // what a copy of the process does
	const struct learn *learn;
	const char *path;
};

static int write_image(void *user)
{
	const struct written *w = user;
	struct image i;
	int error;

	image_begin(&i, LEARN_IMAGE_VERSION);
	learn_put(w->learn, &i);
	error = image_write(&i, w->path);
	image_free(&i);
	return error;
}

// What everybody does all day: values that are known, in no order.
static void learn_some(struct learn *l, uint32_t devices, struct report *r, const char *name)
{
	char room[32];
	struct timed t;

	begin(&t);
	for (uint32_t k = 0; k < PACE; k++) {
		uint32_t i = k * 7919u % devices;
		struct address a = address_v4((uint8_t[]){10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});

		learn_see(l, learn_device_find_or_add(l, &a, START_NS), FEATURE_HOST, NOVELTY_KNOWN, value_of(i, k % 1000, room), START_NS);
	}
	end(&t, r, name, PACE, "us each", 1e6);
}

// The brain's own way: how long it stands still, how much slower it learns meanwhile, and how long the copy takes.
static void keep_beside(struct learn *l, const char *path, uint32_t devices, struct report *r)
{
	struct written w = {l, path};
	struct beside copy = {0};
	struct timed t;
	int error = 0;

	learn_some(l, devices, r, "alone");
	begin(&t);
	if (beside_begin(&copy, write_image, &w))
		report_void(r, "no copy could be made");
	end(&t, r, "beside.begin", 1, "s", 1);
	learn_some(l, devices, r, "beside");
	while (copy.pid && !beside_ended(&copy, &error))
		usleep(1000);
	end(&t, r, "beside.whole", 1, "s", 1);
	if (error)
		report_void(r, "the copy could not write the image");
}

static void keep_learned(const char *folder, const struct learn_config *config, struct report *r)
{
	static struct counters counters;
	struct learn *l;
	char path[PATH];
	struct image i;
	struct timed t;

	memset(&counters, 0, sizeof(counters));
	l = learn_create(config, &counters);
	if (!l)
		log_fatal("out of memory");
	fill(l, &counters, config->devices);
	report_add(r, "rss.before", "MB", (double)measure_rss_bytes() / 1e6);
	snprintf(path, sizeof(path), "%s/keep.image", folder);
	keep_beside(l, path, config->devices, r);
	begin(&t);
	image_begin(&i, LEARN_IMAGE_VERSION);
	learn_put(l, &i);
	end(&t, r, "put", 1, "s", 1);
	report_add(r, "rss.put", "MB", (double)measure_rss_bytes() / 1e6);
	begin(&t);
	if (image_write(&i, path))
		report_void(r, "the image could not be written");
	end(&t, r, "write", 1, "s", 1);
	image_free(&i);
	report_add(r, "image", "MB", size_of(path) / 1e6);
	begin(&t);
	if (image_read(&i, LEARN_IMAGE_VERSION, path))
		report_void(r, "the image could not be read");
	end(&t, r, "read", 1, "s", 1);
	begin(&t);
	if (learn_take(l, &i))
		report_void(r, "the image was refused");
	end(&t, r, "take", 1, "s", 1);
	report_add(r, "rss.take", "MB", (double)measure_rss_bytes() / 1e6);
	image_free(&i);
	learn_destroy(l);
	unlink(path);
}

int keep_main(int argc, char **argv)
{
	struct report r = {.command = "keep"};
	const char *folder = NULL;
	uint64_t rounds, scores = 100000, devices = 10000, values = 32000000;
	const struct measure_option options[] = {
		{"folder", NULL, &folder, 0, 0, "FOLDER: on the disk that is meant"},
		{"scores", &scores, NULL, 1, 1 << 20, "N: events (default 100000)"},
		{"devices", &devices, NULL, 1, 1 << 20, "N: the learner's devices (default 10000)"},
		{"values", &values, NULL, 1000, 1 << 28, "N: and its table of values (default 32000000)"},
		{NULL, NULL, NULL, 0, 0, NULL},
	};

	if (!measure_options(argc, argv, options, &r, &rounds))
		return 2;
	if (!folder)
		log_fatal("--folder is missing");
	for (uint64_t i = 0; i < rounds; i++) {
		const struct learn_config config = {.devices = (uint32_t)devices, .values = (uint32_t)values, .key = {3, 4}};

		keep_scores(folder, scores, &r);
		keep_learned(folder, &config, &r);
	}
	return report_end(&r);
}
