// SPDX-License-Identifier: GPL-2.0-or-later
// See baselines.h.
#include "baselines.h"

#include "digest.h"
#include "learn.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char shape[] = "dddd-dd-ddTdddddd-xxxxxxxx";

bool baselines_is_name(const char *name)
{
	for (size_t i = 0; i < sizeof(shape); i++) {
		char c = name[i];
		bool digit = c >= '0' && c <= '9', hex = digit || (c >= 'a' && c <= 'f');

		if (shape[i] == 'd' ? !digit : shape[i] == 'x' ? !hex : c != shape[i])
			return false;
	}
	return true;
}

int baselines_path(const char *state, const char *name, char out[BASELINES_PATH_BYTES])
{
	bool now = strcmp(name, "now") == 0;
	int n;

	if (!now && !baselines_is_name(name))
		return -EINVAL;
	n = snprintf(out, BASELINES_PATH_BYTES, now ? "%s/learned" : "%s/baselines/%s", state, name);
	return n < BASELINES_PATH_BYTES ? 0 : -ENAMETOOLONG;
}

static int in_folder(const char *state, const char *file, char out[BASELINES_PATH_BYTES])
{
	return snprintf(out, BASELINES_PATH_BYTES, "%s/baselines%s%s", state, *file ? "/" : "", file) < BASELINES_PATH_BYTES
		       ? 0
		       : -ENAMETOOLONG;
}

static uint64_t time_of(const char *name)
{
	struct tm t = {0};

	if (sscanf(name, "%4d-%2d-%2dT%2d%2d%2d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
		return 0;
	t.tm_year -= 1900;
	t.tm_mon--;
	return (uint64_t)timegm(&t) * NS_PER_S;
}

static void name_of(uint64_t unix_ns, const uint8_t hash[32], char name[BASELINES_NAME_BYTES])
{
	time_t s = (time_t)(unix_ns / NS_PER_S);
	size_t n;
	struct tm t;

	gmtime_r(&s, &t);
	n = strftime(name, BASELINES_NAME_BYTES, "%Y-%m-%dT%H%M%S-", &t);
	digest_hex(hash, 4, name + n);
}

static int is_snapshot(const struct dirent *e)
{
	return baselines_is_name(e->d_name);
}

// All names, oldest first: they sort as their times do.
static int scan(const char *state, struct dirent ***names)
{
	char folder[BASELINES_PATH_BYTES];
	int n = in_folder(state, "", folder);

	if (n < 0)
		return n;
	n = scandir(folder, names, is_snapshot, alphasort);
	return n >= 0 ? n : errno == ENOENT ? 0 : -errno;
}

static void scan_end(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	if (n > 0)
		free(names);
}

int baselines_list(const char *state, struct baselines_entry out[BASELINES_MOST])
{
	struct dirent **names = NULL;
	char path[BASELINES_PATH_BYTES];
	int found = scan(state, &names), n = 0;
	struct stat st;

	for (int i = found > BASELINES_MOST ? found - BASELINES_MOST : 0; i < found; i++) {
		if (baselines_path(state, names[i]->d_name, path) < 0 || stat(path, &st) < 0)
			continue;
		out[n] = (struct baselines_entry){.time_ns = time_of(names[i]->d_name), .bytes = (uint64_t)st.st_size};
		memcpy(out[n++].name, names[i]->d_name, sizeof(shape));
	}
	scan_end(names, found);
	return found < 0 ? found : n;
}

static int is_leftover(const struct dirent *e)
{
	char name[sizeof(shape) + 4];

	return snprintf(name, sizeof(name), "%s", e->d_name) == (int)sizeof(name) - 1 && !strcmp(name + sizeof(shape) - 1, ".new");
}

// What a crash left half written: nobody else writes here.
static void remove_leftovers(const char *state)
{
	struct dirent **names = NULL;
	char folder[BASELINES_PATH_BYTES], path[BASELINES_PATH_BYTES + 256];
	int found = in_folder(state, "", folder) < 0 ? 0 : scandir(folder, &names, is_leftover, alphasort);

	for (int i = 0; i < found; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		unlink(path);
	}
	scan_end(names, found);
}

static void remove_oldest(const char *state)
{
	struct dirent **names = NULL;
	char path[BASELINES_PATH_BYTES];
	int found = scan(state, &names);

	for (int i = 0; i < found - BASELINES_MOST; i++)
		if (baselines_path(state, names[i]->d_name, path) == 0)
			unlink(path);
	scan_end(names, found);
}

static int make_folder(const char *state)
{
	char folder[BASELINES_PATH_BYTES];
	int error = in_folder(state, "", folder);

	return error ? error : mkdir(folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int baselines_save(const char *state, struct image *i, uint64_t unix_ns, char name[BASELINES_NAME_BYTES])
{
	char path[BASELINES_PATH_BYTES];
	uint8_t hash[32];
	int error = i->error ? i->error : make_folder(state);

	if (error)
		return error;
	digest_sha256(i->at, i->used, hash); // as image_write will
	name_of(unix_ns, hash, name);
	error = baselines_path(state, name, path);
	remove_leftovers(state);
	if (!error)
		error = image_write(i, path);
	if (!error)
		remove_oldest(state);
	return error;
}

int baselines_read(const char *state, const char *name, uint64_t offset, uint8_t *out, size_t cap)
{
	char path[BASELINES_PATH_BYTES];
	int fd, error = baselines_path(state, name, path);
	ssize_t n;

	if (error || offset > BASELINES_IMPORT_BYTES)
		return error ? error : -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, out, cap, (off_t)offset);
	error = n < 0 ? -errno : (int)n;
	close(fd);
	return error;
}

static int add_part(const char *path, uint64_t offset, struct bytes part)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (offset ? 0 : O_TRUNC), 0600), error = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	else if ((uint64_t)st.st_size != offset)
		error = -ESPIPE;
	else if (offset + part.left > BASELINES_IMPORT_BYTES)
		error = -EFBIG;
	if (!error) {
		n = pwrite(fd, part.at, part.left, (off_t)offset);
		error = n < 0 ? -errno : (size_t)n < part.left ? -ENOSPC : 0;
	}
	if (close(fd) < 0 && !error)
		error = -errno;
	return error;
}

// Written again from what was proved, so that what lies there is what was looked at.
static int end_import(const char *state, const char *incoming, uint64_t unix_ns, char name[BASELINES_NAME_BYTES])
{
	struct image i;
	int error = image_read(&i, LEARN_IMAGE_VERSION, incoming);

	unlink(incoming);
	if (error)
		return error == -ENOENT ? -ESPIPE : error;
	i.used -= 32; // the hash, which saving adds
	error = baselines_save(state, &i, unix_ns, name);
	image_free(&i);
	return error;
}

int baselines_write(const char *state, uint64_t offset, struct bytes part, uint64_t unix_ns, char name[BASELINES_NAME_BYTES])
{
	char incoming[BASELINES_PATH_BYTES];
	int error = make_folder(state);

	name[0] = 0;
	if (!error)
		error = in_folder(state, "incoming", incoming);
	if (error)
		return error;
	if (part.left == 0)
		return end_import(state, incoming, unix_ns, name);
	error = add_part(incoming, offset, part);
	if (error && error != -ESPIPE)
		unlink(incoming);
	return error;
}
