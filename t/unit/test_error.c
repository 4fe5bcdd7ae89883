/* test_error.c - src/base/error.c */
#include "unit.h"

#include <errno.h>

#include "base/error.h"

static struct popper_error e;

static void
set_ignores_errno(void **state)
{
	(void)state;
	memset(&e, 'x', sizeof(e));
	errno = ENOENT;
	assert_int_equal(error_set(&e, POPPER_IN_USE, "lock %d", 7), -1);
	assert_int_equal(e.status, POPPER_IN_USE);
	assert_int_equal(e.system, 0);
	assert_string_equal(e.text, "lock 7");
	assert_string_equal(e.reply, "");
}

static void
system_tells_the_cause(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(
	    error_system(&e, POPPER_TEMPORARY, "open %s", "/x"), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
	assert_int_equal(e.system, ENOENT);
	assert_string_equal(e.text, "open /x: No such file or directory");
}

static void
long_text_keeps_the_cause(void **state)
{
	const char *tail = ": No space left on device";
	char name[1000];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	errno = ENOSPC;
	error_system(&e, POPPER_TEMPORARY, "%s", name);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_string_equal(e.text + sizeof(e.text) - 1 - strlen(tail), tail);
}

static void
may_quote_itself(void **state)
{
	(void)state;
	error_set(&e, POPPER_INVALID, "inner");
	error_set(&e, POPPER_PERMANENT, "outer: %s", e.text);
	assert_string_equal(e.text, "outer: inner");
}

static void
clears(void **state)
{
	(void)state;
	error_set(&e, POPPER_PERMANENT, "x");
	error_clear(&e);
	assert_int_equal(e.status, POPPER_OK);
	assert_string_equal(e.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_ignores_errno),
		cmocka_unit_test(system_tells_the_cause),
		cmocka_unit_test(long_text_keeps_the_cause),
		cmocka_unit_test(may_quote_itself),
		cmocka_unit_test(clears),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
