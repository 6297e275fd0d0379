// SPDX-License-Identifier: GPL-2.0-or-later
// Literals in a text: hosts of URLs and of "host:port", IPv4 and IPv6 addresses, also those that only a URL may hold
// (3405803777, 0xcb007101, 0313.0.0161.1: what inet_aton reads, WHATWG URL §3.5); bare IPv6 where it is shortened. As
// it stands, behind up to two layers of percent escapes, and in base64 that begins with "http". Whose text it is nobody
// knows, so what may be read in two ways is read in both. Runs on every inbound header: most are left after the quick
// look. Pure; any thread.
#include "named_impl.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { HITS_MOST = 256 };

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	c = byte_lower(c);
	return c >= 'a' && c <= 'z';
}

static bool is_slash(uint8_t c)
{
	return c == '/' || c == '\\';
}

static bool is_host_byte(uint8_t c)
{
	return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_';
}

static bool is_v6_byte(uint8_t c)
{
	c = byte_lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

// --- The quick look: three bytes that stand together ---

// Does a number of up to three digits stand here, with a dot behind it? Moves over both.
static bool skip_octet(struct bytes *t)
{
	size_t n = 0;

	while (n < t->left && n < 4 && is_digit(t->at[n]))
		n++;
	return n > 0 && n < 4 && bytes_skip(t, n) && t->left > 1 && t->at[0] == '.' && bytes_skip(t, 1);
}

// Two numbers and their dots behind the first dot, and another digit. Versions, weights and prices end here.
static unsigned look_behind_dot(struct bytes t)
{
	return skip_octet(&t) && skip_octet(&t) && is_digit(t.at[0]) ? NAMED_LOOKS_DOTTED : 0;
}

static unsigned look_at(struct bytes t, size_t at)
{
	uint8_t a = t.at[at], b = t.at[at + 1], c = t.at[at + 2];

	if (b == ':' && (is_slash(c) || c == ':' || c == '%' || (is_digit(c) && (is_letter(a) || a == ']'))))
		return NAMED_LOOKS_ODD;
	if ((is_slash(a) && a == b) || (a == '%' && (b == '3' || b == '2' || b == '5')) ||
	    (a == 'H' && b == 'R' && c == '0'))
		return NAMED_LOOKS_ODD;
	return b == '.' && is_digit(a) ? look_behind_dot(bytes_from(t, at + 2)) : 0;
}

#ifdef __SSE2__
static __m128i is(__m128i x, char c)
{
	return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

static __m128i between(__m128i x, char from, char to)
{
	__m128i low = _mm_sub_epi8(x, _mm_set1_epi8(from));

	return _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8((char)(to - from))), low);
}

// The same as look_at, of 16 places at once; reads 18 bytes.
static unsigned look_at_16(struct bytes t, size_t at)
{
	const uint8_t *p = t.at + at;
	__m128i a = _mm_loadu_si128((const __m128i *)p), b = _mm_loadu_si128((const __m128i *)(p + 1)),
		c = _mm_loadu_si128((const __m128i *)(p + 2));
	__m128i letter = _mm_or_si128(between(_mm_or_si128(a, _mm_set1_epi8(0x20)), 'a', 'z'), is(a, ']'));
	__m128i digit = between(c, '0', '9');
	__m128i after = _mm_or_si128(_mm_or_si128(is(c, '/'), is(c, '\\')), _mm_or_si128(is(c, ':'), is(c, '%')));
	__m128i port = _mm_and_si128(is(b, ':'), _mm_or_si128(after, _mm_and_si128(digit, letter)));
	__m128i slashes = _mm_and_si128(_mm_cmpeq_epi8(a, b), _mm_or_si128(is(a, '/'), is(a, '\\')));
	__m128i escape = _mm_and_si128(is(a, '%'), _mm_or_si128(is(b, '3'), _mm_or_si128(is(b, '2'), is(b, '5'))));
	__m128i base64 = _mm_and_si128(is(a, 'H'), _mm_and_si128(is(b, 'R'), is(c, '0')));
	__m128i odd = _mm_or_si128(_mm_or_si128(port, slashes), _mm_or_si128(escape, base64));
	__m128i dotted = _mm_and_si128(is(b, '.'), _mm_and_si128(between(a, '0', '9'), digit));
	unsigned dots = (unsigned)_mm_movemask_epi8(dotted), looks = 0;

	if (_mm_movemask_epi8(odd))
		return NAMED_LOOKS_ODD;
	for (; dots && !looks; dots &= dots - 1)
		looks = look_behind_dot(bytes_from(t, at + (size_t)__builtin_ctz(dots) + 2));
	return looks;
}
#endif

unsigned named_look(struct bytes t)
{
	unsigned looks = 0;
	size_t at = 0;

	t = bytes_head(t, WINDOW_BYTES);
#ifdef __SSE2__
	for (; at + 18 <= t.left && !(looks & NAMED_LOOKS_ODD); at += 16)
		looks |= look_at_16(t, at);
	if (t.left >= 18) // the last 18, of which some were seen
		return looks & NAMED_LOOKS_ODD || at + 2 >= t.left ? looks : looks | look_at_16(t, t.left - 18);
#endif
	for (; at + 3 <= t.left && !(looks & NAMED_LOOKS_ODD); at++)
		looks |= look_at(t, at);
	return looks;
}

// --- Literals ---

struct find {
	struct named *named;
	struct named_from *from;
	struct bytes text;
	size_t taken; // all before is read: what follows begins here at the earliest
};

static uint8_t byte_at(const struct find *f, size_t at)
{
	return at < f->text.left ? f->text.at[at] : 0;
}

static void found_address(struct find *f, const struct address *a)
{
	f->from->hits++;
	named_address(f->named, f->from, a);
}

static void found_host(struct find *f, struct bytes host)
{
	uint8_t room[NAMED_HOST_BYTES];

	while (host.left && (host.at[host.left - 1] == '.' || host.at[host.left - 1] == '-'))
		host.left--;
	if (host.left == 0 || host.left > sizeof(room) || host.at[0] == '.')
		return;
	for (size_t i = 0; i < host.left; i++)
		room[i] = byte_lower(host.at[i]);
	f->from->hits++;
	named_host(f->named, f->from, bytes_of(room, host.left));
}

// One part of an address as inet_aton reads it: decimal, octal behind a 0, hexadecimal behind 0x.
static bool read_part(struct bytes part, uint64_t *out)
{
	bool hex = part.left > 1 && part.at[0] == '0' && byte_lower(part.at[1]) == 'x';
	unsigned base = hex ? 16 : part.left > 1 && part.at[0] == '0' ? 8 : 10;

	*out = 0;
	if (part.left == 0 || part.left > 16)
		return false;
	for (size_t i = hex ? 2 : 0; i < part.left; i++) {
		uint8_t c = byte_lower(part.at[i]);
		unsigned digit = is_digit(c) ? c - (unsigned)'0' : c >= 'a' && c <= 'f' ? c - 'a' + 10u : 99;

		if (digit >= base)
			return false;
		*out = *out * base + digit;
		if (*out > UINT32_MAX)
			return false;
	}
	return true;
}

// One to four parts, the last of which fills what is left.
static bool read_any_v4(struct bytes host, struct address *out)
{
	uint64_t part, value = 0;
	uint8_t b[4];

	for (unsigned n = 0; n < 4; n++) {
		size_t dot = bytes_find(host, '.');
		bool last = dot == host.left;

		if (!read_part(bytes_head(host, dot), &part) || part > (last ? UINT32_MAX >> 8 * n : 255))
			return false;
		value |= last ? part : part << (24 - 8 * n);
		host = bytes_from(host, dot + 1);
		if (!last)
			continue;
		for (unsigned i = 0; i < 4; i++)
			b[i] = (uint8_t)(value >> (24 - 8 * i));
		*out = address_v4(b);
		return true;
	}
	return false;
}

// A host at this place, however it is written. Returns the first byte behind it.
static size_t take_host(struct find *f, size_t at)
{
	struct bytes host = bytes_from(f->text, at);
	struct address a;
	size_t n = 0;

	if (byte_at(f, at) == '[') {
		n = bytes_find(bytes_head(host, ADDRESS_TEXT_BYTES + 2), ']') + 1;
		if (n <= host.left && address_parse(bytes_head(host, n), &a) == 0)
			found_address(f, &a);
		return at + (n <= host.left ? n : 1);
	}
	while (n < host.left && is_host_byte(host.at[n]))
		n++;
	host = bytes_head(host, n);
	if (read_any_v4(host, &a))
		found_address(f, &a);
	else
		found_host(f, host);
	return at + n;
}

// "user@host" reads one way to some and another way to others ("a.example&@b.example"), so each of them counts. Ends at
// a slash, at which the next authority can only begin: all of a text's authorities together are read once.
static size_t take_authority(struct find *f, size_t at)
{
	size_t i = at = take_host(f, at);

	for (; i < f->text.left && !is_slash(f->text.at[i]) && f->text.at[i] > ' ' && f->text.at[i] != '"' &&
	       f->text.at[i] != '<';
	     i++)
		if (f->text.at[i] == '@')
			i = at = take_host(f, i + 1);
	return at;
}

static size_t after_slashes(const struct find *f, size_t at)
{
	while (is_slash(byte_at(f, at)))
		at++;
	return at;
}

// "http:/host" is one slash short, and still a URL to many.
static bool is_web_scheme(const struct find *f, size_t colon)
{
	static const char *const schemes[] = {"http", "https", "ftp"};

	for (unsigned i = 0; i < 3; i++) {
		size_t n = strlen(schemes[i]);

		if (colon >= f->taken + n && bytes_equal_nocase(bytes_of(f->text.at + colon - n, n), schemes[i]))
			return true;
	}
	return false;
}

// "name.example:8080". What stands before the colon is a name with a dot in it whose last label is no number.
static size_t take_host_port(struct find *f, size_t colon)
{
	size_t from = colon, to = colon + 1, dot;
	struct bytes host;

	while (from > f->taken && is_host_byte(f->text.at[from - 1]))
		from--;
	while (is_digit(byte_at(f, to)))
		to++;
	host = bytes_of(f->text.at + from, colon - from);
	for (dot = host.left; dot > 0 && host.at[dot - 1] != '.'; dot--)
		;
	if (dot > 1 && dot < host.left && is_letter(host.at[dot]) && to > colon + 1 && to <= colon + 6 &&
	    !is_host_byte(byte_at(f, to)))
		found_host(f, host);
	return to;
}

// A run of what IPv6 is written with, around a colon.
static size_t take_v6(struct find *f, size_t colon)
{
	size_t from = colon, to = colon + 1;
	unsigned colons = 1;
	struct address a;

	while (from > f->taken && is_v6_byte(f->text.at[from - 1]))
		from--;
	for (; to < f->text.left && is_v6_byte(f->text.at[to]); to++)
		colons += f->text.at[to] == ':';
	if (colons < 2 || (from > f->taken && is_letter(f->text.at[from - 1])))
		return 0;
	if (!is_letter(byte_at(f, to)) && address_parse(bytes_of(f->text.at + from, to - from), &a) == 0 &&
	    a.family == 6)
		found_address(f, &a);
	return to;
}

static size_t take_colon(struct find *f, size_t at)
{
	size_t behind = after_slashes(f, at + 1), end;

	if (behind > at + 2 || (behind == at + 2 && is_web_scheme(f, at)))
		return take_authority(f, behind);
	if (f->from->mode == NAMED_URLS)
		return at + 1;
	end = take_v6(f, at);
	return end ? end : is_digit(byte_at(f, at + 1)) ? take_host_port(f, at) : at + 1;
}

// "//host" and "\\host\share" where a value begins.
static size_t take_slash(struct find *f, size_t at)
{
	uint8_t before = at ? f->text.at[at - 1] : '=';

	if (f->text.at[at] != byte_at(f, at + 1) || !strchr("=\"'( ,", before) || before == 0)
		return at + 1;
	return take_authority(f, after_slashes(f, at));
}

// "192.0.2.1" around its first dot; not a part of more numbers, nor of a word or a version ("v1.2.3.4", "x/1.2.3.4").
static size_t take_dotted(struct find *f, size_t dot)
{
	size_t from = dot, to = dot;
	unsigned dots = 0;
	struct address a;
	uint8_t before;

	if (f->from->mode == NAMED_URLS)
		return dot + 1;
	while (from > f->taken && dot - from < 4 && is_digit(f->text.at[from - 1]))
		from--;
	for (; to < f->text.left && to - from < 16 && (is_digit(f->text.at[to]) || f->text.at[to] == '.'); to++)
		dots += f->text.at[to] == '.';
	before = from ? f->text.at[from - 1] : 0;
	while (to > from && f->text.at[to - 1] == '.') // the end of a sentence
		to--;
	if (from == dot || dots < 3 || is_host_byte(before) || is_letter(byte_at(f, to)) ||
	    address_parse(bytes_of(f->text.at + from, to - from), &a) < 0)
		return dot + 1;
	found_address(f, &a);
	return to;
}

static void read_text(struct named *n, struct bytes text, struct named_from *from)
{
	struct find f = {n, from, text, 0};
	size_t at = 0;

	while (at < text.left && from->hits < HITS_MOST) {
		uint8_t c = text.at[at];
		size_t next = 0;

		if (c == '.')
			next = take_dotted(&f, at);
		else if (c == ':')
			next = take_colon(&f, at);
		else if (is_slash(c))
			next = take_slash(&f, at);
		if (next > at + 1)
			f.taken = next;
		at = next ? next : at + 1;
	}
	if (from->hits >= HITS_MOST)
		proto_mark(from->sink, COUNT_PROTO_BUDGET);
}

// --- Escapes ---

static void read_base64(struct named *n, struct bytes text, struct named_from *from)
{
	uint8_t plain[NAMED_BASE64_BYTES];

	for (unsigned run = 0; run < NAMED_BASE64; run++) {
		size_t at = bytes_find_text(text, "aHR0c"); // "http"

		if (at == text.left)
			return;
		text = bytes_from(text, at);
		read_text(n, bytes_of(plain, jndi_base64(bytes_head(text, sizeof(plain)), plain)), from);
		text = bytes_from(text, 5);
	}
}

static int hex_of(uint8_t c)
{
	c = byte_lower(c);
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// in and out may be the same. Returns whether anything changed.
static bool unescape(struct bytes in, uint8_t *out, size_t *length)
{
	size_t n = 0;

	for (size_t i = 0; i < in.left; i++) {
		int high = in.at[i] == '%' && i + 2 < in.left ? hex_of(in.at[i + 1]) : -1,
		    low = high < 0 ? -1 : hex_of(in.at[i + 2]);

		out[n++] = low < 0 ? in.at[i] : (uint8_t)(high << 4 | low);
		i += low < 0 ? 0 : 2;
	}
	*length = n;
	return n < in.left;
}

// What is escaped lies in a buffer of its own, which only such fields pay for.
static __attribute__((noinline)) void read_escaped(struct named *n, struct bytes field, struct named_from *from)
{
	uint8_t plain[WINDOW_BYTES];
	size_t length;

	for (unsigned layer = 0; layer < NAMED_LAYERS && unescape(field, plain, &length); layer++) {
		field = bytes_of(plain, length);
		read_text(n, field, from);
		read_base64(n, field, from);
	}
}

void named_find(struct named *n, struct bytes field, unsigned looks, struct named_from *from)
{
	field = bytes_head(field, WINDOW_BYTES);
	read_text(n, field, from);
	if (!(looks & NAMED_LOOKS_ODD))
		return;
	read_base64(n, field, from);
	if (bytes_find(field, '%') < field.left)
		read_escaped(n, field, from);
}
