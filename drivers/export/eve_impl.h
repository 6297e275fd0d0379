// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this exporter share: eve.c (file and common fields), event.c (observations), alert.c,
// community_id.c.
#pragma once
#include "counters.h"
#include "eve.h"
#include "json.h"

enum {
	EVE_LINE_BYTES = 8192,
	TRANSPORT_ICMP = 1,
	TRANSPORT_TCP = 6,
	TRANSPORT_UDP = 17,
	TRANSPORT_ICMP6 = 58,
};

struct eve {
	int fd;
	bool is_stdout;
	char *path, *sensor, *pcap_name;
	struct counters *counters;
	char line[EVE_LINE_BYTES];
	struct json json;
};

// Who talks to whom, as a frame from source to destination would say it.
struct eve_tuple {
	struct address source, destination;
	uint16_t source_port, destination_port; // host order; ICMP: type<<8|code and 0
	uint8_t transport;
};

struct eve_tuple eve_tuple_of(const struct observation *o);
// {"timestamp", "flow_id", "event_type", "src_ip" ... : begins a line. tuple NULL: none.
struct json *eve_begin(struct eve *e, const char *event_type, uint64_t time_ns, uint64_t flow,
		       const struct eve_tuple *tuple, unsigned app);
// Closes and writes it. false: too long; nothing was written and nothing counted yet.
bool eve_end(struct eve *e);
void eve_lost(struct eve *e);
// The same, counting a line that is too long.
void eve_finish(struct eve *e);
void eve_text(struct json *j, const char *key, struct bytes value); // left out where empty
void eve_address(struct json *j, const char *key, const struct address *a);
void eve_tuple_id(const struct eve_tuple *t, char out[40]);
