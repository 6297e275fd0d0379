// SPDX-License-Identifier: GPL-2.0-or-later
// lib/base, but for text and JSON (text_test.c): published vectors where there are any, else hostile bytes.
#include "address.h"
#include "bytes.h"
#include "counters.h"
#include "digest.h"
#include "log.h"
#include "nh.h"
#include "siphash.h"
#include <check.h>
#include <errno.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) bytes_of(literal, sizeof(literal) - 1)

static struct address parsed(const char *text)
{
	struct address a = {0};

	ck_assert_msg(address_parse(bytes_of_text(text), &a) == 0, "%s", text);
	return a;
}

START_TEST(a_cursor_never_moves_past_its_end)
{
	struct bytes b = BYTES("\x01\x02\x03\x04\x05"), taken;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	uint8_t u8 = 0;

	ck_assert(bytes_read_u32(&b, &u32) && u32 == 0x01020304);
	ck_assert(!bytes_read_u16(&b, &u16) && b.left == 1 && u16 == 0);
	ck_assert(!bytes_take(&b, 2, &taken) && !bytes_skip(&b, SIZE_MAX) && b.left == 1);
	ck_assert(bytes_read_u8(&b, &u8) && u8 == 5 && !bytes_read_u8(&b, &u8));
	b = BYTES("\xff\xfe\xfd");
	ck_assert(bytes_read_u24(&b, &u32) && u32 == 0xfffefd && !bytes_read_u24(&b, &u32));
}
END_TEST

START_TEST(texts_are_found_inside_bytes)
{
	ck_assert_uint_eq(bytes_find_text(BYTES("a${jndi:x"), "${"), 1);
	ck_assert_uint_eq(bytes_find_text(BYTES("abc"), "abcd"), 3);
	ck_assert_uint_eq(bytes_find_text(BYTES("abc"), "bd"), 3);
	ck_assert_uint_eq(bytes_find_text(BYTES("abc"), ""), 0);
	ck_assert_uint_eq(bytes_find_text(BYTES("a\0bc"), "bc"), 2);
	ck_assert(bytes_equal_nocase(BYTES("HoSt"), "host") && !bytes_equal_nocase(BYTES("hos"), "host"));
}
END_TEST

START_TEST(a_number_is_all_digits_and_below_its_limit)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		int result;
	} cases[] = {
		{"0", 9, 0, 0},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX, 0},
		{"18446744073709551616", UINT64_MAX, 0, -ERANGE},
		{"99999999999999999999", UINT64_MAX, 0, -ERANGE},
		{"00000000000000000007", 9, 7, 0},
		{"000000000000000000007", 9, 0, -EINVAL},
		{"10", 9, 0, -ERANGE},
		{"", 9, 0, -EINVAL},
		{"-1", 9, 0, -EINVAL},
		{"+1", 9, 0, -EINVAL},
		{" 1", 9, 0, -EINVAL},
		{"1x", 9, 0, -EINVAL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t value = 0;

		ck_assert_int_eq(bytes_to_u64(bytes_of_text(cases[i].text), cases[i].max, &value), cases[i].result);
		ck_assert_uint_eq(value, cases[i].value);
	}
}
END_TEST

START_TEST(addresses_are_written_as_rfc_5952_says)
{
	static const char *const cases[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"[2001:DB8::1]", "2001:db8::1"},
		{"2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"},           // 4.2.1
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},     // 4.2.2
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},              // 4.2.3 longest
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},        // 4.2.3 first of equals
		{"2001:db8:0:0:0:0:0:0", "2001:db8::"},
		{"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
		{"::", "::"},
		{"::1", "::1"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},             // 5
		{"::102:304", "::102:304"},
		{"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
	};
	char text[ADDRESS_TEXT_BYTES];
	struct address none = {0};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address a = parsed(cases[i][0]), again;

		ck_assert_str_eq(address_format(&a, text), cases[i][1]);
		again = parsed(text);
		ck_assert(address_equal(&a, &again) && address_is_well_formed(&a));
	}
	ck_assert_str_eq(address_format(&none, text), "-");
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", "1.2", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1",
		"localhost", "[1.2.3.4]", "[::1", "::1]", "[]", "[", "]", "::1%eth0", "1::2::3", ":::", "12345::",
		"1:2:3:4:5:6:7:8:9",
		"::ffff:1.2.3.4.5", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "1.2.3.4/32",
	};
	struct address a = {0};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(address_parse(bytes_of_text(bad[i]), &a) == -EINVAL, "%s", bad[i]);
	ck_assert_int_eq(address_parse(BYTES("1.2.3.4\0.evil"), &a), -EINVAL);
	ck_assert_int_eq(address_parse(bytes_of(NULL, 0), &a), -EINVAL);
	ck_assert(!address_is_set(&a));
}
END_TEST

START_TEST(a_mapped_address_is_not_the_address)
{
	struct address a = parsed("192.0.2.1"), mapped = parsed("::ffff:192.0.2.1"), inside = parsed("::ffff:10.0.0.1");

	ck_assert(!address_equal(&a, &mapped));
	ck_assert(!address_is_private(&inside));
}
END_TEST

START_TEST(a_prefix_has_no_host_bits)
{
	static const char *const bad[] = {
		"192.0.2.1/24", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "/8", "2001:db8::1/64",
		"::/129", "10.0.0.0/8/8", "10.0.0.0/ 8", "1.2.3.4/0",
	};
	char text[PREFIX_TEXT_BYTES];
	struct prefix p = {0};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(prefix_parse(bytes_of_text(bad[i]), &p) == -EINVAL, "%s", bad[i]);
	ck_assert_int_eq(prefix_parse(BYTES("192.0.2.0/23"), &p), 0);
	ck_assert_str_eq(prefix_format(&p, text), "192.0.2.0/23");
	ck_assert_int_eq(prefix_parse(BYTES("2001:db8::1"), &p), 0);
	ck_assert_str_eq(prefix_format(&p, text), "2001:db8::1/128");
	ck_assert_int_eq(prefix_parse(BYTES("0.0.0.0/0"), &p), 0);
	p.address.b[9] = 1;
	ck_assert(!prefix_is_well_formed(&p));
}
END_TEST

START_TEST(a_prefix_has_its_addresses_and_no_others)
{
	static const struct {
		const char *prefix, *address;
		bool has;
	} cases[] = {
		{"192.0.2.0/23", "192.0.3.255", true}, {"192.0.2.0/23", "192.0.4.0", false},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "::1", false},           {"::/0", "8.8.8.8", false},           {"::/0", "fe80::1", true},
		{"10.1.2.3", "10.1.2.3", true},        {"10.1.2.3", "10.1.2.2", false},
		{"fe80::/10", "febf::1", true},
		{"fe80::/10", "fec0::1", false},       {"2001:db8::1", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address a = parsed(cases[i].address);
		struct prefix p;

		ck_assert_int_eq(prefix_parse(bytes_of_text(cases[i].prefix), &p), 0);
		ck_assert_msg(prefix_has(&p, &a) == cases[i].has, "%s %s", cases[i].prefix, cases[i].address);
	}
}
END_TEST

START_TEST(ranges_mean_what_their_rfcs_say)
{
	static const struct {
		const char *address;
		bool is_private, is_special;
	} cases[] = {
		{"10.255.0.1", true, false},     {"172.16.0.1", true, false},     {"172.31.255.255", true, false},
		{"172.32.0.1", false, false},    {"192.168.9.9", true, false},    {"192.169.0.1", false, false},
		{"127.0.0.1", true, true},       {"169.254.1.1", true, true},     {"224.0.0.251", false, true},
		{"239.255.255.250", false, true}, {"255.255.255.255", false, true}, {"0.0.0.0", false, true},
		{"8.8.8.8", false, false},       {"203.0.113.9", false, false},   {"fd00::1", true, false},
		{"fe80::1", true, true},         {"::1", true, true},             {"::", false, true},
		{"ff02::1", false, true},        {"2001:db8::1", false, false},   {"::2", false, false},
	};
	struct address none = {0};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address a = parsed(cases[i].address);

		ck_assert_msg(address_is_private(&a) == cases[i].is_private, "%s", cases[i].address);
		ck_assert_msg(address_is_special(&a) == cases[i].is_special, "%s", cases[i].address);
	}
	ck_assert(!address_is_private(&none) && !address_is_special(&none));
}
END_TEST

START_TEST(dirty_address_memory_is_not_well_formed)
{
	struct address a = parsed("192.0.2.1"), none = {0};

	ck_assert(address_is_well_formed(&none));
	a.b[15] = 1;
	ck_assert(!address_is_well_formed(&a));
	a = parsed("192.0.2.1");
	a.zero[2] = 1;
	ck_assert(!address_is_well_formed(&a));
	a = parsed("::1");
	a.family = 5;
	ck_assert(!address_is_well_formed(&a));
	none.b[0] = 1;
	ck_assert(!address_is_well_formed(&none));
}
END_TEST

// The definition, word by word.
static uint64_t nh_slowly(const struct nh_key *k, const uint8_t *data, size_t n)
{
	uint64_t sums[8] = {0};
	size_t blocks = (n + NH_BLOCK_BYTES - 1) / NH_BLOCK_BYTES;

	for (size_t i = 0; i < n; i += 8) {
		uint32_t pair[2] = {0};

		memcpy(pair, data + i, n - i < 8 ? n - i : 8);
		sums[i / NH_BLOCK_BYTES] += (uint64_t)(uint32_t)(pair[0] + k->word[i % NH_BLOCK_BYTES / 4]) *
					    (uint32_t)(pair[1] + k->word[i % NH_BLOCK_BYTES / 4 + 1]);
	}
	// The last step is filled up with zeroes, which meet the key all the same.
	for (size_t i = (n + 7) / 8 * 8; i % 32; i += 8)
		sums[(i - 1) / NH_BLOCK_BYTES] += (uint64_t)k->word[i % NH_BLOCK_BYTES / 4] * k->word[i % NH_BLOCK_BYTES / 4 + 1];
	sums[blocks] = n;
	return siphash13(&k->finish, sums, (blocks + 1) * 8);
}

START_TEST(nh_is_its_definition_and_every_bit_and_the_length_count)
{
	static uint8_t data[2600];
	struct nh_key k;

	nh_key_init(&k, &(struct siphash_key){3, 4});
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t n = NH_SHORT_BYTES + 1; n < sizeof(data); n += 13)
		ck_assert_uint_eq(nh_hash(&k, data, n), nh_slowly(&k, data, n));
	for (size_t n = 1; n < sizeof(data); n += 97) {
		uint64_t whole = nh_hash(&k, data, n);

		ck_assert_uint_ne(whole, nh_hash(&k, data, n - 1));
		for (size_t bit = 0; bit < n * 8; bit += 11) {
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_uint_ne(whole, nh_hash(&k, data, n));
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}
END_TEST

START_TEST(siphash_gives_the_reference_vectors)
{
	// Key 00..0f, message 00..n-1. 2-4: vectors.h of the authors' code; n = 15 is the paper's.
	static const uint64_t vectors24[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
		0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
		0x93f5f5799a932462, [15] = 0xa129ca6149be45e5,
	};
	const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t message[64];

	for (unsigned i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t n = 0; n < COUNT_OF(vectors24); n++)
		if (vectors24[n])
			ck_assert_uint_eq(siphash24(&key, message, n), vectors24[n]);
	ck_assert_uint_eq(siphash13(&key, message, 0), 0xabac0158050fc4dc);
	for (size_t n = 0; n < 5; n++) { // message holds 0, 1, 2, ...
		static const uint64_t words[4] = {0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x1716151413121110,
						  0x1f1e1d1c1b1a1918};

		struct siphash_state state = siphash_begin(&key);

		for (size_t i = 0; i < n; i++)
			siphash_absorb(&state, words[i], 1);
		ck_assert_uint_eq(siphash_finish(&state, (uint64_t)n << 59, 1, 3), siphash13(&key, message, 8 * n));
	}
	ck_assert_uint_ne(siphash13(&key, message, 8), siphash13(&key, message, 9));
}
END_TEST

START_TEST(digests_give_the_fips_180_vectors)
{
	uint8_t out[32];
	char text[65];

	digest_sha1("abc", 3, out);
	digest_hex(out, 20, text);
	ck_assert_str_eq(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_sha256("abc", 3, out);
	digest_hex(out, 32, text);
	ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_hex(out, 0, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(base64_gives_the_rfc_4648_vectors)
{
	static const char *const vectors[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}, {"\xff\xef\xbe", "/+++"},
	};
	char out[16];

	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		size_t n = strlen(vectors[i][0]), length = strlen(vectors[i][1]);

		ck_assert_uint_eq(base64_encode((const uint8_t *)vectors[i][0], n, out, length + 1), length);
		ck_assert_str_eq(out, vectors[i][1]);
		ck_assert_uint_eq(base64_encode((const uint8_t *)vectors[i][0], n, out, length), 0);
	}
}
END_TEST

START_TEST(every_counter_has_a_lower_case_name_and_a_text)
{
	struct counters c = {0};

	for (unsigned i = 0; i < COUNTER_COUNT; i++) {
		const char *name = counter_name(i);

		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		ck_assert(strlen(name) > 3 && strlen(counter_text(i)) > 3 && counter_names[i] == name);
	}
	ck_assert_str_eq(counter_name(COUNT_FRAMES_DROPPED_TRUNCATED), "frames_dropped_truncated");
	ck_assert_str_eq(counter_name(COUNTER_COUNT), "?");
	ck_assert_ptr_null(counter_names[COUNTER_COUNT]);
	count(&c, COUNT_RST_SENT);
	count_add(&c, COUNT_RST_SENT, 2);
	ck_assert_uint_eq(c.value[COUNT_RST_SENT], 3);
}
END_TEST

START_TEST(a_message_is_one_line_with_the_program_before_it)
{
	char text[4096], longest[3000];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_info("%d files", 3);
	log_warn("late");
	log_info("%s", longest);
	dup2(saved, STDERR_FILENO);
	n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	close(ends[1]);
	close(saved);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert(strstr(text, "base_test: 3 files\nbase_test: warning: late\nbase_test: xxx") == text);
	ck_assert(text[n - 1] == '\n' && n < 1200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *test = tcase_create("base");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_set_timeout(test, 60);
	tcase_add_test(test, a_cursor_never_moves_past_its_end);
	tcase_add_test(test, texts_are_found_inside_bytes);
	tcase_add_test(test, a_number_is_all_digits_and_below_its_limit);
	tcase_add_test(test, addresses_are_written_as_rfc_5952_says);
	tcase_add_test(test, what_is_no_address_is_refused);
	tcase_add_test(test, a_mapped_address_is_not_the_address);
	tcase_add_test(test, a_prefix_has_no_host_bits);
	tcase_add_test(test, a_prefix_has_its_addresses_and_no_others);
	tcase_add_test(test, ranges_mean_what_their_rfcs_say);
	tcase_add_test(test, dirty_address_memory_is_not_well_formed);
	tcase_add_test(test, siphash_gives_the_reference_vectors);
	tcase_add_test(test, nh_is_its_definition_and_every_bit_and_the_length_count);
	tcase_add_test(test, digests_give_the_fips_180_vectors);
	tcase_add_test(test, base64_gives_the_rfc_4648_vectors);
	tcase_add_test(test, every_counter_has_a_lower_case_name_and_a_text);
	tcase_add_test(test, a_message_is_one_line_with_the_program_before_it);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
