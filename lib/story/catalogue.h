// SPDX-License-Identifier: GPL-2.0-or-later
// The words of one language: id → template with {names}. Not for other rooms.
#pragma once
#include "story.h"

struct sentence {
	char *id, *text;
	unsigned line;
};

struct story {
	struct sentence *sentence; // by id
	size_t count, room;
};

struct fill { // one {name}; a list ends with name NULL
	const char *name, *value;
};

// NULL if the catalogue has no such id.
const char *catalogue_text(const struct story *s, const char *id);
// As catalogue_text, with the id itself in place of a missing one: a hole that shows.
const char *catalogue_word(const struct story *s, const char *id);

struct page { // text under construction
	char *at;
	size_t cap, length;
	bool full;
};

void page_put(struct page *p, const char *text);
// The template with each {name} replaced; a name that is not in `fills` stays as it is.
void page_fill(struct page *p, const char *template, const struct fill *fills);
