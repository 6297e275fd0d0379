// SPDX-License-Identifier: GPL-2.0-or-later
// The organisation that makes the traffic: its devices, the services it uses outside, and who comes to visit.
// It follows from the seed alone, so a week and a case made with one seed are about the same devices.
//
//   inside    192.0.2.0/24, 2001:db8:1::/48
//   outside   198.51.100.1-139 services, .140-254 and 203.0.113.1-149 visitors, 203.0.113.181-199 scanners,
//             2001:db8:f000::/36 all of these again; 203.0.113.150-159 and .200-254 are left to the attackers of the
//             cases
#pragma once
#include "talk.h"
#include "web.h"

enum organisation_limits { DEVICES_MOST = 170, FAVOURITES = 12, SERVICES_MOST = 64, AGENT_BYTES = 160 };

enum role {
	ROLE_WEB,
	ROLE_MAIL,
	ROLE_DIRECTORY, // files, LDAP, Kerberos
	ROLE_API,
	ROLE_RESOLVER, // DNS and NTP for the inside
	ROLE_BACKUP,
	ROLE_PRINTER,
	ROLE_CAMERA,
	ROLE_WORKSTATION,
};

enum browser { BROWSER_CHROME, BROWSER_FIREFOX, BROWSER_EDGE, BROWSER_SAFARI, BROWSERS };

// What a service is for; a device picks among those of one use.
enum use { USE_BROWSE, USE_DOWNLOAD, USE_DEVELOP, USE_REPOSITORY, USE_NAMED };

struct service {
	const char *name;
	uint8_t addresses; // outside: how many IPv4 addresses its name has
	bool six;          // has an IPv6 address too
	bool tls;
	uint16_t port;
	enum use use;
	uint8_t inside; // last byte of 192.0.2.x, or 0 = outside
};

// Services that traffic asks for by name of its own.
enum named_service {
	SERVICE_DIRECTORY,
	SERVICE_FILES,
	SERVICE_API,
	SERVICE_MAIL,
	SERVICE_TIME,
	SERVICE_BACKUP,
	SERVICE_PARTNER,
	SERVICE_CAMERA,
	SERVICE_PRINTER,
	SERVICE_OS_UPDATE,
	SERVICE_CAPTIVE,
	SERVICE_GIT,
	SERVICE_FORGE,
	SERVICE_RELEASES,
	SERVICE_REPOSITORY,
	SERVICE_REPOSITORY_SECURITY,
	SERVICES_NAMED,
};

struct device {
	struct host host;
	struct host host6; // family 0 where the device has none
	enum role role;
	uint32_t number; // among its role
	enum browser browser;
	bool developer;
	uint32_t upgrade_day;                // on which its browser becomes a version newer; far away = never
	uint8_t favourites[FAVOURITES];      // of the services to browse
	uint64_t known_until[SERVICES_MOST]; // the name is in the device's own DNS cache until then
};

struct organisation {
	uint64_t seed;
	struct device device[DEVICES_MOST];
	uint32_t devices;
	struct host resolver; // the inside resolver
	struct host router;
	struct host upstream;                // the resolver's resolver, outside
	uint64_t known_until[SERVICES_MOST]; // the resolver's cache
};

extern const struct service SERVICES[];
extern const size_t SERVICES_COUNT;

enum { DEVICES_FEWEST = 16 };

// devices: DEVICES_FEWEST..DEVICES_MOST, workstations fill what the servers leave.
void organisation_init(struct organisation *o, uint64_t seed, uint32_t devices);

struct host host_inside(uint8_t last);
struct host host_inside6(uint8_t last);
struct host host_outside(const char *address);
// An outside host; how far away it is follows from its address.
struct host host_far(struct address a);
struct host host_visitor(struct chance *c, bool six);
struct host host_scanner(struct chance *c);

// One of a service's addresses of that family on that day.
struct host service_host(uint32_t service, bool six, uint64_t day);
uint32_t service_pick(struct chance *c, enum use use);
const char *browser_agent(const struct device *d, uint64_t day, char out[AGENT_BYTES]);
