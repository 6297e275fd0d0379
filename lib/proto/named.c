// SPDX-License-Identifier: GPL-2.0-or-later
// What a request from outside names: literal addresses and hosts of its URI, headers, cookies and body, told in records
// of their own (OBS_NAMED). Whoever contacts one of them a little later was told to by the outside. Called by the
// flow's worker; finding them in a text is named_find.c's.
#include "named_impl.h"

// Headers in which addresses stand by nature. The first group's name clients and proxies, or hold versions that look
// like addresses: nobody is sent there, but a URL is as odd as elsewhere. Those of the second name the page the visitor
// saw.
static const struct {
	const char *name;
	enum named_mode mode;
} modes[] = {
	{"header:user-agent", NAMED_URLS},
	{"header:x-forwarded-for", NAMED_URLS},
	{"header:x-real-ip", NAMED_URLS},
	{"header:forwarded", NAMED_URLS},
	{"header:x-forwarded", NAMED_URLS},
	{"header:forwarded-for", NAMED_URLS},
	{"header:via", NAMED_URLS},
	{"header:true-client-ip", NAMED_URLS},
	{"header:cf-connecting-ip", NAMED_URLS},
	{"header:cf-connecting-ipv6", NAMED_URLS},
	{"header:fastly-client-ip", NAMED_URLS},
	{"header:client-ip", NAMED_URLS},
	{"header:x-client-ip", NAMED_URLS},
	{"header:x-cluster-client-ip", NAMED_URLS},
	{"header:x-original-forwarded-for", NAMED_URLS},
	{"header:x-envoy-external-address", NAMED_URLS},
	{"header:x-azure-clientip", NAMED_URLS},
	{"header:x-azure-socketip", NAMED_URLS},
	{"header:sec-ch-ua-full-version-list", NAMED_URLS},
	{"header:referer", NAMED_SITE},
	{"header:origin", NAMED_SITE},
	{"header:host", NAMED_NOTHING},
};

static enum named_mode mode_of(const char *field)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(field, modes[i].name) == 0)
			return modes[i].mode;
	return NAMED_ALL;
}

void named_begin(struct named *n)
{
	n->addresses = n->text_length = n->records = n->files = 0;
	n->field[0] = '\0';
}

void named_end(struct named *n, const struct named_from *from)
{
	struct observation o;

	if (n->addresses == 0 && n->text_length == 0)
		return;
	observation_init(&o, OBS_NAMED);
	observation_put(&o, TEXT_NAMED_FIELD, bytes_of_text(n->field));
	observation_put(&o, TEXT_NAMED_ADDRESSES, bytes_of(n->address, n->addresses * sizeof(n->address[0])));
	observation_put(&o, TEXT_NAMED_HOSTS, bytes_of(n->text, n->text_length));
	proto_emit(from->sink, from->in, from->app, &o);
	n->addresses = 0;
	n->text_length = 0;
	n->field[0] = '\0';
}

// A full record is sent and another begun, so that what nobody contacts cannot crowd out what follows it.
static bool make_room(struct named *n, const struct named_from *from, bool room)
{
	if (room)
		return true;
	if (n->records == NAMED_RECORDS) {
		proto_mark(from->sink, COUNT_PROTO_BUDGET);
		return false;
	}
	n->records++;
	named_end(n, from);
	return true;
}

static void name_field(struct named *n, const struct named_from *from)
{
	size_t length = strlen(from->field);

	if (n->field[0])
		return;
	if (length >= sizeof(n->field))
		length = sizeof(n->field) - 1;
	memcpy(n->field, from->field, length);
	n->field[length] = '\0';
}

// ::ffff:192.0.2.1 is called at 192.0.2.1 (RFC 4291 §2.5.5.2).
static struct address unmapped(const struct address *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return a->family == 6 && memcmp(a->b, prefix, sizeof(prefix)) == 0 ? address_v4(a->b + 12) : *a;
}

// Whom nobody can be sent to through us: this host, groups, nobody. Link-local addresses are wanted: a cloud's
// metadata.
static bool leads_nowhere(const struct address *a)
{
	static const uint8_t nobody[15];

	if (a->family == 4)
		return a->b[0] == 0 || a->b[0] == 127 || a->b[0] >= 224;
	return a->b[0] == 0xff || (memcmp(a->b, nobody, sizeof(nobody)) == 0 && a->b[15] <= 1);
}

void named_address(struct named *n, const struct named_from *from, const struct address *literal)
{
	struct address a = unmapped(literal);

	if (leads_nowhere(&a))
		return;
	for (unsigned i = 0; i < n->addresses; i++)
		if (address_equal(&n->address[i], &a))
			return;
	if (!make_room(n, from, n->addresses < NAMED_ADDRESSES))
		return;
	name_field(n, from);
	n->address[n->addresses++] = a;
}

static bool is_there(const struct named *n, struct bytes host)
{
	struct bytes rest = bytes_of(n->text, n->text_length);

	while (rest.left) {
		size_t end = bytes_find(rest, ' ');

		if (bytes_equal(bytes_head(rest, end), host))
			return true;
		rest = bytes_from(rest, end + 1);
	}
	return false;
}

// Without port, as it is compared with a Host.
static bool is_the_site(const struct named_from *from, struct bytes host)
{
	struct bytes site = bytes_head(from->host, bytes_find(from->host, ':'));

	if (from->mode != NAMED_SITE || site.left != host.left)
		return false;
	for (size_t i = 0; i < host.left; i++)
		if (byte_lower(site.at[i]) != host.at[i])
			return false;
	return host.left > 0;
}

void named_host(struct named *n, const struct named_from *from, struct bytes host)
{
	size_t gap;

	if (is_the_site(from, host) || bytes_equal_text(host, "localhost") || is_there(n, host))
		return;
	if (!make_room(n, from, n->text_length + host.left < sizeof(n->text)))
		return;
	name_field(n, from);
	gap = n->text_length > 0;
	if (gap)
		n->text[n->text_length] = ' ';
	memcpy(n->text + n->text_length + gap, host.at, host.left);
	n->text_length = (uint16_t)(n->text_length + gap + host.left);
}

bool named_field(struct named *n, struct bytes field, struct named_from *from)
{
	unsigned looks = named_look(field);

	if (!looks)
		return false;
	from->mode = mode_of(from->field);
	if (from->mode == NAMED_NOTHING || (from->mode == NAMED_URLS && !(looks & NAMED_LOOKS_ODD)))
		return false;
	named_find(n, field, looks, from);
	return from->hits > 0;
}

void named_body(struct bytes body, const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	struct named_from from = {.field = "body", .in = in, .sink = sink, .app = app};
	unsigned looks = named_look(body);
	struct named n;

	if (!looks)
		return;
	named_begin(&n);
	named_find(&n, body, looks, &from);
	named_end(&n, &from);
}
