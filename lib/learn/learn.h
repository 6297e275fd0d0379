// SPDX-License-Identifier: GPL-2.0-or-later
// What is normal: presence-days of values per device, distinct devices per peer group and in the whole organisation,
// first contact, roles, and a short memory of recent contacts. Counts only; who is told what stands in judge. One
// thread owns it. Time is an argument (UNIX ns). The counting rule (design §1.3; research: presence-days, distinct
// devices above): a device counts a value once a day; group and organisation count a device once per value. So one
// noisy device adds at most 1 above, and the explanation is the model.
#pragma once
#include "counters.h"
#include "observation.h"
#include "siphash.h"

enum learn_limits {
	LEARN_WINDOW_DAYS = 28, // days of presence kept per value
	LEARN_EXPOSED_CLIENTS =
		20, // distinct outside clients with a completed handshake in 7 days make an exposed server
	LEARN_EXPOSED_DAYS = 7,
	LEARN_GROUPS = 64,
};

enum feature {                 // what is counted about a device; the value is bytes
	FEATURE_ENDPOINT,      // outside address it contacted (struct address)
	FEATURE_ENDPOINT_PORT, // the same with transport and port
	FEATURE_PORT,          // outward (application protocol, transport, port), any endpoint
	FEATURE_AGENT,         // HTTP user agent it sent outward
	FEATURE_AGENT_FAMILY,  // its product name without versions ("curl", "Java", "Mozilla/Chrome")
	FEATURE_HOST,          // host name it called (HTTP Host, SNI)
	FEATURE_FILE,          // kind of file it received from outside
	FEATURE_FILE_SOURCE,   // kind of file and outside address it came from
	FEATURE_JA4,           // TLS client fingerprint it sent
	FEATURE_SERVED,        // (application protocol, transport, port) it serves
	FEATURE_CLIENT,        // outside address that contacted it
	FEATURE_COUNT
};
const char *feature_name(unsigned feature); // "endpoint", "user-agent", ...

enum role { ROLE_CLIENT, ROLE_SERVER /* serves inside */, ROLE_EXPOSED /* serves the outside */, ROLE_COUNT };
const char *role_name(unsigned role);

struct counts {                      // all about one value of one feature
	uint32_t device_days;        // days of the window on which this device showed it
	uint32_t device_known;       // days of the window on which this device was seen at all (at least 1)
	uint32_t peers, peers_total; // other devices of its group that showed it; how many there are
	uint32_t org, org_total;     // other devices of the organisation that showed it; how many there are
	uint64_t first_ns;           // when the organisation first saw it, 0 = never
	uint64_t device_first_ns;    // when this device first showed it, 0 = never
};

struct device { // owned by learn; pointers stay valid until learn_destroy
	struct address address;
	uint32_t index; // stable within one store
	uint64_t first_ns, last_ns;
	uint8_t role;             // enum role, reviewed as it is seen
	uint8_t tagged;           // role or group was given by the operator
	uint16_t group;           // peer group
	char label[32];           // operator's name, may be empty
	uint32_t days_mask;       // presence by day, bit 0 = today
	uint32_t day;             // the day bit 0 stands for (UNIX day)
	uint32_t outside_clients; // distinct in the last 7 days (exact up to LEARN_EXPOSED_CLIENTS, then saturates)
	uint64_t observations;
};

struct learn_config {
	uint32_t devices;       // capacity
	uint32_t values;        // capacity of (device, feature, value) entries; 0 = 1 Mi
	struct siphash_key key; // random when live, fixed in replay; saved with the store
};

struct learn;
struct learn *learn_create(const struct learn_config *config, struct counters *counters); // NULL with errno
void learn_destroy(struct learn *l);

struct device *learn_device_find(struct learn *l, const struct address *a);
struct device *learn_device_find_or_add(struct learn *l, const struct address *a,
					uint64_t now_ns); // NULL: full (counted)
uint32_t learn_device_count(const struct learn *l);
struct device *learn_device_at(struct learn *l, uint32_t index); // NULL past the end
// Peer groups until behaviour groups exist: role and operator tag. Name like "exposed-servers".
const char *learn_group_name(const struct learn *l, uint16_t group);
// Operator's tag: devices inside `net` form a group of that name. -ENOSPC.
int learn_tag_group(struct learn *l, const struct prefix *net, const char *name);

// Counts one value for today. Idempotent within a day.
void learn_see(struct learn *l, struct device *d, enum feature f, struct bytes value, uint64_t now_ns);
// What is known of a value, without changing anything. Peers and organisation never include the device itself.
void learn_counts(const struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns,
		  struct counts *out);
// The same as it stood at the beginning of today (UTC): what happened since does not count. One attack opens a flow
// before it sends its request, and hits several devices within minutes: neither may make its endpoint look established.
// first_ns and device_first_ns are told as they are.
void learn_counts_before_today(const struct learn *l, const struct device *d, enum feature f, struct bytes value,
			       uint64_t now_ns, struct counts *out);
// Marks the device as seen today; reviews role and group (exposed server: FEATURE_CLIENT). Returns true when its role
// changed.
bool learn_touch(struct learn *l, struct device *d, uint64_t now_ns);

// All that an observation teaches (which features with which values), in one place. Called only for what judge lets
// through.
void learn_observation(struct learn *l, const struct observation *o);
// The values an observation carries, for counting and for explaining alike. Returns false when it has none for that
// feature. `out` borrows from *o or from `room` (64 bytes or more).
bool learn_value(const struct observation *o, enum feature f, uint8_t room[128], struct bytes *out);
// The device an observation is about, added when need be. NULL: none (transit, special address, a lone datagram to an
// unused address) or full.
struct device *learn_device_of(struct learn *l, const struct observation *o);
// Were its bytes sent by the outside end to the inside device?
bool learn_from_outside(const struct observation *o);
// A host name as it is counted: lower case, without port and final dot, at most 128 bytes. Returns its length.
size_t learn_host(struct bytes host, uint8_t room[128]);
// User agent → family: "curl/7.88.1" → "curl"; browsers by their engine token. Returns length.
size_t learn_agent_family(struct bytes agent, char *out, size_t cap);

// --- short memory: did X happen between this device and this address lately? Fixed size, oldest forgotten first. ---
enum recent_kind {
	RECENT_INBOUND /* address opened a flow to the device and sent at least a byte */,
	RECENT_RESOLVED /* DNS answer named the address */,
	RECENT_NAMED /* an inbound field named the address: taint */,
	RECENT_KINDS
};
void recent_put(struct learn *l, enum recent_kind kind, const struct address *device, const struct address *other,
		uint64_t now_ns);
// UNIX ns of the latest, 0 = not in memory. device NULL: any device.
uint64_t recent_get(const struct learn *l, enum recent_kind kind, const struct address *device,
		    const struct address *other);

// Store: one file, written beside and renamed (fsync), versioned, with a checksum. 0 or -errno; -EPROTO: not ours or
// damaged (the caller sets it aside and starts empty).
int learn_save(const struct learn *l, const char *path);
int learn_load(struct learn *l, const char *path);
// SHA-256 over the learned counts in a stable order, for "baseline" in alerts. Costs a pass over the table.
void learn_hash(const struct learn *l, uint8_t out[32]);
