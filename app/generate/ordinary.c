// SPDX-License-Identifier: GPL-2.0-or-later
// See ordinary.h. The table is the organisation's life; the rest puts a day of it into the order of time.
#include "ordinary.h"
#include "log.h"

#include <stdlib.h>

enum rhythm { OFFICE, PUBLIC, ALWAYS, NIGHT };

// Weight of each hour of a day.
static const uint8_t HOURS[][24] = {
	[OFFICE] = {0, 0, 0, 0, 0, 0, 0, 1, 4, 12, 12, 11, 6, 9, 11, 11, 10, 8, 4, 2, 1, 0, 0, 0},
	[PUBLIC] = {3, 2, 2, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 8, 8, 8, 8, 8, 9, 10, 10, 8, 5},
	[ALWAYS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	[NIGHT] = {0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};

enum only { ANY, JAVA_SERVERS, DEVELOPERS };

struct job {
	enum role role;
	enum only only;
	enum rhythm rhythm;
	uint16_t a_day_x10;      // times a day, in tenths, for one device
	uint8_t weekend_percent; // of that on Saturday and Sunday
	void (*run)(struct work *w);
};

static const struct job JOBS[] = {
	{ROLE_WEB, ANY, PUBLIC, 420, 60, job_visit_http},
	{ROLE_WEB, ANY, PUBLIC, 520, 60, job_visit_https},
	{ROLE_WEB, ANY, ALWAYS, 160, 100, job_scan},
	{ROLE_WEB, ANY, ALWAYS, 30, 100, job_update},
	{ROLE_WEB, ANY, ALWAYS, 240, 100, job_time},
	{ROLE_WEB, ANY, ALWAYS, 60, 100, job_neighbour},
	{ROLE_WEB, ANY, ALWAYS, 240, 100, job_ldap},
	{ROLE_WEB, ANY, ALWAYS, 120, 100, job_kerberos},
	{ROLE_WEB, JAVA_SERVERS, ALWAYS, 480, 100, job_rest},
	{ROLE_MAIL, ANY, PUBLIC, 300, 40, job_mail_in},
	{ROLE_MAIL, ANY, OFFICE, 250, 15, job_mail_out},
	{ROLE_MAIL, ANY, ALWAYS, 20, 100, job_update},
	{ROLE_MAIL, ANY, ALWAYS, 240, 100, job_time},
	{ROLE_MAIL, ANY, ALWAYS, 240, 100, job_ldap},
	{ROLE_MAIL, ANY, ALWAYS, 60, 100, job_neighbour},
	{ROLE_DIRECTORY, ANY, ALWAYS, 20, 100, job_update},
	{ROLE_DIRECTORY, ANY, ALWAYS, 240, 100, job_time},
	{ROLE_API, ANY, ALWAYS, 20, 100, job_update},
	{ROLE_API, ANY, ALWAYS, 240, 100, job_time},
	{ROLE_API, ANY, OFFICE, 160, 30, job_partner},
	{ROLE_API, ANY, ALWAYS, 1440, 100, job_monitor},
	{ROLE_BACKUP, ANY, NIGHT, 10, 100, job_backup},
	{ROLE_BACKUP, ANY, ALWAYS, 240, 100, job_time},
	{ROLE_RESOLVER, ANY, ALWAYS, 480, 100, job_time},
	{ROLE_RESOLVER, ANY, ALWAYS, 20, 100, job_update},
	{ROLE_PRINTER, ANY, ALWAYS, 20, 20, job_printer},
	{ROLE_PRINTER, ANY, ALWAYS, 120, 100, job_time_inside},
	{ROLE_CAMERA, ANY, ALWAYS, 240, 100, job_camera},
	{ROLE_CAMERA, ANY, ALWAYS, 120, 100, job_time_inside},
	{ROLE_WORKSTATION, ANY, OFFICE, 140, 6, job_browse},
	{ROLE_WORKSTATION, ANY, OFFICE, 12, 6, job_browse_rare},
	{ROLE_WORKSTATION, ANY, OFFICE, 60, 6, job_mailbox},
	{ROLE_WORKSTATION, ANY, OFFICE, 40, 6, job_files},
	{ROLE_WORKSTATION, ANY, OFFICE, 20, 10, job_kerberos},
	{ROLE_WORKSTATION, ANY, OFFICE, 20, 10, job_ldap},
	{ROLE_WORKSTATION, ANY, OFFICE, 40, 10, job_time_inside},
	{ROLE_WORKSTATION, ANY, OFFICE, 40, 10, job_neighbour},
	{ROLE_WORKSTATION, ANY, OFFICE, 8, 10, job_os_update},
	{ROLE_WORKSTATION, ANY, OFFICE, 10, 10, job_captive},
	{ROLE_WORKSTATION, ANY, OFFICE, 6, 3, job_download},
	{ROLE_WORKSTATION, DEVELOPERS, OFFICE, 50, 10, job_curl},
	{ROLE_WORKSTATION, DEVELOPERS, OFFICE, 40, 10, job_git},
	{ROLE_WORKSTATION, DEVELOPERS, OFFICE, 50, 10, job_develop},
};
enum { JOBS_COUNT = sizeof(JOBS) / sizeof(*JOBS) };

struct entry {
	uint64_t when_ns;
	uint32_t device, job, number;
};

struct agenda {
	struct entry *entry;
	size_t count, cap;
};

static bool is_for(const struct job *job, const struct device *d)
{
	if (job->role != d->role)
		return false;
	if (job->only == JAVA_SERVERS)
		return d->number >= 2;
	return job->only != DEVELOPERS || d->developer;
}

static void agenda_add(struct agenda *a, struct entry e)
{
	if (a->count == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 4096;
		a->entry = realloc(a->entry, a->cap * sizeof(*a->entry));
		if (!a->entry)
			log_fatal("out of memory");
	}
	a->entry[a->count++] = e;
}

static void plan_job(struct agenda *a, const struct organisation *o, uint64_t midnight, uint64_t day, uint32_t device,
		     uint32_t job)
{
	struct chance c = chance_of(o->seed, 2 + day, device, job);
	uint64_t weekday = (midnight / DAY_NS + 4) % 7; // 1 January 1970 was a Thursday; 0 is Sunday
	bool weekend = weekday == 0 || weekday == 6;
	uint32_t tenths = JOBS[job].a_day_x10 * (weekend ? JOBS[job].weekend_percent : 100u) / 100;
	uint32_t spread = tenths >= 50 ? tenths / 5 : 0; // days differ, except for what timers do
	uint32_t times;

	if (JOBS[job].rhythm != ALWAYS && spread)
		tenths = tenths - spread + chance_below(&c, 2 * spread);
	times = tenths / 10 + (chance_below(&c, 10) < tenths % 10);
	for (uint32_t n = 0; n < times; n++)
		agenda_add(a, (struct entry){midnight + chance_of_day(&c, HOURS[JOBS[job].rhythm], 3600 * SEC), device, job, n});
}

static int entry_order(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->when_ns != b->when_ns)
		return a->when_ns < b->when_ns ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return a->job != b->job ? (a->job < b->job ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

void ordinary_day(struct stage *s, struct organisation *o, uint64_t start_ns, uint64_t day, uint64_t from_ns,
		  uint64_t to_ns)
{
	uint64_t midnight = start_ns + day * DAY_NS;
	struct agenda agenda = {0};

	for (uint32_t device = 0; device < o->devices; device++)
		for (uint32_t job = 0; job < JOBS_COUNT; job++)
			if (is_for(&JOBS[job], &o->device[device]))
				plan_job(&agenda, o, midnight, day, device, job);
	qsort(agenda.entry, agenda.count, sizeof(*agenda.entry), entry_order);
	for (size_t i = 0; i < agenda.count; i++) {
		const struct entry *e = &agenda.entry[i];
		struct chance c = chance_of(o->seed, e->when_ns, e->device, e->job);
		struct work w = {s, o, &o->device[e->device], &c, e->when_ns, day};

		if (e->when_ns < from_ns || e->when_ns >= to_ns)
			continue;
		trace_flush(&s->trace, e->when_ns);
		JOBS[e->job].run(&w);
	}
	free(agenda.entry);
}
