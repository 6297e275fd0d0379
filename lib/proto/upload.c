// SPDX-License-Identifier: GPL-2.0-or-later
// What a file is called that a request from outside uploads: the last segment of a path, or of `filename` (RFC 7578 §4.2, RFC 6266 §4.3) and `filename*`
// (RFC 8187), as it was sent: escapes are undone by who compares. Where readers differ every reading is told, for a name that nobody asks for harms nobody;
// where they can be told apart as a trick, that is said, too. Not here: RFC 2047 words, which those who write them send beside a `filename*`. Called by
// the flow's worker.
#include "proto_impl.h"

enum { PARAMETERS = 8 /* of a line that are read: each may be as long as the line */ };

struct upload {
	const struct named_from *from;
	uint8_t *told;
	struct bytes last; // told
	uint8_t plain;     // `filename` without star so far
	bool ambiguous;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes without_blanks(struct bytes b)
{
	while (b.left && is_blank(b.at[0]))
		bytes_skip(&b, 1);
	while (b.left && is_blank(b.at[b.left - 1]))
		b.left--;
	return b;
}

static struct bytes last_segment(struct bytes path)
{
	size_t n = path.left;

	while (n && path.at[n - 1] != '/' && path.at[n - 1] != '\\')
		n--;
	return bytes_from(path, n);
}

static void tell(struct upload *u, struct bytes path)
{
	struct bytes name = last_segment(without_blanks(path));
	struct observation o;

	if (name.left == 0 || bytes_equal(name, u->last))
		return;
	if (*u->told == UPLOAD_NAMES || name.left > UPLOAD_NAME_BYTES) {
		count(u->from->sink->counters, COUNT_PROTO_UPLOADS_LEFT_OUT);
		return;
	}
	++*u->told;
	u->last = name;
	observation_init(&o, OBS_NAMED);
	observation_put(&o, TEXT_NAMED_FIELD, bytes_of_text(u->from->field));
	observation_put(&o, TEXT_NAMED_FILE, name);
	proto_emit(u->from->sink, u->from->in, u->from->app, &o);
}

static bool is_told(const struct named_from *from)
{
	return from->in->from_outside && from->in->from_client;
}

void upload_path(struct bytes path, uint8_t *told, const struct named_from *from)
{
	struct upload u = {.from = from, .told = told};

	if (!is_told(from))
		return;
	path = bytes_head(path, bytes_find(path, '?'));
	path = bytes_head(path, bytes_find(path, '#'));
	while (path.left && (path.at[path.left - 1] == '/' || is_blank(path.at[path.left - 1])))
		path.left--;
	tell(&u, path);
}

// --- Values ---

// RFC 9110 §5.6.4, to those who know it: a backslash stands for the byte behind it.
static void tell_unescaped(struct upload *u, struct bytes value)
{
	uint8_t room[2 * UPLOAD_NAME_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < value.left && n < sizeof(room); i++) {
		if (value.at[i] == '\\' && i + 1 < value.left)
			i++;
		room[n++] = value.at[i];
	}
	tell(u, bytes_of(room, n));
	u->last = bytes_of(NULL, 0); // the room is gone
}

// Of what lies between the quotes. An old browser's "C:\pictures\a.png" is no trick, an escaped quote may be one.
static void take_quoted(struct upload *u, struct bytes rest)
{
	size_t quote = bytes_find(rest, '"'), end = 0;

	while (end < rest.left && rest.at[end] != '"')
		end += rest.at[end] == '\\' ? 2 : 1;
	u->ambiguous = u->ambiguous || end != quote || quote == rest.left;
	tell(u, bytes_head(rest, quote));
	if (end != quote)
		tell(u, bytes_head(rest, end));
	if (bytes_find(bytes_head(rest, end), '\\') < bytes_head(rest, end).left)
		tell_unescaped(u, bytes_head(rest, end));
}

static void take_token(struct upload *u, struct bytes rest)
{
	struct bytes value = without_blanks(bytes_head(rest, bytes_find(rest, ';')));
	size_t blank = bytes_find(value, ' ');

	u->ambiguous = u->ambiguous || blank < value.left || bytes_find(value, '"') < value.left;
	if (value.left > 1 && value.at[0] == '\'' && value.at[value.left - 1] == '\'') { // quotes to some
		u->ambiguous = true;
		tell(u, bytes_of(value.at + 1, value.left - 2));
	}
	tell(u, value);
	if (blank < value.left)
		tell(u, bytes_head(value, blank));
}

// RFC 8187 §3.2: charset'language'value. Of others than these two the bytes are not those of the name.
static void take_extended(struct upload *u, struct bytes rest)
{
	struct bytes value = without_blanks(bytes_head(rest, bytes_find(rest, ';'))), charset, behind;
	size_t first = bytes_find(value, '\''), second;

	charset = bytes_head(value, first);
	behind = bytes_from(value, first + 1);
	second = bytes_find(behind, '\'');
	if (first == value.left || second == behind.left) {
		u->ambiguous = true;
		tell(u, value);
		return;
	}
	if (!bytes_equal_nocase(charset, "utf-8") && !bytes_equal_nocase(charset, "iso-8859-1"))
		u->ambiguous = true;
	tell(u, bytes_from(behind, second + 1));
}

// What follows the word "filename". RFC 2231's pieces (filename*0=) are not put together, and hardly anybody does. false: it is no parameter's name.
static bool take_parameter(struct upload *u, struct bytes rest)
{
	bool extended = rest.left && rest.at[0] == '*';

	rest = without_blanks(bytes_from(rest, extended));
	if (extended && rest.left && rest.at[0] >= '0' && rest.at[0] <= '9')
		u->ambiguous = true;
	if (rest.left == 0 || rest.at[0] != '=')
		return false;
	rest = without_blanks(bytes_from(rest, 1));
	if (extended) {
		take_extended(u, rest);
		return true;
	}
	if (u->plain++) // some take the first, some the last
		u->ambiguous = true;
	if (rest.left && rest.at[0] == '"')
		take_quoted(u, bytes_from(rest, 1));
	else
		take_token(u, rest);
	return true;
}

bool upload_parameters(struct bytes line, uint8_t *told, const struct named_from *from)
{
	static const char word[] = "filename";
	struct upload u = {.from = from, .told = told};

	if (!is_told(from))
		return false;
	line = without_blanks(line); // or each word would skip those at the end
	for (unsigned n = 0; line.left >= sizeof(word); bytes_skip(&line, 1)) {
		if (!bytes_equal_nocase(bytes_head(line, sizeof(word) - 1), word))
			continue;
		if (n == PARAMETERS) {
			count(from->sink->counters, COUNT_PROTO_UPLOADS_LEFT_OUT);
			return true;
		}
		n += take_parameter(&u, bytes_from(line, sizeof(word) - 1));
	}
	return u.ambiguous;
}
