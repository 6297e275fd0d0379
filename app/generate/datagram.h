// SPDX-License-Identifier: GPL-2.0-or-later
// Questions and answers in single datagrams: names (DNS), time (NTP), neighbours (ARP).
#pragma once
#include "organisation.h"

// Looks the service up for the device unless it still knows it; *to becomes the address to use. Returns when the
// device can go on.
uint64_t name_lookup(struct stage *s, struct organisation *o, struct chance *c, struct device *d, uint32_t service,
		     uint64_t day, uint64_t when_ns, struct host *to);
// The same for a name that stands in no table (the long tail), whose address the caller has chosen; never cached.
uint64_t name_lookup_rare(struct stage *s, struct organisation *o, struct chance *c, struct device *d, const char *name,
			  const struct host *to, uint64_t when_ns);
// One question for an IPv4 address and its answer, the resolver's own or anybody's.
void name_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to, const char *name,
		   uint64_t when_ns);
// The same with the address that is told (NULL: none); the answer is `think_ns` in the making. Returns when it passed the tap.
uint64_t name_answer(struct stage *s, struct chance *c, const struct host *from, const struct host *to, const char *name,
		     const struct host *answer, uint64_t when_ns, uint64_t think_ns);
void time_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to, uint64_t when_ns);
void neighbour_exchange(struct stage *s, struct chance *c, const struct host *from, const struct host *to,
			uint64_t when_ns);
