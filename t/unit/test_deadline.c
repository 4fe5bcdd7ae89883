/* test_deadline.c - src/base/deadline.c */
#include "unit.h"

#include <limits.h>

#include "base/deadline.h"

static void
passed_is_zero(void **state)
{
	(void)state;
	assert_int_equal(deadline_left(deadline_in(0)), 0);
	assert_int_equal(deadline_left(deadline_in(-5)), 0);
	assert_int_equal(deadline_left(deadline_in(INT64_MIN)), 0);
	assert_int_equal(deadline_left(0), 0);
}

static void
never_is_for_ever(void **state)
{
	(void)state;
	assert_int_equal(deadline_left(DEADLINE_NEVER), -1);
	assert_true(deadline_in(INT64_MAX) == DEADLINE_NEVER);
	assert_true(deadline_in(INT64_MAX - 1) == DEADLINE_NEVER);
}

static void
far_fits_an_int(void **state)
{
	(void)state;
	assert_int_equal(deadline_left(deadline_in(INT64_MAX / 2)), INT_MAX);
}

static void
near_counts_down(void **state)
{
	int left = deadline_left(deadline_in(3600000));

	(void)state;
	assert_true(left > 0 && left <= 3600000);
}

static void
earlier_wins(void **state)
{
	(void)state;
	assert_true(deadline_earlier(1, 2) == 1);
	assert_true(deadline_earlier(2, 1) == 1);
	assert_true(deadline_earlier(DEADLINE_NEVER, 7) == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passed_is_zero),
		cmocka_unit_test(never_is_for_ever),
		cmocka_unit_test(far_fits_an_int),
		cmocka_unit_test(near_counts_down),
		cmocka_unit_test(earlier_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
