/* test_number.c - src/base/number.c */
#include "unit.h"

#include <string.h>

#include "base/number.h"

static void
takes_numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(number_parse(S("0"), 0, &n) && n == 0);
	assert_true(number_parse(S("007"), 7, &n) && n == 7);
	assert_true(number_parse(S("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(
	    number_parse(S("00000000000000000000000000000000001"), 1, &n));
	assert_true(n == 1);
}

static void
refuses_all_else(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "1x",
		"0x1", "1.0", "1e3", "\xd9\xa1" };
	uint64_t n = 42;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(
		    number_parse(popper_slice_text(bad[i]), UINT64_MAX, &n));
		assert_false(number_saturate(popper_slice_text(bad[i]), &n));
	}
	assert_false(number_parse(S("1\0"), UINT64_MAX, &n));
	assert_true(n == 42);
}

static void
keeps_the_limit(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(number_parse(S("10"), 10, &n));
	assert_false(number_parse(S("11"), 10, &n));
	assert_false(number_parse(S("9"), 8, &n));
	assert_false(number_parse(S("18446744073709551616"), UINT64_MAX, &n));
	assert_false(number_parse(S("99999999999999999999"), UINT64_MAX, &n));
	assert_false(number_parse(S("4294967297"), UINT32_MAX, &n));
}

static void
prints(void **state)
{
	static const uint64_t n[] = { 0, 9, 10, 1234567890, UINT64_MAX };
	static const char *const text[] = { "0", "9", "10", "1234567890",
		"18446744073709551615" };
	char out[NUMBER_DIGITS];

	(void)state;
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		assert_int_equal(number_print(n[i], out), strlen(text[i]));
		assert_memory_equal(out, text[i], strlen(text[i]));
	}
}

static void
saturates(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(number_saturate(S("12"), &n) && n == 12);
	assert_true(number_saturate(S("18446744073709551614"), &n));
	assert_true(n == UINT64_MAX - 1);
	assert_true(number_saturate(S("18446744073709551616"), &n));
	assert_true(n == UINT64_MAX);
	assert_true(number_saturate(S("999999999999999999999990"), &n));
	assert_true(n == UINT64_MAX);
	assert_false(number_saturate(S("99999999999999999999x"), &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_numbers),
		cmocka_unit_test(refuses_all_else),
		cmocka_unit_test(keeps_the_limit),
		cmocka_unit_test(prints),
		cmocka_unit_test(saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
