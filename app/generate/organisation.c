// SPDX-License-Identifier: GPL-2.0-or-later
// See organisation.h. Tables first: who is there, which services exist, how browsers call themselves.
#include "organisation.h"
#include "log.h"

#include <stdio.h>

static const struct {
	enum role role;
	uint8_t first; // last byte of the first address
	uint8_t count; // 0: all that remain
	bool six;
} ROLES[] = {
	{ROLE_WEB, 10, 4, true},      {ROLE_MAIL, 20, 2, true},    {ROLE_DIRECTORY, 30, 1, false},
	{ROLE_API, 31, 1, false},     {ROLE_BACKUP, 32, 1, false}, {ROLE_RESOLVER, 2, 1, true},
	{ROLE_PRINTER, 40, 3, false}, {ROLE_CAMERA, 50, 2, false}, {ROLE_WORKSTATION, 80, 0, true},
};

const struct service SERVICES[] = {
	[SERVICE_DIRECTORY] = {"dc1.corp.example", 0, false, false, 389, USE_NAMED, 30},
	[SERVICE_FILES] = {"files.corp.example", 0, false, true, 443, USE_NAMED, 30},
	[SERVICE_API] = {"api.corp.example", 0, false, false, 8080, USE_NAMED, 31},
	[SERVICE_MAIL] = {"mail.corp.example", 0, false, true, 993, USE_NAMED, 20},
	[SERVICE_TIME] = {"pool.time.example", 2, true, false, 123, USE_NAMED, 0},
	[SERVICE_BACKUP] = {"vault.backup-provider.example", 1, false, true, 443, USE_NAMED, 0},
	[SERVICE_PARTNER] = {"b2b.partner.example", 1, false, true, 8443, USE_NAMED, 0},
	[SERVICE_CAMERA] = {"device.camera-cloud.example", 2, false, true, 443, USE_NAMED, 0},
	[SERVICE_PRINTER] = {"supplies.printer-vendor.example", 1, false, false, 80, USE_NAMED, 0},
	[SERVICE_OS_UPDATE] = {"au.download.os-vendor.example", 2, true, false, 80, USE_NAMED, 0},
	[SERVICE_CAPTIVE] = {"www.connecttest.example", 1, false, false, 80, USE_NAMED, 0},
	[SERVICE_GIT] = {"git.forge.example", 1, false, false, 80, USE_NAMED, 0},
	[SERVICE_FORGE] = {"forge.example", 2, true, true, 443, USE_DEVELOP, 0},
	[SERVICE_RELEASES] = {"releases.forge.example", 1, false, false, 80, USE_NAMED, 0},
	[SERVICE_REPOSITORY] = {"deb.distro.example", 2, false, false, 80, USE_REPOSITORY, 0},
	[SERVICE_REPOSITORY_SECURITY] = {"security.distro.example", 1, false, false, 80, USE_REPOSITORY, 0},
	{"packages.script-index.example", 2, true, true, 443, USE_DEVELOP, 0},
	{"registry.modules.example", 1, true, true, 443, USE_DEVELOP, 0},
	{"download.office-suite.example", 1, false, false, 80, USE_DOWNLOAD, 0},
	{"dl.browser-vendor.example", 2, false, false, 80, USE_DOWNLOAD, 0},
	{"get.pdf-reader.example", 1, false, false, 80, USE_DOWNLOAD, 0},
	{"archive.open-projects.example", 2, false, false, 80, USE_DOWNLOAD, 0},
	{"www.search-one.example", 2, true, true, 443, USE_BROWSE, 0},
	{"fonts.cdn-one.example", 2, true, true, 443, USE_BROWSE, 0},
	{"static.cdn-one.example", 2, true, true, 443, USE_BROWSE, 0},
	{"assets.cdn-two.example", 2, false, true, 443, USE_BROWSE, 0},
	{"outlook.office-suite.example", 2, true, true, 443, USE_BROWSE, 0},
	{"teams.office-suite.example", 2, true, true, 443, USE_BROWSE, 0},
	{"www.daily-news.example", 2, false, true, 443, USE_BROWSE, 0},
	{"metrics.ad-network.example", 2, true, true, 443, USE_BROWSE, 0},
	{"video.stream-site.example", 2, true, true, 443, USE_BROWSE, 0},
	{"www.encyclopaedia.example", 1, true, true, 443, USE_BROWSE, 0},
	{"www.weather.example", 1, false, false, 80, USE_BROWSE, 0},
	{"maps.search-one.example", 2, true, true, 443, USE_BROWSE, 0},
	{"www.railway-times.example", 1, false, false, 80, USE_BROWSE, 0},
	{"crm.sales-cloud.example", 2, false, true, 443, USE_BROWSE, 0},
	{"login.sales-cloud.example", 1, false, true, 443, USE_BROWSE, 0},
	{"www.bank-a.example", 1, false, true, 443, USE_BROWSE, 0},
	{"www.city-office.example", 1, false, true, 443, USE_BROWSE, 0},
	{"shop.books.example", 1, true, true, 443, USE_BROWSE, 0},
	{"www.questions.example", 1, true, true, 443, USE_BROWSE, 0},
	{"blog.engineering.example", 1, false, false, 80, USE_BROWSE, 0},
	{"forum.hardware.example", 1, false, false, 80, USE_BROWSE, 0},
	{"ocsp.certificates.example", 1, false, false, 80, USE_BROWSE, 0},
	{"www.trade-press.example", 1, false, true, 443, USE_BROWSE, 0},
	{"calendar.planner.example", 1, true, true, 443, USE_BROWSE, 0},
	{"chat.messenger.example", 1, true, true, 443, USE_BROWSE, 0},
	{"intranet.parent-company.example", 1, false, false, 8080, USE_BROWSE, 0},
	{"travel.booking.example", 1, false, true, 443, USE_BROWSE, 0},
	{"www.recipes.example", 1, false, true, 443, USE_BROWSE, 0},
	{"www.stadium.example", 1, false, true, 443, USE_BROWSE, 0},
	{"learn.academy.example", 1, true, true, 443, USE_BROWSE, 0},
	{"www.supplier-one.example", 1, false, true, 443, USE_BROWSE, 0},
	{"order.supplier-two.example", 1, false, true, 8443, USE_BROWSE, 0},
};
const size_t SERVICES_COUNT = sizeof(SERVICES) / sizeof(*SERVICES);
_Static_assert(sizeof(SERVICES) / sizeof(*SERVICES) <= SERVICES_MOST, "raise SERVICES_MOST");

// The version after the first one is what the browser becomes on its upgrade day.
static const struct {
	const char *format;
	const char *version[2];
} AGENTS[BROWSERS] = {
	[BROWSER_CHROME] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s"
			    " Safari/537.36",
			    {"96.0.4664.45", "96.0.4664.93"}},
	[BROWSER_FIREFOX] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%s) Gecko/20100101 Firefox/%s",
			     {"94.0", "95.0"}},
	[BROWSER_EDGE] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
			  "Chrome/96.0.4664.55 Safari/537.36 Edg/%s",
			  {"96.0.1054.43", "96.0.1054.53"}},
	[BROWSER_SAFARI] = {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
			    "Version/%s Safari/605.1.15",
			    {"15.1", "15.1"}},
};

struct host host_inside(uint8_t last)
{
	const uint8_t b[4] = {192, 0, 2, last};

	return (struct host){address_v4(b), true, last >= 80 ? 128 : 64, 120};
}

struct host host_inside6(uint8_t last)
{
	const uint8_t b[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, 0, last >= 80, [15] = last};

	return (struct host){address_v6(b), true, 64, 120};
}

// How far away a host is follows from its address.
struct host host_far(struct address a)
{
	uint64_t hash = a.family;

	for (size_t i = 0; i < sizeof(a.b); i++)
		hash = chance_mix(hash, a.b[i]);
	return (struct host){a, false, (uint8_t)((hash & 1 ? 64 : 128) - 7 - (hash >> 8) % 12),
			     (uint32_t)(2000 + (hash >> 16) % 60000)};
}

static struct host outside4(uint8_t third, uint8_t last)
{
	const uint8_t b[4] = {third == 100 ? 198 : 203, third == 100 ? 51 : 0, third, last};

	return host_far(address_v4(b));
}

static struct host outside6(uint16_t net, uint16_t subnet, uint16_t number)
{
	const uint8_t b[16] = {0x20,
			       1,
			       0x0d,
			       0xb8,
			       (uint8_t)(0xf0 | net >> 8),
			       (uint8_t)net,
			       (uint8_t)(subnet >> 8),
			       (uint8_t)subnet,
			       [14] = (uint8_t)(number >> 8),
			       (uint8_t)number};

	return host_far(address_v6(b));
}

struct host host_outside(const char *address)
{
	struct address a;

	if (address_parse(bytes_of_text(address), &a))
		log_fatal("%s: no address", address);
	return host_far(a);
}

struct host host_visitor(struct chance *c, bool six)
{
	uint32_t n = chance_below(c, 115 + 149);

	if (six) {
		uint16_t net = (uint16_t)(0x200 + chance_skewed(c, 64));
		uint16_t subnet = (uint16_t)chance_below(c, 32);

		return outside6(net, subnet, (uint16_t)(1 + chance_below(c, 4)));
	}
	return n < 115 ? outside4(100, (uint8_t)(140 + n)) : outside4(113, (uint8_t)(1 + n - 115));
}

struct host host_scanner(struct chance *c)
{
	return outside4(113, (uint8_t)(181 + chance_skewed(c, 19)));
}

struct host service_host(uint32_t service, bool six, uint64_t day)
{
	const struct service *s = &SERVICES[service];
	uint32_t which = s->addresses ? (uint32_t)(chance_mix(service, day) % s->addresses) : 0;

	if (s->inside)
		return host_inside(s->inside);
	if (six && s->six)
		return outside6(0, (uint16_t)service, (uint16_t)(which + 1));
	return outside4(100, (uint8_t)(4 + 2 * service + which));
}

uint32_t service_pick(struct chance *c, enum use use)
{
	uint32_t first = 0, count = 0;

	// Services of one use stand in the table from the most to the least popular.
	for (uint32_t i = 0; i < SERVICES_COUNT; i++)
		count += SERVICES[i].use == use;
	count = chance_skewed(c, count);
	for (uint32_t i = 0; i < SERVICES_COUNT; i++)
		if (SERVICES[i].use == use && count-- == 0)
			first = i;
	return first;
}

const char *browser_agent(const struct device *d, uint64_t day, char out[AGENT_BYTES])
{
	const char *version = AGENTS[d->browser].version[day >= d->upgrade_day];

	switch (d->browser) {
	case BROWSER_CHROME:
		snprintf(out, AGENT_BYTES, AGENTS[BROWSER_CHROME].format, version);
		break;
	case BROWSER_FIREFOX:
		snprintf(out, AGENT_BYTES, AGENTS[BROWSER_FIREFOX].format, version, version);
		break;
	case BROWSER_EDGE:
		snprintf(out, AGENT_BYTES, AGENTS[BROWSER_EDGE].format, version);
		break;
	case BROWSER_SAFARI:
	case BROWSERS:
		snprintf(out, AGENT_BYTES, AGENTS[BROWSER_SAFARI].format, version);
		break;
	}
	return out;
}

static void device_init(struct device *d, uint64_t seed, enum role role, uint32_t number, uint8_t last, bool six)
{
	struct chance c = chance_of(seed, 1, last, 0);
	uint32_t percent = chance_below(&c, 100);

	memset(d, 0, sizeof(*d));
	d->host = host_inside(last);
	// Every server of such a role has IPv6, and two of three workstations.
	if (six && (role != ROLE_WORKSTATION || chance_percent(&c, 66)))
		d->host6 = host_inside6(last);
	d->role = role;
	d->number = number;
	d->browser = percent < 50   ? BROWSER_CHROME
		     : percent < 65 ? BROWSER_FIREFOX
		     : percent < 85 ? BROWSER_EDGE
				    : BROWSER_SAFARI;
	d->developer = number % 6 == 1;
	d->upgrade_day = chance_percent(&c, 60) ? 3 + chance_below(&c, 3) : UINT32_MAX;
	for (uint32_t i = 0; i < FAVOURITES; i++)
		d->favourites[i] = (uint8_t)service_pick(&c, USE_BROWSE);
}

void organisation_init(struct organisation *o, uint64_t seed, uint32_t devices)
{
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	o->resolver = host_inside(2);
	o->router = host_inside(1);
	o->router.inside = false;
	o->upstream = host_outside("198.51.100.2");
	for (size_t i = 0; i < sizeof(ROLES) / sizeof(*ROLES); i++)
		for (uint32_t n = 0; (n < ROLES[i].count || !ROLES[i].count) && o->devices < devices; n++)
			device_init(&o->device[o->devices++], seed, ROLES[i].role, n, (uint8_t)(ROLES[i].first + n),
				    ROLES[i].six);
}
