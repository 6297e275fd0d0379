// SPDX-License-Identifier: GPL-2.0-or-later
// An incident in words, English and Japanese, from the facts in its alerts and nothing else. The words live in policy/text/<lang>.yaml: `id: "text with {names}"`.
// A test proves that every id and every {name} exists in both languages.
#pragma once
#include "incident.h"
#include "respond.h"

struct story; // a loaded catalogue
struct story *story_load(const char *folder, const char *lang, char error[512]); // folder/text/<lang>.yaml; NULL with "file:line: text"
void story_free(struct story *s);
enum story_limits {
	STORY_ALERTS = 256, // of an incident, the latest are told
	STORY_BLOCKS = 64,
	STORY_ALERT_BYTES = 8 * 1024, // room for any alert, however long the texts an attacker chose
	STORY_BYTES = STORY_ALERTS * STORY_ALERT_BYTES + STORY_BLOCKS * 4096, // and for any incident
};
// The story: headline, what happened step by step with times and counts, what was done, what to look at next. UTF-8, ends with newline. Alerts in time order.
// Returns the length, or -ENOSPC.
int story_incident(const struct story *s, const struct incident *i, const struct alert *const *alerts, unsigned alert_count,
		   const struct block *const *blocks, unsigned block_count, uint64_t utc_offset_s, char *out, size_t cap);
// Why one alert: first line = root cause in plain words, then a line per term: "user agent "curl/7.47.0": seen here 0 of 23 days, peers 0 of 12, organisation 1 of 143".
int story_alert(const struct story *s, const struct alert *a, uint64_t utc_offset_s, char *out, size_t cap);
