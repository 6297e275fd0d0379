// SPDX-License-Identifier: GPL-2.0-or-later
// A busy link's application mix, to measure speed with: about 25 packets a flow and 560 bytes a frame, one message of
// a protocol in 14 packets. HTTP with downloads, TLS with bulk records, DNS, a little LDAP; IPv4 to IPv6 four to one, a
// few flows tagged. It teaches nothing about an organisation: that is the week's task.
#pragma once
#include <stdint.h>

struct stage;

// What the generator knows it has said; whoever parses the capture must find the same.
struct mix_census {
	uint64_t flows, http_requests, http_responses, tls, dns, ldap;
};

enum { MIX_FLOWS_DEFAULT = 40000, MIX_PATH_BYTES = 32 };

struct mix_plan {
	uint64_t seed, start_ns;
	uint32_t flows;
	uint32_t between_us; // beginnings of flows: the longer, the fewer are open at once. 0 = 750, 1,333 a second
};

// Same plan, same bytes.
void mix_write(struct stage *s, const struct mix_plan *plan, struct mix_census *census);
// As a new file (seed 1, the usual start), whose name goes to `path` (the caller's to unlink). Exits with a message where it cannot.
void mix_file(char path[MIX_PATH_BYTES], uint32_t flows, uint32_t between_us, struct mix_census *census);
