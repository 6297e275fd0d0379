// SPDX-License-Identifier: GPL-2.0-or-later
// What is normal: how often each device, its peer group and the whole organisation showed each value; who a device is
// (role, group, age); a short memory of recent contacts. Counts and probabilities only; what is unusual enough to say
// stands in judge. One thread owns it. Time is an argument (UNIX ns).
//
// Counting rule (lib/estimate/backoff.h): a device counts a value once a day; group and organisation count a device
// once per value. So one noisy device adds at most 1 above, and the explanation is the model.
//
// Learning is late on purpose: what an observation shows waits for LEARN_WAIT and is counted only then, under the day
// on which it was seen; if the device alarmed meanwhile, what waited of it is not learned at all (learn_discard). So
// nothing that happens within a day makes anything of that day look established, and what an attack did is forgotten
// with its alarm. What a device newly shows is bounded a day (LEARN_DRIFT): its normal cannot be moved at will.
#pragma once
#include "backoff.h"
#include "counters.h"
#include "observation.h"
#include "siphash.h"

enum learn_limits {
	LEARN_WINDOW_DAYS = BACKOFF_WINDOW, // days of presence kept per value
	LEARN_EXPOSED_CLIENTS =
		20, // distinct outside clients with a completed handshake in 7 days make an exposed server
	LEARN_EXPOSED_DAYS = 7,
	LEARN_GROUPS = 256,
	LEARN_VALUE_BYTES = 128,
	LEARN_DRIFT = 64,        // values new to a device that it may learn a day and feature, and three times its usual number
	LEARN_DRIFT_DAYS = 7,    // a device's first days, on which nothing is usual yet and there is no such bound
	LEARN_GROUP_FEWEST = 3,  // members; what is smaller is no group to be compared with
	LEARN_GROUP_DAYS = 3,    // a younger device stays with its role's group
	LEARN_SILENT_DAYS = 4,   // learn_device_find_or_add
	LEARN_SILENT_LEAST = 8,  // and a day more than the longest sum of bytes sent
};
#define LEARN_WAIT_NS (86400ull * NS_PER_S)

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
	FEATURE_POLICY,        // those above have words in the language of policies; those below are the scorer's
	// Where it goes: the domain of the name DNS gave it for the address, else the address. A name's addresses change.
	FEATURE_DESTINATION = FEATURE_POLICY,
	FEATURE_DOMAIN, // domain it asked DNS for
	FEATURE_INSIDE, // inside address it opened a flow to
	FEATURE_HOUR,   // when it was active: workday or weekend, six parts of four hours
	// Given how well the device knows where it goes (enum novelty), so that one novelty is counted once (chain rule):
	FEATURE_PORT_GIVEN,
	FEATURE_INSIDE_PORT_GIVEN, // of a flow inside
	FEATURE_AGENT_GIVEN,       // the agent's family
	FEATURE_FILE_GIVEN,
	FEATURE_JA4_GIVEN,
	FEATURE_NAMED_GIVEN,    // one byte: is there a name for it?
	FEATURE_CALLBACK_GIVEN, // one byte: did that address (2), its network (1) or neither (0) call the device lately?
	FEATURE_COUNT
};
const char *feature_name(unsigned feature); // "endpoint", "user-agent", ...

enum novelty { NOVELTY_KNOWN /* to this device */, NOVELTY_NEW, NOVELTIES };
// Is what the feature counts divided by novelty?
bool feature_is_given(unsigned feature);

enum role { ROLE_CLIENT, ROLE_SERVER /* serves inside */, ROLE_EXPOSED /* serves the outside */, ROLE_COUNT };
const char *role_name(unsigned role);

struct counts {                      // all about one value of one feature
	uint32_t device_days;        // days of the window on which this device showed it
	uint32_t device_known;       // days of the window on which this device was seen at all (at least 1)
	uint32_t peers, peers_total; // other devices of its group that showed it; how many there are
	uint32_t org, org_total;     // other devices of the organisation that showed it; how many there are
	uint64_t first_ns;           // the day on which the organisation first saw it, 0 = never
	uint64_t device_first_ns;    // the day on which this device first showed it, 0 = never
};

struct device { // owned by learn; pointers stay valid until learn_take or learn_destroy, and are the successor's after learn_on_forget
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
	uint64_t discard_ns; // what it showed until then and was not yet learned is not learned
	uint64_t group_ns;   // when it last changed its group, 0 = never
};

enum learn_without { // parts left out, to measure what each is worth (scripts/evaluate)
	WITHOUT_PEERS = 1 << 0,    // groups are not looked at: device, then organisation
	WITHOUT_WAIT = 1 << 2,     // learned at once
	WITHOUT_GROUPS = 1 << 3,   // groups by role only
	WITHOUT_NOVELTY = 1 << 4,  // given features are counted as one, whatever the destination
};

struct learn_config {
	uint32_t devices;       // capacity
	uint32_t values;        // capacity of (device or what stands above, feature, value) entries; 0 = 1 Mi
	struct siphash_key key; // random when live, fixed in replay; saved with the store
	uint32_t without;       // enum learn_without
};

struct learn;
struct learn *learn_create(const struct learn_config *config, struct counters *counters); // NULL with errno
void learn_destroy(struct learn *l);

struct device *learn_device_find(struct learn *l, const struct address *a);
// A new one, where the table is full, takes the place and the index of one that was silent for long: LEARN_SILENT_DAYS for each day it was there in the
// window, at least LEARN_SILENT_LEAST and at most the window (counted). What that one showed is forgotten. NULL: full of others (counted).
struct device *learn_device_find_or_add(struct learn *l, const struct address *a, uint64_t now_ns);
// Whoever keeps something by device.index forgets it then: called before the new one is given out. One at a time; NULL: nobody.
void learn_on_forget(struct learn *l, void (*forget)(void *user, uint32_t index), void *user);
uint32_t learn_device_count(const struct learn *l);
uint32_t learn_device_capacity(const struct learn *l); // as created: device.index is below it
struct device *learn_device_at(struct learn *l, uint32_t index); // NULL past the end
// "exposed-servers" (by role), the operator's name, or "group-7" (by behaviour).
const char *learn_group_name(const struct learn *l, uint16_t group);
uint32_t learn_group_members(const struct learn *l, uint16_t group);
// Operator's tag: devices inside `net` form a group of that name. -ENOSPC.
int learn_tag_group(struct learn *l, const struct prefix *net, const char *name);

// Counts one value for the day of now_ns, at once. Idempotent within a day. NOVELTY_KNOWN where the feature is not
// divided.
void learn_see(struct learn *l, struct device *d, enum feature f, enum novelty n, struct bytes value, uint64_t now_ns);
// What is known of a value, without changing anything. Peers and organisation never include the device itself.
void learn_counts(const struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns,
		  struct counts *out);
// How likely the value is for this device, and the counts that say so. base: P of a value nobody ever showed, 0 … 1.
// d NULL: what the organisation says.
void learn_look(const struct learn *l, const struct device *d, enum feature f, enum novelty n, struct bytes value,
		double base, struct backoff_terms *out);
// The counts in those terms, in words: the device's own part taken out of what stands above it.
void learn_counts_of(const struct learn *l, const struct device *d, const struct backoff_terms *t, uint64_t now_ns,
		     struct counts *out);
// Of these what stands in the terms alone: no totals, no days on which the device was seen.
void learn_counts_in(const struct backoff_terms *t, struct counts *out);
// Marks the device as seen today; reviews role and group (exposed server: FEATURE_CLIENT). Returns true when its role
// changed.
bool learn_touch(struct learn *l, struct device *d, uint64_t now_ns);
// Time passes: what has waited long enough is counted, what is too old goes, groups are reviewed once a day. Bounded
// work a call; call it at least every 100 ms live, and with each observation's time in replay.
void learn_step(struct learn *l, uint64_t now_ns);
// The clock was ahead, and is now_ns: what is dated later counts as of now. Devices and what waits, once through. What was counted under a later day
// already keeps it (lib/estimate/backoff.h: days out of order); that takes a clock that was ahead for more than a day.
void learn_clock_back(struct learn *l, uint64_t now_ns);
// When a device was seen last, of all; 0: none was.
uint64_t learn_latest_ns(const struct learn *l);
// The device alarmed: what it showed and has not been learned is not learned.
void learn_discard(struct learn *l, struct device *d, uint64_t now_ns);
// 0 … 100: how far the device can be judged by what it has shown: days of a week with a weekend in it, and how little
// of its last month was new to it (Good and Turing's n1/N below 10 %).
unsigned learn_ready_percent(const struct learn *l, const struct device *d, uint64_t now_ns);

// All that an observation teaches (which features with which values), in one place. Called only for what judge lets
// through.
void learn_observation(struct learn *l, const struct observation *o);
// The values an observation carries, for counting and for explaining alike. Returns false when it has none for that
// feature. `out` borrows from *o or from `room`.
bool learn_value(const struct learn *l, const struct observation *o, enum feature f, uint8_t room[LEARN_VALUE_BYTES],
		 struct bytes *out);
// How well the device knows where the observation's flow goes. For flows inside: whom it calls.
enum novelty learn_novelty(const struct learn *l, const struct device *d, const struct observation *o);
// The device an observation is about, added when need be. NULL: none (transit, special address, a lone datagram to an
// unused address) or full.
struct device *learn_device_of(struct learn *l, const struct observation *o);
// Were its bytes sent by the outside end to the inside device?
bool learn_from_outside(const struct observation *o);
// A host name as it is counted: lower case, without port and final dot, its last 128 bytes. Returns its length.
size_t learn_host(struct bytes host, uint8_t room[LEARN_VALUE_BYTES]);
// The part of a host name somebody registers: "a.b.example.co.jp" → "example.co.jp". By shape: two labels, three where
// the last but one has at most three letters and the last two. Borrows from host. Never empty for a non-empty name.
struct bytes learn_domain(struct bytes host);
// User agent → family: "curl/7.88.1" → "curl"; browsers by their engine token. Returns length.
size_t learn_agent_family(struct bytes agent, char *out, size_t cap);

// --- roll-outs: how many devices showed, within two days, a value that is not learned yet ---
// Notes it for this device and tells how many distinct ones there are by now, itself included; more than
// LEARN_ADOPTERS are not told apart.
enum { LEARN_ADOPTERS = 64 };
uint32_t learn_adopt(struct learn *l, const struct device *d, enum feature f, struct bytes value, uint64_t now_ns);

// --- short memory: did X happen between this device and this address lately? Fixed size; where it is full, the device
// that holds the most forgets its oldest. ---
enum recent_kind {
	RECENT_INBOUND /* address opened a flow to the device and sent at least a byte */,
	RECENT_RESOLVED /* DNS answer named the address */,
	RECENT_NAMED /* an inbound field named the address: taint */,
	RECENT_KINDS
};
enum { RECENT_NAME_BYTES = 48 };
void recent_put(struct learn *l, enum recent_kind kind, const struct address *device, const struct address *other,
		uint64_t now_ns);
// UNIX ns of the latest, 0 = not in memory.
uint64_t recent_get(const struct learn *l, enum recent_kind kind, const struct address *device,
		    const struct address *other);
// RECENT_RESOLVED with the name's domain (its last 48 bytes).
void recent_put_name(struct learn *l, const struct address *device, const struct address *other, struct bytes host,
		     uint64_t now_ns);
// The domain DNS gave this device for the address within RECENT_NAME_NS; empty: none. Borrowed until the next put.
#define RECENT_NAME_NS (86400ull * NS_PER_S)
struct bytes recent_name(const struct learn *l, const struct address *device, const struct address *other,
			 uint64_t now_ns);
// The /24 or /48 of an address, as a key of its own for the short memory.
struct address recent_network(const struct address *a);
#define RECENT_CALLBACK_NS (600ull * NS_PER_S) // a callback follows the visit within ten minutes

// Puts all that is learned into an image as sections of its own (ids 1 … 15), and takes it out again. The key is the
// image's afterwards. 0 or -EPROTO: damaged, or larger than the tables; then nothing is known any more.
struct image;
enum { LEARN_IMAGE_VERSION = 2 };
void learn_put(const struct learn *l, struct image *i);
int learn_take(struct learn *l, const struct image *i);
// 32 bytes over all that was ever learned, in its order: what names a baseline in alerts. Free of cost.
void learn_hash(const struct learn *l, uint8_t out[32]);
