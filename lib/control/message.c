// SPDX-License-Identifier: GPL-2.0-or-later
// Helpers for filling replies. Everything a reply holds is malloc'ed, because protobuf-c frees it member by member.
#include "control.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void control_set(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return;
	if (*field && *field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
}

void control_fail(Control__Reply *reply, int error, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply->error = error;
	control_set(&reply->message, text);
}

void *control_append(void ***list, size_t *n, size_t bytes)
{
	void **grown = *list;
	void *item = calloc(1, bytes);

	// Room doubles at powers of two: n itself tells when.
	if (item && (*n & (*n - 1)) == 0)
		grown = realloc(*list, (*n ? *n * 2 : 1) * sizeof(void *));
	if (!item || !grown) {
		free(item);
		return NULL;
	}
	*list = grown;
	grown[(*n)++] = item;
	return item;
}

// Verbs that only look. Whatever is not known to do so changes something: numbers have gaps, and versions differ.
bool control_verb_changes(Control__Verb verb)
{
	static const bool looks[] = {
		[CONTROL__VERB__STATUS] = true,        [CONTROL__VERB__COUNTERS] = true,
		[CONTROL__VERB__ALERT_LIST] = true,    [CONTROL__VERB__ALERT_SHOW] = true,
		[CONTROL__VERB__INCIDENT_LIST] = true, [CONTROL__VERB__INCIDENT_SHOW] = true,
		[CONTROL__VERB__DEVICE_LIST] = true,   [CONTROL__VERB__DEVICE_SHOW] = true,
		[CONTROL__VERB__BLOCK_LIST] = true,    [CONTROL__VERB__BLOCK_SHOW] = true,
		[CONTROL__VERB__MODE_GET] = true,      [CONTROL__VERB__ALERT_EXPLAIN] = true,
		[CONTROL__VERB__SUPPRESS_LIST] = true, [CONTROL__VERB__SUPPRESS_TRY] = true,
		[CONTROL__VERB__BUDGET_GET] = true,    [CONTROL__VERB__BASELINE_LIST] = true,
	};

	return (size_t)verb >= sizeof(looks) || !looks[verb];
}
