// SPDX-License-Identifier: GPL-2.0-or-later
// Facts that need no learning: whom an inbound request names and the device then calls, and what a device says of
// itself. Part of judge_test.c.
#pragma once
#include "judge_test_world.h"

// A request from outside names hosts and addresses (each may be NULL).
static void named(struct address by, struct address to, const char *address, const char *hosts, uint64_t now_ns)
{
	struct observation o = made(OBS_NAMED, DIRECTION_IN, by, to, 443, now_ns);
	struct address a;

	o.app = APP_HTTP;
	observation_put(&o, TEXT_NAMED_FIELD, bytes_of_text("uri"));
	if (address) {
		a = ip(address);
		observation_put(&o, TEXT_NAMED_ADDRESSES, bytes_of(&a, sizeof(a)));
	}
	if (hosts)
		observation_put(&o, TEXT_NAMED_HOSTS, bytes_of_text(hosts));
	observe(&o);
}

static void asked(struct address device, const char *name, uint16_t facts, uint64_t now_ns)
{
	struct observation o = made(OBS_DNS, DIRECTION_OUT, device, ip("198.51.100.53"), 53, now_ns);

	o.transport = 17;
	o.app = APP_DNS;
	o.facts = facts;
	observation_put(&o, TEXT_DNS_NAME, bytes_of_text(name));
	observe(&o);
}

static struct address visitor(void)
{
	return ip("192.0.2.100");
}

START_TEST(an_address_named_in_a_request_and_called_is_an_alert)
{
	named(visitor(), server(0), "203.0.113.77", NULL, TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.78"), 8080, TODAY + 1);
	opened(DIRECTION_OUT, server(1), ip("203.0.113.77"), 8080, TODAY + 1);
	expect_silence();
	opened(DIRECTION_OUT, server(0), ip("203.0.113.77"), 8080, TODAY + 2);
	expect("conn/named-by-outside", 3);
}
END_TEST

START_TEST(a_device_that_is_not_exposed_is_told_lower)
{
	named(visitor(), workstation(2), "203.0.113.77", NULL, TODAY);
	opened(DIRECTION_OUT, workstation(2), ip("203.0.113.77"), 8080, TODAY + 2);
	expect("conn/named-by-outside", 2);
}
END_TEST

START_TEST(a_named_host_is_told_when_it_is_asked_for_and_when_it_is_called)
{
	named(visitor(), server(0), NULL, "first.example.net evil.example.net", TODAY);
	resolved(server(0), "Evil.example.net.", ip("203.0.113.99"), TODAY + 1);
	expect("dns/named-by-outside", 3);
	ck_assert_ptr_null(alert_of("dns/taint-callback"));
	opened(DIRECTION_OUT, server(0), ip("203.0.113.99"), 443, TODAY + 2);
	expect("conn/named-by-outside", 3);
	ck_assert_ptr_null(alert_of("jndi/callback"));
}
END_TEST

START_TEST(a_named_host_that_no_answer_ties_to_its_address_is_told_by_who_calls_it)
{
	struct observation o;

	named(visitor(), server(0), NULL, "evil.example.net other.example.net", TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.99"), 443, TODAY + 1);
	expect_silence();
	o = made(OBS_TLS, DIRECTION_OUT, server(0), ip("203.0.113.99"), 443, TODAY + 2);
	o.app = APP_TLS;
	observation_put(&o, TEXT_TLS_SNI, bytes_of_text("evil.example.net"));
	observe(&o);
	expect("conn/named-by-outside", 3);
	alert_count = 0;
	requested(server(0), ip("203.0.113.98"), 80, "other.example.net", "Debian APT-HTTP/1.3 (2.2.4)", "/", 0,
		  TODAY + 3);
	expect("conn/named-by-outside", 3);
}
END_TEST

START_TEST(who_is_known_is_not_suspect_for_being_named)
{
	named(visitor(), server(0), "198.51.100.13", "deb.example.org www.example.com", TODAY);
	opened(DIRECTION_OUT, server(0), ip("198.51.100.13"), 80, TODAY + 1);
	asked(server(0), "deb.example.org", 0, TODAY + 2);
	asked(server(0), "www.example.com", 0, TODAY + 3); // all workstations know it
	resolved(server(0), "www.example.com", ip("203.0.113.60"), TODAY + 4);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.60"), 80, TODAY + 5);
	expect_silence();
	named(visitor(), server(0), "203.0.113.61", NULL, TODAY);
	opened(DIRECTION_OUT, server(0), ip("203.0.113.61"), 80, TODAY + 601 * NS_PER_S); // too late to be its effect
	expect_silence();
}
END_TEST

// The name is asked for on day after day, and named each time: it must stay news.
START_TEST(patience_does_not_make_a_named_host_known)
{
	for (unsigned day = 0; day < 6; day++) {
		alert_count = 0;
		named(visitor(), server(0), "10.0.0.200", "slow.example.net", TODAY + day * DAY);
		asked(server(0), "slow.example.net", 0, TODAY + day * DAY + 1);
		opened(DIRECTION_LATERAL, server(0), ip("10.0.0.200"), 9200, TODAY + day * DAY + 2);
		ck_assert_msg(alert_of("dns/named-by-outside") != NULL, "day %u", day);
		ck_assert_msg(alert_of("conn/named-inside") != NULL, "day %u", day);
		ordinary_visits(TODAY + day * DAY + HOUR);
	}
}
END_TEST

START_TEST(a_server_that_is_sent_inside_is_an_alert_unless_it_goes_there_anyway)
{
	opened(DIRECTION_LATERAL, server(0), ip("10.0.2.9"), 5432, TODAY - DAY); // its database
	named(visitor(), server(0), "10.0.2.9", NULL, TODAY);
	opened(DIRECTION_LATERAL, server(0), ip("10.0.2.9"), 5432, TODAY + 1);
	opened(DIRECTION_LATERAL, server(0), ip("10.0.2.10"), 5432, TODAY + 1);
	expect_silence();
	named(visitor(), server(0), "10.0.2.10", NULL, TODAY + 2);
	opened(DIRECTION_LATERAL, server(0), ip("10.0.2.10"), 9200, TODAY + 3);
	expect("conn/named-inside", 3);
	ck_assert(!alert_of("conn/named-inside")->wants_cut);
}
END_TEST

START_TEST(a_server_that_is_sent_to_the_cloud_s_secrets_is_cut)
{
	opened(DIRECTION_LATERAL, server(1), ip("169.254.169.254"), 80, TODAY);
	expect_silence();
	named(visitor(), server(0), "169.254.169.254", NULL, TODAY);
	opened(DIRECTION_LATERAL, server(0), ip("169.254.169.254"), 80, TODAY + 1);
	expect("conn/named-inside", 5);
	ck_assert(alert_of("conn/named-inside")->wants_cut && !alert_of("conn/named-inside")->wants_block);
	alert_count = 0; // by a name that leads there
	named(visitor(), server(2), NULL, "rebind.example.net", TODAY + 2);
	resolved(server(2), "rebind.example.net", ip("169.254.169.254"), TODAY + 3);
	opened(DIRECTION_OUT, server(2), ip("169.254.169.254"), 80, TODAY + 4);
	expect("conn/named-inside", 5);
}
END_TEST

// --- What a device says of itself ---

static void certified_in_part(struct address device, unsigned part, const char *names, uint64_t now_ns)
{
	struct observation o = made(OBS_TLS_SERVER, DIRECTION_IN, visitor(), device, 443, now_ns);

	o.app = APP_TLS;
	o.from_client = 0;
	o.number[NUM_TLS_SERVER_PART] = part;
	observation_put(&o, TEXT_TLS_NAMES, bytes_of_text(names));
	observe(&o);
}

static void certified(struct address device, const char *names, uint64_t now_ns)
{
	certified_in_part(device, 0, names, now_ns);
}

static void called_by(struct address device, const char *host, unsigned times, uint64_t now_ns)
{
	struct observation o = made(OBS_HTTP_REQUEST, DIRECTION_IN, visitor(), device, 80, now_ns);

	o.app = APP_HTTP;
	observation_put(&o, TEXT_REQUEST_METHOD, bytes_of_text("GET"));
	observation_put(&o, TEXT_REQUEST_URI, bytes_of_text("/"));
	observation_put(&o, TEXT_REQUEST_HOST, bytes_of_text(host));
	while (times--)
		observe(&o);
}

static const struct {
	const char *host, *uri;
	bool told;
} sayings[] = {
	// of 10.0.1.1, called web01.example.com
	{"203.0.113.9", "/?h=web01", true},
	{"203.0.113.9", "/?h=WEB01.example.com", true},
	{"203.0.113.9", "/web01x", false},
	{"203.0.113.9", "/?h=d2ViMDEuZXhhbXBsZS5jb20K", true}, // base64 of the name
	{"203.0.113.9", "/?h=MTAuMC4xLjEgZm9v", true},         // of "10.0.1.1 foo"
	{"203.0.113.9", "/?h=aXA9MTAuMC4xLjEgZm9v", true},     // of "ip=10.0.1.1 foo"
	{"203.0.113.9", "/?h=xMTAuMC4xLjEgZm9v", true},        // cut in at another place
	{"203.0.113.9", "/?h=MTAuMC4xLjEyIGZvbw", false},      // of "10.0.1.12 foo"
	{"203.0.113.9", "/?h=31302e302e312e31", true},         // hexadecimal of the text
	{"203.0.113.9", "/?h=0a000101", true},                 // of the address
	{"203.0.113.9", "/?h=0a000102", false},
	{"203.0.113.9", "/?h=GEYC4MBOGEXDC", true}, // base32 of the text
	{"web01.evil.example", "/", true},
	{"web01.corp.evil.example", "/", true},
	{"web01.example.com", "/", false}, // itself
	{"api.example.com", "/?from=web01", false},
	{"203.0.113.9", "/index.html", false},
};
enum { SAYINGS = sizeof(sayings) / sizeof(sayings[0]) };

START_TEST(a_device_that_tells_its_name_to_a_rare_place_is_an_alert)
{
	certified(server(0), "web01.example.com,www.example.com", TODAY - HOUR);
	requested(server(0), ip("203.0.113.9"), 80, sayings[_i].host, "Debian APT-HTTP/1.3 (2.2.4)", sayings[_i].uri, 0,
		  TODAY);
	ck_assert_msg((alert_of("http/self-reference") != NULL) == sayings[_i].told, "%s%s", sayings[_i].host,
		      sayings[_i].uri);
}
END_TEST

START_TEST(a_device_is_called_by_the_first_name_of_its_certificate_not_by_the_first_of_a_further_record)
{
	certified_in_part(server(0), 1, "web01.example.com", TODAY - HOUR);
	requested(server(0), ip("203.0.113.9"), 80, "203.0.113.9", "Debian APT-HTTP/1.3 (2.2.4)", "/?h=web01", 0, TODAY);
	ck_assert_ptr_null(alert_of("http/self-reference"));
}
END_TEST

START_TEST(what_a_device_tells_known_places_is_its_business)
{
	certified(server(0), "web01.example.com", TODAY - HOUR);
	requested(server(0), ip("198.51.100.14"), 80, "deb.example.org", "Debian APT-HTTP/1.3 (2.2.4)", "/?h=web01", 0,
		  TODAY);
	expect_silence();
}
END_TEST

START_TEST(a_device_that_tells_itself_in_a_dns_name_is_an_alert)
{
	asked(server(0), "telemetry.vendor.example", 0, TODAY - DAY);
	certified(server(0), "web01.example.com", TODAY - HOUR);
	asked(server(0), "web01.example.com", 0, TODAY);
	asked(server(0), "web01.example.com.example.com", 0, TODAY);
	asked(server(0), "x.evil.example", 0, TODAY);
	asked(server(0), "web01.telemetry.vendor.example", 0, TODAY); // it does so every day
	asked(server(0), "10.0.1.1.in-addr.arpa", FACT_BIT(FACT_SELF_ADDRESS), TODAY);
	expect_silence();
	asked(server(0), "web01.x.evil.example", 0, TODAY + 1);
	expect("dns/self-reference", 4);
	alert_count = 0;
	asked(server(1), "10.0.1.2.x.evil.example", FACT_BIT(FACT_SELF_ADDRESS), TODAY + 1);
	expect("dns/self-reference", 4);
	alert_count = 0;
	asked(server(2), "gaydalr.qgaxdgidi.x.evil.example", 0, TODAY + 1); // nothing
	expect_silence();
	asked(server(2), "geyc4.mbogexdg.x.evil.example", 0, TODAY + 1); // base32 of 10.0.1.3, over two labels
	expect("dns/self-reference", 4);
}
END_TEST

START_TEST(dns_and_most_visitors_tell_a_name_and_a_few_strangers_do_not)
{
	resolved(workstation(0), "db7.corp.example", server(0), TODAY - HOUR);
	called_by(server(1), "shop-1.example.com", 50, TODAY - HOUR);
	for (unsigned i = 0; i < 8; i++) {
		char host[32];

		snprintf(host, sizeof(host), "noise%u.example.org", i);
		called_by(server(1), host, 3, TODAY - HOUR);
	}
	requested(server(0), ip("203.0.113.9"), 80, "203.0.113.9", "Debian APT-HTTP/1.3 (2.2.4)",
		  "/?h=db7.corp.example", 0, TODAY);
	expect("http/self-reference", 4);
	alert_count = 0;
	requested(server(1), ip("203.0.113.10"), 80, "203.0.113.10", "Debian APT-HTTP/1.3 (2.2.4)",
		  "/?h=noise3.example.org", 0, TODAY);
	ck_assert_ptr_null(alert_of("http/self-reference"));
	requested(server(1), ip("203.0.113.10"), 80, "203.0.113.10", "Debian APT-HTTP/1.3 (2.2.4)", "/?h=shop-1", 0,
		  TODAY);
	expect("http/self-reference", 4);
}
END_TEST

// --- Other facts ---

START_TEST(a_file_that_says_it_is_another_is_an_alert_from_a_rare_place)
{
	struct observation o = made(OBS_FILE, DIRECTION_OUT, workstation(0), ip("203.0.113.9"), 80, TODAY);

	o.app = APP_HTTP;
	o.from_client = 0;
	o.number[NUM_FILE_KIND] = FILE_PE;
	o.facts = FACT_BIT(FACT_EXECUTABLE) | FACT_BIT(FACT_FILE_MISMATCH);
	observe(&o);
	expect("file/disguised", 3);
	alert_count = 0;
	o.server = ip("198.51.100.11");
	observe(&o);
	expect_silence();
	o = made(OBS_FILE, DIRECTION_IN, visitor(), server(0), 80, TODAY);
	o.number[NUM_FILE_KIND] = FILE_SCRIPT;
	o.facts = FACT_BIT(FACT_SCRIPT) | FACT_BIT(FACT_FILE_MISMATCH);
	observe(&o);
	expect("file/disguised-upload", 1);
}
END_TEST

START_TEST(an_unknown_protocol_on_a_well_known_port_is_an_alert)
{
	protocol(workstation(0), ip("203.0.113.9"), 4444, APP_UNKNOWN, false, TODAY);
	protocol(workstation(0), ip("203.0.113.9"), 80, APP_HTTP, false, TODAY);
	protocol(workstation(0), ip("198.51.100.10"), 443, APP_UNKNOWN, false, TODAY);
	expect_silence();
	protocol(workstation(0), ip("203.0.113.9"), 443, APP_UNKNOWN, false, TODAY);
	expect("conn/unknown-on-known-port", 2);
}
END_TEST

static void add_facts(TCase *cases)
{
	tcase_add_test(cases, an_address_named_in_a_request_and_called_is_an_alert);
	tcase_add_test(cases, a_device_that_is_not_exposed_is_told_lower);
	tcase_add_test(cases, a_named_host_is_told_when_it_is_asked_for_and_when_it_is_called);
	tcase_add_test(cases, a_named_host_that_no_answer_ties_to_its_address_is_told_by_who_calls_it);
	tcase_add_test(cases, who_is_known_is_not_suspect_for_being_named);
	tcase_add_test(cases, patience_does_not_make_a_named_host_known);
	tcase_add_test(cases, a_server_that_is_sent_inside_is_an_alert_unless_it_goes_there_anyway);
	tcase_add_test(cases, a_server_that_is_sent_to_the_cloud_s_secrets_is_cut);
	tcase_add_loop_test(cases, a_device_that_tells_its_name_to_a_rare_place_is_an_alert, 0, SAYINGS);
	tcase_add_test(cases, a_device_is_called_by_the_first_name_of_its_certificate_not_by_the_first_of_a_further_record);
	tcase_add_test(cases, what_a_device_tells_known_places_is_its_business);
	tcase_add_test(cases, a_device_that_tells_itself_in_a_dns_name_is_an_alert);
	tcase_add_test(cases, dns_and_most_visitors_tell_a_name_and_a_few_strangers_do_not);
	tcase_add_test(cases, a_file_that_says_it_is_another_is_an_alert_from_a_rare_place);
	tcase_add_test(cases, an_unknown_protocol_on_a_well_known_port_is_an_alert);
}
