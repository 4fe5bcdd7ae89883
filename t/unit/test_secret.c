/* test_secret.c - src/base/secret.c */
#include "unit.h"

#include "base/secret.h"

static void
wipes(void **state)
{
	char secret[] = "geheim!";

	(void)state;
	secret_wipe(secret, 6);
	assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
	secret_wipe(NULL, 0);
}

static void
compares_every_octet(void **state)
{
	char a[] = "abcdef", b[] = "abcdef";
	size_t i;

	(void)state;
	assert_true(secret_equal(a, b, sizeof(a)));
	assert_true(secret_equal(a, "x", 0));
	for (i = 0; i < sizeof(a); i++) {
		b[i] = (char)(b[i] ^ 0x40);
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i] = (char)(b[i] ^ 0x40);
	}
}

static void
differences_do_not_cancel(void **state)
{
	(void)state;
	assert_false(secret_equal("ab", "ba", 2));
	assert_false(secret_equal("aa", "bb", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wipes),
		cmocka_unit_test(compares_every_octet),
		cmocka_unit_test(differences_do_not_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
