// SPDX-License-Identifier: GPL-2.0-or-later
// What a device is called, and where it says so. Names are told by ourselves (DNS answers that hold its address,
// certificates it shows) or by visitors (Host, SNI). Visitors may say anything, so each kind has places of its own, and
// among visitors the majority counts (Misra and Gries 1982). What leaves is read in clear and as hexadecimal, base32
// and base64 of any alignment; only asked of calls to places nobody knows, so it may take a few microseconds.
#include "image.h"
#include "judge_impl.h"

#include <stdlib.h>

enum {
	OWNERS = 1 << 13,
	OWN_WAYS = 8,
	OURS = 2,     // places for names told by ourselves
	VISITORS = 2, // by visitors
	NAMES = OURS + VISITORS,
	OWN_NAME_BYTES = 60,
	NAME_LEAST = 4, // a shorter one stands in too many texts
	VOTES_MOST = 1000,
	TEXT_BYTES = 400,
	RUN_LEAST = 8, // of encoded text
};

struct name {
	uint16_t votes;
	uint8_t length; // 0: empty
	char text[OWN_NAME_BYTES];
};

struct own {
	struct address device;
	uint64_t last_ns; // 0: empty
	struct name name[NAMES];
};

struct own *own_create(void)
{
	return calloc(OWNERS, sizeof(struct own));
}

void own_put(const struct own *own, struct image *i)
{
	image_append_table(i, own, OWNERS, sizeof(*own));
}

bool own_take(struct own *own, struct bytes section)
{
	if (!image_take_table(section, own, OWNERS, sizeof(*own)))
		return false;
	for (unsigned o = 0; o < OWNERS; o++)
		for (unsigned n = 0; n < NAMES; n++)
			if (own[o].name[n].length > OWN_NAME_BYTES || own[o].name[n].votes > VOTES_MOST ||
			    (own[o].name[n].length && own[o].name[n].length < NAME_LEAST))
				return false;
	return true;
}

void own_forget(struct own *own)
{
	memset(own, 0, OWNERS * sizeof(*own));
}

static struct own *own_of(const struct judge *j, const struct address *device, bool add)
{
	struct own *set = &j->own[siphash13(&j->key, device, sizeof(*device)) % (OWNERS / OWN_WAYS) * OWN_WAYS],
		   *oldest = set;

	for (unsigned i = 0; i < OWN_WAYS; i++) {
		if (set[i].last_ns && address_equal(&set[i].device, device))
			return &set[i];
		if (set[i].last_ns < oldest->last_ns)
			oldest = &set[i];
	}
	if (!add)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	oldest->device = *device;
	return oldest;
}

static bool same_name(const struct name *n, struct bytes host)
{
	return n->length == host.left && memcmp(n->text, host.at, host.left) == 0;
}

// One vote for a name among `count` places.
static void vote(struct name *places, unsigned count, struct bytes host)
{
	struct name *empty = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (places[i].length && same_name(&places[i], host)) {
			places[i].votes += places[i].votes < VOTES_MOST;
			return;
		}
		if (!places[i].votes)
			empty = &places[i];
	}
	if (empty) {
		empty->votes = 1;
		empty->length = (uint8_t)host.left;
		memcpy(empty->text, host.at, host.left);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		places[i].votes--;
}

static void add_name(struct judge *j, const struct address *device, bool ours, struct bytes host, uint64_t now_ns)
{
	uint8_t room[128];
	struct address literal;
	struct own *own;

	host = bytes_of(room, learn_host(host, room));
	if (host.left < NAME_LEAST || host.left > OWN_NAME_BYTES || bytes_find(host, '*') < host.left ||
	    address_parse(host, &literal) == 0)
		return;
	own = own_of(j, device, true);
	own->last_ns = now_ns;
	vote(ours ? own->name : own->name + OURS, ours ? OURS : VISITORS, host);
}

// --- Where names are told ---

static void note_answer(struct judge *j, const struct observation *o)
{
	struct bytes raw = observation_text(o, TEXT_DNS_ADDRESSES), one;
	struct address a;

	while (bytes_take(&raw, sizeof(a), &one)) {
		memcpy(&a, one.at, sizeof(a));
		if (learn_device_find(j->learn, &a))
			add_name(j, &a, true, observation_text(o, TEXT_DNS_NAME), o->time_ns);
	}
}

static void note_certificate(struct judge *j, const struct observation *o)
{
	struct bytes names = observation_text(o, TEXT_TLS_NAMES);

	if (names.left == 0)
		names = observation_text(o, TEXT_TLS_SUBJECT);
	add_name(j, &o->server, true, bytes_head(names, bytes_find(names, ',')), o->time_ns);
}

void own_note(struct judge *j, const struct observation *o)
{
	if (o->kind == OBS_DNS && (o->flags8 & OBS_FLAG_RESPONSE))
		note_answer(j, o);
	if (o->direction != DIRECTION_IN && o->direction != DIRECTION_LATERAL)
		return;
	if (o->kind == OBS_TLS_SERVER && o->number[NUM_TLS_SERVER_PART] == 0)
		note_certificate(j, o);
	if (o->kind == OBS_HTTP_REQUEST && !(o->flags8 & OBS_FLAG_BARE_HOST))
		add_name(j, &o->server, false, observation_text(o, TEXT_REQUEST_HOST), o->time_ns);
	if (o->kind == OBS_TLS)
		add_name(j, &o->server, false, observation_text(o, TEXT_TLS_SNI), o->time_ns);
}

// --- Where they are said ---

struct needles {
	const struct own *own; // NULL: no name is known
	const struct address *address;
	char text[ADDRESS_TEXT_BYTES]; // of the address
};

static bool is_word_byte(uint8_t c)
{
	c = byte_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

// Does `word` (in small letters) stand in the text, not as a part of a longer word or number?
static bool stands_in(struct bytes text, struct bytes word)
{
	for (size_t at = 0; at + word.left <= text.left; at++) {
		size_t n = 0;

		while (n < word.left && byte_lower(text.at[at + n]) == word.at[n])
			n++;
		if (n == word.left && (at == 0 || !is_word_byte(text.at[at - 1])) &&
		    (at + n == text.left || !is_word_byte(text.at[at + n])))
			return true;
	}
	return false;
}

// "web01" of "web01.example.com": told alone by `hostname`. Only one that could not be an ordinary word.
static struct bytes host_part(struct bytes name)
{
	struct bytes label = bytes_head(name, bytes_find(name, '.'));
	bool odd = false;

	for (size_t i = 0; i < label.left; i++)
		odd = odd || label.at[i] == '-' || (label.at[i] >= '0' && label.at[i] <= '9');
	return odd && label.left >= NAME_LEAST ? label : name;
}

// What stands behind its first label, or all of a name of two.
static struct bytes own_domain(struct bytes name)
{
	struct bytes above = bytes_from(name, bytes_find(name, '.') + 1);

	return bytes_find(above, '.') < above.left ? above : name;
}

static bool is_within(struct bytes host, struct bytes domain)
{
	struct bytes end;

	host = bytes_head(host, bytes_find(host, ':'));
	if (host.left && host.at[host.left - 1] == '.')
		host.left--;
	if (domain.left == 0 || host.left < domain.left)
		return false;
	end = bytes_from(host, host.left - domain.left);
	for (size_t i = 0; i < domain.left; i++)
		if (byte_lower(end.at[i]) != domain.at[i])
			return false;
	return host.left == domain.left || host.at[host.left - domain.left - 1] == '.';
}

static bool says_name(const struct needles *n, struct bytes text)
{
	for (unsigned i = 0; n->own && i < NAMES; i++) {
		struct bytes name = bytes_of(n->own->name[i].text, n->own->name[i].length);

		if (name.left && (stands_in(text, name) || stands_in(text, host_part(name))))
			return true;
	}
	return false;
}

static int value_of(uint8_t c, unsigned bits)
{
	bool digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

	if (bits == 4)
		return digit ? c - '0' : byte_lower(c) >= 'a' && byte_lower(c) <= 'f' ? byte_lower(c) - 'a' + 10 : -1;
	if (bits == 5) // RFC 4648 §6
		return upper || lower ? byte_lower(c) - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
	return upper ? c - 'A' : lower ? c - 'a' + 26 : digit ? c - '0' + 52 : c == '-' ? 62 : c == '_' ? 63 : -1;
}

// Up to the first foreign byte.
static struct bytes decode(struct bytes run, unsigned bits, uint8_t out[TEXT_BYTES])
{
	uint32_t held = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < run.left && n < TEXT_BYTES; i++) {
		int value = value_of(run.at[i], bits);

		if (value < 0)
			break;
		held = held << bits | (uint32_t)value;
		have += bits;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (uint8_t)(held >> have);
	}
	return bytes_of(out, n);
}

static bool says_it(const struct needles *n, struct bytes plain)
{
	return stands_in(plain, bytes_of_text(n->text)) || says_name(n, plain);
}

// Eight digits of hexadecimal may be the address itself.
static bool is_the_address(const struct needles *n, struct bytes run, struct bytes plain)
{
	return n->address->family == 4 && run.left == 8 && plain.left == 4 && memcmp(plain.at, n->address->b, 4) == 0;
}

static bool run_says_it(const struct needles *n, struct bytes run)
{
	uint8_t room[TEXT_BYTES];

	for (unsigned bits = 4; bits <= 6; bits++) {
		unsigned alignments = bits == 4 ? 2 : bits == 5 ? 8 : 4; // text may stand before what was encoded

		for (unsigned skip = 0; skip < alignments && skip + RUN_LEAST <= run.left; skip++) {
			struct bytes plain = decode(bytes_from(run, skip), bits, room);

			if (says_it(n, plain) || (bits == 4 && !skip && is_the_address(n, run, plain)))
				return true;
		}
	}
	return false;
}

static bool is_run_byte(uint8_t c)
{
	return is_word_byte(c) || c == '-' || c == '_';
}

static bool says_encoded(const struct needles *n, struct bytes text)
{
	for (size_t at = 0, to; at < text.left; at = to + 1) {
		for (to = at; to < text.left && is_run_byte(text.at[to]); to++)
			;
		if (to - at >= RUN_LEAST && run_says_it(n, bytes_of(text.at + at, to - at)))
			return true;
	}
	return false;
}

// The labels of a name as one: what is too long for one label goes on in the next.
static struct bytes without_dots(struct bytes name, uint8_t room[TEXT_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < name.left && n < TEXT_BYTES; i++)
		if (name.at[i] != '.')
			room[n++] = name.at[i];
	return bytes_of(room, n);
}

static unsigned look_in(const struct needles *n, struct bytes text, bool is_name)
{
	uint8_t room[TEXT_BYTES];
	bool encoded = says_encoded(n, text) || (is_name && says_encoded(n, without_dots(text, room)));

	return (says_name(n, text) ? OWN_NAME : 0u) | (encoded ? OWN_ENCODED : 0u);
}

unsigned own_found(const struct judge *j, const struct observation *o)
{
	const struct address *device = observation_device(o);
	const struct own *own = own_of(j, device, false);
	struct needles n = {.own = own, .address = device};
	struct bytes host, target = bytes_of(NULL, 0);

	if (o->direction == DIRECTION_IN || !address_is_set(device))
		return 0;
	if (o->kind == OBS_HTTP_REQUEST)
		target = observation_text(o, TEXT_REQUEST_URI);
	host = observation_text(o, o->kind == OBS_HTTP_REQUEST ? TEXT_REQUEST_HOST
				   : o->kind == OBS_TLS        ? TEXT_TLS_SNI
							       : TEXT_DNS_NAME);
	if (o->kind != OBS_HTTP_REQUEST && o->kind != OBS_TLS && o->kind != OBS_DNS)
		return 0;
	for (unsigned i = 0; own && i < OURS; i++) // it may tell itself; what visitors call its own is not asked
		if (is_within(host, own_domain(bytes_of(own->name[i].text, own->name[i].length))))
			return 0;
	address_format(device, n.text);
	return look_in(&n, host, true) | look_in(&n, target, false);
}
