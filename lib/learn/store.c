// SPDX-License-Identifier: GPL-2.0-or-later
// What is learned, as sections of an image: devices, groups, values, what waits, recent contacts; store_short.c adds the rest. Contexts and sums
// follow from the values and are built again. The operator's tags of today count, not those of then.
#include "image.h"
#include "store_impl.h"

#include <errno.h>
#include <stdlib.h>

// Whose context is it? Groups and the organisation hold nothing of their own.
struct owner {
	uint32_t device, slot;
};

static struct owner *owners_of(const struct learn *l, uint32_t *count)
{
	struct owner *owner;

	*count = (l->device_capacity + LEARN_GROUPS + 1) * SLOTS;
	owner = calloc(*count, sizeof(*owner));
	for (uint32_t d = 0; owner && d < l->device_count; d++)
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			if (l->private[d].context[slot] != NO_CONTEXT)
				owner[l->private[d].context[slot]] = (struct owner){d, slot};
	return owner;
}

static void put_values(const struct learn *l, struct image *i)
{
	uint32_t count;
	struct owner *owner = owners_of(l, &count);
	struct backoff_seen seen;
	uint64_t cursor = 0;

	if (!owner) {
		i->error = -ENOMEM;
		return;
	}
	while (backoff_next(l->backoff, &cursor, &seen)) {
		const struct owner *o = &owner[seen.context];
		struct store_value v = {.value = seen.value,
					.device = o->device,
					.days = seen.days,
					.first = seen.first,
					.last = seen.last,
					.total = seen.total,
					.slot = (uint8_t)o->slot};

		image_append(i, &v, sizeof(v));
	}
	free(owner);
}

static void put_devices(const struct learn *l, struct image *i)
{
	for (uint32_t d = 0; d < l->device_count; d++) {
		const struct device_private *p = &l->private[d];
		struct store_device record;

		memset(&record, 0, sizeof(record)); // no stray bytes between the fields
		record.device = l->devices[d];
		record.signature = p->signature;
		record.served_day = p->served_day;
		memcpy(record.client, p->client, sizeof(record.client));
		image_append(i, &record, sizeof(record));
	}
}

static void put_recents(const struct learn *l, struct image *i)
{
	for (uint32_t k = 0; k < RECENT_KINDS; k++)
		for (uint32_t n = 0; n < RECENT_ENTRIES; n++) {
			struct store_recent record = {l->recent[k][n], k, 0, {0}};

			if (record.recent.time_ns == 0)
				continue;
			if (k == RECENT_RESOLVED)
				memcpy(record.name, l->recent_name[n], sizeof(record.name));
			image_append(i, &record, sizeof(record));
		}
}

static void put_groups(const struct learn *l, struct image *i)
{
	for (uint16_t g = 0; g < l->groups; g++) {
		struct store_group record = {.peers_number = l->group[g].peers_number};

		memcpy(record.name, l->group[g].name, sizeof(record.name));
		image_append(i, &record, sizeof(record));
	}
}

static void put_waiting(const struct learn *l, struct image *i)
{
	for (uint32_t n = 0; n < l->waiting_count; n++)
		image_append(i, &l->waiting[(l->waiting_first + n) % l->waiting_capacity], sizeof(struct waiting));
}

void learn_put(const struct learn *l, struct image *i)
{
	const struct store_learn head = {
		l->key, {l->learned[0], l->learned[1]}, l->swept_ns, l->review_day, 0};
	uint8_t *peers;

	image_section(i, SECTION_LEARN);
	image_append(i, &head, sizeof(head));
	image_end(i);
	image_section(i, SECTION_GROUPS);
	put_groups(l, i);
	image_end(i);
	image_section(i, SECTION_DEVICES);
	put_devices(l, i);
	image_end(i);
	image_section(i, SECTION_VALUES);
	put_values(l, i);
	image_end(i);
	image_section(i, SECTION_WAITING);
	put_waiting(l, i);
	image_end(i);
	image_section(i, SECTION_RECENT);
	put_recents(l, i);
	image_end(i);
	image_section(i, SECTION_PEERS);
	peers = image_room(i, peers_image_bytes(l->peers));
	if (peers)
		peers_image(l->peers, peers);
	image_end(i);
	short_put(l, i);
}

// --- reading ---

static bool take(struct bytes *in, void *out, size_t n)
{
	struct bytes part;

	if (!bytes_take(in, n, &part))
		return false;
	memcpy(out, part.at, n);
	return true;
}

// Groups as they are now by name: index[i] is where the i-th of the image is.
static bool load_groups(struct learn *l, struct bytes in, uint16_t index[LEARN_GROUPS], uint16_t *count)
{
	struct store_group r;

	for (*count = 0; in.left; ++*count) {
		int group;

		if (*count == LEARN_GROUPS || !take(&in, &r, sizeof(r)) || r.name[GROUP_NAME_BYTES - 1])
			return false;
		group = group_add(l, r.name, r.peers_number);
		if (group < 0)
			return false;
		index[*count] = (uint16_t)group;
	}
	return *count >= ROLE_COUNT;
}

static bool load_device(struct learn *l, const struct store_device *r, const uint16_t *index, uint16_t groups)
{
	struct device *d;
	uint8_t tagged;
	uint16_t group;

	if (r->device.role >= ROLE_COUNT || r->device.group >= groups || !address_is_well_formed(&r->device.address) ||
	    !address_is_set(&r->device.address))
		return false;
	d = device_append(l, &r->device.address);
	if (!d)
		return false;
	tagged = d->tagged;
	group = d->group;
	if (!tagged && group != index[r->device.group]) {
		l->group[group].members--;
		group = index[r->device.group];
		l->group[group].members++;
	}
	*d = (struct device){
		.address = r->device.address,
		.index = l->device_count - 1,
		.first_ns = r->device.first_ns,
		.last_ns = r->device.last_ns,
		.role = tagged > 1 ? d->role : r->device.role,
		.tagged = tagged,
		.group = group,
		.days_mask = r->device.days_mask,
		.day = r->device.day,
		.outside_clients = r->device.outside_clients,
		.observations = r->device.observations,
		.discard_ns = r->device.discard_ns,
		.group_ns = r->device.group_ns,
	};
	memcpy(d->label, r->device.label, sizeof(d->label) - 1);
	memcpy(l->private[d->index].client, r->client, sizeof(r->client));
	l->private[d->index].served_day = r->served_day;
	l->private[d->index].signature = r->signature;
	return true;
}

static bool load_devices(struct learn *l, struct bytes in, const uint16_t *index, uint16_t groups)
{
	struct store_device r;

	while (in.left)
		if (!take(&in, &r, sizeof(r)) || !load_device(l, &r, index, groups))
			return false;
	return true;
}

static bool load_values(struct learn *l, struct bytes in)
{
	struct store_value v;

	while (in.left) {
		struct backoff_seen seen;

		if (!take(&in, &v, sizeof(v)) || v.device >= l->device_count || v.slot >= SLOTS)
			return false;
		seen = (struct backoff_seen){context_of(l, &l->devices[v.device], v.slot), v.days, v.value, v.first,
					     v.last, v.total};
		if (seen.context == NO_CONTEXT || !backoff_restore(l->backoff, &seen))
			return false;
	}
	return true;
}

static bool load_waiting(struct learn *l, struct bytes in)
{
	struct waiting w;

	while (in.left) {
		if (!take(&in, &w, sizeof(w)) || w.device >= l->device_count || w.slot >= SLOTS ||
		    l->waiting_count == l->waiting_capacity)
			return false;
		l->waiting[l->waiting_count++] = w;
		l->private[w.device].waiting++;
	}
	return true;
}

static bool load_recents(struct learn *l, struct bytes in)
{
	static const struct address any;
	struct store_recent r;

	while (in.left) {
		if (!take(&in, &r, sizeof(r)) || r.kind >= RECENT_KINDS || r.name[RECENT_NAME_BYTES - 1])
			return false;
		if (address_equal(&r.recent.device, &any)) // it comes with the others
			continue;
		if (r.kind == RECENT_RESOLVED)
			recent_put_name(l, &r.recent.device, &r.recent.other,
					bytes_of(r.name, strlen((const char *)r.name)), r.recent.time_ns);
		else
			recent_put(l, (enum recent_kind)r.kind, &r.recent.device, &r.recent.other, r.recent.time_ns);
	}
	return true;
}

static bool load_all(struct learn *l, const struct image *i)
{
	struct bytes in = image_find(i, SECTION_LEARN), peers = image_find(i, SECTION_PEERS);
	uint16_t index[LEARN_GROUPS], groups;
	struct store_learn head;

	if (!take(&in, &head, sizeof(head)) || in.left)
		return false;
	l->key = head.key;
	l->swept_ns = head.swept_ns;
	l->review_day = head.review_day;
	memcpy(l->learned, head.learned, sizeof(l->learned));
	return peers_restore(l->peers, peers.at, peers.left) &&
	       load_groups(l, image_find(i, SECTION_GROUPS), index, &groups) &&
	       load_devices(l, image_find(i, SECTION_DEVICES), index, groups) &&
	       load_values(l, image_find(i, SECTION_VALUES)) && load_waiting(l, image_find(i, SECTION_WAITING)) &&
	       load_recents(l, image_find(i, SECTION_RECENT)) && short_take(l, i);
}

int learn_take(struct learn *l, const struct image *i)
{
	struct siphash_key key = l->key;

	learn_reset(l);
	if (load_all(l, i))
		return 0;
	learn_reset(l);
	l->key = key;
	return -EPROTO;
}
