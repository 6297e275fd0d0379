// SPDX-License-Identifier: GPL-2.0-or-later
// The ways a '$' or '{' is written without being one: one layer at a time. Which layer the application really undoes
// is not known here, so jndi.c looks at the text after each.
#include "jndi_impl.h"

enum { ENTITY_DIGITS = 10, JAVA_US = 8 /* Java allows \uuuu0024; more than this nobody writes */ };

struct undone {
	size_t taken;  // bytes of the escape
	size_t length; // of at[], never above taken
	uint8_t at[4];
};

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = byte_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Reads exactly n hex digits at the start of `in`.
static bool hex_number(struct bytes in, unsigned n, uint32_t *out)
{
	uint32_t value = 0;

	if (in.left < n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		int digit = hex_digit(in.at[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*out = value;
	return true;
}

static bool undo_byte(struct undone *u, size_t taken, uint32_t byte)
{
	u->taken = taken;
	u->length = 1;
	u->at[0] = (uint8_t)byte;
	return true;
}

// As UTF-8. Surrogates are kept one by one (CESU-8): nothing we look for lies up there.
static bool undo_code_point(struct undone *u, size_t taken, uint32_t c)
{
	static const struct {
		uint32_t below;
		uint8_t length, lead;
	} forms[] = {{0x80, 1, 0}, {0x800, 2, 0xc0}, {0x10000, 3, 0xe0}, {0x110000, 4, 0xf0}};
	unsigned form = 0;

	while (form < 4 && c >= forms[form].below)
		form++;
	if (form == 4 || forms[form].length > taken)
		return false;
	u->taken = taken;
	u->length = forms[form].length;
	for (size_t i = u->length; i-- > 1; c >>= 6)
		u->at[i] = 0x80 | (c & 0x3f);
	u->at[0] = (uint8_t)(forms[form].lead | c);
	return true;
}

// One byte, escaped by percent or in clear. Returns how many bytes that took, 0: none there.
static size_t plain_or_percent(struct bytes in, uint32_t *byte)
{
	if (in.left == 0)
		return 0;
	if (in.at[0] == '%')
		return hex_number(bytes_from(in, 1), 2, byte) ? 3 : 0;
	*byte = in.at[0];
	return 1;
}

// UTF-8 of an ASCII character in more bytes than it takes (C0 A4 is '$'): decoders that are not strict take it.
static bool undo_overlong(struct bytes in, struct undone *u)
{
	uint32_t value, part;
	size_t at = plain_or_percent(in, &value), n;
	unsigned more = value <= 0xc1 ? 1 : value == 0xe0 ? 2 : 3;

	if (!at || (value != 0xc0 && value != 0xc1 && value != 0xe0 && value != 0xf0))
		return false;
	for (value &= 0x1f >> (more - 1); more; more--, at += n) {
		n = plain_or_percent(bytes_from(in, at), &part);
		if (!n || (part & 0xc0) != 0x80)
			return false;
		value = value << 6 | (part & 0x3f);
	}
	return value < 0x80 && undo_byte(u, at, value);
}

static bool undo_percent(struct bytes in, struct undone *u)
{
	uint32_t value;

	if (hex_number(bytes_from(in, 1), 2, &value))
		return (value >= 0xc0 && undo_overlong(in, u)) || undo_byte(u, 3, value);
	if (in.left >= 6 && byte_lower(in.at[1]) == 'u' &&
	    hex_number(bytes_from(in, 2), 4, &value)) // IIS, JavaScript's escape()
		return undo_code_point(u, 6, value);
	return false;
}

static bool undo_octal(struct bytes in, struct undone *u)
{
	uint32_t value = 0;
	size_t n = 1;

	while (n < in.left && n < 4 && in.at[n] >= '0' && in.at[n] <= '7' && value * 8 < 256)
		value = value * 8 + (uint32_t)(in.at[n++] - '0');
	return n > 1 && undo_byte(u, n, value);
}

static bool undo_backslash(struct bytes in, struct undone *u)
{
	uint32_t value;
	size_t n = 1;

	if (in.left < 2)
		return false;
	if (in.at[1] == '\\' || in.at[1] == '/')
		return undo_byte(u, 2, in.at[1]);
	if (byte_lower(in.at[1]) == 'x' && hex_number(bytes_from(in, 2), 2, &value))
		return undo_byte(u, 4, value);
	while (n < in.left && n <= JAVA_US && byte_lower(in.at[n]) == 'u')
		n++;
	if (n > 1)
		return hex_number(bytes_from(in, n), 4, &value) && undo_code_point(u, n + 4, value);
	return undo_octal(in, u);
}

// "&#36;" "&#x24;" "&#00036": any number of zeros within ENTITY_DIGITS, the semicolon optional as browsers have it.
static bool undo_entity_number(struct bytes in, struct undone *u)
{
	bool hex = in.left > 2 && byte_lower(in.at[2]) == 'x';
	size_t first = hex ? 3 : 2, n = first;
	uint32_t value = 0;

	for (; n < in.left && n < first + ENTITY_DIGITS && value < 0x110000; n++) {
		int digit = hex_digit(in.at[n]);

		if (digit < 0 || (!hex && digit > 9))
			break;
		value = value * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (n == first)
		return false;
	if (n < in.left && in.at[n] == ';')
		n++;
	return undo_code_point(u, n, value);
}

// HTML's names for what a look-up is made of, by their first letter, compared without case: decoders that take
// "&LBRACE;" exist.
enum { ENTITIES_A_LETTER = 6 };

static const struct entity {
	const char *name;
	uint16_t code_point;
} entities[26][ENTITIES_A_LETTER] = {
	['a' - 'a'] = {{"amp", '&'}, {"apos", '\''}},
	['b' - 'a'] = {{"bsol", '\\'}},
	['c' - 'a'] = {{"colon", ':'}, {"commat", '@'}, {"comma", ','}},
	['d' - 'a'] = {{"dollar", '$'}},
	['e' - 'a'] = {{"equals", '='}},
	['g' - 'a'] = {{"gt", '>'}},
	['i' - 'a'] = {{"imath", 0x131}, {"inodot", 0x131}},
	['l' - 'a'] = {{"lt", '<'}, {"lbrace", '{'}, {"lcub", '{'}, {"lsqb", '['}, {"lbrack", '['}, {"lowbar", '_'}},
	['n' - 'a'] = {{"num", '#'}, {"newline", '\n'}},
	['p' - 'a'] = {{"percnt", '%'}, {"period", '.'}, {"plus", '+'}},
	['q' - 'a'] = {{"quot", '"'}, {"quest", '?'}},
	['r' - 'a'] = {{"rbrace", '}'}, {"rcub", '}'}, {"rsqb", ']'}, {"rbrack", ']'}},
	['s' - 'a'] = {{"sol", '/'}, {"semi", ';'}},
	['t' - 'a'] = {{"tab", '\t'}},
	['u' - 'a'] = {{"underbar", '_'}},
};

static bool undo_entity(struct bytes in, struct undone *u)
{
	const struct entity *of;
	uint8_t first;

	if (in.left < 3)
		return false;
	if (in.at[1] == '#')
		return undo_entity_number(in, u);
	first = byte_lower(in.at[1]);
	if (first < 'a' || first > 'z')
		return false;
	of = entities[first - 'a'];
	for (size_t i = 0; i < ENTITIES_A_LETTER && of[i].name; i++) {
		size_t n = strlen(of[i].name);

		if (in.left < n + 1 || byte_lower(in.at[2]) != (uint8_t)of[i].name[1] ||
		    !bytes_equal_nocase(bytes_of(in.at + 1, n), of[i].name))
			continue;
		n += in.left > n + 1 && in.at[n + 1] == ';' ? 2 : 1;
		return undo_code_point(u, n, of[i].code_point);
	}
	return false;
}

// Which family the escape that begins with a byte belongs to, and how it is undone.
static const struct escape {
	uint8_t family; // enum jndi_escapes; 0: none begins so
	bool (*undo)(struct bytes in, struct undone *u);
} escapes[256] = {
	['%'] = {JNDI_PERCENT, undo_percent},      ['&'] = {JNDI_ENTITY, undo_entity},
	['\\'] = {JNDI_BACKSLASH, undo_backslash}, [0xc0] = {JNDI_PERCENT, undo_overlong},
	[0xc1] = {JNDI_PERCENT, undo_overlong},    [0xe0] = {JNDI_PERCENT, undo_overlong},
	[0xf0] = {JNDI_PERCENT, undo_overlong},
};

// Moves text[in..end) to text[out..), which does not lie behind it.
static void move_down(struct jndi_text *t, size_t out, size_t in, size_t end)
{
	if (out == in || in == end)
		return;
	memmove(t->at + out, t->at + in, end - in);
	memmove(t->origin + out, t->origin + in, (end - in) * sizeof(t->origin[0]));
}

bool jndi_unescape(struct jndi_text *t, unsigned which, struct jndi_work *work)
{
	size_t in = 0, out = 0;
	uint16_t end = t->origin[t->length];
	struct undone u;

	while (in < t->length && jndi_work_spend(work, JNDI_ESCAPE_WORK)) {
		uint16_t origin;
		size_t run = in;

		while (run < t->length && !(escapes[t->at[run]].family & which))
			run++;
		jndi_work_spend(work, (uint32_t)(run - in) / 2);
		move_down(t, out, in, run);
		out += run - in;
		in = run;
		if (in == t->length)
			break;
		origin = t->origin[in];
		if (!escapes[t->at[in]].undo(bytes_of(t->at + in, t->length - in), &u)) {
			t->at[out] = t->at[in++];
			t->origin[out++] = origin;
			continue;
		}
		for (size_t i = 0; i < u.length; i++, out++) {
			t->at[out] = u.at[i];
			t->origin[out] = origin;
		}
		in += u.taken;
	}
	t->length = out;
	t->origin[out] = end;
	return work->left && out != in; // every escape is longer than what it stands for
}

static int base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool jndi_is_base64(uint8_t c)
{
	return base64_digit(c) >= 0;
}

size_t jndi_base64(struct bytes in, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.left; i++) {
		int digit = base64_digit(in.at[i]);

		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	return n;
}

// Letters outside ASCII whose other case is ASCII (Unicode 13 UnicodeData and SpecialCasing, which
// java.lang.Character follows). Those that would grow in UTF-8 (U+01F0, U+0130) leave a combining mark behind and so
// spell nothing; they are left alone.
static const struct letter {
	const char *from, *to;
	bool upper;
} letters[] = {
	{"\xc4\xb1", "I", true},      // U+0131 dotless i
	{"\xc5\xbf", "S", true},      // U+017F long s
	{"\xc3\x9f", "SS", true},     // U+00DF sharp s
	{"\xef\xac\x80", "FF", true}, // U+FB00..FB06 ligatures
	{"\xef\xac\x81", "FI", true},  {"\xef\xac\x82", "FL", true}, {"\xef\xac\x83", "FFI", true},
	{"\xef\xac\x84", "FFL", true}, {"\xef\xac\x85", "ST", true}, {"\xef\xac\x86", "ST", true},
	{"\xe2\x84\xaa", "k", false}, // U+212A Kelvin
};

static const struct letter *letter_find(struct bytes in, bool upper)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].upper == upper && bytes_begin_with(in, letters[i].from))
			return &letters[i];
	return NULL;
}

size_t jndi_case(struct bytes in, bool upper, uint8_t *out)
{
	size_t n = 0;

	while (in.left) {
		uint8_t c = in.at[0];
		const struct letter *letter = c < 0x80 ? NULL : letter_find(in, upper);

		if (letter) {
			memcpy(out + n, letter->to, strlen(letter->to));
			n += strlen(letter->to);
			bytes_skip(&in, strlen(letter->from));
			continue;
		}
		out[n++] = upper ? (c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c) : byte_lower(c);
		bytes_skip(&in, 1);
	}
	return n;
}
