// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of this exporter share: eve.c (file and common fields), event.c (observations), alert.c,
// community_id.c.
#pragma once
#include "counters.h"
#include "eve.h"
#include "json.h"

enum {
	EVE_LINE_BYTES = 8192,
	EVE_BUFFER_BYTES = 128 * 1024, // lines of one write(2)
	EVE_IDS = 4096,                // community ids remembered
	EVE_APP_BYTES = 32,
	TRANSPORT_ICMP = 1,
	TRANSPORT_TCP = 6,
	TRANSPORT_UDP = 17,
	TRANSPORT_ICMP6 = 58,
};

// Who talks to whom, as a frame from source to destination would say it.
struct eve_tuple {
	struct address source, destination;
	uint16_t source_port, destination_port; // host order; ICMP: type<<8|code and 0
	uint8_t transport;
};

enum { EVE_ID_LENGTH = 30 /* "1:" and 20 bytes in base64 */ };

struct eve_id {
	struct eve_tuple tuple;
	char text[EVE_ID_LENGTH];
};

struct eve_members { // "key":value, ... made once
	char text[EVE_LINE_BYTES / 2];
	size_t length;
};

struct eve {
	int fd;
	bool is_stdout;
	bool torn; // the last thing written is part of a line
	char *path, *sensor, *pcap_name;
	struct counters *counters;
	struct eve_members host, capture; // what every line says of us, and of the file the packets come from
	struct json json;              // of the line being written, behind the whole ones
	size_t used;                   // bytes of whole lines that wait
	char buffer[EVE_BUFFER_BYTES];
	struct eve_id ids[EVE_IDS];
};

struct eve_tuple eve_tuple_of(const struct observation *o);
// {"timestamp", "flow_id", "event_type", "src_ip" ... : begins a line. tuple NULL: none. id: its community id, or NULL.
struct json *eve_begin(struct eve *e, const char *event_type, uint64_t time_ns, uint64_t flow,
		       const struct eve_tuple *tuple, const char *id, unsigned app);
// Closes it and puts it behind the lines that wait. false: too long; nothing was written and nothing counted yet.
bool eve_end(struct eve *e);
void eve_lost(struct eve *e);
// The same, counting a line that is too long.
void eve_finish(struct eve *e);
void eve_text(struct json *j, const char *key, struct bytes value); // left out where empty
void eve_address(struct json *j, const char *key, const struct address *a);
void eve_time(struct json *j, const char *key, uint64_t unix_ns);
// EVE_ID_LENGTH characters and a NUL.
void eve_tuple_id(const struct eve_tuple *t, char out[40]);
// The same, remembered for the flow's next event (`flow` says only where to look); NULL: a tuple that has none.
const char *eve_flow_id(struct eve *e, uint64_t flow, const struct eve_tuple *t);
