// SPDX-License-Identifier: GPL-2.0-or-later
// Facts of alerts, incidents and blocks as the values of {names}. Not for other rooms.
#pragma once
#include "catalogue.h"

enum { FACT_BYTES = 400, SHORT_BYTES = 64, NAMES_MOST = 32 };

// The values of one sentence; `fill` points into the rest.
struct facts {
	struct fill fill[NAMES_MOST + 1];
	char value[NAMES_MOST + 1][FACT_BYTES]; // the last takes what is not wanted: a repeated name, or one too many
	unsigned count;
};

void facts_init(struct facts *f);
// Prints a value for {name}; hostile text is made printable, an empty one becomes value.none. A name given twice keeps
// its first value.
void facts_text(struct facts *f, const struct story *s, const char *name, const char *value);
void facts_number(struct facts *f, const char *name, uint64_t value);
void facts_bits(struct facts *f, const char *name, double bits); // one decimal, whatever the locale
void facts_address(struct facts *f, const char *name, const struct address *a);
// "2021-12-10 15:45:32" in the reader's zone.
void facts_time(struct facts *f, const char *name, uint64_t ns, uint64_t utc_offset_s);
void facts_duration(struct facts *f, const struct story *s, const char *name, uint64_t ns);
void facts_zone(struct facts *f, const struct story *s, uint64_t utc_offset_s);
// {target}: the address and port a block refuses.
void facts_target(struct facts *f, const struct story *s, const struct address *a, unsigned port, unsigned transport);
// All an alert knows: {device} {endpoint} {port} {app} {uri} {agent} ...
void facts_alert(struct facts *f, const struct story *s, const struct alert *a, uint64_t utc_offset_s);
