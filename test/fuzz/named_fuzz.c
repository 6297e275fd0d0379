// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a field of a request: the first says which field, the rest is it. Records must be sound and few, and the
// quick look must not miss what the search finds.
#include "named_impl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned records;

static void take(void *user, struct observation *o)
{
	o->direction = DIRECTION_IN;
	o->client = o->server = (struct address){4, {0}, {192, 0, 2, 1}};
	if (o->kind != OBS_NAMED || !observation_check(o) || o->flags8 & OBS_FLAG_TRUNCATED)
		__builtin_trap();
	records++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const fields[] = {"uri", "header:user-agent", "header:referer", "body"};
	static struct counters counters;
	static const struct proto_flow flow = {.direction = DIRECTION_IN, .transport = 6};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	const struct proto_sink sink = {.emit = take, .counters = &counters};
	struct named_from from = {.host = bytes_of_text("www.example.com"), .in = &in, .sink = &sink, .app = APP_HTTP};
	struct named n;
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size); // exact: a sanitizer sees one byte too many
	if (!copy)
		abort();
	memcpy(copy, data, size);
	records = 0;
	from.field = fields[data[0] % 4];
	named_begin(&n);
	named_field(&n, bytes_of(copy + 1, size - 1), &from);
	named_end(&n, &from);
	if (records > NAMED_RECORDS + 1)
		__builtin_trap();
	free(copy);
	return 0;
}
