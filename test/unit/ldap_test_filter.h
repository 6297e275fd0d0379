// SPDX-License-Identifier: GPL-2.0-or-later
// The part of ldap_test.c about search filters as text (RFC 4515). Included once, by it.
#pragma once

struct filter_vector {
	const char *ber;
	size_t n;
	const char *text;
};

#define FILTER(ber, text)                                                                                              \
	{                                                                                                              \
		ber, sizeof(ber) - 1, text                                                                             \
	}

static const struct filter_vector filters[] = {
	FILTER("\x87\x01x", "(x=*)"),
	FILTER("\xa3\x07\x04\x01x\x04\x02yz", "(x=yz)"),
	FILTER("\xa5\x06\x04\x01x\x04\x01y", "(x>=y)"),
	FILTER("\xa6\x06\x04\x01x\x04\x01y", "(x<=y)"),
	FILTER("\xa8\x06\x04\x01x\x04\x01y", "(x~=y)"),
	FILTER("\xa3\x08\x04\x01x\x04\x03*)\x01", "(x=\\2a\\29\\01)"),
	FILTER("\xa0\x06\x87\x01x\x87\x01y", "(&(x=*)(y=*))"),
	FILTER("\xa1\x08\xa2\x03\x87\x01x\x87\x01y", "(|(!(x=*))(y=*))"),
	FILTER("\xa4\x0e\x04\x01x\x30\x09\x80\x01"
	       "a\x81\x01"
	       "b\x82\x01"
	       "c",
	       "(x=a*b*c)"),
	FILTER("\xa4\x08\x04\x01x\x30\x03\x80\x01"
	       "a",
	       "(x=a*)"),
	FILTER("\xa4\x08\x04\x01x\x30\x03\x82\x01"
	       "a",
	       "(x=*a)"),
	FILTER("\xa9\x0c\x81\x03"
	       "2.5\x82\x01x\x83\x02yz",
	       "(x:2.5:=yz)"),
};

START_TEST(filters_are_written_as_people_write_them)
{
	struct maker *op = &a;

	start();
	octets(op, "");
	MAKE(op, 0x0a, 1, 0, 0x0a, 1, 3, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0);
	make(op, filters[_i].ber, filters[_i].n);
	MAKE(op, 0x30, 0);
	message(&m, 2, 0x63, made(op), 0);
	client_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	talk_expect_text(&caught.o[0], TEXT_LDAP_FILTER, filters[_i].text);
	ck_assert_uint_eq(caught.o[0].flags8, 0);
}
END_TEST

START_TEST(a_filter_nested_without_end_is_cut)
{
	static struct maker inner, outer;
	struct maker *op = &a;

	start();
	inner.n = 0;
	MAKE(&inner, 0x87, 1, 'x');
	for (unsigned depth = 0; depth < 200; depth++) {
		outer.n = 0;
		tlv(&outer, 0xa2, made(&inner), 0);
		inner = outer;
	}
	octets(op, "");
	MAKE(op, 0x0a, 1, 0, 0x0a, 1, 3, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0);
	make(op, inner.b, inner.n);
	message(&m, 2, 0x63, made(op), 0);
	client_says(&m);
	ck_assert_uint_eq(caught.count, 1);
	ck_assert(caught.o[0].flags8 & OBS_FLAG_TRUNCATED);
}
END_TEST

static void add_filter_tests(TCase *t)
{
	tcase_add_loop_test(t, filters_are_written_as_people_write_them, 0, sizeof(filters) / sizeof(filters[0]));
	tcase_add_test(t, a_filter_nested_without_end_is_cut);
}
