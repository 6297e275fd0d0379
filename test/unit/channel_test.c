// SPDX-License-Identifier: GPL-2.0-or-later
// lib/channel: verdicts and the two sheets. The ring and the observation have files of their own.
#include "sheet.h"
#include "verdict.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct address parsed(const char *text)
{
	struct address a = {0};

	ck_assert_int_eq(address_parse(bytes_of_text(text), &a), 0);
	return a;
}

// --- The verdict ---

static struct verdict make_block(void)
{
	return (struct verdict){.size_bytes = sizeof(struct verdict), .kind = VERDICT_BLOCK, .transport = 6, .id = 1,
				.expires_ns = 2000, .endpoint = parsed("203.0.113.9"), .endpoint_bits = 32,
				.port = 1389, .device = parsed("192.0.2.10")};
}

START_TEST(a_well_formed_verdict_passes)
{
	struct verdict v = make_block(), cut = {.size_bytes = sizeof(cut), .kind = VERDICT_CUT, .flow = 1ull << 32};

	ck_assert(verdict_check(&v, 1000));
	v.device = (struct address){0};
	v.port = 0;
	v.transport = 0;
	v.expires_ns = 1000 + VERDICT_LONGEST_NS;
	ck_assert(verdict_check(&v, 1000));
	v.endpoint = parsed("203.0.0.0");
	v.endpoint_bits = 16;
	ck_assert(verdict_check(&v, 1000));
	v.endpoint = parsed("2001:db8::");
	v.endpoint_bits = 32;
	ck_assert(verdict_check(&v, 1000));
	v.kind = VERDICT_UNBLOCK;
	ck_assert(verdict_check(&v, 1000));
	ck_assert(verdict_check(&cut, 0));
	cut.kind = VERDICT_RELEASE;
	ck_assert(verdict_check(&cut, UINT64_MAX));
}
END_TEST

#define MUST_REFUSE_VERDICT(change)                                                                \
	do {                                                                                       \
		struct verdict v = make_block();                                                   \
		change;                                                                            \
		ck_assert_msg(!verdict_check(&v, 1000), #change);                                  \
	} while (0)

START_TEST(a_verdict_out_of_range_is_refused)
{
	MUST_REFUSE_VERDICT(v.size_bytes = 127);
	MUST_REFUSE_VERDICT(v.size_bytes = 129);
	MUST_REFUSE_VERDICT(v.kind = VERDICT_NONE);
	MUST_REFUSE_VERDICT(v.kind = VERDICT_KINDS);
	MUST_REFUSE_VERDICT(v.kind = UINT16_MAX);
	MUST_REFUSE_VERDICT(v.zero = 1);
	MUST_REFUSE_VERDICT(v.zero2 = 1);
	MUST_REFUSE_VERDICT(v.reserved[4] = 1);
	MUST_REFUSE_VERDICT(v.transport = 1);
	MUST_REFUSE_VERDICT(v.id = 0);
	MUST_REFUSE_VERDICT(v.kind = VERDICT_UNBLOCK; v.id = 0);
	MUST_REFUSE_VERDICT(v.expires_ns = 1000);
	MUST_REFUSE_VERDICT(v.expires_ns = 0);
	MUST_REFUSE_VERDICT(v.expires_ns = 1001 + VERDICT_LONGEST_NS);
	MUST_REFUSE_VERDICT(v.expires_ns = UINT64_MAX);
	MUST_REFUSE_VERDICT(v.endpoint = (struct address){0});
	MUST_REFUSE_VERDICT(v.endpoint.b[5] = 1);
	MUST_REFUSE_VERDICT(v.endpoint.family = 7);
	MUST_REFUSE_VERDICT(v.endpoint_bits = 33);
	MUST_REFUSE_VERDICT(v.endpoint_bits = 24); // host bits
	MUST_REFUSE_VERDICT(v.endpoint = parsed("203.0.0.0"); v.endpoint_bits = 15);
	MUST_REFUSE_VERDICT(v.endpoint = parsed("0.0.0.0"); v.endpoint_bits = 0);
	MUST_REFUSE_VERDICT(v.endpoint = parsed("2001:db8::"); v.device.family = 0; v.endpoint_bits = 31);
	MUST_REFUSE_VERDICT(v.device = parsed("2001:db8::1"));
	MUST_REFUSE_VERDICT(v.device.family = 0); // not empty behind it
}
END_TEST

// --- The sheets ---

START_TEST(a_filter_has_what_was_added_and_hardly_more)
{
	const struct siphash_key key = {1, 2};
	struct brain_sheet *sheet = calloc(1, sizeof(*sheet));
	struct address device = parsed("192.0.2.10"), endpoint = parsed("203.0.113.9"), other = parsed("203.0.113.10");
	unsigned false_hits = 0;

	brain_sheet_init(sheet);
	ck_assert(sheet->magic == SHEET_MAGIC && sheet->mode == MODE_LEARN);
	filter_add(sheet, &key, FILTER_PAIR, &device, &endpoint);
	ck_assert(filter_has(sheet, &key, FILTER_PAIR, &device, &endpoint));
	ck_assert(!filter_has(sheet, &key, FILTER_PAIR, &endpoint, &device));
	ck_assert(!filter_has(sheet, &key, FILTER_PAIR, &device, &other));
	ck_assert(!filter_has(sheet, &(struct siphash_key){1, 3}, FILTER_PAIR, &device, &endpoint));
	ck_assert(!filter_has(sheet, &key, FILTER_EXPOSED, &device, &endpoint));
	filter_add(sheet, &key, FILTER_EXPOSED, &device, &endpoint);
	ck_assert(filter_has(sheet, &key, FILTER_EXPOSED, &device, NULL));
	for (uint32_t i = 0; i < 200000; i++) {
		memcpy(other.b, &i, 4);
		filter_add(sheet, &key, FILTER_PAIR, &device, &other);
	}
	for (uint32_t i = 200000; i < 300000; i++) {
		memcpy(other.b, &i, 4);
		false_hits += filter_has(sheet, &key, FILTER_PAIR, &device, &other);
	}
	ck_assert_uint_lt(false_hits, 60); // 100 000 × (1 - e^(-4 × 200 000 / 2^23))^4 = 7 expected
	free(sheet);
}
END_TEST

START_TEST(a_wire_sheet_that_does_not_fit_is_refused)
{
	const struct siphash_key key = {1, 2};
	size_t bytes = wire_sheet_bytes(1);
	struct wire_sheet *sheet = aligned_alloc(64, bytes);

	memset(sheet, 0, sizeof(*sheet));
	ck_assert_int_eq(wire_sheet_check(sheet, bytes), -EPROTO);
	wire_sheet_init(sheet, 1, 77, &key);
	ck_assert_int_eq(wire_sheet_check(sheet, bytes), 0);
	ck_assert_int_eq(wire_sheet_check(sheet, bytes - 1), -EPROTO);
	ck_assert_int_eq(wire_sheet_check(sheet, sizeof(*sheet) - 1), -EPROTO);
	sheet->workers = 2;
	ck_assert_int_eq(wire_sheet_check(sheet, bytes), -EPROTO);
	sheet->workers = UINT32_MAX;
	ck_assert_int_eq(wire_sheet_check(sheet, bytes), -EPROTO);
	sheet->workers = 0;
	ck_assert_int_eq(wire_sheet_check(sheet, sizeof(*sheet)), -EPROTO);
	sheet->workers = 1;
	sheet->version++;
	ck_assert_int_eq(wire_sheet_check(sheet, bytes), -EPROTO);
	free(sheet);
}
END_TEST

enum { FILE_BYTES = 1 << 16 };

START_TEST(a_sheet_cannot_be_truncated_or_grown)
{
	void *map;
	int fd;

	ck_assert_int_eq(sheet_create("sekimori-test", FILE_BYTES, &fd, &map), 0);
	ck_assert(ftruncate(fd, 0) < 0 && errno == EPERM);
	ck_assert(ftruncate(fd, 2 * FILE_BYTES) < 0 && errno == EPERM);
	munmap(map, FILE_BYTES);
	close(fd);
}
END_TEST

START_TEST(a_sealed_wire_sheet_cannot_be_mapped_writable_by_others)
{
	uint8_t *ours, *theirs;
	void *refused = NULL;
	int fd;

	ck_assert_int_eq(sheet_create("sekimori-test", FILE_BYTES, &fd, (void **)&ours), 0);
	ck_assert_int_eq(sheet_seal_writer(fd), 0);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES, true, &refused), -EPERM);
	ck_assert_ptr_null(refused);
	ck_assert(pwrite(fd, "x", 1, 0) < 0);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES, false, (void **)&theirs), 0);
	ck_assert(mprotect(theirs, FILE_BYTES, PROT_READ | PROT_WRITE) < 0);
	ours[5] = 42;
	ck_assert_uint_eq(theirs[5], 42);
	ck_assert(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
	munmap(ours, FILE_BYTES);
	munmap(theirs, FILE_BYTES);
	close(fd);
}
END_TEST

START_TEST(a_sealed_brain_sheet_stays_writable_for_the_next_brain)
{
	void *ours, *theirs;
	int fd;

	ck_assert_int_eq(sheet_create("sekimori-test", FILE_BYTES, &fd, &ours), 0);
	ck_assert_int_eq(sheet_seal(fd), 0);
	ck_assert(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0 && errno == EPERM);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES, true, &theirs), 0);
	munmap(ours, FILE_BYTES);
	munmap(theirs, FILE_BYTES);
	close(fd);
}
END_TEST

START_TEST(a_file_that_could_shrink_or_has_another_size_is_not_mapped)
{
	int fd = memfd_create("sekimori-test", MFD_CLOEXEC | MFD_ALLOW_SEALING), zero = open("/dev/zero", O_RDWR);
	void *map = NULL;

	ck_assert_int_eq(ftruncate(fd, FILE_BYTES), 0);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES, true, &map), -EPERM);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES, true, &map), -EPERM);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES - 1, true, &map), -EPROTO);
	ck_assert_int_eq(sheet_map(fd, FILE_BYTES + 1, true, &map), -EPROTO);
	ck_assert_int_eq(sheet_map(fd, 0, true, &map), -EPROTO);
	ck_assert_int_eq(sheet_map(zero, FILE_BYTES, true, &map), -EPERM);
	ck_assert_int_eq(sheet_map(-1, FILE_BYTES, true, &map), -EPERM);
	ck_assert_ptr_null(map);
	close(zero);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");
	TCase *test = tcase_create("channel");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, a_well_formed_verdict_passes);
	tcase_add_test(test, a_verdict_out_of_range_is_refused);
	tcase_add_test(test, a_filter_has_what_was_added_and_hardly_more);
	tcase_add_test(test, a_wire_sheet_that_does_not_fit_is_refused);
	tcase_add_test(test, a_sheet_cannot_be_truncated_or_grown);
	tcase_add_test(test, a_sealed_wire_sheet_cannot_be_mapped_writable_by_others);
	tcase_add_test(test, a_sealed_brain_sheet_stays_writable_for_the_next_brain);
	tcase_add_test(test, a_file_that_could_shrink_or_has_another_size_is_not_mapped);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
