// SPDX-License-Identifier: GPL-2.0-or-later
// The company's life as one flat table, and a day of it in the order of time.
#include "company.h"
#include "log.h"

#include <stdlib.h>

enum rhythm {
	OFFICE,
	SHOP,
	PUBLIC,
	ALWAYS,
	NIGHT,
	MORNING,
	TIMER /* evenly, at the device's own phase */,
	WORKING_TIMER /* the same from 8 to 18 */
};

// Weight of each hour of a day.
static const uint8_t HOURS[][24] = {
	[OFFICE] = {0, 0, 0, 0, 0, 0, 0, 1, 4, 12, 12, 11, 6, 9, 11, 11, 10, 8, 4, 2, 1, 0, 0, 0},
	[SHOP] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 6, 8, 8, 7, 7, 8, 9, 10, 8, 4, 0, 0, 0},
	[PUBLIC] = {3, 2, 2, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 8, 8, 8, 8, 8, 9, 10, 10, 8, 5},
	[ALWAYS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	[NIGHT] = {0, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	[MORNING] = {0, 0, 0, 0, 0, 0, 0, 2, 5, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};

#define EXPOSED (PART_BIT(PART_WEB) | PART_BIT(PART_GATEWAY))
#define SERVERS                                                                                                        \
	(EXPOSED | PART_BIT(PART_MAIL) | PART_BIT(PART_DIRECTORY) | PART_BIT(PART_APPLICATION) | PART_BIT(PART_BUILD))
#define DESKS (PART_BIT(PART_OFFICE) | PART_BIT(PART_DEVELOPER))

static const struct {
	uint32_t parts;
	enum rhythm rhythm;
	uint16_t a_day_x10;      // times a day, in tenths, for one device
	uint8_t weekend_percent; // of that on Saturday and Sunday
	void (*run)(struct duty *d);
} DUTIES[] = {
	{DESKS, OFFICE, 240, 5, duty_browse},
	{DESKS, OFFICE, 50, 5, duty_mailbox},
	{PART_BIT(PART_OFFICE), OFFICE, 5, 3, duty_meeting},
	{DESKS, OFFICE, 30, 5, duty_files},
	{PART_BIT(PART_OFFICE), OFFICE, 6, 2, duty_print},
	{DESKS, OFFICE, 20, 8, duty_kerberos},
	{DESKS, OFFICE, 20, 8, duty_ldap},
	{DESKS, OFFICE, 20, 8, duty_time},
	{DESKS, OFFICE, 8, 8, duty_os_update},
	{DESKS, OFFICE, 10, 8, duty_captive},
	{DESKS, OFFICE, 20, 8, duty_certificates},
	{DESKS, WORKING_TIMER, 80, 10, duty_guard},
	{DESKS, OFFICE, 4, 3, duty_download},
	{DESKS, MORNING, 10, 8, duty_lease},
	{PART_BIT(PART_OFFICE), OFFICE, 40, 5, duty_chat},
	{PART_BIT(PART_DEVELOPER), OFFICE, 40, 8, duty_curl},
	{PART_BIT(PART_DEVELOPER), OFFICE, 40, 8, duty_git},
	{PART_BIT(PART_DEVELOPER), OFFICE, 40, 8, duty_registry},
	{PART_BIT(PART_DEVELOPER), OFFICE, 15, 8, duty_ssh},
	{PART_BIT(PART_DEVELOPER), OFFICE, 40, 8, duty_telemetry},
	{PART_BIT(PART_TILL), SHOP, 200, 130, duty_payment},
	{PART_BIT(PART_TILL), SHOP, 60, 130, duty_rest},
	{PART_BIT(PART_TILL) | PART_BIT(PART_CAMERA) | PART_BIT(PART_PRINTER), TIMER, 60, 100, duty_time},
	{PART_BIT(PART_TILL), SHOP, 4, 100, duty_os_update},
	{PART_BIT(PART_PRINTER), ALWAYS, 20, 30, duty_printer},
	{PART_BIT(PART_CAMERA), TIMER, 240, 100, duty_camera},
	{PART_BIT(PART_WAREHOUSE), SHOP, 300, 60, duty_handheld},
	{PART_BIT(PART_WAREHOUSE), SHOP, 20, 60, duty_handheld_update},
	{PART_BIT(PART_WAREHOUSE), SHOP, 60, 60, duty_rest},
	{PART_BIT(PART_WAREHOUSE), TIMER, 60, 100, duty_time},
	{SERVERS, TIMER, 240, 100, duty_time_outside},
	{SERVERS, ALWAYS, 20, 100, duty_update},
	{SERVERS, TIMER, 240, 100, duty_watch},
	{SERVERS, NIGHT, 10, 100, duty_backup},
	{SERVERS, OFFICE, 1, 20, duty_admin},
	{EXPOSED | PART_BIT(PART_MAIL), ALWAYS, 100, 100, duty_ldap},
	{EXPOSED, ALWAYS, 60, 100, duty_kerberos},
	{EXPOSED, PUBLIC, 120, 80, duty_rest},
	{EXPOSED, PUBLIC, 200, 60, duty_visit_http},
	{EXPOSED, PUBLIC, 260, 60, duty_visit_https},
	{EXPOSED | PART_BIT(PART_MAIL), ALWAYS, 140, 100, duty_scan},
	{PART_BIT(PART_GATEWAY), PUBLIC, 80, 40, duty_webhook},
	{PART_BIT(PART_GATEWAY), ALWAYS, 80, 100, duty_feed},
	{PART_BIT(PART_MAIL), PUBLIC, 300, 40, duty_mail_in},
	{PART_BIT(PART_MAIL), OFFICE, 250, 15, duty_mail_out},
	{PART_BIT(PART_APPLICATION), OFFICE, 80, 30, duty_partner},
	{PART_BIT(PART_BUILD), OFFICE, 500, 20, duty_build},
	{PART_BIT(PART_RESOLVER), TIMER, 480, 100, duty_time_outside},
	{PART_BIT(PART_RESOLVER), ALWAYS, 20, 100, duty_update},
	{PART_BIT(PART_MONITOR), TIMER, 14400, 100, duty_ping},
	{PART_BIT(PART_MONITOR) | PART_BIT(PART_BACKUP), ALWAYS, 20, 100, duty_update},
	{PART_BIT(PART_BACKUP), NIGHT, 10, 100, duty_vault},
	{EXPOSED, PUBLIC, 60, 60, duty_upload},
	{EXPOSED, PUBLIC, 60, 60, duty_own_service},
};
enum { DUTIES_COUNT = sizeof(DUTIES) / sizeof(*DUTIES), DAYS_OFF = 52 /* whose chance is no duty's of those who have them */ };

struct duty_entry {
	uint64_t when_ns;
	uint16_t member, duty;
	uint32_t number;
};

static void add(struct duties *a, struct duty_entry e)
{
	if (a->count == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 8192;
		a->entry = realloc(a->entry, a->cap * sizeof(*a->entry));
		if (!a->entry)
			log_fatal("out of memory");
	}
	a->entry[a->count++] = e;
}

// The n-th of `times` beats of a timer, with the second or two a scheduler takes.
static uint64_t beat(const struct member *m, struct chance *c, enum rhythm rhythm, uint32_t n, uint32_t times)
{
	uint64_t from_s = rhythm == WORKING_TIMER ? 8 * 3600 : 0, span_s = rhythm == WORKING_TIMER ? 10 * 3600 : 86400;
	uint64_t every_ms = span_s * 1000 / times;

	uint64_t at = from_s * SEC + (m->phase_s * 1000ull % every_ms + n * every_ms) * MS;
	uint64_t late = chance_between(c, 0, 2 * SEC < every_ms * MS / 4 ? 2 * SEC : every_ms * MS / 4);

	return at + late < DAY_LENGTH_NS ? at + late : DAY_LENGTH_NS - 1;
}

static void plan_one(struct duties *a, const struct company *c, uint64_t midnight, uint32_t day, uint32_t member,
		     uint32_t duty)
{
	const struct member *m = &c->member[member];
	struct chance chance = chance_of(c->seed, 1000 + day, member, duty);
	uint64_t weekday = (midnight / DAY_LENGTH_NS + 4) % 7; // 1 January 1970 was a Thursday; 0 is Sunday
	uint32_t percent = weekday == 0 || weekday == 6 ? DUTIES[duty].weekend_percent : 100;
	uint32_t tenths = DUTIES[duty].a_day_x10 * percent / 100, spread = tenths / 4, times;
	enum rhythm rhythm = DUTIES[duty].rhythm;
	bool timer = rhythm == TIMER || rhythm == WORKING_TIMER;

	// A person is off for whole days: on Saturday and Sunday most are, else one of twenty.
	if (DESKS & PART_BIT(m->part)) {
		struct chance off = chance_of(c->seed, 1000 + day, member, DAYS_OFF);

		if (!chance_percent(&off, percent < 50 ? 12 : 95))
			return;
		tenths = DUTIES[duty].a_day_x10 * (percent < 50 ? 40u : 100u) / 100;
		spread = tenths / 4;
	}
	if (!timer && spread)
		tenths = tenths - spread + chance_below(&chance, 2 * spread);
	times = tenths / 10 + (chance_below(&chance, 10) < tenths % 10);
	for (uint32_t n = 0; n < times; n++)
		add(a, (struct duty_entry){midnight + (timer ? beat(m, &chance, rhythm, n, times)
							     : chance_of_day(&chance, HOURS[rhythm], 3600 * SEC)),
					   (uint16_t)member, (uint16_t)duty, n});
}

static int entry_order(const void *left, const void *right)
{
	const struct duty_entry *a = left, *b = right;

	if (a->when_ns != b->when_ns)
		return a->when_ns < b->when_ns ? -1 : 1;
	if (a->member != b->member)
		return a->member < b->member ? -1 : 1;
	return a->duty != b->duty ? (a->duty < b->duty ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

void duties_plan(struct duties *a, struct company *c, uint32_t day)
{
	uint64_t midnight = c->start_ns + day * DAY_LENGTH_NS;

	company_morning(c, day);
	a->count = a->next = 0;
	for (uint32_t member = 0; member < c->members; member++)
		for (uint32_t duty = 0; duty < DUTIES_COUNT; duty++)
			if (DUTIES[duty].parts & PART_BIT(c->member[member].part) && day >= c->member[member].from_day)
				plan_one(a, c, midnight, day, member, duty);
	qsort(a->entry, a->count, sizeof(*a->entry), entry_order);
}

uint64_t duties_next_ns(const struct duties *a)
{
	return a->next < a->count ? a->entry[a->next].when_ns : UINT64_MAX;
}

void duties_run(struct duties *a, struct stage *s, struct company *c, uint32_t day)
{
	const struct duty_entry *e = &a->entry[a->next++];
	struct chance chance = chance_of(c->seed, e->when_ns, e->member, e->duty);
	struct duty d = {s, c, &c->member[e->member], &chance, e->when_ns, day};

	DUTIES[e->duty].run(&d);
}

void duties_free(struct duties *a)
{
	free(a->entry);
	*a = (struct duties){0};
}
