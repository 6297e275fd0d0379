// SPDX-License-Identifier: GPL-2.0-or-later
// See image.h.
#include "image.h"

#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_BYTES = 32, ALIGN = 8, FIRST_BYTES = 1 << 16 };
#define IMAGE_MAGIC 0x0a4547414d494b53ull // "SKIMAGE\n"

struct image_head {
	uint64_t magic;
	uint32_t version, zero;
};

struct section_head {
	uint32_t id, zero;
	uint64_t bytes;
};

uint8_t *image_room(struct image *i, size_t n)
{
	uint8_t *at;

	if (i->error)
		return NULL;
	if (i->size - i->used < n) {
		size_t size = i->size ? i->size : FIRST_BYTES;

		while (size - i->used < n)
			size *= 2;
		at = realloc(i->at, size);
		if (!at) {
			i->error = -ENOMEM;
			return NULL;
		}
		i->at = at;
		i->size = size;
	}
	at = i->at + i->used;
	i->used += n;
	return at;
}

void image_append(struct image *i, const void *data, size_t n)
{
	uint8_t *at = image_room(i, n);

	if (at && n)
		memcpy(at, data, n);
}

void image_begin(struct image *i, uint32_t version)
{
	const struct image_head head = {IMAGE_MAGIC, version, 0};

	*i = (struct image){0};
	image_append(i, &head, sizeof(head));
}

void image_section(struct image *i, uint32_t id)
{
	const struct section_head head = {id, 0, 0}; // its length is known at its end

	i->open = i->used;
	image_append(i, &head, sizeof(head));
}

void image_end(struct image *i)
{
	static const uint8_t zeros[ALIGN];
	struct section_head head;

	if (i->error)
		return;
	memcpy(&head, i->at + i->open, sizeof(head));
	head.bytes = i->used - i->open - sizeof(head);
	memcpy(i->at + i->open, &head, sizeof(head));
	image_append(i, zeros, (ALIGN - head.bytes % ALIGN) % ALIGN);
}

static int write_all(int fd, const uint8_t *at, size_t n)
{
	while (n) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		n -= (size_t)done;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

// The name is durable only when its folder is.
static int sync_folder(const char *path)
{
	char copy[4096];
	int fd, error;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return error;
}

int image_write(struct image *i, const char *path)
{
	uint8_t *hash = image_room(i, HASH_BYTES);
	char beside[4096];
	int fd, error;

	if (!hash)
		return i->error;
	digest_sha256(i->at, i->used - HASH_BYTES, hash);
	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", path) >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, i->at, i->used);
	if (close(fd) < 0 && !error)
		error = -errno;
	if (!error && rename(beside, path) < 0)
		error = -errno;
	if (error)
		unlink(beside);
	return error ? error : sync_folder(path);
}

static int read_all(int fd, struct image *i)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)(sizeof(struct image_head) + HASH_BYTES))
		return -EPROTO;
	if (!image_room(i, (size_t)st.st_size))
		return i->error;
	for (size_t done = 0; done < i->used;) {
		ssize_t n = read(fd, i->at + done, i->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		done += (size_t)n;
	}
	return 0;
}

static int prove(const struct image *i, uint32_t version)
{
	size_t at = sizeof(struct image_head), end = i->used - HASH_BYTES;
	struct image_head head;
	struct section_head section;
	uint8_t hash[HASH_BYTES];

	memcpy(&head, i->at, sizeof(head));
	digest_sha256(i->at, end, hash);
	if (head.magic != IMAGE_MAGIC || memcmp(hash, i->at + end, HASH_BYTES) != 0)
		return -EPROTO;
	if (head.version != version)
		return -ENOTSUP;
	while (at < end) { // whoever made the hash may still have written nonsense
		if (end - at < sizeof(section))
			return -EPROTO;
		memcpy(&section, i->at + at, sizeof(section));
		at += sizeof(section);
		if (section.id == 0 || section.bytes > end - at || end - at - section.bytes < (ALIGN - section.bytes % ALIGN) % ALIGN)
			return -EPROTO;
		at += (section.bytes + ALIGN - 1) / ALIGN * ALIGN;
	}
	return 0;
}

int image_read(struct image *i, uint32_t version, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	*i = (struct image){0};
	if (fd < 0)
		return -errno;
	error = read_all(fd, i);
	close(fd);
	if (!error)
		error = prove(i, version);
	if (error)
		image_free(i);
	return error;
}

int image_copy(struct image *i, uint32_t version, struct bytes file)
{
	int error = -EPROTO;

	*i = (struct image){0};
	if (file.left >= sizeof(struct image_head) + HASH_BYTES) {
		image_append(i, file.at, file.left);
		error = i->error ? i->error : prove(i, version);
	}
	if (error)
		image_free(i);
	return error;
}

struct bytes image_find(const struct image *i, uint32_t id)
{
	size_t at = sizeof(struct image_head), end = i->used - HASH_BYTES;
	struct section_head head;

	while (at < end) {
		memcpy(&head, i->at + at, sizeof(head));
		at += sizeof(head);
		if (head.id == id)
			return bytes_of(i->at + at, head.bytes);
		at += (head.bytes + ALIGN - 1) / ALIGN * ALIGN;
	}
	return bytes_of(NULL, 0);
}

void image_hash(const struct image *i, uint8_t out[32])
{
	memcpy(out, i->at + i->used - HASH_BYTES, HASH_BYTES);
}

void image_free(struct image *i)
{
	free(i->at);
	*i = (struct image){0};
}

static bool is_empty(const uint8_t *record, size_t size)
{
	return size == 0 || (record[0] == 0 && memcmp(record, record + 1, size - 1) == 0);
}

void image_append_table(struct image *i, const void *table, uint64_t count, size_t size)
{
	const uint8_t *record = table;

	for (uint64_t n = 0; n < count; n++, record += size) {
		if (is_empty(record, size))
			continue;
		image_append(i, &n, sizeof(n));
		image_append(i, record, size);
	}
}

bool image_take_table(struct bytes section, void *table, uint64_t count, size_t size)
{
	struct bytes index, record;
	uint64_t n, least = 0;

	for (; section.left; least = n + 1) {
		if (!bytes_take(&section, sizeof(n), &index) || !bytes_take(&section, size, &record))
			return false;
		memcpy(&n, index.at, sizeof(n));
		if (n < least || n >= count)
			return false;
		memcpy((uint8_t *)table + n * size, record.at, size);
	}
	return true;
}
