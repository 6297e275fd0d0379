// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds of text. Markup and JSON say what they are in their first bytes; scripts without a shebang are told by the
// evidence of their lines (file_words.c). A browser's JavaScript, style sheets, pages and data must not be called
// scripts: they are the common case.
#include "proto_impl.h"

struct opening { // nocase; stands first, after white space
	const char *text;
	uint8_t kind;
};

// Certain as soon as they stand there.
static const struct opening openings[] = {
	{"<?php", FILE_SCRIPT},
	{"<?=", FILE_SCRIPT},
	{"<%", FILE_SCRIPT},
	{"<hta:application", FILE_SCRIPT},
	{"<scriptlet", FILE_SCRIPT},
	{"<job", FILE_SCRIPT},
	{"<!doctype html", FILE_HTML},
	{"<html", FILE_HTML},
	{"<head", FILE_HTML},
	{"<body", FILE_HTML},
	{"<script", FILE_HTML},
	{"<title", FILE_HTML},
	{"<meta", FILE_HTML},
	{"<style", FILE_HTML},
	{"<link", FILE_HTML},
	{"<div", FILE_HTML},
	{"<table", FILE_HTML},
	{"<iframe", FILE_HTML},
	{"<span", FILE_HTML},
	{"<form", FILE_HTML},
	{"<center", FILE_HTML},
	{"<br", FILE_HTML},
	{"<h1", FILE_HTML},
	{"<h2", FILE_HTML},
	{"<h3", FILE_HTML},
	{"<p>", FILE_HTML},
	{"<a ", FILE_HTML},
	{"<b>", FILE_HTML},
	{"<ul", FILE_HTML},
	{"<img", FILE_HTML},
	{"<pre", FILE_HTML},
	{"<font", FILE_HTML},
};

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct bytes after_space(struct bytes b)
{
	while (b.left && is_space(b.at[0]))
		bytes_skip(&b, 1);
	return b;
}

static bool begins_nocase(struct bytes b, const char *text)
{
	size_t n = strlen(text);

	return b.left >= n && bytes_equal_nocase(bytes_head(b, n), text);
}

static bool holds_nocase(struct bytes b, const char *text)
{
	size_t n = strlen(text);

	for (; b.left >= n; bytes_skip(&b, 1))
		if (byte_lower(b.at[0]) == (uint8_t)text[0] && bytes_equal_nocase(bytes_head(b, n), text))
			return true;
	return false;
}

// `<` first. A declaration or comment may hide what follows it, so these wait for the page or the end.
static enum file_kind markup_kind(struct bytes text, bool more)
{
	uint8_t second = text.left > 1 ? byte_lower(text.at[1]) : 0;

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		if ((uint8_t)openings[i].text[1] == second && begins_nocase(text, openings[i].text))
			return openings[i].kind;
	if (bytes_find_text(text, "<?php") < text.left || bytes_find_text(text, "<%@") < text.left)
		return FILE_SCRIPT;
	if (holds_nocase(text, "<html") || holds_nocase(text, "<!doctype html") || holds_nocase(text, "<body"))
		return FILE_HTML;
	if (more)
		return FILE_NONE;
	if (bytes_begin_with(text, "<!--"))
		return FILE_HTML;
	return text.left > 1 && (text.at[1] == '?' || text.at[1] == '!' ||
				 (byte_lower(text.at[1]) >= 'a' && byte_lower(text.at[1]) <= 'z'))
		       ? FILE_XML
		       : FILE_TEXT;
}

// `{` or `[` first: JSON if a value or a name comes next (RFC 8259 §4, §5). "[ -f x ]" and "[Ref].Assembly" are
// scripts.
static enum file_kind json_kind(struct bytes text, bool more)
{
	struct bytes next = after_space(bytes_from(text, 1));
	bool array = text.at[0] == '[';

	if (next.left == 0)
		return more ? FILE_NONE : FILE_TEXT;
	if (next.at[0] == '"' || next.at[0] == (array ? ']' : '}'))
		return FILE_JSON;
	if (!array)
		return FILE_TEXT;
	if (next.at[0] == '{' || next.at[0] == '[')
		return next.at == text.at + 1 && next.at[0] == '[' && next.left > 1 && next.at[1] == ' ' ? FILE_TEXT
													 : FILE_JSON;
	if (next.at[0] == '-')
		return next.left > 1 && next.at[1] >= '0' && next.at[1] <= '9' ? FILE_JSON : FILE_TEXT;
	return (next.at[0] >= '0' && next.at[0] <= '9') || bytes_begin_with(next, "true") ||
			       bytes_begin_with(next, "false") || bytes_begin_with(next, "null")
		       ? FILE_JSON
		       : FILE_TEXT;
}

// Programs by their lines. A script is called one before its end only where nothing speaks for a browser's code.
static enum file_kind program_kind(struct bytes text, bool more)
{
	struct file_scores s = file_text_scores(text, more);

	if (s.script >= 2 && s.javascript == 0 && s.css == 0 && s.prose == 0)
		return FILE_SCRIPT;
	if (more)
		return FILE_NONE;
	if (s.script >= 4 && s.script > s.javascript + s.css && s.prose == 0)
		return FILE_SCRIPT;
	if (s.javascript >= 2 && s.javascript >= s.css)
		return FILE_JAVASCRIPT;
	return s.css >= 2 ? FILE_CSS : FILE_TEXT;
}

enum file_kind file_text_kind(struct bytes head, bool more)
{
	struct bytes text = after_space(head);
	enum file_kind kind = FILE_TEXT;

	// execve(2) wants "#!" at the very front; spaces before the interpreter are allowed.
	if (bytes_begin_with(head, "#!") && head.left > 2 && (head.at[2] == '/' || head.at[2] == ' '))
		return FILE_SCRIPT;
	if (text.left == 0)
		return more ? FILE_NONE : FILE_TEXT;
	if (text.at[0] == '<')
		return markup_kind(text, more);
	if (text.at[0] == '{' || text.at[0] == '[')
		kind = json_kind(text, more);
	return kind == FILE_TEXT ? program_kind(head, more) : kind;
}
