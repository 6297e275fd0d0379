// SPDX-License-Identifier: GPL-2.0-or-later
// Ordinary traffic: who does what how often and when (one flat table), told a day at a time.
#pragma once
#include "organisation.h"

#define DAY_NS (86400ull * SEC)

// One piece of work: what a job's function is given.
struct work {
	struct stage *stage;
	struct organisation *organisation;
	struct device *device;
	struct chance *chance;
	uint64_t when_ns;
	uint64_t day;
};

// All of a day's work that begins in [from_ns, to_ns). `start_ns` is midnight of day 0, which gives the weekday.
// Flushes the trace as it goes, so nothing earlier may be added afterwards.
void ordinary_day(struct stage *s, struct organisation *o, uint64_t start_ns, uint64_t day, uint64_t from_ns,
		  uint64_t to_ns);

// Jobs of servers and their visitors
void job_visit_http(struct work *w);
void job_visit_https(struct work *w);
void job_scan(struct work *w);
void job_update(struct work *w);
void job_time(struct work *w);
void job_time_inside(struct work *w);
void job_neighbour(struct work *w);
void job_ldap(struct work *w);
void job_kerberos(struct work *w);
void job_monitor(struct work *w);
void job_rest(struct work *w);
void job_mail_in(struct work *w);
void job_mail_out(struct work *w);
void job_partner(struct work *w);
void job_backup(struct work *w);
void job_printer(struct work *w);
void job_camera(struct work *w);

// Jobs of workstations
void job_browse(struct work *w);
void job_browse_rare(struct work *w);
void job_mailbox(struct work *w);
void job_files(struct work *w);
void job_os_update(struct work *w);
void job_captive(struct work *w);
void job_download(struct work *w);
void job_curl(struct work *w);
void job_git(struct work *w);
void job_develop(struct work *w);
