// SPDX-License-Identifier: GPL-2.0-or-later
// All stations of the far side in a folder of their own, and one attack that needs no learned days.
#pragma once
#include "reason_state.h"
#include "text.h"

#define NOW 1700000000000000000ull
#define DAY (86400 * NS_PER_S)

static unsigned orders; // cuts and blocks

static void take_order(void *user, unsigned worker, const struct verdict *v)
{
	orders += v->kind == VERDICT_CUT || v->kind == VERDICT_BLOCK;
}

static void open_reason(uint64_t now_ns)
{
	struct reason_config c = {.state = state, .policies = policies, .mode = MODE_ENFORCE, .devices = 256, .values = 1 << 14,
				  .key = {1, 2}, .filter_key = {3, 4}, .sheet = sheet, .hold = true, .counters = &counters,
				  .hooks = {.verdict = take_order}};
	char error[512];

	reason = reason_create(&c, error);
	ck_assert_msg(reason != NULL, "%s", error);
	reason_resume(reason, now_ns);
	orders = 0;
}

static void setup(void)
{
	state_begin("/tmp/sekimori-small-XXXXXX");
	open_reason(NOW);
}

// A reference to Java code from a directory outside (203.0.113.`last`): certain.
static void java_reference(unsigned last, uint64_t time_ns)
{
	struct observation o;

	observation_init(&o, OBS_LDAP);
	o.client = address_v4((const uint8_t[4]){192, 0, 2, 10});
	o.server = address_v4((const uint8_t[4]){203, 0, 113, (uint8_t)last});
	o.client_port = 40000;
	o.server_port = 1389;
	o.transport = 6;
	o.direction = DIRECTION_OUT;
	o.flow = time_ns + last;
	o.time_ns = time_ns;
	o.sequence = 1;
	o.app = APP_LDAP;
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	observation_put(&o, TEXT_LDAP_CODEBASE, bytes_of_text("http://203.0.113.9:8000/"));
	o.facts = FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
	reason_observe(reason, &o);
}

// Five ordinary days before NOW, so that there are counts to judge by.
static inline void ordinary_days(void)
{
	for (unsigned day = 6; day > 1; day--) {
		struct observation o;

		observation_init(&o, OBS_FLOW_OPEN);
		o.client = address_v4((const uint8_t[4]){192, 0, 2, 10});
		o.server = address_v4((const uint8_t[4]){198, 51, 100, (uint8_t)day});
		o.client_port = 40000;
		o.server_port = 443;
		o.transport = 6;
		o.direction = DIRECTION_OUT;
		o.time_ns = NOW - day * DAY;
		o.flow = day;
		o.sequence = 1;
		o.from_client = 1;
		reason_observe(reason, &o);
	}
	for (unsigned step = 0; step < 3000; step++) // learning is bounded work a call
		reason_step(reason, NOW - DAY / 2 + step);
}

// The first alert of a policy by name, or of any.
struct wanted {
	const char *policy;
	struct alert alert;
	unsigned count, told; // told: not suppressed
};

static bool take_wanted(void *user, const struct alert *a)
{
	struct wanted *w = user;

	if (w->policy && strcmp(w->policy, a->policy) != 0)
		return true;
	if (w->count++ == 0)
		w->alert = *a;
	w->told += !a->suppressed;
	return true;
}

static inline struct wanted find_alerts(const char *policy, uint64_t since_ns)
{
	struct wanted w = {.policy = policy};
	struct journal_query q = {.since_ns = since_ns};

	ck_assert_int_ge(journal_alerts(reason_journal(reason), &q, take_wanted, &w), 0);
	return w;
}
