// SPDX-License-Identifier: GPL-2.0-or-later
// What explain.c finds and explain_text.c and explain_json.c tell.
#pragma once
#include "explain.h"

enum { EXPLAIN_DIFFER_BYTES = 4096, EXPLAIN_NAME_BYTES = 56 };

struct explained_item {
	const struct evidence_item *item;
	char name[EXPLAIN_NAME_BYTES]; // "flow", "policy conn/new-agent-bare-ip"
	bool found;                    // in the journal
	int32_t full;                  // microbits before what the same kind lost by repetition
	uint64_t alert;                // of a policy's
	bool exact;                    // what it counts is what that alert says it added
};

struct explained {
	struct alert alert;
	struct explained_item item[EVIDENCE_ITEMS];
	unsigned items;
	unsigned numbers, differ;
	bool alone; // the events it rests on are made again elsewhere
	char differs[EXPLAIN_DIFFER_BYTES]; // a line each
};

int explain_text(const struct explained *e, char *out, size_t cap);
int explain_json(const struct explained *e, char *out, size_t cap);
// "device", "group", "organisation": the i-th level of so many.
const char *explain_level(uint32_t i, uint32_t levels);
