// SPDX-License-Identifier: GPL-2.0-or-later
// BER elements of LDAP, and a search filter as text (RFC 4511 §4.5.1.7 → RFC 4515).
// Knows nothing of messages or flows. Pure.
#include "ldap_impl.h"

enum parse ldap_header(struct bytes *b, uint8_t *tag, uint32_t *length)
{
	struct bytes at = *b;
	uint8_t first, octet;
	uint32_t n = 0;

	if (!bytes_read_u8(&at, tag) || !bytes_read_u8(&at, &first))
		return PARSE_MORE;
	if ((*tag & 0x1f) == 0x1f || first == 0x80)
		return PARSE_BAD;
	if (first < 0x80)
		n = first;
	else
		// The JDK's client keeps the low 32 bits of any number of octets; so do we, to stay in step with it.
		for (unsigned left = first & 0x7f; left; left--) {
			if (!bytes_read_u8(&at, &octet))
				return PARSE_MORE;
			n = n << 8 | octet;
		}
	if (n > INT32_MAX)
		return PARSE_BAD;
	*length = n;
	*b = at;
	return PARSE_DONE;
}

bool ldap_take(struct bytes *b, struct ldap_element *out)
{
	struct bytes at = *b;

	if (ldap_header(&at, &out->tag, &out->length) != PARSE_DONE)
		return false;
	out->content = bytes_head(at, out->length);
	*b = bytes_from(at, out->length);
	return true;
}

bool ldap_expect(struct bytes *b, uint8_t tag, struct bytes *content)
{
	struct bytes at = *b;
	struct ldap_element e;

	if (!ldap_take(&at, &e) || e.tag != tag || e.content.left != e.length)
		return false;
	*content = e.content;
	*b = at;
	return true;
}

bool ldap_unsigned(struct bytes *b, uint8_t tag, uint64_t *out)
{
	struct bytes at = *b, content;
	uint8_t octet;

	if (!ldap_expect(&at, tag, &content) || content.left > 8)
		return false;
	if (content.left == 0 && !bytes_take(&at, 1, &content)) // the JDK takes the next octet all the same
		return false;
	*out = 0;
	while (bytes_read_u8(&content, &octet))
		*out = *out << 8 | octet;
	*b = at;
	return true;
}

// --- Filter ---

struct writer {
	char *out;
	size_t cap, n;
	bool cut;
};

static void write_text(struct writer *w, const char *text)
{
	for (; *text; text++) {
		if (w->n == w->cap) {
			w->cut = true;
			return;
		}
		w->out[w->n++] = *text;
	}
}

// RFC 4515 §3: ( ) * \ and NUL must be escaped; everything unprintable is.
static void write_value(struct writer *w, struct bytes value)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t c;

	while (!w->cut && bytes_read_u8(&value, &c)) {
		char plain[2] = {(char)c, 0};
		char escaped[4] = {'\\', hex[c >> 4], hex[c & 15], 0};
		bool special = c < 0x20 || c > 0x7e || strchr("()*\\", c);

		write_text(w, special ? escaped : plain);
	}
}

static void write_filter(struct writer *w, struct bytes *b, unsigned depth);

static void write_set(struct writer *w, struct bytes content, unsigned depth)
{
	while (content.left && !w->cut)
		write_filter(w, &content, depth + 1);
}

// AttributeValueAssertion: description, then value; `relation` stands between them.
static void write_assertion(struct writer *w, struct bytes content, const char *relation)
{
	struct bytes type, value;

	if (!ldap_expect(&content, TAG_OCTETS, &type) || !ldap_expect(&content, TAG_OCTETS, &value)) {
		w->cut = true;
		return;
	}
	write_value(w, type);
	write_text(w, relation);
	write_value(w, value);
}

static void write_substrings(struct writer *w, struct bytes content)
{
	struct bytes type, parts;
	struct ldap_element part = {.tag = 0};

	if (!ldap_expect(&content, TAG_OCTETS, &type) || !ldap_expect(&content, TAG_SEQUENCE, &parts)) {
		w->cut = true;
		return;
	}
	write_value(w, type);
	write_text(w, "=");
	while (!w->cut && ldap_take(&parts, &part)) {
		if (part.tag != 0x80) // initial [0]; any [1] and final [2] have a star before them
			write_text(w, "*");
		write_value(w, part.content);
	}
	if (part.tag != 0x82)
		write_text(w, "*");
}

// MatchingRuleAssertion: rule [1], type [2], value [3], dnAttributes [4], all but the value optional.
static void write_extensible(struct writer *w, struct bytes content)
{
	static const struct {
		uint8_t tag;
		const char *before;
	} order[] = {{0x82, ""}, {0x81, ":"}, {0x83, ":="}};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct bytes rest = content;
		struct ldap_element part;

		while (!w->cut && ldap_take(&rest, &part))
			if (part.tag == order[i].tag) {
				write_text(w, order[i].before);
				write_value(w, part.content);
			}
	}
}

static const struct filter_form {
	uint8_t tag;
	const char *sign;  // and, or, not
	const char *relation;
	void (*write)(struct writer *w, struct bytes content);
} filter_forms[] = {
	{0xa0, "&", NULL, NULL},
	{0xa1, "|", NULL, NULL},
	{0xa2, "!", NULL, NULL},
	{0xa3, NULL, "=", NULL},
	{0xa4, NULL, NULL, write_substrings},
	{0xa5, NULL, ">=", NULL},
	{0xa6, NULL, "<=", NULL},
	{0xa8, NULL, "~=", NULL},
	{0xa9, NULL, NULL, write_extensible},
};

static const struct filter_form *filter_form(uint8_t tag)
{
	for (size_t i = 0; i < sizeof(filter_forms) / sizeof(filter_forms[0]); i++)
		if (filter_forms[i].tag == tag)
			return &filter_forms[i];
	return NULL;
}

// Recursion ends at LDAP_FILTER_DEPTH; work ends with the writer's room, for every element writes at least "()".
static void write_filter(struct writer *w, struct bytes *b, unsigned depth)
{
	const struct filter_form *form;
	struct ldap_element e;

	if (depth >= LDAP_FILTER_DEPTH || !ldap_take(b, &e)) {
		w->cut = true;
		return;
	}
	write_text(w, "(");
	form = filter_form(e.tag);
	if (e.tag == 0x87) { // present: the description itself
		write_value(w, e.content);
		write_text(w, "=*");
	} else if (!form) {
		write_text(w, "?");
	} else if (form->sign) {
		write_text(w, form->sign);
		write_set(w, e.content, depth);
	} else if (form->relation) {
		write_assertion(w, e.content, form->relation);
	} else {
		form->write(w, e.content);
	}
	write_text(w, ")");
}

size_t ldap_filter_format(struct bytes b, char *out, size_t cap, bool *cut)
{
	struct writer w = {.out = out, .cap = cap};

	write_filter(&w, &b, 0);
	*cut = w.cut;
	return w.n;
}
