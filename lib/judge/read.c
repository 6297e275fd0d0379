// SPDX-License-Identifier: GPL-2.0-or-later
// Typed reading of nodes: every refusal names file, line, what was found and what was expected. A bare number is no
// duration, a misspelt key is no comment: what the operator wrote either means something or is an error.
#include "policy_impl.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>

enum { WORD_MOST = 48 };

bool reader_fail(struct reader *r, uint32_t line, const char *format, ...)
{
	va_list args;
	int n;

	if (r->error[0])
		return false;
	n = snprintf(r->error, POLICY_ERROR_BYTES, "%s:%u: ", r->file, line);
	if (n < 0 || n >= POLICY_ERROR_BYTES)
		return false;
	va_start(args, format);
	vsnprintf(r->error + n, POLICY_ERROR_BYTES - (size_t)n, format, args);
	va_end(args);
	return false;
}

// Levenshtein, "Binary codes capable of correcting deletions, insertions and reversals", 1966; one row.
unsigned edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[WORD_MOST + 1];

	if (n > WORD_MOST || m > WORD_MOST)
		return WORD_MOST;
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned before = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned replace = before + (a[i - 1] != b[j - 1]),
				 shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];

			before = row[j];
			row[j] = shorter + 1 < replace ? shorter + 1 : replace;
		}
	}
	return row[m];
}

const char *nearest(const char *text, const char *const *candidates)
{
	unsigned best = (unsigned)strlen(text) / 3 + 1;
	const char *found = NULL;

	for (; *candidates; candidates++) {
		unsigned distance = edit_distance(text, *candidates);

		if (distance < WORD_MOST && distance <= best && (!found || distance < best)) {
			best = distance;
			found = *candidates;
		}
	}
	return found;
}

static const char *node_words(const struct node *n)
{
	static const char *const words[] = {"a text", "a list", "a mapping"};

	return words[n->type];
}

bool scalar_check(struct reader *r, const struct node *n, const char *expected)
{
	return n->type == NODE_SCALAR || reader_fail(r, n->line, "found %s, expected %s", node_words(n), expected);
}

bool text_read(struct reader *r, const struct node *n, char *out, size_t cap, const char *expected)
{
	if (!scalar_check(r, n, expected))
		return false;
	if (n->text[0] == 0 || strlen(n->text) >= cap)
		return reader_fail(r, n->line, "found '%.60s', expected %s of 1 to %zu bytes", n->text, expected,
				   cap - 1);
	memcpy(out, n->text, strlen(n->text) + 1);
	return true;
}

bool bool_read(struct reader *r, const struct node *n, uint8_t *out)
{
	static const char *const words[] = {"no", "yes", "false", "true", NULL};

	if (!scalar_check(r, n, "yes or no"))
		return false;
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(n->text, words[i]) == 0) {
			*out = i & 1;
			return true;
		}
	return reader_fail(r, n->line, "found '%.60s', expected yes or no", n->text);
}

bool number_read(struct reader *r, const struct node *n, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t value;

	if (!scalar_check(r, n, "a number"))
		return false;
	if (bytes_to_u64(bytes_of_text(n->text), most, &value) < 0 || value < least)
		return reader_fail(r, n->line, "found '%.60s', expected a number from %llu to %llu", n->text,
				   (unsigned long long)least, (unsigned long long)most);
	*out = value;
	return true;
}

bool duration_read(struct reader *r, const struct node *n, const char *text, uint64_t *out_ns)
{
	uint64_t number;

	if (bytes_to_u64(bytes_of_text(text), UINT64_MAX, &number) == 0)
		return reader_fail(
			r, n->line,
			"found the bare number '%.60s', expected a duration with its unit like 30s, 10m, 2h or 1d",
			text);
	if (duration_parse(text, out_ns) < 0 || *out_ns == 0)
		return reader_fail(r, n->line, "found '%.60s', expected a duration like 30s, 10m, 2h or 1d", text);
	return true;
}

bool name_read(struct reader *r, const struct node *n, const char *(*name)(unsigned), unsigned names, const char *what,
	       unsigned *out)
{
	const char *list[64];
	const char *meant;
	int found;

	if (!scalar_check(r, n, what))
		return false;
	found = name_to_index(name, names, bytes_of_text(n->text));
	if (found >= 0) {
		*out = (unsigned)found;
		return true;
	}
	for (unsigned i = 0; i < names && i < 63; i++)
		list[i] = name(i);
	list[names < 63 ? names : 63] = NULL;
	meant = nearest(n->text, list);
	return reader_fail(r, n->line, "found '%.60s', expected %s%s%s%s", n->text, what,
			   meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static bool unknown_key(struct reader *r, const struct node *n, const char *what, const struct key_reader *keys)
{
	const char *list[KEYS_MOST + 1];
	char all[256] = "";
	const char *meant;
	unsigned i;

	for (i = 0; keys[i].name && i < KEYS_MOST; i++) {
		list[i] = keys[i].name;
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", keys[i].name);
	}
	list[i] = NULL;
	meant = nearest(n->key, list);
	if (meant)
		return reader_fail(r, n->key_line, "found the unknown key '%.60s' in %s; did you mean '%s'?", n->key,
				   what, meant);
	return reader_fail(r, n->key_line, "found the unknown key '%.60s' in %s, expected one of %s", n->key, what,
			   all);
}

bool map_read(struct reader *r, const struct node *n, const char *what, const struct key_reader *keys, void *out)
{
	uint32_t seen = 0;

	if (n->type != NODE_MAP)
		return reader_fail(r, n->line, "found %s, expected %s as a mapping", node_words(n), what);
	for (const struct node *c = n->child; c; c = c->next) {
		unsigned k = 0;

		while (keys[k].name && strcmp(keys[k].name, c->key) != 0)
			k++;
		if (!keys[k].name)
			return unknown_key(r, c, what, keys);
		if (seen & 1u << k)
			return reader_fail(r, c->key_line, "found '%s' a second time in %s, expected it once", c->key,
					   what);
		seen |= 1u << k;
		if (!keys[k].read(r, c, out))
			return false;
	}
	for (unsigned k = 0; keys[k].name; k++)
		if (keys[k].required && !(seen & 1u << k))
			return reader_fail(r, n->line, "found %s without '%s', expected that key", what, keys[k].name);
	return true;
}

bool list_read(struct reader *r, const struct node *n, const char *what,
	       bool (*read)(struct reader *, const struct node *, void *), void *out)
{
	if (n->type != NODE_LIST)
		return reader_fail(r, n->line, "found %s, expected a list of %s", node_words(n), what);
	for (const struct node *c = n->child; c; c = c->next)
		if (!read(r, c, out))
			return false;
	return true;
}
