// SPDX-License-Identifier: GPL-2.0-or-later
// See difference.h. Sections are as hostile as in learn_take: every index is looked at.
#include "difference.h"

#include "store_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

// --- the difference ---

struct showing { // a value of a device, in one of the two images
	uint64_t value;
	uint32_t device; // in the order of addresses
	uint8_t feature, then, now;
};

struct word {
	uint64_t value;
	uint8_t feature;
	char text[LEARN_VALUE_BYTES];
};

struct learn_difference {
	struct siphash_key key;
	struct learn_change *change; // one a device of either image, in the order of addresses; those without are skipped
	uint32_t devices, count;
	struct showing *showing;
	uint32_t showings;
	struct word *word;
	uint32_t words;
};

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct address));
}
_Static_assert(offsetof(struct learn_change, address) == 0, "changes are sorted by their address");

static struct learn_change *change_of(const struct learn_difference *d, const struct address *a)
{
	return bsearch(a, d->change, d->devices, sizeof(*d->change), by_address);
}

static bool add_devices(struct learn_difference *d, const struct parts *p)
{
	struct device device;

	for (uint32_t i = 0; i < p->device_count; i++) {
		if (!parts_device(p, i, &device))
			return false;
		d->change[d->devices++].address = device.address;
	}
	return true;
}

static void unique_devices(struct learn_difference *d)
{
	uint32_t n = 0;

	qsort(d->change, d->devices, sizeof(*d->change), by_address);
	for (uint32_t i = 0; i < d->devices; i++)
		if (n == 0 || !address_equal(&d->change[n - 1].address, &d->change[i].address))
			d->change[n++] = d->change[i];
	d->devices = n;
	for (uint32_t i = 0; i < n; i++)
		d->change[i] = (struct learn_change){.address = d->change[i].address, .index = i, .came = true, .went = true};
}

static void place_devices(struct learn_difference *d, const struct parts *p, bool now)
{
	struct device device;

	for (uint32_t i = 0; i < p->device_count; i++) {
		struct learn_change *c;

		parts_device(p, i, &device);
		c = change_of(d, &device.address);
		*(now ? &c->went : &c->came) = false;
		*(now ? &c->role_now : &c->role_then) = device.role;
		parts_group(p, device.group, now ? c->group_now : c->group_then);
	}
}

static bool add_values(struct learn_difference *d, const struct parts *p, bool now)
{
	struct store_value v;
	struct device device;

	for (uint32_t i = 0; i < p->value_count; i++) {
		parts_record(p->values, i, &v, sizeof(v));
		if (v.device >= p->device_count || v.slot >= SLOTS)
			return false;
		if (v.slot >= DIFFERENCE_FEATURES)
			continue;
		parts_device(p, v.device, &device);
		d->showing[d->showings++] =
			(struct showing){v.value, change_of(d, &device.address)->index, v.slot, !now, now};
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	const struct showing *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->feature != y->feature)
		return x->feature < y->feature ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

// What both hold goes; the rest is counted.
static void compare_values(struct learn_difference *d)
{
	uint32_t n = 0;

	qsort(d->showing, d->showings, sizeof(*d->showing), by_value);
	for (uint32_t i = 0; i < d->showings; i++) {
		struct learn_change *c = &d->change[d->showing[i].device];

		if (i + 1 < d->showings && by_value(&d->showing[i], &d->showing[i + 1]) == 0) {
			i++;
			continue;
		}
		d->showing[n++] = d->showing[i];
		(d->showing[n - 1].now ? c->fresh : c->gone)[d->showing[n - 1].feature]++;
	}
	d->showings = n;
}

static bool has_changed(const struct learn_change *c)
{
	static const uint32_t none[DIFFERENCE_FEATURES];

	return c->came || c->went || c->role_then != c->role_now || strcmp(c->group_then, c->group_now) != 0 ||
	       memcmp(c->fresh, none, sizeof(none)) != 0 || memcmp(c->gone, none, sizeof(none)) != 0;
}

static void drop_unchanged(struct learn_difference *d)
{
	for (uint32_t i = 0; i < d->devices; i++)
		if (has_changed(&d->change[i]))
			d->change[d->count++] = d->change[i];
}

// --- words ---

static int by_word(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->feature != y->feature)
		return x->feature < y->feature ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static bool make_words(struct learn_difference *d)
{
	uint32_t n = 0;

	d->word = calloc(d->showings + 1, sizeof(*d->word));
	if (!d->word)
		return false;
	for (uint32_t i = 0; i < d->showings; i++)
		d->word[i] = (struct word){.value = d->showing[i].value, .feature = d->showing[i].feature};
	qsort(d->word, d->showings, sizeof(*d->word), by_word);
	for (uint32_t i = 0; i < d->showings; i++)
		if (n == 0 || by_word(&d->word[n - 1], &d->word[i]) != 0)
			d->word[n++] = d->word[i];
	d->words = n;
	return true;
}

static struct word *word_of(const struct learn_difference *d, unsigned feature, struct bytes value)
{
	struct word wanted = {.value = value_hash_of(&d->key, feature, value), .feature = (uint8_t)feature};

	return bsearch(&wanted, d->word, d->words, sizeof(wanted), by_word);
}

static void try_value(struct learn_difference *d, unsigned feature, struct bytes value, const char *text)
{
	struct word *w = value.left ? word_of(d, feature, value) : NULL;

	if (w && !w->text[0])
		snprintf(w->text, sizeof(w->text), "%.*s", (int)sizeof(w->text) - 1, text);
}

static void try_address(struct learn_difference *d, const struct address *a)
{
	static const uint8_t plain[] = {FEATURE_ENDPOINT, FEATURE_CLIENT, FEATURE_DESTINATION, FEATURE_INSIDE};
	char text[ADDRESS_TEXT_BYTES], from[ADDRESS_TEXT_BYTES + 32];
	uint8_t room[1 + sizeof(*a)];

	address_format(a, text);
	for (size_t i = 0; i < sizeof(plain); i++)
		try_value(d, plain[i], bytes_of(a, sizeof(*a)), text);
	memcpy(room + 1, a, sizeof(*a));
	for (unsigned kind = 0; kind < FILE_KINDS; kind++) {
		room[0] = (uint8_t)kind;
		snprintf(from, sizeof(from), "%s from %s", file_kind_name(kind), text);
		try_value(d, FEATURE_FILE_SOURCE, bytes_of(room, sizeof(room)), from);
	}
}

static void try_host(struct learn_difference *d, struct bytes host)
{
	uint8_t room[LEARN_VALUE_BYTES + 1];
	struct bytes domain;
	size_t n = learn_host(host, room);

	room[n] = 0;
	if (n == 0 || memchr(room, 0, n))
		return;
	domain = learn_domain(bytes_of(room, n));
	try_value(d, FEATURE_HOST, bytes_of(room, n), (const char *)room);
	try_value(d, FEATURE_DOMAIN, domain, (const char *)domain.at); // the end of the same text
	try_value(d, FEATURE_DESTINATION, domain, (const char *)domain.at);
}

void learn_difference_try(struct learn_difference *d, const char *text)
{
	struct bytes value = bytes_of_text(text);
	char family[64];
	struct address a;

	if (address_parse(value, &a) == 0) {
		try_address(d, &a);
		return;
	}
	try_host(d, value);
	try_value(d, FEATURE_AGENT, value, text);
	try_value(d, FEATURE_JA4, value, text);
	if (learn_agent_family(value, family, sizeof(family)))
		try_value(d, FEATURE_AGENT_FAMILY, bytes_of_text(family), family);
}

void learn_difference_try_port(struct learn_difference *d, const struct address *a, uint8_t transport, uint16_t port)
{
	char text[ADDRESS_TEXT_BYTES], with[ADDRESS_TEXT_BYTES + 16];
	uint8_t room[sizeof(*a) + 3];

	memcpy(room, a, sizeof(*a));
	room[sizeof(*a)] = transport;
	room[sizeof(*a) + 1] = (uint8_t)(port >> 8);
	room[sizeof(*a) + 2] = (uint8_t)port;
	snprintf(with, sizeof(with), "%s %s/%u", address_format(a, text), transport == 17 ? "udp" : "tcp", port);
	try_value(d, FEATURE_ENDPOINT_PORT, bytes_of(room, sizeof(room)), with);
}

static bool is_wanted(const struct learn_difference *d, unsigned feature)
{
	for (uint32_t i = 0; i < d->words; i++)
		if (d->word[i].feature == feature)
			return true;
	return false;
}

static void try_ports(struct learn_difference *d, unsigned feature)
{
	static const uint8_t transports[] = {6, 17};
	struct word *w;

	if (!is_wanted(d, feature))
		return;
	for (unsigned app = 0; app < APP_COUNT; app++)
		for (unsigned t = 0; t < 2; t++)
			for (unsigned port = 0; port < 65536; port++) {
				const uint8_t value[4] = {(uint8_t)app, transports[t], (uint8_t)(port >> 8), (uint8_t)port};

				w = word_of(d, feature, bytes_of(value, sizeof(value)));
				if (w)
					snprintf(w->text, sizeof(w->text), "%s%s%s/%u", app == APP_NONE ? "" : app_name(app),
						 app == APP_NONE ? "" : " on ", t ? "udp" : "tcp", port);
			}
}

void learn_difference_try_all(struct learn_difference *d)
{
	char text[32];

	for (uint8_t kind = 0; kind < FILE_KINDS; kind++)
		try_value(d, FEATURE_FILE, bytes_of(&kind, 1), file_kind_name(kind));
	for (uint8_t part = 0; part < 12; part++) {
		snprintf(text, sizeof(text), "%s %02u-%02u h UTC", part < 6 ? "workday" : "weekend", part % 6 * 4, part % 6 * 4 + 4);
		try_value(d, FEATURE_HOUR, bytes_of(&part, 1), text);
	}
	try_ports(d, FEATURE_PORT);
	try_ports(d, FEATURE_SERVED);
}

static void try_recents(struct learn_difference *d, const struct parts *p)
{
	struct store_recent r;

	for (uint32_t i = 0; i < p->recent_count; i++) {
		parts_record(p->recents, i, &r, sizeof(r));
		if (address_is_well_formed(&r.recent.other) && (r.recent.other.family == 4 || r.recent.other.family == 6))
			try_address(d, &r.recent.other);
		try_host(d, bytes_of(r.name, strnlen((const char *)r.name, sizeof(r.name))));
	}
}

static void try_seen(struct learn_difference *d, const struct parts *then, const struct parts *now)
{
	for (uint32_t i = 0; i < d->devices; i++)
		try_address(d, &d->change[i].address);
	try_recents(d, then);
	try_recents(d, now);
}

static int compare(struct learn_difference *d, const struct image *then, const struct image *now)
{
	struct parts a, b;

	if (!parts_open(then, &a) || !parts_open(now, &b))
		return -EPROTO;
	if (memcmp(&a.head.key, &b.head.key, sizeof(a.head.key)) != 0)
		return -EKEYREJECTED;
	d->key = b.head.key;
	d->change = calloc((size_t)a.device_count + b.device_count + 1, sizeof(*d->change));
	d->showing = calloc((size_t)a.value_count + b.value_count + 1, sizeof(*d->showing));
	if (!d->change || !d->showing)
		return -ENOMEM;
	if (!add_devices(d, &a) || !add_devices(d, &b))
		return -EPROTO;
	unique_devices(d);
	place_devices(d, &a, false);
	place_devices(d, &b, true);
	if (!add_values(d, &a, false) || !add_values(d, &b, true))
		return -EPROTO;
	compare_values(d);
	if (!make_words(d))
		return -ENOMEM;
	try_seen(d, &a, &b);
	drop_unchanged(d);
	return 0;
}

struct learn_difference *learn_difference_create(const struct image *then, const struct image *now, int *error)
{
	struct learn_difference *d = calloc(1, sizeof(*d));

	*error = d ? compare(d, then, now) : -ENOMEM;
	if (*error == 0)
		return d;
	learn_difference_destroy(d);
	return NULL;
}

void learn_difference_destroy(struct learn_difference *d)
{
	if (!d)
		return;
	free(d->change);
	free(d->showing);
	free(d->word);
	free(d);
}

const struct learn_change *learn_difference_at(const struct learn_difference *d, uint32_t i)
{
	return i < d->count ? &d->change[i] : NULL;
}

static uint32_t first_showing(const struct learn_difference *d, uint32_t device, unsigned feature)
{
	uint32_t low = 0, high = d->showings;
	const struct showing wanted = {.device = device, .feature = (uint8_t)feature};

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (by_value(&d->showing[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t learn_difference_words(const struct learn_difference *d, const struct learn_change *c, unsigned feature,
				bool fresh, char *out, size_t cap)
{
	uint32_t named = 0;
	bool full = false;
	size_t at = 0;

	out[0] = 0;
	for (uint32_t i = first_showing(d, c->index, feature); i < d->showings; i++) {
		const struct showing *s = &d->showing[i];
		struct word wanted = {.value = s->value, .feature = s->feature};
		const struct word *w;

		if (s->device != c->index || s->feature != feature)
			break;
		w = s->now == fresh ? bsearch(&wanted, d->word, d->words, sizeof(wanted), by_word) : NULL;
		if (!w || !w->text[0])
			continue;
		if (!full && at + strlen(w->text) + sizeof(", , ...") < cap)
			at += (size_t)snprintf(out + at, cap - at, "%s%s", named ? ", " : "", w->text);
		else
			full = true;
		named++;
	}
	if (full && at + sizeof(", ...") <= cap)
		memcpy(out + at, ", ...", sizeof(", ..."));
	return named;
}
