// SPDX-License-Identifier: GPL-2.0-or-later
// Policies are data: YAML files in a folder, read by a typed reader; every error names file, line and what was
// expected. The language (doc/policy.md):
//   policy: conn/new-agent-bare-ip       name; alias, version, priority, mitre, phase
//   on: http.request                     observation kind (or a list, or "alert")
//   when: [ "direction == out", ... ]    all must hold; each line "quantity [op value]", op one of == != < <= > >= in;
//   `any:` holds if one does evidence: [agent, endpoint, port]    features whose counts are told and whose bits are
//   added throttle: 1h per device endpoint agent raise: [ {when: "exposed", priority: 4} ] response: {cut: yes, block:
//   endpoint-port, for: 2h, certain: {...}}
#pragma once
#include "alert.h"
#include "sheet.h"

enum policy_limits { POLICY_MAX = 64, POLICY_CONDITIONS = 24, POLICY_ERROR_BYTES = 512 };

struct policy_set; // opaque here; judge reads it

// Reads every *.yaml of a folder in name order. NULL and a message "file:line: text" in error.
struct policy_set *policy_load(const char *folder, char error[POLICY_ERROR_BYTES]);
void policy_free(struct policy_set *set);
unsigned policy_count(const struct policy_set *set);
const char *policy_name(const struct policy_set *set, unsigned i);
const char *policy_alias(const struct policy_set *set, unsigned i);
// The table of certain facts the wire may cut by itself, gathered from the policies' `certain` lines. Returns how many.
unsigned policy_certain(const struct policy_set *set, struct certain_rule out[SHEET_CERTAIN]);
// Never-block prefixes, inside networks, group tags from the same folder (network.yaml). Borrowed.
const struct prefix *policy_never_block(const struct policy_set *set, unsigned *count);
// What counts as inside; none = private ranges (address_is_private).
const struct prefix *policy_inside(const struct policy_set *set, unsigned *count);
struct policy_group {
	char name[32];
	struct prefix net;
}; // for learn_tag_group
const struct policy_group *policy_groups(const struct policy_set *set, unsigned *count);
// The same reader on memory: one file's text. `name` ending in "network.yaml" is read as networks, anything else as
// policies.
struct policy_set *policy_read_text(const char *name, struct bytes text, char error[POLICY_ERROR_BYTES]);
// The words conditions are made of, for documentation: name (64 bytes) and one line of text. false past the end.
bool policy_quantity(unsigned i, char name[64], const char **doc);
