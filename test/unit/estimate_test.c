// SPDX-License-Identifier: GPL-2.0-or-later
// The estimators against exact computation on generated data. Seeds are fixed: what passes once passes always. With
// SEKIMORI_TIMING set it prints what each look-up costs.
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dice.h"

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void tell_time(const char *what, double ns, double times)
{
	if (getenv("SEKIMORI_TIMING"))
		printf("  %-44s %8.1f ns\n", what, ns / times);
}

#include "estimate_test_backoff.h"
#include "estimate_test_behaviour.h"
#include "estimate_test_check.h"
#include "estimate_test_image.h"
#include "estimate_test_judging.h"
#include "estimate_test_sketch.h"

int main(void)
{
	Suite *suite = suite_create("estimate");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, backoff_cases());
	suite_add_tcase(suite, sketch_cases());
	suite_add_tcase(suite, behaviour_cases());
	suite_add_tcase(suite, judging_cases());
	suite_add_tcase(suite, flat_cases());
	suite_add_tcase(suite, image_cases());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
