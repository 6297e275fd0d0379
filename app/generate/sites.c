// SPDX-License-Identifier: GPL-2.0-or-later
// What is outside, as numbers: name, address and way of speaking follow from the number. See company.h.
#include "company.h"
#include "datagram.h"

#include <stdio.h>

static const struct {
	const char *name;
	uint8_t addresses;
	bool tls;
	uint16_t port;
} NAMED[NAMED_SITES] = {
	[NAMED_MAILBOX] = {"outlook.office-suite.example", 3, true, 443},
	[NAMED_MEETING] = {"meet.office-suite.example", 3, true, 443},
	[NAMED_OS_UPDATE] = {"au.download.os-vendor.example", 3, false, 80},
	[NAMED_CAPTIVE] = {"www.connecttest.example", 2, false, 80},
	[NAMED_GUARD] = {"cloud.guard-vendor.example", 2, true, 443},
	[NAMED_CERTIFICATES] = {"ocsp.certificates.example", 3, false, 80},
	[NAMED_REPOSITORY] = {"deb.distro.example", 2, false, 80},
	[NAMED_SECURITY] = {"security.distro.example", 2, false, 80},
	[NAMED_GIT] = {"git.forge.example", 2, false, 80},
	[NAMED_RELEASES] = {"releases.forge.example", 2, false, 80},
	[NAMED_REGISTRY] = {"registry.modules.example", 2, true, 443},
	[NAMED_MODULES] = {"packages.script-index.example", 2, true, 443},
	[NAMED_TIME] = {"pool.time.example", 4, false, 123},
	[NAMED_VAULT] = {"vault.backup-provider.example", 2, true, 443},
	[NAMED_PAYMENT] = {"gate.payment.example", 2, true, 443},
	[NAMED_PAYMENT_NEW] = {"gate2.payment.example", 2, true, 9443},
	[NAMED_PRINTER] = {"supplies.printer-vendor.example", 1, false, 80},
	[NAMED_CAMERA] = {"device.camera-cloud.example", 2, true, 443},
	[NAMED_WATCH] = {"in.watch-cloud.example", 2, true, 443},
	[NAMED_CHAT] = {"edge.chat-client.example", 2, true, 443},
	[NAMED_CHAT_FILES] = {"files.chat-client.example", 1, false, 80},
	[NAMED_TELEMETRY] = {"telemetry.editor.example", 1, true, 443},
	[NAMED_HANDHELD] = {"mqtt.handheld-cloud.example", 1, true, 8883},
	[NAMED_PARTNER] = {"b2b.partner.example", 1, true, 8443},
	[NAMED_SSH] = {"shell.hoster.example", 1, false, 22},
};

struct host site_address(uint64_t hash)
{
	const uint8_t b[4] = {198, 19, (uint8_t)(hash >> 8), (uint8_t)(1 + (hash >> 16) % 240)};

	return host_far(address_v4(b));
}

struct host site_attacker(uint64_t hash)
{
	const uint8_t b[4] = {198, 19, (uint8_t)(hash >> 8), (uint8_t)(241 + (hash >> 16) % 14)};

	return host_far(address_v4(b));
}

void site_describe(const struct company *c, uint32_t site, uint32_t day, struct site *out)
{
	static const char *const first[] = {"blue", "north",  "red",  "old",   "fast",  "green", "little", "open",
					    "east", "bright", "city", "river", "daily", "prime", "alpha",  "quiet"};
	static const char *const second[] = {"garden", "news",  "shop",  "bank",   "travel", "media",
					     "games",  "tools", "cloud", "school", "clinic", "hotel",
					     "music",  "parts", "labs",  "foods"};
	uint64_t hash = chance_mix(chance_mix(c->seed, 40), site);

	if (site < NAMED_SITES) {
		snprintf(out->name, sizeof(out->name), "%s", NAMED[site].name);
		out->port = NAMED[site].port;
		out->tls = NAMED[site].tls;
		hash = chance_mix(hash, chance_mix(site, day) % NAMED[site].addresses);
	} else {
		snprintf(out->name, sizeof(out->name), "%s.%s-%s-%u.example", hash & 1 ? "www" : "app",
			 first[hash >> 4 & 15], second[hash >> 8 & 15], (unsigned)(hash >> 12 & 0xfffff));
		out->tls = (hash >> 32) % 100 < 88;
		out->port = out->tls ? 443 : 80;
		if ((hash >> 40) % 300 == 0)
			out->port = (uint16_t[]){8080, 8443, 8000, 2083, 9000, 5000}[hash >> 50 & 3];
		if (site < SITE_OF_PART) // large ones have several addresses
			hash = chance_mix(hash, chance_mix(site, day) % 3);
		else if ((hash >> 20) % 100 < 35) // many share a host's
			hash = chance_mix(chance_mix(c->seed, 41), hash % 200);
	}
	out->host = site_address(hash);
}

uint32_t site_choose(const struct duty *d)
{
	struct chance *c = d->chance;
	uint32_t percent = chance_below(c, 1000), fresh;

	if (percent < 520)
		return d->member->liked[chance_skewed(c, LIKED)];
	if (percent < 880)
		return SITE_POPULAR + chance_skewed(c, SITES_POPULAR);
	if (percent < 960)
		return SITE_TAIL + chance_skewed(c, SITES_TAIL);
	fresh = SITE_FRESH + chance_below(c, 1u << 30);
	if (chance_percent(c, 30))
		d->member->liked[LIKED / 2 + chance_below(c, LIKED / 2)] = fresh;
	return fresh;
}

uint64_t company_look_up(const struct duty *d, uint32_t number, const struct site *site)
{
	struct company *c = d->company;
	struct member *m = d->member;
	const struct host *resolver = &c->member[c->resolver[m->number % 2]].host;
	uint32_t slot = (uint32_t)(chance_mix(number, 5) % NAMES_KEPT);
	uint64_t *resolved = &c->resolved[chance_mix(number, 6) % RESOLVED_KEPT];
	uint64_t think = 30 * US, when = d->when_ns;

	if (m->known[slot].site == number && m->known[slot].until_ns > when)
		return when;
	m->known[slot].site = number;
	m->known[slot].until_ns = when + 1800 * SEC;
	if (*resolved < when) {
		*resolved = when + 1800 * SEC;
		if (m->part == PART_RESOLVER)
			return name_answer(d->stage, d->chance, &m->host, &c->upstream, site->name, &site->host, when,
					   2 * MS) +
			       200 * US;
		think += name_answer(d->stage, d->chance, resolver, &c->upstream, site->name, &site->host,
				     when + 100 * US, 2 * MS) -
			 when;
	}
	if (m->part == PART_RESOLVER)
		return when;
	return name_answer(d->stage, d->chance, &m->host, resolver, site->name, &site->host, when, think) +
	       chance_between(d->chance, 200 * US, 900 * US);
}

void company_reach(const struct duty *d, struct talk *t, uint32_t number, struct site *site)
{
	uint64_t when;

	site_describe(d->company, number, d->day, site);
	when = company_look_up(d, number, site);
	talk_open(t, d->stage, d->chance, &d->member->host, &site->host, site->port, when);
}

void company_session(const struct duty *d, uint32_t number, const struct tls_plan *plan)
{
	struct tls_plan named = *plan;
	struct site site;
	struct talk t;

	company_reach(d, &t, number, &site);
	named.name = site.name;
	tls_session(&t, &named);
}
