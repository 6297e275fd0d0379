// SPDX-License-Identifier: GPL-2.0-or-later
// Alerts and addresses for tests of the far side, in one line each.
#pragma once
#include "alert.h"

#include <check.h>
#include <stdio.h>

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (3600 * SECOND_NS)
#define T0 (1639151132ull * SECOND_NS) // 2021-12-10 15:45:32 UTC

static inline struct address at(const char *text)
{
	struct address a = {0};

	ck_assert_msg(address_parse(bytes_of_text(text), &a) == 0, "%s", text);
	return a;
}

static inline struct alert alert_draft(const char *policy, const char *device, const char *endpoint, uint64_t time_ns)
{
	struct alert a = {.version = ALERT_VERSION,
			  .bytes = sizeof(a),
			  .time_ns = time_ns,
			  .policy_version = 1,
			  .priority = 3,
			  .direction = DIRECTION_OUT,
			  .transport = 6,
			  .app = APP_HTTP,
			  .from_client = 1,
			  .device_port = 40000,
			  .endpoint_port = 88,
			  .bits = 10,
			  .phase = PHASE_CALLBACK,
			  .flow = 7ull << 32 | 3,
			  .frame = 12};

	snprintf(a.policy, sizeof(a.policy), "%s", policy);
	a.device = at(device);
	a.endpoint = at(endpoint);
	return a;
}

static inline void alert_term(struct alert *a, enum feature f, const char *value, unsigned days, unsigned known,
			      unsigned peers, unsigned peers_total, unsigned org, unsigned org_total, double bits)
{
	struct alert_term *t = &a->term[a->terms++];

	t->feature = (uint8_t)f;
	t->counts = (struct counts){.device_days = days,
				    .device_known = known,
				    .peers = peers,
				    .peers_total = peers_total,
				    .org = org,
				    .org_total = org_total};
	t->bits = bits;
	snprintf(t->value, sizeof(t->value), "%s", value);
}

#define RUN(suite_name, list)                                                                                          \
	do {                                                                                                           \
		Suite *suite = suite_create(suite_name);                                                               \
		TCase *tc = tcase_create(suite_name);                                                                  \
		SRunner *runner = srunner_create(suite);                                                               \
		int failed;                                                                                            \
                                                                                                                       \
		tcase_set_timeout(tc, 60);                                                                             \
		for (size_t n = 0; n < sizeof(list) / sizeof((list)[0]); n++)                                          \
			tcase_add_test(tc, (list)[n]);                                                                 \
		suite_add_tcase(suite, tc);                                                                            \
		srunner_run_all(runner, CK_ENV);                                                                       \
		failed = srunner_ntests_failed(runner);                                                                \
		srunner_free(runner);                                                                                  \
		return failed ? 1 : 0;                                                                                 \
	} while (0)
