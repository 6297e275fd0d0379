// SPDX-License-Identifier: GPL-2.0-or-later
// What kind of file do these bytes begin? By content only: names and declared types are the sender's claim. Magic
// numbers are in one table; containers are looked into as far as the first 512 bytes go; text is told apart in
// file_text.c. An answer, once given, does not change with more bytes, but for scripts told early by their lines.
#include "proto_impl.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct magic {
	uint16_t offset;
	uint8_t length;
	uint8_t kind; // enum file_kind
	const char *text;
	enum file_kind (*refine)(struct bytes head,
				 bool more); // NULL: the magic alone is certain. FILE_NONE: give more
};

// --- Magics that need a second look ---

static bool read_at(struct bytes head, size_t at, size_t n, struct bytes *out)
{
	head = bytes_from(head, at);
	return bytes_take(&head, n, out);
}

static uint32_t read_le(struct bytes head, size_t at, size_t n)
{
	struct bytes b = bytes_from(head, at);
	uint32_t value = 0;

	for (size_t i = 0; i < n && i < b.left; i++)
		value |= (uint32_t)b.at[i] << (8 * i);
	return value;
}

// CAFEBABE: Java class (JVMS §4.1: minor, major 45..) or Mach-O fat (a count of architectures, a small number).
static enum file_kind refine_cafebabe(struct bytes head, bool more)
{
	struct bytes b = bytes_from(head, 6);
	uint16_t major;

	if (!bytes_read_u16(&b, &major))
		return more ? FILE_NONE : FILE_JAVA_CLASS;
	return major >= 45 && major <= 80 ? FILE_JAVA_CLASS : FILE_MACHO;
}

// "MZ" could begin a text; a program has zero bytes in its first header, a text has none.
static enum file_kind refine_mz(struct bytes head, bool more)
{
	struct bytes front = bytes_head(head, 64);

	if (bytes_find(front, 0) < front.left)
		return FILE_PE;
	if (front.left < 64)
		return more ? FILE_NONE : FILE_TEXT;
	return read_le(head, 60, 4) < 0x10000 ? FILE_PE : FILE_TEXT;
}

static bool name_is_java(struct bytes name)
{
	return bytes_begin_with(name, "META-INF/") ||
	       (name.left >= 6 && bytes_equal_text(bytes_from(name, name.left - 6), ".class"));
}

static bool name_is_office(struct bytes name, struct bytes content)
{
	return bytes_equal_text(name, "[Content_Types].xml") || bytes_begin_with(name, "word/") ||
	       bytes_begin_with(name, "xl/") || bytes_begin_with(name, "_rels/") ||
	       (bytes_equal_text(name, "mimetype") && bytes_begin_with(content, "application/vnd."));
}

// Walks local file headers (APPNOTE 4.3.7) as far as they can be followed: the first names say what kind of archive it
// is.
static enum file_kind refine_zip(struct bytes head, bool more)
{
	struct bytes name;

	for (size_t at = 0, entries = 0; entries < 8; entries++) {
		size_t name_bytes = read_le(head, at + 26, 2), extra = read_le(head, at + 28, 2),
		       size = read_le(head, at + 18, 4);
		struct bytes rest = bytes_from(head, at);

		if (rest.left >= 4 && !bytes_begin_with(rest, "PK\3\4"))
			return FILE_ARCHIVE;
		if (!read_at(head, at + 30, name_bytes, &name))
			break;
		if (name_is_java(name))
			return FILE_JAVA_ARCHIVE;
		if (name_is_office(name, bytes_from(head, at + 30 + name_bytes + extra)))
			return FILE_OFFICE;
		if (size == 0 && (read_le(head, at + 6, 2) & 8)) // the size stands behind the data
			return FILE_ARCHIVE;
		at += 30 + name_bytes + extra + size;
		if (at >= FILE_HEAD_BYTES)
			return FILE_ARCHIVE;
	}
	return more ? FILE_NONE : FILE_ARCHIVE;
}

// ISO 14496-12: the brand tells still pictures from films.
static enum file_kind refine_ftyp(struct bytes head, bool more)
{
	static const char *const pictures[] = {"avif", "avis", "heic", "heix", "mif1", "msf1", NULL};
	struct bytes brand;

	if (!read_at(head, 8, 4, &brand))
		return more ? FILE_NONE : FILE_MEDIA;
	for (const char *const *p = pictures; *p; p++)
		if (bytes_equal_text(brand, *p))
			return FILE_IMAGE;
	return FILE_MEDIA;
}

static enum file_kind refine_riff(struct bytes head, bool more)
{
	struct bytes form;

	if (!read_at(head, 8, 4, &form))
		return more ? FILE_NONE : FILE_BINARY;
	return bytes_equal_text(form, "WEBP") ? FILE_IMAGE : FILE_MEDIA;
}

// "BM", then a size and four zero bytes: a text is none.
static enum file_kind refine_bmp(struct bytes head, bool more)
{
	if (head.left < 10)
		return more ? FILE_NONE : FILE_TEXT;
	return read_le(head, 6, 4) == 0 ? FILE_IMAGE : FILE_TEXT;
}

// "BZh", a digit, and the first block's own magic, which is printable too.
static enum file_kind refine_bzip2(struct bytes head, bool more)
{
	struct bytes block = bytes_head(bytes_from(head, 4), 6);

	if (!bytes_equal(block, bytes_of("1AY&SY", block.left)))
		return FILE_TEXT;
	return block.left == 6 ? FILE_ARCHIVE : more ? FILE_NONE : FILE_TEXT;
}

static enum file_kind refine_ar(struct bytes head, bool more)
{
	if (head.left < 21 && more)
		return FILE_NONE;
	return bytes_begin_with(bytes_from(head, 8), "debian-binary") ? FILE_PACKAGE : FILE_ARCHIVE;
}

#define MAGICS(X)                                                                                   \
	X(0, "\x7f" "ELF", FILE_ELF, NULL)                                                          \
	X(0, "MZ", FILE_PE, refine_mz)                                                              \
	X(0, "\xca\xfe\xba\xbe", FILE_JAVA_CLASS, refine_cafebabe)                                  \
	X(0, "\xca\xfe\xd0\x0d", FILE_JAVA_ARCHIVE, NULL) /* pack200 */                             \
	X(0, "\xac\xed\x00\x05", FILE_JAVA_SERIALIZED, NULL)                                        \
	X(0, "\xfe\xed\xfa\xce", FILE_MACHO, NULL)                                                  \
	X(0, "\xfe\xed\xfa\xcf", FILE_MACHO, NULL)                                                  \
	X(0, "\xce\xfa\xed\xfe", FILE_MACHO, NULL)                                                  \
	X(0, "\xcf\xfa\xed\xfe", FILE_MACHO, NULL)                                                  \
	X(0, "PK\3\4", FILE_ARCHIVE, refine_zip)                                                    \
	X(0, "PK\5\6", FILE_ARCHIVE, NULL)                                                          \
	X(0, "\x1f\x8b\x08", FILE_ARCHIVE, NULL)                                                    \
	X(0, "\xfd" "7zXZ\0", FILE_ARCHIVE, NULL)                                                   \
	X(0, "BZh", FILE_ARCHIVE, refine_bzip2)                                                     \
	X(0, "7z\xbc\xaf\x27\x1c", FILE_ARCHIVE, NULL)                                              \
	X(0, "\x28\xb5\x2f\xfd", FILE_ARCHIVE, NULL)                                                \
	X(0, "\x04\x22\x4d\x18", FILE_ARCHIVE, NULL) /* lz4 */                                      \
	X(0, "Rar!\x1a\x07", FILE_ARCHIVE, NULL)                                                    \
	X(0, "MSCF\0\0\0\0", FILE_ARCHIVE, NULL)                                                    \
	X(0, "LZIP", FILE_ARCHIVE, NULL)                                                            \
	X(257, "ustar", FILE_ARCHIVE, NULL)                                                         \
	X(0, "!<arch>\n", FILE_PACKAGE, refine_ar)                                                  \
	X(0, "\xed\xab\xee\xdb", FILE_PACKAGE, NULL) /* rpm */                                      \
	X(0, "%PDF-", FILE_PDF, NULL)                                                               \
	X(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FILE_OFFICE, NULL)                                 \
	X(0, "{\\rtf", FILE_OFFICE, NULL)                                                           \
	X(0, "\x89PNG\r\n\x1a\n", FILE_IMAGE, NULL)                                                 \
	X(0, "\xff\xd8\xff", FILE_IMAGE, NULL)                                                      \
	X(0, "GIF87a", FILE_IMAGE, NULL)                                                            \
	X(0, "GIF89a", FILE_IMAGE, NULL)                                                            \
	X(0, "BM", FILE_IMAGE, refine_bmp)                                                          \
	X(0, "II*\0", FILE_IMAGE, NULL)                                                             \
	X(0, "MM\0*", FILE_IMAGE, NULL)                                                             \
	X(0, "\0\0\1\0", FILE_IMAGE, NULL) /* icon */                                               \
	X(0, "RIFF", FILE_MEDIA, refine_riff)                                                       \
	X(4, "ftyp", FILE_MEDIA, refine_ftyp)                                                       \
	X(0, "wOFF", FILE_FONT, NULL)                                                               \
	X(0, "wOF2", FILE_FONT, NULL)                                                               \
	X(0, "OTTO\0", FILE_FONT, NULL)                                                             \
	X(0, "true\0", FILE_FONT, NULL)                                                             \
	X(0, "ttcf\0", FILE_FONT, NULL)                                                             \
	X(0, "\0\1\0\0\0", FILE_FONT, NULL)                                                         \
	X(0, "OggS\0", FILE_MEDIA, NULL)                                                            \
	X(0, "fLaC\0", FILE_MEDIA, NULL)                                                            \
	X(0, "ID3\2", FILE_MEDIA, NULL)                                                             \
	X(0, "ID3\3", FILE_MEDIA, NULL)                                                             \
	X(0, "ID3\4", FILE_MEDIA, NULL)                                                             \
	X(0, "\xff\xfb", FILE_MEDIA, NULL)                                                          \
	X(0, "\xff\xf3", FILE_MEDIA, NULL)                                                          \
	X(0, "\xff\xf1", FILE_MEDIA, NULL)                                                          \
	X(0, "FLV\1", FILE_MEDIA, NULL)                                                             \
	X(0, "\x1a\x45\xdf\xa3", FILE_MEDIA, NULL) /* Matroska */                                   \
	X(0, "\0\0\1\xba", FILE_MEDIA, NULL)

static const struct magic magics[] = {
#define X(at, bytes, kind, refine) {at, sizeof(bytes) - 1, kind, bytes, refine},
	MAGICS(X)
#undef X
};

// Does one of them begin with this byte, at the front? The compiler makes a bit map of it.
static bool may_begin(uint8_t c)
{
#define X(at, bytes, kind, refine) || (at == 0 && c == (uint8_t)(bytes)[0])
	return false MAGICS(X);
#undef X
}

// --- Bytes without magic ---

// Length of a valid UTF-8 sequence at the front (RFC 3629 §4, less the overlong forms), 0 for none. Cut at the end
// counts as valid.
static size_t utf8_length(struct bytes b)
{
	size_t n = b.at[0] >= 0xf0 && b.at[0] < 0xf5 ? 4 : b.at[0] >= 0xe0 ? 3 : b.at[0] >= 0xc2 ? 2 : 0;

	if (b.at[0] >= 0xf5)
		return 0;
	for (size_t i = 1; i < n && i < b.left; i++)
		if ((b.at[i] & 0xc0) != 0x80)
			return 0;
	return n < b.left ? n : b.left;
}

// What stands first and is printable ASCII or white space.
static struct bytes after_plain(struct bytes b)
{
#ifdef __SSE2__
	const __m128i blank = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t'), span = _mm_set1_epi8('\r' - '\t');

	while (b.left >= 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)b.at), from_tab = _mm_sub_epi8(c, tab);
		__m128i space = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, span), from_tab);

		if (_mm_movemask_epi8(_mm_andnot_si128(space, _mm_cmplt_epi8(c, blank)))) // signed: high bytes too
			break;
		bytes_skip(&b, 16);
	}
#endif
	while (b.left && b.at[0] >= ' ' && b.at[0] < 0x80)
		bytes_skip(&b, 1);
	return b;
}

// Text: no control bytes but white space and escape; high bytes are UTF-8, or few (a Latin page).
static bool is_text(struct bytes b)
{
	size_t total = b.left, odd = 0;

	for (b = after_plain(b); b.left; b = after_plain(b)) {
		uint8_t c = b.at[0];
		size_t n;

		n = c < 0x80 ? 1 : utf8_length(b);
		if (c < ' ' && !(c >= '\t' && c <= '\r') && c != 0x1b)
			return false;
		if (n == 0) {
			odd++;
			n = 1;
		}
		bytes_skip(&b, n);
	}
	return odd * 8 <= total;
}

// Random bytes repeat each other as rarely as chance allows: the sum of squared counts of n bytes is near n + n²/256. A
// quarter of the second term is 6 standard deviations at 512 bytes, 3 at 256; executables and images are far beyond it.
static bool is_random(struct bytes b)
{
	uint16_t counts[256] = {0};
	uint32_t n = (uint32_t)b.left, squares = 0;

	if (n < 256)
		return false;
	for (size_t i = 0; i < n; i++)
		counts[b.at[i]]++;
	for (unsigned i = 0; i < 256; i++)
		squares += (uint32_t)counts[i] * counts[i];
	return squares <= n + n * n / 256 * 5 / 4;
}

// UTF-16, as PowerShell likes it: the low bytes of its ASCII part are the text.
static enum file_kind utf16_kind(struct bytes head, bool big, bool more)
{
	uint8_t narrow[FILE_HEAD_BYTES / 2];
	size_t n = 0;

	for (size_t i = 2; i + 1 < head.left && n < sizeof(narrow); i += 2) {
		uint8_t high = head.at[big ? i : i + 1], low = head.at[big ? i + 1 : i];

		narrow[n++] = high == 0 ? low : '?';
	}
	if (!is_text(bytes_of(narrow, n)))
		return more ? FILE_NONE : FILE_BINARY;
	return file_text_kind(bytes_of(narrow, n), more);
}

static enum file_kind unmarked_kind(struct bytes head, bool more)
{
	if (bytes_begin_with(head, "\xff\xfe"))
		return utf16_kind(head, false, more);
	if (bytes_begin_with(head, "\xfe\xff"))
		return utf16_kind(head, true, more);
	if (bytes_begin_with(head, "\xef\xbb\xbf"))
		head = bytes_from(head, 3);
	if (is_text(head))
		return file_text_kind(head, more);
	if (more)
		return FILE_NONE;
	return is_random(head) ? FILE_ENCRYPTED : FILE_BINARY;
}

// Does the magic stand there? MAYBE: as far as the bytes go, and they end before it does.
static enum probe has_magic(struct bytes head, const struct magic *m)
{
	struct bytes there = bytes_head(bytes_from(head, m->offset), m->length);

	if (there.left && there.at[0] != (uint8_t)m->text[0])
		return PROBE_NO; // nearly always
	if (there.left && memcmp(there.at, m->text, there.left))
		return PROBE_NO;
	return there.left < m->length ? PROBE_MAYBE : PROBE_YES;
}

enum file_kind file_kind_of(struct bytes head, bool more)
{
	bool wait = false, begins;

	head = bytes_head(head, FILE_HEAD_BYTES);
	more = more && head.left < FILE_HEAD_BYTES;
	if (head.left == 0)
		return more ? FILE_NONE : FILE_EMPTY;
	begins = may_begin(head.at[0]);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *m = &magics[i];
		enum file_kind kind;
		enum probe p;

		if (!begins && !m->offset)
			continue;
		p = has_magic(head, m);
		if (p == PROBE_YES) {
			kind = m->refine ? m->refine(head, more) : m->kind;
			if (kind == FILE_TEXT) // after all
				return unmarked_kind(head, more);
			return kind;
		}
		wait = wait || (p == PROBE_MAYBE && m->offset == 0);
	}
	return wait && more ? FILE_NONE : unmarked_kind(head, more);
}

// --- What a kind means ---

static const uint16_t facts[FILE_KINDS] = {
	[FILE_SCRIPT] = FACT_BIT(FACT_SCRIPT),
	[FILE_JAVA_CLASS] = FACT_BIT(FACT_JAVA_CLASS),
	[FILE_JAVA_ARCHIVE] = FACT_BIT(FACT_JAVA_CLASS),
	[FILE_JAVA_SERIALIZED] = FACT_BIT(FACT_JAVA_CLASS),
	[FILE_ELF] = FACT_BIT(FACT_EXECUTABLE),
	[FILE_PE] = FACT_BIT(FACT_EXECUTABLE),
	[FILE_MACHO] = FACT_BIT(FACT_EXECUTABLE),
};

uint16_t file_kind_fact(enum file_kind kind)
{
	return (unsigned)kind < FILE_KINDS ? facts[kind] : 0;
}

// Declared types under which code hides, and whether they are text: a script served as text/plain is no lie.
static const struct disguise {
	const char *type;
	bool text;
} disguises[] = {
	{"image/", false},
	{"audio/", false},
	{"video/", false},
	{"font/", false},
	{"application/font", false},
	{"application/pdf", false},
	{"application/vnd.ms-", false},
	{"application/msword", false},
	{"text/css", false},
	{"text/html", true},
	{"text/plain", true},
	{"text/", true},
	{"application/json", true},
	{"application/xml", true},
	{"application/javascript", true},
	{"application/x-javascript", true},
	{"application/xhtml", true},
};

bool file_kind_mismatch(enum file_kind kind, struct bytes content_type)
{
	uint16_t fact = file_kind_fact(kind);

	if (!fact && kind != FILE_ARCHIVE && kind != FILE_PACKAGE)
		return false;
	for (size_t i = 0; i < sizeof(disguises) / sizeof(disguises[0]); i++) {
		const struct disguise *d = &disguises[i];

		if (bytes_equal_nocase(bytes_head(content_type, strlen(d->type)), d->type))
			return !d->text || kind != FILE_SCRIPT;
	}
	return false;
}

void file_emit(enum file_kind kind, struct observation *o, struct bytes head, struct bytes content_type,
	       const struct proto_input *in, const struct proto_sink *sink, uint8_t app)
{
	o->number[NUM_FILE_KIND] = kind;
	o->facts |= file_kind_fact(kind);
	if (file_kind_mismatch(kind, content_type))
		o->facts |= FACT_BIT(FACT_FILE_MISMATCH);
	if (in->device_sends && self_address_in(head, in))
		o->facts |= FACT_BIT(FACT_SELF_ADDRESS);
	observation_put(o, TEXT_FILE_CONTENT_TYPE, content_type);
	observation_put(o, TEXT_FILE_HEAD, bytes_head(head, FILE_SHOWN_BYTES));
	proto_emit(sink, in, app, o);
}

// --- The device's own address ---

static bool is_address_byte(uint8_t c, bool v6)
{
	c = byte_lower(c);
	return (c >= '0' && c <= '9') || (v6 && (c == ':' || (c >= 'a' && c <= 'f')));
}

// A number must not go on at either end: 10.0.0.1 is not in 110.0.0.12, nor in 10.0.0.1.5.
static bool stands_alone(struct bytes text, size_t at, size_t n, bool v6)
{
	if (at > 0 && is_address_byte(text.at[at - 1], v6))
		return false;
	if (at > 1 && !v6 && text.at[at - 1] == '.' && is_address_byte(text.at[at - 2], false))
		return false;
	if (at + n < text.left && is_address_byte(text.at[at + n], v6) && !(v6 && text.at[at + n] == ':'))
		return false;
	return v6 || at + n + 1 >= text.left || text.at[at + n] != '.' || !is_address_byte(text.at[at + n + 1], false);
}

// Asked of every line that goes out: address_format's general way would be the dearest step of a head.
static size_t v4_text(const struct address *a, char *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned octet = a->b[i];

		if (octet >= 100)
			out[n++] = (char)('0' + octet / 100);
		if (octet >= 10)
			out[n++] = (char)('0' + octet / 10 % 10);
		out[n++] = (char)('0' + octet % 10);
		out[n++] = '.';
	}
	out[--n] = '\0';
	return n;
}

bool self_address_in(struct bytes text, const struct proto_input *in)
{
	const struct address *self = in->from_client ? &in->flow->client : &in->flow->server;
	bool v6 = self->family == 6;
	char own[ADDRESS_TEXT_BYTES];
	size_t n;

	// Most texts hold no address at all.
	if (!address_is_set(self) || bytes_find(text, v6 ? ':' : '.') == text.left)
		return false;
	n = v6 ? strlen(address_format(self, own)) : v4_text(self, own);
	for (size_t at = 0; at + n <= text.left; at++) {
		if (!v6)
			at += bytes_find(bytes_from(text, at), (uint8_t)own[0]);
		if (at + n <= text.left && byte_lower(text.at[at]) == (uint8_t)own[0] &&
		    bytes_equal_nocase(bytes_head(bytes_from(text, at), n), own) && stands_alone(text, at, n, v6))
			return true;
	}
	return false;
}
