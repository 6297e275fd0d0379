// SPDX-License-Identifier: GPL-2.0-or-later
// See company.h. Who is there, leases, versions.
#include "company.h"
#include "log.h"

#include <stdio.h>

static const struct {
	const char *name;
	uint8_t net, first; // third and last byte of the first address
	uint16_t count;
} PARTS_TABLE[PARTS] = {
	[PART_WEB] = {"web", 2, 10, 14},
	[PART_GATEWAY] = {"gateway", 2, 40, 6},
	[PART_MAIL] = {"mail", 2, 60, 4},
	[PART_RESOLVER] = {"resolver", 1, 2, 2},
	[PART_DIRECTORY] = {"directory", 1, 10, 2},
	[PART_APPLICATION] = {"application", 1, 20, 8},
	[PART_BUILD] = {"build", 1, 40, 2},
	[PART_MONITOR] = {"monitor", 1, 50, 1},
	[PART_BACKUP] = {"backup", 1, 52, 1},
	[PART_OFFICE] = {"office", 10, 20, 160}, // every other one in .11
	[PART_DEVELOPER] = {"developer", 20, 20, 50},
	[PART_TILL] = {"till", 30, 10, 30},
	[PART_PRINTER] = {"printer", 40, 10, 12},
	[PART_CAMERA] = {"camera", 40, 100, 20},
	[PART_WAREHOUSE] = {"warehouse", 50, 10, 15},
};

const char *part_name(enum part p)
{
	return PARTS_TABLE[p].name;
}

static struct host inside(uint8_t third, uint8_t last, uint16_t mac)
{
	const uint8_t b[4] = {198, 18, third, last};

	return (struct host){.address = address_v4(b),
			     .inside = true,
			     .ttl = third >= 10 && third < 40 ? 128 : 64,
			     .delay_us = 150,
			     .mac = mac};
}

static void lease(struct company *c, uint8_t third, uint8_t last, bool taken)
{
	uint8_t bit = (uint8_t)(1 << last % 8);

	if (taken)
		c->leased[third][last / 8] |= bit;
	else
		c->leased[third][last / 8] &= (uint8_t)~bit;
}

static void add_member(struct company *c, enum part p, uint32_t n)
{
	struct member *m = &c->member[c->members];
	struct chance chance = chance_of(c->seed, 1, p, n);
	uint32_t percent = chance_below(&chance, 100);
	bool desk = p == PART_OFFICE;
	uint8_t third = (uint8_t)(PARTS_TABLE[p].net + (desk ? n % 2 : 0));
	uint8_t last = (uint8_t)(PARTS_TABLE[p].first + (desk ? n / 2 : n));

	m->host = inside(third, last, (uint16_t)(0x1000 + c->members));
	m->part = p;
	m->number = n;
	m->from_day = p == PART_WAREHOUSE ? COMPANY_NEW_DAY : 0;
	m->browser = percent < 50   ? PROGRAM_CHROME
		     : percent < 65 ? PROGRAM_FIREFOX
		     : percent < 88 ? PROGRAM_EDGE
				    : PROGRAM_SAFARI;
	m->lag = (uint8_t)chance_skewed(&chance, 9);
	m->phase_s = chance_below(&chance, 86400);
	for (uint32_t i = 0; i < LIKED; i++)
		m->liked[i] = chance_percent(&chance, 60) ? SITE_OF_PART + (uint32_t)p * SITES_OF_PART +
								    chance_skewed(&chance, SITES_OF_PART)
							  : SITE_TAIL + chance_below(&chance, SITES_TAIL);
	lease(c, third, last, true);
	c->members++;
}

void company_init(struct company *c, uint64_t seed, uint64_t start_ns)
{
	memset(c, 0, sizeof(*c));
	c->seed = seed;
	c->start_ns = start_ns;
	for (enum part p = 0; p < PARTS; p++)
		for (uint32_t n = 0; n < PARTS_TABLE[p].count; n++) {
			if (c->members == MEMBERS_MOST)
				log_fatal("more members than %d", (int)MEMBERS_MOST);
			if (p == PART_RESOLVER)
				c->resolver[n % 2] = c->members;
			add_member(c, p, n);
		}
	c->router = inside(1, 1, 0);
	c->router.inside = false;
	c->upstream = site_address(chance_mix(seed, 7));
}

struct member *company_of_part(struct company *c, enum part p, uint32_t number)
{
	uint32_t first = 0;

	while (c->member[first].part != p)
		first++;
	return &c->member[first + number % PARTS_TABLE[p].count];
}

uint32_t company_count(const struct company *c, enum part p)
{
	return PARTS_TABLE[p].count;
}

// Another free address of the same network.
static void move(struct company *c, struct member *m, struct chance *chance)
{
	uint8_t third = m->host.address.b[2], last;

	do
		last = (uint8_t)(20 + chance_below(chance, 220));
	while (c->leased[third][last / 8] & 1 << last % 8);
	lease(c, third, m->host.address.b[3], false);
	lease(c, third, last, true);
	m->host = inside(third, last, m->host.mac);
	memset(m->known, 0, sizeof(m->known));
}

void company_morning(struct company *c, uint32_t day)
{
	struct chance chance = chance_of(c->seed, 3, day, 0);

	for (uint32_t i = 0; i < c->members; i++)
		if ((c->member[i].part == PART_OFFICE || c->member[i].part == PART_DEVELOPER) &&
		    chance_percent(&chance, 2))
			move(c, &c->member[i], &chance);
}

// {v}: major version, which counts releases; {m}: a number that follows from it.
static const struct {
	const char *agent;
	uint16_t base;
	uint8_t every; // days between releases; 0: never another
} RELEASES[PROGRAMS] = {
	[PROGRAM_CHROME] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
			    "Chrome/{v}.0.{m}.45 Safari/537.36",
			    95, 21},
	[PROGRAM_FIREFOX] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0", 93,
			     28},
	[PROGRAM_EDGE] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
			  "Chrome/{v}.0.4664.55 Safari/537.36 Edg/{v}.0.{m}.43",
			  95, 21},
	[PROGRAM_SAFARI] = {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
			    "Version/{v}.1 Safari/605.1.15",
			    15, 40},
	[PROGRAM_APT] = {"Debian APT-HTTP/1.3 (2.2.{v})", 4, 0},
	[PROGRAM_CURL] = {"curl/7.{v}.0", 74, 0},
	[PROGRAM_WGET] = {"Wget/1.{v}", 21, 0},
	[PROGRAM_GIT] = {"git/2.{v}.2", 30, 30},
	[PROGRAM_JAVA] = {"Java/11.0.{v}", 12, 35},
	[PROGRAM_PYTHON] = {"python-requests/2.{v}.0", 26, 0},
	[PROGRAM_OS_UPDATE] = {"Windows-Update-Agent/10.0.10011.{v} Client-Protocol/2.50", 163, 28},
	[PROGRAM_CAPTIVE] = {"Microsoft NCSI", 0, 0},
	[PROGRAM_GUARD] = {"GuardAgent/6.{v}.{m}", 31, 14},
	[PROGRAM_CHAT] = {"ChatClient/1.{v}", 0, 14},
	[PROGRAM_TILL] = {"TillClient/5.{v}", 2, 30},
	[PROGRAM_PRINTER] = {"PrinterAgent/4.{v} (MFP-3300)", 1, 0},
	[PROGRAM_HANDHELD] = {"HandheldOS/9.{v}", 3, 0},
};

const char *program_agent(const struct company *c, const struct member *m, enum program p, uint32_t day, char out[200])
{
	uint32_t every = RELEASES[p].every;
	uint32_t offset = (uint32_t)(chance_mix(c->seed, 900 + p) % 60);
	uint32_t release = every ? (day + 60 + offset - m->lag) / every - offset / every : 0;
	size_t n = 0;

	for (const char *at = RELEASES[p].agent; *at && n < 190; at++) {
		if (*at != '{') {
			out[n++] = *at;
			continue;
		}
		n += (size_t)snprintf(out + n, 200 - n, "%u",
				      at[1] == 'v' ? RELEASES[p].base + release
						   : 1000 + (unsigned)(chance_mix(p, release) % 4000));
		at += 2;
	}
	out[n] = 0;
	return out;
}
