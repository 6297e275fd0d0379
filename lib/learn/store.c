// SPDX-License-Identifier: GPL-2.0-or-later
// The store: one file. Head, devices (each with its values, newest first), recent contacts, SHA-256 over all of it.
// What follows from these (parents, indexes, groups) is built again on load. Native byte order: the file stays on its
// machine.
#include "learn_impl.h"

#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STORE_VERSION = 1, HASH_BYTES = 32 };
#define STORE_MAGIC 0x0a4e5241454c4b53ull // "SKLEARN\n"

struct store_head {
	uint64_t magic;
	uint32_t version, devices, values, recents;
	struct siphash_key key;
};

struct store_device {
	struct device device;
	struct client client[LEARN_EXPOSED_CLIENTS];
	uint32_t served_day, values;
};

struct store_value {
	uint64_t hash, first_ns;
	uint32_t mask, day, feature, zero;
};

struct store_recent {
	struct recent recent;
	uint64_t kind;
};

struct buffer {
	uint8_t *at;
	size_t used, size;
};

static void append(struct buffer *b, const void *data, size_t n)
{
	memcpy(b->at + b->used, data, n); // sized beforehand by store_bytes
	b->used += n;
}

static uint32_t recents_used(const struct learn *l)
{
	uint32_t n = 0;

	for (unsigned k = 0; k < RECENT_KINDS; k++)
		for (uint32_t i = 0; i < RECENT_ENTRIES; i++)
			n += l->recent[k][i].time_ns != 0;
	return n;
}

static uint32_t values_live(const struct learn *l)
{
	uint32_t n = 0;

	for (uint32_t d = 0; d < l->device_count; d++)
		for (unsigned f = 0; f < FEATURE_COUNT; f++)
			n += l->private[d].held[f];
	return n;
}

static void append_device(struct buffer *b, const struct learn *l, uint32_t index)
{
	const struct device_private *p = &l->private[index];
	struct store_device record = {.device = l->devices[index], .served_day = p->served_day};

	memcpy(record.client, p->client, sizeof(record.client));
	for (unsigned f = 0; f < FEATURE_COUNT; f++)
		record.values += p->held[f];
	append(b, &record, sizeof(record));
	for (uint32_t i = p->first_value; i != NO_VALUE; i = l->values[i].next) {
		const struct value *v = &l->values[i];
		struct store_value value = {v->hash, v->first_ns, v->mask, v->day, v->feature, 0};

		append(b, &value, sizeof(value));
	}
}

static void append_recents(struct buffer *b, const struct learn *l)
{
	for (unsigned k = 0; k < RECENT_KINDS; k++)
		for (uint32_t i = 0; i < RECENT_ENTRIES; i++)
			if (l->recent[k][i].time_ns) {
				struct store_recent record = {l->recent[k][i], k};

				append(b, &record, sizeof(record));
			}
}

// All that is learned as bytes; the caller frees b->at. `recents` false: the counts alone.
static int serialise(const struct learn *l, bool recents, struct buffer *b)
{
	struct store_head head = {STORE_MAGIC, STORE_VERSION, l->device_count, values_live(l), 0, l->key};

	if (recents)
		head.recents = recents_used(l);
	b->used = 0;
	b->size = sizeof(head) + head.devices * sizeof(struct store_device) + head.values * sizeof(struct store_value) +
		  head.recents * sizeof(struct store_recent) + HASH_BYTES;
	b->at = malloc(b->size);
	if (!b->at)
		return -ENOMEM;
	append(b, &head, sizeof(head));
	for (uint32_t i = 0; i < l->device_count; i++)
		append_device(b, l, i);
	if (recents)
		append_recents(b, l);
	digest_sha256(b->at, b->used, b->at + b->used);
	b->used += HASH_BYTES;
	return 0;
}

void learn_hash(const struct learn *l, uint8_t out[32])
{
	struct buffer b;

	memset(out, 0, HASH_BYTES);
	if (serialise(l, false, &b) < 0)
		return;
	memcpy(out, b.at + b.used - HASH_BYTES, HASH_BYTES);
	free(b.at);
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

int learn_save(const struct learn *l, const char *path)
{
	char beside[4096];
	struct buffer b;
	int fd, error;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", path) >= sizeof(beside))
		return -ENAMETOOLONG;
	error = serialise(l, true, &b);
	if (error)
		return error;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		error = -errno;
		goto free_buffer;
	}
	error = write_all(fd, b.at, b.used);
	if (close(fd) < 0 && !error)
		error = -errno;
	if (!error && rename(beside, path) < 0)
		error = -errno;
	if (error)
		unlink(beside);
	else
		error = sync_folder(path);
free_buffer:
	free(b.at);
	return error;
}

static int read_all(int fd, struct buffer *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)(sizeof(struct store_head) + HASH_BYTES))
		return -EPROTO;
	b->size = (size_t)st.st_size;
	b->at = malloc(b->size);
	if (!b->at)
		return -ENOMEM;
	for (b->used = 0; b->used < b->size;) {
		ssize_t n = read(fd, b->at + b->used, b->size - b->used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EPROTO;
		b->used += (size_t)n;
	}
	return 0;
}

static bool take(struct bytes *in, void *out, size_t n)
{
	struct bytes part;

	if (!bytes_take(in, n, &part))
		return false;
	memcpy(out, part.at, n);
	return true;
}

static int load_value(struct learn *l, struct device *d, const struct store_value *r)
{
	struct value *v;

	if (r->feature >= FEATURE_COUNT || value_find(l, d->index, r->hash))
		return -EPROTO;
	v = value_add(l, d, r->feature, r->hash, r->first_ns, 0);
	if (!v)
		return -ENOSPC;
	v->mask = r->mask & WINDOW_MASK;
	v->day = r->day;
	return 0;
}

static int load_device(struct learn *l, struct bytes *in)
{
	struct store_device r;
	struct store_value value;
	struct bytes values;
	struct device *d;
	uint16_t group;
	int error = 0;

	if (!take(in, &r, sizeof(r)) || r.values > l->value_capacity || r.device.role >= ROLE_COUNT ||
	    !bytes_take(in, r.values * sizeof(value), &values))
		return -EPROTO;
	d = device_append(l, &r.device.address);
	if (!d)
		return l->device_count == l->device_capacity ? -ENOSPC : -EPROTO;
	// What the operator's tags say now counts, not what they said then; without one, role and group are as saved.
	if (!d->tagged) {
		group = r.device.role;
		device_move(l, d, group);
	}
	r.device.role = d->tagged > 1 ? d->role : r.device.role;
	r.device.index = d->index;
	r.device.tagged = d->tagged;
	r.device.group = d->group;
	*d = r.device;
	d->label[sizeof(d->label) - 1] = 0;
	memcpy(l->private[d->index].client, r.client, sizeof(r.client));
	l->private[d->index].served_day = r.served_day;
	while (!error && values.left) { // from the last: each is put before the others
		values.left -= sizeof(value);
		memcpy(&value, values.at + values.left, sizeof(value));
		error = load_value(l, d, &value);
	}
	return error;
}

static int load_recent(struct learn *l, struct bytes *in)
{
	static const struct address any;
	struct store_recent r;

	if (!take(in, &r, sizeof(r)) || r.kind >= RECENT_KINDS)
		return -EPROTO;
	if (!address_equal(&r.recent.device, &any)) // the entry for any device comes with it
		recent_put(l, (enum recent_kind)r.kind, &r.recent.device, &r.recent.other, r.recent.time_ns);
	return 0;
}

static int load_all(struct learn *l, struct bytes in)
{
	struct store_head head;
	int error = 0;

	if (!take(&in, &head, sizeof(head)) || head.magic != STORE_MAGIC || head.version != STORE_VERSION)
		return -EPROTO;
	l->key = head.key;
	for (uint32_t i = 0; !error && i < head.devices; i++)
		error = load_device(l, &in);
	for (uint32_t i = 0; !error && i < head.recents; i++)
		error = load_recent(l, &in);
	return error ? error : in.left ? -EPROTO : 0;
}

int learn_load(struct learn *l, const char *path)
{
	struct buffer b = {0};
	uint8_t hash[HASH_BYTES];
	struct siphash_key key = l->key;
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = read_all(fd, &b);
	close(fd);
	if (error)
		goto free_buffer;
	digest_sha256(b.at, b.size - HASH_BYTES, hash);
	error = -EPROTO;
	if (memcmp(hash, b.at + b.size - HASH_BYTES, HASH_BYTES) != 0)
		goto free_buffer;
	learn_reset(l);
	error = load_all(l, bytes_of(b.at, b.size - HASH_BYTES));
	if (error) {
		learn_reset(l);
		l->key = key;
	}
free_buffer:
	free(b.at);
	return error;
}
