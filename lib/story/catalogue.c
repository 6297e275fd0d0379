// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a catalogue (YAML: one flat mapping of texts) and fills templates. Every refusal names file and line. Knows
// nothing of incidents.
#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

enum { SENTENCES_MOST = 1000 };

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct sentence *)a)->id, ((const struct sentence *)b)->id);
}

const char *catalogue_text(const struct story *s, const char *id)
{
	struct sentence key = {.id = (char *)(uintptr_t)id};
	const struct sentence *hit = bsearch(&key, s->sentence, s->count, sizeof(key), by_id);

	return hit ? hit->text : NULL;
}

const char *catalogue_word(const struct story *s, const char *id)
{
	const char *text = catalogue_text(s, id);

	return text ? text : id;
}

void story_free(struct story *s)
{
	if (!s)
		return;
	for (size_t n = 0; n < s->count; n++) {
		free(s->sentence[n].id);
		free(s->sentence[n].text);
	}
	free(s->sentence);
	free(s);
}

// --- reading ---

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	const char *path;
	char *error; // 512 bytes
	struct story *story;
};

static bool fail(struct reader *r, size_t line, const char *text, const char *what)
{
	snprintf(r->error, 512, "%s:%zu: %s%s%s", r->path, line, text, what ? ": " : "", what ? what : "");
	return false;
}

// The next event, which must be of this type.
static bool next(struct reader *r, yaml_event_type_t want, const char *expected)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return fail(r, r->parser.problem_mark.line + 1, r->parser.problem ? r->parser.problem : "not YAML",
			    NULL);
	if (r->event.type != want)
		return fail(r, r->event.start_mark.line + 1, expected, NULL);
	return true;
}

static bool add(struct reader *r, char *id, unsigned line)
{
	struct story *s = r->story;

	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 128;
		struct sentence *more = room <= 2 * SENTENCES_MOST ? realloc(s->sentence, room * sizeof(*more)) : NULL;

		if (!more)
			return fail(r, line, "too many texts", NULL);
		s->sentence = more;
		s->room = room;
	}
	s->sentence[s->count++] = (struct sentence){id, strdup((const char *)r->event.data.scalar.value), line};
	return s->sentence[s->count - 1].text ? true : fail(r, line, "no memory", NULL);
}

static bool read_pairs(struct reader *r)
{
	for (;;) {
		unsigned line;
		char *id;

		yaml_event_delete(&r->event);
		if (!yaml_parser_parse(&r->parser, &r->event))
			return fail(r, r->parser.problem_mark.line + 1,
				    r->parser.problem ? r->parser.problem : "not YAML", NULL);
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return true;
		line = (unsigned)r->event.start_mark.line + 1;
		if (r->event.type != YAML_SCALAR_EVENT)
			return fail(r, line, "expected an id", NULL);
		id = strdup((const char *)r->event.data.scalar.value);
		if (!id)
			return fail(r, line, "no memory", NULL);
		if (!next(r, YAML_SCALAR_EVENT, "expected one text after the id") || !add(r, id, line)) {
			if (!r->story->count || r->story->sentence[r->story->count - 1].id != id)
				free(id);
			return false;
		}
	}
}

static bool check_unique(struct reader *r)
{
	struct story *s = r->story;

	if (!s->count)
		return fail(r, 1, "no texts", NULL);
	qsort(s->sentence, s->count, sizeof(*s->sentence), by_id);
	for (size_t n = 1; n < s->count; n++) {
		const struct sentence *a = &s->sentence[n - 1], *b = &s->sentence[n];

		if (strcmp(a->id, b->id) == 0)
			return fail(r, a->line > b->line ? a->line : b->line, "this id stands twice", a->id);
	}
	return true;
}

// Braces must pair, or a {name} would be lost without a word.
static bool check_braces(struct reader *r)
{
	for (size_t n = 0; n < r->story->count; n++) {
		const struct sentence *s = &r->story->sentence[n];
		bool open = false;

		for (const char *c = s->text; *c; c++) {
			if ((*c == '{' && open) || (*c == '}' && !open))
				return fail(r, s->line, "unpaired brace", s->id);
			if (*c == '{' || *c == '}')
				open = *c == '{';
		}
		if (open)
			return fail(r, s->line, "unpaired brace", s->id);
	}
	return true;
}

static bool read_file(struct reader *r, FILE *file)
{
	bool ok;

	if (!yaml_parser_initialize(&r->parser))
		return fail(r, 1, "no memory", NULL);
	yaml_parser_set_input_file(&r->parser, file);
	ok = next(r, YAML_STREAM_START_EVENT, "expected YAML") &&
	     next(r, YAML_DOCUMENT_START_EVENT, "expected texts") &&
	     next(r, YAML_MAPPING_START_EVENT, "expected `id: text` lines") && read_pairs(r) && check_unique(r) &&
	     check_braces(r);
	yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
	return ok;
}

struct story *story_load(const char *folder, const char *lang, char error[512])
{
	char path[4096];
	struct reader r = {.path = path, .error = error, .story = calloc(1, sizeof(*r.story))};
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "%s/text/%s.yaml", folder, lang);
	if (strspn(lang, "abcdefghijklmnopqrstuvwxyz") != strlen(lang) || !*lang || !r.story) {
		fail(&r, 0, "not a language", lang);
		story_free(r.story);
		return NULL;
	}
	file = fopen(path, "re");
	ok = file ? read_file(&r, file) : fail(&r, 0, strerror(errno), NULL);
	if (file)
		fclose(file);
	if (ok)
		return r.story;
	story_free(r.story);
	return NULL;
}

// --- filling ---

static void put_bytes(struct page *p, const char *text, size_t n)
{
	if (p->full || n + 1 > p->cap - p->length) {
		p->full = true;
		return;
	}
	memcpy(p->at + p->length, text, n);
	p->length += n;
	p->at[p->length] = 0;
}

void page_put(struct page *p, const char *text)
{
	put_bytes(p, text, strlen(text));
}

static const char *value_of(const struct fill *fills, const char *name, size_t n)
{
	for (; fills && fills->name; fills++)
		if (strlen(fills->name) == n && memcmp(fills->name, name, n) == 0)
			return fills->value;
	return NULL;
}

void page_fill(struct page *p, const char *template, const struct fill *fills)
{
	while (*template) {
		size_t plain = strcspn(template, "{");
		const char *end, *value;

		put_bytes(p, template, plain);
		template += plain;
		if (!*template)
			return;
		end = strchr(template, '}');
		value = end ? value_of(fills, template + 1, (size_t)(end - template - 1)) : NULL;
		if (value)
			page_put(p, value);
		else
			put_bytes(p, template, end ? (size_t)(end - template) + 1 : 1);
		template = end ? end + 1 : template + 1;
	}
}
