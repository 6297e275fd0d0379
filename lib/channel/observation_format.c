// SPDX-License-Identifier: GPL-2.0-or-later
// One observation as one line, for golden files and traces. Leaves out what may differ between two runs over the same
// frames (time, sequence, flow id, worker). Reads a checked record; hostile texts come out printable and quoted.
#include "observation.h"
#include "digest.h"
#include "text.h"
#include <stdarg.h>
#include <stdio.h>

enum { WORD_BYTES = 128, PIECE_BYTES = 4 * OBSERVATION_TEXT_BYTES + 1, HEX_MOST_BYTES = 16 };

struct line {
	char *at;
	size_t cap;
	size_t length; // always below cap
};

static const char *const flag_names[] = {
	"truncated", "midstream", "bare-host", "encoded", "bad-checksum", "dropped", "response",
};

static const char *flag_name(unsigned flag)
{
	return flag < sizeof(flag_names) / sizeof(flag_names[0]) ? flag_names[flag] : "?";
}

static void put(struct line *l, const char *text, size_t n)
{
	if (n > l->cap - 1 - l->length)
		n = l->cap - 1 - l->length;
	memcpy(l->at + l->length, text, n);
	l->length += n;
	l->at[l->length] = '\0';
}

__attribute__((format(printf, 2, 3))) static void put_words(struct line *l, const char *format, ...)
{
	char words[WORD_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	put(l, words, strlen(words));
}

static size_t plain_bytes(struct bytes text)
{
	size_t quote = bytes_find(text, '"'), backslash = bytes_find(text, '\\');

	return quote < backslash ? quote : backslash;
}

// Quote and backslash get a backslash, so that a peer's text cannot end the quoting and forge fields of its own.
static void put_quoted(struct line *l, struct bytes text)
{
	char piece[PIECE_BYTES];

	put(l, "\"", 1);
	while (text.left) {
		size_t n = plain_bytes(text);

		put(l, piece, text_printable(bytes_head(text, n), piece, sizeof(piece)));
		bytes_skip(&text, n);
		if (text.left) {
			put(l, (char[]){'\\', (char)text.at[0]}, 2);
			bytes_skip(&text, 1);
		}
	}
	put(l, "\"", 1);
}

static void put_end(struct line *l, const struct address *a, uint16_t port)
{
	char text[ADDRESS_TEXT_BYTES];

	put_words(l, a->family == 6 ? "[%s]:%u" : "%s:%u", address_format(a, text), port);
}

static void put_transport(struct line *l, uint8_t transport)
{
	static const char *const names[256] = {[1] = "icmp", [6] = "tcp", [17] = "udp", [58] = "icmp6"};

	if (names[transport])
		put_words(l, " %s", names[transport]);
	else
		put_words(l, " %u", transport);
}

static void put_addresses(struct line *l, struct bytes raw)
{
	char text[ADDRESS_TEXT_BYTES];
	struct bytes one;
	struct address a;

	for (const char *comma = ""; bytes_take(&raw, sizeof(a), &one); comma = ",") {
		memcpy(&a, one.at, sizeof(a));
		put_words(l, "%s%s", comma, address_format(&a, text));
	}
}

static void put_hex(struct line *l, struct bytes raw)
{
	char text[2 * HEX_MOST_BYTES + 1];

	raw = bytes_head(raw, HEX_MOST_BYTES);
	digest_hex(raw.at, raw.left, text);
	put_words(l, "%s", text);
}

// A number of 0 means absent or nothing, except where it is an enum: then it is a word.
static void put_number(struct line *l, const struct observation_field *f, uint64_t value)
{
	if (f->kind == OBS_FLOW_CLOSE && f->slot == NUM_CLOSE_START_NS)
		return; // a time
	if (f->names)
		put_words(l, " %s=%s", f->name, f->names[value]);
	else if (value)
		put_words(l, " %s=%llu", f->name, (unsigned long long)value);
}

static void put_field(struct line *l, const struct observation_field *f, const struct observation *o)
{
	static void (*const put_by_type[])(struct line *l, struct bytes text) = {
		[FIELD_TEXT] = put_quoted, [FIELD_ADDRESSES] = put_addresses, [FIELD_HEX] = put_hex,
	};

	if (f->type == FIELD_NUMBER) {
		put_number(l, f, o->number[f->slot]);
		return;
	}
	if (o->slot[f->slot].length == 0)
		return;
	put_words(l, " %s=", f->name);
	put_by_type[f->type](l, observation_text(o, f->slot));
}

static void put_bits(struct line *l, const char *key, unsigned bits, const char *(*name)(unsigned))
{
	const char *before = key;

	for (unsigned i = 0; bits >> i; i++) {
		if (!(bits >> i & 1))
			continue;
		put_words(l, "%s%s", before, name(i));
		before = ",";
	}
}

size_t observation_format(const struct observation *o, char *out, size_t cap)
{
	struct line l = {out, cap, 0};

	if (cap == 0)
		return 0;
	out[0] = '\0';
	put_words(&l, "%s %s ", observation_kind_name(o->kind), direction_name(o->direction));
	put_end(&l, &o->client, o->client_port);
	put_words(&l, " > ");
	put_end(&l, &o->server, o->server_port);
	put_transport(&l, o->transport);
	put_words(&l, " %s %s", app_name(o->app), o->from_client ? "client" : "server");
	if (o->vlan)
		put_words(&l, " vlan=%u", o->vlan);
	for (const struct observation_field *f = observation_fields; f->name; f++)
		if (f->kind == o->kind)
			put_field(&l, f, o);
	put_bits(&l, " facts=", o->facts, fact_name);
	put_bits(&l, " flags=", o->flags8, flag_name);
	return l.length;
}
