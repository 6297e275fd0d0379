// SPDX-License-Identifier: GPL-2.0-or-later
// A company of several hundred devices to measure detection with: who is in it, where, what each prefers, and which
// version of what it runs on which day. It follows from the seed alone. RFC 5737 and 3849 leave too few addresses for
// that many, so both sides live in 198.18.0.0/15, which RFC 2544 keeps for benchmarks:
//
//   inside    198.18.0.0/16   .1 servers, .2 exposed servers, .10 .11 office, .20 developers, .30 tills,
//                             .40 printers and cameras, .50 a warehouse that appears on day COMPANY_NEW_DAY
//   outside   198.19.0.0/16   last byte 1-240 for everybody, 241-254 for attackers: in the same networks, but never used before
#pragma once
#include "talk.h"
#include "web.h"

enum company_limits { MEMBERS_MOST = 400, LIKED = 12, NAMES_KEPT = 32, RESOLVED_KEPT = 8192, COMPANY_NEW_DAY = 26 };

#define COMPANY_INSIDE "198.18.0.0/16"
#define DAY_LENGTH_NS (86400ull * SEC)

enum part {
	PART_WEB,         // exposed
	PART_GATEWAY,     // exposed, Java, calls its clients back
	PART_MAIL,        // exposed
	PART_RESOLVER,    // names, time and leases for the inside
	PART_DIRECTORY,   // LDAP, Kerberos, files
	PART_APPLICATION, // serves the inside
	PART_BUILD,
	PART_MONITOR,
	PART_BACKUP,
	PART_OFFICE,
	PART_DEVELOPER,
	PART_TILL,
	PART_PRINTER,
	PART_CAMERA,
	PART_WAREHOUSE, // not there before COMPANY_NEW_DAY
	PARTS,
};
#define PART_BIT(p) (1u << (p))

// Programs whose versions move: each device takes a release some days after it appears.
enum program {
	PROGRAM_CHROME,
	PROGRAM_FIREFOX,
	PROGRAM_EDGE,
	PROGRAM_SAFARI,
	PROGRAM_APT,
	PROGRAM_CURL,
	PROGRAM_WGET,
	PROGRAM_GIT,
	PROGRAM_JAVA,
	PROGRAM_PYTHON,
	PROGRAM_OS_UPDATE,
	PROGRAM_CAPTIVE,
	PROGRAM_GUARD, // the endpoint agent
	PROGRAM_CHAT,  // rolled out to the office
	PROGRAM_TILL,
	PROGRAM_PRINTER,
	PROGRAM_HANDHELD,
	PROGRAMS,
};

struct member { // a device
	struct host host;
	enum part part;
	uint32_t number;   // among its part
	uint32_t from_day; // it does not exist before
	uint8_t browser;   // enum program
	uint8_t lag;       // days it waits before it takes a release
	uint32_t phase_s;  // of its timers
	uint32_t liked[LIKED];
	struct {
		uint32_t site;
		uint64_t until_ns;
	} known[NAMES_KEPT]; // its cache of names
};

struct company {
	uint64_t seed, start_ns;
	uint32_t members;
	struct member member[MEMBERS_MOST];
	struct host router, upstream;
	uint32_t resolver[2]; // members
	uint64_t resolved[RESOLVED_KEPT];
	uint8_t leased[256][32]; // bits by third and last byte: addresses in use
};

// One duty of a device: what its function is given.
struct duty {
	struct stage *stage;
	struct company *company;
	struct member *member;
	struct chance *chance;
	uint64_t when_ns;
	uint32_t day; // from 0
};

void company_init(struct company *c, uint64_t seed, uint64_t start_ns);
// Before a day is planned: leases that change overnight.
void company_morning(struct company *c, uint32_t day);
const char *part_name(enum part p); // "web"
struct member *company_of_part(struct company *c, enum part p, uint32_t number); // number is taken modulo how many there are
uint32_t company_count(const struct company *c, enum part p);
const char *program_agent(const struct company *c, const struct member *m, enum program p, uint32_t day, char out[200]);

// Outside: a site is a number; its name, address, port and whether it speaks TLS follow from that.
enum site_ranges {
	SITE_NAMED = 0,          // the table of sites.c
	SITE_POPULAR = 100,      // 400: what many go to, also in the background of other sites
	SITE_OF_PART = 1000,     // 100 for each part
	SITE_TAIL = 10000,       // 20,000: seldom, but they exist
	SITE_FRESH = 1000000000, // nobody was there before
	SITES_POPULAR = 400,
	SITES_OF_PART = 100,
	SITES_TAIL = 20000,
};

enum named_site {
	NAMED_MAILBOX,
	NAMED_MEETING,
	NAMED_OS_UPDATE,
	NAMED_CAPTIVE,
	NAMED_GUARD,
	NAMED_CERTIFICATES,
	NAMED_REPOSITORY,
	NAMED_SECURITY,
	NAMED_GIT,
	NAMED_RELEASES,
	NAMED_REGISTRY,
	NAMED_MODULES,
	NAMED_TIME,
	NAMED_VAULT,
	NAMED_PAYMENT,
	NAMED_PAYMENT_NEW, // from day TILL_DAY on
	NAMED_PRINTER,
	NAMED_CAMERA,
	NAMED_WATCH, // monitoring in the cloud
	NAMED_CHAT,  // rolled out from day CHAT_DAY on
	NAMED_CHAT_FILES,
	NAMED_TELEMETRY, // rolled out to developers while it is still learned
	NAMED_HANDHELD,
	NAMED_PARTNER,
	NAMED_SSH,
	NAMED_SITES,
};
enum rollout_days { TELEMETRY_DAY = 8, CHAT_DAY = 19, TILL_DAY = 32, ROLLOUT_TAKES = 5 };

struct site {
	char name[64];
	struct host host;
	uint16_t port;
	bool tls;
};

void site_describe(const struct company *c, uint32_t site, uint32_t day, struct site *out);
struct host site_address(uint64_t hash); // somewhere outside, of everybody's
struct host site_attacker(uint64_t hash);
// Where this person goes next: what it likes, what all like, or something new (which it may like from then on).
uint32_t site_choose(const struct duty *d);

// Makes the name known to the device; returns when it can go on.
uint64_t company_look_up(const struct duty *d, uint32_t number, const struct site *site);
// Looks up and connects.
void company_reach(const struct duty *d, struct talk *t, uint32_t number, struct site *site);
// A session of `rounds` with it, or an HTTP request with that agent where the site speaks no TLS.
void company_session(const struct duty *d, uint32_t number, const struct tls_plan *plan);

// All duties of one day in the order of their time.
struct duties {
	struct duty_entry *entry;
	size_t count, cap, next;
};
void duties_plan(struct duties *a, struct company *c, uint32_t day);
uint64_t duties_next_ns(const struct duties *a); // UINT64_MAX: none is left
void duties_run(struct duties *a, struct stage *s, struct company *c, uint32_t day);
void duties_free(struct duties *a);

// Desks
void duty_browse(struct duty *d);
void duty_mailbox(struct duty *d);
void duty_meeting(struct duty *d);
void duty_files(struct duty *d);
void duty_print(struct duty *d);
void duty_os_update(struct duty *d);
void duty_captive(struct duty *d);
void duty_certificates(struct duty *d);
void duty_guard(struct duty *d);
void duty_download(struct duty *d);
void duty_lease(struct duty *d);
void duty_chat(struct duty *d);
void duty_curl(struct duty *d);
void duty_git(struct duty *d);
void duty_registry(struct duty *d);
void duty_ssh(struct duty *d);
void duty_telemetry(struct duty *d);
void duty_payment(struct duty *d);
void duty_handheld(struct duty *d);
void duty_handheld_update(struct duty *d);
// Servers and things
void duty_kerberos(struct duty *d);
void duty_ldap(struct duty *d);
void duty_time(struct duty *d);
void duty_time_outside(struct duty *d);
void duty_rest(struct duty *d);
void duty_update(struct duty *d);
void duty_partner(struct duty *d);
void duty_own_service(struct duty *d);
void duty_watch(struct duty *d);
void duty_ping(struct duty *d);
void duty_backup(struct duty *d);
void duty_vault(struct duty *d);
void duty_build(struct duty *d);
void duty_feed(struct duty *d);
void duty_admin(struct duty *d);
void duty_printer(struct duty *d);
void duty_camera(struct duty *d);
// Exposed servers
void duty_visit_http(struct duty *d);
void duty_visit_https(struct duty *d);
void duty_upload(struct duty *d);
void duty_scan(struct duty *d);
void duty_webhook(struct duty *d);
void duty_mail_in(struct duty *d);
void duty_mail_out(struct duty *d);
