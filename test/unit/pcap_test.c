// SPDX-License-Identifier: GPL-2.0-or-later
// Capture files: what is written comes back to the nanosecond; damage is said, with what came before it delivered.
// pcapng and foreign link types are written here byte by byte, since libpcap does not write them. More of pcapng in pcapng_test.c.
#include <check.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "pcap.h"

static char path[] = "/tmp/sekimori-pcap-XXXXXX";
static char error[256];

static void start(void)
{
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void stop(void)
{
	unlink(path);
}

static void store(const void *bytes, size_t n)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

// Little-endian words after one another.
struct writer {
	uint8_t at[1024];
	size_t n;
};

static void put(struct writer *w, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		w->at[w->n++] = (uint8_t)(value >> 8 * i);
}

static void pcap_head(struct writer *w, uint32_t magic, uint32_t link)
{
	put(w, 4, magic);
	put(w, 4, 2 | 4 << 16); // version 2.4
	put(w, 8, 0);
	put(w, 4, 65535);
	put(w, 4, link);
}

static void pcap_record(struct writer *w, uint32_t s, uint32_t fraction, uint32_t bytes, uint32_t wire_bytes)
{
	put(w, 4, s);
	put(w, 4, fraction);
	put(w, 4, bytes);
	put(w, 4, wire_bytes);
	for (uint32_t i = 0; i < bytes; i++)
		put(w, 1, i);
}

// A section, an interface with times of 10^-resolution s, and one enhanced packet of 5 bytes.
static void pcapng_file(struct writer *w, uint16_t link, uint8_t resolution, uint64_t time)
{
	put(w, 4, 0x0a0d0d0a);
	put(w, 4, 28);
	put(w, 4, 0x1a2b3c4d);
	put(w, 4, 1);
	put(w, 8, UINT64_MAX);
	put(w, 4, 28);
	put(w, 4, 1); // interface
	put(w, 4, 32);
	put(w, 4, link);
	put(w, 4, 65535);
	put(w, 4, 9 | 1 << 16); // if_tsresol
	put(w, 4, resolution);
	put(w, 4, 0);
	put(w, 4, 32);
	put(w, 4, 6); // packet
	put(w, 4, 40);
	put(w, 4, 0);
	put(w, 4, time >> 32);
	put(w, 4, time);
	put(w, 4, 5);
	put(w, 4, 99);
	put(w, 8, 0x0504030201);
	put(w, 4, 40);
}

START_TEST(frames_come_back_as_they_were_written_for_every_link_type)
{
	static const uint8_t bytes[1500] = {1, 2, 3};
	const struct frame frames[] = {
		{.at = bytes, .bytes = 60, .wire_bytes = 60, .unix_ns = 1639151132123456789, .link = (uint8_t)_i},
		{.at = bytes, .bytes = 0, .wire_bytes = 0, .unix_ns = 1639151132999999999, .link = (uint8_t)_i},
		{.at = bytes, .bytes = 96, .wire_bytes = 1500, .unix_ns = 4294967295000000001, .link = (uint8_t)_i},
		{.at = bytes, .bytes = 1500, .wire_bytes = 1500, .unix_ns = 0, .link = (uint8_t)_i},
	};
	struct pcap_sink *sink = pcap_sink_open(path, (unsigned)_i, error, sizeof(error));
	struct pcap_port *port;
	struct frame f;

	ck_assert_ptr_nonnull(sink);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pcap_sink_write(sink, &frames[i]), 0);
	ck_assert_int_eq(pcap_sink_close(sink), 0);
	port = pcap_port_open(path, error, sizeof(error));
	ck_assert_msg(port != NULL, "%s", error);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(pcap_port_next(port, &f), 1);
		ck_assert_uint_eq(f.bytes, frames[i].bytes);
		ck_assert_uint_eq(f.wire_bytes, frames[i].wire_bytes);
		ck_assert_uint_eq(f.unix_ns, frames[i].unix_ns);
		ck_assert_uint_eq(f.link, _i);
		ck_assert_uint_eq(f.port, 0);
		ck_assert_int_eq(memcmp(f.at, bytes, f.bytes), 0);
	}
	ck_assert_int_eq(pcap_port_next(port, &f), 0);
	ck_assert_int_eq(pcap_port_next(port, &f), 0);
	ck_assert_str_eq(pcap_port_note(port), "");
	ck_assert_uint_eq(pcap_port_frames(port), 4);
	pcap_port_close(port);
}
END_TEST

START_TEST(microseconds_become_nanoseconds)
{
	struct writer w = {.n = 0};
	struct frame f;

	pcap_head(&w, 0xa1b2c3d4, 1);
	pcap_record(&w, 1639151132, 123456, 5, 5);
	store(w.at, w.n);
	struct pcap_port *port = pcap_port_open(path, error, sizeof(error));

	ck_assert_msg(port != NULL, "%s", error);
	ck_assert_int_eq(pcap_port_next(port, &f), 1);
	ck_assert_uint_eq(f.unix_ns, 1639151132123456000);
	pcap_port_close(port);
}
END_TEST

START_TEST(the_other_byte_order_is_read)
{
	static const uint8_t big[] = {0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0,
				      0,    0,    101,  0,    0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 3,    0x45, 0};
	struct frame f;

	store(big, sizeof(big));
	struct pcap_port *port = pcap_port_open(path, error, sizeof(error));

	ck_assert_msg(port != NULL, "%s", error);
	ck_assert_int_eq(pcap_port_next(port, &f), 1);
	ck_assert_uint_eq(f.unix_ns, 7000000009);
	ck_assert_uint_eq(f.link, LINK_RAW);
	ck_assert_uint_eq(f.wire_bytes, 3);
	pcap_port_close(port);
}
END_TEST

START_TEST(pcapng_is_read_at_any_resolution)
{
	static const struct {
		uint8_t resolution;
		uint64_t time, want_ns;
	} cases[] = {{6, 1639151132123456, 1639151132123456000},
		     {9, 1639151132123456789, 1639151132123456789},
		     {3, 1639151132123, 1639151132123000000}};

	for (size_t i = 0; i < 3; i++) {
		struct writer w = {.n = 0};
		struct frame f;

		pcapng_file(&w, 1, cases[i].resolution, cases[i].time);
		store(w.at, w.n);
		struct pcap_port *port = pcap_port_open(path, error, sizeof(error));

		ck_assert_msg(port != NULL, "%s", error);
		ck_assert_int_eq(pcap_port_next(port, &f), 1);
		ck_assert_uint_eq(f.unix_ns, cases[i].want_ns);
		ck_assert_uint_eq(f.bytes, 5);
		ck_assert_uint_eq(f.wire_bytes, 99);
		ck_assert_uint_eq(f.at[4], 5);
		ck_assert_int_eq(pcap_port_next(port, &f), 0);
		pcap_port_close(port);
	}
}
END_TEST

START_TEST(link_types_are_translated_by_their_file_numbers)
{
	static const struct {
		uint32_t file;
		int link;
	} cases[] = {{1, LINK_ETHERNET}, {101, LINK_RAW},     {228, LINK_RAW}, {229, LINK_RAW},
		     {113, LINK_COOKED}, {276, LINK_COOKED2}, {0, LINK_NULL},  {108, LINK_NULL},
		     {9, LINK_PPP},      {50, LINK_PPP},      {192, LINK_PPI}, {10, LINK_FDDI}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer w = {.n = 0};
		struct frame f;

		pcap_head(&w, 0xa1b2c3d4, cases[i].file);
		pcap_record(&w, 1, 0, 20, 20);
		store(w.at, w.n);
		struct pcap_port *port = pcap_port_open(path, error, sizeof(error));

		ck_assert_msg(port != NULL, "%s", error);
		ck_assert_int_eq(pcap_port_next(port, &f), 1);
		ck_assert_int_eq(f.link, cases[i].link);
		pcap_port_close(port);
	}
}
END_TEST

START_TEST(a_link_type_nobody_can_read_is_named)
{
	struct writer w = {.n = 0};

	pcap_head(&w, 0xa1b2c3d4, 127);
	store(w.at, w.n);
	ck_assert_ptr_null(pcap_port_open(path, error, sizeof(error)));
	ck_assert_int_eq(errno, EPROTONOSUPPORT);
	ck_assert_msg(strstr(error, "IEEE802_11_RADIO") && strstr(error, "127") && strstr(error, path), "%s", error);
}
END_TEST

// Frames of an interface nobody can read are passed over and counted, unless there are no others.
START_TEST(a_pcapng_file_of_several_link_types_gives_what_it_can)
{
	struct writer w = {.n = 0};
	struct frame f;
	struct pcap_port *port;
	size_t first;

	pcapng_file(&w, 127, 6, 1);
	first = w.n;
	store(w.at, w.n);
	ck_assert_ptr_null(pcap_port_open(path, error, sizeof(error)));
	ck_assert_int_eq(errno, EPROTONOSUPPORT);
	ck_assert_msg(strstr(error, "IEEE802_11_RADIO") && strstr(error, path), "%s", error);
	pcapng_file(&w, 101, 6, 7);
	store(w.at, w.n);
	port = pcap_port_open(path, error, sizeof(error));
	ck_assert_msg(port != NULL, "%s", error);
	ck_assert_int_eq(pcap_port_next(port, &f), 1);
	ck_assert(f.link == LINK_RAW && f.unix_ns == 7000);
	ck_assert_int_eq(pcap_port_next(port, &f), 0);
	ck_assert_uint_eq(pcap_port_passed(port), 1);
	ck_assert_uint_eq(pcap_port_frames(port), 1);
	pcap_port_close(port);
	store(w.at + first, first - 1);
	port = pcap_port_open(path, error, sizeof(error));
	ck_assert_ptr_nonnull(port);
	ck_assert_int_eq(pcap_port_next(port, &f), -EIO);
	ck_assert_ptr_nonnull(strstr(pcap_port_note(port), "after frame 0"));
	pcap_port_close(port);
}
END_TEST

START_TEST(what_is_no_capture_file_is_refused_with_its_name)
{
	ck_assert_ptr_null(pcap_port_open("/nonexistent/file.pcap", error, sizeof(error)));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_msg(strncmp(error, "/nonexistent/file.pcap: ", 24) == 0, "%s", error);
	ck_assert_ptr_null(strstr(error + 20, "/nonexistent"));
	store("this is text, not a capture", 27);
	ck_assert_ptr_null(pcap_port_open(path, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, path));
	store("", 0);
	ck_assert_ptr_null(pcap_port_open(path, error, sizeof(error)));
}
END_TEST

START_TEST(a_file_cut_at_any_byte_gives_its_whole_frames_and_then_says_so)
{
	struct writer w = {.n = 0};

	pcap_head(&w, 0xa1b23c4d, 1);
	for (uint32_t i = 0; i < 3; i++)
		pcap_record(&w, i, 0, 10, 10); // 26 bytes each
	for (size_t n = 24; n <= w.n; n++) {
		struct pcap_port *port;
		struct frame f;
		size_t whole = (n - 24) / 26;

		store(w.at, n);
		port = pcap_port_open(path, error, sizeof(error));
		ck_assert_msg(port != NULL, "%s", error);
		for (size_t i = 0; i < whole; i++)
			ck_assert_int_eq(pcap_port_next(port, &f), 1);
		for (int twice = 0; twice < 2; twice++)
			ck_assert_int_eq(pcap_port_next(port, &f), (n - 24) % 26 ? -EIO : 0);
		ck_assert_int_eq(pcap_port_note(port)[0] != '\0', (n - 24) % 26 != 0);
		pcap_port_close(port);
	}
}
END_TEST

START_TEST(an_absurd_record_length_is_damage_not_an_allocation)
{
	struct writer w = {.n = 0};
	struct frame f;

	pcap_head(&w, 0xa1b2c3d4, 1);
	pcap_record(&w, 1, 0, 4, 4);
	put(&w, 8, 0);
	put(&w, 4, 0x7fffffff);
	put(&w, 4, 0x7fffffff);
	store(w.at, w.n);
	struct pcap_port *port = pcap_port_open(path, error, sizeof(error));

	ck_assert_int_eq(pcap_port_next(port, &f), 1);
	ck_assert_int_eq(pcap_port_next(port, &f), -EIO);
	ck_assert_ptr_nonnull(strstr(pcap_port_note(port), "after frame 1"));
	pcap_port_close(port);
}
END_TEST

// Random files of Ethernet, longer than the reader's buffer, some of them damaged in one record's lengths.
static size_t random_file(uint8_t *at, unsigned seed, bool swapped)
{
	uint32_t head[6] = {seed % 3 ? 0xa1b2c3d4 : 0xa1b23c4d, 2 | 4 << 16, 0, 0, seed % 5 ? 65535 : 500, 1};
	size_t n = sizeof(head);

	if (swapped)
		head[1] = 4 | 2 << 16;
	for (int i = 0; i < 6 && swapped; i++)
		head[i] = __builtin_bswap32(head[i]);
	memcpy(at, head, n);
	for (int r = 0; r < 600; r++) {
		uint32_t bytes = r % 100 == 99 ? 100000 : (uint32_t)rand() % 1500, record[4] = {(uint32_t)rand() * 2, 7, bytes, bytes + (uint32_t)rand() % 3 - 1};

		for (int i = 0; i < 4 && swapped; i++)
			record[i] = __builtin_bswap32(record[i]);
		memcpy(at + n, record, sizeof(record));
		if (seed % 2 && r == 400)
			at[n + 8 + seed % 4] ^= (uint8_t)(1 + seed / 2);
		n += sizeof(record);
		for (uint32_t i = 0; i < bytes; i++)
			at[n++] = (uint8_t)(i * 7 + (uint32_t)r);
	}
	return seed % 7 ? n : n - seed;
}

START_TEST(a_plain_file_reads_as_libpcap_reads_it)
{
	static uint8_t file[4 << 20];
	char reason[PCAP_ERRBUF_SIZE];
	struct frame f[32];

	for (unsigned seed = 0; seed < 60; seed++) {
		struct pcap_port *port;
		struct pcap_pkthdr *head;
		unsigned n, all = 0;
		const u_char *at;
		pcap_t *by;
		int got = 1;

		srand(seed);
		store(file, random_file(file, seed, seed % 4 == 3));
		port = pcap_port_open(path, error, sizeof(error));
		by = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, reason);
		ck_assert(port && by);
		while ((n = pcap_port_burst(port, f, 32))) {
			for (unsigned i = 0; i < n; i++, all++) {
				ck_assert_int_eq(pcap_next_ex(by, &head, &at), 1);
				ck_assert_uint_eq(f[i].bytes, head->caplen);
				ck_assert_uint_eq(f[i].wire_bytes, head->len > head->caplen ? head->len : head->caplen);
				ck_assert_uint_eq(f[i].unix_ns, (uint32_t)head->ts.tv_sec * 1000000000ull + (uint64_t)head->ts.tv_usec);
				ck_assert_int_eq(memcmp(f[i].at, at, f[i].bytes), 0);
			}
		}
		got = pcap_next_ex(by, &head, &at);
		ck_assert_int_eq(pcap_port_next(port, f), got == PCAP_ERROR_BREAK ? 0 : -EIO);
		ck_assert_uint_eq(pcap_port_frames(port), all);
		ck_assert_uint_gt(all, 390);
		pcap_port_close(port);
		pcap_close(by);
	}
}
END_TEST

START_TEST(a_sink_says_what_it_cannot_write)
{
	struct frame f = {.at = (const uint8_t *)"", .link = LINK_RAW};
	struct pcap_sink *sink;

	ck_assert_ptr_null(pcap_sink_open("/nonexistent/out.pcap", LINK_RAW, error, sizeof(error)));
	ck_assert_msg(strncmp(error, "/nonexistent/out.pcap: ", 23) == 0, "%s", error);
	ck_assert_ptr_null(pcap_sink_open(path, 77, error, sizeof(error)));
	sink = pcap_sink_open(path, LINK_ETHERNET, error, sizeof(error));
	ck_assert_int_eq(pcap_sink_write(sink, &f), -EINVAL);
	ck_assert_int_eq(pcap_sink_close(sink), 0);
	sink = pcap_sink_open("/dev/full", LINK_RAW, error, sizeof(error));
	ck_assert_ptr_nonnull(sink);
	pcap_sink_write(sink, &f);
	ck_assert_int_eq(pcap_sink_close(sink), -EIO);
	ck_assert_int_eq(pcap_sink_close(NULL), 0);
	pcap_port_close(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcap");
	TCase *tcase = tcase_create("pcap");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, frames_come_back_as_they_were_written_for_every_link_type, LINK_ETHERNET,
			    LINK_FDDI + 1);
	tcase_add_test(tcase, microseconds_become_nanoseconds);
	tcase_add_test(tcase, the_other_byte_order_is_read);
	tcase_add_test(tcase, pcapng_is_read_at_any_resolution);
	tcase_add_test(tcase, link_types_are_translated_by_their_file_numbers);
	tcase_add_test(tcase, a_link_type_nobody_can_read_is_named);
	tcase_add_test(tcase, a_pcapng_file_of_several_link_types_gives_what_it_can);
	tcase_add_test(tcase, what_is_no_capture_file_is_refused_with_its_name);
	tcase_add_test(tcase, a_file_cut_at_any_byte_gives_its_whole_frames_and_then_says_so);
	tcase_add_test(tcase, an_absurd_record_length_is_damage_not_an_allocation);
	tcase_add_test(tcase, a_plain_file_reads_as_libpcap_reads_it);
	tcase_add_test(tcase, a_sink_says_what_it_cannot_write);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
