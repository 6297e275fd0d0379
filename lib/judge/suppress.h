// SPDX-License-Identifier: GPL-2.0-or-later
// What a person asked not to be told again: alerts of a policy, a device, an endpoint, a port, or of several of these
// together, for a time. What is suppressed is judged and kept as everything is; it opens no incident, asks for no block
// and is not counted by the alarm budget. A fact that needs no learning is suppressed only where the person said so.
// Pure matching: no clock, no storage. Any thread.
#pragma once
#include "alert.h"

enum suppress_limits {
	SUPPRESSION_VERSION = 1,
	SUPPRESSIONS = 256, // that hold at a time
	SUPPRESSION_REASON = 128,
	SUPPRESSION_TEXT_BYTES = 256,
};
#define SUPPRESSION_LONGEST_NS (366ull * 86400 * NS_PER_S)

struct suppression { // as it is in the journal; what is 0 or empty stands for any
	uint32_t version, bytes; // SUPPRESSION_VERSION, sizeof(struct suppression)
	uint64_t id;             // from 1, per journal
	uint64_t made_ns, expires_ns; // UNIX
	uint64_t removed_ns;          // by a person; 0: was not
	struct address device, endpoint;
	uint32_t endpoint_bits; // of the prefix
	uint16_t port;          // the endpoint's
	uint8_t certain;        // certain facts, too
	uint8_t zero;
	char policy[48];
	char reason[SUPPRESSION_REASON];
	char who[32];
};

struct suppress_case { // what an alert is, or would be
	const char *policy;
	struct address device, endpoint;
	uint16_t port;
	bool certain;
};

struct suppress_set { // those that may hold, for who asks often
	struct suppression at[SUPPRESSIONS];
	unsigned count;
};

bool suppression_holds(const struct suppression *s, uint64_t now_ns);
bool suppression_matches(const struct suppression *s, const struct suppress_case *c);
// An alert of the past, as well: one that came after the suppression's end stays.
bool suppression_matches_alert(const struct suppression *s, const struct alert *a);
// 0; -EINVAL: names nothing, has no end, or one past SUPPRESSION_LONGEST_NS, or no reason.
int suppression_check(const struct suppression *s, uint64_t now_ns);
// "policy conn/new-agent device 192.0.2.10 endpoint 203.0.113.0/24 port 443 until 2026-…"
const char *suppression_format(const struct suppression *s, char out[SUPPRESSION_TEXT_BYTES]);

// -ENOSPC. Those that do not hold any more make room.
int suppress_add(struct suppress_set *set, const struct suppression *s, uint64_t now_ns);
void suppress_remove(struct suppress_set *set, uint64_t id);
bool suppress_covers(const struct suppress_set *set, const struct suppress_case *c, uint64_t now_ns);
// For a view: was it suppressed when it was given, or is it by what holds now?
bool suppress_hides(const struct suppress_set *set, const struct alert *a, uint64_t now_ns);
