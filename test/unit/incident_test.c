// SPDX-License-Identifier: GPL-2.0-or-later
// lib/incident: what belongs together, what does not, and that hostile numbers of endpoints stay bounded.
#include "alert_draft.h"
#include "incident.h"

#include <errno.h>

static struct incident *add(struct incident_table *t, struct alert *a, uint64_t *merged)
{
	static uint64_t ignored;

	return incident_add(t, a, merged ? merged : &ignored);
}

START_TEST(alerts_of_one_device_or_one_endpoint_are_one_incident)
{
	struct incident_table *t = incident_table_create(5);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);
	struct alert b = alert_draft("p/b", "192.0.2.10", "203.0.113.2", T0 + MINUTE_NS);
	struct alert c = alert_draft("p/c", "192.0.2.11", "203.0.113.2", T0 + 2 * MINUTE_NS);
	struct alert d = alert_draft("p/d", "192.0.2.99", "203.0.113.99", T0);
	struct incident *i;

	ck_assert_uint_eq(add(t, &a, NULL)->id, 5);
	ck_assert_uint_eq(add(t, &b, NULL)->id, 5);
	i = add(t, &c, NULL);
	ck_assert_uint_eq(i->id, 5);
	ck_assert_uint_eq(i->alerts, 3);
	ck_assert_uint_eq(i->devices, 2);
	ck_assert_uint_eq(i->endpoints, 2);
	ck_assert(i->first_ns == T0 && i->last_ns == T0 + 2 * MINUTE_NS);
	ck_assert_uint_eq(add(t, &d, NULL)->id, 6);
	ck_assert_uint_eq(d.incident, 6);
	incident_table_destroy(t);
}
END_TEST

START_TEST(an_alert_that_links_two_incidents_makes_the_older_one_survive)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);
	struct alert b = alert_draft("p/b", "192.0.2.11", "203.0.113.2", T0 - HOUR_NS);
	struct alert link = alert_draft("p/c", "192.0.2.11", "203.0.113.1", T0 + MINUTE_NS);
	struct incident *i;
	uint64_t merged = 9;

	b.priority = 5;
	b.phase = PHASE_DELIVERY;
	b.bits = 50;
	add(t, &a, &merged);
	add(t, &b, &merged);
	ck_assert_uint_eq(merged, 0);
	i = add(t, &link, &merged);
	ck_assert_uint_eq(i->id, 1);
	ck_assert_uint_eq(merged, 2);
	ck_assert_uint_eq(i->alerts, 3);
	ck_assert_uint_eq(i->devices, 2);
	ck_assert_uint_eq(i->priority, 5);
	ck_assert(i->first_ns == T0 - HOUR_NS && i->phases == (1u << PHASE_CALLBACK | 1u << PHASE_DELIVERY));
	ck_assert_double_eq(i->score, 28 + 2 + 2); // two phases
	ck_assert_uint_eq(incident_find(t, 2)->merged_into, 1);
	ck_assert_uint_eq(incident_find(t, 2)->state, 1);
	ck_assert_uint_eq(incident_changed(t)->id, 2);
	ck_assert_ptr_null(incident_changed(t));
	incident_table_destroy(t);
}
END_TEST

START_TEST(a_note_joins_but_never_opens_widens_or_merges)
{
	struct incident_table *t = incident_table_create(1);
	struct alert note = alert_draft("jndi/attempt", "192.0.2.10", "203.0.113.1", T0);
	struct alert a = alert_draft("p/a", "192.0.2.20", "203.0.113.1", T0 + MINUTE_NS);
	struct alert b = alert_draft("p/b", "192.0.2.10", "203.0.113.3", T0 + MINUTE_NS);
	uint64_t merged = 0;

	note.priority = 1;
	ck_assert_ptr_null(add(t, &note, NULL));
	ck_assert_uint_eq(note.incident, 0);
	ck_assert_uint_eq(add(t, &a, NULL)->id, 1);
	note.time_ns = T0 + 2 * MINUTE_NS;
	ck_assert_uint_eq(add(t, &note, NULL)->id, 1);
	ck_assert_uint_eq(incident_find(t, 1)->devices, 1);
	ck_assert_uint_eq(add(t, &b, NULL)->id, 2); // the scanned device is not the attacked one's story
	note.time_ns = T0 + 3 * MINUTE_NS;
	ck_assert_uint_eq(add(t, &note, &merged)->id, 1);
	ck_assert_uint_eq(merged, 0);
	incident_table_destroy(t);
}
END_TEST

START_TEST(an_attempt_seen_before_belongs_to_the_incident_that_follows_it)
{
	struct incident_table *t = incident_table_create(1);
	struct alert note = alert_draft("jndi/attempt", "192.0.2.10", "203.0.113.1", T0), other = note;
	struct alert a = alert_draft("conn/callback-web-facing", "192.0.2.10", "203.0.113.1", T0 + 6 * SECOND_NS);
	const uint64_t *ids;
	struct incident *i;

	note.priority = other.priority = 1;
	note.phase = other.phase = PHASE_ENTRY;
	note.direction = other.direction = DIRECTION_IN;
	note.id = 41;
	other.id = 42;
	other.device = at("192.0.2.77");
	add(t, &note, NULL);
	add(t, &other, NULL);
	a.id = 43;
	i = add(t, &a, NULL);
	ck_assert_uint_eq(i->alerts, 2);
	ck_assert_uint_eq(incident_claimed(t, &ids), 1);
	ck_assert_uint_eq(ids[0], 41);
	ck_assert_uint_eq(i->phases, 1u << PHASE_ENTRY | 1u << PHASE_CALLBACK);
	ck_assert(i->first_ns == T0);
	a.id = 44;
	ck_assert_uint_eq(add(t, &a, NULL)->alerts, 3);
	ck_assert_uint_eq(incident_claimed(t, &ids), 0);
	incident_table_destroy(t);
}
END_TEST

// alert_draft: callback, one phase.
START_TEST(the_score_is_the_most_evidence_there_was_and_what_makes_an_attack_likelier)
{
	struct incident_table *t = incident_table_create(1), *again = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);
	struct incident saved;

	a.bits = 39;
	a.proof.evidence.level[0] = 7 * EVIDENCE_BIT;
	a.proof.evidence.level[1] = 20 * EVIDENCE_BIT;
	ck_assert_double_eq(add(t, &a, NULL)->score, 20 + 2); // the higher of the two levels, not how odd the event was
	a.proof.evidence.level[1] = 5 * EVIDENCE_BIT;
	ck_assert_double_eq(add(t, &a, NULL)->score, 20 + 2); // the most there was
	a.phase = PHASE_CONTROL;
	ck_assert_double_eq(add(t, &a, NULL)->score, 20 + 4);
	ck_assert_double_eq(add(t, &a, NULL)->score, 20 + 4); // a phase counts once
	a.exposed = 1;
	ck_assert_double_eq(add(t, &a, NULL)->score, 20 + 4 + 4);
	a.certain = 1;
	saved = *add(t, &a, NULL);
	ck_assert_double_eq(saved.score, 20 + 4 + 4 + 20);
	ck_assert_int_eq(incident_restore(again, &saved), 0);
	ck_assert_int_eq(incident_restore(again, &saved), -EEXIST);
	a.exposed = a.certain = 0;
	a.phase = PHASE_DELIVERY;
	a.proof.evidence.level[0] = 1000ll * EVIDENCE_BIT;
	ck_assert_double_eq(add(again, &a, NULL)->score, 33 + 6 + 4 + 20); // still exposed and certain after a restart
	incident_table_destroy(t);
	incident_table_destroy(again);
}
END_TEST

START_TEST(without_evidence_the_best_alert_by_itself_is_the_score)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);

	a.bits = 25;
	ck_assert_double_eq(add(t, &a, NULL)->score, 24.25 + 2); // beyond 24 a quarter
	a.bits = 12;
	ck_assert_double_eq(add(t, &a, NULL)->score, 24.25 + 2);
	a.bits = 300;
	ck_assert_double_eq(add(t, &a, NULL)->score, 28 + 2);
	incident_table_destroy(t);
}
END_TEST

START_TEST(an_incident_closes_after_a_quiet_day_or_by_a_person)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);

	add(t, &a, NULL);
	a.time_ns += 24 * HOUR_NS; // just in time
	ck_assert_uint_eq(add(t, &a, NULL)->id, 1);
	incident_step(t, a.time_ns + 24 * HOUR_NS);
	ck_assert_uint_eq(incident_find(t, 1)->state, 0);
	incident_step(t, a.time_ns + 24 * HOUR_NS + 1);
	ck_assert_uint_eq(incident_find(t, 1)->state, 1);
	ck_assert_uint_eq(incident_changed(t)->id, 1);
	a.time_ns += 25 * HOUR_NS;
	ck_assert_uint_eq(add(t, &a, NULL)->id, 2);
	ck_assert_int_eq(incident_close(t, 2), 0);
	ck_assert_int_eq(incident_close(t, 2), -ENOENT);
	ck_assert_uint_eq(incident_find(t, 2)->state, 2);
	ck_assert_uint_eq(add(t, &a, NULL)->id, 3);
	a.time_ns += 30 * HOUR_NS; // quiet, though nobody has stepped
	ck_assert_uint_eq(add(t, &a, NULL)->id, 4);
	ck_assert_uint_eq(incident_find(t, 3)->state, 1);
	incident_table_destroy(t);
}
END_TEST

START_TEST(lateral_movement_links_both_devices_but_special_addresses_link_nothing)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "192.0.2.11", T0);
	struct alert b = alert_draft("p/b", "192.0.2.11", "203.0.113.1", T0 + 1);
	struct alert c = alert_draft("p/c", "192.0.2.50", "255.255.255.255", T0 + 2);
	struct alert d = alert_draft("p/d", "192.0.2.51", "255.255.255.255", T0 + 3);

	a.direction = DIRECTION_LATERAL;
	add(t, &a, NULL);
	ck_assert_uint_eq(add(t, &b, NULL)->id, 1);
	ck_assert_uint_eq(incident_find(t, 1)->devices, 2);
	ck_assert_uint_eq(add(t, &c, NULL)->id, 2);
	ck_assert_uint_eq(add(t, &d, NULL)->id, 3);
	c = alert_draft("dns/taint-callback", "192.0.2.60", "203.0.113.53", T0 + 4);
	d = alert_draft("dns/taint-callback", "192.0.2.61", "203.0.113.53", T0 + 5);
	c.app = d.app = APP_DNS; // nor does a resolver
	ck_assert_uint_eq(add(t, &c, NULL)->id, 4);
	ck_assert_uint_eq(add(t, &d, NULL)->id, 5);
	incident_table_destroy(t);
}
END_TEST

START_TEST(sets_and_the_table_stay_bounded_and_lose_the_oldest)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.0", T0);
	struct incident *i = NULL;

	for (unsigned n = 0; n < INCIDENT_ENDPOINTS + 5; n++) {
		a.endpoint.b[3] = (uint8_t)n;
		i = add(t, &a, NULL);
	}
	ck_assert_uint_eq(i->endpoints, INCIDENT_ENDPOINTS);
	ck_assert_uint_eq(i->endpoint[INCIDENT_ENDPOINTS - 1].b[3], INCIDENT_ENDPOINTS + 4);
	ck_assert_uint_eq(i->endpoint[0].b[3], 5);
	for (uint64_t n = 1; n <= INCIDENT_OPEN + 10; n++) {
		a = alert_draft("p/a", "198.18.0.0", "198.51.100.0", T0 + n);
		a.device.b[2] = a.endpoint.b[2] = (uint8_t)(n >> 8);
		a.device.b[3] = a.endpoint.b[3] = (uint8_t)n;
		ck_assert_ptr_nonnull(add(t, &a, NULL));
	}
	ck_assert_ptr_null(incident_find(t, 1)); // made room
	ck_assert_ptr_nonnull(incident_find(t, INCIDENT_OPEN + 11));
	incident_table_destroy(t);
}
END_TEST

static void add_stranger(struct incident_table *t, unsigned n, uint64_t time_ns)
{
	char device[20], endpoint[20];
	struct alert a;

	snprintf(device, sizeof(device), "10.1.%u.%u", n >> 8, n & 255);
	snprintf(endpoint, sizeof(endpoint), "203.0.%u.%u", n >> 8, n & 255);
	a = alert_draft("p/a", device, endpoint, time_ns);
	ck_assert_uint_eq(add(t, &a, NULL)->id, n + 1);
}

START_TEST(what_a_full_table_forgets_is_told_as_closed)
{
	struct incident_table *t = incident_table_create(1);
	const struct incident *i;

	for (unsigned n = 0; n < INCIDENT_OPEN; n++)
		add_stranger(t, n, T0 + n);
	ck_assert_ptr_null(incident_changed(t));
	add_stranger(t, INCIDENT_OPEN, T0 + INCIDENT_OPEN); // an open one has to go
	i = incident_changed(t);
	ck_assert_ptr_nonnull(i);
	ck_assert(i->id == 1 && i->state == 1);
	ck_assert_ptr_null(incident_changed(t));
	add_stranger(t, INCIDENT_OPEN + 1, T0 + 2 * INCIDENT_WINDOW_NS); // all are quiet, and one of them goes at once
	for (unsigned n = 0; n < INCIDENT_OPEN; n++) {
		i = incident_changed(t);
		ck_assert_ptr_nonnull(i);
		ck_assert_uint_eq(i->state, 1);
	}
	ck_assert_ptr_null(incident_changed(t));
	incident_table_destroy(t);
}
END_TEST

START_TEST(a_saved_incident_of_another_version_is_refused)
{
	struct incident_table *t = incident_table_create(1);
	struct alert a = alert_draft("p/a", "192.0.2.10", "203.0.113.1", T0);
	struct incident i = {.version = ALERT_VERSION + 1, .bytes = sizeof(i), .id = 7, .first_ns = T0, .last_ns = T0};

	ck_assert_int_eq(incident_restore(t, &i), -EINVAL);
	i.version = ALERT_VERSION;
	i.devices = INCIDENT_DEVICES + 1;
	ck_assert_int_eq(incident_restore(t, &i), -EINVAL);
	i.devices = 1;
	i.device[0] = a.device;
	ck_assert_int_eq(incident_restore(t, &i), 0);
	ck_assert_uint_eq(add(t, &a, NULL)->id, 7);
	a = alert_draft("p/a", "192.0.2.99", "203.0.113.99", T0);
	ck_assert_uint_eq(add(t, &a, NULL)->id, 8);
	incident_table_destroy(t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		alerts_of_one_device_or_one_endpoint_are_one_incident,
		an_alert_that_links_two_incidents_makes_the_older_one_survive,
		a_note_joins_but_never_opens_widens_or_merges,
		an_attempt_seen_before_belongs_to_the_incident_that_follows_it,
		the_score_is_the_most_evidence_there_was_and_what_makes_an_attack_likelier,
		without_evidence_the_best_alert_by_itself_is_the_score,
		an_incident_closes_after_a_quiet_day_or_by_a_person,
		lateral_movement_links_both_devices_but_special_addresses_link_nothing,
		sets_and_the_table_stay_bounded_and_lose_the_oldest,
		what_a_full_table_forgets_is_told_as_closed,
		a_saved_incident_of_another_version_is_refused,
	};

	RUN("incident", tests);
}
