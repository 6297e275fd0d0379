// SPDX-License-Identifier: GPL-2.0-or-later
// lib/channel, observation.h: the tables agree with the enums, the check lets nothing through that would trip a reader.
#include "observation.h"
#include "counters.h"
#include "sheet.h"
#include <check.h>
#include <stdlib.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) bytes_of(literal, sizeof(literal) - 1)

static struct address parsed(const char *text)
{
	struct address a = {0};

	ck_assert_int_eq(address_parse(bytes_of_text(text), &a), 0);
	return a;
}

static void make_observation(struct observation *o, enum observation_kind kind)
{
	memset(o->text, 0, sizeof(o->text));
	observation_init(o, kind);
	o->direction = DIRECTION_OUT;
	o->client = parsed("192.0.2.10");
	o->server = parsed("203.0.113.9");
	o->client_port = 40000;
	o->server_port = 8080;
	o->transport = 6;
	o->app = APP_HTTP;
	o->from_client = 1;
}

static void make_request(struct observation *o)
{
	make_observation(o, OBS_HTTP_REQUEST);
	o->number[NUM_REQUEST_TX] = 1;
	observation_put(o, TEXT_REQUEST_METHOD, BYTES("GET"));
	observation_put(o, TEXT_REQUEST_URI, BYTES("/x"));
}

START_TEST(texts_are_found_where_they_were_put)
{
	struct observation o;

	make_request(&o);
	ck_assert(bytes_equal_text(observation_text(&o, TEXT_REQUEST_METHOD), "GET"));
	ck_assert(bytes_equal_text(observation_text(&o, TEXT_REQUEST_URI), "/x"));
	ck_assert_uint_eq(observation_text(&o, TEXT_REQUEST_HOST).left, 0);
	ck_assert_uint_eq(o.size_bytes, OBSERVATION_HEAD_BYTES + 5);
	ck_assert_uint_eq(o.flags8, 0);
	ck_assert(observation_check(&o));
}
END_TEST

START_TEST(long_texts_are_cut_and_say_so)
{
	uint8_t text[500];
	struct observation o;

	memset(text, 'a', sizeof(text));
	make_observation(&o, OBS_HTTP_REQUEST);
	observation_put(&o, 0, bytes_of(text, 400));
	ck_assert_uint_eq(o.flags8, 0);
	observation_put(&o, 1, bytes_of(text, 401));
	ck_assert_uint_eq(o.flags8, OBS_FLAG_TRUNCATED);
	observation_put(&o, 2, bytes_of(text, 400));
	observation_put(&o, 3, bytes_of(text, 400));
	observation_put(&o, OBSERVATION_TEXTS, bytes_of(text, 1));
	ck_assert_uint_eq(observation_text(&o, 1).left, 400);
	ck_assert_uint_eq(observation_text(&o, 2).left, 48);
	ck_assert_uint_eq(observation_text(&o, 3).left, 0);
	ck_assert_uint_eq(o.size_bytes, OBSERVATION_BYTES);
	ck_assert(observation_check(&o));
}
END_TEST

#define MUST_REFUSE(change)                                                                        \
	do {                                                                                       \
		struct observation o;                                                              \
		make_request(&o);                                                                  \
		change;                                                                            \
		ck_assert_msg(!observation_check(&o), #change);                                    \
	} while (0)

START_TEST(every_field_out_of_range_is_refused)
{
	MUST_REFUSE(o.size_bytes = OBSERVATION_HEAD_BYTES - 1);
	MUST_REFUSE(o.size_bytes = OBSERVATION_BYTES + 1);
	MUST_REFUSE(o.size_bytes -= 1); // the last text reaches past it
	MUST_REFUSE(o.kind = OBS_NONE);
	MUST_REFUSE(o.kind = OBS_KINDS);
	MUST_REFUSE(o.worker = SHEET_WORKERS);
	MUST_REFUSE(o.direction = 0);
	MUST_REFUSE(o.direction = DIRECTION_TRANSIT + 1);
	MUST_REFUSE(o.app = APP_COUNT);
	MUST_REFUSE(o.from_client = 2);
	MUST_REFUSE(o.flags8 = 0x80);
	MUST_REFUSE(o.facts = FACT_BIT(FACT_COUNT));
	MUST_REFUSE(o.vlan = 4096);
	MUST_REFUSE(o.zero = 1);
	MUST_REFUSE(o.client.family = 5);
	MUST_REFUSE(o.client.b[4] = 1);
	MUST_REFUSE(o.client.zero[0] = 1);
	MUST_REFUSE(o.server.zero[2] = 1);
	MUST_REFUSE(o.server = (struct address){0});
	MUST_REFUSE(o.client = parsed("::1"));
}
END_TEST

START_TEST(no_slot_reaches_outside_the_record)
{
	MUST_REFUSE(o.slot[7].offset = 6);
	MUST_REFUSE(o.slot[0].length = 6);
	MUST_REFUSE(o.slot[3] = ((struct text_slot){UINT16_MAX, 0}));
	MUST_REFUSE(o.slot[3] = ((struct text_slot){UINT16_MAX, 1}));
	MUST_REFUSE(o.slot[3] = ((struct text_slot){1, UINT16_MAX}));
	MUST_REFUSE(o.slot[3] = ((struct text_slot){UINT16_MAX, UINT16_MAX}));
}
END_TEST

START_TEST(numbers_that_are_enums_are_in_range)
{
	static const struct {
		enum observation_kind kind;
		unsigned slot;
		uint64_t count;
	} cases[] = {
		{OBS_FILE, NUM_FILE_KIND, FILE_KINDS}, {OBS_LDAP, NUM_LDAP_OPERATION, LDAP_OPERATIONS},
		{OBS_RMI, NUM_RMI_MESSAGE, RMI_MESSAGES}, {OBS_CUT, NUM_CUT_FACT, FACT_COUNT},
		{OBS_UNINSPECTED, NUM_UNINSPECTED_WHY, COUNTER_COUNT}, {OBS_FLOW_CLOSE, NUM_CLOSE_REASON, 6},
	};
	struct observation o;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		make_observation(&o, cases[i].kind);
		o.number[cases[i].slot] = cases[i].count - 1;
		ck_assert(observation_check(&o));
		o.number[cases[i].slot] = cases[i].count;
		ck_assert(!observation_check(&o));
		o.number[cases[i].slot] = UINT64_MAX;
		ck_assert(!observation_check(&o));
	}
}
END_TEST

START_TEST(dns_addresses_are_whole_and_well_formed)
{
	struct address a[9];
	struct observation o;

	for (size_t i = 0; i < COUNT_OF(a); i++)
		a[i] = parsed(i % 2 ? "2001:db8::1" : "198.51.100.7");
	make_observation(&o, OBS_DNS);
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(a, 8 * sizeof(a[0])));
	ck_assert(observation_check(&o));
	o.slot[TEXT_DNS_ADDRESSES].length--;
	ck_assert(!observation_check(&o));
	make_observation(&o, OBS_DNS);
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(a, sizeof(a)));
	ck_assert(!observation_check(&o));
	a[0].family = 0;
	make_observation(&o, OBS_DNS);
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(a, sizeof(a[0])));
	ck_assert(!observation_check(&o));
}
END_TEST

START_TEST(losses_need_no_flow)
{
	struct observation o;

	observation_init(&o, OBS_LOST);
	o.number[NUM_LOST_COUNT] = 7;
	ck_assert(observation_check(&o));
	observation_init(&o, OBS_FLOW_OPEN);
	ck_assert(!observation_check(&o));
}
END_TEST

START_TEST(the_device_is_the_inside_end)
{
	struct observation o;

	make_request(&o);
	ck_assert(observation_device(&o) == &o.client && observation_endpoint(&o) == &o.server);
	o.direction = DIRECTION_IN;
	ck_assert(observation_device(&o) == &o.server && observation_endpoint(&o) == &o.client);
	o.direction = DIRECTION_LATERAL;
	ck_assert(observation_device(&o) == &o.client && observation_endpoint(&o) == &o.server);
	o.direction = DIRECTION_TRANSIT;
	ck_assert(!address_is_set(observation_device(&o)));
	o.direction = 200;
	ck_assert(!address_is_set(observation_device(&o)));
}
END_TEST

START_TEST(the_field_table_is_ordered_and_fits_the_record)
{
	unsigned last = 0;

	for (const struct observation_field *f = observation_fields; f->name; f++) {
		ck_assert_uint_ge(f->kind, last);
		ck_assert_uint_lt(f->kind, OBS_KINDS);
		ck_assert_uint_lt(f->slot, f->type == FIELD_NUMBER ? OBSERVATION_NUMBERS : OBSERVATION_TEXTS);
		ck_assert(f->type == FIELD_NUMBER || !f->names);
		last = f->kind;
	}
	ck_assert_uint_eq(last, OBS_KINDS - 1);
}
END_TEST

START_TEST(names_and_numbers_are_inverse)
{
	static const struct {
		const char *(*name)(unsigned);
		unsigned count;
	} tables[] = {
		{observation_kind_name, OBS_KINDS}, {direction_name, DIRECTION_TRANSIT + 1}, {app_name, APP_COUNT},
		{file_kind_name, FILE_KINDS}, {fact_name, FACT_COUNT}, {ldap_operation_name, LDAP_OPERATIONS},
		{mode_name, MODE_COUNT},
	};

	for (size_t t = 0; t < COUNT_OF(tables); t++) {
		for (unsigned i = 0; i < tables[t].count; i++)
			ck_assert_int_eq(name_to_index(tables[t].name, tables[t].count,
						       bytes_of_text(tables[t].name(i))), i);
		ck_assert_str_eq(tables[t].name(tables[t].count), "?");
		ck_assert_int_eq(name_to_index(tables[t].name, tables[t].count, BYTES("?")), -1);
	}
	ck_assert_str_eq(observation_kind_name(OBS_HTTP_REQUEST), "http.request");
	ck_assert_str_eq(observation_kind_name(OBS_LOST), "lost");
	ck_assert_str_eq(direction_name(DIRECTION_LATERAL), "lateral");
	ck_assert_str_eq(app_name(APP_IIOP), "iiop");
	ck_assert_str_eq(file_kind_name(FILE_JAVA_CLASS), "java-class");
	ck_assert_str_eq(file_kind_name(FILE_ENCRYPTED), "encrypted");
	ck_assert_str_eq(fact_name(FACT_PROTOCOL_PORT), "protocol-port");
	ck_assert_str_eq(ldap_operation_name(LDAP_SEARCH_ENTRY), "search-entry");
	ck_assert_str_eq(mode_name(MODE_ENFORCE), "enforce");
}
END_TEST

static const char *formatted(const struct observation *o)
{
	static char line[8192];

	ck_assert(observation_check(o));
	ck_assert_uint_eq(observation_format(o, line, sizeof(line)), strlen(line));
	return line;
}

START_TEST(an_observation_is_one_stable_line)
{
	struct address a[2] = {parsed("198.51.100.7"), parsed("2001:db8::7")};
	struct observation o;

	make_request(&o);
	o.facts = FACT_BIT(FACT_SELF_ADDRESS);
	o.flags8 = OBS_FLAG_BARE_HOST;
	ck_assert_str_eq(formatted(&o), "http.request out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client tx=1 "
					"method=\"GET\" uri=\"/x\" facts=self-address flags=bare-host");
	o.time_ns = o.sequence = o.flow = o.frame = 99;
	o.worker = 3;
	ck_assert_str_eq(formatted(&o), "http.request out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client tx=1 "
					"method=\"GET\" uri=\"/x\" facts=self-address flags=bare-host");

	make_observation(&o, OBS_DNS);
	o.client = parsed("2001:db8::1");
	o.server = parsed("2001:db8::53");
	o.transport = 17;
	o.app = APP_DNS;
	o.from_client = 0;
	o.vlan = 5;
	o.flags8 = OBS_FLAG_RESPONSE | OBS_FLAG_MIDSTREAM;
	o.number[NUM_DNS_TYPE] = 28;
	observation_put(&o, TEXT_DNS_ADDRESSES, bytes_of(a, sizeof(a)));
	ck_assert_str_eq(formatted(&o), "dns out [2001:db8::1]:40000 > [2001:db8::53]:8080 udp dns server vlan=5 "
					"type=28 addresses=198.51.100.7,2001:db8::7 flags=midstream,response");

	make_observation(&o, OBS_FILE);
	o.number[NUM_FILE_KIND] = FILE_JAVA_CLASS;
	o.facts = FACT_BIT(FACT_JAVA_CLASS) | FACT_BIT(FACT_FILE_MISMATCH);
	observation_put(&o, TEXT_FILE_HEAD, BYTES("\xca\xfe\xba\xbe\0\0"));
	ck_assert_str_eq(formatted(&o), "file out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client kind=java-class "
					"head=cafebabe0000 facts=java-class,file-mismatch");
}
END_TEST

START_TEST(words_stand_for_enums_and_a_time_is_left_out)
{
	struct observation o;

	make_observation(&o, OBS_FLOW_CLOSE);
	o.number[NUM_CLOSE_START_NS] = 1639151132123456000;
	o.number[NUM_CLOSE_REASON] = 1;
	ck_assert_str_eq(formatted(&o), "flow.close out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client "
					"reason=fin");
	make_observation(&o, OBS_UNINSPECTED);
	o.number[NUM_UNINSPECTED_WHY] = COUNT_TCP_GAP;
	ck_assert_str_eq(formatted(&o), "uninspected out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client "
					"why=tcp_gap");
	observation_init(&o, OBS_LOST);
	o.number[NUM_LOST_COUNT] = 7;
	ck_assert_str_eq(formatted(&o), "lost none -:0 > -:0 0 none server count=7");
}
END_TEST

START_TEST(a_hostile_text_cannot_forge_a_field)
{
	struct observation o;

	make_observation(&o, OBS_HTTP_REQUEST);
	observation_put(&o, TEXT_REQUEST_URI, BYTES("/\" facts=jndi \\\" \x1b[2J\n"));
	ck_assert_str_eq(formatted(&o), "http.request out 192.0.2.10:40000 > 203.0.113.9:8080 tcp http client "
					"uri=\"/\\\" facts=jndi \\\\\\\" \\x1b[2J\\x0a\"");
}
END_TEST

START_TEST(a_line_is_cut_to_its_buffer)
{
	struct observation o;

	make_request(&o);
	for (size_t cap = 0; cap < 200; cap++) {
		char *line = malloc(cap ? cap : 1);
		size_t n = observation_format(&o, line, cap);

		ck_assert(cap == 0 ? n == 0 : n < cap && line[n] == '\0');
		free(line);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observation");
	TCase *test = tcase_create("observation");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, texts_are_found_where_they_were_put);
	tcase_add_test(test, long_texts_are_cut_and_say_so);
	tcase_add_test(test, every_field_out_of_range_is_refused);
	tcase_add_test(test, no_slot_reaches_outside_the_record);
	tcase_add_test(test, numbers_that_are_enums_are_in_range);
	tcase_add_test(test, dns_addresses_are_whole_and_well_formed);
	tcase_add_test(test, losses_need_no_flow);
	tcase_add_test(test, the_device_is_the_inside_end);
	tcase_add_test(test, the_field_table_is_ordered_and_fits_the_record);
	tcase_add_test(test, names_and_numbers_are_inverse);
	tcase_add_test(test, an_observation_is_one_stable_line);
	tcase_add_test(test, words_stand_for_enums_and_a_time_is_left_out);
	tcase_add_test(test, a_hostile_text_cannot_forge_a_field);
	tcase_add_test(test, a_line_is_cut_to_its_buffer);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
