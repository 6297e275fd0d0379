// SPDX-License-Identifier: GPL-2.0-or-later
// One table definition, two outputs: libsmartcols does both.
#include "nouns.h"
#include "text.h"
#include <libsmartcols.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	unsigned cell;
	bool json;
};

struct table *table_new(const char *name, const struct column *columns, unsigned n, bool json)
{
	struct table *t = calloc(1, sizeof(*t));

	// How wide a character is, libsmartcols asks the locale; in the plain C one a text is but bytes, told in hexadecimal. Numbers
	// and order stay as they are.
	setlocale(LC_CTYPE, "C.UTF-8");
	t->scols = scols_new_table();
	scols_table_enable_noencoding(t->scols, true); // table_text made it printable
	t->json = json;
	scols_table_set_name(t->scols, name);
	scols_table_enable_json(t->scols, json);
	if (!isatty(STDOUT_FILENO))
		scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER);
	for (unsigned i = 0; i < n; i++) {
		struct libscols_column *c = scols_table_new_column(t->scols, columns[i].name, 0, columns[i].number ? SCOLS_FL_RIGHT : 0);

		scols_column_set_json_type(c, columns[i].number ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING);
	}
	return t;
}

void table_row(struct table *t)
{
	t->line = scols_table_new_line(t->scols, NULL);
	t->cell = 0;
}

void table_text(struct table *t, const char *text)
{
	char safe[1024];

	text_printable(bytes_of_text(text ? text : ""), safe, sizeof(safe));
	scols_line_set_data(t->line, t->cell++, safe);
}

void table_number(struct table *t, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	scols_line_set_data(t->line, t->cell++, text);
}

void table_real(struct table *t, double x, unsigned digits)
{
	char text[40];

	snprintf(text, sizeof(text), "%.*f", (int)digits, x);
	scols_line_set_data(t->line, t->cell++, text);
}

void table_time(struct table *t, uint64_t unix_ns)
{
	char text[TEXT_TIME_BYTES] = "";

	if (unix_ns)
		time_format(unix_ns, text);
	if (unix_ns && !t->json) { // people read seconds
		text[10] = ' ';
		text[19] = 0;
	}
	table_text(t, text);
}

void table_print(struct table *t)
{
	scols_print_table(t->scols);
	scols_unref_table(t->scols);
	free(t);
}
